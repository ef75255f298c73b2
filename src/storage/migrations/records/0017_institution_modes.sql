-- How far what is written is checked: 'base' is R4's structure, 'strict' its invariants and the claimed profiles too.
alter table institution add column validation text collate "C" not null default 'base'
  check (validation in ('base', 'strict'));
