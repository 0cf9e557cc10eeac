/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to a Feedback Loop: where it goes, and what labels are called there. */
#include "base/check.h"
#include "learn/feedback.h"
#include "store/deployment_rows.h"

#include <string.h>

/* ---- attaching ---- */

/* A version without labels gets those of the deployment as they come, unless people said otherwise. */
static enum status say_new(struct db_conn *c, const struct feedback *f, struct arena *a, struct err *err)
{
	const char **labels;
	uint32_t count;
	TRY(feedback_champion_labels(c, f->row.deployment_id, a, &labels, &count, err));
	for (uint32_t i = 0; i < count; i++) {
		struct feedback_label_row row = {.label = labels[i], .action = "new"};
		if (feedback_said(f, labels[i]) == NULL)
			TRY(feedback_label_rows_put(c, f->row.deployment_id, &row, err));
	}
	return ST_OK;
}

static enum status check_attachment(const struct feedback *f, const struct deployment_row *deployment,
	const struct dataset_version_row *version, struct err *err)
{
	if (!f->set_up)
		return err_set(err, ST_CONFLICT,
			"The Feedback Loop of deployment \"%.100s\" is not set up yet. Set it up first.",
			deployment->name);
	if (version->locked_us)
		return err_set(err, ST_LOCKED,
			"Version \"%.100s\" of dataset \"%.100s\" is locked: nothing can be added to it. "
			"Fork it, and attach the fork: that has the same pictures and annotations, and "
			"grows.",
			version->version, version->dataset_name);
	if (strcmp(version->type, deployment->type) != 0 && strcmp(version->type, "NOT_CONFIGURED") != 0 &&
		strcmp(version->type, "MULTI") != 0)
		return err_set(err, ST_CONFLICT,
			"Version \"%.100s\" of dataset \"%.100s\" is for %s; deployment \"%.100s\" does %s.",
			version->version, version->dataset_name, version->type, deployment->name,
			deployment->type);
	if (f->target_count >= FEEDBACK_TARGETS_MAX)
		return err_set(err, ST_CONFLICT,
			"A Feedback Loop goes into at most %d dataset versions; detach one first.",
			FEEDBACK_TARGETS_MAX);
	return ST_OK;
}

static enum status attach(
	struct db_conn *c, const struct feedback_attachment *t, struct arena *a, struct err *err)
{
	struct feedback f;
	struct deployment_row deployment;
	struct dataset_version_row version;
	struct label_row *labels;
	size_t label_count;
	TRY(deployment_rows_by_id(c, t->deployment_id, a, &deployment, err));
	TRY(dataset_version_rows_by_id(c, t->dataset_version_id, a, &version, err));
	TRY(feedback_read(c, t->deployment_id, a, &f, err));
	for (size_t i = 0; i < f.target_count; i++)
		if (uuid_equal(f.targets[i].version.id, t->dataset_version_id))
			return ST_OK;
	TRY(check_attachment(&f, &deployment, &version, err));
	TRY(label_rows_list(c, version.id, a, &labels, &label_count, err));
	if (label_count == 0)
		TRY(say_new(c, &f, a, err));
	struct feedback_target_row row = {version.id, t->now_us};
	return feedback_target_rows_insert(c, t->deployment_id, &row, err);
}

enum status feedback_attach_job(struct db_conn *c, void *arg, struct err *err)
{
	struct arena a;
	arena_init(&a);
	enum status st = attach(c, arg, &a, err);
	arena_release(&a);
	return st;
}

/* ---- the table of labels ---- */

static enum status check_in_all(
	const struct feedback *f, const struct feedback_label_row *row, struct err *err)
{
	struct feedback said = *f;
	struct feedback_label_row one = *row;
	const char *name;
	bool make;
	said.labels = &one;
	said.label_count = 1;
	if (f->target_count == 0 || feedback_label(&said, row->label, &name, &make) != FEEDBACK_WAITS)
		return ST_OK;
	return err_set(err, ST_INVALID,
		"The label \"%.100s\" is not in all attached dataset versions, so \"%.100s\" cannot become "
		"it. Choose one that is, or \"new\", which makes it.",
		name, row->label);
}

static enum status check_row(const struct feedback *f, const struct feedback_label_row *row, struct err *err)
{
	static const char *const actions[] = {"keep", "rename", "drop", "new"};
	size_t i = 0;
	while (i < COUNT_OF(actions) && strcmp(actions[i], row->action) != 0)
		i++;
	if (i == COUNT_OF(actions))
		return err_set(err, ST_INVALID,
			"What becomes of label \"%.100s\" is \"keep\", \"rename\", \"drop\" or \"new\", not "
			"\"%.50s\".",
			row->label, row->action);
	if (strcmp(row->action, "rename") == 0 && row->to_name == NULL)
		return err_set(err, ST_INVALID,
			"Label \"%.100s\" is to be renamed: \"to_name\" says to what.", row->label);
	return check_in_all(f, row, err);
}

static enum status put_label(
	struct db_conn *c, const struct feedback *f, const struct feedback_label_row *row, struct err *err)
{
	struct feedback_label_row kept = *row;
	if (row->action == NULL)
		return feedback_label_rows_delete(c, f->row.deployment_id, row->label, err);
	bool named = strcmp(row->action, "rename") == 0 || strcmp(row->action, "new") == 0;
	if (!named)
		kept.to_name = NULL;
	TRY(check_row(f, &kept, err));
	return feedback_label_rows_put(c, f->row.deployment_id, &kept, err);
}

enum status feedback_name_job(struct db_conn *c, void *arg, struct err *err)
{
	const struct feedback_naming *n = arg;
	struct feedback f;
	struct arena a;
	arena_init(&a);
	enum status st = feedback_read(c, n->deployment_id, &a, &f, err);
	if (st == ST_OK && !f.set_up)
		st = err_set(err, ST_CONFLICT,
			"The Feedback Loop of this deployment is not set up yet. Set it up first.");
	for (size_t i = 0; st == ST_OK && i < n->count; i++)
		st = put_label(c, &f, &n->rows[i], err);
	arena_release(&a);
	return st;
}
