// SPDX-License-Identifier: Apache-2.0
// Finds the last weights by what they do, not by their names or places: the gradient of a class's scores lies
// in that class's rows alone. Shapes that the exporter wrote into constants are changed where they count
// classes, and the outcome is believed only when everything that was said before is still said, number by
// number.
#include "trainer/head_resize.h"

#include "trainer/arch.h"
#include "trainer/chance.h"
#include "trainer/graph_edit.h"
#include "trainer/head.h"
#include "trainer/objectives.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

namespace
{
using at::Tensor;
using Ints = std::vector<int64_t>;

constexpr size_t guesses_max = 128;    // ways to change the constants that are tried
constexpr double new_deviation = 0.01; // of new rows' weights

// Classes as the output counts them.
struct Classes {
	int64_t axis, offset, count; // along which, after how many other values
};

// A tensor whose rows count classes: each * (extra + classes) of them.
struct Head {
	std::string name;
	int64_t axis, each, extra;
	Ints sides;
};

// A number in a constant or an attribute that may count classes.
struct Spot {
	const graph_tensor *tensor; // of an initialiser or a Constant node
	std::string name;
	const graph_attribute *attribute; // or NULL
	size_t node;
	size_t at;
	int64_t value, changed;
	std::string role; // equal where the levels of a pyramid say the same thing
};

bool is_op(const graph_node &node, std::initializer_list<const char *> ops)
{
	return std::any_of(
		ops.begin(), ops.end(), [&](const char *op) { return std::strcmp(op, node.op) == 0; });
}

// The file's bytes and what they say.
struct File {
	std::vector<char> bytes;
	graph_file graph{};

	File(const void *data, size_t size)
	    : bytes(static_cast<const char *>(data), static_cast<const char *>(data) + size)
	{
		char error[GRAPH_ERROR_SIZE] = "";
		if (graph_file_read(bytes.data(), bytes.size(), &graph, error))
			return;
		graph_file_release(&graph);
		throw Refused(error);
	}
	~File()
	{
		graph_file_release(&graph);
	}
	File(const File &) = delete;
};

class Resize
{
      public:
	Resize(const void *bytes, size_t size, const job &job, const recipe &recipe)
	    : file_(bytes, size), job_(job), recipe_(recipe), net_(file_.graph)
	{
		const graph_file &g = file_.graph;
		if (recipe.tensors[0] >= g.output_count)
			throw Refused("The recipe reads an output that the model does not have.");
		output_ = &g.outputs[recipe.tensors[0]];
		read_ = recipe.task == TASK_DETECTION ? output_->name
						      : before_probabilities(g, output_->name);
		input_ = head_probe_input(g, recipe, job.seed);
		said_ = net_.forward(input_, {read_, output_->name}, false);
		classes_ = classes_of(said_[0]);
		map_labels();
	}

	std::vector<char> run()
	{
		find_heads();
		if (heads_.empty())
			throw Refused("The weights that say the classes could not be told from the others, "
				      "so that the "
				      "model cannot be given other labels.");
		find_spots();
		for (const std::vector<bool> &chosen : guesses()) {
			std::vector<char> bytes = write(chosen);
			if (holds(bytes))
				return bytes;
		}
		throw Refused("The model's graph has its number of classes written into it in a way that is "
			      "not known "
			      "here, so that it cannot be given other labels.");
	}

      private:
	Classes classes_of(const Tensor &value) const
	{
		int64_t count = recipe_.class_count;
		if (recipe_.task == TASK_DETECTION) {
			bool rows = recipe_.output == OUTPUT_YOLO_V8;
			int64_t offset = rows ? 4 : 5;
			if (value.dim() == 3 && rows && value.size(1) == offset + count)
				return {1, offset, count};
			if (value.dim() == 3 && value.size(2) == offset + count)
				return {2, offset, count};
		} else {
			for (int64_t axis = value.dim() > 1 ? 1 : 0; axis < value.dim(); axis++)
				if (value.size(axis) == count)
					return {axis, 0, count};
		}
		throw Refused("The model's output does not count " + std::to_string(count) + " classes.");
	}

	// Which old class each new one is; -1: none.
	void map_labels()
	{
		std::vector<std::string> old(job_.base_labels, job_.base_labels + job_.base_label_count);
		std::vector<std::string> wanted(job_.labels, job_.labels + job_.label_count);
		int64_t first = recipe_.background == BACKGROUND_FIRST,
			last = recipe_.background == BACKGROUND_LAST;
		if (static_cast<int64_t>(old.size()) + first + last != classes_.count)
			throw Refused("The model counts " + std::to_string(classes_.count) +
				      " classes, but has " + std::to_string(old.size()) + " labels.");
		for (const std::string &label : old)
			if (std::find(wanted.begin(), wanted.end(), label) == wanted.end())
				throw Refused("The label \"" + label +
					      "\" of the model is not among the new ones: a model keeps all "
					      "that it "
					      "can name.");
		if (first)
			old_of_.push_back(0);
		for (const std::string &label : wanted) {
			auto found = std::find(old.begin(), old.end(), label);
			old_of_.push_back(found == old.end() ? -1 : found - old.begin() + first);
		}
		if (last)
			old_of_.push_back(classes_.count - 1);
	}

	int64_t new_count() const
	{
		return static_cast<int64_t>(old_of_.size());
	}

	// ---- the last weights ----

	// Which rows of each parameter a class's scores depend on.
	std::vector<std::set<int64_t>> rows_of_class(int64_t c, const std::vector<int64_t> &axes)
	{
		for (Parameter &p : net_.parameters())
			p.value.mutable_grad() = Tensor();
		Tensor value = net_.forward(input_, {read_}, false)[0];
		value.select(classes_.axis, classes_.offset + c).sum().backward();
		std::vector<std::set<int64_t>> rows;
		for (size_t i = 0; i < net_.parameters().size(); i++) {
			Tensor grad = net_.parameters()[i].value.grad();
			rows.emplace_back();
			if (!grad.defined() || axes[i] < 0)
				continue;
			Tensor sums = grad.abs();
			if (grad.dim() > 1)
				sums = sums.transpose(0, axes[i]).flatten(1).sum(1);
			for (int64_t row = 0; row < sums.size(0); row++)
				if (sums[row].item<float>() > 0)
					rows.back().insert(row);
		}
		return rows;
	}

	static int64_t weight_axis(const graph_node &node, size_t input, int rank)
	{
		if (rank == 1)
			return 0;
		if (is_op(node, {"Conv"}))
			return 0;
		if (is_op(node, {"ConvTranspose"}))
			return 1;
		const graph_attribute *turned = graph_node_attribute(&node, "transB");
		if (is_op(node, {"Gemm"}) && input == 1)
			return turned && turned->integer ? 0 : 1;
		return is_op(node, {"MatMul"}) && input == 0 ? 0 : rank - 1;
	}

	// From the scores back to the first weights on every way; those further back say nothing of one class
	// alone.
	void walk(const std::string &value, std::set<const graph_node *> &seen,
		std::set<std::string> &found) const
	{
		const graph_node *node = head_maker(&file_.graph, value.c_str());
		if (node == nullptr || !seen.insert(node).second)
			return;
		bool weighs = is_op(*node, {"Conv", "ConvTranspose", "Gemm", "MatMul"}), stops = false;
		for (size_t i = 0; i < node->input_count; i++) {
			const graph_tensor *t = graph_file_tensor(&file_.graph, node->inputs[i]);
			if (t == nullptr || t->type != GRAPH_FLOAT || !(weighs || is_op(*node, {"Add"})))
				continue;
			found.insert(t->name);
			stops = stops || (weighs && t->rank > 1 && is_parameter(t));
		}
		for (size_t i = 0; i < node->input_count && !stops; i++)
			walk(node->inputs[i], seen, found);
	}

	bool is_parameter(const graph_tensor *t) const
	{
		for (const Parameter &p : const_cast<Net &>(net_).parameters())
			if (p.tensor == t)
				return true;
		return false;
	}

	std::vector<int64_t> axes_of(const std::set<std::string> &near) const
	{
		std::vector<int64_t> axes;
		for (const Parameter &p : const_cast<Net &>(net_).parameters()) {
			axes.push_back(-1);
			for (size_t n = 0; n < file_.graph.node_count && near.count(p.tensor->name); n++)
				for (size_t i = 0; i < file_.graph.nodes[n].input_count; i++)
					if (std::strcmp(file_.graph.nodes[n].inputs[i], p.tensor->name) == 0)
						axes.back() =
							weight_axis(file_.graph.nodes[n], i, p.tensor->rank);
		}
		return axes;
	}

	void find_heads()
	{
		std::set<const graph_node *> seen;
		std::set<std::string> near;
		walk(read_, seen, near);
		std::vector<int64_t> axes = axes_of(near);
		std::set<int64_t> tried{0, classes_.count / 2, classes_.count - 1};
		std::vector<std::vector<std::set<int64_t>>> rows;
		for (int64_t c : tried)
			rows.push_back(rows_of_class(c, axes));
		for (size_t i = 0; i < axes.size(); i++) {
			const graph_tensor &t = *net_.parameters()[i].tensor;
			if (axes[i] < 0)
				continue;
			int64_t all = t.sides[axes[i]], each = static_cast<int64_t>(rows[0][i].size());
			int64_t extra = each > 0 && all % each == 0 ? all / each - classes_.count : -1;
			size_t k = 0;
			bool fits = extra >= 0, shared = true;
			for (int64_t c : tried) {
				std::set<int64_t> wanted;
				for (int64_t e = 0; e < each; e++)
					wanted.insert(e * (extra + classes_.count) + extra + c);
				shared = shared && rows[k][i] == rows[0][i];
				fits = fits && rows[k++][i] == wanted;
			}
			if (fits)
				heads_.push_back(
					{t.name, axes[i], each, extra, Ints(t.sides, t.sides + t.rank)});
			else if (!shared)
				throw Refused(std::string("The weights ") + t.name +
					      " say the classes in an order that is not known here, so that "
					      "the model "
					      "cannot be given other labels.");
		}
	}

	// ---- constants ----

	// v if it counts classes: a multiple of them and of what comes before them. Otherwise -1.
	int64_t changed(int64_t v) const
	{
		std::set<std::pair<int64_t, int64_t>> forms{
			{1, 0}, {1, classes_.offset}, {1, 1}, {1, 4}, {1, 5}};
		if (const char *distances = head_distances(&file_.graph, output_->name)) {
			Tensor said = const_cast<Net &>(net_).forward(input_, {distances}, false)[0];
			int64_t boxes = said_[1].numel() / std::max<int64_t>(said_[1].size(classes_.axis), 1);
			forms.insert({1, said.numel() / std::max<int64_t>(boxes, 1)});
		}
		for (const Head &h : heads_)
			forms.insert({h.each, h.extra});
		for (auto [each, extra] : forms)
			if (v == each * (extra + classes_.count))
				return each * (extra + new_count());
		return -1;
	}

	// What comes before it in its list, so that other lists of the same numbers are other roles.
	static std::string role_of(const graph_node &node, const int64_t *values, size_t at)
	{
		std::string role = node.op;
		for (size_t i = 0; i <= at; i++)
			role += " " + std::to_string(values[i]);
		return role;
	}

	// The number of a whole row: hardly by chance, where that of the classes alone may be anything.
	bool is_likely(int64_t v) const
	{
		bool row = classes_.offset > 0 && v == classes_.offset + classes_.count;
		for (const Head &h : heads_)
			row = row || (h.extra > 0 && v == h.each * (h.extra + classes_.count));
		return row;
	}

	void add_spots(const graph_node &node, const graph_tensor &t, const std::string &name,
		std::set<std::string> &seen)
	{
		if (t.type != GRAPH_INT64 || t.rank > 1 || !seen.insert(name).second)
			return;
		for (size_t i = 0; i < t.count; i++) {
			int64_t v = static_cast<const int64_t *>(t.data)[i], to = changed(v);
			if (to >= 0)
				spots_.push_back({&t, name, nullptr, 0, i, v, to,
					role_of(node, static_cast<const int64_t *>(t.data), i)});
		}
	}

	void find_spots()
	{
		const graph_file &g = file_.graph;
		std::set<std::string> reached, seen, heads;
		for (const Head &h : heads_)
			heads.insert(h.name);
		for (size_t n = 0; n < g.node_count; n++) {
			const graph_node &node = g.nodes[n];
			bool after = false, head = false;
			for (size_t i = 0; i < node.input_count; i++) {
				after = after || reached.count(node.inputs[i]);
				head = head || heads.count(node.inputs[i]);
			}
			for (size_t i = 0; i < node.output_count && (after || head); i++)
				reached.insert(node.outputs[i]);
			for (size_t i = 0; i < node.input_count && after; i++) {
				const graph_node *maker = head_maker(&g, node.inputs[i]);
				if (const graph_tensor *t = graph_file_tensor(&g, node.inputs[i]))
					add_spots(node, *t, node.inputs[i], seen);
				else if (maker && is_op(*maker, {"Constant"}) && maker->attribute_count > 0 &&
					 maker->attributes[0].tensor)
					add_spots(node, *maker->attributes[0].tensor, node.inputs[i], seen);
			}
			for (size_t k = 0;
				k < node.attribute_count && after && is_op(node, {"Split", "Slice"}); k++)
				for (size_t i = 0; i < node.attributes[k].count &&
						   node.attributes[k].kind == GRAPH_ATTRIBUTE_INTS;
					i++) {
					int64_t v = node.attributes[k].integers[i], to = changed(v);
					if (to >= 0 && std::strcmp(node.attributes[k].name, "axes") != 0)
						spots_.push_back({nullptr, "", &node.attributes[k], n, i, v,
							to, role_of(node, node.attributes[k].integers, i)});
				}
		}
	}

	// Ways to change some of them, the likeliest first: all whole rows, and of the other numbers all,
	// none, one, all but one, and so on. Those of one role go together.
	std::vector<std::vector<bool>> guesses() const
	{
		std::vector<std::string> roles;
		std::vector<bool> likely;
		for (const Spot &spot : spots_)
			if (std::find(roles.begin(), roles.end(), spot.role) == roles.end()) {
				roles.push_back(spot.role);
				likely.push_back(is_likely(spot.value));
			}
		size_t count = std::min<size_t>(roles.size(), 12);
		std::vector<std::pair<size_t, size_t>> ranked; // how unlikely, and which are left out
		for (size_t bits = 0; bits < size_t{1} << count; bits++) {
			size_t rows = 0, in = 0, out = 0;
			for (size_t i = 0; i < count; i++)
				if (bits >> i & 1)
					(likely[i] ? rows : out)++;
				else if (!likely[i])
					in++;
			ranked.push_back({rows * 100 + std::min(in, out), bits});
		}
		std::stable_sort(ranked.begin(), ranked.end());
		ranked.resize(std::min(ranked.size(), guesses_max));
		std::vector<std::vector<bool>> all;
		for (auto [rank, bits] : ranked) {
			all.emplace_back();
			for (const Spot &spot : spots_) {
				size_t role = static_cast<size_t>(
					std::find(roles.begin(), roles.end(), spot.role) - roles.begin());
				all.back().push_back(role >= count || (bits >> role & 1) == 0);
			}
		}
		return all;
	}

	// ---- the new file ----

	// Old rows where they belong; new ones by chance, their biases the mean of the old.
	std::vector<float> weights_of(const Head &head, Ints &sides)
	{
		const graph_tensor *t = graph_file_tensor(&file_.graph, head.name.c_str());
		Tensor old = tensor_of(*t).transpose(0, head.axis).contiguous();
		int64_t group = head.extra + classes_.count, wide = head.extra + new_count();
		Ints rows = old.sizes().vec();
		rows[0] = head.each * wide;
		Tensor out = at::zeros(rows, at::kFloat);
		chance by_chance = chance_of(job_.seed, 0, static_cast<uint64_t>(rows[0]));
		for (int64_t e = 0; e < head.each; e++)
			for (int64_t row = 0; row < wide; row++) {
				int64_t from = row < head.extra
						       ? row
						       : old_of_[static_cast<size_t>(row - head.extra)];
				from = row < head.extra || from < 0 ? from : from + head.extra;
				Tensor to = out[e * wide + row];
				if (from >= 0)
					to.copy_(old[e * group + from]);
				else if (old.dim() == 1)
					to.fill_(
						old.narrow(0, e * group + head.extra, classes_.count).mean());
				else
					fill(to, by_chance);
			}
		out = out.transpose(0, head.axis).contiguous();
		sides = out.sizes().vec();
		const float *values = out.data_ptr<float>();
		return std::vector<float>(values, values + out.numel());
	}

	static void fill(Tensor to, chance &by_chance)
	{
		Tensor flat = to.view({-1});
		for (int64_t i = 0; i < flat.numel(); i++) {
			float first = chance_real(&by_chance, 1e-7F, 1),
			      second = chance_real(&by_chance, 0, 1);
			double radius = std::sqrt(-2 * std::log(static_cast<double>(first)));
			flat[i].fill_(
				new_deviation * radius * std::cos(2 * M_PI * static_cast<double>(second)));
		}
	}

	std::vector<char> write(const std::vector<bool> &chosen)
	{
		std::vector<graph_edit> edits;
		std::vector<std::vector<float>> weights(heads_.size());
		for (size_t i = 0; i < heads_.size(); i++) {
			Ints sides;
			weights[i] = weights_of(heads_[i], sides);
			add_tensor(edits, heads_[i].name.c_str(), GRAPH_FLOAT, sides, weights[i].data());
		}
		std::vector<Ints> numbers(spots_.size());
		for (size_t i = 0; i < spots_.size(); i++)
			if (i == 0 || !same_place(spots_[i], spots_[i - 1]))
				add_numbers(edits, numbers[i], i, chosen);
		Tensor output = said_[1];
		graph_edit side{};
		side.kind = GRAPH_EDIT_OUTPUT;
		side.name = output_->name;
		Classes classes = recipe_.task == TASK_DETECTION || output.dim() != said_[0].dim()
					  ? classes_of(output)
					  : classes_;
		side.axis = static_cast<int>(classes.axis);
		side.side = classes.offset + new_count();
		edits.push_back(side);
		arena memory;
		arena_init(&memory);
		graph_edit names{};
		names.kind = GRAPH_EDIT_METADATA;
		names.name = "names";
		names.text = arch_names(&memory, job_.labels, job_.label_count);
		edits.push_back(names);
		void *out = nullptr;
		size_t size = 0;
		graph_edit_write(
			file_.bytes.data(), file_.bytes.size(), edits.data(), edits.size(), &out, &size);
		arena_release(&memory);
		std::vector<char> bytes(static_cast<char *>(out), static_cast<char *>(out) + size);
		std::free(out);
		return bytes;
	}

	static void add_tensor(std::vector<graph_edit> &edits, const char *name, graph_type type,
		const Ints &sides, const void *data)
	{
		graph_edit edit{};
		edit.kind = GRAPH_EDIT_TENSOR;
		edit.name = name;
		edit.tensor.type = type;
		edit.tensor.rank = static_cast<int>(sides.size());
		std::copy(sides.begin(), sides.end(), edit.tensor.sides);
		edit.tensor.data = data;
		edits.push_back(edit);
	}

	static bool same_place(const Spot &a, const Spot &b)
	{
		return a.tensor == b.tensor && a.attribute == b.attribute && a.node == b.node;
	}

	// All numbers of the tensor or attribute that spot i is in.
	void add_numbers(
		std::vector<graph_edit> &edits, Ints &numbers, size_t first, const std::vector<bool> &chosen)
	{
		const Spot &spot = spots_[first];
		const int64_t *values = spot.attribute ? spot.attribute->integers
						       : static_cast<const int64_t *>(spot.tensor->data);
		size_t count = spot.attribute ? spot.attribute->count : spot.tensor->count;
		numbers.assign(values, values + count);
		for (size_t i = first; i < spots_.size() && same_place(spots_[i], spot); i++)
			if (chosen[i])
				numbers[spots_[i].at] = spots_[i].changed;
		if (spot.tensor) {
			add_tensor(edits, spot.name.c_str(), GRAPH_INT64,
				Ints(spot.tensor->sides, spot.tensor->sides + spot.tensor->rank),
				numbers.data());
			return;
		}
		graph_edit edit{};
		edit.kind = GRAPH_EDIT_INTEGERS;
		edit.name = spot.attribute->name;
		edit.node = spot.node;
		edit.integers = numbers.data();
		edit.count = numbers.size();
		edits.push_back(edit);
	}

	// Everything that was said of the old classes is said again, and of the shape it must have.
	bool holds(const std::vector<char> &bytes) const
	{
		try {
			File file(bytes.data(), bytes.size());
			Net net(file.graph);
			at::NoGradGuard none;
			std::vector<Tensor> said = net.forward(input_, {read_, output_->name}, false);
			Ints sides = said_[0].sizes().vec();
			sides[static_cast<size_t>(classes_.axis)] += new_count() - classes_.count;
			if (said[0].sizes() != at::IntArrayRef(sides) || said[1].dim() != said_[1].dim())
				return false;
			Ints order;
			for (int64_t i = 0; i < classes_.offset; i++)
				order.push_back(i);
			std::vector<int64_t> new_of(static_cast<size_t>(classes_.count));
			for (size_t i = 0; i < old_of_.size(); i++)
				if (old_of_[i] >= 0)
					new_of[static_cast<size_t>(old_of_[i])] = static_cast<int64_t>(i);
			for (int64_t at : new_of)
				order.push_back(classes_.offset + at);
			Tensor again =
				said[0].index_select(classes_.axis, at::tensor(at::ArrayRef<int64_t>(order)));
			return at::allclose(again, said_[0], 1e-4, 1e-4);
		} catch (const std::exception &) { // shapes that do not fit
			return false;
		}
	}

	File file_;
	const job &job_;
	const recipe &recipe_;
	Net net_;
	const graph_port *output_;
	std::string read_; // the value whose rows are followed
	Tensor input_;
	std::vector<Tensor> said_; // of read_ and the output, by the old graph
	Classes classes_;
	std::vector<int64_t> old_of_;
	std::vector<Head> heads_;
	std::vector<Spot> spots_;
};
} // namespace

Tensor head_probe_input(const graph_file &file, const recipe &recipe, uint64_t seed)
{
	const graph_port &port = file.inputs[0];
	int64_t channels = recipe.input.colour == COLOUR_GREY ? 1 : 3, height = recipe.input.height,
		width = recipe.input.width;
	Ints sides = recipe.input.layout == LAYOUT_NCHW ? Ints{1, channels, height, width}
							: Ints{1, height, width, channels};
	for (int i = 0; i < 4 && port.rank == 4; i++)
		if (port.sides[i] > 0)
			sides[static_cast<size_t>(i)] = port.sides[i];
	Tensor out = at::empty(sides, at::kFloat);
	chance by_chance = chance_of(seed, 1, 0);
	float *values = out.data_ptr<float>();
	// As large as pixels of the recipe are.
	for (int64_t i = 0; i < out.numel(); i++)
		values[i] = (chance_real(&by_chance, 0, 255) * recipe.input.scale - recipe.input.mean[0]) /
			    recipe.input.std[0];
	return out;
}

bool head_resize(const void *bytes, size_t size, const job *job, recipe *recipe, void **out, size_t *out_size,
	char error[GRAPH_ERROR_SIZE])
{
	*out = nullptr;
	*out_size = 0;
	try {
		std::vector<char> file = Resize(bytes, size, *job, *recipe).run();
		*out = std::malloc(file.size());
		if (*out == nullptr)
			throw Refused("There is no memory for the new file.");
		std::memcpy(*out, file.data(), file.size());
		*out_size = file.size();
		recipe->class_count += static_cast<uint32_t>(job->label_count - job->base_label_count);
		return true;
	} catch (const c10::Error &failed) {
		std::snprintf(error, GRAPH_ERROR_SIZE, "The model cannot be given other labels: %s",
			failed.what_without_backtrace());
		return false;
	} catch (const std::exception &refused) {
		std::snprintf(error, GRAPH_ERROR_SIZE, "%s", refused.what());
		return false;
	}
}
