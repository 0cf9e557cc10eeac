/* SPDX-License-Identifier: Apache-2.0 */
/* http/head: what of a request's head is refused, and decoding. */
#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum status check(size_t count, const struct head_field *fields)
{
	struct err err;
	enum status st = head_check(fields, count, &err);
	if (st != ST_OK) {
		assert_int_equal(err.status, st);
		assert_int_equal(err.text[strlen(err.text) - 1], '.');
	}
	return st;
}

#define CHECK_FIELDS(...)                                                                                    \
	check(sizeof((struct head_field[]){__VA_ARGS__}) / sizeof(struct head_field),                        \
		(struct head_field[]){__VA_ARGS__})

static void test_good_heads(void **state)
{
	assert_int_equal(check(0, NULL), ST_OK);
	assert_int_equal(CHECK_FIELDS({"Host", "x"}, {"Content-Length", "0"}), ST_OK);
	assert_int_equal(CHECK_FIELDS({"host", "x"}, {"content-length", "1234567890123456789"}), ST_OK);
	assert_int_equal(CHECK_FIELDS({"Host", "x"}, {"Transfer-Encoding", "ChunkeD"}), ST_OK);
	assert_int_equal(CHECK_FIELDS({"X-Odd!#$%&'*+-.^_`|~9", "a\tb \xc3\xa9"}, {"Empty", ""}), ST_OK);
}

static void test_lengths_in_doubt(void **state)
{
	assert_int_equal(CHECK_FIELDS({"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}), ST_INVALID);
	assert_int_equal(CHECK_FIELDS({"transfer-encoding", "chunked"}, {"content-length", "3"}), ST_INVALID);
	assert_int_equal(CHECK_FIELDS({"Content-Length", "3"}, {"Content-Length", "3"}), ST_INVALID);
	assert_int_equal(
		CHECK_FIELDS({"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}), ST_INVALID);
	assert_int_equal(CHECK_FIELDS({"Host", "x"}, {"host", "x"}), ST_INVALID);
	static const char *const lengths[] = {
		"", "+3", "-3", " 3", "3 ", "3,3", "0x3", "3a", "12345678901234567890", "3\t"};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		assert_int_equal(CHECK_FIELDS({"Content-Length", lengths[i]}), ST_INVALID);
	static const char *const codings[] = {"", "identity", "gzip", "gzip, chunked", "chunked, chunked",
		"chunked ", "xchunked", "chunked;q=1", "\"chunked\""};
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		assert_int_equal(CHECK_FIELDS({"Transfer-Encoding", codings[i]}), ST_INVALID);
}

static void test_names_and_values(void **state)
{
	static const char *const names[] = {
		"", "Host ", " Host", "Ho st", "Host\t", "Ho\xc3\xa9", "Host(", "Host\x7f", "Host\r"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(CHECK_FIELDS({names[i], "x"}), ST_INVALID);
	static const char *const values[] = {"a\rb", "a\nb", "\x01", "a\x7f"};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		assert_int_equal(CHECK_FIELDS({"X", values[i]}), ST_INVALID);
}

static void assert_path(const char *text, const char *expected)
{
	char path[64];
	memcpy(path, text, strlen(text) + 1);
	bool good = head_decode_path(path);
	assert_int_equal(good, expected != NULL);
	if (expected)
		assert_string_equal(path, expected);
}

static void test_decoding(void **state)
{
	assert_path("", "");
	assert_path("/a+b/%7Ec%2f%C3%a9", "/a+b/~c/\xc3\xa9");
	assert_path("%25%32%35", "%25");
	static const char *const bad[] = {
		"%", "%4", "%4g", "%g4", "a%", "%00", "%0a", "%7f", "\n", "\x7f", "%%41"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_path(bad[i], NULL);
	char query[] = "a+b%2B%0D%0a%26";
	assert_true(head_decode_query(query));
	assert_string_equal(query, "a b+\r\n&");
	char null[] = "a%00";
	assert_false(head_decode_query(null));
}

static void test_utf8(void **state)
{
	static const char *const good[] = {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(head_is_utf8(span_of_text(good[i])));
	/* Lone and missing continuations, overlong forms, surrogates, past U+10FFFF. */
	static const char *const bad[] = {"\x80", "\xbf", "\xc2", "\xc2g", "\xc0\x80", "\xc1\xbf",
		"\xe0\x9f\xbf", "\xe1\x80", "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(head_is_utf8(span_of_text(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_heads),
		cmocka_unit_test(test_lengths_in_doubt),
		cmocka_unit_test(test_names_and_values),
		cmocka_unit_test(test_decoding),
		cmocka_unit_test(test_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
