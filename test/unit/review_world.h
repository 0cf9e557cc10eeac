/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database of its own with one deployment and the images that it saw, on one connection: for tests of what
 * people say of them. Everything is called directly, as inside one job of the recorder.
 */
#ifndef GYRE_TEST_REVIEW_WORLD_H
#define GYRE_TEST_REVIEW_WORLD_H

#include "base/check.h"
#include "store/account_rows.h"
#include "store/datalake_rows.h"
#include "store/db_sqlite.h"
#include "store/deployment_rows.h"
#include "store/migrate.h"
#include "store/model_rows.h"
#include "store/prediction_rows.h"
#include "task/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct review_world {
	struct db *db;
	struct db_conn *conn;
	struct err err;
	struct arena arena;
	struct uuid organization_id, datalake_id, model_id, version_id, deployment_id;
	int64_t images; /* made so far: each is a second younger than the one before */
};

#define RW_OK(w, call)                                                                                       \
	do {                                                                                                 \
		if ((call) != ST_OK)                                                                         \
			fail_msg("%s: %s: %s", #call, status_name((w)->err.status), (w)->err.text);          \
	} while (0)

#define RW_FIRST_US 1700000000000000 /* when the deployment was made */
#define RW_SECOND_US 1000000

/* The same ones in each run, as draws depend on them. */
static inline struct uuid rw_id(void)
{
	static uint64_t count;
	struct uuid id;
	for (size_t half = 0; half < 2; half++) { /* SplitMix64 */
		uint64_t x = ++count * 0x9e3779b97f4a7c15;
		x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
		x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
		x ^= x >> 31;
		memcpy(id.bytes + 8 * half, &x, 8);
	}
	return id;
}

/* The one number of a query; sql is a literal, $1 an id or nothing. */
static inline int64_t rw_number(struct review_world *w, const char *sql, struct uuid id)
{
	int64_t number = -1;
	struct db_query q = db_query(w->conn, sql);
	if (!uuid_is_zero(id))
		db_bind_uuid(&q, id);
	RW_OK(w, rows_number(&q, &number, &w->err));
	return number;
}

static inline const char *rw_text(struct review_world *w, const char *sql, struct uuid id)
{
	struct db_query q = db_query(w->conn, sql);
	db_bind_uuid(&q, id);
	const char *text = db_next(&q) ? db_text(&q, 0, &w->arena) : NULL;
	RW_OK(w, db_done(&q, &w->err));
	return text;
}

static inline void rw_add_version(struct review_world *w)
{
	struct model_row model = {.id = w->model_id,
		.organization_id = w->organization_id,
		.name = "finder",
		.description = "",
		.created_us = RW_FIRST_US};
	struct model_version_row version = {.id = w->version_id,
		.model_id = w->model_id,
		.name = "one",
		.description = "",
		.type = "OBJECT_DETECTION",
		.framework = "ONNX",
		.labels = "{\"0\": \"red\", \"1\": \"green\", \"2\": \"blue\"}",
		.state = "READY",
		.created_us = RW_FIRST_US};
	RW_OK(w, model_rows_insert(w->conn, &model, &w->err));
	RW_OK(w, model_rows_version_insert(w->conn, &version, &w->err));
}

static inline struct uuid rw_add_deployment(struct review_world *w, const char *name)
{
	struct deployment_row deployment = {.id = rw_id(),
		.organization_id = w->organization_id,
		.name = name,
		.type = "OBJECT_DETECTION",
		.champion_id = w->version_id,
		.champion_since_us = RW_FIRST_US,
		.serving = true,
		.threshold = 0.5,
		.sample_rate = 1,
		.datalake_id = w->datalake_id,
		.created_us = RW_FIRST_US};
	RW_OK(w, deployment_rows_insert(w->conn, &deployment, &w->err));
	return deployment.id;
}

static inline void rw_open(struct review_world *w)
{
	*w = (struct review_world){.organization_id = rw_id(),
		.datalake_id = rw_id(),
		.model_id = rw_id(),
		.version_id = rw_id()};
	arena_init(&w->arena);
	RW_OK(w, db_sqlite_open_temporary(&w->db, &w->err));
	RW_OK(w, db_connect(w->db, true, &w->conn, &w->err));
	RW_OK(w, migrate_up(w->conn, &w->err));
	struct organization_row organization = {.id = w->organization_id,
		.connector_id = rw_id(),
		.name = "works",
		.created_us = RW_FIRST_US};
	struct datalake_row datalake = {.id = w->datalake_id,
		.organization_id = w->organization_id,
		.name = "images",
		.created_us = RW_FIRST_US};
	RW_OK(w, account_rows_insert_organization(w->conn, &organization, &w->err));
	RW_OK(w, datalake_rows_insert(w->conn, &datalake, &w->err));
	rw_add_version(w);
	w->deployment_id = rw_add_deployment(w, "line");
}

static inline void rw_close(struct review_world *w)
{
	db_disconnect(w->conn);
	db_close(w->db);
	arena_release(&w->arena);
}

static inline void rw_add_data(struct review_world *w, struct uuid id, int64_t created_us)
{
	char name[UUID_TEXT_SIZE];
	uuid_format(id, name);
	struct db_query q = db_query(w->conn, "INSERT INTO object (name, created_us) VALUES ($1, $2)");
	db_bind_text(&q, name);
	db_bind_integer(&q, created_us);
	RW_OK(w, db_done(&q, &w->err));
	q = db_query(w->conn,
		"INSERT INTO data (id, datalake_id, object_name, filename, content_type, "
		"width, height, created_us) VALUES ($1, $2, $3, $4, 'image/png', 640, 480, $5)");
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, w->datalake_id);
	db_bind_text(&q, name);
	db_bind_text(&q, arena_printf(&w->arena, "%04lld.png", (long long)w->images));
	db_bind_integer(&q, created_us);
	RW_OK(w, db_done(&q, &w->err));
}

/* An image of 640 x 480 and what the version says of it. */
static inline struct uuid rw_add_image_of(
	struct review_world *w, struct uuid deployment_id, const struct shapes *shapes)
{
	struct uuid id = rw_id(), data_id = rw_id();
	int64_t at_us = RW_FIRST_US + RW_SECOND_US * ++w->images;
	rw_add_data(w, data_id, at_us);
	RW_OK(w, prediction_rows_insert_asset(w->conn, id, deployment_id, data_id, at_us, &w->err));
	struct prediction_row p = {.id = rw_id(),
		.deployment_id = deployment_id,
		.predicted_asset_id = id,
		.model_version_id = w->version_id,
		.created_us = at_us,
		.threshold = 0.5,
		.steps_us = "{}",
		.shape_count = (int64_t)shapes->count,
		.score_max = shapes->count ? (double)shapes->items[0].score : 0,
		.shapes = shapes_pack(shapes, &w->arena),
		.image_stats = "{\"brightness\":0.5,\"contrast\":0.2,\"blur\":100}"};
	RW_OK(w, prediction_rows_insert(w->conn, &p, &w->err));
	return id;
}

/* One box of that score and label. */
static inline struct uuid rw_add_image(struct review_world *w, float score, int32_t label)
{
	struct shape one = {.kind = SHAPE_BOX, .label = label, .score = score, .box = {10, 20, 110, 220}};
	return rw_add_image_of(w, w->deployment_id, &(struct shapes){&one, 1});
}

/* What another version, a shadow, says of an image that is there. */
static inline void rw_add_shadow_prediction(
	struct review_world *w, struct uuid image, struct uuid version_id, const struct shapes *shapes)
{
	struct prediction_row p = {.id = rw_id(),
		.deployment_id = w->deployment_id,
		.predicted_asset_id = image,
		.model_version_id = version_id,
		.is_shadow = true,
		.created_us = RW_FIRST_US,
		.threshold = 0.5,
		.steps_us = "{}",
		.shape_count = (int64_t)shapes->count,
		.shapes = shapes_pack(shapes, &w->arena),
		.image_stats = "{}"};
	RW_OK(w, prediction_rows_insert(w->conn, &p, &w->err));
}

#endif
