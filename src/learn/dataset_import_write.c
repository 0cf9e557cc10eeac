/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of an import: jobs of the recorder, a batch of images each. */
#include "base/check.h"
#include "formats/file_name.h"
#include "learn/dataset_import_inside.h"
#include "learn/dataset_shapes.h"
#include "os/clock.h"
#include "store/data_source_rows.h"
#include "store/datalake_rows.h"
#include "store/import_rows.h"
#include "store/object_rows.h"

/* ---- labels, and what the version finds ---- */

/* What its shapes are, as an inference type. */
static const char *type_of(const struct labelled_set *set)
{
	size_t kinds[SHAPE_KIND_COUNT] = {0};
	for (size_t i = 0; i < set->image_count; i++) {
		for (size_t k = 0; k < set->images[i].shape_count; k++)
			kinds[set->images[i].shapes[k].kind]++;
	}
	if (kinds[SHAPE_POLYGON] > 0)
		return "SEGMENTATION";
	if (kinds[SHAPE_BOX] > 0)
		return "OBJECT_DETECTION";
	return kinds[SHAPE_CLASS] > 0 ? "CLASSIFICATION" : NULL;
}

/* A version of which nobody has said what it finds is of the kind of its first annotations. */
static enum status set_type(struct importing *im, struct db_conn *c, bool *changed, struct err *err)
{
	struct dataset_version_row version;
	const char *type = type_of(&im->set);
	TRY(dataset_version_rows_by_id(c, im->version_id, &im->arena, &version, err));
	if (type == NULL || strcmp(version.type, "NOT_CONFIGURED") != 0)
		return ST_OK;
	version.type = type;
	*changed = true;
	return dataset_version_rows_update(c, &version, err);
}

static enum status write_labels(struct db_conn *c, void *arg, struct err *err)
{
	struct importing *im = arg;
	struct datalake_row lake;
	bool changed = false;
	TRY(dataset_version_rows_check_open(c, im->version_id, err));
	TRY(datalake_rows_default(c, &im->arena, &lake, err));
	im->datalake_id = lake.id;
	TRY(data_source_rows_get_or_create(c, DATASET_IMPORT_SOURCE, clock_unix_us(), &im->source_id, err));
	im->label_ids = ARENA_ARRAY(&im->arena, struct uuid, im->set.label_count + 1);
	im->counts.labels_new = 0;
	for (size_t i = 0; i < im->set.label_count; i++) {
		struct label_row label;
		bool made;
		TRY(label_rows_ensure(c, im->version_id, im->set.labels[i], &im->arena, &label, &made, err));
		im->label_ids[i] = label.id;
		im->counts.labels_new += made;
	}
	changed = im->counts.labels_new > 0;
	TRY(set_type(im, c, &changed, err));
	return changed ? dataset_version_rows_touch(c, im->version_id, err) : ST_OK;
}

enum status import_write_labels(struct importing *im, struct err *err)
{
	return recorder_run(im->world.recorder, write_labels, im, err);
}

/* ---- assets ---- */

struct batch {
	struct importing *im;
	struct import_item *items;
	size_t count;
	struct import_counts counts; /* of this batch, added when it is committed */
	struct arena arena;
	bool changed;
};

/* "data/<id>/<name>", as the connector names them. */
static enum status insert_data(struct db_conn *c, struct batch *b, const struct import_item *item,
	const char *filename, struct uuid *data_id, struct err *err)
{
	char id[UUID_TEXT_SIZE];
	int64_t now_us = clock_unix_us();
	const struct import_picture *p = item->picture;
	*data_id = uuid_v7(now_us / 1000);
	uuid_format(*data_id, id);
	const char *name = arena_printf(&b->arena, "data/%s/%s", id, file_base(filename));
	const struct object_row object = {.name = name,
		.sha256 = item->sha256,
		.content_type = image_format_content_type(p->info.format),
		.size_bytes = (int64_t)p->bytes.size,
		.created_us = now_us};
	const struct data_row data = {.id = *data_id,
		.datalake_id = b->im->datalake_id,
		.source_id = b->im->source_id,
		.object_name = name,
		.filename = filename,
		.content_type = object.content_type,
		.width = p->info.width,
		.height = p->info.height,
		.created_us = now_us};
	TRY(object_rows_insert(c, &object, err));
	return data_rows_insert(c, &data, err);
}

/* Another picture of this request became that asset: two files are two assets, though their bytes be the
 * same. */
static bool is_anothers(const struct importing *im, const struct import_picture *p, struct uuid asset_id)
{
	for (size_t i = 0; i < im->picture_count; i++) {
		if (&im->pictures[i] != p && uuid_equal(im->pictures[i].asset_id, asset_id))
			return true;
	}
	return false;
}

/*
 * A picture is called by its name without folders, as annotation files and the SDK do; where the version has
 * another picture of that name, with them.
 */
static enum status find_asset(struct db_conn *c, struct batch *b, const struct import_item *item,
	const char **filename, struct uuid *asset_id, bool *found, struct err *err)
{
	struct uuid version_id = b->im->version_id, id;
	bool taken;
	const char *path = item->picture->path, *base = file_base(path);
	*filename = base;
	TRY(import_rows_find_asset(c, version_id, path, item->sha256, asset_id, found, err));
	if (*found || base == path)
		return ST_OK;
	TRY(import_rows_find_asset(c, version_id, base, item->sha256, &id, found, err));
	*found = *found && !is_anothers(b->im, item->picture, id);
	if (*found) {
		*asset_id = id;
		return ST_OK;
	}
	TRY(import_rows_find_name(c, version_id, base, &id, &taken, err));
	if (taken)
		*filename = path;
	return ST_OK;
}

static enum status store_asset(struct db_conn *c, struct batch *b, struct import_item *item, struct err *err)
{
	const char *filename;
	struct uuid data_id;
	bool found, inserted;
	struct uuid *id = &item->picture->asset_id;
	TRY(find_asset(c, b, item, &filename, id, &found, err));
	if (found)
		return ST_OK;
	TRY(import_rows_find_data(c, b->im->datalake_id, filename, item->sha256, &data_id, &found, err));
	if (!found)
		TRY(insert_data(c, b, item, filename, &data_id, err));
	int64_t now_us = clock_unix_us();
	struct asset_row asset = {.id = uuid_v7(now_us / 1000),
		.dataset_version_id = b->im->version_id,
		.created_us = now_us,
		.data = {.id = data_id}};
	TRY(asset_rows_insert(c, &asset, &inserted, err));
	*id = asset.id;
	b->counts.assets_new += inserted;
	b->changed |= inserted;
	return ST_OK;
}

/* ---- annotations ---- */

static bool is_among(const struct annotation_shape_row *shape, const struct annotation_row *row)
{
	for (size_t i = 0; i < row->shape_count; i++) {
		if (dataset_shapes_same(shape, &row->shapes[i]))
			return true;
	}
	return false;
}

static bool same_shapes(
	const struct annotation_shape_row *shapes, size_t count, const struct annotation_row *row)
{
	if (count != row->shape_count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!dataset_shapes_same(&shapes[i], &row->shapes[i]))
			return false;
	}
	return true;
}

/* Those that the annotation does not have yet: an import that is repeated adds nothing. */
static size_t keep_new(struct annotation_shape_row *shapes, size_t count, const struct annotation_row *row)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (!is_among(&shapes[i], row))
			shapes[kept++] = shapes[i];
	}
	return kept;
}

static enum status change_annotation(struct db_conn *c, struct batch *b, struct annotation_row *row,
	struct annotation_shape_row *shapes, size_t count, struct err *err)
{
	bool add = b->im->mode == IMPORT_CONCATENATE;
	if (add)
		count = keep_new(shapes, count, row);
	if (b->im->mode == IMPORT_KEEP || (add ? count == 0 : same_shapes(shapes, count, row))) {
		b->counts.unchanged++;
		return ST_OK;
	}
	row->shapes = shapes;
	row->shape_count = count;
	row->who = b->im->who;
	row->client_id = NULL;
	row->updated_us = clock_unix_us();
	b->changed = true;
	b->counts.annotated++;
	b->counts.shapes += (int64_t)count;
	return add ? annotation_rows_add(c, row, &b->arena, err)
		   : annotation_rows_save(c, row, &b->arena, err);
}

static enum status annotate(
	struct db_conn *c, struct batch *b, const struct import_item *item, struct err *err)
{
	const struct labelled_image *image = item->image;
	struct annotation_row row;
	bool found;
	struct annotation_shape_row *shapes =
		dataset_shapes_to_rows(image->shapes, image->shape_count, b->im->label_ids, &b->arena);
	struct uuid asset_id = item->picture ? item->picture->asset_id : item->asset_id;
	TRY(annotation_rows_newest(c, asset_id, &b->arena, &row, &found, err));
	if (found)
		return change_annotation(c, b, &row, shapes, image->shape_count, err);
	int64_t now_us = clock_unix_us();
	row = (struct annotation_row){.id = uuid_v7(now_us / 1000),
		.asset_id = asset_id,
		.status = "PENDING",
		.who = b->im->who,
		.created_us = now_us,
		.shapes = shapes,
		.shape_count = image->shape_count};
	b->changed = true;
	b->counts.annotated++;
	b->counts.shapes += (int64_t)row.shape_count;
	return annotation_rows_insert(c, &row, &b->arena, err);
}

/* The asset that an image means whose picture was not sent. False: there is none, and that was said. */
static enum status find_by_name(
	struct db_conn *c, struct batch *b, struct import_item *item, bool *found, struct err *err)
{
	const struct labelled_image *image = item->image;
	struct importing *im = b->im;
	const char *name = image->path ? image->path : image->filename;
	TRY(import_rows_find_name(c, im->version_id, name, &item->asset_id, found, err));
	if (!*found && image->path == NULL)
		problems_add(&im->problems, "%s is annotated, but %s has no such picture.",
			shown(image->filename, &im->arena), im->version_name);
	return ST_OK;
}

static enum status write_item(struct db_conn *c, struct batch *b, struct import_item *item, struct err *err)
{
	bool found = true;
	if (item->picture)
		TRY(store_asset(c, b, item, err));
	else
		TRY(find_by_name(c, b, item, &found, err));
	return found && item->image->annotated ? annotate(c, b, item, err) : ST_OK;
}

static enum status write_items(struct db_conn *c, void *arg, struct err *err)
{
	struct batch *b = arg;
	b->counts = (struct import_counts){0};
	b->changed = false;
	TRY(dataset_version_rows_check_open(c, b->im->version_id, err));
	for (size_t i = 0; i < b->count; i++)
		TRY(write_item(c, b, &b->items[i], err));
	return b->changed ? dataset_version_rows_touch(c, b->im->version_id, err) : ST_OK;
}

enum status import_write_items(struct importing *im, struct import_item *items, size_t count, struct err *err)
{
	struct batch b = {.im = im, .items = items, .count = count};
	if (count == 0)
		return ST_OK;
	arena_init(&b.arena);
	enum status st = recorder_run(im->world.recorder, write_items, &b, err);
	arena_release(&b.arena);
	if (st == ST_OK) {
		im->counts.assets_new += b.counts.assets_new;
		im->counts.annotated += b.counts.annotated;
		im->counts.unchanged += b.counts.unchanged;
		im->counts.shapes += b.counts.shapes;
	}
	return st;
}
