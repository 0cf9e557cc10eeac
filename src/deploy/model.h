/* SPDX-License-Identifier: Apache-2.0 */
/* From an uploaded ONNX file to a model version that is ready, or refused with a reason. */
#ifndef GYRE_DEPLOY_MODEL_H
#define GYRE_DEPLOY_MODEL_H

#include "base/arena.h"
#include "engine/engine.h"
#include "task/recipe.h"

/* What admission found, to be stored with the version. */
struct model_verdict {
	bool ready;             /* false: state REFUSED */
	const char *state_text; /* a sentence: why refused, or what was guessed; NULL if there is nothing to say */
	const char *recipe;     /* JSON, NULL when refused before one was found */
	const char *graph;      /* JSON: inputs, outputs, opset, producer, weights_bytes, probe_us */
};

/*
 * Inspect the file without running it, open it in its child under a time-out and a memory cap, run it once, find the
 * recipe and overlay what was given (JSON, or NULL). Takes up to the load time-out. A model at fault is a verdict
 * (ready = false, ST_OK); other events (no ONNX Runtime here, no memory) are the status.
 * label_count 0: unknown.
 */
enum status model_admit(const char *onnx_path, enum task task, uint32_t label_count, const char *recipe_given, struct arena *a,
	struct model_verdict *out, struct err *err) MUST_CHECK;

#endif
