// SPDX-License-Identifier: Apache-2.0
#include "trainer/check.h"

#include "trainer/head_resize.h"
#include "trainer/task.h"

extern "C" {
#include "base/json.h"
#include "base/str.h"
#include "os/file.h"
#include "trainer/command.h"
}

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <set>

namespace
{

constexpr int64_t probe_side = 640; // as the server tries inputs without a size

// Operators that say by themselves why a model cannot be trained.
const struct {
	std::initializer_list<const char *> ops;
	const char *reason;
} known[] = {
	{{"NonMaxSuppression", "EfficientNMS_TRT", "BatchedNMS_TRT", "BatchedNMSDynamic_TRT"},
		"drops overlapping boxes itself (%s), so that what it says of the others is lost: export it "
		"without "
		"non-maximum suppression (Ultralytics: nms=False)."},
	{{"QLinearConv", "QLinearMatMul", "QLinearAdd", "ConvInteger", "MatMulInteger", "QuantizeLinear",
		 "DequantizeLinear", "DynamicQuantizeLinear"},
		"is quantised (%s): its weights are whole numbers, which cannot be changed a little. Train "
		"the float "
		"model that it was made from, and quantise the result."},
	{{"If", "Loop", "Scan", "SequenceMap"}, "decides while it runs what to compute (%s), which cannot be "
						"trained here: export it without control "
						"flow."},
	{{"TopK"}, "keeps only its best answers (%s), so that what it says of the others is lost: export it "
		   "without its last "
		   "selection (Ultralytics: end2end=False)."},
};

struct Verdict {
	std::string reason; // empty: it can be trained
	std::string task, layout;
	int64_t classes = 0, weights = 0, trainable = 0;
	bool resizable = false, fixed = false;
	std::string resize_reason; // why it cannot be given other labels
	std::set<std::string> operators;
};

struct Failed : std::runtime_error {
	using std::runtime_error::runtime_error;
};

class Check
{
      public:
	Check(span file, const char *recipe_path, int64_t labels) : file_(file)
	{
		arena_init(&memory_);
		label_count_ = labels;
		recipe_path_ = recipe_path;
	}
	~Check()
	{
		graph_file_release(&graph_);
		arena_release(&memory_);
	}
	Check(const Check &) = delete;

	Verdict run()
	{
		try {
			look();
		} catch (const Refused &refused) {
			verdict_.reason = refused.what();
		} catch (const c10::Error &e) {
			verdict_.reason = std::string("The model cannot be run by the trainer: ") +
					  e.what_without_backtrace();
		}
		return verdict_;
	}

      private:
	void look()
	{
		char error[GRAPH_ERROR_SIZE] = "";
		bool read = graph_file_read(file_.data, file_.size, &graph_, error);
		for (size_t n = 0; n < graph_.node_count; n++)
			verdict_.operators.insert(graph_.nodes[n].op);
		if (!read)
			throw Refused(error);
		refuse_by_operators();
		count_weights();
		Net net(graph_);
		for (const Parameter &p : net.parameters())
			verdict_.trainable += p.value.numel();
		find_recipe(net);
		verdict_.task = task_wire_name(recipe_.task);
		verdict_.classes = recipe_label_count(&recipe_);
		find_layout();
		if (net.parameters().empty())
			throw Refused(
				"The model has no weights that can be trained: they are no initialisers of "
				"convolutions, matrix products or normalisations.");
		try_training(net);
		try_resizing();
	}

	void refuse_by_operators() const
	{
		for (const auto &kind : known)
			for (const char *op : kind.ops) {
				if (!verdict_.operators.count(op))
					continue;
				char text[GRAPH_ERROR_SIZE];
				std::snprintf(text, sizeof(text), kind.reason, op);
				throw Refused(std::string("The model ") + text);
			}
	}

	void count_weights()
	{
		bool half = false;
		for (size_t i = 0; i < graph_.tensor_count; i++) {
			const graph_tensor &t = graph_.tensors[i];
			half = half || (t.type == GRAPH_FLOAT16 && t.count > 1);
			if (t.type == GRAPH_FLOAT || t.type == GRAPH_FLOAT16 || t.type == GRAPH_DOUBLE)
				verdict_.weights += static_cast<int64_t>(t.count);
		}
		const graph_port *port = graph_.input_count ? &graph_.inputs[0] : nullptr;
		verdict_.fixed = port && port->rank == 4 && port->sides[2] > 0 && port->sides[3] > 0;
		if (half)
			throw Refused(
				"The model's weights are half floats (float16), too coarse to be changed a "
				"little: train the float32 model that it was made from.");
		if (port && port->type != GRAPH_FLOAT)
			throw Refused("The model takes pictures as another type than float32, which cannot "
				      "be trained "
				      "here.");
	}

	// ---- what its outputs mean ----

	void find_recipe(Net &net)
	{
		err error{};
		if (recipe_path_) {
			span text;
			yyjson_doc *doc;
			if (file_read(recipe_path_, 1 << 20, &memory_, &text, &error) != ST_OK ||
				json_parse(text, &memory_, &doc, &error) != ST_OK ||
				recipe_parse(yyjson_doc_get_root(doc), &recipe_, &error) != ST_OK)
				throw Failed(error.text);
			return;
		}
		engine_description *d =
			static_cast<engine_description *>(arena_zalloc(&memory_, 1, sizeof(*d)));
		if (engine_inspect(file_, d, &error) != ST_OK)
			throw Refused(error.text);
		std::vector<at::Tensor> said = probe(net, *d);
		engine_tensor tensors[ENGINE_TENSORS_MAX] = {};
		bool floats = describe(said, tensors);
		std::string first;
		for (task t : {TASK_CLASSIFICATION, TASK_DETECTION, TASK_SEGMENTATION}) {
			if (recipe_find(d, floats ? tensors : nullptr, t, static_cast<uint32_t>(label_count_),
				    &recipe_, &error) == ST_OK)
				return;
			first = first.empty() || t == TASK_DETECTION ? error.text : first;
		}
		throw Refused(first);
	}

	std::vector<at::Tensor> probe(Net &net, engine_description &d)
	{
		d.probe_rank = engine_probe_shape(&d.inputs[0], probe_side, d.probe_shape);
		if (d.probe_rank == 0)
			throw Refused("The model's input is no picture: one of a batch, channels, height and "
				      "width is "
				      "needed.");
		d.probed = true;
		at::NoGradGuard none;
		at::IntArrayRef sides(d.probe_shape, static_cast<size_t>(d.probe_rank));
		std::vector<at::Tensor> said = net.forward(at::full(sides, 0.5, at::kFloat));
		for (at::Tensor &t : said)
			t = t.contiguous();
		return said;
	}

	static bool describe(const std::vector<at::Tensor> &said, engine_tensor *out)
	{
		for (size_t i = 0; i < said.size(); i++) {
			if (said[i].scalar_type() != at::kFloat || i >= ENGINE_TENSORS_MAX ||
				said[i].dim() > ENGINE_RANK_MAX)
				return false;
			out[i].type = ENGINE_FLOAT32;
			out[i].rank = static_cast<int>(said[i].dim());
			std::copy(said[i].sizes().begin(), said[i].sizes().end(), out[i].shape);
			out[i].data = said[i].data_ptr<float>();
			out[i].size = static_cast<size_t>(said[i].numel()) * sizeof(float);
		}
		return true;
	}

	void find_layout()
	{
		const char *output = graph_.outputs[recipe_.tensors[0]].name;
		switch (recipe_.output) {
		case OUTPUT_CLASSIFICATION: verdict_.layout = "logits"; break;
		case OUTPUT_SEMANTIC: verdict_.layout = "semantic"; break;
		case OUTPUT_YOLO_V5: verdict_.layout = "v5"; break;
		case OUTPUT_YOLOX_RAW: verdict_.layout = "yolox"; break;
		case OUTPUT_YOLO_V8:
			verdict_.layout = head_distances(&graph_, output) ? "v8-dfl" : "v8";
			break;
		default: break;
		}
	}

	// ---- trying it ----

	job job_for(int64_t labels)
	{
		job out{};
		out.task = recipe_.task;
		out.recipe = recipe_;
		out.label_count = static_cast<size_t>(labels);
		out.labels = static_cast<const char **>(
			arena_zalloc(&memory_, out.label_count + 1, sizeof(*out.labels)));
		for (int64_t i = 0; i < labels; i++)
			out.labels[i] = arena_printf(&memory_, "label %lld", static_cast<long long>(i));
		out.seed = 1;
		return out;
	}

	// One step on noise: a loss that is a number, and weights that it depends on.
	void try_training(Net &net)
	{
		job job = job_for(verdict_.classes);
		std::unique_ptr<Objective> objective = objective_make(graph_, job);
		Batch batch;
		batch.images = head_probe_input(graph_, recipe_, 1);
		int64_t height = recipe_.input.height, width = recipe_.input.width;
		float right = static_cast<float>(width) * 0.75F, bottom = static_cast<float>(height) * 0.75F;
		batch.boxes = {{Truth{right / 3, bottom / 3, right, bottom, 0, false}}};
		batch.classes = at::zeros({1}, at::kLong);
		batch.masks = at::zeros({1, height, width}, at::kLong);
		batch.ids = {1};
		std::vector<at::Tensor> tapped = net.forward(batch.images, objective->taps(), true);
		Losses losses = objective->loss(tapped, batch);
		losses.total.backward();
		double total = losses.total.item().toDouble();
		bool depends = false;
		for (const Parameter &p : net.parameters())
			depends = depends || (p.value.grad().defined() &&
						     p.value.grad().abs().sum().item().toDouble() > 0);
		if (!std::isfinite(total) || !depends)
			throw Refused(
				"What is wrong with an answer of the model could not be followed back to its "
				"weights.");
	}

	void try_resizing()
	{
		job job = job_for(verdict_.classes + 1);
		job.base_labels = job.labels;
		job.base_label_count = job.label_count - 1;
		recipe recipe = recipe_;
		void *out = nullptr;
		size_t size = 0;
		char error[GRAPH_ERROR_SIZE] = "";
		verdict_.resizable = head_resize(file_.data, file_.size, &job, &recipe, &out, &size, error);
		std::free(out);
		verdict_.resize_reason = error;
	}

	span file_;
	const char *recipe_path_;
	int64_t label_count_;
	arena memory_;
	graph_file graph_{};
	recipe recipe_{};
	Verdict verdict_;
};

void print_text(str *out, const char *key, const std::string &text)
{
	str_printf(out, ",\"%s\":", key);
	str_append_json(out, text.empty() ? nullptr : text.c_str());
}

void print(const Verdict &v)
{
	auto word = [](bool yes) { return yes ? "true" : "false"; };
	str out;
	str_init(&out, 1 << 20);
	str_printf(&out, "{\"trainable\":%s", word(v.reason.empty()));
	print_text(&out, "reason", v.reason);
	print_text(&out, "task", v.task);
	print_text(&out, "layout", v.layout);
	str_printf(&out, ",\"classes\":%lld,\"resizable\":%s,\"fixed_size\":%s",
		static_cast<long long>(v.classes), word(v.resizable), word(v.fixed));
	print_text(&out, "resizable_reason", v.resize_reason);
	str_printf(&out, ",\"weights\":%lld,\"trainable_weights\":%lld,\"operators\":[",
		static_cast<long long>(v.weights), static_cast<long long>(v.trainable));
	const char *separator = "";
	for (const std::string &op : v.operators) {
		str_append(&out, separator);
		str_append_json(&out, op.c_str());
		separator = ",";
	}
	str_append(&out, "]}");
	std::puts(str_text(&out));
	str_release(&out);
}
} // namespace

int check_command(int argc, char **argv)
{
	const char *path = command_option(argc, argv, "--model"),
		   *labels = command_option(argc, argv, "--labels");
	if (path == nullptr)
		return EXIT_CODE_USAGE;
	span file;
	err error{};
	if (file_map(path, &file, &error) != ST_OK) {
		std::fprintf(stderr, "gyre-train: %s\n", error.text);
		return EXIT_CODE_FAILED;
	}
	Verdict verdict;
	try {
		verdict = Check(file, command_option(argc, argv, "--recipe"), labels ? std::atoll(labels) : 0)
				  .run();
	} catch (const Failed &failed) {
		file_unmap(file);
		std::fprintf(stderr, "gyre-train: %s\n", failed.what());
		return EXIT_CODE_FAILED;
	}
	file_unmap(file);
	print(verdict);
	if (verdict.reason.empty())
		return EXIT_CODE_DONE;
	std::fprintf(stderr, "gyre-train: %s\n", verdict.reason.c_str());
	return EXIT_CODE_NOT_TRAINABLE;
}
