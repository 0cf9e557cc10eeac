-- SPDX-License-Identifier: Apache-2.0
-- The slow loop: trainings, Continuous Training, Continuous Deployment, and what reviews say of a shadow.

-- A training: one run folder, one experiment, one model version in the end. src/learn/stages.def says what it goes through.
CREATE TABLE training (
	id BLOB PRIMARY KEY,                 -- also the name of its folder in <data>/runs
	experiment_id BLOB NOT NULL UNIQUE REFERENCES experiment(id) ON DELETE CASCADE,
	deployment_id BLOB REFERENCES deployment(id) ON DELETE SET NULL, -- NULL: not by Continuous Training
	epoch INTEGER,                       -- of the deployment's Continuous Training, from 1: opened once, never closed by a withdrawal
	trigger TEXT NOT NULL,               -- FEEDBACK_LOOP, HAND, SCHEDULE, DRIFT: Continuous Training; LAUNCH, FIRST: a person's
	why TEXT NOT NULL,                   -- a sentence: "50 reviewed pictures were submitted since version 3."
	who TEXT NOT NULL,
	model_id BLOB REFERENCES model(id) ON DELETE SET NULL, -- whose next version the result becomes; NULL: a new model's first
	model_name TEXT,                     -- of that new model
	arch TEXT,                           -- of a model without a base: "det-t"
	trainer TEXT NOT NULL,               -- by its name in the settings
	status TEXT NOT NULL,                -- WAITING, RUNNING, SUCCESS, FAILED, CANCELED
	stage TEXT NOT NULL,                 -- the one that runs, is next, or failed; "done"
	attempt INTEGER NOT NULL,            -- from 1; one more with each Retry
	pid INTEGER,                         -- of the trainer's process, with its start time: the same process after a restart?
	pid_start INTEGER,
	progress REAL NOT NULL,              -- of stage train, 0…1
	message TEXT NOT NULL,
	exit_code INTEGER,
	error TEXT,                          -- FAILED: a sentence
	candidate_id BLOB REFERENCES model_version(id) ON DELETE SET NULL, -- what came of it
	evaluation TEXT,                     -- JSON: candidate beside champion on the frozen test images
	decision TEXT,                       -- JSON {"what": SHADOW, CHAMPION, MANUAL, HELD, NONE, "sentence", "at"}
	cpu_us INTEGER NOT NULL,             -- of the trainer
	memory_bytes INTEGER NOT NULL,       -- the most it had
	read_bytes INTEGER NOT NULL,         -- of what it wrote to its output, and to its log: so much was taken over …
	log_bytes INTEGER NOT NULL,
	lines INTEGER NOT NULL,              -- … as so many lines of the experiment's console
	created_us INTEGER NOT NULL,
	started_us INTEGER,                  -- of this attempt
	finished_us INTEGER,
	UNIQUE (deployment_id, epoch)
) STRICT;
CREATE INDEX training_deployment ON training(deployment_id, created_us);
CREATE INDEX training_created ON training(created_us, id);
CREATE INDEX training_open ON training(status) WHERE status IN ('WAITING', 'RUNNING');
CREATE INDEX training_candidate ON training(candidate_id) WHERE candidate_id IS NOT NULL;

-- When each stage of a training was done, so that a killed server goes on behind it.
CREATE TABLE training_stage (
	training_id BLOB NOT NULL REFERENCES training(id) ON DELETE CASCADE,
	stage TEXT NOT NULL,
	done_us INTEGER NOT NULL,
	detail TEXT,                         -- JSON, what the stage wants to know again
	PRIMARY KEY (training_id, stage)
) STRICT, WITHOUT ROWID;

-- Continuous Training of a deployment.
CREATE TABLE continuous_training (
	deployment_id BLOB PRIMARY KEY REFERENCES deployment(id) ON DELETE CASCADE,
	active INTEGER NOT NULL,
	project_id BLOB REFERENCES project(id) ON DELETE SET NULL,
	model_version_id BLOB REFERENCES model_version(id) ON DELETE SET NULL, -- to retrain; NULL: the champion at that time
	parameters TEXT NOT NULL,            -- JSON object: hyperparameters
	trigger TEXT NOT NULL,               -- FEEDBACK_LOOP, NONE
	threshold INTEGER NOT NULL,          -- submitted reviews
	every_s INTEGER,                     -- also so long after the last one; NULL: no
	on_drift INTEGER NOT NULL,           -- 1: also when drift is told
	drift_images_min INTEGER NOT NULL,   -- with at least so many new reviews; of a schedule too
	trainer TEXT NOT NULL,
	epoch INTEGER NOT NULL,              -- the last that was opened: its number is used once, though its experiment be deleted
	failures INTEGER NOT NULL,           -- in a row; two pause it
	ended_id BLOB,                       -- the training whose end was counted last, as success or failure …
	ended_attempt INTEGER NOT NULL DEFAULT 0, -- … and which attempt of it: each end counts once whatever crashes
	paused_text TEXT,                    -- why it stands still though it is active; NULL: it does not
	drift_us INTEGER NOT NULL,           -- drift that was told before has had its training
	last_us INTEGER NOT NULL,            -- of the last epoch's opening, for the schedule
	created_us INTEGER NOT NULL,
	updated_us INTEGER NOT NULL,
	updated_by TEXT NOT NULL
) STRICT;

CREATE TABLE continuous_training_dataset (
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	name TEXT NOT NULL,                  -- alias: train, val, test
	dataset_version_id BLOB NOT NULL REFERENCES dataset_version(id) ON DELETE CASCADE,
	PRIMARY KEY (deployment_id, name),
	UNIQUE (deployment_id, dataset_version_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX continuous_training_dataset_version ON continuous_training_dataset(dataset_version_id);

-- The epoch whose snapshot has this submission; 0: none yet, so it counts towards the next. No clock is asked.
ALTER TABLE feedback_asset ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX feedback_asset_new ON feedback_asset(predicted_asset_id) WHERE epoch = 0;

-- Continuous Deployment of a deployment.
CREATE TABLE continuous_deployment (
	deployment_id BLOB PRIMARY KEY REFERENCES deployment(id) ON DELETE CASCADE,
	active INTEGER NOT NULL,
	policy TEXT NOT NULL,                -- DEPLOY_SHADOW, DEPLOY_CHAMPION, DEPLOY_MANUAL
	gate INTEGER NOT NULL,               -- 1: before DEPLOY_CHAMPION
	tolerance REAL NOT NULL,             -- how far a class of 30 objects or more may fall, 0…1
	promote_by_itself INTEGER NOT NULL,  -- 1: a shadow that is better becomes the champion
	keep_s INTEGER NOT NULL,             -- how long the champion before stays as shadow after a promotion
	created_us INTEGER NOT NULL,
	updated_us INTEGER NOT NULL,
	updated_by TEXT NOT NULL
) STRICT;

-- Why a shadow is one, and until when.
ALTER TABLE deployment_shadow ADD COLUMN role TEXT NOT NULL DEFAULT 'HAND'; -- HAND, CANDIDATE, HELD: a candidate that the gate held back, FORMER: the champion before
ALTER TABLE deployment_shadow ADD COLUMN reason TEXT;           -- a sentence, of HELD and FORMER
ALTER TABLE deployment_shadow ADD COLUMN training_id BLOB;      -- that it came from
ALTER TABLE deployment_shadow ADD COLUMN until_us INTEGER;      -- then it is removed by itself; NULL: it stays

-- A version that was rolled back is never deployed by itself again.
CREATE TABLE rolled_back (
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	model_version_id BLOB NOT NULL REFERENCES model_version(id) ON DELETE CASCADE,
	at_us INTEGER NOT NULL,
	who TEXT NOT NULL,
	PRIMARY KEY (deployment_id, model_version_id)
) STRICT, WITHOUT ROWID;

-- By which rule a champion became one: "gyre: better by 61 reviews". NULL: a person did it.
ALTER TABLE deployment_event ADD COLUMN why TEXT;

-- What reviews say of a shadow beside a champion, latched: once better or worse it stays: docs/internals/verdict.md.
CREATE TABLE shadow_verdict (
	deployment_id BLOB NOT NULL REFERENCES deployment(id) ON DELETE CASCADE,
	model_version_id BLOB NOT NULL,
	champion_id BLOB NOT NULL,
	shadow_id BLOB NOT NULL,             -- of the following: set again, a shadow begins anew
	state TEXT NOT NULL,                 -- BETTER, UNSURE, WORSE
	wins INTEGER NOT NULL,               -- reviewed disagreements of the sample that the shadow won
	losses INTEGER NOT NULL,
	ties INTEGER NOT NULL,
	log_e REAL NOT NULL,                 -- the largest so far, of the shadow being better …
	log_e_worse REAL NOT NULL,           -- … and of it being worse
	seen INTEGER NOT NULL,               -- images that both predicted
	discordant INTEGER NOT NULL,         -- on how many of them they disagree
	sentence TEXT NOT NULL,
	guards TEXT NOT NULL,                -- JSON: [{"name", "ok", "sentence"}]
	may_promote INTEGER NOT NULL,        -- BETTER, and every guard holds
	decided_us INTEGER,                  -- NULL: UNSURE
	updated_us INTEGER NOT NULL,
	PRIMARY KEY (deployment_id, model_version_id, champion_id)
) STRICT, WITHOUT ROWID;

-- Disagreements of a shadow and a champion that were drawn to be reviewed, in the order in which they are shown and counted.
CREATE TABLE shadow_sample (
	shadow_id BLOB NOT NULL,             -- of the following
	champion_id BLOB NOT NULL,
	place INTEGER NOT NULL,              -- from 1
	predicted_asset_id BLOB NOT NULL REFERENCES predicted_asset(id) ON DELETE CASCADE,
	drawn_us INTEGER NOT NULL,
	PRIMARY KEY (shadow_id, champion_id, place),
	UNIQUE (shadow_id, champion_id, predicted_asset_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX shadow_sample_asset ON shadow_sample(predicted_asset_id);

-- What the trainer says of a version's file: JSON of `gyre-train check`; NULL: not asked yet.
ALTER TABLE model_version ADD COLUMN trainable TEXT;
