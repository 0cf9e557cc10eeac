# SPDX-License-Identifier: Apache-2.0
"""Small models and pictures made here, whose right answers are known from how they are made.

The colour classifier averages each colour plane: a red picture is "red". The block detector has fixed boxes. Both are
tiny, so that tests of everything around a model are quick and need no other data.
"""

import functools
import io
import pathlib

import numpy
import onnx
from onnx import TensorProto, helper
from PIL import Image, ImageDraw

COLOURS = ["red", "green", "blue"]
COLOUR_RECIPE = {
    "task": "classification", "width": 32, "height": 32, "fit": "stretch", "colour": "rgb", "layout": "nchw",
    "sample": "float32", "scale": 1 / 255, "mean": [0, 0, 0], "std": [1, 1, 1],
}  # fmt: skip


def _save(graph, path, opset=13):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="gyre-test")
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return pathlib.Path(path)


def colour_classifier(folder, gain=2.0, name="colours.onnx"):
    """[1,3,32,32] RGB 0…1 → [1,3] logits, gain times the mean of each plane. The gain tells versions apart by their scores."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"], axis=1),
        helper.make_node("Mul", ["flat", "gain"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor("gain", TensorProto.FLOAT, [], [gain])],
    )
    return _save(graph, pathlib.Path(folder) / name)


def colour_scores(name, gain=2.0):
    """What colour_classifier says of photo(name): softmax of gain times one-hot."""
    logits = gain * numpy.array([1.0 if c == name else 0.0 for c in COLOURS])
    e = numpy.exp(logits - logits.max())
    return dict(zip(COLOURS, e / e.sum()))


BLOCKS = ["block", "ball"]
# Boxes in the model's 64 x 64 pixels: centre x, centre y, width, height, and the score of each class.
BLOCK_ROWS = [
    (16, 16, 16, 16, 0.90, 0.00),
    (17, 16, 16, 16, 0.70, 0.00),  # overlaps the first: suppressed
    (17, 16, 16, 16, 0.00, 0.60),  # of the other class: kept
    (48, 48, 24, 16, 0.00, 0.30),
    (40, 20, 8, 8, 0.05, 0.00),
]


def block_detector(folder, name="blocks.onnx"):
    """[1,3,64,64] → [1,6,84] in the v8-like layout: always the boxes of BLOCK_ROWS (plus the picture times zero)."""
    rows = numpy.zeros((1, 6, 84), numpy.float32)
    rows[0, :, : len(BLOCK_ROWS)] = numpy.array(BLOCK_ROWS, numpy.float32).T
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["rows", "nothing"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "blocks",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, list(rows.shape))],
        [
            helper.make_tensor("rows", TensorProto.FLOAT, rows.shape, rows.flatten()),
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        ],
    )
    return _save(graph, pathlib.Path(folder) / name)


BLOCK_RECIPE = {
    "task": "detection", "width": 64, "height": 64, "fit": "stretch", "colour": "rgb", "layout": "nchw",
    "sample": "float32", "scale": 1 / 255, "mean": [0, 0, 0], "std": [1, 1, 1], "nms_iou": 0.45,
}  # fmt: skip


def encode(image, format="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **({"quality": 95} if format == "JPEG" else {}), **options)
    return buffer.getvalue()


def plain(colour, width=64, height=48):
    return Image.new("RGB", (width, height), {"green": "#00ff00"}.get(colour, colour))


@functools.lru_cache
def photo(colour="red", width=64, height=48):
    """A plain JPEG."""
    return encode(plain(colour, width, height))


def numbered(number, width=96, height=64):
    """A picture that differs for each number, down to its bytes."""
    image = Image.new("RGB", (width, height), COLOURS[number % 3])
    draw = ImageDraw.Draw(image)
    for bit in range(24):
        if number >> bit & 1:
            draw.rectangle([bit % 8 * 12, bit // 8 * 20, bit % 8 * 12 + 9, bit // 8 * 20 + 15], fill="white")
    return encode(image)


def scene(width=640, height=480):
    """A street of sorts: sky, ground, a block and a ball."""
    image = Image.new("RGB", (width, height), "#9cc4e4")
    draw = ImageDraw.Draw(image)
    draw.rectangle([0, height * 2 // 3, width, height], fill="#6b7a4f")
    draw.rectangle([width // 8, height // 3, width * 3 // 8, height * 3 // 4], fill="#a0522d")
    draw.ellipse([width * 5 // 8, height // 2, width * 7 // 8, height * 5 // 6], fill="#d23c3c")
    return encode(image)
