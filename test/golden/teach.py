# SPDX-License-Identifier: Apache-2.0
"""Write teach.tar.xz: a data folder as the version before watching left it (schema 10): datasets, reviews, a Feedback Loop,
people, an experiment, and a deployment whose predictions are made elsewhere.

usage: GYRE_BIN=build/gyre teach.py

Kept as evidence, like first_light.py.
"""

import base64
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))
import first_light  # noqa: E402
import samples  # noqa: E402


def elsewhere(server):
    """A version without a file, with what it said of four images."""
    organization = f"/api/organization/{server.organization['id']}"
    model = server.post(f"{organization}/models", {"name": "elsewhere"})
    version = server.post(f"/api/model/{model['id']}/versions", {"labels": {"0": "bolt", "1": "nut"}, "type": "OBJECT_DETECTION"})
    deployment = server.post(
        f"{organization}/deployments",
        {"model_version_id": version["id"], "name": "elsewhere", "min_threshold": 0.2, "disable_serving": True},
    )
    for number in range(4):
        said = {"detection_classes": [0, 1], "detection_scores": [0.9, 0.4], "detection_boxes": [[1, 2, 11, 22], [5, 6, 15, 26]]}
        body = {
            "filename": f"{number}.jpg", "content_type": "IMAGE/JPEG", "width": 96, "height": 64, "latency": 0.1 + number / 100,
            "image": base64.b64encode(samples.numbered(number)).decode(), "raw_predictions": said, "source": "line 3",
            "tags": ["night"],
        }  # fmt: skip
        server.post(f"/api/deployment/{deployment['id']}/predictions", body)
    return deployment


def fill(server, folder):
    known = first_light.fill(server, folder)
    organization = f"/api/organization/{server.organization['id']}"
    deployment = elsewhere(server)
    path = f"/api/deployment/{deployment['id']}"
    dataset = server.post(f"{organization}/datasets", {"name": "corrected"})
    version = server.post(f"/api/dataset/{dataset['id']}/versions", {"version": "one", "type": "OBJECT_DETECTION"})
    server.post(path + "/pipeline/fl/setup")
    server.post(path + "/fl/datasets", {"dataset_version_id": version["id"]})
    assets = server.predicted_assets(deployment)[0]
    box = {"type": "rectangle", "x": 1, "y": 2, "w": 30, "h": 40, "label": "bolt"}
    for asset, shapes in zip(assets, ([box], [], [box, {**box, "label": "nut"}])):
        server.post(f"/api/predicted/asset/{asset['id']}/reviews", {"shapes": shapes})
    known["submitted"] = server.post(path + "/submit", {"all": True})["submitted"]
    server.delete(f"/api/predicted/asset/{assets[3]['id']}")
    server.post(f"{organization}/users", {"name": "ada", "role": "REVIEWER"})
    project = server.post(f"{organization}/projects", {"name": "bolts"})
    experiment = server.post(f"/api/project/{project['id']}/experiments", {"name": "first", "description": ""})
    known["elsewhere"] = server.deployment(deployment)
    known["assets"] = server.predicted_assets(deployment)[0]
    known["quality"] = server.get(path + "/quality")
    known["manifest"] = server.get(f"/api/dataset/version/{version['id']}/manifest")
    known["version"] = version["id"]
    known["experiment"] = server.get(f"/api/experiment/{experiment['id']}")
    return known


if __name__ == "__main__":
    first_light.write(pathlib.Path(__file__).with_suffix(".tar.xz"), fill)
