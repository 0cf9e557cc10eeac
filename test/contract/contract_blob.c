/* SPDX-License-Identifier: Apache-2.0 */
/* store/blob.h: one suite for blobs, run on every implementation, and each call failing once. */
#include "base/arena.h"
#include "os/file.h"
#include "os/thread.h"
#include "store/blob.h"
#include "store/blob_faulty.h"

#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct blob *blob;
	struct arena arena;
	char folder[PATH_MAX - 128]; /* of the file implementation, else "" */
	struct err err;
};

/* ---- the implementations ---- */

static struct blob *make_file(struct fixture *f)
{
	struct blob *b = NULL;
	const char *temporary = getenv("TMPDIR") ? getenv("TMPDIR") : P_tmpdir;
	snprintf(f->folder, sizeof(f->folder), "%s/contract-blob-XXXXXX", temporary);
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(blob_file_open(f->folder, &b, &f->err), ST_OK);
	return b;
}

static struct blob *make_mem(struct fixture *f)
{
	return blob_mem_new();
}

static struct blob *make_faulty_mem(struct fixture *f)
{
	return blob_faulty_new(make_mem(f));
}

static struct blob *make_faulty_file(struct fixture *f)
{
	return blob_faulty_new(make_file(f));
}

static struct blob *(*make)(struct fixture *f);

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	arena_init(&f->arena);
	f->blob = make(f);
	*state = f;
	return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
	return remove(path);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	blob_close(f->blob);
	if (f->folder[0])
		assert_int_equal(nftw(f->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	arena_release(&f->arena);
	free(f);
	return 0;
}

/* ---- helpers ---- */

static void check_is(struct fixture *f, const char *key, struct span body)
{
	struct span found;
	uint64_t size = 0;
	assert_int_equal(blob_get(f->blob, key, body.size, &f->arena, &found, &f->err), ST_OK);
	assert_true(span_equal(found, body));
	assert_int_equal(blob_stat(f->blob, key, &size, &f->err), ST_OK);
	assert_int_equal(size, body.size);
}

static void check_missing(struct fixture *f, const char *key)
{
	struct span found;
	uint64_t size;
	int fd;
	assert_int_equal(blob_get(f->blob, key, 100, &f->arena, &found, &f->err), ST_MISSING);
	assert_int_equal(blob_stat(f->blob, key, &size, &f->err), ST_MISSING);
	assert_int_equal(blob_open(f->blob, key, &fd, &size, &f->err), ST_MISSING);
}

struct listing {
	int count, stop_at;
	uint64_t bytes;
	char last[SHA256_HEX_SIZE];
};

static bool visit(void *arg, const char *key, uint64_t size)
{
	struct listing *l = arg;
	assert_true(blob_key_valid(key));
	memcpy(l->last, key, sizeof(l->last));
	l->bytes += size;
	return ++l->count != l->stop_at;
}

static struct listing list(struct fixture *f, int stop_at)
{
	struct listing l = {.stop_at = stop_at};
	assert_int_equal(blob_list(f->blob, visit, &l, &f->err), ST_OK);
	return l;
}

/* ---- the contract ---- */

static void test_keys_are_sha256(void **state)
{
	struct fixture *f = *state;
	char key[SHA256_HEX_SIZE];
	/* FIPS 180-2, appendix B.1. */
	assert_int_equal(blob_put(f->blob, span_of_text("abc"), key, &f->err), ST_OK);
	assert_string_equal(key, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(blob_key_valid(key));
	assert_false(blob_key_valid(NULL));
	assert_false(blob_key_valid(""));
	assert_false(blob_key_valid("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"));
	assert_false(blob_key_valid("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0"));
	assert_false(blob_key_valid("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	assert_false(blob_key_valid("../816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

static void test_what_is_put_comes_back(void **state)
{
	struct fixture *f = *state;
	static uint8_t large[3 << 20];
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 2654435761u >> 13);
	const struct span bodies[] = {
		span_of("", 0), span_of("\0", 1), span_of_text("one"), span_of(large, sizeof(large))};
	char keys[4][SHA256_HEX_SIZE];
	for (int round = 0; round < 2; round++) /* the same again is fine */
		for (int i = 0; i < 4; i++)
			assert_int_equal(blob_put(f->blob, bodies[i], keys[i], &f->err), ST_OK);
	for (int i = 0; i < 4; i++)
		check_is(f, keys[i], bodies[i]);
	assert_int_equal(list(f, 0).count, 4);
}

static void test_missing_and_too_large(void **state)
{
	struct fixture *f = *state;
	char key[SHA256_HEX_SIZE];
	struct span found;
	hash_sha256_hex(span_of_text("never put"), key);
	check_missing(f, key);
	assert_int_equal(blob_remove(f->blob, key, &f->err), ST_OK);
	assert_int_equal(blob_put(f->blob, span_of_text("12345"), key, &f->err), ST_OK);
	assert_int_equal(blob_get(f->blob, key, 4, &f->arena, &found, &f->err), ST_TOO_LARGE);
	assert_int_equal(blob_get(f->blob, key, 5, &f->arena, &found, &f->err), ST_OK);
}

static void test_remove(void **state)
{
	struct fixture *f = *state;
	char one[SHA256_HEX_SIZE], two[SHA256_HEX_SIZE];
	assert_int_equal(blob_put(f->blob, span_of_text("one"), one, &f->err), ST_OK);
	assert_int_equal(blob_put(f->blob, span_of_text("two"), two, &f->err), ST_OK);
	assert_int_equal(blob_remove(f->blob, one, &f->err), ST_OK);
	check_missing(f, one);
	check_is(f, two, span_of_text("two"));
	assert_string_equal(list(f, 0).last, two);
	assert_int_equal(blob_put(f->blob, span_of_text("one"), one, &f->err), ST_OK);
	check_is(f, one, span_of_text("one"));
}

static void test_list(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(list(f, 0).count, 0);
	for (int i = 0; i < 20; i++) {
		char key[SHA256_HEX_SIZE], body[32];
		snprintf(body, sizeof(body), "body %04d", i);
		assert_int_equal(blob_put(f->blob, span_of_text(body), key, &f->err), ST_OK);
	}
	struct listing l = list(f, 0);
	assert_int_equal(l.count, 20);
	assert_int_equal(l.bytes, 20 * 9);
	assert_int_equal(list(f, 7).count, 7);
}

static void test_open(void **state)
{
	struct fixture *f = *state;
	char key[SHA256_HEX_SIZE], read_back[8] = "";
	int fd;
	uint64_t size;
	assert_int_equal(blob_put(f->blob, span_of_text("content"), key, &f->err), ST_OK);
	enum status st = blob_open(f->blob, key, &fd, &size, &f->err);
	if (f->folder[0] == '\0') {
		assert_int_equal(st, ST_UNSUPPORTED);
		return;
	}
	assert_int_equal(st, ST_OK);
	assert_int_equal(size, 7);
	assert_int_equal(blob_remove(f->blob, key, &f->err), ST_OK);
	assert_int_equal(read(fd, read_back, 7), 7); /* an open file outlives its name */
	assert_string_equal(read_back, "content");
	close(fd);
}

#define PUTS 15

struct putter {
	struct fixture *f;
	int number;
	thread_handle thread;
};

static void put_all(void *arg)
{
	struct putter *p = arg;
	struct arena a;
	arena_init(&a);
	for (int i = 0; i < PUTS; i++) {
		char body[32], key[SHA256_HEX_SIZE];
		struct err err;
		struct span found;
		snprintf(body, sizeof(body), "shared by all %d", i);
		assert_int_equal(blob_put(p->f->blob, span_of_text(body), key, &err), ST_OK);
		assert_int_equal(blob_get(p->f->blob, key, sizeof(body), &a, &found, &err), ST_OK);
		assert_true(span_equal(found, span_of_text(body)));
		snprintf(body, sizeof(body), "own %d %d", p->number, i);
		assert_int_equal(blob_put(p->f->blob, span_of_text(body), key, &err), ST_OK);
	}
	arena_release(&a);
}

static void test_many_put_the_same(void **state)
{
	struct putter putters[4];
	for (int i = 0; i < 4; i++) {
		putters[i] = (struct putter){.f = *state, .number = i};
		thread_start(&putters[i].thread, "putter", put_all, &putters[i]);
	}
	for (int i = 0; i < 4; i++)
		thread_join(putters[i].thread);
	assert_int_equal(list(*state, 0).count, PUTS + 4 * PUTS);
}

/* ---- files only ---- */

static void write_file(struct fixture *f, const char *name)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs("foreign", file) >= 0, 1);
	assert_int_equal(fclose(file), 0);
}

static void test_foreign_files_are_passed_over(void **state)
{
	struct fixture *f = *state;
	char key[SHA256_HEX_SIZE];
	assert_int_equal(blob_put(f->blob, span_of_text("abc"), key, &f->err), ST_OK);
	write_file(f, "README");
	write_file(f, "ba/notes.txt");
	write_file(f, "ba/ca7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* in the wrong
												 folder */
	write_file(f, "tmp/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(list(f, 0).count, 1);
}

static void test_leftovers_go_at_open(void **state)
{
	struct fixture *f = *state;
	char key[SHA256_HEX_SIZE], path[PATH_MAX];
	assert_int_equal(blob_put(f->blob, span_of_text("abc"), key, &f->err), ST_OK);
	write_file(f, "tmp/half-written");
	blob_close(f->blob);
	assert_int_equal(blob_file_open(f->folder, &f->blob, &f->err), ST_OK);
	snprintf(path, sizeof(path), "%s/tmp/half-written", f->folder);
	assert_false(file_exists(path));
	check_is(f, key, span_of_text("abc"));
}

static void test_files_are_private_and_where_documented(void **state)
{
	struct fixture *f = *state;
	char key[SHA256_HEX_SIZE], path[PATH_MAX];
	struct stat info;
	assert_int_equal(blob_put(f->blob, span_of_text("abc"), key, &f->err), ST_OK);
	snprintf(path, sizeof(path), "%s/ba/%s", f->folder, key);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_a_damaged_file_is_replaced(void **state)
{
	struct fixture *f = *state;
	char key[SHA256_HEX_SIZE], path[PATH_MAX];
	assert_int_equal(blob_put(f->blob, span_of_text("abc"), key, &f->err), ST_OK);
	snprintf(path, sizeof(path), "%s/ba/%s", f->folder, key);
	assert_int_equal(truncate(path, 1), 0);
	assert_int_equal(blob_put(f->blob, span_of_text("abc"), key, &f->err), ST_OK);
	check_is(f, key, span_of_text("abc"));
}

static void test_a_folder_that_cannot_be(void **state)
{
	struct fixture *f = *state;
	struct blob *b;
	char path[PATH_MAX];
	write_file(f, "a-file");
	snprintf(path, sizeof(path), "%s/a-file/blobs", f->folder);
	assert_int_not_equal(blob_file_open(path, &b, &f->err), ST_OK);
	assert_int_equal(f->err.text[strlen(f->err.text) - 1], '.');
}

/* ---- each call fails once ---- */

/* put, get, stat, put again, list, remove; returns whether the plan fired. */
static bool life_of_a_blob(struct fixture *f, unsigned nth, enum blob_faulty_when when)
{
	const struct span body = span_of_text("tortured");
	char key[SHA256_HEX_SIZE];
	struct span found;
	uint64_t size;
	struct listing l = {0};
	bool there = false;
	struct blob *b = f->blob;

	blob_faulty_plan(b, nth, when, ST_UNAVAILABLE);
	enum status st = blob_put(b, body, key, &f->err);
	if (st == ST_OK)
		there = true;
	if (st == ST_OK)
		st = blob_get(b, key, 100, &f->arena, &found, &f->err);
	if (st == ST_OK)
		st = blob_stat(b, key, &size, &f->err);
	if (st == ST_OK)
		st = blob_put(b, body, key, &f->err);
	if (st == ST_OK)
		st = blob_list(b, visit, &l, &f->err);
	bool removing = st == ST_OK;
	if (removing && (st = blob_remove(b, key, &f->err)) == ST_OK)
		there = false;
	bool fired = blob_faulty_fired(b) > 0;
	blob_faulty_plan(b, 0, when, ST_OK);

	assert_int_equal(st, fired ? ST_UNAVAILABLE : ST_OK);
	int count = list(f, 0).count;
	if (removing)
		assert_true(count == (int)there || (fired && count == 0)); /* before or after removal */
	else if (there)
		assert_int_equal(count, 1);
	else
		assert_in_range(count, 0, 1); /* before or after the first put */
	if (count)
		check_is(f, key, body); /* never a part of it */
	assert_int_equal(blob_remove(b, key, &f->err), ST_OK);
	return fired;
}

static void test_each_call_fails_once(void **state)
{
	for (int when = BLOB_FAULTY_BEFORE; when <= BLOB_FAULTY_AFTER; when++) {
		unsigned calls = 1;
		while (life_of_a_blob(*state, calls, when))
			calls++;
		assert_int_equal(calls - 1, 6);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keys_are_sha256),
		TEST(test_what_is_put_comes_back),
		TEST(test_missing_and_too_large),
		TEST(test_remove),
		TEST(test_list),
		TEST(test_open),
		TEST(test_many_put_the_same),
	};
	const struct CMUnitTest file_tests[] = {
		TEST(test_foreign_files_are_passed_over),
		TEST(test_leftovers_go_at_open),
		TEST(test_files_are_private_and_where_documented),
		TEST(test_a_damaged_file_is_replaced),
		TEST(test_a_folder_that_cannot_be),
	};
	const struct CMUnitTest torture[] = {TEST(test_each_call_fails_once)};
	int failed = 0;
	make = make_mem;
	failed += cmocka_run_group_tests_name("blob: mem", tests, NULL, NULL);
	make = make_file;
	failed += cmocka_run_group_tests_name("blob: file", tests, NULL, NULL);
	failed += cmocka_run_group_tests_name("blob: only file", file_tests, NULL, NULL);
	make = make_faulty_mem;
	failed += cmocka_run_group_tests_name("blob: faulty around mem", tests, NULL, NULL);
	failed += cmocka_run_group_tests_name("blob: each call fails once, mem", torture, NULL, NULL);
	make = make_faulty_file;
	failed += cmocka_run_group_tests_name("blob: faulty around file", tests, NULL, NULL);
	failed += cmocka_run_group_tests_name("blob: each call fails once, file", torture, NULL, NULL);
	return failed;
}
