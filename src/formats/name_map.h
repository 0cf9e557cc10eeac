/* SPDX-License-Identifier: Apache-2.0 */
/* From a text to a number: labels, files and ids by name. */
#ifndef GYRE_FORMATS_NAME_MAP_H
#define GYRE_FORMATS_NAME_MAP_H

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define NAME_MAP_NONE UINT32_MAX

struct name_map {
	struct arena *arena;
	struct name_slot *slots; /* open addressing; room is 0 or a power of 2 */
	size_t count, room;
};

void name_map_init(struct name_map *m, struct arena *a);
uint32_t name_map_find(const struct name_map *m, const char *name, size_t size); /* or NAME_MAP_NONE */
/* Put value under a name that is not there yet, and return what is under it now. The name must live as long.
 */
uint32_t name_map_add(struct name_map *m, const char *name, size_t size, uint32_t value);

#endif
