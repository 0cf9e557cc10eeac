#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Boxes of a real SSD (UltraFace) on grey, in three stages of its graph: test/golden/ultraface_boxes.txt.

Raw offsets from priors, decoded in centre form, and in corners, every 34th of 4,420. The first is the trap: exports
without post-processing have outputs of the same names and shapes. Needs onnx, onnxruntime and the model:

    python3 test/golden/ultraface_boxes.py version-RFB-320.onnx > test/golden/ultraface_boxes.txt
"""
import sys

import numpy as np
import onnx
import onnxruntime

STEP = 34
# The tensor before its four numbers are scaled by variances, and the one before centres become corners.
STAGES = {"offsets": "460", "centres": "475", "corners": "boxes"}


def main(path):
    model = onnx.load(path)
    for name in list(STAGES.values())[:2]:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4420, 4]))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    grey = np.full((1, 3, 240, 320), 0.5, np.float32)
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print(f"/* Made by test/golden/ultraface_boxes.py: every {STEP}th box of UltraFace RFB-320 on grey. */")
    for stage, tensor in STAGES.items():
        for row in session.run([tensor], {"input": grey})[0][0, ::STEP]:
            print(f"BOX({stage}, " + ", ".join(f"{v:.4f}f" for v in row) + ")")


if __name__ == "__main__":
    main(sys.argv[1])
