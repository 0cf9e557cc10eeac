# SPDX-License-Identifier: Apache-2.0
"""The registry, datalakes, tags and objects: what the SDK does beyond the main path, and what must be refused with a sentence."""

import json
import uuid

import harness
import pytest
import requests
import samples

picsellia = pytest.importorskip("picsellia")
from picsellia import Client, exceptions  # noqa: E402
from picsellia.types.enums import Framework, InferenceType  # noqa: E402


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def org(server):
    return f"/api/organization/{server.organization['id']}"


@pytest.fixture
def model(server):
    return server.make_model(f"registry-{uuid.uuid4()}")


@pytest.fixture
def graph(tmp_path):
    return samples.colour_classifier(tmp_path)


def labels_of(names):
    return {str(i): name for i, name in enumerate(names)}


def refused(server, method, path, body, status=400):
    """Answered with that status and a sentence; returns the sentence."""
    response = server.call(method, path, json=body)
    assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
    message = response.json()["message"]
    assert message[-1] in ".?" and len(message) > 10
    return message


# ---- models ------------------------------------------------------------------------------------------------------


def test_models_through_the_sdk(client):
    made = client.create_model("registry-sdk", description="first\nsecond line")
    assert made.private is True
    assert client.get_model("registry-sdk").id == made.id
    assert client.get_model_by_id(made.id).name == "registry-sdk"
    with pytest.raises(exceptions.ResourceConflictError):
        client.create_model("registry-sdk")
    made.update(name="registry-renamed", description="other")
    assert client.get_model("registry-renamed").id == made.id
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_model("registry-sdk")
    made.delete()
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_model("registry-renamed")


def test_list_orders_and_pages(server, org):
    names = [f"order-{i}" for i in (2, 0, 1)]
    for name in names:
        server.make_model(name)

    def listed(**params):
        items = server.get(f"{org}/models", params={"limit": 1000, **params})["items"]
        return [m["name"] for m in items if m["name"].startswith("order-")]

    assert listed() == listed(order_by="created_at") == names
    assert listed(order_by="-created_at") == names[::-1]
    assert listed(order_by="name") == sorted(names)
    assert listed(order_by="-name") == sorted(names, reverse=True)
    total = server.get(f"{org}/models")["count"]
    seen = []
    for offset in range(total + 2):
        page = server.get(f"{org}/models", params={"limit": 1, "offset": offset, "order_by": "name"})
        assert page["count"] == total and len(page["items"]) == (offset < total)
        seen += [m["id"] for m in page["items"]]
    assert len(set(seen)) == total


@pytest.mark.parametrize(
    "params",
    [
        {"order_by": "size"}, {"order_by": "tags.name"}, {"q": "name = 1"}, {"q": "name ="},
        {"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"offset": -1},
    ],  # fmt: skip
)
def test_lists_say_what_they_cannot(server, org, params):
    response = server.call("GET", f"{org}/models", params=params)
    assert response.status_code == 400 and response.json()["message"].endswith(".")


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": None}, {"name": ""}, {"name": 5}, {"name": "x" * 201}, {"name": "a\nb"}, {"name": "a\x7f"}, {"name": "\x85"},
        {"name": "ok", "description": 5}, {"name": "ok", "description": "x" * 10001}, [], "x", 5, None,
    ],
)  # fmt: skip
def test_model_names_are_checked(server, org, body):
    refused(server, "POST", f"{org}/models", body)


def test_names_are_counted_in_characters(server, org):
    name = "ü" * 190 + uuid.uuid4().hex[:10]
    assert server.post(f"{org}/models", {"name": name, "who_knows": "what"})["name"] == name
    assert server.get(f"{org}/models/find", params={"name": name})["name"] == name


def test_other_organizations_and_connectors_do_not_exist(server, org):
    other = uuid.uuid4()
    assert refused(server, "POST", f"/api/organization/{other}/models", {"name": "x"}, 404)
    assert refused(server, "POST", "/api/organization/nonsense/models", {"name": "x"}, 404)
    body = {"filename": "x", "type": "DATA"}
    assert refused(server, "POST", f"{org}/connector/{other}/generate_object_name", body, 404)
    assert refused(server, "POST", f"/api/object-storage/{other}/retrieve_presigned_url", {"object_name": "x"}, 404)


# ---- versions ----------------------------------------------------------------------------------------------------


def test_versions_through_the_sdk(client, server):
    made = client.create_model("registry-versions")
    first = made.create_version()
    assert (first.version, first.name, first.type, first.framework) == (
        0, "v0", InferenceType.NOT_CONFIGURED, Framework.NOT_CONFIGURED,
    )  # fmt: skip
    second = made.create_version(
        name="second", type=InferenceType.CLASSIFICATION, framework=Framework.ONNX, labels=labels_of("ab"),
        base_parameters={"lr": 0.1}, docker_image_name="img", docker_flags=["-a"], docker_env_variables={"A": "1"},
        docker_tag="t", notebook_link="http://x", description="d",
    )  # fmt: skip
    assert (second.version, second.labels) == (1, {"0": "a", "1": "b"})
    assert made.get_version(1).id == made.get_version("second").id == second.id
    assert client.get_model_version_by_id(second.id).name == "second"
    assert [v.version for v in made.list_versions()] == [0, 1]
    second.update(docker_tag="u", labels=labels_of("abc"), name="again")
    stored = server.get(f"/api/model/version/{second.id}")
    assert (stored["docker_image"], stored["docker_tag"], stored["docker_flags"]) == ("img", "u", ["-a"])
    assert (stored["labels"], stored["parameters"]) == ({"0": "a", "1": "b", "2": "c"}, {"lr": 0.1})
    assert stored["state"] == "EMPTY" and stored["recipe"] is None
    assert second.get_context().parameters == {"lr": 0.1}
    with pytest.raises(exceptions.ResourceNotFoundError):
        made.get_version(7)
    second.delete()
    with pytest.raises(exceptions.ResourceNotFoundError):
        made.get_version("again")


@pytest.mark.parametrize(
    "labels",
    [
        {"1": "a"}, {"0": "a", "2": "b"}, {"0": ""}, {"0": 1}, {"0": None}, {"a": "b"}, {"00": "a"}, {"-1": "a"}, ["a"], "a",
        {"0": "a\nb"}, {"0": "x" * 201}, {str(i): "x" for i in range(10001)},
    ],
    ids=lambda x: json.dumps(x)[:20],
)  # fmt: skip
def test_labels_are_checked(server, model, labels):
    refused(server, "POST", f"/api/model/{model['id']}/versions", {"labels": labels})


def test_labels_come_back_in_the_order_of_their_numbers(server, model):
    names = [f"class {i}" for i in range(120)]
    mixed = dict(sorted(labels_of(names).items()))  # "0", "1", "10", …
    version = server.post(f"/api/model/{model['id']}/versions", {"labels": mixed})
    assert list(version["labels"].values()) == names


@pytest.mark.parametrize(
    "body",
    [
        {"type": "DETECTION"}, {"framework": "KERAS"}, {"docker_flags": "x"}, {"docker_flags": [1]}, {"docker_env_variables": []},
        {"parameters": []}, {"parameters": {"x": "y" * 70000}}, {"recipe": []}, {"recipe": {"colour_of_the_sky": 1}},
    ],
    ids=lambda x: json.dumps(x)[:30],
)  # fmt: skip
def test_version_fields_are_checked(server, model, body):
    status = 413 if "y" * 100 in json.dumps(body) else 400
    refused(server, "POST", f"/api/model/{model['id']}/versions", body, status)


def test_a_file_makes_a_version_ready(server, model, graph):
    version = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    server.attach(version, graph)
    ready = server.get(f"/api/model/version/{version['id']}")
    assert (ready["state"], ready["framework"]) == ("READY", "ONNX")
    assert ready["recipe"]["width"] == 32 and ready["recipe"]["from"]["width"] == "read"
    assert ready["graph"]["inputs"][0]["name"] == "image"


def test_wrong_labels_refuse_the_model_until_they_are_right(server, model, graph):
    version = server.make_version(model, "CLASSIFICATION", ["only", "two"])
    server.attach(version, graph)
    path = f"/api/model/version/{version['id']}"
    state = server.get(path)
    assert state["state"] == "REFUSED" and state["state_text"].endswith(".")
    refused(server, "PATCH", path, {"labels": labels_of("abcd")}, 422)
    assert server.get(path)["labels"] == {"0": "only", "1": "two"}
    assert server.patch(path, {"labels": labels_of(samples.COLOURS)})["state"] == "READY"
    refused(server, "PATCH", path, {"labels": labels_of("ab")}, 422)
    assert server.get(path)["state"] == "READY"


def test_a_version_without_a_type_waits_for_one(server, model, graph):
    version = server.post(f"/api/model/{model['id']}/versions", {"name": "untyped"})
    server.attach(version, graph)
    path = f"/api/model/version/{version['id']}"
    assert server.get(path)["state"] == "REFUSED" and "type" in server.get(path)["state_text"]
    assert server.patch(path, {"type": "CLASSIFICATION"})["state"] == "READY"
    refused(server, "PATCH", path, {"type": "POINT"}, 422)
    refused(server, "PATCH", path, {"type": "OBJECT_DETECTION"}, 422)
    assert server.get(path)["type"] == "CLASSIFICATION"


def test_what_is_no_model_is_refused_and_can_be_replaced(server, model, graph, tmp_path):
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"this is no model")
    version = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    file = server.attach(version, junk)
    path = f"/api/model/version/{version['id']}"
    assert server.get(path)["state"] == "REFUSED"
    server.delete(f"/api/model/file/{file['id']}")
    emptied = server.get(path)
    assert (emptied["state"], emptied["state_text"], emptied["graph"]) == ("EMPTY", None, None)
    server.attach(version, junk)
    server.attach(version, graph, name="a better one")
    assert server.get(path)["state"] == "READY"
    server.attach(version, junk, name="a worse one")
    assert server.get(path)["state"] == "READY"


def test_other_files_are_kept_as_they_are(server, model, tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(b"weights")
    version = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    file = server.attach(version, path, name="checkpoint")
    assert server.get(f"/api/model/version/{version['id']}")["state"] == "EMPTY"
    assert requests.get(file["presigned_url"], timeout=harness.CALL_TIMEOUT).content == b"weights"
    again = server.attach(version, path, expect=409, name="checkpoint")
    assert "checkpoint" in again["message"]


def test_the_sdk_replaces_a_file(client, server, graph, tmp_path):
    version = client.create_model("registry-replace").create_version(
        type=InferenceType.CLASSIFICATION, labels=labels_of(samples.COLOURS)
    )
    version.store("model-latest", graph)
    other = samples.colour_classifier(tmp_path, 3.0, "other.onnx")
    version.store("model-latest", other, replace=True)
    version.get_file("model-latest").download(str(tmp_path / "back"))
    assert (tmp_path / "back" / "other.onnx").read_bytes() == other.read_bytes()
    assert server.get(f"/api/model/version/{version.id}")["state"] == "READY"
    assert len(version.list_files()) == 1


# ---- recipes -----------------------------------------------------------------------------------------------------


def test_a_recipe_given_before_the_file_is_used(server, model, graph):
    version = server.make_version(model, "CLASSIFICATION", samples.COLOURS, {"colour": "bgr"})
    assert version["recipe"] == {"colour": "bgr"}
    path = f"/api/model/version/{version['id']}"
    assert server.patch(path, {"recipe": {"fit": "stretch"}})["recipe"] == {"colour": "bgr", "fit": "stretch"}
    server.attach(version, graph)
    recipe = server.get(path)["recipe"]
    assert (recipe["colour"], recipe["from"]["colour"], recipe["from"]["fit"]) == ("bgr", "given", "given")
    assert recipe["from"]["width"] == "read"
    assert "recipe" in refused(server, "PATCH", path, {"recipe": {"colour": "rgb"}}, 409)


def test_changing_the_recipe_makes_a_new_version(server, model, graph):
    version = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    server.attach(version, graph)
    path = f"/api/model/version/{version['id']}"
    before = server.get(path)
    edited = {**before["recipe"], "colour": "bgr"}
    after = server.post(f"{path}/recipe", {"recipe": edited})
    assert (after["version"], after["state"], after["labels"]) == (1, "READY", before["labels"])
    assert after["recipe"]["colour"] == "bgr"
    # Only what was changed counts as given (and the task, which the version's type says).
    assert [k for k, origin in after["recipe"]["from"].items() if origin == "given"] == ["task", "colour"]
    assert server.get(path)["recipe"] == before["recipe"]
    files = server.get(f"/api/model/version/{after['id']}/modelfiles")["items"]
    assert [f["filename"] for f in files] == [graph.name]
    # The old one may go; the file is still there for the new one.
    server.delete(path)
    assert requests.get(files[0]["presigned_url"], timeout=harness.CALL_TIMEOUT).content == graph.read_bytes()
    back = server.post(f"/api/model/version/{after['id']}/recipe", {"recipe": {"colour": None}, "name": "as found"})
    assert back["recipe"] == before["recipe"] and back["name"] == "as found"


@pytest.mark.parametrize("recipe", [None, [], {"nonsense": 1}, {"width": 5}, {"width": "x"}, {"scale": -1}, {"class_count": 7}])
def test_a_recipe_that_does_not_fit_makes_nothing(server, model, graph, recipe):
    version = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    server.attach(version, graph)
    response = server.call("POST", f"/api/model/version/{version['id']}/recipe", json={"recipe": recipe})
    assert response.status_code in (400, 422) and response.json()["message"].endswith(".")
    assert server.get(f"/api/model/{model['id']}/versions")["count"] == 1


# ---- what is deployed stays ----------------------------------------------------------------------------------------


def test_a_deployed_version_stays_as_it_is(server, model, graph):
    version = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    file = server.attach(version, graph)
    name = f"stays-{uuid.uuid4().hex[:8]}"
    deployment = server.deploy(version, name)
    path = f"/api/model/version/{version['id']}"
    for method, target, body in (
        ("DELETE", path, None),
        ("DELETE", f"/api/model/{model['id']}", None),
        ("DELETE", f"/api/model/file/{file['id']}", None),
        ("PATCH", path, {"labels": labels_of("xyz")}),
        ("PATCH", path, {"type": "OBJECT_DETECTION"}),
    ):
        assert name in refused(server, method, target, body, 409)
    assert server.patch(path, {"name": "renamed", "labels": labels_of(samples.COLOURS)})["name"] == "renamed"
    server.delete(f"/api/deployment/{deployment['id']}")
    server.delete(path)
    server.delete(f"/api/model/{model['id']}")


def test_a_former_champion_stays_for_its_predictions(server, model, graph, tmp_path):
    old = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    server.attach(old, graph)
    new = server.make_version(model, "CLASSIFICATION", samples.COLOURS)
    server.attach(new, samples.colour_classifier(tmp_path, 3.0, "new.onnx"))
    name = f"former-{uuid.uuid4().hex[:8]}"
    deployment = server.deploy(old, name)
    server.post(f"/api/deployment/{deployment['id']}/model", {"model_version_id": new["id"]})
    assert name in refused(server, "DELETE", f"/api/model/version/{old['id']}", None, 409)
    server.delete(f"/api/deployment/{deployment['id']}")
    server.delete(f"/api/model/version/{old['id']}")


# ---- objects -------------------------------------------------------------------------------------------------------


def presign(server, name, content_type="text/plain"):
    connector = server.organization["default_connector_id"]
    return server.post(
        f"/api/object-storage/{connector}/generate_presigned_url", {"object_name": name, "content_type": content_type}
    )["presigned_url_data"]


def put(signed, body, content_type="text/plain"):
    return requests.post(
        signed["url"], data={**signed["fields"], "Content-Type": content_type}, files={"file": ("x", body)},
        timeout=harness.CALL_TIMEOUT,
    )  # fmt: skip


def link(server, name):
    connector = server.organization["default_connector_id"]
    return server.post(f"/api/object-storage/{connector}/retrieve_presigned_url", {"object_name": name})["presigned_url"]


def test_a_name_never_gets_other_bytes(server):
    name = f"free/{uuid.uuid4()}/a.txt"
    signed = presign(server, name)
    assert put(signed, b"first").status_code == 204
    assert put(signed, b"first").status_code == 204  # a client that did not see the first answer
    assert put(signed, b"other").status_code == 409
    assert requests.get(link(server, name), timeout=harness.CALL_TIMEOUT).content == b"first"
    connector = server.organization["default_connector_id"]
    refused(
        server, "POST", f"/api/object-storage/{connector}/generate_presigned_url",
        {"object_name": name, "content_type": "text/plain"}, 409,
    )  # fmt: skip


def test_a_name_without_bytes_has_no_link(server, org):
    connector = server.organization["default_connector_id"]
    path = f"{org}/connector/{connector}/generate_object_name"
    name = server.post(path, {"filename": "a/b.jpg", "type": "DATA"})["object_name"]
    assert name.startswith("data/") and name.endswith("/a_b.jpg")
    refused(server, "POST", f"/api/object-storage/{connector}/retrieve_presigned_url", {"object_name": name}, 404)
    with_folder = server.post(path, {"filename": "b.jpg", "type": "DATA", "upload_dir": "line 1"})["object_name"]
    assert with_folder.startswith("data/line 1/")
    for bad in (
        {"type": "DATA"}, {"filename": "x"}, {"filename": "x", "type": "SOUND"}, {"filename": "..", "type": "DATA"},
        {"filename": "x", "type": "DATA", "upload_dir": "../y"},
    ):  # fmt: skip
        refused(server, "POST", path, bad)


@pytest.mark.parametrize(
    "content_type, filename, inline",
    [
        ("image/png", "a.png", True), ("image/jpeg", "a.jpg", True), ("IMAGE/JPEG", "a.jpg", True),
        ("image/svg+xml", "a.svg", False), ("text/html", "a.html", False), ("application/octet-stream", "ü \"'.bin", False),
    ],
)  # fmt: skip
def test_what_comes_out_does_not_run_in_a_browser(server, content_type, filename, inline):
    name = f"free/{uuid.uuid4()}/{filename}"
    assert put(presign(server, name, content_type), b"<script>", content_type).status_code == 204
    response = requests.get(link(server, name), timeout=harness.CALL_TIMEOUT)
    assert response.content == b"<script>" and response.headers["Content-Length"] == "8"
    assert response.headers["Content-Type"] == content_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Content-Disposition"].startswith("inline" if inline else "attachment")
    assert "\n" not in response.headers["Content-Disposition"]
    head = requests.head(link(server, name), timeout=harness.CALL_TIMEOUT)
    assert head.headers["Content-Length"] == "8" and head.content == b""


def test_an_upload_that_is_no_form(server):
    signed = presign(server, f"free/{uuid.uuid4()}")
    for body, headers in (
        (b"raw", {}),
        (b"raw", {"Content-Type": "multipart/form-data"}),
        (b"--b\r\n", {"Content-Type": "multipart/form-data; boundary=b"}),
        (b"", {"Content-Type": "multipart/form-data; boundary=b"}),
    ):
        assert requests.post(signed["url"], data=body, headers=headers, timeout=harness.CALL_TIMEOUT).status_code == 400
    assert requests.post(signed["url"], files={"other": ("x", b"y")}, timeout=harness.CALL_TIMEOUT).status_code == 400


def test_large_files_are_spooled(server):
    """More than the bodies that stay in memory; byte for byte."""
    body = bytes(range(256)) * (24 << 12)  # 24 MiB
    name = f"free/{uuid.uuid4()}/large.bin"
    assert put(presign(server, name), body).status_code == 204
    assert requests.get(link(server, name), timeout=harness.CALL_TIMEOUT).content == body


def test_multipart_uploads_are_declined_kindly(server):
    connector = server.organization["default_connector_id"]
    body = {"object_name": "x", "content_type": "a/b"}
    answer = server.post(f"/api/object-storage/{connector}/init_multipart_upload", body, 200)
    assert "client_type" not in answer


# ---- data, tags, sources --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lake(client):
    return client.get_datalake()


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / f"{uuid.uuid4().hex}.jpg"
    path.write_bytes(samples.numbered(uuid.uuid4().int & 0xFFFFFF, 80, 60))
    return path


def test_data_through_the_sdk(client, lake, picture):
    made = lake.upload_data(
        picture, tags=["registry"], source="registry-camera", metadata={"altitude": 1}, custom_metadata={"a": [1]}
    )
    assert (made.width, made.height, made.metadata, made.custom_metadata) == (80, 60, {"altitude": 1}, {"a": [1]})
    assert [t.name for t in made.get_tags()] == ["registry"]
    assert made.get_datasource().name == "registry-camera"
    made.update_metadata({"altitude": 2})
    made.update_custom_metadata(None)
    made.sync()
    assert made.metadata == {"altitude": 2} and not made.custom_metadata
    assert lake.find_data(object_name=made.object_name).id == lake.find_data(id=made.id).id == made.id
    assert [d.id for d in lake.list_data(ids=[made.id])] == [made.id]
    assert made.list_projections() == []
    made.reset_url()
    assert requests.get(made.url, timeout=harness.CALL_TIMEOUT).content == picture.read_bytes()
    url = made.url
    made.delete()
    with pytest.raises(exceptions.ResourceNotFoundError):
        made.sync()
    assert requests.get(url, timeout=harness.CALL_TIMEOUT).status_code == 404


def test_many_data_at_once(server, lake, tmp_path):
    paths = []
    for number in range(5):
        path = tmp_path / f"many-{uuid.uuid4().hex}.jpg"
        path.write_bytes(samples.numbered(1000 + number))
        paths.append(path)
    lake.upload_data(paths)
    found = lake.list_data(filenames=[p.name for p in paths], order_by=["-name"])
    assert [d.filename for d in found] == sorted((p.name for p in paths), reverse=True)
    tag = lake.get_or_create_data_tag("many")
    found.add_tags(tag)
    assert all([t.name for t in d.get_tags()] == ["many"] for d in found)
    found.remove_tags(tag)
    assert found[0].get_tags() == []
    refused(server, "DELETE", f"/api/datalake/{uuid.uuid4()}/datas", {"ids": [str(found[0].id)]}, 404)
    refused(server, "DELETE", f"/api/datalake/{lake.id}/datas", {"ids": [str(found[0].id), str(uuid.uuid4())]}, 404)
    assert len(lake.list_data(filenames=[p.name for p in paths])) == 5  # all or none
    found.delete()
    with pytest.raises(exceptions.NoDataError):
        lake.list_data(filenames=[p.name for p in paths])


def test_the_servers_own_reading_of_a_size_counts(server, lake, picture):
    name = server.upload(picture, "DATA", content_type="image/jpeg")
    body = {"filename": "x.jpg", "object_name": name, "content_type": "image/jpeg", "meta": {"width": 1, "height": 2}}
    made = server.post(f"/api/datalake/{lake.id}/datas", body)
    assert made["meta"] == {"width": 80, "height": 60} and made["upload_status"] == "DONE"
    refused(server, "POST", f"/api/datalake/{lake.id}/datas", body, 409)


def test_a_file_that_is_no_picture(server, lake, tmp_path):
    path = tmp_path / "x.gif"
    path.write_bytes(b"GIF89a not really")
    body = {"filename": "x.gif", "content_type": "image/gif", "type": "IMAGE"}
    known = server.post(
        f"/api/datalake/{lake.id}/datas", {**body, "object_name": server.upload(path, "DATA"), "meta": {"width": 3, "height": 4}}
    )
    assert known["upload_status"] == "DONE" and known["meta"] == {"width": 3, "height": 4}
    path.write_bytes(b"GIF89a neither")
    unknown = server.post(f"/api/datalake/{lake.id}/datas", {**body, "object_name": server.upload(path, "DATA")})
    assert unknown["upload_status"] == "ERROR"


def test_data_that_cannot_be_made(server, lake, picture):
    path = f"/api/datalake/{lake.id}/datas"
    body = {"filename": "x.jpg", "object_name": server.upload(picture, "DATA"), "content_type": "image/jpeg", "type": "IMAGE"}
    missing = str(uuid.uuid4())
    refused(server, "POST", f"/api/datalake/{missing}/datas", body, 404)
    refused(server, "POST", path, {**body, "object_name": "no/such"}, 404)
    refused(server, "POST", path, {**body, "data_source_id": missing}, 404)
    refused(server, "POST", path, {**body, "tags": [missing]}, 404)
    for change in (
        {"filename": ""}, {"content_type": "x"}, {"tags": ["x"]}, {"tags": "x"}, {"meta": {"width": -1, "height": 1}},
        {"metadata": []}, {"data_source_id": "x"},
    ):  # fmt: skip
        refused(server, "POST", path, {**body, **change})
    assert server.post(path, body)["id"]  # none of it left anything behind


def test_what_a_deployment_saw_stays(server, colours):
    answer = server.predict(colours, samples.photo("blue"))
    assert colours["name"] in refused(server, "DELETE", f"/api/data/{answer['data_id']}", None, 409)
    server.delete(f"/api/predicted/asset/{answer['predicted_asset_id']}")


def test_look_ups_say_what_they_need(server, lake):
    path = f"/api/datalake/{lake.id}/datas"
    for body in ({}, {"ids": "x"}, {"ids": [1]}, {"ids": ["x"] * 1001}, {"ids": [], "q": "x = 1"}, []):
        refused(server, "XGET", path, body)
    assert server.call("XGET", path, 200, json={"ids": ["no-uuid", str(uuid.uuid4())]}) == {"items": [], "count": 0}
    assert server.call("GET", f"{path}/find").status_code == 400
    assert server.call("GET", f"{path}/find", params={"filename": "no such"}).status_code == 404


def test_tags_through_the_sdk(client, server, graph):
    made = client.create_model("registry-tags")
    version = made.create_version(type=InferenceType.CLASSIFICATION)
    model_tag, version_tag = client.create_model_tag("red"), client.create_model_version_tag("red")
    with pytest.raises(exceptions.ResourceConflictError):
        client.create_model_tag("red")
    made.add_tags(model_tag)
    version_tag.attach_on(version)
    assert [t.id for t in made.get_tags()] == [model_tag.id]
    assert [t.id for t in version.get_tags()] == [version_tag.id]
    assert client.find_model_tag("red").id == model_tag.id
    assert [t.id for t in client.list_model_version_tags()] == [version_tag.id]
    model_tag.update("blue")
    assert [t.name for t in made.get_tags()] == ["blue"]
    version_tag.detach_from(version)
    assert version.get_tags() == []
    # A tag of another kind does nothing, and says so.
    answer = server.post(f"/api/tag/{version_tag.id}/attach", [str(made.id)], 200)
    assert answer["count"] == 0 and answer["tag"]["id"] == str(version_tag.id)
    model_tag.delete()
    assert made.get_tags() == []
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.find_model_tag("blue")
    for body in ({}, "x", [1], ["x"]):
        refused(server, "POST", f"/api/tag/{version_tag.id}/attach", body)
    refused(server, "POST", f"/api/organization/{client.id}/tags", {"name": "x", "target_type": "THING"})


def test_sources_through_the_sdk(client, lake, picture):
    source = client.get_or_create_datasource("gate")
    assert client.get_or_create_datasource("gate").id == source.id
    assert source.id in [s.id for s in client.list_datasources()]
    data = lake.upload_data(picture, source=source)
    source.update("north gate")
    assert data.get_datasource().name == "north gate"
    source.sync()
    source.delete()
    assert data.get_datasource() is None
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_datasource("north gate")


def test_users_and_tokens(client, server):
    assert "admin" in [u.username for u in client.list_users()]
    assert client.list_users("nobody") == []
    made = server.post("/api/tokens", {"name": "ci"})
    assert made["token"].startswith("gyre_")
    with Client(api_token=made["token"], host=server.url) as other:
        assert other.name == client.name
    listed = server.get("/api/tokens")["items"]
    assert made["id"] in [t["id"] for t in listed] and all("token" not in t for t in listed)
    server.delete(f"/api/token/{made['id']}")
    assert requests.get(
        server.url + "/api/home/ping", headers={"Authorization": f"Bearer {made['token']}"}, timeout=harness.CALL_TIMEOUT
    ).status_code == 401  # fmt: skip


def test_metrics_and_health(server):
    for path, word in (("/healthz", "ok"), ("/readyz", "ready"), ("/metrics", "# TYPE gyre_http_requests_total counter")):
        response = requests.get(server.url + path, timeout=harness.CALL_TIMEOUT)
        assert response.status_code == 200 and word in response.text
