// SPDX-License-Identifier: Apache-2.0
// The graph's order, its constants and its weights. What a node does is ops.cpp.
#include "trainer/net.h"

#include <set>

namespace
{
at::ScalarType scalar_type(graph_type type)
{
	switch (type) {
	case GRAPH_FLOAT: return at::kFloat;
	case GRAPH_DOUBLE: return at::kDouble;
	case GRAPH_FLOAT16: return at::kHalf;
	case GRAPH_INT64: return at::kLong;
	case GRAPH_INT32: return at::kInt;
	case GRAPH_INT8: return at::kChar;
	case GRAPH_UINT8: return at::kByte;
	case GRAPH_BOOL: return at::kBool;
	}
	throw Refused("A tensor of the model is of a type that is not known here.");
}

// Inputs of operators that are trained: operator, first and last input.
struct Weights {
	const char *op;
	size_t first, last;
};
const Weights weights[] = {{"Conv", 1, 2}, {"ConvTranspose", 1, 2}, {"Gemm", 1, 2}, {"MatMul", 1, 1},
	{"Add", 0, 1}, {"BatchNormalization", 1, 2}, {"InstanceNormalization", 1, 2},
	{"LayerNormalization", 1, 2}, {"PRelu", 1, 1}};

// Steps of one, one after the other: bin numbers of a distance that is read from a distribution, which are no
// weight.
bool counts_up(const graph_tensor &t)
{
	const float *values = static_cast<const float *>(t.data);
	bool counts = t.count >= 4;
	for (size_t i = 1; i < t.count && counts; i++)
		counts = values[i] - values[i - 1] == 1.0f;
	return counts;
}
} // namespace

at::Tensor tensor_of(const graph_tensor &t)
{
	return at::from_blob(const_cast<void *>(t.data),
		at::IntArrayRef(t.sides, static_cast<size_t>(t.rank)), at::TensorOptions(scalar_type(t.type)))
		.clone();
}

ModelFile::ModelFile(std::vector<char> read) : bytes(std::move(read))
{
	char error[GRAPH_ERROR_SIZE] = "";
	if (!graph_file_read(bytes.data(), bytes.size(), &file, error)) {
		graph_file_release(&file);
		throw Refused(error);
	}
}

ModelFile::~ModelFile()
{
	graph_file_release(&file);
}

Net::Net(const graph_file &file) : file_(file)
{
	if (file.input_count != 1)
		throw Refused("The model has " + std::to_string(file.input_count) +
			      " inputs; one, of images, is needed.");
	input_ = slot(file.inputs[0].name);
	add_constants();
	add_steps();
	add_parameters();
	for (size_t i = 0; i < file.output_count; i++)
		outputs_.push_back(slot(file.outputs[i].name));
	at::NoGradGuard none;
	for (const Step &step : steps_)
		if (step.constant)
			run(step, false, 1);
}

int Net::slot(const std::string &name)
{
	auto [found, added] = slots_.try_emplace(name, static_cast<int>(values_.size()));
	if (added)
		values_.emplace_back();
	return found->second;
}

void Net::add_constants()
{
	for (size_t i = 0; i < file_.tensor_count; i++)
		values_[static_cast<size_t>(slot(file_.tensors[i].name))] = tensor_of(file_.tensors[i]);
}

void Net::add_steps()
{
	std::set<int> constant{-1};
	for (size_t i = 0; i < values_.size(); i++)
		if (values_[i].defined())
			constant.insert(static_cast<int>(i));
	for (size_t n = 0; n < file_.node_count; n++) {
		const graph_node &node = file_.nodes[n];
		std::string op = node.op;
		if (*node.domain && std::string(node.domain) != "ai.onnx")
			throw Refused("The model uses the operator " + op + " of " + node.domain +
				      ", which cannot be trained here.");
		if (!knows_operator(op))
			throw Refused(
				"The model uses the operator " + op + ", which cannot be trained here.");
		Step step{&node, {}, {}, true, false};
		for (size_t i = 0; i < node.input_count; i++) {
			step.inputs.push_back(*node.inputs[i] ? slot(node.inputs[i]) : -1);
			step.constant = step.constant && constant.count(step.inputs.back());
		}
		for (size_t i = 0; i < node.output_count; i++) {
			step.outputs.push_back(*node.outputs[i] ? slot(node.outputs[i]) : -1);
			if (step.constant)
				constant.insert(step.outputs.back());
		}
		steps_.push_back(std::move(step));
	}
}

void Net::add_parameters()
{
	std::set<std::string> seen;
	auto add = [&](const char *name, std::vector<Parameter> &list, bool trained) {
		const graph_tensor *tensor = graph_file_tensor(&file_, name);
		if (tensor == nullptr || tensor->type != GRAPH_FLOAT || tensor->file_at == 0 ||
			!seen.insert(name).second)
			return;
		at::Tensor &value = values_[static_cast<size_t>(slot(name))];
		if (value.dim() == 4) // convolutions are much faster so
			value = value.contiguous(at::MemoryFormat::ChannelsLast);
		value.set_requires_grad(trained);
		list.push_back({tensor, value});
	};
	for (size_t n = 0; n < file_.node_count; n++) {
		const graph_node &node = file_.nodes[n];
		for (const Weights &w : weights)
			for (size_t i = w.first;
				std::string(node.op) == w.op && i <= w.last && i < node.input_count; i++) {
				const graph_tensor *tensor = graph_file_tensor(&file_, node.inputs[i]);
				bool bias = std::string(node.op) != "Add" || (tensor && tensor->rank == 1);
				bool weight = tensor && tensor->type == GRAPH_FLOAT &&
					      !(i == w.first && counts_up(*tensor));
				if (weight && bias)
					add(node.inputs[i], parameters_, true);
			}
		if (std::string(node.op) == "BatchNormalization")
			for (size_t i = 3; i < 5 && i < node.input_count; i++)
				add(node.inputs[i], statistics_, false);
	}
}

void Net::run(const Step &step, bool training, int64_t batch)
{
	Values inputs;
	for (int input : step.inputs)
		inputs.push_back(input < 0 ? at::Tensor() : values_[static_cast<size_t>(input)]);
	for (size_t i = 0; i < inputs.size(); i++)
		if (step.inputs[i] >= 0 && !inputs[i].defined())
			throw Refused("The model's node " + std::string(step.node->name) + " reads " +
				      step.node->inputs[i] + ", which nothing before it makes.");
	Values outputs;
	try {
		outputs = run_node(*step.node, inputs, file_.opset, training && !step.frozen, batch);
	} catch (const c10::Error &e) {
		throw Refused(std::string("The model's node ") + step.node->name + " (" + step.node->op +
			      ") cannot be run: " + e.what_without_backtrace());
	}
	for (size_t i = 0; i < step.outputs.size() && i < outputs.size(); i++)
		if (step.outputs[i] >= 0)
			values_[static_cast<size_t>(step.outputs[i])] = outputs[i];
}

void Net::read(
	const at::Tensor &input, const std::vector<int> &slots, bool training, std::vector<at::Tensor> &out)
{
	const graph_port &port = file_.inputs[0];
	int64_t batch = port.rank > 0 && port.sides[0] == 1 ? input.size(0) : 1;
	values_[static_cast<size_t>(input_)] = input;
	for (const Step &step : steps_)
		if (!step.constant)
			run(step, training, batch);
	for (int slot : slots)
		out.push_back(values_[static_cast<size_t>(slot)]);
	for (const Step &step : steps_) // the graph of gradients holds what it needs
		for (int output : step.outputs)
			if (!step.constant && output >= 0)
				values_[static_cast<size_t>(output)] = at::Tensor();
}

std::vector<at::Tensor> Net::forward(const at::Tensor &input, const std::vector<int> &slots, bool training)
{
	std::vector<at::Tensor> out;
	if (!one_by_one_) {
		read(input, slots, training, out);
		return out;
	}
	std::vector<std::vector<at::Tensor>> parts(slots.size());
	for (int64_t i = 0; i < input.size(0); i++) {
		std::vector<at::Tensor> one;
		read(input.narrow(0, i, 1), slots, false,
			one); // statistics of one picture would be poor ones
		for (size_t k = 0; k < slots.size(); k++)
			parts[k].push_back(one[k]);
	}
	for (const std::vector<at::Tensor> &part : parts)
		out.push_back(at::cat(part, 0));
	return out;
}

std::vector<at::Tensor> Net::forward(const at::Tensor &input, bool training)
{
	return forward(input, outputs_, training);
}

std::vector<at::Tensor> Net::forward(
	const at::Tensor &input, const std::vector<std::string> &names, bool training)
{
	std::vector<int> slots;
	for (const std::string &name : names) {
		auto found = slots_.find(name);
		if (found == slots_.end())
			throw Refused("The model has no value called " + name + ".");
		slots.push_back(found->second);
	}
	return forward(input, slots, training);
}

void Net::try_batches(const at::Tensor &like, const std::vector<std::string> &names)
{
	at::NoGradGuard none;
	std::vector<int64_t> sides(like.sizes().begin(), like.sizes().end());
	sides[0] = 2;
	// Two unlike pictures, near what such inputs are.
	at::Tensor two = at::empty(sides, like.options());
	two.select(0, 0).copy_(like.select(0, 0));
	two.select(0, 1).copy_(like.select(0, 0).flip({-1}) * 0.5);
	std::vector<at::Tensor> together, alone;
	try {
		together = forward(two, names, false);
	} catch (const Refused &) { // said below when one by one fails too
	} catch (const c10::Error &) {
	}
	one_by_one_ = true;
	alone = forward(two, names, false);
	bool same = together.size() == alone.size();
	for (size_t i = 0; same && i < alone.size(); i++)
		same = together[i].sizes() == alone[i].sizes() &&
		       at::allclose(together[i].to(at::kDouble), alone[i].to(at::kDouble), 1e-3, 1e-3);
	one_by_one_ = !same;
}

void Net::train_only(const std::set<std::string> &names)
{
	std::vector<Parameter> kept;
	for (Parameter &p : parameters_) {
		bool trained = names.count(p.tensor->name) > 0;
		p.value.set_requires_grad(trained);
		if (trained)
			kept.push_back(p);
	}
	parameters_ = std::move(kept);
	for (Step &step : steps_)
		if (std::string(step.node->op) == "BatchNormalization" && step.node->input_count > 1)
			step.frozen = names.count(step.node->inputs[1]) == 0;
}

void Net::write(void *bytes) const
{
	for (const auto *list : {&parameters_, &statistics_})
		for (const Parameter &p : *list) {
			at::Tensor plain = p.value.detach().contiguous();
			graph_file_write(bytes, p.tensor, plain.data_ptr<float>());
		}
}
