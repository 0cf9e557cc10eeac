# SPDX-License-Identifier: Apache-2.0
"""Trainings by screen, with a trainer that trains nothing: a project, an experiment by hand that runs before one's eyes,
cancelled, tried again, failed; a first model from pictures alone, deployed; what a version says of where it is from.

GYRE_SCREENSHOTS=1 leaves pictures of the pages in build/screenshots.
"""

import re

import harness
import importing
import pytest
import samples
import trainings
from browsing import LOOKS, accessible, look

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with harness.Server(folder / "server", "--trainer", trainings.FAKE) as server:
        yield server


@pytest.fixture(scope="module")
def colours(site, tmp_path_factory):
    path = samples.colour_classifier(tmp_path_factory.mktemp("colours"))
    return site.push(path, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)


@pytest.fixture(scope="module")
def labelled(site, tmp_path_factory):
    return trainings.dataset(site, tmp_path_factory.mktemp("labelled"), "parts", 30)


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
    page.emulate_media(color_scheme="dark")
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


def test_the_verdict_and_the_pictures_that_got_worse(page, site, colours, labelled, tmp_path):
    """The candidate takes each colour for another: both answer side by side."""
    held = trainings.dataset(site, tmp_path, "held", 36, first=200)
    wrong = samples.colour_classifier(tmp_path, -2.0, "wrong.onnx")
    made = trainings.experiment(site, "worse", {"train": labelled, "test": held}, colours, fake_output=str(wrong))
    done = trainings.ended(site, trainings.launch(site, made))
    assert done["status"] == "SUCCESS", done["error"]
    page.goto(f"/experiment/{made['id']}")
    verdict = page.get_by_role("region", name="Verdict", exact=True)
    expect(verdict.locator("h2 .pill")).to_have_text("Worse")
    expect(verdict).to_contain_text(done["evaluation"]["sentence"])
    expect(verdict.locator(".quality-value")).to_have_text(["100.0", "0.0"])
    expect(verdict.locator(".difference")).to_contain_text("−100.0 points")
    for colour in samples.COLOURS:
        expect(verdict.get_by_role("row", name=re.compile(colour))).to_contain_text("−100.0")
    tiles = page.get_by_role("region", name="Pictures of the verdict").get_by_role("listitem")
    expect(tiles).to_have_count(len(done["evaluation"]["worse"]))
    tiles.first.get_by_role("button").click()
    sides = page.get_by_role("dialog").locator("figcaption .muted")
    expect(sides.first).to_have_text(re.compile(r"(red|green|blue) \d\.\d\d"))
    expect(sides.nth(1)).to_have_text(re.compile(r"(red|green|blue) \d\.\d\d"))
    first = [side.split()[0] for side in sides.all_inner_texts()]
    assert first[0] != first[1]
    look(page, "train-07-worse-picture", LOOKS[:1])
    name = page.get_by_role("dialog").get_by_role("heading").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog").get_by_role("heading")).not_to_have_text(name)
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    accessible(page, "a verdict")
    look(page, "train-08-verdict")


def test_a_first_model_from_pictures_alone_is_deployed(page, site, labelled):
    page.emulate_media(color_scheme="dark")
    page.goto(f"/dataset/version/{labelled['id']}")
    page.get_by_role("button", name="Train a first model").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A model that tells 3 classes apart.")
    facts = site.get(f"{labelled['path']}/train")
    expect(dialog.locator(".split strong")).to_have_text([str(n) for n in facts["split"].values() if n])
    for warning in facts["warnings"]:
        expect(dialog).to_contain_text(warning)
    dialog.get_by_label("Name of the model").fill("first parts")
    accessible(page, "a first model, dark")
    page.emulate_media(color_scheme="light")
    look(page, "train-09-first-model")
    dialog.get_by_role("button", name="Train", exact=True).click()

    page.wait_for_url("**/experiment/**")
    expect(status(page)).to_have_text("Done")
    expect(page.get_by_role("region", name="Verdict", exact=True)).to_contain_text("First of its kind")
    page.get_by_role("region", name="What happens next").get_by_role("button", name="Deploy…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("from pictures")
    dialog.get_by_role("button", name="Confirm the recipe").click()  # which this trainer does not give
    dialog.get_by_role("button", name="Deploy", exact=True).click()
    page.wait_for_url("**/deployment/**")
    expect(page.get_by_role("heading", name="from pictures")).to_be_visible()
    answer = site.predict({"id": page.url.rsplit("/", 1)[1]}, trainings.picture("green", 900))
    assert answer["shapes"][0]["label"] == "green"


def test_a_model_labels_first(page, site, colours):
    version = importing.make_version(site, "CLASSIFICATION", "bare")
    pictures = [("media", (f"bare-{i}.png", trainings.picture(samples.COLOURS[i % 3], 500 + i))) for i in range(6)]
    importing.send(site, version, pictures)
    page.goto(f"/dataset/version/{version['id']}")
    page.get_by_role("button", name="Pre-label").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("6 images will be answered")
    expect(dialog.get_by_label("Make labels that this version lacks")).to_be_checked()
    dialog.get_by_role("combobox").select_option(colours["id"])
    accessible(page, "pre-labelling")
    look(page, "train-10-pre-label", LOOKS[:1])
    dialog.get_by_role("button", name="Pre-label").click()
    expect(dialog).to_contain_text("6 shapes on 6 of 6 images; 3 labels made.")
    dialog.get_by_role("button", name="Close").last.click()
    expect(page.locator(".tile-labels").filter(has_text="red")).to_have_count(2)
    annotations = [a["annotation"] for a in importing.assets_of(site, version)]
    assert {a["status"] for a in annotations} == {"PENDING"} and all("colours" in a["who"] for a in annotations)
