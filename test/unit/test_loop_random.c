/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slow loop by random schedules: reviews, withdrawals, double clicks, trainings that fail, are cancelled
 * and retried, verdicts, people who go back, and a server that dies at any call to the database and starts
 * again. Whatever happens: each threshold that is reached has one training, there is always a champion, no
 * training is lost, and no picture that is tested with is trained on. GYRE_SCHEDULES: how many; GYRE_SEED
 * repeats one.
 */
#include "learn/gate.h"
#include "learn/training_set.h"
#include "loop_world.h"
#include "store/shadow_rows.h"
#include "store/verdict_rows.h"

#include <string.h>

#define STEPS 40
#define SECOND ((int64_t)1000000)

static struct loop_world l;
static struct training_hooks hooks;
static int64_t threshold;
static bool tests; /* a version to test with is attached */
static uint64_t seed;
static uint64_t runs, kills, swaps, failed_runs;
static struct uuid rolled_back[64];
static size_t rolled_back_count;
static int depth; /* inside a training that is worked on */

#define EXPECT(condition)                                                                                    \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			fail_msg("schedule GYRE_SEED=%llu: %s", (unsigned long long)seed, #condition);       \
	} while (0)

static void random_step(void);

/* ---- the trainer and what follows it, played ---- */

static bool is_tested_with(struct uuid data_id)
{
	for (size_t i = 0; i < l.image_count; i++)
		if (uuid_equal(l.images[i].data_id, data_id))
			return l.images[i].evaluation || (tests && l.images[i].in_test);
	fail_msg("a picture that nobody submitted is trained on");
	return true;
}

/* By the very reading that lays files out for a trainer. */
static enum status play_prepare(struct training *t, struct err *err)
{
	struct experiment_dataset_row *datasets;
	struct training_set set;
	struct dataset_version_row version;
	struct db_conn *c;
	size_t count;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = experiment_rows_datasets(c, t->row.experiment_id, t->arena, &datasets, &count, err);
	for (size_t i = 0; st == ST_OK && i < count; i++) {
		st = dataset_version_rows_by_id(c, datasets[i].dataset_version_id, t->arena, &version, err);
		EXPECT(st != ST_OK || version.locked_us != 0);
	}
	struct training_wanted wanted = {
		.datasets = datasets, .dataset_count = count, .task = TASK_DETECTION};
	if (st == ST_OK)
		st = training_set_read(c, &wanted, t->arena, &set, err);
	db_reader_give(t->options->readers, c);
	TRY(st);
	for (size_t i = 0; i < set.count; i++)
		if (set.pictures[i].side != TRAINING_TEST)
			EXPECT(!is_tested_with(set.pictures[i].data_id));
	return ST_OK;
}

/* It takes a while, in which the rest goes on; it may fail. */
static enum status play_train(struct training *t, struct err *err)
{
	runs++;
	for (uint64_t i = lw_random(&l, 4); i > 0; i--)
		random_step();
	if (training_leaving(t))
		return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
	if (lw_random(&l, 4) > 0)
		return ST_OK;
	failed_runs++;
	return err_set(err, ST_INTERNAL, "It was told to fail.");
}

static enum status publish_job(struct db_conn *c, void *arg, struct err *err)
{
	struct training *t = arg;
	struct model_version_row version = {.id = t->row.candidate_id,
		.model_id = t->row.model_id,
		.name = "next",
		.description = "",
		.type = "OBJECT_DETECTION",
		.framework = "ONNX",
		.labels = "{\"0\": \"red\", \"1\": \"green\", \"2\": \"blue\"}",
		.state = "READY",
		.created_us = RW_FIRST_US,
		.experiment_id = t->row.experiment_id};
	TRY(model_rows_next_version(c, version.model_id, &version.version, err));
	return model_rows_version_insert(c, &version, err);
}

static enum status play_publish(struct training *t, struct err *err)
{
	if (!uuid_is_zero(t->row.candidate_id))
		return ST_OK;
	t->row.candidate_id = rw_id();
	return training_write(t, publish_job, t, err);
}

static enum status play_evaluate(struct training *t, struct err *err)
{
	uint64_t images = lw_random(&l, 2) ? 100 : 10;
	double value = (double)lw_random(&l, 100) / 100 - 0.5;
	(void)err;
	t->row.evaluation = arena_printf(t->arena,
		"{\"images\":%llu,\"metric\":\"AP\",\"champion\":0.5,\"candidate\":%g,"
		"\"difference\":{\"value\":%g,\"low\":%g,\"high\":%g},\"classes\":[]}",
		(unsigned long long)images, 0.5 + value, value, value - 0.1, value + 0.1);
	return ST_OK;
}

static enum status play_reference(struct training *t, struct err *err)
{
	(void)err;
	t->passed = "There is no Training Data.";
	return ST_OK;
}

static enum status (*const stages[])(struct training *t, struct err *err) = {
	stage_snapshot, play_prepare, play_train, play_publish, play_evaluate, play_reference, stage_deploy};

/* ---- the champion ---- */

static void forget(struct uuid version)
{
	for (size_t i = 0; i < rolled_back_count; i++)
		if (uuid_equal(rolled_back[i], version))
			rolled_back[i--] = rolled_back[--rolled_back_count];
}

static bool was_rolled_back(struct uuid version)
{
	for (size_t i = 0; i < rolled_back_count; i++)
		if (uuid_equal(rolled_back[i], version))
			return true;
	return false;
}

/* As swap_run() does, without models. */
static enum status play_swap(void *arg, const struct swap *wish, struct err *err)
{
	struct swap copy = *wish;
	struct uuid before = wish->expected_champion_id;
	TRY(recorder_run(l.recorder, swap_job, &copy, err));
	if (wish->by_itself)
		EXPECT(!was_rolled_back(wish->version_id));
	forget(wish->version_id);
	if (strcmp(wish->what, SWAP_BACK) == 0 && rolled_back_count < COUNT_OF(rolled_back))
		rolled_back[rolled_back_count++] = before;
	swaps++;
	return ST_OK;
}

/* ---- what happens ---- */

/* One that was not tried yet, or taken back: the rest follows by the rows. */
static void submit(void)
{
	struct uuid ids[FEEDBACK_AT_ONCE];
	size_t count = 0, wanted = 1 + lw_random(&l, 3), first = lw_random(&l, l.image_count);
	struct arena a;
	for (size_t i = 0; i < l.image_count && count < wanted; i++)
		if (!l.images[(first + i) % l.image_count].submitted)
			ids[count++] = l.images[(first + i) % l.image_count].id;
	if (count == 0)
		return;
	arena_init(&a);
	struct feedback_submission job = {.deployment_id = l.w.deployment_id,
		.ids = ids,
		.count = count,
		.now_us = l.now_us,
		.arena = &a};
	struct err err;
	enum status st = recorder_run(l.recorder, feedback_submit_job, &job, &err);
	EXPECT(st == ST_OK || l.dead);
	arena_release(&a);
}

static void withdraw(void)
{
	size_t first = lw_random(&l, l.image_count);
	for (size_t i = 0; i < l.image_count; i++) {
		const struct lw_image *image = &l.images[(first + i) % l.image_count];
		struct feedback_withdrawal job = {.id = image->id};
		struct err err;
		if (!image->submitted)
			continue;
		enum status st = recorder_run(l.recorder, feedback_withdraw_job, &job, &err);
		EXPECT(st == ST_OK || l.dead);
		return;
	}
}

static void train_now(void)
{
	for (uint64_t clicks = 1 + lw_random(&l, 2); clicks > 0; clicks--) {
		struct arena a;
		struct err err;
		arena_init(&a);
		struct continuous_training_opening job = {.deployment_id = l.w.deployment_id,
			.by_hand = true,
			.who = "ann",
			.now_us = l.now_us,
			.arena = &a};
		enum status st = recorder_run(l.recorder, continuous_training_open_job, &job, &err);
		EXPECT(st == ST_OK || st == ST_CONFLICT || st == ST_UNPROCESSABLE || l.dead);
		arena_release(&a);
	}
}

/* Any training, by a person who clicks where it makes no sense too. */
static void cancel_or_retry(void)
{
	struct uuid id = {{0}};
	struct err err;
	if (db_reader_take(l.readers, &l.w.conn, &err) != ST_OK)
		return;
	struct db_query q = db_query(l.w.conn, "SELECT id FROM training ORDER BY epoch DESC LIMIT 2");
	for (uint64_t i = 1 + lw_random(&l, 2); i > 0 && db_next(&q); i--)
		id = db_uuid(&q, 0);
	enum status st = db_done(&q, &err);
	db_reader_give(l.readers, l.w.conn);
	if (st != ST_OK || uuid_is_zero(id))
		return;
	st = lw_random(&l, 3) == 0 ? training_cancel(l.trainings, id, "ann", &err)
				   : training_retry(l.trainings, id, "ann", &err);
	EXPECT(st == ST_OK || st == ST_CONFLICT || l.dead);
}

struct look_at_it {
	struct deployment_row row;
	struct shadow_row *shadows;
	size_t count;
	struct uuid before;
};

static bool read_deployment(struct look_at_it *d, struct arena *a)
{
	struct err err;
	if (db_reader_take(l.readers, &l.w.conn, &err) != ST_OK)
		return false;
	enum status st = deployment_rows_by_id(l.w.conn, l.w.deployment_id, a, &d->row, &err);
	if (st == ST_OK)
		st = shadow_rows_list(l.w.conn, l.w.deployment_id, a, &d->shadows, &d->count, &err);
	if (st == ST_OK)
		st = deployment_rows_previous_champion(l.w.conn, l.w.deployment_id, &d->before, &err);
	db_reader_give(l.readers, l.w.conn);
	return st == ST_OK;
}

static enum status verdict_job(struct db_conn *c, void *arg, struct err *err)
{
	return verdict_rows_put(c, arg, err);
}

/* Reviews say that a shadow is better; or a person goes back. */
static void judge_or_go_back(void)
{
	struct look_at_it d;
	struct arena a;
	struct err err;
	arena_init(&a);
	if (read_deployment(&d, &a) && lw_random(&l, 2) && d.count > 0) {
		const struct shadow_row *shadow = &d.shadows[lw_random(&l, d.count)];
		struct verdict_row row = {.deployment_id = l.w.deployment_id,
			.model_version_id = shadow->model_version_id,
			.champion_id = d.row.champion_id,
			.shadow_id = shadow->id,
			.state = VERDICT_BETTER,
			.wins = 20,
			.sentence = "",
			.guards = "[]",
			.may_promote = true,
			.decided_us = l.now_us,
			.updated_us = l.now_us};
		enum status st = recorder_run(l.recorder, verdict_job, &row, &err);
		EXPECT(st == ST_OK || l.dead);
	} else if (!l.dead && read_deployment(&d, &a) && !uuid_is_zero(d.before)) {
		const struct swap swap = {.deployment_id = l.w.deployment_id,
			.version_id = d.before,
			.what = SWAP_BACK,
			.who = "ann",
			.expected_champion_id = d.row.champion_id,
			.now_us = l.now_us};
		enum status st = play_swap(NULL, &swap, &err);
		EXPECT(st == ST_OK || l.dead);
	}
	arena_release(&a);
}

/* ---- what must hold ---- */

struct counted {
	int64_t epoch, fresh, kept, open, failures;
	bool paused;
};

static void read_counts(struct counted *out)
{
	struct continuous_training t;
	struct arena a;
	arena_init(&a);
	RW_OK(&l.w, db_reader_take(l.readers, &l.w.conn, &l.w.err));
	RW_OK(&l.w, continuous_training_read(l.w.conn, l.w.deployment_id, NULL, l.now_us, &a, &t, &l.w.err));
	db_reader_give(l.readers, l.w.conn);
	*out = (struct counted){.epoch = t.row.epoch,
		.fresh = t.counts.fresh,
		.kept = t.counts.kept,
		.open = lw_number(&l, "SELECT count(*) FROM training WHERE status IN ('WAITING', 'RUNNING')",
			(struct uuid){{0}}),
		.failures = t.row.failures,
		.paused = t.row.paused_text != NULL};
	arena_release(&a);
}

/* The images as the rows have them. */
static void read_images(void)
{
	RW_OK(&l.w, db_reader_take(l.readers, &l.w.conn, &l.w.err));
	for (size_t i = 0; i < l.image_count; i++) {
		struct lw_image *image = &l.images[i];
		struct db_query q = db_query(l.w.conn,
			"SELECT f.epoch, a.evaluation FROM feedback_asset f JOIN asset a ON a.id = f.asset_id"
			" WHERE f.predicted_asset_id = $1");
		db_bind_uuid(&q, image->id);
		image->submitted = db_next(&q);
		if (image->submitted) {
			image->epoch = db_integer(&q, 0);
			image->evaluation = db_integer(&q, 1) != 0;
		}
		RW_OK(&l.w, db_done(&q, &l.w.err));
	}
	db_reader_give(l.readers, l.w.conn);
}

/* Counted another way than the rows do. */
static int64_t count_trainable(int64_t epoch)
{
	int64_t count = 0;
	for (size_t i = 0; i < l.image_count; i++)
		count += l.images[i].submitted && !l.images[i].evaluation &&
			 !(tests && l.images[i].in_test) && l.images[i].epoch == epoch;
	return count;
}

static void check_always(void)
{
	static const char *const none[] = {
		/* The champion is a version, and the history says the same. */
		"SELECT count(*) FROM deployment d WHERE NOT EXISTS"
		" (SELECT 1 FROM model_version v WHERE v.id = d.champion_id)",
		/* Epochs are 1, 2, 3 …, each opened once, with an experiment of its own. */
		"SELECT (SELECT count(*) FROM training) - (SELECT epoch FROM continuous_training)",
		"SELECT count(*) FROM training t WHERE t.epoch > (SELECT epoch FROM continuous_training)",
		"SELECT (SELECT count(*) FROM training) - (SELECT count(*) FROM experiment)",
		/* Reviews are had by trainings that there are. */
		"SELECT count(*) FROM feedback_asset f WHERE f.epoch > 0 AND NOT EXISTS"
		" (SELECT 1 FROM training t WHERE t.epoch = f.epoch)",
		/* A success has one version, and a decision. */
		"SELECT count(*) FROM training WHERE status = 'SUCCESS' AND (candidate_id IS NULL OR "
		"decision IS "
		"NULL)",
		"SELECT count(*) FROM model_version v WHERE v.experiment_id IS NOT NULL AND"
		" NOT EXISTS (SELECT 1 FROM training t WHERE t.candidate_id = v.id)",
		/* A shadow is never the champion. */
		"SELECT count(*) FROM deployment_shadow s JOIN deployment d ON d.id = s.deployment_id"
		" WHERE s.model_version_id = d.champion_id",
		/* Two failures in a row, and only they, pause. */
		"SELECT count(*) FROM continuous_training WHERE (failures >= 2) <> (paused_text IS NOT NULL)",
	};
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		int64_t found = lw_number(&l, none[i], (struct uuid){{0}});
		if (found != 0)
			fail_msg("schedule GYRE_SEED=%llu: %lld of: %s", (unsigned long long)seed,
				(long long)found, none[i]);
	}
	EXPECT(lw_number(&l, "SELECT count(*) FROM training WHERE status IN ('WAITING', 'RUNNING')",
		       (struct uuid){{0}}) <= 1);
}

/* A look opens what the counts ask for, and nothing else. */
static void look(void)
{
	struct counted before, after;
	read_images();
	read_counts(&before);
	EXPECT(before.fresh == count_trainable(0));
	loop_look(&l.loop, l.now_us);
	read_counts(&after);
	if (!before.paused) {
		bool due = before.open == 0 && before.fresh >= threshold && !after.paused;
		EXPECT(after.epoch == before.epoch + due);
		if (due)
			EXPECT(after.fresh == 0 && after.open == 1);
	} else {
		EXPECT(after.epoch == before.epoch);
	}
}

/* The same while the database dies: no oracle but what must always hold. */
static void look_blindly(void)
{
	loop_look(&l.loop, l.now_us);
}

/* On one training at a time, as the thread does. */
static bool work(void)
{
	depth++;
	bool worked = trainings_work(l.trainings);
	depth--;
	return worked;
}

static void random_step(void)
{
	l.now_us += (int64_t)lw_random(&l, 600) * SECOND;
	if (!l.dead)
		read_images();
	switch (lw_random(&l, 10)) {
	case 0:
	case 1:
	case 2: submit(); break;
	case 3: withdraw(); break;
	case 4: train_now(); break;
	case 5: cancel_or_retry(); break;
	case 6: judge_or_go_back(); break;
	default:
		if (depth == 0 && lw_random(&l, 2)) {
			work();
		} else if (l.dead) {
			look_blindly();
		} else {
			look();
		}
	}
}

/* ---- a server that dies ---- */

/* An epoch that was opened by the threshold had it. */
static void check_new_epochs(int64_t since)
{
	read_images();
	for (int64_t epoch = since + 1;; epoch++) {
		char trigger[16] = "";
		RW_OK(&l.w, db_reader_take(l.readers, &l.w.conn, &l.w.err));
		struct db_query q = db_query(l.w.conn, "SELECT trigger FROM training WHERE epoch = $1");
		db_bind_integer(&q, epoch);
		if (db_next(&q))
			snprintf(trigger, sizeof(trigger), "%s", db_text(&q, 0, &l.w.arena));
		RW_OK(&l.w, db_done(&q, &l.w.err));
		db_reader_give(l.readers, l.w.conn);
		if (trigger[0] == '\0')
			return;
		EXPECT(epoch == since + 1);
		if (strcmp(trigger, "FEEDBACK_LOOP") == 0)
			EXPECT(count_trainable(epoch) >= threshold);
	}
}

static void read_rolled_back(void)
{
	rolled_back_count = 0;
	RW_OK(&l.w, db_reader_take(l.readers, &l.w.conn, &l.w.err));
	struct db_query q = db_query(l.w.conn, "SELECT model_version_id FROM rolled_back");
	while (db_next(&q) && rolled_back_count < COUNT_OF(rolled_back))
		rolled_back[rolled_back_count++] = db_uuid(&q, 0);
	RW_OK(&l.w, db_done(&q, &l.w.err));
	db_reader_give(l.readers, l.w.conn);
}

static void die_within_a_step(void)
{
	struct counted before;
	bool commits = lw_random(&l, 3) == 0, works = lw_random(&l, 2);
	read_counts(&before);
	read_images();
	l.dead = true;
	db_faulty_plan(l.w.db, commits ? DB_FAULTY_COMMIT : DB_FAULTY_ANY,
		(unsigned)(1 + lw_random(&l, commits ? 30
					     : works ? 2000
						     : 100)),
		INT_MAX, commits && lw_random(&l, 2) ? DB_FAULTY_AFTER : DB_FAULTY_BEFORE, ST_UNAVAILABLE);
	if (works)
		work();
	else
		random_step();
	kills += db_faulty_fired(l.w.db) > 0;
	lw_stop(&l);
	db_faulty_plan(l.w.db, DB_FAULTY_ANY, 0, 0, DB_FAULTY_BEFORE, ST_OK);
	l.dead = false;
	lw_start(&l, &hooks, stages);
	read_rolled_back();
	if (!works)
		check_new_epochs(before.epoch);
}

/* ---- a schedule ---- */

static void open_schedule(void)
{
	l.chance = seed * 0x2545f4914f6cdd1dULL;
	rolled_back_count = 0;
	depth = 0;
	l.dead = false;
	l.now_us = RW_FIRST_US + 1000000 * SECOND;
	threshold = 1 + (int64_t)lw_random(&l, 6);
	tests = lw_random(&l, 2);
	static const char *const policies[] = {POLICY_SHADOW, POLICY_CHAMPION, POLICY_MANUAL};
	lw_open(&l, true);
	fw_set_up(&l.w, 0);
	struct db_query q = db_query(l.w.conn, "UPDATE feedback SET evaluation_share = $1");
	db_bind_real(&q, lw_random(&l, 2) ? 0.3 : 0);
	RW_OK(&l.w, db_done(&q, &l.w.err));
	fw_label(&l.w, l.train_id, "red");
	RW_OK(&l.w, fw_attach(&l.w, l.train_id));
	lw_add_settings(&l, threshold, policies[lw_random(&l, 3)], tests);
	for (int i = 0; i < 24; i++)
		lw_add_image(&l, lw_random(&l, 6) == 0);
	db_disconnect(l.w.conn);
	hooks = (struct training_hooks){.swap = play_swap};
	lw_start(&l, &hooks, stages);
}

/* Left alone, everything comes to its end. */
static void settle(void)
{
	for (int i = 0; i < 50 && work(); i++)
		look();
	look();
	EXPECT(lw_number(&l, "SELECT count(*) FROM training WHERE status = 'RUNNING'", (struct uuid){{0}}) ==
		0);
	EXPECT(lw_number(&l,
		       "SELECT count(*) FROM experiment e JOIN training t ON t.experiment_id = e.id"
		       " WHERE e.status <> t.status",
		       (struct uuid){{0}}) == 0);
}

static void run_schedule(void)
{
	open_schedule();
	for (int step = 0; step < STEPS; step++) {
		if (lw_random(&l, 5) == 0)
			die_within_a_step();
		else
			random_step();
		check_always();
	}
	settle();
	check_always();
	lw_stop(&l);
	db_close(l.w.db);
	arena_release(&l.w.arena);
}

static void test_random_schedules(void **state)
{
	const char *many = getenv("GYRE_SCHEDULES"), *one = getenv("GYRE_SEED");
	uint64_t first = one ? strtoull(one, NULL, 10) : 1;
	uint64_t count = many ? strtoull(many, NULL, 10) : one ? 1 : 40;
	for (seed = first; seed < first + count; seed++)
		run_schedule();
	print_message("%llu schedules: %llu runs of the trainer, %llu of them failed, %llu deaths, %llu "
		      "champions\n",
		(unsigned long long)count, (unsigned long long)runs, (unsigned long long)failed_runs,
		(unsigned long long)kills, (unsigned long long)swaps);
	EXPECT(count < 40 || (runs > count && kills > count && swaps > count / 4 && failed_runs > count / 8));
}

int main(void)
{
	const struct CMUnitTest all[] = {cmocka_unit_test(test_random_schedules)};
	return cmocka_run_group_tests(all, NULL, NULL);
}
