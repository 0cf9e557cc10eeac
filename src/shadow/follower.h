/* SPDX-License-Identifier: Apache-2.0 */
/* Inside shadow/ only: the thread of one shadow, from its place in the log to the log's end and on. */
#ifndef GYRE_SHADOW_FOLLOWER_H
#define GYRE_SHADOW_FOLLOWER_H

#include "base/budget.h"
#include "deploy/model.h"
#include "os/bell.h"
#include "os/thread.h"
#include "shadow/outcomes.h"
#include "shadow/shadows.h"

struct follower {
	_Atomic int holds; /* the list of all, and who asks */
	/* Fixed. */
	struct shadow_row row; /* as it was at the start */
	const struct shadows_options *options;
	struct budget *pixel_budget;
	struct bell *recorded; /* predictions of its deployment, and of some others */
	struct follower *next; /* guarded by the list's lock */
	thread_handle thread;

	struct bell poked; /* to look at `stopping` and at the deployment again */
	_Atomic bool stopping, ended;

	pthread_mutex_t lock; /* guards what others look at: */
	pthread_cond_t changed;
	enum shadow_state state;
	char text[480];
	struct model *model; /* NULL until it is opened */

	/* Of its own thread. */
	int64_t reached, stored; /* positions: up to which it has worked, and up to which that is durable */
	struct outcomes outcomes;
	struct arena arena; /* of the outcomes */
	int64_t oldest_us;  /* when the first of the outcomes came */
	int64_t told_us;
	unsigned failures; /* images in a row that made the model fail */
	int64_t retry_us;
};

/* Starts the thread. */
struct follower *follower_start(const struct shadow_row *row, const struct shadows_options *options,
	struct budget *pixel_budget, struct bell *recorded);
void follower_stop(struct follower *f); /* asks; does not wait */
void follower_poke(struct follower *f); /* look again */
bool follower_ended(const struct follower *f);
void follower_join(struct follower *f);
struct follower *follower_hold(struct follower *f);
void follower_drop(struct follower *f); /* the last one frees it, joined */

void follower_state(struct follower *f, enum shadow_state *state, char text[480]);
/* Its model, held for the caller; ST_UNAVAILABLE: it is held, ends, or is not open by deadline_us. */
enum status follower_model(
	struct follower *f, int64_t deadline_us, struct model **out, struct err *err) MUST_CHECK;

#endif
