# SPDX-License-Identifier: Apache-2.0
"""The dashboard in a real Chromium on the real server: what the filters let through is counted as by hand, a dot in a chart
opens its image, the heat map shows where the boxes are, news arrives by itself; axe finds nothing serious.

The detector answers every picture alike, so that every number is known: a block (0.90) and two balls (0.60, 0.30).
GYRE_SCREENSHOTS=1 leaves pictures of the pages in build/screenshots.
"""

import base64
import re

import harness
import pytest
import samples
from browsing import LOOKS, accessible, look

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=20_000)

IMAGES = 24
SOURCES = ["gate-1", "gate-2"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with harness.Server(tmp_path_factory.mktemp("site")) as server:
        yield server


@pytest.fixture(scope="module")
def version(site):
    return site.push(samples.block_detector(site.folder), "blocks", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)


@pytest.fixture(scope="module")
def belt(site, version):
    deployment = site.deploy(version, "belt", 0.25)
    for n in range(IMAGES):
        site.predict(deployment, samples.scene(320 + n, 240), filename=f"scene-{n}.jpg", source=SOURCES[n % 2])
    site.predict(deployment, b"no image", expect=None, filename="broken.jpg")
    path = f"/api/deployment/{deployment['id']}/dashboard"
    # Failed requests are written some seconds later.
    harness.wait_until(lambda: site.get(path)["totals"]["refused"] == 1, 60, "the refused request to be counted")
    return deployment


def predictions(page):
    return page.locator("#latency .numbers dd").first


def label_bar(page, label):
    return page.locator("#labels li").filter(has_text=re.compile(f"^{label}"))


def test_every_number_is_known_and_the_filters_are_in_the_address(page, site, belt):
    page.goto(f"/deployment/{belt['id']}")
    expect(predictions(page)).to_have_text(str(IMAGES))
    expect(label_bar(page, "ball")).to_have_text(f"ball{2 * IMAGES} on {IMAGES}")
    expect(label_bar(page, "block")).to_have_text(f"block{IMAGES} on {IMAGES}")
    expect(page.get_by_role("application", name=re.compile("^Shapes an image: .* median 3"))).to_be_visible()
    expect(page.get_by_role("region", name="Failed and refused requests")).to_contain_text("415")
    expect(page.get_by_text(f"Counted from all {IMAGES} predictions.")).to_be_visible()
    accessible(page, "the dashboard")
    look(page, "watch-01-detection")

    page.get_by_label("Source", exact=True).select_option("gate-1")
    expect(predictions(page)).to_have_text(str(IMAGES // 2))
    expect(label_bar(page, "ball")).to_have_text(f"ball{IMAGES} on {IMAGES // 2}")
    expect(page.locator(".predictions .count")).to_have_text(str(IMAGES // 2))
    label_bar(page, "block").get_by_role("button").click()
    expect(page.get_by_label("Label", exact=True)).to_have_value("block")
    assert "source=gate-1" in page.url and "label=block" in page.url
    page.reload()
    expect(label_bar(page, "block")).to_have_text(f"block{IMAGES // 2} on {IMAGES // 2}")
    expect(label_bar(page, "ball")).to_have_count(0)
    page.get_by_role("group", name="What is shown below").get_by_role("button", name="Clear").click()
    expect(predictions(page)).to_have_text(str(IMAGES))
    assert "?" not in page.url


def test_another_threshold_redraws_the_past(page, belt):
    page.goto(f"/deployment/{belt['id']}")
    expect(label_bar(page, "ball")).to_have_text(f"ball{2 * IMAGES} on {IMAGES}")
    page.get_by_label("Threshold", exact=True).fill("0.5")
    expect(label_bar(page, "ball")).to_have_text(f"ball{IMAGES} on {IMAGES}")
    assert "threshold=0.5" in page.url
    page.get_by_label("Threshold", exact=True).fill("0.95")
    expect(page.locator("#labels")).to_contain_text("No shape was found")
    # Whoever has a ball at this threshold: nobody; a block: everybody.
    for label, count in [("ball", 0), ("block", IMAGES)]:
        page.goto(f"/deployment/{belt['id']}?label={label}&threshold=0.8")
        expect(page.locator(".predictions .count")).to_have_text(str(count))
    page.get_by_role("group", name="What is shown below").get_by_role("button", name="Clear").click()
    expect(label_bar(page, "ball")).to_have_text(f"ball{2 * IMAGES} on {IMAGES}")


def test_a_dot_opens_its_image(page, belt):
    page.goto(f"/deployment/{belt['id']}")
    chart = page.locator("#latency .chart")
    chart.locator("canvas").wait_for()
    expect(chart).to_have_attribute("aria-label", re.compile(rf"{IMAGES} predictions"))
    chart.focus()
    page.keyboard.press("ArrowLeft")
    ring = page.locator(".chart-ring")
    ring.wait_for()
    box = ring.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.get_by_role("dialog").wait_for()
    assert "prediction=" in page.url
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def test_the_heat_map_shows_where_the_boxes_are(page, belt):
    page.goto(f"/deployment/{belt['id']}")
    canvas = page.locator(".heatmap canvas")
    canvas.wait_for()
    # Of 64 x 64 cells: within the block, and where nothing is.
    light = "(canvas, [x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data].reduce((a, b) => a + b) - 255"
    harness.wait_until(lambda: canvas.evaluate(light, [16, 16]) > 300, 20, "a light cell where the block is")
    assert canvas.evaluate(light, [16, 16]) > canvas.evaluate(light, [48, 48]) > canvas.evaluate(light, [60, 8]) + 30
    page.get_by_label("Label of the heat map").select_option("block")
    harness.wait_until(lambda: canvas.evaluate(light, [48, 48]) < 90, 20, "no block where the second ball is")


def test_a_stretch_that_is_dragged_over_is_the_range_of_all(page, belt):
    page.goto(f"/deployment/{belt['id']}")
    series = page.get_by_role("region", name="Inferences").locator(".time-series")
    series.scroll_into_view_if_needed()
    box = series.bounding_box()
    y = box["y"] + 60
    page.mouse.move(box["x"] + 60, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, y, steps=4)
    page.mouse.up()
    expect(page.get_by_label("Time", exact=True)).to_have_value("custom")
    expect(page.get_by_text("No predictions in the chosen stretch of time")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(predictions(page)).to_have_text(str(IMAGES))


def test_news_arrives_by_itself(page, site, version):
    deployment = site.deploy(version, "live", 0.25)
    page.goto(f"/deployment/{deployment['id']}")
    page.locator(".checklist").wait_for()
    for n in range(3):
        site.predict(deployment, samples.scene(330 + n, 250), filename=f"live-{n}.jpg")
    expect(predictions(page)).to_have_text("3")
    site.predict(deployment, samples.scene(340, 250), filename="live-4.jpg")
    expect(predictions(page)).to_have_text("4")
    expect(label_bar(page, "ball")).to_have_text("ball8 on 4")


def test_classes_have_charts_of_their_own(page, site):
    version = site.push(samples.colour_classifier(site.folder), "colours", "CLASSIFICATION", samples.COLOURS)
    deployment = site.deploy(version, "sorter", 0.5)
    for n in range(6):
        site.predict(deployment, samples.numbered(n), filename=f"{n}.jpg")
    page.goto(f"/deployment/{deployment['id']}")
    expect(page.get_by_role("region", name="Answers")).to_contain_text("no answer")
    expect(page.get_by_role("region", name="No answer")).to_be_visible()
    expect(predictions(page)).to_have_text("6")
    assert page.locator(".heatmap").count() == 0
    assert page.get_by_role("region", name="Size of a shape").count() == 0
    page.emulate_media(color_scheme="dark")
    accessible(page, "the dashboard of classes, dark")
    page.emulate_media(color_scheme="light")
    look(page, "watch-02-classification")


def test_own_infrastructure_shows_what_it_was_told(page, site, version):
    """No Training Data, no reviews: what is known is shown, what is missing says what it needs."""
    deployment = site.post(
        f"/api/model/version/{version['id']}/deploy", {"name": "edge", "min_threshold": 0.25, "disable_serving": True}
    )
    for n in range(5):
        raw = {"detection_classes": [0], "detection_scores": [0.8], "detection_boxes": [[10, 10, 100, 100]]}
        image = base64.b64encode(samples.scene(320 + n, 240)).decode()
        body = {"filename": f"edge-{n}.jpg", "width": 320 + n, "height": 240, "latency": 0.02, "image": image}
        site.post(f"/api/deployment/{deployment['id']}/predictions", {**body, "raw_predictions": raw})
    page.goto(f"/deployment/{deployment['id']}")
    expect(predictions(page)).to_have_text("5")
    expect(label_bar(page, "block")).to_have_text("block5 on 5")
    page.locator(".heatmap canvas").wait_for()
    expect(page.get_by_role("region", name="Brightness")).to_contain_text("Of 5 images.")
    expect(page.get_by_role("region", name="Drift")).to_contain_text("Training Data")
    expect(page.get_by_role("link", name="Review 20 images")).to_be_visible()
    look(page, "watch-03-own-infrastructure", LOOKS[:1])
