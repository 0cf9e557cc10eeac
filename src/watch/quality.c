/* SPDX-License-Identifier: Apache-2.0 */
/* Whose quality is kept, and how a request is answered from it. */
#include "watch/quality.h"

#include "base/check.h"
#include "base/compare.h"
#include "store/deployment_rows.h"
#include "store/model_rows.h"
#include "store/quality_rows.h"
#include "store/shadow_rows.h"
#include "watch/quality_inside.h"

#include <stdlib.h>
#include <string.h>

#define LABEL_OF_NOBODY INT32_MAX
#define KEPT_MAX 32 /* deployments; the one that nobody asked about for longest is forgotten */

struct quality {
	struct db_readers *readers;
	quality_chance *chance;
	pthread_mutex_t lock; /* guards the list */
	struct kept *kept[KEPT_MAX];
	size_t count;
	uint64_t clock; /* counts reads */
};

struct quality *quality_new(struct db_readers *readers, quality_chance *chance)
{
	struct quality *q = calloc(1, sizeof(*q));
	CHECK(q != NULL && pthread_mutex_init(&q->lock, NULL) == 0);
	q->readers = readers;
	q->chance = chance;
	return q;
}

static void free_kept(struct kept *k)
{
	kept_forget(k);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

void quality_free(struct quality *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->count; i++)
		free_kept(q->kept[i]);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

static struct kept *new_kept(struct uuid deployment_id)
{
	struct kept *k = calloc(1, sizeof(*k));
	CHECK(k != NULL && pthread_mutex_init(&k->lock, NULL) == 0);
	k->deployment_id = deployment_id;
	return k;
}

/* Room for one more: what is longest unread goes, unless all are being read. */
static size_t make_room(struct quality *q)
{
	size_t oldest = KEPT_MAX;
	if (q->count < KEPT_MAX)
		return q->count++;
	for (size_t i = 0; i < KEPT_MAX; i++)
		if (q->kept[i]->holds == 0 &&
			(oldest == KEPT_MAX || q->kept[i]->used < q->kept[oldest]->used))
			oldest = i;
	if (oldest < KEPT_MAX)
		free_kept(q->kept[oldest]);
	return oldest;
}

/* Held, and locked. What is read from then on is newer than what is kept. */
static struct kept *take(struct quality *q, struct uuid deployment_id)
{
	struct kept *k = NULL;
	mutex_lock(&q->lock);
	for (size_t i = 0; i < q->count && k == NULL; i++)
		if (uuid_equal(q->kept[i]->deployment_id, deployment_id))
			k = q->kept[i];
	if (k == NULL) {
		k = new_kept(deployment_id);
		size_t at = make_room(q);
		if (at < KEPT_MAX)
			q->kept[at] = k;
		else
			k->used = UINT64_MAX; /* of nobody else: freed when it is given back */
	}
	k->holds++;
	if (k->used != UINT64_MAX)
		k->used = ++q->clock;
	mutex_unlock(&q->lock);
	mutex_lock(&k->lock);
	return k;
}

static void give(struct quality *q, struct kept *k)
{
	mutex_unlock(&k->lock);
	mutex_lock(&q->lock);
	k->holds--;
	bool alone = k->used == UINT64_MAX;
	mutex_unlock(&q->lock);
	if (alone)
		free_kept(k);
}

/* ---- which images ---- */

static bool is_among(struct uuid id, const struct uuid *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(ids[i], id))
			return true;
	return false;
}

static bool is_named(const struct kept_image *image, const struct uuid *ids, size_t count)
{
	bool named = is_among(image->id, ids, count);
	for (uint32_t i = 0; i < image->answer_count && !named; i++)
		named = is_among(image->answers[i].prediction_id, ids, count);
	return named;
}

static bool fits(const struct kept_image *image, const struct quality_filter *f, int32_t source)
{
	return (f->from_us == 0 || image->created_us >= f->from_us) &&
	       (f->to_us == 0 || image->created_us < f->to_us) &&
	       (f->source == NULL || (source != CONFUSION_NONE && image->source == source)) &&
	       (f->only_count == 0 || is_named(image, f->only, f->only_count)) &&
	       !is_named(image, f->without, f->without_count);
}

/* Of images that are wanted so far, those that have one of the tags. */
static enum status mark_tags(
	struct kept *k, struct db_conn *c, const struct quality_filter *f, struct arena *a, struct err *err)
{
	bool *tagged = ARENA_ARRAY(a, bool, k->image_count + 1);
	for (size_t t = 0; t < f->tag_count; t++) {
		struct uuid *ids;
		size_t count;
		TRY(quality_rows_tagged(c, k->deployment_id, f->tags[t], a, &ids, &count, err));
		if (count == 0)
			continue;
		qsort(ids, count, sizeof(*ids), compare_uuid);
		for (size_t i = 0; i < k->image_count; i++)
			if (bsearch(&k->images[i]->id, ids, count, sizeof(*ids), compare_uuid))
				tagged[i] = true;
	}
	for (size_t i = 0; i < k->image_count && f->tag_count; i++)
		k->images[i]->wanted = k->images[i]->wanted && tagged[i];
	return ST_OK;
}

/* Marks the wanted ones; how many. */
static enum status mark_wanted(struct kept *k, struct db_conn *c, const struct quality_filter *f,
	struct arena *a, size_t *wanted, struct err *err)
{
	int32_t source = f->source ? kept_find_text(k, f->source) : CONFUSION_NONE;
	for (size_t i = 0; i < k->image_count; i++)
		k->images[i]->wanted = fits(k->images[i], f, source);
	TRY(mark_tags(k, c, f, a, err));
	*wanted = 0;
	for (size_t i = 0; i < k->image_count; i++)
		*wanted += k->images[i]->wanted;
	return ST_OK;
}

static bool says(const struct kept_image *image, int32_t label)
{
	for (uint32_t i = 0; i < image->truth_count; i++)
		if (image->truths[i] == label)
			return true;
	for (uint32_t i = 0; i < image->answer_count; i++)
		if (image->answers[i].pair_count && image->answers[i].pairs[0].guess == label)
			return true;
	return false;
}

/* Of classes: images where the label is true or answered. Of shapes, its answers are left out later. */
static void mark_label(struct kept *k, int32_t label, size_t *wanted)
{
	for (size_t i = 0; i < k->image_count && k->task == TASK_CLASSIFICATION; i++) {
		struct kept_image *image = k->images[i];
		if (!image->wanted || says(image, label))
			continue;
		image->wanted = false;
		--*wanted;
	}
}

/* ---- which versions ---- */

struct listed {
	uint32_t version;
	enum quality_role role;
	struct uuid id;
};

static int compare_listed(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;
	if (x->role != y->role)
		return x->role < y->role ? -1 : 1;
	return memcmp(&y->id, &x->id, sizeof(x->id)); /* ids rise with time */
}

static enum status list_versions(const struct kept *k, struct db_conn *c,
	const struct deployment_row *deployment, struct uuid only, struct arena *a, struct listed **out,
	size_t *count, struct err *err)
{
	struct shadow_row *shadows;
	size_t shadow_count;
	TRY(shadow_rows_list(c, k->deployment_id, a, &shadows, &shadow_count, err));
	*out = ARENA_ARRAY(a, struct listed, k->version_count + 1);
	*count = 0;
	for (uint32_t i = 0; i < k->version_count; i++) {
		struct listed one = {i, QUALITY_PAST, k->versions[i].id};
		if (!uuid_is_zero(only) && !uuid_equal(only, one.id))
			continue;
		for (size_t s = 0; s < shadow_count; s++)
			if (uuid_equal(shadows[s].model_version_id, one.id))
				one.role = QUALITY_SHADOW;
		if (uuid_equal(deployment->champion_id, one.id))
			one.role = QUALITY_CHAMPION;
		(*out)[(*count)++] = one;
	}
	qsort(*out, *count, sizeof(**out), compare_listed);
	return ST_OK;
}

/* A version that was deleted keeps its numbers, but has no name. */
static enum status name_version(
	struct db_conn *c, struct arena *a, struct quality_version *v, struct err *err)
{
	struct model_version_row row;
	struct model_row model;
	enum status st = model_rows_version_by_id(c, v->id, a, &row, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	v->name = row.name;
	v->version = row.version;
	TRY(model_rows_by_id(c, row.model_id, a, &model, err));
	v->model_name = model.name;
	return ST_OK;
}

/* ---- answering ---- */

static enum status read_chances(struct quality *q, struct kept *k, struct db_conn *c, struct arena *a,
	struct report_input *in, size_t *with_chance, struct err *err)
{
	struct queue_batch *batches;
	double *chances = ARENA_ARRAY(a, double, k->image_count + 1);
	TRY(queue_rows_batches(c, k->deployment_id, a, &batches, &in->batch_count, err));
	*with_chance = 0;
	for (size_t i = 0; i < k->image_count; i++) {
		const struct kept_image *image = k->images[i];
		if (image->by_queue && q->chance)
			chances[i] = q->chance(batches, in->batch_count, &image->chosen);
		*with_chance += image->wanted && chances[i] > 0;
	}
	in->chances = chances;
	return ST_OK;
}

static enum status open_report(struct kept *k, struct db_conn *c, const struct quality_filter *f,
	struct arena *a, struct deployment_row *deployment, struct report_input *in,
	struct quality_report *out, struct err *err)
{
	*in = (struct report_input){.kept = k, .filter = f, .label = SCORE_ALL_LABELS};
	TRY(deployment_rows_by_id(c, k->deployment_id, a, deployment, err));
	if (!task_parse(deployment->type, &out->task))
		return err_set(err, ST_INVALID, "Quality is not measured for deployments of the type %s.",
			deployment->type);
	in->threshold = out->threshold = f->threshold >= 0                  ? f->threshold
					 : out->task == TASK_CLASSIFICATION ? 0
									    : deployment->threshold;
	TRY(kept_refresh(k, c, out->task, in->threshold, err));
	TRY(mark_wanted(k, c, f, a, &out->reviewed, err));
	if (f->label) {
		in->label = kept_find_label(k, f->label);
		if (in->label == CONFUSION_NONE)
			in->label = LABEL_OF_NOBODY;
		mark_label(k, in->label, &out->reviewed);
	}
	in->all = out->reviewed == k->image_count;
	in->champion = 0;
	while (in->champion < k->version_count &&
		!uuid_equal(k->versions[in->champion].id, deployment->champion_id))
		in->champion++;
	return ST_OK;
}

static void copy_labels(const struct kept *k, struct arena *a, struct quality_report *out)
{
	out->label_count = k->label_count;
	out->labels = ARENA_ARRAY(a, const char *, k->label_count + 1);
	for (size_t i = 0; i < k->label_count; i++)
		out->labels[i] = arena_strdup(a, kept_label_name(k, i));
}

static enum status report(struct quality *q, struct kept *k, struct db_conn *c,
	const struct quality_filter *f, struct arena *a, struct quality_report *out, struct err *err)
{
	struct deployment_row deployment;
	struct report_input in;
	struct listed *listed;
	TRY(open_report(k, c, f, a, &deployment, &in, out, err));
	TRY(read_chances(q, k, c, a, &in, &out->with_chance, err));
	TRY(list_versions(k, c, &deployment, f->version_id, a, &listed, &out->version_count, err));
	out->versions = ARENA_ARRAY(a, struct quality_version, out->version_count + 1);
	uint32_t *versions = ARENA_ARRAY(a, uint32_t, out->version_count + 1);
	for (size_t i = 0; i < out->version_count; i++) {
		versions[i] = listed[i].version;
		report_version(&in, versions[i], a, &out->versions[i]);
		out->versions[i].role = listed[i].role;
		TRY(name_version(c, a, &out->versions[i], err));
	}
	if (f->intervals)
		report_windows(&in, versions, out->version_count, a, out);
	copy_labels(k, a, out);
	return ST_OK;
}

enum status quality_read(struct quality *q, struct uuid deployment_id, const struct quality_filter *filter,
	struct arena *a, struct quality_report *out, struct err *err)
{
	struct db_conn *c;
	*out = (struct quality_report){0};
	struct kept *k = take(q, deployment_id);
	enum status st = db_reader_take(q->readers, &c, err);
	if (st == ST_OK) {
		st = report(q, k, c, filter, a, out, err);
		db_reader_give(q->readers, c);
	}
	give(q, k);
	return st;
}

/* ---- one image after the other ---- */

static double ap_of_image(const struct kept_version *v, int64_t key, struct arena *a)
{
	struct score_summary summary;
	struct score *one = score_of_image(v->score, key);
	score_read(one, a, &summary);
	score_free(one);
	return summary.numbers.ap;
}

static void describe(const struct report_input *in, const struct kept_image *image,
	const struct kept_answer *answer, struct arena *a, struct quality_image *out)
{
	const struct kept_version *v = &in->kept->versions[answer->version];
	*out = (struct quality_image){.predicted_asset_id = image->id,
		.prediction_id = answer->prediction_id,
		.version_id = v->id,
		.created_us = image->created_us,
		.ap = v->score ? ap_of_image(v, image->key, a) : -1,
		.truth = CONFUSION_NONE,
		.guess = CONFUSION_NONE,
		.truth_count = image->truth_count};
	int32_t *truths = ARENA_ARRAY(a, int32_t, image->truth_count + 1);
	if (image->truth_count)
		memcpy(truths, image->truths, image->truth_count * sizeof(*truths));
	out->truths = truths;
	for (uint32_t i = 0; i < answer->pair_count; i++) {
		const struct confusion_pair *pair = &answer->pairs[i];
		bool answered = pair->guess != CONFUSION_NONE && pair->score >= in->threshold;
		bool right = answered && pair->guess == pair->truth;
		out->found += right;
		out->wrong += answered && !right;
		out->missed += pair->truth != CONFUSION_NONE && !right;
		if (v->score == NULL) {
			out->truth = pair->truth;
			out->guess = pair->guess;
		}
	}
}

static enum status list_images(struct kept *k, struct db_conn *c, const struct quality_filter *f,
	struct arena *a, struct quality_image **items, size_t *count, struct quality_report *out,
	struct err *err)
{
	struct deployment_row deployment;
	struct report_input in;
	TRY(open_report(k, c, f, a, &deployment, &in, out, err));
	copy_labels(k, a, out);
	struct uuid id = uuid_is_zero(f->version_id) ? deployment.champion_id : f->version_id;
	uint32_t version = 0;
	while (version < k->version_count && !uuid_equal(k->versions[version].id, id))
		version++;
	*items = ARENA_ARRAY(a, struct quality_image, k->image_count + 1);
	for (size_t i = 0; i < k->image_count; i++) {
		const struct kept_image *image = k->images[i];
		const struct kept_answer *answer = image->wanted ? kept_answer_of(image, version) : NULL;
		if (answer)
			describe(&in, image, answer, a, &(*items)[(*count)++]);
	}
	return ST_OK;
}

enum status quality_read_images(struct quality *q, struct uuid deployment_id,
	const struct quality_filter *filter, struct arena *a, struct quality_image **items, size_t *count,
	struct quality_report *report, struct err *err)
{
	struct db_conn *c;
	*report = (struct quality_report){0};
	*count = 0;
	struct kept *k = take(q, deployment_id);
	enum status st = db_reader_take(q->readers, &c, err);
	if (st == ST_OK) {
		st = list_images(k, c, filter, a, items, count, report, err);
		db_reader_give(q->readers, c);
	}
	give(q, k);
	return st;
}

/* ---- two versions ---- */

static uint32_t place_of_version(const struct kept *k, struct uuid id)
{
	uint32_t at = 0;
	while (at < k->version_count && !uuid_equal(k->versions[at].id, id))
		at++;
	return at;
}

enum status quality_read_pair(struct quality *q, struct uuid deployment_id, struct uuid first,
	struct uuid second, const struct uuid *ids, size_t count, enum quality_winner *winners,
	uint64_t *revision, struct arena *a, struct quality_pair *out, struct err *err)
{
	const struct quality_filter all = {.threshold = -1};
	struct quality_report report = {0};
	struct deployment_row deployment;
	struct report_input in;
	struct db_conn *c;
	struct kept *k = take(q, deployment_id);
	enum status st = db_reader_take(q->readers, &c, err);
	if (st == ST_OK) {
		st = open_report(k, c, &all, a, &deployment, &in, &report, err);
		db_reader_give(q->readers, c);
	}
	if (st == ST_OK) {
		uint32_t one = place_of_version(k, first), other = place_of_version(k, second);
		pair_winners(k, in.threshold, one, other, ids, count, winners, a);
		uint64_t now = (k->revision << 32) + (uint64_t)k->review_position + 1;
		if (now != *revision)
			pair_measure(k, one, other, a, out);
		*revision = now;
	}
	give(q, k);
	return st;
}
