/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Submission and withdrawal, each one transaction of the writer: a picture is in all dataset versions or in
 * none, and a second submission finds that it is not REVIEWED any more.
 */
#include "base/check.h"
#include "learn/burst.h"
#include "learn/feedback.h"
#include "store/annotation_json.h"
#include "store/burst_rows.h"

#include <string.h>

#define SECOND_US ((int64_t)1000000)

struct submit {
	struct db_conn *conn;
	struct feedback_submission *job;
	struct arena *arena; /* of the job */
	struct feedback f;
	bool touched[FEEDBACK_TARGETS_MAX];
};

static void add_problem(struct submit *s, struct uuid id, const char *text)
{
	CHECK(s->job->problem_count < FEEDBACK_AT_ONCE);
	s->job->problems[s->job->problem_count++] = (struct feedback_problem){id, text};
}

/* ---- which side ---- */

static enum status find_side(
	struct submit *s, const struct feedback_image *image, bool *evaluation, struct err *err)
{
	struct uuid burst_id = image->burst_id;
	if (uuid_is_zero(burst_id)) { /* it came in between: alone, as it is compared with nothing here */
		burst_id = image->id;
		TRY(burst_rows_put(s->conn, image->id, burst_id, err));
	}
	*evaluation = burst_is_evaluation(burst_id, s->f.row.evaluation_share);
	for (size_t i = 0; i < s->f.target_count && *evaluation; i++) {
		bool found, there = true; /* trained with already: too late to measure with it */
		TRY(burst_rows_side_of_bytes(
			s->conn, s->f.targets[i].version.id, image->data_id, &there, &found, err));
		*evaluation = there;
	}
	return burst_rows_side(s->conn, burst_id, evaluation, err);
}

/* ---- one picture in one dataset version ---- */

/* The review's shapes with the names they have there; those that are dropped are left out. */
static enum status read_shapes(struct submit *s, const struct feedback_image *image,
	struct annotation_shape_row **shapes, size_t *count, struct err *err)
{
	yyjson_doc *doc;
	size_t kept = 0;
	TRY(json_parse(span_of_text(image->shapes), s->arena, &doc, err));
	TRY(annotation_json_parse(yyjson_doc_get_root(doc), s->arena, shapes, count, err));
	for (size_t i = 0; i < *count; i++) {
		struct annotation_shape_row shape = (*shapes)[i];
		const char *name;
		bool make;
		if (feedback_label(&s->f, shape.label, &name, &make) == FEEDBACK_DROPPED)
			continue;
		shape.label = name;
		(*shapes)[kept++] = shape;
	}
	*count = kept;
	return ST_OK;
}

/* After those that are there already, also when the clock stands or was set back. */
static enum status time_after(
	struct submit *s, struct uuid asset_id, int64_t now_us, int64_t *out_us, struct err *err)
{
	struct annotation_row before;
	bool found;
	TRY(annotation_rows_newest(s->conn, asset_id, s->arena, &before, &found, err));
	*out_us = found && before.created_us >= now_us ? before.created_us + 1 : now_us;
	return ST_OK;
}

static enum status put_annotation(struct submit *s, const struct feedback_image *image,
	const struct feedback_target *target, struct uuid asset_id, struct uuid *annotation_id,
	struct err *err)
{
	struct annotation_row row = {.asset_id = asset_id,
		.status = "ACCEPTED",
		.revision = 1,
		.who = image->who,
		.duration = image->seconds > 0 ? image->seconds : 0};
	size_t made;
	TRY(read_shapes(s, image, &row.shapes, &row.shape_count, err));
	TRY(annotation_json_resolve(
		s->conn, target->version.id, true, row.shapes, row.shape_count, s->arena, &made, err));
	TRY(time_after(s, asset_id, s->job->now_us, &row.created_us, err));
	row.updated_us = row.created_us;
	row.id = *annotation_id = uuid_v7(row.created_us / 1000);
	return annotation_rows_insert(s->conn, &row, s->arena, err);
}

/* Bytes that the version has already stay on their side there. */
static enum status put_into(
	struct submit *s, const struct feedback_image *image, size_t at, bool evaluation, struct err *err)
{
	const struct feedback_target *target = &s->f.targets[at];
	struct asset_row asset = {.id = uuid_v7(s->job->now_us / 1000),
		.dataset_version_id = target->version.id,
		.evaluation = evaluation,
		.created_us = s->job->now_us,
		.data = {.id = image->data_id}};
	struct feedback_asset_row row = {.predicted_asset_id = image->id,
		.dataset_version_id = target->version.id,
		.review_id = image->review_id};
	bool found;
	TRY(burst_rows_side_of_bytes(
		s->conn, target->version.id, image->data_id, &asset.evaluation, &found, err));
	if (!s->touched[at])
		TRY(dataset_version_rows_touch(s->conn, target->version.id, err));
	s->touched[at] = true;
	TRY(asset_rows_insert(s->conn, &asset, &row.created_asset, err));
	row.asset_id = asset.id;
	TRY(put_annotation(s, image, target, asset.id, &row.annotation_id, err));
	return feedback_asset_rows_insert(s->conn, &row, err);
}

/* ---- one picture ---- */

static enum status put_everywhere(struct submit *s, const struct feedback_image *image, struct err *err)
{
	bool evaluation, changed;
	TRY(find_side(s, image, &evaluation, err));
	for (size_t i = 0; i < s->f.target_count; i++)
		TRY(put_into(s, image, i, evaluation, err));
	TRY(feedback_image_rows_set_submitted(
		s->conn, image->id, image->review_id, s->job->now_us, &changed, err));
	CHECK(changed); /* it was read in this transaction */
	s->job->done[s->job->submitted++] = image->id;
	return ST_OK;
}

/* Its review was taken back, or may be changed yet. */
static bool is_early(const struct submit *s, const struct feedback_image *image)
{
	int64_t after_us = s->f.row.submit_after_s * SECOND_US;
	return uuid_equal(image->withdrawn_id, image->review_id) ||
	       image->reviewed_us + after_us > s->job->now_us;
}

static enum status submit_one(struct submit *s, struct uuid id, struct err *err)
{
	struct feedback_image image;
	const char **labels;
	size_t waiting;
	bool found;
	TRY(feedback_image_rows_get(s->conn, id, s->arena, &image, &found, err));
	if (!found || !uuid_equal(image.deployment_id, s->job->deployment_id)) {
		add_problem(s, id, "This deployment has no such picture; it was deleted perhaps.");
		return ST_OK;
	}
	if (strcmp(image.status, "SUBMITTED") == 0) {
		s->job->already++;
		return ST_OK;
	}
	if (strcmp(image.status, "REVIEWED") != 0 || uuid_is_zero(image.review_id)) {
		add_problem(s, id,
			arena_printf(s->job->arena,
				"%.200s has no review that counts, so there is nothing to submit. Review it "
				"first.",
				image.filename));
		return ST_OK;
	}
	if (s->job->by_itself && is_early(s, &image))
		return ST_OK;
	TRY(feedback_waiting(&s->f, image.shapes, s->arena, &labels, &waiting, err));
	if (waiting > 0) {
		s->job->waiting++;
		return ST_OK;
	}
	return put_everywhere(s, &image, err);
}

static enum status submit_all(struct submit *s, struct err *err)
{
	struct feedback_submission *job = s->job;
	job->submitted = job->waiting = job->already = job->problem_count = 0;
	TRY(feedback_read(s->conn, job->deployment_id, s->arena, &s->f, err));
	TRY(feedback_open(&s->f, err));
	if (job->by_itself && !s->f.row.submit_by_itself)
		return ST_OK;
	CHECK(job->count <= FEEDBACK_AT_ONCE && s->f.target_count <= FEEDBACK_TARGETS_MAX);
	for (size_t i = 0; i < job->count; i++)
		TRY(submit_one(s, job->ids[i], err));
	return ST_OK;
}

enum status feedback_submit_job(struct db_conn *c, void *arg, struct err *err)
{
	struct arena a;
	arena_init(&a);
	struct submit s = {.conn = c, .job = arg, .arena = &a};
	enum status st = submit_all(&s, err);
	arena_release(&a);
	return st;
}

/* ---- the way back ---- */

/* Whether the annotation is as the submission left it. */
static enum status check_unchanged(struct db_conn *c, const struct feedback_asset_row *row,
	const struct dataset_version_row *version, struct arena *a, struct err *err)
{
	struct annotation_row newest;
	bool found;
	TRY(annotation_rows_newest(c, row->asset_id, a, &newest, &found, err));
	if (found && uuid_equal(newest.id, row->annotation_id) && newest.revision == 1)
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"Its annotation in version \"%.100s\" of dataset \"%.100s\" was changed after it was "
		"submitted, and withdrawing would lose that. Send \"force\": true to withdraw it all the "
		"same.",
		version->version, version->dataset_name);
}

/* The annotation is gone already where somebody deleted it. */
static enum status delete_annotation(struct db_conn *c, struct uuid id, struct err *err)
{
	enum status st = annotation_rows_delete(c, id, err);
	return st == ST_MISSING ? ST_OK : st;
}

static enum status take_from(
	struct db_conn *c, const struct feedback_asset_row *row, bool force, struct arena *a, struct err *err)
{
	struct dataset_version_row version;
	TRY(dataset_version_rows_by_id(c, row->dataset_version_id, a, &version, err));
	if (version.locked_us)
		return err_set(err, ST_LOCKED,
			"It is in version \"%.100s\" of dataset \"%.100s\", which is locked: what was locked "
			"stays as it is. Unlock the version first.",
			version.version, version.dataset_name);
	if (!force)
		TRY(check_unchanged(c, row, &version, a, err));
	TRY(dataset_version_rows_touch(c, row->dataset_version_id, err));
	return row->created_asset ? asset_rows_delete(c, row->asset_id, err)
				  : delete_annotation(c, row->annotation_id, err);
}

static enum status withdraw(
	struct db_conn *c, struct feedback_withdrawal *w, struct arena *a, struct err *err)
{
	struct feedback_image image;
	struct feedback_asset_row *rows;
	size_t count;
	bool found;
	TRY(feedback_image_rows_get(c, w->id, a, &image, &found, err));
	if (!found)
		return err_set(err, ST_MISSING, "There is no such predicted image; it was deleted perhaps.");
	w->deployment_id = image.deployment_id;
	if (strcmp(image.status, "SUBMITTED") != 0)
		return err_set(err, ST_CONFLICT, "%.200s is not submitted, so there is nothing to withdraw.",
			image.filename);
	TRY(feedback_asset_rows_of_image(c, w->id, a, &rows, &count, err));
	for (size_t i = 0; i < count; i++)
		TRY(take_from(c, &rows[i], w->force, a, err));
	TRY(feedback_asset_rows_delete_of_image(c, w->id, err));
	return feedback_image_rows_set_withdrawn(c, w->id, err);
}

enum status feedback_withdraw_job(struct db_conn *c, void *arg, struct err *err)
{
	struct arena a;
	arena_init(&a);
	enum status st = withdraw(c, arg, &a, err);
	arena_release(&a);
	return st;
}
