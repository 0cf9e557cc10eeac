/* SPDX-License-Identifier: Apache-2.0 */
/* A trainer's process: started, looked at by whoever has its folder, ended with all that it started. */
#include "learn/trainer.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc_group.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define DEADLINE_US ((int64_t)30 * 1000000)

struct world {
	char folder[64];
	struct arena arena;
	struct err err;
};

static int open_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	snprintf(w->folder, sizeof(w->folder), "%s/trainer-it's-XXXXXX", P_tmpdir);
	assert_non_null(mkdtemp(w->folder));
	arena_init(&w->arena);
	*state = w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;
	assert_int_equal(file_remove_folder(w->folder, &w->err), ST_OK);
	assert_false(file_exists(w->folder));
	arena_release(&w->arena);
	free(w);
	return 0;
}

static void start(struct world *w, const char *command, int64_t attempt)
{
	const char *const environment[] = {"GYRE_EPOCHS", "7 '$x", NULL};
	const struct trainer_order order = {.folder = w->folder,
		.command = command,
		.attempt = attempt,
		.threads = 3,
		.environment = environment};
	if (trainer_start(&trainer_local, &order, &w->err) != ST_OK)
		fail_msg("%s", w->err.text);
}

static struct trainer_look wait_for(
	struct world *w, int64_t attempt, bool (*done)(const struct trainer_look *))
{
	struct trainer_look look;
	int64_t deadline_us = clock_mono_us() + DEADLINE_US;
	do {
		trainer_look(&trainer_local, w->folder, attempt, &look);
		assert_true(clock_mono_us() < deadline_us);
	} while (!done(&look));
	return look;
}

static bool has_ended(const struct trainer_look *look)
{
	return !look->runs;
}

static bool is_known(const struct trainer_look *look)
{
	return look->runs && look->pid && look->memory_bytes > 0;
}

static const char *file(struct world *w, const char *name)
{
	struct span text;
	if (file_read(arena_printf(&w->arena, "%s/%s", w->folder, name), 1 << 20, &w->arena, &text,
		    &w->err) != ST_OK)
		return "";
	return (const char *)text.data;
}

static void test_from_start_to_end(void **state)
{
	struct world *w = *state;
	struct trainer_look look;
	trainer_look(&trainer_local, w->folder, 1, &look);
	assert_true(!look.runs && look.exit_code == -1 && !look.ended_now);
	start(w,
		"echo \"$GYRE_THREADS $GYRE_RESUME $GYRE_EPOCHS\"; echo words >&2; test {run} = \"$PWD\" && "
		"exit_with() { "
		"return 5; }; exit_with",
		1);
	look = wait_for(w, 1, has_ended);
	assert_true(look.exit_code == 5 && look.ended_now);
	assert_string_equal(file(w, "progress.jsonl"), "3 0 7 '$x\n");
	assert_string_equal(file(w, "stderr.log"), "words\n");
	trainer_look(&trainer_local, w->folder, 2, &look);
	assert_true(look.exit_code == 5 && !look.ended_now); /* the end of another attempt */
	start(w, "true", 2);
	look = wait_for(w, 2, has_ended);
	assert_true(look.exit_code == 0 && look.ended_now);
}

static void test_one_at_a_time_and_all_of_it_ends(void **state)
{
	struct world *w = *state;
	/* A child that outlives its shell, and does not hear. */
	start(w, "(trap '' TERM; while :; do read -t 1 x || tail -f /dev/null; done) & wait", 1);
	struct trainer_look look = wait_for(w, 1, is_known);
	const struct trainer_order again = {
		.folder = w->folder, .command = "true", .attempt = 1, .threads = 1};
	assert_int_equal(trainer_start(&trainer_local, &again, &w->err), ST_CONFLICT);
	assert_true(look.pid_start == proc_group_start((pid_t)look.pid));
	proc_group_signal((pid_t)look.pid, look.pid_start + 1, SIGKILL); /* of another process */
	trainer_look(&trainer_local, w->folder, 1, &look);
	assert_true(look.runs);
	trainer_stop(&trainer_local, w->folder, true);
	look = wait_for(w, 1, has_ended);
	assert_true(look.exit_code == -1 && !look.ended_now); /* nobody was left to say */
}

static void test_save_and_leave(void **state)
{
	struct world *w = *state;
	start(w, "sh -c 'trap \"echo saved; exit 143\" TERM; echo ready; while :; do :; done'", 1);
	int64_t deadline_us = clock_mono_us() + DEADLINE_US;
	while (strcmp(file(w, "progress.jsonl"), "ready\n") != 0)
		assert_true(clock_mono_us() < deadline_us);
	trainer_stop(&trainer_local, w->folder, false);
	struct trainer_look look = wait_for(w, 1, has_ended);
	assert_int_equal(look.exit_code, TRAINER_CANCELLED);
	assert_non_null(strstr(file(w, "progress.jsonl"), "saved"));
}

static void test_short_questions(void **state)
{
	struct world *w = *state;
	static const _Atomic bool stay = false, leave = true;
	const char *answer;
	int code;
	assert_string_equal(trainer_quoted("it's", &w->arena), "'it'\\''s'");
	assert_int_equal(trainer_ask("echo yes; exit 3", w->folder, DEADLINE_US, &stay, &w->arena, &code,
				 &answer, &w->err),
		ST_OK);
	assert_int_equal(code, 3);
	assert_string_equal(answer, "yes\n");
	assert_int_equal(trainer_ask("tail -f /dev/null", w->folder, DEADLINE_US, &leave, &w->arena, &code,
				 &answer, &w->err),
		ST_UNAVAILABLE);
	int64_t cpu_us, memory_bytes;
	proc_group_usage(getpgrp(), &cpu_us, &memory_bytes);
	assert_true(memory_bytes > 0);
	proc_group_usage(0, &cpu_us, &memory_bytes);
	assert_true(cpu_us == 0 && memory_bytes == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_from_start_to_end, open_world, close_world),
		cmocka_unit_test_setup_teardown(
			test_one_at_a_time_and_all_of_it_ends, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_save_and_leave, open_world, close_world),
		cmocka_unit_test_setup_teardown(test_short_questions, open_world, close_world)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
