/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detectors of a deployment: no alarm on clean images, the right feature named on others, thinning, and that
 * what is stored goes on as if nothing had been. The simulation of false alarms stands beneath the thinning,
 * on features of many kinds at once; GYRE_CLEAN_IMAGES makes it longer.
 */
#include "watch/detectors.h"

#include "base/check.h"
#include "drift_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

/* ---- false alarms ---- */

#define CLEAN_IMAGES 100000
#define EACH 10000 /* images against one reference */
#define VALUES_MAX 2500

/* A feature's value: normal, heavy-tailed, counts, labels, ever the same; moved by `shift` deviations. All
 * depend on what the image has in common. */
static double value_of(int feature, struct chance *c, double common, double shift)
{
	double own = chance_normal(c), mixed = 0.6 * common + 0.8 * own + shift;
	switch (feature % 5) {
	case 0: return mixed;
	case 1: return exp(mixed);
	case 2: return floor(fmax(0, 3 + 2 * mixed));                       /* how many objects */
	case 3: return floor(fabs(4 * mixed)) > 2;                          /* one of two labels */
	default: return mixed < -2.5 ? 0.1 : 255 * (1 - exp(-fabs(mixed))); /* clipped brightness */
	}
}

struct watched {
	double reference[FEATURE_COUNT][VALUES_MAX];
	struct sequential detectors[FEATURE_COUNT];
};

static void fill(struct watched *w, struct chance *c, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		double common = chance_normal(c);
		for (int f = 0; f < FEATURE_COUNT; f++)
			w->reference[f][i] = value_of(f, c, common, 0);
	}
	for (int f = 0; f < FEATURE_COUNT; f++) {
		qsort(w->reference[f], size, sizeof(double), by_value);
		sequential_reset(&w->detectors[f]);
	}
}

/* Whether any feature alarms at this image; `moved`: how many of the features are by `shift`. */
static bool one_image(
	struct watched *w, struct chance *c, size_t size, uint64_t number, int moved, double shift)
{
	double common = chance_normal(c), strength, together = 0;
	for (int f = 0; f < FEATURE_COUNT; f++) {
		double value = value_of(f, c, common, f < moved ? shift : 0);
		double u = feature_place(w->reference[f], size, value, (enum feature)f, made_id(number));
		sequential_add(&w->detectors[f], u, sequential_tolerance(size),
			sequential_limit(FEATURE_COUNT, DETECTORS_IMAGES), &strength);
		together += strength;
	}
	if (together < 1)
		return false;
	for (int f = 0; f < FEATURE_COUNT; f++)
		sequential_reset(&w->detectors[f]);
	return true;
}

static void false_alarms_are_rare(void **state)
{
	static struct watched w;
	static const size_t sizes[] = {120, 500, 2500};
	const char *asked = getenv("GYRE_CLEAN_IMAGES");
	uint64_t images = asked ? strtoull(asked, NULL, 10) : CLEAN_IMAGES;
	/* A reference that is not like the rest is a matter of chance too: several of each size. */
	const uint64_t references = images / EACH ? images / EACH : 1;
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct chance c = {sizes[i]};
		uint64_t alarms = 0;
		for (uint64_t k = 0; k < references; k++) {
			fill(&w, &c, sizes[i]);
			for (uint64_t n = 1; n <= EACH; n++)
				alarms += one_image(&w, &c, sizes[i], n, 0, 0);
		}
		print_message("           %u features, reference of %4zu images, tolerance %.3f: %llu alarms "
			      "in %llu clean "
			      "images\n",
			FEATURE_COUNT, sizes[i], sequential_tolerance(sizes[i]), (unsigned long long)alarms,
			(unsigned long long)(references * EACH));
		assert_true(alarms <= images / CLEAN_IMAGES + (images < CLEAN_IMAGES));
	}
}

/* Images until the alarm when one feature, or all, is moved. */
static void delays_after_a_shift(void **state)
{
	static struct watched w;
	static const size_t sizes[] = {120, 500, 2500};
	static const double shifts[] = {0.25, 0.5, 1, 2};
	enum { NEVER = 3000, RUNS = 3 };
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		for (int moved = 1; moved <= FEATURE_COUNT; moved += FEATURE_COUNT - 1) {
			unsigned medians[COUNT_OF(shifts)];
			for (size_t k = 0; k < COUNT_OF(shifts); k++) {
				struct chance c = {sizes[i] + k};
				double delays[RUNS];
				for (int run = 0; run < RUNS; run++) {
					unsigned n = 1;
					fill(&w, &c, sizes[i]);
					for (unsigned clean = 1; clean <= 200; clean++)
						one_image(&w, &c, sizes[i], clean, 0, 0);
					while (n < NEVER &&
						!one_image(&w, &c, sizes[i], 200 + n, moved, shifts[k]))
						n++;
					delays[run] = n;
				}
				qsort(delays, RUNS, sizeof(double), by_value);
				medians[k] = (unsigned)delays[RUNS / 2];
			}
			print_message("           reference of %4zu images, %2d of %u features moved: 0.25 "
				      "sd %4u, 0.5 sd %4u, "
				      "1 sd %4u, 2 sd %4u images (%d: not by then)\n",
				sizes[i], moved, FEATURE_COUNT, medians[0], medians[1], medians[2],
				medians[3], NEVER);
			assert_in_range(medians[2], 1, 400);
			assert_in_range(medians[3], 1, 120);
		}
}

/* ---- whole images ---- */

static void clean_images_are_no_drift(void **state)
{
	struct reference *r = made_reference(1000, TASK_DETECTION, 0.5);
	struct detectors *d = detectors_new(r);
	struct detectors_state s;
	struct detectors_alarm alarm;
	struct chance c = {31};
	struct made m;
	for (uint64_t n = 1; n <= 10000; n++) {
		make_image(&m, &c, n, TASK_DETECTION);
		assert_false(goes_by(d, r, &m, &alarm));
	}
	detectors_state(d, &s);
	assert_int_equal(s.seen, 10000);
	assert_in_range(s.effective, 9000, 10000); /* independent: few are thinned away */
	assert_true(s.thinning < 1.12 && !s.small && s.alarms == 0);
	assert_true(is_near(s.tolerance, sequential_tolerance(1000), 1e-12));
	for (int f = 0; f < FEATURE_COUNT; f++)
		assert_true(s.watched[f] && s.strength[f] >= 0 && s.strength[f] < 0.5);
	/* Those that not every image has know less: outliers and components, of calibration images. */
	assert_true(s.tolerances[FEATURE_OUTLIER] > s.tolerances[FEATURE_BRIGHTNESS]);
	detectors_free(d);
	reference_drop(r);
}

/* Light that comes and goes slowly, and nothing else that does. */
static void slow_light_is_no_drift(void **state)
{
	struct reference *r = made_reference(1000, TASK_DETECTION, 0.5);
	struct detectors *d = detectors_new(r);
	struct detectors_state s;
	struct detectors_alarm alarm;
	struct chance c = {33};
	struct made m;
	double light = 0;
	unsigned alarms = 0;
	for (uint64_t n = 1; n <= 20000; n++) {
		make_image(&m, &c, n, TASK_DETECTION);
		light = 0.95 * light + sqrt(1 - 0.95 * 0.95) * chance_normal(&c);
		m.seen.stats.brightness = 120 + 20 * light;
		alarms += goes_by(d, r, &m, &alarm);
	}
	detectors_state(d, &s);
	print_message("           light with a correlation of 0.95: one image in %.0f counts, %u alarms in "
		      "20,000 images\n",
		s.thinning, alarms);
	assert_int_equal(alarms, 0);
	assert_true(s.thinning > 20);
	detectors_free(d);
	reference_drop(r);
}

static void change_brightness(struct made *m)
{
	m->seen.stats.brightness -= 40;
}

static void change_size(struct made *m)
{
	for (size_t i = 0; i < m->seen.shapes.count; i++) {
		struct box *b = &m->shapes[i].box;
		b->x2 = b->x1 + (b->x2 - b->x1) * 1.8F;
		b->y2 = b->y1 + (b->y2 - b->y1) * 1.8F;
	}
}

static void change_labels(struct made *m)
{
	for (size_t i = 0; i < m->seen.shapes.count; i++)
		m->shapes[i].label = 2;
}

static void change_contrast(struct made *m) /* either side of what it was */
{
	m->seen.stats.contrast += m->row.position % 2 ? 9 : -9;
}

static void what_changed_is_named(void **state)
{
	static const struct {
		void (*change)(struct made *m);
		enum feature feature;
		enum sequential_change way;
	} cases[] = {
		{change_brightness, FEATURE_BRIGHTNESS, SEQUENTIAL_LOWER},
		{change_size, FEATURE_BOX_SIZE, SEQUENTIAL_HIGHER},
		{change_labels, FEATURE_LABEL, SEQUENTIAL_HIGHER},
		{change_contrast, FEATURE_CONTRAST, SEQUENTIAL_WIDER},
	};
	struct reference *r = made_reference(2500, TASK_DETECTION, 0.5);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct detectors *d = detectors_new(r);
		struct detectors_alarm alarm;
		struct detectors_state s;
		struct chance c = {40 + i};
		struct made m;
		bool alarmed = false;
		uint64_t n = 1;
		for (; n <= 700 && !alarmed; n++) {
			make_image(&m, &c, n, TASK_DETECTION);
			if (n > 500)
				cases[i].change(&m);
			alarmed = goes_by(d, r, &m, &alarm);
			assert_false(alarmed && n <= 500);
		}
		assert_true(alarmed);
		print_message("           %s %s: told after %u images\n", feature_name(alarm.feature),
			sequential_change_name(alarm.change), (unsigned)(alarm.position - 500));
		assert_int_equal(alarm.feature, cases[i].feature);
		assert_int_equal(alarm.change, cases[i].way);
		assert_int_equal(alarm.position, n - 1);
		assert_int_equal(alarm.at_us, (int64_t)(n - 1) * 1000000);
		assert_in_range(alarm.images, (n - 501) * 7 / 10, n - 501 + 60);
		detectors_state(d, &s); /* once, then anew */
		assert_true(s.alarms == 1 && s.since_alarm == 0 && s.strength[cases[i].feature] <= 0);
		assert_int_equal(detectors_calm(d), 0);
		detectors_free(d);
	}
	reference_drop(r);
}

/* ---- stored ---- */

static void stored_and_read_it_goes_on(void **state)
{
	struct reference *r = made_reference(300, TASK_DETECTION, 0.5);
	struct reference *other = made_reference(301, TASK_DETECTION, 0.5);
	struct detectors *whole = detectors_new(r), *part = detectors_new(r), *again = NULL;
	struct detectors_alarm a, b;
	struct err err = {.text = ""};
	struct chance c = {51};
	struct arena arena;
	struct made m;
	unsigned alarms = 0;
	arena_init(&arena);
	for (uint64_t n = 1; n <= 1200; n++) {
		make_image(&m, &c, n, TASK_DETECTION);
		if (n > 600)
			change_brightness(&m);
		bool alarmed = goes_by(whole, r, &m, &a);
		assert_int_equal(alarmed, goes_by(part, r, &m, &b));
		alarms += alarmed;
		if (alarmed)
			assert_true(
				a.position == b.position && a.feature == b.feature && a.images == b.images);
		if (n % 50)
			continue;
		assert_int_equal(detectors_unpack(detectors_pack(part, &arena), r, &again, &err), ST_OK);
		detectors_free(part);
		part = again;
	}
	assert_in_range(alarms, 2, 30); /* it is told again as long as it is so */
	struct span packed = detectors_pack(whole, &arena), same = detectors_pack(part, &arena);
	assert_true(span_equal(packed, same));
	assert_in_range(packed.size, 1000, 64000);
	/* Of another reference, another threshold, another length: begin anew. */
	other->id = made_id(5);
	assert_int_equal(detectors_unpack(packed, other, &again, &err), ST_INVALID);
	r->threshold = 0.6;
	assert_int_equal(detectors_unpack(packed, r, &again, &err), ST_INVALID);
	r->threshold = 0.5;
	for (size_t size = 0; size < packed.size; size += 1 + size / 3)
		assert_int_equal(detectors_unpack(span_of(packed.data, size), r, &again, &err), ST_INVALID);
	detectors_free(whole);
	detectors_free(part);
	arena_release(&arena);
	reference_drop(r);
	reference_drop(other);
}

/* ---- small, optimistic ---- */

static void a_small_reference_tolerates_more(void **state)
{
	struct reference *r = made_reference(120, TASK_DETECTION, 0.5);
	struct detectors_state s;
	r->held_out = false; /* the model was trained on these: what it says of them is no measure */
	struct detectors *d = detectors_new(r);
	detectors_state(d, &s);
	assert_true(s.small && is_near(s.tolerance, sequential_tolerance(120), 1e-12));
	for (int f = 0; f < FEATURE_COUNT; f++)
		assert_int_equal(s.watched[f], feature_kind_of((enum feature)f) == FEATURE_OF_IMAGE);
	detectors_free(d);
	reference_drop(r);
	r = made_reference(29, TASK_DETECTION, 0.5); /* nothing is known of what so few have */
	d = detectors_new(r);
	detectors_state(d, &s);
	for (int f = 0; f < FEATURE_COUNT; f++)
		assert_false(s.watched[f]);
	detectors_free(d);
	reference_drop(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(false_alarms_are_rare),
		cmocka_unit_test(delays_after_a_shift),
		cmocka_unit_test(clean_images_are_no_drift),
		cmocka_unit_test(slow_light_is_no_drift),
		cmocka_unit_test(what_changed_is_named),
		cmocka_unit_test(stored_and_read_it_goes_on),
		cmocka_unit_test(a_small_reference_tolerates_more),
	};
	return cmocka_run_group_tests_name("detectors", tests, NULL, NULL);
}
