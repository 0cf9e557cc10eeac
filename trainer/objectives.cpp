// SPDX-License-Identifier: Apache-2.0
#include "trainer/objectives.h"

#include "trainer/head.h"

namespace
{
bool is_one_of(const std::string &op, std::initializer_list<const char *> ops)
{
	for (const char *name : ops)
		if (op == name)
			return true;
	return false;
}
} // namespace

std::string before_probabilities(const graph_file &file, const std::string &output)
{
	std::string value = output;
	for (const graph_node *node;
		(node = head_maker(&file, value.c_str())) != nullptr && node->input_count > 0;) {
		if (is_one_of(node->op, {"Softmax", "LogSoftmax", "Sigmoid"}))
			return node->inputs[0];
		if (!is_one_of(node->op, {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast"}))
			break;
		value = node->inputs[0];
	}
	return output;
}

std::unique_ptr<Objective> objective_make(const graph_file &file, const job &job)
{
	for (uint32_t tensor : job.recipe.tensors)
		if (tensor >= file.output_count)
			throw Refused("The recipe reads an output that the model does not have.");
	switch (job.task) {
	case TASK_CLASSIFICATION: return classification_objective(file, job);
	case TASK_SEGMENTATION: return semantic_objective(file, job);
	case TASK_DETECTION: return dense_objective(file, job);
	case TASK_COUNT: break;
	}
	throw Refused("There is no such task.");
}
