/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other pictures made of the same ones: mirrored, larger, smaller, moved, four in one, in another light.
 * First a plan is drawn by chance, which is plain numbers; then pixels, boxes and outlines all follow that
 * plan, so that they cannot disagree. Pure.
 */
#ifndef GYRE_TRAINER_AUGMENT_H
#define GYRE_TRAINER_AUGMENT_H

#ifdef __cplusplus
extern "C" {
#endif

#include "trainer/chance.h"
#include "vision/box.h"
#include "vision/image.h"
#include "vision/tensor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TILES_MAX 4

/* output = picture * scale + offset, each axis by itself, of points; scale_x below 0: mirrored. */
struct placement {
	float scale_x, scale_y, offset_x, offset_y;
};

/* One picture in an output, shown in a window of it: [x0, x1) x [y0, y1). */
struct tile {
	size_t picture; /* of the set */
	struct placement at;
	int32_t x0, y0, x1, y1;
};

/* A pixel of the result is matrix * pixel + offset, cut to 0…255. */
struct light {
	float matrix[9];
	float offset[3];
	bool changes;
};

struct plan {
	uint32_t width, height; /* of the output, pixels */
	uint8_t pad_value;
	struct tile tiles[TILES_MAX];
	size_t tile_count;
	struct light light;
};

/* How much; all 0 (and zooms of 1) leaves the picture as the server sees it. */
struct augment {
	float mirror;             /* how often, 0…1 */
	float zoom_min, zoom_max; /* about the middle */
	float shift;              /* of the output's sides, either way */
	float mosaic;             /* how often four pictures become one, 0…1 */
	float light;              /* how far brightness, contrast and saturation go, 0…1 */
};

extern const struct augment augment_none;

/* The sides a picture has when it is resized for an input, before padding or cropping. */
void fitted_sides(const struct tensor_spec *spec, uint32_t width, uint32_t height, uint32_t *out_width,
	uint32_t *out_height);

/* Pictures are fitted ones: sides[2 * i], sides[2 * i + 1] of picture i of count. */
void plan_draw(const struct augment *a, const struct tensor_spec *spec, const uint32_t *sides, size_t count,
	size_t picture, struct chance *chance, struct plan *out);

/* The output, width * height * 3 bytes: padding, then each tile by its picture. pictures: of the tiles. */
void plan_start(const struct plan *p, uint8_t *out);
void plan_tile(const struct plan *p, const struct tile *t, const struct image *picture, uint8_t *out);
void plan_light(const struct plan *p, uint8_t *out);

/* A box of the picture in the output, clipped to the tile. False: too little of it is to be seen to be called
 * an object (less than a fifth of its area, or less than 2 pixels). */
bool plan_box(const struct tile *t, struct box in, struct box *out);

#ifdef __cplusplus
}
#endif

#endif
