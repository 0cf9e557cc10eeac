# SPDX-License-Identifier: Apache-2.0
"""Makes score.txt: what COCO's own tools, and VOC's rules written down plainly, say of made-up cases.

Run: python3 score.py > score.txt, with pycocotools and NumPy. test_score.c and test_mask.c make the same cases from the
same generator: boxes and polygons with crowds, difficult objects, ties of score and of overlap, images without
objects, images without answers, labels that are only answered.
"""

import contextlib
import io

import numpy
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

WIDTH, HEIGHT = 200, 160
BOX_CASES, MASK_CASES, VOC_CASES, RING_CASES = 800, 240, 100, 300
VOC_IOUS = (0.25, 0.5, 0.75)


class Chance:
    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % count


def random_box(chance):
    span = (40, 120, 480)[chance.below(3)]
    x, y = chance.below(600) / 4, chance.below(480) / 4
    return [x, y, (1 + chance.below(span)) / 4, (1 + chance.below(span)) / 4]


def moved(chance, box):
    x, y, w, h = (value + (chance.below(17) - 8) / 4 for value in box)
    return [x, y, max(w, 0.25), max(h, 0.25)]


def case_of(seed):
    """[image id, truths [label, box, area, crowd, difficult], guesses [label, box, score]] of each image."""
    chance, images = Chance(seed), []
    labels = 1 + chance.below(4)
    for i in range(1 + chance.below(6)):
        truths, guesses = [], []
        for _ in range(chance.below(7)):
            label, box = chance.below(labels), random_box(chance)
            crowd = chance.below(8) == 0
            area = box[2] * box[3] * (0.5 if chance.below(3) == 0 else 1)
            truths.append((label, box, area, crowd, chance.below(6) == 0))
        for _ in range(chance.below(16)):
            if truths and chance.below(4):
                label, box = truths[chance.below(len(truths))][:2]
                box = box if chance.below(3) == 0 else moved(chance, box)
            else:
                label, box = chance.below(labels + 1), random_box(chance)
            guesses.append((label, box, (1 + chance.below(16)) / 16))
        images.append(((i * 37 + 5) % 101, truths, guesses))
    return images


def ring_of(chance, box):
    """A polygon about a box: corners in tenths of a pixel, some outside the image."""
    x, y, w, h = box
    points = []
    for _ in range(3 + chance.below(6)):
        points.append((int(x * 10) + chance.below(int(w * 10) + 1) - chance.below(3)) / 10)
        points.append((int(y * 10) + chance.below(int(h * 10) + 1) - chance.below(3)) / 10)
    return points


def rings_of(chance, box):
    return [ring_of(chance, box) for _ in range(1 + (chance.below(3) == 0))]


def mask_of(rings):
    return rle.merge(rle.frPyObjects(rings, HEIGHT, WIDTH))


def counts_of(mask):
    """The run lengths of a compressed mask."""
    text, counts, at = mask["counts"], [], 0
    while at < len(text):
        value = shift = 0
        while True:
            c = text[at] - 48
            at += 1
            value |= (c & 31) << shift
            shift += 5
            if not c & 32:
                if c & 16:
                    value -= 1 << shift
                break
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts


def coco_numbers(images, masks, seed):
    chance = Chance(seed + 1000)
    annotations, results = [], []
    for image, truths, guesses in images:
        for label, box, area, crowd, _ in truths:
            row = {"id": len(annotations) + 1, "image_id": image, "category_id": label, "bbox": box, "area": area,
                   "iscrowd": int(crowd)}  # fmt: skip
            if masks:
                row["segmentation"] = mask_of(rings_of(chance, box))
            annotations.append(row)
        for label, box, score in guesses:
            row = {"image_id": image, "category_id": label, "score": score, "bbox": box}
            if masks:
                del row["bbox"]
                row["segmentation"] = mask_of(rings_of(chance, box))
            results.append(row)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image, "width": WIDTH, "height": HEIGHT} for image, _, _ in images],
            "annotations": annotations,
            "categories": [{"id": i, "name": str(i)} for i in range(6)],
            "info": {},
        }
        truth.createIndex()
        if not results:
            return None
        evaluation = COCOeval(truth, truth.loadRes(results), "segm" if masks else "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def voc_overlap(a, b, more):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0]) + more
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1]) + more
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] + more) * (a[3] + more) + (b[2] + more) * (b[3] + more) - w * h)


def voc_ap(images, label, iou, more):
    """(every point, eleven points) of one label, by the rules of the challenge's development kit."""
    truths = {image: [t for t in truths if t[0] == label] for image, truths, _ in images}
    wanted = sum(not t[4] for rows in truths.values() for t in rows)
    if wanted == 0:
        return None
    found = {image: set() for image in truths}
    answers = [(g[2], image, g[1]) for image, _, guesses in images for g in guesses if g[0] == label]
    answers.sort(key=lambda row: (-row[0], row[1]))
    right, wrong, curve = 0, 0, []
    for _, image, box in answers:
        overlaps = [voc_overlap(box, t[1], more) for t in truths[image]]
        best = int(numpy.argmax(overlaps)) if overlaps else -1
        if best >= 0 and overlaps[best] >= iou:
            if truths[image][best][4]:
                continue
            if best in found[image]:
                wrong += 1
            else:
                found[image].add(best)
                right += 1
        else:
            wrong += 1
        curve.append((right, right / (right + wrong)))
    every = sum(max((p for r, p in curve if r >= k), default=0) for k in range(1, wanted + 1)) / wanted
    recalls = numpy.linspace(0, 1, 11)  # as the tools in use have them: 0.6 is a hair more than 9 of 15
    eleven = sum(max((p for r, p in curve if r / wanted >= recall), default=0) for recall in recalls) / 11
    return every, eleven


def voc_numbers(images, iou, more):
    values = [voc_ap(images, label, iou, more) for label in range(6)]
    values = [v for v in values if v]
    return numpy.mean(values, axis=0) if values else (-1, -1)


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by test/golden/score.py. */")
    for kind, cases in (("boxes", BOX_CASES), ("masks", MASK_CASES)):
        for seed in range(cases):
            numbers = coco_numbers(case_of(seed), kind == "masks", seed)
            if numbers is not None:
                print(f"COCO({kind}, {seed}, " + ", ".join(f"{n:.15g}" for n in numbers) + ")")
    for seed in range(VOC_CASES):
        for iou in VOC_IOUS:
            for more in (0, 1):
                every, eleven = voc_numbers(case_of(seed), iou, more)
                print(f"VOC({seed}, {iou}, {more}, {every:.15g}, {eleven:.15g})")
    for seed in range(RING_CASES):
        chance = Chance(seed + 5000)
        mask = mask_of(rings_of(chance, random_box(chance)))
        total = 0
        for i, count in enumerate(counts_of(mask)):
            total = (total * 31 + count + i) % 2**32
        print(f"RINGS({seed}, {int(rle.area(mask))}, {total}u)")


if __name__ == "__main__":
    main()
