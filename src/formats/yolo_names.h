/* SPDX-License-Identifier: Apache-2.0 */
/* The files that say what YOLO's class numbers mean: data.yaml, or a name a line. */
#ifndef GYRE_FORMATS_YOLO_NAMES_H
#define GYRE_FORMATS_YOLO_NAMES_H

#include "formats/collect.h"

struct yolo_names {
	const char *path;
	int32_t *labels; /* by class number; -1: not named */
	size_t count;
	bool key_points; /* the label files hold key points behind each box */
	bool given;      /* a list of names was found in it */
};

/* Names of classes, by what the file is called. */
bool yolo_is_list_of_names(const struct collected_file *f);

/* Labels are added to the set. A file that cannot be read gives a problem and no names. */
struct yolo_names yolo_names_of_list(struct collect *c, const struct collected_file *f);
struct yolo_names yolo_names_of_yaml(struct collect *c, const struct collected_file *f);

#endif
