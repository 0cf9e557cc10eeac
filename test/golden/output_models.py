#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What two real models say of photos, by the Python package of ONNX Runtime: test/golden/output_models.txt.

UltraFace's faces, decoded as its authors do, and the shares of an image that DeepLab's regions of a class cover (holes
filled, regions below the smallest share left out). The folder is the one of real data. Needs onnxruntime, pillow, scipy:

    python3 test/golden/output_models.py FOLDER > test/golden/output_models.txt
"""
import pathlib
import sys

import numpy as np
import onnxruntime
from outputs import iou
from PIL import Image
from scipy import ndimage

FACES = ("2007_000129", "2007_000170", "2007_000272", "2007_000323", "2007_000480")
MASKS = ("2007_000033", "2007_000039", "2007_000042", "2007_000063", "2007_000129", "2007_000170", "2007_000187", "2007_000250")
AREA_MIN = 0.001


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options)


def stretched(path, width, height):
    """Bilinear with half-pixel centres and two samples an axis, rounded to bytes, as OpenCV."""
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(np.float64)
    for axis, side in ((0, height), (1, width)):
        count = pixels.shape[axis]
        at = np.clip((np.arange(side) + 0.5) * count / side - 0.5, 0, count - 1)
        low = np.floor(at).astype(int)
        share = (at - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        pixels = pixels.take(low, axis) * (1 - share) + pixels.take(np.minimum(low + 1, count - 1), axis) * share
    return np.round(pixels), Image.open(path).size


def faces(model, path):
    pixels, (width, height) = stretched(path, 320, 240)
    scores, boxes = model.run(None, {"input": (((pixels - 127) / 128).transpose(2, 0, 1)[None]).astype(np.float32)})
    kept = []
    for i in np.argsort(-scores[0, :, 1], kind="stable"):
        if scores[0, i, 1] < 0.5:
            break
        box = np.clip(boxes[0, i], 0, 1) * [width, height, width, height]
        if all(iou(box, k[1]) <= 0.45 for k in kept):
            kept.append((scores[0, i, 1], box))
    return kept


def masks(model, path):
    pixels, _ = stretched(path, 257, 257)
    best = model.run(None, {"sub_7": (pixels / 127.5 - 1)[None].astype(np.float32)})[0][0].argmax(2)
    for label in range(1, 21):
        marks, count = ndimage.label(best == label)
        regions = [marks == k for k in range(1, count + 1)]
        kept = [r for r in regions if r.sum() >= AREA_MIN * best.size]
        if kept:
            yield label - 1, len(kept), sum(ndimage.binary_fill_holes(r, np.ones((3, 3))).sum() for r in kept) / best.size


def main(folder):
    folder = pathlib.Path(folder)
    ultraface = session(folder / "models/ultraface/version-RFB-320.onnx")
    deeplab = session(next((folder / "models/deeplab_v3/model").glob("*.onnx")))
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by test/golden/output_models.py: photo, score, x1, y1, x2, y2; and photo, label, regions, share. */")
    for photo in FACES:
        for score, box in faces(ultraface, folder / f"det_voc50/images/{photo}.jpg"):
            print(f'FACE("{photo}", {score:.4f}, ' + ", ".join(f"{v:.1f}" for v in box) + ")")
    for photo in MASKS:
        for label, count, share in masks(deeplab, folder / f"det_voc50/images/{photo}.jpg"):
            print(f'MASK("{photo}", {label}, {count}, {share:.5f})')


if __name__ == "__main__":
    main(sys.argv[1])
