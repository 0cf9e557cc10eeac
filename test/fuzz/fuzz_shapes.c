/* SPDX-License-Identifier: Apache-2.0 */
/* Packed shapes as a damaged row might hold them: refused, or exactly what packing them again gives. */
#include "base/check.h"
#include "task/shape.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct err err;
	struct shapes shapes;
	struct span packed = span_of(data, size);
	arena_init(&a);
	if (shapes_unpack(packed, &a, &shapes, &err) == ST_OK)
		CHECK(span_equal(
			shapes_pack(&shapes, &a), packed)); /* which holds every rule of a shape as well */
	else
		CHECK(err.status == ST_INVALID && strlen(err.text) > 10);
	arena_release(&a);
	return 0;
}
