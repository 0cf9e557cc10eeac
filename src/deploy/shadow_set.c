/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/shadow_set.h"

#include "store/model_rows.h"

#include <inttypes.h>
#include <string.h>

static enum status read_version(struct db_conn *c, struct uuid id, struct arena *a,
	struct model_version_row *version, struct model_row *model, struct err *err)
{
	TRY(model_rows_version_by_id(c, id, a, version, err));
	return model_rows_by_id(c, version->model_id, a, model, err);
}

enum status shadow_set_missing(struct db_conn *c, const struct deployment_row *row, struct uuid version_id,
	struct arena *a, struct err *err)
{
	struct model_version_row version;
	struct model_row model;
	TRY(read_version(c, version_id, a, &version, &model, err));
	return err_set(err, ST_MISSING, "Version %" PRId64 " of model %s is no shadow of deployment %s.",
		version.version, model.name, row->name);
}

static enum status check(const struct deployment_row *row, const struct model_version_row *version,
	const struct model_row *model, struct err *err)
{
	if (strcmp(version->type, row->type) != 0)
		return err_set(err, ST_CONFLICT,
			"Deployment %s is of type %s; a model of type %s cannot be its shadow.", row->name,
			row->type, version->type);
	if (row->serving && strcmp(version->state, "READY") != 0)
		return err_set(err, ST_CONFLICT, "Version %" PRId64 " of model %s cannot be a shadow: %s",
			version->version, model->name,
			version->state_text ? version->state_text
					    : "it has no ONNX file yet; store one first.");
	if (uuid_equal(version->id, row->champion_id))
		return err_set(err, ST_CONFLICT,
			"Version %" PRId64 " of model %s is the champion of deployment %s; its shadow is "
			"another version.",
			version->version, model->name, row->name);
	return ST_OK;
}

static enum status add_event(struct db_conn *c, const struct deployment_row *row, const char *what,
	const char *from, const char *to, const char *who, const char *why, int64_t now_us, struct err *err)
{
	struct deployment_event_row event = {
		.at_us = now_us, .what = what, .who = who, .from = from, .to = to, .why = why};
	return deployment_rows_add_event(c, row->id, &event, err);
}

enum status shadow_set(struct db_conn *c, const struct deployment_row *row, const struct shadow_wish *wish,
	struct arena *a, struct err *err)
{
	struct model_version_row version;
	struct model_row model;
	struct shadow_row shadow = {
		.id = uuid_v7(wish->now_us / 1000),
		.deployment_id = row->id,
		.model_version_id = wish->version_id,
		.since_us = wish->now_us,
		.role = wish->role,
		.reason = wish->reason,
		.training_id = wish->training_id,
		.until_us = wish->until_us,
	};
	TRY(read_version(c, wish->version_id, a, &version, &model, err));
	TRY(check(row, &version, &model, err));
	if (!wish->from_start)
		TRY(shadow_rows_newest(c, &shadow.position, err));
	enum status st = shadow_rows_insert(c, &shadow, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_CONFLICT,
			"Version %" PRId64 " of model %s is a shadow of deployment %s already.",
			version.version, model.name, row->name);
	TRY(st);
	char text[UUID_TEXT_SIZE];
	uuid_format(wish->version_id, text);
	const char *what = wish->role && strcmp(wish->role, SHADOW_ROLE_HELD) == 0 ? "held" : "shadow_set";
	return add_event(c, row, what, NULL, text, wish->who, wish->reason, wish->now_us, err);
}

enum status shadow_unset(struct db_conn *c, const struct deployment_row *row, struct uuid version_id,
	const char *who, const char *why, int64_t now_us, struct arena *a, struct err *err)
{
	bool existed;
	char text[UUID_TEXT_SIZE];
	TRY(shadow_rows_delete(c, row->id, version_id, &existed, err));
	if (!existed)
		return shadow_set_missing(c, row, version_id, a, err);
	uuid_format(version_id, text);
	return add_event(c, row, "shadow_removed", text, NULL, who, why, now_us, err);
}
