/* SPDX-License-Identifier: Apache-2.0 */
#include "os/proc_group.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

/* What one line of /proc/<pid>/stat says. */
struct stat_line {
	long long group, start, ticks, children_ticks, pages;
};

static bool read_stat(const char *pid, struct stat_line *out)
{
	char path[64], text[1024];
	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	size_t size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	const char *rest = strrchr(text, ')'); /* the name before it may hold anything */
	if (rest == NULL)
		return false;
	long long field[25] = {0};
	char *at = text + (rest - text) + 3; /* past ") S": fields from 4 on, as proc(5) numbers them */
	for (int i = 4; i < 25; i++)
		field[i] = strtoll(at, &at, 10);
	*out = (struct stat_line){.group = field[5],
		.start = field[22],
		.ticks = field[14] + field[15],
		.children_ticks = field[16] + field[17],
		.pages = field[24]};
	return true;
}

int64_t proc_group_start(pid_t leader)
{
	char pid[24];
	struct stat_line line;
	snprintf(pid, sizeof(pid), "%d", (int)leader);
	return leader > 0 && read_stat(pid, &line) ? line.start : 0;
}

void proc_group_signal(pid_t leader, int64_t start, int signal_number)
{
	int64_t now = proc_group_start(leader);
	if (leader > 1 && (now == 0 || now == start))
		(void)kill(-leader, signal_number);
}

void proc_group_usage(pid_t leader, int64_t *cpu_us, int64_t *memory_bytes)
{
	long long ticks = 0, pages = 0;
	/* Group 0 is the kernel's own threads. */
	DIR *folder = leader > 0 ? opendir("/proc") : NULL;
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		struct stat_line line;
		if (!isdigit((unsigned char)entry->d_name[0]) || !read_stat(entry->d_name, &line) ||
			line.group != leader)
			continue;
		ticks += line.ticks + line.children_ticks;
		pages += line.pages;
	}
	if (folder)
		closedir(folder);
	*cpu_us = ticks * 1000000 / sysconf(_SC_CLK_TCK);
	*memory_bytes = pages * sysconf(_SC_PAGESIZE);
}

void proc_reap(pid_t child)
{
	if (child > 1)
		(void)waitpid(child, NULL, WNOHANG);
}

int file_lock_take(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}
