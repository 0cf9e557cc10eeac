# SPDX-License-Identifier: Apache-2.0
"""How right a deployment's models are: predictions and reviews through the API, each number against its definition, computed
again from the API's own answers (quality_reference.py)."""

import datetime
import json
import random

import pytest
import quality_reference as reference
import samples
import shadowing

TOLERANCE = 1e-9


def quality(server, deployment, **params):
    return server.get(f"/api/deployment/{deployment['id']}/quality", params=params)


def champion(server, deployment, **params):
    answer = quality(server, deployment, **params)
    assert answer["versions"][0]["role"] == "champion"
    return answer["versions"][0]


def review(server, asset, shapes):
    return server.post(f"/api/predicted/asset/{asset}/reviews", {"shapes": shapes})


def near(got, want, what=""):
    if want is None or want == -1:
        assert got is None, what
    else:
        assert got == pytest.approx(want, abs=TOLERANCE), what


def rectangle(box, label):
    return {"type": "rectangle", **dict(zip("xywh", box)), "label": label}


def named(label):
    return {"type": "classification", "label": label}


# ---- boxes -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def street(server, data, yolox):
    """Real photos, a real detector; what its makers say is on them, what was answered, or nothing. (deployment, assets)"""
    version = server.get(f"/api/model/version/{yolox['model_version_id']}")
    deployment = server.deploy(version, "quality of boxes", 0.3)
    truth = json.loads((data / "det_voc50/gts/coco_format/instances_default.json").read_text())
    names = {c["id"]: c["name"] for c in truth["categories"]}
    assets = []
    for i, image in enumerate(truth["images"][:24]):
        photo = (data / "det_voc50/images" / image["file_name"]).read_bytes()
        answer = server.predict(deployment, photo, filename=image["file_name"], source="front" if i % 3 else "back")
        boxes = [(a["bbox"], names[a["category_id"]]) for a in truth["annotations"] if a["image_id"] == image["id"]]
        if i % 6 == 5:  # as answered
            boxes = [([s[k] for k in "xywh"], s["label"]) for s in answer["shapes"]]
        review(server, answer["predicted_asset_id"], [] if i == 7 else [rectangle(box, name) for box, name in boxes])
        assets.append(answer["predicted_asset_id"])
    return deployment, assets


def check_boxes(server, deployment, threshold=None, keep=lambda item: True, labels=None, **params):
    """Everything that is said of the champion; labels: those that people look at. Returns it."""
    if threshold is not None:
        params["threshold"] = threshold
    threshold = 0.3 if threshold is None else threshold
    answer = quality(server, deployment, **params)
    said = answer["versions"][0]
    images = [image for image in reference.reviewed(server, deployment) if keep(image[0])]
    if labels:
        images = [(item, *([s for s in shapes if s["label"] in labels] for shapes in both)) for item, *both in images]
    evaluation, names = reference.coco(images)
    assert answer["task"] == "OBJECT_DETECTION" and answer["threshold"] == threshold
    assert answer["reviewed"] == said["images"] == len(images) and answer["with_chance"] == 0
    for name, number in zip(reference.NUMBERS, evaluation.stats):
        near(said["coco"][name], number, name)
    near(said["ap"]["value"], evaluation.stats[0])
    check_labels(said, evaluation, names, threshold)
    assert [point[0] for point in said["curve"]] == [i / 100 for i in range(101)]
    assert [point[1] for point in said["curve"]] == pytest.approx(list(reference.curve(evaluation)), abs=TOLERANCE)
    assert reference.cells_of(said["confusion"]) == reference.box_confusion(images, threshold)
    return said


def check_labels(said, evaluation, names, threshold):
    counts = reference.counts(evaluation, threshold)
    rows = {row["label"]: row for row in said["labels"]}
    assert set(rows) == set(names)
    total = [0, 0, 0]
    for at, name in enumerate(names):
        row, found = rows[name], counts[at + 1]
        for key, number in zip(("ap", "ap50"), reference.label_numbers(evaluation, at)):
            near(row[key], number, (name, key))
        assert [row["found"], row["wrong"], row["missed"]] == found, name
        assert row["truths"] == found[0] + found[2]
        assert [row["precision"], row["recall"], row["f1"]] == pytest.approx(reference.ratios(*found), abs=TOLERANCE)
        total = [a + b for a, b in zip(total, found)]
    at = said["at_threshold"]
    assert [at["found"], at["wrong"], at["missed"]] == total
    assert [at["precision"], at["recall"], at["f1"]] == pytest.approx(reference.ratios(*total), abs=TOLERANCE)


def test_boxes_are_measured_as_cocos_tools_do(server, street):
    deployment, _ = street
    said = check_boxes(server, deployment)
    assert 0.3 < said["coco"]["AP"] < 0.99
    assert said["ap"]["low"] < said["ap"]["value"] < said["ap"]["high"] and said["ap"]["images"] == 24
    assert said["weighted"] is said["random_only"] is said["difference"] is None  # nothing was chosen by the queue
    assert champion(server, deployment) == said  # the same images, the same interval
    best = max(said["thresholds"], key=lambda point: (point[3], point[0]))
    assert said["best_threshold"] == best[0]
    for threshold in (0.05, 0.25, 0.6):
        at = check_boxes(server, deployment, threshold=threshold)["at_threshold"]
        point = said["thresholds"][round(threshold * 100)]
        assert point == [threshold, *(pytest.approx(at[k], abs=TOLERANCE) for k in ("precision", "recall", "f1"))]


def test_boxes_by_source_time_tag_and_label(server, street):
    deployment, assets = street
    check_boxes(server, deployment, keep=lambda item: item["source"] == "back", source="back")
    items = {item["id"]: item for item, _, _ in reference.reviewed(server, deployment)}
    at = datetime.datetime.fromisoformat(items[assets[12]]["created_at"]).timestamp()
    late = set(assets[12:])
    check_boxes(server, deployment, keep=lambda item: item["id"] in late, **{"from": at})
    check_boxes(server, deployment, keep=lambda item: item["id"] not in late, to=at)
    whole = champion(server, deployment)
    person = next(row for row in whole["labels"] if row["label"] == "person")
    one = champion(server, deployment, label="person")
    near(one["coco"]["AP"], person["ap"])
    assert one["labels"] == [person] and one["images"] == 24
    assert quality(server, deployment, source="nobody")["versions"][0]["images"] == 0
    over = quality(server, deployment)["over_time"]
    assert sum(window["images"] for window in over) == 24
    if len(over) == 1:
        near(over[0]["values"][deployment["model_version_id"]], whole["coco"]["AP"])


def test_boxes_follow_every_change(server, street):
    """Reviewed anew, undone, skipped, deleted: the numbers are those of what is left, always."""
    deployment, assets = street
    before = champion(server, deployment)
    review(server, assets[3], [])
    assert check_boxes(server, deployment)["coco"] != before["coco"]
    server.post(f"/api/predicted/asset/{assets[4]}/unreview")
    assert check_boxes(server, deployment)["images"] == 23
    server.post(f"/api/predicted/asset/{assets[5]}/skip", {"reason": "too dark"})
    server.call("DELETE", f"/api/predicted/asset/{assets[6]}", (200, 204))
    assert check_boxes(server, deployment)["images"] == 21
    review(server, assets[4], [rectangle((10, 10, 50, 50), "a label that no model knows")])
    said = check_boxes(server, deployment)
    row = next(row for row in said["labels"] if row["label"].startswith("a label"))
    assert said["images"] == 22 and (row["truths"], row["missed"], row["ap"]) == (1, 1, 0)


def test_labels_that_nobody_looks_at_are_neither_right_nor_wrong(server, street):
    deployment, _ = street
    settings = f"/api/deployment/{deployment['id']}/queue/settings"
    before = check_boxes(server, deployment)
    server.call("PUT", settings, 200, json={"labels_shown": ["person", "car"]})
    shown = check_boxes(server, deployment, labels={"person", "car"})
    assert shown["at_threshold"]["wrong"] < before["at_threshold"]["wrong"]
    server.call("PUT", settings, 200, json={"labels_shown": None})
    assert check_boxes(server, deployment)["coco"] == before["coco"]


@pytest.mark.parametrize("wrong", ["threshold=2", "from=x", "version=7", "to=-1"])
def test_refused(server, street, wrong):
    deployment, _ = street
    server.call("GET", f"/api/deployment/{deployment['id']}/quality?{wrong}", 400)


def test_no_such_deployment_and_no_reviews(server, colours):
    server.call("GET", "/api/deployment/00000000-0000-7000-8000-000000000000/quality", 404)
    version = server.get(f"/api/model/version/{colours['model_version_id']}")
    deployment = server.deploy(version, "quality of nothing", 0.1)
    server.predict(deployment, samples.photo("red"))
    answer = quality(server, deployment)
    assert answer["reviewed"] == 0 and answer["versions"] == [] and answer["over_time"] == []


# ---- classes ---------------------------------------------------------------------------------------------------------


def check_classes(server, deployment, version=None):
    answer = quality(server, deployment)
    version = version or deployment["model_version_id"]
    said = next(v for v in answer["versions"] if v["model_version_id"] == version)
    pairs = reference.classes(reference.reviewed(server, deployment, version))
    numbers, rows = reference.class_numbers(pairs)
    for name, number in numbers.items():
        near(said["classification"][name], number, name)
    right = sum(t == a for t, a in pairs)
    low, high = reference.wilson(right, len(pairs))
    near(said["ap"]["value"], right / len(pairs))
    assert said["ap"]["method"] == "wilson" and said["images"] == len(pairs)
    assert (said["ap"]["low"], said["ap"]["high"]) == pytest.approx((max(0, low), min(1, high)), abs=TOLERANCE)
    for row in said["labels"]:
        assert (row["precision"], row["recall"], row["f1"]) == pytest.approx(rows[row["label"]], abs=TOLERANCE)
    cells = {}
    for pair in pairs:
        cells[pair] = cells.get(pair, 0) + 1
    assert reference.cells_of(said["confusion"]) == cells
    return said


def test_digits(server, data, mnist):
    version = server.get(f"/api/model/version/{mnist['model_version_id']}")
    deployment = server.deploy(version, "quality of digits", 0.0)
    for i in range(30):
        digit = (0, 3, 5, 7)[i % 4]
        answer = server.predict(deployment, (data / f"models/mnist/{digit}.jpg").read_bytes())
        shapes = [named(str((digit + 1) % 10 if i % 7 == 6 else digit))]
        review(server, answer["predicted_asset_id"], [] if i == 11 else shapes)
    said = check_classes(server, deployment)
    assert 0.5 < said["classification"]["accuracy"] < 1
    assert champion(server, deployment, label="3")["images"] < 30
    images = reference.reviewed(server, deployment)
    scores = sorted(answers[0]["score"] for _, _, answers in images)
    sure = champion(server, deployment, threshold=scores[15])
    high = [(item, truths, [a for a in answers if a["score"] >= scores[15]]) for item, truths, answers in images]
    pairs = reference.classes(high)
    cells = {pair: pairs.count(pair) for pair in set(pairs) - {(None, None)}}
    assert reference.cells_of(sure["confusion"]) == cells
    assert sure["classification"] == said["classification"]  # of the best class, however unsure
    each = server.get(f"/api/deployment/{deployment['id']}/predictions/stats", params={"service": "classification"})["items"]
    assert [(item["stats"]["truth"], item["stats"]["answer"]) for item in each] == reference.classes(images)
    whole = server.get(f"/api/deployment/{deployment['id']}/stats", params={"service": "classification"})
    near(whole["stats"]["accuracy"], said["classification"]["accuracy"])


def test_a_shadow_is_measured_by_the_same_truth(server, tmp_path):
    """It came later than some of the reviews; promoted, the champion before it keeps its numbers."""
    first, second = shadowing.colour_versions(server, tmp_path, "quality of shadows", (2.0, -2.0))
    deployment = server.deploy(first, "quality of shadows", 0.1)
    colours = [samples.COLOURS[i % 3] for i in range(12)]
    assets = [server.predict(deployment, samples.photo(c))["predicted_asset_id"] for c in colours]
    for asset, colour in zip(assets[:8], colours):
        review(server, asset, [named(colour)])
    assert [v["role"] for v in quality(server, deployment)["versions"]] == ["champion"]
    shadowing.set_shadow(server, deployment, second, since="start")
    shadowing.wait_caught_up(server, deployment, second)
    for asset, colour in zip(assets[8:], colours[8:]):
        review(server, asset, [named(colour)])
    answer = quality(server, deployment)
    assert [v["role"] for v in answer["versions"]] == ["champion", "shadow"]
    assert [v["model_version_id"] for v in answer["versions"]] == [first["id"], second["id"]]
    images = {v["role"]: check_classes(server, deployment, v["model_version_id"])["images"] for v in answer["versions"]}
    assert images == {"champion": 12, "shadow": 12}
    assert answer["versions"][1]["difference"]["value"] < 0 and answer["versions"][1]["difference"]["high"] < 0
    alone = quality(server, deployment, version=second["id"])["versions"]
    assert [v["model_version_id"] for v in alone] == [second["id"]]
    server.post(f"/api/deployment/{deployment['id']}/shadow/{second['id']}/promote")
    roles = {v["model_version_id"]: v["role"] for v in quality(server, deployment)["versions"]}
    assert roles[second["id"]] == "champion" and roles[first["id"]] in ("shadow", "past")


def test_reviews_of_the_queue_stand_for_all_images(server, colours):
    """Hájek's estimator by the chances that the API says; the random share alone."""
    version = server.get(f"/api/model/version/{colours['model_version_id']}")
    deployment = server.deploy(version, "quality by chance", 0.1)
    for i in range(90):
        server.predict(deployment, samples.numbered(i))
    path = f"/api/deployment/{deployment['id']}/queue"
    server.call("PUT", f"{path}/settings", 200, json={"queue_order": "unsure", "random_share": 0.4})
    done = 0
    while done < 12:  # while nobody draws a second batch, the chances then are those of now
        leased = server.post(f"{path}/lease", {"client": "tab", "count": 4, "held": []})["items"]
        assert leased
        for item in leased:  # a third of them right
            said = item["predictions"][0]["shapes"][0]["label"]
            wrong = next(colour for colour in samples.COLOURS if colour != said)
            review(server, item["id"], [named(wrong if done % 3 else said)])
            done += 1
    by_hand = next(i for i in server.predicted_assets(deployment)[0] if not i["reviews"] and not i["chosen"])
    review(server, by_hand["id"], [named("red")])
    answer = quality(server, deployment)
    said = answer["versions"][0]
    images = reference.reviewed(server, deployment)
    chosen = [image for image in images if image[0]["chosen"]]
    assert answer["reviewed"] == len(images) == len(chosen) + 1 and answer["with_chance"] == len(chosen)
    weights = [1 / item["chosen"]["chance"] for item, _, _ in chosen]
    assert min(weights) >= 1 and len(set(weights)) > 1
    right = [t == a for t, a in reference.classes(chosen)]
    near(said["weighted"]["value"], sum(w * r for w, r in zip(weights, right)) / sum(weights))
    assert said["weighted"]["images"] == len(chosen)
    assert said["weighted"]["low"] < said["weighted"]["value"] < said["weighted"]["high"]
    randoms = [r for (item, _, _), r in zip(chosen, right) if item["chosen"]["why"] == "random"]
    if randoms:
        near(said["random_only"]["value"], sum(randoms) / len(randoms))
        assert said["random_only"]["images"] == len(randoms)
    else:
        assert said["random_only"] is None


def test_boxes_of_the_queue_stand_for_all_images(server, blocks):
    """AP by the chances, against the definition written down with NumPy."""
    version = server.get(f"/api/model/version/{blocks['model_version_id']}")
    deployment = server.deploy(version, "quality of blocks by chance", 0.1)
    for i in range(80):
        server.predict(deployment, samples.numbered(i))
    path = f"/api/deployment/{deployment['id']}/queue"
    server.call("PUT", f"{path}/settings", 200, json={"queue_order": "newest", "random_share": 0.5})
    chance = random.Random(4)
    for item in [i for _ in range(3) for i in server.post(f"{path}/lease", {"client": "tab", "count": 8, "held": []})["items"]]:
        if item["reviews"]:
            continue
        shapes = [
            rectangle((s["x"] + chance.choice((0, 2, s["w"] / 3)), s["y"], s["w"], s["h"]), chance.choice(samples.BLOCKS))
            for s in item["predictions"][0]["shapes"] if chance.random() < 0.7
        ]  # fmt: skip
        review(server, item["id"], [s for s in shapes if s["x"] + s["w"] < 96])
    said = champion(server, deployment)
    images = reference.reviewed(server, deployment)
    evaluation, _ = reference.coco(images)
    weights = [1 / item["chosen"]["chance"] for item, _, _ in images]
    assert len(set(weights)) > 1
    near(said["coco"]["AP"], evaluation.stats[0])
    near(said["ap"]["value"], reference.weighted_ap(evaluation, [1] * len(images)))
    assert said["weighted"]["value"] == pytest.approx(reference.weighted_ap(evaluation, weights), abs=1e-6)


# ---- masks -----------------------------------------------------------------------------------------------------------


def test_masks(server, data):
    """Mask AP, mean IoU of pixels: a real segmenter on real photos, what it said moved a little."""
    labels = (
        "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa "
        "train tvmonitor"
    ).split()
    model = next((data / "models/deeplab_v3/model").glob("*.onnx"))
    version = server.push(model, "quality of masks", "SEGMENTATION", ["background", *labels])
    deployment = server.deploy(version, "quality of masks", 0.3)
    photos = sorted((data / "det_voc50/images").iterdir())
    for i, photo in enumerate(photos[:4]):
        answer = server.predict(deployment, photo.read_bytes(), filename=photo.name)
        shapes = [
            {"type": "polygon", "polygon": [[max(0, x - 3 * i), y] for x, y in s["polygon"]], "label": s["label"]}
            for s in answer["shapes"]
        ]
        review(server, answer["predicted_asset_id"], shapes[: 1 + len(shapes) // 2])
    for threshold in (None, 0.9):
        answer = quality(server, deployment, **({} if threshold is None else {"threshold": threshold}))
        said = answer["versions"][0]
        images = reference.reviewed(server, deployment)
        evaluation, names = reference.coco(images, "segm")
        for name, number in zip(reference.NUMBERS, evaluation.stats):
            near(said["segmentation"][name], number, name)
        ious = reference.mean_iou(images, answer["threshold"])
        near(said["segmentation"]["mean_iou"], sum(ious.values()) / len(ious))
        for row in said["labels"]:
            near(row["iou"], ious.get(row["label"]), row["label"])
    assert answer["task"] == "SEGMENTATION" and said["images"] == 4


# ---- the SDK ---------------------------------------------------------------------------------------------------------


def test_the_sdk_reads_statistics(server, street):
    picsellia = pytest.importorskip("picsellia")
    from picsellia.types.enums import ServiceMetrics

    deployment, assets = street
    client = picsellia.Client(api_token=server.token, host=server.url, organization_name=server.organization["name"])
    theirs = client.get_deployment("quality of boxes")
    said = champion(server, deployment)
    whole = theirs.get_stats(ServiceMetrics.AGGREGATED_OBJECT_DETECTION_STATS)
    assert whole["count"] == said["images"] and whole["model_id"] == deployment["model_version_id"]
    near(whole["stats"]["ap_50_95"], said["coco"]["AP"])
    assert set(whole["labels"]) == {row["label"] for row in said["labels"]}
    each = theirs.get_stats(ServiceMetrics.REVIEWS_OBJECT_DETECTION_STATS)
    assert each["count"] == len(each["items"]) == said["images"]
    evaluation, _ = reference.coco(reference.reviewed(server, deployment), keep=lambda item: item["id"] == assets[0])
    one = theirs.get_stats(ServiceMetrics.REVIEWS_OBJECT_DETECTION_STATS, includes=[assets[0]])["items"]
    assert len(one) == 1 and one[0]["predicted_asset_id"] == assets[0]
    near(one[0]["stats"]["ap_50_95"], evaluation.stats[0])
    without = theirs.get_stats(ServiceMetrics.REVIEWS_OBJECT_DETECTION_STATS, excludes=[one[0]["oracle_prediction_id"]])
    assert without["count"] == said["images"] - 1
    assert theirs.get_stats(ServiceMetrics.AGGREGATED_OBJECT_DETECTION_STATS, since=3600)["count"] == said["images"]
    assert theirs.get_stats(ServiceMetrics.AGGREGATED_OBJECT_DETECTION_STATS, to_timestamp=1000000000.0)["count"] == 0
    labels = {}
    for _, truths, _ in reference.reviewed(server, deployment):
        for shape in truths:
            labels[shape["label"]] = labels.get(shape["label"], 0) + 1
    assert theirs.get_stats(ServiceMetrics.AGGREGATED_LABEL_DISTRIBUTION)["stats"]["reviews"] == labels
    each = theirs.get_stats(ServiceMetrics.REVIEWS_LABEL_DISTRIBUTION_STATS)["items"]
    assert sum(sum(item["stats"].values()) for item in each) == sum(labels.values())
    refused = server.call("GET", f"/api/deployment/{deployment['id']}/stats", 400, params={"service": "ae_outlier"})
    assert "not measured of all predictions together" in refused["message"]
