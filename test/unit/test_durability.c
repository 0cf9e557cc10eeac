/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What store/ acknowledged survives a power cut, and each system call may fail.
 *
 * kill -9 proves neither, since the page cache survives it. So this program
 * stands between the code (SQLite's too) and the system calls that write. It
 * keeps what a power cut would leave: of a file the bytes at its last sync, of a
 * folder the names at its last sync, and nothing else. Afterwards the log of syncs
 * and acknowledgements is replayed, and at each point of it everything
 * acknowledged so far must be on that disk.
 */
#include "base/check.h"
#include "base/hash.h"
#include "os/log.h"
#include "os/thread.h"
#include "store/blob.h"
#include "store/db_sqlite.h"
#include "store/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- between the code and the disk ---- */

enum event_kind { FILE_CREATED, FILE_SYNCED, FOLDER_SYNCED, BLOB_PUT, ROW_COMMITTED };

struct name {
	char text[80];
	ino_t inode;
};

struct event {
	enum event_kind kind;
	ino_t inode;
	uint8_t *data; /* of a file */
	size_t size;
	struct name *names; /* of a folder */
	size_t name_count;
	int64_t row;
	char key[SHA256_HEX_SIZE];
};

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool recording;
	struct event events[4000];
	size_t count;
	/* The call to fail; 0: none. An error of 0 is a short write. */
	unsigned fail_at, calls;
	int error;
	bool fired, fired_on_folder, fired_on_open;
	unsigned folders_synced; /* since fail_at() */
	/* Hold the first sync of a folder until let go. */
	bool hold, held;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct event *event_add(enum event_kind kind, ino_t inode)
{
	CHECK(disk.count < COUNT_OF(disk.events));
	struct event *e = &disk.events[disk.count++];
	*e = (struct event){.kind = kind, .inode = inode};
	return e;
}

/* Returns whether this call must fail; errno is set then. */
static bool fails(void)
{
	mutex_lock(&disk.mutex);
	bool now = disk.fail_at > 0 && ++disk.calls == disk.fail_at;
	disk.fired |= now;
	errno = now ? disk.error : errno;
	mutex_unlock(&disk.mutex);
	return now;
}

static void note_file(int fd, const struct stat *info)
{
	struct event *e = event_add(FILE_SYNCED, info->st_ino);
	e->size = (size_t)info->st_size;
	e->data = malloc(e->size + 1);
	CHECK(e->data != NULL);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd); /* fd may be open for writing alone */
	int again = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	CHECK(again >= 0 && syscall(SYS_pread64, again, e->data, e->size, 0) == (long)e->size);
	syscall(SYS_close, again);
}

static void note_folder(int fd, const struct stat *info)
{
	struct event *e = event_add(FOLDER_SYNCED, info->st_ino);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	DIR *d = opendir(path);
	CHECK(d != NULL);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		e->names = realloc(e->names, (e->name_count + 1) * sizeof(struct name));
		CHECK(e->names != NULL);
		struct name *n = &e->names[e->name_count++];
		snprintf(n->text, sizeof(n->text), "%.79s", entry->d_name);
		n->inode = entry->d_ino;
	}
	closedir(d);
}

static int synced(int fd, long number)
{
	struct stat info;
	bool failing = fails() && errno;
	if (fstat(fd, &info) != 0)
		return -1;
	mutex_lock(&disk.mutex);
	if (failing) {
		disk.fired_on_folder = S_ISDIR(info.st_mode);
		mutex_unlock(&disk.mutex);
		return -1;
	}
	disk.folders_synced += S_ISDIR(info.st_mode);
	if (disk.hold && !disk.held && S_ISDIR(info.st_mode)) {
		disk.held = true;
		pthread_cond_broadcast(&disk.changed);
		while (disk.hold)
			cond_wait_until(&disk.changed, &disk.mutex, 0);
	}
	int result = (int)syscall(number, fd);
	if (result == 0 && disk.recording) {
		if (S_ISDIR(info.st_mode))
			note_folder(fd, &info);
		else
			note_file(fd, &info);
	}
	mutex_unlock(&disk.mutex);
	return result;
}

/* The C library's functions by their names in the linked program: its headers may rename what is declared
 * there. */
int disk_fsync(int fd) __asm__("fsync");
int disk_fdatasync(int fd) __asm__("fdatasync");
ssize_t disk_write(int fd, const void *data, size_t size) __asm__("write");
ssize_t disk_pwrite(int fd, const void *data, size_t size, off64_t at) __asm__("pwrite64");
int disk_ftruncate(int fd, off64_t size) __asm__("ftruncate64");
int disk_rename(const char *from, const char *to) __asm__("rename");
int disk_open(const char *path, int flags, ...) __asm__("open");
int disk_open64(const char *path, int flags, ...) __asm__("open64");

int disk_fsync(int fd)
{
	return synced(fd, SYS_fsync);
}

int disk_fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

ssize_t disk_write(int fd, const void *data, size_t size)
{
	bool failing = fd > 2 && size > 1 && fails();
	if (failing && errno != 0)
		return -1;
	return syscall(SYS_write, fd, data, failing ? size / 2 : size);
}

ssize_t disk_pwrite(int fd, const void *data, size_t size, off64_t at)
{
	bool failing = size > 1 && fails();
	if (failing && errno != 0)
		return -1;
	return syscall(SYS_pwrite64, fd, data, failing ? size / 2 : size, at);
}

int disk_ftruncate(int fd, off64_t size)
{
	return fails() && errno ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int disk_rename(const char *from, const char *to)
{
	return fails() && errno ? -1 : (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

static int opened(const char *path, int flags, mode_t mode)
{
	if ((flags & O_CREAT) && fails() && errno) {
		mutex_lock(&disk.mutex);
		disk.fired_on_open = true;
		mutex_unlock(&disk.mutex);
		return -1;
	}
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	struct stat info;
	if (fd >= 0 && (flags & O_CREAT) && fstat(fd, &info) == 0 && info.st_size == 0) {
		mutex_lock(&disk.mutex);
		if (disk.recording)
			event_add(
				FILE_CREATED, info.st_ino); /* the number of a removed file may come again */
		mutex_unlock(&disk.mutex);
	}
	return fd;
}

int disk_open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return opened(path, flags, mode);
}

int disk_open64(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return opened(path, flags, mode);
}

static void fail_at(unsigned nth, int error)
{
	mutex_lock(&disk.mutex);
	disk.fail_at = nth;
	disk.error = error;
	disk.calls = 0;
	disk.fired = disk.fired_on_folder = disk.fired_on_open = false;
	disk.folders_synced = 0;
	mutex_unlock(&disk.mutex);
}

static bool fired(void)
{
	mutex_lock(&disk.mutex);
	bool f = disk.fired;
	mutex_unlock(&disk.mutex);
	return f;
}

static void acknowledge(enum event_kind kind, const char *key, int64_t row)
{
	mutex_lock(&disk.mutex);
	struct event *e = event_add(kind, 0);
	e->row = row;
	if (key)
		memcpy(e->key, key, sizeof(e->key));
	mutex_unlock(&disk.mutex);
}

/* ---- the disk after a power cut ---- */

/* The last state of an inode among the first `upto` events, NULL if it was never synced. */
static const struct event *on_disk(ino_t inode, size_t upto)
{
	while (upto-- > 0) {
		const struct event *e = &disk.events[upto];
		if (e->inode != inode || e->kind > FOLDER_SYNCED)
			continue;
		return e->kind == FILE_CREATED ? NULL : e;
	}
	return NULL;
}

static const struct event *look_up(const struct event *folder, const char *name, size_t upto)
{
	for (size_t i = 0; folder && i < folder->name_count; i++)
		if (strcmp(folder->names[i].text, name) == 0)
			return on_disk(folder->names[i].inode, upto);
	return NULL;
}

static void check_blob(const struct event *root, const char *key, size_t upto)
{
	char digits[3] = {key[0], key[1], '\0'}, found[SHA256_HEX_SIZE];
	const struct event *file = look_up(look_up(look_up(root, "blobs", upto), digits, upto), key, upto);
	if (file == NULL)
		fail_msg("after %zu events, blob %.8s is not on the disk", upto, key);
	hash_sha256_hex(span_of(file->data, file->size), found);
	assert_string_equal(found, key);
}

static void write_copy(const char *path, const struct event *file)
{
	FILE *copy = fopen(path, "w");
	assert_non_null(copy);
	if (file)
		assert_int_equal(fwrite(file->data, 1, file->size, copy), file->size);
	assert_int_equal(fclose(copy), 0);
}

/* Rows 1 to n were acknowledged; n + 1 may be there, never a half. */
static void check_rows(const struct event *root, int64_t n, size_t upto)
{
	char folder[PATH_MAX - 16], path[PATH_MAX];
	struct db *db;
	struct db_conn *c = NULL;
	struct err err;
	snprintf(folder, sizeof(folder), "%s/replay-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db-wal", folder);
	write_copy(path, look_up(root, "db-wal", upto));
	snprintf(path, sizeof(path), "%s/db", folder);
	write_copy(path, look_up(root, "db", upto));
	if (db_sqlite_open(path, &db, &err) != ST_OK || db_connect(db, true, &c, &err) != ST_OK)
		fail_msg("after %zu events: %s", upto, err.text);
	struct db_query q = db_query(c, "SELECT count(*), sum(id), max(id) FROM entry");
	assert_true(db_next(&q));
	int64_t rows = db_integer(&q, 2);
	assert_true(rows == n || rows == n + 1);
	assert_int_equal(db_integer(&q, 0), 2 * rows);
	assert_int_equal(db_integer(&q, 1), 0);
	assert_int_equal(db_done(&q, &err), ST_OK);
	db_disconnect(c);
	db_close(db);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void replay(const char *folder, bool has_rows)
{
	struct stat info;
	assert_int_equal(stat(folder, &info), 0);
	int64_t rows = -1;
	for (size_t upto = 1; upto <= disk.count; upto++) {
		const struct event *root = on_disk(info.st_ino, upto), *last = &disk.events[upto - 1];
		if (last->kind == ROW_COMMITTED)
			rows = last->row;
		for (size_t i = 0; i < upto; i++)
			if (disk.events[i].kind == BLOB_PUT)
				check_blob(root, disk.events[i].key, upto);
		if (has_rows && rows >= 0)
			check_rows(root, rows, upto);
	}
}

/* ---- fixture ---- */

struct fixture {
	char folder[PATH_MAX - 16];
	struct blob *blob;
	struct db *db;
	struct recorder *recorder;
	struct arena arena;
	struct err err;
};

static enum status insert_pair(struct db_conn *c, void *arg, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO entry (id) VALUES ($1), (-$1)");
	db_bind_integer(&q, *(int64_t *)arg);
	return db_done(&q, err);
}

static enum status create_table(struct db_conn *c, void *arg, struct err *err)
{
	return db_script(c, "CREATE TABLE entry (id INTEGER PRIMARY KEY) STRICT", err);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[PATH_MAX];
	assert_non_null(f);
	arena_init(&f->arena);
	snprintf(f->folder, sizeof(f->folder), "%s/durability-XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir);
	assert_non_null(mkdtemp(f->folder));
	disk.count = 0;
	disk.recording = true;
	snprintf(path, sizeof(path), "%s/blobs", f->folder);
	assert_int_equal(blob_file_open(path, &f->blob, &f->err), ST_OK);
	snprintf(path, sizeof(path), "%s/db", f->folder);
	assert_int_equal(db_sqlite_open(path, &f->db, &f->err), ST_OK);
	assert_int_equal(recorder_start(f->db, 100, 64, &f->recorder, &f->err), ST_OK);
	assert_int_equal(recorder_run(f->recorder, create_table, NULL, &f->err), ST_OK);
	*state = f;
	return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
	return remove(path);
}

static void stop(struct fixture *f)
{
	recorder_stop(f->recorder);
	f->recorder = NULL;
	disk.recording = false;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	stop(f);
	db_close(f->db);
	blob_close(f->blob);
	assert_int_equal(nftw(f->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	for (size_t i = 0; i < disk.count; i++) {
		free(disk.events[i].data);
		free(disk.events[i].names);
	}
	arena_release(&f->arena);
	free(f);
	return 0;
}

/* ---- power cuts ---- */

static enum status empty_log(struct db_conn *c, void *arg, struct err *err)
{
	*(bool *)arg = true;
	return ST_OK;
}

static void test_acknowledged_predictions_survive(void **state)
{
	struct fixture *f = *state;
	acknowledge(ROW_COMMITTED, NULL, 0);
	for (int64_t id = 1; id <= 20; id++) {
		char body[32], key[SHA256_HEX_SIZE];
		snprintf(body, sizeof(body), "image %d", (int)(id % 15)); /* some come twice */
		assert_int_equal(blob_put(f->blob, span_of_text(body), key, &f->err), ST_OK);
		acknowledge(BLOB_PUT, key, 0);
		assert_int_equal(recorder_run(f->recorder, insert_pair, &id, &f->err), ST_OK);
		acknowledge(ROW_COMMITTED, NULL, id);
		if (id % 7 == 0) { /* a stop empties the log, a start begins a new one */
			bool ran = false;
			assert_int_equal(recorder_run(f->recorder, empty_log, &ran, &f->err), ST_OK);
			recorder_stop(f->recorder);
			assert_int_equal(recorder_start(f->db, 100, 64, &f->recorder, &f->err), ST_OK);
		}
	}
	stop(f);
	replay(f->folder, true);
}

struct putter {
	struct fixture *f;
	thread_handle thread;
};

static void put_one(void *arg)
{
	struct putter *p = arg;
	char key[SHA256_HEX_SIZE];
	assert_int_equal(blob_put(p->f->blob, span_of_text("the same image"), key, NULL), ST_OK);
	acknowledge(BLOB_PUT, key, 0);
}

/* The first writer has renamed and not yet synced the folder when the same bytes come again. */
static void test_a_second_put_does_not_trust_the_first(void **state)
{
	struct fixture *f = *state;
	struct putter first = {.f = f}, second = {.f = f};
	disk.hold = true;
	disk.held = false;
	thread_start(&first.thread, "first", put_one, &first);
	mutex_lock(&disk.mutex);
	while (!disk.held)
		cond_wait_until(&disk.changed, &disk.mutex, 0);
	mutex_unlock(&disk.mutex);
	put_one(&second);
	mutex_lock(&disk.mutex);
	disk.hold = false;
	pthread_cond_broadcast(&disk.changed);
	mutex_unlock(&disk.mutex);
	thread_join(first.thread);
	stop(f);
	replay(f->folder, false);
}

/* ---- each system call fails once ---- */

static const int errors[] = {ENOSPC, EIO, 0};

static int count_files(struct fixture *f, const char *below)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", f->folder, below);
	DIR *d = opendir(path);
	assert_non_null(d);
	int count = -2; /* . and .. */
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void test_put_survives_each_failure(void **state)
{
	struct fixture *f = *state;
	disk.recording = false;
	for (size_t e = 0; e < COUNT_OF(errors); e++) {
		bool again = true;
		for (unsigned nth = 1; again; nth++) {
			char body[32], key[SHA256_HEX_SIZE];
			struct span found, expected = span_of_text(body);
			snprintf(body, sizeof(body), "image %u with error %d", nth, errors[e]);
			expected.size = strlen(body);
			fail_at(nth, errors[e]);
			enum status st = blob_put(f->blob, expected, key, &f->err);
			again = fired();
			fail_at(0, 0);
			assert_int_equal(st, again && errors[e] ? ST_UNAVAILABLE : ST_OK);
			assert_int_equal(count_files(f, "blobs/tmp"), 0);
			enum status there = blob_get(f->blob, key, 100, &f->arena, &found, &f->err);
			assert_true(there == ST_OK || (st != ST_OK && there == ST_MISSING));
			if (there == ST_OK)
				assert_true(span_equal(found, expected));
			assert_int_equal(blob_put(f->blob, expected, key, &f->err), ST_OK);
			assert_int_equal(blob_get(f->blob, key, 100, &f->arena, &found, &f->err), ST_OK);
			assert_true(nth < 50);
		}
	}
}

static void check_pairs(struct fixture *f)
{
	struct db_conn *c;
	assert_int_equal(db_connect(f->db, false, &c, &f->err), ST_OK);
	struct db_query q = db_query(c, "SELECT sum(id) FROM entry");
	assert_true(db_next(&q));
	assert_int_equal(db_integer(&q, 0), 0);
	assert_int_equal(db_done(&q, &f->err), ST_OK);
	db_disconnect(c);
}

/*
 * SQLite ignores a folder that cannot be synced: then another sync of it must have worked before. It also
 * opens a log that it only reads without the right to write.
 */
static void check_failure(struct fixture *f, bool started, enum status st, int error)
{
	assert_true(st == ST_OK || (disk.fired && st == ST_UNAVAILABLE));
	if (started && st != ST_OK && error == ENOSPC)
		assert_non_null(strstr(f->err.text, "disk")); /* "is full", or "failed" at a sync */
	if (st == ST_OK && disk.fired && error == EIO)
		assert_true(disk.fired_on_open || (disk.fired_on_folder && disk.folders_synced > 0));
}

static void test_the_recorder_survives_each_failure(void **state)
{
	struct fixture *f = *state;
	int64_t id = 0;
	disk.recording = false;
	for (size_t e = 0; e < COUNT_OF(errors); e++) {
		bool again = true;
		for (unsigned nth = 1; again; nth++) {
			/* A recorder that starts makes a new log: more can go wrong. */
			recorder_stop(f->recorder);
			f->recorder = NULL;
			id++;
			fail_at(nth, errors[e]);
			enum status st = recorder_start(f->db, 100, 64, &f->recorder, &f->err);
			bool started = st == ST_OK;
			if (started)
				st = recorder_run(f->recorder, insert_pair, &id, &f->err);
			again = fired();
			check_failure(f, started, st, errors[e]);
			fail_at(0, 0);
			if (!started)
				assert_int_equal(
					recorder_start(f->db, 100, 64, &f->recorder, &f->err), ST_OK);
			check_pairs(f);
			id++;
			assert_int_equal(recorder_run(f->recorder, insert_pair, &id, &f->err), ST_OK);
			check_pairs(f);
			assert_true(nth < 100);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_acknowledged_predictions_survive),
		TEST(test_a_second_put_does_not_trust_the_first),
		TEST(test_put_survives_each_failure),
		TEST(test_the_recorder_survives_each_failure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
