# SPDX-License-Identifier: Apache-2.0
"""Makes engine.txt: what the Python package of ONNX Runtime says of real models, a few values each.

    python3 engine.py ../shared/data > engine.txt

Input: element i is i mod 255, float32. Lines:
    graph MODEL inputs outputs opset weights_bytes
    value MODEL output flat_index value
    sum MODEL output sum_of_absolute_values
"""
import sys

import numpy
import onnx
import onnxruntime

MODELS = [
    "mnist/opt-mnist.onnx",
    "yolox_nano/yolox_nano.onnx",
    "layouts/layout_1x84xN.onnx",
    "layouts/layout_detr_logits_boxes.onnx",
    "ultraface/version-RFB-320.onnx",
    "onnx_light/light_squeezenet.onnx",
]


def weights_bytes(graph):
    total = 0
    for tensor in graph.initializer:
        total += onnx.numpy_helper.to_array(tensor).nbytes
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                total += onnx.numpy_helper.to_array(attribute.t).nbytes
    return total


def main():
    onnxruntime.set_default_logger_severity(4)
    print("# made by engine.py with onnxruntime", onnxruntime.__version__)
    for name in MODELS:
        path = f"{sys.argv[1]}/models/{name}"
        model = onnx.load(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        opset = [o.version for o in model.opset_import if o.domain in ("", "ai.onnx")][0]
        print("graph", name, len(session.get_inputs()), len(session.get_outputs()), opset, weights_bytes(model.graph))
        port = session.get_inputs()[0]
        size = int(numpy.prod(port.shape))
        image = (numpy.arange(size) % 255).astype(numpy.float32).reshape(port.shape)
        for index, output in enumerate(session.run(None, {port.name: image})):
            flat = output.reshape(-1)
            for at in sorted({0, flat.size // 7, flat.size // 3, flat.size - 1}):
                print("value", name, index, at, repr(float(flat[at])))
            print("sum", name, index, repr(float(numpy.abs(flat.astype(numpy.float64)).sum())))


main()
