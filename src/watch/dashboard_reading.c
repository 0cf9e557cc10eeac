/* SPDX-License-Identifier: Apache-2.0 */
/* What a request for a dashboard is about: its range, and what roll-ups know of its filter. */
#include "store/rows.h"
#include "watch/dashboard_inside.h"
#include "watch/watch.h"

#include <stdio.h>

#define DAY_US RANGE_DAY_US
#define LATEST_US INT64_C(4000000000000000) /* 2096: a chart has at most 200 years */

static int64_t between(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* ---- the range ---- */

static enum status set_range(struct reading *r, int64_t now_us, struct err *err)
{
	const struct dashboard_filter *f = r->filter;
	int64_t first_us = 0, last_us = 0;
	TRY(rollups_span(r->watch, r->deployment.id, &first_us, &last_us, err));
	int64_t from_us = f->from_us, to_us = f->to_us;
	if (f->recent) {
		bool long_ago = last_us > 0 && last_us < now_us - DAY_US;
		to_us = long_ago ? last_us + RANGE_MINUTE_US : now_us;
		from_us = to_us - DAY_US;
	} else {
		if (to_us == 0)
			to_us = now_us > from_us ? now_us : from_us + 1;
		if (from_us == 0)
			from_us = first_us > 0 && first_us < to_us ? first_us : to_us - DAY_US;
	}
	from_us = between(from_us, 0, LATEST_US - 1);
	to_us = between(to_us, 1, LATEST_US);
	if (from_us >= to_us)
		return err_set(err, ST_INVALID,
			"Nothing is between \"from\" and \"to\": \"from\" must be before \"to\".");
	range_set(&r->range, from_us, to_us);
	return ST_OK;
}

/* ---- the filter ---- */

static enum status find_source(struct reading *r, struct err *err)
{
	const char *wanted = r->filter->source ? r->filter->source : "";
	bool others = false;
	TRY(rollups_sources(r->watch, r->deployment.id, r->arena, &r->sources, &r->source_count, err));
	r->source = wanted;
	for (size_t i = 0; i < r->source_count; i++) {
		if (strcmp(r->sources[i], wanted) == 0)
			return ST_OK;
		others |= strcmp(r->sources[i], ROLLUP_OTHER_SOURCE) == 0;
	}
	if (*wanted && others)
		r->source = NULL; /* one of the others, or nobody */
	return ST_OK;
}

static enum status find_view(struct reading *r, struct err *err)
{
	const struct dashboard_filter *f = r->filter;
	bool recut = false, ready = false;
	r->view = ROLLUP_ANSWERED;
	r->exact = f->cut == DASHBOARD_ANSWERED;
	if (r->exact || (f->cut == DASHBOARD_VALUE && f->threshold != r->deployment.threshold))
		return ST_OK;
	TRY(watch_view_now(r->log, r->watch, r->deployment.id, &recut, &ready, err));
	r->view = recut && ready ? ROLLUP_RECUT : ROLLUP_ANSWERED;
	r->exact = ready;
	return ST_OK;
}

static enum status see_how_far(struct reading *r, struct err *err)
{
	struct log_row *rows;
	size_t count;
	int64_t position;
	TRY(rollups_position(r->watch, &position, err));
	TRY(log_rows_after(r->log, r->deployment.id, position, 1, r->arena, &rows, &count, err));
	r->behind = count > 0;
	return ST_OK;
}

enum status reading_open(struct reading *r, struct uuid deployment_id, int64_t now_us, struct err *err)
{
	r->names = (struct names){.log = r->log, .arena = r->arena};
	TRY(deployment_rows_by_id(r->log, deployment_id, r->arena, &r->deployment, err));
	TRY(set_range(r, now_us, err));
	TRY(find_source(r, err));
	TRY(see_how_far(r, err));
	return find_view(r, err);
}

bool reading_needs_rows(const struct reading *r)
{
	const struct dashboard_filter *f = r->filter;
	return f->tag_count || f->only_count || f->without_count || r->source == NULL;
}

double reading_threshold(const struct reading *r, const struct log_row *row)
{
	switch (r->filter->cut) {
	case DASHBOARD_ANSWERED: return row->threshold;
	case DASHBOARD_SETTING: return r->deployment.threshold;
	case DASHBOARD_VALUE: return r->filter->threshold;
	}
	return row->threshold;
}

/* ---- how many ---- */

struct counting {
	struct reading *r;
	struct reading_count *out;
	size_t room;
	struct summary *sum;
};

static enum status count_rollup(void *arg, const struct rollup_key *key, struct span packed, struct err *err)
{
	struct counting *c = arg;
	struct reading_count *out = c->out;
	const struct uuid only = c->r->filter->version_id;
	size_t i = 0;
	if (key->is_shadow || (!uuid_is_zero(only) && !uuid_equal(only, key->version_id)))
		return ST_OK;
	while (i < out->version_count && !uuid_equal(out->versions[i], key->version_id))
		i++;
	if (i == out->version_count) {
		out->versions = rows_grow(
			c->r->arena, out->versions, out->version_count, &c->room, sizeof(*out->versions));
		out->versions[out->version_count++] = key->version_id;
	}
	return summary_unpack_into(c->sum, packed, err);
}

enum status reading_count(struct reading *r, struct reading_count *out, struct err *err)
{
	struct counting c = {.r = r, .out = out, .sum = ARENA_NEW(r->arena, struct summary)};
	struct rollup_key key = {
		.deployment_id = r->deployment.id,
		.source = r->source ? r->source : "",
		.version_id = r->filter->version_id,
	};
	enum status st = ST_OK;
	*out = (struct reading_count){0};
	summary_init(c.sum);
	for (size_t i = 0; i < r->range.piece_count && st == ST_OK; i++) {
		const struct range_piece *piece = &r->range.pieces[i];
		key.level_s = piece->level_s;
		st = rollups_read(r->watch, &key, piece->from_us, piece->to_us, count_rollup, &c, err);
	}
	out->predictions = c.sum->predictions;
	summary_release(c.sum);
	return st;
}

/* 120,311 */
static void write_digits(uint64_t number, char out[32])
{
	char digits[24];
	int size = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	char *to = out;
	for (int i = 0; i < size; i++) {
		if (i && (size - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
}

const char *reading_sentence(struct reading *r, const struct dashboard_basis *b, const char *what)
{
	char images[32], of[32];
	if (!b->sample)
		return NULL;
	write_digits(b->images, images);
	write_digits(b->of, of);
	return arena_printf(r->arena, "%s drawn from %s of %s images.", what, images, of);
}
