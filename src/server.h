/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GYRE_SERVER_H
#define GYRE_SERVER_H

#include "config.h"

/*
 * Run the server until SIGTERM or SIGINT, then finish what was accepted. Prints one line with its address and
 * a login link on standard output once it answers. ST_CONFLICT: another server uses the data folder, or its
 * database is newer.
 */
enum status server_run(const struct config *config, struct err *err) MUST_CHECK;

#endif
