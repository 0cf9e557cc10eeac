/* SPDX-License-Identifier: Apache-2.0 */
/* formats as a whole: names, detection, folders per class, and the miniature sets of others. */
#include "formats/formats.h"

#include "formats/file_name.h"
#include "formats/name_map.h"
#include "formats/problems.h"
#include "format_samples.h"

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

/* ---- names ---- */

static void test_file_names_are_cleaned_or_refused(void **state)
{
	static const char *const rows[][2] = {
		{"a.jpg", "a.jpg"}, {"train\\cats\\1.jpg", "train/cats/1.jpg"},
		{"./a//b/./c.jpg", "a/b/c.jpg"}, {"größe 1.jpg", "größe 1.jpg"}, {"..a/b..jpg", "..a/b..jpg"},
		{"", NULL}, {".", NULL}, {"a/", NULL}, {"/etc/passwd", NULL}, {"\\\\server\\a.jpg", NULL},
		{"C:\\a.jpg", NULL}, {"../a.jpg", NULL}, {"a/../../b.jpg", NULL}, {"a\\..\\b.jpg", NULL},
		{"a/..", NULL}, {"a\nb.jpg", NULL}, {"a\x7f.jpg", NULL}, {"\xc3.jpg", NULL}, /* cut */
		{"\xc0\xaf.jpg", NULL},     /* an overlong slash */
		{"\xed\xa0\x80.jpg", NULL}, /* half of a surrogate pair */
		{"\xc2\x85.jpg", NULL},     /* a control character */
		{"\xf4\x90\x80\x80", NULL}, /* beyond Unicode */
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *clean = file_name_clean(rows[i][0], &s.arena);
		if (rows[i][1] == NULL && clean)
			fail_msg("row %zu: %s", i, clean);
		if (rows[i][1])
			assert_string_equal(clean, rows[i][1]);
	}
	char longest[FORMAT_PATH_BYTES_MAX + 2];
	memset(longest, 'a', sizeof(longest));
	longest[FORMAT_PATH_BYTES_MAX + 1] = '\0';
	assert_null(file_name_clean(longest, &s.arena));
	longest[FORMAT_PATH_BYTES_MAX] = '\0';
	assert_non_null(file_name_clean(longest, &s.arena));
}

static void test_labels_are_cleaned_or_refused(void **state)
{
	assert_string_equal(label_clean(" red blood cell\r\n", 17, &s.arena), "red blood cell");
	assert_string_equal(label_clean("赤血球", 9, &s.arena), "赤血球");
	assert_null(label_clean(" \t", 2, &s.arena));
	assert_null(label_clean("a\0b", 3, &s.arena));
	assert_null(label_clean("a\tb", 3, &s.arena));
	assert_null(label_clean("\xe2\x80\xa8", 3, &s.arena)); /* a separator of lines */
	char longest[300];
	memset(longest, 'a', sizeof(longest));
	assert_null(label_clean(longest, FORMAT_NAME_BYTES_MAX + 1, &s.arena));
	assert_non_null(label_clean(longest, FORMAT_NAME_BYTES_MAX, &s.arena));
}

static void test_parts_of_names(void **state)
{
	assert_int_equal(file_kind_of("a/b.JPEG"), FILE_IMAGE);
	assert_int_equal(file_kind_of("a/._b.jpg"), FILE_OTHER);
	assert_int_equal(file_kind_of("jpg"), FILE_OTHER);
	assert_int_equal(file_kind_of("coco.names"), FILE_NAMES);
	assert_string_equal(file_base("a/b/c.d.jpg"), "c.d.jpg");
	assert_int_equal(file_stem_size("c.d.jpg"), 3);
	assert_int_equal(file_stem_size(".hidden"), 7);
	assert_string_equal(file_name_below_images("Images/images/a.jpg"), "images/a.jpg");
	assert_int_equal(file_nearness("images/train/1.jpg", "labels/train/1.txt"), 1);
	assert_int_equal(file_nearness("images/val/1.jpg", "labels/train/1.txt"), 0);
	assert_int_equal(file_nearness("a/train/1.jpg", "a/train/1.txt"), 4);
	assert_int_equal(file_nearness("a/xtrain/1.jpg", "b/train/1.txt"), 0);
	assert_int_equal(file_nearness("1.jpg", "labels/1.txt"), 0);
	assert_string_equal(shown("a\nb", &s.arena), "\"a?b\"");
	char longest[200];
	memset(longest, 'a', sizeof(longest));
	longest[199] = '\0';
	assert_int_equal(strlen(shown(longest, &s.arena)), 1 + 100 + 4);
}

static void test_a_map_of_many_names(void **state)
{
	struct name_map m;
	name_map_init(&m, &s.arena);
	assert_int_equal(name_map_find(&m, "0", 1), NAME_MAP_NONE);
	for (uint32_t i = 0; i < 5000; i++) {
		const char *name = arena_printf(&s.arena, "%u", i);
		assert_int_equal(name_map_add(&m, name, strlen(name), i), i);
	}
	for (uint32_t i = 0; i < 5000; i++) {
		const char *name = arena_printf(&s.arena, "%u", i);
		assert_int_equal(name_map_find(&m, name, strlen(name)), i);
		assert_int_equal(name_map_add(&m, name, strlen(name), 7), i); /* what is there stays */
	}
	assert_int_equal(name_map_find(&m, "5000", 4), NAME_MAP_NONE);
	assert_int_equal(m.count, 5000);
}

static void test_a_list_of_problems(void **state)
{
	struct problems p = {.arena = &s.arena};
	for (int i = 0; i < FORMAT_PROBLEMS_MAX + 3; i++)
		problems_add(&p, "%d: %s", i, "wrong");
	assert_int_equal(p.count, FORMAT_PROBLEMS_MAX);
	assert_int_equal(p.left_out, 3);
	assert_string_equal(p.items[999], "999: wrong");
}

/* ---- detection ---- */

static void test_formats_have_names(void **state)
{
	enum format f = FORMAT_NONE;
	assert_true(format_parse("COCO", &f));
	assert_int_equal(f, FORMAT_COCO);
	assert_true(format_parse("Pascal_VOC", &f));
	assert_int_equal(f, FORMAT_VOC);
	assert_false(format_parse("cvat", &f));
	assert_false(format_parse(NULL, &f));
	assert_int_equal(f, FORMAT_VOC);
	assert_string_equal(format_name(FORMAT_YOLO), "YOLO");
}

static void test_what_the_files_are(void **state)
{
	add_image(&s, "cats/1.jpg", 10, 10);
	add_image(&s, "dogs/2.jpg", 10, 10);
	assert_int_equal(formats_detect(s.files, s.count), FORMAT_FOLDERS);
	add_text(&s, "cats/README.txt", "cats\n");
	add_text(&s, "cats/1.txt", "it is a cat\n");
	assert_int_equal(formats_detect(s.files, s.count), FORMAT_FOLDERS);
	add_text(&s, "labels/2.txt", "0 0.5 0.5 0.2 0.2\n");
	assert_int_equal(formats_detect(s.files, s.count), FORMAT_YOLO);
	add_text(&s, "1.xml", "<?xml version='1.0'?><!-- <b> --><annotation/>");
	assert_int_equal(formats_detect(s.files, s.count), FORMAT_VOC);
	add_text(&s, "x.json", "{\"images\":[],\"annotations\":[]}");
	assert_int_equal(formats_detect(s.files, s.count), FORMAT_COCO);
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_COCO);
	assert_int_equal(problems_with(&s.set, "Pascal VOC", "Name the format"), 1);
}

static void test_a_foreign_format_is_named_and_not_guessed_at(void **state)
{
	add_image(&s, "cats/1.jpg", 10, 10);
	add_text(&s, "cvat.xml", "<annotations><image/></annotations>");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_NONE);
	assert_int_equal(s.set.image_count, 1);
	assert_false(s.set.images[0].annotated);
	assert_int_equal(problems_with(&s.set, "cvat.xml", "no format that is read"), 1);
}

static void test_nothing_at_all_is_an_error(void **state)
{
	add_text(&s, "README.md", "nothing");
	enum status st = formats_read(FORMAT_NONE, s.files, s.count, &s.arena, &s.set, &s.err);
	assert_int_equal(st, ST_UNPROCESSABLE);
	assert_non_null(strstr(s.err.text, "neither"));
	st = formats_read(FORMAT_COCO, s.files, 0, &s.arena, &s.set, &s.err);
	assert_int_equal(st, ST_UNPROCESSABLE);
}

static void test_files_that_lead_out_of_the_set(void **state)
{
	add_image(&s, "../1.jpg", 10, 10);
	add_image(&s, "cats/2.jpg", 10, 10);
	add_image(&s, "cats/2.jpg", 10, 10);
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.image_count, 1);
	assert_int_equal(problems_with(&s.set, "\"../1.jpg\"", "leads out"), 1);
	assert_int_equal(problems_with(&s.set, "\"cats/2.jpg\"", "twice"), 1);
}

static void test_problems_are_counted_beyond_those_kept(void **state)
{
	for (int i = 0; i < FORMAT_PROBLEMS_MAX + 5; i++)
		add_image(&s, arena_printf(&s.arena, "../%d.jpg", i), 1, 1);
	add_image(&s, "1.jpg", 1, 1);
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.problem_count, FORMAT_PROBLEMS_MAX);
	assert_int_equal(s.set.problems_left_out, 5);
}

/* ---- folders per class ---- */

static const char *class_of(const char *filename)
{
	const struct labelled_image *image = image_named(&s.set, filename);
	if (!image->annotated)
		return NULL;
	assert_int_equal(image->shape_count, 1);
	assert_int_equal(image->shapes[0].kind, SHAPE_CLASS);
	return s.set.labels[image->shapes[0].label];
}

static void test_the_folder_is_the_class(void **state)
{
	add_image(&s, "set/train/cats/1.jpg", 10, 10);
	add_image(&s, "set/val/cats/deep/2.jpg", 10, 10);
	add_image(&s, "set/val/Hündchen/3.png", 10, 10);
	add_image(&s, "set/4.jpg", 10, 10);
	add_text(&s, "set/notes.txt", "hello");
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_FOLDERS);
	assert_int_equal(s.set.label_count, 2);
	assert_string_equal(class_of("set/train/cats/1.jpg"), "cats");
	assert_string_equal(class_of("set/val/cats/deep/2.jpg"), "cats");
	assert_string_equal(class_of("set/val/Hündchen/3.png"), "Hündchen");
	assert_null(class_of("set/4.jpg"));
	assert_int_equal(problems_with(&s.set, "set/4.jpg", "no folder"), 1);
}

static void test_one_class_and_no_class(void **state)
{
	add_image(&s, "all/images/1.jpg", 10, 10);
	add_image(&s, "all/images/2.jpg", 10, 10);
	read_as(&s, FORMAT_NONE);
	assert_string_equal(class_of("all/images/1.jpg"), "all");
	files_release(&s);
	files_init(&s);
	add_image(&s, "images/1.jpg", 10, 10);
	add_image(&s, "images/2.jpg", 10, 10);
	read_as(&s, FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_NONE);
	assert_int_equal(s.set.label_count, 0);
	assert_int_equal(s.set.image_count, 2);
	expect_no_problems(&s.set);
}

static void test_sign_digits(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	read_real(&s, "cls_sign_digits", FORMAT_NONE);
	assert_int_equal(s.set.format, FORMAT_FOLDERS);
	assert_int_equal(s.set.image_count, 1000);
	assert_int_equal(s.set.label_count, 10);
	for (char digit[2] = "0"; digit[0] <= '9'; digit[0]++)
		assert_int_equal(count_of_label(&s.set, digit), 100);
	expect_no_problems(&s.set);
}

/* ---- the miniature sets ---- */

static void test_miniature_sets_of_others(void **state)
{
	static const struct {
		const char *folder;
		enum format format;
		size_t images, annotated, shapes, labels, problems;
	} rows[] = {
		{"coco_dataset/coco", FORMAT_COCO, 2, 2, 7, 3, 10},
		{"coco_dataset/coco_captions", FORMAT_COCO, 2, 0, 0, 0, 2},
		{"coco_dataset/coco_image_info", FORMAT_COCO, 2, 0, 0, 0, 0},
		{"coco_dataset/coco_instances", FORMAT_COCO, 2, 2, 3, 3, 1},
		{"coco_dataset/coco_labels", FORMAT_COCO, 2, 2, 3, 2, 0},
		{"coco_dataset/coco_panoptic", FORMAT_COCO, 2, 0, 0, 2, 2},
		{"coco_dataset/coco_person_keypoints", FORMAT_COCO, 2, 2, 3, 2, 3},
		{"coco_dataset/coco_roboflow", FORMAT_COCO, 2, 2, 3, 3, 1},
		{"coco_dataset/coco_stuff", FORMAT_COCO, 2, 2, 2, 2, 2},
		{"coco_dataset/mmdet_coco", FORMAT_COCO, 2, 2, 3, 3, 1},
		{"voc_dataset/voc_dataset1", FORMAT_VOC, 2, 1, 2, 2, 0},
		{"voc_dataset/voc_dataset2", FORMAT_VOC, 5, 5, 4, 4, 0},
		{"voc_dataset/voc_dataset3", FORMAT_VOC, 1, 1, 1, 1, 0},
		{"yolo_dataset/annotations", FORMAT_YOLO, 1, 1, 2, 10, 0},
		{"yolo_dataset/labels", FORMAT_YOLO, 2, 2, 4, 10, 0},
		{"yolo_dataset/strict", FORMAT_YOLO, 1, 1, 2, 10, 0},
		{"imagenet_dataset", FORMAT_FOLDERS, 4, 3, 3, 2, 1},
		{"image_dir_dataset", FORMAT_NONE, 2, 0, 0, 0, 0},
		{"cvat_dataset/for_images", FORMAT_NONE, 8, 0, 0, 0, 2},
	};
	SKIP_WITHOUT_REAL_DATA();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		read_real(&s, arena_printf(&s.arena, "formats/%s", rows[i].folder), FORMAT_NONE);
		print_message("%s\n", rows[i].folder);
		assert_int_equal(s.set.format, rows[i].format);
		assert_int_equal(s.set.image_count, rows[i].images);
		assert_int_equal(count_annotated(&s.set), rows[i].annotated);
		assert_int_equal(count_shapes(&s.set), rows[i].shapes);
		assert_int_equal(s.set.label_count, rows[i].labels);
		if (s.set.problem_count != rows[i].problems)
			print_problems(&s.set);
		assert_int_equal(s.set.problem_count, rows[i].problems);
		files_release(&s);
		files_init(&s);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_file_names_are_cleaned_or_refused),
		TEST(test_labels_are_cleaned_or_refused),
		TEST(test_parts_of_names),
		TEST(test_a_map_of_many_names),
		TEST(test_a_list_of_problems),
		TEST(test_formats_have_names),
		TEST(test_what_the_files_are),
		TEST(test_a_foreign_format_is_named_and_not_guessed_at),
		TEST(test_nothing_at_all_is_an_error),
		TEST(test_files_that_lead_out_of_the_set),
		TEST(test_problems_are_counted_beyond_those_kept),
		TEST(test_the_folder_is_the_class),
		TEST(test_one_class_and_no_class),
		TEST(test_sign_digits),
		TEST(test_miniature_sets_of_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
