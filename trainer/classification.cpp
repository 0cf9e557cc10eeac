// SPDX-License-Identifier: Apache-2.0
// One class a picture: cross-entropy on the scores before the softmax, accuracy to judge.
#include "trainer/objectives.h"

#include <cmath>

namespace
{
const double smoothing = 0.05; // of the true class's weight, over all classes
const double spread_max = 4;   // of scores, as it is of models that were trained on normalised pictures

class Classification : public Objective
{
      public:
	Classification(const graph_file &file, const job &job) : job_(job)
	{
		const recipe &r = job.recipe;
		logits_ = before_probabilities(file, file.outputs[r.tensors[0]].name);
		first_ = r.background == BACKGROUND_FIRST ? 1 : 0;
	}
	std::vector<std::string> taps() const override
	{
		return {logits_};
	}
	// Scores of hundreds, as of networks that take pixels of 0…255, would first have to shrink, and the
	// network dies of that. Their softmax is taken as if they were smaller; which class is the best
	// stays.
	void look(const std::vector<at::Tensor> &tapped) override
	{
		at::Tensor all = scores(tapped[0]).to(at::kDouble);
		double spread = (all - all.mean(1, true)).pow(2).mean().sqrt().item<double>();
		temperature_ = std::isfinite(spread) && spread > spread_max ? spread / spread_max : 1;
	}
	Losses loss(const std::vector<at::Tensor> &tapped, const Batch &batch) override
	{
		at::Tensor likely = at::log_softmax(scores(tapped[0]) / temperature_, 1);
		at::Tensor right = likely.gather(1, (batch.classes + first_).unsqueeze(1)).squeeze(1);
		at::Tensor each = right * (1 - smoothing) + likely.mean(1) * smoothing;
		return {-each.mean(), {}};
	}
	void judge(const std::vector<at::Tensor> &tapped, const Batch &batch) override
	{
		// A background class is no answer, as when the server reads the scores.
		at::Tensor labels =
			scores(tapped[0]).narrow(1, first_, static_cast<int64_t>(job_.label_count));
		right_ += labels.argmax(1).eq(batch.classes).sum().item<int64_t>();
		count_ += batch.classes.size(0);
	}
	Named metrics() override
	{
		double accuracy = count_ ? static_cast<double>(right_) / static_cast<double>(count_) : 0;
		right_ = count_ = 0;
		return {{"accuracy", accuracy}};
	}

      private:
	// N x C, whatever sides of one the graph has behind.
	at::Tensor scores(const at::Tensor &tapped) const
	{
		at::Tensor flat = tapped.reshape({tapped.size(0), -1});
		if (flat.size(1) != static_cast<int64_t>(job_.recipe.class_count))
			throw Refused("The model's output has " + std::to_string(flat.size(1)) +
				      " classes, not the " + std::to_string(job_.recipe.class_count) +
				      " of its recipe.");
		return flat;
	}

	const job &job_;
	std::string logits_;
	double temperature_ = 1;
	int64_t first_, right_ = 0, count_ = 0;
};
} // namespace

std::unique_ptr<Objective> classification_objective(const graph_file &file, const job &job)
{
	return std::make_unique<Classification>(file, job);
}
