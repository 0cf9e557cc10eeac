# SPDX-License-Identifier: Apache-2.0
"""A web server that keeps what it was sent, and checks it as docs/alerts.md tells receivers to."""

import hashlib
import hmac
import http.server
import json
import threading
import time


def signed_by(secret, headers, body):
    """Whether the signature is right and fresh: what a receiver has to do."""
    parts = dict(part.split("=", 1) for part in headers["X-Gyre-Signature"].split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"]), int(parts["t"])


class Receiver:
    """with Receiver() as hooks: hooks.url; hooks.got, of (path, headers, body); hooks.answers, codes by path."""

    def __init__(self):
        self.got = []
        self.answers = {}
        self.delay_s = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), body))
                time.sleep(outer.delay_s)
                code = outer.answers.get(self.path, 200)
                self.send_response(code)
                if 300 <= code < 400:
                    self.send_header("Location", outer.url + "/inside")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def of(self, path):
        """What came to a path, as JSON, with its headers."""
        return [(headers, json.loads(body)) for p, headers, body in list(self.got) if p == path]

    def events(self, path, event):
        return [body for _, body in self.of(path) if body["event"] == event]

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
