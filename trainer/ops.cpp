// SPDX-License-Identifier: Apache-2.0
// ONNX's operators on ATen, by the operators' specification (onnx/docs/Operators.md), from opset 7 on.
#include "trainer/net.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace
{
using at::Tensor;
using Ints = std::vector<int64_t>;

// What an operator is given: its node, its inputs, and how the attributes read.
struct Call {
	const graph_node &node;
	const Values &in;
	int64_t opset;
	bool training;
	int64_t batch; // pictures in a run of a graph that was exported for one; else 1

	const graph_attribute *find(const char *name) const
	{
		return graph_node_attribute(&node, name);
	}
	int64_t integer(const char *name, int64_t missing) const
	{
		const graph_attribute *a = find(name);
		return a ? a->integer : missing;
	}
	double real(const char *name, double missing) const
	{
		const graph_attribute *a = find(name);
		return a ? static_cast<double>(a->real) : missing;
	}
	std::string text(const char *name, const char *missing) const
	{
		const graph_attribute *a = find(name);
		return a ? a->text : missing;
	}
	Ints integers(const char *name, const Ints &missing = {}) const
	{
		const graph_attribute *a = find(name);
		return a ? Ints(a->integers, a->integers + a->count) : missing;
	}
	bool has(size_t i) const
	{
		return i < in.size() && in[i].defined();
	}
	// Whole numbers that are an input since some opset, and were an attribute before.
	Ints list(size_t i, const char *attribute, const Ints &missing = {}) const
	{
		if (!has(i))
			return integers(attribute, missing);
		Tensor plain = in[i].to(at::kLong).contiguous();
		const int64_t *values = plain.data_ptr<int64_t>();
		return Ints(values, values + plain.numel());
	}
	std::vector<double> reals(size_t i, const char *attribute) const
	{
		const graph_attribute *a = find(attribute);
		if (!has(i))
			return a ? std::vector<double>(a->reals, a->reals + a->count) : std::vector<double>();
		Tensor plain = in[i].to(at::kDouble).contiguous();
		const double *values = plain.data_ptr<double>();
		return std::vector<double>(values, values + plain.numel());
	}
	int64_t axis(int64_t missing, size_t input = 0) const
	{
		int64_t axis = integer("axis", missing);
		return axis < 0 ? axis + in[input].dim() : axis;
	}
	[[noreturn]] void refuse(const std::string &what) const
	{
		throw Refused("The model's node " + std::string(node.name) + " (" + node.op + ") " + what +
			      ", which cannot be trained here.");
	}
};

// ---- windows ----

struct Window {
	Ints kernel, strides, dilations, before, after;
};

// pads, or what auto_pad makes of the input's size.
Window window_of(const Call &c, const Ints &kernel)
{
	size_t n = kernel.size();
	Window w{kernel, c.integers("strides", Ints(n, 1)), c.integers("dilations", Ints(n, 1)), Ints(n, 0),
		Ints(n, 0)};
	std::string automatic = c.text("auto_pad", "NOTSET");
	Ints pads = c.integers("pads", Ints(2 * n, 0));
	for (size_t i = 0; i < n; i++) {
		if (automatic == "NOTSET") {
			w.before[i] = pads[i];
			w.after[i] = pads[n + i];
		} else if (automatic != "VALID") {
			int64_t side = c.in[0].size(static_cast<int64_t>(i) + 2),
				out = (side + w.strides[i] - 1) / w.strides[i];
			int64_t span = (out - 1) * w.strides[i] + (w.kernel[i] - 1) * w.dilations[i] + 1;
			int64_t all = std::max<int64_t>(span - side, 0), small = all / 2;
			w.before[i] = automatic == "SAME_UPPER" ? small : all - small;
			w.after[i] = all - w.before[i];
		}
	}
	return w;
}

// The same on both sides stays with the operator, which is quicker; else the input is padded.
Tensor padded(const Tensor &x, Window &w, double value)
{
	if (w.before == w.after)
		return x;
	Ints pads;
	for (size_t i = w.before.size(); i-- > 0;) {
		pads.push_back(w.before[i]);
		pads.push_back(w.after[i]);
	}
	w.before.assign(w.before.size(), 0);
	return at::constant_pad_nd(x, pads, value);
}

Ints sides_from(const Tensor &t, int64_t first)
{
	return Ints(t.sizes().begin() + first, t.sizes().end());
}

Values conv(const Call &c)
{
	Window w = window_of(c, sides_from(c.in[1], 2));
	Tensor x = padded(c.in[0], w, 0);
	return {at::convolution(x, c.in[1], c.has(2) ? c.in[2] : Tensor(), w.strides, w.before, w.dilations,
		false, Ints(w.kernel.size(), 0), c.integer("group", 1))};
}

Values conv_transpose(const Call &c)
{
	Window w = window_of(c, sides_from(c.in[1], 2));
	if (w.before != w.after || c.find("output_shape"))
		c.refuse("pads its output unevenly");
	Ints more = c.integers("output_padding", Ints(w.kernel.size(), 0));
	return {at::convolution(c.in[0], c.in[1], c.has(2) ? c.in[2] : Tensor(), w.strides, w.before,
		w.dilations, true, more, c.integer("group", 1))};
}

Values max_pool(const Call &c)
{
	Window w = window_of(c, c.integers("kernel_shape"));
	if (w.kernel.size() != 2)
		c.refuse("is not of two dimensions");
	Tensor x = padded(c.in[0], w, -std::numeric_limits<double>::infinity());
	return {at::max_pool2d(
		x, w.kernel, w.strides, w.before, w.dilations, c.integer("ceil_mode", 0) != 0)};
}

Values average_pool(const Call &c)
{
	Window w = window_of(c, c.integers("kernel_shape"));
	bool counted = c.integer("count_include_pad", 0) != 0, ceil = c.integer("ceil_mode", 0) != 0;
	if (w.kernel.size() != 2 || (w.before != w.after && ceil))
		c.refuse("is of a form");
	if (w.before == w.after)
		return {at::avg_pool2d(c.in[0], w.kernel, w.strides, w.before, ceil, counted)};
	// Uneven: sums over windows, divided by how many of their pixels are the image's.
	Tensor ones = at::ones_like(c.in[0]);
	Window again = w;
	Tensor sums = at::avg_pool2d(padded(c.in[0], w, 0), w.kernel, w.strides, w.before, false, true);
	if (counted)
		return {sums};
	return {sums / at::avg_pool2d(padded(ones, again, 0), again.kernel, again.strides, again.before,
			       false, true)};
}

Values global_average_pool(const Call &c)
{
	Ints sides;
	for (int64_t i = 2; i < c.in[0].dim(); i++)
		sides.push_back(i);
	return {at::mean(c.in[0], sides, true)};
}

Values global_max_pool(const Call &c)
{
	Ints sides;
	for (int64_t i = 2; i < c.in[0].dim(); i++)
		sides.push_back(i);
	return {at::amax(c.in[0], sides, true)};
}

// ---- normalisation, products ----

Values batch_norm(const Call &c)
{
	double momentum = 1 - c.real("momentum", 0.9);
	return {at::batch_norm(c.in[0], c.in[1], c.in[2], c.in[3], c.in[4], c.training, momentum,
		c.real("epsilon", 1e-5), false)};
}

Values instance_norm(const Call &c)
{
	return {at::instance_norm(
		c.in[0], c.in[1], c.in[2], {}, {}, true, 0.1, c.real("epsilon", 1e-5), false)};
}

Values layer_norm(const Call &c)
{
	return {at::layer_norm(c.in[0], sides_from(c.in[0], c.axis(-1)), c.in[1],
		c.has(2) ? c.in[2] : Tensor(), c.real("epsilon", 1e-5), false)};
}

Values local_response_norm(const Call &c)
{
	// x / (bias + alpha / size * sum of squares over neighbouring channels) ^ beta
	int64_t size = c.integer("size", 1), before = (size - 1) / 2, after = size - 1 - before;
	Tensor squares = at::constant_pad_nd(c.in[0] * c.in[0], {0, 0, 0, 0, before, after}, 0);
	Tensor sum = squares.narrow(1, 0, c.in[0].size(1));
	for (int64_t i = 1; i < size; i++)
		sum = sum + squares.narrow(1, i, c.in[0].size(1));
	return {c.in[0] /
		at::pow(sum * (c.real("alpha", 1e-4) / static_cast<double>(size)) + c.real("bias", 1),
			c.real("beta", 0.75))};
}

Values gemm(const Call &c)
{
	Tensor a = c.integer("transA", 0) ? c.in[0].t() : c.in[0],
	       b = c.integer("transB", 0) ? c.in[1].t() : c.in[1];
	Tensor product = at::matmul(a, b);
	double alpha = c.real("alpha", 1), beta = c.real("beta", 1);
	product = alpha == 1 ? product : product * alpha;
	return {c.has(2) ? product + (beta == 1 ? c.in[2] : c.in[2] * beta) : product};
}

// Before opset 13 the dimensions from the axis on are one.
Values softmax_like(const Call &c, bool logarithm)
{
	int64_t axis = c.axis(c.opset < 13 ? 1 : -1);
	Tensor x = c.opset < 13 ? c.in[0].flatten(axis) : c.in[0];
	Tensor y = logarithm ? at::log_softmax(x, axis) : at::softmax(x, axis);
	return {y.reshape(c.in[0].sizes())};
}

// ---- element by element ----

Values clip(const Call &c)
{
	c10::optional<at::Scalar> low, high;
	auto bound = [&](size_t i, const char *name) -> c10::optional<at::Scalar> {
		if (c.has(i))
			return c.in[i].item();
		const graph_attribute *a = c.find(name);
		return a ? c10::optional<at::Scalar>(a->real) : c10::nullopt;
	};
	low = bound(1, "min");
	high = bound(2, "max");
	return {low || high ? at::clamp(c.in[0], low, high) : c.in[0]};
}

Values variadic(const Call &c, Tensor (*combine)(const Tensor &, const Tensor &))
{
	Tensor out = c.in[0];
	for (size_t i = 1; i < c.in.size(); i++)
		out = combine(out, c.in[i]);
	return {out};
}

Values divide(const Call &c)
{
	bool whole = !c.in[0].is_floating_point() && !c.in[1].is_floating_point();
	return {whole ? at::div(c.in[0], c.in[1], "trunc") : c.in[0] / c.in[1]};
}

Values prelu(const Call &c)
{
	return {at::where(c.in[0] < 0, c.in[0] * c.in[1], c.in[0])};
}

Values cast(const Call &c)
{
	static const std::unordered_map<int64_t, at::ScalarType> types{{1, at::kFloat}, {2, at::kByte},
		{3, at::kChar}, {6, at::kInt}, {7, at::kLong}, {9, at::kBool}, {10, at::kHalf},
		{11, at::kDouble}};
	auto type = types.find(c.integer("to", 1));
	if (type == types.end())
		c.refuse("casts to a type");
	return {c.in[0].to(type->second)};
}

// ---- shapes ----

Values reshape(const Call &c)
{
	Ints sides = c.list(1, "shape");
	bool zeros = c.integer("allowzero", 0) != 0;
	for (size_t i = 0; i < sides.size(); i++)
		if (sides[i] == 0 && !zeros)
			sides[i] = c.in[0].size(static_cast<int64_t>(i));
	// A batch of one that was written into the graph is a batch of any size.
	if (c.batch > 1 && !sides.empty() && sides[0] == 1 && c.in[0].dim() > 0 && c.in[0].size(0) == c.batch)
		sides[0] = c.batch;
	int64_t count = 1;
	bool free = false;
	for (int64_t side : sides) {
		free = free || side < 0;
		count *= side < 0 ? 1 : side;
	}
	if (!free && !sides.empty() && sides[0] == 1 && count != c.in[0].numel())
		sides[0] = -1;
	return {c.in[0].reshape(sides)};
}

Values flatten(const Call &c)
{
	int64_t axis = c.axis(1), rows = 1;
	for (int64_t i = 0; i < axis; i++)
		rows *= c.in[0].size(i);
	return {c.in[0].reshape({rows, -1})};
}

Values squeeze(const Call &c)
{
	Ints axes = c.list(1, "axes");
	if (axes.empty())
		return {c.in[0].squeeze()};
	for (int64_t &axis : axes)
		axis = axis < 0 ? axis + c.in[0].dim() : axis;
	std::sort(axes.rbegin(), axes.rend());
	Tensor out = c.in[0];
	for (int64_t axis : axes)
		out = out.squeeze(axis);
	return {out};
}

Values unsqueeze(const Call &c)
{
	Ints axes = c.list(1, "axes");
	int64_t rank = c.in[0].dim() + static_cast<int64_t>(axes.size());
	for (int64_t &axis : axes)
		axis = axis < 0 ? axis + rank : axis;
	std::sort(axes.begin(), axes.end());
	Tensor out = c.in[0];
	for (int64_t axis : axes)
		out = out.unsqueeze(axis);
	return {out};
}

Values transpose(const Call &c)
{
	Ints order;
	for (int64_t i = c.in[0].dim(); i-- > 0;)
		order.push_back(i);
	return {c.in[0].permute(c.integers("perm", order))};
}

Values slice(const Call &c)
{
	Ints starts = c.list(1, "starts"), ends = c.list(2, "ends"), axes = c.list(3, "axes"),
	     steps = c.list(4, "steps");
	Tensor out = c.in[0];
	for (size_t i = 0; i < starts.size(); i++) {
		int64_t axis = i < axes.size() ? axes[i] : static_cast<int64_t>(i),
			step = i < steps.size() ? steps[i] : 1;
		if (step < 1)
			c.refuse("goes backwards");
		int64_t axis_at = axis < 0 ? axis + out.dim() : axis, side = out.size(axis_at);
		int64_t start =
			starts[i] < 0 ? std::max<int64_t>(starts[i] + side, 0) : std::min(starts[i], side);
		int64_t end = ends[i] < 0 ? std::max<int64_t>(ends[i] + side, 0) : std::min(ends[i], side);
		out = out.slice(axis_at, start, std::max(start, end), step);
	}
	return {out};
}

Values split(const Call &c)
{
	int64_t axis = c.axis(0), side = c.in[0].size(axis);
	Ints parts = c.list(1, "split");
	if (parts.empty()) {
		int64_t count = c.integer("num_outputs", static_cast<int64_t>(c.node.output_count)),
			part = (side + count - 1) / count;
		for (int64_t left = side; left > 0; left -= part)
			parts.push_back(std::min(part, left));
	}
	return at::split_with_sizes(c.in[0], parts, axis);
}

Values concat(const Call &c)
{
	return {at::cat(c.in, c.axis(0))};
}

Values pad(const Call &c)
{
	Ints pads = c.list(1, "pads"), turned;
	size_t rank = pads.size() / 2;
	std::string mode = c.text("mode", "constant");
	double value = c.has(2) ? c.in[2].item().toDouble() : c.real("value", 0);
	if (c.has(3) || mode == "wrap")
		c.refuse("pads in a way");
	for (size_t i = rank; i-- > 0;) {
		turned.push_back(pads[i]);
		turned.push_back(pads[rank + i]);
	}
	if (mode == "constant")
		return {at::constant_pad_nd(c.in[0], turned, value)};
	for (size_t i = 4; i < turned.size(); i++)
		if (turned[i] != 0)
			c.refuse("pads more than height and width");
	turned.resize(4);
	return {mode == "reflect" ? at::reflection_pad2d(c.in[0], turned)
				  : at::replication_pad2d(c.in[0], turned)};
}

Values gather(const Call &c)
{
	int64_t axis = c.axis(0);
	Tensor index = c.in[1].to(at::kLong);
	index = at::where(index < 0, index + c.in[0].size(axis), index);
	Tensor out = at::index_select(c.in[0], axis, index.flatten());
	Ints sides(c.in[0].sizes().begin(), c.in[0].sizes().begin() + axis);
	sides.insert(sides.end(), index.sizes().begin(), index.sizes().end());
	sides.insert(sides.end(), c.in[0].sizes().begin() + axis + 1, c.in[0].sizes().end());
	return {out.reshape(sides)};
}

Values expand(const Call &c)
{
	Tensor ones = at::ones(c.list(1, "shape"), c.in[0].options());
	return {c.in[0] * ones};
}

Values constant_of_shape(const Call &c)
{
	const graph_attribute *value = c.find("value");
	Tensor one =
		value && value->tensor ? tensor_of(*value->tensor).reshape({}) : at::zeros({}, at::kFloat);
	return {one.expand(c.list(0, "")).clone()};
}

Values constant(const Call &c)
{
	for (size_t i = 0; i < c.node.attribute_count; i++) {
		const graph_attribute &a = c.node.attributes[i];
		if (a.tensor)
			return {tensor_of(*a.tensor)};
		if (a.kind == GRAPH_ATTRIBUTE_INT)
			return {at::scalar_tensor(a.integer, at::kLong)};
		if (a.kind == GRAPH_ATTRIBUTE_FLOAT)
			return {at::scalar_tensor(a.real, at::kFloat)};
		if (a.kind == GRAPH_ATTRIBUTE_INTS)
			return {at::tensor(at::ArrayRef<int64_t>(a.integers, a.count))};
		if (a.kind == GRAPH_ATTRIBUTE_FLOATS)
			return {at::tensor(at::ArrayRef<float>(a.reals, a.count))};
	}
	c.refuse("holds no tensor");
}

Values shape(const Call &c)
{
	Ints sides(c.in[0].sizes().begin(), c.in[0].sizes().end());
	return {at::tensor(at::ArrayRef<int64_t>(sides))};
}

Values range(const Call &c)
{
	return {at::arange(c.in[0].item(), c.in[1].item(), c.in[2].item(), c.in[0].options())};
}

Values depth_to_space(const Call &c)
{
	int64_t block = c.integer("blocksize", 1), n = c.in[0].size(0),
		depth = c.in[0].size(1) / (block * block);
	int64_t height = c.in[0].size(2), width = c.in[0].size(3);
	bool columns = c.text("mode", "DCR") == "CRD";
	Tensor x =
		columns ? c.in[0].reshape({n, depth, block, block, height, width}).permute({0, 1, 4, 2, 5, 3})
			: c.in[0].reshape({n, block, block, depth, height, width})
				  .permute({0, 3, 4, 1, 5, 2});
	return {x.reshape({n, depth, height * block, width * block})};
}

Values space_to_depth(const Call &c)
{
	int64_t block = c.integer("blocksize", 1), n = c.in[0].size(0), depth = c.in[0].size(1);
	int64_t height = c.in[0].size(2) / block, width = c.in[0].size(3) / block;
	Tensor x = c.in[0].reshape({n, depth, height, block, width, block}).permute({0, 3, 5, 1, 2, 4});
	return {x.reshape({n, depth * block * block, height, width})};
}

// ---- another size ----

// Where an output's place lies in the input, by coordinate_transformation_mode.
double place(const std::string &mode, double at, double scale, int64_t in, int64_t out)
{
	if (mode == "asymmetric")
		return at / scale;
	if (mode == "align_corners")
		return out == 1 ? 0 : at * static_cast<double>(in - 1) / static_cast<double>(out - 1);
	if (mode == "pytorch_half_pixel" && out == 1)
		return 0;
	return (at + 0.5) / scale - 0.5;
}

int64_t nearest(const std::string &mode, double x)
{
	if (mode == "floor")
		return static_cast<int64_t>(std::floor(x));
	if (mode == "ceil")
		return static_cast<int64_t>(std::ceil(x));
	bool half = x - std::floor(x) == 0.5;
	if (half)
		return static_cast<int64_t>(mode == "round_prefer_ceil" ? std::ceil(x) : std::floor(x));
	return static_cast<int64_t>(std::round(x));
}

// One dimension at a time: both ways are products of such.
Tensor resize_side(const Tensor &x, int64_t axis, int64_t out, double scale, bool linear,
	const std::string &mode, const std::string &rounding)
{
	int64_t in = x.size(axis);
	Ints low, high;
	std::vector<float> share;
	for (int64_t i = 0; i < out; i++) {
		double at = place(mode, static_cast<double>(i), scale, in, out);
		int64_t first = linear ? static_cast<int64_t>(std::floor(at)) : nearest(rounding, at);
		low.push_back(std::min(std::max<int64_t>(first, 0), in - 1));
		high.push_back(std::min(std::max<int64_t>(first + 1, 0), in - 1));
		share.push_back(static_cast<float>(at - std::floor(at)));
	}
	Tensor below = at::index_select(x, axis, at::tensor(at::ArrayRef<int64_t>(low)));
	if (!linear)
		return below;
	Ints sides(static_cast<size_t>(x.dim()), 1);
	sides[static_cast<size_t>(axis)] = out;
	Tensor above = at::index_select(x, axis, at::tensor(at::ArrayRef<int64_t>(high)));
	return at::lerp(below, above, at::tensor(at::ArrayRef<float>(share)).reshape(sides));
}

Values resize(const Call &c)
{
	bool old = std::string(c.node.op) == "Upsample" || c.opset < 11;
	std::string mode = c.text("mode", "nearest"),
		    transform = c.text("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
	std::string rounding = c.text("nearest_mode", old ? "floor" : "round_prefer_floor");
	std::vector<double> scales = c.reals(old ? 1 : 2, "scales");
	Ints sizes = old ? Ints() : c.list(3, "sizes");
	if (mode == "cubic" || transform == "tf_crop_and_resize")
		c.refuse("resizes in a way");
	Tensor out = c.in[0];
	for (int64_t axis = 0; axis < c.in[0].dim(); axis++) {
		int64_t in = out.size(axis);
		size_t at = static_cast<size_t>(axis);
		int64_t side =
			at < sizes.size()
				? sizes[at]
				: static_cast<int64_t>(std::floor(static_cast<double>(in) * scales.at(at)));
		double scale = at < scales.size() && sizes.empty()
				       ? scales[at]
				       : static_cast<double>(side) / static_cast<double>(in);
		if (axis == 0 && at < sizes.size())
			side = in; // a batch of one that was written into the graph
		if (side != in)
			out = resize_side(out, axis, side, scale, mode != "nearest", transform, rounding);
	}
	return {out};
}

// ---- over dimensions ----

Values reduce(const Call &c, const std::function<Tensor(const Tensor &, const Ints &, bool)> &over)
{
	Ints axes = c.list(1, "axes");
	if (axes.empty())
		for (int64_t i = 0; i < c.in[0].dim(); i++)
			axes.push_back(i);
	return {over(c.in[0], axes, c.integer("keepdims", 1) != 0)};
}

Values arg_max(const Call &c)
{
	return {at::argmax(c.in[0], c.axis(0), c.integer("keepdims", 1) != 0)};
}

using Operator = std::function<Values(const Call &)>;
Operator of_one(Tensor (*f)(const Tensor &))
{
	return [f](const Call &c) -> Values { return {f(c.in[0])}; };
}
Operator of_two(Tensor (*f)(const Tensor &, const Tensor &))
{
	return [f](const Call &c) -> Values { return {f(c.in[0], c.in[1])}; };
}
Operator of_many(Tensor (*f)(const Tensor &, const Tensor &))
{
	return [f](const Call &c) -> Values { return variadic(c, f); };
}
Tensor plus(const Tensor &a, const Tensor &b)
{
	return at::add(a, b);
}
Tensor minus(const Tensor &a, const Tensor &b)
{
	return at::sub(a, b);
}
Tensor times(const Tensor &a, const Tensor &b)
{
	return at::mul(a, b);
}

// Every operator, once.
const std::unordered_map<std::string, Operator> &operators()
{
	static const std::unordered_map<std::string, Operator> table{
		{"Conv", conv},
		{"ConvTranspose", conv_transpose},
		{"MaxPool", max_pool},
		{"AveragePool", average_pool},
		{"GlobalAveragePool", global_average_pool},
		{"GlobalMaxPool", global_max_pool},
		{"BatchNormalization", batch_norm},
		{"InstanceNormalization", instance_norm},
		{"LayerNormalization", layer_norm},
		{"LRN", local_response_norm},
		{"Gemm", gemm},
		{"MatMul", of_two(at::matmul)},
		{"Softmax", [](const Call &c) { return softmax_like(c, false); }},
		{"LogSoftmax", [](const Call &c) { return softmax_like(c, true); }},
		{"Add", of_two(plus)},
		{"Sub", of_two(minus)},
		{"Mul", of_two(times)},
		{"Div", divide},
		{"Sum", of_many(plus)},
		{"Max", of_many(at::maximum)},
		{"Min", of_many(at::minimum)},
		{"Pow",
			[](const Call &c) -> Values {
				return {at::pow(c.in[0], c.in[1].to(c.in[0].scalar_type()))};
			}},
		{"Relu", of_one(at::relu)},
		{"Sigmoid", of_one(at::sigmoid)},
		{"Tanh", of_one(at::tanh)},
		{"Exp", of_one(at::exp)},
		{"Log", of_one(at::log)},
		{"Sqrt", of_one(at::sqrt)},
		{"Abs", of_one(at::abs)},
		{"Neg", of_one(at::neg)},
		{"Erf", of_one(at::erf)},
		{"Floor", of_one(at::floor)},
		{"Ceil", of_one(at::ceil)},
		{"Round", of_one(at::round)},
		{"Reciprocal", of_one(at::reciprocal)},
		{"Not", of_one(at::logical_not)},
		{"LeakyRelu",
			[](const Call &c) -> Values {
				return {at::leaky_relu(c.in[0], c.real("alpha", 0.01))};
			}},
		{"Elu", [](const Call &c) -> Values { return {at::elu(c.in[0], c.real("alpha", 1))}; }},
		{"HardSigmoid",
			[](const Call &c) -> Values {
				return {at::clamp(
					c.in[0] * c.real("alpha", 0.2) + c.real("beta", 0.5), 0, 1)};
			}},
		{"HardSwish",
			[](const Call &c) -> Values {
				return {c.in[0] * at::clamp(c.in[0] / 6 + 0.5, 0, 1)};
			}},
		{"Softplus", [](const Call &c) -> Values { return {at::softplus(c.in[0])}; }},
		{"Gelu",
			[](const Call &c) -> Values {
				return {at::gelu(c.in[0], c.text("approximate", "none"))};
			}},
		{"PRelu", prelu},
		{"Clip", clip},
		{"Cast", cast},
		{"Identity", [](const Call &c) -> Values { return {c.in[0]}; }},
		{"Dropout", [](const Call &c) -> Values { return {c.in[0]}; }},
		{"Reshape", reshape},
		{"Flatten", flatten},
		{"Squeeze", squeeze},
		{"Unsqueeze", unsqueeze},
		{"Transpose", transpose},
		{"Slice", slice},
		{"Split", split},
		{"Concat", concat},
		{"Pad", pad},
		{"Gather", gather},
		{"Expand", expand},
		{"Tile", [](const Call &c) -> Values { return {c.in[0].repeat(c.list(1, "repeats"))}; }},
		{"Shape", shape},
		{"Constant", constant},
		{"ConstantOfShape", constant_of_shape},
		{"Range", range},
		{"Where", [](const Call &c) -> Values { return {at::where(c.in[0], c.in[1], c.in[2])}; }},
		{"Equal", [](const Call &c) -> Values { return {at::eq(c.in[0], c.in[1])}; }},
		{"Less", [](const Call &c) -> Values { return {at::lt(c.in[0], c.in[1])}; }},
		{"Greater", [](const Call &c) -> Values { return {at::gt(c.in[0], c.in[1])}; }},
		{"DepthToSpace", depth_to_space},
		{"SpaceToDepth", space_to_depth},
		{"Resize", resize},
		{"Upsample", resize},
		{"ReduceMean",
			[](const Call &c) {
				return reduce(c, [](const Tensor &x, const Ints &a, bool k) {
					return at::mean(x, a, k);
				});
			}},
		{"ReduceSum",
			[](const Call &c) {
				return reduce(c, [](const Tensor &x, const Ints &a, bool k) {
					return at::sum(x, a, k);
				});
			}},
		{"ReduceMax",
			[](const Call &c) {
				return reduce(c, [](const Tensor &x, const Ints &a, bool k) {
					return at::amax(x, a, k);
				});
			}},
		{"ReduceMin",
			[](const Call &c) {
				return reduce(c, [](const Tensor &x, const Ints &a, bool k) {
					return at::amin(x, a, k);
				});
			}},
		{"ArgMax", arg_max},
	};
	return table;
}
} // namespace

bool knows_operator(const std::string &op)
{
	return operators().count(op) > 0;
}

Values run_node(const graph_node &node, const Values &inputs, int64_t opset, bool training, int64_t batch)
{
	return operators().at(node.op)(Call{node, inputs, opset, training, batch});
}
