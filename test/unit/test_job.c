/* SPDX-License-Identifier: Apache-2.0 */
/* job.json: read whole, filled up with defaults, or refused with a sentence. And settings that follow from
 * it. */
#include "trainer/job.h"
#include "trainer/settings.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define START "{\"schema\":1,\"job\":\"j\",\"task\":\"CLASSIFICATION\",\"labels\":[\"a\",\"b\"],"
#define DATA "\"data\":{\"train\":{\"annotations\":\"t.json\",\"images\":\"t\"},\"val\":null}"

static struct arena arena;

static enum status parse(const char *text, struct job *out, struct err *err)
{
	return job_parse(span_of_text(text), &arena, out, err);
}

static void what_is_given_is_read(void **state)
{
	struct job job;
	struct err err;
	const char *text =
		START "\"arch\":\"cls-n\",\"base\":null,\"input_size\":[64,96],\"hyper\":{\"epochs\":7,"
		      "\"learning_rate\":0.5,"
		      "\"batch\":3,\"optimizer\":\"sgd\",\"weight_decay\":0,\"patience\":9,\"seed\":"
		      "12345678901,\"freeze\":true,"
		      "\"augment\":false},\"data\":{\"train\":{\"annotations\":\"t.json\",\"images\":\"t\"},"
		      "\"val\":{\"annotations\":\"v.json\",\"images\":\"v\"}},\"device\":\"cpu\",\"threads\":"
		      "2,\"time_limit_s\":60}";
	assert_int_equal(parse(text, &job, &err), ST_OK);
	assert_string_equal(job.arch, "cls-n");
	assert_true(job.width == 64 && job.height == 96 && job.label_count == 2);
	assert_true(
		job.epochs == 7 && job.learning_rate == 0.5 && job.batch == 3 && job.optimizer == JOB_SGD);
	assert_true(job.weight_decay == 0 && job.patience == 9 && job.seed == 12345678901u);
	assert_true(job.freeze && !job.augment && job.threads == 2 && job.time_limit_s == 60);
	assert_string_equal(job.val.images, "v");
}

static void what_is_null_or_left_out_has_a_default(void **state)
{
	struct job job;
	struct err err;
	assert_int_equal(
		parse(START "\"arch\":\"cls-n\",\"hyper\":{\"epochs\":null,\"batch\":null}," DATA "}", &job,
			&err),
		ST_OK);
	assert_true(job.epochs == 30 && job.batch == 0 && job.learning_rate == 0 && job.weight_decay < 0);
	assert_true(job.augment && !job.freeze && job.optimizer == JOB_ADAMW && job.seed == 1 &&
		    job.threads == 1);
	assert_null(job.val.annotations);
	struct settings few, many;
	settings_choose(&job, 100, &few);
	settings_choose(&job, 10000, &many);
	assert_true(few.batch < many.batch && few.learning_rate == 2e-3 && few.weight_decay == 5e-4);
	assert_true(few.patience >= 10);
	settings_choose(&job, 10, &few);
	assert_int_equal(few.batch, 4);
	job.arch = NULL;
	settings_choose(&job, 100, &many);
	assert_true(many.learning_rate < few.learning_rate);
}

static void the_warm_up_leaves_most_of_a_short_run(void **state)
{
	assert_int_equal(settings_warm_up(50, 30), 100);
	assert_int_equal(settings_warm_up(5, 30), 20);
	assert_int_equal(settings_warm_up(5, 3), 5);
	assert_int_equal(settings_warm_up(1, 1), 0);
	assert_int_equal(settings_mosaic_epochs(100), 85);
	assert_int_equal(settings_mosaic_epochs(1), 0);
}

static void large_pictures_are_computed_by_all_threads_but_one(void **state)
{
	struct job job = {.threads = 8, .recipe = {.input = {.width = 320, .height = 320}}};
	assert_int_equal(settings_threads(&job), 7);
	job.threads = 2;
	assert_int_equal(settings_threads(&job), 1);
	job.threads = 8;
	job.recipe.input.width = 64;
	assert_int_equal(settings_threads(&job), 1);
}

static void a_wrong_job_is_refused_by_name(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"[]", "object"},
		{"{}", "schema"},
		{START "\"arch\":\"cls-n\"}", "data"},
		{START "\"arch\":\"cls-n\",\"data\":{\"train\":{\"images\":\"t\"}}}", "annotations"},
		{START DATA "}", "either a base or an arch"},
		{START "\"arch\":\"x\",\"base\":{\"file\":\"m\"}," DATA "}", "not both"},
		{START "\"base\":{\"file\":\"m\",\"labels\":[\"a\"]}," DATA "}", "recipe"},
		{START "\"base\":{\"labels\":[\"a\"]}," DATA "}", "file"},
		{START "\"arch\":\"x\",\"hyper\":{\"epochs\":1.5}," DATA "}", "epochs"},
		{START "\"arch\":\"x\",\"hyper\":{\"batch\":0}," DATA "}", "batch"},
		{START "\"arch\":\"x\",\"hyper\":{\"seed\":-1}," DATA "}", "seed"},
		{START "\"arch\":\"x\",\"hyper\":{\"freeze\":1}," DATA "}", "freeze"},
		{START "\"arch\":\"x\",\"hyper\":3," DATA "}", "hyper"},
		{START "\"arch\":\"x\",\"threads\":0," DATA "}", "threads"},
		{START "\"arch\":\"x\",\"time_limit_s\":-5," DATA "}", "time_limit_s"},
		{START "\"arch\":\"x\",\"input_size\":[64]," DATA "}", "input_size"},
		{START "\"arch\":\"x\",\"input_size\":[64,99999]," DATA "}", "input_size"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct job job;
		struct err err = {0};
		enum status st = parse(rows[i].text, &job, &err);
		if (st != ST_INVALID || strstr(err.text, rows[i].says) == NULL)
			fail_msg("row %zu says: %s", i, err.text);
	}
}

static int open_arena(void **state)
{
	arena_init(&arena);
	return 0;
}

static int close_arena(void **state)
{
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_is_read),
		cmocka_unit_test(what_is_null_or_left_out_has_a_default),
		cmocka_unit_test(the_warm_up_leaves_most_of_a_short_run),
		cmocka_unit_test(large_pictures_are_computed_by_all_threads_but_one),
		cmocka_unit_test(a_wrong_job_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
