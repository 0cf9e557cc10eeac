/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job.json: what is to be trained, on what, and how. Read strictly, so that a wrong job is refused before any
 * work, with a sentence that names the key. docs/trainers.md describes it for those who write trainers.
 */
#ifndef GYRE_TRAINER_JOB_H
#define GYRE_TRAINER_JOB_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/arena.h"
#include "base/err.h"
#include "task/recipe.h"
#include "task/task.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOB_EPOCHS_MAX 10000
#define JOB_BATCH_MAX 1024
#define JOB_THREADS_MAX 256

enum job_optimizer { JOB_ADAMW, JOB_SGD };

/* Annotations in COCO's form, and the folder that their file names are relative to; paths as the job has
 * them. */
struct job_data {
	const char *annotations; /* NULL: there is none */
	const char *images;
};

struct job {
	const char *id;
	enum task task;
	const char *base_file; /* NULL: a new model by arch */
	const char **base_labels;
	size_t base_label_count;
	struct recipe recipe; /* of the model that is trained: the base's, or the arch's once that is made */
	const char *arch;     /* NULL: base_file */
	const char **labels;  /* of the result, in order */
	size_t label_count;
	uint32_t width, height; /* of an arch's input; 0: the trainer chooses */

	uint32_t epochs;      /* at least 1 */
	double learning_rate; /* 0: the trainer's default, as below */
	uint32_t batch;       /* 0 */
	enum job_optimizer optimizer;
	double weight_decay; /* below 0: the default */
	uint32_t patience;   /* epochs without a better one after which it ends; 0: the default */
	uint64_t seed;
	bool freeze; /* train the head alone */
	bool augment;

	struct job_data train, val; /* val may be none: then a part of train is split off */
	uint32_t threads;
	int64_t time_limit_s; /* 0: none */
};

/* What job.json says, then what the environment says (GYRE_EPOCHS, GYRE_LR, GYRE_BATCH, GYRE_SEED,
 * GYRE_THREADS), which wins. ST_INVALID, ST_MISSING. Everything lives in the arena. */
enum status job_read(const char *path, struct arena *a, struct job *out, struct err *err) MUST_CHECK;
/* As job_read, of a text, without the environment. */
enum status job_parse(struct span text, struct arena *a, struct job *out, struct err *err) MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
