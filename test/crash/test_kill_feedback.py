# SPDX-License-Identifier: Apache-2.0
"""kill -9 while two people submit, a third takes back and the server submits by itself: each review is in both dataset versions
once or in neither, and what its status says is so.

GYRE_KILLS (8) kills; GYRE_SEED repeats a run.
"""

import os
import sqlite3
import threading
import time
import uuid

import harness
import pytest
import requests
import samples

KILLS = int(os.environ.get("GYRE_KILLS", "8"))
PICTURES = 24  # between two kills


class People:
    """Threads that submit and withdraw until the server is gone."""

    def __init__(self, server, deployment, ids, chance):
        self.server, self.path = server, f"/api/deployment/{deployment['id']}/submit"
        seeds = [chance.randrange(1 << 30) for _ in range(3)]
        self.broken = []
        self.threads = [
            threading.Thread(target=self.run, args=(work, list(ids), seed))
            for work, seed in zip((self.submit, self.submit, self.withdraw), seeds)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, work, ids, seed):
        try:
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {self.server.token}"
                work(session, ids, seed)
        except requests.RequestException:
            pass  # killed
        except AssertionError as wrong:
            self.broken.append(wrong)

    def call(self, session, path, body, allowed):
        response = session.post(self.server.url + path, json=body, timeout=harness.CALL_TIMEOUT)
        assert response.status_code in allowed, response.text
        return response

    def submit(self, session, ids, seed):
        for at in range(0, len(ids), 1 + seed % 7):
            self.call(session, self.path, {"ids": ids[at : at + 1 + seed % 7]}, (200, 503))

    def withdraw(self, session, ids, seed):
        for asset in ids[seed % 5 :: 3]:
            self.call(session, f"/api/predicted/asset/{asset}/withdraw", {}, (200, 409, 503))

    def join(self):
        for thread in self.threads:
            thread.join()
        assert self.broken == []


def rows(server, query):
    db = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


def check(server, targets):
    """What is submitted is in each version with one annotation, what is not is in none, and nothing else is there."""
    wrong = rows(server, f"""
        SELECT p.status, count(f.asset_id), (SELECT count(*) FROM asset a WHERE a.data_id = p.data_id),
               (SELECT count(*) FROM annotation n JOIN asset a ON a.id = n.asset_id WHERE a.data_id = p.data_id)
        FROM predicted_asset p LEFT JOIN feedback_asset f ON f.predicted_asset_id = p.id GROUP BY p.id
        HAVING count(f.asset_id) <> iif(p.status = 'SUBMITTED', {targets}, 0)
            OR (SELECT count(*) FROM asset a WHERE a.data_id = p.data_id) <> count(f.asset_id)
            OR (SELECT count(*) FROM annotation n JOIN asset a ON a.id = n.asset_id WHERE a.data_id = p.data_id)
               <> count(f.asset_id)""")  # fmt: skip
    assert wrong == []
    assert rows(server, "SELECT count(*) FROM pragma_foreign_key_check") == [(0,)]


def hashes(server, versions):
    return {server.get(f"/api/dataset/version/{version}/manifest")["hash"] for version in versions}


@pytest.mark.timeout(120 + 12 * KILLS)
def test_kill_while_reviews_are_submitted(fresh, tmp_path, chance):
    server = fresh.start()
    pushed = server.push(samples.block_detector(tmp_path), "b", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)
    deployment = server.deploy(pushed, "killed", 0.1)
    path = f"/api/deployment/{deployment['id']}"
    dataset = server.post(f"/api/organization/{server.organization['id']}/datasets", {"name": "corrected"})
    server.post(path + "/pipeline/fl/setup")
    versions = []
    for name in ("one", "two"):
        version = server.post(f"/api/dataset/{dataset['id']}/versions", {"version": name, "type": "OBJECT_DETECTION"})
        versions.append(version["id"])
        server.post(path + "/fl/datasets", {"dataset_version_id": version["id"]})
    torn = 0
    for kill in range(KILLS):
        harness.wait_until(lambda: server.deployment(deployment)["status"] == "SERVING", 30, "the model to be loaded")
        server.patch(path + "/pipeline/fl", {"submit_after_s": chance.choice([0, 600])})
        ids = [
            server.predict(deployment, samples.numbered(PICTURES * kill + i))["predicted_asset_id"] for i in range(PICTURES)
        ]
        for asset in ids:
            box = {"type": "rectangle", "x": 1, "y": 2, "w": 30, "h": 40, "label": "block"}
            server.post(f"/api/predicted/asset/{asset}/reviews", {"shapes": [box]})
        people = People(server, deployment, ids, chance)
        moment = time.monotonic() + chance.uniform(0, 0.08)
        harness.wait_until(lambda moment=moment: time.monotonic() >= moment, 5, "the moment", every=0.001)
        server.kill()
        people.join()
        check(server, len(versions))
        newest = rows(server, f"SELECT status FROM predicted_asset ORDER BY created_us DESC LIMIT {PICTURES}")
        torn += len(set(newest)) > 1
        server.start()
        # It submits by itself meanwhile: the two are read one after the other, and agree once nothing came between.
        harness.wait_until(lambda: len(hashes(server, versions)) == 1, 20, "both versions to be the same")
        check(server, len(versions))
    server.post(path + "/submit", {"all": True})
    check(server, len(versions))
    assert rows(server, "SELECT count(*) FROM asset") == [(2 * PICTURES * KILLS,)]
    assert len(hashes(server, versions)) == 1
    assert server.stop() == 0
    assert len({uuid.UUID(bytes=row[0]) for row in rows(server, "SELECT data_id FROM asset")}) == PICTURES * KILLS
    print(f"{KILLS} kills: {PICTURES * KILLS} reviews, each once in both versions; {torn} kills left some in and some out")
