/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a deployment's dashboard shows of a range of time, by a filter: the metrics that need nothing.
 *
 * From roll-ups, where they know it: whatever the number of predictions, and exact. They do not know tags,
 * nor thresholds but those that things were answered with and the present one; then it is from the log, all
 * of up to DASHBOARD_IMAGES_MAX predictions, or a uniform sample of that many, whose counts are multiplied.
 * What it was drawn from is told with it (docs/decisions/0085-what-a-dashboard-is-drawn-from.md).
 */
#ifndef GYRE_WATCH_DASHBOARD_H
#define GYRE_WATCH_DASHBOARD_H

#include "store/dashboard_rows.h"
#include "task/task.h"
#include "watch/dashboard_range.h"
#include "watch/heat.h"
#include "watch/summary.h"

#define DASHBOARD_IMAGES_MAX 5000 /* that are read one by one */

/* Which threshold the shapes must reach. */
enum dashboard_cut {
	DASHBOARD_ANSWERED, /* each prediction's own, in force when it was answered */
	DASHBOARD_SETTING,  /* the deployment's, now */
	DASHBOARD_VALUE
};

/* Zeroes and NULLs: no restriction. */
struct dashboard_filter {
	bool recent;            /* the last 24 hours that have predictions; else: */
	int64_t from_us, to_us; /* 0: from the first prediction; until now */
	struct uuid version_id;
	const char *source;      /* "other": those without roll-ups of their own */
	const char *const *tags; /* any of these */
	size_t tag_count;
	const char *label; /* images that have it, and its shapes alone */
	enum dashboard_cut cut;
	double threshold;        /* of DASHBOARD_VALUE */
	const struct uuid *only; /* these, by their predicted asset's id or their own */
	size_t only_count;
	const struct uuid *without;
	size_t without_count;
};

struct dashboard_basis {
	bool sample;
	uint64_t images, of;  /* drawn, of so many that the version and the source let through */
	const char *sentence; /* NULL: nothing to say */
};

struct dashboard_point {
	int64_t at_us;
	uint64_t predictions, failed, refused, no_answer;
	double mean_latency_ms, p50_ms, p99_ms, brightness, contrast, blur, objects; /* NAN: no predictions */
};

enum dashboard_role { DASHBOARD_CHAMPION, DASHBOARD_SHADOW, DASHBOARD_PAST };
struct dashboard_version {
	struct uuid id;
	const char *name, *model_name; /* NULL: it was deleted */
	int64_t version;
	enum dashboard_role role;
	uint64_t predictions; /* in the range; of a shadow, as a shadow */
};

struct dashboard_shadow {
	struct uuid version_id;
	struct dashboard_point *points; /* as many as the champions' */
};

struct dashboard_marker { /* another champion */
	int64_t at_us;
	const char *what;                      /* "deployed" … */
	const char *from_version, *to_version; /* ids as text, or NULL */
};

struct dashboard {
	enum task task;
	struct range range;
	double threshold; /* NAN: as answered */
	double floor; /* predicted elsewhere: nothing below it was sent; NAN: not known, or all is stored */
	struct dashboard_basis basis;
	struct dashboard_version *versions; /* the champion, shadows, past ones */
	size_t version_count;
	const char **sources;
	size_t source_count;
	const char **labels; /* names: the champion's, then those of others */
	size_t label_count;
	struct dashboard_marker *markers; /* oldest first */
	size_t marker_count;
	struct summary total; /* of champions; its labels by `labels` */
	uint64_t failed,
		refused; /* of the deployment, whatever the filter: they have no version, source or label */
	struct dashboard_point *points;   /* range.points */
	struct dashboard_shadow *shadows; /* none with a filter that their roll-ups do not know */
	size_t shadow_count;
	struct failure_sum *failures;
	size_t failure_count;
	bool behind; /* the newest predictions are not counted yet */
};

/* Both connections are readers, of gyre.db and of watch.db. now_us: the wall clock. ST_MISSING: no such
 * deployment. All but the total lives in the arena; release it whatever is returned. */
enum status dashboard_read(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_filter *filter, int64_t now_us, struct arena *a, struct dashboard *out,
	struct err *err) MUST_CHECK;
void dashboard_release(struct dashboard *d);

struct dashboard_heat {
	uint64_t images, shapes; /* images that have such a shape */
	uint64_t centres[HEAT_SIDE * HEAT_SIDE], coverage[HEAT_SIDE * HEAT_SIDE]; /* row by row */
	struct dashboard_basis basis;
};
/* Where shapes of the filter are, of up to DASHBOARD_IMAGES_MAX images one by one; of more in whole days, as
 * roll-ups are. Without a place (classes) nothing is counted. */
enum status dashboard_read_heat(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_filter *filter, int64_t now_us, struct arena *a, struct dashboard_heat *out,
	struct err *err) MUST_CHECK;

/* Predictions one by one, the newest first; threshold: that its shapes must reach. */
struct dashboard_image {
	const struct log_row *row;
	struct seen seen; /* of a filter by label: its shapes alone */
	double threshold;
};
enum status dashboard_read_images(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_filter *filter, size_t limit, int64_t now_us, struct arena *a,
	struct dashboard_image **items, size_t *count, struct err *err) MUST_CHECK;

/* A uniform sample of the champions' predictions in [from_us, to_us), or all if they are at most `limit`. */
struct dashboard_draw {
	int64_t from_us, to_us;
	size_t limit;
	uint64_t at_least; /* so many there are, as far as is known; 0: not known */
};
/* Where they are in the log, in any order. *listed: how many there are, if it is at most 200,000. */
enum status dashboard_positions(struct db_conn *log, struct db_conn *watch, struct uuid deployment_id,
	const struct dashboard_draw *draw, struct arena *a, int64_t **positions, size_t *count,
	size_t *listed, struct err *err) MUST_CHECK;

#endif
