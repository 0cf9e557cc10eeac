/* SPDX-License-Identifier: Apache-2.0 */
#include "http/body.h"

#include "base/check.h"
#include "base/str.h"
#include "http/http.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IDLE_BYTES_MAX (32u << 20)
#define SPOOL_PREFIX "body-"

static const size_t class_bytes[BODY_CLASSES] = {16u << 10, 64u << 10, 256u << 10, HTTP_BODY_MEMORY_MAX};

struct body_buffer {
	struct body_buffer *next;
	unsigned class;
	uint8_t bytes[];
};

/* ---- the pool ---- */

/* The smallest class that holds size bytes; size is at most HTTP_BODY_MEMORY_MAX. */
static unsigned class_for(uint64_t size)
{
	unsigned class = 0;
	while (class_bytes[class] < size)
		class ++;
	return class;
}

static enum status take_buffer(
	struct body_store *s, unsigned class, struct body_buffer **out, struct err *err)
{
	TRY(budget_take(&s->memory, class_bytes[class], err));
	mutex_lock(&s->lock);
	struct body_buffer *buffer = s->idle[class];
	if (buffer) {
		s->idle[class] = buffer->next;
		s->idle_bytes -= class_bytes[class];
	}
	mutex_unlock(&s->lock);
	if (buffer == NULL) {
		buffer = malloc(sizeof(*buffer) + class_bytes[class]);
		CHECK(buffer != NULL);
		buffer->class = class;
	}
	*out = buffer;
	return ST_OK;
}

static void give_buffer(struct body_store *s, struct body_buffer *buffer)
{
	uint64_t bytes = class_bytes[buffer->class];
	mutex_lock(&s->lock);
	bool keep = s->idle_bytes + bytes <= IDLE_BYTES_MAX;
	if (keep) {
		buffer->next = s->idle[buffer->class];
		s->idle[buffer->class] = buffer;
		s->idle_bytes += bytes;
	}
	mutex_unlock(&s->lock);
	if (!keep)
		free(buffer);
	budget_give(&s->memory, bytes);
}

/* ---- the spool ---- */

/* Only what has our prefix: a folder given by mistake loses nothing else. */
static enum status empty_folder(const char *folder, struct err *err)
{
	DIR *dir = opendir(folder);
	if (dir == NULL)
		return err_errno(err, "The folder for large request bodies, %s, cannot be read", folder);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (text_starts_with(entry->d_name, SPOOL_PREFIX))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
	return ST_OK;
}

static int open_spool(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	/* A file system without O_TMPFILE. */
	char path[4096];
	int size = snprintf(path, sizeof(path), "%s/" SPOOL_PREFIX "XXXXXX", folder);
	if (size < 0 || (size_t)size >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static enum status start_spool(struct body *b, struct err *err)
{
	b->spool_fd = open_spool(b->store->spool_folder);
	if (b->spool_fd < 0)
		return err_errno(err, "A temporary file for a large request body cannot be made in %s",
			b->store->spool_folder);
	return ST_OK;
}

/* From memory to the file, when a body of unknown size outgrows it. */
static enum status move_to_spool(struct body *b, struct err *err)
{
	TRY(start_spool(b, err));
	if (b->buffer == NULL)
		return ST_OK;
	struct body_buffer *buffer = b->buffer;
	b->buffer = NULL;
	enum status st = file_write_all(b->spool_fd, buffer->bytes, b->size, err);
	give_buffer(b->store, buffer);
	return st;
}

/* ---- store ---- */

enum status body_store_init(
	struct body_store *s, const char *spool_folder, uint64_t memory_max, struct err *err)
{
	*s = (struct body_store){0};
	TRY(file_make_folders(spool_folder, err));
	TRY(empty_folder(spool_folder, err));
	s->spool_folder = strdup(spool_folder);
	CHECK(s->spool_folder != NULL);
	budget_init(&s->memory, "memory for request bodies", memory_max);
	CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
	return ST_OK;
}

void body_store_release(struct body_store *s)
{
	if (s->spool_folder == NULL)
		return;
	CHECK(s->memory.used == 0);
	for (unsigned class = 0; class < BODY_CLASSES; class ++) {
		while (s->idle[class]) {
			struct body_buffer *next = s->idle[class]->next;
			free(s->idle[class]);
			s->idle[class] = next;
		}
	}
	pthread_mutex_destroy(&s->lock);
	free((char *)s->spool_folder);
	s->spool_folder = NULL;
}

/* ---- a body ---- */

void body_init(struct body *b, struct body_store *s)
{
	*b = (struct body){.store = s, .spool_fd = -1};
}

enum status body_expect(struct body *b, uint64_t expected, struct err *err)
{
	CHECK(b->size == 0 && b->buffer == NULL && b->spool_fd < 0);
	if (expected == 0)
		return ST_OK;
	if (expected == UINT64_MAX)
		return take_buffer(b->store, class_for(64u << 10), &b->buffer, err);
	if (expected <= HTTP_BODY_MEMORY_MAX)
		return take_buffer(b->store, class_for(expected), &b->buffer, err);
	TRY(start_spool(b, err));
	/* Better to hear now than in the middle of the body that the disk is full; what cannot reserve is not
	 * asked twice. */
	if (fallocate(b->spool_fd, 0, 0, (off_t)expected) != 0 &&
		(errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return err_errno(err, "There is no room on disk for a request body of this size");
	return ST_OK;
}

static enum status grow(struct body *b, uint64_t size, struct err *err)
{
	struct body_buffer *larger;
	TRY(take_buffer(b->store, class_for(size), &larger, err));
	if (b->buffer) {
		memcpy(larger->bytes, b->buffer->bytes, b->size);
		give_buffer(b->store, b->buffer);
	}
	b->buffer = larger;
	return ST_OK;
}

enum status body_append(struct body *b, const void *data, size_t size, struct err *err)
{
	if (b->spool_fd < 0 && b->size + size > HTTP_BODY_MEMORY_MAX)
		TRY(move_to_spool(b, err));
	if (b->spool_fd >= 0) {
		TRY(file_write_all(b->spool_fd, data, size, err));
	} else {
		if (b->buffer == NULL || b->size + size > class_bytes[b->buffer->class])
			TRY(grow(b, b->size + size, err));
		memcpy(b->buffer->bytes + b->size, data, size);
	}
	b->size += size;
	return ST_OK;
}

enum status body_finish(struct body *b, struct span *out, struct err *err)
{
	*out = b->buffer ? span_of(b->buffer->bytes, b->size) : span_of("", 0);
	if (b->spool_fd < 0)
		return ST_OK;
	CHECK(b->size > 0);
	void *map = mmap(NULL, b->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, b->spool_fd, 0);
	if (map == MAP_FAILED)
		return err_errno(err, "A large request body cannot be mapped");
	b->map = span_of(map, b->size);
	*out = b->map;
	return ST_OK;
}

void body_release(struct body *b)
{
	if (b->buffer)
		give_buffer(b->store, b->buffer);
	if (b->map.data)
		munmap((void *)(uintptr_t)b->map.data, b->map.size);
	if (b->spool_fd >= 0)
		close(b->spool_fd);
	body_init(b, b->store);
}
