/* SPDX-License-Identifier: Apache-2.0 */
#include "task/score_view.h"

#include "base/check.h"
#include "task/score_records.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define ALL_SIZES (((uint64_t)1 << MATCH_IOU_MAX) - 1) /* the bits of MATCH_ALL, one an IoU */
_Static_assert(MATCH_ALL == 0, "its bits are the first ones");

struct view_record {
	uint32_t image;        /* its place in images */
	uint16_t found, wrong; /* a bit an IoU; neither: it does not count */
};

struct view_truths {
	uint32_t image, count;
};

struct view_label {
	int32_t label;
	struct view_record *records; /* by falling score */
	size_t record_count;
	struct view_truths *truths; /* by image; of images that have some */
	size_t truths_count;
	uint64_t objects;
};

struct score_view {
	unsigned iou_count;
	int at50;
	const int64_t *images;
	size_t image_count, record_count;
	struct view_label *labels; /* those with something to find */
	size_t label_count;
	struct score_view_value *values; /* of each label */
	/* At each find of a label, for each IoU: what was found, and the precision. */
	double *found[MATCH_IOU_MAX], *precision[MATCH_IOU_MAX];
};

static uint32_t place_of(const struct score_view *v, int64_t image)
{
	size_t low = 0, high = v->image_count;
	while (low + 1 < high) {
		size_t middle = (low + high) / 2;
		if (v->images[middle] <= image)
			low = middle;
		else
			high = middle;
	}
	CHECK(high > 0 && v->images[low] == image);
	return (uint32_t)low;
}

static void copy_records(
	struct score_view *v, struct view_label *label, struct score_entry *e, struct arena *a)
{
	score_sort(e);
	label->records = ARENA_ARRAY(a, struct view_record, e->count);
	for (size_t i = 0; i < e->count; i++) {
		const struct score_record *r = &e->records[i];
		uint64_t counts = ~r->ignored & ALL_SIZES;
		if (counts == 0)
			continue;
		label->records[label->record_count++] = (struct view_record){place_of(v, r->image),
			(uint16_t)(counts & r->matched_rank), (uint16_t)(counts & ~r->matched_rank)};
	}
	v->record_count += label->record_count;
}

static void copy_truths(struct score_view *v, struct view_label *label, const struct score *s,
	const struct score_entry *e, uint32_t *truths, struct arena *a)
{
	size_t some = score_truths(s, e, v->images, v->image_count, truths);
	label->truths = ARENA_ARRAY(a, struct view_truths, some);
	for (size_t k = 0; k < v->image_count; k++)
		if (truths[k])
			label->truths[label->truths_count++] = (struct view_truths){(uint32_t)k, truths[k]};
}

struct score_view *score_view_new(struct score *s, struct arena *a)
{
	CHECK(!s->rules.voc);
	struct score_view *v = ARENA_NEW(a, struct score_view);
	size_t count, most = 0;
	struct score_entry **entries = score_labels(s, a, &count);
	v->iou_count = s->rules.iou_count;
	v->at50 = -1;
	for (unsigned t = 0; t < v->iou_count; t++)
		if (s->rules.ious[t] > 0.5 - 1e-9 && s->rules.ious[t] < 0.5 + 1e-9)
			v->at50 = (int)t;
	v->images = score_images(s, a, &v->image_count);
	v->labels = ARENA_ARRAY(a, struct view_label, count);
	v->values = ARENA_ARRAY(a, struct score_view_value, count);
	uint32_t *truths = ARENA_ARRAY(a, uint32_t, v->image_count);
	for (size_t i = 0; i < count; i++) {
		if (entries[i]->truths[MATCH_ALL] == 0)
			continue;
		struct view_label *label = &v->labels[v->label_count++];
		label->label = entries[i]->label;
		label->objects = entries[i]->truths[MATCH_ALL];
		most = label->objects > most ? label->objects : most;
		copy_records(v, label, entries[i], a);
		copy_truths(v, label, s, entries[i], truths, a);
	}
	for (unsigned t = 0; t < v->iou_count; t++) {
		v->found[t] = ARENA_ARRAY(a, double, most + 1);
		v->precision[t] = ARENA_ARRAY(a, double, most + 1);
	}
	return v;
}

size_t score_view_count(const struct score_view *v)
{
	return v->image_count;
}

const int64_t *score_view_images(const struct score_view *v)
{
	return v->images;
}

size_t score_view_records(const struct score_view *v)
{
	return v->record_count;
}

/* The mean of the envelope at recalls 0, 0.01 … 1. */
static double mean_precision(const double *found, double *precision, size_t count, double objects)
{
	double sum = 0;
	score_envelope(precision, count);
	for (size_t i = 0, find = 0; i <= 100; i++) {
		double recall = i < 100 ? (double)i * 0.01 : 1;
		while (find < count && found[find] / objects < recall)
			find++;
		if (find == count)
			break;
		sum += precision[find];
	}
	return sum / 101;
}

/* Finds of one label, all IoUs at once. An answer that is wrong at all of them is what most answers are. */
static void walk(
	const struct score_view *v, const struct view_label *label, const double *weights, size_t *finds)
{
	double found[MATCH_IOU_MAX] = {0}, wrong[MATCH_IOU_MAX] = {0}, wrong_at_all = 0;
	const uint16_t all = (uint16_t)((1u << v->iou_count) - 1);
	for (size_t i = 0; i < label->record_count; i++) {
		const struct view_record *r = &label->records[i];
		double weight = weights ? weights[r->image] : 1;
		if (weight <= 0)
			continue;
		if (r->wrong == all) {
			wrong_at_all += weight;
			continue;
		}
		for (unsigned t = 0; t < v->iou_count; t++) {
			if (r->found >> t & 1) {
				size_t at = finds[t]++;
				found[t] += weight;
				v->found[t][at] = found[t];
				v->precision[t][at] =
					found[t] / (wrong_at_all + wrong[t] + found[t] + DBL_EPSILON);
			} else if (r->wrong >> t & 1) {
				wrong[t] += weight;
			}
		}
	}
}

static double objects_of(const struct view_label *label, const double *weights)
{
	double sum = 0;
	if (weights == NULL)
		return (double)label->objects;
	for (size_t i = 0; i < label->truths_count; i++)
		sum += weights[label->truths[i].image] * label->truths[i].count;
	return sum;
}

/* -1: nothing to find. */
static struct score_view_value label_ap(
	const struct score_view *v, const struct view_label *label, const double *weights)
{
	struct score_view_value out = {0, -1};
	double objects = objects_of(label, weights);
	size_t finds[MATCH_IOU_MAX] = {0};
	if (!(objects > 0))
		return (struct score_view_value){-1, -1};
	walk(v, label, weights, finds);
	for (unsigned t = 0; t < v->iou_count; t++) {
		double mean = mean_precision(v->found[t], v->precision[t], finds[t], objects);
		out.ap += mean;
		out.ap50 = (int)t == v->at50 ? mean : out.ap50;
	}
	out.ap /= v->iou_count;
	return out;
}

size_t score_view_labels(const struct score_view *v)
{
	return v->label_count;
}

int32_t score_view_label(const struct score_view *v, size_t i)
{
	return v->labels[i].label;
}

uint64_t score_view_objects(const struct score_view *v, size_t i)
{
	return v->labels[i].objects;
}

void score_view_label_ap(const struct score_view *v, const double *weights, struct score_view_value *out)
{
	for (size_t i = 0; i < v->label_count; i++)
		out[i] = label_ap(v, &v->labels[i], weights);
}

struct score_view_value score_view_mean(const struct score_view_value *labels, size_t count)
{
	struct score_view_value out = {0, 0};
	size_t some = 0;
	bool at50 = true;
	for (size_t i = 0; i < count; i++) {
		if (labels[i].ap < 0)
			continue;
		out.ap += labels[i].ap;
		out.ap50 += labels[i].ap50;
		at50 = at50 && labels[i].ap50 >= 0;
		some++;
	}
	out.ap = some ? out.ap / (double)some : -1;
	out.ap50 = some && at50 ? out.ap50 / (double)some : -1;
	return out;
}

struct score_view_value score_view_ap(const struct score_view *v, const double *weights)
{
	score_view_label_ap(v, weights, v->values);
	return score_view_mean(v->values, v->label_count);
}
