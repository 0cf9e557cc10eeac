/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/collect.h"

#include "base/check.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SAME_STEM_MAX 256         /* files of one stem that are weighed against each other */
#define SAME_STEM_IN_FOLDER 10000 /* … that are asked for their folder */

/* ---- files ---- */

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct collected_file *)a)->path, ((const struct collected_file *)b)->path);
}

static const char *lower_stem(const char *path, struct arena *a)
{
	const char *base = file_base(path);
	char *out = arena_strndup(a, base, file_stem_size(base));
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

static void add_stem(struct collect *c, uint32_t at)
{
	struct collected_file *f = &c->files[at];
	const char *stem = lower_stem(f->path, c->arena);
	uint32_t first = name_map_add(&c->stems, stem, strlen(stem), at);
	if (first == at)
		return;
	f->next_same_stem = c->files[first].next_same_stem;
	c->files[first].next_same_stem = at;
}

void collect_init(struct collect *c, const struct format_file *files, size_t count, struct arena *a)
{
	*c = (struct collect){.arena = a, .problems = {.arena = a}};
	CHECK(count < NAME_MAP_NONE);
	struct name_map *maps[] = {&c->paths, &c->stems, &c->labels_by_name, &c->images_by_name};
	for (size_t i = 0; i < COUNT_OF(maps); i++)
		name_map_init(maps[i], a);
	c->files = ARENA_ARRAY(a, struct collected_file, count);
	for (size_t i = 0; i < count; i++) {
		const char *path = file_name_clean(files[i].path, a);
		if (path == NULL)
			problems_add(&c->problems,
				"The file %s is left out: its name leads out of the set, or is no name.",
				shown(files[i].path, a));
		else
			c->files[c->file_count++] = (struct collected_file){
				&files[i], path, file_kind_of(path), NAME_MAP_NONE, NAME_MAP_NONE};
	}
	qsort(c->files, c->file_count, sizeof(*c->files), compare_files);
	for (size_t i = 0; i < c->file_count; i++) {
		const char *path = c->files[i].path;
		if (name_map_add(&c->paths, path, strlen(path), (uint32_t)i) != i) {
			problems_add(&c->problems, "The file %s is there twice; the second is left out.",
				shown(path, a));
			c->files[i].kind = FILE_OTHER;
		} else if (c->files[i].kind == FILE_IMAGE) {
			c->image_file_count++;
			add_stem(c, (uint32_t)i);
		}
	}
}

static struct collected_file *image_at(struct collect *c, const char *path)
{
	uint32_t at = name_map_find(&c->paths, path, strlen(path));
	return at != NAME_MAP_NONE && c->files[at].kind == FILE_IMAGE ? &c->files[at] : NULL;
}

/* Does the last folder of an image, "train", stand in the annotation file's name, "instances_train.json"? */
static bool is_split_of(const char *image, const char *source)
{
	size_t end = file_folder_size(image), start;
	if (end == 0)
		return false;
	for (start = end - 1; start > 0 && image[start - 1] != '/';)
		start--;
	char folder[64];
	int size = snprintf(folder, sizeof(folder), "%.*s", (int)(end - 1 - start), image + start);
	return size > 0 && (size_t)size < sizeof(folder) && strstr(file_base(source), folder) != NULL;
}

static unsigned folder_count(const char *path)
{
	unsigned count = 0;
	for (; *path; path++)
		count += *path == '/';
	return count;
}

/* How well a file of the right stem fits a name; 0: not at all. */
static unsigned fitness(const char *path, const char *source, const char *name, bool stem_only)
{
	size_t size = strlen(path), name_size = strlen(name);
	unsigned kind = 1;
	if (size > name_size && path[size - name_size - 1] == '/' &&
		strcmp(path + size - name_size, name) == 0)
		kind = 4; /* folders and all */
	else if (strcmp(file_base(path), file_base(name)) == 0)
		kind = 3;
	else if (strcasecmp(file_base(path), file_base(name)) == 0)
		kind = 2;
	else if (!stem_only && file_kind_of(name) != FILE_IMAGE && strchr(file_base(name), '.'))
		return 0; /* what looks like an extension may belong to the name */
	/* Then the nearer, then the one with fewer folders around it. */
	unsigned near = file_nearness(path, source) + is_split_of(path, source), depth = folder_count(path);
	return kind * 1000000 + (near < 999 ? near : 999) * 1000 + (depth < 999 ? 999 - depth : 0);
}

static struct collected_file *find_by_stem(
	struct collect *c, const char *source, const char *name, bool stem_only)
{
	struct collected_file *best = NULL;
	unsigned best_fit = 0;
	bool doubtful = false;
	/* Of a stem no dot is the one before an extension. */
	const char *stem = lower_stem(stem_only ? arena_printf(c->arena, "%s.", name) : name, c->arena);
	uint32_t at = name_map_find(&c->stems, stem, strlen(stem));
	for (int seen = 0; at != NAME_MAP_NONE && seen < SAME_STEM_MAX;
		seen++, at = c->files[at].next_same_stem) {
		unsigned fit = fitness(c->files[at].path, source, name, stem_only);
		doubtful = fit == best_fit ? best != NULL : fit > best_fit ? false : doubtful;
		if (fit > best_fit) {
			best = &c->files[at];
			best_fit = fit;
		}
	}
	if (doubtful)
		problems_add(&c->problems, "%s: more than one file may be meant by %s; %s is taken.", source,
			shown(name, c->arena), shown(best->path, c->arena));
	return best;
}

struct collected_file *collect_find(struct collect *c, const char *source, const char *name, bool stem_only)
{
	size_t folder = file_folder_size(source);
	struct collected_file *found = image_at(c, name);
	if (folder) {
		const char *beside = arena_printf(c->arena, "%.*s%s", (int)folder, source, name);
		struct collected_file *near = image_at(c, beside);
		found = near ? near : found;
	}
	return found ? found : find_by_stem(c, source, name, stem_only);
}

struct collected_file *collect_find_in(struct collect *c, const char *folder, const char *stem)
{
	size_t size = strlen(folder);
	const char *lower = lower_stem(arena_printf(c->arena, "%s.", stem), c->arena);
	uint32_t at = name_map_find(&c->stems, lower, strlen(lower));
	for (int seen = 0; at != NAME_MAP_NONE && seen < SAME_STEM_IN_FOLDER;
		seen++, at = c->files[at].next_same_stem) {
		const char *path = c->files[at].path;
		if (file_folder_size(path) == size && strncasecmp(path, folder, size) == 0)
			return &c->files[at];
	}
	return NULL;
}

/* ---- labels and images ---- */

int32_t collect_label(struct collect *c, const char *label)
{
	uint32_t known = name_map_find(&c->labels_by_name, label, strlen(label));
	if (known != NAME_MAP_NONE)
		return (int32_t)known;
	if (c->label_count == FORMAT_LABELS_MAX)
		return -1;
	c->labels = list_room(c->arena, c->labels, c->label_count, &c->label_room, sizeof(*c->labels));
	label = arena_strdup(c->arena, label);
	name_map_add(&c->labels_by_name, label, strlen(label), (uint32_t)c->label_count);
	c->labels[c->label_count++] = label;
	if (c->label_count == FORMAT_LABELS_MAX)
		problems_add(&c->problems, "There are more than %d labels; what has another one is left out.",
			FORMAT_LABELS_MAX);
	return (int32_t)c->label_count - 1;
}

struct collected_image *collect_image(struct collect *c, const char *filename, struct collected_file *file)
{
	uint32_t known = file ? file->image : name_map_find(&c->images_by_name, filename, strlen(filename));
	if (known != NAME_MAP_NONE)
		return &c->images[known];
	c->images = list_room(c->arena, c->images, c->image_count, &c->image_room, sizeof(*c->images));
	uint32_t at = (uint32_t)c->image_count++;
	if (file)
		file->image = at;
	else
		name_map_add(&c->images_by_name, filename, strlen(filename), at);
	c->images[at] = (struct collected_image){.filename = filename, .file = file};
	if (file && file->file->width && file->file->height) {
		c->images[at].width = file->file->width;
		c->images[at].height = file->file->height;
	}
	return &c->images[at];
}

void collect_size(
	struct collect *c, struct collected_image *image, const char *source, double width, double height)
{
	if (!(width >= 1 && height >= 1))
		return;
	if (width > FORMAT_SIDE_MAX || height > FORMAT_SIDE_MAX) {
		problems_add(&c->problems,
			"%s: %s is said to be %.0f x %.0f pixels, which no image here is; that is passed "
			"over.",
			source, shown(image->filename, c->arena), width, height);
	} else if (image->width == 0) {
		image->width = (uint32_t)width;
		image->height = (uint32_t)height;
	} else if (image->width != (uint32_t)width || image->height != (uint32_t)height) {
		problems_add(&c->problems,
			"%s: %s is said to be %.0f x %.0f pixels, but is %u x %u; shapes are read as they "
			"stand.",
			source, shown(image->filename, c->arena), width, height, image->width, image->height);
	}
}

/* Masks of other formats, which are images as well: SegmentationClass/a.png, panoptic_train/a.png. */
static bool is_mask(const char *path)
{
	static const char *const folders[] = {"segmentationclass", "segmentationobject", "panoptic"};
	for (const char *at = path, *slash; (slash = strchr(at, '/')) != NULL; at = slash + 1)
		for (size_t i = 0; i < COUNT_OF(folders); i++)
			if (strncasecmp(at, folders[i], strlen(folders[i])) == 0)
				return true;
	return false;
}

void collect_finish(struct collect *c, enum format f, struct labelled_set *out)
{
	for (size_t i = 0; i < c->file_count; i++)
		if (c->files[i].kind == FILE_IMAGE && c->files[i].image == NAME_MAP_NONE &&
			!is_mask(c->files[i].path))
			collect_image(c, file_name_below_images(c->files[i].path), &c->files[i]);
	*out = (struct labelled_set){.format = f,
		.labels = c->labels,
		.label_count = c->label_count,
		.image_count = c->image_count,
		.problems = c->problems.items,
		.problem_count = c->problems.count,
		.problems_left_out = c->problems.left_out};
	out->images = ARENA_ARRAY(c->arena, struct labelled_image, c->image_count);
	for (size_t i = 0; i < c->image_count; i++) {
		const struct collected_image *image = &c->images[i];
		out->images[i] = (struct labelled_image){image->filename,
			image->file ? image->file->file->path : NULL, image->width, image->height,
			image->annotated, image->shapes, image->shape_count};
	}
}
