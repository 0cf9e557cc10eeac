/* SPDX-License-Identifier: Apache-2.0 */
/* A review world (review_world.h) with a Feedback Loop into versions of one dataset. */
#ifndef GYRE_TEST_FEEDBACK_WORLD_H
#define GYRE_TEST_FEEDBACK_WORLD_H

#include "learn/feedback.h"
#include "store/review_rows.h"

#include "review_world.h"

#define FW_BOX "[{\"type\":\"rectangle\",\"x\":1,\"y\":2,\"w\":30,\"h\":40,\"label\":\"red\"}]"

static inline struct uuid fw_version(struct review_world *w, struct uuid dataset_id, const char *name)
{
	const struct dataset_version_row row = {.id = rw_id(),
		.dataset_id = dataset_id,
		.version = name,
		.description = "",
		.type = "OBJECT_DETECTION",
		.created_us = RW_FIRST_US};
	RW_OK(w, dataset_version_rows_insert(w->conn, &row, &w->err));
	return row.id;
}

static inline struct uuid fw_dataset(struct review_world *w)
{
	const struct dataset_row row = {.id = rw_id(),
		.organization_id = w->organization_id,
		.name = "corrected",
		.description = "",
		.created_us = RW_FIRST_US};
	RW_OK(w, dataset_rows_insert(w->conn, &row, &w->err));
	return row.id;
}

static inline void fw_label(struct review_world *w, struct uuid version_id, const char *name)
{
	struct label_row row;
	bool made;
	RW_OK(w, label_rows_ensure(w->conn, version_id, name, &w->arena, &row, &made, &w->err));
}

/* Active; by itself after after_s; everything is trained with. */
static inline void fw_set_up(struct review_world *w, int64_t after_s)
{
	const struct feedback_row row = {.deployment_id = w->deployment_id,
		.active = true,
		.submit_by_itself = true,
		.submit_after_s = after_s,
		.created_us = RW_FIRST_US};
	RW_OK(w, feedback_rows_insert(w->conn, &row, &w->err));
}

static inline enum status fw_attach(struct review_world *w, struct uuid version_id)
{
	struct feedback_attachment attachment = {w->deployment_id, version_id, RW_FIRST_US};
	return feedback_attach_job(w->conn, &attachment, &w->err);
}

static inline void fw_review(
	struct review_world *w, struct uuid asset, const char *kind, const char *shapes, int64_t at_us)
{
	bool inserted;
	struct review_row r = {.id = rw_id(),
		.predicted_asset_id = asset,
		.kind = kind,
		.shapes = shapes,
		.who = "ann",
		.seconds = 3,
		.keys = -1,
		.created_us = at_us};
	RW_OK(w, review_rows_insert(w->conn, &r, &inserted, &w->err));
}

static inline struct uuid fw_reviewed(struct review_world *w, const char *shapes)
{
	struct uuid asset = rw_add_image(w, 0.9F, 0);
	fw_review(w, asset, "CORRECTED", shapes, RW_FIRST_US);
	return asset;
}

static inline const char *fw_status(struct review_world *w, struct uuid asset)
{
	return rw_text(w, "SELECT status FROM predicted_asset WHERE id = $1", asset);
}

#endif
