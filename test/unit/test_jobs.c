/* SPDX-License-Identifier: Apache-2.0 */
/* jobs/jobs.h: from the start of a job to its row, through cancelling, stopping, restarts and a full disk. */
#include "jobs/jobs.h"

#include "serve_world.h"

static struct world w;
static struct jobs *jobs;

/* What was told, newest last; under a lock of its own. */
#define TOLD_MAX 4096
static struct told {
	struct uuid id;
	double progress;
	char status[16];
} told[TOLD_MAX];
static size_t told_count;
static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;

static void note(void *arg, const struct job_row *row)
{
	assert_ptr_equal(arg, &w);
	mutex_lock(&told_lock);
	CHECK(told_count < TOLD_MAX);
	struct told *t = &told[told_count++];
	t->id = row->id;
	t->progress = row->progress;
	snprintf(t->status, sizeof(t->status), "%s", row->status);
	mutex_unlock(&told_lock);
}

static void start_jobs(unsigned threads)
{
	const struct jobs_options options = {.readers = w.readers,
		.recorder = w.recorder,
		.threads = threads,
		.changed = note,
		.changed_arg = &w};
	told_count = 0;
	WORLD_OK(jobs_new(&options, &jobs, WORLD_ERR));
}

/* ---- work of many kinds ---- */

struct work {
	_Atomic int ran, released;
	_Atomic bool go; /* until then it waits in the middle */
	bool heeds;      /* looks whether it was cancelled */
	enum status end;
	const char *result;
};

static enum status run(struct job *job, void *arg, struct arena *a, const char **result, struct err *err)
{
	struct work *work = arg;
	atomic_fetch_add(&work->ran, 1);
	job_progress(job, 0.25, "%d of %d pictures", 1, 4);
	while (!atomic_load(&work->go)) {
		if (work->heeds && job_cancelled(job))
			return err_set(err, ST_UNAVAILABLE, "This sentence is not shown.");
		poll(NULL, 0, 1);
	}
	*result = arena_strdup(a, work->result);
	return work->end == ST_OK ? ST_OK : err_set(err, work->end, "There is no picture in it.");
}

static void release(void *arg)
{
	struct work *work = arg;
	atomic_fetch_add(&work->released, 1);
}

static enum status try_start(struct work *work, struct job_row *row, struct err *err)
{
	const struct job_work job = {.kind = "check",
		.object_id = w.model_id,
		.who = "ann",
		.run = run,
		.arg = work,
		.release = release};
	return jobs_start(jobs, &job, &w.arena, row, err);
}

static struct uuid start(struct work *work)
{
	struct job_row row;
	WORLD_OK(try_start(work, &row, WORLD_ERR));
	assert_string_equal(row.status, "RUNNING");
	assert_true(row.finished_us == 0 && row.progress == 0 && row.result == NULL && row.error == NULL);
	return row.id;
}

static struct job_row get(struct uuid id)
{
	struct job_row row;
	WORLD_OK(jobs_get(jobs, id, &w.arena, &row, WORLD_ERR));
	return row;
}

static struct job_row ended(struct uuid id)
{
	WORLD_UNTIL(get(id).finished_us != 0);
	return get(id);
}

static int64_t rows_of_status(const char *status)
{
	int64_t total = -1;
	struct db_conn *c;
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	struct db_query q = db_query(c, "SELECT count(*) FROM job WHERE status = $1");
	db_bind_text(&q, status);
	WORLD_OK(rows_number(&q, &total, WORLD_ERR));
	db_reader_give(w.readers, c);
	return total;
}

/* ---- tests ---- */

static void test_a_job_has_a_row_progress_and_a_result(void **state)
{
	start_jobs(1);
	struct work work = {.result = "{\"best\": 1}"};
	struct uuid id = start(&work);
	assert_int_equal(rows_of_status("RUNNING"), 1); /* before it is done, and already on disk */
	WORLD_UNTIL(get(id).progress == 0.25);
	struct job_row row = get(id);
	assert_string_equal(row.message, "1 of 4 pictures");
	assert_string_equal(row.kind, "check");
	assert_string_equal(row.who, "ann");
	assert_true(uuid_equal(row.object_id, w.model_id));
	atomic_store(&work.go, true);
	row = ended(id);
	assert_string_equal(row.status, "SUCCESS");
	assert_string_equal(row.result, "{\"best\": 1}");
	assert_true(row.error == NULL && row.progress == 1 && row.finished_us >= row.created_us);
	jobs_free(jobs);
	assert_int_equal(work.ran, 1);
	assert_int_equal(work.released, 1);
	assert_int_equal(rows_of_status("SUCCESS"), 1);
	/* The start and the end are always told, in this order. */
	assert_true(told_count >= 2);
	assert_string_equal(told[0].status, "RUNNING");
	assert_string_equal(told[told_count - 1].status, "SUCCESS");
	assert_true(told[told_count - 1].progress == 1);
}

static void test_a_failure_is_its_sentence(void **state)
{
	start_jobs(2);
	struct work work = {.go = true, .end = ST_UNPROCESSABLE};
	struct job_row row = ended(start(&work));
	assert_string_equal(row.status, "FAILED");
	assert_string_equal(row.error, "There is no picture in it.");
	assert_null(row.result);
	assert_string_equal(row.message, "1 of 4 pictures"); /* how far it came */
	assert_int_equal(work.released, 1);
	jobs_free(jobs);
}

static void test_what_runs_leaves_when_it_is_cancelled(void **state)
{
	start_jobs(1);
	struct work work = {.heeds = true};
	struct uuid id = start(&work);
	WORLD_UNTIL(atomic_load(&work.ran) == 1);
	WORLD_OK(jobs_cancel(jobs, id, WORLD_ERR));
	struct job_row row = ended(id);
	assert_string_equal(row.status, "TERMINATED");
	assert_null(row.error);
	assert_null(row.result);
	struct err err;
	world_refused(jobs_cancel(jobs, id, &err), ST_CONFLICT, &err, "TERMINATED");
	world_refused(jobs_cancel(jobs, w.model_id, &err), ST_MISSING, &err, "no job");
	jobs_free(jobs);
	assert_int_equal(work.released, 1);
}

/* Cancelled too late: the work is whole, and is kept. */
static void test_a_result_in_spite_of_cancelling_is_a_result(void **state)
{
	start_jobs(1);
	struct work work = {.result = "{}"};
	struct uuid id = start(&work);
	WORLD_UNTIL(atomic_load(&work.ran) == 1);
	WORLD_OK(jobs_cancel(jobs, id, WORLD_ERR));
	atomic_store(&work.go, true);
	assert_string_equal(ended(id).status, "SUCCESS");
	jobs_free(jobs);
}

static void test_what_waits_ends_at_once_when_it_is_cancelled(void **state)
{
	start_jobs(1);
	struct work first = {0}, second = {.go = true};
	struct uuid first_id = start(&first);
	WORLD_UNTIL(atomic_load(&first.ran) == 1);
	struct uuid second_id = start(&second);
	WORLD_OK(jobs_cancel(jobs, second_id, WORLD_ERR));
	assert_string_equal(get(second_id).status, "TERMINATED"); /* though the thread is taken */
	assert_int_equal(second.released, 1);
	assert_string_equal(get(first_id).status, "RUNNING");
	atomic_store(&first.go, true);
	assert_string_equal(ended(first_id).status, "SUCCESS");
	jobs_free(jobs);
	assert_int_equal(second.ran, 0);
	assert_int_equal(second.released, 1);
}

static void test_unfinished_jobs_are_limited(void **state)
{
	start_jobs(1);
	struct work first = {0}, others = {.go = true};
	struct job_row row;
	struct err err;
	start(&first);
	for (int i = 1; i < JOBS_UNFINISHED_MAX; i++)
		start(&others);
	world_refused(try_start(&others, &row, &err), ST_UNAVAILABLE, &err, "64 jobs");
	assert_int_equal(others.released, 0); /* what was refused still belongs to its caller */
	atomic_store(&first.go, true);
	WORLD_UNTIL(rows_of_status("SUCCESS") == JOBS_UNFINISHED_MAX);
	jobs_free(jobs);
	assert_int_equal(others.ran, JOBS_UNFINISHED_MAX - 1);
	assert_int_equal(others.released, JOBS_UNFINISHED_MAX - 1);
}

static void test_a_stop_is_not_held_up_and_is_told(void **state)
{
	start_jobs(1);
	struct work runs = {.heeds = true}, waits = {.heeds = true};
	struct uuid runs_id = start(&runs), waits_id = start(&waits);
	WORLD_UNTIL(atomic_load(&runs.ran) == 1);
	jobs_stop(jobs);
	struct err err;
	struct job_row row;
	for (int i = 0; i < 2; i++) {
		row = get(i ? waits_id : runs_id);
		assert_string_equal(row.status, "FAILED");
		assert_non_null(strstr(row.error, "server stopped"));
	}
	assert_int_equal(waits.ran, 0);
	world_refused(try_start(&waits, &row, &err), ST_UNAVAILABLE, &err, "stopping");
	jobs_stop(jobs);
	jobs_free(jobs);
	assert_int_equal(runs.released, 1);
	assert_int_equal(waits.released, 1);
}

static enum status insert_row(struct db_conn *c, void *arg, struct err *err)
{
	return job_rows_insert(c, arg, err);
}

/* A server that was killed left it RUNNING. */
static void test_what_a_killed_server_left_has_failed(void **state)
{
	struct job_row left = {.id = uuid_v7(clock_unix_ms()),
		.kind = "check",
		.status = "RUNNING",
		.who = "ann",
		.message = "3 of 20 pictures",
		.created_us = 5};
	world_write(&w, insert_row, &left);
	start_jobs(1);
	struct job_row row = get(left.id);
	assert_string_equal(row.status, "FAILED");
	assert_non_null(strstr(row.error, "start it again."));
	assert_string_equal(row.message, "3 of 20 pictures");
	assert_true(row.finished_us > 5 && uuid_is_zero(row.object_id));
	struct work work = {.go = true, .result = "1"};
	struct uuid id = start(&work);
	ended(id);
	jobs_free(jobs);
	start_jobs(1); /* what has ended stays as it is */
	assert_string_equal(get(id).status, "SUCCESS");
	assert_string_equal(get(id).result, "1");
	jobs_free(jobs);
}

/* The disk is full when it ends: its end is known for as long as the server lives. */
static void test_an_end_that_cannot_be_written_is_remembered(void **state)
{
	start_jobs(1);
	struct work work = {.result = "[7]"};
	struct uuid id = start(&work);
	WORLD_UNTIL(atomic_load(&work.ran) == 1);
	db_faulty_plan(w.db, DB_FAULTY_COMMIT, 1, 1000, DB_FAULTY_BEFORE, ST_UNAVAILABLE);
	atomic_store(&work.go, true);
	struct job_row row = ended(id);
	assert_string_equal(row.status, "SUCCESS");
	assert_string_equal(row.result, "[7]");
	struct err err;
	struct job_row none;
	struct work refused = {.go = true};
	assert_int_equal(try_start(&refused, &none, &err), ST_UNAVAILABLE);
	world_refused(jobs_cancel(jobs, id, &err), ST_CONFLICT, &err, "SUCCESS");
	db_faulty_plan(w.db, DB_FAULTY_COMMIT, 0, 0, DB_FAULTY_BEFORE, ST_OK);
	assert_int_equal(rows_of_status("RUNNING"), 1);
	struct job_row *items;
	size_t count;
	int64_t total;
	WORLD_OK(jobs_list(jobs, w.model_id, 10, 0, &w.arena, &items, &count, &total, WORLD_ERR));
	assert_string_equal(items[0].status, "SUCCESS");
	jobs_free(jobs);
	start_jobs(1);
	assert_string_equal(get(id).status, "FAILED");
	jobs_free(jobs);
	assert_int_equal(refused.released, 0);
}

static void test_lists_are_newest_first_with_progress(void **state)
{
	start_jobs(1);
	struct work done = {.go = true, .result = "{}"}, runs = {0};
	struct uuid first = start(&done);
	ended(first);
	struct uuid second = start(&runs);
	WORLD_UNTIL(get(second).progress == 0.25);
	struct job_row *items;
	size_t count;
	int64_t total;
	WORLD_OK(jobs_list(jobs, w.model_id, 10, 0, &w.arena, &items, &count, &total, WORLD_ERR));
	assert_int_equal(count, 2);
	assert_int_equal(total, 2);
	assert_true(uuid_equal(items[0].id, second) && items[0].progress == 0.25);
	assert_true(uuid_equal(items[1].id, first) && items[1].result == NULL);
	WORLD_OK(jobs_list(jobs, w.datalake_id, 10, 0, &w.arena, &items, &count, &total, WORLD_ERR));
	assert_int_equal(count, 0);
	WORLD_OK(jobs_list(jobs, (struct uuid){{0}}, 1, 1, &w.arena, &items, &count, &total, WORLD_ERR));
	assert_true(count == 1 && total == 2 && uuid_equal(items[0].id, first));
	atomic_store(&runs.go, true);
	jobs_free(jobs);
}

/* ---- many threads ---- */

#define STARTERS 4
#define STARTS 12

static struct work crowd;

static void start_and_cancel(void *arg)
{
	struct arena a;
	arena_init(&a);
	for (int i = 0; i < STARTS; i++) {
		const struct job_work job = {
			.kind = "check", .who = "bob", .run = run, .arg = &crowd, .release = release};
		struct job_row row;
		struct err err;
		CHECK(jobs_start(jobs, &job, &a, &row, &err) == ST_OK);
		if (i % 2) {
			enum status st = jobs_cancel(jobs, row.id, &err);
			CHECK(st == ST_OK || st == ST_CONFLICT);
		}
		CHECK(jobs_get(jobs, row.id, &a, &row, &err) == ST_OK);
	}
	arena_release(&a);
}

static void test_many_start_and_cancel_at_once(void **state)
{
	start_jobs(3);
	crowd = (struct work){.go = true, .result = "0"};
	thread_handle threads[STARTERS];
	for (int i = 0; i < STARTERS; i++)
		thread_start(&threads[i], "starter", start_and_cancel, NULL);
	for (int i = 0; i < STARTERS; i++)
		thread_join(threads[i]);
	WORLD_UNTIL(rows_of_status("RUNNING") == 0);
	jobs_free(jobs);
	int64_t done = rows_of_status("SUCCESS"), left = rows_of_status("TERMINATED");
	assert_int_equal(done + left, STARTERS * STARTS);
	assert_true(done >= STARTERS * STARTS / 2);
	assert_int_equal(crowd.released, STARTERS * STARTS);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_a_job_has_a_row_progress_and_a_result),
		TEST(test_a_failure_is_its_sentence),
		TEST(test_what_runs_leaves_when_it_is_cancelled),
		TEST(test_a_result_in_spite_of_cancelling_is_a_result),
		TEST(test_what_waits_ends_at_once_when_it_is_cancelled),
		TEST(test_unfinished_jobs_are_limited),
		TEST(test_a_stop_is_not_held_up_and_is_told),
		TEST(test_what_a_killed_server_left_has_failed),
		TEST(test_an_end_that_cannot_be_written_is_remembered),
		TEST(test_lists_are_newest_first_with_progress),
		TEST(test_many_start_and_cancel_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
