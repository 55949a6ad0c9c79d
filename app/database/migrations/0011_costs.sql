-- What a picture and a call cost, as the server said it: `0.04 USD 4160 tokens`.
alter table images add column cost text;
alter table attempts add column cost text;

-- What was spent, whatever becomes of the pictures; amounts are decimals, which SQLite would round.
create table spending (
  month text not null,
  provider text not null,
  guest integer not null, -- 0 is the owner
  currency text not null, -- empty where only tokens were told
  amount text not null,
  tokens integer not null,
  primary key (month, provider, guest, currency)
) strict, without rowid;
