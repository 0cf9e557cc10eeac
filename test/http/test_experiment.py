# SPDX-License-Identifier: Apache-2.0
"""Projects and experiments as the public SDK drives them: what trainings need of the server."""

import json

import harness
import numpy
import pytest
import samples
from PIL import Image

picsellia = pytest.importorskip("picsellia")
from picsellia import Client, exceptions  # noqa: E402
from picsellia.types.enums import ExperimentStatus, InferenceType, JobRunStatus, LogType  # noqa: E402

BOX = (10, 20, 30, 40)


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def project(client):
    return client.create_project("belt", description="what comes along")


@pytest.fixture
def experiment(project, request):
    made = project.create_experiment(request.node.name[:100], description="a run")
    yield made
    made.delete()


@pytest.fixture(scope="module")
def labelled(client, tmp_path_factory):
    """A dataset version: two images, a box of "bolt" on each."""
    folder = tmp_path_factory.mktemp("labelled")
    paths = []
    for i, name in enumerate(["one.jpg", "two.jpg"]):
        paths.append(str(folder / name))
        Image.fromarray(numpy.full((100, 120, 3), 60 + 90 * i, numpy.uint8)).save(paths[-1])
    datas = client.get_datalake().upload_data(paths)
    version = client.create_dataset("bolts").create_version("first", type=InferenceType.OBJECT_DETECTION)
    version.add_data(datas).wait_for_done()
    label = version.create_label("bolt")
    for asset in version.list_assets():
        asset.create_annotation(duration=1.0).create_rectangle(*BOX, label)
    return version


def test_projects(client, project):
    assert client.get_project("belt").id == project.id == client.get_project_by_id(project.id).id
    assert project.id in [p.id for p in client.list_projects()]
    with pytest.raises(exceptions.ResourceConflictError):
        client.create_project("belt")
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_project("nobody-made-this")
    other = client.create_project("short-lived")
    other.update(name="renamed", description="soon gone")
    assert client.get_project("renamed").id == other.id
    other.delete()
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_project("renamed")


def test_dataset_versions_of_a_project(project, labelled):
    project.attach_dataset(labelled)
    project.attach_dataset(labelled)
    assert [v.id for v in project.list_dataset_versions()] == [labelled.id]
    project.detach_dataset(labelled)
    assert project.list_dataset_versions() == []


def test_experiments(client, project):
    first = project.create_experiment("first", parameters={"epochs": 3})
    assert first.get_log("parameters").data == {"epochs": 3}
    assert first.status == ExperimentStatus.WAITING
    assert project.get_experiment("first").id == client.get_experiment_by_id(first.id).id == first.id
    with pytest.raises(exceptions.ResourceConflictError):
        project.create_experiment("first")
    first.update(name="begun", status=ExperimentStatus.RUNNING)
    assert client.get_experiment_by_id(first.id).status == ExperimentStatus.RUNNING
    second = project.create_experiment("second", base_experiment=first)
    assert second.get_log("parameters").data == {"epochs": 3}
    assert second.get_base_experiment().id == first.id
    assert {e.name for e in project.list_experiments()} == {"begun", "second"}
    project.delete_all_experiments()
    assert project.list_experiments() == []


def test_datasets_by_role(server, experiment, labelled):
    experiment.attach_dataset("train", labelled)
    assert experiment.get_dataset("train").id == labelled.id
    assert {k: v.id for k, v in experiment.get_attached_dataset_versions().items()} == {"train": labelled.id}
    item = server.get(f"/api/experiment/{experiment.id}/datasets")["items"][0]
    assert item["revision"] == server.get(f"/api/dataset/version/{labelled.id}")["revision"]
    with pytest.raises(exceptions.ResourceConflictError):
        experiment.attach_dataset("train", labelled)
    experiment.detach_dataset(labelled)
    with pytest.raises(exceptions.ResourceNotFoundError):
        experiment.get_dataset("train")


def test_logs(experiment, tmp_path):
    experiment.log("accuracy", 0.5, LogType.VALUE)
    experiment.log("accuracy", 0.75, LogType.VALUE)
    assert experiment.get_log("accuracy").data == 0.75
    with pytest.raises(exceptions.ResourceConflictError):
        experiment.log("accuracy", 1, LogType.VALUE, replace=False)
    with pytest.raises(exceptions.ResourceConflictError):
        experiment.log("accuracy", [1], LogType.TABLE)
    for epoch in range(3):
        experiment.log("loss", [1 / (1 + epoch)], LogType.LINE)
    assert experiment.get_log("loss").data == [1, 1 / 2, 1 / 3]
    experiment.get_log("loss").append([0.25])
    assert experiment.get_log("loss").data[-1] == 0.25
    experiment.log("labelmap", {"0": "bolt"}, LogType.LABELMAP)
    experiment.log_parameters({"epochs": 5})
    path = tmp_path / "curve.png"
    path.write_bytes(samples.photo("red"))
    assert experiment.log("curve", str(path), LogType.IMAGE).data["filename"] == "curve.png"
    names = {"accuracy", "loss", "labelmap", "parameters", "curve"}
    assert {log.name for log in experiment.list_logs()} == names
    experiment.get_log("accuracy").update(name="right", data=1)
    assert experiment.get_log("right").data == 1
    experiment.get_log("right").delete()
    experiment.delete_all_logs()
    assert experiment.list_logs() == []


def test_artifacts(experiment, tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(bytes(range(256)) * 100)
    stored = experiment.store("weights", str(path))
    assert stored.filename == "weights.bin" and not stored.large
    experiment.get_artifact("weights").download(str(tmp_path / "down"))
    assert (tmp_path / "down" / "weights.bin").read_bytes() == path.read_bytes()
    path.write_bytes(b"other")
    experiment.store("weights", str(path))
    experiment.get_artifact("weights").download(str(tmp_path / "again"))
    assert (tmp_path / "again" / "weights.bin").read_bytes() == b"other"
    assert [a.name for a in experiment.list_artifacts()] == ["weights"]
    experiment.delete_all_artifacts()
    with pytest.raises(exceptions.ResourceNotFoundError):
        experiment.get_artifact("weights")


def test_console(server, experiment, tmp_path):
    experiment.send_logging("epoch 1", part="train")
    experiment.send_logging(["epoch 2", "done"], part="train", final=True)
    lines = server.get(f"/api/experiment/{experiment.id}/logging/lines")
    assert [(line["line_nb"], line["log"], line["final"]) for line in lines["items"]] == [
        (0, "epoch 1", False),
        (1, ["epoch 2", "done"], True),
    ]
    path = tmp_path / "console.json"
    path.write_text(json.dumps({"train": ["epoch 1"]}))
    experiment.store_logging_file(str(path))
    experiment.get_logging_file().download(str(tmp_path / "down"))
    assert (tmp_path / "down" / "console.json").read_text() == path.read_text()
    experiment.update_job_status("SUCCESS")
    assert experiment.sync()["status"] == "SUCCESS"


def colours_version(client, folder, name):
    labels = {str(i): c for i, c in enumerate(samples.COLOURS)}
    version = client.create_model(name).create_version(
        labels=labels, type=InferenceType.CLASSIFICATION, base_parameters={"epochs": 3}
    )
    version.store("model-latest", samples.colour_classifier(folder, 2.0, "base.onnx"))
    return version


def test_from_a_version_to_the_next(client, server, project, labelled, models_folder):
    """Base version → experiment → artifact → publish: the next version knows where it is from, and can be deployed."""
    base = colours_version(client, models_folder, "lineage")
    experiment = project.create_experiment("from a version", base_model_version=base)
    assert experiment.get_base_model_version().id == base.id
    assert experiment.get_log("parameters").data == {"epochs": 3}
    assert experiment.get_log("labelmap").data == {str(i): c for i, c in enumerate(samples.COLOURS)}
    assert [a.name for a in experiment.list_artifacts()] == ["model-latest"]
    experiment.attach_dataset("train", labelled)
    experiment.store("model-latest", samples.colour_classifier(models_folder, 3.0, "trained.onnx"))
    version = experiment.export_in_existing_model(client.get_model("lineage"))
    assert version.version == 1 and version.type == InferenceType.CLASSIFICATION
    raw = server.get(f"/api/model/version/{version.id}")
    assert raw["state"] == "READY" and raw["lineage"]["experiment_id"] == str(experiment.id)
    context = version.get_context()
    assert context.get_experiment().id == experiment.id
    assert context.get_dataset_version("train").id == labelled.id
    deployment = version.deploy(name="lineage")
    answer = server.predict({"id": str(deployment.id)}, samples.photo("red"))
    assert answer["shapes"][0]["label"] == "red"
    why = server.get(f"/api/prediction/{answer['id']}/lineage")
    assert why["experiment"]["id"] == str(experiment.id) and why["model_version"]["version"] == 1
    [trained_on] = why["trained_on"]
    assert trained_on["role"] == "train" and trained_on["dataset_version_id"] == str(labelled.id)
    assert trained_on["hash_now"] == server.get(f"/api/dataset/version/{labelled.id}/manifest")["hash"]
    said = harness.command("why", answer["id"], server=server).stdout
    assert "experiment   from a version in belt" in said and "trained on   train bolts:first" in said
    assert "There is no" in harness.command("why", str(experiment.id), server=server, expect=1).stderr
    first = experiment.export_as_model("lineage-anew")
    assert first.version == 0 and client.get_model("lineage-anew").get_version(0).id == first.id


def test_publishing_without_a_model_gives_an_empty_version(client, server, experiment):
    version = experiment.export_as_model("nothing yet")
    assert server.get(f"/api/model/version/{version.id}")["state"] == "EMPTY"


def test_evaluations(client, server, experiment, labelled):
    """Half of what is true is found at once, the other half badly: against what the numbers must be."""
    label = labelled.get_label("bolt")
    assets = sorted(labelled.list_assets(), key=lambda a: a.filename)
    x, y, w, h = BOX
    experiment.add_evaluation(assets[0], rectangles=[(x, y, w, h, label, 0.9)])
    experiment.add_evaluation(assets[1], rectangles=[(x + 25, y, w, h, label, 0.8)])
    assert {e.asset_id for e in experiment.list_evaluations()} == {a.id for a in assets}
    raw = server.get(f"/api/experiment/{experiment.id}/evaluations?order_by=created_at")
    one = server.get(f"/api/evaluation/{raw['items'][0]['id']}")
    assert one == raw["items"][0] and one["shapes"][0]["score"] == 0.9
    job = experiment.compute_evaluations_metrics(InferenceType.OBJECT_DETECTION)
    harness.wait_until(lambda: job.sync()["status"] != "RUNNING", harness.CALL_TIMEOUT, "the evaluation to end")
    log = experiment.get_log("evaluation")
    assert log.type == LogType.EVALUATION and log.data["images"] == 2
    # One of two is found at every IoU: precision 1 up to a recall of 0.5, 51 of COCO's 101 points.
    assert log.data["coco"]["ap"] == pytest.approx(51 / 101, abs=1e-12)
    assert log.data["coco"]["ar100"] == pytest.approx(0.5, abs=1e-12)
    assert [(entry["label"], entry["truths"]) for entry in log.data["labels"]] == [("bolt", 2)]
    experiment.add_evaluation(assets[1], rectangles=[(x, y, w, h, label, 0.8)])
    again = experiment.compute_evaluations_metrics(InferenceType.OBJECT_DETECTION)
    harness.wait_until(lambda: again.sync()["status"] != "RUNNING", harness.CALL_TIMEOUT, "the evaluation to end")
    assert experiment.get_log("evaluation").data["coco"]["ap"] == pytest.approx(1)
    run = client.get_job_by_id(again.id)
    assert run.status == JobRunStatus.SUCCEEDED


def test_what_is_wrong_is_said(server, project, experiment):
    path = f"/api/experiment/{experiment.id}"
    assert "OBJECT_DETECTION" in server.call("POST", f"{path}/evaluate", 400, json={"inference_type": "KEYPOINT"})["message"]
    assert "kind of log" in server.call("POST", f"{path}/logs", 400, json={"name": "x", "type": "SONG", "data": 1})["message"]
    assert "data" in server.call("POST", f"{path}/logs", 400, json={"name": "x", "type": "VALUE"})["message"]
    assert "status" in server.call("PATCH", path, 400, json={"status": "DONE"})["message"]
    org, connector = server.organization["id"], server.organization["default_connector_id"]
    name = server.post(
        f"/api/organization/{org}/connector/{connector}/generate_object_name", {"filename": "x", "type": "ARTIFACT"}
    )["object_name"]
    assert "no bytes" in server.call(
        "POST", f"{path}/artifacts", 400, json={"name": "x", "filename": "x", "object_name": name}
    )["message"]
    assert "line_nb" in server.call("POST", f"{path}/logging", 400, json={"log": "x"})["message"]
    assert "number" in server.call(
        "POST",
        f"{path}/evaluations",
        400,
        json={"evaluations": [{"asset_id": str(project.id), "rectangles": [{"x": 1, "label_id": str(project.id)}]}]},
    )["message"]
    assert server.call(
        "POST", f"{path}/evaluations", 404, json={"evaluations": [{"asset_id": str(project.id), "rectangles": []}]}
    )
