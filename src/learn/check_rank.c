/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a check's rows. */
#include "learn/check.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

#define SAME_VALUE 0.02 /* on SAME_VALUE_PICTURES */
#define SAME_VALUE_PICTURES 20
#define SAME_ACCURACY 0.005
#define SAME_CERTAINTY 0.005
#define SCALING_SAME 0.02f /* of the range: as recipe_candidates() */

struct place {
	struct check_row row;
	uint64_t evidence;
	size_t index;       /* as it came: the fewest changes first */
	unsigned odd;       /* things that differ from the layout's convention */
	unsigned class_odd; /* the least of those with the same evidence */
	size_t group;       /* of equal values */
	size_t subgroup;    /* of equal certainty in it */
};

/* ---- what is usual ---- */

static bool same_scaling(const struct tensor_spec *a, const struct tensor_spec *b)
{
	for (unsigned c = 0; c < tensor_channels(a); c++) {
		float a0 = -a->mean[c] / a->std[c], a255 = (255 * a->scale - a->mean[c]) / a->std[c];
		float b0 = -b->mean[c] / b->std[c], b255 = (255 * b->scale - b->mean[c]) / b->std[c];
		float apart = SCALING_SAME * fmaxf(fabsf(a255 - a0), fabsf(b255 - b0));
		if (fabsf(a0 - b0) > apart || fabsf(a255 - b255) > apart)
			return false;
	}
	return true;
}

static unsigned oddness(const struct recipe *r)
{
	struct recipe usual = *r;
	recipe_follow_convention(&usual);
	const struct tensor_spec *a = &r->input, *b = &usual.input;
	bool fits = a->fit == b->fit && (a->fit != FIT_LETTERBOX || a->pad_at == b->pad_at);
	return (a->colour != b->colour) + (a->sample != SAMPLE_UINT8 && !same_scaling(a, b)) + !fits;
}

/* ---- order ---- */

static double tolerance(const struct check_row *row)
{
	double pictures = row->pictures ? (double)row->pictures : 1;
	if (row->recipe.task == TASK_CLASSIFICATION)
		return fmax(SAME_ACCURACY, 1 / pictures);
	return SAME_VALUE * sqrt(SAME_VALUE_PICTURES / pictures);
}

static int compare(double x, double y) /* the larger first */
{
	return (x < y) - (x > y);
}

static int by_value(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->row.pictures != y->row.pictures)
		return x->row.pictures > y->row.pictures ? -1 : 1;
	int order = compare(x->row.value, y->row.value);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int by_certainty(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	int order = compare(x->row.certainty, y->row.certainty);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Places by falling value: a group are the next one and those that are not worse by what proves something. */
static void make_groups(struct place *places, size_t count)
{
	for (size_t first = 0, group = 0, end; first < count; first = end, group++) {
		const struct check_row *best = &places[first].row;
		for (end = first; end < count; end++) {
			const struct check_row *row = &places[end].row;
			if (row->pictures != best->pictures ||
				best->value - row->value > tolerance(best) + 1e-9)
				break;
			places[end].group = group;
		}
	}
}

/* The same again by certainty, in each group. */
static void make_subgroups(struct place *places, size_t count)
{
	for (size_t first = 0, subgroup = 0, end; first < count; first = end, subgroup++) {
		const struct place *best = &places[first];
		for (end = first; end < count; end++) {
			if (places[end].group != best->group ||
				best->row.certainty - places[end].row.certainty > SAME_CERTAINTY)
				break;
			places[end].subgroup = subgroup;
		}
	}
}

static void find_class_oddness(struct place *places, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		places[i].class_odd = places[i].odd;
		for (size_t k = 0; k < count; k++)
			if (places[k].evidence == places[i].evidence && places[k].odd < places[i].class_odd)
				places[i].class_odd = places[k].odd;
	}
}

static int by_rank(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->subgroup != y->subgroup)
		return x->subgroup < y->subgroup ? -1 : 1;
	if (x->class_odd != y->class_odd)
		return x->class_odd < y->class_odd ? -1 : 1;
	if (x->row.value != y->row.value)
		return compare(x->row.value, y->row.value);
	if (x->evidence != y->evidence)
		return x->evidence < y->evidence ? -1 : 1;
	if (x->row.current != y->row.current)
		return x->row.current ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

void check_rank(struct check_row *rows, const uint64_t *evidence, size_t count)
{
	struct place *places = calloc(count ? count : 1, sizeof(*places));
	CHECK(places != NULL);
	for (size_t i = 0; i < count; i++)
		places[i] = (struct place){
			.row = rows[i], .evidence = evidence[i], .index = i, .odd = oddness(&rows[i].recipe)};
	find_class_oddness(places, count);
	qsort(places, count, sizeof(*places), by_value);
	make_groups(places, count);
	qsort(places, count, sizeof(*places), by_certainty);
	make_subgroups(places, count);
	qsort(places, count, sizeof(*places), by_rank);
	for (size_t i = 0; i < count; i++)
		rows[i] = places[i].row;
	free(places);
}
