# SPDX-License-Identifier: Apache-2.0
"""The mission as one script of the unmodified SDK: a version is deployed, all four parts of its pipeline are set, pictures are
predicted on and reviewed, a training begins by itself, its version is a shadow, and becomes the champion.

What the SDK has no call for (submitting reviews; the share kept to measure with) is plain HTTP. The trainer trains nothing:
it gives back the model that the parameters name.
"""

import harness
import pytest
import samples
import trainings

picsellia = pytest.importorskip("picsellia")
from picsellia import Client  # noqa: E402
from picsellia.types.enums import ContinuousDeploymentPolicy, ContinuousTrainingTrigger  # noqa: E402

THRESHOLD, TRAINED_ON = 4, 24


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with harness.Server(tmp_path_factory.mktemp("mission"), "--trainer", trainings.FAKE) as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


def set_up(client, server, deployment, version, candidate):
    deployment.set_training_data(version)
    deployment.setup_feedback_loop()
    deployment.attach_dataset_version_to_feedback_loop(version)
    deployment.toggle_feedback_loop(True)
    server.patch(f"/api/deployment/{deployment.id}/pipeline/fl", {"submit_by_itself": False, "evaluation_share": 0})
    deployment.setup_continuous_training(
        client.create_project("belt"), trigger=ContinuousTrainingTrigger.FEEDBACK_LOOP, threshold=THRESHOLD,
        experiment_parameters={"epochs": 2, "fake_output": str(candidate)},
    )  # fmt: skip
    deployment.attach_dataset_version_to_continuous_training("train", version)
    deployment.setup_continuous_deployment(ContinuousDeploymentPolicy.DEPLOY_SHADOW)


def predict_and_review(server, deployment, folder):
    """Every answer of the champion is wrong; the reviewer knows what is right."""
    reviewed = []
    for n in range(THRESHOLD):
        colour = trainings.COLOURS[n % 3]
        path = folder / f"seen-{n}.png"
        path.write_bytes(trainings.picture(colour, 500 + n))
        answer = deployment.predict(str(path), source="belt", tags=["mission"])
        assert answer["shapes"][0]["label"] != colour
        asset = deployment.find_predicted_asset(id=answer["predicted_asset_id"])
        asset.add_review(classifications=[colour])
        reviewed.append(str(asset.id))
    assert server.post(f"/api/deployment/{deployment.id}/submit", {"ids": reviewed})["submitted"] == THRESHOLD


def test_the_mission_by_the_sdk(client, server, tmp_path):
    wrong = samples.colour_classifier(tmp_path, -4.0, "wrong.onnx")
    right = samples.colour_classifier(tmp_path, 4.0, "right.onnx")
    server.push(wrong, "sorter", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    trainings.dataset(server, tmp_path, "parts", TRAINED_ON)
    model = client.get_model("sorter")
    deployment = model.get_version(0).deploy(name="belt", min_threshold=0.1)
    version = client.get_dataset("parts").get_version("first")
    set_up(client, server, deployment, version, right)
    predict_and_review(server, deployment, tmp_path)

    path = f"/api/organization/{server.organization['id']}/trainings"
    [training] = harness.wait_until(lambda: server.get(path)["items"], 30, "a training to begin by itself")
    training = trainings.ended(server, training)
    assert (training["status"], training["trigger"]) == ("SUCCESS", "FEEDBACK_LOOP"), training["error"]
    assert training["evaluation"]["candidate"] > training["evaluation"]["champion"]

    # The Experiment, as the SDK sees it: what it was trained on, what it logged, and the version that came of it.
    experiment = client.get_experiment_by_id(training["experiment"]["id"])
    snapshot = experiment.get_dataset("train")
    assert snapshot.version.startswith("first · run 1") and snapshot.id != version.id
    assert len(snapshot.list_assets()) == TRAINED_ON + THRESHOLD
    assert experiment.get_log("train/loss").data
    second = model.get_version(1)
    assert str(second.id) == training["candidate"]["model_version_id"]
    assert str(deployment.sync()["shadow_model_version_id"]) == str(second.id)

    deployment.set_model(second)
    assert deployment.get_model_version().id == second.id
    path = tmp_path / "now.png"
    path.write_bytes(trainings.picture("green", 900))
    assert deployment.predict(str(path))["shapes"][0]["label"] == "green"
    deployment.update(name="north belt", min_threshold=0.3)
    assert server.deployment({"id": str(deployment.id)})["min_threshold"] == pytest.approx(0.3)
