/* SPDX-License-Identifier: Apache-2.0 */
/* CHECK: a condition that only a bug can break. Always on, also in release builds. */
#ifndef GYRE_BASE_CHECK_H
#define GYRE_BASE_CHECK_H

_Noreturn void check_failed(const char *file, int line, const char *condition);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (__builtin_expect(!(condition), 0))                                                       \
			check_failed(__FILE__, __LINE__, #condition);                                        \
	} while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
