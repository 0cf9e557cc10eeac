# SPDX-License-Identifier: Apache-2.0
"""Continuous Training and Continuous Deployment: what counts, what starts once, what becomes of the result."""

import functools

import continuous
import harness
import pytest
import samples
import trainings
import yaml
from load import Load
from test_openapi import check

picsellia = pytest.importorskip("picsellia")
from picsellia import Client  # noqa: E402
from picsellia.types.enums import ContinuousDeploymentPolicy, ContinuousTrainingTrigger  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this file's own, as its trainer is a setting."""
    folder = tmp_path_factory.mktemp("continuous")
    with harness.Server(folder / "server", "--trainer", trainings.FAKE) as running:
        yield running


@pytest.fixture
def line(server, tmp_path):
    return continuous.Line(server, tmp_path)


# ---- settings --------------------------------------------------------------------------------------------------------


def test_the_sdk_sets_and_switches_it(server, line):
    with Client(api_token=server.token, host=server.url) as client:
        deployment = client.get_deployment(name=line.name)
        project = client.get_project(line.name)
        version = client.get_dataset(line.name).get_version("first")
        deployment.setup_continuous_training(
            project, trigger=ContinuousTrainingTrigger.FEEDBACK_LOOP, threshold=150, experiment_parameters={"epochs": 3}
        )
        now = line.training()
        assert now["set"] and now["active"] and now["threshold"] == 150 and now["parameters"] == {"epochs": 3}
        assert now["project"] == {"id": line.project["id"], "name": line.name} and now["trigger"] == "FEEDBACK_LOOP"
        assert now["state"] == "unready" and now["base"]["champion"] and now["base"]["model"] == line.name
        deployment.attach_dataset_version_to_continuous_training("train", version)
        now = line.training()
        assert [d["name"] for d in now["datasets"]] == ["train"] and now["datasets"][0]["images"] == 12
        assert now["state"] == "counting" and now["problems"] == []
        deployment.toggle_continuous_training(active=False)
        assert line.training()["state"] == "off"
        deployment.toggle_continuous_training(active=True)
        assert line.training()["state"] == "counting"
        deployment.detach_dataset_version_from_continuous_training(version)
        assert line.training()["datasets"] == [] and line.training()["state"] == "unready"

        deployment.setup_continuous_deployment(ContinuousDeploymentPolicy.DEPLOY_MANUAL)
        now = line.cd()
        assert now["set"] and now["active"] and now["policy"] == "DEPLOY_MANUAL"
        assert now["gate"] and now["tolerance"] == 0.05 and now["keep_days"] == 7 and not now["promote_by_itself"]
        deployment.toggle_continuous_deployment(active=False)
        assert line.cd()["state"] == "off"


@functools.lru_cache
def contract():
    return yaml.load((harness.REPOSITORY / "api" / "openapi.yaml").read_text(), yaml.CSafeLoader)


def described(answer, name):
    check(contract(), answer, contract()["components"]["schemas"][name], name)


def test_answers_are_as_described(line):
    described(line.training(), "ContinuousTraining")
    described(line.set(threshold=40), "ContinuousTraining")
    described(line.cd(), "ContinuousDeployment")
    described(line.deploy_by("DEPLOY_CHAMPION", tolerance=0.1, keep_days=1), "ContinuousDeployment")


def test_before_it_is_set_it_suggests(line):
    now = line.training()
    assert not now["set"] and now["state"] == "off" and now["threshold"] == 50
    (dataset,) = now["suggestion"]["datasets"]
    assert dataset["name"] == "train" and dataset["dataset_version"]["id"] == line.version["id"]
    assert not line.cd()["set"] and line.cd()["policy"] == "DEPLOY_SHADOW"


def refusal(line, **more):
    return line.set(expect=(400, 404, 409, 422), **more)["message"]


def test_what_cannot_run_is_refused_with_the_reason(server, line, tmp_path):
    assert "from 1" in refusal(line, threshold=0)
    assert "project" in refusal(line, project_id="00000000-0000-7000-8000-000000000000")
    assert "experiment_parameters" in refusal(line, experiment_parameters={})
    boxes = trainings.dataset(server, tmp_path, line.name + "-boxes", 3, kind="OBJECT_DETECTION")
    message = line.attach("more", boxes, expect=422)["message"]
    assert "OBJECT_DETECTION" in message and "CLASSIFICATION" in message
    empty = server.make_version(server.make_model(line.name + "-empty"), "CLASSIFICATION")
    assert "no ONNX file" in refusal(line, base=empty["id"])
    assert not line.training()["set"], "a refusal leaves nothing"
    other = server.deploy(line.champion, line.name + "-alone", 0.1)
    body = {"project_id": line.project["id"], "experiment_parameters": {"epochs": 1}, "trigger": "FEEDBACK_LOOP", "threshold": 5}
    path = f"/api/deployment/{other['id']}/pipeline/ct"
    assert "Feedback Loop" in server.post(path, body, expect=422)["message"]
    server.post(path, {**body, "trigger": "NONE"})
    message = server.call("PUT", path, 422, json={"active": True})["message"]
    assert 'as "train"' in message
    assert 'as "train"' in server.post(path + "/run", {}, expect=422)["message"]


def test_without_a_trainer_it_says_what_to_install(tmp_path):
    with harness.Server(tmp_path / "server", "--trainer", "/nowhere/trainer --job {job}") as server:
        if server.get("/api/trainer")["available"]:
            pytest.skip("a command is believed until it runs")
        line = continuous.Line(server, tmp_path, images=3)
        assert line.set(expect=422)["message"] == server.get("/api/trainer")["reason"]


# ---- counting and running --------------------------------------------------------------------------------------------


def test_reviews_reach_the_threshold_and_one_training_runs(server, line):
    line.set(threshold=3)
    line.deploy_by("DEPLOY_SHADOW")
    first = line.submit(2)
    counts = line.training()["counts"]
    assert (counts["submitted"], counts["threshold"], counts["evaluation_only"]) == (2, 3, 0)
    server.post(f"/api/predicted/asset/{first[0]}/withdraw")
    assert line.training()["counts"]["submitted"] == 1
    assert line.trainings() == []
    line.submit(2)
    done = line.ended(1)
    assert done["status"] == "SUCCESS", done["error"]
    assert done["trigger"] == "FEEDBACK_LOOP" and done["why"].startswith("3 reviewed pictures were submitted")
    assert done["experiment"]["name"].startswith("v1 · ") and done["project"]["id"] == line.project["id"]
    assert done["base"]["model_version_id"] == line.champion["id"]
    assert done["decision"]["what"] == "SHADOW"

    now = line.training()
    assert now["counts"]["submitted"] == 0 and now["state"] == "counting" and now["last"]["id"] == done["id"]
    (shadow,) = line.deployment()["shadows"]
    assert shadow["model_version_id"] == done["candidate"]["model_version_id"]
    assert (shadow["role"], shadow["training_id"]) == ("CANDIDATE", done["id"])
    assert shadow["reason"] == done["decision"]["sentence"]
    assert line.cd()["last"]["what"] == "SHADOW" and line.cd()["last"]["version"] == 1
    events = {e["what"]: e for e in line.history()}
    assert events["shadow_set"]["by"] == "gyre" and events["shadow_set"]["why"] == done["decision"]["sentence"]

    # The snapshot is locked, and the open version goes on filling.
    (dataset,) = done["datasets"]
    snapshot = server.get(f"/api/dataset/version/{dataset['dataset_version_id']}")
    assert snapshot["locked"] and dataset["dataset_version_id"] != line.version["id"] and dataset["images"] == 15
    line.submit(1)
    assert server.get(f"/api/dataset/version/{dataset['dataset_version_id']}")["assets"] == 15
    assert line.training()["counts"]["submitted"] == 1 and len(line.trainings()) == 1


def test_train_now_is_one_training_however_often_it_is_clicked(server, line):
    line.set(threshold=100, parameters={"epochs": 2, "fake_seconds": 0.5})
    answers = [server.call("POST", line.path + "/pipeline/ct/run", json={}) for _ in range(3)]
    assert [a.status_code for a in answers] == [201, 409, 409]
    assert "runs already" in answers[1].json()["message"]
    described(answers[0].json(), "Training")
    assert line.training()["state"] == "running" and line.training()["open"]["id"] == answers[0].json()["id"]
    done = line.ended(1)
    assert done["status"] == "SUCCESS" and done["trigger"] == "HAND" and done["decision"]["what"] == "NONE"
    assert len(line.trainings()) == 1


def told_of_trainings(line):
    items = line.server.get(line.path + "/alerts")["events"]
    return [e for e in items if e["kind"] == "training_failed"]


def test_failures_are_told_and_two_pause_it(server, line):
    line.set(threshold=2, parameters={"epochs": 2, "fake_fail": 5})
    line.submit(2)
    failed = line.ended(1)
    assert failed["status"] == "FAILED"
    now = harness.wait_until(lambda: line.training()["failures"] == 1 and line.training(), 20, "the failure to count", 0.05)
    assert now["counts"]["submitted"] == 2 and now["counts"]["kept"] == 2 and "retry it" in now["state_text"]
    assert len(line.trainings()) == 1, "the same reviews are not trained on again by themselves"
    server.post(f"/api/training/{failed['id']}/retry")
    now = harness.wait_until(lambda: line.training()["state"] == "paused" and line.training(), 20, "the pause", 0.05)
    assert now["failures"] == 2 and "in a row failed" in now["state_text"]
    events = [e["what"] for e in line.history()]
    assert events.count("training_failed") == 2 and events.count("training_paused") == 1
    (told,) = told_of_trainings(line)
    assert told["closed_at"] is None and told["sentence"].startswith("Training 1 failed: ")
    assert told["detail"]["training_id"] == failed["id"] and told["detail"]["attempt"] == 1
    line.submit(2)
    assert line.training()["state"] == "paused" and len(line.trainings()) == 1
    line.set(threshold=2, parameters={"epochs": 2})
    done = line.ended(2)
    assert done["status"] == "SUCCESS" and done["why"].startswith("4 reviewed pictures")
    harness.wait_until(lambda: line.training()["failures"] == 0, 20, "the success to forgive", 0.05)
    counts = line.training()["counts"]
    assert (counts["submitted"], counts["kept"]) == (0, 0)
    (told,) = told_of_trainings(line)
    assert told["closed_at"] and told["closed_by"] == "gyre" and told["detail"]["closed"] == "Training 2 succeeded."


# ---- what becomes of it ----------------------------------------------------------------------------------------------


def test_better_or_equal_becomes_champion_and_goes_back(server, tmp_path):
    line = continuous.Line(server, tmp_path, test=33)
    line.set(threshold=2)
    line.deploy_by("DEPLOY_CHAMPION", keep_days=2)
    assert line.cd()["test_images"] == 33 and 0.1 < line.cd()["sees"] < 0.2 and "small" in line.cd()["note"]
    line.submit(2)
    done = line.ended(1)
    assert done["decision"]["what"] == "CHAMPION", (done["decision"], done["error"])
    now = line.deployment()
    assert now["model_version_id"] == done["candidate"]["model_version_id"]
    (former,) = now["shadows"]
    assert former["model_version_id"] == line.champion["id"] and former["role"] == "FORMER" and former["until"]
    events = line.history()
    assert events[0]["what"] == "shadow_set" and events[1]["what"] == "deployed" and events[1]["by"] == "gyre"
    assert events[1]["why"] == done["decision"]["sentence"]
    created = events[-1]
    assert created["what"] == "created" and created["can_go_back"] and not events[1]["can_go_back"]
    # Training Data that nobody chose is what the new champion was made of.
    training_data = server.get(line.path + "/pipeline/td")
    assert training_data["dataset_version"]["id"] in [d["dataset_version_id"] for d in done["datasets"]]
    server.post(line.path + "/rollback", {"model_version_id": created["to"]})
    assert line.deployment()["model_version_id"] == line.champion["id"] and line.deployment()["shadows"] == []


def test_worse_is_held_back_with_the_reason(server, tmp_path):
    line = continuous.Line(server, tmp_path, test=33)
    worse = samples.colour_classifier(tmp_path, gain=-2.0, name="worse.onnx")
    line.set(threshold=2, parameters={"epochs": 2, "fake_output": str(worse)})
    line.deploy_by("DEPLOY_CHAMPION")
    line.submit(2)
    done = line.ended(1)
    assert done["decision"]["what"] == "HELD" and "held back" in done["decision"]["sentence"], done["error"]
    now = line.deployment()
    assert now["model_version_id"] == line.champion["id"]
    (held,) = now["shadows"]
    assert held["role"] == "HELD" and held["reason"] == done["decision"]["sentence"]
    assert line.history()[0]["what"] == "held"
    # Promote anyway, and the champion before stays for a week; Training Data that a person chose stays what it is.
    server.post(line.path + "/pipeline/td/setup", {"dataset_version_id": line.test["id"]})
    server.post(f"{line.path}/shadow/{held['model_version_id']}/promote")
    (former,) = line.deployment()["shadows"]
    assert former["role"] == "FORMER" and former["until"]
    assert server.get(line.path + "/pipeline/td")["dataset_version"]["id"] == line.test["id"]


def test_with_few_test_pictures_the_gate_makes_a_shadow(server, tmp_path):
    line = continuous.Line(server, tmp_path, test=6)
    line.set(threshold=2)
    line.deploy_by("DEPLOY_CHAMPION")
    assert "fewer than 30" in line.cd()["note"]
    line.submit(2)
    done = line.ended(1)
    assert done["decision"]["what"] == "SHADOW" and "6 test pictures are too few" in done["decision"]["sentence"]


def test_by_hand_nothing_is_deployed(server, line):
    line.set(threshold=2)
    line.deploy_by("DEPLOY_MANUAL")
    line.submit(2)
    done = line.ended(1)
    assert done["decision"]["what"] == "MANUAL" and line.deployment()["shadows"] == []
    assert line.history()[0]["what"] == "kept" and line.history()[0]["why"] == done["decision"]["sentence"]


# ---- gate 5: nobody who asks for predictions notices ------------------------------------------------------------------


def test_load_through_whole_retrainings_and_all_policies(server, tmp_path):
    """A trained candidate becomes a shadow, waits, and becomes the champion, under load: no request fails."""
    line = continuous.Line(server, tmp_path, test=31)
    line.set(threshold=2, parameters={"epochs": 2, "fake_seconds": 0.1})
    seen = []
    with Load(server, line.raw, clients=2, stop_when_broken=False) as load:
        harness.wait_until(lambda: len(load.answers) > 20, 30, "the load to run")
        for epoch, policy in enumerate(("DEPLOY_SHADOW", "DEPLOY_MANUAL", "DEPLOY_CHAMPION"), 1):
            line.deploy_by(policy)
            line.submit(2)
            done = line.ended(epoch, 120)
            assert done["status"] == "SUCCESS", done["error"]
            seen.append(done["decision"]["what"])
        before = len(load.answers)
        harness.wait_until(lambda: len(load.answers) > before + 20, 30, "answers of the new champion")
        server.post(line.path + "/rollback")
        before = len(load.answers)
        harness.wait_until(lambda: len(load.answers) > before + 20, 30, "answers of the champion before")
    assert seen == ["SHADOW", "MANUAL", "CHAMPION"]
    assert not load.broken and not load.failures, (load.broken[:3], load.failures[:3])
    versions = {answer["model_version_id"] for _, _, answer in load.answers}
    assert versions == {line.champion["id"], done["candidate"]["model_version_id"]}
    print(f"{len(load.answers)} answers, p50 {load.percentile(0.5) * 1e3:.1f} ms, p99 {load.percentile(0.99) * 1e3:.1f} ms")
