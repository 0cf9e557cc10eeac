/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trainer on this machine: a shell script in the run folder, run.sh, in a process group of its own. The
 * group holds the lock of the file `lock` for as long as any of it runs, which is how a server that was
 * started anew knows; `exit` has the attempt and the exit code in the end, `pid` whom to signal.
 */
#include "learn/trainer.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/proc_group.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_FILE_MAX 256

/* ---- files ---- */

/* Numbers of a small file; how many there were. */
static int read_numbers(const char *folder, const char *name, long long *first, long long *second)
{
	char path[4096], text[SMALL_FILE_MAX];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	size_t size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	int count = sscanf(text, "%lld %lld", first, second);
	return count < 0 ? 0 : count;
}

static int take_lock(const char *folder)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/lock", folder);
	return file_lock_take(path);
}

/* ---- start ---- */

static const char *replaced(const char *text, const char *what, const char *by, struct arena *a)
{
	const char *at;
	while ((at = strstr(text, what)) != NULL)
		text = arena_printf(a, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what));
	return text;
}

static const char *script_text(const struct trainer_order *o, const char *folder, struct arena *a)
{
	const char *job = arena_printf(a, "%s/job.json", folder);
	const char *command = replaced(o->command, "{job}", trainer_quoted(job, a), a);
	command = replaced(command, "{run}", trainer_quoted(folder, a), a);
	const char *text = arena_printf(a,
		"#!/bin/sh\n"
		"# How this training was started. By hand, with a lock of its own: flock lock sh run.sh\n"
		"cd %s || exit 2\n"
		"exec </dev/null >>progress.jsonl 2>>stderr.log\n"
		"trap : TERM INT HUP # the trainer's own end is waited for\n"
		"read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ start _ </proc/self/stat\n"
		"echo $$ $start >pid.new && mv pid.new pid\n"
		"export GYRE_RUN=%s GYRE_JOB=%s GYRE_INPUT=%s/input GYRE_OUTPUT=%s/output "
		"GYRE_STATE=%s/state\n"
		"export GYRE_DEVICE=cpu GYRE_THREADS=%u GYRE_RESUME=%d\n"
		"export OMP_NUM_THREADS=%u OMP_WAIT_POLICY=passive\n",
		trainer_quoted(folder, a), trainer_quoted(folder, a), trainer_quoted(job, a),
		trainer_quoted(folder, a), trainer_quoted(folder, a), trainer_quoted(folder, a), o->threads,
		o->resume, o->threads);
	for (const char *const *e = o->environment; e && *e; e += 2)
		text = arena_printf(a, "%sexport %s=%s\n", text, e[0], trainer_quoted(e[1], a));
	return arena_printf(a, "%s%s\necho %lld $? >exit.new && mv exit.new exit\n", text, command,
		(long long)o->attempt);
}

static enum status spawn(const char *folder, int lock, struct arena *a, struct err *err)
{
	static const char *const keep[] = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH",
		"PYTHONPATH", "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "DOCKER_HOST",
		"XDG_RUNTIME_DIR", NULL};
	const char *command = arena_printf(
		a, "exec nice -n 10 /bin/sh %s", trainer_quoted(arena_printf(a, "%s/run.sh", folder), a));
	const char *const argv[] = {"/bin/sh", "-c", command, NULL};
	struct proc proc;
	TRY(proc_spawn(
		&(struct proc_options){
			.path = "/bin/sh", .argv = argv, .keep = keep, .fds = &lock, .fd_count = 1},
		&proc, err));
	/* It is waited for by its lock; the process itself is reaped when look() sees its end. */
	close(proc.pidfd);
	return ST_OK;
}

static enum status start_locked(
	const struct trainer_order *o, const char *folder, int lock, struct arena *a, struct err *err)
{
	(void)unlink(arena_printf(a, "%s/exit", folder));
	(void)unlink(arena_printf(a, "%s/pid", folder));
	TRY(file_write_durable(
		arena_printf(a, "%s/run.sh", folder), span_of_text(script_text(o, folder, a)), 0700, err));
	return spawn(folder, lock, a, err);
}

static enum status start(const struct trainer_order *o, struct err *err)
{
	struct arena a;
	arena_init(&a);
	char *folder = realpath(o->folder, NULL);
	enum status st = folder ? ST_OK : err_errno(err, "The folder %s cannot be found", o->folder);
	if (st == ST_OK) {
		int lock = take_lock(folder);
		if (lock < 0)
			st = err_set(err, ST_CONFLICT, "The trainer of %s runs already.", folder);
		else
			st = start_locked(o, folder, lock, &a, err);
		if (lock >= 0)
			close(lock);
	}
	free(folder);
	arena_release(&a);
	return st;
}

/* ---- look and stop ---- */

static void look(const char *folder, int64_t attempt, struct trainer_look *out)
{
	long long pid = 0, start = 0, of_attempt = 0, code = -1;
	*out = (struct trainer_look){.exit_code = -1};
	int lock = take_lock(folder);
	out->runs = lock < 0 && file_exists(folder);
	if (lock >= 0)
		close(lock);
	if (read_numbers(folder, "pid", &pid, &start) == 2) {
		out->pid = pid;
		out->pid_start = start;
	}
	if (out->runs) {
		proc_group_usage((pid_t)pid, &out->cpu_us, &out->memory_bytes);
		return;
	}
	if (pid && proc_group_start((pid_t)pid) == start)
		proc_reap((pid_t)pid);
	if (read_numbers(folder, "exit", &of_attempt, &code) == 2) {
		out->exit_code = (int)code;
		out->ended_now = of_attempt == attempt;
	}
}

static void stop(const char *folder, bool hard)
{
	long long pid = 0, start = 0;
	if (read_numbers(folder, "pid", &pid, &start) == 2)
		proc_group_signal((pid_t)pid, start, hard ? SIGKILL : SIGTERM);
}

const struct trainer_ops trainer_local = {.name = "local", .start = start, .look = look, .stop = stop};
