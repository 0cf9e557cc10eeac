/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COCO: one JSON of images, categories and annotations, each with ids of its own. Read with NaN and Infinity,
 * which Python writes into it, so that a broken number costs one box and not the file.
 */
#include "base/check.h"
#include "formats/readers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <yyjson.h>

#define ID_BYTES_MAX 64

struct coco {
	struct collect *c;
	const char *source;
	struct name_map images, categories; /* by id: a place in c->images, a label */
	struct name_map names;              /* of categories */
	struct arena scratch;               /* numbers of one annotation */
	/* What is not read here, counted and said once a file. */
	size_t masks, masks_lost, keypoints, captions, panoptic;
};

static bool has(struct span bytes, const char *text)
{
	return bytes.data && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

static bool looks_like_coco(struct span bytes)
{
	bool annotations = has(bytes, "\"annotations\"");
	return (has(bytes, "\"images\"") && (annotations || has(bytes, "\"categories\""))) ||
	       (annotations && has(bytes, "\"category_id\""));
}

bool coco_is_there(struct collect *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		if (c->files[i].kind == FILE_JSON && looks_like_coco(c->files[i].file->bytes))
			return true;
	return false;
}

/* ---- members ---- */

/* An id as text: 7, 7.0 and "7" are the same. Empty when it is none. */
static const char *id_text(yyjson_val *id, char text[ID_BYTES_MAX])
{
	text[0] = '\0';
	if (yyjson_is_uint(id))
		snprintf(text, ID_BYTES_MAX, "%llu", (unsigned long long)yyjson_get_uint(id));
	else if (yyjson_is_sint(id))
		snprintf(text, ID_BYTES_MAX, "%lld", (long long)yyjson_get_sint(id));
	else if (yyjson_is_real(id))
		snprintf(text, ID_BYTES_MAX, "%.17g", yyjson_get_real(id));
	else if (yyjson_is_str(id) && yyjson_get_len(id) < ID_BYTES_MAX)
		snprintf(text, ID_BYTES_MAX, "%s", yyjson_get_str(id));
	return text;
}

static const char *member_id(yyjson_val *object, const char *key, char text[ID_BYTES_MAX])
{
	return id_text(yyjson_obj_get(object, key), text);
}

/* A text without NUL in it, or NULL. */
static const char *member_text(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	const char *text = yyjson_get_str(value);
	return text && strlen(text) == yyjson_get_len(value) ? text : NULL;
}

static bool member_flag(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	return yyjson_is_bool(value) ? yyjson_get_bool(value) : yyjson_get_num(value) != 0;
}

/* ---- categories and images ---- */

/* What the category is to be called; NULL when there is no way. */
static const char *category_label(struct coco *r, yyjson_val *category, const char *id)
{
	struct arena *a = r->c->arena;
	const char *name = member_text(category, "name");
	const char *label = name ? label_clean(name, strlen(name), a) : NULL;
	if (label)
		return label;
	problems_add(&r->c->problems, "%s: the category %s has no usable name; it is called by its id.",
		r->source, shown(id, a));
	name = arena_printf(a, "category %s", id);
	return label_clean(name, strlen(name), a);
}

static void read_category(struct coco *r, yyjson_val *category)
{
	char id[ID_BYTES_MAX];
	struct arena *a = r->c->arena;
	if (*member_id(category, "id", id) == '\0') {
		problems_add(&r->c->problems, "%s: a category has no id; it is left out.", r->source);
		return;
	}
	if (name_map_find(&r->categories, id, strlen(id)) != NAME_MAP_NONE) {
		problems_add(&r->c->problems, "%s: two categories have the id %s; the first is meant.",
			r->source, shown(id, a));
		return;
	}
	const char *label = category_label(r, category, id), *key = arena_strdup(a, id);
	int32_t place = label ? collect_label(r->c, label) : -1;
	if (place < 0)
		return;
	if (name_map_find(&r->names, label, strlen(label)) != NAME_MAP_NONE)
		problems_add(&r->c->problems, "%s: two categories are called %s; they become one label.",
			r->source, shown(label, a));
	name_map_add(&r->names, label, strlen(label), 0);
	name_map_add(&r->categories, key, strlen(key), (uint32_t)place);
}

static void read_image(struct coco *r, yyjson_val *row)
{
	char id[ID_BYTES_MAX];
	struct arena *a = r->c->arena;
	const char *name = member_text(row, "file_name");
	const char *filename = name ? file_name_clean(name, a) : NULL;
	if (*member_id(row, "id", id) == '\0' || filename == NULL) {
		problems_add(&r->c->problems, "%s: the image %s has %s; it is left out.", r->source,
			shown(name ? name : id, a),
			filename ? "no id" : "no file name, or one that leads out of the set");
		return;
	}
	if (name_map_find(&r->images, id, strlen(id)) != NAME_MAP_NONE) {
		problems_add(&r->c->problems,
			"%s: two images have the id %s; the first is meant, and %s is left out.", r->source,
			shown(id, a), shown(name, a));
		return;
	}
	struct collected_file *file = collect_find(r->c, r->source, filename, false);
	struct collected_image *image = collect_image(r->c, filename, file);
	collect_size(r->c, image, r->source, yyjson_get_num(yyjson_obj_get(row, "width")),
		yyjson_get_num(yyjson_obj_get(row, "height")));
	const char *key = arena_strdup(a, id);
	name_map_add(&r->images, key, strlen(key), (uint32_t)(image - r->c->images));
}

/* ---- annotations ---- */

/* Numbers of a list; a value that is no number becomes NaN, which is refused by name later. */
static struct ring_numbers numbers_of(struct coco *r, yyjson_val *list)
{
	size_t index, max;
	yyjson_val *value;
	double *numbers = ARENA_ARRAY(&r->scratch, double, yyjson_arr_size(list));
	yyjson_arr_foreach (list, index, max, value) {
		numbers[index] = yyjson_is_num(value) ? yyjson_get_num(value) : NAN;
	}
	return (struct ring_numbers){numbers, yyjson_arr_size(list)};
}

/* One list of coordinates, or a list of such lists. */
static struct ring_numbers *rings_of(struct coco *r, yyjson_val *segmentation, size_t *count)
{
	*count = yyjson_arr_size(segmentation);
	if (*count && !yyjson_is_arr(yyjson_arr_get_first(segmentation)))
		*count = 1;
	struct ring_numbers *rings = ARENA_ARRAY(&r->scratch, struct ring_numbers, *count);
	if (*count && !yyjson_is_arr(yyjson_arr_get_first(segmentation))) {
		rings[0] = numbers_of(r, segmentation);
		return rings;
	}
	size_t index, max;
	yyjson_val *ring;
	yyjson_arr_foreach (segmentation, index, max, ring) {
		rings[index] = numbers_of(r, ring);
	}
	return rings;
}

static bool is_empty(yyjson_val *value)
{
	return value == NULL || yyjson_is_null(value) ||
	       (yyjson_is_arr(value) && yyjson_arr_size(value) == 0);
}

static bool read_corners(struct coco *r, yyjson_val *list, const char *id, struct box_corners *out)
{
	struct ring_numbers box = numbers_of(r, list);
	if (box.count != 4) {
		problems_add(&r->c->problems, "%s: the box of annotation %s is not four numbers.", r->source,
			shown(id, r->c->arena));
		return false;
	}
	const double *n = box.numbers;
	*out = (struct box_corners){n[0], n[1], n[0] + n[2], n[1] + n[3]};
	return true;
}

static void read_shape(struct coco *r, yyjson_val *row, const char *id, struct collected_image *image,
	struct labelled_shape shape)
{
	yyjson_val *box = yyjson_obj_get(row, "bbox"), *segmentation = yyjson_obj_get(row, "segmentation");
	if (is_empty(box) && is_empty(segmentation)) {
		collect_class(r->c, image, r->source, shape);
		return;
	}
	struct box_corners corners;
	bool boxed = !is_empty(box) && read_corners(r, box, id, &corners);
	if (yyjson_is_arr(segmentation) && !is_empty(segmentation)) {
		size_t ring_count;
		const struct ring_numbers *rings = rings_of(r, segmentation, &ring_count);
		if (collect_polygon(
			    r->c, image, r->source, shape, rings, ring_count, boxed ? &corners : NULL))
			return;
	}
	bool masked = yyjson_is_obj(segmentation);
	r->masks += masked && boxed;
	r->masks_lost += masked && !boxed;
	if (boxed)
		collect_box(r->c, image, r->source, shape, corners);
}

static void read_annotation(struct coco *r, yyjson_val *row)
{
	char id[ID_BYTES_MAX], image_id[ID_BYTES_MAX], category_id[ID_BYTES_MAX];
	struct arena *a = r->c->arena;
	if (yyjson_obj_get(row, "segments_info") || yyjson_obj_get(row, "caption")) {
		r->panoptic += yyjson_obj_get(row, "segments_info") != NULL;
		r->captions += yyjson_obj_get(row, "caption") != NULL;
		return;
	}
	member_id(row, "id", id);
	member_id(row, "image_id", image_id);
	member_id(row, "category_id", category_id);
	uint32_t image = name_map_find(&r->images, image_id, strlen(image_id));
	uint32_t label = name_map_find(&r->categories, category_id, strlen(category_id));
	if (image == NAME_MAP_NONE || label == NAME_MAP_NONE) {
		bool no_image = image == NAME_MAP_NONE;
		problems_add(&r->c->problems,
			"%s: annotation %s is of the %s %s, which is not listed; it is left out.", r->source,
			shown(id, a), no_image ? "image" : "category",
			shown(no_image ? image_id : category_id, a));
		return;
	}
	yyjson_val *area = yyjson_obj_get(row, "area");
	double number = yyjson_is_num(area) ? yyjson_get_num(area) : -1;
	struct labelled_shape shape = {.label = (int32_t)label,
		.area = isfinite(number) && number >= 0 ? number : -1,
		.crowd = member_flag(row, "iscrowd"),
		.difficult = member_flag(yyjson_obj_get(row, "attributes"), "difficult")};
	r->keypoints += yyjson_arr_size(yyjson_obj_get(row, "keypoints")) > 0;
	read_shape(r, row, id, &r->c->images[image], shape);
	arena_release(&r->scratch);
}

/* ---- a file ---- */

static void say_what_was_not_read(struct coco *r)
{
	const struct {
		size_t count;
		const char *what;
	} rows[] = {
		{r->masks, "masks in run lengths are not read, only their boxes"},
		{r->masks_lost, "masks in run lengths without a box are not read"},
		{r->keypoints, "key points are not read, only boxes and polygons"},
		{r->captions, "captions are not read"},
		{r->panoptic, "panoptic segments, which are pixels of PNG files, are not read"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].count)
			problems_add(
				&r->c->problems, "%s: %s (%zu).", r->source, rows[i].what, rows[i].count);
}

/* An image of a file of shapes is annotated, also when it has none; one that is only listed is not. */
static void mark_annotated(struct coco *r, yyjson_val *images)
{
	if (r->categories.count == 0 || r->panoptic || r->captions)
		return;
	size_t index, max;
	yyjson_val *row;
	char id[ID_BYTES_MAX];
	yyjson_arr_foreach (images, index, max, row) {
		member_id(row, "id", id);
		uint32_t image = name_map_find(&r->images, id, strlen(id));
		if (image != NAME_MAP_NONE)
			r->c->images[image].annotated = true;
	}
}

static void read_root(struct coco *r, yyjson_val *root)
{
	yyjson_val *images = yyjson_obj_get(root, "images"), *row;
	size_t index, max;
	if (!yyjson_is_arr(images)) {
		problems_add(&r->c->problems, "%s is no COCO file: it has no list of images; it is left out.",
			r->source);
		return;
	}
	yyjson_arr_foreach (yyjson_obj_get(root, "categories"), index, max, row) {
		read_category(r, row);
	}
	yyjson_arr_foreach (images, index, max, row) {
		read_image(r, row);
	}
	yyjson_arr_foreach (yyjson_obj_get(root, "annotations"), index, max, row) {
		read_annotation(r, row);
	}
	mark_annotated(r, images);
	say_what_was_not_read(r);
}

static void read_file(struct collect *c, const struct collected_file *f)
{
	struct coco r = {.c = c, .source = f->path};
	struct span bytes = f->file->bytes;
	yyjson_read_err why;
	if (bytes.size >= 3 && memcmp(bytes.data, "\xef\xbb\xbf", 3) == 0)
		bytes = span_of(bytes.data + 3, bytes.size - 3);
	/* Without the in-place flag the text is not written to. */
	yyjson_doc *doc =
		yyjson_read_opts((char *)bytes.data, bytes.size, YYJSON_READ_ALLOW_INF_AND_NAN, NULL, &why);
	if (doc == NULL) {
		problems_add(&c->problems, "%s is not valid JSON: %s at byte %zu; it is left out.", f->path,
			why.msg, why.pos);
		return;
	}
	struct arena ids; /* of the maps, which live as long as this file is read */
	arena_init(&ids);
	arena_init(&r.scratch);
	name_map_init(&r.images, &ids);
	name_map_init(&r.categories, &ids);
	name_map_init(&r.names, &ids);
	read_root(&r, yyjson_doc_get_root(doc));
	arena_release(&r.scratch);
	arena_release(&ids);
	yyjson_doc_free(doc);
}

void coco_read(struct collect *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		if (c->files[i].kind == FILE_JSON)
			read_file(c, &c->files[i]);
}
