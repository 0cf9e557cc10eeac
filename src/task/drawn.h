/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shapes as people draw them, labels by name, and their JSON: what a review stores and what pages send.
 * docs/internals/review.md.
 */
#ifndef GYRE_TASK_DRAWN_H
#define GYRE_TASK_DRAWN_H

#include "base/json.h"
#include "task/shape.h"

#define DRAWN_SHAPES_MAX 3000   /* an image */
#define DRAWN_POINTS_MAX 100000 /* of all shapes of an image */
#define DRAWN_LABEL_CHARACTERS_MAX 200
#define DRAWN_OUTSIDE_MAX 1.0 /* pixels beyond the image that are cut off; further out is a mistake */

struct drawn_ring {
	const double *points; /* x, y, x, y … in image pixels as shown */
	size_t point_count;   /* at least 3 */
};

struct drawn_shape {
	enum shape_kind kind;
	const char *label;
	double x, y, w, h;              /* BOX; POLYGON: its bounds; a CLASS has none. w, h > 0 of a BOX */
	const struct drawn_ring *rings; /* POLYGON: the parts of the object, at least one */
	size_t ring_count;
};

struct drawn_shapes {
	struct drawn_shape *items;
	size_t count;
};

/*
 * A JSON list of {"type": "rectangle", "x", "y", "w", "h", "label"}, {"type": "polygon", "polygon": [[x, y],
 * …] or "rings": [[[x, y], …], …], "label"} and {"type": "classification", "label"}. width, height: of the
 * image, 0 where it is not known. ST_INVALID with a sentence that names the shape by its place: outside of
 * the image, without area, too few points, a label that is no name. All lives in the arena.
 */
enum status drawn_read(yyjson_val *list, int64_t width, int64_t height, struct arena *a,
	struct drawn_shapes *out, struct err *err) MUST_CHECK;
/* What drawn_print() made, as stored. */
enum status drawn_parse(
	const char *json, struct arena *a, struct drawn_shapes *out, struct err *err) MUST_CHECK;
/* The SDK's form: {"rectangles": […], "polygons": […], "classifications": […]}, each may be absent. */
enum status drawn_read_sdk(yyjson_val *object, int64_t width, int64_t height, struct arena *a,
	struct drawn_shapes *out, struct err *err) MUST_CHECK;

/* As JSON text: numbers are read back as they were. */
const char *drawn_print(const struct drawn_shapes *shapes, struct arena *a);

/* Whether both are the same shapes in any order; numbers may differ by what rounding does (0.02 pixels). */
bool drawn_same(const struct drawn_shapes *a, const struct drawn_shapes *b, struct arena *arena);

#endif
