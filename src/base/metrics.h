/* SPDX-License-Identifier: Apache-2.0 */
/* What the process counts about itself: one table (metrics.def), lock-free, printed in Prometheus' text
 * format. */
#ifndef GYRE_BASE_METRICS_H
#define GYRE_BASE_METRICS_H

#include "base/str.h"

#include <stdint.h>

enum metric {
#define METRIC(name, kind, text, labels, help) METRIC_##name,
#include "base/metrics.def"
#undef METRIC
	METRIC_COUNT
};

void metric_add(enum metric m, int64_t amount);    /* counters and gauges */
void metric_observe_us(enum metric m, int64_t us); /* histograms, microseconds */
int64_t metric_value(enum metric m);               /* counters and gauges: the sum; histograms: the count */
void metrics_write(struct str *out);

#endif
