/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/dataset_export.h"

#include "base/str.h"
#include "formats/file_name.h"
#include "formats/name_map.h"
#include "formats/problems.h"
#include "learn/dataset_shapes.h"
#include "os/archive.h"
#include "store/dataset_rows.h"
#include "store/object_rows.h"

#include <stdint.h>
#include <stdlib.h>

#define PAGE_ASSETS 1000

bool dataset_export_side_parse(const char *text, enum dataset_export_side *out)
{
	static const char *const names[EXPORT_SIDE_COUNT] = {"all", "training", "evaluation"};
	for (enum dataset_export_side s = 0; s < EXPORT_SIDE_COUNT; s++) {
		if (strcmp(names[s], text) == 0) {
			*out = s;
			return true;
		}
	}
	return false;
}

/* ---- reading ---- */

struct exporting {
	struct db_conn *conn;
	const struct dataset_export_options *options;
	struct arena *arena;
	struct label_row *labels; /* by id */
	size_t label_count;
	struct dataset_export *out;
	struct asset_row *assets; /* of the set's images */
	size_t room, asset_room;
	struct problems problems;
	size_t skipped; /* shapes that no file can say */
};

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct label_row *)a)->id.bytes, ((const struct label_row *)b)->id.bytes,
		sizeof(struct uuid));
}

static enum status read_labels(struct exporting *x, struct err *err)
{
	struct labelled_set *set = &x->out->set;
	TRY(label_rows_list(
		x->conn, x->options->dataset_version_id, x->arena, &x->labels, &x->label_count, err));
	set->labels = ARENA_ARRAY(x->arena, const char *, x->label_count + 1);
	set->label_count = x->label_count;
	for (size_t i = 0; i < x->label_count; i++) {
		set->labels[i] = x->labels[i].name;
		x->labels[i].position = (int64_t)i;
	}
	if (x->label_count > 0)
		qsort(x->labels, x->label_count, sizeof(*x->labels), by_id);
	return ST_OK;
}

static int32_t label_of(void *arg, struct uuid label_id)
{
	const struct exporting *x = arg;
	const struct label_row key = {.id = label_id};
	const struct label_row *found = bsearch(&key, x->labels, x->label_count, sizeof(*x->labels), by_id);
	return found ? (int32_t)found->position : -1;
}

static enum status find_annotation(
	struct exporting *x, struct uuid asset_id, struct annotation_row *out, bool *found, struct err *err)
{
	const char *status = x->options->status;
	struct annotation_row *rows;
	size_t count;
	if (status == NULL)
		return annotation_rows_newest(x->conn, asset_id, x->arena, out, found, err);
	TRY(annotation_rows_of_asset(x->conn, asset_id, x->arena, &rows, &count, err));
	*found = false;
	for (size_t i = 0; i < count && !*found; i++) {
		*found = strcmp(rows[i].status, status) == 0;
		*out = rows[i];
	}
	return ST_OK;
}

static bool is_wanted(const struct exporting *x, const struct asset_row *asset)
{
	enum dataset_export_side side = x->options->side;
	return side == EXPORT_ALL || asset->evaluation == (side == EXPORT_EVALUATION);
}

static const char *name_of(struct exporting *x, const struct asset_row *asset)
{
	char id[UUID_TEXT_SIZE];
	const char *name = asset->data.filename, *dot = strrchr(file_base(name), '.');
	const char *clean = file_name_clean(name, x->arena);
	if (!x->options->use_id && clean)
		return clean;
	uuid_format(asset->id, id);
	const char *other = arena_printf(x->arena, "%s%s", id, dot && strlen(dot) < 10 ? dot : "");
	if (!x->options->use_id)
		problems_add(&x->problems, "%s is a name that no file may have: it is called %s here.",
			shown(name, x->arena), other);
	return other;
}

static enum status add_asset(struct exporting *x, const struct asset_row *asset, struct err *err)
{
	struct labelled_set *set = &x->out->set;
	struct annotation_row row = {0};
	bool found;
	if (!is_wanted(x, asset))
		return ST_OK;
	TRY(find_annotation(x, asset->id, &row, &found, err));
	set->images = list_room(x->arena, set->images, set->image_count, &x->room, sizeof(*set->images));
	x->assets = list_room(x->arena, x->assets, set->image_count, &x->asset_room, sizeof(*x->assets));
	struct labelled_image *image = &set->images[set->image_count];
	x->assets[set->image_count++] = *asset;
	*image = (struct labelled_image){.filename = name_of(x, asset),
		.width = (uint32_t)asset->data.width,
		.height = (uint32_t)asset->data.height,
		.annotated = found};
	if (found)
		image->shapes = dataset_shapes_from_rows(
			row.shapes, row.shape_count, label_of, x, x->arena, &image->shape_count, &x->skipped);
	return ST_OK;
}

static enum status add_chosen(struct exporting *x, struct err *err)
{
	for (size_t i = 0; i < x->options->asset_count; i++) {
		struct asset_row asset;
		TRY(asset_rows_by_id(x->conn, x->options->asset_ids[i], x->arena, &asset, err));
		if (!uuid_equal(asset.dataset_version_id, x->options->dataset_version_id))
			return err_set(err, ST_INVALID, "The asset of %.200s is not of this dataset version.",
				asset.data.filename);
		TRY(add_asset(x, &asset, err));
	}
	return ST_OK;
}

static enum status add_all(struct exporting *x, struct err *err)
{
	struct rows_page page = {.limit = PAGE_ASSETS};
	struct asset_row *rows;
	size_t count;
	int64_t total;
	do {
		TRY(asset_rows_list(x->conn, x->options->dataset_version_id, &page, x->arena, &rows, &count,
			&total, err));
		for (size_t i = 0; i < count; i++)
			TRY(add_asset(x, &rows[i], err));
		page.offset += page.limit;
	} while (page.offset < total);
	return ST_OK;
}

/* ---- names ---- */

/* "a.jpg" → "a-2.jpg" */
static const char *numbered(const char *name, unsigned number, struct arena *a)
{
	const char *base = file_base(name);
	size_t stem = (size_t)(base - name) + file_stem_size(base);
	return arena_printf(a, "%.*s-%u%s", (int)stem, name, number, name + stem);
}

static bool is_taken(const struct name_map *names, const char *name)
{
	return name_map_find(names, name, strlen(name)) != NAME_MAP_NONE;
}

/* No two of one name. */
static void name_apart(struct exporting *x)
{
	struct labelled_set *set = &x->out->set;
	struct name_map names;
	name_map_init(&names, x->arena);
	for (size_t i = 0; i < set->image_count; i++) {
		const char *own = set->images[i].filename, *name = own;
		for (unsigned n = 2; is_taken(&names, name); n++)
			name = numbered(own, n, x->arena);
		if (name != own)
			problems_add(&x->problems, "Several pictures are called %s: one of them is %s here.",
				shown(own, x->arena), shown(name, x->arena));
		name_map_add(&names, name, strlen(name), (uint32_t)i);
		set->images[i].filename = name;
	}
}

/* ---- files ---- */

static enum status find_images(struct exporting *x, struct err *err)
{
	struct dataset_export *out = x->out;
	out->images = ARENA_ARRAY(x->arena, struct dataset_export_image, out->set.image_count + 1);
	for (size_t i = 0; i < out->set.image_count; i++) {
		struct object_row object;
		if (out->files.image_paths[i] == NULL)
			continue;
		TRY(object_rows_by_name(x->conn, x->assets[i].data.object_name, x->arena, &object, err));
		if (object.sha256)
			out->images[out->image_count++] = (struct dataset_export_image){
				.path = out->files.image_paths[i], .sha256 = object.sha256};
	}
	return ST_OK;
}

/* Those of the reading before those of the format. */
static void join_problems(struct exporting *x)
{
	struct format_export *files = &x->out->files;
	if (x->skipped > 0)
		problems_add(&x->problems,
			"%zu lines, points or groups of key points are in no annotation file: it has none.",
			x->skipped);
	for (size_t i = 0; i < files->problem_count; i++)
		problems_add(&x->problems, "%s", files->problems[i]);
	files->problems = x->problems.items;
	files->problem_count = x->problems.count;
	files->problems_left_out += x->problems.left_out;
}

/* "BCCD_v1_coco" */
static const char *file_name(const struct dataset_version_row *version, enum format format, struct arena *a)
{
	char *name = arena_printf(a, "%.80s_%.40s_%s", version->dataset_name, version->version,
		format == FORMAT_COCO  ? "coco"
		: format == FORMAT_VOC ? "voc"
				       : "yolo");
	for (char *c = name; *c; c++) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
		if (!plain && *c != '-' && *c != '.')
			*c = '_';
	}
	return name;
}

enum status dataset_export_make(struct db_conn *c, const struct dataset_export_options *options,
	struct arena *a, struct dataset_export *out, struct err *err)
{
	struct exporting x = {
		.conn = c, .options = options, .arena = a, .out = out, .problems = {.arena = a}};
	struct dataset_version_row version;
	*out = (struct dataset_export){.set = {.format = options->format}};
	TRY(dataset_version_rows_by_id(c, options->dataset_version_id, a, &version, err));
	out->name = file_name(&version, options->format, a);
	out->created_us = version.created_us;
	TRY(read_labels(&x, err));
	if (options->asset_ids)
		TRY(add_chosen(&x, err));
	else
		TRY(add_all(&x, err));
	name_apart(&x);
	TRY(formats_write(options->format, &out->set, a, &out->files, err));
	TRY(find_images(&x, err));
	join_problems(&x);
	return ST_OK;
}

/* ---- the zip ---- */

struct opening {
	struct blob *blobs;
	const char *sha256;
};

static enum status open_image(void *arg, int *fd, uint64_t *size, struct err *err)
{
	const struct opening *o = arg;
	return blob_open(o->blobs, o->sha256, fd, size, err);
}

/* "problems.md": no reader of annotations takes it for one of them. */
static struct span problems_text(const struct format_export *files, struct arena *a)
{
	struct str s;
	str_init(&s, SIZE_MAX / 4);
	for (size_t i = 0; i < files->problem_count; i++)
		str_printf(&s, "- %s\n", files->problems[i]);
	if (files->problems_left_out > 0)
		str_printf(&s, "- and %zu more\n", files->problems_left_out);
	struct span text = arena_copy(a, span_of_text(str_text(&s)));
	str_release(&s);
	return text;
}

enum status dataset_export_zip(const struct dataset_export *e, struct blob *blobs, bool images,
	const char *folder, struct arena *a, int *fd, uint64_t *size, struct err *err)
{
	const struct format_export *files = &e->files;
	size_t count = 0, image_count = images ? e->image_count : 0;
	struct archive_entry *entries =
		ARENA_ARRAY(a, struct archive_entry, files->file_count + image_count + 1);
	struct opening *openings = ARENA_ARRAY(a, struct opening, image_count + 1);
	for (size_t i = 0; i < files->file_count; i++)
		entries[count++] =
			(struct archive_entry){.name = files->files[i].path, .bytes = files->files[i].bytes};
	for (size_t i = 0; i < image_count; i++) {
		openings[i] = (struct opening){blobs, e->images[i].sha256};
		entries[count++] = (struct archive_entry){
			.name = e->images[i].path, .open = open_image, .arg = &openings[i]};
	}
	if (count == 0)
		return err_set(err, ST_UNPROCESSABLE,
			"There is nothing to export yet: the version has no annotated pictures.");
	if (files->problem_count > 0)
		entries[count++] =
			(struct archive_entry){.name = "problems.md", .bytes = problems_text(files, a)};
	return archive_write(folder, entries, count, e->created_us / 1000000, fd, size, err);
}
