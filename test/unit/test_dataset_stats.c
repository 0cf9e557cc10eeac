/* SPDX-License-Identifier: Apache-2.0 */
/* learn/dataset_stats: what is counted, and what is not. */
#include "dataset_world.h"
#include "learn/dataset_stats.h"
#include "store/tag_rows.h"

static int set_up(void **state)
{
	static struct dataset_world world;
	dw_open(&world);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	dw_close(*state);
	return 0;
}

static void annotate(struct dataset_world *w, struct uuid version, struct uuid asset,
	const struct annotation_shape_row *shapes, size_t count)
{
	struct annotation_row row = {.id = dw_id(w),
		.asset_id = asset,
		.status = "PENDING",
		.who = "ann",
		.created_us = w->now_us,
		.shapes = ARENA_ARRAY(&w->arena, struct annotation_shape_row, count + 1),
		.shape_count = count};
	for (size_t i = 0; i < count; i++) {
		struct label_row label;
		bool made;
		DW_OK(label_rows_ensure(w->c, version, shapes[i].label, &w->arena, &label, &made, DW_ERR));
		row.shapes[i] = shapes[i];
		row.shapes[i].label_id = label.id;
	}
	DW_OK(annotation_rows_insert(w->c, &row, &w->arena, DW_ERR));
}

static struct annotation_shape_row box(const char *label, double w, double h)
{
	return (struct annotation_shape_row){
		.kind = ANNOTATION_RECTANGLE, .label = label, .w = w, .h = h, .area = -1};
}

static void test_counts(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), other = dw_version(w, "second"), assets[5];
	struct dataset_stats s;
	for (int i = 0; i < 5; i++)
		assets[i] = dw_asset(w, version, dw_data(w, "a.png", NULL));
	struct annotation_shape_row triangle = {
		.kind = ANNOTATION_POLYGON, .label = "bus", .points = "[[0,0],[100,0],[0,100]]", .area = -1};
	struct annotation_shape_row two_parts = {.kind = ANNOTATION_POLYGON,
		.label = "bus",
		.points = "{\"rings\":[[[0,0],[80,0],[80,80],[0,80]],[[100,0],[160,0],[160,60],[100,60]]]}",
		.area = -1};
	struct annotation_shape_row said = triangle,
				    class = {.kind = ANNOTATION_CLASSIFICATION, .label = "car", .area = -1};
	said.area = 10;
	/* An earlier annotation does not count. */
	annotate(w, version, assets[0], (struct annotation_shape_row[]){box("old", 5, 5)}, 1);
	annotate(w, version, assets[0],
		(struct annotation_shape_row[]){box("car", 31.9, 32), box("car", 32, 32), box("bus", 96, 96)},
		3);
	annotate(w, version, assets[1], (struct annotation_shape_row[]){triangle, two_parts, said, class}, 4);
	annotate(w, version, assets[2], NULL, 0);
	annotate(w, version, assets[3], (struct annotation_shape_row[]){box("car", 95.9, 96)}, 1);
	annotate(w, other, dw_asset(w, other, dw_data(w, "b.png", NULL)),
		(struct annotation_shape_row[]){box("car", 1, 1)}, 1);
	DW_OK(dataset_stats_read(w->c, version, &w->arena, &s, DW_ERR));
	assert_int_equal(s.assets, 5);
	assert_int_equal(s.annotated, 4);
	assert_int_equal(s.annotations, 5);
	assert_int_equal(s.objects, 8);
	assert_int_equal(s.small, 2);  /* 31.9 x 32, and the one of which 10 is said */
	assert_int_equal(s.medium, 3); /* 32 x 32, 95.9 x 96, the triangle of 5,000 */
	assert_int_equal(s.large, 2);  /* 96 x 96, the two parts of 10,000 */
	assert_int_equal(s.label_count, 3);
	const char *names[] = {"old", "car", "bus"};
	const int64_t shapes[] = {0, 4, 4}, images[] = {0, 3, 2};
	for (int i = 0; i < 3; i++) {
		assert_string_equal(s.labels[i].name, names[i]);
		assert_int_equal(s.labels[i].shapes, shapes[i]);
		assert_int_equal(s.labels[i].images, images[i]);
	}
	const int64_t histogram[] = {1, 1, 0, 1, 1};
	assert_int_equal(s.objects_most, 4);
	for (int k = 0; k < 5; k++)
		assert_int_equal(s.objects_per_image[k], histogram[k]);
	DW_REFUSED(
		dataset_stats_read(w->c, assets[0], &w->arena, &s, DW_ERR), ST_MISSING, "no dataset version");
}

/* More than the histogram has places for. */
static void test_crowd(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first");
	struct annotation_shape_row shapes[150];
	struct dataset_stats s;
	for (int i = 0; i < 150; i++)
		shapes[i] = box("car", 2, 2);
	annotate(w, version, dw_asset(w, version, dw_data(w, "a.png", NULL)), shapes, 150);
	annotate(w, version, dw_asset(w, version, dw_data(w, "b.png", NULL)), shapes, 100);
	DW_OK(dataset_stats_read(w->c, version, &w->arena, &s, DW_ERR));
	assert_int_equal(s.objects_most, DATASET_STATS_OBJECTS_MAX);
	assert_int_equal(s.objects_per_image[DATASET_STATS_OBJECTS_MAX], 2);
	assert_int_equal(s.objects, 250);
	assert_int_equal(s.labels[0].images, 2);
}

static void test_tags(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), other = dw_version(w, "second"), data[3];
	struct tag_row night = {.id = dw_id(w), .name = "night", .target_type = "ASSET", .scope_id = version};
	struct tag_row rain = {
		.id = dw_id(w), .name = "rain", .target_type = "DATA", .scope_id = w->datalake_id};
	struct dataset_tag_count *tags;
	bool attached;
	size_t count;
	DW_OK(tag_rows_insert(w->c, &night, DW_ERR));
	DW_OK(tag_rows_insert(w->c, &rain, DW_ERR));
	for (int i = 0; i < 3; i++) {
		data[i] = dw_data(w, "a.png", NULL);
		DW_OK(tag_rows_attach(w->c, &rain, data[i], &attached, DW_ERR));
		DW_OK(tag_rows_attach(w->c, &night, dw_asset(w, version, data[i]), &attached, DW_ERR));
	}
	dw_asset(w, other, data[0]);
	DW_OK(dataset_stats_tags(w->c, version, false, &w->arena, &tags, &count, DW_ERR));
	assert_int_equal(count, 1);
	assert_string_equal(tags[0].name, "night");
	assert_int_equal(tags[0].assets, 3);
	DW_OK(dataset_stats_tags(w->c, other, true, &w->arena, &tags, &count, DW_ERR));
	assert_int_equal(count, 1);
	assert_string_equal(tags[0].name, "rain");
	assert_int_equal(tags[0].assets, 1);
	DW_OK(dataset_stats_tags(w->c, other, false, &w->arena, &tags, &count, DW_ERR));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_crowd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tags, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
