/* SPDX-License-Identifier: Apache-2.0 */
/* learn/check_job.h: a check from files to the result in the job's row; the files are given back once,
 * whatever happens. */
#include "learn/check_job.h"

#include "serve_world.h"

#define COUNT 20u

static struct world w;
static struct jobs *jobs;
static _Atomic int released;

static void release(void *arg)
{
	assert_ptr_equal(arg, &w);
	atomic_fetch_add(&released, 1);
}

/* A red and a blue rectangle on each of 20 pictures, and where they are, in COCO's form. */
static size_t draw_files(struct truths_file files[COUNT + 1], const char *name_of_red)
{
	static const struct world_box boxes[] = {{20, 20, 60, 40, 0}, {200, 100, 80, 50, 2}};
	struct str s, shapes;
	str_init(&s, 1 << 20);
	str_init(&shapes, 1 << 20);
	for (size_t i = 0; i < COUNT; i++) {
		files[i] = (struct truths_file){.name = arena_printf(&w.arena, "%zu.png", i),
			.bytes = world_draw(&w.arena, 320, 180, (uint8_t)(110 + i), boxes, 2),
			.picture = true};
		str_printf(
			&s, "%s{\"id\": %zu, \"file_name\": \"%zu.png\"}", i ? "," : "{\"images\": [", i, i);
		for (size_t k = 0; k < 2; k++)
			str_printf(&shapes,
				"%s{\"id\": %zu, \"image_id\": %zu, \"category_id\": %zu, \"bbox\": [%u, %u, "
				"%u, %u], "
				"\"area\": 1, \"iscrowd\": 0}",
				i + k ? "," : "], \"annotations\": [", 2 * i + k + 1, i, k, boxes[k].x,
				boxes[k].y, boxes[k].width, boxes[k].height);
	}
	str_append(&s, str_text(&shapes));
	str_printf(&s, "], \"categories\": [{\"id\": 0, \"name\": \"%s\"}, {\"id\": 1, \"name\": \"Blue\"}]}",
		name_of_red);
	files[COUNT] = (struct truths_file){
		.name = "a.json", .bytes = arena_copy(&w.arena, span_of(s.text, s.size))};
	str_release(&s);
	str_release(&shapes);
	return COUNT + 1;
}

static enum status start(
	struct uuid version_id, const char *name_of_red, struct job_row *job, struct err *err)
{
	struct truths_file files[COUNT + 1];
	struct model_version_row version = world_read_version(&w, version_id);
	const struct check_request request = {.version = &version,
		.model_name = "finder",
		.files = files,
		.file_count = draw_files(files, name_of_red),
		.who = "ann",
		.release = release,
		.arg = &w};
	return check_start(jobs, w.blobs, &request, &w.arena, job, err);
}

static struct job_row ended(struct uuid id)
{
	struct job_row row = {0};
	WORLD_UNTIL(jobs_get(jobs, id, &w.arena, &row, WORLD_ERR) == ST_OK && row.finished_us != 0);
	return row;
}

static struct uuid add_version(const char *recipe)
{
	struct world_version v = world_sample(&w);
	v.recipe = recipe;
	return world_add_version(&w, &v);
}

static void test_a_check_from_start_to_result(void **state)
{
	struct job_row job;
	WORLD_OK(start(add_version("{\"colour\": \"bgr\"}"), "red", &job, WORLD_ERR));
	assert_string_equal(job.kind, "check");
	assert_string_equal(job.who, "ann");
	job = ended(job.id);
	if (strcmp(job.status, "SUCCESS") != 0)
		fail_msg("%s: %s", job.status, job.error);
	assert_int_equal(released, 1);
	yyjson_doc *doc;
	WORLD_OK(json_parse(span_of_text(job.result), &w.arena, &doc, WORLD_ERR));
	yyjson_val *result = yyjson_doc_get_root(doc), *first;
	assert_string_equal(yyjson_get_str(yyjson_obj_get(result, "metric")), "AP");
	assert_int_equal(yyjson_get_int(yyjson_obj_get(result, "pictures")), COUNT);
	assert_int_equal(yyjson_get_int(yyjson_obj_get(result, "labelled_shapes")), 2 * COUNT);
	assert_int_equal(yyjson_arr_size(yyjson_obj_get(result, "problems")), 0);
	assert_int_equal(yyjson_arr_size(yyjson_obj_get(result, "matched_labels")), 2);
	assert_int_equal(yyjson_arr_size(yyjson_obj_get(result, "unmatched_labels")), 0);
	first = yyjson_arr_get_first(yyjson_obj_get(result, "rows"));
	yyjson_val *changed = yyjson_obj_get(first, "changed");
	assert_string_equal(yyjson_get_str(yyjson_obj_get(changed, "colour")), "rgb");
	assert_null(yyjson_obj_get(changed, "scale"));
	assert_null(yyjson_obj_get(changed, "from"));
	assert_true(yyjson_get_real(yyjson_obj_get(first, "value")) > 0.9);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(yyjson_obj_get(first, "recipe"), "colour")), "rgb");
	assert_int_equal(world_children(), 0);
}

static void test_what_is_wrong_is_said_at_once(void **state)
{
	struct job_row job;
	struct err err;
	struct uuid version = add_version(NULL);
	/* Only blue is known: half of the truths. */
	WORLD_OK(start(version, "crimson", &job, WORLD_ERR));
	job = ended(job.id);
	assert_non_null(strstr(job.result, "\"unmatched_labels\":[\"crimson\"]"));
	assert_non_null(strstr(job.result, "\"labelled_shapes\":20"));
	struct model_version_row row = world_read_version(&w, version);
	row.labels = "{\"0\": \"a\", \"1\": \"b\", \"2\": \"c\"}";
	world_write(&w, world_update_version, &row);
	world_refused(start(version, "red", &job, &err), ST_UNPROCESSABLE, &err, "None of the labels");
	row.state = "EMPTY";
	row.onnx_sha256 = row.recipe = row.state_text = NULL;
	world_write(&w, world_update_version, &row);
	world_refused(start(version, "red", &job, &err), ST_CONFLICT, &err, "no ONNX file");
	assert_int_equal(released, 3);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM job"), 1);
}

static void test_a_model_that_cannot_be_opened_is_a_failed_job(void **state)
{
	struct job_row job;
	WORLD_OK(start(world_break_version(&w, add_version(NULL), "no model"), "red", &job, WORLD_ERR));
	job = ended(job.id);
	assert_string_equal(job.status, "FAILED");
	assert_true(text_ends_with(job.error, "."));
	assert_int_equal(released, 1);
}

static void test_it_leaves_when_it_is_cancelled_or_the_server_stops(void **state)
{
	struct job_row job;
	WORLD_OK(start(add_version(NULL), "red", &job, WORLD_ERR));
	WORLD_UNTIL(jobs_get(jobs, job.id, &w.arena, &job, WORLD_ERR) == ST_OK && job.progress > 0);
	WORLD_OK(jobs_cancel(jobs, job.id, WORLD_ERR));
	assert_string_equal(ended(job.id).status, "TERMINATED");
	WORLD_OK(start(add_version(NULL), "red", &job, WORLD_ERR));
	WORLD_UNTIL(jobs_get(jobs, job.id, &w.arena, &job, WORLD_ERR) == ST_OK && job.progress > 0);
	jobs_stop(jobs);
	assert_string_equal(ended(job.id).status, "FAILED");
	assert_int_equal(released, 2);
	assert_int_equal(world_children(), 0);
}

static int open_world(void **state)
{
	world_open(&w);
	released = 0;
	const struct jobs_options options = {.readers = w.readers, .recorder = w.recorder, .threads = 1};
	WORLD_OK(jobs_new(&options, &jobs, WORLD_ERR));
	return 0;
}

static int close_world(void **state)
{
	jobs_free(jobs);
	world_close(&w);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_a_check_from_start_to_result),
		TEST(test_what_is_wrong_is_said_at_once),
		TEST(test_a_model_that_cannot_be_opened_is_a_failed_job),
		TEST(test_it_leaves_when_it_is_cancelled_or_the_server_stops),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
