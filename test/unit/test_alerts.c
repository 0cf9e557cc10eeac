/* SPDX-License-Identifier: Apache-2.0 */
/* watch/alerts.h: what opens, what closes, what is said, and that no crash makes two of one. */
#include "watch/alerts.h"

#include "alerts_world.h"
#include "store/failure_rows.h"
#include "store/outlier_rows.h"

#include <math.h>
#include <stdio.h>

static struct alerts_world aw;

static int set_up(void **state)
{
	aw_open(&aw);
	return 0;
}

static int tear_down(void **state)
{
	aw_close(&aw);
	return 0;
}

static void expect_text(const char *text, const char *expected)
{
	if (strcmp(text, expected) != 0)
		fail_msg("\n  it says: %s\nexpected: %s", text, expected);
}

/* ---- settings ---- */

static void a_deployment_begins_with_some(void **state)
{
	struct alert_row *rows;
	size_t count;
	RW_OK(&aw.w, alerts_insert_defaults(aw.w.conn, aw.w.deployment_id, RW_FIRST_US, "ann", &aw.w.err));
	RW_OK(&aw.w,
		alert_rows_list(aw.w.conn, aw.w.deployment_id, NULL, &aw.w.arena, &rows, &count, &aw.w.err));
	assert_int_equal(count, 5);
	bool latency = false, failed = false, drift = false, quality = false, training = false;
	for (size_t i = 0; i < count; i++) {
		assert_true(rows[i].active);
		RW_OK(&aw.w, alert_check(&rows[i], &aw.w.err));
		latency |= strcmp(rows[i].kind, "latency") == 0;
		failed |= strcmp(rows[i].kind, "failed") == 0;
		drift |= strcmp(rows[i].kind, "is_drift") == 0;
		training |= strcmp(rows[i].kind, "training_failed") == 0;
		quality |= strcmp(rows[i].kind, "data_quality") == 0;
	}
	assert_true(latency && failed && drift && quality && training);
}

static void kinds_have_names_and_what_they_begin_with(void **state)
{
	for (size_t k = 0; k < ALERT_KIND_COUNT; k++) {
		enum alert_kind parsed;
		struct alert_row row;
		assert_true(alert_kind_parse(alert_kind_name((enum alert_kind)k), &parsed));
		assert_int_equal(parsed, k);
		alert_init(parsed, &row);
		RW_OK(&aw.w, alert_check(&row, &aw.w.err));
	}
	enum alert_kind untouched = ALERT_AP;
	assert_false(alert_kind_parse("heat", &untouched));
	assert_int_equal(untouched, ALERT_AP);
	assert_true(alert_is_supervised(ALERT_AP));
	assert_false(alert_is_supervised(ALERT_DRIFT));
	expect_text(alert_budget(ALERT_DRIFT), "On average at most one false alarm in 100,000 images.");
}

static void settings_without_sense_are_refused(void **state)
{
	struct alert_row base = aw_alert(&aw, ALERT_FAILED), row;
	struct err err;
#define REFUSED(change)                                                                                      \
	row = base;                                                                                          \
	change;                                                                                              \
	assert_int_equal(alert_check(&row, &err), ST_INVALID)
	REFUSED(row.comparison = "!=");
	REFUSED(row.value = -1);
	REFUSED(row.value = 101);
	REFUSED(row.value = (double)NAN);
	REFUSED(row.window_s = 0);
	REFUSED(row.window_s = 90);
	REFUSED(row.window_s = ALERT_WINDOW_S_MAX + 60);
	REFUSED(row.images_min = 0);
	REFUSED(row.images_min = 1000001);
	REFUSED(row.label = "car");
	base = aw_alert(&aw, ALERT_DRIFT);
	REFUSED(row.window_s = 60);
	REFUSED(row.value = 0.5);
	REFUSED(row.comparison = ">");
	base = aw_alert(&aw, ALERT_DATA_QUALITY);
	REFUSED(row.images_min = 1001); /* more are not looked at */
	base = aw_alert(&aw, ALERT_AP);
	REFUSED(row.value = 1.5);
	row = base;
	row.label = "car";
	RW_OK(&aw.w, alert_check(&row, &aw.w.err));
}

/* ---- events that are found ---- */

static bool fire(const char *key, int64_t at_us)
{
	bool opened;
	const struct alert_news news = {.deployment_id = aw.w.deployment_id,
		.kind = ALERT_DRIFT,
		.key = key,
		.at_us = at_us,
		.sentence = "Brightness is lower than in Training Data.",
		.detail = "{\"feature\":\"brightness\"}"};
	RW_OK(&aw.w, alerts_fire(aw.w.conn, &news, &opened, &aw.w.err));
	return opened;
}

static bool end(int64_t at_us)
{
	bool closed;
	RW_OK(&aw.w, alerts_end(aw.w.conn, aw.w.deployment_id, ALERT_DRIFT, at_us, "It is as it was.",
			     &closed, &aw.w.err));
	return closed;
}

static void an_event_opens_once(void **state)
{
	assert_false(fire("drift:1", AW_NOW_US)); /* nobody wants to know */
	struct alert_row off = aw_alert(&aw, ALERT_DRIFT);
	off.active = false;
	aw_insert(&aw, off);
	assert_false(fire("drift:1", AW_NOW_US));
	aw_insert(&aw, aw_alert(&aw, ALERT_DRIFT));
	aw_insert(&aw, aw_alert(&aw, ALERT_LATENCY));
	assert_true(fire("drift:1", AW_NOW_US));
	assert_false(fire("drift:1", AW_NOW_US));
	assert_false(fire("drift:2", AW_NOW_US)); /* one is open */
	assert_int_equal(aw_open_events(&aw), 1);
	assert_true(end(AW_NOW_US + 5));
	assert_false(end(AW_NOW_US + 6));
	assert_false(fire("drift:1", AW_NOW_US)); /* it was told, though it is worked out once more */
	assert_int_equal(aw_open_events(&aw), 0);
	assert_true(fire("drift:9", AW_NOW_US));
	assert_int_equal(aw_open_events(&aw), 1);
}

static void what_is_to_be_sent_comes_with_the_event(void **state)
{
	aw_add_webhook(&aw, "https://example.com/a", "s", true);
	aw_add_webhook(&aw, "https://example.com/b", "s", false);
	aw_insert(&aw, aw_alert(&aw, ALERT_DRIFT));
	assert_true(fire("drift:1", AW_NOW_US));
	const struct uuid none = {{0}};
	assert_int_equal(rw_number(&aw.w, "SELECT count(*) FROM webhook_delivery", none), 1);
	assert_true(end(AW_NOW_US + RW_SECOND_US));
	struct webhook_delivery_row *due;
	size_t count;
	RW_OK(&aw.w, webhook_delivery_rows_due(
			     aw.w.conn, AW_NOW_US + RW_SECOND_US, 10, &aw.w.arena, &due, &count, &aw.w.err));
	assert_int_equal(count, 2);
	yyjson_doc *doc;
	RW_OK(&aw.w, json_parse(span_of_text(due[0].body), &aw.w.arena, &doc, &aw.w.err));
	yyjson_val *root = yyjson_doc_get_root(doc), *alert = yyjson_obj_get(root, "alert");
	char id[UUID_TEXT_SIZE];
	uuid_format(due[0].id, id);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "event")), "alert.opened");
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "id")), id);
	assert_string_equal(yyjson_get_str(yyjson_ptr_get(root, "/deployment/name")), "line");
	assert_string_equal(yyjson_get_str(yyjson_ptr_get(root, "/detail/feature")), "brightness");
	assert_string_equal(yyjson_get_str(yyjson_obj_get(alert, "kind")), "is_drift");
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "sentence")),
		"Brightness is lower than in Training Data.");
	assert_non_null(strstr(due[1].body, "\"alert.closed\""));
	assert_non_null(strstr(due[1].body, "\"It is as it was.\""));
}

static void a_deployment_that_is_gone_fires_nothing(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_DRIFT));
	RW_OK(&aw.w, deployment_rows_delete(aw.w.conn, aw.w.deployment_id, &aw.w.err));
	assert_false(fire("drift:1", AW_NOW_US));
	assert_false(end(AW_NOW_US));
	aw_look(&aw, AW_NOW_US);
}

/* ---- windows ---- */

static void latency_opens_and_closes(void **state)
{
	struct alert_row alert = aw_alert(&aw, ALERT_AVG_LATENCY);
	alert.value = 500;
	aw_insert(&aw, alert);
	aw_add_many(&aw, 19, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 812, .label = -1});
	aw_add_many(
		&aw, 40, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 9000, .is_shadow = true});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 0); /* 20 are needed, and shadows' are no answers */
	aw_add(&aw, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 812});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 1);
	assert_int_equal(aw.told, 1);
	expect_text(aw_sentence(&aw), "Mean latency was 812 ms over the last 5 minutes (20 images); the "
				      "limit is 500 ms. Look at the "
				      "latency chart: other work on the machine, larger images and a new "
				      "version are what it usually "
				      "is.");
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw.told, 1);
	/* Now and a minute ago: at first it still holds in the window before. */
	aw_add_many(&aw, 50, (struct aw_prediction){.at_us = AW_NOW_US + 2 * AW_MINUTE_US, .latency_ms = 10});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US + AW_MINUTE_US);
	assert_int_equal(aw_open_events(&aw), 1);
	aw_look(&aw, AW_NOW_US + 2 * AW_MINUTE_US);
	assert_int_equal(aw_open_events(&aw), 0);
	assert_int_equal(aw.told, 2);
	assert_non_null(strstr(aw_why_closed(&aw), "Mean latency was 239 ms"));
	aw_look(&aw, AW_NOW_US + 2 * AW_MINUTE_US);
	assert_int_equal(aw.told, 2);
}

static void p99_is_the_slowest_hundredth(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_LATENCY)); /* > 1000 ms */
	aw_add_many(&aw, 198, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 20});
	aw_add_many(&aw, 1, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 3000});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 0);
	aw_add_many(&aw, 4, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 3000});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 1);
	double value;
	assert_int_equal(sscanf(aw_sentence(&aw), "p99 latency was %lf ms over", &value), 1);
	assert_true(value > 2970 && value < 3030); /* the sketch's one percent */
}

static void a_long_window_reads_hours_and_days(void **state)
{
	struct alert_row alert = aw_alert(&aw, ALERT_AVG_LATENCY);
	alert.window_s = 7 * 86400;
	aw_insert(&aw, alert);
	for (int day = 0; day < 6; day++)
		aw_add_many(&aw, 10,
			(struct aw_prediction){.at_us = AW_NOW_US - day * 86400 * (int64_t)RW_SECOND_US,
				.latency_ms = day == 5 ? 6000 : 10});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 1);
	assert_non_null(strstr(aw_sentence(&aw), "1008 ms over the last 7 days (60 images)"));
}

/* Unlike before, as nothing was seen: that is no news. */
static void silence_closes_nothing(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_AVG_LATENCY));
	aw_add_many(&aw, 30, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 800});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	aw_look(&aw, AW_NOW_US + 60 * AW_MINUTE_US);
	assert_int_equal(aw_open_events(&aw), 1);
}

static void what_a_person_closed_stays_closed(void **state)
{
	size_t count;
	aw_insert(&aw, aw_alert(&aw, ALERT_AVG_LATENCY));
	aw_add_many(&aw, 30, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 800});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	const struct alert_event_row *events = aw_events(&aw, &count);
	int64_t closed_us = AW_NOW_US + RW_SECOND_US;
	RW_OK(&aw.w,
		alert_event_close(aw.w.conn, events[0].id, closed_us, "ann", "ann closed it.", &aw.w.err));
	assert_int_equal(alert_event_close(aw.w.conn, events[0].id, closed_us, "bob", "again", &aw.w.err),
		ST_CONFLICT);
	aw_look(&aw, AW_NOW_US + 2 * AW_MINUTE_US);
	assert_int_equal(aw_open_events(&aw), 0);
	/* What came after it is another matter. */
	aw_add_many(
		&aw, 30, (struct aw_prediction){.at_us = AW_NOW_US + 6 * AW_MINUTE_US, .latency_ms = 800});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US + 6 * AW_MINUTE_US);
	assert_int_equal(aw_open_events(&aw), 1);
}

static void switched_off_is_not_looked_at(void **state)
{
	struct alert_row alert = aw_alert(&aw, ALERT_AVG_LATENCY);
	alert.active = false;
	aw_insert(&aw, alert);
	aw_add_many(&aw, 30, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 800});
	aw_roll_up(&aw);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 0);
}

static void add_failures(int http_status, int64_t count)
{
	const struct failure_row f = {.deployment_id = aw.w.deployment_id,
		.minute_us = AW_NOW_US,
		.http_status = http_status,
		.step = "infer",
		.count = count,
		.last_us = AW_NOW_US + 1,
		.last_text = "The model ran out of memory."};
	RW_OK(&aw.w, failure_rows_add(aw.w.conn, &f, &aw.w.err));
}

static void failed_requests_are_a_share_of_all(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_FAILED)); /* > 5 % */
	aw_add_many(&aw, 60, (struct aw_prediction){.at_us = AW_NOW_US, .latency_ms = 10});
	aw_roll_up(&aw);
	add_failures(422, 35);
	add_failures(500, 5);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 0); /* 5 of 100, and what was refused is no failure */
	add_failures(503, 3);
	aw_look(&aw, AW_NOW_US);
	expect_text(aw_sentence(&aw), "7.8 % of requests failed in the last 5 minutes (8 of 103 requests); "
				      "the limit is 5 %. The last "
				      "one: The model ran out of memory.");
}

static void put_outlier(int64_t position, double rank)
{
	const struct outlier_row row = {.deployment_id = aw.w.deployment_id,
		.position = position,
		.reference_id = aw.w.model_id,
		.version_id = aw.w.version_id,
		.prediction_id = rw_id(),
		.predicted_asset_id = rw_id(),
		.source = "",
		.created_us = AW_NOW_US - position * RW_SECOND_US,
		.score = rank <= 0.01 ? 1.5 : 0.3,
		.rank = rank};
	RW_OK(&aw.w, outlier_rows_put(aw.watch, &row, &aw.w.err));
}

static void outliers_are_a_share_that_luck_does_not_explain(void **state)
{
	aw_insert(&aw, aw_alert(&aw, ALERT_OUTLIER)); /* > 5 %, 50 images */
	for (int64_t i = 1; i <= 60; i++)
		put_outlier(i, i <= 6 ? 0.004 : 0.4);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 0); /* 10 %, but P(6 and more of 60) is 0.08 */
	for (int64_t i = 7; i <= 11; i++)
		put_outlier(i, 0.004);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 1);
	assert_non_null(strstr(
		aw_sentence(&aw), "18.3 % of images were outliers in the last hour (11 of 60 images)"));
	/* It closes at the limit, without chance in it. */
	for (int64_t i = 4; i <= 11; i++)
		put_outlier(i, 0.4);
	aw_look(&aw, AW_NOW_US);
	assert_int_equal(aw_open_events(&aw), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_deployment_begins_with_some, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kinds_have_names_and_what_they_begin_with, set_up, tear_down),
		cmocka_unit_test_setup_teardown(settings_without_sense_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_event_opens_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_to_be_sent_comes_with_the_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deployment_that_is_gone_fires_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(latency_opens_and_closes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(p99_is_the_slowest_hundredth, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_window_reads_hours_and_days, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silence_closes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_person_closed_stays_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(switched_off_is_not_looked_at, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failed_requests_are_a_share_of_all, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			outliers_are_a_share_that_luck_does_not_explain, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
