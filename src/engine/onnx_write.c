/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/onnx_write.h"

#include "base/check.h"
#include "engine/wire.h"

#include <stdint.h>

#define BYTES_MAX (64U << 20)

/* A message inside another one: built by itself, then put with its length before it. */
static void put_message(struct str *out, uint32_t number, struct str *message)
{
	CHECK(!message->full);
	wire_put_bytes(out, number, span_of(message->text, message->size));
	str_release(message);
}

static struct str begin(void)
{
	struct str s;
	str_init(&s, BYTES_MAX);
	return s;
}

void onnx_graph_init(struct onnx_graph *g)
{
	str_init(&g->bytes, BYTES_MAX);
	wire_put_text(&g->bytes, 2, "gyre");
}

void onnx_graph_release(struct onnx_graph *g)
{
	str_release(&g->bytes);
}

/* ValueInfoProto { name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 | dim_param 2
 * } } } } } */
static void put_value(struct onnx_graph *g, uint32_t number, const char *name, enum onnx_type type,
	const struct onnx_shape *shape)
{
	struct str value = begin(), type_proto = begin(), tensor = begin(), dims = begin();
	for (int i = 0; i < shape->rank; i++) {
		struct str dim = begin();
		if (shape->sides[i] >= 0)
			wire_put_number(&dim, 1, (uint64_t)shape->sides[i]);
		else if (shape->names[i])
			wire_put_text(&dim, 2, shape->names[i]);
		put_message(&dims, 1, &dim);
	}
	wire_put_number(&tensor, 1, type);
	put_message(&tensor, 2, &dims);
	put_message(&type_proto, 1, &tensor);
	wire_put_text(&value, 1, name);
	put_message(&value, 2, &type_proto);
	put_message(&g->bytes, number, &value);
}

void onnx_input(struct onnx_graph *g, const char *name, enum onnx_type type, struct onnx_shape shape)
{
	put_value(g, 11, name, type, &shape);
}

void onnx_output(struct onnx_graph *g, const char *name, enum onnx_type type, struct onnx_shape shape)
{
	put_value(g, 12, name, type, &shape);
}

/* TensorProto { dims 1, data_type 2, name 8, raw_data 9 } */
void onnx_tensor(
	struct str *out, const char *name, enum onnx_type type, struct onnx_shape shape, const void *data)
{
	size_t size = engine_type_size(onnx_engine_type(type));
	CHECK(size > 0);
	for (int i = 0; i < shape.rank; i++) {
		wire_put_number(out, 1, (uint64_t)shape.sides[i]);
		size *= (size_t)shape.sides[i];
	}
	wire_put_number(out, 2, type);
	wire_put_text(out, 8, name);
	wire_put_bytes(out, 9, span_of(data, size));
}

void onnx_constant(struct onnx_graph *g, const char *name, enum onnx_type type, struct onnx_shape shape,
	const void *data)
{
	struct str tensor = begin();
	onnx_tensor(&tensor, name, type, shape, data);
	put_message(&g->bytes, 5, &tensor);
}

void onnx_constant_real(struct onnx_graph *g, const char *name, float value)
{
	onnx_constant(g, name, ONNX_FLOAT, (struct onnx_shape){.rank = 0}, &value);
}

/* Words of text, as a repeated field. */
static void put_words(struct str *out, uint32_t number, const char *text)
{
	while (*text) {
		size_t size = strcspn(text, " ");
		wire_put_bytes(out, number, span_of(text, size));
		text += size;
		text += *text == ' ';
	}
}

/* AttributeProto { name 1, f 2, i 3, s 4, t 5, g 6, ints 8, type 20 }; types: FLOAT 1, INT 2, STRING 3,
 * TENSOR 4, GRAPH 5, INTS 7 */
static void put_attribute(struct str *node, const struct onnx_attribute *a)
{
	static const uint8_t types[] = {[ONNX_ATTRIBUTE_INT] = 2,
		[ONNX_ATTRIBUTE_FLOAT] = 1,
		[ONNX_ATTRIBUTE_TEXT] = 3,
		[ONNX_ATTRIBUTE_INTS] = 7,
		[ONNX_ATTRIBUTE_GRAPH] = 5,
		[ONNX_ATTRIBUTE_TENSOR] = 4};
	struct str out = begin();
	wire_put_text(&out, 1, a->name);
	switch (a->kind) {
	case ONNX_ATTRIBUTE_INT: wire_put_number(&out, 3, (uint64_t)a->integer); break;
	case ONNX_ATTRIBUTE_FLOAT: wire_put_float(&out, 2, a->real); break;
	case ONNX_ATTRIBUTE_TEXT: wire_put_text(&out, 4, a->text); break;
	case ONNX_ATTRIBUTE_GRAPH: wire_put_bytes(&out, 6, a->message); break;
	case ONNX_ATTRIBUTE_TENSOR: wire_put_bytes(&out, 5, a->message); break;
	case ONNX_ATTRIBUTE_INTS:
		for (size_t i = 0; i < a->count; i++)
			wire_put_number(&out, 8, (uint64_t)a->integers[i]);
	}
	wire_put_number(&out, 20, types[a->kind]);
	put_message(node, 5, &out);
}

void onnx_node(struct onnx_graph *g, const char *type, const char *inputs, const char *outputs,
	const struct onnx_attribute *attributes)
{
	struct str node = begin();
	const char *name = strstr(type, "::");
	put_words(&node, 1, inputs);
	put_words(&node, 2, outputs);
	wire_put_text(&node, 4, name ? name + 2 : type);
	for (; attributes && attributes->name; attributes++)
		put_attribute(&node, attributes);
	if (name)
		wire_put_bytes(&node, 7, span_of(type, (size_t)(name - type)));
	put_message(&g->bytes, 1, &node);
}

void onnx_write(struct str *out, const struct onnx_graph *g, const struct onnx_model *m)
{
	struct str opset = begin();
	wire_put_number(out, 1, (uint64_t)(m->ir_version ? m->ir_version : 8));
	wire_put_text(out, 2, "gyre");
	wire_put_bytes(out, 7, span_of(g->bytes.text, g->bytes.size));
	wire_put_text(&opset, 1, "");
	wire_put_number(&opset, 2, (uint64_t)m->opset);
	put_message(out, 8, &opset);
	for (size_t i = 0; m->metadata && m->metadata[i][0]; i++) {
		struct str pair = begin();
		wire_put_text(&pair, 1, m->metadata[i][0]);
		wire_put_text(&pair, 2, m->metadata[i][1]);
		put_message(out, 14, &pair);
	}
}
