/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in: browser sessions by a token or a one-time link, and the JWTs that a deployment's services take.
 */
#include "api/guard.h"
#include "api/jwt.h"
#include "api/nouns.h"
#include "api/static.h"
#include "base/str.h"
#include "os/clock.h"
#include "store/deployment_rows.h"

#include <strings.h>

static enum status reply_session(struct http_request *req, struct http_reply *reply)
{
	const struct api *api = api_of(req);
	const struct caller *caller = caller_of(req);
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_val *user = yyjson_mut_obj_add_obj(doc, root, "user");
	api_add_id(doc, user, "id", caller->user_id);
	api_add_text(doc, user, "name", caller->user_name);
	api_add_text(doc, root, "role", user_role_name(caller->role));
	yyjson_mut_val *organization = yyjson_mut_obj_add_obj(doc, root, "organization");
	api_add_id(doc, organization, "id", api->organization_id);
	api_add_text(doc, organization, "name", api->organization_name);
	api_add_id(doc, organization, "default_connector_id", api->connector_id);
	api_add_text(doc, root, "version", GYRE_VERSION);
	return http_reply_json(req, reply, doc);
}

static void set_cookie(struct http_request *req, struct http_reply *reply, const char *secret, int lifetime_s)
{
	bool secure = req->secure || text_starts_with(api_of(req)->public_url, "https://");
	http_reply_header(reply, "Set-Cookie",
		arena_printf(req->arena, GUARD_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s",
			secret, lifetime_s, secure ? "; Secure" : ""));
	http_reply_header(reply, "Cache-Control", "no-store");
}

/* The caller becomes the one who logged in, so that the audit log names them. */
static enum status begin(
	struct http_request *req, struct http_reply *reply, const struct caller *who, struct err *err)
{
	char cookie[GUARD_SECRET_SIZE];
	*(struct caller *)req->caller = *who;
	TRY(guard_begin_session(req, who, cookie, err));
	set_cookie(req, reply, cookie, GUARD_SESSION_S);
	return ST_OK;
}

enum status api_session_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_val *body;
	const char *token;
	struct caller who;
	TRY(guard_check_origin(req, err));
	TRY(guard_check_failures(req, err));
	TRY(api_body(req, &body, err));
	TRY(json_text_required(body, "token", &token, err));
	enum status st = guard_token_owner(api_of(req)->guard, token, &who, err);
	if (st != ST_OK) {
		guard_note_failure(req);
		return st;
	}
	TRY(begin(req, reply, &who, err));
	return reply_session(req, reply);
}

enum status api_session_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	http_reply_header(reply, "Cache-Control", "no-store");
	return reply_session(req, reply);
}

enum status api_session_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(guard_end_session(req, err));
	set_cookie(req, reply, "", 0);
	return http_reply_empty(reply, 204);
}

/* The link printed at start. Without a code it is a page like any other. */
enum status api_login_page(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *code = http_query(req, "code");
	struct caller who;
	if (code == NULL || req->method != HTTP_GET)
		return api_static(req, reply, err);
	if (guard_check_failures(req, NULL) == ST_OK && guard_use_code(api_of(req)->guard, code, &who)) {
		TRY(begin(req, reply, &who, err));
		http_reply_header(reply, "Location", "/");
	} else {
		guard_note_failure(req);
		http_reply_header(reply, "Location", "/login?expired=1");
	}
	return http_reply_empty(reply, 303);
}

/* ---- the services' login ---- */

/* {"api_token", "deployment_id"}; the token may be in the header "Authorization: Token …" instead. */
static enum status read_login(
	struct http_request *req, const char **token, struct uuid *deployment_id, struct err *err)
{
	const char *authorization = http_header(req, "Authorization");
	yyjson_val *body;
	TRY(api_body(req, &body, err));
	*token = NULL;
	TRY(json_text(body, "api_token", token, err));
	if (*token == NULL && authorization && strncasecmp(authorization, "Token ", 6) == 0)
		*token = authorization + 6;
	if (*token == NULL)
		return err_set(err, ST_INVALID, "\"api_token\" is missing.");
	return api_json_id(body, "deployment_id", true, deployment_id, err);
}

static enum status check_deployment(struct http_request *req, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	bool exists;
	TRY(api_read(req, &reader, err));
	TRY(deployment_rows_exists(reader.conn, id, &exists, err));
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return exists ? ST_OK : err_set(err, ST_MISSING, "There is no deployment with the id %s.", text);
}

enum status api_service_login(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct api *api = api_of(req);
	const char *token;
	struct uuid deployment_id;
	struct caller who;
	TRY(guard_check_failures(req, err));
	TRY(read_login(req, &token, &deployment_id, err));
	enum status st = guard_token_owner(api->guard, token, &who, err);
	if (st != ST_OK) {
		guard_note_failure(req);
		return st;
	}
	TRY(guard_check_role(&who, USER_MEMBER, err));
	TRY(check_deployment(req, deployment_id, err));
	struct jwt jwt = {
		.deployment_id = deployment_id,
		.user_id = who.user_id,
		.token_id = who.token_id,
		.expires_s = clock_unix_ms() / 1000 + JWT_LIFETIME_S,
	};
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_text(doc, root, "jwt",
		jwt_write(span_of(api->signing_key, sizeof(api->signing_key)), &jwt, req->arena));
	yyjson_mut_obj_add_int(doc, root, "expires", JWT_LIFETIME_S);
	http_reply_header(reply, "Cache-Control", "no-store");
	return http_reply_json(req, reply, doc);
}
