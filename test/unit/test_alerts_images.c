/* SPDX-License-Identifier: Apache-2.0 */
/* watch/alerts.h: values that look at each image: pictures of no use, shares of labels, AP by reviews. */
#include "watch/alerts.h"

#include "alerts_world.h"
#include "store/reference_rows.h"
#include "store/review_rows.h"
#include "store/training_data_rows.h"
#include "task/drawn.h"
#include "watch/quality.h"

#include <stdio.h>

static struct alerts_world aw;

static int set_up(void **state)
{
	aw_open(&aw);
	return 0;
}

static int tear_down(void **state)
{
	quality_free(aw.quality);
	aw_close(&aw);
	return 0;
}

static void expect_text(const char *text, const char *expected)
{
	if (strcmp(text, expected) != 0)
		fail_msg("\n  it says: %s\nexpected: %s", text, expected);
}

static void add_pictures(int count, const char *stats)
{
	aw_add_many(&aw, count, (struct aw_prediction){.at_us = AW_NOW_US, .stats = stats, .label = -1});
}

static void look(void)
{
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
}

/* ---- Training Data ---- */

/* Images of brightness 100 … 110 with a box of label i % 10 < red ? 0 : 1. */
static void set_training_data(int images, int red)
{
	struct review_world *w = &aw.w;
	const struct training_data_row row = {.deployment_id = w->deployment_id,
		.active = true,
		.kind = "PRODUCTION",
		.images_max = 500,
		.set_us = RW_FIRST_US,
		.set_by = "ann"};
	struct reference_row reference = {.id = rw_id(),
		.deployment_id = w->deployment_id,
		.model_version_id = w->version_id,
		.kind = "PRODUCTION",
		.status = "RUNNING",
		.created_us = RW_FIRST_US};
	RW_OK(w, training_data_rows_put(w->conn, &row, &w->err));
	RW_OK(w, reference_rows_insert(w->conn, &reference, &w->err));
	for (int i = 0; i < images; i++) {
		struct shape shape = {.kind = SHAPE_BOX,
			.label = i % 10 < red ? 0 : 1,
			.score = 0.9F,
			.box = {10, 20, 110, 220}};
		const struct reference_image_row image = {.ordinal = i,
			.asset_id = rw_id(),
			.width = 640,
			.height = 480,
			.image_stats =
				arena_printf(&w->arena, "{\"brightness\":%d,\"contrast\":%d,\"blur\":%d}",
					100 + i % 11, 40 + i % 5, 200 + i % 50),
			.shapes = shapes_pack(&(struct shapes){&shape, 1}, &w->arena)};
		RW_OK(w, reference_rows_insert_image(w->conn, reference.id, &image, &w->err));
	}
	reference.images = images;
	reference.predicted = reference.held_out = true;
	reference.ready_us = RW_FIRST_US;
	RW_OK(w, reference_rows_ready(w->conn, &reference, (struct span){0}, &w->err));
}

/* ---- pictures ---- */

static void pictures_of_no_use_by_fixed_limits(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_DATA_QUALITY)); /* > 5 %, 50 images */
	add_pictures(45, AW_GOOD);
	add_pictures(4, "{\"brightness\":255,\"contrast\":60,\"blur\":300}");
	look();
	assert_int_equal(aw_open_events(&aw), 0); /* 49 images */
	add_pictures(2, "{\"brightness\":2,\"contrast\":1,\"blur\":0.1}");
	look();
	assert_int_equal(aw_open_events(&aw), 0); /* 6 of 51, but P(6 and more) is 0.04 */
	add_pictures(6, "{\"brightness\":90,\"contrast\":1,\"blur\":0.1}");
	look();
	assert_int_equal(aw_open_events(&aw), 1); /* 12 of 57 */
	expect_text(aw_sentence(&aw), "21.1 % of images could hardly be used in the last hour (2 too dark, 4 "
				      "too bright, 8 flat, 8 blurred "
				      "of 57 images); the limit is 5 %. Look at the lamp, the lens and the "
				      "exposure. With Training Data "
				      "set, its own range is the limit.");
	add_pictures(200, AW_GOOD);
	look();
	assert_int_equal(aw_open_events(&aw), 0); /* 12 of 257 */
	assert_non_null(strstr(
		aw_why_closed(&aw), "4.7 % of images could hardly be used in the last hour (257 images)"));
}

/* Statistics that an old row lacks are no fault. */
static void what_is_not_known_is_no_fault(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_DATA_QUALITY));
	add_pictures(60, "{}");
	look();
	assert_int_equal(aw_open_events(&aw), 0);
}

static void pictures_of_no_use_by_training_data(void **state)
{
	set_training_data(120, 5);
	aw_insert(&aw, aw_alert(&aw, ALERT_DATA_QUALITY));
	add_pictures(60, "{\"brightness\":101,\"contrast\":42,\"blur\":220}");
	add_pictures(30,
		"{\"brightness\":99.2,\"contrast\":39.7,\"blur\":199}"); /* a tenth of the range further */
	look();
	assert_int_equal(aw_open_events(&aw), 0);
	add_pictures(
		20, "{\"brightness\":70,\"contrast\":42,\"blur\":220}"); /* fine, but for Training Data */
	look();
	assert_int_equal(aw_open_events(&aw), 1);
	expect_text(aw_sentence(&aw),
		"18.2 % of images could hardly be used in the last hour (20 too dark of 110 images); the "
		"limit is "
		"5 %. Training Data has none like these. Look at the lamp, the lens and the exposure.");
}

static void a_tiny_reference_has_no_range(void **state)
{
	set_training_data(29, 5);
	aw_insert(&aw, aw_alert(&aw, ALERT_DATA_QUALITY));
	add_pictures(60, "{\"brightness\":70,\"contrast\":42,\"blur\":220}");
	look();
	assert_int_equal(aw_open_events(&aw), 0);
}

/* ---- labels ---- */

/* Of ten images so many are red, and the others green. */
static void add_labels(int count, int red)
{
	for (int i = 0; i < count; i++)
		aw_add(&aw, (struct aw_prediction){.at_us = AW_NOW_US - (1 + i) * RW_SECOND_US,
				    .label = i % 10 < red ? 0 : 1});
}

static void labels_are_shared_as_before(void **state)
{
	set_training_data(400, 5);
	aw_insert(&aw, aw_alert(&aw, ALERT_DISTRIBUTION));
	add_labels(200, 6);
	look();
	assert_int_equal(aw_open_events(&aw), 0);
}

static void labels_are_shared_otherwise(void **state)
{
	set_training_data(400, 5);
	aw_insert(&aw, aw_alert(&aw, ALERT_DISTRIBUTION));
	add_labels(99, 9);
	look();
	assert_int_equal(aw_open_events(&aw), 0); /* 100 are needed */
	add_labels(101, 9);
	look();
	assert_int_equal(aw_open_events(&aw), 1);
	/* scipy.stats.chi2_contingency([[200, 200], [180, 20]], correction=False).pvalue = 7.6e-22 or about
	 * that: of so many images as count after thinning. */
	double p;
	assert_int_equal(sscanf(strstr(aw_sentence(&aw), "p = "), "p = %lf,", &p), 1);
	assert_true(p < 1e-4);
	assert_non_null(strstr(aw_sentence(&aw), "red 90 % instead of 50 %, green 10 % instead of 50 %."));
	assert_non_null(strstr(aw_sentence(&aw), "the limit is 0.0001"));
}

static void a_label_alone(void **state)
{
	set_training_data(400, 5);
	struct alert_row alert = aw_alert(&aw, ALERT_DISTRIBUTION);
	alert.label = "green";
	aw_insert(&aw, alert);
	add_labels(200, 9);
	look();
	assert_non_null(strstr(aw_sentence(&aw), "shared of \"green\" otherwise"));
}

static void without_training_data_nothing_is_said(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_DISTRIBUTION));
	add_labels(200, 9);
	look();
	assert_int_equal(aw_open_events(&aw), 0);
}

/* It reads much, so it is looked at once a minute. */
static void labels_are_not_looked_at_each_time(void **state)
{
	set_training_data(400, 5);
	aw_insert(&aw, aw_alert(&aw, ALERT_DISTRIBUTION));
	add_labels(200, 9);
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US + 30 * (int64_t)RW_SECOND_US);
	assert_int_equal(aw_open_events(&aw), 0);
	aw_look(&aw, AW_NOW_US + 62 * (int64_t)RW_SECOND_US);
	assert_int_equal(aw_open_events(&aw), 1);
}

/* ---- AP ---- */

static double never(const struct queue_batch *batches, size_t count, const struct queue_image *image)
{
	return 0;
}

/* The box of aw_add(), or one beside it. */
static void review(struct uuid asset, bool right, int64_t at_us)
{
	bool inserted;
	struct drawn_shape shape = {
		.kind = SHAPE_BOX, .label = "red", .x = right ? 10 : 400, .y = 20, .w = 100, .h = 200};
	const struct drawn_shapes drawn = {&shape, 1};
	struct review_row row = {.id = rw_id(),
		.predicted_asset_id = asset,
		.kind = "CORRECTED",
		.shapes = drawn_print(&drawn, &aw.w.arena),
		.who = "ann",
		.user_id = aw.w.model_id,
		.seconds = -1,
		.keys = -1,
		.created_us = at_us};
	RW_OK(&aw.w, review_rows_insert(aw.w.conn, &row, &inserted, &aw.w.err));
}

static void ap_of_reviewed_images(void **state)
{
	struct uuid assets[40];
	aw.quality = quality_new(aw.readers, never);
	aw_insert(&aw, aw_alert(&aw, ALERT_AP)); /* < 0.5, 30 images */
	int64_t now_us = AW_NOW_US + 30 * (int64_t)RW_SECOND_US;
	for (int i = 0; i < 40; i++)
		assets[i] = aw_add(
			&aw, (struct aw_prediction){.at_us = AW_NOW_US - i * RW_SECOND_US, .label = 0});
	for (int i = 0; i < 29; i++)
		review(assets[i], false, now_us);
	aw_look(&aw, now_us);
	assert_int_equal(aw_open_events(&aw), 0);
	review(assets[29], false, now_us);
	aw_look(&aw, now_us + 25 * (int64_t)RW_SECOND_US);
	assert_int_equal(
		aw_open_events(&aw), 0); /* neither soon after a review nor at the minute's beginning */
	aw_look(&aw, now_us + 5 * (int64_t)RW_SECOND_US);
	expect_text(aw_sentence(&aw),
		"AP was 0 over the last 7 days (30 reviewed images); the limit is 0.5. Look at the "
		"reviewed images "
		"that it got wrong; with the Feedback Loop they become what the next version learns from.");
	for (int i = 0; i < 30; i++)
		review(assets[i], true, now_us + 1);
	aw_look(&aw, now_us + 6 * (int64_t)RW_SECOND_US);
	assert_int_equal(aw_open_events(&aw), 0);
	assert_non_null(strstr(aw_why_closed(&aw), "AP was 1 over the last 7 days (30 reviewed images)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pictures_of_no_use_by_fixed_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_not_known_is_no_fault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pictures_of_no_use_by_training_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tiny_reference_has_no_range, set_up, tear_down),
		cmocka_unit_test_setup_teardown(labels_are_shared_as_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(labels_are_shared_otherwise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_label_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_training_data_nothing_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(labels_are_not_looked_at_each_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ap_of_reviewed_images, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
