/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors against OpenCV's numbers, a plain resize in double, and the definition of every field of the spec.
 */
#include "vision/tensor.h"

#include "image_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct tensor_spec plain_spec(uint32_t width, uint32_t height)
{
	return (struct tensor_spec){.width = width,
		.height = height,
		.fit = FIT_STRETCH,
		.layout = LAYOUT_NHWC,
		.sample = SAMPLE_UINT8,
		.pad_value = 114,
		.scale = 1,
		.std = {1, 1, 1}};
}

static void *filled(const struct image *image, const struct tensor_spec *spec, struct tensor_map *map)
{
	struct tensor_map unused;
	void *out = malloc(tensor_size(spec));
	assert_non_null(out);
	memset(out, 0xa5, tensor_size(spec));
	tensor_fill(image, spec, out, map ? map : &unused);
	return out;
}

static int hex_byte(const char *text)
{
	unsigned value;
	assert_int_equal(sscanf(text, "%2x", &value), 1);
	return (int)value;
}

static void test_resize_equals_opencv_within_one_level(void **state)
{
	struct span golden = sample_read("test/golden", "resize_opencv.txt");
	assert_true(golden.size > 0);
	unsigned compared = 0, exact = 0;
	char line[4096], hex[4096];
	for (size_t at = 0; sample_line(golden, &at, line, sizeof(line));) {
		unsigned width, height, new_width, new_height;
		if (line[0] == '#')
			continue;
		assert_int_equal(
			sscanf(line, "%u %u %u %u %4095s", &width, &height, &new_width, &new_height, hex), 5);
		struct image image = sample_image(width, height, width * 1000 + height);
		struct tensor_spec spec = plain_spec(new_width, new_height);
		uint8_t *pixels = filled(&image, &spec, NULL);
		for (size_t i = 0; i < tensor_size(&spec); i++) {
			int off = abs(pixels[i] - hex_byte(hex + 2 * i));
			if (off > 1)
				fail_msg("%ux%u to %ux%u: sample %zu is off by %d", width, height, new_width,
					new_height, i, off);
			exact += off == 0;
			compared++;
		}
		free(pixels);
		image_release(&image);
	}
	assert_true(compared > 1500);
	assert_true(exact > compared * 8 / 10); /* OpenCV cuts where we round */
	sample_free(golden);
}

/* Bilinear with half-pixel centres by the definition: an image that goes on with its border pixels. */
static double sampled(const struct image *image, unsigned c, double x, double y)
{
	double sum = 0;
	for (int dy = 0; dy < 2; dy++)
		for (int dx = 0; dx < 2; dx++) {
			double px = fmin(fmax(floor(x) + dx, 0), image->width - 1.0);
			double py = fmin(fmax(floor(y) + dy, 0), image->height - 1.0);
			double weight = (dx ? x - floor(x) : 1 - x + floor(x)) *
					(dy ? y - floor(y) : 1 - y + floor(y));
			sum += weight * image->pixels[3 * ((size_t)py * image->width + (size_t)px) + c];
		}
	return sum;
}

/* Every pixel of a tensor by the definition of the fit; the map is taken as it came, and tested on its own
 * below. */
static void assert_follows_map(const struct image *image, const struct tensor_spec *spec)
{
	struct tensor_map map;
	uint8_t *pixels = filled(image, spec, &map);
	double left = map.offset_x, top = map.offset_y;
	double right = left + map.scale_x * image->width, bottom = top + map.scale_y * image->height;
	for (uint32_t y = 0; y < spec->height; y++)
		for (uint32_t x = 0; x < spec->width; x++)
			for (unsigned c = 0; c < 3; c++) {
				double cx = x + 0.5, cy = y + 0.5, expected = spec->pad_value;
				if (cx > left && cx < right && cy > top && cy < bottom)
					expected = sampled(image, c, (cx - left) / map.scale_x - 0.5,
						(cy - top) / map.scale_y - 0.5);
				double off = fabs(pixels[3 * (y * spec->width + x) + c] - expected);
				if (off > 1.1) /* half a level by rounding, half by weights in 256ths */
					fail_msg("%ux%u fit %d: pixel %u,%u is off by %f", image->width,
						image->height, (int)spec->fit, x, y, off);
			}
	free(pixels);
}

static void test_every_fit_samples_where_the_map_says(void **state)
{
	static const uint32_t sizes[][4] = {{20, 10, 16, 16}, {10, 20, 16, 16}, {7, 5, 33, 20},
		{50, 41, 9, 13}, {1, 1, 5, 4}, {300, 2, 32, 32}, {2, 300, 32, 32}, {64, 64, 64, 64},
		{33, 17, 33, 40}};
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct image image = sample_image(sizes[i][0], sizes[i][1], (uint32_t)i);
		struct tensor_spec spec = plain_spec(sizes[i][2], sizes[i][3]);
		for (int fit = FIT_LETTERBOX; fit <= FIT_CENTER_CROP; fit++)
			for (int pad = PAD_CENTER; pad <= PAD_BOTTOM_RIGHT; pad++) {
				spec.fit = (enum fit)fit;
				spec.pad_at = (enum pad_at)pad;
				assert_follows_map(&image, &spec);
			}
		image_release(&image);
	}
}

static void assert_map(uint32_t width, uint32_t height, enum fit fit, enum pad_at pad, uint32_t side,
	struct tensor_map expected)
{
	struct image image = sample_image(width, height, 1);
	struct tensor_spec spec = plain_spec(side, side);
	spec.fit = fit;
	spec.pad_at = pad;
	struct tensor_map map;
	free(filled(&image, &spec, &map));
	assert_float_equal(map.scale_x, expected.scale_x, 1e-6);
	assert_float_equal(map.scale_y, expected.scale_y, 1e-6);
	assert_float_equal(map.offset_x, expected.offset_x, 0);
	assert_float_equal(map.offset_y, expected.offset_y, 0);
	assert_int_equal(map.image_width, width);
	assert_int_equal(map.image_height, height);
	image_release(&image);
}

static void test_maps(void **state)
{
	/* 1920x1080 → 640x360 in the middle of 640x640; 500x375 → 416x312; at the top left; stretched;
	 * cropped. */
	assert_map(
		1920, 1080, FIT_LETTERBOX, PAD_CENTER, 640, (struct tensor_map){1 / 3.0f, 1 / 3.0f, 0, 140});
	assert_map(
		1080, 1920, FIT_LETTERBOX, PAD_CENTER, 640, (struct tensor_map){1 / 3.0f, 1 / 3.0f, 140, 0});
	assert_map(500, 375, FIT_LETTERBOX, PAD_CENTER, 416, (struct tensor_map){0.832f, 0.832f, 0, 52});
	assert_map(500, 375, FIT_LETTERBOX, PAD_BOTTOM_RIGHT, 416, (struct tensor_map){0.832f, 0.832f, 0, 0});
	assert_map(500, 375, FIT_STRETCH, PAD_CENTER, 416, (struct tensor_map){0.832f, 416 / 375.0f, 0, 0});
	assert_map(500, 375, FIT_CENTER_CROP, PAD_CENTER, 224,
		(struct tensor_map){299 / 500.0f, 224 / 375.0f, -37, 0});
	/* 101 * 64 / 300 is 21.55: 22 rows, whose scale is not quite the other one; 42 spare rows, 21 above.
	 */
	assert_map(300, 101, FIT_LETTERBOX, PAD_CENTER, 64,
		(struct tensor_map){64 / 300.0f, 22 / 101.0f, 0, 21});
	/* An odd rest: the smaller half above. */
	assert_map(100, 63, FIT_LETTERBOX, PAD_CENTER, 100, (struct tensor_map){1, 1, 0, 18});
	assert_map(63, 100, FIT_LETTERBOX, PAD_CENTER, 100, (struct tensor_map){1, 1, 18, 0});
	assert_map(101, 64, FIT_CENTER_CROP, PAD_CENTER, 64, (struct tensor_map){1, 1, -18, 0});
	assert_map(64, 101, FIT_CENTER_CROP, PAD_CENTER, 64, (struct tensor_map){1, 1, 0, -18});
	/* A thin image keeps at least one row. */
	assert_map(3000, 2, FIT_LETTERBOX, PAD_CENTER, 32, (struct tensor_map){32 / 3000.0f, 0.5f, 0, 15});
}

static void test_a_box_comes_back_to_where_it_was(void **state)
{
	/* A white rectangle at 120…360 x 60…180 of 500x400; what is white in the tensor, mapped back, is
	 * that. */
	struct image image = sample_image(500, 400, 1);
	memset(image.pixels, 0, 3 * 500 * 400);
	for (uint32_t y = 60; y < 180; y++)
		memset(image.pixels + 3 * (y * 500 + 120), 255, 3 * 240);
	for (int fit = FIT_LETTERBOX; fit <= FIT_CENTER_CROP; fit++) {
		struct tensor_spec spec = plain_spec(256, 256);
		spec.fit = (enum fit)fit;
		struct tensor_map map;
		uint8_t *pixels = filled(&image, &spec, &map);
		uint32_t left = 256, top = 256, right = 0, bottom = 0;
		for (uint32_t y = 0; y < 256; y++)
			for (uint32_t x = 0; x < 256; x++)
				if (pixels[3 * (y * 256 + x)] > 128) {
					left = x < left ? x : left;
					top = y < top ? y : top;
					right = x + 1 > right ? x + 1 : right;
					bottom = y + 1 > bottom ? y + 1 : bottom;
				}
		assert_float_equal(((float)left - map.offset_x) / map.scale_x, 120, 1.5);
		assert_float_equal(((float)top - map.offset_y) / map.scale_y, 60, 1.5);
		assert_float_equal(((float)right - map.offset_x) / map.scale_x, 360, 1.5);
		assert_float_equal(((float)bottom - map.offset_y) / map.scale_y, 180, 1.5);
		free(pixels);
	}
	image_release(&image);
}

static void test_values_layouts_and_channel_orders(void **state)
{
	struct image image = sample_image(6, 4, 8);
	struct tensor_spec spec = plain_spec(6, 4);
	spec.sample = SAMPLE_FLOAT32;
	spec.scale = 1 / 255.0f;
	const float means[] = {0.485f, 0.456f, 0.406f}, stds[] = {0.229f, 0.224f, 0.225f};
	memcpy(spec.mean, means, sizeof(means));
	memcpy(spec.std, stds, sizeof(stds));
	for (int colour = COLOUR_RGB; colour <= COLOUR_BGR; colour++)
		for (int layout = LAYOUT_NCHW; layout <= LAYOUT_NHWC; layout++) {
			spec.colour = (enum colour)colour;
			spec.layout = (enum layout)layout;
			assert_int_equal(tensor_size(&spec), 6 * 4 * 3 * 4);
			float *out = filled(&image, &spec, NULL);
			for (unsigned c = 0; c < 3; c++)
				for (unsigned i = 0; i < 24; i++) {
					unsigned from = colour == COLOUR_RGB ? c : 2 - c;
					double expected =
						(image.pixels[3 * i + from] / 255.0 - means[c]) / stds[c];
					float value =
						layout == LAYOUT_NCHW ? out[c * 24 + i] : out[3 * i + c];
					assert_float_equal(value, expected, 1e-5);
				}
			free(out);
		}
	image_release(&image);
}

static void test_grey(void **state)
{
	struct image image = sample_image(16, 16, 8);
	struct tensor_spec spec = plain_spec(16, 16);
	spec.colour = COLOUR_GREY;
	assert_int_equal(tensor_channels(&spec), 1);
	assert_int_equal(tensor_size(&spec), 256);
	uint8_t *out = filled(&image, &spec, NULL);
	for (unsigned i = 0; i < 256; i++) {
		const uint8_t *p = image.pixels + 3 * i;
		assert_float_equal(out[i], 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2], 0.51);
	}
	free(out);
	image_release(&image);
}

static void test_padding_takes_scale_and_mean_too(void **state)
{
	struct image image = sample_image(8, 4, 8);
	for (int layout = LAYOUT_NCHW; layout <= LAYOUT_NHWC; layout++) {
		struct tensor_spec spec = plain_spec(8, 8);
		spec.fit = FIT_LETTERBOX;
		spec.sample = SAMPLE_FLOAT32;
		spec.layout = (enum layout)layout;
		for (unsigned c = 0; c < 3; c++) {
			spec.mean[c] = (float)c;
			spec.std[c] = 2;
		}
		float *out = filled(&image, &spec, NULL);
		for (unsigned c = 0; c < 3; c++)
			for (unsigned i = 0; i < 64; i++) {
				unsigned y = i / 8;
				float value = layout == LAYOUT_NCHW ? out[c * 64 + i] : out[3 * i + c];
				float pixel = y >= 2 && y < 6 ? image.pixels[3 * (i - 16) + c] : 114;
				assert_float_equal(value, (pixel - (float)c) / 2, 1e-5);
			}
		free(out);
	}
	image_release(&image);
}

/* By the definition of IEEE 754 binary16. */
static double half_value(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	double fraction = (bits & 1023) / 1024.0;
	double magnitude = exponent == 0    ? ldexp(fraction, -14)
			   : exponent == 31 ? INFINITY
					    : ldexp(1 + fraction, exponent - 15);
	return bits & 0x8000 ? -magnitude : magnitude;
}

static void test_float16_is_the_nearest_half(void **state)
{
	/* All pixel values; scales that give normal, subnormal, vanishing, overflowing, negative halves and
	 * ties. */
	uint8_t pixels[3 * 256];
	for (int i = 0; i < 3 * 256; i++)
		pixels[i] = (uint8_t)(i / 3);
	struct image image = {.width = 256, .height = 1, .pixels = pixels};
	const float scales[] = {1, 1 / 255.0f, 3e-7f, 1e-9f, 300, -0.01f, 16.0625f, 0x1p-25f, 0x1.004p0f};
	for (size_t s = 0; s < COUNT_OF(scales); s++) {
		struct tensor_spec spec = plain_spec(256, 1);
		spec.sample = SAMPLE_FLOAT16;
		spec.scale = scales[s];
		uint16_t *out = filled(&image, &spec, NULL);
		for (unsigned p = 0; p < 256; p++) {
			float value = (float)p * scales[s];
			uint16_t bits = out[3 * p];
			if (fabsf(value) >= 65520) {
				assert_int_equal(bits & 0x7fff, 0x7c00);
				continue;
			}
			double off = fabs(half_value(bits) - value);
			assert_true((bits & 0x8000) == 0 || scales[s] < 0);
			for (int step = -1; step <= 1; step += 2) {
				int other = (bits & 0x7fff) + step;
				if (other < 0 || other >= 0x7c00)
					continue;
				double other_off =
					fabs(fabs(half_value((uint16_t)other)) - fabs((double)value));
				assert_true(off < other_off || (off == other_off && (bits & 1) == 0));
			}
		}
		free(out);
	}
}

static void test_known_halves(void **state)
{
	/* numpy.float16 of p / 255. */
	const uint16_t halves[][2] = {{0, 0x0000}, {1, 0x1c04}, {114, 0x3727}, {128, 0x3804}, {255, 0x3c00}};
	uint8_t pixels[3];
	struct image image = {.width = 1, .height = 1, .pixels = pixels};
	struct tensor_spec spec = plain_spec(1, 1);
	spec.sample = SAMPLE_FLOAT16;
	spec.scale = 1 / 255.0f;
	for (size_t i = 0; i < COUNT_OF(halves); i++) {
		memset(pixels, halves[i][0], 3);
		uint16_t *out = filled(&image, &spec, NULL);
		assert_int_equal(out[2], halves[i][1]);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resize_equals_opencv_within_one_level),
		cmocka_unit_test(test_every_fit_samples_where_the_map_says),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_a_box_comes_back_to_where_it_was),
		cmocka_unit_test(test_values_layouts_and_channel_orders),
		cmocka_unit_test(test_grey),
		cmocka_unit_test(test_padding_takes_scale_and_mean_too),
		cmocka_unit_test(test_float16_is_the_nearest_half),
		cmocka_unit_test(test_known_halves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
