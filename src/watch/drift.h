/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drift panel: how far the newest images of a deployment are from its Training Data, feature by feature,
 * by the Kolmogorov–Smirnov test (metrics.md 1). It describes; alarms come from the sequential detectors.
 * The image is the unit, near-duplicates and correlated frames are thinned, and p is multiplied by the number
 * of features (Bonferroni).
 */
#ifndef GYRE_WATCH_DRIFT_H
#define GYRE_WATCH_DRIFT_H

#include "watch/detectors.h"
#include "watch/reference.h"

#define DRIFT_IMAGES_DEFAULT 200
#define DRIFT_IMAGES_MAX 2000
#define DRIFT_ROWS_MAX 5000 /* of the log that a window is looked for in */
#define DRIFT_ALPHA 0.01
#define DRIFT_D_MIN 0.10
#define DRIFT_IMAGES_MIN 50 /* below it the panel says that only large shifts can be seen */
#define DRIFT_QUANTILES 65  /* at i/64 */
#define DRIFT_WHERE_MAX 20
#define DRIFT_WHERE_IMAGES_MIN 20
#define DRIFT_EXAMPLES 12

struct drift_request {
	struct uuid deployment_id;
	int64_t from_us, to_us; /* from_us <= t < to_us; to_us 0: no end */
	const char *source;     /* NULL: any */
	const char *label;
	const char *const *tags; /* any of these */
	size_t tag_count;
	double threshold;        /* below 0: the deployment's */
	size_t images;           /* of the window, at most DRIFT_IMAGES_MAX */
	struct references *kept; /* NULL: none are */
};

struct drift_feature {
	enum feature feature;
	size_t reference_count, count; /* images that have it, of the reference and of the window */
	double d, low, high;           /* with a 95 % interval */
	double p, p_adjusted;
	double critical_d; /* the smallest that would be found, for these sizes */
	bool drifted;      /* p_adjusted < DRIFT_ALPHA and d >= DRIFT_D_MIN */
	bool may_alarm;
	double strength;              /* of the detector, 0…1 of what alarms; NAN: not watched */
	enum sequential_change moved; /* how, if at all: only when drifted */
	double reference_quantiles[DRIFT_QUANTILES], quantiles[DRIFT_QUANTILES];
};

struct drift_where {
	const char *by, *name; /* "source", "label", "tag" */
	size_t images;
	double d, p;
};

struct drift_example {
	struct uuid predicted_asset_id;
	double value;
	int64_t created_us;
};

struct drift_report {
	struct reference *reference; /* NULL: none; the rest is empty then */
	double threshold;
	/* the window */
	size_t images;                  /* looked at, of the range */
	size_t effective;               /* that count, after thinning: the window */
	int64_t from_us, to_us;         /* of the oldest and the newest in the window; 0: none */
	struct uuid *ids;               /* predicted assets of the window, oldest first */
	bool more;                      /* the range has more than were looked at */
	struct drift_feature *features; /* those that drifted, and then by d, largest first */
	size_t feature_count;
	struct drift_where *where; /* of features[0] */
	size_t where_count;
	struct drift_example *examples; /* of features[0] */
	size_t example_count;
	const char **missing; /* sentences: what cannot be told, and why */
	size_t missing_count;
	bool has_detectors;
	struct detectors_state detectors; /* as the tail left them */
};

/* The smallest D that so many images of a window would show as drift, against so many of a reference. */
double drift_critical(size_t reference_count, size_t count, size_t features);
/* c reads gyre.db, watch (NULL: no detectors) watch.db. Everything lives in the arena, but for the reference,
 * which is as reference_load() gives it: reference_drop() it, whatever the status. */
enum status drift_read(struct db_conn *c, struct db_conn *watch, const struct drift_request *request,
	struct arena *a, struct drift_report *out, struct err *err) MUST_CHECK;

#endif
