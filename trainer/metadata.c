/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/metadata.h"

#include "base/check.h"
#include "engine/wire.h"
#include "trainer/arch.h"
#include "trainer/onnx_fields.h"

#define NAMES "names"
#define PROPERTY_BYTES_MAX ((size_t)64 << 20)

static bool is_names(const struct wire_field *field)
{
	struct wire property = wire_of(field->bytes);
	struct wire_field f;
	bool names = false;
	while (wire_next(&property, &f))
		names = names || (f.number == PAIR_KEY && f.type == WIRE_BYTES &&
					 span_equal(f.bytes, span_of_text(NAMES)));
	return names;
}

void metadata_write_labels(struct span file, const char *const *labels, size_t label_count, struct str *out)
{
	struct wire wire = wire_of(file);
	struct wire_field f;
	const uint8_t *from = wire.at;
	for (; wire_next(&wire, &f); from = wire.at)
		if (f.number != MODEL_METADATA || f.type != WIRE_BYTES || !is_names(&f))
			str_append_bytes(out, from, (size_t)(wire.at - from));
	CHECK(!wire.broken);
	struct str property;
	struct arena a;
	arena_init(&a);
	str_init(&property, PROPERTY_BYTES_MAX);
	wire_put_text(&property, PAIR_KEY, NAMES);
	wire_put_text(&property, PAIR_VALUE, arch_names(&a, labels, label_count));
	wire_put_bytes(out, MODEL_METADATA, span_of(property.text, property.size));
	CHECK(!out->full && !property.full);
	arena_release(&a);
	str_release(&property);
}
