/* SPDX-License-Identifier: Apache-2.0 */
/* learn/assets: many assets at once, in batches that leave room for others, and the lock. */
#include "dataset_world.h"
#include "learn/assets.h"
#include "learn/manifest.h"
#include "os/thread.h"
#include "store/tag_rows.h"

#include <stdatomic.h>

static int set_up(void **state)
{
	static struct dataset_world world;
	dw_open(&world);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	dw_close(*state);
	return 0;
}

static struct assets_store store_of(struct dataset_world *w)
{
	return (struct assets_store){.readers = w->readers, .recorder = w->recorder};
}

static int64_t read_number(struct dataset_world *w, const char *sql)
{
	struct db_conn *c;
	DW_OK(db_reader_take(w->readers, &c, DW_ERR));
	int64_t number = dw_number(c, sql);
	db_reader_give(w->readers, c);
	return number;
}

static struct manifest read_manifest(struct dataset_world *w, struct uuid version)
{
	struct manifest m;
	struct db_conn *c;
	DW_OK(db_reader_take(w->readers, &c, DW_ERR));
	DW_OK(manifest_read(c, version, &w->arena, &m, DW_ERR));
	db_reader_give(w->readers, c);
	return m;
}

static struct uuid *make_data(struct dataset_world *w, int count)
{
	struct uuid *ids = ARENA_ARRAY(&w->arena, struct uuid, (size_t)count);
	DW_OK(db_script(w->c, "BEGIN", DW_ERR));
	for (int i = 0; i < count; i++) {
		char name[32];
		snprintf(name, sizeof(name), "%05d.png", i);
		ids[i] = dw_data(w, name, NULL);
	}
	DW_OK(db_script(w->c, "COMMIT", DW_ERR));
	return ids;
}

static struct uuid make_tag(struct dataset_world *w, struct uuid version, const char *name)
{
	struct tag_row tag = {.id = dw_id(w), .name = name, .target_type = "ASSET", .scope_id = version};
	DW_OK(tag_rows_insert(w->c, &tag, DW_ERR));
	return tag.id;
}

/* ---- add ---- */

static void test_add(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), other = dw_version(w, "second");
	struct uuid *data = make_data(w, 1203), dark = make_tag(w, version, "dark"),
		    foreign = make_tag(w, other, "dark");
	dw_asset(w, version, data[5]);
	dw_start(w);
	struct assets_store s = store_of(w);
	struct assets_addition all = {.dataset_version_id = version,
		.data_ids = data,
		.count = 1203,
		.tag_ids = &dark,
		.tag_count = 1};
	int64_t added;
	DW_OK(assets_add(&s, &all, NULL, &added, DW_ERR));
	assert_int_equal(added, 1202);
	assert_int_equal(read_number(w, "SELECT count(*) FROM asset"), 1203);
	assert_int_equal(read_number(w, "SELECT count(*) FROM tag_target"), 1203);
	DW_OK(assets_add(&s, &all, NULL, &added, DW_ERR));
	assert_int_equal(added, 0);

	/* All ids are looked at before anything is written. */
	int64_t revisions = read_number(w, "SELECT sum(revision) FROM dataset_version");
	data[1202] = version;
	all.dataset_version_id = other;
	all.tag_count = 0;
	DW_REFUSED(assets_add(&s, &all, NULL, &added, DW_ERR), ST_MISSING, "no data with the id");
	all.count = 3;
	all.tag_count = 1;
	DW_REFUSED(assets_add(&s, &all, NULL, &added, DW_ERR), ST_INVALID, "\"dark\" is not an asset tag");
	all.tag_ids = &version;
	DW_REFUSED(assets_add(&s, &all, NULL, &added, DW_ERR), ST_MISSING, "no tag");
	assert_int_equal(read_number(w, "SELECT count(*) FROM asset"), 1203);
	assert_int_equal(read_number(w, "SELECT sum(revision) FROM dataset_version"), revisions);
	all.tag_ids = &foreign;
	DW_OK(assets_lock(&s, other, DW_ERR));
	DW_REFUSED(assets_add(&s, &all, NULL, &added, DW_ERR), ST_LOCKED, "\"second\"");
}

/* The longest of what others wait for, while 10,000 are added: they get in between. */
struct other {
	struct dataset_world *w;
	atomic_bool stop;
	int64_t longest_us, writes;
};

static enum status nothing(struct db_conn *c, void *arg, struct err *err)
{
	return ST_OK;
}

static void write_again_and_again(void *arg)
{
	struct other *o = arg;
	while (!atomic_load(&o->stop)) {
		struct err err;
		int64_t start_us = clock_mono_us();
		assert_int_equal(recorder_run(o->w->recorder, nothing, NULL, &err), ST_OK);
		int64_t took_us = clock_mono_us() - start_us;
		o->longest_us = took_us > o->longest_us ? took_us : o->longest_us;
		o->writes++;
	}
}

static void test_others_write_too(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), *data = make_data(w, 10000);
	dw_start(w);
	struct assets_store s = store_of(w);
	struct other o = {.w = w};
	thread_handle thread;
	int64_t added, start_us = clock_mono_us();
	thread_start(&thread, "other", write_again_and_again, &o);
	DW_OK(assets_add(&s,
		&(struct assets_addition){.dataset_version_id = version, .data_ids = data, .count = 10000},
		NULL, &added, DW_ERR));
	int64_t took_us = clock_mono_us() - start_us;
	atomic_store(&o.stop, true);
	thread_join(thread);
	assert_int_equal(added, 10000);
	print_message("10,000 assets in %lld ms; others waited %lld ms at most, %lld writes\n",
		(long long)took_us / 1000, (long long)o.longest_us / 1000, (long long)o.writes);
	assert_true(o.writes >= 20); /* one a batch, whatever the machine */
}

/* ---- copy ---- */

static struct uuid draw(
	struct dataset_world *w, struct uuid version, struct uuid asset, const char *label, double x)
{
	struct label_row row;
	bool made;
	DW_OK(label_rows_ensure(w->c, version, label, &w->arena, &row, &made, DW_ERR));
	struct annotation_shape_row shape = {
		.kind = ANNOTATION_RECTANGLE, .label_id = row.id, .x = x, .w = 10, .h = 10, .area = -1};
	struct annotation_row annotation = {.id = dw_id(w),
		.asset_id = asset,
		.status = "ACCEPTED",
		.who = "ann",
		.created_us = w->now_us,
		.shapes = &shape,
		.shape_count = 1};
	DW_OK(annotation_rows_insert(w->c, &annotation, &w->arena, DW_ERR));
	return annotation.id;
}

static void test_copy(void **state)
{
	struct dataset_world *w = *state;
	struct uuid from = dw_version(w, "first"), to = dw_version(w, "second"), half = dw_version(w, "half"),
		    bare = dw_version(w, "bare");
	struct uuid *data = make_data(w, 450), assets[450], dark = make_tag(w, from, "dark");
	struct tag_row tag;
	struct label_row sky;
	struct label_group_row group = {
		.id = dw_id(w), .dataset_version_id = from, .name = "far", .created_us = w->now_us};
	bool made, attached;
	DW_OK(db_script(w->c, "BEGIN", DW_ERR));
	DW_OK(tag_rows_by_id(w->c, dark, &w->arena, &tag, DW_ERR));
	DW_OK(label_group_rows_insert(w->c, &group, DW_ERR));
	DW_OK(label_rows_ensure(w->c, from, "sky", &w->arena, &sky, &made, DW_ERR));
	sky.group_id = group.id;
	DW_OK(label_rows_update(w->c, &sky, DW_ERR));
	for (int i = 0; i < 450; i++) {
		assets[i] = dw_asset(w, from, data[i]);
		draw(w, from, assets[i], i % 2 ? "car" : "bus", i);
		draw(w, from, assets[i], "truck", i); /* the newest counts */
		if (i % 3 == 0)
			DW_OK(tag_rows_attach(w->c, &tag, assets[i], &attached, DW_ERR));
	}
	/* What is there already keeps its own annotation. */
	draw(w, half, dw_asset(w, half, data[0]), "car", 5);
	dw_asset(w, half, data[1]);
	DW_OK(db_script(w->c, "COMMIT", DW_ERR));
	dw_start(w);
	struct assets_store s = store_of(w);
	struct assets_copy copy = {.from_id = from,
		.to_id = to,
		.with_labels = true,
		.with_annotations = true,
		.with_tags = true};
	int64_t copied;
	DW_OK(assets_copy(&s, &copy, NULL, &copied, DW_ERR));
	assert_int_equal(copied, 450);
	assert_string_equal(read_manifest(w, to).hash, read_manifest(w, from).hash);
	assert_int_equal(read_number(w, "SELECT count(*) FROM tag_target"), 300);
	assert_int_equal(
		read_number(w, "SELECT count(*) FROM label l JOIN label_group g ON g.id = l.group_id"
			       " AND g.dataset_version_id = l.dataset_version_id AND l.name = 'sky'"),
		2);

	copy = (struct assets_copy){.from_id = from, .to_id = half, .with_annotations = true};
	copy.asset_ids = assets;
	copy.count = 3;
	DW_OK(assets_copy(&s, &copy, NULL, &copied, DW_ERR));
	assert_int_equal(copied, 1);
	struct manifest of_half = read_manifest(w, half), of_from = read_manifest(w, from);
	struct manifest_diff d;
	manifest_compare(&of_half, &of_from, 10, &w->arena, &d);
	assert_int_equal(d.same, 2);
	assert_int_equal(d.changed, 1);
	assert_int_equal(d.only_there, 447);

	copy = (struct assets_copy){.from_id = from, .to_id = bare};
	DW_OK(assets_copy(&s, &copy, NULL, &copied, DW_ERR));
	struct manifest of_bare = read_manifest(w, bare);
	manifest_compare(&of_bare, &of_from, 10, &w->arena, &d);
	assert_int_equal(d.changed, 450);
	assets[2] = half;
	copy.asset_ids = assets;
	copy.count = 3;
	DW_REFUSED(assets_copy(&s, &copy, NULL, &copied, DW_ERR), ST_MISSING, "no asset");
	DW_OK(assets_lock(&s, bare, DW_ERR));
	DW_REFUSED(assets_copy(&s, &copy, NULL, &copied, DW_ERR), ST_LOCKED, "\"bare\"");
}

/* ---- delete, lock ---- */

static void test_delete(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), other = dw_version(w, "second");
	struct uuid *data = make_data(w, 501), assets[501], dark = make_tag(w, version, "dark");
	struct tag_row tag;
	bool attached;
	DW_OK(tag_rows_by_id(w->c, dark, &w->arena, &tag, DW_ERR));
	for (int i = 0; i < 501; i++)
		assets[i] = dw_asset(w, version, data[i]);
	draw(w, version, assets[0], "car", 1);
	DW_OK(tag_rows_attach(w->c, &tag, assets[0], &attached, DW_ERR));
	struct uuid elsewhere = dw_asset(w, other, data[0]);
	dw_start(w);
	struct assets_store s = store_of(w);
	struct uuid some[] = {assets[0], elsewhere};
	DW_REFUSED(assets_delete(&s, version, some, 2, NULL, DW_ERR), ST_MISSING, "no asset");
	assert_int_equal(read_number(w, "SELECT count(*) FROM asset"), 502);
	DW_OK(assets_delete(&s, version, some, 1, NULL, DW_ERR));
	assert_int_equal(read_number(w, "SELECT count(*) FROM asset"), 501);
	assert_int_equal(read_number(w, "SELECT count(*) FROM annotation_shape"), 0);
	assert_int_equal(read_number(w, "SELECT count(*) FROM tag_target"), 0);
	DW_OK(assets_lock(&s, other, DW_ERR));
	DW_REFUSED(assets_delete_all(&s, other, DW_ERR), ST_LOCKED, "\"second\"");
	DW_REFUSED(assets_delete(&s, other, &elsewhere, 1, NULL, DW_ERR), ST_LOCKED, "\"second\"");
	DW_OK(assets_delete_all(&s, version, DW_ERR));
	assert_int_equal(read_number(w, "SELECT count(*) FROM asset"), 1);
	assert_int_equal(read_number(w, "SELECT count(*) FROM data"), 501);
}

static enum status touch(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_touch(c, *(struct uuid *)arg, err);
}

static void test_lock(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first");
	dw_asset(w, version, dw_data(w, "a.png", NULL));
	dw_start(w);
	struct assets_store s = store_of(w);
	struct manifest m = read_manifest(w, version);
	DW_OK(assets_lock(&s, version, DW_ERR));
	struct db_conn *c;
	struct dataset_version_row row;
	DW_OK(db_reader_take(w->readers, &c, DW_ERR));
	DW_OK(dataset_version_rows_by_id(c, version, &w->arena, &row, DW_ERR));
	db_reader_give(w->readers, c);
	assert_string_equal(row.locked_hash, m.hash);
	assert_true(row.locked_us > 0);
	DW_REFUSED(recorder_run(w->recorder, touch, &version, DW_ERR), ST_LOCKED, "fork it");
	DW_OK(assets_lock(&s, version, DW_ERR)); /* again: as it was */
	DW_REFUSED(assets_lock(&s, w->dataset_id, DW_ERR), ST_MISSING, "no dataset version");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others_write_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_delete, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lock, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
