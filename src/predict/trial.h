/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image on a model by a recipe that may not be the model's own: for people who look
 * for the right one, and for the check that looks for it. The steps are those that
 * serve; nothing is stored.
 */
#ifndef GYRE_PREDICT_TRIAL_H
#define GYRE_PREDICT_TRIAL_H

#include "predict/predict.h"

/*
 * The model's recipe with the fields of a JSON object (NULL: none) over it. ST_INVALID for a bad object;
 * ST_UNPROCESSABLE for a recipe that does not fit the graph or the labels, or that would need the file to be
 * opened anew (another "features_output") or be of another task.
 */
enum status trial_recipe(
	const struct model *m, yyjson_val *changes, struct recipe *out, struct err *err) MUST_CHECK;

enum trial_step { TRIAL_DECODE, TRIAL_PREPROCESS, TRIAL_INFER, TRIAL_POSTPROCESS, TRIAL_STEP_COUNT };
const char *trial_step_name(enum trial_step s); /* "decode" */

struct trial {
	/* given */
	const struct model *model; /* held by the caller */
	const struct recipe *recipe;
	struct arena *arena;   /* shapes live here */
	struct budget *pixels; /* NULL: no limit */
	int64_t seat_timeout_us;
	bool show; /* fill seen */

	/* found */
	struct image_info info; /* by trial_run */
	struct shapes shapes;
	struct image seen; /* what the tensor looks like; trial_release() frees it */
	int64_t step_us[TRIAL_STEP_COUNT];
};

/* All steps on the bytes of an image file; errors as those of predict.h. */
enum status trial_run(struct trial *t, struct span bytes, struct err *err) MUST_CHECK;
/* All but decode, on pixels that the caller has. */
enum status trial_run_on(struct trial *t, const struct image *image, struct err *err) MUST_CHECK;
void trial_release(struct trial *t);

#endif
