#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A trainer for gyre in plain PyTorch: a small classifier, by the contract of docs/trainers.md.

    gyre serve --trainer 'python3 examples/trainer/train.py'

It begins from nothing with each run, whatever the base is: replace Network and Pictures by yours. Needs torch, numpy, Pillow.
"""

import json
import os
import pathlib
import signal
import sys

LEAVING = False


def say(event, **members):
    print(json.dumps({"event": event, **members}), flush=True)


def leave(*_):
    global LEAVING
    LEAVING = True


def read_part(part, labels):
    """[(path of a picture, number of its class)]"""
    coco = json.loads(pathlib.Path(part["annotations"]).read_text())
    names = {c["id"]: c["name"] for c in coco["categories"]}
    paths = {i["id"]: pathlib.Path(part["images"]) / i["file_name"] for i in coco["images"]}
    whole = (a for a in coco["annotations"] if "bbox" not in a and names[a["category_id"]] in labels)
    return [(paths[a["image_id"]], labels.index(names[a["category_id"]])) for a in whole]


def split(items):
    """Every fifth picture validates."""
    return [x for i, x in enumerate(items) if i % 5], items[::5]


def main():
    signal.signal(signal.SIGTERM, leave)
    job = json.loads(pathlib.Path(os.environ["GYRE_JOB"]).read_text())
    if job["task"] != "CLASSIFICATION":
        say("error", message=f"This example trains classifiers, and the job is {job['task']}.")
        return 3
    train = read_part(job["data"]["train"], job["labels"])
    train, val = (train, read_part(job["data"]["val"], job["labels"])) if job["data"]["val"] else split(train)
    if not train or not val:
        say("error", message="There are too few labelled pictures to train on some and validate on others.")
        return 4

    import numpy
    import torch
    from PIL import Image, ImageOps

    width, height = job["input_size"] or (64, 64)
    hyper, state = job["hyper"], pathlib.Path(os.environ["GYRE_STATE"]) / "last.pt"
    torch.manual_seed(hyper["seed"] or 1)
    torch.set_num_threads(job["threads"])

    def tensors(items):
        pictures = [ImageOps.exif_transpose(Image.open(path)).convert("RGB").resize((width, height)) for path, _ in items]
        pixels = numpy.stack([numpy.asarray(p, numpy.float32).transpose(2, 0, 1) / 255 for p in pictures])
        return torch.from_numpy(pixels), torch.tensor([label for _, label in items])

    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.BatchNorm2d(16), torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, 2, 1), torch.nn.BatchNorm2d(32), torch.nn.ReLU(),
        torch.nn.Conv2d(32, 64, 3, 2, 1), torch.nn.BatchNorm2d(64), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, len(job["labels"])),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), lr=hyper["learning_rate"] or 2e-3)
    (x, y), (val_x, val_y) = tensors(train), tensors(val)
    epochs, batch, best, begin = hyper["epochs"] or 20, hyper["batch"] or 16, -1.0, 1
    if os.environ["GYRE_RESUME"] == "1" and state.exists():
        kept = torch.load(state)
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        best, begin = kept["best"], kept["epoch"] + 1
    say("start", train_images=len(train), val_images=len(val), epochs=epochs)
    for epoch in range(begin, epochs + 1):
        network.train()
        total = 0.0
        for part in torch.randperm(len(x)).split(batch):
            if len(part) < 2:
                continue  # BatchNorm has no variance of one
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(x[part]), y[part])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(part)
        network.eval()
        with torch.no_grad():
            accuracy = (network(val_x).argmax(1) == val_y).float().mean().item()
        say("epoch", epoch=epoch, epochs=epochs, loss=total / len(x), metrics={"accuracy": accuracy})
        if accuracy > best:
            best = accuracy
            write_model(network, torch.zeros(1, 3, height, width), job["labels"])
        torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "best": best, "epoch": epoch}, state)
        if LEAVING:
            return 143
    say("done", metrics={"accuracy": best})
    return 0


def write_model(network, example, labels):
    """Scores of the classes, and what gyre is to know of the tensor: 0…1, RGB."""
    import torch

    output = pathlib.Path(os.environ["GYRE_OUTPUT"])
    torch.onnx.export(torch.nn.Sequential(network, torch.nn.Softmax(1)), example, output / "new.onnx", opset_version=13)
    os.replace(output / "new.onnx", output / "model.onnx")
    side = {"width": example.shape[3], "height": example.shape[2]}
    recipe = {"fit": "stretch", "colour": "rgb", "scale": 1 / 255, "mean": [0, 0, 0], "std": [1, 1, 1], **side}
    (output / "recipe.json").write_text(json.dumps(recipe))
    assert labels


if __name__ == "__main__":
    sys.exit(main())
