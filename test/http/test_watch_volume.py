# SPDX-License-Identifier: Apache-2.0
"""Some thousands of predictions that nobody made, counted by the tail through a kill: what the dashboard says of them is what
NumPy counts in the rows of the log."""

import pathlib
import sqlite3
import sys

import harness
import numpy
import pytest
import synthetic

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import bench_watch  # noqa: E402

PREDICTIONS, DAYS, SIDE = 6000, 3, 64


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    server = harness.Server(tmp_path_factory.mktemp("volume"))
    with server:
        deployment = synthetic.prepare(server)
    end = synthetic.fill(server.data, deployment, PREDICTIONS, DAYS, seed=5)
    bench_watch.count_all(server, PREDICTIONS)  # it is killed in the middle
    yield server, deployment, end
    assert server.stop() == 0


@pytest.fixture(scope="module")
def log(world):
    """Of each prediction when, whence, its latency, width, height and boxes as the API shows them."""
    db = sqlite3.connect(world[0].data / "gyre.db")
    rows = db.execute(
        "SELECT p.created_us, s.name, p.latency_us, d.width, d.height, p.shapes FROM prediction p"
        " JOIN predicted_asset a ON a.id = p.predicted_asset_id JOIN data d ON d.id = a.data_id"
        " JOIN data_source s ON s.id = d.source_id ORDER BY p.position"
    ).fetchall()
    db.close()
    return [(*row[:5], numpy.frombuffer(row[5][4:], synthetic.BOX)) for row in rows]


def answered(row, label=None):
    """Boxes at the threshold, in hundredths of a pixel: x, y, width, height."""
    boxes = row[5][row[5]["score"].astype(float) >= synthetic.THRESHOLD]
    if label is not None:
        boxes = boxes[boxes["label"] == label]
    corners = boxes["box"]
    size = corners[:, 2:] - corners[:, :2]
    return numpy.floor(numpy.concatenate([corners[:, :2], size], axis=1).astype(float) * 100 + 0.5).astype(int)


def drawn(rows, label=None):
    """(centres, coverage), each box filled in cell by cell."""
    centres, coverage = numpy.zeros((SIDE, SIDE), int), numpy.zeros((SIDE, SIDE), int)
    for row in rows:
        width, height = 100 * row[3], 100 * row[4]
        for x, y, w, h in answered(row, label):
            middle = min((2 * y + h) * SIDE // (2 * height), SIDE - 1), min((2 * x + w) * SIDE // (2 * width), SIDE - 1)
            centres[middle] += 1
            left, top = x * SIDE // width, y * SIDE // height
            right, bottom = -(-(x + w) * SIDE // width), -(-(y + h) * SIDE // height)
            coverage[top : max(bottom, top + 1), left : max(right, left + 1)] += 1
    return centres.ravel().tolist(), coverage.ravel().tolist()


def test_a_kill_in_the_middle_leaves_what_the_log_says(world):
    server, _, _ = world
    assert synthetic.position(server.data) == PREDICTIONS + len(synthetic.SOURCES)
    server.stop()
    try:
        found = harness.command("audit", "--data", server.data, expect=None)
        assert found.returncode == 0, found.stdout + found.stderr
        assert f"{PREDICTIONS + len(synthetic.SOURCES)}" in found.stdout
    finally:
        server.start()


def test_totals_and_labels_are_those_of_the_rows(world, log):
    server, deployment, end = world
    shown = server.get(f"/api/deployment/{deployment['id']}/dashboard", params={"from": 0, "to": end + 3600})
    boxes = [answered(row) for row in log]
    assert shown["totals"]["predictions"] == len(log) == PREDICTIONS + len(synthetic.SOURCES)
    assert shown["totals"]["shapes"] == sum(map(len, boxes))
    assert shown["totals"]["without_shapes"] == sum(len(b) == 0 for b in boxes)
    latency = numpy.array([row[2] for row in log]) / 1000
    assert shown["totals"]["mean_latency_ms"] == pytest.approx(latency.mean(), abs=0.001)
    for q in (50, 90, 99):
        exact = numpy.quantile(latency, q / 100, method="inverted_cdf")
        assert shown["totals"][f"p{q}_ms"] == pytest.approx(exact, rel=0.011)
    labels = numpy.concatenate([row[5]["label"][row[5]["score"].astype(float) >= synthetic.THRESHOLD] for row in log])
    counts = {synthetic.LABELS[i]: int(n) for i, n in enumerate(numpy.bincount(labels, minlength=80)) if n}
    assert {d["label"]: d["shapes"] for d in shown["distributions"]["labels"] if d["shapes"]} == counts


@pytest.mark.parametrize("label", [None, 0, 7])
def test_the_heatmap_is_each_box_drawn_cell_by_cell(world, log, label):
    server, deployment, end = world
    params = {"from": 0, "to": end + 3600, **({} if label is None else {"label": synthetic.LABELS[label]})}
    shown = server.get(f"/api/deployment/{deployment['id']}/heatmap", params=params)
    centres, coverage = drawn(log, label)
    assert sum(centres) == shown["shapes"] > 100
    assert shown["centres"] == centres
    assert shown["coverage"] == coverage
