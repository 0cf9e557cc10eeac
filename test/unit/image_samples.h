/* SPDX-License-Identifier: Apache-2.0 */
/* Images made for tests: pixels, and files of each format around them. What is malloced the caller frees. */
#ifndef GYRE_TEST_IMAGE_SAMPLES_H
#define GYRE_TEST_IMAGE_SAMPLES_H

#include "base/check.h"
#include "vision/image.h"

#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>
#include <webp/encode.h>

/* The next byte of a fixed sequence, the same as in test/golden/resize_opencv.py. */
static inline uint8_t sample_byte(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (uint8_t)(*state >> 24);
}

static inline struct image sample_image(uint32_t width, uint32_t height, uint32_t seed)
{
	struct image image = {.width = width, .height = height, .pixels = malloc((size_t)3 * width * height)};
	CHECK(image.pixels != NULL);
	for (size_t i = 0; i < (size_t)3 * width * height; i++)
		image.pixels[i] = sample_byte(&seed);
	return image;
}

/* A copy without a spare byte after it, so that AddressSanitizer sees every read past the end. */
static inline struct span sample_cut(struct span bytes, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	CHECK(copy != NULL && size <= bytes.size);
	if (size > 0)
		memcpy(copy, bytes.data, size);
	return span_of(copy, size);
}

/* The bytes with others put in at an offset; `bytes` is freed. */
static inline struct span sample_insert(struct span bytes, size_t at, const void *others, size_t size)
{
	uint8_t *out = malloc(bytes.size + size);
	CHECK(out != NULL && at <= bytes.size);
	memcpy(out, bytes.data, at);
	memcpy(out + at, others, size);
	memcpy(out + at + size, bytes.data + at, bytes.size - at);
	free((void *)(uintptr_t)bytes.data);
	return span_of(out, bytes.size + size);
}

static inline void sample_free(struct span bytes)
{
	free((void *)(uintptr_t)bytes.data);
}

static inline uint32_t sample_crc(const uint8_t *bytes, size_t size)
{
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* A PNG chunk into out (12 + size bytes). */
static inline void sample_chunk(const char *type, const void *data, uint32_t size, uint8_t *out)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(size >> (24 - 8 * i));
	memcpy(out + 4, type, 4);
	if (size > 0)
		memcpy(out + 8, data, size);
	uint32_t crc = sample_crc(out + 4, size + 4);
	for (int i = 0; i < 4; i++)
		out[8 + size + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static inline struct span sample_png(const struct image *image)
{
	uint8_t *bytes = NULL;
	size_t size = 0;
	CHECK(image_encode_png(image, &bytes, &size, NULL) == ST_OK);
	return span_of(bytes, size);
}

struct jpeg_choice {
	int components;   /* 1 grey, 3 (the default when 0) YCbCr, 4 CMYK with Adobe's marker */
	bool full_colour; /* no subsampling */
	bool progressive;
	bool separate;         /* sequential, but one scan a component */
	unsigned restart_rows; /* a restart marker after so many rows of blocks; 0: none */
	int quality;           /* 1…100; 0: 95 */
};

/* samples: components bytes a pixel. */
static inline struct span sample_jpeg(
	const uint8_t *samples, uint32_t width, uint32_t height, struct jpeg_choice choice)
{
	static const jpeg_scan_info separate[] = {
		{.comps_in_scan = 1, .component_index = {0}, .Ss = 0, .Se = 63},
		{.comps_in_scan = 1, .component_index = {1}, .Ss = 0, .Se = 63},
		{.comps_in_scan = 1, .component_index = {2}, .Ss = 0, .Se = 63},
	};
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	unsigned char *bytes = NULL;
	unsigned long size = 0;
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &bytes, &size);
	jpeg.image_width = width;
	jpeg.image_height = height;
	jpeg.input_components = choice.components ? choice.components : 3;
	jpeg.in_color_space = choice.components == 1   ? JCS_GRAYSCALE
			      : choice.components == 4 ? JCS_CMYK
						       : JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, choice.quality ? choice.quality : 95, TRUE);
	if (choice.full_colour)
		jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
	if (choice.progressive)
		jpeg_simple_progression(&jpeg);
	if (choice.separate) {
		jpeg.scan_info = separate;
		jpeg.num_scans = COUNT_OF(separate);
	}
	jpeg.restart_in_rows = (int)choice.restart_rows;
	jpeg_start_compress(&jpeg, TRUE);
	for (uint32_t y = 0; y < height; y++) {
		JSAMPROW row =
			(JSAMPROW)(uintptr_t)samples + (size_t)y * width * (size_t)jpeg.input_components;
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	struct span out = sample_cut(span_of(bytes, size), size);
	free(bytes);
	return out;
}

/* quality 0…100, or negative for lossless; channels 3 or 4. */
static inline struct span sample_webp(
	const uint8_t *samples, int width, int height, int channels, float quality)
{
	uint8_t *bytes = NULL;
	size_t size;
	if (quality < 0)
		size = channels == 3 ? WebPEncodeLosslessRGB(samples, width, height, 3 * width, &bytes)
				     : WebPEncodeLosslessRGBA(samples, width, height, 4 * width, &bytes);
	else
		size = channels == 3 ? WebPEncodeRGB(samples, width, height, 3 * width, quality, &bytes)
				     : WebPEncodeRGBA(samples, width, height, 4 * width, quality, &bytes);
	CHECK(size > 0);
	struct span out = sample_cut(span_of(bytes, size), size);
	WebPFree(bytes);
	return out;
}

/* The first place of a marker of two bytes; fatal when there is none. */
static inline size_t sample_find(struct span bytes, const char marker[2])
{
	for (size_t i = 0; i + 1 < bytes.size; i++)
		if (memcmp(bytes.data + i, marker, 2) == 0)
			return i;
	CHECK(!"the marker is there");
	return 0;
}

/* A file of the real test data or of the checkout, found from wherever the test was started; size 0 when
 * there is none. */
static inline struct span sample_read(const char *folder, const char *path)
{
	const char *roots[] = {"", "../", "../../", "../../../"};
	for (size_t i = 0; i < COUNT_OF(roots); i++) {
		char name[1024];
		snprintf(name, sizeof(name), "%s%s/%s", folder[0] == '/' ? "" : roots[i], folder, path);
		FILE *file = fopen(name, "rb");
		if (file == NULL)
			continue;
		fseek(file, 0, SEEK_END);
		long size = ftell(file);
		rewind(file);
		uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
		CHECK(bytes != NULL && size >= 0 && fread(bytes, 1, (size_t)size, file) == (size_t)size);
		fclose(file);
		return span_of(bytes, (size_t)size);
	}
	return span_of(NULL, 0);
}

/* The next line of a text into line, without its end; false when there is none. *at starts at 0. */
static inline bool sample_line(struct span text, size_t *at, char *line, size_t room)
{
	if (*at >= text.size)
		return false;
	const uint8_t *start = text.data + *at, *end = memchr(start, '\n', text.size - *at);
	size_t size = end ? (size_t)(end - start) : text.size - *at;
	CHECK(size < room);
	memcpy(line, start, size);
	line[size] = 0;
	*at += size + 1;
	return true;
}

/* The folder of real images and models that others made. */
static inline const char *sample_data_folder(void)
{
	const char *folder = getenv("GYRE_TEST_DATA");
	return folder ? folder : "../shared/data";
}

#endif
