/* SPDX-License-Identifier: Apache-2.0 */
#include "api/deployment_swap.h"

#include "api/deployment_shadow.h"
#include "api/training_data.h"
#include "deploy/roster.h"
#include "os/clock.h"
#include "store/model_rows.h"
#include "store/shadow_rows.h"

/* A champion is no shadow, and the other shadows are compared with the new one from now on. */
static enum status change_shadows(struct db_conn *c, struct deployment_swap *swap, struct err *err)
{
	struct deployment_row *row = &swap->change.row;
	char text[UUID_TEXT_SIZE];
	bool was_shadow;
	TRY(shadow_rows_delete(c, row->id, swap->version_id, &was_shadow, err));
	if (swap->from_shadow && !was_shadow)
		return deployment_shadow_missing(c, row, swap->version_id, &swap->change.arena, err);
	uuid_format(swap->version_id, text);
	if (was_shadow && !swap->from_shadow)
		TRY(deployment_change_event(c, &swap->change, "shadow_removed", text, NULL, err));
	return shadow_rows_compare_anew(c, row->id, err);
}

static enum status set_champion(struct db_conn *c, void *arg, struct err *err)
{
	struct deployment_swap *swap = arg;
	struct deployment_row *row = &swap->change.row;
	TRY(deployment_change_begin(c, &swap->change, err));
	if (strcmp(swap->type, row->type) != 0)
		return err_set(err, ST_CONFLICT,
			"Deployment %s is of type %s; a model of type %s cannot answer for it.", row->name,
			row->type, swap->type);
	struct uuid before = row->champion_id;
	char from[UUID_TEXT_SIZE], to[UUID_TEXT_SIZE];
	uuid_format(before, from);
	uuid_format(swap->version_id, to);
	TRY(change_shadows(c, swap, err));
	TRY(deployment_change_event(c, &swap->change, swap->what, from, to, err));
	row->champion_id = swap->version_id;
	row->champion_since_us = clock_unix_us();
	TRY(deployment_rows_update(c, row, err));
	if (!swap->keep_as_shadow)
		return ST_OK;
	return deployment_shadow_insert(c, &swap->change, before, false, err);
}

/* Looked at before anything is loaded, and again in the job. */
static enum status check_is_shadow(struct db_conn *c, const struct deployment_row *row,
	const struct deployment_swap *swap, struct arena *a, struct err *err)
{
	struct shadow_row *shadows;
	size_t count;
	TRY(shadow_rows_list(c, row->id, a, &shadows, &count, err));
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(shadows[i].model_version_id, swap->version_id))
			return ST_OK;
	return deployment_shadow_missing(c, row, swap->version_id, a, err);
}

static enum status read_swap(struct http_request *req, struct uuid deployment_id,
	struct deployment_swap *swap, bool *serving, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row row;
	struct model_version_row version;
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, deployment_id, req->arena, &row, err));
	TRY(model_rows_version_by_id(reader.conn, swap->version_id, req->arena, &version, err));
	swap->type = version.type;
	*serving = row.serving;
	return swap->from_shadow ? check_is_shadow(reader.conn, &row, swap, req->arena, err) : ST_OK;
}

enum status deployment_swap_run(struct http_request *req, struct http_reply *reply, struct uuid id,
	struct deployment_swap *swap, struct err *err)
{
	bool serving;
	TRY(read_swap(req, id, swap, &serving, err));
	struct model *model = NULL;
	if (serving)
		TRY(roster_model(api_of(req)->roster, swap->version_id, &model, err));
	enum status st = deployment_change_run(
		req, reply, "deployment.model", id, set_champion, &swap->change, model, err);
	if (model)
		model_drop(model);
	if (st == ST_OK)
		training_data_follow(req, id);
	return st;
}
