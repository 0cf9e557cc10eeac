/* SPDX-License-Identifier: Apache-2.0 */
/* A run's state comes back as it was, or not at all. */
#include "trainer/checkpoint.h"

#include "base/check.h"
#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/gyre-checkpoint-XXXXXX";
static char path[64];

static float a[5] = {1, -2, 3.5f, 0, 1e-30f}, b[3] = {7, 8, 9};

static struct checkpoint sample(struct checkpoint_part parts[3])
{
	parts[0] = (struct checkpoint_part){a, 5};
	parts[1] = (struct checkpoint_part){NULL, 0};
	parts[2] = (struct checkpoint_part){b, 3};
	return (struct checkpoint){.job = hash_sha256(span_of_text("job")),
		.progress = {.epoch = 4,
			.batch = 2,
			.step = 100,
			.best = 0.25,
			.metric_start = 0.5,
			.loss_count = 2},
		.history = "{\"epoch\":1}",
		.metrics = "accuracy 0.25\n",
		.parts = parts,
		.part_count = 3};
}

static enum status read_back(const struct sha256 *job, float x[5], float y[3], struct arena *arena,
	struct checkpoint *out, struct err *err)
{
	static struct checkpoint_part parts[3];
	parts[0] = (struct checkpoint_part){x, 5};
	parts[1] = (struct checkpoint_part){NULL, 0};
	parts[2] = (struct checkpoint_part){y, 3};
	*out = (struct checkpoint){.job = *job, .parts = parts, .part_count = 3};
	return checkpoint_read(path, arena, out, err);
}

static void it_comes_back_as_it_was(void **state)
{
	struct checkpoint_part parts[3];
	struct checkpoint written = sample(parts), read;
	struct arena arena;
	struct err err;
	float x[5] = {0}, y[3] = {0};
	arena_init(&arena);
	assert_int_equal(read_back(&written.job, x, y, &arena, &read, &err), ST_MISSING);
	assert_int_equal(checkpoint_write(path, &written, &err), ST_OK);
	assert_int_equal(read_back(&written.job, x, y, &arena, &read, &err), ST_OK);
	assert_memory_equal(x, a, sizeof(a));
	assert_memory_equal(y, b, sizeof(b));
	assert_memory_equal(&read.progress, &written.progress, sizeof(read.progress));
	assert_string_equal(read.history, written.history);
	assert_string_equal(read.metrics, written.metrics);
	arena_release(&arena);
}

static void another_job_or_other_weights_are_refused(void **state)
{
	struct checkpoint_part parts[3];
	struct checkpoint written = sample(parts), read;
	struct sha256 other = hash_sha256(span_of_text("another job"));
	struct arena arena;
	struct err err;
	float x[5] = {0}, y[3] = {0};
	arena_init(&arena);
	assert_int_equal(checkpoint_write(path, &written, &err), ST_OK);
	assert_int_equal(read_back(&other, x, y, &arena, &read, &err), ST_CONFLICT);
	written.part_count = 2;
	assert_int_equal(checkpoint_write(path, &written, &err), ST_OK);
	assert_int_equal(read_back(&written.job, x, y, &arena, &read, &err), ST_CONFLICT);
	assert_true(x[0] == 0 && y[0] == 0);
	arena_release(&arena);
}

static void any_damage_is_noticed(void **state)
{
	struct checkpoint_part parts[3];
	struct checkpoint written = sample(parts), read;
	struct arena arena;
	struct err err;
	struct span whole;
	float x[5] = {0}, y[3] = {0};
	arena_init(&arena);
	assert_int_equal(checkpoint_write(path, &written, &err), ST_OK);
	assert_int_equal(file_read(path, 1 << 20, &arena, &whole, &err), ST_OK);
	uint8_t *bytes = (uint8_t *)(uintptr_t)whole.data;
	for (size_t i = 0; i < whole.size; i += 3) {
		bytes[i] ^= 0x40;
		assert_int_equal(file_write_durable(path, whole, 0600, &err), ST_OK);
		assert_int_equal(read_back(&written.job, x, y, &arena, &read, &err), ST_CONFLICT);
		bytes[i] ^= 0x40;
	}
	for (size_t size = 0; size < whole.size; size += 7) {
		assert_int_equal(file_write_durable(path, span_of(bytes, size), 0600, &err), ST_OK);
		assert_int_equal(read_back(&written.job, x, y, &arena, &read, &err), ST_CONFLICT);
	}
	assert_true(x[0] == 0 && y[0] == 0);
	arena_release(&arena);
}

static int open_folder(void **state)
{
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/checkpoint", folder);
	return 0;
}

static int remove_folder(void **state)
{
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was),
		cmocka_unit_test(another_job_or_other_weights_are_refused),
		cmocka_unit_test(any_damage_is_noticed),
	};
	return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
