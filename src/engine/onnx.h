/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine needs to know of an ONNX file beyond engine_inspect. Field numbers: onnx/onnx.proto (IR
 * version 10). */
#ifndef GYRE_ENGINE_ONNX_H
#define GYRE_ENGINE_ONNX_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "engine/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ONNX's numbers of tensor element types (TensorProto.DataType), which ONNX Runtime's C API shares. */
enum onnx_type {
	ONNX_FLOAT = 1,
	ONNX_UINT8 = 2,
	ONNX_INT8 = 3,
	ONNX_INT32 = 6,
	ONNX_INT64 = 7,
	ONNX_BOOL = 9,
	ONNX_FLOAT16 = 10,
	ONNX_DOUBLE = 11,
};

enum engine_type onnx_engine_type(uint64_t number); /* ENGINE_OTHER when it is none that we read */
int onnx_type_of(enum engine_type type);            /* 0 for ENGINE_OTHER */

/*
 * Tensors that may serve as the feature vector: outputs of the top graph's convolutions, activations, sums
 * and pools that depend on its input and are not its outputs; the last 4,096 in the file's order. The names
 * point into the file. The file has passed engine_inspect.
 */
enum status onnx_candidates(
	struct span file, struct arena *a, struct span **names, size_t *count, struct err *err) MUST_CHECK;

/*
 * Old exporters list initialisers as inputs, and from IR version 4 on that makes them variables: ONNX Runtime
 * then folds and fuses nothing (3x the time on one such detector). True: it is safe to declare the file IR
 * version 3 again.
 */
bool onnx_lists_initialisers(struct span file);

#endif
