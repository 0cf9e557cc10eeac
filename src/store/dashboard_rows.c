/* SPDX-License-Identifier: Apache-2.0 */
#include "store/dashboard_rows.h"

#include "base/compare.h"

#include "store/rows.h"

#include <stdlib.h>

static void bind_range(struct db_query *q, struct uuid deployment_id, int64_t from_us, int64_t to_us)
{
	db_bind_uuid(q, deployment_id);
	db_bind_integer(q, from_us);
	db_bind_integer(q, to_us);
}

enum status dashboard_rows_failures(struct db_conn *c, struct uuid deployment_id, int64_t from_us,
	int64_t to_us, struct arena *a, struct failure_sum **items, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(c,
		"SELECT s.http_status, s.step, s.count, s.last_us, (SELECT f.last_text FROM failure f"
		" WHERE f.deployment_id = $1 AND f.minute_us = s.minute_us AND f.http_status = s.http_status"
		" AND f.step = s.step) FROM (SELECT http_status, step, sum(count) AS count,"
		" max(last_us) AS last_us, max(minute_us) AS minute_us FROM failure WHERE deployment_id = $1"
		" AND minute_us >= $2 AND minute_us < $3 GROUP BY http_status, step) AS s"
		" ORDER BY s.count DESC, s.http_status, s.step");
	bind_range(&q, deployment_id, from_us, to_us);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct failure_sum){db_integer(&q, 0), db_text(&q, 1, a),
			db_integer(&q, 2), db_integer(&q, 3), db_text(&q, 4, a)};
	}
	return db_done(&q, err);
}

enum status dashboard_rows_failure_steps(struct db_conn *c, struct uuid deployment_id, int64_t from_us,
	int64_t to_us, int64_t step_us, struct arena *a, struct failure_step **items, size_t *count,
	struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(c, "SELECT minute_us / $4 * $4 AS start_us, http_status < 500 AS "
					"refused, sum(count) FROM failure"
					" WHERE deployment_id = $1 AND minute_us >= $2 AND minute_us < $3 "
					"GROUP BY start_us, refused");
	bind_range(&q, deployment_id, from_us, to_us);
	db_bind_integer(&q, step_us);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] =
			(struct failure_step){db_integer(&q, 0), db_integer(&q, 1) != 0, db_integer(&q, 2)};
	}
	return db_done(&q, err);
}

enum status dashboard_rows_positions(struct db_conn *c, struct uuid deployment_id, int64_t from_us,
	int64_t to_us, size_t limit, struct arena *a, int64_t **positions, size_t *count, struct err *err)
{
	size_t room = 0;
	/* Of the indexes alone: no row is touched. */
	struct db_query q = db_query(c,
		"SELECT position FROM prediction WHERE deployment_id = $1 AND is_shadow = 0"
		" AND created_us >= $2 AND created_us < $3 UNION ALL SELECT position FROM gone_prediction"
		" WHERE deployment_id = $1 AND is_shadow = 0 AND created_us >= $2 AND created_us < $3"
		" LIMIT $4");
	bind_range(&q, deployment_id, from_us, to_us);
	db_bind_integer(&q, (int64_t)limit);
	*positions = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*positions = rows_grow(a, *positions, *count, &room, sizeof(**positions));
		(*positions)[*count] = db_integer(&q, 0);
	}
	return db_done(&q, err);
}

enum status dashboard_rows_named(struct db_conn *c, struct uuid deployment_id, const struct uuid *ids,
	size_t id_count, struct arena *a, int64_t **positions, size_t *count, struct err *err)
{
	size_t room = 0, all = 0;
	*positions = NULL;
	for (size_t i = 0; i < id_count; i++) {
		struct db_query q = db_query(c,
			"SELECT position, deployment_id, is_shadow FROM prediction WHERE id = $1"
			" UNION ALL SELECT position, deployment_id, is_shadow FROM prediction"
			" WHERE predicted_asset_id = $1"
			" UNION ALL SELECT position, deployment_id, is_shadow FROM gone_prediction WHERE id "
			"= $1"
			" UNION ALL SELECT position, deployment_id, is_shadow FROM gone_prediction"
			" WHERE predicted_asset_id = $1");
		db_bind_uuid(&q, ids[i]);
		while (db_next(&q)) {
			if (!uuid_equal(db_uuid(&q, 1), deployment_id) || db_integer(&q, 2))
				continue;
			*positions = rows_grow(a, *positions, all, &room, sizeof(**positions));
			(*positions)[all++] = db_integer(&q, 0);
		}
		TRY(db_done(&q, err));
	}
	if (all)
		qsort(*positions, all, sizeof(**positions), compare_int64);
	*count = 0;
	for (size_t i = 0; i < all; i++)
		if (i == 0 || (*positions)[i] != (*positions)[i - 1])
			(*positions)[(*count)++] = (*positions)[i];
	return ST_OK;
}
