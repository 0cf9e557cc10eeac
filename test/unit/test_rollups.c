/* SPDX-License-Identifier: Apache-2.0 */
/* What the tail writes into watch.db is what pages read; samples are uniform over days of unlike size. */
#include "watch/rollups.h"

#include "base/check.h"
#include "base/embed.h"
#include "store/db_sqlite.h"
#include "watch_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define DAY_US (INT64_C(1000000) * ROLLUP_DAY_S)
#define MANY 16000 /* predictions of the largest day */

extern const struct embedded_file watch_sql[];

static struct db *db;
static struct db_conn *conn;
static struct arena arena;
static struct err err;
static struct rollup_drawn drawn[MANY];
static const struct uuid deployment = {{1}}, stranger = {{2}}, version = {{3}}, successor = {{4}};

static int set_up(void **state)
{
	arena_init(&arena);
	assert_int_equal(db_sqlite_open_temporary(&db, &err), ST_OK);
	assert_int_equal(db_connect(db, true, &conn, &err), ST_OK);
	char *sql = arena_strndup(&arena, (const char *)watch_sql[0].data, watch_sql[0].size);
	assert_int_equal(db_script(conn, sql, &err), ST_OK);
	return 0;
}

static int tear_down(void **state)
{
	db_disconnect(conn);
	db_close(db);
	arena_release(&arena);
	return 0;
}

static void ok(enum status st)
{
	if (st != ST_OK)
		fail_msg("%s", err.text);
}

/* ---- roll-ups ---- */

static struct rollup_key key_of(int level_s, const char *source, int64_t start_us)
{
	return (struct rollup_key){deployment, ROLLUP_ANSWERED, level_s, source, start_us, version, false};
}

static void add(struct rollup_key key, uint64_t seed, int count)
{
	struct watch_sample s;
	struct summary summary;
	summary_init(&summary);
	for (int i = 0; i < count; i++) {
		watch_sample(&seed, &s);
		summary_add(&summary, &s.seen, 0.3);
	}
	ok(rollups_add(conn, &key, &summary, &arena, &err));
	summary_release(&summary);
}

struct found {
	int64_t starts_us[8];
	bool shadows[8];
	size_t count;
	struct summary sum;
};

static enum status note(void *arg, const struct rollup_key *key, struct span packed, struct err *e)
{
	struct found *f = arg;
	CHECK(f->count < 8);
	f->starts_us[f->count] = key->start_us;
	f->shadows[f->count++] = key->is_shadow;
	return summary_unpack_into(&f->sum, packed, e);
}

static struct found *read(const char *source, struct uuid of, int64_t from_us, int64_t to_us)
{
	static struct found found;
	struct rollup_key key = key_of(ROLLUP_HOUR_S, source, 0);
	key.version_id = of;
	summary_release(&found.sum);
	memset(&found, 0, sizeof(found));
	ok(rollups_read(conn, &key, from_us, to_us, note, &found, &err));
	return &found;
}

static void test_what_is_added_in_parts_is_one(void **state)
{
	struct summary whole;
	struct watch_sample s;
	uint64_t chance = 5;
	summary_init(&whole);
	for (int i = 0; i < 30; i++) {
		watch_sample(&chance, &s);
		summary_add(&whole, &s.seen, 0.3);
	}
	for (uint64_t seed = 5, i = 0; i < 3; i++) {
		add(key_of(ROLLUP_HOUR_S, "", 7200), seed, 10);
		for (int k = 0; k < 10; k++)
			watch_sample(&seed, &s);
	}
	struct found *f = read("", (struct uuid){{0}}, 0, 10000);
	assert_int_equal(f->count, 1);
	assert_true(span_equal(summary_pack(&f->sum, &arena), summary_pack(&whole, &arena)));
	summary_release(&whole);
}

static void test_ranges_sources_versions_and_shadows_are_kept_apart(void **state)
{
	const struct uuid any = {{0}};
	struct rollup_key shadow = key_of(ROLLUP_HOUR_S, "", 3600), old = key_of(ROLLUP_HOUR_S, "", 3600);
	shadow.is_shadow = true;
	shadow.version_id = successor;
	old.deployment_id = stranger;
	add(key_of(ROLLUP_HOUR_S, "", 7200), 1, 2);
	add(key_of(ROLLUP_HOUR_S, "", 3600), 1, 3);
	add(key_of(ROLLUP_HOUR_S, "camera", 3600), 1, 1);
	add(key_of(ROLLUP_DAY_S, "", 3600), 1, 50);
	add(shadow, 1, 4);
	add(old, 1, 60);
	struct found *f = read("", any, 3600, 7201);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->starts_us[0], 3600);
	assert_int_equal(f->starts_us[2], 7200);
	assert_false(f->shadows[0]);
	assert_true(f->shadows[1]);
	assert_int_equal(f->sum.predictions, 9);
	assert_int_equal(read("", any, 3600, 7200)->sum.predictions, 7);
	assert_int_equal(read("", successor, 0, 7200)->sum.predictions, 4);
	assert_int_equal(read("camera", any, 0, 9999)->sum.predictions, 1);
	assert_int_equal(read("nobody", any, 0, 9999)->count, 0);
	ok(rollups_forget(conn, deployment, &err));
	assert_int_equal(read("", any, 0, 9999)->count, 0);
}

static enum status refuse(void *arg, const struct rollup_key *key, struct span packed, struct err *e)
{
	return err_set(e, ST_CONFLICT, "Enough.");
}

static void test_errors_of_the_reader_and_of_the_bytes_come_back(void **state)
{
	const struct rollup_key key = key_of(ROLLUP_HOUR_S, "", 0);
	struct summary nothing;
	summary_init(&nothing);
	add(key, 1, 1);
	assert_int_equal(rollups_read(conn, &key, 0, 1, refuse, NULL, &err), ST_CONFLICT);
	assert_string_equal(err.text, "Enough.");
	ok(db_script(conn, "UPDATE rollup SET summary = x'0203'", &err));
	assert_int_equal(rollups_add(conn, &key, &nothing, &arena, &err), ST_INVALID);
}

static void test_starts_are_those_of_utc(void **state)
{
	assert_int_equal(rollup_start_us(86399999999, ROLLUP_DAY_S), 0);
	assert_int_equal(rollup_start_us(86400000000, ROLLUP_DAY_S), 86400000000);
	assert_int_equal(rollup_start_us(3661000000, ROLLUP_MINUTE_S), 3660000000);
	assert_int_equal(rollup_start_us(-1, ROLLUP_HOUR_S), -3600000000);
}

static void test_the_span_is_that_of_the_champions_minutes(void **state)
{
	int64_t first, last;
	struct rollup_key shadow = key_of(ROLLUP_MINUTE_S, "", 0);
	ok(rollups_span(conn, deployment, &first, &last, &err));
	assert_int_equal(first + last, 0);
	shadow.is_shadow = true;
	add(shadow, 1, 1);
	add(key_of(ROLLUP_MINUTE_S, "", 60000000), 1, 1);
	add(key_of(ROLLUP_MINUTE_S, "", 180000000), 1, 1);
	add(key_of(ROLLUP_HOUR_S, "", 360000000), 1, 1);
	ok(rollups_span(conn, deployment, &first, &last, &err));
	assert_int_equal(first, 60000000);
	assert_int_equal(last, 180000000);
}

static void add_heat(struct rollup_key day, int32_t label, uint64_t seed)
{
	static struct heat h;
	static struct watch_sample s;
	memset(&h, 0, sizeof(h));
	for (int i = 0; i < 20; i++) {
		watch_sample(&seed, &s);
		heat_add(&h, &s.seen, label, 0.1);
	}
	ok(rollups_add_heat(conn, &day, label, &h, &arena, &err));
}

static void test_heat_is_summed_over_the_days_that_are_touched(void **state)
{
	static struct heat expected, got;
	static struct watch_sample s;
	const struct rollup_key second = key_of(ROLLUP_DAY_S, "", DAY_US);
	uint64_t seed = 9;
	memset(&expected, 0, sizeof(expected));
	memset(&got, 0, sizeof(got));
	add_heat(key_of(ROLLUP_DAY_S, "", 0), -1, 9);
	add_heat(second, -1, 9);
	add_heat(second, 1, 9);
	add_heat(key_of(ROLLUP_DAY_S, "", 2 * DAY_US), -1, 9);
	for (int i = 0; i < 20; i++) {
		watch_sample(&seed, &s);
		heat_add(&expected, &s.seen, -1, 0.1);
	}
	heat_merge(&expected, &expected);
	ok(rollups_read_heat(conn, &second, DAY_US - 1, DAY_US + 1, -1, &got, &err));
	assert_memory_equal(&got, &expected, sizeof(got));
	memset(&got, 0, sizeof(got));
	ok(rollups_read_heat(conn, &second, 3 * DAY_US, 9 * DAY_US, -1, &got, &err));
	assert_int_equal(got.shapes, 0);
}

static void test_the_first_sources_have_their_own_and_the_rest_is_other(void **state)
{
	char name[16];
	const char *as, **names;
	size_t count;
	for (int i = 0; i < ROLLUP_SOURCES_MAX + 3; i++) {
		snprintf(name, sizeof(name), "camera-%02d", i);
		ok(rollups_source(conn, deployment, name, &as, &err));
		assert_string_equal(as, i < ROLLUP_SOURCES_MAX ? name : "other");
	}
	ok(rollups_source(conn, deployment, "camera-00", &as, &err));
	assert_string_equal(as, "camera-00");
	ok(rollups_source(conn, deployment, "", &as, &err));
	assert_string_equal(as, "other");
	ok(rollups_source(conn, stranger, "camera-99", &as, &err));
	assert_string_equal(as, "camera-99");
	ok(rollups_sources(conn, deployment, &arena, &names, &count, &err));
	assert_int_equal(count, ROLLUP_SOURCES_MAX + 1);
	assert_string_equal(names[0], "camera-00");
	assert_string_equal(names[count - 1], "other");
}

static void test_positions_and_the_recut_are_kept(void **state)
{
	struct rollup_recut recut = {0.25, 7};
	int64_t position = -1;
	bool found;
	ok(rollups_position(conn, &position, &err));
	assert_int_equal(position, 0);
	ok(rollups_set_position(conn, 5, &err));
	ok(rollups_set_position(conn, 6, &err));
	ok(rollups_position(conn, &position, &err));
	assert_int_equal(position, 6);
	ok(rollups_recut(conn, deployment, &recut, &found, &err));
	assert_false(found);
	ok(rollups_set_recut(conn, deployment, &recut, &err));
	recut.position = 8;
	ok(rollups_set_recut(conn, deployment, &recut, &err));
	recut = (struct rollup_recut){0};
	ok(rollups_recut(conn, deployment, &recut, &found, &err));
	assert_true(found && recut.threshold == 0.25 && recut.position == 8);
}

static void test_one_view_is_cleared_alone(void **state)
{
	struct rollup_key recut = key_of(ROLLUP_HOUR_S, "", 0);
	recut.view = ROLLUP_RECUT;
	add(recut, 1, 1);
	add(key_of(ROLLUP_HOUR_S, "", 0), 1, 1);
	ok(rollups_clear(conn, deployment, ROLLUP_RECUT, &err));
	assert_int_equal(read("", version, 0, 1)->count, 1);
	ok(rollups_clear(conn, deployment, ROLLUP_ANSWERED, &err));
	assert_int_equal(read("", version, 0, 1)->count, 0);
}

/* ---- samples ---- */

/* A day's predictions, evenly over it; positions begin at `first`. */
static void fill_day(int64_t day, int64_t first, size_t count, size_t batch)
{
	uint64_t chance = (uint64_t)day + 77;
	for (size_t i = 0; i < count; i++) {
		drawn[i] = (struct rollup_drawn){.position = first + (int64_t)i,
			.created_us = day * DAY_US + (int64_t)i * (DAY_US / (int64_t)count)};
		for (int k = 0; k < 16; k++)
			drawn[i].prediction_id.bytes[k] = (uint8_t)watch_below(&chance, 256);
	}
	ok(db_script(conn, "BEGIN", &err));
	for (size_t i = 0; i < count; i += batch)
		ok(rollups_add_sample(conn, deployment, day * DAY_US, drawn + i,
			count - i < batch ? count - i : batch, &err));
	ok(db_script(conn, "COMMIT", &err));
}

static size_t sample(int64_t from_us, int64_t to_us, size_t limit, int64_t **positions, bool *exact)
{
	size_t count;
	ok(rollups_sample(conn, deployment, from_us, to_us, limit, &arena, positions, &count, exact, &err));
	for (size_t i = 1; i < count; i++)
		assert_true((*positions)[i] > (*positions)[i - 1]);
	return count;
}

static void test_a_range_that_is_kept_whole_is_exact(void **state)
{
	int64_t *positions;
	bool exact;
	fill_day(1, 1, 100, 7);
	fill_day(2, 101, 200, 50);
	assert_int_equal(sample(DAY_US, 3 * DAY_US, 5000, &positions, &exact), 300);
	assert_true(exact);
	assert_int_equal(sample(DAY_US, 3 * DAY_US, 300, &positions, &exact), 300);
	assert_true(exact);
	assert_int_equal(sample(DAY_US, 3 * DAY_US, 299, &positions, &exact), 299);
	assert_false(exact);
	/* The second half of the first day, and the first prediction of the second. */
	assert_int_equal(sample(DAY_US + DAY_US / 2, 2 * DAY_US + 1, 5000, &positions, &exact), 51);
	assert_int_equal(positions[0], 51);
	assert_true(exact);
	assert_int_equal(sample(9 * DAY_US, 10 * DAY_US, 5000, &positions, &exact), 0);
	assert_true(exact);
}

/* Days of 16,000, 6,000 and 500: whatever the limit, each prediction has the same chance. */
static void test_a_sample_is_uniform_over_days_of_unlike_size(void **state)
{
	static const size_t limits[] = {5000, 2000, 300};
	static const double sizes[] = {16000, 6000, 500};
	int64_t *positions;
	bool exact;
	fill_day(1, 1, 16000, 333);
	fill_day(2, 16001, 6000, 6000);
	fill_day(3, 22001, 500, 1);
	for (size_t l = 0; l < COUNT_OF(limits); l++) {
		double counts[3] = {0}, chi2 = 0;
		const size_t count = sample(DAY_US, 4 * DAY_US, limits[l], &positions, &exact);
		assert_false(exact);
		assert_int_equal(count, limits[l]);
		for (size_t i = 0; i < count; i++)
			counts[positions[i] <= 16000 ? 0 : positions[i] <= 22000 ? 1 : 2]++;
		for (int d = 0; d < 3; d++) {
			const double expected = (double)count * sizes[d] / 22500;
			chi2 += (counts[d] - expected) * (counts[d] - expected) / expected;
		}
		assert_true(chi2 < 13.8); /* of two degrees of freedom: one in a thousand */
	}
	/* Half a day that was cut: about half of what is kept of it. */
	const size_t half = sample(DAY_US, DAY_US + DAY_US / 2, 5000, &positions, &exact);
	assert_false(exact);
	assert_in_range(half, 2300, 2700);
}

static int by_hash(const void *a, const void *b)
{
	const int64_t x = rollup_hash(((const struct rollup_drawn *)a)->prediction_id);
	const int64_t y = rollup_hash(((const struct rollup_drawn *)b)->prediction_id);
	return (x > y) - (x < y);
}

static void test_a_day_keeps_the_smallest_hashes_whatever_the_order(void **state)
{
	int64_t *positions;
	bool exact, kept[7001] = {false};
	fill_day(1, 1, 7000, 100);
	assert_int_equal(sample(DAY_US, 2 * DAY_US, 9999, &positions, &exact), ROLLUP_SAMPLE_MAX);
	for (size_t i = 0; i < ROLLUP_SAMPLE_MAX; i++)
		kept[positions[i]] = true;
	qsort(drawn, 7000, sizeof(drawn[0]), by_hash);
	for (size_t i = 0; i < ROLLUP_SAMPLE_MAX; i++)
		assert_true(kept[drawn[i].position]);
	/* Again, the other way round: nothing changes. */
	ok(rollups_add_sample(conn, deployment, DAY_US, drawn, 7000, &err));
	assert_int_equal(sample(DAY_US, 2 * DAY_US, 9999, &positions, &exact), ROLLUP_SAMPLE_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_added_in_parts_is_one),
		TEST(test_ranges_sources_versions_and_shadows_are_kept_apart),
		TEST(test_errors_of_the_reader_and_of_the_bytes_come_back),
		TEST(test_starts_are_those_of_utc),
		TEST(test_the_span_is_that_of_the_champions_minutes),
		TEST(test_heat_is_summed_over_the_days_that_are_touched),
		TEST(test_the_first_sources_have_their_own_and_the_rest_is_other),
		TEST(test_positions_and_the_recut_are_kept),
		TEST(test_one_view_is_cleared_alone),
		TEST(test_a_range_that_is_kept_whole_is_exact),
		TEST(test_a_sample_is_uniform_over_days_of_unlike_size),
		TEST(test_a_day_keeps_the_smallest_hashes_whatever_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
