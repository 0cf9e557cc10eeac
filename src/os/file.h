/* SPDX-License-Identifier: Apache-2.0 */
/* Files, with the order of system calls that survives a power cut. */
#ifndef GYRE_OS_FILE_H
#define GYRE_OS_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <sys/types.h>

enum status file_make_folders(const char *path,
	struct err *err) MUST_CHECK; /* like mkdir -p, mode 0700, each new level fsynced into its parent */

/*
 * Write bytes to path so that they and the name survive a power cut when it
 * returns ST_OK: temporary file beside it, write, fsync, rename, fsync of the folder.
 * Replaces. On failure nothing is left under path or beside it.
 */
enum status file_write_durable(const char *path, struct span bytes, mode_t mode, struct err *err) MUST_CHECK;
/* The last three steps for a file already written and open at fd: fsync, rename(from, to), fsync of to's
 * folder. */
enum status file_rename_durable(int fd, const char *from, const char *to, struct err *err) MUST_CHECK;
enum status file_sync_folder(const char *folder, struct err *err) MUST_CHECK;

/* All of a file into the arena, NUL-terminated past its size; ST_MISSING, ST_TOO_LARGE past max. */
enum status file_read(
	const char *path, size_t size_max, struct arena *a, struct span *bytes, struct err *err) MUST_CHECK;

/* A read-only map of a whole file; ST_MISSING. An empty file maps to an empty span. */
enum status file_map(const char *path, struct span *bytes, struct err *err) MUST_CHECK;
void file_unmap(struct span bytes);

/* The file that is open at fd under another name, as a hard link where both are on one file system, else a
 * copy. What is there is replaced. Not durable. */
enum status file_link(int fd, const char *path, struct err *err) MUST_CHECK;
enum status file_copy(int fd, const char *path, struct err *err) MUST_CHECK; /* always bytes of its own */
/* A folder with all that is in it; what is not there is ST_OK. Never follows links out of it. */
enum status file_remove_folder(const char *path, struct err *err) MUST_CHECK;

bool file_exists(const char *path);
int64_t file_size(const char *path); /* bytes, -1 if there is none */
enum status file_write_all(
	int fd, const void *data, size_t size, struct err *err) MUST_CHECK; /* loops over short writes */

#endif
