/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include "base/check.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const struct {
	enum kind kind;
	const char *name, *labels, *help;
} table[] = {
#define METRIC(id, kind, name, labels, help) {kind, name, labels, help},
#include "base/metrics.def"
#undef METRIC
};

/* Upper bounds of the histograms' buckets, microseconds: 100 us … 10 s, three a decade. */
static const int64_t bounds_us[] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000, 5000000, 10000000};
#define BUCKETS (COUNT_OF(bounds_us) + 1)

static struct {
	_Atomic int64_t value; /* counters and gauges; histograms: the number of observations */
	_Atomic int64_t sum_us;
	_Atomic int64_t buckets[BUCKETS];
} values[METRIC_COUNT];

void metric_add(enum metric m, int64_t amount)
{
	CHECK(m < METRIC_COUNT && table[m].kind != HISTOGRAM);
	atomic_fetch_add_explicit(&values[m].value, amount, memory_order_relaxed);
}

void metric_observe_us(enum metric m, int64_t us)
{
	CHECK(m < METRIC_COUNT && table[m].kind == HISTOGRAM);
	size_t bucket = 0;
	while (bucket < COUNT_OF(bounds_us) && us > bounds_us[bucket])
		bucket++;
	atomic_fetch_add_explicit(&values[m].buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&values[m].sum_us, us, memory_order_relaxed);
	atomic_fetch_add_explicit(&values[m].value, 1, memory_order_relaxed);
}

int64_t metric_value(enum metric m)
{
	CHECK(m < METRIC_COUNT);
	return atomic_load_explicit(&values[m].value, memory_order_relaxed);
}

static void write_histogram(struct str *out, size_t m)
{
	const char *labels = table[m].labels, *comma = *labels ? "," : "";
	int64_t total = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		total += atomic_load_explicit(&values[m].buckets[i], memory_order_relaxed);
		if (i < COUNT_OF(bounds_us))
			str_printf(out, "%s_bucket{%s%sle=\"%g\"} %" PRId64 "\n", table[m].name, labels,
				comma, (double)bounds_us[i] / 1e6, total);
		else
			str_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRId64 "\n", table[m].name, labels,
				comma, total);
	}
	const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
	str_printf(out, "%s_sum%s%s%s %g\n", table[m].name, open, labels, close,
		(double)atomic_load_explicit(&values[m].sum_us, memory_order_relaxed) / 1e6);
	str_printf(out, "%s_count%s%s%s %" PRId64 "\n", table[m].name, open, labels, close, total);
}

void metrics_write(struct str *out)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	for (size_t m = 0; m < METRIC_COUNT; m++) {
		/* Lines of one name stand together in the table and share its header. */
		if (m == 0 || strcmp(table[m].name, table[m - 1].name) != 0)
			str_printf(out, "# HELP %s %s\n# TYPE %s %s\n", table[m].name, table[m].help,
				table[m].name, kinds[table[m].kind]);
		if (table[m].kind == HISTOGRAM)
			write_histogram(out, m);
		else
			str_printf(out, "%s %" PRId64 "\n", table[m].name, metric_value((enum metric)m));
	}
}
