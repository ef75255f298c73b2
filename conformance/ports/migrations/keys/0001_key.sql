create table key (name text primary key, wrapped bytea not null);
grant select, insert, delete on key to medseal_keys;
