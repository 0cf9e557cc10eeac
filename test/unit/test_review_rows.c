/* SPDX-License-Identifier: Apache-2.0 */
/* store/review_rows.h: what a review makes of its image, once. */
#include "store/review_rows.h"

#include "review_world.h"

static struct review_world w;

static int set_up(void **state)
{
	rw_open(&w);
	return 0;
}

static int tear_down(void **state)
{
	rw_close(&w);
	return 0;
}

static struct review_row review_of(struct uuid asset, const char *kind, const char *client_id)
{
	return (struct review_row){.id = rw_id(),
		.predicted_asset_id = asset,
		.kind = kind,
		.shapes = "[]",
		.client_id = client_id,
		.who = "ann",
		.user_id = w.model_id, /* any id */
		.seconds = -1,
		.keys = -1,
		.created_us = RW_FIRST_US + 5 * RW_SECOND_US};
}

static bool insert(struct review_row *r)
{
	bool inserted;
	RW_OK(&w, review_rows_insert(w.conn, r, &inserted, &w.err));
	return inserted;
}

static const char *status_of(struct uuid asset)
{
	return rw_text(&w, "SELECT status FROM predicted_asset WHERE id = $1", asset);
}

static void make_draft_and_lease(struct uuid asset)
{
	struct db_query q = db_query(w.conn, "INSERT INTO review_draft VALUES ($1, 3, '[]', 'c', 'ann', 7)");
	db_bind_uuid(&q, asset);
	RW_OK(&w, db_done(&q, &w.err));
	q = db_query(w.conn, "INSERT INTO review_lease VALUES ($1, $2, 'tab', $2, 'ann', 7)");
	db_bind_uuid(&q, asset);
	db_bind_uuid(&q, w.deployment_id);
	RW_OK(&w, db_done(&q, &w.err));
}

static void test_what_each_kind_makes_of_the_image(void **state)
{
	static const struct {
		const char *kind, *status;
		bool counts;
	} cases[] = {
		{"CORRECTED", "REVIEWED", true},
		{"SKIPPED", "SKIPPED", false},
		{"NOTHING", "REVIEWED", true},
		{"UNDONE", "TO REVIEW", false},
		{"ACCEPTED", "REVIEWED", true},
	};
	struct uuid asset = rw_add_image(&w, 0.9F, 0);
	assert_string_equal(status_of(asset), "TO REVIEW");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		make_draft_and_lease(asset);
		struct review_row r = review_of(asset, cases[i].kind, NULL), counting;
		bool found;
		assert_true(insert(&r));
		assert_int_equal(r.position, i + 1);
		assert_true(uuid_equal(r.deployment_id, w.deployment_id));
		assert_string_equal(status_of(asset), cases[i].status);
		RW_OK(&w, review_rows_counting(w.conn, asset, &w.arena, &counting, &found, &w.err));
		assert_int_equal(found, cases[i].counts);
		if (found)
			assert_true(uuid_equal(counting.id, r.id));
		assert_int_equal(rw_number(&w, "SELECT count(*) FROM review_draft", (struct uuid){{0}}), 0);
		assert_int_equal(rw_number(&w, "SELECT count(*) FROM review_lease", (struct uuid){{0}}), 0);
		bool dated =
			rw_number(&w, "SELECT reviewed_us IS NOT NULL FROM predicted_asset WHERE id = $1",
				asset) != 0;
		assert_int_equal(dated, strcmp(cases[i].kind, "UNDONE") != 0);
	}
}

static void test_all_that_was_written_is_read(void **state)
{
	struct uuid asset = rw_add_image(&w, 0.9F, 0);
	struct review_row written = review_of(asset, "SKIPPED", "one"), *read;
	size_t count;
	written.reason = "blurred";
	written.shapes = "[{\"type\":\"classification\",\"label\":\"red\"}]";
	written.prediction_id = rw_id();
	written.seconds = 2.5;
	written.keys = 7;
	assert_true(insert(&written));
	RW_OK(&w, review_rows_of_asset(w.conn, asset, &w.arena, &read, &count, &w.err));
	assert_int_equal(count, 1);
	assert_true(uuid_equal(read->id, written.id) && uuid_equal(read->predicted_asset_id, asset));
	assert_true(uuid_equal(read->prediction_id, written.prediction_id));
	assert_true(uuid_equal(read->user_id, written.user_id));
	assert_true(uuid_equal(read->deployment_id, w.deployment_id));
	assert_string_equal(read->kind, "SKIPPED");
	assert_string_equal(read->reason, "blurred");
	assert_string_equal(read->shapes, written.shapes);
	assert_string_equal(read->client_id, "one");
	assert_string_equal(read->who, "ann");
	assert_true(read->seconds == 2.5 && read->keys == 7);
	assert_int_equal(read->created_us, written.created_us);
}

static void test_a_repeated_operation_is_the_same_review(void **state)
{
	struct uuid asset = rw_add_image(&w, 0.9F, 0), other = rw_add_image(&w, 0.9F, 0);
	struct review_row first = review_of(asset, "CORRECTED", "op-1"),
			  undo = review_of(asset, "UNDONE", "op-2"),
			  again = review_of(asset, "CORRECTED", "op-1"),
			  elsewhere = review_of(other, "CORRECTED", "op-1");
	assert_true(insert(&first));
	assert_true(insert(&undo));
	assert_false(insert(&again));
	assert_true(uuid_equal(again.id, first.id));
	assert_int_equal(again.position, first.position);
	assert_string_equal(status_of(asset), "TO REVIEW"); /* what was undone stays undone */
	assert_true(insert(&elsewhere));                    /* ids of operations are those of an image */
}

static void test_what_cannot_be_reviewed(void **state)
{
	struct uuid asset = rw_add_image(&w, 0.9F, 0);
	struct review_row kept = review_of(asset, "ACCEPTED", "op-1"),
			  late = review_of(asset, "UNDONE", NULL),
			  nowhere = review_of(rw_id(), "NOTHING", NULL);
	bool inserted;
	assert_true(insert(&kept));
	struct db_query q = db_query(w.conn, "UPDATE predicted_asset SET status = 'SUBMITTED' WHERE id = $1");
	db_bind_uuid(&q, asset);
	RW_OK(&w, db_done(&q, &w.err));
	assert_int_equal(review_rows_insert(w.conn, &late, &inserted, &w.err), ST_CONFLICT);
	assert_non_null(strstr(w.err.text, "Withdraw"));
	assert_int_equal(review_rows_insert(w.conn, &nowhere, &inserted, &w.err), ST_MISSING);
	assert_false(insert(&kept)); /* the answer to its first saving was lost */
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM review", (struct uuid){{0}}), 1);
}

static void test_followed_by_position(void **state)
{
	struct uuid other = rw_add_deployment(&w, "other"), assets[4];
	struct review_row *rows;
	size_t count;
	for (size_t i = 0; i < 4; i++) {
		assets[i] = rw_add_image_of(&w, i % 2 ? other : w.deployment_id, &(struct shapes){0});
		struct review_row r = review_of(assets[i], "NOTHING", NULL);
		assert_true(insert(&r));
	}
	RW_OK(&w, review_rows_after(w.conn, (struct uuid){{0}}, 1, 2, &w.arena, &rows, &count, &w.err));
	assert_int_equal(count, 2);
	assert_true(uuid_equal(rows[0].predicted_asset_id, assets[1]) && rows[1].position == 3);
	RW_OK(&w, review_rows_after(w.conn, other, 0, 10, &w.arena, &rows, &count, &w.err));
	assert_int_equal(count, 2);
	assert_true(uuid_equal(rows[1].predicted_asset_id, assets[3]));
	RW_OK(&w, review_rows_after(w.conn, other, 4, 10, &w.arena, &rows, &count, &w.err));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_each_kind_makes_of_the_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_that_was_written_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_repeated_operation_is_the_same_review, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_reviewed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_followed_by_position, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
