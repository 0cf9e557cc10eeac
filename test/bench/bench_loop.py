# SPDX-License-Identifier: Apache-2.0
"""Does the loop learn? Blood cells (BCCD): a first model from 60 labelled pictures is deployed, the rest comes as traffic, every
picture is reviewed (from its annotations), and retraining starts by itself, three times. Average precision on 60 pictures kept
aside, after each of them, beside a model that was trained on everything at once.

Nothing is pressed: first model, deployment, Feedback Loop, Continuous Training and Deployment by the API, as a script would.
Prints a table; writes build/bench_loop.json.

usage: bench_loop.py [--epochs N] [--images N]
"""

import argparse
import json
import pathlib
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "test" / "http"))
import harness  # noqa: E402
import importing  # noqa: E402

FIRST, HELD_OUT, RETRAININGS = 60, 60, 3
PATIENCE_S = 3 * 3600


class Cells:
    """The pictures of BCCD in the order of their names, with their boxes."""

    def __init__(self, count):
        folder = harness.DATA / "det_bccd"
        names = sorted(path.stem for path in (folder / "Annotations").glob("*.xml"))
        names = [name for name in names if (folder / "JPEGImages" / f"{name}.jpg").is_file()]
        self.names, self.folder = names[:count], folder

    def picture(self, name):
        return (self.folder / "JPEGImages" / f"{name}.jpg").read_bytes()

    def parts(self, names):
        parts = []
        for name in names:
            parts.append(("media", (f"{name}.jpg", self.picture(name))))
            parts.append(("annotations", (f"{name}.xml", (self.folder / "Annotations" / f"{name}.xml").read_bytes())))
        return parts

    def shapes(self, name):
        """As a reviewer draws them."""
        shapes = []
        for item in ElementTree.parse(self.folder / "Annotations" / f"{name}.xml").getroot().iter("object"):
            box = [int(item.find(f"bndbox/{side}").text) for side in ("xmin", "ymin", "xmax", "ymax")]
            width, height = box[2] - box[0], box[3] - box[1]
            if width > 0 and height > 0:
                label = item.find("name").text
                shapes.append({"type": "rectangle", "x": box[0], "y": box[1], "w": width, "h": height, "label": label})
        return shapes


def wait(server, training):
    """A training's row when it has ended; every epoch is a line on the way."""
    said = None
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        now = server.get(f"/api/training/{training['id']}")
        if now["status"] not in ("WAITING", "RUNNING"):
            assert now["status"] == "SUCCESS", (now["stage"], now["error"])
            return now
        if (told := (now["stage"], now["message"])) != said:
            print("   ", *told, flush=True)
            said = told
        time.sleep(1)
    raise AssertionError("the training does not end")


def score(training):
    return {k: training["evaluation"][k] for k in ("images", "candidate", "candidate50", "champion50")} | {
        "cpu_s": training["cpu_s"]
    }


def dataset(server, name, cells, train, held_out):
    """One version of both; what is held out is kept to measure with, which no trainer is given."""
    version = importing.make_version(server, "OBJECT_DETECTION", name)
    importing.send(server, version, cells.parts(train) + cells.parts(held_out))
    aside = {f"{name}.jpg" for name in held_out}
    ids = [a["id"] for a in importing.assets_of(server, version) if a["data"]["filename"] in aside]
    assert len(ids) == len(held_out)
    server.post(f"/api/dataset/version/{version['id']}/assets/evaluation", {"ids": ids, "evaluation": True})
    return version


def first_model(server, version, name, parameters):
    """From pictures alone."""
    org = f"/api/organization/{server.organization['id']}"
    project = server.post(f"{org}/projects", {"name": name})
    body = {"arch": "det-t", "name": name, "project_id": project["id"], "parameters": parameters}
    return project, wait(server, server.post(f"/api/dataset/version/{version['id']}/train", body))


def retrain(server, deployment, cells, names, number):
    """Traffic and its reviews, until a training starts by itself and ends."""
    path = f"/api/deployment/{deployment['id']}"
    for name in names:
        answer = server.predict(deployment, cells.picture(name), filename=f"{name}.jpg")
        server.post(f"/api/predicted/asset/{answer['predicted_asset_id']}/reviews", {"shapes": cells.shapes(name)})
    server.post(f"{path}/submit", {"all": True})

    def begun():
        ct = server.get(f"{path}/pipeline/ct")
        return next((t for t in (ct["open"], ct["last"]) if t and t["epoch"] == number), None)

    started = harness.wait_until(begun, 60, f"training {number} to start by itself")
    return wait(server, started)


def loop(server, cells, parameters):
    train, test = cells.names[:FIRST], cells.names[-HELD_OUT:]
    stream = cells.names[FIRST:-HELD_OUT]
    share = len(stream) // RETRAININGS
    growing = dataset(server, "growing", cells, train, test)
    print(f"first model from {len(train)} pictures")
    project, first = first_model(server, growing, "cells", parameters)
    rows = [("first model", len(train), score(first))]
    deployment = server.deploy({"id": first["candidate"]["model_version_id"]}, "cells", 0.3)
    harness.wait_until(lambda: server.deployment(deployment)["status"] == "SERVING", 60, "the model")
    path = f"/api/deployment/{deployment['id']}"
    server.post(f"{path}/pipeline/fl/setup")
    server.patch(f"{path}/pipeline/fl", {"evaluation_share": 0})
    server.post(f"{path}/fl/datasets", {"dataset_version_id": growing["id"]})
    server.post(f"{path}/pipeline/ct", {
        "project_id": project["id"], "training_type": "EXPERIMENT", "experiment_parameters": parameters,
        "trigger": "FEEDBACK_LOOP", "threshold": share,
    })  # fmt: skip
    server.post(f"{path}/ct/datasets", {"dataset_version_id": growing["id"], "name": "train"})
    server.post(f"{path}/pipeline/cd", {"policy": "DEPLOY_CHAMPION", "gate": False})
    for number in range(1, RETRAININGS + 1):
        names = stream[(number - 1) * share : number * share]
        print(f"retraining {number}: {len(names)} more pictures, reviewed")
        retrained = retrain(server, deployment, cells, names, number)
        rows.append((f"retraining {number}", len(train) + number * share, score(retrained)))
    everything = dataset(server, "everything", cells, train + stream[: RETRAININGS * share], test)
    print("all at once")
    _, at_once = first_model(server, everything, "all at once", parameters)
    rows.append(("all at once", len(train) + RETRAININGS * share, score(at_once)))
    return rows


def main():
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--epochs", type=int, default=60)
    asked.add_argument("--images", type=int, default=364)
    asked = asked.parse_args()
    parameters = {"epochs": asked.epochs}
    cells = Cells(asked.images)
    with tempfile.TemporaryDirectory() as folder:
        with harness.Server(pathlib.Path(folder) / "server") as server:
            rows = loop(server, cells, parameters)
    print(f"\n{'':16}{'pictures':>9}{'AP50':>8}{'AP':>8}{'CPU s':>9}")
    for name, pictures, numbers in rows:
        print(f"{name:16}{pictures:9}{numbers['candidate50']:8.3f}{numbers['candidate']:8.3f}{numbers['cpu_s']:9.0f}")
    share = rows[-2][2]["candidate50"] / rows[-1][2]["candidate50"]
    print(f"after the loop, of all at once: {share:.3f} (aim 0.95)")
    (REPOSITORY / "build" / "bench_loop.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
