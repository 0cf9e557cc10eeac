# SPDX-License-Identifier: Apache-2.0
"""YOLOX and COCO evaluation, written a second time and separately: ONNX Runtime's Python package, numpy, Pillow, pycocotools.

The preprocessing and the decoding follow the YOLOX paper's published demo: letterbox into the top left corner with ratio
min(416/h, 416/w) and sides cut to whole pixels, padding 114, BGR 0…255, no mean; strides 8, 16, 32; score = objectness
times class. Class-aware greedy NMS at IoU 0.45.
"""

import contextlib
import io
import json

import numpy
import onnxruntime
from PIL import Image, ImageOps

SIZE = 416
SCORE_FLOOR = 0.01
NMS_IOU = 0.45
SHAPES_MAX = 300


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def load(path):
    """RGB pixels, upright."""
    with Image.open(path) as image:
        return numpy.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def resize(pixels, width, height):
    """Bilinear with half-pixel centres and no smoothing, the edge repeated: what OpenCV calls INTER_LINEAR. Float64."""

    def axis(old, new):
        at = (numpy.arange(new) + 0.5) * old / new - 0.5
        low = numpy.floor(at).astype(int)
        part = at - low
        return numpy.clip(low, 0, old - 1), numpy.clip(low + 1, 0, old - 1), part

    y0, y1, fy = axis(pixels.shape[0], height)
    x0, x1, fx = axis(pixels.shape[1], width)
    p = pixels.astype(numpy.float64)
    fy, fx = fy[:, None, None], fx[None, :, None]
    top = p[y0][:, x0] * (1 - fx) + p[y0][:, x1] * fx
    bottom = p[y1][:, x0] * (1 - fx) + p[y1][:, x1] * fx
    return top * (1 - fy) + bottom * fy


def letterbox(pixels, size=SIZE):
    """(tensor [1,3,size,size] BGR 0…255, ratio)"""
    height, width = pixels.shape[:2]
    ratio = min(size / height, size / width)
    small = resize(pixels, int(width * ratio), int(height * ratio))
    canvas = numpy.full((size, size, 3), 114.0)
    canvas[: small.shape[0], : small.shape[1]] = numpy.rint(small)
    return canvas[:, :, ::-1].transpose(2, 0, 1)[None].astype(numpy.float32), ratio


def decode(output, size=SIZE):
    """[N,5+C] raw grid → (corners [N,4] in model pixels, scores [N,C])"""
    grids, strides = [], []
    for stride in (8, 16, 32):
        side = size // stride
        y, x = numpy.mgrid[0:side, 0:side]
        grids.append(numpy.stack([x, y], 2).reshape(-1, 2))
        strides.append(numpy.full((side * side, 1), stride))
    grid, stride = numpy.concatenate(grids), numpy.concatenate(strides)
    centre = (output[:, 0:2] + grid) * stride
    half = numpy.exp(output[:, 2:4]) * stride / 2
    return numpy.concatenate([centre - half, centre + half], 1), output[:, 4:5] * output[:, 5:]


def iou(box, boxes):
    width = numpy.minimum(box[2], boxes[:, 2]) - numpy.maximum(box[0], boxes[:, 0])
    height = numpy.minimum(box[3], boxes[:, 3]) - numpy.maximum(box[1], boxes[:, 1])
    both = numpy.clip(width, 0, None) * numpy.clip(height, 0, None)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return both / ((box[2] - box[0]) * (box[3] - box[1]) + area - both)


def suppress(boxes, scores, labels):
    """Indexes that stay, by falling score."""
    kept = []
    for label in numpy.unique(labels):
        order = [i for i in numpy.argsort(-scores, kind="stable") if labels[i] == label]
        while order:
            best = order.pop(0)
            kept.append(best)
            if order:
                overlap = iou(boxes[best], boxes[order])
                order = [i for i, o in zip(order, overlap) if o <= NMS_IOU]
    return sorted(kept, key=lambda i: -scores[i])[:SHAPES_MAX]


def detect(model, pixels):
    """[(x1, y1, x2, y2, label, score)] in image pixels, clipped to the image, by falling score."""
    tensor, ratio = letterbox(pixels)
    boxes, scores = decode(model.run(None, {model.get_inputs()[0].name: tensor})[0][0])
    row, label = numpy.nonzero(scores > SCORE_FLOOR)
    score = scores[row, label]
    boxes = boxes[row] / ratio
    kept = suppress(boxes, score, label)
    height, width = pixels.shape[:2]
    boxes = boxes.clip(0, [width, height, width, height])
    return [(*map(float, boxes[i]), int(label[i]), float(score[i])) for i in kept]


def average_precision(truth, detections):
    """(AP, AP50) by pycocotools of COCO results, all printing swallowed."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = json.loads(json.dumps(truth))
        gt.createIndex()
        evaluation = COCOeval(gt, gt.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])
