# SPDX-License-Identifier: Apache-2.0
"""The HTTP server by itself: heads that a proxy might read otherwise, limits, methods, slow and rude clients."""

import json
import re
import socket
import threading
import time
import urllib.parse
import uuid

import harness
import pytest
import requests
import samples


def connect(server, timeout=20):
    url = urllib.parse.urlparse(server.url)
    return socket.create_connection((url.hostname, url.port), timeout=timeout)


def receive(connection):
    """All until the server closes (or says how long the body is and has sent it)."""
    data = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return data
        if not piece:
            return data
        data += piece
        head, separator, body = data.partition(b"\r\n\r\n")
        if separator:
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:") and len(body) >= int(line.split(b":")[1]):
                    return data


def raw(server, request):
    with connect(server) as connection:
        connection.sendall(request)
        return receive(connection)


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else None


def head(server, method="POST", path="/api/home/ping", extra=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {server.token}", *extra, "", ""]
    return "\r\n".join(lines).encode()


SMUGGLING = {
    "length and chunked": ["Content-Length: 4", "Transfer-Encoding: chunked"],
    "chunked and length": ["Transfer-Encoding: chunked", "Content-Length: 4"],
    "two lengths": ["Content-Length: 4", "Content-Length: 5"],
    "the same length twice": ["Content-Length: 4", "Content-Length: 4"],
    "a list of lengths": ["Content-Length: 4, 4"],
    "a plus": ["Content-Length: +4"],
    "a minus": ["Content-Length: -4"],
    "hexadecimal": ["Content-Length: 0x4"],
    "a huge length": ["Content-Length: 99999999999999999999999"],
    "an unknown coding": ["Transfer-Encoding: gzip, chunked"],
    "chunked twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "xchunked": ["Transfer-Encoding: xchunked"],
    "chunked, identity": ["Transfer-Encoding: chunked, identity"],
    "a blank before the colon": ["Transfer-Encoding : chunked", "Content-Length: 4"],
    "a tab in the coding": ["Transfer-Encoding: \tchunked", "Content-Length: 4"],
}


@pytest.mark.parametrize("extra", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_heads_that_a_proxy_may_read_otherwise(server, extra):
    """Refused, and the connection closed, so that what follows is never taken for a request."""
    smuggled = b"GET /api/home/ping HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(head(server, path="/api/session", extra=extra) + b"0\r\n\r\n" + smuggled)
        answer = b""
        while piece := receive_some(connection):
            answer += piece
    assert status_of(answer) in (400, 411, 413, 501), answer[:300]
    # libmicrohttpd 0.9.75 sends the head of its own refusals twice; the smuggled request would be answered with 401.
    assert set(re.findall(rb"HTTP/1\.1 (\d+)", answer)) == {str(status_of(answer)).encode()}, answer


def receive_some(connection):
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET " + b"/a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Much: y\r\n" * 20_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=lambda b: repr(b[:24]),
)
def test_nonsense(server, request_bytes):
    """An error, a closed connection, or (what may still become a request) silence until the idle time-out."""
    with connect(server, timeout=2) as connection:
        try:
            connection.sendall(request_bytes)
            connection.shutdown(socket.SHUT_WR)
            answer = receive(connection)
        except OSError:
            answer = b""
    status = status_of(answer)
    assert status is None or status < 500 or status in (501, 505), answer[:200]
    assert requests.get(server.url + "/healthz", timeout=20).status_code == 200


@pytest.mark.parametrize("path", ["/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../etc/passwd", "//etc/passwd"])
def test_paths_stay_inside(server, path):
    answer = raw(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b"root:" not in answer
    assert status_of(answer) in (200, 301, 303, 400, 404)


# ---- methods -------------------------------------------------------------------------------------------------------


def test_a_wrong_method_names_the_right_ones(server):
    response = server.call("DELETE", "/api/home/ping")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"] and response.json()["message"]


@pytest.mark.parametrize("method", ["BREW", "TRACE", "CONNECT", "PROPFIND"])
def test_unknown_methods(server, method):
    answer = raw(server, f"{method} /api/home/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) in (400, 401, 404, 405, 501)


def test_xget_carries_a_body(server):
    """The SDK's own method for large look-ups."""
    lake = server.get(f"/api/organization/{server.organization['id']}/datalake")
    response = server.session.request(
        "XGET", f"{server.url}/api/datalake/{lake['id']}/datas", data=json.dumps({"ids": [str(uuid.uuid4())]}), timeout=20
    )
    assert response.status_code == 200 and response.json() == {"items": [], "count": 0}


def test_head_is_get_without_the_body(server):
    got, asked = requests.get(server.url + "/healthz"), requests.head(server.url + "/healthz")
    assert asked.status_code == got.status_code == 200 and asked.content == b""
    assert asked.headers["Content-Length"] == got.headers["Content-Length"]


def test_unknown_paths(server):
    response = server.call("GET", "/api/no/such/thing")
    assert response.status_code == 404 and response.json()["message"] and "detail" in response.json()
    assert server.call("GET", "/no-such-file.js").status_code == 404
    page = server.call("GET", "/deployment/anything")
    assert page.status_code == 200 and "text/html" in page.headers["Content-Type"]


def test_request_ids(server):
    first, second = (requests.get(server.url + "/healthz").headers["X-Request-Id"] for _ in range(2))
    assert first != second and len(first) >= 16
    response = server.call("GET", f"/api/deployment/{uuid.uuid4()}")
    assert response.status_code == 404


# ---- bodies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"x"', "null", "{} {}", '{"name": "\\ud800"}', '{"name": 3}', "[" * 5000, "\ufeff{}"]
)
def test_bad_json(server, body):
    path = f"/api/organization/{server.organization['id']}/models"
    response = server.call("POST", path, data=body.encode())
    assert response.status_code in (400, 422), response.text
    assert response.json()["message"].rstrip().endswith(".")


def test_a_json_body_past_its_limit(server):
    path = f"/api/organization/{server.organization['id']}/models"
    response = server.call("POST", path, data=b'{"name": "' + b"x" * (9 << 20) + b'"}')
    assert response.status_code == 413 and response.json()["message"]


def test_a_body_where_none_is_taken(server):
    response = server.session.get(server.url + "/api/home/ping", data=b"x" * 1000, timeout=20)
    assert response.status_code in (200, 400, 413)


def test_expect_continue(server, colours):
    boundary = "b0undary"
    image = samples.photo("red")
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="r.jpg"\r\n\r\n'.encode()
        + image + f"\r\n--{boundary}--\r\n".encode()
    )  # fmt: skip
    extra = [
        f"Content-Type: multipart/form-data; boundary={boundary}", f"Content-Length: {len(body)}", "Expect: 100-continue",
    ]  # fmt: skip
    with connect(server) as connection:
        connection.sendall(head(server, path=f"/api/deployments/{colours['id']}/predict", extra=extra))
        interim = connection.recv(1024)
        assert interim.startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        answer = receive(connection)
    assert status_of(answer) == 200 and b'"red"' in answer


def chunked(body, size):
    for at in range(0, len(body), size):
        yield body[at : at + size]


def test_chunked_bodies(server, colours):
    response = server.session.post(
        f"{server.url}/api/deployments/{colours['id']}/predict",
        data=chunked(samples.photo("blue"), 100), headers={"Content-Type": "image/jpeg"}, timeout=20,
    )  # fmt: skip
    assert response.status_code == 200 and response.json()["shapes"][0]["label"] == "blue"


@pytest.mark.parametrize(
    "content_type, body",
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=", b"----\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--y\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=media; filename=a\r\n\r\nunfinished"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=other\r\n\r\nv\r\n--x--\r\n"),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n" * 5000 + b"--x--\r\n"),
        ("application/json", b"{}"),
        ("text/plain", b"hello"),
    ],
)
def test_bodies_that_hold_no_picture(server, colours, content_type, body):
    response = server.call(
        "POST", f"/api/deployments/{colours['id']}/predict", data=body, headers={"Content-Type": content_type}
    )
    assert response.status_code in (400, 415, 422), response.text
    assert response.json()["message"].rstrip().endswith(".")


# ---- connections ---------------------------------------------------------------------------------------------------


def test_keep_alive_and_pipelining(server):
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(request * 3 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        data = b""
        while piece := receive_some(connection):
            data += piece
    assert data.count(b"HTTP/1.1 200") == 4


def test_clients_that_go_away_do_no_harm(server, colours):
    """Half a body, then nothing; and a whole request whose answer nobody reads."""
    path = f"/api/deployments/{colours['id']}/predict"
    image = samples.photo("red")
    for sent in (10, len(image)):
        for _ in range(20):
            extra = ["Content-Type: image/jpeg", f"Content-Length: {len(image)}"]
            with connect(server) as connection:
                connection.sendall(head(server, path=path, extra=extra) + image[:sent])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert server.predict(colours, image)["shapes"][0]["label"] == "red"


def test_a_slow_client_does_not_hold_up_others(server, colours):
    """Bodies that trickle in occupy no worker."""
    extra = ["Content-Type: image/jpeg", "Content-Length: 100000"]
    slow = [connect(server) for _ in range(64)]
    try:
        for connection in slow:
            connection.sendall(head(server, path=f"/api/deployments/{colours['id']}/predict", extra=extra) + b"\xff\xd8")
        began = time.monotonic()
        for _ in range(10):
            assert server.predict(colours, samples.photo("green"))["shapes"][0]["label"] == "green"
        assert time.monotonic() - began < 10
    finally:
        for connection in slow:
            connection.close()


def test_a_silent_connection_is_closed(tmp_path):
    with harness.Server(tmp_path / "server", "--idle-timeout-s", "1") as server, connect(server, 20) as connection:
        began = time.monotonic()
        connection.sendall(b"GET /healthz HT")
        receive(connection)
        assert time.monotonic() - began < 15


def test_a_body_must_arrive_in_its_time(tmp_path):
    with harness.Server(tmp_path / "server", "--body-timeout-s", "2") as server, connect(server, 30) as connection:
        extra = ["Content-Type: application/json", "Content-Length: 1000"]
        connection.sendall(head(server, path="/api/session", extra=extra))
        began = time.monotonic()
        gone = threading.Event()

        def trickle():  # a byte now and then: never idle, never finished
            while not gone.wait(0.2):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        answer = receive(connection)
        gone.set()
        thread.join()
        assert time.monotonic() - began < 20
        assert status_of(answer) in (None, 400, 408, 503, 504)


def test_more_connections_than_allowed(tmp_path):
    with harness.Server(tmp_path / "server", "--connections", "20") as server:
        held = []
        try:
            for _ in range(40):
                held.append(connect(server, 5))
        except OSError:
            pass
        for connection in held:
            connection.close()
        harness.wait_until(
            lambda: requests.get(server.url + "/healthz", timeout=10).status_code == 200, 20, "room for a new connection"
        )


def test_overload_is_said_with_retry_after(tmp_path):
    """With one worker, one place in the queue and one seat, most of 30 at once are told to come back; none hangs or breaks."""
    options = ["--workers", "1", "--queue", "1", "--seats", "1"]
    with harness.Server(tmp_path / "server", *options) as server:
        version = server.push(samples.colour_classifier(tmp_path), "c", "CLASSIFICATION", samples.COLOURS)
        deployment = server.deploy(version, "c", 0.1)
        image = samples.encode(samples.plain("red", 2500, 2000))
        responses = []

        def send():
            with requests.Session() as session:
                session.headers["Authorization"] = f"Bearer {server.token}"
                responses.append(server.predict(deployment, image, expect=None, session=session))

        threads = [threading.Thread(target=send) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {r.status_code for r in responses} <= {200, 503}
        refused = [r for r in responses if r.status_code == 503]
        assert len(responses) == 30 and refused
        assert all(int(r.headers["Retry-After"]) >= 1 and r.json()["message"] for r in refused)
        assert server.predict(deployment, samples.photo("blue"))["shapes"][0]["label"] == "blue"
