/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of a job, and what open pages are told of it. */
#ifndef GYRE_API_JOB_JSON_H
#define GYRE_API_JOB_JSON_H

#include "api/api.h"
#include "store/job_rows.h"

yyjson_mut_val *job_json(yyjson_mut_doc *doc, const struct job_row *row, struct arena *a);

/* Something of a job changed (the `changed` of jobs_options; arg is the struct api): who listens to its
 * channel gets the whole job, but for a result that is too large for an event. */
void job_changed(void *arg, const struct job_row *row);

#endif
