# SPDX-License-Identifier: Apache-2.0
"""Start the real binary, talk to it over HTTP, end it: what all black-box tests share.

A test that runs a server of its own does:

    with Server(tmp_path) as server:
        version = server.push(samples.colour_classifier(tmp_path), "colours", "CLASSIFICATION", samples.COLOURS)
        deployment = server.deploy(version, "sorter", 0.1)
        answer = server.predict(deployment, samples.photo("red"))
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import requests

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GYRE_BIN", REPOSITORY / "build" / "gyre")).absolute()
DATA = pathlib.Path(os.environ.get("GYRE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
SANITIZED = "asan" in str(BINARY) or "tsan" in str(BINARY)

# Of a call in these tests, in seconds: generous, since machines are shared; a hang is what it is there to find.
CALL_TIMEOUT = 60
START_TIMEOUT = 30 if SANITIZED else 15
STOP_TIMEOUT = 60 if SANITIZED else 30


def wait_until(condition, timeout, what, every=0.01):
    """Poll until condition() is true and return that value; fail with `what` at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        time.sleep(every)


def environment(**extra):
    """Our environment without what would point a command line at some other server."""
    # No trainer unless a test gives one: the built-in one would look at each model that is pushed.
    clean = {k: v for k, v in os.environ.items() if k not in ("GYRE_HOST", "GYRE_TOKEN", "GYRE_LISTEN", "PICSELLIA_TOKEN")}
    return {"GYRE_TRAINER": "off", **clean, **{k: str(v) for k, v in extra.items()}}


class Server:
    """One `gyre serve` process on a data folder; may be started again after it ended."""

    def __init__(self, folder, *arguments, env=None, wrapper=(), binary=BINARY):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log_path = self.folder / "server.log"
        self.arguments = list(arguments)
        self.env = env or {}
        self.wrapper = list(wrapper)
        self.binary = binary
        self.process = self.url = self.token = None
        self._stdout_path = self.folder / "server.out"
        self._organization = None
        self.session = requests.Session()

    # ---- process -------------------------------------------------------------------------------------------------

    def launch(self):
        """Start the process without waiting for it."""
        assert self.binary.exists(), f"{self.binary} is not there: run `make build`"
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [*self.wrapper, str(self.binary), "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        with open(self._stdout_path, "wb") as out, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                stdout=out, stderr=log, stdin=subprocess.DEVNULL, env=environment(**self.env), cwd=self.folder,
                start_new_session=True,
            )  # fmt: skip
        return self

    def start(self, timeout=START_TIMEOUT):
        self.launch()
        self.url = wait_until(self._printed_url, timeout, "the server's line with its address")
        self.token = (self.data / "admin-token").read_text().strip()
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"
        wait_until(self._ready, timeout, "/readyz")
        return self

    def _printed_url(self):
        found = re.search(r"http://127\.0\.0\.1:\d+", self.stdout().split("\n")[0]) if "\n" in self.stdout() else None
        if found:
            return found[0]
        code = self.process.poll()
        assert code is None, f"the server ended with {code} before it listened:\n{self.log_tail()}"
        return None

    def _ready(self):
        code = self.process.poll()
        assert code is None, f"the server ended with {code} while starting:\n{self.log_tail()}"
        try:
            return requests.get(self.url + "/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def stdout(self):
        return self._stdout_path.read_text(errors="replace")

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=60):
        return "\n".join(self.log().splitlines()[-lines:])

    @property
    def pid(self):
        """Of the server itself, also under a wrapper such as strace (which starts it as its only child)."""
        if not self.wrapper:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=STOP_TIMEOUT):
        """SIGTERM; returns the exit code."""
        if self.running():
            os.kill(self.pid, signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop within {timeout} s of SIGTERM:\n{self.log_tail()}") from None

    def kill(self):
        """SIGKILL, to it and to what it started."""
        if self.running():
            children = self.children()
            if self.wrapper:
                os.kill(self.pid, signal.SIGKILL)
                try:
                    self.process.wait(30)  # strace writes what it holds, and ends with its program
                except subprocess.TimeoutExpired:
                    pass
            self.process.kill()
            self.process.wait()
            for pid in children:
                wait_until(lambda pid=pid: not alive(pid), 20, f"the server's child {pid} to end with it")

    def children(self):
        """The processes that the server started (model engines)."""
        try:
            text = "".join(p.read_text() for p in pathlib.Path(f"/proc/{self.pid}/task").glob("*/children"))
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return []
        return [int(pid) for pid in text.split()]

    def rss_mib(self, pid=None):
        """Resident memory in MiB that is the process' own (without mapped files); 0 of one that just ended."""
        try:
            status = pathlib.Path(f"/proc/{pid or self.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        found = re.search(r"RssAnon:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is not None:
            print(f"---- server log ({self.log_path}) ----\n{self.log_tail(200)}")
            self.kill()
            return
        if self.process.returncode is None:
            code = self.stop()
            assert code == 0, f"the server ended with {code} on SIGTERM:\n{self.log_tail()}"
        assert_clean(self)

    # ---- HTTP ----------------------------------------------------------------------------------------------------

    def call(self, method, path, expect=None, **options):
        """A request as the admin; with expect (a status or several) that is asserted and the body's JSON returned."""
        options.setdefault("timeout", CALL_TIMEOUT)
        response = self.session.request(method, self.url + path, **options)
        if expect is None:
            return response
        wanted = expect if isinstance(expect, (tuple, list, set)) else (expect,)
        assert response.status_code in wanted, f"{method} {path}: {response.status_code} {response.text[:500]}"
        return response.json() if response.content else None

    def get(self, path, expect=200, **options):
        return self.call("GET", path, expect, **options)

    def post(self, path, body=None, expect=(200, 201), **options):
        return self.call("POST", path, expect, json=body if body is not None else {}, **options)

    def patch(self, path, body, expect=200):
        return self.call("PATCH", path, expect, json=body)

    def delete(self, path, expect=(200, 204)):
        return self.call("DELETE", path, expect)

    @property
    def organization(self):
        if self._organization is None:
            ping = self.get("/api/home/ping")
            self._organization = self.get(f"/api/organization/{ping['default_organization']}")
        return self._organization

    # ---- what tests do all the time --------------------------------------------------------------------------------

    def upload(self, path, kind="MODEL_FILE", context=None, content_type="application/octet-stream"):
        """Store a file as the SDK does: a name, a presigned form, the bytes. Returns the object's name."""
        path = pathlib.Path(path)
        connector = self.organization["default_connector_id"]
        name = self.post(
            f"/api/organization/{self.organization['id']}/connector/{connector}/generate_object_name",
            {"filename": path.name, "type": kind, "context": context or {}},
        )["object_name"]
        signed = self.post(
            f"/api/object-storage/{connector}/generate_presigned_url",
            {"object_name": name, "content_type": content_type},
        )["presigned_url_data"]
        response = requests.post(
            signed["url"],
            data={**signed["fields"], "Content-Type": content_type},
            files={"file": (name, path.read_bytes())},
            timeout=CALL_TIMEOUT,
        )
        assert response.status_code < 300, response.text[:500]
        return name

    def make_model(self, name):
        """The model of that name, made when there is none."""
        found = self.call("GET", f"/api/organization/{self.organization['id']}/models/find", params={"name": name})
        if found.status_code == 200:
            return found.json()
        return self.post(f"/api/organization/{self.organization['id']}/models", {"name": name})

    def make_version(self, model, kind, labels=None, recipe=None, name=None):
        body = {"name": name or "v", "type": kind, "framework": "ONNX"}
        if labels is not None:
            body["labels"] = {str(i): label for i, label in enumerate(labels)}
        if recipe is not None:
            body["recipe"] = recipe
        return self.post(f"/api/model/{model['id']}/versions", body)

    def attach(self, version, path, expect=(200, 201), name="model-latest"):
        """Upload a file and attach it to a version: for an ONNX file this is where it is inspected and opened."""
        path = pathlib.Path(path)
        object_name = self.upload(path, context={"model_version_id": version["id"]})
        body = {"name": name, "filename": path.name, "object_name": object_name, "large": False}
        return self.call("POST", f"/api/model/version/{version['id']}/modelfiles", expect, json=body)

    def push(self, path, name, kind, labels=None, recipe=None):
        """A ready model version of the ONNX file at path."""
        version = self.make_version(self.make_model(name), kind, labels, recipe)
        self.attach(version, path)
        version = self.get(f"/api/model/version/{version['id']}")
        assert version["state"] == "READY", f"{path}: {version['state']}: {version['state_text']}"
        return version

    def deploy(self, version, name=None, threshold=0.1):
        body = {"min_threshold": threshold}
        if name:
            body["name"] = name
        return self.post(f"/api/model/version/{version['id']}/deploy", body)

    def predict(self, deployment, image, expect=200, filename="photo.jpg", headers=None, session=None, **fields):
        """Multipart, as the SDK sends it. With expect=None the response itself is returned."""
        response = (session or self.session).post(
            f"{self.url}/api/deployments/{deployment['id']}/predict",
            files={"media": (filename, image)}, data=fields, headers=headers, timeout=CALL_TIMEOUT,
        )  # fmt: skip
        if expect is None:
            return response
        assert response.status_code == expect, f"predict: {response.status_code} {response.text[:500]}"
        return response.json()

    def deployment(self, deployment):
        return self.get(f"/api/deployment/{deployment['id']}")

    def predicted_assets(self, deployment, **params):
        """All of them, page by page, as (items, count)."""
        items, count = [], None
        while count is None or len(items) < count:
            page = self.get(
                f"/api/deployment/{deployment['id']}/predictedassets",
                params={"limit": 1000, "offset": len(items), **params},
            )
            count = page["count"]
            if not page["items"]:
                break
            items += page["items"]
        return items, count


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def assert_clean(server):
    """No sanitizer complained and no CHECK failed in the log, of the server or of its children."""
    log = server.log()
    for sign in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "CHECK failed"):
        assert sign not in log, f"{sign} in the server's log:\n{log[max(0, log.index(sign) - 500) :][:6000]}"


def command(*arguments, server=None, expect=0, timeout=CALL_TIMEOUT, **options):
    """Run `gyre …` as a client of server; returns the finished process, its exit code asserted unless expect is None."""
    env = environment(**(options.pop("env", {})))
    if server is not None:
        env.update(GYRE_HOST=server.url, GYRE_TOKEN=server.token)
    done = subprocess.run(
        [str(BINARY), *map(str, arguments)], env=env, capture_output=True, text=True, timeout=timeout, **options
    )
    if expect is not None:
        assert done.returncode == expect, f"gyre {arguments[0]}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def shim(source):
    """A shared object of one of the .c files under test/, for LD_PRELOAD; built once into build/shims."""
    source = pathlib.Path(source)
    built = REPOSITORY / "build" / "shims" / f"{source.stem}.so"
    if not built.exists() or built.stat().st_mtime < source.stat().st_mtime:
        built.parent.mkdir(parents=True, exist_ok=True)
        fresh = built.with_suffix(f".{os.getpid()}")
        subprocess.run(
            ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", fresh, source, "-ldl", "-lpthread"],
            check=True,
        )
        fresh.rename(built)
    return built
