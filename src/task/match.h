/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a model's answers about one image found which true object, for one label: by COCO's rules, or by
 * those of Pascal VOC. The outcome of each answer is a few bits, from which task/score makes its numbers.
 */
#ifndef GYRE_TASK_MATCH_H
#define GYRE_TASK_MATCH_H

#include "base/arena.h"
#include "task/mask.h"
#include "vision/box.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATCH_IOU_MAX 10
#define MATCH_GUESSES_MAX                                                                                    \
	100 /* COCO: of an image and label the best by score; what follows does not count                    \
	     */

/* COCO's classes of size, by area in square pixels; both ends belong to a class. */
enum match_area {
	MATCH_ALL,    /* 0 … 1e10 */
	MATCH_SMALL,  /* 0 … 32² */
	MATCH_MEDIUM, /* 32² … 96² */
	MATCH_LARGE,  /* 96² … 1e10 */
	MATCH_AREA_COUNT
};

/* In pixels, as annotation files have it; float corners would move an IoU across a threshold. */
struct match_box {
	double x, y, width, height;
};
struct match_box match_box_of(struct box b);

struct match_truth {
	int32_t label;
	struct match_box box;
	struct mask mask; /* where masks are matched */
	double area;      /* as annotated; below 0: that of the box or mask */
	bool crowd;     /* COCO: a region of many; what falls into it counts neither as found nor as wrong */
	bool difficult; /* VOC: found or not, it does not count */
};

struct match_guess {
	int32_t label;
	double score; /* NaN is the lowest */
	struct match_box box;
	struct mask mask;
};

struct match_rules {
	bool voc;              /* VOC's rules instead of COCO's; there only MATCH_ALL is used */
	bool masks;            /* overlap of masks instead of boxes. COCO's rules only */
	bool inclusive_pixels; /* VOC: a box from 3 to 5 is 3 pixels wide, as in the challenge's own program
				*/
	unsigned iou_count;    /* 1…MATCH_IOU_MAX */
	double ious[MATCH_IOU_MAX]; /* rising, above 0, at most 1 */
};

/* Overlap of an answer and a true object; a crowd is divided by the answer's area alone. */
double match_iou(const struct match_rules *rules, const struct match_guess *g, const struct match_truth *t);

/* One bit for each pair of size class and IoU threshold. */
#define MATCH_BIT(area, iou) ((uint64_t)1 << ((area)*MATCH_IOU_MAX + (iou)))

struct match {
	double score;     /* never NaN */
	uint64_t matched; /* it found an object */
	uint64_t ignored; /* it counts neither as right nor as wrong */
	uint32_t rank; /* of the image's answers with this label, from 0, by falling score; ties by order */
};

struct match_outcome {
	struct match *matches; /* by rank; arena memory */
	size_t count;
	uint32_t truths[MATCH_AREA_COUNT]; /* objects that count: those to be found */
};

/*
 * All of one image and one label, in the order given by the file (which decides between equals).
 * COCO: an answer takes the free object of the highest IoU at or above the threshold, the later of two
 * equals; one that counts before one that does not; a crowd can be taken again and again. VOC: an answer
 * belongs to the object of the highest IoU, the first of equals; when that one is taken, or the IoU is below
 * the threshold, it is wrong.
 */
void match_label(const struct match_rules *rules, const struct match_truth *truths, size_t truth_count,
	const struct match_guess *guesses, size_t guess_count, struct arena *a, struct match_outcome *out);

#endif
