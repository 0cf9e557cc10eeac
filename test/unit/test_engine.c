/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine/: models in child processes. This program is its own child: main() becomes
 * `gyre engine` when it is started so, or one that breaks the protocol when its model says
 * so in its metadata.
 */
#include "base/metrics.h"
#include "engine/engine.h"
#include "engine/engine_ort.h"
#include "engine/protocol.h"
#include "engine/sample.h"
#include "engine/sandbox.h"
#include "engine/tap.h"
#include "onnx_models.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/thread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

#define SECOND 1000000LL
#define LIMIT_US (10 * SECOND) /* a clear status within this, whatever the model */

static char folder[] = "/tmp/gyre-engine-XXXXXX";

static struct engine_options options(const char *path)
{
	return (struct engine_options){.model_path = path,
		.seats = 1,
		.slot_bytes_max = 64 << 20,
		.memory_bytes_max = 2ULL << 30,
		.load_timeout_us = 30 * SECOND,
		.run_timeout_us = 20 * SECOND};
}

/* The bytes as a file; the path lasts until the next call. */
static const char *saved(struct str *file)
{
	static char path[PATH_MAX];
	static unsigned number;
	struct err err;
	snprintf(path, sizeof(path), "%s/model-%u.onnx", folder, number++);
	assert_int_equal(file_write_durable(path, span_of(file->text, file->size), 0600, &err), ST_OK);
	str_release(file);
	return path;
}

static struct str empty(void)
{
	struct str s;
	str_init(&s, 32 << 20);
	return s;
}

static struct engine *opened(const struct engine_options *o)
{
	struct engine *e = NULL;
	struct err err = {.text = ""};
	if (engine_open(o, &e, &err) != ST_OK)
		fail_msg("%s: %s", status_name(err.status), err.text);
	return e;
}

static struct engine_seat *taken(struct engine *e)
{
	struct engine_seat *seat = NULL;
	struct err err = {.text = ""};
	if (engine_seat_take(e, clock_mono_us() + 20 * SECOND, &seat, &err) != ST_OK)
		fail_msg("%s", err.text);
	return seat;
}

/* Fill the [1,3,8,8] image with one value, with a slope added. */
static void fill(struct engine_seat *seat, float value, float slope)
{
	const int64_t shape[] = {1, 3, 8, 8};
	void *data;
	struct err err;
	assert_int_equal(engine_seat_input(seat, shape, 4, &data, &err), ST_OK);
	for (int i = 0; i < 192; i++)
		((float *)data)[i] = value + slope * (float)i;
}

static enum status run_once(struct engine *e, float value, struct err *err)
{
	struct engine_seat *seat = taken(e);
	fill(seat, value, 0);
	enum status st = engine_run(seat, err);
	engine_seat_give(seat);
	return st;
}

static void runs(struct engine *e)
{
	struct err err = {.text = ""};
	if (run_once(e, 0.5F, &err) != ST_OK)
		fail_msg("%s", err.text);
}

static struct engine *opened_classifier(unsigned seats, const char *features)
{
	struct str file = empty();
	model_classifier(&file, 16, NULL, NULL);
	struct engine_options o = options(saved(&file));
	o.seats = seats;
	o.features_output = features;
	return opened(&o);
}

/* What a human would see, within ten seconds. */
static void refused(struct engine_options *o, enum status expected, const char *part)
{
	struct engine *e = NULL;
	struct err err = {.text = ""};
	int64_t before_us = clock_mono_us();
	enum status st = engine_open(o, &e, &err);
	if (st == ST_OK)
		engine_close(e);
	assert_in_range(clock_mono_us() - before_us, 0, LIMIT_US);
	if (st != expected || strstr(err.text, part) == NULL || !text_ends_with(err.text, "."))
		fail_msg("%s: '%s', expected %s: '%s'", status_name(st), err.text, status_name(expected),
			part);
	print_message("           %s: %s\n", status_name(st), err.text);
}

static void refused_model(struct str *file, enum status expected, const char *part)
{
	struct engine_options o = options(saved(file));
	o.load_timeout_us = 4 * SECOND;
	refused(&o, expected, part);
}

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

/* What is wrong: each within ten seconds, while another model goes on. */

static void test_hostile_models_get_a_clear_answer(void **state)
{
	struct engine *other = opened_classifier(1, NULL);
	struct str file = empty();
	model_huge_kernel(&file);
	refused_model(&file, ST_TIMEOUT, "it ran for the first time");
	runs(other);
	model_loop(&file);
	refused_model(&file, ST_TIMEOUT, "it ran for the first time");
	runs(other);
	model_folding_bomb(&file, 12000);
	refused_model(&file, ST_TIMEOUT, "it was loaded");
	runs(other);
	model_output_of(&file, 1 << 29, true);
	refused_model(&file, ST_UNPROCESSABLE, "output 'result' is too large");
	model_output_of(&file, 1 << 25, false);
	refused_model(&file, ST_UNPROCESSABLE, "output 'result' is too large");
	runs(other);
	model_external_data(&file, "/etc/passwd");
	refused_model(&file, ST_UNPROCESSABLE, "another file");
	model_custom_operator(&file);
	refused_model(&file, ST_UNPROCESSABLE, "custom operator Sparkle");
	model_classifier(&file, 16, NULL, NULL);
	file.size = file.size / 2;
	refused_model(&file, ST_UNPROCESSABLE, "cut off or damaged");
	str_append(&file, "hello");
	refused_model(&file, ST_UNPROCESSABLE, "not a whole ONNX model");
	runs(other);
	engine_close(other);
}

static void test_memory_is_limited(void **state)
{
	if (!sandbox_is_whole()) {
		print_message("[  SKIP  ] no memory limit under sanitizers\n");
		skip();
	}
	struct str file = empty();
	model_folding_bomb(&file, 8192); /* 256 MiB each */
	struct engine_options o = options(saved(&file));
	o.memory_bytes_max = 64 << 20;
	refused(&o, ST_UNPROCESSABLE, "more memory than it is allowed");
	struct engine *e = opened_classifier(1, NULL); /* which needs little */
	runs(e);
	engine_close(e);
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

/* A child that lies. What is after the model's metadata key "misbehave" says how. */

static void misbehave_run(const char *how, const struct protocol_run *run)
{
	struct protocol_result r = {.sequence = run->sequence, .output_count = 1};
	size_t size = sizeof(r);
	r.outputs[0] = (struct protocol_tensor){
		.type = ENGINE_FLOAT32, .rank = 2, .shape = {1, 2}, .offset = 1024, .size = 8};
	if (strcmp(how, "sequence") == 0)
		r.sequence++;
	else if (strcmp(how, "status") == 0)
		r.status = 9999;
	else if (strcmp(how, "count") == 0)
		r.output_count = 4000000000U;
	else if (strcmp(how, "fewer") == 0)
		r.output_count = 0;
	else if (strcmp(how, "type") == 0)
		r.outputs[0].type = 77;
	else if (strcmp(how, "rank") == 0)
		r.outputs[0].rank = 1000;
	else if (strcmp(how, "negative") == 0)
		r.outputs[0].shape[0] = r.outputs[0].shape[1] = -1;
	else if (strcmp(how, "overflow") == 0)
		r.outputs[0].shape[0] = INT64_MAX;
	else if (strcmp(how, "offset") == 0)
		r.outputs[0].offset = UINT64_MAX - 63;
	else if (strcmp(how, "outside") == 0)
		r.outputs[0].offset = 64 << 20;
	else if (strcmp(how, "size") == 0)
		r.outputs[0].size = 12;
	else if (strcmp(how, "features") == 0)
		r.features_size = 70000;
	else if (strcmp(how, "short") == 0)
		size = 100;
	else if (strcmp(how, "leave") == 0)
		_exit(0);
	else if (strcmp(how, "text") == 0) {
		r.status = ST_FAILED;
		memset(r.text, '\x80', sizeof(r.text));
	} else if (strcmp(how, "nan") == 0) {
		r.features_size = 2;
		r.features[0] = 0x7e00;
		r.features[1] = 0x3c00;
		r.cpu_us = INT64_MAX;
	}
	CHECK(send(PROTOCOL_FD_SEATS, &r, size, MSG_NOSIGNAL) == (ssize_t)size);
}

static int misbehave(const char *how)
{
	static struct protocol_start start;
	struct protocol_report report = {.stage = PROTOCOL_READY, .features_size = 1000000};
	memset(report.features_output, 'x', sizeof(report.features_output));
	memset(report.probe_text, 'x', sizeof(report.probe_text));
	CHECK(recv(PROTOCOL_FD_CONTROL, &start, sizeof(start), 0) == (ssize_t)sizeof(start));
	if (strcmp(how, "stage") == 0)
		report.stage = 99;
	if (strcmp(how, "silent") != 0)
		send(PROTOCOL_FD_CONTROL, &report, sizeof(report), MSG_NOSIGNAL);
	struct protocol_run run;
	while (recv(PROTOCOL_FD_SEATS, &run, sizeof(run), 0) == (ssize_t)sizeof(run))
		misbehave_run(how, &run);
	return 0;
}

static struct engine_options liar(const char *how)
{
	const char *const metadata[][2] = {{"misbehave", how}, {NULL, NULL}};
	struct str file = empty();
	model_classifier(&file, 16, NULL, metadata);
	struct engine_options o = options(saved(&file));
	o.load_timeout_us = SECOND;
	return o;
}

static void test_a_child_that_lies_harms_nobody(void **state)
{
	static const char *const ways[] = {"sequence", "status", "count", "fewer", "type", "rank", "negative",
		"overflow", "offset", "outside", "size", "features", "short"};
	struct err err;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		struct engine_options o = liar(ways[i]);
		struct engine *e = opened(&o);
		enum status st = run_once(e, 1, &err);
		if (st != ST_FAILED || strstr(err.text, "broke the protocol") == NULL)
			fail_msg("%s: %s: %s", ways[i], status_name(st), err.text);
		engine_close(e);
	}
	struct engine_options o = liar("leave");
	struct engine *e = opened(&o);
	assert_int_equal(run_once(e, 1, &err), ST_FAILED);
	assert_string_equal(err.text, "The model's process exited with code 0 during this run.");
	engine_close(e);
	o = liar("text");
	e = opened(&o);
	assert_int_equal(run_once(e, 1, &err), ST_FAILED);
	assert_non_null(strstr(err.text, "????"));
	engine_close(e);
	o = liar("silent");
	refused(&o, ST_TIMEOUT, "it was started");
	o = liar("stage");
	refused(&o, ST_FAILED, "spoke out of turn");
}

static void test_features_are_always_finite(void **state)
{
	struct engine_options o = liar("nan");
	struct err err;
	struct engine *e = opened(&o);
	struct engine_seat *seat = taken(e);
	fill(seat, 1, 0);
	assert_int_equal(engine_run(seat, &err), ST_OK);
	assert_int_equal(seat->features_size, 2);
	assert_int_equal(seat->features[0], 0);
	assert_int_equal(seat->features[1], 0x3c00);
	assert_in_range(seat->cpu_us, 0, 20 * SECOND);
	engine_seat_give(seat);
	engine_close(e);
}

/* What the child may not do: bits of what went wrong, as its exit code. */

static int try_to_escape(void)
{
	struct err err;
	CHECK(sandbox_enter(sandbox_is_whole() ? 256 << 20 : 0, &err) == ST_OK);
	int wrong = 0;
	char *const argv[] = {(char[]){"true"}, NULL};
	wrong |= socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 0;
	wrong |= kill(getppid(), 0) == 0 ? 2 : 0;
	execv("/bin/true", argv);
	wrong |= errno == EPERM ? 0 : 4;
	if (sandbox_is_whole()) {
		wrong |= open("/etc/hostname", O_RDONLY | O_CLOEXEC) >= 0 ? 8 : 0;
		wrong |= fork() >= 0 ? 16 : 0;
		void *memory = malloc(1U << 30);
		wrong |= memory ? 32 : 0;
		free(memory);
	}
	_exit(wrong);
}

static void test_a_child_is_shut_in(void **state)
{
	static const char *const argv[] = {"test_engine", "escape", NULL};
	static const char *const keep[] = {"ASAN_OPTIONS", NULL};
	struct proc_options o = {.path = "/proc/self/exe", .argv = argv, .keep = keep};
	struct proc child;
	struct err err;
	char text[PROC_END_TEXT_SIZE];
	assert_int_equal(proc_spawn(&o, &child, &err), ST_OK);
	assert_true(proc_wait(&child, clock_mono_us() + 20 * SECOND, text));
	assert_string_equal(text, "exited with code 0");
}

/* A parent that is killed takes its children along. Its first argument after "orphan" is a model. */
static int become_a_parent(const char *path)
{
	struct engine_options o = options(path);
	engine_library_set(test_runtime_library());
	pid_t pid = engine_ort_pid(opened(&o));
	CHECK(write(PROC_FDS_FIRST, &pid, sizeof(pid)) == (ssize_t)sizeof(pid));
	for (;;)
		pause();
}

static void test_a_killed_parent_takes_its_children_along(void **state)
{
	struct str file = empty();
	model_classifier(&file, 16, NULL, NULL);
	const char *argv[] = {"test_engine", "orphan", saved(&file), NULL};
	static const char *const keep[] = {"ASAN_OPTIONS", NULL};
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	struct proc_options o = {
		.path = "/proc/self/exe", .argv = argv, .keep = keep, .fds = &ends[1], .fd_count = 1};
	struct proc parent;
	struct err err;
	char text[PROC_END_TEXT_SIZE];
	pid_t grandchild = 0;
	assert_int_equal(proc_spawn(&o, &parent, &err), ST_OK);
	close(ends[1]);
	assert_int_equal(read(ends[0], &grandchild, sizeof(grandchild)), sizeof(grandchild));
	assert_int_equal(kill(grandchild, 0), 0);
	proc_signal(&parent, SIGKILL);
	assert_true(proc_wait(&parent, clock_mono_us() + 20 * SECOND, text));
	assert_string_equal(text, "was ended by signal 9 (Killed)");
	/* Whoever inherits it reaps it some time; until then it is a zombie, which has no memory map. */
	char path[64], map[8];
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)grandchild);
	int64_t until_us = clock_mono_us() + 10 * SECOND;
	for (ssize_t size = 1; size > 0 && clock_mono_us() < until_us;) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		size = fd < 0 ? 0 : read(fd, map, sizeof(map));
		if (fd >= 0)
			close(fd);
	}
	assert_true(clock_mono_us() < until_us);
	close(ends[0]);
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

static int set_up(void **state)
{
	assert_non_null(mkdtemp(folder));
	assert_non_null(test_runtime_library());
	engine_library_set(test_runtime_library());
	return 0;
}

static int tear_down(void **state)
{
	DIR *d = opendir(folder);
	for (struct dirent *entry = d ? readdir(d) : NULL; entry; entry = readdir(d)) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	return rmdir(folder);
}

/* The model that the child was given, looked at before it is started. */
static int child_main(int argc, char **argv)
{
	struct stat info;
	struct span file, how;
	struct err err;
	char text[32];
	CHECK(fstat(PROTOCOL_FD_MODEL, &info) == 0);
	if (file_map("/proc/self/fd/5", &file, &err) == ST_OK && engine_metadata(file, "misbehave", &how)) {
		snprintf(text, sizeof(text), "%.*s", (int)how.size, (const char *)how.data);
		return misbehave(text);
	}
	return engine_child_main(argc, argv);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "engine") == 0)
		return child_main(argc, argv);
	if (argc > 1 && strcmp(argv[1], "escape") == 0)
		return try_to_escape();
	if (argc > 2 && strcmp(argv[1], "orphan") == 0)
		return become_a_parent(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_classifier_answers_with_its_features),
		cmocka_unit_test(test_without_a_tap_there_are_no_features),
		cmocka_unit_test(test_a_tap_can_be_named),
		cmocka_unit_test(test_dynamic_sides_run_at_any_size),
		cmocka_unit_test(test_inputs_of_another_shape_are_refused),
		cmocka_unit_test(test_more_callers_than_seats_get_their_own_answers),
		cmocka_unit_test(test_the_sample_finds_drawn_rectangles),
		cmocka_unit_test(test_real_models_answer_like_the_python_package),
		cmocka_unit_test(test_hostile_models_get_a_clear_answer),
		cmocka_unit_test(test_memory_is_limited),
		cmocka_unit_test(test_models_of_several_inputs_are_refused),
		cmocka_unit_test(test_a_missing_file_or_library_is_said),
		cmocka_unit_test(test_a_stopped_run_leaves_the_process_alive),
		cmocka_unit_test(test_a_run_that_does_not_stop_costs_the_process),
		cmocka_unit_test(test_a_killed_process_fails_its_run_and_comes_back),
		cmocka_unit_test(test_three_crashes_in_a_row_hold_the_model),
		cmocka_unit_test(test_fifty_openings_leave_nothing_behind),
		cmocka_unit_test(test_a_child_that_lies_harms_nobody),
		cmocka_unit_test(test_features_are_always_finite),
		cmocka_unit_test(test_a_child_is_shut_in),
		cmocka_unit_test(test_a_killed_parent_takes_its_children_along),
		cmocka_unit_test(test_the_fake_answers_the_same_every_time),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
