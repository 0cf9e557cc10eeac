/* SPDX-License-Identifier: Apache-2.0 */
/* A first model: the ONNX file of a small network with weights by chance. */
#ifndef GYRE_TRAINER_ARCH_H
#define GYRE_TRAINER_ARCH_H

#include "trainer/graph_file.h"
#include "trainer/job.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * arch: "det-t", "det-p" or "cls-n"; the sides in pixels, multiples of 32. *recipe is how images become its
 * tensor and its outputs shapes. The same seed gives the same bytes. The caller frees *out. False with a
 * sentence: there is no such architecture, or not of this size.
 */
bool arch_make(const char *arch, const char *const *labels, size_t label_count, uint32_t width,
	uint32_t height, uint64_t seed, struct recipe *recipe, void **out, size_t *out_size,
	char error[GRAPH_ERROR_SIZE]);

/* Labels as metadata_props has them under "names", in Ultralytics' form: {0: 'ok', 1: 'worn'}. */
const char *arch_names(struct arena *a, const char *const *labels, size_t count);

#ifdef __cplusplus
}
#endif

#endif
