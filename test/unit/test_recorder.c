/* SPDX-License-Identifier: Apache-2.0 */
/* store/recorder.h: committed once, in groups; a failure stays with whom it belongs to; kill -9 loses
 * nothing. */
#include "base/check.h"
#include "base/metrics.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/thread.h"
#include "store/checkpointer.h"
#include "store/db_faulty.h"
#include "store/db_sqlite.h"
#include "store/recorder.h"

#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct db *db; /* faulty, around SQLite */
	struct recorder *recorder;
	struct db_conn *reader;
	struct err err;
};

static const char schema[] =
	"CREATE TABLE entry (id INTEGER PRIMARY KEY, half INTEGER NOT NULL, bytes BLOB) STRICT";

static enum status start(struct fixture *f, unsigned queue_max, unsigned group_max)
{
	return recorder_start(f->db, queue_max, group_max, &f->recorder, &f->err);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct db *inner;
	struct db_conn *c;
	assert_non_null(f);
	assert_int_equal(db_sqlite_open_temporary(&inner, &f->err), ST_OK);
	f->db = db_faulty_new(inner);
	assert_int_equal(db_connect(f->db, true, &c, &f->err), ST_OK);
	assert_int_equal(db_script(c, schema, &f->err), ST_OK);
	db_disconnect(c);
	assert_int_equal(db_connect(f->db, false, &f->reader, &f->err), ST_OK);
	assert_int_equal(start(f, 1000, 64), ST_OK);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	recorder_stop(f->recorder);
	db_disconnect(f->reader);
	db_close(f->db);
	free(f);
	return 0;
}

static int64_t number(struct db_conn *c, const char *sql)
{
	struct db_query q = db_query(c, sql);
	int64_t n = db_next(&q) ? db_integer(&q, 0) : -1;
	assert_int_equal(db_done(&q, NULL), ST_OK);
	return n;
}

/* ---- jobs ---- */

static enum status insert_one(struct db_conn *c, int64_t id, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO entry (id, half) VALUES ($1, 0)");
	db_bind_integer(&q, id);
	return db_done(&q, err);
}

/* Two rows, id and -id, so that half a job would show. */
static enum status insert_pair(struct db_conn *c, void *arg, struct err *err)
{
	int64_t id = *(int64_t *)arg;
	TRY(insert_one(c, id, err));
	return insert_one(c, -id, err);
}

static enum status run_pair(struct fixture *f, int64_t id)
{
	return recorder_run(f->recorder, insert_pair, &id, &f->err);
}

static void check_no_halves(struct db_conn *c)
{
	assert_int_equal(number(c, "SELECT sum(id) FROM entry"), 0);
}

static enum status refuse(struct db_conn *c, void *arg, struct err *err)
{
	TRY(insert_pair(c, arg, err));
	return err_set(err, ST_UNPROCESSABLE, "This job fails after its work.");
}

/* A job that holds the recorder until it is let go, so that a group gathers behind it. */
struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool reached, open;
	struct recorder *recorder;
	thread_handle thread;
};

static enum status wait_at_gate(struct db_conn *c, void *arg, struct err *err)
{
	struct gate *g = arg;
	mutex_lock(&g->mutex);
	g->reached = true;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		cond_wait_until(&g->changed, &g->mutex, 0);
	mutex_unlock(&g->mutex);
	return ST_OK;
}

static void gate_main(void *arg)
{
	struct gate *g = arg;
	assert_int_equal(recorder_run(g->recorder, wait_at_gate, g, NULL), ST_OK);
}

static void gate_close(struct gate *g, struct recorder *r)
{
	*g = (struct gate){.recorder = r};
	pthread_mutex_init(&g->mutex, NULL);
	cond_init(&g->changed);
	thread_start(&g->thread, "gate", gate_main, g);
	mutex_lock(&g->mutex);
	while (!g->reached)
		cond_wait_until(&g->changed, &g->mutex, 0);
	mutex_unlock(&g->mutex);
}

static void gate_let_go(struct gate *g)
{
	mutex_lock(&g->mutex);
	g->open = true;
	pthread_cond_broadcast(&g->changed);
	mutex_unlock(&g->mutex);
	thread_join(g->thread);
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->mutex);
}

struct caller {
	struct recorder *recorder;
	recorder_job *job;
	int64_t id;
	enum status status;
	struct err err;
	thread_handle thread;
};

static void caller_main(void *arg)
{
	struct caller *c = arg;
	c->status = recorder_run(c->recorder, c->job, &c->id, &c->err);
}

/* Starts a caller and returns when its job is in the queue. */
static void caller_start(struct caller *c, struct recorder *r, recorder_job *job, int64_t id)
{
	unsigned before = recorder_waiting(r);
	*c = (struct caller){.recorder = r, .job = job, .id = id};
	thread_start(&c->thread, "caller", caller_main, c);
	int64_t deadline_us = clock_mono_us() + 20000000;
	while (recorder_waiting(r) == before && clock_mono_us() < deadline_us)
		sched_yield();
	assert_int_equal(recorder_waiting(r), before + 1);
}

/* ---- groups ---- */

#define THREADS 16
#define JOBS 500

struct worker {
	struct recorder *recorder;
	int64_t first_id;
	thread_handle thread;
};

static void worker_main(void *arg)
{
	struct worker *w = arg;
	for (int64_t i = 0; i < JOBS; i++) {
		int64_t id = w->first_id + i;
		struct err err;
		assert_int_equal(recorder_run(w->recorder, insert_pair, &id, &err), ST_OK);
	}
}

static void test_all_are_committed_once_in_groups(void **state)
{
	struct fixture *f = *state;
	struct worker workers[THREADS];
	int64_t commits = metric_value(METRIC_COMMITS), rows = metric_value(METRIC_COMMIT_ROWS);
	int64_t timed = metric_value(METRIC_COMMIT_SECONDS);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.recorder = f->recorder, .first_id = 1 + i * JOBS};
		thread_start(&workers[i].thread, "worker", worker_main, &workers[i]);
	}
	for (int i = 0; i < THREADS; i++)
		thread_join(workers[i].thread);
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry WHERE id > 0"), THREADS * JOBS);
	assert_int_equal(number(f->reader, "SELECT max(id) FROM entry"), THREADS * JOBS);
	check_no_halves(f->reader);
	assert_int_equal(metric_value(METRIC_COMMIT_ROWS) - rows, THREADS * JOBS);
	commits = metric_value(METRIC_COMMITS) - commits;
	assert_in_range(commits, THREADS * JOBS / 64, THREADS * JOBS * 9 / 10);
	assert_int_equal(metric_value(METRIC_COMMIT_SECONDS) - timed, commits);
}

static void test_a_failing_job_fails_alone(void **state)
{
	struct fixture *f = *state;
	struct gate gate;
	struct caller callers[5];
	int64_t commits = metric_value(METRIC_COMMITS);
	gate_close(&gate, f->recorder);
	caller_start(&callers[0], f->recorder, insert_pair, 1);
	caller_start(&callers[1], f->recorder, refuse, 2);
	caller_start(&callers[2], f->recorder, insert_pair, 1); /* the first has it already */
	caller_start(&callers[3], f->recorder, insert_pair, 2);
	caller_start(&callers[4], f->recorder, insert_pair, 3);
	gate_let_go(&gate);
	for (int i = 0; i < 5; i++)
		thread_join(callers[i].thread);
	assert_int_equal(callers[0].status, ST_OK);
	assert_int_equal(callers[1].status, ST_UNPROCESSABLE);
	assert_string_equal(callers[1].err.text, "This job fails after its work.");
	assert_int_equal(callers[2].status, ST_CONFLICT);
	assert_int_equal(callers[3].status, ST_OK);
	assert_int_equal(callers[4].status, ST_OK);
	assert_int_equal(metric_value(METRIC_COMMITS) - commits, 2); /* the gate, and one for all five */
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry"), 6);
	check_no_halves(f->reader);
}

static void commit_fails(struct fixture *f, enum db_faulty_when when, int64_t rows)
{
	struct gate gate;
	struct caller callers[3];
	gate_close(&gate, f->recorder);
	caller_start(&callers[0], f->recorder, insert_pair, 1);
	caller_start(&callers[1], f->recorder, refuse, 2);
	caller_start(&callers[2], f->recorder, insert_pair, 3);
	db_faulty_plan(f->db, DB_FAULTY_COMMIT, 2, 1, when, ST_UNAVAILABLE); /* the gate's is the first */
	gate_let_go(&gate);
	for (int i = 0; i < 3; i++)
		thread_join(callers[i].thread);
	assert_int_equal(callers[0].status, ST_UNAVAILABLE);
	assert_string_equal(callers[0].err.text, "This call fails by plan.");
	assert_int_equal(callers[1].status, ST_UNPROCESSABLE); /* its own error says more */
	assert_int_equal(callers[2].status, ST_UNAVAILABLE);
	assert_string_equal(callers[2].err.text, "This call fails by plan.");
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry"), rows);
	assert_int_equal(run_pair(f, 4), ST_OK);
	check_no_halves(f->reader);
}

static void test_a_failing_commit_fails_all(void **state)
{
	commit_fails(*state, DB_FAULTY_BEFORE, 0);
}

static void test_a_lost_answer_to_commit_fails_all(void **state)
{
	commit_fails(*state, DB_FAULTY_AFTER, 4);
}

/* ---- the database fails ---- */

static void test_each_call_fails_once(void **state)
{
	struct fixture *f = *state;
	int64_t id = 0;
	for (int when = DB_FAULTY_BEFORE; when <= DB_FAULTY_AFTER; when++) {
		for (unsigned in_a_row = 1; in_a_row <= 3;
			in_a_row++) { /* also the rollback, and connecting again */
			bool fired = true;
			for (unsigned nth = 1; fired; nth++) {
				assert_true(nth < 100);
				db_faulty_plan(f->db, DB_FAULTY_ANY, nth, in_a_row, when, ST_UNAVAILABLE);
				enum status st = run_pair(f, ++id);
				fired = db_faulty_fired(f->db) > 0;
				db_faulty_plan(f->db, DB_FAULTY_ANY, 0, 0, when, ST_OK);
				assert_int_equal(st, fired ? ST_UNAVAILABLE : ST_OK);
				check_no_halves(f->reader);
				assert_int_equal(run_pair(f, ++id), ST_OK);
				int64_t rows = number(f->reader, "SELECT count(*) FROM entry");
				check_no_halves(f->reader);
				assert_int_equal(
					rows, number(f->reader, "SELECT count(DISTINCT id) FROM entry"));
			}
		}
	}
}

static enum status limit_pages(struct db_conn *c, void *arg, struct err *err)
{
	return db_script(c, arg, err);
}

static enum status insert_large(struct db_conn *c, void *arg, struct err *err)
{
	static const uint8_t large[100000];
	struct db_query q = db_query(c, "INSERT INTO entry (id, half, bytes) VALUES ($1, 0, $2)");
	db_bind_integer(&q, *(int64_t *)arg);
	db_bind_blob(&q, span_of(large, sizeof(large)));
	return db_done(&q, err);
}

static void test_a_full_disk_passes(void **state)
{
	struct fixture *f = *state;
	static char limit[] = "PRAGMA max_page_count = 100", space[] = "PRAGMA max_page_count = 1000000";
	assert_int_equal(recorder_run(f->recorder, limit_pages, limit, &f->err), ST_OK);
	int64_t id = 0;
	enum status st = ST_OK;
	while (st == ST_OK && id < 100) {
		id++;
		st = recorder_run(f->recorder, insert_large, &id, &f->err);
	}
	assert_int_equal(st, ST_UNAVAILABLE);
	assert_non_null(strstr(f->err.text, "The disk is full"));
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry"), id - 1);
	assert_int_equal(recorder_run(f->recorder, insert_large, &id, &f->err), ST_UNAVAILABLE); /* still */
	assert_int_equal(recorder_run(f->recorder, limit_pages, space, &f->err), ST_OK);
	assert_int_equal(recorder_run(f->recorder, insert_large, &id, &f->err), ST_OK);
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry"), id);
}

/* ---- limits and the end ---- */

static void test_a_full_queue_refuses(void **state)
{
	struct fixture *f = *state;
	struct gate gate;
	struct caller callers[2];
	int64_t id = 3;
	recorder_stop(f->recorder);
	assert_int_equal(start(f, 2, 64), ST_OK);
	gate_close(&gate, f->recorder);
	caller_start(&callers[0], f->recorder, insert_pair, 1);
	caller_start(&callers[1], f->recorder, insert_pair, 2);
	assert_int_equal(recorder_run(f->recorder, insert_pair, &id, &f->err), ST_UNAVAILABLE);
	assert_non_null(strstr(f->err.text, "2 writes are waiting"));
	gate_let_go(&gate);
	for (int i = 0; i < 2; i++)
		thread_join(callers[i].thread);
	assert_int_equal(run_pair(f, 3), ST_OK);
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry"), 6);
}

static void test_stopping_finishes_what_was_accepted(void **state)
{
	struct fixture *f = *state;
	struct gate gate;
	struct caller callers[3];
	gate_close(&gate, f->recorder);
	for (int i = 0; i < 3; i++)
		caller_start(&callers[i], f->recorder, insert_pair, i + 1);
	recorder_refuse(f->recorder);
	assert_int_equal(run_pair(f, 4), ST_UNAVAILABLE);
	assert_non_null(strstr(f->err.text, "stopping"));
	gate_let_go(&gate);
	recorder_stop(f->recorder);
	f->recorder = NULL;
	for (int i = 0; i < 3; i++) {
		thread_join(callers[i].thread);
		assert_int_equal(callers[i].status, ST_OK);
	}
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry"), 6);
}

/* ---- the log ---- */

static enum status read_log_bytes(struct db_conn *c, void *arg, struct err *err)
{
	*(int64_t *)arg = db_log_bytes(c);
	return ST_OK;
}

static void test_the_log_stays_bounded(void **state)
{
	struct fixture *f = *state;
	int64_t bytes = 0, most = 0, written = 0;
	assert_int_equal(db_script(f->reader, "BEGIN", &f->err), ST_OK);
	assert_int_equal(
		number(f->reader, "SELECT count(*) FROM entry"), 0); /* a reader that stays for long */
	int64_t id = 0;
	while (written < CHECKPOINT_TRUNCATE_BYTES + CHECKPOINT_TRUNCATE_BYTES / 4) {
		id++;
		assert_int_equal(recorder_run(f->recorder, insert_large, &id, &f->err), ST_OK);
		assert_int_equal(recorder_run(f->recorder, read_log_bytes, &bytes, &f->err), ST_OK);
		written += 100000;
	}
	assert_true(bytes > CHECKPOINT_TRUNCATE_BYTES); /* nobody was made to wait for that reader */
	assert_int_equal(db_script(f->reader, "ROLLBACK", &f->err), ST_OK);
	for (int i = 0; i < 200; i++) {
		id++;
		assert_int_equal(recorder_run(f->recorder, insert_large, &id, &f->err), ST_OK);
		assert_int_equal(recorder_run(f->recorder, read_log_bytes, &bytes, &f->err), ST_OK);
		most = i > 100 && bytes > most ? bytes : most;
	}
	assert_true(most < CHECKPOINT_TRUNCATE_BYTES / 2); /* it has begun again */
	assert_int_equal(number(f->reader, "SELECT count(*) FROM entry"), id);
}

/* ---- kill -9 ---- */

#define CHILD_THREADS 4

struct child_worker {
	struct recorder *recorder;
	int acknowledged; /* a pipe */
	int64_t first_id;
	thread_handle thread;
};

static void child_worker_main(void *arg)
{
	struct child_worker *w = arg;
	for (int64_t id = w->first_id;; id += CHILD_THREADS) {
		struct err err;
		if (recorder_run(w->recorder, insert_pair, &id, &err) != ST_OK ||
			write(w->acknowledged, &id, sizeof(id)) != sizeof(id))
			_exit(1);
	}
}

static _Noreturn void child_main(const char *path, int acknowledged, int64_t first_id)
{
	struct db *db;
	struct recorder *r;
	struct child_worker workers[CHILD_THREADS];
	if (db_sqlite_open(path, &db, NULL) != ST_OK || recorder_start(db, 100, 64, &r, NULL) != ST_OK)
		_exit(1);
	for (int i = 0; i < CHILD_THREADS; i++) {
		workers[i] = (struct child_worker){
			.recorder = r, .acknowledged = acknowledged, .first_id = first_id + i};
		thread_start(&workers[i].thread, "worker", child_worker_main, &workers[i]);
	}
	for (int i = 0; i < CHILD_THREADS; i++)
		thread_join(workers[i].thread);
	_exit(1);
}

/* Runs a child, kills it after some acknowledgements; all that it gave are in ids. */
static size_t run_and_kill(
	const char *path, int64_t first_id, int acknowledgements, int64_t *ids, size_t ids_max)
{
	int pipe_ends[2];
	assert_int_equal(pipe(pipe_ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pipe_ends[0]);
		child_main(path, pipe_ends[1], first_id);
	}
	close(pipe_ends[1]);
	size_t count = 0;
	int64_t id;
	while (read(pipe_ends[0], &id, sizeof(id)) == sizeof(id)) {
		assert_true(count < ids_max);
		ids[count++] = id;
		if (count == (size_t)acknowledgements)
			assert_int_equal(kill(child, SIGKILL), 0);
	}
	close(pipe_ends[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return count;
}

static void check_present(struct db_conn *c, const int64_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct db_query q = db_query(c, "SELECT count(*) FROM entry WHERE id = $1 OR id = -$1");
		db_bind_integer(&q, ids[i]);
		assert_true(db_next(&q));
		assert_int_equal(db_integer(&q, 0), 2);
		assert_int_equal(db_done(&q, NULL), ST_OK);
	}
	check_no_halves(c);
}

static void test_killed_at_any_moment(void **state)
{
	static int64_t ids[200000];
	char folder[PATH_MAX - 16], path[PATH_MAX];
	struct db *db;
	struct db_conn *c;
	struct err err;
	snprintf(
		folder, sizeof(folder), "%s/recorder-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	assert_int_equal(db_sqlite_open(path, &db, &err), ST_OK);
	assert_int_equal(db_connect(db, true, &c, &err), ST_OK);
	assert_int_equal(db_script(c, schema, &err), ST_OK);
	unsigned seed = (unsigned)clock_unix_us();
	print_message("seed %u\n", seed);
	size_t total = 0;
	for (int round = 0; round < 20; round++) {
		db_disconnect(c);
		db_close(db);
		int acknowledgements = 1 + rand_r(&seed) % 100;
		total += run_and_kill(
			path, 1 + round * 1000000, acknowledgements, ids + total, COUNT_OF(ids) - total);
		assert_int_equal(db_sqlite_open(path, &db, &err), ST_OK);
		assert_int_equal(db_connect(db, true, &c, &err), ST_OK);
		check_present(c, ids, total);
	}
	assert_int_equal(
		number(c, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	db_disconnect(c);
	db_close(db);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_killed_at_any_moment), /* first: it forks, and there are no threads yet */
		TEST(test_all_are_committed_once_in_groups),
		TEST(test_a_failing_job_fails_alone),
		TEST(test_a_failing_commit_fails_all),
		TEST(test_a_lost_answer_to_commit_fails_all),
		TEST(test_each_call_fails_once),
		TEST(test_a_full_disk_passes),
		TEST(test_a_full_queue_refuses),
		TEST(test_stopping_finishes_what_was_accepted),
		TEST(test_the_log_stays_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
