/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of an image's pixels: they tell a dark, flat or blurred camera from a good one. */
#include "vision/image.h"

#include <math.h>

#define SAMPLES_MAX 16384u
#define LEVELS 256u
#define DARK_MAX 5u     /* of 255: nothing can be told apart below it, */
#define BRIGHT_MIN 250u /* and from here on (metrics.md 8) */

static float luma(const uint8_t *rgb)
{
	return 0.299f * (float)rgb[0] + 0.587f * (float)rgb[1] + 0.114f * (float)rgb[2];
}

/* How many samples lie on a side when every step-th pixel is taken, from the middle of the first step. */
static uint64_t samples(uint32_t side, uint32_t step)
{
	return side > step / 2 ? (side - step / 2 - 1) / step + 1 : 0;
}

/* The difference to the mean of the four neighbours, times 4. */
static double laplacian(const struct image *image, uint32_t x, uint32_t y)
{
	size_t row = (size_t)3 * image->width;
	const uint8_t *pixel = image->pixels + y * row + (size_t)3 * x;
	return luma(pixel - 3) + luma(pixel + 3) + luma(pixel - row) + luma(pixel + row) - 4 * luma(pixel);
}

/* What the histogram of luma says. */
static void measure_levels(const uint64_t levels[LEVELS], uint64_t count, struct image_stats *out)
{
	double entropy = 0;
	uint64_t dark = 0, bright = 0;
	for (unsigned level = 0; level < LEVELS; level++) {
		double share = (double)levels[level] / (double)count;
		if (share > 0)
			entropy -= share * log2(share);
		dark += level <= DARK_MAX ? levels[level] : 0;
		bright += level >= BRIGHT_MIN ? levels[level] : 0;
	}
	out->entropy = (float)fmax(entropy, 0);
	out->dark = (float)((double)dark / (double)count);
	out->bright = (float)((double)bright / (double)count);
}

void image_measure(const struct image *image, struct image_stats *out)
{
	*out = (struct image_stats){0};
	uint32_t step = 1;
	while (samples(image->width, step) * samples(image->height, step) > SAMPLES_MAX)
		step++;
	double sums[3] = {0}, luma_sum = 0, luma_squares = 0, edge_sum = 0, edge_squares = 0;
	uint64_t count = 0, edge_count = 0, levels[LEVELS] = {0};
	for (uint32_t y = step / 2; y < image->height; y += step) {
		for (uint32_t x = step / 2; x < image->width; x += step) {
			const uint8_t *pixel = image->pixels + 3 * ((size_t)y * image->width + x);
			for (int c = 0; c < 3; c++)
				sums[c] += pixel[c];
			double l = luma(pixel);
			luma_sum += l;
			luma_squares += l * l;
			levels[(unsigned)(l + 0.5)]++;
			count++;
			if (x == 0 || y == 0 || x + 1 == image->width || y + 1 == image->height)
				continue;
			double edge = laplacian(image, x, y);
			edge_sum += edge;
			edge_squares += edge * edge;
			edge_count++;
		}
	}
	if (count == 0)
		return;
	measure_levels(levels, count, out);
	double n = (double)count, mean = luma_sum / n;
	out->brightness = (float)mean;
	out->contrast = (float)sqrt(fmax(luma_squares / n - mean * mean, 0));
	for (int c = 0; c < 3; c++)
		out->mean_rgb[c] = (float)(sums[c] / n);
	if (edge_count > 0) {
		double edges = (double)edge_count, edge_mean = edge_sum / edges;
		out->blur = (float)fmax(edge_squares / edges - edge_mean * edge_mean, 0);
	}
}

const char *image_stats_json(const struct image_stats *s, struct arena *a)
{
	return arena_printf(a,
		"{\"brightness\":%.3f,\"contrast\":%.3f,\"blur\":%.3f,\"mean_rgb\":[%.3f,%.3f,%.3f],"
		"\"entropy\":%.4f,\"dark\":%.4f,\"bright\":%.4f}",
		(double)s->brightness, (double)s->contrast, (double)s->blur, (double)s->mean_rgb[0],
		(double)s->mean_rgb[1], (double)s->mean_rgb[2], (double)s->entropy, (double)s->dark,
		(double)s->bright);
}
