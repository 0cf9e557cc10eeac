/* SPDX-License-Identifier: Apache-2.0 */
/* Labels go into a file's metadata, and all else in it stays. */
#include "trainer/metadata.h"

#include "base/check.h"
#include "engine/wire.h"
#include "onnx_models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>

enum { MODEL_METADATA = 14 };

static const char *const labels[] = {"it's", "back\\slash", "größe"};
#define NAMES "{0: 'it\\'s', 1: 'back\\\\slash', 2: 'größe'}"

static void write_model(struct str *out, const char *const (*metadata)[2])
{
	struct onnx_graph graph;
	onnx_graph_init(&graph);
	onnx_input(&graph, "x", ONNX_FLOAT, ONNX_SHAPE(1, 3));
	onnx_output(&graph, "y", ONNX_FLOAT, ONNX_SHAPE(1, 3));
	onnx_node(&graph, "Relu", "x", "y", NULL);
	str_init(out, 1 << 20);
	onnx_write(out, &graph, &(struct onnx_model){.opset = 13, .metadata = metadata});
	onnx_graph_release(&graph);
}

/* The other fields, one after the other; and the value of the property of this key. */
static size_t others(const struct str *file, const char *key, struct str *rest, char value[128])
{
	struct wire wire = wire_of(span_of(file->text, file->size));
	struct wire_field f, part;
	size_t found = 0;
	str_init(rest, 1 << 20);
	for (const uint8_t *from = wire.at; wire_next(&wire, &f); from = wire.at) {
		struct span texts[3] = {{0}};
		struct wire property = wire_of(f.number == MODEL_METADATA ? f.bytes : (struct span){0});
		while (wire_next(&property, &part))
			texts[part.number < 3 ? part.number : 0] = part.bytes;
		if (!span_equal(texts[1], span_of_text(key))) {
			str_append_bytes(rest, from, (size_t)(wire.at - from));
			continue;
		}
		found++;
		snprintf(value, 128, "%.*s", (int)texts[2].size, (const char *)texts[2].data);
	}
	assert_false(wire.broken);
	return found;
}

static void check(const char *const (*metadata)[2])
{
	struct str before, after, rest_before, rest_after;
	char value[128];
	write_model(&before, metadata);
	str_init(&after, 1 << 20);
	metadata_write_labels(span_of(before.text, before.size), labels, COUNT_OF(labels), &after);
	others(&before, "names", &rest_before, value);
	assert_int_equal(others(&after, "names", &rest_after, value), 1);
	assert_string_equal(value, NAMES);
	assert_true(span_equal(
		span_of(rest_before.text, rest_before.size), span_of(rest_after.text, rest_after.size)));
	str_release(&before);
	str_release(&after);
	str_release(&rest_before);
	str_release(&rest_after);
}

static void names_are_added_or_replaced(void **state)
{
	check(NULL);
	check((const char *const[][2]){{"names", "{0: 'old'}"}, {"stride", "32"}, {NULL, NULL}});
	check((const char *const[][2]){{"stride", "32"}, {"names", ""}, {NULL, NULL}});
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_are_added_or_replaced)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
