/* SPDX-License-Identifier: Apache-2.0 */
/* learn/check.h: the right recipe is found from drawn pictures; the order of rows; cancelling; broken
 * pictures. */
#include "learn/check.h"

#include "serve_world.h"

static struct world w;

/* ---- the order of rows ---- */

static struct check_row row_of(enum task task, double value)
{
	struct recipe r = {.task = task, .class_count = 3, .nms_iou = 0.45f};
	r.output = task == TASK_CLASSIFICATION ? OUTPUT_CLASSIFICATION : OUTPUT_YOLO_V8;
	r.input = (struct tensor_spec){.width = 320, .height = 320};
	recipe_follow_convention(&r);
	return (struct check_row){.recipe = r, .value = value, .pictures = 20};
}

static void test_the_best_value_comes_first(void **state)
{
	static const double values[] = {0.2, 0.7, 0.4, 0.69};
	struct check_row rows[4];
	static const uint64_t evidence[4] = {1, 2, 3, 4};
	for (size_t i = 0; i < 4; i++)
		rows[i] = row_of(TASK_DETECTION, values[i]);
	check_rank(rows, evidence, 4);
	static const double expected[] = {0.7, 0.69, 0.4, 0.2};
	for (size_t i = 0; i < 4; i++)
		assert_true(rows[i].value == expected[i]);
	check_rank(rows, evidence, 0);
}

/* The same answers on every picture: nothing speaks for a change. */
static void test_of_equals_the_current_one_then_the_least_changed(void **state)
{
	struct check_row rows[3];
	static const uint64_t evidence[3] = {5, 5, 5};
	for (size_t i = 0; i < 3; i++) {
		rows[i] = row_of(TASK_DETECTION, 0.5);
		rows[i].recipe.input.fit = i == 0 ? FIT_STRETCH : FIT_LETTERBOX; /* the convention */
		rows[i].recipe.input.pad_value = (uint8_t)i;
	}
	rows[0].current = true;
	check_rank(rows, evidence, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(rows[i].recipe.input.pad_value, i);
}

/* Almost the same value, other answers: what such models usually take. */
static void test_a_difference_that_proves_nothing(void **state)
{
	struct check_row rows[2] = {row_of(TASK_CLASSIFICATION, 1), row_of(TASK_CLASSIFICATION, 0.95)};
	static const uint64_t evidence[2] = {1, 2};
	rows[0].recipe.input.colour = COLOUR_BGR;
	rows[0].current = true;
	check_rank(rows, evidence, 2);
	assert_int_equal(rows[0].recipe.input.colour, COLOUR_RGB); /* one picture of twenty */
	rows[0] = row_of(TASK_CLASSIFICATION, 0.9);
	rows[1] = row_of(TASK_CLASSIFICATION, 1);
	rows[1].recipe.input.colour = COLOUR_BGR;
	check_rank(rows, evidence, 2);
	assert_int_equal(rows[0].recipe.input.colour, COLOUR_BGR); /* two of them do */
	rows[0] = row_of(TASK_DETECTION, 0.5);
	rows[1] = row_of(TASK_DETECTION, 0.525);
	rows[1].recipe.input.colour = COLOUR_BGR;
	check_rank(rows, evidence, 2);
	assert_int_equal(rows[0].recipe.input.colour, COLOUR_BGR);
	/* The same difference proves more on more pictures. */
	for (size_t pictures = 20; pictures <= 500; pictures += 480) {
		rows[0] = row_of(TASK_DETECTION, 0.5);
		rows[1] = row_of(TASK_DETECTION, 0.515);
		rows[1].recipe.input.colour = COLOUR_BGR;
		rows[0].pictures = rows[1].pictures = pictures;
		check_rank(rows, evidence, 2);
		assert_int_equal(rows[0].recipe.input.colour, pictures == 20 ? COLOUR_RGB : COLOUR_BGR);
	}
}

/* Equal by chance, but surer. */
static void test_the_surer_of_equals(void **state)
{
	struct check_row rows[3];
	static const uint64_t evidence[3] = {1, 2, 3};
	static const double certainties[3] = {0.401, 0.43, 0.402};
	for (size_t i = 0; i < 3; i++) {
		rows[i] = row_of(TASK_DETECTION, 0.51 - 0.005 * (double)i);
		rows[i].certainty = certainties[i];
		rows[i].recipe.input.pad_value = (uint8_t)i;
		if (i != 2)
			rows[i].recipe.input.colour = COLOUR_BGR;
	}
	rows[0].current = true;
	check_rank(rows, evidence, 3);
	static const uint8_t expected[3] = {1, 2, 0}; /* the surest, then the usual, then the current */
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(rows[i].recipe.input.pad_value, expected[i]);
}

/* Numbers that spread wider make any model surer: that alone is no reason to take them. */
static void test_a_wider_scaling_is_not_better_because_it_is_surer(void **state)
{
	static const float scales[3] = {1.0f / 255, 1, 1 / 127.5f};
	static const uint64_t evidence[3] = {1, 2, 3};
	static const struct {
		double certainties[3];
		int first;
	} cases[] = {
		{{0.90, 0.99, 0.80}, 0}, /* 0…1 is usual here, 0…255 only surer */
		{{0.90, 0.90, 0.96}, 0}, /* -1…1 spreads wider too */
		{{0.90, 0.91, 0.90}, 0},
	};
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct check_row rows[3];
		for (size_t i = 0; i < 3; i++) {
			rows[i] = row_of(TASK_DETECTION, 0.9);
			rows[i].recipe.input.scale = scales[i];
			for (int c = 0; c < 3; c++)
				rows[i].recipe.input.mean[c] = i == 2;
			rows[i].certainty = cases[k].certainties[i];
			rows[i].current = i == 1;
		}
		check_rank(rows, evidence, 3);
		assert_true(rows[0].recipe.input.scale == scales[cases[k].first]);
	}
	/* One that does not spread wider than the usual one, and is surer by far. */
	for (int by_far = 0; by_far < 2; by_far++) {
		struct check_row rows[2] = {
			row_of(TASK_CLASSIFICATION, 0.9), row_of(TASK_CLASSIFICATION, 0.9)};
		rows[0].certainty = 0.7; /* ImageNet's: 4.4 from black to white */
		rows[1].certainty = by_far ? 0.8 : 0.71;
		for (int c = 0; c < 3; c++) {
			rows[1].recipe.input.mean[c] = 1;
			rows[1].recipe.input.std[c] = 1;
		}
		rows[1].recipe.input.scale = 1 / 127.5f;
		check_rank(rows, evidence, 2);
		assert_int_equal(rows[0].recipe.input.std[0] == 1, by_far);
	}
}

static void test_those_of_fewer_pictures_come_behind(void **state)
{
	struct check_row rows[2] = {row_of(TASK_DETECTION, 0.9), row_of(TASK_DETECTION, 0.4)};
	static const uint64_t evidence[2] = {1, 2};
	rows[0].pictures = 10;
	check_rank(rows, evidence, 2);
	assert_int_equal(rows[0].pictures, 20);
}

/* ---- real runs ---- */

struct set {
	struct check_picture *pictures;
	size_t count;
};

/* Rectangles of the sample detector's three colours at places that differ, two a picture. */
static struct set draw_set(size_t count)
{
	struct set set = {ARENA_ARRAY(&w.arena, struct check_picture, count), count};
	for (size_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)i;
		struct world_box boxes[2] = {
			{10 + at * 13 % 90, 8 + at * 7 % 40, 50 + at % 30, 40 + at % 20, (int)(i % 3)},
			{190 + at * 5 % 40, 90 + at * 3 % 20, 60, 50, (int)((i + 1 + i / 3 % 2) % 3)}};
		struct match_truth *truths = ARENA_ARRAY(&w.arena, struct match_truth, 2);
		for (size_t k = 0; k < 2; k++)
			truths[k] = (struct match_truth){.label = boxes[k].colour,
				.box = {boxes[k].x, boxes[k].y, boxes[k].width, boxes[k].height},
				.area = -1};
		set.pictures[i] = (struct check_picture){.name = arena_printf(&w.arena, "%zu.png", i),
			.bytes = world_draw(&w.arena, 320, 180, (uint8_t)(110 + i % 20), boxes, 2),
			.truth = {truths, 2, 0}};
	}
	return set;
}

struct watch {
	_Atomic int told;
	_Atomic bool cancel;
	int cancel_after; /* words of progress; 0: never */
	double last;
	char first_word[64];
	pthread_mutex_t lock;
};

static bool cancelled(void *arg)
{
	return atomic_load(&((struct watch *)arg)->cancel);
}

static void progress(void *arg, double part, const char *message)
{
	struct watch *watch = arg;
	int told = atomic_fetch_add(&watch->told, 1) + 1;
	CHECK(part > 0 && part <= 1);
	mutex_lock(&watch->lock);
	if (part > watch->last)
		watch->last = part;
	if (strncmp(message, "recipe", 6) == 0 && watch->first_word[0] == '\0')
		snprintf(watch->first_word, sizeof(watch->first_word), "%s", message);
	mutex_unlock(&watch->lock);
	if (watch->cancel_after && told >= watch->cancel_after)
		atomic_store(&watch->cancel, true);
}

static const bool all[3] = {true, true, true};

static enum status run(const char *recipe, const struct set *set, uint64_t pixel_bytes, struct watch *watch,
	struct check_result *out, struct err *err)
{
	struct world_version v = world_sample(&w);
	v.recipe = recipe;
	struct model_version_row row = world_read_version(&w, world_add_version(&w, &v));
	struct model *model;
	WORLD_OK(model_open(&row, "finder", w.blobs, &model, WORLD_ERR));
	pthread_mutex_init(&watch->lock, NULL);
	const struct check_options options = {.model = model,
		.pictures = set->pictures,
		.picture_count = set->count,
		.labels = all,
		.threads = 2,
		.pixel_bytes_max = pixel_bytes,
		.cancelled = cancelled,
		.progress = progress,
		.arg = watch};
	enum status st = check_run(&options, &w.arena, out, err);
	pthread_mutex_destroy(&watch->lock);
	model_drop(model);
	return st;
}

static void test_the_right_recipe_is_found_from_a_wrong_one(void **state)
{
	struct set set = draw_set(24);
	static const char *const starts[] = {
		NULL, "{\"colour\": \"bgr\"}", "{\"scale\": 1}", "{\"colour\": \"bgr\", \"scale\": 1}"};
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct watch watch = {0};
		struct check_result result;
		WORLD_OK(run(starts[i], &set, 256u << 20, &watch, &result, WORLD_ERR));
		const struct check_row *best = &result.rows[0];
		assert_int_equal(result.pictures, 24);
		assert_int_equal(best->recipe.input.colour, COLOUR_RGB);
		assert_true(best->value > 0.99);
		/* This detector answers the same at 0…255, so there nothing speaks for a change of the scale.
		 */
		assert_int_equal(best->current, i == 0 || i == 2);
		assert_true((best->recipe.input.scale == 1) == (i >= 2));
		assert_int_equal(best->pictures, 24);
		size_t current = 0;
		for (size_t k = 0; k < result.row_count; k++) {
			current += result.rows[k].current;
			assert_true(k == 0 || result.rows[k].value <= result.rows[k - 1].value + 0.02);
		}
		assert_int_equal(current, 1);
		assert_int_equal(result.problem_count, 0);
		assert_true(watch.last > 0.99);
		assert_non_null(strstr(watch.first_word, "recipe 1 of "));
		assert_non_null(strstr(watch.first_word, " of 24 pictures"));
	}
}

/* Without room to keep pixels the answers are the same. */
static void test_pictures_that_are_not_kept(void **state)
{
	struct set set = draw_set(20);
	struct watch watches[2] = {{0}, {0}};
	struct check_result results[2];
	WORLD_OK(run(NULL, &set, 256u << 20, &watches[0], &results[0], WORLD_ERR));
	WORLD_OK(run(NULL, &set, 3 * 320 * 180 * 2, &watches[1], &results[1], WORLD_ERR));
	assert_int_equal(results[0].row_count, results[1].row_count);
	for (size_t i = 0; i < results[0].row_count; i++)
		assert_true(results[0].rows[i].value == results[1].rows[i].value);
}

static void test_broken_pictures_are_named(void **state)
{
	struct set set = draw_set(22);
	set.pictures[3].bytes.size = 200;
	set.pictures[9].bytes = span_of_text("no picture");
	struct watch watch = {0};
	struct check_result result;
	struct err err;
	WORLD_OK(run(NULL, &set, 256u << 20, &watch, &result, WORLD_ERR));
	assert_int_equal(result.pictures, 20);
	assert_int_equal(result.problem_count, 2);
	assert_non_null(strstr(result.problems[0], "3.png"));
	assert_non_null(strstr(result.problems[1], "9.png"));
	set.pictures[10].bytes = span_of_text("");
	struct watch again = {0};
	world_refused(run(NULL, &set, 256u << 20, &again, &result, &err), ST_UNPROCESSABLE, &err,
		"Only 19 of the 22");
}

static void test_it_can_be_cancelled(void **state)
{
	struct set set = draw_set(20);
	static const int after[] = {1, 25, 61};
	for (size_t i = 0; i < 3; i++) {
		struct watch watch = {.cancel_after = after[i]};
		struct check_result result;
		struct err err;
		world_refused(run(NULL, &set, 256u << 20, &watch, &result, &err), ST_UNAVAILABLE, &err,
			"cancelled");
		assert_true(watch.told < after[i] + 5);
	}
}

/* Most recipes see a part of many pictures only. */
static void test_many_pictures_are_for_the_best(void **state)
{
	struct set set = draw_set(CHECK_FIRST_PICTURES + 30);
	struct watch watch = {0};
	struct check_result result;
	WORLD_OK(run("{\"colour\": \"bgr\"}", &set, 1 << 20, &watch, &result, WORLD_ERR));
	assert_int_equal(result.rows[0].recipe.input.colour, COLOUR_RGB);
	size_t whole = 0;
	for (size_t i = 0; i < result.row_count; i++) {
		bool all_seen = result.rows[i].pictures == set.count;
		assert_true(all_seen || result.rows[i].pictures == CHECK_FIRST_PICTURES);
		assert_true(all_seen || !result.rows[i].current);
		whole += all_seen;
	}
	assert_int_equal(whole, CHECK_FINALISTS);
	assert_true(watch.last > 0.99);
}

static int open_world(void **state)
{
	world_open(&w);
	return 0;
}

static int close_world(void **state)
{
	world_close(&w);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_best_value_comes_first),
		cmocka_unit_test(test_of_equals_the_current_one_then_the_least_changed),
		cmocka_unit_test(test_a_difference_that_proves_nothing),
		cmocka_unit_test(test_the_surer_of_equals),
		cmocka_unit_test(test_a_wider_scaling_is_not_better_because_it_is_surer),
		cmocka_unit_test(test_those_of_fewer_pictures_come_behind),
		TEST(test_the_right_recipe_is_found_from_a_wrong_one),
		TEST(test_pictures_that_are_not_kept),
		TEST(test_broken_pictures_are_named),
		TEST(test_it_can_be_cancelled),
		TEST(test_many_pictures_are_for_the_best),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
