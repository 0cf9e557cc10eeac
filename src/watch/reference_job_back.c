/* SPDX-License-Identifier: Apache-2.0 */
/* Looking back: the champion's predictions from before its reference was made get their outlier scores too,
 * so that the panel shows the past. What comes later gets them from the tail. */
#include "store/log_rows.h"
#include "store/outlier_rows.h"
#include "watch/reference.h"
#include "watch/reference_job_inside.h"

#include <string.h>

#define PAGE 250
#define PART_IMAGES 0.85 /* of the progress is behind */

struct page {
	struct reference_job *job;
	const struct outlier_model *model;
	const struct reference *reference; /* which images are its own */
	struct arena arena;
	struct outlier_row *rows;
	size_t count;
	int64_t position; /* up to which it was read */
	bool more;
};

static enum status write_page(struct db_conn *c, void *arg, struct err *err)
{
	const struct page *p = arg;
	for (size_t i = 0; i < p->count; i++)
		TRY(outlier_rows_put(c, &p->rows[i], err));
	return ST_OK;
}

static enum status delete_others(struct db_conn *c, void *arg, struct err *err)
{
	const struct reference_job *r = arg;
	return outlier_rows_delete_others(c, r->deployment_id, r->version.id, r->reference_id, err);
}

static enum status score_row(struct page *p, const struct log_row *row, struct err *err)
{
	struct seen seen;
	struct outlier_value value;
	if (row->is_shadow || !uuid_equal(row->version_id, p->job->version.id) ||
		reference_has_asset(p->reference, row->predicted_asset_id))
		return ST_OK;
	TRY(seen_read(row, &p->arena, &seen, err));
	outlier_measure(p->model, &seen, &value);
	p->rows[p->count++] = (struct outlier_row){.deployment_id = row->deployment_id,
		.position = row->position,
		.reference_id = p->job->reference_id,
		.version_id = row->version_id,
		.prediction_id = row->id,
		.predicted_asset_id = row->predicted_asset_id,
		.source = row->source,
		.created_us = row->created_us,
		.score = value.score,
		.rank = value.rank};
	return ST_OK;
}

static enum status read_page(struct page *p, struct err *err)
{
	struct db_conn *c;
	struct log_row *rows;
	size_t count = 0;
	TRY(db_reader_take(p->job->world->readers, &c, err));
	enum status st =
		log_rows_after(c, p->job->deployment_id, p->position, PAGE, &p->arena, &rows, &count, err);
	db_reader_give(p->job->world->readers, c);
	p->rows = ARENA_ARRAY(&p->arena, struct outlier_row, count + 1);
	p->count = 0;
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		p->position = rows[i].position;
		st = score_row(p, &rows[i], err);
	}
	p->more = count == PAGE;
	return st;
}

/* Where the newest REFERENCE_BACK_MAX begin, and the log's end. */
static enum status read_ends(struct reference_job *r, int64_t *from, int64_t *to, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(r->world->readers, &c, err));
	enum status st = log_rows_end(c, to, err);
	if (st == ST_OK)
		st = training_data_rows_back(c, r->deployment_id, REFERENCE_BACK_MAX, from, err);
	db_reader_give(r->world->readers, c);
	return st;
}

static enum status look_back(struct page *p, struct job *job, size_t *looked, struct err *err)
{
	struct recorder *recorder = watch_recorder(p->job->world->watch);
	int64_t from, to;
	TRY(read_ends(p->job, &from, &to, err));
	TRY(recorder_run(recorder, delete_others, p->job, err));
	p->position = from;
	for (p->more = true; p->more;) {
		enum status st = read_page(p, err);
		if (st == ST_OK && p->count)
			st = recorder_run(recorder, write_page, p, err);
		*looked += p->count;
		arena_release(&p->arena);
		TRY(st);
		if (job_cancelled(job))
			return err_set(err, ST_UNAVAILABLE, "Cancelled; the reference is ready.");
		double part = to > from ? (double)(p->position - from) / (double)(to - from) : 1;
		job_progress(job, PART_IMAGES + (1 - PART_IMAGES) * (part < 1 ? part : 1),
			"looking back: %zu earlier predictions", *looked);
	}
	return ST_OK;
}

enum status reference_look_back(struct reference_job *r, const struct outlier_model *model, struct job *job,
	size_t *looked, struct err *err)
{
	struct reference *reference;
	struct db_conn *c;
	struct page page = {.job = r, .model = model};
	*looked = 0;
	TRY(db_reader_take(r->world->readers, &c, err));
	enum status st = reference_load(c, r->deployment_id, 0, &reference, err);
	db_reader_give(r->world->readers, c);
	TRY(st);
	if (reference == NULL || !uuid_equal(reference->id, r->reference_id)) {
		reference_drop(reference);
		return ST_OK; /* it was replaced meanwhile */
	}
	page.reference = reference;
	arena_init(&page.arena);
	st = look_back(&page, job, looked, err);
	arena_release(&page.arena);
	reference_drop(reference);
	return st;
}
