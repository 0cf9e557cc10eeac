/* SPDX-License-Identifier: Apache-2.0 */
#include "store/training_rows.h"

#define COLUMNS                                                                                              \
	"training.id, training.experiment_id, training.deployment_id, training.epoch, training.trigger,"     \
	" training.why, training.who, training.model_id, training.model_name, training.arch,"                \
	" training.trainer, training.status, training.stage, training.attempt, training.pid,"                \
	" training.pid_start, training.progress, training.message, training.exit_code, training.error,"      \
	" training.candidate_id, training.evaluation, training.decision, training.cpu_us,"                   \
	" training.memory_bytes, training.read_bytes, training.log_bytes, training.lines, "                  \
	"training.created_us, training.started_us, training.finished_us"
#define SELECT "SELECT " COLUMNS " FROM training"

static const struct rows_source all_trainings = {
	.select = SELECT,
	.count = "SELECT count(*) FROM training",
	.id = "training.id",
	.created = "training.created_us",
	.name = "training.created_us",
};

static const struct rows_source trainings_of_deployment = {
	.select = SELECT,
	.count = "SELECT count(*) FROM training",
	.where = "training.deployment_id = $1",
	.id = "training.id",
	.created = "training.created_us",
	.name = "training.created_us",
};

static void read_training(struct db_query *q, struct arena *a, struct training_row *out)
{
	*out = (struct training_row){
		.id = db_uuid(q, 0),
		.experiment_id = db_uuid(q, 1),
		.deployment_id = db_uuid(q, 2),
		.epoch = db_integer(q, 3),
		.trigger = db_text(q, 4, a),
		.why = db_text(q, 5, a),
		.who = db_text(q, 6, a),
		.model_id = db_uuid(q, 7),
		.model_name = db_text(q, 8, a),
		.arch = db_text(q, 9, a),
		.trainer = db_text(q, 10, a),
		.status = db_text(q, 11, a),
		.stage = db_text(q, 12, a),
		.attempt = db_integer(q, 13),
		.pid = db_integer(q, 14),
		.pid_start = db_integer(q, 15),
		.progress = db_real(q, 16),
		.message = db_text(q, 17, a),
		.exit_code = db_is_null(q, 18) ? -1 : db_integer(q, 18),
		.error = db_text(q, 19, a),
		.candidate_id = db_uuid(q, 20),
		.evaluation = db_text(q, 21, a),
		.decision = db_text(q, 22, a),
		.cpu_us = db_integer(q, 23),
		.memory_bytes = db_integer(q, 24),
		.read_bytes = db_integer(q, 25),
		.log_bytes = db_integer(q, 26),
		.lines = db_integer(q, 27),
		.created_us = db_integer(q, 28),
		.started_us = db_integer(q, 29),
		.finished_us = db_integer(q, 30),
	};
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no training with the id %s.", text);
}

/* From status on, as both statements have it. */
static void bind_state(struct db_query *q, const struct training_row *row)
{
	db_bind_text(q, row->status);
	db_bind_text(q, row->stage);
	db_bind_integer(q, row->attempt);
	rows_bind_or_null(q, row->pid);
	rows_bind_or_null(q, row->pid_start);
	db_bind_real(q, row->progress);
	db_bind_text(q, row->message);
	if (row->exit_code >= 0)
		db_bind_integer(q, row->exit_code);
	else
		db_bind_null(q);
	db_bind_text(q, row->error);
	db_bind_uuid(q, row->candidate_id);
	db_bind_text(q, row->evaluation);
	db_bind_text(q, row->decision);
	db_bind_integer(q, row->cpu_us);
	db_bind_integer(q, row->memory_bytes);
	db_bind_integer(q, row->read_bytes);
	db_bind_integer(q, row->log_bytes);
	db_bind_integer(q, row->lines);
	rows_bind_or_null(q, row->started_us);
	rows_bind_or_null(q, row->finished_us);
}

enum status training_rows_insert(struct db_conn *c, const struct training_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO training (id, experiment_id, deployment_id, epoch, trigger, why, who, model_id,"
		" model_name, arch, trainer, created_us, status, stage, attempt, pid, pid_start, progress,"
		" message, exit_code, error, candidate_id, evaluation, decision, cpu_us, memory_bytes,"
		" read_bytes, log_bytes, lines, started_us, finished_us) VALUES ($1, $2, $3, $4, $5, $6, $7, "
		"$8, $9, $10, $11, $12, $13,"
		" $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)"
		" ON CONFLICT DO NOTHING");
	db_bind_uuid(&q, row->id);
	db_bind_uuid(&q, row->experiment_id);
	db_bind_uuid(&q, row->deployment_id);
	rows_bind_or_null(&q, row->epoch);
	db_bind_text(&q, row->trigger);
	db_bind_text(&q, row->why);
	db_bind_text(&q, row->who);
	db_bind_uuid(&q, row->model_id);
	db_bind_text(&q, row->model_name);
	db_bind_text(&q, row->arch);
	db_bind_text(&q, row->trainer);
	db_bind_integer(&q, row->created_us);
	bind_state(&q, row);
	TRY(db_done(&q, err));
	return db_changes(c) == 1
		       ? ST_OK
		       : err_set(err, ST_CONFLICT,
				 "This experiment was launched before: an experiment is trained once. Retry "
				 "its training, or make another experiment.");
}

enum status training_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct training_row *out, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_training(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : missing(id, err);
}

enum status training_rows_of_experiment(struct db_conn *c, struct uuid experiment_id, struct arena *a,
	struct training_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE experiment_id = $1");
	db_bind_uuid(&q, experiment_id);
	*found = db_next(&q);
	if (*found)
		read_training(&q, a, out);
	return db_done(&q, err);
}

static enum status read_all(
	struct db_query *q, struct arena *a, struct training_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_training(q, a, &(*items)[*count]);
	}
	return db_done(q, err);
}

enum status training_rows_list(struct db_conn *c, struct uuid deployment_id, const struct rows_page *page,
	struct arena *a, struct training_row **items, size_t *count, int64_t *total, struct err *err)
{
	bool of_all = uuid_is_zero(deployment_id);
	const struct rows_source *source = of_all ? &all_trainings : &trainings_of_deployment;
	struct db_query q = rows_count(c, a, source, page);
	if (!of_all)
		db_bind_uuid(&q, deployment_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, source, page);
	if (!of_all)
		db_bind_uuid(&q, deployment_id);
	rows_bind(&q, page);
	return read_all(&q, a, items, count, err);
}

enum status training_rows_of_dataset(struct db_conn *c, struct uuid dataset_version_id, const char *trigger,
	struct arena *a, struct training_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT
		" WHERE training.trigger = $1 AND training.experiment_id IN (SELECT d.experiment_id FROM"
		" experiment_dataset d JOIN dataset_version v ON v.id = d.dataset_version_id"
		" WHERE v.id = $2 OR v.forked_from_id = $2) ORDER BY created_us DESC LIMIT 1000");
	db_bind_text(&q, trigger);
	db_bind_uuid(&q, dataset_version_id);
	return read_all(&q, a, items, count, err);
}

enum status training_rows_open(
	struct db_conn *c, struct arena *a, struct training_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, SELECT " WHERE status IN ('WAITING', 'RUNNING') ORDER BY created_us, id");
	return read_all(&q, a, items, count, err);
}

enum status training_rows_last(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct training_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(
		c, SELECT " WHERE deployment_id = $1 AND epoch IS NOT NULL ORDER BY epoch DESC LIMIT 1");
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		read_training(&q, a, out);
	return db_done(&q, err);
}

enum status training_rows_update(struct db_conn *c, const struct training_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE training SET status = $1, stage = $2, attempt = $3, pid = $4, pid_start = $5,"
		" progress = $6, message = $7, exit_code = $8, error = $9, candidate_id = $10,"
		" evaluation = $11, decision = $12, cpu_us = $13, memory_bytes = $14, read_bytes = $15,"
		" log_bytes = $16, lines = $17, started_us = $18, finished_us = $19 WHERE id = $20");
	bind_state(&q, row);
	db_bind_uuid(&q, row->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(row->id, err);
}

/* ---- stages ---- */

enum status training_rows_stage_done(struct db_conn *c, struct uuid id, const char *stage, int64_t now_us,
	const char *detail, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO training_stage (training_id, stage, done_us, detail)"
					" VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING");
	db_bind_uuid(&q, id);
	db_bind_text(&q, stage);
	db_bind_integer(&q, now_us);
	db_bind_text(&q, detail);
	return db_done(&q, err);
}

enum status training_rows_stage_undo(struct db_conn *c, struct uuid id, const char *stage, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM training_stage WHERE training_id = $1 AND stage = $2");
	db_bind_uuid(&q, id);
	db_bind_text(&q, stage);
	return db_done(&q, err);
}

enum status training_rows_stages(struct db_conn *c, struct uuid id, struct arena *a,
	struct training_stage_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(c, "SELECT stage, done_us, detail FROM training_stage"
					" WHERE training_id = $1 ORDER BY done_us");
	db_bind_uuid(&q, id);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct training_stage_row){.stage = db_text(&q, 0, a),
			.done_us = db_integer(&q, 1),
			.detail = db_text(&q, 2, a)};
	}
	return db_done(&q, err);
}
