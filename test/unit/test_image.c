/* SPDX-License-Identifier: Apache-2.0 */
/* Images as a whole: bombs and limits first (they watch the peak of memory), then pixels against other
 * programs. */
#include "image_samples.h"
#include "os/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <cmocka.h>

#include <spng.h>

static long peak_kib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* Refused by inspect and by decode with this status and word, in 50 ms of CPU and 8 MiB of memory. */
static void assert_bomb_refused(struct span bytes, enum status status, const char *word)
{
	struct image_info info;
	struct image image;
	struct err err = {0};
	long before_kib = peak_kib();
	int64_t start_us = clock_thread_cpu_us();
	assert_int_equal(image_inspect(bytes, NULL, &info, &err), status);
	assert_int_equal(image_decode(bytes, NULL, &image, &err), status);
	assert_true(clock_thread_cpu_us() - start_us < 50000);
	assert_true(peak_kib() - before_kib < 8192);
	assert_null(image.pixels);
	assert_non_null(strstr(err.text, word));
	assert_int_equal(err.text[strlen(err.text) - 1], '.');
}

static void test_png_bomb(void **state)
{
	const uint32_t side = 16000;
	spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
	struct spng_ihdr header = {.width = side, .height = side, .bit_depth = 1};
	assert_int_equal(spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1), 0);
	assert_int_equal(spng_set_option(png, SPNG_IMG_COMPRESSION_LEVEL, 1), 0);
	assert_int_equal(spng_set_ihdr(png, &header), 0);
	assert_int_equal(
		spng_encode_image(png, NULL, 0, SPNG_FMT_PNG, SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE),
		0);
	uint8_t row[2000] = {0};
	int code = 0;
	while (code == 0)
		code = spng_encode_row(png, row, sizeof(row));
	assert_int_equal(code, SPNG_EOI);
	size_t size;
	uint8_t *bytes = spng_get_png_buffer(png, &size, &code);
	spng_ctx_free(png);
	assert_true(size < 1000000);
	assert_bomb_refused(span_of(bytes, size), ST_TOO_LARGE, "256.0 million");
	free(bytes);
}

/* Write another size into the frame header: the data stays as small as it was. */
static void set_jpeg_size(struct span jpeg, const char marker[2], unsigned width, unsigned height)
{
	uint8_t *frame = (uint8_t *)(uintptr_t)jpeg.data + sample_find(jpeg, marker);
	frame[5] = (uint8_t)(height >> 8);
	frame[6] = (uint8_t)height;
	frame[7] = (uint8_t)(width >> 8);
	frame[8] = (uint8_t)width;
}

static void test_progressive_jpeg_bombs(void **state)
{
	struct image image = sample_image(64, 64, 3);
	struct span jpeg = sample_jpeg(
		image.pixels, 64, 64, (struct jpeg_choice){.progressive = true, .full_colour = true});
	image_release(&image);
	set_jpeg_size(jpeg, "\xff\xc2", 12000, 12000);
	assert_bomb_refused(jpeg, ST_TOO_LARGE, "144.0 million");
	/* Under the limit of pixels, but 3 * 2 bytes of coefficients a pixel are 280 MiB. */
	set_jpeg_size(jpeg, "\xff\xc2", 7000, 7000);
	assert_bomb_refused(jpeg, ST_TOO_LARGE, "280 MiB");
	set_jpeg_size(jpeg, "\xff\xc2", 65500, 10);
	assert_bomb_refused(jpeg, ST_TOO_LARGE, "16384");
	set_jpeg_size(jpeg, "\xff\xc2", 64, 0);
	assert_bomb_refused(jpeg, ST_UNPROCESSABLE, "JPEG");
	sample_free(jpeg);
}

static void test_webp_bomb(void **state)
{
	/* Lossless, 16383 x 16383 (14 bits each, less 1), 40 bytes. */
	uint8_t webp[40] = "RIFF\x20\0\0\0WEBPVP8L\x14\0\0\0\x2f";
	uint32_t sizes = 16382u | 16382u << 14;
	for (int i = 0; i < 4; i++)
		webp[21 + i] = (uint8_t)(sizes >> 8 * i);
	assert_bomb_refused(span_of(webp, sizeof(webp)), ST_TOO_LARGE, "16383x16383");
	/* 7000 x 7000 with alpha: few enough pixels, but 8 bytes for each on the way. */
	sizes = 6999u | 6999u << 14 | 1u << 28;
	for (int i = 0; i < 4; i++)
		webp[21 + i] = (uint8_t)(sizes >> 8 * i);
	assert_bomb_refused(span_of(webp, sizeof(webp)), ST_TOO_LARGE, "374 MiB");
}

static void test_scan_bomb(void **state)
{
	struct image image = sample_image(32, 32, 3);
	struct span jpeg = sample_jpeg(image.pixels, 32, 32, (struct jpeg_choice){.progressive = true});
	/* The first scan, a hundred times more: its data alone makes no harm. */
	size_t start = sample_find(jpeg, "\xff\xda");
	size_t end =
		start + 2 + sample_find(span_of(jpeg.data + start + 2, jpeg.size - start - 2), "\xff\xc4");
	struct span scan = sample_cut(span_of(jpeg.data + start, end - start), end - start);
	for (int i = 0; i < 100; i++)
		jpeg = sample_insert(jpeg, end, scan.data, scan.size);
	struct err err = {0};
	struct image decoded;
	assert_int_equal(image_decode(jpeg, NULL, &decoded, &err), ST_TOO_LARGE);
	assert_non_null(strstr(err.text, "scans"));
	sample_free(scan);
	sample_free(jpeg);
	image_release(&image);
}

static void test_metadata_bomb(void **state)
{
	/* 64 MiB of text in 64 KB, where 8 MiB are allowed. */
	struct image image = sample_image(4, 4, 3);
	const size_t length = 64 << 20;
	char *words = malloc(length + 1);
	assert_non_null(words);
	memset(words, 'a', length);
	words[length] = 0;
	spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
	struct spng_ihdr header = {
		.width = 4, .height = 4, .bit_depth = 8, .color_type = SPNG_COLOR_TYPE_TRUECOLOR};
	struct spng_text text = {.keyword = "Comment", .type = SPNG_ZTXT, .length = length, .text = words};
	assert_int_equal(spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1), 0);
	assert_int_equal(spng_set_option(png, SPNG_TEXT_COMPRESSION_LEVEL, 1), 0);
	assert_int_equal(spng_set_ihdr(png, &header), 0);
	assert_int_equal(spng_set_text(png, &text, 1), 0);
	assert_int_equal(spng_encode_image(png, image.pixels, 48, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
	int code;
	size_t size;
	uint8_t *bytes = spng_get_png_buffer(png, &size, &code);
	spng_ctx_free(png);
	free(words);

	struct image_limits limits = {.pixels_max = 100, .memory_bytes_max = 32 << 20};
	struct image decoded;
	struct err err = {0};
	assert_int_equal(image_decode(span_of(bytes, size), &limits, &decoded, &err), ST_TOO_LARGE);
	assert_non_null(strstr(err.text, "metadata"));
	free(bytes);
	image_release(&image);
}

static void test_limits_of_the_caller(void **state)
{
	struct image image = sample_image(40, 30, 3), decoded;
	struct span png = sample_png(&image);
	struct image_info info;
	struct err err = {0};
	struct image_limits limits = {.pixels_max = 1200, .memory_bytes_max = 1 << 20};
	assert_int_equal(image_inspect(png, &limits, &info, &err), ST_OK);
	limits.pixels_max = 1199;
	assert_int_equal(image_inspect(png, &limits, &info, &err), ST_TOO_LARGE);
	assert_int_equal(info.width, 0);
	assert_int_equal(image_decode(png, &limits, &decoded, &err), ST_TOO_LARGE);
	sample_free(png);
	image_release(&image);
}

static void assert_refused(struct span bytes, enum status status, const char *words)
{
	struct image_info info;
	struct image image;
	struct err err = {0};
	assert_int_equal(image_inspect(bytes, NULL, &info, &err), status);
	assert_non_null(strstr(err.text, words));
	assert_int_equal(image_decode(bytes, NULL, &image, NULL), status);
}

static void test_other_formats_are_named(void **state)
{
	const char *reads = "; gyre reads JPEG, PNG and WebP.";
	const struct {
		const char *bytes;
		size_t size;
		const char *name;
	} cases[] = {
		{"II*\0....", 8, "This is a TIFF image"},
		{"GIF89a", 6, "This is a GIF image"},
		{"BM......", 8, "This is a BMP image"},
		{"\0\0\0\x1c"
		 "ftypavif",
			12, "This is an AVIF image"},
		{"\0\0\0\x1c"
		 "ftypisom",
			12, "This is an MP4 or QuickTime video"},
		{"RIFF....AVI ", 12, "This is an AVI video"},
		{"%PDF-1.7", 8, "This is a PDF document"},
		{"hello", 5, "This is no image in a format known here"},
		{"G", 1, "This is no image in a format known here"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span exact = sample_cut(span_of(cases[i].bytes, cases[i].size), cases[i].size);
		assert_refused(exact, ST_UNSUPPORTED, cases[i].name);
		assert_refused(exact, ST_UNSUPPORTED, reads);
		sample_free(exact);
	}
	assert_refused(span_of(NULL, 0), ST_UNPROCESSABLE, "empty");
	assert_string_equal(image_format_name(IMAGE_WEBP), "WebP");
	assert_string_equal(image_format_content_type(IMAGE_JPEG), "image/jpeg");
	assert_string_equal(image_format_name(IMAGE_UNKNOWN), "unknown");
}

/* The letters of a 3x2 image stored as "abc" over "def", as EXIF's orientations show it. */
static void test_orientations_show_what_exif_says(void **state)
{
	static const struct {
		unsigned width;
		const char *shown;
	} cases[] = {{3, "abcdef"}, {3, "cbafed"}, {3, "fedcba"}, {3, "defabc"}, {2, "adbecf"}, {2, "daebfc"},
		{2, "fcebda"}, {2, "cfbead"}};
	uint8_t pixels[18];
	for (int i = 0; i < 18; i++)
		pixels[i] = (uint8_t)("abcdef"[i / 3] + i % 3);
	struct image stored = {.width = 3, .height = 2, .pixels = pixels};
	for (uint8_t orientation = 1; orientation <= 8; orientation++) {
		struct span png = sample_png(&stored);
		uint8_t block[] = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0\0\0",
			chunk[12 + sizeof(block)];
		block[18] = orientation;
		sample_chunk("eXIf", block, sizeof(block), chunk);
		png = sample_insert(png, 33, chunk, sizeof(chunk));
		struct image image;
		struct image_info info;
		assert_int_equal(image_decode(png, NULL, &image, NULL), ST_OK);
		assert_int_equal(image_inspect(png, NULL, &info, NULL), ST_OK);
		assert_int_equal(info.orientation, orientation);
		assert_int_equal(image.width, cases[orientation - 1].width);
		assert_int_equal(info.width, image.width);
		assert_int_equal(info.height, image.height);
		for (int i = 0; i < 18; i++)
			assert_int_equal(image.pixels[i], cases[orientation - 1].shown[i / 3] + i % 3);
		image_release(&image);
		sample_free(png);
	}
}

/* Larger than the tiles in which pixels are moved: turning back must give the stored image. */
static void test_orientations_of_larger_images_undo_each_other(void **state)
{
	static const uint8_t undo[] = {0, 1, 2, 3, 4, 5, 8, 7, 6};
	struct image original = sample_image(101, 67, 9);
	for (uint8_t orientation = 1; orientation <= 8; orientation++) {
		struct image turned = original;
		for (int turn = 0; turn < 2; turn++) {
			struct span png = sample_png(&turned);
			uint8_t block[] = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0",
				chunk[12 + sizeof(block)];
			block[19] = turn == 0 ? orientation : undo[orientation];
			sample_chunk("eXIf", block, sizeof(block), chunk);
			png = sample_insert(png, 33, chunk, sizeof(chunk));
			struct image next;
			assert_int_equal(image_decode(png, NULL, &next, NULL), ST_OK);
			sample_free(png);
			if (turn == 1)
				image_release(&turned);
			turned = next;
		}
		assert_int_equal(turned.width, 101);
		assert_memory_equal(turned.pixels, original.pixels, 3 * 101 * 67);
		image_release(&turned);
	}
	image_release(&original);
}

/* One line of test/golden/image_pixels.tsv against our decoder; Pillow rounds like us, but another libjpeg
 * may not. */
static void compare_with_golden(const char *line, const char *folder)
{
	char path[256], grid[64];
	unsigned width, height;
	float means[3];
	assert_int_equal(sscanf(line, "%255s %u %u %f %f %f %63s", path, &width, &height, &means[0],
				 &means[1], &means[2], grid),
		7);
	struct span bytes = sample_read(folder, path);
	struct image image;
	struct err err = {0};
	if (image_decode(bytes, NULL, &image, &err) != ST_OK)
		fail_msg("%s: %s", path, err.text);
	if (image.width != width || image.height != height)
		fail_msg("%s is %ux%u, not %ux%u", path, image.width, image.height, width, height);
	double sums[3] = {0};
	for (size_t i = 0; i < (size_t)3 * width * height; i++)
		sums[i % 3] += image.pixels[i];
	for (int c = 0; c < 3; c++)
		if (fabs(sums[c] / ((double)width * height) - means[c]) > 0.1)
			fail_msg("%s: channel %d has the mean %f, not %f", path, c,
				sums[c] / ((double)width * height), (double)means[c]);
	for (unsigned i = 0; i < 27; i++) {
		unsigned expected, x = (2 * (i / 3 % 3) + 1) * width / 6, y = (2 * (i / 9) + 1) * height / 6;
		assert_int_equal(sscanf(grid + 2 * i, "%2x", &expected), 1);
		int value = image.pixels[3 * (y * width + x) + i % 3];
		if (abs(value - (int)expected) > 2)
			fail_msg("%s: sample %u is %d, not %u", path, i, value, expected);
	}
	image_release(&image);
	sample_free(bytes);
}

static void test_real_images_have_the_pixels_that_pillow_sees(void **state)
{
	const char *folder = sample_data_folder();
	struct span probe = sample_read(folder, "img_variants_pillow/hopper.jpg");
	struct span golden = sample_read("test/golden", "image_pixels.tsv");
	if (probe.size == 0 || golden.size == 0) {
		print_message("skipped: no real images in %s (set GYRE_TEST_DATA)\n", folder);
		sample_free(probe);
		sample_free(golden);
		skip();
	}
	unsigned compared = 0;
	char line[512];
	for (size_t at = 0; sample_line(golden, &at, line, sizeof(line));) {
		if (line[0] == '#')
			continue;
		compare_with_golden(line, folder);
		compared++;
	}
	assert_true(compared > 150);
	sample_free(probe);
	sample_free(golden);
}

/* What must become of each broken file, by its name; the rest are formats that are not read here. */
static enum status status_of_malformed(const char *name)
{
	static const struct {
		const char *name;
		enum status status;
	} known[] = {
		{"broken.png", ST_UNPROCESSABLE}, {"broken_data_stream.png", ST_UNPROCESSABLE},
		{"truncated_image.png", ST_UNPROCESSABLE},
		{"broken_exif_dpi.jpg", ST_OK},     /* only metadata is broken */
		{"truncated_app14.jpg", ST_OK},     /* likewise */
		{"truncated_exif_dpi.jpg", ST_OK},  /* likewise */
		{"truncated_end_chunk.png", ST_OK}, /* all pixels are there */
		{"truncated_jpeg.jpg", ST_OK},      /* likewise: 8 bytes after the last row are missing */
	};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].status;
	return ST_UNSUPPORTED;
}

static void test_malformed_files_get_a_clear_answer(void **state)
{
	struct span manifest = sample_read(sample_data_folder(), "img_malformed/MANIFEST.tsv");
	if (manifest.size == 0) {
		print_message("skipped: no real images in %s (set GYRE_TEST_DATA)\n", sample_data_folder());
		sample_free(manifest);
		skip();
	}
	unsigned seen = 0;
	char line[512];
	for (size_t at = 0; sample_line(manifest, &at, line, sizeof(line));) {
		char name[256], path[300];
		assert_int_equal(sscanf(line, "%255s", name), 1);
		if (strcmp(name, "path") == 0)
			continue;
		snprintf(path, sizeof(path), "img_malformed/%s", name);
		struct span bytes = sample_read(sample_data_folder(), path);
		struct image image;
		struct err err = {0};
		enum status st = image_decode(bytes, NULL, &image, &err);
		if (st != status_of_malformed(name))
			fail_msg("%s: %s %s", name, status_name(st), err.text);
		assert_true(st == ST_OK || strlen(err.text) > 20);
		image_release(&image);
		sample_free(bytes);
		seen++;
	}
	assert_true(seen >= 30);
	sample_free(manifest);
}

/* Numbers by numpy on the same bytes: L = 0.299 R + 0.587 G + 0.114 B, L.mean(), L.std(), the variance of the
 * Laplacian. */
static void test_measures_equal_numpy(void **state)
{
	struct image image = sample_image(50, 40, 5);
	struct image_stats stats;
	image_measure(&image, &stats);
	assert_float_equal(stats.brightness, 126.536140, 0.001);
	assert_float_equal(stats.contrast, 48.719017, 0.001);
	assert_float_equal(stats.blur, 46020.8441, 0.5);
	assert_float_equal(stats.mean_rgb[0], 126.647, 0.001);
	assert_float_equal(stats.mean_rgb[1], 125.9935, 0.001);
	assert_float_equal(stats.mean_rgb[2], 129.0395, 0.001);
	image_release(&image);
}

/* Grey steps: what their entropy is, and how many are dark or bright, follows from counting. */
static void test_measures_of_levels(void **state)
{
	uint8_t pixels[3 * 256];
	struct image ramp = {.width = 256, .height = 1, .pixels = pixels};
	struct image_stats stats;
	for (unsigned i = 0; i < 256; i++)
		memset(pixels + (size_t)3 * i, (int)i, 3);
	image_measure(&ramp, &stats);
	assert_float_equal(stats.entropy, 8, 1e-5);
	assert_float_equal(stats.dark, 6.0 / 256, 1e-6);
	assert_float_equal(stats.bright, 6.0 / 256, 1e-6);
	for (unsigned i = 0; i < 256; i++)
		memset(pixels + (size_t)3 * i, i % 4 ? 255 : 0, 3);
	image_measure(&ramp, &stats);
	assert_float_equal(stats.entropy, 0.811278, 1e-5);
	assert_float_equal(stats.dark, 0.25, 1e-6);
	assert_float_equal(stats.bright, 0.75, 1e-6);
}

static void test_measures_of_flat_and_large_images(void **state)
{
	const uint32_t sizes[][2] = {{1, 1}, {2, 3}, {16384, 5}, {5, 16384}, {1500, 1100}};
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct image image = {.width = sizes[i][0], .height = sizes[i][1]};
		size_t bytes = (size_t)3 * image.width * image.height;
		image.pixels = malloc(bytes);
		assert_non_null(image.pixels);
		memset(image.pixels, 77, bytes);
		struct image_stats stats;
		image_measure(&image, &stats);
		assert_float_equal(stats.brightness, 77, 0.01);
		assert_float_equal(stats.mean_rgb[2], 77, 0.001);
		assert_float_equal(stats.contrast, 0, 0.05);
		assert_float_equal(stats.blur, 0, 0.001);
		assert_float_equal(stats.entropy, 0, 1e-6);
		assert_float_equal(stats.dark + stats.bright, 0, 1e-6);
		image_release(&image);
	}
	/* A sample of a large image says the same as all of it: noise has a luma deviation of 73.6 * |(.299,
	 * .587, .114)|. */
	struct image noise = sample_image(2000, 1500, 4);
	struct image_stats stats;
	image_measure(&noise, &stats);
	assert_float_equal(stats.brightness, 127.5, 2);
	assert_float_equal(stats.contrast, 49.4, 1.5);
	assert_float_equal(stats.blur, 20 * 49.4 * 49.4, 2500);
	image_release(&noise);
}

static void test_png_round_trip(void **state)
{
	struct image image = sample_image(37, 21, 6), back;
	struct span png = sample_png(&image);
	struct image_info info;
	assert_int_equal(image_inspect(png, NULL, &info, NULL), ST_OK);
	assert_int_equal(info.format, IMAGE_PNG);
	assert_int_equal(info.orientation, 1);
	assert_false(info.progressive);
	assert_int_equal(image_decode(png, NULL, &back, NULL), ST_OK);
	assert_int_equal(back.width, 37);
	assert_int_equal(back.height, 21);
	assert_memory_equal(back.pixels, image.pixels, 3 * 37 * 21);
	sample_free(png);
	image_release(&image);
	image_release(&back);
	assert_null(back.pixels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_png_bomb),
		cmocka_unit_test(test_progressive_jpeg_bombs),
		cmocka_unit_test(test_webp_bomb),
		cmocka_unit_test(test_scan_bomb),
		cmocka_unit_test(test_metadata_bomb),
		cmocka_unit_test(test_limits_of_the_caller),
		cmocka_unit_test(test_other_formats_are_named),
		cmocka_unit_test(test_orientations_show_what_exif_says),
		cmocka_unit_test(test_orientations_of_larger_images_undo_each_other),
		cmocka_unit_test(test_real_images_have_the_pixels_that_pillow_sees),
		cmocka_unit_test(test_malformed_files_get_a_clear_answer),
		cmocka_unit_test(test_measures_equal_numpy),
		cmocka_unit_test(test_measures_of_levels),
		cmocka_unit_test(test_measures_of_flat_and_large_images),
		cmocka_unit_test(test_png_round_trip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
