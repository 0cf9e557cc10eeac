# SPDX-License-Identifier: Apache-2.0
"""Write deploy.tar.xz: a data folder as the version before datasets and reviews left it (schema 4): shadows, jobs, recipes.

usage: GYRE_BIN=build/gyre deploy.py

Kept as evidence, like first_light.py.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))
import first_light  # noqa: E402
import harness  # noqa: E402
import samples  # noqa: E402
from shadowing import set_shadow, wait_caught_up  # noqa: E402


def ended(server, job):
    now = server.get(f"/api/job/{job['id']}")
    return now if now["status"] != "RUNNING" else None


def fill(server, folder):
    known = first_light.fill(server, folder)
    first = known["deployments"][0]
    other = next(v for v in known["versions"] if v["id"] != first["model_version_id"])
    set_shadow(server, first, other, since="start")
    wait_caught_up(server, first, other)
    pictures = [("media", (f"{c}/{i}.jpg", samples.photo(c))) for i in range(7) for c in samples.COLOURS]
    job = server.call("POST", f"/api/model/version/{other['id']}/check", 202, files=pictures)["job"]
    known["job"] = harness.wait_until(lambda: ended(server, job), harness.CALL_TIMEOUT, "the check to end")
    known["copy"] = server.post(f"/api/model/version/{other['id']}/recipe", {"recipe": {"colour": "bgr"}})
    known["deployments"] = [server.deployment(d) for d in known["deployments"]]
    known["assets"] = server.predicted_assets(first)[0]
    return known


if __name__ == "__main__":
    first_light.write(pathlib.Path(__file__).with_suffix(".tar.xz"), fill)
