# SPDX-License-Identifier: Apache-2.0
"""Predictions made on one's own infrastructure, sent by the SDK and by hand: recorded like our own, each once."""

import base64
import datetime
import json
import sqlite3
import subprocess
import time
import uuid

import harness
import pytest
import requests
import samples

picsellia = pytest.importorskip("picsellia")
from picsellia import Client, exceptions  # noqa: E402
from picsellia.types.enums import InferenceType  # noqa: E402
from picsellia.types.schemas_prediction import (  # noqa: E402
    ClassificationPredictionFormat,
    DetectionPredictionFormat,
    SegmentationPredictionFormat,
)

LABELS = ["bolt", "nut"]
WIDTH, HEIGHT = 64, 48  # of samples.photo


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def elsewhere(client):
    """A deployment of a version without a file: the model is somewhere else."""
    model = client.create_model("elsewhere")
    versions = [model.create_version(labels=dict(enumerate_texts()), type=InferenceType.OBJECT_DETECTION) for _ in range(2)]
    deployment = client.create_deployment(versions[0], name="elsewhere", min_threshold=0.2, disable_serving=True)
    deployment.set_shadow_model(versions[1])
    return deployment


def enumerate_texts():
    return ((str(i), label) for i, label in enumerate(LABELS))


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "belt.jpg"
    path.write_bytes(samples.photo("red"))
    return path


def boxes(*rows):
    """Rows of (class, score, top, left, bottom, right)."""
    return DetectionPredictionFormat(
        detection_classes=[r[0] for r in rows],
        detection_scores=[r[1] for r in rows],
        detection_boxes=[list(r[2:]) for r in rows],
    )


def test_an_image_with_its_boxes(server, elsewhere, picture):
    before = time.time()
    answer = elsewhere.monitor(
        picture, 0.125, HEIGHT, WIDTH, boxes((0, 0.3, 1, 2, 11, 22), (1, 0.9, 5, 6, 15, 26), (1, 0.1, 0, 0, 9, 9)),
        source="line 3", tags=["night"], metadata={"longitude": 1.5}, timestamp=before - 3600,
    )  # fmt: skip
    asset = elsewhere.find_predicted_asset(oracle_prediction_id=answer["id"])
    assert asset.filename == "belt.jpg" and (asset.width, asset.height) == (WIDTH, HEIGHT)
    raw = server.get(f"/api/predicted/asset/{asset.id}")
    assert raw["source"] == "line 3" and raw["data"]["metadata"] == {"longitude": 1.5}
    [prediction] = raw["predictions"]
    assert prediction["latency"] == pytest.approx(0.125) and prediction["hidden"] == 1
    assert [(s["label"], s["score"], s["x"], s["y"], s["w"], s["h"]) for s in prediction["shapes"]] == [
        ("nut", 0.9, 6, 5, 20, 10),
        ("bolt", 0.3, 2, 1, 20, 10),
    ]
    assert abs(time.mktime(time.strptime(raw["created_at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - (before - 3600)) < 2
    assert len(server.get(f"/api/predicted/asset/{asset.id}?threshold=0")["predictions"][0]["shapes"]) == 3
    downloaded = requests.get(raw["data"]["presigned_url"], timeout=30)
    assert downloaded.content == picture.read_bytes()


def test_a_shadow_at_once_and_later(server, elsewhere, picture):
    with_shadow = elsewhere.monitor(
        picture, 0.1, HEIGHT, WIDTH, boxes((0, 0.9, 1, 2, 11, 22)),
        shadow_latency=0.2, shadow_prediction=boxes((1, 0.8, 1, 2, 11, 22)),
    )  # fmt: skip
    raw = server.get(f"/api/predicted/asset/{with_shadow['predicted_asset_id']}")
    assert [(p["is_shadow"], p["shapes"][0]["label"], p["latency"]) for p in raw["predictions"]] == [
        (False, "bolt", pytest.approx(0.1)),
        (True, "nut", pytest.approx(0.2)),
    ]
    alone = elsewhere.monitor(picture, 0.1, HEIGHT, WIDTH, boxes((0, 0.9, 1, 2, 11, 22)))
    asset = elsewhere.find_predicted_asset(oracle_prediction_id=alone["id"])
    assert asset.get_shadow_prediction() is None
    elsewhere.monitor_shadow(asset, 0.3, boxes((1, 0.7, 3, 4, 13, 24)))
    again = elsewhere.find_predicted_asset(oracle_prediction_id=alone["id"])
    assert again.get_shadow_prediction()["shapes"][0]["y"] == 3
    with pytest.raises(exceptions.PicselliaError, match="already"):
        elsewhere.monitor_shadow(asset, 0.3, boxes((1, 0.7, 3, 4, 13, 24)))


def test_data_is_processed_once(client, elsewhere, tmp_path):
    path = tmp_path / "stored.jpg"
    path.write_bytes(samples.photo("blue"))
    data = client.get_datalake().upload_data(str(path))
    answer = elsewhere.monitor_data(data, 0.1, HEIGHT, WIDTH, boxes((0, 0.9, 1, 2, 11, 22)))
    assert answer["data_id"] == str(data.id)
    with pytest.raises(exceptions.PicselliaError, match="already"):
        elsewhere.monitor_data(data, 0.1, HEIGHT, WIDTH, boxes((0, 0.9, 1, 2, 11, 22)))


@pytest.mark.parametrize(
    ("kind", "said", "shape"),
    [
        (
            InferenceType.CLASSIFICATION,
            ClassificationPredictionFormat(detection_classes=[1, 0], detection_scores=[0.75, 0.25]),
            {"type": "classification", "label": "nut", "label_id": 1, "score": 0.75},
        ),
        (
            InferenceType.SEGMENTATION,
            SegmentationPredictionFormat(
                detection_classes=[0], detection_scores=[0.5], detection_masks=[[[1, 2], [31, 2], [31, 22]]]
            ),
            {"type": "polygon", "label": "bolt", "label_id": 0, "score": 0.5, "polygon": [[1, 2], [31, 2], [31, 22]]},
        ),
    ],
)
def test_other_tasks(client, server, picture, kind, said, shape):
    version = client.create_model(f"elsewhere {kind.name}").create_version(labels=dict(enumerate_texts()), type=kind)
    deployment = client.create_deployment(version, name=f"elsewhere-{kind.name.lower()}", disable_serving=True)
    answer = deployment.monitor(picture, 0.01, HEIGHT, WIDTH, said)
    raw = server.get(f"/api/predicted/asset/{answer['predicted_asset_id']}?threshold=0.3")
    assert raw["predictions"][0]["shapes"] == [shape]


def test_what_is_wrong_is_said(server, elsewhere):
    path = f"/api/deployment/{elsewhere.id}/predictions"
    image = base64.b64encode(samples.photo("red")).decode()
    raw = {"detection_classes": [0], "detection_scores": [0.9], "detection_boxes": [[1, 2, 11, 22]]}
    fine = {
        "filename": "x.jpg", "content_type": "IMAGE/JPEG", "width": WIDTH, "height": HEIGHT, "latency": 0.1, "image": image,
        "raw_predictions": raw,
    }  # fmt: skip

    def refused(code, **changes):
        return server.call("POST", path, code, json={**fine, **changes})["message"]

    count = server.get(f"/api/deployment/{elsewhere.id}/predictedassets?limit=1")["count"]
    assert "base64" in refused(400, image="not base64!")
    assert "image" in refused(400, image=None)
    assert "latency" in refused(400, latency=-1)
    assert "width" in refused(400, width=0)
    assert "pixels" in refused(422, width=WIDTH + 1)
    assert refused(415, image=base64.b64encode(b"no image at all").decode())
    assert "one length" in refused(400, raw_predictions={**raw, "detection_scores": []})
    assert "detection_boxes" in refused(400, raw_predictions={**raw, "detection_boxes": []})
    assert "top, left" in refused(400, raw_predictions={**raw, "detection_boxes": [[1, 2, 3]]})
    assert "Score" in refused(400, raw_predictions={**raw, "detection_scores": [1.5]})
    assert "Class" in refused(400, raw_predictions={**raw, "detection_classes": [-1]})
    assert "timestamp" in refused(400, timestamp=-5)
    assert "no object" in refused(404, image=None, cloud_image={"object_name": "data/none.jpg"})
    assert server.get(f"/api/deployment/{elsewhere.id}/predictedassets?limit=1")["count"] == count
    server.call("POST", path, 201, json={**fine, "timestamp": time.time() + 1e6})
    server.call("POST", path, 201, json={**fine, "raw_predictions": {k: [] for k in raw}})


def test_a_login_is_for_one_deployment(server, elsewhere, colours):
    mine = server.predict(colours, samples.photo("red"))
    login = {"api_token": server.token, "deployment_id": str(elsewhere.id)}
    jwt = requests.post(f"{server.url}/api/auth/login", json=login, timeout=30).json()["jwt"]
    said = {
        "shadow_latency": 0.1,
        "shadow_raw_predictions": {"detection_classes": [0], "detection_scores": [0.5]},
    }
    answer = requests.post(
        f"{server.url}/api/prediction/{mine['id']}/shadow", json=said, headers={"Authorization": f"Bearer {jwt}"}, timeout=30
    )
    assert answer.status_code == 403


def database(server, query, *values):
    db = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(query, values).fetchall()
    finally:
        db.close()


def test_a_share_of_the_images_is_kept_and_every_number(server, client, picture):
    """What is drawn follows from the ids; the rest is in the log all the same, with what the shadow said at once and later."""
    model = client.create_model("sampled")
    versions = [model.create_version(labels=dict(enumerate_texts()), type=InferenceType.OBJECT_DETECTION) for _ in range(2)]
    deployment = client.create_deployment(versions[0], name="sampled", min_threshold=0.2, disable_serving=True)
    deployment.set_shadow_model(versions[1])
    deployment.update(sample_rate=0.25)
    said = boxes((0, 0.9, 1, 2, 11, 22))
    answers = [
        deployment.monitor(picture, 0.1, HEIGHT, WIDTH, said, source="belt", shadow_latency=0.2, shadow_prediction=said)
        for _ in range(60)
    ]
    kept = [a for a in answers if a["kept"]]
    for answer in answers:
        drawn = int.from_bytes(uuid.UUID(answer["id"]).bytes[9:15], "big") / 2**48
        assert answer["kept"] == (drawn < 0.25)
        assert (answer["predicted_asset_id"] is not None) == (answer["data_id"] is not None) == answer["kept"]
    assert 0 < len(kept) < 40  # less likely otherwise than one in a million
    raw_id = uuid.UUID(str(deployment.id)).bytes
    assets = server.get(f"/api/deployment/{deployment.id}/predictedassets?limit=100")
    assert {a["id"] for a in assets["items"]} == {a["predicted_asset_id"] for a in kept}
    query = "SELECT position, hex(id), is_shadow, latency_us, source, width, height FROM gone_prediction WHERE deployment_id = ?"
    gone = database(server, query + " ORDER BY position", raw_id)
    assert len(gone) == 2 * (60 - len(kept))
    assert [uuid.UUID(row[1]) for row in gone if not row[2]] == [uuid.UUID(a["id"]) for a in answers if not a["kept"]]
    assert {row[2:] for row in gone} == {(0, 100000, "belt", WIDTH, HEIGHT), (1, 200000, "belt", WIDTH, HEIGHT)}
    positions = database(server, "SELECT position FROM prediction UNION ALL SELECT position FROM gone_prediction")
    assert len(set(positions)) == len(positions)
    deployment.update(sample_rate=0.0)
    alone = deployment.monitor(picture, 0.1, HEIGHT, WIDTH, said)
    assert alone["kept"] is False
    body = {
        "shadow_latency": 0.3,
        "shadow_raw_predictions": {"detection_classes": [1], "detection_scores": [0.7], "detection_boxes": [[3, 4, 13, 24]]},
    }
    later = server.post(f"/api/prediction/{alone['id']}/shadow", body)
    assert later["predicted_asset_id"] is None
    server.post(f"/api/prediction/{alone['id']}/shadow", body, expect=409)
    assert database(server, "SELECT latency_us FROM gone_prediction WHERE hex(id) = ?", later["id"].replace("-", "").upper())
    assert server.get(f"/api/deployment/{deployment.id}")["stats"]["inferences"] == 61


def test_a_clock_that_is_ahead(server, elsewhere, picture):
    """Up to five minutes are another clock's, and kept; what is further ahead is now."""
    said = boxes((0, 0.9, 1, 2, 11, 22))

    def created(ahead_s):
        answer = elsewhere.monitor(picture, 0.1, HEIGHT, WIDTH, said, timestamp=time.time() + ahead_s)
        text = server.get(f"/api/predicted/asset/{answer['predicted_asset_id']}")["created_at"]
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()

    assert 200 < created(240) - time.time() < 241
    assert abs(created(3600) - time.time()) < 60


@pytest.mark.parametrize("rate", [1.0, 0.0])
def test_a_key_makes_a_repetition_the_same_prediction(server, client, rate):
    version = client.create_model(f"repeated {rate}").create_version(
        labels=dict(enumerate_texts()), type=InferenceType.OBJECT_DETECTION
    )
    deployment = client.create_deployment(version, name=f"repeated-{rate}", disable_serving=True)
    deployment.update(sample_rate=rate)
    path = f"/api/deployment/{deployment.id}/predictions"
    raw = {"detection_classes": [0], "detection_scores": [0.9], "detection_boxes": [[1, 2, 11, 22]]}

    def send(colour, code=201):
        body = {
            "filename": "x.jpg", "content_type": "IMAGE/JPEG", "width": WIDTH, "height": HEIGHT, "latency": 0.1,
            "image": base64.b64encode(samples.photo(colour)).decode(), "raw_predictions": raw,
        }  # fmt: skip
        return server.call("POST", path, code, json=body, headers={"Idempotency-Key": "belt-17"})

    first, again = send("red"), send("red")
    assert first["kept"] is again["kept"] is (rate == 1)
    assert {k: again[k] for k in ("id", "predicted_asset_id", "data_id", "shapes", "latency")} == {
        k: first[k] for k in ("id", "predicted_asset_id", "data_id", "shapes", "latency")
    }
    assert "another image" in send("blue", 409)["message"]
    assert server.get(f"/api/deployment/{deployment.id}")["stats"]["inferences"] == 1


EXAMPLES = harness.REPOSITORY / "examples" / "monitor"


@pytest.mark.parametrize("language", ["python", "shell", "c"])
def test_the_examples_run_as_they_are(server, client, tmp_path, language):
    version = client.create_model(f"example {language}").create_version(
        labels=dict(enumerate_texts()), type=InferenceType.OBJECT_DETECTION
    )
    deployment = client.create_deployment(version, name=f"example-{language}", disable_serving=True)
    path = tmp_path / "belt.jpg"
    path.write_bytes(samples.photo("red"))
    if language == "c":
        program = tmp_path / "monitor"
        warnings = ["-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
        subprocess.run(["cc", *warnings, EXAMPLES / "monitor.c", "-lcurl", "-o", program], check=True, timeout=120)
        command = [program]
    else:
        command = ["python3", EXAMPLES / "monitor.py"] if language == "python" else ["sh", EXAMPLES / "monitor.sh"]
    env = harness.environment(GYRE_HOST=server.url, GYRE_TOKEN=server.token, GYRE_DEPLOYMENT=deployment.id)
    for _ in range(2):  # sent again it is the same prediction
        run = subprocess.run(
            [*command, path, str(WIDTH), str(HEIGHT)], env=env, capture_output=True, text=True, timeout=120, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert json.loads(run.stdout)["shapes"][0]["label"] == "bolt"
    (item,) = server.predicted_assets({"id": str(deployment.id)})[0]
    assert item["source"] == "example" and item["predictions"][0]["shapes"][0]["h"] == 32
    other = path.rename(tmp_path / "other.jpg")
    refused = subprocess.run(
        [*command, other, "7", str(HEIGHT)], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert refused.returncode != 0 and "pixels" in refused.stdout + refused.stderr
