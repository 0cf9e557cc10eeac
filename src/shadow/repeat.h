/* SPDX-License-Identifier: Apache-2.0 */
/* Inside shadow/ only: what a champion predicted, predicted again by another model. */
#ifndef GYRE_SHADOW_REPEAT_H
#define GYRE_SHADOW_REPEAT_H

#include "base/budget.h"
#include "deploy/model.h"
#include "store/blob.h"
#include "store/prediction_rows.h"
#include "store/shadow_rows.h"

/* Whose fault it is when it does not work. */
enum repeat_fault {
	REPEAT_NONE,
	REPEAT_IMAGE,   /* gone, or no image that can be decoded: no other try will help */
	REPEAT_UNREAD,  /* a failing disk, no memory for its pixels: another try may help */
	REPEAT_MODEL,   /* it fails on this image, or its process crashed */
	REPEAT_NOT_NOW, /* the model is busy or being started again: it will work later */
};

struct repeat {
	struct blob *blobs;
	struct budget *pixel_budget;
	struct model *model; /* held by the caller */
	struct uuid deployment_id;
	int64_t seat_deadline_us; /* clock_mono_us */
};

/*
 * Read the image, decode it, run the model. *row: the prediction as it is to be stored, in the arena. Its
 * image statistics are empty: the champion's prediction has them.
 */
enum repeat_fault repeat_run(const struct repeat *r, const struct shadow_task *task, struct arena *a,
	struct prediction_row *row, struct err *err);

#endif
