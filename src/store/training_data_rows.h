/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of Training Data: which images the drift and the outliers of a deployment are measured against, as
 * people set it. */
#ifndef GYRE_STORE_TRAINING_DATA_ROWS_H
#define GYRE_STORE_TRAINING_DATA_ROWS_H

#include "store/rows.h"

#define TRAINING_DATA_BY_ITSELF "gyre" /* set_by: nobody chose it, it came with the champion */

struct training_data_row {
	struct uuid deployment_id;
	bool active;                    /* false: disabled, and kept */
	const char *kind;               /* "DATASET", "PRODUCTION" */
	struct uuid dataset_version_id; /* DATASET; zero: it is gone */
	const char *source;             /* PRODUCTION: of this source alone; NULL: of all */
	int64_t from_us;                /* PRODUCTION: from then on; 0: from the first */
	int64_t images_max;
	int64_t set_us; /* references that are older are of what was set before */
	const char *set_by;
};

/* Texts in the arena; *found false: it was never set. */
enum status training_data_rows_get(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct training_data_row *out, bool *found, struct err *err) MUST_CHECK;
/* What was set before gives way. ST_MISSING: no such deployment or dataset version. */
enum status training_data_rows_put(
	struct db_conn *c, const struct training_data_row *row, struct err *err) MUST_CHECK;
/* *found false: there is none. */
enum status training_data_rows_set_active(
	struct db_conn *c, struct uuid deployment_id, bool active, bool *found, struct err *err) MUST_CHECK;
/* Deployments whose Training Data is active. */
enum status training_data_rows_active(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

/* ---- what it is made of ---- */

/* An image that a reference could have. */
struct training_image {
	struct uuid asset_id;
	bool evaluation;
	const char *sha256; /* NULL: its bytes are gone */
	const char *filename;
	uint32_t width, height;
};
/* Of a dataset version, by the hash of their bytes; the same bytes once. *assets counts all. */
enum status training_data_rows_images(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct training_image **items, size_t *count, int64_t *assets, struct err *err) MUST_CHECK;
/* How many images of the log PRODUCTION would have now, counted up to images_max. version_id not zero: that
 * it predicted. */
enum status training_data_rows_seen(struct db_conn *c, const struct training_data_row *row,
	struct uuid version_id, int64_t *count, struct err *err) MUST_CHECK;
/* The position after which a deployment's newest `count` champions' predictions are. */
enum status training_data_rows_back(struct db_conn *c, struct uuid deployment_id, int64_t count,
	int64_t *position, struct err *err) MUST_CHECK;
/* Bytes of a predicted image; NULL: gone. */
enum status training_data_rows_blob(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	const char **sha256, struct err *err) MUST_CHECK;
/* Whether, by the Experiments that know it, nothing of a dataset version was trained on: it is attached as
 * test or validation data and never as another. experiment_id not zero: by that one alone. *known false: none
 * knows it. */
enum status training_data_rows_role(struct db_conn *c, struct uuid dataset_version_id,
	struct uuid experiment_id, bool *known, bool *held_out, struct err *err) MUST_CHECK;
/* The dataset version of the Experiment that a model version comes from which tells most: with at least
 * images_min evaluation images; else a held-out one with as many images; else what it was trained on. Zero:
 * none. */
enum status training_data_rows_suggest(struct db_conn *c, struct uuid model_version_id, int64_t images_min,
	struct arena *a, struct uuid *out, const char **name, struct err *err) MUST_CHECK;

#endif
