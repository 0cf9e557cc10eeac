# SPDX-License-Identifier: Apache-2.0
"""Check: from labelled pictures to the right recipe, as a job with progress, for models and annotations of every kind."""

import json
import random
import threading

import harness
import pytest
import samples
from conftest import coco_labels
from PIL import Image, ImageDraw, ImageFont

PATIENCE = 300 if harness.SANITIZED else 150


def picture(name, content):
    return ("media", (name, content, "application/octet-stream"))


def annotation(name, content):
    content = json.dumps(content) if isinstance(content, dict) else content
    return ("annotations", (name, content, "application/octet-stream"))


def begin(server, version, parts, expect=202):
    answer = server.call("POST", f"/api/model/version/{version['id']}/check", expect, files=parts)
    return answer["job"] if expect == 202 else answer["message"]


def ended(server, job, timeout=PATIENCE):
    def look():
        now = server.get(f"/api/job/{job['id']}")
        return now if now["status"] != "RUNNING" else None

    return harness.wait_until(look, timeout, "the check to end", every=0.1)


def check(server, version, parts):
    """The result of a check that succeeds."""
    job = ended(server, begin(server, version, parts))
    assert job["status"] == "SUCCESS", job["error"]
    assert job["progress"] == 1 and job["error"] is None and job["finished_at"] > job["created_at"]
    result = job["result"]
    assert sum(row["current"] for row in result["rows"]) == 1
    for row in result["rows"]:
        differ = {k for k, v in row["recipe"].items() if k != "from" and v != version["recipe"].get(k)}
        assert set(row["changed"]) == differ and bool(differ) != row["current"]
        assert 0 <= row["value"] <= 1 and 0 <= row["certainty"] <= 1
    return result


def best(result, **expected):
    """The first row has these fields, whatever the others say."""
    row = result["rows"][0]
    told = [(round(r["value"], 4), r["changed"]) for r in result["rows"][:5]]
    for key, value in expected.items():
        assert row["recipe"][key] == pytest.approx(value, abs=1e-6) if key != "fit" else row["recipe"][key] == value, told
    return row


# ---- real models, a wrong recipe to begin with -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def photos(data):
    """24 photos of the set, with their VOC files."""
    folder = data / "det_voc50"
    files = sorted((folder / "images").iterdir())[:24]
    parts = [picture(f"JPEGImages/{f.name}", f.read_bytes()) for f in files]
    xml = [folder / "gts/pascalvoc_format" / f"{f.stem}.xml" for f in files]
    return parts + [annotation(f"Annotations/{f.name}", f.read_bytes()) for f in xml]


BGR = {"colour": "bgr", "scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1], "fit": "letterbox", "pad": "bottom_right"}
WRONG = [{"colour": "rgb"}, {"scale": 1 / 255}, {"fit": "stretch"}]


@pytest.mark.parametrize("wrong", WRONG, ids=["rgb for bgr", "0-1 for 0-255", "stretch for letterbox"])
def test_yolox(server, data, photos, wrong):
    version = server.push(
        data / "models/yolox_nano/yolox_nano.onnx", "yolox to check", "OBJECT_DETECTION", coco_labels(data), wrong
    )
    result = check(server, version, photos)
    row = best(result, colour="bgr", scale=1.0)
    assert row["recipe"]["fit"] == "letterbox" and row["recipe"]["pad"] == "bottom_right"
    assert set(row["changed"]) == set(wrong) and not row["current"]
    assert result["metric"] == "AP" and result["pictures"] == 24 and result["problems"] == []
    assert row["value"] > 0.5 and row["value50"] > row["value"]
    # VOC's names are found among the model's, though its list writes "tvmonitor" and the others as it likes.
    assert result["unmatched_labels"] == [] and "person" in result["matched_labels"]


@pytest.mark.parametrize("file", ["layout_1x84xN.onnx", "layout_detr_logits_boxes.onnx"])
@pytest.mark.parametrize("wrong", WRONG, ids=["rgb for bgr", "0-1 for 0-255", "stretch for letterbox"])
def test_other_layouts_of_the_same_weights(server, data, photos, file, wrong):
    version = server.push(
        data / "models/layouts" / file, "layouts to check", "OBJECT_DETECTION", coco_labels(data), {**BGR, **wrong}
    )
    row = best(check(server, version, photos), colour="bgr", scale=1.0)
    assert row["recipe"]["fit"] == "letterbox" and row["recipe"]["pad"] == "bottom_right"


def digits(count, seed=1):
    """White digits on black in several fonts, a folder for each."""
    rnd = random.Random(seed)
    parts = []
    for i in range(count):
        image = Image.new("L", (28, 28), 0)
        draw = ImageDraw.Draw(image)
        font = ImageFont.truetype(rnd.choice(["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"]), rnd.randint(20, 24))
        left, top, right, bottom = draw.textbbox((0, 0), str(i % 10), font=font)
        place = (14 - (left + right) / 2 + rnd.randint(-1, 1), 14 - (top + bottom) / 2 + rnd.randint(-1, 1))
        draw.text(place, str(i % 10), fill=255, font=font)
        parts.append(picture(f"digits/{i % 10}/{i}.png", samples.encode(image, "PNG")))
    return parts


@pytest.mark.parametrize("wrong", [{"scale": 1 / 255}, {"scale": 1 / 127.5, "mean": 1}, {"scale": 1 / 255, "fit": "letterbox"}])
def test_mnist(server, data, wrong):
    try:
        parts = digits(60)
    except OSError:
        pytest.skip("the font DejaVu is not installed")
    labels = [str(d) for d in range(10)]
    version = server.push(data / "models/mnist/opt-mnist.onnx", "digits to check", "CLASSIFICATION", labels, wrong)
    result = check(server, version, parts)
    row = best(result, scale=1.0, mean=[0, 0, 0])
    assert result["metric"] == "accuracy" and row["value50"] is None and row["value"] > 0.8
    assert result["pictures"] == 60 and result["labelled_shapes"] == 60


def coco_of(names_and_shapes, labels):
    """COCO json of [(file name, width, height, shapes)], shapes as the server answers them."""
    images, annotations = [], []
    for number, (name, width, height, shapes) in enumerate(names_and_shapes, 1):
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for shape in shapes:
            one = {"id": len(annotations) + 1, "image_id": number, "category_id": shape["label_id"] + 1, "iscrowd": 0}
            if shape["type"] == "polygon":
                points = [c for point in shape["polygon"] for c in point]
                xs, ys = points[::2], points[1::2]
                one["segmentation"] = [points]
                one["bbox"] = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
            else:
                one["bbox"] = [shape[k] for k in "xywh"]
            one["area"] = one["bbox"][2] * one["bbox"][3]
            annotations.append(one)
    categories = [{"id": i + 1, "name": label} for i, label in enumerate(labels)]
    return {"images": images, "annotations": annotations, "categories": categories}


def labelled_by_itself(server, data, version, labels, floor, count):
    """No picture here has faces or regions labelled by people: what the model says by its right recipe is taken for the truth,
    so this shows that a wrong recipe is told from the right one, and nothing of how good the model is."""
    truth, parts = [], []
    for file in sorted((data / "det_voc50/images").iterdir())[:count]:
        content = file.read_bytes()
        answer = server.call(
            "POST", f"/api/model/version/{version['id']}/try", 200, files={"media": (file.name, content)}
        )  # fmt: skip
        shapes = [s for s in answer["shapes"] if s["score"] >= floor]
        truth.append((file.name, answer["image"]["width"], answer["image"]["height"], shapes))
        parts.append(picture(file.name, content))
    assert sum(len(t[3]) for t in truth) > 10
    return [*parts, annotation("instances.json", coco_of(truth, labels))]


def ends(recipe):
    """What black and white become."""
    return [(x * recipe["scale"] - recipe["mean"][0]) / recipe["std"][0] for x in (0, 255)]


def test_ultraface(server, data):
    model = data / "models/ultraface/version-RFB-320.onnx"
    right = server.push(model, "faces", "OBJECT_DETECTION", ["face"])
    parts = labelled_by_itself(server, data, right, ["face"], 0.5, 40)
    for wrong in ({"colour": "bgr"}, {"scale": 1 / 255, "mean": 0, "std": 1}, {"fit": "letterbox"}):
        version = server.post(f"/api/model/version/{right['id']}/recipe", {"recipe": wrong})
        row = best(check(server, version, parts), fit="stretch")
        assert row["recipe"]["colour"] == "rgb" and row["value"] > 0.95
        # (x - 127) / 128, or what is the same within two percent: -1 to 1.
        assert ends(row["recipe"]) == pytest.approx(ends(right["recipe"]), abs=0.04)


def test_deeplab(server, data):
    model = data / "models/deeplab_v3/model/deeplab_v3_1_default_1.onnx"
    labels = ["aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
              "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"]  # fmt: skip
    right = server.push(model, "regions", "SEGMENTATION", labels)
    parts = labelled_by_itself(server, data, right, labels, 0.01, 22)
    version = server.post(f"/api/model/version/{right['id']}/recipe", {"recipe": {"colour": "bgr"}})
    result = check(server, version, parts)
    row = best(result, colour="rgb", scale=right["recipe"]["scale"])
    assert result["metric"] == "IoU" and row["value"] > 0.95
    # Boxes say nothing of regions.
    boxes = [annotation("x.json", box_truth(24))]
    assert "outlines" in begin(server, right, block_parts(24) + boxes, 422)


# ---- annotations of every kind ---------------------------------------------------------------------------------------


def block_parts(count=20):
    """Pictures for the block detector, which always says the same."""
    return [picture(f"images/{i}.jpg", samples.scene(128, 128)) for i in range(count)]


def box_truth(count, labels=("Block", "ball"), names="{}.jpg"):
    """Where the block detector finds things in 128 x 128: a block, a ball on it, and a ball."""
    shapes = [(0, 16, 16, 32, 32), (1, 18, 16, 32, 32), (1, 72, 80, 48, 32)]
    return {
        "images": [{"id": i, "file_name": names.format(i), "width": 128, "height": 128} for i in range(count)],
        "categories": [{"id": i, "name": label} for i, label in enumerate(labels)],
        "annotations": [
            {"id": 10 * i + k, "image_id": i, "category_id": label, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
            for i in range(count)
            for k, (label, *box) in enumerate(shapes)
        ],
    }  # fmt: skip


def voc_truth(truth, number):
    names = [c["name"] for c in truth["categories"]]
    objects = "".join(
        f"<object><name>{names[a['category_id']]}</name><bndbox><xmin>{a['bbox'][0]}</xmin><ymin>{a['bbox'][1]}</ymin>"
        f"<xmax>{a['bbox'][0] + a['bbox'][2]}</xmax><ymax>{a['bbox'][1] + a['bbox'][3]}</ymax></bndbox></object>"
        for a in truth["annotations"]
        if a["image_id"] == number
    )
    size = "<size><width>128</width><height>128</height></size>"
    return f"<annotation><filename>{number}.jpg</filename>{size}{objects}</annotation>"


def yolo_truth(truth, number):
    lines = []
    for a in truth["annotations"]:
        x, y, w, h = a["bbox"]
        if a["image_id"] == number:
            lines.append(f"{a['category_id']} {(x + w / 2) / 128} {(y + h / 2) / 128} {w / 128} {h / 128}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def blocks_version(server, models_folder):
    path = samples.block_detector(models_folder, name="blocks-to-check.onnx")
    return server.push(path, "blocks to check", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)


def test_three_formats_say_the_same(server, blocks_version):
    truth = box_truth(20)
    files = {
        "COCO": [annotation("annotations/instances.json", truth)],
        "VOC": [annotation(f"Annotations/{i}.xml", voc_truth(truth, i)) for i in range(20)],
        "YOLO": [
            annotation("data.yaml", "names: [block, ball]\n"),
            *(annotation(f"labels/{i}.txt", yolo_truth(truth, i)) for i in range(20)),
        ],
    }
    values = {}
    for name, parts in files.items():
        result = check(server, blocks_version, block_parts() + parts)
        current = next(r for r in result["rows"] if r["current"])
        values[name] = (current["value"], current["value50"], result["labelled_shapes"], len(result["rows"]))
        assert result["problems"] == [], name
    assert len(set(values.values())) == 1, values
    assert values["COCO"][0] > 0.9 and values["COCO"][2] == 60


def test_a_folder_for_each_class(server, models_folder):
    path = samples.colour_classifier(models_folder, name="colours-to-check.onnx")
    wrong = {**samples.COLOUR_RECIPE, "colour": "bgr"}
    version = server.push(path, "colours to check", "CLASSIFICATION", samples.COLOURS, wrong)
    parts = [picture(f"pictures/{c.upper()}/{i}.jpg", samples.photo(c, 64 + i)) for i in range(8) for c in samples.COLOURS]
    result = check(server, version, [*parts, picture("pictures/yellow/1.jpg", samples.photo("yellow"))])
    row = best(result, colour="rgb")
    assert row["value"] == 1.0 and result["metric"] == "accuracy" and result["pictures"] == 24
    assert sorted(result["matched_labels"]) == ["BLUE", "GREEN", "RED"] and result["unmatched_labels"] == ["yellow"]
    current = next(r for r in result["rows"] if r["current"])
    assert current["value"] == pytest.approx(1 / 3)  # green is green either way


def test_labels_that_only_the_pictures_have_do_not_count(server, blocks_version):
    truth = box_truth(20, labels=("BLOCK", "ball", "ghost"))
    for i in range(20):
        truth["annotations"].append(
            {"id": 1000 + i, "image_id": i, "category_id": 2, "bbox": [5, 100, 20, 20], "area": 400, "iscrowd": 0}
        )
    result = check(server, blocks_version, [*block_parts(), annotation("a.json", truth)])
    assert result["unmatched_labels"] == ["ghost"] and result["labelled_shapes"] == 60
    assert next(r for r in result["rows"] if r["current"])["value"] > 0.9


def test_what_is_wrong_with_the_files_is_said(server, blocks_version):
    version = blocks_version
    truth = annotation("a.json", box_truth(20))
    assert "at least 20" in begin(server, version, [*block_parts(19), truth], 400)
    assert "at least 20" in begin(server, version, [truth], 400)
    nothing = begin(server, version, block_parts(), 400)
    assert "No annotations" in nothing or "folder for each class" in nothing
    red = samples.photo("red")
    classes = [picture(f"{c}/{i}.jpg", red) for i in range(10) for c in ("block", "ball")]
    assert "boxes" in begin(server, version, classes, 422)
    other = annotation("a.json", box_truth(20, labels=("cat", "dog")))
    message = begin(server, version, [*block_parts(), other], 422)
    assert '"cat"' in message and '"block"' in message
    assert "500" in begin(server, version, [*block_parts(501), truth], 413)
    nameless = [("media", (None, b"x"))]
    assert "name" in begin(server, version, nameless, 400)
    assert begin(server, {"id": server.organization["id"]}, block_parts(), 404)
    empty = server.make_version(server.make_model("nothing to check"), "OBJECT_DETECTION", samples.BLOCKS)
    assert "ONNX file" in begin(server, empty, [*block_parts(), truth], 409)
    # One broken picture does not stop the rest; too many do.
    broken = [*block_parts(19), picture("images/19.jpg", samples.scene(128, 128)[:300]), truth]
    assert "at least 20" in begin(server, version, broken, 400) or ended(server, begin(server, version, broken))["error"]
    extra = box_truth(21)
    result = check(server, version, [*block_parts(20), picture("images/20.jpg", b"no picture"), annotation("a.json", extra)])
    assert result["pictures"] == 20 and any("20.jpg" in p for p in result["problems"])


def test_many_small_files(server, blocks_version):
    """More parts than a form usually has: 120 pictures with a file each. The best recipes see them all."""
    truth = box_truth(120)
    parts = block_parts(120) + [annotation(f"xml/{i}.xml", voc_truth(truth, i)) for i in range(120)]
    result = check(server, blocks_version, parts)
    assert result["pictures"] == 120 and result["rows"][0]["pictures"] == 120
    assert min(r["pictures"] for r in result["rows"]) < 120
    assert next(r for r in result["rows"] if r["current"])["pictures"] == 120


# ---- the job -----------------------------------------------------------------------------------------------------------


def slow_parts(data):
    """A check of some seconds."""
    folder = data / "det_voc50"
    files = sorted((folder / "images").iterdir())[:30]
    return [picture(f.name, f.read_bytes()) for f in files] + [
        annotation("a.json", (folder / "gts/coco_format/instances_default.json").read_text())
    ]


@pytest.fixture(scope="module")
def detector(server, data):
    return server.push(data / "models/yolox_nano/yolox_nano.onnx", "yolox of jobs", "OBJECT_DETECTION", coco_labels(data))


def listen(server, job, events):
    """Collects the events of a job until it has ended."""
    with server.session.get(f"{server.url}/api/job/{job['id']}/events", stream=True, timeout=PATIENCE) as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        name = None
        for line in response.iter_lines(decode_unicode=True):
            if line.startswith("event: "):
                name = line[7:]
            if line.startswith("data: "):
                events.append((name, json.loads(line[6:])))
                if events[-1][1]["status"] != "RUNNING":
                    return


def test_progress_is_told_and_the_job_is_listed(server, data, detector):
    job = begin(server, detector, slow_parts(data))
    assert job["kind"] == "check" and job["object_id"] == detector["id"] and job["result"] is None
    assert job["status"] == "RUNNING" and job["by"] and job["finished_at"] is None
    events = []
    listener = threading.Thread(target=listen, args=(server, job, events))
    listener.start()
    done = ended(server, job)
    listener.join(PATIENCE)
    assert events and all(name == "job" and event["id"] == job["id"] for name, event in events)
    told = [event["progress"] for _, event in events]
    assert told == sorted(told) and told[-1] == 1 and len(set(told)) > 3
    assert any("recipe" in event["message"] and "of 30 pictures" in event["message"] for _, event in events)
    last = events[-1][1]
    assert last["status"] == "SUCCESS" and last["result"] in (done["result"], None)
    jobs = server.get(f"/api/organization/{server.organization['id']}/jobs", params={"object_id": detector["id"]})
    assert jobs["items"][0]["id"] == job["id"] and jobs["items"][0]["status"] == "SUCCESS"
    assert all(j["object_id"] == detector["id"] and j["result"] is None for j in jobs["items"])
    assert server.call("POST", f"/api/job/{job['id']}/cancel", 409, json={})["message"].endswith(".")


def test_a_check_stands_beside_serving_and_leaves_nothing(fresh, data):
    with fresh:
        version = fresh.push(data / "models/yolox_nano/yolox_nano.onnx", "y", "OBJECT_DETECTION", coco_labels(data))
        deployment = fresh.deploy(version, "street")
        photo = sorted((data / "det_voc50/images").iterdir())[0].read_bytes()
        before = fresh.predict(deployment, photo)
        serving = set(fresh.children())
        job = begin(fresh, version, slow_parts(data))
        harness.wait_until(lambda: len(fresh.children()) == 2, PATIENCE, "the check's own process")
        assert fresh.predict(deployment, photo)["shapes"] == before["shapes"]
        cancelled = fresh.call("POST", f"/api/job/{job['id']}/cancel", 200, json={})
        assert cancelled["id"] == job["id"]
        assert ended(fresh, job)["status"] == "TERMINATED"
        harness.wait_until(lambda: set(fresh.children()) == serving, PATIENCE, "the check's process to end")
        maps = (harness.pathlib.Path("/proc") / str(fresh.pid) / "maps").read_text()
        assert "/spool/" not in maps  # the pictures are gone with the job
        assert fresh.get(f"/api/deployment/{deployment['id']}")["status"] == "SERVING"


def test_a_check_that_waits_ends_at_once_when_it_is_cancelled(server, data, detector):
    first, second = (begin(server, detector, slow_parts(data)) for _ in range(2))
    assert server.call("POST", f"/api/job/{second['id']}/cancel", 200, json={})["status"] == "TERMINATED"
    assert server.get(f"/api/job/{first['id']}")["status"] == "RUNNING"
    server.call("POST", f"/api/job/{first['id']}/cancel", 200, json={})
    assert ended(server, first)["status"] == "TERMINATED"


def test_what_a_killed_server_left_has_failed(fresh, data):
    fresh.start()
    version = fresh.push(data / "models/yolox_nano/yolox_nano.onnx", "y", "OBJECT_DETECTION", coco_labels(data))
    job = begin(fresh, version, slow_parts(data))
    harness.wait_until(lambda: fresh.get(f"/api/job/{job['id']}")["progress"] > 0.02, PATIENCE, "some progress")
    fresh.kill()
    with fresh:
        after = fresh.get(f"/api/job/{job['id']}")
        assert after["status"] == "FAILED" and "start it again" in after["error"] and after["finished_at"]
        # And one that is in the way of an orderly stop.
        job = begin(fresh, version, slow_parts(data))
        harness.wait_until(lambda: fresh.get(f"/api/job/{job['id']}")["progress"] > 0.02, PATIENCE, "some progress")
        assert fresh.stop() == 0
        fresh.start()
        after = fresh.get(f"/api/job/{job['id']}")
        assert after["status"] == "FAILED" and "start it again" in after["error"]


def test_no_such_job(server):
    nobody = server.organization["id"]
    for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/events")):
        assert "no job" in server.call(method, f"/api/job/{nobody}{path}", 404)["message"]
    assert server.call("GET", "/api/job/x", 404)["message"].endswith(".")
    assert server.call("GET", f"/api/organization/{nobody}/jobs?object_id=x", 400)["message"].endswith(".")


# ---- the command line --------------------------------------------------------------------------------------------------


def test_from_a_folder_by_the_command_line(server, cli, tmp_path, models_folder):
    path = samples.colour_classifier(models_folder, name="colours-of-a-folder.onnx")
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({**samples.COLOUR_RECIPE, "colour": "bgr"}))
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(samples.COLOURS))
    cli("model", "push", path, "--name", "folder", "--type", "classification", "--labels", labels, "--recipe", recipe)
    for i in range(24):
        colour = samples.COLOURS[i % 3]
        place = tmp_path / "pictures" / colour / f"{i}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(samples.photo(colour))
    said = cli("model", "check", "folder", tmp_path / "pictures", timeout=PATIENCE).stdout.splitlines()
    assert said[0].startswith("accuracy on 24 pictures") and said[1].split()[:2] == ["1.", "1.000"] and "colour rgb" in said[1]
    rows = json.loads(cli("model", "check", "folder", tmp_path / "pictures", "--json", timeout=PATIENCE).stdout)["rows"]
    assert rows[0]["changed"]["colour"] == "rgb"
    assert "at least 20" in cli("model", "check", "folder", tmp_path / "pictures/red", expect=1).stderr
    assert "no file or folder" in cli("model", "check", "folder", tmp_path / "nowhere", expect=1).stderr
    assert cli("model", "check", "folder", expect=2).stderr
