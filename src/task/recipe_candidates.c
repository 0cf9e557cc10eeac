/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipes that a model could plausibly need: each thing that can be otherwise is an axis with its
 * choices, the found one first; the candidates are all combinations, fewest changes first.
 */
#include "task/recipe.h"

#include "base/check.h"
#include "task/output.h"

#include <math.h>
#include <string.h>

#define CHOICES_MAX 8
/* Two scalings of 0…255 that are nowhere farther apart than this share of the range are one. */
#define SCALING_SAME 0.02f

enum axis { AXIS_COLOUR, AXIS_SCALING, AXIS_FIT, AXIS_BACKGROUND, AXIS_BOXES, AXIS_ORDER, AXIS_COUNT };
#define INPUT_AXES (AXIS_FIT + 1)
#define COST_MAX (INPUT_AXES + 2 * (AXIS_COUNT - INPUT_AXES))

struct scaling {
	float scale, mean[3], std[3]; /* red, green, blue */
};

struct placing {
	enum fit fit;
	enum pad_at pad_at;
};

struct boxes {
	enum box_form form;
	enum box_unit unit;
};

/* Choice 0 of each is the found one. */
struct axes {
	size_t counts[AXIS_COUNT];
	enum colour colours[CHOICES_MAX];
	struct scaling scalings[CHOICES_MAX];
	struct placing placings[CHOICES_MAX];
	enum background backgrounds[CHOICES_MAX];
	struct boxes boxes[CHOICES_MAX];
	enum row_order orders[CHOICES_MAX];
};

static bool is_open(const struct recipe *r, enum recipe_field f)
{
	return r->origins[f] != ORIGIN_READ && recipe_field_applies(r->output, f);
}

/* ---- colour, scaling ---- */

static void swap_ends(float values[3])
{
	float first = values[0];
	values[0] = values[2];
	values[2] = first;
}

static bool are_same(const struct scaling *a, const struct scaling *b)
{
	for (int c = 0; c < 3; c++) {
		float a0 = -a->mean[c] / a->std[c], a255 = (255 * a->scale - a->mean[c]) / a->std[c];
		float b0 = -b->mean[c] / b->std[c], b255 = (255 * b->scale - b->mean[c]) / b->std[c];
		float apart = SCALING_SAME * fmaxf(fabsf(a255 - a0), fabsf(b255 - b0));
		if (fabsf(a0 - b0) > apart || fabsf(a255 - b255) > apart)
			return false;
	}
	return true;
}

static void add_scaling(struct axes *axes, struct scaling s)
{
	size_t *count = &axes->counts[AXIS_SCALING];
	for (size_t i = 0; i < *count; i++)
		if (are_same(&axes->scalings[i], &s))
			return;
	CHECK(*count < CHOICES_MAX);
	axes->scalings[(*count)++] = s;
}

static void list_pixels(const struct recipe *r, struct axes *axes)
{
	const struct tensor_spec *in = &r->input;
	axes->counts[AXIS_COLOUR] = 1;
	axes->colours[0] = in->colour;
	if (in->colour != COLOUR_GREY && is_open(r, RECIPE_COLOUR))
		axes->colours[axes->counts[AXIS_COLOUR]++] =
			in->colour == COLOUR_RGB ? COLOUR_BGR : COLOUR_RGB;
	struct scaling own = {.scale = in->scale};
	memcpy(own.mean, in->mean, sizeof(own.mean));
	memcpy(own.std, in->std, sizeof(own.std));
	if (in->colour == COLOUR_BGR) {
		swap_ends(own.mean);
		swap_ends(own.std);
	}
	add_scaling(axes, own);
	bool open = is_open(r, RECIPE_SCALE) || is_open(r, RECIPE_MEAN) || is_open(r, RECIPE_STD);
	if (in->sample == SAMPLE_UINT8 || !open)
		return;
	add_scaling(axes, (struct scaling){1, {0, 0, 0}, {1, 1, 1}});
	add_scaling(axes, (struct scaling){1.0f / 255, {0, 0, 0}, {1, 1, 1}});
	add_scaling(axes, (struct scaling){1 / 127.5f, {1, 1, 1}, {1, 1, 1}});
	if (in->colour == COLOUR_GREY)
		return;
	struct recipe imagenet = recipe_blank(r->task);
	output_convention_imagenet(&imagenet);
	struct scaling s = {.scale = imagenet.input.scale};
	memcpy(s.mean, imagenet.input.mean, sizeof(s.mean));
	memcpy(s.std, imagenet.input.std, sizeof(s.std));
	add_scaling(axes, s);
}

/* ---- fit ---- */

static void add_placing(struct axes *axes, enum fit fit, enum pad_at pad_at)
{
	size_t *count = &axes->counts[AXIS_FIT];
	for (size_t i = 0; i < *count; i++) {
		const struct placing *p = &axes->placings[i];
		if (p->fit == fit && (fit != FIT_LETTERBOX || p->pad_at == pad_at))
			return;
	}
	CHECK(*count < CHOICES_MAX);
	axes->placings[(*count)++] = (struct placing){fit, pad_at};
}

static void list_placings(const struct recipe *r, struct axes *axes)
{
	add_placing(axes, r->input.fit, r->input.pad_at);
	if (!is_open(r, RECIPE_FIT) && !is_open(r, RECIPE_PAD))
		return;
	bool classifies = r->task == TASK_CLASSIFICATION;
	if (classifies)
		add_placing(axes, FIT_CENTER_CROP, r->input.pad_at);
	else
		add_placing(axes, FIT_LETTERBOX, PAD_CENTER);
	if (!classifies)
		add_placing(axes, FIT_LETTERBOX, PAD_BOTTOM_RIGHT);
	add_placing(axes, FIT_STRETCH, r->input.pad_at);
	if (classifies)
		add_placing(axes, FIT_LETTERBOX, PAD_CENTER);
}

/* ---- the outputs ---- */

static uint32_t class_count_with(const struct recipe *r, enum background b)
{
	return recipe_counts_by_labels(r) ? recipe_label_count(r) + (b != BACKGROUND_NONE) : r->class_count;
}

static void list_backgrounds(const struct recipe *r, uint32_t label_count, struct axes *axes)
{
	axes->counts[AXIS_BACKGROUND] = 1;
	axes->backgrounds[0] = r->background;
	if (!output_has_background(r->output) || !is_open(r, RECIPE_BACKGROUND))
		return;
	for (enum background b = 0; b < BACKGROUND_COUNT; b++) {
		uint32_t classes = class_count_with(r, b), labels = classes - (b != BACKGROUND_NONE);
		/* Where classes are numbered, none comes after the others. */
		bool odd = b == BACKGROUND_LAST && recipe_counts_by_labels(r);
		if (b == r->background || odd || labels == 0 || classes > RECIPE_CLASSES_MAX)
			continue;
		if (label_count != 0 && labels != label_count)
			continue;
		axes->backgrounds[axes->counts[AXIS_BACKGROUND]++] = b;
	}
}

static void list_boxes(const struct recipe *r, struct axes *axes)
{
	axes->counts[AXIS_BOXES] = axes->counts[AXIS_ORDER] = 1;
	axes->boxes[0] = (struct boxes){r->box_form, r->box_unit};
	axes->orders[0] = r->row_order;
	for (enum box_form f = 0; f < BOX_FORM_COUNT; f++) {
		for (enum box_unit u = 0; u < BOX_UNIT_COUNT; u++) {
			bool form = f == r->box_form || is_open(r, RECIPE_BOX_FORM);
			bool unit = u == r->box_unit || is_open(r, RECIPE_BOX_UNIT);
			/* TensorFlow's order, and its models never have rows. */
			bool odd = f == BOX_FORM_CORNERS_YX && r->output == OUTPUT_END_TO_END;
			if (form && unit && !odd && (f != r->box_form || u != r->box_unit))
				axes->boxes[axes->counts[AXIS_BOXES]++] = (struct boxes){f, u};
		}
	}
	if (is_open(r, RECIPE_ROW_ORDER))
		axes->orders[axes->counts[AXIS_ORDER]++] =
			r->row_order == ROW_SCORE_CLASS ? ROW_CLASS_SCORE : ROW_SCORE_CLASS;
}

/* ---- combinations ---- */

static void set_scaling(struct recipe *r, const struct scaling *s)
{
	r->input.scale = s->scale;
	memcpy(r->input.mean, s->mean, sizeof(s->mean));
	memcpy(r->input.std, s->std, sizeof(s->std));
	if (r->input.colour == COLOUR_BGR) {
		swap_ends(r->input.mean);
		swap_ends(r->input.std);
	}
}

static bool differ(const float a[3], const float b[3])
{
	return a[0] != b[0] || a[1] != b[1] || a[2] != b[2];
}

static void mark_changed(struct recipe *r, const struct recipe *found)
{
	struct {
		enum recipe_field field;
		bool changed;
	} fields[] = {
		{RECIPE_COLOUR, r->input.colour != found->input.colour},
		{RECIPE_SCALE, r->input.scale != found->input.scale},
		{RECIPE_MEAN, differ(r->input.mean, found->input.mean)},
		{RECIPE_STD, differ(r->input.std, found->input.std)},
		{RECIPE_FIT, r->input.fit != found->input.fit},
		{RECIPE_PAD, r->input.pad_at != found->input.pad_at},
		{RECIPE_BACKGROUND, r->background != found->background},
		{RECIPE_CLASS_COUNT, r->class_count != found->class_count},
		{RECIPE_BOX_FORM, r->box_form != found->box_form},
		{RECIPE_BOX_UNIT, r->box_unit != found->box_unit},
		{RECIPE_ROW_ORDER, r->row_order != found->row_order},
	};
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (fields[i].changed)
			recipe_mark(r, fields[i].field, ORIGIN_GUESSED);
}

static struct recipe combine(const struct recipe *found, const struct axes *axes, const size_t at[AXIS_COUNT])
{
	struct recipe r = *found;
	r.input.colour = axes->colours[at[AXIS_COLOUR]];
	set_scaling(&r, &axes->scalings[at[AXIS_SCALING]]);
	r.input.fit = axes->placings[at[AXIS_FIT]].fit;
	r.input.pad_at = axes->placings[at[AXIS_FIT]].pad_at;
	r.background = axes->backgrounds[at[AXIS_BACKGROUND]];
	r.class_count = class_count_with(found, r.background);
	r.box_form = axes->boxes[at[AXIS_BOXES]].form;
	r.box_unit = axes->boxes[at[AXIS_BOXES]].unit;
	r.row_order = axes->orders[at[AXIS_ORDER]];
	mark_changed(&r, found);
	return r;
}

/* The next combination; false after the last. */
static bool advance(const struct axes *axes, size_t at[AXIS_COUNT])
{
	for (int i = AXIS_COUNT; i-- > 0;) {
		if (++at[i] < axes->counts[i])
			return true;
		at[i] = 0;
	}
	return false;
}

/* Changed axes from first to before end. */
static unsigned changes(const size_t at[AXIS_COUNT], int first, int end)
{
	unsigned count = 0;
	for (int i = first; i < end; i++)
		count += at[i] != 0;
	return count;
}

/* Those of one cost that change so many things of the outputs. */
static size_t add_combinations(const struct recipe *found, const struct axes *axes, unsigned cost,
	unsigned outputs, size_t count, struct recipe out[RECIPE_CANDIDATES_MAX])
{
	size_t at[AXIS_COUNT] = {0};
	do {
		unsigned of_outputs = changes(at, INPUT_AXES, AXIS_COUNT);
		bool wanted = of_outputs == outputs && changes(at, 0, INPUT_AXES) + 2 * of_outputs == cost;
		if (wanted && count < RECIPE_CANDIDATES_MAX)
			out[count++] = combine(found, axes, at);
	} while (advance(axes, at));
	return count;
}

size_t recipe_candidates(
	const struct recipe *found, uint32_t label_count, struct recipe out[RECIPE_CANDIDATES_MAX])
{
	struct axes axes = {0};
	list_pixels(found, &axes);
	list_placings(found, &axes);
	list_backgrounds(found, label_count, &axes);
	list_boxes(found, &axes);
	size_t count = 0;
	for (unsigned cost = 0; cost <= COST_MAX; cost++)
		for (unsigned outputs = 0; 2 * outputs <= cost; outputs++)
			count = add_combinations(found, &axes, cost, outputs, count, out);
	return count;
}
