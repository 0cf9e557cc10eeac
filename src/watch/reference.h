/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Training Data as one model version sees it, in memory: what drift and outliers are measured against. Made
 * by a job (reference_job.h); never changed, so that many may hold it.
 */
#ifndef GYRE_WATCH_REFERENCE_H
#define GYRE_WATCH_REFERENCE_H

#include "store/db.h"
#include "watch/features.h"
#include "watch/outlier.h"

#define REFERENCE_IMAGES_MAX 5000
#define REFERENCE_SMALL 500 /* below: "small reference" */

struct reference {
	struct uuid id, deployment_id, version_id;
	struct arena arena;
	_Atomic int holds;
	enum task task;
	double threshold; /* that its features were taken at */
	bool held_out, predicted, production;
	size_t images;
	int64_t position;
	struct seen *seen;             /* of each image; its row has id = asset id */
	double *values[FEATURE_COUNT]; /* sorted, without NAN */
	size_t counts[FEATURE_COUNT]; /* of FEATURE_OUTLIER calibration images alone: the others are fitted */
	struct outlier_model *outlier; /* NULL: none */
	struct uuid *assets; /* PRODUCTION: predicted assets, sorted by bytes; they are in no window */
	size_t asset_count;
	const char *note; /* what is missing, or NULL */
	int64_t created_us;
};

/* Its images as outlier_fit() takes them: as rows of the log that have an image's id for their own.
 * Everything lives in the arena. */
enum status reference_images(struct db_conn *c, struct uuid reference_id, struct arena *a, struct seen **seen,
	bool **calibration, size_t *count, struct err *err) MUST_CHECK;

/* The newest READY one of the deployment's Training Data for its champion, at that threshold. *out NULL:
 * there is none. reference_drop() it. */
enum status reference_load(struct db_conn *c, struct uuid deployment_id, double threshold,
	struct reference **out, struct err *err) MUST_CHECK;
/* The same for a row that was read (store/reference_rows.h). */
struct reference_row;
enum status reference_read(struct db_conn *c, const struct reference_row *row, enum task task,
	double threshold, struct reference **out, struct err *err) MUST_CHECK;
/* The last ones that were read, as loading takes a tenth of a second where they are large. Any thread. */
#define REFERENCES_KEPT 4
struct references;
struct references *references_new(void);
void references_free(struct references *kept); /* NULL is fine */
/* As reference_load(). kept NULL: loads it. */
enum status references_load(struct references *kept, struct db_conn *c, struct uuid deployment_id,
	double threshold, struct reference **out, struct err *err) MUST_CHECK;
struct reference *reference_hold(struct reference *r);
void reference_drop(struct reference *r);
/* Whether two are of the same images, model and threshold. */
bool reference_is(const struct reference *r, struct uuid id, double threshold);
/* Whether a predicted image is one of a PRODUCTION reference's own. */
bool reference_has_asset(const struct reference *r, struct uuid predicted_asset_id);
/* Whether a feature may raise an alarm: of an optimistic reference only those of the image may. */
bool reference_may_alarm(const struct reference *r, enum feature f);

#endif
