/* SPDX-License-Identifier: Apache-2.0 */
/* Inside serve/ only: the state that the steps pass on. */
#ifndef GYRE_SERVE_RUN_H
#define GYRE_SERVE_RUN_H

#include "predict/predict.h"
#include "serve/pipeline.h"

struct serve {
	struct serve_options options;
	struct budget pixel_budget;
};

struct run {
	struct serve *serve;
	const struct serve_request *request;
	struct service *service;              /* pinned by receive */
	const struct serve_observation *seen; /* predicted elsewhere; NULL: here */
	enum step step;                       /* the one that runs, or ended it */
	int64_t at_us;                        /* Unix, when that was */
	bool unkept;                          /* its numbers are recorded, its image is not */
	struct prediction prediction;
	struct predicted_row row; /* as recorded, or as found again by its key */
	uint8_t body_sha256[32];  /* of the image, when there is a key */
	bool replayed;            /* found by its key: straight to respond */
	int64_t step_us[STEP_COUNT];
	int64_t total_us; /* from the head of the request to respond */
	struct span answer;
};

#define STEP(id, name, function, help) enum status function(struct run *run, struct err *err);
#include "serve/steps.def"
#undef STEP

/*
 * The first answer of a key that was used before with the same image, into run->row: run->replayed says
 * whether there is one. ST_CONFLICT with another image.
 */
enum status serve_find_by_key(struct run *run, struct err *err) MUST_CHECK;
/* The same before anything is done: the key itself is checked too. */
enum status serve_look_up_key(struct run *run, struct err *err) MUST_CHECK;

/* Tells of a run that ended with an error. */
void serve_tell_failed(const struct run *run, const struct err *err);

/* Whether shape i is part of an answer. */
bool serve_shape_shown(const struct shapes *shapes, size_t i, double threshold);

/* What the steps took so far, as JSON {"decode": 5000, …} in microseconds. */
const char *serve_steps_json(const struct run *run, struct arena *a);

#endif
