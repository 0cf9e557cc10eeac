# SPDX-License-Identifier: Apache-2.0
"""COCO's twelve numbers of a set as large as val2017, by gyre's evaluator and by others, in one run.

5,000 images, 36,000 boxes of 80 classes as unevenly spread as there, 500,000 detections (and 36,000, as many as there are
boxes). Each program runs in a process of its own, from arrays or JSON that are in memory: seconds of evaluation and peak
memory, above what the data took. Those that are not installed are left out: pip install pycocotools faster-coco-eval hotcoco.

usage: bench_score.py DRIVER [RUNS]      DRIVER: ninja -C build/release test/bench/score_driver
"""

import contextlib
import importlib.metadata
import io
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy

IMAGES, BOXES, CLASSES = 5000, 36000, 80
SIZES = (36_000, 500_000)
NAMES = "AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl".split()


def make(detections, seed=7):
    """Truths and detections, sorted by image: (image, label, x, y, w, h[, score])."""
    chance = numpy.random.default_rng(seed)
    share = 1 / numpy.arange(1, CLASSES + 1) ** 1.1
    image = numpy.sort(chance.integers(0, IMAGES, BOXES))
    label = chance.choice(CLASSES, BOXES, p=share / share.sum())
    size = numpy.exp(chance.normal(4, 1, (BOXES, 2))).clip(4, 500)
    corner = chance.uniform(0, 1, (BOXES, 2)) * (640 - size)
    truths = numpy.rec.fromarrays([image, label, *corner.T, *size.T], names="image,label,x,y,w,h")
    of = chance.permutation(BOXES)[:detections]
    if detections > BOXES:
        of = numpy.concatenate([numpy.arange(BOXES), chance.integers(0, BOXES, detections - BOXES)])
    near = chance.uniform(size=detections) < 0.8 * BOXES / max(detections, BOXES)
    shift = chance.normal(0, numpy.where(near, 0.06, 0.8)[:, None], (detections, 2)) * size[of]
    scale = numpy.exp(chance.normal(0, numpy.where(near, 0.08, 0.6)[:, None], (detections, 2)))
    score = numpy.where(near, chance.beta(4, 2, detections), chance.beta(1, 6, detections))
    other = chance.uniform(size=detections) < numpy.where(near, 0.05, 0.3)
    answered = numpy.where(other, chance.integers(0, CLASSES, detections), label[of])
    order = numpy.argsort(image[of], kind="stable")
    columns = [image[of], answered, *(corner[of] + shift).T, *(size[of] * scale).clip(1, 640).T, score]
    return truths, numpy.rec.fromarrays([c[order] for c in columns], names="image,label,x,y,w,h,score")


def write(path, truths, detections):
    def rows(table, values):
        out = numpy.zeros(len(table), dtype=[("head", "<i4", 2), ("values", "<f8", len(values))])
        out["head"] = numpy.stack([table.image, table.label], axis=1)
        out["values"] = numpy.stack([table[v] for v in values], axis=1)
        return out.tobytes()

    head = numpy.array([IMAGES, len(truths), len(detections)], "<i4").tobytes()
    with open(path, "wb") as file:
        file.write(head + rows(truths, "xywh") + rows(detections, [*"xywh", "score"]))


def as_coco(truths, detections):
    boxes = numpy.stack([truths[k] for k in "xywh"], axis=1).tolist()
    annotations = [
        {"id": i + 1, "image_id": int(t.image), "category_id": int(t.label), "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
        for i, (t, box) in enumerate(zip(truths, boxes))
    ]
    found = numpy.stack([detections[k] for k in "xywh"], axis=1).tolist()
    results = [
        {"image_id": int(d.image), "category_id": int(d.label), "bbox": box, "score": float(d.score)}
        for d, box in zip(detections, found)
    ]
    truth = {
        "images": [{"id": i, "width": 640, "height": 640} for i in range(IMAGES)],
        "categories": [{"id": i, "name": str(i)} for i in range(CLASSES)],
        "annotations": annotations,
        "info": {},
    }
    return truth, results


def peak_mib():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) / 1024


def pycocotools_run(truth, results):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    gt = COCO()
    gt.dataset = truth
    gt.createIndex()
    evaluation = COCOeval(gt, gt.loadRes(results), "bbox")
    return evaluation


def faster_run(truth, results):
    from faster_coco_eval import COCO, COCOeval_faster

    gt = COCO(truth)
    return COCOeval_faster(gt, gt.loadRes(results), "bbox")


def hotcoco_run(truth, results):
    from hotcoco import COCO, COCOeval

    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(truth, file)
        file.flush()
        gt = COCO(file.name)
    return COCOeval(gt, gt.load_res(results) if hasattr(gt, "load_res") else gt.loadRes(results), "bbox")


OTHERS = {"pycocotools": pycocotools_run, "faster-coco-eval": faster_run, "hotcoco": hotcoco_run}


def other(name, detections):
    """In a process of its own: {"s", "cpu_s", "peak_mib", "more_mib", "numbers"}."""
    truth, results = as_coco(*make(detections))
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = OTHERS[name](truth, results)
        before, start, cpu = peak_mib(), time.perf_counter(), time.process_time()
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        took, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = peak_mib()
    numbers = [float(n) for n in list(evaluation.stats)[:12]]
    print(json.dumps({"s": took, "cpu_s": cpu, "peak_mib": peak, "more_mib": peak - before, "numbers": numbers}))


def ours(driver, path, threads):
    line = subprocess.run([driver, path, str(threads)], check=True, capture_output=True, text=True).stdout
    found = json.loads(line)
    return {**found, "s": found["add_s"] + found["read_s"]}


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--other":
        return other(sys.argv[2], int(sys.argv[3]))
    driver, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}; {IMAGES} images, {BOXES} boxes; best of {runs} (pycocotools: of 1)")
    for detections in SIZES:
        truths, found = make(detections)
        print(f"\n{detections} detections")
        rows = {}
        with tempfile.NamedTemporaryFile(suffix=".boxes") as file:
            write(file.name, truths, found)
            for threads in sorted({1, cores}):
                name = f"gyre, {threads} thread{'s' * (threads > 1)}"
                rows[name] = min((ours(driver, file.name, threads) for _ in range(runs)), key=lambda row: row["s"])
        for name in OTHERS:
            try:
                version = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                print(f"  {name} is not installed")
                continue
            command = [sys.executable, __file__, "--other", name, str(detections)]
            lines = [
                subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
                for _ in range(1 if name == "pycocotools" else runs)
            ]
            rows[f"{name} {version}"] = min(map(json.loads, lines), key=lambda row: row["s"])
        reference = next((row["numbers"] for name, row in rows.items() if name.startswith("pycocotools")), None)
        for name, row in rows.items():
            off = max(abs(a - b) for a, b in zip(row["numbers"], reference)) if reference else float("nan")
            more = f", one more review {row['refresh_ms']:.2f} ms" if "refresh_ms" in row else ""
            took = f"{row['s']:8.3f} s, {row['cpu_s']:8.3f} s of CPU"
            print(f"  {name:<26} {took}, {row['more_mib']:7.1f} of {row['peak_mib']:7.1f} MiB, off by {off:.1e}{more}")


if __name__ == "__main__":
    main()
