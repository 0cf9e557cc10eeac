# SPDX-License-Identifier: Apache-2.0
"""The mission by screen, in one go and with the real trainer: a model version's page → Deploy, where the threshold is asked → the
list of deployments → an empty dashboard → Settings: Training Data, Feedback Loop, Continuous Training, Continuous Deployment →
badges → predictions → charts fill → reviews → at the threshold a training begins by itself → its version is a shadow → promoted →
threshold and name changed in Settings.

The model that is given has learnt nothing, so that each picture it answers wants a correction. GYRE_SCREENSHOTS=1 leaves pictures
of the pages in build/screenshots.
"""

import json
import os
import pathlib
import re
import subprocess

import harness
import pytest
import trainings
from browsing import look, region
from test_browser_deploy import drop
from test_browser_loop import badge

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=60_000)

TRAINER = pathlib.Path(os.environ.get("GYRE_TRAIN", harness.REPOSITORY / "build/trainer/gyre-train")).absolute()
pytestmark = pytest.mark.skipif(not TRAINER.exists(), reason="gyre-train is not built: tools/build.sh trainer")

THRESHOLD, REFERENCE, SIDE = 5, 36, 32


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with harness.Server(tmp_path_factory.mktemp("site"), "--trainer", f"{TRAINER} train --job {{job}}") as server:
        yield server


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A classifier of three colours that was never trained, and its labels."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "labels.json").write_text(json.dumps(trainings.COLOURS))
    (folder / "labels.txt").write_text("\n".join(trainings.COLOURS) + "\n")
    subprocess.run(
        [TRAINER, "create", "--arch", "cls-n", "--labels", folder / "labels.json", "--size", f"{SIDE}x{SIDE}", "--output",
         folder / "sorter.onnx", "--seed", "3"], check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return folder / "sorter.onnx", folder / "labels.txt"


@pytest.fixture(scope="module")
def parts(site, tmp_path_factory):
    """Labelled pictures that are there from before."""
    return trainings.dataset(site, tmp_path_factory.mktemp("parts"), "parts", REFERENCE)


def deploy(page, files):
    """From the file to the deployment; the threshold is asked."""
    page.goto("/models")
    drop(page, *files)
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("3 labels").wait_for()
    dialog.get_by_text("Classification", exact=True).click()
    dialog.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url("**/model/**version=0")
    page.get_by_role("button", name="Deploy…").click()
    confirm = dialog.get_by_role("button", name="Confirm the recipe")
    button = dialog.get_by_role("button", name="Deploy", exact=True)
    expect(dialog.get_by_label("Confidence threshold")).to_have_value("0.1")
    dialog.get_by_label("Name", exact=True).fill("belt")
    if confirm.count():
        confirm.click()
    dialog.get_by_label("Training Data").select_option("")
    expect(button).to_be_enabled()
    button.click()
    page.wait_for_url("**/deployment/**")
    deployment = page.url.rsplit("/", 1)[1]
    page.get_by_role("link", name="Deployments", exact=True).first.click()
    row = page.get_by_role("row", name=re.compile("^belt"))
    expect(row).to_contain_text("sorter")
    row.get_by_role("link", name="belt", exact=True).click()
    steps = page.locator(".checklist")
    for name in ("Training Data", "Feedback Loop", "Continuous Training", "Continuous Deployment"):
        expect(steps.get_by_role("link", name=name).first).to_be_visible()
    return deployment


def set_up(page):
    """The four parts, each from the page of the one before."""
    page.locator(".checklist").get_by_role("link", name="Training Data").first.click()
    page.get_by_role("button", name="Choose Training Data").first.click()
    page.get_by_role("radio", name=re.compile("parts first")).check(force=True)
    page.get_by_role("button", name="Use these").click()
    expect(badge(page, "Training Data")).to_contain_text("on")

    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Feedback Loop").click()
    page.get_by_role("button", name="Set it up").click()
    page.get_by_role("button", name="Attach a version…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("parts first").click()
    dialog.get_by_role("button", name="Attach", exact=True).click()
    dialog.wait_for(state="detached")
    expect(badge(page, "Feedback Loop")).to_contain_text("on")
    page.get_by_label("Share kept for evaluation").fill("0")  # so that each review counts

    region(page, "Feedback Loop").get_by_role("link", name=re.compile("Continuous Training")).click()
    expect(region(page, "Data")).to_contain_text("parts first")
    page.get_by_label("Submitted reviews that begin a training").fill(str(THRESHOLD))
    page.get_by_label("Epochs").fill("4")
    page.get_by_role("button", name="Set it up").click()
    expect(badge(page, "Continuous Training")).to_contain_text("on")

    state = region(page, "Continuous Training")
    state.get_by_role("link", name="say what becomes of the new version").click()
    page.get_by_role("radio", name=re.compile("^Shadow")).check(force=True)
    page.get_by_role("button", name="Set it up").click()
    for name in ("Training Data", "Feedback Loop", "Continuous Training", "Continuous Deployment"):
        expect(badge(page, name)).to_contain_text("on")


def send(site, deployment, first, count):
    for n in range(first, first + count):
        colour = trainings.COLOURS[n % 3]
        site.predict({"id": deployment}, trainings.picture(colour, n), filename=f"{colour}-{n}.png", source="camera-1")


def watch(page, site, deployment):
    """Traffic, and what the dashboard makes of it."""
    page.get_by_role("navigation", name="Of this deployment").get_by_role("link", name="Dashboard").click()
    send(site, deployment, 1000, 2 * THRESHOLD)
    expect(page.get_by_role("application", name=re.compile("^Latency")).first).to_be_visible()
    expect(page.locator(".loop-strip")).to_contain_text(f"{2 * THRESHOLD}seen")
    drift = region(page, "Drift")
    drift.scroll_into_view_if_needed()  # what nobody sees is not asked for
    expect(drift).to_contain_text(f"The last {2 * THRESHOLD} images look like Training Data")
    expect(region(page, "Outliers").get_by_role("application", name=re.compile("^Outlier score over time"))).to_be_visible()
    look(page, "mission-1-dashboard")


def review(page):
    """As many as it takes, by keyboard; then they are submitted."""
    page.locator(".loop-strip").get_by_role("link", name="Review", exact=True).click()
    for _ in range(THRESHOLD):
        name = page.locator(".tool-file").inner_text()
        colour = name.split("-")[0]
        row = page.locator(".label-row", has_text=colour).first
        row.wait_for()
        page.keyboard.press(str(1 + trainings.COLOURS.index(colour)))
        expect(page.locator(".class-now")).to_have_text(colour)
        page.keyboard.press("Space")
        expect(page.locator(".tool-file")).not_to_have_text(name)
    page.get_by_role("link", name="belt").click()
    page.get_by_role("navigation", name="Of this deployment").get_by_role("link", name="Predictions").click()
    page.get_by_label("Status", exact=True).select_option("REVIEWED")
    expect(page.locator(".tile")).to_have_count(THRESHOLD)
    page.locator(".tile").first.click(modifiers=["Control"])
    bar = page.get_by_role("region", name="Selected predictions")
    bar.get_by_role("button", name="Select all").click()
    bar.get_by_role("button", name="Submit").click()
    page.get_by_text(f"{THRESHOLD} predictions submitted.").wait_for()


def trained(page, site, deployment):
    """Nobody does anything: the new version is there as a shadow, and answers beside the champion."""
    page.get_by_role("navigation", name="Of this deployment").get_by_role("link", name="Dashboard").click()
    expect(page.locator(".loop-strip")).to_contain_text(re.compile("Training|last run|in shadow"))
    shadow = page.get_by_role("region", name=re.compile("^Shadow sorter:1"))
    shadow.wait_for(timeout=150_000)
    [training] = site.get(f"/api/organization/{site.organization['id']}/trainings")["items"]
    assert (training["status"], training["trigger"], training["epoch"]) == ("SUCCESS", "FEEDBACK_LOOP", 1), training
    assert training["evaluation"]["candidate"] >= training["evaluation"]["champion"], training["evaluation"]
    send(site, deployment, 2000, 3)
    expect(shadow).to_contain_text("Not sure yet")
    look(page, "mission-2-shadow")
    shadow.get_by_role("button", name=re.compile("^Promote")).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Promote")).click()
    expect(region(page, "Champion")).to_contain_text("sorter:1")
    assert site.get(f"/api/deployment/{deployment}")["champion"]["version_id"] == training["candidate"]["model_version_id"]


def change(page, site, deployment):
    page.get_by_role("navigation", name="Of this deployment").get_by_role("link", name="Settings").click()
    page.get_by_label("Name of the deployment").fill("north belt")
    page.get_by_role("button", name="Rename", exact=True).click()
    page.get_by_role("heading", name="north belt").wait_for()
    page.get_by_label("Confidence threshold", exact=True).last.fill("0.4")
    page.get_by_role("button", name="Set to 0.40").click()
    expect(page.locator(".head-facts")).to_contain_text("0.40")
    now = site.get(f"/api/deployment/{deployment}")
    assert (now["name"], now["min_threshold"]) == ("north belt", pytest.approx(0.4))


@pytest.mark.timeout(600)
def test_the_mission(page, site, files, parts):
    deployment = deploy(page, files)
    set_up(page)
    watch(page, site, deployment)
    review(page)
    trained(page, site, deployment)
    change(page, site, deployment)
