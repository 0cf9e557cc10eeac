/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/optimizer.h"

#include <math.h>

#define PI 3.14159265358979323846
#define FIRST 0.9    /* AdamW: share of the old mean of gradients; SGD: momentum */
#define SECOND 0.999 /* of the mean of their squares */
#define EPSILON 1e-8
#define RATE_END 0.02   /* of the highest */
#define MEAN_SHARE 0.03 /* of all steps: how far back the running mean looks */

double optimizer_rate(const struct optimizer *o, uint32_t step)
{
	if (step < o->warm_up)
		return o->learning_rate * (step + 1) / o->warm_up;
	double done =
		(double)(step - o->warm_up) / (double)(o->steps > o->warm_up ? o->steps - o->warm_up : 1);
	double cosine = 0.5 + 0.5 * cos(PI * fmin(done, 1));
	return o->learning_rate * (RATE_END + (1 - RATE_END) * cosine);
}

static void adamw(const struct optimizer *o, uint32_t step, float scale, const float *restrict gradients,
	const struct weights *w)
{
	float *restrict values = w->values, *restrict first = w->first, *restrict second = w->second;
	double rate = optimizer_rate(o, step);
	float keep = (float)(1 - (w->decays ? rate * o->weight_decay : 0));
	float move = (float)(rate / (1 - pow(FIRST, step + 1.0)));
	float spread = (float)(1 / (1 - pow(SECOND, step + 1.0)));
	for (size_t i = 0; i < w->count; i++) {
		float g = gradients[i] * scale;
		first[i] += (g - first[i]) * (float)(1 - FIRST);
		second[i] += (g * g - second[i]) * (float)(1 - SECOND);
		values[i] = values[i] * keep - move * first[i] / (sqrtf(second[i] * spread) + (float)EPSILON);
	}
}

static void sgd(const struct optimizer *o, uint32_t step, float scale, const float *restrict gradients,
	const struct weights *w)
{
	float *restrict values = w->values, *restrict first = w->first;
	float rate = (float)optimizer_rate(o, step), decay = w->decays ? (float)o->weight_decay : 0;
	for (size_t i = 0; i < w->count; i++) {
		float g = gradients[i] * scale + decay * values[i];
		first[i] = first[i] * (float)FIRST + g;
		values[i] -= rate * (g + (float)FIRST * first[i]);
	}
}

void optimizer_step(const struct optimizer *o, uint32_t step, float scale, const float *gradients,
	const struct weights *w)
{
	if (o->kind == JOB_SGD)
		sgd(o, step, scale, gradients, w);
	else
		adamw(o, step, scale, gradients, w);
}

void running_mean(float *restrict mean, const float *restrict values, size_t count, float share)
{
	for (size_t i = 0; i < count; i++)
		mean[i] += (values[i] - mean[i]) * share;
}

float running_share(const struct optimizer *o, uint32_t step)
{
	double back = fmax(1, MEAN_SHARE * o->steps);
	/* In the beginning of as many steps as there were: the first weights are soon forgotten. */
	return (float)(1 / fmin(back, 1 + step / 2.0));
}
