/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of a deployment's Feedback Loop. */
#ifndef GYRE_API_FEEDBACK_JSON_H
#define GYRE_API_FEEDBACK_JSON_H

#include "api/api.h"
#include "learn/feedback.h"

/* [{"dataset_version": {…}, "since"}] */
enum status feedback_targets_json(struct http_request *req, struct db_conn *c, yyjson_mut_doc *doc,
	const struct feedback *f, yyjson_mut_val **out, struct err *err) MUST_CHECK;
/* The whole loop, as it is now. */
enum status feedback_reply(struct http_request *req, struct http_reply *reply, struct uuid deployment_id,
	struct err *err) MUST_CHECK;

/* Pictures were submitted (a submitter_submitted function; arg is the struct api): pages are told. */
void feedback_submitted(void *arg, struct uuid deployment_id, const struct uuid *ids, size_t count);

#endif
