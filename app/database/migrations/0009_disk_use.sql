-- What the files of pictures take, by the year in their paths; empty for those without one.
alter table images add column year text generated always as (
  iif(file glob '[0-9][0-9][0-9][0-9]/*', substr(file, 1, 4), '')
) virtual;

create table disk_use (
  year text not null,
  in_trash integer not null,
  images integer not null,
  size_bytes integer not null,
  primary key (year, in_trash)
) strict, without rowid;

insert into disk_use (year, in_trash, images, size_bytes)
select year, deleted_at is not null, count(*), sum(size_bytes)
from images
group by year, deleted_at is not null;

create trigger disk_use_in after insert on images begin
  insert into disk_use (year, in_trash, images, size_bytes)
  values (new.year, new.deleted_at is not null, 1, new.size_bytes)
  on conflict (year, in_trash)
  do update set images = images + 1, size_bytes = size_bytes + excluded.size_bytes;
end;

create trigger disk_use_change after update of deleted_at on images
when (new.deleted_at is null) <> (old.deleted_at is null) begin
  update disk_use
  set images = images - 1, size_bytes = size_bytes - old.size_bytes
  where year = old.year and in_trash = (old.deleted_at is not null);
  insert into disk_use (year, in_trash, images, size_bytes)
  values (new.year, new.deleted_at is not null, 1, new.size_bytes)
  on conflict (year, in_trash)
  do update set images = images + 1, size_bytes = size_bytes + excluded.size_bytes;
end;

create trigger disk_use_out after delete on images begin
  update disk_use
  set images = images - 1, size_bytes = size_bytes - old.size_bytes
  where year = old.year and in_trash = (old.deleted_at is not null);
end;
