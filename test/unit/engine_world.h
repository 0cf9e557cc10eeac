/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of models in child processes share. The test program is its own child: main() starts with
 * engine_child_main. */
#ifndef GYRE_TEST_ENGINE_WORLD_H
#define GYRE_TEST_ENGINE_WORLD_H

#include "engine/engine.h"
#include "onnx_models.h"
#include "os/clock.h"
#include "os/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND 1000000LL
#define LIMIT_US (10 * SECOND) /* a clear status within this, whatever the model */

static char folder[] = "/tmp/gyre-engine-XXXXXX";

static inline struct engine_options options(const char *path)
{
	return (struct engine_options){.model_path = path,
		.seats = 1,
		.slot_bytes_max = 64 << 20,
		.memory_bytes_max = 2ULL << 30,
		.load_timeout_us = 30 * SECOND,
		.run_timeout_us = 20 * SECOND};
}

/* The bytes as a file; the path lasts until the next call. */
static const char *saved(struct str *file)
{
	static char path[PATH_MAX];
	static unsigned number;
	struct err err;
	snprintf(path, sizeof(path), "%s/model-%u.onnx", folder, number++);
	assert_int_equal(file_write_durable(path, span_of(file->text, file->size), 0600, &err), ST_OK);
	str_release(file);
	return path;
}

static inline struct str empty(void)
{
	struct str s;
	str_init(&s, 32 << 20);
	return s;
}

static inline struct engine *opened(const struct engine_options *o)
{
	struct engine *e = NULL;
	struct err err = {.text = ""};
	if (engine_open(o, &e, &err) != ST_OK)
		fail_msg("%s: %s", status_name(err.status), err.text);
	return e;
}

static inline struct engine_seat *taken(struct engine *e)
{
	struct engine_seat *seat = NULL;
	struct err err = {.text = ""};
	if (engine_seat_take(e, clock_mono_us() + 20 * SECOND, &seat, &err) != ST_OK)
		fail_msg("%s", err.text);
	return seat;
}

/* Fill the [1,3,8,8] image with one value, with a slope added. */
static inline void fill(struct engine_seat *seat, float value, float slope)
{
	const int64_t shape[] = {1, 3, 8, 8};
	void *data;
	struct err err;
	assert_int_equal(engine_seat_input(seat, shape, 4, &data, &err), ST_OK);
	for (int i = 0; i < 192; i++)
		((float *)data)[i] = value + slope * (float)i;
}

static inline enum status run_once(struct engine *e, float value, struct err *err)
{
	struct engine_seat *seat = taken(e);
	fill(seat, value, 0);
	enum status st = engine_run(seat, err);
	engine_seat_give(seat);
	return st;
}

static inline void runs(struct engine *e)
{
	struct err err = {.text = ""};
	if (run_once(e, 0.5F, &err) != ST_OK)
		fail_msg("%s", err.text);
}

static inline struct engine *opened_classifier(unsigned seats, const char *features)
{
	struct str file = empty();
	model_classifier(&file, 16, NULL, NULL);
	struct engine_options o = options(saved(&file));
	o.seats = seats;
	o.features_output = features;
	return opened(&o);
}

/* What a human would see, within ten seconds. */
static inline void refused(struct engine_options *o, enum status expected, const char *part)
{
	struct engine *e = NULL;
	struct err err = {.text = ""};
	int64_t before_us = clock_mono_us();
	enum status st = engine_open(o, &e, &err);
	if (st == ST_OK)
		engine_close(e);
	assert_in_range(clock_mono_us() - before_us, 0, LIMIT_US);
	if (st != expected || strstr(err.text, part) == NULL || !text_ends_with(err.text, "."))
		fail_msg("%s: '%s', expected %s: '%s'", status_name(st), err.text, status_name(expected),
			part);
	print_message("           %s: %s\n", status_name(st), err.text);
}

static inline void refused_model(struct str *file, enum status expected, const char *part)
{
	struct engine_options o = options(saved(file));
	o.load_timeout_us = 4 * SECOND;
	refused(&o, expected, part);
}

static inline int set_up(void **state)
{
	assert_non_null(mkdtemp(folder));
	assert_non_null(test_runtime_library());
	engine_library_set(test_runtime_library());
	return 0;
}

static inline int tear_down(void **state)
{
	DIR *d = opendir(folder);
	for (struct dirent *entry = d ? readdir(d) : NULL; entry; entry = readdir(d)) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	return rmdir(folder);
}

#endif
