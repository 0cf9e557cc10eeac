/* SPDX-License-Identifier: Apache-2.0 */
/* Inside cli/ only: where the server is, and the looks that commands share. */
#ifndef GYRE_CLI_WHERE_H
#define GYRE_CLI_WHERE_H

#include "cli/cli.h"

const char *cli_host(void);  /* --host, GYRE_HOST or the default */
const char *cli_token(void); /* --token or GYRE_TOKEN; NULL */

/* An answer that was fetched: its JSON, or its sentence as an event. */
enum status client_read(
	struct client *c, const struct fetch_reply *reply, yyjson_val **out, struct err *err) MUST_CHECK;
/* "MODEL" (its newest version) or "MODEL:NUMBER". */
enum status client_version(
	struct client *c, const char *model_and_version, yyjson_val **out, struct err *err) MUST_CHECK;
/* "DATASET:VERSION", or the id of a version. */
enum status client_dataset_version(
	struct client *c, const char *dataset_and_version, yyjson_val **out, struct err *err) MUST_CHECK;
void client_print(yyjson_val *value); /* one line of JSON on standard output */

/* `gyre model recipe …` and `gyre model check …`: words[0] is the first after that. */
int cli_model_recipe(const char *const *words, size_t count, bool json);
int cli_model_check(const char *const *words, size_t count, bool json);

/* Names of the recipe fields of a version that were guessed and not confirmed, "colour, scale"; "" when there
 * are none. */
const char *client_guesses(struct client *c, yyjson_val *version);

#endif
