/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a detector's boxes is to learn which true object: decided anew for every picture and step, from
 * what the boxes say at that moment. Two ways, each as its paper has it but for what is said below.
 */
#ifndef GYRE_TRAINER_ASSIGN_H
#define GYRE_TRAINER_ASSIGN_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/arena.h"
#include "vision/box.h"

#include <stddef.h>
#include <stdint.h>

/* Where in the picture a box of the output belongs. */
struct assign_place {
	float x, y, stride; /* centre of its cell, and the cell's side, pixels */
};

struct assign_truth {
	struct box box; /* pixels */
	int32_t label;
};

/* What is known of one picture. */
struct assign_input {
	const struct assign_place *places;
	const struct box *boxes; /* as predicted */
	const float *scores;     /* place_count rows of class_count, 0…1 */
	const float *objectness; /* place_count, 0…1; assign_sim_ota alone */
	size_t place_count, class_count;
	const struct assign_truth *truths;
	size_t truth_count;
};

/* Of each place. */
struct assign_output {
	int32_t *truth; /* which one it learns; -1: none */
	float *target;  /* what its score for that label should be, 0…1; 0 where there is none */
};

#define ASSIGN_TAL_TOP 10
#define ASSIGN_TAL_SIDE_MIN 8.0F
#define ASSIGN_OTA_TOP 10

/*
 * Task-aligned (Feng et al. 2021, TOOD): of the places inside an object those ASSIGN_TAL_TOP of the highest
 * score^0.5 · IoU^6; a place that several want learns the one it overlaps most. The target is that measure,
 * scaled so that an object's best place has its highest IoU. An object is at least ASSIGN_TAL_SIDE_MIN pixels
 * a side here, so that a place is in it. Ties go to the place or object that comes first.
 */
void assign_task_aligned(const struct assign_input *in, struct arena *a, struct assign_output *out);

/*
 * SimOTA (Ge et al. 2021, YOLOX): places in an object or within `radius` strides of its centre compete by
 * cross entropy of sqrt(score · objectness) + 3 · -log IoU, those in both first; as many are taken as the ten
 * highest IoUs make together, at least one; a place that several want learns the cheapest. The target is the
 * IoU.
 */
void assign_sim_ota(const struct assign_input *in, float radius, struct arena *a, struct assign_output *out);

#ifdef __cplusplus
}
#endif

#endif
