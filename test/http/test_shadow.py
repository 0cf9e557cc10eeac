# SPDX-License-Identifier: Apache-2.0
"""Shadows: versions that follow a deployment's log, each at its own pace, and never in the champion's way."""

import hashlib
import os
import random
import signal
import uuid

import harness
import models
import pytest
import requests
import samples
import yaml
from load import Load
from shadowing import background_children, colour_versions, set_shadow, shadow_of, shadow_rows, wait_caught_up
from test_openapi import check

GAINS = (2.0, 3.0, 4.0)


@pytest.fixture(scope="module")
def versions(server, models_folder):
    return colour_versions(server, models_folder, "shadowed", GAINS)


@pytest.fixture
def own(server, versions):
    """A deployment of the first version that the test may change."""
    deployment = server.deploy(versions[0], f"shadow-{uuid.uuid4().hex[:8]}", 0.1)
    yield deployment
    server.call("DELETE", f"/api/deployment/{deployment['id']}")


def predict_some(server, deployment, count, first=0):
    return [server.predict(deployment, samples.photo(samples.COLOURS[n % 3], 64 + n, 48)) for n in range(first, first + count)]


def assets_of(server, deployment):
    return server.predicted_assets(deployment, order_by="created_at")[0]


def shadows_path(deployment, version=None, verb=""):
    path = f"/api/deployment/{deployment['id']}/shadow"
    return path + (f"/{version['id']}" if version else "") + (f"/{verb}" if verb else "")


# ---- following -----------------------------------------------------------------------------------------------------


def test_a_shadow_predicts_what_the_champion_predicted(server, own, versions):
    before = server.deployment(own)
    assert before["shadows"] == [] and before["shadow_model_version_id"] is None
    predict_some(server, own, 3)
    answer = set_shadow(server, own, versions[1])
    assert answer["shadow_model_version_id"] == versions[1]["id"] and answer["shadows"][0]["lag"] == 0
    champion = predict_some(server, own, 9, first=3)
    wait_caught_up(server, own, versions[1])
    shadow = shadow_of(server, own, versions[1])
    assert shadow["state"] == "FOLLOWING" and shadow["state_text"] is None and shadow["skipped"] == 0
    assert shadow["predictions"] == shadow["compared"] == 9 and shadow["model_name"] == "shadowed" and shadow["version"] == 1
    assert shadow["mean_cpu_ms"] > 0 and shadow["champion_mean_cpu_ms"] > 0 and shadow["since"]
    assert server.deployment(own)["champion"]["mean_cpu_ms"] == pytest.approx(shadow["champion_mean_cpu_ms"])
    assets = assets_of(server, own)
    assert [len(a["predictions"]) for a in assets] == [1] * 3 + [2] * 9
    for number, asset in enumerate(assets):
        first, *rest = asset["predictions"]
        colour = samples.COLOURS[number % 3]
        assert not first["is_shadow"] and first["model_version_id"] == versions[0]["id"]
        for prediction in rest:
            assert prediction["is_shadow"] and prediction["model_version_id"] == versions[1]["id"]
            assert prediction["threshold"] == pytest.approx(0.1)
            best = prediction["shapes"][0]
            assert best["label"] == colour
            assert best["score"] == pytest.approx(samples.colour_scores(colour, 3.0)[colour], abs=0.01)
    assert [a["oracle_prediction_id"] for a in assets[3:]] == [a["id"] for a in champion]
    assert server.deployment(own)["stats"]["inferences"] == 12, "a shadow's predictions are not the champion's"


def test_from_the_start_of_the_log_and_several_at_once(server, own, versions):
    predict_some(server, own, 7)
    set_shadow(server, own, versions[1], since="start")
    set_shadow(server, own, versions[2])
    predict_some(server, own, 2, first=7)
    wait_caught_up(server, own, *versions[1:])
    got = server.deployment(own)
    assert [s["model_version_id"] for s in got["shadows"]] == [versions[2]["id"], versions[1]["id"]], "the newest first"
    assert got["shadow_model_version_id"] == versions[2]["id"]
    assert [s["predictions"] for s in got["shadows"]] == [2, 9]
    stored = shadow_rows(server, own)
    assert len(stored) == len(set(stored)) == 11
    for asset in assets_of(server, own)[7:]:
        assert [p["model_version_id"] for p in asset["predictions"]] == [v["id"] for v in versions], "champion, then by version"


def test_the_latency_chart_has_the_shadows_points(server, own, versions):
    set_shadow(server, own, versions[1])
    predict_some(server, own, 5)
    wait_caught_up(server, own, versions[1])
    chart = server.get(f"/api/deployment/{own['id']}/latency")
    assert len(chart["points"]) == len(chart["shadow_points"]) == 5 and chart["count"] == 5
    assert chart["shadow_model_version_id"] == versions[1]["id"]
    # The same images at the same times: the shadow's point stands where the image came.
    assert [(p[0], p[2]) for p in chart["points"]] == [(p[0], p[2]) for p in chart["shadow_points"]]
    assert all(0 < p[1] < 1 for p in chart["shadow_points"])
    cpu = server.get(f"/api/deployment/{own['id']}/latency", params={"cpu": 1})
    assert [p[2] for p in cpu["points"]] == [p[2] for p in chart["points"]]
    assert all(c[1] <= p[1] for c, p in zip(cpu["points"], chart["points"])), "CPU time is within the time that passed"
    mean = sum(p[1] for p in cpu["points"]) / 5
    assert cpu["mean_s"] == pytest.approx(mean) and server.deployment(own)["champion"]["mean_cpu_ms"] == pytest.approx(mean * 1e3)
    nobody = server.get(f"/api/deployment/{own['id']}/latency", params={"shadow": versions[2]["id"]})
    assert nobody["shadow_points"] == []


def test_the_threshold_redraws_shadows_too(server, own, versions):
    set_shadow(server, own, versions[1])
    predict_some(server, own, 1)
    wait_caught_up(server, own, versions[1])
    (asset,) = assets_of(server, own)
    counts = {}
    for threshold in (0.01, 0.99):
        again = server.get(f"/api/predicted/asset/{asset['id']}", params={"threshold": threshold})
        counts[threshold] = [len(p["shapes"]) for p in again["predictions"]]
    assert counts == {0.01: [3, 3], 0.99: [1, 1]}


def test_the_answers_are_as_described(server, own, versions):
    contract = yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())
    set_shadow(server, own, versions[1])
    (first,) = predict_some(server, own, 1)
    wait_caught_up(server, own, versions[1])
    things = {
        "Deployment": server.deployment(own),
        "DeploymentEventList": server.get(f"/api/deployment/{own['id']}/history"),
        "Latency": server.get(f"/api/deployment/{own['id']}/latency"),
        "PredictAnswer": ask(server, own, first).json(),
        "PredictedAsset": server.get(f"/api/predicted/asset/{first['predicted_asset_id']}"),
    }
    assert things["Deployment"]["shadows"] and len(things["PredictedAsset"]["predictions"]) == 2
    for name, value in things.items():
        check(contract, value, contract["components"]["schemas"][name], name)


# ---- set, removed, promoted --------------------------------------------------------------------------------------------


def test_what_cannot_be_a_shadow(server, own, versions, blocks):
    empty = server.make_version(server.make_model("shadow-without-a-file"), "CLASSIFICATION")
    set_shadow(server, own, versions[1])
    cases = [
        (versions[0]["id"], 409, "is the champion"),
        (versions[1]["id"], 409, "a shadow of deployment"),
        (blocks["model_version_id"], 409, "OBJECT_DETECTION"),
        (empty["id"], 409, "no ONNX file"),
        (str(uuid.uuid4()), 404, "no model version"),
        ("nonsense", 400, "model_version_id"),
        (None, 400, "model_version_id"),
    ]
    for version, code, sentence in cases:
        refused = server.call("POST", shadows_path(own), json={"model_version_id": version})
        assert refused.status_code == code and sentence.lower() in refused.json()["message"].lower(), refused.text
        assert refused.json()["message"].endswith(".")
    refused = server.call("POST", shadows_path(own), json={"model_version_id": versions[2]["id"], "since": "yesterday"})
    assert refused.status_code == 400 and "since" in refused.json()["message"]
    assert len(server.deployment(own)["shadows"]) == 1
    nowhere = server.call("POST", f"/api/deployment/{uuid.uuid4()}/shadow", json={"model_version_id": versions[1]["id"]})
    assert nowhere.status_code == 404


def test_removed_it_stops_and_its_predictions_stay(server, own, versions):
    set_shadow(server, own, versions[1])
    predict_some(server, own, 3)
    wait_caught_up(server, own, versions[1])
    after = server.delete(shadows_path(own, versions[1]), expect=200)
    assert after["shadows"] == [] and after["shadow_model_version_id"] is None
    predict_some(server, own, 3, first=3)
    harness.wait_until(lambda: background_children(server) == [], 20, "the shadow's process to end")
    assert [len(a["predictions"]) for a in assets_of(server, own)] == [2, 2, 2, 1, 1, 1]
    again = server.call("DELETE", shadows_path(own, versions[1]))
    assert again.status_code == 404 and "no shadow" in again.json()["message"]
    # Set anew from the start it predicts on what it has not yet, and on nothing twice.
    set_shadow(server, own, versions[1], since="start")
    wait_caught_up(server, own, versions[1])
    stored = shadow_rows(server, own)
    assert len(stored) == len(set(stored)) == 6 and shadow_of(server, own, versions[1])["predictions"] == 3
    what = [(e["what"], e["from"], e["to"]) for e in server.get(f"/api/deployment/{own['id']}/history")["items"]]
    version = versions[1]["id"]
    assert what[:3] == [("shadow_set", None, version), ("shadow_removed", version, None), ("shadow_set", None, version)]


def test_promoted_and_gone_back(server, own, versions):
    set_shadow(server, own, versions[1])
    set_shadow(server, own, versions[2])
    predict_some(server, own, 2)
    wait_caught_up(server, own, *versions[1:])
    not_one = server.call("POST", shadows_path(own, versions[0], "promote"), json={})
    assert not_one.status_code == 404 and "no shadow" in not_one.json()["message"]
    after = server.post(shadows_path(own, versions[1], "promote"), {"keep_old_as_shadow": True})
    assert after["model_version_id"] == versions[1]["id"] and after["champion"]["version"] == 1
    assert [s["model_version_id"] for s in after["shadows"]] == [versions[0]["id"], versions[2]["id"]]
    assert all(s["compared"] == 0 and s["mean_cpu_ms"] is None for s in after["shadows"]), "against the new champion: nothing yet"
    answers = predict_some(server, own, 3, first=2)
    assert {a["model_version_id"] for a in answers} == {versions[1]["id"]}
    wait_caught_up(server, own, versions[0], versions[2])
    assert shadow_of(server, own, versions[0])["predictions"] == 3 and shadow_of(server, own, versions[2])["predictions"] == 5
    assert shadow_of(server, own, versions[2])["compared"] == 3
    back = server.post(f"/api/deployment/{own['id']}/rollback")
    assert back["model_version_id"] == versions[0]["id"]
    assert [s["model_version_id"] for s in back["shadows"]] == [versions[2]["id"]], "a champion is no shadow"
    what = [e["what"] for e in server.get(f"/api/deployment/{own['id']}/history")["items"]]
    assert what[:4] == ["rolled_back", "shadow_removed", "shadow_set", "promoted"]
    # In the images that the new champion saw first as a shadow its predictions stay those of a shadow.
    first = assets_of(server, own)[0]["predictions"]
    assert [p["is_shadow"] for p in first] == [False, True, True]


def test_a_shadow_that_is_deployed_is_none_any_more(server, own, versions):
    set_shadow(server, own, versions[1])
    after = server.post(f"/api/deployment/{own['id']}/model", {"model_version_id": versions[1]["id"]})
    assert after["shadows"] == [] and after["model_version_id"] == versions[1]["id"]
    predict_some(server, own, 2)
    assert [len(a["predictions"]) for a in assets_of(server, own)] == [1, 1]


def test_changes_under_load(server, own, versions):
    """Set, removed, promoted with and without the old one, while clients predict: no request fails, nothing is there twice."""
    chance = random.Random(5)
    with Load(server, own, clients=3) as load:
        harness.wait_until(lambda: len(load.answers) > 10, 30, "the load to run")
        for _ in range(12):
            shadows = server.deployment(own)["shadows"]
            champion = server.deployment(own)["model_version_id"]
            others = [v for v in versions if v["id"] != champion and v["id"] not in [s["model_version_id"] for s in shadows]]
            verb = chance.choice(["set", "set", "remove", "promote", "promote"])
            if verb == "set" and others:
                set_shadow(server, own, chance.choice(others), since=chance.choice(["now", "start"]))
            elif shadows and verb == "remove":
                server.delete(shadows_path(own, {"id": chance.choice(shadows)["model_version_id"]}))
            elif shadows:
                version = {"id": chance.choice(shadows)["model_version_id"]}
                server.post(shadows_path(own, version, "promote"), {"keep_old_as_shadow": chance.random() < 0.7})
            seen = len(load.answers)
            harness.wait_until(lambda seen=seen: len(load.answers) > seen + 5, 30, "more answers")
    assert not load.failures and not load.broken, (load.failures[:3], load.broken[:3])
    left = [v for v in versions if shadow_of(server, own, v)]
    wait_caught_up(server, own, *left)
    stored = shadow_rows(server, own)
    assert len(stored) == len(set(stored))
    assets = assets_of(server, own)
    assert len(assets) == len(load.answers)
    for asset in assets:
        spoken = [p["model_version_id"] for p in asset["predictions"]]
        assert len(spoken) == len(set(spoken)) and not asset["predictions"][0]["is_shadow"]


def test_a_version_that_is_a_shadow_is_deployed(server, own, versions, models_folder):
    (other,) = colour_versions(server, models_folder, "shadow-kept", [5.0])
    model = server.make_model("shadow-kept")
    set_shadow(server, own, other)
    for path in (f"/api/model/version/{other['id']}", f"/api/model/{model['id']}"):
        refused = server.call("DELETE", path)
        assert refused.status_code == 409 and own["name"] in refused.json()["message"], refused.text
    uses = server.get(f"/api/model/version/{other['id']}")["deployments"]
    assert [(u["id"], u["role"]) for u in uses] == [(own["id"], "shadow")]
    server.delete(f"/api/deployment/{own['id']}")
    harness.wait_until(lambda: background_children(server) == [], 20, "the shadow's process to end with its deployment")
    server.delete(f"/api/model/{model['id']}")


def test_it_rests_while_the_deployment_is_paused(server, own, versions):
    predict_some(server, own, 4)
    server.post(f"/api/deployment/{own['id']}/pause")
    set_shadow(server, own, versions[1], since="start")
    harness.wait_until(lambda: shadow_of(server, own, versions[1])["state"] == "PAUSED", 20, "the shadow to rest")
    shadow = shadow_of(server, own, versions[1])
    assert shadow["state_text"].endswith(".") and shadow["lag"] == 4 and shadow["predictions"] == 0
    server.post(f"/api/deployment/{own['id']}/resume")
    wait_caught_up(server, own, versions[1])
    shadow = shadow_of(server, own, versions[1])
    assert shadow["state"] == "FOLLOWING" and shadow["predictions"] == 4


def test_a_deleted_image_is_no_image(server, own, versions):
    answers = predict_some(server, own, 4)
    server.delete(f"/api/predicted/asset/{answers[1]['predicted_asset_id']}")
    set_shadow(server, own, versions[1], since="start")
    wait_caught_up(server, own, versions[1])
    shadow = shadow_of(server, own, versions[1])
    assert shadow["predictions"] == 3 and shadow["skipped"] == 0


# ---- restarts and failures -----------------------------------------------------------------------------------------------


def test_a_restart_goes_on_where_it_was(fresh, tmp_path):
    server = fresh.start()
    versions = colour_versions(server, tmp_path, "restarted")
    deployment = server.deploy(versions[0], "restarted", 0.1)
    predict_some(server, deployment, 5)
    server.post(f"/api/deployment/{deployment['id']}/pause")
    for version in versions[1:]:
        set_shadow(server, deployment, version, since="start")
    assert server.stop() == 0
    server.start()
    server.post(f"/api/deployment/{deployment['id']}/resume")
    wait_caught_up(server, deployment, *versions[1:])
    before = sorted(shadow_rows(server, deployment))
    assert len(before) == len(set(before)) == 10
    assert server.stop() == 0
    server.start()
    assert [s["predictions"] for s in server.deployment(deployment)["shadows"]] == [5, 5]
    harness.wait_until(lambda: server.deployment(deployment)["status"] == "SERVING", 30, "the champion")
    predict_some(server, deployment, 2, first=5)
    wait_caught_up(server, deployment, *versions[1:])
    after = sorted(shadow_rows(server, deployment))
    assert len(after) == len(set(after)) == 14 and set(before) <= set(after)
    assert server.stop() == 0
    harness.assert_clean(server)


def test_an_image_that_is_gone_is_passed_over(fresh, tmp_path):
    server = fresh.start()
    versions = colour_versions(server, tmp_path, "gone")
    deployment = server.deploy(versions[0], "gone", 0.1)
    pictures = [samples.photo(colour, 60 + n, 40) for n, colour in enumerate(samples.COLOURS * 2)]
    for picture in pictures:
        server.predict(deployment, picture)
    lost, broken = (hashlib.sha256(pictures[n]).hexdigest() for n in (1, 3))
    (server.data / "blobs" / lost[:2] / lost).unlink()
    (server.data / "blobs" / broken[:2] / broken).write_bytes(pictures[3][:100])
    set_shadow(server, deployment, versions[1], since="start")
    wait_caught_up(server, deployment, versions[1])
    shadow = shadow_of(server, deployment, versions[1])
    assert shadow["predictions"] == 4 and shadow["skipped"] == 2 and shadow["skipped_text"].endswith(".")
    assert shadow["state"] == "FOLLOWING"
    assert [len(a["predictions"]) for a in assets_of(server, deployment)] == [2, 1, 2, 1, 2, 2]
    metrics = requests.get(server.url + "/metrics", timeout=harness.CALL_TIMEOUT).text
    assert "gyre_shadow_predictions_total 4" in metrics and "gyre_shadow_skipped_total 2" in metrics
    assert server.stop() == 0


def test_a_killed_process_of_a_shadow_costs_nothing(server, own, versions):
    set_shadow(server, own, versions[1])
    with Load(server, own, clients=2) as load:
        for _ in range(3):
            seen = shadow_of(server, own, versions[1])["predictions"]
            harness.wait_until(
                lambda seen=seen: shadow_of(server, own, versions[1])["predictions"] > seen + 3, 40, "the shadow to go on", 0.05
            )
            for pid in background_children(server):
                os.kill(pid, signal.SIGKILL)
    assert not load.failures and not load.broken
    wait_caught_up(server, own, versions[1])
    shadow = shadow_of(server, own, versions[1])
    assert shadow["skipped"] == 0 and shadow["predictions"] == len(load.answers) and shadow["state"] == "FOLLOWING"


BRIGHT = {"scale": 1.0, "mean": [0, 0, 0], "std": [1, 1, 1]}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("make", [models.endless_loop_when_bright, models.huge_kernel_when_bright], ids=lambda m: m.__name__)
def test_a_hanging_shadow_is_held_and_nobody_notices(fresh, tmp_path, make):
    """It hangs on every picture. It is held with a sentence, its images are passed over, the champion answers all the while."""
    fresh.arguments += ["--run_timeout_s", "1"]
    server = fresh.start()
    labels = ["dark", "bright"]
    path = tmp_path / "hanging.onnx"
    path.write_bytes(make())
    quiet = tmp_path / "quiet.onnx"
    quiet.write_bytes(models.endless_loop_when_bright())
    champion = server.push(quiet, "quiet", "CLASSIFICATION", labels, {**BRIGHT, "scale": 1 / 255})
    hanging = server.push(path, "hanging", "CLASSIFICATION", labels, BRIGHT)
    deployment = server.deploy(champion, "noticed", 0.1)
    set_shadow(server, deployment, hanging)
    with Load(server, deployment, clients=2) as load:
        harness.wait_until(lambda: shadow_of(server, deployment, hanging)["state"] == "HELD", 120, "the shadow to be held", 0.1)
        seen = len(load.answers)
        harness.wait_until(lambda: len(load.answers) > seen + 20, 30, "the champion to go on")
    assert not load.failures and not load.broken, (load.failures[:3], load.broken[:3])
    shadow = shadow_of(server, deployment, hanging)
    print(shadow["state_text"])
    assert shadow["state_text"].endswith(".") and "Next try at" in shadow["state_text"]
    assert shadow["predictions"] == 0 and shadow["lag"] > 0
    refused = server.call("POST", f"/api/v2/deployments/{deployment['id']}/predict/shadow",
                          json={"prediction_id": load.answers[-1][2]["id"], "monitor": True})  # fmt: skip
    assert refused.status_code in (500, 503, 504) and refused.json()["message"].endswith(".")
    server.delete(shadows_path(deployment, hanging))
    harness.wait_until(lambda: background_children(server) == [], 30, "its process to end")
    assert server.stop() == 0
    harness.assert_clean(server)


# ---- asked for --------------------------------------------------------------------------------------------------------


def ask(server, deployment, prediction, session=None, **body):
    return (session or server.session).post(
        f"{server.url}/api/v2/deployments/{deployment['id']}/predict/shadow",
        json={"prediction_id": prediction["id"], **body}, timeout=harness.CALL_TIMEOUT,
    )  # fmt: skip


def test_asked_for_it_predicts_at_once_and_once(server, own, versions):
    (first, second) = predict_some(server, own, 2)
    without = ask(server, own, first)
    assert without.status_code == 404 and "no shadow" in without.json()["message"]
    set_shadow(server, own, versions[1])
    unstored = ask(server, own, first, monitor=False)
    assert unstored.status_code == 200 and "id" not in unstored.json() and unstored.json()["is_shadow"] is True
    assert shadow_rows(server, own) == []
    answer = ask(server, own, first, monitor=True)
    assert answer.status_code == 200, answer.text
    got, champion = answer.json(), first
    assert set(got) == set(champion) | {"is_shadow"}
    assert got["model_version_id"] == versions[1]["id"] and got["model"] == {"name": "shadowed", "version": 1}
    assert got["predicted_asset_id"] == champion["predicted_asset_id"] and got["id"] != champion["id"]
    assert got["image"] == champion["image"] and got["latency"] > 0 and got["latency_ms"]["infer"] > 0
    assert got["shapes"][0]["score"] == pytest.approx(samples.colour_scores("red", 3.0)["red"], abs=0.01)
    assert got["detection_classes"] == [0] and got["detection_scores"] == [got["shapes"][0]["score"]]
    again = ask(server, own, first, monitor=True)
    assert again.status_code == 409 and again.json()["message"].endswith(".")
    assert shadow_rows(server, own) == [(champion["predicted_asset_id"], versions[1]["id"])]
    assert shadow_of(server, own, versions[1])["predictions"] == 1
    # By its own id the image is found, with the champion's prediction first.
    found = server.get(f"/api/deployment/{own['id']}/predictedassets/find", params={"oracle_prediction_id": got["id"]})
    assert found["oracle_prediction_id"] == champion["id"] and [p["is_shadow"] for p in found["predictions"]] == [False, True]
    unknown = ask(server, own, {"id": str(uuid.uuid4())})
    assert unknown.status_code == 404
    not_a_champions = ask(server, own, got)
    assert not_a_champions.status_code == 404


def test_where_the_follower_was_quicker_it_is_the_same_prediction(server, own, versions):
    set_shadow(server, own, versions[1])
    (first,) = predict_some(server, own, 1)
    wait_caught_up(server, own, versions[1])
    answer = ask(server, own, first)
    assert answer.status_code == 200
    (asset,) = assets_of(server, own)
    assert answer.json()["id"] == asset["predictions"][1]["id"]
    assert ask(server, own, first).status_code == 409
    assert ask(server, own, first, monitor=False).status_code == 200


def test_a_service_token_may_ask(server, own, versions):
    set_shadow(server, own, versions[1])
    (first,) = predict_some(server, own, 1)
    jwt = server.post("/api/login", {"api_token": server.token, "deployment_id": own["id"]}, expect=200)["jwt"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {jwt}"
        assert ask(server, own, first, session).status_code == 200
    with requests.Session() as session:
        assert ask(server, own, first, session).status_code == 401


# ---- the SDK, the command line ---------------------------------------------------------------------------------------------


def test_the_sdk(server, versions, tmp_path):
    picsellia = pytest.importorskip("picsellia")
    from picsellia import exceptions

    path = tmp_path / "red.jpg"
    path.write_bytes(samples.photo("red"))
    with picsellia.Client(api_token=server.token, host=server.url) as client:
        champion, candidate, third = (client.get_model_version_by_id(v["id"]) for v in versions)
        deployment = client.create_deployment(champion, name="sdk-shadowed", min_threshold=0.1)
        with pytest.raises(exceptions.NoShadowModel):
            deployment.get_shadow_model()
        answer = deployment.predict(path)
        asset = deployment.find_predicted_asset(oracle_prediction_id=answer["id"])
        with pytest.raises(exceptions.PredictionError, match="no shadow"):
            deployment.predict_shadow(asset)
        assert asset.get_shadow_prediction() is None
        deployment.set_shadow_model(candidate)
        assert deployment.get_shadow_model().id == candidate.id
        shadow = deployment.predict_shadow(asset)
        assert shadow["is_shadow"] and shadow["shapes"][0]["label"] == "red"
        with pytest.raises(exceptions.PredictionError):
            deployment.predict_shadow(asset)
        assert deployment.predict_shadow(asset, monitor=False)["shapes"] == shadow["shapes"]
        stored = deployment.find_predicted_asset(oracle_prediction_id=answer["id"]).get_shadow_prediction()
        assert stored["id"] == shadow["id"] and stored["model_version_id"] == str(candidate.id)
        deployment.set_shadow_model(third)
        assert deployment.get_shadow_model().id == third.id, "the newest"
        deployment.delete()
        both = client.create_deployment(champion, candidate, name="sdk-shadowed-from-the-start")
        assert both.get_shadow_model().id == candidate.id
        both.delete()


def test_the_command_line(server, cli, own, versions):
    name = own["name"]
    shown = cli("deployment", "shadow", "set", name, "shadowed:1", "--since", "start").stdout
    assert "shadow shadowed:1" in shown
    predict_some(server, own, 2)
    wait_caught_up(server, own, versions[1])
    shown = cli("deployment", "show", name).stdout
    assert "shadow shadowed:1" in shown and "2 predictions" in shown and "0 behind" in shown
    cli("deployment", "shadow", "promote", name, "shadowed:1", "--keep-old")
    got = server.deployment(own)
    assert got["champion"]["version"] == 1 and [s["version"] for s in got["shadows"]] == [0]
    cli("deployment", "shadow", "remove", name, "shadowed:0")
    assert server.deployment(own)["shadows"] == []
    refused = cli("deployment", "shadow", "remove", name, "shadowed:0", expect=1)
    assert "no shadow" in refused.stderr
    assert cli("deployment", "shadow", "set", name, expect=2).stderr
    assert cli("deployment", "shadow", "paint", name, "shadowed:0", expect=2).stderr
    assert cli("deployment", "shadow", "set", name, "shadowed:0", "--since", "noon", expect=1).stderr
