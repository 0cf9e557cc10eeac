/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: system calls that change files fail by a plan, for files whose path contains FAULTFS_FOLDER.
 * The plan is the file FAULTFS_PLAN, read again whenever it changed; a line is
 *
 *	operation error skip count part
 *
 * operation: open write fsync ftruncate rename mkdir; error: EIO ENOSPC EDQUOT, or SHORT (half of a write is
 * done); skip: matching calls to let pass first; count: calls to fail then, -1 for all; part: text that the
 * path must contain (- for any). What was made to fail is appended to FAULTFS_LOG.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define RULES_MAX 32
#define SHORT (-1)

struct rule {
	char operation[16], part[64];
	int error;
	long skip, count;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[RULES_MAX];
static int rule_count;
static struct timespec plan_changed;
static ino_t plan_inode;

static int error_of(const char *name)
{
	static const struct {
		const char *name;
		int error;
	} errors[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"SHORT", SHORT}};
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strcmp(name, errors[i].name) == 0)
			return errors[i].error;
	return EIO;
}

/* Raw system calls, so that reading the plan is not itself made to fail. */
static void read_plan(void)
{
	const char *path = getenv("FAULTFS_PLAN");
	struct stat info;
	if (!path || stat(path, &info) != 0) {
		rule_count = 0;
		return;
	}
	if (info.st_ino == plan_inode && info.st_mtim.tv_sec == plan_changed.tv_sec &&
		info.st_mtim.tv_nsec == plan_changed.tv_nsec)
		return;
	plan_inode = info.st_ino;
	plan_changed = info.st_mtim;
	rule_count = 0;
	char text[4096] = {0};
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size <= 0)
		return;
	char *rest = NULL;
	for (char *line = strtok_r(text, "\n", &rest); line && rule_count < RULES_MAX;
		line = strtok_r(NULL, "\n", &rest)) {
		struct rule *r = &rules[rule_count];
		char error[16];
		if (sscanf(line, "%15s %15s %ld %ld %63s", r->operation, error, &r->skip, &r->count,
			    r->part) != 5)
			continue;
		r->error = error_of(error);
		rule_count++;
	}
}

static void note(const char *operation, const char *path, int error)
{
	const char *log = getenv("FAULTFS_LOG");
	char line[PATH_MAX + 64];
	int fd =
		log ? (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
		    : -1;
	if (fd < 0)
		return;
	int size = snprintf(line, sizeof line, "%s %d %s\n", operation, error, path);
	(void)!syscall(SYS_write, fd, line, (size_t)size);
	close(fd);
}

/* 0, or the error that this call is to fail with. */
static int planned(const char *operation, const char *path)
{
	const char *folder = getenv("FAULTFS_FOLDER");
	if (!folder || !path || !strstr(path, folder))
		return 0;
	int kept = errno, error = 0;
	pthread_mutex_lock(&mutex);
	read_plan();
	for (int i = 0; i < rule_count && !error; i++) {
		struct rule *r = &rules[i];
		if (strcmp(r->operation, operation) != 0 ||
			(strcmp(r->part, "-") != 0 && !strstr(path, r->part)))
			continue;
		if (r->skip > 0) {
			r->skip--;
		} else if (r->count != 0) {
			if (r->count > 0)
				r->count--;
			error = r->error;
		}
	}
	if (error)
		note(operation, path, error);
	pthread_mutex_unlock(&mutex);
	errno = kept;
	return error;
}

static int planned_fd(const char *operation, int fd)
{
	char link[64], path[PATH_MAX];
	int kept = errno;
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, sizeof path - 1);
	errno = kept;
	if (size < 0)
		return 0;
	path[size] = '\0';
	return planned(operation, path);
}

#define REAL(name, ...)                                                                                      \
	static __typeof__(name) *real;                                                                       \
	if (!real)                                                                                           \
		*(void **)&real = dlsym(RTLD_NEXT, #name);                                                   \
	return real(__VA_ARGS__)

#define FAIL_IF(error)                                                                                       \
	do {                                                                                                 \
		int planned_error = (error);                                                                 \
		if (planned_error > 0) {                                                                     \
			errno = planned_error;                                                               \
			return -1;                                                                           \
		}                                                                                            \
		if (planned_error == SHORT && size > 1)                                                      \
			size /= 2;                                                                           \
	} while (0)

ssize_t write(int fd, const void *data, size_t size)
{
	FAIL_IF(planned_fd("write", fd));
	REAL(write, fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	FAIL_IF(planned_fd("write", fd));
	REAL(pwrite, fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	FAIL_IF(planned_fd("write", fd));
	REAL(pwrite64, fd, data, size, at);
}

int fsync(int fd)
{
	size_t size = 0;
	FAIL_IF(planned_fd("fsync", fd));
	REAL(fsync, fd);
}

int fdatasync(int fd)
{
	size_t size = 0;
	FAIL_IF(planned_fd("fsync", fd));
	REAL(fdatasync, fd);
}

int ftruncate(int fd, off_t length)
{
	size_t size = 0;
	FAIL_IF(planned_fd("ftruncate", fd));
	REAL(ftruncate, fd, length);
}

int ftruncate64(int fd, off64_t length)
{
	size_t size = 0;
	FAIL_IF(planned_fd("ftruncate", fd));
	REAL(ftruncate64, fd, length);
}

int rename(const char *from, const char *to)
{
	size_t size = 0;
	FAIL_IF(planned("rename", to));
	REAL(rename, from, to);
}

int mkdir(const char *path, mode_t mode)
{
	size_t size = 0;
	FAIL_IF(planned("mkdir", path));
	REAL(mkdir, path, mode);
}

/* Only an opening that may make a file is counted. */
int open(const char *path, int flags, ...)
{
	size_t size = 0;
	mode_t mode = 0;
	if (flags & (O_CREAT | O_TMPFILE)) {
		va_list list;
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
		FAIL_IF(planned("open", path));
	}
	REAL(open, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	size_t size = 0;
	mode_t mode = 0;
	if (flags & (O_CREAT | O_TMPFILE)) {
		va_list list;
		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
		FAIL_IF(planned("open", path));
	}
	REAL(open64, path, flags, mode);
}
