# SPDX-License-Identifier: Apache-2.0
"""Look into a data folder from outside: the SQLite file and the images, with Python's own sqlite3 and hashlib."""

import hashlib
import pathlib
import sqlite3
import uuid


def database_of(data):
    return pathlib.Path(data) / "gyre.db"


def images_of(data):
    """SHA-256 in the name → path, of every stored file."""
    found = {}
    for path in pathlib.Path(data).rglob("*"):
        if path.is_file() and len(path.name) == 64 and path.parent.name == path.name[:2]:
            found[path.name] = path
    return found


def half_written(data):
    """Files that are neither whole nor gone: what a temporary folder still holds."""
    return [p for p in pathlib.Path(data).rglob("tmp/*") if p.is_file()] + list(pathlib.Path(data).rglob("*.tmp"))


class Stored:
    """predictions: id of a champion's → (SHA-256 of the image, deployment id); shadows: (image, version) of each of a shadow"""

    def __init__(self, data):
        self.data = data
        self.images = images_of(data)
        db = sqlite3.connect(f"file:{database_of(data)}", uri=True, timeout=20)
        try:
            self.integrity = [row[0] for row in db.execute("PRAGMA integrity_check")]
            self.orphans = db.execute("PRAGMA foreign_key_check").fetchall()
            rows = db.execute(
                "SELECT p.id, o.sha256, p.deployment_id, a.id, d.id, o.name, p.is_shadow, p.model_version_id FROM prediction p "
                "LEFT JOIN predicted_asset a ON a.id = p.predicted_asset_id "
                "LEFT JOIN data d ON d.id = a.data_id LEFT JOIN object o ON o.name = d.object_name"
            ).fetchall()
            self.half = [row for row in rows if None in row]
            champions = [row for row in rows if not row[6]]
            self.predictions = {
                str(uuid.UUID(bytes=row[0])): (row[1], str(uuid.UUID(bytes=row[2]))) for row in champions if row[0] is not None
            }
            self.count = len(champions)
            self.shadows = [(row[3], str(uuid.UUID(bytes=row[7]))) for row in rows if row[6]]
            self.assets_alone = db.execute(
                "SELECT count(*) FROM predicted_asset"
                " WHERE id NOT IN (SELECT predicted_asset_id FROM prediction WHERE is_shadow = 0)"
            ).fetchone()[0]
        finally:
            db.close()

    def check(self, acknowledged=(), once=True, read=None):
        """Sound, nothing half there, and every acknowledged prediction there with its very bytes.

        acknowledged: prediction id → SHA-256 of the bytes sent. once: every picture was sent under one key, so no picture
        may be there twice. read: the ids whose image is read and hashed (None: all).
        """
        assert self.integrity == ["ok"], self.integrity[:5]
        assert self.orphans == [] and self.half == [] and self.assets_alone == 0, (self.orphans[:3], self.half[:3])
        assert self.count == len(self.predictions)
        assert len(self.shadows) == len(set(self.shadows)), "a shadow's prediction is stored twice"
        for prediction, sent in dict(acknowledged).items():
            assert prediction in self.predictions, f"the acknowledged prediction {prediction} is lost"
            assert self.predictions[prediction][0] == sent, f"{prediction} has another image"
        for prediction, (digest, _) in self.predictions.items():
            assert digest in self.images, f"{prediction} has lost its image {digest}"
            if read is None or prediction in read:
                content = self.images[digest].read_bytes()
                assert hashlib.sha256(content).hexdigest() == digest, f"the image of {prediction} is damaged"
        if once:
            digests = [digest for digest, _ in self.predictions.values()]
            assert len(digests) == len(set(digests)), "a picture sent once is stored twice"
