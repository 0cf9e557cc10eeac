# SPDX-License-Identifier: Apache-2.0
"""A model labels first: its answers become annotations that wait, and what people drew stays."""

import uuid

import harness
import pytest
import samples

picsellia = pytest.importorskip("picsellia")
from picsellia import Client  # noqa: E402
from picsellia.types.enums import InferenceType  # noqa: E402

COUNT = 26  # more than a transaction's worth


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def model(server, models_folder):
    path = samples.colour_classifier(models_folder, 3.0, "labeller.onnx")
    return server.push(path, "labeller", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)


@pytest.fixture(scope="module")
def pictures(client, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    for n in range(COUNT):
        (folder / f"{samples.COLOURS[n % 3]}-{n:02}.jpg").write_bytes(samples.photo(samples.COLOURS[n % 3], 64 + n, 48))
    return client.get_datalake().upload_data([str(f) for f in sorted(folder.iterdir())])


@pytest.fixture
def version(client, pictures):
    made = client.create_dataset(f"parts {uuid.uuid4().hex[:8]}").create_version("first", type=InferenceType.CLASSIFICATION)
    made.add_data(pictures)
    return made


def pre_label(server, version, model, **wish):
    job = server.post(f"/api/dataset/version/{version.id}/pre-label", {"model_version_id": model["id"], **wish}, expect=201)
    assert job["kind"] == "pre_label" and job["object_id"] == str(version.id)
    harness.wait_until(lambda: server.get(f"/api/job/{job['id']}")["status"] != "RUNNING", 60, "the job", 0.05)
    done = server.get(f"/api/job/{job['id']}")
    assert done["status"] == "SUCCESS", done
    return done["result"]


def annotations(server, version):
    """By file: who, status and the classes of the annotation that counts."""
    out = {}
    for asset in server.get(f"/api/dataset/version/{version.id}/assets", params={"limit": 100})["items"]:
        found = server.get(f"/api/asset/{asset['id']}/annotations")["items"]
        if found:
            shapes = server.get(f"/api/annotation/{found[0]['id']}/classifications")["items"]
            out[asset["data"]["filename"]] = (found[0]["who"], found[0]["status"], [s["label"]["name"] for s in shapes])
    return out


def test_what_the_model_answers_waits_to_be_looked_at(server, version, model):
    got = pre_label(server, version, model, threshold=0.5, make_labels=True)
    assert got == {"images": COUNT, "annotated": COUNT, "shapes": COUNT, "labels_new": 3, "left_out": 0, "failed": 0}
    made = annotations(server, version)
    assert len(made) == COUNT
    for name, (who, status, classes) in made.items():
        assert who == "gyre: labeller v0" and status == "PENDING" and classes == [name.split("-")[0]]
    again = pre_label(server, version, model, threshold=0.5, make_labels=True)
    assert again["images"] == 0 and annotations(server, version) == made
    # Also those that are annotated: nothing that is there comes twice.
    assert pre_label(server, version, model, threshold=0.5, only_unlabelled=False)["shapes"] == 0
    assert annotations(server, version) == made


def test_labels_are_not_made_unless_asked_and_can_be_called_otherwise(server, version, model):
    version.create_label("red")
    version.create_label("sky")
    got = pre_label(server, version, model, label_map={"blue": "sky", "green": None})
    blue, red, green = (sum(samples.COLOURS[n % 3] == c for n in range(COUNT)) for c in ("blue", "red", "green"))
    assert got["annotated"] == red + blue and got["left_out"] == green and got["labels_new"] == 0
    made = annotations(server, version)
    assert {classes[0] for name, (_, _, classes) in made.items() if name.startswith("blue")} == {"sky"}
    assert not [name for name in made if name.startswith("green")]
    # Nothing is sure enough: nothing is said of a picture, not that nothing is there.
    assert pre_label(server, version, model, threshold=0.999)["annotated"] == 0
    assert annotations(server, version) == made


def test_what_is_refused(server, version, model, models_folder):
    path = f"/api/dataset/version/{version.id}/pre-label"
    wish = {"model_version_id": model["id"]}
    server.call("POST", path, 400, json={})
    server.call("POST", path, 400, json={**wish, "threshold": 2})
    server.call("POST", path, 400, json={**wish, "label_map": ["red"]})
    server.call("POST", path, 404, json={"model_version_id": str(uuid.uuid4())})
    server.call("POST", f"/api/dataset/version/{uuid.uuid4()}/pre-label", 404, json=wish)
    server.call("PATCH", f"/api/dataset/version/{version.id}", 200, json={"type": "OBJECT_DETECTION"})
    assert "answers CLASSIFICATION" in server.call("POST", path, 409, json=wish)["message"]
    server.call("PATCH", f"/api/dataset/version/{version.id}", 200, json={"type": "CLASSIFICATION"})
    server.call("POST", f"/api/dataset/version/{version.id}/lock", 200, json={})
    assert "locked" in server.call("POST", path, 423, json=wish)["message"]
