# SPDX-License-Identifier: Apache-2.0
"""The order of system calls: what kill -9 cannot show, since the page cache outlives a process.

A server runs under strace while clients predict. For every 200 the image's fsync, rename and folder fsync and the fsync of the
log came before the answer was sent. Then the record is cut at random points and replayed on a disk that forgets (trace.py):
each state opens, is sound, and holds every prediction that was acknowledged by then, with its image.

GYRE_REPLAYS (40) states; GYRE_SEED repeats them.
"""

import os
import pathlib
import random
import shutil
import subprocess
import uuid

import harness
import pytest
import samples
import trace
from load import Load
from store import Stored, database_of

REPLAYS = int(os.environ.get("GYRE_REPLAYS", "40"))
PREDICTIONS = 60


def strace_works():
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


pytestmark = [
    pytest.mark.skipif(harness.SANITIZED, reason="the order of calls is that of the release"),
    pytest.mark.skipif(not strace_works(), reason="strace may not be used here"),
    pytest.mark.timeout(300 + REPLAYS),
]


class Record:
    """A recorded run: events, the data folder's path, acknowledged (id → SHA-256), answered (id → where its answer began)."""

    def __init__(self, folder):
        output = folder / "strace"
        server = harness.Server(folder / "server", wrapper=trace.command(output))
        server.start(timeout=60)
        path = samples.colour_classifier(folder)
        version = server.push(path, "traced", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        deployment = server.deploy(version, "traced", 0.1)
        with Load(server, deployment, clients=4) as load:
            harness.wait_until(lambda: len(load.answers) >= PREDICTIONS or load.broken, 120, "the predictions")
        assert not load.broken and not load.failures
        server.kill()  # without a last checkpoint or sync
        self.data = server.data
        self.acknowledged = load.acknowledged()
        self.events = trace.read(output)
        self.answered = self._answers()

    def _answers(self):
        """Where the sending of each answer began: the first bytes of its head, or of its body when they are one call."""
        last_head, found = {}, {}
        for event in self.events:
            if event.call not in ("sendto", "sendmsg", "write", "writev"):
                continue
            number, path = trace.descriptor(event.arguments)
            if not path.startswith(("socket:", "TCP:")):
                continue
            body = trace.contents(event.arguments)
            if body.startswith(b"HTTP/1.1 200"):
                last_head[number] = event.began
            for prediction in self.acknowledged:
                if prediction.encode() in body:
                    found.setdefault(prediction, last_head.get(number, event.began))
        return found


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return Record(tmp_path_factory.mktemp("traced"))


def test_the_answers_were_seen(record):
    assert len(record.acknowledged) >= PREDICTIONS
    assert set(record.answered) == set(record.acknowledged)


def test_every_answer_left_after_its_image_and_its_row_were_synced(record):
    events = record.events
    wal = str(database_of(record.data)) + "-wal"
    synced, renamed, rows = {}, {}, {}
    syncs_of = {}
    for event in events:
        if event.call in ("fsync", "fdatasync"):
            path = trace.descriptor(event.arguments)[1]
            syncs_of.setdefault(path, []).append(event)
        elif event.call.startswith("rename"):
            source, target = trace.strings(event.arguments)[:2]
            digest = pathlib.Path(target).name
            if digest not in renamed:
                renamed[digest] = (source, target, event)
        elif event.call == "pwrite64" and trace.descriptor(event.arguments)[1] == wal:
            content = trace.contents(event.arguments)
            for prediction in record.acknowledged:
                if prediction not in rows and uuid.UUID(prediction).bytes in content:
                    rows[prediction] = event
    assert wal in syncs_of
    for prediction, digest in record.acknowledged.items():
        answer = record.answered[prediction]
        source, target, rename = renamed[digest]
        image = [e for e in syncs_of.get(source, []) if e.index <= rename.began]
        assert image, f"the image of {prediction} was renamed before it was synced"
        folder = [e for e in syncs_of.get(os.path.dirname(target), []) if e.began >= rename.index and e.index < answer]
        assert folder, f"the folder of the image of {prediction} was not synced before the answer"
        row = rows[prediction]
        log = [e for e in syncs_of[wal] if e.began >= row.index and e.index < answer]
        assert log, f"the row of {prediction} was not synced before the answer"
        synced[prediction] = (image[-1].index, rename.index, folder[0].index, log[0].index)
    print(f"{len(synced)} answers, each after the image's fsync, rename and folder fsync and the log's fsync")


def states(record, chance):
    """REPLAYS points of the record: some anywhere, most where answers leave."""
    last = record.events[-1].index
    answers = sorted(record.answered.values())
    points = [chance.choice(answers) + chance.randint(0, 30) for _ in range(REPLAYS * 3 // 4)]
    points += [chance.randint(0, last) for _ in range(REPLAYS - len(points))]
    return sorted(min(point, last) for point in points)


def test_replaying_prefixes_loses_nothing_acknowledged(record, tmp_path):
    seed = int(os.environ.get("GYRE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"GYRE_SEED={seed}")
    chance = random.Random(seed)
    disk = trace.Disk(record.data)
    events = iter(record.events)
    event = next(events)
    checked = reopened = 0
    for number, point in enumerate(states(record, chance)):
        while event and event.index <= point:
            disk.play(event)
            event = next(events, None)
        folder = tmp_path / f"cut-{number}"
        folder.mkdir()
        disk.after_power_cut(chance, folder)
        acknowledged = {p: d for p, d in record.acknowledged.items() if record.answered[p] <= point}
        checked += check_state(folder, acknowledged, point)
        if acknowledged and reopened < 5 and chance.random() < 0.3:
            reopened += reopen(folder, acknowledged, tmp_path / f"server-{number}")
        shutil.rmtree(folder, ignore_errors=True)
    assert checked > REPLAYS // 4
    print(f"{REPLAYS} cuts, {checked} of them after a first answer; {reopened} reopened by the server itself")


def check_state(folder, acknowledged, point):
    if not (folder / "gyre.db").exists():
        assert not acknowledged, f"cut at {point}: the database is gone with {len(acknowledged)} acknowledged predictions"
        return 0
    if not acknowledged:
        return 0
    try:
        Stored(folder).check(acknowledged)
    except AssertionError as error:
        raise AssertionError(f"cut at {point}: {error}") from error
    return 1


def reopen(state, acknowledged, folder):
    """The server starts on what the cut left, answers again, and what it counts is what the log says."""
    folder.mkdir()
    shutil.move(state, folder / "data")
    server = harness.Server(folder)
    with server:
        (deployment,) = server.get(f"/api/organization/{server.organization['id']}/deployments")["items"]
        items, _ = server.predicted_assets(deployment)
        assert set(acknowledged) <= {item["oracle_prediction_id"] for item in items}
        harness.wait_until(lambda: server.deployment(deployment)["status"] == "SERVING", 30, "the model to be loaded")
        assert server.predict(deployment, samples.photo("red"))["shapes"][0]["label"] == "red"
    harness.command("audit", "--data", server.data)
    return 1


# ---- the model of the disk is itself tested --------------------------------------------------------------------------


def trace_of(code, folder):
    output = folder / "strace"
    subprocess.run([*trace.command(output), "python3", "-c", code], check=True, timeout=60)
    return trace.read(output)


SLOPPY = """
import os, sqlite3
root = {root!r}
os.mkdir(root + '/images')
def store(name, sync):
    fd = os.open(root + '/images/' + name + '.tmp', os.O_CREAT | os.O_WRONLY)
    os.write(fd, b'x' * 5000)
    if sync: os.fsync(fd)
    os.rename(root + '/images/' + name + '.tmp', root + '/images/' + name)
    if sync:
        d = os.open(root + '/images', os.O_RDONLY); os.fsync(d)
store('sure', True)
store('unsure', False)
d = os.open(root, os.O_RDONLY); os.fsync(d)
"""


def test_the_disk_forgets_what_was_not_synced(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    disk = trace.Disk(root)
    for event in trace_of(SLOPPY.format(root=str(root)), tmp_path):
        disk.play(event)
    chance, unsure = random.Random(1), set()
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        disk.after_power_cut(chance, folder)
        assert (folder / "images/sure").read_bytes() == b"x" * 5000
        left = folder / "images/unsure"
        unsure.add("gone" if not left.exists() else "whole" if left.read_bytes() == b"x" * 5000 else "broken")
    assert unsure == {"gone", "whole", "broken"}


UNSAFE_DATABASE = """
import sqlite3, os
root = {root!r}
db = sqlite3.connect(root + '/gyre.db', isolation_level=None)
db.execute('PRAGMA journal_mode=WAL')
db.execute('PRAGMA synchronous={mode}')
db.execute('CREATE TABLE t (a)')
d = os.open(root, os.O_RDONLY); os.fsync(d)
for n in range(50):
    db.execute('INSERT INTO t VALUES (?)', (n,))
os.write(1, b'done')
os._exit(0)
"""


@pytest.mark.parametrize("mode, loses", [("OFF", True), ("NORMAL", True), ("FULL", False)])
def test_the_disk_tells_a_durable_database_from_a_hasty_one(tmp_path, mode, loses):
    """With synchronous=NORMAL commits may be lost, with FULL never: the model sees the difference."""
    import sqlite3

    root = tmp_path / "root"
    root.mkdir()
    disk = trace.Disk(root)
    for event in trace_of(UNSAFE_DATABASE.format(root=str(root), mode=mode), tmp_path):
        disk.play(event)
    chance, lost = random.Random(2), 0
    for number in range(30):
        folder = tmp_path / str(number)
        folder.mkdir()
        disk.after_power_cut(chance, folder)
        try:
            db = sqlite3.connect(folder / "gyre.db")
            lost += db.execute("SELECT count(*) FROM t").fetchone()[0] != 50
            db.close()
        except sqlite3.DatabaseError:
            lost += 1
    assert (lost > 0) == loses, f"{lost} of 30"
