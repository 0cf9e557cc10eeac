/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions of a range one by one: all of them, or a uniform sample. */
#include "base/check.h"
#include "store/rows.h"
#include "watch/dashboard_inside.h"

#include <stdlib.h>

#define LISTED_MAX 200000 /* predictions whose positions are listed to draw from them */

/* ---- which ---- */

static bool is_among(struct uuid id, const struct uuid *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(ids[i], id))
			return true;
	return false;
}

static bool is_own_source(const struct reading *r, const char *source)
{
	for (size_t i = 0; i < r->source_count; i++)
		if (strcmp(r->sources[i], source) == 0)
			return true;
	return false;
}

static bool fits_source(const struct reading *r, const struct log_row *row)
{
	const char *source = r->filter->source;
	if (source == NULL || strcmp(source, row->source) == 0)
		return true;
	return strcmp(source, ROLLUP_OTHER_SOURCE) == 0 && !is_own_source(r, row->source);
}

/* What roll-ups know: the version, and mostly the source. */
static bool fits_rollups(const struct reading *r, const struct log_row *row)
{
	if (!uuid_is_zero(r->filter->version_id) && !uuid_equal(r->filter->version_id, row->version_id))
		return false;
	return r->source == NULL || fits_source(r, row);
}

static bool fits_rest(const struct reading *r, const struct log_row *row)
{
	const struct dashboard_filter *f = r->filter;
	return fits_source(r, row) && !is_among(row->predicted_asset_id, f->without, f->without_count) &&
	       !is_among(row->id, f->without, f->without_count);
}

static bool fits(void *arg, const struct log_row *row)
{
	return fits_rollups(arg, row) && fits_rest(arg, row);
}

static int by_time(const void *a, const void *b)
{
	const struct log_row *x = a, *y = b;
	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* ---- all ---- */

enum status picked_newest(struct reading *r, size_t limit, struct picked *out, struct err *err)
{
	*out = (struct picked){0};
	const struct log_filter f = {
		.from_us = r->range.from_us,
		.to_us = r->range.to_us,
		.tags = r->filter->tags,
		.tag_count = r->filter->tag_count,
		.keep = fits,
		.keep_arg = r,
	};
	int64_t *positions;
	size_t named;
	if (r->filter->only_count) {
		TRY(dashboard_rows_named(r->log, r->deployment.id, r->filter->only, r->filter->only_count,
			r->arena, &positions, &named, err));
		TRY(log_rows_at(r->log, r->deployment.id, &f, positions, named, r->arena, &out->rows,
			&out->count, err));
	} else {
		TRY(log_rows_newest(
			r->log, r->deployment.id, &f, limit, r->arena, &out->rows, &out->count, err));
	}
	out->basis = (struct dashboard_basis){false, out->count, out->count, NULL};
	return ST_OK;
}

/* ---- a sample ---- */

static uint64_t hash_of(int64_t position)
{
	uint64_t x = (uint64_t)position + UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = hash_of(*(const int64_t *)a), y = hash_of(*(const int64_t *)b);
	return (x > y) - (x < y);
}

/* Those with the smallest hashes, about as many as are wanted and not more. */
static void choose(int64_t *positions, size_t *count, size_t limit)
{
	const double chance = (double)limit / (double)*count;
	const uint64_t below = (uint64_t)(chance * 0x1p64);
	size_t chosen = 0;
	for (size_t i = 0; i < *count; i++)
		if (hash_of(positions[i]) < below)
			positions[chosen++] = positions[i];
	qsort(positions, chosen, sizeof(*positions), by_hash);
	*count = chosen < limit ? chosen : limit;
}

/* A part of a day is drawn from all of it, as the day's own sample may have few of that part. */
enum status dashboard_positions(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_draw *draw, struct arena *a, int64_t **positions, size_t *count,
	size_t *listed, struct err *err)
{
	bool exact;
	*listed = LISTED_MAX + 1;
	if (draw->at_least <= LISTED_MAX) {
		TRY(dashboard_rows_positions(log, deployment_id, draw->from_us, draw->to_us, LISTED_MAX + 1,
			a, positions, count, err));
		*listed = *count;
	}
	if (*listed > LISTED_MAX)
		return rollups_sample(watch, deployment_id, draw->from_us, draw->to_us, draw->limit, a,
			positions, count, &exact, err);
	if (*count > draw->limit)
		choose(*positions, count, draw->limit);
	return ST_OK;
}

/* Which of the rows have one of the filter's tags. */
static enum status keep_tagged(
	struct reading *r, const int64_t *positions, size_t count, struct picked *out, struct err *err)
{
	const struct log_filter f = {.tags = r->filter->tags, .tag_count = r->filter->tag_count};
	struct log_row *tagged;
	size_t tagged_count, kept = 0, t = 0;
	if (r->filter->tag_count == 0)
		return ST_OK;
	TRY(log_rows_at(
		r->log, r->deployment.id, &f, positions, count, r->arena, &tagged, &tagged_count, err));
	if (tagged_count)
		qsort(tagged, tagged_count, sizeof(*tagged), by_time);
	for (size_t i = 0; i < out->count; i++) {
		while (t < tagged_count && by_time(&tagged[t], &out->rows[i]) < 0)
			t++;
		if (t < tagged_count && tagged[t].position == out->rows[i].position)
			out->rows[kept++] = out->rows[i];
	}
	out->count = kept;
	return ST_OK;
}

/* counted 0: not known. */
static enum status read_sample(struct reading *r, uint64_t counted, struct picked *out, struct err *err)
{
	const struct log_filter f = {0}; /* positions are of the range */
	int64_t *positions;
	size_t count, listed, kept = 0;
	const struct dashboard_draw how = {r->range.from_us, r->range.to_us, DASHBOARD_IMAGES_MAX, counted};
	TRY(dashboard_positions(
		r->log, r->watch, r->deployment.id, &how, r->arena, &positions, &count, &listed, err));
	TRY(log_rows_at(
		r->log, r->deployment.id, &f, positions, count, r->arena, &out->rows, &out->count, err));
	if (out->count)
		qsort(out->rows, out->count, sizeof(*out->rows), by_time);
	out->basis = (struct dashboard_basis){.sample = true, .of = counted};
	for (size_t i = 0; i < out->count; i++) {
		bool is_drawn = fits_rollups(r, &out->rows[i]);
		out->basis.images += is_drawn;
		if (is_drawn && fits_rest(r, &out->rows[i]))
			out->rows[kept++] = out->rows[i];
	}
	if (counted == 0 && out->count)
		out->basis.of = listed * out->basis.images / out->count;
	out->count = kept;
	return keep_tagged(r, positions, count, out, err);
}

enum status picked_read(struct reading *r, uint64_t counted, struct picked *out, struct err *err)
{
	*out = (struct picked){0};
	if (counted <= DASHBOARD_IMAGES_MAX || r->filter->only_count) {
		TRY(picked_newest(r, DASHBOARD_IMAGES_MAX + 1, out, err));
		if (out->count <= DASHBOARD_IMAGES_MAX || r->filter->only_count) {
			if (out->count)
				qsort(out->rows, out->count, sizeof(*out->rows), by_time);
			return ST_OK;
		}
		counted = 0; /* roll-ups are behind */
	}
	return read_sample(r, counted, out, err);
}

/* ---- what they say ---- */

static uint32_t labels_of(const struct shapes *shapes)
{
	int32_t highest = -1;
	for (size_t i = 0; i < shapes->count; i++)
		if (shapes->items[i].label > highest)
			highest = shapes->items[i].label;
	return (uint32_t)(highest + 1);
}

enum status picked_see(struct reading *r, const struct log_row *row, struct arena *a, struct seen *out,
	bool *has, struct err *err)
{
	const struct version_labels *v;
	const double threshold = reading_threshold(r, row);
	size_t kept = 0;
	*has = true;
	TRY(seen_read(row, a, out, err));
	if (r->filter->label == NULL)
		return ST_OK;
	TRY(names_of_version(&r->names, row->version_id, labels_of(&out->shapes), &v, err));
	int32_t wanted = names_label(&r->names, v, r->filter->label);
	for (size_t i = 0; i < out->shapes.count; i++) {
		const struct shape shape = out->shapes.items[i];
		if (wanted >= 0 && shape.label == wanted && summary_counts(&out->shapes, i, threshold))
			out->shapes.items[kept++] = shape;
	}
	out->shapes.count = kept;
	*has = kept > 0;
	return ST_OK;
}

static enum status count_row(struct reading *r, struct builder *b, const struct log_row *row, struct err *err)
{
	struct summary *counts;
	struct seen seen;
	struct arena a;
	bool has = false;
	arena_init(&a);
	enum status st = picked_see(r, row, &a, &seen, &has, err);
	if (st == ST_OK && has)
		st = builder_part(b, row->created_us, row->version_id, &counts, err);
	if (st == ST_OK && has)
		summary_add(counts, &seen, reading_threshold(r, row));
	arena_release(&a);
	return st;
}

enum status picked_build(struct reading *r, const struct picked *picked, struct pane *pane, struct err *err)
{
	struct builder b;
	enum status st = ST_OK;
	builder_init(&b, &r->range, &r->names, NULL, pane, r->arena);
	for (size_t i = 0; i < picked->count && st == ST_OK; i++)
		st = count_row(r, &b, &picked->rows[i], err);
	if (st == ST_OK)
		st = builder_finish(&b, err);
	builder_release(&b);
	return st;
}
