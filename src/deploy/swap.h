/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another champion for a deployment: by a person, by Continuous Deployment, or back. Load, warm up and check
 * (model_open does), commit, flip, drain: no request fails. Whatever it was promoted from, the new champion
 * is no shadow any more, and the other shadows are compared with it from now on.
 */
#ifndef GYRE_DEPLOY_SWAP_H
#define GYRE_DEPLOY_SWAP_H

#include "deploy/roster.h"
#include "store/recorder.h"

struct swap {
	struct uuid deployment_id, version_id;
	const char *what;                 /* of the history: SWAP_… */
	const char *who;                  /* a person, or "gyre" */
	const char *why;                  /* the rule, as a sentence; NULL: a person's wish */
	bool from_shadow;                 /* it must be a shadow of the deployment */
	bool keep_as_shadow;              /* the champion before follows on, from now … */
	int64_t keep_until_us;            /* … until then; 0: until somebody removes it */
	bool by_itself;                   /* refused (ST_CONFLICT) for a version that was rolled back */
	struct uuid expected_champion_id; /* ST_CONFLICT when another answers by now; zero: whichever */
	int64_t now_us;                   /* 0: the clock says */
};

#define SWAP_DEPLOYED "deployed"
#define SWAP_PROMOTED "promoted"
#define SWAP_BACK "rolled_back" /* what answered before is never deployed by itself again */

/* What others have to know afterwards; wired by the composition root. Any may be NULL. */
struct swap_hooks {
	void *arg;
	/* Shadows, Training Data, live pages. who: as in the swap. */
	void (*swapped)(void *arg, struct uuid deployment_id, const char *who);
};

/* ST_OK too when it is the champion already. */
enum status swap_run(struct roster *roster, struct db_readers *readers, struct recorder *recorder,
	const struct swap_hooks *hooks, const struct swap *swap, struct err *err) MUST_CHECK;

/* ---- its parts, for whoever writes more in the same transaction ---- */

/* Looked at before anything is loaded; then *model is the new champion, loaded and held, or NULL where the
 * deployment predicts elsewhere. */
enum status swap_prepare(struct roster *roster, struct db_readers *readers, const struct swap *swap,
	struct model **model, struct err *err) MUST_CHECK;
/* A job of the recorder, its argument a struct swap: the rows and the history. Afterwards roster_serve(). */
enum status swap_job(struct db_conn *c, void *arg, struct err *err) MUST_CHECK;

#endif
