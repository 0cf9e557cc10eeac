/* SPDX-License-Identifier: Apache-2.0 */
/* base/: what everything else stands on. */
#include "base/arena.h"
#include "base/budget.h"
#include "base/check.h"
#include "base/compare.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/str.h"
#include "base/uuid.h"
#include "os/clock.h"
#include "os/executor.h"
#include "os/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static void test_errors_carry_a_sentence(void **state)
{
	struct err err;
	assert_int_equal(err_set(&err, ST_TOO_LARGE, "It is %d bytes too large.", 7), ST_TOO_LARGE);
	assert_string_equal(err.text, "It is 7 bytes too large.");
	assert_int_equal(status_http(ST_TOO_LARGE), 413);
	assert_true(status_may_retry(ST_UNAVAILABLE));
	assert_int_equal(err_set(&err, ST_INVALID, "Line 3: %s", err.text), ST_INVALID);
	assert_string_equal(err.text, "Line 3: It is 7 bytes too large.");
	errno = ENOSPC;
	assert_int_equal(err_errno(&err, "Writing failed"), ST_UNAVAILABLE);
	assert_string_equal(err.text, "Writing failed: No space left on device.");
}

static void test_arena_aligns_and_grows(void **state)
{
	struct arena a;
	arena_init(&a);
	for (size_t i = 1; i < 3000; i += 7) {
		uint8_t *bytes = arena_alloc(&a, i);
		assert_int_equal((uintptr_t)bytes % 16, 0);
		memset(bytes, 0xab, i);
	}
	uint8_t *big = arena_zalloc(&a, 3, 1 << 20);
	assert_int_equal(big[(3 << 20) - 1], 0);
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 5), "x-5");
	arena_release(&a);
	assert_null(a.blocks);
}

static void test_str_stops_at_its_maximum(void **state)
{
	struct str s;
	str_init(&s, 10);
	str_append(&s, "12345678");
	str_printf(&s, "%d", 90123);
	assert_string_equal(str_text(&s), "1234567890");
	assert_true(s.full);
	str_release(&s);
	str_init(&s, 100);
	str_append_json(&s, "a\"b\n");
	assert_string_equal(str_text(&s), "\"a\\\"b\\u000a\"");
	str_release(&s);
}

static void test_uuid_v7_is_ordered_and_round_trips(void **state)
{
	struct uuid early = uuid_v7(1000), late = uuid_v7(2000), read;
	assert_true(memcmp(early.bytes, late.bytes, 16) < 0);
	char text[UUID_TEXT_SIZE];
	uuid_format(late, text);
	assert_int_equal(text[14], '7');
	assert_true(uuid_parse(text, &read));
	assert_true(uuid_equal(late, read));
	assert_false(uuid_parse("not-a-uuid", &read));
	assert_false(uuid_parse("0192f0c1-0000-7000-8000-00000000000g", &read));
}

static void test_hashes_match_published_vectors(void **state)
{
	char hex[SHA256_HEX_SIZE];
	hash_sha256_hex(span_of_text("abc"), hex); /* FIPS 180-2, appendix B.1 */
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	/* RFC 4231, test case 2 */
	struct sha256 mac = hash_hmac(span_of_text("Jefe"), span_of_text("what do ya want for nothing?"));
	hex_encode(mac.bytes, 32, hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	char text[16];
	uint8_t bytes[8];
	base64url_encode(span_of_text("ab?"), text);
	assert_string_equal(text, "YWI_");
	assert_int_equal(base64url_decode("YWI_", 4, bytes, sizeof(bytes)), 3);
	assert_int_equal(base64url_decode("YW I", 4, bytes, sizeof(bytes)), -1);
}

static void test_budget_refuses_past_its_limit(void **state)
{
	struct budget b;
	struct err err;
	budget_init(&b, "memory for request bodies", 100);
	assert_int_equal(budget_take(&b, 60, &err), ST_OK);
	assert_int_equal(budget_take(&b, 41, &err), ST_UNAVAILABLE);
	assert_int_equal(budget_take(&b, UINT64_MAX, &err), ST_UNAVAILABLE);
	budget_give(&b, 60);
	assert_int_equal(budget_take(&b, 100, &err), ST_OK);
}

static void test_json_says_what_is_wrong(void **state)
{
	struct arena a;
	struct err err;
	yyjson_doc *doc;
	arena_init(&a);
	assert_int_equal(json_parse(span_of_text("{\"a\": "), &a, &doc, &err), ST_INVALID);
	char deep[200];
	memset(deep, '[', sizeof(deep));
	assert_int_equal(json_parse(span_of(deep, sizeof(deep)), &a, &doc, &err), ST_INVALID);
	assert_int_equal(json_parse(span_of_text("{\"a\": 5, \"b\": null}"), &a, &doc, &err), ST_OK);
	const char *text = "as it was";
	int64_t number = 0;
	yyjson_val *root = yyjson_doc_get_root(doc);
	assert_int_equal(json_text(root, "b", &text, &err), ST_OK);
	assert_string_equal(text, "as it was");
	assert_int_equal(json_integer(root, "a", &number, &err), ST_OK);
	assert_int_equal(number, 5);
	assert_int_equal(json_text(root, "a", &text, &err), ST_INVALID);
	assert_string_equal(err.text, "\"a\" must be a text.");
	arena_release(&a);
}

static void test_metrics_print_cumulative_buckets(void **state)
{
	metric_add(METRIC_PREDICTIONS, 3);
	metric_observe_us(METRIC_STEP_DECODE, 200);
	metric_observe_us(METRIC_STEP_DECODE, 999999999);
	struct str out;
	str_init(&out, 1 << 20);
	metrics_write(&out);
	assert_non_null(strstr(str_text(&out), "gyre_predictions_total 3\n"));
	assert_non_null(
		strstr(str_text(&out), "gyre_step_seconds_bucket{step=\"decode\",le=\"0.00025\"} 1\n"));
	assert_non_null(strstr(str_text(&out), "gyre_step_seconds_bucket{step=\"decode\",le=\"+Inf\"} 2\n"));
	assert_non_null(strstr(str_text(&out), "gyre_step_seconds_count{step=\"decode\"} 2\n"));
	str_release(&out);
}

static void test_clock_formats_rfc3339(void **state)
{
	char text[28];
	clock_format(1700000000123456, text);
	assert_string_equal(text, "2023-11-14T22:13:20.123456Z");
	clock_format(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
}

static void test_durable_file_replaces_and_leaves_nothing_beside(void **state)
{
	char folder[] = "/tmp/gyre-test-XXXXXX";
	assert_non_null(mkdtemp(folder));
	struct arena a;
	struct err err;
	arena_init(&a);
	char *path = arena_printf(&a, "%s/one/two/file", folder);
	assert_int_equal(file_make_folders(arena_printf(&a, "%s/one/two", folder), &err), ST_OK);
	assert_int_equal(file_write_durable(path, span_of_text("first"), 0600, &err), ST_OK);
	assert_int_equal(file_write_durable(path, span_of_text("second"), 0600, &err), ST_OK);
	struct span bytes;
	assert_int_equal(file_read(path, 100, &a, &bytes, &err), ST_OK);
	assert_true(span_equal(bytes, span_of_text("second")));
	assert_int_equal(file_read(path, 3, &a, &bytes, &err), ST_TOO_LARGE);
	assert_int_equal(file_read("/nowhere/at/all", 3, &a, &bytes, &err), ST_MISSING);
	assert_int_equal(file_write_durable("/proc/no/such", span_of_text("x"), 0600, &err), ST_INTERNAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(
		rmdir(arena_printf(&a, "%s/one/two", folder)), 0); /* fails if a temporary file was left */
	assert_int_equal(rmdir(arena_printf(&a, "%s/one", folder)), 0);
	assert_int_equal(rmdir(folder), 0);
	arena_release(&a);
}

static void count_up(void *arg)
{
	atomic_fetch_add((_Atomic int *)arg, 1);
}

static void test_executor_runs_what_it_accepted(void **state)
{
	_Atomic int done = 0;
	int accepted = 0;
	struct err err;
	struct executor *e = executor_new("test", 2, 8);
	for (int i = 0; i < 1000; i++)
		accepted += executor_post(e, count_up, &done, &err) == ST_OK;
	executor_free(e);
	assert_true(accepted >= 8);
	assert_int_equal(done, accepted);
}

static void test_orders_put_the_smaller_first(void **state)
{
	int64_t whole[] = {INT64_MAX, -1, INT64_MIN, 0};
	double real[] = {0.5, -1e300, 1e300, 0};
	struct uuid ids[] = {{{2}}, {{1, 9}}, {{1}}};
	qsort(whole, COUNT_OF(whole), sizeof(whole[0]), compare_int64);
	qsort(real, COUNT_OF(real), sizeof(real[0]), compare_double);
	qsort(ids, COUNT_OF(ids), sizeof(ids[0]), compare_uuid);
	assert_true(whole[0] == INT64_MIN && whole[1] == -1 && whole[2] == 0 && whole[3] == INT64_MAX);
	assert_true(real[0] < real[1] && real[1] < real[2] && real[2] < real[3]);
	assert_true(ids[0].bytes[1] == 0 && ids[1].bytes[1] == 9 && ids[2].bytes[0] == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_carry_a_sentence),
		cmocka_unit_test(test_arena_aligns_and_grows),
		cmocka_unit_test(test_str_stops_at_its_maximum),
		cmocka_unit_test(test_uuid_v7_is_ordered_and_round_trips),
		cmocka_unit_test(test_orders_put_the_smaller_first),
		cmocka_unit_test(test_hashes_match_published_vectors),
		cmocka_unit_test(test_budget_refuses_past_its_limit),
		cmocka_unit_test(test_json_says_what_is_wrong),
		cmocka_unit_test(test_metrics_print_cumulative_buckets),
		cmocka_unit_test(test_clock_formats_rfc3339),
		cmocka_unit_test(test_durable_file_replaces_and_leaves_nothing_beside),
		cmocka_unit_test(test_executor_runs_what_it_accepted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
