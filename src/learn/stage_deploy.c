/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of the candidate, by the policy and the gate of Continuous Deployment. The decision is written
 * in the transaction that makes it a shadow, or right after the swap, which does nothing the second time: so
 * it is made once whatever happens in between.
 */
#include "base/json.h"
#include "deploy/shadow_set.h"
#include "learn/gate.h"
#include "learn/stages.h"
#include "os/clock.h"
#include "store/model_rows.h"

#include <inttypes.h>
#include <string.h>

#define SHADOWS_MAX 2 /* of trainings: the new one and the one before it */
#define NEWER "A newer version of a training takes its place."

struct deciding {
	struct training *training;
	struct deployment_row deployment;
	struct model_version_row candidate;
	struct continuous_deployment_row settings;
	bool set;
	struct gate_decision decision;
	int64_t now_us;
};

/* *there false: the deployment was deleted meanwhile. */
static enum status read_all(struct deciding *d, bool *there, struct err *err)
{
	struct training *t = d->training;
	struct db_conn *c;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = deployment_rows_by_id(c, t->row.deployment_id, t->arena, &d->deployment, err);
	*there = st == ST_OK;
	if (st == ST_OK)
		st = continuous_deployment_rows_get(
			c, t->row.deployment_id, t->arena, &d->settings, &d->set, err);
	if (st == ST_OK)
		st = model_rows_version_by_id(c, t->row.candidate_id, t->arena, &d->candidate, err);
	db_reader_give(t->options->readers, c);
	return !*there && st == ST_MISSING ? ST_OK : st;
}

/* {"what", "sentence", "at"} */
static const char *decision_json(const struct deciding *d)
{
	struct arena *a = d->training->arena;
	char *at = arena_alloc(a, 28);
	clock_format(d->now_us, at);
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "what", d->decision.what);
	yyjson_mut_obj_add_str(doc, root, "sentence", d->decision.sentence);
	yyjson_mut_obj_add_str(doc, root, "at", at);
	return (const char *)json_print(doc, a).data;
}

/* ---- a shadow ---- */

static bool is_of_training(const struct shadow_row *s)
{
	return strcmp(s->role, SHADOW_ROLE_CANDIDATE) == 0 || strcmp(s->role, SHADOW_ROLE_HELD) == 0;
}

/* Each costs as much as the champion: the oldest leave. */
static enum status remove_older(struct db_conn *c, struct deciding *d, const struct shadow_row *shadows,
	size_t count, struct err *err)
{
	size_t kept = 1;
	for (size_t i = 0; i < count; i++)
		if (is_of_training(&shadows[i]) && ++kept > SHADOWS_MAX)
			TRY(shadow_unset(c, &d->deployment, shadows[i].model_version_id, "gyre", NEWER,
				d->now_us, d->training->arena, err));
	return ST_OK;
}

static enum status shadow_job(struct db_conn *c, void *arg, struct err *err)
{
	struct deciding *d = arg;
	struct training *t = d->training;
	struct shadow_row *shadows;
	size_t count;
	bool held = strcmp(d->decision.what, GATE_HELD) == 0;
	TRY(deployment_rows_by_id(c, d->deployment.id, t->arena, &d->deployment, err));
	TRY(shadow_rows_list(c, d->deployment.id, t->arena, &shadows, &count, err));
	if (uuid_equal(d->deployment.champion_id, d->candidate.id))
		return ST_OK; /* a person was faster */
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(shadows[i].model_version_id, d->candidate.id))
			return ST_OK;
	TRY(remove_older(c, d, shadows, count, err));
	const struct shadow_wish wish = {
		.version_id = d->candidate.id,
		.role = held ? SHADOW_ROLE_HELD : SHADOW_ROLE_CANDIDATE,
		.reason = d->decision.sentence,
		.training_id = t->row.id,
		.who = "gyre",
		.now_us = d->now_us,
	};
	return shadow_set(c, &d->deployment, &wish, t->arena, err);
}

/* ---- nothing but a line of the history ---- */

static enum status keep_job(struct db_conn *c, void *arg, struct err *err)
{
	const struct deciding *d = arg;
	char id[UUID_TEXT_SIZE];
	uuid_format(d->candidate.id, id);
	struct deployment_event_row event = {
		.at_us = d->now_us, .what = "kept", .who = "gyre", .to = id, .why = d->decision.sentence};
	return deployment_rows_add_event(c, d->deployment.id, &event, err);
}

/* ---- the champion ---- */

/* That the candidate was measured beside; zero: none. */
static enum status read_measured(struct training *t, struct uuid *id, struct err *err)
{
	const char *detail, *text = NULL;
	yyjson_doc *doc;
	*id = (struct uuid){{0}};
	TRY(training_detail(t, "evaluate", &detail, err));
	if (detail == NULL)
		return ST_OK;
	TRY(json_parse(span_of_text(detail), t->arena, &doc, err));
	TRY(json_text(yyjson_doc_get_root(doc), "champion_id", &text, err));
	if (text)
		uuid_parse(text, id);
	return ST_OK;
}

/* Another one answers by now: what was found says nothing of it, so the reviews are to say. */
static enum status check_measured(struct deciding *d, struct err *err)
{
	struct uuid measured;
	TRY(read_measured(d->training, &measured, err));
	if (!d->settings.gate || uuid_is_zero(measured) || uuid_equal(measured, d->deployment.champion_id) ||
		uuid_equal(d->candidate.id, d->deployment.champion_id))
		return ST_OK;
	d->decision.what = GATE_SHADOW;
	d->decision.sentence = arena_printf(d->training->arena,
		"Version %" PRId64
		" is a shadow: the champion changed meanwhile, and it was measured beside the one "
		"before.",
		d->candidate.version);
	return ST_OK;
}

static enum status swap(struct deciding *d, struct err *err)
{
	struct training *t = d->training;
	const struct training_hooks *hooks = &t->options->hooks;
	const struct swap wish = {
		.deployment_id = d->deployment.id,
		.version_id = d->candidate.id,
		.what = SWAP_DEPLOYED,
		.who = "gyre",
		.why = d->decision.sentence,
		.keep_as_shadow = d->settings.keep_s > 0,
		.keep_until_us = d->now_us + d->settings.keep_s * 1000000,
		.by_itself = true,
		.expected_champion_id = d->deployment.champion_id,
		.now_us = d->now_us,
	};
	enum status st = hooks->swap(hooks->arg, &wish, err);
	if (st != ST_CONFLICT)
		return st;
	/* Rolled back, or another champion by now: what was measured says nothing of that one. */
	d->decision.what = GATE_NONE;
	d->decision.sentence = arena_strdup(t->arena, err->text);
	return ST_OK;
}

/* ---- all of it ---- */

static enum status act(struct deciding *d, struct err *err)
{
	struct training *t = d->training;
	const struct training_hooks *hooks = &t->options->hooks;
	if (strcmp(d->decision.what, GATE_CHAMPION) == 0)
		TRY(check_measured(d, err));
	if (strcmp(d->decision.what, GATE_CHAMPION) == 0)
		TRY(swap(d, err));
	bool shadow = strcmp(d->decision.what, GATE_SHADOW) == 0 || strcmp(d->decision.what, GATE_HELD) == 0;
	bool champion = strcmp(d->decision.what, GATE_CHAMPION) == 0;
	t->row.decision = decision_json(d);
	enum status st = training_write(t, shadow ? shadow_job : champion ? NULL : keep_job, d, err);
	if (st != ST_OK)
		t->row.decision = NULL;
	else if (shadow && hooks->shadow_changed)
		hooks->shadow_changed(hooks->arg, d->deployment.id, "gyre");
	return st;
}

enum status stage_deploy(struct training *t, struct err *err)
{
	struct deciding d = {.training = t, .now_us = clock_unix_us()};
	bool there;
	if (uuid_is_zero(t->row.deployment_id) || uuid_is_zero(t->row.candidate_id)) {
		t->passed = "It belongs to no deployment: deploy the version from its page.";
		return ST_OK;
	}
	if (t->row.decision)
		return ST_OK;
	TRY(read_all(&d, &there, err));
	if (!there) {
		t->passed = "Its deployment was deleted meanwhile.";
		return ST_OK;
	}
	const struct gate_question question = {
		.settings = d.set ? &d.settings : NULL,
		.serving = d.deployment.serving,
		.evaluation = t->row.evaluation,
		.version = d.candidate.version,
	};
	TRY(gate_decide(&question, t->arena, &d.decision, err));
	return act(&d, err);
}
