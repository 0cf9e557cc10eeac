# SPDX-License-Identifier: Apache-2.0
"""Trainings by screen, with a trainer that trains nothing: a project, an experiment by hand that runs before one's eyes,
cancelled, tried again, failed; a first model from pictures alone, deployed; what a version says of where it is from.

GYRE_SCREENSHOTS=1 leaves pictures of the pages in build/screenshots.
"""

import os
import re

import harness
import pytest
import samples
import trainings
from test_browser import LOOKS
from test_browser_datasets import accessible, open_page
from test_browser_deploy import shoot

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with harness.Server(folder / "server", "--trainer", trainings.FAKE) as server:
        yield server


@pytest.fixture
def page(browser, site):
    page, complaints = open_page(browser, site, site.token)
    yield page
    page.context.close()
    assert not complaints, complaints


@pytest.fixture(scope="module")
def colours(site, tmp_path_factory):
    path = samples.colour_classifier(tmp_path_factory.mktemp("colours"))
    return site.push(path, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)


@pytest.fixture(scope="module")
def labelled(site, tmp_path_factory):
    return trainings.dataset(site, tmp_path_factory.mktemp("labelled"), "parts", 30)


def look(page, name, looks=LOOKS):
    if os.environ.get("GYRE_SCREENSHOTS"):
        folder = harness.REPOSITORY / "build" / "screenshots"
        folder.mkdir(parents=True, exist_ok=True)
        shoot(page, folder, name, looks)


def status(page):
    return page.locator(".head-facts .pill")


def epochs_shown(page):
    """Of the curve of the metric, as the keyboard reads it."""
    chart = page.get_by_role("application", name=re.compile("^Validation"))
    chart.focus()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    return int(re.search(r"Epoch (\d+)", page.locator(".chart-tip").inner_text())[1])


def test_a_project_and_an_experiment_by_hand(page, site, colours, labelled):
    page.goto("/projects")
    expect(page.get_by_role("heading", name="No projects yet")).to_be_visible()
    expect(page.get_by_role("region", name="Trainer")).to_contain_text("python")
    accessible(page, "no projects")
    look(page, "train-01-no-projects")
    page.get_by_role("button", name="New project").first.click()
    page.get_by_label("Name").fill("sorting")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="No experiments yet")).to_be_visible()

    page.get_by_role("button", name="New experiment").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Train")).to_be_disabled()
    expect(dialog.get_by_label("Begin with")).to_have_value(colours["id"])
    dialog.get_by_label("Train on").select_option(labelled["id"])
    dialog.get_by_label("Epochs").fill("4")
    dialog.get_by_label("Name").fill("by hand")
    look(page, "train-02-new-experiment")
    dialog.get_by_role("button", name="Train").click()

    expect(page.get_by_role("heading", name="by hand")).to_be_visible()
    expect(status(page)).to_have_text("Done")
    expect(page.locator(".stage-step.is-done").first).to_be_visible()
    expect(page.locator(".stage-step:not(.is-done, .is-passed)")).to_have_count(0)
    harness.wait_until(lambda: epochs_shown(page) == 4, 20, "the curve of 4 epochs")
    expect(page.locator(".chart-tip")).to_contain_text("80.0")
    expect(page.locator(".chart-tip")).to_contain_text("10.0")
    expect(page.get_by_label("Lines of the log")).to_contain_text("epoch 4 is done")
    made_of = page.get_by_role("region", name="Made of")
    expect(made_of.get_by_role("link", name="parts first")).to_be_visible()
    expect(made_of).to_contain_text("30 images")
    accessible(page, "a training that is done")
    look(page, "train-03-done")

    page.get_by_role("region", name="What happens next").get_by_role("link", name="colours:1").click()
    page.get_by_role("heading", name="Version 1").wait_for()
    page.get_by_role("link", name="by hand").click()
    expect(status(page)).to_have_text("Done")


def test_it_is_watched_cancelled_and_tried_again(page, site, colours, labelled):
    made = trainings.experiment(site, "slow", {"train": labelled}, colours, epochs=400, fake_seconds=0.1)
    trainings.launch(site, made)
    page.goto(f"/experiment/{made['id']}")
    expect(status(page)).to_have_text("Running")
    expect(page.locator(".stage-step.is-running")).to_contain_text("Train")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", re.compile(r"0\.\d"))
    seen = harness.wait_until(lambda: page.locator(".epochs").count() == 2 and epochs_shown(page), 20, "the first epochs")
    harness.wait_until(lambda: epochs_shown(page) > seen, 20, "more epochs without a reload")
    expect(page.get_by_text(re.compile("about .* left"))).to_be_visible()
    log = page.get_by_label("Lines of the log")
    expect(log).to_contain_text("epoch 3 is done")
    assert log.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight < 24"), "the log follows its end"
    page.emulate_media(color_scheme="dark")
    accessible(page, "a training that runs, dark")
    page.emulate_media(color_scheme="light")
    look(page, "train-04-running")

    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(status(page)).to_have_text("Cancelled")
    expect(page.get_by_text("Retry goes on from there")).to_be_visible()
    page.get_by_role("button", name="Retry").click()
    expect(status(page)).to_have_text(re.compile("Running|Waiting"))
    expect(page.locator(".stage-usage")).to_contain_text("Attempt")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel it").click()
    expect(status(page)).to_have_text("Cancelled")


def test_a_failure_says_why_and_what_to_do(page, site, colours, labelled):
    made = trainings.experiment(site, "diverges", {"train": labelled}, colours, epochs=4, fake_fail=5)
    trainings.ended(site, trainings.launch(site, made))
    page.goto(f"/experiment/{made['id']}")
    notice = page.get_by_role("alert")
    expect(notice).to_contain_text("It was told to fail.")
    expect(notice).to_contain_text("lower learning rate")
    expect(page.locator(".stage-step.is-failed")).to_contain_text("Train")
    expect(page.get_by_role("button", name="Retry")).to_be_visible()
    look(page, "train-05-failed", LOOKS[:2])

    page.goto("/jobs")
    row = page.get_by_role("region", name="Trainings").get_by_role("row").filter(has_text="diverges")
    expect(row).to_contain_text("Failed")
    expect(row).to_contain_text("It was told to fail.")
    accessible(page, "jobs with trainings")
    look(page, "train-06-jobs", LOOKS[:1])
    row.get_by_role("link", name="diverges").click()
    expect(status(page)).to_have_text("Failed")
