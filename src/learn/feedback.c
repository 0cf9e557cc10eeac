/* SPDX-License-Identifier: Apache-2.0 */
/* The Feedback Loop as it is, and what its table makes of labels. */
#include "learn/feedback.h"

#include "base/check.h"
#include "deploy/model.h"
#include "store/annotation_json.h"
#include "store/deployment_rows.h"

#include <string.h>

/* ---- reading ---- */

static enum status read_target(struct db_conn *c, const struct feedback_target_row *row, struct arena *a,
	struct feedback_target *out, struct err *err)
{
	out->since_us = row->since_us;
	TRY(dataset_version_rows_by_id(c, row->dataset_version_id, a, &out->version, err));
	return label_rows_list(c, row->dataset_version_id, a, &out->labels, &out->label_count, err);
}

enum status feedback_read(
	struct db_conn *c, struct uuid deployment_id, struct arena *a, struct feedback *out, struct err *err)
{
	struct feedback_target_row *rows;
	*out = (struct feedback){.row = {.deployment_id = deployment_id}};
	TRY(feedback_rows_get(c, deployment_id, &out->row, &out->set_up, err));
	if (!out->set_up)
		return ST_OK;
	TRY(feedback_label_rows_list(c, deployment_id, a, &out->labels, &out->label_count, err));
	TRY(feedback_target_rows_list(c, deployment_id, a, &rows, &out->target_count, err));
	out->targets = ARENA_ARRAY(a, struct feedback_target, out->target_count + 1);
	for (size_t i = 0; i < out->target_count; i++)
		TRY(read_target(c, &rows[i], a, &out->targets[i], err));
	return ST_OK;
}

enum status feedback_champion_labels(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	const char ***labels, uint32_t *count, struct err *err)
{
	struct deployment_row deployment;
	TRY(deployment_rows_by_id(c, deployment_id, a, &deployment, err));
	return model_labels_of(c, deployment.champion_id, a, labels, count, err);
}

/* ---- labels ---- */

const struct feedback_label_row *feedback_said(const struct feedback *f, const char *label)
{
	for (size_t i = 0; i < f->label_count; i++)
		if (strcmp(f->labels[i].label, label) == 0)
			return &f->labels[i];
	return NULL;
}

static bool target_has(const struct feedback_target *t, const char *name)
{
	for (size_t i = 0; i < t->label_count; i++)
		if (strcmp(t->labels[i].name, name) == 0)
			return true;
	return false;
}

static bool all_have(const struct feedback *f, const char *name)
{
	for (size_t i = 0; i < f->target_count; i++)
		if (!target_has(&f->targets[i], name))
			return false;
	return f->target_count > 0;
}

enum feedback_fate feedback_label(const struct feedback *f, const char *label, const char **name, bool *make)
{
	const struct feedback_label_row *said = feedback_said(f, label);
	*name = said && said->to_name ? said->to_name : label;
	*make = said && strcmp(said->action, "new") == 0;
	if (said && strcmp(said->action, "drop") == 0)
		return FEEDBACK_DROPPED;
	return *make || all_have(f, *name) ? FEEDBACK_GOES : FEEDBACK_WAITS;
}

static bool is_listed(const char *const *labels, size_t count, const char *label)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(labels[i], label) == 0)
			return true;
	return false;
}

enum status feedback_waiting(const struct feedback *f, const char *shapes, struct arena *a,
	const char ***labels, size_t *count, struct err *err)
{
	yyjson_doc *doc;
	yyjson_val *shape;
	size_t i, n, room = 0;
	*labels = NULL;
	*count = 0;
	TRY(json_parse(span_of_text(shapes), a, &doc, err));
	yyjson_arr_foreach (yyjson_doc_get_root(doc), i, n, shape) {
		const char *label = yyjson_get_str(yyjson_obj_get(shape, "label")), *name;
		bool make;
		if (label == NULL || feedback_label(f, label, &name, &make) != FEEDBACK_WAITS ||
			is_listed(*labels, *count, label))
			continue;
		*labels = rows_grow(a, *labels, *count, &room, sizeof(**labels));
		(*labels)[(*count)++] = label;
	}
	return ST_OK;
}

/* ---- whether anything goes ---- */

static enum status refuse_locked(const struct feedback_target *t, struct err *err)
{
	return err_set(err, ST_LOCKED,
		"Version \"%.100s\" of dataset \"%.100s\" was locked, so nothing goes into it and reviews "
		"wait. Attach a fork of it instead and detach it, or unlock it.",
		t->version.version, t->version.dataset_name);
}

enum status feedback_open(const struct feedback *f, struct err *err)
{
	if (!f->set_up)
		return err_set(err, ST_CONFLICT,
			"The Feedback Loop of this deployment is not set up. Set it up in Settings, Feedback "
			"Loop, and attach a dataset version.");
	if (!f->row.active)
		return err_set(err, ST_CONFLICT,
			"The Feedback Loop of this deployment is switched off. Switch it on in Settings, "
			"Feedback Loop.");
	if (f->target_count == 0)
		return err_set(err, ST_CONFLICT,
			"No dataset version is attached to the Feedback Loop of this deployment, so reviews "
			"have nowhere to go. Attach one in Settings, Feedback Loop.");
	for (size_t i = 0; i < f->target_count; i++)
		if (f->targets[i].version.locked_us)
			return refuse_locked(&f->targets[i], err);
	return ST_OK;
}
