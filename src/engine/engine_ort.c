/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine that ships: models in child processes on ONNX Runtime. Here are seats and
 * runs, called by the server's workers; engine_supervisor.c looks after the child.
 *
 * Nothing that comes from the child is believed. A result is received into memory of
 * our own, checked, and only then are the tensors that it names copied out of the
 * shared slot: what the caller reads cannot change under it.
 */
#include "engine/engine_ort.h"

#include "base/check.h"
#include "engine/engine_ops.h"
#include "engine/engine_result.h"
#include "engine/sentence.h"
#include "os/clock.h"
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define STOP_GRACE_US 200000         /* from a stop request to SIGKILL */
#define REAP_WAIT_US 2000000         /* to learn how a child ended */
#define KEPT_BYTES_MAX (64ULL << 20) /* of a slot and of a copy, between runs */

static struct ort_engine *ort_of(struct engine *e)
{
	return CONTAINER_OF(e, struct ort_engine, base);
}

static struct ort_seat *seat_of(struct engine_seat *s)
{
	return CONTAINER_OF(s, struct ort_seat, base);
}

static uint8_t *slot_of(const struct ort_seat *seat)
{
	return seat->engine->memory + seat->index * seat->engine->options.slot_bytes_max;
}

/* Opening and closing */

/* Sealed, so that the child cannot shrink it under us; sparse, so that untouched pages cost nothing. */
static enum status make_memory(struct ort_engine *e, struct err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	e->options.slot_bytes_max = (e->options.slot_bytes_max + page - 1) / page * page;
	size_t size = e->options.seats * e->options.slot_bytes_max;
	e->memory_fd = memfd_create("gyre-tensors", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (e->memory_fd < 0 || ftruncate(e->memory_fd, (off_t)size) != 0 ||
		fcntl(e->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		return err_errno(err, "The memory for a model's tensors cannot be made");
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, e->memory_fd, 0);
	if (memory == MAP_FAILED)
		return err_errno(err, "The memory for a model's tensors cannot be mapped");
	e->memory = memory;
	return ST_OK;
}

static enum status inspect(struct ort_engine *e, struct err *err)
{
	struct span file;
	char path[64];
	e->model_fd = open(e->model_path, O_RDONLY | O_CLOEXEC);
	if (e->model_fd < 0)
		return err_errno(err, "The model file %.300s cannot be opened", e->model_path);
	/* The very file that the child will get, whatever happens to the name. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", e->model_fd);
	TRY(file_map(path, &file, err));
	struct engine_description *d = &e->description;
	enum status st = engine_inspect(file, d, err);
	file_unmap(file);
	TRY(st);
	if (d->input_count != 1)
		return err_set(err, ST_UNPROCESSABLE,
			"The model has %u inputs ('%.60s', '%.60s', …): only models of one input, the image, "
			"can run.",
			d->input_count, d->inputs[0].name, d->inputs[1].name);
	if (d->inputs[0].type == ENGINE_OTHER)
		return err_set(err, ST_UNPROCESSABLE,
			"The model's input '%s' is no tensor of numbers that can be filled.",
			d->inputs[0].name);
	d->probe_rank = engine_probe_shape(&d->inputs[0], e->options.probe_side, d->probe_shape);
	return ST_OK;
}

static void destroy(struct ort_engine *e)
{
	if (e->memory)
		munmap(e->memory, e->options.seats * e->options.slot_bytes_max);
	for (unsigned i = 0; i < e->options.seats; i++)
		free(e->seats[i].copy);
	const int fds[] = {e->memory_fd, e->model_fd, e->wake};
	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->changed);
	free(e->seats);
	free(e);
}

static struct ort_engine *make(const struct engine_options *o)
{
	struct ort_engine *e = calloc(1, sizeof(*e));
	CHECK(e != NULL);
	e->seats = calloc(o->seats, sizeof(*e->seats));
	CHECK(e->seats != NULL);
	e->base.ops = &engine_ort_ops;
	e->options = *o;
	e->model_fd = e->memory_fd = e->wake = e->control = -1;
	e->child.pidfd = -1;
	snprintf(e->model_path, sizeof(e->model_path), "%s", o->model_path);
	snprintf(e->features_output, sizeof(e->features_output), "%s",
		o->features_output ? o->features_output : "");
	e->options.model_path = e->model_path;
	e->options.features_output = e->features_output;
	for (unsigned i = 0; i < o->seats; i++)
		e->seats[i] = (struct ort_seat){.engine = e, .index = i, .socket = -1};
	CHECK(pthread_mutex_init(&e->lock, NULL) == 0);
	cond_init(&e->changed);
	return e;
}

static enum status prepare(struct ort_engine *e, struct err *err)
{
	TRY(inspect(e, err));
	TRY(engine_library_find(NULL, e->library, err));
	TRY(make_memory(e, err));
	e->wake = eventfd(0, EFD_CLOEXEC);
	return e->wake >= 0 ? ST_OK : err_errno(err, "A model's process cannot be watched");
}

static enum status ort_open(const struct engine_options *o, struct engine **out, struct err *err)
{
	struct ort_engine *e = make(o);
	enum status st = prepare(e, err);
	if (st != ST_OK) {
		destroy(e);
		return st;
	}
	thread_start(&e->supervisor, "engine", engine_supervise, e);
	mutex_lock(&e->lock);
	while (e->state == ORT_STARTING)
		cond_wait_until(&e->changed, &e->lock, 0);
	bool refused = e->state == ORT_REFUSED;
	mutex_unlock(&e->lock);
	if (!refused) {
		*out = &e->base;
		return ST_OK;
	}
	thread_join(e->supervisor);
	st = err_set(err, e->why.status, "%s", e->why.text);
	destroy(e);
	return st;
}

static void ort_close(struct engine *engine)
{
	struct ort_engine *e = ort_of(engine);
	const uint64_t one = 1;
	mutex_lock(&e->lock);
	e->closing = true;
	pthread_cond_broadcast(&e->changed);
	while (e->taken_count > 0 || e->waiting_count > 0)
		cond_wait_until(&e->changed, &e->lock, 0);
	mutex_unlock(&e->lock);
	CHECK(write(e->wake, &one, sizeof(one)) == (ssize_t)sizeof(one));
	thread_join(e->supervisor);
	destroy(e);
}

static void ort_describe(struct engine *engine, struct engine_description *out)
{
	*out = ort_of(engine)->description;
}

pid_t engine_ort_pid(struct engine *engine)
{
	struct ort_engine *e = ort_of(engine);
	mutex_lock(&e->lock);
	pid_t pid = e->child.pidfd >= 0 ? e->child.pid : 0;
	mutex_unlock(&e->lock);
	return pid;
}

/* Seats */

static struct ort_seat *free_seat(struct ort_engine *e)
{
	for (unsigned i = 0; i < e->options.seats; i++)
		if (!e->seats[i].taken)
			return &e->seats[i];
	return NULL;
}

/* Why no seat can be had now, with the lock held. */
static enum status not_now(const struct ort_engine *e, struct err *err)
{
	if (e->state == ORT_HELD)
		return err_set(err, e->why.status, "%s", e->why.text);
	if (e->closing)
		return err_set(err, ST_UNAVAILABLE, "The model is being closed.");
	if (e->state != ORT_READY)
		return err_set(err, ST_UNAVAILABLE,
			"The model's process is being started again: try again shortly.");
	return err_set(
		err, ST_UNAVAILABLE, "The model is busy: all its %u seats are taken.", e->options.seats);
}

static enum status ort_take(
	struct engine *engine, int64_t deadline_us, struct engine_seat **out, struct err *err)
{
	struct ort_engine *e = ort_of(engine);
	struct ort_seat *seat = NULL;
	bool in_time = true;
	enum status st = ST_OK;
	mutex_lock(&e->lock);
	e->waiting_count++;
	while (in_time && !e->closing && e->state != ORT_HELD) {
		seat = e->state == ORT_READY ? free_seat(e) : NULL;
		if (seat)
			break;
		in_time = cond_wait_until(&e->changed, &e->lock, deadline_us);
	}
	e->waiting_count--;
	if (seat) {
		seat->taken = true;
		seat->has_input = false;
		e->taken_count++;
		*out = &seat->base;
	} else {
		st = not_now(e, err);
		pthread_cond_broadcast(&e->changed); /* close may wait for the last waiter */
	}
	mutex_unlock(&e->lock);
	return st;
}

static enum status ort_input(
	struct engine_seat *s, const int64_t *shape, int rank, void **data, struct err *err)
{
	struct ort_seat *seat = seat_of(s);
	struct ort_engine *e = seat->engine;
	uint64_t bytes;
	TRY(engine_port_accepts(&e->description.inputs[0], shape, rank, &bytes, err));
	if (bytes > e->options.slot_bytes_max)
		return err_set(err, ST_UNPROCESSABLE,
			"The model's input is too large: inputs and outputs of one run may have %llu MiB.",
			(unsigned long long)(e->options.slot_bytes_max >> 20));
	seat->run.rank = rank;
	seat->run.size = bytes;
	memcpy(seat->run.shape, shape, (size_t)rank * sizeof(*shape));
	seat->has_input = true;
	*data = slot_of(seat);
	return ST_OK;
}

static void ort_give(struct engine_seat *s)
{
	struct ort_seat *seat = seat_of(s);
	struct ort_engine *e = seat->engine;
	/* Tensors this large are rare: their pages go back rather than stay for good. */
	if (seat->touched_bytes > KEPT_BYTES_MAX)
		fallocate(e->memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(off_t)(seat->index * e->options.slot_bytes_max), (off_t)e->options.slot_bytes_max);
	if (seat->copy_room > KEPT_BYTES_MAX) {
		free(seat->copy);
		seat->copy = NULL;
		seat->copy_room = 0;
	}
	seat->touched_bytes = 0;
	mutex_lock(&e->lock);
	CHECK(seat->taken);
	seat->taken = false;
	e->taken_count--;
	pthread_cond_broadcast(&e->changed);
	mutex_unlock(&e->lock);
}

/* Results */

static enum status make_room(struct ort_seat *seat, uint64_t bytes, struct err *err)
{
	if (bytes <= seat->copy_room)
		return ST_OK;
	free(seat->copy);
	seat->copy_room = 0;
	seat->copy = aligned_alloc(PROTOCOL_ALIGNMENT, bytes);
	if (seat->copy == NULL)
		return err_set(err, ST_UNAVAILABLE, "There is no memory for the model's outputs (%llu MiB).",
			(unsigned long long)(bytes >> 20));
	seat->copy_room = bytes;
	return ST_OK;
}

static enum status copy_result(
	struct ort_seat *seat, const struct protocol_result *r, uint64_t bytes, struct err *err)
{
	struct engine_seat *out = &seat->base;
	uint64_t used = 0, end = seat->run.size;
	TRY(make_room(seat, bytes, err));
	for (unsigned i = 0; i < r->output_count; i++) {
		const struct protocol_tensor *t = &r->outputs[i];
		struct engine_tensor *o = &out->outputs[i];
		*o = (struct engine_tensor){
			.type = (enum engine_type)t->type, .rank = t->rank, .size = t->size};
		memcpy(o->shape, t->shape, sizeof(o->shape));
		o->data = t->size ? seat->copy + used : NULL;
		if (t->size)
			memcpy(seat->copy + used, slot_of(seat) + t->offset, t->size);
		used += engine_result_aligned(t->size);
		end = t->offset + t->size > end ? t->offset + t->size : end;
	}
	seat->touched_bytes = end > seat->touched_bytes ? end : seat->touched_bytes;
	out->output_count = r->output_count;
	out->features_size = r->features_size;
	for (unsigned i = 0; i < r->features_size; i++)
		out->features[i] = (r->features[i] & 0x7c00) == 0x7c00 ? 0 : r->features[i];
	return ST_OK;
}

/* Runs */

enum outcome { ANSWERED, UNSENT, ENDED, LATE, BROKEN };

static enum outcome await(
	struct ort_seat *seat, int socket, const struct ort_timer *timer, struct protocol_result *result)
{
	for (;;) {
		int64_t left_us = engine_timer_left_us(seat->engine, timer);
		if (left_us == 0)
			return LATE;
		struct pollfd wait = {.fd = socket, .events = POLLIN};
		struct timespec t = {.tv_sec = left_us / 1000000, .tv_nsec = left_us % 1000000 * 1000};
		int ready = ppoll(&wait, 1, &t, NULL);
		CHECK(ready >= 0 || errno == EINTR);
		if (ready <= 0)
			continue;
		ssize_t size = recv(socket, result, sizeof(*result), MSG_DONTWAIT | MSG_TRUNC);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (size <= 0)
			return ENDED;
		return size == (ssize_t)sizeof(*result) && result->sequence == seat->sequence ? ANSWERED
											      : BROKEN;
	}
}

/* Politely first: ONNX Runtime looks at the request between operators. */
static enum outcome stop(struct ort_seat *seat, int socket, struct protocol_result *result)
{
	struct protocol_stop message = {.sequence = seat->sequence, .seat = seat->index};
	struct ort_timer grace = engine_timer(seat->engine, STOP_GRACE_US);
	send(seat->engine->control, &message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
	return await(seat, socket, &grace, result);
}

/* The child that this run talked to, if it still lives. */
static void end_child(struct ort_seat *seat, uint64_t generation)
{
	struct ort_engine *e = seat->engine;
	mutex_lock(&e->lock);
	if (e->generation == generation && e->child.pidfd >= 0) {
		e->killer = e->killer ? e->killer : seat;
		e->state = ORT_RESTARTING; /* at once: nobody else is to start a run with it */
		proc_signal(&e->child, SIGKILL);
	}
	mutex_unlock(&e->lock);
}

static enum status begin_run(struct ort_seat *seat, int *socket, uint64_t *generation, struct err *err)
{
	struct ort_engine *e = seat->engine;
	enum status st = ST_OK;
	mutex_lock(&e->lock);
	CHECK(seat->taken && seat->has_input);
	if (e->state == ORT_READY) {
		e->running_count++;
		*socket = seat->socket;
		*generation = e->generation;
	} else {
		st = not_now(e, err);
	}
	mutex_unlock(&e->lock);
	return st;
}

static void finish_run(struct ort_engine *e, bool good)
{
	mutex_lock(&e->lock);
	e->running_count--;
	if (good)
		e->crashes = 0;
	pthread_cond_broadcast(&e->changed);
	mutex_unlock(&e->lock);
}

/* The child ended during this run: by itself, or for the sake of another seat? */
static enum status explain_end(struct ort_seat *seat, uint64_t generation, struct err *err)
{
	struct ort_engine *e = seat->engine;
	int64_t until_us = clock_mono_us() + REAP_WAIT_US;
	enum status st;
	mutex_lock(&e->lock);
	while (e->generation == generation && cond_wait_until(&e->changed, &e->lock, until_us))
		;
	if (e->generation == generation)
		st = err_set(err, ST_FAILED, "The model's process stopped talking during this run.");
	else if (e->last_killer)
		st = err_set(err, ST_UNAVAILABLE,
			"The model's process was ended because another run did not stop in time: try again "
			"shortly.");
	else
		st = err_set(err, ST_FAILED, "The model's process %s during this run.", e->last_end);
	mutex_unlock(&e->lock);
	return st;
}

static enum status explain_result(struct ort_engine *e, struct protocol_result *r, struct err *err)
{
	char text[PROTOCOL_TEXT_SIZE];
	r->text[sizeof(r->text) - 1] = '\0';
	sentence_clean(span_of_text(r->text), text, sizeof(text));
	if (r->status == ST_TIMEOUT)
		return err_set(err, ST_TIMEOUT, "The model did not answer within %.1f s and was stopped.",
			(double)e->options.run_timeout_us / 1e6);
	return err_set(err, (enum status)r->status, "%s", text[0] ? text : "The model failed on this input.");
}

static enum status ort_run(struct engine_seat *s, struct err *err)
{
	struct ort_seat *seat = seat_of(s);
	struct ort_engine *e = seat->engine;
	struct protocol_result result;
	uint64_t generation = 0, bytes = 0;
	int socket = -1;
	TRY(begin_run(seat, &socket, &generation, err));
	struct ort_timer timer = engine_timer(e, e->options.run_timeout_us);
	seat->run.sequence = ++seat->sequence;
	enum outcome outcome = UNSENT;
	if (send(socket, &seat->run, sizeof(seat->run), MSG_NOSIGNAL | MSG_DONTWAIT) ==
		(ssize_t)sizeof(seat->run))
		outcome = await(seat, socket, &timer, &result);
	bool late = outcome == LATE;
	if (late)
		outcome = stop(seat, socket, &result);
	if (outcome == ANSWERED &&
		!engine_result_holds(&result, e->description.output_count, e->options.slot_bytes_max, &bytes))
		outcome = BROKEN;
	if (outcome == LATE || outcome == BROKEN)
		end_child(seat, generation);
	enum status st = ST_OK;
	if (outcome == ANSWERED)
		st = result.status == ST_OK ? copy_result(seat, &result, bytes, err)
					    : explain_result(e, &result, err);
	finish_run(e, outcome == ANSWERED && result.status == ST_OK);
	int64_t wall_us = clock_mono_us() - timer.began_us;
	if (outcome == ANSWERED)
		s->cpu_us = result.cpu_us < 0 ? 0 : result.cpu_us < wall_us ? result.cpu_us : wall_us;
	if (outcome == ENDED && !late)
		return explain_end(seat, generation, err);
	if (outcome == LATE || outcome == ENDED)
		return err_set(err, ST_TIMEOUT,
			"The model did not answer within %.1f s; its process did not stop and was ended.",
			(double)e->options.run_timeout_us / 1e6);
	if (outcome == UNSENT) /* it ended before: the input did nothing wrong */
		return err_set(err, ST_UNAVAILABLE,
			"The model's process is being started again: try again shortly.");
	if (outcome == BROKEN)
		return err_set(err, ST_FAILED, "The model's process broke the protocol and was ended.");
	return st;
}

static bool ort_held(struct engine *engine, struct err *why)
{
	struct ort_engine *e = ort_of(engine);
	mutex_lock(&e->lock);
	bool held = e->state == ORT_HELD;
	if (held)
		err_set(why, e->why.status, "%s", e->why.text);
	mutex_unlock(&e->lock);
	return held;
}

const struct engine_ops engine_ort_ops = {
	.name = "ort",
	.open = ort_open,
	.describe = ort_describe,
	.take = ort_take,
	.input = ort_input,
	.run = ort_run,
	.give = ort_give,
	.held = ort_held,
	.close = ort_close,
};
