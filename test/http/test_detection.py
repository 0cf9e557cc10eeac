# SPDX-License-Identifier: Apache-2.0
"""The numbers: real models on real pictures through HTTP, against a separate reference (reference.py) and known answers."""

import json

import pytest
import samples
from conftest import coco_labels

import reference


@pytest.fixture(scope="module")
def truth(data):
    return json.loads((data / "det_voc50/gts/coco_format/instances_default.json").read_text())


def to_coco(truth, names, boxes_of):
    """COCO results of boxes_of(file name) → [(x1, y1, x2, y2, label index, score)], on the classes both sets know."""
    category = {c["name"]: c["id"] for c in truth["categories"]}
    results = []
    for image in truth["images"]:
        for x1, y1, x2, y2, label, score in boxes_of(image["file_name"]):
            if names[label] in category:
                box = [x1, y1, x2 - x1, y2 - y1]
                results.append(
                    {"image_id": image["id"], "category_id": category[names[label]], "bbox": box, "score": score}
                )
    return results


def rectangles(answer):
    return [
        (s["x"], s["y"], s["x"] + s["w"], s["y"] + s["h"], s["label_id"], s["score"])
        for s in answer["shapes"]
        if s["type"] == "rectangle"
    ]


@pytest.fixture(scope="module")
def answers(server, data, truth, yolox):
    """What the server said of each of the 50 photos, at a threshold that hides nothing that is stored."""
    server.patch(f"/api/deployment/{yolox['id']}", {"min_threshold": 0.01})
    folder = data / "det_voc50/images"
    found = {
        image["file_name"]: server.predict(yolox, (folder / image["file_name"]).read_bytes(), filename=image["file_name"])
        for image in truth["images"]
    }
    server.patch(f"/api/deployment/{yolox['id']}", {"min_threshold": 0.1})
    return found


def test_average_precision_is_the_references(data, truth, answers):
    names = coco_labels(data)
    model = reference.session(data / "models/yolox_nano/yolox_nano.onnx")
    folder = data / "det_voc50/images"
    theirs = to_coco(truth, names, lambda file: reference.detect(model, reference.load(folder / file)))
    ours = to_coco(truth, names, lambda file: rectangles(answers[file]))
    assert len(answers) == 50
    ap, ap50 = reference.average_precision(truth, ours)
    reference_ap, reference_ap50 = reference.average_precision(truth, theirs)
    print(f"AP {ap:.4f} (reference {reference_ap:.4f}), AP50 {ap50:.4f} (reference {reference_ap50:.4f})")
    assert reference_ap > 0.5  # the reference itself is sane: published AP on COCO is 0.258, these photos are easier
    assert abs(ap - reference_ap) <= 0.01
    assert abs(ap50 - reference_ap50) <= 0.01


def test_boxes_are_in_the_picture_and_named(data, answers):
    names = coco_labels(data)
    for file, answer in answers.items():
        width, height = answer["image"]["width"], answer["image"]["height"]
        scores = [s["score"] for s in answer["shapes"]]
        assert scores == sorted(scores, reverse=True), file
        assert answer["hidden"] == 0 and len(answer["shapes"]) <= 300
        for shape in answer["shapes"]:
            assert shape["label"] == names[shape["label_id"]]
            assert 0.01 <= shape["score"] <= 1
            assert 0 <= shape["x"] and shape["x"] + shape["w"] <= width + 1e-3
            assert 0 <= shape["y"] and shape["y"] + shape["h"] <= height + 1e-3


def test_raw_predictions_agree_with_the_shapes(answers):
    """The SDK's keys: boxes as [top, left, bottom, right] in whole pixels."""
    for answer in answers.values():
        assert len(answer["detection_boxes"]) == len(answer["shapes"])
        for shape, box, label, score in zip(
            answer["shapes"], answer["detection_boxes"], answer["detection_classes"], answer["detection_scores"]
        ):
            assert label == shape["label_id"] and score == pytest.approx(shape["score"], abs=1e-6)
            expected = [shape["y"], shape["x"], shape["y"] + shape["h"], shape["x"] + shape["w"]]
            assert box == pytest.approx(expected, abs=1.0) and all(isinstance(n, int) for n in box)


LAYOUTS = ["layout_1x84xN.onnx", "layout_detr_logits_boxes.onnx"]


@pytest.mark.parametrize("file", LAYOUTS)
def test_layouts_give_the_same_boxes(server, data, truth, answers, file, tmp_path):
    """The same weights behind other output layouts: the same boxes within a pixel. The recipe states what a graph without
    metadata cannot: that this detector takes BGR 0…255 with padding at the bottom right."""
    recipe = {
        "colour": "bgr", "fit": "letterbox", "pad": "bottom_right", "pad_value": 114, "scale": 1.0, "mean": [0, 0, 0],
        "std": [1, 1, 1], "nms_iou": 0.45,
    }  # fmt: skip
    version = server.push(
        data / "models/layouts" / file, file.removesuffix(".onnx"), "OBJECT_DETECTION", coco_labels(data), recipe
    )
    deployment = server.deploy(version, file.removesuffix(".onnx").replace("_", "-"), 0.01)
    compared = 0
    for image in truth["images"][:12]:
        name = image["file_name"]
        got = rectangles(server.predict(deployment, (data / "det_voc50/images" / name).read_bytes(), filename=name))
        want = rectangles(answers[name])
        # Near-ties may be suppressed either way, so scores close to the floor are left out.
        for box in [b for b in want if b[5] > 0.05]:
            near = [g for g in got if g[4] == box[4] and max(abs(a - b) for a, b in zip(g[:4], box[:4])) <= 1.0]
            assert near, f"{name}: no box like {box} among {[g for g in got if g[4] == box[4]]}"
            assert min(abs(g[5] - box[5]) for g in near) < 0.01
            compared += 1
        assert len([g for g in got if g[5] > 0.05]) == len([w for w in want if w[5] > 0.05])
    assert compared > 20


@pytest.mark.parametrize("digit", [0, 3, 5, 7])
def test_digits_are_what_their_names_say(server, data, mnist, digit):
    answer = server.predict(mnist, (data / f"models/mnist/{digit}.jpg").read_bytes(), filename=f"{digit}.jpg")
    best = answer["shapes"][0]
    assert best["type"] == "classification"
    assert best["label"] == str(digit) and best["score"] > 0.5
    assert sum(s["score"] for s in answer["shapes"]) == pytest.approx(1, abs=0.15)  # those under the floor are dropped


@pytest.mark.parametrize("colour", samples.COLOURS)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_colours(server, colours, colour, format):
    options = {"lossless": True} if format == "WEBP" else {}
    image = samples.encode(samples.plain(colour), format, **options)
    answer = server.predict(colours, image, filename="plain")
    assert answer["shapes"][0]["label"] == colour
    assert answer["shapes"][0]["score"] == pytest.approx(samples.colour_scores(colour)[colour], abs=0.01)
    assert answer["image"]["width"] == 64 and answer["image"]["height"] == 48


def test_blocks(server, blocks):
    """Known boxes: mapped back to the picture's own pixels, suppressed within a class, cut at the threshold."""
    answer = server.predict(blocks, samples.scene(640, 320))
    scale_x, scale_y = 640 / 64, 320 / 64
    got = [(s["label"], round(s["score"], 3), s["x"], s["y"], s["w"], s["h"]) for s in answer["shapes"]]
    want = [("block", 0.9, 0), ("ball", 0.6, 2), ("ball", 0.3, 3)]
    assert [(label, score) for label, score, *_ in got] == [(label, score) for label, score, _ in want]
    for (*_, x, y, w, h), (_, _, row) in zip(got, want):
        cx, cy, bw, bh = samples.BLOCK_ROWS[row][:4]
        expected = ((cx - bw / 2) * scale_x, (cy - bh / 2) * scale_y, bw * scale_x, bh * scale_y)
        assert (x, y, w, h) == pytest.approx(expected, abs=0.01)
    assert answer["hidden"] == 1  # the 0.05 one is stored


def test_a_recipe_says_where_each_field_came_from(server, data, yolox):
    version = server.get(f"/api/model/version/{yolox['model_version_id']}")
    recipe = version["recipe"]
    assert recipe["width"] == 416 and recipe["height"] == 416 and recipe["output"] == "yolox_raw"
    assert recipe["colour"] == "bgr" and recipe["pad"] == "bottom_right" and recipe["class_count"] == 80
    assert recipe["from"]["width"] == "read"
    assert set(recipe["from"].values()) <= {"read", "given", "guessed"}
