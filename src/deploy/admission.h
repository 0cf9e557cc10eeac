/* SPDX-License-Identifier: Apache-2.0 */
/* When a version's file, labels, type or recipe change, it is admitted anew: opened, run once, its recipe
 * found. */
#ifndef GYRE_DEPLOY_ADMISSION_H
#define GYRE_DEPLOY_ADMISSION_H

#include "base/json.h"
#include "store/blob.h"
#include "store/model_rows.h"

/* Does a file of this name hold an ONNX model? */
bool admission_is_onnx(const char *name);

/*
 * Fill in state, state_text, recipe and graph of a version from its onnx_sha256, type, labels and what was
 * given of its recipe (JSON, or NULL). Takes up to the load time-out, so never inside a job. A model that
 * cannot be used is ST_OK, state REFUSED.
 */
enum status admission_run(struct blob *blobs, struct model_version_row *row, const char *recipe_given,
	struct arena *a, struct err *err) MUST_CHECK;

/*
 * The fields of a stored recipe that a person gave, changed by those of `changes` (a JSON object, or NULL)
 * that differ from what is stored: a printed recipe can be edited and sent back. A null takes a given field
 * back. JSON, or NULL for none. ST_INVALID for a key that no recipe has.
 */
enum status admission_given(const char *stored, yyjson_val *changes, struct arena *a, const char **out,
	struct err *err) MUST_CHECK;

#endif
