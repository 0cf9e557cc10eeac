/* SPDX-License-Identifier: Apache-2.0 */
/* YOLO: data.yaml, labels/NAME.txt, images under images/. Fractions have as many digits as bring the pixels
 * back. */
#include "base/check.h"
#include "formats/name_map.h"
#include "formats/writers.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MIN 6
#define DIGITS_MAX 17

/* Centre and size along one side, with the arithmetic of the reader (yolo_read.c). */
static void box_texts(float from, float to, double side, char centre[NUMBER_BYTES], char size[NUMBER_BYTES])
{
	for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
		snprintf(centre, NUMBER_BYTES, "%.*g", digits, ((double)from + to) / 2 / side);
		snprintf(size, NUMBER_BYTES, "%.*g", digits, ((double)to - from) / side);
		double c = strtod(centre, NULL), s = strtod(size, NULL);
		if ((float)((c - s / 2) * side) == from && (float)((c + s / 2) * side) == to)
			return;
	}
}

static void add_fraction(struct str *s, float value, double side)
{
	char text[NUMBER_BYTES];
	for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)value / side);
		if ((float)(strtod(text, NULL) * side) == value)
			break;
	}
	str_printf(s, " %s", text);
}

static void add_box(struct str *s, const struct labelled_image *image, const struct labelled_shape *shape)
{
	char cx[NUMBER_BYTES], cy[NUMBER_BYTES], width[NUMBER_BYTES], height[NUMBER_BYTES];
	box_texts(shape->box.x1, shape->box.x2, image->width, cx, width);
	box_texts(shape->box.y1, shape->box.y2, image->height, cy, height);
	str_printf(s, "%d %s %s %s %s\n", shape->label, cx, cy, width, height);
}

static void add_ring(
	struct str *s, const struct labelled_image *image, int32_t label, const struct labelled_ring *r)
{
	str_printf(s, "%d", label);
	for (size_t i = 0; i < r->point_count; i++) {
		add_fraction(s, r->points[2 * i], image->width);
		add_fraction(s, r->points[2 * i + 1], image->height);
	}
	str_append(s, "\n");
}

static void say_what_is_lost(struct writing *w, const struct labelled_image *image)
{
	size_t classes = 0, flags = 0, parts = 0;
	for (size_t i = 0; i < image->shape_count; i++) {
		const struct labelled_shape *shape = &image->shapes[i];
		classes += shape->kind == SHAPE_CLASS;
		flags += shape->kind != SHAPE_CLASS && (shape->crowd || shape->difficult);
		parts += shape->ring_count > 1;
	}
	const char *name = shown(image->filename, w->arena);
	if (classes)
		problems_add(&w->problems, "%s: %zu classes have no box; YOLO's labels cannot hold them.",
			name, classes);
	if (flags)
		problems_add(&w->problems, "%s: %zu crowds and difficult objects become objects like others.",
			name, flags);
	if (parts)
		problems_add(&w->problems, "%s: each part of %zu objects of several parts becomes an object.",
			name, parts);
}

static void add_image(struct writing *w, const struct labelled_image *image, const char *path)
{
	struct str s;
	str_init(&s, SIZE_MAX / 4);
	for (size_t i = 0; i < image->shape_count; i++) {
		const struct labelled_shape *shape = &image->shapes[i];
		if (shape->kind == SHAPE_BOX)
			add_box(&s, image, shape);
		for (uint32_t k = 0; shape->kind == SHAPE_POLYGON && k < shape->ring_count; k++)
			add_ring(&s, image, shape->label, &shape->rings[k]);
	}
	writing_add(w, path, &s);
	str_release(&s);
	say_what_is_lost(w, image);
}

/* Labels are plain text, so that YAML needs the escapes of JSON's quotes only. A list and not a map, as the
 * SDK reads nothing else. */
static void add_names(struct writing *w)
{
	struct str s;
	str_init(&s, SIZE_MAX / 4);
	str_printf(&s, "path: .\ntrain: images\nval: images\nnc: %zu\nnames:%s\n", w->set->label_count,
		w->set->label_count ? "" : " []");
	for (size_t i = 0; i < w->set->label_count; i++) {
		str_append(&s, "- ");
		str_append_json(&s, w->set->labels[i]);
		str_append(&s, "\n");
	}
	writing_add(w, "data.yaml", &s);
	str_release(&s);
}

enum status yolo_write(struct writing *w)
{
	struct name_map taken;
	name_map_init(&taken, w->arena);
	add_names(w);
	for (size_t i = 0; i < w->set->image_count; i++) {
		const struct labelled_image *image = &w->set->images[i];
		const char *name = image->filename;
		size_t stem = file_folder_size(name) + file_stem_size(file_base(name));
		const char *path = arena_printf(w->arena, "labels/%.*s.txt", (int)stem, name);
		if (name_map_add(&taken, path, strlen(path), (uint32_t)i) != i) {
			problems_add(&w->problems,
				"%s is left out: another image has its name but for the extension, and "
				"YOLO's labels go by the name.",
				shown(name, w->arena));
			continue;
		}
		w->image_paths[i] = arena_printf(w->arena, "images/%s", name);
		if (image->annotated && image->width == 0 && image->shape_count > 0)
			problems_add(&w->problems,
				"%s: its size is not known, so that its shapes cannot be written as "
				"fractions.",
				shown(name, w->arena));
		else if (image->annotated)
			add_image(w, image, path);
	}
	return ST_OK;
}
