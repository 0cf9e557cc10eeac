# SPDX-License-Identifier: Apache-2.0
"""Makes image_pixels.tsv: what Pillow sees in the real images that gyre reads, for test_image.c to compare with.

Run: python3 image_pixels.py DATA > image_pixels.tsv, with Pillow and numpy. As gyre does: upright by EXIF (not by XMP), alpha
blended on white, 16 bits cut to their upper 8, of an animation the first frame.
"""

import pathlib
import sys

import numpy
import PIL
from PIL import Image

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def rgba_of(image):
    if not image.mode.startswith("I"):
        return numpy.array(image.convert("RGB").convert("RGBA") if image.mode == "CMYK" else image.convert("RGBA"))
    grey = numpy.array(image).astype(int)
    transparent = image.info.get("transparency")
    alpha = numpy.where(grey == transparent, 0, 255) if transparent is not None else numpy.full(grey.shape, 255)
    return numpy.dstack([grey >> 8, grey >> 8, grey >> 8, alpha])


def pixels_of(path):
    image = Image.open(path)
    if image.format not in ("JPEG", "PNG", "WEBP"):
        return None
    for key in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(key, None)
    orientation = image.getexif().get(0x0112, 1) if "exif" in image.info else 1
    image.load()
    rgba = rgba_of(image).astype(int)
    colour, alpha = rgba[..., :3], rgba[..., 3:]
    upright = Image.fromarray(((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype("uint8"))
    if orientation in TURNS:
        upright = upright.transpose(TURNS[orientation])
    return numpy.array(upright)


def main():
    data = pathlib.Path(sys.argv[1])
    print(f"# Made by image_pixels.py with Pillow {PIL.__version__}: path, width, height, mean red, green, blue and the")
    print("# pixels at the centres of a 3x3 grid, row by row.")
    for folder in ("img_variants_pillow", "img_pngsuite"):
        for path in sorted((data / folder).rglob("*")):
            try:
                pixels = pixels_of(path) if path.is_file() else None
            except OSError:
                continue
            if pixels is None:
                continue
            height, width = pixels.shape[:2]
            means = "\t".join(f"{m:.2f}" for m in pixels.mean(axis=(0, 1)))
            rows, columns = [[(2 * k + 1) * side // 6 for k in range(3)] for side in (height, width)]
            grid = "".join(pixels[y, x].tobytes().hex() for y in rows for x in columns)
            print(f"{path.relative_to(data)}\t{width}\t{height}\t{means}\t{grid}")


main()
