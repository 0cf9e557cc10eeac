# SPDX-License-Identifier: Apache-2.0
"""A small network of two levels learns which pixels are a square's; its IoU is measured again here, with ONNX Runtime."""

import numpy
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image, ImageDraw
from runs import Run, needs_trainer, outlined

ort = pytest.importorskip("onnxruntime")
pytestmark = needs_trainer

RECIPE = {
    "task": "segmentation", "width": 64, "height": 64, "fit": "stretch", "colour": "rgb", "layout": "nchw",
    "sample": "float32", "scale": 1 / 255, "mean": 0, "std": 1, "output": "semantic", "class_count": 2, "background": "first",
    "probabilities": True,
}  # fmt: skip


def network(path, last="Softmax"):
    """[1,3,64,64] → scores of 2 classes on a raster of 32 by 32; the batch of 1 is written into the graph."""
    rng = numpy.random.default_rng(4)
    tensors, nodes, value = [], [], "image"
    for i, (taken, made, stride) in enumerate([(3, 12, 2), (12, 16, 2), (16, 12, 1)]):
        weight = rng.normal(0, (2 / (taken * 9)) ** 0.5, (made, taken, 3, 3)).astype(numpy.float32)
        tensors += [onnx.numpy_helper.from_array(weight, f"w{i}"),
                    onnx.numpy_helper.from_array(numpy.zeros(made, numpy.float32), f"b{i}")]  # fmt: skip
        nodes.append(helper.make_node("Conv", [value, f"w{i}", f"b{i}"], [f"c{i}"], pads=[1, 1, 1, 1], strides=[stride] * 2))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        value = f"r{i}"
    weight = rng.normal(0, 0.3, (2, 12, 1, 1)).astype(numpy.float32)
    tensors += [onnx.numpy_helper.from_array(weight, "w"),
                onnx.numpy_helper.from_array(numpy.array([1, 1, 2, 2], numpy.float32), "scales")]  # fmt: skip
    nodes += [
        helper.make_node("Conv", [value, "w"], ["small"]),
        helper.make_node("Resize", ["small", "", "scales"], ["logits" if last else "scores"], mode="linear",
                         coordinate_transformation_mode="half_pixel"),
    ]  # fmt: skip
    if last == "Softmax":
        nodes.append(helper.make_node("Softmax", ["logits"], ["scores"], axis=1))
    output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 2, 32, 32])
    if last == "ArgMax":
        nodes.append(helper.make_node("ArgMax", ["logits"], ["scores"], axis=1, keepdims=0))
        output = helper.make_tensor_value_info("scores", TensorProto.INT64, [1, 32, 32])
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 64, 64])], [output], tensors
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return {"file": str(path), "labels": ["square"], "recipe": RECIPE}


def iou(model, pictures):
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    both = either = 0
    for picture, annotations in pictures.values():
        pixels = numpy.asarray(picture, numpy.float32).transpose(2, 0, 1)[None] / 255
        said = session.run(None, {"image": pixels})[0][0].argmax(0) == 1
        mask = Image.new("L", picture.size)
        ImageDraw.Draw(mask).polygon(annotations[0]["segmentation"][0], fill=1)
        true = numpy.asarray(mask)[1::2, 1::2] == 1  # the pixel in the middle of each cell
        both, either = both + (said & true).sum(), either + (said | true).sum()
    return both / either


def test_it_learns_the_pixels_of_squares(tmp_path):
    val = outlined(30, seed=2)
    run = Run(tmp_path / "run", "SEGMENTATION", ["square"], outlined(80), val, base=network(tmp_path / "base.onnx"),
              hyper={"epochs": 20, "learning_rate": 0.005})  # fmt: skip
    events = run.train()
    done = events.one("done")
    assert events.one("start")["metric"] == "IoU"
    assert done["metrics"]["IoU"] > max(0.6, done["metric_start"] + 0.2)
    assert done["metrics"]["pixel_accuracy"] > 0.9
    # Outlines are drawn by another program here: they differ by a pixel at the edges.
    assert abs(iou(run.model, val) - done["metrics"]["IoU"]) < 0.06


def test_one_class_a_pixel_cannot_be_learnt_from(tmp_path):
    base = network(tmp_path / "base.onnx", last="ArgMax")
    base["recipe"] = {**RECIPE, "probabilities": False}
    run = Run(tmp_path / "run", "SEGMENTATION", ["square"], outlined(8), base=base)
    assert "without the last ArgMax" in run.train(expect=3).one("error")["message"]


def test_boxes_are_no_outlines(tmp_path):
    boxes = {n: (p, [{"label": "square", "bbox": [1, 1, 9, 9]}]) for n, (p, _) in outlined(8).items()}
    run = Run(tmp_path / "run", "SEGMENTATION", ["square"], {**outlined(8, seed=3), **{"b" + n: v for n, v in boxes.items()}},
              outlined(4, seed=2), base=network(tmp_path / "base.onnx"), hyper={"epochs": 1})  # fmt: skip
    assert any("outline" in w["message"] for w in run.train().of("warning"))
