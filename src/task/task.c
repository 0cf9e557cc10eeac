/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the tasks: on the wire (the SDK's InferenceType) and on the command line. */
#include "task/task.h"

#include "base/check.h"

#include <stddef.h>
#include <strings.h>

static const struct {
	const char *wire, *name;
} names[TASK_COUNT] = {
	[TASK_CLASSIFICATION] = {"CLASSIFICATION", "classification"},
	[TASK_DETECTION] = {"OBJECT_DETECTION", "detection"},
	[TASK_SEGMENTATION] = {"SEGMENTATION", "segmentation"},
};

const char *task_wire_name(enum task t)
{
	CHECK(t < TASK_COUNT);
	return names[t].wire;
}

const char *task_name(enum task t)
{
	CHECK(t < TASK_COUNT);
	return names[t].name;
}

bool task_parse(const char *text, enum task *out)
{
	for (enum task t = 0; text != NULL && t < TASK_COUNT; t++) {
		if (strcasecmp(text, names[t].wire) == 0 || strcasecmp(text, names[t].name) == 0) {
			*out = t;
			return true;
		}
	}
	return false;
}
