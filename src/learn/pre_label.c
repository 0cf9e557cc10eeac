/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/pre_label.h"

#include "base/check.h"
#include "deploy/model.h"
#include "learn/dataset_shapes.h"
#include "os/clock.h"
#include "predict/trial.h"
#include "store/label_rows.h"

#include <inttypes.h>
#include <stdlib.h>

#define BATCH 20 /* images a transaction */
#define SEAT_TIMEOUT_US ((int64_t)60 * 1000000)
#define IMAGE_BYTES_MAX ((size_t)64 << 20)

struct image_of {
	struct uuid asset_id;
	const char *sha256; /* NULL: its object is gone */
};

struct pre_labelling {
	struct arena arena; /* of all below */
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	struct dataset_version_row dataset;
	struct model_version_row version;
	const char *model_name, *who;
	double threshold;
	bool only_unlabelled, make_labels;
	const char **names; /* of the model's labels, as the dataset calls them; NULL: to be left out */
	uint32_t label_count;
	struct {
		int64_t images, annotated, shapes, labels_new, left_out, failed;
	} counts;
};

/* ---- the batch ---- */

struct answer {
	struct uuid asset_id;
	struct labelled_shape *shapes;
	size_t count;
};

struct batch {
	struct pre_labelling *p;
	struct answer answers[BATCH];
	size_t count;
	int64_t annotated, shapes, labels_new, left_out; /* of this transaction */
	struct arena arena;
};

/* Ids of the labels, by the model's index; zero: the dataset has none, and none is made. */
static enum status find_labels(struct db_conn *c, struct batch *b, struct uuid *ids, struct err *err)
{
	struct pre_labelling *p = b->p;
	for (size_t i = 0; i < b->count; i++) {
		for (size_t k = 0; k < b->answers[i].count; k++) {
			int32_t label = b->answers[i].shapes[k].label;
			struct label_row row;
			bool made = false;
			if (!uuid_is_zero(ids[label]) || p->names[label] == NULL)
				continue;
			enum status st = p->make_labels ? label_rows_ensure(c, p->dataset.id, p->names[label],
								  &b->arena, &row, &made, err)
							: label_rows_by_name(c, p->dataset.id,
								  p->names[label], &b->arena, &row, err);
			if (st == ST_MISSING && !p->make_labels)
				continue;
			TRY(st);
			ids[label] = row.id;
			b->labels_new += made;
		}
	}
	return ST_OK;
}

/* What the annotation has already is not there twice. */
static size_t keep_new(struct annotation_shape_row *shapes, size_t count, const struct annotation_row *row)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		bool known = false;
		for (size_t k = 0; k < row->shape_count && !known; k++)
			known = dataset_shapes_same(&shapes[i], &row->shapes[k]);
		if (!known)
			shapes[kept++] = shapes[i];
	}
	return kept;
}

static enum status annotate(struct db_conn *c, struct batch *b, const struct answer *answer,
	const struct uuid *label_ids, struct err *err)
{
	struct pre_labelling *p = b->p;
	struct annotation_row row;
	bool found;
	size_t kept = 0;
	for (size_t i = 0; i < answer->count; i++) {
		if (uuid_is_zero(label_ids[answer->shapes[i].label]))
			b->left_out++;
		else
			answer->shapes[kept++] = answer->shapes[i];
	}
	struct annotation_shape_row *shapes =
		dataset_shapes_to_rows(answer->shapes, kept, label_ids, &b->arena);
	TRY(annotation_rows_newest(c, answer->asset_id, &b->arena, &row, &found, err));
	if (found && p->only_unlabelled)
		return ST_OK; /* somebody was there first */
	if (found)
		kept = keep_new(shapes, kept, &row);
	if (kept == 0)
		return ST_OK; /* an annotation without shapes would say that nothing is there */
	int64_t now_us = clock_unix_us();
	if (!found)
		row = (struct annotation_row){
			.id = uuid_v7(now_us / 1000), .asset_id = answer->asset_id, .created_us = now_us};
	row.status = "PENDING";
	row.who = p->who;
	row.client_id = NULL;
	row.updated_us = now_us;
	row.shapes = shapes;
	row.shape_count = kept;
	b->annotated++;
	b->shapes += (int64_t)kept;
	return found ? annotation_rows_add(c, &row, &b->arena, err)
		     : annotation_rows_insert(c, &row, &b->arena, err);
}

/* A version of which nobody has said what it finds is of the model's kind from now on. */
static enum status set_type(struct db_conn *c, struct batch *b, struct err *err)
{
	struct dataset_version_row now;
	TRY(dataset_version_rows_by_id(c, b->p->dataset.id, &b->arena, &now, err));
	if (strcmp(now.type, "NOT_CONFIGURED") != 0)
		return ST_OK;
	now.type = b->p->version.type;
	return dataset_version_rows_update(c, &now, err);
}

static enum status write_batch(struct db_conn *c, void *arg, struct err *err)
{
	struct batch *b = arg;
	struct uuid *ids = ARENA_ARRAY(&b->arena, struct uuid, b->p->label_count + 1);
	b->annotated = b->shapes = b->labels_new = b->left_out = 0;
	TRY(dataset_version_rows_touch(c, b->p->dataset.id, err));
	TRY(set_type(c, b, err));
	TRY(find_labels(c, b, ids, err));
	for (size_t i = 0; i < b->count; i++) {
		enum status st = annotate(c, b, &b->answers[i], ids, err);
		if (st != ST_OK && st != ST_MISSING) /* the asset is gone meanwhile */
			return st;
	}
	return ST_OK;
}

static enum status store_batch(struct batch *b, struct err *err)
{
	struct pre_labelling *p = b->p;
	if (b->count == 0)
		return ST_OK;
	TRY(recorder_run(p->recorder, write_batch, b, err));
	p->counts.annotated += b->annotated;
	p->counts.shapes += b->shapes;
	p->counts.labels_new += b->labels_new;
	p->counts.left_out += b->left_out;
	b->count = 0;
	arena_release(&b->arena);
	return ST_OK;
}

/* ---- one image ---- */

static struct labelled_shape labelled(const struct shape *s, struct arena *a)
{
	struct labelled_shape out = {.kind = s->kind, .label = s->label, .box = s->box, .area = -1};
	if (s->kind != SHAPE_POLYGON)
		return out;
	struct labelled_ring *ring = ARENA_NEW(a, struct labelled_ring);
	float *points = ARENA_ARRAY(a, float, (size_t)2 * s->point_count);
	memcpy(points, s->points, (size_t)2 * s->point_count * sizeof(*points));
	*ring = (struct labelled_ring){points, s->point_count};
	out.rings = ring;
	out.ring_count = 1;
	return out;
}

/* Into the batch. A picture that cannot be read, or that the model fails on, is left as it is. */
static enum status answer(
	struct batch *b, const struct model *model, const struct image_of *image, struct err *err)
{
	struct pre_labelling *p = b->p;
	struct span bytes;
	struct arena scratch;
	arena_init(&scratch);
	struct trial trial = {.model = model,
		.recipe = &model->recipe,
		.arena = &scratch,
		.seat_timeout_us = SEAT_TIMEOUT_US};
	enum status st = image->sha256
				 ? blob_get(p->blobs, image->sha256, IMAGE_BYTES_MAX, &scratch, &bytes, err)
				 : ST_MISSING;
	if (st == ST_OK)
		st = trial_run(&trial, bytes, err);
	if (st == ST_OK) {
		struct answer *out = &b->answers[b->count++];
		*out = (struct answer){image->asset_id,
			ARENA_ARRAY(&b->arena, struct labelled_shape, trial.shapes.count + 1), 0};
		for (size_t i = 0; i < trial.shapes.count; i++) {
			const struct shape *s = &trial.shapes.items[i];
			if ((double)s->score < p->threshold || (s->kind == SHAPE_CLASS && i > 0))
				continue; /* a picture has one class */
			out->shapes[out->count++] = labelled(s, &b->arena);
		}
	}
	trial_release(&trial);
	arena_release(&scratch);
	p->counts.images++;
	p->counts.failed += st != ST_OK;
	return st == ST_UNAVAILABLE ? st : ST_OK; /* the model's process cannot run at all */
}

/* ---- the job ---- */

static enum status read_images(
	struct pre_labelling *p, struct arena *a, struct image_of **items, size_t *count, struct err *err)
{
	struct db_conn *c;
	size_t room = 0;
	TRY(db_reader_take(p->readers, &c, err));
	struct db_query q = db_query(c, "SELECT asset.id, object.sha256 FROM asset JOIN data ON data.id = "
					"asset.data_id LEFT JOIN object"
					" ON object.name = data.object_name WHERE asset.dataset_version_id = "
					"$1 AND ($2 = 0 OR NOT EXISTS"
					" (SELECT 1 FROM annotation n WHERE n.asset_id = asset.id)) ORDER BY "
					"asset.created_us, asset.id");
	db_bind_uuid(&q, p->dataset.id);
	db_bind_integer(&q, p->only_unlabelled);
	*items = NULL;
	for (*count = 0; db_next(&q); ++*count) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct image_of){db_uuid(&q, 0), db_text(&q, 1, a)};
	}
	enum status st = db_done(&q, err);
	db_reader_give(p->readers, c);
	return st;
}

static enum status label_all(struct pre_labelling *p, const struct model *model,
	const struct image_of *images, size_t count, struct job *job, struct err *err)
{
	struct batch *b = calloc(1, sizeof(*b));
	CHECK(b != NULL);
	b->p = p;
	arena_init(&b->arena);
	enum status st = ST_OK;
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		if (job_cancelled(job)) {
			st = store_batch(b, err);
			if (st == ST_OK)
				st = err_set(err, ST_UNAVAILABLE, "It was cancelled after %zu of %zu images.",
					i, count);
			break;
		}
		st = answer(b, model, &images[i], err);
		if (st == ST_OK && (b->count == BATCH || i + 1 == count))
			st = store_batch(b, err);
		job_progress(job, (double)(i + 1) / (double)count,
			"%" PRId64 " shapes on %" PRId64 " of %zu images", p->counts.shapes,
			p->counts.annotated, count);
	}
	arena_release(&b->arena);
	free(b);
	return st;
}

static enum status run(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	struct pre_labelling *p = arg;
	struct image_of *images;
	struct model *model;
	size_t count;
	TRY(read_images(p, a, &images, &count, err));
	job_progress(job, 0, "opening the model");
	TRY(model_open_background(&p->version, p->model_name, p->blobs, &model, err));
	enum status st = label_all(p, model, images, count, job, err);
	model_drop(model);
	*result = arena_printf(a,
		"{\"images\":%" PRId64 ",\"annotated\":%" PRId64 ",\"shapes\":%" PRId64
		",\"labels_new\":%" PRId64 ",\"left_out\":%" PRId64 ",\"failed\":%" PRId64 "}",
		p->counts.images, p->counts.annotated, p->counts.shapes, p->counts.labels_new,
		p->counts.left_out, p->counts.failed);
	return st;
}

/* ---- start ---- */

static void release(void *arg)
{
	struct pre_labelling *p = arg;
	arena_release(&p->arena);
	free(p);
}

/* A name that the map has not is its own; null in it: those shapes are left out. */
static enum status read_names(struct pre_labelling *p, yyjson_val *map, struct err *err)
{
	struct recipe recipe;
	const char **labels;
	uint32_t count;
	struct arena *a = &p->arena;
	TRY(model_version_read(&p->version, a, &recipe, &labels, &count, err));
	p->label_count = recipe_label_count(&recipe) > count ? recipe_label_count(&recipe) : count;
	p->names = ARENA_ARRAY(a, const char *, p->label_count + 1);
	for (uint32_t i = 0; i < p->label_count; i++) {
		const char *name = model_label((const char *const *)labels, count, (int32_t)i, a);
		yyjson_val *other = map ? yyjson_obj_get(map, name) : NULL;
		p->names[i] = other == NULL ? name : arena_strdup(a, yyjson_get_str(other));
	}
	return ST_OK;
}

static enum status prepare(struct pre_labelling *p, const struct pre_label *request, struct err *err)
{
	const struct model_version_row *v = request->version;
	const struct dataset_version_row *d = request->dataset;
	if (strcmp(v->state, "READY") != 0)
		return err_set(err, ST_CONFLICT, "Version %" PRId64 " of model %s cannot run: %s", v->version,
			request->model_name, v->state_text ? v->state_text : "it has no ONNX file yet.");
	if (strcmp(d->type, "NOT_CONFIGURED") != 0 && strcmp(d->type, v->type) != 0)
		return err_set(err, ST_CONFLICT,
			"The dataset version is of type %s, and version %" PRId64 " of model %s answers %s.",
			d->type, v->version, request->model_name, v->type);
	if (d->locked_us)
		return err_set(err, ST_LOCKED,
			"The dataset version %s is locked; fork it to label its images.", d->version);
	p->version = model_version_kept(v, &p->arena);
	p->dataset.id = d->id;
	p->model_name = arena_strdup(&p->arena, request->model_name);
	p->who = arena_printf(&p->arena, "gyre: %s v%" PRId64, p->model_name, v->version);
	p->threshold = request->threshold;
	p->only_unlabelled = request->only_unlabelled;
	p->make_labels = request->make_labels;
	return read_names(p, request->label_map, err);
}

enum status pre_label_start(struct jobs *jobs, struct db_readers *readers, struct recorder *recorder,
	struct blob *blobs, const struct pre_label *request, struct arena *a, struct job_row *job,
	struct err *err)
{
	struct pre_labelling *p = calloc(1, sizeof(*p));
	CHECK(p != NULL);
	arena_init(&p->arena);
	p->readers = readers;
	p->recorder = recorder;
	p->blobs = blobs;
	enum status st = prepare(p, request, err);
	const struct job_work work = {.kind = "pre_label",
		.object_id = request->dataset->id,
		.who = request->who,
		.run = run,
		.arg = p,
		.release = release};
	if (st == ST_OK)
		st = jobs_start(jobs, &work, a, job, err);
	if (st != ST_OK)
		release(p);
	return st;
}
