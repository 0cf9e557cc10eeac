# SPDX-License-Identifier: Apache-2.0
"""Trainings from an experiment to the next version of its model, with a trainer that trains nothing."""

import json
import shutil
import sqlite3
import subprocess
import sys

import harness
import pytest
import samples
import trainings
import yaml
from test_openapi import check

STAGES = ["snapshot", "prepare", "train", "publish", "evaluate", "reference", "deploy"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this file's own, as its trainer is a setting."""
    folder = tmp_path_factory.mktemp("training")
    with harness.Server(folder / "server", "--trainer", trainings.FAKE, "--trainer-memory-mb", "300") as running:
        yield running


@pytest.fixture(scope="module")
def colours(server, tmp_path_factory):
    """A version of the colour classifier."""
    path = samples.colour_classifier(tmp_path_factory.mktemp("colours"))
    return server.push(path, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)


@pytest.fixture(scope="module")
def labelled(server, tmp_path_factory):
    return trainings.dataset(server, tmp_path_factory.mktemp("labelled"), "labelled", 30)


def logs(server, made):
    return {log["name"]: log for log in server.get(f"{made['path']}/logs/extended")["items"]}


def console(server, made):
    return [line["log"] for line in server.get(f"{made['path']}/logging/lines")["items"]]


def states(training):
    return {s["name"]: s["state"] for s in training["stages"]}


def sha256_of(server, version):
    """Where the version's file is among the blobs."""
    file = server.get(f"/api/model/version/{version['id']}/modelfiles")["items"][0]
    db = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
    key = db.execute("SELECT sha256 FROM object WHERE name = ?", (file["object_name"],)).fetchone()[0]
    db.close()
    return f"{key[:2]}/{key}"


def test_from_an_experiment_to_the_next_version(server, colours, labelled):
    made = trainings.experiment(
        server, "next version", {"train": labelled}, colours, epochs=4, fake_garbage=True, note="kept"
    )
    training = trainings.launch(server, made)
    assert training["status"] in ("WAITING", "RUNNING") and training["trigger"] == "LAUNCH"
    done = trainings.ended(server, training)
    assert done["status"] == "SUCCESS", done["error"]
    assert list(states(done)) == STAGES and set(states(done).values()) <= {"done", "passed"}
    assert done["cpu_s"] < 60, "of its own processes alone"
    assert done["exit_code"] == 0 and done["attempt"] == 1 and done["progress"] == 1
    assert done["base"]["model_version_id"] == colours["id"]

    version = server.get(f"/api/model/version/{done['candidate']['model_version_id']}")
    assert version["state"] == "READY" and version["version"] == colours["version"] + 1
    assert version["labels"] == colours["labels"] and version["origin"]["id"] == colours["origin"]["id"]
    files = server.get(f"/api/model/version/{version['id']}/modelfiles")["items"]
    assert {f["name"] for f in files} == {"model-latest", "report"}

    said = logs(server, made)
    assert said["train/loss"]["data"] == {"x": [1, 2, 3, 4], "y": pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])}
    assert said["val/accuracy"]["data"]["y"] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert said["val/accuracy/start"]["data"] == pytest.approx(0.1) and said["val/accuracy/start"]["type"] == "VALUE"
    assert said["train/class"]["type"] == said["learning_rate"]["type"] == "LINE"
    assert said["labelmap"]["data"] == {"0": "red", "1": "green", "2": "blue"}
    lines = console(server, made)
    assert "epoch 4 is done" in lines and "[1, 2]" in lines and all(len(line) < 4100 for line in lines)
    assert server.get(made["path"])["status"] == "SUCCESS"

    job = json.loads((trainings.run_folder(server, training) / "job.json").read_text())
    assert job["labels"] == job["base"]["labels"] == samples.COLOURS and job["task"] == "CLASSIFICATION"
    assert job["hyper"]["epochs"] == 4 and job["hyper"]["learning_rate"] is None and job["hyper"]["note"] == "kept"
    assert job["base"]["recipe"]["width"] == 32 and job["data"]["val"] is None


def test_candidate_and_champion_are_compared_on_what_was_kept(server, tmp_path, labelled):
    """The base calls everything by another colour's name; the result is right: all that was kept says so."""
    base = server.push(
        samples.colour_classifier(tmp_path, -2.0, "wrong.onnx"), "wrong", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE
    )
    right = samples.colour_classifier(tmp_path, 2.0, "right.onnx")
    made = trainings.experiment(server, "compared", {"train": labelled}, base, fake_output=str(right))
    training = trainings.launch(server, made)
    done = trainings.ended(server, training)
    assert done["status"] == "SUCCESS", done["error"]
    found = done["evaluation"]
    kept = json.loads((trainings.run_folder(server, training) / "test.json").read_text())
    assert found["images"] == len(kept) > 0 and found["metric"] == "accuracy" and found["few"] == (len(kept) < 30)
    assert (found["champion"], found["candidate"]) == (0, 1)
    assert found["difference"] == {"value": 1, "low": 1, "high": 1}
    assert len(found["better"]) == min(24, len(kept)) and found["worse"] == []
    assert sum(c["truths"] for c in found["classes"]) == len(kept) and found["champion50"] is None
    assert logs(server, made)["evaluation"]["type"] == "EVALUATION"


def test_a_first_model_from_labelled_pictures_alone(server, tmp_path):
    data = trainings.dataset(server, tmp_path, "first", 40)
    facts = server.get(f"{data['path']}/train")
    assert facts["can"] and facts["reason"] is None and facts["task"] == "CLASSIFICATION"
    assert facts["images"] == facts["labelled"] == sum(facts["split"].values()) == 40
    assert {c["label"] for c in facts["classes"]} == set(samples.COLOURS)
    assert facts["choices"][0]["arch"] == "cls-n" and facts["choices"][0]["input"] == [64, 64]
    wish = {"arch": "cls-n", "name": "first of its name", "parameters": {"epochs": 2}}
    training = server.post(f"{data['path']}/train", wish)
    assert training["trigger"] == "FIRST" and training["arch"] == "cls-n" and training["base"] is None
    assert training["project"]["name"] == "First models"
    server.post(f"{data['path']}/train", wish, expect=409)
    server.post(f"{data['path']}/train", {**wish, "name": "other", "arch": "det-t"}, expect=400)
    done = trainings.ended(server, training)
    assert done["status"] == "SUCCESS", done["error"]
    assert done["candidate"]["model"] == "first of its name" and done["candidate"]["version"] == 0
    assert done["evaluation"]["champion"] is None and done["evaluation"]["difference"] is None
    assert done["evaluation"]["candidate"] == 1
    job = json.loads((trainings.run_folder(server, training) / "job.json").read_text())
    assert job["base"] is None and job["arch"] == "cls-n" and job["input_size"] == [64, 64]
    unlabelled = trainings.dataset(server, tmp_path, "unlabelled", 1, ("red",))
    facts = server.get(f"{unlabelled['path']}/train")
    assert not facts["can"] and facts["reason"]


def test_the_sdk_launches_and_trains_fast(server, colours, labelled):
    picsellia = pytest.importorskip("picsellia")
    made = trainings.experiment(server, "by the sdk", {"train": labelled}, colours, epochs=2)
    with picsellia.Client(api_token=server.token, host=server.url) as client:
        experiment = client.get_project("trainings").get_experiment("by the sdk")
        job = experiment.launch()
        assert job.sync()["status"] in ("PENDING", "RUNNING", "SUCCEEDED")
        trainings.ended(server, {"id": str(job.id)})
        assert job.sync()["status"] == "SUCCEEDED"
        assert experiment.get_log("val/accuracy").data["x"] == [1, 2]
        assert experiment.get_artifact("model-latest").filename == "model.onnx"
        version = client.get_dataset_version_by_id(labelled["id"])
        fast = version.start_fast_training("as fast as it can")
        assert [f.experiment_id for f in version.list_fast_trainings()] == [fast.experiment_id]
        done = trainings.ended(server, {"id": fast.sync()["job_run_id"]})
        assert done["status"] == "SUCCESS" and fast.sync()["status"] == "SUCCEEDED", done["error"]
        assert fast.get_parameters()["input_size"] == 64
    assert made["name"] == "by the sdk"


def test_an_experiment_is_launched_once(server, colours, labelled):
    made = trainings.experiment(server, "once", {"train": labelled}, colours)
    training = trainings.launch(server, made)
    server.post(f"{made['path']}/launch", {"gpus": 1}, expect=409)
    trainings.ended(server, training)
    server.post(f"{made['path']}/launch", {"gpus": 1}, expect=409)
    assert server.get(f"{made['path']}/training")["id"] == training["id"]
    listed = server.get(f"/api/organization/{server.organization['id']}/trainings")
    assert listed["items"][0]["id"] == training["id"]


def test_what_cannot_be_trained_is_refused_with_the_reason(server, colours, labelled):
    made = trainings.experiment(server, "no data", {"test": labelled}, colours)
    assert "nothing to train on" in server.post(f"{made['path']}/launch", expect=400)["message"]
    made = trainings.experiment(server, "no base", {"train": labelled})
    assert "starts from nothing" in server.post(f"{made['path']}/launch", expect=400)["message"]
    assert server.get(f"{made['path']}/training", expect=404)


@pytest.mark.parametrize(
    ("parameters", "status", "text"),
    [
        ({"fake_fail": 5}, "FAILED", "It was told to fail."),
        ({"fake_megabytes": 500, "fake_seconds": 20}, "FAILED", "more than the 300 MB"),
        ({"fake_resumes": 9, "epochs": 12}, "FAILED", "several times"),
    ],
)
def test_failures_are_told(server, colours, labelled, parameters, status, text):
    made = trainings.experiment(server, f"fails {text}", {"train": labelled}, colours, **parameters)
    done = trainings.ended(server, trainings.launch(server, made))
    assert done["status"] == status and text in done["error"], done["error"]
    assert states(done)["train"] == "failed" and states(done)["publish"] == "waiting" and done["candidate"] is None
    assert server.get(made["path"])["status"] == "FAILED"


def test_a_trainer_that_asks_to_be_started_again_goes_on_where_it_was(server, colours, labelled, tmp_path):
    starts = tmp_path / "starts"
    made = trainings.experiment(
        server, "resumes", {"train": labelled}, colours, epochs=5, fake_resumes=2, fake_starts=str(starts)
    )
    done = trainings.ended(server, trainings.launch(server, made))
    assert done["status"] == "SUCCESS", done["error"]
    assert [line.split()[1:] for line in starts.read_text().splitlines()] == [["0", "False"], ["1", "True"], ["1", "True"]]
    assert logs(server, made)["train/loss"]["data"]["x"] == [1, 2, 3, 4, 5]


def test_a_result_that_is_no_model_is_refused_and_trained_again(server, colours, labelled, tmp_path):
    starts, bad = tmp_path / "starts", tmp_path / "bad.onnx"
    bad.write_bytes(b"no model")
    made = trainings.experiment(
        server, "refused", {"train": labelled}, colours, epochs=1, fake_output=str(bad), fake_starts=str(starts)
    )
    training = trainings.launch(server, made)
    done = trainings.ended(server, training)
    assert done["status"] == "FAILED" and "cannot be used" in done["error"] and states(done)["publish"] == "failed"
    bad.write_bytes((server.data / "blobs" / sha256_of(server, colours)).read_bytes())
    server.post(f"/api/training/{training['id']}/retry")
    assert trainings.ended(server, training)["status"] == "SUCCESS"
    assert len(starts.read_text().splitlines()) == 2


def test_an_experiment_that_is_deleted_ends_its_trainer(server, colours, labelled, tmp_path):
    starts = tmp_path / "starts"
    made = trainings.experiment(
        server, "deleted", {"train": labelled}, colours, epochs=60, fake_seconds=1, fake_starts=str(starts)
    )
    training = trainings.launch(server, made)
    harness.wait_until(starts.exists, 30, "the trainer to start")
    harness.wait_until(starts.read_text, 30, "its line")
    server.delete(made["path"])
    pid = int(starts.read_text().split()[0])
    harness.wait_until(lambda: not harness.alive(pid), 30, "the trainer to end")
    server.get(f"/api/training/{training['id']}", expect=404)


def test_cancel_and_retry(server, colours, labelled, tmp_path):
    starts = tmp_path / "starts"
    made = trainings.experiment(
        server, "cancelled", {"train": labelled}, colours, epochs=3, fake_seconds=0.5, fake_starts=str(starts)
    )
    training = trainings.launch(server, made)
    harness.wait_until(lambda: "train/loss" in logs(server, made), 30, "the first epoch")
    server.post(f"/api/training/{training['id']}/cancel")
    done = trainings.ended(server, training)
    assert done["status"] == "CANCELED" and "Cancelled by" in done["message"]
    assert server.get(made["path"])["status"] == "CANCELED"
    server.post(f"/api/training/{training['id']}/cancel", expect=409)
    server.post(f"/api/training/{training['id']}/retry")
    done = trainings.ended(server, training)
    assert done["status"] == "SUCCESS" and done["attempt"] == 2, done["error"]
    assert [line.split()[1] for line in starts.read_text().splitlines()] == ["0", "1"]
    server.post(f"/api/training/{training['id']}/retry", expect=409)


def test_one_that_waits_is_cancelled_at_once(server, colours, labelled):
    first = trainings.launch(
        server, trainings.experiment(server, "in front", {"train": labelled}, colours, fake_seconds=10)
    )
    second = trainings.launch(server, trainings.experiment(server, "behind", {"train": labelled}, colours))
    now = server.post(f"/api/training/{second['id']}/cancel")
    assert now["status"] == "CANCELED" and "before it began" in now["message"]
    server.post(f"/api/training/{first['id']}/cancel")
    assert trainings.ended(server, first)["status"] == "CANCELED"


def test_kept_pictures_never_reach_the_trainer(server, colours, tmp_path):
    """Neither what is kept to measure with, in whatever version, nor the same bytes in another one."""
    one = trainings.dataset(server, tmp_path, "kept one", 12)
    two = trainings.dataset(server, tmp_path, "kept two", 12, first=6)  # 6 of the pictures are the same
    server.post(f"{one['path']}/assets/evaluation", {"ids": [one["assets"][11]], "evaluation": True})
    made = trainings.experiment(server, "kept", {"train": one, "more": two}, colours, fake_keep=str(tmp_path / "input"))
    training = trainings.launch(server, made)
    assert trainings.ended(server, training)["status"] == "SUCCESS"
    folder = trainings.run_folder(server, training)
    assert not (folder / "input").exists() and not (folder / "state").exists()  # tidied up
    coco = json.loads((tmp_path / "input/train/annotations.json").read_text())
    trained = {(tmp_path / "input/train/images" / i["file_name"]).read_bytes() for i in coco["images"]}
    kept = json.loads((folder / "test.json").read_text())
    assert len(trained) + len(kept) == 18 and trainings.picture("blue", 11) not in trained
    assert all((server.data / "blobs" / k[:2] / k).read_bytes() not in trained for k in kept)


def test_new_labels_follow_those_of_the_base(server, colours, tmp_path):
    more = trainings.dataset(server, tmp_path, "more labels", 20, ("blue", "Green", "white", "red"))
    made = trainings.experiment(server, "more labels", {"train": more}, colours)
    done = trainings.ended(server, trainings.launch(server, made))
    assert done["status"] == "SUCCESS", done["error"]
    version = server.get(f"/api/model/version/{done['candidate']['model_version_id']}")
    assert version["labels"] == {"0": "red", "1": "green", "2": "blue", "3": "white"}


def test_the_page_hears_of_it(server, colours, labelled):
    made = trainings.experiment(server, "heard", {"train": labelled}, colours, epochs=3, fake_seconds=0.3)
    training = trainings.launch(server, made)
    events = []
    with server.session.get(f"{server.url}/api/training/{training['id']}/events", stream=True, timeout=60) as stream:
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("event: "):
                events.append([line[7:], None])
            elif line.startswith("data: ") and events and events[-1][1] is None:
                events[-1][1] = json.loads(line[6:])
            if events and events[-1][0] == "training" and (events[-1][1] or {}).get("status") == "SUCCESS":
                break
    said = [data for name, data in events if name == "training" and data]
    assert {"train", "done"} <= {s["stage"] for s in said} and any(0 < s["progress"] < 1 for s in said)
    assert any("epoch 2 is done" in data["log"] for name, data in events if name == "log")


def test_who_trains(server, fresh):
    facts = server.get("/api/trainer")
    assert facts["available"] and "fake_trainer.py" in facts["name"] and facts["memory_mb"] == 300


@pytest.mark.parametrize(("task", "labelled", "code"), [("OBJECT_DETECTION", 9, 3), ("CLASSIFICATION", 1, 4)])
def test_the_example_says_what_it_cannot_do(tmp_path, task, labelled, code):
    """Without torch: that is loaded when there is something to train on."""
    coco = {"categories": [{"id": 1, "name": "a"}], "images": [], "annotations": []}
    for i in range(labelled):
        coco["images"].append({"id": i, "file_name": f"{i}.png"})
        coco["annotations"].append({"id": i, "image_id": i, "category_id": 1})
    (tmp_path / "annotations.json").write_text(json.dumps(coco))
    part = {"annotations": str(tmp_path / "annotations.json"), "images": str(tmp_path)}
    job = {"task": task, "labels": ["a"], "data": {"train": part, "val": None}}
    (tmp_path / "job.json").write_text(json.dumps(job))
    script = harness.REPOSITORY / "examples" / "trainer" / "train.py"
    done = subprocess.run([sys.executable, script], env={"GYRE_JOB": str(tmp_path / "job.json")}, cwd=tmp_path,
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["event"] == "error"


def test_answers_are_as_the_contract_says(server, labelled):
    contract = yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())
    listed = server.get(f"/api/organization/{server.organization['id']}/trainings")
    assert listed["count"] >= 10
    job = server.get(f"/api/v2/job/{listed['items'][0]['id']}")
    answers = {"TrainingList": listed, "Trainer": server.get("/api/trainer"), "Run": job,
               "FirstModel": server.get(f"{labelled['path']}/train")}  # fmt: skip
    for name, value in answers.items():
        check(contract, value, {"$ref": f"#/components/schemas/{name}"}, name)


def test_a_server_that_stops_has_the_trainer_save_and_goes_on_later(fresh, tmp_path):
    fresh.arguments += ["--trainer", trainings.FAKE]
    starts = tmp_path / "starts"
    with fresh:
        base = fresh.push(samples.colour_classifier(tmp_path), "c", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        data = trainings.dataset(fresh, tmp_path, "stopped", 10)
        made = trainings.experiment(
            fresh, "stopped", {"train": data}, base, epochs=3, fake_seconds=0.5, fake_starts=str(starts)
        )
        training = trainings.launch(fresh, made)
        harness.wait_until(lambda: "train/loss" in logs(fresh, made), 30, "the first epoch")
    with fresh:
        done = trainings.ended(fresh, training)
        assert done["status"] == "SUCCESS" and done["attempt"] == 1, done["error"]
        assert logs(fresh, made)["train/loss"]["data"]["x"] == [1, 2, 3]
    assert [line.split()[1] for line in starts.read_text().splitlines()] == ["0", "1"]


def test_a_trainer_that_is_built_while_the_server_runs_is_found(tmp_path):
    """As with the demo, which builds it beside a server that is there already; half a file is no trainer for good."""
    binary = tmp_path / "bin" / "gyre"
    binary.parent.mkdir()
    shutil.copy(harness.BINARY, binary)
    env = {"GYRE_TRAINER": "", "PATH": "/usr/bin:/bin"}
    with harness.Server(tmp_path / "server", binary=binary, env=env) as server:
        facts = server.get("/api/trainer")
        assert not facts["available"] and "tools/build.sh trainer" in facts["reason"]
        program = binary.with_name("gyre-train")
        program.write_text("#!/bin/sh\nexit 127\n")
        program.chmod(0o755)
        reason = lambda: server.get("/api/trainer")["reason"] or ""  # noqa: E731
        harness.wait_until(lambda: "cannot be started" in reason(), 30, "half a trainer to be seen")
        whole = tmp_path / "whole"
        whole.write_text('#!/bin/sh\necho "gyre-train 9.9"\n')
        whole.chmod(0o755)
        whole.rename(program)
        version = harness.wait_until(lambda: server.get("/api/trainer")["version"], 30, "the trainer")
        assert version == "gyre-train 9.9" and server.get("/api/trainer")["available"]
