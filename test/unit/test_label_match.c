/* SPDX-License-Identifier: Apache-2.0 */
/* task/label_match.h: names of datasets found among a model's labels. */
#include "task/label_match.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const labels[] = {"person", "airplane", "dining table", "tv", "couch", "potted plant",
	"motorcycle", "Person", "naïve café"};
#define LABELS (sizeof(labels) / sizeof(labels[0]))

static void finds(const char *name, int32_t expected)
{
	int32_t found = -2;
	label_match(&name, 1, labels, LABELS, &found);
	if (found != expected)
		fail_msg("\"%s\" is %d, expected %d", name, found, expected);
}

static void test_case_and_separators_do_not_count(void **state)
{
	finds("DINING_TABLE", 2);
	finds("dining-table", 2);
	finds("diningtable", 2);
	finds(" Potted.Plant ", 5);
	finds("pottedplant", 5);
	finds("naïve_café", 8);
}

static void test_what_coco_and_voc_call_differently(void **state)
{
	finds("aeroplane", 1);
	finds("Aero plane", 1);
	finds("tvmonitor", 3);
	finds("TV monitor", 3);
	finds("sofa", 4);
	finds("motorbike", 6);
	/* And the other way round: the model has VOC's names. */
	static const char *const voc[] = {"aeroplane", "sofa", "tvmonitor"};
	static const char *const coco[] = {"tv", "airplane", "couch", "car"};
	int32_t found[4];
	label_match(coco, 4, voc, 3, found);
	static const int32_t expected[] = {2, 0, 1, -1};
	assert_memory_equal(found, expected, sizeof(found));
}

static void test_a_name_as_written_wins(void **state)
{
	finds("person", 0);
	finds("Person", 7);
	finds("PERSON", 0); /* the first of those that it could be */
}

static void test_what_is_not_there_is_not_found(void **state)
{
	static const char *const others[] = {"", "-", "pers", "persons", "table", "naive cafe", "person\xff"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		finds(others[i], -1);
	int32_t found = 5;
	const char *name = "person";
	label_match(&name, 1, NULL, 0, &found);
	assert_int_equal(found, -1);
	label_match(NULL, 0, labels, LABELS, NULL);
}

/* Each of many finds itself, in no more than a moment. */
static void test_many(void **state)
{
	enum { COUNT = 10000 };
	char **names = calloc(COUNT, sizeof(*names));
	int32_t *found = calloc(COUNT, sizeof(*found));
	assert_true(names && found);
	for (int i = 0; i < COUNT; i++) {
		names[i] = malloc(24);
		assert_non_null(names[i]);
		snprintf(names[i], 24, "class %d", (i * 7919) % COUNT);
	}
	label_match((const char *const *)names, COUNT, (const char *const *)names, COUNT, found);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(found[i], i);
	for (int i = 0; i < COUNT; i++)
		free(names[i]);
	free(names);
	free(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_case_and_separators_do_not_count),
		cmocka_unit_test(test_what_coco_and_voc_call_differently),
		cmocka_unit_test(test_a_name_as_written_wins),
		cmocka_unit_test(test_what_is_not_there_is_not_found),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
