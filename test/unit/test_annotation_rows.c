/* SPDX-License-Identifier: Apache-2.0 */
/* store/annotation_rows.h and store/label_rows.h: what is read is what was written, and nothing of another
 * version can be said of an asset. */
#include "base/check.h"
#include "os/clock.h"
#include "store/annotation_rows.h"
#include "store/annotation_json.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct fixture {
	struct db *db;
	struct db_conn *c;
	struct arena a;
	struct err err;
	struct uuid version, other, asset;
};

#define OK(call)                                                                                             \
	do {                                                                                                 \
		if ((call) != ST_OK)                                                                         \
			fail_msg("%s", f->err.text);                                                         \
	} while (0)

static struct uuid new_id(void)
{
	return uuid_v7(clock_unix_ms());
}

static void insert(struct fixture *f, const char *sql, struct uuid id, struct uuid of, const char *name)
{
	struct db_query q = db_query(f->c, sql);
	db_bind_uuid(&q, id);
	db_bind_uuid(&q, of);
	db_bind_text(&q, name);
	OK(db_done(&q, &f->err));
}

static void world(struct fixture *f)
{
	struct uuid org = new_id(), lake = new_id(), dataset = new_id(), data = new_id();
	f->version = new_id(), f->other = new_id(), f->asset = new_id();
	insert(f,
		"INSERT INTO organization (id, connector_id, name, signing_key, created_us)"
		" VALUES ($1, $2, $3, x'00', 1)",
		org, org, "o");
	insert(f, "INSERT INTO datalake (id, organization_id, name, created_us) VALUES ($1, $2, $3, 1)", lake,
		org, "l");
	insert(f,
		"INSERT INTO object (name, created_us) SELECT $3, 1 WHERE $1 IS NOT NULL AND $2 IS NOT NULL",
		org, org, "a.png");
	insert(f,
		"INSERT INTO data (id, datalake_id, object_name, filename, content_type, width, height,"
		" created_us) VALUES ($1, $2, $3, 'a.png', 'image/png', 4, 4, 1)",
		data, lake, "a.png");
	insert(f, "INSERT INTO dataset (id, organization_id, name, created_us) VALUES ($1, $2, $3, 1)",
		dataset, org, "d");
	insert(f,
		"INSERT INTO dataset_version (id, dataset_id, version, type, created_us)"
		" VALUES ($1, $2, $3, 'MULTI', 1)",
		f->version, dataset, "one");
	insert(f,
		"INSERT INTO dataset_version (id, dataset_id, version, type, created_us)"
		" VALUES ($1, $2, $3, 'MULTI', 1)",
		f->other, dataset, "two");
	insert(f,
		"INSERT INTO asset (id, dataset_version_id, data_id, created_us)"
		" SELECT $1, $2, id, 1 FROM data WHERE filename = $3",
		f->asset, f->version, "a.png");
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	arena_init(&f->a);
	assert_int_equal(db_sqlite_open_temporary(&f->db, &f->err), ST_OK);
	assert_int_equal(db_connect(f->db, true, &f->c, &f->err), ST_OK);
	assert_int_equal(migrate_up(f->c, &f->err), ST_OK);
	world(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	db_disconnect(f->c);
	db_close(f->db);
	arena_release(&f->a);
	free(f);
	return 0;
}

static struct label_row label(struct fixture *f, struct uuid version, const char *name)
{
	struct label_row out;
	bool made;
	OK(label_rows_ensure(f->c, version, name, &f->a, &out, &made, &f->err));
	return out;
}

/* ---- labels ---- */

static void test_a_label_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct label_row first, again;
	bool made;
	OK(label_rows_ensure(f->c, f->version, "Hänsel", &f->a, &first, &made, &f->err));
	assert_true(made);
	OK(label_rows_ensure(f->c, f->version, "Hänsel", &f->a, &again, &made, &f->err));
	assert_false(made);
	assert_true(uuid_equal(first.id, again.id));
	assert_false(uuid_equal(label(f, f->other, "Hänsel").id, first.id));
	assert_int_equal(label_rows_ensure(f->c, f->version, "", &f->a, &again, &made, &f->err), ST_INVALID);
	assert_int_equal(label_rows_ensure(f->c, new_id(), "x", &f->a, &again, &made, &f->err), ST_MISSING);
}

static void test_positions_have_no_gaps(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"z", "a", "m", "b"}, *const left[] = {"z", "m", "b", "new"};
	struct label_row *items;
	size_t count;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		label(f, f->version, names[i]);
	OK(label_rows_delete(f->c, label(f, f->version, "a").id, &f->err));
	assert_int_equal(label_rows_delete(f->c, new_id(), &f->err), ST_MISSING);
	label(f, f->version, "new");
	OK(label_rows_list(f->c, f->version, &f->a, &items, &count, &f->err));
	assert_int_equal(count, COUNT_OF(left));
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(items[i].name, left[i]);
		assert_int_equal(items[i].position, i);
	}
}

static void test_a_label_is_changed(void **state)
{
	struct fixture *f = *state;
	struct label_row row = label(f, f->version, "cat");
	label(f, f->version, "dog");
	row.name = "tiger";
	row.skeleton = "{\"vertices\":[]}";
	OK(label_rows_update(f->c, &row, &f->err));
	OK(label_rows_by_id(f->c, row.id, &f->a, &row, &f->err));
	assert_string_equal(row.name, "tiger");
	assert_string_equal(row.skeleton, "{\"vertices\":[]}");
	row.name = "dog";
	assert_int_equal(label_rows_update(f->c, &row, &f->err), ST_CONFLICT);
	assert_int_equal(label_rows_by_name(f->c, f->version, "cat", &f->a, &row, &f->err), ST_MISSING);
}

static struct label_group_row group(
	struct fixture *f, struct uuid version, const char *name, struct uuid parent)
{
	struct label_group_row g = {new_id(), version, name, parent, clock_unix_us()};
	OK(label_group_rows_insert(f->c, &g, &f->err));
	return g;
}

static void test_groups_are_a_tree(void **state)
{
	struct fixture *f = *state;
	struct uuid none = {0};
	struct label_group_row *items;
	size_t count;
	struct label_group_row root = group(f, f->version, "root", none);
	struct label_group_row leaf = group(f, f->version, "leaf", root.id);
	struct label_group_row elsewhere = group(f, f->other, "root", none);
	struct label_row row = label(f, f->version, "cat");

	assert_int_equal(label_group_rows_insert(f->c, &root, &f->err), ST_CONFLICT);
	root.parent_id = leaf.id;
	assert_int_equal(label_group_rows_update(f->c, &root, &f->err), ST_INVALID);
	root.parent_id = root.id;
	assert_int_equal(label_group_rows_update(f->c, &root, &f->err), ST_INVALID);
	root.parent_id = elsewhere.id;
	assert_int_equal(label_group_rows_update(f->c, &root, &f->err), ST_INVALID);

	row.group_id = elsewhere.id;
	assert_int_equal(label_rows_update(f->c, &row, &f->err), ST_INVALID);
	row.group_id = leaf.id;
	OK(label_rows_update(f->c, &row, &f->err));
	OK(label_group_rows_delete(f->c, root.id, &f->err));
	OK(label_group_rows_list(f->c, f->version, &f->a, &items, &count, &f->err));
	assert_int_equal(count, 0);
	OK(label_rows_by_id(f->c, row.id, &f->a, &row, &f->err));
	assert_true(uuid_is_zero(row.group_id));
}

/* ---- annotations ---- */

static struct annotation_row annotation(struct fixture *f, struct annotation_shape_row *shapes, size_t count)
{
	static int64_t now = 1000;
	return (struct annotation_row){.id = new_id(),
		.asset_id = f->asset,
		.status = "PENDING",
		.who = "eva",
		.duration = 1.5,
		.created_us = now++,
		.shapes = shapes,
		.shape_count = count};
}

static void same_shape(const struct annotation_shape_row *x, const struct annotation_shape_row *y)
{
	assert_int_equal(x->kind, y->kind);
	assert_true(uuid_equal(x->label_id, y->label_id));
	if (x->kind != ANNOTATION_CLASSIFICATION) {
		assert_true(x->x == y->x && x->y == y->y && x->w == y->w && x->h == y->h);
	}
	assert_int_equal(x->points != NULL, y->points != NULL);
	if (x->points)
		assert_string_equal(x->points, y->points);
	assert_true(x->area == y->area || (x->area < 0 && y->area < 0));
	assert_int_equal(x->flags, y->flags);
}

static void test_shapes_come_back_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct uuid cat = label(f, f->version, "cat").id, dog = label(f, f->version, "dog").id;
	struct annotation_shape_row shapes[] = {
		{.kind = ANNOTATION_RECTANGLE,
			.label_id = cat,
			.x = 0.1,
			.y = 1.0 / 3,
			.w = 0,
			.h = 1e-9,
			.area = 7.25,
			.flags = ANNOTATION_CROWD},
		{.kind = ANNOTATION_POLYGON,
			.label_id = dog,
			.points = "[[1.5,2],[4,2],[4,7.25]]",
			.area = -1,
			.flags = ANNOTATION_DIFFICULT},
		{.kind = ANNOTATION_POLYGON,
			.label_id = dog,
			.area = -1,
			.points = "{\"rings\":[[[0,0],[1,0],[1,1]],[[5,5],[9,5],[9,6]]]}"},
		{.kind = ANNOTATION_CLASSIFICATION, .label_id = cat, .area = -1},
		{.kind = ANNOTATION_LINE, .label_id = cat, .points = "[[3,4],[1,2]]", .area = -1},
		{.kind = ANNOTATION_POINT, .label_id = cat, .points = "[3,4]", .area = -1},
		{.kind = ANNOTATION_KEYPOINTS, .label_id = cat, .points = "[[3,4,2],[5,6,0]]", .area = -1},
	};
	struct annotation_row row = annotation(f, shapes, COUNT_OF(shapes)), back;
	OK(annotation_rows_insert(f->c, &row, &f->a, &f->err));
	OK(annotation_rows_by_id(f->c, row.id, &f->a, &back, &f->err));
	shapes[1].x = 1.5, shapes[1].y = 2, shapes[1].w = 2.5, shapes[1].h = 5.25;
	shapes[2].w = 9, shapes[2].h = 6;
	shapes[4].x = 1, shapes[4].y = 2, shapes[4].w = 2, shapes[4].h = 2;
	shapes[5].x = 3, shapes[5].y = 4;
	shapes[6].x = 3, shapes[6].y = 4, shapes[6].w = 2, shapes[6].h = 2;
	assert_int_equal(back.shape_count, COUNT_OF(shapes));
	for (size_t i = 0; i < back.shape_count; i++)
		same_shape(&shapes[i], &back.shapes[i]);
	assert_string_equal(back.shapes[1].label, "dog");
	assert_string_equal(back.who, "eva");
	assert_true(back.duration == 1.5);
	assert_int_equal(back.updated_us, back.created_us);
}

static void test_saving_replaces_and_counts(void **state)
{
	struct fixture *f = *state;
	struct uuid cat = label(f, f->version, "cat").id;
	struct annotation_shape_row shape = {
		.kind = ANNOTATION_RECTANGLE, .label_id = cat, .w = 2, .h = 3, .area = -1};
	struct annotation_row row = annotation(f, &shape, 1), back;
	OK(annotation_rows_insert(f->c, &row, &f->a, &f->err));
	row.status = "ACCEPTED";
	row.updated_us = 77;
	shape.w = 5;
	OK(annotation_rows_save(f->c, &row, &f->a, &f->err));
	OK(annotation_rows_add(f->c, &row, &f->a, &f->err));
	OK(annotation_rows_by_id(f->c, row.id, &f->a, &back, &f->err));
	assert_int_equal(back.revision, 3);
	assert_int_equal(back.updated_us, 77);
	assert_string_equal(back.status, "ACCEPTED");
	assert_int_equal(back.shape_count, 2);
	assert_true(back.shapes[0].w == 5 && back.shapes[1].w == 5);
	row.id = new_id();
	assert_int_equal(annotation_rows_save(f->c, &row, &f->a, &f->err), ST_MISSING);
	OK(label_rows_delete(f->c, cat, &f->err)); /* its shapes go with it, and that is a change */
	OK(annotation_rows_by_id(f->c, back.id, &f->a, &back, &f->err));
	assert_int_equal(back.shape_count, 0);
	assert_int_equal(back.revision, 4);
}

static void test_what_is_refused(void **state)
{
	struct fixture *f = *state;
	struct uuid cat = label(f, f->version, "cat").id;
	const struct annotation_shape_row bad[] = {
		{.kind = ANNOTATION_RECTANGLE, .label_id = label(f, f->other, "cat").id, .w = 1, .h = 1},
		{.kind = ANNOTATION_RECTANGLE, .label_id = cat, .w = -1, .h = 1},
		{.kind = ANNOTATION_RECTANGLE, .label_id = cat, .x = NAN, .w = 1, .h = 1},
		{.kind = ANNOTATION_RECTANGLE, .label_id = cat, .x = 1e8, .w = 1, .h = 1},
		{.kind = ANNOTATION_RECTANGLE, .label_id = cat, .w = 1, .h = 1, .area = INFINITY},
		{.kind = ANNOTATION_LINE, .label_id = cat, .points = "[[1,2],[-1e300,4]]"},
		{.kind = ANNOTATION_POLYGON, .label_id = cat, .points = "[[1,2],[3,4]]"},
		{.kind = ANNOTATION_POLYGON, .label_id = cat, .points = "[[1,2],[3,4],[5]]"},
		{.kind = ANNOTATION_POLYGON, .label_id = cat, .points = "[[1,2],[3,4],[5,\"6\"]]"},
		{.kind = ANNOTATION_POLYGON, .label_id = cat, .points = "{\"rings\":[]}"},
		{.kind = ANNOTATION_POLYGON, .label_id = cat, .points = "nonsense"},
		{.kind = ANNOTATION_LINE, .label_id = cat, .points = "[[1,2]]"},
		{.kind = ANNOTATION_POINT, .label_id = cat, .points = "[[1,2]]"},
		{.kind = ANNOTATION_KEYPOINTS, .label_id = cat, .points = "[[1,2]]"},
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct annotation_shape_row shape = bad[i];
		struct annotation_row row = annotation(f, &shape, 1);
		assert_int_equal(annotation_rows_insert(f->c, &row, &f->a, &f->err), ST_INVALID);
	}
	struct annotation_row row = annotation(f, NULL, 0);
	row.asset_id = new_id();
	assert_int_equal(annotation_rows_insert(f->c, &row, &f->a, &f->err), ST_MISSING);
}

static void test_one_shape_is_changed(void **state)
{
	struct fixture *f = *state;
	struct uuid cat = label(f, f->version, "cat").id, dog = label(f, f->version, "dog").id, of;
	struct annotation_shape_row shape = {
		.kind = ANNOTATION_RECTANGLE, .label_id = cat, .w = 2, .h = 3, .area = -1};
	struct annotation_row row = annotation(f, &shape, 1), back;
	OK(annotation_rows_insert(f->c, &row, &f->a, &f->err));
	OK(annotation_rows_by_id(f->c, row.id, &f->a, &back, &f->err));
	OK(annotation_shape_rows_by_id(f->c, back.shapes[0].id, &f->a, &shape, &of, &f->err));
	assert_true(uuid_equal(of, row.id));
	shape.label_id = dog;
	shape.x = 9;
	OK(annotation_shape_rows_update(f->c, &shape, &f->a, &f->err));
	OK(annotation_rows_by_id(f->c, row.id, &f->a, &back, &f->err));
	assert_string_equal(back.shapes[0].label, "dog");
	assert_true(back.shapes[0].x == 9);
	assert_int_equal(back.revision, 2);
	shape.label_id = label(f, f->other, "dog").id;
	assert_int_equal(annotation_shape_rows_update(f->c, &shape, &f->a, &f->err), ST_INVALID);
	OK(annotation_shape_rows_delete(f->c, shape.id, &f->err));
	assert_int_equal(annotation_shape_rows_delete(f->c, shape.id, &f->err), ST_MISSING);
}

static yyjson_val *json(struct fixture *f, const char *text)
{
	yyjson_doc *doc;
	OK(json_parse(span_of_text(text), &f->a, &doc, &f->err));
	return yyjson_doc_get_root(doc);
}

static void test_shapes_as_json(void **state)
{
	struct fixture *f = *state;
	struct annotation_shape_row *shapes;
	size_t count, made;
	static const char text[] =
		"[{\"type\":\"rectangle\",\"x\":1.5,\"y\":2,\"w\":3,\"h\":0,\"label\":\"cat\",\"area\":7,"
		"\"crowd\":true},{\"type\":\"polygon\",\"polygon\":[[1,2],[3,4.25],[5,6]],\"label\":"
		"\"Hündin\","
		"\"difficult\":true,\"text\":\"old\"},{\"type\":\"polygon\",\"rings\":[[[1,2],[3,4],[5,6]],[["
		"0,0],"
		"[1,0],[1,1]]],\"label\":\"cat\",\"box\":[0,0,5.5,6]},"
		"{\"type\":\"classification\",\"label\":\"cat\"},"
		"{\"type\":\"keypoints\",\"keypoints\":[[1,2,2]],\"label\":\"cat\"}]";
	OK(annotation_json_parse(json(f, text), &f->a, &shapes, &count, &f->err));
	assert_int_equal(count, 5);
	assert_int_equal(
		annotation_json_resolve(f->c, f->version, false, shapes, count, &f->a, &made, &f->err),
		ST_INVALID);
	OK(annotation_json_resolve(f->c, f->version, true, shapes, count, &f->a, &made, &f->err));
	assert_int_equal(made, 2);
	struct annotation_row row = annotation(f, shapes, count), back;
	OK(annotation_rows_insert(f->c, &row, &f->a, &f->err));
	OK(annotation_rows_by_id(f->c, row.id, &f->a, &back, &f->err));
	yyjson_mut_doc *doc = json_new(&f->a);
	yyjson_mut_doc_set_root(doc, annotation_json_shapes(doc, back.shapes, back.shape_count, &f->a));
	assert_string_equal((const char *)json_print(doc, &f->a).data, text);
	static const char *const bad[] = {"{}", "[1]", "[{\"type\":\"circle\",\"label\":\"x\"}]",
		"[{\"type\":\"rectangle\",\"x\":1,\"y\":2,\"w\":3,\"label\":\"x\"}]",
		"[{\"type\":\"polygon\",\"label\":\"x\"}]", "[{\"type\":\"classification\"}]",
		"[{\"type\":\"polygon\",\"rings\":[5],\"label\":\"x\"}]",
		"[{\"type\":\"polygon\",\"rings\":[{\"rings\":[]}],\"label\":\"x\"}]"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(
			annotation_json_parse(json(f, bad[i]), &f->a, &shapes, &count, &f->err), ST_INVALID);
}

static void test_the_newest_counts(void **state)
{
	struct fixture *f = *state;
	struct annotation_row first = annotation(f, NULL, 0), second = annotation(f, NULL, 0), *items, newest;
	size_t count;
	int64_t total;
	bool found;
	second.status = "ACCEPTED";
	OK(annotation_rows_newest(f->c, f->asset, &f->a, &newest, &found, &f->err));
	assert_false(found);
	OK(annotation_rows_insert(f->c, &first, &f->a, &f->err));
	OK(annotation_rows_insert(f->c, &second, &f->a, &f->err));
	OK(annotation_rows_newest(f->c, f->asset, &f->a, &newest, &found, &f->err));
	assert_true(found && uuid_equal(newest.id, second.id));
	OK(annotation_rows_of_asset(f->c, f->asset, &f->a, &items, &count, &f->err));
	assert_int_equal(count, 2);
	assert_true(uuid_equal(items[0].id, second.id));
	struct rows_page page = {.limit = 1, .order = ROWS_OLDEST};
	OK(annotation_rows_list(f->c, f->version, NULL, &page, &f->a, &items, &count, &total, &f->err));
	assert_true(count == 1 && total == 2 && uuid_equal(items[0].id, first.id));
	OK(annotation_rows_list(f->c, f->version, "ACCEPTED", &page, &f->a, &items, &count, &total, &f->err));
	assert_true(count == 1 && total == 1 && uuid_equal(items[0].id, second.id));
	OK(annotation_rows_delete(f->c, first.id, &f->err));
	assert_int_equal(annotation_rows_delete(f->c, first.id, &f->err), ST_MISSING);
	OK(annotation_rows_delete_of_version(f->c, f->version, &f->err));
	OK(annotation_rows_of_asset(f->c, f->asset, &f->a, &items, &count, &f->err));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_label_is_made_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_positions_have_no_gaps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_label_is_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_groups_are_a_tree, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shapes_come_back_as_they_were, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_saving_replaces_and_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_shape_is_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shapes_as_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_newest_counts, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
