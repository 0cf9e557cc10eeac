/* SPDX-License-Identifier: Apache-2.0 */
/* The latency chart: the champions' predictions, and those of one shadow beside them, in CPU time. Of many
 * predictions a sample is shown, and the numbers are those of the roll-ups. */
#include "api/dashboard_json.h"
#include "api/nouns.h"
#include "base/check.h"
#include "base/compare.h"
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

/* A chart of one model: its points, and the times they show. */
struct chart {
	struct latency_point *points;
	size_t count;
	bool more; /* the points are a sample */
	bool cpu;
};

static int64_t time_of(const struct chart *chart, size_t i)
{
	return chart->cpu ? chart->points[i].cpu_us : chart->points[i].latency_us;
}

#define RANKS 3
static const struct {
	const char *key;
	size_t percent;
} ranks[RANKS] = {{"p50_s", 50}, {"p90_s", 90}, {"p99_s", 99}};

struct times { /* seconds; NAN: there is none */
	double mean, percentiles[RANKS];
};

/* Percentiles by nearest rank. */
static struct times times_of_points(const struct chart *chart, struct arena *a)
{
	size_t count = chart->count;
	int64_t *sorted = ARENA_ARRAY(a, int64_t, count + 1);
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = time_of(chart, i);
		sum += (double)sorted[i];
	}
	qsort(sorted, count, sizeof(sorted[0]), compare_int64);
	struct times out = {.mean = count ? sum / (double)count / 1e6 : (double)NAN};
	for (size_t i = 0; i < RANKS; i++) {
		size_t rank = (count * ranks[i].percent + 99) / 100;
		out.percentiles[i] = count ? (double)sorted[rank - 1] / 1e6 : (double)NAN;
	}
	return out;
}

static struct times times_of_summary(const struct summary *s)
{
	const uint64_t count = s->predictions;
	struct times out = {.mean = count ? (double)s->latency_sum_us / 1e6 / (double)count : (double)NAN};
	for (size_t i = 0; i < RANKS; i++)
		out.percentiles[i] =
			count ? sketch_quantile(s->latencies, (double)ranks[i].percent / 100) / 1e6
			      : (double)NAN;
	return out;
}

static void add_times(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct times *t)
{
	dashboard_add(doc, root, "mean_s", t->mean);
	for (size_t i = 0; i < RANKS; i++)
		dashboard_add(doc, root, ranks[i].key, t->percentiles[i]);
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

static enum status read_range(
	struct http_request *req, struct latency_range *out, bool *cpu_time, struct err *err)
{
	double from, to, points_max, cpu;
	TRY(api_id(req, "id", "deployment", &out->deployment_id, err));
	TRY(read_number(req, "from", 0, &from, err));
	TRY(read_number(req, "to", (double)clock_unix_us() / 1e6 + 60, &to, err));
	TRY(read_number(req, "points_max", POINTS_DEFAULT, &points_max, err));
	TRY(read_number(req, "cpu", 0, &cpu, err));
	if (points_max < 1 || points_max > POINTS_MAX)
		return err_set(err, ST_INVALID, "\"points_max\" must be from 1 to %d.", POINTS_MAX);
	out->from_us = (int64_t)(from * 1e6);
	out->to_us = (int64_t)(to * 1e6);
	out->points_max = (int64_t)points_max;
	*cpu_time = cpu > 0;
	return ST_OK;
}

static enum status read_points(struct http_request *req, struct db_conn *c, struct db_conn *watch,
	const struct latency_range *range, uint64_t counted, struct chart *champion, struct chart *shadow,
	struct err *err)
{
	const struct dashboard_draw draw = {
		range->from_us, range->to_us + 1, (size_t)range->points_max, counted};
	int64_t *positions;
	size_t count, listed;
	TRY(dashboard_positions(
		c, watch, range->deployment_id, &draw, req->arena, &positions, &count, &listed, err));
	TRY(prediction_rows_latency_at(c, (struct uuid){{0}}, positions, count, req->arena, &champion->points,
		&champion->count, err));
	if (uuid_is_zero(range->shadow_version_id))
		return ST_OK;
	return prediction_rows_latency_at(c, range->shadow_version_id, positions, count, req->arena,
		&shadow->points, &shadow->count, err);
}

/* Too many to read them all: points are of a sample, numbers are those of the roll-ups. */
static enum status read_sample(struct http_request *req, struct db_conn *c, const struct latency_range *range,
	struct chart *champion, struct chart *shadow, struct times *times, int64_t *in_range, struct err *err)
{
	API_READER watch = {0};
	const struct dashboard_filter filter = {.from_us = range->from_us, .to_us = range->to_us + 1};
	struct dashboard d = {0};
	TRY(dashboard_reader(req, &watch, err));
	enum status st = dashboard_read(
		c, watch.conn, range->deployment_id, &filter, clock_unix_us(), req->arena, &d, err);
	if (st == ST_OK)
		st = read_points(req, c, watch.conn, range, d.total.predictions, champion, shadow, err);
	if (st == ST_OK) {
		*in_range = (int64_t)d.total.predictions;
		*times = champion->cpu ? times_of_points(champion, req->arena) : times_of_summary(&d.total);
	}
	dashboard_release(&d);
	return st;
}

static enum status read_charts(struct http_request *req, struct db_conn *c, struct latency_range *range,
	struct chart *champion, struct chart *shadow, struct times *times, int64_t *in_range, struct err *err)
{
	struct latency_range of_shadow = *range;
	range->shadow_version_id = (struct uuid){{0}};
	TRY(prediction_rows_latency(
		c, range, req->arena, &champion->points, &champion->count, &champion->more, err));
	range->shadow_version_id = of_shadow.shadow_version_id;
	if (champion->more)
		return read_sample(req, c, range, champion, shadow, times, in_range, err);
	if (!uuid_is_zero(of_shadow.shadow_version_id))
		TRY(prediction_rows_latency(
			c, &of_shadow, req->arena, &shadow->points, &shadow->count, &shadow->more, err));
	*in_range = (int64_t)champion->count;
	*times = times_of_points(champion, req->arena);
	return ST_OK;
}

enum status api_deployment_latency(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct latency_range range = {0};
	struct chart champion = {0}, shadow = {.cpu = true};
	struct times times;
	int64_t in_range;
	TRY(read_range(req, &range, &champion.cpu, err));
	TRY(api_read(req, &reader, err));
	TRY(choose_shadow(req, reader.conn, range.deployment_id, &range.shadow_version_id, err));
	TRY(read_charts(req, reader.conn, &range, &champion, &shadow, &times, &in_range, err));
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	add_points(doc, root, "points", &champion);
	yyjson_mut_obj_add_int(doc, root, "count", in_range);
	yyjson_mut_obj_add_bool(doc, root, "sampled", champion.more);
	add_times(doc, root, &times);
	add_points(doc, root, "shadow_points", &shadow);
	api_add_id(doc, root, "shadow_model_version_id", range.shadow_version_id);
	return http_reply_json(req, reply, doc);
}
