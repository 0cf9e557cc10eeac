/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a command was given, alone or in folders, in the order of their names. */
#ifndef GYRE_CLI_FILES_H
#define GYRE_CLI_FILES_H

#include "base/arena.h"
#include "base/err.h"

#define FILES_MAX 1000000u

struct files {
	const char **paths;
	size_t count, room;
	struct arena arena;
};

void files_init(struct files *f);
void files_release(struct files *f);
/* A file is taken as it is; of a folder and the folders in it (hidden ones apart) those that `wants` wants by
 * their name. ST_MISSING, ST_TOO_LARGE. */
enum status files_add(
	struct files *f, const char *path, bool (*wants)(const char *name), struct err *err) MUST_CHECK;

bool files_is_image(const char *name);
bool files_has_ending(const char *name, const char *const *endings); /* ".jpg" in any case; ended by NULL */

#endif
