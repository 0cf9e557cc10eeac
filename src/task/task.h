/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of task, and their names. */
#ifndef GYRE_TASK_TASK_H
#define GYRE_TASK_TASK_H

#include <stdbool.h>

enum task { TASK_CLASSIFICATION, TASK_DETECTION, TASK_SEGMENTATION, TASK_COUNT };

const char *task_wire_name(enum task t); /* "CLASSIFICATION", "OBJECT_DETECTION", "SEGMENTATION" */
const char *task_name(enum task t);      /* "classification", "detection", "segmentation" */
/* Either form, any case; false (and *out as it was) for anything else, NULL too. */
bool task_parse(const char *text, enum task *out);

#endif
