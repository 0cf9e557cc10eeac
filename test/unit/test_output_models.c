/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real models on real photos, from their files to shapes: the recipe is found, UltraFace's boxes and
 * DeepLab's masks are those of the Python package of ONNX Runtime, and the masks agree with the boxes that
 * people drew.
 */
#include "task/recipe.h"

#include "engine_world.h"
#include "task/polygon.h"
#include "vision/image.h"

#include <math.h>

#define PHOTOS_MAX 64

struct running {
	struct engine *engine;
	struct engine_seat *seat;
	struct engine_description description;
	struct recipe recipe;
};

/* Open a model and find its recipe from a run on grey. */
static void start(struct running *m, const char *path, enum task task, uint32_t labels)
{
	struct err err = {.text = ""};
	struct engine_options o = options(path);
	m->engine = opened(&o);
	engine_describe(m->engine, &m->description);
	m->seat = taken(m->engine);
	const struct engine_description *d = &m->description;
	void *data;
	assert_int_equal(engine_seat_input(m->seat, d->probe_shape, d->probe_rank, &data, &err), ST_OK);
	size_t count = 1;
	for (int i = 0; i < d->probe_rank; i++)
		count *= (size_t)d->probe_shape[i];
	for (size_t i = 0; i < count; i++)
		((float *)data)[i] = 0.5f;
	assert_int_equal(engine_run(m->seat, &err), ST_OK);
	if (recipe_find(d, m->seat->outputs, task, labels, &m->recipe, &err) != ST_OK)
		fail_msg("%s", err.text);
	if (recipe_check(&m->recipe, d, labels, &err) != ST_OK)
		fail_msg("%s", err.text);
}

static void stop(struct running *m)
{
	engine_seat_give(m->seat);
	engine_close(m->engine);
}

/* What it says of a photo, and the photo's size. */
static struct shapes look(
	struct running *m, const char *data, const char *photo, struct arena *a, struct tensor_map *map)
{
	char path[PATH_MAX];
	struct err err = {.text = ""};
	struct span file;
	struct image image;
	struct shapes shapes = {0};
	snprintf(path, sizeof(path), "%.3000s/det_voc50/images/%.100s.jpg", data, photo);
	if (file_map(path, &file, &err) != ST_OK || image_decode(file, NULL, &image, &err) != ST_OK)
		fail_msg("%s", err.text);
	file_unmap(file);
	const struct tensor_spec *in = &m->recipe.input;
	int64_t shape[4] = {1, 3, in->height, in->width};
	if (in->layout == LAYOUT_NHWC)
		memcpy(shape, ((int64_t[]){1, in->height, in->width, 3}), sizeof(shape));
	void *tensor;
	assert_int_equal(engine_seat_input(m->seat, shape, 4, &tensor, &err), ST_OK);
	tensor_fill(&image, in, tensor, map);
	image_release(&image);
	assert_int_equal(engine_run(m->seat, &err), ST_OK);
	if (recipe_read(&m->recipe, m->seat->outputs, m->seat->output_count, map, a, &shapes, &err) != ST_OK)
		fail_msg("%s", err.text);
	(void)shapes_pack(&shapes, a); /* holds every rule of a shape */
	return shapes;
}

static const char *data_or_skip(void)
{
	const char *data = test_data_folder();
	if (data == NULL) {
		print_message("[  SKIP  ] no real data: set GYRE_TEST_DATA\n");
		skip();
	}
	return data;
}

static void start_deeplab(struct running *m, const char *data)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%.3000s/models/deeplab_v3/model/deeplab_v3_1_default_1.onnx", data);
	start(m, path, TASK_SEGMENTATION, 20);
}

/* ---- as the Python package ---- */

static const struct face {
	const char *photo;
	float score;
	struct box box;
} faces[] = {
#define FACE(photo, score, x1, y1, x2, y2) {photo, score, {x1, y1, x2, y2}},
#define MASK(photo, label, regions, share)
#include "../golden/output_models.txt"
#undef FACE
#undef MASK
};

static const struct mask_golden {
	const char *photo;
	int32_t label;
	unsigned regions;
	double share;
} masks[] = {
#define FACE(photo, score, x1, y1, x2, y2)
#define MASK(photo, label, regions, share) {photo, label, regions, share},
#include "../golden/output_models.txt"
#undef FACE
#undef MASK
};

static void expect_faces(struct running *m, const char *data, size_t first, size_t end)
{
	struct arena a;
	struct tensor_map map;
	arena_init(&a);
	struct shapes shapes = look(m, data, faces[first].photo, &a, &map);
	size_t seen = 0;
	while (seen < shapes.count && shapes.items[seen].score >= 0.5f)
		seen++;
	assert_int_equal(seen, end - first);
	for (size_t i = 0; i < seen; i++) {
		const struct shape *s = &shapes.items[i];
		assert_int_equal(s->label, 0);
		assert_float_equal(s->score, faces[first + i].score, 0.02);
		if (box_iou(s->box, faces[first + i].box) < 0.95f)
			fail_msg("%s: face %zu is at %g, %g", faces[first].photo, i, (double)s->box.x1,
				(double)s->box.y1);
	}
	arena_release(&a);
}

static void test_ultraface_finds_the_same_faces(void **state)
{
	const char *data = data_or_skip();
	char path[PATH_MAX];
	struct running m;
	snprintf(path, sizeof(path), "%.3000s/models/ultraface/version-RFB-320.onnx", data);
	start(&m, path, TASK_DETECTION, 1);
	assert_int_equal(m.recipe.output, OUTPUT_BOXES_SCORES);
	assert_int_equal(m.recipe.background, BACKGROUND_FIRST);
	assert_int_equal(m.recipe.box_form, BOX_FORM_CORNERS);
	assert_int_equal(m.recipe.box_unit, BOX_UNIT_FRACTION);
	assert_int_equal(m.recipe.origins[RECIPE_BOX_FORM], ORIGIN_READ);
	for (size_t first = 0, end; first < COUNT_OF(faces); first = end) {
		for (end = first; end < COUNT_OF(faces) && strcmp(faces[end].photo, faces[first].photo) == 0;
			end++)
			;
		expect_faces(&m, data, first, end);
	}
	assert_true(COUNT_OF(faces) >= 7);
	stop(&m);
}

static void test_deeplab_covers_the_same_shares(void **state)
{
	const char *data = data_or_skip();
	struct running m;
	start_deeplab(&m, data);
	assert_int_equal(m.recipe.output, OUTPUT_SEMANTIC);
	assert_int_equal(m.recipe.background, BACKGROUND_FIRST);
	assert_int_equal(m.recipe.input.layout, LAYOUT_NHWC);
	for (size_t i = 0; i < COUNT_OF(masks); i++) {
		struct arena a;
		struct tensor_map map;
		arena_init(&a);
		struct shapes shapes = look(&m, data, masks[i].photo, &a, &map);
		double area = 0;
		unsigned regions = 0;
		for (size_t k = 0; k < shapes.count; k++) {
			const struct shape *s = &shapes.items[k];
			if (s->label != masks[i].label)
				continue;
			area += polygon_area(s->points, s->point_count);
			regions++;
		}
		area /= (double)map.image_width * map.image_height;
		/* Pixels rounded otherwise move the border of a region, and small ones across the smallest
		 * size. */
		if (fabs(area - masks[i].share) > 0.03 * masks[i].share + 0.002 ||
			abs((int)regions - (int)masks[i].regions) > 1)
			fail_msg("%s, label %d: %u regions of %.4f, not %u of %.4f", masks[i].photo,
				masks[i].label, regions, area, masks[i].regions, masks[i].share);
		arena_release(&a);
	}
	assert_true(COUNT_OF(masks) >= 10);
	stop(&m);
}

/* ---- as people ---- */

struct agreement {
	unsigned classes, found, agreeing;
};

static struct box joined(struct box a, struct box b)
{
	if (!(box_area(a) > 0))
		return b;
	return (struct box){fminf(a.x1, b.x1), fminf(a.y1, b.y1), fmaxf(a.x2, b.x2), fmaxf(a.y2, b.y2)};
}

/* Labels of DeepLab, less the background. */
static const char *const voc[20] = {"aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat",
	"chair", "cow", "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa",
	"train", "tvmonitor"};

/* The number in the first element of this name after a place. */
static float number_after(const char *at, const char *element)
{
	const char *found = strstr(at, element);
	assert_non_null(found);
	return strtof(found + strlen(element), NULL);
}

/* Boxes of each label of a photo, all in one, from the XML of PASCAL VOC. */
static void read_truth(const char *data, const char *photo, struct arena *a, struct box truth[20])
{
	char path[PATH_MAX];
	struct err err = {.text = ""};
	struct span file;
	snprintf(path, sizeof(path), "%.3000s/det_voc50/gts/pascalvoc_format/%.100s.xml", data, photo);
	if (file_map(path, &file, &err) != ST_OK)
		fail_msg("%s", err.text);
	const char *text = arena_strndup(a, (const char *)file.data, file.size);
	file_unmap(file);
	for (const char *at = strstr(text, "<object>"); at != NULL; at = strstr(at + 1, "<object>")) {
		const char *name = strstr(at, "<name>");
		assert_non_null(name);
		struct box b = {number_after(at, "<xmin>"), number_after(at, "<ymin>"),
			number_after(at, "<xmax>"), number_after(at, "<ymax>")};
		for (int label = 0; label < 20; label++) {
			size_t size = strlen(voc[label]);
			if (strncmp(name + 6, voc[label], size) == 0 && name[6 + size] == '<')
				truth[label] = joined(truth[label], b);
		}
	}
}

static void compare(struct running *m, const char *data, const char *photo, struct agreement *sum)
{
	struct arena a;
	struct tensor_map map;
	struct box truth[20] = {{0}}, seen[20] = {{0}};
	arena_init(&a);
	struct shapes shapes = look(m, data, photo, &a, &map);
	read_truth(data, photo, &a, truth);
	for (size_t i = 0; i < shapes.count; i++) {
		const struct shape *s = &shapes.items[i];
		assert_int_equal(s->kind, SHAPE_POLYGON);
		seen[s->label] = joined(seen[s->label], s->box);
	}
	for (int label = 0; label < 20; label++) {
		bool there = box_area(truth[label]) > 0, found = there && box_area(seen[label]) > 0;
		sum->classes += there;
		sum->found += found;
		sum->agreeing += found && box_iou(truth[label], seen[label]) >= 0.5f;
	}
	arena_release(&a);
}

static void test_deeplab_agrees_with_people(void **state)
{
	const char *data = data_or_skip();
	struct running m;
	struct agreement sum = {0};
	char path[PATH_MAX];
	start_deeplab(&m, data);
	snprintf(path, sizeof(path), "%.3000s/det_voc50/images", data);
	DIR *d = opendir(path);
	assert_non_null(d);
	unsigned photos = 0;
	for (struct dirent *entry = readdir(d); entry != NULL && photos < PHOTOS_MAX; entry = readdir(d)) {
		char *end = strstr(entry->d_name, ".jpg");
		if (end == NULL)
			continue;
		*end = '\0';
		compare(&m, data, entry->d_name, &sum);
		photos++;
	}
	closedir(d);
	print_message("           %u photos: %u of %u classes found, of %u the bounds agree\n", photos,
		sum.found, sum.classes, sum.agreeing);
	assert_int_equal(photos, 50);
	/* 53 of 75 and 43 of them; the model's publisher has no number for these photos. */
	assert_in_range(sum.found, 51, sum.classes);
	assert_in_range(sum.agreeing, 41, sum.found);
	stop(&m);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "engine") == 0)
		return engine_child_main(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ultraface_finds_the_same_faces),
		cmocka_unit_test(test_deeplab_covers_the_same_shares),
		cmocka_unit_test(test_deeplab_agrees_with_people),
	};
	return cmocka_run_group_tests_name("output_models", tests, set_up, tear_down);
}
