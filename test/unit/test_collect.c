/* SPDX-License-Identifier: Apache-2.0 */
/* Which file of a set an annotation means by a name. */
#include "formats/collect.h"

#include "format_samples.h"

static struct sample_files s;
static struct collect c;

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

static void collect_all(const char *const *paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_image(&s, paths[i], 10, 10);
	collect_init(&c, s.files, s.count, &s.arena);
}

static const char *found(const char *source, const char *name, bool stem_only)
{
	const struct collected_file *f = collect_find(&c, source, name, stem_only);
	return f ? f->path : "";
}

static void test_the_nearest_of_a_name(void **state)
{
	static const char *const paths[] = {"1.jpg", "a/1.jpg", "a/images/1.jpg", "b/deep/images/2.PNG",
		"b/images/2.png", "train/3.jpg", "val/3.jpg", "c/x.tar.jpg", "images/5.bmp"};
	collect_all(paths, COUNT_OF(paths));
	assert_string_equal(found("a/x.json", "1.jpg", false), "a/1.jpg"); /* beside the annotation */
	assert_string_equal(found("x.json", "1.jpg", false), "1.jpg");
	assert_string_equal(found("z/x.json", "a/images/1.jpg", false), "a/images/1.jpg");
	assert_string_equal(found("z/x.json", "images/1.jpg", false), "a/images/1.jpg");
	assert_string_equal(
		found("x.json", "2.png", false), "b/images/2.png"); /* the very name before another case */
	assert_string_equal(found("annotations/instances_val.json", "3.jpg", false), "val/3.jpg");
	assert_string_equal(found("x.json", "x.tar", true), "c/x.tar.jpg");   /* a stem may have a dot */
	assert_string_equal(found("x.json", "5.jpg", false), "images/5.bmp"); /* another extension */
	assert_string_equal(found("x.json", "5.mov", false), "");
	assert_string_equal(found("x.json", "6.jpg", false), "");
	assert_int_equal(c.problems.count, 0);
	assert_string_equal(found("x.json", "3.jpg", false), "train/3.jpg");
	assert_int_equal(c.problems.count, 1); /* it may as well have been the other */
}

static void test_a_stem_in_a_folder(void **state)
{
	static const char *const paths[] = {"Images/a/1.v2.jpg", "images/b/1.v2.jpg"};
	collect_all(paths, COUNT_OF(paths));
	assert_string_equal(collect_find_in(&c, "images/a/", "1.v2")->path, "Images/a/1.v2.jpg");
	assert_string_equal(collect_find_in(&c, "images/b/", "1.V2")->path, "images/b/1.v2.jpg");
	assert_null(collect_find_in(&c, "images/", "1.v2"));
	assert_null(collect_find_in(&c, "", "1"));
}

static void test_labels_and_images_are_kept_once(void **state)
{
	collect_all(NULL, 0);
	assert_int_equal(collect_label(&c, "a"), 0);
	assert_int_equal(collect_label(&c, "b"), 1);
	assert_int_equal(collect_label(&c, "a"), 0);
	for (int i = 2; i < FORMAT_LABELS_MAX; i++)
		assert_int_equal(collect_label(&c, arena_printf(&s.arena, "%d", i)), i);
	assert_int_equal(collect_label(&c, "one more"), -1);
	assert_int_equal(collect_label(&c, "b"), 1);
	assert_int_equal(c.problems.count, 1);
	struct collected_image *image = collect_image(&c, "1.jpg", NULL);
	assert_ptr_equal(collect_image(&c, "1.jpg", NULL), image);
	assert_int_equal(c.image_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_nearest_of_a_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_stem_in_a_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_labels_and_images_are_kept_once, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
