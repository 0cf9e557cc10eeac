-- SPDX-License-Identifier: Apache-2.0
-- People: who was there before is an administrator.

ALTER TABLE user_account ADD COLUMN role TEXT NOT NULL DEFAULT 'ADMIN'; -- ADMIN, MEMBER, REVIEWER
