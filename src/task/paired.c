/* SPDX-License-Identifier: Apache-2.0 */
#include "task/paired.h"

#include "base/check.h"
#include "base/compare.h"
#include "task/confusion.h"
#include "task/overlap.h"
#include "task/score_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What one model said of one picture, as far as it is needed again. */
struct said {
	int32_t guess; /* classes */
	struct confusion_pair *pairs;
	struct overlap *overlaps;
	size_t pair_count, overlap_count;
};

struct picture {
	int32_t truth; /* classes */
	struct said said[2];
};

struct paired {
	enum task task;
	uint32_t label_count;
	double thresholds[2]; /* below 0: where F1 is highest */
	struct score *scores[2];
	struct picture *pictures;
	size_t count, room;
	struct arena arena; /* of what pictures point to */
};

struct paired *paired_new(enum task task, uint32_t label_count)
{
	struct paired *p = calloc(1, sizeof(*p));
	CHECK(p != NULL && task < TASK_COUNT);
	const struct match_rules rules = score_rules_coco(false);
	p->task = task;
	p->label_count = label_count;
	for (int m = 0; m < 2; m++) {
		p->thresholds[m] = task == TASK_DETECTION ? -1 : 0;
		p->scores[m] = task == TASK_DETECTION ? score_new(&rules) : NULL;
	}
	arena_init(&p->arena);
	return p;
}

void paired_free(struct paired *p)
{
	if (p == NULL)
		return;
	score_free(p->scores[0]);
	score_free(p->scores[1]);
	arena_release(&p->arena);
	free(p->pictures);
	free(p);
}

void paired_thresholds(struct paired *p, double first, double second)
{
	CHECK(p->count == 0 && first >= 0 && second >= 0);
	p->thresholds[0] = first;
	p->thresholds[1] = second;
}

/* ---- adding ---- */

static void keep_said(struct paired *p, int model, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count)
{
	struct said *s = &p->pictures[p->count].said[model];
	struct arena scratch;
	arena_init(&scratch);
	switch (p->task) {
	case TASK_CLASSIFICATION: s->guess = guess_count ? guesses[0].label : CLASS_NONE; break;
	case TASK_DETECTION: {
		score_add(p->scores[model], (int64_t)p->count, truths, truth_count, guesses, guess_count);
		struct confusion_pair *pairs = confusion_pairs(
			false, truths, truth_count, guesses, guess_count, &scratch, &s->pair_count);
		s->pairs = ARENA_ARRAY(&p->arena, struct confusion_pair, s->pair_count + 1);
		memcpy(s->pairs, pairs, s->pair_count * sizeof(*pairs));
		break;
	}
	default: {
		struct overlap *overlaps = overlap_of_image(truths, truth_count, guesses, guess_count,
			p->thresholds[model], &scratch, &s->overlap_count);
		s->overlaps = ARENA_ARRAY(&p->arena, struct overlap, s->overlap_count + 1);
		memcpy(s->overlaps, overlaps, s->overlap_count * sizeof(*overlaps));
	}
	}
	arena_release(&scratch);
}

void paired_add(struct paired *p, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *first, size_t first_count, const struct match_guess *second,
	size_t second_count)
{
	if (p->count == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->pictures = realloc(p->pictures, p->room * sizeof(*p->pictures));
		CHECK(p->pictures != NULL);
	}
	for (size_t i = 0; i < truth_count; i++)
		CHECK(truths[i].label >= 0 && (uint32_t)truths[i].label < p->label_count);
	p->pictures[p->count] = (struct picture){.truth = truth_count ? truths[0].label : CLASS_NONE};
	keep_said(p, 0, truths, truth_count, first, first_count);
	keep_said(p, 1, truths, truth_count, second, second_count);
	p->count++;
}

/* ---- one number of each label, and of all ---- */

struct value {
	double all, all50;
	double *labels; /* of each label in the list; -1: not on these pictures */
};

/* What numbers are made from: prepared once, asked with the weights of each resample. */
struct reading {
	const struct paired *p; /* NULL pictures: of scores alone */
	size_t count;           /* pictures */
	struct score_view *views[2];
	struct score_view_value *view_values;
	int32_t *labels; /* that have something to find, rising */
	uint64_t *truths;
	size_t label_count;
	int32_t *places; /* by label: its place in labels, or -1 */
	double *sums[3]; /* by place: what is divided, and by what */
};

static void value_of_boxes(struct reading *r, int model, const double *weights, struct value *out)
{
	score_view_label_ap(r->views[model], weights, r->view_values);
	struct score_view_value mean = score_view_mean(r->view_values, r->label_count);
	for (size_t i = 0; i < r->label_count; i++)
		out->labels[i] = r->view_values[i].ap;
	out->all = mean.ap;
	out->all50 = mean.ap50;
}

static void value_of_classes(struct reading *r, int model, const double *weights, struct value *out)
{
	double right = 0, all = 0, *found = r->sums[0], *there = r->sums[1];
	memset(found, 0, r->label_count * sizeof(*found));
	memset(there, 0, r->label_count * sizeof(*there));
	for (size_t i = 0; i < r->p->count; i++) {
		const struct picture *picture = &r->p->pictures[i];
		double weight = weights ? weights[i] : 1;
		bool is_right = picture->said[model].guess == picture->truth;
		all += weight;
		right += is_right ? weight : 0;
		if (picture->truth == CLASS_NONE)
			continue;
		there[r->places[picture->truth]] += weight;
		found[r->places[picture->truth]] += is_right ? weight : 0;
	}
	for (size_t i = 0; i < r->label_count; i++)
		out->labels[i] = there[i] > 0 ? found[i] / there[i] : -1;
	out->all = all > 0 ? right / all : -1;
	out->all50 = -1;
}

static void value_of_pixels(struct reading *r, int model, const double *weights, struct value *out)
{
	double *both = r->sums[0], *either = r->sums[1], *truth = r->sums[2], sum = 0;
	size_t some = 0;
	for (int i = 0; i < 3; i++)
		memset(r->sums[i], 0, r->label_count * sizeof(*both));
	for (size_t i = 0; i < r->p->count; i++) {
		const struct said *s = &r->p->pictures[i].said[model];
		double weight = weights ? weights[i] : 1;
		for (size_t k = 0; k < s->overlap_count; k++) {
			const struct overlap *o = &s->overlaps[k];
			int32_t place = o->label >= 0 && (uint32_t)o->label < r->p->label_count
						? r->places[o->label]
						: -1;
			if (place < 0)
				continue;
			both[place] += weight * (double)o->both;
			either[place] += weight * (double)(o->truth + o->guess - o->both);
			truth[place] += weight * (double)o->truth;
		}
	}
	for (size_t i = 0; i < r->label_count; i++) {
		out->labels[i] = truth[i] > 0 ? both[i] / either[i] : -1;
		sum += truth[i] > 0 ? out->labels[i] : 0;
		some += truth[i] > 0;
	}
	out->all = some ? sum / (double)some : -1;
	out->all50 = -1;
}

static void value_of(struct reading *r, int model, const double *weights, struct value *out)
{
	switch (r->p->task) {
	case TASK_DETECTION: value_of_boxes(r, model, weights, out); break;
	case TASK_CLASSIFICATION: value_of_classes(r, model, weights, out); break;
	default: value_of_pixels(r, model, weights, out);
	}
}

static uint64_t *count_truths(const struct paired *p, struct arena *a)
{
	uint64_t *counts = ARENA_ARRAY(a, uint64_t, p->label_count + 1);
	for (size_t i = 0; i < p->count; i++) {
		const struct picture *picture = &p->pictures[i];
		if (p->task == TASK_CLASSIFICATION && picture->truth != CLASS_NONE)
			counts[picture->truth]++;
		for (size_t k = 0; k < picture->said[0].overlap_count; k++) {
			const struct overlap *o = &picture->said[0].overlaps[k];
			if (o->truth > 0)
				counts[o->label] += o->truth;
		}
	}
	return counts;
}

static void read_labels(struct reading *r, struct arena *a)
{
	const struct paired *p = r->p;
	r->count = p->count;
	if (p->task == TASK_DETECTION) {
		for (int m = 0; m < 2; m++)
			r->views[m] = score_view_new(p->scores[m], a);
		r->count = score_view_count(r->views[0]);
		CHECK(r->count == score_view_count(r->views[1]));
		r->label_count = score_view_labels(r->views[0]);
		CHECK(r->label_count == score_view_labels(r->views[1]));
	}
	r->labels = ARENA_ARRAY(a, int32_t, p->label_count + 1);
	r->truths = ARENA_ARRAY(a, uint64_t, p->label_count + 1);
	r->places = ARENA_ARRAY(a, int32_t, p->label_count + 1);
	r->view_values = ARENA_ARRAY(a, struct score_view_value, r->label_count + 1);
	uint64_t *counts = count_truths(p, a);
	for (size_t i = 0; p->task == TASK_DETECTION && i < r->label_count; i++)
		counts[score_view_label(r->views[0], i)] = score_view_objects(r->views[0], i);
	r->label_count = 0;
	for (uint32_t i = 0; i < p->label_count; i++) {
		r->places[i] = counts[i] ? (int32_t)r->label_count : -1;
		if (counts[i] == 0)
			continue;
		r->labels[r->label_count] = (int32_t)i;
		r->truths[r->label_count++] = counts[i];
	}
	for (int i = 0; i < 3; i++)
		r->sums[i] = ARENA_ARRAY(a, double, r->label_count + 1);
}

/* ---- the bootstrap ---- */

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* As many pictures as there are, with replacement. */
static void resample(uint64_t *state, double *weights, size_t count)
{
	memset(weights, 0, count * sizeof(*weights));
	for (size_t i = 0; i < count; i++)
		weights[(size_t)((double)(next_random(state) >> 11) * 0x1p-53 * (double)count)]++;
}

/* Between the two nearest, as NumPy's percentile does. */
static double percentile(const double *sorted, size_t count, double share)
{
	double at = share * (double)(count - 1);
	size_t below = (size_t)at;
	if (below + 1 >= count)
		return sorted[count - 1];
	return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

static void interval(double *differences, size_t count, double *low, double *high)
{
	*low = -1;
	*high = 1;
	if (count == 0)
		return;
	qsort(differences, count, sizeof(*differences), compare_double);
	*low = percentile(differences, count, 0.025);
	*high = percentile(differences, count, 0.975);
}

/* As if one more resample had said so: 500 are no proof. */
static double not_worse(const double *differences, size_t count)
{
	size_t some = 1;
	for (size_t i = 0; i < count; i++)
		some += differences[i] >= -PAIRED_MARGIN;
	return (double)some / (double)(count + 1);
}

static struct value value_new(const struct reading *r, struct arena *a)
{
	return (struct value){-1, -1, ARENA_ARRAY(a, double, r->label_count + 1)};
}

/* Differences in each replicate: of each label, and at last of all. */
static void bootstrap(struct reading *r, uint64_t seed, struct paired_result *out, struct arena *a)
{
	size_t rows = r->label_count + 1;
	struct value first = value_new(r, a), second = value_new(r, a);
	double *weights = ARENA_ARRAY(a, double, r->count + 1);
	double *differences = ARENA_ARRAY(a, double, rows *PAIRED_REPLICATES);
	size_t *counts = ARENA_ARRAY(a, size_t, rows);
	for (size_t i = 0; i < PAIRED_REPLICATES && r->count > 0; i++) {
		resample(&seed, weights, r->count);
		value_of(r, 0, weights, &first);
		value_of(r, 1, weights, &second);
		for (size_t k = 0; k < rows; k++) {
			double x = k < r->label_count ? first.labels[k] : first.all;
			double y = k < r->label_count ? second.labels[k] : second.all;
			if (x >= 0 && y >= 0)
				differences[k * PAIRED_REPLICATES + counts[k]++] = y - x;
		}
	}
	for (size_t k = 0; k < rows; k++) {
		bool all = k == r->label_count;
		if (!all)
			out->labels[k].chance = not_worse(differences + k * PAIRED_REPLICATES, counts[k]);
		interval(differences + k * PAIRED_REPLICATES, counts[k],
			all ? &out->low : &out->labels[k].low, all ? &out->high : &out->labels[k].high);
	}
}

/* ---- pictures ---- */

static double best_threshold(const struct paired *p, int model)
{
	struct score_counts counts[SCORE_CONFIDENCES];
	score_read_confidences(p->scores[model], 0, SCORE_ALL_LABELS, counts);
	int best = score_best_confidence(counts);
	return best < 0 ? 0 : best / (double)(SCORE_CONFIDENCES - 1);
}

static double f1_of(const struct said *s, double threshold)
{
	uint64_t found = 0, wrong = 0, missed = 0;
	for (size_t i = 0; i < s->pair_count; i++) {
		const struct confusion_pair *pair = &s->pairs[i];
		bool said = pair->guess != CONFUSION_NONE && pair->score >= threshold;
		bool there = pair->truth != CONFUSION_NONE;
		if (said && there && pair->guess == pair->truth) {
			found++;
			continue;
		}
		wrong += said;
		missed += there;
	}
	return found + wrong + missed ? 2.0 * (double)found / (double)(2 * found + wrong + missed) : 1;
}

static double *utilities(struct paired *p, int model, struct arena *a)
{
	double *out = ARENA_ARRAY(a, double, p->count + 1);
	double threshold = p->thresholds[model] < 0 ? best_threshold(p, model) : p->thresholds[model];
	for (size_t i = 0; i < p->count; i++) {
		const struct said *s = &p->pictures[i].said[model];
		if (p->task == TASK_DETECTION)
			out[i] = f1_of(s, threshold);
		else if (p->task == TASK_CLASSIFICATION)
			out[i] = s->guess == p->pictures[i].truth;
		else
			out[i] = fabs(overlap_mean_iou(s->overlaps, s->overlap_count)); /* none: 1 */
	}
	return out;
}

static void read_all(const struct paired *p, uint64_t seed, struct arena *a, struct paired_result *out)
{
	static const char *const metrics[TASK_COUNT] = {
		[TASK_DETECTION] = "AP", [TASK_CLASSIFICATION] = "accuracy", [TASK_SEGMENTATION] = "IoU"};
	struct reading r = {.p = p};
	read_labels(&r, a);
	struct value first = value_new(&r, a), second = value_new(&r, a);
	value_of(&r, 0, NULL, &first);
	value_of(&r, 1, NULL, &second);
	*out = (struct paired_result){.images = r.count,
		.metric = metrics[p->task],
		.first = first.all,
		.second = second.all,
		.first50 = first.all50,
		.second50 = second.all50,
		.difference = first.all >= 0 && second.all >= 0 ? second.all - first.all : 0,
		.labels = ARENA_ARRAY(a, struct paired_label, r.label_count + 1),
		.label_count = r.label_count};
	for (size_t i = 0; i < r.label_count; i++)
		out->labels[i] = (struct paired_label){
			r.labels[i], r.truths[i], first.labels[i], second.labels[i], 0, 0, 1};
	bootstrap(&r, seed, out, a);
}

void paired_read(struct paired *p, uint64_t seed, struct arena *a, struct paired_result *out)
{
	read_all(p, seed, a, out);
	out->first_utility = utilities(p, 0, a);
	out->second_utility = utilities(p, 1, a);
}

void paired_read_scores(struct score *first, struct score *second, uint32_t label_count, uint64_t seed,
	struct arena *a, struct paired_result *out)
{
	const struct paired p = {
		.task = TASK_DETECTION, .label_count = label_count, .scores = {first, second}};
	read_all(&p, seed, a, out);
}
