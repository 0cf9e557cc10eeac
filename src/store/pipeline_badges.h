/* SPDX-License-Identifier: Apache-2.0 */
/* The four parts of a deployment's pipeline, each in a word, for lists of deployments: one look, no reading
 * of what they are set to. */
#ifndef GYRE_STORE_PIPELINE_BADGES_H
#define GYRE_STORE_PIPELINE_BADGES_H

#include "store/db.h"

/* "off", "on", "working", or "problem": somebody has to do something. */
struct pipeline_badges {
	const char *training_data, *feedback_loop, *continuous_training, *continuous_deployment;
};

/* In the arena. A deployment that is not there has everything off. */
enum status pipeline_badges_read(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct pipeline_badges *out, struct err *err) MUST_CHECK;

#endif
