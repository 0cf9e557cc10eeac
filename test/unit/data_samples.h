/* SPDX-License-Identifier: Apache-2.0 */
/* Where data made by others is, and files of it. */
#ifndef GYRE_TEST_DATA_SAMPLES_H
#define GYRE_TEST_DATA_SAMPLES_H

#include "base/check.h"
#include "os/file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* GYRE_TEST_DATA, or shared/data beside the checkout (looked for above the test's own binary); NULL: absent.
 */
static inline const char *real_data_folder(void)
{
	static char found[PATH_MAX];
	const char *given = getenv("GYRE_TEST_DATA");
	if (given)
		return access(given, R_OK) == 0 ? given : NULL;
	char above[PATH_MAX - 16];
	ssize_t size = readlink("/proc/self/exe", above, sizeof(above) - 1);
	CHECK(size > 0);
	above[size] = '\0';
	for (char *slash; (slash = strrchr(above, '/')) != NULL;) {
		*slash = '\0';
		snprintf(found, sizeof(found), "%s/shared/data", above);
		if (access(found, R_OK) == 0)
			return found;
	}
	return NULL;
}

/* The bytes of a file of the real data; what is there can be read. */
static inline struct span real_file(const char *name, struct arena *a)
{
	struct span bytes;
	struct err err;
	const char *path = arena_printf(a, "%s/%s", real_data_folder(), name);
	if (file_read(path, (size_t)64 << 20, a, &bytes, &err) != ST_OK)
		fprintf(stderr, "%s\n", err.text);
	else
		return bytes;
	abort();
}

#define SKIP_WITHOUT_REAL_DATA()                                                                             \
	do {                                                                                                 \
		if (real_data_folder() == NULL) {                                                            \
			print_message("[  SKIP  ] no real data: set GYRE_TEST_DATA\n");                      \
			skip();                                                                              \
		}                                                                                            \
	} while (0)

#endif
