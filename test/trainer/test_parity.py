# SPDX-License-Identifier: Apache-2.0
"""A graph on gyre-train's engine says what ONNX Runtime says of the same input; weights that were not trained are written back
as the same bytes."""

import numpy
import pytest
from runs import DATA, needs_trainer, trainer

ort = pytest.importorskip("onnxruntime")

# The largest value of a pixel. onnx_light/light_squeezenet is not here: its weights are one constant, its logits millions, and
# which of them is the largest is rounding.
MODELS = {
    "yolox_nano/yolox_nano": 255,
    "layouts/layout_1x84xN": 255,
    "layouts/layout_detr_logits_boxes": 255,
    "mnist/opt-mnist": 1,
    "ultraface/version-RFB-320": 1,
    "deeplab_v3/model/deeplab_v3_1_default_1": 1,
    "onnx_light/light_resnet50": 1,
    "onnx_light/light_shufflenet": 1,
}

pytestmark = needs_trainer


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", MODELS)
def test_it_says_what_onnx_runtime_says(tmp_path, name):
    path = DATA / "models" / f"{name}.onnx"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    model = session(path)
    (taken,) = [i for i in model.get_inputs() if len(i.shape) == 4]
    pixels = numpy.random.default_rng(7).random([side if isinstance(side, int) else 1 for side in taken.shape])
    pixels = (pixels * MODELS[name]).astype(numpy.float32)
    pixels.tofile(tmp_path / "in")
    sides = ",".join(map(str, pixels.shape))
    trainer("run", "--model", path, "--input", tmp_path / "in", "--sides", sides, "--output", tmp_path / "out",
            "--write", tmp_path / "again.onnx")  # fmt: skip
    said = numpy.fromfile(tmp_path / "out", numpy.float32)
    wanted = numpy.concatenate([y.astype(numpy.float32).ravel() for y in model.run(None, {taken.name: pixels})])
    assert said.shape == wanted.shape
    if "logits" in name:  # of probabilities next to 1 the logits are rounding, on either side
        said, wanted = 1 / (1 + numpy.exp(-said)), 1 / (1 + numpy.exp(-wanted))
    worst = numpy.abs(said - wanted) - 1e-5 * numpy.abs(wanted)
    assert worst.max() <= (2e-3 if "layout" in name else 1e-4)  # boxes there are in pixels, after an exp
    assert (tmp_path / "again.onnx").read_bytes() == path.read_bytes()


def test_what_cannot_be_trained_is_said(tmp_path):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 8]) for n in "xy"]
    nodes = [helper.make_node("NonZero", ["x"], ["z"]), helper.make_node("Cast", ["z"], ["y"], to=1)]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "odd.onnx")
    assert "the operator NonZero, which cannot be trained" in trainer("check", "--model", tmp_path / "odd.onnx", expect=3)
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "odd.onnx").read_bytes()[:-9])
    assert "damaged" in trainer("check", "--model", tmp_path / "cut.onnx", expect=3)
    assert "There is no file" in trainer("check", "--model", tmp_path / "none.onnx", expect=1)
    trainer("check", expect=2)
