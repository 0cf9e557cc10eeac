/* SPDX-License-Identifier: Apache-2.0 */
/* The table of output layouts, and what all of them need: shapes as far as known, grids, half floats, probed
 * values. */
#include "task/output.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *help;
	enum task task;
	const struct output_ops *ops;
} outputs[OUTPUT_COUNT] = {
#define OUTPUT(name, text, task, help) {#text, help, TASK_##task, &output_##text},
#include "task/outputs.def"
#undef OUTPUT
};

const struct output_ops *output_ops(enum output_layout o)
{
	CHECK(o < OUTPUT_COUNT);
	return outputs[o].ops;
}

const char *output_name(enum output_layout o)
{
	CHECK(o < OUTPUT_COUNT);
	return outputs[o].name;
}

const char *output_help(enum output_layout o)
{
	CHECK(o < OUTPUT_COUNT);
	return outputs[o].help;
}

enum task output_task(enum output_layout o)
{
	CHECK(o < OUTPUT_COUNT);
	return outputs[o].task;
}

bool output_has_background(enum output_layout o)
{
	return output_ops(o)->has_background;
}

/* ---- shapes ---- */

bool output_shape_tensor(const struct engine_tensor *t, struct output_shape *out)
{
	size_t size = t->type <= ENGINE_OTHER ? engine_type_size(t->type) : 0;
	if (size == 0 || t->rank < 0 || t->rank > ENGINE_RANK_MAX)
		return false;
	*out = (struct output_shape){.type = t->type, .rank = t->rank};
	for (int i = 0; i < t->rank; i++) {
		if (t->shape[i] < 0 || __builtin_mul_overflow(size, (uint64_t)t->shape[i], &size))
			return false;
		out->dims[i] = t->shape[i];
	}
	/* Floats are read in place. */
	return size <= t->size && (size == 0 || (t->data != NULL && (uintptr_t)t->data % sizeof(float) == 0));
}

const struct engine_tensor *output_probe_tensor(const struct output_probe *p, unsigned index)
{
	CHECK(index < p->graph->output_count);
	const struct engine_port *port = &p->graph->outputs[index];
	struct output_shape shape;
	if (p->tensors == NULL || !output_shape_tensor(&p->tensors[index], &shape) ||
		shape.type != port->type)
		return NULL;
	if (port->rank != -1 && port->rank != shape.rank)
		return NULL;
	for (int i = 0; i < port->rank; i++)
		if (!output_dim_may_be(port->shape[i], shape.dims[i]))
			return NULL;
	return &p->tensors[index];
}

struct output_shape output_shape_known(const struct output_probe *p, unsigned index)
{
	struct output_shape s;
	const struct engine_tensor *t = output_probe_tensor(p, index);
	if (t == NULL || !output_shape_tensor(t, &s))
		output_shape_port(&p->graph->outputs[index], &s);
	return s;
}

void output_shape_port(const struct engine_port *port, struct output_shape *out)
{
	*out = (struct output_shape){.type = port->type, .rank = port->rank};
	CHECK(port->rank <= ENGINE_RANK_MAX);
	for (int i = 0; i < port->rank; i++)
		out->dims[i] = port->shape[i];
}

bool output_is_float(const struct output_shape *s)
{
	return s->type == ENGINE_FLOAT32 || s->type == ENGINE_FLOAT16;
}

bool output_is_number(const struct output_shape *s)
{
	return s->type < ENGINE_OTHER;
}

bool output_dim_may_be(int64_t dim, int64_t wanted)
{
	return dim == -1 || dim == wanted;
}

const char *output_shape_print(const struct output_shape *s, char out[OUTPUT_SHAPE_TEXT_SIZE])
{
	size_t size = OUTPUT_SHAPE_TEXT_SIZE,
	       used = (size_t)snprintf(out, size, "%s", engine_type_name(s->type));
	for (int i = 0; i < s->rank && used < size; i++)
		used += (size_t)snprintf(
			out + used, size - used, "%c%lld", i == 0 ? '[' : ',', (long long)s->dims[i]);
	if (used < size)
		snprintf(out + used, size - used, "%s",
			s->rank < 0 ? " of unknown shape"
			: s->rank   ? "]"
				    : "[]");
	return out;
}

const char *output_name_print(const char *name, char out[OUTPUT_NAME_TEXT_SIZE])
{
	size_t used = 0;
	for (; name[used] != '\0' && used < OUTPUT_NAME_TEXT_SIZE - 4; used++)
		out[used] = (char)(name[used] >= ' ' && name[used] <= '~' ? name[used] : '?');
	snprintf(out + used, OUTPUT_NAME_TEXT_SIZE - used, "%s", name[used] == '\0' ? "" : "...");
	return out;
}

uint64_t output_grid_cells(uint32_t width, uint32_t height, uint32_t stride_first, uint32_t stride_last)
{
	uint64_t cells = 0;
	for (uint32_t stride = stride_first; stride <= stride_last; stride *= 2)
		cells += (uint64_t)(width / stride) * (height / stride);
	return cells;
}

bool output_grid_fits(struct output_grid *g, int64_t count)
{
	if (count <= 0)
		return false;
	if (g->width > 0 && g->height > 0)
		return (uint64_t)count ==
		       g->anchors * output_grid_cells(g->width, g->height, g->stride_first, g->stride_last);
	for (uint32_t side = g->stride_last; side <= RECIPE_SIDE_MAX; side += g->stride_last) {
		if ((uint64_t)count !=
			g->anchors * output_grid_cells(side, side, g->stride_first, g->stride_last))
			continue;
		g->width = g->height = side;
		return true;
	}
	return false;
}

bool output_grid_find(const struct output_probe *p, int64_t count, uint32_t anchors, struct output_grid *g)
{
	static const uint32_t strides[][2] = {{8, 32}, {8, 64}, {4, 32}};
	for (size_t i = 0; i < COUNT_OF(strides); i++) {
		*g = (struct output_grid){p->width, p->height, strides[i][0], strides[i][1], anchors};
		if (output_grid_fits(g, count))
			return true;
	}
	return false;
}

const char *output_metadata(const struct engine_description *d, const char *key)
{
	for (unsigned i = 0; i < d->metadata_count && i < ENGINE_METADATA_MAX; i++)
		if (strcmp(d->metadata[i].key, key) == 0)
			return d->metadata[i].value;
	return NULL;
}

bool output_metadata_deny_detection(const struct output_probe *p)
{
	const char *task = output_metadata(p->graph, "task");
	return task != NULL && strcmp(task, "detect") != 0;
}

bool output_operator_tells(const char *made_by, bool *probabilities)
{
	*probabilities = strcmp(made_by, "Softmax") == 0 || strcmp(made_by, "Sigmoid") == 0;
	return *probabilities || strcmp(made_by, "LogSoftmax") == 0;
}

bool output_name_has(const char *name, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (strcasestr(name, words[i]) != NULL)
			return true;
	return false;
}

enum output_fit output_doubt(struct err *why, const struct output_probe *p, unsigned index, const char *what)
{
	char name[OUTPUT_NAME_TEXT_SIZE];
	err_set(why, ST_UNPROCESSABLE, "Output \"%s\" %s.",
		output_name_print(p->graph->outputs[index].name, name), what);
	return OUTPUT_DOUBTFUL;
}

/* ---- values ---- */

static float float_of_half(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
	uint32_t bits = sign | (magnitude << 13);
	float out;
	if (magnitude >= 0x7c00) { /* infinity, NaN */
		bits |= 0x7f800000;
	} else if (magnitude >= 0x0400) {
		bits += (127 - 15) << 23;
	} else { /* zero, subnormal: magnitude * 2^-24, exact */
		out = (float)magnitude * 0x1p-24f;
		return sign ? -out : out;
	}
	memcpy(&out, &bits, sizeof(out));
	return out;
}

const float *output_floats(const struct engine_tensor *t, size_t offset, size_t count, float *scratch)
{
	if (t->type == ENGINE_FLOAT32)
		return (const float *)t->data + offset;
	CHECK(t->type == ENGINE_FLOAT16);
	const uint16_t *halves = (const uint16_t *)t->data + offset;
	for (size_t i = 0; i < count; i++)
		scratch[i] = float_of_half(halves[i]);
	return scratch;
}

double output_number(const struct engine_tensor *t, size_t i)
{
	const uint8_t *at = (const uint8_t *)t->data + i * engine_type_size(t->type);
	int32_t narrow;
	int64_t wide;
	double real;
	float scratch;
	switch (t->type) {
	case ENGINE_UINT8:
	case ENGINE_BOOL: return *at;
	case ENGINE_INT8: return (int8_t)*at;
	case ENGINE_INT32: memcpy(&narrow, at, sizeof(narrow)); return narrow;
	case ENGINE_INT64: memcpy(&wide, at, sizeof(wide)); return (double)wide;
	case ENGINE_DOUBLE: memcpy(&real, at, sizeof(real)); return real;
	default: return *output_floats(t, i, 1, &scratch);
	}
}

float output_value(const struct output_rows *rows, size_t i, size_t k)
{
	float scratch;
	return *output_floats(
		rows->tensor, rows->first + i * rows->box_step + k * rows->value_step, 1, &scratch);
}

struct output_range output_range_seen(const struct output_rows *rows, size_t first, size_t end)
{
	struct output_range r = {INFINITY, -INFINITY, rows->count > 0 && first < end};
	for (size_t i = 0; i < rows->count; i++) {
		for (size_t k = first; k < end; k++) {
			float value = output_value(rows, i, k);
			if (!isfinite(value))
				r.finite = false;
			r.low = fminf(r.low, value);
			r.high = fmaxf(r.high, value);
		}
	}
	return r;
}

bool output_range_is_unit(struct output_range r)
{
	return r.low >= -1e-3f && r.high <= 1 + 1e-3f;
}

enum output_boxes output_boxes_seen(const struct output_rows *rows, uint32_t width, uint32_t height)
{
	struct output_range x = output_range_seen(rows, 0, 1), y = output_range_seen(rows, 1, 2);
	struct output_range size = output_range_seen(rows, 2, 4);
	if (!x.finite || !y.finite || !size.finite)
		return BOXES_UNKNOWN;
	/* Whatever is seen in plain grey, a grid's centres go from one edge to the other; raw offsets know no
	 * edges. */
	bool within_unit = x.low >= -0.1f && x.high <= 1.1f && y.low >= -0.1f && y.high <= 1.1f;
	if (within_unit && x.high - x.low >= 0.5f && y.high - y.low >= 0.5f && size.low >= 0)
		return BOXES_UNIT;
	if (width == 0 || height == 0)
		return BOXES_UNKNOWN;
	if (x.high - x.low >= (float)width / 2 && y.high - y.low >= (float)height / 2)
		return BOXES_PIXELS;
	struct output_range all = output_range_seen(rows, 0, 4);
	return fmaxf(-all.low, all.high) < (float)(width < height ? width : height) / 4 ? BOXES_RAW
											: BOXES_UNKNOWN;
}

/* ---- what was found ---- */

void output_found_boxes(struct recipe *r, unsigned tensor, int64_t classes)
{
	r->tensors[0] = tensor;
	r->class_count = (uint32_t)classes;
	r->background = BACKGROUND_NONE;
	r->probabilities = true;
	r->nms_iou = 0.45f;
	recipe_mark(r, RECIPE_TENSORS, ORIGIN_READ);
	recipe_mark(r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	recipe_mark(r, RECIPE_BACKGROUND, ORIGIN_READ);
	recipe_mark(r, RECIPE_PROBABILITIES, ORIGIN_READ);
	recipe_mark(r, RECIPE_NMS_IOU, ORIGIN_GUESSED);
}

void output_convention_letterbox(struct recipe *r, enum pad_at at)
{
	r->input.fit = FIT_LETTERBOX;
	r->input.pad_at = at;
	r->input.pad_value = 114;
}

void output_convention_imagenet(struct recipe *r)
{
	static const float mean[3] = {0.485f, 0.456f, 0.406f}, std[3] = {0.229f, 0.224f, 0.225f};
	r->input.scale = 1.0f / 255;
	memcpy(r->input.mean, mean, sizeof(mean));
	memcpy(r->input.std, std, sizeof(std));
}
