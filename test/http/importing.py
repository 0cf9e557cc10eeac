# SPDX-License-Identifier: Apache-2.0
"""What tests of imports and exports share: a version, files sent to it, what it then holds, and what a zip of it holds."""

import io
import pathlib
import uuid
import zipfile

import harness

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


def make_version(server, kind="NOT_CONFIGURED", name=None):
    org = server.organization["id"]
    dataset = server.post(f"/api/organization/{org}/datasets", {"name": name or f"set-{uuid.uuid4()}", "description": ""})
    return server.post(f"/api/dataset/{dataset['id']}/versions", {"version": "v1", "description": "", "type": kind})


def files_of(folder, below=("",), pictures=True, annotations=True):
    """(part, (name, bytes)) of a folder's files, as pages and the command line send them."""
    folder = pathlib.Path(folder)
    parts = []
    for start in below:
        for path in sorted((folder / start).rglob("*")):
            picture = path.suffix.lower() in PICTURES
            if path.is_file() and (pictures if picture else annotations):
                name = path.relative_to(folder).as_posix()
                parts.append(("media" if picture else "annotations", (name, path.read_bytes())))
    return parts


def ended(server, job):
    def look():
        now = server.get(f"/api/job/{job['id']}")
        return now if now["status"] != "RUNNING" else None

    return harness.wait_until(look, harness.CALL_TIMEOUT, "the job to end")


def send(server, version, parts, expect="SUCCESS", **fields):
    """Import these parts and wait; the job's result, or its sentence where it is to fail."""
    job = server.call(
        "POST", f"/api/dataset/version/{version['id']}/import", 202, files=parts, data={k: str(v) for k, v in fields.items()}
    )["job"]
    job = ended(server, job)
    assert job["status"] == expect, job
    return job["result"] if expect == "SUCCESS" else job["error"]


def assets_of(server, version):
    items = []
    while True:
        page = server.get(
            f"/api/dataset/version/{version['id']}/assets", params={"limit": 1000, "offset": len(items), "with_annotations": 1}
        )
        items += page["items"]
        if len(items) >= page["count"]:
            return items


def shapes_of(server, version):
    """{file name: shapes, None for a picture that nobody has annotated}"""
    return {
        a["data"]["filename"]: a["annotation"]["shapes"] if a["annotation"] else None for a in assets_of(server, version)
    }


def counts(shapes):
    """How many shapes each label has."""
    found = {}
    for one in shapes.values():
        for shape in one or ():
            found[shape["label"]] = found.get(shape["label"], 0) + 1
    return found


def export(server, version, expect=200, **params):
    """The export's files by name; with expect other than 200 the response."""
    response = server.call("GET", f"/api/dataset/version/{version['id']}/export", params=params)
    assert response.status_code == expect, response.text[:500]
    if expect != 200:
        return response
    assert response.headers["Content-Type"] == "application/zip"
    assert int(response.headers["Content-Length"]) == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert all(i.compress_type == zipfile.ZIP_STORED for i in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def parts_of(files):
    """What an export holds, as an import sends it."""
    return [
        ("media" if name.lower().endswith(PICTURES) else "annotations", (name, content)) for name, content in files.items()
    ]
