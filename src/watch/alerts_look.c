/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which alerts by window hold now: events open and close. Nothing is kept between two looks; what is decided
 * follows from the rows alone, so that a restart changes nothing.
 */
#include "watch/alerts_inside.h"

#include <inttypes.h>

/* What was decided of one alert, for the job. */
struct decision {
	const struct alert_row *alert;
	struct alert_news news; /* opens; sentence NULL: it does not */
	struct uuid event_id;   /* closes; zero: it does not */
	const char *why;
	int64_t now_us;
	struct arena *arena;
	bool changed;
};

static enum status open_or_close(struct db_conn *c, void *arg, struct err *err)
{
	struct decision *d = arg;
	struct alert_row row;
	/* As it is now: it may have been switched off since. */
	TRY(alert_rows_by_id(c, d->alert->id, d->arena, &row, err));
	if (!row.active)
		return ST_OK;
	if (d->news.sentence)
		return alert_open(c, &row, &d->news, d->arena, &d->changed, err);
	TRY(alert_event_close(c, d->event_id, d->now_us, ALERT_BY_GYRE, d->why, err));
	d->changed = true;
	return ST_OK;
}

static enum status carry_out(const struct alerts_look *look, struct decision *d, struct err *err)
{
	enum status st = recorder_run(look->recorder, open_or_close, d, err);
	if (st == ST_MISSING || st == ST_CONFLICT) /* somebody was quicker */
		return ST_OK;
	if (st == ST_OK && d->changed && look->tell)
		look->tell(look->tell_arg, d->alert->deployment_id);
	return st;
}

/* It has to hold no more in the window that ended a minute ago too, so that it does not come and go. */
static enum status decide_closing(struct alert_scope *s, const struct alert_row *alert, enum alert_kind kind,
	struct decision *d, struct err *err)
{
	struct alert_value now, before;
	int64_t end_us = alert_window_end(s->look->now_us);
	TRY(alert_measure(s, alert, kind, end_us, false, &now, err));
	if (!now.known || alert_holds(alert, &now, false))
		return ST_OK;
	TRY(alert_measure(s, alert, kind, end_us - ALERT_MINUTE_US, false, &before, err));
	if (before.known && alert_holds(alert, &before, false))
		return ST_OK;
	d->why = alert_sentence_closed(alert, kind, &now, s->arena);
	return ST_OK;
}

static enum status decide_opening(struct alert_scope *s, const struct alert_row *alert, enum alert_kind kind,
	const struct alert_event_row *last, struct decision *d, struct err *err)
{
	struct alert_value now;
	int64_t end_us = alert_window_end(s->look->now_us);
	TRY(alert_measure(s, alert, kind, end_us, true, &now, err));
	if (!now.known || !alert_holds(alert, &now, true))
		return ST_OK;
	/* Somebody saw it and closed it: what it was about does not open it again. */
	bool by_gyre = last->closed_by && strcmp(last->closed_by, ALERT_BY_GYRE) == 0;
	if (!uuid_is_zero(last->id) && !by_gyre && now.from_us < last->closed_us)
		return ST_OK;
	d->news = (struct alert_news){.deployment_id = alert->deployment_id,
		.kind = kind,
		.key = arena_printf(s->arena, "window:%" PRId64, end_us / 1000000),
		.at_us = s->look->now_us,
		.sentence = alert_sentence(alert, kind, &now, s->arena),
		.detail = alert_detail(alert, kind, &now, s->arena)};
	return ST_OK;
}

static enum status read_state(
	struct alert_scope *s, const struct alert_row *alert, struct alert_event_row *last, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(s->look->readers, &c, err));
	enum status st = alert_event_rows_last(c, alert->id, s->arena, last, err);
	if (st == ST_OK && !uuid_equal(s->deployment.id, alert->deployment_id)) {
		s->to_us = 0; /* the summary is another deployment's */
		st = deployment_rows_by_id(c, alert->deployment_id, s->arena, &s->deployment, err);
	}
	db_reader_give(s->look->readers, c);
	return st;
}

static enum status look_at(struct alert_scope *s, const struct alert_row *alert, struct err *err)
{
	enum alert_kind kind;
	struct alert_event_row last;
	struct decision d = {.alert = alert, .now_us = s->look->now_us, .arena = s->arena};
	if (!alert_kind_parse(alert->kind, &kind) || alert_about(kind)->way != ALERT_BY_WINDOW)
		return ST_OK;
	TRY(read_state(s, alert, &last, err));
	if (!uuid_is_zero(last.id) && last.closed_us == 0) {
		d.event_id = last.id;
		TRY(decide_closing(s, alert, kind, &d, err));
	} else
		TRY(decide_opening(s, alert, kind, &last, &d, err));
	return d.news.sentence || d.why ? carry_out(s->look, &d, err) : ST_OK;
}

/* Each, though another fails: the last failure. */
static enum status look_at_all(
	const struct alerts_look *look, const struct alert_row *alerts, size_t count, struct err *err)
{
	enum status st = ST_OK;
	struct arena a;
	struct alert_scope s = {.look = look, .arena = &a};
	arena_init(&a);
	summary_init(&s.summary);
	for (size_t i = 0; i < count; i++) {
		struct err one;
		if (i > 0 && !uuid_equal(alerts[i].deployment_id, alerts[i - 1].deployment_id)) {
			arena_release(&a);
			s.deployment = (struct deployment_row){0};
		}
		if (look_at(&s, &alerts[i], &one) == ST_OK || one.status == ST_MISSING)
			continue; /* what is gone is no failure */
		st = one.status;
		*err = one;
	}
	summary_release(&s.summary);
	arena_release(&a);
	return st;
}

enum status alerts_look(const struct alerts_look *look, struct err *err)
{
	struct db_conn *c;
	struct alert_row *alerts;
	size_t count;
	struct arena a;
	arena_init(&a);
	enum status st = db_reader_take(look->readers, &c, err);
	if (st == ST_OK) {
		st = alert_rows_by_window(c, &a, &alerts, &count, err);
		db_reader_give(look->readers, c);
	}
	if (st == ST_OK)
		st = look_at_all(look, alerts, count, err);
	arena_release(&a);
	return st;
}
