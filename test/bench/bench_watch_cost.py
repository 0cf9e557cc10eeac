# SPDX-License-Identifier: Apache-2.0
"""What watching costs a prediction: CPU seconds of the server with its model processes, everything on over everything off.

Two servers on one machine, the same model and images: one follows the log (roll-ups, Training Data with outlier scores and drift,
alerts), one is started with `watch` off. Rounds alternate, so that a noisy neighbour meets both; a round ends when all of it is
counted. Prints CPU milliseconds a prediction and the ratio, by round and together; writes build/bench_watch_cost.json.

usage: bench_watch_cost.py [ROUNDS] [REQUESTS A ROUND]
"""

import concurrent.futures
import json
import pathlib
import statistics
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "test" / "http"))
import harness  # noqa: E402
import importing  # noqa: E402
import requests  # noqa: E402
from bench import server_cpu  # noqa: E402
from conftest import coco_labels  # noqa: E402

CLIENTS = 2


class Side:
    """A server with the model deployed; watching or not."""

    def __init__(self, folder, watching, model, labels, kind, images):
        self.watching, self.images = watching, images
        self.server = harness.Server(folder, env={} if watching else {"GYRE_WATCH": "off"}).start()
        version = self.server.push(model, "model", kind, labels)
        self.deployment = self.server.deploy(version, "cost", 0.25)
        harness.wait_until(lambda: self.server.deployment(self.deployment)["status"] == "SERVING", 60, "the model")
        self.path = f"/api/deployment/{self.deployment['id']}"
        self.sent = 0
        self.rounds = []
        if watching:
            self.set_training_data()

    def set_training_data(self):
        version = importing.make_version(self.server)
        pictures = [("media", (path.name, path.read_bytes())) for path in self.images]
        importing.send(self.server, version, pictures)
        self.server.post(self.path + "/pipeline/td/setup", {"dataset_version_id": version["id"]})
        status = lambda: self.server.get(self.path + "/pipeline/td/check")["status"]  # noqa: E731
        harness.wait_until(lambda: status() not in ("PENDING", "RUNNING"), 300, "Training Data", every=0.5)
        assert status() == "SUCCESS", self.server.get(self.path + "/pipeline/td")

    def ask(self, numbers):
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {self.server.token}"
            for number in numbers:
                image = self.images[number % len(self.images)].read_bytes()
                self.server.predict(self.deployment, image, session=session, source=f"camera-{number % 3}")

    def counted(self):
        """By the metrics, which cost nothing."""
        lines = requests.get(f"{self.server.url}/metrics", timeout=60).text.splitlines()
        values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return float(values["gyre_watch_counted_total"]) == self.sent

    def round(self, count):
        before = server_cpu(self.server)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(self.ask, [range(n, count, CLIENTS) for n in range(CLIENTS)]))
        self.sent += count
        if self.watching:
            harness.wait_until(self.counted, 60, "all to be counted", every=0.5)
        self.rounds.append(1e3 * (server_cpu(self.server) - before) / count)


def measure(name, model, labels, kind, images, rounds, count):
    with tempfile.TemporaryDirectory() as folder:
        sides = [Side(pathlib.Path(folder) / n, n == "on", model, labels, kind, images) for n in ("on", "off")]
        for side in sides:  # what is paid once: pages of the file, statements
            side.round(max(count // 4, 4))
            side.rounds.clear()
        for number in range(rounds):
            for side in sides if number % 2 else reversed(sides):
                side.round(count)
        for side in sides:
            assert side.server.stop() == 0
    on, off = (side.rounds for side in sides)
    ratios = sorted(a / b for a, b in zip(on, off))
    result = {
        "model": name, "rounds": rounds, "requests": count, "on_ms": statistics.fmean(on), "off_ms": statistics.fmean(off),
        "ratio": sum(on) / sum(off), "ratios": ratios,
    }  # fmt: skip
    print(
        f"{name:12} on {result['on_ms']:7.3f} ms, off {result['off_ms']:7.3f} ms, ratio {result['ratio']:.3f}"
        f" (rounds {ratios[0]:.3f} to {ratios[-1]:.3f}), {1e3 * (result['on_ms'] - result['off_ms']):.0f} us more"
    )
    return result


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    data = harness.DATA
    photos = sorted((data / "det_voc50/images").glob("*.jpg"))
    hands = sorted((data / "cls_sign_digits").rglob("*.[jJ][pP][gG]"))[::4]
    results = [
        measure("YOLOX-nano", data / "models/yolox_nano/yolox_nano.onnx", coco_labels(data), "OBJECT_DETECTION", photos, rounds,
                count),
        measure("MNIST", data / "models/mnist/opt-mnist.onnx", [str(n) for n in range(10)], "CLASSIFICATION", hands, rounds,
                8 * count),
    ]  # fmt: skip
    (REPOSITORY / "build" / "bench_watch_cost.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
