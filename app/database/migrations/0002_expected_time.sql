create index generations_done on generations (provider, model, id) where status = 'done';
