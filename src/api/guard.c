/* SPDX-License-Identifier: Apache-2.0 */
/* Who may call a route: see guard.h. The tables themselves are in guard_table.c. */
#include "api/guard.h"

#include "api/guard_inside.h"
#include "api/jwt.h"
#include "api/presign.h"
#include "base/check.h"
#include "os/clock.h"
#include "store/datalake_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define UPLOAD_OVERHEAD_MAX (64u << 10) /* bytes of a multipart form around the file */

static void make_secret(char out[GUARD_SECRET_SIZE])
{
	uint8_t bytes[32];
	random_fill(bytes, sizeof(bytes));
	base64url_encode(span_of(bytes, sizeof(bytes)), out);
}

void guard_new_token(char out[GUARD_TOKEN_SIZE])
{
	char secret[GUARD_SECRET_SIZE];
	make_secret(secret);
	snprintf(out, GUARD_TOKEN_SIZE, GUARD_TOKEN_PREFIX "%s", secret);
}

/* ---- the first start ---- */

struct first_start {
	const char *organization_name;
	bool token_wanted;
	struct arena *arena;
	struct guard_account *out;
};

static enum status make_account(struct db_conn *c, struct first_start *f, struct err *err)
{
	int64_t now = clock_unix_us();
	struct organization_row *o = &f->out->organization;
	*o = (struct organization_row){
		.id = uuid_v7(now / 1000),
		.connector_id = uuid_v7(now / 1000),
		.name = f->organization_name,
		.created_us = now,
	};
	random_fill(o->signing_key, sizeof(o->signing_key));
	TRY(account_rows_insert_organization(c, o, err));
	struct user_row user = {
		.id = uuid_v7(now / 1000), .organization_id = o->id, .name = "admin", .created_us = now};
	TRY(account_rows_insert_user(c, &user, err));
	struct datalake_row lake = {
		.id = uuid_v7(now / 1000), .organization_id = o->id, .name = "default", .created_us = now};
	TRY(datalake_rows_insert(c, &lake, err));
	return account_rows_audit(c, now, user.id, "organization.create", o->id, NULL, err);
}

static enum status run_first_start(struct db_conn *c, void *arg, struct err *err)
{
	struct first_start *f = arg;
	bool found;
	TRY(account_rows_organization(c, f->arena, &f->out->organization, &found, err));
	if (!found)
		TRY(make_account(c, f, err));
	struct user_row *users;
	size_t count;
	TRY(account_rows_users(c, NULL, f->arena, &users, &count, err));
	if (count == 0)
		return err_set(err, ST_INTERNAL, "The database has an organization, but no user.");
	size_t first = 0; /* the oldest administrator */
	while (first + 1 < count && users[first].role != USER_ADMIN)
		first++;
	f->out->admin = users[first];
	if (!f->token_wanted)
		return ST_OK;
	guard_new_token(f->out->token);
	int64_t now = clock_unix_us();
	struct token_row token = {
		.id = uuid_v7(now / 1000),
		.user_id = users[first].id,
		.name = "admin-token",
		.hash = guard_hash(f->out->token),
		.created_us = now,
	};
	TRY(account_rows_insert_token(c, &token, err));
	return account_rows_audit(c, now, users[first].id, "token.create", token.id, NULL, err);
}

enum status guard_first_start(struct recorder *recorder, const char *organization_name, bool token_wanted,
	struct arena *a, struct guard_account *out, struct err *err)
{
	*out = (struct guard_account){.token = ""};
	struct first_start f = {
		.organization_name = organization_name, .token_wanted = token_wanted, .arena = a, .out = out};
	return recorder_run(recorder, run_first_start, &f, err);
}

static enum status read_tables(struct guard *g, struct db_conn *c, struct arena *a, struct err *err)
{
	struct token_row *tokens;
	struct session_row *sessions;
	size_t token_count, session_count;
	TRY(account_rows_tokens(c, a, &tokens, &token_count, err));
	TRY(account_rows_sessions(c, a, &sessions, &session_count, err));
	for (size_t i = 0; i < token_count; i++) {
		const struct token_row *t = &tokens[i];
		struct user_row user = {.id = t->user_id, .name = t->user_name, .role = t->user_role};
		struct guard_entry entry = guard_entry_of(t->hash, t->id, &user, INT64_MAX);
		guard_table_add(&g->tokens, &entry);
	}
	for (size_t i = 0; i < session_count; i++) {
		const struct session_row *s = &sessions[i];
		struct user_row user = {.id = s->user_id, .name = s->user_name, .role = s->user_role};
		struct guard_entry entry = guard_entry_of(s->hash, s->token_id, &user, s->expires_us);
		guard_table_add(&g->sessions, &entry);
	}
	return ST_OK;
}

enum status guard_open(
	struct db_readers *readers, const struct user_row *admin, struct guard **out, struct err *err)
{
	struct guard *g = calloc(1, sizeof(*g));
	CHECK(g != NULL);
	CHECK(pthread_mutex_init(&g->people, NULL) == 0 && pthread_mutex_init(&g->lock, NULL) == 0);
	g->admin = *admin;
	snprintf(g->admin_name, sizeof(g->admin_name), "%s", admin->name);
	g->admin.name = g->admin_name;
	guard_table_init(&g->tokens, GUARD_TOKENS_MAX);
	guard_table_init(&g->sessions, GUARD_SESSIONS_MAX);
	guard_table_init(&g->codes, GUARD_CODES_MAX);
	struct arena a;
	arena_init(&a);
	struct db_conn *c;
	enum status st = db_reader_take(readers, &c, err);
	if (st == ST_OK) {
		st = read_tables(g, c, &a, err);
		db_reader_give(readers, c);
	}
	arena_release(&a);
	if (st != ST_OK) {
		guard_close(g);
		return st;
	}
	*out = g;
	return ST_OK;
}

void guard_close(struct guard *g)
{
	if (g == NULL)
		return;
	guard_table_release(&g->tokens);
	guard_table_release(&g->sessions);
	guard_table_release(&g->codes);
	pthread_mutex_destroy(&g->lock);
	pthread_mutex_destroy(&g->people);
	free(g);
}

/* ---- admission ---- */

static enum status unknown(struct err *err)
{
	return err_set(
		err, ST_UNAUTHENTICATED, "Log in first: this needs an API token or a browser session.");
}

static void fill_caller(const struct guard_entry *entry, enum caller_kind kind, struct caller *out)
{
	*out = (struct caller){
		.kind = kind, .user_id = entry->user_id, .role = entry->role, .token_id = entry->id};
	memcpy(out->user_name, entry->user_name, sizeof(out->user_name));
}

static bool look_up(struct guard *g, struct guard_table *table, const char *secret, enum caller_kind kind,
	struct caller *out)
{
	struct guard_entry entry;
	struct sha256 hash = guard_hash(secret);
	mutex_lock(&g->lock);
	bool found = guard_table_find(table, hash, clock_unix_us(), &entry);
	mutex_unlock(&g->lock);
	if (found)
		fill_caller(&entry, kind, out);
	return found;
}

enum status guard_token_owner(struct guard *g, const char *token, struct caller *out, struct err *err)
{
	if (look_up(g, &g->tokens, token, CALLER_TOKEN, out))
		return ST_OK;
	return err_set(err, ST_UNAUTHENTICATED, "This API token is not known here.");
}

/* A JWT, whose API token must still exist. */
static enum status admit_jwt(const struct api *api, const char *text, struct caller *out, struct err *err)
{
	struct jwt jwt;
	struct guard_entry entry;
	TRY(jwt_read(span_of(api->signing_key, sizeof(api->signing_key)), text, clock_unix_ms() / 1000, &jwt,
		err));
	mutex_lock(&api->guard->lock);
	bool found = guard_table_find_id(&api->guard->tokens, jwt.token_id, &entry);
	mutex_unlock(&api->guard->lock);
	if (!found || !uuid_equal(entry.user_id, jwt.user_id))
		return err_set(err, ST_UNAUTHENTICATED, "The API token behind this login was deleted.");
	fill_caller(&entry, CALLER_SERVICE, out);
	out->deployment_id = jwt.deployment_id;
	return ST_OK;
}

enum status guard_check_origin(const struct http_request *req, struct err *err)
{
	const char *origin = http_header(req, "Origin"), *host = http_header(req, "Host");
	if (origin == NULL || strcmp(origin, api_of(req)->public_url) == 0)
		return ST_OK;
	/* Behind a proxy that ends TLS the scheme differs; the host is what a cookie is bound to. */
	const char *authority = strstr(origin, "://");
	if (authority && host && strcmp(authority + 3, host) == 0)
		return ST_OK;
	return err_set(err, ST_FORBIDDEN, "This request was sent by a page of another site.");
}

static enum status check_browser(const struct http_request *req, struct err *err)
{
	if (req->method == HTTP_GET || req->method == HTTP_HEAD)
		return ST_OK;
	const char *csrf = http_header(req, "X-Gyre-Csrf");
	if (csrf == NULL || strcmp(csrf, "1") != 0)
		return err_set(err, ST_FORBIDDEN,
			"A browser's request that changes something must carry the header X-Gyre-Csrf: 1.");
	return guard_check_origin(req, err);
}

static enum status identify(const struct http_request *req, struct caller *out, struct err *err)
{
	struct api *api = api_of(req);
	const char *authorization = http_header(req, "Authorization");
	if (authorization) {
		if (strncasecmp(authorization, "Bearer ", 7) != 0)
			return err_set(err, ST_UNAUTHENTICATED,
				"The Authorization header must be \"Bearer <token>\".");
		const char *token = authorization + 7 + strspn(authorization + 7, " ");
		if (strncmp(token, GUARD_TOKEN_PREFIX, strlen(GUARD_TOKEN_PREFIX)) == 0)
			return guard_token_owner(api->guard, token, out, err);
		return admit_jwt(api, token, out, err);
	}
	const char *cookie = http_cookie(req, GUARD_COOKIE);
	if (cookie == NULL || !look_up(api->guard, &api->guard->sessions, cookie, CALLER_SESSION, out))
		return unknown(err);
	return check_browser(req, err);
}

/* A JWT opens the routes of its own deployment and nothing else. */
static enum status check_service(const struct http_request *req, const struct caller *caller, struct err *err)
{
	struct uuid id;
	if (caller->kind != CALLER_SERVICE || req->route->rule == RULE_ANY_SERVICE)
		return ST_OK;
	if (req->route->rule != RULE_SERVICE && req->route->rule != RULE_SERVICE_OR_REVIEWER)
		return err_set(err, ST_FORBIDDEN,
			"This login is for the predictions of one deployment; use an API token here.");
	if (strstr(req->route->pattern, "{id}") == NULL || !uuid_parse(http_param(req, "id"), &id) ||
		!uuid_equal(id, caller->deployment_id))
		return err_set(err, ST_FORBIDDEN, "This login is for another deployment.");
	return ST_OK;
}

static enum status check_signed(const struct http_request *req, struct err *err)
{
	struct presign policy;
	TRY(presign_read(req, &policy, err));
	/* A chunked body has no length yet: the handler counts it. */
	const char *length = policy.method == HTTP_POST ? http_header(req, "Content-Length") : NULL;
	if (length && strtoull(length, NULL, 10) > policy.size_max + UPLOAD_OVERHEAD_MAX)
		return err_set(
			err, ST_TOO_LARGE, "This link allows a file of %" PRIu64 " bytes.", policy.size_max);
	return ST_OK;
}

enum status guard_check_role(const struct caller *caller, enum user_role wanted, struct err *err)
{
	if (caller->role <= wanted)
		return ST_OK;
	if (caller->role == USER_REVIEWER)
		return err_set(err, ST_FORBIDDEN,
			"%s is a reviewer, and reviewers open the review queue and nothing else: an "
			"administrator can make them a member.",
			caller->user_name);
	return err_set(err, ST_FORBIDDEN, "Only an administrator may do this, and %s is a member.",
		caller->user_name);
}

static enum status check_caller(
	const struct http_request *req, struct caller *caller, enum user_role wanted, struct err *err)
{
	TRY(identify(req, caller, err));
	TRY(check_service(req, caller, err));
	return guard_check_role(caller, wanted, err);
}

enum status guard_admit(struct http_request *req, struct err *err)
{
	struct caller *caller = ARENA_NEW(req->arena, struct caller);
	req->caller = caller;
	switch ((enum api_rule)req->route->rule) {
	case RULE_PUBLIC: return ST_OK;
	case RULE_SIGNED: return check_signed(req, err);
	case RULE_SERVICE_OR_REVIEWER:
	case RULE_REVIEWER: return check_caller(req, caller, USER_REVIEWER, err);
	case RULE_SERVICE:
	case RULE_ANY_SERVICE:
	case RULE_USER: return check_caller(req, caller, USER_MEMBER, err);
	case RULE_ADMIN: return check_caller(req, caller, USER_ADMIN, err);
	case RULE_INVALID: break;
	}
	CHECK(!"every route has a rule");
	return ST_INTERNAL;
}

/* ---- logging in ---- */

enum status guard_check_failures(const struct http_request *req, struct err *err)
{
	struct guard *g = api_of(req)->guard;
	mutex_lock(&g->lock);
	bool many = guard_failures_count(&g->failures, req->peer, clock_mono_us()) >= GUARD_FAILURES_MAX;
	mutex_unlock(&g->lock);
	if (!many)
		return ST_OK;
	return err_set(err, ST_TOO_MANY, "Too many failed logins from this address: wait a minute.");
}

void guard_note_failure(const struct http_request *req)
{
	struct guard *g = api_of(req)->guard;
	mutex_lock(&g->lock);
	guard_failures_add(&g->failures, req->peer, clock_mono_us());
	mutex_unlock(&g->lock);
}

void guard_login_code(struct guard *g, int64_t ttl_us, char out[GUARD_SECRET_SIZE])
{
	make_secret(out);
	int64_t now = clock_unix_us();
	mutex_lock(&g->lock);
	struct guard_entry entry =
		guard_entry_of(guard_hash(out), (struct uuid){{0}}, &g->admin, now + ttl_us);
	guard_table_expire(&g->codes, now);
	guard_table_add(&g->codes, &entry);
	mutex_unlock(&g->lock);
}

bool guard_use_code(struct guard *g, const char *code, struct caller *out)
{
	struct guard_entry entry;
	struct sha256 hash = guard_hash(code);
	mutex_lock(&g->lock);
	bool found = guard_table_find(&g->codes, hash, clock_unix_us(), &entry);
	if (found)
		guard_table_remove(&g->codes, hash);
	mutex_unlock(&g->lock);
	if (found)
		fill_caller(&entry, CALLER_SESSION, out);
	return found;
}

struct beginning {
	struct session_row row;
	struct user_row user;
	struct arena *arena;
};

static enum status insert_session(struct db_conn *c, void *arg, struct err *err)
{
	struct beginning *b = arg;
	TRY(account_rows_expire_sessions(c, b->row.created_us, err));
	enum status st = account_rows_user(c, b->row.user_id, b->arena, &b->user, err);
	if (st == ST_OK)
		st = account_rows_insert_session(c, &b->row, err);
	if (st == ST_MISSING || st == ST_CONFLICT)
		return err_set(err, ST_UNAUTHENTICATED, "This login was just taken away.");
	return st;
}

enum status guard_begin_session(
	struct http_request *req, const struct caller *who, char cookie[GUARD_SECRET_SIZE], struct err *err)
{
	struct guard *g = api_of(req)->guard;
	make_secret(cookie);
	struct beginning b = {.arena = req->arena,
		.row = {
			.hash = guard_hash(cookie),
			.user_id = who->user_id,
			.token_id = who->token_id,
			.created_us = clock_unix_us(),
		}};
	b.row.expires_us = b.row.created_us + (int64_t)GUARD_SESSION_S * 1000000;
	mutex_lock(&g->people);
	enum status st = api_write(req, "session.begin", who->user_id, insert_session, &b, err);
	if (st == ST_OK) {
		struct guard_entry entry =
			guard_entry_of(b.row.hash, b.row.token_id, &b.user, b.row.expires_us);
		mutex_lock(&g->lock);
		guard_table_expire(&g->sessions, b.row.created_us);
		guard_table_add(&g->sessions, &entry);
		mutex_unlock(&g->lock);
	}
	mutex_unlock(&g->people);
	return st;
}

static enum status delete_session(struct db_conn *c, void *arg, struct err *err)
{
	return account_rows_delete_session(c, *(const struct sha256 *)arg, err);
}

enum status guard_end_session(struct http_request *req, struct err *err)
{
	struct guard *g = api_of(req)->guard;
	const char *cookie = http_cookie(req, GUARD_COOKIE);
	if (cookie == NULL)
		return ST_OK;
	struct sha256 hash = guard_hash(cookie);
	TRY(api_write(req, "session.end", caller_of(req)->user_id, delete_session, &hash, err));
	mutex_lock(&g->lock);
	guard_table_remove(&g->sessions, hash);
	mutex_unlock(&g->lock);
	return ST_OK;
}
