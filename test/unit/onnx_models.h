/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small ONNX models for tests, built by engine/onnx_write.h: well-behaved ones and hostile
 * ones. Each writes a whole file into `out`. Where an input decides, pixels above 1 are the bad ones: the
 * grey of the first run is not.
 */
#ifndef GYRE_TEST_ONNX_MODELS_H
#define GYRE_TEST_ONNX_MODELS_H

#include "base/check.h"
#include "engine/onnx_write.h"
#include "engine/wire.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The nearest folder that holds `name`, from `start` upwards; false when there is none. */
static inline bool test_find_above(const char *start, const char *name, char out[PATH_MAX])
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof(folder), "%.3500s/", start);
	for (char *slash = strrchr(folder, '/'); slash; slash = strrchr(folder, '/')) {
		*slash = '\0';
		snprintf(out, PATH_MAX, "%.3500s/%.200s", folder, name);
		if (access(out, R_OK) == 0)
			return true;
	}
	return false;
}

/* Above the working folder or the test's executable, which is inside the build folder. NULL: nowhere. */
static inline const char *test_find(const char *name, char out[PATH_MAX])
{
	char start[PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", start, sizeof(start) - 1);
	CHECK(size > 0);
	start[size] = '\0';
	if (test_find_above(start, name, out))
		return out;
	return getcwd(start, sizeof(start)) && test_find_above(start, name, out) ? out : NULL;
}

/* The folder of real data beside the checkout: GYRE_TEST_DATA, or ../shared/data from the source's root.
 * NULL: absent. */
static inline const char *test_data_folder(void)
{
	static char folder[PATH_MAX];
	const char *given = getenv("GYRE_TEST_DATA");
	if (given)
		return access(given, R_OK) == 0 ? given : NULL;
	return test_find("shared/data", folder);
}

static inline const char *test_runtime_library(void)
{
	static char path[PATH_MAX];
	return test_find("deps/lib/libonnxruntime.so.1", path);
}

static inline void finish_model(struct onnx_graph *g, struct str *out, const char *const (*metadata)[2])
{
	onnx_write(out, g, &(struct onnx_model){.opset = 13, .metadata = metadata});
	onnx_graph_release(g);
}

static inline struct onnx_shape image_shape(int64_t channels, int64_t side)
{
	return ONNX_SHAPE(1, channels, side, side);
}

/* Where 1x1 convolution weights come from: w[o][i] = o + 1 on the diagonal o % 3 == i, else 0. */
static inline void add_wide_convolution(struct onnx_graph *g, int64_t channels)
{
	float *weights = calloc((size_t)channels * 3, sizeof(float));
	CHECK(weights != NULL);
	for (int64_t o = 0; o < channels; o++)
		weights[o * 3 + o % 3] = (float)(o + 1);
	onnx_constant(g, "w", ONNX_FLOAT, ONNX_SHAPE(channels, 3, 1, 1), weights);
	free(weights);
	onnx_node(g, "Conv", "image w", "wide", NULL);
}

/*
 * A classifier: image [1,3,8,8] → 1x1 convolution to `channels` → Relu → mean → two scores (the sums of the
 * even and of the odd channels) → "scores" [1,2]. With shape, another input shape.
 */
static inline void model_classifier(
	struct str *out, int64_t channels, const struct onnx_shape *shape, const char *const (*metadata)[2])
{
	struct onnx_graph g;
	float *sums = calloc((size_t)channels * 2, sizeof(float));
	CHECK(sums != NULL);
	for (int64_t c = 0; c < channels; c++)
		sums[c * 2 + c % 2] = 1;
	onnx_graph_init(&g);
	onnx_input(&g, "image", ONNX_FLOAT, shape ? *shape : image_shape(3, 8));
	onnx_output(&g, "scores", ONNX_FLOAT, ONNX_SHAPE(1, 2));
	add_wide_convolution(&g, channels);
	onnx_constant(&g, "sums", ONNX_FLOAT, ONNX_SHAPE(channels, 2), sums);
	onnx_node(&g, "Relu", "wide", "active", NULL);
	onnx_node(&g, "GlobalAveragePool", "active", "pooled", NULL);
	onnx_node(&g, "Flatten", "pooled", "flat", NULL);
	onnx_node(&g, "MatMul", "flat sums", "scores", NULL);
	free(sums);
	finish_model(&g, out, metadata);
}

/* image → a number "peak" (the largest pixel) and "bad" (peak > 1). */
static inline void add_peak(struct onnx_graph *g)
{
	onnx_input(g, "image", ONNX_FLOAT, image_shape(3, 8));
	onnx_constant_real(g, "limit", 1);
	onnx_node(g, "ReduceMax", "image", "peak", ONNX_ATTRIBUTES(ONNX_INT("keepdims", 0)));
	onnx_node(g, "Greater", "peak limit", "bad", NULL);
}

/* A loop without a trip count that ends when its condition turns false, which it never does once it is true.
 */
static inline void add_endless_loop(struct onnx_graph *g, const char *condition)
{
	struct onnx_graph body;
	onnx_graph_init(&body);
	onnx_input(&body, "turn", ONNX_INT64, (struct onnx_shape){.rank = 0});
	onnx_input(&body, "go_on", ONNX_BOOL, (struct onnx_shape){.rank = 0});
	onnx_input(&body, "value", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	onnx_output(&body, "still", ONNX_BOOL, (struct onnx_shape){.rank = 0});
	onnx_output(&body, "value_out", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	onnx_node(&body, "Identity", "go_on", "still", NULL);
	onnx_node(&body, "Sqrt", "value", "value_out", NULL);
	char inputs[64];
	snprintf(inputs, sizeof(inputs), " %s peak",
		condition); /* the first input, the trip count, is left out */
	onnx_node(g, "Loop", inputs, "result", ONNX_ATTRIBUTES(ONNX_GRAPH("body", &body)));
	onnx_output(g, "result", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	onnx_graph_release(&body);
}

/* Loops for ever when bad. Between operators, so that a stop request ends it. */
static inline void model_loop_when_bad(struct str *out)
{
	struct onnx_graph g;
	onnx_graph_init(&g);
	add_peak(&g);
	add_endless_loop(&g, "bad");
	finish_model(&g, out, NULL);
}

static inline void model_loop(struct str *out)
{
	struct onnx_graph g;
	static const uint8_t yes = 1;
	onnx_graph_init(&g);
	add_peak(&g);
	onnx_constant(&g, "yes", ONNX_BOOL, (struct onnx_shape){.rank = 0}, &yes);
	add_endless_loop(&g, "yes");
	finish_model(&g, out, NULL);
}

/* One matrix product of side x side, many seconds long, that no stop request ends. */
static inline void add_product(struct onnx_graph *g, const char *to, int64_t side)
{
	const int64_t shape[] = {side, side};
	onnx_constant(g, "product_shape", ONNX_INT64, ONNX_SHAPE(2), shape);
	onnx_node(g, "Expand", "peak product_shape", "matrix", NULL);
	onnx_node(g, "MatMul", "matrix matrix", "product", NULL);
	onnx_node(g, "ReduceMax", "product", to, ONNX_ATTRIBUTES(ONNX_INT("keepdims", 0)));
}

static inline void model_huge_kernel(struct str *out)
{
	struct onnx_graph g;
	onnx_graph_init(&g);
	add_peak(&g);
	add_product(&g, "result", 10240);
	onnx_output(&g, "result", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	finish_model(&g, out, NULL);
}

/* As above, but only when bad; otherwise the result is the peak. */
static inline void model_huge_kernel_when_bad(struct str *out)
{
	struct onnx_graph g, then, otherwise;
	onnx_graph_init(&g);
	onnx_graph_init(&then);
	onnx_graph_init(&otherwise);
	add_peak(&g);
	add_product(&then, "then_result", 10240);
	onnx_output(&then, "then_result", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	onnx_node(&otherwise, "Identity", "peak", "else_result", NULL);
	onnx_output(&otherwise, "else_result", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	onnx_node(&g, "If", "bad", "result",
		ONNX_ATTRIBUTES(ONNX_GRAPH("then_branch", &then), ONNX_GRAPH("else_branch", &otherwise)));
	onnx_output(&g, "result", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	onnx_graph_release(&then);
	onnx_graph_release(&otherwise);
	finish_model(&g, out, NULL);
}

/* A product of constants, which ONNX Runtime computes while it loads the model. */
static inline void model_folding_bomb(struct str *out, int64_t side)
{
	struct onnx_graph g;
	const int64_t shape[] = {side, side};
	onnx_graph_init(&g);
	add_peak(&g);
	onnx_constant(&g, "bomb_shape", ONNX_INT64, ONNX_SHAPE(2), shape);
	onnx_node(&g, "ConstantOfShape", "bomb_shape", "bomb", NULL);
	onnx_node(&g, "MatMul", "bomb bomb", "product", NULL);
	onnx_node(&g, "ReduceMax", "product", "most", ONNX_ATTRIBUTES(ONNX_INT("keepdims", 0)));
	onnx_node(&g, "Add", "most peak", "result", NULL);
	onnx_output(&g, "result", ONNX_FLOAT, (struct onnx_shape){.rank = 0});
	finish_model(&g, out, NULL);
}

/* `count` floats of output, for 2^29: 2 GiB. Stated: the graph says how large it is. */
static inline void model_output_of(struct str *out, int64_t count, bool stated)
{
	struct onnx_graph g;
	const int64_t shape[] = {1, count};
	onnx_graph_init(&g);
	add_peak(&g);
	onnx_constant(&g, "out_shape", ONNX_INT64, ONNX_SHAPE(2), shape);
	onnx_node(&g, "Expand", "peak out_shape", "result", NULL);
	onnx_output(&g, "result", ONNX_FLOAT, ONNX_SHAPE(1, stated ? count : -1));
	finish_model(&g, out, NULL);
}

static inline void model_custom_operator(struct str *out)
{
	struct onnx_graph g;
	onnx_graph_init(&g);
	onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
	onnx_node(&g, "com.example::Sparkle", "image", "result", NULL);
	onnx_output(&g, "result", ONNX_FLOAT, image_shape(3, 8));
	finish_model(&g, out, NULL);
}

/* An initialiser whose data lie in the file `location`. */
static inline void model_external_data(struct str *out, const char *location)
{
	struct onnx_graph g;
	struct str tensor, pair;
	onnx_graph_init(&g);
	str_init(&tensor, 4096);
	str_init(&pair, 4096);
	onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
	wire_put_number(&tensor, 1, 1);
	wire_put_number(&tensor, 2, ONNX_FLOAT);
	wire_put_text(&tensor, 8, "secret");
	wire_put_text(&pair, 1, "location");
	wire_put_text(&pair, 2, location);
	wire_put_bytes(&tensor, 13, span_of(pair.text, pair.size));
	wire_put_number(&tensor, 14, 1);
	wire_put_bytes(&g.bytes, 5, span_of(tensor.text, tensor.size));
	onnx_node(&g, "Add", "image secret", "result", NULL);
	onnx_output(&g, "result", ONNX_FLOAT, image_shape(3, 8));
	str_release(&tensor);
	str_release(&pair);
	finish_model(&g, out, NULL);
}

#endif
