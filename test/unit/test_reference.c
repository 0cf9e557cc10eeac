/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch/reference.h, watch/reference_job.h, watch/drift.h, watch/outliers.h: which reference counts, what a
 * job makes of images that the log has, that they are in no window, and the numbers of both panels. What runs
 * a model is in test/http/test_drift.py.
 */
#include "watch/reference.h"

#include "os/clock.h"
#include "os/file.h"
#include "review_world.h"
#include "store/dataset_rows.h"
#include "store/experiment_rows.h"
#include "store/outlier_rows.h"
#include "store/project_rows.h"
#include "store/reference_rows.h"
#include "store/training_data_rows.h"
#include "watch/drift.h"
#include "watch/outliers.h"
#include "watch/reference_job.h"

#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE_US ((int64_t)60 * 1000000)
#define DAY_US ((int64_t)86400 * 1000000)

static struct review_world w;
static struct db_readers *readers;
static struct recorder *recorder;
static struct jobs *jobs;
static struct watch *watch;
static struct reference_world world;
static char folder[64], path[80];
static uint64_t chance;

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.17g, not %.17g", value, expected);
}

static double uniform(void)
{
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (double)(chance >> 33) / (double)(1u << 31);
}

static void start_jobs(void)
{
	RW_OK(&w, jobs_new(&(struct jobs_options){.readers = readers, .recorder = recorder, .threads = 1},
			  &jobs, &w.err));
	world = (struct reference_world){
		.readers = readers, .recorder = recorder, .jobs = jobs, .watch = watch};
}

static int set_up(void **state)
{
	chance = 11;
	rw_open(&w);
	snprintf(folder, sizeof(folder), "/tmp/gyre-reference-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/watch.db", folder);
	RW_OK(&w, db_readers_new(w.db, 3, &readers, &w.err));
	RW_OK(&w, recorder_start(w.db, 64, 16, &recorder, &w.err));
	RW_OK(&w, watch_open(&(struct watch_options){.path = path, .readers = readers, .recorder = recorder},
			  &watch, &w.err));
	start_jobs();
	return 0;
}

static int tear_down(void **state)
{
	jobs_free(jobs);
	watch_close(watch);
	recorder_stop(recorder);
	db_readers_free(readers);
	rw_close(&w);
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

/* ---- images ---- */

/* As a camera's, one a second, with one box, and pixels of a brightness that is drawn. */
static struct uuid add_image(double brightness, float score)
{
	struct uuid id = rw_add_image(&w, score, 1);
	char stats[200];
	snprintf(stats, sizeof(stats),
		"{\"brightness\":%.3f,\"contrast\":%.3f,\"blur\":%.3f,\"mean_rgb\":[%.3f,%.3f,%.3f],"
		"\"entropy\":%.4f,\"dark\":0.01,\"bright\":0.01}",
		brightness, 30 + 10 * uniform(), 100 + 50 * uniform(), 90 + 20 * uniform(),
		90 + 20 * uniform(), 90 + 20 * uniform(), 6 + uniform());
	struct db_query q =
		db_query(w.conn, "UPDATE prediction SET image_stats = $1 WHERE predicted_asset_id = $2");
	db_bind_text(&q, stats);
	db_bind_uuid(&q, id);
	RW_OK(&w, db_done(&q, &w.err));
	return id;
}

static void add_images(size_t count, double darker)
{
	for (size_t i = 0; i < count; i++)
		add_image(100 + 20 * uniform() - darker, (float)(0.6 + 0.3 * uniform()));
}

/* ---- Training Data ---- */

static void set_production(int64_t images)
{
	struct training_data_row row = {.deployment_id = w.deployment_id,
		.active = true,
		.kind = "PRODUCTION",
		.images_max = images,
		.set_us = clock_unix_us(),
		.set_by = "ann"};
	RW_OK(&w, training_data_rows_put(w.conn, &row, &w.err));
}

static struct job_row start(bool anew)
{
	struct job_row job;
	RW_OK(&w, reference_start(&world, w.deployment_id, anew, "ann", &w.arena, &job, &w.err));
	return job;
}

static struct job_row ended(struct uuid id)
{
	struct job_row job;
	int64_t deadline_us = clock_mono_us() + PATIENCE_US;
	for (;;) {
		RW_OK(&w, jobs_get(jobs, id, &w.arena, &job, &w.err));
		if (strcmp(job.status, "RUNNING") != 0)
			return job;
		assert_true(clock_mono_us() < deadline_us);
		poll(NULL, 0, 1);
	}
}

static struct reference_row current(bool any, bool *found)
{
	struct reference_row row = {0};
	RW_OK(&w, reference_rows_current(w.conn, w.deployment_id, any, &w.arena, &row, found, &w.err));
	return row;
}

static struct reference *load(double threshold)
{
	struct reference *r;
	RW_OK(&w, reference_load(w.conn, w.deployment_id, threshold, &r, &w.err));
	return r;
}

static struct uuid make(int64_t images)
{
	set_production(images);
	struct job_row job = ended(start(false).id);
	if (strcmp(job.status, "SUCCESS") != 0)
		fail_msg("%s: %s", job.status, job.error);
	bool found;
	return current(false, &found).id;
}

/* ---- which one counts ---- */

static void the_newest_ready_one_of_the_champion_counts(void **state)
{
	bool found;
	struct reference_watched *watched;
	size_t count;
	assert_true(uuid_is_zero(start(false).id)); /* nothing is set */
	add_images(60, 0);
	struct uuid first = make(30);
	assert_true(uuid_is_zero(start(false).id)); /* it is the very thing */
	struct job_row again = start(true);
	assert_string_equal(ended(again.id).status, "SUCCESS");
	struct reference_row second = current(false, &found);
	assert_false(uuid_equal(first, second.id));
	/* The one before was replaced. */
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM reference", (struct uuid){{0}}), 1);
	RW_OK(&w, reference_rows_watched(w.conn, &w.arena, &watched, &count, &w.err));
	assert_int_equal(count, 1);
	assert_true(uuid_equal(watched[0].reference_id, second.id));
	assert_true(uuid_equal(watched[0].version_id, w.version_id));

	RW_OK(&w, training_data_rows_set_active(w.conn, w.deployment_id, false, &found, &w.err));
	current(false, &found);
	assert_false(found);
	RW_OK(&w, reference_rows_watched(w.conn, &w.arena, &watched, &count, &w.err));
	assert_int_equal(count, 0);
	RW_OK(&w, training_data_rows_set_active(w.conn, w.deployment_id, true, &found, &w.err));
	current(false, &found);
	assert_true(found);
	set_production(40); /* set anew: what was before is of something else */
	current(false, &found);
	assert_false(found);
}

static void images_that_are_not_enough_are_waited_for(void **state)
{
	bool found;
	add_images(29, 0);
	set_production(30);
	assert_true(uuid_is_zero(start(false).id));
	reference_poke(&world, w.deployment_id);
	current(true, &found);
	assert_false(found);
	add_images(1, 0);
	reference_poke(&world, w.deployment_id);
	struct reference_row row = current(true, &found);
	assert_true(found);
	int64_t deadline_us = clock_mono_us() + PATIENCE_US;
	while (strcmp(row.status, "RUNNING") == 0 && clock_mono_us() < deadline_us) {
		poll(NULL, 0, 1);
		row = current(true, &found);
	}
	assert_string_equal(row.status, "READY");
	assert_int_equal(row.images, 30);
	assert_true(row.held_out && row.predicted && row.position == 30);
	assert_int_equal(row.from_us, RW_FIRST_US + RW_SECOND_US);
	assert_int_equal(row.to_us, RW_FIRST_US + 30 * RW_SECOND_US);
}

static void what_was_cut_short_begins_anew(void **state)
{
	bool found;
	add_images(30, 0);
	struct uuid first = make(25);
	struct db_query q = db_query(w.conn, "UPDATE reference SET status = 'RUNNING'");
	RW_OK(&w, db_done(&q, &w.err));
	jobs_free(jobs);
	start_jobs();
	RW_OK(&w, reference_resume(&world, &w.err));
	struct reference_row row = current(true, &found);
	assert_true(found && !uuid_equal(row.id, first));
	assert_string_equal(ended(row.job_id).status, "SUCCESS");
	row = current(false, &found);
	assert_int_equal(row.images, 25);
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM reference_image", (struct uuid){{0}}), 25);
}

static void what_could_not_begin_is_tried_again(void **state)
{
	bool found;
	struct job_row job;
	add_images(30, 0);
	set_production(25);
	jobs_stop(jobs);
	assert_int_equal(reference_start(&world, w.deployment_id, false, "ann", &w.arena, &job, &w.err),
		ST_UNAVAILABLE);
	current(true, &found);
	assert_false(found);
	jobs_free(jobs);
	start_jobs();
	RW_OK(&w, reference_resume(&world, &w.err));
	struct reference_row row = current(true, &found);
	assert_true(found);
	assert_string_equal(ended(row.job_id).status, "SUCCESS");
}

static void what_is_wanted_no_more_fails_at_once(void **state)
{
	bool found;
	add_images(60, 0);
	set_production(50);
	struct job_row job = start(false);
	RW_OK(&w, reference_stop(&world, w.deployment_id, &w.err));
	struct reference_row row = current(true, &found);
	assert_string_not_equal(row.status, "RUNNING"); /* it may have been ready before */
	struct job_row again = start(true);
	assert_false(uuid_is_zero(again.id));
	ended(job.id);
	assert_string_equal(ended(again.id).status, "SUCCESS");
	assert_int_equal(current(false, &found).images, 50);
}

static void too_few_images_are_no_reference(void **state)
{
	bool found;
	add_images(10, 0);
	set_production(10);
	struct job_row job = ended(start(false).id);
	assert_string_equal(job.status, "FAILED");
	assert_non_null(strstr(job.error, "needs at least 20 images"));
	struct reference_row row = current(true, &found);
	assert_string_equal(row.status, "FAILED");
	assert_string_equal(row.error, job.error);
}

/* ---- in memory ---- */

static void its_values_are_sorted_and_those_that_calibrate_are_apart(void **state)
{
	add_images(60, 0);
	struct uuid id = make(50);
	struct reference *r = load(0.5), *same = reference_hold(r);
	assert_ptr_equal(r, same);
	reference_drop(same);
	assert_true(reference_is(r, id, 0.5) && !reference_is(r, id, 0.4) && !reference_is(NULL, id, 0.5));
	assert_int_equal(r->images, 50);
	assert_int_equal(r->counts[FEATURE_BRIGHTNESS], 50);
	assert_int_equal(r->counts[FEATURE_OBJECTS], 50);
	assert_non_null(r->outlier);
	assert_int_equal(r->counts[FEATURE_OUTLIER], 25);
	assert_int_equal(r->counts[FEATURE_COMPONENT_1], 0); /* the model has no features */
	for (int f = 0; f < FEATURE_COUNT; f++)
		for (size_t i = 0; i < r->counts[f]; i++)
			assert_true(!isnan(r->values[f][i]) &&
				    (i == 0 || r->values[f][i - 1] <= r->values[f][i]));
	for (size_t i = 0; i < r->images; i++)
		assert_true(reference_has_asset(r, r->seen[i].row->id));
	assert_false(reference_has_asset(r, rw_id()));
	assert_true(reference_may_alarm(r, FEATURE_SCORE_MAX)); /* nothing of production was trained on */
	r->held_out = false;
	assert_false(reference_may_alarm(r, FEATURE_SCORE_MAX));
	assert_true(reference_may_alarm(r, FEATURE_BRIGHTNESS));
	reference_drop(r);
	r = load(0.95); /* nothing is that sure */
	assert_int_equal(r->counts[FEATURE_SCORE_MEAN], 0);
	assert_true(r->values[FEATURE_OBJECTS][49] < 0.5);
	reference_drop(r);
	RW_OK(&w, reference_load(w.conn, rw_id(), 0.5, &r, &w.err));
	assert_null(r);
}

static struct reference *load_kept(struct references *kept, double threshold)
{
	struct reference *r;
	RW_OK(&w, references_load(kept, w.conn, w.deployment_id, threshold, &r, &w.err));
	return r;
}

static void the_last_ones_stay_loaded(void **state)
{
	struct references *kept = references_new();
	add_images(40, 0);
	assert_null(load_kept(kept, 0.5));
	make(30);
	struct reference *first = load_kept(kept, 0.5), *again = load_kept(kept, 0.5);
	assert_ptr_equal(first, again);
	reference_drop(again);
	for (int i = 1; i <= REFERENCES_KEPT; i++) {
		struct reference *other = load_kept(kept, 0.5 + 0.01 * i);
		assert_ptr_not_equal(other, first);
		reference_drop(other);
	}
	again = load_kept(kept, 0.5); /* it had to go */
	assert_ptr_not_equal(again, first);
	assert_int_equal(first->images, 30); /* whoever holds it has it still */
	reference_drop(first);
	reference_drop(again);
	references_free(kept);
}

/* ---- held out ---- */

static struct uuid add_version(const char *name)
{
	static struct dataset_row dataset;
	if (strcmp(name, "a") == 0) {
		dataset = (struct dataset_row){.id = rw_id(),
			.organization_id = w.organization_id,
			.name = "d",
			.description = "",
			.created_us = 1};
		RW_OK(&w, dataset_rows_insert(w.conn, &dataset, &w.err));
	}
	struct dataset_version_row v = {.id = rw_id(),
		.dataset_id = dataset.id,
		.version = name,
		.description = "",
		.type = "OBJECT_DETECTION",
		.created_us = 1};
	RW_OK(&w, dataset_version_rows_insert(w.conn, &v, &w.err));
	return v.id;
}

static void expect_role(struct uuid version, struct uuid experiment, bool known, bool held_out)
{
	bool is_known, is_held_out;
	RW_OK(&w, training_data_rows_role(w.conn, version, experiment, &is_known, &is_held_out, &w.err));
	assert_int_equal(is_known, known);
	assert_int_equal(is_held_out, held_out);
}

static void experiments_say_what_was_trained_on(void **state)
{
	const struct uuid any = {{0}};
	struct project_row project = {.id = rw_id(),
		.organization_id = w.organization_id,
		.name = "p",
		.description = "",
		.created_us = 1};
	struct experiment_row one = {.id = rw_id(),
				      .project_id = project.id,
				      .name = "one",
				      .description = "",
				      .status = "SUCCESS",
				      .created_us = 1},
			      two = one;
	two.id = rw_id();
	two.name = "two";
	RW_OK(&w, project_rows_insert(w.conn, &project, &w.err));
	RW_OK(&w, experiment_rows_insert(w.conn, &one, &w.err));
	RW_OK(&w, experiment_rows_insert(w.conn, &two, &w.err));
	struct uuid a = add_version("a"), b = add_version("b");
	RW_OK(&w, experiment_rows_attach(w.conn, one.id, "train", a, &w.err));
	RW_OK(&w, experiment_rows_attach(w.conn, one.id, "Test", b, &w.err));
	expect_role(a, any, true, false);
	expect_role(b, any, true, true);
	RW_OK(&w, experiment_rows_attach(w.conn, two.id, "train", b, &w.err));
	expect_role(b, any, true, false);
	expect_role(b, one.id, true, true); /* of that one alone */
	expect_role(a, two.id, false, false);
}

/* ---- the panels ---- */

/* The largest distance of two empirical distribution functions, by looking at every value. */
static double distance(const double *a, size_t n, const double *b, size_t m)
{
	double largest = 0;
	for (size_t k = 0; k < n + m; k++) {
		double at = k < n ? a[k] : b[k - n], f = 0, g = 0;
		for (size_t i = 0; i < n; i++)
			f += a[i] <= at ? 1 / (double)n : 0;
		for (size_t i = 0; i < m; i++)
			g += b[i] <= at ? 1 / (double)m : 0;
		largest = fabs(f - g) > largest ? fabs(f - g) : largest;
	}
	return largest;
}

static void the_drift_panel_names_what_moved(void **state)
{
	struct drift_request request = {
		.deployment_id = w.deployment_id, .threshold = -1, .images = DRIFT_IMAGES_DEFAULT};
	struct drift_report report;
	add_images(50, 0);
	RW_OK(&w, drift_read(w.conn, NULL, &request, &w.arena, &report, &w.err));
	assert_null(report.reference);
	make(50);
	add_images(70, 60);
	RW_OK(&w, drift_read(w.conn, NULL, &request, &w.arena, &report, &w.err));
	assert_int_equal(report.images, 70); /* not the reference's own */
	assert_true(report.effective >= 20 && report.effective <= 70);
	const struct drift_feature *first = &report.features[0];
	assert_int_equal(first->feature, FEATURE_BRIGHTNESS);
	assert_true(first->drifted && first->moved == SEQUENTIAL_LOWER && first->may_alarm);
	double window[80];
	size_t count = 0;
	for (size_t i = 0; i < report.effective; i++) {
		struct db_query q = db_query(w.conn,
			"SELECT image_stats ->> 'brightness' FROM prediction WHERE predicted_asset_id = $1");
		db_bind_uuid(&q, report.ids[i]);
		if (db_next(&q))
			window[count++] = db_real(&q, 0);
		RW_OK(&w, db_done(&q, &w.err));
	}
	assert_int_equal(count, report.effective);
	assert_near(
		first->d, distance(report.reference->values[FEATURE_BRIGHTNESS], 50, window, count), 1e-12);
	for (size_t i = 1; i < report.feature_count; i++)
		assert_true(report.features[i - 1].drifted > report.features[i].drifted ||
			    report.features[i - 1].d >= report.features[i].d);
	assert_int_equal(report.example_count, DRIFT_EXAMPLES);
	for (size_t i = 1; i < report.example_count; i++)
		assert_true(report.examples[i - 1].value <= report.examples[i].value); /* the darkest first */
	reference_drop(report.reference);
	request.source = "nowhere";
	RW_OK(&w, drift_read(w.conn, NULL, &request, &w.arena, &report, &w.err));
	assert_int_equal(report.effective, 0);
	assert_int_equal(report.feature_count, 0);
	reference_drop(report.reference);
}

static void the_past_gets_its_scores(void **state)
{
	struct outliers_report report;
	struct outlier_filter filter = {.deployment_id = w.deployment_id};
	struct db_conn *c;
	add_images(90, 0);
	add_image(2, 0.7f);
	make(50);
	RW_OK(&w, db_reader_take(watch_readers(watch), &c, &w.err));
	RW_OK(&w, outliers_read(w.conn, c, &filter, 2000, &w.arena, &report, &w.err));
	assert_int_equal(report.images, 41);
	assert_int_equal(report.point_count, 41);
	assert_false(report.sampled);
	/* 1 of 26 at best: with so few images that calibrate nothing is rare enough. */
	assert_int_equal(report.outliers, 0);
	assert_near(report.points[40].rank, 1.0 / 26, 1e-12);
	assert_true(report.points[40].score > report.points[0].score);
	for (size_t i = 1; i < report.point_count; i++)
		assert_true(report.points[i - 1].created_us < report.points[i].created_us);
	RW_OK(&w, outliers_read(w.conn, c, &filter, 10, &w.arena, &report, &w.err));
	assert_true(report.sampled && report.point_count > 0 && report.point_count <= 10);
	filter.from_us = report.points[0].created_us + 1;
	RW_OK(&w, outliers_read(w.conn, c, &filter, 2000, &w.arena, &report, &w.err));
	assert_int_equal(report.images, 40);
	db_reader_give(watch_readers(watch), c);
}

/* scipy.stats.binomtest(k, n).proportion_ci(method="wilson") */
static void the_interval_of_a_share_is_wilsons(void **state)
{
	static const struct {
		int64_t k, n;
		double low, high;
	} cases[] = {
		{0, 30, 0, 0.11351339317396875},
		{1, 100, 0.001767432064140647, 0.054486196178705315},
		{5, 20, 0.11186170140766571, 0.468700877618744},
		{7, 7, 0.6456695649333126, 1},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		double low, high;
		outliers_interval(cases[i].k, cases[i].n, &low, &high);
		assert_near(low, cases[i].low, 1e-12);
		assert_near(high, cases[i].high, 1e-12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(the_newest_ready_one_of_the_champion_counts),
		TEST(images_that_are_not_enough_are_waited_for),
		TEST(what_was_cut_short_begins_anew),
		TEST(what_could_not_begin_is_tried_again),
		TEST(what_is_wanted_no_more_fails_at_once),
		TEST(too_few_images_are_no_reference),
		TEST(its_values_are_sorted_and_those_that_calibrate_are_apart),
		TEST(the_last_ones_stay_loaded),
		TEST(experiments_say_what_was_trained_on),
		TEST(the_drift_panel_names_what_moved),
		TEST(the_past_gets_its_scores),
		cmocka_unit_test(the_interval_of_a_share_is_wilsons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
