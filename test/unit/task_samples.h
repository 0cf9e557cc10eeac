/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs and tensors made up by tests of src/task. */
#ifndef GYRE_TEST_TASK_SAMPLES_H
#define GYRE_TEST_TASK_SAMPLES_H

#include "base/check.h"
#include "task/recipe.h"

#include <stdio.h>
#include <stdlib.h>

/* dims ends with 0 */
static inline int sample_rank(const int64_t *dims)
{
	int rank = 0;
	while (dims[rank] != 0)
		rank++;
	return rank;
}

static inline void sample_port(
	struct engine_port *port, const char *name, enum engine_type type, const int64_t *dims)
{
	*port = (struct engine_port){.type = type, .rank = sample_rank(dims)};
	snprintf(port->name, sizeof(port->name), "%s", name);
	memcpy(port->shape, dims, (size_t)port->rank * sizeof(*dims));
}

#define DIMS(...) ((const int64_t[]){__VA_ARGS__, 0})

/* A graph of one float input. */
static inline struct engine_description sample_graph(const int64_t *input)
{
	struct engine_description d = {.input_count = 1};
	sample_port(&d.inputs[0], "images", ENGINE_FLOAT32, input);
	return d;
}

static inline void sample_output(struct engine_description *d, const char *name, const int64_t *dims)
{
	sample_port(&d->outputs[d->output_count++], name, ENGINE_FLOAT32, dims);
}

static inline size_t sample_elements(const int64_t *dims)
{
	size_t count = 1;
	for (int i = 0; i < sample_rank(dims); i++)
		count *= (size_t)dims[i];
	return count;
}

/* A tensor of these floats. */
static inline struct engine_tensor sample_tensor(const float *values, const int64_t *dims)
{
	struct engine_tensor t = {.type = ENGINE_FLOAT32, .rank = sample_rank(dims), .data = values};
	memcpy(t.shape, dims, (size_t)t.rank * sizeof(*dims));
	t.size = sample_elements(dims) * sizeof(float);
	return t;
}

/* A tensor of zeros, malloced: the caller frees *values. */
static inline struct engine_tensor sample_zeros(float **values, const int64_t *dims)
{
	*values = calloc(sample_elements(dims), sizeof(float));
	CHECK(*values != NULL);
	return sample_tensor(*values, dims);
}

/* A recipe that asks nothing of the input but its size. */
static inline struct recipe sample_recipe(
	enum output_layout output, uint32_t width, uint32_t height, uint32_t classes)
{
	bool two = output == OUTPUT_DETR || output == OUTPUT_BOXES_SCORES,
	     three = output == OUTPUT_END_TO_END_PARTS;
	return (struct recipe){
		.task = output_task(output),
		.input = {.width = width, .height = height, .scale = 1, .std = {1, 1, 1}},
		.output = output,
		.tensors = {0, two || three ? 1 : 0, three ? 2 : 0},
		.class_count = classes,
		.probabilities = output != OUTPUT_DETR && output != OUTPUT_CLASSIFICATION,
		.nms_iou = 0.45f,
	};
}

#endif
