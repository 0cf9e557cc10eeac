/* SPDX-License-Identifier: Apache-2.0 */
/* An experiment's result becomes a model version, by a person's wish. */
#include "api/experiment_json.h"
#include "api/model_json.h"
#include "api/nouns.h"
#include "learn/publish.h"
#include "os/clock.h"

static enum status read_publication(struct http_request *req, struct publication *p, struct err *err)
{
	API_READER reader = {0};
	TRY(api_id(req, "id", "experiment", &p->experiment.id, err));
	TRY(api_read(req, &reader, err));
	return publication_read(reader.conn, p, err);
}

static enum status insert_publication(struct db_conn *c, void *arg, struct err *err)
{
	return publication_insert(c, arg, err);
}

static enum status publish(
	struct http_request *req, struct http_reply *reply, struct publication *p, struct err *err)
{
	TRY(read_publication(req, p, err));
	TRY(publication_admit(api_of(req)->blobs, p, err));
	p->row.created_us = clock_unix_us();
	p->row.id = uuid_v7(p->row.created_us / 1000);
	TRY(api_write(req, "experiment.publish", p->row.id, insert_publication, p, err));
	reply->code = 201;
	return model_version_reply(req, reply, p->row.id, err);
}

/* {"name"}: the first version of a new model. */
enum status api_experiment_publish(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct publication *p = ARENA_NEW(req->arena, struct publication);
	yyjson_val *body;
	p->arena = req->arena;
	p->is_new = true;
	p->model = (struct model_row){.description = "", .organization_id = api_of(req)->organization_id};
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &p->model.name, err));
	p->model.created_us = clock_unix_us();
	p->model.id = uuid_v7(p->model.created_us / 1000);
	return publish(req, reply, p, err);
}

/* {"model_id"}: the next version of that model. */
enum status api_experiment_publish_version(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct publication *p = ARENA_NEW(req->arena, struct publication);
	yyjson_val *body;
	p->arena = req->arena;
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "model_id", true, &p->model.id, err));
	return publish(req, reply, p, err);
}
