/* SPDX-License-Identifier: Apache-2.0 */
/* From an ONNX file's bytes to nodes and tensors. The file was inspected when it was uploaded; what is broken
 * is said all the same. */
#include "trainer/graph_file.h"

#include "base/arena.h"
#include "base/check.h"
#include "engine/wire.h"
#include "trainer/onnx_fields.h"

#include <stdio.h>
#include <stdlib.h>

#define ELEMENTS_MAX ((uint64_t)1 << 31)

struct reader {
	const uint8_t *file;
	struct arena arena;
	char *error;
};

static bool fail(struct reader *r, const char *sentence)
{
	snprintf(r->error, GRAPH_ERROR_SIZE, "%s", sentence);
	return false;
}

static bool damaged(struct reader *r)
{
	return fail(r, "The file is not a whole ONNX model: it is cut off or damaged.");
}

static const char *text_of(struct reader *r, struct span bytes)
{
	return arena_strndup(&r->arena, (const char *)bytes.data, bytes.size);
}

static size_t count_fields(struct span message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	size_t count = 0;
	while (wire_next(&wire, &f))
		count += onnx_is_bytes(&f, number);
	return count;
}

/* ---- tensors ---- */

static size_t element_size(enum graph_type type)
{
	switch (type) {
	case GRAPH_FLOAT:
	case GRAPH_INT32: return 4;
	case GRAPH_INT64:
	case GRAPH_DOUBLE: return 8;
	case GRAPH_FLOAT16: return 2;
	case GRAPH_UINT8:
	case GRAPH_INT8:
	case GRAPH_BOOL: return 1;
	}
	return 0;
}

/* Where a tensor's values are: raw bytes, or one list by type. */
struct values {
	struct span raw, packed;
	uint32_t list;        /* field number of `packed`, or of single values */
	struct span message;  /* the whole tensor */
	bool is_raw, is_list; /* neither: there are none */
};

static bool read_head(struct reader *r, struct span message, struct graph_tensor *t, struct values *v)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	uint64_t type = 0, side;
	bool fits = true;
	v->message = message;
	while (wire_next(&wire, &f)) {
		struct wire packed = wire_of(onnx_is_bytes(&f, TENSOR_DIMS) ? f.bytes : (struct span){0});
		if (f.number == TENSOR_DIMS && f.type == WIRE_VARINT &&
			(fits = fits && t->rank < GRAPH_RANK_MAX))
			t->sides[t->rank++] = (int64_t)f.value;
		while (wire_varint(&packed, &side) && (fits = fits && t->rank < GRAPH_RANK_MAX))
			t->sides[t->rank++] = (int64_t)side;
		if (f.number == TENSOR_TYPE && f.type == WIRE_VARINT)
			type = f.value;
		if (onnx_is_bytes(&f, TENSOR_NAME))
			t->name = text_of(r, f.bytes);
		if (onnx_is_bytes(&f, TENSOR_RAW)) {
			v->raw = f.bytes;
			v->is_raw = true;
		}
		if (f.number == TENSOR_FLOATS || f.number == TENSOR_INT32S || f.number == TENSOR_INT64S ||
			f.number == TENSOR_DOUBLES) {
			v->list = f.number;
			v->packed = f.type == WIRE_BYTES ? f.bytes : v->packed;
			v->is_list = true;
		}
		if (f.number == TENSOR_EXTERNAL || (f.number == TENSOR_LOCATION && f.value != 0))
			return fail(r, "The model keeps weights in another file: save it as one.");
	}
	t->type = (enum graph_type)type;
	if (wire.broken)
		return damaged(r);
	if (!fits)
		return fail(r, "A tensor of the model has more than 8 dimensions.");
	if (element_size(t->type) == 0)
		return fail(r, "A tensor of the model is of a type that cannot be trained (texts, complex or "
			       "4-bit numbers).");
	return true;
}

static bool count_elements(struct reader *r, struct graph_tensor *t)
{
	uint64_t count = 1;
	for (int i = 0; i < t->rank; i++) {
		if (t->sides[i] < 0 || __builtin_mul_overflow(count, (uint64_t)t->sides[i], &count) ||
			count > ELEMENTS_MAX)
			return damaged(r);
	}
	t->count = (size_t)count;
	return true;
}

/* Small types lie in int32_data, one number each. */
static void store_integer(const struct graph_tensor *t, void *out, size_t at, uint64_t value)
{
	switch (element_size(t->type)) {
	case 8: ((int64_t *)out)[at] = (int64_t)value; break;
	case 4: ((int32_t *)out)[at] = (int32_t)(int64_t)value; break;
	case 2: ((uint16_t *)out)[at] = (uint16_t)value; break;
	default: ((uint8_t *)out)[at] = (uint8_t)value;
	}
}

static bool read_integers(const struct graph_tensor *t, const struct values *v, void *out)
{
	struct wire wire = wire_of(v->message);
	struct wire_field f;
	uint64_t value;
	size_t count = 0;
	while (wire_next(&wire, &f)) {
		if (f.number != v->list)
			continue;
		struct wire packed = wire_of(f.type == WIRE_BYTES ? f.bytes : (struct span){0});
		if (f.type == WIRE_VARINT && count < t->count)
			store_integer(t, out, count++, f.value);
		while (wire_varint(&packed, &value) && count < t->count)
			store_integer(t, out, count++, value);
	}
	return count == t->count;
}

/* Floats and doubles that were not packed. */
static bool read_single_numbers(const struct graph_tensor *t, const struct values *v, void *out)
{
	struct wire wire = wire_of(v->message);
	struct wire_field f;
	size_t count = 0, size = element_size(t->type);
	while (wire_next(&wire, &f)) {
		if (f.number != v->list || count == t->count)
			continue;
		memcpy((uint8_t *)out + size * count++, &f.value, size); /* little-endian */
	}
	return count == t->count;
}

static bool read_values(struct reader *r, struct graph_tensor *t, const struct values *v)
{
	size_t bytes = t->count * element_size(t->type);
	void *out = arena_alloc(&r->arena, bytes + 1);
	struct span plain = v->is_raw ? v->raw : v->packed;
	bool floating = v->list == TENSOR_FLOATS || v->list == TENSOR_DOUBLES;
	t->data = out;
	if (t->count == 0)
		return true;
	if (v->is_raw || (floating && v->packed.size > 0)) {
		if (plain.size != bytes)
			return damaged(r);
		memcpy(out, plain.data, bytes);
		t->file_at = t->type == GRAPH_FLOAT ? (size_t)(plain.data - r->file) : 0;
		return true;
	}
	if (!v->is_list)
		return damaged(r);
	return (floating ? read_single_numbers(t, v, out) : read_integers(t, v, out)) || damaged(r);
}

static bool read_tensor(struct reader *r, struct span message, struct graph_tensor *out)
{
	struct values values = {0};
	*out = (struct graph_tensor){.name = ""};
	return read_head(r, message, out, &values) && count_elements(r, out) && read_values(r, out, &values);
}

/* ---- nodes ---- */

/* Lists may be packed or not. */
static void read_lists(struct reader *r, struct span message, struct graph_attribute *out)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	size_t room = message.size, count = 0; /* a number takes a byte or more */
	bool integers = out->kind == GRAPH_ATTRIBUTE_INTS;
	uint32_t number = integers ? ATTRIBUTE_INTS : ATTRIBUTE_FLOATS;
	int64_t *whole = ARENA_ARRAY(&r->arena, int64_t, integers ? room : 1);
	float *real = ARENA_ARRAY(&r->arena, float, integers ? 1 : room);
	while (wire_next(&wire, &f)) {
		uint64_t value;
		struct wire packed = wire_of(f.type == WIRE_BYTES ? f.bytes : (struct span){0});
		if (f.number != number)
			continue;
		if (integers && f.type == WIRE_VARINT)
			whole[count++] = (int64_t)f.value;
		while (integers && wire_varint(&packed, &value))
			whole[count++] = (int64_t)value;
		if (!integers && f.type == WIRE_32)
			memcpy(&real[count++], &f.value, sizeof(float));
		for (size_t at = 0; !integers && f.type == WIRE_BYTES && at + sizeof(float) <= f.bytes.size;
			at += sizeof(float))
			memcpy(&real[count++], f.bytes.data + at, sizeof(float));
	}
	out->integers = whole;
	out->reals = real;
	out->count = count;
}

static bool read_attribute(struct reader *r, struct span message, struct graph_attribute *out)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	struct graph_tensor *tensor = NULL;
	*out = (struct graph_attribute){.name = "", .text = ""};
	while (wire_next(&wire, &f)) {
		if (onnx_is_bytes(&f, ATTRIBUTE_NAME))
			out->name = text_of(r, f.bytes);
		else if (f.number == ATTRIBUTE_F && f.type == WIRE_32)
			memcpy(&out->real, &f.value, sizeof(float));
		else if (f.number == ATTRIBUTE_I && f.type == WIRE_VARINT)
			out->integer = (int64_t)f.value;
		else if (onnx_is_bytes(&f, ATTRIBUTE_S))
			out->text = text_of(r, f.bytes);
		else if (f.number == ATTRIBUTE_TYPE && f.type == WIRE_VARINT)
			out->kind = f.value <= GRAPH_ATTRIBUTE_INTS ? (enum graph_attribute_kind)f.value
								    : GRAPH_ATTRIBUTE_NONE;
		else if (onnx_is_bytes(&f, ATTRIBUTE_TENSOR)) {
			tensor = ARENA_NEW(&r->arena, struct graph_tensor);
			if (!read_tensor(r, f.bytes, tensor))
				return false;
		}
	}
	out->tensor = tensor;
	if (out->kind == GRAPH_ATTRIBUTE_INTS || out->kind == GRAPH_ATTRIBUTE_FLOATS)
		read_lists(r, message, out);
	return !wire.broken || damaged(r);
}

static bool read_node(struct reader *r, struct span message, struct graph_node *out)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	*out = (struct graph_node){
		.op = "",
		.domain = "",
		.name = "",
		.inputs = ARENA_ARRAY(&r->arena, const char *, count_fields(message, NODE_INPUT) + 1),
		.outputs = ARENA_ARRAY(&r->arena, const char *, count_fields(message, NODE_OUTPUT) + 1),
		.attributes = ARENA_ARRAY(
			&r->arena, struct graph_attribute, count_fields(message, NODE_ATTRIBUTE) + 1),
	};
	while (wire_next(&wire, &f)) {
		if (onnx_is_bytes(&f, NODE_INPUT))
			out->inputs[out->input_count++] = text_of(r, f.bytes);
		else if (onnx_is_bytes(&f, NODE_OUTPUT))
			out->outputs[out->output_count++] = text_of(r, f.bytes);
		else if (onnx_is_bytes(&f, NODE_NAME))
			out->name = text_of(r, f.bytes);
		else if (onnx_is_bytes(&f, NODE_OPERATOR))
			out->op = text_of(r, f.bytes);
		else if (onnx_is_bytes(&f, NODE_DOMAIN))
			out->domain = text_of(r, f.bytes);
		else if (onnx_is_bytes(&f, NODE_ATTRIBUTE) &&
			 !read_attribute(r, f.bytes, &out->attributes[out->attribute_count++]))
			return false;
	}
	return !wire.broken || damaged(r);
}

/* ---- ports ---- */

static struct span field_of(struct span message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	struct span found = {0};
	while (wire_next(&wire, &f))
		found = onnx_is_bytes(&f, number) ? f.bytes : found;
	return found;
}

static void read_port(struct reader *r, struct span value, struct graph_port *out)
{
	struct span tensor = field_of(field_of(value, VALUE_TYPE), TYPE_TENSOR);
	struct wire wire = wire_of(tensor), shape = wire_of(field_of(tensor, PORT_SHAPE));
	struct wire_field f, side;
	bool has_shape = count_fields(tensor, PORT_SHAPE) > 0;
	*out = (struct graph_port){
		.name = text_of(r, field_of(value, VALUE_NAME)), .rank = has_shape ? 0 : -1};
	while (wire_next(&wire, &f))
		if (f.number == PORT_ELEMENT && f.type == WIRE_VARINT)
			out->type = (enum graph_type)f.value;
	while (wire_next(&shape, &f)) {
		if (!onnx_is_bytes(&f, SHAPE_DIM) || out->rank == GRAPH_RANK_MAX)
			continue;
		struct wire dim = wire_of(f.bytes);
		out->sides[out->rank] = -1;
		while (wire_next(&dim, &side))
			if (side.number == DIM_VALUE && side.type == WIRE_VARINT && (int64_t)side.value > 0)
				out->sides[out->rank] = (int64_t)side.value;
		out->rank++;
	}
}

/* ---- the whole ---- */

static bool read_graph(struct reader *r, struct span graph, struct graph_file *out)
{
	struct wire wire = wire_of(graph);
	struct wire_field f;
	out->nodes = ARENA_ARRAY(&r->arena, struct graph_node, count_fields(graph, GRAPH_NODE) + 1);
	out->tensors =
		ARENA_ARRAY(&r->arena, struct graph_tensor, count_fields(graph, GRAPH_INITIALISER) + 1);
	out->inputs = ARENA_ARRAY(&r->arena, struct graph_port, count_fields(graph, GRAPH_INPUT) + 1);
	out->outputs = ARENA_ARRAY(&r->arena, struct graph_port, count_fields(graph, GRAPH_OUTPUT) + 1);
	while (wire_next(&wire, &f)) {
		if (onnx_is_bytes(&f, GRAPH_NODE) && !read_node(r, f.bytes, &out->nodes[out->node_count++]))
			return false;
		if (onnx_is_bytes(&f, GRAPH_INITIALISER) &&
			!read_tensor(r, f.bytes, &out->tensors[out->tensor_count++]))
			return false;
		if (onnx_is_bytes(&f, GRAPH_SPARSE))
			return fail(r, "The model has sparse weights, which cannot be trained.");
		if (onnx_is_bytes(&f, GRAPH_OUTPUT))
			read_port(r, f.bytes, &out->outputs[out->output_count++]);
	}
	if (wire.broken)
		return damaged(r);
	wire = wire_of(graph);
	while (wire_next(&wire, &f)) {
		if (!onnx_is_bytes(&f, GRAPH_INPUT))
			continue;
		read_port(r, f.bytes, &out->inputs[out->input_count]);
		out->input_count += graph_file_tensor(out, out->inputs[out->input_count].name) == NULL;
	}
	return true;
}

static bool read_model(struct reader *r, struct span file, struct graph_file *out)
{
	struct wire wire = wire_of(file);
	struct wire_field f, part;
	struct span graph = {0};
	while (wire_next(&wire, &f)) {
		if (onnx_is_bytes(&f, MODEL_GRAPH))
			graph = f.bytes;
		if (!onnx_is_bytes(&f, MODEL_OPSET) || field_of(f.bytes, OPSET_DOMAIN).size > 0)
			continue;
		struct wire opset = wire_of(f.bytes);
		while (wire_next(&opset, &part))
			if (part.number == OPSET_VERSION && part.type == WIRE_VARINT)
				out->opset = (int64_t)part.value;
	}
	if (wire.broken || graph.size == 0)
		return damaged(r);
	return read_graph(r, graph, out);
}

bool graph_file_read(const void *bytes, size_t size, struct graph_file *out, char error[GRAPH_ERROR_SIZE])
{
	struct reader r = {.file = bytes, .error = error};
	arena_init(&r.arena);
	*out = (struct graph_file){0};
	bool read = read_model(&r, span_of(bytes, size), out);
	struct arena *kept = malloc(sizeof(*kept));
	CHECK(kept != NULL);
	*kept = r.arena;
	out->memory = kept;
	return read;
}

void graph_file_release(struct graph_file *g)
{
	if (g->memory)
		arena_release(g->memory);
	free(g->memory);
	*g = (struct graph_file){0};
}

const struct graph_tensor *graph_file_tensor(const struct graph_file *g, const char *name)
{
	for (size_t i = 0; i < g->tensor_count; i++)
		if (strcmp(g->tensors[i].name, name) == 0)
			return &g->tensors[i];
	return NULL;
}

const struct graph_attribute *graph_node_attribute(const struct graph_node *node, const char *name)
{
	for (size_t i = 0; i < node->attribute_count; i++)
		if (strcmp(node->attributes[i].name, name) == 0)
			return &node->attributes[i];
	return NULL;
}

void graph_file_write(void *bytes, const struct graph_tensor *tensor, const float *values)
{
	CHECK(tensor->file_at != 0 && tensor->type == GRAPH_FLOAT);
	memcpy((uint8_t *)bytes + tensor->file_at, values, tensor->count * sizeof(float));
}
