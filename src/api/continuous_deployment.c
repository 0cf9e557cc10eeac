/* SPDX-License-Identifier: Apache-2.0 */
/* A deployment's Continuous Deployment: what becomes of a training's result. */
#include "api/api.h"
#include "api/continuous_json.h"
#include "api/live.h"
#include "api/nouns.h"
#include "learn/continuous_training.h"
#include "learn/gate.h"
#include "learn/loop.h"
#include "os/clock.h"

#include <inttypes.h>
#include <string.h>

#define DAY_S (24 * 3600)
#define KEEP_DAYS_MAX 3650

/* ---- how it stands ---- */

struct printing {
	struct http_request *req;
	struct db_conn *conn;
	yyjson_mut_doc *doc;
	yyjson_mut_val *root;
	struct continuous_deployment_row row;
	bool set;
	struct continuous_training training;
};

/* What the next candidate is measured on: all of "test", and what others keep to measure with. */
static int64_t test_images(const struct continuous_training *t)
{
	int64_t images = 0;
	for (size_t i = 0; i < t->dataset_count; i++)
		images += strcmp(t->datasets[i].name, "test") == 0 ? t->datasets[i].images
								   : t->datasets[i].evaluation;
	return images;
}

/* What people should know before they rely on it; NULL: nothing. */
static const char *note(const struct printing *p, int64_t images, double sees)
{
	struct arena *a = p->req->arena;
	bool champion = strcmp(p->row.policy, POLICY_CHAMPION) == 0;
	if (!p->training.deployment.serving && strcmp(p->row.policy, POLICY_MANUAL) != 0)
		return "This deployment predicts on your own infrastructure: whatever the policy, a new "
		       "version "
		       "waits for you.";
	if (!champion || !p->row.gate || p->training.dataset_count == 0)
		return NULL;
	if (images < GATE_IMAGES_MIN)
		return arena_printf(a,
			"There %s %" PRId64
			" test picture%s; with fewer than %d a new version becomes a shadow, as "
			"the gate could not tell.",
			images == 1 ? "is" : "are", images, images == 1 ? "" : "s", GATE_IMAGES_MIN);
	if (sees > p->row.tolerance)
		return arena_printf(a,
			"The test set is small: with %" PRId64
			" pictures a drop of %.0f points is the smallest that "
			"can be told from chance, and %.0f are tolerated. More pictures kept to measure with "
			"help.",
			images, 100 * sees, 100 * p->row.tolerance);
	return NULL;
}

static const char *state_text(const struct printing *p)
{
	if (!p->set)
		return "It is not set up yet: a new version is published, and that is all.";
	if (!p->row.active)
		return "It is switched off: a new version is published, and that is all.";
	if (strcmp(p->row.policy, POLICY_SHADOW) == 0)
		return p->row.promote_by_itself
			       ? "A new version becomes a shadow, and the champion when reviews "
				 "show that it is better."
			       : "A new version becomes a shadow.";
	if (strcmp(p->row.policy, POLICY_CHAMPION) == 0)
		return p->row.gate
			       ? "A new version becomes the champion when it passes the gate, else a shadow."
			       : "A new version becomes the champion.";
	return "A new version is published and waits for you.";
}

static enum status add_last(struct printing *p, struct err *err)
{
	const struct training_row *last = &p->training.last;
	struct model_version_row version;
	yyjson_doc *doc;
	yyjson_mut_obj_add_null(p->doc, p->root, "last");
	if (uuid_is_zero(last->id) || last->decision == NULL || uuid_is_zero(last->candidate_id))
		return ST_OK;
	TRY(json_parse(span_of_text(last->decision), p->req->arena, &doc, err));
	enum status st = model_rows_version_by_id(p->conn, last->candidate_id, p->req->arena, &version, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	yyjson_mut_obj_remove_key(p->root, "last");
	yyjson_mut_val *object = yyjson_val_mut_copy(p->doc, yyjson_doc_get_root(doc));
	yyjson_mut_obj_add_val(p->doc, p->root, "last", object);
	api_add_id(p->doc, object, "training_id", last->id);
	api_add_id(p->doc, object, "model_version_id", version.id);
	yyjson_mut_obj_add_int(p->doc, object, "version", version.version);
	return ST_OK;
}

static enum status print(struct printing *p, struct err *err)
{
	int64_t images = test_images(&p->training);
	double sees = gate_sees(images);
	const char *text = note(p, images, sees);
	bool on = p->set && p->row.active;
	yyjson_mut_obj_add_bool(p->doc, p->root, "set", p->set);
	yyjson_mut_obj_add_bool(p->doc, p->root, "active", on);
	api_add_text(p->doc, p->root, "policy", p->row.policy);
	yyjson_mut_obj_add_bool(p->doc, p->root, "gate", p->row.gate);
	yyjson_mut_obj_add_real(p->doc, p->root, "tolerance", p->row.tolerance);
	yyjson_mut_obj_add_bool(p->doc, p->root, "promote_by_itself", p->row.promote_by_itself);
	yyjson_mut_obj_add_real(p->doc, p->root, "keep_days", (double)p->row.keep_s / DAY_S);
	yyjson_mut_obj_add_str(p->doc, p->root, "state", !on ? "off" : text ? "problem" : "on");
	api_add_text(p->doc, p->root, "state_text", state_text(p));
	if (p->training.dataset_count > 0)
		yyjson_mut_obj_add_int(p->doc, p->root, "test_images", images);
	else
		yyjson_mut_obj_add_null(p->doc, p->root, "test_images");
	if (sees > 0)
		yyjson_mut_obj_add_real(p->doc, p->root, "sees", sees);
	else
		yyjson_mut_obj_add_null(p->doc, p->root, "sees");
	api_add_text(p->doc, p->root, "note", text);
	return add_last(p, err);
}

static enum status read_row(struct db_conn *c, struct uuid id, struct arena *a,
	struct continuous_deployment_row *row, bool *set, struct err *err)
{
	TRY(continuous_deployment_rows_get(c, id, a, row, set, err));
	if (!*set)
		*row = (struct continuous_deployment_row){.deployment_id = id,
			.policy = POLICY_SHADOW,
			.gate = true,
			.tolerance = TOLERANCE_DEFAULT,
			.keep_s = KEEP_S_DEFAULT};
	return ST_OK;
}

static enum status answer(struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct printing p = {.req = req};
	TRY(api_read(req, &reader, err));
	p.conn = reader.conn;
	p.root = api_object(req, &p.doc);
	TRY(continuous_training_read(p.conn, id, NULL, clock_unix_us(), req->arena, &p.training, err));
	TRY(read_row(p.conn, id, req->arena, &p.row, &p.set, err));
	TRY(print(&p, err));
	return http_reply_json(req, reply, p.doc);
}

enum status api_continuous_deployment_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "deployment", &id, err));
	return answer(req, reply, id, err);
}

/* ---- setting it ---- */

struct setting {
	struct http_request *req;
	yyjson_val *body;
	struct uuid deployment_id;
	bool toggles; /* "active" is required, and nothing else is read */
};

static enum status read_policy(yyjson_val *body, struct continuous_deployment_row *row, struct err *err)
{
	row->policy = NULL;
	TRY(json_text(body, "policy", &row->policy, err));
	if (row->policy &&
		(strcmp(row->policy, POLICY_SHADOW) == 0 || strcmp(row->policy, POLICY_CHAMPION) == 0 ||
			strcmp(row->policy, POLICY_MANUAL) == 0))
		return ST_OK;
	return err_set(err, ST_INVALID,
		"\"policy\" is DEPLOY_SHADOW, DEPLOY_CHAMPION or DEPLOY_MANUAL, not \"%.50s\".",
		row->policy ? row->policy : "");
}

static enum status read_body(yyjson_val *body, struct continuous_deployment_row *row, struct err *err)
{
	double keep_days = (double)row->keep_s / DAY_S;
	TRY(read_policy(body, row, err));
	TRY(json_bool(body, "gate", &row->gate, err));
	TRY(json_number(body, "tolerance", &row->tolerance, err));
	TRY(json_bool(body, "promote_by_itself", &row->promote_by_itself, err));
	TRY(json_number(body, "keep_days", &keep_days, err));
	if (!(row->tolerance >= 0 && row->tolerance <= 1))
		return err_set(
			err, ST_INVALID, "\"tolerance\" is a number from 0 to 1: how far a class may fall.");
	if (!(keep_days >= 0 && keep_days <= KEEP_DAYS_MAX))
		return err_set(
			err, ST_INVALID, "\"keep_days\" is a number of days from 0 to %d.", KEEP_DAYS_MAX);
	row->keep_s = (int64_t)(keep_days * DAY_S);
	return ST_OK;
}

static enum status write(struct db_conn *c, void *arg, struct err *err)
{
	const struct setting *s = arg;
	struct deployment_row deployment;
	struct continuous_deployment_row row;
	bool set;
	TRY(deployment_rows_by_id(c, s->deployment_id, s->req->arena, &deployment, err));
	TRY(read_row(c, s->deployment_id, s->req->arena, &row, &set, err));
	if (s->toggles && !set)
		return err_set(err, ST_CONFLICT,
			"Continuous Deployment of this deployment is not set up yet. Set it up first.");
	if (s->toggles && !yyjson_is_bool(yyjson_obj_get(s->body, "active")))
		return err_set(err, ST_INVALID, "\"active\" must be true or false.");
	row.active = !s->toggles || yyjson_get_bool(yyjson_obj_get(s->body, "active"));
	if (!s->toggles)
		TRY(read_body(s->body, &row, err));
	row.updated_us = clock_unix_us();
	if (!set)
		row.created_us = row.updated_us;
	row.updated_by = caller_of(s->req)->user_name;
	return continuous_deployment_rows_put(c, &row, err);
}

static enum status change(struct http_request *req, struct http_reply *reply, bool toggles, struct err *err)
{
	struct setting s = {.req = req, .toggles = toggles};
	TRY(api_id(req, "id", "deployment", &s.deployment_id, err));
	TRY(api_body(req, &s.body, err));
	TRY(api_write(req, toggles ? "continuous_deployment.toggle" : "continuous_deployment.set",
		s.deployment_id, write, &s, err));
	loop_poke(api_of(req)->loop);
	live_changed(api_of(req), s.deployment_id);
	return answer(req, reply, s.deployment_id, err);
}

enum status api_continuous_deployment_set(struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change(req, reply, false, err);
}

enum status api_continuous_deployment_toggle(
	struct http_request *req, struct http_reply *reply, struct err *err)
{
	return change(req, reply, true, err);
}
