/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Day turns into night before real cameras: nothing is told of other frames of the day, the night is told,
 * and what is named is a feature of the image, as a detector's scores alone do not show it. The full tables
 * are test/bench/bench_drift.c's.
 */
#include "shift_world.h"

#define DAY_FRAMES 120
#define NIGHT_FRAMES 120
#define ORDERS 12

static void the_night_is_told_and_the_day_is_not(void **state)
{
	SKIP_WITHOUT_REAL_DATA();
	static struct shift_world s;
	static struct frame frames[DAY_FRAMES + NIGHT_FRAMES];
	static const struct frame *day[DAY_FRAMES], *night[NIGHT_FRAMES];
	const char *names[400];
	struct chance c = {7};
	unsigned told = 0, of_image = 0, false_alarms = 0;
	double area = 0, error = 0, delay = 0;
	shift_open(&s);
	size_t count = shift_list("shift_day_night/training/day", names, COUNT_OF(names), &s.arena);
	assert_true(count >= DAY_FRAMES);
	for (size_t i = 0; i < DAY_FRAMES; i++) {
		shift_look_at_file(&s, names[i], &frames[i]);
		day[i] = &frames[i];
	}
	count = shift_list("shift_day_night/training/night", names, COUNT_OF(names), &s.arena);
	assert_true(count >= NIGHT_FRAMES);
	for (size_t i = 0; i < NIGHT_FRAMES; i++) {
		struct frame *f = &frames[DAY_FRAMES + i];
		shift_look_at_file(&s, names[i * count / NIGHT_FRAMES], f);
		night[i] = f;
	}
	for (int order = 0; order < ORDERS; order++) {
		struct detectors_alarm alarm;
		size_t split = shift_split(&c, day, DAY_FRAMES, false);
		struct reference *r = shift_reference(day, split);
		struct detectors *d = detectors_new(r);
		shift_shuffle(&c, night, NIGHT_FRAMES);
		false_alarms += shift_stream(d, r, day + split, DAY_FRAMES - split, &alarm) > 0;
		size_t after = shift_stream(d, r, night, NIGHT_FRAMES, &alarm);
		told += after > 0;
		delay += (double)after;
		of_image += after && feature_kind_of(alarm.feature) == FEATURE_OF_IMAGE;
		area += shift_auroc(r, day + split, DAY_FRAMES - split, night, NIGHT_FRAMES, &error) / ORDERS;
		detectors_free(d);
		reference_drop(r);
	}
	print_message("           %u orders: night told in %u, after %.0f frames on average, by its image in "
		      "%u; %u alarms on "
		      "the day; AUROC of the outlier score %.3f\n",
		ORDERS, told, told ? delay / told : 0, of_image, false_alarms, area);
	assert_int_equal(false_alarms, 0);
	assert_in_range(told, ORDERS * 3 / 4, ORDERS);
	assert_true(of_image >= told * 3 / 4);
	assert_true(area > 0.9);
	shift_close(&s);
}

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_night_is_told_and_the_day_is_not)};
	return cmocka_run_group_tests_name("shift", tests, world_set_up, NULL);
}
