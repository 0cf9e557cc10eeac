/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that clients send as the shapes of an annotation: whatever it says, what is taken prints as JSON that
 * reads as the same; and no points, whatever they are, harm the way to annotation files and back.
 */
#include "base/check.h"
#include "learn/dataset_shapes.h"
#include "store/annotation_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int32_t label_of(void *arg, struct uuid id)
{
	return 0;
}

static struct span printed(const struct annotation_shape_row *shapes, size_t count, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_doc_set_root(doc, annotation_json_shapes(doc, shapes, count, a));
	return json_print(doc, a);
}

static void check(yyjson_val *list, struct arena *a)
{
	struct annotation_shape_row *shapes, *again;
	struct err err;
	yyjson_doc *doc;
	const struct uuid label = {{1}};
	size_t count, again_count, skipped = 0;
	if (annotation_json_parse(list, a, &shapes, &count, &err) != ST_OK) {
		CHECK(err.text[0] != '\0');
		return;
	}
	struct span text = printed(shapes, count, a);
	CHECK(json_parse(text, a, &doc, &err) == ST_OK);
	CHECK(annotation_json_parse(yyjson_doc_get_root(doc), a, &again, &again_count, &err) == ST_OK);
	CHECK(again_count == count && span_equal(text, printed(again, again_count, a)));
	struct labelled_shape *files =
		dataset_shapes_from_rows(shapes, count, label_of, NULL, a, &again_count, &skipped);
	CHECK(again_count + skipped == count);
	dataset_shapes_to_rows(files, again_count, &label, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct err err;
	yyjson_doc *doc;
	arena_init(&a);
	if (json_parse(span_of(data, size), &a, &doc, &err) == ST_OK)
		check(yyjson_doc_get_root(doc), &a);
	arena_release(&a);
	return 0;
}
