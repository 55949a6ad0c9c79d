alter table generations add column steps integer;
alter table generations add column guidance text;
alter table generations add column sampler text;

create table providers (
  id integer primary key autoincrement,
  name text not null unique,
  dialect text not null,
  base_url text not null,
  model text not null,
  at_once integer not null,
  timeout_s real not null,
  tops_up integer not null,
  waits integer not null,
  previews integer not null,
  enabled integer not null,
  place integer not null
) strict;

create table learned (
  origin text not null,
  model text not null,
  fact text not null,
  value text not null,
  learned_at real not null,
  primary key (origin, model, fact)
) strict, without rowid;

create table attempts (
  generation_id integer not null references generations (id),
  attempt integer not null,
  number integer not null,
  method text not null,
  url text not null,
  headers text not null,
  body text not null,
  status integer,
  answer text not null,
  reason text not null,
  dropped text not null,
  began_at real not null,
  took_s real not null,
  primary key (generation_id, attempt, number)
) strict, without rowid;

create index generations_wanted on generations (asked_provider, asked_model, id) where status = 'queued';
