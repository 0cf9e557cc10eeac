/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write small ONNX models: the sample that ships, and those of the tests. Field
 * numbers: onnx/onnx.proto. Nothing is checked: ONNX Runtime does that.
 */
#ifndef GYRE_ENGINE_ONNX_WRITE_H
#define GYRE_ENGINE_ONNX_WRITE_H

#include "base/str.h"
#include "engine/onnx.h"

struct onnx_graph {
	struct str bytes; /* a GraphProto that grows */
};

struct onnx_shape {
	int rank;
	int64_t sides[ENGINE_RANK_MAX];     /* -1: dynamic */
	const char *names[ENGINE_RANK_MAX]; /* of dynamic sides; NULL: unnamed */
};
#define ONNX_SHAPE(...)                                                                                      \
	((struct onnx_shape){                                                                                \
		.rank = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), .sides = {__VA_ARGS__}})

/* One attribute of a node; which member counts is told by the one that is set. Arrays of them end with {0}.
 */
struct onnx_attribute {
	const char *name;
	enum {
		ONNX_ATTRIBUTE_INT,
		ONNX_ATTRIBUTE_FLOAT,
		ONNX_ATTRIBUTE_TEXT,
		ONNX_ATTRIBUTE_INTS,
		ONNX_ATTRIBUTE_GRAPH,
		ONNX_ATTRIBUTE_TENSOR
	} kind;
	int64_t integer;
	float real;
	const char *text;
	struct span message; /* GRAPH: a graph's bytes; TENSOR: those of onnx_tensor */
	size_t count;
	int64_t integers[ENGINE_RANK_MAX];
};
#define ONNX_INT(name_, value)                                                                               \
	((struct onnx_attribute){.name = (name_), .kind = ONNX_ATTRIBUTE_INT, .integer = (value)})
#define ONNX_REAL(name_, value)                                                                              \
	((struct onnx_attribute){.name = (name_), .kind = ONNX_ATTRIBUTE_FLOAT, .real = (value)})
#define ONNX_INTS(name_, ...)                                                                                \
	((struct onnx_attribute){.name = (name_),                                                            \
		.kind = ONNX_ATTRIBUTE_INTS,                                                                 \
		.count = sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t),                                 \
		.integers = {__VA_ARGS__}})
#define ONNX_GRAPH(name_, graph)                                                                             \
	((struct onnx_attribute){.name = (name_),                                                            \
		.kind = ONNX_ATTRIBUTE_GRAPH,                                                                \
		.message = span_of((graph)->bytes.text, (graph)->bytes.size)})
#define ONNX_TENSOR(name_, bytes)                                                                            \
	((struct onnx_attribute){.name = (name_), .kind = ONNX_ATTRIBUTE_TENSOR, .message = (bytes)})
#define ONNX_ATTRIBUTES(...) ((const struct onnx_attribute[]){__VA_ARGS__, {0}})

void onnx_graph_init(struct onnx_graph *g);
void onnx_graph_release(struct onnx_graph *g);

void onnx_input(struct onnx_graph *g, const char *name, enum onnx_type type, struct onnx_shape shape);
void onnx_output(struct onnx_graph *g, const char *name, enum onnx_type type, struct onnx_shape shape);
/* Data are the elements, row-major, in this machine's (little-endian) order. */
void onnx_constant(struct onnx_graph *g, const char *name, enum onnx_type type, struct onnx_shape shape,
	const void *data);
void onnx_constant_real(struct onnx_graph *g, const char *name, float value); /* a scalar */
/* inputs and outputs are names with spaces between; a type as "domain::Type" is of another domain. attributes
 * may be NULL. */
void onnx_node(struct onnx_graph *g, const char *type, const char *inputs, const char *outputs,
	const struct onnx_attribute *attributes);

/* A TensorProto, appended to out. */
void onnx_tensor(
	struct str *out, const char *name, enum onnx_type type, struct onnx_shape shape, const void *data);

struct onnx_model {
	int64_t opset;
	int64_t ir_version;               /* 0: 8 */
	const char *const (*metadata)[2]; /* key and value, ended by {NULL, NULL}; NULL: none */
};
/* The whole file, appended to out. */
void onnx_write(struct str *out, const struct onnx_graph *g, const struct onnx_model *m);

#endif
