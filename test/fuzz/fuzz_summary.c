/* SPDX-License-Identifier: Apache-2.0 */
/* Packed summaries and heatmaps as a damaged row might hold them: refused, or exactly what packing them again
 * gives. */
#include "base/check.h"
#include "watch/heat.h"
#include "watch/summary.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refused(const struct err *err)
{
	CHECK(err->status == ST_INVALID && strlen(err->text) > 10);
}

static void try_summary(struct span packed, struct arena *a)
{
	static struct summary s;
	struct err err;
	summary_init(&s);
	if (summary_unpack_into(&s, packed, &err) == ST_OK)
		CHECK(span_equal(summary_pack(&s, a), packed));
	else
		check_refused(&err);
	summary_release(&s);
}

static void try_heat(struct span packed, struct arena *a)
{
	static struct heat h;
	static uint32_t coverage[HEAT_SIDE * HEAT_SIDE];
	struct err err;
	memset(&h, 0, sizeof(h));
	if (heat_unpack_into(&h, packed, &err) == ST_OK)
		CHECK(span_equal(heat_pack(&h, a), packed));
	else
		check_refused(&err);
	heat_coverage(&h, coverage);
	heat_merge(&h, &h);
}

/* The first byte says which. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	if (size == 0)
		return 0;
	arena_init(&a);
	if (data[0] == 'h')
		try_heat(span_of(data + 1, size - 1), &a);
	else
		try_summary(span_of(data + 1, size - 1), &a);
	arena_release(&a);
	return 0;
}
