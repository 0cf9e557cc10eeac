/* SPDX-License-Identifier: Apache-2.0 */
/* Values that need more than roll-ups: whether pictures can be used, and whether labels are shared as before.
 */
#include "deploy/model.h"
#include "stats/chi_square.h"
#include "store/model_rows.h"
#include "store/reference_rows.h"
#include "watch/alerts_inside.h"
#include "watch/reference.h"
#include "watch/thin.h"

#include <math.h>
#include <string.h>

#define REFERENCE_MIN 30        /* images; with fewer, their range is not known */
#define REFERENCE_LOOKED_AT 500 /* about, spread over all of them: this is looked at often */

/* ---- the newest images of the window ---- */

static enum status read_images(struct alert_scope *s, struct db_conn *c, const struct log_filter *f,
	struct seen **out, size_t *count, struct err *err)
{
	struct log_row *rows;
	TRY(log_rows_newest(c, s->deployment.id, f, ALERT_LOG_IMAGES, s->arena, &rows, count, err));
	*out = ARENA_ARRAY(s->arena, struct seen, *count + 1);
	for (size_t i = 0; i < *count; i++) /* the oldest first */
		TRY(seen_read(&rows[*count - 1 - i], s->arena, &(*out)[i], err));
	return ST_OK;
}

/* ---- pictures that are of no use ---- */

/* What a picture that can be used is within; blur as log2(1 + blur), as it is counted. */
struct limits {
	double dark, bright, flat, blurred;
	bool fixed;
};

/* Of a picture on which nothing can be seen, whatever it is of. Multiples of the bins of summary.h. */
static const struct limits fixed_limits = {8, 248, 4, 1, true};

enum fault { TOO_DARK, TOO_BRIGHT, FLAT, BLURRED, FAULTS };
static const char *const fault_names[] = {"too dark", "too bright", "flat", "blurred"};

static double blur_of(const struct seen_stats *p)
{
	return log2(1 + p->blur);
}

static bool has_fault(const struct limits *l, const struct seen_stats *p, enum fault f)
{
	switch (f) { /* a number that is not known is no fault: all are false for NAN */
	case TOO_DARK: return p->brightness < l->dark;
	case TOO_BRIGHT: return p->brightness > l->bright;
	case FLAT: return p->contrast < l->flat;
	default: return blur_of(p) < l->blurred;
	}
}

struct extent {
	double low, high;
	size_t count;
};

static void extend(struct extent *e, double value)
{
	if (isnan(value))
		return;
	e->low = e->count ? fmin(e->low, value) : value;
	e->high = e->count ? fmax(e->high, value) : value;
	e->count++;
}

/* A tenth of the extent further out, and never stricter than what is usable anyway. */
static double below(const struct extent *e)
{
	return e->low - 0.1 * (e->high - e->low) - 1e-9;
}

static enum status read_limits(struct alert_scope *s, struct db_conn *c, struct limits *out, struct err *err)
{
	struct reference_row reference;
	const char **pixels;
	size_t count;
	bool found;
	struct extent brightness = {0}, contrast = {0}, blur = {0};
	*out = fixed_limits;
	TRY(reference_rows_current(c, s->deployment.id, false, s->arena, &reference, &found, err));
	if (!found)
		return ST_OK;
	int64_t every = 1 + reference.images / REFERENCE_LOOKED_AT;
	TRY(alert_rows_reference_stats(c, reference.id, every, s->arena, &pixels, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct seen_stats stats;
		seen_stats_read(pixels[i], &stats);
		extend(&brightness, stats.brightness);
		extend(&contrast, stats.contrast);
		extend(&blur, blur_of(&stats));
	}
	if (brightness.count < REFERENCE_MIN || contrast.count < REFERENCE_MIN || blur.count < REFERENCE_MIN)
		return ST_OK;
	*out = (struct limits){.dark = below(&brightness),
		.bright = brightness.high + 0.1 * (brightness.high - brightness.low) + 1e-9,
		.flat = below(&contrast),
		.blurred = below(&blur)};
	return ST_OK;
}

/* At least as many as there are: of each fault by itself, whole bins. */
static uint64_t faults_at_most(const struct summary *s, const struct limits *l)
{
	uint64_t sum = 0;
	for (unsigned bin = 0; bin < SUMMARY_LUMA; bin++) {
		if (4 * bin < l->dark || 4 * (bin + 1) > l->bright)
			sum += s->brightness[bin];
		if (2 * bin < l->flat)
			sum += s->contrast[bin];
	}
	for (unsigned bin = 0; bin < SUMMARY_BLUR; bin++)
		if (bin / 4.0 < l->blurred)
			sum += s->blur[bin];
	return sum < s->measured ? sum : s->measured;
}

static void count_faults(
	const struct limits *l, const struct seen *images, size_t count, struct alert_value *out)
{
	uint64_t faults[FAULTS] = {0}, faulty = 0, measured = 0;
	for (size_t i = 0; i < count; i++) {
		bool any = false;
		for (enum fault f = 0; f < FAULTS; f++) {
			bool has = has_fault(l, &images[i].stats, f);
			faults[f] += has;
			any |= has;
		}
		faulty += any;
		measured += !isnan(images[i].stats.brightness);
	}
	out->images = measured;
	out->hits = faulty;
	for (size_t f = 0; f < FAULTS; f++)
		if (faults[f])
			out->parts[out->part_count++] =
				(struct alert_part){.name = fault_names[f], .value = (double)faults[f]};
}

static enum status look_at_pictures(struct alert_scope *s, struct db_conn *c, const struct alert_row *alert,
	bool maybe, struct alert_value *out, struct err *err)
{
	struct limits limits;
	struct seen *images;
	size_t count;
	const struct log_filter f = {.from_us = out->from_us, .to_us = out->to_us};
	TRY(read_limits(s, c, &limits, err));
	out->by_hand = limits.fixed;
	out->share = true;
	out->images = s->summary.measured;
	out->hits = faults_at_most(&s->summary, &limits);
	if (maybe && *alert->comparison == '>' &&
		100 * (double)out->hits <= alert->value * (double)out->images)
		return ST_OK; /* as nearly always: nothing is read for it */
	TRY(read_images(s, c, &f, &images, &count, err));
	count_faults(&limits, images, count, out);
	return ST_OK;
}

enum status alert_measure_quality(struct alert_scope *s, const struct alert_row *alert, bool maybe,
	struct alert_value *out, struct err *err)
{
	struct db_conn *c;
	if (s->summary.measured < (uint64_t)alert->images_min)
		return ST_OK;
	TRY(db_reader_take(s->look->readers, &c, err));
	enum status st = look_at_pictures(s, c, alert, maybe, out, err);
	db_reader_give(s->look->readers, c);
	out->value = out->images ? 100 * (double)out->hits / (double)out->images : 0;
	return st;
}

/* ---- shares of labels ---- */

/* Of one shape an image, by label index. */
struct label_counts {
	const char **names;
	size_t count;
	uint64_t *now, *before;
	uint64_t images;
};

static void count_label(struct label_counts *l, uint64_t *into, double label)
{
	if (label >= 0 && label < (double)l->count) /* NAN: there is no shape */
		into[(size_t)label]++;
}

static void count_now(struct alert_scope *s, const struct reference *r, const struct seen *images,
	size_t count, struct label_counts *l)
{
	bool *keep = ARENA_ARRAY(s->arena, bool, count + 1);
	double values[FEATURE_COUNT];
	size_t effective;
	thin_window(images, NULL, count, keep, &effective);
	for (size_t i = 0; i < count; i++) {
		if (!keep[i])
			continue;
		features_of(&images[i], s->deployment.threshold, r->task, NULL, NAN, values);
		count_label(l, l->now, values[FEATURE_LABEL]);
		l->images += !isnan(values[FEATURE_LABEL]);
	}
}

/* This label and all others. */
static void fold(struct label_counts *l, const char *label, struct arena *a)
{
	const char **names = ARENA_ARRAY(a, const char *, 2);
	uint64_t *now = ARENA_ARRAY(a, uint64_t, 2), *before = ARENA_ARRAY(a, uint64_t, 2);
	names[0] = label;
	names[1] = "other labels";
	for (size_t i = 0; i < l->count; i++) {
		size_t to = strcmp(l->names[i], label) == 0 ? 0 : 1;
		now[to] += l->now[i];
		before[to] += l->before[i];
	}
	*l = (struct label_counts){names, 2, now, before, l->images};
}

static uint64_t sum_of(const uint64_t *counts, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += counts[i];
	return sum;
}

/* Those whose share moved most, most first. */
static void name_moved(const struct label_counts *l, struct alert_value *out, struct arena *a)
{
	double now = (double)sum_of(l->now, l->count), before = (double)sum_of(l->before, l->count);
	bool *named = ARENA_ARRAY(a, bool, l->count + 1);
	while (now > 0 && before > 0 && out->part_count < ALERT_PARTS_MAX && out->part_count < l->count) {
		struct alert_part best = {0};
		size_t which = l->count;
		for (size_t i = 0; i < l->count; i++) {
			struct alert_part p = {
				l->names[i], (double)l->now[i] / now, (double)l->before[i] / before};
			if (!named[i] && (which == l->count ||
						 fabs(p.value - p.before) > fabs(best.value - best.before))) {
				which = i;
				best = p;
			}
		}
		if (best.value == best.before)
			break;
		named[which] = true;
		out->parts[out->part_count++] = best;
	}
}

static enum status compare_labels(struct alert_scope *s, struct db_conn *c, const struct reference *r,
	const struct alert_row *alert, struct alert_value *out, struct err *err)
{
	struct model_version_row version;
	struct label_counts l = {0};
	struct seen *images;
	struct chi_square test;
	uint32_t label_count;
	size_t count;
	const struct log_filter f = {.from_us = out->from_us,
		.to_us = out->to_us,
		.version_id = r->version_id,
		.without = r->assets,
		.without_count = r->asset_count};
	TRY(model_rows_version_by_id(c, r->version_id, s->arena, &version, err));
	TRY(model_labels(version.labels, s->arena, &l.names, &label_count, err));
	l.count = label_count;
	l.now = ARENA_ARRAY(s->arena, uint64_t, l.count + 1);
	l.before = ARENA_ARRAY(s->arena, uint64_t, l.count + 1);
	TRY(read_images(s, c, &f, &images, &count, err));
	count_now(s, r, images, count, &l);
	for (size_t i = 0; i < r->counts[FEATURE_LABEL]; i++)
		count_label(&l, l.before, r->values[FEATURE_LABEL][i]);
	if (alert->label)
		fold(&l, alert->label, s->arena);
	chi_square_two_samples(l.before, l.now, l.count, &test);
	name_moved(&l, out, s->arena);
	out->value = test.p;
	out->images = l.images;
	return ST_OK;
}

/* Reads the whole reference, so not at each look: in the first ten seconds of a minute. */
enum status alert_measure_labels(
	struct alert_scope *s, const struct alert_row *alert, struct alert_value *out, struct err *err)
{
	struct reference *r;
	struct db_conn *c;
	if (s->summary.predictions < (uint64_t)alert->images_min ||
		s->look->now_us % ALERT_MINUTE_US >= ALERT_SLOW_US)
		return ST_OK;
	TRY(db_reader_take(s->look->readers, &c, err));
	enum status st = reference_load(c, s->deployment.id, s->deployment.threshold, &r, err);
	if (st == ST_OK && r) {
		if (r->predicted)
			st = compare_labels(s, c, r, alert, out, err);
		reference_drop(r);
	}
	db_reader_give(s->look->readers, c);
	return st;
}
