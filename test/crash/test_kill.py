# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments under load, again and again on one data folder: what was acknowledged is there, once and whole.

GYRE_KILLS (10) kills; GYRE_SEED repeats a run. Each client's request carries a key; what a kill left unanswered is sent again
with the same key, and must then be one prediction however far the first try got.
"""

import hashlib
import os
import time

import harness
import pytest
import requests
import samples
from load import Load
from store import Stored, half_written

KILLS = int(os.environ.get("GYRE_KILLS", "10"))


def retry(server, deployment, unanswered):
    """Send again with the same keys; (id → SHA-256) of the answers."""
    acknowledged = {}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {server.token}"
        for key, body in unanswered:
            answer = server.predict(deployment, body, headers={"Idempotency-Key": key}, session=session, filename="load.jpg")
            acknowledged[answer["id"]] = hashlib.sha256(body).hexdigest()
    return acknowledged


def check_through_the_api(server, deployment, expected):
    """All that is expected is listed once, and its image comes back byte for byte (the newest 20 are fetched)."""
    items, count = server.predicted_assets(deployment, order_by="-created_at")
    listed = [item["oracle_prediction_id"] for item in items]
    assert len(listed) == len(set(listed)) == count
    assert set(expected) <= set(listed), f"lost: {sorted(set(expected) - set(listed))[:3]}"
    for item in items[:20]:
        content = requests.get(item["data"]["presigned_url"], timeout=harness.CALL_TIMEOUT).content
        if item["oracle_prediction_id"] in expected:
            assert hashlib.sha256(content).hexdigest() == expected[item["oracle_prediction_id"]]


def wait_serving(server, deployment):
    harness.wait_until(lambda: server.deployment(deployment)["status"] == "SERVING", 30, "the model to be loaded")


@pytest.mark.timeout(120 + 12 * KILLS)
def test_kill_at_random_moments(fresh, tmp_path, chance):
    server = fresh.start()
    versions = [
        server.push(samples.colour_classifier(tmp_path, gain, f"{gain}.onnx"), "k", "CLASSIFICATION", samples.COLOURS)
        for gain in (2.0, 3.0)
    ]
    deployment = server.deploy(versions[0], "killed", 0.1)
    acknowledged, unread, unanswered = {}, set(), 0
    for kill in range(KILLS):
        load = Load(server, deployment, clients=chance.choice([1, 4, 8]), keys=True).start()
        harness.wait_until(lambda load=load: load.answers or load.broken, 30, "a first answer")
        deadline = time.monotonic() + chance.uniform(0, 0.5)
        if chance.random() < 0.3:  # something else is being written, too
            server.post(f"/api/deployment/{deployment['id']}/model", {"model_version_id": chance.choice(versions)["id"]})
        harness.wait_until(lambda deadline=deadline: time.monotonic() >= deadline, 5, "the moment", every=0.001)
        server.kill()
        load.stop()
        assert all(code == 503 for code, _ in load.failures), load.failures[:3]
        new = load.acknowledged()
        if chance.random() < 0.2:  # and once more while it comes up again
            server.launch()
            early = time.monotonic() + chance.uniform(0, 0.3)
            harness.wait_until(lambda early=early: time.monotonic() >= early, 5, "the moment", every=0.001)
            server.kill()
        server.start()
        assert half_written(server.data) == []
        wait_serving(server, deployment)
        unanswered += len(load.unanswered)
        new.update(retry(server, deployment, load.unanswered))
        acknowledged.update(new)
        unread.update(new)
        if kill % 10 == 9 or kill == KILLS - 1:
            check_through_the_api(server, deployment, acknowledged)
            Stored(server.data).check(acknowledged, read=unread)
            unread.clear()
    assert server.stop() == 0
    stored = Stored(server.data)
    stored.check(acknowledged)
    extra = stored.count - len(acknowledged)
    print(f"{KILLS} kills: {len(acknowledged)} acknowledged, all there once with their images; {unanswered} of them by a retry")
    assert extra == 0, "every request was answered in the end, so there is nothing else to be stored"
    assert len(acknowledged) > 3 * KILLS and unanswered >= KILLS // 2
