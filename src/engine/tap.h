/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feature tap: one inner tensor of the model, pooled and folded, as the
 * vector by which images are compared. Pure.
 */
#ifndef GYRE_ENGINE_TAP_H
#define GYRE_ENGINE_TAP_H

#include "base/span.h"
#include "base/str.h"

/*
 * Is [1, channels, height, width] a better feature map than the best so far (channels 0: none)? The smallest
 * area wins, then the most channels, then the later one: the deepest map, or the pooled one before a
 * classifier. Sides < 1 never win.
 */
struct tap_shape {
	int64_t channels, height, width;
};
bool tap_better(struct tap_shape candidate, struct tap_shape best);

/*
 * Means over the area of each channel (row-major [channels][area]), folded to at most ENGINE_FEATURES_MAX
 * values: value i is the mean of the channels from i*channels/n up to (i+1)*channels/n. IEEE half floats,
 * round to nearest even; NaN becomes 0, what is too large the largest half. Returns how many. The data are
 * half floats themselves when is_half.
 */
unsigned tap_pool(const void *data, bool is_half, int64_t channels, int64_t area, uint16_t *out);

uint16_t tap_half(float value); /* finite, as above */
float tap_float(uint16_t half);

/* The protobuf bytes that, appended to a model file, make the tensor one more output of its graph. */
void tap_append_output(struct str *tail, struct span name);
/* … that declare it IR version 3 (see onnx_lists_initialisers). */
void tap_append_ir_version_3(struct str *tail);

#endif
