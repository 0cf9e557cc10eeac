/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/drift.h"

#include "base/check.h"
#include "base/compare.h"
#include "stats/ks.h"
#include "store/deployment_rows.h"
#include "store/reference_rows.h"
#include "watch/drift_inside.h"
#include "watch/observer.h"
#include "watch/thin.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MISSING_MAX 8

static void miss(struct drift_report *out, const char *sentence)
{
	CHECK(out->missing_count < MISSING_MAX);
	out->missing[out->missing_count++] = sentence;
}

/* ---- the window ---- */

struct rows {
	struct seen *seen;
	double *outliers;
	bool *keep;
	size_t count, effective;
};

/* Oldest first, as thinning wants them. */
static enum status read_rows(struct db_conn *c, const struct drift_request *r, const struct reference *ref,
	const struct log_filter *f, size_t limit, struct arena *a, struct rows *out, struct err *err)
{
	struct log_row *rows;
	struct outlier_value value;
	TRY(log_rows_newest(c, r->deployment_id, f, limit, a, &rows, &out->count, err));
	out->seen = ARENA_ARRAY(a, struct seen, out->count + 1);
	out->outliers = ARENA_ARRAY(a, double, out->count + 1);
	out->keep = ARENA_ARRAY(a, bool, out->count + 1);
	for (size_t i = 0; i < out->count; i++) {
		TRY(seen_read(&rows[out->count - 1 - i], a, &out->seen[i], err));
		out->outliers[i] = NAN;
		if (ref->outlier) {
			outlier_measure(ref->outlier, &out->seen[i], &value);
			out->outliers[i] = value.score;
		}
	}
	thin_window(out->seen, out->outliers, out->count, out->keep, &out->effective);
	return ST_OK;
}

static void take_window(struct rows *rows, const struct drift_request *r, const struct reference *ref,
	struct arena *a, struct drift_window *out)
{
	size_t skip = rows->effective > r->images ? rows->effective - r->images : 0;
	out->seen = ARENA_ARRAY(a, struct seen, r->images + 1);
	out->values = arena_zalloc(a, r->images + 1, sizeof(*out->values));
	for (size_t i = 0; i < rows->count; i++) {
		if (!rows->keep[i])
			continue;
		if (skip) {
			skip--;
			continue;
		}
		out->seen[out->count] = rows->seen[i];
		features_of(&rows->seen[i], ref->threshold, ref->task,
			ref->outlier ? outlier_gaussian(ref->outlier) : NULL, rows->outliers[i],
			out->values[out->count++]);
	}
}

/* More of the log, until enough of it counts. */
static enum status read_window(struct db_conn *c, const struct drift_request *r, const struct reference *ref,
	struct arena *a, struct drift_window *w, struct drift_report *out, struct err *err)
{
	struct seen_label label = seen_label(c, r->label, a);
	const struct log_filter f = {.from_us = r->from_us,
		.to_us = r->to_us,
		.version_id = ref->version_id,
		.source = r->source,
		.tags = r->tags,
		.tag_count = r->tag_count,
		.keep = r->label ? seen_has_label : NULL,
		.keep_arg = &label,
		.without = ref->assets,
		.without_count = ref->asset_count};
	struct rows rows = {0};
	size_t limit = 2 * r->images;
	for (bool more = true; more; limit *= 4) {
		limit = limit < DRIFT_ROWS_MAX ? limit : DRIFT_ROWS_MAX;
		TRY(read_rows(c, r, ref, &f, limit, a, &rows, err));
		more = rows.count == limit && rows.effective < r->images && limit < DRIFT_ROWS_MAX;
		out->more = rows.count == limit;
	}
	take_window(&rows, r, ref, a, w);
	out->images = rows.count;
	out->effective = w->count;
	out->ids = ARENA_ARRAY(a, struct uuid, w->count + 1);
	for (size_t i = 0; i < w->count; i++)
		out->ids[i] = w->seen[i].row->predicted_asset_id;
	if (w->count) {
		out->from_us = w->seen[0].row->created_us;
		out->to_us = w->seen[w->count - 1].row->created_us;
	}
	return ST_OK;
}

/* ---- one feature ---- */

/* By linear interpolation between the two values next to it. */
static void quantiles(const double *sorted, size_t count, double out[DRIFT_QUANTILES])
{
	for (size_t i = 0; i < DRIFT_QUANTILES; i++) {
		double at = (double)(count - 1) * (double)i / (DRIFT_QUANTILES - 1);
		size_t below = (size_t)at;
		double part = at - (double)below;
		out[i] = sorted[below];
		if (part > 0)
			out[i] += part * (sorted[below + 1] - sorted[below]);
	}
}

/* The middle of the places that a value could have among the reference's. */
static double place(const double *sorted, size_t count, double value)
{
	size_t low = 0, high = count, below, upto;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (sorted[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	below = low;
	for (high = count; low < high;) {
		size_t middle = (low + high) / 2;
		if (sorted[middle] <= value)
			low = middle + 1;
		else
			high = middle;
	}
	upto = low;
	return (double)(below + upto) / (2 * (double)count);
}

/* What the detectors look at: the mean place, and how far places are from the middle. */
static enum sequential_change how_moved(const double *sorted, size_t count, const double *values, size_t n)
{
	double shift = 0, spread = 0;
	for (size_t i = 0; i < n; i++) {
		double u = place(sorted, count, values[i]);
		shift += (u - 0.5) / (double)n;
		spread += (fabs(2 * u - 1) - 0.5) / (double)n;
	}
	if (fabs(shift) >= fabs(spread))
		return shift > 0 ? SEQUENTIAL_HIGHER : SEQUENTIAL_LOWER;
	return spread > 0 ? SEQUENTIAL_WIDER : SEQUENTIAL_NARROWER;
}

/* The feature's values in the window, ascending. */
static size_t column(const struct drift_window *w, enum feature f, double *out)
{
	size_t count = 0;
	for (size_t i = 0; i < w->count; i++)
		if (!isnan(w->values[i][f]))
			out[count++] = w->values[i][f];
	qsort(out, count, sizeof(double), compare_double);
	return count;
}

static void test_feature(const struct reference *ref, enum feature f, const double *values, size_t count,
	struct drift_feature *out)
{
	struct ks ks;
	const double *sorted = ref->values[f];
	ks_test(sorted, ref->counts[f], values, count, &ks);
	*out = (struct drift_feature){.feature = f,
		.reference_count = ref->counts[f],
		.count = count,
		.d = ks.d,
		.low = ks.low,
		.high = ks.high,
		.p = ks.p,
		.may_alarm = reference_may_alarm(ref, f),
		.strength = NAN,
		.moved = how_moved(sorted, ref->counts[f], values, count)};
	quantiles(sorted, ref->counts[f], out->reference_quantiles);
	quantiles(values, count, out->quantiles);
}

#define EXACT_MAX 20000.0 /* sizes whose product is above: Stephens' formula is within 1 % */

/* The search in exact values takes a tenth of a second where both are many. */
static double search_critical(size_t n, size_t m, double alpha)
{
	double low = 0, high = 1;
	if ((double)n * (double)m <= EXACT_MAX)
		return ks_critical(n, m, alpha);
	while (high - low > 1e-6) {
		double middle = (low + high) / 2;
		if (ks_p_asymptotic(n, m, middle) <= alpha)
			high = middle;
		else
			low = middle;
	}
	return high;
}

/* Of two sizes, worked out once, as most features have the same. */
struct critical {
	size_t n, m;
	double alpha, d;
};

static double critical_of(struct critical *last, size_t n, size_t m, double alpha)
{
	if (last->n != n || last->m != m || last->alpha < alpha || last->alpha > alpha)
		*last = (struct critical){n, m, alpha, search_critical(n, m, alpha)};
	return last->d > DRIFT_D_MIN ? last->d : DRIFT_D_MIN;
}

double drift_critical(size_t reference_count, size_t count, size_t features)
{
	struct critical none = {0};
	return critical_of(&none, reference_count, count, DRIFT_ALPHA / (double)features);
}

static int by_distance(const void *a, const void *b)
{
	const struct drift_feature *x = a, *y = b;
	if (x->drifted != y->drifted)
		return x->drifted ? -1 : 1;
	return x->d > y->d ? -1 : x->d < y->d ? 1 : (int)x->feature - (int)y->feature;
}

static void test_features(
	const struct reference *ref, const struct drift_window *w, struct arena *a, struct drift_report *out)
{
	double *values = ARENA_ARRAY(a, double, w->count + 1);
	out->features = ARENA_ARRAY(a, struct drift_feature, FEATURE_COUNT);
	for (int f = 0; f < FEATURE_COUNT; f++) {
		size_t count = column(w, (enum feature)f, values);
		if (count && ref->counts[f])
			test_feature(
				ref, (enum feature)f, values, count, &out->features[out->feature_count++]);
	}
	double tests = (double)out->feature_count;
	struct critical whole = {0}, half = {0}; /* those that all images have; those that calibrate */
	for (size_t i = 0; i < out->feature_count; i++) {
		struct drift_feature *f = &out->features[i];
		f->p_adjusted = f->p * tests < 1 ? f->p * tests : 1;
		f->critical_d = critical_of(f->reference_count == ref->images ? &whole : &half,
			f->reference_count, f->count, DRIFT_ALPHA / tests);
		f->drifted = f->p_adjusted < DRIFT_ALPHA && f->d >= DRIFT_D_MIN;
		if (!f->drifted)
			f->moved = SEQUENTIAL_NONE;
	}
	qsort(out->features, out->feature_count, sizeof(out->features[0]), by_distance);
}

/* ---- the detectors ---- */

static enum status read_detectors(
	struct db_conn *watch, struct reference *ref, struct drift_report *out, struct err *err)
{
	struct detectors *d;
	TRY(observer_detectors(watch, ref, &d, err));
	if (d == NULL)
		return ST_OK;
	out->has_detectors = true;
	detectors_state(d, &out->detectors);
	for (size_t i = 0; i < out->feature_count; i++)
		if (out->detectors.watched[out->features[i].feature])
			out->features[i].strength = out->detectors.strength[out->features[i].feature];
	detectors_free(d);
	return ST_OK;
}

/* ---- what is missing ---- */

static void say_missing(const struct reference *ref, struct arena *a, struct drift_report *out)
{
	bool has[FEATURE_COUNT] = {false}, model = false;
	for (size_t i = 0; i < out->feature_count; i++) {
		has[out->features[i].feature] = true;
		model = model || feature_kind_of(out->features[i].feature) == FEATURE_OF_MODEL;
	}
	if (ref->note)
		miss(out, ref->note);
	if (out->effective == 0)
		miss(out, "No image of this champion is in the range.");
	else if (out->effective < DRIFT_IMAGES_MIN)
		miss(out, arena_printf(a,
				  "The window has %zu images that count: only large shifts can be seen.",
				  out->effective));
	if (ref->images < REFERENCE_SMALL)
		miss(out, arena_printf(a,
				  "Small reference: Training Data has %zu images, so small shifts cannot be "
				  "told from chance.",
				  ref->images));
	if (out->effective && ref->predicted && !has[FEATURE_OUTLIER] && ref->outlier == NULL)
		miss(out, "There is no outlier score for this reference.");
	if (out->effective && ref->predicted && model && ref->outlier &&
		outlier_gaussian(ref->outlier) == NULL)
		miss(out, "What the model sees is not compared: its own features are not known.");
}

enum status drift_read(struct db_conn *c, struct db_conn *watch, const struct drift_request *request,
	struct arena *a, struct drift_report *out, struct err *err)
{
	struct deployment_row deployment;
	struct drift_window window = {0};
	*out = (struct drift_report){.missing = ARENA_ARRAY(a, const char *, MISSING_MAX)};
	CHECK(request->images >= 1 && request->images <= DRIFT_IMAGES_MAX);
	TRY(deployment_rows_by_id(c, request->deployment_id, a, &deployment, err));
	out->threshold = request->threshold >= 0 ? request->threshold : deployment.threshold;
	TRY(references_load(request->kept, c, request->deployment_id, out->threshold, &out->reference, err));
	if (out->reference == NULL)
		return ST_OK;
	TRY(read_window(c, request, out->reference, a, &window, out, err));
	test_features(out->reference, &window, a, out);
	if (watch)
		TRY(read_detectors(watch, out->reference, out, err));
	TRY(drift_where(c, &window, a, out, err));
	say_missing(out->reference, a, out);
	return ST_OK;
}
