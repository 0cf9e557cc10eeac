# SPDX-License-Identifier: Apache-2.0
"""Makes resize_opencv.txt: small images resized by OpenCV's INTER_LINEAR, for test_tensor.c to compare with.

Run: python3 resize_opencv.py > resize_opencv.txt, with opencv-python-headless. The images come from the generator in
image_of, which test_tensor.c has too.
"""

import cv2
import numpy

CASES = [
    (7, 5, 5, 4),
    (7, 5, 13, 11),
    (16, 12, 8, 6),
    (31, 9, 4, 4),
    (3, 3, 3, 3),
    (1, 6, 4, 9),
    (40, 30, 7, 17),
    (64, 48, 24, 18),
]


def image_of(width, height):
    state, samples = width * 1000 + height, []
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) % 2**32
        samples.append(state >> 24)
    return numpy.array(samples, dtype=numpy.uint8).reshape(height, width, 3)


print(f"# Made by resize_opencv.py with OpenCV {cv2.__version__}: width height new_width new_height pixels (RGB, hex)")
for width, height, new_width, new_height in CASES:
    resized = cv2.resize(image_of(width, height), (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    print(width, height, new_width, new_height, resized.tobytes().hex())
