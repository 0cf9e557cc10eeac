# SPDX-License-Identifier: Apache-2.0
"""The verdict on a shadow: versions whose quality is known, and people who say the truth of what they disagree on."""

import concurrent.futures
import math
import sqlite3
import threading
import uuid

import harness
import pytest
import requests
import samples
import yaml
from scipy.special import betaln
from scipy.stats import beta
from shadowing import set_shadow, wait_caught_up
from test_openapi import check

IMAGES = 210  # both must have seen 200
# What a version answers to red, green, blue.
NAMES = {
    "right": ["red", "green", "blue"],
    "swapped": ["green", "red", "blue"],
    "half": ["red", "blue", "green"],
}
LOCAL = threading.local()


def log_e(wins, losses):
    n = wins + losses
    return (n + 1) * math.log(2) + betaln(1 + wins, 1 + losses) + beta.logsf(0.5, 1 + wins, 1 + losses)


@pytest.fixture(scope="module")
def versions(server, models_folder):
    path = samples.colour_classifier(models_folder, 3.0, "judged.onnx")
    return {
        name: server.push(path, "judged", "CLASSIFICATION", labels, samples.COLOUR_RECIPE) for name, labels in NAMES.items()
    }


def colour_of(n):
    return samples.COLOURS[n % 3]


def predict(server, deployment, n):
    if not hasattr(LOCAL, "session"):
        LOCAL.session = requests.Session()
        LOCAL.session.headers["Authorization"] = f"Bearer {server.token}"
    image = samples.photo(colour_of(n), 40 + n % 60, 40 + n // 60)
    return server.predict(deployment, image, session=LOCAL.session)["predicted_asset_id"], colour_of(n)


def compared(server, versions, champion, shadow, count=IMAGES):
    """A deployment where both have seen so many images, and the truth of each."""
    deployment = server.deploy(versions[champion], f"{champion} {shadow} {uuid.uuid4().hex[:6]}", 0.1)
    set_shadow(server, deployment, versions[shadow])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        truth = dict(pool.map(lambda n: predict(server, deployment, n), range(count)))
    wait_caught_up(server, deployment, versions[shadow])
    return deployment, truth


def verdict(server, deployment, version=None):
    params = {"version": version["id"]} if version else {}
    return server.get(f"/api/deployment/{deployment['id']}/shadow/verdict", params=params)


def lease(server, deployment, count, **body):
    return server.post(
        f"/api/deployment/{deployment['id']}/queue/lease",
        {"client": "tab", "count": count, "queue": "disagreements", **body},
        expect=200,
    )


def say(server, asset, colour):
    server.post(f"/api/predicted/asset/{asset}/reviews", {"shapes": [{"type": "classification", "label": colour}]}, expect=201)


def review(server, deployment, truth, count):
    """So many of the sample, in its order."""
    done = []
    while len(done) < count:
        items = lease(server, deployment, min(16, count - len(done)))["items"]
        assert items, f"{len(done)} of {count} disagreements were there"
        for item in items:
            say(server, item["id"], truth[item["id"]])
            done.append(item["id"])
    return done


def stored(server, deployment):
    db = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
    db.row_factory = sqlite3.Row
    try:
        key = [uuid.UUID(deployment["id"]).bytes]
        rows = db.execute("SELECT * FROM shadow_verdict WHERE deployment_id = ?", key).fetchall()
    finally:
        db.close()
    return dict(rows[0]) if rows else {}


def wait_stored(server, deployment, what, wanted):
    harness.wait_until(
        lambda: all(stored(server, deployment).get(k) == v for k, v in wanted.items()), 60,
        f"{what} to be stored: {stored(server, deployment)}", 0.05,
    )  # fmt: skip


def guards(answer):
    return {g["name"]: g["ok"] for g in answer["guards"]}


def test_a_better_shadow_is_seen_and_may_be_promoted(server, versions):
    deployment, truth = compared(server, versions, "swapped", "right")
    before = verdict(server, deployment)
    assert before["version"] == {"id": versions["right"]["id"], "model": "judged", "version": versions["right"]["version"]}
    assert before["champion"]["id"] == versions["swapped"]["id"] and before["role"] == "HAND"
    assert before["seen"] == IMAGES and before["compared"] == 0 and before["state"] == "unsure" and before["e"] == 1
    assert before["agreement"]["share"] == pytest.approx(1 / 3) and before["agreement"]["f1"] is None
    assert before["agreement"]["kappa"] == pytest.approx(0, abs=1e-9), "no more often than by chance"
    flips = {(f["from"], f["to"]): f["images"] for f in before["agreement"]["flips"]}
    assert flips == {("green", "red"): IMAGES // 3, ("red", "green"): IMAGES // 3}
    assert before["disagreements"] == {"images": 2 * IMAGES // 3, "sampled": 0, "reviewed": 0, "to_review": 0}
    assert before["more_reviews"] is None and "disagree on 140 of 210 images" in before["sentence"], before["sentence"]
    assert not before["may_promote"] and not guards(before)["evidence"] and guards(before)["seen"]
    review(server, deployment, truth, 12)
    some = verdict(server, deployment)
    assert (some["wins"], some["losses"], some["ties"]) == (12, 0, 0) and some["state"] == "better"
    assert some["e"] == pytest.approx(math.exp(log_e(12, 0)), rel=1e-9)
    assert [h["reviewed"] for h in some["history"]] == list(range(1, 13))
    assert [h["e"] for h in some["history"]] == pytest.approx([math.exp(log_e(n, 0)) for n in range(1, 13)])
    assert some["more_reviews"] == 38 and not some["may_promote"] and not guards(some)["reviews"]
    assert some["sentence"].startswith("Better: of 12 reviewed disagreements"), some["sentence"]
    wait_stored(server, deployment, "the verdict", {"state": "BETTER", "wins": 12, "may_promote": 0})
    review(server, deployment, truth, 38)
    now = verdict(server, deployment, versions["right"])
    assert now["may_promote"] and all(g["ok"] for g in now["guards"]), now["guards"]
    assert now["more_reviews"] == 0 and now["difference"]["value"] == 1 and now["difference"]["metric"] == "accuracy"
    assert {c["label"]: (c["champion"], c["shadow"]) for c in now["classes"]} == {"red": (0, 1), "green": (0, 1)}
    wait_stored(server, deployment, "that it may be promoted", {"state": "BETTER", "wins": 50, "may_promote": 1})
    assert server.deployment(deployment)["model_version_id"] == versions["swapped"]["id"], "nobody asked for it"
    promote_by_itself(server, deployment, versions)
    server.call("DELETE", f"/api/deployment/{deployment['id']}")


def promote_by_itself(server, deployment, versions):
    cd = {"policy": "DEPLOY_SHADOW", "promote_by_itself": True}
    server.call("POST", f"/api/deployment/{deployment['id']}/pipeline/cd", (200, 201), json=cd)
    harness.wait_until(
        lambda: server.deployment(deployment)["model_version_id"] == versions["right"]["id"], 60, "the promotion", 0.05
    )
    events = server.get(f"/api/deployment/{deployment['id']}/history")["items"]
    promoted = next(e for e in events if e["what"] == "promoted")
    assert promoted["by"] == "gyre" and "50 of 50 reviewed disagreements" in promoted["why"], promoted
    # The champion before follows; what made it lose is no evidence against the new one.
    now = verdict(server, deployment, versions["swapped"])
    assert now["role"] == "FORMER" and now["until_at"] and now["champion"]["id"] == versions["right"]["id"]
    assert now["state"] == "unsure" and now["seen"] == 0 and now["wins"] + now["losses"] == 0 and now["e_needed"] == 20


def test_a_worse_shadow_is_seen(server, versions):
    deployment, truth = compared(server, versions, "right", "swapped", 60)
    review(server, deployment, truth, 20)
    now = verdict(server, deployment)
    assert now["state"] == "worse" and now["losses"] == 20 and now["e"] < 1 and now["e_worse"] > 20
    assert not now["may_promote"] and now["sentence"].startswith("Worse: of 20 reviewed"), now["sentence"]
    assert {g["name"]: g["ok"] for g in now["guards"]}["seen"] is False
    wait_stored(server, deployment, "the verdict", {"state": "WORSE", "losses": 20, "wins": 0})
    server.call("DELETE", f"/api/deployment/{deployment['id']}")


def test_equals_stay_unsure(server, versions):
    """Each is right on one colour that the other takes for another, and both are wrong on the third."""
    deployment, truth = compared(server, versions, "swapped", "half", 150)
    done = review(server, deployment, truth, 90)
    now = verdict(server, deployment)
    assert now["state"] == "unsure" and now["agreement"]["share"] == 0
    assert now["wins"] + now["losses"] + now["ties"] == now["disagreements"]["reviewed"] == 90
    assert now["ties"] == sum(truth[asset] == "green" for asset in done)
    assert now["wins"] == sum(truth[asset] == "red" for asset in done)
    assert now["e"] == pytest.approx(math.exp(log_e(now["wins"], now["losses"])), rel=1e-9)
    assert not now["may_promote"]
    wait_stored(server, deployment, "the counts", {"state": "UNSURE", "ties": now["ties"], "wins": now["wins"]})
    server.call("DELETE", f"/api/deployment/{deployment['id']}")


def test_where_they_agree_there_is_nothing_to_review(server, versions):
    deployment, _ = compared(server, versions, "right", "half", 3)
    # Of red, green and blue they agree on red alone; a sample holds what they disagree on, and nothing else.
    items = lease(server, deployment, 16)["items"]
    assert len(items) == 2 and lease(server, deployment, 16, held=[i["id"] for i in items])["items"] == []
    server.call("DELETE", f"/api/deployment/{deployment['id']}")


def test_reviews_count_in_the_order_of_the_sample(server, versions):
    """Pictures that were reviewed for other reasons count when their turn comes: reviewers pick the hard ones."""
    deployment, truth = compared(server, versions, "swapped", "right", 60)
    order = [i["id"] for i in lease(server, deployment, 16)["items"]]
    held = {"held": order}
    assert verdict(server, deployment)["disagreements"]["sampled"] == 40 and len(order) == 16
    for asset in order[4:8]:
        say(server, asset, truth[asset])
    waiting = verdict(server, deployment)
    assert waiting["wins"] == 0 and waiting["disagreements"] == {"images": 40, "sampled": 40, "reviewed": 0, "to_review": 36}
    assert waiting["compared"] == 4, "beside the verdict they are compared at once"
    for asset in order[:3]:
        say(server, asset, truth[asset])
    assert verdict(server, deployment)["wins"] == 3
    server.post(f"/api/predicted/asset/{order[3]}/skip", {"reason": "dark"})
    assert verdict(server, deployment)["wins"] == 7, "a skipped one is passed over"
    lease(server, deployment, 0, **{**held, "held": []})
    again = [i["id"] for i in lease(server, deployment, 16)["items"]]
    assert again[:8] == order[8:], "the same order for everybody"
    server.call("DELETE", f"/api/deployment/{deployment['id']}")


def test_a_sampled_picture_keeps_its_chance(server, versions):
    """The queue goes on drawing what was reviewed as a disagreement, so that its estimates do not miss it."""
    deployment, truth = compared(server, versions, "swapped", "right", 30)
    done = review(server, deployment, truth, 20)
    taken = server.post(f"/api/deployment/{deployment['id']}/queue/lease", {"client": "other", "count": 16}, expect=200)
    assert len(taken["items"]) == 10 and not {i["id"] for i in taken["items"]} & set(done)
    quality = server.get(f"/api/deployment/{deployment['id']}/quality")
    # As many as there are were asked for, so each was chosen for certain: those that were reviewed, too.
    assert quality["with_chance"] == 20, quality
    server.call("DELETE", f"/api/deployment/{deployment['id']}")


def test_what_is_refused(server, versions):
    deployment = server.deploy(versions["right"], f"alone {uuid.uuid4().hex[:6]}", 0.1)
    path = f"/api/deployment/{deployment['id']}/shadow/verdict"
    assert "no shadow" in server.call("GET", path, 404)["message"]
    server.call("GET", path + "?version=nonsense", 400)
    wrong = {"client": "a", "count": 1, "queue": "all"}
    server.call("POST", f"/api/deployment/{deployment['id']}/queue/lease", 400, json=wrong)
    server.call("POST", f"/api/deployment/{deployment['id']}/queue/lease", 404, json={**wrong, "queue": "disagreements"})
    set_shadow(server, deployment, versions["half"])
    assert "not seen any image" in verdict(server, deployment)["sentence"]
    server.call("GET", f"{path}?version={versions['right']['id']}", 404)
    contract = yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())
    check(contract, verdict(server, deployment), contract["components"]["schemas"]["ShadowVerdict"], "ShadowVerdict")
    server.call("DELETE", f"/api/deployment/{deployment['id']}")
