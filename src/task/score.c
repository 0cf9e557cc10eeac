/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of a score. A table from image to what it gave to which labels lets an image be replaced; the
 * records of a label are put in order when somebody reads.
 */
#include "task/score.h"

#include "base/check.h"
#include "base/compare.h"
#include "task/score_records.h"

#include <math.h>
#include <stdlib.h>

/* What an image gave to one label. */
struct share {
	uint32_t entry;
	uint32_t truths[MATCH_AREA_COUNT];
};

struct score_image {
	int64_t image;
	bool used;
	uint32_t share_count;
	struct share *shares;
};

struct match_rules score_rules_coco(bool masks)
{
	struct match_rules r = {.masks = masks, .iou_count = 10};
	/* As the reference makes them: not the nearest doubles, but those that its comparisons use. */
	double step = (0.95 - 0.5) / 9;
	for (unsigned i = 0; i < 9; i++)
		r.ious[i] = i * step + 0.5;
	r.ious[9] = 0.95;
	return r;
}

struct match_rules score_rules_voc(double iou, bool inclusive_pixels)
{
	return (struct match_rules){
		.voc = true, .inclusive_pixels = inclusive_pixels, .iou_count = 1, .ious = {iou}};
}

static void *must_realloc(void *old, size_t count, size_t size)
{
	CHECK(count <= SIZE_MAX / 2 / size);
	void *out = realloc(old, count * size);
	CHECK(out != NULL);
	return out;
}

struct score *score_new(const struct match_rules *rules)
{
	struct score *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	CHECK(rules->iou_count >= 1 && rules->iou_count <= MATCH_IOU_MAX);
	for (unsigned i = 0; i < rules->iou_count; i++)
		CHECK(rules->ious[i] > (i ? rules->ious[i - 1] : 0) && rules->ious[i] <= 1);
	s->rules = *rules;
	s->image_room = 64;
	s->images = calloc(s->image_room, sizeof(*s->images));
	CHECK(s->images != NULL);
	return s;
}

void score_free(struct score *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->image_room; i++)
		free(s->images[i].shares);
	for (size_t i = 0; i < s->entry_count; i++)
		free(s->entries[i].records);
	free(s->images);
	free(s->entries);
	free(s);
}

/* ---- images ---- */

static size_t home_of(const struct score *s, int64_t image)
{
	uint64_t x = (uint64_t)image; /* the finishing steps of splitmix64 */
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return (size_t)(x ^ x >> 31) & (s->image_room - 1);
}

/* Where the image is, or the free place for it. */
static struct score_image *find_image(const struct score *s, int64_t image)
{
	size_t at = home_of(s, image);
	while (s->images[at].used && s->images[at].image != image)
		at = (at + 1) & (s->image_room - 1);
	return &s->images[at];
}

static void grow_images(struct score *s)
{
	struct score_image *old = s->images;
	size_t old_room = s->image_room;
	s->image_room *= 2;
	s->images = calloc(s->image_room, sizeof(*s->images));
	CHECK(s->images != NULL);
	for (size_t i = 0; i < old_room; i++)
		if (old[i].used)
			*find_image(s, old[i].image) = old[i];
	free(old);
}

static struct score_image *new_image(struct score *s, int64_t image)
{
	if (2 * (s->image_count + 1) > s->image_room)
		grow_images(s);
	struct score_image *out = find_image(s, image);
	CHECK(!out->used);
	*out = (struct score_image){.image = image, .used = true};
	s->image_count++;
	return out;
}

/* Close the gap, so that those behind it are still found. */
static void forget_image(struct score *s, struct score_image *gone)
{
	size_t gap = (size_t)(gone - s->images), mask = s->image_room - 1;
	free(gone->shares);
	for (size_t at = (gap + 1) & mask; s->images[at].used; at = (at + 1) & mask) {
		size_t home = home_of(s, s->images[at].image);
		if (((at - home) & mask) >= ((at - gap) & mask)) {
			s->images[gap] = s->images[at];
			gap = at;
		}
	}
	s->images[gap] = (struct score_image){0};
	s->image_count--;
}

/* ---- labels ---- */

static uint32_t entry_of(struct score *s, int32_t label)
{
	for (size_t i = 0; i < s->entry_count; i++)
		if (s->entries[i].label == label)
			return (uint32_t)i;
	if (s->entry_count == s->entry_room) {
		s->entry_room = s->entry_room ? 2 * s->entry_room : 16;
		s->entries = must_realloc(s->entries, s->entry_room, sizeof(*s->entries));
	}
	s->entries[s->entry_count] = (struct score_entry){.label = label};
	return (uint32_t)s->entry_count++;
}

static struct score_record *room_for_records(struct score_entry *e, size_t count)
{
	if (e->count + count > e->room) {
		while (e->count + count > e->room)
			e->room = e->room ? 2 * e->room : 16;
		e->records = must_realloc(e->records, e->room, sizeof(*e->records));
	}
	struct score_record *out = count ? e->records + e->count : NULL;
	e->count += count;
	e->summed = false;
	return out;
}

static int compare_records(const void *a, const void *b)
{
	const struct score_record *x = a, *y = b;
	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	if (x->image != y->image)
		return x->image < y->image ? -1 : 1;
	uint64_t first = x->matched_rank >> RECORD_RANK_SHIFT, second = y->matched_rank >> RECORD_RANK_SHIFT;
	return first < second ? -1 : first > second;
}

/* What came since the last time is put in order, and merged with what was. */
void score_sort(struct score_entry *e)
{
	size_t old = e->sorted, added = e->count - old;
	if (added == 0)
		return;
	e->sorted = e->count;
	qsort(e->records + old, added, sizeof(*e->records), compare_records);
	if (old == 0 || compare_records(&e->records[old - 1], &e->records[old]) < 0)
		return;
	struct score_record *tail = must_realloc(NULL, added, sizeof(*tail));
	memcpy(tail, e->records + old, added * sizeof(*tail));
	for (size_t to = e->count; added > 0; to--) {
		if (old > 0 && compare_records(&e->records[old - 1], &tail[added - 1]) > 0)
			e->records[to - 1] = e->records[--old];
		else
			e->records[to - 1] = tail[--added];
	}
	free(tail);
}

static void take_back(struct score *s, const struct score_image *image)
{
	for (uint32_t i = 0; i < image->share_count; i++) {
		struct score_entry *e = &s->entries[image->shares[i].entry];
		size_t kept = 0, sorted = 0;
		for (size_t k = 0; k < e->count; k++) {
			if (e->records[k].image == image->image)
				continue;
			sorted += k < e->sorted;
			if (kept != k)
				e->records[kept] = e->records[k];
			kept++;
		}
		e->count = kept;
		e->sorted = sorted;
		e->shares--;
		e->summed = false;
		for (int area = 0; area < MATCH_AREA_COUNT; area++)
			e->truths[area] -= image->shares[i].truths[area];
	}
}

bool score_remove(struct score *s, int64_t image)
{
	struct score_image *found = find_image(s, image);
	if (!found->used)
		return false;
	take_back(s, found);
	forget_image(s, found);
	return true;
}

/* ---- adding ---- */

/* Truths or guesses by label, in their order within each. */
struct labelled {
	int32_t label;
	size_t at;
};

static int compare_labelled(const void *a, const void *b)
{
	const struct labelled *x = a, *y = b;
	if (x->label != y->label)
		return x->label < y->label ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static struct match_truth *truths_by_label(const struct match_truth *truths, size_t count, struct arena *a)
{
	struct labelled *order = ARENA_ARRAY(a, struct labelled, count);
	struct match_truth *out = ARENA_ARRAY(a, struct match_truth, count);
	for (size_t i = 0; i < count; i++)
		order[i] = (struct labelled){truths[i].label, i};
	qsort(order, count, sizeof(*order), compare_labelled);
	for (size_t i = 0; i < count; i++)
		out[i] = truths[order[i].at];
	return out;
}

static struct match_guess *guesses_by_label(const struct match_guess *guesses, size_t count, struct arena *a)
{
	struct labelled *order = ARENA_ARRAY(a, struct labelled, count);
	struct match_guess *out = ARENA_ARRAY(a, struct match_guess, count);
	for (size_t i = 0; i < count; i++)
		order[i] = (struct labelled){guesses[i].label, i};
	qsort(order, count, sizeof(*order), compare_labelled);
	for (size_t i = 0; i < count; i++)
		out[i] = guesses[order[i].at];
	return out;
}

static void keep_outcome(
	struct score *s, struct score_image *image, int32_t label, const struct match_outcome *o)
{
	struct share *share = &image->shares[image->share_count++];
	share->entry = entry_of(s, label);
	memcpy(share->truths, o->truths, sizeof(share->truths));
	struct score_entry *e = &s->entries[share->entry];
	e->shares++;
	struct score_record *records = room_for_records(e, o->count);
	for (size_t i = 0; i < o->count; i++) {
		const struct match *m = &o->matches[i];
		CHECK(m->rank <= RECORD_RANK_MAX);
		records[i] = (struct score_record){m->score, image->image,
			m->matched | (uint64_t)m->rank << RECORD_RANK_SHIFT, m->ignored};
	}
	for (int area = 0; area < MATCH_AREA_COUNT; area++)
		e->truths[area] += o->truths[area];
}

static size_t same_label(int32_t label, const int32_t *labels, size_t stride, size_t count)
{
	size_t n = 0;
	while (n < count && *(const int32_t *)((const char *)labels + n * stride) == label)
		n++;
	return n;
}

void score_add(struct score *s, int64_t image, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count)
{
	score_remove(s, image);
	struct score_image *kept = new_image(s, image);
	if (truth_count + guess_count == 0)
		return;
	kept->shares = must_realloc(NULL, truth_count + guess_count, sizeof(*kept->shares));
	struct arena scratch;
	arena_init(&scratch);
	const struct match_truth *t = truths_by_label(truths, truth_count, &scratch);
	const struct match_guess *g = guesses_by_label(guesses, guess_count, &scratch);
	while (truth_count + guess_count > 0) {
		int32_t label =
			guess_count == 0 || (truth_count > 0 && t->label < g->label) ? t->label : g->label;
		size_t ts = truth_count ? same_label(label, &t->label, sizeof(*t), truth_count) : 0;
		size_t gs = guess_count ? same_label(label, &g->label, sizeof(*g), guess_count) : 0;
		struct match_outcome outcome;
		match_label(&s->rules, t, ts, g, gs, &scratch, &outcome);
		keep_outcome(s, kept, label, &outcome);
		t += ts, truth_count -= ts;
		g += gs, guess_count -= gs;
	}
	kept->shares = must_realloc(kept->shares, kept->share_count, sizeof(*kept->shares));
	arena_release(&scratch);
}

static bool same_rules(const struct match_rules *a, const struct match_rules *b)
{
	bool same = a->voc == b->voc && a->masks == b->masks && a->inclusive_pixels == b->inclusive_pixels &&
		    a->iou_count == b->iou_count;
	for (unsigned i = 0; same && i < a->iou_count; i++)
		same = a->ious[i] == b->ious[i];
	return same;
}

/* An image and its shares; the records come later. */
static void copy_image(
	struct score *into, const struct score *from, const struct score_image *image, int32_t label)
{
	struct score_image *copy = new_image(into, image->image);
	if (image->share_count == 0)
		return;
	copy->shares = must_realloc(NULL, image->share_count, sizeof(*copy->shares));
	for (uint32_t i = 0; i < image->share_count; i++) {
		struct share share = image->shares[i];
		int32_t own = from->entries[share.entry].label;
		if (label != SCORE_ALL_LABELS && own != label)
			continue;
		share.entry = entry_of(into, own);
		copy->shares[copy->share_count++] = share;
		struct score_entry *e = &into->entries[share.entry];
		e->shares++;
		for (int area = 0; area < MATCH_AREA_COUNT; area++)
			e->truths[area] += share.truths[area];
	}
}

void score_merge(struct score *into, const struct score *from)
{
	CHECK(same_rules(&into->rules, &from->rules));
	for (size_t i = 0; i < from->image_room; i++)
		if (from->images[i].used)
			copy_image(into, from, &from->images[i], SCORE_ALL_LABELS);
	for (size_t i = 0; i < from->entry_count; i++) {
		const struct score_entry *source = &from->entries[i];
		uint32_t at = entry_of(into, source->label); /* may move the entries */
		struct score_record *records = room_for_records(&into->entries[at], source->count);
		if (source->count)
			memcpy(records, source->records, source->count * sizeof(*records));
	}
}

struct score *score_select(
	const struct score *s, int32_t label, bool (*wanted)(int64_t image, void *arg), void *arg)
{
	struct score *out = score_new(&s->rules);
	for (size_t i = 0; i < s->image_room; i++)
		if (s->images[i].used && (wanted == NULL || wanted(s->images[i].image, arg)))
			copy_image(out, s, &s->images[i], label);
	for (size_t i = 0; i < s->entry_count; i++) {
		const struct score_entry *source = &s->entries[i];
		if (label != SCORE_ALL_LABELS && source->label != label)
			continue;
		uint32_t at = entry_of(out, source->label);
		struct score_entry *e = &out->entries[at];
		struct score_record *records = room_for_records(e, source->count);
		size_t kept = 0, sorted = 0;
		for (size_t k = 0; k < source->count; k++) {
			if (!find_image(out, source->records[k].image)->used)
				continue;
			records[kept++] = source->records[k];
			sorted += k < source->sorted;
		}
		e->count = kept;
		e->sorted = sorted;
	}
	return out;
}

struct score *score_of_image(const struct score *s, int64_t image)
{
	struct score *out = score_new(&s->rules);
	const struct score_image *found = find_image(s, image);
	if (!found->used)
		return out;
	copy_image(out, s, found, SCORE_ALL_LABELS);
	for (uint32_t i = 0; i < found->share_count; i++) {
		const struct score_entry *source = &s->entries[found->shares[i].entry];
		uint32_t at = entry_of(out, source->label);
		for (size_t k = 0; k < source->count; k++)
			if (source->records[k].image == image)
				*room_for_records(&out->entries[at], 1) = source->records[k];
	}
	return out;
}

int64_t *score_images(const struct score *s, struct arena *a, size_t *count)
{
	int64_t *out = ARENA_ARRAY(a, int64_t, s->image_count);
	*count = 0;
	for (size_t i = 0; i < s->image_room; i++)
		if (s->images[i].used)
			out[(*count)++] = s->images[i].image;
	qsort(out, *count, sizeof(*out), compare_int64);
	return out;
}

size_t score_truths(const struct score *s, const struct score_entry *e, const int64_t *images, size_t count,
	uint32_t *out)
{
	uint32_t entry = (uint32_t)(e - s->entries);
	size_t some = 0;
	for (size_t i = 0; i < count; i++) {
		const struct score_image *image = find_image(s, images[i]);
		CHECK(image->used);
		out[i] = 0;
		for (uint32_t k = 0; k < image->share_count; k++)
			if (image->shares[k].entry == entry)
				out[i] = image->shares[k].truths[MATCH_ALL];
		some += out[i] > 0;
	}
	return some;
}
