/* SPDX-License-Identifier: Apache-2.0 */
/* deploy/roster.h: who answers now, through swaps, pauses, restarts and broken files; and that nothing is
 * left behind. */
#include "deploy/roster.h"

#include "serve_world.h"

#include <fcntl.h>

static struct world w;

/* One run on black. */
static enum status run_once(const struct service *s, struct err *err)
{
	struct engine_seat *seat;
	void *data;
	const int64_t shape[] = {1, 3, 320, 320};
	TRY(engine_seat_take(s->model->engine, clock_mono_us() + PATIENCE_US, &seat, err));
	enum status st = engine_seat_input(seat, shape, 4, &data, err);
	if (st == ST_OK) {
		memset(data, 0, sizeof(float) * 3 * 320 * 320);
		st = engine_run(seat, err);
	}
	engine_seat_give(seat);
	return st;
}

static bool serves(const struct service *s, struct uuid version_id)
{
	return s->state == SERVICE_SERVING && s->state_text[0] == '\0' &&
	       uuid_equal(s->model->version_id, version_id);
}

/* Pin, look, drop: the version that answers now. */
static void answers_with(struct uuid deployment_id, struct uuid version_id)
{
	struct service *s = world_pin(&w, deployment_id);
	assert_true(serves(s, version_id));
	WORLD_OK(service_ready(s, WORLD_ERR));
	WORLD_OK(run_once(s, WORLD_ERR));
	service_drop(s);
}

static void not_ready(
	struct uuid deployment_id, enum service_state state, enum status expected, const char *part)
{
	struct err err = {.text = ""};
	struct service *s = world_pin(&w, deployment_id);
	assert_string_equal(service_state_name(s->state), service_state_name(state));
	world_refused(service_ready(s, &err), expected, &err, part);
	service_drop(s);
}

static void missing(struct uuid deployment_id)
{
	struct service *s;
	struct err err;
	char id[UUID_TEXT_SIZE];
	uuid_format(deployment_id, id);
	world_refused(roster_pin(w.roster, deployment_id, &s, &err), ST_MISSING, &err, id);
}

static struct model *loaded(struct uuid version_id)
{
	struct model *m = NULL;
	WORLD_OK(roster_model(w.roster, version_id, &m, WORLD_ERR));
	return m;
}

static void swap(struct uuid deployment_id, struct uuid version_id)
{
	struct model *m = loaded(version_id);
	world_change(&w, (struct world_change){.id = deployment_id, .champion_id = version_id}, m);
	model_drop(m);
}

static enum status delete_row(struct db_conn *c, void *arg, struct err *err)
{
	return deployment_rows_delete(c, *(struct uuid *)arg, err);
}

static void delete_deployment(struct uuid id)
{
	world_write(&w, delete_row, &id);
	roster_remove(w.roster, id);
}

/* ---- lifetimes ---- */

static void test_a_deployment_answers_until_it_is_removed(void **state)
{
	struct uuid version = world_add_sample(&w);
	struct uuid id = world_deploy(&w, "line 1", version);
	answers_with(id, version);
	struct service *s = world_pin(&w, id);
	assert_string_equal(s->row.name, "line 1");
	assert_int_equal(s->task, TASK_DETECTION);
	assert_true(s->row.threshold == 0.5);
	assert_string_equal(service_state_name(s->state), "SERVING");
	service_drop(s);
	assert_int_equal(world_children(), 1);
	delete_deployment(id);
	missing(id);
	assert_int_equal(world_children(), 0);
	delete_deployment(id); /* once more changes nothing */
	struct err err;
	assert_int_equal(roster_serve(w.roster, id, NULL, &err), ST_MISSING);
	missing(id);
	missing(w.model_id);
}

static void test_what_is_pinned_when_it_is_removed_answers_until_dropped(void **state)
{
	struct uuid version = world_add_sample(&w);
	struct uuid id = world_deploy(&w, "line 1", version);
	struct service *first = world_pin(&w, id), *second = world_pin(&w, id);
	assert_ptr_equal(first, second);
	delete_deployment(id);
	missing(id);
	service_drop(first);
	assert_int_equal(world_children(), 1);
	WORLD_OK(run_once(second, WORLD_ERR));
	tally_recorded(second->tally, 1, 1);
	assert_string_equal(second->row.name, "line 1");
	service_drop(second);
	assert_int_equal(world_children(), 0);
}

static void test_a_swap_leaves_what_is_pinned_alone(void **state)
{
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a), c = world_copy_version(&w, a);
	struct uuid id = world_deploy(&w, "line 1", a);
	struct service *old = world_pin(&w, id);
	swap(id, b);
	struct service *middle = world_pin(&w, id);
	assert_int_equal(world_children(), 2);
	swap(id, c);
	assert_int_equal(world_children(), 3);
	answers_with(id, c);
	assert_true(serves(old, a));
	assert_true(serves(middle, b));
	WORLD_OK(run_once(old, WORLD_ERR));
	WORLD_OK(run_once(middle, WORLD_ERR));
	assert_ptr_equal(old->tally, middle->tally);
	service_drop(old);
	assert_int_equal(world_children(), 2);
	WORLD_OK(run_once(middle, WORLD_ERR));
	service_drop(middle);
	assert_int_equal(world_children(), 1);
	answers_with(id, c);
}

static void test_deployments_of_one_version_share_its_process(void **state)
{
	struct uuid version = world_add_sample(&w), other = world_copy_version(&w, version);
	struct uuid one = world_deploy(&w, "one", version), two = world_deploy(&w, "two", version);
	assert_int_equal(world_children(), 1);
	swap(one, other);
	assert_int_equal(world_children(), 2);
	answers_with(two, version);
	swap(one, version);
	assert_int_equal(world_children(), 1);
	delete_deployment(two);
	answers_with(one, version);
	delete_deployment(one);
	assert_int_equal(world_children(), 0);
}

static void test_a_model_that_came_to_nothing_is_closed(void **state)
{
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a);
	struct uuid id = world_deploy(&w, "line 1", a);
	struct model *m = loaded(b); /* the row was never changed: the commit failed */
	assert_int_equal(world_children(), 2);
	WORLD_OK(roster_serve(w.roster, id, m, WORLD_ERR));
	model_drop(m);
	assert_int_equal(world_children(), 1);
	answers_with(id, a);
}

/* ---- states ---- */

static void test_a_pause_says_by_whom_and_since_when_and_keeps_the_model(void **state)
{
	struct uuid version = world_add_sample(&w);
	struct uuid id = world_deploy(&w, "line 1", version);
	struct service *s = world_pin(&w, id);
	struct model *before = s->model;
	service_drop(s);
	world_change(&w, (struct world_change){.id = id, .paused_by = "ann"}, NULL);
	not_ready(id, SERVICE_PAUSED, ST_UNAVAILABLE,
		"Deployment line 1 is paused by ann since 2023-11-14T22:13:20.000000Z; resume it");
	world_change(&w, (struct world_change){.id = id, .paused_by = ""}, NULL);
	answers_with(id, version);
	s = world_pin(&w, id);
	assert_ptr_equal(s->model, before);
	service_drop(s);
}

static void test_a_deployment_without_its_model_is_loading(void **state)
{
	struct uuid id = world_add_row(&w, "line 1", world_add_sample(&w), true);
	missing(id);
	WORLD_OK(roster_serve(w.roster, id, NULL, WORLD_ERR));
	not_ready(id, SERVICE_LOADING, ST_UNAVAILABLE, "Deployment line 1 is loading its model; try again");
	world_change(&w, (struct world_change){.id = id, .paused_by = "ann"}, NULL);
	not_ready(id, SERVICE_PAUSED, ST_UNAVAILABLE, "paused by ann");
}

static void test_an_external_deployment_is_watched_and_holds_no_process(void **state)
{
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a);
	struct uuid here = world_deploy(&w, "here", a);
	struct uuid elsewhere = world_add_row(&w, "elsewhere", a, false);
	WORLD_OK(roster_serve(w.roster, elsewhere, NULL, WORLD_ERR));
	not_ready(elsewhere, SERVICE_EXTERNAL, ST_CONFLICT,
		"Deployment elsewhere is served on your own infrastructure");
	struct service *s = world_pin(&w, elsewhere);
	assert_null(s->model);
	service_drop(s);
	swap(here, b);
	assert_int_equal(world_children(), 1); /* that of b */
}

/* ---- changes at the same time ---- */

/*
 * A swap has committed and is about to hand its model in, when a change of the threshold is served: the
 * champion before goes on answering until then.
 */
static void test_a_change_in_the_middle_of_a_swap_interrupts_nobody(void **state)
{
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a);
	struct uuid id = world_deploy(&w, "line 1", a);
	struct model *m = loaded(b);
	struct world_change commit = {.id = id, .champion_id = b};
	world_write(&w, world_apply, &commit);
	world_change(&w, (struct world_change){.id = id, .threshold = 0.75}, NULL);
	answers_with(id, a);
	struct service *s = world_pin(&w, id);
	assert_true(s->row.threshold == 0.75);
	service_drop(s);
	WORLD_OK(roster_serve(w.roster, id, m, WORLD_ERR));
	model_drop(m);
	answers_with(id, b);
	assert_int_equal(world_children(), 1);
}

/* Committed in the order b, c; served in either. */
static void test_the_later_commit_is_served(void **state)
{
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a), c = world_copy_version(&w, a);
	for (int turn = 0; turn < 2; turn++) {
		struct uuid id = world_deploy(&w, turn ? "two" : "one", a);
		struct model *models[] = {loaded(b), loaded(c)};
		struct world_change first = {.id = id, .champion_id = b, .threshold = 0.25};
		struct world_change second = {.id = id, .champion_id = c};
		world_write(&w, world_apply, &first);
		world_write(&w, world_apply, &second);
		WORLD_OK(roster_serve(w.roster, id, models[!turn], WORLD_ERR));
		answers_with(id, turn ? a : c);
		WORLD_OK(roster_serve(w.roster, id, models[turn], WORLD_ERR));
		answers_with(id, c);
		struct service *s = world_pin(&w, id);
		assert_true(s->row.threshold == 0.25);
		service_drop(s);
		model_drop(models[0]);
		model_drop(models[1]);
		delete_deployment(id);
	}
	assert_int_equal(world_children(), 0);
}

#define VERSIONS 3
#define SWAPPERS 3
#define SWAPS 12
#define TUNERS 3
#define TUNES 40
#define PINNERS 2

struct storm {
	struct uuid id, versions[VERSIONS];
	_Atomic bool over;
	_Atomic int failures, interruptions, looks;
};

struct storm_thread {
	struct storm *storm;
	int number;
	thread_handle handle;
};

static void swap_often(void *arg)
{
	struct storm_thread *t = arg;
	for (int i = 0; i < SWAPS; i++) {
		struct world_change change = {
			.id = t->storm->id, .champion_id = t->storm->versions[(t->number + i) % VERSIONS]};
		struct model *m = NULL;
		struct err err;
		enum status st = roster_model(w.roster, change.champion_id, &m, &err);
		if (st == ST_OK)
			st = recorder_run(w.recorder, world_apply, &change, &err);
		if (st == ST_OK)
			st = roster_serve(w.roster, change.id, m, &err);
		if (m)
			model_drop(m);
		atomic_fetch_add(&t->storm->failures, st != ST_OK);
	}
}

static void tune_often(void *arg)
{
	struct storm_thread *t = arg;
	for (int i = 0; i < TUNES; i++) {
		struct world_change change = {
			.id = t->storm->id, .threshold = (double)(1 + t->number * TUNES + i) / 1000};
		struct err err;
		enum status st = recorder_run(w.recorder, world_apply, &change, &err);
		if (st == ST_OK)
			st = roster_serve(w.roster, change.id, NULL, &err);
		atomic_fetch_add(&t->storm->failures, st != ST_OK);
	}
}

static void pin_often(void *arg)
{
	struct storm_thread *t = arg;
	while (!atomic_load(&t->storm->over)) {
		struct service *s;
		struct err err;
		if (roster_pin(w.roster, t->storm->id, &s, &err) != ST_OK) {
			atomic_fetch_add(&t->storm->failures, 1);
			continue;
		}
		bool good = service_ready(s, &err) == ST_OK && s->model && run_once(s, &err) == ST_OK;
		service_drop(s);
		atomic_fetch_add(&t->storm->interruptions, !good);
		atomic_fetch_add(&t->storm->looks, 1);
	}
}

static void test_many_changes_at_once_end_as_the_database_says(void **state)
{
	static const struct {
		int count;
		void (*run)(void *);
	} kinds[] = {{SWAPPERS, swap_often}, {TUNERS, tune_often}, {PINNERS, pin_often}};
	struct storm storm = {0};
	struct storm_thread threads[SWAPPERS + TUNERS + PINNERS];
	int count = 0;
	storm.versions[0] = world_add_sample(&w);
	for (int i = 1; i < VERSIONS; i++)
		storm.versions[i] = world_copy_version(&w, storm.versions[0]);
	storm.id = world_deploy(&w, "line 1", storm.versions[0]);
	for (size_t k = 0; k < COUNT_OF(kinds); k++)
		for (int i = 0; i < kinds[k].count; i++, count++) {
			threads[count] = (struct storm_thread){.storm = &storm, .number = i};
			thread_start(&threads[count].handle, "storm", kinds[k].run, &threads[count]);
		}
	for (int i = 0; i < count; i++) {
		if (i == SWAPPERS + TUNERS)
			atomic_store(&storm.over, true);
		thread_join(threads[i].handle);
	}
	assert_int_equal(storm.failures, 0);
	assert_int_equal(storm.interruptions, 0);
	assert_true(storm.looks > 0);

	struct db_conn *c;
	struct deployment_row row;
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(deployment_rows_by_id(c, storm.id, &w.arena, &row, WORLD_ERR));
	db_reader_give(w.readers, c);
	struct service *s = world_pin(&w, storm.id);
	assert_true(s->row.threshold == row.threshold);
	assert_true(uuid_equal(s->row.champion_id, row.champion_id));
	assert_true(serves(s, row.champion_id));
	service_drop(s);
	assert_int_equal(world_children(), 1);
}

/* ---- starts ---- */

static void test_a_start_serves_what_the_database_says(void **state)
{
	struct uuid good = world_add_sample(&w), broken = world_break_version(&w, good, "no model at all");
	struct uuid gone = world_break_version(&w, good, NULL);
	struct uuid serving = world_add_row(&w, "serving", good, true);
	struct uuid held = world_add_row(&w, "held", broken, true);
	struct uuid lost = world_add_row(&w, "lost", gone, true);
	struct uuid paused = world_add_row(&w, "paused", good, true);
	struct uuid elsewhere = world_add_row(&w, "elsewhere", good, false);
	struct world_change pause = {.id = paused, .paused_by = "ann"};
	world_write(&w, world_apply, &pause);
	for (int start = 0; start < 2; start++) {
		world_new_roster(&w);
		assert_int_equal(world_children(), 0);
		missing(serving);
		WORLD_OK(roster_load_all(w.roster, WORLD_ERR));
		assert_int_equal(world_state(&w, elsewhere), SERVICE_EXTERNAL); /* at once */
		assert_int_equal(world_state(&w, paused), SERVICE_PAUSED);
		WORLD_UNTIL(world_state(&w, serving) == SERVICE_SERVING); /* the oldest: loaded last */
		answers_with(serving, good);
		not_ready(held, SERVICE_HELD, ST_UNAVAILABLE,
			"Deployment held is held, because its model could not be loaded: ");
		not_ready(held, SERVICE_HELD, ST_UNAVAILABLE, "ONNX");
		not_ready(lost, SERVICE_HELD, ST_UNAVAILABLE, "could not be loaded: ");
		not_ready(paused, SERVICE_PAUSED, ST_UNAVAILABLE, "paused by ann");
		not_ready(elsewhere, SERVICE_EXTERNAL, ST_CONFLICT, "elsewhere");
		assert_int_equal(world_children(), 1);
	}
	world_change(&w, (struct world_change){.id = paused, .paused_by = ""}, NULL);
	answers_with(paused, good);
}

static void test_a_held_deployment_stays_held_until_it_gets_a_model(void **state)
{
	struct uuid good = world_add_sample(&w), broken = world_break_version(&w, good, "no model at all");
	struct uuid id = world_add_row(&w, "line 1", broken, true);
	WORLD_OK(roster_load_all(w.roster, WORLD_ERR));
	WORLD_UNTIL(world_state(&w, id) == SERVICE_HELD);
	world_change(&w, (struct world_change){.id = id, .threshold = 0.125}, NULL);
	not_ready(id, SERVICE_HELD, ST_UNAVAILABLE, "ONNX");
	world_change(&w, (struct world_change){.id = id, .paused_by = "ann"}, NULL);
	not_ready(id, SERVICE_PAUSED, ST_UNAVAILABLE, "paused by ann");
	world_change(&w, (struct world_change){.id = id, .paused_by = ""}, NULL);
	not_ready(id, SERVICE_HELD, ST_UNAVAILABLE, "ONNX");
	struct model *m = NULL;
	struct err err;
	assert_int_equal(roster_model(w.roster, broken, &m, &err), ST_UNPROCESSABLE);
	assert_null(m);
	swap(id, good);
	answers_with(id, good);
	assert_int_equal(world_children(), 1);
}

/* A version whose file is a pipe: whoever opens it waits at the gate. */
static struct uuid gate_version(struct uuid like, const char *name, const char **path)
{
	struct uuid id = world_break_version(&w, like, name);
	const char *sha256 = world_read_version(&w, id).onnx_sha256;
	*path = arena_printf(&w.arena, "%s/blobs/%.2s/%s", w.folder, sha256, sha256);
	assert_int_equal(unlink(*path), 0);
	assert_int_equal(mkfifo(*path, 0600), 0);
	return id;
}

/* Waits until somebody waits, and lets him go. */
static void gate_open(const char *path)
{
	int fd = -1;
	WORLD_UNTIL((fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0);
	close(fd);
}

/* A load that fails after somebody gave the deployment another champion says nothing of that one. */
static void test_a_late_failure_is_not_the_new_champions(void **state)
{
	const char *gate;
	struct uuid good = world_add_sample(&w), broken = world_break_version(&w, good, "no model at all");
	struct uuid last = world_add_row(&w, "last", good, true);
	struct uuid id = world_add_row(&w, "line 1", broken, true);
	struct uuid first = world_add_row(&w, "first", gate_version(good, "gate", &gate), true);
	WORLD_OK(roster_load_all(w.roster, WORLD_ERR));
	not_ready(id, SERVICE_LOADING, ST_UNAVAILABLE, "is loading its model");
	swap(id, good);
	answers_with(id, good);
	gate_open(gate);
	WORLD_UNTIL(world_state(&w, last) == SERVICE_SERVING);
	not_ready(first, SERVICE_HELD, ST_UNAVAILABLE, "is not a file");
	answers_with(id, good);
	struct service *s = world_pin(&w, id);
	assert_string_equal(s->state_text, "");
	service_drop(s);
}

static void test_a_load_of_a_deleted_deployment_brings_nothing_back(void **state)
{
	const char *gate;
	struct uuid good = world_add_sample(&w), other = world_copy_version(&w, good);
	struct uuid last = world_add_row(&w, "last", other, true);
	struct uuid id = world_add_row(&w, "line 1", good, true);
	world_add_row(&w, "first", gate_version(good, "gate", &gate), true);
	WORLD_OK(roster_load_all(w.roster, WORLD_ERR));
	struct service *s = world_pin(&w, id);
	delete_deployment(id);
	service_drop(s);
	gate_open(gate);
	WORLD_UNTIL(world_state(&w, last) == SERVICE_SERVING);
	missing(id);
	assert_int_equal(world_children(), 1);
}

struct closing {
	_Atomic int thread_id;
	thread_handle handle;
};

static void free_roster(void *arg)
{
	struct closing *c = arg;
	atomic_store(&c->thread_id, (int)gettid());
	roster_free(w.roster);
}

static bool is_asleep(int thread_id)
{
	char path[64], text[300] = "";
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", thread_id);
	FILE *file = fopen(path, "re");
	size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	if (file)
		fclose(file);
	text[size] = '\0';
	const char *after = strrchr(text, ')');
	return after && after[2] == 'S';
}

/* A server that is stopped while it loads does not load all the rest first. */
static void test_a_stop_does_not_wait_for_the_models_that_wait(void **state)
{
	const char *gate;
	struct closing closing = {0};
	struct uuid good = world_add_sample(&w);
	world_add_row(&w, "last", good, true);
	world_add_row(&w, "first", gate_version(good, "gate", &gate), true);
	/* The loader's second call of the blobs would be for "last". */
	blob_faulty_plan(w.blobs, 2, BLOB_FAULTY_BEFORE, ST_UNAVAILABLE);
	WORLD_OK(roster_load_all(w.roster, WORLD_ERR));
	WORLD_UNTIL(blob_faulty_left(w.blobs) == 1); /* the loader is at the gate */
	serve_free(w.serve);
	w.serve = NULL;
	thread_start(&closing.handle, "closing", free_roster, &closing);
	WORLD_UNTIL(atomic_load(&closing.thread_id) && is_asleep(closing.thread_id));
	gate_open(gate);
	thread_join(closing.handle);
	w.roster = NULL;
	assert_int_equal(blob_faulty_fired(w.blobs), 0);
	assert_int_equal(world_children(), 0);
}

/* ---- a database that is away ---- */

static void test_a_failing_database_changes_nothing(void **state)
{
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a);
	struct uuid id = world_deploy(&w, "line 1", a), fresh = world_add_row(&w, "fresh", a, true);
	struct model *m = NULL, *held = loaded(b);
	struct world_change commit = {.id = id, .champion_id = b};
	struct err err;
	world_write(&w, world_apply, &commit);
	for (unsigned nth = 1; nth <= 3; nth++) {
		/* BEGIN and the statements of one snapshot. */
		db_faulty_plan(w.db, nth == 1 ? DB_FAULTY_SCRIPT : DB_FAULTY_STEP, nth == 3 ? 2 : 1, 1,
			DB_FAULTY_BEFORE, ST_UNAVAILABLE);
		world_refused(roster_serve(w.roster, nth == 3 ? fresh : id, held, &err), ST_UNAVAILABLE, &err,
			"fails by plan");
		answers_with(id, a);
		missing(fresh);
	}
	struct uuid other = world_copy_version(&w, a);
	db_faulty_plan(w.db, DB_FAULTY_STEP, 1, 1, DB_FAULTY_BEFORE, ST_UNAVAILABLE);
	assert_int_equal(roster_model(w.roster, other, &m, &err), ST_UNAVAILABLE);
	assert_null(m);
	db_faulty_plan(w.db, DB_FAULTY_STEP, 1, 1, DB_FAULTY_BEFORE, ST_UNAVAILABLE);
	assert_int_equal(roster_load_all(w.roster, &err), ST_UNAVAILABLE);
	db_faulty_plan(w.db, DB_FAULTY_ANY, 0, 0, DB_FAULTY_BEFORE, ST_OK);
	WORLD_OK(roster_serve(w.roster, id, held, WORLD_ERR));
	model_drop(held);
	answers_with(id, b);
	assert_int_equal(world_children(), 1);
}

static int open_world(void **state)
{
	world_open(&w);
	return 0;
}

static int close_world(void **state)
{
	world_close(&w);
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_a_deployment_answers_until_it_is_removed),
		TEST(test_what_is_pinned_when_it_is_removed_answers_until_dropped),
		TEST(test_a_swap_leaves_what_is_pinned_alone),
		TEST(test_deployments_of_one_version_share_its_process),
		TEST(test_a_model_that_came_to_nothing_is_closed),
		TEST(test_a_pause_says_by_whom_and_since_when_and_keeps_the_model),
		TEST(test_a_deployment_without_its_model_is_loading),
		TEST(test_an_external_deployment_is_watched_and_holds_no_process),
		TEST(test_a_change_in_the_middle_of_a_swap_interrupts_nobody),
		TEST(test_the_later_commit_is_served),
		TEST(test_many_changes_at_once_end_as_the_database_says),
		TEST(test_a_start_serves_what_the_database_says),
		TEST(test_a_held_deployment_stays_held_until_it_gets_a_model),
		TEST(test_a_late_failure_is_not_the_new_champions),
		TEST(test_a_load_of_a_deleted_deployment_brings_nothing_back),
		TEST(test_a_stop_does_not_wait_for_the_models_that_wait),
		TEST(test_a_failing_database_changes_nothing),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
