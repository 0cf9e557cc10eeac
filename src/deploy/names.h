/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GYRE_DEPLOY_NAMES_H
#define GYRE_DEPLOY_NAMES_H

#include "base/arena.h"

/* A random name for a deployment that was given none: an adjective and a noun, "calm-heron". */
const char *names_random(struct arena *a);

#endif
