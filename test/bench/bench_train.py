# SPDX-License-Identifier: Apache-2.0
"""What training costs: milliseconds and memory a picture of gyre-train, for the models it makes itself; and beside it, in turns,
the same graph and optimizer in Python's torch, where that is installed (Debian: python3-torch).

    build/venv/bin/python test/bench/bench_train.py [threads …]        1 and 2 by default

Aim: 1.1 times the torch's time a picture or less. Processor time is of all threads of the process and hardly minds a busy
machine; "clock" does. Ours is a whole epoch: augmentation, tensors, the running mean, judging two pictures. Torch's is steps
alone, on one batch of noise. For the classifier the loss is the same; for the detector torch has a plain entropy and a plain
distance, no assignment of objects to places, so that the ratio there is an upper bound.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "trainer"))
import runs

CASES = [
    # arch, task, side, batch, pictures
    ("cls-n", "CLASSIFICATION", 64, 32, 320),
    ("cls-n", "CLASSIFICATION", 128, 32, 160),
    ("det-t", "OBJECT_DETECTION", 160, 16, 160),
    ("det-t", "OBJECT_DETECTION", 320, 8, 64),
]
ROUNDS = 3
EPOCHS = 5  # the first (memory is touched first) and the last (the end of the run follows) are not counted
COUNTED = EPOCHS - 2

# Run by a Python that has torch: a model's graph, node by node, as gyre-train runs it.
BESIDE = r"""
import json, re, sys, time
import numpy, torch
import torch.nn.functional as F
path, side, batch, steps, threads = sys.argv[1], *map(int, sys.argv[2:])
torch.set_num_threads(threads)
torch.set_flush_denormal(True)
with numpy.load(path + ".npz") as file:
    values = {n: torch.tensor(file[n]) for n in file.files}
nodes = json.load(open(path))
places = {"Conv": (1, 2), "Gemm": (1, 2), "BatchNormalization": (1, 2)}
trained = [n["inputs"][i] for n in nodes for i in places.get(n["op"], ()) if i < len(n["inputs"])]
for name in trained:
    if values[name].dim() == 4:
        values[name] = values[name].contiguous(memory_format=torch.channels_last)
    values[name].requires_grad_()
def run(node, x):
    a, op = node["attributes"], node["op"]
    if op == "Conv":
        bias = x[2] if len(x) > 2 else None
        pads = a.get("pads", [0] * 4)[:2]
        return [F.conv2d(x[0], x[1], bias, a.get("strides", 1), pads, a.get("dilations", 1), a.get("group", 1))]
    if op == "BatchNormalization":
        return [F.batch_norm(x[0], x[3], x[4], x[1], x[2], True, 1 - a.get("momentum", 0.9), a.get("epsilon", 1e-5))]
    if op == "Gemm":
        return [F.linear(x[0], x[1] if a.get("transB") else x[1].t(), x[2])]
    if op == "MaxPool":
        return [F.max_pool2d(x[0], a["kernel_shape"], a["strides"], a.get("pads", [0, 0])[:2])]
    if op == "Resize":
        return [F.interpolate(x[0], scale_factor=x[2].tolist()[2:], mode="nearest")]
    if op == "Reshape":
        return [x[0].reshape([x[0].shape[i] if n == 0 else n for i, n in enumerate(x[1].tolist())])]
    if op == "Concat":
        return [torch.cat(x, a["axis"])]
    if op == "Split":
        return torch.split(x[0], x[1].tolist(), a["axis"])
    if op == "GlobalAveragePool":
        return [x[0].mean((2, 3), keepdim=True)]
    if op == "Flatten":
        return [x[0].flatten(1)]
    if op == "Softmax":
        return [x[0].softmax(a["axis"])]
    plain = {"Relu": F.relu, "Softplus": F.softplus, "Sigmoid": torch.sigmoid}
    plain |= {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul}
    return [plain[op](*x)]
optimizer = torch.optim.AdamW([values[n] for n in trained], lr=1e-3, weight_decay=5e-4)
images = torch.rand(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
for step in range(-3, steps):
    if step == 0:
        clock, processor = time.perf_counter(), time.process_time()
    here = {**values, "": None, "images": images, nodes[0]["inputs"][0]: images}
    for node in nodes:
        here.update(zip(node["outputs"], run(node, [here[i] for i in node["inputs"]])))
    logits = here["logits"]
    if "boxes" in here:
        loss = F.binary_cross_entropy_with_logits(logits, torch.zeros_like(logits)) + (here["boxes"] / side - 0.5).abs().mean()
    else:
        loss = F.cross_entropy(logits, torch.arange(batch) % logits.shape[1], label_smoothing=0.05)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_([values[n] for n in trained], 10)
    optimizer.step()
    loss = loss.item()
pictures = steps * batch / 1000
memory = int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024
print((time.process_time() - processor) / pictures, (time.perf_counter() - clock) / pictures, memory)
"""


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ours(run, count, threads):
    """Processor and clock milliseconds a picture, MB at most."""
    environment = {**runs.ENVIRONMENT, "OMP_NUM_THREADS": str(threads)}
    clock = processor = memory = 0
    with subprocess.Popen(run.command, cwd=run.folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            event = json.loads(line) if line.startswith("{") else {}
            if event.get("event") != "epoch" or event["epoch"] == EPOCHS:
                continue
            if event["epoch"] == 1:
                processor = -processor_seconds(process.pid)
                continue
            clock += event["seconds"]
            if event["epoch"] == EPOCHS - 1:
                processor += processor_seconds(process.pid)
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                memory = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024
    assert process.returncode == 0 and memory > 0, f"gyre-train ended with {process.returncode}"
    pictures = COUNTED * count / 1000
    return processor / pictures, clock / pictures, memory


def graph_of(model, path):
    import numpy
    import onnx

    graph = onnx.load(model).graph
    nodes = [
        {"op": n.op_type, "inputs": list(n.input), "outputs": list(n.output),
         "attributes": {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute if a.type in (1, 2, 7)}}
        for n in graph.node
    ]  # fmt: skip
    path.write_text(json.dumps(nodes))
    numpy.savez(f"{path}.npz", **{t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer})


def python_with_torch():
    for python in (os.environ.get("GYRE_TORCH_PYTHON"), sys.executable, "/usr/bin/python3"):
        if python and subprocess.run([python, "-c", "import torch, numpy"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def beside(python, path, side, batch, count, threads):
    command = [python, "-c", BESIDE, path, side, batch, COUNTED * count // batch, threads]
    environment = {**runs.ENVIRONMENT, "OMP_NUM_THREADS": str(threads)}
    out = subprocess.run([*map(str, command)], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    return tuple(map(float, out.split()))


def middle(rounds):
    return [statistics.median(r) for r in zip(*rounds, strict=True)]


def measure(case, threads, python):
    arch, task, side, batch, count = case
    draw = runs.classified if task == "CLASSIFICATION" else runs.detected
    with tempfile.TemporaryDirectory() as folder:
        our_rounds, their_rounds = [], []
        for number in range(ROUNDS):
            run = runs.Run(f"{folder}/{number}", task, runs.SHAPES, draw(count, side=side), draw(2, seed=2, side=side), arch=arch,
                           input_size=[side, side], hyper={"epochs": EPOCHS, "batch": batch}, threads=threads)  # fmt: skip
            our_rounds.append(ours(run, count, threads))
            if python:
                path = pathlib.Path(folder) / "graph.json"
                graph_of(run.model, path)
                their_rounds.append(beside(python, path, side, batch, count, threads))
    a = middle(our_rounds)
    line = f"{arch:6} {side:4} {threads:7} | {a[0]:9.2f} {a[1]:7.2f} {a[2]:6.0f}"
    if python:
        b = middle(their_rounds)
        each = " ".join(f"{o[0] / t[0]:.2f}" for o, t in zip(our_rounds, their_rounds, strict=True))
        line += f" | {b[0]:9.2f} {b[1]:7.2f} {b[2]:6.0f} | {a[0] / b[0]:9.2f} {a[1] / b[1]:7.2f} {a[2] / b[2]:6.2f} | {each}"
    print(line, flush=True)


def main():
    if not runs.TRAINER.exists():
        print("bench_train: gyre-train is not built (tools/build.sh trainer): skipped")
        return
    python = python_with_torch()
    if python is None:
        print("bench_train: no Python with torch (Debian: python3-torch): our own times alone")
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"Milliseconds a picture and MB at most, medians of {ROUNDS} rounds; {load}")
    part = f"{'processor':>9} {'clock':>7} {'MB':>6}"
    beside = f" | {part} (torch) | {part} (ratio) | each round" if python else ""
    print(f"{'model':6} {'side':>4} {'threads':>7} | {part}{beside}")
    for threads in map(int, sys.argv[1:] or [1, 2]):
        for case in CASES:
            measure(case, threads, python)


if __name__ == "__main__":
    main()
