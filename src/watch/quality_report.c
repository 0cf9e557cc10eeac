/* SPDX-License-Identifier: Apache-2.0 */
/* From what is kept to numbers. */
#include "base/check.h"
#include "watch/quality_inside.h"

#include <stdlib.h>
#include <string.h>

#define IOU_50 0 /* its place in COCO's rules */

static bool is_wanted(int64_t key, void *arg)
{
	const struct kept_image *image = kept_find(arg, key);
	return image && image->wanted;
}

/* The version's answers on wanted images, of the wanted label; *own: to be freed. */
static struct score *wanted_score(const struct report_input *in, uint32_t version, struct score **own)
{
	struct score *all = in->kept->versions[version].score;
	*own = NULL;
	if (in->all && in->label == SCORE_ALL_LABELS)
		return all;
	return *own = score_select(all, in->label, in->all ? NULL : is_wanted, in->kept);
}

/* ---- what is taken for what ---- */

/* Which labels occur: compact[label] is its row, in the order of the deployment's labels. */
static size_t compact_labels(
	const struct report_input *in, uint32_t version, int32_t *compact, int32_t *labels)
{
	const struct kept *k = in->kept;
	for (size_t i = 0; i < k->label_count; i++)
		compact[i] = CONFUSION_NONE;
	for (size_t i = 0; i < k->image_count; i++) {
		const struct kept_answer *answer =
			k->images[i]->wanted ? kept_answer_of(k->images[i], version) : NULL;
		for (uint32_t p = 0; answer && p < answer->pair_count; p++) {
			const struct confusion_pair *pair = &answer->pairs[p];
			if (pair->truth != CONFUSION_NONE)
				compact[pair->truth] = 0;
			if (pair->guess != CONFUSION_NONE && pair->score >= in->threshold)
				compact[pair->guess] = 0;
		}
	}
	size_t count = 0;
	for (size_t i = 0; i < k->label_count; i++) {
		if (compact[i] == CONFUSION_NONE)
			continue;
		labels[count] = (int32_t)i;
		compact[i] = (int32_t)count++;
	}
	return count;
}

static void report_confusion(
	const struct report_input *in, uint32_t version, struct arena *a, struct quality_version *out)
{
	const struct kept *k = in->kept;
	int32_t *compact = ARENA_ARRAY(a, int32_t, k->label_count + 1);
	out->confusion_labels = ARENA_ARRAY(a, int32_t, k->label_count + 1);
	size_t count = compact_labels(in, version, compact, out->confusion_labels);
	confusion_init(&out->confusion, (uint32_t)count, a);
	for (size_t i = 0; i < k->image_count; i++) {
		const struct kept_answer *answer =
			k->images[i]->wanted ? kept_answer_of(k->images[i], version) : NULL;
		out->images += answer != NULL;
		for (uint32_t p = 0; answer && p < answer->pair_count; p++) {
			struct confusion_pair pair = answer->pairs[p];
			if (pair.truth != CONFUSION_NONE)
				pair.truth = compact[pair.truth];
			if (pair.guess != CONFUSION_NONE)
				pair.guess =
					pair.score >= in->threshold ? compact[pair.guess] : CONFUSION_NONE;
			confusion_add(&out->confusion, &pair, 1, in->threshold);
		}
	}
}

/* ---- boxes and masks ---- */

static void report_overlaps(
	const struct report_input *in, uint32_t version, struct arena *a, struct quality_version *out)
{
	const struct kept *k = in->kept;
	struct overlap *sums = ARENA_ARRAY(a, struct overlap, k->label_count + 1);
	double dice = 0;
	size_t labels = 0;
	for (size_t i = 0; i < k->image_count; i++) {
		const struct kept_answer *answer =
			k->images[i]->wanted ? kept_answer_of(k->images[i], version) : NULL;
		for (uint32_t p = 0; answer && p < answer->overlap_count; p++) {
			const struct overlap *o = &answer->overlaps[p];
			if (in->label != SCORE_ALL_LABELS && o->label != in->label)
				continue;
			sums[o->label].both += o->both;
			sums[o->label].truth += o->truth;
			sums[o->label].guess += o->guess;
		}
	}
	out->mean_iou = overlap_mean_iou(sums, k->label_count);
	for (size_t i = 0; i < k->label_count; i++) {
		double one = overlap_dice(sums[i]);
		dice += one >= 0 ? one : 0;
		labels += one >= 0;
	}
	out->mean_dice = labels ? dice / (double)labels : -1;
	for (size_t i = 0; i < out->label_count; i++)
		out->labels[i].iou = overlap_iou(sums[out->labels[i].label]);
}

static void report_shapes(const struct report_input *in, uint32_t version, struct score *score,
	struct arena *a, struct quality_version *out)
{
	struct score_summary summary;
	size_t count;
	score_read(score, a, &summary);
	out->coco = summary.numbers;
	const struct score_counts *counts =
		score_read_at(score, in->threshold, IOU_50, a, &count, &out->at_threshold);
	CHECK(count == summary.label_count);
	out->labels = ARENA_ARRAY(a, struct quality_label, count);
	out->label_count = count;
	for (size_t i = 0; i < count; i++) {
		const struct score_label *label = &summary.labels[i];
		out->labels[i] = (struct quality_label){.label = label->label,
			.truths = label->truths,
			.ap = label->numbers.ap,
			.ap50 = label->numbers.ap50,
			.iou = -1,
			.counts = counts[i]};
	}
	score_read_curve(score, IOU_50, SCORE_ALL_LABELS, out->curve);
	score_read_confidences(score, IOU_50, SCORE_ALL_LABELS, out->confidences);
	out->best_confidence = score_best_confidence(out->confidences);
	if (in->kept->task == TASK_SEGMENTATION)
		report_overlaps(in, version, a, out);
}

/* ---- classes ---- */

static bool is_right(const struct kept_answer *answer)
{
	return answer->pair_count == 0 || answer->pairs[0].truth == answer->pairs[0].guess;
}

static const struct kept_answer *wanted_answer(const struct report_input *in, size_t image, uint32_t version)
{
	const struct kept_image *kept = in->kept->images[image];
	return kept->wanted ? kept_answer_of(kept, version) : NULL;
}

/* One more label than there are stands for "none". */
static void report_summary(
	const struct report_input *in, uint32_t version, struct arena *a, struct quality_version *out)
{
	const struct kept *k = in->kept;
	struct class_counts counts;
	int32_t none = (int32_t)out->confusion.label_count;
	int32_t *compact = ARENA_ARRAY(a, int32_t, k->label_count + 1);
	int32_t *labels = ARENA_ARRAY(a, int32_t, k->label_count + 1);
	struct report_input any = *in;
	any.threshold = 0;
	none = (int32_t)compact_labels(&any, version, compact, labels);
	class_counts_init(&counts, (uint32_t)none + 1, a);
	for (size_t i = 0; i < k->image_count; i++) {
		const struct kept_answer *answer = wanted_answer(in, i, version);
		if (answer == NULL)
			continue;
		struct confusion_pair pair = {0, CONFUSION_NONE, CONFUSION_NONE};
		if (answer->pair_count)
			pair = answer->pairs[0];
		class_counts_add(&counts, pair.truth == CONFUSION_NONE ? none : compact[pair.truth],
			pair.guess == CONFUSION_NONE ? none : compact[pair.guess], 1);
	}
	class_counts_read(&counts, a, &out->classes);
	out->labels = ARENA_ARRAY(a, struct quality_label, (size_t)none + 1);
	out->label_count = (size_t)none;
	for (int32_t i = 0; i < none; i++) {
		const struct class_score *s = &out->classes.labels[i];
		out->labels[i] = (struct quality_label){
			.label = labels[i], .truths = s->truths, .ap = -1, .ap50 = -1, .iou = -1};
		out->labels[i].counts = (struct score_counts){.label = labels[i],
			.found = s->right,
			.wrong = s->guesses - s->right,
			.missed = s->truths - s->right,
			.precision = s->precision,
			.recall = s->recall,
			.f1 = s->f1};
	}
}

static struct score_counts class_counts_at(const struct report_input *in, uint32_t version, double threshold)
{
	struct score_counts out = {.label = SCORE_ALL_LABELS};
	for (size_t i = 0; i < in->kept->image_count; i++) {
		const struct kept_answer *answer = wanted_answer(in, i, version);
		if (answer == NULL || answer->pair_count == 0)
			continue;
		const struct confusion_pair *pair = &answer->pairs[0];
		bool answered = pair->guess != CONFUSION_NONE && pair->score >= threshold;
		bool right = answered && pair->guess == pair->truth;
		out.found += right;
		out.wrong += answered && !right;
		out.missed += pair->truth != CONFUSION_NONE && !right;
	}
	uint64_t answers = out.found + out.wrong, truths = out.found + out.missed;
	out.precision = answers ? (double)out.found / (double)answers : 0;
	out.recall = truths ? (double)out.found / (double)truths : 0;
	out.f1 = answers + truths ? 2 * (double)out.found / (double)(answers + truths) : 0;
	return out;
}

static void report_classes(
	const struct report_input *in, uint32_t version, struct arena *a, struct quality_version *out)
{
	report_summary(in, version, a, out);
	out->at_threshold = class_counts_at(in, version, in->threshold);
	for (int i = 0; i < SCORE_CONFIDENCES; i++)
		out->confidences[i] = class_counts_at(in, version, i / 100.0);
	out->best_confidence = score_best_confidence(out->confidences);
	out->estimate = estimate_share(out->classes.right, out->classes.images);
}

/* ---- intervals ---- */

static bool is_random(const struct kept_image *image)
{
	return image->by_queue && image->random;
}

static void class_intervals(
	const struct report_input *in, uint32_t version, struct arena *a, struct kept_intervals *out)
{
	const struct kept *k = in->kept;
	double *values = ARENA_ARRAY(a, double, k->image_count),
	       *other = ARENA_ARRAY(a, double, k->image_count);
	double *chances = ARENA_ARRAY(a, double, k->image_count);
	size_t count = 0, random = 0, random_right = 0, both = 0;
	for (size_t i = 0; i < k->image_count; i++) {
		const struct kept_answer *answer = wanted_answer(in, i, version);
		if (answer == NULL)
			continue;
		random += is_random(k->images[i]);
		random_right += is_random(k->images[i]) && is_right(answer);
		if (in->chances[i] > 0) {
			chances[count] = in->chances[i];
			values[count++] = is_right(answer);
		}
	}
	out->weighted = estimate_mean(values, chances, count);
	out->random_only = estimate_share(random_right, random);
	for (size_t i = 0; i < k->image_count && in->champion != version; i++) {
		const struct kept_answer *answer = wanted_answer(in, i, version);
		const struct kept_answer *champion = wanted_answer(in, i, in->champion);
		if (answer == NULL || champion == NULL)
			continue;
		values[both] = is_right(answer);
		other[both++] = is_right(champion);
	}
	out->difference = estimate_mean_difference(values, other, both);
}

struct both {
	const struct report_input *in;
	uint32_t first, second;
};

static bool is_in_both(int64_t key, void *arg)
{
	const struct both *b = arg;
	const struct kept_image *image = kept_find(b->in->kept, key);
	return image && image->wanted && kept_answer_of(image, b->first) && kept_answer_of(image, b->second);
}

static struct estimate shape_difference(const struct report_input *in, uint32_t version)
{
	struct both both = {in, version, in->champion};
	struct kept *k = in->kept;
	struct score *first = score_select(k->versions[version].score, in->label, is_in_both, &both);
	struct score *second = score_select(k->versions[in->champion].score, in->label, is_in_both, &both);
	struct arena a;
	arena_init(&a);
	struct estimate out =
		estimate_ap_difference(score_view_new(first, &a), score_view_new(second, &a), NULL);
	arena_release(&a);
	score_free(first);
	score_free(second);
	return out;
}

static void shape_intervals(const struct report_input *in, uint32_t version, struct score *score,
	struct arena *a, struct kept_intervals *out)
{
	const struct kept *k = in->kept;
	const struct score_view *v = score_view_new(score, a);
	const int64_t *images = score_view_images(v);
	double *weights = ARENA_ARRAY(a, double, score_view_count(v));
	double *random = ARENA_ARRAY(a, double, score_view_count(v));
	size_t weighted = 0, randoms = 0;
	for (size_t i = 0, at = 0; i < score_view_count(v); i++) {
		while (k->images[at]->key != images[i])
			at++;
		weights[i] = in->chances[at] > 0 ? 1 / in->chances[at] : 0;
		random[i] = is_random(k->images[at]);
		weighted += weights[i] > 0;
		randoms += random[i] > 0;
	}
	out->estimate = estimate_ap(v, NULL);
	if (weighted)
		out->weighted = estimate_ap(v, weights);
	if (randoms)
		out->random_only = estimate_ap(v, random);
	if (in->champion != version && in->champion < k->version_count)
		out->difference = shape_difference(in, version);
}

static void report_intervals(const struct report_input *in, uint32_t version, struct score *score,
	struct arena *a, struct quality_version *out)
{
	struct kept *k = in->kept;
	struct kept_intervals *cache = &k->versions[version].intervals, fresh = {.revision = k->revision};
	bool all = in->all && in->label == SCORE_ALL_LABELS;
	fresh.batches = in->batch_count;
	if (in->champion < k->version_count)
		fresh.champion_id = k->versions[in->champion].id;
	if (!all || cache->revision != fresh.revision || cache->batches != fresh.batches ||
		uuid_is_zero(cache->champion_id) || !uuid_equal(cache->champion_id, fresh.champion_id)) {
		if (score)
			shape_intervals(in, version, score, a, &fresh);
		else
			class_intervals(in, version, a, &fresh);
		if (all)
			*cache = fresh;
	} else {
		fresh = *cache;
	}
	if (score)
		out->estimate = fresh.estimate;
	out->weighted = fresh.weighted;
	out->random_only = fresh.random_only;
	out->difference = fresh.difference;
}

void report_version(
	const struct report_input *in, uint32_t version, struct arena *a, struct quality_version *out)
{
	struct score *own = NULL, *score = NULL;
	out->id = in->kept->versions[version].id;
	out->mean_iou = out->mean_dice = -1;
	report_confusion(in, version, a, out);
	if (in->kept->task != TASK_CLASSIFICATION)
		score = wanted_score(in, version, &own);
	if (score) {
		report_shapes(in, version, score, a, out);
		out->estimate = (struct estimate){out->coco.ap, -1, -1, out->images};
	} else {
		report_classes(in, version, a, out);
	}
	if (in->filter->intervals)
		report_intervals(in, version, score, a, out);
	score_free(own);
}

/* ---- over time ---- */

/* The shortest of these that makes few enough windows of a span. */
static int64_t window_us(int64_t span_us)
{
	static const int64_t seconds[] = {60, 600, 3600, 21600, 86400, 604800, 2592000, 31536000};
	for (size_t i = 0; i < COUNT_OF(seconds); i++)
		if (span_us / (seconds[i] * 1000000) < QUALITY_WINDOWS_MAX - 1)
			return seconds[i] * 1000000;
	return span_us / (QUALITY_WINDOWS_MAX - 2) + 1;
}

/* Windows with images, aligned to their length; *of: the window of each image, or -1. */
static void make_windows(
	const struct report_input *in, size_t versions, struct arena *a, struct quality_report *out, int *of)
{
	const struct kept *k = in->kept;
	int64_t first = INT64_MAX, last = INT64_MIN;
	int place[QUALITY_WINDOWS_MAX];
	for (size_t i = 0; i < k->image_count; i++) {
		of[i] = -1;
		if (!k->images[i]->wanted)
			continue;
		int64_t at = k->images[i]->created_us;
		first = at < first ? at : first;
		last = at > last ? at : last;
	}
	if (last < first)
		return;
	int64_t length = window_us(last - first), start = first - first % length;
	size_t images[QUALITY_WINDOWS_MAX] = {0};
	for (size_t i = 0; i < k->image_count; i++) {
		if (!k->images[i]->wanted)
			continue;
		of[i] = (int)((k->images[i]->created_us - start) / length);
		CHECK(of[i] < QUALITY_WINDOWS_MAX);
		images[of[i]]++;
	}
	out->windows = ARENA_ARRAY(a, struct quality_window, QUALITY_WINDOWS_MAX);
	for (int w = 0; w < QUALITY_WINDOWS_MAX; w++) {
		place[w] = (int)out->window_count;
		if (images[w] == 0)
			continue;
		out->windows[out->window_count++] = (struct quality_window){start + w * length,
			start + (w + 1) * length, images[w], ARENA_ARRAY(a, double, versions)};
	}
	for (size_t i = 0; i < k->image_count; i++)
		of[i] = of[i] < 0 ? -1 : place[of[i]];
}

static void shapes_over_time(const struct report_input *in, uint32_t version, size_t column, const int *of,
	struct quality_report *out)
{
	const struct kept *k = in->kept;
	struct arena a;
	struct score *own, *score = wanted_score(in, version, &own);
	arena_init(&a);
	const struct score_view *v = score_view_new(score, &a);
	const int64_t *images = score_view_images(v);
	double *weights = ARENA_ARRAY(&a, double, score_view_count(v));
	for (size_t w = 0; w < out->window_count; w++) {
		bool any = false;
		for (size_t i = 0, at = 0; i < score_view_count(v); i++) {
			while (k->images[at]->key != images[i])
				at++;
			weights[i] = of[at] == (int)w;
			any = any || weights[i] > 0;
		}
		out->windows[w].values[column] = any ? score_view_ap(v, weights).ap : -1;
	}
	arena_release(&a);
	score_free(own);
}

static void classes_over_time(const struct report_input *in, uint32_t version, size_t column, const int *of,
	struct quality_report *out)
{
	size_t right[QUALITY_WINDOWS_MAX] = {0}, count[QUALITY_WINDOWS_MAX] = {0};
	for (size_t i = 0; i < in->kept->image_count; i++) {
		const struct kept_answer *answer = wanted_answer(in, i, version);
		if (answer == NULL)
			continue;
		count[of[i]]++;
		right[of[i]] += is_right(answer);
	}
	for (size_t w = 0; w < out->window_count; w++)
		out->windows[w].values[column] = count[w] ? (double)right[w] / (double)count[w] : -1;
}

void report_windows(const struct report_input *in, const uint32_t *versions, size_t version_count,
	struct arena *a, struct quality_report *out)
{
	int *of = ARENA_ARRAY(a, int, in->kept->image_count + 1);
	make_windows(in, version_count, a, out, of);
	for (size_t i = 0; i < version_count; i++) {
		if (in->kept->task == TASK_CLASSIFICATION)
			classes_over_time(in, versions[i], i, of, out);
		else
			shapes_over_time(in, versions[i], i, of, out);
	}
}
