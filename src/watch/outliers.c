/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/outliers.h"

#include "store/training_data_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define Z_95 1.959963984540054
#define WORST_LOOKED_AT 60 /* some of their images may be gone */

void outliers_interval(int64_t k, int64_t n, double *low, double *high)
{
	double count = (double)n, p = (double)k / count, z2 = Z_95 * Z_95 / count;
	double middle = (p + z2 / 2) / (1 + z2);
	double half = Z_95 / (1 + z2) * sqrt(p * (1 - p) / count + z2 / (4 * count));
	*low = k == 0 ? 0 : middle - half;
	*high = k == n ? 1 : middle + half;
}

static enum status count(
	struct db_conn *watch, const struct outlier_filter *f, struct outliers_report *out, struct err *err)
{
	struct outlier_filter worst = *f;
	worst.rank_max = OUTLIER_RANK;
	TRY(outlier_rows_count(watch, f, &out->images, err));
	TRY(outlier_rows_count(watch, &worst, &out->outliers, err));
	out->share = out->low = out->high = NAN;
	if (out->images == 0)
		return ST_OK;
	out->share = (double)out->outliers / (double)out->images;
	outliers_interval(out->outliers, out->images, &out->low, &out->high);
	return ST_OK;
}

static int by_position(const void *a, const void *b)
{
	const struct outlier_row *x = a, *y = b;
	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* In order, each once. */
static void settle(struct outliers_report *out)
{
	size_t kept = 0;
	qsort(out->points, out->point_count, sizeof(out->points[0]), by_position);
	for (size_t i = 0; i < out->point_count; i++)
		if (kept == 0 || out->points[kept - 1].position != out->points[i].position)
			out->points[kept++] = out->points[i];
	out->point_count = kept;
}

/* All, when they are few; else a sample by time, and the newest outliers. */
static enum status read_points(struct db_conn *watch, const struct outlier_filter *f, size_t points_max,
	struct arena *a, struct outliers_report *out, struct err *err)
{
	struct outlier_filter part = *f, worst = *f;
	struct outlier_row *sample, *outliers;
	size_t sample_count, outlier_count,
		always = points_max < OUTLIERS_ALWAYS ? points_max : OUTLIERS_ALWAYS;
	int64_t first, last;
	out->sampled = out->images > (int64_t)points_max;
	if (!out->sampled) {
		TRY(outlier_rows_list(watch, f, OUTLIER_NEWEST, (int64_t)points_max, a, &out->points,
			&out->point_count, err));
		settle(out);
		return ST_OK;
	}
	worst.rank_max = OUTLIER_RANK;
	TRY(outlier_rows_list(
		watch, &worst, OUTLIER_NEWEST, (int64_t)always, a, &outliers, &outlier_count, err));
	TRY(outlier_rows_range(watch, f->deployment_id, &first, &last, err));
	part.from_us = f->from_us > first ? f->from_us : first;
	part.to_us = f->to_us && f->to_us <= last ? f->to_us : last + 1;
	TRY(outlier_rows_sample(
		watch, &part, (int64_t)(points_max - outlier_count), a, &sample, &sample_count, err));
	out->point_count = sample_count + outlier_count;
	out->points = ARENA_ARRAY(a, struct outlier_row, out->point_count + 1);
	for (size_t i = 0; i < out->point_count; i++)
		out->points[i] = i < sample_count ? sample[i] : outliers[i - sample_count];
	settle(out);
	return ST_OK;
}

static enum status read_worst(struct db_conn *c, struct db_conn *watch, const struct outlier_filter *f,
	struct arena *a, struct outliers_report *out, struct err *err)
{
	struct outlier_row *rows;
	size_t found;
	out->worst = ARENA_ARRAY(a, struct outlier_row, OUTLIERS_WORST);
	TRY(outlier_rows_list(watch, f, OUTLIER_WORST, WORST_LOOKED_AT, a, &rows, &found, err));
	for (size_t i = 0; i < found && out->worst_count < OUTLIERS_WORST; i++) {
		const char *sha256;
		TRY(training_data_rows_blob(c, rows[i].predicted_asset_id, a, &sha256, err));
		if (sha256)
			out->worst[out->worst_count++] = rows[i];
	}
	return ST_OK;
}

enum status outliers_read(struct db_conn *c, struct db_conn *watch, const struct outlier_filter *filter,
	size_t points_max, struct arena *a, struct outliers_report *out, struct err *err)
{
	*out = (struct outliers_report){0};
	TRY(count(watch, filter, out, err));
	TRY(read_points(watch, filter, points_max, a, out, err));
	return read_worst(c, watch, filter, a, out, err);
}
