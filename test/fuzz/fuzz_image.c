/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes: inspect and decode agree, and what decodes can be measured, encoded and made a tensor. */
#include "base/check.h"
#include "vision/image.h"
#include "vision/tensor.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tensor(const struct image *image)
{
	struct tensor_spec spec = {.width = 13, .height = 7, .scale = 1, .std = {1, 1, 1}};
	float out[13 * 7 * 3];
	struct tensor_map map;
	for (int fit = FIT_LETTERBOX; fit <= FIT_CENTER_CROP; fit++) {
		spec.fit = (enum fit)fit;
		CHECK(tensor_size(&spec) == sizeof(out));
		tensor_fill(image, &spec, out, &map);
		for (size_t i = 0; i < COUNT_OF(out); i++)
			CHECK(out[i] >= 0 && out[i] <= 255);
	}
}

static void check_round_trip(const struct image *image, const struct image_limits *limits)
{
	uint8_t *png;
	size_t png_size;
	struct image back;
	CHECK(image_encode_png(image, &png, &png_size, NULL) == ST_OK);
	CHECK(image_decode(span_of(png, png_size), limits, &back, NULL) == ST_OK);
	CHECK(back.width == image->width && back.height == image->height);
	CHECK(memcmp(back.pixels, image->pixels, (size_t)3 * image->width * image->height) == 0);
	image_release(&back);
	free(png);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct image_limits limits = {.pixels_max = 300000, .memory_bytes_max = 8 << 20};
	struct image_info info;
	struct image image;
	struct err err = {0};
	enum status inspected = image_inspect(span_of(data, size), &limits, &info, &err);
	enum status st = image_decode(span_of(data, size), &limits, &image, &err);
	CHECK(st == ST_OK || strlen(err.text) > 10);
	CHECK(st != ST_INTERNAL);
	if (inspected != ST_OK)
		CHECK(st == inspected && image.pixels == NULL);
	if (st != ST_OK)
		return 0;
	CHECK(image.width == info.width && image.height == info.height);
	struct image_stats stats;
	image_measure(&image, &stats);
	CHECK(isfinite(stats.blur) && stats.brightness >= 0 && stats.brightness <= 255.01f);
	check_tensor(&image);
	if ((uint64_t)image.width * image.height <= 4096)
		check_round_trip(&image, &limits);
	image_release(&image);
	return 0;
}
