/* SPDX-License-Identifier: Apache-2.0 */
#include "shadow/outcomes.h"

#include "base/check.h"
#include "base/metrics.h"
#include "store/deployment_rows.h"

/* The present champion; zero when the deployment is gone. */
static enum status read_champion(
	struct db_conn *c, struct uuid deployment_id, struct uuid *champion_id, struct err *err)
{
	struct deployment_row row;
	struct arena a;
	arena_init(&a);
	enum status st = deployment_rows_by_id(c, deployment_id, &a, &row, err);
	*champion_id = st == ST_OK ? row.champion_id : (struct uuid){{0}};
	arena_release(&a);
	return st;
}

static enum status insert_one(struct db_conn *c, const struct outcome *o, struct uuid champion_id,
	struct shadow_progress *progress, struct err *err)
{
	bool wanted;
	TRY(shadow_rows_wanted(c, o->row.predicted_asset_id, o->row.model_version_id, &wanted, err));
	if (!wanted)
		return ST_OK;
	TRY(prediction_rows_insert(c, &o->row, err));
	progress->predictions++;
	if (!uuid_equal(o->champion_version_id, champion_id))
		return ST_OK; /* by a champion before: no comparison with this one */
	progress->compared++;
	progress->cpu_us += o->row.cpu_us;
	progress->champion_cpu_us += o->champion_cpu_us;
	return ST_OK;
}

enum status outcomes_insert(struct db_conn *c, const struct outcomes *o, struct err *err)
{
	struct shadow_progress progress = {
		.position = o->position, .skipped = o->skipped, .skipped_text = o->skipped_text};
	struct uuid champion_id;
	bool followed;
	TRY(read_champion(c, o->deployment_id, &champion_id, err));
	for (size_t i = 0; i < o->count; i++)
		TRY(insert_one(c, &o->predicted[i], champion_id, &progress, err));
	TRY(shadow_rows_add(c, o->shadow_id, &progress, &followed, err));
	return followed ? ST_OK : err_set(err, ST_MISSING, "The shadow was removed meanwhile.");
}

static enum status run(struct db_conn *c, void *arg, struct err *err)
{
	return outcomes_insert(c, arg, err);
}

enum status outcomes_store(struct recorder *r, const struct outcomes *o, struct err *err)
{
	struct outcomes copy = *o;
	TRY(recorder_run(r, run, &copy, err));
	metric_add(METRIC_SHADOW_PREDICTIONS, (int64_t)o->count);
	metric_add(METRIC_SHADOW_SKIPPED, o->skipped);
	return ST_OK;
}
