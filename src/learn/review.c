/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/review.h"

#include "base/check.h"
#include "deploy/model.h"
#include "task/task.h"

/* ---- rules ---- */

enum status review_check(enum task task, const struct drawn_shapes *shapes, struct err *err)
{
	if (task == TASK_CLASSIFICATION && shapes->count > 1)
		return err_set(err, ST_INVALID,
			"This deployment gives each image one class; the review has %zu.", shapes->count);
	for (size_t i = 0; i < shapes->count; i++) {
		bool class = shapes->items[i].kind == SHAPE_CLASS;
		if (class != (task == TASK_CLASSIFICATION))
			return err_set(err, ST_INVALID, "Shape %zu is a %s, but this deployment %s.", i + 1,
				class ? "class of the whole image" : "shape on the image",
				class ? "finds objects: draw boxes or polygons"
				      : "gives each image one class: send a classification");
	}
	return ST_OK;
}

const char *review_kind(const struct drawn_shapes *shapes, const struct drawn_shapes *answer, struct arena *a)
{
	if (shapes->count == 0)
		return "NOTHING";
	return drawn_same(shapes, answer, a) ? "ACCEPTED" : "CORRECTED";
}

bool review_overwrites(const struct review_state *s, int64_t base_revision)
{
	/* A draft is younger than the review, and whoever began it knew of the review. */
	if (s->draft_revision)
		return !s->draft_mine && base_revision != s->draft_revision;
	return s->review_revision && !s->review_mine && base_revision != s->review_revision;
}

bool review_draft_overwrites(const struct review_state *s, int64_t base_revision)
{
	if (s->draft_revision)
		return base_revision != s->draft_revision;
	return s->review_revision && !s->review_mine && base_revision != s->review_revision;
}

/* ---- an image ---- */

static bool is_shown(const struct shapes *shapes, size_t i, double threshold)
{
	/* As answers have it: the best class always, of all else what reaches the threshold. */
	if (shapes->items[i].kind == SHAPE_CLASS)
		return i == 0;
	return shapes->items[i].score >= (float)threshold;
}

/* As answers print it, in hundredths of a pixel. */
static double rounded(float value)
{
	double scaled = (double)value * 100;
	return (double)(int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5) / 100;
}

static void draw(const struct shape *s, const char *label, struct arena *a, struct drawn_shape *out)
{
	*out = (struct drawn_shape){.kind = s->kind, .label = label};
	if (s->kind == SHAPE_CLASS)
		return;
	out->x = rounded(s->box.x1);
	out->y = rounded(s->box.y1);
	out->w = rounded(s->box.x2 - s->box.x1);
	out->h = rounded(s->box.y2 - s->box.y1);
	if (s->kind == SHAPE_BOX)
		return;
	double *points = ARENA_ARRAY(a, double, 2 * (size_t)s->point_count);
	struct drawn_ring *ring = ARENA_NEW(a, struct drawn_ring);
	for (uint32_t i = 0; i < 2 * s->point_count; i++)
		points[i] = rounded(s->points[i]);
	*ring = (struct drawn_ring){points, s->point_count};
	out->rings = ring;
	out->ring_count = 1;
}

/* Whether a label is among those that are shown; NULL: all are. */
static bool label_shown(yyjson_val *labels_shown, const char *label)
{
	size_t i, n;
	yyjson_val *name;
	if (labels_shown == NULL)
		return true;
	yyjson_arr_foreach (labels_shown, i, n, name)
		if (yyjson_equals_str(name, label))
			return true;
	return false;
}

static enum status read_labels_shown(
	struct db_conn *c, struct uuid deployment_id, struct arena *a, yyjson_val **out, struct err *err)
{
	struct queue_settings settings;
	yyjson_doc *doc;
	*out = NULL;
	TRY(queue_rows_settings(c, deployment_id, a, &settings, err));
	if (settings.labels_shown == NULL)
		return ST_OK;
	TRY(json_parse(span_of_text(settings.labels_shown), a, &doc, err));
	*out = yyjson_doc_get_root(doc);
	return ST_OK;
}

static enum status read_answer(
	struct db_conn *c, struct review_image *image, struct arena *a, struct err *err)
{
	const struct prediction_row *p = &image->row.prediction;
	struct shapes shapes;
	const char **labels;
	uint32_t label_count;
	yyjson_val *shown;
	TRY(shapes_unpack(p->shapes, a, &shapes, err));
	TRY(model_labels_of(c, p->model_version_id, a, &labels, &label_count, err));
	TRY(read_labels_shown(c, p->deployment_id, a, &shown, err));
	image->answer = (struct drawn_shapes){ARENA_ARRAY(a, struct drawn_shape, shapes.count), 0};
	for (size_t i = 0; i < shapes.count; i++) {
		const char *label =
			model_label((const char *const *)labels, label_count, shapes.items[i].label, a);
		if (is_shown(&shapes, i, image->deployment.threshold) && label_shown(shown, label))
			draw(&shapes.items[i], label, a, &image->answer.items[image->answer.count++]);
	}
	return ST_OK;
}

enum status review_image_read(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_image *out, struct err *err)
{
	*out = (struct review_image){0};
	TRY(prediction_rows_by_asset(c, predicted_asset_id, a, &out->row, err));
	TRY(deployment_rows_by_id(c, out->row.prediction.deployment_id, a, &out->deployment, err));
	CHECK(task_parse(out->deployment.type, &out->task));
	return read_answer(c, out, a, err);
}

/* ---- saving ---- */

struct stored {
	struct review_state state;
	struct review_draft_row newest; /* what a save would overwrite */
	const char *kind;               /* NULL: a draft */
};

static enum status read_stored(struct db_conn *c, struct uuid asset_id, const char *who, struct uuid user_id,
	struct arena *a, struct stored *out, struct err *err)
{
	struct review_ground ground;
	struct review_draft_row draft;
	struct review_row review;
	bool drafted, reviewed;
	*out = (struct stored){0};
	TRY(review_draft_rows_ground(c, asset_id, a, &ground, err));
	TRY(review_draft_rows_read(c, asset_id, a, &draft, &drafted, err));
	TRY(review_rows_counting(c, asset_id, a, &review, &reviewed, err));
	if (strcmp(ground.status, "SUBMITTED") == 0)
		return err_set(err, ST_CONFLICT,
			"The image was submitted to the datasets already. Withdraw it, and then review it "
			"again.");
	if (reviewed) {
		out->state.review_revision = ground.revision;
		out->state.review_mine = uuid_equal(review.user_id, user_id);
		out->newest = (struct review_draft_row){asset_id, ground.revision, review.shapes,
			review.client_id, review.who, review.created_us};
		out->kind = review.kind;
	}
	if (drafted) {
		out->state.draft_revision = draft.revision;
		out->state.draft_mine = strcmp(draft.who, who) == 0;
		out->newest = draft;
		out->kind = NULL;
	}
	return ST_OK;
}

static enum status conflict(const struct stored *stored, struct err *err)
{
	return err_set(err, ST_CONFLICT,
		"%.100s has %s this image meanwhile, and nothing was overwritten. Keep theirs, or save yours "
		"over it.",
		stored->newest.who, stored->kind ? "reviewed" : "worked on");
}

enum status review_save_job(struct db_conn *c, void *arg, struct err *err)
{
	struct review_save *s = arg;
	struct review_row *r = &s->review, before;
	struct stored stored;
	bool inserted;
	TRY(review_rows_by_client(
		c, r->predicted_asset_id, r->client_id, s->arena, &before, &s->repeated, err));
	if (s->repeated) {
		*r = before;
		return ST_OK;
	}
	TRY(read_stored(c, r->predicted_asset_id, r->who, r->user_id, s->arena, &stored, err));
	s->conflict =
		s->base_revision != REVIEW_BASE_ANY && review_overwrites(&stored.state, s->base_revision);
	if (s->conflict) {
		s->stored = stored.newest;
		s->stored_kind = stored.kind;
		return conflict(&stored, err);
	}
	return review_rows_insert(c, r, &inserted, err);
}

enum status review_draft_save_job(struct db_conn *c, void *arg, struct err *err)
{
	struct review_draft_save *s = arg;
	struct review_draft_row *d = &s->draft, before;
	struct stored stored;
	bool drafted;
	TRY(review_draft_rows_read(c, d->predicted_asset_id, s->arena, &before, &drafted, err));
	if (drafted && strcmp(before.client_id, d->client_id) == 0) {
		d->revision = before.revision;
		return ST_OK;
	}
	TRY(read_stored(c, d->predicted_asset_id, d->who, s->user_id, s->arena, &stored, err));
	s->conflict = review_draft_overwrites(&stored.state, s->base_revision);
	if (s->conflict) {
		s->stored = stored.newest;
		s->stored_kind = stored.kind;
		return conflict(&stored, err);
	}
	return review_draft_rows_save(c, d, err);
}
