# SPDX-License-Identifier: Apache-2.0
"""Data folders that earlier versions left (test/golden): the first light (schema 1), shadows and jobs (schema 4), datasets and
reviews (schema 10), what is watched (schema 11): they open, and nothing is lost."""

import hashlib
import json
import sqlite3
import tarfile
import uuid

import harness
import pytest
import requests
import samples
from shadowing import set_shadow, wait_caught_up

GOLDEN = harness.REPOSITORY / "test" / "golden"


def database(server):
    return sqlite3.connect(f"file:{server.data / 'gyre.db'}", uri=True, timeout=20)


def rows_of(server):
    """Every row of every table, as (table, columns by name)."""
    db = database(server)
    try:
        found = {}
        tables = [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        for table in tables:
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            found[table] = columns, db.execute(f"SELECT * FROM {table}").fetchall()
        return found
    finally:
        db.close()


def unpacked(server, name):
    """Not started; known.json says what its own version answered."""
    server.data.mkdir(parents=True)
    with tarfile.open(GOLDEN / f"{name}.tar.xz") as archive:
        archive.extractall(server.data.parent)
    server.known = json.loads((server.data / "known.json").read_text())
    (server.data / "known.json").unlink()
    return server


@pytest.fixture
def old(fresh):
    return unpacked(fresh, "first_light")


@pytest.mark.parametrize(
    ("name", "schema", "predictions"), [("first_light", 1, 12), ("deploy", 4, 15), ("teach", 10, 15), ("watched", 11, 66)]
)
def test_every_row_is_still_there(fresh, name, schema, predictions):
    old = unpacked(fresh, name)
    before = rows_of(old)
    assert before["schema_migration"][1][0][1] == "001_first.sql" and len(before["schema_migration"][1]) == schema
    assert len(before["prediction"][1]) == predictions
    old.start()
    assert old.get("/api/session")["role"] == "ADMIN"  # as everybody who was there before there were roles
    assert old.stop() == 0
    after = rows_of(old)
    changed = {"schema_migration", "api_token", "audit_log", "browser_session"}  # of this start: a new token for the admin
    for table, (columns, rows) in before.items():
        if table in changed:
            continue
        now_columns, now_rows = after[table]
        kept = [now_columns.index(column) for column in columns]
        there = sorted(map(repr, (tuple(row[i] for i in kept) for row in now_rows)))
        was = sorted(map(repr, rows))
        if table == "job":  # what is counted at another threshold than answered is counted by one
            there, was = ([row for row in side if "'recount'" not in row] for side in (there, was))
        assert there == was, table
    db = database(old)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    db.close()


def test_it_answers_as_before_and_goes_on(old):
    server, known = old.start(), old.known
    for was in known["deployments"]:
        harness.wait_until(lambda was=was: server.deployment(was)["status"] != "LOADING", 30, "the model to be loaded")
        now = server.deployment(was)
        assert {k: now[k] for k in was if k not in ("oracle_host", "serving_host", "champion")} == {
            k: was[k] for k in was if k not in ("oracle_host", "serving_host", "champion")
        }
        assert was["champion"].items() <= now["champion"].items()
        history = server.get(f"/api/deployment/{was['id']}/history")["items"]
        assert [{k: line[k] for k in ("at", "what", "by", "from", "to")} for line in history] == known["histories"][was["id"]]
    for was in known["versions"]:
        now = server.get(f"/api/model/version/{was['id']}")
        assert {k: now[k] for k in ("id", "version", "state", "labels", "type")} == {
            k: was[k] for k in ("id", "version", "state", "labels", "type")
        }
    assets = {}
    for deployment in known["deployments"]:
        items, count = server.predicted_assets(deployment)
        assert count == deployment["stats"]["inferences"]
        assets.update({item["oracle_prediction_id"]: item for item in items})
    assert len(assets) == len(known["predictions"]) == 12
    for prediction in known["predictions"]:
        asset, answer = assets[prediction["answer"]["id"]], prediction["answer"]
        content = requests.get(asset["data"]["presigned_url"], timeout=harness.CALL_TIMEOUT).content
        assert hashlib.sha256(content).hexdigest() == prediction["sha256"]
        (champion,) = asset["predictions"]
        assert champion["shapes"] == answer["shapes"] and champion["model_version_id"] == answer["model_version_id"]
        assert asset["data"]["metadata"] == {"n": prediction["number"]}
    again(server, known)


def again(server, known):
    """It predicts, knows its keys, and shadows may follow what the first version recorded."""
    (serving,) = [d for d in known["deployments"] if d["status"] == "SERVING"]
    first = known["predictions"][0]
    repeated = server.predict(serving, samples.numbered(0), filename="0.jpg", headers={"Idempotency-Key": "key-0"})
    assert repeated["id"] == first["answer"]["id"] and repeated["shapes"] == first["answer"]["shapes"]
    assert server.predict(serving, samples.photo("blue"))["shapes"][0]["label"] == "blue"
    reviewed(server, serving)
    other = next(v for v in known["versions"] if v["id"] != serving["model_version_id"])
    set_shadow(server, serving, other, since="start")
    wait_caught_up(server, serving, other)
    (shadow,) = server.deployment(serving)["shadows"]
    seen_by_it = sum(p["answer"]["model_version_id"] == other["id"] for p in known["predictions"])
    assert shadow["predictions"] == server.deployment(serving)["stats"]["inferences"] - seen_by_it > 0
    assert uuid.UUID(shadow["model_version_id"])
    assert server.stop() == 0
    harness.assert_clean(server)


def reviewed(server, deployment):
    """What was recorded before there were reviews can be leased, chosen, filtered and reviewed."""
    items, count = server.predicted_assets(deployment)
    leased = server.post(f"/api/deployment/{deployment['id']}/queue/lease", {"client": "tab", "count": 16})
    assert {item["id"] for item in leased["items"]} == {item["id"] for item in items} and leased["left"] == count
    for item in leased["items"]:
        (label,) = {shape["label"] for shape in item["predictions"][0]["shapes"][:1]}
        body = {"shapes": [{"type": "classification", "label": label}], "base_revision": 0, "client_id": "a"}
        assert server.post(f"/api/predicted/asset/{item['id']}/reviews", body)["kind"] == "ACCEPTED"
        listed = {i["id"] for i in server.predicted_assets(deployment, label=label, status="REVIEWED")[0]}
        assert item["id"] in listed


def test_shadows_and_jobs_go_on(fresh):
    """What schema 4 knew besides: shadows and their predictions, jobs with their results, versions by another recipe."""
    server = unpacked(fresh, "deploy").start()
    known = server.known
    first = known["deployments"][0]
    harness.wait_until(lambda: server.deployment(first)["status"] == "SERVING", 30, "the model to be loaded")
    (was,), (now,) = first["shadows"], server.deployment(first)["shadows"]
    assert {k: now[k] for k in was if k not in ("state", "state_text")} == {
        k: was[k] for k in was if k not in ("state", "state_text")
    }
    answers = [[(p["id"], p["is_shadow"], p["shapes"]) for p in asset["predictions"]] for asset in known["assets"]]
    assets = server.predicted_assets(first)[0]
    assert [[(p["id"], p["is_shadow"], p["shapes"]) for p in asset["predictions"]] for asset in assets] == answers
    assert sum(len(predictions) for predictions in answers) == len(known["assets"]) + was["predictions"]
    assert server.get(f"/api/job/{known['job']['id']}") == known["job"] and known["job"]["result"]["rows"]
    copy = server.get(f"/api/model/version/{known['copy']['id']}")
    assert copy["recipe"] == known["copy"]["recipe"] and copy["lineage"]["based_on_version_id"]
    other = next(v for v in known["versions"] if v["id"] == was["model_version_id"])
    server.predict(first, samples.photo("red"))
    wait_caught_up(server, first, other)
    assert server.deployment(first)["shadows"][0]["predictions"] == was["predictions"] + 1
    reviewed(server, first)


def test_what_people_taught_goes_on(fresh):
    """What schema 10 knew besides: a deployment elsewhere, reviews, what was submitted, people, an experiment, quality."""
    server = unpacked(fresh, "teach").start()
    known = server.known
    deployment = known["elsewhere"]
    path = f"/api/deployment/{deployment['id']}"
    now = server.deployment(deployment)
    assert {k: now[k] for k in ("name", "status", "model_version_id", "min_threshold")} == {
        k: deployment[k] for k in ("name", "status", "model_version_id", "min_threshold")
    }
    assets = {asset["id"]: asset for asset in server.predicted_assets(deployment)[0]}
    assert len(assets) == len(known["assets"]) == 3
    for was in known["assets"]:
        asset = assets[was["id"]]
        assert asset["status"] == was["status"] == "SUBMITTED" and asset["reviews"] == was["reviews"]
        assert asset["predictions"] == was["predictions"]
    quality = server.get(path + "/quality")
    assert quality["reviewed"] == 3 and quality["versions"][0]["coco"] == known["quality"]["versions"][0]["coco"]
    assert server.get(f"/api/dataset/version/{known['version']}/manifest") == known["manifest"]
    assert server.get(f"/api/experiment/{known['experiment']['id']}")["name"] == "first"
    users = server.get(f"/api/organization/{server.organization['id']}/users")["items"]
    assert ("ada", "REVIEWER") in [(u["username"], u["role"]) for u in users]
    withdrawn = server.post(f"/api/predicted/asset/{known['assets'][0]['id']}/withdraw")
    assert withdrawn["status"] == "REVIEWED"
    assert server.stop() == 0
    harness.assert_clean(server)


def test_what_was_watched_goes_on(fresh):
    """What schema 11 knew besides: Training Data and its reference, alerts, a webhook, refusals, an image that is gone, what was
    submitted; and none of it is in a training yet."""
    server = unpacked(fresh, "watched").start()
    known = server.known
    deployment = known["watched"]
    path = f"/api/deployment/{deployment['id']}"
    harness.wait_until(lambda: server.deployment(deployment)["status"] == "SERVING", 30, "the model to be loaded")
    dashboard = harness.wait_until(
        lambda: (now := server.get(f"{path}/dashboard"))["totals"]["predictions"] == 16 and now, 30, "the log to be counted"
    )
    for part in ("totals", "distributions", "labels", "sources"):
        if part == "totals":  # of a span that ends now
            assert dashboard[part].pop("images_per_s") and known["dashboard"][part].pop("images_per_s")
        assert dashboard[part] == known["dashboard"][part], part
    training_data = server.get(f"{path}/pipeline/td")
    assert training_data["reference"]["id"] == known["training_data"]["reference"]["id"]
    was, now = known["drift"], server.get(f"{path}/drift")
    assert now["reference"] == was["reference"] and now["features"] == was["features"]
    alerts = server.get(f"{path}/alerts")
    assert {(a["id"], a["kind"], a["value"]) for a in alerts["items"]} == {
        (a["id"], a["kind"], a["value"]) for a in known["alerts"]["items"]
    }
    assert {event["id"] for event in known["alerts"]["events"]} <= {event["id"] for event in alerts["events"]}
    (hook,) = server.get(f"/api/organization/{server.organization['id']}/webhooks")["items"]
    assert hook["id"] == known["webhooks"][0]["id"]
    feedback = server.get(f"{path}/pipeline/fl")
    assert feedback["counts"]["submitted"] == known["feedback"]["counts"]["submitted"] == known["submitted"]["submitted"] == 6
    assert server.get(f"{path}/quality")["versions"][0]["classification"] == known["quality"]["versions"][0]["classification"]
    assert [a["predictions"] for a in server.predicted_assets(deployment)[0]] == [a["predictions"] for a in known["assets"]]
    server.predict(deployment, samples.photo("red"))
    assert server.stop() == 0
    assert "all equal" in harness.command("audit", "--data", server.data).stdout
    harness.assert_clean(server)
