/* SPDX-License-Identifier: Apache-2.0 */
/* Does what a model's process answered keep to the protocol? It may be hostile. Pure. */
#ifndef GYRE_ENGINE_ENGINE_RESULT_H
#define GYRE_ENGINE_ENGINE_RESULT_H

#include "engine/protocol.h"

/*
 * r lies in memory that the child cannot reach. True: its status is one that a child may answer with; when
 * that is ST_OK, it has output_count outputs, each a tensor whose size is what its type and shape say, inside
 * the slot, and all together no larger than it. *bytes: room for copies of them, each aligned. The run's
 * number, the texts and the features' values are the caller's to look at.
 */
bool engine_result_holds(
	const struct protocol_result *r, unsigned output_count, uint64_t slot_bytes, uint64_t *bytes);

/* A tensor's size in a row of aligned ones. */
uint64_t engine_result_aligned(uint64_t bytes);

#endif
