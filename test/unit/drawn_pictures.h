/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of rectangles at random places, each like no other, and parts of them: for tests of likeness. */
#ifndef GYRE_TEST_DRAWN_PICTURES_H
#define GYRE_TEST_DRAWN_PICTURES_H

#include "base/check.h"
#include "vision/image_sign.h"

#include <stdlib.h>
#include <string.h>

struct drawn_random {
	uint64_t state;
};

/* xorshift64* */
static inline uint32_t drawn_below(struct drawn_random *r, uint32_t below)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (uint32_t)((r->state * 2685821657736338717ull >> 33) % below);
}

static inline void drawn_rectangle(
	struct image *image, uint32_t x0, uint32_t y0, uint32_t width, uint32_t height, const uint8_t rgb[3])
{
	for (uint32_t y = y0; y < y0 + height && y < image->height; y++)
		for (uint32_t x = x0; x < x0 + width && x < image->width; x++)
			memcpy(image->pixels + 3 * ((size_t)y * image->width + x), rgb, 3);
}

/* The caller releases it. */
static inline struct image drawn_picture(uint32_t width, uint32_t height, uint32_t seed)
{
	struct drawn_random r = {0x9e3779b97f4a7c15ull * (seed + 1)};
	struct image image = {width, height, malloc((size_t)3 * width * height)};
	CHECK(image.pixels != NULL);
	uint8_t rgb[3] = {120, 130, 110};
	drawn_rectangle(&image, 0, 0, width, height, rgb);
	for (int i = 0; i < 40; i++) {
		for (int c = 0; c < 3; c++)
			rgb[c] = (uint8_t)drawn_below(&r, 256);
		drawn_rectangle(&image, drawn_below(&r, width), drawn_below(&r, height),
			width / 16 + drawn_below(&r, width / 4), height / 16 + drawn_below(&r, height / 4),
			rgb);
	}
	return image;
}

static inline struct image drawn_part(
	const struct image *whole, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
	struct image part = {width, height, malloc((size_t)3 * width * height)};
	CHECK(part.pixels != NULL && x + width <= whole->width && y + height <= whole->height);
	for (uint32_t row = 0; row < height; row++)
		memcpy(part.pixels + (size_t)3 * row * width,
			whole->pixels + 3 * ((size_t)(y + row) * whole->width + x), (size_t)3 * width);
	return part;
}

static inline struct image_look drawn_look(const struct image *image)
{
	struct image_sign sign;
	struct image_look look;
	image_sign_make(image, &sign);
	image_look_make(&sign, &look);
	return look;
}

#endif
