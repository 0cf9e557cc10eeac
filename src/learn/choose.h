/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which images people are asked about, and with which chance: batches of independent draws.
 * docs/internals/queue.md; Horvitz and Thompson 1952, Poisson sampling: Särndal, Swensson, Wretman 1992, 3.5.
 */
#ifndef GYRE_LEARN_CHOOSE_H
#define GYRE_LEARN_CHOOSE_H

#include "store/db.h"
#include "store/queue_rows.h"
#include "store/recorder.h"
#include "task/shape.h"

/* ---- arithmetic, without a database ---- */

/* Mean binary entropy of the ten least certain answers, 0…1; 0 without any. */
double choose_unsure(const struct shapes *shapes);

/* How images look: brightness, contrast, blur; kept as they come (Welford 1962). */
#define CHOOSE_STATS 3
struct choose_stats {
	struct {
		double count, mean, squares; /* squares: the sum of squared differences from the mean */
	} of[CHOOSE_STATS];
};
void choose_stats_add(struct choose_stats *s, const double values[CHOOSE_STATS]);
/* How far an image is from the others: its largest |z|, 0 … 1 at six standard deviations. Fewer than 30
 * others say nothing: 0. */
double choose_outlier(const struct choose_stats *s, const double values[CHOOSE_STATS]);

/* The weight q of an image in a batch of that order: above 0, at most 1. */
double choose_weight(const char *queue_order, const struct queue_image *image, int64_t batch_at_us);
/* min(1, B ((1 - e) q / Σq + e / N)); 1 when the batch asks for as many as there are. */
double choose_chance(const struct queue_batch *batch, double weight);
/* The part of it that is the same for all images. */
double choose_random_chance(const struct queue_batch *batch);
/* A number in [0, 1) that is the same for the same image and salt, and independent for others. */
double choose_hash(struct uuid id, uint64_t salt);

/*
 * The chance that an image was chosen by now: 1 - Π(1 - π) over the deployment's batches (oldest first) from
 * the image's first on. Batches after the one that chose it count as if it had waited: they add its weight to
 * theirs.
 */
double choose_chance_now(const struct queue_batch *batches, size_t count, const struct queue_image *image);

/* ---- for estimators: quality of a deployment from its reviews ---- */

struct review_chances {
	struct queue_batch *batches;
	size_t count;
};
enum status review_chances_read(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct review_chances *out, struct err *err) MUST_CHECK;
/* As of these batches. *chance 0: the queue did not choose it. */
enum status review_chance(struct db_conn *c, const struct review_chances *chances,
	struct uuid predicted_asset_id, double *chance, struct err *err) MUST_CHECK;

/* ---- choosing ---- */

#define CHOOSE_BUDGET 50 /* images a batch */

/* Reads what the log has beyond the digest: uncertainty, labels, bursts. In jobs of 200 answers. */
enum status choose_digest(struct db_readers *readers, struct recorder *recorder, struct uuid deployment_id,
	struct err *err) MUST_CHECK;
/* Draws a batch from those that wait; *chosen may be 0. *pool 0: nobody waits. */
enum status choose_batch(struct db_readers *readers, struct recorder *recorder, struct uuid deployment_id,
	int64_t now_us, size_t *chosen, size_t *pool, struct err *err) MUST_CHECK;

#endif
