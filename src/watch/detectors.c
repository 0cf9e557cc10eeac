/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/detectors.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

#define VALUES_MIN 30 /* of a feature in the reference: below, its distribution is not known */
#define VAGUE_SHARE 0.01
#define PACKED_VERSION 2

/* What is stored: plain data. */
struct state {
	struct thin thin;
	struct sequential features[FEATURE_COUNT];
	double strength[FEATURE_COUNT]; /* of the last image that had the feature */
	uint64_t seen, effective, alarms, since_alarm;
};

struct detectors {
	struct reference *reference;
	double tolerance[FEATURE_COUNT]; /* NAN: not watched */
	double limit;
	struct state state;
};

static bool watches(const struct reference *r, enum feature f)
{
	return feature_is_of(f, r->task) && r->counts[f] >= VALUES_MIN && reference_may_alarm(r, f);
}

struct detectors *detectors_new(struct reference *r)
{
	struct detectors *d = calloc(1, sizeof(*d));
	unsigned watched = 0;
	CHECK(d != NULL);
	d->reference = reference_hold(r);
	for (int f = 0; f < FEATURE_COUNT; f++) {
		bool is_watched = watches(r, (enum feature)f);
		d->tolerance[f] = is_watched ? sequential_tolerance(r->counts[f]) : (double)NAN;
		watched += is_watched;
	}
	d->limit = sequential_limit(watched, DETECTORS_IMAGES);
	thin_reset(&d->state.thin);
	return d;
}

void detectors_free(struct detectors *d)
{
	if (!d)
		return;
	reference_drop(d->reference);
	free(d);
}

static double place(const struct detectors *d, enum feature f, double value, const struct seen *seen)
{
	const struct reference *r = d->reference;
	if (isnan(value) || r->counts[f] == 0)
		return (double)NAN;
	return feature_place(r->values[f], r->counts[f], value, f, feature_asset(seen));
}

static void start_anew(struct state *s)
{
	for (int f = 0; f < FEATURE_COUNT; f++) {
		sequential_reset(&s->features[f]);
		s->strength[f] = 0;
	}
	s->since_alarm = 0;
}

/* "What the model sees" moves with whatever moved; what can be pictured is named rather, if it moved nearly
 * as much. */
static bool is_vague(enum feature f)
{
	return f >= FEATURE_OUTLIER;
}

/* Adds an image. Returns the evidence of all features together, of which 1 alarms: a mean of e-detectors is
 * one too, so features that drift together are told sooner. */
static double add_values(struct detectors *d, const double values[FEATURE_COUNT], const struct seen *seen,
	enum sequential_change changes[FEATURE_COUNT])
{
	struct state *s = &d->state;
	double together = 0;
	for (int f = 0; f < FEATURE_COUNT; f++) {
		changes[f] = SEQUENTIAL_NONE;
		if (isnan(d->tolerance[f]))
			continue;
		if (!isnan(values[f]))
			changes[f] =
				sequential_add(&s->features[f], place(d, (enum feature)f, values[f], seen),
					d->tolerance[f], d->limit, &s->strength[f]);
		together += s->strength[f];
	}
	return together;
}

/* The feature to name, of those that the last image had. */
static enum feature strongest(const struct state *s, const enum sequential_change changes[FEATURE_COUNT])
{
	enum feature best = FEATURE_COUNT;
	double most = 0;
	for (int f = 0; f < FEATURE_COUNT; f++) {
		double strength = s->strength[f] * (is_vague((enum feature)f) ? VAGUE_SHARE : 1);
		if (changes[f] == SEQUENTIAL_NONE || strength <= most)
			continue;
		most = strength;
		best = (enum feature)f;
	}
	return best;
}

void detectors_add(struct detectors *d, const struct seen *seen, const struct outlier_value *outlier,
	bool *alarmed, struct detectors_alarm *alarm)
{
	const struct reference *r = d->reference;
	struct state *s = &d->state;
	double values[FEATURE_COUNT];
	enum sequential_change changes[FEATURE_COUNT];
	*alarmed = false;
	features_of(seen, r->threshold, r->task, r->outlier ? outlier_gaussian(r->outlier) : NULL,
		outlier ? outlier->score : (double)NAN, values);
	s->seen++;
	const double thinned_by[THIN_VALUES] = {
		[THIN_OUTLIER] = place(d, FEATURE_OUTLIER, values[FEATURE_OUTLIER], seen),
		[THIN_BRIGHTNESS] = place(d, FEATURE_BRIGHTNESS, values[FEATURE_BRIGHTNESS], seen)};
	if (!thin_keeps(&s->thin, seen, thinned_by))
		return;
	s->effective++;
	s->since_alarm++;
	double together = add_values(d, values, seen, changes);
	enum feature f = strongest(s, changes);
	if (f == FEATURE_COUNT || together < 1)
		return;
	*alarmed = true;
	*alarm = (struct detectors_alarm){.position = seen->row->position,
		.at_us = seen->row->created_us,
		.feature = f,
		.change = changes[f],
		.images = sequential_changed(&s->features[f], changes[f])};
	s->alarms++;
	start_anew(s);
}

uint64_t detectors_calm(const struct detectors *d)
{
	return d->state.alarms ? d->state.since_alarm : 0;
}

void detectors_state(const struct detectors *d, struct detectors_state *out)
{
	const struct state *s = &d->state;
	*out = (struct detectors_state){.seen = s->seen,
		.effective = s->effective,
		.alarms = s->alarms,
		.since_alarm = s->since_alarm,
		.tolerance = sequential_tolerance(d->reference->images),
		.thinning = thin_factor(&s->thin),
		.small = d->reference->images < REFERENCE_SMALL};
	for (int f = 0; f < FEATURE_COUNT; f++) {
		out->watched[f] = !isnan(d->tolerance[f]);
		out->strength[f] = fmin(1, s->strength[f]);
		out->tolerances[f] = d->tolerance[f];
	}
}

/* ---- packing ---- */

struct head {
	uint32_t version, state_bytes;
	struct uuid reference_id;
	double threshold, limit;
};

struct span detectors_pack(const struct detectors *d, struct arena *a)
{
	const struct head head = {
		PACKED_VERSION, sizeof(struct state), d->reference->id, d->reference->threshold, d->limit};
	uint8_t *bytes = arena_alloc(a, sizeof(head) + sizeof(d->state));
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), &d->state, sizeof(d->state));
	return span_of(bytes, sizeof(head) + sizeof(d->state));
}

static bool is_sound(const struct state *s)
{
	for (int f = 0; f < FEATURE_COUNT; f++)
		for (int stream = 0; stream < 2; stream++)
			for (int way = 0; way < 2; way++)
				for (int i = 0; i < SEQUENTIAL_BETS; i++)
					if (!(s->features[f].bets[stream][way][i] >= 0))
						return false;
	for (int i = 0; i < THIN_SOURCES; i++)
		if (s->thin.sources[i].at >= THIN_RECENT || s->thin.sources[i].filled > THIN_RECENT)
			return false;
	return true;
}

enum status detectors_unpack(struct span packed, struct reference *r, struct detectors **out, struct err *err)
{
	struct head head = {0};
	struct detectors *d = detectors_new(r);
	bool fits = packed.size == sizeof(head) + sizeof(d->state);
	if (fits) {
		memcpy(&head, packed.data, sizeof(head));
		memcpy(&d->state, packed.data + sizeof(head), sizeof(d->state));
	}
	fits = fits && head.version == PACKED_VERSION && head.state_bytes == sizeof(d->state) &&
	       uuid_equal(head.reference_id, r->id) && !(head.threshold < r->threshold) &&
	       !(head.threshold > r->threshold) && !(head.limit < d->limit) && !(head.limit > d->limit) &&
	       is_sound(&d->state);
	if (!fits) {
		detectors_free(d);
		return err_set(
			err, ST_INVALID, "The detectors' state is not of this reference and threshold.");
	}
	*out = d;
	return ST_OK;
}
