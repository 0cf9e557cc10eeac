/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of a training, and what open pages are told of it. */
#ifndef GYRE_API_TRAINING_JSON_H
#define GYRE_API_TRAINING_JSON_H

#include "api/api.h"
#include "store/training_rows.h"

enum status training_json(const struct api *api, struct db_conn *c, yyjson_mut_doc *doc,
	const struct training_row *row, struct arena *a, yyjson_mut_val **out, struct err *err) MUST_CHECK;
/* Answer with the training as it is now. */
enum status training_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err) MUST_CHECK;
/* ST_UNSUPPORTED with the sentence that says what to install: there is no trainer. */
enum status training_check_trainer(struct http_request *req, struct err *err) MUST_CHECK;

/* A training changed, or its console got a line (training_hooks; arg is the struct api). */
void training_changed(void *arg, const struct training_row *row);
/* Its stage reference (the same). */
enum status training_reference(
	void *arg, const struct training_row *row, bool begin, bool *there, struct err *err) MUST_CHECK;
void training_logged(void *arg, const struct training_row *row, const char *entry);

const char *training_job_status(const char *status); /* the same words for a status: WAITING is PENDING */
/* A training in the words of the SDK's second kind of job. */
enum status training_job_json(struct http_request *req, yyjson_mut_doc *doc, const struct training_row *row,
	yyjson_mut_val **out, struct err *err) MUST_CHECK;

#endif
