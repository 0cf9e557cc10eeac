# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments while the tail counts: whatever was cut off, `gyre audit` finds each prediction counted once.

Half of GYRE_KILLS (10) kills; GYRE_SEED repeats a run. Meanwhile a shadow follows, images are deleted, the threshold moves (so
that a job counts anew), watch.db is removed. Power cuts are in test_syscalls.py: watch.db is not synced, and can be
made again (docs/decisions/0082-watch-db-can-be-made-again.md).
"""

import contextlib
import json
import os
import sqlite3
import time

import harness
import pytest
from load import Load
from shadowing import colour_versions, set_shadow, wait_caught_up
from test_kill import wait_serving

KILLS = int(os.environ.get("GYRE_KILLS", "10")) // 2


def rows(path, sql):
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as db:
        return db.execute(sql).fetchall()


def meddle(server, deployment, chance):
    """What people do meanwhile, cut short by the kill."""
    what = chance.choice(["delete", "delete", "threshold", "nothing"])
    if what == "threshold":
        server.patch(f"/api/deployment/{deployment['id']}", {"min_threshold": chance.choice([0.2, 0.4, 0.6])})
    if what == "delete":
        for item in server.predicted_assets(deployment, order_by="-created_at")[0][: chance.randint(1, 6)]:
            server.delete(f"/api/predicted/asset/{item['id']}")


def wait_for_the_moment(chance, most):
    moment = time.monotonic() + chance.uniform(0, most)
    harness.wait_until(lambda: time.monotonic() >= moment, 5, "the moment", every=0.001)


def audit(server):
    """As far as the tail came. None: it was killed before there was a file."""
    if not (server.data / "watch.db").exists() or not rows(server.data / "watch.db", "SELECT 1 FROM sqlite_master LIMIT 1"):
        return None
    said = json.loads(harness.command("audit", "--json", "--data", server.data, expect=None).stdout)
    assert said["equal"], said
    return said


def kill_once(server, deployment, chance):
    """Load, meddling, the kill, the audit of what it left, sometimes another kill while the server starts."""
    load = Load(server, deployment, clients=chance.choice([1, 4]), keys=True).start()
    harness.wait_until(lambda: load.answers or load.broken, 30, "a first answer")
    if chance.random() < 0.7:
        meddle(server, deployment, chance)
    wait_for_the_moment(chance, 1)
    server.kill()
    load.stop()
    said = audit(server)
    if chance.random() < 0.1:
        for path in server.data.glob("watch.db*"):
            path.unlink()
    if chance.random() < 0.3:
        server.launch()
        wait_for_the_moment(chance, 0.4)
        server.kill()
    server.start()
    wait_serving(server, deployment)
    return said


@pytest.mark.timeout(120 + 20 * KILLS)
def test_each_prediction_counts_once_whatever_is_killed(fresh, tmp_path, chance):
    server = fresh.start()
    versions = colour_versions(server, tmp_path, "watched", gains=(2.0, 3.0))
    deployment = server.deploy(versions[0], "killed", 0.1)
    set_shadow(server, deployment, versions[1])
    seen = 0
    for _ in range(KILLS):
        said = kill_once(server, deployment, chance)
        seen += said is not None and said["predictions"] > 0
    wait_caught_up(server, deployment, versions[1], timeout=60)
    sql = "SELECT max(position), count(*) FROM (SELECT position FROM prediction UNION ALL SELECT position FROM gone_prediction)"
    harness.wait_until(
        lambda: rows(server.data / "watch.db", "SELECT position FROM tail")[:1] == [rows(server.data / "gyre.db", sql)[0][:1]],
        60, "the tail to reach the end of the log", 0.05,
    )  # fmt: skip
    harness.wait_until(
        lambda: all(row == (1,) for row in rows(server.data / "watch.db", "SELECT r.position = t.position FROM recut r, tail t")),
        60, "the roll-ups at the threshold", 0.05,
    )  # fmt: skip
    assert server.stop() == 0
    said = audit(server)
    end, count = rows(server.data / "gyre.db", sql)[0]
    assert (said["position"], said["predictions"]) == (end, count)
    assert seen > 0, "no kill left anything counted"
    print(f"{KILLS} kills, {seen} of them after something was counted: {count} predictions, each counted once")
