# SPDX-License-Identifier: Apache-2.0
"""The pages in a real Chromium on the real server: the login link, the list, a deployment that answers while one looks on.

Screenshots are left in build/screenshots.
"""

import re

import harness
import pytest
import samples
from browsing import LOOKS, look

playwright = pytest.importorskip("playwright.sync_api")

# Every page is looked at in these: (name, colour scheme, width, height).


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server of its own, so that lists hold what the tests put there."""
    with harness.Server(tmp_path_factory.mktemp("site")) as server:
        yield server


@pytest.fixture(scope="module")
def street(site):
    """The real detector with real photos where there are some; the block detector and drawn scenes elsewhere."""
    if harness.DATA.is_dir():
        from conftest import coco_labels

        path, labels = harness.DATA / "models/yolox_nano/yolox_nano.onnx", coco_labels(harness.DATA)
        deployment = site.deploy(site.push(path, "yolox-nano", "OBJECT_DETECTION", labels), "street", 0.3)
        photos = sorted((harness.DATA / "det_voc50/images").iterdir())[:24]
        images = [(p.name, p.read_bytes()) for p in photos]
    else:
        folder = site.folder
        version = site.push(samples.block_detector(folder), "blocks", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)
        deployment = site.deploy(version, "street", 0.3)
        images = [(f"scene-{n}.jpg", samples.scene(640 + n, 480)) for n in range(24)]
    for name, body in images:
        site.predict(deployment, body, filename=name)
    return deployment


@pytest.fixture
def page(browser, site):
    """A logged-in page that fails the test on any error in its console and on any request to elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 860}, base_url=site.url)
    context.request.post("/api/session", data={"token": site.token}, headers={"X-Gyre-Csrf": "1"})
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda r: errors.append(r.url) if not r.url.startswith((site.url, "data:", "blob:")) else None)
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert not errors, errors


def shoot(page, folder, name, looks=LOOKS):
    """The page in each look; leaves it as it was."""
    for look, scheme, width, height in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=folder / f"{name}-{look}.png")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 1, f"{name} is {overflow} pixels wider than a window of {width}"
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 860})


def open_deployment(page, deployment):
    page.goto(f"/deployment/{deployment['id']}")
    page.get_by_role("heading", name=deployment["name"]).first.wait_for()
    page.locator(".tile img").first.wait_for()


def test_the_login_link(browser, site, street, screenshots):
    code = re.search(r"/login\?code=[\w-]+", site.stdout())[0]
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.goto(code)
    page.get_by_role("link", name="street").wait_for()
    assert page.url == site.url + "/"
    again = browser.new_context(base_url=site.url).new_page()
    again.goto(code)
    again.get_by_text("no longer works").wait_for()
    shoot(again, screenshots, "login-expired", LOOKS[:1])
    again.context.close()
    context.close()


def test_login_with_a_token(browser, site, screenshots):
    context = browser.new_context(base_url=site.url)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto("/")
    field = page.get_by_label("API token", exact=True)
    field.fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    shoot(page, screenshots, "login")
    field.fill(site.token)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Deployments").wait_for()
    context.close()


def test_the_list_of_deployments(page, site, street, screenshots):
    page.goto("/")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="street"))
    row.wait_for()
    count = site.deployment(street)["stats"]["inferences"]
    assert str(count) in row.inner_text().replace(",", "").replace("\u202f", "")
    shoot(page, screenshots, "deployments")
    row.get_by_role("link", name="street").click()
    page.wait_for_url(f"**/deployment/{street['id']}")


def test_a_deployment_with_boxes(page, site, street, screenshots):
    open_deployment(page, street)
    page.locator(".predictions").evaluate("part => part.scrollIntoView()")
    harness.wait_until(lambda: page.locator(".tile").count() >= 6, 20, "the tiles of two rows")
    loaded = "image => image.complete && image.naturalWidth > 0"
    assert page.locator(".tile img").first.evaluate(f"async image => {{ await image.decode(); return ({loaded})(image) }}")
    newest = site.get(f"/api/deployment/{street['id']}/predictedassets", params={"limit": 6, "order_by": "-created_at"})
    with_boxes = next(i for i in newest["items"] if i["predictions"][0]["shapes"])
    tile = page.locator(f".tile[href*='{with_boxes['id']}']")
    boxes = with_boxes["predictions"][0]["shapes"]
    assert tile.locator("svg g.box").count() == len(boxes)
    drawn = tile.locator("svg g.line rect").evaluate_all(
        "rects => rects.map(r => ['x', 'y', 'width', 'height'].map(k => +r.getAttribute(k)))"
    )
    assert sorted(drawn) == sorted([s["x"], s["y"], s["w"], s["h"]] for s in boxes)
    page.locator("canvas").first.wait_for()  # latency over time
    page.evaluate("scrollTo(0, 0)")
    shoot(page, screenshots, "deployment")


def test_a_prediction_large(page, street, screenshots):
    open_deployment(page, street)
    page.locator(".tile").first.click()
    page.get_by_role("dialog").wait_for()
    page.locator("dialog img, [role=dialog] img").first.evaluate("image => image.decode()")
    shoot(page, screenshots, "prediction")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def test_a_new_prediction_appears_by_itself(page, site, street):
    open_deployment(page, street)
    answer = site.predict(street, samples.scene(), filename="live.jpg")
    page.locator(f".tile[href*='{answer['predicted_asset_id']}']").wait_for(timeout=10_000)


def test_keyboard_alone(page, street):
    """From the list to a deployment and into a prediction without a mouse; the focus can be seen."""
    page.goto("/")
    page.get_by_role("link", name="street").wait_for()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "street":
            break
    outlines = [page.evaluate(f"getComputedStyle(document.activeElement, '{part}').outlineStyle") for part in ("", "::after")]
    assert outlines != ["none", "none"]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/deployment/{street['id']}")
    page.locator(".tile").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()


def test_pause_and_resume_from_the_page(page, site, street):
    open_deployment(page, street)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    harness.wait_until(lambda: site.deployment(street)["status"] == "PAUSED", 15, "the pause")
    page.get_by_role("button", name=re.compile("resume", re.I)).first.click()
    harness.wait_until(lambda: site.deployment(street)["status"] == "SERVING", 15, "the end of the pause")


def test_models(page, street, screenshots):
    page.goto("/models")
    link = page.get_by_role("link", name=re.compile("yolox-nano|blocks")).first
    link.wait_for()
    shoot(page, screenshots, "models", LOOKS[:1])
    link.click()
    page.wait_for_url("**/model/**")
    page.get_by_text(re.compile("recipe", re.I)).first.wait_for()
    shoot(page, screenshots, "model", LOOKS[:2])


def test_an_empty_server_says_what_to_do(browser, tmp_path, screenshots):
    with harness.Server(tmp_path / "server") as server:
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        page.goto(re.search(r"/login\?code=[\w-]+", server.stdout())[0])
        page.get_by_text("Or from the command line").click()
        page.get_by_text("gyre model push").wait_for()
        shoot(page, screenshots, "empty")
        context.close()


def test_quick_with_thousands_of_rows(page, site, screenshots):
    """3,000 predictions: the page is there within three seconds and does not hold them all at once."""
    version = site.push(
        samples.colour_classifier(site.folder, name="many.onnx"), "many", "CLASSIFICATION", samples.COLOURS
    )
    deployment = site.deploy(version, "many", 0.1)
    from load import Load

    count = 600 if harness.SANITIZED else 3000
    with Load(site, deployment, clients=8) as load:
        harness.wait_until(lambda: len(load.answers) + len(load.failures) >= count, 120, f"{count} predictions")
    assert not load.failures and not load.broken
    page.goto("about:blank")
    page.goto(f"/deployment/{deployment['id']}")
    page.locator(".tile img").first.wait_for()
    ready = page.evaluate("performance.now()")
    assert ready < 3000 * (4 if harness.SANITIZED else 1), f"{ready:.0f} ms"
    assert page.locator(".tile").count() <= 300
    shoot(page, screenshots, "deployment-many", LOOKS[:1])
