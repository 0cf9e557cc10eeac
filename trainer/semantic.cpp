// SPDX-License-Identifier: Apache-2.0
// A class for each pixel: cross-entropy on the scores before the softmax, mean IoU over the labels to judge.
#include "trainer/objectives.h"

namespace
{
const int64_t nothing = -1; // of a pixel that does not count

class Semantic : public Objective
{
      public:
	Semantic(const graph_file &file, const job &job) : job_(job), recipe_(job.recipe)
	{
		const graph_port &output = file.outputs[recipe_.tensors[0]];
		if (output.rank == 3 || (output.type != GRAPH_FLOAT && output.type != GRAPH_DOUBLE))
			throw Refused(
				"The model says the class of each pixel and not the scores of all classes, "
				"so that "
				"nothing can be learnt from a wrong one. Export it without the last ArgMax.");
		logits_ = before_probabilities(file, output.name);
		if (logits_ == output.name && recipe_.probabilities)
			throw Refused("The model's output are probabilities, but no Softmax or Sigmoid makes "
				      "them.");
	}
	std::vector<std::string> taps() const override
	{
		return {logits_};
	}
	Losses loss(const std::vector<at::Tensor> &tapped, const Batch &batch) override
	{
		at::Tensor logits = scores(tapped[0]);
		at::Tensor truth = channels_of(small(batch.masks, logits));
		at::Tensor likely = at::log_softmax(logits, 1);
		at::Tensor counts = truth.ne(nothing);
		at::Tensor right = likely.gather(1, truth.clamp_min(0).unsqueeze(1)).squeeze(1);
		return {-(right * counts).sum() / counts.sum().clamp_min(1), {}};
	}
	void judge(const std::vector<at::Tensor> &tapped, const Batch &batch) override
	{
		at::Tensor logits = scores(tapped[0]);
		at::Tensor truth = channels_of(small(batch.masks, logits)).flatten();
		at::Tensor guess = logits.argmax(1).flatten();
		at::Tensor counts = truth.ne(nothing);
		int64_t classes = recipe_.class_count;
		at::Tensor cells = (truth * classes + guess).masked_select(counts);
		at::Tensor table = at::bincount(cells, {}, classes * classes).reshape({classes, classes});
		table_ = table_.defined() ? table_ + table : table;
	}
	Named metrics() override
	{
		double sum = 0;
		int64_t occurring = 0, right = 0, all = 0;
		for (int64_t c = 0; table_.defined() && c < recipe_.class_count; c++) {
			int64_t both = table_[c][c].item<int64_t>();
			int64_t either = (table_[c].sum() + table_.select(1, c).sum()).item<int64_t>() - both;
			right += both;
			all += table_[c].sum().item<int64_t>();
			if (c == background() || either == 0)
				continue;
			sum += static_cast<double>(both) / static_cast<double>(either);
			occurring++;
		}
		table_ = at::Tensor();
		return {{"IoU", occurring ? sum / static_cast<double>(occurring) : 0},
			{"pixel_accuracy", all ? static_cast<double>(right) / static_cast<double>(all) : 0}};
	}

      private:
	int64_t background() const
	{
		if (recipe_.background == BACKGROUND_NONE)
			return nothing;
		return recipe_.background == BACKGROUND_FIRST ? 0 : recipe_.class_count - 1;
	}
	// N x C x H x W.
	at::Tensor scores(const at::Tensor &tapped) const
	{
		int64_t classes = recipe_.class_count;
		if (tapped.dim() == 4 && tapped.size(1) == classes)
			return tapped;
		if (tapped.dim() == 4 && tapped.size(3) == classes)
			return tapped.permute({0, 3, 1, 2});
		throw Refused("The model's output is not a score for each of " + std::to_string(classes) +
			      " classes and each pixel.");
	}
	// The true classes on the output's raster: of the pixel in the middle of each of its cells.
	static at::Tensor small(const at::Tensor &masks, const at::Tensor &logits)
	{
		int64_t height = logits.size(2), width = logits.size(3);
		if (masks.size(1) == height && masks.size(2) == width)
			return masks;
		auto middles = [](int64_t cells, int64_t side) {
			return at::floor((at::arange(cells, at::kDouble) + 0.5) * side / cells).to(at::kLong);
		};
		return masks.index_select(1, middles(height, masks.size(1)))
			.index_select(2, middles(width, masks.size(2)));
	}
	// Labels as the output counts them; what is none of them is its background, or does not count.
	at::Tensor channels_of(const at::Tensor &labels) const
	{
		int64_t first = recipe_.background == BACKGROUND_FIRST ? 1 : 0;
		at::Tensor other = labels.eq(static_cast<int64_t>(job_.label_count)),
			   none = labels.eq(nothing);
		return (labels + first).masked_fill(other, background()).masked_fill(none, nothing);
	}

	const job &job_;
	const recipe &recipe_;
	std::string logits_;
	at::Tensor table_; // true class x answered class, pixels
};
} // namespace

std::unique_ptr<Objective> semantic_objective(const graph_file &file, const job &job)
{
	return std::make_unique<Semantic>(file, job);
}
