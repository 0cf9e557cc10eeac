/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/swap.h"

#include "deploy/shadow_set.h"
#include "os/clock.h"
#include "os/log.h"
#include "store/model_rows.h"
#include "store/pipeline_rows.h"

#include <inttypes.h>
#include <string.h>

static enum status check_not_rolled_back(struct db_conn *c, const struct deployment_row *row,
	const struct swap *swap, const struct model_version_row *version, struct err *err)
{
	bool was;
	TRY(rolled_back_rows_has(c, row->id, swap->version_id, &was, err));
	if (!was || !swap->by_itself)
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"Version %" PRId64
		" was rolled back in deployment %s, so it is not deployed by itself again.",
		version->version, row->name);
}

static enum status check_is_shadow(struct db_conn *c, const struct deployment_row *row,
	const struct swap *swap, struct arena *a, struct err *err)
{
	struct shadow_row *shadows;
	size_t count;
	TRY(shadow_rows_list(c, row->id, a, &shadows, &count, err));
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(shadows[i].model_version_id, swap->version_id))
			return ST_OK;
	return shadow_set_missing(c, row, swap->version_id, a, err);
}

/* Looked at before anything is loaded, and again in the job. */
static enum status check(struct db_conn *c, const struct swap *swap, struct arena *a,
	struct deployment_row *row, struct err *err)
{
	struct model_version_row version;
	TRY(deployment_rows_by_id(c, swap->deployment_id, a, row, err));
	TRY(model_rows_version_by_id(c, swap->version_id, a, &version, err));
	if (strcmp(version.type, row->type) != 0)
		return err_set(err, ST_CONFLICT,
			"Deployment %s is of type %s; a model of type %s cannot answer for it.", row->name,
			row->type, version.type);
	if (!uuid_is_zero(swap->expected_champion_id) &&
		!uuid_equal(swap->expected_champion_id, row->champion_id))
		return err_set(err, ST_CONFLICT,
			"Deployment %s has another champion by now, so this change is not made: look at it "
			"again.",
			row->name);
	TRY(check_not_rolled_back(c, row, swap, &version, err));
	return swap->from_shadow ? check_is_shadow(c, row, swap, a, err) : ST_OK;
}

/* A champion is no shadow, and the other shadows are compared with the new one from now on. */
static enum status change_shadows(struct db_conn *c, const struct swap *swap,
	const struct deployment_row *row, int64_t now_us, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	bool was_shadow;
	TRY(shadow_rows_delete(c, row->id, swap->version_id, &was_shadow, err));
	uuid_format(swap->version_id, text);
	struct deployment_event_row event = {
		.at_us = now_us, .what = "shadow_removed", .who = swap->who, .from = text};
	if (was_shadow && !swap->from_shadow)
		TRY(deployment_rows_add_event(c, row->id, &event, err));
	return shadow_rows_compare_anew(c, row->id, err);
}

/* Who becomes champion is forgiven, and who was gone back from is remembered. */
static enum status note_rolled_back(struct db_conn *c, const struct swap *swap,
	const struct deployment_row *row, struct uuid before, int64_t now_us, struct err *err)
{
	TRY(rolled_back_rows_delete(c, row->id, swap->version_id, err));
	if (strcmp(swap->what, SWAP_BACK) != 0)
		return ST_OK;
	return rolled_back_rows_put(c, row->id, before, now_us, swap->who, err);
}

static enum status keep_before(struct db_conn *c, const struct swap *swap, const struct deployment_row *row,
	struct uuid before, int64_t now_us, struct arena *a, struct err *err)
{
	const struct shadow_wish wish = {
		.version_id = before,
		.role = SHADOW_ROLE_FORMER,
		.reason = "It was the champion before, and follows on so that one can look back.",
		.until_us = swap->keep_until_us,
		.who = swap->who,
		.now_us = now_us,
	};
	return shadow_set(c, row, &wish, a, err);
}

static enum status swap_write(struct db_conn *c, const struct swap *swap, struct arena *a, struct err *err)
{
	struct deployment_row row;
	int64_t now_us = swap->now_us ? swap->now_us : clock_unix_us();
	TRY(check(c, swap, a, &row, err));
	struct uuid before = row.champion_id;
	if (uuid_equal(before, swap->version_id))
		return ST_OK;
	char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
	uuid_format(before, from);
	uuid_format(swap->version_id, to);
	TRY(change_shadows(c, swap, &row, now_us, err));
	TRY(note_rolled_back(c, swap, &row, before, now_us, err));
	struct deployment_event_row event = {.at_us = now_us,
		.what = swap->what,
		.who = swap->who,
		.from = from,
		.to = to,
		.why = swap->why};
	TRY(deployment_rows_add_event(c, row.id, &event, err));
	row.champion_id = swap->version_id;
	row.champion_since_us = now_us;
	TRY(deployment_rows_update(c, &row, err));
	return swap->keep_as_shadow ? keep_before(c, swap, &row, before, now_us, a, err) : ST_OK;
}

enum status swap_prepare(struct roster *roster, struct db_readers *readers, const struct swap *swap,
	struct model **model, struct err *err)
{
	struct deployment_row row;
	struct db_conn *c;
	struct arena a;
	*model = NULL;
	TRY(db_reader_take(readers, &c, err));
	arena_init(&a);
	enum status st = check(c, swap, &a, &row, err);
	arena_release(&a);
	db_reader_give(readers, c);
	TRY(st);
	return row.serving ? roster_model(roster, swap->version_id, model, err) : ST_OK;
}

enum status swap_job(struct db_conn *c, void *arg, struct err *err)
{
	struct arena a;
	arena_init(&a);
	enum status st = swap_write(c, arg, &a, err);
	arena_release(&a);
	return st;
}

enum status swap_run(struct roster *roster, struct db_readers *readers, struct recorder *recorder,
	const struct swap_hooks *hooks, const struct swap *swap, struct err *err)
{
	struct swap copy = *swap; /* the job takes what may be changed */
	struct model *model;
	TRY(swap_prepare(roster, readers, swap, &model, err));
	enum status st = recorder_run(recorder, swap_job, &copy, err);
	if (st == ST_OK)
		st = roster_serve(roster, swap->deployment_id, model, err);
	if (model)
		model_drop(model);
	if (st == ST_OK && hooks && hooks->swapped)
		hooks->swapped(hooks->arg, swap->deployment_id, swap->who);
	return st;
}
