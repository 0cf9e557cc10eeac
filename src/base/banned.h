/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that invite overflows or races do not compile (after git's banned.h idea). Forced into every file
 * by the build. */
#ifndef GYRE_BASE_BANNED_H
#define GYRE_BASE_BANNED_H

/* The system's headers come first, so that their own declarations still compile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok gmtime localtime ctime asctime \
	atoi atol

#endif
