-- A guest's share of the queue is the guest's own, whatever address it is asked from.
update generations set share = 'guest ' || guest where status = 'queued' and guest is not null;

-- How many wait for the same in one share, so that nobody counts a long queue; triggers keep it.
create table waiting_counts (
  share text not null,
  provider text not null,
  asked_provider text not null,
  asked_model text not null,
  waiting integer not null,
  primary key (share, provider, asked_provider, asked_model)
) strict, without rowid;

insert into waiting_counts (share, provider, asked_provider, asked_model, waiting)
select share, provider, asked_provider, coalesce(asked_model, ''), count(*)
from generations
where status = 'queued'
group by 1, 2, 3, 4;

create trigger waiting_begins after insert on generations when new.status = 'queued' begin
  insert into waiting_counts (share, provider, asked_provider, asked_model, waiting)
  values (new.share, new.provider, new.asked_provider, coalesce(new.asked_model, ''), 1)
  on conflict do update set waiting = waiting + 1;
end;

create trigger waiting_ends after delete on generations when old.status = 'queued' begin
  update waiting_counts
  set waiting = waiting - 1
  where share = old.share and provider = old.provider
    and asked_provider = old.asked_provider and asked_model = coalesce(old.asked_model, '');
  delete from waiting_counts where waiting = 0;
end;

create trigger waiting_changes_from after update on generations when old.status = 'queued' begin
  update waiting_counts
  set waiting = waiting - 1
  where share = old.share and provider = old.provider
    and asked_provider = old.asked_provider and asked_model = coalesce(old.asked_model, '');
  delete from waiting_counts where waiting = 0;
end;

create trigger waiting_changes_to after update on generations when new.status = 'queued' begin
  insert into waiting_counts (share, provider, asked_provider, asked_model, waiting)
  values (new.share, new.provider, new.asked_provider, coalesce(new.asked_model, ''), 1)
  on conflict do update set waiting = waiting + 1;
end;

-- The oldest of each such group, and what comes behind one of it.
create index generations_queue on generations (share, provider, asked_provider, asked_model, id)
where status = 'queued';
drop index generations_waiting;
drop index generations_wanted;
drop index generations_shares;

-- Whose share is held back for now; empty for everybody's.
create table pauses (
  share text primary key
) strict, without rowid;

-- When a failed one was put away: it leaves the Create page, not the history.
alter table generations add column dismissed_at real;
create index generations_failed on generations (error ->> 'kind', guest)
where status = 'failed' and dismissed_at is null;
