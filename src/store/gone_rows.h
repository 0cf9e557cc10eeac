/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of predictions without an image: one that was not kept, or is no more. They stay in the log, at their
 * position. */
#ifndef GYRE_STORE_GONE_ROWS_H
#define GYRE_STORE_GONE_ROWS_H

#include "store/prediction_rows.h"

/* A prediction whose image is not kept: it gets the log's next position. */
enum status gone_rows_insert(struct db_conn *c, const struct prediction_row *p, const char *source,
	uint32_t width, uint32_t height, int64_t gone_us, struct err *err) MUST_CHECK;
/* ST_MISSING. Of the image its source and size; data_id is zero. */
enum status gone_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct predicted_row *out,
	struct err *err) MUST_CHECK;
/* Whether that version has said something of that image. */
enum status gone_rows_has_version(struct db_conn *c, struct uuid predicted_asset_id, struct uuid version_id,
	bool *found, struct err *err) MUST_CHECK;

#endif
