/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bursts: pictures of one scene, which are all trained with or all measured with. A picture is put into its
 * burst once, for good, after it was predicted on and before anyone looks at it; the rule is in
 * docs/internals/bursts.md. A burst has the id of its first picture.
 */
#ifndef GYRE_LEARN_BURST_H
#define GYRE_LEARN_BURST_H

#include "store/blob.h"
#include "store/recorder.h"

#define BURST_AT_ONCE 8 /* a person who is given a picture may wait for as many */

struct burst_store {
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs; /* for pictures whose looks were not kept */
};

/*
 * Puts pictures of a deployment into bursts: those with these ids that are in none, or with ids NULL the
 * BURST_AT_ONCE oldest that are in none. *count_out: how many. Callers take turns. Compares outside of the
 * writer, which gets a short transaction: not from a job of the recorder.
 */
enum status burst_assign(const struct burst_store *store, struct uuid deployment_id, const struct uuid *ids,
	size_t count, size_t *count_out, struct err *err) MUST_CHECK;

/* Whether a burst is kept to measure with: by its id alone, for a share 0…1 of all bursts. */
bool burst_is_evaluation(struct uuid burst_id, double share);

#endif
