/* SPDX-License-Identifier: Apache-2.0 */
/* What reviews say of a shadow. */
#include "watch/verdict.h"

#include "api/nouns.h"
#include "api/quality_json.h"

#include <math.h>

#define E_MAX 1e9 /* more is no stronger */

static void add_version(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const char *key, const struct verdict_version *v)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, key);
	api_add_id(doc, object, "id", v->id);
	api_add_text(doc, object, "model", v->model);
	yyjson_mut_obj_add_int(doc, object, "version", v->version);
}

static void add_agreement(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct pairs_report *p)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "agreement");
	quality_add(doc, object, "share", p->share);
	if (p->kappa > -2)
		yyjson_mut_obj_add_real(doc, object, "kappa", p->kappa);
	else
		yyjson_mut_obj_add_null(doc, object, "kappa");
	quality_add(doc, object, "f1", p->f1);
	yyjson_mut_val *flips = yyjson_mut_obj_add_arr(doc, object, "flips");
	for (size_t i = 0; i < p->flip_count; i++) {
		yyjson_mut_val *flip = yyjson_mut_arr_add_obj(doc, flips);
		api_add_text(doc, flip, "from", p->flips[i].from);
		api_add_text(doc, flip, "to", p->flips[i].to);
		yyjson_mut_obj_add_uint(doc, flip, "images", p->flips[i].images);
	}
}

static void add_reviews(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct verdict *v)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "disagreements");
	yyjson_mut_obj_add_uint(doc, object, "images", v->pairs.disagree);
	yyjson_mut_obj_add_uint(doc, object, "sampled", v->sampled);
	yyjson_mut_obj_add_uint(doc, object, "reviewed", v->reviewed);
	yyjson_mut_obj_add_uint(doc, object, "to_review", v->to_review);
	yyjson_mut_obj_add_uint(doc, root, "wins", v->wins);
	yyjson_mut_obj_add_uint(doc, root, "losses", v->losses);
	yyjson_mut_obj_add_uint(doc, root, "ties", v->ties);
	yyjson_mut_obj_add_real(doc, root, "e", fmin(exp(fmin(v->log_e, 100)), E_MAX));
	yyjson_mut_obj_add_real(doc, root, "e_worse", fmin(exp(fmin(v->log_e_worse, 100)), E_MAX));
	yyjson_mut_obj_add_real(doc, root, "e_needed", v->needed);
	const char *state = strcmp(v->state, VERDICT_BETTER) == 0  ? "better"
			    : strcmp(v->state, VERDICT_WORSE) == 0 ? "worse"
								   : "unsure";
	api_add_text(doc, root, "state", state);
	api_add_time(doc, root, "decided_at", v->decided_us);
	api_add_text(doc, root, "sentence", v->sentence);
	if (v->known)
		yyjson_mut_obj_add_uint(doc, root, "more_reviews", v->more_reviews);
	else
		yyjson_mut_obj_add_null(doc, root, "more_reviews");
	yyjson_mut_val *history = yyjson_mut_obj_add_arr(doc, root, "history");
	for (size_t i = 0; i < v->history_count; i++) {
		yyjson_mut_val *point = yyjson_mut_arr_add_obj(doc, history);
		yyjson_mut_obj_add_uint(doc, point, "reviewed", v->history[i].reviewed);
		yyjson_mut_obj_add_real(doc, point, "e", fmin(exp(fmin(v->history[i].log_e, 100)), E_MAX));
	}
}

static void add_pair(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct quality_pair *p)
{
	yyjson_mut_obj_add_uint(doc, root, "compared", p->images);
	if (p->images > 0 && p->first >= 0) {
		yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "difference");
		yyjson_mut_obj_add_real(doc, object, "value", p->difference);
		yyjson_mut_obj_add_real(doc, object, "low", p->low);
		yyjson_mut_obj_add_real(doc, object, "high", p->high);
		api_add_text(doc, object, "metric", p->metric);
	} else {
		yyjson_mut_obj_add_null(doc, root, "difference");
	}
	yyjson_mut_val *classes = yyjson_mut_obj_add_arr(doc, root, "classes");
	for (size_t i = 0; i < p->label_count; i++) {
		const struct quality_pair_label *l = &p->labels[i];
		yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, classes);
		api_add_text(doc, object, "label", l->label);
		yyjson_mut_obj_add_uint(doc, object, "truths", l->truths);
		quality_add(doc, object, "champion", l->first);
		quality_add(doc, object, "shadow", l->second);
		yyjson_mut_obj_add_real(doc, object, "low", l->low);
		yyjson_mut_obj_add_real(doc, object, "high", l->high);
	}
}

/* CPU time of the model's runs on the images of both. */
static void add_latency(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct shadow_row *r)
{
	yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "latency");
	double own = -1, champion = -1;
	if (r->compared > 0 && r->champion_cpu_us > 0) {
		own = (double)r->cpu_us / (double)r->compared / 1e3;
		champion = (double)r->champion_cpu_us / (double)r->compared / 1e3;
	}
	quality_add(doc, object, "champion_ms", champion);
	quality_add(doc, object, "shadow_ms", own);
	quality_add(doc, object, "ratio", champion > 0 ? own / champion : -1);
}

static void add_guards(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct verdict *v)
{
	yyjson_mut_val *guards = yyjson_mut_obj_add_arr(doc, root, "guards");
	for (size_t i = 0; i < VERDICT_GUARDS; i++) {
		yyjson_mut_val *guard = yyjson_mut_arr_add_obj(doc, guards);
		api_add_text(doc, guard, "name", v->guards[i].name);
		yyjson_mut_obj_add_bool(doc, guard, "ok", v->guards[i].ok);
		api_add_text(doc, guard, "sentence", v->guards[i].sentence);
	}
	yyjson_mut_obj_add_bool(doc, root, "may_promote", v->may_promote);
}

enum status api_shadow_verdict(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id, version = {{0}};
	struct verdict v;
	yyjson_mut_doc *doc;
	const char *text = http_query(req, "version");
	TRY(api_id(req, "id", "deployment", &id, err));
	if (text && text[0] && !uuid_parse(text, &version))
		return err_set(err, ST_INVALID, "\"version\" is the id of a model version.");
	TRY(verdict_read(api_of(req)->verdicts, id, version, req->arena, &v, err));
	yyjson_mut_val *root = api_object(req, &doc);
	add_version(doc, root, "version", &v.shadow);
	add_version(doc, root, "champion", &v.champion);
	api_add_text(doc, root, "role", v.row.role);
	api_add_text(doc, root, "reason", v.row.reason);
	api_add_time(doc, root, "since", v.row.since_us);
	api_add_time(doc, root, "until_at", v.row.until_us);
	bool full = v.pairs.images == PAIRS_MAX && v.row.compared > PAIRS_MAX;
	yyjson_mut_obj_add_int(doc, root, "seen", full ? v.row.compared : (int64_t)v.pairs.images);
	yyjson_mut_obj_add_uint(doc, root, "window", v.pairs.images);
	add_agreement(doc, root, &v.pairs);
	add_reviews(doc, root, &v);
	add_pair(doc, root, &v.pair);
	add_latency(doc, root, &v.row);
	add_guards(doc, root, &v);
	return http_reply_json(req, reply, doc);
}
