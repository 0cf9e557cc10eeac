/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/evaluations.h"

#include "base/check.h"
#include "base/json.h"
#include "os/clock.h"
#include "store/annotation_rows.h"
#include "store/dataset_rows.h"
#include "store/experiment_rows.h"
#include "task/score.h"

#include <stdlib.h>
#include <string.h>

#define PAGE 500 /* evaluations read at once */

enum kind { BOXES, MASKS, CLASSES };

static const struct {
	const char *type;
	enum annotation_kind truth;
	const char *guess; /* "type" of the shapes of an evaluation */
} kinds[] = {
	[BOXES] = {"OBJECT_DETECTION", ANNOTATION_RECTANGLE, "rectangle"},
	[MASKS] = {"SEGMENTATION", ANNOTATION_POLYGON, "polygon"},
	[CLASSES] = {"CLASSIFICATION", ANNOTATION_CLASSIFICATION, "classification"},
};

struct evaluation {
	struct arena arena; /* of all below */
	struct db_readers *readers;
	struct recorder *recorder;
	struct uuid experiment_id;
	enum kind kind;
	const char *status;
	struct uuid *ids;
	size_t id_count;

	struct uuid *labels; /* met so far: the place is the label that task/score sees */
	const char **names;
	size_t label_count, label_room, name_room;
	struct score *score;
	struct class_pair {
		int32_t truth, guess;
	} * pairs;
	size_t pair_count, pair_room, images;
};

static int32_t label_of(struct evaluation *e, struct uuid id, const char *name)
{
	size_t i = 0;
	while (i < e->label_count && !uuid_equal(e->labels[i], id))
		i++;
	if (i == e->label_count) {
		size_t count = e->label_count++;
		e->labels = rows_grow(&e->arena, e->labels, count, &e->label_room, sizeof(*e->labels));
		e->names = rows_grow(&e->arena, e->names, count, &e->name_room, sizeof(*e->names));
		e->labels[i] = id;
		e->names[i] = NULL;
	}
	if (name && e->names[i] == NULL)
		e->names[i] = arena_strdup(&e->arena, name);
	return (int32_t)i;
}

/* ---- one image ---- */

struct image {
	int64_t number; /* of the evaluation: equals by score are in this order */
	uint32_t width, height;
	struct match_truth *truths;
	struct match_guess *guesses;
	size_t truth_count, guess_count;
	double best; /* CLASSES: score of `guess` */
	int32_t truth, guess;
};

static struct mask mask_of(yyjson_val *points, const struct image *image, struct arena *a)
{
	yyjson_val *rings = yyjson_obj_get(points, "rings"), *ring, *point;
	size_t i, n, k, m, count = rings ? yyjson_arr_size(rings) : 1;
	struct mask_ring *out = ARENA_ARRAY(a, struct mask_ring, count + 1);
	for (i = 0; i < count; i++) {
		ring = rings ? yyjson_arr_get(rings, i) : points;
		n = yyjson_arr_size(ring);
		double *xy = ARENA_ARRAY(a, double, 2 * n + 1);
		yyjson_arr_foreach (ring, k, m, point) {
			xy[2 * k] = yyjson_get_num(yyjson_arr_get(point, 0));
			xy[2 * k + 1] = yyjson_get_num(yyjson_arr_get(point, 1));
		}
		out[i] = (struct mask_ring){xy, n};
	}
	return mask_of_rings(out, count, image->width, image->height, a);
}

static enum status add_truth(struct evaluation *e, struct image *image, const struct annotation_shape_row *s,
	struct arena *a, struct err *err)
{
	yyjson_doc *points;
	int32_t label = label_of(e, s->label_id, s->label);
	image->truth = e->kind == CLASSES ? label : image->truth;
	if (e->kind == CLASSES)
		return ST_OK;
	struct match_truth *t = &image->truths[image->truth_count++];
	*t = (struct match_truth){.label = label,
		.box = {s->x, s->y, s->w, s->h},
		.area = s->area,
		.crowd = s->flags & ANNOTATION_CROWD,
		.difficult = s->flags & ANNOTATION_DIFFICULT};
	if (e->kind == MASKS) {
		TRY(json_parse(span_of_text(s->points), a, &points, err));
		t->mask = mask_of(yyjson_doc_get_root(points), image, a);
	}
	return ST_OK;
}

static void add_guess(struct evaluation *e, struct image *image, yyjson_val *shape, struct arena *a)
{
	struct uuid id;
	const char *type = yyjson_get_str(yyjson_obj_get(shape, "type"));
	double score = yyjson_get_num(yyjson_obj_get(shape, "score"));
	if (type == NULL || strcmp(type, kinds[e->kind].guess) != 0 ||
		!uuid_parse(yyjson_get_str(yyjson_obj_get(shape, "label_id")), &id))
		return;
	int32_t label = label_of(e, id, NULL);
	if (e->kind == CLASSES) {
		if (image->guess == CLASS_NONE || score > image->best) {
			image->guess = label;
			image->best = score;
		}
		return;
	}
	struct match_guess *g = &image->guesses[image->guess_count++];
	*g = (struct match_guess){.label = label, .score = score};
	if (e->kind == MASKS)
		g->mask = mask_of(yyjson_obj_get(shape, "polygon"), image, a);
	else
		g->box = (struct match_box){yyjson_get_num(yyjson_obj_get(shape, "x")),
			yyjson_get_num(yyjson_obj_get(shape, "y")),
			yyjson_get_num(yyjson_obj_get(shape, "w")),
			yyjson_get_num(yyjson_obj_get(shape, "h"))};
}

static void count_image(struct evaluation *e, const struct image *image)
{
	e->images++;
	if (e->kind != CLASSES) {
		score_add(e->score, image->number, image->truths, image->truth_count, image->guesses,
			image->guess_count);
		return;
	}
	size_t n = e->pair_count++;
	e->pairs = rows_grow(&e->arena, e->pairs, n, &e->pair_room, sizeof(*e->pairs));
	e->pairs[n] = (struct class_pair){image->truth, image->guess};
}

static enum status add_evaluation(struct evaluation *e, struct db_conn *c, const struct evaluation_row *row,
	int64_t number, struct arena *a, struct err *err)
{
	struct asset_row asset;
	struct annotation_row truth;
	yyjson_doc *doc;
	yyjson_val *shape;
	size_t i, n;
	bool found;
	TRY(asset_rows_by_id(c, row->asset_id, a, &asset, err));
	TRY(annotation_rows_newest(c, row->asset_id, a, &truth, &found, err));
	if (!found || (e->status && strcmp(truth.status, e->status) != 0))
		return ST_OK;
	TRY(json_parse(span_of_text(row->shapes), a, &doc, err));
	yyjson_val *shapes = yyjson_doc_get_root(doc);
	struct image image = {.number = number,
		.width = (uint32_t)asset.data.width,
		.height = (uint32_t)asset.data.height,
		.truths = ARENA_ARRAY(a, struct match_truth, truth.shape_count + 1),
		.guesses = ARENA_ARRAY(a, struct match_guess, yyjson_arr_size(shapes) + 1),
		.truth = CLASS_NONE,
		.guess = CLASS_NONE};
	for (size_t k = 0; k < truth.shape_count; k++)
		if (truth.shapes[k].kind == kinds[e->kind].truth)
			TRY(add_truth(e, &image, &truth.shapes[k], a, err));
	yyjson_arr_foreach (shapes, i, n, shape)
		add_guess(e, &image, shape, a);
	if (e->kind != CLASSES || image.truth != CLASS_NONE)
		count_image(e, &image);
	return ST_OK;
}

/* ---- all of them ---- */

static bool is_chosen(const struct evaluation *e, struct uuid id)
{
	size_t i = 0;
	while (i < e->id_count && !uuid_equal(e->ids[i], id))
		i++;
	return e->id_count == 0 || i < e->id_count;
}

static enum status add_page(struct evaluation *e, struct db_conn *c, struct job *job, int64_t *offset,
	bool *more, struct arena *a, struct err *err)
{
	struct rows_page page = {.limit = PAGE, .offset = *offset};
	struct evaluation_row *rows;
	size_t count;
	int64_t total;
	TRY(evaluation_rows_list(c, e->experiment_id, &page, a, &rows, &count, &total, err));
	for (size_t i = 0; i < count; i++)
		if (is_chosen(e, rows[i].id))
			TRY(add_evaluation(e, c, &rows[i], *offset + (int64_t)i, a, err));
	*offset += (int64_t)count;
	*more = *offset < total;
	job_progress(job, total ? (double)*offset / (double)total : 1, "%lld of %lld images",
		(long long)*offset, (long long)total);
	if (job_cancelled(job))
		return err_set(err, ST_UNAVAILABLE, "Cancelled.");
	return ST_OK;
}

/* ---- the numbers ---- */

static void add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
	if (value < 0)
		yyjson_mut_obj_add_null(doc, object, key);
	else
		yyjson_mut_obj_add_real(doc, object, key, value);
}

static void add_coco(yyjson_mut_doc *doc, yyjson_mut_val *root, struct evaluation *e, struct arena *a)
{
	struct score_summary found;
	score_read(e->score, a, &found);
	const struct {
		const char *key;
		double value;
	} numbers[] = {{"ap", found.numbers.ap}, {"ap50", found.numbers.ap50}, {"ap75", found.numbers.ap75},
		{"ap_small", found.numbers.ap_small}, {"ap_medium", found.numbers.ap_medium},
		{"ap_large", found.numbers.ap_large}, {"ar1", found.numbers.ar1},
		{"ar10", found.numbers.ar10}, {"ar100", found.numbers.ar100},
		{"ar_small", found.numbers.ar_small}, {"ar_medium", found.numbers.ar_medium},
		{"ar_large", found.numbers.ar_large}};
	yyjson_mut_val *coco = yyjson_mut_obj_add_obj(doc, root, "coco");
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		add_number(doc, coco, numbers[i].key, numbers[i].value);
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "labels");
	for (size_t i = 0; i < found.label_count; i++) {
		const struct score_label *l = &found.labels[i];
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		const char *name = e->names[l->label];
		yyjson_mut_obj_add_strcpy(doc, item, "label", name ? name : "");
		add_number(doc, item, "ap", l->numbers.ap);
		add_number(doc, item, "ap50", l->numbers.ap50);
		yyjson_mut_obj_add_int(doc, item, "truths", (int64_t)l->truths);
	}
}

static void add_classes(yyjson_mut_doc *doc, yyjson_mut_val *root, struct evaluation *e, struct arena *a)
{
	struct class_counts counts;
	struct class_summary found;
	class_counts_init(&counts, (uint32_t)e->label_count, a);
	for (size_t i = 0; i < e->pair_count; i++)
		class_counts_add(&counts, e->pairs[i].truth, e->pairs[i].guess, 1);
	class_counts_read(&counts, a, &found);
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "classification");
	yyjson_mut_obj_add_real(doc, object, "accuracy", found.accuracy);
	yyjson_mut_obj_add_real(doc, object, "precision", found.precision_mean);
	yyjson_mut_obj_add_real(doc, object, "recall", found.recall_mean);
	yyjson_mut_obj_add_real(doc, object, "f1", found.f1_mean);
}

static const char *result_json(struct evaluation *e, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "type", kinds[e->kind].type);
	yyjson_mut_obj_add_int(doc, root, "images", (int64_t)e->images);
	if (e->kind == CLASSES)
		add_classes(doc, root, e, a);
	else
		add_coco(doc, root, e, a);
	return (const char *)json_print(doc, a).data;
}

/* The last one is the experiment's log "evaluation". */
static enum status store_log(struct db_conn *c, void *arg, struct err *err)
{
	struct experiment_log_row *log = arg, old;
	struct arena a;
	bool found;
	arena_init(&a);
	enum status st = experiment_log_rows_by_name(c, log->experiment_id, log->name, &a, &old, &found, err);
	if (st == ST_OK && found) {
		log->id = old.id;
		st = experiment_log_rows_update(c, log, err);
	} else if (st == ST_OK) {
		log->created_us = clock_unix_us();
		log->id = uuid_v7(log->created_us / 1000);
		st = experiment_log_rows_insert(c, log, err);
	}
	arena_release(&a);
	return st;
}

static enum status run_job(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	struct evaluation *e = arg;
	struct db_conn *c;
	const struct match_rules rules = score_rules_coco(e->kind == MASKS);
	int64_t offset = 0;
	bool more = true;
	e->score = score_new(&rules);
	for (enum status st = ST_OK; more;) {
		struct arena page;
		arena_init(&page);
		st = db_reader_take(e->readers, &c, err);
		if (st == ST_OK) {
			st = add_page(e, c, job, &offset, &more, &page, err);
			db_reader_give(e->readers, c);
		}
		arena_release(&page);
		TRY(st);
	}
	*result = result_json(e, a);
	struct experiment_log_row log = {.experiment_id = e->experiment_id,
		.name = "evaluation",
		.type = "EVALUATION",
		.data = *result};
	return recorder_run(e->recorder, store_log, &log, err);
}

static void release_job(void *arg)
{
	struct evaluation *e = arg;
	score_free(e->score);
	arena_release(&e->arena);
	free(e);
}

enum status evaluations_start(struct jobs *jobs, struct db_readers *readers, struct recorder *recorder,
	const struct evaluations_request *request, struct arena *a, struct job_row *job, struct err *err)
{
	enum kind kind = BOXES;
	while (kind < COUNT_OF(kinds) && strcmp(kinds[kind].type, request->type) != 0)
		kind++;
	if (kind == COUNT_OF(kinds))
		return err_set(err, ST_INVALID,
			"\"inference_type\" must be OBJECT_DETECTION, SEGMENTATION or CLASSIFICATION, not "
			"\"%.50s\".",
			request->type);
	struct evaluation *e = calloc(1, sizeof(*e));
	CHECK(e != NULL);
	arena_init(&e->arena);
	e->readers = readers;
	e->recorder = recorder;
	e->experiment_id = request->experiment_id;
	e->kind = kind;
	e->status = request->annotation_status ? arena_strdup(&e->arena, request->annotation_status) : NULL;
	e->ids = ARENA_ARRAY(&e->arena, struct uuid, request->count + 1);
	if (request->count)
		memcpy(e->ids, request->ids, request->count * sizeof(*e->ids));
	e->id_count = request->count;
	const struct job_work work = {.kind = "evaluate",
		.object_id = request->experiment_id,
		.who = request->who,
		.run = run_job,
		.arg = e,
		.release = release_job};
	enum status st = jobs_start(jobs, &work, a, job, err);
	if (st != ST_OK)
		release_job(e);
	return st;
}
