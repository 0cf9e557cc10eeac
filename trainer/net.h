// SPDX-License-Identifier: Apache-2.0
// An ONNX graph on ATen: run node by node, so that autograd trains the file's own weights.
#pragma once

#include "trainer/graph_file.h"

#include <ATen/ATen.h>

#include <set>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

// Why a graph cannot be run or trained here: a sentence for people.
struct Refused : std::runtime_error {
	using std::runtime_error::runtime_error;
};

// A model's bytes and what they say, together. Refused: they say nothing that is understood.
struct ModelFile {
	std::vector<char> bytes;
	graph_file file{};

	explicit ModelFile(std::vector<char> read);
	~ModelFile();
	ModelFile(const ModelFile &) = delete;
};

// A weight of the file, as a leaf of autograd.
struct Parameter {
	const graph_tensor *tensor; // its name, and its place in the file
	at::Tensor value;
};

class Net
{
      public:
	// The file must live as long. Refused: an operator or a form of one that is not known here.
	explicit Net(const graph_file &file);

	// One input, N x C x H x W (or whatever the graph takes); the graph's outputs in their order.
	// training: batch normalisation by the batch's own statistics, which its running ones follow.
	std::vector<at::Tensor> forward(const at::Tensor &input, bool training = false);
	// The same, but the values of these names: Refused when the graph has no such value.
	std::vector<at::Tensor> forward(
		const at::Tensor &input, const std::vector<std::string> &names, bool training);

	// Does it take batches? A graph that was exported for one picture may say something else of two; then
	// they go through it one by one from here on. like: an input, whose first side does not matter.
	void try_batches(const at::Tensor &like, const std::vector<std::string> &names);
	// Only these weights are trained from here on; normalisations that are not keep their statistics.
	void train_only(const std::set<std::string> &names);

	// Weights and biases of convolutions, matrix products and normalisations that can be written back.
	std::vector<Parameter> &parameters()
	{
		return parameters_;
	}
	// Running means and variances, which follow in training.
	std::vector<Parameter> &statistics()
	{
		return statistics_;
	}
	// Writes every parameter, and the running statistics, over the old values in these bytes of the file.
	void write(void *bytes) const;

      private:
	struct Step {
		const graph_node *node;
		std::vector<int> inputs, outputs; // slots; -1: left out
		bool constant;                    // the same for every input: run once
		bool frozen;                      // never by the batch's own statistics
	};

	void add_constants();
	void add_steps();
	void add_parameters();
	int slot(const std::string &name);
	void run(const Step &step, bool training, int64_t batch);
	void read(const at::Tensor &input, const std::vector<int> &slots, bool training,
		std::vector<at::Tensor> &out);
	std::vector<at::Tensor> forward(
		const at::Tensor &input, const std::vector<int> &slots, bool training);

	const graph_file &file_;
	std::unordered_map<std::string, int> slots_;
	std::vector<at::Tensor> values_; // by slot
	std::vector<Step> steps_;
	std::vector<Parameter> parameters_;
	std::vector<Parameter> statistics_; // running means and variances
	int input_ = -1;
	std::vector<int> outputs_;
	bool one_by_one_ = false;
};

at::Tensor tensor_of(const graph_tensor &t); // a copy

// ops.cpp: what one node does. Inputs that are left out are undefined tensors.
using Values = std::vector<at::Tensor>;
// batch: pictures in this run of a graph that was exported for one; else 1.
Values run_node(const graph_node &node, const Values &inputs, int64_t opset, bool training, int64_t batch);
bool knows_operator(const std::string &op);
