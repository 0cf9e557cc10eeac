/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON form of an experiment, and what the files about its parts share. */
#ifndef GYRE_API_EXPERIMENT_JSON_H
#define GYRE_API_EXPERIMENT_JSON_H

#include "api/api.h"
#include "store/experiment_rows.h"

yyjson_mut_val *experiment_json(yyjson_mut_doc *doc, const struct experiment_row *row);
/* Answer with the experiment as it is now. */
enum status experiment_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err) MUST_CHECK;

/* Writes a log by its name: another of that name and kind is replaced, a LINE grows. ST_CONFLICT: keep is
 * true, or the kinds differ, and there is one. */
enum status experiment_log_put(struct db_conn *c, struct experiment_log_row *log, bool keep, struct arena *a,
	struct err *err) MUST_CHECK;

/*
 * What an experiment has from what it starts from, where it has nothing of its own yet: "labelmap",
 * "parameters" and artifacts (the files of a model version).
 */
enum status experiment_inherit(struct db_conn *c, struct uuid experiment_id, struct uuid base_experiment_id,
	struct arena *a, struct err *err) MUST_CHECK;
enum inherit_parameters { INHERIT_WHERE_NONE, INHERIT_ALWAYS, INHERIT_NEVER };
enum status experiment_inherit_version(struct db_conn *c, struct uuid experiment_id, struct uuid version_id,
	enum inherit_parameters parameters, struct arena *a, struct err *err) MUST_CHECK;

#endif
