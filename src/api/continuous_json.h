/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON forms of Continuous Training and Continuous Deployment. */
#ifndef GYRE_API_CONTINUOUS_JSON_H
#define GYRE_API_CONTINUOUS_JSON_H

#include "api/api.h"
#include "store/training_rows.h"

/* Answer with how it stands now. */
enum status continuous_training_reply(struct http_request *req, struct http_reply *reply,
	struct uuid deployment_id, struct err *err) MUST_CHECK;

/* Why nothing can be trained here, as a sentence; NULL: there is a trainer. */
const char *continuous_no_trainer(struct http_request *req);

/* A training was opened, or its end counted (of struct loop_options; arg is the struct api). */
void continuous_training_changed(void *arg, struct uuid deployment_id);
/* For learn/loop.h's ended: a failure opens alerts, a success closes them. */
enum status continuous_training_alert(void *arg, struct db_conn *c, const struct training_row *row,
	int64_t now_us, struct err *err) MUST_CHECK;
/* A training ended: the loop looks (of struct training_hooks; arg is the struct api). */
void continuous_training_ended(void *arg, const struct training_row *row);

#endif
