#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Expected regions of a made-up semantic segmentation: test/golden/regions.txt.

The regions are those of scipy.ndimage, holes filled by it too. test_output_semantic.c fills the same tensor from the
same hash and compares. Run it after a change of the tensor, with scipy installed:

    python3 test/golden/regions.py > test/golden/regions.txt
"""
import numpy as np
from outputs import softmax, uniform
from scipy import ndimage

CLASSES, ROWS, COLUMNS = 5, 30, 40
CELL, SCALE, PAD = 4, 0.8, 8  # pixels of the input a cell; image to input; padding above and below
IMAGE_WIDTH, IMAGE_HEIGHT = 200, 130
AREA_MIN = 0.002


def logits():
    """[C,H,W]: blocks of 5 x 5 cells, and a little noise on each cell."""
    blocks = uniform(CLASSES * (ROWS // 5) * (COLUMNS // 5), 30).reshape(CLASSES, ROWS // 5, COLUMNS // 5)
    noise = uniform(CLASSES * ROWS * COLUMNS, 31).reshape(CLASSES, ROWS, COLUMNS)
    return blocks.repeat(5, 1).repeat(5, 2) * 4 + noise * 2


def main():
    values = logits()
    scores = softmax(values.reshape(CLASSES, -1).T.astype(np.float64)).T.reshape(values.shape)
    best, sure = values.argmax(0), scores.max(0)
    first, end = PAD // CELL, ROWS - PAD // CELL
    best[:first] = best[end:] = 0
    side = CELL / SCALE
    found = []
    for label in range(1, CLASSES):
        marks, count = ndimage.label(best == label)
        for k in range(1, count + 1):
            region = marks == k
            if region.sum() * side * side < AREA_MIN * IMAGE_WIDTH * IMAGE_HEIGHT:
                continue
            rows, columns = np.nonzero(region)
            area = ndimage.binary_fill_holes(region, np.ones((3, 3))).sum() * side * side
            box = np.array([columns.min(), rows.min() - first, columns.max() + 1, rows.max() + 1 - first]) * side
            found.append((label - 1, sure[region].mean(), area, *box))
    found.sort(key=lambda r: -r[1])
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by test/golden/regions.py: label, score, area with holes, x1, y1, x2, y2. */")
    for label, score, area, *box in found:
        print(f"REGION({label}, {score:.7f}, {area:.2f}, " + ", ".join(f"{v:.2f}" for v in box) + ")")


if __name__ == "__main__":
    main()
