/* SPDX-License-Identifier: Apache-2.0 */
/* What a run says while it runs: JSON lines on standard output, as the trainer's contract has them. */
#ifndef GYRE_TRAINER_EVENTS_H
#define GYRE_TRAINER_EVENTS_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A name and what it measures; NaN and infinities are printed as null. */
struct named_number {
	const char *name;
	double value;
};

struct event_start {
	int64_t weights, trainable;
	size_t train_images, val_images;
	uint32_t epochs, width, height, batch;
	const char *metric;
	double metric_start; /* NaN: there is none */
};

struct event_epoch {
	uint32_t epoch, epochs;
	double loss, learning_rate, seconds, left_s;
	const struct named_number *losses, *metrics;
	size_t loss_count, metric_count;
	bool best;
};

struct event_done {
	uint32_t best_epoch; /* 0: the model that was given */
	uint32_t epochs_run;
	const struct named_number *metrics;
	size_t metric_count;
	double metric_start, seconds;
	const char *stopped; /* "epochs", "patience", "time" */
};

void event_start_say(const struct event_start *e);
/* progress 0…1 of the whole run; left_s below 0: not known yet. At most one a second gets through. */
void event_step(uint32_t epoch, double progress, double left_s);
void event_epoch_say(
	const struct event_epoch *e, struct str *line); /* the line also goes there, without its end */
void event_checkpoint(uint32_t epoch);
void event_done_say(const struct event_done *e);
void event_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void event_error(int code, const char *sentence);

/* report.json: history is the epochs' lines with commas between. */
void report_print(const struct event_done *e, const char *history, const char *const *labels,
	size_t label_count, struct str *out);

double clock_seconds(void);    /* that only goes forward */
double memory_megabytes(void); /* resident */

#ifdef __cplusplus
}
#endif

#endif
