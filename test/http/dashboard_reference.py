# SPDX-License-Identifier: Apache-2.0
"""The dashboard's numbers worked out again, with NumPy, from predictions one by one: their shapes as the API tells them, the
rest as it is stored. And predictions made up, many, put into a database whose server does not run."""

import json
import math
import sqlite3
import struct
import uuid

import numpy as np

SIDE = 64
NAMES = ["square", "tall", "very tall", "wide", "very wide", "extremely wide"]
HISTOGRAMS = {  # name: first edge, width, count
    "objects": (0, 1, 33), "scores": (0, 0.02, 50), "sizes": (0, 0.025, 40), "ratios": (-4, 0.25, 32),
    "image_areas": (0, 0.5, 64), "brightness": (0, 4, 64), "contrast": (0, 2, 64), "blur": (0, 0.25, 64),
}  # fmt: skip


class Prediction:
    """at: Unix microseconds; shapes: (label, score, x, y, w, h), the best first; w and h None: a class."""

    def __init__(
        self, asset, ident, at, version, threshold, latency_us, source, width, height, shapes, stats, tags=(), shadow=False
    ):
        self.asset, self.id, self.at, self.version = asset, ident, at, version
        self.threshold, self.latency_us = threshold, latency_us
        self.source, self.width, self.height, self.shapes, self.stats = source, width, height, shapes, stats
        self.tags, self.shadow, self.position = set(tags), shadow, None

    def shown(self, threshold, label=None):
        """Of classes the best alone; "answered": its own threshold."""
        own = self.threshold if threshold == "answered" else threshold
        shapes = [s for i, s in enumerate(self.shapes) if s[1] >= own and (i == 0 or s[4] is not None)]
        return [s for s in shapes if label is None or s[0] == label]


def stored(server, deployment):
    """All predictions of a deployment, those without an image too. Shapes of images that are there are the API's."""
    database = sqlite3.connect(f"file:{server.data / 'gyre.db'}?mode=ro", uri=True)
    kept = {p["id"]: p for asset in server.predicted_assets(deployment, threshold=0)[0] for p in asset["predictions"]}
    tags = {}
    for asset, name in database.execute(
        "SELECT a.id, t.name FROM predicted_asset a JOIN tag_target x ON x.target_id IN (a.id, a.data_id)"
        " JOIN tag t ON t.id = x.tag_id"
    ):
        tags.setdefault(asset, set()).add(name)
    columns = "p.id, p.predicted_asset_id, p.created_us, p.model_version_id, p.threshold, p.latency_us, p.is_shadow"
    columns += ", p.image_stats, p.shapes"
    rows = [
        *database.execute(
            f"SELECT {columns}, coalesce(s.name, ''), d.width, d.height FROM prediction p JOIN predicted_asset a"
            " ON a.id = p.predicted_asset_id JOIN data d ON d.id = a.data_id LEFT JOIN data_source s ON s.id = d.source_id"
            " WHERE p.deployment_id = ?", [uuid.UUID(deployment["id"]).bytes]),
        *database.execute(
            f"SELECT {columns}, p.source, p.width, p.height FROM gone_prediction p WHERE p.deployment_id = ?",
            [uuid.UUID(deployment["id"]).bytes]),
    ]  # fmt: skip
    found = []
    for ident, asset, at, version, threshold, latency_us, shadow, stats, packed, source, width, height in rows:
        name = str(uuid.UUID(bytes=ident))
        shapes = told(kept[name]["shapes"]) if name in kept else unpacked(packed, labels_of(server, version))
        found.append(
            Prediction(str(uuid.UUID(bytes=asset)), name, at, str(uuid.UUID(bytes=version)), threshold, latency_us, source,
                       width, height, shapes, json.loads(stats), tags.get(asset, ()), bool(shadow)))  # fmt: skip
    return sorted(found, key=lambda p: p.at)


def told(shapes):
    """Of polygons their bounds."""
    return [(s["label"], s["score"], *(bounds(s["polygon"]) if "polygon" in s else map(s.get, "xywh"))) for s in shapes]


def bounds(polygon):
    xs, ys = zip(*polygon)
    return min(xs), min(ys), round(max(xs) - min(xs), 2), round(max(ys) - min(ys), 2)


def labels_of(server, version):
    names = server.get(f"/api/model/version/{uuid.UUID(bytes=version)}")["labels"]
    return [names[str(i)] for i in range(len(names))]


def unpacked(packed, labels):
    """docs/internals/shapes.md; classes and boxes."""
    count, at, found = struct.unpack_from("<H", packed, 2)[0], 4, []
    for _ in range(count):
        kind, label, score = struct.unpack_from("<Hif", packed, at)
        at += 10
        box = (None,) * 4
        if kind == 1:
            x1, y1, x2, y2 = struct.unpack_from("<ffff", packed, at)
            at += 16
            box = (round(x1, 2), round(y1, 2), round(x2 - x1, 2), round(y2 - y1, 2))
        found.append((labels[label], round(score, 4), *box))
    return found


# ---- numbers -------------------------------------------------------------------------------------------------------------


def chosen(
    predictions, since=None, until=None, version=None, source=None, own_sources=None, tags=None, label=None, threshold="answered"
):
    """The champions' that a filter lets through; times in seconds, widened to whole minutes."""
    since = -math.inf if since is None else since // 60 * 60 * 1e6
    until = math.inf if until is None else -(-until // 60) * 60 * 1e6
    return [
        p
        for p in predictions
        if not p.shadow and since <= p.at < until
        and version in (None, p.version)
        and (source in (None, p.source) or (source == "other" and p.source not in own_sources))
        and (tags is None or p.tags & set(tags))
        and (label is None or p.shown(threshold, label))
    ]  # fmt: skip


def counted(values, name):
    """Bins of equal width; what is beyond them is in the last, or the first."""
    first, width, count = HISTOGRAMS[name]
    bins = np.clip(np.floor((np.asarray(values, dtype=float) - first) / width + 1e-9), 0, count - 1).astype(int)
    return np.bincount(bins, minlength=count).tolist() if len(bins) else None


def ratio_name(width, height):
    ratio = width / height
    if ratio <= 10 / 9:
        return NAMES[2 if ratio < 0.5 else 1 if ratio < 0.9 else 0]
    return NAMES[3 if ratio <= 2 else 4 if ratio <= 3 else 5]


def clipped(shape, p):
    """A box within the image."""
    _, _, x, y, w, h = shape
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + w, p.width), min(y + h, p.height)
    return x1, y1, round(x2 - x1, 2), round(y2 - y1, 2)


def distributions(predictions, threshold="answered", label=None):
    shown = [(p, p.shown(threshold, label)) for p in predictions]
    shapes = [(p, s) for p, own in shown for s in own]
    boxes = [(p, clipped(s, p)) for p, s in shapes if s[4] is not None]
    labels = {s[0] for _, s in shapes}
    return {
        "labels": sorted(
            ({"label": name, "shapes": sum(s[0] == name for _, s in shapes),
              "images": sum(any(s[0] == name for s in own) for _, own in shown)} for name in labels),
            key=lambda one: (-one["shapes"], one["label"])),
        "objects": counted([len(own) for _, own in shown], "objects"),
        "scores": counted([s[1] for _, s in shapes], "scores"),
        "sizes": counted([math.sqrt(w * h / (p.width * p.height)) for p, (_, _, w, h) in boxes], "sizes"),
        "ratios": counted([math.log2(w / h) for _, (_, _, w, h) in boxes if w > 0 and h > 0], "ratios"),
        "image_areas": counted([math.log2(p.width * p.height) for p in predictions], "image_areas"),
        "image_ratios": [{"name": n, "images": sum(ratio_name(p.width, p.height) == n for p in predictions)} for n in NAMES],
        "brightness": counted([p.stats["brightness"] for p in predictions if "brightness" in p.stats], "brightness"),
        "contrast": counted([p.stats["contrast"] for p in predictions if "contrast" in p.stats], "contrast"),
        "blur": counted([math.log2(1 + p.stats["blur"]) for p in predictions if "blur" in p.stats], "blur"),
    }  # fmt: skip


def mean(values):
    values = list(values)
    return float(np.mean(values)) if values else None


def quantile(values, q):
    """By nearest rank."""
    return sorted(values)[max(1, math.ceil(q * len(values))) - 1]


def totals(predictions, threshold="answered", label=None):
    shown = [len(p.shown(threshold, label)) for p in predictions]
    latencies = [p.latency_us / 1e3 for p in predictions]
    return {
        "predictions": len(predictions), "shapes": sum(shown), "without_shapes": sum(n == 0 for n in shown),
        "mean_latency_ms": mean(latencies),
        **{f"p{q}_ms": quantile(latencies, q / 100) if latencies else None for q in (50, 90, 99)},
    }  # fmt: skip


def series(predictions, first, step, points, threshold="answered", label=None):
    found = []
    for n in range(points):
        low = (first + n * step) * 1e6
        own = [p for p in predictions if low <= p.at < low + step * 1e6]
        of = totals(own, threshold, label)
        found.append(
            {"at": first + n * step, "predictions": len(own), "mean_latency_ms": of["mean_latency_ms"], "p50_ms": of["p50_ms"],
             "p99_ms": of["p99_ms"], "objects": of["shapes"] / len(own) if own else None, "no_answer": of["without_shapes"],
             **{k: mean(p.stats[k] for p in own if k in p.stats) for k in ("brightness", "contrast", "blur")}})  # fmt: skip
    return found


def heat(predictions, threshold="answered", label=None):
    """Each cell asked for each box."""
    centres, coverage = np.zeros((SIDE, SIDE), int), np.zeros((SIDE, SIDE), int)
    images = shapes = 0
    for p in predictions:
        own = [clipped(s, p) for s in p.shown(threshold, label) if s[4] is not None]
        images, shapes = images + bool(own), shapes + len(own)
        for x, y, w, h in own:
            across, down = cells(x, w, p.width), cells(y, h, p.height)
            centres[middle(y, h, p.height), middle(x, w, p.width)] += 1
            coverage[np.ix_(down, across)] += 1
    return {"images": images, "shapes": shapes, "centres": centres.ravel().tolist(), "coverage": coverage.ravel().tolist()}


def cells(at, size, side):
    """Cells [i, i + 1) / SIDE of the side that [at, at + size) meets: in hundredths of a pixel, as whole numbers."""
    low, high, whole = round(at * 100), round(at * 100) + round(size * 100), side * 100
    met = [i for i in range(SIDE) if i * whole < high * SIDE and (i + 1) * whole > low * SIDE]
    return met or [min(low * SIDE // whole, SIDE - 1)]


def middle(at, size, side):
    return min((2 * round(at * 100) + round(size * 100)) * SIDE // (2 * side * 100), SIDE - 1)


# ---- samples -------------------------------------------------------------------------------------------------------------


def drawn(predictions, most=5000):
    """Of a range: those whose positions have the smallest hashes (splitmix64)."""
    mask, below = 2**64 - 1, int(most / len(predictions) * 2.0**64)

    def hashed(position):
        x = (position + 0x9E3779B97F4A7C15) & mask
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & mask
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB & mask
        return x ^ (x >> 31)

    found = sorted((p for p in predictions if hashed(p.position) < below), key=lambda p: hashed(p.position))[:most]
    return sorted(found, key=lambda p: p.at)


def scaled(counts, of, n):
    """Whole numbers of whatever is nested, times of/n."""
    if isinstance(counts, dict):
        return {k: scaled(v, of, n) for k, v in counts.items()}
    if isinstance(counts, list):
        return [scaled(v, of, n) for v in counts]
    return math.floor(counts * of / n + 0.5) if isinstance(counts, int) else counts


# ---- made up -------------------------------------------------------------------------------------------------------------


def packed_boxes(shapes):
    body = b"".join(struct.pack("<Hifffff", 1, label, score, x, y, x + w, y + h) for label, score, x, y, w, h in shapes)
    return struct.pack("<BBH", 1, 0, len(shapes)) + body


def make_up(count, version, labels, first_us, span_us, seed=1, sources=("gate", "yard"), threshold=0.25, times=None):
    """Predictions at random, by time. Coordinates and scores are as they are told: hundredths and ten-thousandths."""
    random = np.random.default_rng(seed)
    at = np.sort(random.integers(first_us, first_us + span_us, count)) if times is None else np.sort(times)
    for n in range(count):
        width, height = [(640, 480), (480, 640), (1000, 300), (512, 512)][random.integers(4)]
        shapes = []
        for score in np.sort(random.integers(100, 10000, random.integers(0, 9)))[::-1]:
            w, h = (int(v) for v in random.integers(1, 25600, 2))
            x, y = int(random.integers(0, width * 100 - w + 1)), int(random.integers(0, height * 100 - h + 1))
            shapes.append((int(random.integers(len(labels))), score / 10000, x / 100, y / 100, w / 100, h / 100))
        stats = {"brightness": round(float(random.uniform(0, 255)), 3), "contrast": round(float(random.uniform(0, 120)), 3),
                 "blur": round(float(random.exponential(500)), 3)}  # fmt: skip
        named = [(labels[s[0]], *s[1:]) for s in shapes]
        asset, ident = (str(uuid.UUID(bytes=random.bytes(16))) for _ in range(2))
        latency_us, source = int(random.lognormal(9, 0.5)), str(sources[random.integers(len(sources))])
        made = Prediction(asset, ident, int(at[n]), version, threshold, latency_us, source, width, height, named, stats)
        yield made, packed_boxes(shapes)


def put(folder, deployment, made):
    """Into the log of a server that does not run, as predictions without an image."""
    database = sqlite3.connect(folder / "gyre.db")
    position = database.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'prediction'").fetchone()[0]
    if position == 0:
        database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('prediction', 0)")
    rows = []
    for p, packed in made:
        position += 1
        p.position = position
        ids = (uuid.UUID(ident).bytes for ident in (p.id, deployment["id"], p.asset, p.version))
        rows.append((position, *ids, int(p.shadow), p.at, p.threshold, p.latency_us, p.latency_us, "{}", len(p.shapes),
                     p.shapes[0][1] if p.shapes else None, packed, json.dumps(p.stats), p.source, p.width, p.height,
                     p.at))  # fmt: skip
    database.executemany(
        "INSERT INTO gone_prediction (position, id, deployment_id, predicted_asset_id, model_version_id, is_shadow, created_us,"
        " threshold, latency_us, cpu_us, steps_us, shape_count, score_max, shapes, image_stats, source, width, height, gone_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)  # fmt: skip
    database.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'prediction'", [position])
    database.commit()
    database.close()
