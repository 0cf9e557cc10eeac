# SPDX-License-Identifier: Apache-2.0
"""What strace saw of a server, as events; and a disk that forgets, to replay them on.

The disk is a model of what POSIX promises and no more: a write is sure only after fsync or fdatasync of its file, a name (made,
renamed, removed) only after fsync of its folder. A power cut at any event leaves all that is sure, and of the rest any part: a
pending write whole, in part (by sectors) or not at all, pending names in their order up to some point.
"""

import dataclasses
import os
import pathlib
import re

SECTOR = 512

CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,fallocate,rename,"
    "renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,lseek,sendto,sendmsg,sendfile,close"
)


def command(output):
    """The wrapper to start a server under: every content in full, as hexadecimal; descriptors with their paths."""
    return ["strace", "-f", "-y", "-xx", "-s", "16777216", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(output)]


@dataclasses.dataclass
class Event:
    index: int  # where the call ended
    began: int  # where it began: earlier than index when another thread came between
    call: str
    arguments: str
    result: int


def _unhex(text):
    """The bytes of a "\\x.." string of strace."""
    return bytes.fromhex(text.replace("\\x", ""))


_LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)(?:<([^>]*)>)?.*$", re.S)
_UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$", re.S)
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$", re.S)


def read(path):
    """The events that ended well, in the order of their ends."""
    events, open_calls = [], {}
    with open(path, encoding="latin-1") as file:
        for index, line in enumerate(file):
            line = line.rstrip("\n")
            found = _UNFINISHED.match(line)
            if found:
                open_calls[found[1]] = (index, found[2], found[3])
                continue
            began = index
            found = _RESUMED.match(line)
            if found and found[1] in open_calls:
                began, call, head = open_calls.pop(found[1])
                line = f"{found[1]} {call}({head}{found[3]}"
            found = _LINE.match(line)
            if found and found[4] not in ("?",) and int(found[4]) >= 0:
                result = found[3] if found[5] is None else f"{found[3]}\0{_path(found[5])}"
                events.append(Event(index, began, found[2], result, int(found[4])))
    return events


def _path(text):
    return _unhex(text).decode() if text.startswith("\\x") else text


_DESCRIPTOR = re.compile(r"^(\d+)<([^>]*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def descriptor(arguments):
    """(number, path) of a call's first argument."""
    found = _DESCRIPTOR.match(arguments)
    return (int(found[1]), _path(found[2])) if found else (None, "")


def contents(arguments):
    """The bytes of a call: its strings in order, joined (of sendmsg and writev the parts of the vector)."""
    return b"".join(_unhex(text) for text in _STRING.findall(arguments.split("\0")[0]))


def strings(arguments):
    return [_unhex(text).decode(errors="replace") for text in _STRING.findall(arguments.split("\0")[0])]


class File:
    def __init__(self):
        self.sure = bytearray()
        self.pending = []  # ("write", at, bytes) | ("length", n)

    def sync(self):
        for change in self.pending:
            apply(self.sure, change)
        self.pending = []


def apply(content, change):
    if change[0] == "length":
        length = change[1]
        del content[length:]
        content.extend(b"\0" * (length - len(content)))
        return
    _, at, data = change
    if len(content) < at:
        content.extend(b"\0" * (at - len(content)))
    content[at : at + len(data)] = data


class Disk:
    """The files below a folder, and what of them is sure."""

    def __init__(self, root):
        self.root = str(root).rstrip("/") + "/"
        self.now = {}  # path → File, or None for a folder
        self.sure = {}  # the same, as the folders' fsyncs left it
        self.names = []  # pending changes of names, in order: (folder, kind, path, File or None)
        self.offsets = {}  # descriptor number and path → where write() goes on

    def mine(self, path):
        return path.startswith(self.root)

    # ---- events ----

    def play(self, event):
        handler = getattr(self, "_" + event.call, None)
        if handler:
            handler(event)

    def _name(self, kind, path, file):
        self.names.append((os.path.dirname(path), kind, path, file))

    def _openat(self, event):
        path = event.arguments.split("\0")[-1]
        if not self.mine(path) or path.endswith(" (deleted)"):
            return
        flags = event.arguments.split("\0")[0]
        number = event.result
        self.offsets[number, path] = 0
        if "O_CREAT" in flags and path not in self.now:
            self.now[path] = File()
            self._name("add", path, self.now[path])
        if "O_TRUNC" in flags and self.now.get(path):
            self.now[path].pending.append(("length", 0))
        if "O_APPEND" in flags and self.now.get(path):
            self.offsets[number, path] = self._length(self.now[path])

    _open = _creat = _openat

    @staticmethod
    def _length(file):
        content = bytearray(file.sure)
        for change in file.pending:
            apply(content, change)
        return len(content)

    def _file(self, event):
        number, path = descriptor(event.arguments)
        return number, path, self.now.get(path) if self.mine(path) else None

    def _write(self, event):
        number, path, file = self._file(event)
        if file:
            at = self.offsets.get((number, path), 0)
            file.pending.append(("write", at, contents(event.arguments)[: event.result]))
            self.offsets[number, path] = at + event.result

    _writev = _write

    def _pwrite64(self, event):
        _, _, file = self._file(event)
        if file:
            at = int(event.arguments.split("\0")[0].rsplit(",", 1)[1])
            file.pending.append(("write", at, contents(event.arguments)[: event.result]))

    def _lseek(self, event):
        number, path, file = self._file(event)
        if file:
            self.offsets[number, path] = event.result

    def _ftruncate(self, event):
        _, _, file = self._file(event)
        if file:
            file.pending.append(("length", int(event.arguments.split("\0")[0].rsplit(",", 1)[1])))

    def _fallocate(self, event):
        _, _, file = self._file(event)
        if file:
            _, _, at, size = event.arguments.split("\0")[0].rsplit(",", 3)
            length = int(at) + int(size)
            if length > self._length(file):
                file.pending.append(("length", length))

    def _fsync(self, event):
        _, path = descriptor(event.arguments)
        if not self.mine(path + "/"):
            return
        file = self.now.get(path)
        if isinstance(file, File):
            file.sync()
            return
        kept = []
        for name in self.names:
            if name[0] == path:
                self._settle(self.sure, name)
            else:
                kept.append(name)
        self.names = kept

    _fdatasync = _fsync

    @staticmethod
    def _settle(names, change):
        _, kind, path, file = change
        if kind == "add":
            names[path] = file
        else:
            names.pop(path, None)

    def _rename(self, event):
        source, target = strings(event.arguments)[:2]
        if self.mine(source) and source in self.now:
            file = self.now.pop(source)
            self.now[target] = file
            self._name("add", target, file)
            self._name("remove", source, file)

    _renameat = _renameat2 = _rename

    def _unlink(self, event):
        path = strings(event.arguments)[0]
        if self.mine(path) and path in self.now:
            self._name("remove", path, self.now.pop(path))

    def _unlinkat(self, event):
        name = strings(event.arguments)[0]
        folder = descriptor(event.arguments)[1]
        path = name if name.startswith("/") else f"{folder}/{name}"
        if self.mine(path) and path in self.now:
            self._name("remove", path, self.now.pop(path))

    def _mkdir(self, event):
        path = strings(event.arguments)[0].rstrip("/")
        if self.mine(path) and path not in self.now:
            self.now[path] = None
            self._name("add", path, None)

    def _mkdirat(self, event):
        self._mkdir(event)

    # ---- a power cut ----

    def after_power_cut(self, chance, folder):
        """Write into folder one state that the disk may be in."""
        names = dict(self.sure)
        by_folder = {}
        for change in self.names:
            by_folder.setdefault(change[0], []).append(change)
        for changes in by_folder.values():  # folders are independent of each other; within one the order holds
            for change in changes[: chance.randint(0, len(changes))]:
                self._settle(names, change)
        written = {}
        for path, file in sorted(names.items()):
            target = pathlib.Path(folder) / path[len(self.root) :]
            if file is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            if id(file) not in written:
                written[id(file)] = self._survives(file, chance)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(written[id(file)])

    @staticmethod
    def _survives(file, chance):
        content = bytearray(file.sure)
        style = chance.choice(["none", "all", "some", "some", "torn"])
        for change in file.pending:
            if style == "none" or (style in ("some", "torn") and chance.random() < 0.5):
                continue
            if style == "torn" and change[0] == "write":
                _, at, data = change
                for start in range(0, len(data), SECTOR):
                    if chance.random() < 0.5:
                        apply(content, ("write", at + start, data[start : start + SECTOR]))
                continue
            apply(content, change)
        return bytes(content)
