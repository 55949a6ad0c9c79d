-- Whose share of the queue a generation counts to while it waits; empty for those without a limit.
alter table generations add column share text not null default '';
create index generations_shares on generations (share) where status = 'queued';
