/* SPDX-License-Identifier: Apache-2.0 */
/* The implementations of engine_ops, and what they share. */
#ifndef GYRE_ENGINE_ENGINE_OPS_H
#define GYRE_ENGINE_ENGINE_OPS_H

#include "engine/engine.h"

/* May the input have this shape? Its size in bytes, or ST_UNPROCESSABLE with a sentence. */
enum status engine_port_accepts(const struct engine_port *port, const int64_t *shape, int rank,
	uint64_t *bytes, struct err *err) MUST_CHECK;

extern const struct engine_ops engine_ort_ops, engine_fake_ops;

#endif
