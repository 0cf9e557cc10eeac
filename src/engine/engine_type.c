/* SPDX-License-Identifier: Apache-2.0 */
/* Names and sizes of what tensors hold: by itself, so that recipes are read without a runtime, as gyre-train
 * does. */
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
