# SPDX-License-Identifier: Apache-2.0
"""Clients that predict at once, for a while, and keep what they were told: for tests of what happens meanwhile."""

import hashlib
import itertools
import threading
import time

import requests
import samples


class Load:
    """`clients` threads; each sends pictures that are all different until stop(), the server is gone, or `each` were sent.

    answers: (seconds, body, answer) of each 200; failures: what else came back; broken: exceptions of the connection.
    With keys, each request carries an Idempotency-Key, and unanswered holds (key, body) of those that got no 200.
    """

    _numbers = itertools.count(1)

    def __init__(self, server, deployment, clients=4, image=samples.numbered, timeout=30, stop_when_broken=True, keys=False,
                 each=None):  # fmt: skip
        self.server, self.deployment, self.image = server, deployment, image
        self.timeout, self.stop_when_broken, self.keys = timeout, stop_when_broken, keys
        self.answers, self.failures, self.broken, self.unanswered = [], [], [], []
        self.each = each
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def _run(self):
        url = f"{self.server.url}/api/deployments/{self.deployment['id']}/predict"
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.server.token}"
            for _ in itertools.count() if self.each is None else range(self.each):
                if self._stopping.is_set():
                    return
                number = next(Load._numbers)
                body, key = self.image(number), f"load-{number}"
                start = time.monotonic()
                try:
                    response = session.post(
                        url, files={"media": ("load.jpg", body)}, timeout=self.timeout,
                        headers={"Idempotency-Key": key} if self.keys else None,
                    )  # fmt: skip
                    seconds = time.monotonic() - start
                    if response.status_code == 200:
                        self.answers.append((seconds, body, response.json()))
                        continue
                    self.failures.append((response.status_code, response.text[:300]))
                except (requests.RequestException, ValueError) as error:
                    self.broken.append(repr(error))
                    if self.stop_when_broken:
                        self._stopping.set()
                self.unanswered.append((key, body))

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join(self.timeout + 10)
            assert not thread.is_alive(), "a client still waits for its answer"
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def acknowledged(self):
        """prediction id → SHA-256 of the picture's bytes"""
        return {answer["id"]: hashlib.sha256(body).hexdigest() for _, body, answer in self.answers}

    def percentile(self, part):
        """Of the seconds of the answers."""
        times = sorted(seconds for seconds, *_ in self.answers)
        return times[min(len(times) - 1, int(part * len(times)))]
