/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change to a deployment: read its row inside the writer's transaction, change
 * it, note it in the history; then let the roster serve what the row says, shadows follow, tell the
 * pages and answer with the deployment.
 */
#ifndef GYRE_API_DEPLOYMENT_CHANGE_H
#define GYRE_API_DEPLOYMENT_CHANGE_H

#include "api/api.h"
#include "deploy/model.h"
#include "store/deployment_rows.h"

struct deployment_change {
	struct deployment_row row; /* id is set by the caller; the rest read by _begin */
	const char *who;
	struct arena arena; /* of the row's texts */
};

/* In the job: read the row. */
enum status deployment_change_begin(
	struct db_conn *c, struct deployment_change *change, struct err *err) MUST_CHECK;
/* In the job: a line of the history. */
enum status deployment_change_event(struct db_conn *c, struct deployment_change *change, const char *what,
	const char *from, const char *to, struct err *err) MUST_CHECK;
/* The whole change. job gets change as its argument; model: the new champion, held by the caller, or NULL. */
enum status deployment_change_run(struct http_request *req, struct http_reply *reply, const char *action,
	struct uuid id, recorder_job *job, struct deployment_change *change, struct model *model,
	struct err *err) MUST_CHECK;

#endif
