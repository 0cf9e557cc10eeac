# SPDX-License-Identifier: Apache-2.0
"""Makes paired.txt: two models on the same pictures by pycocotools and NumPy, with the same resamples as task/paired.c.

Run in this folder: python3 paired.py > paired.txt. test_paired.c makes the same pictures by score_samples.h.
"""

import contextlib
import io

import numpy
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from score import HEIGHT, WIDTH, Chance, case_of, mask_of, rings_of

REPLICATES, FIRST, CASES, LABELS = 500, 7000, 12, 6
MASK = 2**64 - 1


def resamples(seed, count):
    for _ in range(REPLICATES):
        picked = []
        for _ in range(count):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            x = seed
            x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & MASK
            x = ((x ^ x >> 27) * 0x94D049BB133111EB) & MASK
            x ^= x >> 31
            picked.append(int((x >> 11) * 2.0**-53 * count))
        yield picked


def pictures():
    """Truths, guesses of the first and of the second: (label, box, …, score), scores that are never the same."""
    out = []
    for seed in range(FIRST, FIRST + CASES):
        for _, truths, guesses in case_of(seed):
            at = len(out)
            first = [(label, box, score + (at * 16 + g) * 1e-7) for g, (label, box, score) in enumerate(guesses)]
            second = [(label, box, 1.5 - score) for g, (label, box, score) in enumerate(first) if (at + g) % 3]
            out.append((truths, first, second))
    return out


def coco_labels(truth_rows, guess_rows, picked):
    annotations, results = [], []
    for image, at in enumerate(picked):
        for label, box, area, crowd, _ in truth_rows[at]:
            annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": label, "bbox": box,
                                "area": area, "iscrowd": int(crowd)})  # fmt: skip
        for label, box, score in guess_rows[at]:
            results.append({"image_id": image, "category_id": label, "score": score, "bbox": box})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": i, "width": WIDTH, "height": HEIGHT} for i in range(len(picked))],
            "annotations": annotations,
            "categories": [{"id": i, "name": str(i)} for i in range(LABELS)],
            "info": {},
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    each = [p.mean() if (p := precision[:, :, k])[p > -1].size else -1 for k in range(LABELS)]
    each50 = [precision[0, :, k].mean() if each[k] >= 0 else -1 for k in range(LABELS)]
    return each, mean_there(each), mean_there(each50)


def mean_there(values):
    there = [v for v in values if v >= 0]
    return sum(there) / len(there) if there else -1


def say(kind, number_of, count, seed):
    """number_of(model, picked) → by label (-1: not there), all, all at IoU 0.5."""
    whole = [number_of(m, list(range(count))) for m in (0, 1)]
    differences = {label: [] for label in list(range(LABELS)) + ["all"]}
    for picked in resamples(seed, count):
        first, second = number_of(0, picked), number_of(1, picked)
        for label in range(LABELS):
            if first[0][label] >= 0:
                differences[label].append(second[0][label] - first[0][label])
        if first[1] >= 0:
            differences["all"].append(second[1] - first[1])
    low, high = numpy.percentile(differences["all"], [2.5, 97.5])
    print(f"ALL({kind}, {count}, {whole[0][1]:.15g}, {whole[1][1]:.15g}, {whole[0][2]:.15g}, {whole[1][2]:.15g}, "
          f"{low:.15g}, {high:.15g})")  # fmt: skip
    for label in range(LABELS):
        if whole[0][0][label] >= 0:
            low, high = numpy.percentile(differences[label], [2.5, 97.5])
            print(f"LABEL({kind}, {label}, {whole[0][0][label]:.15g}, {whole[1][0][label]:.15g}, "
                  f"{low:.15g}, {high:.15g})")  # fmt: skip


def boxes():
    rows = pictures()
    truths, guesses = [r[0] for r in rows], ([r[1] for r in rows], [r[2] for r in rows])
    say("boxes", lambda model, picked: coco_labels(truths, guesses[model], picked), len(rows), 11)


def classes():
    chance, rows = Chance(5), []
    for _ in range(300):
        truth = chance.below(5)
        first = truth if chance.below(10) < 7 else chance.below(5)
        second = truth if chance.below(10) < 8 else chance.below(6)
        rows.append((truth, first, second))
    rows = numpy.array(rows)  # the answer 5: none

    def number_of(model, picked):
        some = rows[picked]
        right = some[:, 0] == some[:, 1 + model]
        each = [right[some[:, 0] == k].mean() if (some[:, 0] == k).any() else -1 for k in range(LABELS)]
        return each, right.mean(), -1

    say("classes", number_of, len(rows), 12)


def pixels():
    """By picture and label: pixels in both, in either, true; of each model."""
    chance, sums = Chance(9), numpy.zeros((2, 40, LABELS, 3))
    for at in range(40):
        truth = {k: rle.decode(mask_of(rings_of(chance, [20.0, 20.0, 60.0 + 10 * k, 80.0]))) for k in range(chance.below(3) + 1)}
        for model in (0, 1):
            said = {k: rle.decode(mask_of(rings_of(chance, [24.0, 18.0, 60.0 + 10 * k, 80.0]))) for k in range(chance.below(4))}
            for k in set(truth) | set(said):
                none = numpy.zeros((HEIGHT, WIDTH), bool)
                t, g = truth.get(k, none).astype(bool), said.get(k, none).astype(bool)
                sums[model, at, k] = (t & g).sum(), (t | g).sum(), t.sum()

    def number_of(model, picked):
        both, either, true = sums[model, picked].sum(axis=0).T
        each = [both[k] / either[k] if true[k] else -1 for k in range(LABELS)]
        return each, mean_there(each), -1

    say("pixels", number_of, 40, 13)


print("/* SPDX-License-Identifier: Apache-2.0 */")
print("/* Made by test/golden/paired.py. */")
boxes()
classes()
pixels()
