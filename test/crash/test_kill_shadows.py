# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments with two shadows behind the champion: what it answered is untouched, and once the shadows have caught
up each has predicted on each image once.

GYRE_KILLS (10) kills; GYRE_SEED repeats a run. Shadows are removed, set anew from the start of the log and promoted in between.
"""

import os
import time

import harness
import pytest
from load import Load
from shadowing import background_children, colour_versions, set_shadow, shadow_of, wait_caught_up
from store import Stored, half_written
from test_kill import retry, wait_serving

KILLS = int(os.environ.get("GYRE_KILLS", "10"))


def meddle(server, deployment, versions, chance):
    """What people do meanwhile, cut short by the kill."""
    champion = server.deployment(deployment)["model_version_id"]
    followers = [v for v in versions if shadow_of(server, deployment, v)]
    path = f"/api/deployment/{deployment['id']}/shadow"
    what = chance.choice(["nothing", "remove", "promote", "kill a shadow"])
    if what == "remove" and followers:
        version = chance.choice(followers)
        server.delete(f"{path}/{version['id']}")
    elif what == "promote" and followers:
        server.post(f"{path}/{chance.choice(followers)['id']}/promote", {"keep_old_as_shadow": True})
    elif what == "kill a shadow" and background_children(server):
        os.kill(chance.choice(background_children(server)), 9)
    if what == "remove" and chance.random() < 0.8:
        missing = [v for v in versions if v["id"] != champion and not shadow_of(server, deployment, v)]
        set_shadow(server, deployment, chance.choice(missing), since="start")


def wait_for_the_moment(chance, most):
    moment = time.monotonic() + chance.uniform(0, most)
    harness.wait_until(lambda: time.monotonic() >= moment, 5, "the moment", every=0.001)


def kill_once(server, deployment, versions, chance):
    """Load, meddling, the kill, sometimes another while it starts, and the retries. (id → SHA-256) of what was acknowledged."""
    load = Load(server, deployment, clients=chance.choice([1, 3]), keys=True).start()
    harness.wait_until(lambda: load.answers or load.broken, 30, "a first answer")
    if chance.random() < 0.7:
        meddle(server, deployment, versions, chance)
    wait_for_the_moment(chance, 0.6)
    server.kill()
    load.stop()
    assert all(code == 503 for code, _ in load.failures), load.failures[:3]
    if chance.random() < 0.2:
        server.launch()
        wait_for_the_moment(chance, 0.4)
        server.kill()
    server.start()
    assert half_written(server.data) == []
    wait_serving(server, deployment)
    return {**load.acknowledged(), **retry(server, deployment, load.unanswered)}


@pytest.mark.timeout(180 + 20 * KILLS)
def test_kill_at_random_moments_with_two_shadows(fresh, tmp_path, chance):
    server = fresh.start()
    versions = colour_versions(server, tmp_path, "shadowed")
    deployment = server.deploy(versions[0], "killed", 0.1)
    for version in versions[1:]:
        set_shadow(server, deployment, version)
    acknowledged, most = {}, 0
    for kill in range(KILLS):
        acknowledged.update(kill_once(server, deployment, versions, chance))
        lags = [s["lag"] for s in server.deployment(deployment)["shadows"]]
        most = max([most, *lags])
        if kill % 5 == 4:
            Stored(server.data).check(acknowledged, read=set())
    # Whoever is no shadow becomes one, from the start: then each version has to have spoken on each image.
    champion = server.deployment(deployment)["model_version_id"]
    for version in versions:
        if version["id"] != champion:
            server.call("DELETE", f"/api/deployment/{deployment['id']}/shadow/{version['id']}")
            set_shadow(server, deployment, version, since="start")
    others = [v for v in versions if v["id"] != champion]
    wait_caught_up(server, deployment, *others, timeout=120)
    assert all(shadow_of(server, deployment, v)["skipped"] == 0 for v in others)
    items, count = server.predicted_assets(deployment)
    assert count == len(acknowledged)
    for item in items:
        spoken = [p["model_version_id"] for p in item["predictions"]]
        assert len(spoken) == len(set(spoken)) and set(spoken) >= {v["id"] for v in others}
        assert [p["is_shadow"] for p in item["predictions"]] == [False] + [True] * (len(spoken) - 1)
    assert server.stop() == 0
    stored = Stored(server.data)
    stored.check(acknowledged)
    assert stored.count == len(acknowledged)
    assert len(acknowledged) > 3 * KILLS
    print(f"{KILLS} kills: {len(acknowledged)} acknowledged, all there once; {len(stored.shadows)} predictions of shadows, each "
          f"once; at most {most} behind after a kill")  # fmt: skip
