/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/dataset_files.h"

#include "base/check.h"
#include "formats/file_name.h"
#include "formats/formats.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PART_PICTURES_MAX 200
#define PART_BYTES_MAX ((uint64_t)512 << 20)
#define NOBODY SIZE_MAX
#define PART_FILES_MAX 2000 /* a form has at most 2,048 parts */

void dataset_files_init(struct dataset_files *d)
{
	*d = (struct dataset_files){0};
	files_init(&d->found);
}

void dataset_files_release(struct dataset_files *d)
{
	free(d->files);
	free(d->part);
	files_release(&d->found);
}

static bool is_annotation(const char *name)
{
	static const char *const endings[] = {
		".json", ".xml", ".txt", ".yaml", ".yml", ".names", ".data", NULL};
	return files_has_ending(name, endings);
}

static bool may_be_own(const char *name)
{
	static const char *const endings[] = {".xml", ".txt", NULL};
	return files_has_ending(name, endings);
}

static bool wants(const char *name)
{
	return files_is_image(name) || is_annotation(name);
}

static const char *stem_of(const char *path, struct arena *a)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
	char *stem = arena_strndup(a, base, dot ? (size_t)(dot - base) : strlen(base));
	for (char *c = stem; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return stem;
}

static uint64_t size_of(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static int pictures_first(const void *a, const void *b)
{
	const struct dataset_file *x = a, *y = b;
	if (x->picture != y->picture)
		return x->picture ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int by_stem(const void *a, const void *b, void *arg)
{
	const struct dataset_file *files = arg, *x = &files[*(const size_t *)a],
				  *y = &files[*(const size_t *)b];
	int order = strcmp(x->stem, y->stem);
	return order ? order : strcmp(x->path, y->path);
}

/* The place in `order` of the first picture with that stem, or of the next after it. */
static size_t find_stem(const struct dataset_files *d, const size_t *order, const char *stem)
{
	size_t low = 0, high = d->picture_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(d->files[order[middle]].stem, stem) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The picture that an annotation file is called like, the nearest of several: labels/val/1.txt is of
 * images/val/1.jpg and not of images/train/1.jpg. */
static void tell_owner(struct dataset_files *d, const size_t *order, struct dataset_file *file)
{
	unsigned nearest = 0;
	for (size_t at = find_stem(d, order, file->stem); at < d->picture_count; at++) {
		const struct dataset_file *picture = &d->files[order[at]];
		if (strcmp(picture->stem, file->stem) != 0)
			break;
		unsigned nearness = file_nearness(file->name, picture->name);
		if (file->owner == NOBODY || nearness > nearest) {
			file->owner = order[at];
			nearest = nearness;
		}
	}
}

static int by_owner(const void *a, const void *b)
{
	const struct dataset_file *x = a, *y = b;
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	return strcmp(x->path, y->path);
}

/* Annotation files in the order of the pictures that they are of, those of all last. */
static void tell_owners(struct dataset_files *d)
{
	size_t *order = calloc(d->picture_count + 1, sizeof(*order));
	CHECK(order != NULL);
	for (size_t i = 0; i < d->picture_count; i++)
		order[i] = i;
	qsort_r(order, d->picture_count, sizeof(*order), by_stem, d->files);
	for (size_t i = d->picture_count; i < d->count; i++) {
		if (may_be_own(d->files[i].name))
			tell_owner(d, order, &d->files[i]);
	}
	free(order);
	qsort(d->files + d->picture_count, d->count - d->picture_count, sizeof(*d->files), by_owner);
	d->next_own = d->picture_count;
	d->general = d->count;
	while (d->general > d->picture_count && d->files[d->general - 1].owner == NOBODY)
		d->general--;
}

static enum status check(const struct dataset_files *d, const char *folder, struct err *err)
{
	size_t general = d->count - d->general;
	if (d->count == 0)
		return err_set(
			err, ST_MISSING, "There are no pictures and no annotation files in %s.", folder);
	if (d->picture_count > 0 && general > PART_FILES_MAX - 2 * PART_PICTURES_MAX)
		return err_set(err, ST_TOO_LARGE,
			"%zu annotation files in %s are called like no picture there: they would be sent "
			"with "
			"each part. Put them elsewhere.",
			general, folder);
	return ST_OK;
}

enum status dataset_files_read(struct dataset_files *d, const char *folder, struct err *err)
{
	TRY(files_add(&d->found, folder, wants, err));
	size_t skip = strlen(folder);
	d->count = d->found.count;
	d->files = calloc(d->count + 1, sizeof(*d->files));
	d->part = calloc(PART_FILES_MAX, sizeof(struct dataset_file *));
	CHECK(d->files && d->part);
	for (size_t i = 0; i < d->count; i++) {
		const char *path = d->found.paths[i], *name = path + skip;
		name += strspn(name, "/");
		d->files[i] = (struct dataset_file){.path = path,
			.name = *name ? name : path,
			.stem = stem_of(path, &d->found.arena),
			.size = size_of(path),
			.picture = files_is_image(path),
			.owner = NOBODY};
		d->picture_count += d->files[i].picture;
	}
	qsort(d->files, d->count, sizeof(*d->files), pictures_first);
	tell_owners(d);
	return check(d, folder, err);
}

/* ---- parts ---- */

static bool add(struct dataset_files *d, struct dataset_part *part, const struct dataset_file *file)
{
	if (part->count == PART_FILES_MAX)
		return false;
	d->part[part->count++] = file;
	return true;
}

/* A picture and the annotations that are called like it; the first of a part always. */
static bool add_picture(struct dataset_files *d, struct dataset_part *part, size_t picture)
{
	size_t own = 0, first = d->next_own;
	while (first + own < d->general && d->files[first + own].owner == picture)
		own++;
	bool fits = part->count + 1 + own <= PART_FILES_MAX;
	if (!fits && part->count > d->count - d->general)
		return false;
	add(d, part, &d->files[picture]);
	for (size_t i = 0; i < own; i++)
		add(d, part, &d->files[first + i]);
	d->next_own += own;
	return true;
}

/* Annotations alone: of pictures that the version has already. */
static bool next_without_pictures(struct dataset_files *d, struct dataset_part *part)
{
	while (d->done < d->count && add(d, part, &d->files[d->done]))
		d->done++;
	return part->count > 0;
}

bool dataset_files_next(struct dataset_files *d, struct dataset_part *part)
{
	*part = (struct dataset_part){.files = d->part};
	if (d->picture_count == 0)
		return next_without_pictures(d, part);
	if (d->done == d->picture_count)
		return false;
	for (size_t i = d->general; i < d->count; i++)
		add(d, part, &d->files[i]);
	uint64_t bytes = 0;
	for (size_t pictures = 0; d->done < d->picture_count && pictures < PART_PICTURES_MAX; pictures++) {
		const struct dataset_file *picture = &d->files[d->done];
		if (pictures > 0 && bytes + picture->size > PART_BYTES_MAX)
			break;
		if (!add_picture(d, part, d->done))
			break;
		bytes += picture->size;
		d->done++;
	}
	return true;
}

/* Told of all pictures, as a part may have those of one class alone. */
bool dataset_files_are_classes(const struct dataset_files *d)
{
	struct arena a;
	struct labelled_set set;
	struct err err;
	if (d->count > d->picture_count || d->count == 0)
		return false;
	arena_init(&a);
	struct format_file *files = ARENA_ARRAY(&a, struct format_file, d->count);
	for (size_t i = 0; i < d->count; i++)
		files[i].path = d->files[i].name;
	bool classes = formats_read(FORMAT_NONE, files, d->count, &a, &set, &err) == ST_OK &&
		       set.format == FORMAT_FOLDERS && set.label_count > 1;
	arena_release(&a);
	return classes;
}
