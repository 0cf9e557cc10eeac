/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture is compared with those that were let through, not with each one: else a camera that looks at the
 * same place for years would never be seen again after its first picture. So such a camera counts once in 65.
 *
 * Values are places among the reference's (uniform when nothing changed), not the scores themselves: so a
 * change cannot blow up the variance, look like correlation and hide itself. Until enough was seen, the
 * correlation is taken to be PRIOR_RHO.
 */
#include "watch/thin.h"

#include "base/check.h"
#include "vision/image_sign.h"

#include <math.h>
#include <stdlib.h>

#define PRIOR_RHO 0.5
#define PRIOR_PAIRS 20.0
#define UNIFORM_VARIANCE (1.0 / 12)
#define MEMORY 2000.0 /* images after which a value weighs 1/e */
#define TAU_MAX 200.0

void thin_reset(struct thin *t)
{
	memset(t, 0, sizeof(*t));
	for (int i = 0; i < THIN_SOURCES; i++) {
		t->sources[i].last = (double)NAN;
		t->sources[i].credit = 1; /* so that the first image counts */
	}
}

/* FNV-1a, never 0. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
	return hash ? hash : 1;
}

static struct thin_source *source_of(struct thin *t, const char *name)
{
	uint64_t hash = hash_of(name ? name : "");
	int i = 0;
	while (i + 1 < THIN_SOURCES && t->sources[i].name && t->sources[i].name != hash)
		i++;
	struct thin_source *s = &t->sources[i];
	if (s->name == 0)
		s->name = hash;
	return s;
}

/* Whether a picture is like one of the last that were let through; it joins them. Without a sign: no. */
static bool is_alike(struct thin_source *s, const struct seen *seen)
{
	struct image_sign sign = {.width = seen->row->width, .height = seen->row->height};
	if (seen->row->image_sign.size != IMAGE_SIGN_SIZE)
		return false;
	memcpy(sign.luma, seen->row->image_sign.data, IMAGE_SIGN_SIZE);
	uint64_t look = image_sign_hash(&sign);
	bool alike = false;
	for (uint32_t i = 0; i < s->filled && !alike; i++)
		alike = (s->kept_looks >> i & 1) && image_sign_distance(s->looks[i], look) <= THIN_HASH_BITS;
	s->looks[s->at] = look;
	s->kept_looks = (s->kept_looks & ~(1ULL << s->at)) | (uint64_t)!alike << s->at;
	s->at = (s->at + 1) % THIN_RECENT;
	if (s->filled < THIN_RECENT)
		s->filled++;
	return alike;
}

static double tau_of(const struct thin_source *s)
{
	double variance = s->squares + PRIOR_PAIRS * UNIFORM_VARIANCE;
	double products = s->products + PRIOR_PAIRS * UNIFORM_VARIANCE * PRIOR_RHO;
	double rho = fmax(0, products / variance);
	return rho >= 1 ? TAU_MAX : fmin(TAU_MAX, (1 + rho) / (1 - rho));
}

static void learn(struct thin_source *s, double value)
{
	if (isnan(value))
		return;
	double fade = 1 - 1 / MEMORY, apart = value - s->mean;
	s->weight = s->weight * fade + 1;
	s->mean += apart / s->weight;
	s->squares = s->squares * fade + apart * (value - s->mean);
	if (!isnan(s->last)) {
		s->pairs = s->pairs * fade + 1;
		s->products = s->products * fade + (value - s->mean) * (s->last - s->mean);
	}
	s->last = value;
}

static bool pays(struct thin_source *s)
{
	s->credit += 1 / tau_of(s); /* never above 2 */
	if (s->credit < 1 - 1e-9)
		return false;
	s->credit -= 1;
	return true;
}

bool thin_keeps(struct thin *t, const struct seen *seen, double value)
{
	struct thin_source *s = source_of(t, seen->row->source);
	t->seen++;
	if (is_alike(s, seen)) {
		t->alike++;
		return false;
	}
	bool kept = pays(s);
	learn(s, value);
	t->kept += kept;
	return kept;
}

double thin_factor(const struct thin *t)
{
	return t->kept ? (double)t->seen / (double)t->kept : 1;
}

/* ---- windows ---- */

struct valued {
	double value;
	size_t at;
};

static int ascending(const void *a, const void *b)
{
	const struct valued *x = a, *y = b;
	return x->value != y->value ? (x->value > y->value) - (x->value < y->value)
				    : (x->at > y->at) - (x->at < y->at);
}

/* The place of each value among those of the window. */
static double *places_of(const struct seen *images, const double *outliers, size_t count)
{
	struct valued *order = calloc(count + 1, sizeof(*order));
	double *places = calloc(count + 1, sizeof(*places));
	size_t known = 0;
	CHECK(order != NULL && places != NULL);
	for (size_t i = 0; i < count; i++) {
		double value = outliers && !isnan(outliers[i]) ? outliers[i] : images[i].stats.brightness;
		places[i] = (double)NAN;
		if (!isnan(value))
			order[known++] = (struct valued){value, i};
	}
	qsort(order, known, sizeof(*order), ascending);
	for (size_t first = 0, end = 0; first < known; first = end) {
		while (end < known && !(order[end].value > order[first].value))
			end++;
		for (size_t i = first; i < end; i++)
			places[order[i].at] = (double)(first + end) / (2 * (double)known);
	}
	free(order);
	return places;
}

void thin_window(
	const struct seen *images, const double *outliers, size_t count, bool *keep, size_t *effective)
{
	struct thin *t = calloc(1, sizeof(*t));
	double *places = places_of(images, outliers, count);
	CHECK(t != NULL);
	thin_reset(t);
	for (size_t i = 0; i < count; i++) {
		struct thin_source *s = source_of(t, images[i].row->source);
		keep[i] = !is_alike(s, &images[i]);
		if (keep[i])
			learn(s, places[i]);
	}
	*effective = 0;
	for (size_t i = 0; i < count; i++) {
		keep[i] = keep[i] && pays(source_of(t, images[i].row->source));
		*effective += keep[i];
	}
	free(places);
	free(t);
}
