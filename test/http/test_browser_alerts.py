# SPDX-License-Identifier: Apache-2.0
"""Training Data, drift, outliers and alerts by screen alone: images are chosen to compare with, the panels fill, the lamp
fails and the panels say what moved; an alert is made, fires and is closed; a webhook is added and tested. axe finds nothing
serious on the way.

GYRE_SCREENSHOTS=1 leaves pictures of the pages in build/screenshots.
"""

import io
import re

import harness
import importing
import numpy
import pytest
import samples
from browsing import accessible, look
from PIL import Image
from receiving import Receiver, signed_by

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=30_000)

REFERENCE = 240  # half of them rank outliers: 1 % needs a hundred
NORMAL, DARK = 30, 60


def picture(seed, light):
    """No two alike: rough patches of random colours around a brightness that varies a little."""
    random = numpy.random.default_rng(seed)
    patches = random.normal(light * random.uniform(0.85, 1.15), 0.3 * light, (6, 8, 3))
    small = Image.fromarray(numpy.clip(patches, 0, 255).astype(numpy.uint8))
    out = io.BytesIO()
    small.resize((96, 72), Image.BILINEAR).save(out, "JPEG", quality=90)
    return out.getvalue()


@pytest.fixture(scope="module")
def hooks():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with harness.Server(tmp_path_factory.mktemp("site"), "--webhook_allow", "127.0.0.1") as server:
        yield server


@pytest.fixture(scope="module")
def belt(site):
    """A detector that looks at nothing, with a dataset of well-lit images beside it."""
    version = importing.make_version(site, "OBJECT_DETECTION", "well lit")
    importing.send(site, version, [("media", (f"lit-{n}.jpg", picture(n, 130))) for n in range(REFERENCE)])
    model = site.push(samples.block_detector(site.folder), "blocks", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)
    deployment = site.deploy(model, "belt", 0.25)
    for n in range(NORMAL):
        site.predict(deployment, picture(10_000 + n, 130), filename=f"normal-{n}.jpg", source="camera-1")
    return deployment


def panel(page, name):
    return page.get_by_role("region", name=name, exact=True)


def test_training_data_is_chosen_and_the_panels_fill(page, site, belt):
    page.goto(f"/deployment/{belt['id']}")
    drift, outliers = panel(page, "Drift"), panel(page, "Outliers")
    expect(outliers).to_contain_text("Needs Training Data.")
    drift.get_by_role("button", name="Choose Training Data").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name=re.compile("well lit v1")).check(force=True)
    accessible(page, "the choice of Training Data")
    look(page, "alerts-01-choose")
    dialog.get_by_role("button", name="Use these").click()

    # What was predicted before is looked back at.
    expect(drift).to_contain_text(f"The last {NORMAL} images look like Training Data")
    expect(drift.get_by_role("button", name="Brightness")).to_be_visible()
    expect(drift).to_contain_text("Small reference: shifts below D")
    expect(outliers.get_by_role("application", name=re.compile(f"^Outlier score over time: {NORMAL} images"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Training Data on"))).to_be_visible()


def test_the_lamp_fails(page, site, belt):
    page.goto(f"/deployment/{belt['id']}")
    drift, outliers = panel(page, "Drift"), panel(page, "Outliers")
    expect(drift).to_contain_text("look like Training Data")
    for n in range(DARK):
        site.predict(belt, picture(20_000 + n, 30), filename=f"dark-{n}.jpg", source="camera-2")
    # By itself, since the page is told; the panel has to be on the screen.
    drift.scroll_into_view_if_needed()
    expect(drift).to_contain_text(re.compile("Against Training Data, in the last 90 images .*brightness is lower"))
    expect(drift.get_by_label("Where it moved")).to_contain_text("camera-2")
    drift.get_by_role("button", name="Brightness").click()
    expect(drift.get_by_role("img", name=re.compile("^Brightness: share of images at or below"))).to_be_visible()
    expect(drift.get_by_role("list", name="Images that moved most").get_by_role("link")).to_have_count(12)
    outliers.scroll_into_view_if_needed()
    expect(outliers).to_contain_text("More than expected")
    expect(outliers.locator(".asset-strip img")).to_have_count(12)
    accessible(page, "a dashboard with drift")
    look(page, "alerts-02-drift")

    # By keyboard: along the dots, and into an image.
    dots = outliers.get_by_role("application", name=re.compile(f"^Outlier score over time: {NORMAL + DARK} images,"))
    dots.focus()
    page.keyboard.press("ArrowLeft")
    expect(outliers.get_by_role("status")).to_contain_text("outlier")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=re.compile(f"dark-{DARK - 1}.jpg"))).to_be_visible()
    page.keyboard.press("Escape")
    outliers.get_by_role("list", name="Most unusual images").get_by_role("link").first.click()
    expect(page.get_by_role("dialog", name=re.compile("^Prediction on dark"))).to_be_visible()


def test_training_data_in_the_settings(page, site, belt):
    page.goto(f"/deployment/{belt['id']}/settings/training-data")
    state = panel(page, "Training Data")
    expect(state).to_contain_text(f"Each image is compared with {REFERENCE} images of well lit v1.")
    expect(panel(page, "What it tells")).to_contain_text("optimistic")
    expect(panel(page, "Shifts it can see")).to_contain_text("0.")
    accessible(page, "the settings of Training Data")
    look(page, "alerts-03-training-data")
    state.get_by_role("switch").click()
    expect(state).to_contain_text("It is off.")
    assert not site.get(f"/api/deployment/{belt['id']}/pipeline/td")["active"]
    state.get_by_role("switch").click()
    expect(state).to_contain_text("Each image is compared with")
    page.get_by_role("button", name="Choose other images…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Production images").check(force=True)
    dialog.get_by_label("How many images").fill("5")
    expect(dialog.get_by_role("button", name="Use these")).to_be_disabled()
    dialog.get_by_label("How many images").fill("20")
    dialog.get_by_label("Source").select_option("camera-1")
    dialog.get_by_role("button", name="Use these").click()
    expect(state).to_contain_text("Each image is compared with 20 images of the first 20 production images of camera-1.")


def test_an_alert_is_made_fires_and_is_closed(page, site, belt):
    page.goto(f"/deployment/{belt['id']}/settings/alerts")
    alerts = panel(page, "Alerts")
    alerts.get_by_role("button", name="Add an alert").click()
    form = alerts.get_by_role("form", name="New alert")
    form.get_by_label("Alert when").select_option("avg_latency")
    form.get_by_label("New alert: value").fill("0")
    form.get_by_label("New alert: window").select_option("3600")
    form.get_by_label("New alert: images at least").fill("1")
    look(page, "alerts-04-new")
    form.get_by_role("button", name="Add").click()
    row = alerts.get_by_role("row").filter(has_text="Mean latency")
    expect(row).to_contain_text("open")
    panel(page, "What fired").get_by_role("button", name=re.compile("^Close: .*latency", re.I)).click()
    expect(panel(page, "What fired")).to_contain_text("closed by admin")

    # Changed in place, and switched off.
    row.get_by_label("Mean latency: value").fill("60000")
    row.get_by_label("Mean latency: value").press("Enter")
    row.get_by_label("Mean latency: operator").select_option(">=")
    made = lambda: next(a for a in site.get(f"/api/deployment/{belt['id']}/alerts")["items"] if a["kind"] == "avg_latency")
    harness.wait_until(lambda: (made()["value"], made()["operator"]) == (60000, ">="), 20, "the changed condition")
    row.get_by_role("switch").click()
    harness.wait_until(lambda: not made()["active"], 20, "the alert to be off")
    row.get_by_role("button", name=re.compile("^Delete the alert")).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_a_webhook_is_added_and_tested(page, site, belt, hooks):
    page.goto(f"/deployment/{belt['id']}/settings/alerts")
    webhooks = panel(page, "Webhooks")
    webhooks.get_by_role("button", name="Add a webhook").click()
    webhooks.get_by_label("Address").fill(f"{hooks.url}/chat")
    webhooks.get_by_label("Name").fill("chat")
    webhooks.get_by_role("button", name="Add", exact=True).click()
    secret = webhooks.locator(".webhook-secret .copy code").inner_text()
    webhooks.get_by_role("button", name="Test chat").click()
    expect(page.get_by_text("chat took the test message.")).to_be_visible()
    expect(webhooks.get_by_role("list", name="Last deliveries to chat")).to_contain_text("delivered")
    [(_, headers, body)] = hooks.got
    assert signed_by(secret, headers, body)[0]
    accessible(page, "webhooks")
    look(page, "alerts-05-webhook")
    webhooks.get_by_role("button", name="I have it").click()
    page.reload()
    expect(webhooks.get_by_role("button", name="Test chat")).to_be_visible()
    expect(page.get_by_text(secret)).to_have_count(0)
