/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the organization, its users, their API tokens and browser sessions, and the audit log. */
#ifndef GYRE_STORE_ACCOUNT_ROWS_H
#define GYRE_STORE_ACCOUNT_ROWS_H

#include "base/hash.h"
#include "store/rows.h"

struct organization_row {
	struct uuid id, connector_id;
	const char *name;
	uint8_t signing_key[32];
	int64_t created_us;
};

/* What a person may do: each more than the next. Wire names: "ADMIN", … */
enum user_role { USER_ADMIN, USER_MEMBER, USER_REVIEWER, USER_ROLE_COUNT };
const char *user_role_name(enum user_role role);
bool user_role_parse(const char *text, enum user_role *out);

#define USER_NAME_MAX 63 /* bytes */

struct user_row {
	struct uuid id, organization_id;
	const char *name;
	enum user_role role;
	int64_t created_us;
};

struct token_row {
	struct uuid id, user_id;
	const char *user_name;    /* only read */
	enum user_role user_role; /* only read */
	const char *name;
	struct sha256 hash; /* of the token's text */
	int64_t created_us;
};

struct session_row {
	struct sha256 hash;            /* of the cookie */
	struct uuid user_id, token_id; /* token_id: that it was begun with and ends with; zero: none */
	const char *user_name;         /* only read */
	enum user_role user_role;      /* only read */
	int64_t created_us, expires_us;
};

enum status account_rows_insert_organization(
	struct db_conn *c, const struct organization_row *o, struct err *err) MUST_CHECK;
/* The one organization; *found is false in a new database. */
enum status account_rows_organization(struct db_conn *c, struct arena *a, struct organization_row *out,
	bool *found, struct err *err) MUST_CHECK;

enum status account_rows_insert_user(
	struct db_conn *c, const struct user_row *u, struct err *err) MUST_CHECK; /* ST_CONFLICT */
/* All of them, or those of that name, oldest first. */
enum status account_rows_users(struct db_conn *c, const char *name, struct arena *a, struct user_row **items,
	size_t *count, struct err *err) MUST_CHECK;

enum status account_rows_user(struct db_conn *c, struct uuid id, struct arena *a, struct user_row *out,
	struct err *err) MUST_CHECK; /* ST_MISSING */
/* Both: ST_MISSING; ST_CONFLICT when no administrator would be left. */
enum status account_rows_set_role(
	struct db_conn *c, struct uuid id, enum user_role role, struct err *err) MUST_CHECK;
enum status account_rows_delete_user(
	struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK; /* with tokens and sessions */

enum status account_rows_insert_token(
	struct db_conn *c, const struct token_row *t, struct err *err) MUST_CHECK;
enum status account_rows_tokens(struct db_conn *c, struct arena *a, struct token_row **items, size_t *count,
	struct err *err) MUST_CHECK; /* all, oldest first */
enum status account_rows_delete_token(
	struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK; /* ST_MISSING */

enum status account_rows_insert_session(
	struct db_conn *c, const struct session_row *s, struct err *err) MUST_CHECK;
enum status account_rows_sessions(struct db_conn *c, struct arena *a, struct session_row **items,
	size_t *count, struct err *err) MUST_CHECK; /* all, expired ones too */
enum status account_rows_delete_session(
	struct db_conn *c, struct sha256 hash, struct err *err) MUST_CHECK; /* no such: ST_OK */
enum status account_rows_expire_sessions(struct db_conn *c, int64_t now_us, struct err *err) MUST_CHECK;

/* action: "model.create". Zero ids become null, detail is JSON or NULL. */
enum status account_rows_audit(struct db_conn *c, int64_t at_us, struct uuid user_id, const char *action,
	struct uuid object_id, const char *detail, struct err *err) MUST_CHECK;

#endif
