/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ONNX file written anew with some of its parts changed. Everything else is copied byte by byte, what is
 * not known here too.
 */
#ifndef GYRE_TRAINER_GRAPH_EDIT_H
#define GYRE_TRAINER_GRAPH_EDIT_H

#include "trainer/graph_file.h"

#ifdef __cplusplus
extern "C" {
#endif

enum graph_edit_kind {
	GRAPH_EDIT_TENSOR,   /* an initialiser, or the value of a Constant node, by name */
	GRAPH_EDIT_INTEGERS, /* an attribute that is a list of integers */
	GRAPH_EDIT_OUTPUT,   /* a side of one of the graph's outputs, where it is fixed */
	GRAPH_EDIT_METADATA  /* metadata_props: changed, or added */
};

struct graph_edit {
	enum graph_edit_kind kind;
	const char *name;           /* of the tensor, attribute, output or key */
	struct graph_tensor tensor; /* type, rank, sides, count and data; FLOAT, INT64 or INT32 */
	size_t node;                /* index of the attribute's node */
	const int64_t *integers;
	size_t count;
	int axis;
	int64_t side;
	const char *text; /* of the metadata */
};

/*
 * The whole file with the edits made. Shapes of inner values that the file states are left out when a tensor
 * changes: they may be wrong afterwards. The file was read by graph_file_read; the caller frees *out.
 */
void graph_edit_write(const void *bytes, size_t size, const struct graph_edit *edits, size_t count,
	void **out, size_t *out_size);

#ifdef __cplusplus
}
#endif

#endif
