/* SPDX-License-Identifier: Apache-2.0 */
/* Inside watch/alerts* only: from a window to a value, from a value to a sentence, and to an event. */
#ifndef GYRE_WATCH_ALERTS_INSIDE_H
#define GYRE_WATCH_ALERTS_INSIDE_H

#include "base/json.h"
#include "watch/alerts.h"

#define ALERT_BY_GYRE "gyre" /* who closed what holds no more */

/* A stored JSON object as a value of another document; what is none is an empty one. */
yyjson_mut_val *alert_json_copy(const char *json, yyjson_mut_doc *doc, struct arena *a);

/* Opens an event of this alert, unless one is open or there was one with the key. *opened is only set to
 * true. Inside a job. */
enum status alert_open(struct db_conn *c, const struct alert_row *alert, const struct alert_news *news,
	struct arena *a, bool *opened, struct err *err) MUST_CHECK;

#endif
