/* SPDX-License-Identifier: Apache-2.0 */
/* Seeing a tensor: it is the picture that filled it, whatever scale, order of colours, layout and type. */
#include "base/check.h"
#include "vision/tensor.h"

#include "image_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SIDE_X 13u
#define SIDE_Y 9u

static struct tensor_spec spec_of(enum colour colour, enum layout layout, enum sample sample)
{
	return (struct tensor_spec){.width = SIDE_X,
		.height = SIDE_Y,
		.fit = FIT_STRETCH,
		.pad_value = 114,
		.colour = colour,
		.layout = layout,
		.sample = sample,
		.scale = 1.0f / 255,
		.mean = {0.485f, 0.456f, 0.406f},
		.std = {0.229f, 0.224f, 0.225f}};
}

static struct image shown_of(const struct image *image, const struct tensor_spec *spec)
{
	struct tensor_map map;
	struct image shown;
	void *tensor = malloc(tensor_size(spec));
	assert_non_null(tensor);
	tensor_fill(image, spec, tensor, &map);
	tensor_show(spec, tensor, &shown);
	free(tensor);
	assert_int_equal(shown.width, spec->width);
	assert_int_equal(shown.height, spec->height);
	return shown;
}

static void test_the_picture_comes_back(void **state)
{
	struct image image = sample_image(SIDE_X, SIDE_Y, 7);
	for (enum colour colour = COLOUR_RGB; colour <= COLOUR_BGR; colour++)
		for (enum layout layout = LAYOUT_NCHW; layout <= LAYOUT_NHWC; layout++)
			for (enum sample sample = SAMPLE_FLOAT32; sample <= SAMPLE_FLOAT16; sample++) {
				struct tensor_spec spec = spec_of(colour, layout, sample);
				struct image shown = shown_of(&image, &spec);
				assert_memory_equal(shown.pixels, image.pixels, 3 * SIDE_X * SIDE_Y);
				image_release(&shown);
			}
	image_release(&image);
}

static void test_grey_is_grey(void **state)
{
	struct image image = sample_image(SIDE_X, SIDE_Y, 8);
	for (enum sample sample = SAMPLE_FLOAT32; sample <= SAMPLE_FLOAT16; sample++) {
		struct tensor_spec spec = spec_of(COLOUR_GREY, LAYOUT_NCHW, sample);
		struct image shown = shown_of(&image, &spec);
		for (size_t i = 0; i < SIDE_X * SIDE_Y; i++) {
			const uint8_t *in = image.pixels + 3 * i, *out = shown.pixels + 3 * i;
			double luma = 0.299 * in[0] + 0.587 * in[1] + 0.114 * in[2];
			assert_true(fabs(out[0] - luma) <= 0.51);
			assert_true(out[0] == out[1] && out[1] == out[2]);
		}
		image_release(&shown);
	}
	image_release(&image);
}

/* A wide picture in a square: bars of the padding's value above and below. */
static void test_padding_is_seen(void **state)
{
	struct image image = sample_image(20, 10, 9);
	struct tensor_spec spec = spec_of(COLOUR_BGR, LAYOUT_NCHW, SAMPLE_FLOAT32);
	spec.fit = FIT_LETTERBOX;
	spec.width = spec.height = 20;
	struct image shown = shown_of(&image, &spec);
	for (size_t i = 0; i < 3u * 20 * 5; i++) {
		assert_int_equal(shown.pixels[i], 114);
		assert_int_equal(shown.pixels[3u * 20 * 15 + i], 114);
	}
	assert_memory_equal(shown.pixels + 3u * 20 * 5, image.pixels, 3u * 20 * 10);
	image_release(&shown);
	image_release(&image);
}

/* Values that no picture has made are cut. */
static void test_odd_values_are_cut(void **state)
{
	struct tensor_spec spec = spec_of(COLOUR_GREY, LAYOUT_NHWC, SAMPLE_FLOAT32);
	spec.width = 6;
	spec.height = 1;
	spec.scale = 1;
	spec.mean[0] = 0;
	spec.std[0] = 1;
	float values[6] = {-1, 255.4f, 1e30f, NAN, INFINITY, -INFINITY};
	static const uint8_t expected[6] = {0, 255, 255, 0, 255, 0};
	uint16_t halves[6] = {0xbc00 /* -1 */, 0x5bf8 /* 255 */, 0x7bff /* 65504 */, 0x7e00 /* NaN */,
		0x7c00 /* infinite */, 0x0001 /* the least there is */};
	struct image shown;
	for (int half = 0; half < 2; half++) {
		spec.sample = half ? SAMPLE_FLOAT16 : SAMPLE_FLOAT32;
		tensor_show(&spec, half ? (const void *)halves : values, &shown);
		for (size_t i = 0; i < 6; i++)
			assert_int_equal(shown.pixels[3 * i], expected[i]);
		image_release(&shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_picture_comes_back),
		cmocka_unit_test(test_grey_is_grey),
		cmocka_unit_test(test_padding_is_seen),
		cmocka_unit_test(test_odd_values_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
