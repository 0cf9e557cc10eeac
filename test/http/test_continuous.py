# SPDX-License-Identifier: Apache-2.0
"""Continuous Training and Continuous Deployment: what counts, what starts once, what becomes of the result."""

import continuous
import harness
import pytest
import requests
import trainings
import yaml
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


def described(answer, name):
    contract = yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())
    check(contract, answer, contract["components"]["schemas"][name], name)


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
