/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/observer.h"

#include "base/check.h"
#include "base/json.h"
#include "os/log.h"
#include "store/detectors_rows.h"
#include "store/log_rows.h"
#include "store/outlier_rows.h"
#include "store/reference_rows.h"
#include "watch/alerts.h"

#include <stdlib.h>

#define EVENTS_MAX 500   /* that are looked through */
#define CALM_IMAGES 1000 /* that count, without another alarm: the drift is over */

/* A deployment that is watched. */
struct entry {
	struct uuid deployment_id, reference_id;
	double threshold;
	struct reference *reference; /* NULL: it could not be read, which was said */
	struct detectors *detectors;
	int64_t after; /* what is not above this position was seen, or is none of its business */
	int64_t told;  /* up to this position an alarm may have been told before: watch.db was made anew */
	bool changed;  /* since it was stored */
};

/* Something that happened in the batch. */
struct happening {
	struct uuid deployment_id;
	struct alert_news news;
	bool over; /* the drift, that is */
	bool maybe_told;
};

struct observer {
	struct entry *entries;
	size_t count, room;
	struct arena batch; /* the two lists, and their texts */
	struct outlier_row *outliers;
	size_t outlier_count, outlier_room;
	struct happening *happenings;
	size_t happening_count, happening_room;
};

struct observer *observer_new(void)
{
	struct observer *o = calloc(1, sizeof(*o));
	CHECK(o != NULL);
	arena_init(&o->batch);
	return o;
}

static void drop_entry(struct entry *e)
{
	detectors_free(e->detectors);
	if (e->reference)
		reference_drop(e->reference);
}

static void drop_batch(struct observer *o)
{
	arena_release(&o->batch);
	o->outliers = NULL;
	o->happenings = NULL;
	o->outlier_count = o->outlier_room = o->happening_count = o->happening_room = 0;
}

void observer_forget(struct observer *o)
{
	for (size_t i = 0; i < o->count; i++)
		drop_entry(&o->entries[i]);
	o->count = 0;
	drop_batch(o);
}

void observer_free(struct observer *o)
{
	if (!o)
		return;
	observer_forget(o);
	free(o->entries);
	free(o);
}

/* ---- whom to watch ---- */

static bool same(double a, double b)
{
	return !(a < b) && !(a > b);
}

static enum status stored(struct db_conn *watch, struct reference *r, struct arena *a, struct detectors **out,
	int64_t *after, struct err *err)
{
	struct detectors_row row;
	bool found;
	*out = NULL;
	*after = r->position;
	TRY(detectors_rows_get(watch, r->deployment_id, a, &row, &found, err));
	if (!found || !uuid_equal(row.reference_id, r->id))
		return ST_OK;
	if (row.position > *after)
		*after = row.position;
	if (detectors_unpack(row.state, r, out, NULL) != ST_OK)
		*out = NULL; /* of another threshold, or of an older gyre: begin anew */
	return ST_OK;
}

enum status observer_detectors(
	struct db_conn *watch, struct reference *r, struct detectors **out, struct err *err)
{
	struct arena a;
	int64_t after;
	arena_init(&a);
	enum status st = stored(watch, r, &a, out, &after, err);
	arena_release(&a);
	return st;
}

static enum status begin(struct observer *o, struct entry *e, struct db_conn *c, struct db_conn *watch,
	struct arena *a, struct err *err)
{
	struct err why = {.text = ""};
	enum status st = reference_load(c, e->deployment_id, e->threshold, &e->reference, &why);
	if (st == ST_OK && e->reference && !uuid_equal(e->reference->id, e->reference_id)) {
		reference_drop(e->reference); /* it changed in between: next time */
		e->reference = NULL;
	}
	if (st == ST_INVALID) {
		log_err("reference_not_read", &why);
		st = ST_OK;
	}
	if (st != ST_OK)
		return err_set(err, st, "%s", why.text);
	if (!e->reference)
		return ST_OK;
	TRY(stored(watch, e->reference, a, &e->detectors, &e->after, err));
	if (e->detectors)
		return ST_OK;
	e->detectors = detectors_new(e->reference);
	return log_rows_end(c, &e->told, err);
}

static const struct reference_watched *find(
	const struct reference_watched *items, size_t count, const struct entry *e)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(items[i].deployment_id, e->deployment_id) &&
			uuid_equal(items[i].reference_id, e->reference_id) &&
			same(items[i].threshold, e->threshold))
			return &items[i];
	return NULL;
}

static void drop_gone(struct observer *o, const struct reference_watched *items, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < o->count; i++)
		if (find(items, count, &o->entries[i]))
			o->entries[kept++] = o->entries[i];
		else
			drop_entry(&o->entries[i]);
	o->count = kept;
}

static struct entry *entry_of(struct observer *o, struct uuid deployment_id)
{
	for (size_t i = 0; i < o->count; i++)
		if (uuid_equal(o->entries[i].deployment_id, deployment_id))
			return &o->entries[i];
	return NULL;
}

static enum status refresh(
	struct observer *o, struct db_conn *c, struct db_conn *watch, struct arena *a, struct err *err)
{
	struct reference_watched *items;
	size_t count;
	TRY(reference_rows_watched(c, a, &items, &count, err));
	drop_gone(o, items, count);
	for (size_t i = 0; i < count; i++) {
		if (entry_of(o, items[i].deployment_id))
			continue;
		struct entry e = {.deployment_id = items[i].deployment_id,
			.reference_id = items[i].reference_id,
			.threshold = items[i].threshold};
		enum status st = begin(o, &e, c, watch, a, err);
		if (st != ST_OK) {
			drop_entry(&e);
			return st;
		}
		if (o->count == o->room) {
			o->room = o->room ? 2 * o->room : 16;
			o->entries = realloc(o->entries, o->room * sizeof(*o->entries));
			CHECK(o->entries != NULL);
		}
		o->entries[o->count++] = e;
	}
	return ST_OK;
}

enum status observer_refresh(struct observer *o, struct db_conn *c, struct db_conn *watch, struct err *err)
{
	struct arena a;
	arena_init(&a);
	enum status st = refresh(o, c, watch, &a, err);
	arena_release(&a);
	return st;
}

/* ---- what an alarm says ---- */

static const char *how(const struct detectors_alarm *alarm)
{
	switch (alarm->change) {
	case SEQUENTIAL_LOWER: return "its values are lower than";
	case SEQUENTIAL_HIGHER: return "its values are higher than";
	case SEQUENTIAL_WIDER: return "its values are spread wider than";
	case SEQUENTIAL_NARROWER: return "its values are spread less than";
	default: return "its values are not";
	}
}

const char *observer_sentence(
	const struct detectors_alarm *alarm, const struct reference *r, double factor, struct arena *a)
{
	const char *about = "";
	if (alarm->feature == FEATURE_LABEL)
		return arena_printf(a,
			"\"%s\" has drifted: the labels of the last %.0f images or so are not distributed as "
			"those of "
			"Training Data.%s",
			feature_title(alarm->feature), (double)alarm->images * factor, about);
	if (r->images < REFERENCE_SMALL)
		about = arena_printf(a,
			" The reference is small (%zu images), so that only large shifts are told.",
			r->images);
	return arena_printf(a,
		"\"%s\" has drifted: %s those of Training Data, in the last %.0f images or so.%s",
		feature_title(alarm->feature), how(alarm), (double)alarm->images * factor, about);
}

static const char *detail_of(const struct detectors_alarm *alarm, const struct reference *r, struct arena *a)
{
	char id[UUID_TEXT_SIZE];
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	uuid_format(r->id, id);
	yyjson_mut_obj_add_str(doc, root, "feature", feature_name(alarm->feature));
	yyjson_mut_obj_add_str(doc, root, "title", feature_title(alarm->feature));
	yyjson_mut_obj_add_str(doc, root, "change", sequential_change_name(alarm->change));
	yyjson_mut_obj_add_uint(doc, root, "images", alarm->images);
	yyjson_mut_obj_add_int(doc, root, "position", alarm->position);
	yyjson_mut_obj_add_str(doc, root, "reference_id", id);
	yyjson_mut_obj_add_uint(doc, root, "reference_images", r->images);
	return (const char *)json_print(doc, a).data;
}

/* ---- one image ---- */

static struct happening *more_happens(struct observer *o)
{
	o->happenings = rows_grow(
		&o->batch, o->happenings, o->happening_count, &o->happening_room, sizeof(*o->happenings));
	return &o->happenings[o->happening_count++];
}

static void note_alarm(struct observer *o, const struct entry *e, const struct detectors_alarm *alarm)
{
	struct detectors_state state;
	detectors_state(e->detectors, &state);
	*more_happens(o) = (struct happening){
		.deployment_id = e->deployment_id,
		.news = {.deployment_id = e->deployment_id,
			.kind = ALERT_DRIFT,
			.key = arena_printf(&o->batch, "drift:%lld", (long long)alarm->position),
			.at_us = alarm->at_us,
			.sentence = observer_sentence(alarm, e->reference, state.thinning, &o->batch),
			.detail = detail_of(alarm, e->reference, &o->batch)},
		.maybe_told = alarm->position <= e->told,
	};
}

static void note_calm(struct observer *o, const struct entry *e, const struct seen *seen)
{
	*more_happens(o) = (struct happening){
		.deployment_id = e->deployment_id,
		.news = {.at_us = seen->row->created_us,
			.sentence = arena_printf(&o->batch,
				"Another %d images that count are distributed as those of Training Data.",
				CALM_IMAGES)},
		.over = true,
	};
}

static void note_outlier(
	struct observer *o, const struct entry *e, const struct seen *seen, const struct outlier_value *v)
{
	const struct log_row *row = seen->row;
	o->outliers =
		rows_grow(&o->batch, o->outliers, o->outlier_count, &o->outlier_room, sizeof(*o->outliers));
	o->outliers[o->outlier_count++] = (struct outlier_row){
		.deployment_id = e->deployment_id,
		.position = row->position,
		.reference_id = e->reference_id,
		.version_id = row->version_id,
		.prediction_id = row->id,
		.predicted_asset_id = row->predicted_asset_id,
		.source = arena_strdup(&o->batch, row->source ? row->source : ""),
		.created_us = row->created_us,
		.score = v->score,
		.rank = v->rank,
	};
}

void observer_add(struct observer *o, const struct seen *seen)
{
	struct entry *e = entry_of(o, seen->row->deployment_id);
	struct outlier_value value;
	struct detectors_alarm alarm;
	bool alarmed = false;
	if (!e || !e->reference || seen->row->is_shadow || seen->row->position <= e->after ||
		!uuid_equal(seen->row->version_id, e->reference->version_id))
		return;
	e->after = seen->row->position;
	e->changed = true;
	if (e->reference->outlier) {
		outlier_measure(e->reference->outlier, seen, &value);
		note_outlier(o, e, seen, &value);
	}
	if (reference_has_asset(e->reference, seen->row->predicted_asset_id))
		return; /* of PRODUCTION: it is what others are compared with */
	uint64_t calm_before = detectors_calm(e->detectors);
	detectors_add(e->detectors, seen, e->reference->outlier ? &value : NULL, &alarmed, &alarm);
	if (alarmed)
		note_alarm(o, e, &alarm);
	else if (calm_before + 1 == CALM_IMAGES && detectors_calm(e->detectors) == CALM_IMAGES)
		note_calm(o, e, seen);
}

/* ---- the end of a batch ---- */

struct telling {
	const struct happening *happening;
	bool changed;
};

/* Whether an event of drift was open at that time, or opened later: then this was told, or belonged to it. */
static enum status was_told(
	struct db_conn *c, const struct happening *h, struct arena *a, bool *told, struct err *err)
{
	struct alert_event_row *events;
	size_t count;
	TRY(alert_event_rows_list(c, h->deployment_id, false, EVENTS_MAX, a, &events, &count, err));
	*told = false;
	for (size_t i = 0; i < count && !*told; i++)
		*told = strcmp(events[i].kind, alert_kind_name(ALERT_DRIFT)) == 0 &&
			(events[i].closed_us == 0 || events[i].closed_us > h->news.at_us);
	return ST_OK;
}

static enum status tell(struct db_conn *c, void *arg, struct err *err)
{
	struct telling *t = arg;
	const struct happening *h = t->happening;
	bool told = false;
	if (h->over)
		return alerts_end(
			c, h->deployment_id, ALERT_DRIFT, h->news.at_us, h->news.sentence, &t->changed, err);
	if (h->maybe_told) {
		struct arena a;
		arena_init(&a);
		enum status st = was_told(c, h, &a, &told, err);
		arena_release(&a);
		TRY(st);
	}
	return told ? ST_OK : alerts_fire(c, &h->news, &t->changed, err);
}

enum status observer_fire(struct observer *o, struct recorder *recorder, bool *fired, struct err *err)
{
	*fired = false;
	for (size_t i = 0; i < o->happening_count; i++) {
		struct telling t = {.happening = &o->happenings[i]};
		TRY(recorder_run(recorder, tell, &t, err));
		*fired |= t.changed;
	}
	return ST_OK;
}

enum status observer_store(struct observer *o, struct db_conn *watch, int64_t position, struct err *err)
{
	struct arena a;
	enum status st = ST_OK;
	arena_init(&a);
	for (size_t i = 0; i < o->outlier_count && st == ST_OK; i++)
		st = outlier_rows_put(watch, &o->outliers[i], err);
	for (size_t i = 0; i < o->count && st == ST_OK; i++) {
		struct entry *e = &o->entries[i];
		if (!e->changed)
			continue;
		const struct detectors_row row = {e->deployment_id, e->reference_id, e->threshold, position,
			detectors_pack(e->detectors, &a)};
		st = detectors_rows_put(watch, &row, err);
	}
	arena_release(&a);
	if (st != ST_OK)
		return st;
	for (size_t i = 0; i < o->count; i++)
		o->entries[i].changed = false;
	drop_batch(o);
	return ST_OK;
}
