# SPDX-License-Identifier: Apache-2.0
"""The dashboard's numbers, each worked out again from predictions one by one (dashboard_reference.py): percentiles within the
1 % of their sketch, everything else exactly. Real photos, digits, predictions made elsewhere, and thousands that are made up."""

import base64
import time
import uuid

import dashboard_reference as reference
import harness
import pytest
import samples
from conftest import coco_labels

DAY_S = 86400
SKETCH = 0.0101
MADE_UP = 7000


def read(server, deployment, what="dashboard", **filters):
    return server.get(f"/api/deployment/{deployment['id']}/{what}", params=filters)


def counted(server, deployment, predictions):
    """Once all of them are in the roll-ups."""

    def ready():
        said = read(server, deployment, **{"from": 0})
        return said if not said["behind"] and said["totals"]["predictions"] == predictions else None

    return harness.wait_until(ready, 60, f"{predictions} counted predictions", 0.05)


def near(said, expected, name):
    if expected is None or said is None:
        assert said == expected, name
    else:
        relative = SKETCH if name.startswith("p") and name.endswith("_ms") else 1e-6
        thousandths = name in ("brightness", "contrast", "blur")
        assert said == pytest.approx(expected, rel=relative, abs=1e-3 if thousandths else 1e-9), name


def same_totals(said, expected):
    for name, value in expected.items():
        near(said["totals"][name], value, name)


def same_distributions(said, expected):
    for name, value in expected.items():
        if name in reference.HISTOGRAMS:
            first, width, count = reference.HISTOGRAMS[name]
            if not value or sum(value) == 0:
                assert said[name] is None, name
                continue
            assert said[name]["counts"] == value, name
            assert said[name]["edges"] == pytest.approx([first + width * i for i in range(count + 1)]), name
        else:
            assert said[name] == value, name


def same_series(said, expected):
    assert len(said) == len(expected) <= 200
    for point, other in zip(said, expected):
        for name, value in other.items():
            near(point[name], value, name)


def asked(threshold, label, filters):
    return {"from": 0, "threshold": threshold, **({"label": label} if label else {}), **(filters or {})}


def same(server, deployment, predictions, threshold="answered", label=None, filters=None, **chosen):
    """What it says with these filters is what the predictions that pass say. Returned: the answer, and those."""
    said = read(server, deployment, **asked(threshold, label, filters))
    own = reference.chosen(predictions, threshold=threshold, label=label, **chosen)
    same_totals(said, reference.totals(own, threshold, label))
    same_distributions(said["distributions"], reference.distributions(own, threshold, label))
    first = said["series"][0]["at"]
    same_series(said["series"], reference.series(own, first, said["step_s"], len(said["series"]), threshold, label))
    return said, own


def same_heat(server, deployment, predictions, threshold="answered", label=None, filters=None, **chosen):
    said = read(server, deployment, "heatmap", **asked(threshold, label, filters))
    own = reference.chosen(predictions, threshold=threshold, label=label, **chosen)
    for name, value in reference.heat(own, threshold, label).items():
        assert said[name] == value, name
    assert said["side"] == 64 and said["label"] == label and sum(said["centres"]) == said["shapes"]
    return said


# ---- photos: two champions, a shadow, three thresholds -------------------------------------------------------------------


@pytest.fixture(scope="module")
def street(server, data, yolox):
    """(deployment, versions): photos by a detector, another threshold, another champion, the first as its shadow; one refused."""
    labels = coco_labels(data)
    first = server.get(f"/api/model/version/{yolox['model_version_id']}")
    second = server.push(data / "models/yolox_nano/yolox_nano.onnx", "street two", "OBJECT_DETECTION", ["human", *labels[1:]])
    deployment = server.deploy(first, "counted street", 0.25)
    path = f"/api/deployment/{deployment['id']}"
    photos = iter(sorted((data / "det_voc50/images").iterdir()))

    def predict(count, **fields):
        for _ in range(count):
            photo = next(photos)
            server.predict(deployment, photo.read_bytes(), filename=photo.name, **fields)

    predict(5, source="gate", tags=["night", "wet"])
    predict(4, source="yard")
    server.patch(path, {"min_threshold": 0.5})
    predict(4, source="yard", tags=["wet"])
    server.post(f"{path}/model", {"model_version_id": second["id"]})
    server.post(f"{path}/shadow", {"model_version_id": first["id"]})
    predict(5)
    server.predict(deployment, b"no picture", expect=415, filename="no.jpg")
    harness.wait_until(
        lambda: server.deployment(deployment)["shadows"][0]["predictions"] == 5, 60, "the shadow to have caught up", 0.05
    )
    counted(server, deployment, 18)
    yield deployment, (first, second)
    server.delete(f"{path}/shadow/{first['id']}")


@pytest.fixture(scope="module")
def seen(server, street):
    return reference.stored(server, street[0])


def test_photos(server, street, seen):
    deployment, (first, second) = street
    said, own = same(server, deployment, seen)
    assert len(own) == 18 and said["basis"] == {"kind": "all", "images": 18, "of": 18, "sentence": None}
    assert said["task"] == "OBJECT_DETECTION" and said["threshold"] == {"mode": "answered", "value": None, "floor": None}
    versions = {(v["id"], v["role"]): v["predictions"] for v in said["versions"]}
    assert versions == {(second["id"], "champion"): 5, (first["id"], "shadow"): 5}
    assert {"gate", "yard"} <= set(said["sources"]) and {"human", "person", "car"} <= set(said["labels"])
    assert [(m["from_version"], m["to_version"], m["what"]) for m in said["markers"]] == [(first["id"], second["id"], "deployed")]
    same_heat(server, deployment, seen)


def test_photos_by_filter(server, street, seen):
    deployment, (first, second) = street
    for version in (first, second):
        same(server, deployment, seen, filters={"version": version["id"]}, version=version["id"])
        same_heat(server, deployment, seen, filters={"version": version["id"]}, version=version["id"])
    for source in ("gate", "yard", "nowhere"):
        same(server, deployment, seen, filters={"source": source}, source=source)
        same_heat(server, deployment, seen, filters={"source": source}, source=source)
    for tags in (["night"], ["wet"], ["night", "wet"], ["dry"]):
        said, own = same(server, deployment, seen, filters={"tag": tags}, tags=tags)
        assert len(own) == {"night": 5, "wet": 9, "dry": 0}[tags[-1]] and said["shadows"] == []
        same_heat(server, deployment, seen, filters={"tag": tags}, tags=tags)
    for label in ("person", "human", "car", "nothing"):
        same(server, deployment, seen, label=label)
        same_heat(server, deployment, seen, label=label)
    same(server, deployment, seen, label="person", threshold=0.3, filters={"source": "yard"}, source="yard")


def test_photos_by_threshold(server, street, seen):
    deployment, _ = street
    for threshold in (0.05, 0.37, 0.9):
        said, _ = same(server, deployment, seen, threshold=threshold)
        assert said["threshold"] == {"mode": "value", "value": threshold, "floor": None} and said["basis"]["kind"] == "all"
        same_heat(server, deployment, seen, threshold=threshold)
    setting = read(server, deployment, threshold="setting", **{"from": 0})
    assert setting["threshold"] == {"mode": "setting", "value": 0.5, "floor": None}
    same_distributions(setting["distributions"], reference.distributions(reference.chosen(seen), 0.5))


def test_a_shadow_stands_beside(server, street, seen):
    deployment, (first, _) = street
    own = [p for p in seen if p.shadow]
    setting = read(server, deployment, threshold="setting")
    said = read(server, deployment)
    for answer in (said, setting):
        assert [s["model_version_id"] for s in answer["shadows"]] == [first["id"]]
    assert sum(p["predictions"] for p in setting["shadows"][0]["series"]) == len(own) == 5
    points = said["shadows"][0]["series"]
    assert [p["at"] for p in points] == [p["at"] for p in said["series"]]
    wanted = {"at", "predictions", "mean_latency_ms", "p50_ms", "p99_ms"}
    expected = reference.series(own, points[0]["at"], said["step_s"], len(points))
    same_series(points, [{k: v for k, v in p.items() if k in wanted} for p in expected])


def test_what_was_refused(server, street):
    deployment, _ = street
    said = harness.wait_until(
        lambda: (found := read(server, deployment))["totals"]["refused"] and found, 30, "the refused request to be counted", 0.1
    )
    [one] = said["failed"]
    assert (one["http_status"], one["step"], one["count"]) == (415, "decode", 1)
    assert one["text"] and abs(one["last_at"] - time.time()) < 600
    assert said["totals"]["refused"] == sum(p["refused"] for p in said["series"]) == 1 and said["totals"]["failed"] == 0


def test_the_latency_chart_of_many_is_a_sample(server, street, seen):
    deployment, _ = street
    chart = read(server, deployment, "latency", points_max=7)
    latencies = [p.latency_us for p in reference.chosen(seen)]
    assert chart["sampled"] and chart["count"] == 18 and 1 <= len(chart["points"]) <= 7
    known = {p.asset: p for p in seen if not p.shadow}
    for at, latency_s, asset in chart["points"]:
        assert (round(at * 1e6), round(latency_s * 1e6)) == (known[asset].at, known[asset].latency_us)
    assert {p[2] for p in chart["shadow_points"]} <= {p[2] for p in chart["points"]}
    assert chart["mean_s"] == pytest.approx(sum(latencies) / 18 / 1e6)
    assert chart["p50_s"] == pytest.approx(reference.quantile(latencies, 0.5) / 1e6, rel=SKETCH)


def test_the_sdk_reads_metrics(server, street, seen):
    sdk = pytest.importorskip("picsellia")
    from picsellia.types.enums import ServiceMetrics

    deployment, (first, second) = street
    with sdk.Client(api_token=server.token, host=server.url) as client:
        theirs = client.get_deployment(name="counted street")
        whole = theirs.get_stats(ServiceMetrics.AGGREGATED_PREDICTIONS_DATA)
        each = theirs.get_stats(ServiceMetrics.PREDICTIONS_DATA)
        wet = theirs.get_stats(ServiceMetrics.PREDICTIONS_DATA, tags=["wet"])
        one = theirs.get_stats(ServiceMetrics.PREDICTIONS_DATA, includes=[each["items"][3]["oracle_prediction_id"]])
        without = theirs.get_stats(ServiceMetrics.AGGREGATED_PREDICTIONS_DATA, excludes=[each["items"][3]["predicted_asset_id"]])
        before = theirs.get_stats(ServiceMetrics.PREDICTIONS_DATA, to_timestamp=each["items"][5]["timestamp"])
        of_first = theirs.get_stats(ServiceMetrics.PREDICTIONS_DATA, model_version=client.get_model_version_by_id(first["id"]))
        labels = theirs.get_stats(ServiceMetrics.AGGREGATED_LABEL_DISTRIBUTION)
    own = reference.chosen(seen)
    expected = reference.totals(own)
    distributions = reference.distributions(own)
    assert whole["count"] == 18 and whole["model_id"] == second["id"]
    stats = whole["stats"]
    assert stats["latency"]["mean"] == pytest.approx(expected["mean_latency_ms"] / 1e3)
    assert stats["latency"]["p90"] == pytest.approx(expected["p90_ms"] / 1e3, rel=SKETCH)
    assert (stats["shapes"], stats["without_shapes"]) == (expected["shapes"], expected["without_shapes"])
    assert stats["width"] == pytest.approx(reference.mean(p.width for p in own))
    assert stats["image_ratio"] == {r["name"]: r["images"] for r in distributions["image_ratios"]}
    assert stats["labels"] == labels["stats"]["predictions"] == {r["label"]: r["shapes"] for r in distributions["labels"]}
    assert labels["stats"]["reviews"] == {} and labels["count"] == 0
    assert each["count"] == 18 and [i["oracle_prediction_id"] for i in each["items"]] == [p.id for p in reversed(own)]
    for item, p in zip(each["items"], reversed(own)):
        stats = item["stats"]
        assert (item["predicted_asset_id"], item["model_id"]) == (p.asset, p.version)
        assert item["timestamp"] == pytest.approx(p.at / 1e6)
        assert stats["latency"] == pytest.approx(p.latency_us / 1e6) and stats["shapes"] == len(p.shown("answered"))
        assert (stats["width"], stats["height"], stats["image_area"]) == (p.width, p.height, p.width * p.height)
        assert stats["image_ratio"] == pytest.approx(p.width / p.height)
        assert stats["image_ratio_name"] == reference.ratio_name(p.width, p.height)
        assert stats["score_max"] == (p.shapes[0][1] if p.shapes else None)
        assert all(stats[k] == pytest.approx(p.stats[k]) for k in ("brightness", "contrast", "blur"))
    assert wet["count"] == 9 and one["count"] == 1 and one["items"][0] == each["items"][3]
    assert without["count"] == 17 and before["count"] == 12 and of_first["count"] == 13


def test_deleted_images_stay_counted(server, street, seen):
    """Last of the photos' tests: it takes images away."""
    deployment, _ = street
    before = read(server, deployment, **{"from": 0})
    for p in reference.chosen(seen)[::6]:
        server.delete(f"/api/predicted/asset/{p.asset}")
    after = read(server, deployment, **{"from": 0})
    for part in ("distributions", "series", "versions", "labels", "sources"):
        assert after[part] == before[part], part
    same(server, deployment, seen)
    same(server, deployment, seen, threshold=0.4)
    same_heat(server, deployment, seen, threshold=0.4)


# ---- classes -------------------------------------------------------------------------------------------------------------


def test_digits(server, data, mnist):
    """A best score below the threshold is no answer, and counted as that."""
    version = server.get(f"/api/model/version/{mnist['model_version_id']}")
    deployment = server.deploy(version, "counted digits", 0.9)
    for digit in (0, 3, 5, 7):
        server.predict(deployment, (data / f"models/mnist/{digit}.jpg").read_bytes())
    counted(server, deployment, 4)
    predictions = reference.stored(server, deployment)
    best = sorted(p.shapes[0][1] for p in predictions)
    middle = (best[1] + best[2]) / 2
    for threshold in ("answered", middle, 1.0):
        said, _ = same(server, deployment, predictions, threshold=threshold)
        shown = said["distributions"]["labels"]
        assert said["totals"]["without_shapes"] + sum(one["images"] for one in shown) == 4
        assert said["distributions"]["sizes"] is None and said["distributions"]["ratios"] is None
    heat = read(server, deployment, "heatmap")
    assert heat["shapes"] == 0 and not any(heat["centres"]) and not any(heat["coverage"])


def test_masks(server):
    """Where they are, and their size and shape, is that of their bounds."""
    labels = ["sky", "road"]
    version = server.make_version(server.make_model("counted masks"), "SEGMENTATION", labels)
    deployment = server.post(
        f"/api/organization/{server.organization['id']}/deployments",
        {"name": "counted masks", "model_version_id": version["id"], "min_threshold": 0.3, "disable_serving": True},
    )
    for n in range(6):
        masks = [[[k, n], [40 + k, n], [30, 20 + n + 3 * k], [5 + k, 30]] for k in range(n)]
        scores, classes = [0.9 - k / 7 for k in range(n)], [k % 2 for k in range(n)]
        said = {"detection_classes": classes, "detection_scores": scores, "detection_masks": masks}
        monitor(server, deployment, time.time() - 100 * n, 0.01, [], "line", labels, raw_predictions=said)
    counted(server, deployment, 6)
    predictions = reference.stored(server, deployment)
    for filters in ({}, {"threshold": 0.6}, {"label": "road"}):
        same(server, deployment, predictions, **filters)
        assert same_heat(server, deployment, predictions, **filters)["shapes"] > 3


# ---- elsewhere, at any time ----------------------------------------------------------------------------------------------


def monitor(server, deployment, at, latency, shapes, source, labels, **more):
    body = {
        "filename": "x.jpg", "content_type": "IMAGE/JPEG", "width": 64, "height": 48, "latency": latency,
        "timestamp": at, "source": source, "image": base64.b64encode(samples.photo("red")).decode(),
        "raw_predictions": {
            "detection_classes": [labels.index(s[0]) for s in shapes], "detection_scores": [s[1] for s in shapes],
            "detection_boxes": [[s[3], s[2], s[3] + s[5], s[2] + s[4]] for s in shapes],
        }, **more,
    }  # fmt: skip
    return server.post(f"/api/deployment/{deployment['id']}/predictions", body)


@pytest.fixture(scope="module")
def elsewhere(server):
    """Two versions without a file, whose labels are in another order; predictions over five days."""
    labels = ["bolt", "nut"], ["washer", "nut", "bolt"]
    model = server.make_model("counted elsewhere")
    versions = [server.make_version(model, "OBJECT_DETECTION", names) for names in labels]
    deployment = server.post(
        f"/api/organization/{server.organization['id']}/deployments",
        {"name": "counted elsewhere", "model_version_id": versions[0]["id"], "min_threshold": 0.3, "disable_serving": True},
    )
    end = int(time.time()) // 60 * 60 - 120
    for n in range(60):
        if n == 40:
            server.post(f"/api/deployment/{deployment['id']}/model", {"model_version_id": versions[1]["id"]})
        names = labels[n >= 40]
        shapes = [
            (names[(n + k) % len(names)], 0.9 - 0.17 * k - n / 1000, 3 + k, 2 + n % 20, 5 + n % 30, 7 + k) for k in range(n % 5)
        ]
        shadow = {"shadow_latency": 0.5} if n == 50 else {}
        monitor(server, deployment, end - n * 7321.5, 0.01 + n / 1000, shapes, f"line {n % 3}", names, **shadow)
    counted(server, deployment, 60)
    return deployment, reference.stored(server, deployment), end


def test_elsewhere(server, elsewhere):
    """No file, no Training Data: nothing is falsely empty; labels of both versions are one by their name."""
    deployment, predictions, _ = elsewhere
    said, own = same(server, deployment, predictions)
    assert len(own) == 60 and {one["label"] for one in said["distributions"]["labels"]} == {"bolt", "nut", "washer"}
    assert said["threshold"]["floor"] == pytest.approx(min(s[1] for p in own for s in p.shapes), abs=1e-4)
    assert all(said["distributions"][name] for name in ("objects", "scores", "sizes", "ratios", "image_areas"))
    for label in ("bolt", "washer"):
        same(server, deployment, predictions, label=label)
        same_heat(server, deployment, predictions, label=label)
    same(server, deployment, predictions, threshold=0.6)


def test_any_range(server, elsewhere):
    """Days, hours and minutes make up each; edges are widened to whole minutes."""
    deployment, predictions, end = elsewhere
    day = end // DAY_S * DAY_S
    for since, until in [
        (end - 5 * DAY_S, end), (end - 5 * DAY_S - 17.5, end + 0.25), (day - 3 * DAY_S, day - DAY_S),
        (day - 2 * DAY_S + 61, day - 3599),
        (end - 3600, end + 1), (end - 1, end + 1), (day - 300 * DAY_S, end + 40), (day - 5000 * DAY_S, end + 1),
    ]:  # fmt: skip
        said, _ = same(server, deployment, predictions, filters={"from": since, "to": until}, since=since, until=until)
        assert said["from"] == since // 60 * 60 and said["to"] == -(-until // 60) * 60
        same_heat(server, deployment, predictions, filters={"from": since, "to": until}, since=since, until=until)
    until = end - 2 * DAY_S
    said = read(server, deployment, to=until)
    assert said["from"] == (until - DAY_S) // 60 * 60
    last_day = read(server, deployment)  # now minus a day
    own = reference.chosen(predictions, since=last_day["from"], until=last_day["to"])
    same_totals(last_day, reference.totals(own))


def test_a_range_with_nothing(server, elsewhere):
    deployment, _, _ = elsewhere
    for filters in ({"from": 1000, "to": 2000}, {"from": 0, "to": 5}, {"to": 100}):
        said = read(server, deployment, **filters)
        assert said["totals"]["predictions"] == said["totals"]["shapes"] == 0
        assert said["totals"]["mean_latency_ms"] is None and said["totals"]["p99_ms"] is None
        assert all(p["predictions"] == 0 and p["p50_ms"] is None and p["objects"] is None for p in said["series"])
        assert said["distributions"]["labels"] == [] and all(said["distributions"][name] is None for name in reference.HISTOGRAMS)
        assert said["basis"] == {"kind": "all", "images": 0, "of": 0, "sentence": None}
        assert read(server, deployment, "heatmap", **filters)["shapes"] == 0


def test_what_is_not_understood(server, elsewhere):
    path = f"/api/deployment/{elsewhere[0]['id']}"
    for call in ("dashboard", "heatmap"):
        for filters in (
            {"from": "soon"}, {"from": 20, "to": 10}, {"from": -1}, {"to": 1e12}, {"threshold": "high"}, {"threshold": 1.5},
            {"threshold": "nan"}, {"version": "first"},
        ):  # fmt: skip
            assert server.call("GET", f"{path}/{call}", 400, params=filters)["message"], filters
        server.call("GET", f"/api/deployment/{uuid.uuid4()}/{call}", 404)


# ---- thousands -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """(server, deployment, predictions): more than are read one by one, of more sources than have roll-ups of their own."""
    with harness.Server(tmp_path_factory.mktemp("many")) as server:
        labels = ["bolt", "nut", "washer"]
        version = server.make_version(server.make_model("many"), "OBJECT_DETECTION", labels)
        deployment = server.post(
            f"/api/organization/{server.organization['id']}/deployments",
            {"name": "many", "model_version_id": version["id"], "min_threshold": 0.25, "disable_serving": True},
        )
        server.stop()
        end = (int(time.time()) // DAY_S - 1) * DAY_S + 7000
        sources = ["gate"] * 40 + [f"line {n}" for n in range(70)]
        first_us, span_us = (end - 3 * DAY_S) * 10**6, 3 * DAY_S * 10**6
        made = list(reference.make_up(MADE_UP, version["id"], labels, first_us, span_us, sources=sources))
        reference.put(server.data, deployment, made)
        server.start()
        counted(server, deployment, MADE_UP)
        yield server, deployment, [p for p, _ in made]


def test_thousands(many):
    server, deployment, predictions = many
    said, _ = same(server, deployment, predictions)
    assert said["basis"] == {"kind": "all", "images": MADE_UP, "of": MADE_UP, "sentence": None}
    own_sources = set(said["sources"]) - {"other"}
    assert len(own_sources) == 64 and "other" in said["sources"]
    same(server, deployment, predictions, filters={"source": "gate"}, source="gate")
    same(server, deployment, predictions, filters={"source": "other"}, source="other", own_sources=own_sources)
    one = next(p.source for p in predictions if p.source not in own_sources)
    found = read(server, deployment, source=one, **{"from": 0})  # roll-ups know it as one of the others alone
    assert found["basis"]["kind"] == "sample" and 0 < found["totals"]["predictions"] < MADE_UP / 20
    day = predictions[0].at // 10**6 // DAY_S * DAY_S
    for since, until in [(day, day + 2 * DAY_S), (day + 3601, day + 2.5 * DAY_S)]:
        same(server, deployment, predictions, filters={"from": since, "to": until}, since=since, until=until)


def test_a_sample_of_thousands(many):
    """At a threshold that nothing was counted at: shapes are of the sample, whose counts are multiplied; the rest is of all."""
    server, deployment, predictions = many
    own = reference.drawn(predictions)
    said = read(server, deployment, threshold=0.6, **{"from": 0})
    assert said["basis"]["kind"] == "sample" and (said["basis"]["images"], said["basis"]["of"]) == (len(own), MADE_UP)
    assert said["basis"]["sentence"] == f"What is said of shapes is drawn from {len(own):,} of {MADE_UP:,} images."
    exact, some = reference.totals(predictions, 0.6), reference.totals(own, 0.6)
    expected = {**exact, **{k: reference.scaled(some[k], MADE_UP, len(own)) for k in ("shapes", "without_shapes")}}
    same_totals(said, expected)
    shapes = reference.scaled(reference.distributions(own, 0.6), MADE_UP, len(own))
    for name in ("scores", "sizes", "ratios"):  # each label's counts are rounded
        each = [reference.distributions(own, 0.6, label)[name] for label in ("bolt", "nut", "washer")]
        shapes[name] = [sum(column) for column in zip(*(reference.scaled(counts, MADE_UP, len(own)) for counts in each))]
    names = ("image_areas", "image_ratios", "brightness", "contrast", "blur")
    images = {k: v for k, v in reference.distributions(predictions, 0.6).items() if k in names}
    same_distributions(said["distributions"], {**shapes, **images})
    for name in ("shapes", "without_shapes"):  # and the sample is a fair one
        assert expected[name] == pytest.approx(exact[name], rel=0.1)
    heat = read(server, deployment, "heatmap", threshold=0.6, **{"from": 0})
    assert heat["basis"]["kind"] == "sample"
    for name, value in reference.heat(own, 0.6).items():
        assert heat[name] == reference.scaled(value, MADE_UP, len(own)), name


def test_a_label_of_thousands(many):
    """Its images and shapes are of all; what roll-ups do not tell apart by label is of a sample."""
    server, deployment, predictions = many
    own, all_of_it = reference.chosen(reference.drawn(predictions), label="nut"), reference.chosen(predictions, label="nut")
    said = read(server, deployment, label="nut", **{"from": 0})
    exact = reference.totals(all_of_it, label="nut")
    assert [said["totals"][k] for k in ("predictions", "shapes", "without_shapes")] == [exact["predictions"], exact["shapes"], 0]
    wanted = reference.distributions(all_of_it, label="nut")
    same_distributions(said["distributions"], {k: wanted[k] for k in ("labels", "scores", "sizes", "ratios")})
    some = reference.distributions(own, label="nut")
    names = ("objects", "brightness", "image_areas", "image_ratios")
    same_distributions(said["distributions"], {k: reference.scaled(some[k], exact["predictions"], len(own)) for k in names})
    series = reference.series(all_of_it, said["series"][0]["at"], said["step_s"], len(said["series"]), label="nut")
    same_series(said["series"], [{k: p[k] for k in ("at", "predictions", "objects")} for p in series])
    assert said["basis"]["kind"] == "sample" and said["basis"]["of"] == MADE_UP


def test_a_heatmap_of_thousands_is_by_days(many):
    server, deployment, predictions = many
    day = predictions[0].at // 10**6 // DAY_S * DAY_S
    said = same_heat(server, deployment, predictions, label="nut")
    assert said["basis"]["kind"] == "all" and "whole days" in said["basis"]["sentence"]
    filters = {"from": day, "to": day + 10 * DAY_S}
    assert same_heat(server, deployment, predictions, filters=filters)["basis"]["sentence"] is None


def test_tags_of_thousands(many):
    """What has no image has no tag."""
    server, deployment, _ = many
    said = read(server, deployment, tag="night", **{"from": 0})
    assert said["totals"]["predictions"] == 0 and said["basis"]["kind"] == "sample" and said["shadows"] == []


def test_the_setting_is_a_sample_until_it_is_counted(many):
    """Last of the thousands' tests: it changes the threshold, while nothing is counted."""
    server, deployment, predictions = many
    before = read(server, deployment, threshold="setting", **{"from": 0})
    assert before["basis"]["kind"] == "all" and before["threshold"]["value"] == 0.25
    server.stop()
    server.env["GYRE_WATCH"] = "off"
    server.start()
    server.patch(f"/api/deployment/{deployment['id']}", {"min_threshold": 0.6})
    meanwhile = read(server, deployment, threshold="setting", **{"from": 0})
    assert meanwhile["basis"]["kind"] == "sample" and "off" in meanwhile["basis"]["sentence"]
    assert (meanwhile["threshold"]["mode"], meanwhile["threshold"]["value"]) == ("setting", 0.6)
    server.stop()
    server.env["GYRE_WATCH"] = "on"
    server.start()
    ready = harness.wait_until(
        lambda: (found := read(server, deployment, threshold="setting", **{"from": 0}))["basis"]["kind"] == "all"
        and not found["behind"] and found,
        60, "the recount", 0.1,
    )  # fmt: skip
    same_totals(ready, reference.totals(predictions, 0.6))
    same_distributions(ready["distributions"], reference.distributions(predictions, 0.6))
    same(server, deployment, predictions, threshold=0.6)  # the same by its number
    same(server, deployment, predictions)  # and as answered it is what it was
    same_heat(server, deployment, predictions, threshold=0.6)


def test_what_is_not_counted_yet(many):
    """It is told, on pages and by the SDK's infos."""
    server, deployment, _ = many
    path = f"/api/deployment/{deployment['id']}"
    assert read(server, deployment)["behind"] is False
    assert "infos" not in server.get(f"{path}/stats", params={"service": "metrics"})
    server.stop()
    server.env["GYRE_WATCH"] = "off"
    server.start()
    monitor(server, deployment, time.time(), 0.01, [], "gate", ["bolt", "nut", "washer"])
    assert read(server, deployment)["behind"] is True
    assert "not counted yet" in server.get(f"{path}/stats", params={"service": "metrics"})["infos"]["info"]
    assert server.get(f"{path}/predictions/stats", params={"service": "metrics", "since": 60})["count"] == 1
