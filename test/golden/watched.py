# SPDX-License-Identifier: Apache-2.0
"""Write watched.tar.xz: a data folder as the version before the slow loop left it (schema 11, with its watch.db): a deployment
with Training Data, a shadow, reviews in its Feedback Loop, alerts and a webhook, failed requests and a deleted image.

usage: GYRE_BIN=build/gyre watched.py

Kept as evidence, like first_light.py.
"""

import io
import pathlib
import sys

import numpy
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))
import first_light  # noqa: E402
import harness  # noqa: E402
import samples  # noqa: E402

TRAINED_ON = 24


def picture(rng):
    pixels = rng.normal(rng.uniform(60, 190, 3), 20, (24, 24, 3)).clip(0, 255).astype(numpy.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def trained_on(server, version, rng):
    """A dataset version of pictures that came in through another deployment."""
    organization = f"/api/organization/{server.organization['id']}"
    entry = server.deploy(version, "entry", 0.1)
    for number in range(TRAINED_ON):
        server.predict(entry, picture(rng), filename=f"{number}.png")
    items = server.get(f"/api/deployment/{entry['id']}/predictedassets", params={"limit": 1000})["items"]
    dataset = server.post(f"{organization}/datasets", {"name": "trained on"})
    made = server.post(f"/api/dataset/{dataset['id']}/versions", {"version": "one", "type": "CLASSIFICATION"})
    path = f"/api/dataset/version/{made['id']}/assets"
    server.post(path, {"data_ids": [item["data"]["id"] for item in items]})
    harness.wait_until(lambda: server.get(path)["count"] == TRAINED_ON, 20, "assets")
    return made


def fill(server, folder):
    known = first_light.fill(server, folder)
    rng = numpy.random.default_rng(11)
    organization = f"/api/organization/{server.organization['id']}"
    champion, other = known["versions"]
    dataset = trained_on(server, champion, rng)
    deployment = server.deploy(champion, "watched", 0.1)
    path = f"/api/deployment/{deployment['id']}"
    server.post(f"{path}/shadow", {"model_version_id": other["id"]})
    server.post(f"{path}/pipeline/td/setup", {"dataset_version_id": dataset["id"]})
    server.post(f"{path}/alerts", {"kind": "failed", "operator": ">", "value": 1, "window_s": 3600, "images_min": 5})
    server.post(f"{organization}/webhooks", {"name": "nobody", "url": "https://example.com/hook", "active": False})
    for number in range(16):
        server.predict(deployment, picture(rng), filename=f"{number}.png", source=f"camera-{number % 2}")
    server.predict(deployment, b"no picture", filename="broken.png", expect=None)
    assets = server.predicted_assets(deployment)[0]
    corrected = server.post(f"/api/dataset/{dataset['origin_id']}/versions", {"version": "corrected", "type": "CLASSIFICATION"})
    server.post(f"{path}/pipeline/fl/setup")
    server.post(f"{path}/fl/datasets", {"dataset_version_id": corrected["id"]})
    for asset in assets[:6]:
        server.post(f"/api/predicted/asset/{asset['id']}/reviews", {"shapes": [{"type": "classification", "label": "red"}]})
    labels = [{"label": label, "action": "new", "to_name": label} for label in samples.COLOURS]
    server.call("PUT", f"{path}/pipeline/fl/labels", 200, json={"labels": labels})
    known["submitted"] = server.post(f"{path}/submit", {"all": True})
    server.delete(f"/api/predicted/asset/{assets[10]['id']}")
    harness.wait_until(lambda: server.get(f"{path}/pipeline/td")["status"] == "SUCCESS", 60, "the reference")
    harness.wait_until(lambda: server.get(f"{path}/dashboard")["totals"]["refused"] > 0, 20, "the refusal to be counted")
    harness.wait_until(lambda: server.deployment(deployment)["shadows"][0]["predictions"] >= 16, 30, "the shadow to catch up")
    known["dashboard"] = server.get(f"{path}/dashboard")
    known["drift"] = server.get(f"{path}/drift")
    known["training_data"] = server.get(f"{path}/pipeline/td")
    known["alerts"] = server.get(f"{path}/alerts")
    known["webhooks"] = server.get(f"{organization}/webhooks")["items"]
    known["quality"] = server.get(f"{path}/quality")
    known["feedback"] = server.get(f"{path}/pipeline/fl")
    known["watched"] = server.deployment(deployment)
    known["assets"] = server.predicted_assets(deployment)[0]
    return known


if __name__ == "__main__":
    first_light.write(pathlib.Path(__file__).with_suffix(".tar.xz"), fill)
