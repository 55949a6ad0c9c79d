create table reserved (
  name text primary key,
  last integer not null
) strict, without rowid;
