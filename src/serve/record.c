/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image and prediction → durable. The image's bytes first (write, fsync, rename,
 * fsync of the folder: store/blob_file.c), by this request's own thread; then the
 * rows, in the writer's next group. A crash between leaves an image that no row
 * names, which is garbage but never a lie.
 */
#include "base/check.h"
#include "base/metrics.h"
#include "os/clock.h"
#include "os/log.h"
#include "serve/run.h"
#include "store/data_rows.h"
#include "store/data_source_rows.h"
#include "store/gone_rows.h"
#include "store/object_rows.h"
#include "store/tag_rows.h"

struct record {
	struct run *run;
	char sha256[SHA256_HEX_SIZE];
};

/* Tags come by name; a new name makes a new tag of the datalake. */
static enum status attach_tag(
	struct db_conn *c, const char *name, const struct data_row *data, struct arena *a, struct err *err)
{
	struct tag_row tag;
	bool attached;
	enum status st = tag_rows_by_name(c, data->datalake_id, "DATA", name, a, &tag, err);
	if (st == ST_MISSING) {
		tag = (struct tag_row){
			.id = uuid_v7(data->created_us / 1000),
			.name = name,
			.target_type = "DATA",
			.scope_id = data->datalake_id,
			.created_us = data->created_us,
		};
		st = tag_rows_insert(c, &tag, err);
	}
	TRY(st);
	return tag_rows_attach(c, &tag, data->id, &attached, err);
}

/* What this deployment said of it before gives way, as long as nobody has worked on that. */
static enum status dismiss_earlier(
	struct db_conn *c, const struct run *run, const struct data_row *data, struct err *err)
{
	struct predicted_row earlier;
	struct arena *a = run->request->arena;
	bool existed;
	enum status st =
		prediction_rows_find_data(c, run->request->deployment_id, data->id, a, &earlier, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	if (run->seen && run->seen->is_new)
		return err_set(
			err, ST_CONFLICT, "This deployment has processed %.200s already.", data->filename);
	if (strcmp(earlier.asset_status, "TO REVIEW") != 0)
		return err_set(err, ST_CONFLICT,
			"This deployment has predicted on %.200s before, and somebody has reviewed that: "
			"delete "
			"the predicted image first.",
			data->filename);
	return prediction_rows_delete_asset(c, earlier.prediction.predicted_asset_id, &existed, err);
}

/* The data that a stored object is; *found false: it is none yet. */
static enum status find_data(struct db_conn *c, struct run *run, bool *found, struct err *err)
{
	struct arena *a = run->request->arena;
	struct rows_page page = {.limit = 1};
	struct data_row *data;
	size_t count;
	int64_t total;
	data_rows_choose(a, DATA_OBJECT_NAME, &run->request->object_name, 1, &page.filter);
	TRY(data_rows_list(c, run->service->row.datalake_id, &page, a, &data, &count, &total, err));
	*found = count > 0;
	if (!*found)
		return ST_OK;
	TRY(dismiss_earlier(c, run, data, err));
	run->row.data_id = data->id;
	run->row.filename = data->filename;
	for (size_t i = 0; i < run->request->tag_count; i++)
		TRY(attach_tag(c, run->request->tags[i], data, a, err));
	return ST_OK;
}

static enum status insert_data(struct db_conn *c, struct record *record, struct err *err)
{
	const struct run *run = record->run;
	const struct predicted_row *row = &run->row;
	int64_t now_us = row->prediction.created_us;
	struct object_row object = {
		.name = row->object_name,
		.sha256 = record->sha256,
		.content_type = row->content_type,
		.size_bytes = (int64_t)run->request->image.size,
		.created_us = now_us,
	};
	if (run->request->object_name == NULL)
		TRY(object_rows_insert(c, &object, err));
	struct uuid source_id;
	TRY(data_source_rows_get_or_create(c, row->source, now_us, &source_id, err));
	struct data_row data = {
		.id = row->data_id,
		.datalake_id = run->service->row.datalake_id,
		.source_id = source_id,
		.object_name = row->object_name,
		.filename = row->filename,
		.content_type = row->content_type,
		.width = row->width,
		.height = row->height,
		.metadata = row->metadata,
		.custom_metadata = row->custom_metadata,
		.created_us = now_us,
	};
	TRY(data_rows_insert(c, &data, err));
	for (size_t i = 0; i < run->request->tag_count; i++)
		TRY(attach_tag(c, run->request->tags[i], &data, run->request->arena, err));
	return ST_OK;
}

struct prediction_row serve_shadow_row(const struct prediction_row *champion, struct uuid shadow_version_id,
	const struct shapes *shapes, int64_t latency_us, struct arena *a)
{
	struct prediction_row row = *champion;
	row.position = 0;
	row.id = uuid_v7(clock_unix_ms());
	row.model_version_id = shadow_version_id;
	row.is_shadow = row.asked = true;
	row.latency_us = latency_us;
	row.cpu_us = 0;
	row.steps_us = arena_printf(a, "{\"infer\":%lld}", (long long)latency_us);
	row.shape_count = (int64_t)shapes->count;
	row.score_max = shapes->count ? (double)shapes->items[0].score : 0;
	row.shapes = shapes_pack(shapes, a);
	row.features = (struct span){0};
	return row;
}

/* Into the log, with its image or without. */
static enum status insert_prediction(
	struct db_conn *c, const struct run *run, const struct prediction_row *p, struct err *err)
{
	const struct predicted_row *row = &run->row;
	if (!run->unkept)
		return prediction_rows_insert(c, p, err);
	return gone_rows_insert(
		c, p, row->source, (uint32_t)row->width, (uint32_t)row->height, clock_unix_us(), err);
}

static enum status insert_shadow(struct db_conn *c, const struct run *run, struct err *err)
{
	const struct serve_observation *seen = run->seen;
	const struct prediction_row row = serve_shadow_row(&run->row.prediction, seen->shadow_version_id,
		&seen->shadow_shapes, seen->shadow_latency_us, run->request->arena);
	return insert_prediction(c, run, &row, err);
}

static enum status insert_image(struct db_conn *c, struct record *record, struct err *err)
{
	struct run *run = record->run;
	const struct prediction_row *p = &run->row.prediction;
	bool stored = false;
	if (run->request->object_name)
		TRY(find_data(c, run, &stored, err));
	if (!stored)
		TRY(insert_data(c, record, err));
	return prediction_rows_insert_asset(
		c, p->predicted_asset_id, p->deployment_id, run->row.data_id, p->created_us, err);
}

static enum status insert_all(struct db_conn *c, void *arg, struct err *err)
{
	struct record *record = arg;
	struct run *run = record->run;
	const struct prediction_row *p = &run->row.prediction;
	bool exists;
	TRY(deployment_rows_exists(c, p->deployment_id, &exists, err));
	if (!exists)
		return err_set(err, ST_MISSING, "The deployment was deleted while this prediction was made.");
	if (!run->unkept)
		TRY(insert_image(c, record, err));
	TRY(insert_prediction(c, run, p, err));
	if (run->seen && !uuid_is_zero(run->seen->shadow_version_id))
		TRY(insert_shadow(c, run, err));
	if (run->request->idempotency_key)
		TRY(prediction_rows_insert_key(c, p->deployment_id, run->request->idempotency_key,
			run->body_sha256, p->id, p->created_us, err));
	return ST_OK;
}

static const char *extension(enum image_format f)
{
	return f == IMAGE_JPEG ? "jpg" : f == IMAGE_PNG ? "png" : "webp";
}

static void fill_prediction(struct run *run)
{
	struct arena *a = run->request->arena;
	const struct prediction *p = &run->prediction;
	int64_t now_us = run->seen ? run->at_us : clock_unix_us();
	run->row.prediction = (struct prediction_row){
		.id = uuid_v7(now_us / 1000),
		.deployment_id = run->request->deployment_id,
		.predicted_asset_id = uuid_v7(now_us / 1000),
		.model_version_id = p->model ? p->model->version_id : run->service->row.champion_id,
		.created_us = now_us,
		.threshold = run->service->row.threshold,
		.latency_us = run->step_us[STEP_INFER],
		.cpu_us = p->cpu_us,
		.steps_us = serve_steps_json(run, a),
		.shape_count = (int64_t)p->shapes.count,
		.score_max = p->shapes.count ? (double)p->shapes.items[0].score : 0,
		.shapes = shapes_pack(&p->shapes, a),
		.features = span_of(p->features, p->features_size * sizeof(p->features[0])),
		.image_stats = image_stats_json(&p->stats, a),
		.image_sign = span_of(p->sign.luma, sizeof(p->sign.luma)),
	};
}

static void fill_row(struct run *run)
{
	struct arena *a = run->request->arena;
	const struct serve_request *request = run->request;
	const struct image_info *info = &run->prediction.info;
	fill_prediction(run);
	struct predicted_row *row = &run->row;
	row->data_id = uuid_v7(row->prediction.created_us / 1000);
	char data[UUID_TEXT_SIZE], deployment[UUID_TEXT_SIZE];
	uuid_format(row->data_id, data);
	uuid_format(request->deployment_id, deployment);
	row->object_name = request->object_name ? request->object_name
						: arena_printf(a, "serving/%s/%s.%s", deployment, data,
							  extension(info->format));
	row->filename = request->filename ? request->filename
					  : arena_printf(a, "%s.%s", data, extension(info->format));
	row->content_type = image_format_content_type(info->format);
	row->width = info->width;
	row->height = info->height;
	row->metadata = request->metadata;
	row->custom_metadata = request->custom_metadata;
	row->source = request->source ? request->source : "serving";
}

/* Two requests with one key at the same time: the second finds the first one's row and answers with it. err:
 * the conflict. */
static enum status answer_of_winner(struct run *run, struct err *err)
{
	struct err conflict = *err;
	TRY(serve_find_by_key(run, err));
	if (run->replayed)
		return ST_OK;
	*err = conflict; /* it was not about the key */
	return conflict.status;
}

/* The reason, with its paths, is for the log; the client learns what it means. */
static enum status image_not_stored(struct err *err)
{
	log_err("image_not_stored", err);
	return err_set(err, ST_UNAVAILABLE,
		"The image could not be written to the server's disk, which is full or failing; nothing was "
		"recorded. Try again later.");
}

/* Of images that come from elsewhere the deployment keeps a share: drawn by the id, so that it follows from
 * what is recorded. */
static bool is_kept(const struct run *run)
{
	double rate = run->service->row.sample_rate;
	if (run->seen == NULL || run->request->object_name || rate >= 1)
		return true;
	const uint8_t *random = run->row.prediction.id.bytes + 9; /* of a UUIDv7 */
	uint64_t drawn = 0;
	for (int i = 0; i < 6; i++)
		drawn = drawn << 8 | random[i];
	return (double)drawn < rate * (double)((uint64_t)1 << 48);
}

enum status serve_record(struct run *run, struct err *err)
{
	fill_row(run);
	if (!run->request->monitor)
		return ST_OK;
	const struct serve_options *o = &run->serve->options;
	struct record record = {.run = run};
	run->unkept = !is_kept(run);
	if (run->request->object_name)
		memcpy(record.sha256, run->request->sha256, sizeof(record.sha256));
	else if (!run->unkept && blob_put(o->blobs, run->request->image, record.sha256, err) != ST_OK)
		return image_not_stored(err);
	enum status st = recorder_run(o->recorder, insert_all, &record, err);
	if (st == ST_CONFLICT && run->request->idempotency_key)
		return answer_of_winner(run, err);
	TRY(st);
	metric_add(METRIC_PREDICTIONS, 1);
	tally_recorded(run->service->tally, run->row.prediction.created_us, run->row.prediction.latency_us);
	if (run->unkept)
		run->row.prediction.predicted_asset_id = run->row.data_id = (struct uuid){{0}};
	if (o->recorded) {
		size_t shown = 0;
		for (size_t i = 0; i < run->prediction.shapes.count; i++)
			shown += serve_shape_shown(&run->prediction.shapes, i, run->row.prediction.threshold);
		o->recorded(o->recorded_arg, &run->row.prediction, shown);
	}
	return ST_OK;
}
