# SPDX-License-Identifier: Apache-2.0
"""Import and export on the server: real sets by every format, and what was exported read again."""

import importing
import pytest


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
