# SPDX-License-Identifier: Apache-2.0
"""What tests of shadows share: setting one, waiting for it, and looking into the database for what it stored."""

import os
import sqlite3
import uuid

import harness
import samples


def set_shadow(server, deployment, version, **body):
    return server.post(f"/api/deployment/{deployment['id']}/shadow", {"model_version_id": version["id"], **body})


def shadow_of(server, deployment, version):
    """How the version does as a shadow; None when it is none."""
    found = [s for s in server.deployment(deployment)["shadows"] if s["model_version_id"] == version["id"]]
    return found[0] if found else None


def wait_caught_up(server, deployment, *versions, timeout=60):
    for version in versions:
        harness.wait_until(
            lambda version=version: shadow_of(server, deployment, version)["lag"] == 0, timeout,
            f"shadow {version['version']} to catch up: {shadow_of(server, deployment, version)}", 0.02,
        )  # fmt: skip


def shadow_rows(server, deployment):
    """(predicted asset, model version) of each shadow prediction stored for the deployment, as texts."""
    db = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True, timeout=20)
    try:
        rows = db.execute(
            "SELECT predicted_asset_id, model_version_id FROM prediction WHERE is_shadow = 1 AND deployment_id = ?",
            [uuid.UUID(deployment["id"]).bytes],
        ).fetchall()
    finally:
        db.close()
    return [tuple(str(uuid.UUID(bytes=value)) for value in row) for row in rows]


def background_children(server):
    """The model processes that stand back for others: those of shadows."""
    found = []
    for pid in server.children():
        try:
            if os.sched_getscheduler(pid) == os.SCHED_IDLE:
                found.append(pid)
        except ProcessLookupError:
            pass
    return found


def colour_versions(server, folder, name, gains=(2.0, 3.0, 4.0)):
    """Versions of one model that agree on the colour and differ in the score."""
    return [
        server.push(samples.colour_classifier(folder, gain, f"{name}-{gain}.onnx"), name, "CLASSIFICATION", samples.COLOURS,
                    samples.COLOUR_RECIPE)
        for gain in gains
    ]  # fmt: skip
