/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: list, make, delete. A token's text is shown once, when it is made. */
#include "api/guard.h"
#include "api/nouns.h"

static yyjson_mut_val *token_json(yyjson_mut_doc *doc, const struct token_row *t)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", t->id);
	api_add_text(doc, object, "name", t->name);
	api_add_text(doc, object, "user", t->user_name);
	api_add_id(doc, object, "user_id", t->user_id);
	api_add_time(doc, object, "created_at", t->created_us);
	return object;
}

/* A member's own; an administrator's are everybody's. */
enum status api_token_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct token_row *rows;
	size_t count;
	TRY(api_read(req, &reader, err));
	TRY(account_rows_tokens(reader.conn, req->arena, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	const struct caller *caller = caller_of(req);
	int64_t shown = 0;
	for (size_t i = 0; i < count; i++) {
		if (caller->role != USER_ADMIN && !uuid_equal(rows[i].user_id, caller->user_id))
			continue;
		yyjson_mut_arr_append(items, token_json(doc, &rows[i]));
		shown++;
	}
	return api_reply_list(req, reply, doc, items, shown);
}

enum status api_token_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	const char *name;
	char token[GUARD_TOKEN_SIZE];
	struct token_row row;
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &name, err));
	struct uuid user_id = caller_of(req)->user_id;
	TRY(api_json_id(body, "user_id", false, &user_id, err));
	if (!uuid_equal(user_id, caller_of(req)->user_id))
		TRY(guard_check_role(caller_of(req), USER_ADMIN, err));
	TRY(guard_make_token(req, name, user_id, token, &row, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root = token_json(doc, &row);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_strcpy(doc, root, "token", token);
	http_reply_header(reply, "Cache-Control", "no-store");
	reply->code = 201;
	return http_reply_json(req, reply, doc);
}

enum status api_token_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id, owner;
	TRY(api_id(req, "id", "API token", &id, err));
	if (guard_token_user(api_of(req)->guard, id, &owner) && !uuid_equal(owner, caller_of(req)->user_id))
		TRY(guard_check_role(caller_of(req), USER_ADMIN, err));
	TRY(guard_delete_token(req, id, err));
	return http_reply_empty(reply, 204);
}
