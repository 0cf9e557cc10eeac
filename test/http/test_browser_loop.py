# SPDX-License-Identifier: Apache-2.0
"""The slow loop by screen, with a trainer that trains nothing: who has set up only the Feedback Loop is led to Continuous
Training and on to Continuous Deployment; at the threshold a version is trained and becomes a shadow; the disagreements are
reviewed until it is better; it is promoted, and gone back from; trainings that fail pause it, and it goes on.

GYRE_SCREENSHOTS=1 leaves pictures of the pages in build/screenshots.
"""

import re

import harness
import pytest
import samples
import trainings
from browsing import LOOKS, accessible, look, region
from shadowing import wait_caught_up

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=30_000)

THRESHOLD = 4
AFTER = 9  # pictures that champion and shadow disagree on: seven won in a row decide


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with harness.Server(tmp_path_factory.mktemp("site"), "--trainer", trainings.FAKE) as server:
        yield server


@pytest.fixture(scope="module")
def candidate(tmp_path_factory):
    """What the trainer gives back: it names the colour that there is most of."""
    return samples.colour_classifier(tmp_path_factory.mktemp("candidate"), 4.0)


@pytest.fixture(scope="module")
def belt(site, tmp_path_factory):
    """A classifier that names the colour there is least of, and a Feedback Loop into a dataset."""
    folder = tmp_path_factory.mktemp("belt")
    path = samples.colour_classifier(folder, -4.0)
    version = site.push(path, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    deployment = site.deploy(version, "belt", 0.1)
    target = trainings.dataset(site, folder, "sorted", 30)
    home = f"/api/deployment/{deployment['id']}/pipeline/fl"
    site.post(f"{home}/setup")
    site.post(f"{home}/datasets", {"dataset_version_id": target["id"]})
    site.patch(home, {"submit_by_itself": False, "evaluation_share": 0})
    labels = [{"label": colour, "action": "keep", "to_name": None} for colour in samples.COLOURS]
    site.call("PUT", f"{home}/labels", 200, json={"labels": labels})
    return deployment


def predict(site, belt, first, count):
    """Pictures by turns red, green, blue; what is right of each by the asset that was predicted."""
    made = {}
    for n in range(first, first + count):
        colour = trainings.COLOURS[n % 3]
        answer = site.predict(belt, trainings.picture(colour, n), filename=f"{colour}-{n}.png")
        made[answer["predicted_asset_id"]] = colour
    return made


def review(site, asset, colour):
    site.post(f"/api/predicted/asset/{asset}/reviews", {"classifications": [{"label": colour}]})


def submit(site, belt, truths):
    for asset, colour in truths.items():
        review(site, asset, colour)
    told = site.post(f"/api/deployment/{belt['id']}/submit", {"ids": list(truths)})
    assert told["submitted"] == len(truths), told


def badge(page, name):
    return page.get_by_role("list", name="Pipeline").get_by_role("link", name=re.compile(f"^{name}"))


def test_from_the_feedback_loop_to_what_becomes_of_a_version(page, site, belt, candidate):
    submit(site, belt, predict(site, belt, 100, 1))
    page.goto(f"/deployment/{belt['id']}/settings/feedback")
    region(page, "Feedback Loop").get_by_role("link", name=re.compile("Continuous Training")).click()

    # Prefilled: what the Feedback Loop fills is trained on, in a project of the deployment's name.
    state = region(page, "Continuous Training")
    expect(state).to_contain_text("Next: check what is filled in below")
    expect(region(page, "Data")).to_contain_text("sorted first")
    expect(page.get_by_label("Name of the new project")).to_have_value("belt")
    page.get_by_label("Submitted reviews that begin a training").fill("0")
    expect(page.get_by_role("button", name="Set it up")).to_be_disabled()
    page.get_by_label("Submitted reviews that begin a training").fill(str(THRESHOLD))
    page.get_by_label("Epochs").fill("2")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Name of another parameter").fill("fake_output")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("fake_output", exact=True).fill(str(candidate))
    accessible(page, "Continuous Training before it is set up")
    look(page, "loop-01-training")
    page.get_by_role("button", name="Set it up").click()
    expect(state).to_contain_text(f"1 of {THRESHOLD} submitted reviews")
    expect(badge(page, "Continuous Training")).to_contain_text("on")
    expect(region(page, "Project").get_by_label("Project", exact=True)).to_contain_text("belt")

    # On to the next tab.
    state.get_by_role("link", name="say what becomes of the new version").click()
    page.get_by_role("radio", name=re.compile("^Champion")).check(force=True)
    expect(region(page, "Gate")).to_be_visible()
    page.get_by_role("radio", name=re.compile("^Shadow")).check(force=True)
    expect(region(page, "Gate")).to_have_count(0)
    accessible(page, "Continuous Deployment before it is set up")
    look(page, "loop-02-deployment")
    page.get_by_role("button", name="Set it up").click()
    expect(region(page, "Continuous Deployment")).to_contain_text("A new version becomes a shadow.")
    expect(badge(page, "Continuous Deployment")).to_contain_text("on")
    expect(page.get_by_role("group", name="Save")).to_contain_text("Saved.")


def test_at_the_threshold_it_is_trained_and_becomes_a_shadow(page, site, belt):
    page.goto(f"/deployment/{belt['id']}")
    strip = page.get_by_role("navigation", name="From predictions to the next version")
    expect(strip).to_contain_text(f"1 of {THRESHOLD}")
    submit(site, belt, predict(site, belt, 200, THRESHOLD - 1))
    shadow = page.get_by_role("region", name=re.compile("^Shadow colours:"))
    expect(shadow).to_contain_text("candidate")
    expect(strip).to_contain_text("last run")
    expect(strip).to_contain_text("in shadow")
    expect(strip).to_contain_text(f"0 of {THRESHOLD}")
    expect(badge(page, "Continuous Training")).to_contain_text("on")
    [row] = site.get(f"/api/organization/{site.organization['id']}/trainings")["items"]
    assert (row["status"], row["decision"]["what"]) == ("SUCCESS", "SHADOW"), row


def test_the_disagreements_are_reviewed_until_it_is_better(page, site, belt):
    version = {"id": site.deployment(belt)["shadows"][0]["model_version_id"], "version": 1}
    truths = predict(site, belt, 300, AFTER)
    wait_caught_up(site, belt, {"model_version_id": version["id"], **version})
    page.goto(f"/deployment/{belt['id']}")
    shadow = page.get_by_role("region", name=re.compile("^Shadow colours:"))
    expect(shadow).to_contain_text("Not sure yet")
    shadow.get_by_role("link", name=re.compile(rf"^Review the disagreements \({AFTER} left\)")).click()

    # The first by hand, in the tool: what the shadow said is right.
    expect(page.locator(".tool-facts")).to_contain_text("Versions disagree")
    right = page.locator(".tool-file").inner_text().split("-")[0]
    expect(page.locator(".label-row", has_text="shadow")).to_contain_text(right)
    look(page, "loop-03-disagreement", LOOKS[:2])
    for _ in range(2):
        colour = page.locator(".tool-file").inner_text().split("-")[0]
        before = page.locator(".tool-file").inner_text()
        page.keyboard.press(str(1 + samples.COLOURS.index(colour)))
        expect(page.locator(".class-now")).to_have_text(colour)
        page.keyboard.press("Space")
        expect(page.locator(".tool-file")).not_to_have_text(before)
    path = f"/api/deployment/{belt['id']}/shadow/verdict"
    harness.wait_until(lambda: site.get(path)["wins"] == 2, 20, "two wins of the shadow")
    page.get_by_role("link", name="belt").click()
    for asset, colour in truths.items():
        if site.get(f"/api/predicted/asset/{asset}")["status"] == "TO REVIEW":
            review(site, asset, colour)
    expect(shadow.locator(".verdict-sentence .pill")).to_have_text("Better")
    expect(page.locator(".one-thing")).to_contain_text("is better than the champion")
    accessible(page, "a shadow that is better")
    look(page, "loop-04-better")
    shadow.get_by_role("button", name="Compare").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Before it is promoted by itself")
    expect(dialog.get_by_role("row", name=re.compile("^red"))).to_be_visible()
    accessible(page, "the verdict")
    look(page, "loop-05-verdict")


def test_it_is_promoted_and_one_goes_back(page, site, belt):
    old = site.deployment(belt)["champion"]
    page.goto(f"/deployment/{belt['id']}")
    shadow = page.get_by_role("region", name=re.compile("^Shadow colours:"))
    shadow.get_by_role("button", name="Promote", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Promote", exact=True).click()
    expect(region(page, "Champion")).to_contain_text("promoted")
    assert site.deployment(belt)["champion"]["version_id"] != old["version_id"]
    expect(page.get_by_role("region", name=re.compile(f"^Shadow colours:{old['version']}"))).to_be_visible()

    page.get_by_role("navigation", name="Of this deployment").get_by_role("link", name="History").click()
    line = page.locator(".history-line", has_text="Promoted colours:")
    line.get_by_role("button", name=re.compile("^Go back to colours:")).click()
    page.get_by_role("dialog").get_by_role("button", name="Go back").click()
    expect(page.locator(".history-line", has_text=f"Went back to colours:{old['version']}")).to_be_visible()
    assert site.deployment(belt)["champion"]["version_id"] == old["version_id"]
    look(page, "loop-06-history")


def test_two_failures_pause_it_and_it_goes_on(page, site, belt):
    page.goto(f"/deployment/{belt['id']}/settings/continuous-training")
    state = region(page, "Continuous Training")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Name of another parameter").fill("fake_fail")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("fake_fail", exact=True).fill("5")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("group", name="Save")).to_contain_text("Saved.")
    state.get_by_role("button", name="Train now").click()
    expect(page).to_have_url(re.compile("/experiment/"))
    page.go_back()
    expect(state).to_contain_text("Failed")
    state.get_by_role("button", name="Retry").click()
    expect(state).to_contain_text("Paused: nothing is trained")
    expect(badge(page, "Continuous Training")).to_contain_text("paused")
    accessible(page, "a pause")
    look(page, "loop-07-paused")
    page.get_by_role("link", name="Deployments", exact=True).first.click()
    badges = page.get_by_role("row", name=re.compile("^belt"))
    expect(badges.get_by_role("link", name="Continuous Training: problem")).to_be_visible()
    expect(badges.get_by_role("link", name="Continuous Deployment: on")).to_be_visible()
    accessible(page, "the list of deployments")
    look(page, "loop-08-list")
    badges.get_by_role("link", name="Continuous Training: problem").click()
    state.get_by_role("button", name="Resume").click()
    expect(state.get_by_role("button", name="Train now")).to_be_visible()
    expect(badge(page, "Continuous Training")).to_contain_text("on")
