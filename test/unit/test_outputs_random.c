/* SPDX-License-Identifier: Apache-2.0 */
/*
 * task/output_*: whatever tensors hold, shapes come out that keep all rules, or a sentence. Random recipes of
 * each layout over random tensors (NaN, infinities, huge and tiny values, empty ones, odd shapes, all types),
 * and random graphs that a recipe is looked for in. The seed is printed; GYRE_SEED repeats it.
 */
#include "task/output.h"
#include "task/recipe.h"

#include "task_samples.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROUNDS 6000
#define ELEMENTS_MAX 80000

static uint64_t state_of_chance;

static uint32_t chance(uint32_t below)
{
	state_of_chance ^= state_of_chance << 13;
	state_of_chance ^= state_of_chance >> 7;
	state_of_chance ^= state_of_chance << 17;
	return (uint32_t)(state_of_chance >> 20) % below;
}

static float real(float low, float high)
{
	return low + (high - low) * (float)chance(1 << 20) / (float)(1 << 20);
}

/* Kinds of contents: what a tensor is full of. */
static float value_of(unsigned kind)
{
	static const float odd[] = {
		NAN, INFINITY, -INFINITY, 0, -0.0f, 1, -1, 3.4e38f, -3.4e38f, 1e-45f, 255, 0.5f, 1e9f, -1e9f};
	switch (kind) {
	case 0: return real(0, 1);
	case 1: return real(-8, 8);
	case 2: return real(-50, 700);
	case 3: return (float)chance(8);
	case 4: return odd[chance(COUNT_OF(odd))];
	case 5: return 0;
	default: return chance(50) == 0 ? odd[chance(COUNT_OF(odd))] : real(0, 1);
	}
}

static size_t elements_of(const struct engine_tensor *t)
{
	size_t count = 1;
	for (int i = 0; i < t->rank; i++)
		count *= (size_t)t->shape[i];
	return count;
}

/* The tensor's elements in memory of exactly its size, so that a read beyond it is found. */
static void fill(struct engine_tensor *t)
{
	size_t count = elements_of(t), size = count * engine_type_size(t->type);
	void *data = malloc(size + 1);
	CHECK(data != NULL);
	unsigned kind = chance(7);
	if (t->type == ENGINE_FLOAT32)
		for (size_t i = 0; i < count; i++)
			((float *)data)[i] = value_of(kind);
	else if (kind == 5)
		memset(data, 0, size);
	else
		for (size_t i = 0; i < size; i++)
			((uint8_t *)data)[i] =
				(uint8_t)(kind < 4 && i % engine_type_size(t->type) ? 0 : chance(256));
	t->data = data;
	t->size = size;
}

static struct engine_tensor shaped(enum engine_type type, int rank, const int64_t *dims)
{
	struct engine_tensor t = {.type = type, .rank = rank};
	memcpy(t.shape, dims, (size_t)rank * sizeof(*dims));
	return t;
}

static enum engine_type any_type(void)
{
	return (enum engine_type)chance(ENGINE_OTHER);
}

static int64_t any_count(void)
{
	return chance(20) == 0 ? 0 : 1 + chance(chance(3) ? 40 : 300);
}

/* As the layout wants it, mostly; number is the place among those that the layout reads. */
static struct engine_tensor tensor_for(const struct recipe *r, unsigned number, int64_t count, bool flat)
{
	int64_t classes = r->class_count, height = 1 + chance(40), width = 1 + chance(40);
	enum engine_type type = chance(4) ? ENGINE_FLOAT32 : ENGINE_FLOAT16;
	switch (r->output) {
	case OUTPUT_CLASSIFICATION: return shaped(type, 2, DIMS(1, classes));
	case OUTPUT_YOLO_V8: return shaped(type, 3, (int64_t[]){1, 4 + classes, count});
	case OUTPUT_YOLOX_RAW: {
		int64_t cells = (int64_t)output_grid_cells(r->input.width, r->input.height, 8, 32);
		return shaped(type, 3, (int64_t[]){1, cells, 5 + classes});
	}
	case OUTPUT_YOLO_V5: return shaped(type, 3, (int64_t[]){1, count, 5 + classes});
	case OUTPUT_DETR:
	case OUTPUT_BOXES_SCORES: return shaped(type, 3, (int64_t[]){1, count, number == 0 ? classes : 4});
	case OUTPUT_END_TO_END: {
		int64_t values = 6 + chance(2);
		return flat ? shaped(type, 2, (int64_t[]){count, values})
			    : shaped(type, 3, (int64_t[]){1, count, values});
	}
	case OUTPUT_END_TO_END_PARTS:
		if (number == 0)
			return flat ? shaped(type, 2, (int64_t[]){count, 4})
				    : shaped(type, 3, (int64_t[]){1, count, 4});
		type = number == 2 ? any_type() : type;
		return flat ? shaped(type, 1, (int64_t[]){count}) : shaped(type, 2, (int64_t[]){1, count});
	default:
		switch (chance(4)) {
		case 0: return shaped(type, 4, (int64_t[]){1, classes, height, width});
		case 1: return shaped(type, 4, (int64_t[]){1, height, width, classes});
		case 2: return shaped(any_type(), 3, (int64_t[]){1, height, width});
		default: return shaped(any_type(), 4, (int64_t[]){1, 1, height, chance(9) ? width : 0});
		}
	}
}

static struct recipe any_recipe(enum output_layout o)
{
	struct recipe r =
		sample_recipe(o, 32 * (1 + chance(3)), 32 * (1 + chance(3)), 1 + chance(chance(3) ? 5 : 40));
	if (o != OUTPUT_YOLOX_RAW && chance(2))
		r.input.width += chance(300);
	r.background = output_has_background(o) && r.class_count > 1
			       ? (enum background)chance(BACKGROUND_COUNT)
			       : BACKGROUND_NONE;
	r.probabilities = chance(2);
	r.nms_iou = chance(3) ? real(0, 1) : 1;
	r.box_form = (enum box_form)chance(BOX_FORM_COUNT);
	r.box_unit = (enum box_unit)chance(BOX_UNIT_COUNT);
	r.row_order = (enum row_order)chance(ROW_ORDER_COUNT);
	r.polygon_tolerance = chance(3) ? real(0, 10) : chance(2) ? 0 : 1000;
	r.region_area_min = chance(2) ? 0 : real(0, 0.1f);
	return r;
}

static struct tensor_map any_map(const struct recipe *r)
{
	return (struct tensor_map){.scale_x = real(0.01f, 20),
		.scale_y = real(0.01f, 20),
		.offset_x = real(-100, 100),
		.offset_y = real(-100, 100),
		.image_width = 1 + chance(chance(2) ? 2000 : 10),
		.image_height = 1 + chance(2 * r->input.height)};
}

static void break_something(struct engine_tensor *t)
{
	switch (chance(5)) {
	case 0: t->size -= t->size > 0; break;
	case 1: t->shape[chance(ENGINE_RANK_MAX)] = chance(2) ? -1 : INT64_MAX; break;
	case 2: t->rank = (int)chance(ENGINE_RANK_MAX + 2) - 1; break;
	case 3: t->type = (enum engine_type)chance(ENGINE_OTHER + 1); break;
	default: t->data = NULL;
	}
}

static enum status try_reading(enum output_layout o)
{
	struct recipe r = any_recipe(o);
	struct engine_tensor tensors[RECIPE_TENSORS_MAX];
	void *data[RECIPE_TENSORS_MAX];
	unsigned count = output_ops(o)->tensor_count;
	int64_t rows = any_count();
	bool flat = chance(2);
	for (unsigned i = 0; i < count; i++) {
		tensors[i] = tensor_for(&r, i, rows, flat);
		CHECK(elements_of(&tensors[i]) <= ELEMENTS_MAX);
		fill(&tensors[i]);
		data[i] = (void *)(uintptr_t)tensors[i].data;
	}
	if (chance(10) == 0)
		break_something(&tensors[chance(count)]);
	struct arena a;
	arena_init(&a);
	struct shapes shapes;
	struct err err = {0};
	struct tensor_map map = any_map(&r);
	enum status st = recipe_read(&r, tensors, count, &map, &a, &shapes, &err);
	if (st == ST_OK)
		(void)shapes_pack(&shapes, &a); /* holds every rule of a shape */
	else
		assert_true(st == ST_FAILED && strlen(err.text) > 20);
	for (size_t i = 0; i < shapes.count; i++)
		assert_in_range(shapes.items[i].label, 0, recipe_label_count(&r) - 1);
	arena_release(&a);
	for (unsigned i = 0; i < count; i++)
		free(data[i]);
	return st;
}

static void test_random_tensors_are_read_or_refused(void **state)
{
	unsigned taken[OUTPUT_COUNT] = {0};
	for (int i = 0; i < ROUNDS; i++)
		taken[i % OUTPUT_COUNT] += try_reading((enum output_layout)(i % OUTPUT_COUNT)) == ST_OK;
	for (enum output_layout o = 0; o < OUTPUT_COUNT; o++) {
		print_message(
			"           %s: %u of %d read\n", output_name(o), taken[o], ROUNDS / OUTPUT_COUNT);
		assert_true(taken[o] > ROUNDS / OUTPUT_COUNT / 3);
	}
}

/* A graph of one to four outputs that look like something, some sides open, some tensors not as it says. */
static void try_finding(unsigned found[OUTPUT_COUNT])
{
	static const char *const names[] = {
		"boxes", "scores", "logits", "output0", "labels", "dets", "x", "classes"};
	bool interleaved = chance(4) == 0;
	int64_t side = 32 * (1 + chance(3));
	struct engine_description d =
		sample_graph(interleaved ? DIMS(1, side, side, 3) : DIMS(1, 3, side, side));
	struct engine_tensor tensors[ENGINE_TENSORS_MAX] = {0};
	void *data[4] = {NULL};
	unsigned outputs = 1 + chance(4);
	int64_t cells = (int64_t)output_grid_cells((uint32_t)side, (uint32_t)side, 8, 32);
	int64_t count = chance(3) ? cells * (chance(2) ? 1 : 3) : any_count();
	for (unsigned i = 0; i < outputs; i++) {
		struct recipe r = any_recipe((enum output_layout)chance(OUTPUT_COUNT));
		r.input.width = r.input.height = (uint32_t)side;
		tensors[i] = tensor_for(&r, i, count, false);
		if (elements_of(&tensors[i]) > ELEMENTS_MAX)
			tensors[i].shape[1] = 1;
		fill(&tensors[i]);
		data[i] = (void *)(uintptr_t)tensors[i].data;
		int64_t dims[ENGINE_RANK_MAX + 1] = {0};
		for (int k = 0; k < tensors[i].rank; k++) /* 0 ends DIMS */
			dims[k] = tensors[i].shape[k] && chance(8) ? tensors[i].shape[k] : -1;
		sample_output(&d, names[chance(COUNT_OF(names))], dims);
		d.outputs[i].type = chance(20) ? tensors[i].type : any_type();
		if (chance(20) == 0)
			break_something(&tensors[i]);
	}
	if (chance(4) == 0)
		d.inputs[0].shape[1] = d.inputs[0].shape[2] = -1;
	struct recipe r;
	struct err err = {0};
	enum task task = (enum task)chance(TASK_COUNT);
	enum status st = recipe_find(&d, chance(5) ? tensors : NULL, task, chance(8), &r, &err);
	if (st == ST_OK) {
		static struct recipe list[RECIPE_CANDIDATES_MAX];
		assert_in_range(recipe_candidates(&r, chance(5), list), 1, RECIPE_CANDIDATES_MAX);
		found[r.output]++;
		/* A graph that leaves its input open and yet counts its cells contradicts itself. */
		if (recipe_check(&r, &d, 0, &err) != ST_OK && d.inputs[0].shape[2] != -1)
			fail_msg("a recipe is found, but: %s", err.text);
	} else {
		assert_true(st == ST_UNPROCESSABLE && strlen(err.text) > 20);
	}
	for (unsigned i = 0; i < outputs; i++)
		free(data[i]);
}

static void test_recipes_of_random_graphs_fit_them(void **state)
{
	unsigned found[OUTPUT_COUNT] = {0};
	for (int i = 0; i < ROUNDS; i++)
		try_finding(found);
	for (enum output_layout o = 0; o < OUTPUT_COUNT; o++)
		print_message("           %s: %u found\n", output_name(o), found[o]);
}

static int seed(void **state)
{
	const char *given = getenv("GYRE_SEED");
	state_of_chance = given ? strtoull(given, NULL, 10) : 20260101;
	print_message("           seed %llu\n", (unsigned long long)state_of_chance);
	return state_of_chance == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_tensors_are_read_or_refused),
		cmocka_unit_test(test_recipes_of_random_graphs_fit_them),
	};
	return cmocka_run_group_tests_name("outputs_random", tests, seed, NULL);
}
