/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of a check's rows: values that chance may have made are equal; then what is surer; then what is
 * usual. Why so: docs/decisions/0034-which-recipe-is-right.md.
 */
#include "learn/check.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

#define SAME_VALUE 0.02 /* on SAME_VALUE_PICTURES */
#define SAME_VALUE_PICTURES 20
#define SAME_ACCURACY 0.005
#define SAME_CERTAINTY 0.005
#define SURER_BY 0.02      /* that much speaks for another scaling */
#define SCALING_SAME 0.02f /* of the range: as recipe_candidates() */

struct place {
	struct check_row row;
	uint64_t evidence;
	size_t index;       /* as it came: the fewest changes first */
	unsigned odd;       /* things that differ from the layout's convention */
	unsigned class_odd; /* the least of those with the same evidence */
	float span;         /* between black and white, as the model sees them */
	size_t group;       /* of equal values */
	bool preferred;     /* its scaling is, or it answers the same as one whose scaling is */
	size_t subgroup;    /* of equal certainty in it */
};

/* ---- what is usual ---- */

static bool same_scaling(const struct recipe *x, const struct recipe *y)
{
	const struct tensor_spec *a = &x->input, *b = &y->input;
	for (unsigned c = 0; a->sample != SAMPLE_UINT8 && c < tensor_channels(a); c++) {
		/* Mean and std are in the model's order of channels, which may be turned round. */
		unsigned d = a->colour == b->colour ? c : tensor_channels(a) - 1 - c;
		float a0 = -a->mean[c] / a->std[c], a255 = (255 * a->scale - a->mean[c]) / a->std[c];
		float b0 = -b->mean[d] / b->std[d], b255 = (255 * b->scale - b->mean[d]) / b->std[d];
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
	return (a->colour != b->colour) + !same_scaling(r, &usual) + !fits;
}

static bool has_usual_scaling(const struct recipe *r)
{
	struct recipe usual = *r;
	recipe_follow_convention(&usual);
	return same_scaling(r, &usual);
}

static float span_of_scaling(const struct recipe *r)
{
	float span = 0;
	for (unsigned c = 0; c < tensor_channels(&r->input); c++)
		span = fmaxf(span, 255 * r->input.scale / r->input.std[c]);
	return span;
}

/* ---- equal values ---- */

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

/* The end of the group that begins at first: those that are not worse by what proves something. Sorted by
 * value. */
static size_t group_end(const struct place *places, size_t count, size_t first)
{
	const struct check_row *best = &places[first].row;
	size_t end = first;
	while (end < count && places[end].row.pictures == best->pictures &&
		best->value - places[end].row.value <= tolerance(best) + 1e-9)
		end++;
	return end;
}

/* ---- the scaling of a group ---- */

static double surest(const struct place *places, size_t count, const struct recipe *scaling)
{
	double best = 0;
	for (size_t i = 0; i < count; i++)
		if (same_scaling(&places[i].row.recipe, scaling))
			best = fmax(best, places[i].row.certainty);
	return best;
}

/*
 * Numbers that spread wider make a model surer whether they are right or not. So the usual scaling stands
 * unless one that does not spread wider is surer by far. The group is sorted by value.
 */
static const struct place *find_scaling(const struct place *places, size_t count)
{
	const struct place *chosen = &places[0];
	for (size_t i = 0; i < count; i++)
		if (places[i].row.current)
			chosen = &places[i];
	for (size_t i = count; i-- > 0;)
		if (has_usual_scaling(&places[i].row.recipe))
			chosen = &places[i];
	for (bool changed = true; changed;) {
		changed = false;
		double sure = surest(places, count, &chosen->row.recipe);
		for (size_t i = 0; i < count && !changed; i++) {
			changed = places[i].span <= chosen->span * (1 + SCALING_SAME) &&
				  places[i].row.certainty > sure + SURER_BY;
			if (changed)
				chosen = &places[i];
		}
	}
	return chosen;
}

static void prefer_scaling(struct place *places, size_t count)
{
	const struct recipe scaling = find_scaling(places, count)->row.recipe;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count && !places[i].preferred; k++)
			places[i].preferred = (i == k || places[i].evidence == places[k].evidence) &&
					      same_scaling(&places[k].row.recipe, &scaling);
}

/* ---- the rest ---- */

static int by_certainty(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->preferred != y->preferred)
		return x->preferred ? -1 : 1;
	int order = compare(x->row.certainty, y->row.certainty);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void make_subgroups(struct place *places, size_t count)
{
	for (size_t first = 0, subgroup = 0, end; first < count; first = end, subgroup++) {
		const struct place *best = &places[first];
		for (end = first; end < count; end++) {
			const struct place *p = &places[end];
			if (p->group != best->group || p->preferred != best->preferred ||
				best->row.certainty - p->row.certainty > SAME_CERTAINTY)
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
		places[i] = (struct place){.row = rows[i],
			.evidence = evidence[i],
			.index = i,
			.odd = oddness(&rows[i].recipe),
			.span = span_of_scaling(&rows[i].recipe)};
	find_class_oddness(places, count);
	qsort(places, count, sizeof(*places), by_value);
	for (size_t first = 0, group = 0, end; first < count; first = end, group++) {
		end = group_end(places, count, first);
		for (size_t i = first; i < end; i++)
			places[i].group = group;
		prefer_scaling(places + first, end - first);
	}
	qsort(places, count, sizeof(*places), by_certainty);
	make_subgroups(places, count);
	qsort(places, count, sizeof(*places), by_rank);
	for (size_t i = 0; i < count; i++)
		rows[i] = places[i].row;
	free(places);
}
