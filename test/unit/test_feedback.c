/* SPDX-License-Identifier: Apache-2.0 */
/* learn/feedback.h: what becomes of labels, and of reviews, once; and the way back. */
#include "learn/feedback.h"

#include "learn/manifest.h"

#include "feedback_world.h"

static struct review_world w;
static struct uuid dataset_id, version_id;

static int set_up(void **state)
{
	rw_open(&w);
	dataset_id = fw_dataset(&w);
	version_id = fw_version(&w, dataset_id, "first");
	fw_set_up(&w, 600);
	return 0;
}

static int tear_down(void **state)
{
	rw_close(&w);
	return 0;
}

static struct feedback_submission submit(const struct uuid *ids, size_t count, int64_t now_us)
{
	struct feedback_submission job = {.deployment_id = w.deployment_id,
		.ids = ids,
		.count = count,
		.now_us = now_us,
		.arena = &w.arena};
	RW_OK(&w, feedback_submit_job(w.conn, &job, &w.err));
	return job;
}

static const char *manifest_hash(void)
{
	struct manifest m;
	RW_OK(&w, manifest_read(w.conn, version_id, &w.arena, &m, &w.err));
	return arena_strdup(&w.arena, m.hash);
}

/* ---- labels ---- */

static enum feedback_fate fate(const char *label, const char **name, bool *make)
{
	struct feedback f;
	RW_OK(&w, feedback_read(w.conn, w.deployment_id, &w.arena, &f, &w.err));
	return feedback_label(&f, label, name, make);
}

static void name_label(const char *label, const char *action, const char *to_name, enum status expected)
{
	const struct feedback_label_row row = {label, action, to_name};
	struct feedback_naming naming = {w.deployment_id, &row, 1};
	assert_int_equal(feedback_name_job(w.conn, &naming, &w.err), expected);
}

static void test_what_becomes_of_labels(void **state)
{
	struct uuid second = fw_version(&w, dataset_id, "second");
	const char *name;
	bool make;
	fw_label(&w, version_id, "red");
	fw_label(&w, version_id, "rouge");
	fw_label(&w, second, "red");
	assert_int_equal(fate("red", &name, &make), FEEDBACK_WAITS); /* nothing is attached */
	RW_OK(&w, fw_attach(&w, version_id));
	assert_int_equal(fate("rouge", &name, &make), FEEDBACK_GOES);
	RW_OK(&w, fw_attach(&w, second));
	assert_int_equal(fate("rouge", &name, &make), FEEDBACK_WAITS); /* not in all */
	assert_int_equal(fate("red", &name, &make), FEEDBACK_GOES);
	assert_string_equal(name, "red");
	assert_false(make);
	name_label("green", "rename", "red", ST_OK);
	assert_int_equal(fate("green", &name, &make), FEEDBACK_GOES);
	assert_string_equal(name, "red");
	name_label("green", "rename", "rouge", ST_INVALID);
	name_label("green", "rename", NULL, ST_INVALID);
	name_label("green", "keep", NULL, ST_INVALID);
	name_label("green", "paint", NULL, ST_INVALID);
	name_label("green", "new", "verde", ST_OK);
	assert_int_equal(fate("green", &name, &make), FEEDBACK_GOES);
	assert_string_equal(name, "verde");
	assert_true(make);
	name_label("green", "drop", "what for", ST_OK);
	assert_int_equal(fate("green", &name, &make), FEEDBACK_DROPPED);
	name_label("green", NULL, NULL, ST_OK);
	assert_int_equal(fate("green", &name, &make), FEEDBACK_WAITS);
}

static void test_a_version_without_labels_gets_the_deployments(void **state)
{
	const char *name;
	bool make;
	name_label("blue", "drop", NULL, ST_OK);
	RW_OK(&w, fw_attach(&w, version_id));
	assert_int_equal(fate("red", &name, &make), FEEDBACK_GOES);
	assert_true(make);
	assert_int_equal(fate("blue", &name, &make), FEEDBACK_DROPPED); /* as was said */
	assert_int_equal(fate("other", &name, &make), FEEDBACK_WAITS);
}

/* ---- what may be attached ---- */

static void test_what_is_refused(void **state)
{
	struct uuid locked = fw_version(&w, dataset_id, "locked"),
		    other = fw_version(&w, dataset_id, "other");
	RW_OK(&w, dataset_version_rows_set_locked(w.conn, locked, RW_FIRST_US, "00", &w.err));
	assert_int_equal(fw_attach(&w, locked), ST_LOCKED);
	assert_non_null(strstr(w.err.text, "Fork it"));
	struct dataset_version_row row;
	RW_OK(&w, dataset_version_rows_by_id(w.conn, other, &w.arena, &row, &w.err));
	row.type = "CLASSIFICATION";
	RW_OK(&w, dataset_version_rows_update(w.conn, &row, &w.err));
	assert_int_equal(fw_attach(&w, other), ST_CONFLICT);
	assert_int_equal(fw_attach(&w, rw_id()), ST_MISSING);
	struct uuid deployment = w.deployment_id;
	w.deployment_id = rw_add_deployment(&w, "unset");
	assert_int_equal(fw_attach(&w, version_id), ST_CONFLICT);
	w.deployment_id = deployment;
	for (int i = 0; i < FEEDBACK_TARGETS_MAX; i++)
		RW_OK(&w, fw_attach(&w, fw_version(&w, dataset_id, arena_printf(&w.arena, "v%d", i))));
	assert_int_equal(fw_attach(&w, version_id), ST_CONFLICT);
}

static void test_why_nothing_goes(void **state)
{
	struct feedback f;
	struct feedback_row row;
	bool found;
	RW_OK(&w, feedback_read(w.conn, rw_add_deployment(&w, "unset"), &w.arena, &f, &w.err));
	assert_int_equal(feedback_open(&f, &w.err), ST_CONFLICT);
	RW_OK(&w, feedback_read(w.conn, w.deployment_id, &w.arena, &f, &w.err));
	assert_int_equal(feedback_open(&f, &w.err), ST_CONFLICT);
	assert_non_null(strstr(w.err.text, "attached"));
	RW_OK(&w, fw_attach(&w, version_id));
	RW_OK(&w, feedback_read(w.conn, w.deployment_id, &w.arena, &f, &w.err));
	RW_OK(&w, feedback_open(&f, &w.err));
	RW_OK(&w, dataset_version_rows_set_locked(w.conn, version_id, RW_FIRST_US, "00", &w.err));
	RW_OK(&w, feedback_read(w.conn, w.deployment_id, &w.arena, &f, &w.err));
	assert_int_equal(feedback_open(&f, &w.err), ST_LOCKED);
	RW_OK(&w, feedback_rows_get(w.conn, w.deployment_id, &row, &found, &w.err));
	row.active = false;
	RW_OK(&w, feedback_rows_update(w.conn, &row, &w.err));
	RW_OK(&w, feedback_read(w.conn, w.deployment_id, &w.arena, &f, &w.err));
	assert_int_equal(feedback_open(&f, &w.err), ST_CONFLICT);
	assert_non_null(strstr(w.err.text, "switched off"));
}

/* ---- submission ---- */

static void test_once_into_each_version_in_one_revision(void **state)
{
	struct uuid second = fw_version(&w, dataset_id, "second"), ids[3];
	RW_OK(&w, fw_attach(&w, version_id));
	RW_OK(&w, fw_attach(&w, second));
	for (int i = 0; i < 3; i++)
		ids[i] = fw_reviewed(&w, FW_BOX);
	struct feedback_submission job = submit(ids, 3, RW_FIRST_US);
	assert_int_equal(job.submitted, 3);
	job = submit(ids, 3, RW_FIRST_US);
	assert_int_equal(job.already, 3);
	assert_int_equal(job.submitted + job.waiting + job.problem_count, 0);
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM asset", (struct uuid){{0}}), 6);
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM annotation_shape", (struct uuid){{0}}), 6);
	assert_int_equal(rw_number(&w, "SELECT revision FROM dataset_version WHERE id = $1", second), 1);
	assert_string_equal(fw_status(&w, ids[0]), "SUBMITTED");
}

static void test_what_is_not_submitted(void **state)
{
	RW_OK(&w, fw_attach(&w, version_id));
	struct uuid ids[5] = {fw_reviewed(&w, "[{\"type\":\"classification\",\"label\":\"unheard of\"}]"),
		rw_add_image(&w, 0.9F, 0), fw_reviewed(&w, FW_BOX), fw_reviewed(&w, FW_BOX), rw_id()};
	fw_review(&w, ids[2], "SKIPPED", "[]", RW_FIRST_US);
	fw_review(&w, ids[3], "UNDONE", "[]", RW_FIRST_US);
	struct feedback_submission job = submit(ids, 5, RW_FIRST_US);
	assert_int_equal(job.submitted, 0);
	assert_int_equal(job.waiting, 1);
	assert_int_equal(job.problem_count, 4);
	assert_int_equal(rw_number(&w, "SELECT count(*) FROM asset", (struct uuid){{0}}), 0);
	assert_int_equal(rw_number(&w, "SELECT revision FROM dataset_version WHERE id = $1", version_id), 0);
	name_label("unheard of", "new", NULL, ST_OK);
	assert_int_equal(submit(ids, 1, RW_FIRST_US).submitted, 1);
}

static void test_by_itself_only_when_it_is_time(void **state)
{
	RW_OK(&w, fw_attach(&w, version_id));
	struct uuid id = fw_reviewed(&w, FW_BOX);
	struct feedback_submission job = {.deployment_id = w.deployment_id,
		.ids = &id,
		.count = 1,
		.by_itself = true,
		.now_us = RW_FIRST_US + 600 * (int64_t)RW_SECOND_US - 1,
		.arena = &w.arena};
	RW_OK(&w, feedback_submit_job(w.conn, &job, &w.err));
	assert_int_equal(job.submitted, 0);
	job.now_us++;
	RW_OK(&w, feedback_submit_job(w.conn, &job, &w.err));
	assert_int_equal(job.submitted, 1);
	struct feedback_withdrawal back = {.id = id};
	RW_OK(&w, feedback_withdraw_job(w.conn, &back, &w.err));
	RW_OK(&w, feedback_submit_job(w.conn, &job, &w.err));
	assert_int_equal(job.submitted, 0); /* taken back: by hand, or after another review */
	fw_review(&w, id, "NOTHING", "[]", RW_FIRST_US);
	RW_OK(&w, feedback_submit_job(w.conn, &job, &w.err));
	assert_int_equal(job.submitted, 1);
}

/* The version has the same bytes, as another data, on the other side of what was drawn. */
static void test_bytes_that_are_there_stay_on_their_side(void **state)
{
	RW_OK(&w, fw_attach(&w, version_id));
	struct feedback_row row;
	bool found;
	RW_OK(&w, feedback_rows_get(w.conn, w.deployment_id, &row, &found, &w.err));
	for (int there = 0; there < 2; there++) {
		struct uuid imported = rw_add_image(&w, 0.9F, 0), id = fw_reviewed(&w, FW_BOX);
		struct feedback_image image;
		RW_OK(&w, feedback_image_rows_get(w.conn, imported, &w.arena, &image, &found, &w.err));
		struct asset_row asset = {.id = rw_id(),
			.dataset_version_id = version_id,
			.evaluation = there,
			.created_us = RW_FIRST_US,
			.data = {.id = image.data_id}};
		RW_OK(&w, asset_rows_insert(w.conn, &asset, &found, &w.err));
		struct db_query q = db_query(w.conn,
			"UPDATE object SET sha256 = $1 WHERE name IN (SELECT d.object_name FROM data d JOIN"
			" predicted_asset p ON p.data_id = d.id WHERE p.id = $2 OR p.id = $3)");
		db_bind_text(&q, there ? "one" : "two");
		db_bind_uuid(&q, imported);
		db_bind_uuid(&q, id);
		RW_OK(&w, db_done(&q, &w.err));
		row.evaluation_share = there ? 0 : 1;
		RW_OK(&w, feedback_rows_update(w.conn, &row, &w.err));
		assert_int_equal(submit(&id, 1, RW_FIRST_US).submitted, 1);
		assert_int_equal(
			rw_number(&w,
				"SELECT a.evaluation FROM asset a JOIN feedback_asset f ON f.asset_id = "
				"a.id WHERE f.predicted_asset_id = $1",
				id),
			there);
	}
}

/* ---- and back ---- */

static void test_withdrawn_all_is_as_it_was(void **state)
{
	RW_OK(&w, fw_attach(&w, version_id));
	struct uuid before = fw_reviewed(&w, FW_BOX), id = fw_reviewed(&w, FW_BOX);
	assert_int_equal(submit(&before, 1, RW_FIRST_US).submitted, 1);
	const char *hash = manifest_hash();
	assert_int_equal(submit(&id, 1, RW_FIRST_US).submitted, 1);
	assert_string_not_equal(manifest_hash(), hash);
	struct feedback_withdrawal back = {.id = id};
	RW_OK(&w, feedback_withdraw_job(w.conn, &back, &w.err));
	assert_string_equal(manifest_hash(), hash);
	assert_true(uuid_equal(back.deployment_id, w.deployment_id));
	assert_int_equal(feedback_withdraw_job(w.conn, &back, &w.err), ST_CONFLICT);
	back.id = rw_id();
	assert_int_equal(feedback_withdraw_job(w.conn, &back, &w.err), ST_MISSING);
}

/* The clock was set back since the version got the picture: the review counts all the same. */
static void test_over_an_annotation_from_before(void **state)
{
	RW_OK(&w, fw_attach(&w, version_id));
	struct uuid id = fw_reviewed(&w, FW_BOX);
	assert_int_equal(submit(&id, 1, RW_FIRST_US + 1000).submitted, 1);
	struct feedback_withdrawal back = {.id = id};
	bool inserted;
	struct feedback_image image;
	RW_OK(&w, feedback_image_rows_get(w.conn, id, &w.arena, &image, &inserted, &w.err));
	RW_OK(&w, feedback_withdraw_job(w.conn, &back, &w.err));
	struct asset_row asset = {.id = rw_id(),
		.dataset_version_id = version_id,
		.created_us = RW_FIRST_US,
		.data = {.id = image.data_id}};
	RW_OK(&w, asset_rows_insert(w.conn, &asset, &inserted, &w.err));
	const struct annotation_row mine = {.id = rw_id(),
		.asset_id = asset.id,
		.status = "ACCEPTED",
		.who = "bob",
		.created_us = RW_FIRST_US + 5000,
		.updated_us = RW_FIRST_US + 5000};
	RW_OK(&w, annotation_rows_insert(w.conn, &mine, &w.arena, &w.err));
	const char *hash = manifest_hash();
	assert_int_equal(submit(&id, 1, RW_FIRST_US + 1000).submitted, 1);
	struct annotation_row newest;
	RW_OK(&w, annotation_rows_newest(w.conn, asset.id, &w.arena, &newest, &inserted, &w.err));
	assert_string_equal(newest.who, "ann");
	RW_OK(&w, feedback_withdraw_job(w.conn, &back, &w.err));
	assert_string_equal(manifest_hash(), hash);
	RW_OK(&w, annotation_rows_newest(w.conn, asset.id, &w.arena, &newest, &inserted, &w.err));
	assert_string_equal(newest.who, "bob");
}

static void test_from_a_locked_version_nothing_is_taken(void **state)
{
	RW_OK(&w, fw_attach(&w, version_id));
	struct uuid id = fw_reviewed(&w, FW_BOX);
	assert_int_equal(submit(&id, 1, RW_FIRST_US).submitted, 1);
	RW_OK(&w, dataset_version_rows_set_locked(w.conn, version_id, RW_FIRST_US, "00", &w.err));
	struct feedback_withdrawal back = {.id = id, .force = true};
	assert_int_equal(feedback_withdraw_job(w.conn, &back, &w.err), ST_LOCKED);
	assert_string_equal(fw_status(&w, id), "SUBMITTED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_becomes_of_labels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_version_without_labels_gets_the_deployments, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_why_nothing_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_once_into_each_version_in_one_revision, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_submitted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_by_itself_only_when_it_is_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_bytes_that_are_there_stay_on_their_side, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_withdrawn_all_is_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_over_an_annotation_from_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_from_a_locked_version_nothing_is_taken, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
