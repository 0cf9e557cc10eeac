/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read is read beside the writer, and its jobs write only when nothing has moved meanwhile: the
 * digest when it is where it was, a batch when no other was drawn and nobody new waits.
 */
#include "base/check.h"
#include "deploy/model.h"
#include "learn/choose.h"

#include <math.h>

#define DIGEST_ANSWERS 200 /* a job */
#define TRIES_MAX 5

static const char *const stat_names[CHOOSE_STATS] = {"brightness", "contrast", "blur"};

/* ---- the digest ---- */

struct digest {
	struct uuid deployment_id;
	struct arena *arena;
	struct queue_digest before, after;
	struct queue_answer *answers;
	struct queue_image *images; /* by answer */
	struct shapes *shapes;
	const char ***labels; /* of each answer's version */
	uint32_t *label_counts;
	size_t count;
	bool moved; /* somebody else was there first */
};

static double number_at(yyjson_val *list, size_t i)
{
	return yyjson_get_num(yyjson_arr_get(list, i));
}

static void read_stats(const char *json, struct arena *a, struct choose_stats *out)
{
	yyjson_doc *doc;
	*out = (struct choose_stats){0};
	if (json_parse(span_of_text(json), a, &doc, NULL) != ST_OK)
		return;
	for (size_t i = 0; i < CHOOSE_STATS; i++) {
		yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), stat_names[i]);
		out->of[i].count = number_at(list, 0);
		out->of[i].mean = number_at(list, 1);
		out->of[i].squares = number_at(list, 2);
	}
}

static const char *print_stats(const struct choose_stats *s, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	for (size_t i = 0; i < CHOOSE_STATS; i++) {
		yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, stat_names[i]);
		yyjson_mut_arr_add_real(doc, list, s->of[i].count);
		yyjson_mut_arr_add_real(doc, list, s->of[i].mean);
		yyjson_mut_arr_add_real(doc, list, s->of[i].squares);
	}
	return (const char *)json_print(doc, a).data;
}

/* Blur spans decades, so its logarithm is compared. What is missing is not a number. */
static void image_values(const char *json, struct arena *a, double values[CHOOSE_STATS])
{
	yyjson_doc *doc = NULL;
	if (json_parse(span_of_text(json), a, &doc, NULL) != ST_OK)
		doc = NULL;
	for (size_t i = 0; i < CHOOSE_STATS; i++) {
		yyjson_val *value = doc ? yyjson_obj_get(yyjson_doc_get_root(doc), stat_names[i]) : NULL;
		values[i] = yyjson_is_num(value) ? yyjson_get_num(value) : (double)NAN;
	}
	values[CHOOSE_STATS - 1] = log1p(values[CHOOSE_STATS - 1]);
}

/* The labels of each answer's version: those of the answer before, most of the time. */
static enum status read_labels(struct db_conn *c, struct digest *d, size_t i, struct err *err)
{
	if (i > 0 && uuid_equal(d->answers[i].model_version_id, d->answers[i - 1].model_version_id)) {
		d->labels[i] = d->labels[i - 1];
		d->label_counts[i] = d->label_counts[i - 1];
		return ST_OK;
	}
	return model_labels_of(
		c, d->answers[i].model_version_id, d->arena, &d->labels[i], &d->label_counts[i], err);
}

static enum status digest_read(struct db_conn *c, struct digest *d, struct err *err)
{
	struct arena *a = d->arena;
	struct choose_stats stats;
	TRY(queue_rows_digest(c, d->deployment_id, a, &d->before, err));
	TRY(queue_rows_answers(
		c, d->deployment_id, d->before.position, DIGEST_ANSWERS, a, &d->answers, &d->count, err));
	d->images = ARENA_ARRAY(a, struct queue_image, d->count);
	d->shapes = ARENA_ARRAY(a, struct shapes, d->count);
	d->labels = ARENA_ARRAY(a, const char **, d->count);
	d->label_counts = ARENA_ARRAY(a, uint32_t, d->count);
	read_stats(d->before.stats, a, &stats);
	for (size_t i = 0; i < d->count; i++) {
		const struct queue_answer *answer = &d->answers[i];
		double values[CHOOSE_STATS];
		TRY(read_labels(c, d, i, err));
		TRY(shapes_unpack(answer->shapes, a, &d->shapes[i], err));
		image_values(answer->image_stats, a, values);
		choose_stats_add(&stats, values);
		d->images[i] = (struct queue_image){.id = answer->predicted_asset_id,
			.unsure = choose_unsure(&d->shapes[i]),
			.outlier = choose_outlier(&stats, values)};
		d->after.position = answer->position;
	}
	d->after.stats = print_stats(&stats, a);
	return ST_OK;
}

/* The best score of each label of an answer. The class that is always answered is answered at any threshold.
 */
static enum status add_labels(struct db_conn *c, const struct digest *d, size_t i, struct err *err)
{
	const struct shapes *shapes = &d->shapes[i];
	for (size_t k = 0; k < shapes->count; k++) {
		const struct shape *s = &shapes->items[k];
		bool seen = false;
		for (size_t before = 0; before < k; before++)
			seen = seen || shapes->items[before].label == s->label;
		if (seen)
			continue;
		const char *label = model_label(
			(const char *const *)d->labels[i], d->label_counts[i], s->label, d->arena);
		double score = k == 0 && s->kind == SHAPE_CLASS ? 1 : (double)s->score;
		TRY(queue_rows_add_label(c, d->deployment_id, label, d->answers[i].position, score, err));
	}
	return ST_OK;
}

static enum status digest_write(struct db_conn *c, void *arg, struct err *err)
{
	struct digest *d = arg;
	struct queue_digest now;
	int64_t newest;
	TRY(queue_rows_digest(c, d->deployment_id, d->arena, &now, err));
	d->moved = now.position != d->before.position;
	if (d->moved)
		return ST_OK;
	TRY(queue_rows_newest_batch(c, (struct uuid){{0}}, &newest, err));
	for (size_t i = 0; i < d->count; i++) {
		d->images[i].considered_from = newest + 1;
		TRY(queue_rows_set_image(c, &d->images[i], &d->answers[i], err));
		TRY(add_labels(c, d, i, err));
	}
	return queue_rows_set_digest(c, d->deployment_id, &d->after, err);
}

static enum status digest_some(struct db_readers *readers, struct recorder *recorder,
	struct uuid deployment_id, size_t *count, struct err *err)
{
	struct arena arena;
	struct db_conn *c;
	struct digest d = {.deployment_id = deployment_id, .arena = &arena};
	TRY(db_reader_take(readers, &c, err));
	arena_init(&arena);
	enum status st = digest_read(c, &d, err);
	db_reader_give(readers, c);
	if (st == ST_OK && d.count)
		st = recorder_run(recorder, digest_write, &d, err);
	*count = d.count;
	arena_release(&arena);
	return st;
}

enum status choose_digest(
	struct db_readers *readers, struct recorder *recorder, struct uuid deployment_id, struct err *err)
{
	size_t count = DIGEST_ANSWERS;
	while (count == DIGEST_ANSWERS)
		TRY(digest_some(readers, recorder, deployment_id, &count, err));
	return ST_OK;
}

/* ---- a batch ---- */

struct draw {
	struct uuid deployment_id;
	struct queue_batch batch;
	struct queue_batch *before; /* the deployment's, oldest first */
	size_t before_count;
	int64_t digested; /* position */
	struct queue_image *pool;
	size_t pool_count;
	struct queue_choice *choices;
	struct queue_image **drawn; /* by choice */
	size_t chosen;
	struct arena *arena;
	bool moved;
};

/* One number decides both whether and why: below the share that is the same for all it is random. */
static void draw_all(struct draw *d)
{
	struct queue_batch *b = &d->batch;
	uint64_t salt = d->before_count ? (uint64_t)d->before[d->before_count - 1].position : 0;
	double random = choose_random_chance(b);
	for (size_t i = 0; i < d->pool_count; i++) {
		struct queue_image *image = &d->pool[i];
		double u = choose_hash(image->id, 2 * salt);
		if (u >= choose_chance(b, choose_weight(b->queue_order, image, b->at_us)))
			continue;
		d->drawn[d->chosen] = image;
		d->choices[d->chosen++] = (struct queue_choice){.predicted_asset_id = image->id,
			.at_us = b->at_us,
			.order = (int64_t)(choose_hash(image->id, 1) * 0x1p53),
			.why = u < random ? "random" : b->queue_order};
	}
}

static enum status draw_read(struct db_conn *c, struct draw *d, struct err *err)
{
	struct queue_settings settings;
	struct queue_digest digest;
	struct queue_batch *b = &d->batch;
	TRY(queue_rows_settings(c, d->deployment_id, d->arena, &settings, err));
	TRY(queue_rows_digest(c, d->deployment_id, d->arena, &digest, err));
	TRY(queue_rows_batches(c, d->deployment_id, d->arena, &d->before, &d->before_count, err));
	TRY(queue_rows_pool(c, d->deployment_id, d->arena, &d->pool, &d->pool_count, err));
	d->digested = digest.position;
	b->queue_order = settings.queue_order;
	b->random_share = settings.random_share;
	b->pool = (int64_t)d->pool_count;
	for (size_t i = 0; i < d->pool_count; i++)
		b->weight_sum += choose_weight(b->queue_order, &d->pool[i], b->at_us);
	d->choices = ARENA_ARRAY(d->arena, struct queue_choice, d->pool_count);
	d->drawn = ARENA_ARRAY(d->arena, struct queue_image *, d->pool_count);
	draw_all(d);
	return ST_OK;
}

static enum status draw_write(struct db_conn *c, void *arg, struct err *err)
{
	struct draw *d = arg;
	struct queue_digest digest;
	int64_t newest;
	TRY(queue_rows_digest(c, d->deployment_id, d->arena, &digest, err));
	TRY(queue_rows_newest_batch(c, d->deployment_id, &newest, err));
	int64_t expected = d->before_count ? d->before[d->before_count - 1].position : 0;
	d->moved = digest.position != d->digested || newest != expected;
	if (d->moved)
		return ST_OK;
	TRY(queue_rows_add_batch(c, &d->batch, err));
	struct queue_batch *all = ARENA_ARRAY(d->arena, struct queue_batch, d->before_count + 1);
	if (d->before_count)
		memcpy(all, d->before, d->before_count * sizeof(*all));
	all[d->before_count] = d->batch;
	for (size_t i = 0; i < d->chosen; i++) {
		d->choices[i].batch = d->batch.position;
		d->choices[i].chance = choose_chance_now(all, d->before_count + 1, d->drawn[i]);
		TRY(queue_rows_choose(c, &d->choices[i], err));
	}
	return ST_OK;
}

static enum status draw_once(
	struct db_readers *readers, struct recorder *recorder, struct draw *d, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(readers, &c, err));
	enum status st = draw_read(c, d, err);
	db_reader_give(readers, c);
	return st == ST_OK && d->pool_count ? recorder_run(recorder, draw_write, d, err) : st;
}

enum status choose_batch(struct db_readers *readers, struct recorder *recorder, struct uuid deployment_id,
	int64_t now_us, size_t *chosen, size_t *pool, struct err *err)
{
	for (int try = 0; try < TRIES_MAX; try++) {
		struct arena arena;
		struct draw d = {.deployment_id = deployment_id,
			.batch = {.deployment_id = deployment_id, .at_us = now_us, .budget = CHOOSE_BUDGET},
			.arena = &arena};
		arena_init(&arena);
		enum status st = draw_once(readers, recorder, &d, err);
		*chosen = d.moved ? 0 : d.chosen;
		*pool = d.pool_count;
		arena_release(&arena);
		if (st != ST_OK || !d.moved)
			return st;
	}
	return ST_OK; /* others drew: there is something to lease */
}
