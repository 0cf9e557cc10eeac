/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch/observer.h on databases: outliers are rows, drift is an event once whatever is done again, and what
 * was stored goes on; other versions, shadows and other thresholds have no part in it.
 */
#include "watch/observer.h"

#include "drift_world.h"
#include "os/file.h"
#include "review_world.h"
#include "store/alert_rows.h"
#include "store/db_sqlite.h"
#include "store/detectors_rows.h"
#include "store/reference_rows.h"
#include "store/training_data_rows.h"
#include "watch/alerts.h"
#include "watch/watch_file.h"

#include <string.h>

#define REFERENCE_IMAGES 200
#define FIRST 1000 /* position of the first image after the reference */

static struct review_world w;
static struct recorder *recorder;
static struct db *watch_db;
static struct db_conn *watch;
static struct observer *o;
static struct uuid reference_id;
static struct chance chance;

static const char *stats_json(const struct seen_stats *s)
{
	return arena_printf(&w.arena,
		"{\"brightness\":%.9g,\"contrast\":%.9g,\"blur\":%.9g,\"mean_rgb\":[%.9g,%.9g,%.9g],"
		"\"entropy\":%.9g,"
		"\"dark\":0,\"bright\":0}",
		s->brightness, s->contrast, s->blur, s->mean_rgb[0], s->mean_rgb[1], s->mean_rgb[2],
		s->entropy);
}

static void add_reference(void)
{
	static struct made images[REFERENCE_IMAGES];
	struct seen seen[REFERENCE_IMAGES];
	bool calibration[REFERENCE_IMAGES];
	struct outlier_model *m;
	struct training_data_row set = {.deployment_id = w.deployment_id,
		.active = true,
		.kind = "DATASET",
		.images_max = 5000,
		.set_us = RW_FIRST_US,
		.set_by = "ann"};
	struct reference_row row = {.id = reference_id,
		.deployment_id = w.deployment_id,
		.model_version_id = w.version_id,
		.kind = "DATASET",
		.status = "RUNNING",
		.images = REFERENCE_IMAGES,
		.held_out = true,
		.predicted = true,
		.created_us = RW_FIRST_US + 1,
		.ready_us = RW_FIRST_US + 2};
	RW_OK(&w, training_data_rows_put(w.conn, &set, &w.err));
	RW_OK(&w, reference_rows_insert(w.conn, &row, &w.err));
	for (size_t i = 0; i < REFERENCE_IMAGES; i++) {
		make_image(&images[i], &chance, 100000 + i, TASK_DETECTION);
		seen[i] = images[i].seen;
		calibration[i] = i % 2;
		struct reference_image_row image = {.ordinal = (int64_t)i,
			.asset_id = images[i].row.id,
			.width = 640,
			.height = 480,
			.calibration = calibration[i],
			.image_stats = stats_json(&seen[i].stats),
			.shapes = shapes_pack(&seen[i].shapes, &w.arena),
			.features = images[i].row.features};
		RW_OK(&w, reference_rows_insert_image(w.conn, reference_id, &image, &w.err));
	}
	RW_OK(&w, outlier_fit(seen, calibration, REFERENCE_IMAGES, &w.arena, &m, &w.err));
	RW_OK(&w, reference_rows_ready(w.conn, &row, outlier_pack(m, &w.arena), &w.err));
}

static int set_up(void **state)
{
	rw_open(&w);
	chance = (struct chance){5};
	reference_id = rw_id();
	RW_OK(&w, alerts_insert_defaults(w.conn, w.deployment_id, RW_FIRST_US, "ann", &w.err));
	add_reference();
	RW_OK(&w, db_sqlite_open_temporary(&watch_db, &w.err));
	RW_OK(&w, watch_file_fill(watch_db, &w.err));
	RW_OK(&w, db_connect(watch_db, true, &watch, &w.err));
	RW_OK(&w, recorder_start(w.db, 16, 4, &recorder, &w.err));
	o = observer_new();
	return 0;
}

static int tear_down(void **state)
{
	observer_free(o);
	recorder_stop(recorder);
	db_disconnect(watch);
	db_close(watch_db);
	rw_close(&w);
	return 0;
}

/* ---- the tail's part ---- */

static void refresh(void)
{
	RW_OK(&w, observer_refresh(o, w.conn, watch, &w.err));
}

static bool fire(void)
{
	bool fired;
	RW_OK(&w, observer_fire(o, recorder, &fired, &w.err));
	return fired;
}

static void store(int64_t position)
{
	RW_OK(&w, observer_store(o, watch, position, &w.err));
}

static uint64_t scattered(uint64_t x) /* as SplitMix64 ends */
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Images first … last, by their positions the same each time. */
static void add(int64_t first, int64_t last, double darker)
{
	for (int64_t n = first; n <= last; n++) {
		struct made m;
		struct chance c = {scattered((uint64_t)n)};
		make_image(&m, &c, (uint64_t)n, TASK_DETECTION);
		m.row.deployment_id = w.deployment_id;
		m.row.version_id = w.version_id;
		m.seen.stats.brightness -= darker;
		observer_add(o, &m.seen);
	}
}

static int64_t count(const char *sql)
{
	int64_t number;
	struct db_query q = db_query_dynamic(watch, sql);
	RW_OK(&w, rows_number(&q, &number, &w.err));
	return number;
}

static size_t events(bool open_only, struct alert_event_row **items)
{
	size_t n;
	RW_OK(&w,
		alert_event_rows_list(w.conn, w.deployment_id, open_only, 100, &w.arena, items, &n, &w.err));
	return n;
}

/* ---- what must hold ---- */

static void outliers_are_rows_and_drift_is_an_event(void **state)
{
	struct alert_event_row *items;
	struct detectors_state s;
	refresh();
	add(FIRST, FIRST + 299, 0);
	assert_false(fire());
	store(FIRST + 299);
	assert_int_equal(count("SELECT count(*) FROM outlier"), 300);
	assert_int_equal(
		count("SELECT count(*) FROM outlier WHERE score >= 0 AND rank > 0 AND rank <= 1"), 300);
	refresh();
	add(FIRST + 300, FIRST + 399, 200);
	assert_true(fire());
	store(FIRST + 399);
	assert_int_equal(events(true, &items), 1); /* it alarms again, and is told once */
	print_message("           %s\n", items[0].sentence);
	assert_non_null(strstr(items[0].sentence, "Brightness"));
	assert_non_null(strstr(items[0].sentence, "lower than"));
	assert_non_null(strstr(items[0].sentence, "reference is small (200 images)"));
	assert_non_null(strstr(items[0].detail, "\"feature\":\"brightness\""));
	assert_in_range(
		count("SELECT count(*) FROM outlier WHERE rank <= 0.02 AND position >= 1300"), 50, 100);
	/* For pages. */
	struct reference *r;
	struct detectors *d;
	RW_OK(&w, reference_load(w.conn, w.deployment_id, 0.5, &r, &w.err));
	RW_OK(&w, observer_detectors(watch, r, &d, &w.err));
	assert_non_null(d);
	detectors_state(d, &s);
	assert_int_equal(s.seen, 400);
	assert_in_range(s.alarms, 1, 5);
	detectors_free(d);
	reference_drop(r);
}

/* A batch that was told of but not stored, as the server died in between: done again it is the same event. */
static void done_again_it_is_the_same(void **state)
{
	struct alert_event_row *items, *again;
	refresh();
	add(FIRST, FIRST + 99, 0);
	assert_false(fire());
	store(FIRST + 99);
	refresh();
	add(FIRST + 100, FIRST + 180, 60);
	assert_true(fire());
	size_t n = events(false, &items);
	assert_int_equal(n, 1);
	observer_forget(o);
	refresh();
	add(FIRST + 1, FIRST + 99, 60); /* what is stored is not looked at twice, whatever it is now */
	add(FIRST + 100, FIRST + 180, 60);
	assert_false(fire());
	store(FIRST + 180);
	assert_int_equal(events(false, &again), 1);
	assert_string_equal(items[0].key, again[0].key);
	assert_int_equal(count("SELECT count(*) FROM outlier"), 181);
	/* As if nothing had been: the same state as in one go. */
	struct detectors_row stored, whole;
	bool found;
	RW_OK(&w, detectors_rows_get(watch, w.deployment_id, &w.arena, &stored, &found, &w.err));
	assert_true(found && stored.position == FIRST + 180);
	RW_OK(&w, db_script(watch, "DELETE FROM detectors", &w.err));
	observer_forget(o);
	refresh();
	add(FIRST, FIRST + 99, 0);
	add(FIRST + 100, FIRST + 180, 60);
	store(FIRST + 180);
	RW_OK(&w, detectors_rows_get(watch, w.deployment_id, &w.arena, &whole, &found, &w.err));
	assert_true(found && span_equal(stored.state, whole.state));
}

static void drift_that_is_over_ends(void **state)
{
	struct alert_event_row *items;
	refresh();
	add(FIRST, FIRST + 99, 60);
	assert_true(fire());
	store(FIRST + 99);
	assert_int_equal(events(true, &items), 1);
	refresh();
	add(FIRST + 100, FIRST + 999, 0);
	assert_false(fire());
	store(FIRST + 999);
	refresh();
	add(FIRST + 1000, FIRST + 1600, 0);
	assert_true(fire());
	assert_int_equal(events(true, &items), 0);
	assert_int_equal(events(false, &items), 1);
	assert_string_equal(items[0].closed_by, "gyre");
}

/* watch.db is removed and made anew from the log: what was told, and closed by somebody, is not told again.
 */
static void made_anew_nothing_is_told_twice(void **state)
{
	struct alert_event_row *items;
	refresh();
	add(FIRST, FIRST + 299, 60);
	assert_true(fire());
	store(FIRST + 299);
	assert_int_equal(events(true, &items), 1);
	RW_OK(&w,
		alert_event_close(w.conn, items[0].id, (FIRST + 300) * RW_SECOND_US, "ann", "seen", &w.err));
	/* The log's end, as predictions would have left it. */
	struct db_query q =
		db_query(w.conn, "INSERT INTO sqlite_sequence (name, seq) VALUES ('prediction', $1)");
	db_bind_integer(&q, FIRST + 299);
	RW_OK(&w, db_done(&q, &w.err));
	RW_OK(&w, db_script(watch, "DELETE FROM detectors; DELETE FROM outlier", &w.err));
	observer_forget(o);
	refresh();
	add(FIRST, FIRST + 299, 60);
	assert_false(fire());
	assert_int_equal(events(false, &items), 1);
	store(FIRST + 299);
	add(FIRST + 300, FIRST + 399, 60); /* what comes now is news */
	assert_true(fire());
	assert_int_equal(events(false, &items), 2);
}

static void others_have_no_part_in_it(void **state)
{
	struct made m;
	refresh();
	make_image(&m, &chance, FIRST, TASK_DETECTION);
	m.row.deployment_id = rw_id();
	m.row.version_id = w.version_id;
	observer_add(o, &m.seen); /* of another deployment */
	m.row.deployment_id = w.deployment_id;
	m.row.version_id = rw_id();
	observer_add(o, &m.seen); /* of another version */
	m.row.version_id = w.version_id;
	m.row.is_shadow = true;
	observer_add(o, &m.seen);
	store(FIRST);
	assert_int_equal(count("SELECT count(*) FROM outlier"), 0);
	assert_int_equal(count("SELECT count(*) FROM detectors"), 0);
}

static void another_threshold_begins_anew(void **state)
{
	struct detectors_row row;
	struct alert_event_row *items;
	bool found;
	refresh();
	add(FIRST, FIRST + 199, 0);
	store(FIRST + 199);
	RW_OK(&w, db_script(w.conn, "UPDATE deployment SET threshold = 0.7", &w.err));
	refresh();
	add(FIRST, FIRST + 199, 60); /* counted before */
	assert_false(fire());
	add(FIRST + 200, FIRST + 599, 0); /* fewer shapes reach it: that is no drift */
	assert_false(fire());
	store(FIRST + 599);
	RW_OK(&w, detectors_rows_get(watch, w.deployment_id, &w.arena, &row, &found, &w.err));
	assert_true(found && is_near(row.threshold, 0.7, 1e-12) && row.position == FIRST + 599);
	assert_int_equal(events(false, &items), 0);
	/* Training Data is switched off: nobody looks. */
	RW_OK(&w, db_script(w.conn, "UPDATE training_data SET active = 0", &w.err));
	refresh();
	add(FIRST + 600, FIRST + 699, 60);
	assert_false(fire());
	store(FIRST + 699);
	assert_int_equal(count("SELECT count(*) FROM outlier"), 600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(outliers_are_rows_and_drift_is_an_event),
		TEST(done_again_it_is_the_same),
		TEST(drift_that_is_over_ends),
		TEST(made_anew_nothing_is_told_twice),
		TEST(others_have_no_part_in_it),
		TEST(another_threshold_begins_anew),
	};
	return cmocka_run_group_tests_name("observer", tests, NULL, NULL);
}
