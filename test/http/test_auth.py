# SPDX-License-Identifier: Apache-2.0
"""Who may call what: every route without credentials, sessions and their cookie, one-time links, presigned URLs, JWTs."""

import base64
import json
import pathlib
import re
import urllib.parse
import uuid

import harness
import pytest
import requests
import samples

# Rules (src/api/api.h) under which a caller without credentials gets further than 401.
OPEN_RULES = {"public", "signed"}


def routes():
    if not harness.BINARY.exists():
        return []
    return json.loads(harness.command("routes", "--json").stdout)


def concrete(pattern):
    return re.sub(r"\{[^}]*\}", lambda _: str(uuid.uuid4()), pattern)


@pytest.fixture(scope="module")
def nobody():
    with requests.Session() as session:
        yield session


def login_code(server):
    return re.search(r"/login\?code=([\w-]+)", server.stdout())[1]


@pytest.fixture
def browser(server):
    """A logged-in browser session."""
    session = requests.Session()
    response = session.post(server.url + "/api/session", json={"token": server.token}, headers={"X-Gyre-Csrf": "1"})
    assert response.status_code in (200, 201, 204), response.text
    return session


def test_there_are_routes():
    table = routes()
    assert len(table) > 30
    assert all({"method", "path", "rule"} <= set(route) for route in table)


@pytest.mark.parametrize("route", routes(), ids=lambda r: f"{r['method']} {r['path']}")
def test_every_route_without_credentials(server, nobody, route):
    """401 with a sentence, except where the table says that anybody may."""
    response = nobody.request(
        route["method"], server.url + concrete(route["path"]), timeout=20, allow_redirects=False, stream=True
    )
    if route["rule"] in OPEN_RULES:
        assert response.status_code < 500
        if route["rule"] == "signed":
            assert response.status_code in (400, 401, 403, 404, 405, 411), response.text
        return
    assert response.status_code == 401, f"{route}: {response.status_code} {response.text[:200]}"
    if route["method"] != "HEAD":
        assert response.json()["message"]


@pytest.mark.parametrize("route", routes(), ids=lambda r: f"{r['method']} {r['path']}")
def test_every_route_with_a_wrong_token(server, nobody, route):
    if route["rule"] in OPEN_RULES:
        pytest.skip("anybody may call it")
    wrong = {"Authorization": "Bearer " + "A" * len(server.token)}
    response = nobody.request(route["method"], server.url + concrete(route["path"]), headers=wrong, timeout=20)
    assert response.status_code == 401


def test_only_these_routes_are_public():
    """A new public route has to be put here by hand, and so to be thought about."""
    public = {(r["method"], r["path"]) for r in routes() if r["rule"] == "public"}
    api = {(m, p) for m, p in public if p.startswith("/api/")}
    assert api <= {
        ("POST", "/api/session"),
        ("POST", "/api/login"),
        ("POST", "/api/auth/login"),
    }, api


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic YWRtaW46YWRtaW4=", "Bearer \x7f", "Token x", "Bearer " + "x" * 4000]
)
def test_odd_authorization_headers(server, nobody, value):
    response = nobody.get(server.url + "/api/home/ping", headers={"Authorization": value}, timeout=20)
    assert response.status_code in (400, 401, 431)


# ---- browser sessions ----------------------------------------------------------------------------------------------


def test_session_says_who_is_there(server, nobody, browser):
    assert nobody.get(server.url + "/api/session").status_code == 401
    session = browser.get(server.url + "/api/session")
    assert session.status_code == 200
    body = session.json()
    assert body["user"]["name"] and body["organization"]["default_connector_id"] and body["version"]


def test_the_cookie_is_kept_from_scripts_and_other_sites(server):
    response = requests.post(server.url + "/api/session", json={"token": server.token}, headers={"X-Gyre-Csrf": "1"})
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("gyre_session=")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert server.token not in cookie


def test_a_wrong_token_makes_no_session(server):
    response = requests.post(server.url + "/api/session", json={"token": "wrong"}, headers={"X-Gyre-Csrf": "1"})
    assert response.status_code == 401 and "Set-Cookie" not in response.headers
    assert "token" in response.json()["message"].lower()


def test_guessing_is_slowed_down(tmp_path):
    """After ten wrong tokens within a minute an address has to wait, even with the right one; other calls go on."""
    with harness.Server(tmp_path / "server") as server:
        login = server.url + "/api/session"
        codes = [requests.post(login, json={"token": f"guess-{n}"}).status_code for n in range(15)]
        assert codes[:9] == [401] * 9 and codes[-1] == 429, codes
        refused = requests.post(login, json={"token": server.token})
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) >= 1
        assert server.call("GET", "/api/home/ping").status_code == 200


def test_csrf_header(server, browser, colours):
    path = f"{server.url}/api/deployment/{colours['id']}/resume"
    assert browser.post(path, json={}).status_code == 403
    assert browser.post(path, json={}, headers={"X-Gyre-Csrf": "1"}).status_code == 200
    assert browser.get(f"{server.url}/api/deployment/{colours['id']}").status_code == 200


def test_foreign_origin(server, browser, colours):
    path = f"{server.url}/api/deployment/{colours['id']}/resume"
    headers = {"X-Gyre-Csrf": "1", "Origin": "https://elsewhere.example"}
    assert browser.post(path, json={}, headers=headers).status_code == 403
    assert browser.post(path, json={}, headers={**headers, "Origin": server.url}).status_code == 200


def test_an_api_token_needs_no_csrf_header(server, colours):
    assert server.call("POST", f"/api/deployment/{colours['id']}/resume", json={}).status_code == 200


def test_logout_ends_the_session(server, browser):
    cookies = dict(browser.cookies)
    assert browser.delete(server.url + "/api/session", headers={"X-Gyre-Csrf": "1"}).status_code == 204
    assert requests.get(server.url + "/api/session", cookies=cookies).status_code == 401


def test_login_link_works_once(tmp_path):
    with harness.Server(tmp_path / "server") as server:
        link = f"{server.url}/login?code={login_code(server)}"
        first = requests.get(link, allow_redirects=False)
        assert first.status_code == 303
        assert urllib.parse.urlparse(first.headers["Location"]).path == "/"
        assert requests.get(server.url + "/api/session", cookies=dict(first.cookies)).status_code == 200
        second = requests.get(link, allow_redirects=False)
        assert second.status_code == 303 and second.headers["Location"].endswith("/login?expired=1")
        assert "gyre_session" not in second.cookies or not second.cookies["gyre_session"]


def test_unknown_login_code(server):
    response = requests.get(server.url + "/login?code=AAAAAAAAAAAAAAAAAAAAAAAA", allow_redirects=False)
    assert response.status_code == 303 and "expired=1" in response.headers["Location"]


def test_sessions_and_tokens_survive_a_restart(tmp_path):
    with harness.Server(tmp_path / "server") as server:
        cookies = dict(requests.get(f"{server.url}/login?code={login_code(server)}", allow_redirects=False).cookies)
        token = server.token
        assert server.stop() == 0
        server.start()
        assert server.token == token
        assert requests.get(server.url + "/api/session", cookies=cookies).status_code == 200


def test_pages_carry_a_content_security_policy(server):
    response = requests.get(server.url + "/login")
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert "default-src" in policy and "unsafe-eval" not in policy and "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"


# ---- services: JWT -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/login", "/api/auth/login"])
def test_service_login(server, colours, blocks, path):
    body = {"api_token": server.token, "deployment_id": colours["id"]}
    answer = requests.post(server.url + path, data=json.dumps(body)).json()
    headers = {"Authorization": f"Bearer {answer['jwt']}"}
    assert answer["expires"]
    predict = f"{server.url}/api/deployments/{colours['id']}/predict"
    files = {"media": ("red.jpg", samples.photo("red"))}
    assert requests.post(predict, files=files, headers=headers).status_code == 200
    other = f"{server.url}/api/deployments/{blocks['id']}/predict"
    assert requests.post(other, files=files, headers=headers).status_code in (401, 403, 404)
    assert requests.get(server.url + "/api/home/ping", headers=headers).status_code in (401, 403)
    wrong = requests.post(server.url + path, data=json.dumps({**body, "api_token": "wrong"}))
    assert wrong.status_code == 401 and wrong.json()["message"]


def test_a_changed_jwt_is_refused(server, colours):
    body = {"api_token": server.token, "deployment_id": colours["id"]}
    jwt = requests.post(server.url + "/api/login", data=json.dumps(body)).json()["jwt"]
    head, payload, signature = jwt.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    later = base64.urlsafe_b64encode(json.dumps({**claims, "exp": 4102444800}).encode()).rstrip(b"=").decode()
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    forged = [f"{head}.{payload}.{flipped}", f"{none}.{payload}.", f"{head}.{later}.{signature}", f"{head}.{payload}"]
    for token in forged:
        response = requests.post(
            f"{server.url}/api/deployments/{colours['id']}/predict",
            files={"media": ("red.jpg", samples.photo("red"))},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert response.status_code == 401, token


# ---- presigned URLs ------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(server, colours):
    """The presigned download of a stored image."""
    answer = server.predict(colours, samples.photo("green"), filename="green.jpg")
    return server.get(f"/api/predicted/asset/{answer['predicted_asset_id']}")["data"]["presigned_url"]


def absolute(server, url):
    return urllib.parse.urljoin(server.url, url)


def test_presigned_download(server, stored):
    response = requests.get(absolute(server, stored))
    assert response.status_code == 200 and response.content == samples.photo("green")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_presigned_download_cannot_be_changed(server, stored):
    """Any change of any part of the query or of the name ends in a refusal, never in bytes."""
    url = urllib.parse.urlparse(absolute(server, stored))
    query = urllib.parse.parse_qsl(url.query)
    assert query
    for index, (key, value) in enumerate(query):
        last = value[-1]
        for changed in (value[:-1] + ("0" if last != "0" else "1"), "", value + "0"):
            other = [*query[:index], (key, changed), *query[index + 1 :]]
            response = requests.get(url._replace(query=urllib.parse.urlencode(other)).geturl())
            assert response.status_code in (400, 401, 403), f"{key}={changed}: {response.status_code}"
            assert response.json()["message"]
        without = [*query[:index], *query[index + 1 :]]
        response = requests.get(url._replace(query=urllib.parse.urlencode(without)).geturl())
        assert response.status_code in (400, 401, 403)
    other_name = url._replace(path=url.path[:-1] + ("x" if url.path[-1] != "x" else "y")).geturl()
    assert requests.get(other_name).status_code in (400, 401, 403, 404)


def test_presigned_download_is_for_reading_only(server, stored):
    for method in ("PUT", "POST", "DELETE"):
        response = requests.request(method, absolute(server, stored), data=b"x")
        assert response.status_code in (401, 403, 404, 405)
    assert requests.get(absolute(server, stored)).content == samples.photo("green")


def sign_upload(server, filename="a.bin", content_type="application/octet-stream"):
    connector = server.organization["default_connector_id"]
    name = server.post(
        f"/api/organization/{server.organization['id']}/connector/{connector}/generate_object_name",
        {"filename": filename, "type": "DATA"},
    )["object_name"]
    signed = server.post(
        f"/api/object-storage/{connector}/generate_presigned_url", {"object_name": name, "content_type": content_type}
    )["presigned_url_data"]
    return name, signed["url"], signed["fields"]


def send(url, fields, name, content_type="application/octet-stream", body=b"bytes"):
    return requests.post(url, data={**fields, "Content-Type": content_type}, files={"file": (name, body)})


def test_presigned_upload_cannot_be_changed(server):
    name, url, fields = sign_upload(server)
    for key in fields:
        changed = {**fields, key: fields[key][:-1] + ("0" if fields[key][-1:] != "0" else "1")}
        assert send(url, changed, name).status_code in (400, 401, 403), key
    parsed = urllib.parse.urlparse(url)
    for index, (key, value) in enumerate(query := urllib.parse.parse_qsl(parsed.query)):
        other = [*query[:index], (key, value[:-1] + ("0" if value[-1] != "0" else "1")), *query[index + 1 :]]
        assert send(parsed._replace(query=urllib.parse.urlencode(other)).geturl(), fields, name).status_code in (400, 401, 403)
    assert send(url, fields, name, content_type="text/html").status_code in (400, 401, 403)
    assert send(url, fields, name).status_code < 300


@pytest.mark.skipif(harness.SANITIZED, reason="sanitizers do not go with LD_PRELOAD")
def test_presigned_urls_and_service_tokens_expire(tmp_path):
    """A link works; eight days later (the clock is shifted) it does not, nor does a JWT of then."""
    shift = tmp_path / "shift"
    shift.write_text("0")
    shim = harness.shim(pathlib.Path(__file__).parent / "clockshift.c")
    with harness.Server(tmp_path / "server", env={"LD_PRELOAD": shim, "CLOCKSHIFT": shift}) as server:
        name, url, fields = sign_upload(server)
        assert send(url, fields, name).status_code < 300
        connector = server.organization["default_connector_id"]
        link = server.post(f"/api/object-storage/{connector}/retrieve_presigned_url", {"object_name": name})["presigned_url"]
        assert requests.get(absolute(server, link)).status_code == 200
        version = server.push(samples.colour_classifier(tmp_path), "colours", "CLASSIFICATION", samples.COLOURS)
        deployment = server.deploy(version)
        login = {"api_token": server.token, "deployment_id": deployment["id"]}
        jwt = requests.post(server.url + "/api/login", data=json.dumps(login)).json()["jwt"]
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {jwt}"
        assert server.predict(deployment, samples.photo("red"), session=session)["shapes"]

        shift.write_text(str(8 * 24 * 3600))
        expired = requests.get(absolute(server, link))
        assert expired.status_code == 403  # what makes the SDK ask for a new link
        assert "expire" in expired.json()["message"].lower()
        assert send(url, fields, name).status_code in (401, 403)
        assert server.predict(deployment, samples.photo("red"), expect=None, session=session).status_code == 401


@pytest.mark.parametrize("name", ["../../outside", "/outside", "a/../../outside", "a\x00b", "..", "", "x" * 5000])
def test_object_names_are_no_paths(server, name):
    """Refused, or a name like any other: nothing appears outside the store, and its bytes come back."""
    connector = server.organization["default_connector_id"]
    response = server.call(
        "POST", f"/api/object-storage/{connector}/generate_presigned_url",
        json={"object_name": name, "content_type": "text/plain"},
    )  # fmt: skip
    assert response.status_code in (200, 201, 400, 403, 404, 422)
    if response.status_code < 300:
        data = response.json()["presigned_url_data"]
        assert send(data["url"], data["fields"], "x", "text/plain", name.encode() + b" bytes").status_code < 300
        link = server.post(f"/api/object-storage/{connector}/retrieve_presigned_url", {"object_name": name})["presigned_url"]
        assert requests.get(absolute(server, link)).content == name.encode() + b" bytes"
    assert list(server.folder.parent.rglob("outside*")) == []
