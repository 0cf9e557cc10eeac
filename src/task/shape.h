/* SPDX-License-Identifier: Apache-2.0 */
/* What a model says of an image: shapes in image pixels. And their packed form, as stored in a prediction's row. */
#ifndef GYRE_TASK_SHAPE_H
#define GYRE_TASK_SHAPE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "vision/box.h"

#include <stdint.h>

#define SHAPES_MAX 300          /* an image; the best by score */
#define SHAPE_SCORE_FLOOR 0.01f /* below it nothing is kept */

enum task { TASK_CLASSIFICATION, TASK_DETECTION, TASK_SEGMENTATION, TASK_COUNT };

/* Names on the wire: "CLASSIFICATION", "OBJECT_DETECTION", "SEGMENTATION"; on the command line: "classification", "detection", "segmentation". */
const char *task_wire_name(enum task t);
bool task_parse(const char *text, enum task *out); /* either form, any case */

enum shape_kind { SHAPE_CLASS, SHAPE_BOX, SHAPE_POLYGON };

struct shape {
	enum shape_kind kind;
	int32_t label;      /* index of the class in the model's output */
	float score;        /* 0…1 */
	struct box box;     /* BOX, and the bounds of a POLYGON */
	const float *points; /* POLYGON: x, y, x, y … in image pixels, arena memory */
	uint32_t point_count;
};

struct shapes {
	struct shape *items; /* by falling score */
	size_t count;
};

/* Little-endian, versioned; see docs/internals/shapes.md. Sizes: 26 bytes a box, 10 a class. */
struct span shapes_pack(const struct shapes *shapes, struct arena *a);
enum status shapes_unpack(struct span packed, struct arena *a, struct shapes *out, struct err *err) MUST_CHECK; /* fuzzed */

#endif
