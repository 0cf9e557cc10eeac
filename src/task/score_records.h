/* SPDX-License-Identifier: Apache-2.0 */
/* What a score keeps: for score.c, which fills it, and score_read.c, which adds it up. */
#ifndef GYRE_TASK_SCORE_RECORDS_H
#define GYRE_TASK_SCORE_RECORDS_H

#include "task/score.h"

/* One answer; 32 bytes. */
struct score_record {
	double score;
	int64_t image;
	uint64_t matched_rank; /* MATCH_BITs, the rank above them */
	uint64_t ignored;      /* MATCH_BITs */
};

#define RECORD_RANK_SHIFT 40
#define RECORD_RANK_MAX 0xffffffu

/* Sums over the recalls, and recalls, of one label: what its numbers are made of. */
struct score_sums {
	double precision[MATCH_AREA_COUNT][MATCH_IOU_MAX];      /* mean over 101 recalls */
	double recall[MATCH_AREA_COUNT][MATCH_IOU_MAX];         /* with up to 100 answers an image */
	double recall1[MATCH_IOU_MAX], recall10[MATCH_IOU_MAX]; /* with the best one, ten; all sizes */
};

struct score_entry {
	int32_t label;
	struct score_record *records;
	size_t count, room;
	uint64_t truths[MATCH_AREA_COUNT];
	size_t shares; /* images that say something of this label */
	size_t sorted; /* so many of the records are in order: by falling score, image, rank */
	bool summed;   /* sums are those of the records */
	struct score_sums sums;
};

struct score {
	struct match_rules rules;
	struct score_entry *entries; /* one a label, in order of appearance */
	size_t entry_count, entry_room;
	struct score_image *images; /* hash table, open addressing; room is a power of 2 */
	size_t image_count, image_room;
};

/* The records of a label in the order in which they are added up. */
void score_sort(struct score_entry *e);
/* Labels in their own order, so that sums do not depend on that of appearance; without those that are gone.
 */
struct score_entry **score_labels(struct score *s, struct arena *a, size_t *count);
/* All images, rising. */
int64_t *score_images(const struct score *s, struct arena *a, size_t *count);
/* Objects of a label that count, of each of these images; how many of the images have some. */
size_t score_truths(const struct score *s, const struct score_entry *e, const int64_t *images, size_t count,
	uint32_t *out);
/* The sorted answers at one MATCH_BIT: the precision at each find; how many. */
size_t score_walk(const struct score_entry *e, uint64_t bit, double *precision);
/* Each the highest of itself and those behind it. */
void score_envelope(double *precision, size_t count);
/* The first of `count` finds with which a recall is reached; count where it is not. */
size_t score_find_at(double recall, size_t count, uint64_t truths);

#endif
