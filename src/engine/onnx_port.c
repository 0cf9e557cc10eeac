/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs and outputs of an ONNX graph: names, element types, shapes. */
#include "engine/onnx.h"
#include "engine/onnx_walk.h"
#include "engine/sentence.h"

enum engine_type onnx_engine_type(uint64_t number)
{
	switch (number) {
	case ONNX_FLOAT: return ENGINE_FLOAT32;
	case ONNX_FLOAT16: return ENGINE_FLOAT16;
	case ONNX_UINT8: return ENGINE_UINT8;
	case ONNX_INT8: return ENGINE_INT8;
	case ONNX_INT32: return ENGINE_INT32;
	case ONNX_INT64: return ENGINE_INT64;
	case ONNX_BOOL: return ENGINE_BOOL;
	case ONNX_DOUBLE: return ENGINE_DOUBLE;
	default: return ENGINE_OTHER;
	}
}

int onnx_type_of(enum engine_type type)
{
	switch (type) {
	case ENGINE_FLOAT32: return ONNX_FLOAT;
	case ENGINE_FLOAT16: return ONNX_FLOAT16;
	case ENGINE_UINT8: return ONNX_UINT8;
	case ENGINE_INT8: return ONNX_INT8;
	case ENGINE_INT32: return ONNX_INT32;
	case ENGINE_INT64: return ONNX_INT64;
	case ENGINE_BOOL: return ONNX_BOOL;
	case ENGINE_DOUBLE: return ONNX_DOUBLE;
	case ENGINE_OTHER: break;
	}
	return 0;
}

static enum status read_shape(struct onnx_walk *w, struct span shape, struct engine_port *port)
{
	struct wire wire = wire_of(shape);
	struct wire_field f, d;
	if (port->rank < 0)
		port->rank = 0;
	while (wire_next(&wire, &f)) {
		if (!is_bytes(&f, SHAPE_DIM))
			continue;
		if (port->rank == ENGINE_RANK_MAX)
			return err_set(w->err, ST_UNPROCESSABLE,
				"The tensor '%s' has more than %d dimensions.", port->name, ENGINE_RANK_MAX);
		int64_t side = -1;
		struct span name = {0};
		struct wire dim = wire_of(f.bytes);
		while (wire_next(&dim, &d)) { /* a union: the last one counts */
			if (d.number == DIM_VALUE && d.type == WIRE_VARINT) {
				side = (int64_t)d.value > 0 ? (int64_t)d.value : -1;
				name = (struct span){0};
			} else if (is_bytes(&d, DIM_NAME)) {
				side = -1;
				name = d.bytes;
			}
		}
		sentence_clean(name, port->dim_names[port->rank], sizeof(port->dim_names[0]));
		port->shape[port->rank++] = side;
	}
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}

static enum status read_type(struct onnx_walk *w, struct span type, struct engine_port *port)
{
	struct wire wire = wire_of(type);
	struct wire_field f, t;
	while (wire_next(&wire, &f)) {
		if (!is_bytes(&f, TYPE_TENSOR))
			continue;
		struct wire tensor = wire_of(f.bytes);
		while (wire_next(&tensor, &t)) {
			if (t.number == TENSOR_TYPE_ELEMENT && t.type == WIRE_VARINT)
				port->type = onnx_engine_type(t.value);
			else if (is_bytes(&t, TENSOR_TYPE_SHAPE))
				TRY(read_shape(w, t.bytes, port));
		}
		if (tensor.broken)
			return onnx_walk_damaged(w);
	}
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}

enum status onnx_walk_port(
	struct onnx_walk *w, struct span value, struct engine_port *port, struct span *name)
{
	struct wire wire = wire_of(value);
	struct wire_field f;
	*port = (struct engine_port){.type = ENGINE_OTHER, .rank = -1};
	*name = (struct span){0};
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, VALUE_NAME)) {
			*name = f.bytes;
			sentence_clean(f.bytes, port->name, sizeof(port->name));
		} else if (is_bytes(&f, VALUE_TYPE)) {
			TRY(read_type(w, f.bytes, port));
		}
	}
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}
