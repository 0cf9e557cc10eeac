# SPDX-License-Identifier: Apache-2.0
"""Try it: a picture on a version by a changed recipe; what the model sees; the controls; confirming what was guessed."""

import base64
import io
import json

import numpy
import onnx
import pytest
import samples
from conftest import coco_labels
from PIL import Image


def attempt(server, version, image, recipe=None, expect=200, filename="photo.jpg"):
    fields = {} if recipe is None else {"recipe": recipe if isinstance(recipe, str) else json.dumps(recipe)}
    return server.call(
        "POST", f"/api/model/version/{version['id']}/try", expect, files={"media": (filename, image)}, data=fields
    )


def seen(answer):
    """The picture that the model's tensor looks like."""
    with Image.open(io.BytesIO(base64.b64decode(answer["seen"]["png"], validate=True))) as image:
        assert image.format == "PNG" and image.size == (answer["seen"]["width"], answer["seen"]["height"])
        return numpy.asarray(image.convert("RGB"))


def refused(server, version, image, recipe, status, part):
    message = attempt(server, version, image, recipe, expect=status)["message"]
    assert part in message and message.endswith("."), message


@pytest.fixture(scope="module")
def colours_version(server, models_folder):
    path = samples.colour_classifier(models_folder, name="colours-to-try.onnx")
    return server.push(path, "colours to try", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)


@pytest.fixture(scope="module")
def blocks_version(server, models_folder):
    path = samples.block_detector(models_folder, name="blocks-to-try.onnx")
    return server.push(path, "blocks to try", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)


# ---- trying ----------------------------------------------------------------------------------------------------------


def test_the_versions_own_recipe(server, colours_version):
    answer = attempt(server, colours_version, samples.photo("red"), filename="r.jpg")
    assert answer["image"] == {"width": 64, "height": 48, "filename": "r.jpg"}
    scores = {s["label"]: s["score"] for s in answer["shapes"]}
    assert scores == pytest.approx(samples.colour_scores("red"), abs=0.01)
    assert answer["recipe"] == colours_version["recipe"]
    assert set(answer["latency_ms"]) == {"decode", "preprocess", "infer", "postprocess"}
    assert all(v >= 0 for v in answer["latency_ms"].values()) and answer["latency_ms"]["infer"] > 0
    assert numpy.abs(seen(answer).astype(int) - [254, 0, 0]).max() <= 2


def test_a_changed_recipe_changes_the_answer_and_nothing_else(server, colours_version):
    before = server.get(f"/api/model/version/{colours_version['id']}")
    answer = attempt(server, colours_version, samples.photo("red"), {"colour": "bgr"})
    scores = {s["label"]: s["score"] for s in answer["shapes"]}
    assert scores == pytest.approx(samples.colour_scores("blue"), abs=0.01)
    assert answer["recipe"]["colour"] == "bgr" and answer["recipe"]["from"]["colour"] == "given"
    assert numpy.abs(seen(answer).astype(int) - [254, 0, 0]).max() <= 2  # a person sees red whatever the order
    assert server.get(f"/api/model/version/{colours_version['id']}") == before


def test_all_shapes_above_the_floor(server, blocks_version):
    answer = attempt(server, blocks_version, samples.scene())
    assert [round(s["score"], 2) for s in answer["shapes"]] == [0.9, 0.6, 0.3, 0.05]
    assert {s["label"] for s in answer["shapes"]} == set(samples.BLOCKS)
    # 640 x 480 stretched to 64 x 64: a pixel of the model is 10 x 7.5 of the picture.
    first = answer["shapes"][0]
    assert [first[k] for k in "xywh"] == pytest.approx([80, 60, 160, 120], abs=0.1)


def test_the_fit_is_seen(server, blocks_version):
    """A picture twice as wide as high, white: stretched it fills the input, letterboxed it has bars of the padding."""
    image = samples.encode(Image.new("RGB", (128, 64), "white"), "PNG")
    stretched = seen(attempt(server, blocks_version, image))
    assert stretched.shape == (64, 64, 3) and (stretched == 255).all()
    boxed = seen(attempt(server, blocks_version, image, {"fit": "letterbox", "pad": "center", "pad_value": 7}))
    assert (boxed[:16] == 7).all() and (boxed[16:48] == 255).all() and (boxed[48:] == 7).all()
    corner = seen(attempt(server, blocks_version, image, {"fit": "letterbox", "pad": "bottom_right", "pad_value": 9}))
    assert (corner[:32] == 255).all() and (corner[32:] == 9).all()
    for scale in ({"scale": 1}, {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}):
        assert (seen(attempt(server, blocks_version, image, scale)) == 255).all()


def test_what_does_not_fit_is_refused_with_a_sentence(server, colours_version):
    image = samples.photo("red")
    refused(server, colours_version, image, {"width": 64}, 422, "[1,3,32,64]")
    refused(server, colours_version, image, {"colour": "grey"}, 422, "[1,1,32,32]")
    refused(server, colours_version, image, {"sample": "uint8"}, 422, "uint8")
    refused(server, colours_version, image, {"class_count": 4}, 422, "3")
    refused(server, colours_version, image, {"features_output": "flat"}, 422, "features_output")
    refused(server, colours_version, image, {"task": "detection", "output": "detr", "tensors": [0, 1]}, 422, "task")
    refused(server, colours_version, image, {"scale": 0}, 400, "scale")
    refused(server, colours_version, image, {"color": "bgr"}, 400, "color")
    refused(server, colours_version, image, "[1]", 400, "object")
    refused(server, colours_version, image, "{", 400, "JSON")
    refused(server, colours_version, b"no image", None, 415, "image")
    refused(server, colours_version, samples.photo("red")[:200], None, 422, "JPEG")
    url = f"/api/model/version/{colours_version['id']}/try"
    assert "media" in server.call("POST", url, 400, files={"picture": ("a.jpg", image)})["message"]
    assert "multipart" in server.call("POST", url, 400, data=b"x", headers={"Content-Type": "image/jpeg"})["message"]
    assert server.call("POST", f"/api/model/version/{server.organization['id']}/try", 404, files={"media": ("a.jpg", image)})


def test_a_version_without_a_file_cannot_be_tried(server):
    version = server.make_version(server.make_model("nothing to try"), "CLASSIFICATION", samples.COLOURS)
    answer = attempt(server, version, samples.photo("red"), expect=409)
    assert "ONNX file" in answer["message"]


# ---- the process behind it -------------------------------------------------------------------------------------------


def test_one_model_stays_open_and_another_takes_its_place(fresh, tmp_path):
    with fresh:
        red = fresh.push(samples.colour_classifier(tmp_path), "one", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        blocks = fresh.push(samples.block_detector(tmp_path), "two", "OBJECT_DETECTION", samples.BLOCKS, samples.BLOCK_RECIPE)
        assert fresh.children() == []
        attempt(fresh, red, samples.photo("red"))
        children = fresh.children()
        assert len(children) == 1
        for colour in ("rgb", "bgr"):
            attempt(fresh, red, samples.photo("red"), {"colour": colour})
        assert fresh.children() == children  # the same process: nothing was loaded again
        attempt(fresh, blocks, samples.scene())
        other = fresh.children()
        assert len(other) == 1 and other != children
        assert fresh.get(f"/api/model/version/{blocks['id']}")["deployments"] == []
        # What a deployment has loaded is used.
        deployment = fresh.deploy(red, "red")
        serving = set(fresh.children()) - set(other)
        attempt(fresh, red, samples.photo("red"), {"colour": "bgr"})
        assert set(fresh.children()) == serving
        # The deployment still answers by its own recipe.
        best = fresh.predict(deployment, samples.photo("red"))["shapes"][0]
        assert best["label"] == "red"


def test_labels_that_change_are_those_tried(server, models_folder):
    """The model that is kept open is the version as it is now."""
    path = samples.colour_classifier(models_folder, name="renamed.onnx")
    version = server.push(path, "renamed", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    assert attempt(server, version, samples.photo("red"))["shapes"][0]["label"] == "red"
    server.patch(f"/api/model/version/{version['id']}", {"labels": {"0": "rot", "1": "gruen", "2": "blau"}})
    assert attempt(server, version, samples.photo("red"))["shapes"][0]["label"] == "rot"


# ---- real models -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector(server, data):
    return server.push(data / "models/yolox_nano/yolox_nano.onnx", "yolox to try", "OBJECT_DETECTION", coco_labels(data))


def test_a_real_detector(server, data, detector, yolox):
    """The same shapes as predict; in another order of colours other scores; the letterbox is seen."""
    path = sorted((data / "det_voc50/images").iterdir())[0]
    image = path.read_bytes()
    tried = attempt(server, detector, image)
    server.patch(f"/api/deployment/{yolox['id']}", {"min_threshold": 0.01})
    assert tried["shapes"] == server.predict(yolox, image)["shapes"]
    server.patch(f"/api/deployment/{yolox['id']}", {"min_threshold": 0.1})
    other = attempt(server, detector, image, {"colour": "rgb"})
    assert other["shapes"] != tried["shapes"]
    picture = seen(tried)
    assert picture.shape == (416, 416, 3)
    with Image.open(path) as photo:
        width, height = photo.size
        ratio = min(416 / width, 416 / height)
        small = numpy.asarray(photo.convert("RGB").resize((round(width * ratio), round(height * ratio)), Image.BILINEAR))
    assert numpy.abs(picture[: small.shape[0], : small.shape[1]].astype(int) - small).mean() < 8
    rest = numpy.concatenate([picture[small.shape[0] :].reshape(-1), picture[:, small.shape[1] :].reshape(-1)])
    assert (rest == 114).all()


def test_an_input_of_open_sides_can_be_tried_in_other_sizes(server, models_folder):
    model = onnx.load(str(samples.colour_classifier(models_folder, name="fixed.onnx")))
    for i, side in ((2, "height"), (3, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[i].dim_param = side
    path = models_folder / "open.onnx"
    onnx.save(model, str(path))
    version = server.push(path, "open sides", "CLASSIFICATION", samples.COLOURS, {**samples.COLOUR_RECIPE, "width": 48})
    for width, height in ((64, 64), (200, 30), (32, 32)):
        answer = attempt(server, version, samples.photo("green"), {"width": width, "height": height})
        assert (answer["seen"]["width"], answer["seen"]["height"]) == (width, height)
        assert answer["shapes"][0]["label"] == "green"


# ---- fields and confirming ---------------------------------------------------------------------------------------------


def test_every_field_has_a_control(server, detector):
    fields = server.get(f"/api/model/version/{detector['id']}/recipe/fields")["items"]
    by_name = {f["name"]: f for f in fields}
    recipe = {k: v for k, v in detector["recipe"].items() if k != "from"}
    assert set(by_name) == set(recipe)
    for name, field in by_name.items():
        assert set(field) == {"name", "help", "kind", "choices", "min", "max", "matters"}
        assert field["help"] and (field["kind"] == "choice") == (field["choices"] is not None)
        value = recipe[name]
        if field["kind"] == "choice":
            assert value in field["choices"]
        elif field["kind"] in ("number", "integer"):
            assert field["min"] <= value <= field["max"]
        elif field["kind"] == "numbers":
            assert len(value) == 3 and all(field["min"] <= v <= field["max"] for v in value)
        elif field["kind"] == "flag":
            assert isinstance(value, bool)
        else:
            assert field["kind"] in ("text", "integers")
    assert by_name["colour"]["choices"] == ["rgb", "bgr", "grey"]
    assert by_name["background"]["choices"] == ["none"] and not by_name["background"]["matters"]
    assert "classification" not in by_name["output"]["choices"] and "yolox_raw" in by_name["output"]["choices"]
    assert by_name["pad"]["matters"] and by_name["nms_iou"]["matters"] and not by_name["features_output"]["matters"]


def test_each_choice_of_a_control_can_be_tried(server, colours_version):
    """Whatever a control offers is an answer or a sentence, never an error of ours."""
    for field in server.get(f"/api/model/version/{colours_version['id']}/recipe/fields")["items"]:
        for choice in field["choices"] or []:
            response = server.call(
                "POST", f"/api/model/version/{colours_version['id']}/try",
                files={"media": ("a.jpg", samples.photo("red"))}, data={"recipe": json.dumps({field["name"]: choice})},
            )  # fmt: skip
            assert response.status_code in (200, 400, 422), response.text


def test_what_was_guessed_is_named_until_it_is_confirmed(server, data):
    model = data / "models/yolox_nano/yolox_nano.onnx"
    version = server.push(model, "yolox to confirm", "OBJECT_DETECTION", coco_labels(data))
    assert {"colour", "scale", "fit", "pad"} <= set(version["guessed"]) and not version["confirmed"]
    assert "width" not in version["guessed"] and "background" not in version["guessed"]
    deployment = server.deploy(version, "to-confirm")
    confirmed = server.call("POST", f"/api/model/version/{version['id']}/recipe/confirm", 200, json={})
    assert confirmed["id"] == version["id"] and confirmed["guessed"] == [] and confirmed["confirmed"]
    without = {k: v for k, v in confirmed["recipe"].items() if k != "from"}
    assert without == {k: v for k, v in version["recipe"].items() if k != "from"}
    assert confirmed["recipe"]["from"]["colour"] == "given" and confirmed["recipe"]["from"]["width"] == "read"
    assert confirmed["deployments"] == [{"id": deployment["id"], "name": "to-confirm", "role": "champion"}]
    server.delete(f"/api/deployment/{deployment['id']}")
    # Confirmed stays confirmed when the labels change, and in a version made of it.
    labels = {str(i): f"label {i}" for i in range(80)}
    assert server.patch(f"/api/model/version/{version['id']}", {"labels": labels})["confirmed"]
    made = server.post(f"/api/model/version/{version['id']}/recipe", {"recipe": {"colour": "rgb"}})
    assert made["confirmed"] and made["recipe"]["colour"] == "rgb" and made["deployments"] == []
    assert made["lineage"] == {"experiment_id": None, "based_on_version_id": version["id"]}
    assert version["lineage"] == {"experiment_id": None, "based_on_version_id": None}
    assert [(f["filename"], f["size_bytes"]) for f in made["files"]] == [("yolox_nano.onnx", model.stat().st_size)]
    server.delete(f"/api/model/version/{version['id']}")
    assert server.get(f"/api/model/version/{made['id']}")["lineage"]["based_on_version_id"] is None


def test_nothing_to_confirm_without_a_file(server):
    version = server.make_version(server.make_model("nothing to confirm"), "CLASSIFICATION", samples.COLOURS, {"colour": "bgr"})
    assert version["guessed"] == [] and version["confirmed"] and version["files"] == []
    for path, method in (("recipe/confirm", "POST"), ("recipe/fields", "GET")):
        answer = server.call(method, f"/api/model/version/{version['id']}/{path}", 409)
        assert "ONNX file" in answer["message"]


def test_the_command_line_names_what_nobody_confirmed(server, cli, models_folder):
    path = models_folder / "guesses.onnx"
    samples.block_detector(models_folder, name="guesses.onnx")
    cli("model", "push", path, "--name", "guesses", "--type", "detection")
    said = cli("deploy", "guesses", "--name", "guessing").stderr
    assert "colour" in said and "gyre model recipe confirm guesses" in said
    shown = json.loads(cli("model", "recipe", "show", "guesses", "--json").stdout)
    assert shown["from"]["colour"] == "guessed"
    assert "guessed" in cli("model", "recipe", "show", "guesses").stdout
    assert "confirmed" in cli("model", "recipe", "confirm", "guesses").stdout
    assert json.loads(cli("model", "recipe", "show", "guesses:0", "--json").stdout)["from"]["colour"] == "given"
    assert cli("deploy", "guesses", "--name", "sure").stderr == ""
    assert cli("model", "recipe", "frobnicate", "guesses", expect=2).stderr
    assert "no model" in cli("model", "recipe", "show", "unknown", expect=1).stderr
