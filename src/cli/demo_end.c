/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's end: back and forth, where an answer comes from, and taking it all away again. */
#include "base/check.h"
#include "cli/demo_inside.h"

#include <inttypes.h>

#define PICTURES 10
#define DELETED_AT_ONCE 200

enum status demo_step_back(struct demo *d, struct err *err)
{
	yyjson_val *answer;
	int64_t failed = d->failed;
	demo_open_page(d, "/deployment/%s/history", d->state.deployment);
	TRY(demo_pictures(d, PICTURES, 0, NULL, err));
	TRY(demo_call(d, "POST",
		arena_printf(&d->client.arena, "{\"model_version_id\":\"%s\"}", d->state.first), &answer, err,
		"/api/deployment/%s/model", d->state.deployment));
	TRY(demo_pictures(d, PICTURES, 0, NULL, err));
	TRY(demo_call(d, "POST",
		arena_printf(&d->client.arena, "{\"model_version_id\":\"%s\"}", d->state.second), &answer,
		err, "/api/deployment/%s/model", d->state.deployment));
	TRY(demo_pictures(d, PICTURES, 0, NULL, err));
	demo_tell(d, "back_and_forth",
		arena_printf(&d->client.arena, "\"pictures\":%d,\"failed\":%" PRId64, 3 * PICTURES,
			d->failed - failed),
		"Back and forth over %d pictures: %" PRId64 " failed.", 3 * PICTURES, d->failed - failed);
	return ST_OK;
}

/* ---- why ---- */

static const char *names_of(struct demo *d, yyjson_val *list)
{
	const char *text = "";
	yyjson_val *item;
	size_t i, n;
	yyjson_arr_foreach (list, i, n, item)
		text = arena_printf(&d->client.arena, "%s%s%s version %s (%" PRId64 " pictures)", text,
			i ? ", " : "", demo_text(item, "/dataset"), demo_text(item, "/version"),
			demo_int(item, "/images_now"));
	return text;
}

enum status demo_step_why(struct demo *d, struct err *err)
{
	yyjson_val *page, *l;
	TRY(demo_call(d, "GET", NULL, &page, err,
		"/api/deployment/%s/predictedassets?limit=1&order_by=-created_at", d->state.deployment));
	yyjson_val *asset = yyjson_arr_get_first(yyjson_obj_get(page, "items"));
	const char *id = demo_text(asset, "/predictions/0/id");
	TRY(demo_call(d, "GET", NULL, &l, err, "/api/prediction/%s/lineage", id));
	demo_tell(d, "lineage", arena_printf(&d->client.arena, "\"prediction\":\"%s\"", id),
		"gyre why %s: %" PRId64 " shapes on %s, by %s version %" PRId64
		", made by %s in project %s from %s.",
		id, demo_int(l, "/prediction/shapes"), demo_text(l, "/image/filename"),
		demo_text(l, "/model_version/model"), demo_int(l, "/model_version/version"),
		demo_text(l, "/experiment/name"), demo_text(l, "/experiment/project"),
		names_of(d, yyjson_obj_get(l, "trained_on")));
	return ST_OK;
}

/* ---- Remove demo ---- */

static enum status delete_if_there(struct demo *d, const char *path, const char *id, struct err *err)
{
	yyjson_val *answer;
	if (*id == '\0')
		return ST_OK;
	enum status st = demo_call(d, "DELETE", NULL, &answer, err, "%s%s", path, id);
	return st == ST_MISSING ? ST_OK : st;
}

/* Snapshots are locked, so that what was trained on stays as it was: here it shall go. */
static enum status unlock_versions(struct demo *d, struct err *err)
{
	yyjson_val *page, *version, *answer;
	size_t i, n;
	if (d->state.dataset[0] == '\0')
		return ST_OK;
	enum status st = demo_call(
		d, "GET", NULL, &page, err, "/api/dataset/%s/versions?limit=1000", d->state.dataset);
	if (st != ST_OK)
		return st == ST_MISSING ? ST_OK : st;
	yyjson_arr_foreach (yyjson_obj_get(page, "items"), i, n, version) {
		if (yyjson_is_true(yyjson_obj_get(version, "locked")))
			TRY(demo_call(d, "POST", "{}", &answer, err, "/api/dataset/version/%s/unlock",
				demo_text(version, "/id")));
	}
	return ST_OK;
}

enum status demo_remove(struct demo *d, struct err *err)
{
	const struct demo_state *s = &d->state;
	if (s->step == 0 && s->dataset[0] == '\0')
		return err_set(err, ST_MISSING, "There is no demo in this data folder.");
	TRY(delete_if_there(d, "/api/deployment/", s->deployment, err));
	TRY(delete_if_there(d, "/api/project/", s->project, err));
	TRY(delete_if_there(d, "/api/model/", s->model, err));
	TRY(unlock_versions(d, err));
	TRY(delete_if_there(d, "/api/dataset/", s->dataset, err));
	TRY(delete_if_there(d, "/api/user/", s->robot, err));
	TRY(demo_state_forget(d, err));
	demo_tell(
		d, "removed", NULL, "The demo's deployment, project, model, dataset and reviewer are gone.");
	return ST_OK;
}
