-- SPDX-License-Identifier: Apache-2.0
-- Long work. A row from its first moment: what runs has its progress in memory, and what a stop of the server cut short is known.

CREATE TABLE job (
	id BLOB PRIMARY KEY,
	kind TEXT NOT NULL,                  -- check
	status TEXT NOT NULL,                -- RUNNING, SUCCESS, FAILED, TERMINATED
	object_id BLOB,                      -- what it is about: of a check, the model version
	who TEXT NOT NULL,
	progress REAL NOT NULL,              -- 0…1, when it ended
	message TEXT NOT NULL,
	error TEXT,                          -- FAILED: a sentence
	result TEXT,                         -- SUCCESS: JSON
	created_us INTEGER NOT NULL,
	finished_us INTEGER                  -- NULL: it runs
) STRICT;

CREATE INDEX job_created ON job(created_us, id);
CREATE INDEX job_object ON job(object_id, created_us);
CREATE INDEX job_running ON job(status) WHERE status = 'RUNNING';
