# SPDX-License-Identifier: Apache-2.0
"""Every path in the SDK's source is a route of ours, or docs/sdk.md says why not; and says so of nothing that is there."""

import json
import pathlib
import re

import harness
import pytest

picsellia = pytest.importorskip("picsellia")


def shape(path):
    """Without its query, whatever the parameters are called."""
    return re.sub(r"\{[^}]+\}", "{}", re.sub(r"\?.*", "", path)).rstrip("/")


@pytest.fixture(scope="module")
def called():
    folder = pathlib.Path(picsellia.__file__).parent
    return {shape(path) for file in folder.rglob("*.py") for path in re.findall(r'"(/api/[^"]+)"', file.read_text())}


@pytest.fixture(scope="module")
def routes():
    return {shape(route["path"]) for route in json.loads(harness.command("routes", "--json").stdout)}


@pytest.fixture(scope="module")
def left_out():
    text = (harness.REPOSITORY / "docs" / "sdk.md").read_text()
    return {path for path in re.findall(r"^\| `(/api/[^`]+)` \|", text, re.M)}


def is_there(path, routes):
    """What is a word on one side may be a parameter on the other: /api/access/{}/{}/users, /api/annotation/{}/polygons."""

    def same(route):
        ours, theirs = route.split("/"), path.split("/")
        return len(ours) == len(theirs) and all(a == b or "{}" in (a, b) for a, b in zip(ours, theirs, strict=True))

    return any(same(route) for route in routes)


def test_what_the_sdk_calls_is_there_or_explained(called, routes, left_out):
    assert len(called) > 100
    assert {path for path in called if not is_there(path, routes)} <= left_out


def test_what_is_explained_is_called_and_missing(called, routes, left_out):
    assert left_out <= called
    # Its GET is there, answering none; its POST is not.
    assert {path for path in left_out if path in routes} <= {"/api/data/{}/projections"}
