/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of choosing; batches are drawn in choose_batch.c. */
#include "learn/choose.h"

#include <math.h>
#include <string.h>

#define UNSURE_TOP 10
#define OUTLIER_Z_MAX 6.0
#define OUTLIER_COUNT_MIN 30
#define WEIGHT_FLOOR 0.05 /* nobody is out of the question */
#define MINUTE_US 60e6

static double binary_entropy(double p)
{
	if (!(p > 0 && p < 1))
		return 0;
	return -(p * log2(p) + (1 - p) * log2(1 - p));
}

double choose_unsure(const struct shapes *shapes)
{
	double top[UNSURE_TOP], sum = 0; /* falling */
	size_t count = 0;
	for (size_t i = 0; i < shapes->count; i++) {
		double h = binary_entropy((double)shapes->items[i].score);
		size_t at = count < UNSURE_TOP ? count++ : UNSURE_TOP;
		if (at == UNSURE_TOP && h <= top[--at])
			continue;
		for (; at > 0 && top[at - 1] < h; at--)
			top[at] = top[at - 1];
		top[at] = h;
	}
	for (size_t i = 0; i < count; i++)
		sum += top[i];
	return count ? sum / (double)count : 0;
}

void choose_stats_add(struct choose_stats *s, const double values[CHOOSE_STATS])
{
	for (size_t i = 0; i < CHOOSE_STATS; i++) {
		if (!isfinite(values[i]))
			continue;
		double off = values[i] - s->of[i].mean;
		s->of[i].count++;
		s->of[i].mean += off / s->of[i].count;
		s->of[i].squares += off * (values[i] - s->of[i].mean);
	}
}

double choose_outlier(const struct choose_stats *s, const double values[CHOOSE_STATS])
{
	double most = 0;
	for (size_t i = 0; i < CHOOSE_STATS; i++) {
		double deviation = sqrt(s->of[i].squares / (s->of[i].count - 1));
		if (s->of[i].count < OUTLIER_COUNT_MIN || !(deviation > 0) || !isfinite(values[i]))
			continue;
		most = fmax(most, fabs(values[i] - s->of[i].mean) / deviation);
	}
	return fmin(most / OUTLIER_Z_MAX, 1);
}

double choose_weight(const char *queue_order, const struct queue_image *image, int64_t batch_at_us)
{
	double q;
	if (strcmp(queue_order, "newest") == 0) {
		double age_us = (double)(batch_at_us - image->created_us);
		q = 1 / (1 + fmax(age_us, 0) / MINUTE_US);
	} else {
		q = strcmp(queue_order, "outlier") == 0 ? image->outlier : image->unsure;
	}
	return WEIGHT_FLOOR + (1 - WEIGHT_FLOOR) * q;
}

double choose_random_chance(const struct queue_batch *batch)
{
	if ((double)batch->pool <= batch->budget)
		return batch->random_share;
	return fmin(batch->random_share * batch->budget / (double)batch->pool, 1);
}

double choose_chance(const struct queue_batch *batch, double weight)
{
	if ((double)batch->pool <= batch->budget)
		return 1;
	double chosen = (1 - batch->random_share) * weight / batch->weight_sum;
	return fmin(batch->budget * (chosen + batch->random_share / (double)batch->pool), 1);
}

/* SplitMix64's finaliser (Steele, Lea, Flood 2014): ids of version 7 have 74 random bits. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

double choose_hash(struct uuid id, uint64_t salt)
{
	uint64_t high, low;
	memcpy(&high, id.bytes, 8);
	memcpy(&low, id.bytes + 8, 8);
	uint64_t x = mix(mix(mix(salt + 0x9e3779b97f4a7c15) ^ high) ^ low);
	return (double)(x >> 11) * 0x1p-53;
}

double choose_chance_now(const struct queue_batch *batches, size_t count, const struct queue_image *image)
{
	double not_chosen = 1;
	for (size_t i = 0; i < count; i++) {
		struct queue_batch batch = batches[i];
		if (batch.position < image->considered_from)
			continue;
		double weight = choose_weight(batch.queue_order, image, batch.at_us);
		if (image->chosen_batch && batch.position > image->chosen_batch) {
			batch.pool++;
			batch.weight_sum += weight;
		}
		not_chosen *= 1 - choose_chance(&batch, weight);
	}
	return 1 - not_chosen;
}

enum status review_chances_read(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct review_chances *out, struct err *err)
{
	return queue_rows_batches(c, deployment_id, a, &out->batches, &out->count, err);
}

enum status review_chance(struct db_conn *c, const struct review_chances *chances,
	struct uuid predicted_asset_id, double *chance, struct err *err)
{
	struct queue_image image;
	bool found;
	TRY(queue_rows_image(c, predicted_asset_id, &image, &found, err));
	*chance = found ? choose_chance_now(chances->batches, chances->count, &image) : 0;
	return ST_OK;
}
