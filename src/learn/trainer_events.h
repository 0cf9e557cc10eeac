/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trainer says, line by line (docs/trainers.md): a JSON object is an event, anything else is for the
 * console. Hostile as any bytes from outside: what is no event by the contract is a line of the console.
 */
#ifndef GYRE_LEARN_TRAINER_EVENTS_H
#define GYRE_LEARN_TRAINER_EVENTS_H

#include "base/arena.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAINER_LINE_MAX ((size_t)64 << 10) /* bytes; a longer one is cut */
#define TRAINER_NAME_MAX 60                 /* bytes of a metric's name */
#define TRAINER_NUMBERS_MAX 16              /* of an event */

enum trainer_event_kind {
	TRAINER_SAID, /* a line of the console */
	TRAINER_STARTED,
	TRAINER_STEP,
	TRAINER_EPOCH,
	TRAINER_CHECKPOINT,
	TRAINER_WARNING,
	TRAINER_DONE,
	TRAINER_ERROR
};

struct trainer_number {
	const char *name; /* of a log: "train/loss", "val/AP50", "learning_rate" */
	double value;
};

struct trainer_event {
	enum trainer_event_kind kind;
	const char *text;      /* SAID, WARNING, ERROR: what to show; others: a line about it, or NULL */
	int64_t epoch, epochs; /* 0: not said */
	double progress;       /* 0…1; below 0: not said */
	double left_s;         /* below 0: not said */
	struct trainer_number numbers[TRAINER_NUMBERS_MAX]; /* EPOCH; STARTED: "val/AP50/start" */
	size_t number_count;
};

/* Texts in the arena: UTF-8 without control characters. */
void trainer_event_read(struct span line, struct arena *a, struct trainer_event *out);

/*
 * The next line of a text, without its end; rest moves behind it. False: there is none, or it goes on beyond
 * the text (final: then it is a line all the same).
 */
bool trainer_next_line(struct span *rest, bool final, struct span *line);

#endif
