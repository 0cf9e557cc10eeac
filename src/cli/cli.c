/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/where.h"

#include "base/check.h"
#include "engine/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *name;
	cli_command *run;
	const char *usage, *help;
} commands[] = {
#define COMMAND(name, function, usage, help) {name, function, usage, help},
#include "cli/commands.def"
#undef COMMAND
};

static void print_help(FILE *out)
{
	fputs("gyre deploys computer-vision models, watches them in production, and learns from what people "
	      "correct.\n\n"
	      "usage: gyre COMMAND …   (gyre COMMAND --help says more)\n\n",
		out);
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (commands[i].run != cli_engine)
			fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].help);
	fputs("\nCommands that talk to a server find it by --host and --token, or GYRE_HOST and GYRE_TOKEN\n"
	      "(default host http://127.0.0.1:8080; the first token is in the file admin-token of the data "
	      "folder).\n"
	      "Exit codes: 0 it worked, 1 it failed, 2 it was called wrongly.\n",
		out);
}

int cli_usage(const char *command, const char *reason, ...)
{
	FILE *out = reason ? stderr : stdout;
	if (reason) {
		va_list args;
		va_start(args, reason);
		fputs("gyre: ", out);
		vfprintf(out, reason, args);
		fputs("\n", out);
		va_end(args);
	}
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (strcmp(commands[i].name, command) == 0)
			fprintf(out, "usage: gyre %s\n%s%s\n", commands[i].usage, reason ? "" : "\n",
				reason ? "" : commands[i].help);
	return reason ? EXIT_USAGE : EXIT_DONE;
}

int cli_failed(const struct err *err)
{
	progress_end();
	fprintf(stderr, "gyre: %s\n", err->text);
	return EXIT_FAILED;
}

static const struct cli_option *find_option(
	const struct cli_option *options, size_t count, const char *name, size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0)
			return &options[i];
	return NULL;
}

static const char *host_given, *token_given;
static const struct cli_option client_options[] = {
	{"--host", &host_given, NULL}, {"--token", &token_given, NULL}};

const char *cli_host(void)
{
	const char *host = host_given ? host_given : getenv("GYRE_HOST");
	return host && *host ? host : "http://127.0.0.1:8080";
}

const char *cli_token(void)
{
	return token_given ? token_given : getenv("GYRE_TOKEN");
}

int cli_parse(const char *command, int argc, char **argv, const struct cli_option *options,
	size_t option_count, struct cli_words *words)
{
	words->count = 0;
	bool only_words = false;
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		if (only_words || word[0] != '-' || word[1] == '\0') {
			if (words->count == CLI_WORDS_MAX)
				return cli_usage(command, "More than %d names were given.", CLI_WORDS_MAX);
			words->words[words->count++] = word;
			continue;
		}
		if (strcmp(word, "--") == 0) {
			only_words = true;
			continue;
		}
		const char *equals = strchr(word, '=');
		size_t size = equals ? (size_t)(equals - word) : strlen(word);
		const struct cli_option *option = find_option(options, option_count, word, size);
		if (option == NULL)
			option = find_option(client_options, COUNT_OF(client_options), word, size);
		if (option == NULL)
			return cli_usage(command, "There is no option %s here.", word);
		if (option->flag) {
			*option->flag = true;
			continue;
		}
		*option->text = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
		if (*option->text == NULL)
			return cli_usage(command, "%s needs a value.", option->name);
	}
	return 0;
}

static bool asks_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int cli_main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (asks_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return cli_version(0, NULL);
	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		if (strcmp(commands[i].name, argv[1]) != 0)
			continue;
		if (argc > 2 && asks_help(argv[argc - 1]))
			return cli_usage(argv[1], NULL);
		return commands[i].run(argc - 2, argv + 2);
	}
	fprintf(stderr, "gyre: there is no command %s; `gyre help` lists them.\n", argv[1]);
	return EXIT_USAGE;
}

int cli_version(int argc, char **argv)
{
	puts("gyre " GYRE_VERSION);
	return EXIT_DONE;
}

int cli_engine(int argc, char **argv)
{
	return engine_child_main(argc, argv);
}

/* ---- progress ---- */

static bool bar_shown;

void progress_show(const char *what, uint64_t done, uint64_t total)
{
	static unsigned last = 101;
	if (!isatty(STDERR_FILENO) || total == 0)
		return;
	unsigned percent = (unsigned)(done * 100 / total);
	if (bar_shown && percent == last)
		return;
	last = percent;
	bar_shown = true;
	char bar[41];
	for (unsigned i = 0; i < 40; i++)
		bar[i] = i < percent * 40 / 100 ? '#' : '.';
	bar[40] = '\0';
	fprintf(stderr, "\r%s [%s] %3u %%", what, bar, percent);
}

void progress_end(void)
{
	if (bar_shown)
		fputs("\n", stderr);
	bar_shown = false;
}
