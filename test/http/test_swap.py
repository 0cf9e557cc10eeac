# SPDX-License-Identifier: Apache-2.0
"""Champion swaps under load: no request fails, each answer is of one version and right for it, memory stays flat.

GYRE_SWAPS (10) swaps, one a second.
"""

import os
import time

import harness
import pytest
import samples
from load import Load

SWAPS = int(os.environ.get("GYRE_SWAPS", "10"))
GAINS = (2.0, 3.0)


def total_mib(server):
    """Of the server and its children: (server, all)"""
    own = server.rss_mib()
    return own, own + sum(server.rss_mib(pid) for pid in server.children())


@pytest.mark.timeout(60 + 4 * SWAPS)
def test_swaps_under_load(fresh, tmp_path):
    with fresh as server:
        versions = {}
        for gain in GAINS:
            path = samples.colour_classifier(tmp_path, gain, f"{gain}.onnx")
            version = server.push(path, "swapped", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
            versions[version["id"]] = gain
        ids = list(versions)
        deployment = server.deploy(server.get(f"/api/model/version/{ids[0]}"), "swapped", 0.1)
        # Pictures of one colour each, so that the right answer of each version is known.
        pictures = [samples.encode(samples.plain(samples.COLOURS[n % 3], 64 + n, 48)) for n in range(30)]
        with Load(server, deployment, clients=4, image=lambda n: pictures[n % 30], stop_when_broken=False) as load:
            harness.wait_until(lambda: len(load.answers) > 50, 30, "the load to run")
            memory = []
            for swap in range(SWAPS):
                started = time.monotonic()
                target = ids[(swap + 1) % 2]
                server.post(f"/api/deployment/{deployment['id']}/model", {"model_version_id": target})
                # From the answer of the swap on, the new champion answers.
                assert server.predict(deployment, pictures[0])["model_version_id"] == target
                memory.append(total_mib(server))
                time.sleep(max(0, 1 - (time.monotonic() - started)))  # the pace: one swap a second
        assert not load.broken and not load.failures, (load.broken[:3], load.failures[:3])
        seen = set()
        for _, body, answer in load.answers:
            colour = samples.COLOURS[pictures.index(body) % 3]
            gain = versions[answer["model_version_id"]]
            best = answer["shapes"][0]
            assert best["label"] == colour
            assert best["score"] == pytest.approx(samples.colour_scores(colour, gain)[colour], abs=0.01)
            seen.add(gain)
        assert seen == set(GAINS)
        check_memory(memory)
        history = server.get(f"/api/deployment/{deployment['id']}/history")
        assert sum(item["what"] == "deployed" for item in history["items"]) + (history["count"] > 1000) >= min(SWAPS, 50)
        assert harness.wait_until(lambda: len(server.children()) <= 2, 20, "replaced models to end")
        p99 = load.percentile(0.99)
        print(f"{SWAPS} swaps, {len(load.answers)} answers, p50 {load.percentile(0.5) * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms, "
              f"server {memory[0][0]:.0f} → {memory[-1][0]:.0f} MiB")  # fmt: skip


def check_memory(memory):
    """The mean of the last third is not above that of the first by more than a little; one-off growth is no leak."""
    if harness.SANITIZED:
        return  # freed memory is kept apart for a while
    third = max(1, len(memory) // 3)
    first = sum(own for own, _ in memory[:third]) / third
    last = sum(own for own, _ in memory[-third:]) / third
    assert last - first < 8 + 0.05 * first, f"the server grew from {first:.1f} to {last:.1f} MiB over {len(memory)} swaps"


def test_a_bad_candidate_leaves_the_champion(server, colours, tmp_path):
    """A version that cannot be opened is refused with a sentence, and the champion goes on."""
    empty = server.make_version(server.make_model("nothing-in-it"), "CLASSIFICATION")
    response = server.call("POST", f"/api/deployment/{colours['id']}/model", json={"model_version_id": empty["id"]})
    assert response.status_code in (400, 409, 422) and response.json()["message"]
    assert server.predict(colours, samples.photo("red"))["model_version_id"] == colours["model_version_id"]


def test_another_kind_of_model_is_refused(server, colours, blocks):
    response = server.call(
        "POST", f"/api/deployment/{colours['id']}/model", json={"model_version_id": blocks["model_version_id"]}
    )
    assert response.status_code in (400, 409, 422) and response.json()["message"]
    assert server.predict(colours, samples.photo("red"))["shapes"][0]["label"] == "red"


def test_rollback(server, models_folder):
    versions = [
        server.push(samples.colour_classifier(models_folder, gain, f"back-{gain}.onnx"), "back", "CLASSIFICATION",
                    samples.COLOURS, samples.COLOUR_RECIPE)
        for gain in (2.0, 3.0)
    ]  # fmt: skip
    deployment = server.deploy(versions[0], "back", 0.1)
    nowhere = server.call("POST", f"/api/deployment/{deployment['id']}/rollback", json={})
    assert nowhere.status_code in (400, 409) and nowhere.json()["message"]
    server.post(f"/api/deployment/{deployment['id']}/model", {"model_version_id": versions[1]["id"]})
    assert server.predict(deployment, samples.photo("red"))["model_version_id"] == versions[1]["id"]
    back = server.post(f"/api/deployment/{deployment['id']}/rollback")
    assert back["model_version_id"] == versions[0]["id"] and back["champion"]["version"] == 0
    assert server.predict(deployment, samples.photo("red"))["model_version_id"] == versions[0]["id"]
    what = [item["what"] for item in server.get(f"/api/deployment/{deployment['id']}/history")["items"]]
    assert "rolled_back" in what and "deployed" in what and "created" in what
