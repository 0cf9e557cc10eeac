/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ONNX file as a trainer needs it: every node with its attributes, every tensor with its values and its
 * place in the file, so that trained weights are written back over the old ones and all other bytes stay.
 * Field numbers: onnx/onnx.proto (IR version 10).
 *
 * Plain C, without our macros: C++ includes it too.
 */
#ifndef GYRE_TRAINER_GRAPH_FILE_H
#define GYRE_TRAINER_GRAPH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GRAPH_RANK_MAX 8
#define GRAPH_ERROR_SIZE 480

/* TensorProto.DataType. */
enum graph_type {
	GRAPH_FLOAT = 1,
	GRAPH_UINT8 = 2,
	GRAPH_INT8 = 3,
	GRAPH_INT32 = 6,
	GRAPH_INT64 = 7,
	GRAPH_BOOL = 9,
	GRAPH_FLOAT16 = 10,
	GRAPH_DOUBLE = 11
};

struct graph_tensor {
	const char *name; /* "" of a constant's value */
	enum graph_type type;
	int rank;
	int64_t sides[GRAPH_RANK_MAX];
	size_t count;     /* elements */
	const void *data; /* count of them, in the machine's order, aligned */
	size_t file_at; /* FLOAT: where they lie in the file, four bytes each, one after the other; 0: they do
			   not */
};

/* AttributeProto.AttributeType. */
enum graph_attribute_kind {
	GRAPH_ATTRIBUTE_NONE = 0,
	GRAPH_ATTRIBUTE_FLOAT = 1,
	GRAPH_ATTRIBUTE_INT = 2,
	GRAPH_ATTRIBUTE_TEXT = 3,
	GRAPH_ATTRIBUTE_TENSOR = 4,
	GRAPH_ATTRIBUTE_GRAPH = 5,
	GRAPH_ATTRIBUTE_FLOATS = 6,
	GRAPH_ATTRIBUTE_INTS = 7
};

struct graph_attribute {
	const char *name;
	enum graph_attribute_kind kind;
	float real;
	int64_t integer;
	const char *text;
	const struct graph_tensor *tensor;
	const float *reals;
	const int64_t *integers;
	size_t count; /* of reals or integers */
};

struct graph_node {
	const char *op, *domain, *name;
	const char **inputs; /* "": left out */
	size_t input_count;
	const char **outputs;
	size_t output_count;
	struct graph_attribute *attributes;
	size_t attribute_count;
};

/* An input or output of the graph; side -1: not fixed. */
struct graph_port {
	const char *name;
	enum graph_type type;
	int rank; /* -1: unknown */
	int64_t sides[GRAPH_RANK_MAX];
};

struct graph_file {
	int64_t opset; /* of the standard operators */
	struct graph_node *nodes;
	size_t node_count;
	struct graph_tensor *tensors; /* initialisers */
	size_t tensor_count;
	struct graph_port *inputs; /* without those that are initialisers */
	size_t input_count;
	struct graph_port *outputs;
	size_t output_count;
	void *memory; /* of all the above */
};

/*
 * Reads a whole file's bytes, which must live as long as *out. False: it is no such model, or one that cannot
 * be trained whatever its operators are (weights in another file, a tensor type without a meaning here), and
 * error says which. Release it in any case.
 */
bool graph_file_read(const void *bytes, size_t size, struct graph_file *out, char error[GRAPH_ERROR_SIZE]);
void graph_file_release(struct graph_file *g);
const struct graph_tensor *graph_file_tensor(const struct graph_file *g, const char *name); /* NULL: none */
/* NULL: it has no such attribute. */
const struct graph_attribute *graph_node_attribute(const struct graph_node *node, const char *name);
/* Another file's bytes: the same but for the values of this tensor, count floats. The tensor has a file_at.
 */
void graph_file_write(void *bytes, const struct graph_tensor *tensor, const float *values);

#ifdef __cplusplus
}
#endif

#endif
