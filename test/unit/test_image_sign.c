/* SPDX-License-Identifier: Apache-2.0 */
/* vision/image_sign.h: the same picture and its parts are found again, others are not; on drawn pictures and
 * on real photos. */
#include "vision/image_sign.h"

#include "data_samples.h"
#include "drawn_pictures.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void test_means_of_cells(void **state)
{
	static const uint8_t white[3] = {255, 255, 255};
	struct image image = drawn_picture(64, 96, 1);
	struct image_sign sign;
	memset(image.pixels, 0, (size_t)3 * 64 * 96);
	drawn_rectangle(&image, 32, 0, 32, 96, white);
	image_sign_make(&image, &sign);
	assert_int_equal(sign.width, 64);
	assert_int_equal(sign.height, 96);
	for (int y = 0; y < IMAGE_SIGN_SIDE; y++)
		for (int x = 0; x < IMAGE_SIGN_SIDE; x++)
			assert_int_equal(sign.luma[y * IMAGE_SIGN_SIDE + x], x < 16 ? 0 : 255);
	image_release(&image);
	image_sign_make(&(struct image){0}, &sign); /* of nothing */
	assert_int_equal(sign.width, 0);
}

static void test_hash_of_a_known_picture(void **state)
{
	struct image_sign rising = {32, 32, {0}}, falling = {32, 32, {0}};
	for (int i = 0; i < IMAGE_SIGN_SIZE; i++) {
		rising.luma[i] = (uint8_t)(4 * (i % 32));
		falling.luma[i] = (uint8_t)(200 - 4 * (i % 32));
	}
	assert_true(image_sign_hash(&rising) == UINT64_MAX);
	assert_true(image_sign_hash(&falling) == 0);
	assert_int_equal(image_sign_distance(UINT64_MAX, 0), 64);
	assert_int_equal(image_sign_distance(5, 6), 2);
}

static void test_a_picture_is_like_itself_smaller_and_brighter(void **state)
{
	struct image image = drawn_picture(320, 240, 2), small = drawn_picture(80, 60, 2);
	struct image_look look = drawn_look(&image);
	for (uint32_t y = 0; y < 60; y++)
		for (uint32_t x = 0; x < 80; x++)
			memcpy(small.pixels + 3 * (80 * y + x),
				image.pixels + 3 * ((size_t)320 * (4 * y + 2) + 4 * x + 2), 3);
	for (size_t i = 0; i < 3 * 80 * 60; i++)
		small.pixels[i] = (uint8_t)(small.pixels[i] * 3 / 4 + 30);
	struct image_look other = drawn_look(&small);
	assert_true(image_look_alike(&look, &look) && image_look_alike(&look, &other));
	assert_true(image_look_alike(&other, &look));
	image_release(&small);
	image_release(&image);
}

static void test_parts_are_found_and_others_are_not(void **state)
{
	struct drawn_random r = {77};
	struct image_look looks[30];
	int found = 0, alike = 0;
	for (uint32_t i = 0; i < 30; i++) {
		struct image image = drawn_picture(320, 240, 100 + i);
		uint32_t width = 176 + drawn_below(&r, 130), height = 132 + drawn_below(&r, 100);
		struct image part = drawn_part(
			&image, drawn_below(&r, 320 - width), drawn_below(&r, 240 - height), width, height);
		struct image_look part_look = drawn_look(&part);
		looks[i] = drawn_look(&image);
		found += image_look_alike(&part_look, &looks[i]) && image_look_alike(&looks[i], &part_look);
		image_release(&part);
		image_release(&image);
	}
	for (int i = 0; i < 30; i++)
		for (int j = 0; j < i; j++)
			alike += image_look_alike(&looks[i], &looks[j]);
	assert_true(found >= 29);
	assert_int_equal(alike, 0);
}

static void test_what_shows_nothing_is_like_nothing(void **state)
{
	struct image image = drawn_picture(64, 64, 1);
	memset(image.pixels, 128, (size_t)3 * 64 * 64);
	struct image_look flat = drawn_look(&image), nothing = drawn_look(&(struct image){0});
	assert_false(image_look_alike(&flat, &flat));
	assert_false(image_look_alike(&flat, &nothing));
	assert_false(image_look_alike(&nothing, &nothing));
	image_release(&image);
	struct image thin = drawn_picture(640, 20, 1), high = drawn_picture(20, 640, 1);
	struct image_look across = drawn_look(&thin), down = drawn_look(&high);
	assert_false(image_look_alike(&across, &down)); /* no part of it is as thin */
	assert_true(image_look_alike(&across, &across));
	image_release(&thin);
	image_release(&high);
}

/* ---- real photos: the figures of docs/internals/bursts.md ---- */

#define PHOTOS_MAX 60

static size_t read_photos(const char *folder, struct image_look *looks, struct image_look *parts)
{
	struct drawn_random r = {5};
	struct arena a;
	struct err err;
	struct dirent **names;
	size_t count = 0;
	arena_init(&a);
	int n = scandir(arena_printf(&a, "%s/%s", real_data_folder(), folder), &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		struct image photo;
		if (strstr(names[i]->d_name, ".jpg") && count < PHOTOS_MAX) {
			struct span bytes =
				real_file(arena_printf(&a, "%s/%s", folder, names[i]->d_name), &a);
			assert_int_equal(image_decode(bytes, NULL, &photo, &err), ST_OK);
			uint32_t width = photo.width * (50 + drawn_below(&r, 49)) / 100;
			uint32_t height = photo.height * (50 + drawn_below(&r, 49)) / 100;
			struct image part = drawn_part(&photo, drawn_below(&r, photo.width - width),
				drawn_below(&r, photo.height - height), width, height);
			looks[count] = drawn_look(&photo);
			parts[count++] = drawn_look(&part);
			image_release(&part);
			image_release(&photo);
		}
		free(names[i]);
	}
	free(names);
	arena_release(&a);
	return count;
}

static void check_photos(const char *folder, int found_min_percent, int alike_max)
{
	struct image_look *looks = malloc(PHOTOS_MAX * sizeof(*looks)),
			  *parts = malloc(PHOTOS_MAX * sizeof(*parts));
	CHECK(looks && parts);
	size_t count = read_photos(folder, looks, parts);
	int found = 0, alike = 0;
	assert_true(count > 40);
	for (size_t i = 0; i < count; i++) {
		found += image_look_alike(&parts[i], &looks[i]);
		for (size_t j = 0; j < i; j++)
			alike += image_look_alike(&looks[i], &looks[j]);
	}
	print_message("%s: %d of %zu parts found, %d of %zu pairs alike\n", folder, found, count, alike,
		count * (count - 1) / 2);
	assert_true(found * 100 >= found_min_percent * (int)count);
	assert_true(alike <= alike_max);
	free(looks);
	free(parts);
}

static void test_real_photos(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	check_photos("det_voc50/images", 90, 0);
	check_photos("det_bccd/JPEGImages", 95, 1); /* two of them are the same slide, moved a little */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_means_of_cells),
		cmocka_unit_test(test_hash_of_a_known_picture),
		cmocka_unit_test(test_a_picture_is_like_itself_smaller_and_brighter),
		cmocka_unit_test(test_parts_are_found_and_others_are_not),
		cmocka_unit_test(test_what_shows_nothing_is_like_nothing),
		cmocka_unit_test(test_real_photos),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
