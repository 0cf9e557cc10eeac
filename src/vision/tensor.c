/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image → model input. A row of the result is made in three steps: blend two image rows (whole rows of bytes,
 * vector code), take its columns with their neighbours (8-bit pixels come out, as from OpenCV), and write
 * them through a table of the 256 possible values, which holds scale, mean, std and the number format.
 */
#include "vision/tensor.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS_MAX 3
#define ROW_BITS 8     /* fraction bits of a blended row: 16 bits in all */
#define COLUMN_BITS 11 /* of a tap's weight, as many as OpenCV has */

/* Where one output coordinate comes from: a pixel and its right or lower neighbour, which has this weight in
 * 2048ths. */
struct tap {
	uint32_t first;
	int32_t weight;
};

/* One side of the model's input. */
struct axis {
	uint32_t start; /* the first coordinate that the image covers */
	uint32_t count; /* how many it covers: as many taps */
	struct tap *taps;
};

/* The value of each pixel 0…255 as the tensor stores it, one table a channel. */
union value_table {
	float f32[256];
	uint16_t f16[256];
	uint8_t u8[256];
};

/* How a side of the image maps to a side of the model. */
struct placing {
	uint32_t resized; /* the image's side after resizing */
	int32_t offset;   /* of the resized image in the model's input; negative: cropped */
};

unsigned tensor_channels(const struct tensor_spec *spec)
{
	return spec->colour == COLOUR_GREY ? 1 : 3;
}

static size_t sample_bytes(enum sample sample)
{
	switch (sample) {
	case SAMPLE_FLOAT32: return 4;
	case SAMPLE_FLOAT16: return 2;
	case SAMPLE_UINT8: break;
	}
	return 1;
}

size_t tensor_size(const struct tensor_spec *spec)
{
	return (size_t)spec->width * spec->height * tensor_channels(spec) * sample_bytes(spec->sample);
}

/* IEEE 754 binary16, rounded to nearest even. */
static uint16_t half_of(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
	float magnitude = fabsf(value);
	if (value != value)
		return sign | 0x7e00;
	if (magnitude >= 65520.0f)
		return sign | 0x7c00;
	/* One step of a half: 2^-24 below the normal range, else 2^-10 of the power of two below. rint rounds
	 * to even. */
	int exponent = magnitude < 0x1p-14f ? -14 : ilogbf(magnitude);
	uint32_t steps = (uint32_t)rintf(ldexpf(magnitude, 10 - exponent));
	uint32_t biased = magnitude < 0x1p-14f ? 0 : (uint32_t)(exponent + 14) << 10;
	return sign | (uint16_t)(biased + steps); /* a full count of steps carries into the exponent */
}

static void fill_values(const struct tensor_spec *spec, unsigned channel, union value_table *out)
{
	float mean = spec->mean[channel], std = spec->std[channel];
	CHECK(spec->sample == SAMPLE_UINT8 || std != 0);
	for (unsigned p = 0; p < 256; p++) {
		float value = spec->sample == SAMPLE_UINT8 ? 0 : ((float)p * spec->scale - mean) / std;
		switch (spec->sample) {
		case SAMPLE_FLOAT32: out->f32[p] = value; break;
		case SAMPLE_FLOAT16: out->f16[p] = half_of(value); break;
		case SAMPLE_UINT8: out->u8[p] = (uint8_t)p; break;
		}
	}
}

static uint32_t resized_side(uint32_t side, double ratio)
{
	double exact = round(side * ratio);
	return exact < 1 ? 1 : (uint32_t)exact;
}

static void place(
	const struct image *image, const struct tensor_spec *spec, struct placing *x, struct placing *y)
{
	double ratio_x = (double)spec->width / image->width, ratio_y = (double)spec->height / image->height;
	if (spec->fit == FIT_STRETCH) {
		*x = (struct placing){.resized = spec->width};
		*y = (struct placing){.resized = spec->height};
		return;
	}
	double ratio = spec->fit == FIT_LETTERBOX ? fmin(ratio_x, ratio_y) : fmax(ratio_x, ratio_y);
	x->resized = resized_side(image->width, ratio);
	y->resized = resized_side(image->height, ratio);
	bool centered = spec->fit == FIT_CENTER_CROP || spec->pad_at == PAD_CENTER;
	int64_t spare_x = (int64_t)spec->width - x->resized, spare_y = (int64_t)spec->height - y->resized;
	/* Half of it rounded towards zero: both pads and crops are the smaller half at the top left. */
	x->offset = centered ? (int32_t)(spare_x / 2) : 0;
	y->offset = centered ? (int32_t)(spare_y / 2) : 0;
}

static void axis_init(struct axis *a, uint32_t image_side, uint32_t model_side, struct placing p)
{
	a->start = p.offset > 0 ? (uint32_t)p.offset : 0;
	uint32_t skipped = p.offset < 0 ? (uint32_t) - (int64_t)p.offset : 0;
	a->count = p.resized - skipped;
	if (a->count > model_side - a->start)
		a->count = model_side - a->start;
	CHECK(a->count > 0);
	a->taps = malloc(a->count * sizeof(*a->taps));
	CHECK(a->taps != NULL);
	double step = (double)image_side / p.resized;
	for (uint32_t i = 0; i < a->count; i++) {
		float at = (float)((skipped + i + 0.5) * step - 0.5);
		float whole = floorf(at);
		if (whole < 0)
			a->taps[i] = (struct tap){0};
		else if (whole >= (float)image_side - 1)
			a->taps[i] = (struct tap){.first = image_side - 1};
		else
			a->taps[i] = (struct tap){.first = (uint32_t)whole,
				.weight = (int32_t)lrintf((at - whole) * (1 << COLUMN_BITS))};
	}
}

/*
 * Two image rows, with weights of 256 in all, so that the sum fits 16 bits. Blocks of constant length, which
 * compilers turn into vector code.
 */
#define BLOCK 32u
static void blend_rows(const uint8_t *restrict above, const uint8_t *restrict below, unsigned weight_below,
	uint16_t *restrict out, size_t count)
{
	const uint16_t w_above = (uint16_t)(256 - weight_below), w_below = (uint16_t)weight_below;
	size_t whole = count - count % BLOCK;
	for (size_t i = 0; i < whole; i += BLOCK)
		for (size_t j = 0; j < BLOCK; j++)
			out[i + j] = (uint16_t)(above[i + j] * w_above + below[i + j] * w_below);
	for (size_t i = whole; i < count; i++)
		out[i] = (uint16_t)(above[i] * w_above + below[i] * w_below);
}

/* The pixels of one output row, a plane a channel. */
static void take_columns(const uint16_t *restrict row, const struct tap *restrict taps, uint32_t count,
	uint8_t *restrict red, uint8_t *restrict green, uint8_t *restrict blue)
{
	const int bits = ROW_BITS + COLUMN_BITS, half = 1 << (bits - 1);
	for (uint32_t x = 0; x < count; x++) {
		const uint16_t *p = row + (size_t)3 * taps[x].first;
		const int w = taps[x].weight;
		red[x] = (uint8_t)(((p[0] << COLUMN_BITS) + (p[3] - p[0]) * w + half) >> bits);
		green[x] = (uint8_t)(((p[1] << COLUMN_BITS) + (p[4] - p[1]) * w + half) >> bits);
		blue[x] = (uint8_t)(((p[2] << COLUMN_BITS) + (p[5] - p[2]) * w + half) >> bits);
	}
}

/* ITU-R BT.601 in 14 bits, as OpenCV. */
static void to_grey(
	const uint8_t *red, const uint8_t *green, const uint8_t *blue, uint8_t *out, uint32_t count)
{
	for (uint32_t x = 0; x < count; x++)
		out[x] = (uint8_t)((red[x] * 4899 + green[x] * 9617 + blue[x] * 1868 + 8192) >> 14);
}

/* Write one row of one channel; step: distance of two pixels of it in the tensor. */
static void put_row(const struct tensor_spec *spec, const union value_table *values, const uint8_t *row,
	void *out, size_t first, size_t step)
{
	switch (spec->sample) {
	case SAMPLE_FLOAT32:
		for (uint32_t x = 0; x < spec->width; x++)
			((float *)out)[first + x * step] = values->f32[row[x]];
		break;
	case SAMPLE_FLOAT16:
		for (uint32_t x = 0; x < spec->width; x++)
			((uint16_t *)out)[first + x * step] = values->f16[row[x]];
		break;
	case SAMPLE_UINT8:
		for (uint32_t x = 0; x < spec->width; x++)
			((uint8_t *)out)[first + x * step] = row[x];
		break;
	}
}

/* What filling needs besides image and spec. */
struct work {
	struct axis x, y;
	uint16_t *blended;             /* an image row, and its last pixel once more as its own neighbour */
	uint8_t *planes[CHANNELS_MAX]; /* a model row: red, green, blue */
	uint8_t *grey;
	union value_table values[CHANNELS_MAX];
};

static void work_init(struct work *w, const struct image *image, const struct tensor_spec *spec,
	struct placing x, struct placing y)
{
	axis_init(&w->x, image->width, spec->width, x);
	axis_init(&w->y, image->height, spec->height, y);
	w->blended = malloc(((size_t)image->width + 1) * 3 * sizeof(*w->blended));
	w->planes[0] = malloc((size_t)4 * spec->width);
	CHECK(w->blended != NULL && w->planes[0] != NULL);
	w->planes[1] = w->planes[0] + spec->width;
	w->planes[2] = w->planes[1] + spec->width;
	w->grey = w->planes[2] + spec->width;
	for (unsigned c = 0; c < tensor_channels(spec); c++)
		fill_values(spec, c, &w->values[c]);
}

static void work_release(struct work *w)
{
	free(w->x.taps);
	free(w->y.taps);
	free(w->blended);
	free(w->planes[0]);
}

static void resize_row(const struct image *image, struct work *w, uint32_t i)
{
	size_t row_samples = (size_t)3 * image->width;
	const struct tap *tap = &w->y.taps[i];
	uint32_t next = tap->first + 1 < image->height ? tap->first + 1 : tap->first;
	unsigned weight =
		(unsigned)(tap->weight + (1 << (COLUMN_BITS - ROW_BITS - 1))) >> (COLUMN_BITS - ROW_BITS);
	blend_rows(image->pixels + tap->first * row_samples, image->pixels + next * row_samples, weight,
		w->blended, row_samples);
	memcpy(w->blended + row_samples, w->blended + row_samples - 3, 3 * sizeof(*w->blended));
	take_columns(w->blended, w->x.taps, w->x.count, w->planes[0] + w->x.start, w->planes[1] + w->x.start,
		w->planes[2] + w->x.start);
}

/* Write planes as row y of the tensor, channels in the model's order. */
static void emit_row(const struct tensor_spec *spec, struct work *w, uint32_t y, void *out)
{
	unsigned channels = tensor_channels(spec);
	if (spec->colour == COLOUR_GREY)
		to_grey(w->planes[0], w->planes[1], w->planes[2], w->grey, spec->width);
	for (unsigned c = 0; c < channels; c++) {
		const uint8_t *row = spec->colour == COLOUR_GREY  ? w->grey
				     : spec->colour == COLOUR_BGR ? w->planes[2 - c]
								  : w->planes[c];
		bool planar = spec->layout == LAYOUT_NCHW;
		size_t first = planar ? ((size_t)c * spec->height + y) * spec->width
				      : (size_t)y * spec->width * channels + c;
		put_row(spec, &w->values[c], row, out, first, planar ? 1 : channels);
	}
}

/* Rows of padding: one is written, the others are copies of it. */
static void pad_rows(const struct tensor_spec *spec, struct work *w, uint32_t from, uint32_t to, uint8_t *out)
{
	if (from >= to)
		return;
	memset(w->planes[0], spec->pad_value, (size_t)3 * spec->width);
	emit_row(spec, w, from, out);
	bool planar = spec->layout == LAYOUT_NCHW;
	size_t planes = planar ? tensor_channels(spec) : 1;
	size_t row_bytes = tensor_size(spec) / planes / spec->height;
	for (size_t p = 0; p < planes; p++) {
		uint8_t *first = out + (p * spec->height + from) * row_bytes;
		for (uint32_t row = 1; row < to - from; row++)
			memcpy(first + row * row_bytes, first, row_bytes);
	}
}

void tensor_fill(const struct image *image, const struct tensor_spec *spec, void *out, struct tensor_map *map)
{
	CHECK(image->width > 0 && image->height > 0 && spec->width > 0 && spec->height > 0);
	struct placing x, y;
	place(image, spec, &x, &y);
	*map = (struct tensor_map){
		.scale_x = (float)((double)x.resized / image->width),
		.scale_y = (float)((double)y.resized / image->height),
		.offset_x = (float)x.offset,
		.offset_y = (float)y.offset,
		.image_width = image->width,
		.image_height = image->height,
	};
	struct work w;
	work_init(&w, image, spec, x, y);
	pad_rows(spec, &w, 0, w.y.start, out);
	memset(w.planes[0], spec->pad_value, (size_t)3 * spec->width); /* left and right of the image */
	for (uint32_t i = 0; i < w.y.count; i++) {
		resize_row(image, &w, i);
		emit_row(spec, &w, w.y.start + i, out);
	}
	pad_rows(spec, &w, w.y.start + w.y.count, spec->height, out);
	work_release(&w);
}
