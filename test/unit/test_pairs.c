/* SPDX-License-Identifier: Apache-2.0 */
/* watch/pairs.h: where two versions agree, kept as the log grows, is what reading the log anew gives; and the
 * sample of disagreements is a uniform one. */
#include "watch/pairs.h"

#include "base/compare.h"
#include "review_world.h"
#include "store/verdict_rows.h"

#include <math.h>

static struct review_world w;
static struct uuid shadow_version_id, following_id;
static uint64_t chance;

static uint32_t below(uint32_t count)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((chance >> 33) % count);
}

static int set_up(void **state)
{
	rw_open(&w);
	chance = 3;
	following_id = rw_id();
	struct model_version_row version = {.id = shadow_version_id = rw_id(),
		.model_id = w.model_id,
		.version = 1,
		.name = "two",
		.description = "",
		.type = "OBJECT_DETECTION",
		.framework = "ONNX",
		.labels = "{\"0\": \"blue\", \"1\": \"red\", \"2\": \"yellow\"}", /* another count, and
										     another name */
		.state = "READY",
		.created_us = RW_FIRST_US};
	RW_OK(&w, model_rows_version_insert(w.conn, &version, &w.err));
	return 0;
}

static int tear_down(void **state)
{
	rw_close(&w);
	return 0;
}

/* ---- one image ---- */

#define RED 0 /* of the champion */
#define GREEN 1
static const int32_t labels[] = {2, 0, 3}; /* of the shadow: blue, red, and one that the champion has not */

static struct shape box(int32_t label, float score, float x)
{
	return (struct shape){.kind = SHAPE_BOX, .label = label, .score = score, .box = {x, 10, x + 50, 60}};
}

static struct pairs_difference compare(
	struct shape *first, size_t first_count, struct shape *second, size_t second_count)
{
	return pairs_compare(TASK_DETECTION, &(struct shapes){first, first_count},
		&(struct shapes){second, second_count}, labels, 3, 0.5, &w.arena);
}

static void test_shapes_are_matched_at_the_threshold(void **state)
{
	struct shape first[] = {box(RED, 0.9f, 10), box(GREEN, 0.8f, 200), box(RED, 0.4f, 400)};
	struct shape same[] = {box(1, 0.7f, 12), box(0, 0.6f, 202), box(0, 0.3f, 300)};
	struct pairs_difference d = compare(first, 1, same, 1);
	assert_true(!d.disagree && d.matched == 1 && d.first == 1 && d.second == 1 && d.from == -1);
	d = compare(first, 3, same, 3); /* green there, blue here; what is under the threshold is nobody's */
	assert_true(d.disagree && d.matched == 1 && d.first == 2 && d.second == 2);
	assert_true(d.from == GREEN && d.to == 2);
	d = compare(first, 2, same, 1); /* one is missing */
	assert_true(d.disagree && d.matched == 1 && d.from == -1);
	d = compare(first, 0, same, 0);
	assert_true(!d.disagree && d.first == 0);
	struct shape far[] = {box(1, 0.7f, 40)}; /* IoU 0.25 */
	assert_true(compare(first, 1, far, 1).disagree);
	struct shape one[] = {{.kind = SHAPE_CLASS, .label = RED, .score = 0.3f}};
	struct shape other[] = {{.kind = SHAPE_CLASS, .label = 1, .score = 0.99f}};
	d = pairs_compare(TASK_CLASSIFICATION, &(struct shapes){one, 1}, &(struct shapes){other, 1}, labels,
		3, 0.5, &w.arena);
	assert_true(!d.disagree && d.from == RED && d.to == RED); /* by name, whatever the score */
	d = pairs_compare(TASK_CLASSIFICATION, &(struct shapes){one, 1}, &(struct shapes){NULL, 0}, labels, 3,
		0.5, &w.arena);
	assert_true(d.disagree && d.from == RED && d.to == -1);
}

/* ---- the window ---- */

static struct uuid add(bool shadow_too)
{
	struct shape items[2] = {box((int32_t)below(3), 0.9f, (float)(10 * below(4))), box(0, 0.6f, 300)};
	struct uuid id = rw_add_image_of(&w, w.deployment_id, &(struct shapes){items, below(3)});
	if (!shadow_too)
		return id;
	struct shape said[2] = {box((int32_t)below(3), 0.9f, (float)(10 * below(4))), box(1, 0.6f, 300)};
	struct shapes shapes = {said, below(3)};
	rw_add_shadow_prediction(&w, id, shadow_version_id, &shapes);
	return id;
}

static struct pairs *new_pairs(void)
{
	return pairs_new(&(struct pairs_key){w.deployment_id, following_id, shadow_version_id, w.version_id});
}

static struct pairs_report read(struct pairs *p, double threshold)
{
	struct pairs_report out;
	RW_OK(&w, pairs_refresh(p, w.conn, TASK_DETECTION, threshold, &w.err));
	pairs_read(p, &w.arena, &out);
	return out;
}

static void expect_same(const struct pairs_report *a, const struct pairs_report *b)
{
	assert_true(a->images == b->images && a->disagree == b->disagree);
	assert_true(a->champion_silent == b->champion_silent && a->shadow_silent == b->shadow_silent);
	assert_true(a->share == b->share && a->f1 == b->f1 && a->flip_count == b->flip_count);
	for (size_t i = 0; i < a->flip_count; i++) {
		assert_string_equal(a->flips[i].from, b->flips[i].from);
		assert_string_equal(a->flips[i].to, b->flips[i].to);
		assert_int_equal(a->flips[i].images, b->flips[i].images);
	}
}

static void test_the_log_is_followed(void **state)
{
	struct pairs *p = new_pairs();
	struct pairs_report empty = read(p, 0.5);
	assert_true(empty.images == 0 && empty.share == -1 && empty.f1 == -1);
	size_t both = 0;
	for (int i = 0; i < 700; i++) { /* more than one reading of 500 */
		bool shadow_too = below(4) > 0;
		add(shadow_too);
		both += shadow_too;
		if (below(100) == 0)
			read(p, 0.5);
	}
	struct pairs_report now = read(p, 0.5);
	assert_int_equal(now.images, both);
	assert_true(
		now.disagree > 0 && now.disagree < both && now.f1 > 0 && now.f1 < 1 && now.flip_count > 2);
	assert_true(now.champion_silent > 0 && now.shadow_silent > 0);
	struct pairs *fresh = new_pairs();
	struct pairs_report again = read(fresh, 0.5);
	expect_same(&now, &again);
	/* Another threshold, and back. */
	struct pairs_report high = read(p, 0.95);
	assert_true(high.disagree == 0 && high.f1 == -1 && high.share == 1); /* nobody says anything there */
	now = read(p, 0.5);
	expect_same(&now, &again);
	pairs_free(fresh);
	pairs_free(p);
}

static void test_the_window_is_bounded(void **state)
{
	struct pairs *p = new_pairs();
	for (int i = 0; i < 60; i++)
		add(true);
	read(p, 0.5);
	int64_t after;
	RW_OK(&w, pair_rows_newest(w.conn, w.deployment_id, shadow_version_id, 10, &after, &w.err));
	struct pair_row *rows;
	size_t count;
	RW_OK(&w, pair_rows_list(w.conn, w.deployment_id, shadow_version_id, w.version_id, after, 100,
			  &w.arena, &rows, &count, &w.err));
	assert_int_equal(count, 10); /* a new window begins so far back */
	RW_OK(&w, pair_rows_newest(w.conn, w.deployment_id, shadow_version_id, 60, &after, &w.err));
	assert_int_equal(after, 0);
	pairs_free(p);
}

/* ---- the sample ---- */

static void test_each_disagreement_is_drawn_as_often(void **state)
{
	for (int i = 0; i < 120; i++)
		add(true);
	struct pairs *p = new_pairs();
	size_t disagree = read(p, 0.5).disagree, drawn_now;
	pairs_free(p);
	struct uuid *all, *ids;
	p = new_pairs();
	read(p, 0.5);
	pairs_draw(p, NULL, 0, 1000, &w.arena, &all, &drawn_now);
	assert_int_equal(drawn_now, disagree);
	pairs_draw(p, NULL, 0, 7, &w.arena, &ids, &drawn_now);
	assert_true(drawn_now == 7 && memcmp(ids, all, 7 * sizeof(*ids)) == 0); /* the same order for all */
	struct uuid before[7];
	memcpy(before, ids, sizeof(before));
	qsort(before, 7, sizeof(*before), compare_uuid);
	pairs_draw(p, before, 7, 5, &w.arena, &ids, &drawn_now);
	assert_true(drawn_now == 5 && memcmp(ids, all + 7, 5 * sizeof(*ids)) == 0);
	pairs_free(p);
	/* For 2,000 followings each is among ten drawn with the same chance: chi square with disagree - 1
	 * degrees. */
	qsort(all, disagree, sizeof(*all), compare_uuid);
	double *counts = ARENA_ARRAY(&w.arena, double, disagree);
	for (int i = 0; i < 2000; i++) {
		following_id = rw_id();
		p = new_pairs();
		read(p, 0.5);
		pairs_draw(p, NULL, 0, 10, &w.arena, &ids, &drawn_now);
		for (size_t k = 0; k < drawn_now; k++) {
			const struct uuid *found =
				bsearch(&ids[k], all, disagree, sizeof(*all), compare_uuid);
			assert_non_null(found);
			counts[found - all]++;
		}
		pairs_free(p);
	}
	double expected = 2000.0 * 10 / (double)disagree, chi = 0;
	for (size_t i = 0; i < disagree; i++)
		chi += (counts[i] - expected) * (counts[i] - expected) / expected;
	double freedom = (double)disagree - 1;
	assert_true(fabs(chi - freedom) < 4 * sqrt(2 * freedom));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shapes_are_matched_at_the_threshold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_log_is_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_window_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_disagreement_is_drawn_as_often, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
