/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From rows to what is kept: images by the log of reviews, and by that of predictions for shadows that came
 * later than the review. Deletions leave no row: they are found by counting.
 */
#include "base/check.h"
#include "base/compare.h"
#include "deploy/model.h"
#include "store/quality_rows.h"
#include "store/queue_rows.h"
#include "task/drawn.h"
#include "task/shown.h"
#include "watch/quality_inside.h"

#include <stdlib.h>

#define TEXTS_MAX 20000 /* different names; more are one */

static void *must_realloc(void *old, size_t count, size_t size)
{
	void *out = reallocarray(old, count, size);
	CHECK(out != NULL);
	return out;
}

static void *copy_of(const void *items, size_t count, size_t size)
{
	if (count == 0)
		return NULL;
	void *out = must_realloc(NULL, count, size);
	memcpy(out, items, count * size);
	return out;
}

/* ---- names ---- */

int32_t kept_find_text(const struct kept *k, const char *text)
{
	for (size_t i = 0; i < k->text_count; i++)
		if (strcmp(k->texts[i], text) == 0)
			return (int32_t)i;
	return CONFUSION_NONE;
}

/* That it has, or gets. */
static int32_t kept_text(struct kept *k, const char *text)
{
	int32_t found = kept_find_text(k, text);
	if (found != CONFUSION_NONE)
		return found;
	if (k->text_count == TEXTS_MAX)
		return TEXTS_MAX - 1;
	if (k->text_count == k->text_room) {
		k->text_room = k->text_room ? 2 * k->text_room : 64;
		k->texts = must_realloc(k->texts, k->text_room, sizeof(*k->texts));
	}
	char *copy = strdup(text);
	CHECK(copy != NULL);
	k->texts[k->text_count] = copy;
	return (int32_t)k->text_count++;
}

static int32_t label_of_text(const struct kept *k, int32_t text)
{
	for (size_t i = 0; i < k->label_count; i++)
		if (k->labels[i] == text)
			return (int32_t)i;
	return CONFUSION_NONE;
}

int32_t kept_find_label(const struct kept *k, const char *name)
{
	int32_t text = kept_find_text(k, name);
	return text == CONFUSION_NONE ? CONFUSION_NONE : label_of_text(k, text);
}

/* Whether reviewers are shown its shapes. */
static bool is_reviewed(const struct kept *k, const char *name)
{
	struct arena a;
	yyjson_doc *doc;
	yyjson_val *shown;
	size_t i, n;
	bool found = false;
	if (k->shown == NULL || k->task == TASK_CLASSIFICATION)
		return true;
	arena_init(&a);
	if (json_parse(span_of_text(k->shown), &a, &doc, NULL) == ST_OK)
		yyjson_arr_foreach (yyjson_doc_get_root(doc), i, n, shown)
			found = found || yyjson_equals_str(shown, name);
	arena_release(&a);
	return found;
}

static int32_t kept_label(struct kept *k, const char *name)
{
	int32_t text = kept_text(k, name), found = label_of_text(k, text);
	if (found != CONFUSION_NONE)
		return found;
	if (k->label_count == k->label_room) {
		k->label_room = k->label_room ? 2 * k->label_room : 64;
		k->labels = must_realloc(k->labels, k->label_room, sizeof(*k->labels));
		k->reviewed = must_realloc(k->reviewed, k->label_room, sizeof(*k->reviewed));
	}
	k->labels[k->label_count] = text;
	k->reviewed[k->label_count] = is_reviewed(k, name);
	return (int32_t)k->label_count++;
}

const char *kept_label_name(const struct kept *k, size_t label)
{
	return k->texts[k->labels[label]];
}

/* ---- images ---- */

static size_t place_of(const struct kept *k, int64_t key)
{
	size_t low = 0, high = k->image_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (k->images[middle]->key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct kept_image *kept_find(const struct kept *k, int64_t key)
{
	size_t at = place_of(k, key);
	return at < k->image_count && k->images[at]->key == key ? k->images[at] : NULL;
}

const struct kept_answer *kept_answer_of(const struct kept_image *image, uint32_t version)
{
	for (uint32_t i = 0; i < image->answer_count; i++)
		if (image->answers[i].version == version)
			return &image->answers[i];
	return NULL;
}

static void free_image(struct kept_image *image)
{
	for (uint32_t i = 0; i < image->answer_count; i++) {
		free(image->answers[i].pairs);
		free(image->answers[i].overlaps);
	}
	free(image->answers);
	free(image->truths);
	free(image);
}

static void remove_image(struct kept *k, size_t at)
{
	struct kept_image *image = k->images[at];
	for (uint32_t i = 0; i < image->answer_count; i++) {
		struct score *score = k->versions[image->answers[i].version].score;
		if (score)
			score_remove(score, image->key);
	}
	memmove(k->images + at, k->images + at + 1, (k->image_count - at - 1) * sizeof(*k->images));
	k->image_count--;
	k->revision++;
	free_image(image);
}

static void remove_key(struct kept *k, int64_t key)
{
	size_t at = place_of(k, key);
	if (at < k->image_count && k->images[at]->key == key)
		remove_image(k, at);
}

static struct kept_image *add_image(struct kept *k, int64_t key)
{
	size_t at = place_of(k, key);
	if (k->image_count == k->image_room) {
		k->image_room = k->image_room ? 2 * k->image_room : 256;
		k->images = must_realloc(k->images, k->image_room, sizeof(*k->images));
	}
	memmove(k->images + at + 1, k->images + at, (k->image_count - at) * sizeof(*k->images));
	struct kept_image *image = k->images[at] = calloc(1, sizeof(*image));
	CHECK(image != NULL);
	image->key = key;
	k->image_count++;
	k->revision++;
	return image;
}

void kept_forget(struct kept *k)
{
	for (size_t i = 0; i < k->image_count; i++)
		free_image(k->images[i]);
	for (uint32_t i = 0; i < k->version_count; i++) {
		score_free(k->versions[i].score);
		free(k->versions[i].labels);
	}
	for (size_t i = 0; i < k->text_count; i++)
		free(k->texts[i]);
	free(k->images);
	free(k->texts);
	free(k->labels);
	free(k->reviewed);
	free(k->shown);
	memset(k->versions, 0, sizeof(k->versions));
	k->images = NULL;
	k->texts = NULL;
	k->labels = NULL;
	k->reviewed = NULL;
	k->shown = NULL;
	k->image_count = k->image_room = k->text_count = k->text_room = k->label_count = k->label_room = 0;
	k->version_count = 0;
	k->loaded = false;
	k->revision++;
}

/* ---- versions ---- */

/* *version: its place, or QUALITY_VERSIONS_MAX when there is no more room. */
static enum status find_version(struct kept *k, struct db_conn *c, struct uuid id, struct arena *a,
	uint32_t *version, struct err *err)
{
	for (*version = 0; *version < k->version_count; ++*version)
		if (uuid_equal(k->versions[*version].id, id))
			return ST_OK;
	if (*version == QUALITY_VERSIONS_MAX)
		return ST_OK;
	const char **labels = NULL;
	uint32_t count = 0;
	enum status st = model_labels_of(c, id, a, &labels, &count, err);
	if (st != ST_OK && st != ST_MISSING && st != ST_INVALID)
		return st;
	if (st != ST_OK)
		count = 0; /* it is gone: its labels go by their numbers */
	struct kept_version *v = &k->versions[k->version_count++];
	const struct match_rules rules = score_rules_coco(k->task == TASK_SEGMENTATION);
	*v = (struct kept_version){.id = id, .label_count = count};
	v->labels = count ? must_realloc(NULL, count, sizeof(*v->labels)) : NULL;
	for (uint32_t i = 0; i < count; i++)
		v->labels[i] = kept_label(k, labels[i]);
	if (k->task != TASK_CLASSIFICATION)
		v->score = score_new(&rules);
	return ST_OK;
}

static int32_t label_of(struct kept *k, const struct kept_version *v, int32_t index)
{
	if (index >= 0 && (uint32_t)index < v->label_count)
		return v->labels[index];
	char number[16];
	snprintf(number, sizeof(number), "%d", index);
	return kept_label(k, number);
}

/* ---- what is true and what was said ---- */

/* An image at hand. */
struct scene {
	struct kept *kept;
	struct quality_image_row row;
	struct drawn_shapes drawn;
	struct match_truth *truths; /* detection, segmentation */
	size_t truth_count;
	struct arena *arena;
};

static struct mask mask_of_drawn(const struct scene *s, const struct drawn_shape *shape)
{
	const double corners[8] = {shape->x, shape->y, shape->x + shape->w, shape->y, shape->x + shape->w,
		shape->y + shape->h, shape->x, shape->y + shape->h};
	struct mask_ring *rings = ARENA_ARRAY(s->arena, struct mask_ring, shape->ring_count + 1);
	size_t count = shape->kind == SHAPE_POLYGON ? shape->ring_count : 1;
	rings[0] = (struct mask_ring){corners, 4};
	for (size_t i = 0; i < count && shape->kind == SHAPE_POLYGON; i++)
		rings[i] = (struct mask_ring){shape->rings[i].points, shape->rings[i].point_count};
	return mask_of_rings(rings, count, (uint32_t)s->row.width, (uint32_t)s->row.height, s->arena);
}

static struct mask mask_of_shape(const struct scene *s, const struct shape *shape)
{
	double *points = ARENA_ARRAY(s->arena, double, (size_t)2 * shape->point_count);
	for (size_t i = 0; i < (size_t)2 * shape->point_count; i++)
		points[i] = shown_pixel(shape->points[i]);
	const struct mask_ring ring = {points, shape->point_count};
	return mask_of_rings(&ring, 1, (uint32_t)s->row.width, (uint32_t)s->row.height, s->arena);
}

static void read_truths(struct scene *s)
{
	bool masks = s->kept->task == TASK_SEGMENTATION;
	s->truths = ARENA_ARRAY(s->arena, struct match_truth, s->drawn.count + 1);
	for (size_t i = 0; i < s->drawn.count; i++) {
		const struct drawn_shape *shape = &s->drawn.items[i];
		int32_t label = kept_label(s->kept, shape->label);
		if (shape->kind == SHAPE_CLASS || !s->kept->reviewed[label])
			continue;
		struct match_truth *t = &s->truths[s->truth_count++];
		*t = (struct match_truth){
			.label = label, .box = {shape->x, shape->y, shape->w, shape->h}, .area = -1};
		if (masks)
			t->mask = mask_of_drawn(s, shape);
	}
}

static void add_shapes(
	struct scene *s, struct kept_image *image, struct kept_answer *answer, const struct shapes *shapes)
{
	struct kept *k = s->kept;
	struct kept_version *v = &k->versions[answer->version];
	bool masks = k->task == TASK_SEGMENTATION;
	struct match_guess *guesses = ARENA_ARRAY(s->arena, struct match_guess, shapes->count + 1);
	size_t count = 0, pairs, overlaps;
	for (size_t i = 0; i < shapes->count; i++) {
		const struct shape *shape = &shapes->items[i];
		int32_t label = label_of(k, v, shape->label);
		if (shape->kind == SHAPE_CLASS || (masks && shape->kind != SHAPE_POLYGON) ||
			!k->reviewed[label])
			continue;
		struct match_guess *g = &guesses[count++];
		*g = (struct match_guess){.label = label,
			.score = shown_score((double)shape->score),
			.box = shown_box(shape->box)};
		if (masks)
			g->mask = mask_of_shape(s, shape);
	}
	score_add(v->score, image->key, s->truths, s->truth_count, guesses, count);
	const struct confusion_pair *found =
		confusion_pairs(masks, s->truths, s->truth_count, guesses, count, s->arena, &pairs);
	answer->pairs = copy_of(found, pairs, sizeof(*found));
	answer->pair_count = (uint32_t)pairs;
	if (!masks)
		return;
	const struct overlap *sums = overlap_of_image(
		s->truths, s->truth_count, guesses, count, k->threshold, s->arena, &overlaps);
	answer->overlaps = copy_of(sums, overlaps, sizeof(*sums));
	answer->overlap_count = (uint32_t)overlaps;
}

/* Any of the classes that a review names is right; the first one where none is. */
static void add_class(const struct scene *s, const struct kept_image *image, struct kept_answer *answer,
	const struct shapes *shapes)
{
	struct kept *k = s->kept;
	int32_t truth = image->truth_count ? image->truths[0] : CONFUSION_NONE, guess = CONFUSION_NONE;
	double score = 0;
	if (shapes->count) {
		guess = label_of(k, &k->versions[answer->version], shapes->items[0].label);
		score = shown_score((double)shapes->items[0].score);
	}
	for (uint32_t i = 0; i < image->truth_count; i++)
		if (image->truths[i] == guess)
			truth = guess;
	const struct confusion_pair pair = confusion_pair_of_classes(truth, guess, score);
	answer->pair_count = truth != CONFUSION_NONE || guess != CONFUSION_NONE;
	answer->pairs = copy_of(&pair, answer->pair_count, sizeof(pair));
}

static enum status add_answers(struct scene *s, struct db_conn *c, struct kept_image *image,
	const struct quality_answer_row *rows, size_t count, struct err *err)
{
	struct kept *k = s->kept;
	image->answers = must_realloc(NULL, count, sizeof(*image->answers));
	for (size_t i = 0; i < count; i++) {
		struct shapes shapes;
		struct kept_answer answer = {.prediction_id = rows[i].id};
		TRY(find_version(k, c, rows[i].model_version_id, s->arena, &answer.version, err));
		if (answer.version == QUALITY_VERSIONS_MAX)
			continue;
		TRY(shapes_unpack(rows[i].shapes, s->arena, &shapes, err));
		if (k->task == TASK_CLASSIFICATION)
			add_class(s, image, &answer, &shapes);
		else
			add_shapes(s, image, &answer, &shapes);
		image->answers[image->answer_count++] = answer;
	}
	return ST_OK;
}

static void describe_image(const struct scene *s, struct kept_image *image)
{
	struct kept *k = s->kept;
	image->id = s->row.id;
	image->created_us = s->row.created_us;
	image->source = s->row.source ? kept_text(k, s->row.source) : -1;
	image->random = s->row.chosen_why && strcmp(s->row.chosen_why, "random") == 0;
	image->truths = s->drawn.count ? must_realloc(NULL, s->drawn.count, sizeof(*image->truths)) : NULL;
	for (size_t i = 0; i < s->drawn.count; i++) {
		int32_t label = kept_label(k, s->drawn.items[i].label);
		if (k->reviewed[label])
			image->truths[image->truth_count++] = label;
	}
}

/* Masks need the image's size. */
static bool can_measure(const struct scene *s)
{
	if (s->kept->task != TASK_SEGMENTATION)
		return true;
	return s->row.width > 0 && s->row.height > 0 && s->row.width <= UINT32_MAX / s->row.height;
}

/* As the rows are now: added, replaced or gone. */
static enum status load_image(
	struct kept *k, struct db_conn *c, struct uuid id, struct arena *a, struct err *err)
{
	struct scene s = {.kept = k, .arena = a};
	struct quality_answer_row *rows;
	size_t count;
	bool found;
	TRY(quality_rows_answers(c, id, a, &rows, &count, err));
	if (count == 0)
		return ST_OK; /* it was deleted: counting finds that */
	remove_key(k, rows[0].position);
	TRY(quality_rows_image(c, id, a, &s.row, &found, err));
	if (!found || !can_measure(&s))
		return ST_OK;
	TRY(drawn_parse(s.row.shapes, a, &s.drawn, err));
	read_truths(&s);
	struct kept_image *image = add_image(k, rows[0].position);
	describe_image(&s, image);
	TRY(queue_rows_image(c, id, &image->chosen, &image->by_queue, err));
	return add_answers(&s, c, image, rows, count, err);
}

static enum status load_images(
	struct kept *k, struct db_conn *c, const struct uuid *ids, size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct arena a;
		arena_init(&a);
		enum status st = load_image(k, c, ids[i], &a, err);
		arena_release(&a);
		TRY(st);
	}
	while (k->image_count > QUALITY_IMAGES_MAX)
		remove_image(k, 0);
	return ST_OK;
}

/* ---- following ---- */

static enum status load_all(struct kept *k, struct db_conn *c, struct err *err)
{
	struct uuid *ids;
	size_t count;
	struct arena a;
	arena_init(&a);
	enum status st =
		quality_rows_reviewed(c, k->deployment_id, QUALITY_IMAGES_MAX, &a, &ids, &count, err);
	if (st == ST_OK)
		st = load_images(k, c, ids, count, err);
	arena_release(&a);
	return st;
}

static enum status load_changes(struct kept *k, struct db_conn *c, int64_t review, int64_t prediction,
	struct arena *a, struct err *err)
{
	struct uuid *ids;
	size_t count;
	if (review > k->review_position) {
		TRY(quality_rows_changed(
			c, k->deployment_id, k->review_position, review, a, &ids, &count, err));
		TRY(load_images(k, c, ids, count, err));
	}
	if (prediction > k->prediction_position) {
		TRY(quality_rows_repeated(
			c, k->deployment_id, k->prediction_position, prediction, a, &ids, &count, err));
		TRY(load_images(k, c, ids, count, err));
	}
	return ST_OK;
}

/* What was reviewed as a disagreement has a chance once the queue has drawn it. */
static enum status load_drawn(struct kept *k, struct db_conn *c, struct arena *a, struct err *err)
{
	int64_t batch;
	struct uuid *ids;
	size_t count;
	TRY(queue_rows_newest_batch(c, k->deployment_id, &batch, err));
	if (k->loaded && batch > k->batch_position) {
		TRY(quality_rows_drawn(c, k->deployment_id, k->batch_position, a, &ids, &count, err));
		TRY(load_images(k, c, ids, count, err));
	}
	k->batch_position = batch;
	return ST_OK;
}

/* Drops those that are not in the database any more. */
static enum status drop_deleted(struct kept *k, struct db_conn *c, struct arena *a, struct err *err)
{
	int64_t reviewed;
	struct uuid *ids;
	size_t count;
	TRY(quality_rows_count(c, k->deployment_id, &reviewed, err));
	if ((int64_t)k->image_count == reviewed)
		return ST_OK;
	TRY(quality_rows_reviewed(c, k->deployment_id, INT64_MAX, a, &ids, &count, err));
	qsort(ids, count, sizeof(*ids), compare_uuid);
	for (size_t i = k->image_count; i-- > 0;)
		if (count == 0 || !bsearch(&k->images[i]->id, ids, count, sizeof(*ids), compare_uuid))
			remove_image(k, i);
	return ST_OK;
}

static enum status follow(struct kept *k, struct db_conn *c, struct err *err)
{
	int64_t review, prediction;
	struct arena a;
	TRY(quality_rows_positions(c, k->deployment_id, &review, &prediction, err));
	arena_init(&a);
	enum status st = k->loaded ? load_changes(k, c, review, prediction, &a, err) : load_all(k, c, err);
	if (st == ST_OK)
		st = load_drawn(k, c, &a, err);
	if (st == ST_OK)
		st = drop_deleted(k, c, &a, err);
	arena_release(&a);
	TRY(st);
	k->loaded = true;
	k->review_position = review > k->review_position ? review : k->review_position;
	k->prediction_position = prediction > k->prediction_position ? prediction : k->prediction_position;
	return ST_OK;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What was measured with other labels is measured again. */
static enum status refresh_shown(struct kept *k, struct db_conn *c, struct err *err)
{
	struct queue_settings settings;
	struct arena a;
	arena_init(&a);
	enum status st = queue_rows_settings(c, k->deployment_id, &a, &settings, err);
	if (st == ST_OK && !same_text(settings.labels_shown, k->shown)) {
		kept_forget(k);
		k->shown = settings.labels_shown ? strdup(settings.labels_shown) : NULL;
		CHECK(settings.labels_shown == NULL || k->shown != NULL);
	}
	arena_release(&a);
	return st;
}

enum status kept_refresh(struct kept *k, struct db_conn *c, enum task task, double threshold, struct err *err)
{
	if (k->loaded && (k->task != task || (task == TASK_SEGMENTATION && k->threshold != threshold)))
		kept_forget(k);
	k->task = task;
	k->threshold = threshold;
	TRY(refresh_shown(k, c, err));
	enum status st = follow(k, c, err);
	if (st != ST_OK)
		kept_forget(k); /* half of an image is worse than reading all again */
	return st;
}
