/* SPDX-License-Identifier: Apache-2.0 */
/* An experiment's result becomes a model version: its artifacts the files, its labelmap the labels, its
 * parameters the parameters. What it started from gives the rest. */
#ifndef GYRE_LEARN_PUBLISH_H
#define GYRE_LEARN_PUBLISH_H

#include "store/blob.h"
#include "store/experiment_rows.h"
#include "store/model_rows.h"

struct publication {
	struct experiment_row experiment;
	struct model_row model; /* made when is_new; else its id is that of the model that gets a version */
	bool is_new;
	struct model_version_row
		row; /* the version; its id is free for the caller to set before the insert */
	struct artifact_row *artifacts;
	size_t artifact_count;
	struct arena *arena;
};

/* Fills in the row and artifacts of p->experiment.id; state EMPTY. Texts in p->arena. */
enum status publication_read(struct db_conn *c, struct publication *p, struct err *err) MUST_CHECK;
/* Where there is an ONNX file: opened, run once, its recipe found (deploy/admission.h). Takes seconds. */
enum status publication_admit(struct blob *blobs, struct publication *p, struct err *err) MUST_CHECK;
/* For a job of the recorder: the version with its files, and the model where it is new. */
enum status publication_insert(struct db_conn *c, struct publication *p, struct err *err) MUST_CHECK;

#endif
