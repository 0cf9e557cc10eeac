/* SPDX-License-Identifier: Apache-2.0 */
/* Summaries: NumPy's counts, bytes that no order and no grouping changes, and what damaged bytes are. */
#include "watch/packing.h"
#include "watch/summary.h"

#include "base/check.h"
#include "base/str.h"
#include "watch_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PREDICTIONS 150

static const char *const golden[] = {
#include "../golden/summary.txt"
};
static const struct {
	uint64_t seed;
	double threshold;
} cases[] = {{1, 0.3}, {2, 0.35}, {3, 0.01}, {4, 0.8}};
static const double quantiles[] = {0, 0.01, 0.5, 0.9, 0.95, 0.99, 1};

static struct watch_sample samples[PREDICTIONS];
static struct summary summary, other;
static struct arena arena;
static struct err err;

static int set_up(void **state)
{
	uint64_t chance = 1;
	arena_init(&arena);
	summary_init(&summary);
	summary_init(&other);
	for (int i = 0; i < PREDICTIONS; i++)
		watch_sample(&chance, &samples[i]);
	return 0;
}

static int tear_down(void **state)
{
	summary_release(&summary);
	summary_release(&other);
	arena_release(&arena);
	return 0;
}

/* ---- NumPy's counts ---- */

struct check {
	size_t line; /* of golden */
	uint64_t seed;
	double threshold;
};

static void expect_list(struct check *k, const char *field, const uint64_t *counts, size_t count)
{
	struct str s;
	str_init(&s, 1 << 16);
	str_printf(&s, "%d %g %s", (int)k->seed, k->threshold, field);
	for (size_t i = 0; i < count; i++)
		if (counts[i])
			str_printf(&s, " %zu:%llu", i, (unsigned long long)counts[i]);
	assert_true(k->line < COUNT_OF(golden));
	assert_string_equal(str_text(&s), golden[k->line]);
	k->line++;
	str_release(&s);
}

/* Nearest rank, within 1 %. */
static void expect_quantiles(struct check *k, const uint64_t *counts)
{
	const char *at = strstr(golden[k->line++], "quantiles");
	assert_non_null(at);
	for (size_t i = 0; i < COUNT_OF(quantiles); i++) {
		at = strchr(at, ':') + 1;
		const double exact = strtod(at, NULL), got = sketch_quantile(counts, quantiles[i]);
		assert_true(fabs(got - exact) <= 0.01 * exact + 1e-9);
	}
}

static void expect_label(struct check *k, unsigned label)
{
	const struct summary_label *l = summary_label(&summary, label);
	const uint64_t numbers[] = {l->images, l->shapes};
	char name[32];
	snprintf(name, sizeof(name), "label %u", label);
	expect_list(k, name, numbers, 2);
	snprintf(name, sizeof(name), "scores %u", label);
	expect_list(k, name, l->scores, SUMMARY_SCORES);
	snprintf(name, sizeof(name), "sizes %u", label);
	expect_list(k, name, l->sizes, SUMMARY_SIZES);
	snprintf(name, sizeof(name), "ratios %u", label);
	expect_list(k, name, l->ratios, SUMMARY_RATIOS);
}

static void expect_all(struct check *k)
{
	const struct summary *s = &summary;
	expect_list(k, "predictions", &s->predictions, 1);
	expect_list(k, "latency_sum_us", &s->latency_sum_us, 1);
	expect_list(k, "cpu_sum_us", &s->cpu_sum_us, 1);
	expect_list(k, "width_sum", &s->width_sum, 1);
	expect_list(k, "height_sum", &s->height_sum, 1);
	expect_list(k, "measured", &s->measured, 1);
	expect_list(k, "brightness_sum", &s->brightness_sum, 1);
	expect_list(k, "contrast_sum", &s->contrast_sum, 1);
	expect_list(k, "blur_sum", &s->blur_sum, 1);
	expect_list(k, "latencies", s->latencies, SKETCH_BINS);
	expect_quantiles(k, s->latencies);
	expect_list(k, "brightness", s->brightness, SUMMARY_LUMA);
	expect_list(k, "contrast", s->contrast, SUMMARY_LUMA);
	expect_list(k, "blur", s->blur, SUMMARY_BLUR);
	expect_list(k, "areas", s->areas, SUMMARY_AREAS);
	expect_list(k, "image_ratios", s->image_ratios, SUMMARY_RATIO_NAMES);
	expect_list(k, "shapes", &s->shapes, 1);
	expect_list(k, "without_shapes", &s->without_shapes, 1);
	expect_list(k, "objects", s->objects, SUMMARY_OBJECTS);
	for (unsigned label = 0; label < SAMPLE_LABELS; label++)
		expect_label(k, label);
}

static void test_counts_are_numpys(void **state)
{
	struct check k = {0};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t chance = k.seed = cases[i].seed;
		k.threshold = cases[i].threshold;
		summary_release(&summary);
		for (int n = 0; n < PREDICTIONS; n++) {
			watch_sample(&chance, &samples[n]);
			summary_add(&summary, &samples[n].seen, k.threshold);
		}
		expect_all(&k);
	}
	assert_int_equal(k.line, COUNT_OF(golden));
}

/* ---- sums ---- */

static struct span packed(const struct summary *s)
{
	return summary_pack(s, &arena);
}

static void add_all(struct summary *s)
{
	for (int i = 0; i < PREDICTIONS; i++)
		summary_add(s, &samples[i].seen, 0.3);
}

static void test_any_order_and_any_grouping_gives_the_same_bytes(void **state)
{
	struct summary groups[3];
	add_all(&summary);
	for (int g = 0; g < 3; g++)
		summary_init(&groups[g]);
	for (int i = PREDICTIONS - 1; i >= 0; i--)
		summary_add(&groups[i * i % 3], &samples[i].seen, 0.3);
	/* One is merged as it is, one from its bytes. */
	summary_merge(&other, &groups[1]);
	assert_int_equal(summary_unpack_into(&other, packed(&groups[0]), &err), ST_OK);
	summary_merge(&other, &groups[2]);
	assert_true(span_equal(packed(&summary), packed(&other)));
	for (int g = 0; g < 3; g++)
		summary_release(&groups[g]);
}

static void test_labels_of_another_version_are_mapped(void **state)
{
	static const uint32_t map[] = {3, 3, 0, 1, UINT32_MAX, 5}; /* the last one has no counterpart */
	struct summary from;
	summary_init(&from);
	add_all(&from);
	summary_merge_mapped(&summary, &from, map, COUNT_OF(map));
	assert_int_equal(summary.predictions, PREDICTIONS);
	assert_int_equal(summary.shapes, from.shapes);
	assert_int_equal(summary_label(&summary, 3)->shapes, from.labels[0].shapes + from.labels[1].shapes);
	assert_int_equal(summary_label(&summary, 0)->images, from.labels[2].images);
	assert_int_equal(summary_label(&summary, 1)->scores[20], from.labels[3].scores[20]);
	assert_int_equal(summary_label(&summary, 5)->shapes, from.labels[5].shapes);
	assert_int_equal(summary_label(&summary, 2)->shapes + summary_label(&summary, 4)->shapes, 0);
	summary_release(&from);
}

static void test_a_label_past_the_last_is_in_the_counts_of_all_alone(void **state)
{
	struct watch_sample *s = &samples[0];
	s->shapes[0] = (struct shape){.kind = SHAPE_BOX, .label = INT32_MAX, .score = 1, .box = {0, 0, 1, 1}};
	s->seen.shapes.count = 1;
	summary_add(&summary, &s->seen, 0.5);
	assert_int_equal(summary.shapes, 1);
	assert_int_equal(summary.label_count, 0);
}

static void test_a_classifiers_answer_is_its_best_class(void **state)
{
	struct watch_sample *s = &samples[0];
	s->shapes[0] = (struct shape){.kind = SHAPE_CLASS, .label = 1, .score = 0.5f};
	s->shapes[1] = (struct shape){.kind = SHAPE_CLASS, .label = 2, .score = 0.4f};
	s->seen.shapes.count = 2;
	summary_add(&summary, &s->seen, 0.3);
	assert_int_equal(summary.shapes, 1);
	assert_int_equal(summary.label_count, 2);
	summary_add(&summary, &s->seen, 0.6);
	assert_int_equal(summary.without_shapes, 1);
	assert_int_equal(summary.objects[0], 1);
}

static void test_what_is_not_finite_or_outside_harms_nothing(void **state)
{
	struct watch_sample *s = &samples[0];
	s->row.latency_us = -5;
	s->row.cpu_us = -5;
	s->seen.stats = (struct seen_stats){.brightness = INFINITY, .contrast = 0, .blur = 0};
	s->shapes[0] = (struct shape){
		.kind = SHAPE_BOX, .score = 1, .box = {-3e38f, -3e38f, 3e38f, 3e38f}}; /* all of it */
	s->shapes[1] = (struct shape){.kind = SHAPE_BOX, .score = 1, .box = {5, 5, 5, 5}};
	s->seen.shapes.count = 2;
	summary_add(&summary, &s->seen, 0.5);
	assert_int_equal(summary.latency_sum_us + summary.cpu_sum_us + summary.measured, 0);
	assert_int_equal(summary.latencies[0], 1);
	assert_int_equal(summary.labels[0].sizes[SUMMARY_SIZES - 1], 1);
	assert_int_equal(summary.labels[0].sizes[0], 1);
	s->row.width = s->row.height = 0;
	summary_add(&summary, &s->seen, 0.5);
	assert_int_equal(summary.predictions, 2);
}

static void test_image_ratios_have_names(void **state)
{
	static const struct {
		uint32_t width, height;
		const char *name;
	} images[] = {{640, 640, "square"}, {640, 600, "square"}, {600, 640, "square"}, {1, 1, "square"},
		{480, 640, "tall"}, {400, 1000, "very tall"}, {10, 1000, "very tall"}, {640, 480, "wide"},
		{1920, 1080, "wide"}, {2100, 1000, "very wide"}, {3001, 1000, "extremely wide"},
		{4000000000, 1, "extremely wide"}};
	for (size_t i = 0; i < COUNT_OF(images); i++)
		assert_string_equal(
			summary_image_ratio_name(summary_image_ratio(images[i].width, images[i].height)),
			images[i].name);
}

/* ---- bytes ---- */

static void test_an_empty_summary_is_as_drawn(void **state)
{
	uint8_t bytes[1 + 11 + 7 + 1] = {1}; /* the version; numbers, arrays and labels, all of nothing */
	assert_true(span_equal(packed(&summary), span_of(bytes, sizeof(bytes))));
}

static void test_bytes_are_as_drawn(void **state)
{
	struct watch_sample *s = &samples[0];
	static const uint8_t bytes[] = {1, 1, 0xac, 2, 7, 100, 200, 1, 0, 0, 0, 0, 1, 0, /* numbers */
		1, 0x9e, 2, 1,                /* a latency of 300 us is in bin 286 */
		0, 0, 0,                      /* nothing is known of its pixels */
		1, 28, 1,                     /* 20,000 pixels */
		1, 1, 1,                      /* tall */
		1, 1, 1,                      /* one object */
		1, 2, 1, 1,                   /* label 2: shapes, images */
		1, 25, 1, 1, 2, 1, 1, 16, 1}; /* score 0.5; 100 pixels of 20,000; as wide as high */
	s->row.width = 100;
	s->row.height = 200;
	s->row.latency_us = 300;
	s->row.cpu_us = 7;
	s->seen.stats.brightness = NAN;
	s->shapes[0] = (struct shape){.kind = SHAPE_BOX, .label = 2, .score = 0.5f, .box = {0, 0, 10, 10}};
	s->seen.shapes.count = 1;
	summary_add(&summary, &s->seen, 0.5);
	const struct span got = packed(&summary);
	assert_int_equal(got.size, sizeof(bytes));
	assert_memory_equal(got.data, bytes, sizeof(bytes));
}

static void test_cut_and_changed_bytes_are_refused_or_read_as_what_they_say(void **state)
{
	add_all(&summary);
	const struct span whole = packed(&summary);
	uint8_t *bytes = arena_alloc(&arena, whole.size + 1);
	for (size_t size = 0; size < whole.size; size++) {
		summary_release(&other);
		assert_int_equal(summary_unpack_into(&other, span_of(whole.data, size), &err), ST_INVALID);
	}
	memcpy(bytes, whole.data, whole.size);
	bytes[whole.size] = 0;
	assert_int_equal(summary_unpack_into(&other, span_of(bytes, whole.size + 1), &err), ST_INVALID);
	for (size_t i = 0; i < whole.size; i++) {
		memcpy(bytes, whole.data, whole.size);
		bytes[i] ^= (uint8_t)(1u << (i % 8));
		summary_release(&other);
		if (summary_unpack_into(&other, span_of(bytes, whole.size), &err) == ST_OK)
			assert_true(span_equal(packed(&other), span_of(bytes, whole.size)));
	}
}

static void test_numbers_have_one_form(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} bad[] = {{"\x80\x00", 2}, {"\x81", 1}, {"", 0}, {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11}};
	static const uint64_t good[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct unpacker u = {
			(const uint8_t *)bad[i].bytes, (const uint8_t *)bad[i].bytes + bad[i].size, false};
		unpack_number(&u);
		assert_true(u.is_broken);
	}
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct packer p = {.arena = &arena};
		pack_number(&p, good[i]);
		struct unpacker u = {p.data, p.data + p.size, false};
		assert_true(unpack_number(&u) == good[i]);
		assert_true(unpack_ended(&u));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts_are_numpys),
		TEST(test_any_order_and_any_grouping_gives_the_same_bytes),
		TEST(test_labels_of_another_version_are_mapped),
		TEST(test_a_label_past_the_last_is_in_the_counts_of_all_alone),
		TEST(test_a_classifiers_answer_is_its_best_class),
		TEST(test_what_is_not_finite_or_outside_harms_nothing),
		TEST(test_image_ratios_have_names),
		TEST(test_an_empty_summary_is_as_drawn),
		TEST(test_bytes_are_as_drawn),
		TEST(test_cut_and_changed_bytes_are_refused_or_read_as_what_they_say),
		TEST(test_numbers_have_one_form),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
