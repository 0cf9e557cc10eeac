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

#define DETECTORS_IMAGES                                                                                     \
	100000.0 /* clean images between two false alarms of a deployment, on average, at least */

/* Drops near-duplicates of the last 64 images of the same source (dHash within 6 bits), then thins by the
 * autocorrelation time of what is left. Plain data. */
#define THIN_SOURCES 16
struct thin;
size_t thin_size(void);

struct detectors_alarm {
	int64_t position, at_us;
	enum feature feature;
	enum sequential_change change;
	uint64_t images; /* effective ones since it changed, as far as is known */
};

struct detectors;
struct detectors *detectors_new(struct reference *r); /* holds it; nothing seen */
void detectors_free(struct detectors *d);
/* *alarmed: an alarm, told once: all detectors start anew. outlier: of this image, or NULL. */
void detectors_add(struct detectors *d, const struct seen *seen, const struct outlier_value *outlier,
	bool *alarmed, struct detectors_alarm *alarm);
/* For pages. */
struct detectors_state {
	uint64_t seen, effective;       /* images; those that counted after thinning */
	double strength[FEATURE_COUNT]; /* 0…1 of what alarms */
	double tolerance;
	double thinning; /* one of how many */
};
void detectors_state(const struct detectors *d, struct detectors_state *out);
struct span detectors_pack(const struct detectors *d, struct arena *a);
/* ST_INVALID: not of this reference and threshold: begin anew. */
enum status detectors_unpack(
	struct span packed, struct reference *r, struct detectors **out, struct err *err) MUST_CHECK;

/* Which of the images count, by the same thinning, for windows: keep[i]. Oldest first. *effective: how many.
 */
void thin_window(
	const struct seen *images, const double *outliers, size_t count, bool *keep, size_t *effective);

#endif
