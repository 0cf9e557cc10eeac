/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one file for each command, listed once (commands.def).
 * Exit codes: 0 it worked, 1 it failed (a sentence on standard error), 2 it was called wrongly.
 */
#ifndef GYRE_CLI_CLI_H
#define GYRE_CLI_CLI_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "os/fetch.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* argv[0] is the first word after the command's name. Returns the exit code. */
typedef int cli_command(int argc, char **argv);

#define COMMAND(name, function, usage, help) cli_command function;
#include "cli/commands.def"
#undef COMMAND

/* The whole program. */
int cli_main(int argc, char **argv);
/* Print the usage of a command and the reason (NULL: it was asked for). Returns EXIT_USAGE, or EXIT_DONE
 * without a reason. */
int cli_usage(const char *command, const char *reason, ...) PRINTF_LIKE(2, 3);
/* Print the sentence on standard error. Returns EXIT_FAILED. */
int cli_failed(const struct err *err);

/* ---- options ---- */

/* What a command was given: positional words, and options by name. */
struct cli_option {
	const char *name;  /* "--name" */
	const char **text; /* takes a value; or */
	bool *flag;        /* takes none */
};
#define CLI_WORDS_MAX 4096
struct cli_words {
	const char *words[CLI_WORDS_MAX];
	size_t count;
};
/* --host and --token are understood by every command that talks to a server. 0, or an exit code after the
 * usage was printed. */
int cli_parse(const char *command, int argc, char **argv, const struct cli_option *options,
	size_t option_count, struct cli_words *words);

/* ---- client ---- */

struct client {
	const char *host, *token; /* --host or GYRE_HOST (http://127.0.0.1:8080), --token or GYRE_TOKEN */
	struct fetcher *fetcher;
	struct arena arena; /* of all answers */
	const char *organization_id, *connector_id;
};

/* Reads where the server is, and the organization of the token. */
enum status client_open(struct client *c, struct err *err) MUST_CHECK;
void client_close(struct client *c);
/* A call that answers JSON. path is printf-like and starts with '/'. body NULL: none. A code of 400 or more
 * is the answer's sentence. */
enum status client_call(struct client *c, const char *method, yyjson_mut_doc *body, yyjson_val **out,
	struct err *err, const char *path, ...) MUST_CHECK PRINTF_LIKE(6, 7);
/* The object with this name or id among the deployments; ST_MISSING. */
enum status client_deployment(
	struct client *c, const char *name_or_id, yyjson_val **out, struct err *err) MUST_CHECK;
char *client_escape(struct client *c, const char *text); /* percent-encoded for a query */

/* ---- progress: a bar on standard error when it is a terminal ---- */
void progress_show(const char *what, uint64_t done, uint64_t total);
void progress_end(void);

#endif
