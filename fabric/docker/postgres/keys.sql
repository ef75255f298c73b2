-- The key service's own database, beside `records`, with backups of its own.
create database keys;
