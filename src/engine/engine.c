/* SPDX-License-Identifier: Apache-2.0 */
/* The doors to the implementations: what holds for all of them is checked here. */
#include "engine/engine.h"

#include "base/check.h"
#include "engine/engine_ops.h"
#include "os/file.h"
#include "os/thread.h"

#include <dlfcn.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LIBRARY "libonnxruntime.so.1"

/* Set once at start, before there are threads that open engines. */
static char library_configured[4096];

void engine_library_set(const char *path)
{
	snprintf(library_configured, sizeof(library_configured), "%s", path ? path : "");
}

static bool find_beside_executable(char out[4096])
{
	static const char *const folders[] = {"", "/deps/lib", "/../deps/lib", "/../lib/gyre"};
	char exe[4096];
	ssize_t size = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (size <= 0)
		return false;
	exe[size] = '\0';
	const char *folder = dirname(exe);
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		char path[4400];
		snprintf(path, sizeof(path), "%s%s/" LIBRARY, folder, folders[i]);
		char *real = realpath(path, NULL); /* the child works in another folder */
		bool found = real && strlen(real) < 4096 && access(real, R_OK) == 0;
		if (found)
			snprintf(out, 4096, "%s", real);
		free(real);
		if (found)
			return true;
	}
	return false;
}

enum status engine_library_find(const char *configured, char out[4096], struct err *err)
{
	if (configured == NULL || configured[0] == '\0')
		configured = library_configured;
	if (configured[0]) {
		char *real = realpath(configured, NULL);
		bool found = real && strlen(real) < 4096 && access(real, R_OK) == 0;
		if (found)
			snprintf(out, 4096, "%s", real);
		free(real);
		return found ? ST_OK
			     : err_set(err, ST_UNAVAILABLE,
				       "ONNX Runtime is not at %.300s, where it was configured to be.",
				       configured);
	}
	if (find_beside_executable(out))
		return ST_OK;
	void *handle = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	if (handle == NULL)
		return err_set(err, ST_UNAVAILABLE,
			"ONNX Runtime (" LIBRARY ") is neither beside the executable nor among the system's "
			"libraries: install it, or set its path.");
	dlclose(handle);
	snprintf(out, 4096, LIBRARY);
	return ST_OK;
}

static enum status open_checked(
	const struct engine_ops *ops, const struct engine_options *o, struct engine **out, struct err *err)
{
	struct engine_options options = *o;
	options.seats = o->seats ? o->seats : 1;
	options.slot_bytes_max = o->slot_bytes_max ? o->slot_bytes_max : 256ULL << 20;
	options.load_timeout_us = o->load_timeout_us > 0 ? o->load_timeout_us : 60000000;
	options.run_timeout_us = o->run_timeout_us > 0 ? o->run_timeout_us : 30000000;
	options.probe_side = o->probe_side > 0 ? o->probe_side : 640;
	CHECK(options.seats <= ENGINE_SEATS_MAX);
	return ops->open(&options, out, err);
}

enum status engine_open(const struct engine_options *o, struct engine **out, struct err *err)
{
	CHECK(o->model_path != NULL);
	return open_checked(&engine_ort_ops, o, out, err);
}

enum status engine_fake_open(const struct engine_options *o, struct engine **out, struct err *err)
{
	return open_checked(&engine_fake_ops, o, out, err);
}

void engine_describe(struct engine *e, struct engine_description *out)
{
	e->ops->describe(e, out);
}

enum status engine_seat_take(struct engine *e, int64_t deadline_us, struct engine_seat **out, struct err *err)
{
	CHECK(deadline_us > 0);
	TRY(e->ops->take(e, deadline_us, out, err));
	(*out)->engine = e;
	(*out)->output_count = 0;
	(*out)->features_size = 0;
	(*out)->cpu_us = 0;
	return ST_OK;
}

enum status engine_port_accepts(
	const struct engine_port *port, const int64_t *shape, int rank, uint64_t *bytes, struct err *err)
{
	*bytes = engine_type_size(port->type);
	if (port->rank >= 0 && port->rank != rank)
		return err_set(err, ST_UNPROCESSABLE, "The model's input '%s' has %d dimensions, not %d.",
			port->name, port->rank, rank);
	for (int i = 0; i < rank; i++) {
		int64_t side = port->rank >= 0 ? port->shape[i] : -1;
		if (side > 0 && side != shape[i])
			return err_set(err, ST_UNPROCESSABLE,
				"Dimension %d of the model's input '%s' is %lld, not %lld.", i, port->name,
				(long long)side, (long long)shape[i]);
		if (shape[i] <= 0 || __builtin_mul_overflow(*bytes, (uint64_t)shape[i], bytes))
			return err_set(err, ST_UNPROCESSABLE,
				"Dimension %d of the input '%s' cannot be %lld.", i, port->name,
				(long long)shape[i]);
	}
	return ST_OK;
}

enum status engine_seat_input(
	struct engine_seat *s, const int64_t *shape, int rank, void **data, struct err *err)
{
	CHECK(rank >= 0 && rank <= ENGINE_RANK_MAX);
	return s->engine->ops->input(s, shape, rank, data, err);
}

enum status engine_run(struct engine_seat *s, struct err *err)
{
	s->output_count = 0;
	s->features_size = 0;
	enum status st = s->engine->ops->run(s, err);
	CHECK(s->output_count <= ENGINE_TENSORS_MAX && s->features_size <= ENGINE_FEATURES_MAX);
	CHECK(st == ST_OK || s->output_count == 0);
	return st;
}

void engine_seat_give(struct engine_seat *s)
{
	s->engine->ops->give(s);
}

bool engine_held(struct engine *e, struct err *why)
{
	return e->ops->held(e, why);
}

void engine_close(struct engine *e)
{
	e->ops->close(e);
}
