/* SPDX-License-Identifier: Apache-2.0 */
#include "api/deployment_change.h"

#include "api/deployment_json.h"
#include "api/live.h"
#include "deploy/roster.h"
#include "os/clock.h"
#include "shadow/shadows.h"

enum status deployment_change_begin(struct db_conn *c, struct deployment_change *change, struct err *err)
{
	return deployment_rows_by_id(c, change->row.id, &change->arena, &change->row, err);
}

enum status deployment_change_event(struct db_conn *c, struct deployment_change *change, const char *what,
	const char *from, const char *to, struct err *err)
{
	struct deployment_event_row event = {
		.at_us = clock_unix_us(), .what = what, .who = change->who, .from = from, .to = to};
	return deployment_rows_add_event(c, change->row.id, &event, err);
}

enum status deployment_change_run(struct http_request *req, struct http_reply *reply, const char *action,
	struct uuid id, recorder_job *job, struct deployment_change *change, struct model *model,
	struct err *err)
{
	struct api *api = api_of(req);
	change->who = caller_of(req)->user_name;
	change->row.id = id;
	arena_init(&change->arena);
	enum status st = api_write(req, action, id, job, change, err);
	arena_release(&change->arena);
	TRY(st);
	TRY(roster_serve(api->roster, id, model, err));
	TRY(shadows_refresh(api->shadows, id, err));
	live_changed(api, id);
	return deployment_reply(req, reply, id, err);
}
