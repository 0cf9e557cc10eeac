# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py finds what it should, and lets pass what it should."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import tidy  # noqa: E402


def tree(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tidy.Tree(str(tmp_path), sorted(files))


def breaches(check, tmp_path, files):
    return [(path, number) for path, number, _ in check(tree(tmp_path, files))]


@pytest.mark.parametrize(
    "path, header, allowed",
    [
        ("src/store/db.c", "base/err.h", True),
        ("src/store/db.c", "store/db.h", True),
        ("src/store/db.c", "http/server.h", False),
        ("src/base/err.c", "os/log.h", False),
        ("src/task/recipe.c", "engine/engine.h", True),
        ("src/deploy/model.c", "task/recipe.h", True),
        ("src/task/recipe.c", "deploy/model.h", False),
        ("src/serve/record.c", "api/guard.h", False),
        ("src/main.c", "cli/cli.h", True),
        ("src/base/err.c", "../os/log.h", False),
        ("src/unknown/err.c", "base/err.h", False),
    ],
)
def test_layers(tmp_path, path, header, allowed):
    found = breaches(tidy.check_layers, tmp_path, {path: f'#include <stdio.h>\n#include "{header}"\n'})
    assert (found == []) == allowed


def test_columns_count_a_tab_as_eight(tmp_path):
    files = {"a.c": "\t" * 13 + "123456\n", "b.c": "\t" * 13 + "1234567\n", "c.txt": "x" * 500}
    assert breaches(tidy.check_columns, tmp_path, files) == [("b.c", 1)]


def test_file_length(tmp_path):
    files = {"a.c": "x\n" * 1000, "b.c": "x\n" * 1001}
    assert breaches(tidy.check_file_length, tmp_path, files) == [("b.c", 1001)]


def c_function(name, lines):
    return f"static int {name}(int a,\n\tint b)\n{{\n" + "\ta++;\n" * lines + "}\n"


def test_function_length(tmp_path):
    files = {
        "a.c": c_function("fine", 70) + "\n" + c_function("long_one", 71),
        "b.py": "def f():\n" + "    x = 1\n" * 71,
    }
    found = list(tidy.check_function_length(tree(tmp_path, files)))
    assert [(path, number) for path, number, _ in found] == [("a.c", 78), ("b.py", 1)]
    assert found[0][2] == "long_one() has 71 lines, at most 70"


def test_function_ratchet_only_shrinks(tmp_path, monkeypatch):
    monkeypatch.setattr(tidy, "LONG_FUNCTIONS", {("a.c", "f"): 90, ("a.c", "gone"): 90})
    assert len(breaches(tidy.check_function_length, tmp_path, {"a.c": c_function("f", 91)})) == 2
    assert len(breaches(tidy.check_function_length, tmp_path, {"a.c": c_function("f", 80)})) == 2
    monkeypatch.setattr(tidy, "LONG_FUNCTIONS", {("a.c", "f"): 90})
    assert breaches(tidy.check_function_length, tmp_path, {"a.c": c_function("f", 90)}) == []


def test_spdx(tmp_path):
    line = "SPDX-License-Identifier: Apache-2.0"
    files = {"a.c": f"/* {line} */\n", "b.py": f"#!/usr/bin/python3\n# {line}\n", "c.h": "int x;\n", "d.py": ""}
    assert breaches(tidy.check_spdx, tmp_path, files) == [("c.h", 1)]


@pytest.mark.parametrize(
    "line, allowed",
    [
        ("/* FIX" + "ME later */", False),
        ("path = '/ho" + "me/ada/x'", False),
        ("see $root/wo" + "rk/x", True),
        ("index-url = https://py" + "pi.org/simple", False),
        ("a plain line", True),
    ],
)
def test_banned(tmp_path, line, allowed):
    assert (breaches(tidy.check_banned, tmp_path, {"a.c": line + "\n"}) == []) == allowed


def test_modules_tested(tmp_path, monkeypatch):
    files = {
        "src/store/db.c": "",
        "src/store/db.h": "",
        "src/store/db_sqlite.c": "",  # the longest prefix with a header: db.h
        "src/store/blob.c": "",
        "src/store/blob.h": "",
        "src/store/inner.c": "",
        "src/store/inner.h": "",
        "src/store/alone.c": "",  # behind the folder's headers
        "src/watch/tail.c": "",
        "src/config.c": "",
        "src/config.h": "",
        "src/api/models.c": "",
        "test/unit/test_db.c": '#include "store/db.h"\n',
        "test/unit/test_config.c": '#include "config.h"\n',
    }
    monkeypatch.setattr(tidy, "TESTED_THROUGH", {"store/inner.h": "store/db.h"})
    assert breaches(tidy.check_modules_tested, tmp_path, files) == [("src/store/blob.c", 1), ("src/watch/tail.c", 1)]


def test_sleep(tmp_path):
    files = {"test/unit/test_a.c": "\tusleep(10);\n", "src/os/clock.c": "\tusleep(10);\n"}
    assert breaches(tidy.check_tests_do_not_sleep, tmp_path, files) == [("test/unit/test_a.c", 1)]


def test_links(tmp_path):
    files = {
        "docs/a.md": "[b](b.md) [top](../README.md#x) [net](https://example.org) [gone](gone.md)\n```\n[no](no.md)\n```\n",
        "docs/b.md": "",
        "README.md": "",
    }
    assert breaches(tidy.check_links, tmp_path, files) == [("docs/a.md", 1)]


def test_blobs(tmp_path):
    files = {"a.bin": "x" * (tidy.BLOB_BYTES_MAX + 1), "b.bin": "x"}
    assert breaches(tidy.check_blobs, tmp_path, files) == [("a.bin", 1)]


def test_the_same_files_without_git(tmp_path, monkeypatch):
    tree(tmp_path, {"src/a.c": "", "build/b.c": "", "web/node_modules/c.js": "", "docs/d.md": ""})
    monkeypatch.setenv("PATH", "")
    assert tidy.tracked(str(tmp_path)) == ["docs/d.md", "src/a.c"]
