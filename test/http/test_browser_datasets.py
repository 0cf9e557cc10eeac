# SPDX-License-Identifier: Apache-2.0
"""What a deployment learns from, by screen: a folder of labelled blood cells is dropped, looked at, counted, locked, forked
and compared; a street detector's predictions are filtered, accepted many at once, and sent to a dataset by the Feedback
Loop; its quality on the dashboard is the API's, to the digit; jobs; what a reviewer sees.

Each step stands on the one before. Screenshots of every page are left in build/screenshots.
"""

import base64
import json
import re

import harness
import pytest
from browsing import LOOKS, accessible, open_page, shoot
from conftest import coco_labels

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect
expect.set_options(timeout=20_000)

ALL, BOTH = LOOKS, LOOKS[:2]
BCCD_IMAGES, BCCD_BOXES = 364, {"RBC": 4155, "WBC": 372, "Platelets": 361}
PREDICTIONS, REVIEWED = 36, 24


@pytest.fixture(scope="module")
def site(tmp_path_factory, data):
    with harness.Server(tmp_path_factory.mktemp("site")) as server:
        yield server


def drop_folder(page, folder, name):
    """Drops a folder on the page, as a file manager does: an entry that is walked."""
    files = [
        (str(path.relative_to(folder)), base64.b64encode(path.read_bytes()).decode())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    page.evaluate(
        """([root, files]) => {
            const file = (name, text) => new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name);
            const tree = {};
            for (const [path, text] of files) {
                const parts = path.split('/');
                let at = tree;
                for (const part of parts.slice(0, -1)) at = at[part] ??= {};
                at[parts.at(-1)] = text;
            }
            const entry = (name, value) => typeof value === 'string'
                ? { name, isFile: true, isDirectory: false, file: take => take(file(name, value)) }
                : { name, isFile: false, isDirectory: true, createReader: () => {
                    const all = Object.entries(value).map(([n, v]) => entry(n, v));
                    // In portions of 100, as Chromium gives them.
                    return { readEntries: take => take(all.splice(0, 100)) };
                } };
            const item = { kind: 'file', webkitGetAsEntry: () => entry(root, tree) };
            const transfer = { types: ['Files'], items: [item], files: [] };
            for (const type of ['dragenter', 'dragover', 'drop']) {
                const event = new Event(type, { bubbles: true, cancelable: true });
                Object.defineProperty(event, 'dataTransfer', { value: transfer });
                document.body.dispatchEvent(event);
            }
        }""",
        [name, files],
    )


def shown(page):
    """How many the bar over a list says there are."""
    text = page.locator(".tool-end [role=status]")
    expect(text).to_have_text(re.compile(r"\d"))
    return int(re.sub(r"\D", "", text.inner_text()))


def wait_shown(page, number):
    expect(page.locator(".tool-end [role=status]")).to_have_text(re.compile(rf"^{number:,} "))


def versions_of(site, name):
    datasets = site.get(f"/api/organization/{site.organization['id']}/datasets")["items"]
    dataset = next(d for d in datasets if d["name"] == name)
    return {v["version"]: v for v in site.get(f"/api/dataset/{dataset['id']}/versions")["items"]}


# ---- datasets --------------------------------------------------------------------------------------------------------


def test_a_folder_becomes_a_dataset(page, site, data, screenshots):
    page.goto("/datasets")
    page.get_by_text("No datasets yet").wait_for()
    shoot(page, screenshots, "learn-01-no-datasets")
    drop_folder(page, data / "det_bccd", "det_bccd")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"{BCCD_IMAGES} pictures")
    dialog.get_by_label("Name").fill("blood-cells")
    shoot(page, screenshots, "learn-02-new-dataset")
    dialog.get_by_role("button", name="Create").click()
    page.wait_for_url("**/dataset/version/**")
    expect(dialog.locator(".check-counts")).to_contain_text(f"{BCCD_IMAGES} pictures")
    shoot(page, screenshots, "learn-03-import-chosen")
    dialog.get_by_role("button", name=f"Import {BCCD_IMAGES} pictures").click()
    dialog.locator("progress").wait_for()
    page.screenshot(path=screenshots / "learn-04-importing-light.png")
    dialog.get_by_role("button", name="Done").wait_for(timeout=120_000)
    numbers = dialog.locator(".numbers dd")
    total = sum(BCCD_BOXES.values())
    expect(numbers).to_have_text([f"{BCCD_IMAGES}", f"{BCCD_IMAGES}", f"{total:,}", "3"])
    expect(dialog.locator(".fold li").first).to_contain_text("BloodImage_00338")
    shoot(page, screenshots, "learn-05-imported")
    dialog.get_by_role("button", name="Done").click()
    version = versions_of(site, "blood-cells")["v1"]
    assert (version["assets"], version["annotated"], version["labels"]) == (BCCD_IMAGES, BCCD_IMAGES, 3)


def test_the_grid_of_a_version(page, site, screenshots):
    version = versions_of(site, "blood-cells")["v1"]["id"]
    page.goto(f"/dataset/version/{version}")
    page.locator(".tile img").first.wait_for()
    accessible(page, "a dataset version")
    # What is drawn is what is stored.
    stored = site.get(f"/api/dataset/version/{version}/assets", params={"limit": 1, "with_annotations": 1})["items"][0]
    tile = page.locator(f".tile[href*='{stored['id']}']")
    drawn = tile.locator("svg g.line rect").evaluate_all(
        "rects => rects.map(r => ['x', 'y', 'width', 'height'].map(k => +r.getAttribute(k)))"
    )
    assert sorted(drawn) == sorted([s["x"], s["y"], s["w"], s["h"]] for s in stored["annotation"]["shapes"])
    shoot(page, screenshots, "learn-06-grid", ALL)
    # It holds only what is on the screen, wherever one is.
    for share in (0.5, 1):
        page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {share})")
        harness.wait_until(lambda: page.locator(".tile:not(.is-loading) img").count() > 4, 20, "tiles")
        assert page.locator(".cell").count() < 80
    expect(page.locator(f".cell[data-index='{BCCD_IMAGES - 1}'] img")).to_be_attached()
    page.evaluate("scrollTo(0, 0)")
    page.get_by_label("Label", exact=True).select_option("Platelets")
    with_platelets = site.get(
        f"/api/dataset/version/{version}/assets", params={"limit": 1, "q": 'annotations.label.name = "Platelets"'}
    )["count"]
    wait_shown(page, with_platelets)
    page.get_by_label("Annotated", exact=True).select_option("no")
    wait_shown(page, 0)
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Query").fill("filename contains")
    expect(page.get_by_role("alert")).to_contain_text("expected")
    shoot(page, screenshots, "learn-07-query-refused")
    page.get_by_label("Query").fill('filename = "BloodImage_00010.jpg"')
    wait_shown(page, 1)
    page.locator(".tile").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".shape-row")).to_have_count(18)
    page.locator("dialog img").first.evaluate("image => image.decode()")
    shoot(page, screenshots, "learn-08-asset", BOTH)
    accessible(page, "an asset")
    annotate = dialog.get_by_role("link", name="Annotate")
    assert "/annotate?asset=" in annotate.get_attribute("href")


def test_the_statistics_of_a_version(page, site, screenshots):
    version = versions_of(site, "blood-cells")["v1"]["id"]
    page.goto(f"/dataset/version/{version}?view=statistics")
    bars = page.get_by_role("region", name="Objects of each label")
    for label, count in BCCD_BOXES.items():
        expect(bars.get_by_role("button", name=re.compile(rf"^{label}"))).to_contain_text(f"{count:,}")
    accessible(page, "statistics")
    shoot(page, screenshots, "learn-09-statistics", ALL)
    bars.get_by_role("button", name=re.compile("^WBC")).click()
    page.wait_for_url("**label=WBC**")
    expect(page.get_by_label("Label", exact=True)).to_have_value("WBC")


def test_images_are_kept_to_measure_with(page, site):
    path = f"/dataset/version/{versions_of(site, 'blood-cells')['v1']['id']}"
    stats = lambda: site.get(f"/api{path}/stats")  # noqa: E731
    page.goto(path)
    page.get_by_role("button", name="Hold out").click()
    page.get_by_role("dialog").get_by_role("slider").fill("50")
    page.get_by_role("button", name="Keep them").click()
    page.locator(".tile-flag").first.wait_for()
    kept = stats()["nb_evaluation"]
    assert 0.3 < kept / BCCD_IMAGES < 0.7
    page.locator(".tile:has(.tile-flag)").first.click()
    page.get_by_role("button", name="Use it for training").click()
    page.get_by_role("button", name="Keep it to measure with").wait_for()
    assert stats()["nb_evaluation"] == kept - 1
    site.post(f"/api{path}/assets/evaluation", {"share": 0})


def test_lock_fork_compare_export(page, site, screenshots, tmp_path):
    versions = versions_of(site, "blood-cells")
    page.goto(f"/dataset/{versions['v1']['origin_id']}")
    page.get_by_role("button", name="Lock").click()
    page.get_by_role("dialog").get_by_role("button", name="Lock").click()
    page.locator(".lock-badge").wait_for()
    page.get_by_role("button", name="Fork").click()
    expect(page.get_by_role("dialog").get_by_label("Name")).to_have_value("v2")
    page.get_by_role("dialog").get_by_role("button", name="Fork").click()
    page.get_by_role("heading", name="v2").wait_for()
    versions = versions_of(site, "blood-cells")
    assert versions["v1"]["locked"] and not versions["v2"]["locked"]
    assets = site.get(f"/api/dataset/version/{versions['v2']['id']}/assets", params={"limit": 2})["items"]
    gone = {"ids": [a["id"] for a in assets]}
    site.call("DELETE", f"/api/dataset/version/{versions['v2']['id']}/assets", (200, 204), json=gone)
    page.goto(f"/dataset/{versions['v1']['origin_id']}")
    page.get_by_label("Compare v1").check()
    page.get_by_label("Compare v2").check()
    accessible(page, "a dataset")
    shoot(page, screenshots, "learn-10-versions", ALL)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("dialog").locator(".diff-numbers dd")).to_have_text(["0", "2", "0", f"{BCCD_IMAGES - 2}"])
    expect(page.get_by_role("dialog").locator(".diff-list")).to_contain_text(assets[0]["data"]["filename"])
    shoot(page, screenshots, "learn-11-compare")
    page.goto(f"/dataset/version/{versions['v1']['id']}")
    expect(page.get_by_role("button", name="Import")).to_be_disabled()
    page.get_by_role("button", name="Export").click()
    shoot(page, screenshots, "learn-12-export")
    with page.expect_download() as download:
        page.get_by_role("dialog").get_by_role("link", name="Download").click()
    saved = tmp_path / "export.zip"
    download.value.save_as(saved)
    import zipfile

    with zipfile.ZipFile(saved) as archive:
        coco = json.loads(archive.read(next(n for n in archive.namelist() if n.endswith(".json"))))
    assert len(coco["images"]) == BCCD_IMAGES and len(coco["annotations"]) == sum(BCCD_BOXES.values())
    page.goto("/datasets")
    page.locator(".dataset-card img").first.evaluate("image => image.decode()")
    accessible(page, "datasets")
    shoot(page, screenshots, "learn-13-datasets", ALL)


# ---- a deployment and its reviews ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def street(site, data):
    """The real detector on real photos, two versions of it, from two sources."""
    version = site.push(data / "models/yolox_nano/yolox_nano.onnx", "yolox-nano", "OBJECT_DETECTION", coco_labels(data))
    deployment = site.deploy(version, "street", 0.3)
    for n, photo in enumerate(sorted((data / "det_voc50/images").iterdir())[:PREDICTIONS]):
        site.predict(deployment, photo.read_bytes(), filename=photo.name, source=f"gate-{n % 2 + 1}")
    return deployment


def truths(data):
    """The labels of the VOC photos, as reviews are written."""
    coco = json.loads((data / "det_voc50/gts/coco_format/instances_default.json").read_text())
    names = {c["id"]: c["name"] for c in coco["categories"]}
    files = {i["id"]: i["file_name"] for i in coco["images"]}
    found = {}
    for a in coco["annotations"]:
        x, y, w, h = a["bbox"]
        shape = {"type": "rectangle", "x": x, "y": y, "w": w, "h": h, "label": names[a["category_id"]]}
        found.setdefault(files[a["image_id"]], []).append(shape)
    return found


def statuses(site, deployment):
    items, _ = site.predicted_assets(deployment)
    return [i["status"] for i in items]


def test_first_steps_name_the_loop(page, site, street, screenshots):
    version = site.deployment(street)["model_version_id"]
    empty = site.post(f"/api/model/version/{version}/deploy", {"name": "fresh", "min_threshold": 0.3})
    page.goto(f"/deployment/{empty['id']}")
    steps = page.locator(".checklist")
    expect(steps).to_contain_text("Let corrected images go into a dataset")
    assert "/settings/feedback" in steps.get_by_role("link", name="Feedback Loop").get_attribute("href")
    page.goto(f"/deployment/{empty['id']}/predictions")
    page.get_by_text("No predictions yet").wait_for()
    shoot(page, screenshots, "learn-20-no-predictions")


def test_the_predictions_tab(page, site, street, screenshots):
    page.goto(f"/deployment/{street['id']}/predictions")
    page.locator(".tile img").first.wait_for()
    wait_shown(page, PREDICTIONS)
    accessible(page, "predictions")
    shoot(page, screenshots, "learn-21-predictions", ALL)
    listing = f"/api/deployment/{street['id']}/predictedassets"
    page.get_by_label("Label", exact=True).select_option("person")
    wait_shown(page, site.get(listing, params={"limit": 1, "label": "person"})["count"])
    page.get_by_label("Score from").fill("0.8")
    wait_shown(page, site.get(listing, params={"limit": 1, "label": "person", "score_min": 0.8})["count"])
    assert "label=person" in page.url and "score_min=0.8" in page.url
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Source", exact=True).select_option("gate-1")
    wait_shown(page, PREDICTIONS // 2)
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Query").fill("filename contains")
    expect(page.get_by_role("alert")).to_contain_text("expected")
    page.get_by_label("Query").fill('filename contains "2007_0000"')
    wait_shown(page, site.get(listing, params={"limit": 1, "q": 'filename contains "2007_0000"'})["count"])
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("Order").select_option("score")
    wait_shown(page, PREDICTIONS)
    first = site.get(listing, params={"limit": 1, "order_by": "score"})["items"][0]
    expect(page.locator(".cell[data-index='0'] .tile")).to_have_attribute("href", re.compile(first["id"]))
    page.get_by_label("Order").select_option("-created_at")
    page.get_by_text("Table", exact=True).click()
    expect(page.locator(".prediction-row img").first).to_be_visible()
    accessible(page, "the table of predictions")
    shoot(page, screenshots, "learn-22-table")
    page.get_by_text("Details", exact=True).click()
    expect(page.locator(".prediction-details img").first).to_be_visible()
    shoot(page, screenshots, "learn-23-details")


def test_many_are_accepted_at_once(page, site, street, screenshots):
    page.goto(f"/deployment/{street['id']}/predictions")
    page.locator(".tile img").first.wait_for()
    page.locator(".tile").nth(1).click(modifiers=["Control"])
    page.locator(".tile").nth(6).click(modifiers=["Shift"])
    bar = page.get_by_role("region", name="Selected predictions")
    expect(bar).to_contain_text("6 selected")
    page.locator(".tile").nth(3).click()
    expect(bar).to_contain_text("5 selected")
    accessible(page, "a selection")
    shoot(page, screenshots, "learn-24-selected", BOTH)
    bar.get_by_role("button", name="Accept as is").click()
    page.get_by_text("5 predictions accepted.").wait_for()
    assert statuses(site, street).count("REVIEWED") == 5
    expect(page.locator(".tile-status .pill.busy")).to_have_count(5)
    kinds = {i["reviews"][-1]["kind"] for i in site.predicted_assets(street, status="REVIEWED")[0]}
    assert kinds == {"ACCEPTED"} or kinds == {"ACCEPTED", "NOTHING"}
    # All that the filter finds, most of them never loaded, less one.
    page.get_by_label("Status", exact=True).select_option("TO REVIEW")
    wait_shown(page, PREDICTIONS - 5)
    page.locator(".tile").first.click(modifiers=["Control"])
    bar.get_by_role("button", name="Select all").click()
    page.locator(".tile").nth(1).click()
    expect(bar).to_contain_text(f"{PREDICTIONS - 6} selected")
    bar.get_by_role("button", name="Review these").click()
    page.wait_for_url("**/review?ids=**")
    assert page.url.split("ids=")[1].count(",") + page.url.count("%2C") == PREDICTIONS - 7


def test_quality_is_the_apis(page, site, street, data, screenshots):
    page.goto(f"/deployment/{street['id']}")
    right = truths(data)
    items = [i for i in site.predicted_assets(street)[0] if i["status"] != "SKIPPED"][:REVIEWED]
    for item in items:
        site.post(f"/api/predicted/asset/{item['id']}/reviews", {"shapes": right.get(item["data"]["filename"], [])})
    panel = page.get_by_role("region", name="Quality", exact=True)
    quality = site.get(f"/api/deployment/{street['id']}/quality")
    version = quality["versions"][0]
    # By the event stream, nobody reloads.
    expect(panel.locator(".count")).to_contain_text(f"{quality['reviewed']} reviewed")
    card = panel.locator(".quality-card.champion")
    estimate = version["weighted"] or version["random_only"] or version["ap"]
    expect(card.locator(".quality-value")).to_have_text(f"{100 * estimate['value']:.1f}")
    expect(card.locator(".quality-range")).to_have_text(f"{100 * estimate['low']:.1f} to {100 * estimate['high']:.1f}")
    at = version["at_threshold"]
    expect(card.locator(".quality-at dd")).to_have_text(
        [*(f"{100 * at[k]:.1f}" for k in ("precision", "recall", "f1")), f"{at['found']} / {at['wrong']} / {at['missed']}"]
    )
    person = next(row for row in version["labels"] if row["label"] == "person")
    row = panel.get_by_role("region", name="Quality of each label").get_by_role("row", name=re.compile("^person"))
    expect(row).to_contain_text(f"{100 * person['ap']:.1f}")
    expect(row).to_contain_text(f"{100 * person['recall']:.1f}")
    labels, cells = version["confusion"]["labels"], version["confusion"]["cells"]
    right_persons = cells[labels.index("person")][labels.index("person")]
    expect(panel.get_by_role("cell", name=f"{right_persons}", exact=True).first).to_be_visible()
    page.locator("#quality").evaluate("panel => panel.scrollIntoView()")
    accessible(page, "quality")
    shoot(page, screenshots, "learn-25-quality", ALL)
    page.get_by_label("Threshold", exact=True).fill("0.6")
    higher = site.get(f"/api/deployment/{street['id']}/quality", params={"threshold": 0.6})["versions"][0]["at_threshold"]
    expect(card.locator(".quality-at dd").first).to_have_text(f"{100 * higher['precision']:.1f}")
    panel.locator(".quality-tables").evaluate("tables => tables.scrollIntoView()")
    shoot(page, screenshots, "learn-26-quality-tables", BOTH)


def test_the_feedback_loop_is_set_up_and_fills_a_dataset(page, site, street, screenshots):
    page.goto(f"/deployment/{street['id']}/settings/feedback")
    expect(page.locator(".pipeline-badge").filter(has_text="Feedback Loop")).to_contain_text("off")
    page.get_by_role("button", name="Set it up").wait_for()
    shoot(page, screenshots, "learn-30-loop-off")
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".pipeline-badge").filter(has_text="Feedback Loop")).to_contain_text("problem")
    page.get_by_role("button", name="Attach a version…").click()
    dialog = page.get_by_role("dialog")
    # A locked one offers a fork.
    dialog.get_by_text("blood-cells v1").click()
    expect(dialog.get_by_label("Name of the fork")).to_have_value("v3")
    shoot(page, screenshots, "learn-31-attach-locked")
    dialog.get_by_text("A new dataset").click()
    dialog.get_by_label("Name of the dataset").fill("street-scenes")
    dialog.get_by_role("button", name="Create and attach").click()
    page.get_by_role("link", name="street-scenes v1").wait_for()
    person = page.get_by_label("What becomes of person")
    person.select_option("rename")
    page.get_by_label("New name of person").fill("pedestrian")
    for label in ("bicycle", "boat"):
        page.get_by_label(f"What becomes of {label}", exact=True).select_option("drop")
    page.get_by_role("button", name="Save the labels").click()
    page.get_by_text("The table of labels is saved.").wait_for()
    accessible(page, "the settings of the Feedback Loop")
    shoot(page, screenshots, "learn-32-loop-on", ALL)
    table = {row["label"]: row for row in site.get(f"/api/deployment/{street['id']}/pipeline/fl")["labels"]}
    assert (table["person"]["to_name"], table["boat"]["action"]) == ("pedestrian", "drop")
    page.goto(f"/deployment/{street['id']}/predictions?status=REVIEWED")
    reviewed = statuses(site, street).count("REVIEWED")
    wait_shown(page, reviewed)
    page.locator(".tile").first.click(modifiers=["Control"])
    bar = page.get_by_role("region", name="Selected predictions")
    bar.get_by_role("button", name="Select all").click()
    bar.get_by_role("button", name="Submit").click()
    page.get_by_text(f"{reviewed} predictions submitted.").wait_for()
    assert versions_of(site, "street-scenes")["v1"]["assets"] == reviewed
    page.get_by_label("Status", exact=True).select_option("SUBMITTED")
    wait_shown(page, reviewed)
    shoot(page, screenshots, "learn-33-submitted")
    page.locator(".tile").first.click(modifiers=["Control"])
    bar.get_by_role("button", name="Withdraw").click()
    page.get_by_text("1 prediction withdrawn.").wait_for()
    assert versions_of(site, "street-scenes")["v1"]["assets"] == reviewed - 1
    page.goto(f"/dataset/version/{versions_of(site, 'street-scenes')['v1']['id']}?view=statistics")
    expect(page.get_by_role("region", name="Objects of each label")).to_contain_text("pedestrian")
    expect(page.locator(".notice.warn").last).to_contain_text("Fewer than 10 objects")
    shoot(page, screenshots, "learn-34-target")
    page.goto(f"/deployment/{street['id']}")
    expect(page.locator(".loop-strip")).to_contain_text(f"{reviewed - 1}submitted")
    shoot(page, screenshots, "learn-35-dashboard", ALL)


def test_champion_and_shadow_are_told_apart(page, site, street, screenshots):
    version = site.make_version(site.make_model("yolox-nano"), "OBJECT_DETECTION", coco_labels(harness.DATA))
    site.attach(version, harness.DATA / "models/yolox_nano/yolox_nano.onnx")
    site.post(f"/api/deployment/{street['id']}/shadow", {"model_version_id": version["id"], "since": "start"})
    harness.wait_until(lambda: site.deployment(street)["shadows"][0]["lag"] == 0, 120, "the shadow to catch up")
    page.goto(f"/deployment/{street['id']}/predictions")
    page.get_by_text("Both", exact=True).click()
    page.locator(".tile g.box.shadow").first.wait_for()
    expect(page.locator(".whose-legend")).to_be_visible()
    colours = page.locator(".tile g.box").evaluate_all(
        "boxes => [...new Set(boxes.map(b => b.classList.contains('shadow') + ' ' + b.style.color))]"
    )
    assert len(colours) == 2, colours
    shoot(page, screenshots, "learn-36-both", BOTH)
    page.goto(f"/deployment/{street['id']}")
    page.locator(".quality-card.shadow").wait_for()
    page.locator("#quality").evaluate("panel => panel.scrollIntoView()")
    shoot(page, screenshots, "learn-37-quality-shadow", ALL)


# ---- jobs, people ----------------------------------------------------------------------------------------------------


def test_jobs(page, site, screenshots):
    page.goto("/jobs")
    row = page.get_by_role("row").filter(has_text="Import into a dataset").first
    expect(row).to_contain_text("Done")
    expect(row.get_by_role("link")).to_have_attribute("href", re.compile("/dataset/version/"))
    expect(row).to_contain_text("blood-cells v1")
    accessible(page, "jobs")
    shoot(page, screenshots, "learn-40-jobs", ALL)


def test_a_reviewer_sees_queues_alone(browser, site, street, screenshots):
    organization = site.organization["id"]
    user = site.post(f"/api/organization/{organization}/users", {"name": "rosa", "role": "REVIEWER"})
    token = site.post("/api/tokens", {"name": "rosa", "user_id": user["id"]})["token"]
    page, complaints = open_page(browser, site, token)
    page.goto("/")
    queue = page.locator(".my-queue", has_text="street")
    expect(queue).to_contain_text("to review")
    assert page.locator(".side .nav-item").all_inner_texts() == ["Review"]
    accessible(page, "a reviewer's page")
    shoot(page, screenshots, "learn-41-reviewer", ALL)
    page.goto(f"/dataset/{user['id']}")
    page.get_by_text("does not exist").wait_for()
    page.context.close()
    assert not complaints, complaints
