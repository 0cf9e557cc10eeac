# SPDX-License-Identifier: Apache-2.0
"""People: roles, what each opens, tokens for others, sessions that end, `gyre user`, and the SDK's users."""

import json
import re
import uuid

import harness
import picsellia
import pytest
import requests
import samples
from picsellia.exceptions import ResourceConflictError


class Person:
    """Somebody with a role, and a session that carries their token."""

    def __init__(self, server, role, name=None):
        self.server, self.role = server, role
        self.name = name or f"{role.lower()}-{uuid.uuid4().hex[:8]}"
        organization = server.organization["id"]
        self.row = server.post(f"/api/organization/{organization}/users", {"name": self.name, "role": role}, expect=201)
        made = server.post("/api/tokens", {"name": "tests", "user_id": self.row["id"]}, expect=201)
        assert made["user"] == self.name and made["user_id"] == self.row["id"]
        self.id, self.token, self.token_id = self.row["id"], made["token"], made["id"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method, path, **options):
        return self.session.request(method, self.server.url + path, timeout=harness.CALL_TIMEOUT, **options)


@pytest.fixture(scope="module")
def people(server):
    return {role: Person(server, role) for role in ("ADMIN", "MEMBER", "REVIEWER")}


def routes():
    return json.loads(harness.command("routes", "--json").stdout) if harness.BINARY.exists() else []


def concrete(pattern):
    return re.sub(r"\{[^}]*\}", lambda _: str(uuid.uuid4()), pattern)


# Whatever else a reviewer may call has to be put here by hand, and so to be thought about.
REVIEWERS_OPEN = re.compile(
    r"(GET|DELETE) /api/session|GET /api/home/ping|GET /api/organizations/find|GET /api/organization/\{org\}"
    r"|GET /api/organization/\{org\}/deployments(/find)?|GET /api/deployment/\{id\}(/events)?|GET /api/events"
    r"|GET /api/deployment/\{id\}/predictedassets(/find)?|GET /api/predicted/asset/\{id\}"
    r"|\w+ /api/predicted/asset/\{id\}/(reviews|draft|skip|unreview)|\w+ /api/deployment/\{id\}/queue(/lease|/release)?"
    r"|POST /api/deployment/\{id\}/reviews/accept|GET /api/data/\{id\}/presigned-url"
)


def test_every_route_says_who_may_call_it(people):
    """Of reviewers and members, by the table: who may not gets 403 and a sentence, before anything else is looked at."""
    for route in routes():
        if route["rule"] in ("public", "signed"):
            continue
        refused = {"REVIEWER": "reviewer" not in route["rule"], "MEMBER": route["rule"] == "admin"}
        for role, wanted in refused.items():
            if not wanted:
                continue
            answer = people[role].call(route["method"], concrete(route["path"]))
            assert answer.status_code == 403, f"{role} {route}: {answer.status_code} {answer.text[:200]}"
            assert people[role].name in answer.json()["message"]


def test_reviewers_open_only_what_reviewing_takes():
    opened = {f"{r['method']} {r['path']}" for r in routes() if "reviewer" in r["rule"]}
    assert {r for r in opened if not REVIEWERS_OPEN.fullmatch(r)} == set()
    assert "GET /api/deployment/{id}" in opened


def test_what_a_reviewer_sees(server, people, tmp_path):
    version = server.push(samples.colour_classifier(tmp_path), f"m-{tmp_path.name}", "CLASSIFICATION", samples.COLOURS)
    deployment = server.deploy(version, f"d-{tmp_path.name}")
    server.predict(deployment, samples.photo("red"))
    reviewer = people["REVIEWER"]
    session = reviewer.call("GET", "/api/session").json()
    assert session["role"] == "REVIEWER" and session["user"] == {"id": reviewer.id, "name": reviewer.name}
    assert reviewer.call("GET", f"/api/deployment/{deployment['id']}").json()["id"] == deployment["id"]
    listed = reviewer.call("GET", f"/api/deployment/{deployment['id']}/predictedassets").json()
    assert listed["count"] == 1
    picture = requests.get(listed["items"][0]["data"]["presigned_url"], timeout=harness.CALL_TIMEOUT)
    assert picture.status_code == 200 and picture.headers["Content-Type"].startswith("image/")
    # Neither predict nor what a service's login would open.
    refused = server.predict(deployment, samples.photo("red"), expect=None, session=reviewer.session)
    assert refused.status_code == 403 and "reviewer" in refused.json()["message"]
    login = requests.post(
        server.url + "/api/login", json={"api_token": reviewer.token, "deployment_id": deployment["id"]},
        timeout=harness.CALL_TIMEOUT,
    )  # fmt: skip
    assert login.status_code == 403, login.text


# ---- changing people -------------------------------------------------------------------------------------------------


def test_people_are_listed_changed_and_removed(server):
    path = f"/api/organization/{server.organization['id']}/users"
    person = Person(server, "MEMBER", "Ana Núñez")
    assert set(person.row) == {"id", "username", "role", "created_at"}
    listed = server.get(path)
    assert person.row in listed["items"] and listed["count"] == len(listed["items"])
    assert server.get(path, params={"name": "Ana Núñez"})["items"] == [person.row]
    assert server.call("POST", path, json={"name": "Ana Núñez"}).status_code == 409
    for wrong in ({}, {"name": ""}, {"name": "x", "role": "KING"}, {"name": "x" * 64}, {"name": "a\nb"}):
        assert server.call("POST", path, json=wrong).status_code == 400, wrong

    models = f"/api/organization/{server.organization['id']}/models"
    assert person.call("GET", models).status_code == 200
    changed = server.patch(f"/api/user/{person.id}", {"role": "REVIEWER"})
    assert changed == {**person.row, "role": "REVIEWER"} == server.get(f"/api/user/{person.id}")
    assert person.call("GET", models).status_code == 403  # with the next request
    assert server.call("PATCH", f"/api/user/{person.id}", json={}).status_code == 400
    server.delete(f"/api/user/{person.id}", expect=204)
    assert person.call("GET", "/api/home/ping").status_code == 401
    assert server.call("GET", f"/api/user/{person.id}").status_code == 404
    assert server.call("DELETE", f"/api/user/{person.id}").status_code == 404


def test_the_last_administrator_stays(fresh):
    fresh.start()
    me = fresh.get("/api/session")["user"]["id"]
    for answer in (
        fresh.call("DELETE", f"/api/user/{me}"),
        fresh.call("PATCH", f"/api/user/{me}", json={"role": "MEMBER"}),
    ):
        assert answer.status_code == 409 and "administrator" in answer.json()["message"]
    other = Person(fresh, "ADMIN")
    fresh.delete(f"/api/user/{me}", expect=204)  # now there is another
    assert other.call("PATCH", f"/api/user/{other.id}", json={"role": "MEMBER"}).status_code == 409
    fresh.stop()
    fresh.launch()  # the first one's token is in the file, and is no more
    harness.wait_until(lambda: "/login?code=" in fresh.stdout(), harness.START_TIMEOUT, "the login link")
    fresh.url = re.search(r"http://127\.0\.0\.1:\d+", fresh.stdout())[0]
    code = re.search(r"/login\?code=([\w-]+)", fresh.stdout())[1]
    with requests.Session() as browser:
        browser.get(f"{fresh.url}/login", params={"code": code}, timeout=harness.CALL_TIMEOUT)
        session = browser.get(f"{fresh.url}/api/session", timeout=harness.CALL_TIMEOUT).json()
        assert session["user"]["name"] == other.name and session["role"] == "ADMIN"


# ---- tokens ----------------------------------------------------------------------------------------------------------


def test_tokens_of_others_are_the_administrators(server, people):
    member, admin = people["MEMBER"], people["ADMIN"]
    mine = member.call("POST", "/api/tokens", json={"name": "my laptop"})
    assert mine.status_code == 201 and mine.json()["user_id"] == member.id
    seen = member.call("GET", "/api/tokens").json()["items"]
    assert {t["user"] for t in seen} == {member.name}
    assert {t["user"] for t in admin.call("GET", "/api/tokens").json()["items"]} >= {"admin", member.name, admin.name}
    assert member.call("POST", "/api/tokens", json={"name": "x", "user_id": admin.id}).status_code == 403
    assert member.call("DELETE", f"/api/token/{admin.token_id}").status_code == 403
    assert admin.call("DELETE", f"/api/token/{mine.json()['id']}").status_code == 204
    assert server.call("POST", "/api/tokens", json={"name": "x", "user_id": str(uuid.uuid4())}).status_code == 404


def test_a_deleted_token_ends_what_was_begun_with_it(fresh):
    """The browser sessions and the services' logins, and not those of another token."""
    fresh.start()
    person = Person(fresh, "MEMBER")
    other = fresh.post("/api/tokens", {"name": "kept", "user_id": person.id})
    sessions = []
    for token in (person.token, person.token, other["token"]):
        browser = requests.Session()
        browser.post(fresh.url + "/api/session", json={"token": token}, headers={"X-Gyre-Csrf": "1"}, timeout=30)
        sessions.append(browser)

    def codes():
        return [b.get(fresh.url + "/api/session", timeout=harness.CALL_TIMEOUT).status_code for b in sessions]

    assert codes() == [200, 200, 200]
    fresh.delete(f"/api/token/{person.token_id}", expect=204)
    assert codes() == [401, 401, 200]
    fresh.stop()
    fresh.start()  # on another port, which cookies do not mind
    assert codes() == [401, 401, 200]


# ---- the command line ------------------------------------------------------------------------------------------------


def test_command_line(server):
    def gyre(*words, **options):
        return harness.command("user", *words, server=server, **options)

    name = f"bo-{uuid.uuid4().hex[:6]}"
    assert f"{name} " in gyre("add", name, "--role", "REVIEWER").stdout
    assert json.loads(gyre("role", name, "MEMBER", "--json").stdout)["role"] == "MEMBER"
    token = gyre("token", name).stdout.strip()
    ping = requests.get(
        server.url + "/api/home/ping", headers={"Authorization": f"Bearer {token}"}, timeout=harness.CALL_TIMEOUT
    )
    assert ping.json()["username"] == name
    assert {"admin", name} <= {row["username"] for row in harness.json_lines(gyre("list", "--json").stdout)}
    gyre("remove", name)
    assert "no user" in gyre("remove", name, expect=1).stderr
    assert gyre("role", name, expect=2).stderr


# ---- the SDK ---------------------------------------------------------------------------------------------------------


def test_sdk_users(server, people, tmp_path):
    client = picsellia.Client(api_token=server.token, host=server.url)
    names = {user.username for user in client.list_users()}
    assert {"admin", *(p.name for p in people.values())} <= names
    member = client.list_users(people["MEMBER"].name)[0]
    reviewer = client.list_users(people["REVIEWER"].name)[0]
    assert str(member.id) == people["MEMBER"].id

    version = server.push(samples.colour_classifier(tmp_path), f"m-{tmp_path.name}", "CLASSIFICATION", samples.COLOURS)
    made = server.deploy(version, f"d-{tmp_path.name}")
    deployment = client.get_deployment(made["name"])
    assert {people["REVIEWER"].name, people["MEMBER"].name} <= {user.username for user in deployment.list_users()}
    deployment.add_user(member)
    deployment.add_user(member, "LABELER")
    deployment.add_user(reviewer, "LABELER")
    with pytest.raises(ResourceConflictError) as refused:
        deployment.add_user(reviewer, "ADMIN")
    assert "is a REVIEWER" in str(refused.value)

    dataset = client.create_dataset(f"set-{tmp_path.name}")
    dataset.add_user(member, "USER")
    shown = {user.username for user in dataset.list_users()}
    assert people["MEMBER"].name in shown and people["REVIEWER"].name not in shown
    with pytest.raises(ResourceConflictError):
        dataset.add_user(reviewer)
