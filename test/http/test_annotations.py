# SPDX-License-Identifier: Apache-2.0
"""Labels and annotations through the public SDK, and the one annotation of an asset that our pages draw."""

import json
import uuid
import xml.etree.ElementTree
import zipfile

import harness
import importing
import pytest
import requests
import samples
import test_openapi
import yaml

picsellia = pytest.importorskip("picsellia")
from picsellia import Client, exceptions  # noqa: E402
from picsellia.types.enums import AnnotationFileType, AnnotationStatus, ImportAnnotationMode, InferenceType  # noqa: E402

PICTURES = {f"{name}.jpg": samples.photo(name, 60, 40) for name in samples.COLOURS}


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def lake_data(client, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name, content in PICTURES.items():
        (folder / name).write_bytes(content)
    return client.get_datalake().upload_data([str(folder / name) for name in PICTURES])


@pytest.fixture
def version(client, lake_data):
    """A version with three pictures of 60 × 40."""
    dataset = client.create_dataset(f"annotations-{uuid.uuid4()}")
    made = dataset.create_version("first", type=InferenceType.OBJECT_DETECTION)
    made.add_data(lake_data)
    return made


@pytest.fixture
def asset(version):
    return version.find_asset(filename="red.jpg")


# ---- labels ----------------------------------------------------------------------------------------------------------


def test_labels(version):
    car = version.create_label("car")
    assert version.get_label("car").id == car.id
    assert version.get_or_create_label("car").id == car.id
    truck = version.get_or_create_label("truck")
    assert [label.name for label in version.list_labels()] == ["car", "truck"]
    with pytest.raises(exceptions.ResourceConflictError):
        version.create_label("car")
    with pytest.raises(exceptions.ResourceNotFoundError):
        version.get_label("plane")
    truck.update(name="Lastwagen")
    assert version.get_label("Lastwagen").id == truck.id
    car.delete()
    assert [label.name for label in version.list_labels()] == ["Lastwagen"]


def test_label_groups_and_skeletons(version):
    root = version.create_label_group("root")
    leaf = version.create_label_group("leaf", root)
    assert leaf.get_parent().id == root.id
    assert {g.name: g.parent_id for g in version.list_label_groups()} == {"root": None, "leaf": root.id}
    label = version.create_label("person")
    assert label.get_group() is None
    label.set_group(leaf)
    assert label.get_group().name == "leaf"
    with pytest.raises(exceptions.PicselliaError):
        root.set_parent(leaf)
    with pytest.raises(exceptions.ResourceNotFoundError):
        label.get_skeleton()
    label.set_skeleton(["head", "foot"], [[1, 2]])
    assert label.get_skeleton() == {"vertices": ["head", "foot"], "edges": [[1, 2]]}
    leaf.update(name="twig")
    leaf.delete()
    label.sync()
    assert label.get_group() is None


# ---- annotations -----------------------------------------------------------------------------------------------------


def test_an_annotation_and_its_shapes(version, asset):
    car, tree = version.create_label("car"), version.create_label("tree")
    annotation = asset.create_annotation(duration=2.5)
    assert (annotation.duration, annotation.status) == (2.5, AnnotationStatus.PENDING)
    one = annotation.create_rectangle(1, 2, 30, 20, car)
    many = annotation.create_multiple_rectangles([(0, 0, 5, 5, tree), (7, 7, 0, 3, car)])
    assert (one.x, one.y, one.w, one.h, one.label.name) == (1, 2, 30, 20, "car")
    assert [(r.x, r.w, r.label.name) for r in many] == [(0, 5, "tree"), (7, 0, "car")]
    polygon = annotation.create_polygon([[0, 0], [10, 0], [10, 10]], tree)
    line = annotation.create_line([[0, 0], [10, 5]], tree)
    point = annotation.create_point([3, 4], tree)
    word = annotation.create_classification(car)
    assert polygon.coords == [[0, 0], [10, 0], [10, 10]] and line.coords == [[0, 0], [10, 5]] and point.coords == [3, 4]
    assert word.label.id == car.id
    assert [r.id for r in annotation.list_rectangles()] == [one.id, *[r.id for r in many]]
    for kind, made in (("polygons", polygon), ("lines", line), ("points", point), ("classifications", word)):
        assert [s.id for s in getattr(annotation, f"list_{kind}")()] == [made.id]
    one.update(x=3, label=tree)
    one.sync()
    assert (one.x, one.y, one.label.name) == (3, 2, "tree")
    polygon.update(coords=[[1, 1], [9, 1], [9, 9], [1, 9]])
    polygon.sync()
    assert len(polygon.coords) == 4
    line.delete()
    assert annotation.list_lines() == []
    annotation.update(duration=4.0, status=AnnotationStatus.ACCEPTED)
    annotation.sync()
    assert (annotation.duration, annotation.status) == (4.0, AnnotationStatus.ACCEPTED)
    annotation.overwrite(rectangles=[(1, 1, 2, 2, car)], classifications=[tree], duration=1.0)
    assert len(annotation.list_rectangles()) == 1 and annotation.list_polygons() == []
    assert asset.get_annotation().id == annotation.id
    annotation.delete()
    with pytest.raises(exceptions.ResourceNotFoundError):
        asset.get_annotation()


def test_a_shape_of_another_version_is_refused(client, lake_data, version, asset):
    other = client.create_dataset(f"other-{uuid.uuid4()}").create_version("x", type=InferenceType.OBJECT_DETECTION)
    foreign = other.create_label("car")
    with pytest.raises(exceptions.PicselliaError, match="not one of the dataset version's labels"):
        asset.create_annotation().create_rectangle(1, 2, 3, 4, foreign)


def test_listing_loading_and_deleting(version):
    car = version.create_label("car")
    made = []
    for one in version.list_assets():
        annotation = one.create_annotation(duration=0.0)
        annotation.create_rectangle(1, 2, 3, 4, car)
        made.append(annotation)
    made[0].update(status=AnnotationStatus.ACCEPTED)
    assert {a.id for a in version.list_annotations()} == {a.id for a in made}
    assert [a.id for a in version.list_annotations(status=AnnotationStatus.ACCEPTED)] == [made[0].id]
    loaded = version.load_annotations(chunk_size=2)
    assert set(loaded) == {str(a.asset_id) for a in made}
    shape = {"x": 1, "y": 2, "w": 3, "h": 4, "label": "car", "text": None, "attributes": None}
    assert loaded[str(made[0].asset_id)][0]["rectangles"] == [shape]
    some = version.list_assets(ids=[made[1].asset_id])
    assert set(version.load_annotations(assets=some)) == {str(made[1].asset_id)}
    assert len(version.list_annotations()[:1].load()) == 1
    version.list_annotations()[:1].delete()
    assert len(version.list_annotations()) == 2
    some.delete_annotations()
    version.delete_all_annotations()
    with pytest.raises(exceptions.NoDataError):
        version.list_annotations()


def test_a_locked_version_is_left_alone(server, version, asset):
    car = version.create_label("car")
    annotation = asset.create_annotation()
    server.post(f"/api/dataset/version/{version.id}/lock")
    for change in (
        lambda: version.create_label("plane"),
        lambda: car.update(name="x"),
        lambda: annotation.create_rectangle(1, 2, 3, 4, car),
        lambda: version.delete_all_annotations(),
        lambda: version.create_label_group("x"),
    ):
        with pytest.raises(exceptions.PicselliaError, match="locked"):
            change()
    assert version.get_or_create_label("car").id == car.id


# ---- files of others -------------------------------------------------------------------------------------------------

BOXES = {"red.jpg": [("car", 1, 2, 30, 20), ("tree", 5, 6, 7, 8)], "green.jpg": [("car", 0, 0, 10, 10)], "blue.jpg": []}


def coco_file(folder, polygons=False):
    names = list(BOXES)
    annotations = [
        {
            "id": 10 * i + k, "image_id": i, "category_id": ["car", "tree"].index(label), "bbox": [x, y, w, h], "iscrowd": 0,
            "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]] if polygons else [], "area": w * h,
        }
        for i, name in enumerate(names)
        for k, (label, x, y, w, h) in enumerate(BOXES[name])
    ]  # fmt: skip
    path = folder / "coco.json"
    path.write_text(
        json.dumps({
            "images": [{"id": i, "file_name": n, "width": 60, "height": 40} for i, n in enumerate(names)],
            "categories": [{"id": 0, "name": "car", "supercategory": "vehicle.road"}, {"id": 1, "name": "tree"}],
            "annotations": annotations,
        })
    )  # fmt: skip
    return path


def found(version):
    """{file name: boxes} as loaded."""
    names = {str(a.id): a.filename for a in version.list_assets()}
    return {
        names[asset]: sorted((r["label"], r["x"], r["y"], r["w"], r["h"]) for r in annotations[0]["rectangles"])
        for asset, annotations in version.load_annotations().items()
    }


def drawn():
    return {name: sorted(boxes) for name, boxes in BOXES.items() if boxes}


def test_import_coco(version, tmp_path):
    made = version.import_annotations_coco_file(coco_file(tmp_path), fail_on_asset_not_found=True)
    assert sorted(made.values()) == [1, 2]
    assert found(version) == drawn()
    assert version.get_label("car").get_group().name == "road"
    again = version.import_annotations_coco_file(coco_file(tmp_path), mode=ImportAnnotationMode.KEEP)
    assert again == {} and found(version) == drawn()
    version.import_annotations_coco_file(coco_file(tmp_path), mode=ImportAnnotationMode.CONCATENATE)
    assert found(version)["green.jpg"] == [("car", 0, 0, 10, 10)] * 2
    replaced = version.import_annotations_coco_file(coco_file(tmp_path), status=AnnotationStatus.ACCEPTED)
    assert set(replaced) == set(made) and found(version) == drawn()
    assert len(version.list_annotations(status=AnnotationStatus.ACCEPTED)) == 2


def test_import_coco_polygons(version, tmp_path):
    version.set_type(InferenceType.SEGMENTATION)
    version.import_annotations_coco_file(coco_file(tmp_path, polygons=True))
    asset = str(version.find_asset(filename="green.jpg").id)
    polygons = version.load_annotations()[asset][0]["polygons"]
    assert [(p["label"], p["polygon"]) for p in polygons] == [("car", [[0, 0], [10, 0], [10, 10], [0, 10]])]
    built = version.build_coco_file_locally()
    assert sum(len(a.segmentation) for a in built.annotations) == 3


def test_import_coco_classes_and_key_points(version, tmp_path):
    version.set_type(InferenceType.CLASSIFICATION)
    version.import_annotations_coco_file(coco_file(tmp_path))
    asset = version.find_asset(filename="red.jpg")
    assert sorted(c.label.name for c in asset.get_annotation().list_classifications()) == ["car", "tree"]
    version.set_type(InferenceType.KEYPOINT)
    coco = json.loads((tmp_path / "coco.json").read_text())
    for category in coco["categories"]:
        category.update(keypoints=["head", "foot"], skeleton=[[1, 2]])
    for annotation in coco["annotations"]:
        annotation.update(keypoints=[1.5, 2, 2, 30, 20, 1], num_keypoints=2)
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    version.import_annotations_coco_file(tmp_path / "coco.json")
    loaded = version.load_annotations()[str(asset.id)][0]
    assert [(k["label"], k["keypoints"]) for k in loaded["keypoints"]] == [
        (label, [[1.5, 2, 2], [30, 20, 1]]) for label in ("car", "tree")
    ]
    assert version.get_label("car").get_skeleton() == {"vertices": ["head", "foot"], "edges": [[1, 2]]}
    path = version.export_annotation_file(AnnotationFileType.COCO, tmp_path / "out")  # which cannot hold them, and says so
    assert json.loads(open(path).read())["annotations"] == []


def test_import_yolo(version, tmp_path):
    (tmp_path / "data.yaml").write_text("nc: 2\nnames: [car, tree]\n")
    paths = []
    for name, boxes in BOXES.items():
        if boxes:
            paths.append(tmp_path / name.replace(".jpg", ".txt"))
            paths[-1].write_text(
                "\n".join(
                    f"{['car', 'tree'].index(label)} {(x + w / 2) / 60} {(y + h / 2) / 40} {w / 60} {h / 40}"
                    for label, x, y, w, h in boxes
                )
            )
    made = version.import_annotations_yolo_files(tmp_path / "data.yaml", paths)
    assert sorted(made.values()) == [1, 2]
    for name, boxes in found(version).items():
        for mine, right in zip(boxes, drawn()[name], strict=True):
            assert mine[0] == right[0] and mine[1:] == pytest.approx(right[1:], abs=1)  # the SDK cuts fractions off


def test_import_voc(version, tmp_path):
    objects = "".join(
        f"<object><name>{label}</name><pose>x</pose><truncated>0</truncated><difficult>0</difficult><bndbox><xmin>{x}</xmin>"
        f"<ymin>{y}</ymin><xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox></object>"
        for label, x, y, w, h in BOXES["red.jpg"]
    )
    path = tmp_path / "red.xml"
    path.write_text(
        "<annotation><folder>f</folder><filename>red.jpg</filename><path>red.jpg</path><source><database>x</database></source>"
        f"<size><width>60</width><height>40</height><depth>3</depth></size><segmented>0</segmented>{objects}</annotation>"
    )
    assert list(version.import_annotation_voc_file(path).values()) == [2]
    assert found(version) == {"red.jpg": drawn()["red.jpg"]}


@pytest.fixture
def imported(version, tmp_path):
    version.import_annotations_coco_file(coco_file(tmp_path))
    return version


def test_export_coco(imported, tmp_path):
    path = imported.export_annotation_file(AnnotationFileType.COCO, tmp_path)
    coco = json.loads(open(path).read())
    assert [c["name"] for c in coco["categories"]] == ["car", "tree"]
    names = {i["id"]: i["file_name"] for i in coco["images"]}
    labels = {c["id"]: c["name"] for c in coco["categories"]}
    boxes = {}
    for a in coco["annotations"]:
        boxes.setdefault(names[a["image_id"]], []).append((labels[a["category_id"]], *a["bbox"]))
        assert a["area"] == a["bbox"][2] * a["bbox"][3]
    assert {name: sorted(b) for name, b in boxes.items()} == drawn()
    asset = imported.find_asset(filename="green.jpg")
    path = imported.export_annotation_file(AnnotationFileType.COCO, tmp_path / "one", assets=[asset], use_id=True)
    assert [i["file_name"] for i in json.loads(open(path).read())["images"]] == [f"{asset.id}.jpg"]
    path = imported.export_annotation_file(AnnotationFileType.COCO, tmp_path / "none", status=AnnotationStatus.REFUSED)
    assert json.loads(open(path).read())["images"] == []
    # What was exported is read by the SDK again.
    path = imported.export_annotation_file(AnnotationFileType.COCO, tmp_path / "again")
    imported.delete_all_annotations()
    imported.import_annotations_coco_file(path)
    assert found(imported) == drawn()


def test_export_voc(imported, tmp_path):
    with zipfile.ZipFile(imported.export_annotation_file(AnnotationFileType.PASCAL_VOC, tmp_path)) as archive:
        assert sorted(archive.namelist()) == ["Annotations/green.xml", "Annotations/red.xml"]
        root = xml.etree.ElementTree.fromstring(archive.read("Annotations/red.xml"))
        archive.extractall(tmp_path / "out")
    corners = ("xmin", "ymin", "xmax", "ymax")
    boxes = [[o.findtext("name"), *(float(o.findtext(f"bndbox/{k}")) for k in corners)] for o in root.iter("object")]
    assert sorted(boxes) == [["car", 1, 2, 31, 22], ["tree", 5, 6, 12, 14]]
    assert root.findtext("filename") == "red.jpg"
    # What was exported is read by the SDK again.
    imported.delete_all_annotations()
    for path in (tmp_path / "out" / "Annotations").iterdir():
        imported.import_annotation_voc_file(path)
    assert found(imported) == drawn()


def test_export_yolo(imported, tmp_path):
    with zipfile.ZipFile(imported.export_annotation_file(AnnotationFileType.YOLO, tmp_path)) as archive:
        assert sorted(archive.namelist()) == ["data.yaml", "labels/green.txt", "labels/red.txt"]
        numbers = [float(n) for n in archive.read("labels/green.txt").split()]
        archive.extractall(tmp_path / "out")
    assert numbers == pytest.approx([0, 5 / 60, 5 / 40, 10 / 60, 10 / 40])
    # What was exported is read by the SDK again.
    imported.delete_all_annotations()
    texts = sorted((tmp_path / "out" / "labels").iterdir())
    assert sorted(imported.import_annotations_yolo_files(tmp_path / "out" / "data.yaml", texts).values()) == [1, 2]
    assert {name: [b[0] for b in boxes] for name, boxes in found(imported).items()} == {
        name: [b[0] for b in boxes] for name, boxes in drawn().items()
    }


# ---- what our pages draw ---------------------------------------------------------------------------------------------


def put(server, asset, base, shapes, client_id=None, expect=200, **more):
    body = {"base_revision": base, "client_id": client_id or str(uuid.uuid4()), "shapes": shapes, **more}
    return server.call("PUT", f"/api/asset/{asset['id']}/annotation", expect, json=body)


@pytest.fixture
def drawing(server):
    """An asset of a version that nobody has labelled."""
    version = importing.make_version(server)
    importing.send(server, version, [("media", ("red.jpg", PICTURES["red.jpg"]))])
    (asset,) = importing.assets_of(server, version)
    return version, asset


BOX = {"type": "rectangle", "x": 1.5, "y": 2, "w": 3, "h": 4, "label": "Auto"}
PART = {"type": "polygon", "polygon": [[0, 0], [5, 0.25], [5, 5]], "label": "Auto"}


def test_drawing_and_drawing_again(server, drawing):
    version, asset = drawing
    where = f"/api/asset/{asset['id']}/annotation"
    assert server.get(where) == {"annotation": None}
    refused = put(server, asset, 0, [BOX], expect=400)
    assert "no label named \"Auto\"" in refused["message"]
    first = put(server, asset, 0, [BOX], make_labels=True, seconds=2.5)["annotation"]
    assert (first["revision"], first["shapes"], first["duration"]) == (1, [BOX], 2.5)
    second = put(server, asset, 1, [BOX, PART], status="ACCEPTED", seconds=1)["annotation"]
    assert (second["revision"], second["shapes"], second["status"], second["duration"]) == (2, [BOX, PART], "ACCEPTED", 3.5)
    assert server.get(where)["annotation"] == second
    assert put(server, asset, 2, [])["annotation"]["shapes"] == []
    assert [i["name"] for i in server.get(f"/api/dataset/version/{version['id']}/labels")["items"]] == ["Auto"]


def test_a_second_hand_is_shown_what_the_first_drew(server, drawing):
    version, asset = drawing
    put(server, asset, 0, [BOX], client_id="one", make_labels=True)
    revision = server.get(f"/api/dataset/version/{version['id']}")["revision"]
    again = put(server, asset, 0, [BOX], client_id="one")["annotation"]  # the answer was lost: the same save
    assert again["revision"] == 1
    assert server.get(f"/api/dataset/version/{version['id']}")["revision"] == revision
    conflict = put(server, asset, 0, [PART], client_id="two", expect=409)
    assert "has changed this annotation" in conflict["message"]
    assert conflict["detail"] == [again]
    assert put(server, asset, 1, [PART], client_id="two")["annotation"]["shapes"] == [PART]
    server.delete(f"/api/annotation/{again['id']}")
    assert put(server, asset, 2, [BOX], expect=409)["detail"] == []


def test_what_cannot_be_drawn(server, drawing):
    version, asset = drawing
    few, star = {**PART, "polygon": [[1, 2]]}, {"type": "star", "label": "x"}
    for shapes in ([{**BOX, "w": -1}], [{**BOX, "x": "left"}], [few], [star], {}):
        assert put(server, asset, 0, shapes, make_labels=True, expect=400)["message"]
    server.post(f"/api/dataset/version/{version['id']}/lock")
    assert "locked" in put(server, asset, 0, [BOX], make_labels=True, expect=423)["message"]
    assert requests.get(f"{server.url}/api/asset/{asset['id']}/annotation", timeout=10).status_code == 401


def test_answers_are_as_the_contract_says(server, drawing):
    """api/openapi.yaml, by its own checker."""
    version, asset = drawing
    where, names = f"/api/dataset/version/{version['id']}", {}
    names["Label"] = server.post(where + "/labels", {"name": "Auto"})
    names["LabelList"] = server.get(where + "/labels")
    names["LabelGroup"] = server.post(where + "/labelgroups", {"name": "vehicles"})
    names["LabelGroupList"] = server.get(where + "/labelgroups")
    names["Skeleton"] = server.post(f"/api/label/{names['Label']['id']}/skeleton", {"vertices": ["a", "b"], "edges": [[1, 2]]})
    names["Annotation"] = server.post(f"/api/asset/{asset['id']}/annotations", {"duration": 1})
    one, label = f"/api/annotation/{names['Annotation']['id']}", names["Label"]["id"]
    shapes = {
        "rectangles": [{"x": 1, "y": 2, "w": 3, "h": 4, "label_id": label}],
        "polygons": [{"polygon": [[1, 2], [3, 4], [5, 6]], "label_id": label}],
        "points": [{"point": [1, 2], "label_id": label}],
        "keypoints": [{"keypoints": [[1, 2, 2]], "label_id": label}],
    }
    for kind, some in shapes.items():
        assert server.post(f"{one}/bulk-{kind}", {kind: some})[kind][0]["label"]["name"] == "Auto"
        names[f"AnnotationShapeList {kind}"] = server.get(f"{one}/{kind}")
    names["AnnotationShape"] = server.get(f"/api/rectangle/{names['AnnotationShapeList rectangles']['items'][0]['id']}")
    names["AnnotationList"] = server.get(where + "/annotations")
    names["LoadedAnnotation"] = server.call("XGET", where + "/annotations", 200, json=[names["Annotation"]["id"]])[0]
    names["Drawing"] = server.get(f"/api/asset/{asset['id']}/annotation")
    names["ExportObject"] = server.post(where + "/annotations/export", {"type": "COCO"})
    names["ImportResult"] = importing.send(server, version, [("media", ("green.jpg", PICTURES["green.jpg"]))])
    contract = yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())
    for name, answer in names.items():
        test_openapi.check(contract, answer, contract["components"]["schemas"][name.split()[0]], name)
