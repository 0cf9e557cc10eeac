/* SPDX-License-Identifier: Apache-2.0 */
/* Pixels, and how to get them from bytes that nobody vouches for. */
#ifndef GYRE_VISION_IMAGE_H
#define GYRE_VISION_IMAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stdint.h>

#define IMAGE_SIDE_MAX 16384u

enum image_format { IMAGE_UNKNOWN, IMAGE_JPEG, IMAGE_PNG, IMAGE_WEBP };

/* What the header says, before any pixel is allocated. */
struct image_info {
	enum image_format format;
	uint32_t width, height; /* pixels as shown: after EXIF orientation */
	uint8_t orientation;    /* EXIF, 1…8; 1 when absent or invalid */
	bool progressive;       /* JPEG of several scans: decoding holds all coefficients */
};

/* Interleaved RGB, 8 bits a channel, rows without padding, orientation applied. Grey becomes R=G=B; alpha is
 * blended on white; CMYK and 16 bits are converted; of an animation the first frame. */
struct image {
	uint32_t width, height;
	uint8_t *pixels; /* 3 * width * height bytes, owned */
};

struct image_limits {
	uint64_t pixels_max;       /* width * height, default 50 million */
	uint64_t memory_bytes_max; /* that a decoder may use besides the pixels, default 256 MiB */
};
extern const struct image_limits image_limits_default;

const char *image_format_name(enum image_format f);         /* "JPEG" */
const char *image_format_content_type(enum image_format f); /* "image/jpeg" */

/* Sniff by the bytes (never by a name) and read the header: microseconds, no allocation that grows with the
 * image. limits: NULL for the default. ST_UNSUPPORTED for a format that is not read here, ST_UNPROCESSABLE
 * for a broken header, ST_TOO_LARGE past a limit. */
enum status image_inspect(struct span bytes, const struct image_limits *limits, struct image_info *info,
	struct err *err) MUST_CHECK;

/*
 * Decode. Also past image_inspect it fails: ST_UNPROCESSABLE when pixels are missing or damaged, as the data
 * ends early or has errors; what costs no pixel (extraneous bytes, a missing end marker, broken metadata)
 * decodes. ST_TOO_LARGE for a JPEG of more than 64 scans or a PNG with more metadata than a quarter of
 * memory_bytes_max, ST_UNAVAILABLE when there is no memory. On failure *out is zero.
 */
enum status image_decode(
	struct span bytes, const struct image_limits *limits, struct image *out, struct err *err) MUST_CHECK;
void image_release(struct image *image);

/* What is known of an image from its pixels alone, on a sample of at most 16,384 pixels (metrics.md, image
 * statistics). */
struct image_stats {
	float brightness; /* mean luma (BT.601), 0…255 */
	float contrast;   /* standard deviation of luma */
	float blur;       /* variance of the 4-neighbour Laplacian of luma; low is blurred */
	float mean_rgb[3];
	float entropy;      /* of luma in whole steps: 0…8 bits; low is flat, whatever its contrast */
	float dark, bright; /* shares of pixels with luma <= 5 and >= 250, 0…1 */
};
void image_measure(const struct image *image, struct image_stats *out);
/* As predictions and references store them: an object with these names. */
const char *image_stats_json(const struct image_stats *s, struct arena *a);

/* Encode as PNG (for samples and tests); the bytes are malloced and the caller frees them. */
enum status image_encode_png(
	const struct image *image, uint8_t **bytes, size_t *size, struct err *err) MUST_CHECK;

#endif
