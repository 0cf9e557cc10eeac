# SPDX-License-Identifier: Apache-2.0
"""The public Picsellia Python SDK, unmodified, drives the server: nothing of it is replaced or patched."""

import os
import uuid

import harness
import numpy
import pytest
import requests
import samples
from PIL import Image

picsellia = pytest.importorskip("picsellia")
from picsellia import Client, exceptions  # noqa: E402
from picsellia.types.enums import Framework, InferenceType  # noqa: E402


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def model(client):
    return client.create_model("sdk-colours", description="made through the SDK")


def make_version(model, folder, gain=2.0, name=None):
    version = model.create_version(
        name=name,
        labels={str(i): label for i, label in enumerate(samples.COLOURS)},
        framework=Framework.ONNX,
        type=InferenceType.CLASSIFICATION,
        base_parameters={"epochs": 3},
        docker_image_name="example/train",
        docker_flags=["--gpus all"],
    )
    version.store("model-latest", samples.colour_classifier(folder, gain, f"colours-{gain}.onnx"))
    return version


@pytest.fixture(scope="module")
def version(model, models_folder):
    return make_version(model, models_folder, name="first")


@pytest.fixture(scope="module")
def deployment(version):
    return version.deploy(name="sdk-sorter", min_threshold=0.2)


@pytest.fixture
def red(tmp_path):
    path = tmp_path / "red.jpg"
    path.write_bytes(samples.photo("red"))
    return path


def test_client_finds_its_organization(server, client):
    by_name = Client(api_token=server.token, host=server.url, organization_name=client.name)
    by_id = Client(api_token=server.token, host=server.url, organization_id=str(client.id))
    assert str(by_name.id) == str(by_id.id) == str(client.id)
    assert client.list_users()[0].username


def test_a_wrong_token_is_refused(server):
    with pytest.raises(exceptions.PicselliaError, match="Cannot connect"):
        Client(api_token="0" * 40, host=server.url)


def test_models(client, model):
    assert client.get_model("sdk-colours").id == model.id
    assert client.get_model_by_id(model.id).name == "sdk-colours"
    assert model.id in [m.id for m in client.list_models()]
    with pytest.raises(exceptions.ResourceConflictError):
        client.create_model("sdk-colours")
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_model("nobody-made-this")
    model.update(description="changed")
    assert model.sync()["description"] == "changed"


def test_versions(client, model, version):
    assert version.version == 0 and version.name == "first"
    assert version.type == InferenceType.CLASSIFICATION and version.framework == Framework.ONNX
    assert version.labels == {"0": "red", "1": "green", "2": "blue"}
    assert client.get_model_version_by_id(version.id).id == version.id
    assert model.get_version(0).id == version.id and model.get_version("first").id == version.id
    assert version.id in [v.id for v in model.list_versions()]
    version.update(description="a note", base_parameters={"epochs": 4})
    raw = version.sync()
    assert raw["description"] == "a note" and raw["parameters"] == {"epochs": 4}


def test_files_come_back_as_they_went(version, models_folder, tmp_path):
    stored = version.get_file("model-latest")
    assert stored.filename == "colours-2.0.onnx" and not stored.large
    stored.download(str(tmp_path))
    assert (tmp_path / stored.filename).read_bytes() == (models_folder / stored.filename).read_bytes()
    assert [f.name for f in version.list_files()] == ["model-latest"]


def test_a_large_file_goes_up_in_one(client, model, tmp_path):
    """Above 25 MiB the SDK asks for a multipart upload; our answer makes it fall back to a single one."""
    version = model.create_version(framework=Framework.PYTORCH, type=InferenceType.CLASSIFICATION)
    path = tmp_path / "weights.bin"
    path.write_bytes(numpy.random.default_rng(7).bytes(27 * 1024 * 1024 + 11))
    stored = version.store("weights", path)
    assert stored.large
    stored.download(str(tmp_path / "back"))
    assert (tmp_path / "back" / "weights.bin").read_bytes() == path.read_bytes()
    version.store("weights", samples_file(tmp_path), replace=True)
    assert [f.filename for f in version.list_files()] == ["small.txt"]
    version.get_file("weights").delete()
    assert version.list_files() == []


def samples_file(folder):
    path = folder / "small.txt"
    path.write_text("small")
    return path


def test_deploy_and_predict(client, deployment, red):
    assert deployment.name == "sdk-sorter" and deployment.type == InferenceType.CLASSIFICATION
    answer = deployment.predict(red, tags=["morning", "gate"], source="camera-1", metadata={"longitude": 1.5}, monitor=True)
    assert answer["shapes"][0]["label"] == "red"
    assert answer["latency"] > 0
    asset = deployment.find_predicted_asset(oracle_prediction_id=answer["id"])
    assert asset.filename == "red.jpg" and (asset.width, asset.height) == (64, 48)
    assert str(asset.id) == answer["predicted_asset_id"]
    champion = asset.get_champion_prediction()
    assert champion["is_shadow"] is False
    assert asset.get_review() is None
    assert asset.id in [a.id for a in deployment.list_predicted_assets()]


def test_the_stored_image_is_the_sent_one(deployment, red, tmp_path):
    answer = deployment.predict(red)
    asset = deployment.find_predicted_asset(oracle_prediction_id=answer["id"])
    asset.download(str(tmp_path / "back"))
    assert (tmp_path / "back" / "red.jpg").read_bytes() == red.read_bytes()


def test_a_broken_image_is_said_to_be_broken(deployment, tmp_path):
    path = tmp_path / "broken.jpg"
    path.write_bytes(samples.photo("red")[:100])
    with pytest.raises(exceptions.PredictionError, match="message"):
        deployment.predict(path)


def test_update(client, deployment, red):
    deployment.update(name="sdk-sorter-2", min_threshold=0.9)
    assert deployment.name == "sdk-sorter-2"
    assert deployment.predict(red)["threshold"] == pytest.approx(0.9)
    deployment.update(name="sdk-sorter", min_threshold=0.2)
    raw = deployment.sync()
    assert raw["name"] == "sdk-sorter" and raw["min_threshold"] == pytest.approx(0.2)
    assert deployment.predict(red)["shapes"][0]["label"] == "red"


def test_set_model(model, version, deployment, models_folder, red):
    second = make_version(model, models_folder, gain=3.0, name="second")
    before = deployment.predict(red)
    deployment.set_model(second)
    assert deployment.get_model_version().id == second.id
    after = deployment.predict(red)
    assert before["model_version_id"] == str(version.id) and after["model_version_id"] == str(second.id)
    assert after["model"]["version"] == second.version and after["shapes"][0]["label"] == "red"
    deployment.set_model(version)
    assert deployment.get_model_version().id == version.id


def test_list_find_create_delete(client, version, deployment):
    made = client.create_deployment(version, name="sdk-short-lived", min_threshold=0.5)
    assert client.get_deployment("sdk-short-lived").id == made.id
    assert client.get_deployment_by_id(made.id).name == "sdk-short-lived"
    assert {made.id, deployment.id} <= {d.id for d in client.list_deployments()}
    made.delete()
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_deployment("sdk-short-lived")


def test_a_deployment_without_a_name_gets_two_words(version):
    made = version.deploy()
    assert len(made.name.split("-")) == 2
    made.delete(force_delete=True)


def test_retrieve_information(deployment):
    assert isinstance(deployment.retrieve_information(), dict)


def test_datalake(client, tmp_path):
    lake = client.get_datalake()
    assert lake.name and lake.id in [d.id for d in client.list_datalakes()]
    paths = []
    for number in range(3):
        path = tmp_path / f"upload-{number}.jpg"
        path.write_bytes(samples.numbered(number, 96, 64))
        paths.append(path)
    uploaded = lake.upload_data(paths, tags=["sdk-test"], source="sdk-camera", metadata=[{"altitude": i} for i in range(3)])
    assert len(uploaded) == 3
    one = lake.find_data(filename="upload-1.jpg")
    assert (one.width, one.height) == (96, 64)
    one.download(str(tmp_path / "back"))
    assert (tmp_path / "back" / "upload-1.jpg").read_bytes() == paths[1].read_bytes()
    assert {d.filename for d in lake.list_data(filenames=[p.name for p in paths])} == {p.name for p in paths}
    single = lake.upload_data(paths[0])
    single.delete()


def test_presigned_links_need_no_token(deployment, red):
    answer = deployment.predict(red)
    url = deployment.find_predicted_asset(oracle_prediction_id=answer["id"]).url
    response = requests.get(url, timeout=harness.CALL_TIMEOUT)
    assert response.status_code == 200 and response.content == red.read_bytes()
    assert response.headers["Content-Length"] == str(len(response.content))


def test_unknown_ids_are_not_found(client):
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_deployment_by_id(str(uuid.uuid4()))
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_model_version_by_id(str(uuid.uuid4()))


@pytest.mark.skipif(not harness.DATA.is_dir(), reason="no real data")
def test_real_photos_through_the_sdk(client, data):
    """The whole way with a real detector: model, version, file, deployment, ten photos."""
    from conftest import coco_labels

    labels = {str(i): label for i, label in enumerate(coco_labels(data))}
    version = client.create_model("sdk-yolox").create_version(
        labels=labels, framework=Framework.ONNX, type=InferenceType.OBJECT_DETECTION
    )
    version.store("model-latest", data / "models/yolox_nano/yolox_nano.onnx")
    deployment = version.deploy(name="sdk-street", min_threshold=0.4)
    seen = set()
    for path in sorted((data / "det_voc50/images").iterdir())[:10]:
        answer = deployment.predict(path)
        with Image.open(path) as image:
            assert (answer["image"]["width"], answer["image"]["height"]) == image.size
        seen.update(s["label"] for s in answer["shapes"])
    assert len(seen) >= 3, seen
    assert len(deployment.list_predicted_assets()) == 10
    assert os.path.exists(version.get_file("model-latest").filename) is False  # nothing is left in the working folder
