/* SPDX-License-Identifier: Apache-2.0 */
/* Training Data as JSON: what is set, and how far its reference is. */
#ifndef GYRE_API_TRAINING_DATA_JSON_H
#define GYRE_API_TRAINING_DATA_JSON_H

#include "api/api.h"
#include "store/deployment_rows.h"
#include "store/reference_rows.h"
#include "store/training_data_rows.h"

struct training_data {
	struct deployment_row deployment;
	bool set;
	struct training_data_row row;   /* when set */
	bool has_reference;             /* … */
	struct reference_row reference; /* the newest one of the champion, whatever its status */
	bool ready;                     /* there is a READY one */
	double progress;                /* of a job, or of images that are waited for: 0…1 */
	const char *status;             /* "NOT_SET", "DISABLED", "RUNNING", "SUCCESS", "FAILED" */
	const char *message;            /* what it waits for or does, why it failed; or NULL */
};
enum status training_data_read(struct http_request *req, struct db_conn *c, struct uuid deployment_id,
	struct training_data *out, struct err *err) MUST_CHECK;
enum status training_data_reply(struct http_request *req, struct http_reply *reply, struct uuid deployment_id,
	struct err *err) MUST_CHECK;

#endif
