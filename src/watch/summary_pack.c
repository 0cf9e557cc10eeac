/* SPDX-License-Identifier: Apache-2.0 */
/* The packed form of a summary: a roll-up's blob, drawn in docs/internals/rollups.md. */
#include "watch/packing.h"
#include "watch/summary.h"

#define PACKED_VERSION 1

/* In the order in which they are packed. ARRAY(name, bins) and NUMBER(name). */
#define SUMMARY_FIELDS                                                                                       \
	NUMBER(predictions)                                                                                  \
	NUMBER(latency_sum_us)                                                                               \
	NUMBER(cpu_sum_us)                                                                                   \
	NUMBER(width_sum)                                                                                    \
	NUMBER(height_sum)                                                                                   \
	NUMBER(measured)                                                                                     \
	NUMBER(brightness_sum)                                                                               \
	NUMBER(contrast_sum)                                                                                 \
	NUMBER(blur_sum)                                                                                     \
	NUMBER(shapes)                                                                                       \
	NUMBER(without_shapes)                                                                               \
	ARRAY(latencies, SKETCH_BINS)                                                                        \
	ARRAY(brightness, SUMMARY_LUMA)                                                                      \
	ARRAY(contrast, SUMMARY_LUMA)                                                                        \
	ARRAY(blur, SUMMARY_BLUR)                                                                            \
	ARRAY(areas, SUMMARY_AREAS)                                                                          \
	ARRAY(image_ratios, SUMMARY_RATIO_NAMES)                                                             \
	ARRAY(objects, SUMMARY_OBJECTS)

static bool is_empty(const struct summary_label *l)
{
	return l->shapes == 0;
}

static void pack_label(struct packer *p, const struct summary_label *l)
{
	pack_number(p, l->shapes);
	pack_number(p, l->images);
	pack_counts(p, l->scores, SUMMARY_SCORES);
	pack_counts(p, l->sizes, SUMMARY_SIZES);
	pack_counts(p, l->ratios, SUMMARY_RATIOS);
}

struct span summary_pack(const struct summary *s, struct arena *a)
{
	struct packer p = {.arena = a};
	uint32_t some = 0, next = 0;
	pack_number(&p, PACKED_VERSION);
#define NUMBER(name) pack_number(&p, s->name);
#define ARRAY(name, bins) pack_counts(&p, s->name, bins);
	SUMMARY_FIELDS
#undef NUMBER
#undef ARRAY
	for (uint32_t i = 0; i < s->label_count; i++)
		some += !is_empty(&s->labels[i]);
	pack_number(&p, some);
	for (uint32_t i = 0; i < s->label_count; i++) {
		if (is_empty(&s->labels[i]))
			continue;
		pack_number(&p, i - next);
		pack_label(&p, &s->labels[i]);
		next = i + 1;
	}
	return span_of(p.data, p.size);
}

static void unpack_label(struct unpacker *u, struct summary_label *l)
{
	const uint64_t shapes = unpack_number(u);
	if (shapes == 0)
		u->is_broken = true;
	l->shapes += shapes;
	l->images += unpack_number(u);
	unpack_counts(u, l->scores, SUMMARY_SCORES);
	unpack_counts(u, l->sizes, SUMMARY_SIZES);
	unpack_counts(u, l->ratios, SUMMARY_RATIOS);
}

static void unpack_labels(struct unpacker *u, struct summary *into)
{
	uint64_t next = 0;
	for (uint64_t some = unpack_number(u); some > 0 && !u->is_broken; some--) {
		const uint64_t zeros = unpack_number(u);
		if (zeros >= SUMMARY_LABELS_MAX - next) {
			u->is_broken = true;
			return;
		}
		next += zeros;
		unpack_label(u, summary_label(into, (uint32_t)next++));
	}
}

enum status summary_unpack_into(struct summary *into, struct span packed, struct err *err)
{
	struct unpacker u = {.at = packed.data, .end = packed.data + packed.size};
	if (unpack_number(&u) != PACKED_VERSION)
		return err_set(err, ST_INVALID, "These bytes are no summary of this version.");
#define NUMBER(name) into->name += unpack_number(&u);
#define ARRAY(name, bins) unpack_counts(&u, into->name, bins);
	SUMMARY_FIELDS
#undef NUMBER
#undef ARRAY
	unpack_labels(&u, into);
	if (!unpack_ended(&u))
		return err_set(err, ST_INVALID, "A summary of %zu bytes is damaged.", packed.size);
	return ST_OK;
}
