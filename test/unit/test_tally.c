/* SPDX-License-Identifier: Apache-2.0 */
/* deploy/tally.h: running totals against counts of our own, and the same totals from the log. */
#include "deploy/tally.h"

#include "serve_world.h"
#include "store/data_rows.h"
#include "store/object_rows.h"

/* Repeatable, skewed as latencies are: most small, some large, many equal. */
static int64_t next_latency(uint64_t *random)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	uint64_t r = *random >> 33;
	return (int64_t)(r % 50 == 0 ? 100000 + r % 900000 : 5000 + r % 300);
}

/* A tally without a log. */
static void begin(struct tally *t)
{
	*t = (struct tally){0};
	pthread_mutex_init(&t->lock, NULL);
}

/* The smallest value that at least 99 of 100 values do not exceed. By counting. */
static int64_t p99_by_counting(const int64_t *values, int64_t count)
{
	int64_t best = INT64_MAX;
	for (int64_t i = 0; i < count; i++) {
		int64_t below = 0;
		for (int64_t k = 0; k < count; k++)
			below += values[k] <= values[i];
		if (below * 100 >= count * 99 && values[i] < best)
			best = values[i];
	}
	return best;
}

static void check(struct tally *t, const int64_t *latencies, int64_t count)
{
	struct tally_summary s;
	tally_read(t, &s);
	assert_int_equal(s.count, count);
	int64_t sum = 0, recent = count < TALLY_RECENT ? count : TALLY_RECENT;
	for (int64_t i = 0; i < count; i++)
		sum += latencies[i];
	assert_true(s.mean_us == (count ? (double)sum / (double)count : 0));
	assert_true(s.p99_us == (count ? (double)p99_by_counting(latencies + count - recent, recent) : 0));
	int64_t shown = count < 60 ? count : 60;
	assert_int_equal(s.recent_count, shown);
	for (int64_t i = 0; i < shown; i++)
		assert_int_equal(s.recent_us[i], latencies[count - shown + i]);
}

static void test_percentiles_and_means_are_those_of_a_plain_count(void **state)
{
	static int64_t latencies[2500];
	struct tally t;
	uint64_t random = 7;
	begin(&t);
	check(&t, latencies, 0);
	for (int64_t i = 0; i < 2500; i++) {
		latencies[i] = next_latency(&random);
		tally_recorded(&t, 1000 + i, latencies[i]);
		if (i < 205 || i % 157 == 0 || (i > 990 && i < 1010))
			check(&t, latencies, i + 1);
	}
	tally_end(&t);
}

static void test_the_last_time_never_goes_back(void **state)
{
	struct tally t;
	struct tally_summary s;
	begin(&t);
	tally_recorded(&t, 5000, 1);
	tally_recorded(&t, 3000, 1); /* was committed later, but made before */
	tally_read(&t, &s);
	assert_int_equal(s.last_us, 5000);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.failed, 0);
	tally_failed(&t);
	tally_read(&t, &s);
	assert_int_equal(s.failed, 1);
	assert_int_equal(s.count, 2);
	assert_true(s.mean_us == 1);
	tally_end(&t);
}

/* ---- from the log ---- */

struct log_entries {
	struct world *w;
	struct uuid deployment_id;
	const int64_t *latencies;
	int64_t count;
	bool shadow;
};

static enum status insert_data(struct db_conn *c, const struct world *w, struct uuid id, struct err *err)
{
	char name[UUID_TEXT_SIZE];
	uuid_format(id, name);
	struct object_row object = {.name = name, .created_us = 1};
	struct data_row data = {.id = id,
		.datalake_id = w->datalake_id,
		.object_name = name,
		.filename = name,
		.content_type = "image/png",
		.created_us = 1};
	TRY(object_rows_insert(c, &object, err));
	return data_rows_insert(c, &data, err);
}

static enum status insert_entries(struct db_conn *c, void *arg, struct err *err)
{
	const struct log_entries *e = arg;
	for (int64_t i = 0; i < e->count; i++) {
		struct uuid data = uuid_v7(i), asset = uuid_v7(i);
		struct prediction_row row = {.id = uuid_v7(i),
			.deployment_id = e->deployment_id,
			.predicted_asset_id = asset,
			.model_version_id = e->w->model_id,
			.is_shadow = e->shadow,
			.created_us = 1000 + i,
			.latency_us = e->latencies[i],
			.steps_us = "{}",
			.shapes = span_of("", 0),
			.image_stats = "{}"};
		TRY(insert_data(c, e->w, data, err));
		TRY(prediction_rows_insert_asset(c, asset, e->deployment_id, data, row.created_us, err));
		TRY(prediction_rows_insert(c, &row, err));
	}
	return ST_OK;
}

/* A version that nobody opens. */
static struct uuid add_deployment(struct world *w, const char *name)
{
	struct model_version_row version = {.id = uuid_v7(clock_unix_ms()),
		.model_id = w->model_id,
		.name = name,
		.description = "",
		.type = "OBJECT_DETECTION",
		.framework = "ONNX",
		.state = "EMPTY",
		.created_us = 1};
	world_write(w, world_insert_version, &version);
	return world_add_row(w, name, version.id, true);
}

static void start(struct world *w, struct tally *t, struct uuid deployment_id)
{
	struct db_conn *c;
	WORLD_OK(db_reader_take(w->readers, &c, WORLD_ERR));
	WORLD_OK(tally_start(t, c, deployment_id, WORLD_ERR));
	db_reader_give(w->readers, c);
}

static void test_a_start_from_the_log_equals_the_running_totals(void **state)
{
	static const int64_t counts[] = {0, 1, 59, 61, 1000, 1500};
	static int64_t latencies[1500], others[3] = {999999, 1, 999999};
	struct world w;
	uint64_t random = 11;
	world_open(&w);
	struct uuid other = add_deployment(&w, "other");
	world_write(&w, insert_entries, &(struct log_entries){&w, other, others, 3, false});
	for (size_t n = 0; n < COUNT_OF(counts); n++) {
		char name[16];
		struct tally running, started;
		struct tally_summary left, right;
		snprintf(name, sizeof(name), "line %zu", n);
		struct uuid id = add_deployment(&w, name);
		for (int64_t i = 0; i < counts[n]; i++)
			latencies[i] = next_latency(&random);
		start(&w, &running, id);
		for (int64_t i = 0; i < counts[n]; i++)
			tally_recorded(&running, 1000 + i, latencies[i]);
		world_write(&w, insert_entries, &(struct log_entries){&w, id, latencies, counts[n], false});
		world_write(&w, insert_entries, &(struct log_entries){&w, id, others, 3, true}); /* shadows */
		start(&w, &started, id);
		for (int more = 0; more < 2; more++) {
			tally_read(&running, &left);
			tally_read(&started, &right);
			assert_memory_equal(&left, &right, sizeof(left));
			/* Afterwards both go on alike. */
			tally_recorded(&running, 9000, 123);
			tally_recorded(&started, 9000, 123);
		}
		if (counts[n])
			assert_int_equal(left.last_us, 9000);
		tally_end(&running);
		tally_end(&started);
	}
	world_close(&w);
}

static void test_a_start_without_a_database_is_an_error(void **state)
{
	struct world w;
	struct tally t;
	struct db_conn *c;
	struct err err;
	world_open(&w);
	WORLD_OK(db_reader_take(w.readers, &c, WORLD_ERR));
	for (unsigned nth = 1; nth <= 2; nth++) {
		db_faulty_plan(w.db, DB_FAULTY_PREPARE, nth, 1, DB_FAULTY_BEFORE, ST_UNAVAILABLE);
		assert_int_equal(tally_start(&t, c, w.model_id, &err), ST_UNAVAILABLE);
		assert_int_equal(db_faulty_fired(w.db), 1);
	}
	db_faulty_plan(w.db, DB_FAULTY_ANY, 0, 0, DB_FAULTY_BEFORE, ST_OK);
	db_reader_give(w.readers, c);
	world_close(&w);
}

/* ---- threads ---- */

#define THREADS 8
#define EACH 2000

static void record(void *arg)
{
	struct tally *t = arg;
	struct tally_summary s;
	for (int i = 0; i < EACH; i++) {
		tally_recorded(t, i, 10 + i % 3);
		if (i % 4 == 0)
			tally_failed(t);
		if (i % 64 == 0)
			tally_read(t, &s);
	}
}

static void test_no_thread_loses_a_count(void **state)
{
	struct tally t;
	struct tally_summary s;
	thread_handle threads[THREADS];
	int64_t sum = 0;
	begin(&t);
	for (int i = 0; i < THREADS; i++)
		thread_start(&threads[i], "tally", record, &t);
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	for (int i = 0; i < EACH; i++)
		sum += 10 + i % 3;
	tally_read(&t, &s);
	assert_int_equal(s.count, THREADS * EACH);
	assert_int_equal(s.failed, THREADS * EACH / 4);
	assert_int_equal(s.last_us, EACH - 1);
	assert_true(s.mean_us == (double)sum / EACH);
	tally_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles_and_means_are_those_of_a_plain_count),
		cmocka_unit_test(test_the_last_time_never_goes_back),
		cmocka_unit_test(test_a_start_from_the_log_equals_the_running_totals),
		cmocka_unit_test(test_a_start_without_a_database_is_an_error),
		cmocka_unit_test(test_no_thread_loses_a_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
