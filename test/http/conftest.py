# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a server for all tests of a run, one for a test alone, real data, deployed models."""

import functools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import browsing  # noqa: E402
import harness  # noqa: E402
import samples  # noqa: E402


# A browser that talks to nobody but the page's own server.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--metrics-recording-only",
    "--disable-features=OptimizationHints,MediaRouter,Translate,AutofillServerCommunication",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of the logs of the servers it used."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        for value in item.funcargs.values():
            if isinstance(value, harness.Server):
                report.sections.append((f"log of the server in {value.folder}", value.log_tail(80)))


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser, site):
    """Signed in on the file's own server, `site`; fails the test on an error of a script and on a request to elsewhere."""
    page, complaints = browsing.open_page(browser, site, site.token)
    yield page
    page.context.close()
    assert not complaints, complaints


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests that leave it usable."""
    with harness.Server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def fresh(tmp_path):
    """A server of the test's own. Not started: the test says when (`with fresh:` or fresh.start())."""
    made = harness.Server(tmp_path / "server")
    yield made
    made.kill()


@pytest.fixture
def cli(server):
    """gyre … as a client of the shared server."""
    return functools.partial(harness.command, server=server)


@pytest.fixture(scope="session")
def data():
    """The folder of real images and models."""
    if not harness.DATA.is_dir():
        pytest.skip(f"no real data in {harness.DATA} (set GYRE_TEST_DATA)")
    return harness.DATA


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def colours(server, models_folder):
    """A deployment of the colour classifier."""
    path = samples.colour_classifier(models_folder)
    version = server.push(path, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    return server.deploy(version, "colours", 0.1)


@pytest.fixture(scope="session")
def blocks(server, models_folder):
    """A deployment of the block detector."""
    path = samples.block_detector(models_folder)
    version = server.push(path, "blocks", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)
    return server.deploy(version, "blocks", 0.1)


def coco_labels(data):
    return (data / "models/yolox_nano/coco_classes.txt").read_text().split("\n")[:80]


@pytest.fixture(scope="session")
def yolox(server, data):
    """A deployment of the real detector, its recipe found by the server."""
    version = server.push(data / "models/yolox_nano/yolox_nano.onnx", "yolox-nano", "OBJECT_DETECTION", coco_labels(data))
    return server.deploy(version, "street", 0.1)


@pytest.fixture(scope="session")
def mnist(server, data):
    """A deployment of the real digit classifier."""
    version = server.push(data / "models/mnist/opt-mnist.onnx", "mnist", "CLASSIFICATION", [str(d) for d in range(10)])
    return server.deploy(version, "digits", 0.0)


@pytest.fixture(scope="session")
def screenshots():
    folder = pathlib.Path(harness.REPOSITORY) / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
