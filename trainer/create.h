/* SPDX-License-Identifier: Apache-2.0 */
/* gyre-train create: a first model's file, with nothing learnt yet. */
#ifndef GYRE_TRAINER_CREATE_H
#define GYRE_TRAINER_CREATE_H

#ifdef __cplusplus
extern "C" {
#endif

/* --arch det-t --labels labels.json --size 160x160 --output FILE [--seed 1]. The exit code; what is wrong is
 * said on standard error. */
int create_command(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
