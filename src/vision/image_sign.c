/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part is searched in the whole by normalised cross-correlation over all places and the sizes from half to
 * all: first at 16 x 16, then around what is best there at 32 x 32. What decides is the correlation of luma
 * and, as large smooth areas correlate by chance, that of its gradient.
 */
#include "vision/image_sign.h"

#include <math.h>
#include <string.h>

#define SIDE IMAGE_SIGN_SIDE
#define HALF (SIDE / 2)
#define SAMPLES 4        /* a cell, along each side */
#define LUMA_MIN 0.85F   /* correlations of what is alike: docs/internals/bursts.md has the figures */
#define EDGES_MIN 0.70F  /* … */
#define COARSE_MIN 0.75F /* below: not worth a closer look */
#define CLOSER 3         /* sizes that are looked at closely */
#define FLAT 6.0F        /* standard deviation of luma, of 255 */
#define PART_MIN 6       /* cells that a part is wide and high at 32 x 32 */

static float luma_at(const struct image *image, uint32_t x, uint32_t y)
{
	const uint8_t *rgb = image->pixels + 3 * ((size_t)y * image->width + x);
	return 0.299F * (float)rgb[0] + 0.587F * (float)rgb[1] + 0.114F * (float)rgb[2];
}

/* The pixel in the middle of the i-th of n equal parts of a side. */
static uint32_t middle(uint32_t i, uint32_t n, uint32_t side)
{
	return (uint32_t)((2 * (uint64_t)i + 1) * side / (2 * (uint64_t)n));
}

void image_sign_make(const struct image *image, struct image_sign *out)
{
	*out = (struct image_sign){.width = image->width, .height = image->height};
	if (image->width == 0 || image->height == 0)
		return;
	uint32_t columns[SIDE * SAMPLES];
	for (uint32_t i = 0; i < SIDE * SAMPLES; i++)
		columns[i] = middle(i, SIDE * SAMPLES, image->width);
	for (uint32_t row = 0; row < SIDE; row++) {
		float sums[SIDE] = {0};
		for (uint32_t j = 0; j < SAMPLES; j++) {
			uint32_t y = middle(row * SAMPLES + j, SIDE * SAMPLES, image->height);
			for (uint32_t i = 0; i < SIDE * SAMPLES; i++)
				sums[i / SAMPLES] += luma_at(image, columns[i], y);
		}
		for (uint32_t x = 0; x < SIDE; x++)
			out->luma[row * SIDE + x] = (uint8_t)(sums[x] / (SAMPLES * SAMPLES) + 0.5F);
	}
}

uint64_t image_sign_hash(const struct image_sign *s)
{
	uint64_t hash = 0;
	for (unsigned row = 0; row < 8; row++) {
		unsigned sums[9] = {0}, counts[9] = {0};
		for (unsigned x = 0; x < SIDE; x++) {
			unsigned column = x * 9 / SIDE;
			for (unsigned y = row * SIDE / 8; y < (row + 1) * SIDE / 8; y++)
				sums[column] += s->luma[y * SIDE + x];
			counts[column]++;
		}
		for (unsigned i = 0; i < 8; i++)
			hash = hash << 1 | (sums[i + 1] * counts[i] > sums[i] * counts[i + 1]);
	}
	return hash;
}

unsigned image_sign_distance(uint64_t a, uint64_t b)
{
	return (unsigned)__builtin_popcountll(a ^ b);
}

static void sum_up(struct image_look *look)
{
	for (int y = 0; y < SIDE; y++) {
		int32_t sum = 0;
		for (int x = 0; x < SIDE; x++) {
			sum += look->sign.luma[y * SIDE + x];
			look->fine_sums[y + 1][x + 1] = look->fine_sums[y][x + 1] + sum;
		}
	}
	for (int y = 0; y < HALF; y++) {
		int32_t sum = 0, squares = 0;
		for (int x = 0; x < HALF; x++) {
			int32_t value = look->coarse[y][x];
			sum += value;
			squares += value * value;
			look->sums[y + 1][x + 1] = look->sums[y][x + 1] + sum;
			look->squares[y + 1][x + 1] = look->squares[y][x + 1] + squares;
		}
	}
}

void image_look_make(const struct image_sign *sign, struct image_look *out)
{
	memset(out, 0, sizeof(*out));
	out->sign = *sign;
	out->hash = image_sign_hash(sign);
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++)
			out->fine[y][x] = sign->luma[y * SIDE + x];
	for (int y = 0; y < HALF; y++)
		for (int x = 0; x < HALF; x++) {
			const uint8_t *above = sign->luma + 2 * (y * SIDE + x), *below = above + SIDE;
			out->coarse[y][x] = (int16_t)((above[0] + above[1] + below[0] + below[1] + 2) / 4);
		}
	sum_up(out);
}

/* ---- a part, shrunk to the size at which it would stand in the whole ---- */

struct part {
	int width, height;
	float values[SIDE][SIDE]; /* less their mean */
	float norm;               /* square root of the sum of their squares */
};

/* How n values become fewer: each of the new ones covers an equal share of the old ones. */
struct shrinking {
	float weights[SIDE][SIDE];
	int first[SIDE], last[SIDE];
};

static void plan_shrinking(int to, struct shrinking *s)
{
	float step = (float)SIDE / (float)to;
	for (int i = 0; i < to; i++) {
		float low = (float)i * step, high = low + step;
		s->first[i] = (int)low;
		s->last[i] = (int)ceilf(high) - 1;
		if (s->last[i] > SIDE - 1)
			s->last[i] = SIDE - 1;
		for (int k = s->first[i]; k <= s->last[i]; k++)
			s->weights[i][k] = (fminf(high, (float)k + 1) - fmaxf(low, (float)k)) / step;
	}
}

static void center(struct part *p)
{
	float sum = 0, squares = 0;
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++)
			sum += p->values[y][x];
	float mean = sum / (float)(p->width * p->height);
	for (int y = 0; y < p->height; y++)
		for (int x = 0; x < p->width; x++) {
			p->values[y][x] -= mean;
			squares += p->values[y][x] * p->values[y][x];
		}
	p->norm = sqrtf(squares);
}

static void shrink(const float *values, int width, int height, struct part *out)
{
	struct shrinking across, down;
	float rows[SIDE][SIDE] = {{0}};
	plan_shrinking(width, &across);
	plan_shrinking(height, &down);
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < width; x++)
			for (int k = across.first[x]; k <= across.last[x]; k++)
				rows[y][x] += across.weights[x][k] * values[y * SIDE + k];
	out->width = width;
	out->height = height;
	for (int y = 0; y < height; y++) {
		memset(out->values[y], 0, sizeof(out->values[y]));
		for (int k = down.first[y]; k <= down.last[y]; k++)
			for (int x = 0; x < width; x++)
				out->values[y][x] += down.weights[y][k] * rows[k][x];
	}
	center(out);
}

/* ---- its place in the whole ---- */

/* 0 where either is nearly one colour. */
static float correlation(const struct part *part, const float *whole, int x0, int y0)
{
	float sum = 0, squares = 0, products = 0, n = (float)(part->width * part->height);
	for (int y = 0; y < part->height; y++) {
		const float *row = whole + (y0 + y) * SIDE + x0;
		for (int x = 0; x < part->width; x++) {
			sum += row[x];
			squares += row[x] * row[x];
			products += row[x] * part->values[y][x];
		}
	}
	float variance = squares / n - sum / n * (sum / n);
	if (variance < FLAT * FLAT || part->norm < FLAT * sqrtf(n))
		return 0;
	return products / (part->norm * sqrtf(variance * n));
}

/* Of the differences to the right and down, at the place of a part. */
static float edge_correlation(const struct part *part, const float *whole, int x0, int y0)
{
	float products = 0, parts = 0, wholes = 0;
	for (int y = 0; y < part->height; y++) {
		const float *row = whole + (y0 + y) * SIDE + x0;
		for (int x = 0; x + 1 < part->width; x++) {
			float a = part->values[y][x + 1] - part->values[y][x], b = row[x + 1] - row[x];
			products += a * b;
			parts += a * a;
			wholes += b * b;
		}
		for (int x = 0; y + 1 < part->height && x < part->width; x++) {
			float a = part->values[y + 1][x] - part->values[y][x], b = row[x + SIDE] - row[x];
			products += a * b;
			parts += a * a;
			wholes += b * b;
		}
	}
	return parts > 0 && wholes > 0 ? products / sqrtf(parts * wholes) : 0;
}

/* Cells that a part takes of the whole's sides when its longer share is `share` of `side`. */
static void part_size(
	const struct image_look *part, const struct image_look *whole, int share, int *width, int *height)
{
	float x = (float)part->sign.width / (float)whole->sign.width;
	float y = (float)part->sign.height / (float)whole->sign.height, most = fmaxf(x, y);
	*width = (int)lrintf((float)share * x / most);
	*height = (int)lrintf((float)share * y / most);
}

struct place {
	float luma;
	int share, x, y;
};

/* The best place of those around a coarse one. */
static bool is_there(
	const struct image_look *part, const struct image_look *whole, const struct place *coarse)
{
	struct part p, best_part = {0};
	struct place best = {0};
	int width, height;
	for (int share = 2 * coarse->share - 1; share <= 2 * coarse->share + 1 && share <= SIDE; share++) {
		part_size(part, whole, share, &width, &height);
		if (width < PART_MIN || height < PART_MIN)
			continue;
		shrink(&part->fine[0][0], width, height, &p);
		for (int y = 2 * coarse->y - 2; y <= 2 * coarse->y + 2; y++)
			for (int x = 2 * coarse->x - 2; x <= 2 * coarse->x + 2; x++) {
				if (x < 0 || y < 0 || x + width > SIDE || y + height > SIDE)
					continue;
				float luma = correlation(&p, &whole->fine[0][0], x, y);
				if (luma <= best.luma)
					continue;
				best = (struct place){luma, share, x, y};
				best_part = p;
			}
	}
	return best.luma >= LUMA_MIN &&
	       edge_correlation(&best_part, &whole->fine[0][0], best.x, best.y) >= EDGES_MIN;
}

/* The same in whole numbers, with zeros to the right, so that a processor takes a row at once. */
struct coarse_part {
	int width, height;
	int16_t values[HALF][HALF];
	int32_t sum;
	float norm;
};

/* Each value is the mean of whole cells of the 32 x 32, which is near enough for a first look. */
static void shrink_coarse(const struct image_look *look, int width, int height, struct coarse_part *out)
{
	int32_t sum = 0, squares = 0, count = width * height;
	memset(out, 0, sizeof(*out));
	out->width = width;
	out->height = height;
	for (int y = 0; y < height; y++) {
		int top = y * SIDE / height, bottom = (y + 1) * SIDE / height;
		const int32_t *above = look->fine_sums[top], *below = look->fine_sums[bottom];
		for (int x = 0; x < width; x++) {
			int left = x * SIDE / width, right = (x + 1) * SIDE / width;
			int32_t cells = (bottom - top) * (right - left);
			int32_t value = (below[right] - below[left] - above[right] + above[left]) / cells;
			out->values[y][x] = (int16_t)value;
			sum += value;
			squares += value * value;
		}
	}
	out->sum = sum;
	float mean = (float)sum / (float)count;
	out->norm = sqrtf(fmaxf((float)squares - mean * (float)sum, 0));
}

static int32_t of_window(const int32_t sums[HALF + 1][HALF + 1], int x, int y, int width, int height)
{
	return sums[y + height][x + width] - sums[y][x + width] - sums[y + height][x] + sums[y][x];
}

static float coarse_correlation(const struct coarse_part *p, const struct image_look *whole, int x, int y)
{
	int32_t products = 0;
	for (int row = 0; row < p->height; row++) {
		const int16_t *a = p->values[row], *b = &whole->coarse[y + row][x];
		for (int i = 0; i < HALF; i++)
			products += a[i] * b[i];
	}
	float n = (float)(p->width * p->height);
	float mean = (float)of_window(whole->sums, x, y, p->width, p->height) / n;
	float variance = (float)of_window(whole->squares, x, y, p->width, p->height) / n - mean * mean;
	if (variance < FLAT * FLAT || p->norm < FLAT * sqrtf(n))
		return 0;
	return ((float)products - mean * (float)p->sum) / (p->norm * sqrtf(variance * n));
}

static struct place best_coarse(const struct image_look *part, const struct image_look *whole, int share)
{
	struct place best = {0};
	struct coarse_part p;
	int width, height;
	part_size(part, whole, share, &width, &height);
	if (width < PART_MIN / 2 || height < PART_MIN / 2)
		return best;
	shrink_coarse(part, width, height, &p);
	for (int y = 0; y + height <= HALF; y++)
		for (int x = 0; x + width <= HALF; x++) {
			float luma = coarse_correlation(&p, whole, x, y);
			if (luma > best.luma)
				best = (struct place){luma, share, x, y};
		}
	return best;
}

/* The sizes at which it fits best are looked at closely. */
static bool is_part(const struct image_look *part, const struct image_look *whole)
{
	struct place best[CLOSER] = {0};
	for (int share = HALF; share >= HALF / 2; share--) {
		struct place place = best_coarse(part, whole, share);
		for (int i = 0; i < CLOSER; i++)
			if (place.luma > best[i].luma) {
				struct place before = best[i];
				best[i] = place;
				place = before;
			}
	}
	for (int i = 0; i < CLOSER; i++)
		if (best[i].luma >= COARSE_MIN && is_there(part, whole, &best[i]))
			return true;
	return false;
}

bool image_look_alike(const struct image_look *a, const struct image_look *b)
{
	if (a->sign.width == 0 || b->sign.width == 0)
		return false;
	return is_part(a, b) || is_part(b, a);
}
