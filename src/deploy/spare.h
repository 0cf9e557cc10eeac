/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model that is open though no deployment has it: the one that was last tried, for a
 * minute, so that a person who turns one knob after another does not wait for the
 * model each time. One at a time; whoever wants another one closes it.
 */
#ifndef GYRE_DEPLOY_SPARE_H
#define GYRE_DEPLOY_SPARE_H

#include "deploy/roster.h"

#define SPARE_US_MAX 60000000 /* since it was last asked for */

struct spare;

/* keep_us: how long a model is kept, 0 for SPARE_US_MAX. */
struct spare *spare_new(struct db_readers *readers, struct roster *roster, int64_t keep_us);
void spare_free(struct spare *s); /* nobody may be asking any more */

/*
 * The version as its row is now, loaded and held for the caller: the one that a deployment has, the one kept
 * here, or opened anew (up to the load time-out; one is opened at a time). ST_MISSING, ST_CONFLICT as
 * roster_model().
 */
enum status spare_model(
	struct spare *s, struct uuid version_id, struct model **out, struct err *err) MUST_CHECK;
/* A run of this model failed: if it is the one kept here it is not kept longer, so that the next who asks has
 * a process that is sound. */
void spare_failed(struct spare *s, const struct model *model);

#endif
