/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who trains: a process by the contract of docs/trainers.md, started in a run folder, which may outlive the
 * server. Nothing about it lives only in memory: whoever has the folder can ask whether it runs, how it
 * ended, and can end it. Where it runs is behind trainer_ops: on this machine (trainer_local); clusters
 * follow.
 */
#ifndef GYRE_LEARN_TRAINER_H
#define GYRE_LEARN_TRAINER_H

#include "base/arena.h"
#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TRAINER_OK 0
#define TRAINER_BAD_JOB 2
#define TRAINER_NOT_TRAINABLE 3
#define TRAINER_BAD_DATA 4
#define TRAINER_DIVERGED 5
#define TRAINER_NO_RESOURCES 6
#define TRAINER_TEMPORARY 75
#define TRAINER_CANCELLED 143

struct trainer_order {
	const char *folder;  /* the run's, absolute or from where the server works */
	const char *command; /* for a shell, with {job} and {run} */
	int64_t attempt;     /* of the training: an end of another one is not this one's */
	unsigned threads;
	bool resume;
	const char *const *environment; /* further ones: name, value, …, NULL */
};

struct trainer_look {
	bool runs;
	int exit_code;          /* when it does not; -1: it left none, or was never started in this attempt */
	bool ended_now;         /* exit_code is of this attempt */
	int64_t pid, pid_start; /* 0: none */
	int64_t cpu_us, memory_bytes;
};

struct trainer_ops {
	const char *name; /* "local" */
	enum status (*start)(const struct trainer_order *order, struct err *err);
	void (*look)(const char *folder, int64_t attempt, struct trainer_look *out);
	/* All of it is asked to save and leave; hard: it ends now. */
	void (*stop)(const char *folder, bool hard);
};
extern const struct trainer_ops trainer_local;

/* ---- callers come through here ---- */

enum status trainer_start(
	const struct trainer_ops *ops, const struct trainer_order *order, struct err *err) MUST_CHECK;
void trainer_look(
	const struct trainer_ops *ops, const char *folder, int64_t attempt, struct trainer_look *out);
void trainer_stop(const struct trainer_ops *ops, const char *folder, bool hard);

/* A text between single quotes, for a shell. */
const char *trainer_quoted(const char *text, struct arena *a);
/* gyre-train beside this program, in the folder trainer/ beside it or above, or in PATH; NULL: nowhere. */
const char *trainer_find(struct arena *a);
/* Runs a shell command to its end, in a folder that is made; what it prints is *out, at most 256 KiB.
 * ST_UNAVAILABLE: it did not end in time, or nobody waits for it any more (*leave, on any thread). */
enum status trainer_ask(const char *command, const char *folder, int64_t timeout_us,
	const _Atomic bool *leave, struct arena *a, int *exit_code, const char **out,
	struct err *err) MUST_CHECK;

#endif
