# SPDX-License-Identifier: Apache-2.0
"""Models made to hurt (models.py): each gets a clear status within ten seconds, while another champion goes on answering."""

import time

import harness
import models
import pytest
import samples
from load import Load

SECONDS_MAX = 10
# What the recipe would otherwise guess: these models take pixels of 0…255, so that any picture but a black one is "bright".
BRIGHT = {"scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1]}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server of its own with a champion that is asked all the time."""
    folder = tmp_path_factory.mktemp("hostile")
    with harness.Server(folder / "server") as server:
        path = samples.colour_classifier(folder)
        version = server.push(path, "champion", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        server.champion = server.deploy(version, "champion", 0.1)
        yield server


@pytest.fixture
def champion_goes_on(site):
    """Around a test: the champion is asked by two clients, none of whose requests fails or waits long."""
    site.settled = set(site.children())
    with Load(site, site.champion, clients=2, stop_when_broken=False) as load:
        harness.wait_until(lambda: len(load.answers) > 5, 20, "the champion's first answers")
        yield load
        before = len(load.answers)
        harness.wait_until(lambda: len(load.answers) > before + 5, 20, "the champion to go on")
    assert not load.failures and not load.broken, (load.failures[:3], load.broken[:3])
    slowest = max(seconds for seconds, *_ in load.answers)
    assert slowest < 5, f"the champion took {slowest:.1f} s once"


def stored(folder, make):
    path = folder / f"{make.__name__}.onnx"
    path.write_bytes(make())
    return path


def no_process_is_left(server):
    harness.wait_until(lambda: set(server.children()) <= server.settled, 20, "the hostile model's process to end", 0.1)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("make", models.HOSTILE, ids=lambda make: make.__name__)
def test_refused_on_upload(site, champion_goes_on, tmp_path, make):
    path = stored(tmp_path, make)
    version = site.make_version(site.make_model(f"hostile-{make.__name__}"), "CLASSIFICATION")
    memory = site.rss_mib()
    began = time.monotonic()
    response = site.attach(version, path, expect=None)
    seconds = time.monotonic() - began
    assert seconds < SECONDS_MAX, f"{make.__name__}: {seconds:.1f} s"
    assert response.status_code in (200, 201, 400, 413, 415, 422), response.text[:300]
    after = site.get(f"/api/model/version/{version['id']}")
    assert after["state"] in ("REFUSED", "EMPTY"), after["state"]
    sentence = after["state_text"] if after["state"] == "REFUSED" else response.json()["message"]
    print(f"{make.__name__}: {response.status_code}, {seconds:.1f} s: {sentence}")
    assert len(sentence) > 20 and sentence[0].isupper() and sentence.rstrip().endswith("."), sentence
    refused = site.call("POST", f"/api/model/version/{version['id']}/deploy", json={})
    assert refused.status_code in (400, 409, 422) and refused.json()["message"]
    no_process_is_left(site)
    assert site.rss_mib() - memory < 200 or harness.SANITIZED


@pytest.mark.timeout(180)
@pytest.mark.parametrize("make", models.HOSTILE_LATER, ids=lambda make: make.__name__)
def test_hostile_once_deployed(site, champion_goes_on, tmp_path, make):
    """It behaves while it is opened, and not for the first real picture."""
    version = site.push(stored(tmp_path, make), f"later-{make.__name__}", "CLASSIFICATION", ["dark", "bright"], BRIGHT)
    deployment = site.deploy(version, f"later-{make.__name__.replace('_', '-')}", 0.1)
    dark = samples.encode(samples.plain("black", 32, 32), "PNG")
    bright = samples.encode(samples.plain("white", 32, 32), "PNG")
    assert site.predict(deployment, dark)["shapes"] is not None
    began = time.monotonic()
    response = site.predict(deployment, bright, expect=None)
    seconds = time.monotonic() - began
    print(f"{make.__name__}: {response.status_code}, {seconds:.1f} s: {response.json()['message']}")
    assert seconds < SECONDS_MAX and response.status_code in (500, 503, 504)
    assert response.json()["message"].rstrip().endswith(".")

    def answers_again():
        return site.predict(deployment, dark, expect=None).status_code == 200

    harness.wait_until(answers_again, 20, "the model to be started again", 0.1)
    stats = site.deployment(deployment)["stats"]
    assert stats["failed"] >= 1
    site.delete(f"/api/deployment/{deployment['id']}")
    no_process_is_left(site)


@pytest.mark.timeout(180)
def test_many_hostile_requests_at_once(site, champion_goes_on, tmp_path):
    """Six pictures that never end, at once: all are answered in bounded time, and the champion does not notice."""
    version = site.push(stored(tmp_path, models.endless_loop_when_bright), "many", "CLASSIFICATION", ["dark", "bright"], BRIGHT)
    deployment = site.deploy(version, "many-loops", 0.1)
    bright = samples.encode(samples.plain("white", 32, 32), "PNG")
    with Load(site, deployment, clients=6, image=lambda n: bright, timeout=60, each=1) as load:
        harness.wait_until(lambda: len(load.failures) + len(load.broken) >= 6, 60, "all of them to be answered", 0.1)
    assert not load.broken and not load.answers
    assert {code for code, _ in load.failures} <= {500, 503, 504}
    site.delete(f"/api/deployment/{deployment['id']}")
    no_process_is_left(site)


@pytest.mark.parametrize("make", models.GOOD, ids=lambda make: make.__name__)
def test_the_well_behaved_work_without_a_word(site, tmp_path, make):
    """The recipe is read from the file's own metadata."""
    kind = "OBJECT_DETECTION" if make is models.detector else "CLASSIFICATION"
    version = site.push(stored(tmp_path, make), f"good-{make.__name__}", kind)
    deployment = site.deploy(version, f"good-{make.__name__}", 0.5)
    answer = site.predict(deployment, samples.photo("green" if make is models.classifier else "white"))
    assert answer["shapes"][0]["label_id"] == (samples.COLOURS.index("green") if make is models.classifier else 0)
    assert answer["shapes"][0]["score"] > 0.9
