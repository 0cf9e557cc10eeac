/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inspect an ONNX file without running it: a walk over protobuf's wire format.
 *
 * The file may be hostile. Every length is checked by wire.c, nesting is bounded,
 * the sets of names are bounded, and nothing but them is allocated. Singular messages
 * that occur several times are merged as protobuf does, so that the walk and ONNX
 * Runtime cannot see two different models.
 */
#include "engine/onnx.h"

#include "base/check.h"
#include "engine/onnx_walk.h"
#include "engine/sentence.h"

#define DEPTH_MAX 24
#define FILE_BYTES_MAX INT32_MAX /* protobuf's own limit */

enum status onnx_walk_damaged(struct onnx_walk *w)
{
	return err_set(
		w->err, ST_UNPROCESSABLE, "The file is not a whole ONNX model: it is cut off or damaged.");
}

enum status onnx_walk_too_many(struct onnx_walk *w)
{
	return err_set(w->err, ST_UNPROCESSABLE, "The model has more than %d tensors, too many to be read.",
		ONNX_NAMES_MAX);
}

/* Bytes of one element, by TensorProto.DataType; types of four bits are counted as one byte. */
static unsigned element_size(uint64_t type)
{
	static const uint8_t sizes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8, 8, 16, 2, 1, 1, 1, 1, 1, 1};
	return type < COUNT_OF(sizes) ? sizes[type] : 0;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static enum status walk_tensor(struct onnx_walk *w, struct span tensor, struct span *name)
{
	struct wire wire = wire_of(tensor);
	struct wire_field f;
	uint64_t elements = 1, type = 0, dim;
	*name = (struct span){0};
	bool external = false;
	while (wire_next(&wire, &f)) {
		if (f.number == TENSOR_DIMS && f.type == WIRE_VARINT)
			elements = times(elements, f.value);
		struct wire packed = wire_of(f.bytes);
		while (is_bytes(&f, TENSOR_DIMS) && wire_varint(&packed, &dim))
			elements = times(elements, dim);
		if (f.number == TENSOR_TYPE && f.type == WIRE_VARINT)
			type = f.value;
		if (is_bytes(&f, TENSOR_NAME))
			*name = f.bytes;
		external = external || f.number == TENSOR_EXTERNAL ||
			   (f.number == TENSOR_LOCATION && f.type == WIRE_VARINT && f.value != 0);
	}
	if (wire.broken)
		return onnx_walk_damaged(w);
	char clean[96];
	sentence_clean(*name, clean, sizeof(clean));
	if (external)
		return err_set(w->err, ST_UNPROCESSABLE,
			"The tensor '%s' keeps its data in another file: save the model as one file "
			"(onnx.save with save_as_external_data=False).",
			clean);
	uint64_t bytes = times(elements, element_size(type));
	if (__builtin_add_overflow(w->out->weights_bytes, bytes, &w->out->weights_bytes))
		w->out->weights_bytes = UINT64_MAX;
	return ST_OK;
}

static enum status walk_sparse(struct onnx_walk *w, struct span sparse)
{
	struct wire wire = wire_of(sparse);
	struct wire_field f;
	struct span name;
	while (wire_next(&wire, &f))
		if (is_bytes(&f, SPARSE_VALUES) || is_bytes(&f, SPARSE_INDICES))
			TRY(walk_tensor(w, f.bytes, &name));
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}

static enum status walk_graph(struct onnx_walk *w, struct span graph, unsigned depth);

static enum status walk_attribute(struct onnx_walk *w, struct span attribute, unsigned depth)
{
	struct wire wire = wire_of(attribute);
	struct wire_field f;
	struct span name;
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, ATTRIBUTE_G) || is_bytes(&f, ATTRIBUTE_GRAPHS))
			TRY(walk_graph(w, f.bytes, depth + 1));
		else if (is_bytes(&f, ATTRIBUTE_T) || is_bytes(&f, ATTRIBUTE_TENSORS))
			TRY(walk_tensor(w, f.bytes, &name));
		else if (is_bytes(&f, ATTRIBUTE_SPARSE) || is_bytes(&f, ATTRIBUTE_SPARSES))
			TRY(walk_sparse(w, f.bytes));
	}
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}

static bool is_standard(struct span domain)
{
	static const char *const standard[] = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"};
	for (size_t i = 0; i < COUNT_OF(standard); i++)
		if (is_text(domain, standard[i]))
			return true;
	return false;
}

static enum status walk_node(struct onnx_walk *w, struct span node, unsigned depth)
{
	struct wire wire = wire_of(node);
	struct wire_field f;
	struct span operator_type = {0}, domain = {0};
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, NODE_OPERATOR))
			operator_type = f.bytes;
		else if (is_bytes(&f, NODE_DOMAIN))
			domain = f.bytes;
		else if (is_bytes(&f, NODE_ATTRIBUTE))
			TRY(walk_attribute(w, f.bytes, depth));
	}
	if (wire.broken)
		return onnx_walk_damaged(w);
	if (is_standard(domain) || name_set_has(&w->functions, operator_type, domain))
		return ST_OK;
	char type_text[64], domain_text[64];
	sentence_clean(operator_type, type_text, sizeof(type_text));
	sentence_clean(domain, domain_text, sizeof(domain_text));
	return err_set(w->err, ST_UNPROCESSABLE,
		"The model uses the custom operator %s of the domain '%s', which only its author's library "
		"can run: "
		"export it with standard operators.",
		type_text, domain_text);
}

/* Initialisers' names are kept for the top graph only: inner graphs have their own scope. */
static enum status walk_graph(struct onnx_walk *w, struct span graph, unsigned depth)
{
	struct wire wire = wire_of(graph);
	struct wire_field f;
	if (depth > DEPTH_MAX)
		return err_set(
			w->err, ST_UNPROCESSABLE, "The model nests graphs more than %d deep.", DEPTH_MAX);
	while (wire_next(&wire, &f)) {
		struct span name = {0};
		if (is_bytes(&f, GRAPH_NODE))
			TRY(walk_node(w, f.bytes, depth));
		else if (is_bytes(&f, GRAPH_SPARSE))
			TRY(walk_sparse(w, f.bytes));
		else if (is_bytes(&f, GRAPH_INITIALISER))
			TRY(walk_tensor(w, f.bytes, &name));
		if (depth == 0 && name.size && !name_set_add(&w->initialisers, name, (struct span){0}))
			return onnx_walk_too_many(w);
	}
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}

static enum status walk_function(struct onnx_walk *w, struct span function)
{
	struct wire wire = wire_of(function);
	struct wire_field f;
	while (wire_next(&wire, &f))
		if (is_bytes(&f, FUNCTION_NODE))
			TRY(walk_node(w, f.bytes, 0));
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}

static enum status note_function(struct onnx_walk *w, struct span function)
{
	struct wire wire = wire_of(function);
	struct wire_field f;
	struct span name = {0}, domain = {0};
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, FUNCTION_NAME))
			name = f.bytes;
		else if (is_bytes(&f, FUNCTION_DOMAIN))
			domain = f.bytes;
	}
	return name_set_add(&w->functions, name, domain) ? ST_OK : onnx_walk_too_many(w);
}

static void read_pair(struct span pair, struct span *key, struct span *value)
{
	struct wire wire = wire_of(pair);
	struct wire_field f;
	*key = *value = (struct span){0};
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, PAIR_KEY))
			*key = f.bytes;
		else if (is_bytes(&f, PAIR_VALUE))
			*value = f.bytes;
	}
}

static void read_metadata(struct engine_description *out, struct span pair)
{
	struct span key, value;
	if (out->metadata_count == ENGINE_METADATA_MAX)
		return;
	struct engine_property *property = &out->metadata[out->metadata_count++];
	read_pair(pair, &key, &value);
	sentence_clean(key, property->key, sizeof(property->key));
	sentence_clean(value, property->value, sizeof(property->value));
}

static void read_opset(struct engine_description *out, struct span opset)
{
	struct wire wire = wire_of(opset);
	struct wire_field f;
	struct span domain = {0};
	int64_t version = 0;
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, OPSET_DOMAIN))
			domain = f.bytes;
		else if (f.number == OPSET_VERSION && f.type == WIRE_VARINT)
			version = (int64_t)f.value;
	}
	if (is_text(domain, "") || is_text(domain, "ai.onnx"))
		out->opset = version;
}

/* First pass: what the model says of itself, and the functions that it defines. */
static enum status walk_head(struct onnx_walk *w, struct span file)
{
	struct wire wire = wire_of(file);
	struct wire_field f;
	while (wire_next(&wire, &f)) {
		if (f.number == MODEL_IR_VERSION && f.type == WIRE_VARINT)
			w->out->ir_version = (int64_t)f.value;
		else if (is_bytes(&f, MODEL_PRODUCER))
			sentence_clean(f.bytes, w->out->producer, sizeof(w->out->producer));
		else if (is_bytes(&f, MODEL_OPSET))
			read_opset(w->out, f.bytes);
		else if (is_bytes(&f, MODEL_METADATA))
			read_metadata(w->out, f.bytes);
		else if (is_bytes(&f, MODEL_FUNCTION))
			TRY(note_function(w, f.bytes));
		else if (is_bytes(&f, MODEL_GRAPH))
			w->graphs++;
	}
	return wire.broken ? onnx_walk_damaged(w) : ST_OK;
}

static enum status walk_body(struct onnx_walk *w, struct span file)
{
	struct wire wire = wire_of(file);
	struct wire_field f;
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, MODEL_GRAPH))
			TRY(walk_graph(w, f.bytes, 0));
		else if (is_bytes(&f, MODEL_FUNCTION))
			TRY(walk_function(w, f.bytes));
	}
	return ST_OK;
}

static enum status add_port(struct onnx_walk *w, struct span value, bool is_output)
{
	struct engine_port port;
	struct span name;
	TRY(onnx_walk_port(w, value, &port, &name));
	if (!is_output && name_set_has(&w->initialisers, name, (struct span){0})) {
		w->listed++;
		return ST_OK;
	}
	struct engine_port *ports = is_output ? w->out->outputs : w->out->inputs;
	unsigned *count = is_output ? &w->out->output_count : &w->out->input_count;
	if (*count == ENGINE_TENSORS_MAX)
		return err_set(w->err, ST_UNPROCESSABLE,
			"The model has more than %d %s, too many to be read.", ENGINE_TENSORS_MAX,
			is_output ? "outputs" : "inputs");
	if (is_output)
		w->output_names[*count] = name;
	ports[(*count)++] = port;
	return ST_OK;
}

static enum status walk_ports(struct onnx_walk *w, struct span file)
{
	struct wire wire = wire_of(file);
	struct wire_field f, g;
	while (wire_next(&wire, &f)) {
		if (!is_bytes(&f, MODEL_GRAPH))
			continue;
		struct wire graph = wire_of(f.bytes);
		while (wire_next(&graph, &g))
			if (is_bytes(&g, GRAPH_INPUT) || is_bytes(&g, GRAPH_OUTPUT))
				TRY(add_port(w, g.bytes, g.number == GRAPH_OUTPUT));
	}
	return ST_OK;
}

/* Which operator makes each output of the graph: "Softmax" tells probabilities from logits. */
static void note_makers_of_node(struct onnx_walk *w, struct span node)
{
	struct wire wire = wire_of(node);
	struct wire_field f;
	struct span operator_type = {0};
	bool makes[ENGINE_TENSORS_MAX] = {false};
	while (wire_next(&wire, &f)) {
		if (is_bytes(&f, NODE_OPERATOR))
			operator_type = f.bytes;
		for (unsigned i = 0; is_bytes(&f, NODE_OUTPUT) && i < w->out->output_count; i++)
			makes[i] = makes[i] || span_equal(f.bytes, w->output_names[i]);
	}
	for (unsigned i = 0; i < w->out->output_count; i++)
		if (makes[i])
			sentence_clean(operator_type, w->out->outputs[i].made_by,
				sizeof(w->out->outputs[i].made_by));
}

static void note_makers(struct onnx_walk *w, struct span file)
{
	struct wire wire = wire_of(file);
	struct wire_field f, g;
	while (wire_next(&wire, &f)) {
		struct wire graph = wire_of(is_bytes(&f, MODEL_GRAPH) ? f.bytes : (struct span){0});
		while (wire_next(&graph, &g))
			if (is_bytes(&g, GRAPH_NODE))
				note_makers_of_node(w, g.bytes);
	}
}

/* Common files that are no ONNX: say what they are. */
static const char *other_format(struct span file)
{
	static const struct {
		size_t at;
		const char *magic, *name;
	} formats[] = {
		{0, "PK\003\004", "a zip archive (a PyTorch or Keras file?)"},
		{0, "\200\002", "a Python pickle (a PyTorch file?)"},
		{4, "TFL3", "a TensorFlow Lite model"},
		{4, "ORTM", "a model in ONNX Runtime's own format"},
		{0, "\211HDF", "an HDF5 file (a Keras model?)"},
		{0, "\037\213", "a gzip file"},
		{0, "version https://git-lfs", "a Git LFS pointer, not the file that it stands for"},
		{0, "\377\330\377", "a JPEG image"},
		{0, "\211PNG", "a PNG image"},
	};
	for (size_t i = 0; i < COUNT_OF(formats); i++) {
		size_t size = strlen(formats[i].magic);
		if (file.size >= formats[i].at + size &&
			memcmp(file.data + formats[i].at, formats[i].magic, size) == 0)
			return formats[i].name;
	}
	return NULL;
}

enum status onnx_walk_file(struct onnx_walk *w, struct span file)
{
	const char *other = other_format(file);
	if (file.size == 0)
		return err_set(w->err, ST_UNPROCESSABLE, "The file is empty.");
	if (other)
		return err_set(w->err, ST_UNPROCESSABLE,
			"The file is not an ONNX model but %s: export it to ONNX.", other);
	if (file.size > FILE_BYTES_MAX)
		return err_set(w->err, ST_UNPROCESSABLE,
			"The file is larger than 2 GiB, more than an ONNX model can be.");
	TRY(walk_head(w, file));
	if (w->graphs == 0)
		return err_set(w->err, ST_UNPROCESSABLE, "The file is not an ONNX model: it has no graph.");
	TRY(walk_body(w, file));
	TRY(walk_ports(w, file));
	if (w->out->input_count == 0 || w->out->output_count == 0)
		return err_set(w->err, ST_UNPROCESSABLE, "The model's graph has no %s.",
			w->out->input_count ? "outputs" : "inputs");
	note_makers(w, file);
	return ST_OK;
}

void onnx_walk_init(struct onnx_walk *w, struct engine_description *out, struct err *err)
{
	*out = (struct engine_description){0};
	*w = (struct onnx_walk){.out = out, .err = err};
	name_set_init(&w->initialisers, ONNX_NAMES_MAX);
	name_set_init(&w->functions, ONNX_NAMES_MAX);
}

void onnx_walk_release(struct onnx_walk *w)
{
	name_set_release(&w->initialisers);
	name_set_release(&w->functions);
}

enum status engine_inspect(struct span file, struct engine_description *out, struct err *err)
{
	struct onnx_walk w;
	onnx_walk_init(&w, out, err);
	enum status st = onnx_walk_file(&w, file);
	onnx_walk_release(&w);
	return st;
}

bool engine_metadata(struct span file, const char *key, struct span *value)
{
	struct wire wire = wire_of(file);
	struct wire_field f;
	struct span found;
	while (wire_next(&wire, &f)) {
		if (!is_bytes(&f, MODEL_METADATA))
			continue;
		read_pair(f.bytes, &found, value);
		if (is_text(found, key))
			return true;
	}
	*value = (struct span){0};
	return false;
}

bool onnx_lists_initialisers(struct span file)
{
	struct onnx_walk w;
	struct engine_description d;
	onnx_walk_init(&w, &d, NULL);
	bool lists = onnx_walk_file(&w, file) == ST_OK && w.listed > 0 && d.ir_version >= 4 &&
		     w.functions.count == 0;
	onnx_walk_release(&w);
	return lists;
}
