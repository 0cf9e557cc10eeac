/* SPDX-License-Identifier: Apache-2.0 */
/* Names and sizes of what tensors hold, and the shape to try an input with: by itself, so that recipes are
 * read without a runtime, as gyre-train does. */
#include "engine/engine.h"

#include "base/check.h"

static const struct {
	const char *name;
	size_t size;
} types[] = {
	[ENGINE_FLOAT32] = {"float32", 4},
	[ENGINE_FLOAT16] = {"float16", 2},
	[ENGINE_UINT8] = {"uint8", 1},
	[ENGINE_INT8] = {"int8", 1},
	[ENGINE_INT32] = {"int32", 4},
	[ENGINE_INT64] = {"int64", 8},
	[ENGINE_BOOL] = {"bool", 1},
	[ENGINE_DOUBLE] = {"float64", 8},
	[ENGINE_OTHER] = {"other", 0},
};

size_t engine_type_size(enum engine_type t)
{
	CHECK(t < COUNT_OF(types));
	return types[t].size;
}

const char *engine_type_name(enum engine_type t)
{
	CHECK(t < COUNT_OF(types));
	return types[t].name;
}

/* Which of the four sides is the channels': NCHW unless the last one looks like it and the second does not.
 */
static bool channels_last(const struct engine_port *port)
{
	int64_t second = port->shape[1], last = port->shape[3];
	bool last_fits = last == 1 || last == 3 || last == 4;
	return last_fits && second != 1 && second != 3 && second != 4;
}

int engine_probe_shape(const struct engine_port *port, int64_t side, int64_t out[ENGINE_RANK_MAX])
{
	if (port->rank < 1 || engine_type_size(port->type) == 0)
		return 0;
	bool image = port->rank == 4, last = image && channels_last(port);
	for (int i = 0; i < port->rank; i++) {
		int64_t guess = i == 0 ? 1 : image && i == (last ? 3 : 1) ? 3 : side;
		out[i] = port->shape[i] > 0 ? port->shape[i] : guess;
		/* [N, features] and the like: a side of pixels would be a wild guess. */
		if (port->shape[i] <= 0 && !image && i > 0)
			return 0;
	}
	return port->rank;
}
