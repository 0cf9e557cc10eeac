// SPDX-License-Identifier: Apache-2.0
#include "trainer/batches.h"

#include <algorithm>
#include <numeric>

namespace
{
const size_t ready_max = 2;

// How a network's floats are made of 8-bit pixels, as the server does it; pixels lie one after the other.
tensor_spec floats_of(const tensor_spec &input)
{
	tensor_spec spec = input;
	spec.fit = FIT_STRETCH;
	spec.layout = LAYOUT_NHWC;
	if (spec.sample == SAMPLE_UINT8) {
		spec.scale = 1;
		for (int c = 0; c < 3; c++) {
			spec.mean[c] = 0;
			spec.std[c] = 1;
		}
	}
	spec.sample = SAMPLE_FLOAT32;
	return spec;
}

void add_boxes(Batch &batch, const dataset &set, const plan &plan, bool validating)
{
	std::vector<Truth> boxes;
	for (size_t i = 0; i < plan.tile_count; i++) {
		const example &e = set.examples[plan.tiles[i].picture];
		for (size_t k = 0; k < e.shape_count; k++) {
			box seen{};
			bool is_seen = plan_box(&plan.tiles[i], example_box(&e, e.shapes[k].box), &seen);
			bool is_any = seen.x2 > seen.x1 && seen.y2 > seen.y1;
			if (validating ? is_any : is_seen && !e.shapes[k].crowd)
				boxes.push_back({seen.x1, seen.y1, seen.x2, seen.y2, e.shapes[k].label,
					e.shapes[k].crowd});
		}
	}
	batch.boxes.push_back(std::move(boxes));
}
} // namespace

size_t batches_of(const Pass &pass)
{
	return (pass.set->count + pass.size - 1) / pass.size;
}

Batches::Batches(const Pass &pass) : pass_(pass), spec_(floats_of(pass.set->spec)), order_(pass.set->count)
{
	std::iota(order_.begin(), order_.end(), 0);
	chance shuffling = chance_of(pass.what->seed, pass.epoch, ~0ull);
	for (size_t i = order_.size(); pass.epoch > 0 && i > 1; i--)
		std::swap(order_[i - 1], order_[chance_below(&shuffling, i)]);
	thread_ = std::thread(&Batches::produce, this);
}

Batches::~Batches()
{
	{
		std::lock_guard<std::mutex> lock(mutex_);
		stopped_ = true;
	}
	changed_.notify_all();
	thread_.join();
}

bool Batches::next(Batch &out)
{
	std::unique_lock<std::mutex> lock(mutex_);
	changed_.wait(lock, [this] { return !ready_.empty() || ended_; });
	if (ready_.empty() && failed_)
		std::rethrow_exception(failed_);
	if (ready_.empty())
		return false;
	out = std::move(ready_.front());
	ready_.pop_front();
	changed_.notify_all();
	return true;
}

void Batches::produce()
{
	try {
		for (size_t i = pass_.first; i < batches_of(pass_); i++) {
			Batch batch = make(i);
			std::unique_lock<std::mutex> lock(mutex_);
			changed_.wait(lock, [this] { return ready_.size() < ready_max || stopped_; });
			if (stopped_)
				break;
			ready_.push_back(std::move(batch));
			changed_.notify_all();
		}
	} catch (...) {
		std::lock_guard<std::mutex> lock(mutex_);
		failed_ = std::current_exception();
	}
	std::lock_guard<std::mutex> lock(mutex_);
	ended_ = true;
	changed_.notify_all();
}

Batch Batches::make(size_t index) const
{
	size_t from = index * pass_.size;
	// The last batch of an epoch is filled up with its first pictures: as large as the others, so that
	// statistics over a batch are over as many.
	size_t count = pass_.epoch > 0 ? pass_.size : std::min(pass_.size, order_.size() - from);
	int64_t n = static_cast<int64_t>(count), height = spec_.height, width = spec_.width;
	Batch batch;
	bool channels_behind = pass_.set->spec.layout == LAYOUT_NHWC;
	int64_t channels = tensor_channels(&spec_);
	batch.images = at::empty({n, height, width, channels}, at::kFloat);
	if (pass_.what->task == TASK_CLASSIFICATION)
		batch.classes = at::empty({n}, at::kLong);
	if (pass_.what->task == TASK_SEGMENTATION)
		batch.masks = at::empty({n, height, width}, at::kLong);
	for (size_t i = 0; i < count; i++)
		add(batch, i, order_[(from + i) % order_.size()], from + i);
	if (!channels_behind)
		batch.images = batch.images.permute({0, 3, 1, 2}); // in memory as it was: channels last
	return batch;
}

void Batches::add(Batch &batch, size_t place, size_t picture, size_t position) const
{
	const dataset &set = *pass_.set;
	chance by = chance_of(pass_.what->seed, pass_.epoch, position);
	plan plan;
	plan_draw(&pass_.how, &set.spec, set.sides, set.count, picture, &by, &plan);
	size_t pixels = static_cast<size_t>(spec_.width) * spec_.height;
	std::vector<uint8_t> shown(pixels * 3);
	err error{};
	if (dataset_show(&set, &plan, shown.data(), &error) != ST_OK)
		throw std::runtime_error(std::string("A picture cannot be read any more. ") + error.text);
	image picture_shown{spec_.width, spec_.height, shown.data()};
	tensor_map map;
	tensor_fill(&picture_shown, &spec_,
		batch.images.data_ptr<float>() + place * pixels * tensor_channels(&spec_), &map);
	batch.ids.push_back(static_cast<int64_t>(picture));
	if (batch.classes.defined())
		batch.classes.data_ptr<int64_t>()[place] = set.examples[picture].label;
	if (batch.masks.defined()) {
		std::vector<int16_t> classes(pixels);
		dataset_classes(&set, &plan, static_cast<int32_t>(pass_.what->label_count), classes.data());
		std::copy(classes.begin(), classes.end(), batch.masks.data_ptr<int64_t>() + place * pixels);
	}
	if (pass_.what->task == TASK_DETECTION)
		add_boxes(batch, set, plan, pass_.epoch == 0);
}
