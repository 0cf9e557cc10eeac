/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sample.h"

#include "base/check.h"
#include "engine/onnx_write.h"

enum {
	SIDE = ENGINE_SAMPLE_SIDE,
	CELL = 4, /* pixels: masks are averaged over cells first */
	CELLS = SIDE / CELL,
	WINDOW = 24, /* cells */
	STRIDE = 4,  /* cells */
	PAD = 8,     /* cells around the image, so that windows may stick out */
	GRID = (CELLS + 2 * PAD - WINDOW) / STRIDE + 1,
	CLASSES = 3,
	ANCHORS = CLASSES * GRID * GRID /* each colour has its own */
};
#define AREA_MIN 12.0F /* cells: smaller specks score less */

/* mask = clip(10 * (colour - the other two) - 2): bright colours give 1, greys, white and mixtures 0. */
static void add_mask(struct onnx_graph *g)
{
	static const float weights[CLASSES][CLASSES] = {{10, -10, -10}, {-10, 10, -10}, {-10, -10, 10}};
	static const float bias[CLASSES] = {-2, -2, -2};
	onnx_constant(g, "mask_weights", ONNX_FLOAT, ONNX_SHAPE(CLASSES, CLASSES, 1, 1), weights);
	onnx_constant(g, "mask_bias", ONNX_FLOAT, ONNX_SHAPE(CLASSES), bias);
	onnx_constant_real(g, "zero", 0);
	onnx_constant_real(g, "one", 1);
	onnx_node(g, "Conv", "images mask_weights mask_bias", "contrast", NULL);
	onnx_node(g, "Clip", "contrast zero one", "pixels", NULL);
	onnx_node(g, "AveragePool", "pixels", "mask",
		ONNX_ATTRIBUTES(ONNX_INTS("kernel_shape", CELL, CELL), ONNX_INTS("strides", CELL, CELL)));
}

/* The cells' centres in units of the image's side, which keeps sums of squares small: x [1,1,1,CELLS], y
 * [1,1,CELLS,1]. */
static void add_coordinates(struct onnx_graph *g)
{
	float centres[CELLS];
	for (int i = 0; i < CELLS; i++)
		centres[i] = ((float)i + 0.5F) / (float)CELLS;
	onnx_constant(g, "x", ONNX_FLOAT, ONNX_SHAPE(1, 1, 1, CELLS), centres);
	onnx_constant(g, "y", ONNX_FLOAT, ONNX_SHAPE(1, 1, CELLS, 1), centres);
}

/* Means over each window, which are sums but for a factor; the padding counts as zeros. */
static void add_window(struct onnx_graph *g, const char *in, const char *out)
{
	onnx_node(g, "AveragePool", in, out,
		ONNX_ATTRIBUTES(ONNX_INTS("kernel_shape", WINDOW, WINDOW),
			ONNX_INTS("strides", STRIDE, STRIDE), ONNX_INTS("pads", PAD, PAD, PAD, PAD),
			ONNX_INT("count_include_pad", 1)));
}

/* The template with the axis' letter for each '@'. */
static void name_axis(char axis, const char *template, char out[64])
{
	size_t size = strlen(template);
	CHECK(size < 64);
	memcpy(out, template, size + 1);
	for (char *at = strchr(out, '@'); at; at = strchr(at, '@'))
		*at = axis;
}

/* From the moments along one axis: the mean (centre) and the side, sqrt(12 * variance), both in pixels as
 * [1,1,ANCHORS]. */
static void add_axis(struct onnx_graph *g, char axis)
{
	static const char *const nodes[][3] = {
		{"Mul", "mask @", "m@"},
		{"Mul", "m@ @", "m@@"},
		{"Window", "m@", "sum_@"},
		{"Window", "m@@", "sum_@@"},
		{"Div", "sum_@ mass_safe", "mean_@"},
		{"Div", "sum_@@ mass_safe", "square_@"},
		{"Mul", "mean_@ mean_@", "mean2_@"},
		{"Sub", "square_@ mean2_@", "spread_@"},
		{"Add", "spread_@ cell_variance", "variance_@"},
		{"Mul", "variance_@ twelve", "side2_@"},
		{"Max", "side2_@ cell_variance", "side2_safe_@"},
		{"Sqrt", "side2_safe_@", "side_@"},
		{"Mul", "mean_@ pixels_per_side", "mean_pixels_@"},
		{"Mul", "side_@ pixels_per_side", "side_pixels_@"},
		{"Reshape", "mean_pixels_@ flat", "centre_@"},
		{"Reshape", "side_pixels_@ flat", "size_@"},
	};
	for (size_t i = 0; i < COUNT_OF(nodes); i++) {
		char in[64], out[64];
		name_axis(axis, nodes[i][1], in);
		name_axis(axis, nodes[i][2], out);
		if (strcmp(nodes[i][0], "Window") == 0)
			add_window(g, in, out);
		else
			onnx_node(g, nodes[i][0], in, out, NULL);
	}
}

/* How much of the mask lies on the window's rim, one cell wide, by a convolution of each colour alone. */
static void add_rim(struct onnx_graph *g)
{
	static float weights[CLASSES][WINDOW][WINDOW];
	for (int c = 0; c < CLASSES; c++)
		for (int y = 0; y < WINDOW; y++)
			for (int x = 0; x < WINDOW; x++)
				weights[c][y][x] =
					x == 0 || y == 0 || x == WINDOW - 1 || y == WINDOW - 1 ? 1.0F : 0.0F;
	onnx_constant(g, "rim_weights", ONNX_FLOAT, ONNX_SHAPE(CLASSES, 1, WINDOW, WINDOW), weights);
	onnx_node(g, "Conv", "mask rim_weights", "rim",
		ONNX_ATTRIBUTES(ONNX_INTS("strides", STRIDE, STRIDE), ONNX_INTS("pads", PAD, PAD, PAD, PAD),
			ONNX_INT("group", CLASSES)));
	onnx_node(g, "Sub", "one rim", "inside", NULL);
	onnx_node(g, "Clip", "inside zero one", "whole", NULL);
}

/* score = fill * min(1, mass / AREA_MIN) * whole; fill = mass / area of the box, at most 1. */
static void add_score(struct onnx_graph *g)
{
	onnx_constant_real(g, "area_min", AREA_MIN);
	onnx_constant_real(g, "cells", (float)CELLS * (float)CELLS);
	onnx_node(g, "Mul", "side_x side_y", "area", NULL);
	onnx_node(g, "Mul", "area cells", "area_cells", NULL);
	onnx_node(g, "Div", "mass area_cells", "fill_open", NULL);
	onnx_node(g, "Clip", "fill_open zero one", "fill", NULL);
	onnx_node(g, "Div", "mass area_min", "enough_open", NULL);
	onnx_node(g, "Clip", "enough_open zero one", "enough", NULL);
	onnx_node(g, "Mul", "fill enough", "solid", NULL);
	onnx_node(g, "Mul", "solid whole", "score", NULL);
}

/* Scores of each colour into its own row, zeros elsewhere. */
static void add_output(struct onnx_graph *g)
{
	static float own[CLASSES][ANCHORS];
	for (int c = 0; c < CLASSES; c++)
		for (int i = 0; i < ANCHORS; i++)
			own[c][i] = i / (GRID * GRID) == c ? 1.0F : 0.0F;
	onnx_constant(g, "own", ONNX_FLOAT, ONNX_SHAPE(1, CLASSES, ANCHORS), own);
	onnx_node(g, "Reshape", "score flat", "score_flat", NULL);
	onnx_node(g, "Mul", "score_flat own", "scores", NULL);
	onnx_node(g, "Concat", "centre_x centre_y size_x size_y scores", "output0",
		ONNX_ATTRIBUTES(ONNX_INT("axis", 1)));
}

static void add_graph(struct onnx_graph *g)
{
	static const int64_t flat[] = {1, 1, ANCHORS};
	onnx_input(g, "images", ONNX_FLOAT, ONNX_SHAPE(1, 3, SIDE, SIDE));
	onnx_output(g, "output0", ONNX_FLOAT, ONNX_SHAPE(1, 4 + CLASSES, ANCHORS));
	onnx_constant(g, "flat", ONNX_INT64, ONNX_SHAPE(3), flat);
	onnx_constant_real(g, "window_cells", WINDOW * WINDOW);
	onnx_constant_real(g, "epsilon", 1e-6F);
	onnx_constant_real(g, "twelve", 12);
	onnx_constant_real(g, "cell_variance",
		1.0F / (12.0F * (float)CELLS * (float)CELLS)); /* a cell is itself a small rectangle */
	onnx_constant_real(g, "pixels_per_side", SIDE);
	add_mask(g);
	add_coordinates(g);
	add_window(g, "mask", "mass_mean");
	onnx_node(g, "Mul", "mass_mean window_cells", "mass", NULL);
	onnx_node(g, "Add", "mass_mean epsilon", "mass_safe", NULL);
	add_axis(g, 'x');
	add_axis(g, 'y');
	add_rim(g);
	add_score(g);
	add_output(g);
}

struct span engine_sample_detector(struct arena *a)
{
	static const char *const metadata[][2] = {
		{"description", "gyre's sample: finds red, green and blue rectangles"},
		{"task", "detect"},
		{"imgsz", "[320, 320]"},
		{"stride", "16"},
		{"batch", "1"},
		{"names", "{0: 'red', 1: 'green', 2: 'blue'}"},
		{NULL, NULL},
	};
	struct onnx_graph graph;
	struct str file;
	onnx_graph_init(&graph);
	str_init(&file, 1 << 20);
	add_graph(&graph);
	onnx_write(&file, &graph, &(struct onnx_model){.opset = 13, .metadata = metadata});
	CHECK(!file.full);
	struct span bytes = arena_copy(a, span_of(file.text, file.size));
	str_release(&file);
	onnx_graph_release(&graph);
	return bytes;
}
