/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tap.h"

#include "engine/engine.h"
#include "engine/wire.h"

#define HALF_LARGEST 65504.0F
#define CHANNELS_MIN 8 /* fewer say little: colour planes, single gates */

bool tap_better(struct tap_shape candidate, struct tap_shape best)
{
	int64_t area, best_area;
	if (candidate.channels < 2 || candidate.height < 1 || candidate.width < 1 ||
		__builtin_mul_overflow(candidate.height, candidate.width, &area))
		return false;
	if (best.channels == 0)
		return true;
	bool enough = candidate.channels >= CHANNELS_MIN, best_enough = best.channels >= CHANNELS_MIN;
	best_area = best.height * best.width;
	if (enough != best_enough)
		return enough;
	return area < best_area || (area == best_area && candidate.channels >= best.channels);
}

uint16_t tap_half(float value)
{
	if (value != value)
		return 0;
	if (value > HALF_LARGEST)
		value = HALF_LARGEST;
	if (value < -HALF_LARGEST)
		value = -HALF_LARGEST;
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
	uint32_t exponent = magnitude >> 23;
	if (exponent < 102) /* below half of the smallest half */
		return (uint16_t)sign;
	/* The significand with its hidden bit, shifted so that the half's last bit is bit 0; what falls off
	 * rounds to even. */
	uint32_t significand = (magnitude & 0x7fffff) | 0x800000;
	unsigned shift = exponent < 113 ? 126 - exponent : 13;
	uint32_t kept = significand >> shift, lost = significand & ((1U << shift) - 1),
		 middle = 1U << (shift - 1);
	kept += lost > middle || (lost == middle && (kept & 1));
	/* A carry out of the significand rightly raises the exponent. */
	uint32_t half = exponent < 113 ? kept : ((exponent - 113) << 10) + kept;
	return (uint16_t)(sign | half);
}

float tap_float(uint16_t half)
{
	unsigned exponent = half >> 10 & 31, significand = half & 0x3ff;
	uint32_t sign = (uint32_t)(half & 0x8000) << 16;
	if (exponent == 0) {
		float value = (float)significand * 0x1p-24F;
		return sign ? -value : value;
	}
	uint32_t bits = exponent == 31 ? sign | 0x7f800000 | significand << 13
				       : sign | (exponent + 112) << 23 | significand << 13;
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* Four sums at once, so that additions do not wait for each other. */
static double sum_of(const void *data, bool is_half, size_t count)
{
	const float *floats = data;
	const uint16_t *halves = data;
	double sums[4] = {0};
	size_t i = 0;
	for (; !is_half && i + 4 <= count; i += 4)
		for (size_t lane = 0; lane < 4; lane++)
			sums[lane] += (double)floats[i + lane];
	for (; i < count; i++)
		sums[0] += (double)(is_half ? tap_float(halves[i]) : floats[i]);
	return sums[0] + sums[1] + sums[2] + sums[3];
}

unsigned tap_pool(const void *data, bool is_half, int64_t channels, int64_t area, uint16_t *out)
{
	int64_t count = channels < ENGINE_FEATURES_MAX ? channels : ENGINE_FEATURES_MAX;
	size_t element_size = is_half ? 2 : 4;
	for (int64_t i = 0; i < count; i++) {
		int64_t from = i * channels / count, to = (i + 1) * channels / count;
		size_t elements = (size_t)((to - from) * area);
		const uint8_t *first = (const uint8_t *)data + (size_t)(from * area) * element_size;
		out[i] = tap_half((float)(sum_of(first, is_half, elements) / (double)elements));
	}
	return (unsigned)count;
}

/* ModelProto.graph (7) { GraphProto.output (12) { ValueInfoProto.name (1) } } */
void tap_append_output(struct str *tail, struct span name)
{
	struct str value, graph;
	str_init(&value, name.size + 16);
	str_init(&graph, name.size + 32);
	wire_put_bytes(&value, 1, name);
	wire_put_bytes(&graph, 12, span_of(value.text, value.size));
	wire_put_bytes(tail, 7, span_of(graph.text, graph.size));
	str_release(&value);
	str_release(&graph);
}

void tap_append_ir_version_3(struct str *tail)
{
	wire_put_number(tail, 1, 3);
}
