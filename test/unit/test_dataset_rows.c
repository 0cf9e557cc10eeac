/* SPDX-License-Identifier: Apache-2.0 */
/* store/dataset_rows: datasets, their versions, their assets, on a real database. */
#include "dataset_world.h"
#include "store/tag_rows.h"

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

static struct dataset_version_row version_of(struct dataset_world *w, struct uuid id)
{
	struct dataset_version_row row;
	DW_OK(dataset_version_rows_by_id(w->c, id, &w->arena, &row, DW_ERR));
	return row;
}

static void test_dataset(void **state)
{
	struct dataset_world *w = *state;
	struct dataset_row row, again;
	DW_OK(dataset_rows_by_name(w->c, "streets", &w->arena, &row, DW_ERR));
	assert_true(uuid_equal(row.id, w->dataset_id));
	again = row;
	again.id = dw_id(w);
	DW_REFUSED(dataset_rows_insert(w->c, &again, DW_ERR), ST_CONFLICT, "\"streets\" exists already");
	again.name = "fields";
	DW_OK(dataset_rows_insert(w->c, &again, DW_ERR));
	again.name = "streets";
	DW_REFUSED(dataset_rows_update(w->c, &again, DW_ERR), ST_CONFLICT, "\"streets\"");
	row.description = "What drives";
	DW_OK(dataset_rows_update(w->c, &row, DW_ERR));
	DW_OK(dataset_rows_by_id(w->c, row.id, &w->arena, &row, DW_ERR));
	assert_string_equal(row.description, "What drives");

	struct dataset_row *rows;
	size_t count;
	int64_t total;
	DW_OK(dataset_rows_list(w->c, &(struct rows_page){.limit = 1, .order = ROWS_NAME}, &w->arena, &rows,
		&count, &total, DW_ERR));
	assert_int_equal(total, 2);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].name, "fields");
	DW_OK(dataset_rows_delete(w->c, again.id, DW_ERR));
	DW_REFUSED(dataset_rows_delete(w->c, again.id, DW_ERR), ST_MISSING, "no dataset");
	DW_REFUSED(dataset_rows_by_name(w->c, "fields", &w->arena, &row, DW_ERR), ST_MISSING, "\"fields\"");
}

static void test_version(void **state)
{
	struct dataset_world *w = *state;
	struct uuid id = dw_version(w, "first");
	struct dataset_version_row row = version_of(w, id);
	assert_string_equal(row.dataset_name, "streets");
	assert_int_equal(row.revision, 0);
	assert_int_equal(row.locked_us, 0);
	assert_null(row.locked_hash);
	struct dataset_version_row fork = row;
	fork.id = dw_id(w);
	DW_REFUSED(dataset_version_rows_insert(w->c, &fork, DW_ERR), ST_CONFLICT, "\"first\" already");
	fork.version = "second";
	fork.forked_from_id = id;
	DW_OK(dataset_version_rows_insert(w->c, &fork, DW_ERR));
	assert_true(uuid_equal(version_of(w, fork.id).forked_from_id, id));
	fork.version = "first";
	DW_REFUSED(dataset_version_rows_update(w->c, &fork, DW_ERR), ST_CONFLICT, "\"first\"");
	fork.version = "2";
	fork.type = "SEGMENTATION";
	DW_OK(dataset_version_rows_update(w->c, &fork, DW_ERR));
	DW_OK(dataset_version_rows_by_name(w->c, w->dataset_id, "2", &w->arena, &row, DW_ERR));
	assert_string_equal(row.type, "SEGMENTATION");
	/* The origin goes, the fork stays. */
	DW_OK(dataset_version_rows_delete(w->c, id, DW_ERR));
	assert_true(uuid_is_zero(version_of(w, fork.id).forked_from_id));
	fork.id = dw_id(w);
	fork.dataset_id = dw_id(w);
	DW_REFUSED(dataset_version_rows_insert(w->c, &fork, DW_ERR), ST_MISSING, "does not exist");
}

static void test_locked(void **state)
{
	struct dataset_world *w = *state;
	struct uuid id = dw_version(w, "first");
	DW_OK(dataset_version_rows_touch(w->c, id, DW_ERR));
	DW_OK(dataset_version_rows_touch(w->c, id, DW_ERR));
	assert_int_equal(version_of(w, id).revision, 2);
	DW_OK(dataset_version_rows_set_locked(w->c, id, 5, "abc", DW_ERR));
	DW_REFUSED(dataset_version_rows_touch(w->c, id, DW_ERR), ST_LOCKED, "\"streets\" is locked");
	DW_REFUSED(dataset_version_rows_delete(w->c, id, DW_ERR), ST_LOCKED, "unlock it");
	DW_REFUSED(dataset_rows_delete(w->c, w->dataset_id, DW_ERR), ST_LOCKED, "\"first\"");
	struct dataset_version_row row = version_of(w, id);
	assert_int_equal(row.revision, 2);
	assert_int_equal(row.locked_us, 5);
	assert_string_equal(row.locked_hash, "abc");
	DW_OK(dataset_version_rows_set_locked(w->c, id, 0, NULL, DW_ERR));
	assert_null(version_of(w, id).locked_hash);
	DW_OK(dataset_version_rows_touch(w->c, id, DW_ERR));
	DW_REFUSED(dataset_version_rows_touch(w->c, dw_id(w), DW_ERR), ST_MISSING, "no dataset version");
}

static void test_asset(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), other = dw_version(w, "second");
	struct uuid cat = dw_data(w, "cat.png", NULL), ant = dw_data(w, "ant.png", NULL);
	struct uuid cat_asset = dw_asset(w, version, cat), ant_asset = dw_asset(w, version, ant);
	bool inserted, found;
	struct asset_row row = {.id = dw_id(w), .dataset_version_id = version, .data = {.id = cat}};
	DW_OK(asset_rows_insert(w->c, &row, &inserted, DW_ERR));
	assert_false(inserted);
	assert_true(uuid_equal(row.id, cat_asset));
	row = (struct asset_row){.id = dw_id(w), .dataset_version_id = version, .data = {.id = dw_id(w)}};
	DW_REFUSED(asset_rows_insert(w->c, &row, &inserted, DW_ERR), ST_MISSING, "no data");
	row = (struct asset_row){
		.id = dw_id(w), .dataset_version_id = other, .data = {.id = cat}, .evaluation = true};
	DW_OK(asset_rows_insert(w->c, &row, &inserted, DW_ERR));
	assert_true(inserted);

	struct asset_row read, *rows;
	size_t count;
	int64_t total;
	DW_OK(asset_rows_by_id(w->c, row.id, &w->arena, &read, DW_ERR));
	assert_true(read.evaluation);
	assert_string_equal(read.data.filename, "cat.png");
	assert_int_equal(read.data.width, 640);
	DW_OK(asset_rows_by_data(w->c, version, ant, &w->arena, &read, &found, DW_ERR));
	assert_true(found && uuid_equal(read.id, ant_asset) && !read.evaluation);
	DW_OK(asset_rows_by_data(w->c, other, ant, &w->arena, &read, &found, DW_ERR));
	assert_false(found);
	DW_OK(asset_rows_list(w->c, version, &(struct rows_page){.limit = 9, .order = ROWS_NAME}, &w->arena,
		&rows, &count, &total, DW_ERR));
	assert_int_equal(count, 2);
	assert_int_equal(total, 2);
	assert_string_equal(rows[0].data.filename, "ant.png");
	DW_OK(asset_rows_list(w->c, version, &(struct rows_page){.limit = 9, .offset = 1}, &w->arena, &rows,
		&count, &total, DW_ERR));
	assert_int_equal(count, 1);
	assert_true(uuid_equal(rows[0].id, ant_asset));
	DW_OK(asset_rows_delete(w->c, ant_asset, DW_ERR));
	DW_REFUSED(asset_rows_delete(w->c, ant_asset, DW_ERR), ST_MISSING, "no asset");
	DW_OK(data_rows_delete(w->c, ant, DW_ERR));
	DW_REFUSED(data_rows_delete(w->c, cat, DW_ERR), ST_CONFLICT,
		"the version \"first\" of the dataset \"streets\"");
	assert_int_equal(dw_number(w->c, "SELECT count(*) FROM data"), 1);
}

static void expect_chosen(struct dataset_world *w, struct uuid version, enum asset_key key,
	const char *const *texts, size_t text_count, const struct rows_filter *also, const char *expected)
{
	struct rows_page page = {.limit = 100, .order = ROWS_NAME};
	struct asset_row *rows;
	struct uuid *ids;
	size_t count;
	int64_t total;
	struct str names;
	str_init(&names, 1000);
	if (also)
		page.filter = *also;
	asset_rows_choose(&w->arena, key, texts, text_count, &page.filter);
	DW_OK(asset_rows_list(w->c, version, &page, &w->arena, &rows, &count, &total, DW_ERR));
	assert_int_equal(total, count);
	for (size_t i = 0; i < count; i++)
		str_printf(&names, "%s ", rows[i].data.filename);
	assert_string_equal(str_text(&names), expected);
	str_release(&names);
	page.limit = 1;
	DW_OK(asset_rows_ids(w->c, version, &page, &w->arena, &ids, &count, &total, DW_ERR));
	assert_int_equal(count, total ? 1 : 0);
	if (count)
		assert_true(uuid_equal(ids[0], rows[0].id));
}

static void test_choose(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), data[3], asset = {{0}};
	static const char *const names[] = {"a/cat.png", "a/d_g.png", "b/cat.png"};
	char data_text[UUID_TEXT_SIZE], asset_text[UUID_TEXT_SIZE];
	for (int i = 0; i < 3; i++) {
		data[i] = dw_data(w, names[i], NULL);
		asset = dw_asset(w, version, data[i]);
	}
	uuid_format(data[0], data_text);
	uuid_format(asset, asset_text);
	expect_chosen(w, version, ASSET_FILENAME, names + 1, 2, NULL, "a/d_g.png b/cat.png ");
	expect_chosen(w, version, ASSET_FILENAME, names, 0, NULL, "");
	expect_chosen(w, version, ASSET_OBJECT_NAME, (const char *[]){"object-3", "object-9"}, 2, NULL,
		"b/cat.png ");
	expect_chosen(w, version, ASSET_DATA_ID, (const char *[]){data_text, "no id"}, 2, NULL, "a/cat.png ");
	expect_chosen(w, version, ASSET_ID, (const char *[]){"no id", asset_text}, 2, NULL, "b/cat.png ");
	expect_chosen(w, version, ASSET_FILENAME_START, (const char *[]){"a/d_", "b"}, 2, NULL,
		"a/d_g.png b/cat.png ");
	expect_chosen(w, version, ASSET_FILENAME_START, (const char *[]){"%", "_"}, 2, NULL, "");
	struct db_value value = {.type = DB_TEXT, .bytes = span_of_text("b/cat.png")};
	struct rows_filter also = {.where = "data.filename = ?", .values = &value, .count = 1};
	expect_chosen(w, version, ASSET_FILENAME_START, (const char *[]){"a", "b"}, 2, &also, "b/cat.png ");
	const char *many[1000], *cover;
	for (int i = 0; i < 1000; i++)
		many[i] = i == 700 ? "a/ca" : "x";
	expect_chosen(w, version, ASSET_FILENAME_START, many, 1000, NULL, "a/cat.png ");
	DW_OK(asset_rows_cover(w->c, version, &w->arena, &cover, DW_ERR));
	assert_string_equal(cover, "object-1");
}

static void test_counts(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first");
	struct uuid asset = dw_asset(w, version, dw_data(w, "a.png", NULL));
	struct dataset_version_row newest;
	struct dataset_version_counts counts;
	struct label_row label;
	const char *cover;
	bool made, found;
	DW_OK(asset_rows_cover(w->c, dw_version(w, "second"), &w->arena, &cover, DW_ERR));
	assert_null(cover);
	dw_asset(w, version, dw_data(w, "b.png", NULL));
	DW_OK(label_rows_ensure(w->c, version, "car", &w->arena, &label, &made, DW_ERR));
	DW_OK(annotation_rows_insert(w->c,
		&(struct annotation_row){
			.id = dw_id(w), .asset_id = asset, .status = "PENDING", .who = "ann"},
		&w->arena, DW_ERR));
	DW_OK(dataset_version_rows_counts(w->c, version, &counts, DW_ERR));
	assert_int_equal(counts.assets, 2);
	assert_int_equal(counts.annotated, 1);
	assert_int_equal(counts.labels, 1);
	DW_OK(dataset_version_rows_newest(w->c, w->dataset_id, &w->arena, &newest, &found, DW_ERR));
	assert_true(found);
	assert_string_equal(newest.version, "second");
	DW_OK(dataset_version_rows_check_open(w->c, version, DW_ERR));
	DW_OK(dataset_version_rows_set_locked(w->c, version, 1, "abc", DW_ERR));
	DW_REFUSED(dataset_version_rows_check_open(w->c, version, DW_ERR), ST_LOCKED, "is locked");
	DW_REFUSED(dataset_version_rows_check_open(w->c, asset, DW_ERR), ST_MISSING, "no dataset version");
}

/* Tags of assets are of their version, and go with it. */
static void test_tags(void **state)
{
	struct dataset_world *w = *state;
	struct uuid version = dw_version(w, "first"), other = dw_version(w, "second");
	struct uuid data = dw_data(w, "cat.png", NULL);
	struct uuid asset = dw_asset(w, version, data), elsewhere = dw_asset(w, other, data);
	struct tag_row of_asset = {
		.id = dw_id(w), .name = "dark", .target_type = "ASSET", .scope_id = version};
	struct tag_row of_version = {.id = dw_id(w),
		.name = "train",
		.target_type = "DATASET_VERSION",
		.scope_id = w->organization_id};
	struct tag_row of_dataset = {
		.id = dw_id(w), .name = "roads", .target_type = "DATASET", .scope_id = w->organization_id};
	bool attached;
	DW_OK(tag_rows_insert(w->c, &of_asset, DW_ERR));
	DW_OK(tag_rows_insert(w->c, &of_version, DW_ERR));
	DW_OK(tag_rows_insert(w->c, &of_dataset, DW_ERR));
	DW_OK(tag_rows_attach(w->c, &of_asset, asset, &attached, DW_ERR));
	assert_true(attached);
	DW_OK(tag_rows_attach(w->c, &of_asset, elsewhere, &attached, DW_ERR));
	assert_false(attached);
	DW_OK(tag_rows_attach(w->c, &of_version, version, &attached, DW_ERR));
	assert_true(attached);
	DW_OK(tag_rows_attach(w->c, &of_dataset, w->dataset_id, &attached, DW_ERR));
	assert_true(attached);
	DW_OK(tag_rows_attach(w->c, &of_dataset, version, &attached, DW_ERR));
	assert_false(attached);
	DW_OK(dataset_version_rows_delete(w->c, version, DW_ERR));
	assert_int_equal(dw_number(w->c, "SELECT count(*) FROM tag WHERE target_type = 'ASSET'"), 0);
	assert_int_equal(dw_number(w->c, "SELECT count(*) FROM tag_target"), 1);
	DW_OK(dataset_rows_delete(w->c, w->dataset_id, DW_ERR));
	assert_int_equal(dw_number(w->c, "SELECT count(*) FROM tag_target"), 0);
	assert_int_equal(dw_number(w->c, "SELECT count(*) FROM asset"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_dataset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_version, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_locked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_asset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_choose, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tags, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
