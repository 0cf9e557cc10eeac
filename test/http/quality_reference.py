# SPDX-License-Identifier: Apache-2.0
"""Quality, computed a second time from nothing but the API's own answers: pycocotools for boxes and masks, the definitions
written down plainly for the rest, and scikit-learn for classes where it is installed."""

import contextlib
import io
import math

import numpy
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

COUNTED = ("CORRECTED", "ACCEPTED", "NOTHING")
NUMBERS = ["AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR_1", "AR_10", "AR_100", "AR_small", "AR_medium",
           "AR_large"]  # fmt: skip


def reviewed(server, deployment, version=None):
    """(item, true shapes, answered shapes) of each reviewed image, the oldest first; answers of one version."""
    version = version or deployment["model_version_id"]
    items, _ = server.predicted_assets(deployment, threshold=0, order_by="created_at")
    out = []
    for item in items:
        answers = [p for p in item["predictions"] if p["model_version_id"] == version]
        if item["reviews"] and item["reviews"][-1]["kind"] in COUNTED and answers:
            out.append((item, item["reviews"][-1]["shapes"], answers[0]["shapes"]))
    return out


def rings(shape):
    found = shape.get("rings") or [shape["polygon"]]
    return [[float(n) for point in ring for n in point] for ring in found]


def mask(shape, item):
    size = item["data"]["meta"]
    return rle.merge(rle.frPyObjects(rings(shape), size["height"], size["width"]))


def coco(images, kind="bbox", keep=lambda item: True):
    """pycocotools' evaluation and the names of its categories."""
    images = [image for image in images if keep(image[0])]
    names = sorted({s["label"] for _, truths, answers in images for s in truths + answers})
    number = {name: i + 1 for i, name in enumerate(names)}
    annotations, results = [], []
    for at, (item, truths, answers) in enumerate(images):
        for shape in truths:
            row = {"id": len(annotations) + 1, "image_id": at, "category_id": number[shape["label"]], "iscrowd": 0}
            if kind == "bbox":
                row |= {"bbox": [shape[k] for k in "xywh"], "area": shape["w"] * shape["h"]}
            else:
                outline = mask(shape, item)
                row |= {"segmentation": outline, "area": float(rle.area(outline))}
            annotations.append(row)
        for shape in answers:
            row = {"image_id": at, "category_id": number[shape["label"]], "score": shape["score"]}
            row |= {"bbox": [shape[k] for k in "xywh"]} if kind == "bbox" else {"segmentation": mask(shape, item)}
            results.append(row)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": at, **image[0]["data"]["meta"]} for at, image in enumerate(images)],
            "annotations": annotations,
            "categories": [{"id": i, "name": name} for name, i in number.items()],
            "info": {},
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation, names


def label_numbers(evaluation, at):
    """AP and AP50 of one category; None: nothing to find."""
    precision = evaluation.eval["precision"][:, :, at, 0, 2]
    if precision[0, 0] < 0:
        return None, None
    return float(precision.mean()), float(precision[0].mean())


def curve(evaluation):
    precision = evaluation.eval["precision"][0, :, :, 0, 2]
    there = precision[:, precision[0] > -1]
    return there.mean(axis=1)


def counts(evaluation, threshold):
    """{category: [found, wrong, missed]} at IoU .5 and a threshold."""
    out = {}
    for image in evaluation.evalImgs:
        if image is None or image["aRng"] != [0, 1e10]:
            continue
        row = out.setdefault(image["category_id"], [0, 0, 0])
        high = numpy.asarray(image["dtScores"]) >= threshold if image["dtScores"] else numpy.zeros(0, bool)
        matched = image["dtMatches"][0] > 0
        row[0] += int((matched & high).sum())
        row[1] += int((~matched & high & ~image["dtIgnore"][0].astype(bool)).sum())
        row[2] += int((1 - numpy.asarray(image["gtIgnore"], int)).sum()) - int((matched & high).sum())
    return out


def ratios(found, wrong, missed):
    precision = found / (found + wrong) if found + wrong else 0
    recall = found / (found + missed) if found + missed else 0
    return precision, recall, 2 * found / (2 * found + wrong + missed) if found + wrong + missed else 0


def box_iou(a, b):
    width = min(a["x"] + a["w"], b["x"] + b["w"]) - max(a["x"], b["x"])
    height = min(a["y"] + a["h"], b["y"] + b["h"]) - max(a["y"], b["y"])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a["w"] * a["h"] + b["w"] * b["h"] - width * height)


def box_confusion(images, threshold):
    """{(true label, answered label): count}, None for none: answers by falling score take the object of the highest IoU."""
    cells = {}
    for _, truths, answers in images:
        free = list(truths)
        for answer in sorted((a for a in answers if a["score"] >= threshold), key=lambda a: -a["score"]):
            best = max(free, key=lambda t: box_iou(answer, t), default=None)
            if best is not None and box_iou(answer, best) >= 0.5:
                free = [t for t in free if t is not best]
                key = (best["label"], answer["label"])
            else:
                key = (None, answer["label"])
            cells[key] = cells.get(key, 0) + 1
        for truth in free:
            cells[truth["label"], None] = cells.get((truth["label"], None), 0) + 1
    return cells


def cells_of(confusion):
    """What the API says, in the same form."""
    names = [*confusion["labels"][:-1], None]
    assert confusion["labels"][-1] == "background"
    assert len(confusion["cells"]) == len(names) and all(len(row) == len(names) for row in confusion["cells"])
    return {(names[i], names[k]): n for i, row in enumerate(confusion["cells"]) for k, n in enumerate(row) if n}


def mean_iou(images, threshold):
    """Pixels of each label over all images: those in both by those in either."""
    both, either = {}, {}
    for item, truths, answers in images:
        answers = [a for a in answers if a["score"] >= threshold]
        for label in {s["label"] for s in truths + answers}:
            true = [mask(s, item) for s in truths if s["label"] == label]
            said = [mask(s, item) for s in answers if s["label"] == label]
            areas = [int(rle.area(rle.merge(masks))) if masks else 0 for masks in (true, said)]
            shared = int(rle.area(rle.merge([rle.merge(true), rle.merge(said)], intersect=True))) if true and said else 0
            both[label] = both.get(label, 0) + shared
            either[label] = either.get(label, 0) + sum(areas) - shared
    return {label: both[label] / either[label] for label in both if either[label]}


def classes(images):
    """Pairs of (true class, answered class); the answer is the one of the best score."""
    return [(truths[0]["label"] if truths else None, answers[0]["label"] if answers else None) for _, truths, answers in images]


def class_numbers(pairs):
    labels = sorted({label for pair in pairs for label in pair}, key=str)
    rows = {}
    for label in labels:
        found = sum(t == label == a for t, a in pairs)
        wrong = sum(a == label != t for t, a in pairs)
        missed = sum(t == label != a for t, a in pairs)
        rows[label] = ratios(found, wrong, missed)
    numbers = {"accuracy": sum(t == a for t, a in pairs) / len(pairs)}
    for k, name in enumerate(("precision", "recall", "f1")):
        numbers[name] = sum(row[k] for row in rows.values()) / len(rows)
    check_with_scikit_learn(pairs, numbers)
    return numbers, rows


def check_with_scikit_learn(pairs, numbers):
    try:
        from sklearn import metrics
    except ImportError:
        return
    truth, said = [str(t) for t, _ in pairs], [str(a) for _, a in pairs]
    assert math.isclose(metrics.accuracy_score(truth, said), numbers["accuracy"], abs_tol=1e-12)
    macro = metrics.precision_recall_fscore_support(truth, said, average="macro", zero_division=0)
    for value, name in zip(macro, ("precision", "recall", "f1")):
        assert math.isclose(value, numbers[name], abs_tol=1e-12), name


def wilson(right, count, z=1.959963984540054):
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - half, middle + half


def weighted_ap(evaluation, weights):
    """COCO's AP when what is found, what is wrong and what there is to find count as often as their image does."""
    values = []
    for category in evaluation.params.catIds:
        images = [
            image for image in evaluation.evalImgs if image and image["category_id"] == category and image["aRng"] == [0, 1e10]
        ]
        objects = sum(weights[image["image_id"]] * len(image["gtIds"]) for image in images)
        if not objects:
            continue
        scores = numpy.concatenate([image["dtScores"] for image in images] or [[]])
        of = numpy.concatenate([[weights[image["image_id"]]] * len(image["dtScores"]) for image in images] or [[]])
        order = numpy.argsort(-scores, kind="mergesort")
        for t in range(10):
            matched = numpy.concatenate([image["dtMatches"][t] > 0 for image in images] or [[]]).astype(bool)[order]
            found, wrong = numpy.cumsum(of[order] * matched), numpy.cumsum(of[order] * ~matched)
            precision = numpy.maximum.accumulate((found / (found + wrong + numpy.spacing(1)))[::-1])[::-1]
            at = numpy.searchsorted(found / objects, evaluation.params.recThrs, side="left")
            values.append(sum(precision[i] for i in at if i < len(precision)) / 101)
    return sum(values) / len(values)
