/* SPDX-License-Identifier: Apache-2.0 */
/* learn/submitter.h: the thread that submits, and who asks it to. */
#include "learn/submitter.h"

#include "base/metrics.h"
#include "os/clock.h"

#include "feedback_world.h"

#include <time.h>

#define PATIENCE_US ((int64_t)20 * 1000000)
#define UNREADABLE "[{\"type\":\"rectangle\",\"label\":\"red\"}]" /* a box without a place */

static struct review_world w;
static struct submitter_options options;
static struct submitter *submitter;
static struct uuid version_id;
static _Atomic size_t told;

static void on_submitted(void *arg, struct uuid deployment_id, const struct uuid *ids, size_t count)
{
	assert_true(uuid_equal(deployment_id, w.deployment_id));
	told += count;
}

static int set_up(void **state)
{
	rw_open(&w);
	told = 0;
	submitter = NULL;
	version_id = fw_version(&w, fw_dataset(&w), "first");
	return 0;
}

/* From here on the recorder writes. */
static void start(void)
{
	db_disconnect(w.conn);
	options = (struct submitter_options){.blobs = blob_mem_new(), .submitted = on_submitted};
	RW_OK(&w, recorder_start(w.db, 64, 16, &options.recorder, &w.err));
	RW_OK(&w, db_readers_new(w.db, 2, &options.readers, &w.err));
	submitter = submitter_new(&options);
}

static int tear_down(void **state)
{
	if (submitter == NULL) /* it failed before it started */
		return 0;
	submitter_free(submitter);
	db_readers_free(options.readers);
	recorder_stop(options.recorder);
	blob_close(options.blobs);
	db_close(w.db);
	arena_release(&w.arena);
	return 0;
}

static const char *status_of(struct uuid asset)
{
	RW_OK(&w, db_reader_take(options.readers, &w.conn, &w.err));
	const char *status = fw_status(&w, asset);
	db_reader_give(options.readers, w.conn);
	return status;
}

static void wait_submitted(struct uuid asset)
{
	int64_t deadline_us = clock_mono_us() + PATIENCE_US;
	while (strcmp(status_of(asset), "SUBMITTED") != 0) {
		if (clock_mono_us() > deadline_us)
			fail_msg("it was not submitted");
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
}

static void test_what_is_due_goes_and_the_rest_stays(void **state)
{
	fw_set_up(&w, 600);
	RW_OK(&w, fw_attach(&w, version_id));
	struct uuid due[40],
		early = rw_add_image(&w, 0.9F, 0),
		waits = fw_reviewed(&w, "[{\"type\":\"classification\",\"label\":\"unheard of\"}]");
	fw_review(&w, early, "NOTHING", "[]", clock_unix_us());
	for (size_t i = 0; i < COUNT_OF(due); i++)
		due[i] = fw_reviewed(&w, FW_BOX);
	start();
	submitter_start(submitter);
	for (size_t i = 0; i < COUNT_OF(due); i++)
		wait_submitted(due[i]);
	submitter_stop(submitter);
	assert_int_equal(told, COUNT_OF(due));
	assert_string_equal(status_of(early), "REVIEWED");
	assert_string_equal(status_of(waits), "REVIEWED");
}

/* One that cannot be read does not stop those beside it, and is not tried for ever. */
static void test_one_that_fails_does_not_stop_others(void **state)
{
	fw_set_up(&w, 0);
	RW_OK(&w, fw_attach(&w, version_id));
	struct uuid ids[3] = {fw_reviewed(&w, FW_BOX), fw_reviewed(&w, UNREADABLE), fw_reviewed(&w, FW_BOX)};
	start();
	submitter_start(submitter);
	wait_submitted(ids[0]);
	wait_submitted(ids[2]);
	submitter_stop(submitter);
	assert_string_equal(status_of(ids[1]), "REVIEWED");
	struct submitter_result result;
	RW_OK(&w, submitter_submit(submitter, w.deployment_id, NULL, 0, &w.arena, &result, &w.err));
	assert_int_equal(result.submitted, 0);
	assert_int_equal(result.problem_count, 1);
	assert_true(uuid_equal(result.problems[0].id, ids[1]));
}

static void test_all_by_hand(void **state)
{
	fw_set_up(&w, 600);
	RW_OK(&w, fw_attach(&w, version_id));
	for (int i = 0; i < 70; i++)
		fw_reviewed(&w, FW_BOX);
	start();
	struct submitter_result result;
	int64_t before = metric_value(METRIC_REVIEWS_SUBMITTED);
	RW_OK(&w, submitter_submit(submitter, w.deployment_id, NULL, 0, &w.arena, &result, &w.err));
	assert_int_equal(result.submitted, 70);
	assert_int_equal(told, 70);
	assert_int_equal(metric_value(METRIC_REVIEWS_SUBMITTED), before + 70);
	RW_OK(&w, submitter_submit(submitter, w.deployment_id, NULL, 0, &w.arena, &result, &w.err));
	assert_int_equal(result.submitted + result.waiting + result.problem_count, 0);
	struct uuid nowhere = rw_id();
	assert_int_equal(
		submitter_submit(submitter, nowhere, NULL, 0, &w.arena, &result, &w.err), ST_CONFLICT);
}

static void test_counts(void **state)
{
	fw_set_up(&w, 600);
	RW_OK(&w, fw_attach(&w, version_id));
	struct feedback f;
	struct submitter_counts counts;
	for (int i = 0; i < 3; i++)
		fw_reviewed(&w, "[{\"type\":\"classification\",\"label\":\"one\"},"
				"{\"type\":\"classification\",\"label\":\"two\"}]");
	fw_reviewed(&w, "[{\"type\":\"classification\",\"label\":\"two\"}]");
	fw_reviewed(&w, FW_BOX);
	RW_OK(&w, feedback_read(w.conn, w.deployment_id, &w.arena, &f, &w.err));
	RW_OK(&w, submitter_count(w.conn, &f, &w.arena, &counts, &w.err));
	assert_int_equal(counts.reviewed, 5);
	assert_int_equal(counts.submitted, 0);
	assert_int_equal(counts.waiting, 4);
	assert_int_equal(counts.label_count, 2);
	assert_string_equal(counts.labels[0].label, "one");
	assert_int_equal(counts.labels[0].pictures, 3);
	assert_int_equal(counts.labels[1].pictures, 4);
	assert_int_equal(counts.next_us, RW_FIRST_US + 600 * (int64_t)RW_SECOND_US);
	f.target_count = 0;
	RW_OK(&w, submitter_count(w.conn, &f, &w.arena, &counts, &w.err));
	assert_int_equal(counts.waiting, 5);
	assert_int_equal(counts.label_count, 0);
	f.target_count = 1;
	f.row.submit_by_itself = false;
	RW_OK(&w, submitter_count(w.conn, &f, &w.arena, &counts, &w.err));
	assert_int_equal(counts.next_us, 0);
	start();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_due_goes_and_the_rest_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_that_fails_does_not_stop_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_by_hand, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
