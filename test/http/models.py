# SPDX-License-Identifier: Apache-2.0
"""Small ONNX models for black-box tests: well-behaved ones and hostile ones.

Each function returns the bytes of a file. From the command line:

    python3 models.py NAME FILE     write one model
    python3 models.py               list the names

Those named *_when_bright behave until the image is brighter than 1: with a recipe that scales pixels to
0…255 any picture but a black one is, and the grey of 0.5 that a model is tried on when it is opened is not.
"""
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13


def _constant(name, values, dtype=numpy.float32):
    return numpy_helper.from_array(numpy.asarray(values, dtype=dtype), name)


def _value(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def _model(nodes, inputs, outputs, constants=(), metadata=None, check=True, opsets=()):
    graph = helper.make_graph(nodes, "test", inputs, outputs, list(constants))
    imports = [helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in opsets)]
    model = helper.make_model(graph, opset_imports=imports, producer_name="gyre-tests", ir_version=8)
    if metadata:
        helper.set_model_props(model, metadata)
    if check:
        onnx.checker.check_model(model)
    return model.SerializeToString()


# What is well-behaved


def classifier(side=32, classes=("red", "green", "blue")):
    """The brightest colour of the picture: 0…1 RGB [1,3,side,side] to probabilities [1,3]."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Mul", ["flat", "sharpness"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    names = "{" + ", ".join(f"{i}: '{name}'" for i, name in enumerate(classes)) + "}"
    metadata = {"task": "classify", "imgsz": f"[{side}, {side}]", "names": names}
    return _model(nodes, [_value("image", [1, 3, side, side])], [_value("probabilities", [1, 3])],
                  [_constant("sharpness", 10)], metadata)


def detector(side=64, cell=16):
    """Bright cells of a picture, one box each, laid out as Ultralytics' v8: [1, 4+1, (side/cell)²]."""
    grid = side // cell
    centres = (numpy.arange(grid) + 0.5) * cell
    x, y = (axis.reshape(1, 1, -1) for axis in numpy.meshgrid(centres, centres))
    size = numpy.full_like(x, cell)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["grey"], axes=[1], keepdims=1),
        helper.make_node("AveragePool", ["grey"], ["cells"], kernel_shape=[cell, cell], strides=[cell, cell]),
        helper.make_node("Reshape", ["cells", "flat"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores"], ["output0"], axis=1),
    ]
    constants = [_constant("boxes", numpy.concatenate([x, y, size, size], axis=1)),
                 _constant("flat", [1, 1, grid * grid], numpy.int64)]
    metadata = {"task": "detect", "imgsz": f"[{side}, {side}]", "stride": str(cell), "names": "{0: 'bright'}"}
    return _model(nodes, [_value("images", [1, 3, side, side])], [_value("output0", [1, 5, grid * grid])],
                  constants, metadata)


# What is hostile

_IMAGE = [1, 3, 32, 32]


def _peak():
    return helper.make_node("ReduceMax", ["image"], ["peak"], keepdims=0)


def _product(target, side):
    """One matrix product, many seconds long: a single kernel, which no request can stop."""
    nodes = [
        helper.make_node("Expand", ["peak", "product_shape"], ["matrix"]),
        helper.make_node("MatMul", ["matrix", "matrix"], ["product"]),
        helper.make_node("ReduceMax", ["product"], [target], keepdims=0),
    ]
    return nodes, [_constant("product_shape", [side, side], numpy.int64)]


def huge_kernel(side=10240):
    nodes, constants = _product("largest", side)
    nodes = [_peak(), *nodes, helper.make_node("Expand", ["largest", "two"], ["scores"])]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", [1, 2])],
                  [*constants, _constant("two", [1, 2], numpy.int64)])


def huge_kernel_when_bright(side=10240):
    nodes, constants = _product("then_result", side)
    then = helper.make_graph(nodes, "then", [], [_value("then_result", [])], constants)
    other = helper.make_graph([helper.make_node("Identity", ["peak"], ["else_result"])], "else", [],
                              [_value("else_result", [])])
    nodes = [
        _peak(),
        helper.make_node("Greater", ["peak", "limit"], ["bright"]),
        helper.make_node("If", ["bright"], ["result"], then_branch=then, else_branch=other),
        helper.make_node("Expand", ["result", "two"], ["scores"]),
    ]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", [1, 2])],
                  [_constant("limit", 1), _constant("two", [1, 2], numpy.int64)])


def _loop(condition):
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["still"]), helper.make_node("Sqrt", ["value"], ["value_out"])],
        "body",
        [_value("turn", [], TensorProto.INT64), _value("go_on", [], TensorProto.BOOL), _value("value", [])],
        [_value("still", [], TensorProto.BOOL), _value("value_out", [])])
    return helper.make_node("Loop", ["", condition, "peak"], ["result"], body=body)


def endless_loop():
    nodes = [_peak(), _loop("yes"), helper.make_node("Expand", ["result", "two"], ["scores"])]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", [1, 2])],
                  [_constant("yes", True, numpy.bool_), _constant("two", [1, 2], numpy.int64)])


def endless_loop_when_bright():
    nodes = [
        _peak(),
        helper.make_node("Greater", ["peak", "limit"], ["bright"]),
        _loop("bright"),
        helper.make_node("Expand", ["result", "two"], ["scores"]),
    ]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", [1, 2])],
                  [_constant("limit", 1), _constant("two", [1, 2], numpy.int64)])


def folding_bomb(side=12000):
    """A product of constants, computed while the model is loaded."""
    nodes = [
        _peak(),
        helper.make_node("ConstantOfShape", ["bomb_shape"], ["bomb"]),
        helper.make_node("MatMul", ["bomb", "bomb"], ["product"]),
        helper.make_node("ReduceMax", ["product"], ["largest"], keepdims=0),
        helper.make_node("Add", ["largest", "peak"], ["sum"]),
        helper.make_node("Expand", ["sum", "two"], ["scores"]),
    ]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", [1, 2])],
                  [_constant("bomb_shape", [side, side], numpy.int64), _constant("two", [1, 2], numpy.int64)])


def huge_output(floats=1 << 29, stated=False):
    """Gigabytes of output; stated: the graph says so."""
    nodes = [_peak(), helper.make_node("Expand", ["peak", "out_shape"], ["scores"])]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", [1, floats if stated else "many"])],
                  [_constant("out_shape", [1, floats], numpy.int64)])


def external_data(location="/etc/passwd"):
    tensor = TensorProto(name="secret", data_type=TensorProto.FLOAT, dims=[1],
                         data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    nodes = [helper.make_node("Add", ["image", "secret"], ["scores"])]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", _IMAGE)], [tensor], check=False)


def custom_operator():
    nodes = [helper.make_node("Sparkle", ["image"], ["scores"], domain="com.example")]
    return _model(nodes, [_value("image", _IMAGE)], [_value("scores", _IMAGE)], check=False,
                  opsets=["com.example"])


def truncated():
    whole = detector()
    return whole[: len(whole) // 2]


def not_onnx():
    return b"PK\x03\x04 archive/data.pkl: this is a PyTorch file"


GOOD = [classifier, detector]
HOSTILE = [huge_kernel, endless_loop, folding_bomb, huge_output, external_data, custom_operator, truncated, not_onnx]
HOSTILE_LATER = [huge_kernel_when_bright, endless_loop_when_bright]


def main():
    makers = {make.__name__: make for make in GOOD + HOSTILE + HOSTILE_LATER}
    if len(sys.argv) != 3 or sys.argv[1] not in makers:
        print("\n".join(makers))
        return 0 if len(sys.argv) == 1 else 2
    with open(sys.argv[2], "wb") as file:
        file.write(makers[sys.argv[1]]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
