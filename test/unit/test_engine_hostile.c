/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine/: hostile models, and a hostile child. This program is its own child: main() becomes
 * `gyre engine` when it is started so, or one that breaks the protocol when its model says
 * so in its metadata.
 */
#include "engine/engine_ort.h"
#include "engine/engine_result.h"
#include "engine/ort_session.h"
#include "engine/protocol.h"
#include "engine/sandbox.h"
#include "engine_world.h"
#include "os/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

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

/* Answers just inside and just outside of what holds; the child that lies shows that they are looked at. */
static void test_results_are_checked(void **state)
{
	enum { SLOT = 4096 };
	struct protocol_result good = {.output_count = 2}, r;
	uint64_t bytes;
	good.outputs[0] = (struct protocol_tensor){
		.type = ENGINE_FLOAT32, .rank = 2, .shape = {1, 1000}, .offset = 64, .size = 4000};
	good.outputs[1] = (struct protocol_tensor){.type = ENGINE_OTHER};
	assert_true(engine_result_holds(&good, 2, SLOT, &bytes));
	assert_int_equal(bytes, 4032);
	r = good;
	r.outputs[0].offset = 128; /* 128 + 4000 > 4096 */
	assert_false(engine_result_holds(&r, 2, SLOT, &bytes));
	r = good;
	r.outputs[0].offset = 4;
	assert_false(engine_result_holds(&r, 2, SLOT, &bytes));
	r = good;
	r.outputs[1] = good.outputs[0]; /* both in one place: together too large */
	assert_false(engine_result_holds(&r, 2, SLOT, &bytes));
	r = good;
	r.outputs[1].size = 1;
	assert_false(engine_result_holds(&r, 2, SLOT, &bytes));
	assert_false(engine_result_holds(&good, 1, SLOT, &bytes));
	r = good;
	r.status = ST_FAILED;
	r.output_count = 12345; /* not looked at */
	assert_true(engine_result_holds(&r, 2, SLOT, &bytes));
	assert_int_equal(bytes, 0);
	r.status = ST_INVALID;
	assert_false(engine_result_holds(&r, 2, SLOT, &bytes));
}

/* ONNX Runtime in this process: only ever in a child of the test. Its exit code says where it went wrong. */
static int run_a_session(const char *path)
{
	struct ort_runtime *runtime;
	struct ort_session *session;
	struct span file;
	struct protocol_result result = {0};
	struct protocol_run run = {.rank = 4, .shape = {1, 3, 8, 8}, .size = 768};
	static uint8_t memory[4096] __attribute__((aligned(64)));
	struct err err;
	struct ort_slot slot = {memory, sizeof(memory)};
	if (ort_runtime_open(test_runtime_library(), &runtime, &err) != ST_OK ||
		file_map(path, &file, &err) != ST_OK)
		_exit(1);
	struct ort_session_options o = {.optimise = true};
	if (ort_session_open(runtime, span_of(file.data, file.size / 2), &o, &session, &err) !=
		ST_UNPROCESSABLE)
		_exit(2);
	if (ort_session_open(runtime, file, &o, &session, &err) != ST_OK ||
		ort_session_input_count(session) != 1)
		_exit(3);
	struct ort_stop *stop = ort_stop_new(runtime);
	for (int i = 0; i < 192; i++)
		((float *)memory)[i] = 1;
	for (int turn = 0; turn < 2; turn++) { /* the second time with the output bound to its place */
		if (ort_session_run(session, stop, ENGINE_FLOAT32, &run, slot, false, &result, &err) != ST_OK)
			_exit(4);
		if (result.output_count != 1 || result.outputs[0].offset != 768 ||
			result.outputs[0].size != 8 || ((float *)(memory + 768))[0] != 64)
			_exit(5);
		ort_session_settle(session, &result);
	}
	ort_stop_request(stop);
	if (ort_session_run(session, stop, ENGINE_FLOAT32, &run, slot, false, &result, &err) != ST_FAILED)
		_exit(6);
	ort_stop_clear(stop);
	run.shape[3] = 9;
	run.size = 864;
	if (ort_session_run(session, stop, ENGINE_FLOAT32, &run, slot, false, &result, &err) != ST_FAILED ||
		!text_ends_with(err.text, ".") || strstr(err.text, "onnxruntime/"))
		_exit(7);
	ort_stop_free(stop);
	ort_session_close(session);
	_exit(0);
}

static void test_a_session_runs_or_says_why(void **state)
{
	struct ort_runtime *runtime;
	struct str file = empty();
	struct proc child;
	struct err err;
	char text[PROC_END_TEXT_SIZE];
	assert_int_equal(ort_runtime_open("/no/such/library.so", &runtime, &err), ST_UNAVAILABLE);
	model_classifier(&file, 16, NULL, NULL);
	const char *argv[] = {"test_engine_hostile", "session", saved(&file), NULL};
	static const char *const keep[] = {"ASAN_OPTIONS", NULL};
	struct proc_options o = {.path = "/proc/self/exe", .argv = argv, .keep = keep};
	assert_int_equal(proc_spawn(&o, &child, &err), ST_OK);
	assert_true(proc_wait(&child, clock_mono_us() + 20 * SECOND, text));
	assert_string_equal(text, "exited with code 0");
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
		void *memory = mmap(NULL, 1U << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		wrong |= memory != MAP_FAILED ? 32 : 0;
	}
	_exit(wrong);
}

static void test_a_child_is_shut_in(void **state)
{
	static const char *const argv[] = {"test_engine_hostile", "escape", NULL};
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
	const char *argv[] = {"test_engine_hostile", "orphan", saved(&file), NULL};
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

/* The model that the child was given, looked at before it is started. */
static int child_main(int argc, char **argv)
{
	struct span file, how;
	struct err err;
	char text[32], path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", PROTOCOL_FD_MODEL);
	if (file_map(path, &file, &err) == ST_OK && engine_metadata(file, "misbehave", &how)) {
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
	if (argc > 2 && strcmp(argv[1], "session") == 0)
		return run_a_session(argv[2]);
	if (argc > 2 && strcmp(argv[1], "orphan") == 0)
		return become_a_parent(argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results_are_checked),
		cmocka_unit_test(test_hostile_models_get_a_clear_answer),
		cmocka_unit_test(test_memory_is_limited),
		cmocka_unit_test(test_a_session_runs_or_says_why),
		cmocka_unit_test(test_a_child_that_lies_harms_nobody),
		cmocka_unit_test(test_features_are_always_finite),
		cmocka_unit_test(test_a_child_is_shut_in),
		cmocka_unit_test(test_a_killed_parent_takes_its_children_along),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
