/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shadow of a deployment, set and removed: by a person, by Continuous Deployment, or as the champion
 * before. All in a job of the recorder, with a line of the history; then shadows are refreshed.
 */
#ifndef GYRE_DEPLOY_SHADOW_SET_H
#define GYRE_DEPLOY_SHADOW_SET_H

#include "store/deployment_rows.h"
#include "store/shadow_rows.h"

struct shadow_wish {
	struct uuid version_id;
	bool from_start;         /* of the log; else from now on */
	const char *role;        /* SHADOW_…; NULL: a person's */
	const char *reason;      /* a sentence; NULL: a person's wish */
	struct uuid training_id; /* zero: none */
	int64_t until_us;        /* 0: it stays */
	const char *who;
	int64_t now_us;
};

/* The version follows. ST_CONFLICT: not ready, of another type, the champion, a shadow already. */
enum status shadow_set(struct db_conn *c, const struct deployment_row *row, const struct shadow_wish *wish,
	struct arena *a, struct err *err) MUST_CHECK;
/* ST_MISSING: it is none. why: a sentence, or NULL. */
enum status shadow_unset(struct db_conn *c, const struct deployment_row *row, struct uuid version_id,
	const char *who, const char *why, int64_t now_us, struct arena *a, struct err *err) MUST_CHECK;
/* ST_MISSING, saying that the version is no shadow of the deployment. */
enum status shadow_set_missing(struct db_conn *c, const struct deployment_row *row, struct uuid version_id,
	struct arena *a, struct err *err) MUST_CHECK;

#endif
