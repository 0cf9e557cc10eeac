# SPDX-License-Identifier: Apache-2.0
"""Import and export on the server: real sets by every format, and what was exported read again."""

import json
import math
import os
import random
import sqlite3
import uuid
import zipfile

import harness
import importing
import pytest
import samples

VOC50 = {"coco": "coco_format", "voc": "pascalvoc_format", "yolo": "yolo_format"}


def voc50(data, name):
    folder = data / "det_voc50"
    parts = importing.files_of(folder, ["images", f"gts/{VOC50[name]}"])
    return parts + ([("annotations", ("voc.names", (folder / "voc.names").read_bytes()))] if name == "yolo" else [])


def corners(shapes):
    """Boxes in an order of their own."""
    return sorted((s["label"], s["x"], s["y"], s["x"] + s["w"], s["y"] + s["h"]) for s in shapes)


def test_the_same_boxes_by_three_formats(server, data):
    found = {}
    for name in VOC50:
        version = importing.make_version(server)
        result = importing.send(server, version, voc50(data, name))
        assert result["problems"] == []
        assert (result["images"], result["assets_new"], result["shapes"], result["labels_new"]) == (50, 50, 119, 20)
        assert server.get(f"/api/dataset/version/{version['id']}")["type"] == "OBJECT_DETECTION"
        found[name] = importing.shapes_of(server, version)
        assert len(found[name]) == 50
    for name in ("voc", "yolo"):
        assert found[name].keys() == found["coco"].keys()
        for picture, shapes in found[name].items():
            for mine, other in zip(corners(shapes), corners(found["coco"][picture]), strict=True):
                assert mine[0] == other[0]
                assert mine[1:] == pytest.approx(other[1:], abs=0.51 if name == "yolo" else 1e-6), picture


def boxes(shapes):
    return {
        name: None if one is None else sorted((s["label"], s["type"], s["x"], s["y"], s["w"], s["h"]) for s in one)
        for name, one in shapes.items()
    }


@pytest.mark.parametrize("name", VOC50)
def test_what_is_exported_reads_back_the_same(server, data, name):
    first, second = importing.make_version(server), importing.make_version(server)
    importing.send(server, first, voc50(data, "coco"))
    files = importing.export(server, first, format=name, images=1)
    assert sum(f.lower().endswith(".jpg") for f in files) == 50
    result = importing.send(server, second, importing.parts_of(files))
    assert (result["problems"], result["shapes"]) == ([], 119)
    assert boxes(importing.shapes_of(server, second)) == boxes(importing.shapes_of(server, first))
    if name == "coco":
        hashes = [server.get(f"/api/dataset/version/{v['id']}/manifest")["hash"] for v in (first, second)]
        assert hashes[0] == hashes[1]


FORMATS = {
    "coco_dataset/coco": ("COCO", 2, 2, 7), "coco_dataset/coco_captions": ("COCO", 2, 0, 0),
    "coco_dataset/coco_image_info": ("COCO", 2, 0, 0), "coco_dataset/coco_instances": ("COCO", 2, 2, 3),
    "coco_dataset/coco_labels": ("COCO", 2, 2, 3), "coco_dataset/coco_panoptic": ("COCO", 2, 0, 0),
    "coco_dataset/coco_person_keypoints": ("COCO", 2, 2, 3), "coco_dataset/coco_roboflow": ("COCO", 2, 2, 3),
    "coco_dataset/coco_stuff": ("COCO", 2, 2, 2), "coco_dataset/mmdet_coco": ("COCO", 2, 2, 3),
    "cvat_dataset/for_images": ("no format", 8, 0, 0), "cvat_dataset/for_video": ("no format", 3, 0, 0),
    "image_dir_dataset": ("no format", 2, 0, 0), "imagenet_dataset": ("folders per class", 4, 3, 3),
    "voc_dataset/voc_dataset1": ("Pascal VOC", 2, 1, 2), "voc_dataset/voc_dataset3": ("Pascal VOC", 1, 1, 1),
    "yolo_dataset/annotations": ("YOLO", 1, 1, 2), "yolo_dataset/labels": ("YOLO", 2, 2, 4),
    "yolo_dataset/strict": ("YOLO", 1, 1, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_formats_in_miniature(server, data, name):
    """(format, assets, annotated ones, shapes); what is not read is said, and masks are not taken for pictures."""
    version = importing.make_version(server)
    result = importing.send(server, version, importing.files_of(data / "formats" / name))
    found = server.get(f"/api/dataset/version/{version['id']}")
    assert (result["format"], found["assets"], result["annotated"], result["shapes"]) == FORMATS[name], result


# ---- the command line ------------------------------------------------------------------------------------------------


def test_a_folder_by_command(server, cli, data, tmp_path):
    """In parts, with all that lies beside the pictures; two boxes are points and said by name; again it changes nothing."""
    name = f"bccd-{uuid.uuid4()}"
    done = cli("dataset", "import", data / "det_bccd", "--dataset", f"{name}:first")
    assert f"{name}:first: 364 pictures, 364 of them new; 364 annotated with 4888 shapes" in done.stdout
    for picture in ("BloodImage_00338", "BloodImage_00343"):
        assert [picture in line and "no area" in line for line in done.stderr.splitlines()].count(True) == 1
    again = json.loads(cli("dataset", "import", data / "det_bccd", "--dataset", name, "--json").stdout)
    assert (again["assets_new"], again["annotated"], again["unchanged"]) == (0, 0, 364)
    assert len(again["problems"]) == 2
    version = server.get(f"/api/dataset/version/{again['dataset_version_id']}")
    counts = importing.counts(importing.shapes_of(server, version))
    assert counts == {"RBC": 4155, "WBC": 372, "Platelets": 361}
    assert version["revision"] == 1 + math.ceil(200 / 32) + math.ceil(164 / 32)  # labels, and each batch of the first time
    path = tmp_path / "out.zip"
    cli("dataset", "export", f"{name}:first", "--format", "coco", "--images", "-o", path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert sum(n.startswith("images/") for n in archive.namelist()) == 364
        archive.extractall(tmp_path / "out")
    second = json.loads(cli("dataset", "import", tmp_path / "out", "--dataset", f"{name}:second", "--json").stdout)
    manifests = [server.get(f"/api/dataset/version/{v}/manifest") for v in (version["id"], second["dataset_version_id"])]
    assert manifests[0]["hash"] == manifests[1]["hash"]
    assert not (tmp_path / "out.zip.part").exists()


def test_a_folder_of_bare_pictures(server, cli, tmp_path):
    folder = tmp_path / "pictures"
    (folder / "a").mkdir(parents=True)
    for i in range(205):  # more than one part
        (folder / "a" / f"{i:03}.jpg").write_bytes(samples.numbered(i))
    name = f"bare-{uuid.uuid4()}"
    result = json.loads(cli("dataset", "import", folder, "--dataset", name, "--json").stdout)
    assert (result["images"], result["assets_new"], result["annotated"], result["problems"]) == (205, 205, 0, [])
    version = server.get(f"/api/dataset/version/{result['dataset_version_id']}")
    assert (version["version"], version["type"], version["assets"]) == ("v1", "NOT_CONFIGURED", 205)


def test_a_folder_for_each_class(server, cli, tmp_path):
    """More pictures of one class than a part has: each part knows that folders are classes."""
    for label, count in (("Katze", 203), ("dog", 3)):
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(count):
            (tmp_path / "set" / label / f"{i}.jpg").write_bytes(samples.numbered(i + 1000 * (label == "dog")))
    result = json.loads(cli("dataset", "import", tmp_path, "--dataset", f"classes-{uuid.uuid4()}", "--json").stdout)
    assert (result["images"], result["annotated"], result["labels_new"], result["problems"]) == (206, 206, 2, [])
    version = server.get(f"/api/dataset/version/{result['dataset_version_id']}")
    assert version["type"] == "CLASSIFICATION"
    shapes = importing.shapes_of(server, version)
    assert importing.counts(shapes) == {"Katze": 203, "dog": 3}
    assert {"0.jpg", "set/dog/0.jpg"} <= set(shapes)  # the second of a name keeps its folders


def test_pictures_that_are_annotated_and_not_there(cli, tmp_path):
    for i in range(203):
        (tmp_path / f"{i}.jpg").write_bytes(samples.numbered(i))
    coco = {
        "images": [{"id": i, "file_name": f"{i}.jpg"} for i in range(210)],
        "categories": [{"id": 1, "name": "tree"}],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [1, 2, 3, 0 if i == 7 else 4]} for i in range(210)],
    }
    (tmp_path / "a.json").write_text(json.dumps(coco))
    result = json.loads(cli("dataset", "import", tmp_path, "--dataset", f"coco-{uuid.uuid4()}", "--json").stdout)
    assert (result["assets_new"], result["annotated"], result["shapes"]) == (203, 203, 203)
    assert len(result["problems"]) == 2  # said once, though each part has the file
    assert "7.jpg" in result["problems"][0] and result["problems"][1] == "7 annotated pictures are not in the folder."


def test_what_the_command_says_when_it_fails(server, cli, tmp_path):
    assert "Say import" in cli("dataset", "import", tmp_path, expect=2).stderr
    assert "no pictures" in cli("dataset", "import", tmp_path, "--dataset", "x", expect=1).stderr
    assert "Say export" in cli("dataset", "export", "x:y", "--format", "coco", expect=2).stderr
    gone = cli("dataset", "export", "x:y", "--format", "coco", "-o", tmp_path / "x.zip", expect=1)
    assert "no dataset" in gone.stderr.lower()
    version = importing.make_version(server)
    what = f"{version['origin_name']}:v1"
    bad = cli("dataset", "export", what, "--format", "tfrecord", "-o", tmp_path / "x.zip", expect=1)
    assert "COCO, PASCAL_VOC or YOLO" in bad.stderr
    assert list(tmp_path.iterdir()) == []


# ---- anything, out and in again --------------------------------------------------------------------------------------

ROUNDS = int(os.environ.get("GYRE_ROUNDTRIPS", "3"))
LABELS = ["car", "Fußgänger", "犬", "a b, c; d", "'\"<&>"]
NAMES = ["plain.jpg", "Größe & Maß.jpg", "犬 の 写真.jpg", "it's #1 (50%).jpg", "no shapes.jpg", "never looked at.jpg"]
SIDE = (96, 64)


def random_number(rng, limit):
    return rng.choice([0, limit, rng.randint(0, limit), round(rng.uniform(0, limit), 2), rng.uniform(0, limit)])


def random_box(rng):
    x, y = sorted(random_number(rng, SIDE[0]) for _ in "xx"), sorted(random_number(rng, SIDE[1]) for _ in "yy")
    if rng.random() < 0.1:
        x[1] = x[0]  # without area
    return {"type": "rectangle", "x": x[0], "y": y[0], "w": x[1] - x[0], "h": y[1] - y[0]}


def random_polygon(rng, parts):
    def ring():
        return [[random_number(rng, SIDE[0]), random_number(rng, SIDE[1])] for _ in range(rng.randint(3, 9))]

    rings = [ring() for _ in range(rng.randint(1, 3) if parts else 1)]
    return {"type": "polygon", "polygon": rings[0]} if len(rings) == 1 else {"type": "polygon", "rings": rings}


def random_shapes(rng, name):
    """Of kinds that the format can hold."""
    shapes = []
    for _ in range(rng.randint(1, 8)):
        kind = rng.choice({"coco": ["box", "polygon", "class"], "voc": ["box", "polygon"], "yolo": ["box", "polygon"]}[name])
        shape = {"class": {"type": "classification"}}.get(kind) or (
            random_box(rng) if kind == "box" else random_polygon(rng, name == "coco")
        )
        shapes.append({**shape, "label": rng.choice(LABELS)})
        if name != "yolo" and rng.random() < 0.2:
            shapes[-1]["difficult"] = True
        if name == "coco" and kind != "class" and rng.random() < 0.2:
            shapes[-1]["crowd"] = True
    return shapes


def flat(shape):
    """(what is compared exactly, numbers)"""
    rings = shape.get("rings") or [shape.get("polygon", [])]
    box = [shape["x"], shape["y"], shape["x"] + shape["w"], shape["y"] + shape["h"]] if "w" in shape else []
    exact = (shape["type"], shape["label"], bool(shape.get("crowd")), bool(shape.get("difficult")), [len(r) for r in rings])
    return exact, [n for ring in rings for point in ring for n in point] + box


@pytest.mark.parametrize("name", VOC50)
def test_anything_that_is_exported_reads_back(server, name):
    """Shapes of every kind, names of every kind: the same after a way out and in, to the precision of a 32-bit float."""
    seed = int(os.environ.get("GYRE_SEED", random.randrange(1 << 30)))
    print(f"GYRE_SEED={seed}")
    for turn in range(ROUNDS):
        rng = random.Random(seed + turn)
        first, second = importing.make_version(server), importing.make_version(server)
        importing.send(server, first, [("media", (n, samples.numbered(i))) for i, n in enumerate(NAMES)])
        for label in LABELS:
            server.post(f"/api/dataset/version/{first['id']}/labels", {"name": label})
        drawn = {}
        for asset in importing.assets_of(server, first):
            file = asset["data"]["filename"]
            drawn[file] = None if file.startswith("never") else [] if file.startswith("no ") else random_shapes(rng, name)
            if drawn[file] is not None:
                body = {"base_revision": 0, "client_id": "x", "shapes": drawn[file]}
                server.call("PUT", f"/api/asset/{asset['id']}/annotation", 200, json=body)
        result = importing.send(server, second, importing.parts_of(importing.export(server, first, format=name, images=1)))
        assert result["images"] == len(NAMES), result
        read = importing.shapes_of(server, second)
        assert set(read) == set(NAMES)
        for file, shapes in drawn.items():
            if not shapes:
                assert read[file] == shapes or (name == "yolo" and not read[file]), file
                continue
            for mine, other in zip(shapes, read[file], strict=True):
                assert flat(mine)[0] == flat(other)[0], (file, mine, other)
                assert flat(other)[1] == pytest.approx(flat(mine)[1], abs=1e-5), (file, mine, other)
        if name != "voc":  # which has no list of them
            labels = server.get(f"/api/dataset/version/{second['id']}/labels")["items"]
            assert [label["name"] for label in labels] == LABELS


# ---- what is wrong, and what is chosen -------------------------------------------------------------------------------


def yolo(*lines):
    return "".join(line + "\n" for line in lines).encode()


def test_what_is_wrong_is_named_and_the_rest_is_imported(server, data):
    version = importing.make_version(server)
    good, whole = samples.numbered(1), (data / "img_variants_pillow")
    assert whole.is_dir()
    parts = [
        ("media", ("images/good.jpg", good)),
        ("media", ("images/cut.jpg", good[: len(good) // 2])),
        ("media", ("images/text.jpg", b"this is no picture")),
        ("media", ("../escape.jpg", good)),
        ("annotations", ("classes.txt", b"car\ntree\n")),
        ("annotations", ("labels/good.txt", yolo("0 0.5 0.5 0.2 0.2", "1 0.5 0.5 0 0.2", "0 5 5 0.1 0.1", "9 0.5 0.5 0.1 0.1"))),
        ("annotations", ("labels/cut.txt", yolo("0 0.5 0.5 0.2 0.2"))),
    ]
    result = importing.send(server, version, parts, format="yolo")
    assert (result["images"], result["assets_new"], result["annotated"], result["shapes"]) == (1, 1, 1, 2)
    for words in (("cut.jpg", "left out"), ("text.jpg", "left out"), ("escape.jpg", "cannot be used"), ("no area",)):
        assert any(all(w in p for w in words) for p in result["problems"]), (words, result["problems"])
    assert list(importing.shapes_of(server, version)) == ["good.jpg"]
    nothing = importing.send(server, version, [("media", ("a.jpg", b"no picture"))])
    assert nothing["images"] == 0 and "a.jpg" in nothing["problems"][0]


def test_annotations_of_pictures_that_are_there(server):
    """Without pictures, annotations are of assets, by their file names."""
    version = importing.make_version(server)
    importing.send(server, version, [("media", (f"{i}.jpg", samples.numbered(i))) for i in range(3)])
    boxes = [("labels/0.txt", yolo("0 0.5 0.5 0.25 0.25")), ("labels/1.txt", yolo()), ("data.yaml", b"names: [car]\n")]
    result = importing.send(server, version, [("annotations", b) for b in boxes])
    assert (result["images"], result["assets_new"], result["annotated"], result["shapes"]) == (0, 0, 2, 1)
    box = {"type": "rectangle", "x": 36, "y": 24, "w": 24, "h": 16, "label": "car"}
    assert importing.shapes_of(server, version) == {"0.jpg": [box], "1.jpg": [], "2.jpg": None}
    coco = {
        "images": [{"id": 1, "file_name": "2.jpg"}, {"id": 2, "file_name": "gone.jpg"}],
        "categories": [{"id": 1, "name": "tree"}],
        "annotations": [{"id": i, "image_id": i, "category_id": 1, "bbox": [1, 2, 3, 4]} for i in (1, 2)],
    }
    result = importing.send(server, version, [("annotations", ("a.json", json.dumps(coco).encode()))])
    assert result["annotated"] == 1
    assert [p for p in result["problems"] if "gone.jpg" in p and "no such picture" in p]


def test_what_becomes_of_annotations_that_are_there(server):
    version = importing.make_version(server)
    picture, names = ("media", ("a.jpg", samples.numbered(1))), ("annotations", ("data.yaml", b"names: [car, tree]\n"))

    def send(text, **fields):
        return importing.send(server, version, [picture, names, ("annotations", ("a.txt", yolo(*text)))], **fields)

    def labels():
        return [s["label"] for s in importing.shapes_of(server, version)["a.jpg"]]

    car, tree = "0 0.5 0.5 0.25 0.25", "1 0.5 0.5 0.5 0.5"
    assert send([car])["annotated"] == 1
    assert send([tree], mode="KEEP")["unchanged"] == 1 and labels() == ["car"]
    assert send([tree], mode="CONCATENATE")["shapes"] == 1 and labels() == ["car", "tree"]
    assert send([tree], mode="CONCATENATE")["unchanged"] == 1 and labels() == ["car", "tree"]
    assert send([tree])["annotated"] == 1 and labels() == ["tree"]
    assert send([])["annotated"] == 1 and labels() == []
    (asset,) = importing.assets_of(server, version)
    assert asset["annotation"]["revision"] == 4


def test_pictures_of_one_name_and_one_picture_twice(server):
    version = importing.make_version(server)
    one, other = samples.numbered(1), samples.numbered(2)
    result = importing.send(server, version, [("media", ("x/a.jpg", one)), ("media", ("y/a.jpg", other))])
    assert set(importing.shapes_of(server, version)) == {"a.jpg", "y/a.jpg"}
    result = importing.send(server, version, [("media", ("z/a.jpg", one)), ("media", ("y/a.jpg", other))])
    assert result["assets_new"] == 0
    # Two files are two assets, though their bytes be the same; and again they are those.
    twice = [("media", ("p/a.jpg", one)), ("media", ("q/a.jpg", one))]
    assert importing.send(server, version, twice)["assets_new"] == 1
    assert importing.send(server, version, twice)["assets_new"] == 0
    # The same files in another version are the same data.
    again = importing.make_version(server)
    importing.send(server, again, [("media", ("x/a.jpg", one))])
    (asset,) = importing.assets_of(server, again)
    assert asset["data"]["id"] in [a["data"]["id"] for a in importing.assets_of(server, version)]
    assert asset["data"]["data_source"]["name"] == "import"


def keep_for_evaluation(server, asset):
    """As the Feedback Loop does, which decides it by the scene of a picture."""
    with sqlite3.connect(server.data / "gyre.db", timeout=30) as database:
        database.execute("UPDATE asset SET evaluation = 1 WHERE id = ?", (uuid.UUID(asset["id"]).bytes,))
    database.close()


def test_what_is_kept_for_evaluation_is_in_no_export_for_training(server):
    version = importing.make_version(server)
    importing.send(server, version, [("media", (f"{i}.jpg", samples.numbered(i))) for i in range(4)])
    for i, asset in enumerate(sorted(importing.assets_of(server, version), key=lambda a: a["data"]["filename"])):
        body = {"base_revision": 0, "client_id": "x", "make_labels": True, "shapes": [{"type": "classification", "label": "a"}]}
        server.call("PUT", f"/api/asset/{asset['id']}/annotation", 200, json=body)
        if i < 1:
            keep_for_evaluation(server, asset)

    def pictures(**params):
        files = importing.export(server, version, format="coco", images=1, **params)
        listed = {i["file_name"] for i in json.loads(files["annotations.json"])["images"]}
        assert listed == {f.removeprefix("images/") for f in files if f.startswith("images/")}
        return listed

    assert pictures() == pictures(**{"for": "all"}) == {"0.jpg", "1.jpg", "2.jpg", "3.jpg"}
    assert pictures(**{"for": "training"}) == {"1.jpg", "2.jpg", "3.jpg"}
    assert pictures(**{"for": "evaluation"}) == {"0.jpg"}


def test_what_is_refused(server):
    version = importing.make_version(server)
    where = f"/api/dataset/version/{version['id']}"
    picture = [("media", ("a.jpg", samples.numbered(1)))]
    assert "nothing to import" in server.call("POST", where + "/import", 400, files=[("other", ("x", b""))])["message"]
    for field, value, words in (("format", "tfrecord", "coco, voc, yolo"), ("mode", "ADD", "REPLACE")):
        refused = server.call("POST", where + "/import", 400, files=picture, data={field: value})
        assert words in refused["message"]
    assert "a.json is in no format" in importing.send(server, version, [("annotations", ("a.json", b"{"))], expect="FAILED")
    assert importing.export(server, version, expect=422, format="voc").json()["message"].startswith("There is nothing")
    importing.export(server, version, expect=400, format="tfrecord")
    importing.export(server, version, expect=400, format="coco", images="2")
    importing.export(server, version, expect=400, **{"format": "coco", "for": "fun"})
    gone = "/api/dataset/version/00000000-0000-7000-8000-000000000000"
    server.call("POST", gone + "/import", 404, files=picture)
    server.call("GET", gone + "/export?format=coco", 404)
    server.post(where + "/lock")
    assert "locked" in server.call("POST", where + "/import", 423, files=picture)["message"]


def test_an_import_is_cancelled(server):
    """What it had done stays; the same again does the rest."""
    version = importing.make_version(server)
    parts = [("media", (f"{i}.jpg", samples.numbered(i, 600, 400))) for i in range(80)]
    job = server.call("POST", f"/api/dataset/version/{version['id']}/import", 202, files=parts)["job"]
    server.call("POST", f"/api/job/{job['id']}/cancel", (200, 202, 204, 409))
    assert importing.ended(server, job)["status"] in ("TERMINATED", "SUCCESS")
    assert importing.send(server, version, parts)["images"] == 80
    assert len(importing.assets_of(server, version)) == 80


def test_an_import_that_a_kill_cuts_short_is_done_by_the_next(fresh):
    """Its job is FAILED with a sentence, what it stored is whole, and the same again does the rest."""
    parts = [("media", (f"{i}.jpg", samples.numbered(i, 600, 400))) for i in range(150)]
    parts += [("annotations", (f"{i}.txt", yolo("0 0.5 0.5 0.25 0.25"))) for i in range(150)]
    parts += [("annotations", ("data.yaml", b"names: [car]\n"))]
    fresh.start()
    version = importing.make_version(fresh)
    job = fresh.call("POST", f"/api/dataset/version/{version['id']}/import", 202, files=parts)["job"]
    harness.wait_until(
        lambda: fresh.get(f"/api/dataset/version/{version['id']}")["assets"] > 0, harness.CALL_TIMEOUT, "the first pictures"
    )
    fresh.kill()
    fresh.start()
    job = fresh.get(f"/api/job/{job['id']}")
    assert job["status"] in ("FAILED", "SUCCESS")
    assert job["status"] == "SUCCESS" or job["error"]
    before = importing.shapes_of(fresh, version)
    assert 0 < len(before) <= 150 and all(len(shapes) == 1 for shapes in before.values())
    result = importing.send(fresh, version, parts)
    assert (result["images"], result["assets_new"], result["unchanged"]) == (150, 150 - len(before), len(before))
    assert importing.counts(importing.shapes_of(fresh, version)) == {"car": 150}
