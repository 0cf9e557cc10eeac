# SPDX-License-Identifier: Apache-2.0
"""kill -9 while people review: what was acknowledged is there, what was repeated is there once, and the work goes on.

GYRE_KILLS (10): half as many kills. Each operation carries an id; one that a kill left unanswered is sent again with the same id
once the server is up.
"""

import os
import threading
import time

import harness
import pytest
import requests
import samples

KILLS = max(3, int(os.environ.get("GYRE_KILLS", "10")) // 2)
REVIEWERS = 4
AWAY = (requests.ConnectionError, requests.Timeout)


class Reviewer(threading.Thread):
    """Leases, keeps a draft, reviews; as the tool does, an operation is repeated until it is answered."""

    def __init__(self, server, deployment, number, begin, until):
        super().__init__(daemon=True)
        self.server, self.deployment, self.name, self.begin, self.until = server, deployment, f"tab {number}", begin, until
        self.reviewed, self.drafted, self.repeated, self.wrong = {}, {}, 0, []

    def send(self, method, path, body):
        """The answer; None when it is over."""
        first = True
        while not self.until.is_set():
            try:
                # The port changes with each start.
                answer = requests.request(
                    method, self.server.url + path, json=body, timeout=5, headers={"Authorization": f"Bearer {self.server.token}"}
                )
                if answer.status_code != 503:
                    return answer
            except AWAY:
                self.repeated += first
                first = False
            self.until.wait(0.02)
        return None

    def run(self):
        try:
            self.work()
        except Exception as e:  # noqa: BLE001 (shown by the test)
            self.wrong.append(repr(e))

    def work(self):
        number = 0
        while not self.until.is_set():
            self.begin.wait()
            leased = self.send("POST", f"/api/deployment/{self.deployment['id']}/queue/lease", {"client": self.name, "count": 1})
            if leased is None:
                return
            for item in leased.json()["items"]:
                number += 1
                self.one(item["id"], f"{self.name}/{number}")
            if not leased.json()["items"]:
                self.until.wait(0.01)

    def one(self, image, operation):
        path = f"/api/predicted/asset/{image}"
        shapes = [{"type": "classification", "label": operation}]
        draft = self.send("PUT", f"{path}/draft", {"base_revision": 0, "client_id": f"{operation}/draft", "shapes": shapes})
        if draft is None:
            return
        if draft.status_code != 200:
            self.wrong.append(draft.text)
            return
        self.drafted[image] = draft.json()["revision"]
        body = {"base_revision": self.drafted[image], "client_id": operation, "shapes": shapes}
        review = self.send("POST", f"{path}/reviews", body)
        if review is None:
            return
        if review.status_code != 201:
            self.wrong.append(review.text)
            return
        self.reviewed[image] = (operation, review.json()["id"])
        del self.drafted[image]


@pytest.mark.timeout(120 + 12 * KILLS)
def test_kill_while_people_review(fresh, tmp_path, chance):
    server = fresh.start()
    version = server.push(samples.colour_classifier(tmp_path), "k", "CLASSIFICATION", samples.COLOURS)
    deployment = server.deploy(version, "killed", 0.1)
    begin, until = threading.Event(), threading.Event()
    people = [Reviewer(server, deployment, i, begin, until) for i in range(REVIEWERS)]

    def more(count):
        harness.wait_until(lambda: server.deployment(deployment)["status"] == "SERVING", 30, "the model to be loaded")
        for i in range(count):
            server.predict(deployment, samples.numbered(i))

    for person in people:
        person.start()
    for _ in range(KILLS):
        goal = sum(len(p.reviewed) for p in people) + 4
        begin.clear()  # so that there is work when the kill comes
        more(60)
        begin.set()
        harness.wait_until(
            lambda goal=goal: sum(len(p.reviewed) for p in people) >= goal or any(p.wrong for p in people), 30, "reviews"
        )
        deadline = time.monotonic() + chance.uniform(0, 0.15)
        harness.wait_until(lambda deadline=deadline: time.monotonic() >= deadline, 5, "the moment", every=0.001)
        server.kill()
        server.start()
    until.set()
    begin.set()
    for person in people:
        person.join(30)
        assert not person.is_alive() and person.wrong == []
    reviewed = {image: told for p in people for image, told in p.reviewed.items()}
    assert len(reviewed) == sum(len(p.reviewed) for p in people), "no image was done twice"
    items, count = server.predicted_assets(deployment)
    by_id = {item["id"]: item for item in items}
    assert count == 60 * KILLS
    for image, (operation, review) in reviewed.items():
        (only,) = by_id[image]["reviews"]
        assert only["id"] == review and only["shapes"][0]["label"] == operation
        assert by_id[image]["status"] == "REVIEWED" and by_id[image]["draft"] is None
    for image, revision in ((i, r) for p in people for i, r in p.drafted.items()):
        item = by_id[image]  # its review may have been stored without an answer
        assert item["status"] == "REVIEWED" or item["draft"]["revision"] == revision
    assert all(len(item["reviews"]) <= 1 for item in items)
    repeated = sum(p.repeated for p in people)
    print(f"{KILLS} kills: {len(reviewed)} reviews acknowledged, all there once; {repeated} operations were repeated")
    assert len(reviewed) > 3 * KILLS and repeated >= KILLS // 2
