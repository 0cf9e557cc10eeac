/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trainer works: it is started, or found at work after a restart of the server; what it writes is taken
 * over by and by, with the place up to which that was done in the same transaction; and it is ended when it
 * hangs, needs too much, or is not wanted any more.
 */
#include "base/check.h"
#include "base/json.h"
#include "learn/run_folder.h"
#include "learn/stages.h"
#include "learn/trainer.h"
#include "learn/trainer_events.h"
#include "learn/training_inside.h"
#include "os/clock.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define LOOK_US ((int64_t)100000)
#define USAGE_US ((int64_t)1000000)
#define GRACE_US ((int64_t)30 * 1000000)      /* from "save and leave" to the end */
#define GRACE_STOP_US ((int64_t)10 * 1000000) /* the same when the server itself stops */
#define PID_US ((int64_t)10 * 1000000)        /* from its start to its first act */
#define STARTS_MAX 4                          /* of one attempt, with what is resumed */
#define READ_BYTES ((size_t)256 << 10)        /* at once */
#define BATCH_LINES 200                       /* of the console, at once */
#define CONSOLE_LINES_MAX 20000
#define CONSOLE_LINE_BYTES 4000
#define POINTS_MAX 256

/* What one look at the trainer's files brings. */
struct news {
	struct training *t;
	struct arena arena;
	struct {
		double x; /* below 0: a value, not a point of a line */
		struct trainer_number number;
	} points[POINTS_MAX];
	size_t point_count;
	const char *lines[BATCH_LINES];
	size_t line_count;
	bool any;
};

struct watching {
	struct training *t;
	const struct trainer_ops *ops;
	int64_t heard_us, usage_us,
		asked_us; /* the last word, the last look, "save and leave"; mono, 0: never */
	int64_t cpu_before_us;
	const char *why_ended; /* by us: the sentence; NULL: it ends by itself */
};

/* ---- what it says ---- */

static const char *entry_of(struct news *n, int64_t line, const char *text)
{
	yyjson_mut_doc *doc = json_new(&n->arena);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_int(doc, root, "line_nb", line);
	yyjson_mut_obj_add_str(doc, root, "log", text);
	yyjson_mut_obj_add_str(doc, root, "part", "train");
	yyjson_mut_obj_add_bool(doc, root, "final", false);
	yyjson_mut_obj_add_bool(doc, root, "special", false);
	return (const char *)json_print(doc, &n->arena).data;
}

static void add_line(struct news *n, const char *text)
{
	int64_t line = n->t->row.lines;
	if (text == NULL || *text == '\0' || line >= CONSOLE_LINES_MAX || n->line_count == BATCH_LINES)
		return;
	if (strlen(text) > CONSOLE_LINE_BYTES)
		text = arena_printf(&n->arena, "%.*s …", CONSOLE_LINE_BYTES, text);
	if (line == CONSOLE_LINES_MAX - 1)
		text = "There is more in stderr.log of the run's folder; the console ends here.";
	n->lines[n->line_count++] = entry_of(n, line, text);
	n->t->row.lines++;
}

static void take_event(struct news *n, const struct trainer_event *e)
{
	struct training *t = n->t;
	struct trainings *all = t->all;
	if (e->progress >= 0)
		t->row.progress = e->progress;
	if (e->kind != TRAINER_SAID && (e->left_s >= 0 || e->kind == TRAINER_DONE)) {
		mutex_lock(&all->mutex);
		all->left_s = e->left_s;
		mutex_unlock(&all->mutex);
	}
	for (size_t i = 0; i < e->number_count && n->point_count < POINTS_MAX; i++) {
		n->points[n->point_count].x = e->kind == TRAINER_EPOCH ? (double)e->epoch : -1;
		n->points[n->point_count++].number = e->numbers[i];
	}
	if (e->kind == TRAINER_ERROR)
		t->row.error = arena_strdup(t->arena, e->text);
	if (e->kind == TRAINER_EPOCH || e->kind == TRAINER_STARTED || e->kind == TRAINER_DONE)
		t->row.message = arena_strdup(t->arena, e->text);
	add_line(n, e->text);
}

/* Whole lines of a file from *at on. */
static enum status follow(struct news *n, const char *name, bool final, int64_t *at, struct err *err)
{
	const char *path = arena_printf(&n->arena, "%s/%s", n->t->folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ST_OK : err_errno(err, "The file %s cannot be read", path);
	uint8_t *bytes = arena_alloc(&n->arena, READ_BYTES);
	ssize_t got = pread(fd, bytes, READ_BYTES, *at);
	close(fd);
	if (got < 0)
		return err_errno(err, "The file %s cannot be read", path);
	struct span rest = {bytes, (size_t)got}, line;
	bool full = (size_t)got == READ_BYTES;
	n->any |= got > 0;
	while (n->line_count < BATCH_LINES && n->point_count + TRAINER_NUMBERS_MAX <= POINTS_MAX &&
		trainer_next_line(&rest, (final && !full) || rest.size == READ_BYTES, &line)) {
		struct trainer_event event;
		trainer_event_read(line, &n->arena, &event);
		take_event(n, &event);
	}
	*at += got - (int64_t)rest.size;
	return ST_OK;
}

static enum status write_news(struct db_conn *c, void *arg, struct err *err)
{
	struct news *n = arg;
	int64_t first = n->t->row.lines - (int64_t)n->line_count;
	for (size_t i = 0; i < n->point_count; i++) {
		const struct trainer_number *number = &n->points[i].number;
		if (n->points[i].x >= 0)
			TRY(run_put_point(
				c, n->t, number->name, n->points[i].x, number->value, &n->arena, err));
		else
			TRY(run_put_log(c, n->t, number->name, "VALUE",
				arena_printf(&n->arena, "%.9g", number->value), &n->arena, err));
	}
	for (size_t i = 0; i < n->line_count; i++)
		TRY(experiment_rows_put_line(
			c, n->t->row.experiment_id, first + (int64_t)i, n->lines[i], err));
	return ST_OK;
}

static enum status read_news(struct news *n, bool final, struct err *err)
{
	const struct training_hooks *hooks = &n->t->options->hooks;
	struct training_row *row = &n->t->row;
	struct training_row before = *row;
	enum status st = follow(n, "progress.jsonl", final, &row->read_bytes, err);
	if (st == ST_OK)
		st = follow(n, "stderr.log", final, &row->log_bytes, err);
	bool moved = row->read_bytes != before.read_bytes || row->log_bytes != before.log_bytes;
	if (st == ST_OK && moved)
		st = training_write(n->t, write_news, n, err);
	if (st != ST_OK) { /* taken over again next time */
		row->read_bytes = before.read_bytes;
		row->log_bytes = before.log_bytes;
		row->lines = before.lines;
		return st;
	}
	n->any = moved;
	for (size_t i = 0; hooks->logged && i < n->line_count; i++)
		hooks->logged(hooks->arg, row, n->lines[i]);
	return ST_OK;
}

/* *any: it said something. final: it has ended, a last line without an end is one. */
static enum status take_news(struct training *t, bool final, bool *any, struct err *err)
{
	struct news *n = calloc(1, sizeof(*n));
	CHECK(n != NULL);
	n->t = t;
	arena_init(&n->arena);
	enum status st = read_news(n, final, err);
	*any = st == ST_OK && n->any;
	arena_release(&n->arena);
	free(n);
	return st;
}

static enum status take_all_news(struct training *t, struct err *err)
{
	bool any;
	do
		TRY(take_news(t, true, &any, err));
	while (any);
	return ST_OK;
}

/* ---- limits ---- */

static void ask_to_leave(struct watching *w, const char *why)
{
	if (w->asked_us == 0) {
		w->why_ended = why;
		w->asked_us = clock_mono_us();
	}
	trainer_stop(w->ops, w->t->folder, false);
}

/* Past its grace it is ended. */
static void see_whether_wanted(struct watching *w, const struct trainer_look *look)
{
	const struct trainings_options *o = w->t->options;
	int64_t now = clock_mono_us();
	bool stopping = atomic_load(&w->t->all->stopping);
	int64_t ran_s = (clock_unix_us() - w->t->row.started_us) / 1000000;
	if (w->asked_us) {
		if (now - w->asked_us > (stopping ? GRACE_STOP_US : GRACE_US))
			trainer_stop(w->ops, w->t->folder, true);
		return;
	}
	if (look->pid == 0 && now - w->heard_us < PID_US)
		return; /* it is so young that nobody could be told */
	if (training_leaving(w->t))
		ask_to_leave(w, NULL);
	else if (o->memory_bytes_max && look->memory_bytes > o->memory_bytes_max)
		ask_to_leave(
			w, arena_printf(w->t->arena,
				   "The trainer needed more than the %lld MB that it may have: a smaller "
				   "batch or smaller pictures need less, or set trainer_memory_mb.",
				   (long long)(o->memory_bytes_max >> 20)));
	else if (o->silence_s_max && now - w->heard_us > o->silence_s_max * 1000000)
		ask_to_leave(w, arena_printf(w->t->arena,
					"The trainer said nothing for %lld seconds: it hung, and was ended.",
					(long long)o->silence_s_max));
	else if (o->time_s_max && ran_s > o->time_s_max + o->time_s_max / 2 + 120)
		ask_to_leave(w, arena_printf(w->t->arena,
					"The trainer went on for %lld seconds, long past its limit of %lld.",
					(long long)ran_s, (long long)o->time_s_max));
}

static void keep_usage(struct watching *w, const struct trainer_look *look)
{
	struct training_row *row = &w->t->row;
	if (w->cpu_before_us + look->cpu_us > row->cpu_us)
		row->cpu_us = w->cpu_before_us + look->cpu_us;
	if (look->memory_bytes > row->memory_bytes)
		row->memory_bytes = look->memory_bytes;
	if (look->pid && look->pid_start) {
		row->pid = look->pid;
		row->pid_start = look->pid_start;
	}
}

/* ---- from its start to its end ---- */

static bool has_files(const char *folder)
{
	DIR *d = opendir(folder);
	bool any = false;
	struct dirent *entry;
	while (d && !any && (entry = readdir(d)))
		any = entry->d_name[0] != '.';
	if (d)
		closedir(d);
	return any;
}

/* GYRE_EPOCHS and the like, of what was given. */
static enum status environment(struct training *t, const char **out, struct err *err)
{
	static const char *const names[][2] = {{"GYRE_EPOCHS", "epochs"}, {"GYRE_LR", "learning_rate"},
		{"GYRE_BATCH", "batch"}, {"GYRE_SEED", "seed"}};
	struct span text;
	yyjson_doc *doc;
	size_t count = 0;
	TRY(file_read(
		arena_printf(t->arena, "%s/job.json", t->folder), (size_t)16 << 20, t->arena, &text, err));
	TRY(json_parse(text, t->arena, &doc, err));
	yyjson_val *hyper = yyjson_obj_get(yyjson_doc_get_root(doc), "hyper");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		yyjson_val *value = yyjson_obj_get(hyper, names[i][1]);
		if (!yyjson_is_num(value))
			continue;
		out[count++] = names[i][0];
		out[count++] = arena_printf(t->arena, "%.10g", yyjson_get_num(value));
	}
	out[count] = NULL;
	return ST_OK;
}

/* What an earlier attempt left is gone on with where that ended as it should; else it begins anew. */
static enum status start(struct watching *w, const struct trainer_look *look, struct err *err)
{
	struct training *t = w->t;
	const char *state = arena_printf(t->arena, "%s/state", t->folder), *variables[12];
	struct arena a;
	bool resume = look->exit_code == -1 || look->exit_code == TRAINER_TEMPORARY ||
		      look->exit_code == TRAINER_CANCELLED;
	const char *command = atomic_load(&t->all->command);
	if (command == NULL)
		return err_set(err, ST_UNAVAILABLE, "%s", trainings_no_trainer());
	if (!resume) {
		TRY(file_remove_folder(state, err));
		TRY(file_make_folders(state, err));
	}
	TRY(environment(t, variables, err));
	(void)unlink(arena_printf(t->arena, "%s/output/model.onnx", t->folder));
	arena_init(&a);
	enum status st = trainer_start(w->ops,
		&(struct trainer_order){.folder = t->folder,
			.command = command,
			.attempt = t->row.attempt,
			.threads = t->options->threads,
			.resume = resume && has_files(state),
			.environment = variables},
		err);
	arena_release(&a);
	w->cpu_before_us = t->row.cpu_us;
	w->heard_us = clock_mono_us();
	w->asked_us = 0;
	w->why_ended = NULL;
	return st;
}

/* Until it has ended. */
static enum status watch(struct watching *w, struct trainer_look *look, struct err *err)
{
	struct training *t = w->t;
	for (;;) {
		uint32_t heard = bell_count(&t->all->bell);
		bool any;
		trainer_look(w->ops, t->folder, t->row.attempt, look);
		if (!look->runs)
			return take_all_news(t, err);
		keep_usage(w, look);
		TRY(take_news(t, false, &any, err));
		if (any)
			w->heard_us = clock_mono_us();
		if (clock_mono_us() - w->usage_us > USAGE_US && !any) {
			w->usage_us = clock_mono_us();
			TRY(training_write(t, NULL, NULL, err));
		}
		see_whether_wanted(w, look);
		bell_wait(&t->all->bell, heard, clock_mono_us() + LOOK_US);
	}
}

/* The last words of its log. */
static const char *last_words(struct training *t)
{
	struct arena *a = t->arena;
	struct err err;
	struct span text, line, last = {0};
	int64_t size = file_size(arena_printf(a, "%s/stderr.log", t->folder));
	if (size <= 0 || size > (1 << 20) ||
		file_read(arena_printf(a, "%s/stderr.log", t->folder), 1 << 20, a, &text, &err) != ST_OK)
		return "";
	while (trainer_next_line(&text, true, &line))
		if (line.size > 0)
			last = line;
	struct trainer_event said;
	trainer_event_read(last, a, &said);
	return said.text && *said.text ? arena_printf(a, " Its last words: %.300s", said.text) : "";
}

static enum status failed(struct training *t, int code, struct err *err)
{
	static const struct {
		int code;
		const char *text;
	} reasons[] = {{TRAINER_BAD_JOB, "The trainer did not understand its job."},
		{TRAINER_NOT_TRAINABLE, "The trainer cannot train this model."},
		{TRAINER_BAD_DATA, "The trainer has no use for this dataset."},
		{TRAINER_DIVERGED, "The training diverged: try a smaller learning rate."},
		{TRAINER_NO_RESOURCES, "The trainer had too little memory or disk."},
		{TRAINER_TEMPORARY, "The trainer asked several times to be started again, and was."},
		{126, "The trainer cannot be run: see the setting `trainer`."},
		{127, "The trainer was not found: see the setting `trainer`."},
		{137, "The trainer was killed, most likely because the machine had no memory left."}};
	t->row.exit_code = code;
	if (t->row.error)
		return err_set(err, ST_FAILED, "%s", t->row.error);
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].code == code)
			return err_set(err, ST_FAILED, "%s%s", reasons[i].text, last_words(t));
	return err_set(err, ST_FAILED, "The trainer failed with exit code %d.%s", code, last_words(t));
}

static enum status succeeded(struct training *t, struct err *err)
{
	struct span text;
	yyjson_doc *doc;
	struct err unread;
	t->row.exit_code = 0;
	t->row.progress = 1;
	t->row.error = NULL;
	if (!file_exists(arena_printf(t->arena, "%s/output/model.onnx", t->folder)))
		return err_set(err, ST_FAILED,
			"The trainer said that it was done and left no output/model.onnx.%s", last_words(t));
	/* What others want to know of it; a trainer need not write it. */
	if (file_read(arena_printf(t->arena, "%s/output/report.json", t->folder), (size_t)4 << 20, t->arena,
		    &text, &unread) == ST_OK &&
		json_parse(text, t->arena, &doc, &unread) == ST_OK &&
		yyjson_is_obj(yyjson_doc_get_root(doc))) {
		yyjson_mut_doc *detail = json_new(t->arena);
		yyjson_mut_val *root = yyjson_val_mut_copy(detail, yyjson_doc_get_root(doc));
		yyjson_mut_obj_remove_key(root, "history"); /* it is in the logs */
		yyjson_mut_obj_remove_key(root, "passed");
		yyjson_mut_doc_set_root(detail, root);
		t->detail = (const char *)json_print(detail, t->arena).data;
	}
	return ST_OK;
}

enum status stage_train(struct training *t, struct err *err)
{
	struct watching w = {.t = t, .ops = &trainer_local, .heard_us = clock_mono_us()};
	struct trainer_look look;
	for (unsigned starts = 0;;) {
		trainer_look(w.ops, t->folder, t->row.attempt, &look);
		if (look.runs) {
			enum status st = watch(&w, &look, err);
			if (st != ST_OK) { /* the experiment is gone, or the disk is full: nobody hears it */
				trainer_stop(w.ops, t->folder, true);
				return st;
			}
			if (training_leaving(t))
				return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
			if (w.why_ended) {
				t->row.exit_code = look.exit_code;
				return err_set(err, ST_FAILED, "%s", w.why_ended);
			}
		} else {
			TRY(take_all_news(t, err));
		}
		bool again = !look.ended_now || look.exit_code == TRAINER_TEMPORARY ||
			     look.exit_code == TRAINER_CANCELLED;
		if (!again)
			return look.exit_code == 0 ? succeeded(t, err) : failed(t, look.exit_code, err);
		if (training_leaving(t))
			return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
		if (starts++ == STARTS_MAX)
			return failed(t, look.ended_now ? look.exit_code : -1, err);
		TRY(start(&w, &look, err));
	}
}
