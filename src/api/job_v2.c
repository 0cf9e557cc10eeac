/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in the SDK's second vocabulary, which trainings use: the same rows, other words for a status. */
#include "api/job_json.h"
#include "api/nouns.h"
#include "api/training_json.h"
#include "base/check.h"
#include "jobs/jobs.h"

static const char *status_v2(const char *status)
{
	static const struct {
		const char *one, *two;
	} words[] = {{"RUNNING", "RUNNING"}, {"SUCCESS", "SUCCEEDED"}, {"FAILED", "FAILED"},
		{"TERMINATED", "KILLED"}};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcmp(words[i].one, status) == 0)
			return words[i].two;
	return "FAILED";
}

/* A training is such a job, by its own id. */
static enum status find_training(
	struct http_request *req, struct uuid id, struct training_row *row, bool *found, struct err *err)
{
	API_READER reader = {0};
	TRY(api_read(req, &reader, err));
	enum status st = training_rows_by_id(reader.conn, id, req->arena, row, err);
	*found = st == ST_OK;
	return st == ST_MISSING ? ST_OK : st;
}

static enum status reply_job(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	struct job_row row;
	struct training_row training;
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root;
	bool found;
	TRY(find_training(req, id, &training, &found, err));
	if (found) {
		TRY(training_job_json(req, doc, &training, &root, err));
	} else {
		TRY(jobs_get(api_of(req)->jobs, id, req->arena, &row, err));
		row.status = status_v2(row.status);
		root = job_json(doc, &row, req->arena);
	}
	yyjson_mut_doc_set_root(doc, root);
	return http_reply_json(req, reply, doc);
}

enum status api_job_v2_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "job", &id, err));
	return reply_job(req, reply, id, err);
}

enum status api_job_v2_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	const char *text;
	TRY(api_check_organization(req, err));
	TRY(api_query_text(req, "id", &text, err));
	if (!uuid_parse(text, &id))
		return err_set(err, ST_MISSING, "There is no job with the id %.100s.", text);
	return reply_job(req, reply, id, err);
}
