/* SPDX-License-Identifier: Apache-2.0 */
/* learn/evaluations.h and the rows beneath it: answers of classes and of masks against annotations. Boxes are
 * in test/http/test_experiment.py. */
#include "learn/evaluations.h"

#include "base/json.h"
#include "dataset_world.h"
#include "store/experiment_rows.h"
#include "store/project_rows.h"

#include <math.h>
#include <poll.h>

static struct dataset_world w;
static struct uuid version, experiment;

static void insert_experiment(void)
{
	const struct project_row project = {.id = dw_id(&w),
		.organization_id = w.organization_id,
		.name = "belt",
		.description = "",
		.created_us = w.now_us};
	experiment = dw_id(&w);
	const struct experiment_row row = {.id = experiment,
		.project_id = project.id,
		.name = "run",
		.description = "",
		.status = "WAITING",
		.created_us = w.now_us};
	DW_OK(project_rows_insert(w.c, &project, DW_ERR));
	DW_OK(experiment_rows_insert(w.c, &row, DW_ERR));
	DW_REFUSED(project_rows_insert(w.c, &project, DW_ERR), ST_CONFLICT, "belt");
	DW_REFUSED(experiment_rows_insert(w.c, &row, DW_ERR), ST_CONFLICT, "run");
}

static int set_up(void **state)
{
	dw_open(&w);
	version = dw_version(&w, "first");
	insert_experiment();
	return 0;
}

static int tear_down(void **state)
{
	dw_close(&w);
	return 0;
}

static const char *id_text(struct uuid id)
{
	char *text = arena_alloc(&w.arena, UUID_TEXT_SIZE);
	uuid_format(id, text);
	return text;
}

static struct uuid label(const char *name)
{
	struct label_row row;
	bool made;
	DW_OK(label_rows_ensure(w.c, version, name, &w.arena, &row, &made, DW_ERR));
	return row.id;
}

/* An asset with one shape that is true, and what was answered. */
static void add(const struct annotation_shape_row *truth, const char *answer)
{
	static int number;
	struct annotation_shape_row shape = *truth;
	struct uuid asset =
		dw_asset(&w, version, dw_data(&w, arena_printf(&w.arena, "%d.png", number++), NULL));
	struct annotation_row row = {.id = dw_id(&w),
		.asset_id = asset,
		.status = "ACCEPTED",
		.who = "ann",
		.created_us = w.now_us,
		.shapes = &shape,
		.shape_count = 1};
	DW_OK(annotation_rows_insert(w.c, &row, &w.arena, DW_ERR));
	const struct evaluation_row evaluation = {.id = dw_id(&w),
		.experiment_id = experiment,
		.asset_id = asset,
		.shapes = answer,
		.created_us = w.now_us};
	DW_OK(evaluation_rows_put(w.c, &evaluation, true, DW_ERR));
}

/* Runs to its end; the result, which is the experiment's log too. */
static yyjson_val *measured(const char *type, const char *annotation_status)
{
	struct jobs *jobs;
	struct job_row job;
	struct experiment_log_row log;
	yyjson_doc *doc;
	bool found;
	dw_start(&w);
	const struct jobs_options options = {.readers = w.readers, .recorder = w.recorder, .threads = 1};
	const struct evaluations_request request = {.experiment_id = experiment,
		.type = type,
		.annotation_status = annotation_status,
		.who = "ann"};
	DW_OK(jobs_new(&options, &jobs, DW_ERR));
	DW_OK(evaluations_start(jobs, w.readers, w.recorder, &request, &w.arena, &job, DW_ERR));
	int64_t deadline_us = clock_mono_us() + 20000000;
	while (strcmp(job.status, "RUNNING") == 0 && clock_mono_us() < deadline_us) {
		poll(NULL, 0, 1);
		DW_OK(jobs_get(jobs, job.id, &w.arena, &job, DW_ERR));
	}
	assert_string_equal(job.status, "SUCCESS");
	jobs_free(jobs);
	struct db_conn *c;
	DW_OK(db_reader_take(w.readers, &c, DW_ERR));
	DW_OK(experiment_log_rows_by_name(c, experiment, "evaluation", &w.arena, &log, &found, DW_ERR));
	db_reader_give(w.readers, c);
	assert_true(found);
	assert_string_equal(log.data, job.result);
	DW_OK(json_parse(span_of_text(job.result), &w.arena, &doc, DW_ERR));
	return yyjson_doc_get_root(doc);
}

static void assert_close(double a, double b)
{
	assert_true(fabs(a - b) < 1e-12);
}

static double number(yyjson_val *object, const char *key)
{
	assert_true(yyjson_is_num(yyjson_obj_get(object, key)));
	return yyjson_get_num(yyjson_obj_get(object, key));
}

static const char *two_answers(struct uuid a, const char *score_a, struct uuid b, const char *score_b)
{
	return arena_printf(&w.arena,
		"[{\"type\": \"classification\", \"label_id\": \"%s\", \"score\": %s},"
		" {\"type\": \"classification\", \"label_id\": \"%s\", \"score\": %s}]",
		id_text(a), score_a, id_text(b), score_b);
}

/* Of four images three are right; the best of several answers is the one that counts. */
static void test_classes(void **state)
{
	struct uuid cat = label("cat"), dog = label("dog");
	const struct annotation_shape_row is_cat = {
		.kind = ANNOTATION_CLASSIFICATION, .label_id = cat, .area = -1};
	const struct annotation_shape_row is_dog = {
		.kind = ANNOTATION_CLASSIFICATION, .label_id = dog, .area = -1};
	const char *says_cat = two_answers(cat, "0.9", dog, "0.1");
	const char *says_dog = two_answers(cat, "0.2", dog, "0.8");
	add(&is_cat, says_cat);
	add(&is_cat, says_cat);
	add(&is_cat, says_dog);
	add(&is_dog, says_dog);
	yyjson_val *found = yyjson_obj_get(measured("CLASSIFICATION", NULL), "classification");
	assert_close(number(found, "accuracy"), 0.75);
	assert_close(number(found, "precision"), (1 + 0.5) / 2);
	assert_close(number(found, "recall"), (2.0 / 3 + 1) / 2);
}

/* A square that is answered by its left half has an IoU of 0.5: found at one of ten thresholds. */
static void test_masks(void **state)
{
	struct uuid tile = label("tile");
	const struct annotation_shape_row truth = {.kind = ANNOTATION_POLYGON,
		.label_id = tile,
		.points = "[[10, 10], [50, 10], [50, 50], [10, 50]]",
		.area = -1};
	add(&truth, arena_printf(&w.arena,
			    "[{\"type\": \"polygon\", \"label_id\": \"%s\", \"score\": 0.9,"
			    " \"polygon\": [[10, 10], [30, 10], [30, 50], [10, 50]]}]",
			    id_text(tile)));
	yyjson_val *root = measured("SEGMENTATION", "ACCEPTED"), *coco = yyjson_obj_get(root, "coco");
	assert_int_equal(number(root, "images"), 1);
	assert_close(number(coco, "ap50"), 1);
	assert_close(number(coco, "ap"), 0.1);
	assert_true(yyjson_is_null(yyjson_obj_get(coco, "ap_large")));
}

static void test_only_annotations_of_a_status_count(void **state)
{
	const struct annotation_shape_row truth = {
		.kind = ANNOTATION_CLASSIFICATION, .label_id = label("cat"), .area = -1};
	add(&truth, "[]");
	assert_int_equal(number(measured("CLASSIFICATION", "REFUSED"), "images"), 0);
}

static void test_other_kinds_are_refused(void **state)
{
	const struct evaluations_request request = {
		.experiment_id = experiment, .type = "KEYPOINT", .who = "ann"};
	struct job_row job;
	DW_REFUSED(evaluations_start(NULL, NULL, NULL, &request, &w.arena, &job, DW_ERR), ST_INVALID,
		"KEYPOINT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_classes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_masks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_annotations_of_a_status_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_kinds_are_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
