/* SPDX-License-Identifier: Apache-2.0 */
/* learn/review.h: what kind a review is, and over whose work it may be saved. */
#include "learn/review.h"

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

/* ---- rules ---- */

static struct drawn_shape box(double x, const char *label)
{
	return (struct drawn_shape){.kind = SHAPE_BOX, .label = label, .x = x, .y = 2, .w = 10, .h = 10};
}

static void test_kinds(void **state)
{
	struct arena a;
	struct drawn_shape two[] = {box(1, "a"), box(30, "b")}, turned[] = {box(30, "b"), box(1.01, "a")};
	struct drawn_shapes none = {0}, answer = {two, 2}, same = {turned, 2}, fewer = {two, 1};
	arena_init(&a);
	assert_string_equal(review_kind(&none, &answer, &a), "NOTHING");
	assert_string_equal(review_kind(&none, &none, &a), "NOTHING");
	assert_string_equal(review_kind(&same, &answer, &a), "ACCEPTED");
	assert_string_equal(review_kind(&fewer, &answer, &a), "CORRECTED");
	assert_string_equal(review_kind(&fewer, &none, &a), "CORRECTED");
	arena_release(&a);
}

static void test_what_a_task_takes(void **state)
{
	struct err err;
	struct drawn_shape class = {.kind = SHAPE_CLASS, .label = "a"}, boxes[] = {box(1, "a"), box(2, "a")},
			   classes[] = {class, class}, polygon = {.kind = SHAPE_POLYGON, .label = "a"};
	const struct {
		enum task task;
		struct drawn_shapes shapes;
		enum status st;
	} cases[] = {
		{TASK_CLASSIFICATION, {&class, 1}, ST_OK},
		{TASK_CLASSIFICATION, {0}, ST_OK},
		{TASK_CLASSIFICATION, {classes, 2}, ST_INVALID},
		{TASK_CLASSIFICATION, {boxes, 1}, ST_INVALID},
		{TASK_DETECTION, {boxes, 2}, ST_OK},
		{TASK_DETECTION, {&polygon, 1}, ST_OK},
		{TASK_DETECTION, {&class, 1}, ST_INVALID},
		{TASK_SEGMENTATION, {&polygon, 1}, ST_OK},
		{TASK_SEGMENTATION, {boxes, 1}, ST_OK},
		{TASK_SEGMENTATION, {&class, 1}, ST_INVALID},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(review_check(cases[i].task, &cases[i].shapes, &err), cases[i].st);
}

static void test_what_may_be_saved_over_what(void **state)
{
	static const struct {
		struct review_state state;
		int64_t base;
		bool review, draft; /* overwrites unseen work */
	} cases[] = {
		{{0, 0, false, false}, 0, false, false}, /* nothing is stored */
		{{0, 0, false, false}, 7, false, false},
		{{3, 0, true, false}, 3, false, false}, /* one's own draft */
		{{3, 0, true, false}, 2, false,
			true}, /* of another tab: the review is final, the draft is not */
		{{3, 0, false, false}, 0, true, true}, /* somebody's draft */
		{{3, 0, false, false}, 3, false, false},
		{{0, 5, false, true}, 0, false, false}, /* one's own review */
		{{0, 5, false, false}, 0, true, true},  /* somebody's review */
		{{0, 5, false, false}, 4, true, true}, {{0, 5, false, false}, 5, false, false},
		{{6, 5, true, false}, 6, false,
			false}, /* one's own draft, begun knowing of somebody's review */
		{{6, 5, false, true}, 5, true, true}, /* somebody's draft over one's own review */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(review_overwrites(&cases[i].state, cases[i].base), cases[i].review);
		assert_int_equal(review_draft_overwrites(&cases[i].state, cases[i].base), cases[i].draft);
	}
}

/* ---- the champion's answer ---- */

static struct uuid two_boxes(void)
{
	struct shape items[] = {
		{.kind = SHAPE_BOX, .label = 0, .score = 0.9F, .box = {10.123F, 20, 110, 220}},
		{.kind = SHAPE_BOX, .label = 2, .score = 0.5F, .box = {1, 2, 3, 4}},
		{.kind = SHAPE_BOX, .label = 1, .score = 0.49F, .box = {1, 2, 3, 4}}};
	return rw_add_image_of(&w, w.deployment_id, &(struct shapes){items, 3});
}

static void test_the_answer_is_that_at_the_threshold(void **state)
{
	struct review_image image;
	struct uuid id = two_boxes();
	RW_OK(&w, review_image_read(w.conn, id, &w.arena, &image, &w.err));
	assert_int_equal(image.task, TASK_DETECTION);
	assert_string_equal(drawn_print(&image.answer, &w.arena),
		"[{\"type\":\"rectangle\",\"x\":10.12,\"y\":20.0,\"w\":99.88,\"h\":200.0,\"label\":\"red\"},"
		"{\"type\":\"rectangle\",\"x\":1.0,\"y\":2.0,\"w\":2.0,\"h\":2.0,\"label\":\"blue\"}]");
	struct queue_settings settings = {"unsure", 0.3, "", "[\"blue\", \"green\"]"};
	RW_OK(&w, queue_rows_set_settings(w.conn, w.deployment_id, &settings, &w.err));
	RW_OK(&w, review_image_read(w.conn, id, &w.arena, &image, &w.err));
	assert_int_equal(image.answer.count, 1);
	assert_string_equal(image.answer.items[0].label, "blue");
	assert_int_equal(review_image_read(w.conn, rw_id(), &w.arena, &image, &w.err), ST_MISSING);
}

static void test_the_best_class_is_always_answered(void **state)
{
	struct shape items[] = {{.kind = SHAPE_CLASS, .label = 1, .score = 0.3F},
		{.kind = SHAPE_CLASS, .label = 0, .score = 0.2F}};
	struct uuid id = rw_add_image_of(&w, w.deployment_id, &(struct shapes){items, 2});
	struct review_image image;
	RW_OK(&w, review_image_read(w.conn, id, &w.arena, &image, &w.err));
	assert_int_equal(image.answer.count, 1);
	assert_string_equal(image.answer.items[0].label, "green");
}

/* ---- jobs ---- */

static struct review_save save_of(
	struct uuid asset, const char *who, struct uuid user, int64_t base, const char *client_id)
{
	return (struct review_save){.review = {.id = rw_id(),
					    .predicted_asset_id = asset,
					    .kind = "NOTHING",
					    .shapes = "[]",
					    .client_id = client_id,
					    .who = who,
					    .user_id = user,
					    .seconds = -1,
					    .keys = -1,
					    .created_us = RW_FIRST_US},
		.base_revision = base,
		.arena = &w.arena};
}

static void test_saving(void **state)
{
	struct uuid asset = two_boxes(), ann = rw_id(), bob = rw_id();
	struct review_draft_save draft = {
		.draft = {asset, 0, "[]", "d1", "ann", RW_FIRST_US}, .user_id = ann, .arena = &w.arena};
	RW_OK(&w, review_draft_save_job(w.conn, &draft, &w.err));
	assert_int_equal(draft.draft.revision, 1);
	RW_OK(&w, review_draft_save_job(w.conn, &draft, &w.err)); /* the same operation */
	assert_int_equal(draft.draft.revision, 1);
	struct review_save bobs = save_of(asset, "bob", bob, 0, "b1"),
			   anns = save_of(asset, "ann", ann, 1, "a1");
	assert_int_equal(review_save_job(w.conn, &bobs, &w.err), ST_CONFLICT);
	assert_true(bobs.conflict && bobs.stored_kind == NULL && bobs.stored.revision == 1);
	RW_OK(&w, review_save_job(w.conn, &anns, &w.err));
	bobs = save_of(asset, "bob", bob, 0, "b1");
	assert_int_equal(review_save_job(w.conn, &bobs, &w.err), ST_CONFLICT);
	assert_true(bobs.conflict && strcmp(bobs.stored_kind, "NOTHING") == 0 && bobs.stored.revision == 2);
	/* Drafts of who does not know of the review are told, too; who knows may go on. */
	struct review_draft_save late = {
		.draft = {asset, 0, "[]", "d2", "bob", RW_FIRST_US}, .user_id = bob, .arena = &w.arena};
	assert_int_equal(review_draft_save_job(w.conn, &late, &w.err), ST_CONFLICT);
	late.base_revision = late.stored.revision;
	RW_OK(&w, review_draft_save_job(w.conn, &late, &w.err));
	assert_int_equal(late.draft.revision, 3);
	bobs = save_of(asset, "bob", bob, 3, "b2");
	RW_OK(&w, review_save_job(w.conn, &bobs, &w.err));
	struct review_save again = save_of(asset, "ann", ann, 1, "a1"); /* the answer was lost */
	RW_OK(&w, review_save_job(w.conn, &again, &w.err));
	assert_true(again.repeated && uuid_equal(again.review.id, anns.review.id));
	again = save_of(asset, "a script", ann, REVIEW_BASE_ANY, NULL);
	RW_OK(&w, review_save_job(w.conn, &again, &w.err));
	assert_int_equal(
		rw_number(&w, "SELECT count(*) FROM review WHERE predicted_asset_id = $1", asset), 3);
}

static void test_what_is_submitted_stays(void **state)
{
	struct uuid asset = two_boxes(), ann = rw_id();
	struct db_query q = db_query(w.conn, "UPDATE predicted_asset SET status = 'SUBMITTED' WHERE id = $1");
	db_bind_uuid(&q, asset);
	RW_OK(&w, db_done(&q, &w.err));
	struct review_save s = save_of(asset, "ann", ann, REVIEW_BASE_ANY, NULL);
	struct review_draft_save d = {.draft = {asset, 0, "[]", "d1", "ann", RW_FIRST_US}, .arena = &w.arena};
	assert_int_equal(review_save_job(w.conn, &s, &w.err), ST_CONFLICT);
	assert_false(s.conflict);
	assert_int_equal(review_draft_save_job(w.conn, &d, &w.err), ST_CONFLICT);
	assert_non_null(strstr(w.err.text, "Withdraw"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_what_a_task_takes),
		cmocka_unit_test(test_what_may_be_saved_over_what),
		cmocka_unit_test_setup_teardown(test_the_answer_is_that_at_the_threshold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_best_class_is_always_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_saving, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_submitted_stays, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
