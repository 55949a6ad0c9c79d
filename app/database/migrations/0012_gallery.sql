-- Where a picture stands in the gallery: microseconds since 1970 of when it was made, moved on as
-- far as it takes to be the only one, so that pictures from elsewhere stand among their own days.
alter table images add column sort_key integer;

update images
set sort_key = placed.sort_key
from (
  select id, n + max(made_us - n) over (order by n) as sort_key
  from (
    select id, cast(created_at * 1000000 as integer) as made_us,
      row_number() over (order by cast(created_at * 1000000 as integer), id) as n
    from images
  )
) as placed
where placed.id = images.id;

alter table images add column month text generated always as (
  strftime('%Y-%m', created_at, 'unixepoch')
) virtual;

drop index images_model;
drop index images_provider;
drop index images_favourite;
drop index images_guest;
drop index images_deleted;
create unique index images_sort_key on images (sort_key);
create index images_shown on images (sort_key) where deleted_at is null;
create index images_model on images (model, sort_key) where deleted_at is null;
create index images_provider on images (provider, sort_key) where deleted_at is null;
create index images_favourite on images (sort_key) where favourite = 1 and deleted_at is null;
create index images_guest on images (guest, sort_key)
  where guest is not null and deleted_at is null;
-- What was deleted last is first in the trash; many are deleted at once.
create index images_trash on images (deleted_at, sort_key) where deleted_at is not null;
-- What a search finds in the trash is sorted by when it was deleted, without reading the rows.
create index images_trash_keys on images (sort_key, deleted_at) where deleted_at is not null;
create index images_trashed_favourites on images (size_bytes)
  where favourite = 1 and deleted_at is not null;

-- Albums. One with a search fills itself, and has no rows in `album_images`.
create table albums (
  id integer primary key autoincrement,
  name text not null,
  key text unique, -- the name as it is compared
  q text, -- as it is typed into the gallery's field
  images integer not null default 0, -- those that are not in the trash
  created_at real not null,
  deleted_at real -- the row stays until its last picture was taken out, in pieces
) strict;

-- Where the pictures of a generation go, and what a guest is let see besides their own. Neither refers
-- to the table: an album may be deleted.
alter table generations add column album integer;
alter table guests add column album integer;

create table album_images (
  album integer not null references albums (id),
  sort_key integer not null references images (sort_key),
  image integer not null references images (id),
  added_at real not null,
  primary key (album, sort_key)
) strict, without rowid;

create unique index album_images_image on album_images (image, album);

create trigger albums_count_in after insert on album_images begin
  update albums
  set images = images + 1
  where id = new.album and (select deleted_at is null from images where id = new.image);
end;

create trigger albums_count_out before delete on album_images begin
  update albums
  set images = images - 1
  where id = old.album and (select deleted_at is null from images where id = old.image);
end;

create trigger albums_count_change after update of deleted_at on images
when (new.deleted_at is null) <> (old.deleted_at is null) begin
  update albums
  set images = images + iif(new.deleted_at is null, 1, -1)
  where id in (select album from album_images where image = new.id);
end;

-- The words of pictures and what else is known of them, by their sort keys: the newest are found
-- first. Beginnings of up to three letters have lists of their own, since many words have them.
drop table image_words;

create virtual table image_words using fts5(
  words, content = '', contentless_delete = 1, prefix = '1 2 3', tokenize = 'ascii'
);

-- Every search goes through every segment, and looks up in it what is gone: two of a size are merged
-- when there is time, and one that has lost a hundredth is written anew. SQLite itself would do so
-- within a transaction that changes pictures: a hundred of them took up to 460 ms in place of 9.
insert into image_words (image_words, rank)
values ('usermerge', 2), ('deletemerge', 1), ('automerge', 0);

create view image_terms as
select images.id, images.sort_key,
  index_words(
    generations.prompt, generations.negative_prompt, images.revised_prompt, images.model
  ) as words,
  index_facts(json_object(
    'width', images.width, 'height', images.height, 'model', images.model,
    'provider', images.provider, 'seed', images.seed, 'guest', images.guest,
    'favourite', images.favourite, 'in_trash', images.deleted_at is not null,
    'albums', json((
      select json_group_array(album)
      from album_images
      where image = images.id
    ))
  )) as facts
from images
join generations on generations.id = images.generation_id;

insert into image_words (rowid, words)
select sort_key, words || ' ' || facts
from image_terms
order by sort_key;

-- The words of the index, with what all forms of one have in common, and the names that keys know.
create table vocabulary (
  kind text not null, -- `word`, `model`, `server`, `size`
  word text not null,
  stem text,
  uses integer not null default 0, -- pictures that came with it, whatever became of them
  primary key (kind, word)
) strict, without rowid;

create index vocabulary_stem on vocabulary (stem) where stem is not null;

create virtual table indexed_words using fts5vocab('image_words', 'row');

insert into vocabulary
select 'word', term, word_stem(term), doc
from indexed_words
where unicode(term) not in (0xe000, 0xe001) and length(term) <= 64;

drop table indexed_words;

insert into vocabulary
select 'model', model, null, count(*) from images where model is not null group by model
union all
select 'server', provider, null, count(*) from images group by provider
union all
select 'size', width || 'x' || height, null, count(*) from images group by width, height;

create trigger image_words_in after insert on images begin
  insert into image_words (rowid, words)
  select sort_key, words || ' ' || facts
  from image_terms
  where id = new.id;

  insert into vocabulary
  select kind, word, stem, 1
  from (
    select distinct 'word' as kind, value as word, word_stem(value) as stem
    from image_terms
    join json_each('["' || replace(words, ' ', '","') || '"]')
    where image_terms.id = new.id and value <> '' and unicode(value) <> 0xe001
      and length(value) <= 64
    union all select 'model', new.model, null where new.model is not null
    union all select 'server', new.provider, null
    union all select 'size', new.width || 'x' || new.height, null
  )
  where true
  on conflict do update set uses = uses + 1;
end;

create trigger image_words_out after delete on images begin
  delete from image_words where rowid = old.sort_key;
end;

create trigger image_words_change after update of deleted_at, favourite on images
when (new.deleted_at is null) <> (old.deleted_at is null) or new.favourite <> old.favourite begin
  delete from image_words where rowid = new.sort_key;
  insert into image_words (rowid, words)
  select sort_key, words || ' ' || facts
  from image_terms
  where id = new.id;
end;

create trigger image_words_album_in after insert on album_images begin
  delete from image_words where rowid = new.sort_key;
  insert into image_words (rowid, words)
  select sort_key, words || ' ' || facts
  from image_terms
  where id = new.image;
end;

create trigger image_words_album_out after delete on album_images begin
  delete from image_words where rowid = old.sort_key;
  insert into image_words (rowid, words)
  select sort_key, words || ' ' || facts
  from image_terms
  where id = old.image;
end;

-- How many pictures there are of each kind; album 0 is the whole gallery.
create table tallies (
  album integer not null,
  in_trash integer not null,
  month text not null, -- `2026-11`, UTC
  model text not null,
  provider text not null,
  guest integer not null, -- 0 is the owner
  favourite integer not null,
  images integer not null,
  primary key (album, in_trash, month, model, provider, guest, favourite)
) strict, without rowid;

insert into tallies
select 0, deleted_at is not null, month, coalesce(model, ''), provider, coalesce(guest, 0),
  favourite, count(*)
from images
group by 1, 2, 3, 4, 5, 6, 7;

drop trigger images_count_in;
drop trigger images_count_change;
drop table facets;

create trigger tallies_in after insert on images begin
  insert into tallies
  values (0, new.deleted_at is not null, new.month, coalesce(new.model, ''), new.provider,
    coalesce(new.guest, 0), new.favourite, 1)
  on conflict do update set images = images + 1;
end;

create trigger tallies_out after delete on images begin
  update tallies
  set images = images - 1
  where album = 0 and in_trash = (old.deleted_at is not null) and month = old.month
    and model = coalesce(old.model, '') and provider = old.provider
    and guest = coalesce(old.guest, 0) and favourite = old.favourite;
end;

create trigger tallies_change after update of deleted_at, favourite on images
when (new.deleted_at is null) <> (old.deleted_at is null) or new.favourite <> old.favourite begin
  update tallies
  set images = images - 1
  where album in (select 0 union all select album from album_images where image = old.id)
    and in_trash = (old.deleted_at is not null) and month = old.month
    and model = coalesce(old.model, '') and provider = old.provider
    and guest = coalesce(old.guest, 0) and favourite = old.favourite;
  insert into tallies
  select album, new.deleted_at is not null, new.month, coalesce(new.model, ''), new.provider,
    coalesce(new.guest, 0), new.favourite, 1
  from (select 0 as album union all select album from album_images where image = new.id)
  where true
  on conflict do update set images = images + 1;
end;

create trigger tallies_album_in after insert on album_images begin
  insert into tallies
  select new.album, deleted_at is not null, month, coalesce(model, ''), provider,
    coalesce(guest, 0), favourite, 1
  from images
  where id = new.image
  on conflict do update set images = tallies.images + 1;
end;

create trigger tallies_album_out before delete on album_images begin
  update tallies
  set images = images - 1
  where (album, in_trash, month, model, provider, guest, favourite) = (
    select old.album, deleted_at is not null, month, coalesce(model, ''), provider,
      coalesce(guest, 0), favourite
    from images
    where id = old.image
  );
end;

-- The generations that were asked for here: those of pictures that were brought in are put away.
create index generations_asked on generations (id) where dismissed_at is null or status <> 'done';

-- What is done with many pictures at once. It names those that are still to be changed and those
-- that it did change, so that it goes on after a restart and can be taken back; whatever changes
-- one of them later takes it out.
create table acts (
  id integer primary key autoincrement,
  kind text not null,
  album integer, -- of `add` and `remove`; it may be deleted meanwhile
  guest integer, -- null is the owner
  state text not null check (state in ('choosing', 'running', 'done', 'undoing', 'undone')),
  reached integer not null, -- its pictures from this id on are changed, those below are not yet
  total integer not null default 0,
  handled integer not null default 0, -- of the total
  changed integer not null default 0,
  missing integer not null default 0, -- files, so that their pictures were not restored
  began_at real not null
) strict;

create index acts_unfinished on acts (id) where state in ('choosing', 'running', 'undoing');

create table act_images (
  act integer not null references acts (id),
  image integer not null,
  before real, -- since when it was in the trash, or in the album
  primary key (act, image)
) strict, without rowid;

create index act_images_image on act_images (image);

-- The files of pictures that were deleted for good: the row goes first, with all that names it, and
-- leaves its file here until that is gone too.
create table removals (
  file text primary key,
  digest text not null
) strict, without rowid;

-- How many of its pictures were deleted for good.
alter table generations add column destroyed integer not null default 0;
