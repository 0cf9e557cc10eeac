/* SPDX-License-Identifier: Apache-2.0 */
/* What a person who changes a recipe must be told of its fields, for a control each; and which of them nobody
 * has looked at yet. */
#ifndef GYRE_TASK_RECIPE_CONTROL_H
#define GYRE_TASK_RECIPE_CONTROL_H

#include "task/recipe.h"

#define RECIPE_CHOICES_MAX 12

enum recipe_control_kind {
	CONTROL_CHOICE,
	CONTROL_INTEGER,
	CONTROL_NUMBER,
	CONTROL_NUMBERS, /* three, one a channel */
	CONTROL_FLAG,
	CONTROL_TEXT,
	CONTROL_INTEGERS, /* as many as the layout reads outputs */
	CONTROL_KIND_COUNT
};
const char *recipe_control_kind_name(enum recipe_control_kind k); /* "choice" */

struct recipe_control {
	enum recipe_control_kind kind;
	const char *choices[RECIPE_CHOICES_MAX]; /* CHOICE: those that a recipe of this task may have */
	size_t choice_count;
	double low, high; /* of numbers, both included */
	bool matters;     /* with the other fields as they are it changes what the model answers */
};
void recipe_control(const struct recipe *r, enum recipe_field f, struct recipe_control *out);

/* Guessed, and it matters: a person should look at it before the model is deployed. */
bool recipe_field_is_guess(const struct recipe *r, enum recipe_field f);
/* A person has looked: what was guessed counts as given, whether it matters now or not. */
void recipe_confirm(struct recipe *r);

#endif
