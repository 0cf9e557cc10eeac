/* SPDX-License-Identifier: Apache-2.0 */
/* Which format is it, may it be decoded, and the turn to upright; the formats themselves are in codec_*.c. */
#include "vision/image.h"

#include "base/check.h"
#include "vision/codec.h"
#include "vision/exif.h"

#include <inttypes.h>
#include <stdlib.h>

const struct image_limits image_limits_default = {.pixels_max = 50000000, .memory_bytes_max = 256u << 20};

static const struct codec *const codecs[] = {&codec_jpeg, &codec_png, &codec_webp};

/* What else people send, so that the refusal can name it. */
static const struct {
	const char *what;
	unsigned offset;
	unsigned size;
	const char *bytes;
} others[] = {
	{"a TIFF image", 0, 4, "II*\0"},
	{"a TIFF image", 0, 4, "MM\0*"},
	{"a BigTIFF image", 0, 4, "II+\0"},
	{"a BigTIFF image", 0, 4, "MM\0+"},
	{"a GIF image", 0, 4, "GIF8"},
	{"a BMP image", 0, 2, "BM"},
	{"an AVIF image", 4, 8, "ftypavif"},
	{"an AVIF image", 4, 8, "ftypavis"},
	{"a HEIF image", 4, 7, "ftyphei"},
	{"a HEIF image", 4, 7, "ftyphev"},
	{"a HEIF image", 4, 8, "ftypmif1"},
	{"a HEIF image", 4, 8, "ftypmsf1"},
	{"an MP4 or QuickTime video", 4, 4, "ftyp"},
	{"a JPEG 2000 image", 0, 8, "\0\0\0\x0cjP  "},
	{"a JPEG 2000 image", 0, 4, "\xff\x4f\xff\x51"},
	{"a JPEG XL image", 0, 8, "\0\0\0\x0cJXL "},
	{"a JPEG XL image", 0, 2, "\xff\x0a"},
	{"an SGI image", 0, 3, "\x01\xda\x00"},
	{"an SGI image", 0, 3, "\x01\xda\x01"},
	{"an FLI animation", 4, 2, "\x11\xaf"},
	{"an FLC animation", 4, 2, "\x12\xaf"},
	{"a Photoshop document", 0, 4, "8BPS"},
	{"an OpenEXR image", 0, 4, "\x76\x2f\x31\x01"},
	{"a Windows icon", 0, 4, "\0\0\1\0"},
	{"a DDS texture", 0, 4, "DDS "},
	{"a QOI image", 0, 4, "qoif"},
	{"a PBM image", 0, 3, "P1\n"},
	{"a PGM image", 0, 3, "P2\n"},
	{"a PPM image", 0, 3, "P3\n"},
	{"a PBM image", 0, 3, "P4\n"},
	{"a PGM image", 0, 3, "P5\n"},
	{"a PPM image", 0, 3, "P6\n"},
	{"an SVG drawing", 0, 4, "<svg"},
	{"a PDF document", 0, 5, "%PDF-"},
	{"an AVI video", 8, 4, "AVI "},
	{"a Matroska or WebM video", 0, 4, "\x1a\x45\xdf\xa3"},
	{"a ZIP archive", 0, 4, "PK\3\4"},
	{"a NumPy array", 0, 6, "\x93NUMPY"},
};

static const struct codec *codec_of(enum image_format format)
{
	for (size_t i = 0; i < COUNT_OF(codecs); i++)
		if (codecs[i]->format == format)
			return codecs[i];
	return NULL;
}

const char *image_format_name(enum image_format f)
{
	const struct codec *codec = codec_of(f);
	return codec ? codec->name : "unknown";
}

const char *image_format_content_type(enum image_format f)
{
	const struct codec *codec = codec_of(f);
	return codec ? codec->content_type : "application/octet-stream";
}

static const struct codec *sniffed(struct span bytes)
{
	for (size_t i = 0; i < COUNT_OF(codecs); i++)
		if (codecs[i]->sniff(bytes))
			return codecs[i];
	return NULL;
}

static enum status refuse(struct span bytes, struct err *err)
{
	if (bytes.size == 0)
		return err_set(err, ST_UNPROCESSABLE, "The image is empty: it has no bytes.");
	const char *what = "no image in a format known here";
	for (size_t i = COUNT_OF(others); i-- > 0;)
		if (bytes.size >= others[i].offset + others[i].size &&
			memcmp(bytes.data + others[i].offset, others[i].bytes, others[i].size) == 0)
			what = others[i].what; /* the first one that fits is the most special */
	return err_set(err, ST_UNSUPPORTED, "This is %s; gyre reads JPEG, PNG and WebP.", what);
}

static enum status check_size(const struct codec *codec, const struct image_info *info, uint64_t memory_bytes,
	const struct image_limits *limits, struct err *err)
{
	uint64_t pixels = (uint64_t)info->width * info->height;
	if (info->width > IMAGE_SIDE_MAX || info->height > IMAGE_SIDE_MAX)
		return err_set(err, ST_TOO_LARGE,
			"This %s is %" PRIu32 "x%" PRIu32 " pixels; a side may have at most %u.", codec->name,
			info->width, info->height, IMAGE_SIDE_MAX);
	if (pixels > limits->pixels_max)
		return err_set(err, ST_TOO_LARGE,
			"This %s is %" PRIu32 "x%" PRIu32 ", %.1f million pixels; the limit is %.1f million.",
			codec->name, info->width, info->height, (double)pixels / 1e6,
			(double)limits->pixels_max / 1e6);
	if (info->orientation != 1 && memory_bytes < 3 * pixels)
		memory_bytes = 3 * pixels; /* upright pixels are written beside the stored ones */
	if (memory_bytes > limits->memory_bytes_max)
		return err_set(err, ST_TOO_LARGE,
			"This %s%s of %" PRIu32 "x%" PRIu32
			" needs %.0f MiB of memory to decode; the limit is %.0f MiB.",
			info->progressive ? "progressive " : "", codec->name, info->width, info->height,
			(double)memory_bytes / 1048576.0, (double)limits->memory_bytes_max / 1048576.0);
	return ST_OK;
}

/* As image_inspect, but width and height as stored in the file. */
static enum status inspect_stored(struct span bytes, const struct image_limits *limits,
	const struct codec *codec, struct image_info *info, struct err *err)
{
	*info = (struct image_info){0};
	if (codec == NULL)
		return refuse(bytes, err);
	struct image_info found = {.format = codec->format};
	uint64_t memory_bytes = 0;
	TRY(codec->inspect(bytes, &found, &memory_bytes, err));
	CHECK(found.width > 0 && found.height > 0);
	found.orientation = exif_orientation(found.format, bytes);
	TRY(check_size(codec, &found, memory_bytes, limits, err));
	*info = found;
	return ST_OK;
}

enum status image_inspect(
	struct span bytes, const struct image_limits *limits, struct image_info *info, struct err *err)
{
	TRY(inspect_stored(bytes, limits ? limits : &image_limits_default, sniffed(bytes), info, err));
	if (info->orientation >= 5) {
		uint32_t width = info->width;
		info->width = info->height;
		info->height = width;
	}
	return ST_OK;
}

static struct image allocated(uint32_t width, uint32_t height)
{
	CHECK(width > 0 && height > 0);
	return (struct image){.width = width, .height = height, .pixels = malloc((size_t)3 * width * height)};
}

static enum status no_memory(struct image image, struct err *err)
{
	return err_set(err, ST_UNAVAILABLE,
		"There is no memory for an image of %" PRIu32 "x%" PRIu32 " pixels now.", image.width,
		image.height);
}

/* Copy every pixel (x, y) to first + x * right + y * down, in tiles, so that columns stay in the cache. */
static void scatter(const struct image *from, uint8_t *to, ptrdiff_t first, ptrdiff_t right, ptrdiff_t down)
{
	const uint32_t tile = 32;
	for (uint32_t top = 0; top < from->height; top += tile) {
		uint32_t bottom = from->height - top < tile ? from->height : top + tile;
		for (uint32_t left = 0; left < from->width; left += tile) {
			uint32_t end = from->width - left < tile ? from->width : left + tile;
			for (uint32_t y = top; y < bottom; y++) {
				const uint8_t *source = from->pixels + 3 * ((size_t)y * from->width + left);
				uint8_t *target =
					to + 3 * (first + (ptrdiff_t)left * right + (ptrdiff_t)y * down);
				for (uint32_t x = left; x < end; x++, source += 3, target += 3 * right) {
					target[0] = source[0];
					target[1] = source[1];
					target[2] = source[2];
				}
			}
		}
	}
}

/* Turn what an EXIF orientation (1…8) describes upright. */
static enum status orient(struct image *image, uint8_t orientation, struct err *err)
{
	if (orientation == 1)
		return ST_OK;
	bool turned = orientation >= 5;
	struct image upright =
		allocated(turned ? image->height : image->width, turned ? image->width : image->height);
	if (upright.pixels == NULL)
		return no_memory(upright, err);
	/* Where the stored rows and columns run to in the upright image (EXIF 2.32, table 6). */
	bool right_to_left = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
	bool bottom_to_top = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
	ptrdiff_t right = turned ? (ptrdiff_t)upright.width : 1;
	ptrdiff_t down = turned ? 1 : (ptrdiff_t)upright.width;
	ptrdiff_t first = 0;
	if (right_to_left) {
		first += right * (ptrdiff_t)(image->width - 1);
		right = -right;
	}
	if (bottom_to_top) {
		first += down * (ptrdiff_t)(image->height - 1);
		down = -down;
	}
	scatter(image, upright.pixels, first, right, down);
	image_release(image);
	*image = upright;
	return ST_OK;
}

enum status image_decode(
	struct span bytes, const struct image_limits *limits, struct image *out, struct err *err)
{
	*out = (struct image){0};
	limits = limits ? limits : &image_limits_default;
	const struct codec *codec = sniffed(bytes);
	struct image_info info;
	TRY(inspect_stored(bytes, limits, codec, &info, err));
	struct image image = allocated(info.width, info.height);
	if (image.pixels == NULL)
		return no_memory(image, err);
	enum status st = codec->decode(bytes, limits, &image, err);
	if (st == ST_OK)
		st = orient(&image, info.orientation, err);
	if (st == ST_OK)
		*out = image;
	else
		image_release(&image);
	return st;
}

void image_release(struct image *image)
{
	free(image->pixels);
	*image = (struct image){0};
}

void codec_blend(const uint8_t *rgba, uint8_t *rgb, uint32_t count, uint32_t step)
{
	for (uint32_t i = 0; i < count; i++, rgba += 4, rgb += 3 * (size_t)step) {
		unsigned alpha = rgba[3];
		for (unsigned c = 0; c < 3; c++)
			rgb[c] = (uint8_t)((rgba[c] * alpha + rgb[c] * (255 - alpha) + 127) / 255);
	}
}
