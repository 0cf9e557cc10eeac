/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of lists of predicted images: filtered and ordered, as ids; the rows of a page are then read one by
 * one. */
#ifndef GYRE_STORE_PREDICTION_LIST_ROWS_H
#define GYRE_STORE_PREDICTION_LIST_ROWS_H

#include "store/rows.h"

#define PREDICTION_STATUSES_MAX 4

struct prediction_filter { /* zeroes but for deployment_id, the scores and the page: all */
	struct uuid deployment_id;
	const char *statuses[PREDICTION_STATUSES_MAX];
	size_t status_count;      /* 0: any */
	const char *source, *tag; /* names; NULL: any. A tag of the predicted image or of its data */
	const char *label;        /* that the champion answered at label_score or above; NULL: any */
	double label_score;
	struct uuid version_id;      /* of the champion that answered; zero: any */
	double score_min, score_max; /* of the best answer; not a number: any */
	int64_t from_us, to_us;      /* of the prediction; 0: any */
	struct rows_page page; /* its filter and order are on predicted_asset; no order: the newest first */
};

/* Whether the list reads what the digest writes (learn/choose.h), which must come up to date before. */
bool prediction_filter_needs_digest(const struct prediction_filter *f);
enum status prediction_list_rows_ids(struct db_conn *c, const struct prediction_filter *f, struct arena *a,
	struct uuid **ids, size_t *count, int64_t *total, struct err *err) MUST_CHECK;

/* What the tool shows beside a prediction. Texts in the arena. */
struct predicted_state {
	int64_t revision;
	int64_t chosen_us; /* 0: not chosen */
	const char *chosen_why;
	double chance; /* below 0: none */
};
enum status prediction_list_rows_state(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct predicted_state *out, struct err *err) MUST_CHECK;

#endif
