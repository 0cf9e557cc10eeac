/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two families, both small enough to learn from zero on a CPU. Detectors: a backbone of five halvings, the
 * usual pyramid both ways, and on its three levels boxes and class scores by branches of their own, decoded
 * in the graph as Ultralytics' exports are, so that the same readers serve them. Boxes are distances by
 * Softplus: a distribution to integrate over learns slower from few images. Classifiers: residual blocks.
 * Batch normalisations stay nodes: training from zero needs them, and ONNX Runtime folds them when it loads.
 */
#include "trainer/arch.h"

#include "base/check.h"
#include "engine/onnx_write.h"
#include "trainer/chance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPSET 13
#define FILE_BYTES_MAX (256U << 20)
#define LEVELS 3
#define SIDE_STEP 32 /* the largest stride */
#define STRIDE_FIRST 8
#define LAST_DEVIATION                                                                                       \
	0.1 /* of the last weights: much smaller ones learnt to tell classes apart only after long */
#define CLASS_PRIOR 0.01 /* of any class, at any place, before anything is learnt */
#define TEXT(name_, value)                                                                                   \
	((struct onnx_attribute){.name = (name_), .kind = ONNX_ATTRIBUTE_TEXT, .text = (value)})
#define BOX_DISTANCE 2.0 /* of a box's sides from its cell, in strides, at first */

struct builder {
	struct onnx_graph graph;
	struct arena arena;
	struct chance chance;
};

/* A value of the graph, and its channels. */
struct flow {
	const char *name;
	int64_t channels;
};

static const char *numbered(struct builder *b, const char *name, int i)
{
	return arena_printf(&b->arena, "%s%d", name, i);
}

static const char *part(struct builder *b, const char *name, const char *what)
{
	return arena_printf(&b->arena, "%s.%s", name, what);
}

static const char *words(struct builder *b, const char *first, const char *second)
{
	return arena_printf(&b->arena, "%s %s", first, second);
}

/* ---- weights by chance ---- */

static double uniform(struct builder *b) /* in (0, 1) */
{
	return ((double)(chance_next(&b->chance) >> 11) + 0.5) * 0x1p-53;
}

/* Normally distributed, by Box and Muller. */
static void weights(struct builder *b, const char *name, struct onnx_shape shape, double deviation)
{
	size_t count = 1;
	for (int i = 0; i < shape.rank; i++)
		count *= (size_t)shape.sides[i];
	float *values = malloc(count * sizeof(*values));
	CHECK(values != NULL);
	for (size_t i = 0; i < count; i++) {
		double radius = sqrt(-2 * log(uniform(b)));
		values[i] = (float)(deviation * radius * cos(2 * M_PI * uniform(b)));
	}
	onnx_constant(&b->graph, name, ONNX_FLOAT, shape, values);
	free(values);
}

static void filled(struct builder *b, const char *name, int64_t count, double value)
{
	float *values = ARENA_ARRAY(&b->arena, float, (size_t)count);
	for (int64_t i = 0; i < count; i++)
		values[i] = (float)value;
	onnx_constant(&b->graph, name, ONNX_FLOAT, ONNX_SHAPE(count), values);
}

static void whole_numbers(struct builder *b, const char *name, int64_t count, const int64_t *values)
{
	onnx_constant(&b->graph, name, ONNX_INT64, ONNX_SHAPE(count), values);
}

/* ---- blocks ---- */

static struct flow node(struct builder *b, const char *op, const char *inputs, const char *output,
	int64_t channels, const struct onnx_attribute *attributes)
{
	onnx_node(&b->graph, op, inputs, output, attributes);
	return (struct flow){output, channels};
}

/* A convolution and its normalisation; with room for a later ReLU its weights are Kaiming's. */
static struct flow conv_norm(
	struct builder *b, struct flow in, const char *name, int64_t out, int64_t side, int64_t stride)
{
	const char *weight = part(b, name, "conv.weight"), *raw = part(b, name, "conv");
	const char *norm = part(b, name, "norm");
	int64_t pad = side / 2;
	weights(b, weight, ONNX_SHAPE(out, in.channels, side, side),
		sqrt(2.0 / (double)(in.channels * side * side)));
	node(b, "Conv", words(b, in.name, weight), raw, out,
		ONNX_ATTRIBUTES(ONNX_INTS("kernel_shape", side, side), ONNX_INTS("strides", stride, stride),
			ONNX_INTS("pads", pad, pad, pad, pad)));
	static const struct {
		const char *name;
		double value;
	} parts[] = {{"norm.weight", 1}, {"norm.bias", 0}, {"norm.mean", 0}, {"norm.variance", 1}};
	const char *inputs = raw;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		const char *parameter = part(b, name, parts[i].name);
		filled(b, parameter, out, parts[i].value);
		inputs = words(b, inputs, parameter);
	}
	return node(b, "BatchNormalization", inputs, norm, out,
		ONNX_ATTRIBUTES(ONNX_REAL("epsilon", 1e-3F), ONNX_REAL("momentum", 0.9F)));
}

static struct flow relu(struct builder *b, struct flow in)
{
	return node(b, "Relu", in.name, part(b, in.name, "relu"), in.channels, NULL);
}

static struct flow conv(
	struct builder *b, struct flow in, const char *name, int64_t out, int64_t side, int64_t stride)
{
	return relu(b, conv_norm(b, in, name, out, side, stride));
}

static struct flow join(struct builder *b, struct flow first, struct flow second, const char *name)
{
	return node(b, "Concat", words(b, first.name, second.name), name, first.channels + second.channels,
		ONNX_ATTRIBUTES(ONNX_INT("axis", 1)));
}

/* Half of the channels pass two convolutions, and all meet again. */
static struct flow cross_stage(
	struct builder *b, struct flow in, const char *name, int64_t out, bool residual)
{
	int64_t half = out / 2;
	struct flow kept = conv(b, in, part(b, name, "kept"), half, 1, 1);
	struct flow start = conv(b, in, part(b, name, "start"), half, 1, 1);
	struct flow x = conv(b, start, part(b, name, "first"), half, 3, 1);
	x = conv(b, x, part(b, name, "second"), half, 3, 1);
	if (residual)
		x = node(b, "Add", words(b, start.name, x.name), part(b, name, "sum"), half, NULL);
	x = join(b, join(b, kept, start, part(b, name, "pair")), x, part(b, name, "all"));
	return conv(b, x, part(b, name, "end"), out, 1, 1);
}

/* Maxima over growing windows: the whole image's sight for the deepest level. */
static struct flow pool_pyramid(struct builder *b, struct flow in, const char *name)
{
	struct flow x = conv(b, in, part(b, name, "start"), in.channels / 2, 1, 1), all = x;
	for (int i = 1; i <= 3; i++) {
		x = node(b, "MaxPool", x.name, numbered(b, part(b, name, "pool"), i), x.channels,
			ONNX_ATTRIBUTES(ONNX_INTS("kernel_shape", 5, 5), ONNX_INTS("strides", 1, 1),
				ONNX_INTS("pads", 2, 2, 2, 2)));
		all = join(b, all, x, numbered(b, part(b, name, "joined"), i));
	}
	return conv(b, all, part(b, name, "end"), in.channels, 1, 1);
}

static struct flow twice_as_large(struct builder *b, struct flow in, const char *name)
{
	return node(b, "Resize", arena_printf(&b->arena, "%s  twice", in.name), name, in.channels,
		ONNX_ATTRIBUTES(TEXT("mode", "nearest"), TEXT("coordinate_transformation_mode", "asymmetric"),
			TEXT("nearest_mode", "floor")));
}

/* ---- detectors ---- */

struct widths {
	int64_t stem, halves[4]; /* after each halving of the sides */
	int64_t box, classes;    /* of the branches */
};

/* out: at strides 8, 16 and 32 */
static void backbone(struct builder *b, const struct widths *w, struct flow out[LEVELS])
{
	struct flow x = conv(b, (struct flow){"images", 3}, "stem", w->stem, 3, 2);
	for (int i = 0; i < 4; i++) {
		x = conv(b, x, numbered(b, "half", i), w->halves[i], 3, 2);
		x = cross_stage(b, x, numbered(b, "stage", i), w->halves[i], true);
		if (i == 3)
			x = pool_pyramid(b, x, "pyramid");
		if (i > 0)
			out[i - 1] = x;
	}
}

/* What the deep levels know goes up to the fine ones, and what those found comes down again. */
static void neck(struct builder *b, const struct widths *w, struct flow levels[LEVELS])
{
	for (int i = LEVELS - 1; i-- > 0;) {
		struct flow up = twice_as_large(b, levels[i + 1], numbered(b, "up", i));
		levels[i] = cross_stage(b, join(b, up, levels[i], numbered(b, "meet_up", i)),
			numbered(b, "rise", i), w->halves[i + 1], false);
	}
	for (int i = 1; i < LEVELS; i++) {
		struct flow down = conv(b, levels[i - 1], numbered(b, "down", i), w->halves[i], 3, 2);
		levels[i] = cross_stage(b, join(b, down, levels[i], numbered(b, "meet_down", i)),
			numbered(b, "fall", i), w->halves[i + 1], false);
	}
}

/* Two convolutions, and one that says `out` numbers a cell; flattened to [N,out,cells]. */
static const char *branch(
	struct builder *b, struct flow in, const char *name, int64_t width, int64_t out, double bias)
{
	struct flow x = conv(b, in, part(b, name, "first"), width, 3, 1);
	x = conv(b, x, part(b, name, "second"), width, 3, 1);
	const char *weight = part(b, name, "say.weight"), *offset = part(b, name, "say.bias");
	const char *said = part(b, name, "say"), *flat = part(b, name, "flat"),
		   *shape = part(b, name, "shape");
	weights(b, weight, ONNX_SHAPE(out, width, 1, 1), LAST_DEVIATION);
	filled(b, offset, out, bias);
	onnx_node(&b->graph, "Conv", words(b, words(b, x.name, weight), offset), said, NULL);
	whole_numbers(b, shape, 3, (int64_t[]){0, out, -1});
	onnx_node(&b->graph, "Reshape", words(b, said, shape), flat, NULL);
	return flat;
}

/* The cells' centres and strides, in the order of the levels. */
static void cells(struct builder *b, int64_t width, int64_t height, int64_t count)
{
	float *centres = ARENA_ARRAY(&b->arena, float, (size_t)(2 * count));
	float *strides = ARENA_ARRAY(&b->arena, float, (size_t)count);
	int64_t at = 0;
	for (int64_t stride = STRIDE_FIRST; stride <= SIDE_STEP; stride *= 2)
		for (int64_t y = 0; y < height / stride; y++)
			for (int64_t x = 0; x < width / stride; x++, at++) {
				centres[at] = (float)x + 0.5F;
				centres[count + at] = (float)y + 0.5F;
				strides[at] = (float)stride;
			}
	CHECK(at == count);
	onnx_constant(&b->graph, "centres", ONNX_FLOAT, ONNX_SHAPE(1, 2, count), centres);
	onnx_constant(&b->graph, "strides", ONNX_FLOAT, ONNX_SHAPE(1, 1, count), strides);
}

/* From distances to the four sides to centre and size, in pixels. */
static void decode(struct builder *b)
{
	static const char *const nodes[][3] = {
		{"Softplus", "distances_raw", "distances"},
		{"Split", "distances two_two", "before after"},
		{"Sub", "after before", "difference"},
		{"Mul", "difference half", "shift"},
		{"Add", "centres shift", "centre"},
		{"Add", "before after", "size"},
		{"Concat", "centre size", "boxes_strides"},
		{"Mul", "boxes_strides strides", "boxes"},
		{"Sigmoid", "logits", "scores"},
		{"Concat", "boxes scores", "output0"},
	};
	whole_numbers(b, "two_two", 2, (int64_t[]){2, 2});
	onnx_constant_real(&b->graph, "half", 0.5F);
	for (size_t i = 0; i < COUNT_OF(nodes); i++) {
		bool has_axis = strcmp(nodes[i][0], "Concat") == 0 || strcmp(nodes[i][0], "Split") == 0;
		onnx_node(&b->graph, nodes[i][0], nodes[i][1], nodes[i][2],
			has_axis ? ONNX_ATTRIBUTES(ONNX_INT("axis", 1)) : NULL);
	}
}

static void detector(
	struct builder *b, const struct widths *w, int64_t classes, int64_t width, int64_t height)
{
	struct flow levels[LEVELS];
	int64_t count = 0;
	for (int64_t stride = STRIDE_FIRST; stride <= SIDE_STEP; stride *= 2)
		count += (width / stride) * (height / stride);
	onnx_input(&b->graph, "images", ONNX_FLOAT,
		(struct onnx_shape){.rank = 4, .sides = {-1, 3, height, width}, .names = {"batch"}});
	onnx_output(&b->graph, "output0", ONNX_FLOAT,
		(struct onnx_shape){.rank = 3, .sides = {-1, 4 + classes, count}, .names = {"batch"}});
	onnx_constant(&b->graph, "twice", ONNX_FLOAT, ONNX_SHAPE(4), (float[]){1, 1, 2, 2});
	backbone(b, w, levels);
	neck(b, w, levels);
	const char *boxes = "", *scores = "";
	for (int i = 0; i < LEVELS; i++) {
		const char *separator = i ? " " : "";
		const char *box =
			branch(b, levels[i], numbered(b, "box", i), w->box, 4, log(expm1(BOX_DISTANCE)));
		const char *class = branch(b, levels[i], numbered(b, "class", i), w->classes, classes,
			log(CLASS_PRIOR / (1 - CLASS_PRIOR)));
		boxes = arena_printf(&b->arena, "%s%s%s", boxes, separator, box);
		scores = arena_printf(&b->arena, "%s%s%s", scores, separator, class);
	}
	onnx_node(&b->graph, "Concat", boxes, "distances_raw", ONNX_ATTRIBUTES(ONNX_INT("axis", 2)));
	onnx_node(&b->graph, "Concat", scores, "logits", ONNX_ATTRIBUTES(ONNX_INT("axis", 2)));
	cells(b, width, height, count);
	decode(b);
}

/* ---- classifiers ---- */

static void classifier(struct builder *b, int64_t classes, int64_t width, int64_t height)
{
	static const int64_t widths[] = {16, 32, 64, 128};
	int64_t last = widths[COUNT_OF(widths) - 1];
	onnx_input(&b->graph, "images", ONNX_FLOAT,
		(struct onnx_shape){.rank = 4, .sides = {-1, 3, height, width}, .names = {"batch"}});
	onnx_output(&b->graph, "probabilities", ONNX_FLOAT,
		(struct onnx_shape){.rank = 2, .sides = {-1, classes}, .names = {"batch"}});
	struct flow x = {"images", 3};
	for (size_t i = 0; i < COUNT_OF(widths); i++) {
		const char *name = numbered(b, "stage", (int)i);
		x = conv(b, x, part(b, name, "half"), widths[i], 3, 2);
		struct flow y = conv(b, x, part(b, name, "first"), widths[i], 3, 1);
		y = conv_norm(b, y, part(b, name, "second"), widths[i], 3, 1);
		y = node(b, "Add", words(b, x.name, y.name), part(b, name, "sum"), widths[i], NULL);
		x = relu(b, y);
	}
	onnx_node(&b->graph, "GlobalAveragePool", x.name, "pooled", NULL);
	onnx_node(&b->graph, "Flatten", "pooled", "features", ONNX_ATTRIBUTES(ONNX_INT("axis", 1)));
	weights(b, "classes.weight", ONNX_SHAPE(classes, last), 0.01);
	filled(b, "classes.bias", classes, 0);
	onnx_node(&b->graph, "Gemm", "features classes.weight classes.bias", "logits",
		ONNX_ATTRIBUTES(ONNX_INT("transB", 1)));
	onnx_node(&b->graph, "Softmax", "logits", "probabilities", ONNX_ATTRIBUTES(ONNX_INT("axis", 1)));
}

/* ---- the file ---- */

static const struct {
	const char *name;
	enum task task;
	struct widths widths; /* of detectors */
} archs[] = {
	{"det-t", TASK_DETECTION, {8, {16, 32, 64, 96}, 24, 32}},
	{"det-p", TASK_DETECTION, {12, {24, 48, 96, 128}, 32, 48}},
	{"cls-n", TASK_CLASSIFICATION, {0}},
};

const char *arch_names(struct arena *a, const char *const *labels, size_t count)
{
	struct str text;
	str_init(&text, FILE_BYTES_MAX);
	str_append(&text, "{");
	for (size_t i = 0; i < count; i++) {
		str_printf(&text, "%s%zu: '", i ? ", " : "", i);
		for (const char *c = labels[i]; *c; c++) {
			if (*c == '\'' || *c == '\\')
				str_append(&text, "\\");
			str_append_bytes(&text, c, 1);
		}
		str_append(&text, "'");
	}
	str_append(&text, "}");
	char *out = arena_strdup(a, str_text(&text));
	str_release(&text);
	return out;
}

static struct span finish(
	struct builder *b, enum task task, const char *names, uint32_t width, uint32_t height)
{
	const char *sides = arena_printf(&b->arena, "[%u, %u]", height, width);
	const char *const metadata[][2] = {
		{"task", task == TASK_DETECTION ? "detect" : "classify"},
		{"stride", "32"},
		{"imgsz", sides},
		{"names", names},
		{NULL, NULL},
	};
	struct str file;
	str_init(&file, FILE_BYTES_MAX);
	onnx_write(&file, &b->graph, &(struct onnx_model){.opset = OPSET, .metadata = metadata});
	CHECK(!file.full);
	return span_of(file.text, file.size);
}

static bool refuse(char error[GRAPH_ERROR_SIZE], const char *format, const char *what)
{
	snprintf(error, GRAPH_ERROR_SIZE, format, what);
	return false;
}

/* Its recipe is what the server finds by itself when the file is uploaded. */
static bool find_recipe(
	struct span file, enum task task, size_t labels, struct recipe *out, char error[GRAPH_ERROR_SIZE])
{
	struct engine_description d;
	struct err err = {0};
	if (engine_inspect(file, &d, &err) == ST_OK &&
		recipe_find(&d, NULL, task, (uint32_t)labels, out, &err) == ST_OK)
		return true;
	return refuse(error, "%s", err.text);
}

bool arch_make(const char *arch, const char *const *labels, size_t label_count, uint32_t width,
	uint32_t height, uint64_t seed, struct recipe *recipe, void **out, size_t *out_size,
	char error[GRAPH_ERROR_SIZE])
{
	size_t at = 0;
	while (at < COUNT_OF(archs) && strcmp(archs[at].name, arch) != 0)
		at++;
	if (at == COUNT_OF(archs))
		return refuse(
			error, "There is no architecture \"%s\": det-t, det-p and cls-n are known.", arch);
	bool detects = archs[at].task == TASK_DETECTION;
	if (width < SIDE_STEP || height < SIDE_STEP || width % SIDE_STEP || height % SIDE_STEP ||
		width > RECIPE_SIDE_MAX || height > RECIPE_SIDE_MAX)
		return refuse(error, "%s needs an input whose sides are multiples of 32, up to 4096.", arch);
	if (label_count < (detects ? 1 : 2) || label_count > RECIPE_CLASSES_MAX)
		return refuse(error, "%s needs more labels: one for a detector, two for a classifier.", arch);
	struct builder b = {.chance = chance_of(seed, 0, 0)};
	arena_init(&b.arena);
	onnx_graph_init(&b.graph);
	if (detects)
		detector(&b, &archs[at].widths, (int64_t)label_count, width, height);
	else
		classifier(&b, (int64_t)label_count, width, height);
	const char *names = arch_names(&b.arena, labels, label_count);
	struct span file = finish(&b, archs[at].task, names, width, height);
	bool found = find_recipe(file, archs[at].task, label_count, recipe, error);
	onnx_graph_release(&b.graph);
	arena_release(&b.arena);
	*out = found ? (void *)(uintptr_t)file.data : NULL;
	*out_size = found ? file.size : 0;
	if (!found)
		free((void *)(uintptr_t)file.data);
	return found;
}
