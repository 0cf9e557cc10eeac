/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The composition root: opens every part in order, wires them, waits for a
 * signal, and closes them in the reverse order. Wiring only, no logic.
 */
#include "server.h"

#include "api/api.h"
#include "api/continuous_json.h"
#include "api/deployment_swap.h"
#include "api/feedback_json.h"
#include "api/guard.h"
#include "api/job_json.h"
#include "api/live.h"
#include "api/training_json.h"
#include "base/check.h"
#include "deploy/roster.h"
#include "deploy/spare.h"
#include "engine/engine.h"
#include "http/server.h"
#include "jobs/jobs.h"
#include "learn/choose.h"
#include "learn/loop.h"
#include "learn/submitter.h"
#include "learn/training.h"
#include "os/file.h"
#include "os/log.h"
#include "serve/pipeline.h"
#include "shadow/shadows.h"
#include "store/blob.h"
#include "store/db_sqlite.h"
#include "store/migrate.h"
#include "store/recorder.h"
#include "watch/quality.h"
#include "watch/reference.h"
#include "watch/reference_job.h"
#include "watch/verdict.h"
#include "watch/watch.h"
#include "watch/webhooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define LOGIN_LINK_US ((int64_t)15 * 60 * 1000000)
#define COMMIT_QUEUE_MAX 4096u
#define COMMIT_GROUP_MAX 64u
#define SHADOW_READERS 4u
#define WATCH_READERS 4u
#define JOBS_AT_ONCE 1u /* each takes as many processors as it can use */

/* All parts; NULL or -1 where a part was not opened. */
struct server {
	const struct config *config;
	struct arena arena;
	int lock_fd;
	struct db *db;
	struct recorder *recorder;
	struct reference_world references;
	struct db_readers *shadow_readers; /* of their own, so that no request waits for one of theirs */
	struct db_readers *watch_readers;
	struct api api;
	char public_url[512];
};

static const char *text_setting(const struct config *c, enum config_key key)
{
	return c->text[key][0] ? c->text[key] : NULL;
}

static int64_t seconds_us(const struct config *c, enum config_key key)
{
	return c->integer[key] * 1000000;
}

static uint64_t megabytes(const struct config *c, enum config_key key)
{
	return (uint64_t)c->integer[key] << 20;
}

/* One server for each data folder: two would each believe to be the one writer. */
static enum status lock_data(struct server *s, struct err *err)
{
	const char *folder = s->config->text[CONFIG_data];
	TRY(file_make_folders(folder, err));
	const char *path = arena_printf(&s->arena, "%s/lock", folder);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_errno(err, "The file %s cannot be opened", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return ST_OK;
	if (errno == EWOULDBLOCK)
		return err_set(err, ST_CONFLICT,
			"Another gyre server uses the data folder %s; stop it first, or give another --data.",
			folder);
	return err_errno(err, "The data folder %s cannot be locked", folder);
}

static enum status open_store(struct server *s, struct err *err)
{
	const struct config *c = s->config;
	struct db_conn *writer;
	TRY(db_sqlite_open(arena_printf(&s->arena, "%s/gyre.db", c->text[CONFIG_data]), &s->db, err));
	TRY(db_connect(s->db, true, &writer, err));
	enum status st = migrate_up(writer, err);
	db_disconnect(writer);
	TRY(st);
	TRY(recorder_start(s->db, COMMIT_QUEUE_MAX, COMMIT_GROUP_MAX, &s->recorder, err));
	TRY(db_readers_new(s->db, (unsigned)c->integer[CONFIG_readers], &s->api.readers, err));
	s->api.recorder = s->recorder;
	return blob_file_open(arena_printf(&s->arena, "%s/blobs", c->text[CONFIG_data]), &s->api.blobs, err);
}

static enum status open_accounts(struct server *s, struct err *err)
{
	struct guard_account account;
	const char *token_path = arena_printf(&s->arena, "%s/admin-token", s->config->text[CONFIG_data]);
	TRY(guard_first_start(s->recorder, "default", !file_exists(token_path), &s->arena, &account, err));
	if (account.token[0]) {
		const char *line = arena_printf(&s->arena, "%s\n", account.token);
		TRY(file_write_durable(token_path, span_of_text(line), 0600, err));
	}
	s->api.organization_id = account.organization.id;
	s->api.connector_id = account.organization.connector_id;
	snprintf(s->api.organization_name, sizeof(s->api.organization_name), "%s", account.organization.name);
	memcpy(s->api.signing_key, account.organization.signing_key, sizeof(s->api.signing_key));
	return guard_open(s->api.readers, &account.admin, &s->api.guard, err);
}

/* Without ONNX Runtime everything but running models works; say so once. */
static void find_runtime(const struct config *c)
{
	char path[4096];
	struct err err;
	if (engine_library_find(text_setting(c, CONFIG_onnxruntime), path, &err) == ST_OK)
		engine_library_set(path);
	else
		log_err("onnxruntime_missing", &err);
}

static enum status open_watch(struct server *s, struct err *err)
{
	TRY(db_readers_new(s->db, WATCH_READERS, &s->watch_readers, err));
	return watch_open(
		&(struct watch_options){
			.path = arena_printf(&s->arena, "%s/watch.db", s->config->text[CONFIG_data]),
			.readers = s->watch_readers,
			.recorder = s->recorder,
			.quality = s->api.quality,
			.changed = live_watch,
			.changed_arg = &s->api,
		},
		&s->api.watch, err);
}

/* With what was left undone, once everything is open. */
static enum status start_watch(struct server *s, struct err *err)
{
	if (strcmp(s->config->text[CONFIG_watch], "off") == 0)
		return ST_OK;
	TRY(watch_start(s->api.watch, err));
	return watch_resume(s->api.watch, s->api.jobs, err);
}

static enum status open_serving(struct server *s, struct err *err)
{
	const struct config *c = s->config;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	find_runtime(c);
	s->api.quality = quality_new(s->api.readers, choose_chance_now);
	TRY(open_watch(s, err));
	model_limits_set(&(struct model_limits){
		.seats = c->integer[CONFIG_seats] ? (unsigned)c->integer[CONFIG_seats]
			 : cores > 0              ? (unsigned)cores
						  : 1,
		.memory_bytes_max = megabytes(c, CONFIG_model_memory_mb),
		.load_timeout_us = seconds_us(c, CONFIG_load_timeout_s),
		.run_timeout_us = seconds_us(c, CONFIG_run_timeout_s),
	});
	s->api.roster = roster_new(s->api.readers, s->api.blobs);
	s->api.serve = serve_new(&(struct serve_options){
		.roster = s->api.roster,
		.readers = s->api.readers,
		.recorder = s->recorder,
		.blobs = s->api.blobs,
		.pixel_bytes_max = megabytes(c, CONFIG_pixel_memory_mb),
		.seat_timeout_us = seconds_us(c, CONFIG_seat_timeout_s),
		.recorded = live_recorded,
		.recorded_arg = &s->api,
		.failed = live_failed,
		.failed_arg = &s->api,
	});
	TRY(db_readers_new(s->db, SHADOW_READERS, &s->shadow_readers, err));
	s->api.shadows = shadows_new(&(struct shadows_options){
		.readers = s->shadow_readers,
		.recorder = s->recorder,
		.blobs = s->api.blobs,
		.pixel_bytes_max = megabytes(c, CONFIG_pixel_memory_mb),
		.seat_timeout_us = seconds_us(c, CONFIG_seat_timeout_s),
		.changed = live_shadow,
		.changed_arg = &s->api,
	});
	s->api.verdicts = verdicts_new(&(struct verdicts_options){
		.readers = s->shadow_readers,
		.recorder = s->recorder,
		.quality = s->api.quality,
		.changed = live_verdict,
		.changed_arg = &s->api,
	});
	s->api.submitter = submitter_new(&(struct submitter_options){
		.readers = s->shadow_readers,
		.recorder = s->recorder,
		.blobs = s->api.blobs,
		.submitted = feedback_submitted,
		.submitted_arg = &s->api,
	});
	s->api.webhooks = webhooks_new(&(struct webhooks_options){
		.readers = s->api.readers,
		.recorder = s->recorder,
		.public_url = s->public_url,
		.allowed = c->text[CONFIG_webhook_allow],
	});
	s->api.spare = spare_new(s->api.readers, s->api.roster, 0);
	TRY(jobs_new(&(struct jobs_options){.readers = s->api.readers,
			     .recorder = s->recorder,
			     .threads = JOBS_AT_ONCE,
			     .changed = job_changed,
			     .changed_arg = &s->api},
		&s->api.jobs, err));
	return roster_load_all(s->api.roster, err);
}

static void open_references(struct server *s)
{
	s->references.readers = s->api.readers;
	s->references.recorder = s->recorder;
	s->references.blobs = s->api.blobs;
	s->references.pixel_budget = serve_pixel_budget(s->api.serve);
	s->references.jobs = s->api.jobs;
	s->references.kept = references_new();
	s->references.watch = s->api.watch;
	s->api.references = &s->references;
}

static void open_loop(struct server *s)
{
	s->api.loop = loop_new(&(struct loop_options){
		.readers = s->shadow_readers,
		.recorder = s->recorder,
		.trainings = s->api.trainings,
		.arg = &s->api,
		.swap = deployment_swap_by_itself,
		.ended = continuous_training_alert,
		.shadow_changed = deployment_shadow_changed,
		.changed = continuous_training_changed,
	});
}

static enum status open_trainings(struct server *s, struct err *err)
{
	const struct config *c = s->config;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	const char *runs = arena_printf(&s->arena, "%s/runs", c->text[CONFIG_data]);
	TRY(file_make_folders(runs, err));
	return trainings_new(
		&(struct trainings_options){
			.readers = s->shadow_readers,
			.recorder = s->recorder,
			.blobs = s->api.blobs,
			.organization_id = s->api.organization_id,
			.folder = runs,
			.command = text_setting(c, CONFIG_trainer),
			.memory_bytes_max = (int64_t)megabytes(c, CONFIG_trainer_memory_mb),
			.time_s_max = c->integer[CONFIG_trainer_time_s],
			.silence_s_max = c->integer[CONFIG_trainer_silence_s],
			.threads = c->integer[CONFIG_trainer_threads]
					   ? (unsigned)c->integer[CONFIG_trainer_threads]
				   : cores > 0 ? (unsigned)cores
					       : 1,
			.hooks = {.arg = &s->api,
				.changed = training_changed,
				.logged = training_logged,
				.reference = training_reference,
				.ended = continuous_training_ended,
				.swap = deployment_swap_by_itself,
				.shadow_changed = deployment_shadow_changed},
		},
		&s->api.trainings, err);
}

static enum status open_http(struct server *s, struct err *err)
{
	const struct config *c = s->config;
	const char *spool = arena_printf(&s->arena, "%s/spool", c->text[CONFIG_data]);
	TRY(file_make_folders(spool, err));
	s->api.spool_folder = spool;
	s->api.demo_file = arena_printf(&s->arena, "%s/demo/demo.json", c->text[CONFIG_data]);
	const struct http_options options = {
		.address = c->text[CONFIG_listen],
		.routes = api_routes,
		.route_count = api_route_count,
		.admit = guard_admit,
		.refused = live_refused,
		.app = &s->api,
		.spool_folder = spool,
		.tls_certificate = text_setting(c, CONFIG_tls_certificate),
		.tls_key = text_setting(c, CONFIG_tls_key),
		.workers = (unsigned)c->integer[CONFIG_workers],
		.queue_max = (unsigned)c->integer[CONFIG_queue],
		.connections_max = (unsigned)c->integer[CONFIG_connections],
		.event_streams_max = (unsigned)c->integer[CONFIG_event_streams],
		.body_memory_max = megabytes(c, CONFIG_body_memory_mb),
		.idle_timeout_s = (unsigned)c->integer[CONFIG_idle_timeout_s],
		.body_timeout_s = (unsigned)c->integer[CONFIG_body_timeout_s],
	};
	return http_server_start(&options, &s->api.http, err);
}

static enum status open_all(struct server *s, struct err *err)
{
	TRY(lock_data(s, err));
	TRY(open_store(s, err));
	TRY(open_accounts(s, err));
	TRY(open_serving(s, err));
	open_references(s);
	TRY(open_trainings(s, err));
	open_loop(s);
	TRY(open_http(s, err));
	submitter_start(s->api.submitter);
	verdicts_start(s->api.verdicts);
	TRY(start_watch(s, err));
	TRY(reference_resume(&s->references, err));
	TRY(trainings_start(s->api.trainings, err));
	loop_start(s->api.loop);
	return shadows_load_all(s->api.shadows, err); /* they tell the pages, so not before there are any */
}

static void close_all(struct server *s)
{
	/* They publish, which must end before the server that does it. */
	if (s->api.jobs)
		jobs_stop(s->api.jobs);
	if (s->api.loop)
		loop_stop(s->api.loop);
	if (s->api.trainings)
		trainings_stop(s->api.trainings);
	if (s->api.shadows)
		shadows_stop(s->api.shadows);
	if (s->api.submitter)
		submitter_stop(s->api.submitter);
	if (s->api.verdicts)
		verdicts_stop(s->api.verdicts);
	if (s->api.watch)
		watch_stop(s->api.watch);
	if (s->api.webhooks) /* so that nobody waits for a receiver */
		webhooks_stop(s->api.webhooks);
	if (s->api.http)
		http_server_stop(s->api.http);
	if (s->api.jobs)
		jobs_free(s->api.jobs);
	loop_free(s->api.loop);
	trainings_free(s->api.trainings);
	if (s->api.shadows)
		shadows_free(s->api.shadows);
	if (s->api.submitter)
		submitter_free(s->api.submitter);
	webhooks_free(s->api.webhooks);
	watch_close(s->api.watch);
	verdicts_free(s->api.verdicts);
	quality_free(s->api.quality);
	references_free(s->references.kept);
	if (s->api.spare)
		spare_free(s->api.spare);
	if (s->api.serve)
		serve_free(s->api.serve);
	if (s->api.roster)
		roster_free(s->api.roster);
	if (s->api.guard)
		guard_close(s->api.guard);
	if (s->api.blobs)
		blob_close(s->api.blobs);
	if (s->watch_readers)
		db_readers_free(s->watch_readers);
	if (s->shadow_readers)
		db_readers_free(s->shadow_readers);
	if (s->api.readers)
		db_readers_free(s->api.readers);
	if (s->recorder)
		recorder_stop(s->recorder);
	if (s->db)
		db_close(s->db);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	arena_release(&s->arena);
}

static void announce(struct server *s)
{
	char code[GUARD_SECRET_SIZE];
	guard_login_code(s->api.guard, LOGIN_LINK_US, code);
	printf("gyre " GYRE_VERSION " serves at %s  (log in, once, within 15 minutes: %s/login?code=%s)\n",
		s->public_url, s->public_url, code);
	fflush(stdout);
	log_event(LOG_LEVEL_INFO, "started", "address", s->public_url, "data", s->config->text[CONFIG_data],
		NULL);
}

static void wait_for_signal(const sigset_t *signals)
{
	int number;
	CHECK(sigwait(signals, &number) == 0);
	log_event(LOG_LEVEL_INFO, "stopping", "signal", number == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
}

enum status server_run(const struct config *config, struct err *err)
{
	enum log_level level;
	if (!log_level_parse(config->text[CONFIG_log_level], &level))
		return err_set(err, ST_INVALID, "The setting log_level is debug, info, warn or error.");
	log_set_level(level);
	if (strcmp(config->text[CONFIG_watch], "on") != 0 && strcmp(config->text[CONFIG_watch], "off") != 0)
		return err_set(err, ST_INVALID, "The setting watch is on or off.");
	/* Blocked before any thread starts, so that none but this one takes them. */
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	CHECK(pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0);
	signal(SIGPIPE, SIG_IGN);

	struct server server = {.config = config, .lock_fd = -1};
	arena_init(&server.arena);
	server.api.config = config;
	server.api.public_url = server.public_url;
	snprintf(server.public_url, sizeof(server.public_url), "%s", config->text[CONFIG_public_url]);
	enum status st = open_all(&server, err);
	if (st == ST_OK) {
		if (server.public_url[0] == '\0')
			snprintf(server.public_url, sizeof(server.public_url), "%s",
				http_server_url(server.api.http));
		webhooks_start(server.api.webhooks); /* it says where this server is */
		server.api.ready = true;
		announce(&server);
		wait_for_signal(&signals);
		server.api.ready = false;
	}
	close_all(&server);
	return st;
}
