/* SPDX-License-Identifier: Apache-2.0 */
/* COCO's JSON: what is read, what is repaired, what is refused and how that is said. */
#include "formats/formats.h"

#include "format_samples.h"

#include <math.h>

static struct sample_files s;

static int set_up(void **state)
{
	files_init(&s);
	return 0;
}

static int tear_down(void **state)
{
	files_release(&s);
	return 0;
}

/* An image 1 of 100 x 80 pixels, categories 3 "cat" and 7 "dog", and these annotations. */
static void read_annotations(const char *annotations)
{
	add_text(&s, "a.json",
		arena_printf(&s.arena,
			"{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\",\"width\":100,\"height\":80}],"
			"\"categories\":[{\"id\":3,\"name\":\"cat\"},{\"id\":7,\"name\":\"dog\"}],"
			"\"annotations\":[%s]}",
			annotations));
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_COCO);
	assert_int_equal(s.set.image_count, 1);
}

static const struct labelled_shape *only_shape(void)
{
	assert_int_equal(s.set.images[0].shape_count, 1);
	return s.set.images[0].shapes;
}

#define ROW(text) "{\"id\":1,\"image_id\":1,\"category_id\":7," text "}"

static void test_a_box(void **state)
{
	read_annotations(ROW("\"bbox\":[10.5,20,30,5.25],\"area\":157.5,\"iscrowd\":0"));
	expect_box(&s.set, only_shape(), "dog", 10.5f, 20, 40.5f, 25.25f);
	assert_float_equal(only_shape()->area, 157.5, 0);
	assert_false(only_shape()->crowd);
	assert_false(only_shape()->degenerate);
	assert_int_equal(s.set.images[0].width, 100);
	assert_true(s.set.images[0].annotated);
	assert_null(s.set.images[0].path);
	assert_int_equal(s.set.label_count, 2); /* also those that nothing has */
	expect_no_problems(&s.set);
}

static void test_polygons_of_several_parts(void **state)
{
	read_annotations(
		ROW("\"bbox\":[0,0,20,20],\"segmentation\":[[0,0,10,0,10,10],[12,12,20,12,20,20.5,12,20]]"));
	const struct labelled_shape *p = only_shape();
	assert_int_equal(p->kind, SHAPE_POLYGON);
	assert_int_equal(p->ring_count, 2);
	assert_int_equal(p->rings[1].point_count, 4);
	assert_float_equal(p->rings[1].points[5], 20.5, 0);
	assert_float_equal(p->box.y2, 20, 0); /* as annotated */
	assert_float_equal(p->area, -1, 0);
	expect_no_problems(&s.set);
}

static void test_a_polygon_as_one_list_without_a_box(void **state)
{
	read_annotations(ROW("\"segmentation\":[5,6,15,6,15,16]"));
	const struct labelled_shape *p = only_shape();
	assert_int_equal(p->ring_count, 1);
	assert_float_equal(p->box.x1, 5, 0);
	assert_float_equal(p->box.y2, 16, 0);
	expect_no_problems(&s.set);
}

static void test_broken_polygons_leave_the_box(void **state)
{
	read_annotations(ROW("\"bbox\":[1,2,3,4],\"segmentation\":[[0,0,10,0],[1,1,2,2,3],[1,1,NaN,2,3,3],["
			     "\"a\",1,2,2,3,3]]"));
	expect_box(&s.set, only_shape(), "dog", 1, 2, 4, 6);
	assert_int_equal(problems_with(&s.set, "a.json", "fewer than 3 points"), 1);
	assert_int_equal(problems_with(&s.set, "\"dog\"", "odd number"), 1);
	assert_int_equal(problems_with(&s.set, "\"1.jpg\"", "not finite"), 2);
}

static void test_masks_in_run_lengths_leave_the_box(void **state)
{
	read_annotations(ROW("\"bbox\":[1,2,3,4],\"iscrowd\":1,\"segmentation\":{\"counts\":[1,2],\"size\":["
			     "80,100]}") "," ROW("\"segmentation\":{\"counts\":\"abc\",\"size\":[80,100]}"));
	expect_box(&s.set, only_shape(), "dog", 1, 2, 4, 6);
	assert_true(only_shape()->crowd);
	assert_int_equal(problems_with(&s.set, "a.json", "only their boxes (1)"), 1);
	assert_int_equal(problems_with(&s.set, "a.json", "without a box are not read (1)"), 1);
}

static void test_a_class_has_neither(void **state)
{
	read_annotations("{\"id\":1,\"image_id\":1,\"category_id\":3},"
			 "{\"id\":2,\"image_id\":1,\"category_id\":7,\"bbox\":[],\"segmentation\":[]}");
	assert_int_equal(s.set.images[0].shape_count, 2);
	assert_int_equal(s.set.images[0].shapes[1].kind, SHAPE_CLASS);
	assert_int_equal(s.set.images[0].shapes[1].label, 1);
	expect_no_problems(&s.set);
}

static void test_key_points_are_passed_over(void **state)
{
	read_annotations(ROW("\"bbox\":[1,2,3,4],\"keypoints\":[1,1,2],\"num_keypoints\":1"));
	expect_box(&s.set, only_shape(), "dog", 1, 2, 4, 6);
	assert_int_equal(problems_with(&s.set, "a.json", "key points are not read"), 1);
}

static void test_impossible_boxes(void **state)
{
	static const struct {
		const char *box, *problem;
		size_t kept;
	} rows[] = {
		{"[10,10,0,5]", "has no area; it is kept and marked", 1},
		{"[10,10,5,1e-9]", "has no area", 1},
		{"[10,10,-5,5]", "negative size", 0},
		{"[NaN,10,5,5]", "not finite", 0},
		{"[1,Infinity,5,5]", "not finite", 0},
		{"[1,2,1e999,5]", "not finite", 0},
		{"[null,2,3,5]", "not finite", 0},
		{"[1,2,3]", "not four numbers", 0},
		{"\"1,2,3,4\"", "not four numbers", 0},
		{"[200,10,5,5]", "outside the image", 0},
		{"[100,10,5,5]", "outside the image", 0},
		{"[-20,10,20,5]", "outside the image", 0},
		{"[10,-20,5,5]", "outside the image", 0},
		{"[90,10,50,5]", "clipped", 1},
		{"[-20,10,50,5]", "clipped", 1},
		{"[1e300,10,50,5]", "outside", 0},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		read_annotations(arena_printf(&s.arena, ROW("\"bbox\":%s"), rows[i].box));
		if (problems_with(&s.set, "a.json", rows[i].problem) != 1) {
			print_problems(&s.set);
			fail_msg("%s: expected \"%s\"", rows[i].box, rows[i].problem);
		}
		assert_int_equal(s.set.images[0].shape_count, rows[i].kept);
		if (rows[i].kept)
			assert_int_equal(
				only_shape()->degenerate, strstr(rows[i].problem, "no area") != NULL);
		files_release(&s);
		files_init(&s);
	}
}

static void test_a_pixel_beyond_is_clipped_in_silence(void **state)
{
	read_annotations(ROW("\"bbox\":[-0.5,70,100.9,11]"));
	expect_box(&s.set, only_shape(), "dog", 0, 70, 100, 80);
	expect_no_problems(&s.set);
}

static void test_clipped_and_flat_polygons(void **state)
{
	read_annotations(ROW("\"segmentation\":[[90,10,130,10,130,40,90,40]]") "," ROW(
		"\"segmentation\":[[5,5,9,9,5,5]],\"bbox\":[5,5,4,4]") "," ROW("\"segmentation\":[[5,5,9,5,7,"
									       "5]]"));
	assert_int_equal(s.set.images[0].shape_count, 3);
	assert_float_equal(s.set.images[0].shapes[0].box.x2, 100, 0);
	assert_float_equal(s.set.images[0].shapes[0].rings[0].points[2], 100, 0);
	assert_true(s.set.images[0].shapes[2].degenerate);
	assert_int_equal(problems_with(&s.set, "polygon", "clipped"), 1);
	assert_int_equal(problems_with(&s.set, "polygon", "no area"), 1);
}

static void test_ids_are_numbers_or_texts(void **state)
{
	add_text(&s, "a.json",
		"{\"images\":[{\"id\":\"2299\",\"file_name\":\"1.jpg\",\"width\":10,\"height\":10},"
		"{\"id\":9007199254740993,\"file_name\":\"2.jpg\",\"width\":10,\"height\":10},"
		"{\"id\":\"x-1\",\"file_name\":\"3.jpg\",\"width\":10,\"height\":10},"
		"{\"id\":4.0,\"file_name\":\"4.jpg\",\"width\":10,\"height\":10}],"
		"\"categories\":[{\"id\":0,\"name\":\"a\"}],\"annotations\":["
		"{\"image_id\":2299,\"category_id\":\"0\",\"bbox\":[1,1,2,2]},"
		"{\"image_id\":9007199254740993,\"category_id\":0,\"bbox\":[1,1,2,2]},"
		"{\"image_id\":\"x-1\",\"category_id\":0.0,\"bbox\":[1,1,2,2]},"
		"{\"image_id\":4,\"category_id\":0,\"bbox\":[1,1,2,2]}]}");
	read_as(&s, FORMAT_NONE);
	expect_no_problems(&s.set);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(s.set.images[i].shape_count, 1);
}

static void test_what_is_not_listed_or_twice(void **state)
{
	add_text(&s, "a.json",
		"\xef\xbb\xbf{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\"},{\"id\":1,\"file_name\":\"2."
		"jpg\"},"
		"{\"id\":3},{\"file_name\":\"4.jpg\"},{\"id\":5,\"file_name\":\"../"
		"5.jpg\"},{\"id\":6,\"file_name\":\"a\\u0000b\"}],"
		"\"categories\":[{\"id\":1,\"name\":\"a\"},{\"id\":1,\"name\":\"b\"},{\"id\":2,\"name\":"
		"\"a\"},"
		"{\"id\":3,\"name\":\" \"},{\"name\":\"c\"},{\"id\":4},17],"
		"\"annotations\":[{\"id\":1,\"image_id\":9,\"category_id\":1,\"bbox\":[1,1,2,2]},"
		"{\"id\":2,\"image_id\":1,\"category_id\":9,\"bbox\":[1,1,2,2]},{\"id\":3},5,"
		"{\"id\":4,\"image_id\":1,\"category_id\":2,\"bbox\":[1,1,2,2]}]}");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.image_count, 1);
	assert_int_equal(s.set.label_count, 3);
	assert_string_equal(s.set.labels[1], "category 3");
	assert_string_equal(s.set.labels[2], "category 4");
	expect_box(&s.set, s.set.images[0].shapes, "a", 1, 1, 3, 3);
	assert_int_equal(problems_with(&s.set, "\"2.jpg\"", "two images have the id"), 1);
	assert_int_equal(problems_with(&s.set, "\"../5.jpg\"", "leads out"), 1);
	assert_int_equal(problems_with(&s.set, "\"4.jpg\"", "no id"), 1);
	assert_int_equal(problems_with(&s.set, "a.json", "two categories have the id"), 1);
	assert_int_equal(problems_with(&s.set, "\"a\"", "become one label"), 1);
	assert_int_equal(problems_with(&s.set, "image \"9\"", "not listed"), 1);
	assert_int_equal(problems_with(&s.set, "category \"9\"", "not listed"), 1);
}

static void test_broken_files_do_not_stop_the_others(void **state)
{
	add_text(
		&s, "a.json", "{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\"}],\"annotations\":[{\"id\":1,");
	add_text(&s, "b.json", "{\"images\":3,\"annotations\":[]}");
	add_text(&s, "c.json", "[1,2,3]");
	add_text(&s, "d.json", "");
	add_text(&s, "e.json",
		"{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\"}],\"categories\":[],\"annotations\":[]}");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.image_count, 1);
	assert_int_equal(problems_with(&s.set, "a.json", "not valid JSON"), 1);
	assert_int_equal(problems_with(&s.set, "b.json", "no COCO file"), 1);
	assert_int_equal(problems_with(&s.set, "c.json", "no COCO file"), 1);
	assert_int_equal(problems_with(&s.set, "d.json", "not valid JSON"), 1);
}

static void test_images_are_found_among_the_files(void **state)
{
	add_text(&s, "annotations/instances_train.json",
		"{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\",\"width\":10,\"height\":10},"
		"{\"id\":2,\"file_name\":\"2.jpg\",\"width\":10,\"height\":10},"
		"{\"id\":3,\"file_name\":\"3.jpg\"},{\"id\":4,\"file_name\":\"sub/"
		"4.jpg\",\"width\":3,\"height\":3}],"
		"\"categories\":[{\"id\":1,\"name\":\"a\"}],\"annotations\":[]}");
	add_image(&s, "images/train/1.jpg", 10, 10);
	add_image(&s, "images/val/1.jpg", 11, 11);
	add_image(&s, "annotations/2.jpg", 10, 10);
	add_image(&s, "images/2.jpg", 12, 12);
	add_image(&s, "x/3.JPG", 640, 480);
	add_image(&s, "x/sub/4.jpg", 20, 10);
	add_image(&s, "y/4.jpg", 30, 10);
	read_as(&s, FORMAT_NONE);
	assert_string_equal(image_named(&s.set, "1.jpg")->path, "images/train/1.jpg");
	assert_string_equal(image_named(&s.set, "2.jpg")->path, "annotations/2.jpg");
	assert_string_equal(image_named(&s.set, "3.jpg")->path, "x/3.JPG");
	assert_int_equal(image_named(&s.set, "3.jpg")->width, 640);
	assert_string_equal(image_named(&s.set, "sub/4.jpg")->path, "x/sub/4.jpg");
	assert_int_equal(image_named(&s.set, "sub/4.jpg")->width, 20); /* the file's own size */
	assert_int_equal(problems_with(&s.set, "\"sub/4.jpg\" is said to be 3 x 3", "20 x 10"), 1);
	assert_false(image_named(&s.set, "val/1.jpg")->annotated);
	assert_int_equal(s.set.problem_count, 1);
	assert_int_equal(s.set.image_count, 7);
}

static void test_one_name_and_two_files(void **state)
{
	add_text(&s, "a.json",
		"{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\"}],\"categories\":[{\"id\":1,\"name\":\"a\"}],"
		"\"annotations\":[]}");
	add_image(&s, "x/1.jpg", 10, 10);
	add_image(&s, "y/1.jpg", 11, 11);
	read_as(&s, FORMAT_NONE);
	assert_int_equal(problems_with(&s.set, "a.json", "more than one file may be meant"), 1);
	assert_int_equal(s.set.image_count, 2);
}

static void test_files_that_say_the_same_again(void **state)
{
	for (int i = 0; i < 2; i++)
		add_text(&s, i ? "b.json" : "a.json",
			"{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\",\"width\":100,\"height\":80}],"
			"\"categories\":[{\"id\":1,\"name\":\"a\"}],\"annotations\":["
			"{\"id\":1,\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4]},"
			"{\"id\":2,\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,3,4]}]}");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.image_count, 1);
	assert_int_equal(s.set.images[0].shape_count, 2); /* twice in one file stays twice */
}

static void test_sizes_that_no_image_has(void **state)
{
	add_text(&s, "a.json",
		"{\"images\":[{\"id\":1,\"file_name\":\"1.jpg\",\"width\":4000000000,\"height\":80},"
		"{\"id\":2,\"file_name\":\"2.jpg\",\"width\":-5,\"height\":0}],"
		"\"categories\":[{\"id\":1,\"name\":\"a\"}],\"annotations\":["
		"{\"id\":1,\"image_id\":1,\"category_id\":1,\"bbox\":[1,2,30000000,4]},"
		"{\"id\":2,\"image_id\":2,\"category_id\":1,\"bbox\":[1,2,3,4]}]}");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.images[0].width, 0);
	assert_float_equal(s.set.images[0].shapes[0].box.x2, FORMAT_SIDE_MAX, 0);
	assert_int_equal(s.set.images[1].shape_count, 1);
	assert_int_equal(problems_with(&s.set, "\"1.jpg\"", "which no image here is"), 1);
}

static void test_voc50_as_coco(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	read_real(&s, "det_voc50", FORMAT_COCO);
	assert_int_equal(s.set.image_count, 50);
	assert_int_equal(count_annotated(&s.set), 50);
	assert_int_equal(count_shapes(&s.set), 119);
	assert_int_equal(s.set.label_count, 20);
	expect_no_problems(&s.set);
}

static void test_val2014_with_gaps_in_its_ids(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	struct span bytes = real_file("eval_coco/cocoapi_val2014_100/instances_val2014_100.json", &s.arena);
	add_bytes(&s, "instances.json", bytes.data, bytes.size);
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.image_count, 100);
	assert_int_equal(s.set.label_count, 80);
	assert_int_equal(count_shapes(&s.set), 839);
	size_t crowds = 0, polygons = 0;
	for (size_t i = 0; i < 100; i++) {
		for (size_t k = 0; k < s.set.images[i].shape_count; k++) {
			crowds += s.set.images[i].shapes[k].crowd;
			polygons += s.set.images[i].shapes[k].kind == SHAPE_POLYGON;
		}
	}
	assert_int_equal(crowds, 9);
	assert_int_equal(polygons, 830);
	assert_int_equal(problems_with(&s.set, "instances.json", "only their boxes (9)"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_box),
		TEST(test_polygons_of_several_parts),
		TEST(test_a_polygon_as_one_list_without_a_box),
		TEST(test_broken_polygons_leave_the_box),
		TEST(test_masks_in_run_lengths_leave_the_box),
		TEST(test_a_class_has_neither),
		TEST(test_key_points_are_passed_over),
		TEST(test_impossible_boxes),
		TEST(test_a_pixel_beyond_is_clipped_in_silence),
		TEST(test_clipped_and_flat_polygons),
		TEST(test_ids_are_numbers_or_texts),
		TEST(test_what_is_not_listed_or_twice),
		TEST(test_broken_files_do_not_stop_the_others),
		TEST(test_images_are_found_among_the_files),
		TEST(test_one_name_and_two_files),
		TEST(test_files_that_say_the_same_again),
		TEST(test_sizes_that_no_image_has),
		TEST(test_voc50_as_coco),
		TEST(test_val2014_with_gaps_in_its_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
