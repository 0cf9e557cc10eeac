/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/dataset_import.h"

#include "base/check.h"
#include "base/json.h"
#include "formats/file_name.h"
#include "formats/name_map.h"
#include "learn/dataset_import_inside.h"

#include <stdlib.h>

#define BATCH_IMAGES 32 /* a transaction: other writers wait no longer than for these */

bool dataset_import_mode_parse(const char *text, enum dataset_import_mode *out)
{
	static const char *const names[IMPORT_MODE_COUNT] = {"REPLACE", "KEEP", "CONCATENATE"};
	for (enum dataset_import_mode m = 0; m < IMPORT_MODE_COUNT; m++) {
		if (strcmp(names[m], text) == 0) {
			*out = m;
			return true;
		}
	}
	return false;
}

static enum status cancelled(const struct job *job, struct err *err)
{
	return job_cancelled(job) ? err_set(err, ST_UNAVAILABLE,
					    "The import was cancelled; what it had done "
					    "stays.")
				  : ST_OK;
}

/* ---- pictures ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct import_picture *)a)->path, ((const struct import_picture *)b)->path);
}

static struct import_picture *find_picture(const struct importing *im, const char *path)
{
	const struct import_picture key = {.path = path};
	return path ? bsearch(&key, im->pictures, im->picture_count, sizeof(*im->pictures), by_path) : NULL;
}

/* Decoded once: a picture whose pixels are damaged is of no use to anybody later. */
static enum status inspect(const struct dataset_import_file *file, struct image_info *info, struct err *err)
{
	struct image image;
	TRY(image_inspect(file->bytes, &image_limits_default, info, err));
	TRY(image_decode(file->bytes, &image_limits_default, &image, err));
	image_release(&image);
	return ST_OK;
}

static void add_picture(struct importing *im, const struct dataset_import_file *file)
{
	struct err err;
	struct import_picture p = {.path = file_name_clean(file->name, &im->arena), .bytes = file->bytes};
	if (p.path == NULL) {
		problems_add(&im->problems, "%s: a file name that cannot be used; it was left out.",
			shown(file->name, &im->arena));
		return;
	}
	if (inspect(file, &p.info, &err) != ST_OK) {
		problems_add(&im->problems, "%s was left out: %s", shown(p.path, &im->arena), err.text);
		return;
	}
	im->pictures[im->picture_count++] = p;
}

static enum status read_pictures(struct importing *im, struct job *job, struct err *err)
{
	size_t all = 0, done = 0;
	for (size_t i = 0; i < im->file_count; i++)
		all += im->files[i].picture;
	im->pictures = ARENA_ARRAY(&im->arena, struct import_picture, all + 1);
	for (size_t i = 0; i < im->file_count; i++) {
		if (!im->files[i].picture)
			continue;
		TRY(cancelled(job, err));
		add_picture(im, &im->files[i]);
		done++;
		job_progress(
			job, 0.5 * (double)done / (double)all, "looked at %zu of %zu pictures", done, all);
	}
	qsort(im->pictures, im->picture_count, sizeof(*im->pictures), by_path);
	return ST_OK;
}

/* ---- annotations ---- */

/* The assets of the version as files that are known by name and size alone. */
static enum status add_assets(
	struct importing *im, struct format_file **files, size_t *count, size_t *room, struct err *err)
{
	struct db_conn *c;
	struct asset_row *rows = NULL;
	struct rows_page page = {.limit = 1000};
	size_t some = 0;
	int64_t total = 0;
	TRY(db_reader_take(im->world.readers, &c, err));
	enum status st;
	do {
		st = asset_rows_list(c, im->version_id, &page, &im->arena, &rows, &some, &total, err);
		for (size_t i = 0; st == ST_OK && i < some; i++) {
			const struct data_row *d = &rows[i].data;
			const char *path = file_name_clean(d->filename, &im->arena);
			if (path == NULL)
				continue;
			*files = list_room(&im->arena, *files, *count, room, sizeof(**files));
			(*files)[(*count)++] = (struct format_file){
				.path = path, .width = (uint32_t)d->width, .height = (uint32_t)d->height};
		}
		page.offset += page.limit;
	} while (st == ST_OK && page.offset < total);
	db_reader_give(im->world.readers, c);
	return st;
}

/* Pictures in one folder are bare: it is a class when somebody says so, or beside others. */
static void forget_folders(struct importing *im)
{
	struct labelled_set *set = &im->set;
	for (size_t i = 0; i < set->image_count; i++) {
		set->images[i].annotated = false;
		set->images[i].shape_count = 0;
	}
	set->format = FORMAT_NONE;
	set->label_count = set->problem_count = set->problems_left_out = 0;
}

static enum status read_annotations(struct importing *im, bool pictures_given, struct err *err)
{
	struct format_file *files = NULL;
	size_t count = 0, room = 0;
	for (size_t i = 0; i < im->file_count; i++) {
		if (im->files[i].picture)
			continue;
		files = list_room(&im->arena, files, count, &room, sizeof(*files));
		files[count++] = (struct format_file){.path = im->files[i].name, .bytes = im->files[i].bytes};
	}
	if (!pictures_given)
		TRY(add_assets(im, &files, &count, &room, err));
	for (size_t i = 0; i < im->picture_count; i++) {
		const struct import_picture *p = &im->pictures[i];
		files = list_room(&im->arena, files, count, &room, sizeof(*files));
		files[count++] = (struct format_file){
			.path = p->path, .bytes = p->bytes, .width = p->info.width, .height = p->info.height};
	}
	if (count == 0) /* no picture can be read: its problem has been said */
		return ST_OK;
	TRY(formats_read(im->format, files, count, &im->arena, &im->set, err));
	if (im->format == FORMAT_NONE && im->set.format == FORMAT_FOLDERS && im->set.label_count < 2)
		forget_folders(im);
	return ST_OK;
}

/* How sentences call the images whose picture was, or was not, sent with this request. */
static void name_images(const struct importing *im, bool sent, struct arena *a, struct name_map *names)
{
	name_map_init(names, a);
	for (size_t i = 0; i < im->set.image_count; i++) {
		const struct labelled_image *image = &im->set.images[i];
		const char *name = shown(image->filename, a);
		if ((find_picture(im, image->path) != NULL) == sent)
			name_map_add(names, name, strlen(name), (uint32_t)i);
	}
}

/* Whether one of the quoted names in a sentence is among the names. */
static bool speaks_of(const char *sentence, const struct name_map *names)
{
	const char *start = strchr(sentence, '"');
	while (start) {
		const char *end = strchr(start + 1, '"');
		if (end == NULL)
			return false;
		if (name_map_find(names, start, (size_t)(end - start) + 1) != NAME_MAP_NONE)
			return true;
		start = end;
	}
	return false;
}

/* A folder is sent in parts with the same annotation files: each part says what is wrong with its own. */
static void keep_problems(struct importing *im, bool pictures_given)
{
	struct arena a;
	struct name_map here, elsewhere;
	arena_init(&a);
	name_images(im, true, &a, &here);
	name_images(im, false, &a, &elsewhere);
	for (size_t i = 0; i < im->set.problem_count; i++) {
		const char *problem = im->set.problems[i];
		if (!pictures_given || !speaks_of(problem, &elsewhere) || speaks_of(problem, &here))
			problems_add(&im->problems, "%s", problem);
	}
	arena_release(&a);
	im->problems.left_out += im->set.problems_left_out;
}

/* ---- writing ---- */

/* False: the image is not one of this request. */
static enum status make_item(struct importing *im, struct labelled_image *image, bool pictures_given,
	struct import_item *item, bool *made, struct err *err)
{
	*made = false;
	*item = (struct import_item){.image = image};
	if (pictures_given) {
		item->picture = find_picture(im, image->path);
		if (item->picture == NULL) { /* of another request, or not there at all */
			im->counts.elsewhere += image->annotated;
			return ST_OK;
		}
		*made = true;
		return blob_put(im->world.blobs, item->picture->bytes, item->sha256, err);
	}
	*made = image->annotated;
	return ST_OK;
}

static enum status write_images(struct importing *im, bool pictures_given, struct job *job, struct err *err)
{
	struct import_item items[BATCH_IMAGES];
	size_t count = 0;
	for (size_t i = 0; i < im->set.image_count; i++) {
		bool made;
		TRY(cancelled(job, err));
		TRY(make_item(im, &im->set.images[i], pictures_given, &items[count], &made, err));
		count += made;
		if (count < BATCH_IMAGES && i + 1 < im->set.image_count)
			continue;
		TRY(import_write_items(im, items, count, err));
		count = 0;
		job_progress(job, 0.5 + 0.5 * (double)(i + 1) / (double)im->set.image_count,
			"stored %zu of %zu pictures", i + 1, im->set.image_count);
	}
	return ST_OK;
}

static const char *result_json(const struct importing *im, struct arena *a)
{
	const struct import_counts *n = &im->counts;
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "format", format_name(im->set.format));
	yyjson_mut_obj_add_uint(doc, root, "images", im->picture_count);
	yyjson_mut_obj_add_int(doc, root, "assets_new", n->assets_new);
	yyjson_mut_obj_add_int(doc, root, "annotated", n->annotated);
	yyjson_mut_obj_add_int(doc, root, "unchanged", n->unchanged);
	yyjson_mut_obj_add_int(doc, root, "shapes", n->shapes);
	yyjson_mut_obj_add_int(doc, root, "labels_new", n->labels_new);
	yyjson_mut_obj_add_int(doc, root, "annotated_elsewhere", n->elsewhere);
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "problems");
	for (size_t i = 0; i < im->problems.count; i++)
		yyjson_mut_arr_add_str(doc, list, im->problems.items[i]);
	yyjson_mut_obj_add_uint(doc, root, "problems_left_out", im->problems.left_out);
	return (const char *)json_print(doc, a).data;
}

static enum status run_job(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	struct importing *im = arg;
	bool pictures_given = false;
	for (size_t i = 0; i < im->file_count; i++)
		pictures_given |= im->files[i].picture;
	job_progress(job, 0, "looking at the pictures");
	TRY(read_pictures(im, job, err));
	job_progress(job, 0.5, "reading the annotations");
	TRY(read_annotations(im, pictures_given, err));
	keep_problems(im, pictures_given);
	TRY(import_write_labels(im, err));
	TRY(write_images(im, pictures_given, job, err));
	*result = result_json(im, a);
	return ST_OK;
}

/* ---- start ---- */

static void release_job(void *arg)
{
	struct importing *im = arg;
	im->release(im->arg);
	arena_release(&im->arena);
	free(im);
}

static enum status check_version(struct importing *im, struct err *err)
{
	struct db_conn *c;
	struct dataset_version_row version;
	TRY(db_reader_take(im->world.readers, &c, err));
	enum status st = dataset_version_rows_check_open(c, im->version_id, err);
	if (st == ST_OK)
		st = dataset_version_rows_by_id(c, im->version_id, &im->arena, &version, err);
	db_reader_give(im->world.readers, c);
	if (st == ST_OK)
		im->version_name = arena_printf(&im->arena, "%s:%s", version.dataset_name, version.version);
	return st;
}

static enum status prepare(
	struct importing *im, const struct dataset_import_request *request, struct err *err)
{
	uint64_t annotation_bytes = 0;
	struct dataset_import_file *files =
		ARENA_ARRAY(&im->arena, struct dataset_import_file, request->file_count + 1);
	for (size_t i = 0; i < request->file_count; i++) {
		files[i] = request->files[i];
		files[i].name = arena_strdup(&im->arena, files[i].name);
		annotation_bytes += files[i].picture ? 0 : files[i].bytes.size;
	}
	im->files = files;
	im->file_count = request->file_count;
	if (im->file_count == 0)
		return err_set(err, ST_INVALID,
			"There is nothing to import: send pictures as \"media\" and annotation files as "
			"\"annotations\".");
	if (annotation_bytes > DATASET_IMPORT_ANNOTATION_BYTES_MAX)
		return err_set(err, ST_TOO_LARGE,
			"The annotations are %llu MB; a request takes at most %llu: send those of its "
			"pictures "
			"alone.",
			(unsigned long long)(annotation_bytes >> 20),
			(unsigned long long)(DATASET_IMPORT_ANNOTATION_BYTES_MAX >> 20));
	return check_version(im, err);
}

enum status dataset_import_start(const struct dataset_import_world *world,
	const struct dataset_import_request *request, struct arena *a, struct job_row *job, struct err *err)
{
	struct importing *im = calloc(1, sizeof(*im));
	CHECK(im != NULL && request->mode < IMPORT_MODE_COUNT);
	arena_init(&im->arena);
	im->world = *world;
	im->version_id = request->dataset_version_id;
	im->format = request->format;
	im->mode = request->mode;
	im->who = arena_strdup(&im->arena, request->who);
	im->problems.arena = &im->arena;
	im->release = request->release;
	im->arg = request->arg;
	enum status st = prepare(im, request, err);
	const struct job_work work = {.kind = "dataset_import",
		.object_id = im->version_id,
		.who = request->who,
		.run = run_job,
		.arg = im,
		.release = release_job};
	if (st == ST_OK)
		st = jobs_start(world->jobs, &work, a, job, err);
	if (st != ST_OK)
		release_job(im);
	return st;
}
