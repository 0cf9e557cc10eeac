/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of what is in a dataset version. Of each asset the annotation that counts, the newest, is looked at.
 */
#ifndef GYRE_LEARN_DATASET_STATS_H
#define GYRE_LEARN_DATASET_STATS_H

#include "store/db.h"

#define DATASET_STATS_OBJECTS_MAX 100 /* the last of objects_per_image: so many, or more */

struct dataset_label_count {
	const char *name;
	int64_t shapes, images; /* images: that have at least one */
};

struct dataset_stats {
	int64_t assets, annotated, evaluation; /* evaluation: assets that are kept to measure with */
	int64_t annotations;                   /* all there are, also those that do not count */
	int64_t objects;
	int64_t small, medium, large; /* objects with an area below 32², below 96², from there on: COCO's */
	struct dataset_label_count *labels; /* all of the version, in their order */
	size_t label_count;
	int64_t objects_per_image[DATASET_STATS_OBJECTS_MAX + 1]; /* annotated images with k objects */
	size_t objects_most;                                      /* the largest k that occurs */
};

/* ST_MISSING. */
enum status dataset_stats_read(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct dataset_stats *out, struct err *err) MUST_CHECK;

struct dataset_tag_count {
	const char *name;
	int64_t assets;
};
/* Assets by their tags: those of the assets, or (of_data) those of their data. By name. */
enum status dataset_stats_tags(struct db_conn *c, struct uuid dataset_version_id, bool of_data,
	struct arena *a, struct dataset_tag_count **items, size_t *count, struct err *err) MUST_CHECK;

#endif
