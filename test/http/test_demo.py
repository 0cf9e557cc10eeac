# SPDX-License-Identifier: Apache-2.0
"""gyre demo with small numbers and a trainer that learns nothing: the whole story as events, cut short, continued, removed."""

import json
import pathlib
import subprocess
import sys

import harness
import pytest

TRAINER = f"{sys.executable} {pathlib.Path(__file__).with_name('demo_trainer.py')} train --job {{job}}"
STEPS = "pictures trainer first_model deploy belt settings kill lamp review retrain shadow back why".split()


def play(server, *arguments, code=0, timeout=600):
    """The events of `gyre demo --quick --exit --json`."""
    done = subprocess.run(
        [harness.BINARY, "demo", "--data", server.data, "--quick", "--exit", "--json", *arguments],
        env=harness.environment(GYRE_HOST=server.url), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert done.returncode == code, done.stdout[-2000:] + done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with harness.Server(tmp_path_factory.mktemp("demo"), "--trainer", TRAINER) as running:
        yield running


def lists(server):
    org = server.organization["id"]
    kinds = ("deployments", "models", "datasets", "projects")
    return {kind: server.get(f"/api/organization/{org}/{kind}")["count"] for kind in kinds}


def test_the_story_from_pictures_to_promoted(site):
    assert site.get("/api/demo")["state"] == "none"
    begun = play(site, "--step", "pictures")
    assert [e["step"] for e in begun if e["event"] == "step"] == ["pictures"]
    strip = site.get("/api/demo")
    assert strip["state"] == "running" and strip["link"].startswith("/dataset/version/") and strip["steps"] == len(STEPS)

    # A second run goes on where the first one was left.
    events = play(site)
    assert [e["step"] for e in events if e["event"] == "step"] == STEPS[1:]
    by_name = {e["event"]: e for e in events}
    assert events[-1]["event"] == "promoted" and events[-1]["failed"] == 0
    assert by_name["drift"]["pictures"] < 200 and "has drifted" in by_name["drift"]["text"]
    states = [e["state"] for e in events if e["event"] == "verdict"]
    assert "better" in states  # looked at after more reviews than it takes: "unsure" may be over by then
    assert by_name["back_and_forth"]["failed"] == 0
    deployment = site.get(f"/api/deployment/{events[-1]['deployment']}")
    assert deployment["champion"]["version_id"] == events[-1]["version"]
    promoted = [h for h in site.get(f"/api/deployment/{deployment['id']}/history")["items"] if h["what"] == "promoted"]
    assert promoted and promoted[-1]["by"] == "gyre"
    strip = site.get("/api/demo")
    assert strip["state"] == "done" and strip["title"] == "Now yours"
    assert [e["event"] for e in play(site)] == ["played"]

    # And away again, with nothing of others: here there is nothing else.
    assert min(lists(site).values()) > 0
    play(site, "--remove")
    assert lists(site) == {"deployments": 0, "models": 0, "datasets": 0, "projects": 0}
    assert site.get("/api/demo")["state"] == "none"
    assert "no demo" in play(site, "--remove", code=1)[-1]["text"]


def test_what_is_wrong_is_said(site):
    """A file that is not ours is passed over; a step that there is not, and a server that is not there."""
    folder = site.data / "demo"
    folder.mkdir(exist_ok=True)
    (folder / "demo.json").write_text('{"state": "done", "link": "//elsewhere/", "remove": ["/login", 7, "/api/model/1"]}')
    found = site.get("/api/demo")
    assert found["link"] is None and found["remove"] == ["/api/model/1"]
    (folder / "demo.json").write_text("{")
    assert site.get("/api/demo")["state"] == "none"
    assert site.call("DELETE", "/api/demo").status_code == 204 and not (folder / "demo.json").exists()
    harness.command("demo", "--step", "nowhere", server=site, expect=2)
