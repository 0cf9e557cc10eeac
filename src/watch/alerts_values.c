/* SPDX-License-Identifier: Apache-2.0 */
/* What an alert looks at: one number of a window. Most are in the roll-ups by minute. */
#include "base/check.h"
#include "stats/binomial.h"
#include "store/failure_rows.h"
#include "store/outlier_rows.h"
#include "watch/alerts_inside.h"
#include "watch/dashboard_range.h"
#include "watch/outlier.h"
#include "watch/quality.h"
#include "watch/rollups.h"

#include <math.h>
#include <string.h>

#define CHANCE_MAX 0.001 /* a share of images is beyond the limit only when luck is less likely than that */

int64_t alert_window_end(int64_t now_us)
{
	return now_us / ALERT_MINUTE_US * ALERT_MINUTE_US + ALERT_MINUTE_US;
}

/* ---- the roll-ups of the window ---- */

static enum status add_champion(void *arg, const struct rollup_key *key, struct span packed, struct err *err)
{
	return key->is_shadow ? ST_OK : summary_unpack_into(arg, packed, err);
}

static enum status read_pieces(
	struct alert_scope *s, struct db_conn *watch, const struct range *r, struct err *err)
{
	for (size_t i = 0; i < r->piece_count; i++) {
		const struct range_piece *piece = &r->pieces[i];
		const struct rollup_key key = {.deployment_id = s->deployment.id,
			.view = ROLLUP_ANSWERED,
			.level_s = piece->level_s,
			.source = ""};
		TRY(rollups_read(watch, &key, piece->from_us, piece->to_us, add_champion, &s->summary, err));
	}
	return ST_OK;
}

static enum status read_summary(struct alert_scope *s, int64_t from_us, int64_t to_us, struct err *err)
{
	struct db_conn *watch;
	struct range r;
	if (s->to_us == to_us && s->from_us == from_us)
		return ST_OK;
	summary_release(&s->summary);
	summary_init(&s->summary);
	s->to_us = 0;
	range_set(&r, from_us, to_us);
	TRY(db_reader_take(s->look->watch, &watch, err));
	enum status st = read_pieces(s, watch, &r, err);
	db_reader_give(s->look->watch, watch);
	TRY(st);
	s->from_us = from_us;
	s->to_us = to_us;
	return ST_OK;
}

/* ---- one kind each ---- */

static void measure_latency(const struct summary *s, bool mean, struct alert_value *out)
{
	out->images = s->predictions;
	if (s->predictions == 0)
		return;
	out->value = mean ? (double)s->latency_sum_us / (double)s->predictions / 1e3
			  : sketch_quantile(s->latencies, 0.99) / 1e3;
}

static void set_share(struct alert_value *out, uint64_t hits, uint64_t images)
{
	out->share = true;
	out->hits = hits;
	out->images = images;
	out->value = images ? 100 * (double)hits / (double)images : 0;
}

static enum status measure_failed(struct alert_scope *s, struct alert_value *out, struct err *err)
{
	struct failure_row *rows;
	struct db_conn *c;
	size_t count;
	uint64_t all = s->summary.predictions, failed = 0;
	TRY(db_reader_take(s->look->readers, &c, err));
	enum status st = failure_rows_list(
		c, s->deployment.id, out->from_us, out->to_us, s->arena, &rows, &count, err);
	db_reader_give(s->look->readers, c);
	TRY(st);
	for (size_t i = 0; i < count; i++) {
		all += (uint64_t)rows[i].count;
		if (rows[i].http_status < 500)
			continue;
		failed += (uint64_t)rows[i].count;
		out->parts[0].name = rows[i].last_text; /* of the latest minute */
		out->part_count = 1;
	}
	set_share(out, failed, all);
	out->parts[0].value = (double)failed;
	return ST_OK;
}

static enum status measure_outliers(struct alert_scope *s, struct alert_value *out, struct err *err)
{
	struct db_conn *watch;
	struct outlier_filter f = {
		.deployment_id = s->deployment.id, .from_us = out->from_us, .to_us = out->to_us};
	int64_t images, outliers = 0;
	TRY(db_reader_take(s->look->watch, &watch, err));
	enum status st = outlier_rows_count(watch, &f, &images, err);
	f.rank_max = OUTLIER_RANK;
	if (st == ST_OK)
		st = outlier_rows_count(watch, &f, &outliers, err);
	db_reader_give(s->look->watch, watch);
	TRY(st);
	set_share(out, (uint64_t)outliers, (uint64_t)images);
	return ST_OK;
}

/* It takes some time, and what it says follows from reviews: soon after one, and once a minute. */
static enum status ap_is_due(struct alert_scope *s, bool *due, struct err *err)
{
	struct db_conn *c;
	int64_t reviewed_us = 0;
	TRY(db_reader_take(s->look->readers, &c, err));
	enum status st = alert_rows_last_review(c, s->deployment.id, &reviewed_us, err);
	db_reader_give(s->look->readers, c);
	*due = s->look->now_us % ALERT_MINUTE_US < ALERT_SLOW_US ||
	       s->look->now_us - reviewed_us < 2 * ALERT_SLOW_US;
	return st;
}

static enum status measure_ap(
	struct alert_scope *s, const struct alert_row *alert, struct alert_value *out, struct err *err)
{
	bool due;
	struct quality_report r;
	const struct quality_filter filter = {
		.from_us = out->from_us, .to_us = out->to_us, .label = alert->label, .threshold = -1};
	TRY(ap_is_due(s, &due, err));
	if (s->look->quality == NULL || !due)
		return ST_OK;
	TRY(quality_read(s->look->quality, s->deployment.id, &filter, s->arena, &r, err));
	if (r.version_count == 0 || r.versions[0].role != QUALITY_CHAMPION)
		return ST_OK;
	const struct quality_version *v = &r.versions[0];
	out->accuracy = r.task == TASK_CLASSIFICATION;
	out->value = out->accuracy ? v->classes.accuracy : v->coco.ap;
	out->images = out->value < 0 ? 0 : v->images; /* no truth of it: nothing to say */
	return ST_OK;
}

/* ---- all ---- */

static enum status measure(struct alert_scope *s, const struct alert_row *alert, enum alert_kind kind,
	bool maybe, struct alert_value *out, struct err *err)
{
	switch (kind) {
	case ALERT_LATENCY:
	case ALERT_AVG_LATENCY: measure_latency(&s->summary, kind == ALERT_AVG_LATENCY, out); return ST_OK;
	case ALERT_FAILED: return measure_failed(s, out, err);
	case ALERT_OUTLIER: return measure_outliers(s, out, err);
	case ALERT_AP: return measure_ap(s, alert, out, err);
	case ALERT_DISTRIBUTION: return alert_measure_labels(s, alert, out, err);
	case ALERT_DATA_QUALITY: return alert_measure_quality(s, alert, maybe, out, err);
	case ALERT_DRIFT:
	case ALERT_TRAINING_FAILED:
	case ALERT_KIND_COUNT: break;
	}
	return ST_OK;
}

enum status alert_measure(struct alert_scope *s, const struct alert_row *alert, enum alert_kind kind,
	int64_t end_us, bool maybe, struct alert_value *out, struct err *err)
{
	*out = (struct alert_value){.from_us = end_us - alert->window_s * 1000000, .to_us = end_us};
	if (kind != ALERT_AP && kind != ALERT_OUTLIER)
		TRY(read_summary(s, out->from_us, out->to_us, err));
	TRY(measure(s, alert, kind, maybe, out, err));
	out->known = out->images > 0 && out->images >= (uint64_t)alert->images_min;
	return ST_OK;
}

bool alert_holds(const struct alert_row *alert, const struct alert_value *v, bool firmly)
{
	const char *comparison = alert->comparison;
	if (strcmp(comparison, "<") == 0)
		return v->value < alert->value;
	if (strcmp(comparison, "<=") == 0)
		return v->value <= alert->value;
	if (strcmp(comparison, "=") == 0)
		return fabs(v->value - alert->value) < 1e-9;
	bool above = strcmp(comparison, ">") == 0 ? v->value > alert->value : v->value >= alert->value;
	if (!above || !firmly || !v->share || strcmp(alert->kind, alert_kind_name(ALERT_FAILED)) == 0)
		return above;
	return binomial_at_least(v->hits, v->images, alert->value / 100) < CHANCE_MAX;
}
