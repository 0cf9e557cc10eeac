/* SPDX-License-Identifier: Apache-2.0 */
/* A world of which images are asked: one scene, answers as JSON, and the rows of what was recorded. */
#ifndef GYRE_TEST_SERVE_ANSWERS_H
#define GYRE_TEST_SERVE_ANSWERS_H

#include "serve_world.h"

#define WIDTH 640
#define HEIGHT 480

static struct world w;

/* Four that are found and a speck that is less sure. */
static const struct world_box boxes[] = {{60, 60, 96, 96, 0}, {300, 90, 120, 60, 1}, {100, 300, 64, 64, 2},
	{400, 280, 140, 140, 0}, {560, 60, 20, 20, 1}};
#define SURE 4

static inline struct span scene(uint8_t shade)
{
	return world_draw(&w.arena, WIDTH, HEIGHT, shade, boxes, COUNT_OF(boxes));
}

static inline yyjson_val *parsed(struct span json)
{
	yyjson_doc *doc;
	WORLD_OK(json_parse(json, &w.arena, &doc, WORLD_ERR));
	return yyjson_doc_get_root(doc);
}

static inline yyjson_val *predicted(const struct serve_request *request)
{
	struct span answer = {0};
	WORLD_OK(serve_predict(w.serve, request, &answer, WORLD_ERR));
	assert_int_equal(answer.data[answer.size], '\0');
	return parsed(answer);
}

static inline void refused(const struct serve_request *request, enum status expected, const char *part)
{
	struct span answer = {0};
	struct err err = {.text = ""};
	world_refused(serve_predict(w.serve, request, &answer, &err), expected, &err, part);
	assert_int_equal(answer.size, 0);
}

static inline double number_at(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	assert_true(yyjson_is_num(value));
	return yyjson_get_num(value);
}

static inline const char *text_at(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));
	assert_non_null(text);
	return text;
}

static inline struct uuid id_at(yyjson_val *object, const char *key)
{
	struct uuid id;
	assert_true(uuid_parse(text_at(object, key), &id));
	return id;
}

#define IDS_EQUAL(a, b) assert_true(uuid_equal(a, b))

static inline struct predicted_row row_of(struct uuid prediction_id)
{
	struct db_conn *c;
	struct predicted_row row;
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	WORLD_OK(prediction_rows_by_id(c, prediction_id, &w.arena, &row, WORLD_ERR));
	db_reader_give(w.readers, c);
	return row;
}

/* Rows of every table that a prediction writes to. */
struct rows {
	int64_t predictions, assets, data, objects, keys, tags, tagged, sources;
};

static inline struct rows count_rows(void)
{
	return (struct rows){
		.predictions = world_number(&w, "SELECT count(*) FROM prediction"),
		.assets = world_number(&w, "SELECT count(*) FROM predicted_asset"),
		.data = world_number(&w, "SELECT count(*) FROM data"),
		.objects = world_number(&w, "SELECT count(*) FROM object"),
		.keys = world_number(&w, "SELECT count(*) FROM idempotency"),
		.tags = world_number(&w, "SELECT count(*) FROM tag"),
		.tagged = world_number(&w, "SELECT count(*) FROM tag_target"),
		.sources = world_number(&w, "SELECT count(*) FROM data_source"),
	};
}

static inline void rows_are(struct rows expected)
{
	struct rows found = count_rows();
	assert_memory_equal(&found, &expected, sizeof(found));
}

static inline bool count_blob(void *arg, const char *key, uint64_t size)
{
	++*(int *)arg;
	return true;
}

static inline int count_blobs(void)
{
	int count = 0;
	WORLD_OK(blob_list(w.blobs, count_blob, &count, WORLD_ERR));
	return count;
}

static inline struct tally_summary totals(struct uuid deployment_id)
{
	struct tally_summary out;
	struct service *s = world_pin(&w, deployment_id);
	tally_read(s->tally, &out);
	service_drop(s);
	return out;
}

/* ---- a request on a thread of its own ---- */

struct asker {
	struct serve_request request;
	struct arena arena;
	struct span answer;
	enum status status;
	struct err err;
	thread_handle thread;
};

static inline void ask(void *arg)
{
	struct asker *a = arg;
	a->request.received_us = clock_mono_us();
	a->status = serve_predict(w.serve, &a->request, &a->answer, &a->err);
}

static inline void asker_start(struct asker *a, const struct serve_request *request)
{
	*a = (struct asker){.request = *request};
	arena_init(&a->arena);
	a->request.arena = &a->arena;
	thread_start(&a->thread, "asker", ask, a);
}

/* ---- a world for each test ---- */

static inline int open_world(void **state)
{
	world_open(&w);
	return 0;
}

static inline int close_world(void **state)
{
	world_close(&w);
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, open_world, close_world)

#endif
