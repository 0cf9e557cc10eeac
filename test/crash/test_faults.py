# SPDX-License-Identifier: Apache-2.0
"""Disks that fail: injected errors of every call that stores something, and a disk that is really full.

While the fault lasts a prediction is answered with 503 and a sentence, or was stored after all; the server lives, goes on
reading, and stores again as soon as the disk does. What was acknowledged stays.
"""

import contextlib
import hashlib
import os
import pathlib
import subprocess

import harness
import pytest
import samples
from store import Stored, half_written

pytestmark = pytest.mark.skipif(harness.SANITIZED, reason="sanitizers do not go with LD_PRELOAD")


class FaultyServer(harness.Server):
    def __init__(self, folder):
        self.plan, self.hits = folder / "plan", folder / "hits"
        folder.mkdir(parents=True, exist_ok=True)
        self.plan.write_text("")
        shim = harness.shim(pathlib.Path(__file__).parent / "faultfs.c")
        super().__init__(
            folder / "server",
            env={
                "LD_PRELOAD": shim, "FAULTFS_FOLDER": f"{folder}/server/data/",
                "FAULTFS_PLAN": self.plan, "FAULTFS_LOG": self.hits,
            },
        )  # fmt: skip

    def set_plan(self, *lines):
        fresh = self.plan.with_suffix(".new")
        fresh.write_text("".join(f"{line}\n" for line in lines))
        fresh.rename(self.plan)

    def take_hits(self):
        text = self.hits.read_text() if self.hits.exists() else ""
        self.hits.unlink(missing_ok=True)
        return text.splitlines()


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    server = FaultyServer(folder).start()
    version = server.push(samples.colour_classifier(folder), "f", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    server.champion = server.deploy(version, "faulty", 0.1)
    server.acknowledged = {}
    server.number = 1000
    yield server
    server.set_plan()
    assert server.stop() == 0, server.log_tail()
    Stored(server.data).check(server.acknowledged)


def predict(server):
    """One picture never sent before: the response."""
    server.number += 1
    body = samples.numbered(server.number)
    response = server.predict(server.champion, body, expect=None)
    if response.status_code == 200:
        server.acknowledged[response.json()["id"]] = hashlib.sha256(body).hexdigest()
    return response


def works_again(server):
    """Within moments, without a restart."""
    harness.wait_until(lambda: predict(server).status_code == 200, 20, "predictions to be stored again")
    Stored(server.data).check(server.acknowledged)
    assert half_written(server.data) == []


FAULTS = {
    "the image cannot be made": "open EIO 0 -1 /tmp/",
    "the image cannot be made, disk full": "open ENOSPC 0 -1 /tmp/",
    "the image cannot be written": "write EIO 0 -1 /tmp/",
    "the image cannot be written, disk full": "write ENOSPC 0 -1 /tmp/",
    "the image cannot be synced": "fsync EIO 0 -1 /tmp/",
    "the image cannot be renamed": "rename EIO 0 -1 /data/",
    "the log cannot be written": "write EIO 0 -1 -wal",
    "the log cannot be written, disk full": "write ENOSPC 0 -1 -wal",
    "the log cannot be written, over quota": "write EDQUOT 0 -1 -wal",
    "the log cannot be synced": "fsync EIO 0 -1 -wal",
    "the log fails in its third write": "write ENOSPC 2 -1 -wal",
    "nothing can be written": "write ENOSPC 0 -1 -",
    "nothing can be synced": "fsync EIO 0 -1 -",
}


@pytest.mark.parametrize("plan", FAULTS.values(), ids=FAULTS.keys())
def test_while_a_call_fails(faulty, plan):
    server = faulty
    before = Stored(server.data).count
    server.take_hits()
    server.set_plan(plan)
    for _ in range(5):
        response = predict(server)
        assert response.status_code == 503, f"{response.status_code} {response.text[:300]}"
        message = response.json()["message"]
        assert message[0].isupper() and message.rstrip().endswith("."), message
        assert "disk" in message.lower() or "stor" in message.lower() or "written" in message.lower(), message
        assert int(response.headers["Retry-After"]) >= 1
    assert server.take_hits(), "the fault was never met: the test tests nothing"
    assert server.running()
    assert server.predicted_assets(server.champion)[1] >= before  # reading goes on
    server.set_plan()
    works_again(server)
    log = [line for line in server.log().splitlines() if " error " in line or " warn " in line]
    assert log, "an operator reads of it in the log"


@pytest.mark.parametrize("operation, part", [("write", "/tmp/"), ("fsync", "/tmp/"), ("write", "-wal"), ("fsync", "-wal")])
def test_one_failing_call_costs_at_most_one_answer(faulty, operation, part):
    """A single error, at the first to the fifth call: at most one prediction fails, and nothing of it is left."""
    for skip in range(5):
        faulty.take_hits()
        faulty.set_plan(f"{operation} EIO {skip} 1 {part}")
        codes = [predict(faulty).status_code for _ in range(6)]
        assert set(codes) <= {200, 503} and codes.count(503) <= 1, codes
        assert len(faulty.take_hits()) == 1
    faulty.set_plan()
    works_again(faulty)


def test_short_writes_are_finished(faulty):
    """A write that does half of its work is no error."""
    faulty.take_hits()
    faulty.set_plan("write SHORT 0 -1 -")
    for _ in range(3):
        assert predict(faulty).status_code == 200
    assert len(faulty.take_hits()) > 3
    faulty.set_plan()
    works_again(faulty)


def test_checkpoint_errors_do_not_lose_anything(faulty):
    """The database file itself fails while the log is moved into it."""
    for plan in ("write EIO 0 -1 .db", "fsync EIO 0 -1 .db"):
        faulty.set_plan(plan.replace(".db", ".db"), "write EIO 0 0 -")
        for _ in range(5):
            assert predict(faulty).status_code in (200, 503)
        faulty.set_plan()
        works_again(faulty)


def test_changes_of_deployments_fail_cleanly(faulty):
    faulty.set_plan("write ENOSPC 0 -1 -wal")
    response = faulty.call("PATCH", f"/api/deployment/{faulty.champion['id']}", json={"min_threshold": 0.7})
    assert response.status_code == 503 and response.json()["message"]
    assert faulty.deployment(faulty.champion)["min_threshold"] == pytest.approx(0.1)
    faulty.set_plan()
    faulty.patch(f"/api/deployment/{faulty.champion['id']}", {"min_threshold": 0.2})
    faulty.patch(f"/api/deployment/{faulty.champion['id']}", {"min_threshold": 0.1})


def test_kill_after_faults(faulty):
    """A server that saw every error above and is then killed opens again with all it promised."""
    faulty.set_plan("fsync EIO 1 1 -wal", "write ENOSPC 3 2 /tmp/")
    for _ in range(6):
        predict(faulty)
    faulty.kill()
    faulty.set_plan()
    faulty.start()
    works_again(faulty)


# ---- a disk that is full -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder, mib):
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "gyre-test", folder], capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(path):
    """Take what room is left on path's disk."""
    with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)
    with contextlib.suppress(OSError), open(path, "ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 512)


def test_a_full_disk(tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk, harness.Server(disk / "server") as server:
        # The log of the server itself shall not be what runs out of room.
        path = samples.colour_classifier(tmp_path)
        version = server.push(path, "full", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        server.champion, server.acknowledged, server.number = server.deploy(version, "full", 0.1), {}, 5000
        assert predict(server).status_code == 200
        ballast = disk / "ballast"
        fill(ballast)
        refused = predict(server)
        assert refused.status_code == 503, refused.text
        assert "disk" in refused.json()["message"].lower() or "space" in refused.json()["message"].lower()
        for _ in range(10):
            assert predict(server).status_code == 503
        assert server.running() and server.get(f"/api/deployment/{server.champion['id']}")["stats"]["inferences"] == 1
        os.unlink(ballast)
        works_again(server)
        fill(ballast)  # and a stop and a start with no room
        assert predict(server).status_code == 503
        assert server.stop() == 0, server.log_tail()
        os.unlink(ballast)
        server.start()
        works_again(server)
