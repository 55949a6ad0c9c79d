-- The time of change, in nanoseconds since 1970, of a file that was found damaged; one that was
-- put in its place since has another.
alter table images add column damaged_ns integer;
create index images_damaged on images (id) where damaged_ns is not null;

-- The last picture that a check of all files has come to; 0 where none is under way.
create table checked (
  name text primary key,
  last integer not null
) strict, without rowid;
