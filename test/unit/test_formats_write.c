/* SPDX-License-Identifier: Apache-2.0 */
/* What is written reads back as what it was: labels, names, and every float. */
#include "formats/formats.h"

#include "format_samples.h"
#include "formats/writers.h"

#include <math.h>

static struct arena arena;

static int set_up(void **state)
{
	arena_init(&arena);
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&arena);
	return 0;
}

static const char *const labels[] = {"cat", "Größe <&> \"q\" 'x'", "日本 🐈", "a: b # c", "- x", "null", "0",
	"[y", "back\\slash", "]]>", "100%"};

static uint32_t below(uint64_t *chance, uint32_t count)
{
	*chance = *chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*chance >> 33) % count);
}

/* Whole, of quarters, or any float; 0 and the side itself often. */
static float coordinate(uint64_t *chance, uint32_t side)
{
	switch (below(chance, 6)) {
	case 0: return 0;
	case 1: return (float)side;
	case 2: return (float)below(chance, side);
	case 3: return (float)below(chance, 4 * side) / 4;
	default: return (float)(below(chance, 1u << 30) / (double)(1u << 30) * side);
	}
}

static void order(float *a, float *b)
{
	if (*a > *b) {
		float keep = *a;
		*a = *b;
		*b = keep;
	}
}

static struct box random_box(uint64_t *chance, const struct labelled_image *image)
{
	struct box b = {coordinate(chance, image->width), coordinate(chance, image->height),
		coordinate(chance, image->width), coordinate(chance, image->height)};
	order(&b.x1, &b.x2);
	order(&b.y1, &b.y2);
	if (below(chance, 12) == 0)
		b.x2 = b.x1; /* without area */
	return b;
}

static void random_rings(uint64_t *chance, const struct labelled_image *image, uint32_t parts_max,
	struct labelled_shape *shape)
{
	struct labelled_ring *rings = ARENA_ARRAY(&arena, struct labelled_ring, 3);
	shape->kind = SHAPE_POLYGON;
	shape->rings = rings;
	shape->ring_count = parts_max > 1 ? 1 + below(chance, parts_max) : 1;
	shape->box = (struct box){INFINITY, INFINITY, -INFINITY, -INFINITY};
	for (uint32_t i = 0; i < shape->ring_count; i++) {
		uint32_t count = 3 + below(chance, 6);
		float *points = ARENA_ARRAY(&arena, float, 2 * count);
		for (uint32_t k = 0; k < count; k++) {
			float x = points[2 * k] = coordinate(chance, image->width);
			float y = points[2 * k + 1] = coordinate(chance, image->height);
			shape->box = (struct box){fminf(shape->box.x1, x), fminf(shape->box.y1, y),
				fmaxf(shape->box.x2, x), fmaxf(shape->box.y2, y)};
		}
		rings[i] = (struct labelled_ring){points, count};
	}
}

static struct labelled_shape random_shape(uint64_t *chance, const struct labelled_image *image, enum format f)
{
	struct labelled_shape shape = {
		.kind = SHAPE_BOX, .label = (int32_t)below(chance, COUNT_OF(labels)), .area = -1};
	uint32_t kind = below(chance, 4);
	if (kind == 0 && f == FORMAT_COCO) {
		shape.kind = SHAPE_CLASS;
		return shape;
	}
	if (kind == 1)
		random_rings(chance, image, f == FORMAT_YOLO ? 1 : 3, &shape);
	else
		shape.box = random_box(chance, image);
	shape.crowd = f == FORMAT_COCO && below(chance, 5) == 0;
	shape.difficult = f != FORMAT_YOLO && below(chance, 5) == 0;
	if (f == FORMAT_COCO && below(chance, 2))
		shape.area = below(chance, 100000) / 7.0;
	return shape;
}

static const char *const filenames[] = {"1.jpg", "train/ä b.jpg", "val/ä b.jpg", "x.y.z.png", "<&>'\".jpg",
	"empty.jpg", "日本.webp", "deep/er/and/deeper/1.jpg", "no extension", "bare.jpg"};

static struct labelled_set *random_set(uint64_t *chance, enum format f)
{
	struct labelled_set *set = ARENA_NEW(&arena, struct labelled_set);
	set->labels = (const char **)(uintptr_t)labels;
	set->label_count = COUNT_OF(labels);
	set->image_count = COUNT_OF(filenames);
	set->images = ARENA_ARRAY(&arena, struct labelled_image, set->image_count);
	for (size_t i = 0; i < set->image_count; i++) {
		struct labelled_image *image = &set->images[i];
		*image = (struct labelled_image){.filename = filenames[i],
			.width = 1 + below(chance, 4000),
			.height = 1 + below(chance, 3000),
			.annotated = i + 1 < set->image_count};
		image->shape_count =
			image->annotated && strcmp(filenames[i], "empty.jpg") ? below(chance, 12) : 0;
		image->shapes = ARENA_ARRAY(&arena, struct labelled_shape, image->shape_count);
		for (size_t k = 0; k < image->shape_count; k++)
			image->shapes[k] = random_shape(chance, image, f);
	}
	return set;
}

/* Write, then read the files together with the images where they belong. */
static void there_and_back(enum format f, const struct labelled_set *set, struct sample_files *s)
{
	struct format_export out;
	struct err err;
	if (formats_write(f, set, &arena, &out, &err) != ST_OK)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < out.problem_count; i++)
		print_message("%s\n", out.problems[i]);
	assert_int_equal(out.problem_count, 0);
	files_init(s);
	for (size_t i = 0; i < out.file_count; i++)
		s->files[s->count++] = out.files[i];
	for (size_t i = 0; i < set->image_count; i++)
		if (file_kind_of(set->images[i].filename) == FILE_IMAGE)
			add_image(s, out.image_paths[i], set->images[i].width, set->images[i].height);
	read_as(s, FORMAT_NONE);
	assert_int_equal(s->set.format, f);
}

static bool near(float a, float b, double tolerance)
{
	return tolerance > 0 ? fabs((double)a - b) <= tolerance : a == b;
}

static void expect_same_shape(const struct labelled_set *x, const struct labelled_shape *a,
	const struct labelled_set *y, const struct labelled_shape *b, double tolerance)
{
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(x->labels[a->label], y->labels[b->label]);
	assert_int_equal(a->crowd, b->crowd);
	assert_int_equal(a->difficult, b->difficult);
	assert_int_equal(a->ring_count, b->ring_count);
	assert_true(near(a->box.x1, b->box.x1, tolerance) && near(a->box.y1, b->box.y1, tolerance));
	assert_true(near(a->box.x2, b->box.x2, tolerance) && near(a->box.y2, b->box.y2, tolerance));
	if (a->area >= 0 && y->format == FORMAT_COCO)
		assert_float_equal(a->area, b->area, 0);
	for (uint32_t i = 0; i < a->ring_count; i++) {
		assert_int_equal(a->rings[i].point_count, b->rings[i].point_count);
		for (uint32_t k = 0; k < 2 * a->rings[i].point_count; k++)
			assert_true(near(a->rings[i].points[k], b->rings[i].points[k], tolerance));
	}
	if (a->kind == SHAPE_BOX)
		assert_int_equal(b->degenerate, !(a->box.x2 > a->box.x1 && a->box.y2 > a->box.y1));
}

static void expect_same_set(const struct labelled_set *x, const struct labelled_set *y, double tolerance)
{
	size_t flat = 0, said = problems_with(y, "has no area", "kept and marked");
	for (size_t i = 0; i < x->image_count; i++) {
		const struct labelled_image *a = &x->images[i], *b;
		if (!a->annotated && file_kind_of(a->filename) != FILE_IMAGE)
			continue;
		b = image_named(y, a->filename);
		assert_int_equal(a->annotated, b->annotated);
		assert_int_equal(a->width, b->width);
		assert_int_equal(a->height, b->height);
		if (a->shape_count != b->shape_count)
			print_problems(y);
		assert_int_equal(a->shape_count, b->shape_count);
		for (size_t k = 0; k < a->shape_count; k++) {
			expect_same_shape(x, &a->shapes[k], y, &b->shapes[k],
				tolerance * (a->width > a->height ? a->width : a->height));
			flat += b->shapes[k].degenerate;
		}
	}
	assert_int_equal(flat, said); /* what is degenerate is said, and nothing else is */
	if (y->problem_count != said)
		print_problems(y);
	assert_int_equal(y->problem_count, said);
}

static void check_format(enum format f, double tolerance)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t chance = seed;
		struct labelled_set *set = random_set(&chance, f);
		struct sample_files s;
		print_message("seed %d\n", (int)seed);
		if (f == FORMAT_YOLO)
			set->images[8].annotated = false; /* YOLO's texts need an image */
		there_and_back(f, set, &s);
		expect_same_set(set, &s.set, tolerance);
		files_release(&s);
	}
}

static void test_coco_is_exact(void **state)
{
	check_format(FORMAT_COCO, 0);
}

static void test_voc_is_exact(void **state)
{
	check_format(FORMAT_VOC, 0);
}

static void test_yolo_is_exact_to_a_billionth_of_the_side(void **state)
{
	check_format(FORMAT_YOLO, 1e-9);
}

/* Pixels that people and tools write are exact by fractions, too. */
static void test_yolo_is_exact_on_sixteenths(void **state)
{
	uint64_t chance = 5;
	for (int i = 0; i < 300; i++) {
		struct labelled_image image = {.filename = "1.jpg",
			.width = 1 + below(&chance, 5000),
			.height = 1 + below(&chance, 5000),
			.annotated = true,
			.shape_count = 1};
		struct labelled_shape shape = {.kind = SHAPE_BOX, .area = -1};
		shape.box = (struct box){(float)below(&chance, 16 * image.width) / 16,
			(float)below(&chance, 16 * image.height) / 16, (float)image.width,
			(float)image.height};
		image.shapes = &shape;
		const struct labelled_set set = {.labels = (const char **)(uintptr_t)labels,
			.label_count = 1,
			.images = &image,
			.image_count = 1};
		struct sample_files s;
		there_and_back(FORMAT_YOLO, &set, &s);
		assert_memory_equal(&s.set.images[0].shapes[0].box, &shape.box, sizeof(shape.box));
		files_release(&s);
	}
}

static void test_folders_per_class(void **state)
{
	struct labelled_shape shapes[] = {
		{.kind = SHAPE_CLASS, .label = 0}, {.kind = SHAPE_CLASS, .label = 2}};
	struct labelled_image images[] = {
		{.filename = "1.jpg", .annotated = true, .shapes = &shapes[0], .shape_count = 1},
		{.filename = "2.jpg", .annotated = true, .shapes = &shapes[1], .shape_count = 1}};
	const struct labelled_set set = {.labels = (const char **)(uintptr_t)labels,
		.label_count = 3,
		.images = images,
		.image_count = 2};
	struct sample_files s;
	there_and_back(FORMAT_FOLDERS, &set, &s);
	assert_string_equal(s.set.images[0].filename, "cat/1.jpg");
	assert_string_equal(s.set.labels[s.set.images[1].shapes[0].label], labels[2]);
	files_release(&s);
}

static void test_what_a_format_cannot_hold_is_said(void **state)
{
	const float points[] = {1, 1, 5, 1, 5, 5};
	const struct labelled_ring rings[] = {{points, 3}, {points, 3}};
	struct labelled_shape shapes[] = {{.kind = SHAPE_CLASS}, {.kind = SHAPE_POLYGON,
									 .box = {1, 1, 5, 5},
									 .rings = rings,
									 .ring_count = 2,
									 .crowd = true,
									 .area = -1}};
	struct labelled_image images[] = {{.filename = "1.jpg",
						  .width = 9,
						  .height = 9,
						  .annotated = true,
						  .shapes = shapes,
						  .shape_count = 2},
		{.filename = "1.png", .width = 9, .height = 9, .annotated = true},
		{.filename = "2.jpg", .annotated = true, .shapes = shapes, .shape_count = 2}};
	const struct labelled_set set = {.labels = (const char **)(uintptr_t)labels,
		.label_count = 1,
		.images = images,
		.image_count = 3};
	struct format_export out;
	assert_int_equal(formats_write(FORMAT_YOLO, &set, &arena, &out, NULL), ST_OK);
	const char *const yolo[] = {"\"1.jpg\": 1 classes have no box", "1 crowds", "several parts",
		"\"1.png\" is left out", "size is not known"};
	assert_int_equal(out.problem_count, COUNT_OF(yolo));
	for (size_t i = 0; i < COUNT_OF(yolo); i++)
		assert_non_null(strstr(out.problems[i], yolo[i]));
	assert_null(out.image_paths[1]);
	assert_int_equal(out.file_count, 2); /* data.yaml and the first image's */
	assert_int_equal(formats_write(FORMAT_VOC, &set, &arena, &out, NULL), ST_OK);
	assert_int_equal(out.problem_count, 4);
	assert_string_equal(out.files[1].path, "Annotations/1.png.xml");
	assert_int_equal(formats_write(FORMAT_FOLDERS, &set, &arena, &out, NULL), ST_OK);
	assert_int_equal(out.problem_count, 3);
}

static void test_names_that_cannot_be_written(void **state)
{
	struct err err;
	struct format_export out;
	struct labelled_image image = {.filename = "1.jpg"};
	const char *label = "a\nb";
	struct labelled_set set = {.labels = &label, .label_count = 1, .images = &image, .image_count = 1};
	assert_int_equal(formats_write(FORMAT_COCO, &set, &arena, &out, &err), ST_UNPROCESSABLE);
	assert_non_null(strstr(err.text, "\"a?b\""));
	label = "a/b";
	assert_int_equal(formats_write(FORMAT_COCO, &set, &arena, &out, &err), ST_OK);
	assert_int_equal(formats_write(FORMAT_FOLDERS, &set, &arena, &out, &err), ST_UNPROCESSABLE);
	label = "..";
	assert_int_equal(formats_write(FORMAT_FOLDERS, &set, &arena, &out, &err), ST_UNPROCESSABLE);
	image.filename = "../1.jpg";
	assert_int_equal(formats_write(FORMAT_COCO, &set, &arena, &out, &err), ST_UNPROCESSABLE);
	assert_int_equal(formats_write(FORMAT_NONE, &set, &arena, &out, &err), ST_UNSUPPORTED);
}

static void test_numbers_are_short(void **state)
{
	char text[NUMBER_BYTES];
	number_text(258.15f, text);
	assert_string_equal(text, "258.15");
	size_text(258.15, (float)(258.15 + 348.26), text);
	assert_string_equal(text, "348.26");
	number_text(12, text);
	assert_string_equal(text, "12");
	size_text(3, 3, text);
	assert_string_equal(text, "0");
}

static void test_real_sets_survive(void **state)
{
	static const struct {
		const char *folder;
		enum format from, to;
	} rows[] = {{"det_bccd", FORMAT_VOC, FORMAT_COCO}, {"det_bccd", FORMAT_VOC, FORMAT_YOLO},
		{"det_bccd", FORMAT_VOC, FORMAT_VOC}, {"det_voc50", FORMAT_COCO, FORMAT_VOC}};
	SKIP_WITHOUT_REAL_DATA();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample_files from, to;
		files_init(&from);
		read_real(&from, rows[i].folder, rows[i].from);
		there_and_back(rows[i].to, &from.set, &to);
		expect_same_set(&from.set, &to.set, 0);
		files_release(&from);
		files_release(&to);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_coco_is_exact),
		TEST(test_voc_is_exact),
		TEST(test_yolo_is_exact_to_a_billionth_of_the_side),
		TEST(test_yolo_is_exact_on_sixteenths),
		TEST(test_folders_per_class),
		TEST(test_what_a_format_cannot_hold_is_said),
		TEST(test_names_that_cannot_be_written),
		TEST(test_numbers_are_short),
		TEST(test_real_sets_survive),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
