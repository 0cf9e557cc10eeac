/* SPDX-License-Identifier: Apache-2.0 */
/* Which tensors of an ONNX graph may serve as the feature vector. */
#include "base/check.h"
#include "engine/onnx.h"
#include "engine/onnx_walk.h"

#define CANDIDATES_MAX 4096

/* Operators whose outputs are feature maps. */
static bool makes_features(struct span operator_type)
{
	static const char *const makers[] = {"Add", "AveragePool", "BatchNormalization", "Clip", "Concat",
		"Conv", "DequantizeLinear", "Elu", "FusedConv", "Gelu", "GlobalAveragePool", "GlobalMaxPool",
		"HardSigmoid", "HardSwish", "InstanceNormalization", "LRN", "LayerNormalization", "LeakyRelu",
		"MaxPool", "Mish", "Mul", "PRelu", "ReduceMean", "Relu", "Selu", "Sigmoid", "Softplus", "Sum",
		"Tanh"};
	for (size_t i = 0; i < COUNT_OF(makers); i++)
		if (is_text(operator_type, makers[i]))
			return true;
	return false;
}

struct candidates {
	struct name_set alive; /* tensors that depend on the graph's input: a constant is no feature */
	struct span *ring;     /* CANDIDATES_MAX */
	size_t seen;
};

static enum status take_node(struct onnx_walk *w, struct candidates *c, struct span node)
{
	struct wire wire = wire_of(node);
	struct wire_field f;
	struct span operator_type = {0};
	bool alive = false;
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, NODE_OPERATOR))
			operator_type = f.bytes;
		if (is_bytes(&f, NODE_INPUT))
			alive = alive || name_set_has(&c->alive, f.bytes, (struct span){0});
	}
	if (!alive)
		return ST_OK;
	bool features = makes_features(operator_type);
	wire = wire_of(node);
	while (wire_next(&wire, &f)) {
		if (!is_bytes(&f, NODE_OUTPUT) || f.bytes.size == 0)
			continue;
		if (!name_set_add(&c->alive, f.bytes, (struct span){0}))
			return onnx_walk_too_many(w);
		bool is_output = false;
		for (unsigned i = 0; i < w->out->output_count; i++)
			is_output = is_output || span_equal(f.bytes, w->output_names[i]);
		if (features && !is_output)
			c->ring[c->seen++ % CANDIDATES_MAX] = f.bytes;
	}
	return ST_OK;
}

static enum status take_graph(struct onnx_walk *w, struct candidates *c, struct span graph)
{
	struct wire wire = wire_of(graph);
	struct wire_field f;
	struct engine_port port;
	struct span name;
	while (wire_next(&wire, &f)) {
		if (!is_bytes(&f, GRAPH_INPUT))
			continue;
		TRY(onnx_walk_port(w, f.bytes, &port, &name));
		if (!name_set_has(&w->initialisers, name, (struct span){0}) &&
			!name_set_add(&c->alive, name, (struct span){0}))
			return onnx_walk_too_many(w);
	}
	wire = wire_of(graph);
	while (wire_next(&wire, &f))
		if (is_bytes(&f, GRAPH_NODE))
			TRY(take_node(w, c, f.bytes));
	return ST_OK;
}

static enum status take_file(struct onnx_walk *w, struct candidates *c, struct span file)
{
	struct wire wire = wire_of(file);
	struct wire_field f;
	TRY(onnx_walk_file(w, file));
	while (wire_next(&wire, &f))
		if (is_bytes(&f, MODEL_GRAPH))
			TRY(take_graph(w, c, f.bytes));
	return ST_OK;
}

enum status onnx_candidates(
	struct span file, struct arena *a, struct span **names, size_t *count, struct err *err)
{
	struct onnx_walk w;
	struct engine_description d;
	struct candidates c = {.ring = ARENA_ARRAY(a, struct span, CANDIDATES_MAX)};
	onnx_walk_init(&w, &d, err);
	name_set_init(&c.alive, ONNX_NAMES_MAX);
	enum status st = take_file(&w, &c, file);
	name_set_release(&c.alive);
	onnx_walk_release(&w);
	*count = c.seen < CANDIDATES_MAX ? c.seen : CANDIDATES_MAX;
	*names = ARENA_ARRAY(a, struct span, *count ? *count : 1);
	for (size_t i = 0; i < *count; i++)
		(*names)[i] = c.ring[(c.seen - *count + i) % CANDIDATES_MAX];
	return st;
}
