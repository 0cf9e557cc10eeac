/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of bursts, pictures of one scene that stay on one side (docs/internals/bursts.md). Read bytes live in
 * the arena. */
#ifndef GYRE_STORE_BURST_ROWS_H
#define GYRE_STORE_BURST_ROWS_H

#include "store/db.h"

/* A picture that a deployment saw. */
struct burst_picture {
	struct uuid predicted_asset_id;
	struct uuid burst_id;  /* zero: in none yet */
	struct uuid source_id; /* zero: of none */
	int64_t created_us;
	uint32_t width, height;
	const char *sha256;     /* of its bytes; NULL: not there */
	struct span image_sign; /* vision/image_sign.h; empty: not known */
};

/* Deployments with a Feedback Loop and pictures that are in no burst. */
enum status burst_rows_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;
/* Of a deployment those in no burst, the oldest first; and those that are in one, the newest first. */
enum status burst_rows_alone(struct db_conn *c, struct uuid deployment_id, int64_t limit, struct arena *a,
	struct burst_picture **items, size_t *count, struct err *err) MUST_CHECK;
enum status burst_rows_recent(struct db_conn *c, struct uuid deployment_id, int64_t limit, struct arena *a,
	struct burst_picture **items, size_t *count, struct err *err) MUST_CHECK;
/* *found false: it is not there, or was not predicted on. */
enum status burst_rows_picture(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct burst_picture *out, bool *found, struct err *err) MUST_CHECK;
/* The burst of the oldest picture of these bytes, of whichever deployment. *found false: none. */
enum status burst_rows_of_bytes(struct db_conn *c, const char *sha256, struct uuid *burst_id, bool *found,
	struct err *err) MUST_CHECK;
/* How many pictures it has, and when the first of them came (0: none). */
enum status burst_rows_size(struct db_conn *c, struct uuid burst_id, int64_t *pictures, int64_t *first_us,
	struct err *err) MUST_CHECK;

/* For good: a picture that is in a burst stays there. */
enum status burst_rows_put(
	struct db_conn *c, struct uuid predicted_asset_id, struct uuid burst_id, struct err *err) MUST_CHECK;
/* The looks of a picture whose prediction has none. */
enum status burst_rows_put_sign(struct db_conn *c, struct uuid predicted_asset_id, struct span image_sign,
	struct err *err) MUST_CHECK;
/* The side of a burst; it is `evaluation` from now on when it was not decided before. */
enum status burst_rows_side(
	struct db_conn *c, struct uuid burst_id, bool *evaluation, struct err *err) MUST_CHECK;
/* Of the assets of a dataset version that have the bytes of a data: *evaluation when all of them are kept to
 * measure with. *found false: none has. */
enum status burst_rows_side_of_bytes(struct db_conn *c, struct uuid dataset_version_id, struct uuid data_id,
	bool *evaluation, bool *found, struct err *err) MUST_CHECK;

#endif
