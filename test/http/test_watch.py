# SPDX-License-Identifier: Apache-2.0
"""What is counted of the log: after traffic with deletions, a swap, another threshold and shadows `gyre audit` counts the same
anew; failed requests are counted by reason and stay so; the setting `watch`; live pages are told."""

import collections
import contextlib
import http.client
import json
import re
import sqlite3
import time
import uuid

import harness
import samples
from shadowing import colour_versions, set_shadow, shadow_of, wait_caught_up

READING = "?mode=ro"


def rows(path, sql, *values):
    with contextlib.closing(sqlite3.connect(f"file:{path}{READING}", uri=True, timeout=20)) as db:
        return db.execute(sql, values).fetchall()


def log_length(server):
    """(the last position, how many there are) of the log, with what is gone."""
    sql = "SELECT max(position), count(*) FROM (SELECT position FROM prediction UNION ALL SELECT position FROM gone_prediction)"
    return rows(server.data / "gyre.db", sql)[0]


def position(server):
    found = rows(server.data / "watch.db", "SELECT position FROM tail")
    return found[0][0] if found else 0


def wait_counted(server, timeout=30):
    harness.wait_until(lambda: position(server) == (log_length(server)[0] or 0), timeout, "the tail to reach the end", 0.05)


def audit(server, expect=0):
    """Of a server that has stopped."""
    return json.loads(harness.command("audit", "--json", "--data", server.data, expect=expect).stdout)


def expect_equal(server):
    said = audit(server)
    assert said["equal"] and said["differences"] == 0 and said["first"] == []
    end, count = log_length(server)
    assert said["position"] >= end and said["predictions"] == count  # what was deleted with a deployment left a gap
    return said


def failures(server):
    """(HTTP status, step) → how many."""
    found = collections.Counter()
    for status, step, count in rows(server.data / "gyre.db", "SELECT http_status, step, count FROM failure"):
        found[status, step] += count
    return found


def test_counts_are_those_of_the_log(fresh, tmp_path):
    with fresh as server:
        versions = colour_versions(server, tmp_path, "watched")
        deployment = server.deploy(versions[0], "watched", 0.1)
        path = f"/api/deployment/{deployment['id']}"
        set_shadow(server, deployment, versions[1])
        answers = [server.predict(deployment, samples.photo("red"), source=f"camera-{i % 3}") for i in range(12)]
        wait_caught_up(server, deployment, versions[1])
        wait_counted(server)
        for answer in answers[:4]:  # after they were counted, with what the shadow said of them
            server.delete(f"/api/predicted/asset/{answer['predicted_asset_id']}")
        server.patch(path, {"min_threshold": 0.4})
        server.post(f"{path}/shadow/{versions[1]['id']}/promote", {"keep_old_as_shadow": True})
        more = [server.predict(deployment, samples.photo("green")) for _ in range(6)]
        server.delete(f"/api/predicted/asset/{more[0]['predicted_asset_id']}")  # before they are
        server.post(f"{path}/model", {"model_version_id": versions[2]["id"]})
        server.predict(deployment, samples.photo("blue"))
        assert shadow_of(server, deployment, versions[0]), "the old champion follows"
        wait_caught_up(server, deployment, versions[0])
        other = server.deploy(versions[0], "other", 0.1)
        server.predict(other, samples.photo("red"))
        wait_counted(server)
        server.delete(f"/api/deployment/{other['id']}")
        harness.wait_until(
            lambda: rows(server.data / "watch.db", "SELECT r.position = t.position FROM recut r, tail t") == [(1,)],
            30, "the roll-ups at the new threshold", 0.05,
        )  # fmt: skip
        jobs = server.get(f"/api/organization/{server.organization['id']}/jobs", params={"object_id": deployment["id"]})["items"]
        assert [j["status"] for j in jobs if j["kind"] == "recount"] == ["SUCCESS"]
    said = expect_equal(server)
    assert said["rollups"] > 0 and said["samples"] == 19, "champions' predictions, deleted or not"
    deployments = rows(server.data / "watch.db", "SELECT DISTINCT deployment_id FROM rollup")
    assert [str(uuid.UUID(bytes=d[0])) for d in deployments] == [deployment["id"]]
    gone = rows(server.data / "gyre.db", "SELECT is_shadow, count(*) FROM gone_prediction GROUP BY is_shadow ORDER BY 1")
    assert gone[0] == (0, 5) and gone[1][1] >= 4
    server.start()  # a deleted image is still one that was asked about
    assert server.deployment(deployment)["stats"]["inferences"] == 19
    assert server.stop() == 0


def test_the_audit_says_what_differs(fresh, tmp_path):
    with fresh as server:
        version = server.push(samples.colour_classifier(tmp_path), "colours", "CLASSIFICATION", samples.COLOURS)
        deployment = server.deploy(version, "sorter", 0.1)
        for _ in range(3):
            server.predict(deployment, samples.photo("red"))
        wait_counted(server)
        refused = harness.command("audit", "--data", server.data, expect=1)
        assert "stop it first" in refused.stderr
    with contextlib.closing(sqlite3.connect(server.data / "watch.db")) as db:
        db.execute("UPDATE rollup SET summary = x'00' WHERE level_s = 3600 AND source = ''")
        db.execute("DELETE FROM sample WHERE position = 2")
        db.commit()
    said = harness.command("audit", "--data", server.data, expect=1).stdout
    assert re.search(r"roll-up of deployment [0-9a-f]{32}, as answered, from 20\S+Z, .* 3600 s is stored, and the log says", said)
    assert "position 2 is missing" in said and "2 differences" in said
    assert audit(server, expect=1)["differences"] == 2
    (server.data / "watch.db").unlink()
    assert "nothing was counted" in harness.command("audit", "--data", server.data, expect=1).stderr
    assert "no data folder" in harness.command("audit", "--data", tmp_path / "nowhere", expect=1).stderr
    server.start()  # made anew
    wait_counted(server)
    assert server.stop() == 0
    expect_equal(server)


def test_failures_are_counted_by_reason_and_stay(fresh, tmp_path):
    with fresh as server:
        version = server.push(samples.colour_classifier(tmp_path), "colours", "CLASSIFICATION", samples.COLOURS)
        deployment = server.deploy(version, "sorter", 0.1)
        path = f"/api/deployment/{deployment['id']}"
        server.predict(deployment, samples.photo("red"))
        for _ in range(3):
            server.predict(deployment, b"no image at all", expect=415)
        server.predict(deployment, samples.photo("red")[:-200], expect=422)
        server.predict(deployment, b"", expect=400)
        with contextlib.closing(http.client.HTTPConnection(server.url[7:], timeout=harness.CALL_TIMEOUT)) as too_large:
            too_large.putrequest("POST", f"/api/deployments/{deployment['id']}/predict")  # refused by its head
            too_large.putheader("Authorization", f"Bearer {server.token}")
            too_large.putheader("Content-Length", str(100 << 20))
            too_large.endheaders()
            assert too_large.getresponse().status == 413
        server.post(f"{path}/pause")
        server.predict(deployment, samples.photo("red"), expect=503)
        server.post(f"{path}/resume")
        assert server.predict({"id": str(uuid.uuid4())}, samples.photo("red"), expect=404)
        expected = {(415, "decode"): 3, (422, "decode"): 1, (503, "receive"): 1, (400, "receive"): 1, (413, "receive"): 1}
        harness.wait_until(lambda: failures(server) == expected, 20, f"the failures, which are {failures(server)}", 0.05)
        server.predict(deployment, b"one more, just before the end", expect=415)
        assert server.deployment(deployment)["stats"]["failed"] == 5
    expected[415, "decode"] += 1
    assert failures(server) == expected
    text = rows(server.data / "gyre.db", "SELECT last_text FROM failure WHERE http_status = 503")[0][0]
    assert "is paused by" in text
    server.start()
    assert server.deployment(deployment)["stats"]["failed"] == 5, "those that came as far as a model"
    assert server.stop() == 0


def test_watching_can_be_off(fresh, tmp_path):
    fresh.arguments = ["--watch", "off"]
    with fresh as server:
        version = server.push(samples.colour_classifier(tmp_path), "colours", "CLASSIFICATION", samples.COLOURS)
        deployment = server.deploy(version, "sorter", 0.1)
        server.predict(deployment, samples.photo("red"))
        server.predict(deployment, b"no image", expect=415)
        server.patch(f"/api/deployment/{deployment['id']}", {"min_threshold": 0.3})
    assert position(server) == 0 and failures(server) == {}
    server.arguments = []
    server.start()
    wait_counted(server)
    assert server.stop() == 0
    expect_equal(server)
    server.arguments = ["--watch", "perhaps"]
    server.launch()
    assert server.process.wait(20) == 1 and "watch is on or off" in server.log()


def test_pages_are_told_what_was_counted(server, tmp_path):
    version = server.push(samples.colour_classifier(tmp_path), "told", "CLASSIFICATION", samples.COLOURS)
    deployment = server.deploy(version, None, 0.1)
    with server.session.get(f"{server.url}/api/deployment/{deployment['id']}/events", stream=True, timeout=20) as stream:
        lines = stream.iter_lines(decode_unicode=True, chunk_size=1)
        server.predict(deployment, samples.photo("red"))
        deadline = time.monotonic() + 20
        names = []
        for line in lines:
            assert time.monotonic() < deadline, names
            names += [line] if line.startswith("event:") else []
            if names[-1:] == ["event: watch"] and line.startswith("data:"):
                assert json.loads(line[5:])["position"] > 0
                break
        assert names[0] == "event: prediction"
    metrics = server.call("GET", "/metrics").text
    assert int(re.search(r"^gyre_watch_counted_total (\d+)$", metrics, re.M)[1]) > 0
    assert re.search(r"^gyre_watch_lag \d+$", metrics, re.M)
