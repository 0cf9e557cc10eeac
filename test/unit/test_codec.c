/* SPDX-License-Identifier: Apache-2.0 */
/* Each format: its kinds of pixels, and files cut at every byte, which must give all pixels or none. */
#include "vision/codec.h"

#include "image_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <spng.h>

static struct image decoded(struct span bytes)
{
	struct image image;
	struct err err = {0};
	if (image_decode(bytes, NULL, &image, &err) != ST_OK)
		fail_msg("%s", err.text);
	return image;
}

/* The largest difference of a sample. */
static int difference(const struct image *a, const struct image *b)
{
	assert_int_equal(a->width, b->width);
	assert_int_equal(a->height, b->height);
	int most = 0;
	for (size_t i = 0; i < (size_t)3 * a->width * a->height; i++)
		if (abs(a->pixels[i] - b->pixels[i]) > most)
			most = abs(a->pixels[i] - b->pixels[i]);
	return most;
}

/* Soft waves, which lossy formats keep well. */
static struct image soft_image(uint32_t width, uint32_t height)
{
	struct image image = sample_image(width, height, 1);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			for (uint32_t c = 0; c < 3; c++)
				image.pixels[3 * (y * width + x) + c] = (uint8_t)(30 + 2 * x + y + 20 * c);
	return image;
}

/* Whatever is cut off: the whole picture or a sentence, never a part of it. Returns the shortest cut that
 * decodes. */
static size_t assert_all_or_nothing(struct span bytes)
{
	struct image whole = decoded(bytes);
	size_t shortest = bytes.size;
	for (size_t size = bytes.size; size-- > 0;) {
		struct span cut = sample_cut(bytes, size);
		struct image image;
		struct image_info info;
		struct err err = {0};
		enum status st = image_decode(cut, NULL, &image, &err);
		if (st == ST_OK) {
			if (difference(&whole, &image) != 0)
				fail_msg("cut to %zu of %zu bytes it decodes to other pixels", size,
					bytes.size);
			assert_int_equal(image_inspect(cut, NULL, &info, &err), ST_OK);
			shortest = size;
		} else {
			assert_true(st == ST_UNPROCESSABLE || (st == ST_UNSUPPORTED && size < 12));
			assert_null(image.pixels);
			assert_int_equal(err.text[strlen(err.text) - 1], '.');
		}
		image_release(&image);
		sample_free(cut);
	}
	image_release(&whole);
	return shortest;
}

/* Any byte may be wrong: no crash, no endless work, and the size that inspect promised. */
static void assert_survives_wrong_bytes(struct span bytes)
{
	struct image_limits limits = {.pixels_max = 100000, .memory_bytes_max = 8 << 20};
	uint32_t random = 1;
	for (size_t i = 0; i < bytes.size; i++) {
		struct span wrong = sample_cut(bytes, bytes.size);
		((uint8_t *)(uintptr_t)wrong.data)[i] ^= (uint8_t)(sample_byte(&random) | 1);
		struct image image;
		struct image_info info;
		enum status inspected = image_inspect(wrong, &limits, &info, NULL);
		enum status st = image_decode(wrong, &limits, &image, NULL);
		assert_true(st != ST_INTERNAL);
		if (st == ST_OK) {
			assert_int_equal(inspected, ST_OK);
			assert_int_equal(info.width, image.width);
			assert_int_equal(info.height, image.height);
		}
		image_release(&image);
		sample_free(wrong);
	}
}

static void test_jpeg_kinds_decode_alike(void **state)
{
	struct image image = soft_image(50, 35);
	const struct jpeg_choice choices[] = {{0}, {.full_colour = true}, {.progressive = true},
		{.separate = true}, {.restart_rows = 1}, {.progressive = true, .restart_rows = 1}};
	for (size_t i = 0; i < COUNT_OF(choices); i++) {
		struct span jpeg = sample_jpeg(image.pixels, 50, 35, choices[i]);
		struct image back = decoded(jpeg);
		struct image_info info;
		assert_int_equal(image_inspect(jpeg, NULL, &info, NULL), ST_OK);
		assert_int_equal(info.format, IMAGE_JPEG);
		assert_int_equal(info.progressive, choices[i].progressive || choices[i].separate);
		assert_in_range(difference(&image, &back), 0, 12);
		image_release(&back);
		sample_free(jpeg);
	}
	image_release(&image);
}

static void test_jpeg_cut_anywhere(void **state)
{
	struct image image = soft_image(50, 35);
	const struct jpeg_choice choices[] = {
		{0}, {.progressive = true}, {.separate = true}, {.restart_rows = 1}};
	for (size_t i = 0; i < COUNT_OF(choices); i++) {
		struct span jpeg = sample_jpeg(image.pixels, 50, 35, choices[i]);
		/* Without the end marker, two bytes, all pixels are there. */
		assert_true(assert_all_or_nothing(jpeg) <= jpeg.size - 2);
		assert_survives_wrong_bytes(jpeg);
		sample_free(jpeg);
	}
	image_release(&image);
}

static void test_jpeg_with_a_scan_left_out(void **state)
{
	/* Red and green as grey: the end marker is there, and two of three components never came. */
	struct image image = soft_image(50, 35), none;
	struct span jpeg = sample_jpeg(image.pixels, 50, 35, (struct jpeg_choice){.separate = true});
	size_t first = sample_find(jpeg, "\xff\xda");
	size_t second =
		first + 2 + sample_find(span_of(jpeg.data + first + 2, jpeg.size - first - 2), "\xff\xda");
	struct span cut = sample_cut(jpeg, second);
	cut = sample_insert(cut, cut.size, "\xff\xd9", 2);
	struct err err = {0};
	assert_int_equal(image_decode(cut, NULL, &none, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "missing"));
	sample_free(cut);
	sample_free(jpeg);
	image_release(&image);
}

static void test_jpeg_with_a_hole_says_where(void **state)
{
	struct image image = sample_image(64, 64, 3), none;
	struct span jpeg = sample_jpeg(image.pixels, 64, 64, (struct jpeg_choice){.restart_rows = 1});
	/* A marker of another turn in place of the first of the row markers, and its row of blocks gone. */
	size_t one = sample_find(jpeg, "\xff\xd0"), two = sample_find(jpeg, "\xff\xd1");
	struct span cut = sample_cut(jpeg, one);
	cut = sample_insert(cut, cut.size, jpeg.data + two, jpeg.size - two);
	struct err err = {0};
	assert_int_equal(image_decode(cut, NULL, &none, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "damaged"));
	sample_free(cut);
	cut = sample_cut(jpeg, two); /* and one that ends after two of four rows of blocks */
	assert_int_equal(image_decode(cut, NULL, &none, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "of 64"));
	sample_free(cut);
	sample_free(jpeg);
	image_release(&image);
}

static void test_jpeg_with_extraneous_bytes(void **state)
{
	struct image image = soft_image(50, 35);
	struct span jpeg = sample_jpeg(image.pixels, 50, 35, (struct jpeg_choice){0});
	struct image clean = decoded(jpeg);
	jpeg = sample_insert(jpeg, jpeg.size - 2, "\x12\x34\x56", 3); /* some cameras do that */
	jpeg = sample_insert(jpeg, jpeg.size, "trailing", 8);
	struct image back = decoded(jpeg);
	assert_int_equal(difference(&clean, &back), 0);
	image_release(&back);
	image_release(&clean);
	image_release(&image);
	sample_free(jpeg);
}

static void test_jpeg_grey_and_cmyk(void **state)
{
	struct image image = soft_image(40, 24);
	uint8_t samples[40 * 24 * 4];
	for (size_t i = 0; i < 40 * 24; i++)
		samples[i] = image.pixels[3 * i];
	struct span jpeg = sample_jpeg(samples, 40, 24, (struct jpeg_choice){.components = 1});
	struct image back = decoded(jpeg);
	for (size_t i = 0; i < 40 * 24; i++) {
		assert_in_range(abs(back.pixels[3 * i] - samples[i]), 0, 6);
		assert_int_equal(back.pixels[3 * i], back.pixels[3 * i + 1]);
		assert_int_equal(back.pixels[3 * i], back.pixels[3 * i + 2]);
	}
	image_release(&back);
	sample_free(jpeg);

	/* Inverted, as Adobe's marker says: red is c * k / 255 with 255 for no ink. */
	for (size_t i = 0; i < 40 * 24; i++) {
		memcpy(samples + 4 * i, image.pixels + 3 * i, 3);
		samples[4 * i + 3] = 200;
	}
	jpeg = sample_jpeg(samples, 40, 24, (struct jpeg_choice){.components = 4});
	back = decoded(jpeg);
	for (size_t i = 0; i < 3 * 40 * 24; i++)
		assert_in_range(abs(back.pixels[i] - image.pixels[i] * 200 / 255), 0, 8);
	image_release(&back);
	/* The same file without that marker: 255 is all ink. */
	uint8_t *marker = (uint8_t *)(uintptr_t)jpeg.data + sample_find(jpeg, "\xff\xee");
	marker[1] = 0xe9;
	back = decoded(jpeg);
	for (size_t i = 0; i < 3 * 40 * 24; i++)
		assert_in_range(abs(back.pixels[i] - (255 - image.pixels[i]) * 55 / 255), 0, 8);
	image_release(&back);
	sample_free(jpeg);
	image_release(&image);
}

static void test_jpeg_kinds_that_are_not_read(void **state)
{
	struct image image = soft_image(16, 16), none;
	struct span jpeg = sample_jpeg(image.pixels, 16, 16, (struct jpeg_choice){0});
	uint8_t *frame = (uint8_t *)(uintptr_t)jpeg.data + sample_find(jpeg, "\xff\xc0");
	struct err err = {0};
	frame[4] = 12; /* bits a sample */
	assert_int_equal(image_decode(jpeg, NULL, &none, &err), ST_UNSUPPORTED);
	frame[4] = 8;
	frame[1] = 0xc3; /* lossless */
	assert_int_equal(image_decode(jpeg, NULL, &none, &err), ST_UNSUPPORTED);
	assert_non_null(strstr(err.text, "This JPEG"));
	sample_free(jpeg);
	image_release(&image);
}

/* A PNG of any kind from samples as stored. */
static struct span make_png(const void *samples, size_t size, struct spng_ihdr header,
	struct spng_plte *palette, struct spng_trns *transparent)
{
	spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
	assert_int_equal(spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1), 0);
	assert_int_equal(spng_set_ihdr(png, &header), 0);
	if (palette)
		assert_int_equal(spng_set_plte(png, palette), 0);
	if (transparent)
		assert_int_equal(spng_set_trns(png, transparent), 0);
	assert_int_equal(spng_encode_image(png, samples, size, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
	int code;
	size_t out_size;
	uint8_t *bytes = spng_get_png_buffer(png, &out_size, &code);
	spng_ctx_free(png);
	assert_non_null(bytes);
	return span_of(bytes, out_size);
}

static void assert_png_pixels(struct span png, const uint8_t *expected, size_t size)
{
	struct image image = decoded(png);
	assert_int_equal((size_t)3 * image.width * image.height, size);
	assert_memory_equal(image.pixels, expected, size);
	image_release(&image);
	sample_free(png);
}

static void test_png_kinds_become_rgb(void **state)
{
	struct spng_ihdr header = {
		.width = 2, .height = 2, .bit_depth = 8, .color_type = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA};
	const uint8_t rgba[] = {10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 200, 128, 255, 0, 0, 51};
	/* On white: c * a / 255 + 255 - a, rounded. */
	const uint8_t blended[] = {10, 20, 30, 255, 255, 255, 127, 177, 227, 255, 204, 204};
	assert_png_pixels(make_png(rgba, sizeof(rgba), header, NULL, NULL), blended, sizeof(blended));

	header.color_type = SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
	const uint8_t grey_alpha[] = {0, 255, 0, 0, 0, 128, 200, 51};
	const uint8_t greys[] = {0, 0, 0, 255, 255, 255, 127, 127, 127, 244, 244, 244};
	assert_png_pixels(make_png(grey_alpha, sizeof(grey_alpha), header, NULL, NULL), greys, sizeof(greys));

	header.color_type = SPNG_COLOR_TYPE_INDEXED;
	const uint8_t indices[] = {0, 1, 2, 0};
	struct spng_plte palette = {.n_entries = 3, .entries = {{1, 2, 3, 0}, {4, 5, 6, 0}, {7, 8, 9, 0}}};
	struct spng_trns transparent = {.n_type3_entries = 2, .type3_alpha = {255, 0}};
	const uint8_t from_palette[] = {1, 2, 3, 255, 255, 255, 7, 8, 9, 1, 2, 3};
	assert_png_pixels(
		make_png(indices, 4, header, &palette, &transparent), from_palette, sizeof(from_palette));

	header.color_type = SPNG_COLOR_TYPE_GRAYSCALE;
	header.bit_depth = 1;
	const uint8_t bits[] = {0x80, 0x40};
	struct spng_trns black = {.gray = 0};
	const uint8_t black_white[] = {255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255};
	const uint8_t all_white[] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	assert_png_pixels(make_png(bits, 2, header, NULL, NULL), black_white, sizeof(black_white));
	assert_png_pixels(make_png(bits, 2, header, NULL, &black), all_white, sizeof(all_white));

	header.bit_depth = 16;
	const uint16_t deep[] = {0x1234, 0xff00, 0x00ff, 0x8080};
	const uint8_t upper[] = {0x12, 0x12, 0x12, 0xff, 0xff, 0xff, 0, 0, 0, 0x80, 0x80, 0x80};
	assert_png_pixels(make_png(deep, sizeof(deep), header, NULL, NULL), upper, sizeof(upper));
}

static void test_png_interlaced(void **state)
{
	/* Every size up to 9x9, as small ones have empty passes; with and without alpha. */
	for (uint32_t size = 1; size <= 81; size++) {
		uint32_t width = (size - 1) % 9 + 1, height = (size - 1) / 9 + 1;
		struct image image = sample_image(width, height, size);
		struct spng_ihdr header = {.width = width,
			.height = height,
			.bit_depth = 8,
			.color_type = SPNG_COLOR_TYPE_TRUECOLOR,
			.interlace_method = SPNG_INTERLACE_ADAM7};
		size_t bytes = (size_t)3 * width * height;
		assert_png_pixels(make_png(image.pixels, bytes, header, NULL, NULL), image.pixels, bytes);

		uint8_t rgba[4 * 81];
		for (size_t i = 0; i < (size_t)width * height; i++) {
			memcpy(rgba + 4 * i, image.pixels + 3 * i, 3);
			rgba[4 * i + 3] = 255;
		}
		header.color_type = SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
		assert_png_pixels(
			make_png(rgba, (size_t)4 * width * height, header, NULL, NULL), image.pixels, bytes);
		image_release(&image);
	}
}

static void test_png_cut_anywhere(void **state)
{
	struct image image = soft_image(30, 20);
	for (uint8_t interlace = 0; interlace < 2; interlace++) {
		struct spng_ihdr header = {.width = 30,
			.height = 20,
			.bit_depth = 8,
			.color_type = SPNG_COLOR_TYPE_TRUECOLOR,
			.interlace_method = interlace};
		struct span png = make_png(image.pixels, 3 * 30 * 20, header, NULL, NULL);
		assert_true(
			assert_all_or_nothing(png) <= png.size - 12); /* without IEND all pixels are there */
		assert_survives_wrong_bytes(png);
		sample_free(png);
	}
	image_release(&image);
}

static void test_png_checksum_of_the_pixels_counts(void **state)
{
	struct image image = soft_image(30, 20), none;
	struct span png = sample_png(&image);
	uint8_t *bytes = (uint8_t *)(uintptr_t)png.data;
	bytes[png.size - 12 - 4] ^= 1; /* IDAT's, before the 12 bytes of IEND */
	struct err err = {0};
	assert_int_equal(image_decode(png, NULL, &none, &err), ST_UNPROCESSABLE);
	bytes[png.size - 12 - 4] ^= 1;
	struct image back = decoded(png);
	image_release(&back);
	sample_free(png);
	image_release(&image);
}

static void test_png_of_apple_is_named(void **state)
{
	struct image image = soft_image(4, 4), none;
	struct span png = sample_png(&image);
	uint8_t chunk[16];
	sample_chunk("CgBI", "\x50\0\x20\x02", 4, chunk);
	png = sample_insert(png, 8, chunk, sizeof(chunk));
	struct err err = {0};
	assert_int_equal(image_decode(png, NULL, &none, &err), ST_UNSUPPORTED);
	assert_non_null(strstr(err.text, "Apple"));
	sample_free(png);
	image_release(&image);
}

static void test_webp_kinds(void **state)
{
	struct image image = soft_image(45, 31);
	struct span webp = sample_webp(image.pixels, 45, 31, 3, -1);
	struct image back = decoded(webp);
	assert_int_equal(difference(&image, &back), 0);
	image_release(&back);
	sample_free(webp);
	webp = sample_webp(image.pixels, 45, 31, 3, 95);
	back = decoded(webp);
	assert_in_range(difference(&image, &back), 0, 20);
	image_release(&back);
	sample_free(webp);

	uint8_t rgba[45 * 31 * 4];
	for (size_t i = 0; i < 45 * 31; i++) {
		memcpy(rgba + 4 * i, image.pixels + 3 * i, 3);
		rgba[4 * i + 3] = (uint8_t)(i % 3 * 100);
	}
	for (float quality = -1; quality <= 99;
		quality += 100) { /* lossless; lossy, which keeps alpha exactly */
		webp = sample_webp(rgba, 45, 31, 4, quality);
		back = decoded(webp);
		for (size_t i = 0; i < 3 * 45 * 31; i++) {
			int alpha = rgba[i / 3 * 4 + 3],
			    expected = (image.pixels[i] * alpha + 255 * (255 - alpha) + 127) / 255;
			assert_in_range(abs(back.pixels[i] - expected), 0, quality < 0 ? 0 : 20);
		}
		image_release(&back);
		sample_free(webp);
	}
	image_release(&image);
}

static void test_webp_cut_anywhere(void **state)
{
	struct image image = soft_image(45, 31);
	for (float quality = -1; quality <= 79; quality += 80) {
		struct span webp = sample_webp(image.pixels, 45, 31, 3, quality);
		assert_all_or_nothing(webp);
		assert_survives_wrong_bytes(webp);
		sample_free(webp);
	}
	image_release(&image);
}

static void put_24(uint8_t *out, uint32_t value)
{
	out[0] = (uint8_t)value;
	out[1] = (uint8_t)(value >> 8);
	out[2] = (uint8_t)(value >> 16);
}

/* Add a frame (16 bytes of header, then the bitstream chunk of a still lossless WebP) at an even offset. */
static struct span add_frame(struct span webp, const struct image *image, uint32_t left, uint32_t top)
{
	struct span still = sample_webp(image->pixels, (int)image->width, (int)image->height, 3, -1);
	uint8_t head[24] = "ANMF";
	put_24(head + 4, (uint32_t)(16 + still.size - 12));
	put_24(head + 8, left / 2);
	put_24(head + 11, top / 2);
	put_24(head + 14, image->width - 1);
	put_24(head + 17, image->height - 1);
	put_24(head + 20, 100);
	webp = sample_insert(webp, webp.size, head, sizeof(head));
	webp = sample_insert(webp, webp.size, still.data + 12, still.size - 12);
	sample_free(still);
	put_24((uint8_t *)(uintptr_t)webp.data + 4, (uint32_t)webp.size - 8);
	return webp;
}

static void test_webp_animation_shows_its_first_frame(void **state)
{
	static const uint8_t head[] =
		"RIFF....WEBPVP8X\x0a\0\0\0\x02\0\0\0\x27\0\0\x1d\0\0ANIM\x06\0\0\0\0\0\0\0\0\0";
	struct span webp = sample_cut(span_of(head, 44), 44);
	struct image first = sample_image(16, 12, 1), second = sample_image(40, 30, 2);
	((uint8_t *)(uintptr_t)webp.data)[7] = 0;
	webp = add_frame(webp, &first, 8, 4);
	webp = add_frame(webp, &second, 0, 0);
	struct image image = decoded(webp);
	assert_int_equal(image.width, 40);
	assert_int_equal(image.height, 30);
	for (uint32_t y = 0; y < 30; y++)
		for (uint32_t x = 0; x < 40; x++)
			for (uint32_t c = 0; c < 3; c++) {
				bool inside = x >= 8 && x < 24 && y >= 4 && y < 16;
				int expected = inside ? first.pixels[3 * ((y - 4) * 16 + x - 8) + c] : 255;
				assert_int_equal(image.pixels[3 * (y * 40 + x) + c], expected);
			}
	image_release(&image);
	assert_survives_wrong_bytes(webp);
	assert_all_or_nothing(webp);
	image_release(&first);
	image_release(&second);
	sample_free(webp);
}

static void test_blending(void **state)
{
	const uint8_t rgba[] = {9, 8, 7, 255, 1, 2, 3, 0, 100, 200, 0, 51};
	uint8_t rgb[18] = {50, 50, 50, 1, 1, 1, 50, 50, 50, 1, 1, 1, 50, 100, 255, 1, 1, 1};
	const uint8_t expected[] = {9, 8, 7, 1, 1, 1, 50, 50, 50, 1, 1, 1, 60, 120, 204, 1, 1, 1};
	codec_blend(rgba, rgb, 3, 2); /* every second pixel */
	assert_memory_equal(rgb, expected, sizeof(expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blending),
		cmocka_unit_test(test_jpeg_kinds_decode_alike),
		cmocka_unit_test(test_jpeg_cut_anywhere),
		cmocka_unit_test(test_jpeg_with_a_scan_left_out),
		cmocka_unit_test(test_jpeg_with_a_hole_says_where),
		cmocka_unit_test(test_jpeg_with_extraneous_bytes),
		cmocka_unit_test(test_jpeg_grey_and_cmyk),
		cmocka_unit_test(test_jpeg_kinds_that_are_not_read),
		cmocka_unit_test(test_png_kinds_become_rgb),
		cmocka_unit_test(test_png_interlaced),
		cmocka_unit_test(test_png_cut_anywhere),
		cmocka_unit_test(test_png_checksum_of_the_pixels_counts),
		cmocka_unit_test(test_png_of_apple_is_named),
		cmocka_unit_test(test_webp_kinds),
		cmocka_unit_test(test_webp_cut_anywhere),
		cmocka_unit_test(test_webp_animation_shows_its_first_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
