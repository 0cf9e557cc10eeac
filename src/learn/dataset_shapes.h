/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between shapes as annotation files say them (formats/formats.h: 32-bit floats, corners) and as rows hold
 * them (store/annotation_rows.h: decimals, sides). There and back is the same to the bit: a row holds the
 * shortest decimals that read as the floats.
 */
#ifndef GYRE_LEARN_DATASET_SHAPES_H
#define GYRE_LEARN_DATASET_SHAPES_H

#include "formats/formats.h"
#include "store/annotation_rows.h"

/* label_ids: by the shapes' label. All lives in the arena. */
struct annotation_shape_row *dataset_shapes_to_rows(
	const struct labelled_shape *shapes, size_t count, const struct uuid *label_ids, struct arena *a);

/*
 * What files can say: rectangles, polygons, classes. Of others (lines, points, keypoints) *skipped is told
 * how many. label_of: the place of a label by its id, -1 for none.
 */
struct labelled_shape *dataset_shapes_from_rows(const struct annotation_shape_row *rows, size_t count,
	int32_t (*label_of)(void *arg, struct uuid label_id), void *arg, struct arena *a, size_t *shape_count,
	size_t *skipped);

/* The same shape, to the bit. */
bool dataset_shapes_same(const struct annotation_shape_row *a, const struct annotation_shape_row *b);

#endif
