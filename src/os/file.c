/* SPDX-License-Identifier: Apache-2.0 */
#include "os/file.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES_MAX 4096

static void folder_of(const char *path, char out[PATH_BYTES_MAX])
{
	const char *slash = strrchr(path, '/');
	if (slash == NULL)
		snprintf(out, PATH_BYTES_MAX, ".");
	else
		snprintf(out, PATH_BYTES_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

enum status file_sync_folder(const char *folder, struct err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "The folder %s cannot be opened", folder);
	int result = fsync(fd);
	int code = errno;
	close(fd);
	errno = code;
	return result == 0 ? ST_OK : err_errno(err, "The folder %s cannot be written to the disk", folder);
}

static enum status make_folder(const char *path, struct err *err)
{
	if (mkdir(path, 0700) != 0) {
		if (errno == EEXIST)
			return ST_OK;
		return err_errno(err, "The folder %s cannot be made", path);
	}
	char parent[PATH_BYTES_MAX];
	folder_of(path, parent);
	return file_sync_folder(parent, err);
}

enum status file_make_folders(const char *path, struct err *err)
{
	char part[PATH_BYTES_MAX];
	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return err_set(err, ST_INVALID, "The path %.100s… is too long.", path);
	for (char *c = part + 1; *c; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		TRY(make_folder(part, err));
		*c = '/';
	}
	return make_folder(part, err);
}

enum status file_write_all(int fd, const void *data, size_t size, struct err *err)
{
	const char *next = data;
	while (size) {
		ssize_t written = write(fd, next, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return err_errno(err, "Writing a file failed");
		next += written;
		size -= (size_t)written;
	}
	return ST_OK;
}

enum status file_rename_durable(int fd, const char *from, const char *to, struct err *err)
{
	if (fsync(fd) != 0)
		return err_errno(err, "The file %s cannot be written to the disk", from);
	if (rename(from, to) != 0)
		return err_errno(err, "The file %s cannot be renamed to %s", from, to);
	char folder[PATH_BYTES_MAX];
	folder_of(to, folder);
	return file_sync_folder(folder, err);
}

enum status file_write_durable(const char *path, struct span bytes, mode_t mode, struct err *err)
{
	char temporary[PATH_BYTES_MAX], random[17];
	uint64_t number;
	random_fill(&number, sizeof(number));
	hex_encode(&number, sizeof(number), random);
	if (snprintf(temporary, sizeof(temporary), "%s.%s.tmp", path, random) >= (int)sizeof(temporary))
		return err_set(err, ST_INVALID, "The path %.100s… is too long.", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return err_errno(err, "The file %s cannot be made", temporary);
	enum status st = file_write_all(fd, bytes.data, bytes.size, err);
	if (st == ST_OK)
		st = file_rename_durable(fd, temporary, path, err);
	close(fd);
	if (st != ST_OK)
		unlink(temporary); /* gone already if the rename worked */
	return st;
}

static enum status open_reading(const char *path, int *fd, struct stat *info, struct err *err)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, ST_MISSING, "There is no file %s.", path);
	if (*fd < 0)
		return err_errno(err, "The file %s cannot be opened", path);
	if (fstat(*fd, info) != 0 || S_ISDIR(info->st_mode)) {
		close(*fd);
		return err_set(err, ST_INVALID, "%s is not a file.", path);
	}
	return ST_OK;
}

static enum status read_all(
	int fd, const char *path, size_t size_max, struct arena *a, struct span *bytes, struct err *err)
{
	/* Not by the stated size: /proc and pipes have none. */
	size_t room = 64 * 1024, size = 0;
	char *data = arena_alloc(a, room + 1);
	for (;;) {
		ssize_t got = read(fd, data + size, room - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "The file %s cannot be read", path);
		if (got == 0)
			break;
		size += (size_t)got;
		if (size > size_max)
			return err_set(
				err, ST_TOO_LARGE, "The file %s is larger than %zu bytes.", path, size_max);
		if (size == room) {
			char *more = arena_alloc(a, 4 * room + 1);
			memcpy(more, data, size);
			data = more;
			room *= 4;
		}
	}
	data[size] = '\0';
	*bytes = span_of(data, size);
	return ST_OK;
}

enum status file_read(const char *path, size_t size_max, struct arena *a, struct span *bytes, struct err *err)
{
	int fd;
	struct stat info;
	TRY(open_reading(path, &fd, &info, err));
	enum status st = read_all(fd, path, size_max, a, bytes, err);
	close(fd);
	return st;
}

enum status file_map(const char *path, struct span *bytes, struct err *err)
{
	int fd;
	struct stat info;
	TRY(open_reading(path, &fd, &info, err));
	*bytes = (struct span){0};
	enum status st = ST_OK;
	if (info.st_size > 0) {
		void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			st = err_errno(err, "The file %s cannot be mapped", path);
		else
			*bytes = span_of(data, (size_t)info.st_size);
	}
	close(fd);
	return st;
}

void file_unmap(struct span bytes)
{
	if (bytes.size)
		munmap((void *)(uintptr_t)bytes.data, bytes.size);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int64_t file_size(const char *path)
{
	struct stat info;
	return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* ---- other names, other copies ---- */

enum status file_copy(int fd, const char *path, struct err *err)
{
	(void)unlink(path);
	int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return err_errno(err, "The file %s cannot be made", path);
	char bytes[65536];
	ssize_t got;
	off_t at = 0;
	enum status st = ST_OK;
	while (st == ST_OK && (got = pread(fd, bytes, sizeof(bytes), at)) != 0) {
		if (got < 0) {
			st = err_errno(err, "What is to become %s cannot be read", path);
		} else {
			st = file_write_all(out, bytes, (size_t)got, err);
			at += got;
		}
	}
	close(out);
	if (st != ST_OK)
		(void)unlink(path);
	return st;
}

enum status file_link(int fd, const char *path, struct err *err)
{
	char from[40];
	snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	(void)unlink(path);
	if (linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
		return ST_OK;
	return file_copy(fd, path, err);
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
	return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

enum status file_remove_folder(const char *path, struct err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT)
		return ST_OK;
	return err_errno(err, "The folder %s cannot be removed", path);
}
