# SPDX-License-Identifier: Apache-2.0
"""The house rules as a test (docs/STYLE.md says why each is there).

usage: tidy.py [ROOT]

Prints one line a breach, `path:line: what`, and exits 1 when there is any. Each check is a function from a tree to breaches,
with its own test in test_tidy.py. Exceptions stand in the tables right below and nowhere else.
"""

import ast
import os
import re
import subprocess
import sys
import urllib.parse

# Who may include whom: a folder includes folders of a lower number. Peers (the same number) never include each other.
LAYERS = {
    "base": 0,
    "os": 1,
    "http": 2, "stats": 2, "store": 2, "vision": 2, "engine": 2,
    "task": 3, "deploy": 3, "jobs": 3, "query": 3,
    "predict": 4, "formats": 4,
    "serve": 5, "shadow": 5, "watch": 5, "learn": 5,
    "api": 6, "cli": 6,
    "": 7,  # main.c, server.c
}  # fmt: skip

# (including folder, included header): agreed exceptions to the rule above, each with a reason.
LAYER_EXCEPTIONS = {
    ("deploy", "task/recipe.h"): "a deployed model is its engine and its recipe",
    ("deploy", "task/shape.h"): "a version's task is one of the kinds of shapes",
    ("cli", "api/api.h"): "`gyre routes` prints the table of routes",
    ("cli", "config.h"): "a command that works on a data folder at rest finds it as a server does",
    ("cli", "server.h"): "`gyre serve` is a command like the others",
}

LINE_COLUMNS_MAX = {".c": 110, ".h": 110, ".def": 160, ".py": 130, ".sh": 130}
FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 70
BLOB_BYTES_MAX = 512 * 1024

# Functions over the limit, by (path, name): how long they may be. The list may only shrink.
LONG_FUNCTIONS = {}

# Modules whose behaviour is tested through the whole program (test/http, test/crash) rather than by a test of their own. The
# rows of a table are written and read by each call of the API that concerns them; the command line is who fetches.
TESTED_FROM_OUTSIDE = re.compile(r"^src/(api/|cli/|main\.c|server\.c|os/fetch\.c|store/\w+_rows(_\w+)?\.c)")

# Headers between the files of one part: tested through the part's own header.
TESTED_THROUGH = {
    "base/err.h": "base/json.h",
    "predict/predict.h": "serve/pipeline.h",
    "http/admission.h": "http/server.h",
    "http/body.h": "http/server.h",
    "http/drain.h": "http/server.h",
    "http/listen.h": "http/server.h",
    "http/streams.h": "http/events.h",
}

# Sources that need no SPDX line: they have no comments, or are written by a tool.
NO_SPDX = re.compile(r"(^|/)(vite-env\.d\.ts)$")
SPDX_EXTENSIONS = (".c", ".h", ".def", ".sql", ".py", ".sh", ".ts", ".tsx", ".css")

# Pieces, so that this file does not contain what it looks for.
BANNED = [
    (re.compile("FIX" + r"ME|\bXX" + r"X\b"), "unfinished work belongs in an issue"),
    (re.compile(r"(?<![\w.~$}])/(home|root|work|Users)" + r"/\w"), "an absolute path of somebody's machine"),
    (re.compile(r"(registry\.npm" + r"js\.|py" + r"pi\.org|python" + r"hosted|deb\.deb" + r"ian\.org|crates" + r"\.io)"),
     "the host of a package registry"),
]  # fmt: skip

TEXT = (*SPDX_EXTENSIONS, ".md", ".txt", ".json", ".yaml", ".yml", ".html", ".mjs", ".js", "Makefile", "run")
GENERATED = ("package-lock.json",)


class Tree:
    """The files of a checkout, read once."""

    def __init__(self, root, files=None):
        self.root = root
        self.files = files if files is not None else tracked(root)
        self._texts = {}

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def lines(self, path):
        return self.text(path).splitlines()

    def having(self, *extensions):
        return [p for p in self.files if p.endswith(extensions)]


def tracked(root):
    """What git would take; without git, all but what is built, fetched or data."""
    command = ["git", "-C", root, "ls-files", "-co", "--exclude-standard"]
    try:
        names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        names = walked(root)
    return sorted(n for n in set(names) if os.path.isfile(os.path.join(root, n)))


def walked(root):
    skipped = {".git", "build", "var", "node_modules", "__pycache__", ".pytest_cache", "dist"}
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if f not in skipped]
        yield from (os.path.relpath(os.path.join(folder, f), root) for f in files if not f.endswith(".pyc"))


def folder_of(path):
    """'src/store/db.c' → 'store'; 'src/main.c' → ''."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else ""


def check_layers(tree):
    for path in tree.having(".c", ".h"):
        if not path.startswith("src/"):
            continue
        source = folder_of(path)
        if source not in LAYERS:
            yield path, 1, f"the folder src/{source} has no layer in test/tidy.py"
            continue
        for number, line in enumerate(tree.lines(path), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found:
                continue
            header = found[1]
            if header.startswith("."):
                yield path, number, f'include paths start at src/: "{header}"'
                continue
            target = header.split("/")[0] if "/" in header else ""
            if target == source or (source, header) in LAYER_EXCEPTIONS:
                continue
            if target not in LAYERS:
                yield path, number, f'"{header}" is in no known layer'
            elif LAYERS[target] >= LAYERS[source]:
                yield path, number, f'src/{source or "main"} may not include "{header}": layers only look down'


def check_columns(tree):
    for path in tree.files:
        limit = LINE_COLUMNS_MAX.get(os.path.splitext(path)[1])
        if limit is None:
            continue
        for number, line in enumerate(tree.lines(path), 1):
            columns = len(line.expandtabs(8))
            if columns > limit:
                yield path, number, f"{columns} columns, at most {limit}"


def check_file_length(tree):
    for path in tree.having(*SPDX_EXTENSIONS):
        count = len(tree.lines(path))
        if count > FILE_LINES_MAX:
            yield path, count, f"{count} lines, at most {FILE_LINES_MAX}"


def c_functions(lines):
    """(name, first line, lines) of each function; the layout by .clang-format makes this simple: `{` and `}` stand alone."""
    start = name = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            head = " ".join(lines[max(0, number - 6) : number - 1])
            found = re.findall(r"(\w+)\s*\(", head.split(";")[-1].split("}")[-1])
            name = found[0] if found else "?"
            start = number
        elif line == "}" and start is not None:
            yield name, start, number - start - 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno


def check_function_length(tree):
    seen = set()
    for path in tree.having(".c", ".h", ".py"):
        functions = python_functions(tree.text(path)) if path.endswith(".py") else c_functions(tree.lines(path))
        for name, number, count in functions:
            allowed = LONG_FUNCTIONS.get((path, name), FUNCTION_LINES_MAX)
            if count > allowed:
                yield path, number, f"{name}() has {count} lines, at most {allowed}"
            if (path, name) in LONG_FUNCTIONS:
                seen.add((path, name))
                if count < allowed:
                    yield path, number, f"{name}() has only {count} lines now: lower its entry in LONG_FUNCTIONS"
    for path, name in LONG_FUNCTIONS.keys() - seen:
        if path in tree.files:
            yield path, 1, f"{name}() is gone: remove its entry in LONG_FUNCTIONS"


def check_spdx(tree):
    for path in tree.having(*SPDX_EXTENSIONS):
        if NO_SPDX.search(path) or not tree.text(path).strip():
            continue
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in tree.lines(path)[:3]):
            yield path, 1, "no line `SPDX-License-Identifier: Apache-2.0` at the top"


def check_banned(tree):
    for path in tree.having(*TEXT):
        if path.endswith(GENERATED):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            for pattern, why in BANNED:
                found = pattern.search(line)
                if found:
                    yield path, number, f'"{found[0]}": {why}'


def headers_for(path, headers):
    """The header of a module: its own, or that of the longest prefix (engine_ort.c → engine.h); None when there is none."""
    folder, name = path[: -len(".c")].rsplit("/", 1)
    words = name.split("_")
    for count in range(len(words), 0, -1):
        header = f"{folder}/{'_'.join(words[:count])}.h"
        if header in headers:
            return header[len("src/") :]
    return None


def check_modules_tested(tree):
    included = set()
    for path in tree.having(".c", ".h"):
        if path.startswith("test/"):
            included.update(re.findall(r'#\s*include\s+"([^"]+)"', tree.text(path)))
    through = {inner for inner, outer in TESTED_THROUGH.items() if outer in included}
    headers = {path for path in tree.having(".h") if path.startswith("src/")}
    for path in tree.having(".c"):
        if not path.startswith("src/") or TESTED_FROM_OUTSIDE.match(path):
            continue
        header = headers_for(path, headers)
        folder = os.path.dirname(path)[len("src/") :]
        if header in included | through:
            continue
        if header is None and any(os.path.dirname(name) == folder for name in included | through):
            continue  # one of the files behind a header of its folder
        yield path, 1, f'no test in test/unit, test/contract or test/fuzz includes "{header or folder + "/…"}"'


def check_tests_do_not_sleep(tree):
    for path in tree.having(".c"):
        if not path.startswith(("test/unit/", "test/contract/")):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            if re.search(r"\b(sleep|usleep)\s*\(", line):
                yield path, number, "tests wait for a condition with a deadline; they do not sleep"


def check_links(tree):
    for path in tree.having(".md"):
        text = re.sub(r"```.*?```", lambda m: "\n" * m[0].count("\n"), tree.text(path), flags=re.S)
        for number, line in enumerate(text.splitlines(), 1):
            for target in re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"[a-z]+:", target) or target.startswith("#"):
                    continue
                name = urllib.parse.unquote(target.split("#")[0])
                if not os.path.exists(os.path.normpath(os.path.join(tree.root, os.path.dirname(path), name))):
                    yield path, number, f"the link to {target} leads nowhere"


def check_blobs(tree):
    for path in tree.files:
        size = os.path.getsize(os.path.join(tree.root, path))
        if size > BLOB_BYTES_MAX:
            yield path, 1, f"{size} bytes: a repository is no place for large files"


CHECKS = [
    check_layers,
    check_columns,
    check_file_length,
    check_function_length,
    check_spdx,
    check_banned,
    check_modules_tested,
    check_tests_do_not_sleep,
    check_links,
    check_blobs,
]


def main(root):
    tree = Tree(root)
    breaches = 0
    for check in CHECKS:
        for path, number, what in check(tree):
            print(f"{path}:{number}: {what}")
            breaches += 1
    print(f"tidy: {len(tree.files)} files, {len(CHECKS)} rules, {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")))
