# SPDX-License-Identifier: Apache-2.0
"""Alerts open and close by what comes in, and others are told by signed webhooks, whatever crashes."""

import base64
import concurrent.futures
import pathlib
import re
import subprocess
import time

import harness
import pytest
import requests
import samples
import yaml
from receiving import Receiver, signed_by
from test_lifecycle import read_event
from test_openapi import check

LABELS = ["bolt", "nut"]
OPENS_S = 90  # a look every five seconds, of AP perhaps once a minute; machines are shared


@pytest.fixture(scope="module")
def hooks():
    with Receiver() as receiver:
        yield receiver


def webhooks_of(server):
    return f"/api/organization/{server.organization['id']}/webhooks"


def add_webhook(server, url, **more):
    return server.post(webhooks_of(server), {"name": "chat", "url": url, **more}, expect=201)


def alerts(server, deployment):
    return server.get(f"/api/deployment/{deployment['id']}/alerts")


def by_kind(server, deployment):
    return {a["kind"]: a for a in alerts(server, deployment)["items"]}


def add_alert(server, deployment, kind, **settings):
    return server.post(f"/api/deployment/{deployment['id']}/alerts", {"kind": kind, **settings}, expect=201)


def elsewhere(server, name):
    """A deployment whose model is somewhere else."""
    version = server.make_version(server.make_model(name), "OBJECT_DETECTION", LABELS)
    body = {"model_version_id": version["id"], "name": name, "disable_serving": True}
    return server.post(f"/api/organization/{server.organization['id']}/deployments", body)


def monitor(server, deployment, count, latency, picture=None, label=0):
    body = {
        "filename": "x.jpg", "content_type": "IMAGE/JPEG", "width": 64, "height": 48, "latency": latency,
        "timestamp": time.time() - 100,  # also in the window that ended a minute ago, which has to be fine before one closes
        "image": base64.b64encode(picture or samples.photo("red")).decode(),
        "raw_predictions": {"detection_classes": [label], "detection_scores": [0.9], "detection_boxes": [[1, 2, 11, 22]]},
    }  # fmt: skip
    return [server.post(f"/api/deployment/{deployment['id']}/predictions", body, expect=201) for _ in range(count)]


def wait_for(condition, what):
    return harness.wait_until(condition, OPENS_S, what, every=0.05)


# ---- settings --------------------------------------------------------------------------------------------------------


def test_a_deployment_begins_with_some(server):
    deployment = elsewhere(server, "alerts at deploy")
    items = by_kind(server, deployment)
    assert set(items) == {"latency", "failed", "is_drift", "training_failed", "data_quality"}
    assert all(a["active"] and a["open"] is None and a["last_fired_at"] is None for a in items.values())
    assert items["is_drift"]["budget"] == "On average at most one false alarm in 100,000 images."
    assert items["latency"]["budget"] is None and not items["latency"]["supervised"]
    assert server.deployment(deployment)["alerts_open"] == 0


def test_alerts_are_made_changed_and_deleted(server):
    deployment = elsewhere(server, "alerts by hand")
    path = f"/api/deployment/{deployment['id']}/alerts"
    made = add_alert(server, deployment, "stats.ap_50_95", value=0.3, label="nut")
    assert (made["operator"], made["value"], made["label"], made["supervised"]) == ("<", 0.3, "nut", True)
    changed = server.patch(f"/api/alert/{made['id']}", {"label": None, "window_s": 3600, "active": False})
    assert (changed["label"], changed["window_s"], changed["active"], changed["value"]) == (None, 3600, False, 0.3)
    assert "no label" in server.post(path, {"kind": "stats.ap_50_95", "label": "washer"}, expect=400)["message"]
    assert "kind of alert" in server.post(path, {"kind": "moon"}, expect=400)["message"]
    assert "operator" in server.post(path, {"kind": "latency", "operator": "~"}, expect=400)["message"]
    assert "whole minutes" in server.call("PATCH", f"/api/alert/{made['id']}", 400, json={"window_s": 61})["message"]
    server.delete(f"/api/alert/{made['id']}")
    server.call("PATCH", f"/api/alert/{made['id']}", 404, json={})
    assert set(by_kind(server, deployment)) == {"latency", "failed", "is_drift", "training_failed", "data_quality"}


def test_changes_at_once_all_count(server):
    """Each of two writes what it was asked for, and nothing that it read before the other wrote."""

    def change(alert, fields):  # on a connection of its own
        return requests.patch(f"{server.url}/api/alert/{alert['id']}", json=fields, headers=server.session.headers, timeout=60)

    deployment = elsewhere(server, "changed at once")
    made = add_alert(server, deployment, "latency")
    for turn in range(20):
        wanted = {"value": 500 + turn, "window_s": 60 * (1 + turn), "images_min": 1 + turn, "active": turn % 2 == 0}
        with concurrent.futures.ThreadPoolExecutor(len(wanted)) as pool:
            answers = [pool.submit(change, made, {key: value}) for key, value in wanted.items()]
            assert {answer.result().status_code for answer in answers} == {200}
        [now] = [a for a in alerts(server, deployment)["items"] if a["id"] == made["id"]]
        assert {key: now[key] for key in wanted} == wanted


def test_who_may(server):
    """Alerts are everybody's but reviewers', webhooks administrators'."""
    deployment = elsewhere(server, "alerts of whom")
    org = f"/api/organization/{server.organization['id']}"
    for role, sees_alerts in (("MEMBER", 200), ("REVIEWER", 403)):
        user = server.post(f"{org}/users", {"name": f"alerts {role}", "role": role})
        token = server.post("/api/tokens", {"name": "t", "user_id": user["id"]})["token"]
        headers = {"Authorization": f"Bearer {token}"}
        got = requests.get(f"{server.url}/api/deployment/{deployment['id']}/alerts", headers=headers, timeout=30)
        assert got.status_code == sees_alerts
        assert requests.get(f"{server.url}{org}/webhooks", headers=headers, timeout=30).status_code == 403


def test_the_command_line(server, cli):
    deployment = elsewhere(server, "alerts by words")
    name = deployment["name"]
    assert "Latency (p99) > 1000 ms over 5 minutes" in cli("alert", "list", name).stdout
    cli("alert", "set", name, "avg_latency", ">=", "250", "--window", "15m", "--images", "5")
    made = by_kind(server, deployment)["avg_latency"]
    assert (made["operator"], made["value"], made["window_s"], made["images_min"]) == (">=", 250, 900, 5)
    cli("alert", "set", name, "avg_latency", "off")
    assert by_kind(server, deployment)["avg_latency"]["active"] is False
    cli("alert", "set", name, "avg_latency", "<", "3")
    now = by_kind(server, deployment)["avg_latency"]
    assert (now["id"], now["active"], now["operator"], now["value"]) == (made["id"], True, "<", 3)
    assert harness.json_lines(cli("alert", "list", name, "--json").stdout)[0]["kind"] == "latency"
    assert cli("alert", "events", name).stdout == "No alert has fired yet.\n"
    assert "window" in cli("alert", "set", name, "avg_latency", "<", "3", "--window", "soon", expect=2).stderr


# ---- webhooks: where they may go ---------------------------------------------------------------------------------------


def test_webhooks_are_kept_without_their_secret(server):
    made = add_webhook(server, "https://hooks.example.com/gyre", active=False)
    assert made["secret"].startswith("whsec_") and len(made["secret"]) > 40
    [listed] = [w for w in server.get(webhooks_of(server))["items"] if w["id"] == made["id"]]
    assert "secret" not in listed and listed["url"] == "https://hooks.example.com/gyre" and listed["active"] is False
    changed = server.patch(f"/api/webhook/{made['id']}", {"name": "other", "url": "https://example.com/x"})
    assert (changed["name"], changed["url"]) == ("other", "https://example.com/x") and "secret" not in changed
    for bad in ("ftp://example.com/", "example.com", "file:///etc/passwd", "https://", "http://ann:pw@example.com/", "x" * 3000):
        server.call("PATCH", f"/api/webhook/{made['id']}", 400, json={"url": bad})
        server.post(webhooks_of(server), {"name": "bad", "url": bad}, expect=400)
    server.delete(f"/api/webhook/{made['id']}")
    server.call("POST", f"/api/webhook/{made['id']}/test", 404)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}", "localhost:{port}", "2130706433:{port}", "0x7f.1:{port}", "0.0.0.0:{port}", "[::1]:{port}",
        "[::ffff:127.0.0.1]:{port}", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "[fe80::1]",
        "[fd00::1]",
    ],
)  # fmt: skip
def test_private_addresses_are_refused(server, hooks, host):
    """By the address of the socket, so that no spelling and no name gets past it."""
    before = len(hooks.got)
    made = add_webhook(server, f"http://{host.format(port=hooks.port)}/", active=False)
    started = time.monotonic()
    tried = server.post(f"/api/webhook/{made['id']}/test")
    assert time.monotonic() - started < 8  # it did not even try
    assert tried["delivered"] is False and tried["http_status"] is None
    assert "webhook_allow" in tried["error"] or "cannot be reached" in tried["error"], tried
    if "[f" not in host:
        assert "private network" in tried["error"]
    assert len(hooks.got) == before
    server.delete(f"/api/webhook/{made['id']}")


@pytest.fixture(scope="module")
def allowing(tmp_path_factory):
    """A server that may send to this machine."""
    with harness.Server(tmp_path_factory.mktemp("allowing"), "--webhook_allow", "hooks.example, 127.0.0.1") as running:
        yield running


def the_documentation_says_so(secret, headers, body, folder):
    """The examples of docs/alerts.md, as they stand there."""
    text = (harness.REPOSITORY / "docs" / "alerts.md").read_text()
    python = {}
    exec(re.search(r"```python\n(.*?)```", text, re.S)[1], python)
    assert python["is_from_gyre"](secret, headers, body) and not python["is_from_gyre"](secret, headers, body + b" ")
    assert not python["is_from_gyre"]("whsec_x", headers, body)
    shell = re.search(r"```sh\n(.*?)```", text, re.S)[1]
    for sent, said in ((body, "from gyre\n"), (body + b" ", "")):
        (folder / "body.json").write_bytes(sent)
        env = harness.environment(SIGNATURE=headers["X-Gyre-Signature"], SECRET=secret)
        assert subprocess.run(["bash", "-c", shell], env=env, cwd=folder, capture_output=True, text=True).stdout == said


def test_a_test_is_sent_and_signed(allowing, hooks, tmp_path):
    made = add_webhook(allowing, f"{hooks.url}/signed")
    assert allowing.post(f"/api/webhook/{made['id']}/test") == {"delivered": True, "http_status": 200, "error": None}
    [(_, headers, body)] = [g for g in hooks.got if g[0] == "/signed"]
    right, at = signed_by(made["secret"], headers, body)
    assert right and abs(time.time() - at) < 30
    assert not signed_by(made["secret"], headers, body + b" ")[0] and not signed_by("whsec_x", headers, body)[0]
    the_documentation_says_so(made["secret"], headers, body, tmp_path)
    [(headers, said)] = hooks.of("/signed")
    assert (said["event"], said["id"]) == ("test", headers["X-Gyre-Delivery"]) and headers["X-Gyre-Event"] == "test"
    assert headers["Content-Type"] == "application/json" and headers["User-Agent"].startswith("gyre/")
    assert said["link"] == allowing.url + "/" and "chat" in said["sentence"]
    [delivery] = allowing.get(f"/api/webhook/{made['id']}/deliveries")["items"]
    assert (delivery["event"], delivery["attempts"], delivery["next_at"], delivery["error"]) == ("test", 1, None, None)
    [listed] = [w for w in allowing.get(webhooks_of(allowing))["items"] if w["id"] == made["id"]]
    assert listed["last_status"] == 200 and listed["last_error"] is None and listed["last_at"]


def test_redirects_are_not_followed(allowing, hooks):
    hooks.answers["/moved"] = 302
    made = add_webhook(allowing, f"{hooks.url}/moved")
    tried = allowing.post(f"/api/webhook/{made['id']}/test")
    assert tried["delivered"] is False and tried["http_status"] == 302 and "redirect" in tried["error"]
    assert not hooks.of("/inside")
    allowing.delete(f"/api/webhook/{made['id']}")


def test_what_is_not_accepted_is_said(allowing, hooks):
    hooks.answers["/broken"] = 500
    made = add_webhook(allowing, f"{hooks.url}/broken")
    tried = allowing.post(f"/api/webhook/{made['id']}/test")
    assert (tried["delivered"], tried["http_status"]) == (False, 500) and "answered 500" in tried["error"]
    [delivery] = allowing.get(f"/api/webhook/{made['id']}/deliveries")["items"]
    assert delivery["next_at"] is None and delivery["done_at"]  # somebody waited for it: it is not tried again
    server_is_away = allowing.patch(f"/api/webhook/{made['id']}", {"url": "http://127.0.0.1:1/"})
    assert "cannot be reached" in allowing.post(f"/api/webhook/{server_is_away['id']}/test")["error"]
    allowing.delete(f"/api/webhook/{made['id']}")


# ---- what opens, and what is told --------------------------------------------------------------------------------------


def open_kinds(server, deployment):
    return {a["kind"] for a in alerts(server, deployment)["items"] if a["open"]}


def test_each_kind_opens_and_closes(allowing, hooks, tmp_path):
    """By predictions made elsewhere: slow ones, dark ones; by reviews that say otherwise; by requests that fail."""
    made = add_webhook(allowing, f"{hooks.url}/kinds")
    far = elsewhere(allowing, "far away")
    add_alert(allowing, far, "avg_latency", value=500, images_min=20)
    quality = by_kind(allowing, far)["data_quality"]
    version = allowing.push(samples.colour_classifier(tmp_path), "colours", "CLASSIFICATION", samples.COLOURS)
    near = allowing.deploy(version, "near", 0.1)
    add_alert(allowing, near, "stats.ap_50_95", value=0.5, images_min=3)
    monitor(allowing, far, 60, 1.2, samples.encode(samples.plain("black", 64, 48)))
    images = [allowing.predict(near, samples.photo("red")) for _ in range(4)]
    for image in images:
        review = {"shapes": [{"type": "classification", "label": "green"}]}
        allowing.post(f"/api/predicted/asset/{image['predicted_asset_id']}/reviews", review)
    allowing.post(f"/api/deployment/{near['id']}/pause")
    for _ in range(20):
        allowing.predict(near, samples.photo("red"), expect=503)

    assert allowing.stop() == 0
    allowing.start()  # there is a look at the start, so this takes less time than waiting for the next one
    wait_for(lambda: open_kinds(allowing, far) == {"latency", "avg_latency", "data_quality"}, "slow and dark to be told")
    wait_for(lambda: open_kinds(allowing, near) == {"stats.ap_50_95", "failed"}, "wrong and failed to be told")
    said = {e["kind"]: e["sentence"] for d in (far, near) for e in alerts(allowing, d)["events"]}
    assert said["avg_latency"].startswith("Mean latency was 1200 ms over the last 5 minutes (60 images); the limit is 500 ms.")
    assert "100 % of images could hardly be used in the last hour (60 too dark" in said["data_quality"]
    assert said["stats.ap_50_95"].startswith("Accuracy was 0 over the last 7 days (4 reviewed images); the limit is 0.5.")
    assert "of requests failed" in said["failed"] and "paused" in said["failed"]
    assert allowing.deployment(far)["alerts_open"] == 3
    contract = yaml.safe_load((harness.REPOSITORY / "api" / "openapi.yaml").read_text())
    check(contract, alerts(allowing, far), contract["components"]["schemas"]["Alerts"], "Alerts")
    wait_for(lambda: len(hooks.events("/kinds", "alert.opened")) == 5, "each to be sent")
    for body in hooks.events("/kinds", "alert.opened"):
        assert body["link"] == f"{allowing.url}/deployment/{body['deployment']['id']}"
        assert body["sentence"] == said[body["alert"]["kind"]] and body["deployment"]["name"] in ("far away", "near")

    # And back: fast ones dilute the mean; limits are moved; people think again; one is closed by hand.
    monitor(allowing, far, 90, 0.01)
    allowing.patch(f"/api/alert/{by_kind(allowing, far)['latency']['id']}", {"value": 5000})
    allowing.patch(f"/api/alert/{quality['id']}", {"active": False})
    for image in images:
        review = {"shapes": [{"type": "classification", "label": "red"}]}
        allowing.post(f"/api/predicted/asset/{image['predicted_asset_id']}/reviews", review)
    failed = by_kind(allowing, near)["failed"]["open"]
    with allowing.session.get(f"{allowing.url}/api/deployment/{near['id']}/events", stream=True, timeout=20) as stream:
        closed = allowing.post(f"/api/alert/event/{failed['id']}/close")
        read_event(stream.iter_lines(decode_unicode=True, chunk_size=1), "alert")  # pages that are open hear of it
    assert closed["closed_by"] == "admin" and closed["detail"]["closed"] == "admin closed it."
    allowing.post(f"/api/alert/event/{failed['id']}/close", expect=409)
    wait_for(lambda: not open_kinds(allowing, far) and not open_kinds(allowing, near), "all to be closed")
    wait_for(lambda: len(hooks.events("/kinds", "alert.closed")) == 5, "each to be sent")
    assert {e["closed_by"] for d in (far, near) for e in alerts(allowing, d)["events"]} == {"admin", "gyre"}
    assert allowing.deployment(far)["alerts_open"] == 0
    metrics = allowing.call("GET", "/metrics").text
    assert re.search(r"^gyre_alerts_opened_total 5$", metrics, re.M), metrics
    assert re.search(r"^gyre_webhook_delivered_total [1-9]", metrics, re.M), metrics
    events = harness.command("alert", "events", "near", server=allowing).stdout
    assert "Accuracy was 0" in events and "closed" in events
    allowing.delete(f"/api/webhook/{made['id']}")


@pytest.mark.skipif(harness.SANITIZED, reason="sanitizers do not go with LD_PRELOAD")
def test_what_is_not_delivered_is_sent_again_after_a_crash(tmp_path, hooks):
    """500, then kill -9, then a start: the same thing with the same id comes when it is due, and then no more."""
    shift = tmp_path / "shift"
    shift.write_text("0")
    env = {"LD_PRELOAD": harness.shim(pathlib.Path(__file__).parent / "clockshift.c"), "CLOCKSHIFT": shift}
    hooks.answers["/again"] = 500
    with harness.Server(tmp_path / "server", "--webhook_allow", "127.0.0.1", env=env) as server:
        made = add_webhook(server, f"{hooks.url}/again")
        deployment = elsewhere(server, "crashing")
        add_alert(server, deployment, "avg_latency", value=500, images_min=5, window_s=3600)
        monitor(server, deployment, 5, 0.8)
        assert server.stop() == 0
        server.start()  # the first look is at the start
        deliveries = f"/api/webhook/{made['id']}/deliveries"
        [first] = wait_for(lambda: [d for d in server.get(deliveries)["items"] if d["attempts"]], "the first attempt")
        assert first["http_status"] == 500 and first["next_at"] and first["done_at"] is None
        server.kill()
        hooks.answers["/again"] = 200
        shift.write_text("61")  # a minute later
        server.start()
        [last] = wait_for(lambda: [d for d in server.get(deliveries)["items"] if d["done_at"]], "it to arrive")
        assert (last["id"], last["attempts"], last["http_status"], last["error"]) == (first["id"], 2, 200, None)
        assert last["next_at"] is None
        before, after = hooks.of("/again")
        assert before[1] == {**after[1], "link": before[1]["link"]}  # the port is another one
        assert before[0]["X-Gyre-Delivery"] == after[0]["X-Gyre-Delivery"] == last["id"]
        assert before[0]["X-Gyre-Signature"] != after[0]["X-Gyre-Signature"]
        assert len(alerts(server, deployment)["events"]) == 1  # the look after the crash made no other one
