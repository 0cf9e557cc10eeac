# SPDX-License-Identifier: Apache-2.0
"""Detectors learn: a new one from a few pictures, one that is there from others, and YOLOX another kind of pictures."""

import xml.etree.ElementTree as tree

import numpy
import onnx
import pytest
from PIL import Image
from runs import DATA, SHAPES, Run, detected, needs_trainer, slow, trainer
from test_detection import close, session

pytestmark = needs_trainer
YOLOX = {
    "task": "detection", "width": 416, "height": 416, "fit": "letterbox", "pad": "bottom_right", "pad_value": 114,
    "colour": "bgr", "layout": "nchw", "sample": "float32", "scale": 1, "mean": [0, 0, 0], "std": [1, 1, 1],
    "output": "yolox_raw", "tensors": [0], "class_count": 80, "probabilities": True, "nms_iou": 0.65,
}  # fmt: skip


def agrees_with_onnx_runtime(path, folder, high=1.0):
    model = session(path)
    sides = [s if isinstance(s, int) else 2 for s in model.get_inputs()[0].shape]
    pixels = (numpy.random.default_rng(3).random(sides) * high).astype(numpy.float32)
    pixels.tofile(folder / "in")
    trainer("run", "--model", path, "--input", folder / "in", "--sides", ",".join(map(str, sides)), "--output", folder / "out")
    wanted = model.run(None, {model.get_inputs()[0].name: pixels})[0]
    return close(numpy.fromfile(folder / "out", numpy.float32).reshape(wanted.shape), wanted)


def test_a_new_detector_begins_to_learn(tmp_path):
    run = Run(tmp_path, "OBJECT_DETECTION", SHAPES, detected(48), detected(12, seed=2), arch="det-t", input_size=[96, 96],
              hyper={"epochs": 8})  # fmt: skip
    events = run.train()
    start, epochs = events.one("start"), events.of("epoch")
    assert (start["metric"], start["metric_start"], start["input"]) == ("AP50", None, [96, 96])
    assert epochs[-1]["loss"] < 0.8 * epochs[0]["loss"] and set(epochs[0]["losses"]) == {"box", "class"}
    assert agrees_with_onnx_runtime(run.model, tmp_path)
    onnx.checker.check_model(onnx.load(run.model), full_check=True)
    assert run.recipe["output"] == "yolo_v8" and run.recipe["class_count"] == 3


@slow
@pytest.mark.timeout(900)
def test_a_new_detector_learns_and_goes_on_with_other_pictures_and_labels(tmp_path):
    run = Run(tmp_path / "first", "OBJECT_DETECTION", SHAPES[:2], detected(80, side=160, labels=SHAPES[:2]),
              detected(40, seed=2, side=160, labels=SHAPES[:2]), arch="det-t", input_size=[160, 160],
              hyper={"epochs": 60})  # fmt: skip
    done = run.train().one("done")
    print("first:", done)
    assert done["metrics"]["AP50"] >= 0.6
    # A third label, and a darker lamp.
    dark, val = (
        {n: (Image.eval(p, lambda v: v * 2 // 3), a) for n, (p, a) in detected(n, seed=s, side=160).items()}
        for n, s in ((80, 3), (40, 4))
    )
    more = Run(tmp_path / "more", "OBJECT_DETECTION", SHAPES, dark, val, base=run.as_base(), hyper={"epochs": 30})
    done = more.train().one("done")
    print("more:", done)
    assert done["metrics"]["AP50"] > done["metric_start"] and done["metrics"]["AP50"] >= 0.6
    assert agrees_with_onnx_runtime(more.model, tmp_path)


def cells(first, count):
    """Blood cells as annotated, those without area left out."""
    folder = DATA / "det_bccd"
    pictures = {}
    for path in sorted(folder.rglob("*.xml"))[first : first + count]:
        root, found = tree.parse(path).getroot(), []
        for thing in root.iter("object"):
            x0, y0, x1, y1 = (float(thing.find(f"bndbox/{k}").text) for k in ("xmin", "ymin", "xmax", "ymax"))
            if x1 > x0 and y1 > y0:
                found.append({"label": thing.find("name").text, "bbox": [x0, y0, x1 - x0, y1 - y0]})
        (picture,) = folder.rglob(f"{path.stem}.jpg")
        pictures[picture.name] = (picture, found)
    return pictures


@slow
@pytest.mark.timeout(900)
def test_yolox_learns_blood_cells(tmp_path):
    base, names = DATA / "models/yolox_nano/yolox_nano.onnx", DATA / "models/yolox_nano/coco_classes.txt"
    if not base.exists() or not (DATA / "det_bccd").exists():
        pytest.skip("yolox_nano or det_bccd is not there")
    labels = names.read_text().split("\n")[:80]
    job = {"base": {"file": str(base), "labels": labels, "recipe": YOLOX}, "hyper": {"epochs": 8}}
    run = Run(tmp_path, "OBJECT_DETECTION", [*labels, "RBC", "WBC", "Platelets"], cells(0, 60), cells(60, 30), **job)
    events = run.train()
    print("AP50 by epoch:", [round(e["metrics"]["AP50"], 3) for e in events.of("epoch")], events.one("done"))
    assert events.one("done")["metrics"]["AP50"] > 0.3 > events.one("start")["metric_start"]
    assert agrees_with_onnx_runtime(run.model, tmp_path, 255)
