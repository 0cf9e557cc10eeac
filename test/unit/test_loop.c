/* SPDX-License-Identifier: Apache-2.0 */
/* The slow loop, case by case: what counts, what opens an epoch, what a gate decides, who becomes champion.
 * By random schedules: test_loop_random.c. */
#include "deploy/shadow_set.h"
#include "deploy/swap.h"
#include "learn/gate.h"
#include "loop_world.h"
#include "store/shadow_rows.h"
#include "store/verdict_rows.h"

#include <string.h>

#define SECOND ((int64_t)1000000)
#define W (&l.w)

static struct loop_world l;
static struct arena a;

/* ---- the gate ---- */

static const char *decided(
	const struct continuous_deployment_row *settings, bool serving, const char *evaluation)
{
	const struct gate_question q = {settings, serving, evaluation, 4};
	struct gate_decision decision;
	struct err err;
	assert_int_equal(gate_decide(&q, &a, &decision, &err), ST_OK);
	assert_non_null(strstr(decision.sentence, "4"));
	return arena_printf(&a, "%s: %s", decision.what, decision.sentence);
}

#define DECIDES(settings, serving, evaluation, what, words)                                                  \
	do {                                                                                                 \
		const char *said = decided(settings, serving, evaluation);                                   \
		assert_int_equal(strncmp(said, what ":", sizeof(what)), 0);                                  \
		if (strstr(said, words) == NULL)                                                             \
			fail_msg("\"%s\" does not say \"%s\"", said, words);                                 \
	} while (0)

#define EVALUATION(images, value, low, high, classes)                                                        \
	"{\"images\":" #images ",\"metric\":\"AP\",\"champion\":0.6,\"candidate\":0.5,"                      \
	"\"difference\":{\"value\":" #value ",\"low\":" #low ",\"high\":" #high "},\"classes\":[" classes    \
	"]}"

static void test_gate(void **state)
{
	struct continuous_deployment_row s = {
		.active = true, .policy = POLICY_CHAMPION, .gate = true, .tolerance = 0.05};
	const char *fine = EVALUATION(100, 0.01, -0.05, 0.07, "");
	arena_init(&a);
	DECIDES(NULL, true, fine, "NONE", "not set up");
	DECIDES(&s, true, fine, "CHAMPION", "100 test pictures");
	DECIDES(&s, false, fine, "MANUAL", "own infrastructure");
	DECIDES(&s, true, NULL, "SHADOW", "no test pictures");
	DECIDES(&s, true, EVALUATION(29, 0.01, -0.05, 0.07, ""), "SHADOW", "29 test pictures are too few");
	DECIDES(&s, true, EVALUATION(30, 0.01, -0.05, 0.07, ""), "CHAMPION", "30 test pictures");
	DECIDES(&s, true, EVALUATION(100, -0.1, -0.15, -0.01, ""), "HELD", "10.0 points lower");
	DECIDES(&s, true, EVALUATION(100, -0.1, -0.15, 0, ""), "CHAMPION", "no class fell");
	DECIDES(&s, true, "{\"images\":50,\"metric\":\"AP\",\"champion\":null,\"difference\":null}", "SHADOW",
		"nothing to compare");
	/* Of 30 objects or more, and beyond the tolerance; the one that fell furthest. */
	DECIDES(&s, true,
		EVALUATION(100, 0, -0.1, 0.1,
			"{\"label\":\"few\",\"truths\":29,\"champion\":0.9,\"candidate\":0.1},"
			"{\"label\":\"little\",\"truths\":30,\"champion\":0.9,\"candidate\":0.85}"),
		"CHAMPION", "");
	DECIDES(&s, true,
		EVALUATION(100, 0, -0.1, 0.1,
			"{\"label\":\"crack\",\"truths\":30,\"champion\":0.9,\"candidate\":0.84},"
			"{\"label\":\"dent\",\"truths\":40,\"champion\":0.9,\"candidate\":0.7}"),
		"HELD", "\"dent\" fell from 90.0 % to 70.0 % on 40 test objects");
	s.gate = false;
	DECIDES(&s, true, EVALUATION(100, -0.1, -0.15, -0.01, ""), "CHAMPION", "gate is off");
	s.policy = POLICY_SHADOW;
	DECIDES(&s, true, fine, "SHADOW", "as the policy says");
	s.policy = POLICY_MANUAL;
	DECIDES(&s, true, fine, "MANUAL", "by hand");
	s.active = false;
	DECIDES(&s, true, fine, "NONE", "switched off");
	assert_true(gate_sees(0) < 0);
	assert_true(gate_sees(30) > 0.14 && gate_sees(30) < 0.15); /* 1.96 * 0.4 / sqrt(30) = 0.1431 */
	assert_true(gate_sees(246) < 0.05 && gate_sees(245) > 0.05);
	arena_release(&a);
}

/* ---- a world ---- */

static enum status never_swap(void *arg, const struct swap *swap, struct err *err)
{
	return err_set(err, ST_INTERNAL, "Nobody asked for another champion.");
}

static enum status write_swap(void *arg, const struct swap *swap, struct err *err)
{
	struct swap copy = *swap;
	return recorder_run(l.recorder, swap_job, &copy, err);
}

/* The database alone; connections are this test's until start(). */
static int set_up(void **state)
{
	l = (struct loop_world){.now_us = RW_FIRST_US + 1000000 * SECOND};
	lw_open(&l, false);
	fw_set_up(W, 0);
	fw_label(W, l.train_id, "red");
	RW_OK(W, fw_attach(W, l.train_id));
	lw_add_settings(&l, 3, POLICY_SHADOW, true);
	return 0;
}

static void start(void)
{
	const struct training_hooks hooks = {.swap = write_swap};
	db_disconnect(W->conn);
	lw_start(&l, &hooks, NULL);
	l.loop.swap = never_swap;
}

static int tear_down(void **state)
{
	if (l.recorder)
		lw_stop(&l);
	else
		db_disconnect(W->conn);
	db_close(W->db);
	arena_release(&W->arena);
	return 0;
}

/* All that are there and not submitted. */
static void submit(size_t first, size_t count)
{
	struct uuid ids[FEEDBACK_AT_ONCE];
	for (size_t i = 0; i < count; i++)
		ids[i] = l.images[first + i].id;
	struct feedback_submission job = {.deployment_id = W->deployment_id,
		.ids = ids,
		.count = count,
		.now_us = l.now_us,
		.arena = &W->arena};
	RW_OK(W, recorder_run(l.recorder, feedback_submit_job, &job, &W->err));
	assert_int_equal(job.submitted, count);
}

static int64_t epochs(void)
{
	return lw_number(&l, "SELECT count(*) FROM training", (struct uuid){{0}});
}

struct change_sql {
	const char *sql;
};

static enum status change_job(struct db_conn *c, void *arg, struct err *err)
{
	return db_script(c, ((const struct change_sql *)arg)->sql, err);
}

static void change(const char *sql)
{
	struct change_sql x = {sql};
	RW_OK(W, recorder_run(l.recorder, change_job, &x, &W->err));
}

static void look(void)
{
	loop_look(&l.loop, l.now_us);
}

/* ---- what counts, what opens ---- */

static void test_tested_with_or_kept_apart_does_not_count(void **state)
{
	for (int i = 0; i < 6; i++)
		lw_add_image(&l, i == 0);
	start();
	submit(0, 3);
	change("UPDATE asset SET evaluation = 1 WHERE id = (SELECT min(asset_id) FROM feedback_asset WHERE"
	       " dataset_version_id IN (SELECT dataset_version_id FROM continuous_training_dataset WHERE "
	       "name ="
	       " 'train') AND asset_id NOT IN (SELECT x.id FROM asset x JOIN asset y ON y.data_id = x.data_id"
	       " AND y.dataset_version_id <> x.dataset_version_id))");
	struct continuous_training t;
	RW_OK(W, db_reader_take(l.readers, &W->conn, &W->err));
	RW_OK(W, continuous_training_read(W->conn, W->deployment_id, NULL, l.now_us, &W->arena, &t, &W->err));
	db_reader_give(l.readers, W->conn);
	assert_int_equal(t.counts.fresh, 1);
	assert_int_equal(t.counts.evaluation, 1);
	look();
	assert_int_equal(epochs(), 0);
	submit(3, 1);
	look();
	assert_int_equal(epochs(), 0);
	submit(4, 1);
	look();
	look();
	assert_int_equal(epochs(), 1);
	assert_int_equal(
		lw_number(&l, "SELECT count(*) FROM feedback_asset WHERE epoch = 1", (struct uuid){{0}}), 5);
}

static void test_nothing_opens_while_it_stands_still(void **state)
{
	static const char *const stops[] = {
		"UPDATE continuous_training SET active = 0",
		"UPDATE continuous_training SET active = 1, paused_text = 'Two failed.'",
		"UPDATE continuous_training SET paused_text = NULL, trigger = 'NONE'",
		"UPDATE continuous_training SET trigger = 'FEEDBACK_LOOP', project_id = NULL",
	};
	for (int i = 0; i < 3; i++)
		lw_add_image(&l, false);
	start();
	submit(0, 3);
	for (size_t i = 0; i < COUNT_OF(stops); i++) {
		change(stops[i]);
		look();
		assert_int_equal(epochs(), 0);
	}
	change("UPDATE continuous_training SET project_id = (SELECT id FROM project)");
	look();
	assert_int_equal(epochs(), 1);
}

static void test_a_schedule_and_drift_open_with_enough_reviews(void **state)
{
	for (int i = 0; i < 4; i++)
		lw_add_image(&l, false);
	start();
	change("UPDATE continuous_training SET threshold = 100, every_s = 3600, drift_images_min = 2, "
	       "last_us = 0");
	submit(0, 1);
	look();
	assert_int_equal(epochs(), 0); /* it is time, but one review is too few */
	submit(1, 1);
	look();
	assert_int_equal(
		lw_number(&l, "SELECT count(*) FROM training WHERE trigger = 'SCHEDULE'", (struct uuid){{0}}),
		1);
	change("UPDATE training SET status = 'SUCCESS', finished_us = 1");
	submit(2, 2);
	look();
	assert_int_equal(epochs(), 1); /* the hour is not over */
	change("INSERT INTO alert (id, deployment_id, kind, operator, value, window_s, images_min, active,"
	       " created_us, created_by) SELECT x'01', id, 'is_drift', '=', 1, 0, 0, 1, 0, 'ann' FROM "
	       "deployment");
	change("INSERT INTO alert_event (id, alert_id, deployment_id, key, opened_us, sentence, detail)"
	       " SELECT x'02', x'01', id, 'k', 1700000000000001, 's', '{}' FROM deployment");
	change("UPDATE continuous_training SET on_drift = 1");
	look();
	assert_int_equal(epochs(), 1); /* told before the last training */
	change("UPDATE alert_event SET opened_us = 1800000000000000");
	look();
	assert_int_equal(
		lw_number(&l, "SELECT count(*) FROM training WHERE trigger = 'DRIFT'", (struct uuid){{0}}),
		1);
}

static void test_each_end_counts_once(void **state)
{
	for (int i = 0; i < 3; i++)
		lw_add_image(&l, false);
	start();
	submit(0, 3);
	look();
	change("UPDATE training SET status = 'FAILED', error = 'Out of memory.', finished_us = 1");
	look();
	look();
	assert_int_equal(lw_number(&l, "SELECT failures FROM continuous_training", (struct uuid){{0}}), 1);
	change("UPDATE training SET attempt = 2");
	look();
	look();
	assert_int_equal(
		lw_number(&l,
			"SELECT failures FROM continuous_training WHERE paused_text LIKE '%Out of memory.%'",
			(struct uuid){{0}}),
		2);
	assert_int_equal(lw_number(&l, "SELECT count(*) FROM deployment_event WHERE what = 'training_failed'",
				 (struct uuid){{0}}),
		2);
	assert_int_equal(lw_number(&l, "SELECT count(*) FROM deployment_event WHERE what = 'training_paused'",
				 (struct uuid){{0}}),
		1);
	change("UPDATE training SET attempt = 3, status = 'SUCCESS'");
	look();
	assert_int_equal(lw_number(&l, "SELECT failures FROM continuous_training WHERE paused_text IS NULL",
				 (struct uuid){{0}}),
		0);
}

/* ---- champions and shadows ---- */

static struct uuid add_version(int64_t number)
{
	struct model_version_row version = {.id = rw_id(),
		.model_id = W->model_id,
		.version = number,
		.name = "next",
		.description = "",
		.type = "OBJECT_DETECTION",
		.framework = "ONNX",
		.labels = "{}",
		.state = "READY",
		.created_us = RW_FIRST_US};
	RW_OK(W, model_rows_version_insert(W->conn, &version, &W->err));
	return version.id;
}

static struct deployment_row deployment(void)
{
	struct deployment_row row;
	RW_OK(W, deployment_rows_by_id(W->conn, W->deployment_id, &W->arena, &row, &W->err));
	return row;
}

static void add_shadow(struct uuid version_id, const char *role, int64_t until_us)
{
	struct deployment_row row = deployment();
	const struct shadow_wish wish = {.version_id = version_id,
		.role = role,
		.reason = "A reason.",
		.until_us = until_us,
		.who = "gyre",
		.now_us = l.now_us};
	RW_OK(W, shadow_set(W->conn, &row, &wish, &W->arena, &W->err));
}

static struct shadow_row *shadows(size_t *count)
{
	struct shadow_row *rows;
	RW_OK(W, shadow_rows_list(W->conn, W->deployment_id, &W->arena, &rows, count, &W->err));
	return rows;
}

static void test_a_shadow_is_set_and_removed(void **state)
{
	struct uuid next = add_version(1);
	struct deployment_row row = deployment();
	struct shadow_wish wish = {.version_id = W->version_id, .who = "ann", .now_us = l.now_us};
	size_t count;
	assert_int_equal(shadow_set(W->conn, &row, &wish, &W->arena, &W->err), ST_CONFLICT);
	assert_non_null(strstr(W->err.text, "is the champion"));
	add_shadow(next, SHADOW_ROLE_HELD, 0);
	const struct shadow_row *held = shadows(&count);
	assert_int_equal(count, 1);
	assert_string_equal(held->role, SHADOW_ROLE_HELD);
	assert_string_equal(held->reason, "A reason.");
	assert_string_equal(
		rw_text(W, "SELECT why FROM deployment_event WHERE what = 'held' AND deployment_id = $1",
			W->deployment_id),
		"A reason.");
	wish.version_id = next;
	assert_int_equal(shadow_set(W->conn, &row, &wish, &W->arena, &W->err), ST_CONFLICT);
	RW_OK(W, shadow_unset(W->conn, &row, next, "ann", NULL, l.now_us, &W->arena, &W->err));
	assert_int_equal(
		shadow_unset(W->conn, &row, next, "ann", NULL, l.now_us, &W->arena, &W->err), ST_MISSING);
}

static enum status swap(struct uuid version_id, const char *what, bool by_itself)
{
	struct swap wish = {.deployment_id = W->deployment_id,
		.version_id = version_id,
		.what = what,
		.who = by_itself ? "gyre" : "ann",
		.keep_as_shadow = strcmp(what, SWAP_DEPLOYED) == 0,
		.keep_until_us = l.now_us + SECOND,
		.by_itself = by_itself,
		.now_us = l.now_us};
	return swap_job(W->conn, &wish, &W->err);
}

static void test_rolled_back_is_not_deployed_by_itself_again(void **state)
{
	struct uuid first = W->version_id, next = add_version(1);
	size_t count;
	RW_OK(W, swap(next, SWAP_DEPLOYED, true));
	const struct shadow_row *former = shadows(&count);
	assert_int_equal(count, 1);
	assert_string_equal(former->role, SHADOW_ROLE_FORMER);
	assert_true(uuid_equal(former->model_version_id, first) && former->until_us == l.now_us + SECOND);
	RW_OK(W, swap(first, SWAP_BACK, false));
	shadows(&count);
	assert_int_equal(count, 0);
	assert_int_equal(swap(next, SWAP_DEPLOYED, true), ST_CONFLICT);
	assert_non_null(strstr(W->err.text, "rolled back"));
	assert_true(uuid_equal(deployment().champion_id, first));
	RW_OK(W, swap(next, SWAP_DEPLOYED, false)); /* a person may */
	RW_OK(W, swap(next, SWAP_DEPLOYED, true));  /* and then it is forgiven; it is the champion already */
	assert_int_equal(rw_number(W,
				 "SELECT count(*) FROM deployment_event WHERE what = 'deployed' AND "
				 "deployment_id = $1",
				 W->deployment_id),
		2);
	struct swap late = {.deployment_id = W->deployment_id,
		.version_id = first,
		.what = SWAP_PROMOTED,
		.who = "gyre",
		.expected_champion_id = first};
	assert_int_equal(swap_job(W->conn, &late, &W->err), ST_CONFLICT);
}

static void add_verdict(bool may_promote)
{
	size_t count;
	const struct shadow_row *shadow = shadows(&count);
	const struct verdict_row row = {.deployment_id = W->deployment_id,
		.model_version_id = shadow->model_version_id,
		.champion_id = deployment().champion_id,
		.shadow_id = shadow->id,
		.state = VERDICT_BETTER,
		.wins = 9,
		.losses = 1,
		.sentence = "",
		.guards = "[]",
		.may_promote = may_promote,
		.updated_us = l.now_us};
	RW_OK(W, verdict_rows_put(W->conn, &row, &W->err));
}

static int64_t champion_is(struct uuid version_id)
{
	return lw_number(&l, "SELECT count(*) FROM deployment WHERE champion_id = $1", version_id);
}

static void test_a_better_shadow_is_promoted_by_itself(void **state)
{
	struct uuid next = add_version(1);
	add_shadow(next, SHADOW_ROLE_CANDIDATE, 0);
	add_verdict(true);
	start();
	l.loop.swap = write_swap;
	change("UPDATE continuous_deployment SET promote_by_itself = 0");
	look();
	assert_int_equal(champion_is(next), 0);
	change("UPDATE continuous_deployment SET promote_by_itself = 1");
	look();
	assert_int_equal(champion_is(next), 1);
	assert_int_equal(lw_number(&l,
				 "SELECT count(*) FROM deployment_event WHERE what = 'promoted' AND who = "
				 "'gyre' AND why LIKE '%9 of 10%'",
				 (struct uuid){{0}}),
		1);
	/* The champion before follows for an hour. */
	assert_int_equal(lw_number(&l, "SELECT count(*) FROM deployment_shadow WHERE role = 'FORMER'",
				 (struct uuid){{0}}),
		1);
	l.now_us += 3599 * SECOND;
	look();
	assert_int_equal(lw_number(&l, "SELECT count(*) FROM deployment_shadow", (struct uuid){{0}}), 1);
	l.now_us += SECOND;
	look();
	assert_int_equal(lw_number(&l, "SELECT count(*) FROM deployment_shadow", (struct uuid){{0}}), 0);
}

static void test_a_former_champion_that_is_better_comes_back(void **state)
{
	struct uuid first = W->version_id, next = add_version(1);
	RW_OK(W, swap(next, SWAP_DEPLOYED, true));
	add_verdict(true);
	start();
	l.loop.swap = write_swap;
	look();
	assert_int_equal(champion_is(first), 1);
	assert_int_equal(
		lw_number(&l, "SELECT count(*) FROM rolled_back WHERE model_version_id = $1", next), 1);
	assert_int_equal(lw_number(&l, "SELECT count(*) FROM deployment_shadow", (struct uuid){{0}}), 0);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_gate),
		IN_WORLD(test_tested_with_or_kept_apart_does_not_count),
		IN_WORLD(test_nothing_opens_while_it_stands_still),
		IN_WORLD(test_a_schedule_and_drift_open_with_enough_reviews),
		IN_WORLD(test_each_end_counts_once),
		IN_WORLD(test_a_shadow_is_set_and_removed),
		IN_WORLD(test_rolled_back_is_not_deployed_by_itself_again),
		IN_WORLD(test_a_better_shadow_is_promoted_by_itself),
		IN_WORLD(test_a_former_champion_that_is_better_comes_back),
	};
	return cmocka_run_group_tests(all, NULL, NULL);
}
