/* SPDX-License-Identifier: Apache-2.0 */
/* What one image format has to offer; inside vision/ only, callers use vision/image.h. */
#ifndef GYRE_VISION_CODEC_H
#define GYRE_VISION_CODEC_H

#include "vision/image.h"

struct codec {
	enum image_format format;
	const char *name;         /* "JPEG" */
	const char *content_type; /* "image/jpeg" */

	/* Do the first bytes say that it is this format? A damaged signature may pass: inspect then says what
	 * is wrong. */
	bool (*sniff)(struct span bytes);

	/* Fill info's width and height (as stored, before orientation; both at least 1) and progressive from
	 * the header, and *memory_bytes with what decode will take besides the pixels, where that grows with
	 * the image. Sizes are compared with the limits by the caller, who passes no pixels on before. */
	enum status (*inspect)(
		struct span bytes, struct image_info *info, uint64_t *memory_bytes, struct err *err);

	/* Fill out->pixels, which the caller allocated for the size that inspect found. */
	enum status (*decode)(
		struct span bytes, const struct image_limits *limits, struct image *out, struct err *err);
};

extern const struct codec codec_jpeg, codec_png, codec_webp;

/* Blend count RGBA pixels (alpha not premultiplied) on what stands in rgb; step: distance of two pixels in
 * rgb, in pixels. */
void codec_blend(const uint8_t *rgba, uint8_t *rgb, uint32_t count, uint32_t step);

#endif
