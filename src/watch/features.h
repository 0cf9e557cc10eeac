/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of one image whose distributions are watched for drift (metrics.md 1.3). The image is the unit,
 * never the box: of its shapes one is drawn, by its id. The table is features.def; docs/internals/drift.md
 * says what each is.
 */
#ifndef GYRE_WATCH_FEATURES_H
#define GYRE_WATCH_FEATURES_H

#include "stats/gaussian.h"
#include "watch/seen.h"

/* FEATURE(ID, "name", "what it is, for people", "unit", tasks it is of, kind) */
enum feature {
#define FEATURE(id, name, title, unit, tasks, kind) FEATURE_##id,
#include "watch/features.def"
#undef FEATURE
	FEATURE_COUNT
};
enum feature_kind { FEATURE_OF_IMAGE, FEATURE_OF_MODEL }; /* pixels alone; or what the model said or saw */

const char *feature_name(enum feature f);  /* "brightness": in the API */
const char *feature_title(enum feature f); /* "Brightness": on pages */
const char *feature_unit(enum feature f);  /* "" or "bits" … */
enum feature_kind feature_kind_of(enum feature f);
bool feature_is_of(enum feature f, enum task task);

/* NAN: it has none (no shape, no features, an old row). gaussian and outlier: NULL and NAN without. The box
 * that is drawn depends on the prediction's asset id alone. */
void features_of(const struct seen *seen, double threshold, enum task task, const struct gaussian *g,
	double outlier, double out[FEATURE_COUNT]);
/* One of FEATURE_OF_IMAGE, from pixels alone. */
double feature_of_pixels(enum feature f, const struct seen_stats *stats);
/*
 * The place of a value among the reference's (sorted, at least one), 0…1: uniform when it is one of them.
 * Ties are broken by the asset's id, so that it is the same each time.
 */
double feature_place(const double *sorted, size_t count, double value, enum feature f, struct uuid asset_id);
/* The image: its asset's id, or its row's where there is none (images of a reference). */
struct uuid feature_asset(const struct seen *seen);

/* Half floats as stored → floats; false: not of this size, or not finite. */
bool features_vector(struct span stored, unsigned size, float *out);

#endif
