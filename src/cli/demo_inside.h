/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside `gyre demo` only. It is a client like any other: all it does, it does through the API, as a person
 * would. What it made and how far it is stands in <data>/demo/demo.json, which the server shows on its pages
 * (GET /api/demo).
 */
#ifndef GYRE_CLI_DEMO_INSIDE_H
#define GYRE_CLI_DEMO_INSIDE_H

#include "base/uuid.h"
#include "cli/demo_camera.h"
#include "cli/where.h"

#include <signal.h>

#define DEMO_TIMES_MAX 4096
#define DEMO_LINK_SIZE 160

/* How much of everything; --quick takes less. */
struct demo_size {
	int labelled, held_out;         /* pictures of the dataset: to train on, to measure with */
	int belt;                       /* pictures by day … */
	int training_data;              /* … the first of them are what is normal */
	int epochs_first, epochs_again; /* of the two trainings */
	int reviews;                    /* that start a training */
	int invited;                    /* of them a person may do */
	double pictures_per_s;          /* while one looks */
	int per_round; /* pictures that the shadow sees between two looks at it; half as many reviews */
	int dark_max;  /* pictures until drift must be told */
	unsigned train_s, verdict_s; /* longest waits */
};

/* What demo.json keeps; ids are texts, "" where there is none yet. */
struct demo_state {
	int64_t step, started_us, sent, lamp_at,
		epoch; /* lamp_at: number of the first dark picture; 0: it shines */
	int64_t seed;
	bool finished;
	char dataset[UUID_TEXT_SIZE], dataset_version[UUID_TEXT_SIZE], training[UUID_TEXT_SIZE],
		model[UUID_TEXT_SIZE], first[UUID_TEXT_SIZE], second[UUID_TEXT_SIZE], project[UUID_TEXT_SIZE],
		deployment[UUID_TEXT_SIZE], retraining[UUID_TEXT_SIZE], robot[UUID_TEXT_SIZE];
};

struct demo {
	struct client client;
	struct arena arena;      /* of what outlives a call */
	const char *me, *robot;  /* tokens */
	const char *path;        /* of demo.json */
	const char *server_file; /* holds the server's process id: it may be killed; NULL: it may not */
	const char *setup_file;  /* what the set-up of the trainer last said; NULL */
	struct demo_size size;
	struct demo_state state;
	bool json, leaves, terminal;
	char link[DEMO_LINK_SIZE], setup_line[256];
	int64_t step_us, written_us, shown_us;
	float times[DEMO_TIMES_MAX]; /* of answers, in milliseconds, since demo_times_begin() */
	size_t time_count;
	int64_t answered, failed; /* pictures of this run */
	double p99_before;
};

/* Set by a signal: everything ends with a sentence. */
extern volatile sig_atomic_t demo_stopped;

/* ---- demo_state.c ---- */
enum status demo_state_read(struct demo *d, struct err *err) MUST_CHECK;
enum status demo_state_write(struct demo *d, struct err *err) MUST_CHECK;
enum status demo_state_forget(struct demo *d, struct err *err) MUST_CHECK;
size_t demo_step_count(void);
const char *demo_step_name(size_t step);
const char *demo_step_title(size_t step);
const char *demo_step_text(size_t step);

/* ---- demo_say.c: what is told, in the terminal or a line of JSON each ---- */
void demo_step_begins(struct demo *d, size_t step);
/* fields: members of a JSON object, "\"a\":1"; NULL: none. sentence NULL: only an event. */
void demo_tell(struct demo *d, const char *event, const char *fields, const char *sentence, ...)
	PRINTF_LIKE(4, 5);
void demo_progress(struct demo *d, const char *what, double share);
void demo_clock(const struct demo *d, char out[16]); /* "4:07" since the page was up */

/* ---- demo_call.c ---- */
/* body: JSON, or NULL. The answer lives until demo_forget(). */
enum status demo_call(struct demo *d, const char *method, const char *body, yyjson_val **out, struct err *err,
	const char *path, ...) MUST_CHECK PRINTF_LIKE(6, 7);
void demo_forget(struct demo *d);
const char *demo_text(yyjson_val *value, const char *pointer); /* "" where there is none */
int64_t demo_int(yyjson_val *value, const char *pointer);
double demo_real(yyjson_val *value, const char *pointer);
enum status demo_keep_id(
	yyjson_val *value, const char *pointer, char out[UUID_TEXT_SIZE], struct err *err) MUST_CHECK;
void demo_open_page(struct demo *d, const char *path, ...) PRINTF_LIKE(2, 3); /* the strip's link */
enum status demo_check_stop(struct err *err) MUST_CHECK;
/* Looks every half second; meanwhile the belt runs at this rate (0: it stands). ST_TIMEOUT with what is
 * waited for. */
typedef enum status demo_look(struct demo *d, bool *done, struct err *err);
enum status demo_wait(struct demo *d, demo_look *look, double pictures_per_s, unsigned timeout_s,
	const char *what, struct err *err) MUST_CHECK;

/* ---- demo_belt.c ---- */
enum status demo_import(struct demo *d, int first, int count, struct err *err) MUST_CHECK;
enum status demo_picture(struct demo *d, struct err *err) MUST_CHECK; /* the next one of the belt */
enum status demo_pictures(
	struct demo *d, int count, double per_s, const char *what, struct err *err) MUST_CHECK;
void demo_times_begin(struct demo *d);
double demo_times_p99(struct demo *d);
/* As the robot: reviews up to count pictures of a queue ("" or "disagreements&version=…"); *done: how many.
 */
enum status demo_review(struct demo *d, const char *queue, int count, int *done, struct err *err) MUST_CHECK;

/* ---- the steps ---- */
typedef enum status demo_step(struct demo *d, struct err *err);
#define STEP(name, title, text) demo_step demo_step_##name;
#include "cli/demo_steps.def"
#undef STEP

enum status demo_remove(struct demo *d, struct err *err) MUST_CHECK;

#endif
