/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the dashboard share: labels by name, and counts that become a total and points. */
#ifndef GYRE_WATCH_DASHBOARD_INSIDE_H
#define GYRE_WATCH_DASHBOARD_INSIDE_H

#include "store/deployment_rows.h"
#include "watch/dashboard.h"
#include "watch/rollups.h"

/* ---- labels of several versions, by name ---- */

struct names {
	struct db_conn *log;
	struct arena *arena;
	const char **items;
	size_t count, room;
	uint32_t *slots; /* a hash table of items */
	size_t slot_count;
	struct version_labels *versions;
};

/* Of a version: its label i is map[i] of the names. */
struct version_labels {
	struct uuid id;
	uint32_t *map;
	uint32_t count;
	struct version_labels *next;
};

/* With room for label_count labels at least: those that the version does not name go by their numbers. */
enum status names_of_version(struct names *n, struct uuid version_id, uint32_t label_count,
	const struct version_labels **out, struct err *err) MUST_CHECK;
/* Which of the version's labels has that name; -1: none. */
int32_t names_label(const struct names *n, const struct version_labels *v, const char *name);

/* ---- a total and points ---- */

#define PANE_VERSIONS_MAX 16 /* in one point; more are taken together before it is over */

struct pane {
	struct summary total;
	struct dashboard_point *points;
};

/* One point's predictions of one version. */
struct part {
	struct uuid version_id;
	bool used;
	struct summary counts;
};

/* Fills a pane; predictions come in the order of their points. */
struct builder {
	const struct range *range;
	struct names *names;
	const char *label; /* images and shapes of it alone; NULL: all */
	struct pane *pane;
	struct part *parts[PANE_VERSIONS_MAX];
	size_t part_count;
	size_t at; /* the point at hand */
	struct summary *now;
	uint64_t label_images, label_shapes; /* of the point at hand */
};

void builder_init(struct builder *b, const struct range *range, struct names *names, const char *label,
	struct pane *pane, struct arena *a);
void builder_release(struct builder *b); /* not the pane */
/* Where to count predictions of a version at a time of the range. */
enum status builder_part(struct builder *b, int64_t at_us, struct uuid version_id, struct summary **out,
	struct err *err) MUST_CHECK;
enum status builder_finish(struct builder *b, struct err *err) MUST_CHECK;

void pane_init(struct pane *p, const struct range *range, struct arena *a);
uint64_t pane_scaled(uint64_t count, uint64_t of, uint64_t n); /* count times of/n, rounded */
/* All its counts. */
void pane_scale(struct pane *p, size_t points, uint64_t of, uint64_t n);
/* Takes from the other what is counted of shapes; or of images, their times and their pixels. */
void pane_take_shapes(struct pane *p, const struct pane *from, size_t points);
void pane_take_images(struct pane *p, const struct pane *from, size_t points);

/* ---- predictions one by one ---- */

struct picked {
	struct dashboard_basis basis;
	struct log_row *rows; /* by time */
	size_t count;
};

/* What a request reads. */
struct reading {
	struct db_conn *log, *watch;
	struct arena *arena;
	const struct dashboard_filter *filter;
	struct deployment_row deployment;
	struct range range;
	struct names names;
	const char *source;   /* whose roll-ups; NULL: they do not know the filter's */
	const char **sources; /* those with roll-ups of their own; "other" is among them when there is */
	size_t source_count;
	bool exact; /* roll-ups have the filter's threshold, in this view: */
	enum rollup_view view;
	bool behind;
};

/* The deployment, the range, and what roll-ups know of the filter. */
enum status reading_open(
	struct reading *r, struct uuid deployment_id, int64_t now_us, struct err *err) MUST_CHECK;
/* Champions' predictions of the range by roll-ups, of the filter's version and source; and of which versions.
 */
struct reading_count {
	uint64_t predictions;
	struct uuid *versions;
	size_t version_count;
};
enum status reading_count(struct reading *r, struct reading_count *out, struct err *err) MUST_CHECK;
/* "Counts are drawn from 5,000 of 120,311 images."; NULL: all are. what: "Counts are". */
const char *reading_sentence(struct reading *r, const struct dashboard_basis *b, const char *what);
/* The filter asks for what roll-ups have not: tags, ids. */
bool reading_needs_rows(const struct reading *r);
/* The threshold that a prediction's shapes must reach. */
double reading_threshold(const struct reading *r, const struct log_row *row);
/* Predictions of the range that pass version, source, tags and ids: all, or a sample. counted: of the version
 * and the source, by roll-ups; UINT64_MAX: not known. */
enum status picked_read(struct reading *r, uint64_t counted, struct picked *out, struct err *err) MUST_CHECK;
/* The newest that pass, at most limit; those that the filter names, whatever their number, by position. */
enum status picked_newest(struct reading *r, size_t limit, struct picked *out, struct err *err) MUST_CHECK;
/* Counts them; those without the filter's label are left out. */
enum status picked_build(
	struct reading *r, const struct picked *picked, struct pane *pane, struct err *err) MUST_CHECK;
/* The row unpacked, with the shapes of the filter's label alone; *has false: it has none. */
enum status picked_see(struct reading *r, const struct log_row *row, struct arena *a, struct seen *out,
	bool *has, struct err *err) MUST_CHECK;

#endif
