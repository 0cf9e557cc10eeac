/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers share: the files of a set, found by name, and the set as it grows. Shapes are checked
 * here, so that every format repairs and refuses alike.
 */
#ifndef GYRE_FORMATS_COLLECT_H
#define GYRE_FORMATS_COLLECT_H

#include "formats/file_name.h"
#include "formats/formats.h"
#include "formats/name_map.h"
#include "formats/problems.h"

struct collected_file {
	const struct format_file *file;
	const char *path; /* cleaned */
	enum file_kind kind;
	uint32_t image;          /* its place in images; NAME_MAP_NONE: not yet there */
	uint32_t next_same_stem; /* another image file of the same stem, NAME_MAP_NONE: no more */
};

struct collected_image {
	const char *filename;
	struct collected_file *file; /* NULL: not among the files */
	uint32_t width, height;
	bool annotated;
	const char *source; /* the annotation file that is adding shapes; NULL: none has */
	size_t of_others;   /* shapes, the first ones, that other files added before */
	struct labelled_shape *shapes;
	size_t shape_count, shape_room;
};

struct collect {
	struct arena *arena;          /* of what is handed out */
	struct collected_file *files; /* by path */
	size_t file_count, image_file_count;
	struct name_map paths, stems;                   /* to files; stems of images in lower case */
	struct name_map labels_by_name, images_by_name; /* images that are none of the files */
	const char **labels;
	size_t label_count, label_room;
	struct collected_image *images;
	size_t image_count, image_room;
	struct problems problems;
};

void collect_init(struct collect *c, const struct format_file *files, size_t count, struct arena *a);
/* Images that nothing spoke of come last, not annotated. */
void collect_finish(struct collect *c, enum format f, struct labelled_set *out);

/* The place of a label, new or known; -1 when there are too many (said once). The text must have been
 * cleaned. */
int32_t collect_label(struct collect *c, const char *label);

/* The given image file that an annotation file means by a name; NULL: none. stem_only: the name has no
 * extension. */
struct collected_file *collect_find(struct collect *c, const char *source, const char *name, bool stem_only);
/* The given image file of a stem in a folder ("" or with its last slash; any case); NULL: none. */
struct collected_file *collect_find_in(struct collect *c, const char *folder, const char *stem);
/* The image of a cleaned name (file NULL: no given file is it), new or known. Pointers to images are good
 * until the next. */
struct collected_image *collect_image(struct collect *c, const char *filename, struct collected_file *file);
/* What an annotation says of an image's size; 0: nothing. The file's own size is believed. */
void collect_size(
	struct collect *c, struct collected_image *image, const char *source, double width, double height);

/* Corners as annotated. False: it was refused, or repaired beyond use. label must be a place. */
struct box_corners {
	double x1, y1, x2, y2;
};
bool collect_box(struct collect *c, struct collected_image *image, const char *source,
	struct labelled_shape shape, struct box_corners corners);
/* x, y, x, y … of each ring; corners: NULL for the bounds. A polygon of which no ring can be used is refused.
 */
struct ring_numbers {
	const double *numbers;
	size_t count; /* numbers, twice the points */
};
bool collect_polygon(struct collect *c, struct collected_image *image, const char *source,
	struct labelled_shape shape, const struct ring_numbers *rings, size_t ring_count,
	const struct box_corners *corners);
bool collect_class(
	struct collect *c, struct collected_image *image, const char *source, struct labelled_shape shape);

#endif
