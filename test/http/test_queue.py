# SPDX-License-Identifier: Apache-2.0
"""The review queue: an image is before one person at a time, none is done twice, none is lost, chances are kept."""

import concurrent.futures
import os
import pathlib
import sqlite3
import threading

import harness
import pytest
import requests
import samples

# In all; 500 in longer runs.
IMAGES = int(os.environ.get("GYRE_REVIEWS", "200"))
MINUTES = 60


def queue(server, deployment, session=None, what="lease", **body):
    answer = (session or server.session).request(
        "POST", f"{server.url}/api/deployment/{deployment['id']}/queue/{what}", json=body, timeout=harness.CALL_TIMEOUT
    )
    assert answer.status_code in (200, 204), answer.text
    return answer.json() if answer.content else None


def ids(leased):
    return [item["id"] for item in leased["items"]]


def state(server, deployment):
    return server.get(f"/api/deployment/{deployment['id']}/queue")


def person(server, name):
    made = server.post(f"/api/organization/{server.organization['id']}/users", {"name": name, "role": "REVIEWER"})
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {server.post('/api/tokens', {'name': name, 'user_id': made['id']})['token']}"
    return session


def predicted(server, version, name, count):
    deployment = server.deploy(version, name, 0.5)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        images = pool.map(lambda i: server.predict(deployment, samples.numbered(i), session=requests_of(server)), range(count))
        return deployment, [image["predicted_asset_id"] for image in images]


LOCAL = threading.local()


def requests_of(server):
    if not hasattr(LOCAL, "session"):
        LOCAL.session = requests.Session()
        LOCAL.session.headers["Authorization"] = f"Bearer {server.token}"
    return LOCAL.session


@pytest.fixture(scope="module")
def version(server, colours):
    return server.get(f"/api/model/version/{colours['model_version_id']}")


def test_settings_and_counts(server, version):
    deployment, images = predicted(server, version, "queue settings", 3)
    now = state(server, deployment)
    assert now["settings"] == {"queue_order": "unsure", "random_share": 0.3, "guide": "", "labels_shown": None}
    assert (now["to_review"], now["reviewed"], now["skipped"], now["chosen_left"], now["mine_today"]) == (3, 0, 0, 0, 0)
    wanted = {"queue_order": "newest", "random_share": 0.5, "guide": "Look\nclosely.", "labels_shown": ["red", "blue"]}
    settings = f"/api/deployment/{deployment['id']}/queue/settings"
    assert server.call("PUT", settings, 200, json=wanted)["settings"] == wanted
    assert server.call("PUT", settings, 200, json={"random_share": 1})["settings"] == {**wanted, "random_share": 1.0}
    for wrong in ({"queue_order": "best"}, {"random_share": 2}, {"labels_shown": []}, {"labels_shown": "red"}, {"guide": 7}):
        server.call("PUT", settings, 400, json=wrong)
    leased = queue(server, deployment, client="a", count=2, held=[])
    assert len(leased["items"]) == 2 and leased["left"] == 3 and leased["mine_today"] == 0
    server.post(f"/api/predicted/asset/{ids(leased)[0]}/reviews", {"shapes": []})
    server.post(f"/api/predicted/asset/{ids(leased)[1]}/skip", {"reason": "dark"})
    now = state(server, deployment)
    assert (now["to_review"], now["reviewed"], now["skipped"], now["chosen_left"], now["mine_today"]) == (1, 1, 1, 1, 1)
    assert queue(server, deployment, client="a", count=9, held=[])["mine_today"] == 1


def test_what_is_leased(server, version):
    """All shapes, the threshold beside them, why it was chosen; nobody else gets it; it is renewed, released, given back."""
    deployment, images = predicted(server, version, "leases", 6)
    bob = person(server, "bob of leases")
    mine = queue(server, deployment, client="tab", count=4, held=[])
    assert len(mine["items"]) == 4
    for item in mine["items"]:
        assert item["threshold"] == 0.5 and item["lease"]["mine"] is True and item["predictions"][0]["hidden"] == 0
        assert item["chosen"]["why"] in ("unsure", "random") and item["chosen"]["chance"] == 1
    his = queue(server, deployment, bob, client="tab", count=16, held=[])
    assert len(his["items"]) == 2 and not set(ids(his)) & set(ids(mine))
    assert queue(server, deployment, client="other tab", count=5, held=[])["items"] == []
    seen = server.get(f"/api/predicted/asset/{ids(his)[0]}")
    assert seen["lease"]["who"] == "bob of leases" and seen["lease"]["mine"] is False
    # What is not held any more is given back, and what another has is lost.
    kept = queue(server, deployment, client="tab", count=0, held=[ids(mine)[0], ids(his)[0]])
    assert kept["items"] == [] and kept["lost"] == [ids(his)[0]]
    assert set(ids(queue(server, deployment, bob, client="tab", count=16, held=ids(his)))) == set(ids(mine)[1:])
    queue(server, deployment, client="tab", what="release", ids=ids(his))  # not one's own: nothing happens
    assert queue(server, deployment, client="x", count=5, held=[])["items"] == []
    queue(server, deployment, client="tab", what="release", ids=ids(mine)[:1])
    assert ids(queue(server, deployment, client="x", count=5, held=[])) == ids(mine)[:1]
    too_many = {"client": "a", "held": [images[0]] * 65}
    for wrong in ({"count": 17, "client": "a"}, {"count": 1}, {"client": "a", "held": ["x"]}, too_many):
        server.call("POST", f"/api/deployment/{deployment['id']}/queue/lease", 400, json=wrong)
    server.call("POST", "/api/deployment/00000000-0000-7000-8000-000000000000/queue/lease", 404, json={"client": "a"})


def test_a_wanted_image_comes_first(server, version):
    deployment, images = predicted(server, version, "wanted", 4)
    assert ids(queue(server, deployment, client="a", count=1, held=[], wanted=[images[2]])) == [images[2]]
    other = queue(server, deployment, client="b", count=4, held=[], wanted=[images[2]])
    assert set(ids(other)) == set(images) - {images[2]}


@pytest.mark.skipif(harness.SANITIZED, reason="sanitizers do not go with LD_PRELOAD")
def test_leases_run_out(tmp_path):
    shift = tmp_path / "shift"
    shift.write_text("0")
    shim = harness.shim(pathlib.Path(__file__).parent / "clockshift.c")
    with harness.Server(tmp_path / "server", env={"LD_PRELOAD": shim, "CLOCKSHIFT": shift}) as server:
        version = server.push(samples.colour_classifier(tmp_path), "colours", "CLASSIFICATION", samples.COLOURS)
        deployment, images = predicted(server, version, "clock", 2)
        first = ids(queue(server, deployment, client="a", count=2, held=[]))
        assert set(first) == set(images)
        shift.write_text(str(4 * MINUTES))
        assert queue(server, deployment, client="a", count=0, held=first[:1])["lost"] == []  # renews one, gives one back
        assert ids(queue(server, deployment, client="b", count=2, held=[])) == first[1:]
        shift.write_text(str(8 * MINUTES))
        assert queue(server, deployment, client="c", count=2, held=[])["items"] == []
        shift.write_text(str(9 * MINUTES + 5))
        assert server.get(f"/api/predicted/asset/{first[0]}")["lease"] is None
        assert set(ids(queue(server, deployment, client="c", count=2, held=[]))) == set(images)
        assert queue(server, deployment, client="a", count=0, held=first)["lost"] == first
        # Whoever comes late is told, and nothing is overwritten.
        server.post(f"/api/predicted/asset/{first[0]}/reviews", {"shapes": []})
        ann = person(server, "ann")
        late = ann.post(f"{server.url}/api/predicted/asset/{first[0]}/reviews", json={"shapes": [], "base_revision": 0})
        assert late.status_code == 409


def review_all(server, deployment, session, name, done, lock):
    """As the tool does: a few images ahead, each reviewed or skipped once, until there are none."""
    held = []
    while True:
        leased = queue(server, deployment, session, client=name, count=4 - len(held), held=held)
        held += ids(leased)
        if not held:
            return
        image = held.pop(0)
        with lock:
            done.append(image)
            number = len(done)
        what, body = ("skip", {"reason": "dark"}) if number % 10 == 0 else ("reviews", {"shapes": [], "base_revision": 0})
        body["client_id"] = f"{name}-{number}"
        answer = session.post(f"{server.url}/api/predicted/asset/{image}/{what}", json=body, timeout=harness.CALL_TIMEOUT)
        assert answer.status_code == 201, answer.text


@pytest.mark.timeout(60 + IMAGES)
def test_four_reviewers_share_the_work(server, version):
    deployment, images = predicted(server, version, "shared work", IMAGES)
    people = [(f"reviewer {i}", person(server, f"reviewer {i}")) for i in range(4)]
    done, lock = [], threading.Lock()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for work in [pool.submit(review_all, server, deployment, session, name, done, lock) for name, session in people]:
            work.result()
    assert len(done) == len(set(done)) == IMAGES, "none twice"
    assert set(done) == set(images), "none lost"
    now = state(server, deployment)
    assert (now["to_review"], now["chosen_left"], now["reviewed"], now["skipped"]) == (0, 0, IMAGES - IMAGES // 10, IMAGES // 10)
    items, _ = server.predicted_assets(deployment)
    assert all(len(item["reviews"]) == 1 and item["lease"] is None and item["draft"] is None for item in items)
    assert all(0 < item["chosen"]["chance"] <= 1 for item in items)
    mine = [session.get(f"{server.url}/api/deployment/{deployment['id']}/queue").json()["mine_today"] for _, session in people]
    assert sum(mine) == now["reviewed"]
    with sqlite3.connect(f"file:{server.data}/gyre.db?mode=ro", uri=True) as db:
        own = [bytes.fromhex(deployment["id"].replace("-", ""))]
        (batches,) = db.execute("SELECT count(*) FROM review_batch WHERE deployment_id = ?", own).fetchone()
        (left,) = db.execute("SELECT count(*) FROM review_lease WHERE deployment_id = ?", own).fetchone()
    assert batches >= (2 if IMAGES > 60 else 1) and left == 0


def test_digits(server, data, mnist):
    """A real classifier: what it answered is accepted by its own number, and a wrong number corrects it."""
    deployment = server.deploy(server.get(f"/api/model/version/{mnist['model_version_id']}"), "digits reviewed", 0.1)
    names = ("0", "3", "5", "7")
    for name in names:
        server.predict(deployment, (data / f"models/mnist/{name}.jpg").read_bytes(), filename=f"{name}.jpg")
    leased = queue(server, deployment, client="a", count=8, held=[])
    kinds = {}
    for item in leased["items"]:
        digit = item["data"]["filename"][0]
        shapes = [{"type": "classification", "label": digit}]
        answer = server.post(f"/api/predicted/asset/{item['id']}/reviews", {"shapes": shapes})
        kinds[digit] = answer["kind"]
    assert set(kinds) == set(names) and set(kinds.values()) == {"ACCEPTED"}
