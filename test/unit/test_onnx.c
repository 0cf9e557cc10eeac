/* SPDX-License-Identifier: Apache-2.0 */
/* engine/: what is read from an ONNX file without running it, and the arithmetic of the feature tap. */
#include "engine/engine.h"
#include "engine/name_set.h"
#include "engine/onnx.h"
#include "engine/onnx_write.h"
#include "engine/sentence.h"
#include "engine/tap.h"
#include "engine/wire.h"
#include "onnx_models.h"
#include "os/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct span bytes_of(const struct str *s)
{
	return span_of(s->text, s->size);
}

/* Inspect, in memory of exactly the file's size, so that a sanitizer sees every byte read past it. */
static enum status inspect(struct span file, struct engine_description *d, struct err *err)
{
	uint8_t *exact = malloc(file.size ? file.size : 1);
	assert_non_null(exact);
	if (file.size)
		memcpy(exact, file.data, file.size);
	err->text[0] = '\0';
	enum status st = engine_inspect(span_of(exact, file.size), d, err);
	if (st != ST_OK) {
		assert_int_equal(st, ST_UNPROCESSABLE);
		assert_true(text_ends_with(err->text, "."));
	}
	free(exact);
	return st;
}

static void refused(struct str *file, const char *part)
{
	static struct engine_description d;
	struct err err;
	assert_int_equal(inspect(bytes_of(file), &d, &err), ST_UNPROCESSABLE);
	if (strstr(err.text, part) == NULL)
		fail_msg("'%s' is not in '%s'", part, err.text);
	str_release(file);
}

static void test_a_classifier_is_described(void **state)
{
	static struct engine_description d;
	static const char *const metadata[][2] = {
		{"imgsz", "[8, 8]"}, {"names", "{0: 'even', 1: 'odd'}"}, {NULL, NULL}};
	const struct onnx_shape shape = {
		.rank = 4, .sides = {-1, 3, -1, -1}, .names = {"batch", NULL, "height", NULL}};
	struct str file;
	struct err err;
	struct span value;
	str_init(&file, 1 << 20);
	model_classifier(&file, 16, &shape, metadata);
	assert_int_equal(inspect(bytes_of(&file), &d, &err), ST_OK);
	assert_int_equal(d.input_count, 1);
	assert_string_equal(d.inputs[0].name, "image");
	assert_int_equal(d.inputs[0].type, ENGINE_FLOAT32);
	assert_int_equal(d.inputs[0].rank, 4);
	const int64_t expected[] = {-1, 3, -1, -1};
	assert_memory_equal(d.inputs[0].shape, expected, sizeof(expected));
	assert_string_equal(d.inputs[0].dim_names[0], "batch");
	assert_string_equal(d.inputs[0].dim_names[1], "");
	assert_string_equal(d.inputs[0].dim_names[2], "height");
	assert_string_equal(d.inputs[0].dim_names[3], "");
	assert_int_equal(d.output_count, 1);
	assert_string_equal(d.outputs[0].name, "scores");
	assert_string_equal(d.outputs[0].made_by, "MatMul");
	assert_int_equal(d.opset, 13);
	assert_int_equal(d.ir_version, 8);
	assert_string_equal(d.producer, "gyre");
	assert_int_equal(d.weights_bytes, 16 * 3 * 4 + 16 * 2 * 4);
	assert_int_equal(d.metadata_count, 2);
	assert_string_equal(d.metadata[1].key, "names");
	assert_string_equal(d.metadata[1].value, "{0: 'even', 1: 'odd'}");
	assert_true(engine_metadata(bytes_of(&file), "imgsz", &value));
	assert_true(span_equal(value, span_of_text("[8, 8]")));
	assert_false(engine_metadata(bytes_of(&file), "stride", &value));
	str_release(&file);
}

static void test_the_shape_to_try_is_guessed_from_the_port(void **state)
{
	int64_t shape[ENGINE_RANK_MAX];
	struct engine_port nchw = {.type = ENGINE_FLOAT32, .rank = 4, .shape = {-1, 3, -1, -1}};
	assert_int_equal(engine_probe_shape(&nchw, 640, shape), 4);
	assert_memory_equal(shape, ((int64_t[]){1, 3, 640, 640}), 4 * sizeof(int64_t));
	struct engine_port nhwc = {.type = ENGINE_UINT8, .rank = 4, .shape = {-1, -1, -1, 3}};
	assert_int_equal(engine_probe_shape(&nhwc, 320, shape), 4);
	assert_memory_equal(shape, ((int64_t[]){1, 320, 320, 3}), 4 * sizeof(int64_t));
	struct engine_port open = {.type = ENGINE_FLOAT32, .rank = 4, .shape = {-1, -1, -1, -1}};
	assert_int_equal(engine_probe_shape(&open, 64, shape), 4);
	assert_memory_equal(shape, ((int64_t[]){1, 3, 64, 64}), 4 * sizeof(int64_t));
	struct engine_port fixed = {.type = ENGINE_FLOAT32, .rank = 4, .shape = {2, 1, 28, 28}};
	assert_int_equal(engine_probe_shape(&fixed, 640, shape), 4);
	assert_memory_equal(shape, ((int64_t[]){2, 1, 28, 28}), 4 * sizeof(int64_t));
	struct engine_port row = {.type = ENGINE_FLOAT32, .rank = 2, .shape = {-1, 784}};
	assert_int_equal(engine_probe_shape(&row, 640, shape), 2);
	assert_int_equal(shape[0], 1);
	struct engine_port unknown_row = {.type = ENGINE_FLOAT32, .rank = 2, .shape = {-1, -1}};
	assert_int_equal(engine_probe_shape(&unknown_row, 640, shape), 0);
	struct engine_port unknown = {.type = ENGINE_FLOAT32, .rank = -1};
	assert_int_equal(engine_probe_shape(&unknown, 640, shape), 0);
	struct engine_port other = {.type = ENGINE_OTHER, .rank = 4, .shape = {1, 3, 8, 8}};
	assert_int_equal(engine_probe_shape(&other, 640, shape), 0);
}

static void test_initialisers_listed_as_inputs_are_none(void **state)
{
	static struct engine_description d;
	for (int64_t ir_version = 3; ir_version <= 4; ir_version++) {
		struct onnx_graph g;
		struct str file;
		struct err err;
		str_init(&file, 1 << 20);
		onnx_graph_init(&g);
		onnx_input(&g, "w", ONNX_FLOAT, ONNX_SHAPE(16, 3, 1, 1));
		onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
		add_wide_convolution(&g, 16);
		onnx_output(&g, "wide", ONNX_FLOAT, image_shape(16, 8));
		onnx_write(&file, &g, &(struct onnx_model){.opset = 9, .ir_version = ir_version});
		assert_int_equal(inspect(bytes_of(&file), &d, &err), ST_OK);
		assert_int_equal(d.input_count, 1);
		assert_string_equal(d.inputs[0].name, "image");
		/* From version 4 on they are variables, unless the file is declared version 3 again. */
		assert_int_equal(onnx_lists_initialisers(bytes_of(&file)), ir_version >= 4);
		onnx_graph_release(&g);
		str_release(&file);
	}
}

static void test_what_cannot_run_here_is_refused_with_a_reason(void **state)
{
	struct str file;
	str_init(&file, 1 << 20);
	model_external_data(&file, "/etc/passwd");
	refused(&file, "'secret' keeps its data in another file");
	model_custom_operator(&file);
	refused(&file, "the custom operator Sparkle of the domain 'com.example'");
	refused(&file, "empty");
	str_append(&file, "PK\003\004 archive/data.pkl");
	refused(&file, "zip archive");
	str_append(&file, "version https://git-lfs.github.com/spec/v1");
	refused(&file, "Git LFS pointer");
	str_append(&file, "no model at all");
	refused(&file, "");
	wire_put_number(&file, 1, 8);
	refused(&file, "no graph");
	struct onnx_graph g;
	onnx_graph_init(&g);
	onnx_write(&file, &g, &(struct onnx_model){.opset = 13});
	refused(&file, "no inputs");
	onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
	onnx_write(&file, &g, &(struct onnx_model){.opset = 13});
	refused(&file, "no outputs");
	for (int i = 0; i <= ENGINE_TENSORS_MAX; i++)
		onnx_output(&g, "result", ONNX_FLOAT, image_shape(3, 8));
	onnx_write(&file, &g, &(struct onnx_model){.opset = 13});
	refused(&file, "more than 16 outputs");
	onnx_graph_release(&g);
}

/* `depth` graphs, each in an If of the next; the innermost one has the node. */
static void nest(struct onnx_graph *g, unsigned depth, const char *innermost)
{
	struct onnx_graph inner;
	if (depth == 0) {
		onnx_node(g, innermost, "image", "x", NULL);
		return;
	}
	onnx_graph_init(&inner);
	nest(&inner, depth - 1, innermost);
	onnx_node(g, "If", "image", "y", ONNX_ATTRIBUTES(ONNX_GRAPH("then_branch", &inner)));
	onnx_graph_release(&inner);
}

static void nested(struct str *file, unsigned depth, const char *innermost)
{
	struct onnx_graph g;
	onnx_graph_init(&g);
	onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
	onnx_output(&g, "y", ONNX_FLOAT, image_shape(3, 8));
	nest(&g, depth, innermost);
	str_init(file, 1 << 20);
	finish_model(&g, file, NULL);
}

static void test_inner_graphs_are_looked_through(void **state)
{
	static struct engine_description d;
	struct str file;
	struct err err;
	nested(&file, 3, "Relu");
	assert_int_equal(inspect(bytes_of(&file), &d, &err), ST_OK);
	str_release(&file);
	nested(&file, 3, "com.example::Sparkle");
	refused(&file, "Sparkle");
	nested(&file, 100, "Relu");
	refused(&file, "nests graphs more than");
}

static void test_constants_of_nodes_are_looked_at(void **state)
{
	static struct engine_description d;
	static const float values[6] = {0};
	struct onnx_graph g;
	struct str file, tensor;
	struct err err;
	str_init(&file, 1 << 20);
	str_init(&tensor, 1 << 20);
	onnx_tensor(&tensor, "", ONNX_FLOAT, ONNX_SHAPE(2, 3), values);
	onnx_graph_init(&g);
	onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
	onnx_output(&g, "y", ONNX_FLOAT, ONNX_SHAPE(2, 3));
	onnx_node(&g, "Constant", "", "y", ONNX_ATTRIBUTES(ONNX_TENSOR("value", bytes_of(&tensor))));
	onnx_write(&file, &g, &(struct onnx_model){.opset = 13});
	assert_int_equal(inspect(bytes_of(&file), &d, &err), ST_OK);
	assert_int_equal(d.weights_bytes, 24);
	onnx_graph_release(&g);

	str_clear(&file);
	wire_put_number(&tensor, 14, 1); /* data_location = EXTERNAL */
	onnx_graph_init(&g);
	onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
	onnx_output(&g, "y", ONNX_FLOAT, ONNX_SHAPE(2, 3));
	onnx_node(&g, "Constant", "", "y", ONNX_ATTRIBUTES(ONNX_TENSOR("value", bytes_of(&tensor))));
	finish_model(&g, &file, NULL);
	refused(&file, "another file");
	str_release(&tensor);
}

static void test_operators_that_the_file_defines_are_standard_enough(void **state)
{
	static struct engine_description d;
	struct str file, function;
	struct err err;
	str_init(&file, 1 << 20);
	str_init(&function, 1 << 20);
	model_custom_operator(&file);
	wire_put_text(&function, 1, "Sparkle");
	wire_put_text(&function, 10, "com.example");
	wire_put_bytes(&file, 25, bytes_of(&function));
	assert_int_equal(inspect(bytes_of(&file), &d, &err), ST_OK);
	/* … but what is inside them counts, too. */
	struct onnx_graph inside;
	str_init(&inside.bytes, 1 << 20);
	onnx_node(&inside, "org.other::Glitter", "x", "y", NULL);
	struct wire wire = wire_of(bytes_of(&inside.bytes));
	struct wire_field node;
	assert_true(wire_next(&wire, &node));
	wire_put_bytes(&function, 7, node.bytes);
	wire_put_bytes(&file, 25, bytes_of(&function));
	onnx_graph_release(&inside);
	str_release(&function);
	refused(&file, "Glitter");
}

/* Protobuf merges a graph that occurs twice: so must we, or ONNX Runtime would run what we did not see. */
static void test_a_second_graph_is_merged(void **state)
{
	static struct engine_description d;
	struct str file, twice;
	struct err err;
	str_init(&file, 1 << 20);
	str_init(&twice, 1 << 20);
	model_classifier(&file, 8, NULL, NULL);
	tap_append_output(&file, span_of_text("active"));
	assert_int_equal(inspect(bytes_of(&file), &d, &err), ST_OK);
	assert_int_equal(d.output_count, 2);
	assert_string_equal(d.outputs[1].name, "active");
	assert_string_equal(d.outputs[1].made_by, "Relu");
	assert_int_equal(d.outputs[1].rank, -1);
	model_custom_operator(&twice);
	str_append_bytes(&file, twice.text, twice.size);
	str_release(&twice);
	refused(&file, "Sparkle");
}

static void test_no_prefix_of_a_model_crashes_or_passes(void **state)
{
	static struct engine_description d;
	struct str file;
	struct err err;
	str_init(&file, 1 << 20);
	model_classifier(&file, 8, NULL, NULL);
	size_t without_opset = file.size - 6;
	for (size_t size = 0; size < file.size; size++) {
		enum status st = inspect(span_of(file.text, size), &d, &err);
		/* Cut just behind the graph it is a model that states no opset. */
		assert_int_equal(st, size == without_opset ? ST_OK : ST_UNPROCESSABLE);
	}
	str_release(&file);
}

static void test_no_changed_byte_crashes(void **state)
{
	static struct engine_description d;
	struct str file;
	struct err err;
	str_init(&file, 1 << 20);
	model_loop(&file);
	for (size_t i = 0; i < file.size; i++) {
		char before = file.text[i];
		static const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff};
		for (size_t v = 0; v < sizeof(values); v++) {
			file.text[i] = (char)values[v];
			enum status st = inspect(bytes_of(&file), &d, &err);
			assert_true(st == ST_OK || st == ST_UNPROCESSABLE);
		}
		file.text[i] = before;
	}
	str_release(&file);
}

static void test_names_are_fit_for_json_and_logs(void **state)
{
	static struct engine_description d;
	struct onnx_graph g;
	struct str file;
	struct err err;
	str_init(&file, 1 << 20);
	onnx_graph_init(&g);
	onnx_input(&g, "bi\xffld\n\xc3\xa4", ONNX_FLOAT, image_shape(3, 8));
	onnx_output(&g, "\xed\xa0\x80", ONNX_FLOAT, image_shape(3, 8));
	finish_model(&g, &file, NULL);
	assert_int_equal(inspect(bytes_of(&file), &d, &err), ST_OK);
	assert_string_equal(d.inputs[0].name, "bi?ld?\xc3\xa4");
	assert_string_equal(d.outputs[0].name, "???");
	str_release(&file);

	char out[8];
	sentence_clean(
		span_of_text("123456\xc3\xa4"), out, sizeof(out)); /* the last character does not fit whole */
	assert_string_equal(out, "123456");
	char text[100];
	sentence_of_runtime("Node (x) Op (Conv) [ShapeInferenceError] bad.\nmore", text, sizeof(text));
	assert_string_equal(text, "Node (x) Op (Conv) [ShapeInferenceError] bad");
	sentence_of_runtime(
		"Status Message: /onnxruntime_src/onnxruntime/core/x.cc:61 onnxruntime::common::Status "
		"onnxruntime::F::G(int, T&) const Dimension 3 is wrong.",
		text, sizeof(text));
	assert_string_equal(text, "Status Message: Dimension 3 is wrong");
}

static void test_names_are_found_whatever_their_number(void **state)
{
	struct name_set n;
	static char text[5000][16];
	name_set_init(&n, 5000);
	for (int i = 0; i < 5000; i++) {
		snprintf(text[i], sizeof(text[i]), "t%d", i);
		assert_false(name_set_has(&n, span_of_text(text[i]), (struct span){0}));
		assert_true(name_set_add(&n, span_of_text(text[i]), (struct span){0}));
		assert_true(name_set_add(&n, span_of_text(text[i]), (struct span){0}));
	}
	for (int i = 0; i < 5000; i++)
		assert_true(name_set_has(&n, span_of_text(text[i]), (struct span){0}));
	assert_false(name_set_has(&n, span_of_text("t"), span_of_text("1"))); /* two parts are not one name */
	assert_false(name_set_add(&n, span_of_text("one too many"), (struct span){0}));
	name_set_release(&n);
}

static void test_candidates_depend_on_the_input_and_are_no_outputs(void **state)
{
	struct onnx_graph g;
	struct str file;
	struct arena a;
	struct err err;
	struct span *names;
	size_t count;
	str_init(&file, 1 << 20);
	arena_init(&a);
	onnx_graph_init(&g);
	onnx_input(&g, "image", ONNX_FLOAT, image_shape(3, 8));
	add_wide_convolution(&g, 16);
	onnx_node(&g, "Mul", "w w", "constant", NULL);
	onnx_node(&g, "Relu", "wide", "active", NULL);
	onnx_node(&g, "Transpose", "active", "turned", NULL);
	onnx_node(&g, "MaxPool", "turned", "pooled", NULL);
	onnx_node(&g, "Sigmoid", "pooled", "result", NULL);
	onnx_output(&g, "result", ONNX_FLOAT, image_shape(16, 4));
	finish_model(&g, &file, NULL);
	assert_int_equal(onnx_candidates(bytes_of(&file), &a, &names, &count, &err), ST_OK);
	assert_int_equal(count, 3);
	assert_true(span_equal(names[0], span_of_text("wide")));
	assert_true(span_equal(names[1], span_of_text("active")));
	assert_true(span_equal(names[2], span_of_text("pooled")));
	arena_release(&a);
	str_release(&file);
}

static void test_the_deepest_map_is_the_best_tap(void **state)
{
	const struct tap_shape none = {0}, map = {512, 13, 13}, wide = {1024, 13, 13}, early = {64, 52, 52},
			       pooled = {32, 1, 1}, gate = {1, 1, 1}, few = {4, 1, 1}, open = {512, -1, -1};
	assert_true(tap_better(map, none));
	assert_true(tap_better(map, early));
	assert_false(tap_better(early, map));
	assert_true(tap_better(wide, map));
	assert_true(tap_better(map, map)); /* the later one */
	assert_true(tap_better(pooled, wide));
	assert_false(tap_better(gate, none));
	assert_false(tap_better(few, map)); /* too few channels to say much … */
	assert_true(tap_better(few, none)); /* … but better than nothing */
	assert_true(tap_better(map, few));
	assert_false(tap_better(open, none));
}

/* Expected bits: numpy.float16(value).view(numpy.uint16). */
static void test_half_floats_round_to_nearest_even(void **state)
{
	static const struct {
		float value;
		uint16_t bits;
	} cases[] = {{0.0F, 0x0000}, {1.0F, 0x3c00}, {-2.0F, 0xc000}, {0.1F, 0x2e66}, {3.14159265F, 0x4248},
		{65504.0F, 0x7bff}, {1e-3F, 0x1419}, {6.1e-5F, 0x03ff}, {6.0975552e-5F, 0x03ff},
		{1e-7F, 0x0002}, {2.98023224e-8F, 0x0000}, {3.0e-8F, 0x0001}, {5.960464e-8F, 0x0001},
		{2049.0F, 0x6800}, {2051.0F, 0x6802}, {1.00048828125F, 0x3c00}, {1.00146484375F, 0x3c02},
		{0.33325195F, 0x3555}, {123.456F, 0x57b7}, {-0.00012345F, 0x880c}};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (tap_half(cases[i].value) != cases[i].bits)
			fail_msg("%g gives %04x, not %04x", (double)cases[i].value, tap_half(cases[i].value),
				cases[i].bits);
	assert_int_equal(tap_half(NAN), 0);
	assert_int_equal(tap_half(INFINITY), 0x7bff);
	assert_int_equal(tap_half(-1e9F), 0xfbff);
	for (uint32_t bits = 0; bits < 0x10000; bits++) /* every finite half comes back */
		if ((bits & 0x7c00) != 0x7c00)
			assert_int_equal(tap_half(tap_float((uint16_t)bits)), bits);
	assert_true(isinf(tap_float(0x7c00)) && isnan(tap_float(0x7e00)));
}

static void test_pooling_takes_means_and_folds(void **state)
{
	enum { CHANNELS = 600, AREA = 7 };
	static float data[CHANNELS * AREA];
	static uint16_t halves[CHANNELS * AREA];
	uint16_t out[ENGINE_FEATURES_MAX];
	for (int i = 0; i < CHANNELS * AREA; i++) {
		data[i] = (float)((i * 37) % 101) / 16;
		halves[i] = tap_half(data[i]);
	}
	assert_int_equal(tap_pool(data, false, 5, AREA, out), 5);
	for (int c = 0; c < 5; c++) {
		double sum = 0;
		for (int i = 0; i < AREA; i++)
			sum += (double)data[c * AREA + i];
		assert_int_equal(out[c], tap_half((float)(sum / AREA)));
	}
	/* 600 channels fold to 256: value i is the mean of channels [i*600/256, (i+1)*600/256). */
	assert_int_equal(tap_pool(data, false, CHANNELS, AREA, out), ENGINE_FEATURES_MAX);
	uint16_t from_halves[ENGINE_FEATURES_MAX];
	assert_int_equal(tap_pool(halves, true, CHANNELS, AREA, from_halves), ENGINE_FEATURES_MAX);
	for (int i = 0; i < ENGINE_FEATURES_MAX; i++) {
		double sum = 0;
		int from = i * CHANNELS / ENGINE_FEATURES_MAX, to = (i + 1) * CHANNELS / ENGINE_FEATURES_MAX;
		for (int at = from * AREA; at < to * AREA; at++)
			sum += (double)data[at];
		assert_int_equal(out[i], tap_half((float)(sum / ((to - from) * AREA))));
		assert_int_equal(out[i], from_halves[i]); /* the values are exact halves */
	}
}

/* The real files: what the onnx package says of them (test/golden/engine.py). */
static void test_real_models_are_read_like_the_onnx_package_does(void **state)
{
	static struct engine_description d;
	const char *folder = test_data_folder();
	if (folder == NULL) {
		print_message("[  SKIP  ] no real data: set GYRE_TEST_DATA\n");
		skip();
	}
	char golden[PATH_MAX], line[512];
	assert_non_null(test_find("test/golden/engine.txt", golden));
	FILE *f = fopen(golden, "re");
	assert_non_null(f);
	unsigned seen = 0;
	while (fgets(line, sizeof(line), f)) {
		char name[256], path[PATH_MAX];
		unsigned inputs, outputs, opset;
		unsigned long long weights;
		if (sscanf(line, "graph %255s %u %u %u %llu", name, &inputs, &outputs, &opset, &weights) != 5)
			continue;
		struct span file;
		struct err err;
		snprintf(path, sizeof(path), "%.3000s/models/%s", folder, name);
		assert_int_equal(file_map(path, &file, &err), ST_OK);
		assert_int_equal(engine_inspect(file, &d, &err), ST_OK);
		assert_int_equal(d.input_count, inputs);
		assert_int_equal(d.output_count, outputs);
		assert_int_equal(d.opset, opset);
		assert_int_equal(d.weights_bytes, weights);
		assert_int_equal(onnx_lists_initialisers(file), strstr(name, "ultraface") != NULL);
		file_unmap(file);
		seen++;
	}
	fclose(f);
	assert_int_equal(seen, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_classifier_is_described),
		cmocka_unit_test(test_the_shape_to_try_is_guessed_from_the_port),
		cmocka_unit_test(test_initialisers_listed_as_inputs_are_none),
		cmocka_unit_test(test_what_cannot_run_here_is_refused_with_a_reason),
		cmocka_unit_test(test_inner_graphs_are_looked_through),
		cmocka_unit_test(test_constants_of_nodes_are_looked_at),
		cmocka_unit_test(test_operators_that_the_file_defines_are_standard_enough),
		cmocka_unit_test(test_a_second_graph_is_merged),
		cmocka_unit_test(test_no_prefix_of_a_model_crashes_or_passes),
		cmocka_unit_test(test_no_changed_byte_crashes),
		cmocka_unit_test(test_names_are_fit_for_json_and_logs),
		cmocka_unit_test(test_names_are_found_whatever_their_number),
		cmocka_unit_test(test_candidates_depend_on_the_input_and_are_no_outputs),
		cmocka_unit_test(test_the_deepest_map_is_the_best_tap),
		cmocka_unit_test(test_half_floats_round_to_nearest_even),
		cmocka_unit_test(test_pooling_takes_means_and_folds),
		cmocka_unit_test(test_real_models_are_read_like_the_onnx_package_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
