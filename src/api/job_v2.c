/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs in the SDK's second vocabulary, which trainings use: the same rows, other words for a status. */
#include "api/job_json.h"
#include "api/nouns.h"
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

static enum status reply_job(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	struct job_row row;
	TRY(jobs_get(api_of(req)->jobs, id, req->arena, &row, err));
	row.status = status_v2(row.status);
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, job_json(doc, &row, req->arena));
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
