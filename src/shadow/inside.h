/* SPDX-License-Identifier: Apache-2.0 */
/* Inside shadow/ only: all followers. */
#ifndef GYRE_SHADOW_INSIDE_H
#define GYRE_SHADOW_INSIDE_H

#include "shadow/follower.h"
#include "shadow/shadows.h"

#define SHADOWS_BELLS 64

struct shadows {
	struct shadows_options
		options; /* `changed` is our own, which asks whether the caller's may be called */
	struct budget pixel_budget;
	/* A deployment's predictions ring one of these, by its id: followers of others that share it look
	 * once in vain. */
	struct bell bells[SHADOWS_BELLS];
	_Atomic unsigned asking;     /* clients that wait for an answer */
	pthread_mutex_t change_lock; /* one refresh at a time, so that the later commit wins */
	bool stopped;                /* guarded by change_lock */
	pthread_mutex_t tell_lock;   /* held while the caller is told */
	shadows_changed *changed;    /* guarded by tell_lock; NULL: nobody is to be told any more */
	void *changed_arg;
	pthread_mutex_t lock; /* guards the list */
	struct follower *followers;
};

/* Held for the caller; NULL when nobody follows under this id. */
struct follower *shadows_find(struct shadows *s, struct uuid shadow_id);

#endif
