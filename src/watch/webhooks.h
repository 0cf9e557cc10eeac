/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling others of alerts: one thread that sends what is due by its row, signed, and again when it did not
 * arrive. A row is written with the event that it is about and is done when an answer below 300 came, so what
 * is to be told is told at least once, whatever crashes; its id is the same each time.
 *
 * The address that is connected to must be public (os/address.h), unless the setting webhook_allow names the
 * host. docs/alerts.md has what receivers need to know.
 */
#ifndef GYRE_WATCH_WEBHOOKS_H
#define GYRE_WATCH_WEBHOOKS_H

#include "store/recorder.h"
#include "store/webhook_rows.h"

#define WEBHOOK_TIMEOUT_S 10
#define WEBHOOK_SECRET_SIZE 50    /* "whsec_", 43 characters, the NUL */
#define WEBHOOK_SIGNATURE_SIZE 96 /* "t=<unix>,v1=<64 hex digits>" and the NUL */

void webhook_secret(char out[WEBHOOK_SECRET_SIZE]); /* a new one */
/* HMAC-SHA-256 under the secret's text of "<unix time in seconds>.<body>". */
void webhook_sign(const char *secret, int64_t unix_s, struct span body, char out[WEBHOOK_SIGNATURE_SIZE]);
/* Microseconds until the next attempt after this many failed ones (from 1); -1: it is given up. */
int64_t webhook_retry_us(int64_t attempts);

struct webhooks_options {
	struct db_readers *readers;
	struct recorder *recorder;
	const char *public_url; /* of this server, for links; read when something is sent */
	const char *allowed;    /* the setting webhook_allow */
};

struct webhooks;
struct webhooks *webhooks_new(const struct webhooks_options *options); /* does not start it */
void webhooks_start(struct webhooks *w);
void webhooks_stop(
	struct webhooks *w); /* what is under way is given up within a second, and sent again later */
void webhooks_free(struct webhooks *w); /* stops first; NULL is fine */
void webhooks_poke(struct webhooks *w); /* there may be something to send; it looks every second too */

/* Sends a test, once, and waits for it: *d as it is stored. ST_MISSING. */
enum status webhooks_test(struct webhooks *w, struct uuid webhook_id, struct arena *a,
	struct webhook_delivery_row *d, struct err *err) MUST_CHECK;

#endif
