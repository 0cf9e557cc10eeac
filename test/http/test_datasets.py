# SPDX-License-Identifier: Apache-2.0
"""Datasets, their versions and assets, as the public SDK asks for them, and what our own pages ask beyond it."""

import contextlib
import hashlib
import json
import sqlite3
import uuid

import harness
import pytest

picsellia = pytest.importorskip("picsellia")
from picsellia import Client, exceptions  # noqa: E402
from picsellia.types.enums import InferenceType, JobStatus, TagTarget  # noqa: E402

PICTURES = 6
MANY = 2300


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def pictures(client, data):
    """Real photographs, as data of the datalake."""
    files = sorted((data / "det_bccd").rglob("*.jpg"))[:PICTURES]
    uploaded = client.get_datalake().upload_data([str(f) for f in files], tags=["blood"], source="microscope")
    assert len(uploaded) == PICTURES
    return sorted(uploaded, key=lambda d: d.filename)


@pytest.fixture
def dataset(client):
    return client.create_dataset(f"cells-{uuid.uuid4()}", description="Blood cells")


@pytest.fixture
def version(dataset, pictures):
    made = dataset.create_version("first", description="As it came", type=InferenceType.OBJECT_DETECTION)
    made.add_data(pictures)
    return made


@pytest.fixture(scope="module")
def org(server):
    return f"/api/organization/{server.organization['id']}"


def names(assets):
    return sorted(a.filename for a in assets)


def refused(server, method, path, status, body=None, part=""):
    response = server.call(method, path, json=body)
    assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
    message = response.json()["message"]
    assert message[-1] in ".?" and part in message
    return message


def draw(server, asset_id, shapes, base=0):
    body = {"base_revision": base, "client_id": str(uuid.uuid4()), "shapes": shapes, "make_labels": True}
    return server.call("PUT", f"/api/asset/{asset_id}/annotation", 200, json=body)["annotation"]


def box(label, x, y, w, h, **more):
    return {"type": "rectangle", "label": label, "x": x, "y": y, "w": w, "h": h, **more}


# ---- the hash, worked out from what the API shows ----------------------------------------------------------------


def text_of(value):
    return "-" if value is None else f"{len(value.encode())}:{value}"


def number_of(value):
    return f"{float(value) + 0.0:.17g}"


def points_of(value):
    return "[" + ",".join(points_of(v) for v in value) + "]" if isinstance(value, list) else number_of(value)


def shape_of(shape):
    kind = shape["type"].upper()
    if kind == "RECTANGLE":
        place = points_of([shape[k] for k in "xywh"])
    elif kind == "POLYGON":
        place = "{rings=" + points_of(shape["rings"]) + "}" if "rings" in shape else points_of(shape["polygon"])
    else:
        place = "-"
    flags = bool(shape.get("crowd")) + 2 * bool(shape.get("difficult"))
    area = number_of(shape["area"]) if shape.get("area") is not None else "-"
    return f"{kind} {text_of(shape['label'])} {place} {area} {flags} {text_of(shape.get('text'))}\n"


def manifest_hash(server, version_id, blobs):
    """As docs/internals/manifest.md says."""
    lines = []
    page = server.get(f"/api/dataset/version/{version_id}/assets", params={"with_annotations": 1})
    for asset in page["items"]:
        annotation = asset["annotation"]
        inner = "-"
        if annotation is not None:
            shapes = sorted((shape_of(s) for s in annotation["shapes"]), key=str.encode)
            inner = hashlib.sha256("".join(shapes).encode()).hexdigest()
        kept = "evaluation" if asset["evaluation"] else "training"
        lines.append(f"{blobs[asset['data']['filename']]} {inner} {kept} {text_of(asset['data']['filename'])}\n")
    return hashlib.sha256("".join(sorted(lines, key=str.encode)).encode()).hexdigest()


@pytest.fixture(scope="module")
def blobs(data):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in (data / "det_bccd").rglob("*.jpg")}


def test_the_hash_is_what_the_pages_of_the_manual_say(server, version, blobs):
    manifest = server.get(f"/api/dataset/version/{version.id}/manifest")
    assert manifest["assets"] == PICTURES
    assert manifest["hash"] == manifest_hash(server, version.id, blobs)
    assets = version.list_assets()
    draw(server, assets[0].id, [box("RBC", 1.5, 2, 30, 40.25), box("Weiß", 0.1, 0.2, 3, 4, text="a b")])
    draw(server, assets[1].id, [])
    polygon = {"type": "polygon", "label": "RBC", "polygon": [[1, 2], [30.5, 2], [30, 40]]}
    draw(server, assets[2].id, [polygon, {"type": "classification", "label": "blurred"}])
    after = server.get(f"/api/dataset/version/{version.id}/manifest")
    assert after["hash"] == manifest_hash(server, version.id, blobs) != manifest["hash"]
    assert after["revision"] > manifest["revision"]
    for asset in assets[:3]:
        asset.delete_annotations()
    assert server.get(f"/api/dataset/version/{version.id}/manifest")["hash"] == manifest["hash"]


# ---- datasets and versions -----------------------------------------------------------------------------------------


def test_datasets(server, client, org):
    name = f"roads-{uuid.uuid4()}"
    made = client.create_dataset(name, description="What drives")
    assert made.name == name and client.get_dataset(name).id == made.id
    assert client.get_dataset_by_id(made.id).name == name
    assert made.id in [d.id for d in client.list_datasets()]
    with pytest.raises(exceptions.ResourceConflictError):
        client.create_dataset(name)
    made.update(name=name + "!", description="What drives and walks")
    raw = made.sync()
    assert made.name == name + "!" and raw["description"] == "What drives and walks"
    assert (raw["versions"], raw["assets"], raw["cover"], raw["newest_version"]) == (0, 0, None, None)
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_dataset(name)
    made.delete()
    with pytest.raises(exceptions.ResourceNotFoundError):
        client.get_dataset(name + "!")
    refused(server, "POST", f"{org}/datasets", 400, {"name": ""})
    refused(server, "GET", f"{org}/datasets/find", 400)
    refused(server, "GET", f"{org}/datasets/find?id=7", 404)


def test_versions(server, client, dataset):
    first = dataset.create_version("first", description="a", type=InferenceType.OBJECT_DETECTION)
    second = dataset.create_version("second")
    assert first.type == InferenceType.OBJECT_DETECTION and second.type == InferenceType.NOT_CONFIGURED
    assert first.origin_id == dataset.id and first.name == dataset.name
    assert [v.version for v in dataset.list_versions()] == ["first", "second"]
    assert [v.version for v in dataset.list_versions(limit=1, offset=1)] == ["second"]
    assert [v.version for v in dataset.list_versions(order_by=["-created_at"])] == ["second", "first"]
    assert dataset.get_version("first").id == dataset.get_version_by_id(first.id).id == first.id
    assert client.get_dataset_version_by_id(str(second.id)).version == "second"
    with pytest.raises(exceptions.ResourceConflictError):
        dataset.create_version("first")
    with pytest.raises(exceptions.ResourceNotFoundError):
        dataset.get_version("third")
    second.set_type("segmentation")
    second.update(version="2nd", description="b")
    raw = second.sync()
    assert (raw["version"], raw["description"], raw["type"]) == ("2nd", "b", "SEGMENTATION")
    assert raw["locked"] is False and raw["hash"] is None and raw["assets"] == raw["annotated"] == raw["labels"] == 0
    refused(server, "POST", f"/api/dataset/{dataset.id}/versions", 400, {"version": "x", "type": "WALLPAPER"}, "OBJECT_DETECTION")
    refused(server, "POST", f"/api/dataset/{uuid.uuid4()}/versions", 404, {"version": "x"})
    second.delete()
    assert [v.version for v in dataset.list_versions()] == ["first"]


# ---- assets --------------------------------------------------------------------------------------------------------


def test_assets(server, dataset, version, pictures):
    assets = version.list_assets()
    assert names(assets) == [p.filename for p in pictures]
    one = next(a for a in assets if a.filename == pictures[2].filename)
    assert one.data_id == pictures[2].id and (one.width, one.height) == (pictures[2].width, pictures[2].height)
    for found in (
        version.find_asset(filename=one.filename),
        version.find_asset(data=pictures[2]),
        version.find_asset(object_name=one.object_name),
        version.find_asset(id=one.id),
    ):
        assert found.id == one.id
    with pytest.raises(exceptions.ResourceNotFoundError):
        version.find_asset(filename=one.filename, object_name=pictures[0].object_name)
    assert one.get_data().id == pictures[2].id and [t.name for t in one.get_data_tags()] == ["blood"]
    assert one.reset_url().startswith(server.url)
    raw = dataset.sync()
    assert raw["versions"] == 1 and raw["assets"] == PICTURES and raw["cover"].startswith(server.url)
    assert raw["newest_version"] == {"id": str(version.id), "version": "first"}
    assert len(version.list_assets(limit=2)) == 2
    assert version.list_assets(limit=2, offset=5)[0].id == version.list_assets()[5].id


def test_look_ups_of_assets(version, pictures):
    wanted = pictures[1:3]
    assert names(version.list_assets(filenames=[p.filename for p in wanted])) == names(wanted)
    assert names(version.list_assets(object_names=[p.object_name for p in wanted])) == names(wanted)
    assert names(version.list_assets(data_ids=[p.id for p in wanted])) == names(wanted)
    ids = [a.id for a in version.list_assets(filenames=[p.filename for p in wanted])]
    assert names(version.list_assets(ids=ids)) == names(wanted)
    stem = wanted[0].filename.rsplit(".", 1)[0]
    assert names(version.list_assets(filenames_startswith=[stem])) == [wanted[0].filename]
    with pytest.raises(exceptions.NoDataError):
        version.list_assets(filenames=["nobody-has-this.jpg"])


def test_download(version, blobs, tmp_path):
    version.download(str(tmp_path))
    assert {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in tmp_path.iterdir()} == {
        a.filename: blobs[a.filename] for a in version.list_assets()
    }


def test_adding_again_changes_nothing(version, pictures):
    before = {a.id for a in version.list_assets()}
    job = version.add_data(pictures)
    assert job.status == JobStatus.SUCCESS
    assert {a.id for a in version.list_assets()} == before


def test_what_cannot_be_added(server, version, pictures):
    path = f"/api/dataset/version/{version.id}/assets"
    refused(server, "POST", path, 404, {"data_ids": [str(uuid.uuid4())]}, "no data with the id")
    refused(server, "POST", path, 400, {"data_ids": ["7"]}, "not an id")
    refused(server, "POST", path, 400, {}, "data_ids")
    tag = {"asset_tag_ids": [str(uuid.uuid4())], "data_ids": [str(pictures[0].id)]}
    refused(server, "POST", path, 404, tag, "no tag")
    refused(server, "POST", f"/api/dataset/version/{uuid.uuid4()}/assets", 404, {"data_ids": [str(pictures[0].id)]})
    refused(server, "GET", path + "?assignment_status=PENDING", 400, part="campaigns")
    refused(server, "GET", path + "/find", 400, part="filename")
    refused(server, "XGET", path, 400, {"names": []}, "filename_startswith")


def test_deleting_assets(server, version, pictures):
    assets = version.list_assets()
    assets[0].delete()
    gone = assets[1:3]
    gone.delete()
    left = version.list_assets()
    assert len(left) == PICTURES - 3 and not {a.id for a in left} & {a.id for a in assets[:3]}
    refused(server, "DELETE", f"/api/dataset/version/{version.id}/assets", 404, {"ids": [str(assets[0].id)]})
    # The data stays, and what is an asset still cannot go.
    by_name = {p.filename: p for p in pictures}
    kept = by_name[left[0].filename]
    message = refused(server, "DELETE", f"/api/data/{kept.id}", 409)
    assert '"first"' in message or "dataset" in message
    assert by_name[assets[0].filename].sync()


def test_ids_and_extended(server, version):
    assets = version.list_assets()
    page = server.get(f"/api/dataset/version/{version.id}/assets/ids/paginated", params={"limit": 4, "offset": 4})
    assert page["count"] == PICTURES and page["items"] == [str(a.id) for a in assets[4:]]
    draw(server, assets[0].id, [box("RBC", 1, 2, 30, 40), box("WBC", 1, 2, 30, 40)])
    draw(server, assets[1].id, [box("RBC", 1, 2, 30, 40)])
    train, test, in_train, in_test, labels = version.train_test_split(prop=0.5, random_seed=1)
    assert {a.id for a in train} | {a.id for a in test} == {assets[0].id, assets[1].id}
    counts = {}
    for part in (in_train, in_test):
        for name, count in zip(part["x"], part["y"]):
            counts[name] = counts.get(name, 0) + count
    assert counts == {"RBC": 2, "WBC": 1}
    assert {label.name for label in labels} == {"RBC", "WBC"}
    listed = server.get(f"/api/dataset/version/{version.id}/assets", params={"with_annotations": 1})["items"]
    assert [len(a["annotation"]["shapes"]) if a["annotation"] else None for a in listed[:3]] == [2, 1, None]
    assert "annotation" not in server.get(f"/api/asset/{assets[0].id}")


# ---- queries ---------------------------------------------------------------------------------------------------------


def test_queries(server, client, dataset, version, pictures, org):
    assets = version.list_assets(order_by=["filename"])
    dark, wet = version.create_asset_tag("dark"), version.create_asset_tag("wet")
    dark.attach_on(assets[:3])
    wet.attach_on(assets[2:4])
    draw(server, assets[0].id, [box("RBC", 1, 2, 30, 40), box("WBC", 1, 2, 30, 40)])
    draw(server, assets[1].id, [])
    by = {name: [a.filename for a in version.list_assets(**query, order_by=["filename"])] for name, query in {
        "dark": {"tags": "dark"},
        "any": {"tags": ["dark", "wet"]},
        "both": {"tags": ["dark", "wet"], "intersect_tags": True},
        "data": {"data_tags": "blood"},
        "mixed": {"tags": dark, "data_tags": "blood", "q": f'filename != "{assets[0].filename}"'},
        "drawn": {"q": "annotations.count = 1"},
        "red": {"q": 'annotations.label.name = "RBC"'},
        "wide": {"q": f"data.width >= {assets[0].width} and data.datasets.version = \"first\""},
        "looked up": {"filenames": [a.filename for a in assets[1:]], "tags": "dark"},
        "here": {"q": 'evaluation = false and data_source.name = "microscope"'},
    }.items()}  # fmt: skip
    every = [a.filename for a in assets]
    assert every == sorted(every)
    assert by["dark"] == every[:3] and by["any"] == every[:4] and by["both"] == every[2:3]
    assert by["mixed"] == every[1:3] and by["drawn"] == every[:2] and by["red"] == every[:1]
    assert by["data"] == by["wide"] == by["here"] == every and by["looked up"] == every[1:3]
    downwards = version.list_assets(order_by=["-data.filename"])
    assert [a.filename for a in downwards] == every[::-1]
    with pytest.raises(exceptions.BadRequestError):
        version.list_assets(q="colour = 7")
    page = server.get(f"/api/dataset/version/{version.id}/assets/ids/paginated", params={"q": 'tags.name = "wet"'})
    assert page["count"] == 2
    params = {"q": 'tags.name = "wet"', "order_by": "filename"}
    page = server.get(f"/api/dataset/version/{version.id}/assets/extended", params=params)
    assert [a["data"]["filename"] for a in page["items"]] == every[2:4]

    dataset.create_version("second", type=InferenceType.SEGMENTATION)
    versions = f"/api/dataset/{dataset.id}/versions"
    found = server.get(versions, params={"q": 'type = "SEGMENTATION"'})
    assert [v["version"] for v in found["items"]] == ["second"] and found["count"] == 1
    found = server.get(f"{org}/datasets", params={"q": f'name = "{dataset.name}"', "order_by": "-name"})
    assert [d["id"] for d in found["items"]] == [str(dataset.id)]


# ---- tags ------------------------------------------------------------------------------------------------------------


def test_tags(server, client, dataset, version):
    assets = version.list_assets()
    dark = version.get_or_create_asset_tag("dark")
    assert dark.target_type == TagTarget.ASSET and version.get_asset_tag("dark").id == dark.id
    assert [t.name for t in version.list_asset_tags()] == ["dark"]
    dark.attach_on(assets[:2])
    assert [t.name for t in assets[0].get_tags()] == ["dark"] and assets[5].get_tags() == []
    assert version.get_asset_tag_analytics() == {"dark": 2}
    assert version.get_data_tag_analytics() == {"blood": PICTURES}
    dark.detach_from(assets[0])
    assert assets[0].get_tags() == []

    in_use = client.create_dataset_version_tag(f"in-use-{uuid.uuid4()}")
    version.add_tags(in_use)
    assert [t.id for t in version.get_tags()] == [in_use.id]
    assert client.find_dataset_version_tag(in_use.name).id == in_use.id
    ours = client.create_dataset_tag(f"ours-{uuid.uuid4()}")
    dataset.add_tags(ours)
    assert [t.id for t in dataset.get_tags()] == [ours.id]
    dataset.remove_tags(ours)
    assert dataset.get_tags() == []
    org = server.organization["id"]
    refused(server, "POST", f"/api/organization/{org}/tags", 400, {"name": "x", "target_type": "ASSET"}, "dataset version")


def test_data_with_tags(dataset, pictures):
    version = dataset.create_version("tagged")
    version.add_data(pictures[:2], tags=["night", "rain"])
    for asset in version.list_assets():
        assert [t.name for t in asset.get_tags()] == ["night", "rain"]


def test_tags_become_classes(server, dataset, version, pictures):
    sorted_ones = dataset.create_version("sorted", type=InferenceType.CLASSIFICATION)
    sorted_ones.add_data(pictures)
    assets = sorted_ones.list_assets(order_by=["filename"])
    dark, wet = sorted_ones.create_asset_tag("dark"), sorted_ones.create_asset_tag("wet")
    dark.attach_on(assets[:3])
    wet.attach_on(assets[2:4])
    for again in range(2):  # the second time there is nothing to do
        job = sorted_ones.convert_tags_to_classification(TagTarget.ASSET, [dark, wet])
        job.wait_for_done(blocking_time_increment=0.1)
        assert job.status == JobStatus.SUCCESS
        params = {"with_annotations": 1, "order_by": "filename"}
        listed = server.get(f"/api/dataset/version/{sorted_ones.id}/assets", params=params)
        classes = [sorted(s["label"] for s in a["annotation"]["shapes"]) if a["annotation"] else None for a in listed["items"]]
        assert classes == [["dark"], ["dark"], ["dark", "wet"], ["wet"], None, None]
    blood = assets[0].get_data_tags()[0]
    sorted_ones.convert_tags_to_classification(TagTarget.DATA, [blood]).wait_for_done(blocking_time_increment=0.1)
    assert sorted_ones.retrieve_stats().label_repartition == {"dark": 3, "wet": 2, "blood": PICTURES}
    body = {"tag_ids": [str(dark.id)], "tag_type": "ASSET"}
    refused(server, "POST", f"/api/dataset/version/{version.id}/tags/convert", 400, body, "CLASSIFICATION")
    body["tag_ids"] = [str(uuid.uuid4())]
    refused(server, "POST", f"/api/dataset/version/{sorted_ones.id}/tags/convert", 404, body, "no tag")


# ---- fork, copy, difference --------------------------------------------------------------------------------------------


@pytest.fixture
def labelled(server, version):
    assets = version.list_assets()
    draw(server, assets[0].id, [box("RBC", 1.5, 2, 30, 40), box("WBC", 100, 2, 30, 40)])
    draw(server, assets[1].id, [box("Platelets", 5, 5, 10, 10)])
    version.create_label("nobody")
    version.get_or_create_asset_tag("dark").attach_on(assets[0])
    return version


def manifest(server, version):
    return server.get(f"/api/dataset/version/{version.id}/manifest")["hash"]


def diff(server, version, other):
    return server.get(f"/api/dataset/version/{version.id}/diff", params={"other": str(other.id)})


def test_fork(server, labelled):
    fork, job = labelled.fork("second", with_tags=True, with_labels=True, with_annotations=True)
    assert job.status == JobStatus.SUCCESS
    raw = fork.sync()
    assert raw["forked_from_id"] == str(labelled.id) and raw["description"] == "Fork from first"
    assert raw["assets"] == PICTURES and raw["annotated"] == 2 and raw["labels"] == 4
    assert manifest(server, fork) == manifest(server, labelled)
    assert [x.name for x in fork.list_labels()] == [x.name for x in labelled.list_labels()]
    assert [a.filename for a in fork.list_assets()] == [a.filename for a in labelled.list_assets()]
    assert not {a.id for a in fork.list_assets()} & {a.id for a in labelled.list_assets()}
    assert fork.get_asset_tag_analytics() == {"dark": 1}
    assert diff(server, fork, labelled) == {"only_here": 0, "only_there": 0, "changed": 0, "same": PICTURES, "items": []}

    bare, _ = labelled.fork("bare", type=InferenceType.CLASSIFICATION, assets=labelled.list_assets()[:2])
    raw = bare.sync()
    assert (raw["assets"], raw["annotated"], raw["labels"], raw["type"]) == (2, 0, 0, "CLASSIFICATION")
    assert bare.list_asset_tags() == []
    with pytest.raises(exceptions.ResourceConflictError):
        labelled.fork("second")


def test_a_fork_that_fails_leaves_nothing(server, dataset, labelled):
    body = {"parent_id": str(labelled.id), "version": "half", "asset_ids": [str(uuid.uuid4())]}
    refused(server, "POST", f"/api/dataset/{dataset.id}/fork", 404, body)
    assert [v.version for v in dataset.list_versions()] == ["first"]
    body = {"parent_id": str(uuid.uuid4()), "version": "half"}
    refused(server, "POST", f"/api/dataset/{dataset.id}/fork", 404, body)


def test_copy_and_difference(server, client, dataset, labelled):
    other = dataset.create_version("other")
    assets = labelled.list_assets()
    labelled.copy_assets_to(other, assets[:3], with_tags=True, with_annotations=True)
    assert names(other.list_assets()) == names(assets[:3])
    assert {x.name for x in other.list_labels()} >= {"RBC", "WBC", "Platelets"}
    found = diff(server, labelled, other)
    assert (found["only_here"], found["only_there"], found["changed"], found["same"]) == (PICTURES - 3, 0, 0, 3)
    assert {i["filename"] for i in found["items"]} == {a.filename for a in assets[3:]}
    assert {i["what"] for i in found["items"]} == {"added"}
    draw(server, assets[2].id, [box("RBC", 1, 1, 9, 9)])
    found = diff(server, other, labelled)
    assert (found["only_here"], found["only_there"], found["changed"], found["same"]) == (0, PICTURES - 3, 1, 2)
    changed = [i for i in found["items"] if i["what"] == "changed"]
    assert [i["filename"] for i in changed] == [assets[2].filename]
    assert changed[0]["asset_id"] == str(other.find_asset(filename=assets[2].filename).id)
    elsewhere = client.create_dataset(f"elsewhere-{uuid.uuid4()}").create_version("first")
    body = {"destination_id": str(elsewhere.id), "asset_ids": [str(assets[0].id)]}
    refused(server, "POST", f"/api/dataset/version/{labelled.id}/assets/copy", 400, body, "one dataset")
    body["destination_id"] = str(labelled.id)
    refused(server, "POST", f"/api/dataset/version/{labelled.id}/assets/copy", 400, body, "itself")


# ---- lock ------------------------------------------------------------------------------------------------------------


def test_a_locked_version_stays_as_it_is(server, dataset, labelled, pictures):
    assets = labelled.list_assets()
    label = labelled.get_label("RBC")
    tag = labelled.get_asset_tag("dark")
    before = manifest(server, labelled)
    labelled.lock()
    labelled.lock()
    raw = labelled.sync()
    assert raw["locked"] is True and raw["hash"] == before and raw["locked_at"]
    for change in (
        lambda: labelled.add_data(pictures),
        lambda: labelled.update(description="no"),
        lambda: labelled.create_label("no"),
        lambda: labelled.create_asset_tag("no"),
        lambda: tag.attach_on(assets[3]),
        lambda: tag.detach_from(assets[0]),
        tag.delete,
        label.delete,
        lambda: label.update("no"),
        assets[0].delete,
        assets[0].delete_annotations,
        assets[2].create_annotation,
        labelled.delete,
        dataset.delete,
    ):
        with pytest.raises(exceptions.ResourceLockedError):
            change()
    body = {"base_revision": 0, "client_id": "x", "shapes": []}
    refused(server, "PUT", f"/api/asset/{assets[4].id}/annotation", 423, body, "fork it")
    assert manifest(server, labelled) == before
    assert len(labelled.list_assets()) == PICTURES
    fork, _ = labelled.fork("after", with_annotations=True)
    draw(server, fork.list_assets()[3].id, [])
    labelled.unlock()
    assert labelled.sync()["hash"] is None
    assets[0].delete()
    assert manifest(server, labelled) != before


# ---- statistics --------------------------------------------------------------------------------------------------------


def test_statistics(server, labelled):
    assets = labelled.list_assets()
    polygon = {"type": "polygon", "label": "RBC", "polygon": [[0, 0], [100, 0], [100, 100], [0, 100]]}
    draw(server, assets[2].id, [polygon, box("RBC", 0, 0, 40, 40), {"type": "classification", "label": "RBC"}])
    draw(server, assets[3].id, [])
    stats = labelled.retrieve_stats()
    assert stats.label_repartition == {"RBC": 4, "WBC": 1, "Platelets": 1, "nobody": 0}
    assert stats.nb_objects == 6 and stats.nb_annotations == 4
    raw = server.get(f"/api/dataset/version/{labelled.id}/stats")
    assert raw["label_images"] == {"RBC": 2, "WBC": 1, "Platelets": 1, "nobody": 0}
    assert raw["nb_assets"] == PICTURES and raw["nb_annotated"] == 4 and raw["nb_evaluation"] == 0
    # 30 x 40 twice is medium, 10 x 10 small, 100 x 100 large, 40 x 40 medium; a class has no size.
    assert raw["sizes"] == {"small": 1, "medium": 3, "large": 1}
    assert raw["objects_per_image"] == [1, 1, 1, 1]
    assert labelled.fork("empty", assets=[])[0].retrieve_stats().nb_objects == 0


# ---- the command line --------------------------------------------------------------------------------------------------


def test_images_to_measure_with(server, dataset, version, pictures, blobs):
    """By hand, or a share by their bytes: in no export for training, a change of the version, or nothing."""
    path = f"/api/dataset/version/{version.id}"
    revision = lambda: server.get(path)["revision"]  # noqa: E731

    def kept():
        return {a["id"] for a in server.get(path + "/assets?limit=100")["items"] if a["evaluation"]}

    ids = [str(asset.id) for asset in version.list_assets()]
    before = revision()
    assert server.post(path + "/assets/evaluation", {"ids": ids[:2], "evaluation": True}) == {"changed": 2}
    assert kept() == set(ids[:2]) and revision() == before + 1
    assert server.post(path + "/assets/evaluation", {"ids": ids[:2], "evaluation": True}) == {"changed": 0}
    assert revision() == before + 1 and server.get(path + "/stats")["nb_evaluation"] == 2
    assert server.post(path + "/assets/evaluation", {"ids": ids[:1], "evaluation": False}) == {"changed": 1}
    assert kept() == {ids[1]}
    for share in (0, 0.3, 0.7, 1):
        server.post(path + "/assets/evaluation", {"share": share})
        wanted = {
            str(asset.id)
            for asset in version.list_assets()
            if int(blobs[asset.filename][:13], 16) / 2**52 < share
        }
        assert kept() == wanted
    refused(server, "POST", path + "/assets/evaluation", 400, {"share": 2}, "0 to 1")
    refused(server, "POST", path + "/assets/evaluation", 404, {"ids": [str(uuid.uuid4())]}, "no asset")
    server.post(path + "/lock")
    refused(server, "POST", path + "/assets/evaluation", 423, {"share": 0}, "locked")


def test_commands(cli, server, dataset, labelled):
    name = dataset.name
    line = json.loads(cli("dataset", "show", f"{name}:first", "--json").stdout)
    assert line["id"] == str(labelled.id) and line["stats"]["nb_objects"] == 3
    assert line["manifest"]["hash"] == manifest(server, labelled)
    shown = cli("dataset", "show", f"{name}:first").stdout
    assert f"{name}:first  OBJECT_DETECTION  6 images, 2 annotated, 4 labels" in shown and line["manifest"]["hash"] in shown
    assert "Platelets              1\n" in shown

    fork = json.loads(cli("dataset", "fork", f"{name}:first", "second", "--type", "segmentation", "--json").stdout)
    assert (fork["version"], fork["type"], fork["annotated"]) == ("second", "SEGMENTATION", 2)
    assert "0 added, 0 removed, 0 changed, 6 the same" in cli("dataset", "diff", f"{name}:first", f"{name}:second").stdout
    taken = labelled.list_assets()[4]
    taken.delete()
    lines = cli("dataset", "diff", f"{name}:first", f"{name}:second").stdout.splitlines()
    assert lines == [f"added    {taken.filename}", "1 added, 0 removed, 0 changed, 5 the same"]
    assert json.loads(cli("dataset", "diff", f"{name}:second", f"{name}:first", "--json").stdout)["only_there"] == 1

    locked = cli("dataset", "lock", f"{name}:second").stdout
    assert "  locked " in locked
    assert "fork it" in cli("dataset", "delete", f"{name}:second", expect=1).stderr
    assert "locked" not in cli("dataset", "unlock", f"{name}:second").stdout
    listed = [line for line in cli("dataset", "list").stdout.splitlines() if line.startswith(name)]
    assert len(listed) == 1 and "2 versions  newest second, 6 images" in listed[0]
    cli("dataset", "delete", f"{name}:second")
    assert [json.loads(x)["version"] for x in cli("dataset", "show", name, "--json").stdout.splitlines()[1:]] == ["first"]
    assert json.loads(cli("dataset", "lock", str(labelled.id), "--json").stdout)["locked"] is True
    cli("dataset", "unlock", str(labelled.id))
    cli("dataset", "delete", name)
    assert "no dataset named" in cli("dataset", "show", name, expect=1).stderr


def test_commands_that_make(cli):
    name = f"made-{uuid.uuid4()}"
    made = json.loads(cli("dataset", "create", f"{name}:v1", "--type", "detection", "--description", "a", "--json").stdout)
    assert (made["origin_name"], made["version"], made["type"], made["description"]) == (name, "v1", "OBJECT_DETECTION", "a")
    assert "already" in cli("dataset", "create", f"{name}:v1", expect=1).stderr
    assert "already" in cli("dataset", "create", name, expect=1).stderr
    assert f"{name}:v2" in cli("dataset", "create", f"{name}:v2").stdout
    assert "inference type" in cli("dataset", "create", f"{name}:v3", "--type", "wallpaper", expect=1).stderr
    assert "has none" in cli("dataset", "create", "other", "--type", "detection", expect=1).stderr
    assert "which version" in cli("dataset", "lock", name, expect=1).stderr
    assert "no version named" in cli("dataset", "lock", f"{name}:v9", expect=1).stderr
    for words in (["dataset"], ["dataset", "fork", name], ["dataset", "paint", name]):
        assert "usage: gyre dataset" in cli(*words, expect=2).stderr


# ---- many ------------------------------------------------------------------------------------------------------------


def fill(server, count):
    """A stopped server's datalake gets so many data, which share one blob: uploading them would take minutes."""
    with contextlib.closing(sqlite3.connect(server.folder / "data" / "gyre.db")) as db:
        (lake,) = db.execute("SELECT id FROM datalake").fetchone()
        for i in range(count):
            row = (f"many/{i}", "0" * 64, "image/png", 1, i)
            db.execute("INSERT INTO object (name, sha256, content_type, size_bytes, created_us) VALUES (?, ?, ?, ?, ?)", row)
            row = (uuid.uuid4().bytes, lake, f"many/{i}", f"{i:05}.png", "image/png", 640, 480, i)
            db.execute(
                "INSERT INTO data (id, datalake_id, object_name, filename, content_type, width, height, created_us)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        db.commit()


def test_more_than_a_thousand(fresh):
    """Pages beyond the SDK's 1,000, and jobs that may end after their answer."""
    fresh.start()
    fresh.stop()
    fill(fresh, MANY)
    fresh.start()
    with Client(api_token=fresh.token, host=fresh.url) as client:
        lake = client.get_datalake()
        dataset = client.create_dataset("many")
        version = dataset.create_version("first", type=InferenceType.OBJECT_DETECTION)
        job = version.add_data(lake.list_data(), tags=["all"])
        assert job.status == JobStatus.SUCCESS
        assets = version.list_assets()
        assert len({a.id for a in assets}) == MANY
        assert names(version.list_assets(filenames=[a.filename for a in assets])) == names(assets)
        assert len(version.list_assets(offset=1500)) == MANY - 1500
        assert version.get_asset_tag_analytics() == {"all": MANY}
        draw(fresh, assets[7].id, [box("car", 1, 2, 3, 4)])
        fork, job = version.fork("second", with_annotations=True, with_tags=True)
        job.wait_for_done(blocking_time_increment=0.1, attempts=200)
        assert job.status == JobStatus.SUCCESS
        assert manifest(fresh, fork) == manifest(fresh, version)
        jobs = fresh.get(f"/api/organization/{client.id}/jobs", params={"object_id": str(fork.id)})["items"]
        assert [(j["kind"], j["status"], j["progress"]) for j in jobs] == [("dataset_fork", "SUCCESS", 1)]
        fork.list_assets().delete()
        assert fork.sync()["assets"] == 0
        dataset.delete()
        assert len(lake.list_data()) == MANY


def test_killed_in_the_middle(fresh):
    """What was cut short is there in part, says so, and can be done again."""
    fresh.start()
    fresh.stop()
    fill(fresh, MANY)
    fresh.start()
    org, ids = fresh.organization["id"], []
    lake = fresh.get(f"/api/organization/{org}/datalake")["id"]
    for offset in range(0, MANY, 1000):
        page = fresh.get(f"/api/datalake/{lake}/datas", params={"limit": 1000, "offset": offset})
        ids += [item["id"] for item in page["items"]]
    dataset = fresh.post(f"/api/organization/{org}/datasets", {"name": "many"})
    path = "/api/dataset/version/" + fresh.post(f"/api/dataset/{dataset['id']}/versions", {"version": "first"})["id"]
    job = fresh.post(f"{path}/assets", {"data_ids": ids})["job"]
    assert job["status"] == "RUNNING"
    fresh.kill()
    fresh.start()
    ended = fresh.get(f"/api/job/{job['id']}")
    part = fresh.get(path)["assets"]
    assert part % 500 == 0 or part == MANY
    assert ended["status"] == "FAILED" and ended["error"].endswith(".") or part == MANY
    again = fresh.post(f"{path}/assets", {"data_ids": ids})["job"]
    harness.wait_until(lambda: fresh.get(f"/api/job/{again['id']}")["status"] == "SUCCESS", 60, "the rest to be added")
    assert fresh.get(path)["assets"] == MANY
    assert fresh.get(f"/api/job/{again['id']}")["result"] == {"assets": MANY - part}


def test_changed_from_outside(fresh):
    """A lock cannot keep others from the database, but what they did is seen."""
    fresh.start()
    fresh.stop()
    fill(fresh, 1)
    fresh.start()
    org = fresh.organization["id"]
    lake = fresh.get(f"/api/organization/{org}/datalake")["id"]
    data = fresh.get(f"/api/datalake/{lake}/datas")["items"][0]
    dataset = fresh.post(f"/api/organization/{org}/datasets", {"name": "kept"})
    path = "/api/dataset/version/" + fresh.post(f"/api/dataset/{dataset['id']}/versions", {"version": "v1"})["id"]
    fresh.post(f"{path}/assets", {"data_ids": [data["id"]]})
    fresh.post(f"{path}/lock")
    assert "hash" in harness.command("dataset", "show", "kept:v1", server=fresh).stdout
    fresh.stop()
    with contextlib.closing(sqlite3.connect(fresh.folder / "data" / "gyre.db")) as db:
        db.execute("UPDATE asset SET evaluation = 1")
        db.commit()
    fresh.start()
    assert "locked with another hash" in harness.command("dataset", "show", "kept:v1", server=fresh, expect=1).stderr
