/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Continuous Deployment does with a candidate: pure, from its settings and from what the evaluation
 * found on the frozen test pictures. docs/internals/loop.md
 */
#ifndef GYRE_LEARN_GATE_H
#define GYRE_LEARN_GATE_H

#include "base/arena.h"
#include "base/err.h"
#include "store/pipeline_rows.h"

#define GATE_IMAGES_MIN 30  /* fewer test pictures say nothing */
#define GATE_OBJECTS_MIN 30 /* of a class, to be looked at alone */

struct gate_question {
	const struct continuous_deployment_row *settings; /* NULL: not set */
	bool serving;                                     /* false: the deployment predicts elsewhere */
	const char *evaluation;                           /* JSON of the training; NULL: there is none */
	int64_t version;                                  /* the candidate's number */
};

#define GATE_SHADOW "SHADOW"
#define GATE_CHAMPION "CHAMPION"
#define GATE_MANUAL "MANUAL"
#define GATE_HELD "HELD" /* a shadow, with the reason */
#define GATE_NONE "NONE"

struct gate_decision {
	const char *what;     /* GATE_… */
	const char *sentence; /* in the arena */
};
enum status gate_decide(const struct gate_question *q, struct arena *a, struct gate_decision *out,
	struct err *err) MUST_CHECK;

/* The smallest drop of a class (0…1) that so many test pictures can tell from chance, 19 times of 20, for two
 * models that are right on four of five and err together half the time: 1.96 sqrt(0.16 / n). Below 0: none.
 */
double gate_sees(int64_t images);

#endif
