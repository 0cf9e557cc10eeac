/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/trainer.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX ((size_t)256 << 10)
#define LOOK_US ((int64_t)100000)

enum status trainer_start(const struct trainer_ops *ops, const struct trainer_order *order, struct err *err)
{
	CHECK(order->folder && order->command && order->threads > 0);
	return ops->start(order, err);
}

void trainer_look(
	const struct trainer_ops *ops, const char *folder, int64_t attempt, struct trainer_look *out)
{
	ops->look(folder, attempt, out);
	CHECK(out->cpu_us >= 0 && out->memory_bytes >= 0);
}

void trainer_stop(const struct trainer_ops *ops, const char *folder, bool hard)
{
	ops->stop(folder, hard);
}

const char *trainer_quoted(const char *text, struct arena *a)
{
	size_t room = 3;
	for (const char *c = text; *c; c++)
		room += *c == '\'' ? 4 : 1;
	char *out = arena_alloc(a, room), *at = out;
	*at++ = '\'';
	for (const char *c = text; *c; c++) {
		if (*c == '\'') {
			memcpy(at, "'\\''", 4);
			at += 4;
		} else {
			*at++ = *c;
		}
	}
	*at++ = '\'';
	*at = '\0';
	return out;
}

/* ---- where it is ---- */

static const char *in_path(struct arena *a)
{
	const char *path = getenv("PATH");
	while (path && *path) {
		size_t size = strcspn(path, ":");
		const char *file = arena_printf(a, "%.*s/gyre-train", (int)size, path);
		if (size && access(file, X_OK) == 0)
			return file;
		path += size + (path[size] == ':');
	}
	return NULL;
}

const char *trainer_find(struct arena *a)
{
	static const char *const beside[] = {
		"gyre-train", "trainer/gyre-train", "../trainer/gyre-train", "../build/trainer/gyre-train"};
	char self[4096];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (size > 0) {
		self[size] = '\0';
		*strrchr(self, '/') = '\0';
		for (size_t i = 0; i < COUNT_OF(beside); i++) {
			const char *file = arena_printf(a, "%s/%s", self, beside[i]);
			if (access(file, X_OK) == 0)
				return file;
		}
	}
	return in_path(a);
}

/* ---- short questions ---- */

/* False: it was ended, as it took too long. */
static bool wait_for(
	struct proc *proc, int64_t timeout_us, const _Atomic bool *leave, char end[PROC_END_TEXT_SIZE])
{
	pid_t pid = proc->pid;
	int64_t deadline_us = clock_mono_us() + timeout_us;
	while (clock_mono_us() < deadline_us && !atomic_load(leave))
		if (proc_wait(proc, clock_mono_us() + LOOK_US, end))
			return true;
	(void)kill(-pid, SIGKILL);
	(void)proc_wait(proc, 0, end);
	return false;
}

enum status trainer_ask(const char *command, const char *folder, int64_t timeout_us,
	const _Atomic bool *leave, struct arena *a, int *exit_code, const char **out, struct err *err)
{
	static const char *const keep[] = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", NULL};
	const char *answer = arena_printf(a, "%s/answer", folder);
	const char *const argv[] = {"/bin/sh", "-c",
		arena_printf(a, "{ %s; } >%s 2>/dev/null", command, trainer_quoted(answer, a)), NULL};
	char end[PROC_END_TEXT_SIZE];
	struct proc proc;
	struct span text = {0};
	TRY(file_make_folders(folder, err));
	TRY(proc_spawn(&(struct proc_options){.path = "/bin/sh", .argv = argv, .keep = keep}, &proc, err));
	if (!wait_for(&proc, timeout_us, leave, end))
		return err_set(err, ST_UNAVAILABLE, "The trainer did not answer within %lld seconds.",
			(long long)(timeout_us / 1000000));
	*exit_code = strncmp(end, "exited with code ", 17) == 0 ? (int)strtol(end + 17, NULL, 10) : -1;
	TRY(file_read(answer, ANSWER_BYTES_MAX, a, &text, err));
	*out = (const char *)text.data;
	(void)unlink(answer);
	return ST_OK;
}
