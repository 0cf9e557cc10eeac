/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives, written as a file and sent from it. libzip writes them; nothing else knows that. */
#ifndef GYRE_OS_ARCHIVE_H
#define GYRE_OS_ARCHIVE_H

#include "base/err.h"
#include "base/span.h"

#include <stdint.h>

/* A file in it: bytes, or one that is opened when its turn comes. */
struct archive_entry {
	const char *name;  /* UTF-8, with slashes */
	struct span bytes; /* where open is NULL */
	/* A descriptor at its beginning, which is closed here, and its size in bytes. */
	enum status (*open)(void *arg, int *fd, uint64_t *size, struct err *err);
	void *arg;
};

/*
 * Writes the entries uncompressed, as pictures are compressed already, and all with one time (Unix seconds),
 * so that the same entries are the same bytes. The file is made in a folder and has no name there when this
 * returns: *fd is at its beginning, the caller's to close. ST_UNAVAILABLE: the disk is full.
 */
enum status archive_write(const char *folder, const struct archive_entry *entries, size_t count,
	int64_t time_s, int *fd, uint64_t *size, struct err *err) MUST_CHECK;

#endif
