/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTERM and SIGINT ask to stop; what runs long looks here between two steps. */
#ifndef GYRE_TRAINER_STOP_H
#define GYRE_TRAINER_STOP_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

void stop_listen(void); /* once, at start */
bool stop_asked(void);

#ifdef __cplusplus
}
#endif

#endif
