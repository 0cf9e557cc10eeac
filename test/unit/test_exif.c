/* SPDX-License-Identifier: Apache-2.0 */
/* Which way is up: the tag in both byte orders, its place in each container, and every lie about offsets. */
#include "vision/exif.h"

#include "image_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A directory of two entries, the second is the orientation. */
static const uint8_t big_endian[] = "MM\0*\0\0\0\x08" /* */
				    "\0\x02"
				    "\x01\x0f\0\x02\0\0\0\x04"
				    "abc\0"
				    "\x01\x12\0\x03\0\0\0\x01"
				    "\0\x06\0\0"
				    "\0\0\0";
static const uint8_t little_endian[] = "II*\0\x08\0\0\0"
				       "\x01\0"
				       "\x12\x01\x04\0\x01\0\0\0"
				       "\x08\0\0\0"
				       "\0\0\0";

static void test_both_byte_orders_and_types(void **state)
{
	assert_int_equal(exif_block_orientation(span_of(big_endian, sizeof(big_endian))), 6);
	assert_int_equal(exif_block_orientation(span_of(little_endian, sizeof(little_endian))), 8);
	assert_int_equal(exif_block_orientation(span_of_text("PNG*")), 1);
	assert_int_equal(exif_block_orientation(span_of(NULL, 0)), 1);
}

static void test_values_out_of_range_mean_upright(void **state)
{
	uint8_t block[sizeof(little_endian)];
	memcpy(block, little_endian, sizeof(block));
	for (unsigned value = 0; value < 256; value++) {
		block[18] = (uint8_t)value;
		unsigned expected = value >= 1 && value <= 8 ? value : 1;
		assert_int_equal(exif_block_orientation(span_of(block, sizeof(block))), expected);
	}
	block[18] = 6;
	block[12] = 2; /* a text is no orientation */
	assert_int_equal(exif_block_orientation(span_of(block, sizeof(block))), 1);
}

static void test_every_cut_and_every_wrong_byte_is_safe(void **state)
{
	struct span whole = span_of(big_endian, sizeof(big_endian));
	for (size_t size = 0; size < whole.size; size++) {
		struct span cut = sample_cut(whole, size);
		uint8_t found = exif_block_orientation(cut);
		assert_int_equal(found, size >= 34 ? 6 : 1);
		sample_free(cut);
	}
	for (size_t i = 0; i < whole.size; i++)
		for (unsigned value = 0; value < 256; value++) {
			struct span wrong = sample_cut(whole, whole.size);
			((uint8_t *)(uintptr_t)wrong.data)[i] = (uint8_t)value;
			uint8_t found = exif_block_orientation(wrong);
			assert_in_range(found, 1, 8);
			sample_free(wrong);
		}
}

static void test_directory_past_the_end_and_endless(void **state)
{
	uint8_t block[4096] = "II*\0\xff\xff\xff\xff";
	assert_int_equal(exif_block_orientation(span_of(block, sizeof(block))), 1);
	memcpy(block, "II*\0\x08\0\0\0\xff\xff", 10); /* 65,535 entries in 4 KiB, none the orientation */
	assert_int_equal(exif_block_orientation(span_of(block, sizeof(block))), 1);
}

static struct span jpeg_with(const char *signature, size_t signature_size)
{
	struct image image = sample_image(16, 8, 1);
	struct span jpeg = sample_jpeg(image.pixels, 16, 8, (struct jpeg_choice){0});
	image_release(&image);
	uint8_t segment[128] = {0xff, 0xe1};
	size_t size = 4 + signature_size + sizeof(big_endian);
	segment[3] = (uint8_t)(size - 2);
	memcpy(segment + 4, signature, signature_size);
	memcpy(segment + 4 + signature_size, big_endian, sizeof(big_endian));
	return sample_insert(jpeg, 2, segment, size);
}

static void test_jpeg_app1(void **state)
{
	struct span jpeg = jpeg_with("Exif\0\0", 6);
	assert_int_equal(exif_orientation(IMAGE_JPEG, jpeg), 6);
	struct image_info info;
	assert_int_equal(image_inspect(jpeg, NULL, &info, NULL), ST_OK);
	assert_int_equal(info.orientation, 6);
	assert_int_equal(info.width, 8); /* shown upright: 16x8 stored */
	assert_int_equal(info.height, 16);
	for (size_t size = 0; size < jpeg.size; size++) {
		struct span cut = sample_cut(jpeg, size);
		assert_in_range(exif_orientation(IMAGE_JPEG, cut), 1, 6);
		sample_free(cut);
	}
	sample_free(jpeg);
	jpeg = jpeg_with("http://ns.adobe.com/xap/1.0/\0", 29); /* XMP lives in APP1 as well */
	assert_int_equal(exif_orientation(IMAGE_JPEG, jpeg), 1);
	sample_free(jpeg);
}

static void test_png_and_webp_chunks(void **state)
{
	struct image image = sample_image(9, 5, 2);
	struct span png = sample_png(&image);
	uint8_t chunk[12 + sizeof(big_endian)];
	sample_chunk("eXIf", big_endian, sizeof(big_endian), chunk);
	png = sample_insert(png, png.size - 12, chunk, sizeof(chunk)); /* after the pixels, before IEND */
	assert_int_equal(exif_orientation(IMAGE_PNG, png), 6);
	struct image_info info;
	assert_int_equal(image_inspect(png, NULL, &info, NULL), ST_OK);
	assert_int_equal(info.width, 5);
	sample_free(png);

	struct span webp = sample_webp(image.pixels, 9, 5, 3, -1);
	uint8_t exif[8 + sizeof(little_endian)] = "EXIF";
	exif[4] = sizeof(little_endian);
	memcpy(exif + 8, little_endian, sizeof(little_endian));
	webp = sample_insert(webp, webp.size, exif, sizeof(exif));
	assert_int_equal(exif_orientation(IMAGE_WEBP, webp), 8);
	sample_free(webp);
	image_release(&image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_byte_orders_and_types),
		cmocka_unit_test(test_values_out_of_range_mean_upright),
		cmocka_unit_test(test_every_cut_and_every_wrong_byte_is_safe),
		cmocka_unit_test(test_directory_past_the_end_and_endless),
		cmocka_unit_test(test_jpeg_app1),
		cmocka_unit_test(test_png_and_webp_chunks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
