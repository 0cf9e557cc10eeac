/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of datasets begin with: a migrated temporary database with its writer and readers, an
 * organization, a datalake, data with objects (no bytes: only their hashes are looked at), a dataset.
 */
#ifndef GYRE_TEST_DATASET_WORLD_H
#define GYRE_TEST_DATASET_WORLD_H

#include "base/str.h"
#include "os/clock.h"
#include "store/account_rows.h"
#include "store/annotation_rows.h"
#include "store/datalake_rows.h"
#include "store/dataset_rows.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"
#include "store/object_rows.h"
#include "store/recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct dataset_world {
	struct db *db;
	struct db_conn *c; /* writes, outside of the recorder; NULL while that is started */
	struct recorder *recorder;
	struct db_readers *readers;
	struct uuid organization_id, datalake_id, dataset_id;
	struct arena arena;
	int64_t now_us;
	int data_count;
};

static _Thread_local struct err dw_err;
#define DW_ERR (&dw_err)
#define DW_OK(call)                                                                                          \
	do {                                                                                                 \
		if ((call) != ST_OK)                                                                         \
			fail_msg("%s: %s: %s", #call, status_name(dw_err.status), dw_err.text);              \
	} while (0)
#define DW_REFUSED(call, expected, part)                                                                     \
	do {                                                                                                 \
		enum status got_ = (call);                                                                   \
		if (got_ != (expected) || strstr(dw_err.text, part) == NULL ||                               \
			!text_ends_with(dw_err.text, "."))                                                   \
			fail_msg("%s: %s: %s", #call, status_name(got_), dw_err.text);                       \
	} while (0)

/* Times go up, one a thing. */
static inline struct uuid dw_id(struct dataset_world *w)
{
	return uuid_v7(++w->now_us / 1000);
}

static inline void dw_open(struct dataset_world *w)
{
	*w = (struct dataset_world){.now_us = clock_unix_us()};
	arena_init(&w->arena);
	DW_OK(db_sqlite_open_temporary(&w->db, DW_ERR));
	DW_OK(db_connect(w->db, true, &w->c, DW_ERR));
	DW_OK(migrate_up(w->c, DW_ERR));
	w->organization_id = dw_id(w);
	w->datalake_id = dw_id(w);
	w->dataset_id = dw_id(w);
	DW_OK(account_rows_insert_organization(w->c,
		&(struct organization_row){.id = w->organization_id,
			.connector_id = dw_id(w),
			.name = "works",
			.created_us = w->now_us},
		DW_ERR));
	DW_OK(datalake_rows_insert(w->c,
		&(struct datalake_row){.id = w->datalake_id,
			.organization_id = w->organization_id,
			.name = "images",
			.created_us = w->now_us},
		DW_ERR));
	DW_OK(dataset_rows_insert(w->c,
		&(struct dataset_row){.id = w->dataset_id,
			.organization_id = w->organization_id,
			.name = "streets",
			.description = "",
			.created_us = w->now_us},
		DW_ERR));
}

/* From here on through the one writer. */
static inline void dw_start(struct dataset_world *w)
{
	db_disconnect(w->c);
	w->c = NULL;
	DW_OK(recorder_start(w->db, 64, 16, &w->recorder, DW_ERR));
	DW_OK(db_readers_new(w->db, 4, &w->readers, DW_ERR));
}

static inline void dw_close(struct dataset_world *w)
{
	if (w->c)
		db_disconnect(w->c);
	if (w->readers)
		db_readers_free(w->readers);
	if (w->recorder)
		recorder_stop(w->recorder);
	db_close(w->db);
	arena_release(&w->arena);
}

/* A data whose blob has this hash; NULL: a hash of its own. */
static inline struct uuid dw_data(struct dataset_world *w, const char *filename, const char *sha256)
{
	struct uuid id = dw_id(w);
	char object[40], own[65];
	snprintf(object, sizeof(object), "object-%d", ++w->data_count);
	snprintf(own, sizeof(own), "%064d", w->data_count);
	DW_OK(object_rows_insert(w->c,
		&(struct object_row){.name = object,
			.sha256 = sha256 ? sha256 : own,
			.content_type = "image/png",
			.size_bytes = 1,
			.created_us = w->now_us},
		DW_ERR));
	DW_OK(data_rows_insert(w->c,
		&(struct data_row){.id = id,
			.datalake_id = w->datalake_id,
			.object_name = object,
			.filename = filename,
			.content_type = "image/png",
			.width = 640,
			.height = 480,
			.created_us = w->now_us},
		DW_ERR));
	return id;
}

static inline struct uuid dw_version(struct dataset_world *w, const char *name)
{
	struct uuid id = dw_id(w);
	DW_OK(dataset_version_rows_insert(w->c,
		&(struct dataset_version_row){.id = id,
			.dataset_id = w->dataset_id,
			.version = name,
			.description = "",
			.type = "OBJECT_DETECTION",
			.created_us = w->now_us},
		DW_ERR));
	return id;
}

static inline struct uuid dw_asset(struct dataset_world *w, struct uuid version_id, struct uuid data_id)
{
	bool inserted;
	struct asset_row row = {.id = dw_id(w),
		.dataset_version_id = version_id,
		.created_us = w->now_us,
		.data = {.id = data_id}};
	DW_OK(asset_rows_insert(w->c, &row, &inserted, DW_ERR));
	return row.id;
}

/* The one number of a statement without parameters: a literal. */
static inline int64_t dw_number(struct db_conn *c, const char *sql)
{
	int64_t number;
	struct db_query q = db_query(c, sql);
	DW_OK(rows_number(&q, &number, DW_ERR));
	return number;
}

#endif
