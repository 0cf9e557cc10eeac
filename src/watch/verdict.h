/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One verdict on a shadow: better than the champion, not sure yet, or worse. Without labels it says how far
 * the two agree (watch/pairs.h); of what they disagree on, a uniform sample is drawn for people to review,
 * and each review is a win of one of the two or a tie. Wins and losses are bets of an e-process
 * (stats/e_process.h), so that looking after each of them promotes one in twenty of those that are no better,
 * at most. docs/internals/verdict.md.
 *
 * A thread looks when it is poked, and writes what it found to shadow_verdict: there a verdict that was
 * reached stays.
 */
#ifndef GYRE_WATCH_VERDICT_H
#define GYRE_WATCH_VERDICT_H

#include "store/db.h"
#include "store/recorder.h"
#include "store/shadow_rows.h"
#include "store/verdict_rows.h"
#include "watch/pairs.h"
#include "watch/quality.h"

struct verdicts_options {
	struct db_readers *readers;
	struct recorder *recorder;
	struct quality *quality;
	/* A row of shadow_verdict changed; on the thread. Or NULL. */
	void (*changed)(void *arg, struct uuid deployment_id);
	void *changed_arg;
};

struct verdicts;
struct verdicts *verdicts_new(const struct verdicts_options *options);
void verdicts_start(struct verdicts *v);
void verdicts_stop(struct verdicts *v); /* the thread ends; `changed` is not called any more */
void verdicts_free(struct verdicts *v); /* stops first; NULL is fine */
/* Reviews came, a shadow came further, another champion, another threshold: look again. Takes no lock. */
void verdicts_poke(struct verdicts *v);

/* ---- what there is to say ---- */

#define VERDICT_REVIEWS_MIN 50 /* reviewed disagreements, before a shadow may be promoted */
#define VERDICT_SEEN_MIN 200   /* images that both predicted */
#define VERDICT_CLASS_MIN 30   /* objects of a class that is looked at */
#define VERDICT_GUARDS 7
#define VERDICT_HISTORY_MAX 200

struct verdict_guard {
	const char *name; /* "evidence", "reviews", "seen", "classes", "speed", "failures", "answers" */
	bool ok;
	const char *sentence;
};

struct verdict_version {
	struct uuid id;
	const char *model; /* NULL: it was deleted */
	int64_t version;
};

struct verdict {
	struct verdict_version shadow, champion;
	struct shadow_row row;
	struct pairs_report pairs;
	size_t sampled, reviewed, to_review; /* of the sample; reviewed: those that count, in its order */
	uint64_t wins, losses, ties;         /* of the shadow */
	double log_e, log_e_worse;           /* now */
	double needed;                       /* E that decides: 20, times the shadows that are compared */
	const char *state;                   /* VERDICT_… of store/verdict_rows.h */
	int64_t decided_us;                  /* 0: UNSURE */
	bool known;                          /* how many more reviews it takes */
	uint64_t more_reviews;
	const char *sentence;
	struct quality_pair pair; /* the champion first */
	struct verdict_guard guards[VERDICT_GUARDS];
	bool may_promote;
	struct verdict_point {
		uint64_t reviewed;
		double log_e;
	} * history; /* after each review that counts, thinned */
	size_t history_count;
};

/* Fresh; version zero: of the newest shadow. All lives in the arena. ST_MISSING with a sentence: no such
 * deployment, or no (such) shadow. The caller holds no reader. */
enum status verdict_read(struct verdicts *v, struct uuid deployment_id, struct uuid version_id,
	struct arena *a, struct verdict *out, struct err *err) MUST_CHECK;

/* Sees to it that there are disagreements to review in the sample, `open` of them if there are as many: draws
 * more. *shadow_id, *champion_id: whose sample it is. As verdict_read() otherwise. */
enum status verdict_draw(struct verdicts *v, struct uuid deployment_id, struct uuid version_id, size_t open,
	struct uuid *shadow_id, struct uuid *champion_id, struct err *err) MUST_CHECK;

/* ---- arithmetic, without a database ---- */

/* Wins, losses, ties, history, state and E of the results in the order of the sample, as far as they go. */
void verdict_count(struct verdict *v, const struct sample_row *sample, const enum quality_winner *winners,
	size_t count, struct arena *a);
/* From the numbers: guards, may_promote, more_reviews, sentence. */
void verdict_guard(struct verdict *v, struct arena *a);
void verdict_say(struct verdict *v, struct arena *a);

#endif
