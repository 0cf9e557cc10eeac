/* SPDX-License-Identifier: Apache-2.0 */
/* The dataset versions that a project's experiments use. */
#include "api/dataset_json.h"
#include "api/id_list.h"
#include "api/nouns.h"
#include "api/project_json.h"
#include "store/dataset_rows.h"
#include "store/project_rows.h"

#define IDS_MAX 1000 /* of one request */

enum status api_project_datasets(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct project_row row;
	struct uuid id, *ids;
	size_t count;
	TRY(api_id(req, "id", "project", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(project_rows_by_id(reader.conn, id, req->arena, &row, err));
	TRY(project_rows_datasets(reader.conn, id, req->arena, &ids, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc), *item;
	for (size_t i = 0; i < count; i++) {
		struct dataset_version_row version;
		TRY(dataset_version_rows_by_id(reader.conn, ids[i], req->arena, &version, err));
		TRY(dataset_version_json(req, reader.conn, doc, &version, &item, err));
		yyjson_mut_arr_append(items, item);
	}
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

struct attachment {
	struct uuid project_id;
	struct uuid *ids;
	size_t count;
	struct arena *arena;
};

static enum status attach(struct db_conn *c, void *arg, struct err *err)
{
	const struct attachment *a = arg;
	struct project_row row;
	TRY(project_rows_by_id(c, a->project_id, a->arena, &row, err));
	return project_rows_attach(c, a->project_id, a->ids[0], err);
}

enum status api_project_dataset_attach(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	struct uuid version;
	struct attachment a = {.ids = &version, .count = 1, .arena = req->arena};
	TRY(api_id(req, "id", "project", &a.project_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "dataset_version_id", true, &version, err));
	TRY(api_write(req, "project.attach_dataset", a.project_id, attach, &a, err));
	return project_reply(req, reply, a.project_id, err);
}

static enum status detach(struct db_conn *c, void *arg, struct err *err)
{
	const struct attachment *a = arg;
	for (size_t i = 0; i < a->count; i++)
		TRY(project_rows_detach(c, a->project_id, a->ids[i], err));
	return ST_OK;
}

enum status api_project_dataset_detach(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct attachment a = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "project", &a.project_id, err));
	TRY(api_body(req, &body, err));
	TRY(id_list_read(req, body, "ids", IDS_MAX, &a.ids, &a.count, err));
	TRY(api_write(req, "project.detach_dataset", a.project_id, detach, &a, err));
	return http_reply_empty(reply, 204);
}
