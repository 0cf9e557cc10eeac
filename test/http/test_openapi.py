# SPDX-License-Identifier: Apache-2.0
"""api/openapi.yaml against the program: the same routes, and real answers have the members that it says, and no others."""

import json
import re

import harness
import pytest
import samples
import yaml

METHODS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "delete": "DELETE", "x-xget": "XGET"}


@pytest.fixture(scope="module")
def contract():
    return yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())


@pytest.fixture(scope="module")
def table():
    return json.loads(harness.command("routes", "--json").stdout)


def operations(contract):
    return {
        (METHODS[key], path): operation
        for path, item in contract["paths"].items()
        for key, operation in item.items()
        if key != "parameters"
    }


def test_the_routes_are_the_same(contract, table):
    program = {(route["method"], route["path"].replace("*}", "}")) for route in table}
    assert set(operations(contract)) == program


def test_who_may_call_is_the_same(contract, table):
    everybody = contract["security"]
    says = {
        **dict.fromkeys(("reviewer", "user", "admin"), everybody),
        **dict.fromkeys(("service", "any service", "service or reviewer"), [{"jwt": []}, *everybody]),
        "public": [],
        "signed": [{"presigned": []}],
    }
    for route in table:
        operation = operations(contract)[route["method"], route["path"].replace("*}", "}")]
        assert operation.get("security", everybody) == says[route["rule"]], route


def test_bodies_are_described_where_they_are_taken(contract, table):
    """A request body needs a route that takes one."""
    taken = {(r["method"], r["path"].replace("*}", "}")): r["body_bytes_max"] > 0 for r in table}
    for key, operation in operations(contract).items():
        assert "requestBody" not in operation or taken[key], key


def test_references_and_path_parameters_are_there(contract):
    text = json.dumps(contract)
    for kind, name in set(re.findall(r'"#/components/(\w+)/(\w+)"', text)):
        assert name in contract["components"][kind], f"{kind}/{name}"
    for kind, things in contract["components"].items():
        for name in things if kind != "securitySchemes" else ():
            assert f'"#/components/{kind}/{name}"' in text, f"{kind}/{name} is used nowhere"
    for path, item in contract["paths"].items():
        names = [p["$ref"].rsplit("/", 1)[1] for p in item.get("parameters", [])]
        assert names == re.findall(r"\{(\w+)\}", path), path


# ---- real answers ----------------------------------------------------------------------------------------------------


def check(contract, value, schema, where):
    """A small validator of the part of JSON Schema that the contract uses; stricter: each member there is, and none besides."""
    if "$ref" in schema:
        return check(contract, value, contract["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], where)
    if "anyOf" in schema:
        errors = []
        for choice in schema["anyOf"]:
            try:
                return check(contract, value, choice, where)
            except AssertionError as e:
                errors.append(str(e))
        raise AssertionError(f"{where}: fits nothing of {errors}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    numbers = {"integer": int, "number": (int, float), "boolean": bool}
    python = {"object": dict, "array": list, "string": str, "null": type(None), **numbers}
    if kinds:
        assert any(isinstance(value, python[k]) for k in kinds), f"{where}: {value!r} is no {kinds}"
        assert not isinstance(value, bool) or "boolean" in kinds, f"{where}: {value!r}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r}"
    if isinstance(value, dict) and "properties" in schema:
        known, sometimes = set(schema["properties"]), set(schema.get("x-sometimes", []))
        assert set(value) <= known and known - sometimes <= set(value), f"{where}: {set(value) ^ known}"
        for key, member in value.items():
            check(contract, member, schema["properties"][key], f"{where}.{key}")
    if isinstance(value, list) and "items" in schema:
        for i, item in enumerate(value):
            check(contract, item, schema["items"], f"{where}[{i}]")
    return None


def ended(server, job):
    now = server.get(f"/api/job/{job['id']}")
    return now if now["status"] == "SUCCESS" else None


def dataset_things(server, org, data):
    """A dataset with one asset, its fork, and what is told of them."""
    dataset = server.post(f"{org}/datasets", {"name": "openapi"})
    version = server.post(f"/api/dataset/{dataset['id']}/versions", {"version": "first"})
    path = f"/api/dataset/version/{version['id']}"
    tag = server.post(f"{path}/tags", {"name": "openapi"})
    added = server.post(f"{path}/assets", {"data_ids": [data["id"]], "asset_tag_ids": [tag["id"]]})
    asset = server.get(f"{path}/assets")["items"][0]
    shape = {"type": "rectangle", "label": "car", "x": 1, "y": 2, "w": 3, "h": 4}
    drawing = {"base_revision": 0, "client_id": "openapi", "shapes": [shape], "make_labels": True}
    server.call("PUT", f"/api/asset/{asset['id']}/annotation", 200, json=drawing)
    fork = {"parent_id": version["id"], "version": "second"}
    forked = server.post(f"/api/dataset/{dataset['id']}/fork", fork)
    other = {"other": forked["dataset_version"]["id"]}
    return {
        "Dataset": server.get(f"/api/dataset/{dataset['id']}"),
        "DatasetVersion": server.post(f"{path}/lock"),
        "Forked": forked,
        "JobStarted": added,
        "Manifest": server.get(f"{path}/manifest"),
        "DatasetDiff": server.get(f"{path}/diff", params=other),
        "DatasetStats": server.get(f"{path}/stats"),
        "TagCounts": server.get(f"{path}/analytics/tags", params={"tag_type": "ASSET"}),
        "AssetList": server.get(f"{path}/assets", params={"with_annotations": 1}),
        "Asset": server.get(f"/api/asset/{asset['id']}"),
        "ExtendedAssetList": server.get(f"{path}/assets/extended"),
        "IdPage": server.get(f"{path}/assets/ids/paginated"),
    }


def review_things(server, deployment):
    """What people say of an image: leased, worked on, and reviewed."""
    one = server.predict(deployment, samples.photo("red"))["predicted_asset_id"]
    leased = server.post(
        f"/api/deployment/{deployment['id']}/queue/lease", {"client": "openapi", "count": 1, "held": [], "wanted": [one]}
    )
    path, none = f"/api/predicted/asset/{one}", {"shapes": [], "base_revision": 0}
    shapes = [{"type": "classification", "label": "green"}]
    server.call("PUT", f"{path}/draft", 200, json={**none, "shapes": shapes, "client_id": "a"})
    conflict = server.call("PUT", f"{path}/draft", 409, json={**none, "client_id": "b"})
    drafted = server.get(path)
    return {
        "Leased": leased,
        "ReviewConflict": conflict,
        "PredictedAssetList": {"items": [drafted], "count": 1},
        "Review": server.post(f"{path}/reviews", {"shapes": shapes, "seconds": 2, "keys": 1}),
        "Accepted": server.post(f"/api/deployment/{deployment['id']}/reviews/accept", {"ids": [one]}),
        "Queue": server.get(f"/api/deployment/{deployment['id']}/queue"),
        **quality_things(server, f"/api/deployment/{deployment['id']}"),
    }


def quality_things(server, path):
    stats = {"service": "classification"}
    return {
        "Quality": server.get(f"{path}/quality"),
        "Stats": server.get(f"{path}/stats", params=stats),
        "ImageStats": server.get(f"{path}/predictions/stats", params=stats),
    }


def alert_things(server, deployment, org):
    """Alerts of a deployment, and a webhook that may not go where it is told to."""
    webhook = server.post(f"{org}/webhooks", {"name": "openapi", "url": "http://127.0.0.1:9/", "active": False})
    path = f"/api/webhook/{webhook['id']}"
    return {
        "Alerts": server.get(f"/api/deployment/{deployment['id']}/alerts"),
        "Alert": server.post(f"/api/deployment/{deployment['id']}/alerts", {"kind": "is_outlier", "active": False}),
        "NewWebhook": webhook,
        "WebhookTest": server.post(f"{path}/test"),
        "WebhookList": server.get(f"{org}/webhooks"),
        "DeliveryList": server.get(f"{path}/deliveries"),
        "Webhook": server.patch(path, {"name": "other"}),
    }


@pytest.fixture(scope="module")
def things(server, tmp_path_factory, colours):
    """One of each noun, as the program answers it."""
    org = f"/api/organization/{server.organization['id']}"
    picture = tmp_path_factory.mktemp("openapi") / "x.jpg"
    picture.write_bytes(samples.photo("red"))
    lake = server.get(f"{org}/datalake")
    source = server.post(f"{org}/datasources", {"name": "openapi"})
    tag = server.post(f"/api/datalake/{lake['id']}/tags", {"name": "openapi"})
    data = server.post(
        f"/api/datalake/{lake['id']}/datas",
        {
            "filename": "x.jpg", "object_name": server.upload(picture, "DATA"), "content_type": "image/jpeg",
            "tags": [tag["id"]], "data_source_id": source["id"],
        },
    )  # fmt: skip
    version = server.get(f"/api/model/version/{colours['model_version_id']}")
    answer = server.predict(colours, samples.photo("red"))
    form = {"files": {"media": ("x.jpg", samples.photo("red"))}}
    pictures = [("media", (f"{c}/{i}.jpg", samples.photo(c))) for i in range(7) for c in samples.COLOURS]
    job = server.call("POST", f"/api/model/version/{version['id']}/check", 202, files=pictures)["job"]
    done = harness.wait_until(lambda: ended(server, job), harness.CALL_TIMEOUT, "the check to end")
    return {
        "Session": server.get("/api/session"),
        "Ping": server.get("/api/home/ping"),
        "Organization": server.organization,
        "Users": server.get(f"/api/access{org[4:]}/users"),
        "NewApiToken": server.post("/api/tokens", {"name": "openapi"}),
        "ApiTokenList": server.get("/api/tokens"),
        "UserList": server.get(f"/api/organization/{server.organization['id']}/users"),
        "DatalakeList": server.get(f"{org}/datalakes"),
        "DataSource": source,
        "Tag": tag,
        "Data": data,
        "DataList": server.get(f"/api/datalake/{lake['id']}/datas", params={"order_by": "-created_at", "limit": 5}),
        "Model": server.get(f"/api/model/{version['origin']['id']}"),
        "ModelVersion": version,
        "ModelContext": server.get(f"/api/model/version/{version['id']}/context"),
        "ModelFileList": server.get(f"/api/model/version/{version['id']}/modelfiles"),
        "Deployment": server.deployment(colours),
        "DeploymentEventList": server.get(f"/api/deployment/{colours['id']}/history"),
        "Connector": server.get(f"/api/deployment/{colours['id']}/datalake/connector"),
        "Latency": server.get(f"/api/deployment/{colours['id']}/latency"),
        "Dashboard": server.get(f"/api/deployment/{colours['id']}/dashboard"),
        "Heatmap": server.get(f"/api/deployment/{colours['id']}/heatmap"),
        "PredictAnswer": answer,
        "PredictedAsset": server.get(f"/api/predicted/asset/{answer['predicted_asset_id']}"),
        "RecipeFieldList": server.get(f"/api/model/version/{version['id']}/recipe/fields"),
        "TryAnswer": server.call("POST", f"/api/model/version/{version['id']}/try", 200, **form),
        "Job": done,
        "JobList": server.get(f"{org}/jobs"),
        **dataset_things(server, org, data),
        **review_things(server, colours),
        **alert_things(server, colours, org),
        "Error": server.call("GET", "/api/model/x").json(),
    }


@pytest.mark.parametrize(
    "name",
    [
        "Session", "Ping", "Organization", "Users", "NewApiToken", "ApiTokenList", "DatalakeList", "DataSource", "Tag", "Data",
        "DataList", "Model", "ModelVersion", "ModelContext", "ModelFileList", "Deployment", "DeploymentEventList", "Connector",
        "Latency", "PredictAnswer", "PredictedAsset", "RecipeFieldList", "TryAnswer", "Job", "JobList", "Error",
        "Dataset", "DatasetVersion", "Forked", "JobStarted", "Manifest", "DatasetDiff", "DatasetStats", "TagCounts", "AssetList",
        "Asset", "ExtendedAssetList", "IdPage",
        "Leased", "ReviewConflict", "PredictedAssetList", "Review", "Accepted", "Queue",
        "Quality", "Stats", "ImageStats", "Dashboard", "Heatmap",
        "Alerts", "Alert", "NewWebhook", "WebhookTest", "WebhookList", "DeliveryList", "Webhook",
    ],
)  # fmt: skip
def test_answers_are_as_described(contract, things, name):
    check(contract, things[name], contract["components"]["schemas"][name], name)
