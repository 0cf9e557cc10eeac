/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch/dashboard.h: roll-ups and predictions one by one say the same, labels of several versions are one by
 * their name, samples are of the range. The numbers themselves are worked out again in
 * test/http/test_dashboard.py.
 */
#include "watch/dashboard.h"

#include "base/embed.h"
#include "review_world.h"
#include "watch/counting.h"
#include "watch/rollups.h"

#include <math.h>

extern const struct embedded_file watch_sql[];

static struct review_world w;
static struct db *watch_db;
static struct db_conn *watch;
static uint64_t chance = 7;

static int set_up(void **state)
{
	rw_open(&w);
	RW_OK(&w, db_sqlite_open_temporary(&watch_db, &w.err));
	RW_OK(&w, db_connect(watch_db, true, &watch, &w.err));
	char *sql = arena_strndup(&w.arena, (const char *)watch_sql[0].data, watch_sql[0].size);
	RW_OK(&w, db_script(watch, sql, &w.err));
	return 0;
}

static int tear_down(void **state)
{
	db_disconnect(watch);
	db_close(watch_db);
	rw_close(&w);
	return 0;
}

static float random_score(void)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (float)((chance >> 40) % 10000) / 10000;
}

static void add_images(size_t count)
{
	for (size_t i = 0; i < count; i++)
		rw_add_image(&w, fmaxf(random_score(), 0.01F), (int32_t)(i % 3));
}

/* Everything into watch.db, as the tail does. */
static void count_all(void)
{
	const struct counting how = {.answered = true};
	struct log_row *rows;
	size_t count;
	int64_t position;
	RW_OK(&w, rollups_position(watch, &position, &w.err));
	RW_OK(&w,
		log_rows_after(w.conn, (struct uuid){{0}}, position, 10000, &w.arena, &rows, &count, &w.err));
	struct seen *seen = ARENA_ARRAY(&w.arena, struct seen, count + 1);
	for (size_t i = 0; i < count; i++)
		RW_OK(&w, seen_read(&rows[i], &w.arena, &seen[i], &w.err));
	RW_OK(&w, counting_add(watch, &how, seen, count, &w.err));
	if (count)
		RW_OK(&w, rollups_set_position(watch, rows[count - 1].position, &w.err));
}

static int64_t now_us(void)
{
	return RW_FIRST_US + RW_SECOND_US * (w.images + 1);
}

static struct dashboard read_it(const struct dashboard_filter *f)
{
	struct dashboard d;
	RW_OK(&w, dashboard_read(w.conn, watch, w.deployment_id, f, now_us(), &w.arena, &d, &w.err));
	return d;
}

static const uint64_t *shapes_of(const struct dashboard *d, const char *label)
{
	for (uint32_t i = 0; i < d->total.label_count; i++)
		if (strcmp(d->labels[i], label) == 0)
			return &d->total.labels[i].shapes;
	return NULL;
}

static void expect_equal(const struct dashboard *a, const struct dashboard *b)
{
	assert_memory_equal(&a->total, &b->total, offsetof(struct summary, labels));
	assert_int_equal(a->total.label_count, b->total.label_count);
	if (a->total.label_count)
		assert_memory_equal(a->total.labels, b->total.labels,
			a->total.label_count * sizeof(struct summary_label));
	assert_int_equal(a->range.points, b->range.points);
	for (size_t i = 0; i < a->range.points; i++) {
		assert_int_equal(a->points[i].predictions, b->points[i].predictions);
		assert_int_equal(a->points[i].no_answer, b->points[i].no_answer);
		if (a->points[i].predictions)
			assert_true(a->points[i].objects == b->points[i].objects &&
				    a->points[i].brightness == b->points[i].brightness);
	}
}

/* ---- tests ---- */

static void test_roll_ups_are_the_sum_of_predictions(void **state)
{
	const struct uuid nobody = {{9}};
	struct dashboard_filter f = {0};
	add_images(400);
	count_all();
	struct dashboard whole = read_it(&f);
	assert_int_equal(whole.total.predictions, 400);
	assert_false(whole.behind);
	f.without = &nobody; /* who is no image: but this is read one by one */
	f.without_count = 1;
	struct dashboard each = read_it(&f);
	expect_equal(&whole, &each);
	assert_false(each.basis.sample);
	dashboard_release(&whole);
	dashboard_release(&each);
}

static void test_what_is_not_counted_yet_is_told(void **state)
{
	struct dashboard_filter f = {0};
	add_images(3);
	count_all();
	add_images(1);
	struct dashboard d = read_it(&f);
	assert_true(d.behind);
	assert_int_equal(d.total.predictions, 3);
	dashboard_release(&d);
	f.cut = DASHBOARD_VALUE; /* one by one: it is there */
	f.threshold = 0.75;
	d = read_it(&f);
	assert_int_equal(d.total.predictions, 4);
	dashboard_release(&d);
}

/* Another champion, whose labels are in another order and partly others. */
static void change_champion(void)
{
	struct deployment_row deployment;
	struct model_version_row version;
	RW_OK(&w, model_rows_version_by_id(w.conn, w.version_id, &w.arena, &version, &w.err));
	w.version_id = version.id = rw_id();
	version.version = 1;
	version.name = "two";
	version.labels = "{\"0\": \"green\", \"1\": \"violet\", \"2\": \"red\"}";
	RW_OK(&w, model_rows_version_insert(w.conn, &version, &w.err));
	RW_OK(&w, deployment_rows_by_id(w.conn, w.deployment_id, &w.arena, &deployment, &w.err));
	deployment.champion_id = version.id;
	RW_OK(&w, deployment_rows_update(w.conn, &deployment, &w.err));
}

static void test_labels_are_one_by_their_name(void **state)
{
	struct dashboard_filter f = {0};
	for (int i = 0; i < 5; i++)
		rw_add_image(&w, 0.9F, 0); /* red */
	rw_add_image(&w, 0.9F, 2);         /* blue */
	change_champion();
	for (int i = 0; i < 3; i++)
		rw_add_image(&w, 0.9F, 2); /* red */
	rw_add_image(&w, 0.9F, 1);         /* violet */
	count_all();
	struct dashboard d = read_it(&f);
	assert_int_equal(*shapes_of(&d, "red"), 8);
	assert_int_equal(*shapes_of(&d, "blue"), 1);
	assert_int_equal(*shapes_of(&d, "violet"), 1);
	assert_int_equal(d.label_count, 4);
	assert_string_equal(d.labels[0], "green"); /* the champion's first */
	assert_int_equal(d.version_count, 2);
	assert_true(d.versions[0].role == DASHBOARD_CHAMPION && d.versions[0].predictions == 4);
	assert_true(d.versions[1].role == DASHBOARD_PAST && d.versions[1].predictions == 6);
	dashboard_release(&d);
	f.label = "red";
	d = read_it(&f);
	assert_true(d.total.predictions == 8 && d.total.shapes == 8 && d.total.without_shapes == 0);
	dashboard_release(&d);
	f.version_id = w.version_id;
	d = read_it(&f);
	assert_true(d.total.predictions == 3 && d.version_count == 2);
	dashboard_release(&d);
}

static void test_positions_are_of_the_range(void **state)
{
	int64_t *positions;
	size_t count, listed, old = 0;
	add_images(900);
	const int64_t from_us = RW_FIRST_US + 101 * RW_SECOND_US;
	struct dashboard_draw draw = {from_us, from_us + 700 * RW_SECOND_US, 1000, 0};
	RW_OK(&w, dashboard_positions(w.conn, watch, w.deployment_id, &draw, &w.arena, &positions, &count,
			  &listed, &w.err));
	assert_true(count == 700 && listed == 700);
	draw.limit = 200;
	RW_OK(&w, dashboard_positions(w.conn, watch, w.deployment_id, &draw, &w.arena, &positions, &count,
			  &listed, &w.err));
	assert_true(listed == 700 && count <= 200 && count > 150); /* 4.2 deviations */
	for (size_t i = 0; i < count; i++) {
		assert_true(positions[i] > 100 && positions[i] <= 800);
		old += positions[i] <= 450;
	}
	assert_true(old > 60 && old < 140);
}

/* Every tenth image, from the first. */
static void tag_images(void)
{
	const struct uuid tag = rw_id();
	struct db_query q = db_query(w.conn, "INSERT INTO tag (id, target_type, scope_id, name, created_us)"
					     " VALUES ($1, 'DATA', $2, 'night', 1)");
	db_bind_uuid(&q, tag);
	db_bind_uuid(&q, w.datalake_id);
	RW_OK(&w, db_done(&q, &w.err));
	q = db_query(w.conn,
		"INSERT INTO tag_target (tag_id, target_id) SELECT $1, a.data_id FROM prediction p"
		" JOIN predicted_asset a ON a.id = p.predicted_asset_id WHERE p.position % 10 = 1");
	db_bind_uuid(&q, tag);
	RW_OK(&w, db_done(&q, &w.err));
}

static void test_a_sample_by_tag_is_multiplied(void **state)
{
	const char *const tags[] = {"night", "dusk"};
	struct dashboard_filter f = {.tags = tags, .tag_count = 2};
	int64_t *positions;
	size_t count, listed, tagged = 0;
	RW_OK(&w, db_script(w.conn, "BEGIN", &w.err));
	add_images(2650);
	change_champion();
	add_images(2650);
	tag_images();
	RW_OK(&w, db_script(w.conn, "COMMIT", &w.err));
	RW_OK(&w, db_script(watch, "BEGIN", &w.err));
	count_all();
	RW_OK(&w, db_script(watch, "COMMIT", &w.err));
	struct dashboard d = read_it(&f);
	struct dashboard_draw draw = {d.range.from_us, d.range.to_us, DASHBOARD_IMAGES_MAX, 5300};
	RW_OK(&w, dashboard_positions(w.conn, watch, w.deployment_id, &draw, &w.arena, &positions, &count,
			  &listed, &w.err));
	for (size_t i = 0; i < count; i++)
		tagged += positions[i] % 10 == 1;
	assert_true(d.basis.sample && d.basis.of == 5300 && d.basis.images == count);
	assert_int_equal(d.total.predictions, (tagged * 5300 + count / 2) / count);
	assert_true(d.total.predictions > 500 && d.total.predictions < 560); /* 530 are */
	assert_non_null(strstr(d.basis.sentence, "of 5,300 images"));
	dashboard_release(&d);
	f.tag_count = 0;
	d = read_it(&f);
	assert_true(!d.basis.sample && d.total.predictions == 5300);
	/* And by days the heatmap of a label has that of both versions. */
	struct dashboard_heat *heat = ARENA_NEW(&w.arena, struct dashboard_heat);
	f.label = "red";
	RW_OK(&w, dashboard_read_heat(w.conn, watch, w.deployment_id, &f, now_us(), &w.arena, heat, &w.err));
	assert_false(heat->basis.sample);
	assert_true(heat->shapes == *shapes_of(&d, "red") && heat->images == heat->shapes);
	assert_true(heat->shapes > 700); /* half of a third of 5,300 is 883 */
	dashboard_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_roll_ups_are_the_sum_of_predictions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_counted_yet_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_labels_are_one_by_their_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_sample_by_tag_is_multiplied, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_positions_are_of_the_range, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
