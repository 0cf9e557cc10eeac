/* SPDX-License-Identifier: Apache-2.0 */
/* Try it: one picture on a version by a changed recipe. Nothing is stored. */
#include "api/api.h"
#include "api/nouns.h"
#include "base/hash.h"
#include "deploy/spare.h"
#include "http/multipart.h"
#include "predict/trial.h"
#include "serve/pipeline.h"

#include <stdlib.h>

#define SEAT_WAIT_US 10000000 /* for a free seat of a model that is in service */

struct attempt {
	struct uuid version_id;
	const struct multipart_part *media;
	yyjson_val *changes; /* NULL: none */
	struct recipe recipe;
	struct trial trial;
};

static enum status read_form(struct http_request *req, struct attempt *t, struct err *err)
{
	struct multipart *form;
	yyjson_doc *doc;
	TRY(multipart_parse(http_header(req, "Content-Type"), req->body, req->arena, &form, err));
	t->media = multipart_find(form, "media");
	if (t->media == NULL || t->media->body.size == 0)
		return err_set(err, ST_INVALID, "The form has no part named \"media\" with the image.");
	const struct multipart_part *recipe = multipart_find(form, "recipe");
	if (recipe == NULL || recipe->body.size == 0)
		return ST_OK;
	TRY(json_parse(recipe->body, req->arena, &doc, err));
	t->changes = yyjson_doc_get_root(doc);
	return ST_OK;
}

static enum status run(
	struct http_request *req, const struct model *model, struct attempt *t, struct err *err)
{
	struct api *api = api_of(req);
	TRY(trial_recipe(model, t->changes, &t->recipe, err));
	t->trial = (struct trial){
		.model = model,
		.recipe = &t->recipe,
		.arena = req->arena,
		.pixels = serve_pixel_budget(api->serve),
		.seat_timeout_us = SEAT_WAIT_US,
		.show = true,
	};
	enum status st = trial_run(&t->trial, t->media->body, err);
	if (st == ST_FAILED || st == ST_TIMEOUT || st == ST_UNAVAILABLE)
		spare_failed(api->spare, model);
	return st;
}

/* RFC 4648, section 4: with '+', '/' and padding, as data URLs take it. */
static const char *base64(struct span bytes, struct arena *a)
{
	char *text = arena_alloc(a, 4 * (bytes.size + 2) / 3 + 4);
	base64url_encode(bytes, text);
	size_t size = strlen(text);
	for (size_t i = 0; i < size; i++)
		text[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	while (size % 4)
		text[size++] = '=';
	text[size] = '\0';
	return text;
}

static enum status add_seen(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct image *image,
	struct arena *a, struct err *err)
{
	uint8_t *png;
	size_t size;
	TRY(image_encode_png(image, &png, &size, err));
	yyjson_mut_val *seen = yyjson_mut_obj_add_obj(doc, root, "seen");
	yyjson_mut_obj_add_uint(doc, seen, "width", image->width);
	yyjson_mut_obj_add_uint(doc, seen, "height", image->height);
	yyjson_mut_obj_add_str(doc, seen, "png", base64(span_of(png, size), a));
	free(png);
	return ST_OK;
}

static enum status answer(struct http_request *req, struct http_reply *reply, const struct model *model,
	const struct attempt *t, struct err *err)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	yyjson_mut_val *image = yyjson_mut_obj_add_obj(doc, root, "image");
	yyjson_mut_obj_add_uint(doc, image, "width", t->trial.info.width);
	yyjson_mut_obj_add_uint(doc, image, "height", t->trial.info.height);
	api_add_text(doc, image, "filename", t->media->filename);
	int64_t hidden;
	yyjson_mut_val *shapes = serve_shapes_json(doc, &t->trial.shapes, (const char *const *)model->labels,
		model->label_count, 0, &hidden, req->arena);
	yyjson_mut_obj_add_val(doc, root, "shapes", shapes);
	yyjson_mut_obj_add_val(doc, root, "recipe", recipe_json(&t->recipe, doc));
	TRY(add_seen(doc, root, &t->trial.seen, req->arena, err));
	yyjson_mut_val *latency = yyjson_mut_obj_add_obj(doc, root, "latency_ms");
	for (enum trial_step s = 0; s < TRIAL_STEP_COUNT; s++)
		yyjson_mut_obj_add_real(doc, latency, trial_step_name(s), (double)t->trial.step_us[s] / 1e3);
	return http_reply_json(req, reply, doc);
}

enum status api_model_version_try(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct attempt *t = ARENA_NEW(req->arena, struct attempt);
	struct model *model;
	TRY(api_id(req, "id", "model version", &t->version_id, err));
	TRY(read_form(req, t, err));
	TRY(spare_model(api_of(req)->spare, t->version_id, &model, err));
	enum status st = run(req, model, t, err);
	if (st == ST_OK)
		st = answer(req, reply, model, t, err);
	trial_release(&t->trial);
	model_drop(model);
	return st;
}
