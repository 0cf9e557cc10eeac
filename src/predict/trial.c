/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/trial.h"

#include "base/check.h"
#include "os/clock.h"

#include <stdlib.h>

const char *trial_step_name(enum trial_step s)
{
	static const char *const names[TRIAL_STEP_COUNT] = {"decode", "preprocess", "infer", "postprocess"};
	CHECK(s < TRIAL_STEP_COUNT);
	return names[s];
}

enum status trial_recipe(const struct model *m, yyjson_val *changes, struct recipe *out, struct err *err)
{
	struct recipe r = m->recipe;
	if (changes)
		TRY(recipe_apply(&r, changes, err));
	if (r.task != m->recipe.task)
		return err_set(err, ST_UNPROCESSABLE,
			"The task is not tried out: it is the version's type, which is %s.",
			task_name(m->recipe.task));
	if (strcmp(r.features_output, m->recipe.features_output) != 0)
		return err_set(err, ST_UNPROCESSABLE,
			"\"features_output\" is not tried out, as it changes no answer: change it by making "
			"a "
			"new version.");
	TRY(recipe_check(&r, &m->description, m->label_count, err));
	*out = r;
	return ST_OK;
}

/* As preprocess filled it: the seat's own memory is the child's as soon as it runs. */
static void show(struct trial *t, const struct image *image)
{
	struct tensor_map unused;
	const struct tensor_spec *spec = &t->recipe->input;
	void *tensor = malloc(tensor_size(spec));
	CHECK(tensor != NULL);
	tensor_fill(image, spec, tensor, &unused);
	tensor_show(spec, tensor, &t->seen);
	free(tensor);
}

static enum status run_steps(struct trial *t, struct prediction *p, struct err *err)
{
	static enum status (*const steps[TRIAL_STEP_COUNT])(struct prediction *, struct err *) = {
		[TRIAL_PREPROCESS] = predict_preprocess,
		[TRIAL_INFER] = predict_infer,
		[TRIAL_POSTPROCESS] = predict_postprocess,
	};
	p->seat_deadline_us = clock_mono_us() + t->seat_timeout_us;
	TRY(predict_seat(p, err));
	for (enum trial_step s = TRIAL_PREPROCESS; s < TRIAL_STEP_COUNT; s++) {
		int64_t before_us = clock_mono_us();
		TRY(steps[s](p, err));
		t->step_us[s] = clock_mono_us() - before_us;
	}
	t->shapes = p->shapes;
	if (t->show)
		show(t, &p->image);
	return ST_OK;
}

static struct prediction prediction_of(const struct trial *t)
{
	return (struct prediction){
		.model = t->model, .recipe = t->recipe, .arena = t->arena, .pixel_budget = t->pixels};
}

enum status trial_run(struct trial *t, struct span bytes, struct err *err)
{
	struct prediction p = prediction_of(t);
	p.bytes = bytes;
	int64_t before_us = clock_mono_us();
	enum status st = predict_decode(&p, err);
	t->step_us[TRIAL_DECODE] = clock_mono_us() - before_us;
	t->info = p.info;
	if (st == ST_OK)
		st = run_steps(t, &p, err);
	predict_release(&p);
	return st;
}

enum status trial_run_on(struct trial *t, const struct image *image, struct err *err)
{
	struct prediction p = prediction_of(t);
	p.image = *image;
	enum status st = run_steps(t, &p, err);
	p.image = (struct image){0}; /* the caller's */
	predict_release(&p);
	return st;
}

void trial_release(struct trial *t)
{
	image_release(&t->seen);
}
