-- Emoji and marks are words or parts of words now, which `unicode61` would split at: `ascii` splits
-- at the blanks alone that `index_words` of Easel writes between words.
drop table image_words;

create virtual table image_words using fts5(
  words, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'ascii'
);

insert into image_words (rowid, words)
select images.id, index_words(generations.prompt)
from images
join generations on generations.id = images.generation_id
order by images.id;

-- A seed from 2^63 on is kept as the negative number of the same 64 bits; so far, a negative one
-- only said that there was none.
update images set seed = null where seed < 0;
update generations set seed = null where seed < 0;
