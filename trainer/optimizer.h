/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From gradients to weights, on plain numbers: AdamW (Loshchilov and Hutter 2019) and SGD with Nesterov's
 * momentum, the rate of learning over a run, and the running mean of weights that is what a run gives back.
 */
#ifndef GYRE_TRAINER_OPTIMIZER_H
#define GYRE_TRAINER_OPTIMIZER_H

#ifdef __cplusplus
extern "C" {
#endif

#include "trainer/job.h"

#include <stddef.h>
#include <stdint.h>

struct optimizer {
	enum job_optimizer kind;
	double learning_rate; /* at its highest */
	double weight_decay;
	uint32_t steps, warm_up; /* of the whole run */
};

/* Of a step, counted from 0: rising over the warm-up, then a cosine down to 2 %. */
double optimizer_rate(const struct optimizer *o, uint32_t step);

/* Weights of one tensor and what is remembered of each: first is a mean of gradients, second (of AdamW alone)
 * of their squares. */
struct weights {
	float *values, *first, *second;
	size_t count;
	bool decays;
};

/* The step is counted from 0; gradients are multiplied by scale first (to clip them). */
void optimizer_step(const struct optimizer *o, uint32_t step, float scale, const float *gradients,
	const struct weights *w);

/* mean += (values - mean) * share. */
void running_mean(float *mean, const float *values, size_t count, float share);
/* Its share at a step: of the last 3 % of the run's steps, and less far back in its beginning. */
float running_share(const struct optimizer *o, uint32_t step);

#ifdef __cplusplus
}
#endif

#endif
