/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the organization, users, tokens, sessions and the audit log. */
#include "store/account_rows.h"

#include "base/check.h"

static const char *const role_names[USER_ROLE_COUNT] = {
	[USER_ADMIN] = "ADMIN",
	[USER_MEMBER] = "MEMBER",
	[USER_REVIEWER] = "REVIEWER",
};

const char *user_role_name(enum user_role role)
{
	CHECK(role < USER_ROLE_COUNT);
	return role_names[role];
}

bool user_role_parse(const char *text, enum user_role *out)
{
	for (enum user_role r = 0; r < USER_ROLE_COUNT; r++) {
		if (strcmp(text, role_names[r]) == 0) {
			*out = r;
			return true;
		}
	}
	return false;
}

static enum user_role read_role(struct db_query *q, int column, struct arena *a)
{
	enum user_role role = USER_REVIEWER; /* a role that is not known may the least */
	(void)user_role_parse(db_text(q, column, a), &role);
	return role;
}

static void copy_bytes(struct db_query *q, int column, struct arena *a, uint8_t out[32])
{
	struct span bytes = db_blob(q, column, a);
	CHECK(bytes.size == 32);
	memcpy(out, bytes.data, 32);
}

enum status account_rows_insert_organization(
	struct db_conn *c, const struct organization_row *o, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO organization (id, name, connector_id, signing_key, created_us)"
			    " VALUES ($1, $2, $3, $4, $5)");
	db_bind_uuid(&q, o->id);
	db_bind_text(&q, o->name);
	db_bind_uuid(&q, o->connector_id);
	db_bind_blob(&q, span_of(o->signing_key, sizeof(o->signing_key)));
	db_bind_integer(&q, o->created_us);
	return db_done(&q, err);
}

enum status account_rows_organization(
	struct db_conn *c, struct arena *a, struct organization_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT id, name, connector_id, signing_key, created_us FROM organization"
			    " ORDER BY created_us, id LIMIT 1");
	*found = db_next(&q);
	if (*found) {
		*out = (struct organization_row){
			.id = db_uuid(&q, 0),
			.name = db_text(&q, 1, a),
			.connector_id = db_uuid(&q, 2),
			.created_us = db_integer(&q, 4),
		};
		copy_bytes(&q, 3, a, out->signing_key);
	}
	return db_done(&q, err);
}

/* ---- users ---- */

enum status account_rows_insert_user(struct db_conn *c, const struct user_row *u, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO user_account (id, organization_id, name, created_us, role)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING");
	db_bind_uuid(&q, u->id);
	db_bind_uuid(&q, u->organization_id);
	db_bind_text(&q, u->name);
	db_bind_integer(&q, u->created_us);
	db_bind_text(&q, user_role_name(u->role));
	TRY(db_done(&q, err));
	return db_changes(c) == 1
		       ? ST_OK
		       : err_set(err, ST_CONFLICT, "A user named \"%.200s\" exists already.", u->name);
}

#define SELECT_USER "SELECT id, organization_id, name, created_us, role FROM user_account"

static void read_user(struct db_query *q, struct arena *a, struct user_row *out)
{
	*out = (struct user_row){
		.id = db_uuid(q, 0),
		.organization_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.created_us = db_integer(q, 3),
		.role = read_role(q, 4, a),
	};
}

enum status account_rows_users(struct db_conn *c, const char *name, struct arena *a, struct user_row **items,
	size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT_USER " WHERE $1 IS NULL OR name = $1 ORDER BY created_us, id");
	db_bind_text(&q, name);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_user(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

static enum status missing_user(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no user with the id %s.", text);
}

enum status account_rows_user(
	struct db_conn *c, struct uuid id, struct arena *a, struct user_row *out, struct err *err)
{
	struct db_query q = db_query(c, SELECT_USER " WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_user(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : missing_user(id, err);
}

/* After a change, within its transaction. */
static enum status check_administrator_left(struct db_conn *c, struct err *err)
{
	int64_t left;
	struct db_query q = db_query(c, "SELECT count(*) FROM user_account WHERE role = 'ADMIN'");
	TRY(rows_number(&q, &left, err));
	if (left > 0)
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"This is the only administrator, and without one nobody could add people: make somebody "
		"else an administrator first.");
}

enum status account_rows_set_role(struct db_conn *c, struct uuid id, enum user_role role, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE user_account SET role = $1 WHERE id = $2");
	db_bind_text(&q, user_role_name(role));
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? check_administrator_left(c, err) : missing_user(id, err);
}

enum status account_rows_delete_user(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM user_account WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? check_administrator_left(c, err) : missing_user(id, err);
}

/* ---- tokens ---- */

enum status account_rows_insert_token(struct db_conn *c, const struct token_row *t, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO api_token (id, user_id, name, hash, created_us)"
					" VALUES ($1, $2, $3, $4, $5)");
	db_bind_uuid(&q, t->id);
	db_bind_uuid(&q, t->user_id);
	db_bind_text(&q, t->name);
	db_bind_blob(&q, span_of(t->hash.bytes, sizeof(t->hash.bytes)));
	db_bind_integer(&q, t->created_us);
	return db_done(&q, err);
}

enum status account_rows_tokens(
	struct db_conn *c, struct arena *a, struct token_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT t.id, t.user_id, u.name, t.name, t.hash, t.created_us, u.role FROM api_token t"
		" JOIN user_account u ON u.id = t.user_id ORDER BY t.created_us, t.id");
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		struct token_row *t = &(*items)[*count];
		t->id = db_uuid(&q, 0);
		t->user_id = db_uuid(&q, 1);
		t->user_name = db_text(&q, 2, a);
		t->name = db_text(&q, 3, a);
		copy_bytes(&q, 4, a, t->hash.bytes);
		t->created_us = db_integer(&q, 5);
		t->user_role = read_role(&q, 6, a);
	}
	return db_done(&q, err);
}

enum status account_rows_delete_token(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM api_token WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	if (db_changes(c) == 1)
		return ST_OK;
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no API token with the id %s.", text);
}

/* ---- sessions ---- */

enum status account_rows_insert_session(struct db_conn *c, const struct session_row *s, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO browser_session (hash, user_id, created_us, expires_us, token_id)"
			    " VALUES ($1, $2, $3, $4, $5)");
	db_bind_blob(&q, span_of(s->hash.bytes, sizeof(s->hash.bytes)));
	db_bind_uuid(&q, s->user_id);
	db_bind_integer(&q, s->created_us);
	db_bind_integer(&q, s->expires_us);
	db_bind_uuid(&q, s->token_id);
	return db_done(&q, err);
}

enum status account_rows_sessions(
	struct db_conn *c, struct arena *a, struct session_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT s.hash, s.user_id, u.name, s.created_us, s.expires_us, s.token_id, u.role"
			    " FROM browser_session s"
			    " JOIN user_account u ON u.id = s.user_id");
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		struct session_row *s = &(*items)[*count];
		copy_bytes(&q, 0, a, s->hash.bytes);
		s->user_id = db_uuid(&q, 1);
		s->user_name = db_text(&q, 2, a);
		s->created_us = db_integer(&q, 3);
		s->expires_us = db_integer(&q, 4);
		s->token_id = db_uuid(&q, 5);
		s->user_role = read_role(&q, 6, a);
	}
	return db_done(&q, err);
}

enum status account_rows_delete_session(struct db_conn *c, struct sha256 hash, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM browser_session WHERE hash = $1");
	db_bind_blob(&q, span_of(hash.bytes, sizeof(hash.bytes)));
	return db_done(&q, err);
}

enum status account_rows_expire_sessions(struct db_conn *c, int64_t now_us, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM browser_session WHERE expires_us <= $1");
	db_bind_integer(&q, now_us);
	return db_done(&q, err);
}

/* ---- the audit log ---- */

enum status account_rows_audit(struct db_conn *c, int64_t at_us, struct uuid user_id, const char *action,
	struct uuid object_id, const char *detail, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO audit_log (at_us, user_id, action, object_id, detail)"
					" VALUES ($1, $2, $3, $4, $5)");
	db_bind_integer(&q, at_us);
	db_bind_uuid(&q, user_id);
	db_bind_text(&q, action);
	db_bind_uuid(&q, object_id);
	db_bind_text(&q, detail);
	return db_done(&q, err);
}
