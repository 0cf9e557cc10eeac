/* SPDX-License-Identifier: Apache-2.0 */
/* → JSON. The first answer of a key and its repetition are printed by the same code, from the recorded row.
 */
#include "base/check.h"
#include "os/clock.h"
#include "serve/run.h"
#include "task/shown.h"

/* null: there is none */
static void add_id(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, struct uuid id)
{
	char text[UUID_TEXT_SIZE];
	if (uuid_is_zero(id)) {
		yyjson_mut_obj_add_null(doc, object, key);
		return;
	}
	uuid_format(id, text);
	yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static void add_polygon(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct shape *shape)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, object, "polygon");
	for (uint32_t i = 0; i < shape->point_count; i++) {
		yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, list);
		yyjson_mut_arr_add_real(doc, point, shown_pixel(shape->points[2 * i]));
		yyjson_mut_arr_add_real(doc, point, shown_pixel(shape->points[2 * i + 1]));
	}
}

static void add_shape(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct shape *shape, const char *label)
{
	static const char *const kinds[] = {"classification", "rectangle", "polygon"};
	yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, list);
	yyjson_mut_obj_add_str(doc, object, "type", kinds[shape->kind]);
	yyjson_mut_obj_add_str(doc, object, "label", label);
	yyjson_mut_obj_add_int(doc, object, "label_id", shape->label);
	yyjson_mut_obj_add_real(doc, object, "score", shown_score(shape->score));
	if (shape->kind == SHAPE_BOX) {
		const struct match_box box = shown_box(shape->box);
		yyjson_mut_obj_add_real(doc, object, "x", box.x);
		yyjson_mut_obj_add_real(doc, object, "y", box.y);
		yyjson_mut_obj_add_real(doc, object, "w", box.width);
		yyjson_mut_obj_add_real(doc, object, "h", box.height);
	} else if (shape->kind == SHAPE_POLYGON) {
		add_polygon(doc, object, shape);
	}
}

/* A classifier always answers with its best class; of the others those at the threshold. */
bool serve_shape_shown(const struct shapes *shapes, size_t i, double threshold)
{
	return shapes->items[i].score >= threshold || (i == 0 && shapes->items[i].kind == SHAPE_CLASS);
}

yyjson_mut_val *serve_shapes_json(yyjson_mut_doc *doc, const struct shapes *shapes, const char *const *labels,
	uint32_t label_count, double threshold, int64_t *hidden, struct arena *a)
{
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	*hidden = 0;
	for (size_t i = 0; i < shapes->count; i++) {
		if (serve_shape_shown(shapes, i, threshold))
			add_shape(doc, list, &shapes->items[i],
				model_label(labels, label_count, shapes->items[i].label, a));
		else
			++*hidden;
	}
	return list;
}

/* The same again in the form of the SDK's raw_predictions: parallel lists, boxes as [top, left, bottom,
 * right]. */
static void add_raw_predictions(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct shapes *shapes, double threshold)
{
	yyjson_mut_val *classes = yyjson_mut_obj_add_arr(doc, root, "detection_classes");
	yyjson_mut_val *scores = yyjson_mut_obj_add_arr(doc, root, "detection_scores");
	yyjson_mut_val *boxes = shapes->count && shapes->items[0].kind == SHAPE_CLASS
					? NULL
					: yyjson_mut_obj_add_arr(doc, root, "detection_boxes");
	for (size_t i = 0; i < shapes->count; i++) {
		const struct shape *shape = &shapes->items[i];
		if (!serve_shape_shown(shapes, i, threshold))
			continue;
		yyjson_mut_arr_add_int(doc, classes, shape->label);
		yyjson_mut_arr_add_real(doc, scores, shown_score(shape->score));
		if (boxes == NULL)
			continue;
		yyjson_mut_val *box = yyjson_mut_arr_add_arr(doc, boxes);
		yyjson_mut_arr_add_int(doc, box, (int64_t)(shape->box.y1 + 0.5f));
		yyjson_mut_arr_add_int(doc, box, (int64_t)(shape->box.x1 + 0.5f));
		yyjson_mut_arr_add_int(doc, box, (int64_t)(shape->box.y2 + 0.5f));
		yyjson_mut_arr_add_int(doc, box, (int64_t)(shape->box.x2 + 0.5f));
	}
}

void serve_add_shapes(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct shapes *shapes,
	const char *const *labels, uint32_t label_count, double threshold, struct arena *a)
{
	int64_t hidden;
	yyjson_mut_val *list = serve_shapes_json(doc, shapes, labels, label_count, threshold, &hidden, a);
	yyjson_mut_obj_add_val(doc, root, "shapes", list);
	yyjson_mut_obj_add_int(doc, root, "hidden", hidden);
	add_raw_predictions(doc, root, shapes, threshold);
}

/* In milliseconds. A repetition knows what was recorded, which is all but the recording itself. */
static enum status add_latency(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct run *run, struct err *err)
{
	struct arena *a = run->request->arena;
	const struct prediction_row *p = &run->row.prediction;
	yyjson_doc *recorded = NULL;
	int64_t total_us = 0;
	if (run->replayed)
		TRY(json_parse(span_of_text(p->steps_us), a, &recorded, err));
	yyjson_mut_obj_add_real(doc, root, "latency", (double)p->latency_us / 1e6);
	yyjson_mut_val *latency = yyjson_mut_obj_add_obj(doc, root, "latency_ms");
	for (enum step s = 0; s < (run->replayed ? STEP_RECORD : STEP_RESPOND); s++) {
		int64_t us = run->step_us[s];
		if (run->replayed)
			TRY(json_integer(yyjson_doc_get_root(recorded), step_name(s), &us, err));
		yyjson_mut_obj_add_real(doc, latency, step_name(s), (double)us / 1e3);
		total_us += us;
	}
	yyjson_mut_obj_add_real(
		doc, latency, "total", (double)(run->replayed ? total_us : run->total_us) / 1e3);
	return ST_OK;
}

/* The version that answered. */
struct answerer {
	const char *model_name;
	int64_t version;
	const char *const *labels;
	uint32_t label_count;
};

static enum status read_answerer(
	struct db_conn *c, struct uuid version_id, struct arena *a, struct answerer *out, struct err *err)
{
	struct model_version_row version;
	struct model_row model;
	const char **labels;
	TRY(model_rows_version_by_id(c, version_id, a, &version, err));
	TRY(model_rows_by_id(c, version.model_id, a, &model, err));
	TRY(model_labels(version.labels, a, &labels, &out->label_count, err));
	out->model_name = model.name;
	out->version = version.version;
	out->labels = (const char *const *)labels;
	return ST_OK;
}

/* The one in service, or (a repeated key after a swap) read again. */
static enum status find_answerer(struct run *run, struct answerer *out, struct err *err)
{
	const struct model *model = run->service->model;
	struct uuid version_id = run->row.prediction.model_version_id;
	if (model && uuid_equal(model->version_id, version_id)) {
		*out = (struct answerer){model->model_name, model->version,
			(const char *const *)model->labels, model->label_count};
		return ST_OK;
	}
	struct db_conn *c;
	TRY(db_reader_take(run->serve->options.readers, &c, err));
	enum status st = read_answerer(c, version_id, run->request->arena, out, err);
	db_reader_give(run->serve->options.readers, c);
	return st;
}

static void add_model(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct run *run, const struct answerer *answerer)
{
	add_id(doc, root, "model_version_id", run->row.prediction.model_version_id);
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "model");
	yyjson_mut_obj_add_strcpy(doc, object, "name", answerer->model_name);
	yyjson_mut_obj_add_int(doc, object, "version", answerer->version);
}

enum status serve_respond(struct run *run, struct err *err)
{
	struct arena *a = run->request->arena;
	const struct predicted_row *row = &run->row;
	double threshold = row->prediction.threshold;
	struct answerer answerer;
	TRY(find_answerer(run, &answerer, err));
	struct shapes *shapes = &run->prediction.shapes;
	if (run->replayed)
		TRY(shapes_unpack(row->prediction.shapes, a, shapes, err));

	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	if (run->request->monitor) {
		add_id(doc, root, "id", row->prediction.id);
		add_id(doc, root, "predicted_asset_id", row->prediction.predicted_asset_id);
		add_id(doc, root, "data_id", row->data_id);
	}
	if (run->seen)
		yyjson_mut_obj_add_bool(doc, root, "kept", !run->unkept);
	add_id(doc, root, "deployment_id", row->prediction.deployment_id);
	add_model(doc, root, run, &answerer);
	yyjson_mut_val *image = yyjson_mut_obj_add_obj(doc, root, "image");
	yyjson_mut_obj_add_str(doc, image, "filename", row->filename);
	yyjson_mut_obj_add_int(doc, image, "width", row->width);
	yyjson_mut_obj_add_int(doc, image, "height", row->height);
	yyjson_mut_obj_add_real(doc, root, "threshold", threshold);
	TRY(add_latency(doc, root, run, err));
	serve_add_shapes(doc, root, shapes, answerer.labels, answerer.label_count, threshold, a);
	run->answer = json_print(doc, a);
	return ST_OK;
}
