/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine for tests of what stands above it: no process and no ONNX Runtime. It describes
 * the graph of its model file (without one: a classifier, images 1x3x32x32 in, ten scores
 * out), and answers every run with the same tensors: element i is (i mod 10) / 10, or
 * i mod 10 for whole numbers. Dynamic sides are 1 in outputs.
 */
#include "base/check.h"
#include "engine/engine.h"
#include "engine/engine_ops.h"
#include "engine/tap.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"

#include <stdio.h>
#include <stdlib.h>

#define FEATURES 16

struct fake_seat {
	struct engine_seat base;
	struct fake_engine *engine;
	bool taken, has_input;
	uint8_t *input;
};

struct fake_engine {
	struct engine base;
	struct engine_description description;
	uint8_t *outputs[ENGINE_TENSORS_MAX];
	pthread_mutex_t lock; /* guards the rest */
	pthread_cond_t changed;
	struct fake_seat *seats;
	unsigned seat_count, taken_count;
	bool closing;
};

static struct fake_engine *fake_of(struct engine *e)
{
	return CONTAINER_OF(e, struct fake_engine, base);
}

static void describe_classifier(struct engine_description *d)
{
	*d = (struct engine_description){
		.input_count = 1, .output_count = 1, .opset = 13, .producer = "gyre"};
	d->inputs[0] = (struct engine_port){
		.name = "image", .type = ENGINE_FLOAT32, .rank = 4, .shape = {1, 3, 32, 32}};
	d->outputs[0] = (struct engine_port){
		.name = "scores", .type = ENGINE_FLOAT32, .rank = 2, .shape = {1, 10}, .made_by = "Softmax"};
}

static enum status describe_file(
	const struct engine_options *o, struct engine_description *d, struct err *err)
{
	struct span file;
	if (o->model_path == NULL) {
		describe_classifier(d);
		return ST_OK;
	}
	TRY(file_map(o->model_path, &file, err));
	enum status st = engine_inspect(file, d, err);
	file_unmap(file);
	return st;
}

/* The tensor that stands for a port: its bytes, or 0 when there can be none. */
static size_t shape_output(const struct engine_port *port, struct engine_tensor *t)
{
	*t = (struct engine_tensor){.type = port->type, .rank = port->rank > 0 ? port->rank : 0};
	size_t count = 1;
	for (int i = 0; i < t->rank; i++) {
		t->shape[i] = port->shape[i] > 0 ? port->shape[i] : 1;
		CHECK(!__builtin_mul_overflow(count, (size_t)t->shape[i], &count));
	}
	t->size = count * engine_type_size(port->type);
	return count;
}

static void fill(uint8_t *out, enum engine_type type, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned digit = (unsigned)(i % 10);
		switch (type) {
		case ENGINE_FLOAT32: ((float *)out)[i] = (float)digit / 10; break;
		case ENGINE_FLOAT16: ((uint16_t *)out)[i] = tap_half((float)digit / 10); break;
		case ENGINE_DOUBLE: ((double *)out)[i] = digit / 10.0; break;
		case ENGINE_INT32: ((int32_t *)out)[i] = (int32_t)digit; break;
		case ENGINE_INT64: ((int64_t *)out)[i] = digit; break;
		case ENGINE_BOOL: out[i] = digit & 1; break;
		default: out[i] = (uint8_t)digit;
		}
	}
}

static enum status fake_open(const struct engine_options *o, struct engine **out, struct err *err)
{
	struct fake_engine *e = calloc(1, sizeof(*e));
	CHECK(e != NULL);
	enum status st = describe_file(o, &e->description, err);
	if (st != ST_OK) {
		free(e);
		return st;
	}
	struct engine_description *d = &e->description;
	d->probe_rank = engine_probe_shape(&d->inputs[0], o->probe_side, d->probe_shape);
	d->probed = d->probe_rank > 0;
	if (o->features_output && o->features_output[0]) {
		snprintf(d->features_output, sizeof(d->features_output), "%s", "features");
		d->features_size = FEATURES;
	}
	for (unsigned i = 0; i < d->output_count; i++) {
		struct engine_tensor t;
		size_t count = shape_output(&d->outputs[i], &t);
		e->outputs[i] = calloc(1, t.size + 1);
		CHECK(e->outputs[i] != NULL);
		if (t.size)
			fill(e->outputs[i], t.type, count);
	}
	e->base.ops = &engine_fake_ops;
	e->seat_count = o->seats;
	e->seats = calloc(o->seats, sizeof(*e->seats));
	CHECK(e->seats != NULL);
	for (unsigned i = 0; i < o->seats; i++)
		e->seats[i].engine = e;
	CHECK(pthread_mutex_init(&e->lock, NULL) == 0);
	cond_init(&e->changed);
	*out = &e->base;
	return ST_OK;
}

static void fake_describe(struct engine *e, struct engine_description *out)
{
	*out = fake_of(e)->description;
}

static enum status fake_take(
	struct engine *engine, int64_t deadline_us, struct engine_seat **out, struct err *err)
{
	struct fake_engine *e = fake_of(engine);
	enum status st = ST_OK;
	mutex_lock(&e->lock);
	while (!e->closing && e->taken_count == e->seat_count)
		if (!cond_wait_until(&e->changed, &e->lock, deadline_us))
			break;
	if (e->closing || e->taken_count == e->seat_count)
		st = err_set(
			err, ST_UNAVAILABLE, "The model is busy: all its %u seats are taken.", e->seat_count);
	for (unsigned i = 0; st == ST_OK && i < e->seat_count; i++) {
		if (e->seats[i].taken)
			continue;
		e->seats[i].taken = true;
		e->seats[i].has_input = false;
		e->taken_count++;
		*out = &e->seats[i].base;
		break;
	}
	mutex_unlock(&e->lock);
	return st;
}

static enum status fake_input(
	struct engine_seat *s, const int64_t *shape, int rank, void **data, struct err *err)
{
	struct fake_seat *seat = CONTAINER_OF(s, struct fake_seat, base);
	uint64_t bytes;
	TRY(engine_port_accepts(&seat->engine->description.inputs[0], shape, rank, &bytes, err));
	free(seat->input);
	seat->input = calloc(1, bytes + 1);
	CHECK(seat->input != NULL);
	seat->has_input = true;
	*data = seat->input;
	return ST_OK;
}

static enum status fake_run(struct engine_seat *s, struct err *err)
{
	struct fake_seat *seat = CONTAINER_OF(s, struct fake_seat, base);
	const struct engine_description *d = &seat->engine->description;
	CHECK(seat->taken && seat->has_input);
	for (unsigned i = 0; i < d->output_count; i++) {
		shape_output(&d->outputs[i], &s->outputs[i]);
		s->outputs[i].data = seat->engine->outputs[i];
	}
	s->output_count = d->output_count;
	s->features_size = d->features_size;
	for (unsigned i = 0; i < s->features_size; i++)
		s->features[i] = tap_half((float)i / FEATURES);
	s->cpu_us = 1;
	return ST_OK;
}

static void fake_give(struct engine_seat *s)
{
	struct fake_seat *seat = CONTAINER_OF(s, struct fake_seat, base);
	struct fake_engine *e = seat->engine;
	mutex_lock(&e->lock);
	CHECK(seat->taken);
	seat->taken = false;
	e->taken_count--;
	pthread_cond_broadcast(&e->changed);
	mutex_unlock(&e->lock);
}

static bool fake_held(struct engine *engine, struct err *why)
{
	return false;
}

static void fake_close(struct engine *engine)
{
	struct fake_engine *e = fake_of(engine);
	mutex_lock(&e->lock);
	e->closing = true;
	pthread_cond_broadcast(&e->changed);
	while (e->taken_count > 0)
		cond_wait_until(&e->changed, &e->lock, 0);
	mutex_unlock(&e->lock);
	for (unsigned i = 0; i < e->description.output_count; i++)
		free(e->outputs[i]);
	for (unsigned i = 0; i < e->seat_count; i++)
		free(e->seats[i].input);
	pthread_mutex_destroy(&e->lock);
	pthread_cond_destroy(&e->changed);
	free(e->seats);
	free(e);
}

const struct engine_ops engine_fake_ops = {
	.name = "fake",
	.open = fake_open,
	.describe = fake_describe,
	.take = fake_take,
	.input = fake_input,
	.run = fake_run,
	.give = fake_give,
	.held = fake_held,
	.close = fake_close,
};
