/* SPDX-License-Identifier: Apache-2.0 */
#include "os/archive.h"

#include "base/check.h"
#include "base/uuid.h"
#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#define PATH_BYTES 4096

/* ---- an entry that is opened late: one descriptor at a time, however many there are ---- */

struct late {
	const struct archive_entry *entry;
	int fd;
	uint64_t size;
	zip_error_t error;
	struct err *err; /* what opening it said */
};

static int fail(struct late *l, int zip_code, int system_code)
{
	zip_error_set(&l->error, zip_code, system_code);
	return -1;
}

static int open_late(struct late *l)
{
	if (l->fd >= 0)
		return 0;
	if (l->entry->open(l->entry->arg, &l->fd, &l->size, l->err) == ST_OK)
		return 0;
	l->fd = -1;
	return fail(l, ZIP_ER_OPEN, ENOENT);
}

static void close_late(struct late *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

static int64_t read_late(struct late *l, void *data, uint64_t size)
{
	ssize_t got;
	do {
		got = read(l->fd, data, size);
	} while (got < 0 && errno == EINTR);
	return got >= 0 ? got : fail(l, ZIP_ER_READ, errno);
}

/* Asked before it is opened. */
static int64_t stat_late(struct late *l, void *data, uint64_t size)
{
	if (size < sizeof(zip_stat_t))
		return fail(l, ZIP_ER_INVAL, EINVAL);
	bool was_open = l->fd >= 0;
	if (open_late(l) < 0)
		return -1;
	if (!was_open)
		close_late(l);
	zip_stat_t *st = data;
	zip_stat_init(st);
	st->size = l->size;
	st->valid |= ZIP_STAT_SIZE;
	return sizeof(*st);
}

static zip_int64_t call_late(void *arg, void *data, zip_uint64_t size, zip_source_cmd_t command)
{
	struct late *l = arg;
	switch (command) {
	case ZIP_SOURCE_OPEN: return open_late(l);
	case ZIP_SOURCE_READ: return read_late(l, data, size);
	case ZIP_SOURCE_CLOSE: close_late(l); return 0;
	case ZIP_SOURCE_STAT: return stat_late(l, data, size);
	case ZIP_SOURCE_ERROR: return zip_error_to_data(&l->error, data, size);
	case ZIP_SOURCE_FREE: close_late(l); return 0;
	case ZIP_SOURCE_SUPPORTS:
		return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
			ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
	default: return fail(l, ZIP_ER_OPNOTSUPP, 0);
	}
}

/* ---- writing ---- */

static enum status zip_failed(zip_error_t *error, struct err *err)
{
	bool full = zip_error_system_type(error) == ZIP_ET_SYS && zip_error_code_system(error) == ENOSPC;
	return err_set(err, full ? ST_UNAVAILABLE : ST_INTERNAL, "The archive cannot be written: %.300s.%s",
		zip_error_strerror(error), full ? " Make room on the disk and try again." : "");
}

static enum status add_entry(
	zip_t *zip, const struct archive_entry *entry, struct late *late, int64_t time_s, struct err *err)
{
	zip_source_t *source;
	*late = (struct late){.entry = entry, .fd = -1, .err = err};
	zip_error_init(&late->error);
	if (entry->open)
		source = zip_source_function(zip, call_late, late);
	else
		source = zip_source_buffer(zip, entry->bytes.data, entry->bytes.size, 0);
	if (source == NULL)
		return zip_failed(zip_get_error(zip), err);
	zip_int64_t index = zip_file_add(zip, entry->name, source, ZIP_FL_ENC_UTF_8);
	if (index < 0) {
		zip_source_free(source);
		return zip_failed(zip_get_error(zip), err);
	}
	if (zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0) < 0 ||
		zip_file_set_mtime(zip, (zip_uint64_t)index, (time_t)time_s, 0) < 0)
		return zip_failed(zip_get_error(zip), err);
	return ST_OK;
}

static enum status write_entries(zip_t *zip, const struct archive_entry *entries, size_t count,
	struct late *late, int64_t time_s, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		TRY(add_entry(zip, &entries[i], &late[i], time_s, err));
	struct err opening = {0};
	for (size_t i = 0; i < count; i++)
		late[i].err = &opening;
	if (zip_close(zip) == 0)
		return ST_OK;
	return opening.status != ST_OK ? err_set(err, opening.status, "%s", opening.text)
				       : zip_failed(zip_get_error(zip), err);
}

static enum status write_path(
	const char *path, const struct archive_entry *entries, size_t count, int64_t time_s, struct err *err)
{
	int code;
	zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
	if (zip == NULL) {
		zip_error_t error;
		zip_error_init_with_code(&error, code);
		enum status st = zip_failed(&error, err);
		zip_error_fini(&error);
		return st;
	}
	struct late *late = calloc(count + 1, sizeof(*late));
	CHECK(late != NULL);
	enum status st = write_entries(zip, entries, count, late, time_s, err);
	if (st != ST_OK)
		zip_discard(zip);
	free(late);
	return st;
}

static enum status open_nameless(const char *path, int *fd, uint64_t *size, struct err *err)
{
	struct stat info;
	*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return err_errno(err, "The archive cannot be opened");
	unlink(path);
	if (fstat(*fd, &info) < 0) {
		enum status st = err_errno(err, "The archive cannot be looked at");
		close(*fd);
		return st;
	}
	*size = (uint64_t)info.st_size;
	return ST_OK;
}

enum status archive_write(const char *folder, const struct archive_entry *entries, size_t count,
	int64_t time_s, int *fd, uint64_t *size, struct err *err)
{
	char path[PATH_BYTES], id[UUID_TEXT_SIZE];
	CHECK(count > 0); /* libzip makes no file of nothing */
	uuid_format(uuid_v7(clock_unix_ms()), id);
	/* What a crash leaves is emptied with the other bodies of the folder (http/body.c). */
	int length = snprintf(path, sizeof(path), "%s/body-%s.zip", folder, id);
	if (length < 0 || (size_t)length >= sizeof(path))
		return err_set(err, ST_INTERNAL, "The path of the folder for archives is too long.");
	TRY(write_path(path, entries, count, time_s, err));
	return open_nameless(path, fd, size, err);
}
