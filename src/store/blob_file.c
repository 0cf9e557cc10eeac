/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blobs as files: folder/ab/<64 hex digits>, where ab are the first two. A name
 * appears by rename() after its bytes were synced, so a name that is there has
 * all its bytes. Half-written files are in folder/tmp and go at the next open,
 * which is why one process at a time may have the folder open.
 */
#include "store/blob.h"

#include "base/check.h"
#include "base/str.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_BYTES_MAX (PATH_MAX - 128) /* leaves room for the names below it */

struct blob_file {
	struct blob blob;
	char folder[FOLDER_BYTES_MAX];
};

static void path_of(const struct blob_file *f, const char *key, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%.2s/%s", f->folder, key, key);
}

static enum status missing(const char *key, struct err *err)
{
	return err_set(err, ST_MISSING, "There is no content %.12s….", key);
}

/* ---- put ---- */

static enum status write_new(struct blob_file *f, const char *path, struct span body, struct err *err)
{
	uint64_t number;
	char name[2 * sizeof(number) + 1], temporary[PATH_MAX];
	random_fill(&number, sizeof(number));
	hex_encode(&number, sizeof(number), name);
	snprintf(temporary, sizeof(temporary), "%s/tmp/%s", f->folder, name);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(err, "A file for new content cannot be made");
	enum status st = file_write_all(fd, body.data, body.size, err);
	if (st == ST_OK)
		st = file_rename_durable(fd, temporary, path, err);
	close(fd);
	/*
	 * Only the temporary name goes: when the folder could not be synced, the final name stays, because
	 * another caller who put the same bytes may have been told that it is there.
	 */
	if (st != ST_OK)
		unlink(temporary);
	return st;
}

static enum status file_put(struct blob *b, const char *key, struct span body, struct err *err)
{
	struct blob_file *f = (struct blob_file *)b;
	char path[PATH_MAX], folder[PATH_MAX];
	path_of(f, key, path);
	if (file_size(path) != (int64_t)body.size)
		return write_new(f, path, body, err);
	/*
	 * The same content again. Its bytes were synced before it got its name; but whoever wrote it may not
	 * have synced the folder yet, so the name is made durable here too before we say so.
	 */
	snprintf(folder, sizeof(folder), "%s/%.2s", f->folder, key);
	return file_sync_folder(folder, err);
}

/* ---- reading ---- */

static enum status file_open(struct blob *b, const char *key, int *fd, uint64_t *size, struct err *err)
{
	char path[PATH_MAX];
	path_of((struct blob_file *)b, key, path);
	int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (opened < 0 && errno == ENOENT)
		return missing(key, err);
	if (opened < 0)
		return err_errno(err, "The content %.12s… cannot be opened", key);
	struct stat info;
	if (fstat(opened, &info) != 0 || !S_ISREG(info.st_mode)) {
		close(opened);
		return err_set(err, ST_INTERNAL, "The content %.12s… is not a file.", key);
	}
	*fd = opened;
	*size = (uint64_t)info.st_size;
	return ST_OK;
}

static enum status read_exactly(int fd, uint8_t *data, size_t size, const char *key, struct err *err)
{
	while (size > 0) {
		ssize_t got = read(fd, data, size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "The content %.12s… cannot be read", key);
		if (got == 0)
			return err_set(err, ST_INTERNAL, "The content %.12s… is shorter than it was.", key);
		data += got;
		size -= (size_t)got;
	}
	return ST_OK;
}

static enum status file_get(
	struct blob *b, const char *key, size_t size_max, struct arena *a, struct span *body, struct err *err)
{
	int fd = -1;
	uint64_t size = 0;
	TRY(file_open(b, key, &fd, &size, err));
	if (size > size_max) {
		close(fd);
		return err_set(err, ST_TOO_LARGE, "The content %.12s… has %llu bytes, more than %zu.", key,
			(unsigned long long)size, size_max);
	}
	uint8_t *data = arena_alloc(a, (size_t)size + 1);
	enum status st = read_exactly(fd, data, (size_t)size, key, err);
	close(fd);
	if (st == ST_OK)
		*body = span_of(data, (size_t)size);
	return st;
}

static enum status file_stat(struct blob *b, const char *key, uint64_t *size, struct err *err)
{
	char path[PATH_MAX];
	path_of((struct blob_file *)b, key, path);
	struct stat info;
	if (stat(path, &info) != 0)
		return errno == ENOENT ? missing(key, err)
				       : err_errno(err, "The content %.12s… cannot be read", key);
	*size = (uint64_t)info.st_size;
	return ST_OK;
}

/* ---- remove and list ---- */

static enum status file_remove(struct blob *b, const char *key, struct err *err)
{
	struct blob_file *f = (struct blob_file *)b;
	char path[PATH_MAX], folder[PATH_MAX];
	path_of(f, key, path);
	if (unlink(path) != 0) {
		if (errno == ENOENT)
			return ST_OK;
		return err_errno(err, "The content %.12s… cannot be removed", key);
	}
	/* What a person deleted does not come back after a power cut. */
	snprintf(folder, sizeof(folder), "%s/%.2s", f->folder, key);
	return file_sync_folder(folder, err);
}

/* Files that are not ours are passed over; *more becomes false when visit() has enough. */
static enum status list_folder(const char *folder, const char *digits,
	bool (*visit)(void *arg, const char *key, uint64_t size), void *arg, bool *more, struct err *err)
{
	DIR *d = opendir(folder);
	if (d == NULL)
		return err_errno(err, "The folder %s cannot be listed", folder);
	struct dirent *entry;
	while (*more && (errno = 0, entry = readdir(d)) != NULL) {
		struct stat info;
		if (!blob_key_valid(entry->d_name) || strncmp(entry->d_name, digits, 2) != 0)
			continue;
		if (fstatat(dirfd(d), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
			!S_ISREG(info.st_mode))
			continue; /* removed meanwhile, or not ours */
		*more = visit(arg, entry->d_name, (uint64_t)info.st_size);
	}
	enum status st = *more && errno ? err_errno(err, "The folder %s cannot be listed", folder) : ST_OK;
	closedir(d);
	return st;
}

static enum status file_list(
	struct blob *b, bool (*visit)(void *arg, const char *key, uint64_t size), void *arg, struct err *err)
{
	struct blob_file *f = (struct blob_file *)b;
	bool more = true;
	for (unsigned i = 0; i < 256 && more; i++) {
		char folder[PATH_MAX], digits[3];
		hex_encode(&(uint8_t){(uint8_t)i}, 1, digits);
		snprintf(folder, sizeof(folder), "%s/%s", f->folder, digits);
		TRY(list_folder(folder, digits, visit, arg, &more, err));
	}
	return ST_OK;
}

/* ---- open and close ---- */

static void file_close(struct blob *b)
{
	free(b);
}

static enum status empty_folder(const char *folder, struct err *err)
{
	DIR *d = opendir(folder);
	if (d == NULL)
		return err_errno(err, "The folder %s cannot be listed", folder);
	enum status st = ST_OK;
	struct dirent *entry;
	while (st == ST_OK && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) != 0 && errno != ENOENT)
			st = err_errno(err, "The leftover %s/%s cannot be removed", folder, entry->d_name);
	}
	closedir(d);
	return st;
}

static enum status make_folder(const struct blob_file *f, const char *name, struct err *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(err, "The folder %s cannot be made", path);
	return ST_OK;
}

/*
 * All folders are made and synced here, once, so that put() need not care whether the one it writes to
 * survives. Synced also when they were there: the process that made them may have been killed before its own
 * sync.
 */
static enum status make_layout(struct blob_file *f, struct err *err)
{
	char path[PATH_MAX], name[3];
	TRY(file_make_folders(f->folder, err));
	for (unsigned i = 0; i < 256; i++) {
		hex_encode(&(uint8_t){(uint8_t)i}, 1, name);
		TRY(make_folder(f, name, err));
	}
	TRY(make_folder(f, "tmp", err));
	snprintf(path, sizeof(path), "%s/tmp", f->folder);
	TRY(empty_folder(path, err));
	TRY(file_sync_folder(f->folder, err));
	snprintf(path, sizeof(path), "%s/..", f->folder);
	return file_sync_folder(path, err);
}

static const struct blob_ops file_ops = {
	.scheme = "file",
	.put = file_put,
	.get = file_get,
	.stat = file_stat,
	.open = file_open,
	.remove = file_remove,
	.list = file_list,
	.close = file_close,
};

enum status blob_file_open(const char *folder, struct blob **out, struct err *err)
{
	struct blob_file *f = calloc(1, sizeof(*f));
	CHECK(f != NULL);
	f->blob.ops = &file_ops;
	enum status st = ST_OK;
	if (snprintf(f->folder, sizeof(f->folder), "%s", folder) >= (int)sizeof(f->folder))
		st = err_set(err, ST_INVALID, "The path %.100s… is too long.", folder);
	if (st == ST_OK)
		st = make_layout(f, err);
	if (st != ST_OK) {
		free(f);
		return st;
	}
	*out = &f->blob;
	return ST_OK;
}
