/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/pipeline.h: recorded once or not at all; whoever asks at the same time with the same key, whatever
 * call of the store fails, and whatever happens to the deployment meanwhile.
 */
#include "serve/pipeline.h"

#include "serve_answers.h"

#include <math.h>

/* ---- keys ---- */

#define ASKERS 16

/* Answers without how long they took: a repetition does not wait for the disk once more. */
static const char *without_times(struct span json)
{
	yyjson_doc *doc;
	WORLD_OK(json_parse(json, &w.arena, &doc, WORLD_ERR));
	yyjson_mut_doc *copy = yyjson_doc_mut_copy(doc, NULL);
	yyjson_mut_val *latency = yyjson_mut_obj_get(yyjson_mut_doc_get_root(copy), "latency_ms");
	assert_non_null(latency);
	assert_non_null(yyjson_mut_obj_remove_key(latency, "total"));
	yyjson_mut_obj_remove_key(latency, "record");
	char *text = yyjson_mut_write(copy, 0, NULL);
	const char *kept = arena_strdup(&w.arena, text);
	free(text);
	yyjson_mut_doc_free(copy);
	return kept;
}

static void test_a_key_is_one_prediction_however_many_ask_at_once(void **state)
{
	struct asker askers[ASKERS];
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	for (int turn = 0; turn < 3; turn++) {
		struct serve_request request = world_request(id, scene((uint8_t)(100 + turn)), &w.arena);
		request.idempotency_key = arena_printf(&w.arena, "turn %d", turn);
		request.tags[0] = "night";
		request.tag_count = 1;
		for (int i = 0; i < ASKERS; i++)
			asker_start(&askers[i], &request);
		for (int i = 0; i < ASKERS; i++)
			thread_join(askers[i].thread);
		for (int i = 0; i < ASKERS; i++) {
			if (askers[i].status != ST_OK)
				fail_msg("%s", askers[i].err.text);
			assert_string_equal(without_times(askers[i].answer), without_times(askers[0].answer));
		}
		for (int i = 0; i < ASKERS; i++)
			arena_release(&askers[i].arena);
		rows_are((struct rows){turn + 1, turn + 1, turn + 1, turn + 1, turn + 1, 1, turn + 1, 1});
		assert_int_equal(totals(id).count, turn + 1);
		assert_int_equal(totals(id).failed, 0);
		assert_int_equal(w.told, turn + 1);
	}
}

/* After a swap, a pause and a restart; and its steps are those of the first. */
static void test_a_repetition_gets_the_first_answer_whatever_happened_since(void **state)
{
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a);
	struct uuid id = world_deploy(&w, "line 1", a);
	struct serve_request request = world_request(id, scene(128), &w.arena);
	request.idempotency_key = "once";
	struct span first, again;
	WORLD_OK(serve_predict(w.serve, &request, &first, WORLD_ERR));
	struct model *m;
	WORLD_OK(roster_model(w.roster, b, &m, WORLD_ERR));
	world_change(&w, (struct world_change){.id = id, .champion_id = b, .threshold = 0.99}, m);
	model_drop(m);
	WORLD_OK(serve_predict(w.serve, &request, &again, WORLD_ERR));
	assert_string_equal(without_times(again), without_times(first));
	yyjson_val *times = yyjson_obj_get(parsed(again), "latency_ms");
	double sum = 0;
	for (enum step s = 0; s < STEP_RECORD; s++)
		sum += number_at(times, step_name(s));
	assert_true(fabs(number_at(times, "total") - sum) < 1e-6);
	world_change(&w, (struct world_change){.id = id, .paused_by = "ann"}, NULL);
	WORLD_OK(serve_predict(w.serve, &request, &again, WORLD_ERR));
	assert_string_equal(without_times(again), without_times(first));
	world_new_roster(&w);
	WORLD_OK(roster_load_all(w.roster, WORLD_ERR));
	WORLD_OK(serve_predict(w.serve, &request, &again, WORLD_ERR));
	assert_string_equal(without_times(again), without_times(first));
	assert_int_equal(count_rows().predictions, 1);
}

static void test_a_key_belongs_to_one_image_of_one_deployment(void **state)
{
	struct uuid version = world_add_sample(&w);
	struct uuid one = world_deploy(&w, "one", version), two = world_deploy(&w, "two", version);
	struct span image = scene(128), other = scene(129);
	struct serve_request request = world_request(one, image, &w.arena);
	request.idempotency_key = "key 1";
	yyjson_val *first = predicted(&request);
	request.image = other;
	refused(&request, ST_CONFLICT, "The Idempotency-Key \"key 1\" was used before with another image.");
	request.deployment_id = two;
	yyjson_val *second = predicted(&request);
	assert_string_not_equal(text_at(first, "id"), text_at(second, "id"));
	assert_int_equal(count_rows().predictions, 2);
	assert_int_equal(totals(one).failed, 0); /* a caller's mistake, before anything was tried */
}

static void test_keys_have_a_length(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = world_request(id, scene(128), &w.arena);
	char key[SERVE_KEY_SIZE_MAX + 2];
	memset(key, 'k', sizeof(key) - 1);
	key[SERVE_KEY_SIZE_MAX + 1] = '\0';
	request.idempotency_key = key;
	refused(&request, ST_INVALID, "The Idempotency-Key is longer than 200 characters.");
	request.idempotency_key = key + 1;
	predicted(&request);
	request.idempotency_key = "";
	refused(&request, ST_INVALID, "The Idempotency-Key is empty");
	assert_int_equal(count_rows().predictions, 1);
}

/* Both in flight at once with one key: one is recorded, the other hears of the conflict. */
static void test_two_images_with_one_key_at_once_are_a_conflict(void **state)
{
	struct asker askers[2];
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	for (int turn = 0; turn < 5; turn++) {
		for (int i = 0; i < 2; i++) {
			struct serve_request request =
				world_request(id, scene((uint8_t)(100 + 2 * turn + i)), &w.arena);
			request.idempotency_key = arena_printf(&w.arena, "turn %d", turn);
			asker_start(&askers[i], &request);
		}
		for (int i = 0; i < 2; i++)
			thread_join(askers[i].thread);
		int loser = askers[0].status == ST_OK;
		assert_int_equal(askers[!loser].status, ST_OK);
		world_refused(askers[loser].status, ST_CONFLICT, &askers[loser].err,
			"was used before with another image.");
		assert_int_equal(count_rows().predictions, turn + 1);
		for (int i = 0; i < 2; i++)
			arena_release(&askers[i].arena);
	}
}

/* ---- a store that fails ---- */

static struct serve_request full_request(struct uuid id)
{
	struct serve_request request = world_request(id, scene(128), &w.arena);
	request.idempotency_key = "once";
	request.source = "camera 1";
	request.tags[0] = "night";
	request.tags[1] = "wet";
	request.tag_count = 2;
	return request;
}

/*
 * Every call of the database fails once, one after the other, until none is left: each time there is no
 * answer, and either nothing is recorded or (the answer of a commit was lost) all of it, which the key finds.
 */
static void test_whatever_call_of_the_database_fails_nothing_is_half_recorded(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	const struct rows none = {0}, all = {1, 1, 1, 1, 1, 2, 2, 1};
	for (int when = DB_FAULTY_BEFORE; when <= DB_FAULTY_AFTER; when++) {
		unsigned nth = 1, lost = 0;
		for (bool fired = true; fired; nth++) {
			struct serve_request request = full_request(id);
			struct span answer = {0};
			struct err err = {.text = ""};
			int told = w.told;
			db_faulty_plan(
				w.db, DB_FAULTY_ANY, nth, 1, (enum db_faulty_when)when, ST_UNAVAILABLE);
			enum status st = serve_predict(w.serve, &request, &answer, &err);
			fired = db_faulty_fired(w.db) > 0;
			db_faulty_plan(w.db, DB_FAULTY_ANY, 0, 0, DB_FAULTY_BEFORE, ST_OK);
			struct rows rows = count_rows();
			bool recorded = memcmp(&rows, &none, sizeof(rows)) != 0;
			if (recorded)
				assert_memory_equal(&rows, &all, sizeof(rows));
			/* The call that failed may be the end of a reader's transaction, which harms nobody.
			 */
			if (st == ST_OK) {
				assert_true(recorded);
			} else {
				world_refused(st, ST_UNAVAILABLE, &err, "fails by plan");
				assert_true(fired);
				assert_int_equal(w.told, told);
			}
			if (recorded && st != ST_OK) {
				lost++;
				assert_int_equal(when, DB_FAULTY_AFTER);
				yyjson_val *found = predicted(&request);
				assert_int_equal(row_of(id_at(found, "id")).prediction.shape_count,
					yyjson_arr_size(yyjson_obj_get(found, "shapes")) +
						number_at(found, "hidden"));
				rows_are(all);
			}
			if (recorded) {
				world_close(&w);
				world_open(&w);
				id = world_deploy(&w, "line 1", world_add_sample(&w));
			}
		}
		assert_true(nth > 40); /* there are many calls */
		assert_int_equal(lost, when == DB_FAULTY_AFTER);
	}
}

static void test_a_commit_that_fails_is_no_answer(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = world_request(id, scene(128), &w.arena);
	for (int i = 1; i <= 3; i++) {
		db_faulty_plan(w.db, DB_FAULTY_COMMIT, 1, 1, DB_FAULTY_BEFORE, ST_UNAVAILABLE);
		refused(&request, ST_UNAVAILABLE, "");
		rows_are((struct rows){0});
		assert_int_equal(totals(id).failed, i);
	}
	assert_int_equal(totals(id).count, 0);
	assert_int_equal(w.told, 0);
	/* A conflict that is not the key's is not said to be. */
	request.idempotency_key = "once";
	db_faulty_plan(w.db, DB_FAULTY_COMMIT, 1, 1, DB_FAULTY_BEFORE, ST_CONFLICT);
	refused(&request, ST_CONFLICT, "fails by plan");
	predicted(&request);
	rows_are((struct rows){1, 1, 1, 1, 1, 0, 0, 1});
}

static void test_an_image_that_cannot_be_stored_is_no_answer(void **state)
{
	static const enum status failures[] = {ST_UNAVAILABLE, ST_INTERNAL};
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = world_request(id, scene(128), &w.arena);
	for (size_t i = 0; i < COUNT_OF(failures); i++) {
		for (int when = BLOB_FAULTY_BEFORE; when <= BLOB_FAULTY_AFTER; when++) {
			blob_faulty_plan(w.blobs, 1, (enum blob_faulty_when)when, failures[i]);
			refused(&request, ST_UNAVAILABLE, "");
			assert_int_equal(blob_faulty_fired(w.blobs), 1);
			rows_are((struct rows){0});
		}
	}
	assert_int_equal(totals(id).failed, 4);
	assert_int_equal(w.told, 0);
	predicted(&request);
	rows_are((struct rows){1, 1, 1, 1, 0, 0, 0, 1});
}

static void test_a_stopping_server_takes_nothing_more(void **state)
{
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = world_request(id, scene(128), &w.arena);
	recorder_refuse(w.recorder);
	refused(&request, ST_UNAVAILABLE, "The server is stopping");
	rows_are((struct rows){0});
}

/* ---- the deployment meanwhile ---- */

/* A job that holds the writer until it is let go. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool reached, open;
	thread_handle thread;
};

static enum status wait_at_gate(struct db_conn *c, void *arg, struct err *err)
{
	struct gate *g = arg;
	mutex_lock(&g->lock);
	g->reached = true;
	pthread_cond_broadcast(&g->changed);
	while (!g->open)
		cond_wait_until(&g->changed, &g->lock, 0);
	mutex_unlock(&g->lock);
	return ST_OK;
}

static void gate_main(void *arg)
{
	CHECK(recorder_run(w.recorder, wait_at_gate, arg, NULL) == ST_OK);
}

static void gate_close(struct gate *g)
{
	*g = (struct gate){0};
	pthread_mutex_init(&g->lock, NULL);
	cond_init(&g->changed);
	thread_start(&g->thread, "gate", gate_main, g);
	mutex_lock(&g->lock);
	while (!g->reached)
		cond_wait_until(&g->changed, &g->lock, 0);
	mutex_unlock(&g->lock);
}

static void gate_open(struct gate *g)
{
	mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->changed);
	mutex_unlock(&g->lock);
	thread_join(g->thread);
	pthread_cond_destroy(&g->changed);
	pthread_mutex_destroy(&g->lock);
}

static enum status delete_row(struct db_conn *c, void *arg, struct err *err)
{
	return deployment_rows_delete(c, *(struct uuid *)arg, err);
}

static void delete_main(void *arg)
{
	CHECK(recorder_run(w.recorder, delete_row, arg, NULL) == ST_OK);
}

static void test_a_deployment_deleted_meanwhile_records_nothing(void **state)
{
	struct gate gate;
	struct asker asker;
	thread_handle deleter;
	struct uuid id = world_deploy(&w, "line 1", world_add_sample(&w));
	struct serve_request request = full_request(id);
	gate_close(&gate);
	thread_start(&deleter, "deleter", delete_main, &id);
	WORLD_UNTIL(recorder_waiting(w.recorder) == 1);
	asker_start(&asker, &request); /* the roster does not know of it yet */
	WORLD_UNTIL(recorder_waiting(w.recorder) == 2);
	roster_remove(w.roster, id);
	assert_int_equal(world_children(), 1); /* the request still holds it */
	gate_open(&gate);
	thread_join(deleter);
	thread_join(asker.thread);
	world_refused(asker.status, ST_MISSING, &asker.err, "was deleted while this prediction was made.");
	arena_release(&asker.arena);
	rows_are((struct rows){0});
	assert_int_equal(w.told, 0);
	assert_int_equal(world_children(), 0);
	refused(&request, ST_MISSING, "There is no deployment with the id");
}

/* Answers that are waiting for the disk belong to the champion that gave them. */
static void test_a_swap_meanwhile_leaves_the_answer_to_the_model_that_gave_it(void **state)
{
	struct gate gate;
	struct asker asker;
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a);
	struct uuid id = world_deploy(&w, "line 1", a);
	struct serve_request request = world_request(id, scene(128), &w.arena);
	struct model *m;
	WORLD_OK(roster_model(w.roster, b, &m, WORLD_ERR));
	struct world_change commit = {.id = id, .champion_id = b};
	world_write(&w, world_apply, &commit);
	gate_close(&gate);
	asker_start(&asker, &request);
	WORLD_UNTIL(recorder_waiting(w.recorder) == 1);
	WORLD_OK(roster_serve(w.roster, id, m, WORLD_ERR));
	model_drop(m);
	gate_open(&gate);
	thread_join(asker.thread);
	assert_int_equal(asker.status, ST_OK);
	yyjson_val *first = parsed(asker.answer), *second = predicted(&request);
	IDS_EQUAL(id_at(first, "model_version_id"), a);
	IDS_EQUAL(row_of(id_at(first, "id")).prediction.model_version_id, a);
	assert_int_equal(number_at(yyjson_obj_get(first, "model"), "version"), 0);
	IDS_EQUAL(id_at(second, "model_version_id"), b);
	assert_int_equal(number_at(yyjson_obj_get(second, "model"), "version"), 1);
	arena_release(&asker.arena);
	assert_int_equal(world_children(), 1);
}

#define CLIENTS 4

struct client {
	struct uuid deployment_id;
	struct span image;
	_Atomic bool *over;
	int answered, failed;
	struct err err;
	thread_handle thread;
};

static void ask_often(void *arg)
{
	struct client *c = arg;
	while (!atomic_load(c->over)) {
		struct arena a;
		arena_init(&a);
		struct serve_request request = world_request(c->deployment_id, c->image, &a);
		struct span answer;
		bool good = serve_predict(w.serve, &request, &answer, &c->err) == ST_OK;
		c->answered += good;
		c->failed += !good;
		arena_release(&a);
	}
}

static void test_swaps_under_load_fail_nobody_and_every_answer_is_in_the_log(void **state)
{
	_Atomic bool over = false;
	struct client clients[CLIENTS];
	struct uuid a = world_add_sample(&w), b = world_copy_version(&w, a);
	struct uuid id = world_deploy(&w, "line 1", a);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){
			.deployment_id = id, .image = scene((uint8_t)(100 + i)), .over = &over};
		thread_start(&clients[i].thread, "client", ask_often, &clients[i]);
	}
	for (int i = 0; i < 6; i++) {
		int64_t seen = world_number(&w, "SELECT count(*) FROM prediction");
		struct model *m;
		struct uuid next = i % 2 ? a : b;
		WORLD_OK(roster_model(w.roster, next, &m, WORLD_ERR));
		world_change(&w, (struct world_change){.id = id, .champion_id = next}, m);
		model_drop(m);
		WORLD_UNTIL(world_number(&w, "SELECT count(*) FROM prediction") > seen + 2 * CLIENTS);
	}
	atomic_store(&over, true);
	int answered = 0;
	for (int i = 0; i < CLIENTS; i++) {
		thread_join(clients[i].thread);
		if (clients[i].failed)
			fail_msg("%d failed, the last: %s", clients[i].failed, clients[i].err.text);
		answered += clients[i].answered;
	}
	assert_int_equal(world_number(&w, "SELECT count(*) FROM prediction"), answered);
	assert_int_equal(world_number(&w, "SELECT count(DISTINCT model_version_id) FROM prediction"), 2);
	assert_int_equal(totals(id).count, answered);
	assert_int_equal(w.told, answered);
	assert_int_equal(world_children(), 1);
}

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_a_key_is_one_prediction_however_many_ask_at_once),
		TEST(test_a_repetition_gets_the_first_answer_whatever_happened_since),
		TEST(test_a_key_belongs_to_one_image_of_one_deployment),
		TEST(test_keys_have_a_length),
		TEST(test_two_images_with_one_key_at_once_are_a_conflict),
		TEST(test_whatever_call_of_the_database_fails_nothing_is_half_recorded),
		TEST(test_a_commit_that_fails_is_no_answer),
		TEST(test_an_image_that_cannot_be_stored_is_no_answer),
		TEST(test_a_stopping_server_takes_nothing_more),
		TEST(test_a_deployment_deleted_meanwhile_records_nothing),
		TEST(test_a_swap_meanwhile_leaves_the_answer_to_the_model_that_gave_it),
		TEST(test_swaps_under_load_fail_nobody_and_every_answer_is_in_the_log),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
