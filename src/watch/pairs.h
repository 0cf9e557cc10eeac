/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a shadow and a champion agree, without labels: the newest PAIRS_MAX images that both predicted, each
 * compared once when the shadow's answer is in the log. Bounded, so that a look costs the same whatever the
 * log has; made again from the log at a start, and when the threshold is another one.
 * docs/internals/verdict.md.
 */
#ifndef GYRE_WATCH_PAIRS_H
#define GYRE_WATCH_PAIRS_H

#include "store/db.h"
#include "task/shape.h"

#define PAIRS_MAX 20000

struct pairs_key {
	struct uuid deployment_id, shadow_id; /* the following */
	struct uuid shadow_version_id, champion_id;
};
struct pairs; /* one thread at a time */
struct pairs *pairs_new(const struct pairs_key *key);
void pairs_free(struct pairs *p);
const struct pairs_key *pairs_key(const struct pairs *p);

/* What the log has more. Of classes the threshold does not matter. */
enum status pairs_refresh(
	struct pairs *p, struct db_conn *c, enum task task, double threshold, struct err *err) MUST_CHECK;

#define PAIRS_FLIPS 10
struct pairs_flip {
	const char *from, *to; /* the champion's label, the shadow's */
	size_t images;
};
struct pairs_report {
	size_t images;   /* of the window */
	size_t disagree; /* classes: another one; shapes: one has a shape that the other has not */
	size_t champion_silent, shadow_silent; /* without any answer, whatever its score */
	double share;                          /* of images that agree; -1: there are none */
	double kappa;                          /* Cohen's (1960), of classes; -2: none, or nothing to say */
	double f1; /* 2 matched / (n + m) of all shapes; -1: of classes, or there are none */
	struct pairs_flip flips[PAIRS_FLIPS]; /* the most frequent first; texts live in the arena */
	size_t flip_count;
};
void pairs_read(const struct pairs *p, struct arena *a, struct pairs_report *out);

/* At most `count` images of the window that disagree and are none of `drawn` (sorted by compare_uuid), by a
 * hash of their ids: a uniform sample of them, the same for everybody who draws. */
void pairs_draw(const struct pairs *p, const struct uuid *drawn, size_t drawn_count, size_t count,
	struct arena *a, struct uuid **ids, size_t *drawn_now);

/* ---- one image, pure ---- */

struct pairs_difference {
	uint32_t first, second, matched; /* shapes at the threshold */
	bool disagree;
	int32_t from, to; /* classes: what each says; shapes: the first pair of other labels; -1: none */
};
/* labels: of each of the second's labels, the first's of the same name, or one beyond them. */
struct pairs_difference pairs_compare(enum task task, const struct shapes *first, const struct shapes *second,
	const int32_t *labels, uint32_t label_count, double threshold, struct arena *a);

#endif
