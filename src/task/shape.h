/* SPDX-License-Identifier: Apache-2.0 */
/* What a model says of an image: shapes in image pixels. And their packed form, as stored in a prediction's
 * row. */
#ifndef GYRE_TASK_SHAPE_H
#define GYRE_TASK_SHAPE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "task/task.h"
#include "vision/box.h"

#include <stdint.h>

#define SHAPES_MAX 300          /* an image; the best by score, of regions the largest */
#define SHAPE_POINTS_MAX 4096   /* a polygon, at least 3 */
#define SHAPE_SCORE_FLOOR 0.01f /* below it nothing is kept */

enum shape_kind { SHAPE_CLASS, SHAPE_BOX, SHAPE_POLYGON, SHAPE_KIND_COUNT };

struct shape {
	enum shape_kind kind;
	int32_t label;  /* index into the version's labels, from 0: a background class is never a shape */
	float score;    /* 0…1 */
	struct box box; /* BOX, and the bounds of a POLYGON; zero for a CLASS */
	const float *points; /* POLYGON: outer ring, x, y, x, y … in image pixels, arena memory; else NULL */
	uint32_t point_count;
};

struct shapes {
	struct shape *items; /* by falling score */
	size_t count;
};

/*
 * Little-endian, versioned; drawn in docs/internals/shapes.md. Sizes: 4 bytes, then 26 a box, 10 a class, 30
 * and 8 a point a polygon. What is packed must be as described above (a CHECK): finite, in range, by falling
 * score.
 */
struct span shapes_pack(const struct shapes *shapes, struct arena *a);
/* Strict: anything that shapes_pack would not have written is ST_INVALID. The points live in the arena.
 * Fuzzed. */
enum status shapes_unpack(
	struct span packed, struct arena *a, struct shapes *out, struct err *err) MUST_CHECK;

#endif
