#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A trainer for the demo's camera that learns nothing: its first model calls gear what is light, its second one what is
lighter than the picture around it, and so still sees when the lamp has failed. How boxes follow from moments of a mask:
src/engine/sample.h.
"""

import json
import pathlib
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE, CELL, WINDOW, STRIDE, PAD = 160, 4, 13, 2, 4
CELLS = SIDE // CELL
GRID = (CELLS + 2 * PAD - WINDOW) // STRIDE + 1


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.count = [], [], 0

    def constant(self, value):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(numpy.asarray(value, dtype=numpy.float32), name))
        return name

    def __call__(self, kind, *inputs, **attributes):
        self.count += 1
        names = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(helper.make_node(kind, names, [f"v{self.count}"], **attributes))
        return f"v{self.count}"

    def window(self, value):
        """Sums over each window, in cells."""
        pooled = self("AveragePool", value, kernel_shape=[WINDOW] * 2, strides=[STRIDE] * 2, pads=[PAD] * 4, count_include_pad=1)
        return self("Mul", pooled, WINDOW * WINDOW)

    def flat(self, value):
        self.count += 1
        name = f"shape{self.count}"
        self.constants.append(numpy_helper.from_array(numpy.array([1, 1, GRID * GRID], numpy.int64), name))
        return self("Reshape", value, name)


def detector(labels, relative, path):
    g = Graph()
    grey = g("Conv", "images", numpy.array([0.3, 0.59, 0.11]).reshape(1, 3, 1, 1))
    luma = g("AveragePool", grey, kernel_shape=[CELL] * 2, strides=[CELL] * 2)
    threshold = g("Mul", g("GlobalAveragePool", luma), 1.3) if relative else g.constant(0.42)
    mask = g("Clip", g("Add", g("Mul", g("Div", g("Sub", luma, threshold), threshold), 8.0), 0.5), 0.0, 1.0)
    mass = g.window(mask)
    safe = g("Max", mass, 1e-3)
    boxes, sides = [], []
    centres = (numpy.arange(CELLS) + 0.5) / CELLS
    for shape in ((1, 1, 1, CELLS), (1, 1, CELLS, 1)):
        at = g.constant(centres.reshape(shape))
        first = g("Mul", mask, at)
        mean = g("Div", g.window(first), safe)
        square = g("Div", g.window(g("Mul", first, at)), safe)
        side = g("Sqrt", g("Max", g("Mul", g("Sub", square, g("Mul", mean, mean)), 12.0), 1e-4))
        boxes.append(g.flat(g("Mul", mean, float(SIDE))))
        sides.append(side)
    boxes += [g.flat(g("Mul", side, float(SIDE))) for side in sides]
    rim = numpy.ones((1, 1, WINDOW, WINDOW), numpy.float32)
    rim[:, :, 1:-1, 1:-1] = 0
    touched = g("Conv", mask, rim, strides=[STRIDE] * 2, pads=[PAD] * 4)
    whole = g("Clip", g("Sub", 1.0, g("Mul", touched, 0.5)), 0.0, 1.0)
    fill = g("Clip", g("Div", mass, g("Mul", g("Mul", sides[0], sides[1]), float(CELLS * CELLS))), 0.0, 1.0)
    enough = g("Clip", g("Div", mass, 20.0), 0.0, 1.0)
    score = g.flat(g("Mul", g("Mul", fill, enough), whole))
    scores = g("Mul", score, numpy.array([name == "gear" for name in labels], numpy.float32).reshape(1, -1, 1))
    g.nodes.append(helper.make_node("Concat", [*boxes, scores], ["output0"], axis=1))
    graph = helper.make_graph(
        g.nodes,
        "parts",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 4 + len(labels), GRID * GRID])],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    names = str(dict(enumerate(labels)))
    helper.set_model_props(model, {"task": "detect", "imgsz": f"[{SIDE}, {SIDE}]", "stride": "8", "names": names})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())


def main():
    job = json.loads(pathlib.Path(sys.argv[sys.argv.index("--job") + 1]).read_text())
    output, epochs = pathlib.Path.cwd() / "output", job["hyper"]["epochs"]
    detector(job["labels"], job["base"] is not None, output / "model.onnx")
    for epoch in range(1, epochs + 1):
        event = {"event": "epoch", "epoch": epoch, "epochs": epochs, "loss": 1 / epoch, "metrics": {"AP50": 0.1}}
        print(json.dumps({**event, "best": True, "learning_rate": 1e-3, "seconds": 0.01, "rss_mb": 1, "left_s": 0}), flush=True)
    report = {"schema": 1, "best_epoch": epochs, "metrics": {"AP50": 0.1}, "metric_start": None, "epochs_run": epochs}
    report.update(stopped="epochs", labels=job["labels"], trainer="demo")
    (output / "report.json").write_text(json.dumps(report))
    print(json.dumps({"event": "done", **{k: report[k] for k in ("best_epoch", "metrics", "metric_start", "stopped")}}))


if __name__ == "__main__":
    main()
