/* SPDX-License-Identifier: Apache-2.0 */
/* http/multipart: bodies as clients send them, and bodies as nobody should. */
#include "base/check.h"
#include "http/multipart.h"
#include "os/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef __has_feature
#define __has_feature(name) 0
#endif

static struct arena arena;

static int make(void **state)
{
	arena_init(&arena);
	return 0;
}

static int release(void **state)
{
	arena_release(&arena);
	return 0;
}

/* The body is copied to a block of exactly its size, so that a sanitizer sees a byte too many. */
static enum status parse_bytes(const char *type, const void *bytes, size_t size, struct multipart **out)
{
	struct err err;
	uint8_t *exact = malloc(size ? size : 1);
	if (size)
		memcpy(exact, bytes, size);
	enum status st = multipart_parse(type, span_of(exact, size), &arena, out, &err);
	/* Views into the copy are turned into views into the original. */
	for (size_t i = 0; st == ST_OK && i < (*out)->count; i++) {
		struct span *body = &(*out)->parts[i].body;
		if (body->size)
			*body = span_of((const uint8_t *)bytes + (body->data - exact), body->size);
	}
	if (st != ST_OK)
		assert_int_equal(err.text[strlen(err.text) - 1], '.');
	free(exact);
	return st;
}

static enum status parse(const char *body, struct multipart **out)
{
	return parse_bytes("multipart/form-data; boundary=b", body, strlen(body), out);
}

static void assert_part(const struct multipart_part *part, const char *name, const char *filename,
	const char *type, const char *body)
{
	assert_string_equal(part->name, name);
	assert_int_equal(part->filename == NULL, filename == NULL);
	if (filename)
		assert_string_equal(part->filename, filename);
	assert_int_equal(part->content_type == NULL, type == NULL);
	if (type)
		assert_string_equal(part->content_type, type);
	assert_true(span_equal(part->body, span_of_text(body)));
}

static void test_fields_and_files(void **state)
{
	struct multipart *m;
	assert_int_equal(parse("--b\r\n"
			       "Content-Disposition: form-data; name=\"field\"\r\n\r\n"
			       "value\r\n"
			       "--b\r\n"
			       "content-disposition:form-data;name=media; filename=\"a b.png\"\r\n"
			       "Content-Type: image/png\r\n\r\n"
			       "\r\n--bytes--\r\n-\r\n"
			       "--b  \r\n"
			       "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n"
			       "--b\r\n\r\n"
			       "nameless\r\n"
			       "--b\r\n"
			       "Content-Disposition: form-data; name=\"only head\"\r\n"
			       "\r\n--b--\r\nwhat follows does not count\r\n--b\r\n",
				 &m),
		ST_OK);
	assert_int_equal(m->count, 5);
	assert_part(&m->parts[0], "field", NULL, NULL, "value");
	assert_part(&m->parts[1], "media", "a b.png", "image/png", "\r\n--bytes--\r\n-");
	assert_part(&m->parts[2], "empty", NULL, NULL, "");
	assert_part(&m->parts[3], "", NULL, NULL, "nameless");
	assert_part(&m->parts[4], "only head", NULL, NULL, "");
	assert_ptr_equal(multipart_find(m, "media"), &m->parts[1]);
	assert_null(multipart_find(m, "Media"));
	assert_int_equal(parse("--b--", &m), ST_OK);
	assert_int_equal(m->count, 0);
	assert_int_equal(parse("\r\n--b--\r\n", &m), ST_OK);
}

static void test_names(void **state)
{
	static const struct {
		const char *disposition, *name, *filename;
	} cases[] = {
		/* urllib3 2, browsers (WHATWG): a quote is %22, a backslash is itself. */
		{"form-data; name=\"a%22b\"; filename=\"C:\\images\\1.png\"", "a%22b", "C:\\images\\1.png"},
		/* curl before 7.81 and urllib3 1: backslashes. */
		{"form-data; name=\"a\\\"b\"; filename=\"c\\\\d\"", "a\"b", "c\\d"},
		/* urllib3 1 with a name beyond ASCII. */
		{"form-data; name=\"media\"; filename*=utf-8''na%C3%AFve.png", "media", "na\xc3\xafve.png"},
		{"form-data; filename=\"x.png\"; filename*=UTF-8'fr'y%2fz.png; name=n", "n", "y/z.png"},
		{"form-data; name=\"\xc3\xa9t\xc3\xa9\"; filename=\"\"", "\xc3\xa9t\xc3\xa9", ""},
		{"FORM-DATA ; NAME = \"x\"", NULL, NULL},
		{"form-data; name=\"a;b=c\" ; filename=\"d\";", "a;b=c", "d"},
		{"form-data; other=1; name=x", "x", NULL},
		{"form-data", "", NULL},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char body[512];
		snprintf(body, sizeof(body), "--b\r\nContent-Disposition: %s\r\n\r\nx\r\n--b--\r\n",
			cases[i].disposition);
		struct multipart *m;
		assert_int_equal(parse(body, &m), cases[i].name ? ST_OK : ST_INVALID);
		if (cases[i].name)
			assert_part(&m->parts[0], cases[i].name, cases[i].filename, NULL, "x");
	}
}

static void test_boundaries(void **state)
{
	struct multipart *m;
	const char *body = "--a b'()+_,-./:=?9\r\n\r\nx\r\n--a b'()+_,-./:=?9--";
	assert_int_equal(
		parse_bytes("multipart/form-data; boundary=\"a b'()+_,-./:=?9\"", body, strlen(body), &m),
		ST_OK);
	assert_part(&m->parts[0], "", NULL, NULL, "x");
	static const char *const good[] = {"multipart/form-data; boundary=b",
		"Multipart/Form-Data;charset=utf-8;BOUNDARY=\"b\"", "multipart/form-data ;boundary=b;"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(parse_bytes(good[i], "--b--", 5, &m), ST_OK);
	static const char *const bad[] = {"multipart/form-data",
		"multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"b", "multipart/form-data; boundary=\"b \"",
		"multipart/form-data; boundary=b; boundary=b", "multipart/form-data; boundary=b{",
		"multipart/mixed; boundary=b", "multipart/form-data2; boundary=b", "", "image/png",
		"multipart/form-data boundary=b", "multipart/form-data; boundary=b x"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(parse_bytes(bad[i], "--b--", 5, &m), ST_INVALID);
	assert_int_equal(parse_bytes(NULL, "--b--", 5, &m), ST_INVALID);
	char type[128], long_body[128];
	for (size_t size = 69; size <= 71; size++) {
		snprintf(type, sizeof(type), "multipart/form-data; boundary=%0*d", (int)size, 0);
		snprintf(long_body, sizeof(long_body), "--%0*d--", (int)size, 0);
		assert_int_equal(
			parse_bytes(type, long_body, strlen(long_body), &m), size <= 70 ? ST_OK : ST_INVALID);
	}
}

static void test_malformed(void **state)
{
	static const char *const bodies[] = {
		"",
		"--b",
		"--b\r\n",
		"--b\r\n\r\n",
		"--b\r\n\r\nx",
		"--b\r\n\r\nx\r\n--b",
		"--b\r\n\r\nx\r\n--b-",
		"--b\r\n\r\nx\r\n--b-\r\n",
		"--b\r\n\r\nx\n--b--\r\n",
		"--b\n\nx\n--b--\n",
		"-b\r\n\r\nx\r\n--b--",
		"--bb\r\n\r\nx\r\n--b--",
		"preamble\r\n--b\r\n\r\nx\r\n--b--",
		"--b\r\nNo colon\r\n\r\nx\r\n--b--",
		"--b\r\n: empty\r\n\r\nx\r\n--b--",
		"--b\r\nName : x\r\n\r\nx\r\n--b--",
		"--b\r\n folded: x\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=\"x\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=\"x\ny\"\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=x; name=y\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name=x y\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; name\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; filename*=latin1''x\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; filename*=utf-8'x\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; filename*=utf-8''%00\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data; filename*=utf-8''%ff\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: attachment; name=x\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Disposition: form-data\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--",
		"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--",
		"--b--x",
		"--b--x\r\n",
	};
	struct multipart *m;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		if (parse(bodies[i], &m) == ST_OK)
			fprintf(stderr, "accepted: %s\n", bodies[i]);
		assert_int_equal(parse(bodies[i], &m), ST_INVALID);
	}
	static const char nul[] = "--b\r\nX: a\0b\r\n\r\nx\r\n--b--";
	assert_int_equal(
		parse_bytes("multipart/form-data; boundary=b", nul, sizeof(nul) - 1, &m), ST_INVALID);
}

/* Every prefix of a good body is refused, none is read past its end (parse_bytes makes exact blocks). */
static void test_every_prefix(void **state)
{
	static const char body[] =
		"--b\r\nContent-Disposition: form-data; name=\"x\"; filename*=UTF-8''a%20b\r\n"
		"Content-Type: image/png\r\n\r\nbytes\r\n--b\r\n\r\nmore\r\n--b--\r\n";
	struct multipart *m;
	size_t size = sizeof(body) - 1;
	for (size_t i = 0; i < size; i++)
		assert_int_equal(parse_bytes("multipart/form-data; boundary=b", body, i, &m),
			i == size - 2 ? ST_OK : ST_INVALID);
}

static void test_limits(void **state)
{
	struct multipart *m;
	size_t room = 64 * 1024, size = 0;
	char *body = malloc(room);
	for (int parts = 1; parts <= MULTIPART_PARTS_MAX + 1; parts++) {
		size += (size_t)snprintf(body + size, room - size, "--b\r\n\r\n%d\r\n", parts);
		memcpy(body + size, "--b--", 6);
		assert_int_equal(parse(body, &m), parts <= MULTIPART_PARTS_MAX ? ST_OK : ST_INVALID);
	}
	static char filler[9000];
	memset(filler, 'a', sizeof(filler));
	for (int head = 8100; head <= 8300; head += 200) {
		snprintf(body, room, "--b\r\nX: %.*s\r\n\r\nx\r\n--b--", head, filler);
		assert_int_equal(parse(body, &m), head <= 8100 ? ST_OK : ST_INVALID);
	}
	free(body);
}

/* Bodies full of almost-boundaries take time in proportion to their size, and little of it. */
static void test_linear_time(void **state)
{
	static const char *const patterns[] = {
		"\r\n--b-", "\r\n--", "\r\n--bx", "\r", "-", "\r\n--b x", "\r\n--b\t\t-"};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||     \
	__has_feature(thread_sanitizer)
	size_t size = 128u << 10; /* these look at the whole rest of the body at each memmem */
#else
	size_t size = 16u << 20;
#endif
	char *body = malloc(size + 64);
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		memcpy(body, "--b\r\n\r\n", 7);
		size_t at = 7, step = strlen(patterns[i]);
		for (; at + step < size; at += step)
			memcpy(body + at, patterns[i], step);
		memcpy(body + at, "\r\n--b--", 8);
		struct multipart *m;
		struct err err;
		int64_t start_us = clock_thread_cpu_us();
		assert_int_equal(multipart_parse("multipart/form-data; boundary=b", span_of(body, at + 7),
					 &arena, &m, &err),
			ST_OK);
		assert_true(clock_thread_cpu_us() - start_us < 5000000);
		assert_int_equal(m->count, 1);
	}
	free(body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_and_files),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_linear_time),
	};
	return cmocka_run_group_tests(tests, make, release);
}
