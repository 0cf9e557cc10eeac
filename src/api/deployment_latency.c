/* SPDX-License-Identifier: Apache-2.0 */
/* The latency chart: the champions' predictions, and those of one shadow beside them, in CPU time. */
#include "api/api.h"
#include "api/nouns.h"
#include "base/check.h"
#include "os/clock.h"
#include "store/prediction_rows.h"
#include "store/shadow_rows.h"

#include <math.h>
#include <stdlib.h>

#define POINTS_DEFAULT 2000
#define POINTS_MAX 10000

static enum status read_number(
	const struct http_request *req, const char *key, double missing, double *out, struct err *err)
{
	const char *text = http_query(req, key);
	*out = missing;
	if (text == NULL || *text == '\0')
		return ST_OK;
	char *end;
	*out = strtod(text, &end);
	if (*end || !isfinite(*out) || *out < 0 || *out > 1e11)
		return err_set(
			err, ST_INVALID, "\"%s\" must be a number: seconds since 1970, or a count.", key);
	return ST_OK;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* A chart of one model: its points, and the times they show. */
struct chart {
	struct latency_point *points;
	size_t count;
	int64_t in_range;
	bool cpu;
};

static int64_t time_of(const struct chart *chart, size_t i)
{
	return chart->cpu ? chart->points[i].cpu_us : chart->points[i].latency_us;
}

/* Percentiles by nearest rank. */
static void add_summary(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct chart *chart, struct arena *a)
{
	static const struct {
		const char *key;
		size_t percent;
	} ranks[] = {{"p50_s", 50}, {"p90_s", 90}, {"p99_s", 99}};
	size_t count = chart->count;
	int64_t *sorted = ARENA_ARRAY(a, int64_t, count + 1);
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = time_of(chart, i);
		sum += (double)sorted[i];
	}
	qsort(sorted, count, sizeof(sorted[0]), compare);
	if (count)
		yyjson_mut_obj_add_real(doc, root, "mean_s", sum / (double)count / 1e6);
	else
		yyjson_mut_obj_add_null(doc, root, "mean_s");
	for (size_t i = 0; i < COUNT_OF(ranks); i++) {
		size_t rank = (count * ranks[i].percent + 99) / 100;
		if (count)
			yyjson_mut_obj_add_real(doc, root, ranks[i].key, (double)sorted[rank - 1] / 1e6);
		else
			yyjson_mut_obj_add_null(doc, root, ranks[i].key);
	}
}

static void add_points(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *key, const struct chart *chart)
{
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, key);
	for (size_t i = 0; i < chart->count; i++) {
		char text[UUID_TEXT_SIZE];
		uuid_format(chart->points[i].predicted_asset_id, text);
		yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, list);
		yyjson_mut_arr_add_real(doc, point, (double)chart->points[i].at_us / 1e6);
		yyjson_mut_arr_add_real(doc, point, (double)time_of(chart, i) / 1e6);
		yyjson_mut_arr_add_strcpy(doc, point, text);
	}
}

/* The version that is named, or the newest shadow; zero when there is none. */
static enum status choose_shadow(struct http_request *req, struct db_conn *c, struct uuid deployment_id,
	struct uuid *version_id, struct err *err)
{
	struct shadow_row *shadows;
	size_t count;
	*version_id = (struct uuid){{0}};
	if (uuid_parse(http_query(req, "shadow"), version_id))
		return ST_OK;
	TRY(shadow_rows_list(c, deployment_id, req->arena, &shadows, &count, err));
	if (count)
		*version_id = shadows[0].model_version_id;
	return ST_OK;
}

enum status api_deployment_latency(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct latency_range range = {0};
	struct chart champion = {0}, shadow = {.cpu = true};
	double from, to, points_max, cpu;
	TRY(api_id(req, "id", "deployment", &range.deployment_id, err));
	TRY(read_number(req, "from", 0, &from, err));
	TRY(read_number(req, "to", (double)clock_unix_us() / 1e6 + 60, &to, err));
	TRY(read_number(req, "points_max", POINTS_DEFAULT, &points_max, err));
	TRY(read_number(req, "cpu", 0, &cpu, err));
	if (points_max < 1 || points_max > POINTS_MAX)
		return err_set(err, ST_INVALID, "\"points_max\" must be from 1 to %d.", POINTS_MAX);
	range.from_us = (int64_t)(from * 1e6);
	range.to_us = (int64_t)(to * 1e6);
	range.points_max = (int64_t)points_max;
	champion.cpu = cpu > 0;
	TRY(api_read(req, &reader, err));
	TRY(prediction_rows_latency(
		reader.conn, &range, req->arena, &champion.points, &champion.count, &champion.in_range, err));
	TRY(choose_shadow(req, reader.conn, range.deployment_id, &range.shadow_version_id, err));
	if (!uuid_is_zero(range.shadow_version_id))
		TRY(prediction_rows_latency(reader.conn, &range, req->arena, &shadow.points, &shadow.count,
			&shadow.in_range, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	add_points(doc, root, "points", &champion);
	yyjson_mut_obj_add_int(doc, root, "count", champion.in_range);
	yyjson_mut_obj_add_bool(doc, root, "sampled", champion.in_range > (int64_t)champion.count);
	add_summary(doc, root, &champion, req->arena);
	add_points(doc, root, "shadow_points", &shadow);
	api_add_id(doc, root, "shadow_model_version_id", range.shadow_version_id);
	return http_reply_json(req, reply, doc);
}
