/* SPDX-License-Identifier: Apache-2.0 */
/* Another number of classes: the last layers of a graph are made anew for other labels, and what the old ones
 * had learnt is kept. */
#ifndef GYRE_TRAINER_HEAD_H
#define GYRE_TRAINER_HEAD_H

#include "trainer/graph_file.h"
#include "trainer/job.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The file's bytes with a head for job->labels instead of job->base_labels: weights of a label that both have
 * (by name) are copied, those of new ones start anew from job->seed. *recipe->class_count follows. The caller
 * frees *out. False with a sentence: it cannot be done with this graph, or a label of the base is lost.
 */
bool head_resize(const void *bytes, size_t size, const struct job *job, struct recipe *recipe, void **out,
	size_t *out_size, char error[GRAPH_ERROR_SIZE]);

#ifdef __cplusplus
}
#endif

#endif
