/* SPDX-License-Identifier: Apache-2.0 */
/* Assets of one dataset version become assets of another, with labels, annotations and tags. */
#include "base/check.h"
#include "learn/assets.h"
#include "os/clock.h"
#include "store/annotation_rows.h"
#include "store/dataset_rows.h"
#include "store/tag_rows.h"

/* A batch ends at whichever comes first: about 10 ms of writing. */
#define BATCH_ASSETS 100
#define BATCH_SHAPES 500
#define KNOWN_LABELS 64 /* of a batch, by the hash of their ids */

/* One asset as it is in the version that is copied. */
struct original {
	struct asset_row row;
	bool annotated;
	struct annotation_row annotation;
	struct tag_row *tags;
	size_t tag_count;
};

struct copying {
	const struct assets_store *store;
	const struct assets_copy *all;
	struct db_conn *from; /* one snapshot, from the beginning to the end */
	struct job *job;
	int64_t now_us, copied;
	size_t done, of;
	/* The batch. */
	struct original *originals;
	size_t count, shapes;
	struct arena arena;
	struct {
		struct uuid from, to;
	} known[KNOWN_LABELS];
};

/* ---- labels ---- */

struct labels {
	struct uuid to_id;
	struct label_row *labels;
	struct label_group_row *groups;
	size_t label_count, group_count;
	int64_t now_us;
	struct arena *arena;
};

/* The groups by their names: those that are there are used. *made[i] is the id that group i has in to_id. */
static enum status copy_groups(struct db_conn *c, const struct labels *l, struct uuid *made, struct err *err)
{
	struct label_group_row *there;
	size_t there_count;
	TRY(label_group_rows_list(c, l->to_id, l->arena, &there, &there_count, err));
	for (size_t i = 0; i < l->group_count; i++) {
		struct label_group_row row = l->groups[i];
		for (size_t k = 0; k < there_count; k++)
			if (strcmp(there[k].name, row.name) == 0)
				made[i] = there[k].id;
		if (!uuid_is_zero(made[i]))
			continue;
		for (size_t k = 0; k < i; k++) /* a parent is older than what is below it */
			if (uuid_equal(l->groups[k].id, l->groups[i].parent_id))
				row.parent_id = made[k];
		if (uuid_equal(row.parent_id, l->groups[i].parent_id))
			row.parent_id = (struct uuid){{0}};
		row.id = made[i] = uuid_v7(l->now_us / 1000);
		row.dataset_version_id = l->to_id;
		row.created_us = l->now_us + (int64_t)i;
		TRY(label_group_rows_insert(c, &row, err));
	}
	return ST_OK;
}

static enum status copy_labels(struct db_conn *c, void *arg, struct err *err)
{
	const struct labels *l = arg;
	struct uuid *made = ARENA_ARRAY(l->arena, struct uuid, l->group_count + 1);
	TRY(dataset_version_rows_touch(c, l->to_id, err));
	TRY(copy_groups(c, l, made, err));
	for (size_t i = 0; i < l->label_count; i++) {
		struct label_row row;
		bool is_new;
		TRY(label_rows_ensure(c, l->to_id, l->labels[i].name, l->arena, &row, &is_new, err));
		if (!is_new)
			continue;
		row.skeleton = l->labels[i].skeleton;
		for (size_t k = 0; k < l->group_count; k++)
			if (uuid_equal(l->groups[k].id, l->labels[i].group_id))
				row.group_id = made[k];
		TRY(label_rows_update(c, &row, err));
	}
	return ST_OK;
}

static enum status run_labels(struct copying *copy, struct arena *a, struct err *err)
{
	struct labels l = {.to_id = copy->all->to_id, .now_us = copy->now_us, .arena = a};
	TRY(label_rows_list(copy->from, copy->all->from_id, a, &l.labels, &l.label_count, err));
	TRY(label_group_rows_list(copy->from, copy->all->from_id, a, &l.groups, &l.group_count, err));
	return recorder_run(copy->store->recorder, copy_labels, &l, err);
}

/* ---- a batch of assets ---- */

/* The label of that name in to_id. Shapes share few labels. */
static enum status find_label(struct db_conn *c, struct copying *copy,
	const struct annotation_shape_row *shape, struct uuid *id, struct err *err)
{
	size_t place = shape->label_id.bytes[sizeof(shape->label_id.bytes) - 1] % KNOWN_LABELS;
	struct label_row label;
	bool made;
	if (!uuid_equal(copy->known[place].from, shape->label_id)) {
		TRY(label_rows_ensure(c, copy->all->to_id, shape->label, &copy->arena, &label, &made, err));
		copy->known[place].from = shape->label_id;
		copy->known[place].to = label.id;
	}
	*id = copy->known[place].to;
	return ST_OK;
}

static enum status write_annotation(struct db_conn *c, struct copying *copy, const struct original *o,
	struct uuid asset_id, struct err *err)
{
	struct annotation_row row = o->annotation;
	row.shapes = ARENA_ARRAY(&copy->arena, struct annotation_shape_row, row.shape_count + 1);
	for (size_t i = 0; i < row.shape_count; i++) {
		row.shapes[i] = o->annotation.shapes[i];
		row.shapes[i].id = (struct uuid){{0}};
		TRY(find_label(c, copy, &o->annotation.shapes[i], &row.shapes[i].label_id, err));
	}
	row.id = uuid_v7(clock_unix_us() / 1000);
	row.asset_id = asset_id;
	return annotation_rows_insert(c, &row, &copy->arena, err);
}

/* What was there and has an annotation keeps it. */
static enum status wants_annotation(struct db_conn *c, struct copying *copy, const struct original *o,
	const struct asset_row *asset, bool inserted, bool *wants, struct err *err)
{
	struct annotation_row newest;
	bool found = false;
	if (o->annotated && !inserted)
		TRY(annotation_rows_newest(c, asset->id, &copy->arena, &newest, &found, err));
	*wants = o->annotated && !found;
	return ST_OK;
}

/* Asset tags are of their version: the copy's has the same name. */
static enum status write_tags(struct db_conn *c, struct copying *copy, const struct original *o,
	struct uuid asset_id, struct err *err)
{
	for (size_t i = 0; i < o->tag_count; i++) {
		struct tag_row tag;
		bool attached;
		enum status st = tag_rows_by_name(
			c, copy->all->to_id, "ASSET", o->tags[i].name, &copy->arena, &tag, err);
		if (st == ST_MISSING) {
			tag = o->tags[i];
			tag.id = uuid_v7(copy->now_us / 1000);
			tag.scope_id = copy->all->to_id;
			tag.created_us = copy->now_us;
			st = tag_rows_insert(c, &tag, err);
		}
		TRY(st);
		TRY(tag_rows_attach(c, &tag, asset_id, &attached, err));
	}
	return ST_OK;
}

static enum status write_batch(struct db_conn *c, void *arg, struct err *err)
{
	struct copying *copy = arg;
	int64_t copied = 0;
	memset(copy->known, 0, sizeof(copy->known)); /* others may have changed labels between two batches */
	TRY(dataset_version_rows_touch(c, copy->all->to_id, err));
	for (size_t i = 0; i < copy->count; i++) {
		struct original *o = &copy->originals[i];
		struct asset_row row = o->row;
		bool inserted, wants;
		row.id = uuid_v7(clock_unix_us() / 1000);
		row.dataset_version_id = copy->all->to_id;
		row.created_us = copy->now_us + (int64_t)(copy->done + i); /* in the same order */
		TRY(asset_rows_insert(c, &row, &inserted, err));
		copied += inserted;
		TRY(wants_annotation(c, copy, o, &row, inserted, &wants, err));
		if (wants)
			TRY(write_annotation(c, copy, o, row.id, err));
		TRY(write_tags(c, copy, o, row.id, err));
	}
	copy->copied += copied;
	return ST_OK;
}

static enum status flush(struct copying *copy, struct err *err)
{
	if (copy->count == 0)
		return ST_OK;
	if (copy->job && job_cancelled(copy->job))
		return err_set(err, ST_UNAVAILABLE, "It was cancelled after %zu of %zu assets.", copy->done,
			copy->of);
	TRY(recorder_run(copy->store->recorder, write_batch, copy, err));
	copy->done += copy->count;
	copy->count = copy->shapes = 0;
	arena_release(&copy->arena);
	copy->originals = ARENA_ARRAY(&copy->arena, struct original, BATCH_ASSETS);
	if (copy->job)
		job_progress(copy->job, copy->of ? (double)copy->done / (double)copy->of : 1,
			"%zu of %zu assets", copy->done, copy->of);
	return ST_OK;
}

/* ---- all of them ---- */

static enum status add_original(struct copying *copy, struct uuid asset_id, struct err *err)
{
	struct original *o = &copy->originals[copy->count];
	*o = (struct original){0};
	TRY(asset_rows_by_id(copy->from, asset_id, &copy->arena, &o->row, err));
	if (!uuid_equal(o->row.dataset_version_id, copy->all->from_id))
		return err_set(err, ST_MISSING, "The asset %.200s is of another dataset version.",
			o->row.data.filename);
	if (copy->all->with_annotations)
		TRY(annotation_rows_newest(
			copy->from, asset_id, &copy->arena, &o->annotation, &o->annotated, err));
	if (copy->all->with_tags)
		TRY(tag_rows_of(copy->from, asset_id, &copy->arena, &o->tags, &o->tag_count, err));
	copy->shapes += o->annotated ? o->annotation.shape_count : 0;
	copy->count++;
	return copy->count == BATCH_ASSETS || copy->shapes >= BATCH_SHAPES ? flush(copy, err) : ST_OK;
}

/* Before anything is written. */
static enum status check_ids(struct copying *copy, struct err *err)
{
	for (size_t i = 0; i < copy->all->count; i++) {
		struct arena a;
		struct asset_row row;
		arena_init(&a);
		enum status st = asset_rows_by_id(copy->from, copy->all->asset_ids[i], &a, &row, err);
		if (st == ST_OK && !uuid_equal(row.dataset_version_id, copy->all->from_id))
			st = err_set(err, ST_MISSING, "The asset %.200s is of another dataset version.",
				row.data.filename);
		arena_release(&a);
		TRY(st);
	}
	return ST_OK;
}

static enum status copy_assets(struct copying *copy, struct arena *a, struct err *err)
{
	const struct uuid *ids = copy->all->asset_ids;
	struct uuid *all = NULL;
	int64_t total;
	copy->of = copy->all->count;
	if (ids)
		TRY(check_ids(copy, err));
	else
		TRY(asset_rows_ids(copy->from, copy->all->from_id, &(struct rows_page){.limit = INT64_MAX}, a,
			&all, &copy->of, &total, err));
	if (copy->all->with_labels)
		TRY(run_labels(copy, a, err));
	for (size_t i = 0; i < copy->of; i++)
		TRY(add_original(copy, ids ? ids[i] : all[i], err));
	return flush(copy, err);
}

enum status assets_copy(const struct assets_store *store, const struct assets_copy *all, struct job *job,
	int64_t *copied, struct err *err)
{
	struct arena a;
	struct copying copy = {.store = store, .all = all, .job = job, .now_us = clock_unix_us()};
	*copied = 0;
	TRY(db_reader_take(store->readers, &copy.from, err));
	arena_init(&a);
	arena_init(&copy.arena);
	copy.originals = ARENA_ARRAY(&copy.arena, struct original, BATCH_ASSETS);
	enum status st = dataset_version_rows_check_open(copy.from, all->to_id, err);
	if (st == ST_OK)
		st = copy_assets(&copy, &a, err);
	*copied = copy.copied;
	arena_release(&copy.arena);
	arena_release(&a);
	db_reader_give(store->readers, copy.from);
	return st;
}
