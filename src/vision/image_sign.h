/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture's sign: what is kept of its looks, to find the same picture again, smaller, compressed otherwise,
 * or a part of it (docs/internals/bursts.md). Pure.
 */
#ifndef GYRE_VISION_IMAGE_SIGN_H
#define GYRE_VISION_IMAGE_SIGN_H

#include "vision/image.h"

#define IMAGE_SIGN_SIDE 32
#define IMAGE_SIGN_SIZE (IMAGE_SIGN_SIDE * IMAGE_SIGN_SIDE) /* bytes, as stored */

struct image_sign {
	uint32_t width, height;        /* of the picture; only their ratio is looked at */
	uint8_t luma[IMAGE_SIGN_SIZE]; /* the picture stretched to a square, row by row */
};

/* Some 16,000 pixels are looked at, whatever the size. */
void image_sign_make(const struct image *image, struct image_sign *out);

/* 64 bits: whether it gets brighter from one column to the next, 9 columns in 8 rows (a "dHash"). */
uint64_t image_sign_hash(const struct image_sign *s);
/* In how many of the 64 bits two hashes differ; different photos in about 32. */
unsigned image_sign_distance(uint64_t a, uint64_t b);

/* What is worked out once of a sign that is compared with many. */
struct image_look {
	struct image_sign sign;
	uint64_t hash;
	float fine[IMAGE_SIGN_SIDE][IMAGE_SIGN_SIDE];
	int32_t fine_sums[IMAGE_SIGN_SIDE + 1]
			 [IMAGE_SIGN_SIDE + 1]; /* of what is above and left of a corner */
	/* 16 x 16 with zeros to the right, and what stands above and left of each corner: sums of it and of
	 * its squares. */
	int16_t coarse[IMAGE_SIGN_SIDE / 2][IMAGE_SIGN_SIDE];
	int32_t sums[IMAGE_SIGN_SIDE / 2 + 1][IMAGE_SIGN_SIDE / 2 + 1];
	int32_t squares[IMAGE_SIGN_SIDE / 2 + 1][IMAGE_SIGN_SIDE / 2 + 1];
};
void image_look_make(const struct image_sign *sign, struct image_look *out);

/*
 * Whether one shows the same as the other, or as a part of it that is at least half as wide or half as high.
 * What is nearly one colour is like nothing. Some 30 microseconds.
 */
bool image_look_alike(const struct image_look *a, const struct image_look *b);

#endif
