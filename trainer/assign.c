/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/assign.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define OUTSIDE_COST 1e5F /* of a place that is not in the object and near its centre both */

static void none(const struct assign_input *in, struct assign_output *out)
{
	for (size_t p = 0; p < in->place_count; p++) {
		out->truth[p] = -1;
		out->target[p] = 0;
	}
}

static bool is_inside(struct assign_place p, struct box b)
{
	return p.x > b.x1 && p.x < b.x2 && p.y > b.y1 && p.y < b.y2;
}

#define NO_CANDIDATE (-INFINITY)

/* The `top` places of the highest values, the first of equals. Returns how many. */
static size_t highest(const float *values, size_t count, size_t top, size_t *out)
{
	size_t kept = 0;
	for (size_t p = 0; p < count; p++) {
		if (values[p] == NO_CANDIDATE || (kept == top && !(values[p] > values[out[kept - 1]])))
			continue;
		size_t at = kept < top ? kept++ : kept - 1;
		while (at > 0 && values[p] > values[out[at - 1]]) {
			out[at] = out[at - 1];
			at--;
		}
		out[at] = p;
	}
	return kept;
}

/* ---- task-aligned ---- */

static struct box at_least(struct box b, float side)
{
	float x = (side - (b.x2 - b.x1)) / 2, y = (side - (b.y2 - b.y1)) / 2;
	if (x > 0)
		b.x1 -= x, b.x2 += x;
	if (y > 0)
		b.y1 -= y, b.y2 += y;
	return b;
}

void assign_task_aligned(const struct assign_input *in, struct arena *a, struct assign_output *out)
{
	float *measure = arena_alloc(a, in->place_count * sizeof(float));
	float *overlap = ARENA_ARRAY(a, float, in->place_count); /* with the truth it learns */
	float *measured = ARENA_ARRAY(a, float, in->place_count);
	float *best_overlap = ARENA_ARRAY(a, float, in->truth_count);
	float *best_measure = ARENA_ARRAY(a, float, in->truth_count);
	size_t chosen[ASSIGN_TAL_TOP];
	none(in, out);
	for (size_t t = 0; t < in->truth_count; t++) {
		const struct assign_truth *truth = &in->truths[t];
		struct box room = at_least(truth->box, ASSIGN_TAL_SIDE_MIN);
		for (size_t p = 0; p < in->place_count; p++) {
			measure[p] = NO_CANDIDATE;
			if (!is_inside(in->places[p], room))
				continue;
			float iou = box_iou(in->boxes[p], truth->box);
			measure[p] =
				sqrtf(in->scores[p * in->class_count + (size_t)truth->label]) * powf(iou, 6);
		}
		size_t count = highest(measure, in->place_count, ASSIGN_TAL_TOP, chosen);
		for (size_t i = 0; i < count; i++) {
			size_t p = chosen[i];
			float iou = box_iou(in->boxes[p], truth->box);
			if (out->truth[p] >= 0 && !(iou > overlap[p]))
				continue;
			out->truth[p] = (int32_t)t;
			overlap[p] = iou;
			measured[p] = measure[p];
		}
	}
	for (size_t p = 0; p < in->place_count; p++)
		if (out->truth[p] >= 0) {
			size_t t = (size_t)out->truth[p];
			best_overlap[t] = fmaxf(best_overlap[t], overlap[p]);
			best_measure[t] = fmaxf(best_measure[t], measured[p]);
		}
	for (size_t p = 0; p < in->place_count; p++)
		if (out->truth[p] >= 0) {
			size_t t = (size_t)out->truth[p];
			out->target[p] =
				best_measure[t] > 0 ? measured[p] / best_measure[t] * best_overlap[t] : 0;
		}
}

/* ---- SimOTA ---- */

static float entropy(float probability, bool wanted)
{
	/* As libraries have it: logarithms end at -100. */
	return -fmaxf(logf(wanted ? probability : 1 - probability), -100);
}

/* Of each place: the price of saying this label there, less what does not depend on the label. */
static void class_costs(const struct assign_input *in, float *all_wrong)
{
	for (size_t p = 0; p < in->place_count; p++) {
		all_wrong[p] = 0;
		for (size_t c = 0; c < in->class_count; c++) {
			float said = sqrtf(in->scores[p * in->class_count + c] * in->objectness[p]);
			all_wrong[p] += entropy(said, false);
		}
	}
}

static float cost_of(const struct assign_input *in, size_t p, const struct assign_truth *truth, float iou,
	const float *all_wrong, bool in_both)
{
	float said = sqrtf(in->scores[p * in->class_count + (size_t)truth->label] * in->objectness[p]);
	float named = all_wrong[p] - entropy(said, false) + entropy(said, true);
	return named + 3 * -logf(iou + 1e-8F) + (in_both ? 0 : OUTSIDE_COST);
}

/* How many places an object may have: its ten highest IoUs, summed. */
static size_t room_for(const float *ious, size_t count)
{
	size_t best[ASSIGN_OTA_TOP];
	size_t found = highest(ious, count, ASSIGN_OTA_TOP, best);
	float sum = 0;
	for (size_t i = 0; i < found; i++)
		sum += ious[best[i]];
	size_t room = (size_t)sum;
	return room > 0 ? room : 1;
}

void assign_sim_ota(const struct assign_input *in, float radius, struct arena *a, struct assign_output *out)
{
	float *gain = arena_alloc(a, in->place_count * sizeof(float)); /* less the cost */
	float *ious = arena_alloc(a, in->place_count * sizeof(float));
	float *paid = ARENA_ARRAY(a, float, in->place_count);
	float *all_wrong = arena_alloc(a, in->place_count * sizeof(float));
	bool *candidate = ARENA_ARRAY(a, bool, in->place_count); /* of any object */
	size_t chosen[ASSIGN_OTA_TOP];
	none(in, out);
	class_costs(in, all_wrong);
	for (size_t t = 0; t < in->truth_count; t++)
		for (size_t p = 0; p < in->place_count; p++) {
			struct box b = in->truths[t].box;
			struct assign_place at = in->places[p];
			float reach = radius * at.stride;
			candidate[p] |= is_inside(at, b) || (fabsf(at.x - (b.x1 + b.x2) / 2) < reach &&
								    fabsf(at.y - (b.y1 + b.y2) / 2) < reach);
		}
	for (size_t t = 0; t < in->truth_count; t++) {
		const struct assign_truth *truth = &in->truths[t];
		float x = (truth->box.x1 + truth->box.x2) / 2, y = (truth->box.y1 + truth->box.y2) / 2;
		for (size_t p = 0; p < in->place_count; p++) {
			struct assign_place at = in->places[p];
			float reach = radius * at.stride;
			bool near = fabsf(at.x - x) < reach && fabsf(at.y - y) < reach;
			ious[p] = gain[p] = NO_CANDIDATE;
			if (!candidate[p])
				continue;
			ious[p] = box_iou(in->boxes[p], truth->box);
			float cost =
				cost_of(in, p, truth, ious[p], all_wrong, near && is_inside(at, truth->box));
			gain[p] = -cost;
		}
		size_t count = highest(gain, in->place_count, room_for(ious, in->place_count), chosen);
		for (size_t i = 0; i < count; i++) {
			size_t p = chosen[i];
			if (out->truth[p] >= 0 && !(gain[p] > paid[p]))
				continue;
			out->truth[p] = (int32_t)t;
			out->target[p] = ious[p];
			paid[p] = gain[p];
		}
	}
}
