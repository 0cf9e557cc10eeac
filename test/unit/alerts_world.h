/* SPDX-License-Identifier: Apache-2.0 */
/* A deployment with predictions, their roll-ups in a watch.db of its own, and looks at its alerts. */
#ifndef GYRE_TEST_ALERTS_WORLD_H
#define GYRE_TEST_ALERTS_WORLD_H

#include "base/json.h"
#include "review_world.h"
#include "store/log_rows.h"
#include "store/webhook_rows.h"
#include "watch/alerts.h"
#include "watch/rollups.h"
#include "watch/watch_file.h"

/* Begins at a minute; the hour before it is for the past. */
#define AW_NOW_US (RW_FIRST_US / 60000000 * 60000000 + 3600 * (int64_t)RW_SECOND_US)
#define AW_MINUTE_US ((int64_t)60 * RW_SECOND_US)
#define AW_GOOD "{\"brightness\":120,\"contrast\":50,\"blur\":300}"
#define AW_DARK "{\"brightness\":3,\"contrast\":1,\"blur\":0.1}"

struct alerts_world {
	struct review_world w;
	struct db *watch_db;
	struct db_conn *watch;
	struct db_readers *readers, *watch_readers;
	struct recorder *recorder;
	struct quality *quality;
	int told;
};

static inline void aw_told(void *arg, struct uuid deployment_id)
{
	(void)deployment_id;
	((struct alerts_world *)arg)->told++;
}

static inline void aw_open(struct alerts_world *aw)
{
	*aw = (struct alerts_world){0};
	rw_open(&aw->w);
	struct err *err = &aw->w.err;
	RW_OK(&aw->w, db_sqlite_open_temporary(&aw->watch_db, err));
	RW_OK(&aw->w, watch_file_fill(aw->watch_db, err));
	RW_OK(&aw->w, db_connect(aw->watch_db, true, &aw->watch, err));
	RW_OK(&aw->w, db_readers_new(aw->w.db, 2, &aw->readers, err));
	RW_OK(&aw->w, db_readers_new(aw->watch_db, 2, &aw->watch_readers, err));
	RW_OK(&aw->w, recorder_start(aw->w.db, 16, 4, &aw->recorder, err));
}

static inline void aw_close(struct alerts_world *aw)
{
	recorder_stop(aw->recorder);
	db_readers_free(aw->readers);
	db_readers_free(aw->watch_readers);
	db_disconnect(aw->watch);
	db_close(aw->watch_db);
	rw_close(&aw->w);
}

struct aw_prediction {
	int64_t at_us;
	double latency_ms;
	const char *stats; /* NULL: AW_GOOD */
	int32_t label;     /* -1: no shape */
	bool is_shadow;
};

static inline struct uuid aw_add(struct alerts_world *aw, struct aw_prediction p)
{
	struct review_world *w = &aw->w;
	struct uuid id = rw_id(), data_id = rw_id();
	struct shape shape = {.kind = SHAPE_BOX, .label = p.label, .score = 0.9F, .box = {10, 20, 110, 220}};
	const struct shapes shapes = {&shape, p.label >= 0};
	w->images++;
	rw_add_data(w, data_id, p.at_us);
	RW_OK(w, prediction_rows_insert_asset(w->conn, id, w->deployment_id, data_id, p.at_us, &w->err));
	struct prediction_row row = {.id = rw_id(),
		.deployment_id = w->deployment_id,
		.predicted_asset_id = id,
		.model_version_id = w->version_id,
		.is_shadow = p.is_shadow,
		.created_us = p.at_us,
		.threshold = 0.5,
		.latency_us = (int64_t)(p.latency_ms * 1000),
		.steps_us = "{}",
		.shape_count = (int64_t)shapes.count,
		.shapes = shapes_pack(&shapes, &w->arena),
		.image_stats = p.stats ? p.stats : AW_GOOD};
	RW_OK(w, prediction_rows_insert(w->conn, &row, &w->err));
	return id;
}

/* So many, a second apart, the last one at the end of the minute before `now`. */
static inline void aw_add_many(struct alerts_world *aw, int count, struct aw_prediction p)
{
	RW_OK(&aw->w, db_script(aw->w.conn, "BEGIN", &aw->w.err));
	for (int i = 0; i < count; i++) {
		p.at_us -= RW_SECOND_US;
		aw_add(aw, p);
	}
	RW_OK(&aw->w, db_script(aw->w.conn, "COMMIT", &aw->w.err));
}

/* What the tail does, of the whole log. */
static inline void aw_roll_up(struct alerts_world *aw)
{
	static const int levels[] = {60, 3600, 86400};
	struct review_world *w = &aw->w;
	struct log_row *rows;
	size_t count;
	RW_OK(w, db_script(aw->watch, "BEGIN; DELETE FROM rollup", &w->err));
	RW_OK(w, log_rows_after(w->conn, w->deployment_id, 0, 100000, &w->arena, &rows, &count, &w->err));
	for (size_t i = 0; i < 3 * count; i++) {
		const struct log_row *row = &rows[i / 3];
		int64_t level_us = levels[i % 3] * (int64_t)RW_SECOND_US;
		const struct rollup_key key = {.deployment_id = row->deployment_id,
			.view = ROLLUP_ANSWERED,
			.level_s = levels[i % 3],
			.source = "",
			.start_us = row->created_us / level_us * level_us,
			.version_id = row->version_id,
			.is_shadow = row->is_shadow};
		struct seen seen;
		struct summary s;
		summary_init(&s);
		RW_OK(w, seen_read(row, &w->arena, &seen, &w->err));
		summary_add(&s, &seen, row->threshold);
		RW_OK(w, rollups_add(aw->watch, &key, &s, &w->arena, &w->err));
		summary_release(&s);
	}
	RW_OK(w, db_script(aw->watch, "COMMIT", &w->err));
}

static inline void aw_look(struct alerts_world *aw, int64_t now_us)
{
	const struct alerts_look look = {.readers = aw->readers,
		.watch = aw->watch_readers,
		.recorder = aw->recorder,
		.quality = aw->quality,
		.now_us = now_us,
		.tell = aw_told,
		.tell_arg = aw};
	RW_OK(&aw->w, alerts_look(&look, &aw->w.err));
}

static inline struct alert_row aw_alert(struct alerts_world *aw, enum alert_kind kind)
{
	struct alert_row row;
	alert_init(kind, &row);
	row.id = rw_id();
	row.deployment_id = aw->w.deployment_id;
	row.created_us = RW_FIRST_US;
	row.created_by = "ann";
	return row;
}

/* Of its kind's own settings, or those given. */
static inline struct alert_row aw_insert(struct alerts_world *aw, struct alert_row row)
{
	RW_OK(&aw->w, alert_check(&row, &aw->w.err));
	RW_OK(&aw->w, alert_rows_insert(aw->w.conn, &row, &aw->w.err));
	return row;
}

static inline void aw_add_webhook(struct alerts_world *aw, const char *url, const char *secret, bool active)
{
	const struct webhook_row hook = {.id = rw_id(),
		.organization_id = aw->w.organization_id,
		.name = "chat",
		.url = url,
		.secret = secret,
		.active = active,
		.created_us = RW_FIRST_US,
		.created_by = "ann"};
	RW_OK(&aw->w, webhook_rows_insert(aw->w.conn, &hook, &aw->w.err));
}

static inline int64_t aw_open_events(struct alerts_world *aw)
{
	int64_t count;
	RW_OK(&aw->w, alert_event_rows_count_open(aw->w.conn, aw->w.deployment_id, &count, &aw->w.err));
	return count;
}

/* The newest first. */
static inline struct alert_event_row *aw_events(struct alerts_world *aw, size_t *count)
{
	struct alert_event_row *items;
	RW_OK(&aw->w, alert_event_rows_list(aw->w.conn, aw->w.deployment_id, false, 100, &aw->w.arena, &items,
			      count, &aw->w.err));
	return items;
}

static inline const char *aw_sentence(struct alerts_world *aw)
{
	size_t count;
	const struct alert_event_row *events = aw_events(aw, &count);
	return count ? events[0].sentence : "";
}

static inline const char *aw_why_closed(struct alerts_world *aw)
{
	return rw_text(&aw->w,
		"SELECT substr(detail, instr(detail, '\"closed\":')) FROM alert_event WHERE deployment_id = "
		"$1"
		" ORDER BY opened_us DESC LIMIT 1",
		aw->w.deployment_id);
}

#endif
