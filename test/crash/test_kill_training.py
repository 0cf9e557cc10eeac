# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any moment of a retraining: it goes on, once, and ends as if nothing had been.

GYRE_KILLS (8): four kills for each eight; GYRE_SEED repeats a run.
"""

import os
import sqlite3
import time

import continuous
import harness
import pytest
import trainings

KILLS = int(os.environ.get("GYRE_KILLS", "8"))


def rows(server, query):
    db = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
    try:
        return db.execute(query).fetchall()
    finally:
        db.close()


@pytest.mark.timeout(120 + 15 * KILLS)
def test_kill_while_it_trains(tmp_path, chance):
    with harness.Server(tmp_path / "server", "--trainer", trainings.FAKE) as server:
        line = continuous.Line(server, tmp_path, test=31)
        line.set(threshold=3, parameters={"epochs": 3, "fake_seconds": 0.1})
        line.deploy_by("DEPLOY_CHAMPION")
        kills = 0
        for epoch in range(1, 1 + max(1, KILLS // 8)):
            line.submit(3)
            for _ in range(4):
                moment = time.monotonic() + chance.uniform(0, 0.6)
                harness.wait_until(lambda moment=moment: time.monotonic() >= moment, 5, "the moment", every=0.001)
                server.kill()
                server.start()
                kills += 1
            done = line.ended(epoch, timeout=90)
            assert done["status"] == "SUCCESS", (done["stage"], done["error"])
            assert done["decision"]["what"] == "CHAMPION" and done["attempt"] == 1
            harness.wait_until(lambda: line.deployment()["status"] == "SERVING", 60, "the champion to be loaded")
            assert line.deployment()["model_version_id"] == done["candidate"]["model_version_id"]
            assert rows(server, "SELECT count(*), max(epoch) FROM training") == [(epoch, epoch)]
            assert rows(server, "SELECT count(*) FROM model_version WHERE experiment_id IS NOT NULL") == [(epoch,)]
            assert rows(server, "SELECT count(DISTINCT predicted_asset_id) FROM feedback_asset WHERE epoch = 0") == [(0,)]
            swaps = "SELECT count(*) FROM deployment_event WHERE what = 'deployed' AND who = 'gyre'"
            assert rows(server, swaps) == [(epoch,)]
        # Of each training one locked copy of what it trained on and one of what it is measured on, no half ones.
        copies = rows(server, "SELECT count(*), sum(locked_us IS NOT NULL) FROM dataset_version WHERE forked_from_id IS NOT NULL")
        assert copies == [(2 * epoch, 2 * epoch)]
        print(f"{kills} kills in {epoch} trainings")
