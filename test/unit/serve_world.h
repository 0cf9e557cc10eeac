/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small gyre without HTTP, for tests of what predicts: a temporary data folder with a
 * migrated database and blobs (both fail on demand), the writer, readers, a roster, the
 * pipeline; and the rows and images that such tests begin with. The program is its own
 * engine: main() begins with WORLD_MAIN().
 */
#ifndef GYRE_TEST_SERVE_WORLD_H
#define GYRE_TEST_SERVE_WORLD_H

#include "base/check.h"
#include "deploy/roster.h"
#include "engine/sample.h"
#include "onnx_models.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"
#include "serve/pipeline.h"
#include "store/account_rows.h"
#include "store/blob_faulty.h"
#include "store/datalake_rows.h"
#include "store/db_faulty.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"

#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <cmocka.h>

#define SECOND_US 1000000LL
#define PATIENCE_US                                                                                          \
	(60 * SECOND_US) /* for what comes within a moment, on a busy machine under sanitizers               \
			  */
#define WORLD_READERS 4

struct world {
	char folder[32];
	struct db *db;      /* faulty, around SQLite */
	struct blob *blobs; /* faulty, around files */
	struct recorder *recorder;
	struct db_readers *readers;
	struct roster *roster;
	struct serve *serve;
	struct uuid organization_id, datalake_id, model_id;
	struct arena arena;
	/* What the pipeline told. */
	_Atomic int told;
	_Atomic int64_t told_shapes;
};

/* Where calls that must work put their errors: WORLD_OK(db_connect(db, true, &c, WORLD_ERR)). */
static _Thread_local struct err world_err;
#define WORLD_ERR (&world_err)
#define WORLD_OK(call)                                                                                       \
	do {                                                                                                 \
		if ((call) != ST_OK)                                                                         \
			fail_msg("%s: %s: %s", #call, status_name(world_err.status), world_err.text);        \
	} while (0)

/* Looks again every millisecond until it holds. */
#define WORLD_UNTIL(condition)                                                                               \
	do {                                                                                                 \
		int64_t deadline_us_ = clock_mono_us() + PATIENCE_US;                                        \
		while (!(condition)) {                                                                       \
			if (clock_mono_us() > deadline_us_)                                                  \
				fail_msg("not in time: %s", #condition);                                     \
			poll(NULL, 0, 1);                                                                    \
		}                                                                                            \
	} while (0)

/* A sentence: not empty, with a full stop. */
static inline void world_refused(
	enum status st, enum status expected, const struct err *err, const char *part)
{
	if (st != expected || strstr(err->text, part) == NULL || !text_ends_with(err->text, "."))
		fail_msg("%s: '%s', expected %s: '…%s…'", status_name(st), st == ST_OK ? "" : err->text,
			status_name(expected), part);
}

/* ---- rows ---- */

static inline enum status world_insert_ground(struct db_conn *c, void *arg, struct err *err)
{
	struct world *w = arg;
	int64_t now_us = clock_unix_us();
	w->organization_id = uuid_v7(now_us / 1000);
	w->datalake_id = uuid_v7(now_us / 1000);
	w->model_id = uuid_v7(now_us / 1000);
	struct organization_row organization = {.id = w->organization_id,
		.connector_id = uuid_v7(now_us / 1000),
		.name = "works",
		.created_us = now_us};
	struct datalake_row datalake = {.id = w->datalake_id,
		.organization_id = w->organization_id,
		.name = "images",
		.created_us = now_us};
	struct model_row model = {.id = w->model_id,
		.organization_id = w->organization_id,
		.name = "finder",
		.description = "",
		.created_us = now_us};
	TRY(account_rows_insert_organization(c, &organization, err));
	TRY(datalake_rows_insert(c, &datalake, err));
	return model_rows_insert(c, &model, err);
}

static inline void world_write(struct world *w, recorder_job *job, void *arg)
{
	WORLD_OK(recorder_run(w->recorder, job, arg, WORLD_ERR));
}

/* The one number of a query without parameters. sql is a literal. */
static inline int64_t world_number(struct world *w, const char *sql)
{
	struct db_conn *c;
	WORLD_OK(db_reader_take(w->readers, &c, WORLD_ERR));
	struct db_query q = db_query(c, sql);
	int64_t number = db_next(&q) ? db_integer(&q, 0) : -1;
	WORLD_OK(db_done(&q, WORLD_ERR));
	db_reader_give(w->readers, c);
	return number;
}

/* ---- processes ---- */

/* Children of this process, ended but not reaped ones too. */
static inline int world_count_children(void)
{
	int count = 0;
	DIR *d = opendir("/proc");
	assert_non_null(d);
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
		char path[300], text[512] = "";
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		FILE *file = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(path, "re") : NULL;
		if (file == NULL)
			continue;
		size_t size = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		text[size] = '\0';
		const char *after = strrchr(text, ')'); /* ") S 123": the state and the parent */
		if (after && strtol(after + 3, NULL, 10) == getpid())
			count++;
	}
	closedir(d);
	return count;
}

/* Those since the world was opened: a test that failed may have left some. */
static int world_children_before;
static inline int world_children(void)
{
	return world_count_children() - world_children_before;
}

/* ---- open and close ---- */

static inline void world_told(void *arg, const struct prediction_row *row, size_t shapes_shown)
{
	struct world *w = arg;
	CHECK(!uuid_is_zero(row->id));
	atomic_fetch_add(&w->told, 1);
	atomic_store(&w->told_shapes, (int64_t)shapes_shown);
}

static inline void world_serve(struct world *w, uint64_t pixel_bytes_max, int64_t seat_timeout_us)
{
	if (w->serve)
		serve_free(w->serve);
	w->serve = serve_new(&(struct serve_options){
		.roster = w->roster,
		.readers = w->readers,
		.recorder = w->recorder,
		.blobs = w->blobs,
		.pixel_bytes_max = pixel_bytes_max,
		.seat_timeout_us = seat_timeout_us,
		.recorded = world_told,
		.recorded_arg = w,
	});
}

/* As after a start of the server: a roster that knows nothing yet. */
static inline void world_new_roster(struct world *w)
{
	if (w->roster)
		roster_free(w->roster);
	w->roster = roster_new(w->readers, w->blobs);
	world_serve(w, 512u << 20, PATIENCE_US);
}

static inline void world_open(struct world *w)
{
	struct db *sqlite;
	struct db_conn *c;
	struct blob *files;
	*w = (struct world){.folder = "/tmp/gyre-world-XXXXXX"};
	arena_init(&w->arena);
	world_children_before = world_count_children();
	assert_non_null(mkdtemp(w->folder));
	WORLD_OK(db_sqlite_open(arena_printf(&w->arena, "%s/gyre.db", w->folder), &sqlite, WORLD_ERR));
	w->db = db_faulty_new(sqlite);
	WORLD_OK(db_connect(w->db, true, &c, WORLD_ERR));
	WORLD_OK(migrate_up(c, WORLD_ERR));
	db_disconnect(c);
	WORLD_OK(recorder_start(w->db, 1000, 64, &w->recorder, WORLD_ERR));
	WORLD_OK(db_readers_new(w->db, WORLD_READERS, &w->readers, WORLD_ERR));
	WORLD_OK(blob_file_open(arena_printf(&w->arena, "%s/blobs", w->folder), &files, WORLD_ERR));
	w->blobs = blob_faulty_new(files);
	world_write(w, world_insert_ground, w);
	model_limits_set(&(struct model_limits){.seats = 2,
		.memory_bytes_max = 2ULL << 30,
		.load_timeout_us = PATIENCE_US,
		.run_timeout_us = PATIENCE_US});
	world_new_roster(w);
}

static inline int world_remove(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	return remove(path);
}

static inline void world_close(struct world *w)
{
	if (w->serve)
		serve_free(w->serve);
	if (w->roster)
		roster_free(w->roster);
	blob_close(w->blobs);
	db_readers_free(w->readers);
	recorder_stop(w->recorder);
	db_close(w->db);
	arena_release(&w->arena);
	nftw(w->folder, world_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- models ---- */

struct world_version {
	struct span onnx;
	enum task task;
	const char *labels; /* JSON */
	const char *recipe; /* given, or NULL */
};

static inline struct world_version world_sample(struct world *w)
{
	return (struct world_version){.onnx = engine_sample_detector(&w->arena),
		.task = TASK_DETECTION,
		.labels = "{\"0\": \"red\", \"1\": \"green\", \"2\": \"blue\"}"};
}

/* Two classes, by a mean of the pixels: grey v (0…1) is "odd" with 1 / (1 + exp(-8 v)). 16 features. */
static inline struct world_version world_classifier(struct world *w)
{
	struct str file;
	str_init(&file, 1 << 20);
	model_classifier(&file, 16, NULL, NULL);
	struct span onnx = arena_copy(&w->arena, span_of(file.text, file.size));
	str_release(&file);
	return (struct world_version){.onnx = onnx,
		.task = TASK_CLASSIFICATION,
		.labels = "{\"0\": \"even\", \"1\": \"odd\"}",
		.recipe = "{\"fit\": \"stretch\", \"scale\": 0.00392156862745098, \"mean\": [0, 0, 0], "
			  "\"std\": [1, 1, 1], \"probabilities\": false}"};
}

static inline enum status world_insert_version(struct db_conn *c, void *arg, struct err *err)
{
	struct model_version_row *row = arg;
	TRY(model_rows_next_version(c, row->model_id, &row->version, err));
	return model_rows_version_insert(c, row, err);
}

static inline enum status world_update_version(struct db_conn *c, void *arg, struct err *err)
{
	return model_rows_version_update(c, arg, err);
}

/* Stored and admitted, as an upload is. */
static inline struct uuid world_add_version(struct world *w, const struct world_version *v)
{
	char sha256[SHA256_HEX_SIZE], path[64];
	WORLD_OK(blob_put(w->blobs, v->onnx, sha256, WORLD_ERR));
	int fd;
	uint64_t size;
	WORLD_OK(blob_open(w->blobs, sha256, &fd, &size, WORLD_ERR));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const char **labels;
	uint32_t label_count;
	struct model_verdict verdict;
	WORLD_OK(model_labels(v->labels, &w->arena, &labels, &label_count, WORLD_ERR));
	WORLD_OK(model_admit(path, v->task, (const char *const *)labels, label_count, v->recipe, &w->arena,
		&verdict, WORLD_ERR));
	close(fd);
	struct model_version_row row = {
		.id = uuid_v7(clock_unix_ms()),
		.model_id = w->model_id,
		.name = "one",
		.description = "",
		.type = task_wire_name(v->task),
		.framework = "ONNX",
		.labels = v->labels,
		.state = verdict.ready ? "READY" : "REFUSED",
		.state_text = verdict.state_text,
		.onnx_sha256 = arena_strdup(&w->arena, sha256),
		.recipe = verdict.recipe,
		.graph = verdict.graph,
		.created_us = clock_unix_us(),
	};
	world_write(w, world_insert_version, &row);
	return row.id;
}

static inline struct uuid world_add_sample(struct world *w)
{
	struct world_version v = world_sample(w);
	return world_add_version(w, &v);
}

static inline struct model_version_row world_read_version(struct world *w, struct uuid id)
{
	struct db_conn *c;
	struct model_version_row row;
	WORLD_OK(db_reader_take(w->readers, &c, WORLD_ERR));
	WORLD_OK(model_rows_version_by_id(c, id, &w->arena, &row, WORLD_ERR));
	db_reader_give(w->readers, c);
	return row;
}

/* Another version of the same file, without admitting it again. */
static inline struct uuid world_copy_version(struct world *w, struct uuid id)
{
	struct model_version_row row = world_read_version(w, id);
	row.id = uuid_v7(clock_unix_ms());
	world_write(w, world_insert_version, &row);
	return row.id;
}

/* Another version whose file is other bytes, never admitted: `bytes` NULL leaves the file away. */
static inline struct uuid world_break_version(struct world *w, struct uuid id, const char *bytes)
{
	struct model_version_row row = world_read_version(w, id);
	char sha256[SHA256_HEX_SIZE];
	row.id = uuid_v7(clock_unix_ms());
	WORLD_OK(blob_put(w->blobs, span_of_text(bytes ? bytes : "gone"), sha256, WORLD_ERR));
	if (bytes == NULL)
		WORLD_OK(blob_remove(w->blobs, sha256, WORLD_ERR));
	row.onnx_sha256 = sha256;
	world_write(w, world_insert_version, &row);
	return row.id;
}

/* ---- deployments ---- */

static inline enum status world_insert_deployment(struct db_conn *c, void *arg, struct err *err)
{
	return deployment_rows_insert(c, arg, err);
}

/* The row alone: nobody serves it yet. */
static inline struct uuid world_add_row(
	struct world *w, const char *name, struct uuid version_id, bool serving)
{
	struct model_version_row version = world_read_version(w, version_id);
	struct deployment_row row = {
		.id = uuid_v7(clock_unix_ms()),
		.organization_id = w->organization_id,
		.name = name,
		.type = version.type,
		.champion_id = version_id,
		.champion_since_us = clock_unix_us(),
		.serving = serving,
		.threshold = 0.5,
		.sample_rate = 1,
		.datalake_id = w->datalake_id,
		.created_us = clock_unix_us(),
	};
	world_write(w, world_insert_deployment, &row);
	return row.id;
}

/* As `gyre deploy` does. */
static inline struct uuid world_deploy(struct world *w, const char *name, struct uuid version_id)
{
	struct model *model;
	WORLD_OK(roster_model(w->roster, version_id, &model, WORLD_ERR));
	struct uuid id = world_add_row(w, name, version_id, true);
	WORLD_OK(roster_serve(w->roster, id, model, WORLD_ERR));
	model_drop(model);
	return id;
}

/* A change of the row; what is not set stays. */
struct world_change {
	struct uuid id, champion_id;
	double threshold;      /* 0: stays */
	const char *paused_by; /* "": resumed, NULL: stays */
};

static inline enum status world_apply(struct db_conn *c, void *arg, struct err *err)
{
	const struct world_change *change = arg;
	struct deployment_row row;
	struct arena a;
	arena_init(&a);
	enum status st = deployment_rows_by_id(c, change->id, &a, &row, err);
	if (st == ST_OK) {
		if (!uuid_is_zero(change->champion_id))
			row.champion_id = change->champion_id;
		if (change->threshold > 0)
			row.threshold = change->threshold;
		if (change->paused_by) {
			row.paused_by = change->paused_by[0] ? change->paused_by : NULL;
			row.paused_us = change->paused_by[0] ? 1700000000000000 : 0;
		}
		st = deployment_rows_update(c, &row, err);
	}
	arena_release(&a);
	return st;
}

/* Commit, then serve what the row says. model as roster_serve() takes it. */
static inline void world_change(struct world *w, struct world_change change, struct model *model)
{
	world_write(w, world_apply, &change);
	WORLD_OK(roster_serve(w->roster, change.id, model, WORLD_ERR));
}

static inline struct service *world_pin(struct world *w, struct uuid deployment_id)
{
	struct service *s = NULL;
	WORLD_OK(roster_pin(w->roster, deployment_id, &s, WORLD_ERR));
	return s;
}

static inline enum service_state world_state(struct world *w, struct uuid deployment_id)
{
	struct service *s = world_pin(w, deployment_id);
	enum service_state state = s->state;
	service_drop(s);
	return state;
}

/* ---- images ---- */

struct world_box {
	uint32_t x, y, width, height;
	int colour; /* 0 red, 1 green, 2 blue */
};

/* A PNG of rectangles on grey, in the arena. `shade` (0…255) makes it another picture. */
static inline struct span world_draw(struct arena *a, uint32_t width, uint32_t height, uint8_t shade,
	const struct world_box *boxes, size_t count)
{
	struct image image = {width, height, arena_alloc(a, (size_t)3 * width * height)};
	memset(image.pixels, shade, (size_t)3 * width * height);
	for (size_t b = 0; b < count; b++) {
		for (uint32_t y = boxes[b].y; y < boxes[b].y + boxes[b].height; y++) {
			for (uint32_t x = boxes[b].x; x < boxes[b].x + boxes[b].width; x++) {
				uint8_t *pixel = image.pixels + 3 * ((size_t)y * width + x);
				for (int c = 0; c < 3; c++)
					pixel[c] = c == boxes[b].colour ? 230 : 38;
			}
		}
	}
	uint8_t *bytes;
	size_t size;
	WORLD_OK(image_encode_png(&image, &bytes, &size, WORLD_ERR));
	struct span png = arena_copy(a, span_of(bytes, size));
	free(bytes);
	return png;
}

static inline struct serve_request world_request(
	struct uuid deployment_id, struct span image, struct arena *a)
{
	return (struct serve_request){.deployment_id = deployment_id,
		.image = image,
		.monitor = true,
		.received_us = clock_mono_us(),
		.arena = a};
}

/* ---- the program ---- */

static inline int world_set_up(void **state)
{
	assert_non_null(test_runtime_library());
	engine_library_set(test_runtime_library());
	return 0;
}

/* Before anything else in main(): this program started as an engine becomes one. */
#define WORLD_MAIN(argc, argv)                                                                               \
	do {                                                                                                 \
		if ((argc) > 1 && strcmp((argv)[1], "engine") == 0)                                          \
			return engine_child_main(argc, argv);                                                \
	} while (0)

#endif
