/* SPDX-License-Identifier: Apache-2.0 */
/* An uploaded model file, looked at without running it: any bytes give a description or a sentence, and
 * nothing else happens. */
#include "base/check.h"
#include "engine/engine.h"
#include "engine/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct engine_description d;
	struct span file = span_of(data, size), value;
	struct err err = {.text = ""};
	enum status st = engine_inspect(file, &d, &err);
	CHECK(st == ST_OK || (st == ST_UNPROCESSABLE && err.text[0] != '\0'));
	engine_metadata(file, "names", &value);
	CHECK(value.size == 0 || (value.data >= data && value.data + value.size <= data + size));
	if (st != ST_OK)
		return 0;
	CHECK(d.input_count >= 1 && d.input_count <= ENGINE_TENSORS_MAX);
	CHECK(d.output_count >= 1 && d.output_count <= ENGINE_TENSORS_MAX);
	int64_t shape[ENGINE_RANK_MAX];
	int rank = engine_probe_shape(&d.inputs[0], 640, shape);
	for (int i = 0; i < rank; i++)
		CHECK(shape[i] > 0);
	struct arena a;
	struct span *names;
	size_t count;
	arena_init(&a);
	onnx_lists_initialisers(file);
	if (onnx_candidates(file, &a, &names, &count, &err) == ST_OK)
		for (size_t i = 0; i < count; i++)
			CHECK(names[i].data >= data && names[i].data + names[i].size <= data + size);
	arena_release(&a);
	return 0;
}
