/* SPDX-License-Identifier: Apache-2.0 */
/* The log of predictions as those read it who measure: in the order of positions, images or no images. */
#ifndef GYRE_STORE_LOG_ROWS_H
#define GYRE_STORE_LOG_ROWS_H

#include "store/db.h"

/* A prediction, of a champion or a shadow; texts and blobs are arena memory. */
struct log_row {
	int64_t position;
	struct uuid id, deployment_id, predicted_asset_id, version_id;
	bool is_shadow;
	bool gone; /* its image is no more, or was not kept */
	int64_t created_us;
	double threshold; /* in force when it was answered */
	int64_t latency_us, cpu_us;
	struct span shapes;      /* packed: task/shape.h */
	struct span features;    /* half floats; empty: none */
	const char *image_stats; /* JSON */
	struct span image_sign;  /* vision/image_sign.h; empty: none */
	const char *source;
	uint32_t width, height; /* pixels as shown */
};

/* Those after the position, lowest first, of all deployments or (not zero) of one. */
enum status log_rows_after(struct db_conn *c, struct uuid deployment_id, int64_t position, size_t limit,
	struct arena *a, struct log_row **items, size_t *count, struct err *err) MUST_CHECK;
/* The highest position that was ever given; 0: none. */
enum status log_rows_end(struct db_conn *c, int64_t *position, struct err *err) MUST_CHECK;

/* Which champions' predictions of a deployment. Zeroes and NULLs: no restriction. */
struct log_filter {
	int64_t from_us, to_us; /* from_us <= created_us < to_us */
	int64_t after;          /* position > after */
	struct uuid version_id;
	const char *source;
	const char *const *tags; /* of the image or its data: any of these; what is gone has none */
	size_t tag_count;
	/* And what this says of each, asked last; NULL: no more. watch/seen.h has one for labels. */
	bool (*keep)(void *arg, const struct log_row *row);
	void *keep_arg;
	const struct uuid *without; /* predicted assets, sorted by bytes: not these (a reference's own) */
	size_t without_count;
};
/* The newest first. */
enum status log_rows_newest(struct db_conn *c, struct uuid deployment_id, const struct log_filter *f,
	size_t limit, struct arena *a, struct log_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Those at the positions (ascending) that pass the filter. */
enum status log_rows_at(struct db_conn *c, struct uuid deployment_id, const struct log_filter *f,
	const int64_t *positions, size_t position_count, struct arena *a, struct log_row **items,
	size_t *count, struct err *err) MUST_CHECK;

#endif
