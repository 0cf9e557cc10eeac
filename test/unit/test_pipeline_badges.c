/* SPDX-License-Identifier: Apache-2.0 */
/* store/pipeline_badges.h: the words of a deployment's pipeline through all that it goes through. */
#include "store/pipeline_badges.h"

#include "review_world.h"
#include "store/training_rows.h"

#include <string.h>

static struct review_world w;

/* $1: the deployment. */
static void run(const char *sql)
{
	struct db_query q = db_query(w.conn, sql);
	db_bind_uuid(&q, w.deployment_id);
	RW_OK(&w, db_done(&q, &w.err));
}

/* Without a parameter. */
static void make(const char *sql)
{
	struct db_query q = db_query(w.conn, sql);
	RW_OK(&w, db_done(&q, &w.err));
}

static void expect(const char *training_data, const char *feedback, const char *training, const char *deploys)
{
	struct pipeline_badges b;
	RW_OK(&w, pipeline_badges_read(w.conn, w.deployment_id, &w.arena, &b, &w.err));
	assert_string_equal(b.training_data, training_data);
	assert_string_equal(b.feedback_loop, feedback);
	assert_string_equal(b.continuous_training, training);
	assert_string_equal(b.continuous_deployment, deploys);
}

static int set_up(void **state)
{
	rw_open(&w);
	make("INSERT INTO dataset (id, organization_id, name, created_us)"
	     " SELECT zeroblob(16), id, 'street', 1 FROM organization");
	make("INSERT INTO dataset_version (id, dataset_id, version, type, created_us)"
	     " VALUES (zeroblob(16), zeroblob(16), 'v1', 'OBJECT_DETECTION', 1)");
	return 0;
}

static int tear_down(void **state)
{
	rw_close(&w);
	return 0;
}

static void test_nothing_is_set(void **state)
{
	expect("off", "off", "off", "off");
}

#define REFERENCE(version, at, status)                                                                       \
	"INSERT INTO reference (id, deployment_id, model_version_id, kind, status, images, held_out, "       \
	"predicted,"                                                                                         \
	" created_us) SELECT randomblob(16), id, " version ", 'DATASET', '" status "', 0, 0, 0, " at         \
	" FROM deployment WHERE id = $1"

static void test_training_data(void **state)
{
	run("INSERT INTO training_data VALUES ($1, 1, 'PRODUCTION', NULL, NULL, NULL, 500, 1, 'a')");
	expect("working", "off", "off", "off"); /* it waits for images */
	run(REFERENCE("champion_id", "10", "RUNNING"));
	expect("working", "off", "off", "off");
	run(REFERENCE("champion_id", "20", "FAILED"));
	expect("problem", "off", "off", "off");
	run(REFERENCE("champion_id", "30", "READY"));
	run(REFERENCE("zeroblob(16)", "40", "FAILED")); /* of a shadow */
	expect("on", "off", "off", "off");
	run("UPDATE training_data SET active = 0 WHERE deployment_id = $1");
	expect("off", "off", "off", "off");
}

static void test_feedback_loop(void **state)
{
	run("INSERT INTO feedback (deployment_id, active, created_us) VALUES ($1, 1, 1)");
	expect("off", "problem", "off", "off"); /* it leads nowhere */
	run("INSERT INTO feedback_target VALUES ($1, zeroblob(16), 1)");
	expect("off", "on", "off", "off");
	run("UPDATE feedback SET active = 0 WHERE deployment_id = $1");
	expect("off", "off", "off", "off");
}

static void test_continuous_training(void **state)
{
	run("INSERT INTO continuous_training (deployment_id, active, parameters, trigger, threshold, "
	    "on_drift, epoch,"
	    " drift_images_min, trainer, failures, drift_us, last_us, created_us, updated_us, updated_by)"
	    " VALUES ($1, 1, '{}', 'FEEDBACK_LOOP', 50, 0, 0, 20, 'default', 0, 0, 0, 1, 1, 'a')");
	expect("off", "off", "problem", "off"); /* nothing to train with */
	run("INSERT INTO continuous_training_dataset VALUES ($1, 'test', zeroblob(16))");
	expect("off", "off", "problem", "off");
	run("UPDATE continuous_training_dataset SET name = 'train' WHERE deployment_id = $1");
	expect("off", "off", "on", "off");
	make("INSERT INTO project SELECT zeroblob(16), id, 'p', '', 1 FROM organization");
	make("INSERT INTO experiment (id, project_id, name, created_us)"
	     " VALUES (x'01000000000000000000000000000000', zeroblob(16), 'e', 1)");
	const struct training_row row = {.id = rw_id(),
		.experiment_id = {{1}},
		.deployment_id = w.deployment_id,
		.epoch = 1,
		.trigger = "HAND",
		.why = "",
		.who = "a",
		.trainer = "default",
		.status = "WAITING",
		.stage = "snapshot",
		.attempt = 1,
		.message = "",
		.exit_code = -1,
		.created_us = 1};
	RW_OK(&w, training_rows_insert(w.conn, &row, &w.err));
	expect("off", "off", "working", "off");
	run("UPDATE training SET status = 'FAILED' WHERE deployment_id = $1");
	expect("off", "off", "on", "off");
	run("UPDATE continuous_training SET paused_text = 'Two failed.' WHERE deployment_id = $1");
	expect("off", "off", "problem", "off");
	run("UPDATE continuous_training SET active = 0 WHERE deployment_id = $1");
	expect("off", "off", "off", "off");
}

static void test_continuous_deployment(void **state)
{
	run("INSERT INTO continuous_deployment VALUES ($1, 1, 'DEPLOY_SHADOW', 1, 0.05, 0, 0, 1, 1, 'a')");
	expect("off", "off", "off", "on");
	run("UPDATE continuous_deployment SET active = 0 WHERE deployment_id = $1");
	expect("off", "off", "off", "off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_set),
		cmocka_unit_test(test_training_data),
		cmocka_unit_test(test_feedback_loop),
		cmocka_unit_test(test_continuous_training),
		cmocka_unit_test(test_continuous_deployment),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
