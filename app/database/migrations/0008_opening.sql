-- The time of change, in nanoseconds since 1970, of a file that was found damaged; one that was
-- put in its place since has another.
alter table images add column damaged_ns integer;
create index images_damaged on images (id) where damaged_ns is not null;

-- Numbers that the next start wants to know, such as how far a check of all files has come.
create table state (
  name text primary key,
  value integer not null
) strict, without rowid;
