/* SPDX-License-Identifier: Apache-2.0 */
/* Inside watch/alerts* only: from a window to a value, from a value to a sentence, and to an event. */
#ifndef GYRE_WATCH_ALERTS_INSIDE_H
#define GYRE_WATCH_ALERTS_INSIDE_H

#include "base/json.h"
#include "store/deployment_rows.h"
#include "watch/alerts.h"
#include "watch/summary.h"

#define ALERT_BY_GYRE "gyre" /* who closed what holds no more */
#define ALERT_MINUTE_US ((int64_t)60 * 1000000)
#define ALERT_LOG_IMAGES 1000 /* the newest of the window, where each is looked at */
#define ALERT_PARTS_MAX 5
#define ALERT_SLOW_US ((int64_t)10 * 1000000) /* what costs more is looked at in so much of each minute */

/* A stored JSON object as a value of another document; what is none is an empty one. */
yyjson_mut_val *alert_json_copy(const char *json, yyjson_mut_doc *doc, struct arena *a);

/* Opens an event of this alert, unless one is open or there was one with the key. *opened is only set to
 * true. Inside a job. */
enum status alert_open(struct db_conn *c, const struct alert_row *alert, const struct alert_news *news,
	struct arena *a, bool *opened, struct err *err) MUST_CHECK;

/* ---- values ---- */

struct alert_part { /* what the value is made of: "too dark", 34 */
	const char *name;
	double value, before; /* images; of labels shares, now and in Training Data */
};
struct alert_value {
	bool known; /* there is one, of images_min images at least */
	double value;
	uint64_t images;     /* or requests */
	uint64_t hits;       /* of shares: so many of them */
	bool share, by_hand; /* by_hand: the limits are fixed ones, as there is no Training Data */
	bool accuracy;       /* not AP, as it is of classes */
	struct alert_part parts[ALERT_PARTS_MAX];
	size_t part_count;
	int64_t from_us, to_us;
};

/* Of a look: what several alerts of one deployment share. */
struct alert_scope {
	const struct alerts_look *look;
	struct arena *arena;
	struct deployment_row deployment;
	struct summary summary; /* of [from_us, to_us) of that deployment; to_us 0: none */
	int64_t from_us, to_us;
};

/* The end of the window that a look at this time is about. */
int64_t alert_window_end(int64_t now_us);
/* The value over the window that ends there. maybe: only a value that would open it must be right. */
enum status alert_measure(struct alert_scope *s, const struct alert_row *alert, enum alert_kind kind,
	int64_t end_us, bool maybe, struct alert_value *out, struct err *err) MUST_CHECK;
/* Those of images and labels: alerts_images.c. The summary is that of the window. */
enum status alert_measure_quality(struct alert_scope *s, const struct alert_row *alert, bool maybe,
	struct alert_value *out, struct err *err) MUST_CHECK;
enum status alert_measure_labels(struct alert_scope *s, const struct alert_row *alert,
	struct alert_value *out, struct err *err) MUST_CHECK;

/* Whether the value is on the wrong side; firmly: and not by chance, where it is a share of images. */
bool alert_holds(const struct alert_row *alert, const struct alert_value *v, bool firmly);

/* ---- words ---- */

const char *alert_sentence(
	const struct alert_row *alert, enum alert_kind kind, const struct alert_value *v, struct arena *a);
const char *alert_sentence_closed(
	const struct alert_row *alert, enum alert_kind kind, const struct alert_value *v, struct arena *a);
const char *alert_detail(
	const struct alert_row *alert, enum alert_kind kind, const struct alert_value *v, struct arena *a);

#endif
