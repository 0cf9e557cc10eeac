/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders per class: cats/1.jpg is a cat. The class is the first folder below what all images share, and
 * below a folder that names a part of the set, as train/cats/1.jpg.
 */
#include "formats/readers.h"

#include <string.h>
#include <strings.h>

static const char *const parts[] = {
	"train", "training", "val", "valid", "validation", "test", "testing", "eval"};
/* Folders that hold images whatever they show. */
static const char *const neutral[] = {
	"images", "image", "img", "imgs", "jpegimages", "data", "obj_train_data"};

static bool is_one_of(const char *const *names, size_t count, const char *text, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(names[i]) == size && strncasecmp(names[i], text, size) == 0)
			return true;
	return false;
}

static bool is_part(const char *text, size_t size)
{
	return is_one_of(parts, sizeof(parts) / sizeof(parts[0]), text, size);
}

static bool is_neutral(const char *text, size_t size)
{
	return is_part(text, size) || is_one_of(neutral, sizeof(neutral) / sizeof(neutral[0]), text, size);
}

/* Where the last folder of path[0 … size), which ends with a slash, begins. */
static size_t parent_size(const char *path, size_t size)
{
	size_t end = size - 1;
	while (end > 0 && path[end - 1] != '/')
		end--;
	return end;
}

/* Characters of the folders that both have, up to `size` of the first. */
static size_t common_folders(const char *a, size_t size, const char *b)
{
	size_t same = 0, end = 0;
	while (same < size && a[same] == b[same])
		if (a[same++] == '/')
			end = same;
	return end;
}

/* Characters of the folders that all images share. With one class only, its folder is not among them. */
static size_t shared_folders(const struct collect *c)
{
	const char *first = NULL;
	size_t shared = 0;
	bool deeper = false;
	for (size_t i = 0; i < c->file_count; i++) {
		const char *path = c->files[i].path;
		if (c->files[i].kind != FILE_IMAGE)
			continue;
		shared = first ? common_folders(first, shared, path) : file_folder_size(path);
		first = first ? first : path;
	}
	for (size_t i = 0; i < c->file_count; i++)
		deeper = deeper ||
			 (c->files[i].kind == FILE_IMAGE && file_folder_size(c->files[i].path) > shared);
	while (!deeper && shared > 0) {
		size_t parent = parent_size(first, shared);
		deeper = !is_neutral(first + parent, shared - 1 - parent);
		shared = parent;
	}
	return shared;
}

/* The folder that is the class; size 0: there is none. */
static const char *class_of(const char *path, size_t shared, size_t *size)
{
	const char *at = path + shared, *slash = strchr(at, '/');
	while (slash && is_neutral(at, (size_t)(slash - at))) {
		at = slash + 1;
		slash = strchr(at, '/');
	}
	*size = slash ? (size_t)(slash - at) : 0;
	return at;
}

bool folders_are_there(struct collect *c)
{
	size_t shared = shared_folders(c), found = 0;
	for (size_t i = 0; i < c->file_count; i++) {
		size_t size = 0;
		if (c->files[i].kind == FILE_XML)
			return false; /* folders are not what somebody's own format means */
		if (c->files[i].kind == FILE_IMAGE)
			class_of(c->files[i].path, shared, &size);
		found += size > 0;
	}
	return found > 0;
}

void folders_read(struct collect *c)
{
	size_t shared = shared_folders(c);
	for (size_t i = 0; i < c->file_count; i++) {
		struct collected_file *f = &c->files[i];
		if (f->kind != FILE_IMAGE)
			continue;
		size_t size;
		const char *name = class_of(f->path, shared, &size);
		const char *label = size ? label_clean(name, size, c->arena) : NULL;
		int32_t place = label ? collect_label(c, label) : -1;
		struct collected_image *image = collect_image(c, f->path, f);
		if (place < 0) {
			problems_add(&c->problems, "%s is in no folder that names a class; it has no label.",
				shown(f->path, c->arena));
			continue;
		}
		image->annotated = true;
		collect_class(c, image, f->path, (struct labelled_shape){.label = place, .area = -1});
	}
}
