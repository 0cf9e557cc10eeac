# SPDX-License-Identifier: Apache-2.0
"""Run folders of gyre-train: made, run, read. And pictures that are drawn here, so that what is true of them is known."""

import json
import os
import pathlib
import subprocess

import numpy
import pytest
from PIL import Image, ImageDraw

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
TRAINER = pathlib.Path(os.environ.get("GYRE_TRAIN", REPOSITORY / "build" / "trainer" / "gyre-train")).absolute()
DATA = pathlib.Path(os.environ.get("GYRE_TEST_DATA", REPOSITORY.parent / "shared" / "data")).absolute()
# One thread: sums in another order differ in their last digits.
ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if not k.startswith("GYRE_")},
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}

needs_trainer = pytest.mark.skipif(not TRAINER.exists(), reason="gyre-train is not built: tools/build.sh trainer")
# Minutes rather than seconds: nightly.
slow = pytest.mark.skipif("GYRE_TRAIN_LONG" not in os.environ, reason="takes minutes; GYRE_TRAIN_LONG=1 runs it")


def trainer(*arguments, expect=0, environment=ENVIRONMENT, folder=None):
    run = subprocess.run(
        [TRAINER, *map(str, arguments)], env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=600, check=False,
    )  # fmt: skip
    assert run.returncode == expect, f"exit {run.returncode}\n{run.stdout[-4000:]}{run.stderr[-4000:]}"
    return run.stdout if expect == 0 else run.stderr


def set_of(folder, pictures, labels):
    """A COCO set in a folder. pictures: {file name: (picture or path, annotations)}; each annotation is a dict with "label"."""
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    coco = {"images": [], "annotations": [], "categories": [{"id": i + 1, "name": n} for i, n in enumerate(labels)]}
    for number, (name, (picture, annotations)) in enumerate(pictures.items(), 1):
        (images / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(picture, (str, pathlib.Path)):
            (images / name).symlink_to(picture)
            width, height = Image.open(picture).size
        else:
            picture.save(images / name)
            width, height = picture.size
        coco["images"].append({"id": number, "file_name": name, "width": width, "height": height})
        for a in annotations:
            rest = {k: v for k, v in a.items() if k != "label"}
            place = {"id": len(coco["annotations"]) + 1, "image_id": number, "category_id": labels.index(a["label"]) + 1}
            coco["annotations"].append({**place, "iscrowd": 0, **rest})
    (folder / "annotations.json").write_text(json.dumps(coco))


class Run:
    """RUN of the trainer's contract."""

    def __init__(self, folder, task, labels, train, val=None, base=None, **job):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        sets = {"train": train, "val": val}
        for name, pictures in sets.items():
            if pictures is not None:
                set_of(self.folder / "input" / name, pictures, labels)
        places = {
            name: {"annotations": f"input/{name}/annotations.json", "images": f"input/{name}/images"} if pictures else None
            for name, pictures in sets.items()
        }
        self.job = {
            "schema": 1, "job": "00000000-0000-0000-0000-000000000001", "task": task, "labels": labels, "base": base,
            "arch": None, "input_size": None, "hyper": {}, "data": places, "device": "cpu", "threads": 1,
            "time_limit_s": None, **job,
        }  # fmt: skip
        self.write()

    def write(self):
        (self.folder / "job.json").write_text(json.dumps(self.job))

    @property
    def command(self):
        return [TRAINER, "train", "--job", "job.json"]

    def train(self, expect=0, **environment):
        run = subprocess.run(
            self.command, env={**ENVIRONMENT, **environment}, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=900, check=False,
        )  # fmt: skip
        assert run.returncode == expect, f"exit {run.returncode}\n{run.stdout[-4000:]}{run.stderr[-4000:]}"
        return Events(run.stdout)

    @property
    def model(self):
        return self.folder / "output" / "model.onnx"

    @property
    def report(self):
        return json.loads((self.folder / "output" / "report.json").read_text())

    @property
    def recipe(self):
        return json.loads((self.folder / "output" / "recipe.json").read_text())

    def as_base(self):
        """This run's model as the base of another."""
        recipe = self.recipe if self.job["base"] is None else self.job["base"]["recipe"]
        return {"file": str(self.model), "labels": self.job["labels"], "recipe": recipe}


class Events(list):
    def __init__(self, text):
        super().__init__(json.loads(line) for line in text.splitlines() if line.startswith("{"))

    def of(self, kind):
        return [e for e in self if e["event"] == kind]

    def one(self, kind):
        (event,) = self.of(kind)
        return event


# ---- drawn pictures ----

SHAPES = ["disc", "square", "cross"]


def shape_box(rng, side, small=0.25, large=0.45):
    size = rng.uniform(small, large) * side
    x, y = rng.uniform(2, side - size - 2, 2)
    return float(x), float(y), float(size), float(size)


def draw_shape(draw, kind, box, colour):
    x, y, w, h = box
    if kind == "disc":
        draw.ellipse([x, y, x + w, y + h], fill=colour)
    elif kind == "square":
        draw.rectangle([x, y, x + w, y + h], fill=colour)
    else:
        draw.rectangle([x + w * 0.38, y, x + w * 0.62, y + h], fill=colour)
        draw.rectangle([x, y + h * 0.38, x + w, y + h * 0.62], fill=colour)


def ground(rng, side):
    noise = rng.normal(rng.uniform(60, 120), 12, (side, side, 3)).clip(0, 255).astype(numpy.uint8)
    return Image.fromarray(noise)


def bright(rng):
    return tuple(int(v) for v in rng.integers(160, 255, 3))


def classified(count, seed=1, side=48, labels=SHAPES):
    """One shape a picture; its kind is the picture's class."""
    rng = numpy.random.default_rng(seed)
    pictures = {}
    for i in range(count):
        picture, kind = ground(rng, side), labels[i % len(labels)]
        draw_shape(ImageDraw.Draw(picture), kind, shape_box(rng, side, 0.45, 0.75), bright(rng))
        pictures[f"{i:04}.png"] = (picture, [{"label": kind}])
    return pictures


def detected(count, seed=1, side=96, labels=SHAPES, most=3):
    """Some shapes a picture, with their boxes."""
    rng = numpy.random.default_rng(seed)
    pictures = {}
    for i in range(count):
        picture, found = ground(rng, side), []
        draw = ImageDraw.Draw(picture)
        for _ in range(rng.integers(1, most + 1)):
            kind, box = labels[rng.integers(len(labels))], shape_box(rng, side)
            draw_shape(draw, kind, box, bright(rng))
            found.append({"label": kind, "bbox": list(box)})
        pictures[f"{i:04}.png"] = (picture, found)
    return pictures


def outlined(count, seed=1, side=64):
    """Squares with their outlines."""
    rng = numpy.random.default_rng(seed)
    pictures = {}
    for i in range(count):
        picture, (x, y, w, h) = ground(rng, side), shape_box(rng, side, 0.3, 0.6)
        draw_shape(ImageDraw.Draw(picture), "square", (x, y, w, h), bright(rng))
        ring = [x, y, x + w, y, x + w, y + h, x, y + h]
        pictures[f"{i:04}.png"] = (picture, [{"label": "square", "segmentation": [ring]}])
    return pictures
