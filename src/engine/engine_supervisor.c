/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread for each engine: it starts the child, waits until it is ready, watches
 * it, and starts it again. The child asks to die with the thread that started it
 * (PR_SET_PDEATHSIG), which is why this one lives as long as the engine.
 */
#include "base/check.h"
#include "base/metrics.h"
#include "engine/engine_ort.h"
#include "engine/sentence.h"
#include "os/clock.h"
#include "os/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CRASHES_MAX 3
#define CRASHES_FORGOTTEN_US (600 * 1000000LL) /* a child that lived this long begins anew */
#define BACKOFF_US 100000 /* after the first crash, four times as long after the second */

static const char *stage_name(enum protocol_stage stage)
{
	switch (stage) {
	case PROTOCOL_STARTING: return "it was started";
	case PROTOCOL_CHOOSING: return "its graph was looked through";
	case PROTOCOL_LOADING: return "it was loaded";
	case PROTOCOL_TRYING: return "it ran for the first time, on a grey image";
	case PROTOCOL_READY: break;
	}
	return "it was ready";
}

static void set_state(struct ort_engine *e, enum ort_state state)
{
	mutex_lock(&e->lock);
	e->state = state;
	if (state == ORT_READY)
		e->ready_since_us = clock_mono_us();
	pthread_cond_broadcast(&e->changed);
	mutex_unlock(&e->lock);
}

static bool is_closing(struct ort_engine *e)
{
	mutex_lock(&e->lock);
	bool closing = e->closing;
	mutex_unlock(&e->lock);
	return closing;
}

static void close_sockets(struct ort_engine *e)
{
	if (e->control >= 0)
		close(e->control);
	e->control = -1;
	for (unsigned i = 0; i < e->options.seats; i++) {
		if (e->seats[i].socket >= 0)
			close(e->seats[i].socket);
		e->seats[i].socket = -1;
	}
}

/* Our ends go to e->control and the seats, the child's to theirs[0 … seats]. */
static enum status make_sockets(struct ort_engine *e, int *theirs, struct err *err)
{
	for (unsigned i = 0; i <= e->options.seats; i++) {
		int pair[2];
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
			enum status st = err_errno(err, "The sockets of a model's process cannot be made");
			while (i > 0)
				close(theirs[--i]);
			return st;
		}
		theirs[i] = pair[1];
		if (i == 0)
			e->control = pair[0];
		else
			e->seats[i - 1].socket = pair[0];
	}
	return ST_OK;
}

static enum status spawn(struct ort_engine *e, const int *theirs, struct err *err)
{
	static const char *const argv[] = {"gyre", "engine", NULL};
	static const char *const keep[] = {
		"LD_LIBRARY_PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", NULL};
	int fds[ENGINE_SEATS_MAX + 3] = {theirs[0], e->memory_fd, e->model_fd};
	memcpy(fds + 3, theirs + 1, e->options.seats * sizeof(*fds));
	struct proc_options o = {.path = "/proc/self/exe",
		.argv = argv,
		.keep = keep,
		.fds = fds,
		.fd_count = e->options.seats + 3};
	struct proc child;
	TRY(proc_spawn(&o, &child, err));
	mutex_lock(&e->lock);
	e->child = child;
	e->killer = NULL;
	mutex_unlock(&e->lock);
	return ST_OK;
}

static void send_start(struct ort_engine *e, const char *features_output)
{
	struct protocol_start start = {
		.parent_pid = getpid(),
		.seats = e->options.seats,
		.slot_bytes = e->options.slot_bytes_max,
		.memory_bytes_max = e->options.memory_bytes_max,
		.background = e->options.background,
		.input_type = e->description.inputs[0].type,
		.probe_rank = e->description.probe_rank,
	};
	memcpy(start.probe_shape, e->description.probe_shape, sizeof(start.probe_shape));
	snprintf(start.library, sizeof(start.library), "%s", e->library);
	snprintf(start.features_output, sizeof(start.features_output), "%s", features_output);
	/* A failure shows as the child's end. */
	send(e->control, &start, sizeof(start), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Ends the child if it still runs, and waits for it: SIGKILL cannot be refused. */
static void reap(struct ort_engine *e)
{
	proc_signal(&e->child, SIGKILL);
	struct pollfd ended = {.fd = e->child.pidfd, .events = POLLIN};
	while (poll(&ended, 1, -1) < 0)
		CHECK(errno == EINTR);
	mutex_lock(&e->lock);
	/* Under the lock, for nobody may signal a descriptor that has been closed. */
	CHECK(proc_wait(&e->child, 0, e->last_end));
	e->last_killer = e->killer;
	e->generation++;
	if (e->state == ORT_READY)
		e->state = ORT_RESTARTING;
	if (e->ready_since_us && clock_mono_us() - e->ready_since_us > CRASHES_FORGOTTEN_US)
		e->crashes = 0;
	e->ready_since_us = 0;
	pthread_cond_broadcast(&e->changed);
	/* Runs that were in progress see their sockets' end and leave; only then may the sockets be closed.
	 */
	while (e->running_count > 0)
		cond_wait_until(&e->changed, &e->lock, 0);
	close_sockets(e);
	mutex_unlock(&e->lock);
}

/* Waits for the next report. ST_OK with *got false: the child has closed its end. */
static enum status next_report(struct ort_engine *e, const struct ort_timer *timer,
	struct protocol_report *report, bool *got, struct err *err)
{
	for (;;) {
		int64_t left_us = engine_timer_left_us(e, timer);
		struct pollfd wait[] = {
			{.fd = e->control, .events = POLLIN}, {.fd = e->wake, .events = POLLIN}};
		if (left_us == 0)
			return err_set(err, ST_TIMEOUT, "too late");
		int ready = poll(wait, 2, (int)(left_us / 1000 + 1 < 60000 ? left_us / 1000 + 1 : 60000));
		if (ready < 0)
			CHECK(errno == EINTR);
		if (ready > 0 && wait[1].revents)
			return err_set(err, ST_UNAVAILABLE, "The engine is being closed.");
		if (ready > 0 && wait[0].revents)
			break;
	}
	ssize_t size = recv(e->control, report, sizeof(*report), MSG_DONTWAIT);
	*got = size == (ssize_t)sizeof(*report);
	/* Its texts are the child's: make them texts. */
	report->text[sizeof(report->text) - 1] = '\0';
	report->probe_text[sizeof(report->probe_text) - 1] = '\0';
	report->features_output[sizeof(report->features_output) - 1] = '\0';
	return ST_OK;
}

static enum status refuse(const struct protocol_report *report, struct err *err)
{
	char text[PROTOCOL_TEXT_SIZE];
	sentence_clean(span_of_text(report->text), text, sizeof(text));
	bool known = report->status == ST_UNPROCESSABLE || report->status == ST_UNAVAILABLE;
	return err_set(err, known ? (enum status)report->status : ST_FAILED, "%s", text);
}

/* The stages one after the other, until the child is ready, says why not, ends (*ended, err is not set), or
 * it is too late. */
static enum status follow(struct ort_engine *e, const struct ort_timer *timer, struct protocol_report *report,
	bool *ended, struct err *err)
{
	enum protocol_stage stage = PROTOCOL_STARTING;
	while (stage != PROTOCOL_READY) {
		bool got = false;
		enum status st = next_report(e, timer, report, &got, err);
		if (st == ST_TIMEOUT)
			return err_set(err, ST_TIMEOUT,
				"The model was not ready after %.1f s: time ran out while %s.",
				(double)e->options.load_timeout_us / 1e6, stage_name(stage));
		TRY(st);
		if (!got) {
			report->stage = stage;
			*ended = true;
			return ST_UNPROCESSABLE;
		}
		if (report->status != ST_OK)
			return refuse(report, err);
		if (report->stage > PROTOCOL_READY || report->stage < (uint32_t)stage)
			return err_set(err, ST_FAILED, "The model's process spoke out of turn.");
		stage = (enum protocol_stage)report->stage;
	}
	return ST_OK;
}

static enum status start_child(struct ort_engine *e, const char *features_output,
	const struct ort_timer *timer, struct protocol_report *report, struct err *err)
{
	int theirs[ENGINE_SEATS_MAX + 1] = {0};
	*report = (struct protocol_report){0};
	enum status st = make_sockets(e, theirs, err);
	if (st == ST_OK) {
		st = spawn(e, theirs, err);
		for (unsigned i = 0; i <= e->options.seats; i++)
			close(theirs[i]);
	}
	if (st != ST_OK) {
		close_sockets(e);
		return st;
	}
	bool ended = false;
	send_start(e, features_output);
	st = follow(e, timer, report, &ended, err);
	if (st == ST_OK)
		return ST_OK;
	reap(e);
	if (ended)
		return err_set(err, st, "The model's process %s while %s.", e->last_end,
			stage_name((enum protocol_stage)report->stage));
	return st;
}

/* What the first child found out about its model: checked, since it may lie. */
static enum status describe(struct ort_engine *e, const struct protocol_report *report, struct err *err)
{
	struct engine_description *d = &e->description;
	sentence_clean(span_of_text(report->features_output), d->features_output, sizeof(d->features_output));
	d->features_size = report->features_size <= ENGINE_FEATURES_MAX ? report->features_size : 0;
	if (d->probe_rank == 0)
		return ST_OK;
	d->probed = report->probe_status == ST_OK;
	if (d->probed) {
		d->probe_us = report->probe_us > 0 ? report->probe_us : 0;
		return ST_OK;
	}
	sentence_clean(span_of_text(report->probe_text), d->probe_error, sizeof(d->probe_error));
	/* A shape that was partly guessed may be the wrong one; too large is too large. */
	bool guessed = false;
	for (int i = 1; i < d->probe_rank; i++)
		guessed = guessed || d->inputs[0].shape[i] < 0;
	if (guessed && report->probe_status != ST_UNPROCESSABLE)
		return ST_OK;
	return err_set(err, ST_UNPROCESSABLE, "Tried on a grey image: %s", d->probe_error);
}

static enum status start_first(struct ort_engine *e, struct err *err)
{
	struct protocol_report report;
	struct ort_timer timer = engine_timer(e, e->options.load_timeout_us);
	enum status st = start_child(e, e->features_output, &timer, &report, err);
	/* The search for features opens the model in an unusual way; where that fails the model does without.
	 */
	if (st == ST_UNPROCESSABLE && report.stage == PROTOCOL_CHOOSING)
		st = start_child(e, "", &timer, &report, err);
	TRY(st);
	st = describe(e, &report, err);
	if (st != ST_OK) {
		reap(e);
		return st;
	}
	memcpy(e->features_output, e->description.features_output, sizeof(e->features_output));
	return ST_OK;
}

static enum status start_again(struct ort_engine *e, struct err *err)
{
	struct protocol_report report;
	metric_add(METRIC_ENGINE_RESTARTS, 1);
	struct ort_timer timer = engine_timer(e, e->options.load_timeout_us);
	return start_child(e, e->features_output, &timer, &report, err);
}

/* Sleeps until the child has ended. False: the engine is being closed. */
static bool watch(struct ort_engine *e)
{
	struct pollfd wait[] = {{.fd = e->child.pidfd, .events = POLLIN}, {.fd = e->wake, .events = POLLIN}};
	for (;;) {
		int ready = poll(wait, 2, -1);
		if (ready < 0)
			CHECK(errno == EINTR);
		if (ready > 0 && wait[1].revents)
			return false;
		if (ready > 0 && wait[0].revents)
			return true;
	}
}

/* Counts a crash; false: that was one too many. */
static bool may_try_again(struct ort_engine *e, const char *how)
{
	mutex_lock(&e->lock);
	e->crashes++;
	bool again = e->crashes < CRASHES_MAX;
	e->state = again ? ORT_RESTARTING : ORT_HELD;
	if (!again)
		err_set(&e->why, ST_UNAVAILABLE,
			"The model is held: its process failed %d times in a row, the last time because it "
			"%s.%s",
			CRASHES_MAX, how,
			e->options.background ? "" : " Deploy another version, or this one again.");
	pthread_cond_broadcast(&e->changed);
	mutex_unlock(&e->lock);
	log_event(LOG_LEVEL_WARN, again ? "engine_restart" : "engine_held", "model", e->options.model_path,
		"reason", how, NULL);
	return again;
}

/* False: closing. */
static bool back_off(struct ort_engine *e)
{
	mutex_lock(&e->lock);
	int64_t until_us = clock_mono_us() + (e->crashes > 1 ? 4 * BACKOFF_US : BACKOFF_US);
	while (!e->closing && cond_wait_until(&e->changed, &e->lock, until_us))
		;
	bool closing = e->closing;
	mutex_unlock(&e->lock);
	return !closing;
}

/* From a child's end to the next one that is ready. False: closing or held. */
static bool recover(struct ort_engine *e)
{
	char how[sizeof(((struct err *)0)->text)];
	snprintf(how, sizeof(how), "%s", e->last_end);
	while (may_try_again(e, how)) {
		struct err err;
		if (!back_off(e))
			return false;
		if (start_again(e, &err) == ST_OK)
			return true;
		if (is_closing(e))
			return false;
		snprintf(how, sizeof(how), "did not start (%.400s)", err.text);
	}
	return false;
}

void engine_supervise(void *ort_engine)
{
	struct ort_engine *e = ort_engine;
	struct err err;
	if (start_first(e, &err) != ST_OK) {
		mutex_lock(&e->lock);
		e->why = err;
		mutex_unlock(&e->lock);
		set_state(e, ORT_REFUSED);
		return;
	}
	do {
		set_state(e, ORT_READY);
		bool ended = watch(e);
		reap(e);
		if (!ended)
			return;
	} while (recover(e));
}
