/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNX Runtime through its C API, opened by dlopen. Only the child calls this:
 * the server never has a model's code in its own process.
 */
#ifndef GYRE_ENGINE_ORT_SESSION_H
#define GYRE_ENGINE_ORT_SESSION_H

#include "base/err.h"
#include "base/span.h"
#include "engine/engine.h"
#include "engine/protocol.h"

struct ort_runtime; /* the library and its environment: one in a process, never closed */
struct ort_session;
struct ort_stop; /* lets another thread stop a run */

/* ST_UNAVAILABLE: not there, or older than 1.21. */
enum status ort_runtime_open(const char *library, struct ort_runtime **out, struct err *err) MUST_CHECK;

/* One seat's part of the shared memory. */
struct ort_slot {
	uint8_t *data;
	size_t size;
};

#define ORT_SESSION_LEARN_MAX 64

struct ort_session_options {
	bool optimise; /* all optimisations, or none at all (quick to open, shapes are inferred all the same)
			*/
	const struct engine_port
		*fix; /* give its dynamic dimensions, by name, the sizes in fix_shape; NULL: leave them */
	const int64_t *fix_shape;
};

/* ST_UNPROCESSABLE with ONNX Runtime's reason. The bytes may be released afterwards. */
enum status ort_session_open(struct ort_runtime *runtime, struct span model,
	const struct ort_session_options *o, struct ort_session **out, struct err *err) MUST_CHECK;
void ort_session_close(struct ort_session *s);
unsigned ort_session_input_count(const struct ort_session *s);
unsigned ort_session_output_count(const struct ort_session *s);
/* Shapes as ONNX Runtime inferred them. */
const struct engine_port *ort_session_output(const struct ort_session *s, unsigned index);

struct ort_stop *ort_stop_new(struct ort_runtime *runtime);
void ort_stop_free(struct ort_stop *stop);
void ort_stop_request(
	struct ort_stop *stop); /* from any thread: the run that uses it ends at its next operator */
void ort_stop_clear(struct ort_stop *stop);

/*
 * Run once. The input lies at the beginning of the slot; outputs go behind it, result says where. The last
 * output is the feature tap and goes pooled into result->features when has_tap. ST_FAILED with ONNX Runtime's
 * reason; ST_UNPROCESSABLE: the outputs do not fit into the slot. Several threads may run at once, each with
 * its own slot, stop and result.
 */
enum status ort_session_run(struct ort_session *s, struct ort_stop *stop, enum engine_type input_type,
	const struct protocol_run *run, struct ort_slot slot, bool has_tap, struct protocol_result *result,
	struct err *err) MUST_CHECK;
/*
 * Run once to learn the shapes of the outputs from `first` on, which inference left open: ort_session_output
 * knows them then. Nothing is copied.
 */
enum status ort_session_learn(struct ort_session *s, struct ort_stop *stop, enum engine_type input_type,
	const struct protocol_run *run, struct ort_slot slot, unsigned first, struct err *err) MUST_CHECK;
/* After a first run: outputs whose shape is fixed and came out as stated are from now on written into the
 * slot directly. Not while it runs. */
void ort_session_settle(struct ort_session *s, const struct protocol_result *result);

#endif
