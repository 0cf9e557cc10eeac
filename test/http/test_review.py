# SPDX-License-Identifier: Apache-2.0
"""Reviews of predicted images: of what kind, by whom, over whose; drafts; accepting many; the SDK's add_review."""

import json
import time
import uuid

import harness
import pytest
import requests
import samples


@pytest.fixture(scope="module")
def found(server, blocks, models_folder):
    """A deployment of the block detector of this module's own."""
    version = server.get(f"/api/model/version/{blocks['model_version_id']}")
    return server.deploy(version, "reviewed blocks", 0.3)


@pytest.fixture(scope="module")
def sorted_(server, colours):
    version = server.get(f"/api/model/version/{colours['model_version_id']}")
    return server.deploy(version, "reviewed colours", 0.1)


@pytest.fixture(scope="module")
def ann(server):
    """Another person, who may review and nothing else."""
    return person(server, "ann")


def person(server, name, role="REVIEWER"):
    made = server.post(f"/api/organization/{server.organization['id']}/users", {"name": name, "role": role})
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {server.post('/api/tokens', {'name': name, 'user_id': made['id']})['token']}"
    return session


def call(server, session, method, path, body=None, expect=None):
    answer = session.request(method, server.url + path, json=body, timeout=harness.CALL_TIMEOUT)
    if expect is not None:
        assert answer.status_code == expect, answer.text
    return answer


def asset(server, answer):
    return server.get(f"/api/predicted/asset/{answer['predicted_asset_id']}")


def path(item, what):
    return f"/api/predicted/asset/{item['id']}/{what}"


def answered(item):
    """What the champion answered, as a review has it."""
    keys = ("type", "x", "y", "w", "h", "label")
    return [{k: s[k] for k in keys if k in s} for s in item["predictions"][0]["shapes"]]


@pytest.fixture
def seen(server, found):
    """An image with a block on it, just predicted."""
    item = asset(server, server.predict(found, samples.scene()))
    assert item["status"] == "TO REVIEW" and item["reviews"] == [] and item["draft"] is None and item["revision"] == 0
    assert answered(item)
    return item


# ---- kinds and what is refused ---------------------------------------------------------------------------------------


def test_what_kind_a_review_is(server, seen):
    moved = answered(seen)
    moved[0]["x"] += 3
    more = [*answered(seen), {"type": "polygon", "polygon": [[1, 1], [9, 1.5], [4, 9.25]], "label": "brand new"}]
    for shapes, kind in ((answered(seen), "ACCEPTED"), (moved, "CORRECTED"), ([], "NOTHING"), (more, "CORRECTED"),
                         (answered(seen)[::-1], "ACCEPTED")):  # fmt: skip
        review = server.post(path(seen, "reviews"), {"shapes": shapes, "seconds": 2.5, "keys": 4}, expect=201)
        assert review["kind"] == kind and review["shapes"] == shapes and (review["seconds"], review["keys"]) == (2.5, 4)
        now = server.get(f"/api/predicted/asset/{seen['id']}")
        assert now["status"] == "REVIEWED" and now["reviews"][-1] == review
    assert len(now["reviews"]) == 5
    assert server.post(path(seen, "skip"), {"reason": "blurred"}, expect=201)["reason"] == "blurred"
    assert server.get(f"/api/predicted/asset/{seen['id']}")["status"] == "SKIPPED"
    assert server.post(path(seen, "unreview"), expect=201)["kind"] == "UNDONE"
    assert server.get(f"/api/predicted/asset/{seen['id']}")["status"] == "TO REVIEW"


def test_the_threshold_decides_what_was_answered(server, found, seen):
    all_of_it = server.get(f"/api/predicted/asset/{seen['id']}", params={"threshold": 0})
    assert all_of_it["threshold"] == 0.3
    assert len(answered(all_of_it)) >= len(answered(seen))
    server.patch(f"/api/deployment/{found['id']}", {"min_threshold": 0.999999})
    try:
        assert server.post(path(seen, "reviews"), {"shapes": answered(seen)})["kind"] == "CORRECTED"
    finally:
        server.patch(f"/api/deployment/{found['id']}", {"min_threshold": 0.3})
    assert server.post(path(seen, "reviews"), {"shapes": answered(seen)})["kind"] == "ACCEPTED"


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"shapes": [{"type": "rectangle", "x": 5000, "y": 1, "w": 5, "h": 5, "label": "a"}]}, "outside"),
        ({"shapes": [{"type": "rectangle", "x": 5, "y": 1, "w": 0, "h": 5, "label": "a"}]}, "area"),
        ({"shapes": [{"type": "rectangle", "x": 5, "y": 1, "w": 5, "h": 5, "label": ""}]}, "label"),
        ({"shapes": [{"type": "polygon", "polygon": [[1, 1], [2, 2]], "label": "a"}]}, "points"),
        ({"shapes": [{"type": "classification", "label": "a"}]}, "finds objects"),
        ({"shapes": {}}, "list"),
        ({"shapes": [], "kind": "SKIPPED"}, "kind"),
        ({"shapes": [{"type": "rectangle", "x": 5, "y": 1, "w": 5, "h": 5, "label": "a"}], "kind": "NOTHING"}, "nothing"),
        ({"shapes": [], "base_revision": "x"}, "base_revision"),
        ({"rectangles": [{"x": 1, "y": 1, "w": 1}]}, "label"),
        ({"lines": [{"line": [[1, 1], [2, 2]], "label": "a"}]}, "Lines"),
    ],
)
def test_refused(server, seen, body, part):
    message = server.call("POST", path(seen, "reviews"), 400, json=body)["message"]
    assert part in message and message.endswith(".")
    assert server.get(f"/api/predicted/asset/{seen['id']}")["reviews"] == []


def test_a_class_is_reviewed_as_one_class(server, sorted_):
    item = asset(server, server.predict(sorted_, samples.photo("red")))
    one = {"type": "classification", "label": "red"}
    assert item["predictions"][0]["shapes"][0]["label"] == "red"
    assert server.post(path(item, "reviews"), {"shapes": [one]})["kind"] == "ACCEPTED"
    assert server.post(path(item, "reviews"), {"shapes": [{**one, "label": "green"}]})["kind"] == "CORRECTED"
    server.call("POST", path(item, "reviews"), 400, json={"shapes": [one, {**one, "label": "green"}]})
    box = {"type": "rectangle", "x": 5, "y": 1, "w": 5, "h": 5, "label": "red"}
    assert "one class" in server.call("POST", path(item, "reviews"), 400, json={"shapes": [box]})["message"]


def test_only_what_is_shown_is_accepted(server, found, seen):
    """Labels that the deployment does not show are not part of what was answered."""
    settings = f"/api/deployment/{found['id']}/queue/settings"
    server.call("PUT", settings, 200, json={"labels_shown": ["no such label"]})
    try:
        assert server.post(path(seen, "reviews"), {"shapes": answered(seen)})["kind"] == "CORRECTED"
    finally:
        server.call("PUT", settings, 200, json={"labels_shown": None})


# ---- once, and over nobody's work ------------------------------------------------------------------------------------


def test_a_repeated_operation_is_the_same_review(server, seen):
    body = {"shapes": answered(seen), "client_id": "op", "base_revision": 0}
    first, again = (server.post(path(seen, "reviews"), body, expect=201) for _ in range(2))
    assert first == again
    assert server.post(path(seen, "skip"), {"reason": "dark", "client_id": "op-2"}, expect=201)["kind"] == "SKIPPED"
    assert server.post(path(seen, "reviews"), body, expect=201) == first, "it was saved, and what came later stays"
    assert server.get(f"/api/predicted/asset/{seen['id']}")["status"] == "SKIPPED"


def test_drafts(server, seen):
    draft = path(seen, "draft")
    body = {"shapes": answered(seen), "client_id": "a", "base_revision": 0}
    one = server.call("PUT", draft, 200, json=body)["revision"]
    assert one > 0 and server.call("PUT", draft, 200, json=body)["revision"] == one
    two = server.call("PUT", draft, 200, json={**body, "client_id": "b", "base_revision": one, "shapes": []})["revision"]
    refused = server.call("PUT", draft, 409, json={**body, "client_id": "c", "base_revision": one})
    (stored,) = refused["detail"]
    assert stored["revision"] == two and stored["shapes"] == [] and stored["who"] and refused["message"].endswith(".")
    now = server.get(f"/api/predicted/asset/{seen['id']}")
    assert now["draft"]["revision"] == two and now["status"] == "TO REVIEW"
    server.call("DELETE", draft, 204)
    assert server.get(f"/api/predicted/asset/{seen['id']}")["draft"] is None
    server.call("PUT", draft, 200, json={**body, "client_id": "d"})
    server.post(path(seen, "reviews"), {"shapes": [], "base_revision": 0})
    assert server.get(f"/api/predicted/asset/{seen['id']}")["draft"] is None


def test_the_second_of_two_people_is_told(server, seen, ann):
    box = {"type": "rectangle", "x": 5.5, "y": 1, "w": 5, "h": 5, "label": "hers"}
    hers = {"shapes": [box], "client_id": "hers", "base_revision": 0}
    mine = {"shapes": [], "client_id": "mine", "base_revision": 0}
    revision = call(server, ann, "PUT", path(seen, "draft"), hers, 200).json()["revision"]
    for what in ("draft", "reviews"):
        method = "PUT" if what == "draft" else "POST"
        told = server.call(method, path(seen, what), 409, json=mine)
        assert told["detail"][0]["shapes"] == [box] and told["detail"][0]["who"] == "ann" and "ann" in told["message"]
    call(server, ann, "POST", path(seen, "reviews"), {**hers, "client_id": "done", "base_revision": revision}, 201)
    told = server.call("POST", path(seen, "reviews"), 409, json=mine)
    assert told["detail"][0]["shapes"] == [box] and told["detail"][0]["kind"] == "CORRECTED"
    assert server.call("PUT", path(seen, "draft"), 409, json=mine)["detail"] == told["detail"]
    server.call("POST", path(seen, "skip"), 409, json={"reason": "no"})
    now = server.get(f"/api/predicted/asset/{seen['id']}")
    assert [r["who"] for r in now["reviews"]] == ["ann"]
    # Told, one may say so again.
    saved = server.post(path(seen, "reviews"), {**mine, "base_revision": told["detail"][0]["revision"]}, expect=201)
    assert saved["kind"] == "NOTHING" and saved["who"] != "ann"
    # Hers is the older one now; her own second thoughts are told as well.
    call(server, ann, "POST", path(seen, "reviews"), {**hers, "client_id": "again"}, 409)
    call(server, ann, "POST", path(seen, "reviews"), {**hers, "client_id": "unasked", "base_revision": None}, 201)


def test_many_are_accepted_as_they_are(server, found, seen, ann):
    items = [asset(server, server.predict(found, samples.scene())) for _ in range(3)]
    plain = asset(server, server.predict(found, samples.photo("red")))
    call(server, ann, "PUT", path(items[1], "draft"), {"shapes": [], "client_id": "x", "base_revision": 0}, 200)
    nobody = str(uuid.uuid4())
    ids = [*(i["id"] for i in items), plain["id"], nobody]
    answer = server.post(f"/api/deployment/{found['id']}/reviews/accept", {"ids": ids, "client_id": "all"})
    assert answer["accepted"] == 3
    assert {p["id"] for p in answer["problems"]} == {items[1]["id"], nobody}
    assert "ann" in next(p["message"] for p in answer["problems"] if p["id"] == items[1]["id"])
    again = server.post(f"/api/deployment/{found['id']}/reviews/accept", {"ids": ids, "client_id": "all"})
    assert again == answer, "the same operation"
    first, empty = (server.get(f"/api/predicted/asset/{i['id']}")["reviews"] for i in (items[0], plain))
    assert [(r["kind"], r["shapes"]) for r in first] == [("ACCEPTED", answered(items[0]))]
    assert [r["kind"] for r in empty] == ["NOTHING" if not answered(plain) else "ACCEPTED"]
    other = server.post(f"/api/deployment/{found['id']}/reviews/accept", {"ids": ids[:1], "client_id": "other"})
    assert other["accepted"] == 0 and "already" in other["problems"][0]["message"]
    server.call("POST", f"/api/deployment/{found['id']}/reviews/accept", 400, json={"ids": [nobody] * 501})


def test_a_reviewer_may_review_and_no_more(server, found, seen, ann):
    for method, at, expect in (
        ("GET", f"/api/deployment/{found['id']}/queue", 200),
        ("PUT", f"/api/deployment/{found['id']}/queue/settings", 403),
        ("POST", f"/api/deployment/{found['id']}/reviews/accept", 403),
        ("GET", f"/api/predicted/asset/{seen['id']}", 200),
        ("DELETE", f"/api/predicted/asset/{seen['id']}", 403),
    ):
        call(server, ann, method, at, {"ids": []} if method != "GET" else None, expect)


def test_pages_are_told(server, found, seen):
    told = []
    with requests.get(f"{server.url}/api/deployment/{found['id']}/events", stream=True, timeout=harness.CALL_TIMEOUT,
                      headers={"Authorization": f"Bearer {server.token}"}) as events:  # fmt: skip
        lines = events.iter_lines()
        server.post(path(seen, "reviews"), {"shapes": []}, expect=201)
        for line in lines:
            told.append(line.decode())
            if told[-1].startswith("data:") and told[-2] == "event: review":
                break
    assert json.loads(told[-1][5:]) == {"predicted_asset_id": seen["id"], "status": "REVIEWED"}


# ---- the SDK ---------------------------------------------------------------------------------------------------------


def test_the_sdk_reviews(server, found, seen):
    picsellia = pytest.importorskip("picsellia")
    with picsellia.Client(api_token=server.token, host=server.url) as client:
        own = client.get_deployment_by_id(found["id"])
        item = own.find_predicted_asset(id=seen["id"])
        assert item.get_review() is None
        assert item.get_champion_prediction()["shapes"] == seen["predictions"][0]["shapes"]
        answer = item.add_review(rectangles=[(10, 20, 30, 40, "car")], polygons=[([[1, 1], [9, 1], [4, 9]], "ä b")])
        assert answer["kind"] == "CORRECTED"
        review = item.get_review()
        assert review["shapes"] == [
            {"type": "rectangle", "x": 10.0, "y": 20.0, "w": 30.0, "h": 40.0, "label": "car"},
            {"type": "polygon", "polygon": [[1, 1], [9, 1], [4, 9]], "label": "ä b"},
        ]
        other = own.find_predicted_asset(id=seen["id"])
        other.add_review()
        assert own.find_predicted_asset(id=seen["id"]).get_review()["kind"] == "NOTHING"
        with pytest.raises(picsellia.exceptions.BadRequestError):
            other.add_review(classifications=["red"])


# ---- lists -----------------------------------------------------------------------------------------------------------


def test_lists_are_filtered_and_ordered(server, colours, models_folder):
    version = server.get(f"/api/model/version/{colours['model_version_id']}")
    own = server.deploy(version, "listed colours", 0.6)
    begin = time.time()
    made = [server.predict(own, samples.photo(c), filename=f"{c}.jpg", source=f"cam-{c}", tags=[f"t-{c}"])
            for c in ("red", "green", "blue", "red")]  # fmt: skip
    by_name = [m["predicted_asset_id"] for m in made]

    def ids(**params):
        items, count = server.predicted_assets(own, **params)
        assert count == len(items)
        return [i["id"] for i in items]

    server.post(f"/api/predicted/asset/{by_name[0]}/reviews", {"shapes": [{"type": "classification", "label": "red"}]})
    server.post(f"/api/predicted/asset/{by_name[1]}/skip", {"reason": "x"})
    assert ids() == by_name[::-1] and ids(order_by="created_at") == by_name
    assert ids(status="REVIEWED") == [by_name[0]]
    assert set(ids(status=["TO REVIEW", "SKIPPED"])) == set(by_name[1:])
    assert ids(label="red") == [by_name[3], by_name[0]] and ids(label="blue") == [by_name[2]] and ids(label="car") == []
    assert ids(source="cam-green") == [by_name[1]] and ids(tag="t-blue") == [by_name[2]] and ids(tag="none") == []
    assert ids(version=version["id"]) == by_name[::-1] and ids(version=str(uuid.uuid4())) == []
    scores = {i["id"]: max(s["score"] for s in i["predictions"][0]["shapes"]) for i in server.predicted_assets(own)[0]}
    for order in ("score", "-score"):
        listed = [scores[i] for i in ids(order_by=order)]
        assert listed == sorted(listed, reverse=order[0] == "-")
    middle = sorted(scores.values())[1]
    assert set(ids(score_min=middle - 1e-4)) == {i for i, s in scores.items() if s >= middle - 1e-4}
    assert len(ids(order_by="-count")) == 4
    assert ids(to=begin - 5) == [] and len(ids(**{"from": begin - 5})) == 4
    assert ids(status="REVIEWED", label="red", source="cam-red", order_by="-score") == [by_name[0]]
    for q, expected in (
        ('status = "REVIEWED"', [by_name[0]]),
        ('labels.name = "blue"', [by_name[2]]),
        ('labels.name in ("red", "blue") and status != "REVIEWED"', [by_name[3], by_name[2]]),
        ('filename = "green.jpg" or data.source.name = "cam-blue"', [by_name[2], by_name[1]]),
        ('reviews.kind = "SKIPPED"', [by_name[1]]),
        ("score > 0.5 and count >= 1", by_name[::-1]),
        ("unsure > 2", []),
    ):
        assert ids(q=q) == expected, q
    assert ids(q='labels.name = "red"', status="TO REVIEW") == [by_name[3]]
    page = server.get(f"/api/deployment/{own['id']}/predictedassets", params={"limit": 2, "offset": 1, "order_by": "-created_at"})
    assert [i["id"] for i in page["items"]] == by_name[2:0:-1] and page["count"] == 4
    for wrong in (
        {"status": "DONE"}, {"order_by": "size"}, {"score_min": "x"}, {"version": "1"}, {"from": "1e300"}, {"q": "x = 1"},
    ):  # fmt: skip
        server.get(f"/api/deployment/{own['id']}/predictedassets", params=wrong, expect=400)
