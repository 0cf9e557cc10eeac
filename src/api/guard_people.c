/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens and people: each change is made in the database and then in the guard's tables. */
#include "api/guard_inside.h"
#include "os/clock.h"

/* ---- API tokens ---- */

struct making {
	struct token_row row;
	struct user_row user;
	struct arena *arena;
};

static enum status insert_token(struct db_conn *c, void *arg, struct err *err)
{
	struct making *m = arg;
	TRY(account_rows_user(c, m->row.user_id, m->arena, &m->user, err));
	return account_rows_insert_token(c, &m->row, err);
}

static enum status check_room(struct guard *g, struct err *err)
{
	mutex_lock(&g->lock);
	bool full = g->tokens.count >= GUARD_TOKENS_MAX;
	mutex_unlock(&g->lock);
	return full ? err_set(err, ST_CONFLICT,
			      "There are %d API tokens, which is the most: delete one first.",
			      GUARD_TOKENS_MAX)
		    : ST_OK;
}

static enum status make_token(struct http_request *req, struct making *m, struct guard *g, struct err *err)
{
	TRY(check_room(g, err));
	TRY(api_write(req, "token.create", m->row.id, insert_token, m, err));
	m->row.user_name = m->user.name;
	m->row.user_role = m->user.role;
	struct guard_entry entry = guard_entry_of(m->row.hash, m->row.id, &m->user, INT64_MAX);
	mutex_lock(&g->lock);
	guard_table_add(&g->tokens, &entry);
	mutex_unlock(&g->lock);
	return ST_OK;
}

enum status guard_make_token(struct http_request *req, const char *name, struct uuid user_id,
	char token[GUARD_TOKEN_SIZE], struct token_row *out, struct err *err)
{
	struct guard *g = api_of(req)->guard;
	guard_new_token(token);
	int64_t now = clock_unix_us();
	struct making m = {.arena = req->arena,
		.row = {
			.id = uuid_v7(now / 1000),
			.user_id = user_id,
			.name = name,
			.hash = guard_hash(token),
			.created_us = now,
		}};
	mutex_lock(&g->people);
	enum status st = make_token(req, &m, g, err);
	mutex_unlock(&g->people);
	*out = m.row;
	return st;
}

static enum status delete_token(struct db_conn *c, void *arg, struct err *err)
{
	return account_rows_delete_token(c, *(const struct uuid *)arg, err);
}

bool guard_token_user(struct guard *g, struct uuid id, struct uuid *user_id)
{
	struct guard_entry entry;
	mutex_lock(&g->lock);
	bool found = guard_table_find_id(&g->tokens, id, &entry);
	mutex_unlock(&g->lock);
	if (found)
		*user_id = entry.user_id;
	return found;
}

enum status guard_delete_token(struct http_request *req, struct uuid id, struct err *err)
{
	struct guard *g = api_of(req)->guard;
	mutex_lock(&g->people);
	enum status st = api_write(req, "token.delete", id, delete_token, &id, err);
	if (st == ST_OK) {
		mutex_lock(&g->lock);
		guard_table_remove_id(&g->tokens, id);
		guard_table_remove_id(&g->sessions, id);
		mutex_unlock(&g->lock);
	}
	mutex_unlock(&g->people);
	return st;
}

/* ---- people ---- */

static enum status insert_user(struct db_conn *c, void *arg, struct err *err)
{
	return account_rows_insert_user(c, arg, err);
}

enum status guard_add_user(struct http_request *req, const struct user_row *user, struct err *err)
{
	return api_write(req, "user.create", user->id, insert_user, (void *)user, err);
}

static enum status set_role(struct db_conn *c, void *arg, struct err *err)
{
	const struct user_row *user = arg;
	return account_rows_set_role(c, user->id, user->role, err);
}

enum status guard_set_role(struct http_request *req, struct uuid id, enum user_role role, struct err *err)
{
	struct guard *g = api_of(req)->guard;
	struct user_row user = {.id = id, .role = role};
	mutex_lock(&g->people);
	enum status st = api_write(req, "user.role", id, set_role, &user, err);
	if (st == ST_OK) {
		mutex_lock(&g->lock);
		guard_table_set_role(&g->tokens, id, role);
		guard_table_set_role(&g->sessions, id, role);
		guard_table_set_role(&g->codes, id, role);
		mutex_unlock(&g->lock);
	}
	mutex_unlock(&g->people);
	return st;
}

static enum status delete_user(struct db_conn *c, void *arg, struct err *err)
{
	return account_rows_delete_user(c, *(const struct uuid *)arg, err);
}

enum status guard_delete_user(struct http_request *req, struct uuid id, struct err *err)
{
	struct guard *g = api_of(req)->guard;
	mutex_lock(&g->people);
	enum status st = api_write(req, "user.delete", id, delete_user, &id, err);
	if (st == ST_OK) {
		mutex_lock(&g->lock);
		guard_table_remove_user(&g->tokens, id);
		guard_table_remove_user(&g->sessions, id);
		guard_table_remove_user(&g->codes, id);
		mutex_unlock(&g->lock);
	}
	mutex_unlock(&g->people);
	return st;
}
