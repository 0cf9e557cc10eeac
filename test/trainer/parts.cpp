// SPDX-License-Identifier: Apache-2.0
// Parts of gyre-train by themselves, for tests that have the same from elsewhere: a JSON object on standard
// input, one on standard output. Usage: trainer-parts assign|ciou|loss|judge|resize
#include "trainer/dense.h"
#include "trainer/head.h"

extern "C" {
#include "base/json.h"
#include "os/file.h"
}

#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>

namespace
{
using Floats = std::vector<float>;

arena memory;

yyjson_val *get(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	if (value == nullptr)
		throw std::runtime_error(std::string(key) + " is missing");
	return value;
}

// Numbers, however deep the lists are.
void flatten(yyjson_val *value, Floats &out)
{
	if (!yyjson_is_arr(value)) {
		out.push_back(static_cast<float>(yyjson_get_num(value)));
		return;
	}
	size_t i, count;
	yyjson_val *item;
	yyjson_arr_foreach (value, i, count, item)
		flatten(item, out);
}

Floats numbers(yyjson_val *object, const char *key)
{
	Floats out;
	flatten(get(object, key), out);
	return out;
}

template <class Values> void print(const char *key, const Values &values, const char *end)
{
	std::printf("\"%s\":[", key);
	const char *separator = "";
	for (auto v : values) {
		std::printf("%s%.9g", separator, static_cast<double>(v));
		separator = ",";
	}
	std::printf("]%s", end);
}

std::vector<assign_truth> truths_of(yyjson_val *list)
{
	Floats flat;
	flatten(list, flat);
	std::vector<assign_truth> out;
	for (size_t i = 0; i + 5 <= flat.size(); i += 5)
		out.push_back({{flat[i], flat[i + 1], flat[i + 2], flat[i + 3]},
			static_cast<int32_t>(flat[i + 4])});
	return out;
}

void assign(yyjson_val *in)
{
	Floats places = numbers(in, "places"), boxes = numbers(in, "boxes"), scores = numbers(in, "scores"),
	       objectness = numbers(in, "objectness");
	std::vector<assign_truth> truths = truths_of(get(in, "truths"));
	size_t count = places.size() / 3;
	assign_input input{reinterpret_cast<assign_place *>(places.data()),
		reinterpret_cast<box *>(boxes.data()), scores.data(), objectness.data(), count,
		scores.size() / count, truths.data(), truths.size()};
	std::vector<int32_t> truth(count);
	Floats target(count);
	assign_output output{truth.data(), target.data()};
	if (std::strcmp(yyjson_get_str(get(in, "kind")), "aligned") == 0)
		assign_task_aligned(&input, &memory, &output);
	else
		assign_sim_ota(
			&input, static_cast<float>(yyjson_get_num(get(in, "radius"))), &memory, &output);
	std::printf("{");
	print("truth", truth, ",");
	print("target", target, "}\n");
}

Floats floats_of(const at::Tensor &t)
{
	at::Tensor plain = t.detach().contiguous();
	return Floats(plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel());
}

void ciou(yyjson_val *in)
{
	Floats a = numbers(in, "a"), b = numbers(in, "b");
	at::Tensor first = at::tensor(at::ArrayRef<float>(a)).reshape({-1, 4}).set_requires_grad(true);
	at::Tensor said = complete_iou(first, at::tensor(at::ArrayRef<float>(b)).reshape({-1, 4}));
	said.sum().backward();
	std::printf("{");
	print("value", floats_of(said), ",");
	print("gradient", floats_of(first.grad()), "}\n");
}

const char **texts(yyjson_val *list, size_t &count)
{
	count = yyjson_arr_size(list);
	const char **out = static_cast<const char **>(arena_zalloc(&memory, count + 1, sizeof(*out)));
	for (size_t i = 0; i < count; i++)
		out[i] = yyjson_get_str(yyjson_arr_get(list, i));
	return out;
}

// The model's file, and a job for it.
struct Subject {
	span bytes{};
	graph_file file{};
	job what{};

	explicit Subject(yyjson_val *in)
	{
		err error{};
		char sentence[GRAPH_ERROR_SIZE] = "";
		if (file_read(yyjson_get_str(get(in, "model")), size_t{1} << 30, &memory, &bytes, &error) !=
				ST_OK ||
			recipe_parse(get(in, "recipe"), &what.recipe, &error) != ST_OK)
			throw Refused(error.text);
		if (!graph_file_read(bytes.data, bytes.size, &file, sentence))
			throw Refused(sentence);
		what.task = what.recipe.task;
		what.seed = 1;
		what.labels = texts(get(in, "labels"), what.label_count);
	}
	~Subject()
	{
		graph_file_release(&file);
	}
	Subject(const Subject &) = delete;
};

Batch batch_of(yyjson_val *in)
{
	Batch batch;
	size_t i, count;
	yyjson_val *item;
	yyjson_arr_foreach (get(in, "truths"), i, count, item) {
		batch.boxes.emplace_back();
		for (const assign_truth &t : truths_of(item))
			batch.boxes.back().push_back(
				{t.box.x1, t.box.y1, t.box.x2, t.box.y2, t.label, false});
		batch.ids.push_back(static_cast<int64_t>(i) + 1);
	}
	return batch;
}

at::Tensor output_of(yyjson_val *in)
{
	Floats flat = numbers(in, "output"), sides = numbers(in, "sides");
	return at::tensor(at::ArrayRef<float>(flat))
		.reshape(std::vector<int64_t>(sides.begin(), sides.end()));
}

void loss(yyjson_val *in)
{
	Subject subject(in);
	at::Tensor output = output_of(in).set_requires_grad(true);
	Losses losses = dense_objective(subject.file, subject.what)->loss({output}, batch_of(in));
	losses.total.backward();
	std::printf("{\"total\":%.9g,", losses.total.item().toDouble());
	for (const auto &[name, value] : losses.parts)
		std::printf("\"%s\":%.9g,", name.c_str(), value);
	print("gradient", floats_of(output.grad()), "}\n");
}

void judge(yyjson_val *in)
{
	Subject subject(in);
	std::unique_ptr<Objective> objective = dense_objective(subject.file, subject.what);
	objective->judge({output_of(in)}, batch_of(in));
	std::printf("{");
	const char *separator = "";
	for (const auto &[name, value] : objective->metrics()) {
		std::printf("%s\"%s\":%.12g", separator, name.c_str(), value);
		separator = ",";
	}
	std::printf("}\n");
}

void resize(yyjson_val *in)
{
	Subject subject(in);
	subject.what.base_labels = texts(get(in, "base_labels"), subject.what.base_label_count);
	void *out;
	size_t size;
	char sentence[GRAPH_ERROR_SIZE] = "";
	recipe recipe = subject.what.recipe;
	if (!head_resize(
		    subject.bytes.data, subject.bytes.size, &subject.what, &recipe, &out, &size, sentence))
		throw Refused(sentence);
	err error{};
	if (file_write_durable(yyjson_get_str(get(in, "output")), span{static_cast<uint8_t *>(out), size},
		    0644, &error) != ST_OK)
		throw std::runtime_error(error.text);
	std::free(out);
	std::printf("{\"class_count\":%u}\n", recipe.class_count);
}

const struct {
	const char *name;
	void (*run)(yyjson_val *in);
} parts[] = {{"assign", assign}, {"ciou", ciou}, {"loss", loss}, {"judge", judge}, {"resize", resize}};
} // namespace

int main(int argc, char **argv)
{
	arena_init(&memory);
	setenv("OMP_NUM_THREADS", "1", 1);
	std::string text{std::istreambuf_iterator<char>(std::cin), {}};
	yyjson_doc *doc;
	err error{};
	if (json_parse(span{reinterpret_cast<const uint8_t *>(text.data()), text.size()}, &memory, &doc,
		    &error) != ST_OK) {
		std::fprintf(stderr, "%s\n", error.text);
		return 2;
	}
	try {
		for (const auto &part : parts)
			if (argc > 1 && std::strcmp(part.name, argv[1]) == 0)
				part.run(yyjson_doc_get_root(doc));
	} catch (const std::exception &refused) {
		std::fprintf(stderr, "%s\n", refused.what());
		return 3;
	}
	arena_release(&memory);
	return 0;
}
