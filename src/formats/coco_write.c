/* SPDX-License-Identifier: Apache-2.0 */
/* COCO: one JSON, images under images/. A class without a box is an annotation without bbox, as others write
 * it too. */
#include "formats/writers.h"

#include <string.h>

static void add_number(struct str *s, float value)
{
	char text[NUMBER_BYTES];
	number_text(value, text);
	str_append(s, text);
}

static void add_bbox(struct str *s, struct box b)
{
	char x[NUMBER_BYTES], y[NUMBER_BYTES], width[NUMBER_BYTES], height[NUMBER_BYTES];
	size_text(number_text(b.x1, x), b.x2, width);
	size_text(number_text(b.y1, y), b.y2, height);
	str_printf(s, ",\"bbox\":[%s,%s,%s,%s]", x, y, width, height);
}

static void add_segmentation(struct str *s, const struct labelled_shape *shape)
{
	str_append(s, ",\"segmentation\":[");
	for (uint32_t i = 0; i < shape->ring_count; i++) {
		str_append(s, i ? ",[" : "[");
		for (size_t k = 0; k < 2 * (size_t)shape->rings[i].point_count; k++) {
			if (k)
				str_append(s, ",");
			add_number(s, shape->rings[i].points[k]);
		}
		str_append(s, "]");
	}
	str_append(s, "]");
}

static void add_shape(struct str *s, size_t id, size_t image, const struct labelled_shape *shape)
{
	str_printf(s, "%s{\"id\":%zu,\"image_id\":%zu,\"category_id\":%d,\"iscrowd\":%d",
		id > 1 ? ",\n" : "\n", id, image, shape->label + 1, shape->crowd);
	if (shape->kind != SHAPE_CLASS) {
		add_bbox(s, shape->box);
		add_segmentation(s, shape);
		str_printf(s, ",\"area\":%.17g", labelled_area(shape));
	}
	if (shape->difficult)
		str_append(s, ",\"attributes\":{\"difficult\":true}");
	str_append(s, "}");
}

static void add_categories(struct str *s, const struct labelled_set *set)
{
	for (size_t i = 0; i < set->label_count; i++) {
		str_printf(s, "%s{\"id\":%zu,\"name\":", i ? ",\n" : "\n", i + 1);
		str_append_json(s, set->labels[i]);
		str_append(s, ",\"supercategory\":\"\"}");
	}
}

static void add_images(struct str *s, const struct labelled_set *set, const char **paths, struct arena *a)
{
	bool first = true;
	for (size_t i = 0; i < set->image_count; i++) {
		const struct labelled_image *image = &set->images[i];
		paths[i] = arena_printf(a, "images/%s", image->filename);
		if (!image->annotated)
			continue;
		str_printf(s, "%s{\"id\":%zu,\"file_name\":", first ? "\n" : ",\n", i + 1);
		str_append_json(s, image->filename);
		str_printf(s, ",\"width\":%u,\"height\":%u}", image->width, image->height);
		first = false;
	}
}

enum status coco_write(struct writing *w)
{
	const struct labelled_set *set = w->set;
	struct str s;
	size_t id = 0;
	str_init(&s, SIZE_MAX / 4);
	str_append(&s, "{\"info\":{\"description\":\"\"},\n\"categories\":[");
	add_categories(&s, set);
	str_append(&s, "],\n\"images\":[");
	add_images(&s, set, w->image_paths, w->arena);
	str_append(&s, "],\n\"annotations\":[");
	for (size_t i = 0; i < set->image_count; i++)
		for (size_t k = 0; set->images[i].annotated && k < set->images[i].shape_count; k++)
			add_shape(&s, ++id, i + 1, &set->images[i].shapes[k]);
	str_append(&s, "]}\n");
	writing_add(w, "annotations.json", &s);
	str_release(&s);
	return ST_OK;
}
