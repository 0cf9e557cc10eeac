/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may call: API tokens, browser sessions, one-time login codes and the JWTs of
 * deployments. Tables in memory (hashes, never the secrets), read from the database
 * at start and changed together with it, so that admission needs no database.
 *
 * Any thread; admission runs on the event thread.
 */
#ifndef GYRE_API_GUARD_H
#define GYRE_API_GUARD_H

#include "api/api.h"
#include "base/hash.h"
#include "store/account_rows.h"

#define GUARD_COOKIE "gyre_session"
#define GUARD_SECRET_SIZE 44 /* base64url of 32 random bytes, and the NUL: a cookie, a code */
#define GUARD_TOKEN_PREFIX "gyre_"
#define GUARD_TOKEN_SIZE 49 /* the prefix, 43 characters, the NUL */
#define GUARD_SESSION_S (30 * 24 * 3600)
#define GUARD_FAILURES_MAX 10 /* failed logins a minute from one address */

/* ---- the first start, and every other ---- */

struct guard_account {
	struct organization_row organization; /* texts in the arena */
	struct user_row admin;
	char token[GUARD_TOKEN_SIZE]; /* a new API token of the admin's, "" when none was made */
};

/*
 * Read the organization and its first user; in a new database make them (and the datalake "default"), so that
 * this is done once whatever crashes. token_wanted: the file with the admin's token is missing, so make a
 * token. It is in the database when this returns; the caller writes the file.
 */
enum status guard_first_start(struct recorder *recorder, const char *organization_name, bool token_wanted,
	struct arena *a, struct guard_account *out, struct err *err) MUST_CHECK;

/* Reads the tables. admin: who the login codes are for. */
enum status guard_open(struct db_readers *readers, const struct user_row *admin, struct guard **out,
	struct err *err) MUST_CHECK;
void guard_close(struct guard *g);

/* ---- admission ---- */

/* The http_admit of the server: sets req->caller. ST_UNAUTHENTICATED, ST_FORBIDDEN. */
enum status guard_admit(struct http_request *req, struct err *err);
/* Is the Origin header absent or our own host? ST_FORBIDDEN. */
enum status guard_check_origin(const struct http_request *req, struct err *err) MUST_CHECK;

/* ---- logging in ---- */

/* ST_TOO_MANY after GUARD_FAILURES_MAX failures within a minute from the request's address. */
enum status guard_check_failures(const struct http_request *req, struct err *err) MUST_CHECK;
void guard_note_failure(const struct http_request *req);
/* Who an API token belongs to; ST_UNAUTHENTICATED. */
enum status guard_token_owner(
	struct guard *g, const char *token, struct caller *out, struct err *err) MUST_CHECK;

/* A code for the link <public_url>/login?code=…: good once, for ttl_us. */
void guard_login_code(struct guard *g, int64_t ttl_us, char out[GUARD_SECRET_SIZE]);
/* Uses the code up. False: unknown, used or expired. */
bool guard_use_code(struct guard *g, const char *code, struct caller *out);

/* A browser session for the caller; cookie gets its secret. */
enum status guard_begin_session(struct http_request *req, const struct caller *who,
	char cookie[GUARD_SECRET_SIZE], struct err *err) MUST_CHECK;
/* Of the request's cookie; none is ST_OK. */
enum status guard_end_session(struct http_request *req, struct err *err) MUST_CHECK;

/* ---- API tokens ---- */

/* A new token of that user's; the secret is in `token` and nowhere else. ST_MISSING */
enum status guard_make_token(struct http_request *req, const char *name, struct uuid user_id,
	char token[GUARD_TOKEN_SIZE], struct token_row *out, struct err *err) MUST_CHECK;
/* Whose token it is; false: no such token. */
bool guard_token_user(struct guard *g, struct uuid id, struct uuid *user_id);
/* With the browser sessions that were begun with it. ST_MISSING */
enum status guard_delete_token(struct http_request *req, struct uuid id, struct err *err) MUST_CHECK;

/* ---- people: what they may do changes with their next request ---- */

/* ST_FORBIDDEN when the caller may less than that role. */
enum status guard_check_role(const struct caller *caller, enum user_role wanted, struct err *err) MUST_CHECK;
enum status guard_add_user(
	struct http_request *req, const struct user_row *user, struct err *err) MUST_CHECK; /* ST_CONFLICT */
/* Both: ST_MISSING; ST_CONFLICT when no administrator would be left. */
enum status guard_set_role(
	struct http_request *req, struct uuid id, enum user_role role, struct err *err) MUST_CHECK;
enum status guard_delete_user(
	struct http_request *req, struct uuid id, struct err *err) MUST_CHECK; /* with tokens and sessions */

#endif
