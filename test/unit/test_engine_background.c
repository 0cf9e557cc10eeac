/* SPDX-License-Identifier: Apache-2.0 */
/* A model in the background stands back for others, and is not blamed for the CPU that it does not get. */
#include "engine/engine_ort.h"
#include "engine_world.h"
#include "os/thread.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define RUN_TIMEOUT_US (SECOND / 5)

static struct engine *opened_quickly_ending(void (*make)(struct str *out), bool background)
{
	struct str file = empty();
	if (make)
		make(&file);
	else
		model_classifier(&file, 16, NULL, NULL);
	struct engine_options o = options(saved(&file));
	o.run_timeout_us = RUN_TIMEOUT_US;
	o.background = background;
	return opened(&o);
}

/* Every thread of the process that exists by now, the seats' too. */
static void assert_threads_stand_back(pid_t pid, bool expected)
{
	char path[64];
	int priority = expected ? 10 : getpriority(PRIO_PROCESS, 0);
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *d = opendir(path);
	assert_non_null(d);
	int count = 0;
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread == 0)
			continue;
		assert_int_equal(sched_getscheduler(thread), expected ? SCHED_IDLE : SCHED_OTHER);
		assert_int_equal(getpriority(PRIO_PROCESS, (id_t)thread), priority);
		count++;
	}
	closedir(d);
	assert_true(count >= 2);
}

static void test_its_process_stands_back(void **state)
{
	for (int background = 0; background <= 1; background++) {
		struct engine *e = opened_quickly_ending(NULL, background);
		runs(e);
		assert_threads_stand_back(engine_ort_pid(e), background);
		engine_close(e);
	}
}

/* Stops the child for longer than a run may take, as if others took the whole CPU. */
struct pause {
	pid_t pid;
	int64_t until_us;
};

static void pause_process(void *arg)
{
	const struct pause *p = arg;
	while (clock_mono_us() < p->until_us)
		poll(NULL, 0, 5);
	kill(p->pid, SIGCONT);
}

/* Returns when its last thread stands still: until then it could answer. */
static void stop_process(pid_t pid)
{
	siginfo_t info;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
}

static enum status run_while_stopped(struct engine *e, struct err *err)
{
	struct pause p = {engine_ort_pid(e), clock_mono_us() + 3 * RUN_TIMEOUT_US};
	thread_handle thread;
	stop_process(p.pid);
	thread_start(&thread, "pause", pause_process, &p);
	enum status st = run_once(e, 0.5F, err);
	thread_join(thread);
	return st;
}

static void test_time_that_it_did_not_get_does_not_count(void **state)
{
	struct err err = {.text = ""};
	struct engine *e = opened_quickly_ending(NULL, true);
	if (run_while_stopped(e, &err) != ST_OK)
		fail_msg("%s", err.text);
	engine_close(e);
	e = opened_quickly_ending(NULL, false);
	assert_int_equal(run_while_stopped(e, &err), ST_TIMEOUT);
	engine_close(e);
}

/* Its own CPU time does: a loop without end is stopped, and the process lives on. */
static void test_time_that_it_got_counts(void **state)
{
	struct err err = {.text = ""};
	struct engine *e = opened_quickly_ending(model_loop_when_bad, true);
	runs(e);
	pid_t pid = engine_ort_pid(e);
	int64_t before_us = clock_mono_us();
	assert_int_equal(run_once(e, 2, &err), ST_TIMEOUT);
	assert_true(clock_mono_us() - before_us >= RUN_TIMEOUT_US);
	runs(e);
	assert_int_equal(engine_ort_pid(e), pid);
	assert_false(engine_held(e, &err));
	engine_close(e);
}

/* A child that never gets the CPU again is given up in the end. */
static void test_patience_ends(void **state)
{
	struct err err = {.text = ""};
	struct engine *e = opened_quickly_ending(NULL, true);
	pid_t pid = engine_ort_pid(e);
	int64_t before_us = clock_mono_us();
	stop_process(pid);
	assert_int_equal(run_once(e, 0.5F, &err), ST_TIMEOUT);
	assert_true(clock_mono_us() - before_us >= ENGINE_PATIENCE * RUN_TIMEOUT_US);
	runs(e); /* by another process */
	assert_int_not_equal(engine_ort_pid(e), pid);
	engine_close(e);
}

static void test_held_says_why(void **state)
{
	struct err err = {.text = ""};
	struct engine *e = opened_quickly_ending(NULL, true);
	for (int crash = 1; crash <= 3; crash++) {
		assert_false(engine_held(e, &err));
		engine_seat_give(taken(e)); /* it is ready */
		pid_t pid = engine_ort_pid(e);
		assert_int_equal(kill(pid, SIGKILL), 0);
		int64_t deadline_us = clock_mono_us() + 20 * SECOND;
		while (engine_ort_pid(e) == pid && clock_mono_us() < deadline_us)
			poll(NULL, 0, 1);
	}
	int64_t deadline_us = clock_mono_us() + 20 * SECOND;
	while (!engine_held(e, &err) && clock_mono_us() < deadline_us)
		poll(NULL, 0, 1);
	assert_true(engine_held(e, &err));
	assert_int_equal(err.status, ST_UNAVAILABLE);
	assert_non_null(strstr(err.text, "held"));
	engine_close(e);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "engine") == 0)
		return engine_child_main(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_its_process_stands_back),
		cmocka_unit_test(test_time_that_it_did_not_get_does_not_count),
		cmocka_unit_test(test_time_that_it_got_counts),
		cmocka_unit_test(test_patience_ends),
		cmocka_unit_test(test_held_says_why),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
