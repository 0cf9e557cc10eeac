/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a model's labels the names of a dataset mean: people write "aeroplane", "Aero plane" and
 * "airplane" of the same thing.
 */
#ifndef GYRE_TASK_LABEL_MATCH_H
#define GYRE_TASK_LABEL_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * out[i]: the index of the label that names[i] is, -1 for none. Letters count in either case, blanks, '_',
 * '-' and '.' do not count, and the few things that COCO and Pascal VOC call differently are the same. A name
 * that is written exactly like a label is that label. Several names may be one label.
 */
void label_match(const char *const *names, size_t name_count, const char *const *labels, size_t label_count,
	int32_t *out);

#endif
