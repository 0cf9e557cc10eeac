/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roster: which models answer now.
 *
 * The database is the truth; the roster is what is loaded. A change is: load the
 * model (roster_model), commit the deployment's row, roster_serve() - which
 * reads the row again under the roster's lock, so that of two changes at once the
 * later commit wins. A request pins a service: immutable and counted, so a swap
 * never touches a request that is under way.
 */
#ifndef GYRE_DEPLOY_ROSTER_H
#define GYRE_DEPLOY_ROSTER_H

#include "deploy/model.h"
#include "deploy/tally.h"
#include "store/db.h"
#include "store/deployment_rows.h"

struct roster;

enum service_state { SERVICE_LOADING, SERVICE_SERVING, SERVICE_PAUSED, SERVICE_HELD, SERVICE_EXTERNAL };
const char *service_state_name(enum service_state s); /* "LOADING" … */

/* A deployment as it is served now. */
struct service {
	_Atomic int holds;
	struct deployment_row row;
	enum task task;
	enum service_state state;
	char state_text[480]; /* HELD: why; "" otherwise */
	struct model *model; /* NULL while LOADING, HELD or EXTERNAL; in a swap the champion before, until the
				next is handed in */
	struct tally *tally; /* of the deployment: outlives its services */
	struct roster_entry *entry;
	struct arena arena;
};

struct roster *roster_new(struct db_readers *readers, struct blob *blobs);
/* Drops all models; those that still wait to be loaded are not. Nothing may be pinned any more. */
void roster_free(struct roster *r);

/* All deployments of the database; their models are loaded one after another by a thread of the roster's own.
 */
enum status roster_load_all(struct roster *r, struct err *err) MUST_CHECK;

/* The version, loaded: shared when some deployment has it already, opened otherwise (up to the load
 * time-out). Held for the caller. */
enum status roster_model(
	struct roster *r, struct uuid version_id, struct model **out, struct err *err) MUST_CHECK;

/* Serve what the deployment's row says now. model: its new champion, held by the caller, or NULL when that
 * did not change. */
enum status roster_serve(
	struct roster *r, struct uuid deployment_id, struct model *model, struct err *err) MUST_CHECK;
/* After the row was deleted. */
void roster_remove(struct roster *r, struct uuid deployment_id);

/* The service of a deployment whatever its state, held; ST_MISSING. */
enum status roster_pin(
	struct roster *r, struct uuid deployment_id, struct service **out, struct err *err) MUST_CHECK;
void service_drop(struct service *s);
/* ST_OK when it answers now; ST_UNAVAILABLE saying who paused it and since when, that it is loading, or why
 * it is held. */
enum status service_ready(const struct service *s, struct err *err) MUST_CHECK;

#endif
