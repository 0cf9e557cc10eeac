/* SPDX-License-Identifier: Apache-2.0 */
/* An image is before one person at a time: taken from the queue for five minutes, renewed while it is open.
 */
#ifndef GYRE_LEARN_LEASE_H
#define GYRE_LEARN_LEASE_H

#include "learn/choose.h"
#include "store/blob.h"

#define LEASE_US (5 * 60 * 1000000LL)
#define LEASE_COUNT_MAX 16 /* a call */
#define LEASE_HELD_MAX 64

/* The disagreements of a shadow and a champion that were drawn, instead of what the queue chose. */
struct lease_sample {
	struct uuid shadow_id, champion_id;
};
struct lease_request {
	struct uuid deployment_id;
	const char *client; /* of the browser's tab */
	struct uuid user_id;
	const char *who;
	size_t count;
	const struct uuid *held; /* that the client still has open: renewed; what else it had is given back */
	size_t held_count;
	const struct uuid *wanted; /* taken first, chosen or not */
	size_t wanted_count;
	const struct lease_sample *sample; /* NULL: the queue */
	int64_t now_us;
};
struct lease_result {
	struct uuid *taken; /* newly, count at most; arena memory */
	size_t taken_count;
	struct uuid *lost; /* of those held: somebody else has them, or they are reviewed */
	size_t lost_count;
};

/*
 * Draws a batch when few images are left; what is taken is in its burst before anyone looks at it (blobs
 * NULL: that is not seen to). taken_count below count: there are no more for now. Leases of a client whose
 * answer was lost are taken again by its next call.
 */
enum status lease_take(struct db_readers *readers, struct recorder *recorder, struct blob *blobs,
	const struct lease_request *request, struct arena *a, struct lease_result *out,
	struct err *err) MUST_CHECK;

#endif
