/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tail does with the champions' predictions of deployments that have a reference: an outlier score
 * for each, and the detectors. One batch of the log at a time: refresh, add each, fire, store; when the batch
 * could not be stored, forget, and the next refresh reads the states that are stored. One thread's.
 */
#ifndef GYRE_WATCH_OBSERVER_H
#define GYRE_WATCH_OBSERVER_H

#include "store/recorder.h"
#include "watch/detectors.h"

struct observer;
struct observer *observer_new(void);
void observer_free(struct observer *o); /* NULL is fine */
/*
 * References that are new or were taken away since, thresholds that changed; c: gyre.db, watch: watch.db. The
 * batch is best read from the same snapshot of gyre.db. Cheap when nothing did. A new reference's detectors
 * begin after its position, those of another threshold where the stored ones ended.
 */
enum status observer_refresh(
	struct observer *o, struct db_conn *c, struct db_conn *watch, struct err *err) MUST_CHECK;
void observer_add(
	struct observer *o, const struct seen *seen); /* shadows and other versions are passed over */
/* Alarms of the batch become events (alerts_fire), at most once each whatever crashes; drift that is over
 * ends its events. *fired: any opened or closed. */
enum status observer_fire(
	struct observer *o, struct recorder *recorder, bool *fired, struct err *err) MUST_CHECK;
/* Outlier rows and states; inside the transaction of watch.db that moves the position. */
enum status observer_store(
	struct observer *o, struct db_conn *watch, int64_t position, struct err *err) MUST_CHECK;
void observer_forget(struct observer *o);

/* For pages: the detectors as they are stored; *out NULL: none for this reference and threshold yet. */
enum status observer_detectors(
	struct db_conn *watch, struct reference *r, struct detectors **out, struct err *err) MUST_CHECK;

/* What an alarm says: a sentence, and JSON. In the arena. */
const char *observer_sentence(
	const struct detectors_alarm *alarm, const struct reference *r, double factor, struct arena *a);

#endif
