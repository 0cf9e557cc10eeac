/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `gyre engine`: the process that holds one model. The main thread loads it, tries
 * it once, then waits for stop requests; each seat has a thread that answers one run
 * after the other. It ends with the control socket, or by SIGKILL.
 */
#include "base/arena.h"
#include "base/check.h"
#include "engine/engine.h"
#include "engine/onnx.h"
#include "engine/ort_session.h"
#include "engine/protocol.h"
#include "engine/sandbox.h"
#include "engine/sentence.h"
#include "engine/tap.h"
#include "os/clock.h"
#include "os/proc.h"
#include "os/thread.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES_MAX (4 << 20)
#define SLOW_US 1000000 /* a run that is not repeated only to time it */

struct child_seat {
	struct child *child;
	int socket;
	struct ort_stop *stop;
	pthread_mutex_t lock; /* guards the rest, and stop against runs that have ended */
	uint64_t running;     /* sequence of the run in progress, 0: none */
	bool stopped;
};

struct child {
	struct protocol_start start;
	struct protocol_report report;
	struct ort_runtime *runtime;
	struct ort_session *session;
	uint8_t *model_bytes; /* a private map of the file with room for a tail */
	struct span model;    /* without the tail */
	uint8_t *memory;
	bool has_tap;
	struct child_seat seats[ENGINE_SEATS_MAX];
};

static void say(struct child *c, enum protocol_stage stage)
{
	c->report.stage = stage;
	if (send(PROTOCOL_FD_CONTROL, &c->report, sizeof(c->report), MSG_NOSIGNAL) < 0)
		_exit(0); /* nobody is listening any more */
}

_Noreturn static void give_up(struct child *c, const struct err *err)
{
	c->report.status = err->status;
	sentence_clean(span_of_text(err->text), c->report.text, sizeof(c->report.text));
	say(c, (enum protocol_stage)c->report.stage);
	_exit(1);
}

static enum status map_memory(struct child *c, struct err *err)
{
	size_t size = c->start.seats * c->start.slot_bytes;
	c->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, PROTOCOL_FD_MEMORY, 0);
	return c->memory != MAP_FAILED ? ST_OK : err_errno(err, "The memory for tensors cannot be mapped");
}

/* The file, privately, with TAIL_BYTES_MAX behind it: its weights are never copied to append to them. */
static enum status map_model(struct child *c, struct err *err)
{
	struct stat info;
	if (fstat(PROTOCOL_FD_MODEL, &info) != 0)
		return err_errno(err, "The model file cannot be looked at");
	size_t size = (size_t)info.st_size;
	uint8_t *base =
		mmap(NULL, size + TAIL_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED || mmap(base, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
					  PROTOCOL_FD_MODEL, 0) == MAP_FAILED)
		return err_errno(err, "The model file cannot be mapped");
	c->model_bytes = base;
	c->model = span_of(base, size);
	return ST_OK;
}

/* The model with `tail` behind its bytes; the tail of an earlier call is overwritten. */
static struct span with_tail(struct child *c, const struct str *tail)
{
	CHECK(tail->size <= TAIL_BYTES_MAX && !tail->full);
	memcpy(c->model_bytes + c->model.size, str_text(tail), tail->size);
	return span_of(c->model.data, c->model.size + tail->size);
}

static struct ort_slot slot_of(struct child *c, unsigned seat)
{
	return (struct ort_slot){c->memory + seat * c->start.slot_bytes, c->start.slot_bytes};
}

/* Mid-grey for pixels 0…1 and for bytes; what the values are does not matter much. */
static void fill_grey(uint8_t *out, enum engine_type type, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		switch (type) {
		case ENGINE_FLOAT32: ((float *)out)[i] = 0.5F; break;
		case ENGINE_FLOAT16: ((uint16_t *)out)[i] = 0x3800; break;
		case ENGINE_DOUBLE: ((double *)out)[i] = 0.5; break;
		case ENGINE_INT32: ((int32_t *)out)[i] = 127; break;
		case ENGINE_INT64: ((int64_t *)out)[i] = 127; break;
		case ENGINE_BOOL: out[i] = 1; break;
		default: out[i] = 127;
		}
	}
}

static struct protocol_run probe_of(const struct child *c)
{
	struct protocol_run run = {.sequence = 1, .rank = c->start.probe_rank};
	run.size = engine_type_size((enum engine_type)c->start.input_type);
	for (int i = 0; i < run.rank; i++) {
		run.shape[i] = c->start.probe_shape[i];
		if (__builtin_mul_overflow(run.size, (uint64_t)run.shape[i], &run.size))
			run.size = UINT64_MAX;
	}
	return run;
}

/* The best of the tensors that were added behind the model's own outputs, by their shapes as far as they are
 * known. */
static struct span best_tap(const struct ort_session *s, unsigned own, const struct span *names, size_t count)
{
	struct tap_shape best = {0};
	struct span chosen = {0};
	for (unsigned i = 0; i < count; i++) {
		const struct engine_port *port = ort_session_output(s, own + i);
		bool fits = port->rank == 4 &&
			    (port->type == ENGINE_FLOAT32 || port->type == ENGINE_FLOAT16) &&
			    (port->shape[0] == 1 || port->shape[0] == -1);
		struct tap_shape shape = {port->shape[1], port->shape[2], port->shape[3]};
		if (fits && tap_better(shape, best)) {
			best = shape;
			chosen = names[i];
		}
	}
	return chosen;
}

/* Feature maps whose sides inference does not know. */
static bool has_open_shapes(const struct ort_session *s, unsigned own, size_t count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct engine_port *port = ort_session_output(s, own + i);
		if (port->rank == 4 && (port->shape[1] < 0 || port->shape[2] < 0 || port->shape[3] < 0))
			return true;
	}
	return false;
}

/* Open the model with these tensors as further outputs; without optimisation, and with named sides as they
 * will be tried. */
static enum status open_with_taps(struct child *c, const struct engine_description *d,
	const struct span *names, size_t count, struct ort_session **out, struct err *err)
{
	struct str tail;
	str_init(&tail, TAIL_BYTES_MAX);
	for (size_t i = 0; i < count; i++)
		tap_append_output(&tail, names[i]);
	struct ort_session_options options = {
		.fix = c->start.probe_rank > 0 ? &d->inputs[0] : NULL, .fix_shape = c->start.probe_shape};
	enum status st = tail.full ? err_set(err, ST_UNPROCESSABLE, "The names of the tensors are too long.")
				   : ort_session_open(c->runtime, with_tail(c, &tail), &options, out, err);
	str_release(&tail);
	return st;
}

/*
 * ONNX Runtime infers most shapes when it opens a model. Where it knows none (unnamed dynamic sides, computed
 * shapes) one run tells, asked for the last few tensors only: each keeps its memory until the end, and the
 * deepest map is near the end.
 */
static struct span choose_tap(
	struct child *c, const struct engine_description *d, const struct span *names, size_t count)
{
	struct ort_session *s = NULL;
	struct err err;
	if (count == 0 || open_with_taps(c, d, names, count, &s, &err) != ST_OK)
		return (struct span){0};
	struct span chosen = best_tap(s, d->output_count, names, count);
	bool open = has_open_shapes(s, d->output_count, count);
	ort_session_close(s);
	if (chosen.size || !open || c->start.probe_rank == 0)
		return chosen;
	size_t last = count < ORT_SESSION_LEARN_MAX ? count : ORT_SESSION_LEARN_MAX;
	names += count - last;
	if (open_with_taps(c, d, names, last, &s, &err) != ST_OK)
		return chosen;
	struct protocol_run run = probe_of(c);
	struct ort_slot slot = slot_of(c, 0);
	enum engine_type type = (enum engine_type)c->start.input_type;
	if (run.size <= slot.size) {
		fill_grey(c->memory, type, run.size / engine_type_size(type));
		if (ort_session_learn(s, c->seats[0].stop, type, &run, slot, d->output_count, &err) == ST_OK)
			chosen = best_tap(s, d->output_count, names, last);
	}
	ort_session_close(s);
	return chosen;
}

/* ENGINE_FEATURES_AUTO becomes a tensor's name, or "" when there is none. A name too long for the report is
 * none. */
static enum status choose_features(struct child *c, const struct engine_description *d, struct err *err)
{
	char *name = c->report.features_output;
	struct arena a;
	struct span *names;
	size_t count;
	snprintf(name, sizeof(c->report.features_output), "%s", c->start.features_output);
	if (strcmp(name, ENGINE_FEATURES_AUTO) != 0)
		return ST_OK;
	name[0] = '\0';
	say(c, PROTOCOL_CHOOSING);
	arena_init(&a);
	enum status st = onnx_candidates(c->model, &a, &names, &count, err);
	if (st == ST_OK) {
		struct span chosen = choose_tap(c, d, names, count);
		char clean[sizeof(c->report.features_output)];
		sentence_clean(chosen, clean, sizeof(clean));
		if (span_equal(chosen, span_of_text(clean)))
			memcpy(name, clean, sizeof(clean));
	}
	arena_release(&a);
	return st;
}

static enum status open_tapped(struct child *c, struct err *err)
{
	struct str tail;
	str_init(&tail, TAIL_BYTES_MAX);
	c->has_tap = c->report.features_output[0] != '\0';
	if (onnx_lists_initialisers(c->model))
		tap_append_ir_version_3(&tail);
	if (c->has_tap)
		tap_append_output(&tail, span_of_text(c->report.features_output));
	struct ort_session_options options = {.optimise = true};
	enum status st = ort_session_open(c->runtime, with_tail(c, &tail), &options, &c->session, err);
	str_release(&tail);
	return st;
}

/* One run on grey in the first seat's slot. */
static enum status try_grey(struct child *c, struct protocol_result *result, struct err *err)
{
	struct protocol_run run = probe_of(c);
	enum engine_type type = (enum engine_type)c->start.input_type;
	struct ort_slot slot = slot_of(c, 0);
	if (run.size > slot.size)
		return err_set(err, ST_UNPROCESSABLE,
			"The model's input is too large: inputs and outputs of one run may have %zu MiB.",
			slot.size >> 20);
	fill_grey(c->memory, type, run.size / engine_type_size(type));
	*result = (struct protocol_result){0};
	return ort_session_run(c->session, c->seats[0].stop, type, &run, slot, c->has_tap, result, err);
}

static enum status open_model(struct child *c, struct err *err)
{
	enum status st = open_tapped(c, err);
	bool chosen = c->has_tap && strcmp(c->start.features_output, ENGINE_FEATURES_AUTO) == 0;
	if (st == ST_OK || !chosen)
		return st;
	/* Perhaps it is the tap: a model does without one, unless somebody asked for it by name. */
	c->report.features_output[0] = '\0';
	return open_tapped(c, err);
}

/* The first run is slower than the following ones: where one is quick, the second is timed. */
static void try_model(struct child *c)
{
	struct protocol_result result = {0};
	struct err err;
	say(c, PROTOCOL_TRYING);
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		int64_t before_us = clock_mono_us();
		c->report.probe_status = try_grey(c, &result, &err);
		c->report.probe_us = clock_mono_us() - before_us;
		if (c->report.probe_status != ST_OK) {
			sentence_clean(
				span_of_text(err.text), c->report.probe_text, sizeof(c->report.probe_text));
			return;
		}
		if (c->report.probe_us > SLOW_US)
			break;
	}
	c->report.features_size = result.features_size;
	ort_session_settle(c->session, &result);
}

static enum status prepare(struct child *c, struct err *err)
{
	struct engine_description d;
	TRY(map_memory(c, err));
	TRY(map_model(c, err));
	TRY(ort_runtime_open(c->start.library, &c->runtime, err));
	TRY(sandbox_enter(c->start.memory_bytes_max, err));
	for (unsigned i = 0; i < c->start.seats; i++)
		c->seats[i].stop = ort_stop_new(c->runtime);
	TRY(engine_inspect(c->model, &d, err));
	TRY(choose_features(c, &d, err));
	say(c, PROTOCOL_LOADING);
	TRY(open_model(c, err));
	if (ort_session_input_count(c->session) != 1 ||
		ort_session_output_count(c->session) != d.output_count + c->has_tap)
		return err_set(err, ST_UNPROCESSABLE,
			"ONNX Runtime sees other inputs and outputs than the file states.");
	c->report.probe_status = ST_INVALID;
	if (c->start.probe_rank > 0)
		try_model(c);
	return ST_OK;
}

/* Tells run `sequence` from those before and after it, so that a late request stops nothing else. */
static void begin_run(struct child_seat *seat, uint64_t sequence)
{
	mutex_lock(&seat->lock);
	seat->running = sequence;
	seat->stopped = false;
	mutex_unlock(&seat->lock);
}

static bool end_run(struct child_seat *seat)
{
	mutex_lock(&seat->lock);
	bool stopped = seat->stopped;
	seat->running = 0;
	if (stopped)
		ort_stop_clear(seat->stop);
	mutex_unlock(&seat->lock);
	return stopped;
}

static void stop_run(struct child *c, const struct protocol_stop *stop)
{
	if (stop->seat >= c->start.seats)
		return;
	struct child_seat *seat = &c->seats[stop->seat];
	mutex_lock(&seat->lock);
	if (seat->running == stop->sequence && !seat->stopped) {
		seat->stopped = true;
		ort_stop_request(seat->stop);
	}
	mutex_unlock(&seat->lock);
}

static void answer_runs(void *arg)
{
	struct child_seat *seat = arg;
	struct child *c = seat->child;
	struct ort_slot slot = slot_of(c, (unsigned)(seat - c->seats));
	struct protocol_run run;
	while (recv(seat->socket, &run, sizeof(run), 0) == (ssize_t)sizeof(run)) {
		struct protocol_result result = {.sequence = run.sequence};
		struct err err = {.text = ""};
		begin_run(seat, run.sequence);
		result.status = ort_session_run(c->session, seat->stop, (enum engine_type)c->start.input_type,
			&run, slot, c->has_tap, &result, &err);
		if (end_run(seat) && result.status != ST_OK)
			result.status = ST_TIMEOUT;
		sentence_clean(span_of_text(err.text), result.text, sizeof(result.text));
		if (send(seat->socket, &result, sizeof(result), MSG_NOSIGNAL) < 0)
			break;
	}
}

static void start_seats(struct child *c)
{
	for (unsigned i = 0; i < c->start.seats; i++) {
		struct child_seat *seat = &c->seats[i];
		thread_handle thread;
		char name[16];
		seat->child = c;
		seat->socket = PROTOCOL_FD_SEATS + (int)i;
		CHECK(pthread_mutex_init(&seat->lock, NULL) == 0);
		snprintf(name, sizeof(name), "seat-%u", i % 1000);
		thread_start(&thread, name, answer_runs, seat);
	}
}

static bool receive_start(struct protocol_start *start)
{
	ssize_t size = recv(PROTOCOL_FD_CONTROL, start, sizeof(*start), 0);
	return size == (ssize_t)sizeof(*start) && start->seats >= 1 && start->seats <= ENGINE_SEATS_MAX;
}

int engine_child_main(int argc, char **argv)
{
	static struct child child; /* large, and the process has one */
	struct child *c = &child;
	if (!receive_start(&c->start)) {
		fprintf(stderr,
			"gyre engine is started by gyre itself, one for each model; see gyre serve.\n");
		return 64;
	}
	if (c->start.background)
		proc_stand_back();
	sandbox_begin(c->start.parent_pid, PROTOCOL_FD_SEATS + (int)c->start.seats);
	mallopt(M_ARENA_MAX, 2); /* each reserves address space, which is limited */
	struct err err;
	if (prepare(c, &err) != ST_OK)
		give_up(c, &err);
	start_seats(c);
	say(c, PROTOCOL_READY);
	struct protocol_stop stop;
	while (recv(PROTOCOL_FD_CONTROL, &stop, sizeof(stop), 0) == (ssize_t)sizeof(stop))
		stop_run(c, &stop);
	/* No destructors: seats may be in the middle of a run. */
	_exit(0);
}
