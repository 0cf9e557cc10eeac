/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another champion for a deployment: by a person, by Continuous Deployment, or back. Load, warm up and check
 * (model_open does), commit, flip, drain: no request fails (docs/internals/… the roster).
 */
#ifndef GYRE_DEPLOY_SWAP_H
#define GYRE_DEPLOY_SWAP_H

#include "deploy/roster.h"
#include "store/recorder.h"

struct swap {
	struct uuid deployment_id, version_id;
	const char *what;                 /* of the history: "deployed", "rolled_back", "promoted" */
	const char *who;                  /* a person, or "gyre" */
	const char *why;                  /* the rule, as a sentence; NULL: a person's wish */
	bool from_shadow;                 /* it must be a shadow of the deployment */
	bool keep_as_shadow;              /* the champion before follows on, from now … */
	int64_t keep_until_us;            /* … until then; 0: until somebody removes it */
	bool by_itself;                   /* refused (ST_CONFLICT) for a version that was rolled back */
	struct uuid expected_champion_id; /* ST_CONFLICT when another answers by now; zero: whichever */
};

/* What others have to know afterwards; wired by the composition root. Any may be NULL. */
struct swap_hooks {
	void *arg;
	void (*swapped)(void *arg, struct uuid deployment_id); /* shadows, Training Data, live pages */
};

/* ST_OK too when it is the champion already. */
enum status swap_run(struct roster *roster, struct db_readers *readers, struct recorder *recorder,
	const struct swap_hooks *hooks, const struct swap *swap, struct err *err) MUST_CHECK;

#endif
