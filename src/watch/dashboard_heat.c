/* SPDX-License-Identifier: Apache-2.0 */
/* Where shapes are, and predictions for lists. */
#include "base/check.h"
#include "watch/dashboard_inside.h"

static void set_grid(struct dashboard_heat *out, const struct heat *h, uint64_t of, uint64_t n)
{
	uint32_t coverage[HEAT_SIDE * HEAT_SIDE];
	heat_coverage(h, coverage);
	out->images = h->images;
	out->shapes = h->shapes;
	for (size_t i = 0; i < COUNT_OF(coverage); i++) {
		out->centres[i] = h->centres[i];
		out->coverage[i] = coverage[i];
	}
	if (n == 0 || n == of)
		return;
	out->images = pane_scaled(out->images, of, n);
	out->shapes = pane_scaled(out->shapes, of, n);
	for (size_t i = 0; i < COUNT_OF(coverage); i++) {
		out->centres[i] = pane_scaled(out->centres[i], of, n);
		out->coverage[i] = pane_scaled(out->coverage[i], of, n);
	}
}

/* ---- one by one ---- */

static enum status add_row(struct reading *r, struct heat *h, const struct log_row *row, struct err *err)
{
	struct seen seen;
	struct arena a;
	bool has = false;
	arena_init(&a);
	enum status st = picked_see(r, row, &a, &seen, &has, err);
	if (st == ST_OK && has)
		heat_add(h, &seen, -1, reading_threshold(r, row));
	arena_release(&a);
	return st;
}

static enum status heat_of_rows(
	struct reading *r, uint64_t counted, struct dashboard_heat *out, struct err *err)
{
	struct heat *h = ARENA_NEW(r->arena, struct heat);
	struct picked picked;
	TRY(picked_read(r, counted, &picked, err));
	for (size_t i = 0; i < picked.count; i++)
		TRY(add_row(r, h, &picked.rows[i], err));
	set_grid(out, h, picked.basis.sample ? picked.basis.of : picked.basis.images, picked.basis.images);
	out->basis = picked.basis;
	out->basis.sentence = reading_sentence(r, &picked.basis, "Counts are");
	return ST_OK;
}

/* ---- by day ---- */

static enum status add_label(struct reading *r, struct rollup_key *key, const struct reading_count *count,
	struct heat *h, struct err *err)
{
	const struct version_labels *v;
	for (size_t i = 0; i < count->version_count; i++) {
		TRY(names_of_version(&r->names, count->versions[i], 0, &v, err));
		int32_t label = names_label(&r->names, v, r->filter->label);
		key->version_id = count->versions[i];
		if (label >= 0)
			TRY(rollups_read_heat(
				r->watch, key, r->range.from_us, r->range.to_us, label, h, err));
	}
	return ST_OK;
}

static enum status heat_of_days(struct reading *r, struct dashboard_heat *out, struct err *err)
{
	struct heat *h = ARENA_NEW(r->arena, struct heat);
	struct reading_count count;
	struct rollup_key key = {
		.deployment_id = r->deployment.id,
		.view = r->view,
		.source = r->source,
		.version_id = r->filter->version_id,
	};
	const bool whole = range_is_whole_days(&r->range);
	range_set(&r->range, r->range.from_us / RANGE_DAY_US * RANGE_DAY_US,
		(r->range.to_us + RANGE_DAY_US - 1) / RANGE_DAY_US * RANGE_DAY_US);
	TRY(reading_count(r, &count, err));
	if (r->filter->label)
		TRY(add_label(r, &key, &count, h, err));
	else
		TRY(rollups_read_heat(r->watch, &key, r->range.from_us, r->range.to_us, -1, h, err));
	set_grid(out, h, 0, 0);
	out->basis = (struct dashboard_basis){false, count.predictions, count.predictions,
		whole ? NULL : "Counted by whole days (UTC): all of the first and of the last one."};
	return ST_OK;
}

static enum status read_heat(struct reading *r, struct uuid deployment_id, int64_t now_us,
	struct dashboard_heat *out, struct err *err)
{
	struct reading_count count;
	TRY(reading_open(r, deployment_id, now_us, err));
	TRY(reading_count(r, &count, err));
	if (count.predictions > DASHBOARD_IMAGES_MAX && r->exact && !reading_needs_rows(r))
		return heat_of_days(r, out, err);
	return heat_of_rows(r, count.predictions, out, err);
}

enum status dashboard_read_heat(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_filter *filter, int64_t now_us, struct arena *a, struct dashboard_heat *out,
	struct err *err)
{
	struct reading r = {.log = log, .watch = watch, .arena = a, .filter = filter};
	*out = (struct dashboard_heat){0};
	return read_heat(&r, deployment_id, now_us, out, err);
}

/* ---- lists ---- */

static enum status see_images(struct reading *r, const struct picked *picked, struct dashboard_image **items,
	size_t *count, struct err *err)
{
	*items = ARENA_ARRAY(r->arena, struct dashboard_image, picked->count + 1);
	*count = 0;
	for (size_t i = 0; i < picked->count; i++) {
		struct dashboard_image *image = &(*items)[*count];
		bool has = false;
		image->row = &picked->rows[i];
		image->threshold = reading_threshold(r, image->row);
		TRY(picked_see(r, image->row, r->arena, &image->seen, &has, err));
		*count += has;
	}
	return ST_OK;
}

enum status dashboard_read_images(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_filter *filter, size_t limit, int64_t now_us, struct arena *a,
	struct dashboard_image **items, size_t *count, struct err *err)
{
	struct reading r = {.log = log, .watch = watch, .arena = a, .filter = filter};
	struct picked picked;
	TRY(reading_open(&r, deployment_id, now_us, err));
	TRY(picked_newest(&r, limit, &picked, err));
	return see_images(&r, &picked, items, count, err);
}
