create table generations (
  id integer primary key autoincrement,
  status text not null check (status in ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
  attempt integer not null default 1,
  prompt text not null,
  negative_prompt text,
  asked_provider text not null,
  asked_model text,
  provider text not null,
  model text,
  size text,
  n integer,
  seed integer,
  response_format text,
  quality text,
  submission text unique,
  dropped text not null default '[]',
  item_errors text not null default '[]',
  error text,
  progress real,
  created_at real not null,
  started_at real,
  finished_at real
) strict;

create index generations_waiting on generations (provider, id) where status = 'queued';
create index generations_running on generations (id) where status = 'running';

create table images (
  id integer primary key autoincrement,
  generation_id integer not null references generations (id),
  position integer not null,
  digest text not null,
  file text not null unique,
  mime text not null,
  width integer not null,
  height integer not null,
  size_bytes integer not null,
  mean_colour text not null,
  provider text not null,
  model text,
  revised_prompt text,
  source_url text,
  seed integer,
  favourite integer not null default 0,
  created_at real not null,
  deleted_at real,
  unique (generation_id, position)
) strict;

create index images_digest on images (digest);
create index images_model on images (model, id) where deleted_at is null;
create index images_provider on images (provider, id) where deleted_at is null;
create index images_favourite on images (id) where favourite = 1 and deleted_at is null;
create index images_deleted on images (deleted_at) where deleted_at is not null;

create virtual table image_words using fts5(
  words, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'unicode61'
);

create table facets (
  kind text not null,
  value text not null,
  images integer not null,
  primary key (kind, value)
) strict, without rowid;

create trigger images_count_in after insert on images when new.deleted_at is null begin
  insert into facets (kind, value, images)
  values ('all', '', 1), ('model', coalesce(new.model, ''), 1), ('provider', new.provider, 1)
  on conflict (kind, value) do update set images = images + 1;
end;

create trigger images_count_change after update of deleted_at on images
when (new.deleted_at is null) <> (old.deleted_at is null) begin
  update facets
  set images = images + iif(new.deleted_at is null, 1, -1)
  where (kind, value) in
    (values ('all', ''), ('model', coalesce(new.model, '')), ('provider', new.provider));
end;
