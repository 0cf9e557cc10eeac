/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labelled pictures of others as truths for a model: the annotation files read, their labels found among the
 * model's, their shapes as its task has them.
 */
#ifndef GYRE_LEARN_TRUTHS_H
#define GYRE_LEARN_TRUTHS_H

#include "learn/check.h"

/* Annotations are read into memory many times their size. */
#define TRUTHS_ANNOTATION_BYTES_MAX ((uint64_t)64 << 20)
#define TRUTHS_OUTLINES_MAX 20000 /* each becomes a mask */

struct truths_file {
	const char *name; /* may have folders in it, which say the class where there are no annotations */
	struct span bytes;
	bool picture; /* else an annotation file */
};

struct truths_wanted {
	enum task task;
	const char *const *labels; /* the model's, at least one */
	uint32_t label_count;
};

/* Texts and arrays live in the arena, the bytes of pictures where the files' are. */
struct truths {
	struct check_picture *pictures; /* those that are labelled and have a sound header */
	size_t picture_count;
	bool *labels;                      /* by the model's labels: which the pictures know too */
	size_t labelled_shapes;            /* of those labels */
	const char **matched, **unmatched; /* labels of the pictures */
	size_t matched_count, unmatched_count;
	const char **problems; /* sentences */
	size_t problem_count;
};

/*
 * ST_INVALID: fewer than CHECK_PICTURES_MIN labelled pictures; ST_TOO_LARGE: more than the limits above, or
 * CHECK_PICTURES_MAX; ST_UNPROCESSABLE: no label is the model's, or the annotations are of another task. Each
 * a sentence that says what to give.
 */
enum status truths_make(const struct truths_wanted *wanted, const struct truths_file *files,
	size_t file_count, struct arena *a, struct truths *out, struct err *err) MUST_CHECK;

#endif
