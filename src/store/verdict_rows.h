/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of what reviews say of a shadow, of the disagreements that were drawn for them, and of the pairs of
 * answers that both come from. docs/internals/verdict.md. */
#ifndef GYRE_STORE_VERDICT_ROWS_H
#define GYRE_STORE_VERDICT_ROWS_H

#include "store/rows.h"

#define VERDICT_BETTER "BETTER"
#define VERDICT_UNSURE "UNSURE"
#define VERDICT_WORSE "WORSE"

struct verdict_row {
	struct uuid deployment_id, model_version_id, champion_id;
	struct uuid shadow_id; /* of the following: of another one, it is no verdict on this */
	const char *state;     /* VERDICT_…; once it is not UNSURE it stays */
	int64_t wins, losses, ties;
	double log_e, log_e_worse; /* the largest so far */
	int64_t seen, discordant;
	const char *sentence, *guards; /* guards: JSON */
	bool may_promote;
	int64_t decided_us; /* 0: UNSURE */
	int64_t updated_us;
};

/* *found false: none, or one of another following. */
enum status verdict_rows_get(struct db_conn *c, struct uuid deployment_id, struct uuid shadow_id,
	struct uuid champion_id, struct arena *a, struct verdict_row *out, bool *found,
	struct err *err) MUST_CHECK;
enum status verdict_rows_put(struct db_conn *c, const struct verdict_row *row, struct err *err) MUST_CHECK;

/* ---- the sample ---- */

struct sample_row {
	int64_t place;
	struct uuid predicted_asset_id;
	const char *status; /* of the image: "TO REVIEW" … */
};
/* By place: of images that are still there. */
enum status sample_rows_list(struct db_conn *c, struct uuid shadow_id, struct uuid champion_id,
	struct arena *a, struct sample_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Behind those that are there; what is drawn already is passed over. */
enum status sample_rows_add(struct db_conn *c, struct uuid shadow_id, struct uuid champion_id,
	const struct uuid *ids, size_t count, int64_t now_us, struct err *err) MUST_CHECK;
/* TO REVIEW and before nobody, by place, at most limit. Call queue_rows_expire() before. */
enum status sample_rows_next(struct db_conn *c, struct uuid shadow_id, struct uuid champion_id, int64_t limit,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err) MUST_CHECK;

/* ---- pairs of answers ---- */

struct pair_row {
	int64_t position; /* of the shadow's, in the log */
	struct uuid predicted_asset_id;
	struct span champion, shadow; /* packed shapes */
};
/* What a shadow repeated of a champion, behind a position, at most limit; by position. */
enum status pair_rows_list(struct db_conn *c, struct uuid deployment_id, struct uuid shadow_version_id,
	struct uuid champion_id, int64_t after, int64_t limit, struct arena *a, struct pair_row **items,
	size_t *count, struct err *err) MUST_CHECK;
/* The position behind which the newest `count` of a shadow's repetitions are; 0: there are fewer. */
enum status pair_rows_newest(struct db_conn *c, struct uuid deployment_id, struct uuid shadow_version_id,
	int64_t count, int64_t *after, struct err *err) MUST_CHECK;

#endif
