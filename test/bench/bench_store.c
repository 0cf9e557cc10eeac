/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many predictions a second become durable, by the number of callers at once. Run by hand:
 * bench_store [folder on the disk in question]. A job is what serving records: one row of predicted_asset
 * and one of prediction, with 22 shapes and 256 features. With 1, 8 and 64 callers, groups are of at most
 * as many jobs. Prints jobs a second, jobs a commit, the median and the 99th percentile of a caller's wait,
 * CPU time a job of the whole process, and the most that the log held.
 */
#include "base/check.h"
#include "base/hash.h"
#include "base/metrics.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"
#include "store/prediction_rows.h"
#include "store/recorder.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define JOBS_MAX 16384

/* What a prediction refers to. */
static const char parents[] =
	"INSERT INTO organization VALUES (x'01', 'o', x'02', x'03', 0);"
	"INSERT INTO datalake VALUES (x'04', x'01', 'l', 0);"
	"INSERT INTO object VALUES ('image', NULL, NULL, NULL, 0);"
	"INSERT INTO data VALUES (x'05050505050505050505050505050505', x'04', NULL, 'image', 'a.jpg', "
	"'image/jpeg', 1, 1,"
	" NULL, NULL, 0);"
	"INSERT INTO model (id, organization_id, name, created_us) VALUES (x'06', x'01', 'm', 0);"
	"INSERT INTO model_version (id, model_id, version, name, type, framework, created_us)"
	" VALUES (x'07', x'06', 0, 'v', 't', 'f', 0);"
	"INSERT INTO deployment (id, organization_id, name, type, champion_id, champion_since_us, serving, "
	"threshold,"
	" datalake_id, created_us)"
	" VALUES (x'08080808080808080808080808080808', x'01', 'd', 't', x'07', 0, 1, 0.5, x'04', 0);";

static struct uuid id_of(uint8_t byte)
{
	struct uuid id;
	memset(id.bytes, byte, sizeof(id.bytes));
	return id;
}

static enum status set_up(struct db_conn *c, void *arg, struct err *err)
{
	return db_script(c, parents, err);
}

static enum status record(struct db_conn *c, void *arg, struct err *err)
{
	static const uint8_t shapes[22 * 24], features[512];
	int64_t now_us = clock_unix_us();
	struct prediction_row row = {
		.id = uuid_v7(now_us / 1000),
		.deployment_id = id_of(8),
		.predicted_asset_id = uuid_v7(now_us / 1000),
		.model_version_id = id_of(7),
		.created_us = now_us,
		.threshold = 0.5,
		.latency_us = 22000,
		.cpu_us = 21000,
		.steps_us = "{\"receive\": 310, \"decode\": 5120, \"preprocess\": 1890, \"infer\": 22400, "
			    "\"postprocess\": 240}",
		.shape_count = 22,
		.score_max = 0.93,
		.shapes = span_of(shapes, sizeof(shapes)),
		.features = span_of(features, sizeof(features)),
		.image_stats = "{\"brightness\": 0.41, \"contrast\": 0.22, \"blur\": 118.2}",
	};
	TRY(prediction_rows_insert_asset(
		c, row.predicted_asset_id, row.deployment_id, id_of(5), now_us, err));
	return prediction_rows_insert(c, &row, err);
}

struct run {
	struct recorder *recorder;
	atomic_int left, done;
	int64_t wait_us[JOBS_MAX];
};

static void must(enum status st, const struct err *err)
{
	if (st == ST_OK)
		return;
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static void caller(void *arg)
{
	struct run *r = arg;
	struct err err;
	while (atomic_fetch_sub(&r->left, 1) > 0) {
		int64_t start_us = clock_mono_us();
		must(recorder_run(r->recorder, record, NULL, &err), &err);
		r->wait_us[atomic_fetch_add(&r->done, 1)] = clock_mono_us() - start_us;
	}
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static double cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void measure(struct db *db, const char *log_path, int callers, int jobs)
{
	static struct run r;
	static thread_handle threads[64];
	struct err err;
	must(recorder_start(db, 1000, (unsigned)callers, &r.recorder, &err), &err);
	atomic_store(&r.left, jobs);
	atomic_store(&r.done, 0);
	int64_t commits = metric_value(METRIC_COMMITS), start_us = clock_mono_us();
	double cpu = cpu_us();
	for (int i = 0; i < callers; i++)
		thread_start(&threads[i], "caller", caller, &r);
	for (int i = 0; i < callers; i++)
		thread_join(threads[i]);
	double seconds = (double)(clock_mono_us() - start_us) / 1e6;
	cpu = cpu_us() - cpu;
	commits = metric_value(METRIC_COMMITS) - commits;
	qsort(r.wait_us, (size_t)jobs, sizeof(r.wait_us[0]), ascending);
	printf("%7d %9.0f %12.1f %10.2f %8.2f %11.1f %8.1f\n", callers, jobs / seconds,
		(double)jobs / (double)commits, (double)r.wait_us[jobs / 2] / 1e3,
		(double)r.wait_us[jobs * 99 / 100] / 1e3, cpu / jobs,
		(double)file_size(log_path) / (1 << 20));
	recorder_stop(r.recorder);
}

int main(int argc, char **argv)
{
	char folder[PATH_MAX - 64], path[PATH_MAX], log_path[PATH_MAX + 8];
	struct db *db;
	struct db_conn *c;
	struct recorder *r;
	struct err err;
	snprintf(folder, sizeof(folder), "%s/bench-store-XXXXXX", argc > 1 ? argv[1] : ".");
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/db", folder);
	snprintf(log_path, sizeof(log_path), "%s-wal", path);
	must(db_sqlite_open(path, &db, &err), &err);
	must(db_connect(db, true, &c, &err), &err);
	must(migrate_up(c, &err), &err);
	db_disconnect(c);
	must(recorder_start(db, 10, 1, &r, &err), &err);
	must(recorder_run(r, set_up, NULL, &err), &err);
	recorder_stop(r);

	printf("%7s %9s %12s %10s %8s %11s %8s\n", "callers", "jobs/s", "jobs/commit", "median ms", "p99 ms",
		"CPU us/job", "log MiB");
	for (int round = 0; round < 3; round++) {
		measure(db, log_path, 1, 1000);
		measure(db, log_path, 8, 4000);
		measure(db, log_path, 64, JOBS_MAX);
	}
	db_close(db);
	CHECK(unlink(path) == 0 && rmdir(folder) == 0);
	return 0;
}
