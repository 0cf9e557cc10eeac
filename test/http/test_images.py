# SPDX-License-Identifier: Apache-2.0
"""Pictures that nobody vouches for: every broken, odd and huge one gets a clear answer, in bounded memory."""

import io
import struct
import zlib

import harness
import pytest
import samples
from PIL import Image, ImageOps

STATUSES = {200, 413, 415, 422}
# Of the process beyond what it had before: a 50 megapixel picture and its decoder's limit, with room.
RSS_GROWTH_MIB_MAX = 600 if not harness.SANITIZED else 1800


def files_of(*folders):
    found = []
    for folder in folders:
        if (harness.DATA / folder).is_dir():
            found += sorted(
                p for p in (harness.DATA / folder).rglob("*")
                if p.is_file() and p.name not in ("MANIFEST.tsv", "SOURCE.txt", "LICENSE", "README.md")
            )  # fmt: skip
    return found


def check(server, deployment, body, filename="x.jpg"):
    """One answer of the promised form."""
    response = server.predict(deployment, body, expect=None, filename=filename)
    assert response.status_code in STATUSES, f"{filename}: {response.status_code} {response.text[:300]}"
    if response.status_code != 200:
        message = response.json()["message"]
        assert len(message) > 15 and message[0].isupper() and message.rstrip().endswith("."), message
    return response


@pytest.mark.skipif(not harness.DATA.is_dir(), reason="no real data (set GYRE_TEST_DATA)")
def test_every_malformed_and_unusual_file(server, colours):
    before = server.rss_mib()
    files = files_of("img_malformed", "img_variants_pillow", "img_pngsuite")
    assert len(files) > 150
    statuses = {}
    for path in files:
        response = check(server, colours, path.read_bytes(), path.name)
        statuses.setdefault(response.status_code, []).append(path.name)
        assert server.running(), path
    print({code: len(names) for code, names in sorted(statuses.items())})
    assert len(statuses[200]) > 40 and len(statuses[422]) > 2 and len(statuses[415]) > 40
    assert server.rss_mib() - before < RSS_GROWTH_MIB_MAX
    assert server.predict(colours, samples.photo("blue"))["shapes"][0]["label"] == "blue"


@pytest.mark.skipif(not harness.DATA.is_dir(), reason="no real data (set GYRE_TEST_DATA)")
def test_valid_files_of_the_formats_read_here_decode(server, colours):
    """What Pillow opens as an 8-bit JPEG, PNG or WebP is decoded here too, to the same upright size."""
    compared = 0
    for path in files_of("img_variants_pillow", "img_pngsuite"):
        try:
            with Image.open(path) as image:
                image.load()
                kind, size = image.format, ImageOps.exif_transpose(image).size
        except Exception:
            continue
        if kind not in ("JPEG", "PNG", "WEBP"):
            continue
        response = check(server, colours, path.read_bytes(), path.name)
        assert response.status_code == 200, f"{path.name}: {response.text[:300]}"
        assert (response.json()["image"]["width"], response.json()["image"]["height"]) == size, path.name
        compared += 1
    assert compared > 40


@pytest.mark.skipif(not harness.DATA.is_dir(), reason="no real data (set GYRE_TEST_DATA)")
@pytest.mark.parametrize("format", ["jpg", "webp"])
def test_orientation(server, blocks, format):
    """All eight are one picture; sizes are as shown."""
    seen = set()
    for orientation in range(2, 9):
        path = harness.DATA / f"img_variants_pillow/hopper_orientation_{orientation}.{format}"
        if path.exists():
            with Image.open(path) as image:
                expected = ImageOps.exif_transpose(image).size
            answer = server.predict(blocks, path.read_bytes(), filename=path.name)
            assert (answer["image"]["width"], answer["image"]["height"]) == expected
            seen.add(expected)
    assert len(seen) == 1


def four_corners(orientation):
    """A JPEG that shows red, once upright: its stored pixels are turned, and EXIF says how to turn them back."""
    image = Image.new("RGB", (64, 32), "red")
    exif = Image.Exif()
    exif[0x0112] = orientation
    return samples.encode(image, exif=exif)


@pytest.mark.parametrize(
    "orientation, size", [(1, (64, 32)), (3, (64, 32)), (6, (32, 64)), (8, (32, 64)), (9, (64, 32)), (0, (64, 32))]
)
def test_orientation_of_our_own(server, colours, orientation, size):
    answer = server.predict(colours, four_corners(orientation))
    assert (answer["image"]["width"], answer["image"]["height"]) == size


def png_claiming(width, height, data=b"\0" * 64):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def jpeg_claiming(width, height):
    body = bytearray(samples.photo("red"))
    at = body.index(b"\xff\xc0") + 5
    body[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(body)


@pytest.mark.parametrize(
    "body, status",
    [
        (png_claiming(100_000, 100_000), {413}),
        (png_claiming(2**31 - 1, 1), {413, 422}),
        (png_claiming(0, 10), {422}),
        (png_claiming(16_000, 16_000), {413}),
        (png_claiming(3000, 3000), {422}),
        (jpeg_claiming(65_500, 65_500), {413}),
        (jpeg_claiming(0, 64), {422}),
        (jpeg_claiming(4000, 4000), {200, 422}),
        (b"", {400, 415, 422}),
        (b"\xff\xd8", {415, 422}),
        (b"\xff\xd8\xff\xe0", {415, 422}),
        (b"\x89PNG\r\n\x1a\n", {422}),
        (b"RIFF\x00\x00\x00\x00WEBP", {415, 422}),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {415}),
        (b"GIF89a" + b"\0" * 100, {415}),
        (b"BM" + b"\0" * 100, {415}),
    ],
    ids=lambda v: v[:8].hex() + f"-{len(v)}" if isinstance(v, bytes) else None,
)
def test_lies_and_stumps(server, colours, body, status):
    before = server.rss_mib()
    response = server.predict(colours, body, expect=None)
    assert response.status_code in status, response.text[:300]
    if response.status_code != 200:
        assert response.json()["message"].rstrip().endswith(".")
    assert server.rss_mib() - before < RSS_GROWTH_MIB_MAX


def test_every_truncation_of_each_format(server, colours):
    for format in ("JPEG", "PNG", "WEBP"):
        whole = samples.encode(samples.plain("green", 40, 30), format)
        for end in range(0, len(whole), max(1, len(whole) // 24)):
            response = server.predict(colours, whole[:end], expect=None)
            assert response.status_code in STATUSES | {400}, f"{format} cut at {end}: {response.status_code}"


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(server, colours):
    image = Image.new("1", (30_000, 30_000))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    body = buffer.getvalue()
    before = server.rss_mib()
    response = server.predict(colours, body, expect=None)
    assert response.status_code == 413, response.text[:300]
    assert server.rss_mib() - before < 150 or harness.SANITIZED


def test_a_body_past_the_limit(server, colours):
    """Refused with a sentence, not with a broken connection."""
    response = server.predict(colours, b"\xff\xd8" + b"\0" * (70 << 20), expect=None)
    assert response.status_code == 413
    assert response.json()["message"]
    assert server.predict(colours, samples.photo("red"))["shapes"][0]["label"] == "red"


@pytest.mark.parametrize("format, kind", [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")])
def test_raw_bodies(server, colours, format, kind):
    body = samples.encode(samples.plain("blue"), format)
    response = server.call(
        "POST", f"/api/deployments/{colours['id']}/predict", data=body, headers={"Content-Type": kind}
    )
    assert response.status_code == 200 and response.json()["shapes"][0]["label"] == "blue"
