/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions as the SDK sends them: parallel lists of classes, scores, and boxes or outlines. */
#ifndef GYRE_API_RAW_PREDICTIONS_H
#define GYRE_API_RAW_PREDICTIONS_H

#include "base/json.h"
#include "task/shape.h"
#include "task/task.h"

/*
 * An object with detection_classes (indexes into the version's labels), detection_scores (0…1), and by task
 * detection_boxes ([top, left, bottom, right], pixels) or detection_masks ([[x, y], …]) → shapes in the
 * arena, clipped to an image of that size, by falling score, at most SHAPES_MAX; those below
 * SHAPE_SCORE_FLOOR are left out. what: the member's name, for sentences. ST_INVALID.
 */
enum status raw_predictions_read(yyjson_val *object, const char *what, enum task task, uint32_t width,
	uint32_t height, struct arena *a, struct shapes *out, struct err *err) MUST_CHECK;

#endif
