/* SPDX-License-Identifier: Apache-2.0 */
/* watch/failures.h: counted by kind, kept while the database cannot be written, and never without bounds. */
#include "watch/failures.h"

#include "os/thread.h"
#include "review_world.h"
#include "store/failure_rows.h"

#define MINUTE_US ((int64_t)60 * 1000000)
#define AT_US (RW_FIRST_US - RW_FIRST_US % MINUTE_US)

static struct review_world w;
static struct recorder *recorder;
static struct failures *failures;

static void open_recorder(void)
{
	RW_OK(&w, recorder_start(w.db, 64, 16, &recorder, &w.err));
}

static int set_up(void **state)
{
	rw_open(&w);
	open_recorder();
	failures = failures_new();
	return 0;
}

static int tear_down(void **state)
{
	failures_free(failures);
	recorder_stop(recorder);
	rw_close(&w);
	return 0;
}

static struct failure_row *stored(size_t expected)
{
	struct failure_row *rows;
	size_t count;
	RW_OK(&w, failures_store(failures, recorder, &w.err));
	RW_OK(&w, failure_rows_list(w.conn, w.deployment_id, 0, INT64_MAX, &w.arena, &rows, &count, &w.err));
	assert_int_equal(count, expected);
	return rows;
}

static void test_by_minute_status_and_step(void **state)
{
	failures_add(failures, w.deployment_id, AT_US + 5, 415, "decode", "first");
	failures_add(failures, w.deployment_id, AT_US + 3, 415, "decode", "of an earlier moment");
	failures_add(failures, w.deployment_id, AT_US + 6, 500, "infer", "crashed");
	failures_add(failures, w.deployment_id, AT_US + MINUTE_US, 415, "decode", "a minute later");
	struct failure_row *rows = stored(3);
	assert_int_equal(rows[0].http_status, 415);
	assert_int_equal(rows[0].count, 2);
	assert_int_equal(rows[0].last_us, AT_US + 5);
	assert_string_equal(rows[0].last_text, "first");
	assert_string_equal(rows[1].step, "infer");
	assert_int_equal(rows[2].minute_us, AT_US + MINUTE_US);
	failures_add(failures, w.deployment_id, AT_US + 9, 415, "decode", "again");
	rows = stored(3);
	assert_int_equal(rows[0].count, 3);
	assert_string_equal(rows[0].last_text, "again");
	RW_OK(&w, failures_store(failures, recorder, &w.err)); /* nothing is stored twice */
	int64_t total;
	RW_OK(&w, failure_rows_total(w.conn, w.deployment_id, &total, &w.err));
	assert_int_equal(total, 5);
}

static void test_kept_while_it_cannot_be_stored(void **state)
{
	struct err err;
	failures_add(failures, w.deployment_id, AT_US, 503, "record", "The disk is full.");
	recorder_refuse(recorder);
	assert_int_equal(failures_store(failures, recorder, &err), ST_UNAVAILABLE);
	failures_add(failures, w.deployment_id, AT_US + 1, 503, "record", "It still is.");
	recorder_stop(recorder);
	open_recorder();
	struct failure_row *rows = stored(1);
	assert_int_equal(rows[0].count, 2);
	assert_string_equal(rows[0].last_text, "It still is.");
}

static void test_of_a_deployment_that_is_gone(void **state)
{
	failures_add(failures, rw_id(), AT_US, 500, "infer", "gone");
	failures_add(failures, w.deployment_id, AT_US, 500, "infer", "there");
	stored(1);
}

static void *add_many(void *arg)
{
	for (int i = 0; i < 5000; i++)
		failures_add(failures, w.deployment_id, AT_US + i % 3 * MINUTE_US, 503, "seat",
			"All seats are taken.");
	return NULL;
}

static void test_many_at_once_and_many_kinds(void **state)
{
	pthread_t threads[4];
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
	for (int i = 0; i < 20; i++)
		RW_OK(&w, failures_store(failures, recorder, &w.err));
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		pthread_join(threads[i], NULL);
	struct failure_row *rows = stored(3);
	assert_int_equal(rows[0].count + rows[1].count + rows[2].count, 20000);
	for (int i = 0; i < 3000; i++) /* more kinds than are kept: dropped, and said once */
		failures_add(failures, rw_id(), AT_US, 500, "infer", "made up");
	failures_add(failures, w.deployment_id, AT_US, 418, "infer", "no room");
	stored(3);
	failures_add(failures, w.deployment_id, AT_US, 418, "infer", "room again");
	stored(4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_by_minute_status_and_step, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kept_while_it_cannot_be_stored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_of_a_deployment_that_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_at_once_and_many_kinds, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
