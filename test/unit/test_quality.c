/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch/quality.h: whatever happens to reviews, images and shadows, what is kept gives the numbers of reading
 * all anew. The numbers themselves are compared with other programs' in test/http/test_quality.py.
 */
#include "watch/quality.h"

#include "os/thread.h"
#include "review_world.h"
#include "store/review_rows.h"
#include "store/shadow_rows.h"
#include "task/drawn.h"
#include "task/shown.h"

#include <math.h>

static struct review_world w;
static struct db_readers *readers;
static struct uuid shadow_id;
static uint64_t chance;

static uint32_t below(uint32_t count)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((chance >> 33) % count);
}

static void add_shadow_version(void)
{
	struct model_version_row version = {.id = shadow_id = rw_id(),
		.model_id = w.model_id,
		.version = 1,
		.name = "two",
		.description = "",
		.type = "OBJECT_DETECTION",
		.framework = "ONNX",
		.labels = "{\"0\": \"blue\", \"1\": \"red\", \"2\": \"yellow\"}", /* another count */
		.state = "READY",
		.created_us = RW_FIRST_US};
	RW_OK(&w, model_rows_version_insert(w.conn, &version, &w.err));
	struct shadow_row shadow = {.id = rw_id(),
		.deployment_id = w.deployment_id,
		.model_version_id = shadow_id,
		.since_us = RW_FIRST_US};
	RW_OK(&w, shadow_rows_insert(w.conn, &shadow, &w.err));
}

static int set_up(void **state)
{
	rw_open(&w);
	RW_OK(&w, db_readers_new(w.db, 2, &readers, &w.err));
	add_shadow_version();
	chance = 5;
	return 0;
}

static int tear_down(void **state)
{
	db_readers_free(readers);
	rw_close(&w);
	return 0;
}

/* ---- images and what is said of them ---- */

static struct box box_at(uint32_t place)
{
	float x = (float)(10 + 100 * (place % 6)), y = (float)(10 + 100 * (place / 6 % 4));
	float shift = (float)below(30);
	return (struct box){x + shift, y, x + shift + 60, y + 50};
}

static struct shapes random_shapes(void)
{
	size_t count = below(5);
	struct shape *items = ARENA_ARRAY(&w.arena, struct shape, count + 1);
	float score = 0.99f;
	for (size_t i = 0; i < count; i++) {
		score -= (float)below(20) / 100;
		items[i] = (struct shape){.kind = SHAPE_BOX,
			.label = (int32_t)below(3),
			.score = score,
			.box = box_at(below(24))};
	}
	return (struct shapes){items, count};
}

static void review(struct uuid asset, const char *kind, const char *shapes)
{
	bool inserted;
	struct review_row r = {.id = rw_id(),
		.predicted_asset_id = asset,
		.kind = kind,
		.shapes = shapes,
		.who = "ann",
		.user_id = w.model_id,
		.seconds = -1,
		.keys = -1,
		.created_us = RW_FIRST_US};
	/* As the writer does: nobody sees a review that its image does not know of yet. */
	RW_OK(&w, db_script(w.conn, "BEGIN", &w.err));
	RW_OK(&w, review_rows_insert(w.conn, &r, &inserted, &w.err));
	RW_OK(&w, db_script(w.conn, "COMMIT", &w.err));
	assert_true(inserted);
}

static void review_at_random(struct uuid asset)
{
	static const char *const labels[] = {"red", "green", "blue", "yellow", "a new one"};
	struct drawn_shape items[4];
	struct drawn_shapes drawn = {items, below(5)};
	for (size_t i = 0; i < drawn.count; i++) {
		struct match_box box = shown_box(box_at(below(24)));
		items[i] = (struct drawn_shape){.kind = SHAPE_BOX,
			.label = labels[below(COUNT_OF(labels))],
			.x = box.x,
			.y = box.y,
			.w = box.width,
			.h = box.height};
	}
	review(asset, drawn.count ? "CORRECTED" : "NOTHING", drawn_print(&drawn, &w.arena));
}

static void predict_as_shadow(struct uuid asset)
{
	struct shapes shapes = random_shapes();
	rw_add_shadow_prediction(&w, asset, shadow_id, &shapes);
}

/* ---- reading ---- */

static struct quality_report read_report(struct quality *q, struct quality_filter filter)
{
	struct quality_report out;
	RW_OK(&w, quality_read(q, w.deployment_id, &filter, &w.arena, &out, &w.err));
	return out;
}

static const struct quality_filter everything = {.threshold = -1};

static void expect_same_estimate(struct estimate a, struct estimate b)
{
	assert_float_equal(a.value, b.value, 0);
	assert_float_equal(a.low, b.low, 0);
	assert_float_equal(a.high, b.high, 0);
	assert_int_equal(a.images, b.images);
}

/* Of the label of that name; NULL: none. */
static const struct quality_label *label_of(
	const struct quality_report *r, const struct quality_version *v, const char *name)
{
	for (size_t i = 0; i < v->label_count; i++)
		if (strcmp(r->labels[v->labels[i].label], name) == 0)
			return &v->labels[i];
	return NULL;
}

static void expect_same_labels(const struct quality_report *a, const struct quality_version *x,
	const struct quality_report *b, const struct quality_version *y)
{
	assert_int_equal(x->label_count, y->label_count);
	for (size_t i = 0; i < x->label_count; i++) {
		const struct quality_label *l = &x->labels[i];
		const struct quality_label *m = label_of(b, y, a->labels[l->label]);
		assert_non_null(m);
		assert_int_equal(l->truths, m->truths);
		assert_float_equal(l->ap, m->ap, 0);
		assert_int_equal(l->counts.found, m->counts.found);
		assert_int_equal(l->counts.wrong, m->counts.wrong);
	}
}

/* Labels may be counted in another order, so a mean over them may be rounded otherwise. */
#define ROUNDING 1e-14

static void expect_same(const struct quality_report *a, const struct quality_report *b)
{
	assert_int_equal(a->reviewed, b->reviewed);
	assert_int_equal(a->version_count, b->version_count);
	for (size_t i = 0; i < a->version_count; i++) {
		const struct quality_version *x = &a->versions[i], *y = &b->versions[i];
		assert_true(uuid_equal(x->id, y->id));
		assert_int_equal(x->role, y->role);
		assert_int_equal(x->images, y->images);
		const double *n = (const double *)&x->coco, *m = (const double *)&y->coco;
		for (size_t k = 0; k < sizeof(x->coco) / sizeof(double); k++)
			assert_float_equal(n[k], m[k], ROUNDING);
		assert_memory_equal(x->confidences, y->confidences, sizeof(x->confidences));
		assert_memory_equal(&x->at_threshold, &y->at_threshold, sizeof(x->at_threshold));
		for (size_t k = 0; k < SCORE_RECALLS; k++)
			assert_float_equal(x->curve[k], y->curve[k], ROUNDING);
		assert_int_equal(x->confusion.label_count, y->confusion.label_count);
		expect_same_labels(a, x, b, y);
	}
}

static void expect_what_reading_anew_gives(struct quality *kept)
{
	struct quality *fresh = quality_new(readers, NULL);
	struct quality_report a = read_report(kept, everything), b = read_report(fresh, everything);
	expect_same(&a, &b);
	quality_free(fresh);
}

/* ---- the tests ---- */

enum { IMAGES = 40, STEPS = 400 };

static void test_what_is_kept_is_what_reading_anew_gives(void **state)
{
	struct quality *kept = quality_new(readers, NULL);
	struct uuid assets[IMAGES];
	bool gone[IMAGES] = {false}, shadowed[IMAGES] = {false}, reviewed[IMAGES] = {false};
	for (size_t i = 0; i < IMAGES; i++) {
		struct shapes shapes = random_shapes();
		assets[i] = rw_add_image_of(&w, w.deployment_id, &shapes);
	}
	for (int step = 0; step < STEPS; step++) {
		uint32_t i = below(IMAGES), what = below(20);
		bool existed;
		if (gone[i])
			continue;
		if (what == 0) {
			RW_OK(&w, prediction_rows_delete_asset(w.conn, assets[i], &existed, &w.err));
			gone[i] = true;
		} else if (what < 4 && !shadowed[i]) {
			predict_as_shadow(assets[i]);
			shadowed[i] = true;
		} else if (what < 6) {
			review(assets[i], what == 4 ? "SKIPPED" : "UNDONE", "[]");
			reviewed[i] = false;
		} else {
			review_at_random(assets[i]);
			reviewed[i] = true;
		}
		if (step % 3 == 0)
			expect_what_reading_anew_gives(kept);
	}
	struct quality_report report = read_report(kept, everything);
	size_t expected = 0;
	for (size_t i = 0; i < IMAGES; i++)
		expected += reviewed[i] && !gone[i];
	assert_int_equal(report.reviewed, expected);
	assert_int_equal(report.version_count, 2);
	assert_int_equal(report.versions[0].role, QUALITY_CHAMPION);
	assert_int_equal(report.versions[1].role, QUALITY_SHADOW);
	assert_string_equal(report.versions[1].name, "two");
	assert_true(report.versions[0].images == expected && report.versions[1].images > 0);
	quality_free(kept);
}

/* One red box that was found, one that was not, and a wrong one. */
static void test_labels_go_by_their_names(void **state)
{
	struct quality *q = quality_new(readers, NULL);
	struct uuid asset = rw_add_image(&w, 0.9f, 0);
	review(asset, "CORRECTED",
		"[{\"type\":\"rectangle\",\"x\":10,\"y\":20,\"w\":100,\"h\":200,\"label\":\"red\"},"
		"{\"type\":\"rectangle\",\"x\":300,\"y\":20,\"w\":100,\"h\":200,\"label\":\"rust\"}]");
	predict_as_shadow(asset);
	struct quality_report r = read_report(q, everything);
	const struct quality_version *v = &r.versions[0];
	assert_float_equal(v->coco.ap, 0.5, 0); /* of red all, of rust nothing */
	assert_int_equal(label_of(&r, v, "red")->counts.found, 1);
	assert_int_equal(label_of(&r, v, "rust")->counts.missed, 1);
	assert_true(v->weighted.images == 0 && v->random_only.images == 0);
	struct quality_filter red = everything;
	red.label = "red";
	r = read_report(q, red);
	assert_float_equal(r.versions[0].coco.ap, 1, 0);
	assert_int_equal(r.versions[0].label_count, 1);
	size_t known = r.label_count;
	red.label = "nobody's";
	r = read_report(q, red);
	assert_float_equal(r.versions[0].coco.ap, -1, 0);
	assert_true(r.versions[0].label_count == 0 && r.label_count == known);
	red.source = "nobody's";
	assert_int_equal(read_report(q, red).reviewed, 0);
	quality_free(q);
}

static double half(const struct queue_batch *batches, size_t count, const struct queue_image *image)
{
	assert_int_equal(image->chosen_batch, 1);
	return 0.5;
}

static void choose(struct uuid asset, const char *why)
{
	struct queue_choice choice = {
		.predicted_asset_id = asset, .at_us = 1, .batch = 1, .why = why, .chance = 0.9};
	RW_OK(&w, queue_rows_choose(w.conn, &choice, &w.err));
}

static void test_chances_and_intervals(void **state)
{
	struct quality *q = quality_new(readers, half);
	struct quality_filter filter = everything;
	filter.intervals = true;
	for (int i = 0; i < 30; i++) {
		struct uuid asset = rw_add_image(&w, 0.9f, i % 3);
		if (i < 20)
			choose(asset, i % 4 ? "unsure" : "random");
		review_at_random(asset);
		predict_as_shadow(asset);
	}
	struct quality_report a = read_report(q, filter), again = read_report(q, filter);
	assert_int_equal(a.with_chance, 20);
	assert_int_equal(a.versions[0].estimate.images, 30);
	assert_int_equal(a.versions[0].weighted.images, 20);
	assert_int_equal(a.versions[0].random_only.images, 5);
	assert_int_equal(a.versions[0].difference.images, 0);
	assert_int_equal(a.versions[1].difference.images, 30);
	assert_true(a.window_count >= 1);
	for (size_t i = 0; i < 2; i++) { /* the second time from what was kept */
		expect_same_estimate(a.versions[i].estimate, again.versions[i].estimate);
		expect_same_estimate(a.versions[i].weighted, again.versions[i].weighted);
		expect_same_estimate(a.versions[i].difference, again.versions[i].difference);
	}
	filter.from_us = RW_FIRST_US + 21 * RW_SECOND_US;
	again = read_report(q, filter);
	assert_true(again.reviewed == 10 && again.with_chance == 0 && again.versions[0].weighted.images == 0);
	quality_free(q);
}

static void test_images_one_by_one(void **state)
{
	struct quality *q = quality_new(readers, NULL);
	struct quality_image *items;
	struct quality_report r;
	size_t count;
	for (int i = 0; i < 5; i++)
		review_at_random(rw_add_image(&w, 0.9f, 0));
	RW_OK(&w, quality_read_images(q, w.deployment_id, &everything, &w.arena, &items, &count, &r, &w.err));
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i].found + items[i].missed, items[i].truth_count);
	struct quality_filter one = everything;
	one.only = &items[2].prediction_id;
	one.only_count = 1;
	RW_OK(&w, quality_read_images(q, w.deployment_id, &one, &w.arena, &items, &count, &r, &w.err));
	assert_int_equal(count, 1);
	quality_free(q);
}

/* ---- several readers ---- */

struct reading {
	struct quality *q;
	_Atomic bool stop;
};

static void read_on(void *arg)
{
	struct reading *r = arg;
	while (!r->stop) {
		struct arena a;
		struct err err;
		struct quality_report report;
		arena_init(&a);
		assert_int_equal(quality_read(r->q, w.deployment_id, &everything, &a, &report, &err), ST_OK);
		arena_release(&a);
	}
}

static void test_readers_beside_each_other(void **state)
{
	struct reading reading = {.q = quality_new(readers, NULL)};
	thread_handle threads[2];
	struct uuid assets[8];
	for (size_t i = 0; i < COUNT_OF(assets); i++)
		assets[i] = rw_add_image(&w, 0.9f, 0);
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		thread_start(&threads[i], "reader", read_on, &reading);
	for (int i = 0; i < 60; i++)
		review_at_random(assets[below(COUNT_OF(assets))]);
	reading.stop = true;
	for (size_t i = 0; i < COUNT_OF(threads); i++)
		thread_join(threads[i]);
	expect_what_reading_anew_gives(reading.q);
	quality_free(reading.q);
}

static void test_no_such_deployment(void **state)
{
	struct quality *q = quality_new(readers, NULL);
	struct quality_report out;
	assert_int_equal(quality_read(q, rw_id(), &everything, &w.arena, &out, &w.err), ST_MISSING);
	quality_free(q);
	quality_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_labels_go_by_their_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_chances_and_intervals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_images_one_by_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_is_kept_is_what_reading_anew_gives, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_readers_beside_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_such_deployment, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
