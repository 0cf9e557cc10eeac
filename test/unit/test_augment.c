/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures, boxes and outlines follow one plan; and a plan that changes nothing shows what the server sees.
 */
#include "trainer/augment.h"

#include "base/check.h"
#include "image_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

static const struct augment much = {
	.mirror = 0.5f, .zoom_min = 0.5f, .zoom_max = 2, .shift = 0.3f, .mosaic = 0.5f, .light = 0};

static struct image fitted(const struct image *image, const struct tensor_spec *input)
{
	struct image out = {0};
	struct tensor_map map;
	fitted_sides(input, image->width, image->height, &out.width, &out.height);
	struct tensor_spec spec = {.width = out.width,
		.height = out.height,
		.fit = FIT_STRETCH,
		.layout = LAYOUT_NHWC,
		.sample = SAMPLE_UINT8};
	out.pixels = malloc(tensor_size(&spec));
	CHECK(out.pixels != NULL);
	tensor_fill(image, &spec, out.pixels, &map);
	return out;
}

static void what_changes_nothing_is_what_the_server_sees(void **state)
{
	static const struct tensor_spec inputs[] = {
		{.width = 64, .height = 48, .fit = FIT_LETTERBOX, .pad_at = PAD_CENTER, .pad_value = 114},
		{.width = 64, .height = 64, .fit = FIT_LETTERBOX, .pad_at = PAD_BOTTOM_RIGHT, .pad_value = 7},
		{.width = 50, .height = 31, .fit = FIT_STRETCH},
		{.width = 32, .height = 32, .fit = FIT_CENTER_CROP},
		{.width = 33, .height = 57, .fit = FIT_CENTER_CROP},
	};
	static const uint32_t sizes[][2] = {{64, 48}, {100, 37}, {37, 100}, {7, 5}, {129, 128}, {1, 90}};
	for (size_t i = 0; i < COUNT_OF(inputs); i++)
		for (size_t k = 0; k < COUNT_OF(sizes); k++) {
			struct tensor_spec spec = inputs[i];
			spec.layout = LAYOUT_NHWC;
			spec.sample = SAMPLE_UINT8;
			struct image image = sample_image(sizes[k][0], sizes[k][1], (uint32_t)(i + k));
			struct image ours = fitted(&image, &spec);
			uint8_t *wanted = malloc(tensor_size(&spec)), *shown = malloc(tensor_size(&spec));
			struct tensor_map map;
			struct chance chance = {1};
			struct plan plan;
			const uint32_t sides[2] = {ours.width, ours.height};
			CHECK(wanted != NULL && shown != NULL);
			tensor_fill(&image, &spec, wanted, &map);
			plan_draw(&augment_none, &spec, sides, 1, 0, &chance, &plan);
			plan_start(&plan, shown);
			plan_tile(&plan, &plan.tiles[0], &ours, shown);
			plan_light(&plan, shown);
			assert_memory_equal(shown, wanted, tensor_size(&spec));
			assert_true(plan.tiles[0].at.offset_x == map.offset_x);
			assert_true(plan.tiles[0].at.offset_y == map.offset_y);
			free(wanted);
			free(shown);
			image_release(&image);
			image_release(&ours);
		}
}

/* Black with a white rectangle. */
static struct image with_rectangle(uint32_t width, uint32_t height, struct box b)
{
	struct image image = sample_image(width, height, 1);
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++) {
			bool in = (float)x >= b.x1 && (float)x < b.x2 && (float)y >= b.y1 && (float)y < b.y2;
			memset(image.pixels + 3 * ((size_t)y * width + x), in ? 255 : 0, 3);
		}
	return image;
}

/* Bounds of the bright pixels of a tile, and their count. */
static size_t bright(const struct plan *p, const struct tile *t, const uint8_t *pixels, struct box *out)
{
	size_t count = 0;
	*out = (struct box){1e9f, 1e9f, -1e9f, -1e9f};
	for (int32_t y = t->y0; y < t->y1; y++)
		for (int32_t x = t->x0; x < t->x1; x++)
			if (pixels[3 * ((size_t)y * p->width + (size_t)x)] > 127) {
				*out = (struct box){fminf(out->x1, (float)x), fminf(out->y1, (float)y),
					fmaxf(out->x2, (float)x + 1), fmaxf(out->y2, (float)y + 1)};
				count++;
			}
	return count;
}

static void boxes_follow_their_pixels(void **state)
{
	const struct tensor_spec spec = {
		.width = 80, .height = 60, .fit = FIT_LETTERBOX, .pad_at = PAD_CENTER};
	const struct box rectangles[2] = {{30, 20, 55, 32}, {5, 4, 20, 50}};
	const uint32_t sides[4] = {80, 40, 45, 60};
	struct image pictures[2] = {
		with_rectangle(80, 40, rectangles[0]), with_rectangle(45, 60, rectangles[1])};
	uint8_t *out = malloc((size_t)3 * 80 * 60);
	size_t seen = 0, mirrored = 0, mosaics = 0;
	CHECK(out != NULL);
	for (uint64_t seed = 0; seed < 400; seed++) {
		struct chance chance = chance_of(seed, 1, 2);
		struct plan plan;
		plan_draw(&much, &spec, sides, 2, seed % 2, &chance, &plan);
		plan_start(&plan, out);
		mosaics += plan.tile_count == TILES_MAX;
		for (size_t i = 0; i < plan.tile_count; i++) {
			const struct tile *t = &plan.tiles[i];
			struct box box, pixels;
			plan_tile(&plan, t, &pictures[t->picture], out);
			bool told = plan_box(t, rectangles[t->picture], &box);
			size_t count = bright(&plan, t, out, &pixels);
			mirrored += t->at.scale_x < 0;
			if (!told) { /* a strip of it at most */
				assert_true((float)count <= 0.35f * fabsf(t->at.scale_x * t->at.scale_y) *
									    box_area(rectangles[t->picture]) +
								    8);
				continue;
			}
			seen++;
			assert_true(fabsf(box.x1 - pixels.x1) <= 1.01f && fabsf(box.x2 - pixels.x2) <= 1.01f);
			assert_true(fabsf(box.y1 - pixels.y1) <= 1.01f && fabsf(box.y2 - pixels.y2) <= 1.01f);
		}
	}
	assert_true(seen > 300 && mirrored > 100 && mosaics > 100);
	free(out);
	image_release(&pictures[0]);
	image_release(&pictures[1]);
}

static void the_tiles_of_a_mosaic_cover_the_output_once(void **state)
{
	const struct tensor_spec spec = {.width = 41, .height = 67, .fit = FIT_LETTERBOX};
	const struct augment always = {.zoom_min = 1, .zoom_max = 1, .mosaic = 1};
	const uint32_t sides[4] = {41, 30, 20, 67};
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct chance chance = chance_of(seed, 0, 0);
		struct plan plan;
		int32_t area = 0;
		plan_draw(&always, &spec, sides, 2, 1, &chance, &plan);
		assert_int_equal(plan.tile_count, TILES_MAX);
		assert_int_equal(plan.tiles[0].picture, 1);
		for (size_t i = 0; i < TILES_MAX; i++) {
			const struct tile *t = &plan.tiles[i];
			assert_true(t->x0 >= 0 && t->y0 >= 0 && t->x1 <= 41 && t->y1 <= 67);
			area += (t->x1 - t->x0) * (t->y1 - t->y0);
			for (size_t k = 0; k < i; k++) {
				const struct tile *u = &plan.tiles[k];
				assert_true(
					t->x0 >= u->x1 || u->x0 >= t->x1 || t->y0 >= u->y1 || u->y0 >= t->y1);
			}
		}
		assert_int_equal(area, 41 * 67);
	}
}

static void light_changes_values_and_stays_in_range(void **state)
{
	const struct tensor_spec spec = {.width = 16, .height = 16, .fit = FIT_STRETCH};
	const struct augment lit = {.zoom_min = 1, .zoom_max = 1, .light = 0.5f};
	const uint32_t sides[2] = {16, 16};
	size_t differ = 0;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct chance chance = chance_of(seed, 0, 0);
		struct plan plan;
		uint8_t grey[3 * 16 * 16];
		plan_draw(&lit, &spec, sides, 1, 0, &chance, &plan);
		memset(grey, 128, sizeof(grey));
		plan_light(&plan, grey);
		differ += grey[0] != 128;
		/* Grey has no saturation: only the light's own colour, 15 % of half, parts the channels. */
		assert_true(abs(grey[0] - grey[1]) <= 40 && abs(grey[1] - grey[2]) <= 40);
		for (size_t i = 3; i < sizeof(grey); i++)
			assert_int_equal(grey[i], grey[i % 3]);
	}
	assert_true(differ > 15);
	struct plan plain = {
		.width = 1, .height = 1, .light = {.matrix = {1, 0, 0, 0, 1, 0, 0, 0, 1}, .changes = true}};
	for (int v = 0; v < 256; v++) {
		uint8_t pixel[3] = {(uint8_t)v, (uint8_t)(255 - v), 77};
		plan_light(&plain, pixel);
		assert_true(pixel[0] == v && pixel[1] == 255 - v && pixel[2] == 77);
	}
}

static void chance_depends_on_its_place_alone(void **state)
{
	const struct tensor_spec spec = {.width = 64, .height = 64, .fit = FIT_LETTERBOX};
	const uint32_t sides[4] = {64, 30, 64, 64};
	struct plan a, b, c;
	struct chance first = chance_of(9, 3, 4), second = chance_of(9, 3, 4), third = chance_of(9, 3, 5);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	plan_draw(&much, &spec, sides, 2, 0, &first, &a);
	plan_draw(&much, &spec, sides, 2, 0, &second, &b);
	plan_draw(&much, &spec, sides, 2, 0, &third, &c);
	assert_true(a.tile_count == b.tile_count && a.tiles[0].at.offset_x == b.tiles[0].at.offset_x);
	assert_true(a.tile_count != c.tile_count || a.tiles[0].at.offset_x != c.tiles[0].at.offset_x);
	double sum = 0;
	struct chance many = {7};
	for (int i = 0; i < 10000; i++) {
		float r = chance_real(&many, 2, 4);
		assert_true(r >= 2 && r < 4);
		sum += (double)r;
	}
	assert_true(fabs(sum / 10000 - 3) < 0.02);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_nothing_is_what_the_server_sees),
		cmocka_unit_test(boxes_follow_their_pixels),
		cmocka_unit_test(the_tiles_of_a_mosaic_cover_the_output_once),
		cmocka_unit_test(light_changes_values_and_stays_in_range),
		cmocka_unit_test(chance_depends_on_its_place_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
