/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of references: Training Data as one model version sees it (watch/reference.h). */
#ifndef GYRE_STORE_REFERENCE_ROWS_H
#define GYRE_STORE_REFERENCE_ROWS_H

#include "store/rows.h"

struct reference_row {
	struct uuid id, deployment_id, model_version_id;
	const char *kind;               /* "DATASET", "PRODUCTION" */
	struct uuid dataset_version_id; /* DATASET */
	int64_t revision;               /* of the dataset version, when it was read; 0: none */
	const char *source;
	const char *status; /* "RUNNING", "READY", "FAILED" */
	struct uuid job_id;
	int64_t images;
	bool held_out, predicted;
	const char *note;       /* sentences, or NULL */
	int64_t position;       /* READY: the log's end at that time */
	int64_t from_us, to_us; /* PRODUCTION: of its images; 0: none */
	int64_t created_us, ready_us;
	const char *error;
};

enum status reference_rows_insert(
	struct db_conn *c, const struct reference_row *row, struct err *err) MUST_CHECK;
enum status reference_rows_set_job(
	struct db_conn *c, struct uuid id, struct uuid job_id, struct err *err) MUST_CHECK;
/* READY: writes revision, images, held_out, predicted, note, outlier (empty: none), from, to and ready_us;
 * the position is the log's end as this transaction finds it. */
enum status reference_rows_ready(
	struct db_conn *c, const struct reference_row *row, struct span outlier, struct err *err) MUST_CHECK;
/* One that still runs. */
enum status reference_rows_fail(
	struct db_conn *c, struct uuid id, const char *error, struct err *err) MUST_CHECK;
/* Of a deployment's Training Data, if that is active, for its champion: the newest READY one; else (any) the
 * newest. Texts in the arena. */
enum status reference_rows_current(struct db_conn *c, struct uuid deployment_id, bool any, struct arena *a,
	struct reference_row *out, bool *found, struct err *err) MUST_CHECK;
/* The same for another version than the champion: a shadow. */
enum status reference_rows_of_version(struct db_conn *c, struct uuid deployment_id, struct uuid version_id,
	bool any, struct arena *a, struct reference_row *out, bool *found, struct err *err) MUST_CHECK;
/* All that run, and the jobs of those of one deployment (zero: all). */
enum status reference_rows_running(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct reference_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Up to `limit` of its images, then, when there are no more, itself: *done. */
enum status reference_rows_delete(
	struct db_conn *c, struct uuid id, int64_t limit, bool *done, struct err *err) MUST_CHECK;
/* Those of the same deployment and version that are older than this one. */
enum status reference_rows_older(struct db_conn *c, const struct reference_row *row, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
/* The outlier model, packed; empty: none. */
enum status reference_rows_outlier(
	struct db_conn *c, struct uuid id, struct arena *a, struct span *out, struct err *err) MUST_CHECK;

/* What is watched now: of each deployment with active Training Data the newest READY reference of its
 * champion. */
struct reference_watched {
	struct uuid deployment_id, reference_id, version_id;
	double threshold; /* of the deployment */
};
enum status reference_rows_watched(struct db_conn *c, struct arena *a, struct reference_watched **items,
	size_t *count, struct err *err) MUST_CHECK;

/* ---- its images ---- */

struct reference_image_row {
	int64_t ordinal;
	struct uuid asset_id; /* PRODUCTION: the predicted asset */
	int64_t width, height;
	bool calibration; /* not what the outlier model is fitted on, but what its ranks are of */
	const char *image_stats;
	struct span shapes; /* packed; NULL data: not predicted */
	struct span features;
};
enum status reference_rows_insert_image(struct db_conn *c, struct uuid reference_id,
	const struct reference_image_row *image, struct err *err) MUST_CHECK;
/* In their order. */
enum status reference_rows_images(struct db_conn *c, struct uuid reference_id, struct arena *a,
	struct reference_image_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Whether the model's features of them are known. */
enum status reference_rows_has_features(
	struct db_conn *c, struct uuid reference_id, bool *features, struct err *err) MUST_CHECK;
/* Of what is on the tags of a predicted image or of its data: names, in their order. */
enum status reference_rows_tags(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	const char ***names, size_t *count, struct err *err) MUST_CHECK;

#endif
