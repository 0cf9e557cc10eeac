/* SPDX-License-Identifier: Apache-2.0 */
#include "store/shadow_rows.h"

#include "base/check.h"

enum status shadow_rows_insert(struct db_conn *c, const struct shadow_row *s, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO deployment_shadow (id, deployment_id, model_version_id, since_us, position,"
		" role, reason, training_id, until_us,"
		" predictions, compared, cpu_us, champion_cpu_us, skipped)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, 0, 0)");
	db_bind_uuid(&q, s->id);
	db_bind_uuid(&q, s->deployment_id);
	db_bind_uuid(&q, s->model_version_id);
	db_bind_integer(&q, s->since_us);
	db_bind_integer(&q, s->position);
	db_bind_text(&q, s->role ? s->role : SHADOW_ROLE_HAND);
	db_bind_text(&q, s->reason);
	db_bind_uuid(&q, s->training_id);
	if (s->until_us)
		db_bind_integer(&q, s->until_us);
	else
		db_bind_null(&q);
	return db_done(&q, err);
}

#define SHADOW                                                                                               \
	"SELECT s.id, s.deployment_id, s.model_version_id, s.since_us, s.position, s.predictions,"           \
	" s.compared, s.cpu_us, s.champion_cpu_us, s.skipped, s.skipped_text, d.serving = 0, s.role,"        \
	" s.reason, s.training_id, s.until_us"                                                               \
	" FROM deployment_shadow s JOIN deployment d ON d.id = s.deployment_id "

static enum status read_shadows(
	struct db_query *q, struct arena *a, struct shadow_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct shadow_row){
			.id = db_uuid(q, 0),
			.deployment_id = db_uuid(q, 1),
			.model_version_id = db_uuid(q, 2),
			.since_us = db_integer(q, 3),
			.position = db_integer(q, 4),
			.predictions = db_integer(q, 5),
			.compared = db_integer(q, 6),
			.cpu_us = db_integer(q, 7),
			.champion_cpu_us = db_integer(q, 8),
			.skipped = db_integer(q, 9),
			.skipped_text = db_text(q, 10, a),
			.elsewhere = db_integer(q, 11) != 0,
			.role = db_text(q, 12, a),
			.reason = db_text(q, 13, a),
			.training_id = db_uuid(q, 14),
			.until_us = db_integer(q, 15),
		};
	}
	return db_done(q, err);
}

enum status shadow_rows_list(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct shadow_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, SHADOW "WHERE s.deployment_id = $1 ORDER BY s.since_us DESC, s.id DESC");
	db_bind_uuid(&q, deployment_id);
	return read_shadows(&q, a, items, count, err);
}

enum status shadow_rows_over(struct db_conn *c, int64_t now_us, struct arena *a, struct shadow_row **items,
	size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SHADOW "WHERE s.until_us <= $1");
	db_bind_integer(&q, now_us);
	return read_shadows(&q, a, items, count, err);
}

enum status shadow_rows_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT DISTINCT deployment_id FROM deployment_shadow");
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

enum status shadow_rows_delete(struct db_conn *c, struct uuid deployment_id, struct uuid model_version_id,
	bool *existed, struct err *err)
{
	struct db_query q = db_query(
		c, "DELETE FROM deployment_shadow WHERE deployment_id = $1 AND model_version_id = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, model_version_id);
	TRY(db_done(&q, err));
	*existed = db_changes(c) > 0;
	return ST_OK;
}

enum status shadow_rows_compare_anew(struct db_conn *c, struct uuid deployment_id, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE deployment_shadow SET compared = 0, cpu_us = 0, champion_cpu_us = 0"
			    " WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	return db_done(&q, err);
}

/* ---- the log ---- */

enum status shadow_rows_newest(struct db_conn *c, int64_t *position, struct err *err)
{
	struct db_query q = db_query(c, "SELECT coalesce(max(position), 0) FROM prediction");
	return rows_number(&q, position, err);
}

enum status shadow_rows_lag(
	struct db_conn *c, struct uuid deployment_id, int64_t position, int64_t *lag, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM prediction"
					" WHERE deployment_id = $1 AND is_shadow = 0 AND position > $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, position);
	return rows_number(&q, lag, err);
}

#define TASK                                                                                                 \
	"SELECT p.position, p.predicted_asset_id, p.model_version_id, p.threshold, p.cpu_us, o.sha256,"      \
	" EXISTS (SELECT 1 FROM prediction s WHERE s.predicted_asset_id = p.predicted_asset_id"              \
	" AND s.model_version_id = $1)"                                                                      \
	" FROM prediction p JOIN predicted_asset a ON a.id = p.predicted_asset_id"                           \
	" JOIN data d ON d.id = a.data_id LEFT JOIN object o ON o.name = d.object_name"                      \
	" WHERE p.deployment_id = $2 AND p.is_shadow = 0"

static void read_task(struct db_query *q, struct arena *a, struct shadow_task *out)
{
	*out = (struct shadow_task){
		.position = db_integer(q, 0),
		.predicted_asset_id = db_uuid(q, 1),
		.champion_version_id = db_uuid(q, 2),
		.threshold = db_real(q, 3),
		.champion_cpu_us = db_integer(q, 4),
		.sha256 = db_text(q, 5, a),
		.done = db_integer(q, 6) != 0,
	};
}

enum status shadow_rows_tasks(struct db_conn *c, const struct shadow_row *shadow, int64_t after,
	int64_t limit, struct arena *a, struct shadow_task **items, size_t *count, struct err *err)
{
	*items = ARENA_ARRAY(a, struct shadow_task, (size_t)limit);
	*count = 0;
	struct db_query q = db_query(c, TASK " AND p.position > $3 ORDER BY p.position LIMIT $4");
	db_bind_uuid(&q, shadow->model_version_id);
	db_bind_uuid(&q, shadow->deployment_id);
	db_bind_integer(&q, after);
	db_bind_integer(&q, limit);
	while (*count < (size_t)limit && db_next(&q))
		read_task(&q, a, &(*items)[(*count)++]);
	return db_done(&q, err);
}

enum status shadow_rows_task(struct db_conn *c, const struct shadow_row *shadow, struct uuid prediction_id,
	struct arena *a, struct shadow_task *out, struct err *err)
{
	struct db_query q = db_query(c, TASK " AND p.id = $3");
	db_bind_uuid(&q, shadow->model_version_id);
	db_bind_uuid(&q, shadow->deployment_id);
	db_bind_uuid(&q, prediction_id);
	bool found = db_next(&q);
	if (found)
		read_task(&q, a, out);
	TRY(db_done(&q, err));
	char text[UUID_TEXT_SIZE];
	uuid_format(prediction_id, text);
	return found ? ST_OK
		     : err_set(err, ST_MISSING, "The champions of this deployment made no prediction %s.",
			       text);
}

/* ---- what a shadow has done ---- */

enum status shadow_rows_wanted(struct db_conn *c, struct uuid predicted_asset_id,
	struct uuid model_version_id, bool *wanted, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT 1 FROM predicted_asset WHERE id = $1 AND NOT EXISTS"
		" (SELECT 1 FROM prediction WHERE predicted_asset_id = $1 AND model_version_id = $2)");
	db_bind_uuid(&q, predicted_asset_id);
	db_bind_uuid(&q, model_version_id);
	*wanted = db_next(&q);
	return db_done(&q, err);
}

enum status shadow_rows_add(struct db_conn *c, struct uuid id, const struct shadow_progress *progress,
	bool *followed, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE deployment_shadow SET position = CASE WHEN $1 > position THEN $1 ELSE position END,"
		" predictions = predictions + $2, compared = compared + $3, cpu_us = cpu_us + $4,"
		" champion_cpu_us = champion_cpu_us + $5, skipped = skipped + $6,"
		" skipped_text = coalesce($7, skipped_text) WHERE id = $8");
	db_bind_integer(&q, progress->position);
	db_bind_integer(&q, progress->predictions);
	db_bind_integer(&q, progress->compared);
	db_bind_integer(&q, progress->cpu_us);
	db_bind_integer(&q, progress->champion_cpu_us);
	db_bind_integer(&q, progress->skipped);
	db_bind_text(&q, progress->skipped_text);
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	*followed = db_changes(c) == 1;
	return ST_OK;
}
