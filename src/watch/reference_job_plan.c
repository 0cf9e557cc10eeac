/* SPDX-License-Identifier: Apache-2.0 */
/* Which images a reference is made of. */
#include "store/deployment_rows.h"
#include "store/dataset_rows.h"
#include "store/log_rows.h"
#include "store/prediction_rows.h"
#include "watch/reference.h"
#include "watch/reference_job_inside.h"

#include "base/check.h"

#include <string.h>

#define LOG_PAGE 500

/* ---- of a dataset version ---- */

/* Evaluation images alone when there are enough; they are what nothing was trained on. */
static void choose_images(struct reference_job *r, const struct training_image *images, size_t count)
{
	size_t evaluation = 0;
	for (size_t i = 0; i < count; i++)
		evaluation += images[i].evaluation;
	bool alone = evaluation >= REFERENCE_EVALUATION_MIN;
	r->row.held_out = r->row.held_out || alone;
	r->items = ARENA_ARRAY(&r->arena, struct reference_item, count + 1);
	for (size_t i = 0; i < count && r->count < (size_t)r->set.images_max; i++)
		if (images[i].evaluation || !alone)
			r->items[r->count++] = (struct reference_item){.asset_id = images[i].asset_id,
				.sha256 = images[i].sha256,
				.name = images[i].filename,
				.width = images[i].width,
				.height = images[i].height};
	r->limited = r->count < (alone ? evaluation : count);
	r->all = (int64_t)(alone ? evaluation : count);
}

static enum status plan_dataset(struct reference_job *r, struct db_conn *c, struct err *err)
{
	struct dataset_version_row version;
	struct training_image *images;
	size_t count;
	int64_t assets;
	bool known;
	TRY(dataset_version_rows_by_id(c, r->set.dataset_version_id, &r->arena, &version, err));
	TRY(training_data_rows_images(
		c, r->set.dataset_version_id, &r->arena, &images, &count, &assets, err));
	r->row.revision = version.revision;
	r->repeats = assets - (int64_t)count;
	/* By the Experiment that the champion comes from, if that knows the version; else by any. */
	TRY(training_data_rows_role(
		c, r->set.dataset_version_id, r->version.experiment_id, &known, &r->row.held_out, err));
	if (!known && !uuid_is_zero(r->version.experiment_id))
		TRY(training_data_rows_role(
			c, r->set.dataset_version_id, (struct uuid){{0}}, &known, &r->row.held_out, err));
	choose_images(r, images, count);
	return ST_OK;
}

/* ---- of the log ---- */

/* What the champion said of it, then or since as a shadow. */
static enum status find_answer(struct reference_job *r, struct db_conn *c, const struct log_row *row,
	struct reference_item *item, struct err *err)
{
	struct prediction_row answer;
	bool found = uuid_equal(row->version_id, r->version.id);
	if (found) {
		item->shapes = arena_copy(&r->arena, row->shapes);
		item->features = arena_copy(&r->arena, row->features);
		return ST_OK;
	}
	TRY(prediction_rows_of_version(
		c, row->predicted_asset_id, r->version.id, &r->arena, &answer, &found, err));
	if (found) {
		item->shapes = answer.shapes;
		item->features = answer.features;
		return ST_OK;
	}
	return training_data_rows_blob(c, row->predicted_asset_id, &r->arena, &item->sha256, err);
}

static bool is_wanted(const struct reference_job *r, const struct log_row *row, bool of_champion)
{
	return !row->is_shadow && row->created_us >= r->set.from_us &&
	       (r->set.source == NULL || strcmp(row->source, r->set.source) == 0) &&
	       (!of_champion || uuid_equal(row->version_id, r->version.id));
}

static enum status add_row(
	struct reference_job *r, struct db_conn *c, const struct log_row *row, struct err *err)
{
	struct reference_item *item = &r->items[r->count++];
	*item = (struct reference_item){.asset_id = row->predicted_asset_id,
		.image_stats = arena_strdup(&r->arena, row->image_stats),
		.width = row->width,
		.height = row->height};
	if (r->row.from_us == 0 || row->created_us < r->row.from_us)
		r->row.from_us = row->created_us;
	if (row->created_us > r->row.to_us)
		r->row.to_us = row->created_us;
	return find_answer(r, c, row, item, err);
}

/* Its rows are of one page; what is wanted of them outlives it. */
static enum status add_page(struct reference_job *r, struct db_conn *c, bool serving, int64_t *position,
	bool *more, struct err *err)
{
	struct arena page;
	struct log_row *rows;
	size_t count = 0;
	arena_init(&page);
	enum status st = log_rows_after(c, r->deployment_id, *position, LOG_PAGE, &page, &rows, &count, err);
	for (size_t i = 0; st == ST_OK && i < count && r->count < (size_t)r->set.images_max; i++) {
		*position = rows[i].position;
		if (is_wanted(r, &rows[i], !serving))
			st = add_row(r, c, &rows[i], err);
	}
	*more = count == LOG_PAGE && r->count < (size_t)r->set.images_max;
	arena_release(&page);
	return st;
}

/* The first in the order of the log. */
static enum status plan_production(struct reference_job *r, struct db_conn *c, bool serving, struct err *err)
{
	int64_t position = 0;
	r->row.held_out = true;
	r->items = ARENA_ARRAY(&r->arena, struct reference_item, (size_t)r->set.images_max + 1);
	for (bool more = true; more;)
		TRY(add_page(r, c, serving, &position, &more, err));
	r->all = (int64_t)r->count;
	return ST_OK;
}

/* ---- either ---- */

static enum status read_champion(
	struct reference_job *r, struct db_conn *c, const struct deployment_row *d, struct err *err)
{
	struct model_row model;
	TRY(model_rows_version_by_id(c, r->version_id, &r->arena, &r->version, err));
	TRY(model_rows_by_id(c, r->version.model_id, &r->arena, &model, err));
	r->model_name = model.name;
	CHECK(task_parse(d->type, &r->task));
	return ST_OK;
}

static enum status plan(struct reference_job *r, struct db_conn *c, struct err *err)
{
	struct deployment_row deployment;
	struct reference_row row;
	bool found;
	TRY(training_data_rows_get(c, r->deployment_id, &r->arena, &r->set, &found, err));
	if (found)
		TRY(reference_rows_of_version(
			c, r->deployment_id, r->version_id, true, &r->arena, &row, &found, err));
	if (!found || !r->set.active || !uuid_equal(row.id, r->reference_id))
		return err_set(err, ST_CONFLICT, "Training Data was changed before this began.");
	r->row = row;
	TRY(deployment_rows_by_id(c, r->deployment_id, &r->arena, &deployment, err));
	TRY(read_champion(r, c, &deployment, err));
	bool production = strcmp(r->set.kind, "PRODUCTION") == 0;
	/* What is predicted elsewhere is predicted there: the file that was stored here may be another. */
	r->row.predicted = deployment.serving || production;
	return production ? plan_production(r, c, deployment.serving, err) : plan_dataset(r, c, err);
}

enum status reference_plan(struct reference_job *r, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(r->world->readers, &c, err));
	enum status st = plan(r, c, err);
	db_reader_give(r->world->readers, c);
	return st;
}
