# SPDX-License-Identifier: Apache-2.0
"""One script of the public SDK, unmodified, from images to the next model version: what it is given back is checked at each step.

Blood cells with the boxes that people drew; a detector of street scenes answers on them, people (this script) say what is right.
"""

import json
import xml.etree.ElementTree as ElementTree
import zipfile

import harness
import pytest
import samples
from conftest import coco_labels

picsellia = pytest.importorskip("picsellia")
from picsellia import Client  # noqa: E402
from picsellia.types.enums import (  # noqa: E402
    AnnotationFileType,
    Framework,
    ImportAnnotationMode,
    InferenceType,
    LogType,
    ServiceMetrics,
)

PICTURES = 8


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def cells(data):
    """{path: [(x, y, w, h, label)]} of a few pictures whose boxes all have an area."""
    found = {}
    for path in sorted((data / "det_bccd/Annotations").glob("*.xml")):
        boxes = []
        for thing in ElementTree.parse(path).getroot().iter("object"):
            left, top, right, bottom = (int(thing.find(f"bndbox/{side}").text) for side in ("xmin", "ymin", "xmax", "ymax"))
            boxes.append((left, top, right - left, bottom - top, thing.find("name").text))
        if all(w > 0 and h > 0 for _, _, w, h, _ in boxes):
            found[data / "det_bccd/JPEGImages" / f"{path.stem}.jpg"] = boxes
        if len(found) == PICTURES:
            return found
    raise AssertionError("too few pictures")


def coco_of(cells, path):
    names = sorted({box[4] for boxes in cells.values() for box in boxes})
    images = [{"id": i, "file_name": p.name, "width": 640, "height": 480} for i, p in enumerate(cells)]
    annotations = [
        {"id": 1000 * i + k, "image_id": i, "category_id": names.index(b[4]), "bbox": b[:4], "area": b[2] * b[3], "iscrowd": 0}
        for i, boxes in enumerate(cells.values())
        for k, b in enumerate(boxes)
    ]
    categories = [{"id": i, "name": name} for i, name in enumerate(names)]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def boxes_of(annotation):
    return sorted((r.x, r.y, r.w, r.h, r.label.name) for r in annotation.list_rectangles())


def check_exports(version, cells, folder):
    coco = json.loads(open(version.export_annotation_file(AnnotationFileType.COCO, folder / "coco")).read())
    names = {c["id"]: c["name"] for c in coco["categories"]}
    files = {i["id"]: i["file_name"] for i in coco["images"]}
    exported = {}
    for a in coco["annotations"]:
        exported.setdefault(files[a["image_id"]], []).append((*a["bbox"], names[a["category_id"]]))
    assert {k: sorted(v) for k, v in exported.items()} == {p.name: sorted(b) for p, b in cells.items()}

    archive = zipfile.ZipFile(version.export_annotation_file(AnnotationFileType.PASCAL_VOC, folder / "voc"))
    objects = sum(archive.read(n).count(b"<object>") for n in archive.namelist() if n.endswith(".xml"))
    assert objects == sum(len(b) for b in cells.values())

    archive = zipfile.ZipFile(version.export_annotation_file(AnnotationFileType.YOLO, folder / "yolo"))
    texts = {n.rsplit("/", 1)[-1]: archive.read(n).decode().split("\n") for n in archive.namelist() if n.endswith(".txt")}
    for path, boxes in cells.items():
        lines = [line.split() for line in texts[f"{path.stem}.txt"] if line.strip()]
        centres = sorted((round(float(x) * 640, 3), round(float(y) * 480, 3)) for _, x, y, *_ in lines)
        assert centres == sorted((x + w / 2, y + h / 2) for x, y, w, h, _ in boxes)


def images_and_boxes(client, cells, tmp_path):
    """Images, a dataset, and what people drew on them."""
    lake = client.get_datalake()
    datas = lake.upload_data([str(p) for p in cells], tags=["journey"], source="microscope-1")
    assert len(datas) == PICTURES and {d.filename for d in datas} == {p.name for p in cells}
    found = lake.list_data(q='tags.name = "journey" and (width > 600 and filename startswith "Blood")')
    assert {d.id for d in found} == {d.id for d in datas}
    assert lake.find_data(filename=datas[0].filename).get_datasource().name == "microscope-1"
    dataset = client.create_dataset("journey", description="blood cells")
    version = dataset.create_version("people", type=InferenceType.OBJECT_DETECTION)
    version.add_data(datas, tags=["drawn"]).wait_for_done()
    version.import_annotations_coco_file(
        coco_of(cells, tmp_path / "coco.json"), mode=ImportAnnotationMode.REPLACE, force_create_label=True
    )
    assert {label.name for label in version.list_labels()} == {b[4] for boxes in cells.values() for b in boxes}
    by_name = {p.name: sorted(boxes) for p, boxes in cells.items()}
    for asset in version.list_assets(q='tags.name in ("drawn", "other")'):
        [annotation] = asset.list_annotations()
        assert boxes_of(annotation) == by_name[asset.filename]
    stats = version.retrieve_stats()
    assert stats.nb_objects == sum(len(b) for b in cells.values())
    check_exports(version, cells, tmp_path)
    return lake, dataset, version


def model_in_service(client, data):
    model = client.create_model("journey")
    first = model.create_version(
        labels={str(i): name for i, name in enumerate(coco_labels(data))},
        framework=Framework.ONNX,
        type=InferenceType.OBJECT_DETECTION,
        base_parameters={"epochs": 1},
    )
    first.store("model-latest", str(data / "models/yolox_nano/yolox_nano.onnx"))
    return model, first, first.deploy(name="journey", min_threshold=0.1)


def predictions(deployment, lake, paths):
    """From a file, from data, from an object; the predicted image of the first."""
    answer = deployment.predict(str(paths[0]), tags=["belt"], source="camera-7")
    of_data = deployment.predict_data(lake.find_data(filename=paths[1].name), tags="again")
    again = deployment.predict_data(lake.find_data(filename=paths[1].name))
    assert of_data["shapes"] == again["shapes"] and of_data["predicted_asset_id"] != again["predicted_asset_id"]
    assert again["data_id"] == str(lake.find_data(filename=paths[1].name).id)
    cloud = deployment.predict_cloud_image(lake.find_data(filename=paths[2].name).object_name)
    assets = deployment.list_predicted_assets()
    assert {str(a.id) for a in assets} == {a["predicted_asset_id"] for a in (answer, again, cloud)}
    asset = deployment.find_predicted_asset(oracle_prediction_id=answer["id"])
    assert asset.filename == paths[0].name and asset.get_review() is None
    assert asset.get_champion_prediction()["shapes"] == answer["shapes"]
    assert [a.id for a in deployment.list_predicted_assets(q='source.name = "camera-7"')] == [asset.id]
    return asset


def feedback(server, dataset, deployment, asset, boxes, cells):
    """What is right, and where it goes."""
    production = dataset.create_version("production", type=InferenceType.OBJECT_DETECTION)
    for name in sorted({b[4] for boxes in cells.values() for b in boxes}):
        production.create_label(name)
    deployment.setup_feedback_loop()
    deployment.attach_dataset_version_to_feedback_loop(production)
    assert [v.id for v in deployment.list_feedback_loop_datasets()] == [production.id]
    deployment.toggle_feedback_loop(True)
    asset.add_review(rectangles=boxes)
    review = deployment.find_predicted_asset(id=asset.id).get_review()
    assert sorted((s["x"], s["y"], s["w"], s["h"], s["label"]) for s in review["shapes"]) == sorted(boxes)
    submitted = server.post(f"/api/deployment/{deployment.id}/submit", {"ids": [str(asset.id)]})
    assert submitted["submitted"] == 1, submitted
    [learned] = production.list_assets()
    assert learned.filename == asset.filename
    assert boxes_of(learned.list_annotations()[0]) == sorted(boxes)
    told = deployment.get_stats(ServiceMetrics.AGGREGATED_OBJECT_DETECTION_STATS)
    assert isinstance(told, dict) and told
    return production


def training(client, data, model, first, version, production, cells):
    """A training elsewhere, and its result as the next version."""
    paths = list(cells)
    project = client.create_project("journey")
    experiment = project.create_experiment("by hand", base_model_version=first)
    experiment.attach_dataset("train", version)
    experiment.attach_dataset("test", production)
    experiment.log_parameters({"epochs": 3})
    for loss in (0.9, 0.5, 0.3):
        experiment.log("loss", [loss], LogType.LINE)
    assert experiment.get_log("loss").data == [0.9, 0.5, 0.3]
    experiment.store("model-latest", str(data / "models/yolox_nano/yolox_nano.onnx"))
    label = version.get_label("RBC")
    target = version.find_asset(filename=paths[3].name)
    experiment.add_evaluation(target, rectangles=[(*b[:4], label, 0.9) for b in cells[paths[3]] if b[4] == "RBC"])
    job = experiment.compute_evaluations_metrics(InferenceType.OBJECT_DETECTION)
    harness.wait_until(lambda: job.sync()["status"] != "RUNNING", harness.CALL_TIMEOUT, "the evaluation to end")
    rbc = next(entry for entry in experiment.get_log("evaluation").data["labels"] if entry["label"] == "RBC")
    assert rbc["ap"] == pytest.approx(1)
    second = experiment.export_in_existing_model(model)
    assert second.version == 1 and second.get_context().get_dataset_version("train").id == version.id
    return second


def test_from_images_to_the_next_version(client, server, data, cells, tmp_path):
    paths = list(cells)
    lake, dataset, version = images_and_boxes(client, cells, tmp_path)
    model, first, deployment = model_in_service(client, data)
    asset = predictions(deployment, lake, paths)
    production = feedback(server, dataset, deployment, asset, cells[paths[0]], cells)
    second = training(client, data, model, first, version, production, cells)
    deployment.set_model(second)
    assert deployment.get_model_version().id == second.id
    assert deployment.predict(str(paths[4]))["model"]["version"] == 1
    version.lock()
    with pytest.raises(Exception, match="(?i)lock"):
        version.create_label("other")


def test_what_was_reviewed_is_not_dismissed(client, server, colours, tmp_path):
    """predict_data takes the place of an earlier prediction, but not of somebody's work; an unknown object is named."""
    deployment = client.get_deployment("colours")
    path = tmp_path / "worked-on.jpg"
    path.write_bytes(samples.photo("blue"))
    data = client.get_datalake().upload_data(str(path))
    first = deployment.predict_data(data)
    assert first["shapes"][0]["label"] == "blue" and first["data_id"] == str(data.id)
    asset = f"/api/predicted/asset/{first['predicted_asset_id']}"
    server.post(f"{asset}/reviews", {"classifications": [{"label": "red"}]})
    stored = {"cloud_image": {"object_name": data.object_name}}
    path = f"/api/v2/deployments/{colours['id']}/predict"
    assert "reviewed" in server.call("POST", path, 409, json=stored)["message"]
    assert server.get(asset)["status"] == "REVIEWED"
    unknown = {"cloud_image": {"object_name": "data/none.jpg"}}
    assert "no object" in server.call("POST", path, 404, json=unknown)["message"]
    assert "cloud_image" in server.call("POST", path, 400, json={})["message"]
    once = server.call("POST", path, 200, json={**stored, "monitor": False})
    assert once["shapes"][0]["label"] == "blue"
