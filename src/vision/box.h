/* SPDX-License-Identifier: Apache-2.0 */
/* Boxes in pixels: corners, x right, y down. */
#ifndef GYRE_VISION_BOX_H
#define GYRE_VISION_BOX_H

#include <stddef.h>
#include <stdint.h>

struct box {
	float x1, y1, x2, y2;
};

float box_area(struct box b);              /* 0 for an empty or inverted one */
float box_iou(struct box a, struct box b); /* intersection over union, 0…1 */
struct box box_clip(struct box b, float width, float height);

struct candidate {
	struct box box;
	float score;
	int32_t label;
};

/*
 * Greedy non-maximum suppression, by class: sorts candidates by score (ties by order), drops those whose IoU
 * with a better one of the same label is above iou_max, keeps at most keep_max. Returns how many stay, at the
 * front; what follows them is unspecified. An empty box overlaps nothing; a NaN score counts as the lowest.
 * Takes memory for count candidates; running out of it is fatal.
 */
size_t box_nms(struct candidate *candidates, size_t count, float iou_max, size_t keep_max);

#endif
