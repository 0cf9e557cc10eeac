/* SPDX-License-Identifier: Apache-2.0 */
#include "store/job_rows.h"

#define HEAD "id, kind, status, object_id, who, progress, message, error, created_us, finished_us"

static void read_row(struct db_query *q, struct arena *a, struct job_row *out)
{
	*out = (struct job_row){
		.id = db_uuid(q, 0),
		.kind = db_text(q, 1, a),
		.status = db_text(q, 2, a),
		.object_id = db_uuid(q, 3),
		.who = db_text(q, 4, a),
		.progress = db_real(q, 5),
		.message = db_text(q, 6, a),
		.error = db_text(q, 7, a),
		.created_us = db_integer(q, 8),
		.finished_us = db_integer(q, 9),
	};
}

static void bind_end(struct db_query *q, int64_t finished_us)
{
	if (finished_us)
		db_bind_integer(q, finished_us);
	else
		db_bind_null(q);
}

static enum status job_missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no job with the id %s.", text);
}

enum status job_rows_insert(struct db_conn *c, const struct job_row *j, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO job (" HEAD ", result) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
	db_bind_uuid(&q, j->id);
	db_bind_text(&q, j->kind);
	db_bind_text(&q, j->status);
	db_bind_uuid(&q, j->object_id);
	db_bind_text(&q, j->who);
	db_bind_real(&q, j->progress);
	db_bind_text(&q, j->message);
	db_bind_text(&q, j->error);
	db_bind_integer(&q, j->created_us);
	bind_end(&q, j->finished_us);
	db_bind_text(&q, j->result);
	return db_done(&q, err);
}

enum status job_rows_finish(struct db_conn *c, const struct job_row *j, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE job SET status = $1, progress = $2, message = $3, error = $4,"
					" result = $5, finished_us = $6 WHERE id = $7");
	db_bind_text(&q, j->status);
	db_bind_real(&q, j->progress);
	db_bind_text(&q, j->message);
	db_bind_text(&q, j->error);
	db_bind_text(&q, j->result);
	bind_end(&q, j->finished_us);
	db_bind_uuid(&q, j->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : job_missing(j->id, err);
}

enum status job_rows_fail_running(
	struct db_conn *c, int64_t now_us, const char *error, int64_t *count, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE job SET status = 'FAILED', error = $1, finished_us = $2"
					" WHERE status = 'RUNNING'");
	db_bind_text(&q, error);
	db_bind_integer(&q, now_us);
	TRY(db_done(&q, err));
	*count = db_changes(c);
	return ST_OK;
}

enum status job_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct job_row *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " HEAD ", result FROM job WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found) {
		read_row(&q, a, out);
		out->result = db_text(&q, 10, a);
	}
	TRY(db_done(&q, err));
	return found ? ST_OK : job_missing(id, err);
}

enum status job_rows_list(struct db_conn *c, struct uuid object_id, int64_t limit, int64_t offset,
	struct arena *a, struct job_row **items, size_t *count, int64_t *total, struct err *err)
{
	bool all = uuid_is_zero(object_id);
	struct db_query q = all ? db_query(c, "SELECT count(*) FROM job")
				: db_query(c, "SELECT count(*) FROM job WHERE object_id = $1");
	if (!all)
		db_bind_uuid(&q, object_id);
	TRY(rows_number(&q, total, err));
	q = all ? db_query(c, "SELECT " HEAD " FROM job ORDER BY created_us DESC, id DESC LIMIT $1 OFFSET $2")
		: db_query(c,
			  "SELECT " HEAD " FROM job WHERE object_id = $1 ORDER BY created_us DESC, id DESC"
			  " LIMIT $2 OFFSET $3");
	if (!all)
		db_bind_uuid(&q, object_id);
	db_bind_integer(&q, limit);
	db_bind_integer(&q, offset);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}
