/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of datasets, their versions, and the assets in these. Texts that are read live in the arena. */
#ifndef GYRE_STORE_DATASET_ROWS_H
#define GYRE_STORE_DATASET_ROWS_H

#include "store/data_rows.h"
#include "store/rows.h"

struct dataset_row {
	struct uuid id, organization_id;
	const char *name, *description;
	int64_t created_us;
};

enum status dataset_rows_insert(struct db_conn *c, const struct dataset_row *d,
	struct err *err) MUST_CHECK; /* ST_CONFLICT: the name */
enum status dataset_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct dataset_row *out,
	struct err *err) MUST_CHECK;
enum status dataset_rows_by_name(struct db_conn *c, const char *name, struct arena *a,
	struct dataset_row *out, struct err *err) MUST_CHECK; /* ST_MISSING */
enum status dataset_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct dataset_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;
/* Writes name and description. */
enum status dataset_rows_update(struct db_conn *c, const struct dataset_row *d, struct err *err) MUST_CHECK;
/* The versions, the oldest first. */
enum status dataset_rows_version_ids(struct db_conn *c, struct uuid id, struct arena *a, struct uuid **ids,
	size_t *count, struct err *err) MUST_CHECK;
/* With all its versions. ST_LOCKED: one of them is. ST_CONFLICT: one of them is used, by a Feedback Loop say;
 * the sentence names it. */
enum status dataset_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

struct dataset_version_row {
	struct uuid id, dataset_id;
	const char *version, *description;
	const char *type;           /* wire name */
	struct uuid forked_from_id; /* zero: none */
	int64_t revision;
	int64_t locked_us;       /* 0: it may be changed */
	const char *locked_hash; /* NULL: it is not locked */
	int64_t created_us;
	const char *dataset_name; /* only read */
};

enum status dataset_version_rows_insert(
	struct db_conn *c, const struct dataset_version_row *v, struct err *err) MUST_CHECK;
enum status dataset_version_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct dataset_version_row *out, struct err *err) MUST_CHECK;
enum status dataset_version_rows_by_name(struct db_conn *c, struct uuid dataset_id, const char *version,
	struct arena *a, struct dataset_version_row *out, struct err *err) MUST_CHECK;
enum status dataset_version_rows_list(struct db_conn *c, struct uuid dataset_id, const struct rows_page *page,
	struct arena *a, struct dataset_version_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK;
/* The one that was made last. *found false: the dataset has none. */
enum status dataset_version_rows_newest(struct db_conn *c, struct uuid dataset_id, struct arena *a,
	struct dataset_version_row *out, bool *found, struct err *err) MUST_CHECK;
struct dataset_version_counts {
	int64_t assets, annotated, labels; /* annotated: assets that have an annotation, be it empty */
};
enum status dataset_version_rows_counts(
	struct db_conn *c, struct uuid id, struct dataset_version_counts *out, struct err *err) MUST_CHECK;
/* Writes version, description, type. */
enum status dataset_version_rows_update(
	struct db_conn *c, const struct dataset_version_row *v, struct err *err) MUST_CHECK;
enum status dataset_version_rows_set_locked(struct db_conn *c, struct uuid id, int64_t locked_us,
	const char *hash, struct err *err) MUST_CHECK; /* 0 and NULL: unlocked */
/* What delete would refuse, as far as it is known beforehand. */
enum status dataset_version_rows_check_deletable(
	struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
/* With its labels, assets and annotations. ST_LOCKED; ST_CONFLICT: it is used, and by what. */
enum status dataset_version_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
/*
 * Every change of labels, assets or annotations calls this first, in its transaction: ST_LOCKED (423) with a
 * sentence when the version is locked, ST_MISSING when it is gone; else its revision is one more.
 */
enum status dataset_version_rows_touch(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

/* ST_LOCKED or ST_MISSING, like touch, for what leaves the revision alone. */
enum status dataset_version_rows_check_open(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

struct asset_row {
	struct uuid id, dataset_version_id;
	bool evaluation; /* to measure with only: in no export for training */
	int64_t created_us;
	struct data_row data; /* when inserted: only its id is looked at */
};

/* *inserted false: the version has this data already, and out->id is that asset's. Does not touch the
 * version. */
enum status asset_rows_insert(
	struct db_conn *c, struct asset_row *asset, bool *inserted, struct err *err) MUST_CHECK;
enum status asset_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct asset_row *out,
	struct err *err) MUST_CHECK;
/* *found false: the version does not have it. */
enum status asset_rows_by_data(struct db_conn *c, struct uuid dataset_version_id, struct uuid data_id,
	struct arena *a, struct asset_row *out, bool *found, struct err *err) MUST_CHECK;
enum status asset_rows_list(struct db_conn *c, struct uuid dataset_version_id, const struct rows_page *page,
	struct arena *a, struct asset_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;
enum status asset_rows_count(
	struct db_conn *c, struct uuid dataset_version_id, int64_t *count, struct err *err) MUST_CHECK;
enum status asset_rows_ids(struct db_conn *c, struct uuid dataset_version_id, const struct rows_page *page,
	struct arena *a, struct uuid **ids, size_t *count, int64_t *total, struct err *err) MUST_CHECK;

enum asset_key {
	ASSET_ID,
	ASSET_DATA_ID,
	ASSET_FILENAME,
	ASSET_OBJECT_NAME,
	ASSET_FILENAME_START,
	ASSET_KEY_COUNT
};
/* The filter also asks for one of these texts (ids: as text), at most 1,000. What it keeps is in the arena.
 */
void asset_rows_choose(struct arena *a, enum asset_key key, const char *const *texts, size_t count,
	struct rows_filter *filter);
/* The object of the oldest; NULL: the version is empty. */
enum status asset_rows_cover(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	const char **object_name, struct err *err) MUST_CHECK;
/* ST_MISSING names one that is no asset of the version. */
enum status asset_rows_check(struct db_conn *c, struct uuid dataset_version_id, const struct uuid *ids,
	size_t count, struct err *err) MUST_CHECK;
/* *changed false: it was so before, or is no asset of the version. Does not touch the version. */
enum status asset_rows_set_evaluation(struct db_conn *c, struct uuid dataset_version_id, struct uuid id,
	bool evaluation, bool *changed, struct err *err) MUST_CHECK;
/* With its annotations; the data stays. Does not touch the version. */
enum status asset_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

#endif
