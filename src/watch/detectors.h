/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sequential detectors of one deployment: a champion's predictions in the order of the log, thinned, each
 * feature's place in the reference's distribution, one detector each (stats/sequential.h). Deterministic: the
 * same log gives the same alarms. docs/internals/drift.md.
 */
#ifndef GYRE_WATCH_DETECTORS_H
#define GYRE_WATCH_DETECTORS_H

#include "stats/sequential.h"
#include "watch/reference.h"
#include "watch/thin.h"

#define DETECTORS_IMAGES                                                                                     \
	100000.0 /* clean images between two false alarms of a deployment, on average, at least */

struct detectors_alarm {
	int64_t position, at_us;
	enum feature feature;
	enum sequential_change change;
	uint64_t images; /* effective ones since it changed, as far as is known */
};

struct detectors;
struct detectors *detectors_new(struct reference *r); /* holds it; nothing seen */
void detectors_free(struct detectors *d);
/* Images in the order of the log. *alarmed: an alarm, told once: all detectors start anew. outlier: of this
 * image, or NULL. */
void detectors_add(struct detectors *d, const struct seen *seen, const struct outlier_value *outlier,
	bool *alarmed, struct detectors_alarm *alarm);
/* For pages. */
struct detectors_state {
	uint64_t seen, effective;         /* images; those that counted after thinning */
	uint64_t alarms, since_alarm;     /* … and, of these, since the last alarm */
	bool watched[FEATURE_COUNT];      /* may raise an alarm */
	double strength[FEATURE_COUNT];   /* 0…1: its share of what alarms; when they add up to 1 */
	double tolerances[FEATURE_COUNT]; /* by how much its mean place may differ; NAN: not watched */
	double tolerance;                 /* of a feature that all images of the reference have */
	double thinning;                  /* one of how many, so far */
	bool small; /* the reference has fewer than REFERENCE_SMALL images: a larger tolerance */
};
/* Images that counted since the last alarm; 0: there was none yet. */
uint64_t detectors_calm(const struct detectors *d);
void detectors_state(const struct detectors *d, struct detectors_state *out);
struct span detectors_pack(const struct detectors *d, struct arena *a);
/* ST_INVALID: not of this reference and threshold: begin anew. */
enum status detectors_unpack(
	struct span packed, struct reference *r, struct detectors **out, struct err *err) MUST_CHECK;

#endif
