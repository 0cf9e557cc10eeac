/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pictures of a set and what is true of them. Each picture is decoded and resized once, as the server
 * does it, and stays in memory as 8-bit pixels of the network's input's size while there is room; the others
 * are read again each time.
 */
#ifndef GYRE_TRAINER_DATA_H
#define GYRE_TRAINER_DATA_H

#ifdef __cplusplus
extern "C" {
#endif

#include "formats/formats.h"
#include "trainer/augment.h"
#include "trainer/job.h"

#define DATA_UNREADABLE_MAX 0.1 /* share of pictures that may be left out */

struct example {
	const char *path;
	const struct labelled_shape *shapes; /* labels are the job's; none is degenerate */
	size_t shape_count;
	int32_t label;          /* of the whole picture; -1: none */
	uint32_t width, height; /* of the picture as it is in the file, as shown */
	uint32_t sides[2];      /* fitted */
	uint8_t *pixels;        /* fitted; NULL: not kept */
};

struct dataset {
	struct arena arena;
	struct example *examples;
	size_t count;
	uint32_t *sides; /* of all examples, two each, as plan_draw() wants them */
	struct tensor_spec spec;
};

/*
 * Reads annotations and pictures. Warnings are events. room: bytes of pixels that may be kept; what is used
 * is taken off. ST_UNPROCESSABLE: too many cannot be read, or none is left; ST_MISSING; ST_TIMEOUT:
 * stop_asked(). Release it in any case.
 */
enum status dataset_read(const struct job *job, const struct job_data *data, uint32_t threads, int64_t *room,
	struct dataset *out, struct err *err) MUST_CHECK;
void dataset_release(struct dataset *d);

/* A fifth of a set, picked by the seed, class by class, becomes the set to validate on. Needs 2 examples. */
void dataset_split(struct dataset *train, uint64_t seed, struct dataset *val);

/* A warning that names the labels that no picture of the set shows, if there are any. */
void dataset_warn_unseen(const struct dataset *d, const struct job *job);

/* What the network is given for a plan's picture, as 8-bit pixels; out: width * height * 3. ST_UNPROCESSABLE
 * when a file changed under us. */
enum status dataset_show(
	const struct dataset *d, const struct plan *p, uint8_t *out, struct err *err) MUST_CHECK;

/* Of a fitted picture: pixels of the file's picture → its own. */
struct box example_box(const struct example *s, struct box b);

/*
 * The class of each pixel of the network's input (width * height), by the outlines of what is shown: a label,
 * or label_count, or -1 in padding and where a region of many or a degenerate shape is. Smaller shapes lie on
 * larger ones.
 */
void dataset_classes(const struct dataset *d, const struct plan *p, int32_t label_count, int16_t *out);

#ifdef __cplusplus
}
#endif

#endif
