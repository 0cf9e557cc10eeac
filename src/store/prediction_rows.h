/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the prediction log and of the images that deployments saw. */
#ifndef GYRE_STORE_PREDICTION_ROWS_H
#define GYRE_STORE_PREDICTION_ROWS_H

#include "store/rows.h"

struct prediction_row {
	int64_t position; /* in the log; 0 before it is inserted */
	struct uuid id, deployment_id, predicted_asset_id, model_version_id;
	bool is_shadow;
	int64_t created_us;
	double threshold; /* in force when it was answered */
	int64_t latency_us, cpu_us;
	const char *steps_us; /* JSON: {"decode": 5000, …} */
	int64_t shape_count;
	double score_max;        /* 0 without shapes */
	struct span shapes;      /* packed: task/shape.h */
	struct span features;    /* half floats; empty without a tap */
	const char *image_stats; /* JSON */
	struct span image_sign;  /* only written: vision/image_sign.h; empty: not known */
	bool asked;              /* a shadow's, that a client asked for and was given */
};

/* A prediction with the image it is about. */
struct predicted_row {
	struct prediction_row prediction;
	const char *asset_status; /* "TO REVIEW" … */
	struct uuid data_id;
	const char *filename, *object_name, *content_type;
	int64_t width, height;
	const char *metadata, *custom_metadata, *source;
};

/* For the tables of predictions: the columns id … image_stats bound in the order of the struct; and read from
 * column 0, position … image_stats and asked. */
void prediction_rows_bind(struct db_query *q, const struct prediction_row *p);
struct prediction_row prediction_rows_read(struct db_query *q, struct arena *a);
enum status prediction_rows_insert(
	struct db_conn *c, const struct prediction_row *p, struct err *err) MUST_CHECK;
enum status prediction_rows_insert_asset(struct db_conn *c, struct uuid id, struct uuid deployment_id,
	struct uuid data_id, int64_t created_us, struct err *err) MUST_CHECK;

/* The newest first (or oldest first); champion predictions only. */
enum status prediction_rows_list(struct db_conn *c, struct uuid deployment_id, bool oldest_first,
	int64_t limit, int64_t offset, struct arena *a, struct predicted_row **items, size_t *count,
	int64_t *total, struct err *err) MUST_CHECK;
/* ST_MISSING. Which: by predicted asset, by prediction ("oracle_prediction_id"), by data or object name
 * within a deployment. */
enum status prediction_rows_by_asset(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct predicted_row *out, struct err *err) MUST_CHECK;
enum status prediction_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct predicted_row *out, struct err *err) MUST_CHECK;
enum status prediction_rows_find(struct db_conn *c, struct uuid deployment_id, const char *key,
	const char *value, struct arena *a, struct predicted_row *out,
	struct err *err) MUST_CHECK; /* key: "filename" or "object_name" */
enum status prediction_rows_find_data(struct db_conn *c, struct uuid deployment_id, struct uuid data_id,
	struct arena *a, struct predicted_row *out, struct err *err) MUST_CHECK;
/* What was said of it, by shadows too, moves to gone_prediction: it stays in the log (log_rows.h). */
enum status prediction_rows_delete_asset(
	struct db_conn *c, struct uuid asset_id, bool *existed, struct err *err) MUST_CHECK;

/* What the shadows said of an image, by version: the newest version last. */
enum status prediction_rows_shadows(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct prediction_row **items, size_t *count, struct err *err) MUST_CHECK;
/* What one version said of an image, as champion or shadow; *found false: nothing. */
enum status prediction_rows_of_version(struct db_conn *c, struct uuid asset_id, struct uuid model_version_id,
	struct arena *a, struct prediction_row *out, bool *found, struct err *err) MUST_CHECK;
/* *changed false: it was asked for before. */
enum status prediction_rows_set_asked(
	struct db_conn *c, struct uuid id, bool *changed, struct err *err) MUST_CHECK;

/* Points of the latency chart, of [from_us, to_us]. */
struct latency_range {
	struct uuid deployment_id;
	struct uuid shadow_version_id; /* zero: the champions'; a shadow's points stand at the time of the
					  image */
	int64_t from_us, to_us, points_max;
};
struct latency_point {
	int64_t at_us, latency_us, cpu_us;
	struct uuid predicted_asset_id;
};
/* The oldest points_max, the oldest first; *more: there are others. */
enum status prediction_rows_latency(struct db_conn *c, const struct latency_range *range, struct arena *a,
	struct latency_point **points, size_t *count, bool *more, struct err *err) MUST_CHECK;
/* Of the champions' predictions at these positions, whose image is still there; or (not zero) what a shadow
 * said of the same images. Oldest first. */
enum status prediction_rows_latency_at(struct db_conn *c, struct uuid shadow_version_id,
	const int64_t *positions, size_t position_count, struct arena *a, struct latency_point **points,
	size_t *count, struct err *err) MUST_CHECK;

/* Totals of a deployment's log, with images that are gone, to start its tally from. */
struct prediction_totals {
	int64_t count, latency_sum_us, last_us;
};
enum status prediction_rows_totals(struct db_conn *c, struct uuid deployment_id,
	struct prediction_totals *out, struct err *err) MUST_CHECK;
/* The newest latencies, newest first, at most room. */
enum status prediction_rows_recent(struct db_conn *c, struct uuid deployment_id, int64_t *latency_us,
	size_t room, size_t *count, struct err *err) MUST_CHECK;

/* A key that was used before: *found, and by which body for which prediction. */
enum status prediction_rows_key(struct db_conn *c, struct uuid deployment_id, const char *key, bool *found,
	uint8_t body_sha256[32], struct uuid *prediction_id, struct err *err) MUST_CHECK;
/* ST_CONFLICT when the key exists. */
enum status prediction_rows_insert_key(struct db_conn *c, struct uuid deployment_id, const char *key,
	const uint8_t body_sha256[32], struct uuid prediction_id, int64_t created_us,
	struct err *err) MUST_CHECK;

#endif
