/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict as a sentence, and how many more reviews it takes. */
#include "stats/e_process.h"
#include "watch/verdict.h"

#include <inttypes.h>

static const char *version_name(
	const struct verdict_version *v, const struct verdict_version *other, struct arena *a)
{
	if (v->model == NULL)
		return "a version that was deleted";
	bool same = other->model && strcmp(v->model, other->model) == 0;
	return same ? arena_printf(a, "version %" PRId64, v->version)
		    : arena_printf(a, "%s version %" PRId64, v->model, v->version);
}

/* Ties are reviews too. */
static void count_more(struct verdict *v)
{
	uint64_t decided = v->wins + v->losses, missing = 0;
	bool unsure = strcmp(v->state, VERDICT_UNSURE) == 0;
	uint64_t more = unsure ? e_process_more(v->wins, v->losses, v->needed) : 0;
	v->known = more != UINT64_MAX;
	if (strcmp(v->state, VERDICT_WORSE) != 0 && v->reviewed < VERDICT_REVIEWS_MIN)
		missing = VERDICT_REVIEWS_MIN - v->reviewed;
	if (!v->known)
		return;
	if (more > 0 && decided > 0)
		more = (uint64_t)((double)more * (double)v->reviewed / (double)decided + 0.5);
	v->more_reviews = more > missing ? more : missing;
}

static const char *counted(const struct verdict *v, const char *shadow, struct arena *a)
{
	if (v->reviewed == 1)
		return arena_printf(a, "the one reviewed disagreement %s",
			v->wins     ? "was won"
			: v->losses ? "was lost"
				    : "was a tie");
	const char *ties = v->ties == 0   ? ""
			   : v->ties == 1 ? " and tied 1"
					  : arena_printf(a, " and tied %" PRIu64, v->ties);
	return arena_printf(a, "of %zu reviewed disagreements %s won %" PRIu64 "%s lost %" PRIu64 "%s",
		v->reviewed, shadow, v->wins, v->ties ? "," : " and", v->losses, ties);
}

static const char *nothing_reviewed(
	const struct verdict *v, const char *shadow, const char *champion, struct arena *a)
{
	if (v->pairs.images == 0)
		return arena_printf(
			a, "Not sure yet: %s has not seen any image beside %s.", shadow, champion);
	if (v->pairs.disagree == 0)
		return arena_printf(a,
			"Not sure yet: %s and %s agree on all of the %zu images that both have seen.", shadow,
			champion, v->pairs.images);
	return arena_printf(a,
		"Not sure yet: %s and %s disagree on %zu of %zu images; none of these disagreements is "
		"reviewed. %d reviews of them are the least it takes.",
		shadow, champion, v->pairs.disagree, v->pairs.images, VERDICT_REVIEWS_MIN);
}

static const char *unsure(const struct verdict *v, const char *shadow, const char *champion, struct arena *a)
{
	if (v->reviewed == 0)
		return nothing_reviewed(v, shadow, champion, a);
	const char *what = counted(v, shadow, a);
	if (v->known)
		return arena_printf(a,
			"Not sure yet: %s. About %" PRIu64 " more reviews decide it, if it goes on like "
			"that.",
			what, v->more_reviews);
	return arena_printf(a, "Not sure yet: %s. As it goes, reviews do not decide it soon.", what);
}

static const char *better(const struct verdict *v, const char *shadow, struct arena *a)
{
	const char *what = arena_printf(a, "Better: %s.", counted(v, shadow, a));
	for (size_t i = 0; i < VERDICT_GUARDS; i++)
		if (!v->guards[i].ok)
			return arena_printf(a, "%s It may not be promoted by itself yet: %s", what,
				v->guards[i].sentence);
	return what;
}

void verdict_say(struct verdict *v, struct arena *a)
{
	const char *shadow = version_name(&v->shadow, &v->champion, a);
	const char *champion = version_name(&v->champion, &v->shadow, a);
	count_more(v);
	if (strcmp(v->state, VERDICT_BETTER) == 0)
		v->sentence = better(v, shadow, a);
	else if (strcmp(v->state, VERDICT_WORSE) == 0)
		v->sentence = arena_printf(a, "Worse: %s.", counted(v, shadow, a));
	else
		v->sentence = unsure(v, shadow, champion, a);
}
