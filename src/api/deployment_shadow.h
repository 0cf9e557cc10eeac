/* SPDX-License-Identifier: Apache-2.0 */
/* Shadows of a deployment: what changes of it share. */
#ifndef GYRE_API_DEPLOYMENT_SHADOW_H
#define GYRE_API_DEPLOYMENT_SHADOW_H

#include "api/deployment_change.h"

/*
 * In the job of a change whose row was read: the version follows from now on, or from the start of the log;
 * with a line of the history. ST_CONFLICT: not ready, of another type, the champion, a shadow already.
 */
enum status deployment_shadow_insert(struct db_conn *c, struct deployment_change *change,
	struct uuid version_id, bool from_start, struct err *err) MUST_CHECK;

/* The members "shadows" and "shadow_model_version_id" (the newest's) of a deployment, and "mean_cpu_ms" of
 * its champion, over the images that the newest shadow saw too. */
enum status deployment_shadow_json(struct http_request *req, struct db_conn *c, struct uuid deployment_id,
	yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_val *champion, struct err *err) MUST_CHECK;

#endif
