# SPDX-License-Identifier: Apache-2.0
"""Import and export on the server: real sets by every format, and what was exported read again."""

import json
import uuid
import zipfile

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


def test_bccd_with_its_boxes_without_area(server, data):
    """Two boxes are points: kept, and said by name. The same again changes nothing."""
    parts = importing.files_of(data / "det_bccd", ["JPEGImages", "Annotations"])
    version = importing.make_version(server)
    result = importing.send(server, version, parts)
    assert result["images"] == result["assets_new"] == result["annotated"] == 364
    for name in ("BloodImage_00338", "BloodImage_00343"):
        assert [name in p and "no area" in p for p in result["problems"]].count(True) == 1
    assert len(result["problems"]) == 2
    counts = importing.counts(importing.shapes_of(server, version))
    assert counts == {"RBC": 4155, "WBC": 372, "Platelets": 361}
    assert sum(counts.values()) == result["shapes"]
    before = server.get(f"/api/dataset/version/{version['id']}")["revision"]
    again = importing.send(server, version, parts)
    assert (again["assets_new"], again["annotated"], again["unchanged"], again["shapes"]) == (0, 0, 364, 0)
    assert server.get(f"/api/dataset/version/{version['id']}")["revision"] == before


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


# ---- the command line ------------------------------------------------------------------------------------------------


def test_a_folder_by_command(server, cli, data, tmp_path):
    """In parts, with everything that lies beside the pictures; again it changes nothing; and out as a zip."""
    name = f"bccd-{uuid.uuid4()}"
    done = cli("dataset", "import", data / "det_bccd", "--dataset", f"{name}:first")
    assert f"{name}:first: 364 pictures, 364 of them new; 364 annotated with 4888 shapes" in done.stdout
    assert done.stderr.count("no area") == 2
    again = json.loads(cli("dataset", "import", data / "det_bccd", "--dataset", name, "--json").stdout)
    assert (again["assets_new"], again["annotated"], again["unchanged"]) == (0, 0, 364)
    assert len(again["problems"]) == 2
    version = server.get(f"/api/dataset/version/{again['dataset_version_id']}")
    counts = importing.counts(importing.shapes_of(server, version))
    assert counts == {"RBC": 4155, "WBC": 372, "Platelets": 361}
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
