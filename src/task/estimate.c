/* SPDX-License-Identifier: Apache-2.0 */
#include "task/estimate.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Z 1.959963984540054 /* 95 % of a normal distribution are within so many standard deviations */
#define REPLICATES_MAX 200
#define REPLICATES_MIN 50
#define RECORDS_TOGETHER 4000000 /* of all replicates: what a page may cost */

/* The 97.5 % quantile of Student's distribution: the first terms of Cornish and Fisher's expansion, within
 * 0.5 % from 5 degrees of freedom on; fewer are taken for 5. */
static double student(double freedom)
{
	double n = freedom < 5 ? 5 : freedom, z = Z, z3 = z * z * z, z5 = z3 * z * z;
	return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n);
}

static struct estimate nothing(void)
{
	return (struct estimate){-1, -1, -1, 0};
}

static struct estimate wilson(double share, double count, double z, size_t images)
{
	double z2 = z * z, middle = (share + z2 / (2 * count)) / (1 + z2 / count);
	double half = z / (1 + z2 / count) * sqrt(share * (1 - share) / count + z2 / (4 * count * count));
	return (struct estimate){
		share, fmax(0, fmin(share, middle - half)), fmin(1, fmax(share, middle + half)), images};
}

struct estimate estimate_share(uint64_t right, uint64_t count)
{
	CHECK(right <= count);
	if (count == 0)
		return nothing();
	return wilson((double)right / (double)count, (double)count, Z, count);
}

struct estimate estimate_mean(const double *values, const double *chances, size_t count)
{
	double sum = 0, weights = 0, squares = 0, spread = 0;
	for (size_t i = 0; i < count; i++) {
		CHECK(chances[i] > 0);
		double weight = 1 / chances[i];
		sum += weight * values[i];
		weights += weight;
		squares += weight * weight;
	}
	if (count == 0)
		return nothing();
	double mean = fmin(1, fmax(0, sum / weights)), kish = weights * weights / squares;
	for (size_t i = 0; i < count; i++)
		spread += (values[i] - mean) * (values[i] - mean) / (chances[i] * chances[i]);
	double variance = spread / (weights * weights);
	if (count > 1) /* the mean was made of the same values */
		variance *= (double)count / (double)(count - 1);
	double worth = variance > 0 ? mean * (1 - mean) / variance : kish;
	/* Values between 0 and 1 vary less than those that are one or the other: that is worth more images.
	 */
	return wilson(mean, fmax(1, worth), student(kish - 1), count);
}

/* ---- the bootstrap ---- */

static uint64_t mix(uint64_t x) /* the finishing steps of splitmix64 */
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

unsigned estimate_poisson(int64_t image, uint32_t replicate)
{
	/* The probabilities of at most 0, 1, 2 … of a Poisson distribution with mean 1. */
	static const double at_most[] = {0.36787944117144233, 0.73575888234288467, 0.91969860292860584,
		0.98101184312384626, 0.99634015317265634, 0.99940581518241833, 0.99991675885071201,
		0.99998975080332539, 0.99999887479740206, 0.99999988857452169};
	const uint64_t step = 0x9e3779b97f4a7c15u;
	uint64_t seed = mix(((uint64_t)image + 1) * step) + ((uint64_t)replicate + 1) * step;
	double chance = (double)(mix(seed) >> 11) * 0x1p-53;
	unsigned count = 0;
	while (count < COUNT_OF(at_most) && chance >= at_most[count])
		count++;
	return count;
}

static unsigned replicates_for(size_t records)
{
	size_t count = RECORDS_TOGETHER / (records + 1);
	return count > REPLICATES_MAX   ? REPLICATES_MAX
	       : count < REPLICATES_MIN ? REPLICATES_MIN
					: (unsigned)count;
}

static double *new_weights(size_t count)
{
	double *out = malloc((count + 1) * sizeof(*out));
	CHECK(out != NULL);
	return out;
}

static void draw(const struct score_view *v, const double *weights, uint32_t replicate, double *out)
{
	const int64_t *images = score_view_images(v);
	for (size_t i = 0; i < score_view_count(v); i++)
		out[i] = estimate_poisson(images[i], replicate) * (weights ? weights[i] : 1);
}

/* Around the value less its bias, as wide as the replicates are apart. The value itself is never outside. */
static struct estimate around(
	double value, const double *replicates, unsigned count, size_t images, double lowest)
{
	double sum = 0, squares = 0;
	if (count < 2)
		return (struct estimate){value, lowest, 1, images};
	for (unsigned i = 0; i < count; i++)
		sum += replicates[i];
	double mean = sum / count;
	for (unsigned i = 0; i < count; i++)
		squares += (replicates[i] - mean) * (replicates[i] - mean);
	double half = student((double)images - 1) * sqrt(squares / (count - 1)), middle = 2 * value - mean;
	return (struct estimate){
		value, fmax(lowest, fmin(value, middle - half)), fmin(1, fmax(value, middle + half)), images};
}

static size_t with_weight(const struct score_view *v, const double *weights)
{
	size_t count = 0;
	for (size_t i = 0; i < score_view_count(v); i++)
		count += weights == NULL || weights[i] > 0;
	return count;
}

struct estimate estimate_ap(const struct score_view *v, const double *weights)
{
	double replicates[REPLICATES_MAX], value = score_view_ap(v, weights).ap;
	if (value < 0)
		return nothing();
	double *drawn = new_weights(score_view_count(v));
	unsigned count = 0, all = replicates_for(score_view_records(v));
	for (uint32_t r = 0; r < all; r++) {
		draw(v, weights, r, drawn);
		double ap = score_view_ap(v, drawn).ap;
		if (ap >= 0)
			replicates[count++] = ap;
	}
	free(drawn);
	return around(value, replicates, count, with_weight(v, weights), 0);
}

struct estimate estimate_ap_difference(
	const struct score_view *a, const struct score_view *b, const double *weights)
{
	size_t images = score_view_count(a);
	CHECK(images == score_view_count(b) &&
		(images == 0 ||
			memcmp(score_view_images(a), score_view_images(b), images * sizeof(int64_t)) == 0));
	double replicates[REPLICATES_MAX];
	double first = score_view_ap(a, weights).ap, second = score_view_ap(b, weights).ap;
	if (first < 0 || second < 0)
		return nothing();
	double *drawn = new_weights(images);
	unsigned count = 0, all = replicates_for(score_view_records(a) + score_view_records(b));
	for (uint32_t r = 0; r < all; r++) {
		draw(a, weights, r, drawn);
		double x = score_view_ap(a, drawn).ap, y = score_view_ap(b, drawn).ap;
		if (x >= 0 && y >= 0)
			replicates[count++] = x - y;
	}
	free(drawn);
	return around(first - second, replicates, count, with_weight(a, weights), -1);
}

struct estimate estimate_mean_difference(const double *a, const double *b, size_t count)
{
	double sum = 0, squares = 0;
	if (count == 0)
		return nothing();
	for (size_t i = 0; i < count; i++)
		sum += a[i] - b[i];
	double mean = sum / (double)count;
	for (size_t i = 0; i < count; i++)
		squares += (a[i] - b[i] - mean) * (a[i] - b[i] - mean);
	/* As if one more image had spoken for each: without any difference at all there is still a chance. */
	double variance = (squares + 2) / ((double)count + 2) / ((double)count + 2);
	double half = student((double)count - 1) * sqrt(variance);
	return (struct estimate){mean, fmax(-1, mean - half), fmin(1, mean + half), count};
}
