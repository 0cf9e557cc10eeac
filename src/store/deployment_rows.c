/* SPDX-License-Identifier: Apache-2.0 */
#include "store/deployment_rows.h"

#include "base/check.h"

#define COLUMNS                                                                                              \
	"id, organization_id, name, type, champion_id, champion_since_us, serving, threshold, sample_rate, " \
	"datalake_id, paused_us, paused_by, created_us"

static void read_row(struct db_query *q, struct arena *a, struct deployment_row *out)
{
	*out = (struct deployment_row){
		.id = db_uuid(q, 0),
		.organization_id = db_uuid(q, 1),
		.name = db_text(q, 2, a),
		.type = db_text(q, 3, a),
		.champion_id = db_uuid(q, 4),
		.champion_since_us = db_integer(q, 5),
		.serving = db_integer(q, 6) != 0,
		.threshold = db_real(q, 7),
		.sample_rate = db_real(q, 8),
		.datalake_id = db_uuid(q, 9),
		.paused_us = db_integer(q, 10),
		.paused_by = db_text(q, 11, a),
		.created_us = db_integer(q, 12),
	};
}

static void bind_pause(struct db_query *q, const struct deployment_row *d)
{
	if (d->paused_us)
		db_bind_integer(q, d->paused_us);
	else
		db_bind_null(q);
	db_bind_text(q, d->paused_by);
}

static enum status name_taken(struct err *err, const struct deployment_row *d)
{
	return err_set(
		err, ST_CONFLICT, "A deployment named \"%s\" exists already; choose another name.", d->name);
}

enum status deployment_rows_insert(struct db_conn *c, const struct deployment_row *d, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO deployment (" COLUMNS
					") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
					" ON CONFLICT (name) DO NOTHING");
	db_bind_uuid(&q, d->id);
	db_bind_uuid(&q, d->organization_id);
	db_bind_text(&q, d->name);
	db_bind_text(&q, d->type);
	db_bind_uuid(&q, d->champion_id);
	db_bind_integer(&q, d->champion_since_us);
	db_bind_integer(&q, d->serving);
	db_bind_real(&q, d->threshold);
	db_bind_real(&q, d->sample_rate);
	db_bind_uuid(&q, d->datalake_id);
	bind_pause(&q, d);
	db_bind_integer(&q, d->created_us);
	db_next(&q);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : name_taken(err, d);
}

/* Reads the one row of a query that was bound, and finishes it. */
static enum status read_one(
	struct db_query *q, struct arena *a, struct deployment_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_row(q, a, out);
	return db_done(q, err);
}

enum status deployment_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct deployment_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, "SELECT " COLUMNS " FROM deployment WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no deployment with the id %s.", text);
}

enum status deployment_rows_by_name(
	struct db_conn *c, const char *name, struct arena *a, struct deployment_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, "SELECT " COLUMNS " FROM deployment WHERE name = $1");
	db_bind_text(&q, name);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no deployment named \"%.200s\".", name);
}

enum status deployment_rows_exists(struct db_conn *c, struct uuid id, bool *exists, struct err *err)
{
	struct db_query q = db_query(c, "SELECT 1 FROM deployment WHERE id = $1");
	db_bind_uuid(&q, id);
	*exists = db_next(&q);
	return db_done(&q, err);
}

enum status deployment_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct deployment_row **items, size_t *count, int64_t *total, struct err *err)
{
	static const struct rows_source source = {
		.select = "SELECT " COLUMNS " FROM deployment",
		.count = "SELECT count(*) FROM deployment",
		.id = "deployment.id",
		.created = "deployment.created_us",
		.name = "deployment.name",
	};
	struct db_query q = rows_count(c, a, &source, page);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &source, page);
	rows_bind(&q, page);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status deployment_rows_update(struct db_conn *c, const struct deployment_row *d, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE deployment SET name = $1, champion_id = $2, champion_since_us = $3,"
			    " threshold = $4, sample_rate = $5, datalake_id = $6, paused_us = $7,"
			    " paused_by = $8 WHERE id = $9");
	db_bind_text(&q, d->name);
	db_bind_uuid(&q, d->champion_id);
	db_bind_integer(&q, d->champion_since_us);
	db_bind_real(&q, d->threshold);
	db_bind_real(&q, d->sample_rate);
	db_bind_uuid(&q, d->datalake_id);
	bind_pause(&q, d);
	db_bind_uuid(&q, d->id);
	db_next(&q);
	enum status st = db_done(&q, err);
	return st == ST_CONFLICT ? name_taken(err, d) : st;
}

enum status deployment_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM deployment WHERE id = $1");
	db_bind_uuid(&q, id);
	db_next(&q);
	return db_done(&q, err);
}

enum status deployment_rows_add_event(
	struct db_conn *c, struct uuid id, const struct deployment_event_row *e, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO deployment_event (deployment_id, at_us, what, who, from_text, to_text, why)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7)");
	db_bind_uuid(&q, id);
	db_bind_integer(&q, e->at_us);
	db_bind_text(&q, e->what);
	db_bind_text(&q, e->who);
	db_bind_text(&q, e->from);
	db_bind_text(&q, e->to);
	db_bind_text(&q, e->why);
	db_next(&q);
	return db_done(&q, err);
}

#define EVENTS_MAX 500

enum status deployment_rows_events(struct db_conn *c, struct uuid id, struct arena *a,
	struct deployment_event_row **items, size_t *count, struct err *err)
{
	*items = ARENA_ARRAY(a, struct deployment_event_row, EVENTS_MAX);
	*count = 0;
	struct db_query q =
		db_query(c, "SELECT at_us, what, who, from_text, to_text, why FROM deployment_event"
			    " WHERE deployment_id = $1 ORDER BY position DESC LIMIT 500");
	db_bind_uuid(&q, id);
	while (*count < EVENTS_MAX && db_next(&q)) {
		(*items)[(*count)++] = (struct deployment_event_row){
			.at_us = db_integer(&q, 0),
			.what = db_text(&q, 1, a),
			.who = db_text(&q, 2, a),
			.from = db_text(&q, 3, a),
			.to = db_text(&q, 4, a),
			.why = db_text(&q, 5, a),
		};
	}
	return db_done(&q, err);
}

enum status deployment_rows_was_champion(
	struct db_conn *c, struct uuid id, struct uuid version_id, bool *was, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(version_id, text);
	struct db_query q =
		db_query(c, "SELECT 1 FROM deployment_event WHERE deployment_id = $1 AND to_text = $2"
			    " AND what IN ('created', 'deployed', 'rolled_back', 'promoted') LIMIT 1");
	db_bind_uuid(&q, id);
	db_bind_text(&q, text);
	*was = db_next(&q);
	return db_done(&q, err);
}

enum status deployment_rows_previous_champion(
	struct db_conn *c, struct uuid id, struct uuid *out, struct err *err)
{
	*out = (struct uuid){{0}};
	struct db_query q = db_query(c,
		"SELECT from_text FROM deployment_event WHERE deployment_id = $1"
		" AND what IN ('deployed', 'rolled_back', 'promoted') ORDER BY position DESC LIMIT 1");
	db_bind_uuid(&q, id);
	struct arena a;
	arena_init(&a);
	if (db_next(&q))
		uuid_parse(db_text(&q, 0, &a), out);
	arena_release(&a);
	return db_done(&q, err);
}
