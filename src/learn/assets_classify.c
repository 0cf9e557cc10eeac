/* SPDX-License-Identifier: Apache-2.0 */
/* Tags become classes: an asset with a tag gets a classification with the label of that name. */
#include "base/check.h"
#include "learn/assets.h"
#include "os/clock.h"
#include "store/annotation_rows.h"
#include "store/dataset_rows.h"
#include "store/tag_rows.h"

#define BATCH 200 /* classifications a transaction */

struct classification {
	struct uuid asset_id;
	const char *name;
};

struct classifying {
	const struct assets_classify *all;
	struct classification *items;
	size_t count, first, batch;
	int64_t changed;
	struct arena arena; /* of the batch */
};

static enum status read_tags(struct db_conn *c, const struct assets_classify *all, struct arena *a,
	struct classification **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	*count = 0;
	TRY(dataset_version_rows_check_open(c, all->dataset_version_id, err));
	for (size_t i = 0; i < all->tag_count; i++) {
		struct tag_row tag;
		TRY(tag_rows_by_id(c, all->tag_ids[i], a, &tag, err));
		struct db_query q =
			db_query(c, "SELECT asset.id FROM asset JOIN tag_target ON tag_target.target_id IN"
				    " (asset.id, asset.data_id) WHERE asset.dataset_version_id = $1 AND "
				    "tag_target.tag_id = $2"
				    " ORDER BY asset.created_us, asset.id");
		db_bind_uuid(&q, all->dataset_version_id);
		db_bind_uuid(&q, tag.id);
		for (; db_next(&q); ++*count) {
			*items = rows_grow(a, *items, *count, &room, sizeof(**items));
			(*items)[*count] =
				(struct classification){.asset_id = db_uuid(&q, 0), .name = tag.name};
		}
		TRY(db_done(&q, err));
	}
	return ST_OK;
}

static bool has_class(const struct annotation_row *row, struct uuid label_id)
{
	for (size_t i = 0; i < row->shape_count; i++)
		if (row->shapes[i].kind == ANNOTATION_CLASSIFICATION &&
			uuid_equal(row->shapes[i].label_id, label_id))
			return true;
	return false;
}

static enum status classify(
	struct db_conn *c, struct classifying *k, const struct classification *item, struct err *err)
{
	struct label_row label;
	struct annotation_row row;
	bool made, found;
	int64_t now_us = clock_unix_us();
	TRY(label_rows_ensure(c, k->all->dataset_version_id, item->name, &k->arena, &label, &made, err));
	TRY(annotation_rows_newest(c, item->asset_id, &k->arena, &row, &found, err));
	if (found && has_class(&row, label.id))
		return ST_OK;
	struct annotation_shape_row shape = {
		.kind = ANNOTATION_CLASSIFICATION, .label_id = label.id, .area = -1};
	if (!found)
		row = (struct annotation_row){.id = uuid_v7(now_us / 1000),
			.asset_id = item->asset_id,
			.status = "PENDING",
			.created_us = now_us};
	row.who = k->all->who;
	row.updated_us = now_us;
	row.shapes = &shape;
	row.shape_count = 1;
	k->changed++;
	return found ? annotation_rows_add(c, &row, &k->arena, err)
		     : annotation_rows_insert(c, &row, &k->arena, err);
}

static enum status classify_batch(struct db_conn *c, void *arg, struct err *err)
{
	struct classifying *k = arg;
	TRY(dataset_version_rows_touch(c, k->all->dataset_version_id, err));
	for (size_t i = k->first; i < k->first + k->batch; i++) {
		enum status st = classify(c, k, &k->items[i], err);
		if (st != ST_OK && st != ST_MISSING) /* the asset is gone meanwhile */
			return st;
	}
	return ST_OK;
}

static enum status run(
	const struct assets_store *store, struct classifying *k, struct job *job, struct err *err)
{
	for (; k->first < k->count; k->first += k->batch) {
		size_t left = k->count - k->first;
		if (job && job_cancelled(job))
			return err_set(err, ST_UNAVAILABLE,
				"It was cancelled after %zu of %zu tags of assets.", k->first, k->count);
		k->batch = left < BATCH ? left : BATCH;
		arena_init(&k->arena);
		enum status st = recorder_run(store->recorder, classify_batch, k, err);
		arena_release(&k->arena);
		TRY(st);
		if (job)
			job_progress(job, (double)(k->first + k->batch) / (double)k->count,
				"%zu of %zu tags of assets", k->first + k->batch, k->count);
	}
	return ST_OK;
}

enum status assets_classify(const struct assets_store *store, const struct assets_classify *all,
	struct job *job, int64_t *changed, struct err *err)
{
	struct arena a;
	struct db_conn *c;
	struct classifying k = {.all = all};
	*changed = 0;
	TRY(db_reader_take(store->readers, &c, err));
	arena_init(&a);
	enum status st = read_tags(c, all, &a, &k.items, &k.count, err);
	db_reader_give(store->readers, c);
	if (st == ST_OK)
		st = run(store, &k, job, err);
	*changed = k.changed;
	arena_release(&a);
	return st;
}
