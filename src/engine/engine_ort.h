/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent's side, shared by engine_ort.c (seats and runs, called by the server's
 * workers) and engine_supervisor.c (one thread that starts the child, watches it and starts
 * it again).
 */
#ifndef GYRE_ENGINE_ENGINE_ORT_H
#define GYRE_ENGINE_ENGINE_ORT_H

#include "engine/engine.h"
#include "engine/protocol.h"
#include "os/proc.h"
#include "os/thread.h"

enum ort_state {
	ORT_STARTING, /* never ready yet */
	ORT_READY,
	ORT_RESTARTING, /* the child has ended and is being replaced */
	ORT_HELD,       /* too many crashes in a row; until closed */
	ORT_REFUSED,    /* it could not be opened; until closed */
};

struct ort_seat {
	struct engine_seat base;
	struct ort_engine *engine;
	unsigned index;
	int socket; /* changes only while no run is in progress */
	bool taken;
	bool has_input;
	uint64_t sequence;
	struct protocol_run run;
	uint8_t *copy; /* the outputs, out of the child's reach */
	size_t copy_room;
	uint64_t touched_bytes; /* of the slot, by the largest run since it was given back */
};

struct ort_engine {
	struct engine base;
	/* Fixed once open. */
	struct engine_options options; /* features_output points below */
	char model_path[4096], library[4096];
	char features_output[128];
	int model_fd, memory_fd;
	uint8_t *memory;                       /* seats * slot_bytes, shared with the child */
	struct engine_description description; /* fixed once READY for the first time */
	int wake;                              /* eventfd: the supervisor looks at `closing` */
	thread_handle supervisor;

	pthread_mutex_t lock; /* guards all that follows, and the seats' fields */
	pthread_cond_t changed;
	enum ort_state state;
	struct err why; /* HELD, REFUSED */
	bool closing;
	struct ort_seat *seats;
	unsigned taken_count, waiting_count; /* seats; threads that wait for one */
	unsigned running_count;              /* runs in progress: the sockets are theirs */
	struct proc child;
	int control;
	uint64_t generation; /* of children, counted when one is reaped */
	unsigned crashes;    /* in a row, without a successful run between */
	int64_t ready_since_us;
	struct ort_seat *killer; /* the seat for whose sake the child was ended; NULL: it ended by itself */
	struct ort_seat *last_killer;      /* of the child that was reaped last */
	char last_end[PROC_END_TEXT_SIZE]; /* "was ended by signal 9 (Killed)" */
};

/*
 * How long the child may take for something. Of one in the background what counts is the CPU time that it
 * got, as long as the clock does not pass ENGINE_PATIENCE times as much.
 */
struct ort_timer {
	int64_t began_us, began_cpu_us, allowed_us;
};
struct ort_timer engine_timer(struct ort_engine *e, int64_t allowed_us); /* with its child as it is now */
int64_t engine_timer_left_us(struct ort_engine *e, const struct ort_timer *t); /* 0: it is too late */

void engine_supervise(void *ort_engine); /* the supervisor's thread */

pid_t engine_ort_pid(
	struct engine *e); /* of the child, 0 when there is none: for tests and `gyre deployment` */

#endif
