#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Expected shapes of made-up output tensors, one set for each layout: test/golden/outputs.txt.

An implementation of its own, in NumPy, from the papers and the models' own post-processing. test_outputs.c
fills the same tensors from the same hash and compares. Run it after a change of the tensors:

    python3 test/golden/outputs.py > test/golden/outputs.txt
"""
import numpy as np

WIDTH, HEIGHT, CLASSES = 96, 64, 5
STRIDES = (8, 16, 32)
IMAGE_WIDTH, IMAGE_HEIGHT = 250, 140
SCALE_X, SCALE_Y, OFFSET_X, OFFSET_Y = 0.375, 0.4375, 1.0, 2.0
FLOOR, KEEP_MAX = 0.01, 300


def uniform(count, seed):
    """count numbers in 0…1, multiples of 2^-24."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B9) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x85EBCA6B) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(13)
    x = x * np.uint64(0xC2B2AE35) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return ((x >> np.uint64(8)).astype(np.float64) / 2**24).astype(np.float32)


def iou(a, b):
    w = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    h = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = lambda r: (r[2] - r[0]) * (r[3] - r[1])
    return w * h / (area(a) + area(b) - w * h) if w * h > 0 else 0.0


def detections(centres, scores, iou_max):
    """centres [N,4], scores [N,C] → rows of label, score, x1, y1, x2, y2 in image pixels."""
    return corner_detections(corners_of(centres), scores.argmax(1), scores.max(1), iou_max)


def corners_of(centres):
    return np.concatenate([centres[:, :2] - centres[:, 2:] / 2, centres[:, :2] + centres[:, 2:] / 2], 1)


def corner_detections(corner, labels, best, iou_max):
    order = [i for i in np.argsort(-best, kind="stable") if best[i] >= FLOOR]
    kept = []
    for i in order:
        if all(labels[i] != labels[k] or iou(corner[i], corner[k]) <= iou_max for k in kept):
            kept.append(i)
    rows = []
    for i in kept:
        x1, x2 = np.clip((corner[i, [0, 2]] - OFFSET_X) / SCALE_X, 0, IMAGE_WIDTH)
        y1, y2 = np.clip((corner[i, [1, 3]] - OFFSET_Y) / SCALE_Y, 0, IMAGE_HEIGHT)
        if x2 > x1 and y2 > y1:
            rows.append((labels[i], best[i], x1, y1, x2, y2))
    return rows[:KEEP_MAX]


def cells():
    return sum((WIDTH // s) * (HEIGHT // s) for s in STRIDES)


def yolox_raw(dtype):
    t = uniform(cells() * (5 + CLASSES), 1).reshape(cells(), 5 + CLASSES)
    t[:, 0:2] = t[:, 0:2] * 2 - 0.5
    t[:, 2:4] = t[:, 2:4] * 3 - 1
    t[:, 4] = t[:, 4] * t[:, 4] * t[:, 4]
    t = t.astype(dtype).astype(np.float64)
    grid = np.array([(x, y, s) for s in STRIDES for y in range(HEIGHT // s) for x in range(WIDTH // s)], float)
    centre = (t[:, 0:2] + grid[:, 0:2]) * grid[:, 2:]
    size = np.exp(t[:, 2:4]) * grid[:, 2:]
    return detections(np.concatenate([centre, size], 1), t[:, 4:5] * t[:, 5:], 0.45)


def yolo_v8(dtype):
    t = uniform((4 + CLASSES) * cells(), 2).reshape(4 + CLASSES, cells())
    t[0] = t[0] * WIDTH
    t[1] = t[1] * HEIGHT
    t[2:4] = t[2:4] * 40
    t[4:] = t[4:] * t[4:] * t[4:]
    t = t.astype(dtype).astype(np.float64)
    return detections(t[:4].T, t[4:].T, 0.45)


def detr(softmax, iou_max, seed):
    queries = 60
    logits = uniform(queries * CLASSES, seed).reshape(queries, CLASSES) * 8 - 6
    boxes = uniform(queries * 4, seed + 1000).reshape(queries, 4).astype(np.float64)
    logits = logits.astype(np.float64)
    if softmax:
        scores = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        scores = scores[:, :-1]
    else:
        scores = 1 / (1 + np.exp(-logits))
    return detections(boxes * [WIDTH, HEIGHT, WIDTH, HEIGHT], scores, iou_max)


def yolo_v5(dtype):
    t = uniform(cells() * (5 + CLASSES), 10).reshape(cells(), 5 + CLASSES)
    t[:, 0] = t[:, 0] * WIDTH
    t[:, 1] = t[:, 1] * HEIGHT
    t[:, 2:4] = t[:, 2:4] * 40
    t[:, 4] = t[:, 4] * t[:, 4]
    t = t.astype(dtype).astype(np.float64)
    return detections(t[:, :4], t[:, 4:5] * t[:, 5:], 0.45)


def softmax(logits):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def sample_corners(count, seed):
    """Corners in 0…1, x1, y1, x2, y2."""
    u = uniform(count * 4, seed).reshape(count, 4)
    u[:, :2] = u[:, :2] * 0.75
    u[:, 2:] = u[:, :2] + u[:, 2:] * 0.25
    return u


def boxes_scores_corners():
    """Corners in fractions, logits of a background first."""
    n = 120
    logits = (uniform(n * CLASSES, 11).reshape(n, CLASSES) * 8 - 4).astype(np.float64)
    scores = softmax(logits)[:, 1:]
    corner = sample_corners(n, 12).astype(np.float64) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
    return corner_detections(corner, scores.argmax(1), scores.max(1), 0.45)


def boxes_scores_centres():
    """Centre form in pixels, logits with a sigmoid each."""
    n = 120
    logits = (uniform(n * CLASSES, 13).reshape(n, CLASSES) * 8 - 6).astype(np.float64)
    boxes = uniform(n * 4, 14).reshape(n, 4) * 60
    return detections(boxes.astype(np.float64), 1 / (1 + np.exp(-logits)), 0.45)


def end_to_end():
    """Rows of batch, corners in pixels, class, score: nothing is dropped but what scores too little."""
    n = 40
    corner = sample_corners(n, 15).astype(np.float64) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
    labels = np.floor(uniform(n, 16) * CLASSES).astype(int)
    return corner_detections(corner, labels, uniform(n, 17).astype(np.float64), 1.0)


def parts():
    """Corners y first in fractions, classes from 1 on."""
    n = 40
    corner = sample_corners(n, 18).astype(np.float64)[:, [1, 0, 3, 2]] * [WIDTH, HEIGHT, WIDTH, HEIGHT]
    labels = np.floor(uniform(n, 19) * CLASSES).astype(int) - 1
    score = np.where(labels < 0, 0, uniform(n, 20).astype(np.float64))
    return corner_detections(corner, labels, score, 1.0)


def classification():
    logits = uniform(40, 5).astype(np.float64) * 12
    scores = np.exp(logits) / np.exp(logits).sum()
    return [(i, scores[i], 0, 0, 0, 0) for i in np.argsort(-scores) if scores[i] >= FLOOR]


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by test/golden/outputs.py: how many shapes, and of the best 20 label, score, x1, y1, x2, y2. */")
    for name, rows in {
        "yolox_raw": yolox_raw(np.float32),
        "yolox_raw_half": yolox_raw(np.float16),
        "yolo_v8": yolo_v8(np.float32),
        "yolo_v8_half": yolo_v8(np.float16),
        "detr_sigmoid": detr(False, 0.45, 3),
        "detr_softmax": detr(True, 1.0, 4),
        "classification": classification(),
        "yolo_v5": yolo_v5(np.float32),
        "yolo_v5_half": yolo_v5(np.float16),
        "boxes_scores_corners": boxes_scores_corners(),
        "boxes_scores_centres": boxes_scores_centres(),
        "end_to_end": end_to_end(),
        "end_to_end_parts": parts(),
    }.items():
        print(f"GOLDEN_COUNT({name}, {len(rows)})")
        for label, score, *box in rows[:20]:
            print(f"GOLDEN({name}, {label}, {score:.7f}, " + ", ".join(f"{v:.3f}" for v in box) + ")")


if __name__ == "__main__":
    main()
