/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine_result.h"

uint64_t engine_result_aligned(uint64_t bytes)
{
	return (bytes + PROTOCOL_ALIGNMENT - 1) / PROTOCOL_ALIGNMENT * PROTOCOL_ALIGNMENT;
}

static bool tensor_holds(const struct protocol_tensor *t, uint64_t slot_bytes)
{
	if (t->type > ENGINE_OTHER || t->rank < 0 || t->rank > ENGINE_RANK_MAX)
		return false;
	uint64_t bytes = engine_type_size((enum engine_type)t->type);
	for (int i = 0; i < t->rank; i++)
		if (t->shape[i] < 0 || __builtin_mul_overflow(bytes, (uint64_t)t->shape[i], &bytes))
			return false;
	return t->size == bytes && t->offset <= slot_bytes && t->size <= slot_bytes - t->offset &&
	       t->offset % PROTOCOL_ALIGNMENT == 0;
}

bool engine_result_holds(
	const struct protocol_result *r, unsigned output_count, uint64_t slot_bytes, uint64_t *bytes)
{
	bool known = r->status == ST_OK || r->status == ST_FAILED || r->status == ST_TIMEOUT ||
		     r->status == ST_UNPROCESSABLE;
	*bytes = 0;
	if (!known || r->features_size > ENGINE_FEATURES_MAX)
		return false;
	if (r->status != ST_OK)
		return true;
	if (r->output_count != output_count || output_count > ENGINE_TENSORS_MAX)
		return false;
	for (unsigned i = 0; i < output_count; i++) {
		if (!tensor_holds(&r->outputs[i], slot_bytes))
			return false;
		*bytes += engine_result_aligned(r->outputs[i].size);
	}
	/* Tensors lie side by side: together they are no larger than the slot, but for the last one's
	 * padding. */
	return *bytes <= slot_bytes + PROTOCOL_ALIGNMENT;
}
