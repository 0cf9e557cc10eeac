/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of pictures as the trainer reads them, and the classes of their pixels. */
#include "trainer/data.h"

#include "base/check.h"
#include "image_samples.h"
#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/gyre-train-data-XXXXXX";
static char annotations[64];
static const char *labels[] = {"cat", "dog"};

static struct job job_of(enum task task, uint32_t side)
{
	return (struct job){.task = task,
		.labels = labels,
		.label_count = 2,
		.recipe = {.input = {.width = side,
				   .height = side,
				   .fit = FIT_LETTERBOX,
				   .pad_at = PAD_BOTTOM_RIGHT,
				   .pad_value = 9,
				   .layout = LAYOUT_NCHW}},
		.train = {annotations, folder}};
}

static void write_picture(const char *name, uint32_t width, uint32_t height)
{
	char path[128];
	struct err err;
	uint8_t *bytes;
	size_t size;
	struct image image = sample_image(width, height, 5);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(image_encode_png(&image, &bytes, &size, &err), ST_OK);
	assert_int_equal(file_write_durable(path, span_of(bytes, size), 0600, &err), ST_OK);
	free(bytes);
	image_release(&image);
}

static void write_annotations(const char *images, const char *rows)
{
	char text[4096];
	struct err err;
	snprintf(text, sizeof(text),
		"{\"images\":[%s],\"annotations\":[%s],\"categories\":[{\"id\":1,\"name\":\"dog\"},"
		"{\"id\":2,\"name\":\"cat\"},{\"id\":3,\"name\":\"cow\"}]}",
		images, rows);
	assert_int_equal(file_write_durable(annotations, span_of_text(text), 0600, &err), ST_OK);
}

#define A "{\"id\":1,\"file_name\":\"a.png\",\"width\":40,\"height\":20}"
#define B "{\"id\":2,\"file_name\":\"b.png\",\"width\":8,\"height\":8}"

static void categories_are_matched_by_name(void **state)
{
	struct job job = job_of(TASK_DETECTION, 20);
	struct dataset d;
	struct err err;
	int64_t room = 1 << 20;
	write_annotations(A "," B,
		"{\"id\":1,\"image_id\":1,\"category_id\":1,\"bbox\":[4,2,8,6],\"iscrowd\":0},"
		"{\"id\":2,\"image_id\":1,\"category_id\":3,\"bbox\":[4,2,8,6]},"
		"{\"id\":3,\"image_id\":1,\"category_id\":2,\"bbox\":[30,4,20,6],\"iscrowd\":1}");
	assert_int_equal(dataset_read(&job, &job.train, 2, &room, &d, &err), ST_OK);
	assert_int_equal(d.count, 2); /* the one without boxes is one that shows nothing */
	assert_int_equal(d.examples[0].shape_count, 2);
	assert_int_equal(d.examples[0].shapes[0].label, 1);
	assert_true(d.examples[0].shapes[1].label == 0 && d.examples[0].shapes[1].crowd);
	assert_true(d.examples[0].sides[0] == 20 && d.examples[0].sides[1] == 10);
	struct box box = example_box(&d.examples[0], d.examples[0].shapes[0].box);
	assert_true(box.x1 == 2 && box.y1 == 1 && box.x2 == 6 && box.y2 == 4);
	assert_true(d.examples[0].pixels != NULL && room == (1 << 20) - 20 * 10 * 3 - 20 * 20 * 3);
	dataset_release(&d);
}

static void pictures_beyond_the_room_are_read_again(void **state)
{
	struct job job = job_of(TASK_DETECTION, 20);
	struct dataset kept, again;
	struct err err;
	int64_t much = 1 << 20, none = 0;
	write_annotations(A "," B, "");
	assert_int_equal(dataset_read(&job, &job.train, 1, &much, &kept, &err), ST_OK);
	assert_int_equal(dataset_read(&job, &job.train, 1, &none, &again, &err), ST_OK);
	assert_null(again.examples[0].pixels);
	for (size_t i = 0; i < 2; i++) {
		uint8_t x[20 * 20 * 3], y[20 * 20 * 3];
		struct chance chance = {1};
		struct plan plan;
		plan_draw(&augment_none, &kept.spec, kept.sides, kept.count, i, &chance, &plan);
		assert_int_equal(dataset_show(&kept, &plan, x, &err), ST_OK);
		assert_int_equal(dataset_show(&again, &plan, y, &err), ST_OK);
		assert_memory_equal(x, y, sizeof(x));
	}
	dataset_release(&kept);
	dataset_release(&again);
}

static void the_split_takes_a_fifth_of_each_class_and_depends_on_names(void **state)
{
	char images[4096] = "", rows[4096] = "";
	struct job job = job_of(TASK_CLASSIFICATION, 8);
	struct dataset train, val, more, more_val;
	struct err err;
	int64_t room = 1 << 20;
	for (int i = 0; i < 20; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%d.png", i);
		write_picture(name, 8, 8);
		snprintf(images + strlen(images), sizeof(images) - strlen(images),
			"%s{\"id\":%d,\"file_name\":\"%s\"}", i ? "," : "", i, name);
		snprintf(rows + strlen(rows), sizeof(rows) - strlen(rows),
			"%s{\"id\":%d,\"image_id\":%d,\"category_id\":%d}", i ? "," : "", i, i, 1 + i % 2);
	}
	write_annotations(images, rows);
	assert_int_equal(dataset_read(&job, &job.train, 2, &room, &train, &err), ST_OK);
	assert_int_equal(dataset_read(&job, &job.train, 1, &room, &more, &err), ST_OK);
	dataset_split(&train, 1, &val);
	dataset_split(&more, 1, &more_val);
	assert_true(train.count == 16 && val.count == 4);
	int cats = 0;
	for (size_t i = 0; i < val.count; i++) {
		cats += val.examples[i].label == 0;
		assert_string_equal(val.examples[i].path, more_val.examples[i].path);
		for (size_t k = 0; k < train.count; k++)
			assert_string_not_equal(val.examples[i].path, train.examples[k].path);
	}
	assert_int_equal(cats, 2);
	dataset_release(&train);
	dataset_release(&val);
	dataset_release(&more);
	dataset_release(&more_val);
}

static void pixels_have_the_class_of_the_smallest_outline(void **state)
{
	struct job job = job_of(TASK_SEGMENTATION, 20);
	struct dataset d;
	struct err err;
	int64_t room = 1 << 20;
	write_annotations(A,
		"{\"id\":1,\"image_id\":1,\"category_id\":2,\"segmentation\":[[12,4,20,4,20,12,12,12]]},"
		"{\"id\":2,\"image_id\":1,\"category_id\":1,\"segmentation\":[[8,0,32,0,32,20,8,20]]},"
		"{\"id\":3,\"image_id\":1,\"category_id\":1,\"bbox\":[0,0,5,5]}");
	assert_int_equal(dataset_read(&job, &job.train, 1, &room, &d, &err), ST_OK);
	assert_int_equal(d.examples[0].shape_count, 2); /* a box has no outline */
	struct chance chance = {1};
	struct plan plan;
	int16_t classes[20 * 20];
	plan_draw(&augment_none, &d.spec, d.sides, 1, 0, &chance, &plan);
	for (int mirrored = 0; mirrored < 2; mirrored++) {
		dataset_classes(&d, &plan, 2, classes);
		for (int y = 0; y < 20; y++)
			for (int x = 0; x < 20; x++) { /* the picture is 20 x 10 of it */
				int u = mirrored ? 19 - x : x;
				bool large = u >= 4 && u < 16, small = u >= 6 && u < 10 && y >= 2 && y < 6;
				int wanted = y >= 10 ? -1 : small ? 0 : large ? 1 : 2;
				assert_int_equal(classes[20 * y + x], wanted);
			}
		plan.tiles[0].at.scale_x = -1;
		plan.tiles[0].at.offset_x = 20;
	}
	dataset_release(&d);
}

static int open_folder(void **state)
{
	CHECK(mkdtemp(folder) != NULL);
	snprintf(annotations, sizeof(annotations), "%s/annotations.json", folder);
	write_picture("a.png", 40, 20);
	write_picture("b.png", 8, 8);
	return 0;
}

static int remove_folder(void **state)
{
	char path[128];
	unlink(annotations);
	for (int i = -2; i < 20; i++) {
		snprintf(path, sizeof(path), i < 0 ? "%s/%c.png" : "%s/%d.png", folder, i < 0 ? 'c' + i : i);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(categories_are_matched_by_name),
		cmocka_unit_test(pictures_beyond_the_room_are_read_again),
		cmocka_unit_test(the_split_takes_a_fifth_of_each_class_and_depends_on_names),
		cmocka_unit_test(pixels_have_the_class_of_the_smallest_outline),
	};
	return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
