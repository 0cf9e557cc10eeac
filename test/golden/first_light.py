# SPDX-License-Identifier: Apache-2.0
"""Write first_light.tar.xz: a data folder as the first version that served left it (schema 1), with what was in it.

usage: GYRE_BIN=build/gyre first_light.py

Kept as evidence: that version wrote it, and a later one cannot write it again. test/http/test_migration.py opens it with
the present one. The admin's token is not in it: a start without the file makes a new one.
"""

import hashlib
import json
import pathlib
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))
import harness  # noqa: E402
import samples  # noqa: E402

ARCHIVE = pathlib.Path(__file__).with_suffix(".tar.xz")


def fill(server, folder):
    versions = [
        server.push(samples.colour_classifier(folder, gain, f"{gain}.onnx"), "colours", "CLASSIFICATION", samples.COLOURS,
                    samples.COLOUR_RECIPE)
        for gain in (2.0, 3.0)
    ]  # fmt: skip
    first = server.deploy(versions[0], "sorter", 0.1)
    second = server.deploy(versions[1], "paused", 0.4)
    predictions = []
    for number in range(12):
        deployment = second if number % 4 == 3 else first
        body = samples.numbered(number)
        fields = {"tags": ["gate", f"tag-{number % 2}"], "source": f"camera-{number % 3}", "metadata": json.dumps({"n": number})}
        headers = {"Idempotency-Key": f"key-{number}"}
        answer = server.predict(deployment, body, filename=f"{number}.jpg", headers=headers, **fields)
        predictions.append({"answer": answer, "sha256": hashlib.sha256(body).hexdigest(), "number": number})
        if number == 7:
            server.post(f"/api/deployment/{first['id']}/model", {"model_version_id": versions[1]["id"]})
            server.patch(f"/api/deployment/{first['id']}", {"min_threshold": 0.3})
    server.post(f"/api/deployment/{second['id']}/pause")
    histories = {d["id"]: server.get(f"/api/deployment/{d['id']}/history")["items"] for d in (first, second)}
    deployments = [server.deployment(d) for d in (first, second)]
    models = [server.get(f"/api/model/version/{v['id']}") for v in versions]
    return {"predictions": predictions, "histories": histories, "deployments": deployments, "versions": models}


def write(archive_path, fill):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with harness.Server(folder / "server") as server:
            known = fill(server, folder)
        (server.data / "admin-token").unlink()
        (server.data / "known.json").write_text(json.dumps(known, indent=1))
        with tarfile.open(archive_path, "w:xz") as archive:
            for path in sorted(server.data.rglob("*")):
                if path.is_file():
                    info = archive.gettarinfo(path, f"data/{path.relative_to(server.data)}")
                    info.uname = info.gname = ""
                    info.uid = info.gid = 0
                    with open(path, "rb") as content:
                        archive.addfile(info, content)
    print(f"{archive_path.name}: {archive_path.stat().st_size} bytes")


if __name__ == "__main__":
    write(ARCHIVE, fill)
