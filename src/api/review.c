/* SPDX-License-Identifier: Apache-2.0 */
/* Reviews and drafts of predicted images. */
#include "learn/review.h"

#include "api/live.h"
#include "api/nouns.h"
#include "api/predicted_asset_json.h"
#include "base/check.h"
#include "os/clock.h"

#define ACCEPT_MAX 500    /* images a request */
#define ACCEPT_AT_ONCE 50 /* a job */
#define SECONDS_MAX 86400
#define KEYS_MAX 1000000

/* ---- what all of them read ---- */

static void who_reviews(const struct http_request *req, struct review_row *row)
{
	const struct caller *caller = caller_of(req);
	row->who = caller ? caller->user_name : "";
	row->user_id = caller ? caller->user_id : (struct uuid){{0}};
}

static enum status read_base(yyjson_val *body, int64_t *base, struct err *err)
{
	TRY(json_integer(body, "base_revision", base, err));
	return *base >= REVIEW_BASE_ANY ? ST_OK
					: err_set(err, ST_INVALID, "\"base_revision\" must not be negative.");
}

/* A body that may be absent. */
static enum status read_body(struct http_request *req, yyjson_val **body, struct err *err)
{
	*body = NULL;
	return req->body.size ? api_body(req, body, err) : ST_OK;
}

static enum status begin(struct http_request *req, const char *kind, struct review_save *out, struct err *err)
{
	int64_t now_us = clock_unix_us();
	*out = (struct review_save){.base_revision = REVIEW_BASE_ANY, .arena = req->arena};
	out->review = (struct review_row){.id = uuid_v7(now_us / 1000),
		.kind = kind,
		.shapes = "[]",
		.seconds = -1,
		.keys = -1,
		.created_us = now_us};
	who_reviews(req, &out->review);
	return api_id(req, "id", "predicted image", &out->review.predicted_asset_id, err);
}

/* ---- saving, and being told ---- */

/* {"message", "detail": [what is stored]} */
static enum status reply_conflict(struct http_request *req, struct http_reply *reply,
	const struct review_draft_row *stored, const char *kind, const char *message)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(doc, root, "message", message);
	yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, yyjson_mut_obj_add_arr(doc, root, "detail"));
	yyjson_mut_obj_add_int(doc, item, "revision", stored->revision);
	api_add_json(doc, item, "shapes", stored->shapes, req->arena);
	api_add_text(doc, item, "who", stored->who);
	api_add_time(doc, item, "updated_at", stored->updated_us);
	api_add_text(doc, item, "kind", kind);
	reply->code = status_http(ST_CONFLICT);
	return http_reply_json(req, reply, doc);
}

static const char *status_after(const struct review_row *row)
{
	return strcmp(row->kind, "SKIPPED") == 0  ? "SKIPPED"
	       : strcmp(row->kind, "UNDONE") == 0 ? "TO REVIEW"
						  : "REVIEWED";
}

static enum status save(
	struct http_request *req, struct http_reply *reply, struct review_save *s, struct err *err)
{
	struct err why;
	enum status st =
		api_write(req, "review.create", s->review.predicted_asset_id, review_save_job, s, &why);
	if (st == ST_CONFLICT && s->conflict)
		return reply_conflict(req, reply, &s->stored, s->stored_kind, why.text);
	if (st != ST_OK)
		return err_set(err, st, "%s", why.text);
	if (!s->repeated)
		live_review(api_of(req), s->review.deployment_id, s->review.predicted_asset_id,
			status_after(&s->review));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, review_json(doc, &s->review, req->arena));
	reply->code = 201;
	return http_reply_json(req, reply, doc);
}

/* ---- a review ---- */

static enum status read_image(
	struct http_request *req, struct uuid id, struct review_image *out, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	return review_image_read(reader.conn, id, req->arena, out, err);
}

/* The kind is worked out; one that is given must not contradict the shapes. */
static enum status check_kind(yyjson_val *body, const struct drawn_shapes *shapes, struct err *err)
{
	const char *kind = NULL;
	TRY(json_text(body, "kind", &kind, err));
	if (kind == NULL || strcmp(kind, "CORRECTED") == 0 || strcmp(kind, "ACCEPTED") == 0)
		return ST_OK;
	if (strcmp(kind, "NOTHING") != 0)
		return err_set(err, ST_INVALID,
			"\"kind\" is CORRECTED, ACCEPTED or NOTHING; skipping and undoing have paths of "
			"their "
			"own.");
	return shapes->count == 0
		       ? ST_OK
		       : err_set(err, ST_INVALID, "A review with shapes does not say that there is nothing.");
}

static enum status read_effort(yyjson_val *body, struct review_row *row, struct err *err)
{
	double seconds = row->seconds;
	int64_t keys = row->keys;
	TRY(json_number(body, "seconds", &seconds, err));
	TRY(json_integer(body, "keys", &keys, err));
	/* Whoever left the tool open overnight did not work all that time. */
	row->seconds = seconds >= 0 && seconds <= SECONDS_MAX ? seconds : -1;
	row->keys = keys >= 0 && keys <= KEYS_MAX ? keys : -1;
	return ST_OK;
}

static enum status read_review(
	struct http_request *req, yyjson_val *body, struct review_save *s, struct err *err)
{
	struct review_image image;
	struct drawn_shapes shapes;
	struct review_row *row = &s->review;
	TRY(read_image(req, row->predicted_asset_id, &image, err));
	yyjson_val *list = yyjson_obj_get(body, "shapes");
	if (list)
		TRY(drawn_read(list, image.row.width, image.row.height, req->arena, &shapes, err));
	else
		TRY(drawn_read_sdk(body, image.row.width, image.row.height, req->arena, &shapes, err));
	TRY(review_check(image.task, &shapes, err));
	TRY(check_kind(body, &shapes, err));
	TRY(read_effort(body, row, err));
	TRY(api_json_name(body, "client_id", false, &row->client_id, err));
	TRY(read_base(body, &s->base_revision, err));
	row->kind = review_kind(&shapes, &image.answer, req->arena);
	row->shapes = drawn_print(&shapes, req->arena);
	row->prediction_id = image.row.prediction.id;
	return ST_OK;
}

enum status api_review_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct review_save s;
	yyjson_val *body;
	TRY(begin(req, NULL, &s, err));
	TRY(api_body(req, &body, err));
	TRY(read_review(req, body, &s, err));
	return save(req, reply, &s, err);
}

enum status api_review_skip(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct review_save s;
	yyjson_val *body;
	TRY(begin(req, "SKIPPED", &s, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "reason", true, &s.review.reason, err));
	TRY(api_json_name(body, "client_id", false, &s.review.client_id, err));
	s.base_revision = 0; /* skipping takes nobody's review away */
	TRY(read_base(body, &s.base_revision, err));
	return save(req, reply, &s, err);
}

enum status api_review_undo(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct review_save s;
	yyjson_val *body;
	TRY(begin(req, "UNDONE", &s, err));
	TRY(read_body(req, &body, err));
	TRY(api_json_name(body, "client_id", false, &s.review.client_id, err));
	return save(req, reply, &s, err);
}

/* ---- drafts ---- */

enum status api_draft_put(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct review_draft_save s = {.arena = req->arena};
	struct review_image image;
	struct drawn_shapes shapes;
	struct err why;
	yyjson_val *body;
	const struct caller *caller = caller_of(req);
	TRY(api_id(req, "id", "predicted image", &s.draft.predicted_asset_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "client_id", true, &s.draft.client_id, err));
	TRY(read_base(body, &s.base_revision, err));
	TRY(read_image(req, s.draft.predicted_asset_id, &image, err));
	TRY(drawn_read(
		yyjson_obj_get(body, "shapes"), image.row.width, image.row.height, req->arena, &shapes, err));
	s.draft.shapes = drawn_print(&shapes, req->arena);
	s.draft.who = caller ? caller->user_name : "";
	s.user_id = caller ? caller->user_id : (struct uuid){{0}};
	s.draft.updated_us = clock_unix_us();
	enum status st = recorder_run(api_of(req)->recorder, review_draft_save_job, &s, &why);
	if (st == ST_CONFLICT && s.conflict)
		return reply_conflict(req, reply, &s.stored, s.stored_kind, why.text);
	if (st != ST_OK)
		return err_set(err, st, "%s", why.text);
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_int(doc, root, "revision", s.draft.revision);
	return http_reply_json(req, reply, doc);
}

static enum status delete_draft(struct db_conn *c, void *arg, struct err *err)
{
	return review_draft_rows_delete(c, *(struct uuid *)arg, err);
}

enum status api_draft_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "predicted image", &id, err));
	TRY(recorder_run(api_of(req)->recorder, delete_draft, &id, err));
	return http_reply_empty(reply, 204);
}

/* ---- many at once, as they are ---- */

struct accept_item {
	struct uuid id;
	struct review_save save;
	bool done;
	const char *problem; /* NULL: none */
};
struct accept {
	struct uuid deployment_id;
	struct accept_item *items;
	size_t count;
	struct arena *arena;
};

/* Why an image cannot be accepted beside others: somebody is at it, or was. NULL: it can. */
static enum status find_hindrance(
	struct db_conn *c, struct accept *all, struct accept_item *item, struct err *err)
{
	struct review_row *row = &item->save.review, counting;
	struct review_draft_row draft;
	struct queue_lease lease;
	bool found;
	TRY(queue_rows_lease(c, item->id, row->created_us, all->arena, &lease, &found, err));
	if (found && !uuid_equal(lease.user_id, row->user_id))
		item->problem = arena_printf(all->arena, "%s is looking at this image.", lease.who);
	TRY(review_draft_rows_read(c, item->id, all->arena, &draft, &found, err));
	if (found && strcmp(draft.who, row->who) != 0)
		item->problem = arena_printf(all->arena, "%s is working on this image.", draft.who);
	TRY(review_rows_counting(c, item->id, all->arena, &counting, &found, err));
	if (found)
		item->problem = arena_printf(all->arena, "%s has reviewed this image already.", counting.who);
	return ST_OK;
}

static enum status accept_one(
	struct db_conn *c, struct accept *all, struct accept_item *item, struct err *err)
{
	struct review_row *row = &item->save.review;
	struct err why;
	TRY(review_rows_by_client(c, item->id, row->client_id, all->arena, row, &item->done, err));
	if (item->done)
		return ST_OK;
	TRY(find_hindrance(c, all, item, err));
	if (item->problem)
		return ST_OK;
	enum status st = review_rows_insert(c, row, &item->done, &why);
	if (st == ST_CONFLICT || st == ST_MISSING) {
		item->problem = arena_strdup(all->arena, why.text);
		return ST_OK;
	}
	return st == ST_OK ? ST_OK : err_set(err, st, "%s", why.text);
}

static enum status accept_job(struct db_conn *c, void *arg, struct err *err)
{
	struct accept *all = arg;
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].problem == NULL)
			TRY(accept_one(c, all, &all->items[i], err));
	return ST_OK;
}

/* What is saved of one image is worked out beside the writer. */
static enum status prepare(struct http_request *req, struct db_conn *c, const struct accept *all,
	struct accept_item *item, const char *client_id, struct err *err)
{
	struct review_image image;
	struct review_row *row = &item->save.review;
	struct err why;
	enum status st = review_image_read(c, item->id, req->arena, &image, &why);
	if (st != ST_OK && st != ST_MISSING)
		return err_set(err, st, "%s", why.text);
	if (st == ST_MISSING || !uuid_equal(image.deployment.id, all->deployment_id)) {
		item->problem = "There is no such image in this deployment.";
		return ST_OK;
	}
	*row = (struct review_row){.id = uuid_v7(clock_unix_ms()),
		.predicted_asset_id = item->id,
		.deployment_id = all->deployment_id,
		.kind = review_kind(&image.answer, &image.answer, req->arena),
		.shapes = drawn_print(&image.answer, req->arena),
		.prediction_id = image.row.prediction.id,
		.client_id = client_id,
		.seconds = -1,
		.keys = -1,
		.created_us = clock_unix_us()};
	who_reviews(req, row);
	return ST_OK;
}

static enum status prepare_all(
	struct http_request *req, struct accept *all, const char *client_id, struct err *err)
{
	API_READER reader = {0};
	struct deployment_row deployment;
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_by_id(reader.conn, all->deployment_id, req->arena, &deployment, err));
	for (size_t i = 0; i < all->count; i++)
		TRY(prepare(req, reader.conn, all, &all->items[i], client_id, err));
	return ST_OK;
}

static enum status read_ids(struct http_request *req, yyjson_val *body, struct accept *all, struct err *err)
{
	yyjson_val *list = yyjson_obj_get(body, "ids"), *value;
	size_t i, n, count = yyjson_arr_size(list);
	if (!yyjson_is_arr(list) || count > ACCEPT_MAX)
		return err_set(err, ST_INVALID, "\"ids\" must be a list of at most %d ids.", ACCEPT_MAX);
	all->items = ARENA_ARRAY(req->arena, struct accept_item, count);
	yyjson_arr_foreach (list, i, n, value) {
		if (!uuid_parse(yyjson_get_str(value), &all->items[i].id))
			return err_set(err, ST_INVALID, "\"ids\" must hold ids (UUIDs).");
	}
	all->count = count;
	return ST_OK;
}

static enum status reply_accepted(
	struct http_request *req, struct http_reply *reply, const struct accept *all)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc), *problems;
	int64_t accepted = 0;
	for (size_t i = 0; i < all->count; i++)
		accepted += all->items[i].done;
	yyjson_mut_obj_add_int(doc, root, "accepted", accepted);
	problems = yyjson_mut_obj_add_arr(doc, root, "problems");
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].problem == NULL)
			continue;
		yyjson_mut_val *problem = yyjson_mut_arr_add_obj(doc, problems);
		api_add_id(doc, problem, "id", all->items[i].id);
		api_add_text(doc, problem, "message", all->items[i].problem);
	}
	return http_reply_json(req, reply, doc);
}

enum status api_review_accept(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct accept all = {.arena = req->arena};
	yyjson_val *body;
	const char *client_id = NULL;
	TRY(api_id(req, "id", "deployment", &all.deployment_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "client_id", false, &client_id, err));
	TRY(read_ids(req, body, &all, err));
	TRY(prepare_all(req, &all, client_id, err));
	for (size_t at = 0; at < all.count; at += ACCEPT_AT_ONCE) {
		struct accept some = all;
		some.items = all.items + at;
		some.count = all.count - at < ACCEPT_AT_ONCE ? all.count - at : ACCEPT_AT_ONCE;
		TRY(api_write(req, "review.accept", all.deployment_id, accept_job, &some, err));
	}
	for (size_t i = 0; i < all.count; i++)
		if (all.items[i].done)
			live_review(api_of(req), all.deployment_id, all.items[i].id, "REVIEWED");
	return reply_accepted(req, reply, &all);
}
