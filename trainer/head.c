/* SPDX-License-Identifier: Apache-2.0 */
/* Walks back from an output, over what changes no more than the shape, or up to the last weights. */
#include "trainer/head.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

const struct graph_node *head_maker(const struct graph_file *g, const char *value)
{
	for (size_t n = 0; n < g->node_count && *value; n++)
		for (size_t i = 0; i < g->nodes[n].output_count; i++)
			if (strcmp(g->nodes[n].outputs[i], value) == 0)
				return &g->nodes[n];
	return NULL;
}

static bool is_one_of(const char *op, const char *const *names)
{
	while (*names && strcmp(*names, op) != 0)
		names++;
	return *names != NULL;
}

/* Bin numbers that a distribution is multiplied with are no weights. */
static bool counts_up(const struct graph_tensor *t)
{
	const float *values = t->data;
	bool counts = t->type == GRAPH_FLOAT && t->count >= 4;
	for (size_t i = 1; i < t->count && counts; i++)
		counts = values[i] - values[i - 1] == 1.0F;
	return counts;
}

static bool has_weights(const struct graph_file *g, const struct graph_node *node)
{
	static const char *const ops[] = {"Conv", "ConvTranspose", "Gemm", "MatMul", NULL};
	bool has = false;
	for (size_t i = 0; i < node->input_count && is_one_of(node->op, ops); i++) {
		const struct graph_tensor *t = graph_file_tensor(g, node->inputs[i]);
		has = has || (t != NULL && t->rank > 1 && !counts_up(t));
	}
	return has;
}

struct walk {
	const struct graph_file *graph;
	bool *seen; /* by node */
	const struct graph_node *found;
	size_t count;
};

static void walk_back(struct walk *w, const char *value)
{
	const struct graph_node *maker = head_maker(w->graph, value);
	if (maker == NULL || w->seen[maker - w->graph->nodes] || has_weights(w->graph, maker))
		return;
	w->seen[maker - w->graph->nodes] = true;
	if (strcmp(maker->op, "Softmax") == 0) {
		w->found = maker;
		w->count++;
	}
	for (size_t i = 0; i < maker->input_count; i++)
		walk_back(w, maker->inputs[i]);
}

const char *head_distances(const struct graph_file *g, const char *output)
{
	struct walk w = {.graph = g, .seen = calloc(g->node_count + 1, sizeof(bool))};
	CHECK(w.seen != NULL);
	walk_back(&w, output);
	free(w.seen);
	return w.count == 1 ? w.found->inputs[0] : NULL;
}
