/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/gate.h"

#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

double gate_sees(int64_t images)
{
	return images > 0 ? 1.96 * sqrt(0.16 / (double)images) : -1;
}

static struct gate_decision decide(const char *what, const char *sentence)
{
	return (struct gate_decision){what, sentence};
}

static double number(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	return yyjson_is_num(value) ? yyjson_get_num(value) : NAN;
}

/* The class of enough objects that fell furthest, beyond the tolerance; NULL: none did. */
static yyjson_val *worst_class(yyjson_val *evaluation, double tolerance)
{
	yyjson_val *one, *worst = NULL;
	double worst_drop = tolerance;
	size_t i, n;
	yyjson_arr_foreach (yyjson_obj_get(evaluation, "classes"), i, n, one) {
		double drop = number(one, "champion") - number(one, "candidate");
		if (number(one, "truths") >= GATE_OBJECTS_MIN && drop > worst_drop + 1e-9) {
			worst_drop = drop;
			worst = one;
		}
	}
	return worst;
}

static struct gate_decision look(const struct gate_question *q, yyjson_val *evaluation, struct arena *a)
{
	const char *metric = yyjson_get_str(yyjson_obj_get(evaluation, "metric"));
	yyjson_val *difference = yyjson_obj_get(evaluation, "difference");
	int64_t images = (int64_t)number(evaluation, "images");
	double tolerance = q->settings->tolerance, high = number(difference, "high");
	if (metric == NULL)
		metric = "score";
	if (isnan(number(evaluation, "champion")) || !yyjson_is_obj(difference))
		return decide(
			GATE_SHADOW, arena_printf(a,
					     "Version %" PRId64
					     " is a shadow: the champion could not be measured on the test "
					     "pictures, so the gate has nothing to compare.",
					     q->version));
	if (images < GATE_IMAGES_MIN)
		return decide(GATE_SHADOW,
			arena_printf(a,
				"Version %" PRId64 " is a shadow: %" PRId64
				" test picture%s too few to let it "
				"answer by itself (%d are needed). Its reviews decide.",
				q->version, images, images == 1 ? " is" : "s are", GATE_IMAGES_MIN));
	if (high < 0)
		return decide(
			GATE_HELD, arena_printf(a,
					   "Version %" PRId64 " is held back: on %" PRId64
					   " test pictures its %s is %.1f points lower "
					   "than the champion's (95 %%: %.1f to %.1f points lower).",
					   q->version, images, metric, -100 * number(difference, "value"),
					   -100 * high, -100 * number(difference, "low")));
	yyjson_val *fell = worst_class(evaluation, tolerance);
	if (fell)
		return decide(GATE_HELD,
			arena_printf(a,
				"Version %" PRId64
				" is held back: class \"%.80s\" fell from %.1f %% to %.1f %% on %" PRId64
				" test objects, more than the %.0f points that are tolerated.",
				q->version, yyjson_get_str(yyjson_obj_get(fell, "label")),
				100 * number(fell, "champion"), 100 * number(fell, "candidate"),
				(int64_t)number(fell, "truths"), 100 * tolerance));
	return decide(GATE_CHAMPION,
		arena_printf(a,
			"Version %" PRId64 " is the champion: on %" PRId64
			" test pictures its %s is %.1f %%, the "
			"champion's before was %.1f %%, and no class fell more than %.0f points.",
			q->version, images, metric, 100 * number(evaluation, "candidate"),
			100 * number(evaluation, "champion"), 100 * tolerance));
}

static struct gate_decision by_policy(const struct gate_question *q, struct arena *a)
{
	if (q->settings == NULL || !q->settings->active)
		return decide(GATE_NONE,
			arena_printf(a,
				"Version %" PRId64
				" is published, and nothing else happens: Continuous Deployment is "
				"%s.",
				q->version, q->settings ? "switched off" : "not set up"));
	if (strcmp(q->settings->policy, POLICY_MANUAL) == 0)
		return decide(GATE_MANUAL,
			arena_printf(a,
				"Version %" PRId64
				" is published and waits for you: the policy is to deploy by hand.",
				q->version));
	if (!q->serving)
		return decide(GATE_MANUAL,
			arena_printf(a,
				"Version %" PRId64
				" is published and waits for you: this deployment predicts on your "
				"own infrastructure, so gyre cannot put it there.",
				q->version));
	if (strcmp(q->settings->policy, POLICY_SHADOW) == 0)
		return decide(GATE_SHADOW,
			arena_printf(a,
				"Version %" PRId64
				" is a shadow, as the policy says: it answers behind the champion "
				"until reviews tell which is better.",
				q->version));
	return decide(GATE_CHAMPION,
		arena_printf(a, "Version %" PRId64 " is the champion, as the policy says; the gate is off.",
			q->version));
}

enum status gate_decide(
	const struct gate_question *q, struct arena *a, struct gate_decision *out, struct err *err)
{
	yyjson_doc *doc = NULL;
	*out = by_policy(q, a);
	if (strcmp(out->what, GATE_CHAMPION) != 0 || !q->settings->gate)
		return ST_OK;
	if (q->evaluation)
		TRY(json_parse(span_of_text(q->evaluation), a, &doc, err));
	if (doc == NULL)
		*out = decide(GATE_SHADOW,
			arena_printf(a,
				"Version %" PRId64
				" is a shadow: there are no test pictures, so the gate has nothing "
				"to go by. Keep some to measure with, or switch the gate off.",
				q->version));
	else
		*out = look(q, yyjson_doc_get_root(doc), a);
	return ST_OK;
}
