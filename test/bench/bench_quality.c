/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one more review costs whoever looks at a deployment's quality: 1,640 images of 22 answers and 80
 * labels (36,000 answers), all reviewed. Run by hand. Prints seconds of the first reading; then, of one
 * review after the other, the median milliseconds until all numbers are there, without and with intervals and
 * windows.
 */
#include "../unit/review_world.h"
#include "os/clock.h"
#include "store/review_rows.h"
#include "task/drawn.h"
#include "task/shown.h"
#include "watch/quality.h"

#include <stdio.h>

enum { IMAGES = 1640, ANSWERS = 22, LABELS = 80, ROUNDS = 41 };

static struct review_world w;
static uint64_t state = 3;

static double chance01(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (double)(state >> 40) * 0x1p-24;
}

static int32_t label(void)
{
	double x = chance01();
	return (int32_t)(x * x * x * LABELS); /* some are much more frequent than others */
}

static struct box box_at(int place)
{
	float x = (float)(100 * (place % 6)), y = (float)(110 * (place / 6));
	return (struct box){x, y, x + 40 + (float)(50 * chance01()), y + 40 + (float)(50 * chance01())};
}

static void review(struct uuid asset)
{
	struct drawn_shape items[8];
	struct drawn_shapes drawn = {items, 7};
	bool inserted;
	for (int i = 0; i < 7; i++) {
		struct match_box box = shown_box(box_at(i));
		items[i] = (struct drawn_shape){.kind = SHAPE_BOX,
			.label = arena_printf(&w.arena, "%d", label()),
			.x = box.x,
			.y = box.y,
			.w = box.width,
			.h = box.height};
	}
	struct review_row r = {.id = rw_id(),
		.predicted_asset_id = asset,
		.kind = "CORRECTED",
		.shapes = drawn_print(&drawn, &w.arena),
		.who = "ann",
		.user_id = w.model_id,
		.seconds = -1,
		.keys = -1,
		.created_us = RW_FIRST_US};
	RW_OK(&w, review_rows_insert(w.conn, &r, &inserted, &w.err));
}

static struct uuid add_image(void)
{
	struct shape items[ANSWERS];
	float score = 0.99f;
	for (int i = 0; i < ANSWERS; i++) {
		score -= (float)(0.04 * chance01());
		items[i] =
			(struct shape){.kind = SHAPE_BOX, .label = label(), .score = score, .box = box_at(i)};
	}
	return rw_add_image_of(&w, w.deployment_id, &(struct shapes){items, ANSWERS});
}

static double read_ms(struct quality *q, bool intervals)
{
	const struct quality_filter filter = {.threshold = -1, .intervals = intervals};
	struct quality_report report;
	struct arena a;
	arena_init(&a);
	int64_t start_us = clock_mono_us();
	RW_OK(&w, quality_read(q, w.deployment_id, &filter, &a, &report, &w.err));
	double took = (double)(clock_mono_us() - start_us) / 1e3;
	arena_release(&a);
	return took;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median_ms(struct quality *q, const struct uuid *assets, bool intervals, int rounds)
{
	double times[ROUNDS];
	for (int i = 0; i < rounds; i++) {
		review(assets[i]);
		times[i] = read_ms(q, intervals);
	}
	qsort(times, (size_t)rounds, sizeof(times[0]), by_size);
	return times[rounds / 2];
}

static void test(void **unused)
{
	static struct uuid assets[IMAGES];
	struct db_readers *readers;
	rw_open(&w);
	RW_OK(&w, db_readers_new(w.db, 2, &readers, &w.err));
	RW_OK(&w, db_script(w.conn, "BEGIN", &w.err));
	for (int i = 0; i < IMAGES; i++) {
		assets[i] = add_image();
		review(assets[i]);
	}
	RW_OK(&w, db_script(w.conn, "COMMIT", &w.err));
	struct quality *q = quality_new(readers, NULL);
	printf("first reading %.3f s\n", read_ms(q, false) / 1e3);
	printf("nothing new %.2f ms\n", read_ms(q, false));
	printf("one more review %.2f ms\n", median_ms(q, assets, false, ROUNDS));
	printf("with intervals and windows %.1f ms\n", median_ms(q, assets, true, 5));
	quality_free(q);
	db_readers_free(readers);
	rw_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
