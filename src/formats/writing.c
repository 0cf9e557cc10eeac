/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/writers.h"

#include "base/check.h"

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
