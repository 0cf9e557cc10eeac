/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of deployments and their history. */
#ifndef GYRE_STORE_DEPLOYMENT_ROWS_H
#define GYRE_STORE_DEPLOYMENT_ROWS_H

#include "store/rows.h"

struct deployment_row {
	struct uuid id;
	struct uuid organization_id;
	const char *name;
	const char *type; /* wire name of the inference type */
	struct uuid champion_id;
	int64_t champion_since_us;
	bool serving; /* false: predicted elsewhere */
	double threshold, sample_rate;
	struct uuid datalake_id;
	int64_t paused_us; /* 0: not paused */
	const char *paused_by;
	int64_t created_us;
};

struct deployment_event_row {
	int64_t at_us;
	const char *what, *who, *from, *to;
	const char *why; /* by which rule; NULL: a person's wish */
};

/* ST_CONFLICT when the name is taken. */
enum status deployment_rows_insert(
	struct db_conn *c, const struct deployment_row *d, struct err *err) MUST_CHECK;
/* ST_MISSING with a sentence. Texts in the arena. */
enum status deployment_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct deployment_row *out, struct err *err) MUST_CHECK;
enum status deployment_rows_by_name(struct db_conn *c, const char *name, struct arena *a,
	struct deployment_row *out, struct err *err) MUST_CHECK;
enum status deployment_rows_exists(
	struct db_conn *c, struct uuid id, bool *exists, struct err *err) MUST_CHECK;
/* *items in the arena, *total without the limit. */
enum status deployment_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct deployment_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;
/* Writes name, champion, threshold, sample rate, datalake, pause of *d. */
enum status deployment_rows_update(
	struct db_conn *c, const struct deployment_row *d, struct err *err) MUST_CHECK;
enum status deployment_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

enum status deployment_rows_add_event(
	struct db_conn *c, struct uuid id, const struct deployment_event_row *e, struct err *err) MUST_CHECK;
enum status deployment_rows_events(struct db_conn *c, struct uuid id, struct arena *a,
	struct deployment_event_row **items, size_t *count,
	struct err *err) MUST_CHECK; /* newest first, at most 500 */
/* Whether the version was ever its champion. */
enum status deployment_rows_was_champion(
	struct db_conn *c, struct uuid id, struct uuid version_id, bool *was, struct err *err) MUST_CHECK;
/* The version that was champion before the present one; zero when there is none. */
enum status deployment_rows_previous_champion(
	struct db_conn *c, struct uuid id, struct uuid *out, struct err *err) MUST_CHECK;

#endif
