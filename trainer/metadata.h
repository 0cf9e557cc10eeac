/* SPDX-License-Identifier: Apache-2.0 */
/* What an ONNX file says of itself beside its graph. */
#ifndef GYRE_TRAINER_METADATA_H
#define GYRE_TRAINER_METADATA_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/span.h"
#include "base/str.h"

/* The same file with its labels as metadata "names", in Ultralytics' form ({0: 'cat', 1: 'dog'}); all other
 * bytes stay. The file has been read before (a CHECK). out: a fresh str of any maximum. */
void metadata_write_labels(struct span file, const char *const *labels, size_t label_count, struct str *out);

#ifdef __cplusplus
}
#endif

#endif
