/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotation files of others, read into one neutral description and written from it: COCO, Pascal VOC, YOLO,
 * and folders per class. What each may hold, and what becomes of it here: docs/reference/formats.md. Pure:
 * files come in as names and bytes, and go out the same way.
 */
#ifndef GYRE_FORMATS_FORMATS_H
#define GYRE_FORMATS_FORMATS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "task/shape.h"
#include "vision/box.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_NAME_BYTES_MAX 255 /* of a label */
#define FORMAT_PATH_BYTES_MAX 1024
#define FORMAT_SIDE_MAX 65535 /* pixels of an image */
#define FORMAT_LABELS_MAX 10000
#define FORMAT_SHAPES_MAX 10000  /* an image */
#define FORMAT_PROBLEMS_MAX 1000 /* that are kept; all are counted */

enum format {
	FORMAT_NONE, /* images without annotations; when reading: whichever it is */
	FORMAT_COCO,
	FORMAT_VOC,
	FORMAT_YOLO,
	FORMAT_FOLDERS, /* an image's folder is its class */
	FORMAT_COUNT
};

const char *format_name(enum format f); /* "COCO" */
/* "coco", "voc" or "pascal_voc", "yolo", "folders", any case; false (and *out as it was) for anything else.
 */
bool format_parse(const char *text, enum format *out);

/* ---- what is read ---- */

/* A file of a set. An image, known by the extension of its name, is given by name and size alone. */
struct format_file {
	const char *path;  /* below the set's root, with slashes: "images/train/a.jpg" */
	struct span bytes; /* may be empty for an image */
	uint32_t width,
		height; /* pixels of an image as shown; 0: unknown, then YOLO's fractions cannot be read */
};

struct labelled_ring {
	const float *points; /* x, y, x, y … in pixels; at least 3, at most SHAPE_POINTS_MAX */
	uint32_t point_count;
};

struct labelled_shape {
	enum shape_kind kind;
	int32_t label;                     /* index into labels */
	struct box box;                    /* BOX and POLYGON; for a polygon as annotated, or its bounds */
	const struct labelled_ring *rings; /* POLYGON: the parts of the object, at least one */
	uint32_t ring_count;
	double area;     /* square pixels as annotated; below 0: not annotated */
	bool crowd;      /* COCO: a region of many */
	bool difficult;  /* VOC: does not count in its challenge */
	bool degenerate; /* without area: kept so that nothing is lost unseen; no use for training or scores
			  */
};

/* Square pixels: as annotated, or else what the box or the rings enclose (Gauss's formula), added up. */
double labelled_area(const struct labelled_shape *shape);

struct labelled_image {
	const char
		*filename; /* as annotated, below whatever folder; checked, so that it leads nowhere else */
	const char *path;  /* of the given file that it is; NULL: none of them is */
	uint32_t width, height; /* pixels; 0: unknown */
	bool annotated; /* an annotated image without shapes shows nothing; others were never looked at */
	struct labelled_shape *shapes;
	size_t shape_count;
};

/* Everything lives in the arena that was given. */
struct labelled_set {
	enum format format;
	const char **labels; /* UTF-8, all different, without outer blanks and control characters */
	size_t label_count;
	struct labelled_image *images;
	size_t image_count;
	const char **problems; /* sentences that name the file and what is wrong; what they name was left out
				  or repaired, as they say, and the rest was read */
	size_t problem_count;  /* those kept */
	size_t problems_left_out; /* beyond FORMAT_PROBLEMS_MAX */
};

/* Which format the files are in. Where they hold several: the first in the order of enum format. */
enum format formats_detect(const struct format_file *files, size_t count);

/*
 * Read the files as one set; FORMAT_NONE detects. Order of the files does not matter. Shapes are in pixels,
 * clipped to the image where its size is known. Only what is wrong with the whole fails: ST_UNPROCESSABLE
 * when there is neither an image nor an annotation.
 */
enum status formats_read(enum format f, const struct format_file *files, size_t count, struct arena *a,
	struct labelled_set *out, struct err *err) MUST_CHECK;

/* ---- what is written ---- */

struct format_export {
	struct format_file *files; /* annotation files: paths and bytes */
	size_t file_count;
	const char *
		*image_paths;  /* where each image of the set belongs beside them; NULL: not in this export */
	const char **problems; /* what the format cannot say, as sentences */
	size_t problem_count;
	size_t problems_left_out;
};

/*
 * Write a set. Reading the files again, with the images at image_paths, gives the same labels and shapes:
 * every float exactly, but for YOLO's fractions, which are off by at most 1e-9 of the image's side.
 * ST_UNPROCESSABLE when a label or file name cannot be written in that format.
 */
enum status formats_write(enum format f, const struct labelled_set *set, struct arena *a,
	struct format_export *out, struct err *err) MUST_CHECK;

#endif
