/* SPDX-License-Identifier: Apache-2.0 */
/* Many assets at once, in batches: add, delete; and the lock. */
#include "learn/assets.h"

#include "base/check.h"
#include "learn/manifest.h"
#include "os/clock.h"
#include "store/dataset_rows.h"
#include "store/tag_rows.h"

#define ADD_BATCH 500   /* assets a transaction: about 10 ms */
#define DELETE_BATCH 50 /* with their shapes */
#define LOCK_TRIES 20

static enum status progress(struct job *job, size_t done, size_t of, struct err *err)
{
	if (job == NULL)
		return ST_OK;
	if (job_cancelled(job))
		return err_set(err, ST_UNAVAILABLE, "It was cancelled after %zu of %zu assets.", done, of);
	job_progress(job, of ? (double)done / (double)of : 1, "%zu of %zu assets", done, of);
	return ST_OK;
}

static size_t at_most(size_t left, size_t most)
{
	return left < most ? left : most;
}

/* ---- add ---- */

struct addition {
	const struct assets_addition *all;
	struct tag_row *tags;
	size_t first, count; /* the batch */
	int64_t now_us, added;
};

static enum status check_addition(struct db_conn *c, const struct assets_addition *addition,
	struct tag_row *tags, struct arena *a, struct err *err)
{
	TRY(dataset_version_rows_check_open(c, addition->dataset_version_id, err));
	for (size_t i = 0; i < addition->tag_count; i++) {
		TRY(tag_rows_by_id(c, addition->tag_ids[i], a, &tags[i], err));
		if (!uuid_equal(tags[i].scope_id, addition->dataset_version_id))
			return err_set(err, ST_INVALID,
				"The tag \"%.200s\" is not an asset tag of this dataset version.",
				tags[i].name);
	}
	for (size_t i = 0; i < addition->count; i++) {
		struct db_query q = db_query(c, "SELECT count(*) FROM data WHERE id = $1");
		int64_t found;
		char text[UUID_TEXT_SIZE];
		db_bind_uuid(&q, addition->data_ids[i]);
		TRY(rows_number(&q, &found, err));
		uuid_format(addition->data_ids[i], text);
		if (!found)
			return err_set(err, ST_MISSING, "There is no data with the id %s.", text);
	}
	return ST_OK;
}

static enum status add_batch(struct db_conn *c, void *arg, struct err *err)
{
	struct addition *add = arg;
	int64_t added = 0;
	TRY(dataset_version_rows_touch(c, add->all->dataset_version_id, err));
	for (size_t i = add->first; i < add->first + add->count; i++) {
		bool inserted, attached;
		struct asset_row row = {.id = uuid_v7(add->now_us / 1000),
			.dataset_version_id = add->all->dataset_version_id,
			.created_us = add->now_us + (int64_t)i, /* they are listed in the order given */
			.data = {.id = add->all->data_ids[i]}};
		TRY(asset_rows_insert(c, &row, &inserted, err));
		added += inserted;
		for (size_t k = 0; k < add->all->tag_count; k++)
			TRY(tag_rows_attach(c, &add->tags[k], row.id, &attached, err));
	}
	add->added += added;
	return ST_OK;
}

static enum status add_all(
	const struct assets_store *store, struct addition *add, struct job *job, struct err *err)
{
	for (; add->first < add->all->count; add->first += add->count) {
		TRY(progress(job, add->first, add->all->count, err));
		add->count = at_most(add->all->count - add->first, ADD_BATCH);
		TRY(recorder_run(store->recorder, add_batch, add, err));
	}
	return ST_OK;
}

enum status assets_add(const struct assets_store *store, const struct assets_addition *addition,
	struct job *job, int64_t *added, struct err *err)
{
	struct arena a;
	struct db_conn *c;
	arena_init(&a);
	struct addition add = {.all = addition, .now_us = clock_unix_us()};
	add.tags = ARENA_ARRAY(&a, struct tag_row, addition->tag_count + 1);
	enum status st = db_reader_take(store->readers, &c, err);
	if (st == ST_OK) {
		st = check_addition(c, addition, add.tags, &a, err);
		db_reader_give(store->readers, c);
	}
	if (st == ST_OK)
		st = add_all(store, &add, job, err);
	*added = add.added;
	arena_release(&a);
	return st;
}

/* ---- delete ---- */

struct deletion {
	struct uuid dataset_version_id;
	const struct uuid *ids;
	size_t count;
};

/* One that is gone already is as wanted. */
static enum status delete_batch(struct db_conn *c, void *arg, struct err *err)
{
	const struct deletion *d = arg;
	TRY(dataset_version_rows_touch(c, d->dataset_version_id, err));
	for (size_t i = 0; i < d->count; i++) {
		enum status st = asset_rows_delete(c, d->ids[i], err);
		if (st != ST_OK && st != ST_MISSING)
			return st;
	}
	return ST_OK;
}

static enum status delete_ids(const struct assets_store *store, struct uuid dataset_version_id,
	const struct uuid *ids, size_t count, struct job *job, struct err *err)
{
	for (size_t first = 0; first < count; first += DELETE_BATCH) {
		struct deletion batch = {.dataset_version_id = dataset_version_id,
			.ids = ids + first,
			.count = at_most(count - first, DELETE_BATCH)};
		TRY(progress(job, first, count, err));
		TRY(recorder_run(store->recorder, delete_batch, &batch, err));
	}
	return ST_OK;
}

enum status assets_delete(const struct assets_store *store, struct uuid dataset_version_id,
	const struct uuid *asset_ids, size_t count, struct job *job, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(store->readers, &c, err));
	enum status st = dataset_version_rows_check_open(c, dataset_version_id, err);
	if (st == ST_OK)
		st = asset_rows_check(c, dataset_version_id, asset_ids, count, err);
	db_reader_give(store->readers, c);
	TRY(st);
	return delete_ids(store, dataset_version_id, asset_ids, count, job, err);
}

enum status assets_delete_all(
	const struct assets_store *store, struct uuid dataset_version_id, struct err *err)
{
	struct arena a;
	struct db_conn *c;
	struct uuid *ids = NULL;
	size_t count = 0;
	int64_t total;
	TRY(db_reader_take(store->readers, &c, err));
	arena_init(&a);
	enum status st = dataset_version_rows_check_open(c, dataset_version_id, err);
	if (st == ST_OK)
		st = asset_rows_ids(c, dataset_version_id, &(struct rows_page){.limit = INT64_MAX}, &a, &ids,
			&count, &total, err);
	db_reader_give(store->readers, c);
	if (st == ST_OK)
		st = delete_ids(store, dataset_version_id, ids, count, NULL, err);
	arena_release(&a);
	return st;
}

/* ---- lock ---- */

struct locking {
	struct uuid id;
	struct manifest manifest;
	bool done;
};

/* Only when nothing has changed since the manifest was read. */
static enum status lock_version(struct db_conn *c, void *arg, struct err *err)
{
	struct locking *lock = arg;
	struct arena a;
	struct dataset_version_row row;
	arena_init(&a);
	enum status st = dataset_version_rows_by_id(c, lock->id, &a, &row, err);
	lock->done = st == ST_OK && (row.locked_us || row.revision == lock->manifest.revision);
	if (lock->done && !row.locked_us)
		st = dataset_version_rows_set_locked(c, lock->id, clock_unix_us(), lock->manifest.hash, err);
	arena_release(&a);
	return st;
}

static enum status try_lock(
	const struct assets_store *store, struct locking *lock, struct arena *a, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(store->readers, &c, err));
	enum status st = manifest_read(c, lock->id, a, &lock->manifest, err);
	db_reader_give(store->readers, c);
	TRY(st);
	return recorder_run(store->recorder, lock_version, lock, err);
}

enum status assets_lock(const struct assets_store *store, struct uuid dataset_version_id, struct err *err)
{
	struct locking lock = {.id = dataset_version_id};
	for (int i = 0; i < LOCK_TRIES && !lock.done; i++) {
		struct arena a;
		arena_init(&a);
		enum status st = try_lock(store, &lock, &a, err);
		arena_release(&a);
		TRY(st);
	}
	if (lock.done)
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"The dataset version is being changed all the time: lock it when its imports have ended.");
}
