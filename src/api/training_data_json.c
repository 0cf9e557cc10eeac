/* SPDX-License-Identifier: Apache-2.0 */
#include "api/training_data_json.h"

#include "api/dataset_json.h"
#include "jobs/jobs.h"
#include "stats/sequential.h"
#include "watch/drift.h"
#include "watch/reference.h"
#include "watch/reference_job.h"

#include <inttypes.h>
#include <string.h>

/* ---- what there is ---- */

/* Images of production are waited for without a job. */
static enum status read_waiting(
	struct http_request *req, struct db_conn *c, struct training_data *t, struct err *err)
{
	int64_t seen;
	struct uuid version = t->deployment.serving ? (struct uuid){{0}} : t->deployment.champion_id;
	t->status = "RUNNING";
	t->message = "It starts when the jobs before it are done.";
	if (strcmp(t->row.kind, "PRODUCTION") != 0) {
		if (uuid_is_zero(t->row.dataset_version_id)) {
			t->status = "FAILED";
			t->message = "The dataset version was deleted: choose another one.";
		}
		return ST_OK;
	}
	TRY(training_data_rows_seen(c, &t->row, version, &seen, err));
	t->progress = (double)seen / (double)t->row.images_max;
	t->message = arena_printf(
		req->arena, "%" PRId64 " of %" PRId64 " images seen so far", seen, t->row.images_max);
	return ST_OK;
}

/* The job knows better than the row how far it is. */
static void read_running(struct http_request *req, struct training_data *t)
{
	struct job_row job;
	struct err ended;
	t->status = "RUNNING";
	t->message = "It starts when the jobs before it are done.";
	if (uuid_is_zero(t->reference.job_id) ||
		jobs_get(api_of(req)->jobs, t->reference.job_id, req->arena, &job, &ended) != ST_OK)
		return;
	t->progress = job.progress;
	if (job.message && *job.message)
		t->message = job.message;
}

static enum status read_reference(
	struct http_request *req, struct db_conn *c, struct training_data *t, struct err *err)
{
	struct reference_row ready;
	TRY(reference_rows_current(c, t->deployment.id, false, req->arena, &ready, &t->ready, err));
	TRY(reference_rows_current(
		c, t->deployment.id, true, req->arena, &t->reference, &t->has_reference, err));
	if (!t->has_reference)
		return read_waiting(req, c, t, err);
	if (strcmp(t->reference.status, "RUNNING") == 0) {
		read_running(req, t);
		return ST_OK;
	}
	bool failed = strcmp(t->reference.status, "FAILED") == 0;
	t->status = failed ? "FAILED" : "SUCCESS";
	t->message = failed ? t->reference.error : NULL;
	t->progress = failed ? 0 : 1;
	return ST_OK;
}

enum status training_data_read(struct http_request *req, struct db_conn *c, struct uuid deployment_id,
	struct training_data *out, struct err *err)
{
	*out = (struct training_data){.status = "NOT_SET"};
	TRY(deployment_rows_by_id(c, deployment_id, req->arena, &out->deployment, err));
	TRY(training_data_rows_get(c, deployment_id, req->arena, &out->row, &out->set, err));
	if (!out->set)
		return ST_OK;
	if (!out->row.active) {
		out->status = "DISABLED";
		return ST_OK;
	}
	return read_reference(req, c, out, err);
}

/* ---- as JSON ---- */

static enum status add_version(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	yyjson_mut_val *root, const struct training_data *t, struct err *err)
{
	struct dataset_version_row version;
	yyjson_mut_val *value = NULL;
	if (t->set && !uuid_is_zero(t->row.dataset_version_id)) {
		TRY(dataset_version_rows_by_id(c, t->row.dataset_version_id, req->arena, &version, err));
		TRY(dataset_version_json(req, c, doc, &version, &value, err));
	}
	yyjson_mut_obj_add_val(doc, root, "dataset_version", value ? value : yyjson_mut_null(doc));
	bool changed = value && t->has_reference && t->reference.revision &&
		       version.revision != t->reference.revision;
	yyjson_mut_obj_add_bool(doc, root, "changed_since", changed);
	return ST_OK;
}

static bool has_feature(const struct training_data *t, enum task task, enum feature f)
{
	return feature_is_of(f, task) && (t->reference.predicted || feature_kind_of(f) == FEATURE_OF_IMAGE);
}

/* The smallest distance that the panel's window of 200 images would show, of each feature. What comes after
 * the outlier score has only the images that calibrate. */
static void add_sees(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct training_data *t)
{
	enum task task = TASK_DETECTION;
	size_t features = 0, n = (size_t)t->reference.images;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "sees");
	task_parse(t->deployment.type, &task);
	for (int f = 0; f < FEATURE_COUNT; f++)
		features += has_feature(t, task, (enum feature)f);
	double all = drift_critical(n, DRIFT_IMAGES_DEFAULT, features);
	double half = drift_critical(n / 2, DRIFT_IMAGES_DEFAULT, features);
	for (int f = 0; f < FEATURE_COUNT; f++) {
		if (!has_feature(t, task, (enum feature)f))
			continue;
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_str(doc, item, "feature", feature_name((enum feature)f));
		yyjson_mut_obj_add_str(doc, item, "title", feature_title((enum feature)f));
		yyjson_mut_obj_add_real(doc, item, "d", f >= FEATURE_OUTLIER ? half : all);
	}
}

static enum status add_features(yyjson_mut_doc *doc, yyjson_mut_val *object, struct db_conn *c,
	const struct reference_row *r, struct err *err)
{
	bool features;
	TRY(reference_rows_has_features(c, r->id, &features, err));
	yyjson_mut_obj_add_bool(doc, object, "features", features);
	const char *reason =
		features       ? NULL
		: r->predicted ? "The model's own features are not known: its graph has no layer that can "
				 "be read, or it ran elsewhere."
			       : "The model runs elsewhere: its features never reach this server.";
	api_add_text(doc, object, "features_reason", reason);
	return ST_OK;
}

static enum status add_reference(struct db_conn *c, yyjson_mut_doc *doc, yyjson_mut_val *root,
	const struct training_data *t, struct err *err)
{
	static const struct reference_row none = {.status = "RUNNING"};
	const struct reference_row *r = t->has_reference ? &t->reference : &none;
	bool ready = strcmp(r->status, "READY") == 0;
	if (!t->set || !t->row.active) {
		yyjson_mut_obj_add_null(doc, root, "reference");
		return ST_OK;
	}
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "reference");
	api_add_id(doc, object, "id", r->id);
	api_add_text(doc, object, "status", strcmp(t->status, "SUCCESS") == 0 ? "READY" : t->status);
	yyjson_mut_obj_add_real(doc, object, "progress", t->progress);
	api_add_text(doc, object, "message", t->message);
	api_add_text(doc, object, "error", strcmp(t->status, "FAILED") == 0 ? t->message : NULL);
	yyjson_mut_obj_add_int(doc, object, "images", r->images);
	yyjson_mut_obj_add_bool(doc, object, "held_out", r->held_out);
	yyjson_mut_obj_add_bool(doc, object, "small", ready && r->images < REFERENCE_SMALL);
	yyjson_mut_obj_add_bool(doc, object, "predicted", r->predicted);
	api_add_text(doc, object, "note", r->note);
	api_add_time(doc, object, "ready_at", r->ready_us);
	yyjson_mut_obj_add_int(doc, object, "revision", r->revision);
	api_add_id(doc, object, "model_version_id", r->model_version_id);
	api_add_id(doc, object, "job_id", r->job_id);
	yyjson_mut_obj_add_bool(doc, object, "in_use", t->ready);
	if (!ready) {
		yyjson_mut_obj_add_bool(doc, object, "features", false);
		yyjson_mut_obj_add_null(doc, object, "features_reason");
		yyjson_mut_obj_add_null(doc, object, "tolerance");
		yyjson_mut_obj_add_arr(doc, object, "sees");
		return ST_OK;
	}
	yyjson_mut_obj_add_real(doc, object, "tolerance", sequential_tolerance((uint64_t)r->images));
	add_sees(doc, object, t);
	return add_features(doc, object, c, r, err);
}

static enum status add_suggestion(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	yyjson_mut_val *root, const struct training_data *t, struct err *err)
{
	struct uuid id;
	const char *name;
	TRY(training_data_rows_suggest(
		c, t->deployment.champion_id, REFERENCE_EVALUATION_MIN, req->arena, &id, &name, err));
	if (uuid_is_zero(id) || (t->set && uuid_equal(id, t->row.dataset_version_id))) {
		yyjson_mut_obj_add_null(doc, root, "suggestion");
		return ST_OK;
	}
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "suggestion");
	api_add_id(doc, object, "dataset_version_id", id);
	api_add_text(doc, object, "why",
		arena_printf(req->arena, "The champion comes from the Experiment \"%.100s\", which has it.",
			name));
	return ST_OK;
}

enum status training_data_reply(
	struct http_request *req, struct http_reply *reply, struct uuid deployment_id, struct err *err)
{
	API_READER reader = {0};
	struct training_data t;
	yyjson_mut_doc *doc;
	TRY(api_read(req, &reader, err));
	TRY(training_data_read(req, reader.conn, deployment_id, &t, err));
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_obj_add_bool(doc, root, "set", t.set);
	yyjson_mut_obj_add_bool(doc, root, "active", t.set && t.row.active);
	api_add_text(doc, root, "status", t.status);
	api_add_text(doc, root, "kind", t.set ? t.row.kind : NULL);
	TRY(add_version(req, reader.conn, doc, root, &t, err));
	api_add_text(doc, root, "source", t.row.source);
	api_add_time(doc, root, "from", t.row.from_us);
	yyjson_mut_obj_add_int(doc, root, "images_max", t.row.images_max);
	api_add_time(doc, root, "set_at", t.row.set_us);
	api_add_text(doc, root, "set_by", t.row.set_by);
	TRY(add_reference(reader.conn, doc, root, &t, err));
	TRY(add_suggestion(req, reader.conn, doc, root, &t, err));
	return http_reply_json(req, reply, doc);
}
