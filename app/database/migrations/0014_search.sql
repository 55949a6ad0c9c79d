-- Where a picture stands in the index of words. The trash has a place of its own, below all that is
-- shown: a search of one never goes through the other.
alter table images add column index_key integer generated always as (
  iif(deleted_at is null, sort_key, sort_key - 4611686018427387904)
) virtual;

delete from image_words
where rowid in (select sort_key from images where deleted_at is not null);

insert into image_words (rowid, words)
select images.index_key, words || ' ' || facts
from images
join image_terms on image_terms.id = images.id
where deleted_at is not null
order by images.index_key;

drop index images_trash_keys;

drop trigger image_words_out;
drop trigger image_words_change;
drop trigger image_words_album_in;
drop trigger image_words_album_out;

create trigger image_words_out after delete on images begin
  delete from image_words where rowid = old.index_key;
end;

create trigger image_words_change after update of deleted_at, favourite on images
when (new.deleted_at is null) <> (old.deleted_at is null) or new.favourite <> old.favourite begin
  delete from image_words where rowid = old.index_key;
  insert into image_words (rowid, words)
  select new.index_key, words || ' ' || facts
  from image_terms
  where id = new.id;
end;

create trigger image_words_album_in after insert on album_images begin
  delete from image_words where rowid = (select index_key from images where id = new.image);
  insert into image_words (rowid, words)
  select index_key, words || ' ' || facts
  from images
  join image_terms on image_terms.id = images.id
  where images.id = new.image;
end;

create trigger image_words_album_out after delete on album_images begin
  delete from image_words where rowid = (select index_key from images where id = old.image);
  insert into image_words (rowid, words)
  select index_key, words || ' ' || facts
  from images
  join image_terms on image_terms.id = images.id
  where images.id = old.image;
end;
