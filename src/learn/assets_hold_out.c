/* SPDX-License-Identifier: Apache-2.0 */
/* Which assets of a version are kept to measure with: chosen by hand, or a share of all by their bytes. */
#include "learn/assets.h"

#include "store/dataset_rows.h"
#include "store/rows.h"

#include <stdlib.h>

#define BATCH 500

struct choice {
	struct uuid id;
	bool evaluation;
};

struct holding {
	struct uuid dataset_version_id;
	const struct choice *choices;
	size_t count;
	int64_t changed;
};

/* A revision only where something changes. */
static enum status hold_batch(struct db_conn *c, void *arg, struct err *err)
{
	struct holding *h = arg;
	int64_t changed = 0;
	for (size_t i = 0; i < h->count; i++) {
		bool one;
		TRY(asset_rows_set_evaluation(
			c, h->dataset_version_id, h->choices[i].id, h->choices[i].evaluation, &one, err));
		if (one && changed++ == 0)
			TRY(dataset_version_rows_touch(c, h->dataset_version_id, err));
	}
	h->changed += changed;
	return ST_OK;
}

static enum status hold(const struct assets_store *store, struct uuid version_id,
	const struct choice *choices, size_t count, int64_t *changed, struct err *err)
{
	struct holding h = {.dataset_version_id = version_id};
	enum status st = ST_OK;
	for (size_t at = 0; at < count && st == ST_OK; at += h.count) {
		h.choices = choices + at;
		h.count = count - at < BATCH ? count - at : BATCH;
		st = recorder_run(store->recorder, hold_batch, &h, err);
	}
	*changed = h.changed;
	return st;
}

/* ---- by hand ---- */

enum status assets_set_evaluation(const struct assets_store *store, struct uuid dataset_version_id,
	const struct uuid *asset_ids, size_t count, bool evaluation, int64_t *changed, struct err *err)
{
	struct db_conn *c;
	struct arena a;
	arena_init(&a);
	struct choice *choices = ARENA_ARRAY(&a, struct choice, count + 1);
	for (size_t i = 0; i < count; i++)
		choices[i] = (struct choice){asset_ids[i], evaluation};
	enum status st = db_reader_take(store->readers, &c, err);
	if (st == ST_OK) {
		st = dataset_version_rows_check_open(c, dataset_version_id, err);
		if (st == ST_OK)
			st = asset_rows_check(c, dataset_version_id, asset_ids, count, err);
		db_reader_give(store->readers, c);
	}
	if (st == ST_OK)
		st = hold(store, dataset_version_id, choices, count, changed, err);
	arena_release(&a);
	return st;
}

/* ---- by share ---- */

/* The first 52 bits of a SHA-256 in hex, as a fraction. */
static bool is_below(const char *sha256, double share)
{
	char first[14];
	memcpy(first, sha256, sizeof(first) - 1);
	first[sizeof(first) - 1] = '\0';
	return (double)strtoull(first, NULL, 16) < share * 4503599627370496.0; /* 2^52 */
}

static enum status choose(struct db_conn *c, struct uuid version_id, double share, struct arena *a,
	struct choice **out, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT asset.id, object.sha256 FROM asset JOIN data ON data.id = asset.data_id JOIN object"
		" ON object.name = data.object_name WHERE asset.dataset_version_id = $1 AND object.sha256 IS "
		"NOT NULL");
	size_t room = 0;
	*out = NULL;
	db_bind_uuid(&q, version_id);
	for (*count = 0; db_next(&q); (*count)++) {
		*out = rows_grow(a, *out, *count, &room, sizeof(**out));
		(*out)[*count] = (struct choice){db_uuid(&q, 0), is_below(db_text(&q, 1, a), share)};
	}
	return db_done(&q, err);
}

enum status assets_hold_out(const struct assets_store *store, struct uuid dataset_version_id, double share,
	int64_t *changed, struct err *err)
{
	struct choice *choices;
	size_t count;
	struct db_conn *c;
	struct arena a;
	TRY(db_reader_take(store->readers, &c, err));
	arena_init(&a);
	enum status st = dataset_version_rows_check_open(c, dataset_version_id, err);
	if (st == ST_OK)
		st = choose(c, dataset_version_id, share, &a, &choices, &count, err);
	db_reader_give(store->readers, c);
	if (st == ST_OK)
		st = hold(store, dataset_version_id, choices, count, changed, err);
	arena_release(&a);
	return st;
}
