# SPDX-License-Identifier: Apache-2.0
"""What training costs: seconds and memory a picture of gyre-train, for the models it makes itself; and beside it the same graph,
loss and optimizer in Python's torch, where that is installed (Debian: python3-torch).

    build/venv/bin/python test/bench/bench_train.py [threads …]        1 and 2 by default

Aim: 1.1 times the torch's time a picture or less.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "trainer"))
import runs

CASES = [
    # what, arch, task, side, batch, pictures
    ("classifier", "cls-n", "CLASSIFICATION", 64, 32, 320),
    ("classifier", "cls-n", "CLASSIFICATION", 128, 32, 160),
    ("detector", "det-t", "OBJECT_DETECTION", 160, 16, 160),
    ("detector", "det-t", "OBJECT_DETECTION", 320, 8, 64),
]
EPOCHS = 3

# Run by a Python that has torch: a model's graph, node by node, as gyre-train runs it.
BESIDE = r"""
import json, sys, time
import numpy, torch
import torch.nn.functional as F
graph, side, batch, steps, threads = json.load(sys.stdin), *map(int, sys.argv[1:])
torch.set_num_threads(threads)
values = {n: torch.tensor(v["data"]).reshape(v["sides"]) for n, v in graph["tensors"].items()}
statistics = {i for n in graph["nodes"] if n["op"] == "BatchNormalization" for i in n["inputs"][3:5]}
weights = [n for n, v in values.items() if v.is_floating_point() and v.dim() and n not in statistics and n in graph["trained"]]
for name in weights:
    if values[name].dim() == 4:
        values[name] = values[name].contiguous(memory_format=torch.channels_last)
    values[name].requires_grad_()
def run(node, x):
    a, op = node["attributes"], node["op"]
    if op == "Conv":
        p = a.get("pads", [0] * 4)
        bias = x[2] if len(x) > 2 else None
        return F.conv2d(x[0], x[1], bias, a.get("strides", 1), p[:2], a.get("dilations", 1), a.get("group", 1))
    if op == "BatchNormalization":
        return F.batch_norm(x[0], x[3], x[4], x[1], x[2], True, 1 - a.get("momentum", 0.9), a.get("epsilon", 1e-5))
    if op == "Relu":
        return F.relu(x[0])
    if op == "Add":
        return x[0] + x[1]
    if op == "GlobalAveragePool":
        return x[0].mean((2, 3), keepdim=True)
    if op == "Flatten":
        return x[0].flatten(1)
    if op == "Gemm":
        return F.linear(x[0], x[1] if a.get("transB") else x[1].t(), x[2])
    if op == "MaxPool":
        return F.max_pool2d(x[0], a["kernel_shape"], a["strides"], a.get("pads", [0, 0])[:2])
    raise SystemExit("this comparison does not know " + op)
optimizer = torch.optim.AdamW([values[n] for n in weights], lr=1e-3, weight_decay=5e-4)
images = torch.rand(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
classes = torch.arange(batch) % graph["classes"]
for step in range(steps + 3):
    if step == 3:
        began = time.perf_counter()
    here = dict(values)
    here[graph["input"]] = images
    for node in graph["nodes"]:
        if node["op"] == "Softmax":
            break
        here[node["outputs"][0]] = run(node, [here[i] for i in node["inputs"]])
    logits = here[node["inputs"][0]] if node["op"] == "Softmax" else here[node["outputs"][0]]
    loss = F.cross_entropy(logits, classes, label_smoothing=0.05)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_([values[n] for n in weights], 10)
    optimizer.step()
print((time.perf_counter() - began) / steps / batch * 1000)
"""


def environment(threads):
    return {**runs.ENVIRONMENT, "OMP_NUM_THREADS": str(threads)}


def ours(folder, arch, task, side, batch, count, threads):
    draw = runs.classified if task == "CLASSIFICATION" else runs.detected
    run = runs.Run(folder, task, runs.SHAPES, draw(count, side=side), draw(2, seed=2, side=side), arch=arch,
                   input_size=[side, side], hyper={"epochs": EPOCHS, "batch": batch}, threads=threads)  # fmt: skip
    epochs = run.train(OMP_NUM_THREADS=str(threads)).of("epoch")
    best = min(e["seconds"] for e in epochs[1:])
    return best / count * 1000, epochs[-1]["rss_mb"], run.model


def graph_of(path):
    import onnx

    model = onnx.load(path)
    attributes = onnx.helper.get_attribute_value
    nodes = [
        {"op": n.op_type, "inputs": list(n.input), "outputs": list(n.output),
         "attributes": {a.name: attributes(a) for a in n.attribute if a.type in (1, 2, 6, 7)}}
        for n in model.graph.node
    ]  # fmt: skip
    for node in nodes:
        node["attributes"] = {k: list(v) if hasattr(v, "__len__") else v for k, v in node["attributes"].items()}
    tensors = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    return {
        "nodes": nodes, "input": model.graph.input[0].name, "classes": len(runs.SHAPES), "trained": list(tensors),
        "tensors": {n: {"data": t.ravel().tolist(), "sides": list(t.shape)} for n, t in tensors.items()},
    }  # fmt: skip


def python_with_torch():
    for python in (os.environ.get("GYRE_TORCH_PYTHON"), "/usr/bin/python3"):
        if python and subprocess.run([python, "-c", "import torch, numpy"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def beside(python, model, side, batch, count, threads):
    steps = max(3, count // batch)
    run = subprocess.run(
        [python, "-c", BESIDE, *map(str, (side, batch, steps, threads))], input=json.dumps(graph_of(model)),
        env=environment(threads), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return float(run.stdout) if run.returncode == 0 else None


def main():
    if not runs.TRAINER.exists():
        print("bench_train: gyre-train is not built (tools/build.sh trainer): skipped")
        return
    python = python_with_torch()
    if python is None:
        print("bench_train: no Python with torch (Debian: python3-torch); our own times alone")
    print(f"{'model':24} {'threads':>7} {'ms a picture':>13} {'memory MB':>10} {'torch ms':>9} {'times':>6}")
    for threads in map(int, sys.argv[1:] or [1, 2]):
        for what, arch, task, side, batch, count in CASES:
            with tempfile.TemporaryDirectory() as folder:
                milliseconds, memory, model = ours(folder, arch, task, side, batch, count, threads)
                theirs = None
                if python and task == "CLASSIFICATION":
                    theirs = beside(python, model, side, batch, count, threads)
            times = f"{theirs:9.2f} {milliseconds / theirs:6.2f}" if theirs else ""
            print(f"{what + ' ' + arch + ' ' + str(side):24} {threads:7} {milliseconds:13.2f} {memory:10.0f} {times}", flush=True)


if __name__ == "__main__":
    main()
