/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/side_by_side.h"

#include "predict/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEAT_TIMEOUT_US ((int64_t)60 * 1000000)

/* ---- what is true ---- */

static struct mask mask_of_shape(
	const struct labelled_shape *s, uint32_t width, uint32_t height, struct arena *a)
{
	struct mask_ring *rings = ARENA_ARRAY(a, struct mask_ring, s->ring_count + 1);
	for (uint32_t r = 0; r < s->ring_count; r++) {
		size_t numbers = (size_t)2 * s->rings[r].point_count;
		double *points = ARENA_ARRAY(a, double, numbers + 1);
		for (size_t i = 0; i < numbers; i++)
			points[i] = s->rings[r].points[i];
		rings[r] = (struct mask_ring){points, s->rings[r].point_count};
	}
	return mask_of_rings(rings, s->ring_count, width, height, a);
}

struct match_truth *side_truths(enum task task, const struct training_picture *picture, uint32_t width,
	uint32_t height, struct arena *a, size_t *count)
{
	struct match_truth *truths = ARENA_ARRAY(a, struct match_truth, picture->shape_count + 1);
	*count = 0;
	for (size_t i = 0; i < picture->shape_count; i++) {
		const struct labelled_shape *s = &picture->shapes[i];
		struct match_truth *t = &truths[(*count)++];
		*t = (struct match_truth){.label = s->label, .area = -1};
		if (task == TASK_CLASSIFICATION)
			break; /* the first is the picture's class */
		t->box = match_box_of(s->box);
		t->area = s->area;
		t->crowd = s->crowd || s->difficult;
		if (task == TASK_SEGMENTATION)
			t->mask = mask_of_shape(s, width, height, a);
	}
	return truths;
}

/* ---- what a model says ---- */

void side_model_set(
	struct side_model *m, const struct model *model, const struct training_set *set, struct arena *a)
{
	uint32_t count = recipe_label_count(&model->recipe);
	if (count < model->label_count)
		count = model->label_count;
	m->model = model;
	m->labels = ARENA_ARRAY(a, int32_t, count + 1);
	for (uint32_t i = 0; i < count; i++) {
		const char *name =
			model_label((const char *const *)model->labels, model->label_count, (int32_t)i, a);
		m->labels[i] = -1;
		for (size_t k = 0; k < set->label_count; k++)
			if (strcmp(set->labels[k], name) == 0)
				m->labels[i] = (int32_t)k;
	}
}

enum status side_guesses(const struct side_model *m, const struct image *image, enum task task,
	struct arena *a, struct match_guess **guesses, size_t *count, struct err *err)
{
	struct trial trial = {.model = m->model,
		.recipe = &m->model->recipe,
		.arena = a,
		.seat_timeout_us = SEAT_TIMEOUT_US};
	enum status st = trial_run_on(&trial, image, err);
	trial_release(&trial);
	TRY(st);
	*guesses = ARENA_ARRAY(a, struct match_guess, trial.shapes.count + 1);
	*count = 0;
	for (size_t i = 0; i < trial.shapes.count; i++) {
		const struct shape *s = &trial.shapes.items[i];
		int32_t label = m->labels[s->label];
		if (label < 0) /* of a class, a wrong answer all the same: it keeps its place */
			label = task == TASK_CLASSIFICATION ? INT32_MAX : -1;
		if (label < 0)
			continue;
		struct match_guess *g = &(*guesses)[(*count)++];
		*g = (struct match_guess){.label = label, .score = s->score, .box = match_box_of(s->box)};
		if (task == TASK_CLASSIFICATION)
			break;
		if (task == TASK_SEGMENTATION && s->kind == SHAPE_POLYGON) {
			double *points = ARENA_ARRAY(a, double, (size_t)2 * s->point_count + 1);
			for (size_t k = 0; k < (size_t)2 * s->point_count; k++)
				points[k] = s->points[k];
			g->mask = mask_of_rings(&(struct mask_ring){points, s->point_count}, 1, image->width,
				image->height, a);
		}
	}
	if (task == TASK_CLASSIFICATION && *count && (*guesses)[0].label == INT32_MAX)
		*count = 0;
	return ST_OK;
}

/* ---- the report ---- */

static void add_value(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
	if (isfinite(value) && value >= 0)
		yyjson_mut_obj_add_real(doc, object, key, value);
	else
		yyjson_mut_obj_add_null(doc, object, key);
}

static void add_labels(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct side_report *r)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "classes");
	for (size_t i = 0; i < r->all->label_count; i++) {
		const struct paired_label *l = &r->all->labels[i];
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_str(doc, item, "label",
			l->label >= 0 && (size_t)l->label < r->set->label_count ? r->set->labels[l->label]
										: "?");
		yyjson_mut_obj_add_uint(doc, item, "truths", l->truths);
		add_value(doc, item, "champion", r->has_champion ? l->first : -1);
		add_value(doc, item, "candidate", l->second);
		if (r->has_champion) {
			yyjson_mut_obj_add_real(doc, item, "low", l->low);
			yyjson_mut_obj_add_real(doc, item, "high", l->high);
		} else {
			yyjson_mut_obj_add_null(doc, item, "low");
			yyjson_mut_obj_add_null(doc, item, "high");
		}
	}
}

struct changed {
	size_t picture;
	double by;
};

static int by_change(const void *a, const void *b)
{
	const struct changed *x = a, *y = b;
	if (x->by != y->by)
		return x->by > y->by ? -1 : 1;
	return (x->picture > y->picture) - (x->picture < y->picture);
}

/* The pictures that changed most, in one direction. */
static void add_changed(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *key,
	const struct side_report *r, double sign, struct arena *a)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, key);
	struct changed *all = ARENA_ARRAY(a, struct changed, r->all->images + 1);
	size_t count = 0;
	for (size_t i = 0; r->has_champion && i < r->all->images; i++) {
		double by = sign * (r->all->second_utility[i] - r->all->first_utility[i]);
		if (by > 1e-9)
			all[count++] = (struct changed){i, by};
	}
	qsort(all, count, sizeof(*all), by_change);
	for (size_t i = 0; i < count && i < SIDE_BY_SIDE_SHOWN; i++) {
		const struct side_picture *p = &r->pictures[all[i].picture];
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		char *ids = arena_alloc(a, 2 * UUID_TEXT_SIZE);
		uuid_format(p->asset_id, ids);
		uuid_format(p->data_id, ids + UUID_TEXT_SIZE);
		yyjson_mut_obj_add_str(doc, item, "asset_id", ids);
		yyjson_mut_obj_add_str(doc, item, "data_id", ids + UUID_TEXT_SIZE);
		yyjson_mut_obj_add_str(doc, item, "filename", p->filename);
		yyjson_mut_obj_add_real(doc, item, "champion", r->all->first_utility[all[i].picture]);
		yyjson_mut_obj_add_real(doc, item, "candidate", r->all->second_utility[all[i].picture]);
	}
}

static const char *sentence(const struct side_report *r, struct arena *a)
{
	const struct paired_result *p = r->all;
	if (p->second < 0)
		return arena_printf(a, "The %zu pictures to measure with have nothing to find.", p->images);
	if (!r->has_champion)
		return arena_printf(a, "%s %.1f %% on %zu pictures that it was not trained on%s.", p->metric,
			100 * p->second, p->images,
			p->images < PAIRED_IMAGES_FEW ? ": few, so take it as a first impression" : "");
	const char *numbers = arena_printf(a, "%s %.1f %% instead of %.1f %% on %zu pictures to measure with",
		p->metric, 100 * p->second, 100 * p->first, p->images);
	if (p->images < PAIRED_IMAGES_FEW)
		return arena_printf(a, "Not sure: %s. %d would say more.", numbers, PAIRED_IMAGES_FEW);
	const char *interval = arena_printf(a, "the difference is %+.1f to %+.1f points with 95 %% certainty",
		100 * p->low, 100 * p->high);
	if (p->low > 0)
		return arena_printf(a, "Better: %s; %s.", numbers, interval);
	if (p->high < 0)
		return arena_printf(a, "Worse: %s; %s.", numbers, interval);
	return arena_printf(a, "No difference that could be told from chance: %s; %s.", numbers, interval);
}

static void add_forgetting(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct side_report *r, struct arena *a)
{
	const struct paired_result *p = r->before;
	if (p == NULL || !r->has_champion || p->second < 0) {
		yyjson_mut_obj_add_null(doc, root, "forgetting");
		return;
	}
	yyjson_mut_val *item = yyjson_mut_obj_add_obj(doc, root, "forgetting");
	const char *what = p->high < 0  ? "It forgot"
			   : p->low > 0 ? "It forgot nothing, and learned"
					: "It forgot nothing";
	yyjson_mut_obj_add_uint(doc, item, "images", p->images);
	add_value(doc, item, "champion", p->first);
	add_value(doc, item, "candidate", p->second);
	yyjson_mut_obj_add_str(doc, item, "sentence",
		arena_printf(a,
			"%s: %s %.1f %% instead of %.1f %% on the %zu pictures that the training before was "
			"measured on.",
			what, p->metric, 100 * p->second, 100 * p->first, p->images));
}

const char *side_report_json(const struct side_report *r, struct arena *a)
{
	const struct paired_result *p = r->all;
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_uint(doc, root, "images", p->images);
	yyjson_mut_obj_add_str(doc, root, "metric", p->metric);
	add_value(doc, root, "champion", r->has_champion ? p->first : -1);
	add_value(doc, root, "candidate", p->second);
	add_value(doc, root, "champion50", r->has_champion ? p->first50 : -1);
	add_value(doc, root, "candidate50", p->second50);
	if (r->has_champion && p->second >= 0) {
		yyjson_mut_val *difference = yyjson_mut_obj_add_obj(doc, root, "difference");
		yyjson_mut_obj_add_real(doc, difference, "value", p->difference);
		yyjson_mut_obj_add_real(doc, difference, "low", p->low);
		yyjson_mut_obj_add_real(doc, difference, "high", p->high);
	} else {
		yyjson_mut_obj_add_null(doc, root, "difference");
	}
	yyjson_mut_obj_add_bool(doc, root, "few", p->images < PAIRED_IMAGES_FEW);
	yyjson_mut_obj_add_str(doc, root, "sentence", sentence(r, a));
	add_labels(doc, root, r);
	add_changed(doc, root, "better", r, 1, a);
	add_changed(doc, root, "worse", r, -1, a);
	add_forgetting(doc, root, r, a);
	return (const char *)json_print(doc, a).data;
}
