# SPDX-License-Identifier: Apache-2.0
"""Makes summary.txt: what NumPy counts in made-up predictions.

Run: python3 summary.py > summary.txt, with NumPy. test_summary.c makes the same predictions from the same generator
(test/unit/watch_samples.h). A line is a case's seed, its threshold, a field, and index:count of what is not 0.
"""

import math

import numpy

CASES = [(1, 0.3), (2, 0.35), (3, 0.01), (4, 0.8)]
PREDICTIONS = 150
WIDTHS, HEIGHTS = (640, 1920, 333, 64, 1, 4000), (480, 1080, 777, 64, 1, 1500)
LABELS = 7
GROWTH = 1.01 / 0.99
QUANTILES = (0, 0.01, 0.5, 0.9, 0.95, 0.99, 1)


class Chance:
    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % count


def interval(chance, side):
    ends = sorted([chance.below(100 * side + 1), chance.below(100 * side + 1)])
    return [numpy.float32(end / 100) for end in ends]


def shapes_of(chance, p):
    classes = chance.below(5) == 0
    count = 40 if chance.below(20) == 0 else chance.below(12)
    score, shapes = 10000, []
    for _ in range(count):
        score = max(score - chance.below(1200), 100)
        shape = {"label": chance.below(LABELS), "score": numpy.float32(score / 10000), "box": None}
        if not classes:
            shape["box"] = [interval(chance, p["width"]), interval(chance, p["height"])]
        shapes.append(shape)
    return shapes


def prediction(chance):
    p = {"width": WIDTHS[chance.below(6)], "height": HEIGHTS[chance.below(6)]}
    p["latency"] = 5000 + chance.below(60000) if chance.below(10) else chance.below(5000000)
    p["cpu"] = chance.below(40000)
    p["stats"] = None
    if chance.below(8):
        light, contrast = chance.below(255001) / 1000, chance.below(127501) / 1000
        p["stats"] = light, contrast, chance.below(5000001) / 1000 if chance.below(40) else 0.0
    p["shapes"] = shapes_of(chance, p)
    return p


def answered(p, threshold):
    shown = [s for s in p["shapes"] if float(s["score"]) >= threshold]
    return shown[:1] if shown and shown[0]["box"] is None else shown


def pixels(ends):
    """In hundredths, as answers show it."""
    return math.floor(float(ends[1] - ends[0]) * 100 + 0.5)


def histogram(values, edges):
    """What is outside is in the last bin on its side."""
    return numpy.histogram(numpy.clip(values, edges[0], edges[-1]), edges)[0] if len(values) else []


def sizes(boxes):
    return numpy.bincount(
        [min(math.isqrt(w * h * 1600 // (width * height * 10000)), 39) for w, h, width, height in boxes], minlength=40
    )


def ratio_class(width, height):
    """square, tall, very tall, wide, very wide, extremely wide"""
    r = width / height
    return 2 if r < 0.5 else 1 if r < 0.9 else 0 if r <= 10 / 9 else 3 if r <= 2 else 4 if r <= 3 else 5


def images(predictions):
    """(field, counts) of what needs no threshold."""
    get = lambda key: numpy.array([p[key] for p in predictions])  # noqa: E731
    width, height, latency = get("width"), get("height"), get("latency")
    light, contrast, blur = numpy.array([p["stats"] for p in predictions if p["stats"]]).T
    yield "predictions", [len(predictions)]
    yield "latency_sum_us", [latency.sum()]
    yield "cpu_sum_us", [get("cpu").sum()]
    yield "width_sum", [width.sum()]
    yield "height_sum", [height.sum()]
    yield "measured", [len(light)]
    for name, values in (("brightness", light), ("contrast", contrast), ("blur", blur)):
        yield name + "_sum", [numpy.round(values * 1000).astype(int).sum()]
    yield "latencies", numpy.bincount(numpy.searchsorted(GROWTH ** numpy.arange(2048), latency))
    yield "quantiles", [numpy.quantile(latency, q, method="inverted_cdf") for q in QUANTILES]
    yield "brightness", histogram(light, numpy.arange(0, 257, 4))
    yield "contrast", histogram(contrast, numpy.arange(0, 129, 2))
    yield "blur", histogram(numpy.log2(1 + blur), numpy.arange(65) / 4)
    yield "areas", histogram(numpy.log2(width * height), numpy.arange(65) / 2)
    yield "image_ratios", numpy.bincount([ratio_class(w, h) for w, h in zip(width, height)])


def shapes(predictions, threshold):
    shown = [answered(p, threshold) for p in predictions]
    counts = numpy.array([len(s) for s in shown])
    yield "shapes", [counts.sum()]
    yield "without_shapes", [(counts == 0).sum()]
    yield "objects", numpy.bincount(numpy.minimum(counts, 32))
    for label in range(LABELS):
        of_label = [(p, s) for p, some in zip(predictions, shown) for s in some if s["label"] == label]
        boxes = [(pixels(s["box"][0]), pixels(s["box"][1]), p["width"], p["height"]) for p, s in of_label if s["box"]]
        ratios = [math.log2(w / h) for w, h, _, _ in boxes if w and h]
        yield f"label {label}", [sum(any(s["label"] == label for s in some) for some in shown), len(of_label)]
        yield f"scores {label}", histogram([round(float(s["score"]) * 10000) for _, s in of_label], numpy.arange(51) * 200)
        yield f"sizes {label}", sizes(boxes) if boxes else []
        yield f"ratios {label}", histogram(ratios, numpy.arange(33) / 4 - 4)


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by test/golden/summary.py. */")
    for seed, threshold in CASES:
        chance = Chance(seed)
        predictions = [prediction(chance) for _ in range(PREDICTIONS)]
        for field, counts in [*images(predictions), *shapes(predictions, threshold)]:
            some = "".join(f" {i}:{int(count)}" for i, count in enumerate(counts) if count)
            print(f'"{seed} {threshold:g} {field}{some}",')


main()
