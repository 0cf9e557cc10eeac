-- SPDX-License-Identifier: Apache-2.0
-- People: who was there before is an administrator.

ALTER TABLE user_account ADD COLUMN role TEXT NOT NULL DEFAULT 'ADMIN'; -- ADMIN, MEMBER, REVIEWER

-- A browser session ends with the token that it was begun with; NULL: by a link.
ALTER TABLE browser_session ADD COLUMN token_id BLOB REFERENCES api_token(id) ON DELETE CASCADE;
CREATE INDEX browser_session_token ON browser_session(token_id) WHERE token_id IS NOT NULL;
