/* SPDX-License-Identifier: Apache-2.0 */
#include "store/failure_rows.h"

#include "store/rows.h"

enum status failure_rows_add(struct db_conn *c, const struct failure_row *f, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO failure (deployment_id, minute_us, http_status, step, count, last_us, last_text)"
		" SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM deployment WHERE id = $1)"
		" ON CONFLICT (deployment_id, minute_us, http_status, step) DO UPDATE SET"
		" count = count + excluded.count, last_us = excluded.last_us, last_text = "
		"excluded.last_text");
	db_bind_uuid(&q, f->deployment_id);
	db_bind_integer(&q, f->minute_us);
	db_bind_integer(&q, f->http_status);
	db_bind_text(&q, f->step);
	db_bind_integer(&q, f->count);
	db_bind_integer(&q, f->last_us);
	db_bind_text(&q, f->last_text);
	return db_done(&q, err);
}

enum status failure_rows_list(struct db_conn *c, struct uuid deployment_id, int64_t from_us, int64_t to_us,
	struct arena *a, struct failure_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT minute_us, http_status, step, count, last_us, last_text FROM failure"
			    " WHERE deployment_id = $1 AND minute_us >= $2 AND minute_us < $3"
			    " ORDER BY minute_us, http_status, step");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, from_us);
	db_bind_integer(&q, to_us);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct failure_row){
			.deployment_id = deployment_id,
			.minute_us = db_integer(&q, 0),
			.http_status = (int)db_integer(&q, 1),
			.step = db_text(&q, 2, a),
			.count = db_integer(&q, 3),
			.last_us = db_integer(&q, 4),
			.last_text = db_text(&q, 5, a),
		};
	}
	return db_done(&q, err);
}

enum status failure_rows_total(struct db_conn *c, struct uuid deployment_id, int64_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT coalesce(sum(count), 0) FROM failure"
					" WHERE deployment_id = $1 AND step <> 'receive'");
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, count, err);
}
