/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of the demo: into a dataset, past the deployment, and corrected by a reviewer who knows what is on
 * them. */
#include "base/check.h"
#include "base/compare.h"
#include "base/str.h"
#include "cli/demo_inside.h"
#include "os/clock.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_SIZE 48
#define LEASED 8              /* pictures at once, as a page takes them */
#define LABELLED_FROM 1000000 /* their numbers: none of them is on the belt */

static const char *const labels[] = DEMO_LABELS;

static enum status draw(const struct demo *d, uint32_t number, double lamp, struct demo_scene *scene,
	uint8_t **bytes, size_t *size, struct err *err)
{
	demo_scene_draw((uint64_t)d->state.seed, number, lamp, scene);
	enum status st = image_encode_png(&scene->image, bytes, size, err);
	if (st != ST_OK)
		demo_scene_release(scene);
	return st;
}

/* ---- into a dataset, as COCO ---- */

static void append_truth(
	struct str *images, struct str *boxes, int id, const char *name, const struct demo_scene *s)
{
	str_printf(images, "%s{\"id\":%d,\"file_name\":\"%s\",\"width\":%u,\"height\":%u}",
		images->size ? "," : "", id, name, DEMO_SIDE, DEMO_SIDE);
	for (size_t i = 0; i < s->count; i++) {
		const struct demo_part *p = &s->parts[i];
		str_printf(boxes,
			"%s{\"id\":%zu,\"image_id\":%d,\"category_id\":%u,\"bbox\":[%.1f,%.1f,%.1f,%.1f],"
			"\"iscrowd\":0}",
			boxes->size ? "," : "", (size_t)id * DEMO_PARTS_MAX + i, id, p->label + 1,
			(double)p->x, (double)p->y, (double)p->width, (double)p->height);
	}
}

static const char *coco_of(struct demo *d, const struct str *images, const struct str *boxes)
{
	struct arena *a = &d->client.arena;
	const char *classes = "";
	for (unsigned i = 0; i < DEMO_LABEL_COUNT; i++)
		classes = arena_printf(
			a, "%s%s{\"id\":%u,\"name\":\"%s\"}", classes, i ? "," : "", i + 1, labels[i]);
	return arena_printf(a, "{\"images\":[%s],\"annotations\":[%s],\"categories\":[%s]}", str_text(images),
		str_text(boxes), classes);
}

static enum status send_import(
	struct demo *d, const struct fetch_field *fields, size_t count, struct err *err)
{
	struct client *c = &d->client;
	struct fetch_reply reply;
	yyjson_val *answer;
	const struct fetch_request request = {.method = "POST",
		.url = arena_printf(
			&c->arena, "%s/api/dataset/version/%s/import", c->host, d->state.dataset_version),
		.token = c->token,
		.fields = fields,
		.field_count = count};
	TRY(fetch(c->fetcher, &request, &c->arena, &reply, err));
	TRY(client_read(c, &reply, &answer, err));
	char id[UUID_TEXT_SIZE];
	TRY(demo_keep_id(answer, "/job/id", id, err));
	for (;;) {
		TRY(demo_call(d, "GET", NULL, &answer, err, "/api/job/%s", id));
		if (strcmp(demo_text(answer, "/status"), "RUNNING") != 0)
			break;
		poll(NULL, 0, 100);
	}
	return strcmp(demo_text(answer, "/status"), "SUCCESS") == 0
		       ? ST_OK
		       : err_set(err, ST_INTERNAL, "The pictures could not be imported: %s",
				 demo_text(answer, "/error"));
}

enum status demo_import(struct demo *d, int first, int count, struct err *err)
{
	struct fetch_field *fields = calloc((size_t)count + 1, sizeof(*fields));
	struct str images, boxes;
	enum status st = ST_OK;
	CHECK(fields != NULL);
	str_init(&images, 1 << 20);
	str_init(&boxes, 1 << 20);
	for (int i = 0; st == ST_OK && i < count; i++) {
		struct demo_scene scene;
		uint8_t *bytes;
		size_t size;
		char *name = arena_printf(&d->client.arena, "belt-labelled-%04d.png", first + i);
		st = draw(d, (uint32_t)(LABELLED_FROM + first + i), 1, &scene, &bytes, &size, err);
		if (st != ST_OK)
			break;
		append_truth(&images, &boxes, first + i + 1, name, &scene);
		fields[i] = (struct fetch_field){.name = "media",
			.bytes = arena_copy(&d->client.arena, span_of(bytes, size)),
			.filename = name,
			.content_type = "image/png"};
		free(bytes);
		demo_scene_release(&scene);
	}
	CHECK(!images.full && !boxes.full);
	fields[count] = (struct fetch_field){.name = "annotations",
		.value = coco_of(d, &images, &boxes),
		.filename = "annotations.json",
		.content_type = "application/json"};
	if (st == ST_OK)
		st = send_import(d, fields, (size_t)count + 1, err);
	str_release(&images);
	str_release(&boxes);
	free(fields);
	return st;
}

/* ---- past the deployment ---- */

static bool is_dark(const struct demo *d, int64_t number)
{
	return d->state.lamp_at && number >= d->state.lamp_at;
}

void demo_times_begin(struct demo *d)
{
	d->time_count = 0;
}

static int compare_times(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

double demo_times_p99(struct demo *d)
{
	if (d->time_count == 0)
		return 0;
	qsort(d->times, d->time_count, sizeof(d->times[0]), compare_times);
	return (double)d->times[(d->time_count * 99 - 1) / 100];
}

/* A server that is started again within the time is asked again: the key makes it the same question. */
static enum status ask(struct demo *d, const struct fetch_field *field, const char *key, struct err *err)
{
	struct client *c = &d->client;
	struct fetch_reply reply;
	yyjson_val *answer;
	const struct fetch_field fields[] = {*field, {.name = "source", .value = "belt-camera"}};
	const char *const headers[] = {arena_printf(&c->arena, "Idempotency-Key: %s", key)};
	const struct fetch_request request = {.method = "POST",
		.url = arena_printf(&c->arena, "%s/api/deployments/%s/predict", c->host, d->state.deployment),
		.token = c->token,
		.headers = headers,
		.header_count = 1,
		.fields = fields,
		.field_count = COUNT_OF(fields)};
	int64_t began_us = clock_mono_us(), end_us = began_us + 30000000;
	for (;;) {
		enum status st = fetch(c->fetcher, &request, &c->arena, &reply, err);
		if (st == ST_OK)
			break;
		if (st != ST_UNAVAILABLE || demo_stopped || clock_mono_us() > end_us)
			return st;
		poll(NULL, 0, 100);
		began_us = clock_mono_us();
	}
	if (d->time_count < DEMO_TIMES_MAX)
		d->times[d->time_count++] = (float)(clock_mono_us() - began_us) / 1e3F;
	return client_read(c, &reply, &answer, err);
}

enum status demo_picture(struct demo *d, struct err *err)
{
	struct demo_scene scene;
	uint8_t *bytes;
	size_t size;
	char name[NAME_SIZE], key[2 * NAME_SIZE];
	int64_t number = d->state.sent + 1;
	snprintf(name, sizeof(name), "belt-%06" PRId64 ".png", number);
	snprintf(key, sizeof(key), "%s-%s", d->state.deployment, name);
	TRY(draw(d, (uint32_t)number, is_dark(d, number) ? 0 : 1, &scene, &bytes, &size, err));
	const struct fetch_field field = {.name = "media",
		.bytes = span_of(bytes, size),
		.filename = name,
		.content_type = "image/png"};
	struct err why;
	enum status st = ask(d, &field, key, &why);
	free(bytes);
	demo_scene_release(&scene);
	demo_forget(d);
	d->state.sent = number;
	if (st == ST_OK) {
		d->answered++;
		return ST_OK;
	}
	if (demo_stopped)
		return demo_check_stop(err);
	/* A request that fails is told and counted: the belt goes on. */
	d->failed++;
	demo_tell(d, "failed", NULL, "Picture %" PRId64 " had no answer: %s", number, why.text);
	if (d->failed > 20)
		return err_set(err, st, "%s", why.text);
	return ST_OK;
}

enum status demo_pictures(struct demo *d, int count, double per_s, const char *what, struct err *err)
{
	int64_t began_us = clock_mono_us();
	for (int i = 0; i < count; i++) {
		TRY(demo_check_stop(err));
		TRY(demo_picture(d, err));
		if (what)
			demo_progress(d, what, (double)(i + 1) / count);
		if (clock_mono_us() - d->written_us > 3000000)
			TRY(demo_state_write(d, err));
		if (per_s <= 0)
			continue;
		int64_t next_us = began_us + (int64_t)((i + 1) * 1e6 / per_s), now_us = clock_mono_us();
		if (next_us > now_us)
			poll(NULL, 0, (int)((next_us - now_us) / 1000));
	}
	progress_end();
	return demo_state_write(d, err);
}

/* ---- corrected ---- */

static const char *review_of(struct demo *d, int64_t number)
{
	struct demo_scene scene;
	struct arena *a = &d->client.arena;
	demo_scene_draw((uint64_t)d->state.seed, (uint32_t)number, 1, &scene);
	const char *shapes = "";
	for (size_t i = 0; i < scene.count; i++) {
		const struct demo_part *p = &scene.parts[i];
		shapes = arena_printf(a,
			"%s%s{\"type\":\"rectangle\",\"x\":%.1f,\"y\":%.1f,\"w\":%.1f,\"h\":%.1f,\"label\":"
			"\"%s\"}",
			shapes, i ? "," : "", (double)p->x, (double)p->y, (double)p->width, (double)p->height,
			labels[p->label]);
	}
	demo_scene_release(&scene);
	return arena_printf(a, "{\"shapes\":[%s],\"seconds\":2}", shapes);
}

/* One that somebody else is at, or that is no picture of the belt, is left to others. */
static enum status review_item(struct demo *d, yyjson_val *item, bool *reviewed, struct err *err)
{
	int64_t number;
	yyjson_val *answer;
	*reviewed = false;
	if (sscanf(demo_text(item, "/data/filename"), "belt-%" SCNd64, &number) != 1)
		return ST_OK;
	struct err why;
	enum status st = demo_call(d, "POST", review_of(d, number), &answer, &why,
		"/api/predicted/asset/%s/reviews", demo_text(item, "/id"));
	if (st == ST_CONFLICT)
		return ST_OK;
	if (st != ST_OK)
		return err_set(err, st, "%s", why.text);
	*reviewed = true;
	return ST_OK;
}

static enum status review_some(struct demo *d, const char *queue, int count, int *done, struct err *err)
{
	yyjson_val *answer, *item;
	size_t i, n;
	const char *body = arena_printf(&d->client.arena, "{\"client\":\"robot\",\"count\":%d%s}",
		count < LEASED ? count : LEASED, queue);
	TRY(demo_call(d, "POST", body, &answer, err, "/api/deployment/%s/queue/lease", d->state.deployment));
	yyjson_arr_foreach (yyjson_obj_get(answer, "items"), i, n, item) {
		bool reviewed;
		TRY(review_item(d, item, &reviewed, err));
		*done += reviewed;
	}
	return ST_OK;
}

enum status demo_review(struct demo *d, const char *queue, int count, int *done, struct err *err)
{
	*done = 0;
	while (*done < count) {
		int before = *done;
		d->client.token = d->robot;
		enum status st = review_some(d, queue, count - *done, done, err);
		d->client.token = d->me;
		demo_forget(d);
		TRY(st);
		if (*done == before)
			break;
	}
	return ST_OK;
}
