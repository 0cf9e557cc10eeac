/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the values of the probe run say of boxes whose form and unit no shape tells. Only for src/task.
 */
#ifndef GYRE_TASK_BOX_VALUES_H
#define GYRE_TASK_BOX_VALUES_H

#include "task/output.h"

struct box_values {
	bool are_boxes;       /* false: in no form do they have sizes, as offsets from priors have not */
	float negative_share; /* of boxes that have a negative size in the form that suits best */
	bool form_told, unit_told;
	enum box_form form; /* a guess where not told */
	enum box_unit unit;
};

/*
 * Of one box for each place of the input, so that centres go from edge to edge whatever is seen (priors,
 * cells), on an input of this size (pixels; 0: unknown). Such boxes are listed by rows of the image: so x
 * travels farther than y from one to the next, which tells corners from corners_yx.
 */
struct box_values box_values_of_places(const struct output_rows *rows, uint32_t width, uint32_t height);

/* Of final boxes, few or none, wherever things are. Rows of zeros are padding. */
struct box_values box_values_of_finals(const struct output_rows *rows);

#endif
