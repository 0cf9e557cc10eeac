/* SPDX-License-Identifier: Apache-2.0 */
/* api/jwt: the signature of a published vector, what we write, and everything that must be refused. */
#include "api/jwt.h"
#include "base/hash.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* RFC 7515, appendix A.1. */
static const char vector_key[] =
	"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
static const char vector_input[] = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
				   ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
				   "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
static const char vector_signature[] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

static const uint8_t key_bytes[32] = {1, 2, 3, 4, 5, 6, 7, 8};

static struct span our_key(void)
{
	return span_of(key_bytes, sizeof(key_bytes));
}

static struct jwt sample(void)
{
	struct jwt t = {.expires_s = 2000000000};
	uuid_parse("01890b5d-ac96-774b-bcce-b302099a8057", &t.deployment_id);
	uuid_parse("01890b5d-ac96-774b-bcce-b302099a8058", &t.user_id);
	uuid_parse("01890b5d-ac96-774b-bcce-b302099a8059", &t.token_id);
	return t;
}

/* header.payload signed with our key, whatever they are. */
static const char *forge(struct arena *a, const char *header, const char *payload)
{
	char h[400], p[800], signature[JWT_SIGNATURE_SIZE];
	base64url_encode(span_of_text(header), h);
	base64url_encode(span_of_text(payload), p);
	const char *input = arena_printf(a, "%s.%s", h, p);
	jwt_sign(our_key(), span_of_text(input), signature);
	return arena_printf(a, "%s.%s", input, signature);
}

static void assert_refused(const char *text)
{
	struct jwt out;
	struct err err;
	assert_int_equal(jwt_read(our_key(), text, 1000, &out, &err), ST_UNAUTHENTICATED);
	assert_true(text_ends_with(err.text, "."));
}

static void test_signature_of_the_published_vector(void **state)
{
	uint8_t key[64];
	char signature[JWT_SIGNATURE_SIZE];
	assert_int_equal(base64url_decode(vector_key, strlen(vector_key), key, sizeof(key)), 64);
	jwt_sign(span_of(key, sizeof(key)), span_of_text(vector_input), signature);
	assert_string_equal(signature, vector_signature);
}

/* Rightly signed, and refused: its header is not ours. */
static void test_another_header_is_refused(void **state)
{
	uint8_t key[64];
	char token[400];
	struct jwt out;
	struct err err;
	assert_int_equal(base64url_decode(vector_key, strlen(vector_key), key, sizeof(key)), 64);
	snprintf(token, sizeof(token), "%s.%s", vector_input, vector_signature);
	assert_int_equal(jwt_read(span_of(key, sizeof(key)), token, 1000, &out, &err), ST_UNAUTHENTICATED);
}

static void test_what_is_written_is_read(void **state)
{
	struct arena a;
	arena_init(&a);
	struct jwt in = sample(), out;
	struct err err;
	const char *text = jwt_write(our_key(), &in, &a);
	assert_true(strlen(text) < JWT_SIZE_MAX);
	assert_int_equal(jwt_read(our_key(), text, 1000, &out, &err), ST_OK);
	assert_true(uuid_equal(out.deployment_id, in.deployment_id));
	assert_true(uuid_equal(out.user_id, in.user_id));
	assert_true(uuid_equal(out.token_id, in.token_id));
	assert_int_equal(out.expires_s, in.expires_s);
	arena_release(&a);
}

static void test_it_ends_at_its_second(void **state)
{
	struct arena a;
	arena_init(&a);
	struct jwt in = sample(), out;
	struct err err;
	const char *text = jwt_write(our_key(), &in, &a);
	assert_int_equal(jwt_read(our_key(), text, in.expires_s - 1, &out, &err), ST_OK);
	assert_int_equal(jwt_read(our_key(), text, in.expires_s, &out, &err), ST_UNAUTHENTICATED);
	assert_non_null(strstr(err.text, "expired"));
	arena_release(&a);
}

static void test_another_key_is_refused(void **state)
{
	struct arena a;
	arena_init(&a);
	struct jwt in = sample(), out;
	struct err err;
	uint8_t other[32] = {9};
	const char *text = jwt_write(span_of(other, sizeof(other)), &in, &a);
	assert_int_equal(jwt_read(our_key(), text, 1000, &out, &err), ST_UNAUTHENTICATED);
	arena_release(&a);
}

/* Each character in turn is another one; only a '.' that stays apart. */
static void test_every_changed_character_is_refused(void **state)
{
	struct arena a;
	arena_init(&a);
	struct jwt in = sample();
	const char *text = jwt_write(our_key(), &in, &a);
	for (size_t i = 0; text[i]; i++) {
		char *changed = arena_strdup(&a, text);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_refused(changed);
	}
	for (size_t size = 0; size < strlen(text); size++)
		assert_refused(arena_strndup(&a, text, size));
	assert_refused(arena_printf(&a, "%sA", text));
	assert_refused(arena_printf(&a, "%s.", text));
	assert_refused(arena_printf(&a, "%s=", text));
	arena_release(&a);
}

/* Signed with our own key, as if somebody had got hold of another signer: only the one form is read. */
static void test_other_forms_are_refused(void **state)
{
	static const char good[] = "{\"deployment_id\":\"01890b5d-ac96-774b-bcce-b302099a8057\","
				   "\"user\":\"01890b5d-ac96-774b-bcce-b302099a8058\","
				   "\"token\":\"01890b5d-ac96-774b-bcce-b302099a8059\",\"exp\":2000000000}";
	static const char *const headers[] = {"{\"alg\":\"none\",\"typ\":\"JWT\"}", "{\"alg\":\"none\"}",
		"{}", "", "{\"typ\":\"JWT\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"1\"}", "{\"alg\":\"RS256\",\"typ\":\"JWT\"}"};
	static const char *const payloads[] = {"", "{}", "[]", "null", "{\"exp\":2000000000}",
		"{\"deployment_id\":\"x\",\"user\":\"x\",\"token\":\"x\",\"exp\":2000000000}",
		"{\"deployment_id\":1,\"user\":2,\"token\":3,\"exp\":2000000000}"};
	struct arena a;
	struct jwt out;
	struct err err;
	arena_init(&a);
	assert_int_equal(
		jwt_read(our_key(), forge(&a, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", good), 1000, &out, &err),
		ST_OK);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		assert_refused(forge(&a, headers[i], good));
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++)
		assert_refused(forge(&a, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}", payloads[i]));
	/* No expiry, or one that is no whole number, has expired. */
	assert_refused(forge(&a, "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
		"{\"deployment_id\":\"01890b5d-ac96-774b-bcce-b302099a8057\",\"user\":\"01890b5d-ac96-774b-"
		"bcce-b302099a8058\","
		"\"token\":\"01890b5d-ac96-774b-bcce-b302099a8059\",\"exp\":\"2000000000\"}"));
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signature_of_the_published_vector),
		cmocka_unit_test(test_another_header_is_refused),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_it_ends_at_its_second),
		cmocka_unit_test(test_another_key_is_refused),
		cmocka_unit_test(test_every_changed_character_is_refused),
		cmocka_unit_test(test_other_forms_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
