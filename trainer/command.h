/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of gyre-train share. */
#pragma once

#include <string.h>

/* Of the trainer's contract: docs/trainers.md. */
enum exit_code {
	EXIT_CODE_DONE = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_NOT_TRAINABLE = 3,
	EXIT_CODE_DATASET = 4,
	EXIT_CODE_DIVERGED = 5,
	EXIT_CODE_RESOURCES = 6,
	EXIT_CODE_STOPPED = 143
};

/* What follows --name; NULL: it is not there. The command's own name is argv[1]. */
static inline const char *command_option(int argc, char **argv, const char *name)
{
	for (int i = 2; i + 1 < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return argv[i + 1];
	return NULL;
}
