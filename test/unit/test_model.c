/* SPDX-License-Identifier: Apache-2.0 */
/* deploy/model.h: labels, admission, and versions that are opened, held and closed. */
#include "deploy/model.h"

#include "engine/engine_ort.h"
#include "serve_world.h"

#include <signal.h>

static struct world w;

/* ---- labels ---- */

static void labels_are(const char *json, uint32_t expected, const char *last)
{
	const char **labels;
	uint32_t count;
	WORLD_OK(model_labels(json, &w.arena, &labels, &count, WORLD_ERR));
	assert_int_equal(count, expected);
	if (last)
		assert_string_equal(labels[count - 1], last);
}

static void test_labels_are_read_in_the_order_of_their_numbers(void **state)
{
	labels_are(NULL, 0, NULL);
	labels_are("{}", 0, NULL);
	labels_are("{\"0\": \"person\"}", 1, "person");
	labels_are("{\"1\": \"zwei\", \"2\": \"drei \\u00e4\", \"0\": \"eins\"}", 3, "drei ä");
	labels_are("{\"0\": \"same\", \"1\": \"same\"}", 2, "same");
	struct str many;
	str_init(&many, 1 << 20);
	for (int i = 0; i < 10000; i++)
		str_printf(&many, "%s\"%d\": \"l%d\"", i ? ", " : "{", i, i);
	labels_are(arena_printf(&w.arena, "%s}", str_text(&many)), 10000, "l9999");
	str_append(&many, ", \"10000\": \"one too many\"}");
	const char **labels;
	uint32_t count;
	struct err err;
	world_refused(model_labels(str_text(&many), &w.arena, &labels, &count, &err), ST_INVALID, &err,
		"at most 10000 entries");
	str_release(&many);
}

static void test_labels_that_leave_doubt_are_refused(void **state)
{
	static const char *const wrong[] = {"", "{", "[]", "[\"person\"]", "null", "\"0\"", "{\"1\": \"a\"}",
		"{\"0\": \"a\", \"2\": \"b\"}", "{\"0\": \"a\", \"0\": \"b\"}",
		"{\"0\": \"a\", \"00\": \"b\"}", "{\"0\": 5}", "{\"0\": null}", "{\"\": \"a\"}",
		"{\"0x\": \"a\"}", "{\"-0\": \"a\"}", "{\"+0\": \"a\"}", "{\" 0\": \"a\"}", "{\"00\": \"a\"}",
		"{\"0\": \"a\", \"01\": \"b\"}", "{\"18446744073709551616\": \"a\"}", "{\"-1\": \"a\"}",
		"{\"person\": \"0\"}"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		const char **labels;
		uint32_t count;
		struct err err;
		enum status st = model_labels(wrong[i], &w.arena, &labels, &count, &err);
		if (st != ST_INVALID || !text_ends_with(err.text, "."))
			fail_msg("%s: %s", wrong[i], st == ST_OK ? "taken" : err.text);
	}
}

static void test_a_class_without_a_label_is_its_number(void **state)
{
	static const char *const labels[] = {"cat", "dog"};
	assert_string_equal(model_label(labels, 2, 0, &w.arena), "cat");
	assert_string_equal(model_label(labels, 2, 1, &w.arena), "dog");
	assert_string_equal(model_label(labels, 2, 2, &w.arena), "2");
	assert_string_equal(model_label(NULL, 0, 79, &w.arena), "79");
}

/* ---- admission ---- */

static struct model_verdict admit(struct span onnx, enum task task, uint32_t label_count, const char *recipe)
{
	struct model_verdict verdict;
	const char *path = arena_printf(&w.arena, "%s/model.onnx", w.folder);
	WORLD_OK(file_write_durable(path, onnx, 0600, WORLD_ERR));
	const char **labels = ARENA_ARRAY(&w.arena, const char *, label_count + 1);
	for (uint32_t i = 0; i < label_count; i++)
		labels[i] = arena_printf(&w.arena, "label %u", i);
	WORLD_OK(model_admit(
		path, task, (const char *const *)labels, label_count, recipe, &w.arena, &verdict, WORLD_ERR));
	assert_int_equal(world_children(), 0);
	return verdict;
}

static yyjson_val *parsed(const char *json)
{
	yyjson_doc *doc;
	WORLD_OK(json_parse(span_of_text(json), &w.arena, &doc, WORLD_ERR));
	return yyjson_doc_get_root(doc);
}

/* The value at a JSON pointer, printed; in the arena. */
static const char *text_at(const char *json, const char *pointer)
{
	yyjson_val *value = yyjson_ptr_get(parsed(json), pointer);
	assert_non_null(value);
	char *text = yyjson_val_write(value, 0, NULL);
	const char *kept = arena_strdup(&w.arena, text);
	free(text);
	return kept;
}

#define IS_AT(json, pointer, expected) assert_string_equal(text_at(json, pointer), expected)

static void test_a_good_file_gets_its_recipe(void **state)
{
	struct model_verdict v = admit(world_sample(&w).onnx, TASK_DETECTION, 3, NULL);
	assert_true(v.ready);
	assert_null(v.state_text);
	IS_AT(v.recipe, "/task", "\"detection\"");
	IS_AT(v.recipe, "/output", "\"yolo_v8\"");
	IS_AT(v.recipe, "/width", "320");
	IS_AT(v.recipe, "/height", "320");
	IS_AT(v.recipe, "/class_count", "3");
	IS_AT(v.recipe, "/from/width", "\"read\"");
	IS_AT(v.graph, "/inputs/0/name", "\"images\"");
	IS_AT(v.graph, "/inputs/0/type", "\"float32\"");
	IS_AT(v.graph, "/inputs/0/shape", "[1,3,320,320]");
	IS_AT(v.graph, "/outputs/0/shape", "[1,7,1083]");
	IS_AT(v.graph, "/features_output", text_at(v.recipe, "/features_output"));
	assert_true(yyjson_get_uint(yyjson_ptr_get(parsed(v.graph), "/features_size")) > 0);
	assert_true(yyjson_get_sint(yyjson_ptr_get(parsed(v.graph), "/probe_us")) > 0);
	/* Without labels, too. */
	assert_true(admit(world_sample(&w).onnx, TASK_DETECTION, 0, NULL).ready);
}

static void test_what_was_given_is_kept(void **state)
{
	struct world_version c = world_classifier(&w);
	struct model_verdict v = admit(c.onnx, c.task, 2, c.recipe);
	assert_true(v.ready);
	IS_AT(v.recipe, "/fit", "\"stretch\"");
	IS_AT(v.recipe, "/from/fit", "\"given\"");
	IS_AT(v.recipe, "/mean", "[0.0,0.0,0.0]");
	IS_AT(v.recipe, "/features_output", "\"pooled\"");
	v = admit(c.onnx, c.task, 2, "{\"features_output\": \"active\"}");
	IS_AT(v.recipe, "/features_output", "\"active\"");
	v = admit(c.onnx, c.task, 2, "{\"features_output\": \"\"}");
	IS_AT(v.recipe, "/features_output", "\"\"");
	IS_AT(v.graph, "/features_size", "0");
}

/* As exporters write it that know nothing of images: any batch, channels, height, width. */
static void test_a_model_of_dynamic_sides_is_tried_with_an_image(void **state)
{
	static const struct onnx_shape shapes[] = {
		{.rank = 4, .sides = {-1, -1, -1, -1}},
		{.rank = 4, .sides = {-1, 3, -1, -1}, .names = {"batch", NULL, "height", "width"}},
	};
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		struct str file;
		str_init(&file, 1 << 20);
		model_classifier(&file, 16, &shapes[i], NULL);
		struct model_verdict v = admit(span_of(file.text, file.size), TASK_CLASSIFICATION, 2, NULL);
		str_release(&file);
		if (!v.ready)
			fail_msg("%s", v.state_text);
		IS_AT(v.recipe, "/width", "224");
		IS_AT(v.recipe, "/layout", "\"nchw\"");
	}
}

static void refused(
	struct span onnx, enum task task, uint32_t label_count, const char *recipe, const char *part)
{
	struct model_verdict v = admit(onnx, task, label_count, recipe);
	assert_false(v.ready);
	assert_null(v.recipe);
	assert_non_null(v.state_text);
	bool ends = text_ends_with(v.state_text, ".") || text_ends_with(v.state_text, "?");
	if (strstr(v.state_text, part) == NULL || !ends)
		fail_msg("'%s', expected '…%s…'", v.state_text, part);
}

static void refused_file(void (*write)(struct str *out), const char *part)
{
	struct str file;
	str_init(&file, 1 << 20);
	write(&file);
	refused(span_of(file.text, file.size), TASK_CLASSIFICATION, 0, NULL, part);
	str_release(&file);
}

static void write_two_inputs(struct str *out)
{
	struct onnx_graph g;
	onnx_graph_init(&g);
	onnx_input(&g, "left", ONNX_FLOAT, image_shape(3, 8));
	onnx_input(&g, "right", ONNX_FLOAT, image_shape(3, 8));
	onnx_node(&g, "Add", "left right", "sum", NULL);
	onnx_output(&g, "sum", ONNX_FLOAT, image_shape(3, 8));
	finish_model(&g, out, NULL);
}

static void test_a_model_at_fault_gets_a_verdict(void **state)
{
	struct span sample = world_sample(&w).onnx;
	refused(span_of_text("<!doctype html>"), TASK_DETECTION, 0, NULL, "ONNX");
	refused(span_of("", 0), TASK_DETECTION, 0, NULL, "");
	refused(span_of(sample.data, sample.size / 2), TASK_DETECTION, 0, NULL, "");
	refused(sample, TASK_DETECTION, 5, NULL, "5");
	refused(sample, TASK_CLASSIFICATION, 3, NULL, "output0");
	refused(sample, TASK_DETECTION, 3, "{\"width\": 100}", "100");
	refused(sample, TASK_DETECTION, 3, "{\"nonsense\": 100}", "nonsense");
	refused(sample, TASK_DETECTION, 3, "{\"features_output\": \"no such tensor\"}",
		"ONNX Runtime refuses");
	refused_file(model_custom_operator, "com.example");
	refused_file(write_two_inputs, "2 inputs");
}

static void test_a_model_that_does_not_end_is_a_verdict(void **state)
{
	model_limits_set(&(struct model_limits){.seats = 1,
		.memory_bytes_max = 2ULL << 30,
		.load_timeout_us = 3 * SECOND_US,
		.run_timeout_us = 3 * SECOND_US});
	int64_t before_us = clock_mono_us();
	refused_file(model_loop, "not ready after 3.0 s");
	assert_in_range(clock_mono_us() - before_us, 3 * SECOND_US, PATIENCE_US);
}

static void test_what_is_not_the_models_fault_is_no_verdict(void **state)
{
	struct model_verdict v;
	struct err err;
	const char *path = arena_printf(&w.arena, "%s/model.onnx", w.folder);
	world_refused(model_admit("/no/such/model.onnx", TASK_DETECTION, NULL, 0, NULL, &w.arena, &v, &err),
		ST_MISSING, &err, "/no/such/model.onnx");
	WORLD_OK(file_write_durable(path, world_sample(&w).onnx, 0600, WORLD_ERR));
	world_refused(model_admit(path, TASK_DETECTION, NULL, 0, "{\"width\": ", &w.arena, &v, &err),
		ST_INVALID, &err, "");
	world_refused(
		model_admit(path, TASK_DETECTION, NULL, 0, "{\"features_output\": 5}", &w.arena, &v, &err),
		ST_INVALID, &err, "features_output");
	const char *library = arena_printf(&w.arena, "%s/library.so", w.folder);
	WORLD_OK(file_write_durable(library, span_of_text("not a library"), 0600, WORLD_ERR));
	engine_library_set(library);
	world_refused(model_admit(path, TASK_DETECTION, NULL, 0, NULL, &w.arena, &v, &err), ST_UNAVAILABLE,
		&err, "ONNX Runtime cannot be loaded");
	engine_library_set(test_runtime_library());
	assert_int_equal(world_children(), 0);
}

/* ---- opened versions ---- */

static struct model *opened(struct uuid version_id)
{
	struct model_version_row row = world_read_version(&w, version_id);
	struct model *m = NULL;
	WORLD_OK(model_open(&row, "finder", w.blobs, &m, WORLD_ERR));
	return m;
}

/* One run on grey; only whether it worked. */
static enum status run_once(struct model *m, struct err *err)
{
	struct engine_seat *seat;
	void *data;
	TRY(engine_seat_take(m->engine, clock_mono_us() + PATIENCE_US, &seat, err));
	const int64_t shape[] = {1, 3, 320, 320};
	enum status st = engine_seat_input(seat, shape, 4, &data, err);
	if (st == ST_OK) {
		memset(data, 0, sizeof(float) * 3 * 320 * 320);
		st = engine_run(seat, err);
	}
	engine_seat_give(seat);
	return st;
}

static void test_an_opened_version_knows_itself_and_is_closed_by_the_last_hold(void **state)
{
	struct uuid id = world_add_sample(&w);
	struct model *m = opened(id);
	assert_true(uuid_equal(m->version_id, id));
	assert_true(uuid_equal(m->model_id, w.model_id));
	assert_int_equal(m->version, 0);
	assert_string_equal(m->model_name, "finder");
	assert_string_equal(m->version_name, "one");
	assert_int_equal(m->label_count, 3);
	assert_string_equal(m->labels[2], "blue");
	assert_int_equal(m->recipe.input.width, 320);
	assert_true(m->description.features_size > 0);
	assert_int_equal(world_children(), 1);
	struct model *same = model_hold(m), *other = opened(id);
	assert_ptr_equal(same, m);
	assert_int_equal(world_children(), 2);
	model_drop(m);
	model_drop(other);
	assert_int_equal(world_children(), 1);
	WORLD_OK(run_once(same, WORLD_ERR));
	model_drop(same);
	assert_int_equal(world_children(), 0);
}

static void cannot_open(struct model_version_row row, enum status expected, const char *part)
{
	struct model *m = NULL;
	struct err err;
	world_refused(model_open(&row, "finder", w.blobs, &m, &err), expected, &err, part);
	assert_null(m);
	assert_int_equal(world_children(), 0);
}

static void test_a_version_that_cannot_be_opened_says_why(void **state)
{
	const struct model_version_row good = world_read_version(&w, world_add_sample(&w));
	struct model_version_row row = good;
	row.state = "EMPTY";
	row.version = 7;
	cannot_open(
		row, ST_CONFLICT, "Version 7 of model finder cannot be deployed: it has no ONNX file yet");
	row.state = "REFUSED";
	row.state_text = "It eats cheese.";
	cannot_open(row, ST_CONFLICT, "Version 7 of model finder cannot be deployed: It eats cheese.");
	row = good;
	row.recipe = "{\"width\": \"wide\"}";
	cannot_open(row, ST_INVALID, "width");
	row = good;
	row.labels = "{\"0\": \"red\", \"1\": \"green\"}";
	cannot_open(row, ST_UNPROCESSABLE, "2");
	row.labels = "{\"1\": \"red\"}";
	cannot_open(row, ST_INVALID, "labels");
	cannot_open(world_read_version(&w, world_break_version(&w, good.id, NULL)), ST_MISSING, "");
	cannot_open(world_read_version(&w, world_break_version(&w, good.id, "not a model")), ST_UNPROCESSABLE,
		"ONNX");
	/* A recipe and a file that were never admitted together. */
	row = good;
	row.onnx_sha256 = world_read_version(
		&w, world_add_version(&w, &(struct world_version){.onnx = world_classifier(&w).onnx,
						  .task = TASK_CLASSIFICATION}))
				  .onnx_sha256;
	cannot_open(row, ST_UNPROCESSABLE, "");
	blob_faulty_plan(w.blobs, 1, BLOB_FAULTY_BEFORE, ST_UNAVAILABLE);
	cannot_open(good, ST_UNAVAILABLE, "fails by plan");
}

static void test_the_labels_of_a_stored_version_are_found(void **state)
{
	struct uuid id = world_add_sample(&w);
	struct db_conn *c;
	struct err err;
	const char **labels;
	uint32_t count;
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(model_labels_of(c, id, &w.arena, &labels, &count, WORLD_ERR));
	assert_int_equal(count, 3);
	assert_string_equal(labels[0], "red");
	world_refused(model_labels_of(c, w.model_id, &w.arena, &labels, &count, &err), ST_MISSING, &err, "");
	db_reader_give(w.readers, c);
}

/* The file was closed long ago, and its name may be gone: the next child gets it nevertheless. */
static void test_a_killed_process_comes_back_with_the_same_file(void **state)
{
	struct uuid id = world_add_sample(&w);
	struct model *m = opened(id);
	struct err err;
	WORLD_OK(run_once(m, WORLD_ERR));
	WORLD_OK(blob_remove(w.blobs, world_read_version(&w, id).onnx_sha256, WORLD_ERR));
	pid_t before = engine_ort_pid(m->engine);
	assert_int_equal(kill(before, SIGKILL), 0);
	WORLD_UNTIL(run_once(m, &err) == ST_OK);
	assert_int_not_equal(engine_ort_pid(m->engine), before);
	assert_int_equal(world_children(), 1);
	model_drop(m);
	assert_int_equal(world_children(), 0);
}

static int open_world(void **state)
{
	world_open(&w);
	return 0;
}

static int close_world(void **state)
{
	world_close(&w);
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_labels_are_read_in_the_order_of_their_numbers),
		TEST(test_labels_that_leave_doubt_are_refused),
		TEST(test_a_class_without_a_label_is_its_number),
		TEST(test_a_good_file_gets_its_recipe),
		TEST(test_what_was_given_is_kept),
		TEST(test_a_model_of_dynamic_sides_is_tried_with_an_image),
		TEST(test_a_model_at_fault_gets_a_verdict),
		TEST(test_a_model_that_does_not_end_is_a_verdict),
		TEST(test_what_is_not_the_models_fault_is_no_verdict),
		TEST(test_an_opened_version_knows_itself_and_is_closed_by_the_last_hold),
		TEST(test_a_version_that_cannot_be_opened_says_why),
		TEST(test_the_labels_of_a_stored_version_are_found),
		TEST(test_a_killed_process_comes_back_with_the_same_file),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
