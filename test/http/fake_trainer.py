#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A trainer that trains nothing: it speaks docs/trainers.md, and does what the parameters of its job ask for.

fake_seconds  an epoch (0.02)        fake_fail      exit code, after half the epochs
fake_garbage  lines that are no JSON fake_stubborn  SIGTERM is not heard
fake_output   a file to give back    fake_silent    it hangs after its first epoch
fake_resumes  exit codes 75 first    fake_megabytes it holds so much memory
fake_starts   a file that gets a line with each start
fake_keep     a folder that gets a copy of input/
"""

import json
import os
import pathlib
import shutil
import signal
import sys
import time


def say(**event):
    print(json.dumps(event), flush=True)


def lay_out_classifier(labels, path):
    """Means of the colours, weighed by class: enough to be a model of so many classes."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy.eye(3, len(labels), dtype=numpy.float32) * 10
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fake",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, len(labels)])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"task": "classify", "imgsz": "[32, 32]", "names": str(dict(enumerate(labels)))})
    path.write_bytes(model.SerializeToString())


def look_at(part, run):
    """The annotations are COCO, and every picture that they name is there."""
    coco = json.loads((run / part["annotations"]).read_text())
    for image in coco["images"]:
        assert (run / part["images"] / image["file_name"]).stat().st_size > 0
    return coco


def main():
    job = json.loads(pathlib.Path(sys.argv[sys.argv.index("--job") + 1]).read_text())
    run, hyper = pathlib.Path.cwd(), job["hyper"]
    assert pathlib.Path(os.environ["GYRE_RUN"]) == run and job["schema"] == 1
    state = pathlib.Path(os.environ["GYRE_STATE"]) / "epoch"
    seconds = hyper.get("fake_seconds") or 0.02
    epochs = hyper["epochs"] or 3
    if hyper.get("fake_starts"):
        with open(hyper["fake_starts"], "a") as file:
            file.write(f"{os.getpid()} {os.environ['GYRE_RESUME']} {state.exists()}\n")

    if hyper.get("fake_keep"):
        shutil.copytree(run / "input", hyper["fake_keep"])
    leaving = []
    signal.signal(signal.SIGTERM, lambda *_: leaving.append(not hyper.get("fake_stubborn")))
    train = look_at(job["data"]["train"], run)
    val = look_at(job["data"]["val"], run) if job["data"]["val"] else {"images": []}
    held = bytearray((hyper.get("fake_megabytes") or 0) << 20)
    begun = int(state.read_text()) if state.exists() and os.environ["GYRE_RESUME"] == "1" else 0
    say(event="start", weights=9, trainable=9, train_images=len(train["images"]), val_images=len(val["images"]),
        epochs=epochs, input=[32, 32], batch=4, metric="accuracy", metric_start=0.1)  # fmt: skip
    for epoch in range(begun + 1, epochs + 1):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not any(leaving):
            time.sleep(min(0.02, seconds))
        if any(leaving):
            print("told to leave", file=sys.stderr, flush=True)
            sys.exit(143)
        if hyper.get("fake_garbage"):
            garbage = b'{"event": "epoch", "epo\n\xff\xfe\x00 no text\n[1, 2]\n{"event": 7}\n'
            sys.stdout.buffer.write(garbage + b"x" * 300_000 + b"\n")
            sys.stdout.flush()
        say(event="epoch", epoch=epoch, epochs=epochs, loss=1 / epoch, losses={"class": 0.5 / epoch}, learning_rate=1e-3,
            metrics={"accuracy": epoch / (epochs + 1)}, best=True, seconds=seconds, rss_mb=30,
            left_s=(epochs - epoch) * seconds)  # fmt: skip
        state.write_text(str(epoch))
        print(f"epoch {epoch} is done", file=sys.stderr, flush=True)
        if hyper.get("fake_resumes", 0) >= epoch > begun:
            sys.exit(75)
        if hyper.get("fake_fail") and epoch >= epochs / 2:
            say(event="error", code=hyper["fake_fail"], message="It was told to fail.")
            sys.exit(hyper["fake_fail"])
        while hyper.get("fake_silent") and not any(leaving):
            time.sleep(0.02)
        if any(leaving):
            sys.exit(143)
    output = run / "output" / "model.onnx"
    if hyper.get("fake_output"):
        shutil.copy(hyper["fake_output"], output)
    elif job["base"] and job["base"]["labels"] == job["labels"]:
        shutil.copy(run / job["base"]["file"], output)
    else:
        lay_out_classifier(job["labels"], output)
    metrics = {"accuracy": epochs / (epochs + 1)}
    (run / "output" / "report.json").write_text(json.dumps({"schema": 1, "best_epoch": epochs, "metrics": metrics,
        "metric_start": 0.1, "epochs_run": epochs, "stopped": "epochs", "labels": job["labels"], "trainer": "fake"}))  # fmt: skip
    say(event="done", best_epoch=epochs, metrics=metrics, metric_start=0.1, stopped="epochs")
    del held


if __name__ == "__main__":
    main()
