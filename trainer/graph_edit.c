/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/graph_edit.h"

#include "base/check.h"
#include "engine/onnx_write.h"
#include "engine/wire.h"
#include "trainer/onnx_fields.h"

#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX INT32_MAX /* protobuf's own limit */

struct editor {
	const struct graph_edit *edits;
	size_t count;
	size_t node; /* the one at hand */
	bool drop_shapes;
};

static struct str begin(void)
{
	struct str s;
	str_init(&s, FILE_BYTES_MAX);
	return s;
}

static void end(struct str *out, uint32_t number, struct str *message)
{
	wire_put_bytes(out, number, span_of(message->text, message->size));
	str_release(message);
}

/* Of a message, the field that is one of bytes with this number; the last one, as protobuf has it. */
static struct span field_of(struct span message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	struct span found = {0};
	while (wire_next(&wire, &f))
		found = onnx_is_bytes(&f, number) ? f.bytes : found;
	return found;
}

static bool is_text(struct span bytes, const char *text)
{
	return span_equal(bytes, span_of_text(text));
}

static const struct graph_edit *find(const struct editor *e, enum graph_edit_kind kind, struct span name)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->edits[i].kind == kind && is_text(name, e->edits[i].name) &&
			(kind != GRAPH_EDIT_INTEGERS || e->edits[i].node == e->node))
			return &e->edits[i];
	return NULL;
}

/* A message field by field: `change` writes one anew and says so, the rest is copied. */
typedef bool change_field(struct editor *e, const struct wire_field *f, struct span message, struct str *out);

static void copy(struct editor *e, struct span message, change_field *change, struct str *out)
{
	struct wire wire = wire_of(message);
	struct wire_field f;
	for (const uint8_t *start = wire.at; wire_next(&wire, &f); start = wire.at)
		if (!change(e, &f, message, out))
			str_append_bytes(out, start, (size_t)(wire.at - start));
}

static void put_tensor(struct str *out, uint32_t number, const char *name, const struct graph_tensor *t)
{
	struct onnx_shape shape = {.rank = t->rank};
	memcpy(shape.sides, t->sides, sizeof(shape.sides));
	struct str tensor = begin();
	onnx_tensor(&tensor, name, (enum onnx_type)t->type, shape, t->data);
	end(out, number, &tensor);
}

/* ---- nodes ---- */

static bool change_constant(struct editor *e, const struct wire_field *f, struct span node, struct str *out)
{
	const struct graph_edit *edit = find(e, GRAPH_EDIT_TENSOR, field_of(node, NODE_OUTPUT));
	if (edit == NULL || !onnx_is_bytes(f, NODE_ATTRIBUTE))
		return false;
	struct str attribute = begin();
	wire_put_text(&attribute, ATTRIBUTE_NAME, "value");
	put_tensor(&attribute, ATTRIBUTE_TENSOR, "", &edit->tensor);
	wire_put_number(&attribute, 20, 4); /* AttributeProto.TENSOR */
	end(out, NODE_ATTRIBUTE, &attribute);
	return true;
}

static bool drop_integers(
	struct editor *e, const struct wire_field *f, struct span attribute, struct str *out)
{
	(void)e, (void)attribute, (void)out;
	return f->number == ATTRIBUTE_INTS;
}

static bool change_node(struct editor *e, const struct wire_field *f, struct span node, struct str *out)
{
	if (is_text(field_of(node, NODE_OPERATOR), "Constant"))
		return change_constant(e, f, node, out);
	if (!onnx_is_bytes(f, NODE_ATTRIBUTE))
		return false;
	const struct graph_edit *edit = find(e, GRAPH_EDIT_INTEGERS, field_of(f->bytes, ATTRIBUTE_NAME));
	if (edit == NULL)
		return false;
	struct str attribute = begin();
	copy(e, f->bytes, drop_integers, &attribute);
	for (size_t i = 0; i < edit->count; i++)
		wire_put_number(&attribute, ATTRIBUTE_INTS, (uint64_t)edit->integers[i]);
	end(out, NODE_ATTRIBUTE, &attribute);
	return true;
}

/* ---- outputs: ValueInfoProto { type { tensor_type { shape { dim { dim_value } } } } } ---- */

static struct str changed_shape(struct span shape, const struct graph_edit *edit)
{
	struct wire wire = wire_of(shape);
	struct wire_field f;
	struct str out = begin();
	int axis = 0;
	for (const uint8_t *start = wire.at; wire_next(&wire, &f); start = wire.at) {
		struct wire dim = wire_of(onnx_is_bytes(&f, SHAPE_DIM) ? f.bytes : (struct span){0});
		struct wire_field side;
		bool fixed = false;
		while (wire_next(&dim, &side))
			fixed = fixed || (side.number == DIM_VALUE && side.type == WIRE_VARINT);
		bool wanted = onnx_is_bytes(&f, SHAPE_DIM) && axis++ == edit->axis && fixed;
		if (wanted) {
			struct str one = begin();
			wire_put_number(&one, DIM_VALUE, (uint64_t)edit->side);
			end(&out, SHAPE_DIM, &one);
		} else {
			str_append_bytes(&out, start, (size_t)(wire.at - start));
		}
	}
	return out;
}

static void put_output(struct str *out, struct span value, const struct graph_edit *edit)
{
	struct span tensor = field_of(field_of(value, VALUE_TYPE), TYPE_TENSOR);
	struct wire wire = wire_of(tensor);
	struct wire_field f;
	struct str port = begin(), type = begin(), whole = begin();
	for (const uint8_t *start = wire.at; wire_next(&wire, &f); start = wire.at) {
		if (!onnx_is_bytes(&f, PORT_SHAPE)) {
			str_append_bytes(&port, start, (size_t)(wire.at - start));
			continue;
		}
		struct str shape = changed_shape(f.bytes, edit);
		end(&port, PORT_SHAPE, &shape);
	}
	end(&type, TYPE_TENSOR, &port);
	wire_put_bytes(&whole, VALUE_NAME, field_of(value, VALUE_NAME));
	end(&whole, VALUE_TYPE, &type);
	end(out, GRAPH_OUTPUT, &whole);
}

/* An initialiser that the file lists as an input too. */
static void put_input(struct str *out, const struct graph_edit *edit)
{
	struct str dims = begin(), port = begin(), type = begin(), whole = begin();
	for (int i = 0; i < edit->tensor.rank; i++) {
		struct str one = begin();
		wire_put_number(&one, DIM_VALUE, (uint64_t)edit->tensor.sides[i]);
		end(&dims, SHAPE_DIM, &one);
	}
	wire_put_number(&port, PORT_ELEMENT, edit->tensor.type);
	end(&port, PORT_SHAPE, &dims);
	end(&type, TYPE_TENSOR, &port);
	wire_put_text(&whole, VALUE_NAME, edit->name);
	end(&whole, VALUE_TYPE, &type);
	end(out, GRAPH_INPUT, &whole);
}

/* ---- the whole ---- */

static bool change_graph(struct editor *e, const struct wire_field *f, struct span graph, struct str *out)
{
	(void)graph;
	if (onnx_is_bytes(f, GRAPH_NODE)) {
		struct str node = begin();
		copy(e, f->bytes, change_node, &node);
		end(out, GRAPH_NODE, &node);
		e->node++;
		return true;
	}
	if (onnx_is_bytes(f, GRAPH_INITIALISER)) {
		const struct graph_edit *edit = find(e, GRAPH_EDIT_TENSOR, field_of(f->bytes, TENSOR_NAME));
		if (edit != NULL)
			put_tensor(out, GRAPH_INITIALISER, edit->name, &edit->tensor);
		return edit != NULL;
	}
	if (onnx_is_bytes(f, GRAPH_OUTPUT)) {
		const struct graph_edit *edit = find(e, GRAPH_EDIT_OUTPUT, field_of(f->bytes, VALUE_NAME));
		if (edit != NULL)
			put_output(out, f->bytes, edit);
		return edit != NULL;
	}
	if (onnx_is_bytes(f, GRAPH_INPUT)) {
		const struct graph_edit *edit = find(e, GRAPH_EDIT_TENSOR, field_of(f->bytes, VALUE_NAME));
		if (edit != NULL)
			put_input(out, edit);
		return edit != NULL;
	}
	return onnx_is_bytes(f, GRAPH_VALUE_INFO) && e->drop_shapes;
}

static bool change_model(struct editor *e, const struct wire_field *f, struct span model, struct str *out)
{
	(void)model;
	if (onnx_is_bytes(f, MODEL_METADATA))
		return find(e, GRAPH_EDIT_METADATA, field_of(f->bytes, PAIR_KEY)) != NULL;
	if (!onnx_is_bytes(f, MODEL_GRAPH))
		return false;
	struct str graph = begin();
	copy(e, f->bytes, change_graph, &graph);
	end(out, MODEL_GRAPH, &graph);
	return true;
}

void graph_edit_write(const void *bytes, size_t size, const struct graph_edit *edits, size_t count,
	void **out, size_t *out_size)
{
	struct editor e = {.edits = edits, .count = count};
	for (size_t i = 0; i < count; i++)
		e.drop_shapes = e.drop_shapes || edits[i].kind == GRAPH_EDIT_TENSOR;
	struct str file = begin();
	copy(&e, span_of(bytes, size), change_model, &file);
	for (size_t i = 0; i < count; i++) {
		if (edits[i].kind != GRAPH_EDIT_METADATA)
			continue;
		struct str pair = begin();
		wire_put_text(&pair, PAIR_KEY, edits[i].name);
		wire_put_text(&pair, PAIR_VALUE, edits[i].text);
		end(&file, MODEL_METADATA, &pair);
	}
	CHECK(!file.full);
	*out = file.text;
	*out_size = file.size;
}
