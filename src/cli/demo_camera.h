/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The camera of `gyre demo`: pictures of parts that lie on a belt, drawn by our own code, and what is in
 * them. The same seed and number give the same picture. Pure.
 */
#ifndef GYRE_CLI_DEMO_CAMERA_H
#define GYRE_CLI_DEMO_CAMERA_H

#include "vision/image.h"

#include <stddef.h>

#define DEMO_SIDE 160u /* pixels */
#define DEMO_PARTS_MAX 4u
/* A chipped part is a gear that lost some teeth. */
#define DEMO_LABELS                                                                                          \
	{                                                                                                    \
		"bolt", "chipped", "gear", "nut"                                                             \
	}
#define DEMO_LABEL_COUNT 4u

struct demo_part {
	unsigned label;            /* of DEMO_LABELS */
	float x, y, width, height; /* pixels that the part covers, as a box */
};

struct demo_scene {
	struct image image;
	struct demo_part parts[DEMO_PARTS_MAX];
	size_t count; /* one at least */
};

/* lamp: 1 as it should shine, 0 failed (dark and yellow, so that the camera is grainy and unsharp), or
 * between. */
void demo_scene_draw(uint64_t seed, uint32_t number, double lamp, struct demo_scene *out);
void demo_scene_release(struct demo_scene *scene);

#endif
