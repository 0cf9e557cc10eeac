/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/rollups.h"

#include "base/check.h"
#include "store/rows.h"

#include <stdlib.h>

int64_t rollup_start_us(int64_t time_us, int level_s)
{
	const int64_t level_us = (int64_t)level_s * 1000000;
	int64_t past_us = time_us % level_us;
	if (past_us < 0)
		past_us += level_us;
	return time_us - past_us;
}

/* ---- writing ---- */

static void bind_key(struct db_query *q, const struct rollup_key *key)
{
	db_bind_uuid(q, key->deployment_id);
	db_bind_integer(q, key->view);
	db_bind_integer(q, key->level_s);
	db_bind_text(q, key->source);
	db_bind_integer(q, key->start_us);
	db_bind_uuid(q, key->version_id);
	db_bind_integer(q, key->is_shadow);
}

static enum status stored_summary(
	struct db_conn *c, const struct rollup_key *key, struct arena *a, struct span *out, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT summary FROM rollup WHERE deployment_id = $1 AND view = $2 AND level_s = $3"
		" AND source = $4 AND start_us = $5 AND version_id = $6 AND is_shadow = $7");
	bind_key(&q, key);
	*out = db_next(&q) ? db_blob(&q, 0, a) : span_of(NULL, 0);
	return db_done(&q, err);
}

static enum status store_summary(
	struct db_conn *c, const struct rollup_key *key, struct span packed, struct err *err)
{
	struct db_query q = db_query(c, "INSERT OR REPLACE INTO rollup (deployment_id, view, level_s, source,"
					" start_us, version_id, is_shadow, summary)"
					" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
	bind_key(&q, key);
	db_bind_blob(&q, packed);
	return db_done(&q, err);
}

enum status rollups_add(struct db_conn *c, const struct rollup_key *key, const struct summary *s,
	struct arena *a, struct err *err)
{
	struct span stored;
	TRY(stored_summary(c, key, a, &stored, err));
	if (stored.size == 0)
		return store_summary(c, key, summary_pack(s, a), err);
	struct summary *both = calloc(1, sizeof(*both));
	CHECK(both != NULL);
	summary_merge(both, s);
	enum status st = summary_unpack_into(both, stored, err);
	if (st == ST_OK)
		st = store_summary(c, key, summary_pack(both, a), err);
	summary_release(both);
	free(both);
	return st;
}

static void bind_heat(struct db_query *q, const struct rollup_key *day, int32_t label)
{
	db_bind_uuid(q, day->deployment_id);
	db_bind_integer(q, day->view);
	db_bind_text(q, day->source);
	db_bind_integer(q, day->start_us);
	db_bind_uuid(q, day->version_id);
	db_bind_integer(q, label);
}

enum status rollups_add_heat(struct db_conn *c, const struct rollup_key *day, int32_t label,
	const struct heat *h, struct arena *a, struct err *err)
{
	struct heat *both = ARENA_NEW(a, struct heat);
	struct db_query q =
		db_query(c, "SELECT grid FROM heat WHERE deployment_id = $1 AND view = $2 AND source = $3"
			    " AND start_us = $4 AND version_id = $5 AND label = $6");
	bind_heat(&q, day, label);
	const struct span stored = db_next(&q) ? db_blob(&q, 0, a) : span_of(NULL, 0);
	TRY(db_done(&q, err));
	*both = *h;
	if (stored.size > 0)
		TRY(heat_unpack_into(both, stored, err));
	q = db_query(c,
		"INSERT OR REPLACE INTO heat (deployment_id, view, source, start_us, version_id, label, grid)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7)");
	bind_heat(&q, day, label);
	db_bind_blob(&q, heat_pack(both, a));
	return db_done(&q, err);
}

/* ---- reading ---- */

enum status rollups_read(struct db_conn *c, const struct rollup_key *key, int64_t from_us, int64_t to_us,
	rollups_each *each, void *arg, struct err *err)
{
	struct rollup_key found = *key;
	struct arena a;
	enum status st = ST_OK;
	struct db_query q = db_query(c,
		"SELECT start_us, version_id, is_shadow, summary FROM rollup WHERE deployment_id = $1"
		" AND view = $2 AND level_s = $3 AND source = $4 AND start_us >= $5 AND start_us < $6"
		" AND ($7 IS NULL OR version_id = $7) ORDER BY start_us, version_id, is_shadow");
	db_bind_uuid(&q, key->deployment_id);
	db_bind_integer(&q, key->view);
	db_bind_integer(&q, key->level_s);
	db_bind_text(&q, key->source);
	db_bind_integer(&q, from_us);
	db_bind_integer(&q, to_us);
	db_bind_uuid(&q, key->version_id);
	arena_init(&a);
	while (st == ST_OK && db_next(&q)) {
		found.start_us = db_integer(&q, 0);
		found.version_id = db_uuid(&q, 1);
		found.is_shadow = db_integer(&q, 2) != 0;
		st = each(arg, &found, db_blob(&q, 3, &a), err);
		if (a.used_bytes > 1 << 20)
			arena_release(&a);
	}
	arena_release(&a);
	const enum status done = db_done(&q, st == ST_OK ? err : NULL);
	return st != ST_OK ? st : done;
}

enum status rollups_read_heat(struct db_conn *c, const struct rollup_key *key, int64_t from_us, int64_t to_us,
	int32_t label, struct heat *into, struct err *err)
{
	struct arena a;
	enum status st = ST_OK;
	struct db_query q = db_query(c, "SELECT grid FROM heat WHERE deployment_id = $1 AND view = $2"
					" AND source = $3 AND start_us > $4 AND start_us < $5"
					" AND ($6 IS NULL OR version_id = $6) AND label = $7");
	db_bind_uuid(&q, key->deployment_id);
	db_bind_integer(&q, key->view);
	db_bind_text(&q, key->source);
	db_bind_integer(&q, from_us - (int64_t)ROLLUP_DAY_S * 1000000);
	db_bind_integer(&q, to_us);
	db_bind_uuid(&q, key->version_id);
	db_bind_integer(&q, label);
	arena_init(&a);
	while (st == ST_OK && db_next(&q)) {
		st = heat_unpack_into(into, db_blob(&q, 0, &a), err);
		if (a.used_bytes > 1 << 20)
			arena_release(&a);
	}
	arena_release(&a);
	const enum status done = db_done(&q, st == ST_OK ? err : NULL);
	return st != ST_OK ? st : done;
}

enum status rollups_span(
	struct db_conn *c, struct uuid deployment_id, int64_t *first_us, int64_t *last_us, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT coalesce((SELECT start_us FROM rollup WHERE deployment_id = $1 AND view = 0"
		" AND level_s = 60 AND source = '' AND is_shadow = 0 ORDER BY start_us LIMIT 1), 0),"
		" coalesce((SELECT start_us FROM rollup WHERE deployment_id = $1 AND view = 0"
		" AND level_s = 60 AND source = '' AND is_shadow = 0 ORDER BY start_us DESC LIMIT 1), 0)");
	db_bind_uuid(&q, deployment_id);
	if (db_next(&q)) {
		*first_us = db_integer(&q, 0);
		*last_us = db_integer(&q, 1);
	}
	return db_done(&q, err);
}

/* ---- sources ---- */

enum status rollups_sources(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	const char ***names, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(c, "SELECT name FROM source WHERE deployment_id = $1 ORDER BY name");
	db_bind_uuid(&q, deployment_id);
	*names = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*names = rows_grow(a, (void *)*names, *count, &room, sizeof(**names));
		(*names)[*count] = db_text(&q, 0, a);
	}
	return db_done(&q, err);
}

enum status rollups_source(struct db_conn *c, struct uuid deployment_id, const char *source,
	const char **counted_as, struct err *err)
{
	int64_t known, others;
	struct db_query q = db_query(c, "SELECT coalesce(sum(name = $1), 0), coalesce(sum(name <> $2), 0)"
					" FROM source WHERE deployment_id = $3");
	db_bind_text(&q, source);
	db_bind_text(&q, ROLLUP_OTHER_SOURCE);
	db_bind_uuid(&q, deployment_id);
	CHECK(db_next(&q) || q.status != ST_OK);
	known = q.status == ST_OK ? db_integer(&q, 0) : 0;
	others = q.status == ST_OK ? db_integer(&q, 1) : 0;
	TRY(db_done(&q, err));
	*counted_as = source[0] && (known || others < ROLLUP_SOURCES_MAX) ? source : ROLLUP_OTHER_SOURCE;
	if (known)
		return ST_OK;
	q = db_query(c, "INSERT INTO source (deployment_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, *counted_as);
	return db_done(&q, err);
}

/* ---- how far ---- */

enum status rollups_position(struct db_conn *c, int64_t *position, struct err *err)
{
	struct db_query q = db_query(c, "SELECT position FROM tail WHERE one = 1");
	return rows_number(&q, position, err);
}

enum status rollups_set_position(struct db_conn *c, int64_t position, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO tail (one, position) VALUES (1, $1)"
					" ON CONFLICT (one) DO UPDATE SET position = excluded.position");
	db_bind_integer(&q, position);
	return db_done(&q, err);
}

enum status rollups_recut(
	struct db_conn *c, struct uuid deployment_id, struct rollup_recut *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, "SELECT threshold, position FROM recut WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	*found = db_next(&q);
	if (*found)
		*out = (struct rollup_recut){db_real(&q, 0), db_integer(&q, 1)};
	return db_done(&q, err);
}

enum status rollups_set_recut(
	struct db_conn *c, struct uuid deployment_id, const struct rollup_recut *recut, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO recut (deployment_id, threshold, position) VALUES ($1, $2, $3)"
			    " ON CONFLICT (deployment_id) DO UPDATE SET threshold = excluded.threshold,"
			    " position = excluded.position");
	db_bind_uuid(&q, deployment_id);
	db_bind_real(&q, recut->threshold);
	db_bind_integer(&q, recut->position);
	return db_done(&q, err);
}

/* ---- taking away ---- */

enum status rollups_clear(
	struct db_conn *c, struct uuid deployment_id, enum rollup_view view, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM rollup WHERE deployment_id = $1 AND view = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, view);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM heat WHERE deployment_id = $1 AND view = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, view);
	return db_done(&q, err);
}

enum status rollups_forget(struct db_conn *c, struct uuid deployment_id, struct err *err)
{
	static const char *const all[] = {
		"DELETE FROM rollup WHERE deployment_id = $1",
		"DELETE FROM heat WHERE deployment_id = $1",
		"DELETE FROM source WHERE deployment_id = $1",
		"DELETE FROM sample WHERE deployment_id = $1",
		"DELETE FROM sample_day WHERE deployment_id = $1",
		"DELETE FROM recut WHERE deployment_id = $1",
		"DELETE FROM detectors WHERE deployment_id = $1",
		"DELETE FROM outlier WHERE deployment_id = $1",
	};
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		struct db_query q = db_query(c, all[i]);
		db_bind_uuid(&q, deployment_id);
		TRY(db_done(&q, err));
	}
	return ST_OK;
}
