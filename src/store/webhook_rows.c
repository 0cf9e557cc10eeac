/* SPDX-License-Identifier: Apache-2.0 */
#include "store/webhook_rows.h"

/* ---- webhooks ---- */

#define HEAD                                                                                                 \
	"id, organization_id, name, url, secret, active, created_us, created_by, last_us, last_status, "     \
	"last_error"

static void read_webhook(struct db_query *q, struct arena *a, struct webhook_row *out)
{
	*out = (struct webhook_row){
		.id = db_uuid(q, 0),
		.organization_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.url = db_text(q, 3, a),
		.secret = db_text(q, 4, a),
		.active = db_integer(q, 5) != 0,
		.created_us = db_integer(q, 6),
		.created_by = db_text(q, 7, a),
		.last_us = db_integer(q, 8),
		.last_status = db_integer(q, 9),
		.last_error = db_text(q, 10, a),
	};
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no webhook with the id %s.", text);
}

enum status webhook_rows_insert(struct db_conn *c, const struct webhook_row *w, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO webhook (id, organization_id, name, url, secret, active,"
					" created_us, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
	db_bind_uuid(&q, w->id);
	db_bind_uuid(&q, w->organization_id);
	db_bind_text(&q, w->name);
	db_bind_text(&q, w->url);
	db_bind_text(&q, w->secret);
	db_bind_integer(&q, w->active);
	db_bind_integer(&q, w->created_us);
	db_bind_text(&q, w->created_by);
	return db_done(&q, err);
}

enum status webhook_rows_update(struct db_conn *c, const struct webhook_row *w, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE webhook SET name = $1, url = $2, active = $3 WHERE id = $4");
	db_bind_text(&q, w->name);
	db_bind_text(&q, w->url);
	db_bind_integer(&q, w->active);
	db_bind_uuid(&q, w->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(w->id, err);
}

enum status webhook_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM webhook WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}

enum status webhook_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct webhook_row *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " HEAD " FROM webhook WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_webhook(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : missing(id, err);
}

enum status webhook_rows_list(struct db_conn *c, struct uuid organization_id, bool active_only,
	struct arena *a, struct webhook_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " HEAD " FROM webhook WHERE organization_id = $1"
					" AND active >= $2 ORDER BY created_us, id");
	db_bind_uuid(&q, organization_id);
	db_bind_integer(&q, active_only);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_webhook(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

/* ---- deliveries ---- */

#define DELIVERY                                                                                             \
	"d.id, d.webhook_id, d.event_id, d.body, d.attempts, d.next_us, d.http_status, d.error, "            \
	"d.created_us, d.done_us"

static void read_delivery(struct db_query *q, struct arena *a, struct webhook_delivery_row *out)
{
	*out = (struct webhook_delivery_row){
		.id = db_uuid(q, 0),
		.webhook_id = db_uuid(q, 1),
		.event_id = db_uuid(q, 2),
		.body = db_text(q, 3, a),
		.attempts = db_integer(q, 4),
		.next_us = db_integer(q, 5),
		.http_status = db_integer(q, 6),
		.error = db_text(q, 7, a),
		.created_us = db_integer(q, 8),
		.done_us = db_integer(q, 9),
	};
}

static void bind_time(struct db_query *q, int64_t at_us)
{
	if (at_us)
		db_bind_integer(q, at_us);
	else
		db_bind_null(q);
}

static void bind_outcome(struct db_query *q, const struct webhook_delivery_row *d)
{
	db_bind_integer(q, d->attempts);
	bind_time(q, d->next_us);
	db_bind_integer(q, d->http_status);
	db_bind_text(q, d->error);
	bind_time(q, d->done_us);
}

enum status webhook_delivery_rows_insert(
	struct db_conn *c, const struct webhook_delivery_row *d, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO webhook_delivery (attempts, next_us, http_status, error, done_us, "
			    "id, webhook_id,"
			    " event_id, body, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
	bind_outcome(&q, d);
	db_bind_uuid(&q, d->id);
	db_bind_uuid(&q, d->webhook_id);
	db_bind_uuid(&q, d->event_id);
	db_bind_text(&q, d->body);
	db_bind_integer(&q, d->created_us);
	return db_done(&q, err);
}

enum status webhook_delivery_rows_update(
	struct db_conn *c, const struct webhook_delivery_row *d, int64_t now_us, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE webhook_delivery SET attempts = $1, next_us = $2,"
					" http_status = $3, error = $4, done_us = $5 WHERE id = $6");
	bind_outcome(&q, d);
	db_bind_uuid(&q, d->id);
	TRY(db_done(&q, err));
	q = db_query(c, "UPDATE webhook SET last_us = $1, last_status = $2, last_error = $3 WHERE id = $4");
	db_bind_integer(&q, now_us);
	db_bind_integer(&q, d->http_status);
	db_bind_text(&q, d->error);
	db_bind_uuid(&q, d->webhook_id);
	return db_done(&q, err);
}

enum status webhook_delivery_rows_due(struct db_conn *c, int64_t now_us, int64_t limit, struct arena *a,
	struct webhook_delivery_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT " DELIVERY ", webhook.url, webhook.secret"
			    " FROM webhook_delivery AS d JOIN webhook ON webhook.id = d.webhook_id"
			    " WHERE d.next_us <= $1 AND webhook.active = 1"
			    " ORDER BY d.next_us, d.id LIMIT $2");
	db_bind_integer(&q, now_us);
	db_bind_integer(&q, limit);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_delivery(&q, a, &(*items)[*count]);
		(*items)[*count].url = db_text(&q, 10, a);
		(*items)[*count].secret = db_text(&q, 11, a);
	}
	return db_done(&q, err);
}

enum status webhook_delivery_rows_hold_back(
	struct db_conn *c, struct uuid webhook_id, int64_t now_us, int64_t next_us, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE webhook_delivery SET next_us = $1"
					" WHERE webhook_id = $2 AND next_us <= $3");
	db_bind_integer(&q, next_us);
	db_bind_uuid(&q, webhook_id);
	db_bind_integer(&q, now_us);
	return db_done(&q, err);
}

enum status webhook_delivery_rows_drop(
	struct db_conn *c, struct uuid webhook_id, int64_t now_us, const char *why, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE webhook_delivery SET next_us = NULL, done_us = $1, error = $2"
					" WHERE webhook_id = $3 AND next_us IS NOT NULL");
	db_bind_integer(&q, now_us);
	db_bind_text(&q, why);
	db_bind_uuid(&q, webhook_id);
	return db_done(&q, err);
}

enum status webhook_delivery_rows_forget(
	struct db_conn *c, struct uuid webhook_id, int64_t before_us, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM webhook_delivery WHERE webhook_id = $1"
					" AND created_us < $2 AND next_us IS NULL");
	db_bind_uuid(&q, webhook_id);
	db_bind_integer(&q, before_us);
	return db_done(&q, err);
}

enum status webhook_delivery_rows_list(struct db_conn *c, struct uuid webhook_id, int64_t limit,
	struct arena *a, struct webhook_delivery_row **items, size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT " DELIVERY " FROM webhook_delivery AS d"
			    " WHERE d.webhook_id = $1 ORDER BY d.created_us DESC, d.id DESC LIMIT $2");
	db_bind_uuid(&q, webhook_id);
	db_bind_integer(&q, limit);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_delivery(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}
