/* SPDX-License-Identifier: Apache-2.0 */
/* The work of a reference's job: image by image, by the steps that serve; then the outlier model of all. */
#include "base/check.h"
#include "base/json.h"
#include "base/str.h"
#include "deploy/model.h"
#include "os/clock.h"
#include "os/log.h"
#include "predict/predict.h"
#include "watch/reference.h"
#include "watch/reference_job_inside.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define BATCH 32                            /* images written at once */
#define IMAGE_BYTES_MAX ((size_t)256 << 20) /* more than any image that a deployment takes */
#define SEAT_US_MAX 60000000
#define NAMED_MAX 5          /* images that could not be used, by name */
#define FAILURES_MAX 5       /* one after another, of the model */
#define BUDGET_WAIT_US 20000 /* until pixels are asked for again */
#define PART_IMAGES 0.85     /* of the progress; the rest is looking back */
#define NOTE_MAX 4000
#define OUTLIER_IMAGES_MIN 198 /* 99 that calibrate: the rarest rank is then 1 of 100 */

/* ---- rows, in batches ---- */

struct batch {
	struct uuid reference_id;
	struct reference_image_row rows[BATCH];
	size_t count;
	struct arena arena; /* of their bytes */
};

static enum status insert_batch(struct db_conn *c, void *arg, struct err *err)
{
	const struct batch *b = arg;
	for (size_t i = 0; i < b->count; i++)
		TRY(reference_rows_insert_image(c, b->reference_id, &b->rows[i], err));
	return ST_OK;
}

static enum status flush(struct reference_job *r, struct batch *b, struct err *err)
{
	enum status st = b->count ? recorder_run(r->world->recorder, insert_batch, b, err) : ST_OK;
	b->count = 0;
	arena_release(&b->arena);
	return st;
}

/* Half of them calibrate: every second one of a dataset, whose order is that of hashes; of production, where
 * neighbours are alike, those of the second half of the time. */
static bool calibrates(const struct reference_job *r, size_t ordinal)
{
	return r->row.from_us ? ordinal >= r->count / 2 : ordinal % 2 == 1;
}

/* ---- one image ---- */

/* Pixels that are not free just now are waited for: nobody waits for this. */
static enum status decode(struct prediction *p, struct job *job, struct err *err)
{
	enum status st = predict_decode(p, err);
	while (st == ST_UNAVAILABLE && !job_cancelled(job)) {
		predict_release(p);
		usleep(BUDGET_WAIT_US);
		st = predict_decode(p, err);
	}
	return st;
}

static enum status predict(struct prediction *p, struct err *err)
{
	TRY(predict_seat(p, err));
	TRY(predict_preprocess(p, err));
	TRY(predict_infer(p, err));
	return predict_postprocess(p, err);
}

static void fill_row(const struct prediction *p, struct arena *a, struct reference_image_row *row)
{
	row->width = p->info.width;
	row->height = p->info.height;
	row->image_stats = image_stats_json(&p->stats, a);
	if (p->model == NULL)
		return;
	row->shapes = shapes_pack(&p->shapes, a);
	row->features = arena_copy(a, span_of(p->features, p->features_size * sizeof(p->features[0])));
}

enum outcome { USED, IMAGE_FAULT, MODEL_FAULT, STOPPED };

static enum outcome look(struct reference_job *r, const struct reference_item *item, struct model *model,
	struct job *job, struct batch *b, struct err *err)
{
	struct arena scratch;
	arena_init(&scratch);
	struct prediction p = {.model = model,
		.arena = &scratch,
		.pixel_budget = r->world->pixel_budget,
		.seat_deadline_us = clock_mono_us() + SEAT_US_MAX};
	enum outcome outcome = IMAGE_FAULT;
	enum status st = item->sha256 ? blob_get(r->world->blobs, item->sha256, IMAGE_BYTES_MAX, &scratch,
						&p.bytes, err)
				      : err_set(err, ST_MISSING, "its bytes were deleted");
	if (st == ST_OK)
		st = decode(&p, job, err);
	if (st == ST_OK && model) {
		st = predict(&p, err);
		outcome = MODEL_FAULT;
	}
	if (st == ST_OK) {
		fill_row(&p, &b->arena, &b->rows[b->count]);
		outcome = USED;
	}
	predict_release(&p);
	arena_release(&scratch);
	return job_cancelled(job) ? STOPPED : outcome;
}

/* What the log has of it needs no second look. */
static enum outcome take(struct reference_job *r, const struct reference_item *item, struct model *model,
	struct job *job, struct batch *b, struct err *err)
{
	struct reference_image_row *row = &b->rows[b->count];
	*row = (struct reference_image_row){.ordinal = (int64_t)r->images,
		.asset_id = item->asset_id,
		.width = item->width,
		.height = item->height,
		.calibration = calibrates(r, r->images)};
	if (item->image_stats == NULL || (item->shapes.data == NULL && model))
		return look(r, item, model, job, b, err);
	row->image_stats = item->image_stats;
	row->shapes = item->shapes;
	row->features = item->features;
	return USED;
}

static void name_skipped(struct reference_job *r, const struct reference_item *item, const char *why)
{
	char id[UUID_TEXT_SIZE];
	uuid_format(item->asset_id, id);
	if (r->skipped++ < NAMED_MAX)
		r->skipped_text =
			arena_printf(&r->arena, "%s%s%.100s (%.200s)", r->skipped_text ? r->skipped_text : "",
				r->skipped_text ? ", " : "", item->name ? item->name : id, why);
}

static enum status look_at_all(
	struct reference_job *r, struct model *model, struct job *job, struct batch *b, struct err *err)
{
	struct err why;
	unsigned failures = 0;
	for (size_t i = 0; i < r->count; i++) {
		enum outcome outcome = take(r, &r->items[i], model, job, b, &why);
		if (outcome == STOPPED)
			return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
		failures = outcome == MODEL_FAULT ? failures + 1 : 0;
		if (failures == FAILURES_MAX)
			return err_set(err, ST_FAILED, "The model fails on one image after another: %.300s",
				why.text);
		if (outcome == USED) {
			r->images++;
			r->with_features += b->rows[b->count++].features.size > 0;
		} else {
			name_skipped(r, &r->items[i], why.text);
		}
		if (b->count == BATCH)
			TRY(flush(r, b, err));
		job_progress(job, PART_IMAGES * (double)(i + 1) / (double)r->count, "%zu of %zu images",
			i + 1, r->count);
	}
	return flush(r, b, err);
}

/* ---- what is said of it ---- */

static void note_images(const struct reference_job *r, struct str *note)
{
	if (!r->row.held_out)
		str_printf(note,
			"These images may have been trained on, and a model is surer of what it knows: only "
			"features of the image itself raise alarms. For all of them, mark at least %d assets "
			"as evaluation images, or attach the version to its Experiment as test data. ",
			REFERENCE_EVALUATION_MIN);
	if (r->limited)
		str_printf(note, "%zu of %" PRId64 " images were drawn, by their hashes. ", r->count, r->all);
	if (r->repeats > 0)
		str_printf(note, "%" PRId64 " %s the very same picture as another, and counted once. ",
			r->repeats, r->repeats == 1 ? "asset is" : "assets are");
	if (r->skipped)
		str_printf(note, "%zu of %zu images could not be used: %s%s. ", r->skipped, r->count,
			r->skipped_text, r->skipped > NAMED_MAX ? ", and others" : "");
}

/* outlier_fault: why there is no outlier model, when there is none. */
static const char *note(const struct reference_job *r, const struct outlier_model *model,
	const char *outlier_fault, struct arena *a)
{
	struct str text;
	str_init(&text, NOTE_MAX);
	note_images(r, &text);
	if (!r->row.predicted)
		str_append(&text, "The model runs elsewhere, so what it says of these images is not known: "
				  "only their pixels are compared. For the rest, send the training images "
				  "through `monitor` with a source of their own, and then choose production "
				  "images of that source as Training Data. ");
	else if (r->with_features < r->images)
		str_append(&text, "The model's own features are not known: drift of what it sees cannot be "
				  "told, and outliers are found by pixels alone. ");
	if (model == NULL)
		str_printf(&text, "There is no outlier score: %.300s ", outlier_fault);
	else if (outlier_smallest_rank(model) > OUTLIER_RANK)
		str_printf(&text,
			"Outliers are ranked by %zu images, so that none can be called one in a hundred: "
			"that takes %d images of Training Data. ",
			outlier_calibration(model), OUTLIER_IMAGES_MIN);
	const char *out = arena_strdup(a, str_text(&text));
	size_t size = out ? strlen(out) : 0;
	str_release(&text);
	return size ? arena_strndup(a, out, size - 1) : NULL;
}

/* ---- all of it ---- */

struct ending {
	struct reference_row *row;
	struct span outlier;
};

static enum status write_ready(struct db_conn *c, void *arg, struct err *err)
{
	const struct ending *e = arg;
	return reference_rows_ready(c, e->row, e->outlier, err);
}

/* Few images, or all alike, have no outlier model: *model NULL, and why. */
static enum status fit(struct reference_job *r, struct arena *a, struct outlier_model **model,
	struct err *why, struct err *err)
{
	struct seen *seen;
	bool *calibration;
	size_t count;
	struct db_conn *c;
	TRY(db_reader_take(r->world->readers, &c, err));
	enum status st = reference_images(c, r->reference_id, a, &seen, &calibration, &count, err);
	db_reader_give(r->world->readers, c);
	TRY(st);
	if (outlier_fit(seen, calibration, count, a, model, why) != ST_OK)
		*model = NULL;
	return ST_OK;
}

static enum status finish(
	struct reference_job *r, struct arena *a, struct outlier_model **model, struct err *err)
{
	struct err why;
	if (r->images < REFERENCE_IMAGES_MIN)
		return err_set(err, ST_UNPROCESSABLE,
			"Training Data needs at least %d images that can be read; %zu of %zu can.%s%s",
			REFERENCE_IMAGES_MIN, r->images, r->count, r->skipped ? " Not read: " : "",
			r->skipped ? r->skipped_text : "");
	TRY(fit(r, a, model, &why, err));
	r->row.images = (int64_t)r->images;
	r->row.note = note(r, *model, why.text, a);
	r->row.ready_us = clock_unix_us();
	struct ending ending = {.row = &r->row};
	if (*model)
		ending.outlier = outlier_pack(*model, a);
	return recorder_run(r->world->recorder, write_ready, &ending, err);
}

static enum status measure(struct reference_job *r, struct job *job, struct err *err)
{
	struct model *model = NULL;
	struct batch batch = {.reference_id = r->reference_id};
	bool needed = false;
	for (size_t i = 0; i < r->count; i++)
		needed = needed || (r->row.predicted && r->items[i].shapes.data == NULL);
	if (needed) {
		job_progress(job, 0, "opening the model");
		TRY(model_open_background(&r->version, r->model_name, r->world->blobs, &model, err));
	}
	arena_init(&batch.arena);
	enum status st = look_at_all(r, model, job, &batch, err);
	arena_release(&batch.arena);
	if (model)
		model_drop(model);
	return st;
}

struct older {
	struct uuid id;
	bool done;
};

static enum status delete_older(struct db_conn *c, void *arg, struct err *err)
{
	struct older *o = arg;
	return reference_rows_delete(c, o->id, 500, &o->done, err);
}

/* References of the same model that this one replaces, in batches. */
static enum status clean(struct reference_job *r, struct err *err)
{
	struct db_conn *c;
	struct uuid *ids;
	size_t count = 0;
	TRY(db_reader_take(r->world->readers, &c, err));
	enum status st = reference_rows_older(c, &r->row, &r->arena, &ids, &count, err);
	db_reader_give(r->world->readers, c);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		for (struct older o = {.id = ids[i]}; st == ST_OK && !o.done;)
			st = recorder_run(r->world->recorder, delete_older, &o, err);
	return st;
}

static const char *result_json(const struct reference_job *r, size_t looked, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	char id[UUID_TEXT_SIZE];
	yyjson_mut_doc_set_root(doc, root);
	uuid_format(r->reference_id, id);
	yyjson_mut_obj_add_str(doc, root, "reference_id", id);
	yyjson_mut_obj_add_uint(doc, root, "images", r->images);
	yyjson_mut_obj_add_uint(doc, root, "skipped", r->skipped);
	yyjson_mut_obj_add_uint(doc, root, "looked_back", looked);
	return (const char *)json_print(doc, a).data;
}

struct end {
	struct uuid id;
	const char *error;
};

static enum status write_failed(struct db_conn *c, void *arg, struct err *err)
{
	const struct end *e = arg;
	return reference_rows_fail(c, e->id, e->error, err);
}

static enum status make(struct reference_job *r, struct job *job, struct arena *a,
	struct outlier_model **model, struct err *err)
{
	TRY(reference_plan(r, err));
	TRY(measure(r, job, err));
	return finish(r, a, model, err);
}

enum status reference_run(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	struct reference_job *r = arg;
	struct outlier_model *model = NULL;
	size_t looked = 0;
	atomic_store(&r->ran, true);
	enum status st = make(r, job, a, &model, err);
	if (st != ST_OK && !jobs_stopping(r->world->jobs)) {
		struct end end = {r->reference_id, err->text};
		struct err other;
		if (recorder_run(r->world->recorder, write_failed, &end, &other) != ST_OK)
			log_err("reference_not_failed", &other);
	}
	TRY(st);
	/* It is ready. What is still to do may be cut short. */
	if (model && r->world->watch)
		TRY(reference_look_back(r, model, job, &looked, err));
	TRY(clean(r, err));
	*result = result_json(r, looked, a);
	return ST_OK;
}
