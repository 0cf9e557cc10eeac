# SPDX-License-Identifier: Apache-2.0
"""From a file to its first answer: seconds of upload and admission, of the deployment until it serves, of the first prediction.

usage: bench_first.py [TIMES]
"""

import pathlib
import statistics
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "test" / "http"))
import harness  # noqa: E402
from conftest import coco_labels  # noqa: E402


def once(server, number):
    """Seconds of each step, by the wall."""
    model = harness.DATA / "models/yolox_nano/yolox_nano.onnx"
    photo = sorted((harness.DATA / "det_voc50/images").iterdir())[0].read_bytes()
    marks = [time.perf_counter()]
    version = server.push(model, f"first-{number}", "OBJECT_DETECTION", coco_labels(harness.DATA))
    marks.append(time.perf_counter())
    deployment = server.deploy(version, f"first-{number}", 0.1)
    marks.append(time.perf_counter())
    server.predict(deployment, photo)
    marks.append(time.perf_counter())
    return [b - a for a, b in zip(marks, marks[1:], strict=False)]


def main(times):
    with tempfile.TemporaryDirectory() as folder, harness.Server(pathlib.Path(folder)) as server:
        rows = [once(server, i) for i in range(times)]
    names = ("upload and admission", "deployment until it serves", "first prediction")
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        print(f"{name:28s} {statistics.median(column):6.3f} s (median of {times}, worst {max(column):.3f})")
    print(f"{'from file to answer':28s} {statistics.median(map(sum, rows)):6.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
