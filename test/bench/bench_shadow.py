# SPDX-License-Identifier: Apache-2.0
"""What shadows cost the champion: its latency alone, and beside one that behaves, is ten times slower, hangs, or crashes.

Arrangements alternate every second or so in one run on one machine, so that a noisy neighbour meets all of them; each is asked
by one client, then by four (more than there are cores). Latencies are the server's own, from the head of a request to its
answer, all rounds together. Prints the ratio to the champion alone, what the shadow did meanwhile, and memory; writes
build/bench_shadow.json.

usage: bench_shadow.py [ROUNDS] [REQUESTS A ROUND]
"""

import json
import os
import pathlib
import signal
import statistics
import sys
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "test" / "http"))
import harness  # noqa: E402
import numpy  # noqa: E402
import onnx  # noqa: E402
import requests  # noqa: E402
from conftest import coco_labels  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from shadowing import background_children, set_shadow, shadow_of  # noqa: E402

KILL_EVERY_S = 0.3


def number(name, value):
    return numpy_helper.from_array(numpy.array(value, numpy.float32), name)


def value(name, kind):
    return helper.make_tensor_value_info(name, kind, [])


def with_burden(model, nodes, initializers):
    """The model, whose first output waits for `burden`, a number that the nodes make of its input's largest value, `peak`."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    output = graph.output[0].name
    for node in graph.node:
        for i, name in enumerate(node.output):
            if name == output:
                node.output[i] = "unburdened"
    peak = helper.make_node("ReduceMax", [graph.input[0].name], ["peak"], keepdims=0)
    none = helper.make_node("Mul", ["burden", "nothing"], ["no_burden"])
    graph.node.extend([peak, *nodes, none, helper.make_node("Add", ["unburdened", "no_burden"], [output])])
    graph.initializer.extend([*initializers, number("nothing", 0)])
    return model.SerializeToString()


def slow(model, side, times):
    """Products of matrices of that side."""
    nodes = [helper.make_node("Expand", ["peak", "sides"], ["product_0"])]
    for n in range(times):
        nodes.append(helper.make_node("MatMul", [f"product_{n}", "small"], [f"product_{n + 1}"]))
    nodes.append(helper.make_node("ReduceMax", [f"product_{times}"], ["burden"], keepdims=0))
    small = numpy.full((side, side), 1 / side, numpy.float32)
    sides = numpy_helper.from_array(numpy.array([side, side], numpy.int64), "sides")
    return with_burden(model, nodes, [sides, numpy_helper.from_array(small, "small")])


def hanging(model):
    """A loop without end on any picture that is brighter than the grey it is tried on."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["still"]), helper.make_node("Sqrt", ["value"], ["value_out"])],
        "body",
        [value("turn", TensorProto.INT64), value("go_on", TensorProto.BOOL), value("value", TensorProto.FLOAT)],
        [value("still", TensorProto.BOOL), value("value_out", TensorProto.FLOAT)],
    )
    bright = helper.make_node("Greater", ["peak", "one"], ["bright"])
    loop = helper.make_node("Loop", ["", "bright", "peak"], ["burden"], body=body)
    return with_burden(model, [bright, loop], [number("one", 1)])


def ask(server, deployment, images, clients, count):
    """Seconds of each request, by the server's clock; and requests a second."""
    times, threads, began = [], [], time.perf_counter()

    def client(number):
        with requests.Session() as session:
            session.headers.update({"Authorization": f"Bearer {server.token}", "Content-Type": "image/jpeg"})
            for n in range(count // clients):
                url = f"{server.url}/api/deployments/{deployment['id']}/predict"
                response = session.post(url, data=images[(number + n) % len(images)], timeout=60)
                response.raise_for_status()
                times.append(response.json()["latency_ms"]["total"] / 1e3)

    for number in range(clients):
        threads.append(threading.Thread(target=client, args=[number]))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return sorted(times), len(times) / (time.perf_counter() - began)


class Killer:
    """Ends the shadow's process again and again."""

    def __init__(self, server):
        self.server, self.kills, self._stop = server, 0, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(KILL_EVERY_S):
            for pid in background_children(self.server):
                try:
                    os.kill(pid, signal.SIGKILL)
                    self.kills += 1
                except ProcessLookupError:
                    pass

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def measure(server, deployment, images, name, version, clients, count):
    if version:
        set_shadow(server, deployment, version)
        harness.wait_until(lambda: background_children(server), 60, "the shadow's process")
    if name == "crashing":
        with Killer(server) as killer:
            times, per_s = ask(server, deployment, images, clients, count)
    else:
        killer = None
        times, per_s = ask(server, deployment, images, clients, count)
    result = {"name": name, "clients": clients, "times": times, "per_s": per_s}
    if version:
        shadow = shadow_of(server, deployment, version)
        result.update({k: shadow[k] for k in ("lag", "predictions", "skipped", "state", "mean_cpu_ms", "champion_mean_cpu_ms")})
        result["kills"] = killer.kills if killer else 0
        result["mib"] = sum(server.rss_mib(pid) for pid in background_children(server))
        server.delete(f"/api/deployment/{deployment['id']}/shadow/{version['id']}")
        harness.wait_until(lambda: not background_children(server), 60, "the shadow's process to end")
    return result


def arrangements(server, folder):
    data = harness.DATA
    path = data / "models/yolox_nano/yolox_nano.onnx"
    model, labels = onnx.load(path), coco_labels(data)

    def push(name, contents):
        file = folder / f"{name}.onnx"
        file.write_bytes(contents)
        return server.push(file, "yolox", "OBJECT_DETECTION", labels)

    champion = server.push(path, "yolox", "OBJECT_DETECTION", labels)
    shadows = {
        "alone": None, "one shadow": push("same", path.read_bytes()), "slow": push("slow", slow(model, 1024, 8)),
        "hanging": push("hanging", hanging(model)), "crashing": push("crashing", path.read_bytes()),
    }  # fmt: skip
    images = [p.read_bytes() for p in sorted((data / "det_voc50/images").iterdir())]
    return server.deploy(champion, "street", 0.1), shadows, images


def percentile(times, part):
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]


def report(results, names):
    print("clients  beside       p50 ms   p99 ms  ratios to alone   per s   the shadow: predicted  passed over  of")
    summary, alone = [], {}
    for clients in (1, 4):
        for name in names:
            rounds = [r for r in results if r["clients"] == clients and r["name"] == name]
            times = [t for r in rounds for t in r["times"]]
            line = {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99)}
            line["per_s"] = statistics.median(r["per_s"] for r in rounds)
            alone = line if name == "alone" else alone
            ratios = {f"{key}_ratio": line[key] / alone[key] for key in ("p50", "p99")}
            done = {key: sum(r.get(key, 0) for r in rounds) for key in ("predictions", "skipped")}
            summary.append({"clients": clients, "name": name, "requests": len(times), **line, **ratios, **done})
            print(
                f"{clients:7}  {name:11} {line['p50'] * 1e3:7.1f}  {line['p99'] * 1e3:7.1f} {ratios['p50_ratio']:7.2f} "
                f"{ratios['p99_ratio']:7.2f}  {line['per_s']:6.1f}  {done['predictions']:21}  {done['skipped']:11}  {len(times)}"
            )
    return summary


def main(rounds=20, count=40):
    if not harness.DATA.is_dir():
        raise SystemExit(f"bench_shadow.py: no real data in {harness.DATA} (set GYRE_TEST_DATA)")
    results = []
    with tempfile.TemporaryDirectory() as folder, harness.Server(pathlib.Path(folder) / "server") as server:
        deployment, shadows, images = arrangements(server, pathlib.Path(folder))
        ask(server, deployment, images, 1, 40)
        for _ in range(rounds):
            for clients in (1, 4):
                for name, version in shadows.items():
                    results.append(measure(server, deployment, images, name, version, clients, count))
    summary = report(results, shadows)
    compared = [r["mean_cpu_ms"] / r["champion_mean_cpu_ms"] for r in results if r["name"] == "slow" and r["mean_cpu_ms"]]
    print(f"slow: {statistics.median(compared):.1f} times the champion's CPU time" if compared else "slow: never predicted")
    memory = [r["mib"] for r in results if r["name"] == "one shadow" and r["mib"]]
    print(f"memory of a shadow's process: {statistics.median(memory) if memory else float('nan'):.0f} MiB")
    (REPOSITORY / "build" / "bench_shadow.json").write_text(json.dumps({"summary": summary, "rounds": results}, indent=2))


if __name__ == "__main__":
    main(*[int(a) for a in sys.argv[1:]])
