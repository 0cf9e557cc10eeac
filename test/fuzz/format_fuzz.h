/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of any set that was read, and of what is written from it. */
#ifndef GYRE_TEST_FORMAT_FUZZ_H
#define GYRE_TEST_FORMAT_FUZZ_H

#include "base/check.h"
#include "formats/file_name.h"
#include "formats/formats.h"

#include <math.h>
#include <string.h>

static inline void check_box(struct box b, double width, double height)
{
	CHECK(b.x1 >= 0 && b.y1 >= 0 && b.x1 <= b.x2 && b.y1 <= b.y2);
	CHECK((double)b.x2 <= width && (double)b.y2 <= height);
}

static inline void check_shape(
	const struct labelled_set *set, const struct labelled_image *image, const struct labelled_shape *s)
{
	double width = image->width ? image->width : FORMAT_SIDE_MAX;
	double height = image->width ? image->height : FORMAT_SIDE_MAX;
	CHECK(s->label >= 0 && (size_t)s->label < set->label_count);
	CHECK((s->kind == SHAPE_POLYGON) == (s->ring_count > 0));
	CHECK(isfinite(s->area));
	check_box(s->box, width, height);
	CHECK(s->kind == SHAPE_CLASS || s->degenerate || (s->box.x1 < s->box.x2 && s->box.y1 < s->box.y2));
	for (uint32_t i = 0; i < s->ring_count; i++) {
		CHECK(s->rings[i].point_count >= 3 && s->rings[i].point_count <= SHAPE_POINTS_MAX);
		for (uint32_t k = 0; k < s->rings[i].point_count; k++) {
			const float *p = s->rings[i].points + 2 * k;
			check_box((struct box){p[0], p[1], p[0], p[1]}, width, height);
		}
	}
}

static inline size_t check_set(const struct labelled_set *set, struct arena *a)
{
	size_t shapes = 0;
	CHECK(set->label_count <= FORMAT_LABELS_MAX && set->problem_count <= FORMAT_PROBLEMS_MAX);
	for (size_t i = 0; i < set->label_count; i++)
		CHECK(strcmp(label_clean(set->labels[i], strlen(set->labels[i]), a), set->labels[i]) == 0);
	for (size_t i = 0; i < set->problem_count; i++)
		CHECK(strlen(set->problems[i]) > 10);
	for (size_t i = 0; i < set->image_count; i++) {
		const struct labelled_image *image = &set->images[i];
		CHECK(strcmp(file_name_clean(image->filename, a), image->filename) == 0);
		CHECK(image->width <= FORMAT_SIDE_MAX && image->height <= FORMAT_SIDE_MAX);
		CHECK((image->width == 0) == (image->height == 0));
		CHECK(image->shape_count <= FORMAT_SHAPES_MAX);
		for (size_t k = 0; k < image->shape_count; k++)
			check_shape(set, image, &image->shapes[k]);
		shapes += image->annotated ? image->shape_count : 0;
	}
	return shapes;
}

/* Read, check, write as every format, and read what COCO's writer wrote: as many shapes. */
static inline void read_and_write(enum format f, const struct format_file *files, size_t count)
{
	struct arena a;
	struct labelled_set set, again;
	struct format_export out;
	struct err err;
	arena_init(&a);
	(void)formats_detect(files, count);
	if (formats_read(f, files, count, &a, &set, &err) == ST_OK) {
		size_t shapes = check_set(&set, &a);
		for (int to = FORMAT_NONE + 1; to < FORMAT_COUNT; to++)
			if (formats_write((enum format)to, &set, &a, &out, &err) != ST_OK)
				CHECK(to == FORMAT_FOLDERS && strlen(err.text) > 10);
		CHECK(formats_write(FORMAT_COCO, &set, &a, &out, &err) == ST_OK);
		if (shapes > 0) {
			CHECK(formats_read(FORMAT_COCO, out.files, out.file_count, &a, &again, &err) ==
				ST_OK);
			CHECK(check_set(&again, &a) == shapes);
		}
	} else {
		CHECK(err.status == ST_UNPROCESSABLE && strlen(err.text) > 10);
	}
	arena_release(&a);
}

#endif
