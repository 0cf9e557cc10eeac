# SPDX-License-Identifier: Apache-2.0
"""What detectors are to learn, in NumPy, from the papers and by whole arrays; nothing is shared with the trainer."""

import numpy


def iou(a, b):
    """Of each of a with each of b."""
    low, high = numpy.maximum(a[:, None, :2], b[None, :, :2]), numpy.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clip(0).prod(2)
    return both / ((a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None] - both)


def inside(places, boxes):
    x, y = places[None, :, 0], places[None, :, 1]
    return (x > boxes[:, None, 0]) & (x < boxes[:, None, 2]) & (y > boxes[:, None, 1]) & (y < boxes[:, None, 3])


def task_aligned(places, boxes, scores, truths, labels, top=10, side_min=8):
    """Feng et al. 2021. Which truth each place learns (-1: none) and its target."""
    centre, size = (truths[:, :2] + truths[:, 2:]) / 2, numpy.maximum(truths[:, 2:] - truths[:, :2], side_min)
    candidates = inside(places, numpy.hstack([centre - size / 2, centre + size / 2]))
    overlap = iou(truths, boxes)
    measure = numpy.where(candidates, scores[:, labels].T ** 0.5 * overlap**6, -1)
    chosen = numpy.zeros_like(candidates)
    order = numpy.argsort(-measure, axis=1, kind="stable")[:, :top]
    numpy.put_along_axis(chosen, order, True, axis=1)
    chosen &= candidates
    owner = numpy.where(chosen.any(0), numpy.where(chosen, overlap, -1).argmax(0), -1)
    mine = owner[None] == numpy.arange(len(truths))[:, None]
    best_measure = numpy.where(mine, measure, 0).max(1)
    best_overlap = numpy.where(mine, overlap, 0).max(1)
    with numpy.errstate(invalid="ignore", divide="ignore"):
        target = numpy.nan_to_num(numpy.where(mine, measure, 0) / best_measure[:, None] * best_overlap[:, None])
    return owner, target.sum(0)


def sim_ota(places, boxes, scores, objectness, truths, labels, radius, top=10):
    """Ge et al. 2021."""
    centre = (truths[:, :2] + truths[:, 2:]) / 2
    near = (numpy.abs(places[None, :, :2] - centre[:, None]) < radius * places[None, :, 2:]).all(2)
    in_box = inside(places, truths)
    candidates = (near | in_box).any(0)
    overlap = iou(truths, boxes)
    said = numpy.sqrt(scores * objectness[:, None])
    wanted = numpy.eye(scores.shape[1])[labels]
    bits = -(
        wanted[:, None] * numpy.log(said)[None].clip(-100) + (1 - wanted[:, None]) * numpy.log(1 - said)[None].clip(-100)
    )
    cost = bits.sum(2) + 3 * -numpy.log(overlap + 1e-8) + 1e5 * ~(near & in_box)
    cost[:, ~candidates] = numpy.inf
    chosen = numpy.zeros_like(in_box)
    for t in range(len(truths)):
        best = numpy.sort(overlap[t, candidates])[::-1][:top]
        chosen[t, numpy.argsort(cost[t], kind="stable")[: max(int(best.sum()), 1)]] = True
    chosen &= candidates[None]
    owner = numpy.where(chosen.any(0), numpy.where(chosen, cost, numpy.inf).argmin(0), -1)
    return owner, numpy.where(owner >= 0, overlap[owner, numpy.arange(len(places))], 0)


def complete_iou(a, b):
    """Zheng et al. 2020, of pairs. Also the weight of the last part, which the gradient takes as a constant."""
    low, high = numpy.maximum(a[:, :2], b[:, :2]), numpy.minimum(a[:, 2:], b[:, 2:])
    both = (high - low).clip(0).prod(1)
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    plain = both / (size_a.prod(1) + size_b.prod(1) - both)
    hull = ((numpy.maximum(a[:, 2:], b[:, 2:]) - numpy.minimum(a[:, :2], b[:, :2])) ** 2).sum(1)
    apart = (((a[:, :2] + a[:, 2:]) - (b[:, :2] + b[:, 2:])) ** 2).sum(1) / 4
    slope_a, slope_b = (numpy.arctan(s[:, 0] / s[:, 1]) for s in (size_a, size_b))
    unlike = 4 / numpy.pi**2 * (slope_a - slope_b) ** 2
    weight = unlike / (1 - plain + unlike)
    return plain, apart / hull, unlike, weight


def grid(width, height, strides=(8, 16, 32), each=1):
    rows = [
        ((x + 0.5) * s, (y + 0.5) * s, s)
        for s in strides
        for _ in range(each)
        for y in range(height // s)
        for x in range(width // s)
    ]
    return numpy.array(rows, numpy.float64)


def suppressed(boxes, scores, labels, limit):
    """Greedy, by class: which ones stay, by falling score."""
    kept = []
    for i in numpy.argsort(-scores, kind="stable"):
        same = [k for k in kept if labels[k] == labels[i]]
        if not same or iou(boxes[i : i + 1], boxes[same])[0].max() <= limit:
            kept.append(i)
    return kept
