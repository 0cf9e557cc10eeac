/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many assets at once: add, copy, delete; and the lock. The one writer also records
 * what deployments answer, so everything here is cut into batches of some
 * milliseconds, each a transaction: what was cut short in the middle is there in part,
 * and may be done again.
 */
#ifndef GYRE_LEARN_ASSETS_H
#define GYRE_LEARN_ASSETS_H

#include "jobs/jobs.h"
#include "store/recorder.h"

#define ASSETS_AT_ONCE_MAX 1000 /* of one request that is done when it is answered; more are a job */

struct assets_store {
	struct db_readers *readers;
	struct recorder *recorder;
};

struct assets_addition {
	struct uuid dataset_version_id;
	const struct uuid *data_ids;
	size_t count;
	const struct uuid *tag_ids; /* on each asset, also on those that were there */
	size_t tag_count;
};

/*
 * *added: assets that were not there. ST_MISSING names a data or a tag that does not exist, before anything
 * is written; ST_LOCKED. job: may be NULL; it is told of progress, and when it was cancelled the rest stays
 * undone.
 */
enum status assets_add(const struct assets_store *store, const struct assets_addition *addition,
	struct job *job, int64_t *added, struct err *err) MUST_CHECK;

struct assets_copy {
	struct uuid from_id, to_id;
	const struct uuid *asset_ids; /* of from_id; NULL: all */
	size_t count;
	bool with_labels;      /* all of from_id's, with their groups */
	bool with_annotations; /* the one that counts of each asset, with the labels it needs */
	bool with_tags;
};

/*
 * As from_id is when it begins. What to_id has already is left as it is, but gets an annotation if it has
 * none. *copied: assets that were not there. ST_MISSING: an id is of no asset of from_id, and nothing is
 * written.
 */
enum status assets_copy(const struct assets_store *store, const struct assets_copy *copy, struct job *job,
	int64_t *copied, struct err *err) MUST_CHECK;

struct assets_classify {
	struct uuid dataset_version_id;
	const struct uuid *tag_ids; /* of assets or of data */
	size_t tag_count;
	const char *who;
};

/*
 * Whatever has one of the tags, or whose data has it, gets a classification with the label of the tag's name,
 * unless it has that. *changed: annotations that were made or added to. ST_MISSING: there is no such tag.
 */
enum status assets_classify(const struct assets_store *store, const struct assets_classify *all,
	struct job *job, int64_t *changed, struct err *err) MUST_CHECK;

/*
 * Keeps these assets of one version to measure with, and out of every training; or, with evaluation false, no
 * more. *changed: how many were not so before. ST_MISSING: an id is of no asset of it, and nothing is
 * written. ST_LOCKED.
 */
enum status assets_set_evaluation(const struct assets_store *store, struct uuid dataset_version_id,
	const struct uuid *asset_ids, size_t count, bool evaluation, int64_t *changed,
	struct err *err) MUST_CHECK;
/*
 * The same for a share (0…1) of all: exactly those whose bytes' hash is below it, so that the same bytes are
 * always on one side and a larger share keeps what a smaller one had.
 */
enum status assets_hold_out(const struct assets_store *store, struct uuid dataset_version_id, double share,
	int64_t *changed, struct err *err) MUST_CHECK;

/* Those of one version. ST_MISSING: an id is of no asset of it, and nothing is written. */
enum status assets_delete(const struct assets_store *store, struct uuid dataset_version_id,
	const struct uuid *asset_ids, size_t count, struct job *job, struct err *err) MUST_CHECK;
/* All assets, so that deleting the version itself is short. ST_LOCKED. */
enum status assets_delete_all(
	const struct assets_store *store, struct uuid dataset_version_id, struct err *err) MUST_CHECK;

/* The version cannot change any more, and its manifest's hash is with it. Locked already: ST_OK. */
enum status assets_lock(
	const struct assets_store *store, struct uuid dataset_version_id, struct err *err) MUST_CHECK;

#endif
