/* SPDX-License-Identifier: Apache-2.0 */
/* One score a class: [1,C], [1,C,1,1] and whatever else has one dimension that counts. Logits or
 * probabilities. */
#include "task/output.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Which dimension counts the classes; -1: this is no list of classes. */
static int class_dim(const struct output_shape *s)
{
	int found = -1;
	if (s->rank < 1 || s->rank > 4 || (s->rank > 1 && !output_dim_may_be(s->dims[0], 1)))
		return -1;
	for (int i = s->rank > 1 ? 1 : 0; i < s->rank; i++) {
		if (s->dims[i] == 1)
			continue;
		if (found != -1)
			return -1;
		found = i;
	}
	return found;
}

static bool counts_match(int64_t classes, uint32_t labels)
{
	return labels > 0 && (classes == labels || (classes == 1001 && labels == 1000));
}

/* The output whose classes are as many as the labels, or else the first that can be one. -1: none. */
static int choose(const struct output_probe *p, unsigned *eligible)
{
	int chosen = -1;
	bool matched = false;
	*eligible = 0;
	for (unsigned i = 0; i < p->graph->output_count; i++) {
		struct output_shape s = output_shape_known(p, i);
		int dim = output_is_float(&s) ? class_dim(&s) : -1;
		if (dim == -1 || (s.dims[dim] != -1 && (s.dims[dim] < 2 || s.dims[dim] > RECIPE_CLASSES_MAX)))
			continue;
		++*eligible;
		if (chosen == -1 || (!matched && counts_match(s.dims[dim], p->label_count)))
			chosen = (int)i;
		matched |= counts_match(s.dims[dim], p->label_count);
	}
	return chosen;
}

/* By the last operator, or the values of the probe run: a distribution, or surely none, or (guessed) logits.
 */
static void find_probabilities(const struct output_probe *p, struct recipe *r)
{
	bool told = output_operator_tells(p->graph->outputs[r->tensors[0]].made_by, &r->probabilities);
	recipe_mark(r, RECIPE_PROBABILITIES, told ? ORIGIN_READ : ORIGIN_GUESSED);
	const struct engine_tensor *t = output_probe_tensor(p, r->tensors[0]);
	if (told || t == NULL)
		return;
	struct output_rows rows = {t, 1, 0, 1};
	double sum = 0;
	bool negative = false, above_one = false;
	for (size_t k = 0; k < r->class_count; k++) {
		float value = output_value(&rows, 0, k);
		negative |= value < 0;
		above_one |= value > 1.01f;
		sum += value;
	}
	r->probabilities = !negative && fabs(sum - 1) < 0.01;
	if (r->probabilities || negative || above_one)
		recipe_mark(r, RECIPE_PROBABILITIES, ORIGIN_READ);
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	unsigned eligible;
	int chosen = choose(p, &eligible);
	if (chosen == -1)
		return OUTPUT_NO;
	struct output_shape s = output_shape_known(p, (unsigned)chosen);
	int64_t classes = s.dims[class_dim(&s)];
	if (classes == -1 && p->label_count < 2) {
		char name[OUTPUT_NAME_TEXT_SIZE];
		err_set(why, ST_UNPROCESSABLE,
			"The graph does not say how many classes output \"%s\" has: give the labels.",
			output_name_print(p->graph->outputs[chosen].name, name));
		return OUTPUT_DOUBTFUL;
	}
	r->tensors[0] = (uint32_t)chosen;
	recipe_mark(r, RECIPE_TENSORS, eligible == 1 ? ORIGIN_READ : ORIGIN_GUESSED);
	r->class_count = classes == -1 ? p->label_count : (uint32_t)classes;
	recipe_mark(r, RECIPE_CLASS_COUNT, classes == -1 ? ORIGIN_GUESSED : ORIGIN_READ);
	/* The 1,001 classes of ImageNet as TensorFlow counts them: class 0 is the background. */
	bool extra = r->class_count == 1001 && p->label_count == 1000;
	r->background = extra ? BACKGROUND_FIRST : BACKGROUND_NONE;
	recipe_mark(r, RECIPE_BACKGROUND,
		extra || r->class_count == p->label_count ? ORIGIN_READ : ORIGIN_GUESSED);
	find_probabilities(p, r);
	return OUTPUT_FITS;
}

static void convention(struct recipe *r)
{
	if (r->input.colour == COLOUR_GREY) { /* as MNIST's: 0…255, small, already cut out */
		r->input.fit = FIT_STRETCH;
		r->input.scale = 1;
		return;
	}
	r->input.fit = FIT_CENTER_CROP;
	output_convention_imagenet(r);
}

/* Can one dimension count so many classes, and all others be 1? */
static bool may_count(const struct output_shape *s, int64_t classes)
{
	for (int at = s->rank > 1 ? 1 : 0; at < s->rank && s->rank <= 4; at++) {
		bool fits = true;
		for (int i = 0; i < s->rank; i++)
			fits &= output_dim_may_be(s->dims[i], i == at ? classes : 1);
		if (fits)
			return true;
	}
	return false;
}

static enum status check(const struct recipe *r, const struct output_shape *shapes, struct err *err)
{
	if (may_count(&shapes[0], r->class_count))
		return ST_OK;
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	return err_set(err, ST_UNPROCESSABLE, "The recipe has %u classes, but the model's output is %s.",
		r->class_count, output_shape_print(&shapes[0], text));
}

static int compare(const void *left, const void *right)
{
	const struct shape *a = left, *b = right;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	return a->label < b->label ? -1 : 1;
}

/* Infinite logits stay comparable, and their differences are no NaN. */
static float bounded(float logit)
{
	return fmaxf(-1e30f, fminf(logit, 1e30f));
}

static void softmax(const float *logits, size_t count, float *out)
{
	float highest = -1e30f;
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		if (!isnan(logits[i]))
			highest = fmaxf(highest, bounded(logits[i]));
	for (size_t i = 0; i < count; i++) {
		out[i] = isnan(logits[i]) ? NAN : expf(bounded(logits[i]) - highest);
		if (!isnan(logits[i]))
			sum += out[i];
	}
	for (size_t i = 0; i < count; i++)
		out[i] = (float)(out[i] / sum);
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	size_t first = r->background == BACKGROUND_FIRST,
	       end = r->class_count - (r->background == BACKGROUND_LAST);
	float *scratch = ARENA_ARRAY(a, float, r->class_count);
	const float *scores = output_floats(tensors[0], 0, r->class_count, scratch);
	if (!r->probabilities) {
		softmax(scores, r->class_count, scratch);
		scores = scratch;
	}
	struct shape *items = ARENA_ARRAY(a, struct shape, end - first);
	size_t count = 0;
	for (size_t i = first; i < end; i++) {
		if (!(scores[i] >= SHAPE_SCORE_FLOOR) || !isfinite(scores[i]))
			continue;
		items[count++] = (struct shape){
			.kind = SHAPE_CLASS, .label = (int32_t)(i - first), .score = fminf(scores[i], 1)};
	}
	qsort(items, count, sizeof(items[0]), compare);
	*out = (struct shapes){items, count < SHAPES_MAX ? count : SHAPES_MAX};
	return ST_OK;
}

const struct output_ops output_classification = {
	.tensor_count = 1,
	.has_background = true,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
