/* SPDX-License-Identifier: Apache-2.0 */
/* learn/burst.h: which pictures are one scene. The pictures are drawn, a few pixels of each go into the
 * database. */
#include "learn/burst.h"

#include "store/burst_rows.h"
#include "store/data_rows.h"
#include "store/data_source_rows.h"
#include "store/object_rows.h"

#include "drawn_pictures.h"
#include "review_world.h"

#define HOUR_S 3600

static struct review_world w;
static struct burst_store store;
static struct uuid cameras[2];
static int made;

/* What a test adds is written by the one connection; bursts are assigned by the recorder's. */
static int set_up(void **state)
{
	rw_open(&w);
	made = 0;
	for (int i = 0; i < 2; i++)
		RW_OK(&w, data_source_rows_get_or_create(
				  w.conn, i ? "south" : "north", 1, &cameras[i], &w.err));
	return 0;
}

static void start(void)
{
	db_disconnect(w.conn);
	w.conn = NULL;
	store.blobs = store.blobs ? store.blobs : blob_mem_new();
	RW_OK(&w, recorder_start(w.db, 16, 16, &store.recorder, &w.err));
	RW_OK(&w, db_readers_new(w.db, 2, &store.readers, &w.err));
}

static void stop(void)
{
	db_readers_free(store.readers);
	recorder_stop(store.recorder);
	RW_OK(&w, db_connect(w.db, true, &w.conn, &w.err));
}

static int tear_down(void **state)
{
	blob_close(store.blobs);
	store.blobs = NULL;
	rw_close(&w);
	return 0;
}

static size_t assign_all(void)
{
	size_t count, all = 0;
	start();
	do {
		RW_OK(&w, burst_assign(&store, w.deployment_id, NULL, 0, &count, &w.err));
		all += count;
	} while (count > 0);
	stop();
	return all;
}

/* A picture that came at_s seconds after the first. sha256 NULL: bytes of its own; image NULL: its looks were
 * not kept. */
static struct uuid add(
	struct uuid deployment_id, const struct image *image, int64_t at_s, int camera, const char *sha256)
{
	struct uuid id = rw_id(), data_id = rw_id();
	struct image_sign sign = {0};
	char name[32], own[65];
	snprintf(name, sizeof(name), "picture-%d", ++made);
	snprintf(own, sizeof(own), "%064d", made);
	if (image)
		image_sign_make(image, &sign);
	int64_t at_us = RW_FIRST_US + RW_SECOND_US * at_s;
	const struct object_row object = {.name = name,
		.sha256 = sha256 ? sha256 : own,
		.content_type = "image/png",
		.size_bytes = 1,
		.created_us = at_us};
	const struct data_row data = {.id = data_id,
		.datalake_id = w.datalake_id,
		.source_id = cameras[camera],
		.object_name = name,
		.filename = name,
		.content_type = "image/png",
		.width = image ? image->width : 96,
		.height = image ? image->height : 72,
		.created_us = at_us};
	struct prediction_row p = {.id = rw_id(),
		.deployment_id = deployment_id,
		.predicted_asset_id = id,
		.model_version_id = w.version_id,
		.created_us = at_us,
		.steps_us = "{}",
		.shapes = shapes_pack(&(struct shapes){0}, &w.arena),
		.image_sign = image ? span_of(sign.luma, sizeof(sign.luma)) : (struct span){0},
		.image_stats = "{}"};
	RW_OK(&w, object_rows_insert(w.conn, &object, &w.err));
	RW_OK(&w, data_rows_insert(w.conn, &data, &w.err));
	RW_OK(&w, prediction_rows_insert_asset(w.conn, id, deployment_id, data_id, at_us, &w.err));
	RW_OK(&w, prediction_rows_insert(w.conn, &p, &w.err));
	return id;
}

static struct uuid burst_of(struct uuid asset)
{
	struct burst_picture row;
	bool found;
	RW_OK(&w, burst_rows_picture(w.conn, asset, &w.arena, &row, &found, &w.err));
	assert_true(found);
	return row.burst_id;
}

static bool together(struct uuid a, struct uuid b)
{
	assert_false(uuid_is_zero(burst_of(a)));
	return uuid_equal(burst_of(a), burst_of(b));
}

static void test_the_same_bytes_wherever_they_come(void **state)
{
	const char *bytes = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct uuid other = rw_add_deployment(&w, "other");
	struct image one = drawn_picture(96, 72, 1), two = drawn_picture(96, 72, 2);
	struct uuid first = add(w.deployment_id, &one, 0, 0, bytes);
	struct uuid late = add(w.deployment_id, NULL, 900 * HOUR_S, 1, bytes);
	struct uuid apart = add(w.deployment_id, &two, 1, 0, NULL);
	struct uuid elsewhere = add(other, &one, 5, 1, bytes);
	size_t count;
	assert_int_equal(assign_all(), 3);
	assert_true(together(first, late) && !together(first, apart));
	assert_true(uuid_equal(burst_of(first), first)); /* it has the name of its first picture */
	start();
	RW_OK(&w, burst_assign(&store, other, &elsewhere, 1, &count, &w.err));
	stop();
	assert_int_equal(count, 1);
	assert_true(together(first, elsewhere));
	image_release(&one);
	image_release(&two);
}

static void test_frames_and_parts(void **state)
{
	struct image scene = drawn_picture(192, 144, 3), other = drawn_picture(192, 144, 4);
	struct image part = drawn_part(&scene, 20, 10, 130, 110);
	struct image before = drawn_part(&scene, 0, 0, 160, 120),
		     after = drawn_part(&scene, 30, 24, 160, 120);
	struct uuid first = add(w.deployment_id, &scene, 0, 0, NULL);
	struct uuid cropped = add(w.deployment_id, &part, 50 * HOUR_S, 1, NULL);
	struct uuid different = add(w.deployment_id, &other, 1, 0, NULL); /* at the same time and place */
	struct uuid moved[2] = {
		add(w.deployment_id, &before, 2, 1, NULL), add(w.deployment_id, &after, 3, 1, NULL)};
	assert_int_equal(assign_all(), 5);
	assert_true(together(first, cropped) && !together(first, different));
	assert_true(together(first, moved[0]) && together(first, moved[1]));
	assert_int_equal(assign_all(), 0); /* for good */
	image_release(&scene);
	image_release(&other);
	image_release(&part);
	image_release(&before);
	image_release(&after);
}

/* A camera that stands still and sends a picture every ten seconds for three hours. */
static void test_a_camera_that_stands_still_is_not_one_burst_for_ever(void **state)
{
	enum { COUNT = 1080 };
	struct image scene = drawn_picture(96, 72, 5);
	struct uuid ids[COUNT], again;
	int bursts = 1, size = 1;
	for (int i = 0; i < COUNT; i++)
		ids[i] = add(w.deployment_id, &scene, 10 * i, 0, NULL);
	assert_int_equal(assign_all(), COUNT);
	for (int i = 1; i < COUNT; i++) {
		bool same = together(ids[i - 1], ids[i]);
		size = same ? size + 1 : 1;
		bursts += !same;
		assert_true(size <= 200);
	}
	assert_int_equal(bursts, 6);                               /* runs of 200, none of which comes back */
	again = add(w.deployment_id, &scene, 10 * COUNT, 1, NULL); /* somebody else uploads it: full or not */
	assert_int_equal(assign_all(), 1);
	assert_true(together(again, ids[COUNT - 1]));
	image_release(&scene);
}

static void test_looks_that_were_not_kept_are_read_from_the_image(void **state)
{
	struct image scene = drawn_picture(96, 72, 6);
	uint8_t *bytes;
	size_t size;
	char sha256[SHA256_HEX_SIZE];
	store.blobs = blob_mem_new();
	RW_OK(&w, image_encode_png(&scene, &bytes, &size, &w.err));
	RW_OK(&w, blob_put(store.blobs, span_of(bytes, size), sha256, &w.err));
	struct uuid old = add(w.deployment_id, NULL, 0, 0, sha256);
	struct uuid lost = add(w.deployment_id, NULL, 1, 0, NULL); /* its bytes are not there */
	assert_int_equal(assign_all(), 2);
	struct uuid fresh = add(w.deployment_id, &scene, HOUR_S, 1, NULL);
	assert_int_equal(assign_all(), 1);
	assert_true(together(old, fresh) && !together(old, lost));
	image_release(&scene);
	free(bytes);
}

static void test_named_pictures_first(void **state)
{
	struct image pictures[3];
	struct uuid ids[3];
	size_t count;
	for (uint32_t i = 0; i < 3; i++) {
		pictures[i] = drawn_picture(96, 72, 20 + i);
		ids[i] = add(w.deployment_id, &pictures[i], i, 0, NULL);
		image_release(&pictures[i]);
	}
	start();
	RW_OK(&w, burst_assign(&store, w.deployment_id, ids + 1, 1, &count, &w.err));
	assert_int_equal(count, 1);
	RW_OK(&w, burst_assign(&store, w.deployment_id, ids + 1, 2, &count, &w.err)); /* one has it */
	assert_int_equal(count, 1);
	stop();
	assert_true(uuid_is_zero(burst_of(ids[0])));
	assert_false(together(ids[1], ids[2]));
}

static void test_shares(void **state)
{
	int kept[3] = {0};
	static const double shares[3] = {0, 0.2, 1};
	for (int i = 0; i < 20000; i++) {
		struct uuid id = rw_id();
		for (int k = 0; k < 3; k++)
			kept[k] += burst_is_evaluation(id, shares[k]);
		if (burst_is_evaluation(id, 0.2)) /* a larger share keeps what a smaller one did */
			assert_true(burst_is_evaluation(id, 0.3));
	}
	assert_int_equal(kept[0], 0);
	assert_int_equal(kept[2], 20000);
	assert_in_range(kept[1], 3800, 4200); /* 3.5 standard deviations */
	store.blobs = blob_mem_new();
}

static void test_a_side_is_for_good(void **state)
{
	struct uuid burst = rw_id();
	bool side = true;
	RW_OK(&w, burst_rows_side(w.conn, burst, &side, &w.err));
	assert_true(side);
	side = false;
	RW_OK(&w, burst_rows_side(w.conn, burst, &side, &w.err));
	assert_true(side);
	store.blobs = blob_mem_new();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_same_bytes_wherever_they_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_frames_and_parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_camera_that_stands_still_is_not_one_burst_for_ever, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_looks_that_were_not_kept_are_read_from_the_image, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_named_pictures_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shares, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_side_is_for_good, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
