# SPDX-License-Identifier: Apache-2.0
"""Write docs/reference from the tables in the sources (the .def files), so that neither can go stale.

usage: reference.py          write
       reference.py --check  say which pages are stale, and exit 1 then
"""

import pathlib
import re
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
RULES = {
    "RULE_PUBLIC": "anybody",
    "RULE_REVIEWER": "everybody with an API token or a browser session",
    "RULE_USER": "members and administrators, with an API token or a browser session",
    "RULE_ADMIN": "administrators, with an API token or a browser session",
    "RULE_SERVICE": "the deployment's JWT, members and administrators",
    "RULE_ANY_SERVICE": "a JWT of the prediction's deployment, members and administrators",
    "RULE_SERVICE_OR_REVIEWER": "the deployment's JWT, everybody with an API token or a browser session",
    "RULE_SIGNED": "who holds a presigned URL",
}


def table(path, macro):
    """The arguments of each `macro(…)` line of a .def file, strings without their quotes (adjacent ones joined)."""
    text = re.sub(r"/\*.*?\*/", "", (REPOSITORY / path).read_text(), flags=re.S)
    for found in re.finditer(rf"^{macro}\(", text, re.M):
        yield arguments(text, found.end())


def arguments(text, at):
    out, word, depth, quoted = [], "", 0, False
    while True:
        c = text[at]
        at += 1
        if quoted:
            if c == "\\":
                word += {"n": "\n"}.get(text[at], text[at])
                at += 1
            elif c == '"':
                quoted = False
            else:
                word += c
        elif c == '"':
            quoted = True
        elif c == "," and depth == 0 or c == ")" and depth == 0:
            out.append(word.strip())
            word = ""
            if c == ")":
                return out
        else:
            depth += (c == "(") - (c == ")")
            if not (c.isspace() and word.endswith(("\n", " ")) or c in "\n\t"):
                word += c


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def rows(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(cell(str(c)) for c in line) + " |"


def settings():
    yield "# Settings"
    yield ""
    yield "As a flag `--name value`, as an environment variable `GYRE_NAME`, or as a line `name = value` in `gyre.conf` of the"
    yield "data folder; flags win over the environment, the environment over the file. `gyre config` prints all of them with"
    yield "their values and where each comes from."
    yield ""
    lines = []
    for name, kind, default, low, high, text in table("src/config.def", "SETTING"):
        lines.append((f"`{name}`", f"`{default}`" if default else "", f"{low}–{high}" if kind == "INTEGER" else "text", text))
    yield from rows(("setting", "default", "range", "what it is"), lines)


def statuses():
    yield "# Statuses"
    yield ""
    yield 'Every error is answered as `{"message": "<a sentence>", "detail": null}` with one of these codes.'
    yield ""
    lines = [
        (code, name.lower().replace("_", " "), "yes" if again == "true" else "no", text)
        for name, code, again, text in table("src/base/status.def", "STATUS")
        if name != "OK"
    ]
    yield from rows(("code", "status", "worth a retry as it is", "what it means"), lines)


def metrics():
    yield "# Metrics"
    yield ""
    yield "`GET /metrics`, in the text format of Prometheus."
    yield ""
    lines = [(f"`{name}`", kind.lower(), f"`{labels}`" if labels else "", text)
             for _, kind, name, labels, text in table("src/base/metrics.def", "METRIC")]  # fmt: skip
    yield from rows(("metric", "kind", "labels", "what it counts"), lines)


def routes():
    yield "# Routes"
    yield ""
    yield "The paths and keys are those of the public Picsellia Python SDK where it has a call."
    yield ""
    lines = [(method, f"`{path}`", RULES[rule]) for method, path, _, rule, _ in table("src/api/routes.def", "ROUTE")]
    yield from rows(("method", "path", "who may call"), lines)


def commands():
    yield "# Commands"
    yield ""
    yield "Commands that talk to a server find it by `--host` and `--token`, or `GYRE_HOST` and `GYRE_TOKEN`. Exit codes: 0 it"
    yield "worked, 1 it failed, 2 it was called wrongly."
    for name, _, usage, text in table("src/cli/commands.def", "COMMAND"):
        if name == "engine":
            continue
        yield ""
        yield f"## gyre {name}"
        yield ""
        yield f"{text[0].upper()}{text[1:]}."
        yield ""
        yield "```"
        yield "gyre " + re.sub(r"\n\s*", "\n", usage)
        yield "```"


QUERIES = """# Queries

Lists take `q`, a condition that what is listed must meet, and `order_by`, a field (with a `-` before it: downwards), repeated
for more. In the SDK: `datalake.list_data(q='tags.name in ("night", "rain") and not width < 640', order_by=["-created_at"])`.

| written | means |
|---|---|
| `width >= 640`, `=`, `!=`, `<`, `<=`, `>` | compare with a value |
| `tags.name in ("night", "rain")`, `not in` | one of several |
| `filename contains "cam"`, `startswith` | a part of a text, its beginning; `not contains` too |
| `and`, `or`, `not`, `( )` | `not` binds most, `or` least; keywords in any case |
| `"a \\"text\\""`, `'a text'` | a text; a backslash stands before `"`, `'` and `\\` |
| `12`, `-1.5e3`, `true`, `false`, `null` | other values; `= null` asks for what has none |
| `2026-11-24`, `"2026-11-24T08:30:00Z"` | a time, as precise as it is written: `= 2026-11-24` is that whole day, in UTC |
| `custom_metadata.site`, `metadata."camera id"` | a key; values of another kind are never equal, nor less or more |

A name with dots leads from thing to thing, and asks whether there is any: `tags.name = "night"` holds of what has such a tag
among others. `a != b` is the same as `not a = b`: `tags.name != "night"` holds of what has no such tag, also of what has none at
all. Texts are compared as they are written, large and small letters told apart.

A query has at most 32,768 bytes, 200 comparisons and 1,000 values, 20 levels of parentheses and nots, and a name leads at most 5
steps. What is wrong is answered with its place: `At character 9: expected a value after =, found ')'.`"""


def queries():
    yield from QUERIES.split("\n")
    links = [*table("src/query/fields.def", "LINK")]
    for noun, text in table("src/query/fields.def", "NOUN"):
        yield ""
        yield f"## {text[0].upper()}{text[1:]}"
        yield ""
        lines = [(f"`{path}{'.…' if kind == 'JSON' else ''}`", "any" if kind == "JSON" else kind.lower(), what)
                 for owner, path, kind, _, what in table("src/query/fields.def", "FIELD") if owner == noun]  # fmt: skip
        lines += [(f"`{part}.…`" if part else "`…`", "any of many" if many == "MANY" else "", f"{what}: as of {names(other)}")
                  for owner, part, other, many, _, what in links if owner == noun]  # fmt: skip
        yield from rows(("name", "kind", "what it is"), lines)


def names(noun):
    return next(text for other, text in table("src/query/fields.def", "NOUN") if other == noun)


PAGES = {
    "settings": settings,
    "statuses": statuses,
    "metrics": metrics,
    "routes": routes,
    "commands": commands,
    "queries": queries,
}


def page(name):
    lines = list(PAGES[name]())
    note = "<!-- Written by `make docs` from the tables in the sources: change those. -->"
    return "\n".join([lines[0], "", note, *lines[1:]]) + "\n"


def main(check):
    stale = []
    for name in PAGES:
        path = REPOSITORY / "docs/reference" / f"{name}.md"
        text = page(name)
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    if stale:
        print(f"docs: {'stale' if check else 'written'}: {', '.join(stale)}" + ("; run `make docs`" if check else ""))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
