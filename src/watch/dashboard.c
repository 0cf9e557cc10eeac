/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/dashboard.h"

#include "base/check.h"
#include "store/model_rows.h"
#include "store/rows.h"
#include "store/shadow_rows.h"
#include "task/shown.h"
#include "watch/dashboard_inside.h"

#include <math.h>
#include <stdlib.h>

#define SHADOWS_MAX 16
#define FLOOR_IMAGES                                                                                         \
	500 /* predicted elsewhere: the newest ones, among which the lowest score is looked for */

/* ---- roll-ups ---- */

/* A version as a shadow. */
struct follower {
	struct uuid version_id;
	struct pane pane;
	struct builder builder;
};

struct whole {
	struct reading *r;
	struct dashboard *out;
	struct pane pane;
	struct builder builder;
	struct follower followers[SHADOWS_MAX];
	size_t follower_count;
	size_t version_room;
};

static struct dashboard_version *version_of(struct whole *w, struct uuid id)
{
	struct dashboard *d = w->out;
	for (size_t i = 0; i < d->version_count; i++)
		if (uuid_equal(d->versions[i].id, id))
			return &d->versions[i];
	d->versions =
		rows_grow(w->r->arena, d->versions, d->version_count, &w->version_room, sizeof(*d->versions));
	d->versions[d->version_count] = (struct dashboard_version){.id = id, .role = DASHBOARD_PAST};
	return &d->versions[d->version_count++];
}

/* NULL: there are too many. */
static struct follower *follower_of(struct whole *w, struct uuid id)
{
	for (size_t i = 0; i < w->follower_count; i++)
		if (uuid_equal(w->followers[i].version_id, id))
			return &w->followers[i];
	if (w->follower_count == SHADOWS_MAX)
		return NULL;
	struct follower *f = &w->followers[w->follower_count++];
	f->version_id = id;
	pane_init(&f->pane, &w->r->range, w->r->arena);
	builder_init(&f->builder, &w->r->range, &w->r->names, NULL, &f->pane, w->r->arena);
	return f;
}

static enum status add_rollup(void *arg, const struct rollup_key *key, struct span packed, struct err *err)
{
	struct whole *w = arg;
	struct builder *b = &w->builder;
	struct summary *counts;
	const struct uuid only = w->r->filter->version_id;
	struct dashboard_version *version = version_of(w, key->version_id);
	if (key->is_shadow) {
		struct follower *f = follower_of(w, key->version_id);
		if (f == NULL)
			return ST_OK;
		b = &f->builder;
	}
	TRY(builder_part(b, key->start_us, key->version_id, &counts, err));
	const uint64_t before = counts->predictions;
	TRY(summary_unpack_into(counts, packed, err));
	if (key->is_shadow == (version->role == DASHBOARD_SHADOW))
		version->predictions += counts->predictions - before;
	if (!uuid_is_zero(only) && !uuid_equal(only, key->version_id))
		summary_release(counts); /* listed, and not counted */
	return ST_OK;
}

static enum status read_pieces(struct whole *w, struct err *err)
{
	struct reading *r = w->r;
	struct rollup_key key = {
		.deployment_id = r->deployment.id,
		.view = r->view,
		.source = r->source ? r->source : "",
	};
	for (size_t i = 0; i < r->range.piece_count; i++) {
		const struct range_piece *piece = &r->range.pieces[i];
		key.level_s = piece->level_s;
		TRY(rollups_read(r->watch, &key, piece->from_us, piece->to_us, add_rollup, w, err));
	}
	TRY(builder_finish(&w->builder, err));
	for (size_t i = 0; i < w->follower_count; i++)
		TRY(builder_finish(&w->followers[i].builder, err));
	return ST_OK;
}

static enum status read_whole(struct whole *w, struct err *err)
{
	struct reading *r = w->r;
	pane_init(&w->pane, &r->range, r->arena);
	builder_init(&w->builder, &r->range, &r->names, r->filter->label, &w->pane, r->arena);
	enum status st = read_pieces(w, err);
	builder_release(&w->builder);
	for (size_t i = 0; i < w->follower_count; i++) {
		builder_release(&w->followers[i].builder);
		summary_release(&w->followers[i].pane.total);
	}
	return st;
}

static void set_shadows(struct whole *w)
{
	struct dashboard *d = w->out;
	const struct uuid only = w->r->filter->version_id;
	d->shadows = ARENA_ARRAY(w->r->arena, struct dashboard_shadow, w->follower_count + 1);
	for (size_t i = 0; i < w->follower_count; i++)
		if (uuid_is_zero(only) || uuid_equal(only, w->followers[i].version_id))
			d->shadows[d->shadow_count++] = (struct dashboard_shadow){
				w->followers[i].version_id, w->followers[i].pane.points};
}

/* ---- what it is drawn from ---- */

/* Of one label: its images and shapes are all that roll-ups know. */
static void keep_label(struct whole *w)
{
	struct summary *s = &w->pane.total;
	const char *label = w->r->filter->label;
	s->predictions = s->shapes = s->without_shapes = 0;
	for (uint32_t i = 0; i < s->label_count; i++) {
		if (strcmp(w->r->names.items[i], label) != 0) {
			s->labels[i] = (struct summary_label){0};
			continue;
		}
		s->predictions = s->labels[i].images;
		s->shapes = s->labels[i].shapes;
	}
}

static void take_total(struct dashboard *d, struct pane *from)
{
	summary_release(&d->total);
	d->total = from->total;
	d->points = from->points;
	summary_init(&from->total);
}

/* Roll-ups say what they know; the rest is of predictions that are read. */
static enum status join(struct whole *w, struct pane *rows, struct picked *picked, struct err *err)
{
	struct reading *r = w->r;
	const size_t points = r->range.points;
	const uint64_t all = w->pane.total.predictions;
	const char *what = "Counts are";
	w->out->basis = picked->basis;
	TRY(picked_build(r, picked, rows, err));
	bool label = r->filter->label != NULL;
	if (!picked->basis.sample) {
		take_total(w->out, rows);
	} else if (reading_needs_rows(r) || (label && !r->exact)) {
		pane_scale(rows, points, picked->basis.of, picked->basis.images);
		take_total(w->out, rows);
	} else if (label) {
		what = "What is said of whole images is";
		keep_label(w);
		pane_scale(rows, points, w->pane.total.predictions, rows->total.predictions);
		pane_take_images(&w->pane, rows, points);
		take_total(w->out, &w->pane);
	} else {
		what = "What is said of shapes is";
		pane_scale(rows, points, all, picked->basis.images);
		pane_take_shapes(&w->pane, rows, points);
		take_total(w->out, &w->pane);
	}
	w->out->basis.sentence = reading_sentence(r, &picked->basis, what);
	return ST_OK;
}

static enum status fill(struct whole *w, struct err *err)
{
	struct reading *r = w->r;
	struct picked picked;
	struct pane rows;
	TRY(read_whole(w, err));
	const uint64_t all = w->pane.total.predictions;
	if (!reading_needs_rows(r)) {
		set_shadows(w);
		if (r->exact && r->filter->label == NULL) {
			w->out->basis = (struct dashboard_basis){false, all, all, NULL};
			take_total(w->out, &w->pane);
			return ST_OK;
		}
	}
	TRY(picked_read(r, all, &picked, err));
	pane_init(&rows, &r->range, r->arena);
	enum status st = join(w, &rows, &picked, err);
	summary_release(&rows.total);
	return st;
}

/* ---- beside predictions ---- */

static int by_role(const void *a, const void *b)
{
	const struct dashboard_version *x = a, *y = b;
	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	return memcmp(&y->id, &x->id, sizeof(x->id)); /* ids rise with time: the newest first */
}

/* A version that was deleted keeps its numbers, but has no name. */
static enum status name_version(struct reading *r, struct dashboard_version *v, struct err *err)
{
	struct model_version_row row;
	struct model_row model;
	enum status st = model_rows_version_by_id(r->log, v->id, r->arena, &row, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	v->name = row.name;
	v->version = row.version;
	TRY(model_rows_by_id(r->log, row.model_id, r->arena, &model, err));
	v->model_name = model.name;
	return ST_OK;
}

/* The champion and the shadows that are now, before what the range has. */
static enum status list_versions(struct whole *w, struct err *err)
{
	struct reading *r = w->r;
	struct shadow_row *shadows;
	const struct version_labels *labels;
	size_t count;
	TRY(shadow_rows_list(r->log, r->deployment.id, r->arena, &shadows, &count, err));
	for (size_t i = 0; i < count; i++)
		version_of(w, shadows[i].model_version_id)->role = DASHBOARD_SHADOW;
	version_of(w, r->deployment.champion_id)->role = DASHBOARD_CHAMPION;
	return names_of_version(&r->names, r->deployment.champion_id, 0, &labels, err);
}

static enum status name_versions(struct whole *w, struct err *err)
{
	struct dashboard *d = w->out;
	for (size_t i = 0; i < d->version_count; i++)
		TRY(name_version(w->r, &d->versions[i], err));
	qsort(d->versions, d->version_count, sizeof(*d->versions), by_role);
	return ST_OK;
}

static enum status list_markers(struct reading *r, struct dashboard *d, struct err *err)
{
	struct deployment_event_row *events;
	struct uuid id;
	size_t count;
	TRY(deployment_rows_events(r->log, r->deployment.id, r->arena, &events, &count, err));
	d->markers = ARENA_ARRAY(r->arena, struct dashboard_marker, count + 1);
	for (size_t i = count; i-- > 0;) { /* they come newest first */
		const struct deployment_event_row *e = &events[i];
		bool swap = uuid_parse(e->from, &id) && uuid_parse(e->to, &id);
		if (swap && e->at_us >= r->range.from_us && e->at_us < r->range.to_us)
			d->markers[d->marker_count++] =
				(struct dashboard_marker){e->at_us, e->what, e->from, e->to};
	}
	return ST_OK;
}

static enum status count_failures(struct reading *r, struct dashboard *d, struct err *err)
{
	struct failure_step *steps;
	size_t count;
	TRY(dashboard_rows_failures(r->log, r->deployment.id, r->range.from_us, r->range.to_us, r->arena,
		&d->failures, &d->failure_count, err));
	for (size_t i = 0; i < d->failure_count; i++) {
		uint64_t n = (uint64_t)d->failures[i].count;
		*(d->failures[i].http_status < 500 ? &d->refused : &d->failed) += n;
	}
	TRY(dashboard_rows_failure_steps(r->log, r->deployment.id, r->range.from_us, r->range.to_us,
		r->range.step_s * 1000000, r->arena, &steps, &count, err));
	for (size_t i = 0; i < count; i++) {
		size_t at = (size_t)((steps[i].start_us - r->range.first_us) / (r->range.step_s * 1000000));
		CHECK(at < r->range.points);
		struct dashboard_point *p = &d->points[at];
		*(steps[i].refused ? &p->refused : &p->failed) += (uint64_t)steps[i].count;
	}
	return ST_OK;
}

/* What a caller sent has its own lowest score. */
static enum status find_floor(struct reading *r, struct dashboard *d, struct err *err)
{
	struct log_filter f = {.from_us = r->range.from_us, .to_us = r->range.to_us};
	struct log_row *rows;
	size_t count;
	d->floor = (double)NAN;
	if (r->deployment.serving)
		return ST_OK;
	TRY(log_rows_newest(r->log, r->deployment.id, &f, FLOOR_IMAGES, r->arena, &rows, &count, err));
	for (size_t i = 0; i < count; i++) {
		struct shapes shapes;
		TRY(shapes_unpack(rows[i].shapes, r->arena, &shapes, err));
		for (size_t k = 0; k < shapes.count; k++)
			if (!(shown_score((double)shapes.items[k].score) >= d->floor))
				d->floor = shown_score((double)shapes.items[k].score);
	}
	return ST_OK;
}

/* ---- all of it ---- */

static enum status read_dashboard(struct whole *w, struct uuid deployment_id, int64_t now_us, struct err *err)
{
	struct reading *r = w->r;
	struct dashboard *d = w->out;
	TRY(reading_open(r, deployment_id, now_us, err));
	CHECK(task_parse(r->deployment.type, &d->task));
	d->range = r->range;
	d->threshold = r->filter->cut == DASHBOARD_ANSWERED  ? (double)NAN
		       : r->filter->cut == DASHBOARD_SETTING ? r->deployment.threshold
							     : r->filter->threshold;
	d->sources = r->sources;
	d->source_count = r->source_count;
	d->behind = r->behind;
	TRY(list_versions(w, err));
	TRY(fill(w, err));
	TRY(name_versions(w, err));
	d->labels = r->names.items;
	d->label_count = r->names.count;
	TRY(list_markers(r, d, err));
	TRY(count_failures(r, d, err));
	return find_floor(r, d, err);
}

enum status dashboard_read(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_filter *filter, int64_t now_us, struct arena *a, struct dashboard *out,
	struct err *err)
{
	struct reading r = {.log = log, .watch = watch, .arena = a, .filter = filter};
	struct whole *w = ARENA_NEW(a, struct whole);
	*w = (struct whole){.r = &r, .out = out};
	*out = (struct dashboard){0};
	enum status st = read_dashboard(w, deployment_id, now_us, err);
	summary_release(&w->pane.total);
	return st;
}

void dashboard_release(struct dashboard *d)
{
	summary_release(&d->total);
}
