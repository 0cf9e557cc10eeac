# SPDX-License-Identifier: Apache-2.0
"""Training Data, drift and outliers: a reference by a job, the numbers of the panels by SciPy, what raises an alarm."""

import base64
import concurrent.futures
import io
import json
import os
import random
import sqlite3
import struct
import uuid

import harness
import numpy
import pytest
import requests
import samples
import scipy.stats
from PIL import Image
from test_openapi import check, contract  # noqa: F401

picsellia = pytest.importorskip("picsellia")
from picsellia import Client  # noqa: E402
from picsellia.types.enums import ServiceMetrics  # noqa: E402

SEED = int(os.environ.get("GYRE_SEED", random.randrange(1 << 30)))
PIXELS = ("brightness", "contrast", "sharpness", "entropy", "red_share", "blue_share")


def picture(rng, light=1.0, side=48):
    """Noise around a colour, no two alike."""
    base, spread = rng.uniform(60, 190, 3), rng.uniform(10, 40)
    pixels = rng.normal(base, spread, (side, side, 3)) * light
    out = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8)).save(out, "PNG", compress_level=1)
    return out.getvalue()


class Watched:
    """A deployment, and a dataset version of pictures that are in its datalake but that it has not seen."""

    def __init__(self, server, version_id, images=60, threshold=0.1, **more):
        self.server, self.rng = server, numpy.random.default_rng(SEED)
        self.org = f"/api/organization/{server.organization['id']}"
        self.name = f"drift-{uuid.uuid4().hex[:8]}"
        body = {"name": self.name, "min_threshold": threshold, **more}
        self.raw = server.post(f"/api/model/version/{version_id}/deploy", body)
        self.path = f"/api/deployment/{self.raw['id']}"
        self.version = self.make_dataset(images) if images else None

    def make_dataset(self, images):
        """The pictures come in through another deployment."""
        other = self.server.post(f"/api/model/version/{self.raw['model_version_id']}/deploy", {"name": f"{self.name}-in"})
        self.predict_many(images, deployment=other)
        items = self.server.get(f"/api/deployment/{other['id']}/predictedassets", params={"limit": 1000})["items"]
        dataset = self.server.post(f"{self.org}/datasets", {"name": self.name})
        version = self.server.post(f"/api/dataset/{dataset['id']}/versions", {"version": "first"})
        path = f"/api/dataset/version/{version['id']}/assets"
        self.server.post(path, {"data_ids": [item["data"]["id"] for item in items]})
        harness.wait_until(lambda: self.server.get(path)["count"] == images, 20, "assets")
        return version

    def set(self, expect=(200, 201), **body):
        return self.server.post(
            f"{self.path}/pipeline/td/setup", body or {"dataset_version_id": self.version["id"]}, expect=expect
        )

    def training_data(self):
        return self.server.get(f"{self.path}/pipeline/td")

    def ended(self, timeout=30):
        """What is set, when its job is done."""

        def done():
            now = self.training_data()
            job = now["reference"] and now["reference"]["job_id"]
            if now["status"] == "RUNNING" or (job and self.server.get(f"/api/job/{job}")["status"] == "RUNNING"):
                return None
            return now

        return harness.wait_until(done, timeout, "the reference")

    def ready(self):
        now = self.ended()
        assert now["status"] == "SUCCESS", now
        return now

    def predict(self, light=1.0, **fields):
        return self.server.predict(self.raw, picture(self.rng, light), **fields)["predicted_asset_id"]

    def predict_many(self, count, light=1.0, deployment=None, **fields):
        """Together, as commits of a group cost one."""
        images = [picture(self.rng, light) for _ in range(count)]

        def one(image):
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {self.server.token}"
                return self.server.predict(deployment or self.raw, image, session=session, **fields)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, images))

    def drift(self, **params):
        return self.server.get(f"{self.path}/drift", params=params)

    def outliers(self, **params):
        return self.server.get(f"{self.path}/outliers", params=params)

    def feature(self, name, **params):
        return next(f for f in self.drift(**params)["features"] if f["name"] == name)

    def seen(self, count):
        """The tail has come so far: detectors have seen so many."""
        return harness.wait_until(
            lambda: (lambda d: d if d["detectors"]["seen"] >= count else None)(self.drift()), 30, f"{count} images"
        )

    def events(self):
        return [e for e in self.server.get(f"{self.path}/alerts")["events"] if e["kind"] == "is_drift"]

    def query(self, sql, *values):
        with sqlite3.connect(f"file:{self.server.data}/gyre.db?mode=ro", uri=True) as db:
            return db.execute(sql, values).fetchall()


def version_of(server, deployment):
    return server.deployment(deployment)["model_version_id"]


@pytest.fixture(scope="module")
def watched(server, colours):
    """Thirty pictures before, from one camera; then Training Data; then 60 more, from another."""
    made = Watched(server, version_of(server, colours))
    made.predict_many(30, source="before")
    made.set()
    made.ready()
    made.predict_many(30, source="after", tags=["odd"])
    made.predict_many(30, source="after")
    made.seen(60)
    return made


# ---- what is set -----------------------------------------------------------------------------------------------------


def test_a_reference_is_made_by_a_job(watched, contract):  # noqa: F811
    now = watched.training_data()
    check(contract, now, {"$ref": "#/components/schemas/TrainingData"}, "td")
    reference = now["reference"]
    assert (now["kind"], now["dataset_version"]["id"]) == ("DATASET", watched.version["id"])
    assert reference["images"] == 60 and reference["small"] and not reference["held_out"] and reference["predicted"]
    assert "may have been trained on" in reference["note"] and reference["features"]
    assert "ranked by 30 images, so that none can be called one in a hundred" in reference["note"]
    assert 0.03 < reference["tolerance"] == watched.drift()["detectors"]["tolerance"] < 0.5  # 60 are few
    job = watched.server.get(f"/api/job/{reference['job_id']}")
    assert job["kind"] == "reference" and job["result"]["images"] == 60 and job["result"]["looked_back"] == 30
    assert watched.set()["reference"]["id"] == reference["id"]  # the same again changes nothing


def test_bad_wishes_are_refused(watched):
    assert "at least 20" in watched.set(kind="PRODUCTION", images=5, expect=400)["message"] + " at least 20"
    watched.set(kind="SOMETHING", expect=400)
    watched.set(dataset_version_id=str(uuid.uuid4()), expect=404)
    empty = watched.server.post(
        f"/api/dataset/{watched.version['origin_id']}/versions", {"version": uuid.uuid4().hex[:8]}
    )
    said = watched.set(dataset_version_id=empty["id"], expect=422)["message"]
    assert "has 0 images; Training Data needs at least 20" in said


# ---- the panel, by others ----------------------------------------------------------------------------------------------


def best_score(packed):
    return struct.unpack_from("<f", packed, 10)[0] if struct.unpack_from("<H", packed, 2)[0] else 0.0


def of_pixels(stats):
    rgb = stats["mean_rgb"]
    return {
        "brightness": stats["brightness"],
        "contrast": stats["contrast"],
        "sharpness": numpy.log2(1 + stats["blur"]),
        "entropy": stats["entropy"],
        "red_share": rgb[0] / sum(rgb),
        "blue_share": rgb[2] / sum(rgb),
    }


def columns(rows):
    """(image_stats, shapes) of images → values of each feature."""
    each = [{**of_pixels(json.loads(stats)), "score_max": best_score(packed)} for stats, packed in rows]
    return {name: numpy.array([v[name] for v in each]) for name in each[0]}


def both(w, report):
    """Reference and window as they are in the database."""
    reference = uuid.UUID(report["reference"]["id"]).bytes
    rows = w.query("SELECT image_stats, shapes FROM reference_image WHERE reference_id = ?", reference)
    seen = []
    for one in report["window"]["ids"]:
        seen += w.query("SELECT image_stats, shapes FROM prediction WHERE predicted_asset_id = ?", uuid.UUID(one).bytes)
    assert len(rows) == report["reference"]["images"] and len(seen) == report["window"]["effective"]
    return columns(rows), columns(seen)


def test_distances_and_p_are_scipys(watched, contract):  # noqa: F811
    report = watched.drift(ids=1)
    check(contract, report, {"$ref": "#/components/schemas/Drift"}, "drift")
    assert report["window"]["images"] == 90 and 20 <= report["window"]["effective"] <= 90
    assert "Small reference" in " ".join(report["missing"]) and report["reference"]["small"]
    expected, window = both(watched, report)
    tests = len(report["features"])
    checked = 0
    for f in report["features"]:
        assert f["p_adjusted"] == pytest.approx(min(1, f["p"] * tests))
        assert f["drifted"] == (f["p_adjusted"] < 0.01 and f["d"] >= 0.1)
        assert f["may_alarm"] == (f["kind"] == "image")
        if f["name"] not in expected:
            continue
        a, b = expected[f["name"]], window[f["name"]]
        scipys = scipy.stats.ks_2samp(a, b, method="exact")
        assert f["d"] == pytest.approx(scipys.statistic, abs=1e-12), f["name"]
        assert f["p"] == pytest.approx(scipys.pvalue, rel=1e-9), f["name"]
        at = numpy.linspace(0, 1, 65)
        assert f["reference"]["quantiles"] == pytest.approx(numpy.quantile(a, at), rel=1e-9), f["name"]
        assert f["window"]["quantiles"] == pytest.approx(numpy.quantile(b, at), rel=1e-9), f["name"]
        half = numpy.sqrt(numpy.log(4 / 0.05) / 2 / len(a)) + numpy.sqrt(numpy.log(4 / 0.05) / 2 / len(b))
        assert f["low"] <= f["d"] <= f["high"] <= f["d"] + half + 1e-9
        checked += 1
    assert checked == len(PIXELS) + 1


def test_filters_and_places(watched):
    after = watched.drift(source="after", ids=1)
    assert after["window"]["images"] == 60
    assert watched.drift(tag="odd")["window"]["images"] == 30
    assert watched.drift(images=10)["window"]["effective"] == 10
    assert watched.drift(label="red")["window"]["images"] == 90  # stored for each, at whatever score
    assert watched.drift(source="nowhere")["window"]["effective"] == 0
    assert watched.drift(source="nowhere")["features"] == []
    middle = after["window"]["from"]  # of the oldest that counts, of the sixty
    early, late = watched.drift(to=middle, ids=1)["window"], watched.drift(**{"from": middle}, ids=1)["window"]
    assert early["images"] + late["images"] == 90 and early["images"] >= 30 and late["from"] >= middle > early["to"]
    assert "Only the champion" in watched.drift(version=str(uuid.uuid4()))["missing"][-1]
    first = after["features"][0]
    [source] = [w for w in after["where"] if w["by"] == "source"]
    assert source["name"] == "after" and source["feature"] == first["name"] and source["images"] == after["window"]["effective"]
    assert source["d"] == pytest.approx(first["d"])
    assert len(after["examples"]) == min(12, after["window"]["effective"])
    assert {e["predicted_asset_id"] for e in after["examples"]} <= set(after["window"]["ids"])


def test_outliers(watched, contract):  # noqa: F811
    found = watched.outliers()
    check(contract, found, {"$ref": "#/components/schemas/Outliers"}, "outliers")
    counts = found["counts"]
    assert counts["images"] == 90 == len(found["points"]) and found["sampled"] is None  # with the 30 of before
    assert counts["outliers"] == sum(p["rank"] <= 0.01 for p in found["points"])
    wilson = scipy.stats.binomtest(counts["outliers"], 90).proportion_ci(method="wilson")
    assert (counts["low"], counts["high"]) == pytest.approx((wilson.low, wilson.high))
    ranks = [w["rank"] for w in found["worst"]]
    assert len(ranks) == 12 and ranks == sorted(p["rank"] for p in found["points"])[:12]
    assert watched.outliers(source="before")["counts"]["images"] == 30
    few = watched.outliers(limit=10)
    assert len(few["points"]) <= 10 and "of 90 images" in few["sampled"]


def test_the_sdk_has_them(watched):
    with Client(api_token=watched.server.token, host=watched.server.url) as client:
        deployment = client.get_deployment(name=watched.name)
        assert deployment.check_training_data_metrics_status() == "SUCCESS"
        drift = deployment.get_stats(ServiceMetrics.AGGREGATED_DRIFTING_PREDICTIONS)
        panel = watched.drift()
        assert drift["stats"]["ks_drift"]["is_drift"] == any(f["drifted"] for f in panel["features"])
        said = {f["name"]: (f["distance"], f["p_val"]) for f in drift["stats"]["ks_drift"]["features"]}
        assert said == {f["name"]: (f["d"], f["p"]) for f in panel["features"]}
        each = deployment.get_stats(ServiceMetrics.PREDICTIONS_OUTLYING_SCORE)
        assert each["count"] == 90 == len(each["items"])
        points = {p["predicted_asset_id"]: p["score"] for p in watched.outliers()["points"]}
        assert {i["predicted_asset_id"]: i["stats"]["ae_outlier"] for i in each["items"]} == points
        one = each["items"][0]["predicted_asset_id"]
        assert deployment.get_stats(ServiceMetrics.PREDICTIONS_OUTLYING_SCORE, includes=[one])["count"] == 1
        assert deployment.get_stats(ServiceMetrics.PREDICTIONS_OUTLYING_SCORE, excludes=[one])["count"] == 89
        assert deployment.get_stats(ServiceMetrics.PREDICTIONS_OUTLYING_SCORE, tags=["odd"])["count"] == 30


# ---- what raises an alarm, and what does not -----------------------------------------------------------------------------


def test_no_alarm_without_drift(watched):
    """Clean pictures, another threshold, and an identical model in the champion's place."""
    w = watched
    assert w.events() == []
    was = w.drift(ids=1)
    w.server.patch(w.path, {"min_threshold": 0.4})
    report = w.drift(ids=1)
    assert report["threshold"] == 0.4 and report["window"] == was["window"]
    expected, window = both(w, report)
    for f in report["features"]:  # of pixels and of the best score nothing changes
        if f["name"] in expected:
            assert f["d"] == pytest.approx(scipy.stats.ks_2samp(expected[f["name"]], window[f["name"]]).statistic), f["name"]
    for a, b in zip(w.drift(threshold=0.1)["features"], was["features"]):
        assert {**a, "strength": 0} == {**b, "strength": 0}
    w.predict_many(30, source="after")
    w.seen(30)  # they began anew
    assert w.events() == []


def test_another_threshold_of_a_detector(server):
    """0.3 → 0.6 on a clean stream: no alarm, AP as it was, and the chart is what counting the predictions again gives."""
    labels = ["bolt", "nut"]
    version = server.make_version(server.make_model("thresholds"), "OBJECT_DETECTION", labels)
    w = Watched(server, version["id"], images=0, threshold=0.3, disable_serving=True)

    def send(count):
        for _ in range(count):
            boxes = w.rng.integers(0, 20, (w.rng.integers(1, 7), 2))
            raw = {
                "detection_classes": w.rng.integers(0, 2, len(boxes)).tolist(),
                "detection_scores": w.rng.uniform(0.05, 1, len(boxes)).tolist(),
                "detection_boxes": [[int(y), int(x), int(y) + 20, int(x) + 16] for x, y in boxes],
            }
            body = {
                "filename": "x.png", "content_type": "IMAGE/PNG", "width": 48, "height": 48, "latency": 0.01,
                "image": base64.b64encode(picture(w.rng)).decode(), "raw_predictions": raw,
            }  # fmt: skip
            server.post(f"{w.path}/predictions", body)

    send(60)
    w.set(kind="PRODUCTION", images=60)
    w.ready()
    send(60)
    w.seen(60)
    assert w.events() == []
    for item in server.predicted_assets(w.raw)[0][:12]:
        shapes = [{k: s[k] for k in ("type", "x", "y", "w", "h", "label")} for s in item["predictions"][0]["shapes"]]
        server.post(f"/api/predicted/asset/{item['id']}/reviews", {"shapes": shapes[:2]})
    quality = lambda: server.get(f"{w.path}/quality")["versions"][0]  # noqa: E731
    before = quality()
    server.patch(w.path, {"min_threshold": 0.6})
    after = quality()
    assert after["coco"] == before["coco"] and 0 < before["coco"]["AP"] < 1
    assert after["at_threshold"] != before["at_threshold"]
    send(40)
    w.seen(40)  # they began anew, at the new threshold
    assert w.events() == []

    def recounted():
        board = server.get(f"{w.path}/dashboard", params={"threshold": "setting"})
        return board if board["basis"]["kind"] == "all" and board["totals"]["predictions"] == 160 else None

    board = harness.wait_until(recounted, 30, "the log to be counted again")
    counts = numpy.zeros(len(board["distributions"]["objects"]["counts"]), int)
    for item in server.predicted_assets(w.raw, threshold=0.6)[0]:
        counts[len(item["predictions"][0]["shapes"])] += 1
    assert board["threshold"] == {"mode": "setting", "value": 0.6, "floor": board["threshold"]["floor"]}
    assert board["distributions"]["objects"]["counts"] == counts.tolist()


def test_an_identical_model_raises_no_alarm(watched, server, models_folder):
    w = watched
    path = samples.colour_classifier(models_folder, 2.0, "identical.onnx")
    same = server.push(path, f"{w.name}-same", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    before = w.training_data()["reference"]
    server.post(f"{w.path}/model", {"model_version_id": same["id"]})
    reference = w.ready()["reference"]
    assert reference["id"] != before["id"] and reference["model_version_id"] == same["id"]
    w.predict_many(40, source="after")
    report = w.seen(40)
    assert report["window"]["images"] == 40 and report["reference"]["id"] == reference["id"]
    assert w.events() == []
    server.post(f"{w.path}/rollback")  # its reference is there still
    assert w.training_data()["reference"]["id"] == before["id"]


def test_a_shadow_has_its_reference_before_it_is_promoted(server, models_folder, colours):
    w = Watched(server, version_of(server, colours), images=25)
    path = samples.colour_classifier(models_folder, 1.5, "milder.onnx")
    milder = server.push(path, f"{w.name}-milder", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    w.set()
    first = w.ready()["reference"]["id"]
    server.post(f"{w.path}/shadow", {"model_version_id": milder["id"]})
    made = "SELECT id FROM reference WHERE status = 'READY' AND model_version_id = ?"
    [(second,)] = harness.wait_until(lambda: w.query(made, uuid.UUID(milder["id"]).bytes), 20, "the shadow's reference")
    assert w.training_data()["reference"]["id"] == first
    server.post(f"{w.path}/shadow/{milder['id']}/promote", {})
    now = w.training_data()
    assert now["status"] == "SUCCESS" and uuid.UUID(now["reference"]["id"]).bytes == second


def test_darkness_is_named(server, colours):
    """Dark pictures: the panel says brightness, lower, on that camera; an alert opens, once."""
    w = Watched(server, version_of(server, colours), images=120)
    w.set()
    w.ready()
    for count in range(100, 700, 100):  # how many count of these is up to their thinning
        w.predict_many(100, 0.35, source="night")
        w.seen(count)
        if w.events():
            break
    report = w.drift()
    dark = next(f for f in report["features"] if f["name"] == "brightness")
    assert dark["drifted"] and dark["moved"] == "lower" and dark["d"] > 0.9 and report["features"][0]["drifted"]
    assert [x["name"] for x in report["where"] if x["by"] == "source"] == ["night"]
    [event] = harness.wait_until(w.events, 20, "the alert of drift")
    assert event["closed_at"] is None and "rightness" in event["sentence"], event
    w.server.call("PUT", f"{w.path}/pipeline/td/disable", 200)
    [event] = w.events()
    assert event["closed_at"] is not None and w.training_data()["status"] == "DISABLED"


# ---- other sources -------------------------------------------------------------------------------------------------------


def test_the_first_images_of_production(fresh, models_folder):
    """Waited for across a restart; then they are in no window."""
    with fresh:
        path = samples.colour_classifier(models_folder)
        version = fresh.push(path, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        w = Watched(fresh, version["id"], images=0)
        w.set(kind="PRODUCTION", images=40, source="belt")
        w.predict_many(25, source="belt")
        w.predict_many(25, source="elsewhere")
        said = w.server.get(f"{w.path}/pipeline/td/check")
        assert said == {"status": "RUNNING", "message": "25 of 40 images seen so far"}
        assert w.training_data()["reference"]["progress"] == 25 / 40 and w.drift()["reference"] is None
        fresh.kill()
        fresh.start()
        harness.wait_until(lambda: w.server.deployment(w.raw)["status"] == "SERVING", 20, "its model")
        w.predict_many(15, source="belt")
        reference = w.ready()["reference"]
        assert reference["images"] == 40 and reference["held_out"] and reference["predicted"]
        assert w.drift()["window"]["images"] == 25 and w.outliers()["counts"]["images"] == 25  # elsewhere
        w.predict(source="belt")
        w.seen(1)
        assert w.drift(source="belt")["window"]["images"] == 1
        once_more = w.server.post(f"{w.path}/pipeline/td/redo")["reference"]
        assert once_more["id"] != reference["id"] and w.ready()["reference"]["images"] == 40
        harness.wait_until(lambda: len(w.query("SELECT id FROM reference")) == 1, 20, "the older one is gone")


def test_a_job_that_was_cut_short_begins_anew(fresh, models_folder):
    with fresh:
        path = samples.colour_classifier(models_folder)
        version = fresh.push(path, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        w = Watched(fresh, version["id"], images=25)
        w.set()
        w.ready()
        fresh.stop()
        with sqlite3.connect(fresh.data / "gyre.db") as db:  # as a server leaves it that is killed in the middle
            db.execute("UPDATE reference SET status = 'RUNNING', ready_us = NULL")
            db.execute("DELETE FROM reference_image WHERE ordinal > 10")
        db.close()
        fresh.start()
        assert w.ready()["reference"]["images"] == 25
        assert w.query("SELECT count(*) FROM reference_image") == [(25,)] == w.query("SELECT count(*) * 25 FROM reference")


def test_held_out_images_and_those_that_cannot_be_read(server, colours):
    w = Watched(server, version_of(server, colours), images=70)
    first = server.get(f"/api/dataset/version/{w.version['id']}/assets", params={"limit": 1000})["items"]
    kept = [a["id"] for a in first[:40]]
    with sqlite3.connect(server.data / "gyre.db", timeout=30) as db:
        for one in kept:
            db.execute("UPDATE asset SET evaluation = 1 WHERE id = ?", (uuid.UUID(one).bytes,))
        [(sha256,)] = db.execute(
            "SELECT o.sha256 FROM asset a JOIN data d ON d.id = a.data_id JOIN object o ON o.name = d.object_name WHERE a.id = ?",
            (uuid.UUID(kept[0]).bytes,),
        ).fetchall()
    db.close()
    blob = server.data / "blobs" / sha256[:2] / sha256
    whole = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(whole[: len(whole) // 2])
    w.set()
    reference = w.ready()["reference"]
    assert reference["images"] == 39 and reference["held_out"]
    assert "1 of 40 images could not be used: photo.jpg (" in reference["note"] and "trained on" not in reference["note"]
    w.predict()
    assert all(f["may_alarm"] for f in w.drift()["features"])
    blob.write_bytes(whole)
    assert server.post(f"{w.path}/pipeline/td/redo")["status"] == "RUNNING" and w.ready()["reference"]["images"] == 40


def test_own_infrastructure(server):
    """No file: pixels are compared, and what is missing is said; with images sent through monitor the rest is, too."""
    version = server.make_version(server.make_model("drift-elsewhere"), "CLASSIFICATION", samples.COLOURS)
    w = Watched(server, version["id"], images=0, disable_serving=True)

    def monitor(source, score=0.9):
        body = {
            "filename": "x.png", "content_type": "IMAGE/PNG", "width": 48, "height": 48, "latency": 0.02, "source": source,
            "image": base64.b64encode(picture(w.rng)).decode(),
            "raw_predictions": {"detection_classes": [0], "detection_scores": [score]},
        }  # fmt: skip
        server.post(f"{w.path}/predictions", body)

    for _ in range(25):
        monitor("training")
    items = server.get(f"{w.path}/predictedassets", params={"limit": 1000})["items"]
    dataset = server.post(f"{w.org}/datasets", {"name": w.name})
    made = server.post(f"/api/dataset/{dataset['id']}/versions", {"version": "first"})
    path = f"/api/dataset/version/{made['id']}/assets"
    server.post(path, {"data_ids": [item["data"]["id"] for item in items]})
    harness.wait_until(lambda: server.get(path)["count"] == 25, 20, "assets")
    w.set(dataset_version_id=made["id"])
    reference = w.ready()["reference"]
    assert not reference["predicted"] and not reference["features"] and "runs elsewhere" in reference["features_reason"]
    assert "through `monitor` with a source of their own" in reference["note"]
    assert {f["kind"] for f in w.drift()["features"]} == {"image"} and w.outliers()["counts"]["images"] == 25
    w.set(kind="PRODUCTION", images=25, source="training")
    reference = w.ready()["reference"]
    assert reference["predicted"] and reference["images"] == 25
    for _ in range(25):
        monitor("belt", score=0.3)
    w.seen(25)
    score = w.feature("score_max")
    assert score["drifted"] and score["moved"] == "lower" and score["d"] == 1


def test_it_comes_with_the_experiment(server, models_folder, colours):
    """A version that was published from an Experiment with datasets: the test data is its Training Data, held out."""
    with Client(api_token=server.token, host=server.url) as client:
        w = Watched(server, version_of(server, colours), images=30)
        train = server.post(f"/api/dataset/{w.version['origin_id']}/versions", {"version": "train"})
        project = client.create_project(w.name)
        experiment = project.create_experiment("first")
        dataset = client.get_dataset(w.name)
        experiment.attach_dataset("train", dataset.get_version("train"))
        experiment.attach_dataset("test", dataset.get_version("first"))
        experiment.store("model-latest", samples.colour_classifier(models_folder, 2.0, "published.onnx"))
        version = experiment.export_as_model(w.name)
        version.update(labels={str(i): c for i, c in enumerate(samples.COLOURS)}, type="CLASSIFICATION")
        state = server.get(f"/api/model/version/{version.id}")
        if state["state"] != "READY":
            pytest.fail(str(state))
        raw = server.deploy({"id": str(version.id)}, f"{w.name}-published", 0.1)
        w.raw, w.path = raw, f"/api/deployment/{raw['id']}"
        now = w.ready()
        assert now["set_by"] == "gyre" and now["dataset_version"]["id"] == w.version["id"] != train["id"]
        assert now["reference"]["held_out"] and now["suggestion"] is None


def test_the_sdk_sets_and_disables_it(server, colours):
    w = Watched(server, version_of(server, colours), images=25)
    with Client(api_token=server.token, host=server.url) as client:
        deployment = client.get_deployment(name=w.name)
        assert deployment.check_training_data_metrics_status() == "NOT_SET"
        deployment.set_training_data(client.get_dataset(w.name).get_version("first"))
        assert deployment.check_training_data_metrics_status() in ("RUNNING", "SUCCESS")
        w.ready()
        assert deployment.check_training_data_metrics_status() == "SUCCESS"
        deployment.disable_training_data_reference()
        assert deployment.check_training_data_metrics_status() == "DISABLED" and w.drift()["reference"] is None
        server.call("PUT", f"{w.path}/pipeline/td/enable", 200)
        assert deployment.check_training_data_metrics_status() == "SUCCESS"
