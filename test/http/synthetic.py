# SPDX-License-Identifier: Apache-2.0
"""Predictions that nobody made, many and quickly: rows written into a stopped server's gyre.db.

    with Server(folder) as server:
        deployment = synthetic.prepare(server)
    synthetic.fill(server.data, deployment, 1_000_000, days=60)

What they look like: a detector of 80 labels that are as unlike in number as COCO's, about 20 shapes an image of which a fifth
reach 0.3, 256 features, three cameras, more of them by day than by night.
"""

import base64
import contextlib
import sqlite3
import struct
import time
import uuid

import numpy
import samples

LABELS = [f"label-{i:02d}" for i in range(80)]
SOURCES = ("gate", "yard", "roof")
SHARES = (0.6, 0.3, 0.1)
WIDTH, HEIGHT = 1280, 720
THRESHOLD = 0.3
FEATURES = 256
BATCH = 5000
BOX = numpy.dtype([("kind", "<u2"), ("label", "<i4"), ("score", "<f4"), ("box", "<f4", 4)])


def prepare(server, name="synthetic"):
    """A deployment that is predicted elsewhere, and one prediction of each source whose rows are the pattern of the others."""
    version = server.make_version(server.make_model(name), "OBJECT_DETECTION", LABELS)
    body = {"name": name, "min_threshold": THRESHOLD, "disable_serving": True}
    deployment = server.post(f"/api/model/version/{version['id']}/deploy", body)
    for source in SOURCES:
        body = {
            "filename": "photo.jpg", "content_type": "IMAGE/JPEG", "width": 64, "height": 48, "latency": 0.02, "source": source,
            "image": base64.b64encode(samples.photo("red")).decode(),
            "raw_predictions": {"detection_classes": [0], "detection_scores": [0.9], "detection_boxes": [[4, 4, 20, 20]]},
        }  # fmt: skip
        server.post(f"/api/deployment/{deployment['id']}/predictions", body)
    return deployment


def times(chance, count, days):
    """Unix microseconds over the last days, ascending; most at noon, few at midnight."""
    hour = numpy.arange(24 * days) % 24
    weight = 1.2 - numpy.cos(hour / 24 * 2 * numpy.pi)
    at = chance.choice(24 * days, count, p=weight / weight.sum()) + chance.uniform(size=count)
    end_us = int(time.time() * 1e6) - 60_000_000
    return numpy.sort(end_us - days * 86_400_000_000 + (at * 3_600_000_000).astype(numpy.int64))


def ids(chance, times_us):
    """Of UUIDv7, in the order of time."""
    out = chance.bytes(16 * len(times_us))
    raw = numpy.frombuffer(out, numpy.uint8).reshape(-1, 16).copy()
    milliseconds = (times_us // 1000).astype(">u8").view(numpy.uint8).reshape(-1, 8)
    raw[:, :6] = milliseconds[:, 2:]
    raw[:, 6] = raw[:, 6] & 0x0F | 0x70
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    return [bytes(row) for row in raw]


def shapes(chance, count):
    """(packed shapes, how many, best score) of each image: docs/internals/shapes.md."""
    number = numpy.clip(chance.poisson(20, count), 1, 60)
    total, first = number.sum(), numpy.concatenate([[0], numpy.cumsum(number)])
    image = numpy.repeat(numpy.arange(count), number)
    boxes = numpy.zeros(total, BOX)
    share = 1 / numpy.arange(1, len(LABELS) + 1) ** 1.1
    boxes["kind"] = 1
    boxes["label"] = chance.choice(len(LABELS), total, p=share / share.sum())
    boxes["score"] = chance.beta(0.5, 2, total) * 0.98 + 0.01
    size = numpy.exp(chance.normal(4.2, 0.8, (total, 2))).clip(4, 700)
    corner = chance.beta(2, 2, (total, 2)) * (numpy.array([WIDTH, HEIGHT]) - size).clip(0)
    boxes["box"][:, :2] = corner
    boxes["box"][:, 2:] = numpy.minimum(corner + size, [WIDTH, HEIGHT])
    boxes = boxes[numpy.lexsort((-boxes["score"], image))]
    data = boxes.tobytes()
    for i in range(count):
        head = struct.pack("<BBH", 1, 0, number[i])
        start, end = first[i] * BOX.itemsize, first[i + 1] * BOX.itemsize
        yield head + data[start:end], int(number[i]), float(boxes["score"][first[i]])


def image_stats(chance, count):
    light, contrast = chance.normal(110, 25, count).clip(1, 254), chance.gamma(9, 5, count).clip(1, 120)
    blur = numpy.exp(chance.normal(5.5, 0.8, count))
    rgb = (light[:, None] + chance.normal(0, 6, (count, 3))).clip(0, 255)
    entropy, dark, bright = chance.normal(7.2, 0.3, count).clip(0, 8), chance.beta(1, 30, count), chance.beta(1, 40, count)
    for i in range(count):
        yield (
            f'{{"brightness":{light[i]:.3f},"contrast":{contrast[i]:.3f},"blur":{blur[i]:.3f},"mean_rgb":[{rgb[i, 0]:.3f},'
            f'{rgb[i, 1]:.3f},{rgb[i, 2]:.3f}],"entropy":{entropy[i]:.4f},"dark":{dark[i]:.4f},"bright":{bright[i]:.4f}}}'
        )


def insert(db, chance, deployment, version, pattern, at_us):
    """One batch, in the order of time."""
    count = len(at_us)
    own = [ids(chance, at_us) for _ in range(3)]  # of the data, the asset, the prediction
    source = chance.choice(len(SOURCES), count, p=SHARES)
    latency = numpy.exp(chance.normal(10.1, 0.25, count)).astype(int) + (chance.uniform(size=count) < 0.005) * 400_000
    features = chance.standard_normal((count, FEATURES)).astype("<f2").tobytes()
    at = [int(t) for t in at_us]
    names = [f"serving/{uuid.UUID(bytes=deployment)}/{uuid.UUID(bytes=data)}.jpg" for data in own[0]]
    db.executemany(
        "INSERT INTO object (name, sha256, content_type, size_bytes, created_us) VALUES (?, ?, 'image/jpeg', ?, ?)",
        ((name, pattern["sha256"], pattern["size_bytes"], t) for name, t in zip(names, at)),
    )
    db.executemany(
        "INSERT INTO data (id, datalake_id, source_id, object_name, filename, content_type, width, height, created_us)"
        " VALUES (?, ?, ?, ?, ?, 'image/jpeg', ?, ?, ?)",
        (
            (data, pattern["datalake_id"], pattern["sources"][s], name, name[-40:], WIDTH, HEIGHT, t)
            for data, s, name, t in zip(own[0], source, names, at)
        ),
    )
    answers = list(shapes(chance, count))
    db.executemany(
        "INSERT INTO predicted_asset (id, deployment_id, data_id, created_us, burst_id) VALUES (?, ?, ?, ?, ?)",
        ((asset, deployment, data, t, asset) for asset, data, t in zip(own[1], own[0], at)),
    )
    db.executemany(
        "INSERT INTO prediction (id, deployment_id, predicted_asset_id, model_version_id, is_shadow, created_us, threshold,"
        " latency_us, cpu_us, steps_us, shape_count, score_max, shapes, features, image_stats, asked)"
        " VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            (own[2][i], deployment, own[1][i], version, at[i], THRESHOLD, int(latency[i]), int(latency[i] * 0.95),
             pattern["steps_us"], number, best, packed, features[2 * FEATURES * i : 2 * FEATURES * (i + 1)], stats)
            for i, ((packed, number, best), stats) in enumerate(zip(answers, image_stats(chance, count)))
        ),
    )  # fmt: skip


def pattern_of(db, deployment):
    row = db.execute(
        "SELECT p.model_version_id, p.steps_us, d.datalake_id, o.sha256, o.size_bytes FROM prediction p"
        " JOIN predicted_asset a ON a.id = p.predicted_asset_id JOIN data d ON d.id = a.data_id"
        " JOIN object o ON o.name = d.object_name WHERE p.deployment_id = ? LIMIT 1",
        [deployment],
    ).fetchone()
    keys = ("version_id", "steps_us", "datalake_id", "sha256", "size_bytes")
    sources = [db.execute("SELECT id FROM data_source WHERE name = ?", [name]).fetchone()[0] for name in SOURCES]
    return dict(zip(keys, row), sources=sources)


def fill(data_folder, deployment, count, days=60, seed=1):
    """Of a server that does not run; nothing of it is synced. Returns when the last of them was made, in seconds."""
    chance = numpy.random.default_rng(seed)
    deployment = uuid.UUID(deployment["id"]).bytes
    at_us = times(chance, count, days)
    db = sqlite3.connect(data_folder / "gyre.db", isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -200000")
    pattern = pattern_of(db, deployment)
    for start in range(0, count, BATCH):
        db.execute("BEGIN")
        insert(db, chance, deployment, pattern["version_id"], pattern, at_us[start : start + BATCH])
        db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    return int(at_us[-1] // 1_000_000) + 1


def position(data_folder):
    """Of the log, up to which the tail has counted; 0: no watch.db yet."""
    try:
        db = sqlite3.connect(f"file:{data_folder}/watch.db?mode=ro", uri=True, timeout=10)
        with contextlib.closing(db):
            row = db.execute("SELECT position FROM tail").fetchone()
    except sqlite3.OperationalError:
        return 0
    return row[0] if row else 0
