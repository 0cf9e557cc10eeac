/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a recipe: the input from the graph, the layout of the outputs by asking each that is known, and the
 * rest by that layout's convention. And what a recipe is then good for: checking it against a graph, reading
 * a run's outputs.
 */
#include "task/recipe.h"

#include "base/check.h"
#include "task/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SIDE_OF_DETECTION 640
#define SIDE_OF_CLASSIFICATION 224

void recipe_mark(struct recipe *r, enum recipe_field f, enum origin o)
{
	CHECK(f < RECIPE_FIELD_COUNT && o < ORIGIN_COUNT);
	r->origins[f] = o;
}

uint32_t recipe_label_count(const struct recipe *r)
{
	return r->class_count - (r->background != BACKGROUND_NONE);
}

bool recipe_counts_by_labels(const struct recipe *r)
{
	/* Of a mask only a map of classes leaves their number to be guessed. */
	return r->output == OUTPUT_END_TO_END || r->output == OUTPUT_END_TO_END_PARTS ||
	       (r->output == OUTPUT_SEMANTIC && r->origins[RECIPE_CLASS_COUNT] == ORIGIN_GUESSED);
}

/* ---- the input ---- */

static bool is_channels(int64_t dim)
{
	return dim == 1 || dim == 3;
}

/* Which axis of an input of four dimensions counts the channels: where a 1 or a 3 stands, or could. 0:
 * neither. */
static int channel_axis(const struct engine_port *port, bool *sure)
{
	int64_t first = port->shape[1], last = port->shape[3];
	*sure = is_channels(first) != is_channels(last);
	if (is_channels(first))
		return 1;
	if (is_channels(last))
		return 3;
	if (first == -1)
		return 1;
	return last == -1 ? 3 : 0;
}

static enum status find_sample(const struct engine_port *port, struct recipe *r, struct err *err)
{
	switch (port->type) {
	case ENGINE_FLOAT32: r->input.sample = SAMPLE_FLOAT32; break;
	case ENGINE_FLOAT16: r->input.sample = SAMPLE_FLOAT16; break;
	case ENGINE_UINT8: r->input.sample = SAMPLE_UINT8; break;
	default:
		return err_set(err, ST_UNPROCESSABLE,
			"The model takes %s; images are given as float32, float16 or uint8.",
			engine_type_name(port->type));
	}
	recipe_mark(r, RECIPE_SAMPLE, ORIGIN_READ);
	return ST_OK;
}

/* Can its one input be an image? */
static enum status check_port(const struct engine_description *d, struct err *err)
{
	if (d->input_count != 1)
		return err_set(err, ST_UNPROCESSABLE,
			"The model has %u inputs, but one image is all that it is given.", d->input_count);
	struct output_shape s;
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	output_shape_port(&d->inputs[0], &s);
	if (s.rank != 4)
		return err_set(err, ST_UNPROCESSABLE,
			"The model's input is %s, but an image has four dimensions: one batch, channels, "
			"height and width.",
			output_shape_print(&s, text));
	if (!output_dim_may_be(s.dims[0], 1))
		return err_set(err, ST_UNPROCESSABLE,
			"The model's input is %s: images are given one at a time, export it for a batch of "
			"1.",
			output_shape_print(&s, text));
	return ST_OK;
}

/* Axes of the input's height and width. */
struct axes {
	int height, width;
};

static struct axes axes_of(enum layout layout)
{
	return layout == LAYOUT_NCHW ? (struct axes){2, 3} : (struct axes){1, 2};
}

/* Ultralytics' exports say "[height, width]" under "imgsz". Sides out of range are passed over. */
static bool metadata_sides(const struct engine_description *d, uint32_t *height, uint32_t *width)
{
	const char *text = output_metadata(d, "imgsz");
	if (text == NULL || *text != '[')
		return false;
	char *end;
	unsigned long first = strtoul(text + 1, &end, 10);
	unsigned long second = *end == ',' ? strtoul(end + 1, &end, 10) : first;
	if (*end != ']' || first < 1 || first > RECIPE_SIDE_MAX || second < 1 || second > RECIPE_SIDE_MAX)
		return false;
	*height = (uint32_t)first;
	*width = (uint32_t)second;
	return true;
}

/* The sides where the graph fixes them; else what the metadata say, the other side, or the usual size. */
static void find_sides(const struct engine_description *d, struct recipe *r)
{
	struct axes axes = axes_of(r->input.layout);
	int64_t height = d->inputs[0].shape[axes.height], width = d->inputs[0].shape[axes.width];
	uint32_t usual = r->task == TASK_CLASSIFICATION ? SIDE_OF_CLASSIFICATION : SIDE_OF_DETECTION;
	r->input.height = r->input.width = usual;
	enum origin origin = ORIGIN_GUESSED;
	if (metadata_sides(d, &r->input.height, &r->input.width))
		origin = ORIGIN_READ;
	else if (height != -1 || width != -1)
		r->input.height = r->input.width = (uint32_t)(height != -1 ? height : width);
	if (height != -1)
		r->input.height = (uint32_t)height;
	if (width != -1)
		r->input.width = (uint32_t)width;
	recipe_mark(r, RECIPE_HEIGHT, height != -1 ? ORIGIN_READ : origin);
	recipe_mark(r, RECIPE_WIDTH, width != -1 ? ORIGIN_READ : origin);
}

static enum status find_input(const struct engine_description *d, struct recipe *r, struct err *err)
{
	const struct engine_port *port = &d->inputs[0];
	TRY(check_port(d, err));
	TRY(find_sample(port, r, err));
	bool sure;
	int axis = channel_axis(port, &sure);
	struct output_shape s;
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	output_shape_port(port, &s);
	if (axis == 0)
		return err_set(err, ST_UNPROCESSABLE,
			"The model's input is %s: an image has 1 or 3 channels, second or last of the "
			"dimensions.",
			output_shape_print(&s, text));
	r->input.layout = axis == 1 ? LAYOUT_NCHW : LAYOUT_NHWC;
	recipe_mark(r, RECIPE_LAYOUT, sure ? ORIGIN_READ : ORIGIN_GUESSED);
	r->input.colour = port->shape[axis] == 1 ? COLOUR_GREY : COLOUR_RGB;
	recipe_mark(r, RECIPE_COLOUR, port->shape[axis] == 1 ? ORIGIN_READ : ORIGIN_GUESSED);
	for (int i = 1; i < 4; i++)
		if (s.dims[i] != -1 && (s.dims[i] < 1 || s.dims[i] > RECIPE_SIDE_MAX))
			return err_set(err, ST_UNPROCESSABLE,
				"The model's input is %s: its sides must be 1 to %d.",
				output_shape_print(&s, text), RECIPE_SIDE_MAX);
	find_sides(d, r);
	return ST_OK;
}

/* The sides of the input as the outputs in hand had it; 0 where that is not known. */
static void probed_sides(struct output_probe *p, enum layout layout)
{
	const struct engine_description *d = p->graph;
	struct axes axes = axes_of(layout);
	int64_t height = d->inputs[0].shape[axes.height], width = d->inputs[0].shape[axes.width];
	/* With both open the outputs tell it themselves: the input was a square. */
	bool tried = (height != -1 || width != -1) && d->probe_rank == 4;
	p->height = height != -1 ? (uint32_t)height : tried ? (uint32_t)d->probe_shape[axes.height] : 0;
	p->width = width != -1 ? (uint32_t)width : tried ? (uint32_t)d->probe_shape[axes.width] : 0;
}

/* ---- the outputs ---- */

/* "output0 float32[1,84,8400], …", at most three of them */
static void print_outputs(const struct engine_description *d, char *out, size_t size)
{
	size_t used = 0;
	for (unsigned i = 0; i < d->output_count && i < 3 && used < size; i++) {
		struct output_shape s;
		char name[OUTPUT_NAME_TEXT_SIZE], text[OUTPUT_SHAPE_TEXT_SIZE];
		output_shape_port(&d->outputs[i], &s);
		used += (size_t)snprintf(out + used, size - used, "%s\"%s\" %s", i ? ", " : "",
			output_name_print(d->outputs[i].name, name), output_shape_print(&s, text));
	}
	if (d->output_count > 3 && used < size)
		snprintf(out + used, size - used, " and %u more", d->output_count - 3);
}

/* The layouts of a task: "detr, yolo_v8, yolox_raw" */
static void print_layouts(enum task task, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (enum output_layout o = 0; o < OUTPUT_COUNT && used < size; o++)
		if (output_task(o) == task)
			used += (size_t)snprintf(
				out + used, size - used, "%s%s", used ? ", " : "", output_name(o));
}

static enum output_fit try_layout(
	const struct output_probe *p, enum output_layout o, struct recipe *r, struct err *why)
{
	struct recipe trial = *r;
	trial.output = o;
	recipe_mark(&trial, RECIPE_OUTPUT, ORIGIN_READ);
	enum output_fit fit = output_ops(o)->find(p, &trial, why);
	if (fit == OUTPUT_FITS)
		*r = trial;
	return fit;
}

static enum status no_layout(const struct output_probe *p, struct recipe *r, struct err *err)
{
	struct err ignored;
	char outputs[280], layouts[120];
	print_outputs(p->graph, outputs, sizeof(outputs));
	print_layouts(r->task, layouts, sizeof(layouts));
	for (enum output_layout o = 0; o < OUTPUT_COUNT; o++) {
		struct recipe trial = *r;
		if (output_task(o) != r->task && try_layout(p, o, &trial, &ignored) == OUTPUT_FITS)
			return err_set(err, ST_UNPROCESSABLE,
				"The model's outputs (%s) are no %s, but they fit %s: is its type %s?",
				outputs, task_name(r->task), output_name(o), task_name(output_task(o)));
	}
	return err_set(err, ST_UNPROCESSABLE,
		"The model's outputs (%s) fit none of the layouts that are read for %s: %s.", outputs,
		task_name(r->task), layouts);
}

static enum status find_output(const struct output_probe *p, struct recipe *r, struct err *err)
{
	struct err doubt = {0};
	for (enum output_layout o = 0; o < OUTPUT_COUNT; o++) {
		struct err why;
		enum output_fit fit = output_task(o) == r->task ? try_layout(p, o, r, &why) : OUTPUT_NO;
		if (fit == OUTPUT_FITS)
			return ST_OK;
		if (fit == OUTPUT_DOUBTFUL && doubt.status == ST_OK)
			doubt = why;
	}
	return doubt.status != ST_OK ? err_set(err, doubt.status, "%s", doubt.text) : no_layout(p, r, err);
}

/* The layout that a person named. */
static enum status find_chosen(
	struct output_probe *p, enum output_layout o, struct recipe *r, struct err *err)
{
	p->chosen = true;
	if (output_task(o) != r->task)
		return err_set(err, ST_INVALID,
			"The recipe's output %s is one of %s, but the model's type is %s.", output_name(o),
			task_name(output_task(o)), task_name(r->task));
	struct err why;
	enum output_fit fit = try_layout(p, o, r, &why);
	if (fit == OUTPUT_FITS)
		return ST_OK;
	if (fit == OUTPUT_DOUBTFUL)
		return err_set(err, why.status, "%s", why.text);
	char outputs[280];
	print_outputs(p->graph, outputs, sizeof(outputs));
	return err_set(err, ST_UNPROCESSABLE, "The model's outputs (%s) cannot be %s: %s.", outputs,
		output_name(o), output_help(o));
}

/* A graph that takes bytes scales them by itself. */
void recipe_follow_convention(struct recipe *r)
{
	const struct tensor_spec own = r->input;
	r->input = recipe_blank(r->task).input;
	r->input.width = own.width;
	r->input.height = own.height;
	r->input.layout = own.layout;
	r->input.sample = own.sample;
	r->input.colour = own.colour == COLOUR_GREY ? COLOUR_GREY : COLOUR_RGB;
	output_ops(r->output)->convention(r);
	if (r->input.sample != SAMPLE_UINT8)
		return;
	r->input.scale = 1;
	for (int c = 0; c < 3; c++) {
		r->input.mean[c] = 0;
		r->input.std[c] = 1;
	}
}

enum status recipe_find_given(const struct engine_description *d, const struct engine_tensor *probe,
	enum task task, uint32_t label_count, yyjson_val *given, struct recipe *out, struct err *err)
{
	struct recipe r = recipe_blank(task);
	recipe_mark(&r, RECIPE_TASK, ORIGIN_GIVEN);
	TRY(find_input(d, &r, err));
	struct output_probe p = {.graph = d, .tensors = probe, .label_count = label_count};
	probed_sides(&p, r.input.layout);
	enum output_layout chosen = OUTPUT_COUNT;
	TRY(recipe_chosen_output(given, &chosen, err));
	TRY(chosen == OUTPUT_COUNT ? find_output(&p, &r, err) : find_chosen(&p, chosen, &r, err));
	recipe_follow_convention(&r);
	snprintf(r.features_output, sizeof(r.features_output), "%s", d->features_output);
	recipe_mark(&r, RECIPE_FEATURES_OUTPUT, ORIGIN_READ);
	if (given != NULL)
		TRY(recipe_apply(&r, given, err));
	*out = r;
	return ST_OK;
}

enum status recipe_find(const struct engine_description *d, const struct engine_tensor *probe, enum task task,
	uint32_t label_count, struct recipe *out, struct err *err)
{
	return recipe_find_given(d, probe, task, label_count, NULL, out, err);
}

static bool is_background_name(const char *label)
{
	static const char *const names[] = {"background", "__background__", "_background_", "bg"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcasecmp(label, names[i]) == 0)
			return true;
	return false;
}

enum status recipe_find_for_labels(const struct engine_description *d, const struct engine_tensor *probe,
	enum task task, const char *const *labels, uint32_t label_count, yyjson_val *given,
	struct recipe *out, uint32_t *skipped, struct err *err)
{
	*skipped = 0;
	if (label_count > 1 && is_background_name(labels[0])) {
		struct recipe r;
		struct err ignored;
		if (recipe_find_given(d, probe, task, label_count - 1, given, &r, &ignored) == ST_OK &&
			recipe_check(&r, d, label_count - 1, &ignored) == ST_OK &&
			r.background == BACKGROUND_FIRST) {
			*out = r;
			*skipped = 1;
			return ST_OK;
		}
	}
	return recipe_find_given(d, probe, task, label_count, given, out, err);
}

/* ---- does it fit ---- */

static enum status check_input(const struct recipe *r, const struct engine_description *d, struct err *err)
{
	static const enum engine_type types[] = {[SAMPLE_FLOAT32] = ENGINE_FLOAT32,
		[SAMPLE_UINT8] = ENGINE_UINT8,
		[SAMPLE_FLOAT16] = ENGINE_FLOAT16};
	const struct engine_port *port = &d->inputs[0];
	TRY(check_port(d, err));
	bool first = r->input.layout == LAYOUT_NCHW;
	int64_t channels = tensor_channels(&r->input), width = r->input.width, height = r->input.height;
	struct output_shape s,
		wanted = {.type = types[r->input.sample], .rank = 4, .dims = {1, channels, height, width}};
	if (!first) {
		wanted.dims[1] = height;
		wanted.dims[2] = width;
		wanted.dims[3] = channels;
	}
	output_shape_port(port, &s);
	bool fits = s.type == wanted.type;
	for (int i = 0; i < 4; i++)
		fits &= output_dim_may_be(s.dims[i], wanted.dims[i]);
	if (fits)
		return ST_OK;
	char seen[OUTPUT_SHAPE_TEXT_SIZE], text[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE, "The recipe makes an input of %s, but the model takes %s.",
		output_shape_print(&wanted, text), output_shape_print(&s, seen));
}

static enum status check_labels(const struct recipe *r, uint32_t labels, struct err *err)
{
	uint32_t classes = r->class_count, wanted = recipe_label_count(r);
	if (labels == 0 || labels == wanted)
		return ST_OK;
	if (wanted != classes)
		return err_set(err, ST_UNPROCESSABLE,
			"The model has %u classes of which one is the background, so there must be %u "
			"labels, and not %u%s.",
			classes, wanted, labels, labels == classes ? ": leave the background's out" : "");
	if (labels + 1 == classes && output_has_background(r->output))
		return err_set(err, ST_UNPROCESSABLE,
			"The model has %u classes, but there are %u labels: if a class is the background, "
			"the recipe must say "
			"\"background\": \"first\" or \"last\".",
			classes, labels);
	if (labels == classes + 1)
		return err_set(err, ST_UNPROCESSABLE,
			"The model has %u classes, but there are %u labels: if one of them is for a "
			"background, leave it out.",
			classes, labels);
	return err_set(
		err, ST_UNPROCESSABLE, "The model has %u classes, but there are %u labels.", classes, labels);
}

enum status recipe_check(
	const struct recipe *r, const struct engine_description *d, uint32_t label_count, struct err *err)
{
	const struct output_ops *ops = output_ops(r->output);
	struct output_shape shapes[RECIPE_TENSORS_MAX];
	bool stated = true;
	TRY(check_input(r, d, err));
	for (unsigned i = 0; i < ops->tensor_count; i++) {
		if (r->tensors[i] >= d->output_count)
			return err_set(err, ST_UNPROCESSABLE,
				"The recipe reads output %u, but the model has only %u (from 0).",
				r->tensors[i], d->output_count);
		output_shape_port(&d->outputs[r->tensors[i]], &shapes[i]);
		stated &= shapes[i].rank != -1;
	}
	if (stated)
		TRY(ops->check(r, shapes, err));
	return check_labels(r, label_count, err);
}

/* ---- reading ---- */

enum status recipe_read(const struct recipe *r, const struct engine_tensor *outputs, unsigned output_count,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	const struct output_ops *ops = output_ops(r->output);
	const struct engine_tensor *tensors[RECIPE_TENSORS_MAX];
	struct output_shape shapes[RECIPE_TENSORS_MAX];
	*out = (struct shapes){0};
	for (unsigned i = 0; i < ops->tensor_count; i++) {
		if (r->tensors[i] >= output_count)
			return err_set(err, ST_FAILED,
				"The model gave %u outputs, but the recipe reads number %u (from 0).",
				output_count, r->tensors[i]);
		tensors[i] = &outputs[r->tensors[i]];
		if (!output_shape_tensor(tensors[i], &shapes[i]))
			return err_set(err, ST_FAILED,
				"The model's output %u is not as large as its shape says.", r->tensors[i]);
		if (!output_is_float(&shapes[i]) && !(ops->takes_integers && output_is_number(&shapes[i])))
			return err_set(err, ST_FAILED,
				"The model's output %u is of type %s, not float32 or float16.", r->tensors[i],
				engine_type_name(shapes[i].type));
	}
	struct err why;
	if (ops->check(r, shapes, &why) != ST_OK)
		return err_set(err, ST_FAILED, "%s", why.text);
	return ops->read(r, tensors, map, a, out, err);
}
