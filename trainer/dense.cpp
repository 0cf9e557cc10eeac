// SPDX-License-Identifier: Apache-2.0
// The losses of YOLOv8's, YOLOv5's and YOLOX's heads, and how good their boxes are. Everything is read from
// the graph's output as it is served: entropies of probabilities, not of logits, so that no inner value has
// to be found (their gradient is exact up to logits of ±17, where float32 ends); only the distribution of
// distances that some heads of YOLOv8 have is looked for, by its Softmax.
#include "trainer/dense.h"

#include "trainer/head.h"

extern "C" {
#include "task/score.h"
}

#include <algorithm>
#include <cmath>

namespace
{
using at::Tensor;

// As in the papers' own training.
constexpr double box_gain = 7.5, class_gain = 2.0, distance_gain = 1.5;
constexpr double box_gain_ota = 5.0; // YOLOX's
// How far from its place a box's centre can be, in strides.
constexpr float reach_grid = 2.5F;    // YOLOX: anywhere; its own radius
constexpr float reach_anchors = 1.0F; // YOLOv5: from -0.5 to 1.5 cells

Tensor corners(const Tensor &centre, const Tensor &size)
{
	return at::cat({centre - size / 2, centre + size / 2}, -1);
}

// Grids that count boxes may have.
struct Grid {
	int64_t first, last, each;
};
const Grid grids[] = {{8, 32, 1}, {8, 64, 1}, {4, 32, 1}, {8, 32, 3}, {8, 64, 3}, {4, 32, 3}};

int64_t cells_of(const Grid &grid, int64_t width, int64_t height)
{
	int64_t cells = 0;
	for (int64_t stride = grid.first; stride <= grid.last; stride *= 2)
		cells += (width / stride) * (height / stride) * grid.each;
	return cells;
}

// Columns of places, as tensors.
struct PlaceTensors {
	Tensor centres; // A x 2, pixels
	Tensor strides; // A x 1
};

PlaceTensors tensors_of(const std::vector<assign_place> &places)
{
	static_assert(sizeof(assign_place) == 3 * sizeof(float), "three columns");
	Tensor all = at::from_blob(const_cast<assign_place *>(places.data()),
		{static_cast<int64_t>(places.size()), 3}, at::kFloat)
			     .clone();
	return {all.narrow(1, 0, 2), all.narrow(1, 2, 1)};
}

struct Released {
	arena memory;
	Released()
	{
		arena_init(&memory);
	}
	~Released()
	{
		arena_release(&memory);
	}
	Released(const Released &) = delete;
};

// What every place is to learn; indices into the flattened N x A.
struct Targets {
	Tensor place;  // F: which places learn an object
	Tensor box;    // F x 4: its corners
	Tensor label;  // F
	Tensor weight; // F: what the score should be
};
} // namespace

std::vector<assign_place> dense_places(int64_t count, int64_t width, int64_t height)
{
	std::vector<assign_place> places;
	for (const Grid &grid : grids) {
		if (cells_of(grid, width, height) != count)
			continue;
		for (int64_t stride = grid.first; stride <= grid.last; stride *= 2)
			for (int64_t each = 0; each < grid.each; each++)
				for (int64_t y = 0; y < height / stride; y++)
					for (int64_t x = 0; x < width / stride; x++) {
						float side = static_cast<float>(stride);
						places.push_back({(static_cast<float>(x) + 0.5F) * side,
							(static_cast<float>(y) + 0.5F) * side, side});
					}
		return places;
	}
	throw Refused("The model says " + std::to_string(count) + " boxes on an input of " +
		      std::to_string(width) + " x " + std::to_string(height) +
		      ", which is no grid of strides 8 to 32: how it decodes them is not known here, so it "
		      "cannot be "
		      "trained.");
}

Said dense_said(const Tensor &output, const recipe &recipe, const std::vector<assign_place> &places)
{
	int64_t classes = recipe.class_count, boxes = static_cast<int64_t>(places.size());
	if (recipe.output == OUTPUT_YOLO_V8) {
		Tensor rows = output.size(1) == 4 + classes && output.size(2) == boxes
				      ? output.transpose(1, 2)
				      : output;
		return {corners(rows.narrow(2, 0, 2), rows.narrow(2, 2, 2)), rows.narrow(2, 4, classes), {}};
	}
	Tensor scores = output.narrow(2, 5, classes), objectness = output.select(2, 4);
	Tensor first = output.narrow(2, 0, 2), second = output.narrow(2, 2, 2);
	if (recipe.output == OUTPUT_YOLO_V5)
		return {corners(first, second), scores, objectness};
	// YOLOX: offsets from a cell's corner and logarithms, both in strides.
	PlaceTensors at_places = tensors_of(places);
	Tensor centre = first * at_places.strides + (at_places.centres - at_places.strides / 2);
	return {corners(centre, at::exp(second) * at_places.strides), scores, objectness};
}

Tensor complete_iou(const Tensor &a, const Tensor &b)
{
	const double tiny = 1e-7;
	Tensor a0 = a.narrow(-1, 0, 2), a1 = a.narrow(-1, 2, 2), b0 = b.narrow(-1, 0, 2),
	       b1 = b.narrow(-1, 2, 2);
	Tensor a_size = a1 - a0, b_size = b1 - b0;
	Tensor both = at::clamp_min(at::minimum(a1, b1) - at::maximum(a0, b0), 0).prod(-1);
	Tensor iou = both / (a_size.prod(-1) + b_size.prod(-1) - both + tiny);
	Tensor hull = (at::maximum(a1, b1) - at::minimum(a0, b0)).pow(2).sum(-1) + tiny;
	Tensor apart = ((a0 + a1 - b0 - b1) / 2).pow(2).sum(-1);
	auto slope = [&](const Tensor &size) {
		return at::atan(size.select(-1, 0) / (size.select(-1, 1) + tiny));
	};
	Tensor unlike = (slope(a_size) - slope(b_size)).pow(2) * (4 / (M_PI * M_PI));
	Tensor weight;
	{
		at::NoGradGuard none;
		weight = unlike / (1 - iou + unlike + tiny);
	}
	return iou - apart / hull - unlike * weight;
}

namespace
{
class Dense : public Objective
{
      public:
	Dense(const graph_file &file, const job &job) : recipe_(job.recipe)
	{
		uint32_t output = recipe_.tensors[0];
		if (output >= file.output_count)
			throw Refused("The model has no output number " + std::to_string(output) + ".");
		output_ = file.outputs[output].name;
		const char *softmax = head_distances(&file, output_.c_str());
		distances_ = softmax ? softmax : "";
		recipe_.tensors[0] = 0; // of those that are read here
		if (recipe_.class_count != job.label_count)
			throw Refused("The model's output counts " + std::to_string(recipe_.class_count) +
				      " classes, the job " + std::to_string(job.label_count) + ".");
		fresh();
	}
	~Dense() override
	{
		score_free(score_);
	}

	std::vector<std::string> taps() const override
	{
		std::vector<std::string> names{output_};
		if (!distances_.empty() && recipe_.output == OUTPUT_YOLO_V8)
			names.push_back(distances_);
		return names;
	}

	Losses loss(const std::vector<Tensor> &tapped, const Batch &batch) override
	{
		Said said = read(tapped[0]);
		Targets targets = assign(said, batch);
		return recipe_.output == OUTPUT_YOLO_V8
			       ? aligned_loss(said, targets, tapped.size() > 1 ? tapped[1] : Tensor())
			       : ota_loss(said, targets);
	}

	void judge(const std::vector<Tensor> &tapped, const Batch &batch) override
	{
		Tensor output = tapped[0].detach().to(at::kFloat).contiguous();
		for (int64_t i = 0; i < output.size(0); i++)
			judge_one(output[i], batch.boxes[static_cast<size_t>(i)],
				batch.ids[static_cast<size_t>(i)]);
	}

	Named metrics() override
	{
		Released scratch;
		score_summary summary;
		score_read(score_, &scratch.memory, &summary);
		Named out{{"AP50", std::max(summary.numbers.ap50, 0.0)},
			{"AP", std::max(summary.numbers.ap, 0.0)}};
		fresh();
		return out;
	}

      private:
	void fresh()
	{
		match_rules rules = score_rules_coco(false);
		score_free(score_);
		score_ = score_new(&rules);
	}

	Said read(const Tensor &output)
	{
		int64_t values = recipe_.class_count + (recipe_.output == OUTPUT_YOLO_V8 ? 4 : 5);
		bool rows_last =
			recipe_.output == OUTPUT_YOLO_V8 && output.dim() == 3 && output.size(1) == values;
		if (output.dim() != 3 || (!rows_last && output.size(2) != values))
			throw Refused("The model's output is not of the shape that its recipe tells of.");
		int64_t count = output.size(rows_last ? 2 : 1);
		if (static_cast<int64_t>(places_.size()) != count)
			places_ = dense_places(count, recipe_.input.width, recipe_.input.height);
		return dense_said(output, recipe_, places_);
	}

	Targets assign(const Said &said, const Batch &batch)
	{
		Tensor boxes = said.boxes.detach().to(at::kFloat).contiguous();
		Tensor scores = said.scores.detach().to(at::kFloat).contiguous();
		Tensor objectness;
		if (said.objectness.defined())
			objectness = said.objectness.detach().to(at::kFloat).contiguous();
		size_t count = places_.size(), classes = recipe_.class_count;
		std::vector<int64_t> place, label;
		std::vector<float> box, weight;
		for (size_t n = 0; n < batch.boxes.size(); n++) {
			Released scratch;
			std::vector<assign_truth> truths;
			for (const Truth &t : batch.boxes[n])
				if (!t.crowd)
					truths.push_back({{t.x0, t.y0, t.x1, t.y1}, t.label});
			if (truths.empty())
				continue;
			assign_input in{places_.data(),
				reinterpret_cast<const ::box *>(boxes.data_ptr<float>()) + n * count,
				scores.data_ptr<float>() + n * count * classes,
				objectness.defined() ? objectness.data_ptr<float>() + n * count : nullptr,
				count, classes, truths.data(), truths.size()};
			std::vector<int32_t> learns(count);
			std::vector<float> wanted(count);
			assign_output out{learns.data(), wanted.data()};
			if (recipe_.output == OUTPUT_YOLO_V8)
				assign_task_aligned(&in, &scratch.memory, &out);
			else
				assign_sim_ota(&in,
					recipe_.output == OUTPUT_YOLO_V5 ? reach_anchors : reach_grid,
					&scratch.memory, &out);
			for (size_t p = 0; p < count; p++) {
				if (learns[p] < 0)
					continue;
				const assign_truth &t = truths[static_cast<size_t>(learns[p])];
				place.push_back(static_cast<int64_t>(n * count + p));
				label.push_back(t.label);
				weight.push_back(wanted[p]);
				box.insert(box.end(), {t.box.x1, t.box.y1, t.box.x2, t.box.y2});
			}
		}
		int64_t found = static_cast<int64_t>(place.size());
		auto copy = [&](void *data, at::IntArrayRef sides, at::ScalarType type) {
			return at::from_blob(data, sides, at::TensorOptions(type)).clone();
		};
		return {copy(place.data(), {found}, at::kLong), copy(box.data(), {found, 4}, at::kFloat),
			copy(label.data(), {found}, at::kLong), copy(weight.data(), {found}, at::kFloat)};
	}

	// N·A x C: zeros, and what the score of each object's label should be.
	Tensor wanted_scores(const Said &said, const Targets &t) const
	{
		Tensor wanted = at::zeros({said.scores.size(0) * said.scores.size(1), said.scores.size(2)},
			at::TensorOptions(at::kFloat));
		if (t.place.numel() > 0)
			wanted.index_put_({t.place, t.label}, t.weight);
		return wanted;
	}

	static Tensor entropy(const Tensor &said, const Tensor &wanted)
	{
		return at::binary_cross_entropy(at::clamp(said, 0, 1), wanted, {}, at::Reduction::Sum);
	}

	Losses aligned_loss(const Said &said, const Targets &t, const Tensor &distances)
	{
		double sum = std::max(t.weight.sum().item().toDouble(), 1.0);
		Tensor classes =
			entropy(said.scores.flatten(0, 1), wanted_scores(said, t)) / sum * class_gain;
		Tensor boxes = at::zeros({}, at::kFloat);
		if (t.place.numel() > 0)
			boxes = ((1 - complete_iou(
					      said.boxes.flatten(0, 1).index_select(0, t.place), t.box)) *
					t.weight)
					.sum() /
				sum * box_gain;
		Losses out{boxes + classes,
			{{"box", boxes.item().toDouble()}, {"class", classes.item().toDouble()}}};
		Tensor spread =
			distances.defined() && t.place.numel() > 0 ? distance_loss(distances, t) : Tensor();
		if (spread.defined()) {
			spread = spread / sum * distance_gain;
			out.total = out.total + spread;
			out.parts.push_back({"distance", spread.item().toDouble()});
		}
		return out;
	}

	// Distribution focal loss (Li et al. 2020): the two bins on either side of the true distance.
	Tensor distance_loss(const Tensor &logits, const Targets &t) const
	{
		int64_t places = static_cast<int64_t>(places_.size()), sides = -1, bins = -1, cells = -1;
		for (int64_t i = 1; i < logits.dim(); i++) {
			if (logits.size(i) == places && cells < 0)
				cells = i;
			else if (logits.size(i) == 4 && sides < 0)
				sides = i;
			else
				bins = i;
		}
		if (logits.dim() != 4 || sides < 0 || bins < 0 || cells < 0)
			return {};
		Tensor rows = logits.permute({0, cells, sides, bins}).flatten(0, 1).index_select(0, t.place);
		PlaceTensors at_places = tensors_of(places_);
		Tensor index = t.place.remainder(places);
		Tensor centre = at_places.centres.index_select(0, index),
		       stride = at_places.strides.index_select(0, index);
		Tensor distance =
			at::cat({centre - t.box.narrow(1, 0, 2), t.box.narrow(1, 2, 2) - centre}, 1) / stride;
		double last = static_cast<double>(logits.size(bins)) - 1;
		distance = at::clamp(distance, 0, last - 0.01);
		Tensor low = distance.floor().to(at::kLong), share = distance - low;
		Tensor said = at::log_softmax(rows, 2);
		Tensor loss = said.gather(2, low.unsqueeze(2)).squeeze(2) * (1 - share) +
			      said.gather(2, (low + 1).unsqueeze(2)).squeeze(2) * share;
		return (-loss.mean(1) * t.weight).sum();
	}

	Losses ota_loss(const Said &said, const Targets &t)
	{
		double found = std::max<double>(static_cast<double>(t.place.numel()), 1);
		Tensor seen = at::zeros({said.objectness.numel()}, at::kFloat);
		Tensor boxes = at::zeros({}, at::kFloat), classes = at::zeros({}, at::kFloat);
		if (t.place.numel() > 0) {
			seen.index_put_({t.place}, at::ones({}, at::kFloat));
			boxes = (1 - complete_iou(said.boxes.flatten(0, 1).index_select(0, t.place), t.box))
					.sum() /
				found * box_gain_ota;
			Tensor wanted = wanted_scores(said, t).index_select(0, t.place);
			classes = entropy(said.scores.flatten(0, 1).index_select(0, t.place), wanted) / found;
		}
		Tensor objects = entropy(said.objectness.flatten(), seen) / found;
		return {boxes + objects + classes,
			{{"box", boxes.item().toDouble()}, {"object", objects.item().toDouble()},
				{"class", classes.item().toDouble()}}};
	}

	// As the server reads an answer, in pixels of the input.
	void judge_one(const Tensor &output, const std::vector<Truth> &truths, int64_t id)
	{
		Released scratch;
		engine_tensor tensor{};
		tensor.type = ENGINE_FLOAT32;
		tensor.rank = 3;
		tensor.shape[0] = 1;
		tensor.shape[1] = output.size(0);
		tensor.shape[2] = output.size(1);
		tensor.data = output.data_ptr<float>();
		tensor.size = static_cast<size_t>(output.numel()) * sizeof(float);
		tensor_map map{1, 1, 0, 0, recipe_.input.width, recipe_.input.height};
		shapes found{};
		err error{};
		if (recipe_read(&recipe_, &tensor, 1, &map, &scratch.memory, &found, &error) != ST_OK)
			throw Refused(error.text);
		std::vector<match_truth> wanted;
		for (const Truth &t : truths) {
			match_truth truth{};
			truth.label = t.label;
			truth.box = match_box_of({t.x0, t.y0, t.x1, t.y1});
			truth.area = -1;
			truth.crowd = t.crowd;
			wanted.push_back(truth);
		}
		std::vector<match_guess> guesses;
		for (size_t i = 0; i < found.count; i++) {
			match_guess guess{};
			guess.label = found.items[i].label;
			guess.score = static_cast<double>(found.items[i].score);
			guess.box = match_box_of(found.items[i].box);
			guesses.push_back(guess);
		}
		score_add(score_, id, wanted.data(), wanted.size(), guesses.data(), guesses.size());
	}

	recipe recipe_;
	std::string output_, distances_;
	std::vector<assign_place> places_;
	score *score_ = nullptr;
};
} // namespace

std::unique_ptr<Objective> dense_objective(const graph_file &file, const job &job)
{
	enum output_layout layout = job.recipe.output;
	if (layout != OUTPUT_YOLO_V8 && layout != OUTPUT_YOLO_V5 && layout != OUTPUT_YOLOX_RAW)
		throw Refused(std::string("The model's outputs are of the layout ") + output_name(layout) +
			      ", for which there is no loss here: detectors with outputs as YOLOv5, YOLOv8 "
			      "or YOLOX "
			      "have them can be trained.");
	return std::make_unique<Dense>(file, job);
}
