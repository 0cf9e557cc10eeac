# SPDX-License-Identifier: Apache-2.0
"""The Feedback Loop through the public SDK and our own routes: reviews become assets, once, and go back without a trace."""

import concurrent.futures
import io
import json
import random
import sqlite3
import uuid
import zipfile

import harness
import pytest
import samples
import yaml
from PIL import Image, ImageDraw
from test_openapi import check

picsellia = pytest.importorskip("picsellia")
from picsellia import Client, exceptions  # noqa: E402
from picsellia.types.enums import AnnotationStatus, InferenceType  # noqa: E402

BOX = (5, 6, 20, 30, "block")


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


class Loop:
    """A deployment of the block detector with a loop into a version of a dataset of its own."""

    def __init__(self, server, client, blocks, labels=samples.BLOCKS, attach=True):
        version = server.deployment(blocks)["model_version_id"]
        self.server, self.client = server, client
        self.name = f"loop-{uuid.uuid4().hex[:8]}"
        self.raw = server.deploy({"id": version}, self.name, 0.1)
        self.path = f"/api/deployment/{self.raw['id']}"
        self.deployment = client.get_deployment(name=self.name)
        self.dataset = client.create_dataset(self.name)
        self.version = self.make_version("first", labels)
        self.deployment.setup_feedback_loop()
        if attach:
            self.deployment.attach_dataset_version_to_feedback_loop(self.version)

    def make_version(self, name, labels=samples.BLOCKS):
        version = self.dataset.create_version(name, type=InferenceType.OBJECT_DETECTION)
        for label in labels:
            version.create_label(label)
        return version

    def predict(self, image=None, **fields):
        fields.setdefault("source", "camera")
        answer = self.server.predict(self.raw, image or picture(random.randrange(1 << 30)), **fields)
        return answer["predicted_asset_id"]

    def review(self, asset, *boxes):
        found = self.deployment.find_predicted_asset(id=asset)
        found.add_review(rectangles=list(boxes))
        return asset

    def reviewed(self, *boxes, **fields):
        return self.review(self.predict(**fields), *(boxes or [BOX]))

    def loop(self):
        return self.server.get(self.path + "/pipeline/fl")

    def patch(self, **settings):
        return self.server.patch(self.path + "/pipeline/fl", settings)

    def submit(self, *ids, expect=200):
        body = {"ids": list(ids)} if ids else {"all": True}
        return self.server.post(self.path + "/submit", body, expect=expect)

    def status(self, asset):
        return self.server.get(f"/api/predicted/asset/{asset}")["status"]

    def manifest(self, version=None):
        return self.server.get(f"/api/dataset/version/{(version or self.version).id}/manifest")

    def assets(self, version=None):
        path = f"/api/dataset/version/{(version or self.version).id}/assets?with_annotations=1&limit=1000"
        return self.server.get(path)["items"]

    def bursts(self):
        """(predicted asset → burst) of all, once all have one."""

        def rows():
            db = sqlite3.connect(f"file:{self.server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
            try:
                query = "SELECT id, burst_id FROM predicted_asset WHERE deployment_id = ?"
                found = db.execute(query, [uuid.UUID(self.raw["id"]).bytes]).fetchall()
            finally:
                db.close()
            return all(row[1] for row in found) and {str(uuid.UUID(bytes=a)): str(uuid.UUID(bytes=b)) for a, b in found}

        return harness.wait_until(rows, 30, "all pictures to be in bursts", 0.1)


@pytest.fixture
def loop(server, client, blocks):
    return Loop(server, client, blocks)


def drawing(seed, width=240, height=180):
    """A picture that is like no other: random shapes at random places."""
    chance = random.Random(seed)
    image = Image.new("RGB", (width, height), tuple(chance.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = chance.randrange(width), chance.randrange(height)
        w, h = chance.randrange(8, width // 3), chance.randrange(8, height // 3)
        draw.rectangle([x, y, x + w, y + h], fill=tuple(chance.randrange(256) for _ in range(3)))
    return image


def picture(seed):
    return samples.encode(drawing(seed))


# ---- the SDK alone -----------------------------------------------------------------------------------------------


def test_with_sdk_calls_alone_the_dataset_grows(loop, tmp_path):
    loop.patch(submit_after_s=0)
    for number in range(3):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(picture(100 + number))
        loop.deployment.predict(str(path), source="camera")
    for asset in loop.deployment.list_predicted_assets():
        asset.add_review(rectangles=[BOX])
    harness.wait_until(lambda: len(loop.version.list_assets(limit=10)) == 3 if loop.assets() else False, 20, "three assets", 0.1)
    for asset in loop.version.list_assets():
        (annotation,) = asset.list_annotations()
        assert annotation.status == AnnotationStatus.ACCEPTED
        (rectangle,) = annotation.list_rectangles()
        assert (rectangle.x, rectangle.y, rectangle.w, rectangle.h, rectangle.label.name) == BOX
    assert {a.sync()["status"] for a in loop.deployment.list_predicted_assets()} == {"SUBMITTED"}


def test_sdk_attaches_lists_detaches_and_toggles(loop):
    second = loop.make_version("second")
    loop.deployment.attach_dataset_version_to_feedback_loop(second)
    assert [v.id for v in loop.deployment.list_feedback_loop_datasets()] == [loop.version.id, second.id]
    loop.deployment.attach_dataset_version_to_feedback_loop(second)  # again: nothing happens
    loop.deployment.detach_dataset_version_from_feedback_loop(loop.version)
    assert [v.id for v in loop.deployment.list_feedback_loop_datasets()] == [second.id]
    loop.deployment.toggle_feedback_loop(False)
    assert loop.loop()["active"] is False
    asset = loop.reviewed()
    assert "switched off" in loop.submit(asset, expect=409)["message"]
    loop.deployment.toggle_feedback_loop(True)
    assert loop.submit(asset)["submitted"] == 1
    assert len(loop.assets(second)) == 1 and loop.assets() == []
    loop.deployment.setup_feedback_loop()  # again: it stays as it is
    assert loop.loop()["active"] is True and len(loop.loop()["targets"]) == 1


# ---- by hand -----------------------------------------------------------------------------------------------------


def test_submitted_once_into_each_version(loop):
    second = loop.make_version("second")
    loop.deployment.attach_dataset_version_to_feedback_loop(second)
    before = loop.manifest()
    boxes = [BOX, (40, 10, 12, 13, "ball")]
    first, nothing = loop.reviewed(*boxes), loop.predict()
    loop.server.post(f"/api/predicted/asset/{nothing}/reviews", {"shapes": []})
    assert loop.submit(first, nothing) == {"submitted": 2, "waiting": 0, "already": 0, "problems": [], "problems_left_out": 0}
    assert loop.submit(first, nothing)["already"] == 2
    for version in (loop.version, second):
        shapes = [[(s["x"], s["y"], s["w"], s["h"], s["label"]) for s in a["annotation"]["shapes"]] for a in loop.assets(version)]
        assert sorted(shapes, key=len) == [[], boxes]
    assert loop.manifest()["revision"] == before["revision"] + 1  # touched once for the two
    counts = loop.loop()["counts"]
    assert counts["reviewed"] == 0 and counts["submitted"] == 2
    answer = loop.server.post(f"/api/predicted/asset/{first}/reviews", {"shapes": []}, expect=409)
    assert "Withdraw" in answer["message"]


def test_pages_are_told(loop, server):
    asset = loop.reviewed()
    with server.session.get(server.url + loop.path + "/events", stream=True, timeout=20) as stream:
        loop.submit(asset)
        server.post(f"/api/predicted/asset/{asset}/withdraw")
        told = []
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("data:") and asset in line:
                told.append(json.loads(line[5:])["status"])
            if len(told) == 2:
                break
    assert told == ["SUBMITTED", "REVIEWED"]


def test_two_people_at_once(loop):
    ids = [loop.reviewed() for _ in range(12)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: loop.submit(*ids), range(4)))
    assert sum(a["submitted"] for a in answers) == 12 and sum(a["already"] for a in answers) == 36
    assert len(loop.assets()) == 12


def test_what_cannot_be_submitted_says_why(loop, server, client, blocks):
    skipped, bare = loop.predict(), loop.predict()
    server.post(f"/api/predicted/asset/{skipped}/skip", {"reason": "blurred"})
    problems = loop.submit(skipped, bare, str(uuid.uuid4()))["problems"]
    assert ["no review" in p["message"] for p in problems] == [True, True, False]
    assert loop.assets() == []
    assert "ids" in server.post(loop.path + "/submit", {}, expect=400)["message"]
    unset = server.deploy({"id": server.deployment(blocks)["model_version_id"]}, f"unset-{uuid.uuid4().hex[:6]}")
    answer = server.post(f"/api/deployment/{unset['id']}/submit", {"all": True}, expect=409)
    assert "not set up" in answer["message"]
    assert server.get(f"/api/deployment/{unset['id']}/pipeline/fl")["set_up"] is False
    server.post(f"/api/deployment/{uuid.uuid4()}/pipeline/fl/setup", {}, expect=404)


def test_answers_are_as_described(loop, server):
    contract = yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())
    asset = loop.reviewed(BOX, (1, 2, 3, 4, "unheard of"))
    answers = {
        "FeedbackLoop": loop.loop(),
        "FeedbackTargetList": server.get(loop.path + "/fl/datasets"),
        "Submitted": loop.submit(asset, str(uuid.uuid4())),
    }
    loop.submit(loop.review(asset, BOX))
    answers["PredictedAsset"] = server.post(f"/api/predicted/asset/{asset}/withdraw")
    for name, answer in answers.items():
        check(contract, answer, contract["components"]["schemas"][name], name)


# ---- labels ------------------------------------------------------------------------------------------------------


def test_an_unmapped_label_waits_and_goes_once_it_is_mapped(server, client, blocks):
    loop = Loop(server, client, blocks, labels=["block"])
    loop.patch(submit_after_s=0)
    waits = loop.reviewed(BOX, (1, 2, 30, 40, "ball"))
    goes = loop.reviewed(BOX)
    harness.wait_until(lambda: loop.status(goes) == "SUBMITTED", 20, "the mapped one to go", 0.1)
    state = loop.loop()
    assert state["counts"]["waiting_labels"] == {"ball": 1} and state["counts"]["waiting"] == 1
    assert [(row["label"], row["action"]) for row in state["labels"]] == [("block", "keep"), ("ball", None)]
    assert loop.submit(waits) == {"submitted": 0, "waiting": 1, "already": 0, "problems": [], "problems_left_out": 0}
    table = loop.path + "/pipeline/fl/labels"
    refused = server.call("PUT", table, 400, json={"labels": [{"label": "ball", "action": "rename", "to_name": "sphere"}]})
    assert "sphere" in refused["message"] and "new" in refused["message"]
    server.call("PUT", table, 400, json={"labels": [{"label": "ball", "action": "lose"}]})
    server.call("PUT", table, 200, json={"labels": [{"label": "ball", "action": "new", "to_name": "sphere"}]})
    harness.wait_until(lambda: loop.status(waits) == "SUBMITTED", 20, "it to go by itself", 0.1)
    assert sorted(s["label"] for a in loop.assets() for s in a["annotation"]["shapes"]) == ["block", "block", "sphere"]


def test_a_version_without_labels_gets_them_and_a_dropped_label_is_left_out(server, client, blocks):
    loop = Loop(server, client, blocks, labels=[])
    assert {row["action"] for row in loop.loop()["labels"]} == {"new"}
    server.call("PUT", loop.path + "/pipeline/fl/labels", 200, json={"labels": [{"label": "ball", "action": "drop"}]})
    loop.submit(loop.reviewed(BOX, (1, 2, 30, 40, "ball")))
    assert [s["label"] for s in loop.assets()[0]["annotation"]["shapes"]] == ["block"]
    assert [label.name for label in loop.version.list_labels()] == ["block"]


# ---- back --------------------------------------------------------------------------------------------------------


def test_withdrawn_the_version_is_what_it_was(loop, server):
    loop.submit(loop.reviewed())
    before = loop.manifest()["hash"]
    loop.patch(submit_after_s=0)
    asset = loop.reviewed()
    harness.wait_until(lambda: loop.status(asset) == "SUBMITTED", 20, "it to be submitted", 0.1)
    assert loop.manifest()["hash"] != before
    item = server.post(f"/api/predicted/asset/{asset}/withdraw")
    assert item["status"] == "REVIEWED" and item["id"] == asset
    assert loop.manifest()["hash"] == before
    assert "not submitted" in server.post(f"/api/predicted/asset/{asset}/withdraw", expect=409)["message"]
    other = loop.reviewed()  # the thread has looked again when this one is there
    harness.wait_until(lambda: loop.status(other) == "SUBMITTED", 20, "the other", 0.1)
    assert loop.status(asset) == "REVIEWED"
    loop.review(asset, (9, 9, 9, 9, "ball"))  # anew: it goes by itself again
    harness.wait_until(lambda: loop.status(asset) == "SUBMITTED", 20, "it to be submitted again", 0.1)
    assert len(loop.assets()) == 3


def test_withdrawn_an_annotation_from_before_counts_again(loop, server):
    asset = loop.reviewed()
    data = server.get(f"/api/predicted/asset/{asset}")["data"]["id"]
    server.post(f"/api/dataset/version/{loop.version.id}/assets", {"data_ids": [data]})
    (there,) = loop.assets()
    server.call("PUT", f"/api/asset/{there['id']}/annotation", 200,
                json={"base_revision": 0, "client_id": "c", "shapes": [
                    {"type": "rectangle", "x": 1, "y": 2, "w": 3, "h": 4, "label": "ball"}]})  # fmt: skip
    before = loop.manifest()["hash"]
    loop.submit(asset)
    assert loop.assets()[0]["annotation"]["shapes"][0]["label"] == "block" and len(loop.assets()) == 1
    server.post(f"/api/predicted/asset/{asset}/withdraw")
    assert loop.manifest()["hash"] == before


def test_what_somebody_corrected_is_not_lost_by_withdrawing(loop, server):
    asset = loop.reviewed()
    loop.submit(asset)
    (there,) = loop.assets()
    body = {"base_revision": there["annotation"]["revision"], "client_id": "c", "shapes": []}
    server.call("PUT", f"/api/asset/{there['id']}/annotation", 200, json=body)
    assert "changed" in server.post(f"/api/predicted/asset/{asset}/withdraw", expect=409)["message"]
    server.post(f"/api/predicted/asset/{asset}/withdraw", {"force": True})
    assert loop.assets() == []


def test_deleted_from_the_log_it_stays_in_the_dataset(loop, server):
    asset = loop.reviewed()
    loop.submit(asset)
    before = loop.manifest()["hash"]
    server.delete(f"/api/predicted/asset/{asset}")
    assert loop.manifest()["hash"] == before and len(loop.assets()) == 1


# ---- locked ------------------------------------------------------------------------------------------------------


def test_a_locked_version_offers_a_fork(loop, server):
    locked = loop.make_version("locked")
    server.post(f"/api/dataset/version/{locked.id}/lock")
    answer = server.post(loop.path + "/fl/datasets", {"dataset_version_id": str(locked.id)}, expect=423)
    assert "fork" in answer["message"].lower()
    with pytest.raises(exceptions.PicselliaError):
        loop.deployment.attach_dataset_version_to_feedback_loop(locked)
    fork = loop.path + "/pipeline/fl/datasets/fork"
    state = server.post(fork, {"dataset_version_id": str(locked.id), "version": "grows"})
    names = [t["dataset_version"]["version"] for t in state["targets"]]
    assert names == ["first", "grows"]
    server.post(fork, {"dataset_version_id": str(locked.id), "version": "grows"}, expect=409)


def test_locked_after_it_was_attached_reviews_wait(loop, server):
    asset = loop.reviewed()
    server.post(f"/api/dataset/version/{loop.version.id}/lock")
    state = loop.loop()
    assert "locked" in state["problems"][0] and state["counts"]["waiting"] == 1
    assert "locked" in loop.submit(asset, expect=423)["message"]
    server.post(f"/api/dataset/version/{loop.version.id}/unlock")
    assert loop.loop()["problems"] == [] and loop.submit(asset)["submitted"] == 1


# ---- bursts and what is kept to measure with ----------------------------------------------------------------------


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **{"quality": 80, **options})
    return buffer.getvalue()


def test_thirty_frames_crops_and_uploads_again_are_one_burst(loop):
    scene = drawing(1, 480, 360)
    for frame in range(30):  # something moves in front of a camera that shakes
        view = scene.crop((frame % 3, frame % 2, 470 + frame % 3, 350 + frame % 2))
        ImageDraw.Draw(view).ellipse([10 * frame, 100, 10 * frame + 40, 140], fill="white")
        loop.predict(encoded(view))
    whole = scene.crop((0, 0, 470, 350))
    chance = random.Random(3)
    for _ in range(6):
        w, h = chance.randrange(300, 460), chance.randrange(230, 340)
        x, y = chance.randrange(470 - w), chance.randrange(350 - h)
        loop.predict(encoded(whole.crop((x, y, x + w, y + h)), quality=60), source="elsewhere")
    loop.predict(encoded(whole.resize((235, 175))), source="small")
    loop.predict(encoded(whole, quality=40))
    loop.predict(encoded(whole, quality=40), source="the same bytes")
    others = {loop.predict(picture(500 + number)) for number in range(10)}
    bursts = loop.bursts()
    assert len({burst for asset, burst in bursts.items() if asset not in others}) == 1
    assert len({bursts[asset] for asset in others}) == 10


def test_real_photos_are_apart_and_their_crops_are_not(loop, data):
    photos = sorted((data / "det_voc50" / "images").glob("*.jpg"))[:12]
    chance = random.Random(5)
    pairs = []
    for path in photos:
        photo = Image.open(path).convert("RGB")
        w, h = int(photo.width * chance.uniform(0.65, 0.95)), int(photo.height * chance.uniform(0.65, 0.95))
        x, y = chance.randrange(photo.width - w), chance.randrange(photo.height - h)
        pairs.append((loop.predict(encoded(photo)), loop.predict(encoded(photo.crop((x, y, x + w, y + h))), source="b")))
    bursts = loop.bursts()
    assert len({bursts[photo] for photo, _ in pairs}) == len(photos)
    assert sum(bursts[photo] == bursts[crop] for photo, crop in pairs) >= len(photos) - 1


def test_what_is_kept_to_measure_with_is_in_no_training_export(loop, server):
    loop.patch(evaluation_share=0.4)
    ids, sides = {}, {}
    for seed in range(900, 940):  # scenes of three frames, until there are some of each side
        scene = drawing(seed)
        for frame in range(3):
            name = f"{seed}-{frame}.jpg"
            ids[name] = loop.review(loop.predict(encoded(scene, quality=70 + frame), filename=name), BOX)
        loop.submit()
        if seed >= 905 and {a["evaluation"] for a in loop.assets()} == {True, False}:
            break
    bursts, kept = loop.bursts(), {a["data"]["filename"]: a["evaluation"] for a in loop.assets()}
    for name, asset in ids.items():
        sides.setdefault(bursts[asset], set()).add(kept[name])
    assert len(sides) == len(ids) / 3 and all(len(side) == 1 for side in sides.values())
    for purpose, wanted in (("training", {False}), ("evaluation", {True}), ("all", {True, False})):
        path = f"/api/dataset/version/{loop.version.id}/export"
        answer = server.call("GET", path, params={"format": "coco", "images": "0", "for": purpose})
        assert answer.status_code == 200, answer.text[:300]
        assert exported(answer.content) == {name for name, evaluation in kept.items() if evaluation in wanted}
    loop.patch(evaluation_share=0)  # later frames stay with those of their burst all the same
    name = next(name for name, evaluation in kept.items() if evaluation)
    image = server.get(f"/api/predicted/asset/{ids[name]}")["data"]["presigned_url"]
    loop.submit(loop.review(loop.predict(server.session.get(image, timeout=20).content, filename="again.jpg"), BOX))
    assert [a["evaluation"] for a in loop.assets() if a["data"]["filename"] == "again.jpg"] == [True]


def exported(content):
    """The names of the pictures of a COCO export."""
    with zipfile.ZipFile(io.BytesIO(content)) as files:
        (name,) = [n for n in files.namelist() if n.endswith(".json")]
        return {image["file_name"] for image in json.loads(files.read(name))["images"]}
