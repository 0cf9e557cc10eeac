/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow loop: one thread that looks what Continuous Training and Continuous Deployment want now. A look is
 * a function of the database and of the time, and does each thing in one transaction, so it may be cut short
 * anywhere and be made again at any time (docs/internals/loop.md).
 */
#ifndef GYRE_LEARN_LOOP_H
#define GYRE_LEARN_LOOP_H

#include "deploy/swap.h"
#include "learn/continuous_training.h"
#include "learn/training.h"
#include "store/recorder.h"

struct loop;

struct loop_options {
	struct db_readers *readers;
	struct recorder *recorder;
	struct trainings *trainings; /* told of new ones; asked whether there is a trainer */
	void *arg;                   /* of what follows */
	/* Another champion: swap_run() with what it needs. */
	enum status (*swap)(void *arg, const struct swap *swap, struct err *err);
	/* A training of the deployment ended, which is counted now, once: in the same transaction. May be
	 * NULL. */
	training_end_counted *ended;
	/* The deployment has a shadow less. May be NULL. */
	void (*shadow_changed)(void *arg, struct uuid deployment_id, const char *who);
	/* A training was opened or its end counted: pages look again. May be NULL. */
	void (*changed)(void *arg, struct uuid deployment_id);
};

/* One look, at all deployments. What fails of one is logged and does not keep the others. now_us: Unix time.
 */
void loop_look(const struct loop_options *options, int64_t now_us);

struct loop *loop_new(const struct loop_options *options);
void loop_start(struct loop *l);
void loop_stop(struct loop *l);
void loop_free(struct loop *l);
/* Something was submitted, a training ended, a verdict changed: look soon. l may be NULL. */
void loop_poke(struct loop *l);

#endif
