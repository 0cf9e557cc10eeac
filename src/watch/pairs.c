/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/pairs.h"

#include "base/check.h"
#include "base/compare.h"
#include "deploy/model.h"
#include "store/verdict_rows.h"
#include "task/confusion.h"
#include "task/shown.h"

#include <stdlib.h>

#define READ_AT_ONCE 500
#define NO_LABEL (-1)

struct pair {
	struct uuid id;
	uint16_t first, second, matched;
	int16_t from, to;
	bool disagree, first_silent, second_silent;
};

struct pairs {
	struct pairs_key key;
	enum task task;
	double threshold;
	bool begun;
	int64_t position; /* of the log, up to which it is compared */
	struct pair *ring;
	size_t count, next; /* in the ring; where the next one goes when it is full */
	struct arena labels_arena;
	const char **labels; /* the champion's, and behind them what the shadow alone has */
	uint32_t label_count;
	int32_t *shadow_labels; /* of the shadow's label: its place in labels */
	uint32_t shadow_label_count;
};

struct pairs *pairs_new(const struct pairs_key *key)
{
	struct pairs *p = calloc(1, sizeof(*p));
	CHECK(p != NULL);
	p->key = *key;
	arena_init(&p->labels_arena);
	return p;
}

void pairs_free(struct pairs *p)
{
	if (p == NULL)
		return;
	arena_release(&p->labels_arena);
	free(p->ring);
	free(p);
}

const struct pairs_key *pairs_key(const struct pairs *p)
{
	return &p->key;
}

/* ---- one image ---- */

static int32_t label_of(const int32_t *labels, uint32_t count, int32_t label)
{
	return label >= 0 && (uint32_t)label < count ? labels[label] : label;
}

static struct pairs_difference compare_classes(
	const struct shapes *first, const struct shapes *second, const int32_t *labels, uint32_t label_count)
{
	struct pairs_difference out = {.from = NO_LABEL, .to = NO_LABEL};
	if (first->count)
		out.from = first->items[0].label;
	if (second->count)
		out.to = label_of(labels, label_count, second->items[0].label);
	out.disagree = out.from != out.to;
	return out;
}

/* The champion's shapes in the place of the truth. Regions count by what surrounds them. */
static struct pairs_difference compare_shapes(const struct shapes *first, const struct shapes *second,
	const int32_t *labels, uint32_t label_count, double threshold, struct arena *a)
{
	struct pairs_difference out = {.from = NO_LABEL, .to = NO_LABEL};
	struct match_truth *truths = ARENA_ARRAY(a, struct match_truth, first->count + 1);
	struct match_guess *guesses = ARENA_ARRAY(a, struct match_guess, second->count + 1);
	for (size_t i = 0; i < first->count; i++) {
		const struct shape *s = &first->items[i];
		if (shown_score((double)s->score) >= threshold)
			truths[out.first++] =
				(struct match_truth){.label = s->label, .box = shown_box(s->box), .area = -1};
	}
	for (size_t i = 0; i < second->count; i++) {
		const struct shape *s = &second->items[i];
		if (shown_score((double)s->score) >= threshold)
			guesses[out.second++] =
				(struct match_guess){.label = label_of(labels, label_count, s->label),
					.score = (double)s->score,
					.box = shown_box(s->box)};
	}
	size_t count;
	const struct confusion_pair *pairs =
		confusion_pairs(false, truths, out.first, guesses, out.second, a, &count);
	for (size_t i = 0; i < count; i++) {
		if (pairs[i].guess == CONFUSION_NONE || pairs[i].truth == CONFUSION_NONE)
			continue;
		out.matched += pairs[i].guess == pairs[i].truth;
		if (pairs[i].guess == pairs[i].truth || out.from != NO_LABEL)
			continue;
		out.from = pairs[i].truth;
		out.to = pairs[i].guess;
	}
	out.disagree = out.matched < out.first || out.matched < out.second;
	return out;
}

struct pairs_difference pairs_compare(enum task task, const struct shapes *first, const struct shapes *second,
	const int32_t *labels, uint32_t label_count, double threshold, struct arena *a)
{
	return task == TASK_CLASSIFICATION ? compare_classes(first, second, labels, label_count)
					   : compare_shapes(first, second, labels, label_count, threshold, a);
}

/* ---- labels ---- */

static enum status read_labels(struct db_conn *c, struct uuid version_id, struct arena *a,
	const char ***labels, uint32_t *count, struct err *err)
{
	*count = 0;
	enum status st = model_labels_of(c, version_id, a, labels, count, err);
	return st == ST_MISSING || st == ST_INVALID ? ST_OK : st; /* it is gone: labels go by their numbers */
}

static enum status know_labels(struct pairs *p, struct db_conn *c, struct err *err)
{
	const char **champion, **shadow;
	uint32_t champion_count, shadow_count;
	struct arena *a = &p->labels_arena;
	arena_release(a);
	TRY(read_labels(c, p->key.champion_id, a, &champion, &champion_count, err));
	TRY(read_labels(c, p->key.shadow_version_id, a, &shadow, &shadow_count, err));
	p->labels = ARENA_ARRAY(a, const char *, champion_count + shadow_count + 1);
	p->shadow_labels = ARENA_ARRAY(a, int32_t, shadow_count + 1);
	p->label_count = champion_count;
	p->shadow_label_count = shadow_count;
	for (uint32_t i = 0; i < champion_count; i++)
		p->labels[i] = champion[i];
	for (uint32_t i = 0; i < shadow_count; i++) {
		uint32_t at = 0;
		while (at < champion_count && strcmp(champion[at], shadow[i]) != 0)
			at++;
		if (at == champion_count) {
			at = p->label_count++;
			p->labels[at] = shadow[i];
		}
		p->shadow_labels[i] = (int32_t)at;
	}
	return ST_OK;
}

/* ---- the window ---- */

static struct pair *next_pair(struct pairs *p)
{
	if (p->count < PAIRS_MAX) {
		/* Grown by halves: most windows stay small. */
		if (p->count == 0 || (p->count >= 256 && (p->count & (p->count - 1)) == 0)) {
			size_t room = p->count ? 2 * p->count : 256;
			p->ring = realloc(p->ring, room * sizeof(*p->ring));
			CHECK(p->ring != NULL);
		}
		return &p->ring[p->count++];
	}
	struct pair *out = &p->ring[p->next];
	p->next = (p->next + 1) % PAIRS_MAX;
	return out;
}

static uint16_t few(uint32_t count)
{
	return count < UINT16_MAX ? (uint16_t)count : UINT16_MAX;
}

static enum status add(struct pairs *p, const struct pair_row *row, struct arena *a, struct err *err)
{
	struct shapes first, second;
	TRY(shapes_unpack(row->champion, a, &first, err));
	TRY(shapes_unpack(row->shadow, a, &second, err));
	struct pairs_difference d = pairs_compare(
		p->task, &first, &second, p->shadow_labels, p->shadow_label_count, p->threshold, a);
	*next_pair(p) = (struct pair){row->predicted_asset_id, few(d.first), few(d.second), few(d.matched),
		(int16_t)d.from, (int16_t)d.to, d.disagree, first.count == 0, second.count == 0};
	p->position = row->position;
	return ST_OK;
}

static enum status add_some(struct pairs *p, struct db_conn *c, size_t *count, struct err *err)
{
	struct pair_row *rows;
	struct arena a;
	arena_init(&a);
	enum status st = pair_rows_list(c, p->key.deployment_id, p->key.shadow_version_id, p->key.champion_id,
		p->position, READ_AT_ONCE, &a, &rows, count, err);
	for (size_t i = 0; st == ST_OK && i < *count; i++)
		st = add(p, &rows[i], &a, err);
	arena_release(&a);
	return st;
}

enum status pairs_refresh(
	struct pairs *p, struct db_conn *c, enum task task, double threshold, struct err *err)
{
	if (p->begun && (p->task != task || (task != TASK_CLASSIFICATION && p->threshold != threshold)))
		p->begun = false;
	p->task = task;
	p->threshold = threshold;
	if (!p->begun) {
		p->count = p->next = 0;
		TRY(know_labels(p, c, err));
		TRY(pair_rows_newest(
			c, p->key.deployment_id, p->key.shadow_version_id, PAIRS_MAX, &p->position, err));
		p->begun = true;
	}
	size_t count = READ_AT_ONCE;
	while (count == READ_AT_ONCE)
		TRY(add_some(p, c, &count, err));
	return ST_OK;
}

/* ---- what it says ---- */

static const char *name_of(const struct pairs *p, int32_t label, struct arena *a)
{
	if (label == NO_LABEL)
		return "none";
	return arena_strdup(a, model_label(p->labels, p->label_count, label, a));
}

struct flips {
	int32_t from, to;
	size_t images;
};

static int by_images(const void *a, const void *b)
{
	const struct flips *x = a, *y = b;
	if (x->images != y->images)
		return x->images > y->images ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static int by_labels(const void *a, const void *b)
{
	const struct flips *x = a, *y = b;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static void read_flips(const struct pairs *p, struct arena *a, struct pairs_report *out)
{
	struct flips *all = ARENA_ARRAY(a, struct flips, p->count + 1);
	size_t count = 0, kinds = 0;
	for (size_t i = 0; i < p->count; i++)
		if (p->ring[i].disagree && p->ring[i].from != p->ring[i].to)
			all[count++] = (struct flips){p->ring[i].from, p->ring[i].to, 1};
	qsort(all, count, sizeof(*all), by_labels);
	for (size_t i = 0; i < count; i++) {
		if (kinds > 0 && by_labels(&all[kinds - 1], &all[i]) == 0)
			all[kinds - 1].images++;
		else
			all[kinds++] = all[i];
	}
	qsort(all, kinds, sizeof(*all), by_images);
	out->flip_count = kinds < PAIRS_FLIPS ? kinds : PAIRS_FLIPS;
	for (size_t i = 0; i < out->flip_count; i++)
		out->flips[i] = (struct pairs_flip){
			name_of(p, all[i].from, a), name_of(p, all[i].to, a), all[i].images};
}

/* How much more two agree than their frequencies of answers alone make them: (p - e) / (1 - e). */
static double kappa_of(const struct pairs *p, double share, struct arena *a)
{
	size_t places = (size_t)p->label_count + 2; /* "none", the labels, and what is beyond them */
	double *first = ARENA_ARRAY(a, double, places), *second = ARENA_ARRAY(a, double, places),
	       expected = 0;
	for (size_t i = 0; i < p->count; i++) {
		size_t from = (size_t)(p->ring[i].from + 1), to = (size_t)(p->ring[i].to + 1);
		first[from < places ? from : places - 1]++;
		second[to < places ? to : places - 1]++;
	}
	for (size_t i = 0; i < places; i++)
		expected += first[i] / (double)p->count * (second[i] / (double)p->count);
	return expected < 1 ? (share - expected) / (1 - expected) : -2;
}

void pairs_read(const struct pairs *p, struct arena *a, struct pairs_report *out)
{
	uint64_t matched = 0, shapes = 0;
	*out = (struct pairs_report){.images = p->count, .share = -1, .kappa = -2, .f1 = -1};
	for (size_t i = 0; i < p->count; i++) {
		const struct pair *one = &p->ring[i];
		out->disagree += one->disagree;
		out->champion_silent += one->first_silent;
		out->shadow_silent += one->second_silent;
		matched += one->matched;
		shapes += (uint64_t)one->first + one->second;
	}
	if (p->count == 0)
		return;
	out->share = 1 - (double)out->disagree / (double)p->count;
	read_flips(p, a, out);
	if (p->task == TASK_CLASSIFICATION)
		out->kappa = kappa_of(p, out->share, a);
	else if (shapes > 0)
		out->f1 = 2 * (double)matched / (double)shapes;
}

/* ---- the sample ---- */

struct drawing {
	uint64_t hash;
	struct uuid id;
};

static int by_hash(const void *a, const void *b)
{
	const struct drawing *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return compare_uuid(&x->id, &y->id);
}

static uint64_t mix(uint64_t x) /* the finishing steps of splitmix64 */
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Another order for each following, so that what one shadow's sample has says nothing of another's. */
static uint64_t hash_of(struct uuid id, struct uuid shadow_id)
{
	uint64_t parts[4], x = 0x9e3779b97f4a7c15u;
	memcpy(parts, id.bytes, 16);
	memcpy(parts + 2, shadow_id.bytes, 16);
	for (int i = 0; i < 4; i++)
		x = mix(x ^ parts[i]);
	return x;
}

void pairs_draw(const struct pairs *p, const struct uuid *drawn, size_t drawn_count, size_t count,
	struct arena *a, struct uuid **ids, size_t *drawn_now)
{
	struct drawing *all = ARENA_ARRAY(a, struct drawing, p->count + 1);
	size_t found = 0;
	for (size_t i = 0; i < p->count; i++) {
		const struct pair *one = &p->ring[i];
		if (!one->disagree ||
			(drawn_count && bsearch(&one->id, drawn, drawn_count, sizeof(*drawn), compare_uuid)))
			continue;
		all[found++] = (struct drawing){hash_of(one->id, p->key.shadow_id), one->id};
	}
	qsort(all, found, sizeof(*all), by_hash);
	*drawn_now = found < count ? found : count;
	*ids = ARENA_ARRAY(a, struct uuid, *drawn_now + 1);
	for (size_t i = 0; i < *drawn_now; i++)
		(*ids)[i] = all[i].id;
}
