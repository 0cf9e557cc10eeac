/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch/watch.h, its tail, its file, its recount and its audit: each prediction is counted once, whatever
 * happens to the file, to images, to thresholds and to the server. What the counts are is in test_summary.c.
 */
#include "watch/watch.h"

#include "base/json.h"
#include "os/clock.h"
#include "os/file.h"
#include "review_world.h"
#include "store/data_source_rows.h"
#include "store/failure_rows.h"
#include "watch/counting.h"
#include "watch/rollups.h"
#include "watch/watch_file.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE_US ((int64_t)60 * 1000000)
#define DAY_US ((int64_t)86400 * 1000000)

static struct review_world w;
static struct db_readers *readers;
static struct recorder *recorder;
static struct jobs *jobs;
static struct watch *watch;
static char folder[] = "/tmp/gyre-tail-XXXXXX", path[64];
static struct uuid shadow_version;
static uint64_t chance;

static uint32_t below(uint32_t count)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((chance >> 33) % count);
}

#define UNTIL(condition)                                                                                     \
	do {                                                                                                 \
		int64_t deadline_us_ = clock_mono_us() + PATIENCE_US;                                        \
		while (!(condition)) {                                                                       \
			if (clock_mono_us() > deadline_us_)                                                  \
				fail_msg("not in time: %s", #condition);                                     \
			poll(NULL, 0, 1);                                                                    \
		}                                                                                            \
	} while (0)

/* ---- a watch on the world ---- */

static void open_watch(void)
{
	RW_OK(&w, watch_open(&(struct watch_options){.path = path, .readers = readers, .recorder = recorder},
			  &watch, &w.err));
}

static void start_watch(void)
{
	open_watch();
	RW_OK(&w, watch_start(watch, &w.err));
}

static void close_watch(void)
{
	watch_close(watch);
	watch = NULL;
}

static int64_t log_end(void)
{
	return rw_number(&w,
		"SELECT max(position) FROM (SELECT position FROM prediction UNION ALL"
		" SELECT position FROM gone_prediction)",
		(struct uuid){{0}});
}

static void wait_counted(void)
{
	watch_recorded(watch);
	UNTIL(watch_position(watch) == log_end());
}

static void remove_watch(void)
{
	static const char *const endings[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		char name[96];
		snprintf(name, sizeof(name), "%s%s", path, endings[i]);
		unlink(name);
	}
}

static int set_up(void **state)
{
	rw_open(&w);
	RW_OK(&w, db_readers_new(w.db, 4, &readers, &w.err));
	RW_OK(&w, recorder_start(w.db, 64, 16, &recorder, &w.err));
	RW_OK(&w, jobs_new(&(struct jobs_options){.readers = readers, .recorder = recorder, .threads = 1},
			  &jobs, &w.err));
	snprintf(path, sizeof(path), "%s/watch.db", folder);
	shadow_version = rw_id();
	chance = 7;
	return 0;
}

static int tear_down(void **state)
{
	jobs_free(jobs);
	if (watch)
		close_watch();
	remove_watch();
	recorder_stop(recorder);
	db_readers_free(readers);
	rw_close(&w);
	return 0;
}

/* ---- predictions ---- */

static struct shapes random_shapes(void)
{
	size_t count = below(6);
	struct shape *items = ARENA_ARRAY(&w.arena, struct shape, count + 1);
	float score = 0.99f;
	for (size_t i = 0; i < count; i++) {
		float x = (float)below(500), y = (float)below(400);
		score -= (float)below(30) / 100;
		if (score < SHAPE_SCORE_FLOOR)
			return (struct shapes){items, i};
		items[i] = (struct shape){.kind = SHAPE_BOX,
			.label = (int32_t)below(3),
			.score = score,
			.box = {x, y, x + 40, y + 30}};
	}
	return (struct shapes){items, count};
}

static void set_source(struct uuid asset, const char *name)
{
	struct uuid source;
	RW_OK(&w, data_source_rows_get_or_create(w.conn, name, RW_FIRST_US, &source, &w.err));
	struct db_query q = db_query(w.conn, "UPDATE data SET source_id = $1 WHERE id ="
					     " (SELECT data_id FROM predicted_asset WHERE id = $2)");
	db_bind_uuid(&q, source);
	db_bind_uuid(&q, asset);
	RW_OK(&w, db_done(&q, &w.err));
}

static void add_shadow(struct uuid asset)
{
	struct shapes shapes = random_shapes();
	struct prediction_row p = {.id = rw_id(),
		.deployment_id = w.deployment_id,
		.predicted_asset_id = asset,
		.model_version_id = shadow_version,
		.is_shadow = true,
		.created_us = RW_FIRST_US + (int64_t)below(1000) * RW_SECOND_US,
		.threshold = 0.5,
		.steps_us = "{}",
		.latency_us = 5000,
		.shapes = shapes_pack(&shapes, &w.arena),
		.image_stats = "{}"};
	RW_OK(&w, prediction_rows_insert(w.conn, &p, &w.err));
}

/* In one transaction, as hundreds are added. */
static void add_images(size_t count, struct uuid *assets)
{
	static const char *const sources[] = {"camera-1", "camera-2", "serving"};
	RW_OK(&w, db_script(w.conn, "BEGIN", &w.err));
	for (size_t i = 0; i < count; i++) {
		struct shapes shapes = random_shapes();
		struct uuid asset = rw_add_image_of(&w, w.deployment_id, &shapes);
		if (below(4))
			set_source(asset, sources[below(COUNT_OF(sources))]);
		if (below(3) == 0)
			add_shadow(asset);
		if (assets)
			assets[i] = asset;
	}
	RW_OK(&w, db_script(w.conn, "COMMIT", &w.err));
}

/* ---- what was counted ---- */

struct totals {
	uint64_t predictions, shadows, shapes;
};

static enum status add_total(void *arg, const struct rollup_key *key, struct span packed, struct err *err)
{
	struct totals *t = arg;
	struct summary *s = calloc(1, sizeof(*s));
	enum status st = summary_unpack_into(s, packed, err);
	*(key->is_shadow ? &t->shadows : &t->predictions) += s->predictions;
	if (!key->is_shadow)
		t->shapes += s->shapes;
	summary_release(s);
	free(s);
	return st;
}

static struct totals totals(enum rollup_view view, int level_s)
{
	struct totals t = {0};
	struct db_conn *c;
	const struct rollup_key key = {
		.deployment_id = w.deployment_id, .view = view, .level_s = level_s, .source = ""};
	RW_OK(&w, db_reader_take(watch_readers(watch), &c, &w.err));
	RW_OK(&w, rollups_read(c, &key, 0, INT64_MAX, add_total, &t, &w.err));
	db_reader_give(watch_readers(watch), c);
	return t;
}

static int64_t stored_number(const char *sql)
{
	struct db_conn *c;
	int64_t number;
	RW_OK(&w, db_reader_take(watch_readers(watch), &c, &w.err));
	struct db_query q = db_query(c, sql);
	RW_OK(&w, rows_number(&q, &number, &w.err));
	db_reader_give(watch_readers(watch), c);
	return number;
}

static void expect_counts(uint64_t images)
{
	static const int levels[] = {60, 3600, 86400};
	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		struct totals t = totals(ROLLUP_ANSWERED, levels[i]);
		assert_int_equal(t.predictions, images);
		assert_int_equal(t.predictions + t.shadows, log_end());
	}
}

static void expect_equal(void)
{
	struct audit audit;
	RW_OK(&w, watch_audit(w.db, path, &w.arena, &audit, &w.err));
	if (audit.differences)
		fail_msg("%zu differences: %s", audit.differences, audit.first[0]);
	assert_int_equal(audit.position, log_end());
	assert_int_equal(audit.predictions, rw_number(&w,
						    "SELECT (SELECT count(*) FROM prediction) +"
						    " (SELECT count(*) FROM gone_prediction)",
						    (struct uuid){{0}}));
	assert_true(audit.rollups > 0 && audit.heats > 0 && audit.samples > 0);
}

/* ---- tests ---- */

static void test_counts_each_once(void **state)
{
	add_images(700, NULL);
	start_watch();
	wait_counted();
	expect_counts(700);
	add_images(3, NULL);
	wait_counted();
	expect_counts(703);
	assert_int_equal(stored_number("SELECT count(*) FROM sample"), 703);
	assert_int_equal(stored_number("SELECT count(*) FROM source"), 4); /* those without are "other" */
	expect_equal();
}

static void test_goes_on_after_a_restart(void **state)
{
	add_images(40, NULL);
	start_watch();
	wait_counted();
	close_watch();
	add_images(600, NULL);
	for (int i = 0; i < 5; i++) { /* each as far as it comes */
		start_watch();
		close_watch();
	}
	add_images(1, NULL);
	start_watch();
	wait_counted();
	expect_counts(641);
	expect_equal();
}

static void test_time_in_the_past(void **state)
{
	add_images(20, NULL);
	start_watch();
	wait_counted();
	w.images = -3 * 86400; /* seconds after the first: three days before */
	add_images(20, NULL);
	wait_counted();
	expect_counts(40);
	const struct rollup_key key = {.deployment_id = w.deployment_id, .level_s = 86400, .source = ""};
	struct totals early = {0};
	struct db_conn *c;
	RW_OK(&w, db_reader_take(watch_readers(watch), &c, &w.err));
	RW_OK(&w, rollups_read(c, &key, 0, RW_FIRST_US - DAY_US, add_total, &early, &w.err));
	db_reader_give(watch_readers(watch), c);
	assert_int_equal(early.predictions, 20);
	expect_equal();
}

static void test_deleted_images_stay_counted(void **state)
{
	struct uuid assets[60];
	bool existed;
	add_images(60, assets);
	for (size_t i = 0; i < 20; i++) /* before they are counted */
		RW_OK(&w, prediction_rows_delete_asset(w.conn, assets[i], &existed, &w.err));
	start_watch();
	wait_counted();
	for (size_t i = 20; i < 40; i++) /* and after */
		RW_OK(&w, prediction_rows_delete_asset(w.conn, assets[i], &existed, &w.err));
	assert_true(existed);
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM predicted_asset", (struct uuid){{0}}), 20);
	expect_counts(60);
	expect_equal();
	close_watch();
	remove_watch(); /* made anew from what is left and what is gone */
	start_watch();
	wait_counted();
	expect_counts(60);
	expect_equal();
}

static void test_a_deleted_deployment_is_forgotten(void **state)
{
	add_images(30, NULL);
	struct uuid other = rw_add_deployment(&w, "other"), first = w.deployment_id;
	w.deployment_id = other;
	add_images(30, NULL);
	w.deployment_id = first;
	start_watch();
	wait_counted();
	RW_OK(&w, deployment_rows_delete(w.conn, other, &w.err));
	RW_OK(&w, watch_forget(watch, other, &w.err));
	assert_int_equal(stored_number("SELECT count(DISTINCT deployment_id) FROM rollup"), 1);
	close_watch();
	start_watch(); /* the end of the log is gone: that is no reason to begin anew */
	RW_OK(&w, deployment_rows_delete(w.conn, first, &w.err));
	close_watch(); /* deleted, and the server ended before it was forgotten */
	start_watch();
	assert_int_equal(stored_number("SELECT count(*) FROM rollup"), 0);
	assert_int_equal(stored_number("SELECT count(*) FROM sample"), 0);
	assert_true(stored_number("SELECT position FROM tail") > 0);
}

/* ---- sources ---- */

static struct uuid source_id(const char *name)
{
	struct data_source_row row;
	RW_OK(&w, data_source_rows_by_name(w.conn, name, &w.arena, &row, &w.err));
	return row.id;
}

static int64_t counted_sources(const char *name)
{
	struct db_conn *c;
	int64_t number;
	RW_OK(&w, db_reader_take(watch_readers(watch), &c, &w.err));
	struct db_query q = db_query(c, "SELECT count(*) FROM rollup WHERE source = $1");
	db_bind_text(&q, name);
	RW_OK(&w, rows_number(&q, &number, &w.err));
	db_reader_give(watch_readers(watch), c);
	return number;
}

static void test_what_was_counted_follows_a_source_name(void **state)
{
	struct uuid assets[60];
	bool existed;
	add_images(60, assets);
	start_watch();
	wait_counted();
	for (size_t i = 0; i < 10; i++)
		RW_OK(&w, prediction_rows_delete_asset(w.conn, assets[i], &existed, &w.err));
	RW_OK(&w, data_source_rows_rename(w.conn, source_id("camera-1"), "gate", &w.err));
	RW_OK(&w, watch_source_renamed(watch, "camera-1", "gate", &w.err));
	assert_true(counted_sources("gate") > 0 && counted_sources("camera-1") == 0);
	expect_counts(60);
	expect_equal();
	RW_OK(&w, data_source_rows_delete(w.conn, source_id("gate"), &w.err));
	RW_OK(&w, watch_source_renamed(watch, "gate", "", &w.err)); /* now among the others: anew */
	wait_counted();
	assert_int_equal(counted_sources("gate"), 0);
	expect_counts(60);
	expect_equal();
	close_watch(); /* renamed, and the server ended before that was told */
	RW_OK(&w, data_source_rows_rename(w.conn, source_id("camera-2"), "yard", &w.err));
	start_watch();
	wait_counted();
	assert_true(counted_sources("yard") > 0 && counted_sources("camera-2") == 0);
	expect_counts(60);
	expect_equal();
}

/* ---- the file ---- */

static void change_file(const char *sql)
{
	struct db *db;
	struct db_conn *c;
	RW_OK(&w, db_sqlite_open(path, &db, &w.err));
	RW_OK(&w, db_connect(db, true, &c, &w.err));
	RW_OK(&w, db_script(c, sql, &w.err));
	db_disconnect(c);
	db_close(db);
}

static void expect_begun_anew(bool anew)
{
	open_watch();
	assert_int_equal(watch_position(watch) == 0, anew);
	RW_OK(&w, watch_start(watch, &w.err));
	wait_counted();
	expect_counts(25);
	expect_equal();
	close_watch();
}

static void test_the_file_is_made_anew_when_it_does_not_fit(void **state)
{
	add_images(25, NULL);
	start_watch();
	wait_counted();
	close_watch();
	expect_begun_anew(false);
	change_file("UPDATE made SET form = 'another'");
	expect_begun_anew(true);
	change_file("UPDATE tail SET position = position + 1"); /* of a log that was longer */
	expect_begun_anew(true);
	change_file("UPDATE made SET prediction_id = zeroblob(16)"); /* of another log, as long */
	expect_begun_anew(true);
	change_file("DROP TABLE made");
	expect_begun_anew(true);
	remove_watch();
	RW_OK(&w, file_write_durable(path, span_of_text("no database at all, but some text of some length"),
			  0600, &w.err));
	expect_begun_anew(true);
	expect_begun_anew(false);
}

static void test_the_audit_finds_what_is_wrong(void **state)
{
	static const char *const damages[] = {
		"DELETE FROM rollup WHERE level_s = 3600 AND source = ''",
		"UPDATE rollup SET summary = (SELECT summary FROM rollup WHERE level_s = 86400 AND source = "
		"''"
		" LIMIT 1) WHERE level_s = 60 AND source = 'camera-1'",
		"DELETE FROM heat WHERE label = 1",
		"UPDATE sample SET position = position + 1 WHERE position = 3",
		"INSERT INTO source (deployment_id, name) VALUES (zeroblob(16), 'x')",
	};
	struct audit audit;
	struct err err;
	assert_int_equal(watch_audit(w.db, path, &w.arena, &audit, &err), ST_MISSING);
	add_images(25, NULL);
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		start_watch();
		wait_counted();
		close_watch();
		change_file(damages[i]);
		RW_OK(&w, watch_audit(w.db, path, &w.arena, &audit, &w.err));
		if (audit.differences == 0 || audit.first[0] == NULL)
			fail_msg("not found: %s", damages[i]);
		remove_watch();
	}
}

/* ---- thresholds ---- */

static uint64_t shapes_at(double threshold)
{
	uint64_t count = 0;
	struct db_query q = db_query(w.conn, "SELECT shapes FROM prediction WHERE is_shadow = 0 UNION ALL"
					     " SELECT shapes FROM gone_prediction WHERE is_shadow = 0");
	while (db_next(&q)) {
		struct shapes shapes;
		RW_OK(&w, shapes_unpack(db_blob(&q, 0, &w.arena), &w.arena, &shapes, &w.err));
		for (size_t i = 0; i < shapes.count; i++)
			count += shapes.items[i].score >= threshold;
	}
	RW_OK(&w, db_done(&q, &w.err));
	return count;
}

static void set_threshold(double threshold)
{
	struct db_query q = db_query(w.conn, "UPDATE deployment SET threshold = $1");
	db_bind_real(&q, threshold);
	RW_OK(&w, db_done(&q, &w.err));
	q = db_query(w.conn, "INSERT INTO deployment_event (deployment_id, at_us, what, who)"
			     " VALUES ($1, 1, 'threshold', 'ann')");
	db_bind_uuid(&q, w.deployment_id);
	RW_OK(&w, db_done(&q, &w.err));
}

static bool view_now(bool *recut)
{
	struct db_conn *c;
	bool ready;
	RW_OK(&w, db_reader_take(watch_readers(watch), &c, &w.err));
	RW_OK(&w, watch_view_now(w.conn, c, w.deployment_id, recut, &ready, &w.err));
	db_reader_give(watch_readers(watch), c);
	return ready;
}

static void expect_recut(double threshold)
{
	bool recut;
	UNTIL(view_now(&recut));
	assert_true(recut);
	assert_int_equal(totals(ROLLUP_RECUT, 86400).shapes, shapes_at(threshold));
	assert_int_equal(totals(ROLLUP_ANSWERED, 86400).shapes, shapes_at(0.5));
	expect_equal();
}

static void test_recounts_at_another_threshold(void **state)
{
	struct uuid assets[620];
	bool recut, existed;
	add_images(620, assets);
	start_watch();
	wait_counted();
	assert_true(view_now(&recut) && !recut);
	set_threshold(0.3);
	assert_false(view_now(&recut));
	RW_OK(&w, watch_threshold_changed(watch, jobs, w.deployment_id, 0.3, "ann", &w.err));
	expect_recut(0.3);
	RW_OK(&w, prediction_rows_delete_asset(w.conn, assets[5], &existed, &w.err));
	add_images(10, NULL); /* the tail carries it along */
	wait_counted();
	expect_recut(0.3);
	set_threshold(0.7); /* twice at once: the last one counts */
	RW_OK(&w, watch_threshold_changed(watch, jobs, w.deployment_id, 0.6, "ann", &w.err));
	RW_OK(&w, watch_threshold_changed(watch, jobs, w.deployment_id, 0.7, "ann", &w.err));
	expect_recut(0.7);
	assert_int_not_equal(shapes_at(0.3), shapes_at(0.7));
}

static void test_a_recount_that_was_cut_short_is_resumed(void **state)
{
	bool recut;
	add_images(50, NULL);
	set_threshold(0.2);
	start_watch(); /* of a file that is new: nobody said that the threshold had changed */
	wait_counted();
	assert_false(view_now(&recut));
	RW_OK(&w, watch_resume(watch, jobs, &w.err));
	expect_recut(0.2);
	jobs_free(jobs);
	close_watch();
	change_file("UPDATE recut SET position = -1"); /* asked for, and not begun */
	RW_OK(&w, jobs_new(&(struct jobs_options){.readers = readers, .recorder = recorder, .threads = 1},
			  &jobs, &w.err));
	start_watch();
	assert_false(view_now(&recut));
	RW_OK(&w, watch_resume(watch, jobs, &w.err));
	expect_recut(0.2);
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM job WHERE kind = 'recount'", (struct uuid){{0}}), 2);
	RW_OK(&w, watch_resume(watch, jobs, &w.err)); /* nothing is left to do */
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM job WHERE kind = 'recount'", (struct uuid){{0}}), 2);
}

/* ---- failures ---- */

static void test_failures_are_counted_by_kind(void **state)
{
	struct failure_row *rows;
	size_t count;
	int64_t total;
	start_watch();
	for (int i = 0; i < 3; i++)
		watch_failed(watch, w.deployment_id, 415, "decode", i == 2 ? "The last." : "Not that.");
	watch_failed(watch, w.deployment_id, 503, "receive", "It is paused.");
	watch_failed(watch, rw_id(), 500, "infer", "Of a deployment that is gone.");
	close_watch();
	start_watch(); /* added to what is there, perhaps in another minute */
	watch_failed(watch, w.deployment_id, 415, "decode", "After all.");
	UNTIL(failure_rows_total(w.conn, w.deployment_id, &total, &w.err) == ST_OK && total == 4);
	RW_OK(&w, failure_rows_list(w.conn, w.deployment_id, 0, INT64_MAX, &w.arena, &rows, &count, &w.err));
	int64_t counted = 0;
	for (size_t i = 0; i < count; i++)
		counted += rows[i].count;
	assert_int_equal(counted, 5);
	assert_int_equal(rw_number(&w,
				 "SELECT count(*) FROM failure WHERE last_text IN ('The last.',"
				 " 'After all.', 'It is paused.')",
				 (struct uuid){{0}}),
		count);
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM failure WHERE minute_us % 60000000 <> 0",
				 (struct uuid){{0}}),
		0);
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM failure WHERE http_status = 500", (struct uuid){{0}}), 0);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts_each_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_goes_on_after_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_time_in_the_past, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deleted_images_stay_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_deleted_deployment_is_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_was_counted_follows_a_source_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_file_is_made_anew_when_it_does_not_fit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_audit_finds_what_is_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_recounts_at_another_threshold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_recount_that_was_cut_short_is_resumed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_failures_are_counted_by_kind, set_up, tear_down),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
