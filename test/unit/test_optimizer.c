/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW and SGD against their formulas in double, the rate over a run, and the running mean. */
#include "trainer/optimizer.h"

#include "base/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <cmocka.h>

#define COUNT 37

static double gradient_of(size_t i, uint32_t step)
{
	return sin((double)i * 1.7 + step * 0.9) * pow(10, (double)(i % 5) - 2);
}

static void fill(float values[COUNT])
{
	for (size_t i = 0; i < COUNT; i++)
		values[i] = (float)cos((double)i);
}

static void adamw_is_its_formula(void **state)
{
	struct optimizer o = {JOB_ADAMW, 0.01, 0.1, 50, 5};
	float values[COUNT], first[COUNT] = {0}, second[COUNT] = {0}, gradients[COUNT];
	double x[COUNT], m[COUNT] = {0}, v[COUNT] = {0};
	struct weights w = {values, first, second, COUNT, true};
	fill(values);
	for (size_t i = 0; i < COUNT; i++)
		x[i] = (double)values[i];
	for (uint32_t step = 0; step < 50; step++) {
		double rate = optimizer_rate(&o, step);
		for (size_t i = 0; i < COUNT; i++) {
			double g = (double)(gradients[i] = (float)gradient_of(i, step)) * 0.5;
			m[i] = 0.9 * m[i] + 0.1 * g;
			v[i] = 0.999 * v[i] + 0.001 * g * g;
			x[i] -= rate * 0.1 * x[i];
			x[i] -= rate * (m[i] / (1 - pow(0.9, step + 1))) /
				(sqrt(v[i] / (1 - pow(0.999, step + 1))) + 1e-8);
		}
		optimizer_step(&o, step, 0.5f, gradients, &w);
	}
	for (size_t i = 0; i < COUNT; i++)
		assert_true(fabs((double)values[i] - x[i]) < 1e-4);
}

static void sgd_is_its_formula(void **state)
{
	struct optimizer o = {JOB_SGD, 0.01, 0.1, 50, 5};
	float values[COUNT], first[COUNT] = {0}, gradients[COUNT];
	double x[COUNT], m[COUNT] = {0};
	struct weights w = {values, first, NULL, COUNT, true};
	fill(values);
	for (size_t i = 0; i < COUNT; i++)
		x[i] = (double)values[i];
	for (uint32_t step = 0; step < 50; step++) {
		double rate = optimizer_rate(&o, step);
		for (size_t i = 0; i < COUNT; i++) {
			gradients[i] = (float)gradient_of(i, step);
			double g = (double)gradients[i] + 0.1 * x[i];
			m[i] = 0.9 * m[i] + g;
			x[i] -= rate * (g + 0.9 * m[i]);
		}
		optimizer_step(&o, step, 1, gradients, &w);
	}
	for (size_t i = 0; i < COUNT; i++)
		assert_true(fabs((double)values[i] - x[i]) < 1e-3 * (1 + fabs(x[i])));
}

static void weights_that_do_not_decay_rest_without_gradients(void **state)
{
	for (int kind = JOB_ADAMW; kind <= JOB_SGD; kind++) {
		struct optimizer o = {(enum job_optimizer)kind, 0.1, 0.5, 10, 1};
		float values[2] = {3, -3}, first[2] = {0}, second[2] = {0}, none[2] = {0};
		struct weights w = {values, first, second, 2, false};
		optimizer_step(&o, 0, 1, none, &w);
		assert_true(values[0] == 3 && values[1] == -3);
		w.decays = true;
		optimizer_step(&o, 1, 1, none, &w);
		assert_true(values[0] < 3 && values[1] > -3);
	}
}

static void the_rate_rises_then_falls_to_two_percent(void **state)
{
	struct optimizer o = {JOB_ADAMW, 1, 0, 1000, 100};
	assert_true(fabs(optimizer_rate(&o, 0) - 0.01) < 1e-12);
	assert_true(fabs(optimizer_rate(&o, 99) - 1) < 1e-12);
	assert_true(fabs(optimizer_rate(&o, 100) - 1) < 1e-12);
	assert_true(fabs(optimizer_rate(&o, 550) - 0.51) < 1e-9); /* half way down */
	assert_true(fabs(optimizer_rate(&o, 1000) - 0.02) < 1e-9);
	for (uint32_t step = 1; step < 1000; step++)
		assert_true(step < 100 ? optimizer_rate(&o, step) > optimizer_rate(&o, step - 1)
				       : optimizer_rate(&o, step) <= optimizer_rate(&o, step - 1));
	struct optimizer one = {JOB_ADAMW, 1, 0, 1, 0};
	assert_true(optimizer_rate(&one, 0) == 1);
}

static void the_running_mean_looks_back_three_percent_of_the_run(void **state)
{
	struct optimizer o = {JOB_ADAMW, 1, 0, 10000, 0};
	assert_true(running_share(&o, 0) == 1); /* what was before the first step is forgotten */
	assert_true(fabsf(running_share(&o, 9999) - 1 / 300.0f) < 1e-6f);
	float mean = 5, value = 0;
	for (uint32_t step = 0; step < 10000; step++) {
		value = (float)step;
		running_mean(&mean, &value, 1, running_share(&o, step));
	}
	assert_true(fabsf(mean - (9999 - 299)) < 1.5f); /* it trails by as much as it looks back */
	struct optimizer few = {JOB_ADAMW, 1, 0, 3, 0};
	for (uint32_t step = 0; step < 3; step++)
		assert_true(running_share(&few, step) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adamw_is_its_formula),
		cmocka_unit_test(sgd_is_its_formula),
		cmocka_unit_test(weights_that_do_not_decay_rest_without_gradients),
		cmocka_unit_test(the_rate_rises_then_falls_to_two_percent),
		cmocka_unit_test(the_running_mean_looks_back_three_percent_of_the_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
