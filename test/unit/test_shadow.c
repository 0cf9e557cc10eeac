/* SPDX-License-Identifier: Apache-2.0 */
/* shadow/: each prediction of a champion is repeated once, whatever fails and whenever it is stopped. */
#include "shadow/shadows.h"

#include "base/metrics.h"
#include "serve_world.h"
#include "shadow/follower.h"
#include "shadow/outcomes.h"
#include "shadow/repeat.h"
#include "store/shadow_rows.h"

#include <sched.h>

static struct world w;
static struct shadows *shadows;
static struct db_readers *readers;
static _Atomic int told;
static _Atomic bool may_tell;

static void tell(void *arg, struct uuid deployment_id)
{
	CHECK(arg == &w && !uuid_is_zero(deployment_id) && atomic_load(&may_tell));
	atomic_fetch_add(&told, 1);
}

static void start_shadows(void)
{
	atomic_store(&may_tell, true);
	shadows = shadows_new(&(struct shadows_options){
		.readers = readers,
		.recorder = w.recorder,
		.blobs = w.blobs,
		.pixel_bytes_max = 64 << 20,
		.seat_timeout_us = PATIENCE_US,
		.retry_us = SECOND_US / 20,
		.changed = tell,
		.changed_arg = &w,
	});
	WORLD_OK(shadows_load_all(shadows, WORLD_ERR));
}

static void stop_shadows(void)
{
	shadows_stop(shadows);
	atomic_store(&may_tell, false);
	shadows_free(shadows);
	shadows = NULL;
}

static int open_world(void **state)
{
	world_open(&w);
	WORLD_OK(db_readers_new(w.db, 2, &readers, WORLD_ERR));
	start_shadows();
	return 0;
}

static int close_world(void **state)
{
	if (shadows)
		stop_shadows();
	db_readers_free(readers);
	world_close(&w);
	return world_children() == 0 ? 0 : -1; /* no process is left */
}

/* ---- rows ---- */

static enum status insert_shadow(struct db_conn *c, void *arg, struct err *err)
{
	struct shadow_row *row = arg;
	if (row->position < 0)
		TRY(shadow_rows_newest(c, &row->position, err));
	return shadow_rows_insert(c, row, err);
}

enum since { SINCE_START = 0, SINCE_NOW = -1 };

/* The row alone. */
static struct uuid add_shadow_row(struct uuid deployment_id, struct uuid version_id, enum since since)
{
	struct shadow_row row = {.id = uuid_v7(clock_unix_ms()),
		.deployment_id = deployment_id,
		.model_version_id = version_id,
		.since_us = clock_unix_us(),
		.position = since};
	world_write(&w, insert_shadow, &row);
	return row.id;
}

static struct uuid add_shadow(struct uuid deployment_id, struct uuid version_id, enum since since)
{
	struct uuid id = add_shadow_row(deployment_id, version_id, since);
	WORLD_OK(shadows_refresh(shadows, deployment_id, WORLD_ERR));
	return id;
}

static enum status delete_shadow(struct db_conn *c, void *arg, struct err *err)
{
	const struct shadow_row *row = arg;
	bool existed;
	TRY(shadow_rows_delete(c, row->deployment_id, row->model_version_id, &existed, err));
	CHECK(existed);
	return ST_OK;
}

static void remove_shadow(struct uuid deployment_id, struct uuid version_id)
{
	struct shadow_row row = {.deployment_id = deployment_id, .model_version_id = version_id};
	world_write(&w, delete_shadow, &row);
	WORLD_OK(shadows_refresh(shadows, deployment_id, WORLD_ERR));
}

/* How far it is, and the lag, in one snapshot. */
static struct shadow_row read_shadow(struct uuid deployment_id, struct uuid version_id, int64_t *lag)
{
	struct db_conn *c;
	struct shadow_row *rows, found = {0};
	size_t count;
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(shadow_rows_list(c, deployment_id, &w.arena, &rows, &count, WORLD_ERR));
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(rows[i].model_version_id, version_id))
			found = rows[i];
	assert_false(uuid_is_zero(found.id));
	WORLD_OK(shadow_rows_lag(c, deployment_id, found.position, lag, WORLD_ERR));
	db_reader_give(w.readers, c);
	return found;
}

static int64_t lag_of(struct uuid deployment_id, struct uuid version_id)
{
	int64_t lag;
	read_shadow(deployment_id, version_id, &lag);
	return lag;
}

static struct shadow_row caught_up(struct uuid deployment_id, struct uuid version_id)
{
	int64_t lag;
	WORLD_UNTIL(lag_of(deployment_id, version_id) == 0);
	return read_shadow(deployment_id, version_id, &lag);
}

static int64_t count_shadow_predictions(void)
{
	return world_number(&w, "SELECT count(*) FROM prediction WHERE is_shadow = 1");
}

static bool has_state(struct uuid shadow_id, enum shadow_state expected, const char *part)
{
	enum shadow_state state;
	char text[480];
	shadows_state(shadows, shadow_id, &state, text);
	return state == expected && strstr(text, part) != NULL;
}

/* ---- predictions ---- */

static struct span picture(struct arena *a, unsigned number)
{
	struct world_box box = {20 + number % 60, 20, 60, 60, (int)(number % 3)};
	return world_draw(a, 320, 240, (uint8_t)(110 + number % 40), &box, 1);
}

/* As the server does: recorded, then the bell. */
static void predict(struct uuid deployment_id, unsigned number)
{
	struct arena a;
	struct span answer;
	arena_init(&a);
	struct serve_request request = world_request(deployment_id, picture(&a, number), &a);
	WORLD_OK(serve_predict(w.serve, &request, &answer, WORLD_ERR));
	if (shadows)
		shadows_recorded(shadows, deployment_id);
	arena_release(&a);
}

static void predict_some(struct uuid deployment_id, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		predict(deployment_id, i);
}

struct scene {
	struct uuid champion, shadow, id;
};

static struct scene make_scene(const char *name)
{
	struct scene s = {.champion = world_add_sample(&w)};
	s.shadow = world_copy_version(&w, s.champion);
	s.id = world_deploy(&w, name, s.champion);
	return s;
}

/* The champion's prediction at this place, the first is 0. */
static struct uuid champion_prediction(struct uuid deployment_id, int64_t at)
{
	struct db_conn *c;
	struct predicted_row *rows;
	size_t count;
	int64_t total;
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(prediction_rows_list(
		c, deployment_id, true, 1, at, &w.arena, &rows, &count, &total, WORLD_ERR));
	db_reader_give(w.readers, c);
	assert_int_equal(count, 1);
	return rows[0].prediction.id;
}

/* ---- following ---- */

static void test_every_prediction_is_repeated_once(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 20); /* more than are read at once */
	struct uuid id = add_shadow(s.id, s.shadow, SINCE_START);
	for (unsigned i = 0; i < 7; i++)
		predict(s.id, 20 + i);
	struct shadow_row row = caught_up(s.id, s.shadow);
	assert_int_equal(row.predictions, 27);
	assert_int_equal(row.compared, 27);
	assert_int_equal(row.skipped, 0);
	assert_null(row.skipped_text);
	assert_true(row.cpu_us > 0 && row.champion_cpu_us > 0);
	assert_true(has_state(id, SHADOW_FOLLOWING, ""));
	assert_int_equal(count_shadow_predictions(), 27);
	/* The same model says the same of the same images, and the threshold in force is the champion's. */
	assert_int_equal(
		world_number(&w,
			"SELECT count(*) FROM prediction s JOIN prediction c ON c.predicted_asset_id ="
			" s.predicted_asset_id AND c.is_shadow = 0 WHERE s.is_shadow = 1 AND s.shapes = "
			"c.shapes"
			" AND s.threshold = c.threshold AND s.features = c.features AND s.shape_count = "
			"c.shape_count"
			" AND s.score_max = c.score_max AND s.cpu_us > 0 AND s.latency_us > 0 AND s.asked = 0"
			" AND s.model_version_id <> c.model_version_id"),
		27);
	assert_int_equal(
		row.cpu_us, world_number(&w, "SELECT sum(cpu_us) FROM prediction WHERE is_shadow = 1"));
	assert_int_equal(row.champion_cpu_us,
		world_number(&w, "SELECT sum(cpu_us) FROM prediction WHERE is_shadow = 0"));
	assert_true(atomic_load(&told) > 0);
}

static void test_since_now_is_not_before(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 3);
	add_shadow(s.id, s.shadow, SINCE_NOW);
	assert_int_equal(lag_of(s.id, s.shadow), 0);
	predict_some(s.id, 2);
	assert_int_equal(caught_up(s.id, s.shadow).predictions, 2);
	assert_int_equal(count_shadow_predictions(), 2);
}

/* Results and position are one transaction: whenever one looks, as many are there as the position says. */
static void test_the_position_says_what_is_there(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 60);
	add_shadow(s.id, s.shadow, SINCE_START);
	int looks = 0, middles = 0;
	for (int64_t lag = 1; lag > 0; looks++) {
		poll(NULL, 0, 1);
		int64_t there = world_number(&w,
			"SELECT (SELECT count(*) FROM prediction WHERE is_shadow = 1) -"
			" (SELECT count(*) FROM prediction WHERE is_shadow = 0 AND position <="
			" (SELECT position FROM deployment_shadow))");
		assert_int_equal(there, 0);
		struct shadow_row row = read_shadow(s.id, s.shadow, &lag);
		assert_int_equal(row.predictions, 60 - lag);
		middles += lag > 0 && lag < 60;
	}
	print_message("           %d looks, %d of them in the middle\n", looks, middles);
	assert_int_equal(count_shadow_predictions(), 60);
}

static void test_a_stop_and_a_start_go_on(void **state)
{
	struct scene s = make_scene("line 1");
	struct uuid second = world_copy_version(&w, s.champion);
	predict_some(s.id, 30);
	add_shadow_row(s.id, s.shadow, SINCE_START);
	add_shadow_row(s.id, second, SINCE_START);
	for (int64_t stops = 0, there = 0; there < 60; stops++) {
		stop_shadows();
		there = count_shadow_predictions();
		start_shadows();
		if (stops % 2) /* stopped at any moment, but not for ever before anything was done */
			WORLD_UNTIL(there == 60 || count_shadow_predictions() > there);
	}
	assert_int_equal(caught_up(s.id, s.shadow).predictions, 30);
	assert_int_equal(caught_up(s.id, second).predictions, 30);
	assert_int_equal(count_shadow_predictions(), 60);
}

static void test_what_was_said_by_it_before_is_not_said_again(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 5);
	struct model *m;
	WORLD_OK(roster_model(w.roster, s.shadow, &m, WORLD_ERR));
	world_change(&w, (struct world_change){.id = s.id, .champion_id = s.shadow}, m);
	model_drop(m);
	predict_some(s.id, 4);
	/* Of the nine images the former champion has seen five. */
	add_shadow(s.id, s.champion, SINCE_START);
	struct shadow_row row = caught_up(s.id, s.champion);
	assert_int_equal(row.predictions, 4);
	assert_int_equal(row.skipped, 0);
	assert_int_equal(count_shadow_predictions(), 4);
}

static void test_it_is_compared_with_the_present_champion_only(void **state)
{
	struct scene s = make_scene("line 1");
	struct uuid next = world_copy_version(&w, s.champion);
	predict_some(s.id, 5);
	struct model *m;
	WORLD_OK(roster_model(w.roster, next, &m, WORLD_ERR));
	world_change(&w, (struct world_change){.id = s.id, .champion_id = next}, m);
	model_drop(m);
	predict_some(s.id, 3);
	add_shadow(s.id, s.shadow, SINCE_START);
	struct shadow_row row = caught_up(s.id, s.shadow);
	assert_int_equal(row.predictions, 8);
	assert_int_equal(row.compared, 3);
	assert_int_equal(row.champion_cpu_us,
		world_number(&w,
			"SELECT sum(cpu_us) FROM prediction WHERE is_shadow = 0 AND model_version_id ="
			" (SELECT champion_id FROM deployment)"));
}

static void test_it_rests_with_its_deployment(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 4);
	world_change(&w, (struct world_change){.id = s.id, .paused_by = "ann"}, NULL);
	struct uuid id = add_shadow(s.id, s.shadow, SINCE_START);
	WORLD_UNTIL(has_state(id, SHADOW_PAUSED, "paused."));
	assert_int_equal(lag_of(s.id, s.shadow), 4);
	world_change(&w, (struct world_change){.id = s.id, .paused_by = ""}, NULL);
	WORLD_OK(shadows_refresh(shadows, s.id, WORLD_ERR));
	assert_int_equal(caught_up(s.id, s.shadow).predictions, 4);
	WORLD_UNTIL(has_state(id, SHADOW_FOLLOWING, ""));
}

/* ---- what goes wrong ---- */

static enum status delete_image(struct db_conn *c, void *arg, struct err *err)
{
	struct predicted_row row;
	bool existed;
	TRY(prediction_rows_by_id(c, *(struct uuid *)arg, &w.arena, &row, err));
	return prediction_rows_delete_asset(c, row.prediction.predicted_asset_id, &existed, err);
}

static void test_images_that_are_gone_are_passed_over(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 5);
	struct sha256 hash = hash_sha256(picture(&w.arena, 1));
	char key[SHA256_HEX_SIZE];
	hex_encode(hash.bytes, sizeof(hash.bytes), key);
	WORLD_OK(blob_remove(w.blobs, key, WORLD_ERR));
	struct uuid deleted = champion_prediction(s.id, 3);
	world_write(&w, delete_image, &deleted);
	int64_t skipped = metric_value(METRIC_SHADOW_SKIPPED);
	add_shadow(s.id, s.shadow, SINCE_START);
	struct shadow_row row = caught_up(s.id, s.shadow);
	assert_int_equal(row.predictions, 3);
	assert_int_equal(row.skipped, 1); /* the deleted one is in the log no more */
	assert_non_null(row.skipped_text);
	WORLD_UNTIL(metric_value(METRIC_SHADOW_SKIPPED) - skipped == 1);
}

static void test_a_failing_disk_is_waited_for(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 4);
	/* Each call of a batch in turn fails: reading the tasks, the image, storing. */
	for (unsigned nth = 1; nth <= 3; nth++) {
		struct uuid version = world_copy_version(&w, s.champion);
		add_shadow_row(s.id, version, SINCE_START);
		blob_faulty_plan(w.blobs, nth + 1, BLOB_FAULTY_BEFORE,
			ST_INTERNAL); /* the first is the model's file */
		db_faulty_plan(w.db, DB_FAULTY_COMMIT, 1, nth, nth % 2 ? DB_FAULTY_BEFORE : DB_FAULTY_AFTER,
			ST_UNAVAILABLE);
		WORLD_OK(shadows_refresh(shadows, s.id, WORLD_ERR));
		assert_int_equal(caught_up(s.id, version).skipped, 0);
		assert_true(db_faulty_fired(w.db) > 0 && blob_faulty_fired(w.blobs) == 1);
		db_faulty_plan(w.db, DB_FAULTY_ANY, 0, 0, DB_FAULTY_BEFORE, ST_OK);
		blob_faulty_plan(w.blobs, 0, BLOB_FAULTY_BEFORE, ST_OK);
		assert_int_equal(count_shadow_predictions(), 4 * nth);
		assert_int_equal(read_shadow(s.id, version, &(int64_t){0}).predictions, 4);
	}
}

static void test_held_it_says_why_and_comes_back(void **state)
{
	struct scene s = make_scene("line 1");
	struct uuid broken = world_break_version(&w, s.champion, NULL);
	predict_some(s.id, 2);
	struct uuid id = add_shadow(s.id, broken, SINCE_START);
	WORLD_UNTIL(has_state(id, SHADOW_HELD, "Next try at 20"));
	assert_int_equal(lag_of(s.id, broken), 2);
	struct model_version_row row = world_read_version(&w, broken),
				 good = world_read_version(&w, s.champion);
	row.onnx_sha256 = good.onnx_sha256;
	world_write(&w, world_update_version, &row);
	assert_int_equal(caught_up(s.id, broken).predictions, 2);
	WORLD_UNTIL(has_state(id, SHADOW_FOLLOWING, ""));
}

/* A model that fails on every image: an input of another size than its recipe says. */
static void test_a_model_that_always_fails_is_held_and_its_images_passed_over(void **state)
{
	struct scene s = make_scene("line 1");
	struct world_version v = world_sample(&w);
	struct model_version_row row = world_read_version(&w, s.champion);
	predict_some(s.id, 9);
	/* The classifier's graph of 8 x 8 under the recipe of a detector passes no check: opened it is
	 * refused. */
	struct str file;
	str_init(&file, 1 << 20);
	model_loop_when_bad(&file);
	v.onnx = arena_copy(&w.arena, span_of(file.text, file.size));
	str_release(&file);
	char sha256[SHA256_HEX_SIZE];
	WORLD_OK(blob_put(w.blobs, v.onnx, sha256, WORLD_ERR));
	row.id = uuid_v7(clock_unix_ms());
	row.onnx_sha256 = sha256;
	world_write(&w, world_insert_version, &row);
	struct uuid id = add_shadow(s.id, row.id, SINCE_START);
	WORLD_UNTIL(has_state(id, SHADOW_HELD, "."));
	assert_int_equal(lag_of(s.id, row.id), 9); /* no image is blamed for a model that cannot be opened */
	remove_shadow(s.id, row.id);
}

/* Only what is still wanted is stored, and only for who still follows. */
static void test_outcomes_of_what_is_gone_are_nothing(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 3);
	struct uuid id = add_shadow_row(s.id, s.shadow, SINCE_START); /* nobody follows for it */
	struct db_conn *c;
	struct shadow_task *tasks;
	size_t count;
	struct shadow_row shadow = read_shadow(s.id, s.shadow, &(int64_t){0});
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(shadow_rows_tasks(c, &shadow, 0, OUTCOMES_MAX, &w.arena, &tasks, &count, WORLD_ERR));
	db_reader_give(w.readers, c);
	assert_int_equal(count, 3);

	struct outcomes o = {.shadow_id = id, .deployment_id = s.id, .position = tasks[2].position};
	struct model *m;
	struct budget pixels;
	budget_init(&pixels, "pixels", 64 << 20);
	WORLD_OK(roster_model(w.roster, s.champion, &m, WORLD_ERR)); /* any process that has the model */
	struct repeat r = {.blobs = w.blobs,
		.pixel_budget = &pixels,
		.model = m,
		.deployment_id = s.id,
		.seat_deadline_us = clock_mono_us() + PATIENCE_US};
	for (size_t i = 0; i < 3; i++) {
		struct outcome *one = &o.predicted[o.count++];
		assert_int_equal(repeat_run(&r, &tasks[i], &w.arena, &one->row, WORLD_ERR), REPEAT_NONE);
		one->row.model_version_id = s.shadow;
		one->champion_version_id = s.champion;
	}
	model_drop(m);
	assert_int_equal(atomic_load(&pixels.used), 0);

	struct uuid deleted = champion_prediction(s.id, 1);
	world_write(&w, delete_image, &deleted);
	struct err err;
	WORLD_OK(outcomes_store(w.recorder, &o, &err));
	WORLD_OK(
		outcomes_store(w.recorder, &o, &err)); /* a commit of which it was not known whether it was */
	int64_t lag;
	shadow = read_shadow(s.id, s.shadow, &lag);
	assert_int_equal(shadow.predictions, 2);
	assert_int_equal(lag, 0);
	assert_int_equal(count_shadow_predictions(), 2);

	/* The same version set anew is another following: the one before moves nothing. */
	remove_shadow(s.id, s.shadow);
	add_shadow_row(s.id, s.shadow, SINCE_START);
	for (size_t i = 0; i < o.count; i++)
		o.predicted[i].row.id = o.predicted[i].row.model_version_id = uuid_v7(clock_unix_ms());
	assert_int_equal(outcomes_store(w.recorder, &o, &err), ST_MISSING);
	assert_int_equal(count_shadow_predictions(), 2);
	assert_int_equal(read_shadow(s.id, s.shadow, &lag).position, 0);
}

/* ---- starting and ending ---- */

static void test_removed_it_ends(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 3);
	add_shadow(s.id, s.shadow, SINCE_START);
	caught_up(s.id, s.shadow);
	assert_int_equal(world_children(), 2);
	remove_shadow(s.id, s.shadow);
	WORLD_UNTIL(world_children() == 1);
	predict_some(s.id, 3);
	add_shadow(s.id, s.shadow, SINCE_NOW);
	predict_some(s.id, 2);
	assert_int_equal(caught_up(s.id, s.shadow).predictions, 2);
	assert_int_equal(count_shadow_predictions(), 5);
}

static enum status delete_deployment(struct db_conn *c, void *arg, struct err *err)
{
	return deployment_rows_delete(c, *(struct uuid *)arg, err);
}

static void test_it_ends_with_its_deployment_even_when_nobody_says_so(void **state)
{
	struct scene s = make_scene("line 1");
	add_shadow(s.id, s.shadow, SINCE_START);
	WORLD_UNTIL(world_children() == 2);
	world_write(&w, delete_deployment, &s.id);
	roster_remove(w.roster, s.id);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM deployment_shadow"), 0);
	shadows_recorded(shadows, s.id); /* or five seconds later */
	WORLD_UNTIL(world_children() == 0);
}

static void test_after_a_stop_none_is_started_and_nobody_told(void **state)
{
	struct scene s = make_scene("line 1");
	predict_some(s.id, 3);
	shadows_stop(shadows);
	atomic_store(&may_tell, false); /* tell() checks it */
	add_shadow(s.id, s.shadow, SINCE_START);
	predict_some(s.id, 3);
	assert_int_equal(world_children(), 1);
	assert_int_equal(lag_of(s.id, s.shadow), 6);
	shadows_free(shadows);
	shadows = NULL;
}

/* Two deployments with two shadows each; clients predict while shadows are removed and set, and all is
 * stopped. */
struct client {
	struct uuid id;
	unsigned count;
};

static void predict_all(void *arg)
{
	const struct client *c = arg;
	predict_some(c->id, c->count);
}

static void test_many_changes_at_the_same_time(void **state)
{
	struct scene s[2] = {make_scene("line 1"), make_scene("line 2")};
	struct client clients[2] = {{s[0].id, 60}, {s[1].id, 60}};
	struct uuid third = world_copy_version(&w, s[0].champion);
	thread_handle threads[2];
	for (int i = 0; i < 2; i++) {
		add_shadow(s[i].id, s[i].shadow, SINCE_START);
		thread_start(&threads[i], "client", predict_all, &clients[i]);
	}
	for (int turn = 0; turn < 8; turn++) {
		int64_t seen = count_shadow_predictions();
		add_shadow(s[0].id, third, turn % 2 ? SINCE_START : SINCE_NOW);
		WORLD_UNTIL(count_shadow_predictions() > seen || lag_of(s[1].id, s[1].shadow) == 0);
		remove_shadow(s[0].id, third);
	}
	for (int i = 0; i < 2; i++)
		thread_join(threads[i]);
	add_shadow(s[0].id, third, SINCE_START);
	caught_up(s[0].id, third);
	for (int i = 0; i < 2; i++)
		caught_up(s[i].id, s[i].shadow);
	stop_shadows();
	assert_int_equal(count_shadow_predictions(), 3 * 60);
	assert_int_equal(world_number(&w, "SELECT count(*) FROM prediction WHERE is_shadow = 0"), 2 * 60);
}

/* ---- asked for ---- */

static enum status ask(struct uuid deployment_id, struct uuid prediction_id, bool keep, struct arena *a,
	struct predicted_row *out, struct err *err)
{
	struct shadows_question q = {deployment_id, prediction_id, keep, a};
	return shadows_ask(shadows, &q, out, err);
}

static void test_asked_for_it_answers_once(void **state)
{
	struct scene s = make_scene("line 1");
	struct predicted_row row;
	struct err err;
	predict_some(s.id, 2);
	struct uuid first = champion_prediction(s.id, 0), unknown = uuid_v7(clock_unix_ms());
	world_refused(ask(unknown, first, true, &w.arena, &row, &err), ST_MISSING, &err, "no deployment");
	world_refused(ask(s.id, first, true, &w.arena, &row, &err), ST_MISSING, &err, "line 1 has no shadow");
	add_shadow(s.id, s.shadow, SINCE_NOW);
	world_refused(ask(s.id, unknown, true, &w.arena, &row, &err), ST_MISSING, &err, "made no prediction");
	WORLD_OK(ask(s.id, first, false, &w.arena, &row, WORLD_ERR));
	assert_true(row.prediction.is_shadow);
	assert_int_equal(count_shadow_predictions(), 0);
	WORLD_OK(ask(s.id, first, true, &w.arena, &row, WORLD_ERR));
	assert_true(row.prediction.is_shadow);
	assert_true(row.prediction.shape_count > 0);
	assert_true(row.prediction.cpu_us > 0);
	assert_true(
		uuid_equal(row.prediction.model_version_id, s.shadow) && row.width == 320 && row.filename);
	assert_int_equal(count_shadow_predictions(), 1);
	int64_t lag;
	assert_int_equal(read_shadow(s.id, s.shadow, &lag).predictions, 1);
	struct uuid made = row.prediction.id;
	world_refused(ask(s.id, first, true, &w.arena, &row, &err), ST_CONFLICT, &err, "asked for before");
	WORLD_OK(ask(s.id, first, false, &w.arena, &row, WORLD_ERR));
	assert_true(uuid_equal(row.prediction.id, made));
	world_refused(ask(s.id, made, true, &w.arena, &row, &err), ST_MISSING, &err, "made no prediction");
	/* Where the follower was first the answer is its prediction. */
	predict(s.id, 7);
	caught_up(s.id, s.shadow);
	struct uuid third = champion_prediction(s.id, 2);
	WORLD_OK(ask(s.id, third, true, &w.arena, &row, WORLD_ERR));
	assert_int_equal(count_shadow_predictions(), 2);
	world_refused(ask(s.id, third, true, &w.arena, &row, &err), ST_CONFLICT, &err, "asked for before");
}

static void test_what_it_said_as_champion_is_not_asked_for(void **state)
{
	struct scene s = make_scene("line 1");
	struct predicted_row row;
	struct err err;
	predict_some(s.id, 1);
	struct model *m;
	WORLD_OK(roster_model(w.roster, s.shadow, &m, WORLD_ERR));
	world_change(&w, (struct world_change){.id = s.id, .champion_id = s.shadow}, m);
	model_drop(m);
	add_shadow(s.id, s.champion, SINCE_START);
	world_refused(ask(s.id, champion_prediction(s.id, 0), true, &w.arena, &row, &err), ST_CONFLICT, &err,
		"was the champion");
}

struct asker {
	struct uuid deployment_id, prediction_id;
	enum status status;
	struct err err;
};

static void ask_in_a_thread(void *arg)
{
	struct asker *asker = arg;
	struct predicted_row row;
	struct arena a;
	arena_init(&a);
	asker->status = ask(asker->deployment_id, asker->prediction_id, true, &a, &row, &asker->err);
	arena_release(&a);
}

/* The follower and six clients at once: one prediction, one answer; who comes in vain hears why. */
static void test_of_many_who_ask_one_gets_it(void **state)
{
	enum { ASKERS = 6 };
	struct scene s = make_scene("line 1");
	add_shadow(s.id, s.shadow, SINCE_START);
	for (unsigned turn = 0; turn < 5; turn++) {
		struct asker askers[ASKERS];
		thread_handle threads[ASKERS];
		unsigned good = 0;
		predict(s.id, turn);
		struct uuid id = champion_prediction(s.id, turn);
		for (int i = 0; i < ASKERS; i++) {
			askers[i] = (struct asker){.deployment_id = s.id, .prediction_id = id};
			thread_start(&threads[i], "asker", ask_in_a_thread, &askers[i]);
		}
		for (int i = 0; i < ASKERS; i++) {
			thread_join(threads[i]);
			good += askers[i].status == ST_OK;
			if (askers[i].status == ST_UNAVAILABLE)
				world_refused(
					ST_UNAVAILABLE, ST_UNAVAILABLE, &askers[i].err, "already; try again");
			else if (askers[i].status != ST_OK)
				world_refused(
					askers[i].status, ST_CONFLICT, &askers[i].err, "asked for before");
		}
		assert_int_equal(good, 1);
	}
	struct shadow_row row = caught_up(s.id, s.shadow);
	assert_int_equal(row.predictions, 5);
	assert_int_equal(count_shadow_predictions(), 5);
}

static void test_a_held_shadow_says_so_to_who_asks(void **state)
{
	struct scene s = make_scene("line 1");
	struct predicted_row row;
	struct err err;
	predict_some(s.id, 1);
	struct uuid broken = world_break_version(&w, s.champion, "no model");
	struct uuid id = add_shadow(s.id, broken, SINCE_NOW);
	WORLD_UNTIL(has_state(id, SHADOW_HELD, "."));
	world_refused(ask(s.id, champion_prediction(s.id, 0), true, &w.arena, &row, &err), ST_UNAVAILABLE,
		&err, "Next try at");
	assert_int_equal(count_shadow_predictions(), 0);
}

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(test_every_prediction_is_repeated_once),
		TEST(test_since_now_is_not_before),
		TEST(test_the_position_says_what_is_there),
		TEST(test_a_stop_and_a_start_go_on),
		TEST(test_what_was_said_by_it_before_is_not_said_again),
		TEST(test_it_is_compared_with_the_present_champion_only),
		TEST(test_it_rests_with_its_deployment),
		TEST(test_images_that_are_gone_are_passed_over),
		TEST(test_a_failing_disk_is_waited_for),
		TEST(test_held_it_says_why_and_comes_back),
		TEST(test_a_model_that_always_fails_is_held_and_its_images_passed_over),
		TEST(test_outcomes_of_what_is_gone_are_nothing),
		TEST(test_removed_it_ends),
		TEST(test_it_ends_with_its_deployment_even_when_nobody_says_so),
		TEST(test_after_a_stop_none_is_started_and_nobody_told),
		TEST(test_many_changes_at_the_same_time),
		TEST(test_asked_for_it_answers_once),
		TEST(test_what_it_said_as_champion_is_not_asked_for),
		TEST(test_of_many_who_ask_one_gets_it),
		TEST(test_a_held_shadow_says_so_to_who_asks),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
