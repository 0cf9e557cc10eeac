/* SPDX-License-Identifier: Apache-2.0 */
#include "task/recipe_control.h"

#include "base/check.h"
#include "task/output.h"

#include <string.h>

const char *recipe_control_kind_name(enum recipe_control_kind k)
{
	static const char *const names[CONTROL_KIND_COUNT] = {
		"choice", "integer", "number", "numbers", "flag", "text", "integers"};
	CHECK(k < CONTROL_KIND_COUNT);
	return names[k];
}

static bool matters(const struct recipe *r, enum recipe_field f)
{
	switch (f) {
	case RECIPE_PAD:
	case RECIPE_PAD_VALUE: return r->input.fit == FIT_LETTERBOX;
	case RECIPE_SCALE:
	case RECIPE_MEAN:
	case RECIPE_STD: return r->input.sample != SAMPLE_UINT8;
	case RECIPE_BACKGROUND: return output_has_background(r->output);
	case RECIPE_NMS_IOU: return r->task == TASK_DETECTION;
	case RECIPE_TASK: /* the version's type */
	case RECIPE_FEATURES_OUTPUT: /* no answer comes from it */ return false;
	default: return recipe_field_applies(r->output, f);
	}
}

/* Layouts of other tasks, and backgrounds where the layout has none, are no choices. */
static bool is_choice(const struct recipe *r, enum recipe_field f, size_t value)
{
	switch (f) {
	case RECIPE_TASK: return value == r->task;
	case RECIPE_OUTPUT: return output_task((enum output_layout)value) == r->task;
	case RECIPE_BACKGROUND: return value == BACKGROUND_NONE || output_has_background(r->output);
	default: return true;
	}
}

void recipe_control(const struct recipe *r, enum recipe_field f, struct recipe_control *out)
{
	recipe_field_control(f, out);
	size_t kept = 0;
	for (size_t i = 0; i < out->choice_count; i++)
		if (is_choice(r, f, i))
			out->choices[kept++] = out->choices[i];
	out->choice_count = kept;
	out->matters = matters(r, f);
}

bool recipe_field_is_guess(const struct recipe *r, enum recipe_field f)
{
	/* How outlines are drawn is nothing of the model's that could be guessed wrong. */
	bool taste = f == RECIPE_POLYGON_TOLERANCE || f == RECIPE_REGION_AREA_MIN;
	return r->origins[f] == ORIGIN_GUESSED && matters(r, f) && !taste;
}

void recipe_confirm(struct recipe *r)
{
	for (enum recipe_field f = 0; f < RECIPE_FIELD_COUNT; f++)
		if (r->origins[f] == ORIGIN_GUESSED && recipe_field_applies(r->output, f))
			recipe_mark(r, f, ORIGIN_GIVEN);
}
