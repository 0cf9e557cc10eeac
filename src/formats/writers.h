/* SPDX-License-Identifier: Apache-2.0 */
/* What the writers share: an export as it grows, and numbers that read back as the very same floats. */
#ifndef GYRE_FORMATS_WRITERS_H
#define GYRE_FORMATS_WRITERS_H

#include "base/str.h"
#include "formats/file_name.h"
#include "formats/formats.h"
#include "formats/problems.h"

#define NUMBER_BYTES 40

struct writing {
	const struct labelled_set *set;
	struct arena *arena;
	struct err *err;
	struct format_file *files;
	size_t file_count, file_room;
	const char **image_paths;
	struct problems problems;
};

/* ST_UNPROCESSABLE when a label or a file name of the set cannot be written. */
enum status writing_start(struct writing *w) MUST_CHECK;
void writing_finish(struct writing *w, struct format_export *out);
void writing_add(struct writing *w, const char *path, const struct str *text);

enum status coco_write(struct writing *w) MUST_CHECK;
enum status voc_write(struct writing *w) MUST_CHECK;
enum status yolo_write(struct writing *w) MUST_CHECK;
enum status folders_write(struct writing *w) MUST_CHECK;

/* The shortest decimal that reads as this float, and what a reader makes of it. */
double number_text(float value, char out[NUMBER_BYTES]);
/* The shortest decimal size with which `start` reaches `end`: (float)(start + size) == end. */
void size_text(double start, float end, char out[NUMBER_BYTES]);

#endif
