/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A feedback world (feedback_world.h) whose deployment trains and deploys by itself, on a database that fails
 * by plan: the recorder, the rows, the loop and the stages snapshot and deploy are the real ones; trainer,
 * evaluation and publication are played.
 */
#ifndef GYRE_TEST_LOOP_WORLD_H
#define GYRE_TEST_LOOP_WORLD_H

#include "learn/continuous_training.h"
#include "learn/loop.h"
#include "learn/stages.h"
#include "learn/training_inside.h"
#include "store/db_faulty.h"
#include "store/project_rows.h"
#include "store/recorder.h"

#include "feedback_world.h"

#include <limits.h>

#define LW_IMAGES_MAX 160

struct lw_image {
	struct uuid id, data_id;
	bool in_test; /* its bytes are in the version to test with */
	bool evaluation, submitted;
	int64_t epoch;
};

struct loop_world {
	struct review_world w; /* conn is NULL while the recorder writes */
	struct recorder *recorder;
	struct db_readers *readers;
	struct trainings *trainings;
	struct loop_options loop;
	struct uuid train_id, test_id, project_id;
	struct lw_image images[LW_IMAGES_MAX];
	size_t image_count;
	int64_t now_us;
	uint64_t chance;
	bool dead; /* a planned failure began: what fails from here is no fault */
};

static inline uint64_t lw_random(struct loop_world *l, uint64_t below)
{
	uint64_t x = l->chance += 0x9e3779b97f4a7c15; /* SplitMix64 */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return (x ^ (x >> 31)) % below;
}

/* ---- images ---- */

/* With bytes of its own, and reviewed. */
static inline void lw_add_image(struct loop_world *l, bool in_test)
{
	struct review_world *w = &l->w;
	struct lw_image *image = &l->images[l->image_count++];
	char digits[65];
	*image = (struct lw_image){.in_test = in_test};
	image->id = fw_reviewed(w, FW_BOX);
	struct db_query q = db_query(w->conn, "SELECT data_id FROM predicted_asset WHERE id = $1");
	db_bind_uuid(&q, image->id);
	if (db_next(&q))
		image->data_id = db_uuid(&q, 0);
	RW_OK(w, db_done(&q, &w->err));
	for (size_t i = 0; i < 32; i++)
		snprintf(digits + 2 * i, 3, "%02x", image->data_id.bytes[i % 16]);
	q = db_query(w->conn, "UPDATE object SET sha256 = $1, content_type = 'image/png', size_bytes = 1"
			      " WHERE name = (SELECT object_name FROM data WHERE id = $2)");
	db_bind_text(&q, digits);
	db_bind_uuid(&q, image->data_id);
	RW_OK(w, db_done(&q, &w->err));
	struct asset_row asset = {.id = rw_id(),
		.dataset_version_id = l->test_id,
		.created_us = RW_FIRST_US,
		.data = {.id = image->data_id}};
	bool inserted;
	if (in_test)
		RW_OK(w, asset_rows_insert(w->conn, &asset, &inserted, &w->err));
}

/* ---- settings ---- */

static inline void lw_add_settings(struct loop_world *l, int64_t threshold, const char *policy, bool tests)
{
	struct review_world *w = &l->w;
	struct project_row project = {.id = l->project_id,
		.organization_id = w->organization_id,
		.name = "line",
		.description = "",
		.created_us = RW_FIRST_US};
	struct continuous_training_row ct = {.deployment_id = w->deployment_id,
		.active = true,
		.project_id = l->project_id,
		.parameters = "{\"epochs\":1}",
		.trigger = TRIGGER_FEEDBACK_LOOP,
		.threshold = threshold,
		.drift_images_min = 1,
		.trainer = "default",
		.updated_by = "ann"};
	struct continuous_deployment_row cd = {.deployment_id = w->deployment_id,
		.active = true,
		.policy = policy,
		.gate = true,
		.tolerance = TOLERANCE_DEFAULT,
		.promote_by_itself = true,
		.keep_s = 3600,
		.updated_by = "ann"};
	const struct continuous_training_dataset_row train = {"train", l->train_id},
						     test = {"test", l->test_id};
	RW_OK(w, project_rows_insert(w->conn, &project, &w->err));
	RW_OK(w, continuous_training_rows_put(w->conn, &ct, &w->err));
	RW_OK(w, continuous_deployment_rows_put(w->conn, &cd, &w->err));
	RW_OK(w, continuous_training_dataset_rows_put(w->conn, w->deployment_id, &train, &w->err));
	if (tests)
		RW_OK(w, continuous_training_dataset_rows_put(w->conn, w->deployment_id, &test, &w->err));
}

/* ---- processes ---- */

/* What a server opens: from here on the recorder writes. */
static inline void lw_start(struct loop_world *l, const struct training_hooks *hooks,
	enum status (*const *stages)(struct training *t, struct err *err))
{
	RW_OK(&l->w, recorder_start(l->w.db, 64, 16, &l->recorder, &l->w.err));
	RW_OK(&l->w, db_readers_new(l->w.db, 4, &l->readers, &l->w.err));
	const struct trainings_options options = {
		.readers = l->readers,
		.recorder = l->recorder,
		.folder = "runs",
		.command = "true",
		.hooks = *hooks,
	};
	RW_OK(&l->w, trainings_new(&options, &l->trainings, &l->w.err));
	l->trainings->stages = stages;
	l->loop = (struct loop_options){
		.readers = l->readers, .recorder = l->recorder, .arg = hooks->arg, .swap = hooks->swap};
}

static inline void lw_stop(struct loop_world *l)
{
	trainings_free(l->trainings);
	db_readers_free(l->readers);
	recorder_stop(l->recorder);
}

static inline void lw_open(struct loop_world *l, bool faulty)
{
	struct review_world *w = &l->w;
	rw_open(w);
	l->project_id = rw_id();
	l->image_count = 0;
	struct uuid dataset_id = fw_dataset(w);
	l->train_id = fw_version(w, dataset_id, "train");
	l->test_id = fw_version(w, dataset_id, "test");
	if (faulty) {
		db_disconnect(w->conn);
		w->db = db_faulty_new(w->db);
		RW_OK(w, db_connect(w->db, true, &w->conn, &w->err));
	}
}

/* Reading, while the recorder writes. */
static inline int64_t lw_number(struct loop_world *l, const char *sql, struct uuid id)
{
	RW_OK(&l->w, db_reader_take(l->readers, &l->w.conn, &l->w.err));
	int64_t number = rw_number(&l->w, sql, id);
	db_reader_give(l->readers, l->w.conn);
	return number;
}

#endif
