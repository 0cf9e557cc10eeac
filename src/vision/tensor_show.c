/* SPDX-License-Identifier: Apache-2.0 */
/* The way back from a model's input to a picture, for people who want to see what the model sees. */
#include "vision/tensor.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* IEEE 754 binary16, exactly. */
static float half_value(uint16_t half)
{
	int exponent = half >> 10 & 0x1f;
	float fraction = (float)(half & 0x3ff), value;
	if (exponent == 0x1f)
		value = fraction == 0 ? INFINITY : NAN;
	else if (exponent == 0)
		value = ldexpf(fraction, -24);
	else
		value = ldexpf(1024 + fraction, exponent - 25);
	return half & 0x8000 ? -value : value;
}

static float sample_at(const void *tensor, enum sample sample, size_t i)
{
	switch (sample) {
	case SAMPLE_FLOAT32: return ((const float *)tensor)[i];
	case SAMPLE_FLOAT16: return half_value(((const uint16_t *)tensor)[i]);
	case SAMPLE_UINT8: break;
	}
	return ((const uint8_t *)tensor)[i];
}

/* The pixel value that tensor_fill made this of. */
static uint8_t pixel_of(const struct tensor_spec *spec, unsigned channel, float value)
{
	double pixel = value;
	if (spec->sample != SAMPLE_UINT8)
		pixel = ((double)value * spec->std[channel] + spec->mean[channel]) / spec->scale;
	if (!(pixel > 0)) /* NaN too */
		return 0;
	return pixel < 255 ? (uint8_t)lrint(pixel) : 255;
}

void tensor_show(const struct tensor_spec *spec, const void *tensor, struct image *out)
{
	unsigned channels = tensor_channels(spec);
	size_t count = (size_t)spec->width * spec->height;
	CHECK(count > 0 && (spec->sample == SAMPLE_UINT8 || spec->scale != 0));
	uint8_t *pixels = malloc(3 * count);
	CHECK(pixels != NULL);
	bool planar = spec->layout == LAYOUT_NCHW;
	for (unsigned c = 0; c < channels; c++) {
		unsigned place = spec->colour == COLOUR_BGR ? 2 - c : c;
		size_t first = planar ? c * count : c, step = planar ? 1 : channels;
		for (size_t i = 0; i < count; i++)
			pixels[3 * i + place] =
				pixel_of(spec, c, sample_at(tensor, spec->sample, first + i * step));
	}
	for (size_t i = 0; channels == 1 && i < count; i++)
		pixels[3 * i + 1] = pixels[3 * i + 2] = pixels[3 * i];
	*out = (struct image){.width = spec->width, .height = spec->height, .pixels = pixels};
}
