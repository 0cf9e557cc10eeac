/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long decoding an image and filling a tensor takes. Run by hand: bench_vision [image files]; without
 * files on a 1920x1080 picture made here. Prints the least and the median CPU time of 30 rounds, in
 * milliseconds.
 */
#include "base/check.h"
#include "vision/box.h"
#include "vision/image.h"
#include "vision/tensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jpeglib.h>
#include <webp/encode.h>

#define ROUNDS 30

static double cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void report(const char *what, double *ms)
{
	qsort(ms, ROUNDS, sizeof(*ms), ascending);
	printf("%-44s %8.3f %8.3f\n", what, ms[0], ms[ROUNDS / 2]);
}

/* Waves with a little noise: as hard to compress as a photo. */
static struct image make_picture(uint32_t width, uint32_t height)
{
	struct image image = {.width = width, .height = height, .pixels = malloc((size_t)3 * width * height)};
	CHECK(image.pixels != NULL);
	uint32_t noise = 1;
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++)
			for (uint32_t c = 0; c < 3; c++) {
				noise = noise * 1664525u + 1013904223u;
				double wave = sin(x / (17.0 + c)) + cos(y / 23.0) + sin((x + y) / 5.0) / 4;
				image.pixels[3 * ((size_t)y * width + x) + c] =
					(uint8_t)(127 + 50 * wave + (noise >> 28));
			}
	return image;
}

static struct span encode_jpeg(const struct image *image)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	unsigned char *bytes = NULL;
	unsigned long size = 0;
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &bytes, &size);
	jpeg.image_width = image->width;
	jpeg.image_height = image->height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 80, TRUE);
	jpeg_start_compress(&jpeg, TRUE);
	for (uint32_t y = 0; y < image->height; y++) {
		JSAMPROW row = image->pixels + (size_t)3 * image->width * y;
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	return span_of(bytes, size);
}

static struct image bench_decode(const char *name, struct span bytes)
{
	double inspect_ms[ROUNDS], decode_ms[ROUNDS];
	struct image image = {0};
	struct image_info info;
	struct err err;
	for (int i = 0; i < ROUNDS; i++) {
		image_release(&image);
		double start = cpu_ms();
		if (image_inspect(bytes, NULL, &info, &err) != ST_OK) {
			printf("%s: %s\n", name, err.text);
			return image;
		}
		double inspected = cpu_ms();
		if (image_decode(bytes, NULL, &image, &err) != ST_OK) {
			printf("%s: %s\n", name, err.text);
			return image;
		}
		inspect_ms[i] = inspected - start;
		decode_ms[i] = cpu_ms() - inspected;
	}
	char what[160];
	snprintf(what, sizeof(what), "inspect %s %zu KB", name, bytes.size / 1000);
	report(what, inspect_ms);
	snprintf(what, sizeof(what), "decode  %s %ux%u", name, image.width, image.height);
	report(what, decode_ms);
	return image;
}

static void bench_tensor(const struct image *image, const char *what, struct tensor_spec spec)
{
	double ms[ROUNDS];
	void *tensor = malloc(tensor_size(&spec));
	struct tensor_map map;
	CHECK(tensor != NULL);
	for (int i = 0; i < ROUNDS; i++) {
		double start = cpu_ms();
		tensor_fill(image, &spec, tensor, &map);
		ms[i] = cpu_ms() - start;
	}
	report(what, ms);
	free(tensor);
}

static void bench_image(const struct image *image)
{
	struct tensor_spec spec = {
		.width = 640, .height = 640, .pad_value = 114, .scale = 1.0f / 255, .std = {1, 1, 1}};
	bench_tensor(image, "tensor  640x640 letterbox NCHW float32", spec);
	spec.layout = LAYOUT_NHWC;
	bench_tensor(image, "tensor  640x640 letterbox NHWC float32", spec);
	spec.sample = SAMPLE_UINT8;
	bench_tensor(image, "tensor  640x640 letterbox NHWC uint8", spec);
	spec.sample = SAMPLE_FLOAT16;
	spec.layout = LAYOUT_NCHW;
	spec.fit = FIT_STRETCH;
	bench_tensor(image, "tensor  640x640 stretch NCHW float16", spec);
	double ms[ROUNDS];
	struct image_stats stats;
	for (int i = 0; i < ROUNDS; i++) {
		double start = cpu_ms();
		image_measure(image, &stats);
		ms[i] = cpu_ms() - start;
	}
	report("measure", ms);
}

/* Boxes that hardly overlap are the slow case: every candidate is compared with all that stay. */
static void bench_nms(size_t count, size_t keep_max, float side)
{
	double ms[ROUNDS];
	struct candidate *candidates = malloc(count * sizeof(*candidates));
	CHECK(candidates != NULL);
	size_t kept = 0;
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t noise = 1;
		for (size_t k = 0; k < count; k++) {
			float x = (float)((noise = noise * 1664525u + 1013904223u) >> 16) / 64;
			float y = (float)((noise = noise * 1664525u + 1013904223u) >> 16) / 64;
			candidates[k] = (struct candidate){.box = {x, y, x + side, y + side},
				.score = (float)((noise = noise * 1664525u + 1013904223u) >> 8),
				.label = (int32_t)(k % 80)};
		}
		double start = cpu_ms();
		kept = box_nms(candidates, count, 0.5f, keep_max);
		ms[i] = cpu_ms() - start;
	}
	char what[80];
	snprintf(what, sizeof(what), "nms     %zu boxes of %.0f, %zu stay", count, (double)side, kept);
	report(what, ms);
	free(candidates);
}

static void bench_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return;
	}
	const size_t room = 64 << 20;
	uint8_t *bytes = malloc(room);
	CHECK(bytes != NULL);
	size_t size = fread(bytes, 1, room, file);
	fclose(file);
	struct image image = bench_decode(path, span_of(bytes, size));
	if (image.pixels != NULL)
		bench_image(&image);
	image_release(&image);
	free(bytes);
}

static void bench_made(void)
{
	struct image image = make_picture(1920, 1080);
	struct span jpeg = encode_jpeg(&image);
	uint8_t *png = NULL, *webp = NULL;
	size_t png_size = 0;
	struct err err;
	CHECK(image_encode_png(&image, &png, &png_size, &err) == ST_OK);
	size_t webp_size = WebPEncodeRGB(image.pixels, 1920, 1080, 3 * 1920, 75, &webp);
	struct image decoded[] = {
		bench_decode("made.jpg", jpeg),
		bench_decode("made.png", span_of(png, png_size)),
		bench_decode("made.webp", span_of(webp, webp_size)),
	};
	bench_image(&image);
	for (size_t i = 0; i < COUNT_OF(decoded); i++)
		image_release(&decoded[i]);
	image_release(&image);
	free((void *)(uintptr_t)jpeg.data);
	free(png);
	WebPFree(webp);
}

int main(int count, char **arguments)
{
	printf("%-44s %8s %8s\n", "CPU ms", "least", "median");
	if (count == 1)
		bench_made();
	for (int i = 1; i < count; i++)
		bench_file(arguments[i]);
	bench_nms(10000, 300, 40);
	bench_nms(10000, 10000, 40);
	bench_nms(10000, 10000, 2);
	return 0;
}
