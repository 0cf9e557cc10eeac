# SPDX-License-Identifier: Apache-2.0
"""What watching costs, on predictions that nobody made (test/http/synthetic.py): how fast the tail counts them, how large
watch.db becomes, how much memory the server takes, how long the dashboard's calls take over an hour, a day, a month and
everything. In the middle of the counting the server is killed; `gyre audit` must find nothing afterwards.

Prints a table and lines, writes build/bench_watch.json.

usage: bench_watch.py [PREDICTIONS] [DAYS] [CALLS OF EACH KIND]      GYRE_BENCH_FOLDER: where, instead of a temporary folder
"""

import json
import os
import pathlib
import re
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "test" / "http"))
import harness  # noqa: E402
import synthetic  # noqa: E402

AIM_MS = 100
RANGES = {"hour": 3600, "day": 86_400, "month": 30 * 86_400, "all": None}
KINDS = {
    "dashboard": ("dashboard", {}),
    "dashboard, one source": ("dashboard", {"source": "yard"}),
    "dashboard, another threshold": ("dashboard", {"threshold": 0.6}),
    "heatmap": ("heatmap", {}),
    "heatmap of a label": ("heatmap", {"label": synthetic.LABELS[0]}),
    "latency": ("latency", {}),
}


def cpu_seconds(pid):
    """Of all its threads, which stay."""
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def peak_mib(pid):
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def count_until(server, wanted, timeout):
    """Until the log is counted up to that position: how much that was, by the clock and by the processor."""
    start, first, cpu = time.monotonic(), synthetic.position(server.data), cpu_seconds(server.pid)
    harness.wait_until(
        lambda: synthetic.position(server.data) >= wanted, timeout, f"the log to be counted up to {wanted}", every=0.01
    )
    return {
        "rows": synthetic.position(server.data) - first,
        "wall_s": time.monotonic() - start,
        "cpu_s": cpu_seconds(server.pid) - cpu,
    }


def calls(server, deployment, end, rounds):
    """Milliseconds of each call, by the clock and by the processor; kinds and ranges take turns, so that a noisy neighbour
    meets all."""
    taken = {(kind, name): [] for kind in KINDS for name in RANGES}
    for _ in range(rounds):
        for (kind, name), times in taken.items():
            path, params = KINDS[kind]
            if RANGES[name]:
                params = {**params, "from": end - RANGES[name], "to": end}
            else:
                params = {**params, "from": 0, "to": end}
            start, cpu = time.perf_counter(), cpu_seconds(server.pid)
            server.get(f"/api/deployment/{deployment['id']}/{path}", params=params)
            times.append((1000 * (time.perf_counter() - start), 1000 * (cpu_seconds(server.pid) - cpu)))
    return taken


def quantile(values, q):
    return sorted(values)[min(int(q * len(values)), len(values) - 1)]


def sizes(server):
    return {name: sum(p.stat().st_size for p in server.data.glob(name + "*")) for name in ("gyre.db", "watch.db")}


def count_all(server, predictions):
    """With a kill in the middle; the rates of both parts together."""
    timeout = 300 + predictions / 500
    end = predictions + len(synthetic.SOURCES)
    server.start()
    parts = [count_until(server, end // 3, timeout)]
    server.kill()
    server.start()
    parts.append(count_until(server, end, timeout))
    whole = {key: sum(part[key] for part in parts) for key in parts[0]}
    return {
        "predictions_per_s": whole["rows"] / whole["wall_s"],
        "cpu_us_a_prediction": 1e6 * whole["cpu_s"] / whole["rows"],
        "peak_mib": peak_mib(server.pid),
    }


def audited(server):
    found = harness.command("audit", "--data", server.data, timeout=3600)
    return found.stdout.strip().splitlines()


def run(folder, predictions, days, rounds):
    server = harness.Server(folder)
    with server:
        deployment = synthetic.prepare(server)
    start = time.monotonic()
    end = synthetic.fill(server.data, deployment, predictions, days)
    print(f"{predictions} predictions of {days} days, written in {time.monotonic() - start:.0f} s", flush=True)
    for path in server.data.glob("watch.db*"):
        path.unlink()
    result = {"predictions": predictions, "days": days, "counting": count_all(server, predictions)}
    result["calls"] = {
        f"{kind}, {name}": {
            "p50_ms": quantile([t[0] for t in times], 0.5),
            "p95_ms": quantile([t[0] for t in times], 0.95),
            "cpu_p50_ms": quantile([t[1] for t in times], 0.5),
        }
        for (kind, name), times in calls(server, deployment, end, rounds).items()
    }
    result["peak_mib"], result["anonymous_mib"] = peak_mib(server.pid), server.rss_mib()
    server.stop()
    result["bytes_a_prediction"] = {name: size / predictions for name, size in sizes(server).items()}
    result["audit"] = audited(server)
    return result


def report(r):
    counting, size = r["counting"], r["bytes_a_prediction"]
    print(
        f"counting: {counting['predictions_per_s']:.0f} predictions/s by the clock, {counting['cpu_us_a_prediction']:.0f} us of"
        f" processor each, peak {counting['peak_mib']:.0f} MiB; killed in the middle, and afterwards: {r['audit'][-1]}"
    )
    print(f"on the disk: watch.db {size['watch.db']:.0f} bytes a prediction, beside {size['gyre.db']:.0f} of gyre.db")
    print(f"memory after all calls: peak {r['peak_mib']:.0f} MiB, {r['anonymous_mib']:.0f} MiB of its own")
    print(f"{'call':<40} {'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>8}")
    for name, times in r["calls"].items():
        late = "" if times["p95_ms"] <= AIM_MS else f"   over the aim of {AIM_MS} ms"
        print(f"{name:<40} {times['p50_ms']:8.1f} {times['p95_ms']:8.1f} {times['cpu_p50_ms']:8.1f}{late}")


def main(predictions=1_000_000, days=60, rounds=40):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(os.environ.get("GYRE_BENCH_FOLDER", temporary)) / "server"
        result = run(folder, predictions, days, rounds)
    report(result)
    (REPOSITORY / "build" / "bench_watch.json").write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main(*[int(a) for a in sys.argv[1:]])
