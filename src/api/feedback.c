/* SPDX-License-Identifier: Apache-2.0 */
/* A deployment's Feedback Loop: setting it up, where it goes, what its labels are called there. */
#include "api/api.h"
#include "api/dataset_json.h"
#include "api/feedback_json.h"
#include "api/id_list.h"
#include "api/live.h"
#include "api/nouns.h"
#include "learn/assets.h"
#include "learn/submitter.h"
#include "os/clock.h"
#include "store/deployment_rows.h"

#include <string.h>

#define SUBMIT_AFTER_S_MAX (30 * 24 * 3600)
#define LABELS_AT_ONCE_MAX 10000

/* Whatever changed: the thread looks again, pages fetch, the answer is the loop. */
static enum status changed(
	struct http_request *req, struct http_reply *reply, struct uuid deployment_id, struct err *err)
{
	submitter_poke(api_of(req)->submitter);
	live_changed(api_of(req), deployment_id);
	return feedback_reply(req, reply, deployment_id, err);
}

static enum status check_deployment(struct http_request *req, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row row;
	TRY(api_read(req, &reader, err));
	return deployment_rows_by_id(reader.conn, id, req->arena, &row, err);
}

enum status api_feedback_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return feedback_reply(req, reply, id, err);
}

/* ---- settings ---- */

static enum status set_up(struct db_conn *c, void *arg, struct err *err)
{
	return feedback_rows_insert(c, arg, err);
}

/* Again: it stays as it is. */
enum status api_feedback_setup(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct feedback_row row = {.active = true,
		.submit_by_itself = true,
		.submit_after_s = 600,
		.evaluation_share = 0.2,
		.created_us = clock_unix_us()};
	TRY(api_id(req, "id", "deployment", &row.deployment_id, err));
	TRY(check_deployment(req, row.deployment_id, err));
	TRY(api_write(req, "feedback.setup", row.deployment_id, set_up, &row, err));
	return changed(req, reply, row.deployment_id, err);
}

struct settings {
	struct uuid deployment_id;
	yyjson_val *body;
	bool toggles; /* "active" is required, and nothing else is read */
};

static enum status read_settings(yyjson_val *body, struct feedback_row *row, struct err *err)
{
	TRY(json_bool(body, "submit_by_itself", &row->submit_by_itself, err));
	TRY(json_integer(body, "submit_after_s", &row->submit_after_s, err));
	TRY(json_number(body, "evaluation_share", &row->evaluation_share, err));
	if (row->submit_after_s < 0 || row->submit_after_s > SUBMIT_AFTER_S_MAX)
		return err_set(err, ST_INVALID,
			"\"submit_after_s\" is a number of seconds from 0 to %d (30 days).",
			SUBMIT_AFTER_S_MAX);
	if (!(row->evaluation_share >= 0 && row->evaluation_share <= 1))
		return err_set(err, ST_INVALID,
			"\"evaluation_share\" is a number from 0 to 1: the share of bursts that is kept to "
			"measure with.");
	return ST_OK;
}

static enum status write_settings(struct db_conn *c, void *arg, struct err *err)
{
	const struct settings *s = arg;
	struct feedback_row row;
	bool found;
	TRY(feedback_rows_get(c, s->deployment_id, &row, &found, err));
	if (!found)
		return err_set(err, ST_CONFLICT,
			"The Feedback Loop of this deployment is not set up yet. Set it up first.");
	if (s->toggles && !yyjson_is_bool(yyjson_obj_get(s->body, "active")))
		return err_set(err, ST_INVALID, "\"active\" must be true or false.");
	TRY(json_bool(s->body, "active", &row.active, err));
	if (!s->toggles)
		TRY(read_settings(s->body, &row, err));
	return feedback_rows_update(c, &row, err);
}

static enum status change_settings(
	struct http_request *req, struct http_reply *reply, bool toggles, struct err *err)
{
	struct settings s = {.toggles = toggles};
	TRY(api_id(req, "id", "deployment", &s.deployment_id, err));
	TRY(api_body(req, &s.body, err));
	TRY(check_deployment(req, s.deployment_id, err));
	TRY(api_write(req, toggles ? "feedback.toggle" : "feedback.change", s.deployment_id, write_settings,
		&s, err));
	return changed(req, reply, s.deployment_id, err);
}

enum status api_feedback_toggle(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change_settings(req, reply, true, err);
}

enum status api_feedback_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change_settings(req, reply, false, err);
}

/* ---- labels ---- */

static enum status read_naming(
	struct http_request *req, yyjson_val *list, struct feedback_naming *out, struct err *err)
{
	yyjson_val *item;
	size_t i, n;
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) > LABELS_AT_ONCE_MAX)
		return err_set(err, ST_INVALID,
			"\"labels\" must be a list of {\"label\", \"action\", \"to_name\"}, at most %d.",
			LABELS_AT_ONCE_MAX);
	struct feedback_label_row *rows =
		ARENA_ARRAY(req->arena, struct feedback_label_row, yyjson_arr_size(list) + 1);
	yyjson_arr_foreach (list, i, n, item) {
		if (!yyjson_is_obj(item))
			return err_set(err, ST_INVALID, "Each of \"labels\" must be an object.");
		TRY(api_json_name(item, "label", true, &rows[i].label, err));
		TRY(json_text(item, "action", &rows[i].action, err));
		TRY(api_json_name(item, "to_name", false, &rows[i].to_name, err));
	}
	out->rows = rows;
	out->count = yyjson_arr_size(list);
	return ST_OK;
}

/* Those that are named; of others nothing changes. */
enum status api_feedback_labels(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct feedback_naming naming = {0};
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &naming.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(read_naming(req, yyjson_obj_get(body, "labels"), &naming, err));
	TRY(check_deployment(req, naming.deployment_id, err));
	TRY(api_write(req, "feedback.labels", naming.deployment_id, feedback_name_job, &naming, err));
	return changed(req, reply, naming.deployment_id, err);
}

/* ---- dataset versions ---- */

enum status api_feedback_target_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct feedback f;
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(check_deployment(req, id, err));
	TRY(api_read(req, &reader, err));
	TRY(feedback_read(reader.conn, id, req->arena, &f, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items;
	TRY(feedback_targets_json(req, reader.conn, doc, &f, &items, err));
	return api_reply_list(req, reply, doc, items, (int64_t)f.target_count);
}

enum status api_feedback_target_add(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct feedback_attachment attachment = {.now_us = clock_unix_us()};
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &attachment.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "dataset_version_id", true, &attachment.dataset_version_id, err));
	TRY(api_write(
		req, "feedback.attach", attachment.deployment_id, feedback_attach_job, &attachment, err));
	return changed(req, reply, attachment.deployment_id, err);
}

struct detachment {
	struct uuid deployment_id, *ids;
	size_t count;
};

static enum status detach(struct db_conn *c, void *arg, struct err *err)
{
	const struct detachment *d = arg;
	bool existed;
	for (size_t i = 0; i < d->count; i++)
		TRY(feedback_target_rows_delete(c, d->deployment_id, d->ids[i], &existed, err));
	return ST_OK;
}

/* What went there stays there. */
enum status api_feedback_target_remove(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct detachment d = {0};
	yyjson_val *body;
	TRY(api_id(req, "id", "deployment", &d.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", FEEDBACK_TARGETS_MAX, &d.ids, &d.count, err));
	TRY(check_deployment(req, d.deployment_id, err));
	TRY(api_write(req, "feedback.detach", d.deployment_id, detach, &d, err));
	return changed(req, reply, d.deployment_id, err);
}

/* ---- a fork of a locked one ---- */

static enum status insert_version(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_insert(c, arg, err);
}

static enum status delete_version(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_delete(c, *(const struct uuid *)arg, err);
}

/* With all labels, assets, annotations and tags. */
static enum status read_fork(struct http_request *req, struct dataset_version_row *fork,
	struct assets_copy *copy, struct uuid deployment_id, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row parent;
	struct feedback f;
	yyjson_val *body;
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "dataset_version_id", true, &copy->from_id, err));
	TRY(api_json_name(body, "version", true, &fork->version, err));
	TRY(api_read(req, &reader, err));
	TRY(feedback_read(reader.conn, deployment_id, req->arena, &f, err));
	if (!f.set_up)
		return err_set(err, ST_CONFLICT,
			"The Feedback Loop of this deployment is not set up yet. Set it up first.");
	TRY(dataset_version_rows_by_id(reader.conn, copy->from_id, req->arena, &parent, err));
	fork->dataset_id = parent.dataset_id;
	fork->type = parent.type;
	fork->description = arena_printf(req->arena, "Fork from %s", parent.version);
	fork->forked_from_id = parent.id;
	fork->created_us = clock_unix_us();
	fork->id = copy->to_id = uuid_v7(fork->created_us / 1000);
	copy->with_labels = copy->with_annotations = copy->with_tags = true;
	return ST_OK;
}

enum status api_feedback_target_fork(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct api *api = api_of(req);
	const struct assets_store store = {api->readers, api->recorder};
	struct dataset_version_row fork = {0};
	struct assets_copy copy = {0};
	struct uuid id;
	int64_t copied;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(check_deployment(req, id, err));
	TRY(read_fork(req, &fork, &copy, id, err));
	TRY(api_write(req, "dataset_version.create", fork.id, insert_version, &fork, err));
	struct feedback_attachment attachment = {id, fork.id, clock_unix_us()};
	enum status st = assets_copy(&store, &copy, NULL, &copied, err);
	if (st == ST_OK)
		st = api_write(req, "feedback.attach", id, feedback_attach_job, &attachment, err);
	if (st != ST_OK) { /* a fork that could not be attached leaves nothing */
		struct err ignored;
		(void)!recorder_run(api->recorder, delete_version, &fork.id, &ignored);
		return st;
	}
	return changed(req, reply, id, err);
}
