/* SPDX-License-Identifier: Apache-2.0 */
/* Pascal VOC: Annotations/NAME.xml, images under JPEGImages/. Polygons stand beside the box, as Roboflow
 * writes them. */
#include "formats/name_map.h"
#include "formats/writers.h"

#include <string.h>

/* The text is without control characters, so that only these are special. */
static void add_text(struct str *s, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': str_append(s, "&lt;"); break;
		case '>': str_append(s, "&gt;"); break;
		case '&': str_append(s, "&amp;"); break;
		default: str_append_bytes(s, text, 1);
		}
	}
}

static void add_number(struct str *s, const char *element, float value)
{
	char text[NUMBER_BYTES];
	number_text(value, text);
	str_printf(s, "<%s>%s</%s>", element, text, element);
}

static void add_ring(struct str *s, const struct labelled_ring *ring)
{
	str_append(s, "\t\t<polygon>");
	for (size_t i = 0; i < ring->point_count; i++) {
		char name[32];
		snprintf(name, sizeof(name), "x%zu", i + 1);
		add_number(s, name, ring->points[2 * i]);
		name[0] = 'y';
		add_number(s, name, ring->points[2 * i + 1]);
	}
	str_append(s, "</polygon>\n");
}

static void add_object(struct str *s, const struct labelled_set *set, const struct labelled_shape *shape)
{
	str_append(s, "\t<object>\n\t\t<name>");
	add_text(s, set->labels[shape->label]);
	str_printf(s,
		"</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n"
		"\t\t<difficult>%d</difficult>\n\t\t<bndbox>",
		shape->difficult);
	add_number(s, "xmin", shape->box.x1);
	add_number(s, "ymin", shape->box.y1);
	add_number(s, "xmax", shape->box.x2);
	add_number(s, "ymax", shape->box.y2);
	str_append(s, "</bndbox>\n");
	for (uint32_t i = 0; i < shape->ring_count; i++)
		add_ring(s, &shape->rings[i]);
	str_append(s, "\t</object>\n");
}

static void add_image(struct writing *w, const struct labelled_image *image, const char *path)
{
	struct str s;
	size_t classes = 0, crowds = 0;
	str_init(&s, SIZE_MAX / 4);
	str_append(&s, "<annotation>\n\t<filename>");
	add_text(&s, image->filename);
	str_printf(&s,
		"</filename>\n\t<size><width>%u</width><height>%u</height><depth>3</depth></size>\n"
		"\t<segmented>0</segmented>\n",
		image->width, image->height);
	for (size_t i = 0; i < image->shape_count; i++) {
		const struct labelled_shape *shape = &image->shapes[i];
		classes += shape->kind == SHAPE_CLASS;
		crowds += shape->kind != SHAPE_CLASS && shape->crowd;
		if (shape->kind != SHAPE_CLASS)
			add_object(&s, w->set, shape);
	}
	str_append(&s, "</annotation>\n");
	writing_add(w, path, &s);
	str_release(&s);
	if (classes)
		problems_add(&w->problems, "%s: %zu classes have no box; Pascal VOC cannot hold them.",
			shown(image->filename, w->arena), classes);
	if (crowds)
		problems_add(&w->problems, "%s: %zu crowds become objects like others.",
			shown(image->filename, w->arena), crowds);
}

/* Annotations/STEM.xml, with the extension of the image where two images have one stem. */
static const char *xml_path(struct writing *w, struct name_map *taken, const char *filename, uint32_t place)
{
	size_t stem = file_folder_size(filename) + file_stem_size(file_base(filename));
	const char *path = arena_printf(w->arena, "Annotations/%.*s.xml", (int)stem, filename);
	for (unsigned more = 1; name_map_add(taken, path, strlen(path), place) != place; more++)
		path = more == 1 ? arena_printf(w->arena, "Annotations/%s.xml", filename)
				 : arena_printf(w->arena, "Annotations/%s_%u.xml", filename, more);
	return path;
}

enum status voc_write(struct writing *w)
{
	struct name_map taken;
	name_map_init(&taken, w->arena);
	for (size_t i = 0; i < w->set->image_count; i++) {
		const struct labelled_image *image = &w->set->images[i];
		w->image_paths[i] = arena_printf(w->arena, "JPEGImages/%s", image->filename);
		if (image->annotated)
			add_image(w, image, xml_path(w, &taken, image->filename, (uint32_t)i));
	}
	return ST_OK;
}
