/* SPDX-License-Identifier: Apache-2.0 */
/* YOLO's texts: whose they are, what the numbers mean, and who names the classes. */
#include "formats/formats.h"

#include "base/str.h"
#include "formats/yolo_names.h"
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

static const struct labelled_image *read_labels(const char *text)
{
	add_image(&s, "images/1.jpg", 200, 100);
	add_text(&s, "labels/1.txt", text);
	add_text(&s, "classes.txt", "cat\r\nred dog \r\n\r\nbird\n\n");
	read_as(&s, FORMAT_YOLO);
	return image_named(&s.set, "1.jpg");
}

static void test_boxes_and_polygons(void **state)
{
	const struct labelled_image *image =
		read_labels("1 0.5 0.5 0.25 0.5\r\n\n  3\t.1 1e-1 0.2 0.2  \n0 0.1 0.1 0.5 0.1 0.5 0.9");
	assert_true(image->annotated);
	assert_int_equal(image->shape_count, 3);
	expect_box(&s.set, &image->shapes[0], "red dog", 75, 25, 125, 75);
	expect_box(&s.set, &image->shapes[1], "bird", 0, 0, 40, 20);
	assert_int_equal(image->shapes[2].kind, SHAPE_POLYGON);
	assert_int_equal(image->shapes[2].rings[0].point_count, 3);
	assert_float_equal(image->shapes[2].rings[0].points[5], 90, 1e-4);
	assert_float_equal(image->shapes[2].box.x2, 100, 1e-4);
	assert_int_equal(s.set.label_count, 4); /* the one without a name is called 2 */
	assert_string_equal(s.set.labels[2], "2");
	assert_int_equal(s.set.problem_count, 1);
	assert_int_equal(problems_with(&s.set, "classes.txt", "name of class 2"), 1);
}

static void test_lines_that_cannot_be_read(void **state)
{
	static const struct {
		const char *line, *problem;
		size_t kept;
	} rows[] = {
		{"0 0.5 0.5 0.2", "4 numbers are neither", 0},
		{"0 0.1 0.1 0.5 0.1 0.5 0.9 0.3", "8 numbers are neither", 0},
		{"0 0.5 0.5 0.2 0.2 0.97", "confidence", 1},
		{"cat 0.5 0.5 0.2 0.2", "no number", 0},
		{"0 0.5 0.5 0.2 0,2", "no number", 0},
		{"0.5 0.5 0.5 0.2 0.2", "0.5 is no class number", 0},
		{"-1 0.5 0.5 0.2 0.2", "no class number", 0},
		{"nan 0.5 0.5 0.2 0.2", "no class number", 0},
		{"1e9 0.5 0.5 0.2 0.2", "no class number", 0},
		{"4 0.5 0.5 0.2 0.2", "class 4 has no name in classes.txt", 0},
		{"0 nan 0.5 0.2 0.2", "not finite", 0},
		{"0 0.5 0.5 -0.2 0.2", "negative size", 0},
		{"0 0.5 0.5 0.2 0", "no area", 1},
		{"0 262 180 40 40", "outside", 0}, /* pixels instead of fractions */
		{"0 0.95 0.5 0.2 0.2", "clipped", 1},
		{"0 0.1 0.1 0.5 0.1 2 0.9", "clipped", 1},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct labelled_image *image =
			read_labels(arena_printf(&s.arena, "\n%s\n", rows[i].line));
		if (problems_with(&s.set, "labels/1.txt", rows[i].problem) != 1) {
			print_problems(&s.set);
			fail_msg("%s: expected \"%s\"", rows[i].line, rows[i].problem);
		}
		assert_int_equal(image->shape_count, rows[i].kept);
		files_release(&s);
		files_init(&s);
	}
}

static void test_lines_without_an_end(void **state)
{
	struct str line;
	str_init(&line, (size_t)1 << 24);
	str_append(&line, "0");
	for (int i = 0; i < 100000; i++)
		str_append(&line, " 0.5");
	str_append(&line, "\n0 0.5 0.5 0.2 0.2\n");
	const struct labelled_image *image = read_labels(str_text(&line));
	str_release(&line);
	assert_int_equal(image->shape_count, 1);
	assert_int_equal(problems_with(&s.set, "labels/1.txt, line 1", "neither a box"), 1);
}

static void test_whose_the_texts_are(void **state)
{
	add_image(&s, "train/images/a.rf.12.jpg", 100, 100); /* as Roboflow lays them out */
	add_image(&s, "valid/images/a.rf.12.jpg", 100, 100);
	add_image(&s, "obj_train_data/b.JPG", 100, 100); /* as Darknet does */
	add_image(&s, "Images/c.png", 100, 100);
	add_image(&s, "deep/images/x/d.jpg", 100, 100);
	add_image(&s, "alone.jpg", 100, 100);
	add_text(&s, "train/labels/a.rf.12.txt", "0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "valid/labels/a.rf.12.txt", "");
	add_text(&s, "obj_train_data/b.txt", "0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "Annotations/c.txt", "0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "deep/labels/x/d.txt", "0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "deep/labels/y/d.txt", "0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "labels/nobody.txt", "0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "train.txt", "obj_train_data/b.JPG\n");
	add_text(&s, "README.txt", "0 problems\n");
	add_text(&s, "data.yaml", "names: [ball]\n");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_YOLO);
	assert_int_equal(s.set.image_count, 6);
	assert_int_equal(image_named(&s.set, "train/images/a.rf.12.jpg")->shape_count, 1);
	assert_int_equal(image_named(&s.set, "valid/images/a.rf.12.jpg")->shape_count, 0);
	assert_true(image_named(&s.set, "valid/images/a.rf.12.jpg")->annotated);
	assert_int_equal(image_named(&s.set, "b.JPG")->shape_count, 2);
	assert_int_equal(image_named(&s.set, "c.png")->shape_count, 1);
	assert_int_equal(image_named(&s.set, "deep/images/x/d.jpg")->shape_count, 1);
	assert_false(image_named(&s.set, "alone.jpg")->annotated);
	assert_int_equal(problems_with(&s.set, "labels/nobody.txt", "belongs to no image"), 1);
	assert_int_equal(problems_with(&s.set, "deep/labels/y/d.txt", "already"), 1);
	assert_int_equal(s.set.problem_count, 2);
}

static void test_an_image_of_unknown_size(void **state)
{
	add_image(&s, "1.jpg", 0, 0);
	add_image(&s, "2.jpg", 0, 0);
	add_text(&s, "1.txt", "0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "2.txt", "");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_YOLO);
	assert_false(image_named(&s.set, "1.jpg")->annotated);
	assert_true(image_named(&s.set, "2.jpg")->annotated);
	assert_int_equal(problems_with(&s.set, "1.txt", "size of \"1.jpg\" is not known"), 1);
}

static void test_classes_without_names(void **state)
{
	add_image(&s, "1.jpg", 10, 10);
	add_text(&s, "1.txt", "7 0.5 0.5 0.2 0.2\n");
	read_as(&s, FORMAT_NONE);
	assert_string_equal(s.set.labels[0], "7");
	assert_int_equal(problems_with(&s.set, "No file names the classes", "numbers"), 1);
}

static void test_the_nearest_names(void **state)
{
	add_image(&s, "images/1.jpg", 10, 10);
	add_text(&s, "gts/yolo/1.txt", "0 0.5 0.5 0.2 0.2\n");
	add_text(&s, "gts/yolo/obj.names", "right\n");
	add_text(&s, "model.names", "wrong\n");
	add_text(&s, "other/classes.txt", "worse\n");
	read_as(&s, FORMAT_NONE);
	expect_box(&s.set, image_named(&s.set, "1.jpg")->shapes, "right", 4, 4, 6, 6);
}

/* ---- data.yaml ---- */

static const struct labelled_image *read_yaml(const char *yaml, const char *labels)
{
	add_image(&s, "images/1.jpg", 100, 100);
	add_text(&s, "labels/1.txt", labels);
	add_text(&s, "data.yaml", yaml);
	read_as(&s, FORMAT_NONE);
	return image_named(&s.set, "1.jpg");
}

static void test_names_in_yaml(void **state)
{
	static const char *const texts[] = {
		"path: ../x\nnc: 3\nnames: ['cat', \"dog\", bird of prey]\nx:\n  names: [p, q]\n",
		"# comment\nnames:\n- cat\n- dog\n- bird of prey\nval: {names: [p, q]}\n",
		"names:\n  0: cat\n  2: bird of prey\n  1: dog\n",
		"{\"train\": \"x\", \"names\": {\"0\": \"cat\", \"1\": \"dog\", \"2\": \"bird of prey\"}}",
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const struct labelled_image *image =
			read_yaml(texts[i], "2 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n");
		expect_no_problems(&s.set);
		expect_box(&s.set, &image->shapes[0], "bird of prey", 40, 40, 60, 60);
		expect_box(&s.set, &image->shapes[1], "dog", 40, 40, 60, 60);
		expect_box(&s.set, &image->shapes[2], "cat", 40, 40, 60, 60);
		assert_int_equal(s.set.label_count, 3);
		files_release(&s);
		files_init(&s);
	}
}

static void test_names_with_gaps_and_twins(void **state)
{
	const struct labelled_image *image = read_yaml("names:\n  1: cat\n  5: cat\n  7: dog\n",
		"5 0.5 0.5 0.2 0.2\n7 0.5 0.5 0.2 0.2\n2 0.5 0.5 0.2 0.2\n");
	assert_int_equal(image->shape_count, 2);
	assert_int_equal(s.set.label_count, 2);
	assert_int_equal(problems_with(&s.set, "data.yaml", "become one label"), 1);
	assert_int_equal(problems_with(&s.set, "labels/1.txt, line 3", "class 2 has no name"), 1);
}

static void test_yaml_that_cannot_be_read(void **state)
{
	static const struct {
		const char *text, *problem;
	} rows[] = {
		{"names: [cat, dog", "data.yaml"},
		{"- names\n", "no map of settings"},
		{"names: [[cat], dog]\n", "a name is no text"},
		{"names: {cat: 0}\n", "no class number"},
		{"names: {-1: cat}\n", "no class number"},
		{"names: {99999999999999999999: cat}\n", "no class number"},
		{"names: {10000: cat}\n", "from 10000 on"},
		{"a: &x [cat]\nnames: *x\n", "aliases"},
		{"? [a]\n: b\nnames: [cat]\n", "a key is no text"},
		{"names:\n\t- cat\n", "data.yaml"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		read_yaml(rows[i].text, "0 0.5 0.5 0.2 0.2\n");
		if (problems_with(&s.set, "data.yaml", rows[i].problem) < 1) {
			print_problems(&s.set);
			fail_msg("row %zu: expected \"%s\"", i, rows[i].problem);
		}
		files_release(&s);
		files_init(&s);
	}
}

static void test_yaml_nested_too_deep(void **state)
{
	struct str text;
	str_init(&text, (size_t)1 << 20);
	str_append(&text, "names: [cat]\nx: ");
	for (int i = 0; i < 5000; i++)
		str_append(&text, "[");
	read_yaml(str_text(&text), "0 0.5 0.5 0.2 0.2\n");
	str_release(&text);
	assert_int_equal(problems_with(&s.set, "data.yaml", "too deep"), 1);
	assert_int_equal(count_of_label(&s.set, "cat"), 1); /* what came before counts */
}

static void test_poses_are_boxes(void **state)
{
	const struct labelled_image *image = read_yaml("kpt_shape: [2, 3]\nnames: [person]\n",
		"0 0.5 0.5 0.2 0.2 0.4 0.4 2 0.5 0.5 1\n0 0.5 0.5 0.2 0.2 0.4 0.4 0.5 0.5\n");
	assert_int_equal(image->shape_count, 2);
	expect_box(&s.set, &image->shapes[1], "person", 40, 40, 60, 60);
	assert_int_equal(problems_with(&s.set, "labels/1.txt", "key points of 2 lines"), 1);
}

/* ---- the same boxes by three formats ---- */

static void test_texts_that_are_all_empty_show_nothing_of_the_names(void **state)
{
	add_image(&s, "images/1.jpg", 10, 10);
	add_text(&s, "labels/1.txt", "");
	assert_int_equal(formats_detect(s.files, s.count), FORMAT_NONE);
	add_text(&s, "data.yaml", "names: [car]\n");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_YOLO);
	assert_true(s.set.images[0].annotated);
	assert_int_equal(s.set.images[0].shape_count, 0);
}

static void test_voc50_is_the_same_by_three_formats(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	struct sample_files others[2];
	const enum format formats[] = {FORMAT_COCO, FORMAT_VOC};
	read_real(&s, "det_voc50", FORMAT_YOLO);
	assert_int_equal(s.set.image_count, 50);
	assert_int_equal(count_shapes(&s.set), 119);
	assert_int_equal(s.set.label_count, 20);
	expect_no_problems(&s.set);
	for (size_t i = 0; i < 2; i++) {
		files_init(&others[i]);
		read_real(&others[i], "det_voc50", formats[i]);
		const struct labelled_set *set = &others[i].set;
		for (size_t k = 0; k < 50; k++) {
			const struct labelled_image *a = &set->images[k],
						    *b = image_named(&s.set, a->filename);
			assert_int_equal(a->shape_count, b->shape_count);
			for (size_t n = 0; n < a->shape_count; n++) {
				struct box box = a->shapes[n].box;
				size_t same = 0; /* the order differs, and six digits of a fraction */
				for (size_t m = 0; m < b->shape_count; m++) {
					const struct labelled_shape *y = &b->shapes[m];
					same += strcmp(set->labels[a->shapes[n].label],
							s.set.labels[y->label]) == 0 &&
						fabsf(box.x1 - y->box.x1) < 2e-3f &&
						fabsf(box.y1 - y->box.y1) < 2e-3f &&
						fabsf(box.x2 - y->box.x2) < 2e-3f &&
						fabsf(box.y2 - y->box.y2) < 2e-3f;
				}
				assert_int_equal(same, 1);
			}
		}
		files_release(&others[i]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_boxes_and_polygons),
		TEST(test_lines_that_cannot_be_read),
		TEST(test_lines_without_an_end),
		TEST(test_whose_the_texts_are),
		TEST(test_an_image_of_unknown_size),
		TEST(test_classes_without_names),
		TEST(test_the_nearest_names),
		TEST(test_names_in_yaml),
		TEST(test_names_with_gaps_and_twins),
		TEST(test_yaml_that_cannot_be_read),
		TEST(test_yaml_nested_too_deep),
		TEST(test_poses_are_boxes),
		TEST(test_texts_that_are_all_empty_show_nothing_of_the_names),
		TEST(test_voc50_is_the_same_by_three_formats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
