/* SPDX-License-Identifier: Apache-2.0 */
#include "api/deployment_swap.h"

#include "api/deployment_json.h"
#include "api/live.h"
#include "api/training_data.h"
#include "os/log.h"
#include "shadow/shadows.h"

static void refresh_shadows(struct api *api, struct uuid deployment_id)
{
	struct err err;
	if (shadows_refresh(api->shadows, deployment_id, &err) != ST_OK)
		log_err("shadows_not_refreshed", &err);
}

void deployment_swapped(void *arg, struct uuid deployment_id, const char *who)
{
	struct api *api = arg;
	refresh_shadows(api, deployment_id);
	training_data_follow(api, deployment_id, who);
	live_changed(api, deployment_id);
}

void deployment_shadow_changed(void *arg, struct uuid deployment_id, const char *who)
{
	struct api *api = arg;
	refresh_shadows(api, deployment_id);
	training_data_shadow(api, deployment_id, who);
	live_changed(api, deployment_id);
}

enum status deployment_swap_by_itself(void *arg, const struct swap *swap, struct err *err)
{
	struct api *api = arg;
	const struct swap_hooks hooks = {api, deployment_swapped};
	return swap_run(api->roster, api->readers, api->recorder, &hooks, swap, err);
}

enum status deployment_swap_run(struct http_request *req, struct http_reply *reply, struct uuid id,
	struct swap *swap, struct err *err)
{
	struct api *api = api_of(req);
	struct model *model;
	swap->deployment_id = id;
	swap->who = caller_of(req)->user_name;
	TRY(swap_prepare(api->roster, api->readers, swap, &model, err));
	enum status st = api_write(req, "deployment.model", id, swap_job, swap, err);
	if (st == ST_OK)
		st = roster_serve(api->roster, id, model, err);
	if (model)
		model_drop(model);
	TRY(st);
	deployment_swapped(api, id, swap->who);
	return deployment_reply(req, reply, id, err);
}
