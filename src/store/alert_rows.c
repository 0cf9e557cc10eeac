/* SPDX-License-Identifier: Apache-2.0 */
#include "store/alert_rows.h"

/* ---- alerts ---- */

#define HEAD                                                                                                 \
	"alert.id, alert.deployment_id, alert.kind, alert.operator, alert.value, alert.window_s, "           \
	"alert.images_min, alert.label, alert.active, alert.created_us, alert.created_by, "                  \
	"(SELECT max(opened_us) FROM alert_event WHERE alert_event.alert_id = alert.id)"

static void read_alert(struct db_query *q, struct arena *a, struct alert_row *out)
{
	*out = (struct alert_row){
		.id = db_uuid(q, 0),
		.deployment_id = db_uuid(q, 1),
		.kind = db_text(q, 2, a),
		.comparison = db_text(q, 3, a),
		.value = db_real(q, 4),
		.window_s = db_integer(q, 5),
		.images_min = db_integer(q, 6),
		.label = db_text(q, 7, a),
		.active = db_integer(q, 8) != 0,
		.created_us = db_integer(q, 9),
		.created_by = db_text(q, 10, a),
		.last_us = db_integer(q, 11),
	};
}

static enum status missing(const char *what, struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no %s with the id %s.", what, text);
}

static void bind_settings(struct db_query *q, const struct alert_row *a)
{
	db_bind_text(q, a->comparison);
	db_bind_real(q, a->value);
	db_bind_integer(q, a->window_s);
	db_bind_integer(q, a->images_min);
	db_bind_text(q, a->label);
	db_bind_integer(q, a->active);
}

enum status alert_rows_insert(struct db_conn *c, const struct alert_row *a, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO alert (operator, value, window_s, images_min, label, active, id, deployment_id,"
		" kind, created_us, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
	bind_settings(&q, a);
	db_bind_uuid(&q, a->id);
	db_bind_uuid(&q, a->deployment_id);
	db_bind_text(&q, a->kind);
	db_bind_integer(&q, a->created_us);
	db_bind_text(&q, a->created_by);
	return db_done(&q, err);
}

enum status alert_rows_update(struct db_conn *c, const struct alert_row *a, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE alert SET operator = $1, value = $2, window_s = $3,"
					" images_min = $4, label = $5, active = $6 WHERE id = $7");
	bind_settings(&q, a);
	db_bind_uuid(&q, a->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing("alert", a->id, err);
}

enum status alert_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM alert WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing("alert", id, err);
}

enum status alert_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct alert_row *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " HEAD " FROM alert WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_alert(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : missing("alert", id, err);
}

static enum status read_alerts(
	struct db_query *q, struct arena *a, struct alert_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_alert(q, a, &(*items)[*count]);
	}
	return db_done(q, err);
}

enum status alert_rows_list(struct db_conn *c, struct uuid deployment_id, const char *kind, struct arena *a,
	struct alert_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " HEAD " FROM alert WHERE deployment_id = $1"
					" AND ($2 IS NULL OR kind = $2) ORDER BY created_us, id");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, kind);
	return read_alerts(&q, a, items, count, err);
}

enum status alert_rows_by_window(
	struct db_conn *c, struct arena *a, struct alert_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " HEAD " FROM alert WHERE active = 1 AND window_s > 0"
					" ORDER BY deployment_id, window_s, id");
	return read_alerts(&q, a, items, count, err);
}

/* ---- events ---- */

#define EVENT                                                                                                \
	"alert_event.id, alert_event.alert_id, alert_event.deployment_id, alert_event.key, "                 \
	"alert_event.opened_us, alert_event.closed_us, alert_event.closed_by, alert_event.sentence, "        \
	"alert_event.detail, alert.kind FROM alert_event JOIN alert ON alert.id = alert_event.alert_id"

static void read_event(struct db_query *q, struct arena *a, struct alert_event_row *out)
{
	*out = (struct alert_event_row){
		.id = db_uuid(q, 0),
		.alert_id = db_uuid(q, 1),
		.deployment_id = db_uuid(q, 2),
		.key = db_text(q, 3, a),
		.opened_us = db_integer(q, 4),
		.closed_us = db_integer(q, 5),
		.closed_by = db_text(q, 6, a),
		.sentence = db_text(q, 7, a),
		.detail = db_text(q, 8, a),
		.kind = db_text(q, 9, a),
	};
}

enum status alert_event_rows_insert(
	struct db_conn *c, const struct alert_event_row *e, bool *inserted, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO alert_event (id, alert_id, deployment_id, key, opened_us, sentence, detail)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (alert_id, key) DO NOTHING");
	db_bind_uuid(&q, e->id);
	db_bind_uuid(&q, e->alert_id);
	db_bind_uuid(&q, e->deployment_id);
	db_bind_text(&q, e->key);
	db_bind_integer(&q, e->opened_us);
	db_bind_text(&q, e->sentence);
	db_bind_text(&q, e->detail);
	TRY(db_done(&q, err));
	*inserted = db_changes(c) == 1;
	return ST_OK;
}

enum status alert_event_rows_close(struct db_conn *c, const struct alert_event_row *e, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE alert_event SET closed_us = $1, closed_by = $2, detail = $3"
					" WHERE id = $4 AND closed_us IS NULL");
	db_bind_integer(&q, e->closed_us);
	db_bind_text(&q, e->closed_by);
	db_bind_text(&q, e->detail);
	db_bind_uuid(&q, e->id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing("open alert event", e->id, err);
}

/* The first row of a query; id zero: there is none. */
static enum status first_event(
	struct db_query *q, struct arena *a, struct alert_event_row *out, struct err *err)
{
	*out = (struct alert_event_row){0};
	if (db_next(q))
		read_event(q, a, out);
	return db_done(q, err);
}

enum status alert_event_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct alert_event_row *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " EVENT " WHERE alert_event.id = $1");
	db_bind_uuid(&q, id);
	TRY(first_event(&q, a, out, err));
	return uuid_is_zero(out->id) ? missing("alert event", id, err) : ST_OK;
}

enum status alert_event_rows_last(struct db_conn *c, struct uuid alert_id, struct arena *a,
	struct alert_event_row *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " EVENT " WHERE alert_event.alert_id = $1"
					" ORDER BY alert_event.opened_us DESC, alert_event.id DESC LIMIT 1");
	db_bind_uuid(&q, alert_id);
	return first_event(&q, a, out, err);
}

enum status alert_event_rows_list(struct db_conn *c, struct uuid deployment_id, bool open_only, int64_t limit,
	struct arena *a, struct alert_event_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " EVENT " WHERE alert_event.deployment_id = $1"
					" AND ($2 = 0 OR alert_event.closed_us IS NULL)"
					" ORDER BY alert_event.opened_us DESC, alert_event.id DESC LIMIT $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, open_only);
	db_bind_integer(&q, limit);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_event(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status alert_event_rows_count_open(
	struct db_conn *c, struct uuid deployment_id, int64_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(*) FROM alert JOIN alert_event"
					" ON alert_event.alert_id = alert.id AND closed_us IS NULL"
					" WHERE alert.deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, count, err);
}

/* ---- what they look at ---- */

enum status alert_rows_reference_stats(struct db_conn *c, struct uuid reference_id, int64_t every,
	struct arena *a, const char ***items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT image_stats FROM reference_image"
					" WHERE reference_id = $1 AND ordinal % $2 = 0");
	db_bind_uuid(&q, reference_id);
	db_bind_integer(&q, every);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = db_text(&q, 0, a);
	}
	return db_done(&q, err);
}

enum status alert_rows_last_review(
	struct db_conn *c, struct uuid deployment_id, int64_t *at_us, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT created_us FROM review WHERE deployment_id = $1 ORDER BY position DESC LIMIT 1");
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, at_us, err);
}
