/* SPDX-License-Identifier: Apache-2.0 */
/* Folders per class: no file at all, only where each image belongs. */
#include "formats/writers.h"

#include <string.h>

/* The first class of an image; NULL: it has none. */
static const struct labelled_shape *class_of(const struct labelled_image *image, size_t *others)
{
	const struct labelled_shape *first = NULL;
	*others = 0;
	for (size_t i = 0; i < image->shape_count; i++) {
		if (first == NULL && image->shapes[i].kind == SHAPE_CLASS)
			first = &image->shapes[i];
		else
			(*others)++;
	}
	return first;
}

enum status folders_write(struct writing *w)
{
	for (size_t i = 0; i < w->set->label_count; i++) {
		const char *label = w->set->labels[i];
		if (strpbrk(label, "/\\") || strcmp(label, ".") == 0 || strcmp(label, "..") == 0)
			return err_set(w->err, ST_UNPROCESSABLE,
				"The label %s cannot be the name of a folder. Rename it, or export as COCO.",
				shown(label, w->arena));
	}
	for (size_t i = 0; i < w->set->image_count; i++) {
		const struct labelled_image *image = &w->set->images[i];
		size_t others;
		const struct labelled_shape *class = class_of(image, &others);
		const char *name = shown(image->filename, w->arena);
		if (class == NULL) {
			problems_add(&w->problems, "%s has no class; it is left out.", name);
			continue;
		}
		if (others)
			problems_add(&w->problems, "%s: %zu other shapes cannot be held by a folder.", name,
				others);
		w->image_paths[i] =
			arena_printf(w->arena, "%s/%s", w->set->labels[class->label], image->filename);
	}
	return ST_OK;
}
