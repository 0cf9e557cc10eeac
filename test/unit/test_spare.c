/* SPDX-License-Identifier: Apache-2.0 */
/* deploy/spare.h: a model stays open for a while, one at a time, and never as something else than its row
 * says. */
#include "deploy/spare.h"

#include "serve_world.h"

static struct world w;

static struct model *get(struct spare *s, struct uuid id)
{
	struct model *m;
	WORLD_OK(spare_model(s, id, &m, WORLD_ERR));
	assert_true(uuid_equal(m->version_id, id));
	return m;
}

static void test_it_is_the_same_process_while_it_is_kept(void **state)
{
	struct spare *s = spare_new(w.readers, w.roster, 0);
	struct uuid version = world_add_sample(&w);
	struct model *first = get(s, version);
	model_drop(first);
	assert_int_equal(world_children(), 1);
	struct model *second = get(s, version);
	assert_ptr_equal(first, second);
	model_drop(second);
	assert_int_equal(world_children(), 1);
	spare_free(s);
	assert_int_equal(world_children(), 0);
}

static void test_another_takes_its_place(void **state)
{
	struct spare *s = spare_new(w.readers, w.roster, 0);
	struct uuid one = world_add_sample(&w), two = world_copy_version(&w, one);
	struct model *first = get(s, one);
	model_drop(get(s, two));
	assert_int_equal(world_children(), 2); /* the first one is still held here */
	model_drop(first);
	assert_int_equal(world_children(), 1);
	spare_free(s);
}

static void test_it_is_closed_in_time(void **state)
{
	struct spare *s = spare_new(w.readers, w.roster, 1000);
	model_drop(get(s, world_add_sample(&w)));
	WORLD_UNTIL(world_children() == 0);
	model_drop(get(s, world_add_sample(&w)));
	WORLD_UNTIL(world_children() == 0);
	spare_free(s);
}

static void test_what_a_deployment_has_is_used(void **state)
{
	struct spare *s = spare_new(w.readers, w.roster, 0);
	struct uuid version = world_add_sample(&w);
	world_deploy(&w, "line 1", version);
	assert_int_equal(world_children(), 1);
	model_drop(get(s, version));
	assert_int_equal(world_children(), 1);
	spare_free(s);
	assert_int_equal(world_children(), 1);
}

static void test_a_changed_row_is_another_model(void **state)
{
	struct spare *s = spare_new(w.readers, w.roster, 0);
	struct uuid version = world_add_sample(&w);
	struct model *before = get(s, version);
	struct model_version_row row = world_read_version(&w, version);
	row.labels = "{\"0\": \"rot\", \"1\": \"gruen\", \"2\": \"blau\"}";
	world_write(&w, world_update_version, &row);
	struct model *after = get(s, version);
	assert_string_equal(before->labels[0], "red");
	assert_string_equal(after->labels[0], "rot");
	model_drop(before);
	model_drop(after);
	spare_free(s);
}

static void test_one_that_failed_is_opened_anew(void **state)
{
	struct spare *s = spare_new(w.readers, w.roster, 0);
	struct uuid version = world_add_sample(&w);
	struct model *first = get(s, version);
	spare_failed(s, first);
	struct model *second = get(s, version);
	assert_ptr_not_equal(first, second);
	spare_failed(s, first); /* not kept any more: nothing */
	model_drop(first);
	model_drop(second);
	model_drop(get(s, version));
	assert_int_equal(world_children(), 1);
	spare_free(s);
}

static void test_what_cannot_be_opened(void **state)
{
	struct spare *s = spare_new(w.readers, w.roster, 0);
	struct model *m;
	struct err err;
	world_refused(spare_model(s, w.model_id, &m, &err), ST_MISSING, &err, "no model version");
	struct uuid broken = world_break_version(&w, world_add_sample(&w), "this is no model");
	assert_int_not_equal(spare_model(s, broken, &m, &err), ST_OK);
	assert_int_equal(world_children(), 0);
	spare_free(s);
}

#define ASKERS 4
static struct spare *shared;
static struct uuid versions[2];

static void ask(void *arg)
{
	for (int i = 0; i < 6; i++) {
		struct model *m;
		struct err err;
		struct uuid id = versions[i % 3 == 0];
		CHECK(spare_model(shared, id, &m, &err) == ST_OK);
		CHECK(uuid_equal(m->version_id, id));
		model_drop(m);
	}
}

static void test_many_ask_at_once(void **state)
{
	versions[0] = world_add_sample(&w);
	versions[1] = world_copy_version(&w, versions[0]);
	shared = spare_new(w.readers, w.roster, 2000);
	thread_handle threads[ASKERS];
	for (int i = 0; i < ASKERS; i++)
		thread_start(&threads[i], "asker", ask, NULL);
	for (int i = 0; i < ASKERS; i++)
		thread_join(threads[i]);
	spare_free(shared);
	assert_int_equal(world_children(), 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		TEST(test_it_is_the_same_process_while_it_is_kept),
		TEST(test_another_takes_its_place),
		TEST(test_it_is_closed_in_time),
		TEST(test_what_a_deployment_has_is_used),
		TEST(test_a_changed_row_is_another_model),
		TEST(test_one_that_failed_is_opened_anew),
		TEST(test_what_cannot_be_opened),
		TEST(test_many_ask_at_once),
	};
	return cmocka_run_group_tests(tests, world_set_up, NULL);
}
