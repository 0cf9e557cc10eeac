// SPDX-License-Identifier: Apache-2.0
// Numbers of the fields of an ONNX file (onnx/onnx.proto, IR version 10), for who reads and who changes one.
#pragma once

#include "engine/wire.h"

#include <stdbool.h>

enum { MODEL_GRAPH = 7, MODEL_OPSET = 8, MODEL_METADATA = 14, OPSET_DOMAIN = 1, OPSET_VERSION = 2 };
enum { PAIR_KEY = 1, PAIR_VALUE = 2 };
enum {
	GRAPH_NODE = 1,
	GRAPH_INITIALISER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_VALUE_INFO = 13,
	GRAPH_SPARSE = 15
};
enum {
	NODE_INPUT = 1,
	NODE_OUTPUT = 2,
	NODE_NAME = 3,
	NODE_OPERATOR = 4,
	NODE_ATTRIBUTE = 5,
	NODE_DOMAIN = 7
};
enum {
	ATTRIBUTE_NAME = 1,
	ATTRIBUTE_F = 2,
	ATTRIBUTE_I = 3,
	ATTRIBUTE_S = 4,
	ATTRIBUTE_TENSOR = 5,
	ATTRIBUTE_G = 6,
	ATTRIBUTE_FLOATS = 7,
	ATTRIBUTE_INTS = 8,
	ATTRIBUTE_TYPE = 20
};
enum {
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_FLOATS = 4,
	TENSOR_INT32S = 5,
	TENSOR_INT64S = 7,
	TENSOR_NAME = 8,
	TENSOR_RAW = 9,
	TENSOR_DOUBLES = 10,
	TENSOR_EXTERNAL = 13,
	TENSOR_LOCATION = 14
};
enum {
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	TYPE_TENSOR = 1,
	PORT_ELEMENT = 1,
	PORT_SHAPE = 2,
	SHAPE_DIM = 1,
	DIM_VALUE = 1
};

static inline bool onnx_is_bytes(const struct wire_field *f, uint32_t number)
{
	return f->number == number && f->type == WIRE_BYTES;
}
