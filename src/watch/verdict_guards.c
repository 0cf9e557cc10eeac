/* SPDX-License-Identifier: Apache-2.0 */
/* From results to a state, and what must hold besides before a shadow may become the champion (decision
 * 0114). */
#include "base/check.h"
#include "stats/e_process.h"
#include "watch/verdict.h"

#include <inttypes.h>
#include <math.h>

#define CLASS_ALPHA 0.05    /* of all classes together */
#define SPEED_RATIO_MAX 1.5 /* of CPU time a picture */
#define SPEED_SLACK_US 2000 /* small models: a cold cache is no slow model */
#define FAILED_SHARE_MAX 0.01
#define SILENT_SHARE_MORE 0.01

/* ---- counting ---- */

static bool done(const struct verdict *v, double log_e)
{
	return log_e >= log(v->needed);
}

static void add_point(struct verdict *v, struct arena *a, size_t room)
{
	if (v->history == NULL)
		v->history = ARENA_ARRAY(a, struct verdict_point, room + 1);
	v->history[v->history_count++] = (struct verdict_point){v->reviewed, v->log_e};
}

static void thin(struct verdict *v)
{
	size_t count = v->history_count, kept = 0;
	if (count <= VERDICT_HISTORY_MAX)
		return;
	for (size_t i = 0; i < VERDICT_HISTORY_MAX; i++)
		v->history[kept++] = v->history[(i + 1) * count / VERDICT_HISTORY_MAX - 1];
	v->history_count = kept;
}

/*
 * In the order in which they were drawn, up to the first that nobody has reviewed: so those that somebody had
 * reviewed before, for whatever reason, do not come first. Skipped ones are passed over.
 */
void verdict_count(struct verdict *v, const struct sample_row *sample, const enum quality_winner *winners,
	size_t count, struct arena *a)
{
	bool waits = false;
	v->sampled = count;
	v->state = VERDICT_UNSURE;
	for (size_t i = 0; i < count; i++) {
		bool to_review = strcmp(sample[i].status, "TO REVIEW") == 0;
		v->to_review += to_review;
		waits = waits || to_review;
		if (waits || winners[i] == QUALITY_OPEN)
			continue;
		v->reviewed++;
		v->losses += winners[i] == QUALITY_FIRST;
		v->wins += winners[i] == QUALITY_SECOND;
		v->ties += winners[i] == QUALITY_TIE;
		v->log_e = e_process_log(v->wins, v->losses);
		v->log_e_worse = e_process_log(v->losses, v->wins);
		add_point(v, a, count);
		if (strcmp(v->state, VERDICT_UNSURE) == 0 && done(v, v->log_e))
			v->state = VERDICT_BETTER;
		if (strcmp(v->state, VERDICT_UNSURE) == 0 && done(v, v->log_e_worse))
			v->state = VERDICT_WORSE;
	}
	thin(v);
}

/* ---- guards ---- */

static struct verdict_guard evidence(const struct verdict *v, struct arena *a)
{
	bool ok = strcmp(v->state, VERDICT_BETTER) == 0;
	double e = exp(fmin(v->log_e, log(1e6)));
	return (struct verdict_guard){"evidence", ok,
		arena_printf(a, "Reviews speak %s%.3g to 1 for the shadow; %.0f to 1 decides.",
			v->log_e > log(1e6) ? "more than " : "", e, v->needed)};
}

static struct verdict_guard reviews(const struct verdict *v, struct arena *a)
{
	return (struct verdict_guard){"reviews", v->reviewed >= VERDICT_REVIEWS_MIN,
		arena_printf(
			a, "%zu disagreements are reviewed; %d must be.", v->reviewed, VERDICT_REVIEWS_MIN)};
}

static struct verdict_guard seen(const struct verdict *v, struct arena *a)
{
	return (struct verdict_guard){"seen", v->pairs.images >= VERDICT_SEEN_MIN,
		arena_printf(a, "Both have seen %s%zu images; %d are needed.",
			v->pairs.images == PAIRS_MAX ? "at least " : "", v->pairs.images, VERDICT_SEEN_MIN)};
}

/* By Holm, of which the first step says whether any class is worse (Holm 1979). */
static struct verdict_guard classes(const struct verdict *v, struct arena *a)
{
	const struct quality_pair_label *worst = NULL;
	size_t count = 0;
	for (size_t i = 0; i < v->pair.label_count; i++) {
		const struct quality_pair_label *l = &v->pair.labels[i];
		if (l->truths < VERDICT_CLASS_MIN)
			continue;
		count++;
		if (worst == NULL || l->chance < worst->chance)
			worst = l;
	}
	if (count == 0)
		return (struct verdict_guard){"classes", true,
			arena_printf(a,
				"No class has %d reviewed objects yet, so none is looked at by itself.",
				VERDICT_CLASS_MIN)};
	bool ok = worst->chance > CLASS_ALPHA / (double)count;
	if (ok)
		return (struct verdict_guard){"classes", true,
			count == 1 ? "The one class with enough reviewed objects is not worse."
				   : arena_printf(a,
					     "None of the %zu classes with enough reviewed objects is worse.",
					     count)};
	return (struct verdict_guard){"classes", false,
		arena_printf(a,
			"The class %s is worse: %.1f %% instead of %.1f %% on %" PRIu64 " reviewed objects.",
			worst->label, 100 * worst->second, 100 * worst->first, worst->truths)};
}

static struct verdict_guard speed(const struct verdict *v, struct arena *a)
{
	const struct shadow_row *r = &v->row;
	if (r->compared == 0 || r->champion_cpu_us == 0)
		return (struct verdict_guard){
			"speed", true, "How much CPU time they take is not known here."};
	double own = (double)r->cpu_us / (double)r->compared;
	double champion = (double)r->champion_cpu_us / (double)r->compared;
	bool ok = own <= SPEED_RATIO_MAX * champion || own <= champion + SPEED_SLACK_US;
	return (struct verdict_guard){"speed", ok,
		arena_printf(a, "It takes %.3g ms of CPU time an image, the champion %.3g ms%s.", own / 1e3,
			champion / 1e3, ok ? "" : ": more than one and a half times as much")};
}

static struct verdict_guard failures(const struct verdict *v, struct arena *a)
{
	int64_t all = v->row.predictions + v->row.skipped;
	bool ok = (double)v->row.skipped <= FAILED_SHARE_MAX * (double)all;
	if (v->row.skipped == 0)
		return (struct verdict_guard){"failures", true, "It has answered every image."};
	return (struct verdict_guard){"failures", ok,
		arena_printf(a, "It passed over %" PRId64 " of %" PRId64 " images%s%s", v->row.skipped, all,
			v->row.skipped_text ? ": " : ".", v->row.skipped_text ? v->row.skipped_text : "")};
}

static struct verdict_guard answers(const struct verdict *v, struct arena *a)
{
	double all = v->pairs.images ? (double)v->pairs.images : 1;
	double own = (double)v->pairs.shadow_silent / all, champion = (double)v->pairs.champion_silent / all;
	return (struct verdict_guard){"answers", own <= champion + SILENT_SHARE_MORE,
		arena_printf(a, "It says nothing at all on %.3g %% of the images, the champion on %.3g %%.",
			100 * own, 100 * champion)};
}

void verdict_guard(struct verdict *v, struct arena *a)
{
	static struct verdict_guard (*const guards[VERDICT_GUARDS])(const struct verdict *,
		struct arena *) = {evidence, reviews, seen, classes, speed, failures, answers};
	v->may_promote = true;
	for (size_t i = 0; i < VERDICT_GUARDS; i++) {
		v->guards[i] = guards[i](v, a);
		v->may_promote = v->may_promote && v->guards[i].ok;
	}
}
