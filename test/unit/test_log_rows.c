/* SPDX-License-Identifier: Apache-2.0 */
/* store/log_rows.h and watch/seen.h: the log with what is gone, in order and by filters, against a plain
 * list. */
#include "store/log_rows.h"

#include "review_world.h"
#include "store/data_source_rows.h"
#include "watch/seen.h"

#include <math.h>

#define IMAGES 300

static struct review_world w;
static struct uuid shadow_version, tag_id;

/* What was put there. */
static struct put {
	struct uuid asset;
	const char *source;
	bool gone, tagged;
	int32_t label; /* -1: no shape */
	int64_t created_us;
} put[IMAGES];

static uint32_t below(uint32_t count)
{
	static uint64_t chance = 3;
	chance = chance * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((chance >> 33) % count);
}

static void run(const char *sql, const struct uuid *a, const struct uuid *b)
{
	struct db_query q = db_query(w.conn, sql);
	db_bind_uuid(&q, *a);
	db_bind_uuid(&q, *b);
	RW_OK(&w, db_done(&q, &w.err));
}

static void put_shadow(struct uuid asset)
{
	struct shapes none = {0};
	struct prediction_row p = {.id = rw_id(),
		.deployment_id = w.deployment_id,
		.predicted_asset_id = asset,
		.model_version_id = shadow_version,
		.is_shadow = true,
		.created_us = RW_FIRST_US,
		.threshold = 0.5,
		.steps_us = "{}",
		.shapes = shapes_pack(&none, &w.arena),
		.image_stats = "{}"};
	RW_OK(&w, prediction_rows_insert(w.conn, &p, &w.err));
}

static void put_image(struct put *p)
{
	struct shapes none = {0};
	struct uuid source;
	p->label = (int32_t)below(4) - 1;
	p->asset =
		p->label < 0 ? rw_add_image_of(&w, w.deployment_id, &none) : rw_add_image(&w, 0.7f, p->label);
	p->created_us = RW_FIRST_US + RW_SECOND_US * w.images;
	p->source = below(2) ? "east" : below(2) ? "west" : "";
	if (p->source[0]) {
		RW_OK(&w, data_source_rows_get_or_create(w.conn, p->source, RW_FIRST_US, &source, &w.err));
		run("UPDATE data SET source_id = $1 WHERE id = (SELECT data_id FROM predicted_asset WHERE id "
		    "= $2)",
			&source, &p->asset);
	}
	p->tagged = below(3) == 0;
	if (p->tagged)
		run("INSERT INTO tag_target (tag_id, target_id) VALUES ($1, $2)", &tag_id, &p->asset);
	if (below(3) == 0)
		put_shadow(p->asset);
}

static int set_up(void **state)
{
	rw_open(&w);
	shadow_version = rw_id();
	tag_id = rw_id();
	run("INSERT INTO tag (id, name, target_type, scope_id, created_us) VALUES ($1, 'rush', "
	    "'PREDICTED_ASSET',"
	    " $2, 1)",
		&tag_id, &w.organization_id);
	RW_OK(&w, db_script(w.conn, "BEGIN", &w.err));
	struct uuid own = w.deployment_id, other = rw_add_deployment(&w, "other");
	for (size_t i = 0; i < IMAGES; i++) {
		put_image(&put[i]);
		w.deployment_id = other;
		if (below(5) == 0)
			rw_add_image(&w, 0.5f, 1);
		w.deployment_id = own;
	}
	for (size_t i = 0; i < IMAGES; i++) {
		bool existed;
		put[i].gone = below(3) == 0;
		if (put[i].gone)
			RW_OK(&w, prediction_rows_delete_asset(w.conn, put[i].asset, &existed, &w.err));
	}
	RW_OK(&w, db_script(w.conn, "COMMIT", &w.err));
	return 0;
}

static int tear_down(void **state)
{
	rw_close(&w);
	return 0;
}

static const struct put *put_of(const struct log_row *row)
{
	for (size_t i = 0; i < IMAGES; i++)
		if (uuid_equal(put[i].asset, row->predicted_asset_id))
			return &put[i];
	return NULL;
}

static void expect_row(const struct log_row *row)
{
	const struct put *p = put_of(row);
	assert_non_null(p);
	assert_int_equal(row->gone, p->gone);
	assert_string_equal(row->source, p->source);
	assert_true(uuid_equal(row->version_id, row->is_shadow ? shadow_version : w.version_id));
	assert_int_equal(row->width, 640);
	assert_int_equal(row->height, 480);
	assert_true(row->threshold > 0.49 && row->threshold < 0.51);
	if (!row->is_shadow)
		assert_int_equal(row->created_us, p->created_us);
}

/* Piece by piece, each position once, lowest first. */
static size_t read_all(struct uuid deployment_id, size_t piece)
{
	int64_t position = 0;
	size_t total = 0;
	for (size_t count = piece; count == piece; total += count) {
		struct log_row *rows;
		RW_OK(&w, log_rows_after(
				  w.conn, deployment_id, position, piece, &w.arena, &rows, &count, &w.err));
		for (size_t i = 0; i < count; i++) {
			assert_true(rows[i].position > position);
			position = rows[i].position;
			if (!uuid_is_zero(deployment_id))
				expect_row(&rows[i]);
		}
	}
	return total;
}

static void test_every_position_in_order(void **state)
{
	int64_t end, all = rw_number(&w,
			     "SELECT (SELECT count(*) FROM prediction) + (SELECT count(*) FROM"
			     " gone_prediction)",
			     (struct uuid){{0}});
	int64_t own = rw_number(&w,
		"SELECT (SELECT count(*) FROM prediction WHERE deployment_id = $1) +"
		" (SELECT count(*) FROM gone_prediction WHERE deployment_id = $1)",
		w.deployment_id);
	assert_true(own > IMAGES && all > own);
	assert_int_equal(read_all((struct uuid){{0}}, 7), all);
	assert_int_equal(read_all((struct uuid){{0}}, 1000), all);
	assert_int_equal(read_all(w.deployment_id, 7), own);
	assert_int_equal(read_all(w.deployment_id, 1000), own);
	RW_OK(&w, log_rows_end(w.conn, &end, &w.err));
	assert_int_equal(end, all);
	RW_OK(&w, deployment_rows_delete(w.conn, w.deployment_id, &w.err));
	RW_OK(&w, log_rows_end(w.conn, &end, &w.err));
	assert_int_equal(end, all); /* was given, and is not given again */
}

/* The newest of the list that hold, by the filter's own words. */
static void expect_newest(const struct log_filter *f, bool (*holds)(const struct put *p), size_t limit)
{
	struct log_row *rows;
	size_t count, expected = 0;
	RW_OK(&w, log_rows_newest(w.conn, w.deployment_id, f, limit, &w.arena, &rows, &count, &w.err));
	for (size_t i = IMAGES; i-- > 0 && expected < limit;)
		if (holds(&put[i])) {
			assert_true(expected < count);
			assert_true(uuid_equal(rows[expected].predicted_asset_id, put[i].asset));
			assert_false(rows[expected].is_shadow);
			expect_row(&rows[expected++]);
		}
	assert_int_equal(count, expected);
	/* The same by their positions. */
	int64_t *positions = ARENA_ARRAY(&w.arena, int64_t, count + 1);
	struct log_row *at;
	size_t at_count;
	for (size_t i = 0; i < count; i++)
		positions[i] = rows[count - 1 - i].position;
	RW_OK(&w,
		log_rows_at(w.conn, w.deployment_id, f, positions, count, &w.arena, &at, &at_count, &w.err));
	assert_int_equal(at_count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(at[i].position, positions[i]);
}

static bool any(const struct put *p)
{
	return true;
}
static bool of_east(const struct put *p)
{
	return strcmp(p->source, "east") == 0;
}
static bool of_none(const struct put *p)
{
	return p->source[0] == '\0';
}
static bool rushed(const struct put *p)
{
	return p->tagged && !p->gone; /* tags went with the image */
}
static bool labelled(const struct put *p)
{
	return p->label == 1;
}
static bool never(const struct put *p)
{
	return false;
}
static bool in_the_middle(const struct put *p)
{
	return p->created_us >= put[100].created_us && p->created_us < put[200].created_us;
}
static bool all_but_three(const struct put *p)
{
	return p != &put[290] && p != &put[10] && p != &put[150];
}
static bool all_of_it(const struct put *p)
{
	return of_east(p) && rushed(p) && labelled(p) && in_the_middle(p);
}

static int compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static void test_filters(void **state)
{
	const char *tags[] = {"nothing", "rush"};
	struct seen_label green = seen_label(w.conn, "green", &w.arena);
	struct seen_label unknown = seen_label(w.conn, "mauve", &w.arena);
	struct uuid without[] = {put[290].asset, put[10].asset, put[150].asset};
	qsort(without, 3, sizeof(without[0]), compare_ids);
	expect_newest(&(struct log_filter){0}, any, 1000);
	expect_newest(&(struct log_filter){0}, any, 13);
	expect_newest(&(struct log_filter){.source = "east"}, of_east, 1000);
	expect_newest(&(struct log_filter){.source = ""}, of_none, 1000);
	expect_newest(&(struct log_filter){.source = "north"}, never, 1000);
	expect_newest(&(struct log_filter){.tags = tags, .tag_count = 2}, rushed, 1000);
	expect_newest(&(struct log_filter){.tags = tags, .tag_count = 1}, never, 1000);
	expect_newest(&(struct log_filter){.version_id = w.version_id}, any, 1000);
	expect_newest(&(struct log_filter){.version_id = shadow_version}, never, 1000);
	expect_newest(&(struct log_filter){.keep = seen_has_label, .keep_arg = &green}, labelled, 1000);
	expect_newest(&(struct log_filter){.keep = seen_has_label, .keep_arg = &unknown}, never, 1000);
	expect_newest(&(struct log_filter){.without = without, .without_count = 3}, all_but_three, 1000);
	const struct log_filter middle = {.from_us = put[100].created_us, .to_us = put[200].created_us};
	expect_newest(&middle, in_the_middle, 1000);
	expect_newest(&(struct log_filter){.from_us = middle.from_us,
			      .to_us = middle.to_us,
			      .source = "east",
			      .tags = tags,
			      .tag_count = 2,
			      .keep = seen_has_label,
			      .keep_arg = &green},
		all_of_it, 1000);
	struct log_row *rows;
	size_t count;
	RW_OK(&w, log_rows_newest(w.conn, w.deployment_id, &(struct log_filter){0}, 1, &w.arena, &rows,
			  &count, &w.err));
	const struct log_filter after = {.after = rows[0].position - 1};
	RW_OK(&w, log_rows_newest(w.conn, w.deployment_id, &after, 1000, &w.arena, &rows, &count, &w.err));
	assert_int_equal(count, 1);
}

static void test_a_row_unpacked(void **state)
{
	struct shape box = {.kind = SHAPE_BOX, .label = 2, .score = 0.25f, .box = {1, 2, 30, 40}};
	struct log_row row = {.shapes = shapes_pack(&(struct shapes){&box, 1}, &w.arena),
		.image_stats = "{\"brightness\":12.5,\"contrast\":3,\"mean_rgb\":[1,2.5,3],\"entropy\":7.25,"
			       "\"dark\":0.5}"};
	struct seen seen;
	struct err err;
	RW_OK(&w, seen_read(&row, &w.arena, &seen, &w.err));
	assert_ptr_equal(seen.row, &row);
	assert_int_equal(seen.shapes.count, 1);
	assert_int_equal(seen.shapes.items[0].label, 2);
	assert_true(seen.stats.brightness > 12.4 && seen.stats.brightness < 12.6);
	assert_true(seen.stats.mean_rgb[1] > 2.4 && seen.stats.mean_rgb[1] < 2.6);
	assert_true(seen.stats.entropy > 7.2 && seen.stats.dark > 0.4);
	assert_true(isnan(seen.stats.blur) && isnan(seen.stats.bright)); /* not known is not 0 */
	static const char *const others[] = {NULL, "", "[]", "{}", "nonsense", "{\"mean_rgb\":[1]}"};
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		seen_stats_read(others[i], &seen.stats);
		assert_true(isnan(seen.stats.brightness) && isnan(seen.stats.mean_rgb[2]));
	}
	row.shapes.size--;
	assert_int_equal(seen_read(&row, &w.arena, &seen, &err), ST_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters), cmocka_unit_test(test_a_row_unpacked),
		cmocka_unit_test(test_every_position_in_order), /* deletes the deployment */
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
