/* SPDX-License-Identifier: Apache-2.0 */
/* gyre demo: the story of demo_steps.def, from where it was left. */
#include "base/check.h"
#include "cli/demo_inside.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/terminal.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED 2026
#define UP_US 60000000 /* until then a server that was just started answers */

static const struct demo_size usual = {
	.labelled = 80,
	.held_out = 40,
	.belt = 240,
	.training_data = 220,
	.epochs_first = 90,
	.epochs_again = 25,
	.per_round = 12,
	.reviews = 50,
	.invited = 5,
	.pictures_per_s = 12,
	.dark_max = 400,
	.train_s = 1200,
	.verdict_s = 600,
};
static const struct demo_size quick = {
	.labelled = 24,
	.held_out = 36,
	.belt = 60,
	.training_data = 60,
	.epochs_first = 2,
	.epochs_again = 2,
	.per_round = 36,
	.reviews = 12,
	.invited = 0,
	.pictures_per_s = 0,
	.dark_max = 400,
	.train_s = 600,
	.verdict_s = 300,
};

static const struct {
	const char *name;
	demo_step *run;
} steps[] = {
#define STEP(name, title, text) {#name, demo_step_##name},
#include "cli/demo_steps.def"
#undef STEP
};

static void stop(int signal_number)
{
	demo_stopped = 1;
}

/* ---- the server ---- */

/* It may just have been started: the first token is there before it answers. */
static enum status connect_once(struct demo *d, const char *data, struct err *err)
{
	struct span token;
	const char *given = cli_token();
	if (given == NULL || *given == '\0') {
		TRY(file_read(arena_printf(&d->arena, "%s/admin-token", data), 4096, &d->arena, &token, err));
		char *text = arena_strndup(&d->arena, (const char *)token.data, token.size);
		text[strcspn(text, "\r\n")] = '\0';
		setenv("GYRE_TOKEN", text, 1);
	}
	return client_open(&d->client, err);
}

/* What outlives the answers is copied from their arena. */
static enum status connect_server(struct demo *d, const char *data, struct err *err)
{
	int64_t end_us = clock_mono_us() + UP_US;
	enum status st;
	while ((st = connect_once(d, data, err)) != ST_OK) {
		bool may_come = st == ST_UNAVAILABLE || st == ST_MISSING;
		if (d->client.fetcher)
			client_close(&d->client);
		d->client = (struct client){0};
		if (!may_come || demo_stopped || clock_mono_us() > end_us)
			return st;
		poll(NULL, 0, 200);
	}
	d->client.host = arena_strdup(&d->arena, d->client.host);
	d->client.organization_id = arena_strdup(&d->arena, d->client.organization_id);
	d->client.connector_id = arena_strdup(&d->arena, d->client.connector_id);
	d->me = d->client.token = arena_strdup(&d->arena, d->client.token);
	return ST_OK;
}

/* ---- playing ---- */

static enum status play(struct demo *d, const char *until, struct err *err)
{
	struct demo_state *s = &d->state;
	if (s->started_us == 0)
		s->started_us = clock_unix_us();
	if (s->seed == 0)
		s->seed = SEED;
	for (size_t i = (size_t)s->step; i < COUNT_OF(steps); i++) {
		s->step = (int64_t)i;
		TRY(demo_state_write(d, err));
		demo_step_begins(d, i);
		TRY(steps[i].run(d, err));
		demo_forget(d);
		s->step = (int64_t)i + 1;
		TRY(demo_state_write(d, err));
		if (until && strcmp(until, steps[i].name) == 0)
			return ST_OK;
	}
	return ST_OK;
}

static enum status finish(struct demo *d, struct err *err)
{
	char clock[16];
	d->state.finished = true;
	TRY(demo_state_write(d, err));
	demo_clock(d, clock);
	if (!d->json)
		printf("\n%6s  Now yours\n", clock);
	demo_tell(d, "promoted",
		arena_printf(&d->client.arena,
			"\"deployment\":\"%s\",\"version\":\"%s\",\"answered\":%" PRId64
			",\"failed\":%" PRId64,
			d->state.deployment, d->state.second, d->answered, d->failed),
		"The new version serves, and nobody but the reviewer did anything. Drop an ONNX file on "
		"%s/models, "
		"or a folder of "
		"pictures on %s/datasets. `gyre demo --remove`, or Remove demo on the page, takes the demo "
		"away.",
		d->client.host, d->client.host);
	return ST_OK;
}

static enum status run(struct demo *d, const char *data, const char *until, bool removes, struct err *err)
{
	TRY(file_make_folders(arena_printf(&d->arena, "%s/demo", data), err));
	TRY(demo_state_read(d, err));
	TRY(connect_server(d, data, err));
	if (removes)
		return demo_remove(d, err);
	if (d->state.finished) {
		demo_tell(d, "played", NULL,
			"The demo was played to its end in this data folder; --remove takes it away.");
		return ST_OK;
	}
	if (d->state.step > 0)
		demo_tell(d, "goes_on", NULL, "It goes on where it was left.");
	TRY(play(d, until, err));
	return (size_t)d->state.step == COUNT_OF(steps) ? finish(d, err) : ST_OK;
}

static bool is_step(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(steps); i++)
		if (strcmp(steps[i].name, name) == 0)
			return true;
	return false;
}

int cli_demo(int argc, char **argv)
{
	const char *data = "./var", *until = NULL;
	bool is_quick = false, removes = false;
	static struct demo d;
	static struct cli_words words;
	const struct cli_option options[] = {{"--data", &data, NULL}, {"--step", &until, NULL},
		{"--server", &d.server_file, NULL}, {"--setup", &d.setup_file, NULL},
		{"--json", NULL, &d.json}, {"--exit", NULL, &d.leaves}, {"--quick", NULL, &is_quick},
		{"--remove", NULL, &removes}};
	int code = cli_parse("demo", argc, argv, options, COUNT_OF(options), &words);
	if (code)
		return code;
	if (words.count)
		return cli_usage("demo", "It takes options alone, not %s.", words.words[0]);
	if (until && !is_step(until))
		return cli_usage("demo", "There is no step %s.", until);
	struct err err;
	struct sigaction action = {.sa_handler = stop};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	arena_init(&d.arena);
	d.size = is_quick ? quick : usual;
	d.path = arena_printf(&d.arena, "%s/demo/demo.json", data);
	d.terminal = terminal_is_one(STDIN_FILENO) && !d.json && !d.leaves;
	enum status st = run(&d, data, until, removes, &err);
	if (st != ST_OK && d.json)
		demo_tell(&d, "error", NULL, "%s", err.text);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	if (d.client.fetcher)
		client_close(&d.client);
	arena_release(&d.arena);
	return code;
}
