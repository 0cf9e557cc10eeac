/* SPDX-License-Identifier: Apache-2.0 */
/* api/presign: a signature holds for one policy only, and until its second. */
#include "api/presign.h"
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const uint8_t key_bytes[32] = {7, 7, 7};

static struct span our_key(void)
{
	return span_of(key_bytes, sizeof(key_bytes));
}

static struct presign sample(void)
{
	return (struct presign){
		.method = HTTP_POST,
		.name = "data/1/photo.jpg",
		.content_type = "image/jpeg",
		.size_max = 1000,
		.expires_s = 2000,
	};
}

static void assert_refused(const struct presign *p, const char *signature)
{
	struct err err;
	assert_int_equal(presign_verify(our_key(), p, signature, 1000, &err), ST_FORBIDDEN);
}

/* The same text signed by Python: hmac.new(bytes([7, 7, 7] + [0] * 29), b"…", "sha256"), base64url without
 * padding. */
static void test_signature_by_another_implementation(void **state)
{
	struct presign p = sample();
	char signature[PRESIGN_SIGNATURE_SIZE];
	presign_sign(our_key(), &p, signature);
	assert_string_equal(signature, "wnOVK5IMR0hhJ1QF9Is2UOLv7W7VZCj1RZWgW0g8j-E");
}

static void test_it_ends_at_its_second(void **state)
{
	struct presign p = sample();
	struct err err;
	char signature[PRESIGN_SIGNATURE_SIZE];
	presign_sign(our_key(), &p, signature);
	assert_int_equal(presign_verify(our_key(), &p, signature, 1999, &err), ST_OK);
	assert_int_equal(presign_verify(our_key(), &p, signature, 2000, &err), ST_FORBIDDEN);
	assert_non_null(strstr(err.text, "expired"));
}

static void test_it_holds_for_one_policy(void **state)
{
	struct presign p = sample(), other;
	char signature[PRESIGN_SIGNATURE_SIZE];
	presign_sign(our_key(), &p, signature);
	other = p, other.method = HTTP_GET;
	assert_refused(&other, signature);
	other = p, other.name = "data/1/photo.jpeg";
	assert_refused(&other, signature);
	other = p, other.content_type = "text/html";
	assert_refused(&other, signature);
	other = p, other.size_max = 1001;
	assert_refused(&other, signature);
	other = p, other.expires_s = 3000;
	assert_refused(&other, signature);
	/* Moving the border between two fields makes another text. */
	other = p, other.name = "data/1/photo.jpgi", other.content_type = "mage/jpeg";
	assert_refused(&other, signature);
	other = p, other.size_max = 10002, other.expires_s = 2000;
	assert_refused(&other, signature);
}

static void test_a_changed_signature_is_refused(void **state)
{
	struct presign p = sample();
	char signature[PRESIGN_SIGNATURE_SIZE], changed[PRESIGN_SIGNATURE_SIZE + 2];
	presign_sign(our_key(), &p, signature);
	assert_int_equal(strlen(signature), PRESIGN_SIGNATURE_SIZE - 1);
	for (size_t i = 0; i < strlen(signature); i++) {
		snprintf(changed, sizeof(changed), "%s", signature);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_refused(&p, changed);
	}
	snprintf(changed, sizeof(changed), "%sA", signature);
	assert_refused(&p, changed);
	assert_refused(&p, "");
	assert_refused(&p, "not base64!");
}

static void test_names_are_no_way_out(void **state)
{
	static const char *const good[] = {
		"a", "data/1/photo.jpg", "a.b", "...", ".hidden", "dir/..x", "ü/ü.png", "a b"};
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b",
		"a/./b", "a\nb", "a\x7f", "\x01", "\xff"};
	struct err err;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(presign_check_name(good[i], &err), ST_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(presign_check_name(bad[i], &err), ST_INVALID);
	char name[514];
	memset(name, 'x', sizeof(name));
	name[513] = '\0';
	assert_int_equal(presign_check_name(name, &err), ST_INVALID);
	name[512] = '\0';
	assert_int_equal(presign_check_name(name, &err), ST_OK);
}

static void test_content_types(void **state)
{
	static const char *const good[] = {"image/png", "IMAGE/JPEG", "application/vnd.x+json", "a/b"};
	static const char *const bad[] = {
		"", "image", "image/", "/png", "image/png; charset=x", "image/png\r\nX: y", "a/b/c", "a b/c"};
	struct err err;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(presign_check_content_type(good[i], &err), ST_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(presign_check_content_type(bad[i], &err), ST_INVALID);
}

static void test_links_are_escaped_and_stay_for_an_hour(void **state)
{
	struct arena a;
	struct api api = {.public_url = "http://127.0.0.1:8080"};
	arena_init(&a);
	const char *up = presign_upload_url(&api, "data/1/a b&c=d.png", "image/svg+xml", 5, &a);
	assert_ptr_equal(strstr(up, "http://127.0.0.1:8080/api/storage/upload?name=data/1/"
				    "a%20b%26c%3Dd.png&type=image/svg%2Bxml"
				    "&size_max=5&expires="),
		up);
	const char *down = presign_download_url(&api, "data/1/x.png", &a);
	assert_ptr_equal(
		strstr(down, "http://127.0.0.1:8080/api/storage/object?name=data/1/x.png&expires="), down);
	assert_non_null(
		strstr(down, "00&signature=")); /* on the hour, so that the link is the same for a while */
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature_by_another_implementation),
		cmocka_unit_test(test_it_ends_at_its_second),
		cmocka_unit_test(test_it_holds_for_one_policy),
		cmocka_unit_test(test_a_changed_signature_is_refused),
		cmocka_unit_test(test_names_are_no_way_out),
		cmocka_unit_test(test_content_types),
		cmocka_unit_test(test_links_are_escaped_and_stay_for_an_hour),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
