-- What a generation starts from: the ids of pictures in their order, as JSON, the first of which it
-- edits; and of that one, what may change: a mask by its sha256, which is kept as a file.
alter table generations add column sources text;
alter table generations add column mask text;
alter table generations add column strength text; -- as it was typed
alter table generations add column paste_back integer;
alter table generations add column parent_id integer generated always as (sources ->> 0) virtual;

create index generations_mask on generations (mask) where mask is not null;
create index generations_parent on generations (parent_id) where parent_id is not null;

alter table images add column changed_outside_mask real;
alter table images add column laid_back_from integer;

create index images_laid_back on images (laid_back_from) where laid_back_from is not null;

-- Pictures that others came from, by what labels tell, and that are not here: the ids that they get
-- if they come, and that no other picture has.
create table awaited_pictures (
  digest text primary key,
  id integer not null unique
) strict, without rowid;

-- Whether a server takes black, and not white, for what may change.
alter table providers add column mask_inverted integer not null default 0;

-- Pictures that started from others are told by the index, which has none so far.
drop view image_terms;

create view image_terms as
select images.id, images.sort_key,
  index_words(
    generations.prompt, generations.negative_prompt, images.revised_prompt, images.model
  ) as words,
  index_facts(json_object(
    'width', images.width, 'height', images.height, 'model', images.model,
    'provider', images.provider, 'seed', images.seed, 'guest', images.guest,
    'favourite', images.favourite, 'in_trash', images.deleted_at is not null,
    'edited', generations.sources is not null,
    'albums', json((
      select json_group_array(album)
      from album_images
      where image = images.id
    ))
  )) as facts
from images
join generations on generations.id = images.generation_id;
