/* SPDX-License-Identifier: Apache-2.0 */
/* learn/pre_label.h: what is refused before a job begins. The job itself is test/http/test_pre_label.py. */
#include "learn/pre_label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct arena arena;

/* Nothing is reached behind the refusal, so there is nothing to reach. */
static void expect_refused(const struct pre_label *request, enum status status, const char *part)
{
	struct job_row job;
	struct err err;
	assert_int_equal(pre_label_start(NULL, NULL, NULL, NULL, request, &arena, &job, &err), status);
	assert_int_equal(err.status, status);
	if (strstr(err.text, part) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, part);
}

static void test_what_cannot_be_done_is_said_at_once(void **state)
{
	struct dataset_version_row dataset = {.version = "first", .type = "OBJECT_DETECTION"};
	struct model_version_row version = {.version = 3,
		.name = "v",
		.type = "OBJECT_DETECTION",
		.state = "REFUSED",
		.state_text = "it has no known layout.",
		.labels = "{}",
		.recipe = "nonsense"};
	const struct pre_label request = {.dataset = &dataset,
		.version = &version,
		.model_name = "finder",
		.threshold = 0.3,
		.who = "ann"};
	arena_init(&arena);
	expect_refused(
		&request, ST_CONFLICT, "Version 3 of model finder cannot run: it has no known layout.");
	version.state_text = NULL;
	expect_refused(&request, ST_CONFLICT, "it has no ONNX file yet");
	version.state = "READY";
	dataset.type = "CLASSIFICATION";
	expect_refused(&request, ST_CONFLICT, "is of type CLASSIFICATION");
	dataset.type = "NOT_CONFIGURED";
	dataset.locked_us = 1;
	expect_refused(&request, ST_LOCKED, "fork it");
	dataset.locked_us = 0;
	expect_refused(&request, ST_INVALID, ""); /* the recipe, which is stored, is not read any further */
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_cannot_be_done_is_said_at_once)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
