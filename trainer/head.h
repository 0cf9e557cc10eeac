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

/* The node that makes a value; NULL: none does. */
const struct graph_node *head_maker(const struct graph_file *g, const char *value);
/* Where the boxes of an output are means of distributions of distances (YOLOv8's DFL): the value that goes
 * into the one Softmax between the last weights and the output. NULL: there is none. */
const char *head_distances(const struct graph_file *g, const char *output);

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
