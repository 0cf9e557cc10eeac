/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real pictures through a real detector, as a deployment would have seen them; references of some of them,
 * and what drift and outliers say of the others. For test_shift.c and, longer, test/bench/bench_drift.c.
 */
#ifndef GYRE_TEST_SHIFT_WORLD_H
#define GYRE_TEST_SHIFT_WORLD_H

#include "data_samples.h"
#include "drift_world.h"
#include "image_samples.h"
#include "predict/predict.h"
#include "serve_world.h"

#include <math.h>

#define SHIFT_THRESHOLD 0.25

/* A picture as the log would have it; it cannot be moved, as struct seen points into it. */
struct frame {
	struct log_row row;
	struct seen seen;
	char camera[24];
	uint16_t features[ENGINE_FEATURES_MAX];
	uint8_t sign[IMAGE_SIGN_SIZE];
};

struct shift_world {
	struct world world;
	struct model *model;
	struct arena arena; /* shapes */
	uint64_t made;
};

static inline int shift_by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The pictures of a folder of the real data, in the order of their names. */
static inline size_t shift_list(const char *folder, const char **names, size_t room, struct arena *a)
{
	size_t count = 0;
	DIR *d = opendir(arena_printf(a, "%s/%s", real_data_folder(), folder));
	CHECK(d != NULL);
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
		if (text_ends_with(entry->d_name, ".jpg") && count < room)
			names[count++] = arena_printf(a, "%s/%s", folder, entry->d_name);
	closedir(d);
	qsort(names, count, sizeof(*names), shift_by_name);
	return count;
}

static inline void shift_open(struct shift_world *s)
{
	struct err err = {.text = ""};
	arena_init(&s->arena);
	world_open(&s->world);
	struct world_version version = {
		.onnx = real_file("models/yolox_nano/yolox_nano.onnx", &s->world.arena),
		.task = TASK_DETECTION,
		.labels = "{}"};
	struct uuid id = world_add_version(&s->world, &version);
	if (roster_model(s->world.roster, id, &s->model, &err) != ST_OK)
		fail_msg("%s", err.text);
}

static inline void shift_close(struct shift_world *s)
{
	model_drop(s->model);
	arena_release(&s->arena);
	world_close(&s->world);
}

static inline void shift_keep(struct shift_world *s, const struct prediction *p, struct frame *f)
{
	struct uuid id = {{2}};
	s->made++;
	memcpy(id.bytes + 8, &s->made, sizeof(s->made));
	memcpy(f->features, p->features, sizeof(f->features));
	memcpy(f->sign, p->sign.luma, sizeof(f->sign));
	f->row = (struct log_row){.position = (int64_t)s->made,
		.id = id,
		.predicted_asset_id = id,
		.threshold = SHIFT_THRESHOLD,
		.features = span_of(f->features, p->features_size * sizeof(uint16_t)),
		.image_sign = span_of(f->sign, sizeof(f->sign)),
		.source = f->camera,
		.width = p->image.width,
		.height = p->image.height};
	f->seen = (struct seen){.row = &f->row,
		.shapes = p->shapes,
		.stats = {.brightness = (double)p->stats.brightness,
			.contrast = (double)p->stats.contrast,
			.blur = (double)p->stats.blur,
			.mean_rgb = {(double)p->stats.mean_rgb[0], (double)p->stats.mean_rgb[1],
				(double)p->stats.mean_rgb[2]},
			.entropy = (double)p->stats.entropy,
			.dark = (double)p->stats.dark,
			.bright = (double)p->stats.bright}};
}

/* By the steps that serve, but for decoding: the pixels are given. A camera is told by the size of its
 * pictures. */
static inline void shift_look(struct shift_world *s, const struct image *image, struct frame *out)
{
	struct prediction p = {.model = s->model,
		.arena = &s->arena,
		.image = *image,
		.seat_deadline_us = clock_mono_us() + PATIENCE_US};
	p.info = (struct image_info){
		.format = IMAGE_JPEG, .width = image->width, .height = image->height, .orientation = 1};
	image_measure(&p.image, &p.stats);
	image_sign_make(&p.image, &p.sign);
	WORLD_OK(predict_seat(&p, WORLD_ERR));
	WORLD_OK(predict_preprocess(&p, WORLD_ERR));
	WORLD_OK(predict_infer(&p, WORLD_ERR));
	WORLD_OK(predict_postprocess(&p, WORLD_ERR));
	snprintf(out->camera, sizeof(out->camera), "%ux%u", image->width, image->height);
	shift_keep(s, &p, out);
	p.image = (struct image){0}; /* the caller's */
	predict_release(&p);
}

static inline struct image shift_pixels(const char *name, struct arena *a)
{
	struct image image;
	WORLD_OK(image_decode(real_file(name, a), &image_limits_default, &image, WORLD_ERR));
	return image;
}

static inline void shift_look_at_file(struct shift_world *s, const char *name, struct frame *out)
{
	struct arena a;
	arena_init(&a);
	struct image image = shift_pixels(name, &a);
	shift_look(s, &image, out);
	image_release(&image);
	arena_release(&a);
}

static inline struct reference *shift_reference(const struct frame *const *frames, size_t count)
{
	struct seen *seen = calloc(count, sizeof(*seen));
	CHECK(seen != NULL);
	for (size_t i = 0; i < count; i++)
		seen[i] = frames[i]->seen;
	struct reference *r = reference_by_hand(seen, count, TASK_DETECTION, SHIFT_THRESHOLD);
	free(seen);
	return r;
}

/* ---- streams ---- */

static inline void shift_shuffle(struct chance *c, const struct frame **frames, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t k = chance_below(c, (uint32_t)i);
		const struct frame *other = frames[i - 1];
		frames[i - 1] = frames[k];
		frames[k] = other;
	}
}

/* The first alarm among frames that go by in their order: how many it took; 0: none. */
static inline size_t shift_stream(struct detectors *d, const struct reference *r,
	const struct frame *const *frames, size_t count, struct detectors_alarm *alarm)
{
	for (size_t i = 0; i < count; i++) {
		struct outlier_value v;
		bool alarmed;
		outlier_measure(r->outlier, &frames[i]->seen, &v);
		detectors_add(d, &frames[i]->seen, &v, &alarmed, alarm);
		if (alarmed)
			return i + 1;
	}
	return 0;
}

/* The area under the ROC curve of outlier scores, and DeLong's standard error. */
static inline double shift_auroc(const struct reference *r, const struct frame *const *usual,
	size_t usual_count, const struct frame *const *strange, size_t strange_count, double *error)
{
	double *of_usual = calloc(usual_count, sizeof(double)),
	       *of_strange = calloc(strange_count, sizeof(double));
	double *x = calloc(usual_count, sizeof(double)), *y = calloc(strange_count, sizeof(double)), area = 0;
	CHECK(of_usual && of_strange && x && y);
	for (size_t i = 0; i < usual_count + strange_count; i++) {
		struct outlier_value v;
		bool is_usual = i < usual_count;
		outlier_measure(r->outlier, &(is_usual ? usual[i] : strange[i - usual_count])->seen, &v);
		*(is_usual ? &x[i] : &y[i - usual_count]) = v.score;
	}
	for (size_t i = 0; i < usual_count; i++)
		for (size_t k = 0; k < strange_count; k++) {
			double wins = y[k] > x[i] ? 1 : y[k] < x[i] ? 0 : 0.5;
			of_usual[i] += wins / (double)strange_count;
			of_strange[k] += wins / (double)usual_count;
			area += wins / (double)(usual_count * strange_count);
		}
	double a = 0, b = 0;
	for (size_t i = 0; i < usual_count; i++)
		a += (of_usual[i] - area) * (of_usual[i] - area) / (double)(usual_count - 1) /
		     (double)usual_count;
	for (size_t k = 0; k < strange_count; k++)
		b += (of_strange[k] - area) * (of_strange[k] - area) / (double)(strange_count - 1) /
		     (double)strange_count;
	*error = sqrt(a + b);
	free(of_usual);
	free(of_strange);
	free(x);
	free(y);
	return area;
}

/* Half of the day's frames for the reference, half held out. by_camera: no camera is in both. Returns how
 * many are in the first part, which stands first. */
static inline size_t shift_split(struct chance *c, const struct frame **day, size_t count, bool by_camera)
{
	const char *cameras[32];
	size_t camera_count = 0, reference = 0;
	shift_shuffle(c, day, count);
	if (!by_camera)
		return count / 2;
	for (size_t i = 0; i < count; i++) { /* in the order of chance in which they come */
		size_t k = 0;
		while (k < camera_count && strcmp(cameras[k], day[i]->camera) != 0)
			k++;
		if (k == camera_count && camera_count < COUNT_OF(cameras))
			cameras[camera_count++] = day[i]->camera;
	}
	for (size_t k = 0; k < camera_count && reference < count / 2; k++)
		for (size_t i = reference; i < count; i++)
			if (strcmp(day[i]->camera, cameras[k]) == 0) {
				const struct frame *other = day[reference];
				day[reference++] = day[i];
				day[i] = other;
			}
	shift_shuffle(c, day, reference);
	shift_shuffle(c, day + reference, count - reference);
	return reference;
}

#endif
