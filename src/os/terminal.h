/* SPDX-License-Identifier: Apache-2.0 */
/* A key of a person at a terminal, without Enter. */
#ifndef GYRE_OS_TERMINAL_H
#define GYRE_OS_TERMINAL_H

#include <stdbool.h>

bool terminal_is_one(int fd);
/* Waits so long for a byte. -1: none came, or there never will. A terminal is left as it was. */
int terminal_key(int fd, int timeout_ms);

#endif
