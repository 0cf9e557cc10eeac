# SPDX-License-Identifier: Apache-2.0
"""What tests of trainings share: a server with the fake trainer, labelled pictures, experiments."""

import io
import pathlib
import sys

import harness
import numpy
from PIL import Image

FAKE = f"{sys.executable} {pathlib.Path(__file__).with_name('fake_trainer.py')} train --job {{job}}"
COLOURS = ("red", "green", "blue")


def picture(colour, number):
    """A picture of one colour, with noise that makes its bytes its own."""
    noise = numpy.random.default_rng(number).integers(0, 60, (24, 32, 3), numpy.uint8)
    noise[..., COLOURS.index(colour) if colour in COLOURS else 0] += 150
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    return out.getvalue()


def dataset(server, folder, name, count=20, labels=COLOURS, first=0, kind="CLASSIFICATION"):
    """A version of a dataset of that name: count pictures, labelled by turns."""
    org = f"/api/organization/{server.organization['id']}"
    lake = server.get(f"{org}/datalake")["id"]
    made = server.post(f"{org}/datasets", {"name": name})
    version = server.post(f"/api/dataset/{made['id']}/versions", {"version": "first", "type": kind})
    path = f"/api/dataset/version/{version['id']}"
    ids = []
    for i in range(count):
        file = pathlib.Path(folder) / f"{name}-{first + i}.png"
        file.write_bytes(picture(labels[i % len(labels)], first + i))
        object_name = server.upload(file, "DATA", content_type="image/png")
        body = {"filename": file.name, "object_name": object_name, "content_type": "image/png", "tags": []}
        ids.append(server.post(f"/api/datalake/{lake}/datas", body)["id"])
    server.post(f"{path}/assets", {"data_ids": ids})
    assets = {a["data"]["id"]: a["id"] for a in server.get(f"{path}/assets")["items"]}
    for i, data in enumerate(ids):
        shape = {"type": "classification", "label": labels[i % len(labels)]}
        if kind != "CLASSIFICATION":
            shape = {"type": "rectangle", "label": labels[i % len(labels)], "x": 2, "y": 2, "w": 12, "h": 10}
        server.call("PUT", f"/api/asset/{assets[data]}/annotation", 200,
                    json={"base_revision": 0, "client_id": str(i), "shapes": [shape], "make_labels": True})  # fmt: skip
    return {**version, "path": path, "assets": [assets[i] for i in ids]}


def experiment(server, name, versions, base=None, **parameters):
    """An experiment of the project "trainings" with dataset versions by alias, a base and its parameters."""
    org = f"/api/organization/{server.organization['id']}"
    found = server.call("GET", f"{org}/projects/find", params={"name": "trainings"})
    project = found.json() if found.status_code == 200 else server.post(f"{org}/projects", {"name": "trainings"})
    body = {"name": name, "description": ""}
    if base:
        body["base_model_version_id"] = base["id"]
    made = server.post(f"/api/project/{project['id']}/experiments", body)
    path = f"/api/experiment/{made['id']}"
    for alias, version in versions.items():
        server.post(f"{path}/datasets", {"name": alias, "dataset_version_id": version["id"]})
    server.post(f"{path}/logs", {"name": "parameters", "type": "TABLE", "data": parameters})
    return {**made, "path": path}


def launch(server, made):
    return server.post(f"{made['path']}/launch", {"gpus": 1})["training"]


def ended(server, training, timeout=60):
    """The training when it is no longer open."""

    def now():
        row = server.get(f"/api/training/{training['id']}")
        return row if row["status"] not in ("WAITING", "RUNNING") else None

    return harness.wait_until(now, timeout, "the training to end", every=0.05)


def run_folder(server, training):
    return server.data / "runs" / training["id"]
