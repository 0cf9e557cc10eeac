/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a class for each cell of a mask to polygons in image pixels: connected regions, their outlines,
 * simplified. Shared by layouts of segmentation; only for src/task.
 */
#ifndef GYRE_TASK_REGIONS_H
#define GYRE_TASK_REGIONS_H

#include "task/recipe.h"
#include "task/shape.h"

/* Cells of a mask: 2,048 x 2,048. Bounds memory (12 bytes a cell) and time, whatever a model says. */
#define REGIONS_CELLS_MAX (1u << 22)
/* Points of all polygons of an image. */
#define REGIONS_POINTS_MAX 65536u

/* A mask over the model's input, from edge to edge. */
struct region_mask {
	uint32_t width, height;
	int32_t *labels; /* of each cell, by rows; -1: nothing. Overwritten */
	float *scores;   /* of each cell that has a label, 0…1 */
};

/* Both arrays in the arena, labels -1. */
void region_mask_init(struct region_mask *m, uint32_t width, uint32_t height, struct arena *a);

/* The cells whose centres are in the image, not in its padding: columns from first to before end, and rows.
 */
struct region_bounds {
	uint32_t column_first, column_end, row_first, row_end;
};
struct region_bounds region_mask_bounds(
	const struct region_mask *m, const struct tensor_spec *input, const struct tensor_map *map);

/*
 * Cells of one label that hang together by their sides are a region. Those that cover at least
 * region_area_min of the image become polygons, the largest SHAPES_MAX of them: the outer outline along the
 * cells' sides, mapped to image pixels, clipped, and simplified so that it stays within polygon_tolerance of
 * where it was. The tolerance is halved for small or thin regions until the area is kept within 5 %, and
 * doubled for those that would have more than their share of points. Score: the mean of the cells'. Holes are
 * not cut out.
 */
void regions_shapes(struct region_mask *m, const struct recipe *r, const struct tensor_map *map,
	struct arena *a, struct shapes *out);

#endif
