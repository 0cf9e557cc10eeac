/* SPDX-License-Identifier: Apache-2.0 */
/* api/guard: who gets in, by which door, and what is refused; on a real database, without a server. */
#include "api/guard.h"
#include "api/guard_table.h"
#include "api/jwt.h"
#include "api/presign.h"
#include "base/str.h"
#include "http/exchange.h"
#include "os/clock.h"
#include "store/datalake_rows.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* ---- a database, a guard, requests ---- */

struct world {
	struct db *db;
	struct recorder *recorder;
	struct db_readers *readers;
	struct arena arena;
	struct guard_account account;
	struct api api;
};

static void open_guard(struct world *w)
{
	struct err err;
	assert_int_equal(guard_open(w->readers, &w->account.admin, &w->api.guard, &err), ST_OK);
}

static int set_up(void **state)
{
	static struct world world;
	struct world *w = &world;
	struct db_conn *c;
	struct err err;
	*w = (struct world){.api = {.public_url = "http://gyre.test:8080"}};
	arena_init(&w->arena);
	assert_int_equal(db_sqlite_open_temporary(&w->db, &err), ST_OK);
	assert_int_equal(db_connect(w->db, true, &c, &err), ST_OK);
	assert_int_equal(migrate_up(c, &err), ST_OK);
	db_disconnect(c);
	assert_int_equal(recorder_start(w->db, 64, 16, &w->recorder, &err), ST_OK);
	assert_int_equal(db_readers_new(w->db, 2, &w->readers, &err), ST_OK);
	assert_int_equal(
		guard_first_start(w->recorder, "default", true, &w->arena, &w->account, &err), ST_OK);
	w->api.recorder = w->recorder;
	w->api.readers = w->readers;
	w->api.organization_id = w->account.organization.id;
	memcpy(w->api.signing_key, w->account.organization.signing_key, sizeof(w->api.signing_key));
	open_guard(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	guard_close(w->api.guard);
	db_readers_free(w->readers);
	recorder_stop(w->recorder);
	db_close(w->db);
	arena_release(&w->arena);
	return 0;
}

#define FIELDS_MAX 6

struct call {
	struct exchange exchange;
	struct http_route route;
	struct head_field fields[FIELDS_MAX], query[FIELDS_MAX];
};

/* A request to a route of that rule; headers and query are added by header() and query(). */
static struct http_request *request(
	struct world *w, struct call *call, enum http_method method, enum api_rule rule)
{
	memset(call, 0, sizeof(*call));
	call->route = (struct http_route){
		.method = method, .pattern = "/api/deployments/{id}/predict", .rule = rule};
	call->exchange.fields = call->fields;
	call->exchange.query = call->query;
	struct http_request *req = &call->exchange.request;
	req->impl = &call->exchange;
	req->route = &call->route;
	req->method = method;
	req->app = &w->api;
	req->arena = &w->arena;
	req->peer = "192.0.2.7";
	req->params[0] = "01890b5d-ac96-774b-bcce-b302099a8057";
	req->received_us = clock_mono_us();
	return req;
}

static void header(struct http_request *req, const char *name, const char *value)
{
	struct exchange *x = req->impl;
	assert_true(x->field_count < FIELDS_MAX);
	x->fields[x->field_count++] = (struct head_field){name, value};
}

static void query(struct http_request *req, const char *name, const char *value)
{
	struct exchange *x = req->impl;
	assert_true(x->query_count < FIELDS_MAX);
	x->query[x->query_count++] = (struct head_field){name, value};
}

static void bearer(struct world *w, struct http_request *req, const char *token)
{
	header(req, "Authorization", arena_printf(&w->arena, "Bearer %s", token));
}

static enum status admit(struct http_request *req)
{
	struct err err = {.text = "."};
	enum status st = guard_admit(req, &err);
	if (st != ST_OK)
		assert_true(text_ends_with(err.text, "."));
	return st;
}

/* Log in with a token: the cookie of a new session. */
static const char *session_cookie_of(struct world *w, const char *token)
{
	struct call call;
	struct err err;
	struct caller who;
	char secret[GUARD_SECRET_SIZE];
	struct http_request *req = request(w, &call, HTTP_POST, RULE_PUBLIC);
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(guard_token_owner(w->api.guard, token, &who, &err), ST_OK);
	assert_int_equal(guard_begin_session(req, &who, secret, &err), ST_OK);
	return arena_printf(&w->arena, GUARD_COOKIE "=%s", secret);
}

static const char *session_cookie(struct world *w)
{
	return session_cookie_of(w, w->account.token);
}

static int64_t count(struct world *w, const char *sql)
{
	struct db_conn *c;
	struct err err;
	int64_t number = -1;
	assert_int_equal(db_reader_take(w->readers, &c, &err), ST_OK);
	struct db_query q = db_query(c, sql);
	if (db_next(&q))
		number = db_integer(&q, 0);
	assert_int_equal(db_done(&q, &err), ST_OK);
	db_reader_give(w->readers, c);
	return number;
}

/* ---- the first start ---- */

static void test_the_first_start_makes_everything_once(void **state)
{
	struct world *w = *state;
	struct guard_account again;
	struct err err;
	assert_int_equal(strlen(w->account.token), GUARD_TOKEN_SIZE - 1);
	assert_true(text_starts_with(w->account.token, GUARD_TOKEN_PREFIX));
	assert_string_equal(w->account.admin.name, "admin");
	assert_int_equal(guard_first_start(w->recorder, "other", false, &w->arena, &again, &err), ST_OK);
	assert_string_equal(again.organization.name, "default");
	assert_true(uuid_equal(again.organization.id, w->account.organization.id));
	assert_memory_equal(again.organization.signing_key, w->account.organization.signing_key, 32);
	assert_string_equal(again.token, "");
	assert_int_equal(count(w, "SELECT count(*) FROM organization"), 1);
	assert_int_equal(count(w, "SELECT count(*) FROM user_account"), 1);
	assert_int_equal(count(w, "SELECT count(*) FROM datalake WHERE name = 'default'"), 1);
	assert_int_equal(count(w, "SELECT count(*) FROM api_token"), 1);
}

static void test_a_lost_token_file_gets_another_token(void **state)
{
	struct world *w = *state;
	struct guard_account again;
	struct call call;
	struct err err;
	assert_int_equal(guard_first_start(w->recorder, "default", true, &w->arena, &again, &err), ST_OK);
	assert_string_not_equal(again.token, w->account.token);
	guard_close(w->api.guard);
	open_guard(w);
	const char *tokens[] = {w->account.token, again.token};
	for (size_t i = 0; i < 2; i++) {
		struct http_request *req = request(w, &call, HTTP_GET, RULE_USER);
		bearer(w, req, tokens[i]);
		assert_int_equal(admit(req), ST_OK);
	}
}

static void test_secrets_are_not_stored(void **state)
{
	struct world *w = *state;
	session_cookie(w);
	assert_int_equal(count(w, "SELECT count(*) FROM api_token WHERE length(hash) <> 32"), 0);
	assert_int_equal(count(w, "SELECT count(*) FROM browser_session WHERE length(hash) <> 32"), 0);
}

/* ---- admission ---- */

static void test_tokens(void **state)
{
	struct world *w = *state;
	struct call call;
	struct http_request *req = request(w, &call, HTTP_POST, RULE_USER);
	assert_int_equal(admit(req), ST_UNAUTHENTICATED);
	bearer(w, req, w->account.token);
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(caller_of(req)->kind, CALLER_TOKEN);
	assert_string_equal(caller_of(req)->user_name, "admin");

	static const char *const wrong[] = {
		"", "gyre_", "x", "gyre_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		req = request(w, &call, HTTP_GET, RULE_USER);
		bearer(w, req, wrong[i]);
		assert_int_equal(admit(req), ST_UNAUTHENTICATED);
	}
	req = request(w, &call, HTTP_GET, RULE_USER);
	header(req, "Authorization", arena_printf(&w->arena, "Basic %s", w->account.token));
	assert_int_equal(admit(req), ST_UNAUTHENTICATED);
	req = request(w, &call, HTTP_GET, RULE_USER);
	bearer(w, req, arena_strndup(&w->arena, w->account.token, strlen(w->account.token) - 1));
	assert_int_equal(admit(req), ST_UNAUTHENTICATED);
}

static void test_public_routes_ask_nothing(void **state)
{
	struct world *w = *state;
	struct call call;
	struct http_request *req = request(w, &call, HTTP_GET, RULE_PUBLIC);
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(caller_of(req)->kind, CALLER_NOBODY);
}

static void test_a_browser_that_reads(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cookie = session_cookie(w);
	struct http_request *req = request(w, &call, HTTP_GET, RULE_USER);
	header(req, "Cookie", cookie);
	header(req, "Origin", "http://evil.test");
	assert_int_equal(admit(req), ST_OK); /* nothing changes, and nobody else may read the answer */
	assert_int_equal(caller_of(req)->kind, CALLER_SESSION);
	req = request(w, &call, HTTP_GET, RULE_USER);
	header(req, "Cookie", GUARD_COOKIE "=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	assert_int_equal(admit(req), ST_UNAUTHENTICATED);
}

static void test_a_browser_that_changes(void **state)
{
	struct world *w = *state;
	static const enum http_method methods[] = {HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_XGET};
	static const struct {
		const char *csrf, *origin;
		enum status expected;
	} cases[] = {
		{NULL, NULL, ST_FORBIDDEN},
		{"0", NULL, ST_FORBIDDEN},
		{"", NULL, ST_FORBIDDEN},
		{NULL, "http://gyre.test:8080", ST_FORBIDDEN},
		{"1", NULL, ST_OK},
		{"1", "http://gyre.test:8080", ST_OK},
		{"1", "https://gyre.test:8080", ST_FORBIDDEN},
		{"1", "https://proxied.test", ST_OK}, /* the Host header says so, too */
		{"1", "http://gyre.test", ST_FORBIDDEN},
		{"1", "http://gyre.test:8080.evil.test", ST_FORBIDDEN},
		{"1", "http://evil.test", ST_FORBIDDEN},
		{"1", "null", ST_FORBIDDEN},
		{"1", "", ST_FORBIDDEN},
	};
	const char *cookie = session_cookie(w);
	for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct call call;
			struct http_request *req = request(w, &call, methods[m], RULE_USER);
			header(req, "Host", "proxied.test");
			header(req, "Cookie", cookie);
			if (cases[i].csrf)
				header(req, "X-Gyre-Csrf", cases[i].csrf);
			if (cases[i].origin)
				header(req, "Origin", cases[i].origin);
			assert_int_equal(admit(req), cases[i].expected);
		}
	}
}

static void test_sessions_end(void **state)
{
	struct world *w = *state;
	struct call call;
	struct err err;
	const char *cookie = session_cookie(w);
	struct http_request *req = request(w, &call, HTTP_DELETE, RULE_USER);
	header(req, "Cookie", cookie);
	header(req, "X-Gyre-Csrf", "1");
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(guard_end_session(req, &err), ST_OK);
	assert_int_equal(admit(req), ST_UNAUTHENTICATED);
	assert_int_equal(count(w, "SELECT count(*) FROM browser_session"), 0);
}

static void test_sessions_survive_a_restart_until_they_expire(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *cookie = session_cookie(w);
	guard_close(w->api.guard);
	open_guard(w);
	struct http_request *req = request(w, &call, HTTP_GET, RULE_USER);
	header(req, "Cookie", cookie);
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(
		count(w, "SELECT (expires_us - created_us) / 1000000 FROM browser_session"), GUARD_SESSION_S);
}

static void test_a_deleted_token_is_dead_at_once(void **state)
{
	struct world *w = *state;
	struct call call, admin;
	struct err err;
	char token[GUARD_TOKEN_SIZE];
	struct token_row row;
	struct http_request *req = request(w, &admin, HTTP_POST, RULE_USER);
	bearer(w, req, w->account.token);
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(guard_make_token(req, "ci", caller_of(req)->user_id, token, &row, &err), ST_OK);

	struct jwt jwt = {
		.user_id = row.user_id, .token_id = row.id, .expires_s = clock_unix_ms() / 1000 + 60};
	uuid_parse("01890b5d-ac96-774b-bcce-b302099a8057", &jwt.deployment_id);
	const char *text = jwt_write(span_of(w->api.signing_key, 32), &jwt, &w->arena);
	struct http_request *service = request(w, &call, HTTP_POST, RULE_SERVICE);
	bearer(w, service, text);
	assert_int_equal(admit(service), ST_OK);
	assert_int_equal(guard_delete_token(req, row.id, &err), ST_OK);
	assert_int_equal(admit(service), ST_UNAUTHENTICATED);
	assert_int_equal(guard_delete_token(req, row.id, &err), ST_MISSING);
	req = request(w, &call, HTTP_GET, RULE_USER);
	bearer(w, req, token);
	assert_int_equal(admit(req), ST_UNAUTHENTICATED);
	assert_int_equal(count(w, "SELECT count(*) FROM audit_log WHERE action = 'token.delete' AND user_id "
				  "IS NOT NULL"),
		1);
}

static enum status admit_cookie(struct world *w, const char *cookie)
{
	struct call call;
	struct http_request *req = request(w, &call, HTTP_GET, RULE_REVIEWER);
	header(req, "Cookie", cookie);
	return admit(req);
}

static void test_sessions_end_with_their_token(void **state)
{
	struct world *w = *state;
	struct call admin;
	struct err err;
	char token[GUARD_TOKEN_SIZE];
	struct token_row row;
	struct http_request *req = request(w, &admin, HTTP_POST, RULE_USER);
	bearer(w, req, w->account.token);
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(guard_make_token(req, "laptop", caller_of(req)->user_id, token, &row, &err), ST_OK);
	const char *kept = session_cookie(w), *first = session_cookie_of(w, token),
		   *second = session_cookie_of(w, token);
	assert_int_equal(admit_cookie(w, first), ST_OK);
	assert_int_equal(guard_delete_token(req, row.id, &err), ST_OK);
	for (int restarted = 0; restarted < 2; restarted++) {
		assert_int_equal(admit_cookie(w, first), ST_UNAUTHENTICATED);
		assert_int_equal(admit_cookie(w, second), ST_UNAUTHENTICATED);
		assert_int_equal(admit_cookie(w, kept), ST_OK);
		assert_int_equal(count(w, "SELECT count(*) FROM browser_session"), 1);
		guard_close(w->api.guard);
		open_guard(w);
	}
}

/* Who was looked up before the token was deleted gets no session after it. */
static void test_a_session_is_not_begun_with_a_deleted_token(void **state)
{
	struct world *w = *state;
	struct call admin;
	struct err err;
	struct caller who;
	char token[GUARD_TOKEN_SIZE], cookie[GUARD_SECRET_SIZE];
	struct token_row row;
	struct http_request *req = request(w, &admin, HTTP_POST, RULE_USER);
	bearer(w, req, w->account.token);
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(guard_make_token(req, "laptop", caller_of(req)->user_id, token, &row, &err), ST_OK);
	assert_int_equal(guard_token_owner(w->api.guard, token, &who, &err), ST_OK);
	assert_int_equal(guard_delete_token(req, row.id, &err), ST_OK);
	assert_int_equal(guard_begin_session(req, &who, cookie, &err), ST_UNAUTHENTICATED);
	assert_int_equal(count(w, "SELECT count(*) FROM browser_session"), 0);
}

/* ---- people ---- */

/* A person of that role, and a token of theirs. */
static struct user_row person(
	struct world *w, struct http_request *admin, enum user_role role, char token[GUARD_TOKEN_SIZE])
{
	struct err err;
	struct token_row row;
	struct user_row user = {.id = uuid_v7(clock_unix_ms()),
		.organization_id = w->account.organization.id,
		.name = user_role_name(role),
		.role = role,
		.created_us = clock_unix_us()};
	assert_int_equal(guard_add_user(admin, &user, &err), ST_OK);
	assert_int_equal(guard_make_token(admin, "t", user.id, token, &row, &err), ST_OK);
	assert_string_equal(row.user_name, user.name);
	return user;
}

static enum status admit_token(struct world *w, const char *token, enum api_rule rule)
{
	struct call call;
	struct http_request *req = request(w, &call, HTTP_GET, rule);
	bearer(w, req, token);
	return admit(req);
}

static void test_roles_open_what_they_may(void **state)
{
	struct world *w = *state;
	struct call call;
	struct http_request *admin = request(w, &call, HTTP_POST, RULE_ADMIN);
	bearer(w, admin, w->account.token);
	assert_int_equal(admit(admin), ST_OK);
	static const enum api_rule rules[] = {RULE_PUBLIC, RULE_REVIEWER, RULE_SERVICE_OR_REVIEWER, RULE_USER,
		RULE_SERVICE, RULE_ANY_SERVICE, RULE_ADMIN};
	static const unsigned opened[USER_ROLE_COUNT] = {
		[USER_REVIEWER] = 3, [USER_MEMBER] = 6, [USER_ADMIN] = 7}; /* the first so many */
	for (enum user_role role = 0; role < USER_ROLE_COUNT; role++) {
		char token[GUARD_TOKEN_SIZE];
		person(w, admin, role, token);
		for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
			assert_int_equal(
				admit_token(w, token, rules[i]), i < opened[role] ? ST_OK : ST_FORBIDDEN);
	}
}

static void test_a_role_changes_at_once(void **state)
{
	struct world *w = *state;
	struct call call;
	struct err err;
	char token[GUARD_TOKEN_SIZE];
	struct http_request *admin = request(w, &call, HTTP_POST, RULE_ADMIN);
	bearer(w, admin, w->account.token);
	assert_int_equal(admit(admin), ST_OK);
	struct user_row user = person(w, admin, USER_MEMBER, token);
	const char *cookie = session_cookie_of(w, token);
	assert_int_equal(admit_token(w, token, RULE_USER), ST_OK);
	assert_int_equal(guard_set_role(admin, user.id, USER_REVIEWER, &err), ST_OK);
	for (int restarted = 0; restarted < 2; restarted++) {
		assert_int_equal(admit_token(w, token, RULE_USER), ST_FORBIDDEN);
		assert_int_equal(admit_token(w, token, RULE_REVIEWER), ST_OK);
		struct http_request *req = request(w, &call, HTTP_GET, RULE_USER);
		header(req, "Cookie", cookie);
		assert_int_equal(admit(req), ST_FORBIDDEN);
		guard_close(w->api.guard);
		open_guard(w);
	}
	admin = request(w, &call, HTTP_POST, RULE_ADMIN);
	bearer(w, admin, w->account.token);
	assert_int_equal(admit(admin), ST_OK);
	assert_int_equal(guard_delete_user(admin, user.id, &err), ST_OK);
	assert_int_equal(admit_token(w, token, RULE_REVIEWER), ST_UNAUTHENTICATED);
	assert_int_equal(admit_cookie(w, cookie), ST_UNAUTHENTICATED);
	assert_int_equal(count(w, "SELECT count(*) FROM api_token"), 1);
	assert_int_equal(guard_delete_user(admin, user.id, &err), ST_MISSING);
	assert_int_equal(guard_set_role(admin, user.id, USER_ADMIN, &err), ST_MISSING);
}

static void test_one_administrator_stays(void **state)
{
	struct world *w = *state;
	struct call call;
	struct err err;
	char token[GUARD_TOKEN_SIZE];
	struct http_request *admin = request(w, &call, HTTP_POST, RULE_ADMIN);
	bearer(w, admin, w->account.token);
	assert_int_equal(admit(admin), ST_OK);
	struct uuid first = caller_of(admin)->user_id;
	assert_int_equal(guard_set_role(admin, first, USER_MEMBER, &err), ST_CONFLICT);
	assert_int_equal(guard_delete_user(admin, first, &err), ST_CONFLICT);
	assert_int_equal(admit_token(w, w->account.token, RULE_ADMIN), ST_OK);
	struct user_row second = person(w, admin, USER_ADMIN, token);
	assert_int_equal(guard_set_role(admin, first, USER_MEMBER, &err), ST_OK);
	assert_int_equal(guard_set_role(admin, second.id, USER_REVIEWER, &err), ST_CONFLICT);
	/* The link that a start prints is for an administrator. */
	struct guard_account again;
	assert_int_equal(guard_first_start(w->recorder, "default", false, &w->arena, &again, &err), ST_OK);
	assert_true(uuid_equal(again.admin.id, second.id));
}

static const char *service_token(struct world *w, const char *deployment, int64_t lifetime_s)
{
	struct caller who;
	struct err err;
	assert_int_equal(guard_token_owner(w->api.guard, w->account.token, &who, &err), ST_OK);
	struct jwt jwt = {.user_id = who.user_id,
		.token_id = who.token_id,
		.expires_s = clock_unix_ms() / 1000 + lifetime_s};
	assert_true(uuid_parse(deployment, &jwt.deployment_id));
	return jwt_write(span_of(w->api.signing_key, 32), &jwt, &w->arena);
}

static void test_a_jwt_opens_one_deployment(void **state)
{
	struct world *w = *state;
	static const char ours[] = "01890b5d-ac96-774b-bcce-b302099a8057",
			  other[] = "01890b5d-ac96-774b-bcce-b302099a8058";
	struct call call;
	struct http_request *req = request(w, &call, HTTP_POST, RULE_SERVICE);
	bearer(w, req, service_token(w, ours, 60));
	assert_int_equal(admit(req), ST_OK);
	assert_int_equal(caller_of(req)->kind, CALLER_SERVICE);
	assert_string_equal(caller_of(req)->user_name, "admin");

	call.route.rule = RULE_USER;
	assert_int_equal(admit(req), ST_FORBIDDEN);
	call.route.rule = RULE_SERVICE;
	call.route.pattern = "/api/something";
	assert_int_equal(admit(req), ST_FORBIDDEN);

	req = request(w, &call, HTTP_POST, RULE_SERVICE);
	bearer(w, req, service_token(w, other, 60));
	assert_int_equal(admit(req), ST_FORBIDDEN);
	req = request(w, &call, HTTP_POST, RULE_SERVICE);
	bearer(w, req, service_token(w, ours, 0));
	assert_int_equal(admit(req), ST_UNAUTHENTICATED);
	/* People may use it, too. */
	req = request(w, &call, HTTP_POST, RULE_SERVICE);
	bearer(w, req, w->account.token);
	assert_int_equal(admit(req), ST_OK);
}

/* ---- signed links ---- */

/* The query of a link, as the server would hand it over. */
static void use_link(struct world *w, struct http_request *req, const char *url)
{
	char *rest = arena_strdup(&w->arena, strchr(url, '?') + 1), *pair;
	while ((pair = strsep(&rest, "&"))) {
		char *value = strchr(pair, '=');
		*value++ = '\0';
		query(req, pair, value);
	}
}

static void test_signed_links_are_checked_before_the_body(void **state)
{
	struct world *w = *state;
	struct call call;
	const char *up = presign_upload_url(&w->api, "data/1/x.png", "image/png", 1000, &w->arena);
	struct http_request *req = request(w, &call, HTTP_POST, RULE_SIGNED);
	assert_int_equal(admit(req), ST_INVALID);
	use_link(w, req, up);
	assert_int_equal(admit(req), ST_OK);
	header(req, "Content-Length", "60000");
	assert_int_equal(admit(req), ST_OK); /* the form around the file has room */
	call.fields[0].value = "100000";
	assert_int_equal(admit(req), ST_TOO_LARGE);

	/* A link to upload is none to read with, and the other way round. */
	req = request(w, &call, HTTP_GET, RULE_SIGNED);
	use_link(w, req, up);
	assert_int_equal(admit(req), ST_FORBIDDEN);
	const char *down = presign_download_url(&w->api, "data/1/x.png", &w->arena);
	req = request(w, &call, HTTP_GET, RULE_SIGNED);
	use_link(w, req, down);
	assert_int_equal(admit(req), ST_OK);
	req->method = HTTP_HEAD;
	assert_int_equal(admit(req), ST_OK);
	req = request(w, &call, HTTP_POST, RULE_SIGNED);
	use_link(w, req, down);
	assert_int_equal(admit(req), ST_INVALID);
	/* An API token is no way around. */
	req = request(w, &call, HTTP_GET, RULE_SIGNED);
	bearer(w, req, w->account.token);
	query(req, "name", "data/1/x.png");
	assert_int_equal(admit(req), ST_INVALID);
}

/* ---- codes and failures ---- */

static void test_a_login_code_is_good_once(void **state)
{
	struct world *w = *state;
	char code[GUARD_SECRET_SIZE], late[GUARD_SECRET_SIZE];
	struct caller who;
	guard_login_code(w->api.guard, 60 * 1000000, code);
	guard_login_code(w->api.guard, 0, late);
	assert_false(guard_use_code(w->api.guard, late, &who));
	assert_false(guard_use_code(w->api.guard, "x", &who));
	assert_true(guard_use_code(w->api.guard, code, &who));
	assert_true(uuid_equal(who.user_id, w->account.admin.id));
	assert_string_equal(who.user_name, "admin");
	assert_false(guard_use_code(w->api.guard, code, &who));
}

static void test_failures_close_the_door_for_one_address(void **state)
{
	struct world *w = *state;
	struct call call;
	struct err err;
	struct http_request *req = request(w, &call, HTTP_POST, RULE_PUBLIC);
	for (int i = 0; i < GUARD_FAILURES_MAX; i++) {
		assert_int_equal(guard_check_failures(req, &err), ST_OK);
		guard_note_failure(req);
	}
	assert_int_equal(guard_check_failures(req, &err), ST_TOO_MANY);
	req->peer = "192.0.2.8";
	assert_int_equal(guard_check_failures(req, &err), ST_OK);
}

static void test_failures_are_forgotten_after_a_minute(void **state)
{
	static struct guard_failures f;
	memset(&f, 0, sizeof(f));
	const int64_t second = 1000000;
	for (int i = 0; i < 10; i++)
		guard_failures_add(&f, "a", (100 + i) * second);
	assert_int_equal(guard_failures_count(&f, "a", 110 * second), 10);
	assert_int_equal(guard_failures_count(&f, "a", 159 * second), 10);
	assert_int_equal(guard_failures_count(&f, "a", 160 * second), 0);
	guard_failures_add(&f, "a", 161 * second);
	assert_int_equal(guard_failures_count(&f, "a", 161 * second), 1);
	/* Many addresses push the oldest out, not the newest. */
	char peer[32];
	for (int i = 0; i < GUARD_PEERS; i++) {
		snprintf(peer, sizeof(peer), "peer %d", i);
		guard_failures_add(&f, peer, (200 + i) * second);
	}
	assert_int_equal(guard_failures_count(&f, "a", 161 * second), 0);
	assert_int_equal(guard_failures_count(&f, peer, 456 * second), 1);
}

/* ---- the table ---- */

static void test_the_table_finds_what_it_has(void **state)
{
	struct guard_table t;
	struct guard_entry entry;
	char text[16];
	guard_table_init(&t, 100);
	for (int i = 0; i < 150; i++) {
		snprintf(text, sizeof(text), "%d", i);
		struct guard_entry added = {.hash = hash_sha256(span_of_text(text)), .expires_us = 1000 + i};
		snprintf(added.user_name, sizeof(added.user_name), "%s", text);
		guard_table_add(&t, &added);
	}
	assert_int_equal(t.count, 100); /* those that would expire first made room */
	for (int i = 0; i < 150; i++) {
		snprintf(text, sizeof(text), "%d", i);
		bool found = guard_table_find(&t, hash_sha256(span_of_text(text)), 0, &entry);
		assert_int_equal(found, i >= 50);
		if (found)
			assert_string_equal(entry.user_name, text);
	}
	guard_table_expire(&t, 1100);
	assert_int_equal(t.count, 49);
	assert_false(guard_table_find(&t, hash_sha256(span_of_text("149")), 1149, &entry));
	assert_true(guard_table_find(&t, hash_sha256(span_of_text("149")), 1148, &entry));
	guard_table_remove(&t, hash_sha256(span_of_text("149")));
	guard_table_remove(&t, hash_sha256(span_of_text("149")));
	assert_int_equal(t.count, 48);
	guard_table_release(&t);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_the_first_start_makes_everything_once),
		WITH_WORLD(test_a_lost_token_file_gets_another_token),
		WITH_WORLD(test_secrets_are_not_stored),
		WITH_WORLD(test_tokens),
		WITH_WORLD(test_public_routes_ask_nothing),
		WITH_WORLD(test_a_browser_that_reads),
		WITH_WORLD(test_a_browser_that_changes),
		WITH_WORLD(test_sessions_end),
		WITH_WORLD(test_sessions_survive_a_restart_until_they_expire),
		WITH_WORLD(test_a_deleted_token_is_dead_at_once),
		WITH_WORLD(test_sessions_end_with_their_token),
		WITH_WORLD(test_a_session_is_not_begun_with_a_deleted_token),
		WITH_WORLD(test_roles_open_what_they_may),
		WITH_WORLD(test_a_role_changes_at_once),
		WITH_WORLD(test_one_administrator_stays),
		WITH_WORLD(test_a_jwt_opens_one_deployment),
		WITH_WORLD(test_signed_links_are_checked_before_the_body),
		WITH_WORLD(test_a_login_code_is_good_once),
		WITH_WORLD(test_failures_close_the_door_for_one_address),
		cmocka_unit_test(test_failures_are_forgotten_after_a_minute),
		cmocka_unit_test(test_the_table_finds_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
