/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: one table (config.def), three sources. */
#ifndef GYRE_CONFIG_H
#define GYRE_CONFIG_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

enum config_key {
#define SETTING(name, type, value, min, max, help) CONFIG_##name,
#include "config.def"
#undef SETTING
	CONFIG_COUNT
};

struct config {
	const char *text[CONFIG_COUNT];   /* as written */
	int64_t integer[CONFIG_COUNT];    /* INTEGER settings */
	const char *source[CONFIG_COUNT]; /* "default", "file <path>:<line>", "environment", "flag" */
};

/*
 * Read defaults, the file `<data>/gyre.conf` (if there is one), GYRE_… and the flags of argv[0…argc), all of
 * which must be settings (--name value or --name=value; - and _ are the same). ST_INVALID names the setting,
 * its source and what it takes.
 */
enum status config_load(struct config *c, int argc, char **argv, struct arena *a, struct err *err) MUST_CHECK;

const char *config_name(enum config_key key);
const char *config_help(enum config_key key);
const char *config_default(enum config_key key);

#endif
