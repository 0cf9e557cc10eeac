/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which recipe is the right one? All that a model could plausibly need (recipe_candidates) are run over
 * pictures whose truth is known, by the steps that serve, and ranked by how right they are.
 */
#ifndef GYRE_LEARN_CHECK_H
#define GYRE_LEARN_CHECK_H

#include "learn/measure.h"
#include "predict/trial.h"

#define CHECK_PICTURES_MIN 20
#define CHECK_PICTURES_MAX 500
/* With more pictures than this, the others are only seen by the recipes that are best on these. */
#define CHECK_FIRST_PICTURES 60
#define CHECK_FINALISTS 8

struct check_picture {
	const char *name;
	struct span bytes; /* of the file */
	struct truth truth;
};

struct check_options {
	const struct model *model; /* held by the caller: best one of its own, as runs take all its seats */
	const struct check_picture *pictures;
	size_t picture_count; /* 1…CHECK_PICTURES_MAX */
	const bool *labels;   /* which labels are measured: recipe_label_count(the model's own recipe) */
	unsigned threads;
	uint64_t pixel_bytes_max; /* of decoded pictures that are kept; others are decoded each time */
	/* Asked and told on any thread. */
	bool (*cancelled)(void *arg);
	void (*progress)(void *arg, double part, const char *message);
	void *arg;
};

struct check_row {
	struct recipe recipe;
	double value, value50, certainty; /* measure.h */
	size_t pictures;                  /* it was measured on */
	bool current;                     /* the model's own recipe */
};

struct check_result {
	size_t pictures;        /* that could be read */
	struct check_row *rows; /* best first; recipes on which the model failed are left out */
	size_t row_count;
	const char *
		*problems; /* sentences: pictures that could not be read, recipes on which the model failed */
	size_t problem_count;
};

/*
 * Everything in *out lives in the arena. ST_UNPROCESSABLE: fewer than CHECK_PICTURES_MIN can be read.
 * ST_FAILED: the model fails whatever the recipe. ST_UNAVAILABLE: it was cancelled.
 */
enum status check_run(
	const struct check_options *o, struct arena *a, struct check_result *out, struct err *err) MUST_CHECK;

/*
 * The order of rows. A value that is worse by more than chance makes of few pictures comes behind: 0.02 of an
 * AP or IoU on 20 pictures, less on more; one picture of a classifier's, or half a percent. Of those that are
 * equal by that, those with the usual scaling come first (or with one that does not spread wider and is surer
 * by far); then the surer; then what models of the layout usually take. Of recipes with the very same answers
 * the current one comes first, then the one that changes least: rows come as recipe_candidates() lists them,
 * evidence beside them. Those measured on fewer pictures rank behind.
 */
void check_rank(struct check_row *rows, const uint64_t *evidence, size_t count);

#endif
