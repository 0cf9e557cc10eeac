/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as it stands, in one file: what it takes to go on as if nothing had happened. Written whole, renamed
 * into place, with a hash at its end; of this machine's byte order, as nobody else reads it.
 */
#ifndef GYRE_TRAINER_CHECKPOINT_H
#define GYRE_TRAINER_CHECKPOINT_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"

#include <stddef.h>
#include <stdint.h>

#define CHECKPOINT_LOSSES_MAX 8

/* Plain numbers; all of them are written as they lie. */
struct progress {
	uint32_t epoch, batch;                      /* that come next: epochs from 1, batches from 0 */
	uint32_t step;                              /* optimizer steps done */
	uint32_t skipped;                           /* steps in a row without a finite loss */
	uint32_t best_epoch;                        /* 0: the start model */
	uint32_t has_best;                          /* else nothing was judged yet */
	uint32_t stale;                             /* epochs since a better one */
	uint32_t loss_count;                        /* of losses */
	double best, metric_start;                  /* NaN: none */
	double loss, losses[CHECKPOINT_LOSSES_MAX]; /* sums over the steps of this epoch that counted */
	uint32_t counted;                           /* how many */
	uint32_t unused;
	double seconds; /* worked so far */
};

struct checkpoint_part {
	float *values;
	size_t count;
};

struct checkpoint {
	struct sha256 job; /* of all that the run depends on */
	struct progress progress;
	const char *history; /* the epochs' events */
	const char *metrics; /* of the best one, as JSON members */
	const struct checkpoint_part *parts;
	size_t part_count;
};

enum status checkpoint_write(const char *path, const struct checkpoint *c, struct err *err) MUST_CHECK;
/*
 * Fills progress, history, metrics (arena memory) and the parts' values; c->job, parts and part_count say
 * what is expected. ST_MISSING: there is none; ST_CONFLICT: it is of another job, or damaged; then nothing is
 * filled.
 */
enum status checkpoint_read(
	const char *path, struct arena *a, struct checkpoint *c, struct err *err) MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
