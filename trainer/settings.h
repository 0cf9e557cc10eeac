/* SPDX-License-Identifier: Apache-2.0 */
/* What a run uses where its job leaves the choice to the trainer; and what makes two runs the same. */
#ifndef GYRE_TRAINER_SETTINGS_H
#define GYRE_TRAINER_SETTINGS_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/hash.h"
#include "trainer/augment.h"
#include "trainer/job.h"

struct settings {
	double learning_rate, weight_decay;
	uint32_t batch, patience;
	struct augment how; /* where the job wants augmentation */
};

/* job->recipe is that of the model that is trained. */
void settings_choose(const struct job *job, size_t train_images, struct settings *out);
/* Steps of the run in which the learning rate rises. */
uint32_t settings_warm_up(uint32_t batches, uint32_t epochs);
/* Epochs in which four pictures may become one; the rest sees whole ones, as the server will. */
uint32_t settings_mosaic_epochs(uint32_t epochs);
/* Of a new model, where the job names none. */
void input_size_default(struct job *job);
/*
 * Threads that compute: one less than the job has, as one more makes the next batches. Small pictures are too
 * little work to share. Threads that share a layer wait for each other at its end, and on cores that others
 * use too they wait long: of 2 threads on 2 cores the gain was 1.3 times at best, the loss 4 times and more
 * (docs/decisions/0103).
 */
uint32_t settings_threads(const struct job *job);
/* Bytes of pixels that may be kept in memory: a quarter of what is free, at most 2 GiB. */
int64_t cache_bytes(void);

/* A hash over all that the result depends on but the number of threads: settings, the model's bytes,
 * annotations. */
enum status settings_fingerprint(const struct job *job, const struct settings *s, struct span model,
	struct sha256 *out, struct err *err) MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
