/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model version that can answer: its graph in a child process, its recipe, its
 * labels. And how an uploaded ONNX file becomes one, or is refused with a reason.
 */
#ifndef GYRE_DEPLOY_MODEL_H
#define GYRE_DEPLOY_MODEL_H

#include "base/arena.h"
#include "base/uuid.h"
#include "engine/engine.h"
#include "store/blob.h"
#include "store/model_rows.h"
#include "task/recipe.h"

/* Limits of a model's process, from the settings. */
struct model_limits {
	unsigned seats;
	uint64_t memory_bytes_max;
	int64_t load_timeout_us;
	int64_t run_timeout_us;
};

/* What admission found, to be stored with the version. */
struct model_verdict {
	bool ready;              /* false: state REFUSED */
	const char *state_text;  /* a sentence: why refused, or what was guessed; NULL if there is nothing to
				    say */
	const char *recipe;      /* JSON, NULL when refused before one was found */
	const char *graph;       /* JSON: inputs, outputs, opset, producer, weights_bytes, probe_us */
	uint32_t labels_skipped; /* labels at the front that name the background class (0 or 1): not to be
				    stored */
};

/*
 * Inspect the file without running it, open it in its child under a time-out and a memory cap, run it once on
 * constant grey, find the recipe and overlay what was given (JSON, or NULL). Takes up to the load time-out. A
 * model at fault is a verdict (ready = false, ST_OK); other events (no ONNX Runtime here, no memory) are the
 * status. label_count 0: unknown.
 */
enum status model_admit(const char *onnx_path, enum task task, const char *const *labels,
	uint32_t label_count, const char *recipe_given, struct arena *a, struct model_verdict *out,
	struct err *err) MUST_CHECK;

/* Set once at start; until then the defaults hold. */
void model_limits_set(const struct model_limits *limits);

/* Immutable once opened; counted. */
struct model {
	_Atomic int holds;
	struct uuid version_id, model_id;
	int64_t version;
	const char *model_name, *version_name;
	const char **labels; /* label_count names; class index → name */
	uint32_t label_count;
	struct recipe recipe;
	struct engine_description description;
	struct engine *engine;
	struct arena arena; /* owns the texts */
};

/* The recipe and the labels of a version that has a file, in the arena. */
enum status model_version_read(const struct model_version_row *v, struct arena *a, struct recipe *recipe,
	const char ***labels, uint32_t *label_count, struct err *err) MUST_CHECK;
/* What model_open() looks at of a version, in an arena that lives longer than its row. */
struct model_version_row model_version_kept(const struct model_version_row *v, struct arena *a);

/* Open a READY version (ST_CONFLICT with a sentence when it is not). The caller holds the result once. */
enum status model_open(const struct model_version_row *row, const char *model_name, struct blob *blobs,
	struct model **out, struct err *err) MUST_CHECK;
/* The same for a shadow: one seat, in a process that stands back for those of champions. */
enum status model_open_background(const struct model_version_row *row, const char *model_name,
	struct blob *blobs, struct model **out, struct err *err) MUST_CHECK;
struct model *model_hold(struct model *m);
void model_drop(struct model *m); /* the last one ends the child */

/* {"0": "person", …} → names in order, in the arena. ST_INVALID when the keys are not 0…n-1. NULL or "{}"
 * gives none. */
enum status model_labels(
	const char *json, struct arena *a, const char ***labels, uint32_t *count, struct err *err) MUST_CHECK;
/* The same for a stored version, read through c. */
enum status model_labels_of(struct db_conn *c, struct uuid version_id, struct arena *a, const char ***labels,
	uint32_t *count, struct err *err) MUST_CHECK;
/* The name of a class, or its number as text where the version has no labels; in the arena. */
const char *model_label(const char *const *labels, uint32_t label_count, int32_t index, struct arena *a);

#endif
