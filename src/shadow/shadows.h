/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadows: model versions that follow a deployment's log and predict again, each at its own pace, what its
 * champion predicted (docs/internals/shadow.md).
 *
 * The database is the truth: rows of deployment_shadow. For each there is a follower, a thread with a model
 * of its own in a process that stands back for others. A change is: commit the rows, then shadows_refresh().
 */
#ifndef GYRE_SHADOW_SHADOWS_H
#define GYRE_SHADOW_SHADOWS_H

#include "base/arena.h"
#include "base/uuid.h"
#include "store/blob.h"
#include "store/prediction_rows.h"
#include "store/recorder.h"

/* Told that something of a deployment's shadows changed: for live pages. On a follower's thread, at most once
 * a second for each but for changes of its state. */
typedef void shadows_changed(void *arg, struct uuid deployment_id);

struct shadows_options {
	struct db_readers *readers; /* of its own: requests do not wait for shadows */
	struct recorder *recorder;
	struct blob *blobs;
	uint64_t pixel_bytes_max; /* decoded pixels at once, all shadows together */
	int64_t seat_timeout_us;  /* how long who asks waits for the model */
	int64_t retry_us;         /* from being held to the next try; doubles up to 16 times that. 0: 30 s */
	shadows_changed *changed; /* or NULL */
	void *changed_arg;
};

struct shadows;
struct shadows *shadows_new(const struct shadows_options *options);
/* All shadows of the database start to follow. */
enum status shadows_load_all(struct shadows *s, struct err *err) MUST_CHECK;
/* Asks all followers to end and starts no more; `changed` is not called any more. Does not wait for them. */
void shadows_stop(struct shadows *s);
/* Followers finish the image at hand and store what they have. Nobody may call any more. */
void shadows_free(struct shadows *s);

/* The deployment's rows changed, or its pause: followers start, end, look again. Does not wait for them. */
enum status shadows_refresh(struct shadows *s, struct uuid deployment_id, struct err *err) MUST_CHECK;
/* A champion's prediction became durable: wakes who follows. Takes no lock. */
void shadows_recorded(struct shadows *s, struct uuid deployment_id);

enum shadow_state {
	SHADOW_FOLLOWING,
	SHADOW_PAUSED, /* with its deployment */
	SHADOW_HELD,   /* its model cannot be opened, or fails again and again; it is tried now and then */
};
const char *shadow_state_name(enum shadow_state state);
/* Of the following with this id. The text is "" or a sentence: why it is held, or what it waits for. */
void shadows_state(struct shadows *s, struct uuid shadow_id, enum shadow_state *state, char text[480]);

/* A shadow's prediction that a client asks for (the SDK's predict_shadow). */
struct shadows_question {
	struct uuid deployment_id;
	struct uuid prediction_id; /* the champion's */
	bool keep;                 /* store it; false: answer only */
	struct arena *arena;       /* the answer's texts and bytes */
};
/*
 * The newest shadow's prediction on that image: made now, or found where its follower was quicker.
 * ST_MISSING: no shadow, no such prediction; ST_CONFLICT: it was asked for before (keep only);
 * ST_UNAVAILABLE: held, or too many ask; the model's errors as they are. *out: the image, with the shadow's
 * prediction in place of the champion's.
 */
enum status shadows_ask(struct shadows *s, const struct shadows_question *question, struct predicted_row *out,
	struct err *err) MUST_CHECK;

#endif
