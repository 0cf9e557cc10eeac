/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe as JSON, both ways, from one table: each field has a name, a kind, a place in struct recipe and
 * a range (recipe_fields.def); each kind has one reader and one writer here. What is read is in range and
 * consistent, always: nothing after this looks at it again.
 */
#include "task/recipe.h"

#include "base/check.h"
#include "task/output.h"
#include "task/recipe_control.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How a field is held and written. The first ones are enums, written as names. */
enum kind {
	KIND_TASK,
	KIND_FIT,
	KIND_PAD,
	KIND_COLOUR,
	KIND_LAYOUT,
	KIND_SAMPLE,
	KIND_OUTPUT,
	KIND_BACKGROUND,
	KIND_BOX_FORM,
	KIND_BOX_UNIT,
	KIND_ROW_ORDER,
	KIND_WHOLE,   /* uint32_t */
	KIND_BYTE,    /* uint8_t */
	KIND_REAL,    /* float */
	KIND_TRIPLE,  /* float[3]: an array of three, or one number for all */
	KIND_FLAG,    /* bool */
	KIND_TEXT,    /* char[128] */
	KIND_TENSORS, /* uint32_t[RECIPE_TENSORS_MAX]: an array of as many as the layout reads */
};

static const struct field {
	const char *name, *help;
	enum kind kind;
	size_t offset;
	double low, high;
} fields[RECIPE_FIELD_COUNT] = {
#define FIELD(name, text, kind, member, low, high, help)                                                     \
	{text, help, KIND_##kind, offsetof(struct recipe, member), low, high},
#include "task/recipe_fields.def"
#undef FIELD
};

static const char all_names[] =
#define FIELD(name, text, kind, member, low, high, help) text " "
#include "task/recipe_fields.def"
#undef FIELD
	"from";

#define NAMES_MAX 12
#define OUTPUT(name, text, task, help) #text,
static const char *const names[KIND_WHOLE][NAMES_MAX] = {
	[KIND_FIT] =
		{[FIT_LETTERBOX] = "letterbox", [FIT_STRETCH] = "stretch", [FIT_CENTER_CROP] = "center_crop"},
	[KIND_PAD] = {[PAD_CENTER] = "center", [PAD_BOTTOM_RIGHT] = "bottom_right"},
	[KIND_COLOUR] = {[COLOUR_RGB] = "rgb", [COLOUR_BGR] = "bgr", [COLOUR_GREY] = "grey"},
	[KIND_LAYOUT] = {[LAYOUT_NCHW] = "nchw", [LAYOUT_NHWC] = "nhwc"},
	[KIND_SAMPLE] =
		{[SAMPLE_FLOAT32] = "float32", [SAMPLE_UINT8] = "uint8", [SAMPLE_FLOAT16] = "float16"},
	[KIND_OUTPUT] =
		{
#include "task/outputs.def"
		},
	[KIND_BACKGROUND] =
		{[BACKGROUND_NONE] = "none", [BACKGROUND_FIRST] = "first", [BACKGROUND_LAST] = "last"},
	[KIND_BOX_FORM] = {[BOX_FORM_CORNERS] = "corners",
		[BOX_FORM_CORNERS_YX] = "corners_yx",
		[BOX_FORM_CENTER] = "center"},
	[KIND_BOX_UNIT] = {[BOX_UNIT_PIXELS] = "pixels", [BOX_UNIT_FRACTION] = "fraction"},
	[KIND_ROW_ORDER] = {[ROW_SCORE_CLASS] = "score_class", [ROW_CLASS_SCORE] = "class_score"},
};
#undef OUTPUT
_Static_assert(OUTPUT_COUNT < NAMES_MAX, "room for the names of all output layouts, and a NULL");
_Static_assert(sizeof(enum task) == sizeof(uint32_t), "all enums of a recipe are held in 32 bits");

static const char *const origin_names[ORIGIN_COUNT] = {"guessed", "read", "given"};

const char *origin_name(enum origin o)
{
	CHECK(o < ORIGIN_COUNT);
	return origin_names[o];
}

const char *recipe_field_name(enum recipe_field f)
{
	CHECK(f < RECIPE_FIELD_COUNT);
	return fields[f].name;
}

const char *recipe_field_help(enum recipe_field f)
{
	CHECK(f < RECIPE_FIELD_COUNT);
	return fields[f].help;
}

struct recipe recipe_blank(enum task task)
{
	static const enum output_layout layouts[TASK_COUNT] = {[TASK_CLASSIFICATION] = OUTPUT_CLASSIFICATION,
		[TASK_DETECTION] = OUTPUT_YOLO_V8,
		[TASK_SEGMENTATION] = OUTPUT_SEMANTIC};
	CHECK(task < TASK_COUNT);
	return (struct recipe){
		.task = task,
		.input = {.width = 1, .height = 1, .pad_value = 114, .scale = 1.0f / 255, .std = {1, 1, 1}},
		.output = layouts[task],
		.class_count = 1,
		.nms_iou = 0.45f,
		.polygon_tolerance = 2,
		.region_area_min = 0.001f,
	};
}

bool recipe_field_applies(enum output_layout o, enum recipe_field f)
{
	bool final = o == OUTPUT_END_TO_END || o == OUTPUT_END_TO_END_PARTS;
	switch (f) {
	case RECIPE_BOX_FORM:
	case RECIPE_BOX_UNIT: return final || o == OUTPUT_BOXES_SCORES;
	case RECIPE_ROW_ORDER: return o == OUTPUT_END_TO_END;
	case RECIPE_POLYGON_TOLERANCE:
	case RECIPE_REGION_AREA_MIN: return output_task(o) == TASK_SEGMENTATION;
	default: return true;
	}
}

/* Fields that say nothing of this layout are as if never set: another layout had them. */
static void forget_idle_fields(struct recipe *r)
{
	const struct recipe blank = recipe_blank(r->task);
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		if (!recipe_field_applies(r->output, f))
			recipe_mark(r, f, ORIGIN_GUESSED);
	if (!recipe_field_applies(r->output, RECIPE_BOX_FORM)) {
		r->box_form = blank.box_form;
		r->box_unit = blank.box_unit;
	}
	if (!recipe_field_applies(r->output, RECIPE_ROW_ORDER))
		r->row_order = blank.row_order;
	if (!recipe_field_applies(r->output, RECIPE_POLYGON_TOLERANCE)) {
		r->polygon_tolerance = blank.polygon_tolerance;
		r->region_area_min = blank.region_area_min;
	}
}

/* ---- reading ---- */

static const char *enum_name(enum kind kind, uint32_t value)
{
	CHECK(kind < KIND_WHOLE && value < NAMES_MAX);
	const char *name = kind == KIND_TASK ? task_name((enum task)value) : names[kind][value];
	CHECK(name != NULL);
	return name;
}

static uint32_t enum_count(enum kind kind)
{
	uint32_t count = 0;
	if (kind == KIND_TASK)
		return TASK_COUNT;
	while (names[kind][count] != NULL)
		count++;
	return count;
}

static enum status get_enum(const struct field *f, yyjson_val *value, uint32_t *out, struct err *err)
{
	uint32_t count = enum_count(f->kind);
	for (uint32_t i = 0; i < count; i++) {
		if (yyjson_equals_str(value, enum_name(f->kind, i))) {
			*out = i;
			return ST_OK;
		}
	}
	enum task task; /* also as it is on the wire */
	if (f->kind == KIND_TASK && task_parse(yyjson_get_str(value), &task)) {
		*out = task;
		return ST_OK;
	}
	char list[160];
	size_t used = 0;
	for (uint32_t i = 0; i < count && used < sizeof(list); i++)
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%s", i ? ", " : "", enum_name(f->kind, i));
	return err_set(err, ST_INVALID, "\"%s\" in a recipe must be one of %s.", f->name, list);
}

static enum status get_whole(const struct field *f, yyjson_val *value, uint32_t *out, struct err *err)
{
	if (!yyjson_is_uint(value) || (double)yyjson_get_uint(value) < f->low ||
		(double)yyjson_get_uint(value) > f->high)
		return err_set(err, ST_INVALID, "\"%s\" in a recipe must be a whole number of %.0f to %.0f.",
			f->name, f->low, f->high);
	*out = (uint32_t)yyjson_get_uint(value);
	return ST_OK;
}

static enum status get_real(const struct field *f, yyjson_val *value, float *out, struct err *err)
{
	double number = yyjson_is_num(value) ? yyjson_get_num(value) : NAN;
	/* The float must be in range as well: what is printed of it is read again. */
	if (!(number >= f->low && number <= f->high))
		return err_set(err, ST_INVALID, "\"%s\" in a recipe must be a number of %g to %g.", f->name,
			f->low, f->high);
	*out = (float)number;
	return ST_OK;
}

static enum status get_triple(const struct field *f, yyjson_val *value, float out[3], struct err *err)
{
	bool one = yyjson_is_num(value);
	if (!one && yyjson_arr_size(value) != 3)
		return err_set(err, ST_INVALID,
			"\"%s\" in a recipe must be three numbers in the model's order of channels, or one.",
			f->name);
	for (size_t i = 0; i < 3; i++)
		TRY(get_real(f, one ? value : yyjson_arr_get(value, i), &out[i], err));
	return ST_OK;
}

static enum status get_text(const struct field *f, yyjson_val *value, char *out, size_t room, struct err *err)
{
	const char *text = yyjson_get_str(value);
	if (text == NULL || yyjson_get_len(value) >= room || strlen(text) != yyjson_get_len(value))
		return err_set(err, ST_INVALID, "\"%s\" in a recipe must be a text of at most %zu bytes.",
			f->name, room - 1);
	memset(out, 0, room);
	memcpy(out, text, yyjson_get_len(value));
	return ST_OK;
}

static enum status get_tensors(const struct field *f, yyjson_val *value, uint32_t *out, struct err *err)
{
	size_t count = yyjson_arr_size(value);
	if (count < 1 || count > RECIPE_TENSORS_MAX)
		return err_set(err, ST_INVALID, "\"%s\" in a recipe must be an array of 1 to %d indexes.",
			f->name, RECIPE_TENSORS_MAX);
	memset(out, 0, RECIPE_TENSORS_MAX * sizeof(*out));
	for (size_t i = 0; i < count; i++)
		TRY(get_whole(f, yyjson_arr_get(value, i), &out[i], err));
	return ST_OK;
}

static enum status get_field(struct recipe *r, const struct field *f, yyjson_val *value, struct err *err)
{
	void *at = (char *)r + f->offset;
	uint32_t whole = 0;
	switch (f->kind) {
	case KIND_WHOLE: return get_whole(f, value, at, err);
	case KIND_BYTE:
		TRY(get_whole(f, value, &whole, err));
		*(uint8_t *)at = (uint8_t)whole;
		return ST_OK;
	case KIND_REAL: return get_real(f, value, at, err);
	case KIND_TRIPLE: return get_triple(f, value, at, err);
	case KIND_FLAG:
		if (!yyjson_is_bool(value))
			return err_set(err, ST_INVALID, "\"%s\" in a recipe must be true or false.", f->name);
		*(bool *)at = yyjson_get_bool(value);
		return ST_OK;
	case KIND_TEXT: return get_text(f, value, at, sizeof(r->features_output), err);
	case KIND_TENSORS: return get_tensors(f, value, at, err);
	default: return get_enum(f, value, at, err);
	}
}

static int find_field(yyjson_val *key)
{
	for (int i = 0; i < RECIPE_FIELD_COUNT; i++)
		if (yyjson_equals_str(key, fields[i].name))
			return i;
	return -1;
}

/* What each field may be alone, but not together. */
static enum status check_consistent(const struct recipe *r, struct err *err)
{
	const char *output = output_name(r->output);
	if (output_task(r->output) != r->task)
		return err_set(err, ST_INVALID, "The recipe's output %s is one of %s, but its task is %s.",
			output, task_name(output_task(r->output)), task_name(r->task));
	if (r->background != BACKGROUND_NONE && !output_has_background(r->output))
		return err_set(err, ST_INVALID, "The recipe's output %s has no background class.", output);
	if (recipe_label_count(r) == 0)
		return err_set(err, ST_INVALID, "The recipe has a background class and no other.");
	unsigned count = output_ops(r->output)->tensor_count;
	for (unsigned i = 0; i < RECIPE_TENSORS_MAX; i++) {
		if (i >= count && r->tensors[i] != 0)
			return err_set(err, ST_INVALID,
				"The recipe's output %s reads %u of the graph's outputs, and not more.",
				output, count);
		for (unsigned k = 0; k < i && i < count; k++)
			if (r->tensors[i] == r->tensors[k])
				return err_set(err, ST_INVALID,
					"The recipe's output %s reads %u of the graph's outputs, so "
					"\"tensors\" must name as many.",
					output, count);
	}
	return ST_OK;
}

/* All members but "from" into r; present has a true for each field that was there. */
static enum status get_fields(
	struct recipe *r, yyjson_val *object, bool present[RECIPE_FIELD_COUNT], struct err *err)
{
	if (!yyjson_is_obj(object))
		return err_set(err, ST_INVALID, "A recipe must be a JSON object.");
	yyjson_val *key, *value;
	size_t index, count;
	yyjson_obj_foreach (object, index, count, key, value) {
		int f = find_field(key);
		if (yyjson_equals_str(key, "from") || (f != -1 && yyjson_is_null(value)))
			continue;
		char name[OUTPUT_NAME_TEXT_SIZE];
		if (f == -1)
			return err_set(err, ST_INVALID, "\"%s\" is no field of a recipe; its fields are: %s.",
				output_name_print(yyjson_get_str(key), name), all_names);
		TRY(get_field(r, &fields[f], value, err));
		present[f] = true;
	}
	return ST_OK;
}

/* After get_fields: what was there applies to the layout and agrees. */
static enum status settle(struct recipe *r, const bool present[RECIPE_FIELD_COUNT], struct err *err)
{
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		if (present[f] && !recipe_field_applies(r->output, f))
			return err_set(err, ST_INVALID, "A recipe with the output %s has no \"%s\".",
				output_name(r->output), fields[f].name);
	forget_idle_fields(r);
	return check_consistent(r, err);
}

enum status recipe_apply(struct recipe *r, yyjson_val *object, struct err *err)
{
	struct recipe next = *r;
	bool present[RECIPE_FIELD_COUNT] = {false};
	TRY(get_fields(&next, object, present, err));
	/* The labels stay as they are. */
	uint32_t classes = recipe_label_count(r) + (next.background != BACKGROUND_NONE);
	if (!present[RECIPE_CLASS_COUNT] && recipe_counts_by_labels(&next) && classes <= RECIPE_CLASSES_MAX)
		next.class_count = classes;
	TRY(settle(&next, present, err));
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		if (present[f])
			recipe_mark(&next, f, ORIGIN_GIVEN);
	*r = next;
	return ST_OK;
}

enum status recipe_chosen_output(yyjson_val *object, enum output_layout *out, struct err *err)
{
	yyjson_val *value = yyjson_obj_get(object, fields[RECIPE_OUTPUT].name);
	if (value == NULL || yyjson_is_null(value))
		return ST_OK;
	uint32_t chosen = 0;
	TRY(get_enum(&fields[RECIPE_OUTPUT], value, &chosen, err));
	*out = (enum output_layout)chosen;
	return ST_OK;
}

static enum status get_origins(struct recipe *r, yyjson_val *from, struct err *err)
{
	if (from == NULL)
		return ST_OK;
	if (!yyjson_is_obj(from))
		return err_set(err, ST_INVALID, "\"from\" in a recipe must be an object.");
	yyjson_val *key, *value;
	size_t index, count;
	yyjson_obj_foreach (from, index, count, key, value) {
		int f = find_field(key);
		enum origin o = 0;
		while (o < ORIGIN_COUNT && !yyjson_equals_str(value, origin_names[o]))
			o++;
		if (f == -1 || o == ORIGIN_COUNT)
			return err_set(err, ST_INVALID,
				"\"from\" in a recipe must say \"read\", \"given\" or \"guessed\" of its "
				"fields, and nothing else.");
		recipe_mark(r, (enum recipe_field)f, o);
	}
	return ST_OK;
}

enum status recipe_parse(yyjson_val *object, struct recipe *out, struct err *err)
{
	static const enum recipe_field required[] = {
		RECIPE_TASK, RECIPE_WIDTH, RECIPE_HEIGHT, RECIPE_OUTPUT, RECIPE_CLASS_COUNT};
	struct recipe r = recipe_blank(TASK_DETECTION);
	bool present[RECIPE_FIELD_COUNT] = {false};
	TRY(get_fields(&r, object, present, err));
	for (size_t i = 0; i < COUNT_OF(required); i++)
		if (!present[required[i]])
			return err_set(err, ST_INVALID, "\"%s\" is missing in a stored recipe.",
				fields[required[i]].name);
	TRY(settle(&r, present, err));
	TRY(get_origins(&r, yyjson_obj_get(object, "from"), err));
	*out = r;
	return ST_OK;
}

/* ---- writing ---- */

/* The shortest decimal that is this float again: 0.45 and not 0.449999988079071. */
static yyjson_mut_val *put_real(yyjson_mut_doc *doc, float value)
{
	char text[32];
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)value);
		if (strtof(text, NULL) == value)
			break;
	}
	return yyjson_mut_real(doc, strtod(text, NULL));
}

static yyjson_mut_val *put_field(const struct recipe *r, const struct field *f, yyjson_mut_doc *doc)
{
	const void *at = (const char *)r + f->offset;
	yyjson_mut_val *array = NULL;
	switch (f->kind) {
	case KIND_WHOLE: return yyjson_mut_uint(doc, *(const uint32_t *)at);
	case KIND_BYTE: return yyjson_mut_uint(doc, *(const uint8_t *)at);
	case KIND_REAL: return put_real(doc, *(const float *)at);
	case KIND_TRIPLE:
		array = yyjson_mut_arr(doc);
		for (int i = 0; i < 3; i++)
			yyjson_mut_arr_append(array, put_real(doc, ((const float *)at)[i]));
		return array;
	case KIND_FLAG: return yyjson_mut_bool(doc, *(const bool *)at);
	case KIND_TEXT: return yyjson_mut_strcpy(doc, at);
	case KIND_TENSORS:
		array = yyjson_mut_arr(doc);
		for (unsigned i = 0; i < output_ops(r->output)->tensor_count; i++)
			yyjson_mut_arr_add_uint(doc, array, ((const uint32_t *)at)[i]);
		return array;
	default: return yyjson_mut_str(doc, enum_name(f->kind, *(const uint32_t *)at));
	}
}

yyjson_mut_val *recipe_json(const struct recipe *r, yyjson_mut_doc *doc)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc), *from = yyjson_mut_obj(doc);
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++) {
		if (!recipe_field_applies(r->output, f))
			continue;
		CHECK(yyjson_mut_obj_add_val(doc, object, fields[f].name, put_field(r, &fields[f], doc)));
		CHECK(yyjson_mut_obj_add_str(doc, from, fields[f].name, origin_name(r->origins[f])));
	}
	CHECK(yyjson_mut_obj_add_val(doc, object, "from", from));
	return object;
}

/* ---- for controls ---- */

void recipe_field_control(enum recipe_field f, struct recipe_control *out)
{
	static const enum recipe_control_kind kinds[] = {[KIND_WHOLE] = CONTROL_INTEGER,
		[KIND_BYTE] = CONTROL_INTEGER,
		[KIND_REAL] = CONTROL_NUMBER,
		[KIND_TRIPLE] = CONTROL_NUMBERS,
		[KIND_FLAG] = CONTROL_FLAG,
		[KIND_TEXT] = CONTROL_TEXT,
		[KIND_TENSORS] = CONTROL_INTEGERS};
	CHECK(f < RECIPE_FIELD_COUNT);
	const struct field *field = &fields[f];
	*out = (struct recipe_control){.kind = kinds[field->kind], .low = field->low, .high = field->high};
	if (field->kind >= KIND_WHOLE)
		return;
	out->kind = CONTROL_CHOICE;
	out->choice_count = enum_count(field->kind);
	CHECK(out->choice_count <= RECIPE_CHOICES_MAX);
	for (uint32_t i = 0; i < out->choice_count; i++)
		out->choices[i] = enum_name(field->kind, i);
}
