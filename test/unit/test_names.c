/* SPDX-License-Identifier: Apache-2.0 */
/* deploy/names.h: names that a person can read, and that differ. */
#include "deploy/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define DRAWN 2000

static void test_a_name_is_two_lower_case_words(void **state)
{
	struct arena a;
	arena_init(&a);
	for (int i = 0; i < DRAWN; i++) {
		const char *name = names_random(&a);
		const char *dash = strchr(name, '-');
		assert_non_null(dash);
		assert_true(dash - name >= 3);
		assert_true(strlen(dash + 1) >= 3);
		assert_in_range(strlen(name), 7, 32);
		for (const char *c = name; *c; c++)
			assert_true(c == dash || (*c >= 'a' && *c <= 'z'));
	}
	arena_release(&a);
}

static unsigned hash(const char *text)
{
	unsigned h = 2166136261;
	while (*text)
		h = (h ^ (unsigned char)*text++) * 16777619u;
	return h;
}

/*
 * 44 adjectives and 44 nouns are 1,936 names; of 2,000 even draws about 1,247 differ, with a deviation of
 * about 16.
 */
static void test_names_are_drawn_evenly(void **state)
{
	static const char *seen[4096];
	struct arena a;
	unsigned different = 0;
	arena_init(&a);
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < DRAWN; i++) {
		const char *name = names_random(&a);
		unsigned at = hash(name) % 4096;
		while (seen[at] && strcmp(seen[at], name) != 0)
			at = (at + 1) % 4096;
		different += seen[at] == NULL;
		seen[at] = name;
	}
	assert_in_range(different, 1247 - 130, 1247 + 130);
	arena_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_is_two_lower_case_words),
		cmocka_unit_test(test_names_are_drawn_evenly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
