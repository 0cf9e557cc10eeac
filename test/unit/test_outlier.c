/* SPDX-License-Identifier: Apache-2.0 */
/* How unusual an image is: ranks that are honest on images as the reference's, and what is not of its kind.
 */
#include "watch/outlier.h"

#include "base/check.h"
#include "drift_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

#define FRESH 4000

static void ranks_are_honest(void **state)
{
	struct reference *r = made_reference(2000, TASK_DETECTION, 0.5);
	struct chance c = {21};
	unsigned outliers = 0, over_half = 0;
	assert_int_equal(outlier_calibration(r->outlier), 1000);
	assert_true(is_near(outlier_smallest_rank(r->outlier), 1.0 / 1001, 1e-12));
	for (uint64_t n = 1; n <= FRESH; n++) {
		struct made m;
		struct outlier_value v;
		make_image(&m, &c, n, TASK_DETECTION);
		outlier_measure(r->outlier, &m.seen, &v);
		assert_true(v.score >= 0 && v.rank > 0 && v.rank <= 1);
		assert_true((v.rank <= OUTLIER_RANK) == (v.score >= 1));
		outliers += v.rank <= OUTLIER_RANK;
		over_half += v.rank > 0.5;
	}
	print_message("           %u of %u images as the reference's are outliers (expected 1 %%)\n",
		outliers, FRESH);
	assert_in_range(outliers, 10, 80); /* the calibration's own chance: 40 +- 3 x 13 */
	assert_in_range(over_half, FRESH * 45 / 100, FRESH * 55 / 100);
	reference_drop(r);
}

static void what_differs_is_found_and_named(void **state)
{
	struct reference *r = made_reference(600, TASK_DETECTION, 0.5);
	struct chance c = {22};
	struct made m;
	struct outlier_value usual, dark, darker, strange;
	make_image(&m, &c, 1, TASK_DETECTION);
	m.seen.stats.brightness = 120;
	outlier_measure(r->outlier, &m.seen, &usual);
	m.seen.stats.brightness = 5;
	outlier_measure(r->outlier, &m.seen, &dark);
	assert_true(dark.score > 1 && dark.rank <= OUTLIER_RANK && dark.z_feature == FEATURE_BRIGHTNESS);
	m.seen.stats.brightness = -100; /* beyond all that was seen, more is still more */
	outlier_measure(r->outlier, &m.seen, &darker);
	assert_true(darker.score > dark.score && darker.z > dark.z);
	m.seen.stats.brightness = 120;
	for (int i = 0; i < MADE_FEATURES; i++)
		m.features[i] = tap_half(i % 2 ? 3.0F : 0.1F);
	outlier_measure(r->outlier, &m.seen, &strange);
	assert_true(strange.score > 1 && strange.distance > 10 * usual.distance);
	/* What is not known is not held against an image. */
	m.row.features = (struct span){0};
	outlier_measure(r->outlier, &m.seen, &strange);
	assert_true(isnan(strange.distance) && strange.score < 1);
	m.seen.stats = (struct seen_stats){.brightness = (double)NAN,
		.contrast = (double)NAN,
		.blur = (double)NAN,
		.entropy = (double)NAN,
		.mean_rgb = {(double)NAN, (double)NAN, (double)NAN}};
	outlier_measure(r->outlier, &m.seen, &strange);
	assert_true(isnan(strange.z) && strange.score >= 0 && strange.score < 1 && strange.rank >= 1);
	reference_drop(r);
}

static void packed_and_unpacked_it_is_the_same(void **state)
{
	struct reference *r = made_reference(300, TASK_DETECTION, 0.5);
	struct outlier_model *again;
	struct chance c = {23};
	struct err err = {.text = ""};
	struct span packed = outlier_pack(r->outlier, &r->arena);
	assert_int_equal(outlier_unpack(packed, &r->arena, &again, &err), ST_OK);
	for (uint64_t n = 1; n <= 100; n++) {
		struct made m;
		struct outlier_value a, b;
		make_image(&m, &c, n, TASK_DETECTION);
		memset(&a, 0, sizeof(a));
		memset(&b, 0, sizeof(b));
		outlier_measure(r->outlier, &m.seen, &a);
		outlier_measure(again, &m.seen, &b);
		assert_true(is_near(a.score, b.score, 0) && is_near(a.rank, b.rank, 0) &&
			    is_near(a.distance, b.distance, 0) && a.z_feature == b.z_feature);
	}
	for (size_t size = 0; size < packed.size; size += 1 + size / 5)
		assert_int_equal(
			outlier_unpack(span_of(packed.data, size), &r->arena, &again, &err), ST_INVALID);
	uint8_t *broken = arena_alloc(&r->arena, packed.size);
	for (size_t at = 0; at < 24; at++) { /* its counts */
		memcpy(broken, packed.data, packed.size);
		broken[at] ^= 0x55;
		assert_int_equal(
			outlier_unpack(span_of(broken, packed.size), &r->arena, &again, &err), ST_INVALID);
	}
	reference_drop(r);
}

/* Without features, with few, with too few images; with classes of few and of many. */
static void what_there_is_is_used(void **state)
{
	enum { COUNT = 80 };
	static struct made images[COUNT];
	struct seen seen[COUNT];
	bool calibration[COUNT];
	struct arena a;
	struct outlier_model *m;
	struct outlier_value v;
	struct err err = {.text = ""};
	struct chance c = {24};
	arena_init(&a);
	for (size_t i = 0; i < COUNT; i++) {
		make_image(&images[i], &c, i + 1, TASK_CLASSIFICATION);
		images[i].shapes[0].label = i < 50 ? 0 : i < 78 ? 1 : 7;
		calibration[i] = i % 2;
		seen[i] = images[i].seen;
	}
	assert_int_equal(outlier_fit(seen, calibration, 19, &a, &m, &err), ST_INVALID);
	assert_non_null(strstr(err.text, "too few"));
	assert_int_equal(outlier_fit(seen, calibration, COUNT, &a, &m, &err), ST_OK);
	assert_non_null(outlier_gaussian(m));
	outlier_measure(m, &seen[3], &v);
	assert_true(v.distance >= 0 && isfinite(v.score));
	assert_true(outlier_smallest_rank(m) > OUTLIER_RANK); /* 40 images cannot say "one in a hundred" */
	for (size_t i = 0; i < COUNT; i++)
		images[i].row.features = (struct span){0};
	assert_int_equal(outlier_fit(seen, calibration, COUNT, &a, &m, &err), ST_OK);
	assert_null(outlier_gaussian(m));
	struct span packed = outlier_pack(m, &a);
	assert_int_equal(outlier_unpack(packed, &a, &m, &err), ST_OK);
	outlier_measure(m, &seen[3], &v);
	assert_true(isnan(v.distance) && v.score >= 0);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_are_honest),
		cmocka_unit_test(what_differs_is_found_and_named),
		cmocka_unit_test(packed_and_unpacked_it_is_the_same),
		cmocka_unit_test(what_there_is_is_used),
	};
	return cmocka_run_group_tests_name("outlier", tests, NULL, NULL);
}
