/* SPDX-License-Identifier: Apache-2.0 */
/* Where a prediction comes from: version, experiment, the dataset versions that it was trained on; and where
 * it went: reviews, and the dataset versions that these became part of. */
#include "api/api.h"
#include "api/nouns.h"
#include "learn/manifest.h"
#include "store/dataset_rows.h"
#include "store/deployment_rows.h"
#include "store/experiment_rows.h"
#include "store/feedback_rows.h"
#include "store/model_rows.h"
#include "store/object_rows.h"
#include "store/prediction_rows.h"
#include "store/project_rows.h"
#include "store/review_rows.h"

struct lineage {
	struct db_conn *c;
	struct arena *arena;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root;
};

static enum status add_prediction(struct lineage *l, const struct predicted_row *row, struct err *err)
{
	struct deployment_row deployment;
	struct object_row object;
	TRY(deployment_rows_by_id(l->c, row->prediction.deployment_id, l->arena, &deployment, err));
	TRY(object_rows_by_name(l->c, row->object_name, l->arena, &object, err));
	yyjson_mut_val *p = yyjson_mut_obj_add_obj(l->doc, l->root, "prediction");
	api_add_id(l->doc, p, "id", row->prediction.id);
	api_add_id(l->doc, p, "predicted_asset_id", row->prediction.predicted_asset_id);
	yyjson_mut_obj_add_bool(l->doc, p, "is_shadow", row->prediction.is_shadow);
	yyjson_mut_obj_add_int(l->doc, p, "shapes", row->prediction.shape_count);
	api_add_time(l->doc, p, "created_at", row->prediction.created_us);
	yyjson_mut_val *d = yyjson_mut_obj_add_obj(l->doc, l->root, "deployment");
	api_add_id(l->doc, d, "id", deployment.id);
	api_add_text(l->doc, d, "name", deployment.name);
	yyjson_mut_val *i = yyjson_mut_obj_add_obj(l->doc, l->root, "image");
	api_add_id(l->doc, i, "data_id", row->data_id);
	api_add_text(l->doc, i, "filename", row->filename);
	api_add_text(l->doc, i, "sha256", object.sha256);
	return ST_OK;
}

/* One dataset version, with what it is now. pinned: its revision when it was used; below 0: not pinned. */
static enum status add_version(
	struct lineage *l, yyjson_mut_val *item, struct uuid id, int64_t pinned, struct err *err)
{
	struct dataset_version_row row;
	struct manifest manifest;
	TRY(dataset_version_rows_by_id(l->c, id, l->arena, &row, err));
	TRY(manifest_read(l->c, id, l->arena, &manifest, err));
	api_add_id(l->doc, item, "dataset_version_id", row.id);
	api_add_text(l->doc, item, "dataset", row.dataset_name);
	api_add_text(l->doc, item, "version", row.version);
	yyjson_mut_obj_add_int(l->doc, item, "revision", pinned >= 0 ? pinned : manifest.revision);
	yyjson_mut_obj_add_int(l->doc, item, "revision_now", manifest.revision);
	yyjson_mut_obj_add_strcpy(l->doc, item, "hash_now", manifest.hash);
	yyjson_mut_obj_add_int(l->doc, item, "images_now", (int64_t)manifest.count);
	return ST_OK;
}

static enum status add_experiment(struct lineage *l, struct uuid id, struct err *err)
{
	struct experiment_row row;
	struct project_row project;
	struct experiment_dataset_row *datasets;
	size_t count;
	if (uuid_is_zero(id)) {
		yyjson_mut_obj_add_null(l->doc, l->root, "experiment");
		yyjson_mut_obj_add_arr(l->doc, l->root, "trained_on");
		return ST_OK;
	}
	TRY(experiment_rows_by_id(l->c, id, l->arena, &row, err));
	TRY(project_rows_by_id(l->c, row.project_id, l->arena, &project, err));
	TRY(experiment_rows_datasets(l->c, id, l->arena, &datasets, &count, err));
	yyjson_mut_val *e = yyjson_mut_obj_add_obj(l->doc, l->root, "experiment");
	api_add_id(l->doc, e, "id", id);
	api_add_text(l->doc, e, "name", row.name);
	api_add_text(l->doc, e, "project", project.name);
	api_add_id(l->doc, e, "base_model_version_id", row.base_model_version_id);
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(l->doc, l->root, "trained_on");
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(l->doc, list);
		api_add_text(l->doc, item, "role", datasets[i].name);
		TRY(add_version(l, item, datasets[i].dataset_version_id, datasets[i].revision, err));
	}
	return ST_OK;
}

static enum status add_model(struct lineage *l, struct uuid version_id, struct err *err)
{
	struct model_version_row row;
	struct model_row model;
	TRY(model_rows_version_by_id(l->c, version_id, l->arena, &row, err));
	TRY(model_rows_by_id(l->c, row.model_id, l->arena, &model, err));
	yyjson_mut_val *v = yyjson_mut_obj_add_obj(l->doc, l->root, "model_version");
	api_add_id(l->doc, v, "id", row.id);
	api_add_text(l->doc, v, "model", model.name);
	yyjson_mut_obj_add_int(l->doc, v, "version", row.version);
	api_add_text(l->doc, v, "sha256", row.onnx_sha256);
	api_add_id(l->doc, v, "based_on_version_id", row.based_on_id);
	return add_experiment(l, row.experiment_id, err);
}

static enum status add_reviews(struct lineage *l, struct uuid predicted_asset_id, struct err *err)
{
	struct review_row *reviews;
	struct feedback_asset_row *assets;
	size_t review_count, asset_count;
	TRY(review_rows_of_asset(l->c, predicted_asset_id, l->arena, &reviews, &review_count, err));
	TRY(feedback_asset_rows_of_image(l->c, predicted_asset_id, l->arena, &assets, &asset_count, err));
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(l->doc, l->root, "reviews");
	for (size_t i = 0; i < review_count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(l->doc, list);
		api_add_text(l->doc, item, "kind", reviews[i].kind);
		api_add_text(l->doc, item, "who", reviews[i].who);
		api_add_time(l->doc, item, "created_at", reviews[i].created_us);
	}
	list = yyjson_mut_obj_add_arr(l->doc, l->root, "became_part_of");
	for (size_t i = 0; i < asset_count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(l->doc, list);
		api_add_id(l->doc, item, "asset_id", assets[i].asset_id);
		TRY(add_version(l, item, assets[i].dataset_version_id, -1, err));
	}
	return ST_OK;
}

enum status api_prediction_lineage(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct predicted_row row;
	struct uuid id;
	struct lineage l = {.arena = req->arena};
	TRY(api_id(req, "id", "prediction", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(prediction_rows_by_id(reader.conn, id, req->arena, &row, err));
	l.c = reader.conn;
	l.root = api_object(req, &l.doc);
	TRY(add_prediction(&l, &row, err));
	TRY(add_model(&l, row.prediction.model_version_id, err));
	TRY(add_reviews(&l, row.prediction.predicted_asset_id, err));
	return http_reply_json(req, reply, l.doc);
}
