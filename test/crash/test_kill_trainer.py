# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the server, or of server and trainer, at any moment of a launched training: the trainer is found again or goes on
where it was; in the end there is one model version, each epoch's point once, and each line of the console once.

GYRE_KILLS (2) kills, of server or of trainer and server; GYRE_SEED repeats a run.
"""

import os
import signal
import sqlite3
import time

import harness
import pytest
import samples
import trainings

KILLS = int(os.environ.get("GYRE_KILLS", "2"))
EPOCHS = 5


def rows(server, query, *values):
    db = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(query, values).fetchall()
    finally:
        db.close()


def kill_server(server):
    """It alone: harness.kill() waits for its children to end, and the trainer does not."""
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()


def kill_trainer(server, training):
    """As a power cut does: nothing of it is left that could say how it ended."""
    found = trainings.run_folder(server, training) / "pid"
    if found.exists() and found.read_text().strip():
        try:
            os.killpg(int(found.read_text().split()[0]), signal.SIGKILL)
        except ProcessLookupError:
            pass


def check(server, made, training, starts, done, killed_trainer):
    assert done["status"] == "SUCCESS", done["error"]
    experiment = bytes.fromhex(made["id"].replace("-", ""))
    assert rows(server, "SELECT count(*) FROM model_version WHERE experiment_id = ?", experiment) == [(1,)]
    assert rows(server, "SELECT count(*) FROM training WHERE experiment_id = ?", experiment) == [(1,)]
    assert rows(server, "SELECT count(*) FROM pragma_foreign_key_check") == [(0,)]
    logs = {log["name"]: log["data"] for log in server.get(f"{made['path']}/logs/extended")["items"]}
    assert logs["train/loss"]["x"] == list(range(1, EPOCHS + 1))
    lines = [line["log"] for line in server.get(f"{made['path']}/logging/lines")["items"]]
    told = [line for line in lines if line.endswith("is done")]
    if not killed_trainer:
        assert told == [f"epoch {i} is done" for i in range(1, EPOCHS + 1)]
        assert len(starts.read_text().splitlines()) == 1
    assert set(told) == {f"epoch {i} is done" for i in range(1, EPOCHS + 1)}
    assert {s["state"] for s in done["stages"]} <= {"done", "passed"}


@pytest.mark.timeout(120 + 30 * KILLS)
def test_the_trainer_is_found_again(fresh, tmp_path, chance):
    fresh.arguments += ["--trainer", trainings.FAKE]
    server = fresh.start()
    base = server.push(samples.colour_classifier(tmp_path), "c", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    data = trainings.dataset(server, tmp_path, "killed", 12)
    stages = []
    for kill in range(KILLS):
        starts = tmp_path / f"starts-{kill}"
        made = trainings.experiment(
            server, f"killed {kill}", {"train": data}, base, epochs=EPOCHS, fake_seconds=0.1, fake_starts=str(starts)
        )
        training = trainings.launch(server, made)
        moment = time.monotonic() + chance.uniform(0, 1.2)
        harness.wait_until(lambda moment=moment: time.monotonic() >= moment, 5, "the moment", every=0.001)
        kill_server(server)
        stages += rows(server, "SELECT stage FROM training ORDER BY created_us DESC LIMIT 1")[0]
        trainer_too = kill % 2 == 1
        if trainer_too:
            kill_trainer(server, training)
        server.start()
        done = trainings.ended(server, training, 60)
        check(server, made, training, starts, done, trainer_too)
        versions = rows(server, "SELECT count(*), count(DISTINCT version) FROM model_version")
        assert versions == [(kill + 2, kill + 2)]
    print(f"{KILLS} kills, in the stages {', '.join(stages)}")
