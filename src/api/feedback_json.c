/* SPDX-License-Identifier: Apache-2.0 */
#include "api/feedback_json.h"

#include "api/dataset_json.h"
#include "api/live.h"
#include "learn/loop.h"
#include "learn/submitter.h"

#include <string.h>

enum status feedback_targets_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct feedback *f, yyjson_mut_val **out, struct err *err)
{
	*out = yyjson_mut_arr(doc);
	for (size_t i = 0; i < f->target_count; i++) {
		yyjson_mut_val *version, *item = yyjson_mut_arr_add_obj(doc, *out);
		TRY(dataset_version_json(req, c, doc, &f->targets[i].version, &version, err));
		yyjson_mut_obj_add_val(doc, item, "dataset_version", version);
		api_add_time(doc, item, "since", f->targets[i].since_us);
	}
	return ST_OK;
}

/* ---- labels ---- */

struct label_list {
	yyjson_mut_doc *doc;
	yyjson_mut_val *items;
	const struct feedback *f;
};

static bool is_in(const struct label_list *list, const char *label)
{
	size_t i, n;
	yyjson_mut_val *item;
	yyjson_mut_arr_foreach(list->items, i, n,
		item) if (strcmp(yyjson_mut_get_str(yyjson_mut_obj_get(item, "label")), label) ==
			  0) return true;
	return false;
}

/* What people said of it, or what follows by itself; null: it waits. */
static void add_label(struct label_list *list, const char *label)
{
	const struct feedback_label_row *said = feedback_said(list->f, label);
	const char *name, *action = said ? said->action : NULL;
	bool make;
	if (is_in(list, label))
		return;
	enum feedback_fate fate = feedback_label(list->f, label, &name, &make);
	if (said == NULL && fate == FEEDBACK_GOES)
		action = "keep";
	yyjson_mut_val *item = yyjson_mut_arr_add_obj(list->doc, list->items);
	yyjson_mut_obj_add_strcpy(list->doc, item, "label", label);
	api_add_text(list->doc, item, "action", action);
	api_add_text(list->doc, item, "to_name", fate == FEEDBACK_GOES ? name : NULL);
	yyjson_mut_obj_add_bool(list->doc, item, "waits", fate == FEEDBACK_WAITS);
}

/* The champion's, those that something was said of, and those that reviews have and wait for. */
static enum status add_labels(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	yyjson_mut_val *root, const struct feedback *f, const struct submitter_counts *counts,
	struct err *err)
{
	struct label_list list = {doc, yyjson_mut_obj_add_arr(doc, root, "labels"), f};
	const char **labels;
	uint32_t count;
	TRY(feedback_champion_labels(c, f->row.deployment_id, req->arena, &labels, &count, err));
	for (uint32_t i = 0; i < count; i++)
		add_label(&list, labels[i]);
	for (size_t i = 0; i < f->label_count; i++)
		add_label(&list, f->labels[i].label);
	for (size_t i = 0; i < counts->label_count; i++)
		add_label(&list, counts->labels[i].label);
	return ST_OK;
}

/* ---- counts ---- */

static void add_counts(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct submitter_counts *counts)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "counts");
	yyjson_mut_obj_add_int(doc, object, "reviewed", counts->reviewed);
	yyjson_mut_obj_add_int(doc, object, "submitted", counts->submitted);
	yyjson_mut_obj_add_int(doc, object, "waiting", counts->waiting);
	yyjson_mut_val *labels = yyjson_mut_obj_add_obj(doc, object, "waiting_labels");
	for (size_t i = 0; i < counts->label_count; i++)
		yyjson_mut_obj_add_int(doc, labels, counts->labels[i].label, counts->labels[i].pictures);
	api_add_time(doc, object, "next_submission_at", counts->next_us);
}

/* Why nothing goes, of a loop that is set up and on. */
static void add_problems(
	struct http_request *req, yyjson_mut_doc *doc, yyjson_mut_val *root, const struct feedback *f)
{
	struct err closed;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "problems");
	if (f->set_up && f->row.active && feedback_open(f, &closed) != ST_OK)
		yyjson_mut_arr_add_strcpy(doc, list, closed.text);
}

enum status feedback_reply(
	struct http_request *req, struct http_reply *reply, struct uuid deployment_id, struct err *err)
{
	API_READER reader = {0};
	struct feedback f;
	struct submitter_counts counts;
	yyjson_mut_doc *doc;
	yyjson_mut_val *targets, *root = api_object(req, &doc);
	TRY(api_read(req, &reader, err));
	TRY(feedback_read(reader.conn, deployment_id, req->arena, &f, err));
	TRY(submitter_count(reader.conn, &f, req->arena, &counts, err));
	yyjson_mut_obj_add_bool(doc, root, "set_up", f.set_up);
	yyjson_mut_obj_add_bool(doc, root, "active", f.set_up && f.row.active);
	yyjson_mut_obj_add_bool(doc, root, "submit_by_itself", f.row.submit_by_itself);
	yyjson_mut_obj_add_int(doc, root, "submit_after_s", f.row.submit_after_s);
	yyjson_mut_obj_add_real(doc, root, "evaluation_share", f.row.evaluation_share);
	TRY(feedback_targets_json(req, reader.conn, doc, &f, &targets, err));
	yyjson_mut_obj_add_val(doc, root, "targets", targets);
	TRY(add_labels(req, reader.conn, doc, root, &f, &counts, err));
	add_counts(doc, root, &counts);
	add_problems(req, doc, root, &f);
	return http_reply_json(req, reply, doc);
}

void feedback_submitted(void *arg, struct uuid deployment_id, const struct uuid *ids, size_t count)
{
	const struct api *api = arg;
	loop_poke(api->loop);
	for (size_t i = 0; i < count; i++)
		live_review(arg, deployment_id, ids[i], "SUBMITTED");
}
