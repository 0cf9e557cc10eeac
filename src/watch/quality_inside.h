/* SPDX-License-Identifier: Apache-2.0 */
/* Inside watch/ only: what is kept in memory of a deployment's reviewed images. */
#ifndef GYRE_WATCH_QUALITY_INSIDE_H
#define GYRE_WATCH_QUALITY_INSIDE_H

#include "os/thread.h"
#include "watch/quality.h"

/* What a version said of an image; owns its lists. */
struct kept_answer {
	uint32_t version;
	struct uuid prediction_id;
	struct confusion_pair *pairs;
	struct overlap *overlaps; /* segmentation */
	uint32_t pair_count, overlap_count;
};

struct kept_image {
	int64_t key; /* the first position of the log that is about it; of the scores too */
	struct uuid id;
	int64_t created_us;
	int32_t source;            /* into texts; -1: none */
	bool by_queue, random;     /* chosen by it, whatever it is */
	struct queue_image chosen; /* by_queue */
	struct kept_answer *answers;
	int32_t *truths; /* labels of what is on it, in the review's order */
	uint32_t answer_count, truth_count;
	bool wanted; /* by the filter at hand */
};

struct kept_version {
	struct uuid id;
	struct score *score; /* NULL for classes */
	int32_t *labels;     /* of the version's own, in the deployment's count */
	uint32_t label_count;
	struct kept_intervals {
		uint64_t revision; /* of what they are */
		size_t batches;
		struct uuid champion_id;
		struct estimate estimate, weighted, random_only, difference;
	} intervals; /* of all images; champion_id zero: none yet */
};

struct kept {
	struct uuid deployment_id;
	int holds;            /* guarded by the list's lock */
	uint64_t used;        /* the same: when it was last read */
	pthread_mutex_t lock; /* guards all below */
	bool loaded;
	enum task task;
	double threshold; /* segmentation: of the overlaps */
	int64_t review_position, prediction_position, batch_position;
	uint64_t revision;          /* of what is kept */
	struct kept_image **images; /* by key */
	size_t image_count, image_room;
	struct kept_version versions[QUALITY_VERSIONS_MAX];
	uint32_t version_count;
	char **texts; /* names of labels, and of sources */
	size_t text_count, text_room;
	int32_t *labels; /* of label n: its text */
	bool *reviewed;  /* of label n: whether people look at its shapes; what they do not is neither right
			    nor wrong */
	char *shown;     /* the review settings' labels, JSON; NULL: all */
	size_t label_count, label_room;
};

/* What the database has is kept, exactly; at that threshold where it matters. */
enum status kept_refresh(
	struct kept *k, struct db_conn *c, enum task task, double threshold, struct err *err) MUST_CHECK;
void kept_forget(struct kept *k); /* all images and versions */

/* What people ask for adds nothing: CONFUSION_NONE when it is not there. */
int32_t kept_find_label(const struct kept *k, const char *name);
int32_t kept_find_text(const struct kept *k, const char *text);
const char *kept_label_name(const struct kept *k, size_t label);
/* NULL: it is not kept. */
struct kept_image *kept_find(const struct kept *k, int64_t key);
const struct kept_answer *kept_answer_of(const struct kept_image *image, uint32_t version);

/* quality_report.c: everything but names and roles, for the images that are wanted. */
struct report_input {
	struct kept *kept;
	const struct quality_filter *filter;
	double threshold;
	int32_t label;         /* SCORE_ALL_LABELS, or of the filter */
	bool all;              /* every image is wanted */
	const double *chances; /* of each image kept; 0: not chosen by the queue */
	size_t batch_count;
	uint32_t champion; /* its version's place, or version_count */
};
void report_version(
	const struct report_input *in, uint32_t version, struct arena *a, struct quality_version *out);
void report_windows(const struct report_input *in, const uint32_t *versions, size_t version_count,
	struct arena *a, struct quality_report *out);

/* quality_pair.c. */
void pair_winners(const struct kept *k, double threshold, uint32_t first, uint32_t second,
	const struct uuid *ids, size_t count, enum quality_winner *winners, struct arena *a);
void pair_measure(struct kept *k, uint32_t first, uint32_t second, struct arena *a, struct quality_pair *out);

#endif
