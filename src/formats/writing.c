/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/writers.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum status writing_start(struct writing *w)
{
	const struct labelled_set *set = w->set;
	w->image_paths = ARENA_ARRAY(w->arena, const char *, set->image_count);
	for (size_t i = 0; i < set->label_count; i++)
		if (label_clean(set->labels[i], strlen(set->labels[i]), w->arena) == NULL)
			return err_set(w->err, ST_UNPROCESSABLE,
				"The label %s cannot be written: it is empty, longer than %d bytes, or no "
				"plain text. Rename it.",
				shown(set->labels[i], w->arena), FORMAT_NAME_BYTES_MAX);
	for (size_t i = 0; i < set->image_count; i++)
		if (file_name_clean(set->images[i].filename, w->arena) == NULL)
			return err_set(w->err, ST_UNPROCESSABLE,
				"The file name %s cannot be written: it leads out of the set, or is no name. "
				"Rename it.",
				shown(set->images[i].filename, w->arena));
	return ST_OK;
}

void writing_finish(struct writing *w, struct format_export *out)
{
	*out = (struct format_export){w->files, w->file_count, w->image_paths, w->problems.items,
		w->problems.count, w->problems.left_out};
}

void writing_add(struct writing *w, const char *path, const struct str *text)
{
	w->files = list_room(w->arena, w->files, w->file_count, &w->file_room, sizeof(*w->files));
	struct span bytes = arena_copy(w->arena, span_of(str_text(text), text->size));
	w->files[w->file_count++] = (struct format_file){.path = path, .bytes = bytes};
}

double number_text(float value, char out[NUMBER_BYTES])
{
	for (int digits = 6;; digits++) {
		snprintf(out, NUMBER_BYTES, "%.*g", digits, (double)value);
		double read = strtod(out, NULL);
		if ((float)read == value || digits == 9) /* nine always do */
			return read;
	}
}

void size_text(double start, float end, char out[NUMBER_BYTES])
{
	/* No size must not become a negative one, where start was rounded up. */
	double size = (float)start == end ? 0 : (double)end - start;
	for (int digits = 1;; digits++) {
		snprintf(out, NUMBER_BYTES, "%.*g", digits, size);
		if ((float)(start + strtod(out, NULL)) == end || digits == 17)
			return;
	}
}

/* The area that rings enclose, those of one object added up (Gauss's formula). */
static double ring_area(const struct labelled_ring *r)
{
	double sum = 0;
	for (size_t i = 0; i < r->point_count; i++) {
		const float *a = r->points + 2 * i, *b = r->points + 2 * ((i + 1) % r->point_count);
		sum += (double)a[0] * b[1] - (double)b[0] * a[1];
	}
	return fabs(sum) / 2;
}

double labelled_area(const struct labelled_shape *shape)
{
	if (shape->area >= 0)
		return shape->area;
	if (shape->kind == SHAPE_BOX)
		return ((double)shape->box.x2 - shape->box.x1) * ((double)shape->box.y2 - shape->box.y1);
	double sum = 0;
	for (uint32_t i = 0; i < shape->ring_count; i++)
		sum += ring_area(&shape->rings[i]);
	return sum;
}
