/* SPDX-License-Identifier: Apache-2.0 */
/* What a trainer says: events by the contract, and everything else as a line to show. */
#include "base/err.h"
#include "base/json.h"
#include "learn/trainer_events.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct trainer_event read(struct arena *a, const char *line)
{
	struct trainer_event e;
	trainer_event_read(span_of_text(line), a, &e);
	return e;
}

static void test_events(void **state)
{
	struct arena a;
	arena_init(&a);
	struct trainer_event e = read(&a,
		"{\"event\":\"epoch\",\"epoch\":3,\"epochs\":30,\"loss\":1.5,\"losses\":{\"box\":0.5},"
		"\"learning_rate\":0.001,\"metrics\":{\"AP50\":0.25,\"AP\":null},\"left_s\":12.5}");
	assert_int_equal(e.kind, TRAINER_EPOCH);
	assert_true(e.epoch == 3 && e.epochs == 30 && e.left_s == 12.5 && fabs(e.progress - 0.1) < 1e-12);
	static const char *const names[] = {"train/loss", "train/box", "learning_rate", "val/AP50"};
	static const double values[] = {1.5, 0.5, 0.001, 0.25};
	assert_int_equal(e.number_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(e.numbers[i].name, names[i]);
		assert_true(e.numbers[i].value == values[i]);
	}
	assert_string_equal(e.text, "Epoch 3 of 30: loss 1.5, AP50 0.250");
	e = read(&a, "{\"event\":\"step\",\"epoch\":1,\"progress\":0.34}");
	assert_true(e.kind == TRAINER_STEP && e.progress == 0.34 && e.left_s < 0 && e.text == NULL);
	e = read(&a, "{\"event\":\"epoch\",\"epoch\":4,\"epochs\":3,\"loss\":0.5}");
	assert_true(e.progress == 1); /* not more than all of it */
	e = read(&a, "{\"event\":\"error\",\"code\":3,\"message\":\"It has \\u0001no\\n heads.\"}");
	assert_int_equal(e.kind, TRAINER_ERROR);
	assert_string_equal(e.text, "It has no heads.");
	e = read(&a, "{\"event\":\"done\",\"best_epoch\":7,\"metrics\":{\"accuracy\":0.5}}");
	assert_string_equal(e.text, "Best epoch: 7 (accuracy 0.500)");
	arena_release(&a);
}

/* What looks like UTF-8 and is none would be refused by JSON, and so end the server. */
static void test_only_utf8_stays(void **state)
{
	static const char *const texts[][2] = {
		{"\xc0\x80", "??"},                 /* overlong */
		{"\xe0\x80\xaf", "???"},            /* overlong */
		{"\xf0\x80\x80\xaf", "????"},       /* overlong */
		{"\xed\xa0\x80", "???"},            /* a surrogate */
		{"\xf4\x90\x80\x80", "????"},       /* above U+10FFFF */
		{"\xf5\x8a\x8a\x8a", "????"},       /* above U+10FFFF */
		{"\xe2\x82", "??"},                 /* cut short */
		{"\xc3(", "?("},                    /* no continuation */
		{"a\xe2\x82\xac", "a\xe2\x82\xac"}, /* € */
		{"\xf0\x9f\x99\x82", "\xf0\x9f\x99\x82"},
	};
	struct arena a;
	arena_init(&a);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct trainer_event e = read(&a, texts[i][0]);
		assert_string_equal(e.text, texts[i][1]);
		yyjson_mut_doc *doc = json_new(&a);
		yyjson_mut_doc_set_root(doc, yyjson_mut_str(doc, e.text));
		assert_true(json_print(doc, &a).size > 0);
	}
	arena_release(&a);
}

static void test_what_is_no_event_is_a_line(void **state)
{
	static const char *const lines[] = {"hello", "", "{", "{}", "[1]", "{\"event\":7}",
		"{\"event\":\"other\"}", "{\"event\":\"epoch\",\"epo", "{\"epoch\":1}"};
	struct arena a;
	arena_init(&a);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct trainer_event e = read(&a, lines[i]);
		assert_int_equal(e.kind, TRAINER_SAID);
		assert_string_equal(e.text, lines[i]);
		assert_true(e.number_count == 0 && e.progress < 0);
	}
	struct trainer_event e = read(&a, " 10%\r 20%\r 30%");
	assert_string_equal(e.text, " 30%"); /* as a terminal shows it */
	e = read(&a, "\x1b[31mred\x1b[0m\ta \xff\xc3\x28 \xc3\xa9 \xf0\x9f\x98\x80 \xe2\x82");
	assert_string_equal(e.text, "[31mred[0m a ?\?( \xc3\xa9 \xf0\x9f\x98\x80 ??");
	arena_release(&a);
}

static void test_hostile_numbers(void **state)
{
	struct arena a;
	arena_init(&a);
	struct trainer_event e =
		read(&a, "{\"event\":\"epoch\",\"epoch\":-5,\"epochs\":1e30,\"loss\":\"x\",\"progress\":9,"
			 "\"metrics\":[1],"
			 "\"losses\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":"
			 "9,\"j\":10,"
			 "\"k\":11,\"l\":12,\"m\":13,\"n\":14,\"o\":15,\"p\":16,\"q\":17,\"r\":18}}");
	assert_true(e.epoch == 0 && e.epochs == 0 && e.progress == 1);
	assert_int_equal(e.number_count, TRAINER_NUMBERS_MAX);
	arena_release(&a);
}

static void test_lines(void **state)
{
	struct span rest = span_of_text("one\n\ntwo\nthr"), line;
	assert_true(trainer_next_line(&rest, false, &line) && line.size == 3);
	assert_true(trainer_next_line(&rest, false, &line) && line.size == 0);
	assert_true(trainer_next_line(&rest, false, &line) && memcmp(line.data, "two", 3) == 0);
	assert_false(trainer_next_line(&rest, false, &line)); /* it goes on */
	assert_true(trainer_next_line(&rest, true, &line) && memcmp(line.data, "thr", 3) == 0);
	assert_false(trainer_next_line(&rest, true, &line));
	size_t size = TRAINER_LINE_MAX + 100;
	char *longer = malloc(size + 2);
	assert_non_null(longer);
	memset(longer, 'x', size);
	memcpy(longer + size, "\ny", 2);
	rest = span_of(longer, size + 2);
	assert_true(trainer_next_line(&rest, false, &line) && line.size == TRAINER_LINE_MAX);
	assert_true(trainer_next_line(&rest, true, &line) && line.size == 1);
	free(longer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_events),
		cmocka_unit_test(test_what_is_no_event_is_a_line), cmocka_unit_test(test_only_utf8_stays),
		cmocka_unit_test(test_hostile_numbers), cmocka_unit_test(test_lines)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
