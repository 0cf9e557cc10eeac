/* SPDX-License-Identifier: Apache-2.0 */
/* serve/pipeline.h with real models: what is answered is what is recorded, and what is refused is not. */
#include "serve/pipeline.h"

#include "base/metrics.h"
#include "engine/tap.h"
#include "serve_answers.h"
#include "store/object_rows.h"
#include "store/tag_rows.h"

#include <math.h>

/* ---- what is answered is what is recorded ---- */

static void shape_is(yyjson_val *json, const struct shape *shape, const char *label)
{
	assert_string_equal(text_at(json, "type"), "rectangle");
	assert_string_equal(text_at(json, "label"), label);
	assert_int_equal(number_at(json, "label_id"), shape->label);
	/* Hundredths of a pixel and ten-thousandths of a score, rounded. */
	assert_true(fabs(number_at(json, "score") - (double)shape->score) < 0.00005001);
	assert_true(fabs(number_at(json, "x") - (double)shape->box.x1) < 0.005001);
	assert_true(fabs(number_at(json, "y") - (double)shape->box.y1) < 0.005001);
	assert_true(fabs(number_at(json, "w") - (double)(shape->box.x2 - shape->box.x1)) < 0.005001);
	assert_true(fabs(number_at(json, "h") - (double)(shape->box.y2 - shape->box.y1)) < 0.005001);
}

static void steps_are(yyjson_val *answer, const struct prediction_row *row)
{
	yyjson_val *steps = parsed(span_of_text(row->steps_us)),
		   *latency = yyjson_obj_get(answer, "latency_ms");
	double sum = 0;
	for (enum step s = 0; s < STEP_RECORD; s++) {
		double us = number_at(steps, step_name(s));
		assert_true(us >= 0);
		assert_true(fabs(number_at(latency, step_name(s)) - us / 1e3) < 1e-6);
		sum += us / 1e3;
	}
	assert_int_equal(yyjson_obj_size(steps), STEP_RECORD);
	sum += number_at(latency, "record");
	/* The total is looked at between two steps. */
	assert_true(fabs(number_at(latency, "total") - sum) < 5);
	assert_int_equal(row->latency_us, number_at(steps, "infer"));
	assert_true(fabs(number_at(answer, "latency") - (double)row->latency_us / 1e6) < 1e-9);
	assert_true(row->cpu_us > 0);
}

static void raw_predictions_are(yyjson_val *answer, const struct shapes *shapes, size_t shown)
{
	yyjson_val *classes = yyjson_obj_get(answer, "detection_classes");
	yyjson_val *scores = yyjson_obj_get(answer, "detection_scores");
	yyjson_val *raw = yyjson_obj_get(answer, "detection_boxes");
	assert_int_equal(yyjson_arr_size(classes), shown);
	assert_int_equal(yyjson_arr_size(scores), shown);
	assert_int_equal(yyjson_arr_size(raw), shown);
	for (size_t i = 0; i < shown; i++) {
		const struct shape *shape = &shapes->items[i];
		const float sides[] = {shape->box.y1, shape->box.x1, shape->box.y2, shape->box.x2};
		yyjson_val *box = yyjson_arr_get(raw, i);
		assert_int_equal(yyjson_get_sint(yyjson_arr_get(classes, i)), shape->label);
		for (size_t k = 0; k < 4; k++)
			assert_true(
				fabs(yyjson_get_num(yyjson_arr_get(box, k)) - (double)sides[k]) <= 0.5001);
	}
}

/* Stored under that name, byte for byte. */
static void object_is(const char *name, struct span bytes)
{
	struct db_conn *c;
	struct object_row object;
	struct span stored;
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(object_rows_by_name(c, name, &w.arena, &object, WORLD_ERR));
	db_reader_give(w.readers, c);
	WORLD_OK(blob_get(w.blobs, object.sha256, 1 << 24, &w.arena, &stored, WORLD_ERR));
	assert_true(span_equal(stored, bytes));
	assert_int_equal(object.size_bytes, bytes.size);
}

static void test_an_answer_is_what_its_row_says(void **state)
{
	static const char *const labels[] = ENGINE_SAMPLE_LABELS;
	struct uuid version = world_add_sample(&w), id = world_deploy(&w, "line 1", version);
	struct span image = scene(128);
	int blobs = count_blobs();
	int64_t before_us = clock_unix_us(), recorded = metric_value(METRIC_PREDICTIONS);
	struct serve_request request = world_request(id, image, &w.arena);
	request.filename = "belt.png";
	request.source = "camera 1";
	request.metadata = "{\"shift\": 2}";
	yyjson_val *answer = predicted(&request);
	rows_are((struct rows){1, 1, 1, 1, 0, 0, 0, 1});

	struct predicted_row row = row_of(id_at(answer, "id"));
	const struct prediction_row *p = &row.prediction;
	IDS_EQUAL(p->deployment_id, id);
	IDS_EQUAL(p->deployment_id, id_at(answer, "deployment_id"));
	IDS_EQUAL(p->predicted_asset_id, id_at(answer, "predicted_asset_id"));
	IDS_EQUAL(p->model_version_id, version);
	IDS_EQUAL(p->model_version_id, id_at(answer, "model_version_id"));
	IDS_EQUAL(row.data_id, id_at(answer, "data_id"));
	assert_string_equal(text_at(yyjson_obj_get(answer, "model"), "name"), "finder");
	assert_int_equal(number_at(yyjson_obj_get(answer, "model"), "version"), 0);
	assert_false(p->is_shadow);
	assert_in_range(p->created_us, before_us, clock_unix_us());
	assert_true(p->threshold == 0.5);
	assert_true(number_at(answer, "threshold") == 0.5);
	assert_string_equal(row.asset_status, "TO REVIEW");
	steps_are(answer, p);

	struct shapes shapes;
	WORLD_OK(shapes_unpack(p->shapes, &w.arena, &shapes, WORLD_ERR));
	assert_int_equal(p->shape_count, shapes.count);
	assert_true(p->score_max == (double)shapes.items[0].score);
	yyjson_val *list = yyjson_obj_get(answer, "shapes");
	assert_int_equal(yyjson_arr_size(list), SURE);
	for (size_t i = 0; i < SURE; i++)
		shape_is(yyjson_arr_get(list, i), &shapes.items[i], labels[shapes.items[i].label]);
	assert_true(shapes.count > SURE); /* the speck is kept, and hidden */
	assert_true(shapes.items[SURE].score < 0.5F);
	assert_int_equal(number_at(answer, "hidden"), shapes.count - SURE);
	raw_predictions_are(answer, &shapes, SURE);

	yyjson_val *shown = yyjson_obj_get(answer, "image");
	assert_string_equal(text_at(shown, "filename"), "belt.png");
	assert_int_equal(number_at(shown, "width"), WIDTH);
	assert_int_equal(number_at(shown, "height"), HEIGHT);
	assert_string_equal(row.filename, "belt.png");
	assert_string_equal(row.content_type, "image/png");
	assert_string_equal(row.source, "camera 1");
	assert_string_equal(row.metadata, "{\"shift\": 2}");
	assert_null(row.custom_metadata);
	assert_int_equal(row.width, WIDTH);
	assert_int_equal(row.height, HEIGHT);

	assert_int_equal(count_blobs(), blobs + 1);
	object_is(row.object_name, image);
	assert_int_equal(w.told, 1);
	assert_int_equal(w.told_shapes, SURE);
	assert_int_equal(metric_value(METRIC_PREDICTIONS), recorded + 1);
	struct tally_summary t = totals(id);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.failed, 0);
	assert_int_equal(t.last_us, p->created_us);
	assert_true(t.mean_us == (double)p->latency_us);
}

/* End to end: the boxes that were drawn, in the image's own pixels. */
static void test_what_was_drawn_is_found_where_it_was_drawn(void **state)
{
	static const char *const labels[] = ENGINE_SAMPLE_LABELS;
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = world_request(id, scene(100), &w.arena);
	yyjson_val *list = yyjson_obj_get(predicted(&request), "shapes"), *json;
	bool found[SURE] = {0};
	size_t i, n;
	yyjson_arr_foreach (list, i, n, json) {
		float x = (float)number_at(json, "x"), y = (float)number_at(json, "y");
		struct box box = {x, y, x + (float)number_at(json, "w"), y + (float)number_at(json, "h")};
		for (size_t b = 0; b < SURE; b++) {
			struct box drawn = {(float)boxes[b].x, (float)boxes[b].y,
				(float)(boxes[b].x + boxes[b].width), (float)(boxes[b].y + boxes[b].height)};
			bool same = strcmp(text_at(json, "label"), labels[boxes[b].colour]) == 0;
			found[b] |= same && box_iou(box, drawn) > 0.9F;
		}
	}
	for (size_t b = 0; b < SURE; b++)
		assert_true(found[b]);
}

static void test_a_threshold_only_moves_what_is_shown(void **state)
{
	static const double thresholds[] = {0.02, 0.5, 0.9999};
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct span image = scene(128), packed = {0};
	for (size_t i = 0; i < COUNT_OF(thresholds); i++) {
		world_change(&w, (struct world_change){.id = id, .threshold = thresholds[i]}, NULL);
		struct serve_request request = world_request(id, image, &w.arena);
		yyjson_val *answer = predicted(&request);
		struct predicted_row row = row_of(id_at(answer, "id"));
		struct shapes shapes;
		size_t shown = 0;
		WORLD_OK(shapes_unpack(row.prediction.shapes, &w.arena, &shapes, WORLD_ERR));
		for (size_t k = 0; k < shapes.count; k++)
			shown += (double)shapes.items[k].score >= thresholds[i];
		assert_true(row.prediction.threshold == thresholds[i]);
		assert_int_equal(yyjson_arr_size(yyjson_obj_get(answer, "shapes")), shown);
		assert_int_equal(number_at(answer, "hidden"), shapes.count - shown);
		assert_int_equal(w.told_shapes, shown);
		if (i > 0)
			assert_true(
				span_equal(packed, row.prediction.shapes)); /* all that was seen, always */
		packed = row.prediction.shapes;
	}
}

static void test_names_that_were_not_given_are_made(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = world_request(id, scene(128), &w.arena);
	struct predicted_row row = row_of(id_at(predicted(&request), "id"));
	char data[UUID_TEXT_SIZE], deployment[UUID_TEXT_SIZE];
	uuid_format(row.data_id, data);
	uuid_format(id, deployment);
	assert_string_equal(row.filename, arena_printf(&w.arena, "%s.png", data));
	assert_string_equal(row.object_name, arena_printf(&w.arena, "serving/%s/%s.png", deployment, data));
	assert_string_equal(row.source, "serving");
	/* The same bytes again: another image of the log, the same blob. */
	int blobs = count_blobs();
	predicted(&request);
	rows_are((struct rows){2, 2, 2, 2, 0, 0, 0, 1});
	assert_int_equal(count_blobs(), blobs);
}

/* As many features as the version says, of each kind of model; none where the tap was turned off. */
static void test_features_have_the_size_that_the_model_says(void **state)
{
	struct world_version classifier = world_classifier(&w), without = classifier;
	without.recipe = "{\"features_output\": \"\"}";
	const struct uuid versions[] = {
		world_add_sample(&w), world_add_version(&w, &classifier), world_add_version(&w, &without)};
	static const char *const names[] = {"detector", "classifier", "without"};
	for (size_t i = 0; i < COUNT_OF(versions); i++) {
		struct uuid id = world_deploy(&w, names[i], versions[i]);
		struct service *s = world_pin(&w, id);
		unsigned size = s->model->description.features_size;
		service_drop(s);
		struct span grey = world_draw(&w.arena, WIDTH, HEIGHT, 128, NULL, 0);
		struct serve_request request = world_request(id, grey, &w.arena);
		struct predicted_row row = row_of(id_at(predicted(&request), "id"));
		assert_int_equal(row.prediction.features.size, 2 * size);
		assert_true(i == 0 ? size > 0 : i == 1 ? size == 16 : size == 0);
		for (unsigned k = 0; k < size; k++) {
			uint16_t half;
			memcpy(&half, row.prediction.features.data + 2 * k, 2);
			/* The classifier's: k + 1 times the mean of a plane. */
			float expected = (float)(k + 1) * 128 / 255;
			assert_true(i == 0 ? isfinite(tap_float(half))
					   : fabsf(tap_float(half) / expected - 1) < 0.002F);
		}
	}
}

/* ---- classification ---- */

static yyjson_val *classified(struct uuid id, uint8_t shade)
{
	struct serve_request request =
		world_request(id, world_draw(&w.arena, 20, 30, shade, NULL, 0), &w.arena);
	return predicted(&request);
}

static void test_a_classifier_answers_with_its_best_class_whatever_the_threshold(void **state)
{
	struct world_version classifier = world_classifier(&w);
	struct uuid id = world_deploy(&w, "sorter", world_add_version(&w, &classifier));
	const double odd = 1 / (1 + exp(-8 * 51 / 255.0)), even = 1 - odd; /* of grey 51 */
	const struct {
		double threshold;
		size_t shown;
	} turns[] = {{0.95, 1}, {0.5, 1}, {0.1, 2}};
	for (size_t i = 0; i < COUNT_OF(turns); i++) {
		world_change(&w, (struct world_change){.id = id, .threshold = turns[i].threshold}, NULL);
		yyjson_val *answer = classified(id, 51), *list = yyjson_obj_get(answer, "shapes");
		assert_int_equal(yyjson_arr_size(list), turns[i].shown);
		assert_int_equal(number_at(answer, "hidden"), 2 - turns[i].shown);
		yyjson_val *best = yyjson_arr_get(list, 0);
		assert_string_equal(text_at(best, "type"), "classification");
		assert_string_equal(text_at(best, "label"), "odd");
		assert_int_equal(number_at(best, "label_id"), 1);
		assert_true(fabs(number_at(best, "score") - odd) < 0.001);
		if (turns[i].shown == 2)
			assert_true(fabs(number_at(yyjson_arr_get(list, 1), "score") - even) < 0.001);
		assert_null(yyjson_obj_get(best, "x"));
		assert_null(yyjson_obj_get(answer, "detection_boxes"));
		assert_int_equal(
			yyjson_arr_size(yyjson_obj_get(answer, "detection_classes")), turns[i].shown);
		assert_int_equal(w.told_shapes, turns[i].shown); /* live pages hear the same */
		assert_int_equal(row_of(id_at(answer, "id")).prediction.shape_count, 2);
	}
}

/* ---- tags ---- */

static void test_tags_are_made_once(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = world_request(id, scene(128), &w.arena);
	static const char *const tags[] = {"night", "wet", "night"};
	memcpy(request.tags, tags, sizeof(tags));
	request.tag_count = COUNT_OF(tags);
	for (int i = 1; i <= 2; i++) {
		struct predicted_row row = row_of(id_at(predicted(&request), "id"));
		struct db_conn *c;
		struct tag_row *items;
		size_t count;
		WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
		WORLD_OK(tag_rows_of(c, row.data_id, &w.arena, &items, &count, WORLD_ERR));
		db_reader_give(w.readers, c);
		assert_int_equal(count, 2);
		assert_string_equal(items[0].name, "night");
		assert_string_equal(items[1].name, "wet");
		assert_string_equal(items[0].target_type, "DATA");
		IDS_EQUAL(items[0].scope_id, w.datalake_id);
		rows_are((struct rows){i, i, i, i, 0, 2, 2 * i, 1});
	}
}

/* ---- nothing recorded ---- */

static void test_without_monitoring_nothing_is_stored(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	int blobs = count_blobs();
	struct serve_request request = world_request(id, scene(128), &w.arena);
	request.monitor = false;
	request.tags[0] = "night";
	request.tag_count = 1;
	request.idempotency_key = "once";
	yyjson_val *answer = predicted(&request);
	assert_int_equal(yyjson_arr_size(yyjson_obj_get(answer, "shapes")), SURE);
	assert_true(number_at(answer, "latency") > 0);
	assert_null(yyjson_obj_get(answer, "id"));
	assert_null(yyjson_obj_get(answer, "predicted_asset_id"));
	assert_null(yyjson_obj_get(answer, "data_id"));
	rows_are((struct rows){0});
	assert_int_equal(count_blobs(), blobs);
	assert_int_equal(w.told, 0);
	assert_int_equal(totals(id).count, 0);
}

static void test_bad_images_are_refused_and_counted(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct span image = scene(128);
	int blobs = count_blobs();
	int64_t failed = metric_value(METRIC_PREDICTIONS_FAILED);
	struct serve_request request = world_request(id, span_of_text("GIF89a and so on"), &w.arena);
	refused(&request, ST_UNSUPPORTED, "");
	request.image = span_of("", 0);
	refused(&request, ST_UNPROCESSABLE, "");
	request.image = span_of(image.data, image.size / 2);
	refused(&request, ST_UNPROCESSABLE, "");
	assert_int_equal(totals(id).failed, 3);
	assert_int_equal(metric_value(METRIC_PREDICTIONS_FAILED), failed + 3);
	assert_int_equal(count_blobs(), blobs);
	rows_are((struct rows){0});
	assert_int_equal(w.told, 0);
}

static void test_a_deployment_that_does_not_answer_says_so(void **state)
{
	struct uuid version = world_add_sample(&w), id = world_deploy(&w, "line 1", version);
	struct uuid elsewhere = world_add_row(&w, "elsewhere", version, false);
	WORLD_OK(roster_serve(w.roster, elsewhere, NULL, WORLD_ERR));
	struct serve_request request = world_request(elsewhere, scene(128), &w.arena);
	refused(&request, ST_CONFLICT, "elsewhere is served on your own infrastructure");
	request.deployment_id = w.model_id;
	refused(&request, ST_MISSING, "There is no deployment with the id");
	request.deployment_id = id;
	world_change(&w, (struct world_change){.id = id, .paused_by = "ann"}, NULL);
	refused(&request, ST_UNAVAILABLE, "line 1 is paused by ann");
	assert_int_equal(totals(id).failed, 0); /* nothing was tried */
	world_change(&w, (struct world_change){.id = id, .paused_by = ""}, NULL);
	predicted(&request);
}

/* ---- limits ---- */

static void test_pixels_ask_a_budget_and_give_it_back(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct span image = scene(128);
	struct serve_request request = world_request(id, image, &w.arena);
	world_serve(&w, 3 * WIDTH * HEIGHT - 1, PATIENCE_US);
	refused(&request, ST_UNAVAILABLE, "memory for decoded images");
	rows_are((struct rows){0});
	world_serve(&w, 3 * WIDTH * HEIGHT, PATIENCE_US);
	for (int i = 0; i < 3; i++) {
		request.image =
			span_of(image.data, image.size / 2); /* found out after the budget was asked */
		refused(&request, ST_UNPROCESSABLE, "");
		request.image = image;
		predicted(&request);
	}
}

static void test_without_a_seat_in_time_there_is_no_answer(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct service *s = world_pin(&w, id);
	struct engine_seat *seats[2];
	struct serve_request request = world_request(id, scene(128), &w.arena);
	world_serve(&w, 512u << 20, SECOND_US / 20);
	for (int i = 0; i < 2; i++)
		WORLD_OK(engine_seat_take(
			s->model->engine, clock_mono_us() + PATIENCE_US, &seats[i], WORLD_ERR));
	refused(&request, ST_UNAVAILABLE, "");
	assert_int_equal(totals(id).failed, 1);
	engine_seat_give(seats[0]);
	predicted(&request);
	engine_seat_give(seats[1]);
	service_drop(s);
	rows_are((struct rows){1, 1, 1, 1, 0, 0, 0, 1});
}

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_an_answer_is_what_its_row_says),
		TEST(test_what_was_drawn_is_found_where_it_was_drawn),
		TEST(test_a_threshold_only_moves_what_is_shown),
		TEST(test_names_that_were_not_given_are_made),
		TEST(test_features_have_the_size_that_the_model_says),
		TEST(test_a_classifier_answers_with_its_best_class_whatever_the_threshold),
		TEST(test_tags_are_made_once),
		TEST(test_without_monitoring_nothing_is_stored),
		TEST(test_bad_images_are_refused_and_counted),
		TEST(test_a_deployment_that_does_not_answer_says_so),
		TEST(test_pixels_ask_a_budget_and_give_it_back),
		TEST(test_without_a_seat_in_time_there_is_no_answer),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
