# SPDX-License-Identifier: Apache-2.0
"""What a prediction costs end to end (POST JPEG → durable answer), against the bare ONNX Runtime loop on the same tensors.

Rounds of both alternate on one machine, so that a noisy neighbour meets both. CPU seconds are the number to trust: the server's
with its model processes, the clients excluded. Prints a table, writes build/bench.json.

usage: bench.py [ROUNDS] [REQUESTS A ROUND]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "test" / "http"))
import harness  # noqa: E402
import numpy  # noqa: E402
import reference  # noqa: E402
import requests  # noqa: E402
import samples  # noqa: E402
from PIL import Image  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))
LIBRARY = REPOSITORY / "build/deps/lib/libonnxruntime.so.1"


def build_bare():
    target = REPOSITORY / "build" / "bare"
    source = REPOSITORY / "test/bench/bare.c"
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        include = ["-isystem", REPOSITORY / "build/deps/include"]
        subprocess.run(["gcc", "-O2", *include, "-o", target, source, "-ldl"], check=True)
    return target


def bare(program, case, runs):
    """The loop on every core at once, as the server uses them: a core beside a busy one is slower than alone."""
    shape = [str(n) for n in case["tensor"].shape]
    with tempfile.NamedTemporaryFile() as file:
        case["tensor"].astype(numpy.float32).tofile(file.name)
        command = [program, LIBRARY, case["model"], file.name, str(runs), *shape]
        loops = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(CORES)]
        outputs = [loop.communicate()[0] for loop in loops]
    if any(loop.returncode for loop in loops):
        raise SystemExit("bench.py: the bare loop failed")
    results = [json.loads(output) for output in outputs]
    return {
        "runs": sum(r["runs"] for r in results),
        "cpu_s": sum(r["cpu_s"] for r in results),
        "wall_s": max(r["wall_s"] for r in results),
        "rss_mib": max(r["rss_mib"] for r in results),
    }


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def server_cpu(server):
    return sum(cpu_seconds(pid) for pid in (server.pid, *server.children()))


def client(server, deployment, images, count, results):
    url = f"{server.url}/api/deployments/{deployment['id']}/predict"
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Bearer {server.token}", "Content-Type": "image/jpeg"})
        for n in range(count):
            start = time.perf_counter()
            response = session.post(url, data=images[n % len(images)], timeout=60)
            wall = time.perf_counter() - start
            response.raise_for_status()
            results.append((wall, response.json()["latency_ms"]))


def served(server, case, requests_a_round, clients):
    results, threads = [], []
    cpu, wall = server_cpu(server), time.perf_counter()
    for _ in range(clients):
        arguments = (server, case["deployment"], case["images"], requests_a_round // clients, results)
        threads.append(threading.Thread(target=client, args=arguments))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return {
        "runs": len(results),
        "cpu_s": server_cpu(server) - cpu,
        "wall_s": time.perf_counter() - wall,
        "added_ms": [latency["total"] - latency["infer"] for _, latency in results],
        "steps_ms": [latency for _, latency in results],
    }


def cases(server, folder):
    data = harness.DATA
    if data.is_dir():
        from conftest import coco_labels

        photos = sorted((data / "det_voc50/images").iterdir())
        model = data / "models/yolox_nano/yolox_nano.onnx"
        yield {
            "name": "YOLOX-nano", "model": model, "images": [p.read_bytes() for p in photos],
            "tensor": reference.letterbox(reference.load(photos[0]))[0],
            "deployment": server.deploy(server.push(model, "yolox", "OBJECT_DETECTION", coco_labels(data)), "yolox", 0.1),
        }  # fmt: skip
        model = data / "models/mnist/opt-mnist.onnx"
        digits = [data / f"models/mnist/{n}.jpg" for n in (0, 3, 5, 7)]
        with Image.open(digits[0]) as image:
            grey = numpy.asarray(image.convert("L").resize((28, 28)), numpy.float32)[None, None]
        version = server.push(model, "mnist", "CLASSIFICATION", [str(n) for n in range(10)])
        yield {
            "name": "MNIST", "model": model, "images": [p.read_bytes() for p in digits], "tensor": grey,
            "deployment": server.deploy(version, "mnist", 0.1),
        }  # fmt: skip
        return
    model = samples.colour_classifier(folder)
    version = server.push(model, "colours", "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
    yield {
        "name": "colour classifier", "model": model, "images": [samples.numbered(n) for n in range(50)],
        "tensor": numpy.zeros((1, 3, 32, 32), numpy.float32), "deployment": server.deploy(version, "colours", 0.1),
    }  # fmt: skip


def measure(server, case, program, rounds, count):
    alone, whole, parallel = [], [], []
    served(server, case, 40, 1)  # warm up
    for _ in range(rounds):
        alone.append(bare(program, case, count))
        whole.append(served(server, case, count, 1))
        parallel.append(served(server, case, count, 4))
    per_run = [1000 * r["cpu_s"] / r["runs"] for r in alone]
    per_request = [1000 * r["cpu_s"] / r["runs"] for r in parallel]
    added = sorted(ms for r in whole for ms in r["added_ms"])
    steps = {}
    for latency in (latency for r in whole for latency in r["steps_ms"]):
        for name, ms in latency.items():
            steps.setdefault(name, []).append(ms)
    return {
        "model": case["name"],
        "bare_cpu_ms": min(per_run),
        "gyre_cpu_ms": min(per_request),
        "ratio": sorted(b / g for b, g in zip(per_run, per_request))[rounds // 2],
        "bare_per_s": max(r["runs"] / r["wall_s"] for r in alone),
        "gyre_per_s_1_client": max(r["runs"] / r["wall_s"] for r in whole),
        "gyre_per_s_4_clients": max(r["runs"] / r["wall_s"] for r in parallel),
        "added_p50_ms": added[len(added) // 2],
        "added_p99_ms": added[int(len(added) * 0.99)],
        "bare_rss_mib": max(r["rss_mib"] for r in alone),
        "steps_p50_ms": {name: sorted(values)[len(values) // 2] for name, values in steps.items()},
    }


def main(rounds=3, count=400):
    program, results = build_bare(), []
    with tempfile.TemporaryDirectory() as folder, harness.Server(pathlib.Path(folder) / "server") as server:
        idle = server.rss_mib()
        for case in cases(server, folder):
            results.append(measure(server, case, program, rounds, count))
        memory = {"idle_mib": idle, "server_mib": server.rss_mib(), "engines_mib": [server.rss_mib(p) for p in server.children()]}
    for r in results:
        print(
            f"{r['model']}: bare {r['bare_cpu_ms']:.2f} ms CPU a run, gyre {r['gyre_cpu_ms']:.2f} ms a request, ratio "
            f"{r['ratio']:.2f}; {r['bare_per_s']:.0f}/s bare (all cores), {r['gyre_per_s_1_client']:.0f}/s with 1 client, "
            f"{r['gyre_per_s_4_clients']:.0f}/s with 4; added p50 {r['added_p50_ms']:.2f} ms, p99 {r['added_p99_ms']:.2f} ms"
        )
        print("  steps, p50 ms: " + ", ".join(f"{name} {ms:.2f}" for name, ms in r["steps_p50_ms"].items()))
    print(f"memory: {json.dumps({k: v for k, v in memory.items()}, default=float)}")
    target = REPOSITORY / "build" / "bench.json"
    target.write_text(json.dumps({"results": results, "memory": memory}, indent=2))


if __name__ == "__main__":
    main(*[int(a) for a in sys.argv[1:]])
