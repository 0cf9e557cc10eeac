# SPDX-License-Identifier: Apache-2.0
"""From a file to a deployment and back again, by screen alone: what a person does who has a model and 20 labelled photos.

Upload, recipe, Try it, Check, Deploy with a threshold seen on pictures, first prediction, rename, threshold, pause, resume,
second version, swap, shadow, promote, Go back. One test, since each step stands on the one before; screenshots of every step
are left in build/screenshots.
"""

import base64
import re
import shutil

import harness
import pytest
from browsing import LOOKS, shoot
from conftest import FLAGS

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
# As patient as the waits of the page: a machine that also builds is slow, not wrong.
expect.set_options(timeout=20_000)

LIGHT, ALL = LOOKS[:1], LOOKS
# Chromium says of every refusal that a resource failed to load; refusals are part of what is tested.
EXPECTED_ERRORS = re.compile(r"status of (409|422|503)")


@pytest.fixture(scope="module")
def site(tmp_path_factory, data):
    with harness.Server(tmp_path_factory.mktemp("site")) as server:
        yield server


@pytest.fixture
def page(site):
    """Signed in; fails the test on an error of a script and on a request to elsewhere."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 860}, base_url=site.url)
        context.request.post("/api/session", data={"token": site.token}, headers={"X-Gyre-Csrf": "1"})
        page = context.new_page()
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((site.url, "data:", "blob:")) else complaints.append(r.url))
        page.on(
            "console",
            lambda m: complaints.append(m.text) if m.type == "error" and not EXPECTED_ERRORS.search(m.text) else None,
        )
        page.set_default_timeout(60_000 if harness.SANITIZED else 20_000)
        yield page
        browser.close()
    assert not complaints, complaints


@pytest.fixture
def labelled(data, tmp_path):
    """A folder of 20 VOC photos with their annotations, as somebody has it on a disk."""
    folder = tmp_path / "voc20"
    folder.mkdir()
    photos = sorted((data / "det_voc50/images").iterdir())[:20]
    for photo in photos:
        shutil.copy(photo, folder)
        shutil.copy(data / "det_voc50/gts/pascalvoc_format" / f"{photo.stem}.xml", folder)
    (folder / "README.txt").write_text("Twenty photos.\n")
    return folder


def drop(page, *paths):
    """Drops files on the page."""
    files = [(p.name, base64.b64encode(p.read_bytes()).decode()) for p in paths]
    transfer = page.evaluate_handle(
        """files => {
            const transfer = new DataTransfer();
            for (const [name, text] of files)
                transfer.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
            return transfer;
        }""",
        files,
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("body", event, {"dataTransfer": transfer})


def version_of(page):
    return int(re.search(r"version=(\d+)", page.url)[1])


def champion(site, deployment):
    return site.get(f"/api/deployment/{deployment}")["champion"]["version_id"]


def boxes(page, where, gone=False):
    return page.locator(f"{where} g.box{'' if gone else ':not(.is-gone)'}").count()


def upload_by_screen(page, site, data, screenshots):
    """An empty server leads to the upload; the version page follows by itself. Returns the version's number."""
    page.goto("/models")
    page.get_by_text("No models yet").wait_for()
    shoot(page, screenshots, "deploy-01-no-models")
    model = data / "models/yolox_nano"
    drop(page, model / "yolox_nano.onnx", model / "coco_classes.txt")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Model")).to_have_value("yolox_nano")
    dialog.get_by_text("80 labels").wait_for()
    shoot(page, screenshots, "deploy-02-upload")
    dialog.get_by_label("Model").fill("yolox-nano")
    dialog.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url("**/model/**version=0")


def recipe_is_found(page, site, screenshots):
    page.locator(".control").first.wait_for()
    expect(page.locator(".control", has_text="colour").locator("label.is-on")).to_have_text("bgr")
    expect(page.locator(".control", has_text="colour").locator(".badge")).to_have_text("guessed")
    expect(page.get_by_label("pixel values")).to_have_value("0…255")
    version = site.get(f"/api/model/{page.url.split('/model/')[1].split('?')[0]}/versions")["items"][0]
    assert version["state"] == "READY" and not version["confirmed"] and "colour" in version["guessed"]
    page.get_by_text(f"{len(version['labels'])}", exact=True).first.wait_for()
    shoot(page, screenshots, "deploy-03-version", ALL)
    return version


def try_it(page, photo, screenshots):
    """A picture, what the model sees, and what a wrong recipe does to it."""
    drop(page, photo)
    page.locator(".try-views:not(.is-stale) .boxes rect").first.wait_for()
    seen = page.get_by_alt_text("What the model sees")
    assert seen.evaluate("async i => { await i.decode(); return [i.naturalWidth, i.naturalHeight] }") == [416, 416]
    right = page.locator(".found-labels").inner_text()
    assert boxes(page, ".try-views") > 0
    shoot(page, screenshots, "deploy-04-try", ALL)
    page.get_by_label("pixel values").select_option("0…1")
    page.locator(".recipe-changes .chip", has_text="0…1").wait_for()
    expect(page.locator(".try-stage")).not_to_contain_text(right)
    expect(page.locator(".try-views")).not_to_have_class(re.compile("is-stale"))
    shoot(page, screenshots, "deploy-05-try-changed")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".found-labels")).to_have_text(right, use_inner_text=True)


def check(page, folder, screenshots):
    """Twenty labelled photos: every plausible recipe, ranked; what was found is the best."""
    page.locator("#check input[webkitdirectory]").set_input_files(folder)
    counts = page.locator(".check-counts")
    expect(counts).to_contain_text("20 pictures")
    expect(counts).to_contain_text("20 annotation files")
    expect(counts).to_contain_text("1 left out")
    shoot(page, screenshots, "deploy-06-check-chosen")
    page.get_by_role("button", name="Check with 20 pictures").click()
    page.locator("#check progress").wait_for()
    page.locator("#check").scroll_into_view_if_needed()
    shoot(page, screenshots, "deploy-07-check-running")
    page.locator(".ranking").wait_for(timeout=600_000)
    first = page.locator(".ranking tbody tr").first
    expect(first).to_contain_text("now")
    assert 35 < float(first.locator(".rank-value").inner_text()) <= 100
    assert page.locator(".ranking tbody tr").count() >= 4
    page.locator("#check").scroll_into_view_if_needed()
    shoot(page, screenshots, "deploy-08-check-done", ALL)


def deploy(page, site, photos, screenshots):
    """Not before the recipe is confirmed; the threshold by what it does to pictures. Returns the deployment's id."""
    page.get_by_role("button", name="Deploy…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("nobody confirmed").first).to_be_visible()
    button = dialog.get_by_role("button", name="Deploy", exact=True)
    expect(button).to_be_disabled()
    drop(page, *photos)
    expect(dialog.locator(".preview-picture .boxes")).to_have_count(len(photos) + 1)
    shoot(page, screenshots, "deploy-09-not-confirmed", ALL)
    dialog.get_by_role("button", name="Confirm the recipe").click()
    expect(button).to_be_enabled()
    threshold = dialog.get_by_label("Confidence threshold")
    expect(threshold).to_have_value("0.1")
    counts = []
    for value in ("0.01", "0.1", "0.5", "0.9"):
        threshold.fill(value)
        expect(dialog.locator("output")).to_have_text(f"{float(value):.2f}")
        counts.append(boxes(page, ".preview-picture"))
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2] > 0, counts
    threshold.fill("0.25")
    dialog.get_by_text("Below this nothing is answered or counted.").wait_for()
    assert re.fullmatch(r"[a-z]+-[a-z]+", dialog.get_by_label("Name").input_value())
    dialog.get_by_label("Name").fill("street")
    shoot(page, screenshots, "deploy-10-dialog", ALL)
    button.click()
    page.wait_for_url("**/deployment/**")
    deployment = page.url.rsplit("/", 1)[1]
    assert site.get(f"/api/deployment/{deployment}")["min_threshold"] == pytest.approx(0.25)
    return deployment


def first_prediction(page, deployment, photo, screenshots):
    page.locator(".checklist").get_by_text("loaded and warm").wait_for()
    assert deployment in page.locator(".checklist pre").inner_text()
    shoot(page, screenshots, "deploy-11-first-steps", ALL)
    drop(page, photo)
    page.locator(".tile img").first.wait_for()
    page.locator(".sent a").wait_for()
    expect(page.locator(".checklist")).to_have_count(0)
    shoot(page, screenshots, "deploy-12-first-prediction", ALL)


def name_is_taken(page, site, deployment):
    """The server says so, where the name is; then another deployment of this name is not there."""
    page.goto(f"/model/{site.get(f'/api/deployment/{deployment}')['champion']['model_id']}")
    late = []
    page.route("**/deployments?limit=1000*", lambda route: late.append(route))
    page.get_by_role("button", name="Deploy…").click()
    dialog = page.get_by_role("dialog")
    # A suggestion that comes while somebody types would end up in the middle of it.
    expect(dialog.get_by_label("Name")).not_to_be_editable()
    for route in late:
        route.continue_()
    page.unroute("**/deployments?limit=1000*")
    dialog.get_by_label("Name").fill("street")
    dialog.get_by_role("button", name="Deploy", exact=True).click()
    expect(dialog.get_by_role("alert").filter(has_text="street")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    page.goto(f"/deployment/{deployment}")


def settings(page, site, deployment, photo, screenshots):
    """Rename, threshold, pause, resume."""
    page.get_by_role("link", name="Settings").click()
    page.locator(".preview-picture .boxes").first.wait_for()
    shoot(page, screenshots, "deploy-13-settings", ALL)
    page.get_by_label("Name of the deployment").fill("north-gate")
    page.get_by_role("button", name="Rename", exact=True).click()
    page.get_by_role("heading", name="north-gate").wait_for()
    assert site.get(f"/api/deployment/{deployment}")["name"] == "north-gate"
    page.get_by_label("Confidence threshold", exact=True).last.fill("0.4")
    page.get_by_role("button", name="Set to 0.40").click()
    expect(page.locator(".head-facts")).to_contain_text("0.40")
    assert site.get(f"/api/deployment/{deployment}")["min_threshold"] == pytest.approx(0.4)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    page.get_by_text(re.compile("Paused by")).first.wait_for()
    shoot(page, screenshots, "deploy-14-paused")
    refused = site.predict({"id": deployment}, photo.read_bytes(), expect=None)
    assert refused.status_code == 503 and "Retry-After" in refused.headers
    page.get_by_role("button", name="Resume").first.click()
    harness.wait_until(lambda: site.get(f"/api/deployment/{deployment}")["status"] == "SERVING", 20, "the end of the pause")
    expect(page.locator(".head-facts")).to_contain_text("Serving")


def second_version(page, site, data, model_id, screenshots):
    """The same weights in another layout, as version 1 of the same model; its recipe is changed, which makes version 2."""
    page.goto(f"/model/{model_id}")
    page.locator(".version-head").wait_for()
    drop(page, data / "models/layouts/layout_1x84xN.onnx")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Model")).to_have_value("yolox-nano")
    dialog.get_by_text("The next version of yolox-nano.").wait_for()
    dialog.locator("input[accept*='.yaml']").set_input_files(data / "models/yolox_nano/coco_classes.txt")
    dialog.get_by_role("button", name="Upload", exact=True).click()
    page.wait_for_url("**version=1")
    # Its weights were trained on BGR 0…255, which the file does not say.
    page.locator(".control").first.wait_for()
    page.locator(".control", has_text="colour").get_by_text("bgr", exact=True).click()
    page.get_by_label("pixel values").select_option("0…255")
    page.get_by_role("button", name="Save as version 2").click()
    page.wait_for_url("**version=2")
    page.get_by_text("with another recipe").wait_for()
    confirm = page.locator(".try-recipe").get_by_role("button", name="Looks right: confirm")
    if confirm.count():
        confirm.click()
        confirm.wait_for(state="detached")
    shoot(page, screenshots, "deploy-15-second-version")
    versions = site.get(f"/api/model/{model_id}/versions")["items"]
    made = next(v for v in versions if v["version"] == 2)
    assert made["confirmed"] and made["recipe"]["colour"] == "bgr"
    return made["id"]


def swap(page, site, deployment, version_id, screenshots):
    page.goto(f"/deployment/{deployment}")
    page.get_by_role("button", name="Swap…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("yolox-nano:2").click()
    shoot(page, screenshots, "deploy-16-swap")
    dialog.get_by_role("button", name="Let it answer").click()
    dialog.wait_for(state="detached")
    expect(page.get_by_role("region", name="Champion")).to_contain_text("yolox-nano:2")
    assert champion(site, deployment) == version_id


def shadow_and_promote(page, site, deployment, photos, old_id, screenshots):
    """The former champion follows as a shadow, catches up with what was before, is looked at, and is promoted."""
    page.get_by_role("button", name="Set a shadow…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("yolox-nano:0").click()
    dialog.get_by_text(re.compile(r"Also the \d+ so far")).click()
    shoot(page, screenshots, "deploy-17-set-shadow")
    dialog.get_by_role("button", name="Set as shadow").click()
    card = page.get_by_role("region", name="Shadow yolox-nano:0")
    card.wait_for()
    for photo in photos:
        site.predict({"id": deployment}, photo.read_bytes(), filename=photo.name)

    def caught_up():
        (shadow,) = site.get(f"/api/deployment/{deployment}")["shadows"]
        return shadow["model_version_id"] == old_id and shadow["lag"] == 0 and shadow["predictions"] >= len(photos)

    harness.wait_until(caught_up, 120, "the shadow to catch up")
    page.reload()
    expect(card).to_contain_text("Up to date")
    shoot(page, screenshots, "deploy-18-shadow", ALL)
    with_boxes = next(
        i for i in site.get(f"/api/deployment/{deployment}/predictedassets", params={"limit": 20})["items"]
        if all(p["shapes"] for p in i["predictions"]) and len(i["predictions"]) == 2
    )  # fmt: skip
    page.locator(f".tile[href*='{with_boxes['id']}']").click()
    dialog.get_by_text("Both", exact=True).click()
    page.locator(".detail g.box.shadow").first.wait_for()
    shown = {p["is_shadow"]: len(p["shapes"]) for p in with_boxes["predictions"]}
    assert page.locator(".detail g.box.shadow").count() == shown[True]
    assert page.locator(".detail g.box:not(.shadow)").count() == shown[False]
    shoot(page, screenshots, "deploy-19-both", ALL)
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Promote").click()
    shoot(page, screenshots, "deploy-20-promote")
    dialog.get_by_role("button", name="Promote").click()
    expect(page.get_by_role("region", name="Champion")).to_contain_text("yolox-nano:0")
    page.get_by_role("region", name="Shadow yolox-nano:2").wait_for()
    assert champion(site, deployment) == old_id


def go_back(page, site, deployment, version_id, screenshots):
    page.get_by_role("link", name="History").click()
    line = page.locator(".history-line", has_text="Promoted yolox-nano:0 in place of yolox-nano:2")
    line.wait_for()
    text = page.locator(".history").inner_text()
    words = ("Created with yolox-nano:0", "Renamed from street to north-gate", "0.25 to 0.40", "Paused", "Resumed")
    words += ("Shadow set",)
    assert not [w for w in words if w not in text], text
    shoot(page, screenshots, "deploy-21-history", ALL)
    line.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="Go back").click()
    page.get_by_role("dialog").wait_for(state="detached")
    harness.wait_until(lambda: champion(site, deployment) == version_id, 30, "the way back")
    page.get_by_role("link", name="Dashboard").click()
    expect(page.get_by_role("region", name="Champion")).to_contain_text("yolox-nano:2")
    shoot(page, screenshots, "deploy-22-back")


@pytest.mark.timeout(900)
def test_from_a_file_to_a_deployment_and_back(page, site, data, labelled, screenshots):
    photos = sorted((data / "det_voc50/images").iterdir())[20:26]
    upload_by_screen(page, site, data, screenshots)
    version = recipe_is_found(page, site, screenshots)
    try_it(page, photos[0], screenshots)
    check(page, labelled, screenshots)
    deployment = deploy(page, site, photos[1:4], screenshots)
    first_prediction(page, deployment, photos[0], screenshots)
    name_is_taken(page, site, deployment)
    settings(page, site, deployment, photos[0], screenshots)
    new_id = second_version(page, site, data, version["origin"]["id"], screenshots)
    swap(page, site, deployment, new_id, screenshots)
    shadow_and_promote(page, site, deployment, photos, version["id"], screenshots)
    go_back(page, site, deployment, new_id, screenshots)
