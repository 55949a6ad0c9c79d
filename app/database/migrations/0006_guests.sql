-- A link that the owner gave somebody; the token itself is nowhere.
create table guests (
  id integer primary key autoincrement,
  name text not null,
  token_hash text not null unique,
  makes integer not null,
  sees_all integer not null,
  created_at real not null,
  expires_at real,
  revoked_at real
) strict;

-- A link to one picture, for anybody who has it.
create table shown_pictures (
  id integer primary key autoincrement,
  image_id integer not null references images (id),
  token_hash text not null unique,
  tells_prompt integer not null,
  created_at real not null,
  expires_at real
) strict;

-- Whose link asked for it; null is the owner.
alter table generations add column guest integer references guests (id);
alter table images add column guest integer references guests (id);
create index generations_guest on generations (guest, id) where guest is not null;
create index images_guest on images (guest, id) where guest is not null and deleted_at is null;
