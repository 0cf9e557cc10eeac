/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pipeline_rows.h"

#include "base/check.h"

/* ---- Continuous Training ---- */

#define TRAINING                                                                                             \
	"deployment_id, active, project_id, model_version_id, parameters, trigger, threshold, every_s,"      \
	" on_drift, drift_images_min, trainer, epoch, failures, ended_id, ended_attempt, paused_text,"       \
	" drift_us, last_us, created_us, updated_us, updated_by"

static void read_training(struct db_query *q, struct arena *a, struct continuous_training_row *out)
{
	*out = (struct continuous_training_row){
		.deployment_id = db_uuid(q, 0),
		.active = db_integer(q, 1) != 0,
		.project_id = db_uuid(q, 2),
		.model_version_id = db_uuid(q, 3),
		.parameters = db_text(q, 4, a),
		.trigger = db_text(q, 5, a),
		.threshold = db_integer(q, 6),
		.every_s = db_integer(q, 7),
		.on_drift = db_integer(q, 8) != 0,
		.drift_images_min = db_integer(q, 9),
		.trainer = db_text(q, 10, a),
		.epoch = db_integer(q, 11),
		.failures = db_integer(q, 12),
		.ended_id = db_uuid(q, 13),
		.ended_attempt = db_integer(q, 14),
		.paused_text = db_text(q, 15, a),
		.drift_us = db_integer(q, 16),
		.last_us = db_integer(q, 17),
		.created_us = db_integer(q, 18),
		.updated_us = db_integer(q, 19),
		.updated_by = db_text(q, 20, a),
	};
}

enum status continuous_training_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct continuous_training_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT " TRAINING " FROM continuous_training WHERE deployment_id = $1");
	*out = (struct continuous_training_row){.deployment_id = deployment_id};
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		read_training(&q, a, out);
	return db_done(&q, err);
}

enum status continuous_training_rows_put(
	struct db_conn *c, const struct continuous_training_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO continuous_training (" TRAINING ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
		" $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21) ON CONFLICT (deployment_id)"
		" DO UPDATE SET active = excluded.active, project_id = excluded.project_id,"
		" model_version_id = excluded.model_version_id, parameters = excluded.parameters,"
		" trigger = excluded.trigger, threshold = excluded.threshold, every_s = excluded.every_s,"
		" on_drift = excluded.on_drift, drift_images_min = excluded.drift_images_min,"
		" trainer = excluded.trainer, epoch = excluded.epoch, failures = excluded.failures,"
		" ended_id = excluded.ended_id, ended_attempt = excluded.ended_attempt,"
		" paused_text = excluded.paused_text, drift_us = excluded.drift_us,"
		" last_us = excluded.last_us, updated_us = excluded.updated_us,"
		" updated_by = excluded.updated_by");
	db_bind_uuid(&q, row->deployment_id);
	db_bind_integer(&q, row->active);
	db_bind_uuid(&q, row->project_id);
	db_bind_uuid(&q, row->model_version_id);
	db_bind_text(&q, row->parameters);
	db_bind_text(&q, row->trigger);
	db_bind_integer(&q, row->threshold);
	rows_bind_or_null(&q, row->every_s);
	db_bind_integer(&q, row->on_drift);
	db_bind_integer(&q, row->drift_images_min);
	db_bind_text(&q, row->trainer);
	db_bind_integer(&q, row->epoch);
	db_bind_integer(&q, row->failures);
	db_bind_uuid(&q, row->ended_id);
	db_bind_integer(&q, row->ended_attempt);
	db_bind_text(&q, row->paused_text);
	db_bind_integer(&q, row->drift_us);
	db_bind_integer(&q, row->last_us);
	db_bind_integer(&q, row->created_us);
	db_bind_integer(&q, row->updated_us);
	db_bind_text(&q, row->updated_by);
	return db_done(&q, err);
}

enum status continuous_training_rows_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT deployment_id FROM continuous_training ORDER BY deployment_id");
	return rows_ids(&q, a, ids, count, err);
}

enum status continuous_training_dataset_rows_list(struct db_conn *c, struct uuid deployment_id,
	struct arena *a, struct continuous_training_dataset_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT name, dataset_version_id FROM continuous_training_dataset WHERE deployment_id = $1"
		" ORDER BY name");
	db_bind_uuid(&q, deployment_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] =
			(struct continuous_training_dataset_row){db_text(&q, 0, a), db_uuid(&q, 1)};
	}
	return db_done(&q, err);
}

enum status continuous_training_dataset_rows_put(struct db_conn *c, struct uuid deployment_id,
	const struct continuous_training_dataset_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO continuous_training_dataset (deployment_id, name, dataset_version_id)"
		" VALUES ($1, $2, $3) ON CONFLICT (deployment_id, name)"
		" DO UPDATE SET dataset_version_id = excluded.dataset_version_id");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, row->name);
	db_bind_uuid(&q, row->dataset_version_id);
	return db_done(&q, err);
}

enum status continuous_training_dataset_rows_delete(struct db_conn *c, struct uuid deployment_id,
	struct uuid dataset_version_id, bool *existed, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM continuous_training_dataset WHERE deployment_id = $1"
					" AND dataset_version_id = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, dataset_version_id);
	TRY(db_done(&q, err));
	*existed = db_changes(c) > 0;
	return ST_OK;
}

/* ---- what counts ---- */

/* A submission that a training would have: into a version that is attached to train with, of a picture that
 * is in none to test with. $1: the deployment. */
#define TRAINABLE                                                                                            \
	" FROM continuous_training_dataset d JOIN feedback_asset f"                                          \
	" ON f.dataset_version_id = d.dataset_version_id"                                                    \
	" JOIN predicted_asset p ON p.id = f.predicted_asset_id JOIN asset x ON x.id = f.asset_id"           \
	" WHERE d.deployment_id = $1 AND p.deployment_id = $1 AND d.name NOT IN ('test', 'val')"             \
	" AND NOT EXISTS (SELECT 1 FROM continuous_training_dataset t JOIN asset y"                          \
	" ON y.dataset_version_id = t.dataset_version_id WHERE t.deployment_id = $1 AND t.name = 'test'"     \
	" AND y.data_id = x.data_id)"

/* Epochs that came to nothing, when none after them was more, or may be yet. */
#define CAME_TO_NOTHING                                                                                      \
	" AND EXISTS (SELECT 1 FROM training r WHERE r.deployment_id = $1 AND r.epoch = f.epoch"             \
	" AND r.status IN ('FAILED', 'CANCELED'))"                                                           \
	" AND NOT EXISTS (SELECT 1 FROM training r WHERE r.deployment_id = $1 AND r.epoch > f.epoch"         \
	" AND r.status NOT IN ('FAILED', 'CANCELED'))"

enum status submission_rows_count(struct db_conn *c, struct uuid deployment_id, int64_t since_us,
	struct submission_counts *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(DISTINCT f.predicted_asset_id)" TRAINABLE
					" AND x.evaluation = 0 AND f.epoch = 0");
	db_bind_uuid(&q, deployment_id);
	*out = (struct submission_counts){0};
	TRY(rows_number(&q, &out->fresh, err));
	q = db_query(c, "SELECT count(DISTINCT f.predicted_asset_id)" TRAINABLE
			" AND x.evaluation = 0" CAME_TO_NOTHING);
	db_bind_uuid(&q, deployment_id);
	TRY(rows_number(&q, &out->kept, err));
	q = db_query(c, "SELECT count(DISTINCT f.predicted_asset_id)" TRAINABLE
			" AND x.evaluation = 1 AND f.epoch = 0");
	db_bind_uuid(&q, deployment_id);
	TRY(rows_number(&q, &out->evaluation, err));
	q = db_query(c, "SELECT count(DISTINCT f.predicted_asset_id), min(p.submitted_us)" TRAINABLE
			" AND x.evaluation = 0 AND p.submitted_us >= $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, since_us);
	if (db_next(&q)) {
		out->recent = db_integer(&q, 0);
		out->recent_us = db_integer(&q, 1);
	}
	return db_done(&q, err);
}

/* Of all submissions of the deployment to what is attached, those to measure with too: the next count begins
 * at none. */
enum status submission_rows_take(struct db_conn *c, struct uuid deployment_id, int64_t epoch, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE feedback_asset SET epoch = $1 WHERE epoch = 0"
		" AND predicted_asset_id IN (SELECT id FROM predicted_asset WHERE deployment_id = $2)"
		" AND dataset_version_id IN (SELECT dataset_version_id FROM continuous_training_dataset"
		" WHERE deployment_id = $2)");
	db_bind_integer(&q, epoch);
	db_bind_uuid(&q, deployment_id);
	return db_done(&q, err);
}

enum status submission_rows_take_copied(struct db_conn *c, struct uuid from_id, struct uuid copy_id,
	struct uuid deployment_id, int64_t epoch, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE feedback_asset SET epoch = $1 WHERE epoch = 0 AND dataset_version_id = $2"
		" AND predicted_asset_id IN (SELECT id FROM predicted_asset WHERE deployment_id = $3)"
		" AND asset_id IN (SELECT o.id FROM asset o JOIN asset k ON k.data_id = o.data_id"
		" WHERE o.dataset_version_id = $2 AND k.dataset_version_id = $4)");
	db_bind_integer(&q, epoch);
	db_bind_uuid(&q, from_id);
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, copy_id);
	return db_done(&q, err);
}

/* ---- what they ask of others ---- */

enum status continuous_training_rows_images(struct db_conn *c, struct uuid dataset_version_id,
	int64_t *images, int64_t *evaluation, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT count(*), coalesce(sum(evaluation), 0) FROM asset WHERE dataset_version_id = $1");
	db_bind_uuid(&q, dataset_version_id);
	if (db_next(&q)) {
		*images = db_integer(&q, 0);
		*evaluation = db_integer(&q, 1);
	}
	return db_done(&q, err);
}

enum status continuous_training_rows_drift(
	struct db_conn *c, struct uuid deployment_id, int64_t *opened_us, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT coalesce(max(e.opened_us), 0) FROM alert_event e JOIN alert a ON a.id = e.alert_id"
		" WHERE e.deployment_id = $1 AND e.closed_us IS NULL AND a.kind = 'is_drift'");
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, opened_us, err);
}

enum status continuous_training_rows_trainable(
	struct db_conn *c, struct uuid model_version_id, struct arena *a, const char **json, struct err *err)
{
	struct db_query q = db_query(c, "SELECT trainable FROM model_version WHERE id = $1");
	db_bind_uuid(&q, model_version_id);
	*json = db_next(&q) ? db_text(&q, 0, a) : NULL;
	return db_done(&q, err);
}

/* ---- Continuous Deployment ---- */

#define DEPLOYMENT                                                                                           \
	"deployment_id, active, policy, gate, tolerance, promote_by_itself, keep_s, created_us, updated_us," \
	" updated_by"

enum status continuous_deployment_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct continuous_deployment_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT " DEPLOYMENT " FROM continuous_deployment WHERE deployment_id = $1");
	*out = (struct continuous_deployment_row){.deployment_id = deployment_id};
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		*out = (struct continuous_deployment_row){
			.deployment_id = db_uuid(&q, 0),
			.active = db_integer(&q, 1) != 0,
			.policy = db_text(&q, 2, a),
			.gate = db_integer(&q, 3) != 0,
			.tolerance = db_real(&q, 4),
			.promote_by_itself = db_integer(&q, 5) != 0,
			.keep_s = db_integer(&q, 6),
			.created_us = db_integer(&q, 7),
			.updated_us = db_integer(&q, 8),
			.updated_by = db_text(&q, 9, a),
		};
	return db_done(&q, err);
}

enum status continuous_deployment_rows_put(
	struct db_conn *c, const struct continuous_deployment_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO continuous_deployment (" DEPLOYMENT
		") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (deployment_id)"
		" DO UPDATE SET active = excluded.active, policy = excluded.policy, gate = excluded.gate,"
		" tolerance = excluded.tolerance, promote_by_itself = excluded.promote_by_itself,"
		" keep_s = excluded.keep_s, updated_us = excluded.updated_us,"
		" updated_by = excluded.updated_by");
	db_bind_uuid(&q, row->deployment_id);
	db_bind_integer(&q, row->active);
	db_bind_text(&q, row->policy);
	db_bind_integer(&q, row->gate);
	db_bind_real(&q, row->tolerance);
	db_bind_integer(&q, row->promote_by_itself);
	db_bind_integer(&q, row->keep_s);
	db_bind_integer(&q, row->created_us);
	db_bind_integer(&q, row->updated_us);
	db_bind_text(&q, row->updated_by);
	return db_done(&q, err);
}

enum status continuous_deployment_rows_by_themselves(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT deployment_id FROM continuous_deployment WHERE active = 1"
					" AND promote_by_itself = 1 ORDER BY deployment_id");
	return rows_ids(&q, a, ids, count, err);
}

/* ---- versions that were rolled back ---- */

enum status rolled_back_rows_put(struct db_conn *c, struct uuid deployment_id, struct uuid model_version_id,
	int64_t at_us, const char *who, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO rolled_back (deployment_id, model_version_id, at_us, who)"
			    " VALUES ($1, $2, $3, $4) ON CONFLICT (deployment_id, model_version_id)"
			    " DO UPDATE SET at_us = excluded.at_us, who = excluded.who");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, model_version_id);
	db_bind_integer(&q, at_us);
	db_bind_text(&q, who);
	return db_done(&q, err);
}

enum status rolled_back_rows_delete(
	struct db_conn *c, struct uuid deployment_id, struct uuid model_version_id, struct err *err)
{
	struct db_query q =
		db_query(c, "DELETE FROM rolled_back WHERE deployment_id = $1 AND model_version_id = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, model_version_id);
	return db_done(&q, err);
}

enum status rolled_back_rows_has(struct db_conn *c, struct uuid deployment_id, struct uuid model_version_id,
	bool *has, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT 1 FROM rolled_back WHERE deployment_id = $1 AND model_version_id = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, model_version_id);
	*has = db_next(&q);
	return db_done(&q, err);
}
