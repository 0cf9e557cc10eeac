/* SPDX-License-Identifier: Apache-2.0 */
/* What a trainer writes to its output, whatever it is: lines are found, and each is an event or text that
 * JSON can hold. */
#include "base/check.h"
#include "base/json.h"
#include "learn/trainer_events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size), line;
	struct arena a;
	arena_init(&a);
	while (trainer_next_line(&rest, true, &line)) {
		struct trainer_event e;
		trainer_event_read(line, &a, &e);
		CHECK(line.size <= TRAINER_LINE_MAX && e.number_count <= TRAINER_NUMBERS_MAX &&
			e.progress <= 1);
		CHECK(e.kind != TRAINER_SAID || e.text);
		if (e.text == NULL)
			continue;
		yyjson_mut_doc *doc = json_new(&a);
		yyjson_mut_doc_set_root(doc, yyjson_mut_str(doc, e.text));
		CHECK(json_print(doc, &a).size > 0);
	}
	arena_release(&a);
	return 0;
}
