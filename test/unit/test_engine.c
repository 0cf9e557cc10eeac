/* SPDX-License-Identifier: Apache-2.0 */
/* engine/: models in child processes, which answer, are stopped, crash and come back. This program is its own
 * child. */
#include "base/metrics.h"
#include "engine/engine_ort.h"
#include "engine/sample.h"
#include "engine/tap.h"
#include "engine_world.h"
#include "os/thread.h"

#include <math.h>
#include <signal.h>

/* What is right */

static void test_a_classifier_answers_with_its_features(void **state)
{
	static struct engine_description d;
	struct engine *e = opened_classifier(1, ENGINE_FEATURES_AUTO);
	engine_describe(e, &d);
	assert_true(d.probed);
	assert_string_equal(d.probe_error, "");
	assert_int_equal(d.probe_rank, 4);
	assert_string_equal(d.features_output, "pooled");
	assert_int_equal(d.features_size, 16);
	struct engine_seat *seat = taken(e);
	fill(seat, 0.25F, 0.01F);
	struct err err;
	assert_int_equal(engine_run(seat, &err), ST_OK);
	/* Channel o is (o+1) times the mean of the plane o % 3. */
	double scores[2] = {0};
	assert_int_equal(seat->features_size, 16);
	for (int o = 0; o < 16; o++) {
		double mean = 0.25 + 0.01 * (64 * (o % 3) + 31.5);
		scores[o % 2] += (o + 1) * mean;
		assert_float_equal(
			tap_float(seat->features[o]), (float)((o + 1) * mean), 2e-3F * (float)(o + 1));
	}
	assert_int_equal(seat->output_count, 1);
	const struct engine_tensor *t = &seat->outputs[0];
	assert_int_equal(t->type, ENGINE_FLOAT32);
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->shape[1], 2);
	assert_int_equal(t->size, 8);
	assert_float_equal(((const float *)t->data)[0], (float)scores[0], 1e-3F);
	assert_float_equal(((const float *)t->data)[1], (float)scores[1], 1e-3F);
	assert_in_range(seat->cpu_us, 0, SECOND);
	engine_seat_give(seat);
	engine_close(e);
}

static void test_without_a_tap_there_are_no_features(void **state)
{
	static struct engine_description d;
	struct engine *e = opened_classifier(1, NULL);
	engine_describe(e, &d);
	assert_string_equal(d.features_output, "");
	struct engine_seat *seat = taken(e);
	fill(seat, 1, 0);
	struct err err;
	assert_int_equal(engine_run(seat, &err), ST_OK);
	assert_int_equal(seat->features_size, 0);
	engine_seat_give(seat);
	engine_close(e);
}

static void test_a_tap_can_be_named(void **state)
{
	static struct engine_description d;
	struct engine *e = opened_classifier(1, "active");
	engine_describe(e, &d);
	assert_string_equal(d.features_output, "active");
	assert_int_equal(d.features_size, 16);
	engine_close(e);
	struct str file = empty();
	model_classifier(&file, 16, NULL, NULL);
	struct engine_options o = options(saved(&file));
	o.features_output = "no such tensor";
	refused(&o, ST_UNPROCESSABLE, "ONNX Runtime refuses the model");
}

/* Named sides are given their sizes, unnamed ones need a run: either way the tap is found and any size runs.
 */
static void test_dynamic_sides_run_at_any_size(void **state)
{
	static struct engine_description d;
	const struct onnx_shape shapes[] = {
		{.rank = 4, .sides = {-1, 3, -1, -1}, .names = {"batch", NULL, "height", "width"}},
		{.rank = 4, .sides = {-1, 3, -1, -1}},
	};
	for (size_t i = 0; i < COUNT_OF(shapes); i++) {
		struct str file = empty();
		model_classifier(&file, 300, &shapes[i], NULL);
		struct engine_options o = options(saved(&file));
		o.features_output = ENGINE_FEATURES_AUTO;
		o.probe_side = 32;
		struct engine *e = opened(&o);
		engine_describe(e, &d);
		assert_true(d.probed);
		assert_int_equal(d.probe_shape[2], 32);
		assert_string_equal(d.features_output, "pooled");
		assert_int_equal(d.features_size, ENGINE_FEATURES_MAX);
		struct engine_seat *seat = taken(e);
		const int64_t shape[] = {1, 3, 5, 40};
		float *data;
		struct err err;
		assert_int_equal(engine_seat_input(seat, shape, 4, (void **)&data, &err), ST_OK);
		for (int at = 0; at < 600; at++)
			data[at] = 1;
		assert_int_equal(engine_run(seat, &err), ST_OK);
		assert_float_equal(((const float *)seat->outputs[0].data)[0], 300 * 300 / 4, 1);
		engine_seat_give(seat);
		engine_close(e);
	}
}

static void test_inputs_of_another_shape_are_refused(void **state)
{
	struct engine *e = opened_classifier(1, NULL);
	struct engine_seat *seat = taken(e);
	void *data;
	struct err err;
	assert_int_equal(engine_seat_input(seat, (int64_t[]){1, 3, 8}, 3, &data, &err), ST_UNPROCESSABLE);
	assert_string_equal(err.text, "The model's input 'image' has 4 dimensions, not 3.");
	assert_int_equal(engine_seat_input(seat, (int64_t[]){1, 3, 8, 9}, 4, &data, &err), ST_UNPROCESSABLE);
	assert_string_equal(err.text, "Dimension 3 of the model's input 'image' is 8, not 9.");
	engine_seat_give(seat);
	engine_close(e);
}

struct crowd {
	struct engine *e;
	float value;
	unsigned failures;
};

static void crowd_member(void *arg)
{
	struct crowd *c = arg;
	for (int i = 0; i < 40; i++) {
		struct engine_seat *seat;
		struct err err;
		void *data;
		if (engine_seat_take(c->e, clock_mono_us() + 20 * SECOND, &seat, &err) != ST_OK) {
			c->failures++;
			continue;
		}
		/* Even channels 0, 2, … 14: each (o+1) times the value. */
		bool good = engine_seat_input(seat, (int64_t[]){1, 3, 8, 8}, 4, &data, &err) == ST_OK;
		for (int at = 0; good && at < 192; at++)
			((float *)data)[at] = c->value;
		good = good && engine_run(seat, &err) == ST_OK;
		good = good && fabsf(((const float *)seat->outputs[0].data)[0] - 64 * c->value) < 0.01F;
		c->failures += !good;
		engine_seat_give(seat);
	}
}

static void test_more_callers_than_seats_get_their_own_answers(void **state)
{
	struct engine *e = opened_classifier(2, ENGINE_FEATURES_AUTO);
	struct crowd crowd[5];
	thread_handle threads[5];
	for (int i = 0; i < 5; i++) {
		crowd[i] = (struct crowd){.e = e, .value = (float)(i + 1)};
		thread_start(&threads[i], "crowd", crowd_member, &crowd[i]);
	}
	for (int i = 0; i < 5; i++) {
		thread_join(threads[i]);
		assert_int_equal(crowd[i].failures, 0);
	}
	struct engine_seat *seats[2] = {taken(e), taken(e)}, *third;
	struct err err;
	assert_int_equal(engine_seat_take(e, clock_mono_us() + 1000, &third, &err), ST_UNAVAILABLE);
	assert_string_equal(err.text, "The model is busy: all its 2 seats are taken.");
	engine_seat_give(seats[0]);
	engine_seat_give(seats[1]);
	engine_close(e);
}

static float overlap(const float *a, const float *b) /* of boxes cx, cy, w, h: intersection over union */
{
	float w = fminf(a[0] + a[2] / 2, b[0] + b[2] / 2) - fmaxf(a[0] - a[2] / 2, b[0] - b[2] / 2);
	float h = fminf(a[1] + a[3] / 2, b[1] + b[3] / 2) - fmaxf(a[1] - a[3] / 2, b[1] - b[3] / 2);
	float both = w > 0 && h > 0 ? w * h : 0;
	return both / (a[2] * a[3] + b[2] * b[3] - both);
}

static void test_the_sample_finds_drawn_rectangles(void **state)
{
	enum { SIDE = ENGINE_SAMPLE_SIDE, PLANE = SIDE * SIDE, ANCHORS = 1083 };
	static const struct {
		int colour, x, y, w, h;
	} drawn[] = {{0, 20, 30, 48, 48}, {1, 150, 40, 70, 30}, {2, 60, 200, 24, 24}, {0, 200, 200, 80, 80},
		{1, 0, 280, 40, 40}};
	struct arena a;
	arena_init(&a);
	struct span bytes = engine_sample_detector(&a);
	struct str file = empty();
	str_append_bytes(&file, bytes.data, bytes.size);
	arena_release(&a);
	struct engine_options o = options(saved(&file));
	o.features_output = ENGINE_FEATURES_AUTO;
	struct engine *e = opened(&o);
	struct engine_seat *seat = taken(e);
	float *image;
	struct err err;
	assert_int_equal(
		engine_seat_input(seat, (int64_t[]){1, 3, SIDE, SIDE}, 4, (void **)&image, &err), ST_OK);
	for (int i = 0; i < 3 * PLANE; i++)
		image[i] = 0.35F + (float)(i % 7) / 100;
	for (size_t b = 0; b < COUNT_OF(drawn); b++)
		for (int y = drawn[b].y; y < drawn[b].y + drawn[b].h; y++)
			for (int x = drawn[b].x; x < drawn[b].x + drawn[b].w; x++)
				for (int c = 0; c < 3; c++)
					image[c * PLANE + y * SIDE + x] = c == drawn[b].colour ? 0.9F : 0.15F;
	assert_int_equal(engine_run(seat, &err), ST_OK);
	assert_true(seat->features_size > 0);
	const float *out = seat->outputs[0].data;
	assert_int_equal(seat->outputs[0].size, 7 * ANCHORS * sizeof(float));
	float best[COUNT_OF(drawn)] = {0};
	for (int i = 0; i < ANCHORS; i++) {
		for (int c = 0; c < 3; c++) {
			float score = out[(4 + c) * ANCHORS + i], nearest = 0;
			float box[4] = {out[i], out[ANCHORS + i], out[2 * ANCHORS + i], out[3 * ANCHORS + i]};
			for (size_t b = 0; score > 0.5F && b < COUNT_OF(drawn); b++) {
				float truth[4] = {(float)drawn[b].x + (float)drawn[b].w / 2,
					(float)drawn[b].y + (float)drawn[b].h / 2, (float)drawn[b].w,
					(float)drawn[b].h};
				float found = c == drawn[b].colour ? overlap(box, truth) : 0;
				nearest = fmaxf(nearest, found);
				best[b] = fmaxf(best[b], found);
			}
			assert_true(score <= 0.5F || nearest > 0.8F); /* nothing where nothing is */
		}
	}
	for (size_t b = 0; b < COUNT_OF(drawn); b++)
		assert_true(best[b] > 0.95F);
	engine_seat_give(seat);
	engine_close(e);
}

static double tolerance(double value)
{
	return 1e-4 + fabs(value) * 1e-4;
}

/* One line of golden/engine.txt against the outputs of the run. */
static void check_golden(const char *line, const char *model, const struct engine_seat *seat)
{
	char name[256];
	unsigned output;
	size_t at;
	double value, sum = 0;
	if (sscanf(line, "value %255s %u %zu %lf", name, &output, &at, &value) == 4 &&
		strcmp(name, model) == 0) {
		assert_true(output < seat->output_count && at < seat->outputs[output].size / 4);
		double found = (double)((const float *)seat->outputs[output].data)[at];
		if (!(fabs(found - value) <= tolerance(value)))
			fail_msg("%s: output %u [%zu] is %g, not %g", model, output, at, found, value);
	}
	if (sscanf(line, "sum %255s %u %lf", name, &output, &value) == 3 && strcmp(name, model) == 0) {
		for (size_t i = 0; i < seat->outputs[output].size / 4; i++)
			sum += fabs((double)((const float *)seat->outputs[output].data)[i]);
		if (!(fabs(sum - value) <= fabs(value) * 1e-5))
			fail_msg("%s: output %u sums to %g, not %g", model, output, sum, value);
	}
}

static void check_real_model(const char *data, const char *model, FILE *golden)
{
	static struct engine_description d;
	char path[PATH_MAX], line[512];
	snprintf(path, sizeof(path), "%.3000s/models/%s", data, model);
	struct engine_options o = options(path);
	o.features_output = ENGINE_FEATURES_AUTO;
	struct engine *e = opened(&o);
	engine_describe(e, &d);
	print_message("           %s: opened, one run %lld us, features %s (%u)\n", model,
		(long long)d.probe_us, d.features_output, d.features_size);
	assert_true(d.probed && d.features_size > 0);
	struct engine_seat *seat = taken(e);
	float *image;
	struct err err;
	assert_int_equal(engine_seat_input(seat, d.probe_shape, d.probe_rank, (void **)&image, &err), ST_OK);
	int64_t count = 1;
	for (int i = 0; i < d.probe_rank; i++)
		count *= d.probe_shape[i];
	for (int64_t i = 0; i < count; i++)
		image[i] = (float)(i % 255);
	assert_int_equal(engine_run(seat, &err), ST_OK);
	rewind(golden);
	while (fgets(line, sizeof(line), golden))
		check_golden(line, model, seat);
	engine_seat_give(seat);
	engine_close(e);
}

static void test_real_models_answer_like_the_python_package(void **state)
{
	const char *data = test_data_folder();
	if (data == NULL) {
		print_message("[  SKIP  ] no real data: set GYRE_TEST_DATA\n");
		skip();
	}
	char path[PATH_MAX];
	assert_non_null(test_find("test/golden/engine.txt", path));
	FILE *golden = fopen(path, "re");
	assert_non_null(golden);
	static const char *const models[] = {"mnist/opt-mnist.onnx", "yolox_nano/yolox_nano.onnx",
		"layouts/layout_1x84xN.onnx", "layouts/layout_detr_logits_boxes.onnx",
		"ultraface/version-RFB-320.onnx", "onnx_light/light_squeezenet.onnx"};
	for (size_t i = 0; i < COUNT_OF(models); i++)
		check_real_model(data, models[i], golden);
	fclose(golden);
}

static void test_models_of_several_inputs_are_refused(void **state)
{
	struct onnx_graph g;
	struct str file = empty();
	onnx_graph_init(&g);
	onnx_input(&g, "left", ONNX_FLOAT, image_shape(3, 8));
	onnx_input(&g, "right", ONNX_FLOAT, image_shape(3, 8));
	onnx_node(&g, "Add", "left right", "sum", NULL);
	onnx_output(&g, "sum", ONNX_FLOAT, image_shape(3, 8));
	finish_model(&g, &file, NULL);
	refused_model(&file, ST_UNPROCESSABLE, "2 inputs ('left', 'right', …)");
}

static void test_a_missing_file_or_library_is_said(void **state)
{
	struct engine_options o = options("/no/such/model.onnx");
	struct err err;
	struct engine *e;
	char path[4096];
	assert_int_not_equal(engine_open(&o, &e, &err), ST_OK);
	assert_non_null(strstr(err.text, "/no/such/model.onnx"));
	assert_int_equal(engine_library_find("/no/such/library.so", path, &err), ST_UNAVAILABLE);
	assert_non_null(strstr(err.text, "/no/such/library.so"));
	assert_int_equal(engine_library_find(NULL, path, &err), ST_OK);
	struct str file = empty();
	str_append(&file, "not a library");
	engine_library_set(saved(&file));
	model_classifier(&file, 16, NULL, NULL);
	refused_model(&file, ST_UNAVAILABLE, "ONNX Runtime cannot be loaded");
	engine_library_set(test_runtime_library());
}

/* Time-outs and crashes */

static void wait_for_another(struct engine *e, pid_t before)
{
	int64_t until_us = clock_mono_us() + 20 * SECOND;
	engine_seat_give(taken(e)); /* waits until the next child is ready */
	assert_true(clock_mono_us() < until_us);
	assert_int_not_equal(engine_ort_pid(e), before);
}

static void test_a_stopped_run_leaves_the_process_alive(void **state)
{
	struct str file = empty();
	struct err err;
	model_loop_when_bad(&file);
	struct engine_options o = options(saved(&file));
	o.run_timeout_us = SECOND / 2;
	struct engine *e = opened(&o);
	pid_t pid = engine_ort_pid(e);
	for (int i = 0; i < 2; i++) {
		runs(e);
		assert_int_equal(run_once(e, 2, &err), ST_TIMEOUT);
		assert_string_equal(err.text, "The model did not answer within 0.5 s and was stopped.");
	}
	runs(e);
	assert_int_equal(engine_ort_pid(e), pid);
	engine_close(e);
}

struct lone_run {
	struct engine *e;
	float value;
	enum status status;
	struct err err;
};

static void lone_run(void *arg)
{
	struct lone_run *r = arg;
	r->status = run_once(r->e, r->value, &r->err);
}

/* A run in another thread, that has surely begun: it has a seat and the child computes. */
static void start_run(thread_handle *thread, struct lone_run *r, struct engine *e, float value)
{
	*r = (struct lone_run){.e = e, .value = value};
	struct ort_engine *ort = CONTAINER_OF(e, struct ort_engine, base);
	mutex_lock(&ort->lock);
	unsigned before = ort->running_count;
	mutex_unlock(&ort->lock);
	thread_start(thread, "lone-run", lone_run, r);
	for (unsigned now = before; now == before;) {
		mutex_lock(&ort->lock);
		now = ort->running_count;
		mutex_unlock(&ort->lock);
		sched_yield();
	}
}

static void test_a_run_that_does_not_stop_costs_the_process(void **state)
{
	struct str file = empty();
	struct lone_run runs_of[2];
	thread_handle threads[2];
	model_huge_kernel_when_bad(&file);
	struct engine_options o = options(saved(&file));
	o.run_timeout_us = 2 * SECOND;
	o.memory_bytes_max = 4ULL << 30;
	o.seats = 2;
	struct engine *e = opened(&o);
	pid_t pid = engine_ort_pid(e);
	int64_t restarts = metric_value(METRIC_ENGINE_RESTARTS), before_us = clock_mono_us();
	unsigned ended = 0;
	for (int i = 0; i < 2; i++)
		start_run(&threads[i], &runs_of[i], e, 2);
	for (int i = 0; i < 2; i++) {
		thread_join(threads[i]);
		/* Its own time-out, or what the other one's led to. */
		assert_true(runs_of[i].status == ST_TIMEOUT || runs_of[i].status == ST_UNAVAILABLE);
		ended += strstr(runs_of[i].err.text, "did not stop and was ended") != NULL;
	}
	assert_in_range(ended, 1, 2);
	assert_in_range(clock_mono_us() - before_us, 2 * SECOND, 8 * SECOND);
	wait_for_another(e, pid);
	assert_int_equal(metric_value(METRIC_ENGINE_RESTARTS), restarts + 1);
	runs(e);
	engine_close(e);
}

static void test_a_killed_process_fails_its_run_and_comes_back(void **state)
{
	struct str file = empty();
	struct lone_run run;
	thread_handle thread;
	model_loop_when_bad(&file);
	struct engine_options o = options(saved(&file));
	struct engine *e = opened(&o);
	for (int i = 0; i < 4; i++) { /* more often than would hold it: each success counts anew */
		pid_t pid = engine_ort_pid(e);
		start_run(&thread, &run, e, 2);
		assert_int_equal(kill(pid, i % 2 ? SIGKILL : SIGABRT), 0);
		thread_join(thread);
		/* UNAVAILABLE: it was killed in the moment before it was sent the run. */
		if (run.status != ST_UNAVAILABLE &&
			(run.status != ST_FAILED || strstr(run.err.text, "signal") == NULL))
			fail_msg("%s: %s", status_name(run.status), run.err.text);
		wait_for_another(e, pid);
		runs(e);
	}
	engine_close(e);
}

static void test_three_crashes_in_a_row_hold_the_model(void **state)
{
	struct engine *e = opened_classifier(1, ENGINE_FEATURES_AUTO);
	struct engine_seat *seat;
	struct err err;
	runs(e);
	for (int i = 0; i < 3; i++) {
		engine_seat_give(taken(e));
		pid_t pid = engine_ort_pid(e);
		assert_int_equal(kill(pid, SIGKILL), 0);
		int64_t until_us = clock_mono_us() + 10 * SECOND;
		while (engine_ort_pid(e) == pid && clock_mono_us() < until_us)
			sched_yield();
	}
	int64_t before_us = clock_mono_us();
	assert_int_equal(engine_seat_take(e, before_us + 20 * SECOND, &seat, &err), ST_UNAVAILABLE);
	assert_in_range(clock_mono_us() - before_us, 0, 10 * SECOND);
	assert_non_null(strstr(err.text, "is held: its process failed 3 times in a row"));
	assert_non_null(strstr(err.text, "signal 9 (Killed)"));
	engine_close(e);
}

static unsigned open_descriptors(void)
{
	unsigned count = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static long resident_pages(void)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	fclose(f);
	return resident;
}

static void test_fifty_openings_leave_nothing_behind(void **state)
{
	long pages = 0;
	unsigned descriptors = open_descriptors();
	for (int i = 0; i < 50; i++) {
		struct engine *e = opened_classifier(2, ENGINE_FEATURES_AUTO);
		pid_t pid = engine_ort_pid(e);
		runs(e);
		engine_close(e);
		assert_int_equal(kill(pid, 0), -1); /* ended and reaped */
		assert_int_equal(open_descriptors(), descriptors);
		if (i == 9)
			pages = resident_pages();
	}
	assert_in_range(resident_pages() - pages + 1024, 0, 2048); /* 4 MiB either way */
}

static void test_the_fake_answers_the_same_every_time(void **state)
{
	static struct engine_description d;
	struct engine_options o = {.seats = 1, .features_output = ENGINE_FEATURES_AUTO};
	struct engine *e;
	struct err err;
	assert_int_equal(engine_fake_open(&o, &e, &err), ST_OK);
	engine_describe(e, &d);
	assert_string_equal(d.inputs[0].name, "image");
	for (int turn = 0; turn < 2; turn++) {
		struct engine_seat *seat, *second;
		void *data;
		assert_int_equal(engine_seat_take(e, clock_mono_us() + SECOND, &seat, &err), ST_OK);
		assert_int_equal(engine_seat_take(e, clock_mono_us() + 1000, &second, &err), ST_UNAVAILABLE);
		assert_int_equal(
			engine_seat_input(seat, (int64_t[]){1, 3, 9, 9}, 4, &data, &err), ST_UNPROCESSABLE);
		assert_int_equal(engine_seat_input(seat, (int64_t[]){1, 3, 32, 32}, 4, &data, &err), ST_OK);
		memset(data, 0, 3 * 32 * 32 * sizeof(float));
		assert_int_equal(engine_run(seat, &err), ST_OK);
		assert_int_equal(seat->output_count, 1);
		assert_int_equal(seat->outputs[0].size, 40);
		assert_float_equal(((const float *)seat->outputs[0].data)[7], 0.7F, 1e-6F);
		assert_int_equal(seat->features_size, d.features_size);
		engine_seat_give(seat);
	}
	engine_close(e);
	struct str file = empty();
	model_classifier(&file, 16, NULL, NULL);
	o.model_path = saved(&file);
	assert_int_equal(engine_fake_open(&o, &e, &err), ST_OK);
	engine_describe(e, &d);
	assert_string_equal(d.outputs[0].name, "scores");
	engine_close(e);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "engine") == 0)
		return engine_child_main(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_classifier_answers_with_its_features),
		cmocka_unit_test(test_without_a_tap_there_are_no_features),
		cmocka_unit_test(test_a_tap_can_be_named),
		cmocka_unit_test(test_dynamic_sides_run_at_any_size),
		cmocka_unit_test(test_inputs_of_another_shape_are_refused),
		cmocka_unit_test(test_more_callers_than_seats_get_their_own_answers),
		cmocka_unit_test(test_the_sample_finds_drawn_rectangles),
		cmocka_unit_test(test_real_models_answer_like_the_python_package),
		cmocka_unit_test(test_models_of_several_inputs_are_refused),
		cmocka_unit_test(test_a_missing_file_or_library_is_said),
		cmocka_unit_test(test_a_stopped_run_leaves_the_process_alive),
		cmocka_unit_test(test_a_run_that_does_not_stop_costs_the_process),
		cmocka_unit_test(test_a_killed_process_fails_its_run_and_comes_back),
		cmocka_unit_test(test_three_crashes_in_a_row_hold_the_model),
		cmocka_unit_test(test_fifty_openings_leave_nothing_behind),
		cmocka_unit_test(test_the_fake_answers_the_same_every_time),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
