/* SPDX-License-Identifier: Apache-2.0 */
/* os/bell.h: no ring is missed, nobody sleeps past the deadline, and ringing waits for nobody. */
#include "base/check.h"
#include "os/bell.h"
#include "os/clock.h"
#include "os/thread.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <cmocka.h>

#define SECOND_US 1000000LL
#define ROUNDS 2000
#define SLEEPERS 3

static void test_a_ring_before_the_wait_is_heard(void **state)
{
	struct bell bell;
	bell_init(&bell);
	uint32_t heard = bell_count(&bell);
	bell_ring(&bell);
	int64_t before_us = clock_mono_us();
	assert_true(bell_wait(&bell, heard, before_us + 60 * SECOND_US));
	assert_true(clock_mono_us() - before_us < 30 * SECOND_US);
}

static void test_without_a_ring_the_deadline_ends_it(void **state)
{
	struct bell bell;
	bell_init(&bell);
	int64_t deadline_us = clock_mono_us() + 20000;
	assert_false(bell_wait(&bell, bell_count(&bell), deadline_us));
	assert_true(clock_mono_us() >= deadline_us);
	assert_false(bell_wait(&bell, bell_count(&bell), 1)); /* long gone */
}

/* A sleeper waits for each round to begin, and says that it has seen it. */
struct rounds {
	struct bell begun, seen;
	_Atomic uint32_t round;
	_Atomic uint32_t seen_count;
};

static void sleep_and_see(void *arg)
{
	struct rounds *r = arg;
	uint32_t last = 0;
	while (last < ROUNDS) {
		uint32_t heard = bell_count(&r->begun), round = atomic_load(&r->round);
		if (round == last) {
			CHECK(bell_wait(&r->begun, heard, clock_mono_us() + 60 * SECOND_US));
			continue;
		}
		last = round;
		atomic_fetch_add(&r->seen_count, 1);
		bell_ring(&r->seen);
	}
}

static void test_no_round_is_missed(void **state)
{
	static struct rounds r;
	thread_handle threads[SLEEPERS];
	bell_init(&r.begun);
	bell_init(&r.seen);
	for (int i = 0; i < SLEEPERS; i++)
		thread_start(&threads[i], "sleeper", sleep_and_see, &r);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		atomic_store(&r.round, round);
		bell_ring(&r.begun);
		for (;;) {
			uint32_t heard = bell_count(&r.seen);
			if (atomic_load(&r.seen_count) == round * SLEEPERS)
				break;
			assert_true(bell_wait(&r.seen, heard, clock_mono_us() + 60 * SECOND_US));
		}
	}
	for (int i = 0; i < SLEEPERS; i++)
		thread_join(threads[i]);
	assert_int_equal(atomic_load(&r.begun.sleepers), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_ring_before_the_wait_is_heard),
		cmocka_unit_test(test_without_a_ring_the_deadline_ends_it),
		cmocka_unit_test(test_no_round_is_missed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
