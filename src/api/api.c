/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of all nouns share: reading what clients write, building JSON, and the one way to change
 * something. */
#include "api/api.h"

#include "http/head.h"
#include "os/clock.h"
#include "store/account_rows.h"

/* ---- reading a request ---- */

enum status api_id(const struct http_request *req, const char *param, const char *what, struct uuid *out,
	struct err *err)
{
	const char *text = http_param(req, param);
	if (uuid_parse(text, out))
		return ST_OK;
	return err_set(err, ST_MISSING, "There is no %s with the id %.100s.", what, text);
}

enum status api_json_id(yyjson_val *object, const char *key, bool required, struct uuid *out, struct err *err)
{
	const char *text = NULL;
	TRY(json_text(object, key, &text, err));
	if (text == NULL && !required)
		return ST_OK;
	if (text == NULL)
		return err_set(err, ST_INVALID, "\"%s\" is missing: it must be an id (a UUID).", key);
	if (!uuid_parse(text, out))
		return err_set(err, ST_INVALID, "\"%s\" must be an id (a UUID).", key);
	return ST_OK;
}

static enum status check_text(
	const char *text, const char *what, size_t characters_max, bool breaks, struct err *err)
{
	struct span bytes = span_of_text(text);
	if (!head_is_utf8(bytes))
		return err_set(err, ST_INVALID, "\"%s\" must be UTF-8 text.", what);
	size_t characters = 0;
	for (size_t i = 0; i < bytes.size; i++) {
		uint8_t c = bytes.data[i];
		bool is_break = c == '\n' || c == '\r' || c == '\t';
		/* C1 controls are 0xc2 0x80 … 0xc2 0x9f. */
		if ((c < 0x20 && !(breaks && is_break)) || c == 0x7f ||
			(c == 0xc2 && bytes.data[i + 1] < 0xa0))
			return err_set(err, ST_INVALID, "\"%s\" must not contain control characters.", what);
		characters += (c & 0xc0) != 0x80;
	}
	if (characters > characters_max)
		return err_set(err, ST_INVALID,
			"\"%s\" is too long: it has %zu characters, and %zu is the most.", what, characters,
			characters_max);
	return ST_OK;
}

enum status api_check_name(const char *text, const char *what, struct err *err)
{
	if (text[strspn(text, " ")] == '\0')
		return err_set(err, ST_INVALID, "\"%s\" must not be empty.", what);
	return check_text(text, what, API_NAME_MAX, false, err);
}

enum status api_check_prose(const char *text, const char *what, struct err *err)
{
	return check_text(text, what, API_PROSE_MAX, true, err);
}

enum status api_body(struct http_request *req, yyjson_val **object, struct err *err)
{
	yyjson_doc *doc;
	TRY(http_json(req, &doc, err));
	*object = yyjson_doc_get_root(doc);
	return yyjson_is_obj(*object) ? ST_OK : err_set(err, ST_INVALID, "The body must be a JSON object.");
}

enum status api_json_name(
	yyjson_val *object, const char *key, bool required, const char **out, struct err *err)
{
	const char *text = NULL;
	TRY(json_text(object, key, &text, err));
	if (text == NULL)
		return required ? err_set(err, ST_INVALID,
					  "\"%s\" is missing: it must be a text that is not empty.", key)
				: ST_OK;
	TRY(api_check_name(text, key, err));
	*out = text;
	return ST_OK;
}

enum status api_json_prose(yyjson_val *object, const char *key, const char **out, struct err *err)
{
	const char *text = NULL;
	TRY(json_text(object, key, &text, err));
	if (text == NULL)
		return ST_OK;
	TRY(api_check_prose(text, key, err));
	*out = text;
	return ST_OK;
}

enum status api_json_stored(
	struct http_request *req, yyjson_val *object, const char *key, const char **out, struct err *err)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	if (value == NULL)
		return ST_OK;
	*out = NULL;
	if (yyjson_is_null(value))
		return ST_OK;
	if (!yyjson_is_obj(value))
		return err_set(err, ST_INVALID, "\"%s\" must be an object.", key);
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, yyjson_val_mut_copy(doc, value));
	struct span text = json_print(doc, req->arena);
	if (text.size > API_STORED_JSON_MAX)
		return err_set(err, ST_TOO_LARGE,
			"\"%s\" is too large: it has %zu bytes, and %u is the most.", key, text.size,
			API_STORED_JSON_MAX);
	*out = (const char *)text.data;
	return ST_OK;
}

enum status api_query_text(
	const struct http_request *req, const char *name, const char **out, struct err *err)
{
	*out = http_query(req, name);
	if (*out == NULL || **out == '\0')
		return err_set(err, ST_INVALID, "The query must say \"%s\".", name);
	return ST_OK;
}

static bool parse_order(const char *text, enum rows_order *out)
{
	static const char *const names[ROWS_ORDER_COUNT] = {
		[ROWS_OLDEST] = "created_at",
		[ROWS_NEWEST] = "-created_at",
		[ROWS_NAME] = "name",
		[ROWS_NAME_DOWN] = "-name",
	};
	for (enum rows_order o = 0; o < ROWS_ORDER_COUNT; o++) {
		if (strcmp(names[o], text) == 0) {
			*out = o;
			return true;
		}
	}
	return false;
}

#define LIMIT_MAX 1000
#define ORDERS_MAX 4

enum status api_page(const struct http_request *req, struct rows_page *out, struct err *err)
{
	*out = (struct rows_page){.order = ROWS_OLDEST};
	TRY(http_page(req, &out->limit, &out->offset, err));
	const char *limit = http_query(req, "limit");
	if (limit == NULL || *limit == 0)
		out->limit = LIMIT_MAX;
	const char *q = http_query(req, "q"), *orders[ORDERS_MAX];
	if (q && *q)
		return err_set(
			err, ST_INVALID, "This list is short and takes no query (\"q\"): leave it out.");
	size_t count = http_query_all(req, "order_by", orders, ORDERS_MAX);
	for (size_t i = count < ORDERS_MAX ? count : ORDERS_MAX; i-- > 0;) {
		if (!parse_order(orders[i], &out->order))
			return err_set(err, ST_INVALID,
				"Lists are ordered by created_at, -created_at, name or -name, not by "
				"\"%.100s\".",
				orders[i]);
	}
	return ST_OK;
}

enum status api_check_organization(const struct http_request *req, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "org", "organization", &id, err));
	if (uuid_equal(id, api_of(req)->organization_id))
		return ST_OK;
	return err_set(
		err, ST_MISSING, "There is no organization with the id %.36s.", http_param(req, "org"));
}

enum status api_check_connector(const struct http_request *req, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "connector", "connector", &id, err));
	if (uuid_equal(id, api_of(req)->connector_id))
		return ST_OK;
	return err_set(
		err, ST_MISSING, "There is no connector with the id %.36s.", http_param(req, "connector"));
}

/* ---- building an answer ---- */

void api_add_id(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, struct uuid id)
{
	char text[UUID_TEXT_SIZE];
	if (uuid_is_zero(id)) {
		yyjson_mut_obj_add_null(doc, object, key);
		return;
	}
	uuid_format(id, text);
	yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

void api_add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *text)
{
	if (text)
		yyjson_mut_obj_add_str(doc, object, key, text);
	else
		yyjson_mut_obj_add_null(doc, object, key);
}

void api_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t unix_us)
{
	char text[28];
	if (unix_us == 0) {
		yyjson_mut_obj_add_null(doc, object, key);
		return;
	}
	clock_format(unix_us, text);
	yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

void api_add_json(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *json, struct arena *a)
{
	yyjson_doc *stored;
	/* What is stored was printed by us; a damaged row still answers. */
	if (json == NULL || json_parse(span_of_text(json), a, &stored, NULL) != ST_OK)
		yyjson_mut_obj_add_obj(doc, object, key);
	else
		yyjson_mut_obj_add_val(
			doc, object, key, yyjson_val_mut_copy(doc, yyjson_doc_get_root(stored)));
}

yyjson_mut_val *api_object(struct http_request *req, yyjson_mut_doc **doc)
{
	*doc = json_new(req->arena);
	yyjson_mut_val *root = yyjson_mut_obj(*doc);
	yyjson_mut_doc_set_root(*doc, root);
	return root;
}

enum status api_reply_list(struct http_request *req, struct http_reply *reply, yyjson_mut_doc *doc,
	yyjson_mut_val *items, int64_t count)
{
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_val(doc, root, "items", items);
	yyjson_mut_obj_add_int(doc, root, "count", count);
	return http_reply_json(req, reply, doc);
}

/* ---- the database ---- */

enum status api_read(struct http_request *req, struct api_reader *out, struct err *err)
{
	out->pool = api_of(req)->readers;
	return db_reader_take(out->pool, &out->conn, err);
}

void api_reader_drop(struct api_reader *r)
{
	if (r->conn)
		db_reader_give(r->pool, r->conn);
	r->conn = NULL;
}

struct write {
	recorder_job *job;
	void *arg;
	const char *action;
	struct uuid user_id, object_id;
};

static enum status run_write(struct db_conn *c, void *arg, struct err *err)
{
	const struct write *w = arg;
	TRY(w->job(c, w->arg, err));
	return account_rows_audit(c, clock_unix_us(), w->user_id, w->action, w->object_id, NULL, err);
}

enum status api_write(struct http_request *req, const char *action, struct uuid object_id, recorder_job *job,
	void *arg, struct err *err)
{
	const struct caller *caller = caller_of(req);
	struct write w = {.job = job, .arg = arg, .action = action, .object_id = object_id};
	if (caller)
		w.user_id = caller->user_id;
	return recorder_run(api_of(req)->recorder, run_write, &w, err);
}
