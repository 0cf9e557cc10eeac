/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by onnx.c, onnx_port.c and onnx_candidates.c alone: the state of a walk and ONNX's field numbers. */
#ifndef GYRE_ENGINE_ONNX_WALK_H
#define GYRE_ENGINE_ONNX_WALK_H

#include "engine/engine.h"
#include "engine/name_set.h"
#include "engine/wire.h"

#define ONNX_NAMES_MAX 200000

enum {
	MODEL_IR_VERSION = 1,
	MODEL_PRODUCER = 2,
	MODEL_GRAPH = 7,
	MODEL_OPSET = 8,
	MODEL_METADATA = 14,
	MODEL_FUNCTION = 25
};
enum { GRAPH_NODE = 1, GRAPH_INITIALISER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12, GRAPH_SPARSE = 15 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OPERATOR = 4, NODE_ATTRIBUTE = 5, NODE_DOMAIN = 7 };
enum {
	ATTRIBUTE_T = 5,
	ATTRIBUTE_G = 6,
	ATTRIBUTE_TENSORS = 10,
	ATTRIBUTE_GRAPHS = 11,
	ATTRIBUTE_SPARSE = 22,
	ATTRIBUTE_SPARSES = 23
};
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_EXTERNAL = 13, TENSOR_LOCATION = 14 };
enum { SPARSE_VALUES = 1, SPARSE_INDICES = 2 };
enum { FUNCTION_NAME = 1, FUNCTION_NODE = 7, FUNCTION_DOMAIN = 10 };
enum {
	VALUE_NAME = 1,
	VALUE_TYPE = 2,
	TYPE_TENSOR = 1,
	TENSOR_TYPE_ELEMENT = 1,
	TENSOR_TYPE_SHAPE = 2,
	SHAPE_DIM = 1,
	DIM_VALUE = 1,
	DIM_NAME = 2
};
enum { PAIR_KEY = 1, PAIR_VALUE = 2, OPSET_DOMAIN = 1, OPSET_VERSION = 2 };

struct onnx_walk {
	struct engine_description *out;
	struct name_set initialisers; /* of the top graph */
	struct name_set functions;    /* that the file itself defines: (name, domain) */
	struct span output_names[ENGINE_TENSORS_MAX];
	unsigned graphs, listed; /* top graphs; inputs that are initialisers */
	struct err *err;
};

static inline bool is_bytes(const struct wire_field *f, uint32_t number)
{
	return f->number == number && f->type == WIRE_BYTES;
}

static inline bool is_text(struct span s, const char *text)
{
	return span_equal(s, span_of_text(text));
}

void onnx_walk_init(struct onnx_walk *w, struct engine_description *out, struct err *err);
void onnx_walk_release(struct onnx_walk *w);
enum status onnx_walk_file(struct onnx_walk *w, struct span file); /* all of engine_inspect */
/* A ValueInfoProto: name (as it is in the file), type and shape. */
enum status onnx_walk_port(
	struct onnx_walk *w, struct span value, struct engine_port *port, struct span *name);
/* The sentences that several of the files need. */
enum status onnx_walk_damaged(struct onnx_walk *w);
enum status onnx_walk_too_many(struct onnx_walk *w);

#endif
