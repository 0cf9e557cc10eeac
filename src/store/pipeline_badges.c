/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pipeline_badges.h"

#include "base/arena.h"

/* The newest reference of what answers now; of a deployment that has not seen its images yet there is none.
 */
#define TRAINING_DATA                                                                                        \
	"(SELECT CASE WHEN active = 0 THEN 'off' ELSE coalesce("                                             \
	"  (SELECT CASE status WHEN 'READY' THEN 'on' WHEN 'FAILED' THEN 'problem' ELSE 'working' END"       \
	"   FROM reference JOIN deployment ON deployment.id = reference.deployment_id"                       \
	"   AND deployment.champion_id = reference.model_version_id"                                         \
	"   WHERE reference.deployment_id = $1 ORDER BY reference.created_us DESC LIMIT 1), 'working') END"  \
	" FROM training_data WHERE deployment_id = $1)"
#define FEEDBACK_LOOP                                                                                        \
	"(SELECT CASE WHEN active = 0 THEN 'off' WHEN EXISTS"                                                \
	"  (SELECT 1 FROM feedback_target WHERE deployment_id = $1) THEN 'on' ELSE 'problem' END"            \
	" FROM feedback WHERE deployment_id = $1)"
#define CONTINUOUS_TRAINING                                                                                  \
	"(SELECT CASE WHEN active = 0 THEN 'off' WHEN paused_text IS NOT NULL THEN 'problem' WHEN EXISTS"    \
	"  (SELECT 1 FROM training WHERE deployment_id = $1 AND status IN ('WAITING', 'RUNNING'))"           \
	" THEN 'working' WHEN EXISTS (SELECT 1 FROM continuous_training_dataset WHERE deployment_id = $1"    \
	"  AND name NOT IN ('val', 'test')) THEN 'on' ELSE 'problem' END"                                    \
	" FROM continuous_training WHERE deployment_id = $1)"
#define CONTINUOUS_DEPLOYMENT                                                                                \
	"(SELECT CASE WHEN active = 0 THEN 'off' ELSE 'on' END"                                              \
	" FROM continuous_deployment WHERE deployment_id = $1)"

static const char *word(struct db_query *q, int column, struct arena *a)
{
	const char *text = db_text(q, column, a);
	return text ? text : "off";
}

enum status pipeline_badges_read(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct pipeline_badges *out, struct err *err)
{
	struct db_query q = db_query(c, "SELECT " TRAINING_DATA ", " FEEDBACK_LOOP ", " CONTINUOUS_TRAINING
					", " CONTINUOUS_DEPLOYMENT);
	db_bind_uuid(&q, deployment_id);
	*out = (struct pipeline_badges){"off", "off", "off", "off"};
	if (db_next(&q))
		*out = (struct pipeline_badges){
			word(&q, 0, a), word(&q, 1, a), word(&q, 2, a), word(&q, 3, a)};
	return db_done(&q, err);
}
