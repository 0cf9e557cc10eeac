/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ort_session.h"

#include "base/check.h"
#include "engine/onnx.h"
#include "engine/sentence.h"
#include "engine/tap.h"
#include "os/clock.h"

#include <dlfcn.h>
#include <onnxruntime/onnxruntime_c_api.h>
#include <stdlib.h>

#define API_VERSION 21
#define OUTPUTS_RUN_MAX (ENGINE_TENSORS_MAX + 1) /* and the tap */

struct ort_runtime {
	const OrtApi *api;
	OrtEnv *env;
	OrtMemoryInfo *memory;
	OrtAllocator *allocator; /* ONNX Runtime's own, for names */
};

struct ort_session {
	struct ort_runtime *runtime;
	const OrtApi *api;
	OrtSession *session;
	unsigned input_count, output_count;
	char *input_name;
	char **output_names;
	struct engine_port *outputs;
	bool settled[OUTPUTS_RUN_MAX];
};

struct ort_stop {
	const OrtApi *api;
	OrtRunOptions *options;
};

/* ONNX Runtime's event as ours; takes the OrtStatus. */
static enum status check(
	const OrtApi *api, OrtStatus *status, enum status as, const char *what, struct err *err)
{
	if (status == NULL)
		return ST_OK;
	char text[PROTOCOL_TEXT_SIZE];
	sentence_of_runtime(api->GetErrorMessage(status), text, sizeof(text));
	api->ReleaseStatus(status);
	if (strstr(text, "bad_alloc") || strstr(text, "Failed to allocate memory"))
		return err_set(err, as, "%s: it needs more memory than it is allowed.", what);
	return err_set(err, as, "%s: %s.", what, text);
}

/* For calls that can only fail when memory runs out or we misuse them. */
static void must(const OrtApi *api, OrtStatus *status)
{
	CHECK(status == NULL);
}

enum status ort_runtime_open(const char *library, struct ort_runtime **out, struct err *err)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL)
		return err_set(err, ST_UNAVAILABLE, "ONNX Runtime cannot be loaded: %s.", dlerror());
	const OrtApiBase *(*get_base)(void);
	*(void **)&get_base = dlsym(handle, "OrtGetApiBase");
	const OrtApi *api = get_base ? get_base()->GetApi(API_VERSION) : NULL;
	if (api == NULL)
		return err_set(err, ST_UNAVAILABLE,
			"ONNX Runtime at %s is too old: version 1.%d or newer is needed.", library,
			API_VERSION);
	struct ort_runtime *runtime = calloc(1, sizeof(*runtime));
	CHECK(runtime != NULL);
	runtime->api = api;
	must(api, api->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "gyre", &runtime->env));
	must(api, api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &runtime->memory));
	must(api, api->GetAllocatorWithDefaultOptions(&runtime->allocator));
	*out = runtime;
	return ST_OK;
}

static OrtSessionOptions *make_options(const OrtApi *api, const struct ort_session_options *o)
{
	OrtSessionOptions *options;
	must(api, api->CreateSessionOptions(&options));
	must(api, api->SetIntraOpNumThreads(options, 1));
	must(api, api->SetInterOpNumThreads(options, 1));
	must(api, api->SetSessionExecutionMode(options, ORT_SEQUENTIAL));
	must(api, api->SetSessionGraphOptimizationLevel(
			  options, o->optimise ? ORT_ENABLE_ALL : ORT_DISABLE_ALL));
	must(api, api->AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0"));
	must(api, api->AddSessionConfigEntry(options, "session.inter_op.allow_spinning", "0"));
	for (int i = 0; o->fix && i < o->fix->rank; i++)
		if (o->fix->shape[i] < 0 && o->fix->dim_names[i][0])
			must(api, api->AddFreeDimensionOverrideByName(
					  options, o->fix->dim_names[i], o->fix_shape[i]));
	return options;
}

/* Type and shape of a tensor; rank -1 when it has more dimensions than we read. */
static void read_info(const OrtApi *api, const OrtTensorTypeAndShapeInfo *info, struct engine_port *port)
{
	enum ONNXTensorElementDataType type;
	size_t rank;
	must(api, api->GetTensorElementType(info, &type));
	must(api, api->GetDimensionsCount(info, &rank));
	port->type = onnx_engine_type(type);
	port->rank = rank <= ENGINE_RANK_MAX ? (int)rank : -1;
	if (port->rank > 0)
		must(api, api->GetDimensions(info, port->shape, rank));
}

static void read_output(struct ort_session *s, unsigned index)
{
	const OrtApi *api = s->api;
	struct engine_port *port = &s->outputs[index];
	OrtTypeInfo *type;
	const OrtTensorTypeAndShapeInfo *info = NULL;
	*port = (struct engine_port){.type = ENGINE_OTHER, .rank = -1};
	must(api,
		api->SessionGetOutputName(s->session, index, s->runtime->allocator, &s->output_names[index]));
	must(api, api->SessionGetOutputTypeInfo(s->session, index, &type));
	must(api, api->CastTypeInfoToTensorInfo(type, &info));
	if (info)
		read_info(api, info, port);
	sentence_clean(span_of_text(s->output_names[index]), port->name, sizeof(port->name));
	api->ReleaseTypeInfo(type);
}

static void read_ports(struct ort_session *s)
{
	const OrtApi *api = s->api;
	size_t inputs, outputs;
	must(api, api->SessionGetInputCount(s->session, &inputs));
	must(api, api->SessionGetOutputCount(s->session, &outputs));
	s->input_count = (unsigned)inputs;
	s->output_count = (unsigned)outputs;
	s->output_names = calloc(outputs + 1, sizeof(*s->output_names));
	s->outputs = calloc(outputs + 1, sizeof(*s->outputs));
	CHECK(s->output_names != NULL && s->outputs != NULL);
	if (inputs > 0)
		must(api, api->SessionGetInputName(s->session, 0, s->runtime->allocator, &s->input_name));
	for (unsigned i = 0; i < s->output_count; i++)
		read_output(s, i);
}

enum status ort_session_open(struct ort_runtime *runtime, struct span model,
	const struct ort_session_options *o, struct ort_session **out, struct err *err)
{
	const OrtApi *api = runtime->api;
	OrtSession *session;
	OrtSessionOptions *options = make_options(api, o);
	OrtStatus *status =
		api->CreateSessionFromArray(runtime->env, model.data, model.size, options, &session);
	api->ReleaseSessionOptions(options);
	TRY(check(api, status, ST_UNPROCESSABLE, "ONNX Runtime refuses the model", err));
	struct ort_session *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	*s = (struct ort_session){.runtime = runtime, .api = api, .session = session};
	read_ports(s);
	*out = s;
	return ST_OK;
}

void ort_session_close(struct ort_session *s)
{
	const OrtApi *api = s->api;
	if (s->input_name)
		must(api, api->AllocatorFree(s->runtime->allocator, s->input_name));
	for (unsigned i = 0; i < s->output_count; i++)
		must(api, api->AllocatorFree(s->runtime->allocator, s->output_names[i]));
	api->ReleaseSession(s->session);
	free(s->output_names);
	free(s->outputs);
	free(s);
}

unsigned ort_session_input_count(const struct ort_session *s)
{
	return s->input_count;
}

unsigned ort_session_output_count(const struct ort_session *s)
{
	return s->output_count;
}

const struct engine_port *ort_session_output(const struct ort_session *s, unsigned index)
{
	CHECK(index < s->output_count);
	return &s->outputs[index];
}

struct ort_stop *ort_stop_new(struct ort_runtime *runtime)
{
	struct ort_stop *stop = calloc(1, sizeof(*stop));
	CHECK(stop != NULL);
	stop->api = runtime->api;
	must(stop->api, stop->api->CreateRunOptions(&stop->options));
	return stop;
}

void ort_stop_free(struct ort_stop *stop)
{
	stop->api->ReleaseRunOptions(stop->options);
	free(stop);
}

void ort_stop_request(struct ort_stop *stop)
{
	must(stop->api, stop->api->RunOptionsSetTerminate(stop->options));
}

void ort_stop_clear(struct ort_stop *stop)
{
	must(stop->api, stop->api->RunOptionsUnsetTerminate(stop->options));
}

/* One run in progress: what must be released whatever happens. */
struct run {
	struct ort_session *s;
	struct ort_slot slot;
	uint64_t used; /* bytes of the slot, inputs first */
	OrtValue *input;
	OrtValue *outputs[OUTPUTS_RUN_MAX];
	unsigned output_count; /* with the tap */
};

static bool bytes_of(enum engine_type type, int rank, const int64_t *shape, uint64_t *out)
{
	uint64_t bytes = engine_type_size(type);
	for (int i = 0; i < rank; i++)
		if (shape[i] < 0 || __builtin_mul_overflow(bytes, (uint64_t)shape[i], &bytes))
			return false;
	*out = bytes;
	return true;
}

static enum status too_large(const struct run *r, const char *name, struct err *err)
{
	return err_set(err, ST_UNPROCESSABLE,
		"The model's output '%.60s' is too large: inputs and outputs of one run may have %zu MiB.",
		name, r->slot.size >> 20);
}

/* Room for one more tensor behind those that are there. */
static enum status place(struct run *r, struct protocol_tensor *t, const char *name, struct err *err)
{
	uint64_t offset = (r->used + PROTOCOL_ALIGNMENT - 1) / PROTOCOL_ALIGNMENT * PROTOCOL_ALIGNMENT;
	if (!bytes_of(t->type, t->rank, t->shape, &t->size) || offset > r->slot.size ||
		t->size > r->slot.size - offset)
		return too_large(r, name, err);
	t->offset = offset;
	r->used = offset + t->size;
	return ST_OK;
}

static OrtStatus *wrap(struct run *r, uint64_t offset, uint64_t size, const int64_t *shape, int rank,
	enum engine_type type, OrtValue **out)
{
	void *data = r->slot.data + offset;
	return r->s->api->CreateTensorWithDataAsOrtValue(r->s->runtime->memory, data, size, shape,
		(size_t)rank, (enum ONNXTensorElementDataType)onnx_type_of(type), out);
}

static enum status bind_input(
	struct run *r, enum engine_type type, const struct protocol_run *run, struct err *err)
{
	uint64_t size;
	if (run->rank < 0 || run->rank > ENGINE_RANK_MAX || !bytes_of(type, run->rank, run->shape, &size) ||
		size != run->size || size > r->slot.size)
		return err_set(err, ST_FAILED, "The input does not fit the slot.");
	r->used = size;
	return check(r->s->api, wrap(r, 0, size, run->shape, run->rank, type, &r->input), ST_FAILED,
		"The input cannot be used", err);
}

/* The outputs whose place is known before the run; and those that the graph says to be too large need no run.
 */
static enum status bind_outputs(struct run *r, struct protocol_result *result, struct err *err)
{
	struct ort_session *s = r->s;
	for (unsigned i = 0; i < r->output_count; i++) {
		struct engine_port *port = &s->outputs[i];
		uint64_t stated;
		if (!s->settled[i]) {
			if (bytes_of(port->type, port->rank, port->shape, &stated) && stated > r->slot.size)
				return too_large(r, port->name, err);
			continue;
		}
		struct protocol_tensor *t = &result->outputs[i];
		*t = (struct protocol_tensor){.type = port->type, .rank = port->rank};
		memcpy(t->shape, port->shape, sizeof(t->shape));
		TRY(place(r, t, port->name, err));
		TRY(check(s->api, wrap(r, t->offset, t->size, t->shape, t->rank, port->type, &r->outputs[i]),
			ST_FAILED, "An output cannot be used", err));
	}
	return ST_OK;
}

/* What an output turned out to be; ENGINE_OTHER for what is no tensor of a type that we read. */
static struct engine_port look(struct run *r, const OrtValue *value)
{
	const OrtApi *api = r->s->api;
	struct engine_port port = {.type = ENGINE_OTHER};
	int is_tensor = 0;
	must(api, api->IsTensor(value, &is_tensor));
	if (!is_tensor)
		return port;
	OrtTensorTypeAndShapeInfo *info;
	must(api, api->GetTensorTypeAndShape(value, &info));
	read_info(api, info, &port);
	api->ReleaseTensorTypeAndShapeInfo(info);
	if (port.rank < 0)
		port = (struct engine_port){.type = ENGINE_OTHER};
	return port;
}

static enum status copy_output(struct run *r, unsigned index, struct protocol_tensor *t, struct err *err)
{
	struct ort_session *s = r->s;
	if (s->settled[index])
		return ST_OK;
	struct engine_port port = look(r, r->outputs[index]);
	*t = (struct protocol_tensor){.type = port.type, .rank = port.rank};
	if (port.type == ENGINE_OTHER)
		return ST_OK;
	memcpy(t->shape, port.shape, sizeof(t->shape));
	TRY(place(r, t, s->outputs[index].name, err));
	void *data;
	must(s->api, s->api->GetTensorMutableData(r->outputs[index], &data));
	if (t->size)
		memcpy(r->slot.data + t->offset, data, t->size);
	return ST_OK;
}

static void pool_tap(struct run *r, OrtValue *value, struct protocol_result *result)
{
	struct engine_port port = look(r, value);
	bool is_half = port.type == ENGINE_FLOAT16;
	void *data;
	if ((port.type != ENGINE_FLOAT32 && !is_half) || port.rank != 4 || port.shape[0] != 1)
		return;
	int64_t area = port.shape[2] * port.shape[3];
	if (area < 1 || port.shape[1] < 1)
		return;
	must(r->s->api, r->s->api->GetTensorMutableData(value, &data));
	result->features_size = tap_pool(data, is_half, port.shape[1], area, result->features);
}

static enum status run_bound(
	struct run *r, struct ort_stop *stop, bool has_tap, struct protocol_result *result, struct err *err)
{
	struct ort_session *s = r->s;
	const char *input_name = s->input_name;
	OrtStatus *status =
		s->api->Run(s->session, stop->options, &input_name, (const OrtValue *const *)&r->input, 1,
			(const char *const *)s->output_names, r->output_count, r->outputs);
	TRY(check(s->api, status, ST_FAILED, "The model failed on this input", err));
	result->output_count = r->output_count - has_tap;
	for (unsigned i = 0; i < result->output_count; i++)
		TRY(copy_output(r, i, &result->outputs[i], err));
	if (has_tap)
		pool_tap(r, r->outputs[result->output_count], result);
	return ST_OK;
}

enum status ort_session_run(struct ort_session *s, struct ort_stop *stop, enum engine_type input_type,
	const struct protocol_run *run, struct ort_slot slot, bool has_tap, struct protocol_result *result,
	struct err *err)
{
	CHECK(s->input_count == 1 && s->output_count <= OUTPUTS_RUN_MAX && s->output_count > has_tap);
	struct run r = {.s = s, .slot = slot, .output_count = s->output_count};
	int64_t cpu_before_us = clock_thread_cpu_us();
	enum status st = bind_input(&r, input_type, run, err);
	if (st == ST_OK)
		st = bind_outputs(&r, result, err);
	if (st == ST_OK)
		st = run_bound(&r, stop, has_tap, result, err);
	if (r.input)
		s->api->ReleaseValue(r.input);
	for (unsigned i = 0; i < r.output_count; i++)
		if (r.outputs[i])
			s->api->ReleaseValue(r.outputs[i]);
	result->cpu_us = clock_thread_cpu_us() - cpu_before_us;
	return st;
}

enum status ort_session_learn(struct ort_session *s, struct ort_stop *stop, enum engine_type input_type,
	const struct protocol_run *run, struct ort_slot slot, unsigned first, struct err *err)
{
	CHECK(s->input_count == 1 && first <= s->output_count);
	struct run r = {.s = s, .slot = slot};
	unsigned count = s->output_count - first;
	OrtValue *values[ORT_SESSION_LEARN_MAX] = {NULL};
	CHECK(count <= ORT_SESSION_LEARN_MAX);
	enum status st = bind_input(&r, input_type, run, err);
	if (st == ST_OK) {
		const char *input_name = s->input_name;
		OrtStatus *status =
			s->api->Run(s->session, stop->options, &input_name, (const OrtValue *const *)&r.input,
				1, (const char *const *)s->output_names + first, count, values);
		st = check(s->api, status, ST_FAILED, "The model failed on a grey image", err);
	}
	for (unsigned i = 0; i < count; i++) {
		if (values[i] == NULL)
			continue;
		struct engine_port port = look(&r, values[i]);
		s->outputs[first + i].type = port.type;
		s->outputs[first + i].rank = port.rank;
		memcpy(s->outputs[first + i].shape, port.shape, sizeof(port.shape));
		s->api->ReleaseValue(values[i]);
	}
	if (r.input)
		s->api->ReleaseValue(r.input);
	return st;
}

void ort_session_settle(struct ort_session *s, const struct protocol_result *result)
{
	for (unsigned i = 0; i < result->output_count; i++) {
		const struct engine_port *port = &s->outputs[i];
		const struct protocol_tensor *t = &result->outputs[i];
		bool fixed = port->type != ENGINE_OTHER && port->rank > 0 && t->type == port->type &&
			     t->rank == port->rank;
		for (int d = 0; fixed && d < port->rank; d++)
			fixed = port->shape[d] > 0 && t->shape[d] == port->shape[d];
		s->settled[i] = fixed;
	}
}
