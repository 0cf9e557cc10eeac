/* SPDX-License-Identifier: Apache-2.0 */
/* People: who they are, what they may do, and who may open a dataset or a deployment. */
#include "api/guard.h"
#include "api/nouns.h"
#include "os/clock.h"
#include "store/dataset_rows.h"
#include "store/deployment_rows.h"

static yyjson_mut_val *user_json(yyjson_mut_doc *doc, const struct user_row *u)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", u->id);
	api_add_text(doc, object, "username", u->name);
	api_add_text(doc, object, "role", user_role_name(u->role));
	api_add_time(doc, object, "created_at", u->created_us);
	return object;
}

static enum status reply_user(
	struct http_request *req, struct http_reply *reply, const struct user_row *u, struct err *err)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, user_json(doc, u));
	return http_reply_json(req, reply, doc);
}

enum status api_user_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct user_row *rows;
	size_t count;
	TRY(api_check_organization(req, err));
	TRY(api_read(req, &reader, err));
	TRY(account_rows_users(reader.conn, http_query(req, "name"), req->arena, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, user_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

static enum status read_role(yyjson_val *body, bool required, enum user_role *out, struct err *err)
{
	const char *role = NULL;
	TRY(json_text(body, "role", &role, err));
	if (role == NULL && !required)
		return ST_OK;
	if (role == NULL || !user_role_parse(role, out))
		return err_set(err, ST_INVALID, "\"role\" must be ADMIN, MEMBER or REVIEWER.");
	return ST_OK;
}

enum status api_user_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	int64_t now = clock_unix_us();
	struct user_row user = {.id = uuid_v7(now / 1000),
		.organization_id = api_of(req)->organization_id,
		.role = USER_MEMBER,
		.created_us = now};
	TRY(api_check_organization(req, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &user.name, err));
	TRY(read_role(body, false, &user.role, err));
	if (strlen(user.name) > USER_NAME_MAX)
		return err_set(err, ST_INVALID, "\"name\" is too long: a person's has at most %d bytes.",
			USER_NAME_MAX);
	TRY(guard_add_user(req, &user, err));
	reply->code = 201;
	return reply_user(req, reply, &user, err);
}

static enum status read_user(struct http_request *req, struct uuid id, struct user_row *out, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	return account_rows_user(reader.conn, id, req->arena, out, err);
}

enum status api_user_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct user_row user;
	TRY(api_id(req, "id", "user", &id, err));
	TRY(read_user(req, id, &user, err));
	return reply_user(req, reply, &user, err);
}

enum status api_user_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	struct user_row user;
	yyjson_val *body;
	enum user_role role = USER_MEMBER;
	TRY(api_id(req, "id", "user", &id, err));
	TRY(api_body(req, &body, err));
	TRY(read_role(body, true, &role, err));
	TRY(guard_set_role(req, id, role, err));
	TRY(read_user(req, id, &user, err));
	return reply_user(req, reply, &user, err);
}

enum status api_user_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "user", &id, err));
	TRY(guard_delete_user(req, id, err));
	return http_reply_empty(reply, 204);
}

/*
 * ---- who may open one thing ----
 *
 * Roles are the organization's, not a thing's: members open everything, reviewers the deployments' queues. So
 * a person is "added" who may open it already, and for who may not the answer says what would help.
 */

/* Those of at least that role; named, when name is not NULL. */
static enum status reply_access(struct http_request *req, struct http_reply *reply, enum user_role least,
	const char *name, struct err *err)
{
	API_READER reader = {0};
	struct user_row *rows;
	size_t count;
	TRY(api_read(req, &reader, err));
	TRY(account_rows_users(reader.conn, name, req->arena, &rows, &count, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc), *users = yyjson_mut_obj_add_arr(doc, root, "users");
	for (size_t i = 0; i < count; i++)
		if (rows[i].role <= least)
			yyjson_mut_arr_append(users, user_json(doc, &rows[i]));
	return http_reply_json(req, reply, doc);
}

static enum status wanted_role(yyjson_val *body, enum user_role least, enum user_role *out, struct err *err)
{
	static const struct {
		const char *name;
		enum user_role role;
	} names[] = {{"ADMIN", USER_ADMIN}, {"USER", USER_MEMBER}, {"LABELER", USER_REVIEWER}};
	const char *name = NULL;
	*out = least;
	TRY(json_text(body, "role", &name, err));
	if (name == NULL)
		return ST_OK;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i].name) == 0) {
			*out = names[i].role < least ? names[i].role : least;
			return ST_OK;
		}
	}
	return err_set(err, ST_INVALID, "\"role\" must be ADMIN, USER or LABELER.");
}

static enum status add_access(
	struct http_request *req, struct http_reply *reply, enum user_role least, struct err *err)
{
	struct uuid id;
	struct user_row user;
	yyjson_val *body;
	enum user_role wanted;
	TRY(api_body(req, &body, err));
	TRY(api_json_id(body, "user_id", true, &id, err));
	TRY(wanted_role(body, least, &wanted, err));
	TRY(read_user(req, id, &user, err));
	if (user.role > wanted)
		return err_set(err, ST_CONFLICT,
			"%s is a %s of the organization, and roles are the same everywhere in it: an "
			"administrator can make them a %s.",
			user.name, user_role_name(user.role), user_role_name(wanted));
	return reply_access(req, reply, least, NULL, err);
}

static enum status check_deployment(struct http_request *req, struct err *err)
{
	API_READER reader = {0};
	struct uuid id;
	bool exists;
	TRY(api_id(req, "id", "deployment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_exists(reader.conn, id, &exists, err));
	return exists ? ST_OK
		      : err_set(err, ST_MISSING, "There is no deployment with the id %.36s.",
				http_param(req, "id"));
}

enum status api_organization_users(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(api_check_organization(req, err));
	return reply_access(req, reply, USER_REVIEWER, http_query(req, "username"), err);
}

enum status api_access_deployment_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(check_deployment(req, err));
	return reply_access(req, reply, USER_REVIEWER, NULL, err);
}

enum status api_access_deployment_add(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(check_deployment(req, err));
	return add_access(req, reply, USER_REVIEWER, err);
}

static enum status check_dataset(struct http_request *req, struct err *err)
{
	API_READER reader = {0};
	struct dataset_row row;
	struct uuid id;
	TRY(api_id(req, "id", "dataset", &id, err));
	TRY(api_read(req, &reader, err));
	return dataset_rows_by_id(reader.conn, id, req->arena, &row, err);
}

enum status api_access_dataset_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(check_dataset(req, err));
	return reply_access(req, reply, USER_MEMBER, NULL, err);
}

enum status api_access_dataset_add(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(check_dataset(req, err));
	return add_access(req, reply, USER_MEMBER, err);
}
