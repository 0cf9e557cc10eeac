/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How right a deployment's models are, by what people said of its images: the numbers that need reviews.
 * Each version that predicted a reviewed image is measured by the same truth. What is measured is what was
 * answered: shapes as the API shows them, all that are stored; counts at a threshold use those that reach it.
 *
 * The log of reviews is followed by position: an image counts by its last review, not when that is a skip or
 * an undo, and not when the image is deleted. What is kept in memory of an image is its scored answers
 * (task/score.h, task/confusion.h), which are brought up to date when somebody reads. Numbers are those of
 * measuring all images anew. docs/internals/quality.md.
 */
#ifndef GYRE_WATCH_QUALITY_H
#define GYRE_WATCH_QUALITY_H

#include "store/db.h"
#include "store/queue_rows.h"
#include "task/confusion.h"
#include "task/estimate.h"
#include "task/overlap.h"
#include "task/score.h"
#include "task/task.h"

#define QUALITY_IMAGES_MAX 100000 /* of a deployment: the newest that were reviewed */
#define QUALITY_VERSIONS_MAX 64
#define QUALITY_WINDOWS_MAX 60

/* The chance that the queue had chosen an image by now; 0: unknown. learn/choose.h has it. */
typedef double quality_chance(
	const struct queue_batch *batches, size_t count, const struct queue_image *image);

struct quality;
struct quality *quality_new(struct db_readers *readers, quality_chance *chance);
void quality_free(struct quality *q); /* NULL is fine; nobody may read any more */

/* Zeroes and NULLs but for threshold: no restriction. */
struct quality_filter {
	int64_t from_us, to_us; /* of the image: from_us <= its time < to_us */
	const char *source;
	const char *const *tags; /* of the image or its data: any of these */
	size_t tag_count;
	const char *label; /* numbers of this label alone; classes: images where it is true or answered */
	double threshold;  /* below 0: the deployment's (classes: 0, as the best is always answered) */
	struct uuid version_id;  /* of this version alone */
	const struct uuid *only; /* these images, by their ids or those of their predictions */
	size_t only_count;
	const struct uuid *without;
	size_t without_count;
	bool intervals; /* that take some time: of AP, weighted, random; differences; and windows */
};

enum quality_role { QUALITY_CHAMPION, QUALITY_SHADOW, QUALITY_PAST };

struct quality_label {
	int32_t label;        /* into labels of the report */
	uint64_t truths;      /* objects; images */
	double ap, ap50, iou; /* -1: there is none */
	struct score_counts counts;
};

struct quality_version {
	struct uuid id;
	const char *name, *model_name;
	int64_t version;
	enum quality_role role;
	size_t images;                /* reviewed ones that it predicted */
	struct score_numbers coco;    /* boxes; of segmentation, masks */
	struct class_summary classes; /* over labels, and one more for "none" */
	double mean_iou, mean_dice;   /* -1: of no segmentation */
	struct estimate estimate;     /* AP; accuracy */
	struct estimate weighted;     /* for all images that the queue could choose; images 0: none */
	struct estimate random_only;  /* on those that were chosen whatever they are */
	struct estimate difference; /* of it to the champion, on the images of both; the champion: images 0 */
	struct score_counts at_threshold;
	struct quality_label *labels;
	size_t label_count;
	double curve[SCORE_RECALLS]; /* precision at IoU 0.5; classes: not set */
	struct score_counts confidences[SCORE_CONFIDENCES];
	int best_confidence; /* into confidences; -1: none */
	struct confusion confusion;
	int32_t *confusion_labels; /* of its rows and columns, into labels of the report */
};

struct quality_window {
	int64_t from_us, to_us;
	size_t images;
	double *values; /* of each version: AP, accuracy; -1: nothing to say */
};

struct quality_report {
	enum task task;
	size_t reviewed, with_chance; /* images; those that the queue chose */
	double threshold;
	const char **labels; /* names */
	size_t label_count;
	struct quality_version
		*versions; /* the champion first, then shadows, then past ones, the newest first
			    */
	size_t version_count;
	struct quality_window *windows;
	size_t window_count;
};

/* Reads what is new, and measures. The caller holds no reader. All lives in the arena. ST_MISSING: no such
 * deployment. */
enum status quality_read(struct quality *q, struct uuid deployment_id, const struct quality_filter *filter,
	struct arena *a, struct quality_report *out, struct err *err) MUST_CHECK;

/*
 * Two versions on the same reviewed images: who is better on some of them, and by how much on all that both
 * predicted (the newest QUALITY_PAIR_IMAGES_MAX). A picture's worth is its F1 at the threshold (a wrong label
 * is wrong), right or wrong of classes, the mean IoU of segmentation's labels; nearly equal is a tie.
 */
#define QUALITY_PAIR_IMAGES_MAX 1000
enum quality_winner {
	QUALITY_OPEN, /* not reviewed, or not predicted by both */
	QUALITY_TIE,
	QUALITY_FIRST,
	QUALITY_SECOND,
};
struct quality_pair_label {
	const char *label;
	uint64_t truths;
	double first, second; /* AP; share of the class's images that are right */
	double low, high;     /* 95 % of second - first */
	double chance; /* how likely the second is not worse by more than PAIRED_MARGIN (task/paired.h) */
};
struct quality_pair {
	size_t images;
	const char *metric;                          /* "AP", "accuracy" */
	double first, second, difference, low, high; /* first -1: there is none */
	struct quality_pair_label *labels;
	size_t label_count;
};
/*
 * winners: one for each of ids. *revision: of what is kept; when it is the one that came in, `out` is left as
 * it is, as nothing but the threshold can have changed. The caller holds no reader.
 */
enum status quality_read_pair(struct quality *q, struct uuid deployment_id, struct uuid first,
	struct uuid second, const struct uuid *ids, size_t count, enum quality_winner *winners,
	uint64_t *revision, struct arena *a, struct quality_pair *out, struct err *err) MUST_CHECK;

/* One reviewed image, as one version answered it: for lists. */
struct quality_image {
	struct uuid predicted_asset_id, prediction_id, version_id;
	int64_t created_us;
	uint64_t found, wrong, missed; /* at the threshold, whatever the label is: a wrong label is wrong */
	double ap;                     /* of the image alone; -1: nothing to find, or classes */
	int32_t truth, guess;          /* classes: labels of the report, or CONFUSION_NONE */
	const int32_t *truths;         /* labels of what is on it */
	size_t truth_count;
};
/* Oldest first; *report: labels, threshold and counts alone. */
enum status quality_read_images(struct quality *q, struct uuid deployment_id,
	const struct quality_filter *filter, struct arena *a, struct quality_image **items, size_t *count,
	struct quality_report *report, struct err *err) MUST_CHECK;

#endif
