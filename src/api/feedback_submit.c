/* SPDX-License-Identifier: Apache-2.0 */
/* Reviews to dataset versions, by hand, and back. */
#include "api/api.h"
#include "api/id_list.h"
#include "api/live.h"
#include "api/nouns.h"
#include "api/predicted_asset_json.h"
#include "learn/submitter.h"

#define IDS_MAX 10000

static yyjson_mut_val *problems_json(yyjson_mut_doc *doc, const struct submitter_result *result)
{
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	for (size_t i = 0; i < result->problem_count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		api_add_id(doc, item, "id", result->problems[i].id);
		api_add_text(doc, item, "message", result->problems[i].text);
	}
	return list;
}

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

/* {"ids": […]} or {"all": true} */
static enum status read_which(struct http_request *req, struct uuid **ids, size_t *count, struct err *err)
{
	yyjson_val *body;
	bool all = false;
	*ids = NULL;
	*count = 0;
	TRY(api_body(req, &body, err));
	TRY(json_bool(body, "all", &all, err));
	if (all)
		return ST_OK;
	if (yyjson_obj_get(body, "ids") == NULL)
		return err_set(err, ST_INVALID,
			"Say which: {\"ids\": [predicted images]} or {\"all\": true} for all that are "
			"reviewed.");
	return id_list_read(req, body, "ids", IDS_MAX, ids, count, err);
}

enum status api_feedback_submit(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct submitter_result result;
	struct uuid id, *ids;
	size_t count;
	yyjson_mut_doc *doc;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(read_which(req, &ids, &count, err));
	TRY(submitter_submit(api_of(req)->submitter, id, ids, count, req->arena, &result, err));
	TRY(api_write(req, "feedback.submit", id, nothing, NULL, err)); /* for the audit log */
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_uint(doc, root, "submitted", result.submitted);
	yyjson_mut_obj_add_uint(doc, root, "waiting", result.waiting);
	yyjson_mut_obj_add_uint(doc, root, "already", result.already);
	yyjson_mut_obj_add_val(doc, root, "problems", problems_json(doc, &result));
	yyjson_mut_obj_add_uint(doc, root, "problems_left_out", result.problems_left_out);
	return http_reply_json(req, reply, doc);
}

enum status api_feedback_withdraw(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct feedback_withdrawal withdrawal = {0};
	struct predicted_printer printer;
	struct predicted_row row;
	yyjson_val *body = NULL;
	yyjson_mut_val *root;
	TRY(api_id(req, "id", "predicted image", &withdrawal.id, err));
	if (req->body.size)
		TRY(api_body(req, &body, err));
	if (body)
		TRY(json_bool(body, "force", &withdrawal.force, err));
	TRY(api_write(req, "feedback.withdraw", withdrawal.id, feedback_withdraw_job, &withdrawal, err));
	live_review(api_of(req), withdrawal.deployment_id, withdrawal.id, "REVIEWED");
	TRY(api_read(req, &reader, err));
	TRY(prediction_rows_by_asset(reader.conn, withdrawal.id, req->arena, &row, err));
	predicted_printer_init(&printer, req, reader.conn, -1);
	TRY(predicted_json(&printer, &row, &root, err));
	yyjson_mut_doc_set_root(printer.doc, root);
	return http_reply_json(req, reply, printer.doc);
}
