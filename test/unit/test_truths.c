/* SPDX-License-Identifier: Apache-2.0 */
/* learn/truths.h: from annotation files to what a model is measured by, and every reason why not. */
#include "learn/truths.h"

#include "base/str.h"
#include "image_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define COUNT 22u
static struct arena arena;
static struct span png; /* 40 x 30 */

static const char *const labels[] = {"cat", "dog", "aeroplane"};

/* COUNT pictures and one annotation file. */
struct set {
	struct truths_file files[2 * CHECK_PICTURES_MAX];
	size_t count;
};

static void add(struct set *set, const char *name, struct span bytes, bool is_picture)
{
	set->files[set->count++] = (struct truths_file){arena_strdup(&arena, name), bytes, is_picture};
}

static void add_pictures(struct set *set, const char *folder, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(set, arena_printf(&arena, "%s%zu.png", folder, i), png, true);
}

/* Every image has one annotation of this text, with "id", "image_id" and a category before it. */
static struct span coco(size_t images, const char *annotation, const char *categories)
{
	struct str s;
	str_init(&s, 1 << 20);
	str_append(&s, "{\"images\": [");
	for (size_t i = 0; i < images; i++)
		str_printf(&s, "%s{\"id\": %zu, \"file_name\": \"%zu.png\", \"width\": 40, \"height\": 30}",
			i ? "," : "", i, i);
	str_append(&s, "], \"annotations\": [");
	for (size_t i = 0; i < images; i++)
		str_printf(&s, "%s{\"id\": %zu, \"image_id\": %zu, %s}", i ? "," : "", i + 1, i, annotation);
	str_printf(&s, "], \"categories\": [%s]}", categories);
	struct span text = arena_copy(&arena, span_of(s.text, s.size));
	str_release(&s);
	return text;
}

#define CATS                                                                                                 \
	"{\"id\": 1, \"name\": \"Airplane\"}, {\"id\": 2, \"name\": \"ghost\"}, {\"id\": 3, \"name\": "      \
	"\"DOG\"}"
#define BOX "\"category_id\": 1, \"bbox\": [4, 5, 10, 8], \"area\": 80, \"iscrowd\": 0"
#define POLYGON                                                                                              \
	"\"category_id\": 3, \"bbox\": [0, 0, 20, 10], \"segmentation\": [[0, 0, 20, 0, 20, 10, 0, 10]], "   \
	"\"area\": 200, \"iscrowd\": 0"

static enum status make(const struct set *set, enum task task, struct truths *out, struct err *err)
{
	const struct truths_wanted wanted = {task, labels, 3};
	return truths_make(&wanted, set->files, set->count, &arena, out, err);
}

static void refuses(const struct set *set, enum task task, enum status expected, const char *part)
{
	struct truths t;
	struct err err = {.text = ""};
	enum status st = make(set, task, &t, &err);
	if (st != expected || strstr(err.text, part) == NULL)
		fail_msg("%s: '%s', expected %s: '…%s…'", status_name(st), err.text, status_name(expected),
			part);
}

static struct truths made(const struct set *set, enum task task)
{
	struct truths t;
	struct err err;
	if (make(set, task, &t, &err) != ST_OK)
		fail_msg("%s", err.text);
	return t;
}

static void test_boxes_of_a_detector(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	add_pictures(set, "images/", COUNT);
	add(set, "annotations/instances.json", coco(COUNT, BOX, CATS), false);
	struct truths t = made(set, TASK_DETECTION);
	assert_int_equal(t.picture_count, COUNT);
	assert_int_equal(t.labelled_shapes, COUNT);
	assert_int_equal(t.problem_count, 0);
	for (size_t i = 0; i < COUNT; i++) {
		const struct truth *truth = &t.pictures[i].truth;
		assert_int_equal(truth->shape_count, 1);
		assert_int_equal(truth->shapes[0].label, 2); /* Airplane is the model's aeroplane */
		assert_true(truth->shapes[0].box.x == 4 && truth->shapes[0].box.y == 5);
		assert_true(truth->shapes[0].box.width == 10 && truth->shapes[0].box.height == 8);
		assert_ptr_equal(t.pictures[i].bytes.data, png.data);
		assert_non_null(strstr(t.pictures[i].name, "images/"));
	}
	assert_true(!t.labels[0] && t.labels[1] && t.labels[2]);
	assert_int_equal(t.matched_count, 2);
	assert_int_equal(t.unmatched_count, 1);
	assert_string_equal(t.unmatched[0], "ghost");
}

static void test_outlines_of_regions(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	add_pictures(set, "", COUNT);
	add(set, "a.json", coco(COUNT, POLYGON, CATS), false);
	struct truths t = made(set, TASK_SEGMENTATION);
	assert_int_equal(t.picture_count, COUNT);
	const struct match_truth *shape = &t.pictures[0].truth.shapes[0];
	assert_int_equal(shape->label, 1);
	assert_int_equal(shape->mask.width, 40);
	assert_int_equal(mask_area(shape->mask), 200);
	t = made(set, TASK_DETECTION); /* and as boxes */
	assert_true(t.pictures[0].truth.shapes[0].box.width == 20);
}

static void test_folders_are_classes(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	add_pictures(set, "all/Cat/", 12);
	add_pictures(set, "all/dog/", 12);
	add_pictures(set, "all/cow/", 3);
	struct truths t = made(set, TASK_CLASSIFICATION);
	assert_int_equal(t.picture_count, 24);
	assert_int_equal(t.labelled_shapes, 24);
	for (size_t i = 0; i < t.picture_count; i++)
		assert_int_equal(t.pictures[i].truth.label, strstr(t.pictures[i].name, "dog") ? 1 : 0);
	assert_int_equal(t.unmatched_count, 1);
	refuses(set, TASK_DETECTION, ST_UNPROCESSABLE, "boxes");
	refuses(set, TASK_SEGMENTATION, ST_UNPROCESSABLE, "outlines");
}

/* A picture on which there is nothing is labelled; one that nobody looked at is not. */
static void test_empty_and_unknown_pictures(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	add_pictures(set, "", COUNT + 2);
	struct span text = coco(COUNT, "\"category_id\": 2, \"bbox\": [4, 5, 10, 8], \"area\": 80", CATS);
	add(set, "a.json", text, false);
	struct truths t = made(set, TASK_DETECTION);
	assert_int_equal(t.picture_count, COUNT);
	assert_int_equal(t.pictures[0].truth.shape_count, 0); /* ghosts do not count */
	assert_int_equal(t.labelled_shapes, 0);
	assert_int_equal(t.problem_count, 1);
	assert_non_null(strstr(t.problems[0], "2 of the pictures have no annotations"));
}

static void test_crowds_and_boxes_without_area(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	add_pictures(set, "", COUNT);
	add(set, "a.json",
		coco(COUNT, "\"category_id\": 1, \"bbox\": [4, 5, 10, 8], \"area\": 80, \"iscrowd\": 1",
			CATS),
		false);
	assert_true(made(set, TASK_DETECTION).pictures[0].truth.shapes[0].crowd);
	set->count--;
	add(set, "a.json", coco(COUNT, "\"category_id\": 1, \"bbox\": [4, 5, 0, 8], \"area\": 0", CATS),
		false);
	struct truths t;
	struct err err;
	if (make(set, TASK_DETECTION, &t, &err) == ST_OK)
		assert_int_equal(t.pictures[0].truth.shape_count, 0);
}

static void test_broken_files(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	add_pictures(set, "", COUNT);
	set->files[3].bytes = span_of_text("no picture");
	set->files[5].name = "../../5.png";
	add(set, "a.json", coco(COUNT, BOX, CATS), false);
	struct truths t = made(set, TASK_DETECTION);
	assert_int_equal(t.picture_count, COUNT - 2);
	assert_true(t.problem_count >= 2);
	assert_non_null(strstr(t.problems[0], "3.png"));
	set->files[7].bytes = span_of_text("");
	refuses(set, TASK_DETECTION, ST_INVALID, "at least 20 labelled pictures, and these are 19");
}

static void test_what_is_refused(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	refuses(set, TASK_DETECTION, ST_INVALID, "at least 20");
	add_pictures(set, "", 19);
	refuses(set, TASK_DETECTION, ST_INVALID, "these are 19");
	refuses(set, TASK_DETECTION, ST_INVALID, "these are 19");
	add(set, "last.png", png, true);
	refuses(set, TASK_DETECTION, ST_INVALID, "No annotations");
	add(set, "a.json", span_of_text("{"), false);
	refuses(set, TASK_DETECTION, ST_INVALID, "No annotations");
	set->files[set->count - 1].bytes = coco(19, BOX, "{\"id\": 1, \"name\": \"ghost\"}");
	refuses(set, TASK_DETECTION, ST_UNPROCESSABLE, "\"ghost\"");
	set->files[set->count - 1].bytes = coco(19, BOX, CATS);
	refuses(set, TASK_CLASSIFICATION, ST_UNPROCESSABLE, "folder for each class");
	refuses(set, TASK_SEGMENTATION, ST_UNPROCESSABLE, "outlines");
	refuses(set, TASK_DETECTION, ST_INVALID, "these are 19");
	add_pictures(set, "most/", CHECK_PICTURES_MAX - 19);
	refuses(set, TASK_DETECTION, ST_TOO_LARGE, "at most 500");
}

/* What would take too much memory is refused before it does. */
static void test_limits(void **state)
{
	struct set *set = ARENA_NEW(&arena, struct set);
	add_pictures(set, "", COUNT);
	char *blank = arena_zalloc(&arena, 1, TRUTHS_ANNOTATION_BYTES_MAX);
	add(set, "a.json", coco(COUNT, BOX, CATS), false);
	add(set, "b.json", span_of(blank, TRUTHS_ANNOTATION_BYTES_MAX), false);
	refuses(set, TASK_DETECTION, ST_TOO_LARGE, "at most 64");
	set->count -= 2;
	struct str s;
	str_init(&s, 8 << 20);
	for (size_t i = 0; i < TRUTHS_OUTLINES_MAX / COUNT; i++)
		str_append(&s, "0 0.1 0.1 0.5 0.1 0.5 0.5\n");
	for (size_t i = 0; i < COUNT; i++)
		add(set, arena_printf(&arena, "%zu.txt", i), span_of(s.text, s.size), false);
	add(set, "data.yaml", span_of_text("names: [dog]\n"), false);
	assert_int_equal(made(set, TASK_SEGMENTATION).labelled_shapes, TRUTHS_OUTLINES_MAX / COUNT * COUNT);
	str_append(&s, arena_strdup(&arena, s.text));
	for (size_t i = COUNT; i < 2 * COUNT; i++)
		set->files[i].bytes = span_of(s.text, s.size);
	refuses(set, TASK_SEGMENTATION, ST_TOO_LARGE, "at most 20000");
	str_release(&s);
}

static int make_arena(void **state)
{
	arena_init(&arena);
	struct image image = sample_image(40, 30, 3);
	uint8_t *bytes;
	size_t size;
	struct err err;
	assert_int_equal(image_encode_png(&image, &bytes, &size, &err), ST_OK);
	png = arena_copy(&arena, span_of(bytes, size));
	free(bytes);
	image_release(&image);
	return 0;
}

static int release_arena(void **state)
{
	arena_release(&arena);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_arena, release_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_boxes_of_a_detector),
		TEST(test_outlines_of_regions),
		TEST(test_folders_are_classes),
		TEST(test_empty_and_unknown_pictures),
		TEST(test_crowds_and_boxes_without_area),
		TEST(test_broken_files),
		TEST(test_what_is_refused),
		TEST(test_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
