/* SPDX-License-Identifier: Apache-2.0 */
/* Inside watch/ only: the tail's state. */
#ifndef GYRE_WATCH_WATCH_INSIDE_H
#define GYRE_WATCH_WATCH_INSIDE_H

#include "os/bell.h"
#include "os/thread.h"
#include "watch/failures.h"
#include "watch/observer.h"
#include "watch/seen.h"
#include "watch/watch.h"

struct watch {
	struct watch_options options;
	struct db *db;
	struct recorder *recorder;
	struct db_readers *readers;
	struct failures *failures;
	struct observer *observer;
	_Atomic int64_t position;
	_Atomic unsigned
		names; /* counts changes of sources' names: rows that were read before are read again */
	struct bell recorded, poked; /* poked: to stop */
	_Atomic bool stopping;
	_Atomic bool on; /* watch_start() was called */
	bool running;    /* the thread */
	thread_handle thread;

	pthread_mutex_t forgotten_lock;
	struct uuid *forgotten; /* deployments that are gone, so that no batch read before brings them back */
	size_t forgotten_count, forgotten_room;

	/* Of the tail's thread: */
	bool failing; /* the last batch was not counted, and that was said */
	int64_t stored_us, told_us, looked_us, failures_us; /* clock_mono_us */
	int64_t lag;
	struct uuid *changed; /* counted, and not told yet */
	size_t changed_count, changed_room;
};

/* The tail's thread. */
void tail_run(void *watch);

/* Into w->position, from the file. */
enum status watch_read_position(struct watch *w, struct err *err) MUST_CHECK;
/* Before the tail starts: names of sources are those that there are, or all is counted anew. */
enum status watch_check_sources(struct watch *w, struct err *err) MUST_CHECK;
bool watch_has_forgotten(struct watch *w, struct uuid deployment_id);

/* Rows of the log, unpacked: at most so many, up to that position, and not many megabytes. What cannot be
 * unpacked is not among them, and is said once in the log; *to: the last position that was read. */
struct watch_rows {
	struct seen *items;
	size_t count;
	bool more;  /* there may be */
	int64_t to; /* 0: none was read */
	struct uuid to_id;
};
enum status watch_rows_read(struct db_conn *log, struct uuid deployment_id, int64_t after, int64_t until,
	struct arena *a, struct watch_rows *out, struct err *err) MUST_CHECK;

#endif
